/*
 * Reports as CSV (RFC 4180): a line for each finding; and, for whatever keeps the list from being
 * complete, one without a vulnerability, whose status says what that is.
 */
CREATE FUNCTION clair.report_as_csv(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN concat(
        'image,vulnerability,severity,feature,installed_version,fixed_in,status,architecture,source_name,namespace,advisory,score,epss,kev_date_added,link,updater,purl,introduced_by,exception',
        CASE WHEN asked.descriptions THEN ',description' END,
        E'\r\n',
        (
            SELECT string_agg(
                concat(
                    clair.csv_field(asked.title), ',,,,,,', c.state, ',,,', clair.csv_field(asked.namespace), ',,,,,,',
                    c.updater, ',,,',
                    CASE WHEN asked.descriptions THEN ',' || clair.csv_field(c.message) END,
                    E'\r\n'
                ),
                '' ORDER BY c.number
            )
            FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
            WHERE c.state <> 'current'
        ),
        (
            SELECT string_agg(
                concat(
                    clair.csv_field(asked.title), ',', clair.csv_field(f.vulnerability), ',', f.severity, ',',
                    clair.csv_field(f.feature), ',', clair.csv_field(f.installed_version), ',',
                    clair.csv_field(f.fixed_in), ',', f.status, ',', clair.csv_field(f.architecture), ',',
                    clair.csv_field(f.source_name), ',', clair.csv_field(f.namespace), ',',
                    clair.csv_field(f.advisory), ',', d.score, ',', d.epss, ',',
                    to_char(d.kev_date_added, 'YYYY-MM-DD'), ',',
                    clair.csv_field(f.link), ',', f.updater, ',', clair.csv_field(f.purl), ',', f.introduced_by, ',',
                    clair.csv_field(f.reason),
                    CASE WHEN asked.descriptions THEN ',' || COALESCE(clair.csv_field(f.description), '') END,
                    E'\r\n'
                ),
                '' ORDER BY f.severity DESC, f.vulnerability COLLATE "C", f.feature COLLATE "C",
                    f.architecture COLLATE "C", f.installed_version COLLATE "C"
            )
            FROM clair.report_finding(asked) AS f
                LEFT JOIN clair.cve_detail AS d ON d.cve = f.vulnerability
        )
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_csv(clair.report_request) IS 'a report as CSV, with a header';
REVOKE ALL ON FUNCTION clair.report_as_csv(clair.report_request) FROM PUBLIC;
