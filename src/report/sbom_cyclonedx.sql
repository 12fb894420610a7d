/*
 * An image as a CycloneDX 1.6 document, https://cyclonedx.org/docs/1.6/json/
 */
CREATE FUNCTION clair.sbom_vulnerabilities(image bigint)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH finding AS (
        SELECT v.*, c.reference
        FROM clair.image_vulnerability AS v
            JOIN clair.sbom_component AS c
                ON c.image_id = v.image_id
                AND c.database_path = v.database_path
                AND c.name = v.feature
                AND c.version = v.installed_version
                AND c.architecture IS NOT DISTINCT FROM v.architecture
        WHERE v.image_id = sbom_vulnerabilities.image
    ),
    -- What is said of one vulnerability by one source, and judged alike, is one entry.
    entry AS (
        SELECT f.vulnerability, f.updater, f.exception,
            pg_catalog.max(f.severity) AS severity,
            pg_catalog.min(f.link) AS link,
            pg_catalog.min(f.description) AS description,
            pg_catalog.min(f.aliases) AS aliases,
            pg_catalog.array_agg(DISTINCT f.advisory) FILTER (WHERE f.advisory IS NOT NULL) AS advisories,
            pg_catalog.string_agg(DISTINCT 'Update ' || f.feature || ' to ' || f.fixed_in || '.', ' ')
                AS recommendation,
            pg_catalog.string_agg(DISTINCT f.status::text, ', ') AS status,
            pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object('ref', f.reference)) AS affects
        FROM finding AS f
        GROUP BY f.vulnerability, f.updater, f.exception
    )
    SELECT COALESCE(
        pg_catalog.jsonb_agg(
            pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
                'id', e.vulnerability,
                'source', pg_catalog.jsonb_build_object('name', e.updater, 'url', e.link),
                'references', (
                    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                        'id', alias, 'source', pg_catalog.jsonb_build_object('name', e.updater)) ORDER BY alias)
                    FROM pg_catalog.unnest(e.aliases) AS alias
                ),
                'ratings', (
                    SELECT pg_catalog.jsonb_agg(r.rating)
                    FROM (
                        SELECT pg_catalog.jsonb_build_object(
                            'source', pg_catalog.jsonb_build_object('name', e.updater),
                            'severity', CASE e.severity
                                WHEN 'Negligible' THEN 'info'
                                WHEN 'Defcon1' THEN 'critical'
                                ELSE pg_catalog.lower(e.severity::text)
                            END
                        ) AS rating
                        UNION ALL
                        SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
                            'source', pg_catalog.jsonb_build_object('name', d.scored_by),
                            'score', d.score,
                            'severity', CASE d.severity
                                WHEN 'Negligible' THEN 'none'
                                ELSE pg_catalog.lower(d.severity::text)
                            END,
                            'method', 'CVSSv' || CASE d.cvss_version
                                WHEN '3.1' THEN '31'
                                ELSE pg_catalog.left(d.cvss_version, 1)
                            END,
                            'vector', d.vector
                        ))
                        WHERE d.score IS NOT NULL
                    ) AS r
                ),
                'description', e.description,
                'recommendation', e.recommendation,
                'advisories', CASE
                    WHEN e.link IS NOT NULL THEN COALESCE(
                        (
                            SELECT pg_catalog.jsonb_agg(
                                pg_catalog.jsonb_build_object('title', advisory, 'url', e.link) ORDER BY advisory)
                            FROM pg_catalog.unnest(e.advisories) AS advisory
                        ),
                        pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('url', e.link))
                    )
                END,
                'published', pg_catalog.to_char(d.published AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'updated', pg_catalog.to_char(d.modified AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'analysis', CASE
                    WHEN x.id IS NOT NULL THEN pg_catalog.jsonb_build_object(
                        'state', CASE x.kind
                            WHEN 'accepted_risk' THEN 'exploitable'
                            WHEN 'fixed' THEN 'resolved'
                            ELSE x.kind::text
                        END,
                        'justification', CASE x.justification
                            WHEN 'component_not_present' THEN 'code_not_present'
                            WHEN 'vulnerable_code_not_present' THEN 'code_not_present'
                            WHEN 'vulnerable_code_not_in_execute_path' THEN 'code_not_reachable'
                            WHEN 'vulnerable_code_cannot_be_controlled_by_adversary' THEN 'requires_environment'
                            WHEN 'inline_mitigations_already_exist' THEN 'protected_by_mitigating_control'
                        END,
                        'response', CASE
                            WHEN x.kind = 'accepted_risk' THEN pg_catalog.jsonb_build_array('will_not_fix')
                        END,
                        'detail', x.reason
                    )
                END,
                'affects', e.affects,
                'properties', pg_catalog.jsonb_build_array(
                    pg_catalog.jsonb_build_object('name', 'clair:status', 'value', e.status))
            ))
            ORDER BY e.severity DESC, e.vulnerability, e.updater, e.exception
        ),
        '[]'
    )
    FROM entry AS e
        LEFT JOIN clair.exception AS x ON x.id = e.exception
        LEFT JOIN clair.cve_detail AS d ON d.cve = e.vulnerability;
END;
COMMENT ON FUNCTION clair.sbom_vulnerabilities(bigint) IS
    'the vulnerabilities of an image as CycloneDX has them, with how they are rated and what exceptions say of them';
REVOKE ALL ON FUNCTION clair.sbom_vulnerabilities(bigint) FROM PUBLIC;

-- Put together as json, which is text, and made jsonb once: that costs a third of jsonb all the way.
CREATE FUNCTION clair.sbom_cyclonedx(image bigint, vulnerabilities boolean)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH subject AS MATERIALIZED (
        SELECT s.*, COALESCE(s.purl, s.digest) AS reference
        FROM clair.sbom_subject AS s
        WHERE s.image_id = sbom_cyclonedx.image
    ),
    part (number, reference, component) AS (
        SELECT 0::bigint, 'operating-system', pg_catalog.json_build_object(
            'type', 'operating-system',
            'bom-ref', 'operating-system',
            'name', s.distribution,
            'version', s.release
        )
        FROM subject AS s
        WHERE s.distribution IS NOT NULL
        UNION ALL
        SELECT c.number, c.reference, pg_catalog.json_build_object(
            'type', 'library',
            'bom-ref', c.reference,
            'name', c.name,
            'version', c.version,
            'purl', c.purl,
            'supplier', CASE WHEN c.vendor IS NOT NULL THEN pg_catalog.json_build_object('name', c.vendor) END,
            'licenses', CASE WHEN c.license IS NOT NULL
                THEN pg_catalog.json_build_array(pg_catalog.json_build_object(
                    'license', pg_catalog.json_build_object('name', c.license))) END,
            'evidence', pg_catalog.json_build_object('occurrences',
                pg_catalog.json_build_array(pg_catalog.json_build_object(
                    -- The file, without who read it.
                    'location', pg_catalog.regexp_replace(c.database_path, '^detector:[^:]*:', '')))),
            'properties', CASE WHEN c.introduced_by IS NOT NULL
                THEN pg_catalog.json_build_array(pg_catalog.json_build_object(
                    'name', 'clair:layer', 'value', c.introduced_by)) END
        )
        FROM clair.sbom_component AS c
        WHERE c.image_id = sbom_cyclonedx.image
    ),
    layer AS (
        SELECT pg_catalog.json_agg(
            pg_catalog.json_build_object(
                'type', 'file',
                'bom-ref', 'layer-' || l.position,
                'name', l.layer,
                'description', l.command,
                'hashes', CASE WHEN l.layer LIKE 'sha256:%' THEN pg_catalog.json_build_array(
                    pg_catalog.json_build_object('alg', 'SHA-256', 'content', pg_catalog.substr(l.layer, 8))) END
            )
            ORDER BY l.position
        ) AS components
        FROM clair.image_layer AS l
        WHERE l.image_id = sbom_cyclonedx.image
    ),
    property AS (
        SELECT pg_catalog.json_agg(
            pg_catalog.json_build_object('name', 'clair:' || p.name, 'value', p.value)
            ORDER BY p.name, p.value
        ) AS properties
        FROM (
            SELECT 'platform' AS name, s.platform AS value
            FROM subject AS s
            UNION ALL
            SELECT 'status', s.status
            FROM subject AS s
            UNION ALL
            SELECT 'name', n.name
            FROM clair.image_name AS n
            WHERE n.image_id = sbom_cyclonedx.image
            UNION ALL
            SELECT 'manifest', m.digest
            FROM clair.manifest AS m
            WHERE m.image_id = sbom_cyclonedx.image
            UNION ALL
            SELECT 'repository', r.repository
            FROM clair.image_repository AS r
            WHERE r.image_id = sbom_cyclonedx.image
            UNION ALL
            SELECT 'coverage', pg_catalog.concat_ws(': ', c.updater, c.state)
            FROM clair.image_coverage AS c
            WHERE c.image_id = sbom_cyclonedx.image AND sbom_cyclonedx.vulnerabilities
        ) AS p
    ),
    content AS MATERIALIZED (
        SELECT
            COALESCE(pg_catalog.json_agg(p.component ORDER BY p.number), '[]') AS components,
            COALESCE(pg_catalog.json_agg(p.reference ORDER BY p.number), '[]') AS parts,
            CASE WHEN sbom_cyclonedx.vulnerabilities THEN clair.sbom_vulnerabilities(sbom_cyclonedx.image) END
                AS vulnerabilities
        FROM part AS p
    )
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.json_build_object(
        '$schema', 'http://cyclonedx.org/schema/bom-1.6.schema.json',
        'bomFormat', 'CycloneDX',
        'specVersion', '1.6',
        'serialNumber', 'urn:uuid:' || pg_catalog.substr(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
            pg_catalog.concat_ws(' ', s.digest, c.components, layer.components, property.properties,
                c.vulnerabilities), 'UTF8')), 'hex'), 1, 32)::uuid,
        'version', 1,
        'metadata', pg_catalog.json_build_object(
            -- Without vulnerabilities, the document says what it said when the image was read.
            'timestamp', pg_catalog.to_char(
                CASE WHEN sbom_cyclonedx.vulnerabilities THEN pg_catalog.now() ELSE s.read_at END AT TIME ZONE 'UTC',
                'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'tools', pg_catalog.json_build_object('components', pg_catalog.json_build_array(
                pg_catalog.json_build_object('type', 'application', 'name', 'clair', 'version', s.clair_version))),
            'component', pg_catalog.json_build_object(
                'type', 'container',
                'bom-ref', s.reference,
                'name', s.name,
                'version', s.digest,
                'purl', s.purl,
                'components', layer.components,
                'properties', property.properties
            )
        ),
        'components', c.components,
        'dependencies', pg_catalog.json_build_array(
            pg_catalog.json_build_object('ref', s.reference, 'dependsOn', c.parts)),
        'vulnerabilities', c.vulnerabilities
    )::jsonb)
    FROM subject AS s, content AS c, layer, property;
END;
COMMENT ON FUNCTION clair.sbom_cyclonedx(bigint, boolean) IS
    'a CycloneDX 1.6 document of an image, with its vulnerabilities or without: see clair.export_sbom()';
REVOKE ALL ON FUNCTION clair.sbom_cyclonedx(bigint, boolean) FROM PUBLIC;
