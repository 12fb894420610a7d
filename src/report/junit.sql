/*
 * Reports as JUnit's XML, in the form that Jenkins, GitLab and others read: a test for each finding,
 * which fails, or is skipped when an exception covers it; and one for each feed, which passes when it
 * is current, and is an error otherwise.
 */
CREATE FUNCTION clair.report_as_junit(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT format(
            E'<?xml version="1.0" encoding="UTF-8"?>\n'
            '<testsuites name="clair" tests="%1$s" failures="%2$s" errors="%3$s">\n'
            '<testsuite name="%4$s" tests="%1$s" failures="%2$s" errors="%3$s" skipped="%5$s" timestamp="%6$s">\n'
            '<properties>\n'
            '<property name="digest" value="%7$s"/>\n'
            '<property name="platform" value="%8$s"/>\n'
            '<property name="namespace" value="%9$s"/>\n'
            '<property name="clair" value="%10$s"/>\n'
            '%11$s</properties>\n%12$s%13$s</testsuite>\n</testsuites>\n',
            feeds.tests + found.tests, found.failures, feeds.errors, clair.xml_text(asked.title), found.skipped,
            to_char(asked.generated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
            asked.digest, clair.xml_text(asked.platform), clair.xml_text(asked.namespace), asked.version,
            E'<property name="filter" value="' || clair.xml_text(asked.filter) || E'"/>\n',
            feeds.cases, found.cases
        )
        FROM (
            SELECT count(*) AS tests, count(*) FILTER (WHERE c.state <> 'current') AS errors,
                string_agg(
                    concat(
                        '<testcase classname="coverage" name="', COALESCE(c.updater, c.state), '"',
                        CASE
                            WHEN c.state = 'current' THEN '/>'
                            ELSE concat('><error type="', c.state, '" message="', clair.xml_text(c.message),
                                '"/></testcase>')
                        END,
                        E'\n'
                    ),
                    '' ORDER BY c.number
                ) AS cases
            FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
        ) AS feeds
            CROSS JOIN (
                SELECT count(*) AS tests, count(f.exception) AS skipped, count(*) - count(f.exception) AS failures,
                    string_agg(
                        concat(
                            '<testcase classname="',
                            clair.xml_text(concat_ws(' ', f.feature, f.installed_version, f.architecture)),
                            '" name="', clair.xml_text(f.vulnerability), '">',
                            CASE
                                WHEN f.exception IS NOT NULL
                                THEN concat('<skipped>', clair.xml_text(f.reason), '</skipped>')
                                ELSE concat(
                                    '<failure type="', f.severity, '" message="',
                                    clair.xml_text(concat(f.severity, ': ', f.remedy)), '">',
                                    clair.xml_text(concat_ws(E'\n', f.link, f.purl, f.description)),
                                    '</failure>'
                                )
                            END,
                            E'</testcase>\n'
                        ),
                        '' ORDER BY f.severity DESC, f.vulnerability COLLATE "C", f.feature COLLATE "C",
                            f.architecture COLLATE "C", f.installed_version COLLATE "C"
                    ) AS cases
                FROM clair.report_finding(asked) AS f
            ) AS found
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_junit(clair.report_request) IS 'a report as JUnit''s XML';
REVOKE ALL ON FUNCTION clair.report_as_junit(clair.report_request) FROM PUBLIC;
