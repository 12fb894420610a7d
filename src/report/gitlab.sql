/*
 * Reports as GitLab's container scanning reports, schema 15.0.7, which every GitLab since 15.8 reads.
 * It has no word for what is judged but for a false positive, so other exceptions are a detail. A
 * report that is not complete is of a scan that failed, with messages that say why.
 */
CREATE FUNCTION clair.report_as_gitlab(asked clair.report_request)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tool json := json_build_object('id', 'clair', 'name', 'clair', 'version', asked.version,
        'vendor', json_build_object('name', 'clair'));
    finished text := to_char(asked.generated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS');
BEGIN
    RETURN (
        SELECT json_build_object(
            'version', '15.0.7',
            'scan', json_build_object(
                'analyzer', tool,
                'scanner', tool,
                'type', 'container_scanning',
                'start_time', finished,
                'end_time', finished,
                'status', CASE WHEN gaps.messages IS NULL THEN 'success' ELSE 'failure' END,
                'messages', COALESCE(gaps.messages, '[]')
            ),
            'vulnerabilities', COALESCE(
                (
                    SELECT json_agg(json_strip_nulls(row_to_json(g)))
                    FROM (
                        SELECT
                            encode(substr(sha256(convert_to(concat_ws(E'\x1F', asked.digest, f.vulnerability, f.updater,
                                f.feature, f.installed_version, COALESCE(f.architecture, ''), f.advisory,
                                f.database_path), 'UTF8')), 1, 16), 'hex')::uuid AS id,
                            left(f.vulnerability, 255) AS name,
                            left(COALESCE(f.description, f.vulnerability || ' in ' || f.source_name || ': '
                                || f.remedy), 1048576) AS description,
                            CASE f.severity
                                WHEN 'Defcon1' THEN 'Critical'
                                WHEN 'Negligible' THEN 'Info'
                                ELSE f.severity::text
                            END AS severity,
                            left('Update ' || f.feature || ' to ' || f.fixed_in, 7000) AS solution,
                            (
                                SELECT json_agg(json_build_object(
                                    'type', COALESCE(lower(substring(i.name, '^([A-Za-z]+)-')), 'clair'),
                                    'name', i.name,
                                    'value', i.name,
                                    'url', CASE WHEN i.number = 1 THEN f.url END) ORDER BY i.number)
                                FROM unnest(ARRAY[f.vulnerability] || f.aliases || f.advisory) WITH ORDINALITY
                                    AS i(name, number)
                                WHERE i.name <> ''
                            ) AS identifiers,
                            CASE
                                WHEN d.cvss_version IN ('3.0', '3.1') AND length(d.vector) BETWEEN 32 AND 128
                                    AND d.vector ~ '^CVSS:3[.][01](/(AV:[NALP]|AC:[LH]|PR:[NLH]|UI:[NR]|S:[UC]|[CIA]:[NLH]|E:[XUPFH]|RL:[XOTWU]|RC:[XURC]|[CIA]R:[XLMH]|MAV:[XNALP]|MAC:[XLH]|MPR:[XNLH]|MUI:[XNR]|MS:[XUC]|M[CIA]:[XNLH]))+$'
                                THEN json_build_array(json_build_object(
                                    'vendor', COALESCE(NULLIF(d.scored_by, ''), 'unknown'),
                                    'vector', d.vector))
                            END AS cvss_vectors,
                            CASE
                                WHEN f.url IS NOT NULL THEN json_build_array(json_build_object('url', f.url))
                            END AS links,
                            CASE
                                WHEN f.exception_kind = 'false_positive'
                                THEN json_build_array(json_build_object(
                                    'type', 'flagged-as-likely-false-positive',
                                    'origin', 'clair',
                                    'description', f.reason))
                            END AS flags,
                            json_build_object(
                                'purl', json_build_object('name', 'Package URL', 'type', 'text', 'value', f.purl),
                                'remedy', json_build_object('name', 'Remedy', 'type', 'text', 'value', f.remedy),
                                'layer', CASE
                                    WHEN f.introduced_by IS NOT NULL
                                    THEN json_build_object('name', 'Layer', 'type', 'text',
                                        'value', f.introduced_by)
                                END,
                                'exception', CASE
                                    WHEN f.exception IS NOT NULL
                                    THEN json_build_object('name', 'Exception', 'type', 'text',
                                        'value', f.exception_kind || ': ' || f.reason)
                                END
                            ) AS details,
                            json_build_object(
                                'dependency', json_build_object(
                                    'package', json_build_object('name', f.feature),
                                    'version', f.installed_version
                                ),
                                'operating_system', f.namespace,
                                'image', asked.title
                            ) AS location
                        FROM clair.report_finding(asked) AS f
                            LEFT JOIN clair.cve_detail AS d ON d.cve = f.vulnerability
                        ORDER BY f.severity DESC, f.vulnerability COLLATE "C", f.feature COLLATE "C",
                            f.architecture COLLATE "C", f.installed_version COLLATE "C"
                    ) AS g
                ),
                '[]'
            )
        )
        FROM (
            SELECT json_agg(
                json_build_object(
                    'level', CASE
                        WHEN c.state IN ('no_package_database', 'unsupported_database', 'unknown_namespace', 'no_feed')
                        THEN 'fatal'
                        ELSE 'warn'
                    END,
                    'value', c.state || ': ' || c.message
                )
                ORDER BY c.number
            ) AS messages
            FROM unnest(asked.coverage) WITH ORDINALITY AS c(updater, state, last_success, message, number)
            WHERE c.state <> 'current'
        ) AS gaps
    );
END
$$;
COMMENT ON FUNCTION clair.report_as_gitlab(clair.report_request) IS
    'a report as GitLab''s container scanning report';
REVOKE ALL ON FUNCTION clair.report_as_gitlab(clair.report_request) FROM PUBLIC;
