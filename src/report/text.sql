/*
 * Reports as text for a terminal: a table as psql draws it, whose columns are as wide as what is in
 * them, up to a limit.
 */
CREATE FUNCTION clair.report_as_text(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH finding AS MATERIALIZED (
            SELECT
                f.severity, f.exception, f.fixed_in,
                f.severity::text AS severity_cell,
                clair.terminal_text(f.vulnerability, 24) AS vulnerability,
                clair.terminal_text(f.feature, 32) AS feature,
                clair.terminal_text(f.installed_version, 28) AS installed,
                clair.terminal_text(f.remedy, 38) AS remedy,
                clair.terminal_text('exception: ' || f.reason, 60) AS reason,
                clair.terminal_text(f.description, 2000) AS description,
                row_number() OVER (ORDER BY f.severity DESC, f.vulnerability COLLATE "C", f.feature COLLATE "C",
                    f.architecture COLLATE "C", f.installed_version COLLATE "C") AS number
            FROM clair.report_finding(asked) AS f
        ),
        width AS (
            SELECT
                GREATEST(8, max(length(f.severity_cell))) AS severity,
                GREATEST(13, max(clair.display_width(f.vulnerability))) AS vulnerability,
                GREATEST(7, max(clair.display_width(f.feature))) AS feature,
                GREATEST(9, max(clair.display_width(f.installed))) AS installed,
                GREATEST(6, max(clair.display_width(f.remedy))) AS remedy,
                count(*) AS findings
            FROM finding AS f
        )
        SELECT concat(
            clair.terminal_text(asked.title, 100), ' (',
            clair.terminal_text(concat_ws(', ', asked.namespace, asked.platform), 100), E')\n',
            asked.digest, E'\n',
            'Only: ' || clair.terminal_text(asked.filter, 300) || E'\n',
            (
                SELECT string_agg('INCOMPLETE (' || c.state || '): ' || clair.terminal_text(c.message, 200) || E'\n', ''
                    ORDER BY c.number)
                FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
                WHERE c.state <> 'current'
            ),
            E'\n',
            CASE
                WHEN w.findings > 0
                THEN concat(
                    ' severity', repeat(' ', w.severity - 8), ' | vulnerability', repeat(' ', w.vulnerability - 13),
                    ' | package', repeat(' ', w.feature - 7), ' | installed', repeat(' ', w.installed - 9), E' | remedy\n',
                    repeat('-', w.severity + 2), '+', repeat('-', w.vulnerability + 2), '+',
                    repeat('-', w.feature + 2), '+', repeat('-', w.installed + 2), '+', repeat('-', w.remedy + 2),
                    E'\n',
                    (
                        SELECT string_agg(
                            concat(
                                ' ', f.severity_cell, repeat(' ', w.severity - length(f.severity_cell)),
                                ' | ', f.vulnerability,
                                repeat(' ', w.vulnerability - clair.display_width(f.vulnerability)),
                                ' | ', f.feature, repeat(' ', w.feature - clair.display_width(f.feature)),
                                ' | ', f.installed, repeat(' ', w.installed - clair.display_width(f.installed)),
                                ' | ', f.remedy, '; ' || f.reason, E'\n'
                            ),
                            '' ORDER BY f.number
                        )
                        FROM finding AS f
                    ),
                    E'\n'
                )
            END,
            'Findings: ', w.findings,
            CASE
                WHEN w.findings > 0
                THEN (
                    SELECT ' (' || string_agg(s.severity || ' ' || s.findings, ', ' ORDER BY s.severity DESC)
                    FROM (SELECT f.severity, count(*) AS findings FROM finding AS f GROUP BY f.severity) AS s
                ) || (
                    SELECT concat('; fixable ', count(f.fixed_in), '; excepted ', count(f.exception), ')')
                    FROM finding AS f
                )
            END,
            CASE
                WHEN EXISTS (SELECT FROM unnest(asked.coverage) AS c WHERE c.state <> 'current')
                THEN ', of what is known'
            END,
            E'\n',
            (
                SELECT string_agg(E'\n' || d.vulnerability || ': ' || d.description || E'\n', ''
                    ORDER BY d.vulnerability COLLATE "C")
                FROM (
                    SELECT DISTINCT ON (f.vulnerability COLLATE "C") f.vulnerability, f.description
                    FROM finding AS f
                    WHERE f.description IS NOT NULL
                    ORDER BY f.vulnerability COLLATE "C", f.description COLLATE "C"
                ) AS d
            )
        )
        FROM width AS w
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_text(clair.report_request) IS 'a report as text for a terminal';
REVOKE ALL ON FUNCTION clair.report_as_text(clair.report_request) FROM PUBLIC;
