/*
 * Reports as SARIF 2.1.0, with what GitHub's code scanning asks for. A vulnerability is a rule, a
 * finding a result of it at the package database, which is the file that says so. What keeps the
 * report from being complete is a notification, and also a result: else who looks at results only
 * would take the findings of an image that could not be read for resolved.
 *
 * In the text of messages, brackets would begin links, and braces arguments.
 */
CREATE FUNCTION clair.sarif_message(value text)
RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.json_build_object('text', pg_catalog.regexp_replace(
        pg_catalog.regexp_replace(value, '([][\\])', '\\\1', 'g'), '([{}])', '\1\1', 'g'));
END;
COMMENT ON FUNCTION clair.sarif_message(text) IS 'a text as a message of SARIF';
REVOKE ALL ON FUNCTION clair.sarif_message(text) FROM PUBLIC;

CREATE FUNCTION clair.report_as_sarif(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH finding AS MATERIALIZED (
            SELECT f.vulnerability, f.severity, f.feature, f.installed_version, f.architecture, f.source_name,
                f.namespace, f.fixed_in, f.status, f.remedy, f.advisory, f.url, f.updater, f.database_path, f.purl,
                f.introduced_by, f.exception, f.exception_kind, f.reason, f.author, f.expires_at, f.description,
                CASE
                    WHEN f.severity IN ('High', 'Critical', 'Defcon1') THEN 'error'
                    WHEN f.severity IN ('Low', 'Negligible') THEN 'note'
                    ELSE 'warning'
                END AS level,
                dense_rank() OVER (ORDER BY f.vulnerability COLLATE "C") - 1 AS rule
            FROM clair.report_finding(asked) AS f
        ),
        gap AS (
            SELECT c.state, c.message, c.updater, c.number,
                CASE
                    WHEN c.state IN ('no_package_database', 'unsupported_database', 'unknown_namespace', 'no_feed')
                    THEN 'error'
                    ELSE 'warning'
                END AS level
            FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
            WHERE c.state <> 'current'
        ),
        rule AS (
            SELECT v.vulnerability AS id,
                json_build_object('text', v.vulnerability || ' in ' || v.source_name) AS "shortDescription",
                json_build_object('text', COALESCE(NULLIF(left(v.description, 1000), ''),
                    v.vulnerability || ' in ' || v.source_name)) AS "fullDescription",
                v.url AS "helpUri",
                json_build_object('text', concat_ws(E'\n', COALESCE(NULLIF(v.description, ''),
                    v.vulnerability || ' in ' || v.source_name), v.url)) AS help,
                json_build_object('level', v.level) AS "defaultConfiguration",
                -- The score within the band of the severity: that is what viewers sort by.
                json_build_object(
                    'security-severity', CASE v.severity
                        WHEN 'Unknown' THEN NULL
                        WHEN 'Negligible' THEN '0.1'
                        WHEN 'Low' THEN LEAST(GREATEST(COALESCE(d.score, 2.0), 0.1), 3.9)::text
                        WHEN 'Medium' THEN LEAST(GREATEST(COALESCE(d.score, 5.5), 4.0), 6.9)::text
                        WHEN 'High' THEN LEAST(GREATEST(COALESCE(d.score, 8.0), 7.0), 8.9)::text
                        ELSE LEAST(GREATEST(COALESCE(d.score, 9.5), 9.0), 10.0)::text
                    END,
                    'precision', 'very-high',
                    'tags', json_build_array('security', 'vulnerability', v.severity)
                ) AS properties
            FROM (
                SELECT DISTINCT ON (f.rule)
                    f.vulnerability, f.severity, f.source_name, f.description, f.url, f.level
                FROM finding AS f
                ORDER BY f.rule, f.severity DESC, f.updater COLLATE "C", f.source_name COLLATE "C"
            ) AS v
                LEFT JOIN clair.cve_detail AS d ON d.cve = v.vulnerability
            UNION ALL
            SELECT DISTINCT ON (g.state)
                g.state,
                json_build_object('text', 'The report is not complete: ' || replace(g.state, '_', ' ')),
                json_build_object('text', 'What keeps the findings of an image from being all there are: '
                    || replace(g.state, '_', ' ')),
                NULL,
                json_build_object('text', 'What keeps the findings of an image from being all there are: '
                    || replace(g.state, '_', ' ')),
                json_build_object('level', g.level),
                json_build_object('tags', json_build_array('coverage'))
            FROM gap AS g
        ),
        result AS (
            SELECT f.vulnerability AS "ruleId", f.rule AS "ruleIndex", f.level,
                clair.sarif_message(concat(f.feature, ' ', f.installed_version, ' (' || f.architecture || ')', ' has ',
                    f.vulnerability, ': severity ', f.severity, ', ', f.remedy)) AS message,
                json_build_array(json_build_object(
                    'physicalLocation', json_build_object(
                        'artifactLocation', json_build_object(
                            -- The file, without who read it.
                            'uri', replace(clair.purl_part(
                                regexp_replace(f.database_path, '^detector:[^:]*:', '')), '%2F', '/')),
                        'region', json_build_object('startLine', 1)
                    ),
                    'logicalLocations', json_build_array(json_build_object(
                        'name', f.feature,
                        'fullyQualifiedName', f.purl,
                        'kind', 'package'
                    ))
                )) AS locations,
                json_build_object('primaryLocationLineHash', left(encode(sha256(convert_to(
                    concat_ws(E'\x1F', f.vulnerability, f.feature, COALESCE(f.architecture, ''), f.database_path),
                    'UTF8')), 'hex'), 16) || ':1') AS "partialFingerprints",
                CASE
                    WHEN f.exception IS NOT NULL
                    THEN json_build_array(json_build_object(
                        'kind', 'external',
                        'status', 'accepted',
                        'justification', f.reason,
                        'properties', json_build_object('exception', f.exception, 'kind', f.exception_kind,
                            'author', f.author, 'expires_at', f.expires_at)
                    ))
                END AS suppressions,
                (
                    SELECT row_to_json(p)
                    FROM (
                        SELECT f.purl, f.installed_version, f.fixed_in, f.status, f.source_name, f.namespace,
                            f.advisory, f.updater, f.introduced_by
                    ) AS p
                ) AS properties,
                0 AS part, f.severity, f.feature, f.architecture, f.installed_version, NULL::bigint AS number
            FROM finding AS f
            UNION ALL
            SELECT g.state, NULL, g.level, clair.sarif_message(g.message),
                json_build_array(json_build_object(
                    'physicalLocation', json_build_object(
                        'artifactLocation', json_build_object('uri', 'etc/os-release'),
                        'region', json_build_object('startLine', 1)
                    )
                )),
                json_build_object('primaryLocationLineHash', left(encode(sha256(convert_to(
                    concat_ws(E'\x1F', g.state, g.updater), 'UTF8')), 'hex'), 16) || ':1'),
                NULL,
                NULL,
                1, NULL, NULL, NULL, NULL, g.number
            FROM gap AS g
        )
        SELECT json_build_object(
            '$schema', 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
            'version', '2.1.0',
            'runs', json_build_array(json_build_object(
                'tool', json_build_object('driver', json_build_object(
                    'name', 'clair',
                    'version', asked.version,
                    'rules', (SELECT COALESCE(json_agg(json_strip_nulls(row_to_json(r))), '[]') FROM rule AS r)
                )),
                'automationDetails', json_build_object('id', 'clair/' || asked.title || '/'),
                'invocations', json_build_array(json_build_object(
                    'executionSuccessful', NOT EXISTS (SELECT FROM gap),
                    'endTimeUtc', to_char(asked.generated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                    'toolExecutionNotifications', (
                        SELECT COALESCE(
                            json_agg(
                                json_build_object('level', g.level, 'message', clair.sarif_message(g.message),
                                    'descriptor', json_build_object('id', g.state))
                                ORDER BY g.number
                            ),
                            '[]'
                        )
                        FROM gap AS g
                    )
                )),
                'results', (
                    SELECT COALESCE(json_agg(json_strip_nulls(row_to_json(s))), '[]')
                    FROM (
                        SELECT r."ruleId", r."ruleIndex", r.level, r.message, r.locations, r."partialFingerprints",
                            r.suppressions, r.properties
                        FROM result AS r
                        ORDER BY r.part, r.severity DESC, r."ruleId" COLLATE "C", r.feature COLLATE "C",
                            r.architecture COLLATE "C", r.installed_version COLLATE "C", r.number
                    ) AS s
                ),
                'properties', json_build_object('image', asked.title, 'digest', asked.digest,
                    'platform', asked.platform, 'namespace', asked.namespace, 'filter', asked.filter)
            ))
        )
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_sarif(clair.report_request) IS 'a report as SARIF 2.1.0';
REVOKE ALL ON FUNCTION clair.report_as_sarif(clair.report_request) FROM PUBLIC;
