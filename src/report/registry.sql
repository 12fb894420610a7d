/*
 * The registry of formats, and the function that writes reports. A format is a function
 * clair.report_as_FORMAT() in a file of its own, and its line here.
 */
CREATE FUNCTION clair.report(image text, format text DEFAULT 'text',
    minimum_severity clair.severity DEFAULT NULL, fixable boolean DEFAULT NULL,
    statuses clair.status[] DEFAULT NULL, new_since timestamptz DEFAULT NULL,
    excepted boolean DEFAULT NULL, descriptions boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked clair.report_request;
BEGIN
    SELECT
        i.id,
        COALESCE(
            (SELECT n.name FROM clair.image_name AS n WHERE n.image_id = i.id AND n.name = report.image),
            (SELECT min(n.name) FROM clair.image_name AS n WHERE n.image_id = i.id),
            i.digest
        ),
        i.digest, i.platform, i.namespace,
        ARRAY(
            SELECT ROW(c.updater, c.state, c.last_success,
                CASE c.state
                    WHEN 'no_package_database' THEN
                        'no package database was found in the image: nothing is known of its packages'
                    WHEN 'unsupported_database' THEN
                        'a package database of the image is of a form that is not read'
                    WHEN 'unknown_namespace' THEN 'it is not known which distribution the image is of'
                    WHEN 'no_feed' THEN
                        'there is no feed of what is vulnerable in ' || c.namespace
                    WHEN 'stale_feed' THEN
                        'the feed ' || c.updater || ' is old: it was last read at '
                        || to_char(c.last_success AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
                    WHEN 'frozen_feed' THEN
                        'the feed ' || c.updater || ' says nothing of ' || c.namespace
                        || ' any more: what it said last is kept'
                    WHEN 'partial' THEN
                        'parts of the image could not be read' || COALESCE(
                            (
                                SELECT ': ' || p.place || ': ' || p.reason
                                FROM clair.image_problem AS p
                                WHERE p.image_id = i.id
                                ORDER BY p.number
                                LIMIT 1
                            ),
                            ''
                        )
                    WHEN 'unknown_repositories' THEN
                        'it is not known which repositories the packages are from: those of the distribution itself are assumed'
                    WHEN 'current' THEN NULL
                    ELSE c.state
                END
            )::clair.report_coverage
            FROM clair.image_coverage AS c
            WHERE c.image_id = i.id
            ORDER BY c.updater COLLATE "C"
        ),
        report.minimum_severity, report.fixable, report.statuses, report.new_since, report.excepted,
        COALESCE(report.descriptions, false),
        NULLIF(
            concat_ws('; ',
                'severity ' || report.minimum_severity || ' and above',
                CASE WHEN report.fixable THEN 'fixable' WHEN NOT report.fixable THEN 'not fixable' END,
                'status ' || array_to_string(report.statuses, ' or '),
                'new since ' || to_char(report.new_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
                CASE
                    WHEN report.excepted THEN 'covered by an exception'
                    WHEN NOT report.excepted THEN 'not covered by an exception'
                END
            ),
            ''
        ),
        now(),
        (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'clair')
    INTO asked
    FROM clair.image AS i
    WHERE i.id = clair.image_id(image);

    IF asked.image_id IS NULL THEN
        RETURN NULL;
    END IF;
    CASE format
        WHEN 'text' THEN RETURN clair.report_as_text(asked);
        WHEN 'markdown' THEN RETURN clair.report_as_markdown(asked);
        WHEN 'csv' THEN RETURN clair.report_as_csv(asked);
        WHEN 'json' THEN RETURN clair.report_as_json(asked);
        WHEN 'sarif' THEN RETURN clair.report_as_sarif(asked);
        WHEN 'gitlab' THEN RETURN clair.report_as_gitlab(asked);
        WHEN 'junit' THEN RETURN clair.report_as_junit(asked);
        ELSE
            RAISE EXCEPTION 'report format "%" does not exist', format
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Formats are ' || (
                        SELECT string_agg(substr(p.proname, 11), ', ' ORDER BY p.proname)
                        FROM pg_proc AS p
                        WHERE p.pronamespace = 'clair'::regnamespace AND p.proname LIKE 'report\_as\_%'
                    ) || '.';
    END CASE;
END
$$;
COMMENT ON FUNCTION clair.report(text, text, clair.severity, boolean, clair.status[], timestamptz, boolean,
    boolean) IS
    'the findings of an image as a document: text, markdown, csv, json, sarif, gitlab or junit; of this severity and above; fixable, or not; of these statuses; that it did not have at that time; excepted: covered by an exception, or not; and with descriptions. Whatever keeps it from being complete is in every one';
REVOKE ALL ON FUNCTION clair.report(text, text, clair.severity, boolean, clair.status[], timestamptz, boolean,
    boolean) FROM PUBLIC;
