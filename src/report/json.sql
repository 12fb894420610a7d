/*
 * Reports as JSON: version 1 of our own form, which README.md describes. Its keys are the columns of
 * the functions and views that say the same. Every key is always there.
 */
CREATE FUNCTION clair.report_as_json(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH finding AS MATERIALIZED (
            SELECT f.vulnerability, f.severity, f.feature, f.installed_version, f.architecture, f.source_name,
                f.namespace, f.fixed_in, f.status, f.advisory, f.updater, f.database_path, f.purl,
                f.introduced_by, f.exception, f.exception_kind, f.justification, f.reason, f.author,
                f.expires_at, f.aliases, f.link, f.description
            FROM clair.report_finding(asked) AS f
        )
        SELECT row_to_json(report)
        FROM (
            SELECT
                'clair.report' AS schema,
                1 AS version,
                asked.generated_at,
                'clair ' || asked.version AS generator,
                (
                    SELECT row_to_json(about)
                    FROM (
                        SELECT i.id, i.digest,
                            ARRAY(
                                SELECT n.name
                                FROM clair.image_name AS n
                                WHERE n.image_id = i.id
                                ORDER BY n.name
                            ) AS names,
                            i.platform, i.namespace, i.status, i.indexed_at
                        FROM clair.image AS i
                        WHERE i.id = asked.image_id
                    ) AS about
                ) AS image,
                json_build_object('minimum_severity', asked.minimum_severity, 'fixable', asked.fixable,
                    'statuses', asked.statuses, 'new_since', asked.new_since,
                    'excepted', asked.excepted) AS filter,
                NOT EXISTS (
                    SELECT FROM unnest(asked.coverage) AS c WHERE c.state <> 'current'
                ) AS complete,
                asked.coverage,
                (
                    SELECT row_to_json(summary)
                    FROM (
                        SELECT count(*) AS findings,
                            count(f.fixed_in) AS fixable,
                            count(f.exception) AS excepted,
                            (
                                SELECT json_object_agg(s.severity, COALESCE(counted.findings, 0)
                                    ORDER BY s.severity DESC)
                                FROM unnest(enum_range(NULL::clair.severity)) AS s(severity)
                                    LEFT JOIN (
                                        SELECT severity, count(*) AS findings FROM finding GROUP BY severity
                                    ) AS counted ON counted.severity = s.severity
                            ) AS severities
                        FROM finding AS f
                    ) AS summary
                ) AS summary,
                COALESCE(
                    (
                        SELECT json_agg(f)
                        FROM (
                            SELECT o.vulnerability, o.severity, o.feature, o.installed_version, o.architecture,
                                o.source_name, o.namespace, o.fixed_in, o.status, o.advisory, o.updater,
                                o.database_path, o.purl, o.introduced_by,
                                CASE
                                    WHEN o.exception IS NOT NULL
                                    THEN json_build_object('exception', o.exception, 'kind', o.exception_kind,
                                        'justification', o.justification, 'reason', o.reason,
                                        'author', o.author, 'expires_at', o.expires_at)
                                END AS exception
                            FROM finding AS o
                            ORDER BY o.severity DESC, o.vulnerability COLLATE "C", o.feature COLLATE "C",
                                o.architecture COLLATE "C", o.installed_version COLLATE "C"
                        ) AS f
                    ),
                    '[]'
                ) AS findings,
                COALESCE(
                    (
                        SELECT json_object_agg(v.vulnerability, v)
                        FROM (
                            SELECT DISTINCT ON (f.vulnerability COLLATE "C")
                                f.vulnerability, f.aliases, f.link, d.score, d.vector, d.cvss_version,
                                d.scored_by, d.epss, d.epss_percentile, d.kev_date_added, d.kev_due_date,
                                d.kev_ransomware, f.description
                            FROM finding AS f
                                LEFT JOIN clair.cve_detail AS d ON d.cve = f.vulnerability
                            ORDER BY f.vulnerability COLLATE "C", f.updater COLLATE "C"
                        ) AS v
                    ),
                    '{}'
                ) AS vulnerabilities
        ) AS report
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_json(clair.report_request) IS
    'a report as a JSON object; its form is described in README.md';
REVOKE ALL ON FUNCTION clair.report_as_json(clair.report_request) FROM PUBLIC;
