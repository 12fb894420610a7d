/*
 * Reports as Markdown, for comments and wikis: what is said of an image is text in it, never markup.
 */
CREATE FUNCTION clair.report_as_markdown(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    incomplete text := CASE
        WHEN EXISTS (SELECT FROM unnest(asked.coverage) AS c WHERE c.state <> 'current') THEN ', of what is known'
    END;
BEGIN
    RETURN (
        WITH finding AS MATERIALIZED (
            SELECT f.vulnerability, f.severity, f.feature, f.installed_version, f.architecture, f.fixed_in, f.remedy,
                f.url, f.exception, f.reason, f.description
            FROM clair.report_finding(asked) AS f
        )
        SELECT concat(
            '# ', clair.markdown_text(asked.title), E'\n\n',
            clair.markdown_text(concat_ws(', ', asked.namespace, asked.platform, asked.digest)), E'\n\n',
            'Only: ' || clair.markdown_text(asked.filter) || E'\n\n',
            (
                SELECT string_agg(
                    '> **Incomplete** (' || c.state || '): ' || clair.markdown_text(c.message) || E'\n', E'>\n'
                    ORDER BY c.number) || E'\n'
                FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
                WHERE c.state <> 'current'
            ),
            (
                SELECT concat('**Findings: ', sum(s.findings), '** (', string_agg(s.severity || ' ' || s.findings,
                    ', ' ORDER BY s.severity DESC), ')', incomplete, E'\n\n'
                    '| severity | vulnerability | package | installed | remedy | exception |\n'
                    '|---|---|---|---|---|---|\n')
                FROM (SELECT f.severity, count(*) AS findings FROM finding AS f GROUP BY f.severity) AS s
                HAVING count(*) > 0
            ),
            COALESCE(
                (
                    SELECT string_agg(
                        concat(
                            '| ', f.severity, ' | ',
                            CASE
                                WHEN f.url IS NULL THEN clair.markdown_text(f.vulnerability)
                                ELSE concat('[', clair.markdown_text(f.vulnerability), '](<', f.url, '>)')
                            END,
                            ' | ', clair.markdown_text(f.feature), ' | ', clair.markdown_text(f.installed_version),
                            ' | ', clair.markdown_text(f.remedy), ' | ', clair.markdown_text(f.reason), E' |\n'
                        ),
                        '' ORDER BY f.severity DESC, f.vulnerability COLLATE "C", f.feature COLLATE "C",
                            f.architecture COLLATE "C", f.installed_version COLLATE "C"
                    )
                    FROM finding AS f
                ),
                concat('**Findings: 0**', incomplete, E'\n')
            ),
            (
                SELECT string_agg(E'\n## ' || clair.markdown_text(d.vulnerability) || E'\n\n'
                    || clair.markdown_text(d.description) || E'\n', '' ORDER BY d.vulnerability COLLATE "C")
                FROM (
                    SELECT DISTINCT ON (f.vulnerability COLLATE "C") f.vulnerability, f.description
                    FROM finding AS f
                    WHERE f.description IS NOT NULL
                    ORDER BY f.vulnerability COLLATE "C", f.description COLLATE "C"
                ) AS d
            )
        )
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_markdown(clair.report_request) IS 'a report as Markdown';
REVOKE ALL ON FUNCTION clair.report_as_markdown(clair.report_request) FROM PUBLIC;
