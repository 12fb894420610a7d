/*
 * Reports: what all formats share.
 *
 * A report is written in three steps: clair.report() looks the image up and says what is asked for,
 * a clair.report_request; clair.report_finding() gives the findings that this lets through, and each
 * clair.report_as_FORMAT() lays them out. The planner puts the second in place of its call, and
 * leaves out of it what the format does not use.
 */
CREATE TYPE clair.report_coverage AS (
    updater text,
    state text,
    last_success timestamptz,
    message text
);
COMMENT ON TYPE clair.report_coverage IS
    'what the findings of an image rest on: a row of clair.image_coverage, and what it says as a sentence; the message is null when the state is current';

CREATE TYPE clair.report_request AS (
    image_id bigint,
    title text,
    digest text,
    platform text,
    namespace text,
    coverage clair.report_coverage[],
    minimum_severity clair.severity,
    fixable boolean,
    statuses clair.status[],
    new_since timestamptz,
    excepted boolean,
    descriptions boolean,
    filter text,
    generated_at timestamptz,
    version text
);
COMMENT ON TYPE clair.report_request IS
    'what a report is about, and what it is to have: the arguments of clair.report(), and as filter the same in words, null when all findings are asked for; version is that of clair';

/*
 * Whether a finding that an image has now was there at a time: the image was known by then, and what
 * its updater said of the vulnerability had the package in an affected range.
 */
CREATE FUNCTION clair.finding_was_known(image_id bigint, database_path text, feature text,
    installed_version text, architecture text, vulnerability text, updater text, at timestamptz)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM clair.vulnerability AS known
            LEFT JOIN clair.update_run AS began ON began.id = known.since_run
            LEFT JOIN clair.update_run AS ended ON ended.id = known.until_run
            JOIN clair.affected AS a ON a.vulnerability_id = known.id
            CROSS JOIN LATERAL clair.features_in_range(a.namespace, a.kind, a.package, a.introduced,
                a.fixed, a.scope_id) AS f
            JOIN clair.feature AS installed
                ON installed.database_id = f.database_id
                AND installed.name = f.name
                AND installed.number = f.number
            JOIN clair.image_database AS d ON d.database_id = f.database_id AND d.until_position IS NULL
            JOIN clair.image AS i ON i.id = d.image_id
            LEFT JOIN clair.repository_set AS r ON r.id = d.repository_set AND r.cpes <> '{}'
        WHERE known.name = finding_was_known.vulnerability
            AND known.updater = finding_was_known.updater
            -- Runs of which nothing is left are older than what is asked for.
            AND (began.finished_at <= at OR began.id IS NULL)
            AND (known.until_run IS NULL OR ended.finished_at > at)
            AND a.status NOT IN ('not_affected', 'under_investigation')
            AND i.id = finding_was_known.image_id
            AND i.indexed_at <= at
            AND d.path = finding_was_known.database_path
            AND f.name = finding_was_known.feature
            AND clair.bare(f.version) = finding_was_known.installed_version
            AND installed.architecture IS NOT DISTINCT FROM finding_was_known.architecture
            AND (
                f.repositories IS NULL
                OR CASE WHEN r.id IS NULL THEN f.by_default ELSE f.repositories && r.cpes END
            )
    );
END;
COMMENT ON FUNCTION clair.finding_was_known(bigint, text, text, text, text, text, text, timestamptz) IS
    'whether a finding that an image has now was one at that time, by what was known then of images and vulnerabilities';
REVOKE ALL ON FUNCTION clair.finding_was_known(bigint, text, text, text, text, text, text, timestamptz)
    FROM PUBLIC;

-- Not SQL: what the planner thinks of its size decides whether it is joined row by row.
CREATE FUNCTION clair.report_package(image_id bigint)
RETURNS TABLE (database_path text, feature text, installed_version text, architecture text, purl text,
    introduced_by text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT f.database_path::text, f.name::text, f.version, COALESCE(f.architecture, ''),
        clair.package_purl(
            min(f.namespace),
            CASE
                WHEN starts_with(f.database_path, 'detector:') THEN 'detector:'
                ELSE min(clair.format(f.version_key))
            END,
            f.name, f.version, min(f.architecture)
        ),
        min(f.introduced_by)::text
    FROM clair.image_feature AS f
    WHERE f.image_id = report_package.image_id
    GROUP BY f.database_path, f.name, f.version, COALESCE(f.architecture, '');
END
$$;
COMMENT ON FUNCTION clair.report_package(bigint) IS
    'what a report says of packages, whatever their findings are; an architecture that is not known is empty';
REVOKE ALL ON FUNCTION clair.report_package(bigint) FROM PUBLIC;

CREATE FUNCTION clair.report_finding(asked clair.report_request)
RETURNS TABLE (vulnerability text, severity clair.severity, feature text, installed_version text,
    architecture text, source_name text, namespace text, fixed_in text, status clair.status, remedy text,
    advisory text, aliases text[], link text, url text, description text, updater text, database_path text,
    purl text, introduced_by text, exception bigint, exception_kind clair.exception_kind, justification text,
    reason text, author text, expires_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT
        v.vulnerability, v.severity, v.feature, v.installed_version, v.architecture, v.source_name,
        v.namespace, v.fixed_in, v.status,
        CASE
            WHEN v.fixed_in IS NOT NULL THEN 'fixed in ' || v.fixed_in
            WHEN v.status = 'will_not_fix' THEN 'will not be fixed'
            WHEN v.status = 'deferred' THEN 'fix deferred'
            WHEN v.status = 'end_of_life' THEN 'end of life'
            ELSE 'no fix so far'
        END,
        v.advisory, v.aliases, v.link,
        CASE WHEN v.link ~ '^https?://[]A-Za-z0-9._~:/?#[@!$&''*+,;=%-]+$' THEN v.link END,
        CASE WHEN (asked).descriptions THEN v.description END,
        v.updater, v.database_path, p.purl, p.introduced_by, v.exception, e.kind, e.justification,
        e.reason, e.author, e.expires_at
    FROM clair.image_vulnerability AS v
        LEFT JOIN clair.exception AS e ON e.id = v.exception
        LEFT JOIN clair.report_package((asked).image_id) AS p
            ON p.database_path = v.database_path
            AND p.feature = v.feature
            AND p.installed_version = v.installed_version
            AND p.architecture = COALESCE(v.architecture, '')
    WHERE v.image_id = (asked).image_id
        AND (
            (asked).filter IS NULL
            -- One condition, of which the planner cannot think that it leaves next to nothing.
            OR CASE
                WHEN v.severity < (asked).minimum_severity THEN false
                WHEN (v.fixed_in IS NOT NULL) <> (asked).fixable THEN false
                WHEN v.status <> ALL ((asked).statuses) THEN false
                WHEN (asked).excepted AND v.exception IS NULL THEN false
                WHEN NOT (asked).excepted AND v.exception IS NOT NULL THEN false
                WHEN (asked).new_since IS NULL THEN true
                ELSE NOT clair.finding_was_known(v.image_id, v.database_path, v.feature,
                    v.installed_version, v.architecture, v.vulnerability, v.updater, (asked).new_since)
            END
        );
END;
COMMENT ON FUNCTION clair.report_finding(clair.report_request) IS
    'the findings that a report is to have; remedy: what is to be expected, in words; url: the link, if one can follow it; reason, author and others of the exception that covers the finding';
REVOKE ALL ON FUNCTION clair.report_finding(clair.report_request) FROM PUBLIC;

-- Texts as parts of reports
CREATE FUNCTION clair.xml_text(value text)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.xml_text(text) IS 'a text as content, or as the value of an attribute, of XML 1.0';

CREATE FUNCTION clair.csv_field(value text)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.csv_field(text) IS
    'a text as a field of CSV (RFC 4180): after an apostrophe when a spreadsheet would take it for a formula';

CREATE FUNCTION clair.markdown_text(value text)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.markdown_text(text) IS
    'a text as text within a line of Markdown, whatever markup it has';

CREATE FUNCTION clair.terminal_text(value text, columns integer)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.terminal_text(text, integer) IS
    'a text for a terminal, cut to so many columns: control characters, and what cannot be seen, as letters';

CREATE FUNCTION clair.display_width(value text)
RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.display_width(text) IS 'how many columns a text takes on a terminal';
