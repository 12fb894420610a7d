/*
 * The API of Clair 4: what it says of manifests.
 *
 * A manifest is an image whose name is "manifest:" and the digest; any other image is known by the
 * digest of a manifest that points to it, or its own.
 */
CREATE FUNCTION clair.v4_image(digest text)
RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF digest ~ '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' THEN
        RETURN COALESCE(
            (SELECT n.image_id FROM clair.image_name AS n WHERE n.name = 'manifest:' || digest),
            clair.image_id(digest));
    END IF;
    RAISE EXCEPTION 'invalid digest: "%"', digest
        USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It is sha256: or sha512: and hexadecimal digits, in lower case.';
END
$$;
COMMENT ON FUNCTION clair.v4_image(text) IS
    'the image that a manifest''s digest means: that which was posted with it, else as clair.image_id() finds it; an error when there is none';
REVOKE ALL ON FUNCTION clair.v4_image(text) FROM PUBLIC;

CREATE FUNCTION clair.v4_manifest(image_id bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        (
            SELECT pg_catalog.substr(pg_catalog.min(n.name), 10)
            FROM clair.image_name AS n
            WHERE n.image_id = v4_manifest.image_id AND n.name LIKE 'manifest:sha%'
        ),
        (SELECT pg_catalog.min(m.digest) FROM clair.manifest AS m WHERE m.image_id = v4_manifest.image_id),
        (SELECT i.digest FROM clair.image AS i WHERE i.id = v4_manifest.image_id)
    );
END;
COMMENT ON FUNCTION clair.v4_manifest(bigint) IS 'the digest by which an image is known as a manifest';
REVOKE ALL ON FUNCTION clair.v4_manifest(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_severity(severity clair.severity)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE severity WHEN 'Defcon1' THEN 'Critical' ELSE severity::text END;
COMMENT ON FUNCTION clair.v4_severity(clair.severity) IS 'a severity as normalized_severity has it';
REVOKE ALL ON FUNCTION clair.v4_severity(clair.severity) FROM PUBLIC;

CREATE FUNCTION clair.v4_distribution(namespace text)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.json_build_object(
        'id', namespace,
        'did', said.family,
        'name', COALESCE(d.title, said.family),
        'version', said.release || COALESCE(' (' || r.codename || ')', ''),
        'version_code_name', COALESCE(r.codename, ''),
        'version_id', said.release,
        'arch', '',
        'cpe', '',
        'pretty_name', COALESCE(d.title, said.family) || ' ' || said.release)
    FROM (
            SELECT pg_catalog.split_part(namespace, ':', 1) AS family,
                pg_catalog.regexp_replace(pg_catalog.split_part(namespace, ':', 2), '^v(?=\d)', '') AS release
        ) AS said
        LEFT JOIN clair.distribution AS d ON d.family = said.family
        LEFT JOIN clair.release AS r
            ON r.family = said.family AND r.release = pg_catalog.split_part(namespace, ':', 2);
END;
COMMENT ON FUNCTION clair.v4_distribution(text) IS 'a namespace as a distribution, whose id it is';
REVOKE ALL ON FUNCTION clair.v4_distribution(text) FROM PUBLIC;

CREATE FUNCTION clair.v4_distributions(image_id bigint)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        pg_catalog.json_object_agg(n.namespace, clair.v4_distribution(n.namespace) ORDER BY n.namespace), '{}')
    FROM (
        SELECT DISTINCT base.namespace
        FROM clair.image_database AS d
            JOIN clair.package_database AS base ON base.id = d.database_id
        WHERE d.image_id = v4_distributions.image_id AND d.until_position IS NULL
    ) AS n;
END;
COMMENT ON FUNCTION clair.v4_distributions(bigint) IS 'the distributions that the packages of an image are of, by id';
REVOKE ALL ON FUNCTION clair.v4_distributions(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_repositories(image_id bigint)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        pg_catalog.json_object_agg(r.repository, pg_catalog.json_build_object('id', r.repository,
            'name', r.repository, 'key', '', 'uri', '', 'cpe', COALESCE(r.cpes[1], '')) ORDER BY r.repository),
        '{}')
    FROM clair.image_repository AS r
    WHERE r.image_id = v4_repositories.image_id;
END;
COMMENT ON FUNCTION clair.v4_repositories(bigint) IS
    'the repositories that the packages of an image are from, by id, each with the first of its CPEs';
REVOKE ALL ON FUNCTION clair.v4_repositories(bigint) FROM PUBLIC;

-- Not SQL: what the planner thinks of its size decides whether it is joined row by row.
CREATE FUNCTION clair.v4_package(image_id bigint)
RETURNS TABLE (id text, database_path text, feature text, installed_version text, architecture text,
    namespace text, advised text, kind text, document json, environment json)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    repositories json := COALESCE(
        (
            SELECT json_agg(r.repository ORDER BY r.repository)
            FROM clair.image_repository AS r
            WHERE r.image_id = v4_package.image_id
        ),
        '[]');
BEGIN
    RETURN QUERY
    SELECT f.id, f.path::text, f.name::text, f.version, COALESCE(f.architecture, ''), f.namespace::text,
        (CASE WHEN f.format = 'rpm' THEN f.name ELSE f.source_name END)::text,
        CASE WHEN f.format = 'rpm' THEN 'binary' ELSE 'source' END,
        json_strip_nulls(json_build_object(
            'id', f.id,
            'name', f.name,
            'version', f.version,
            'kind', 'binary',
            'source', json_build_object('id', '', 'name', f.source_name, 'version', f.source_version,
                'kind', 'source'),
            'module', f.module,
            'arch', f.architecture)),
        json_build_object(
            'package_db', f.path,
            'introduced_in', COALESCE(l.stored_digest, l.layer),
            'distribution_id', f.namespace,
            'repository_ids', repositories)
    FROM (
            SELECT d.path, base.namespace, f.name, f.source_name, f.architecture, f.module, introduction.position,
                COALESCE(clair.bare(f.version), f.invalid_version) AS version,
                COALESCE(clair.bare(f.source_version), f.invalid_version) AS source_version,
                COALESCE(clair.format(f.version), clair.namespace_format(base.namespace)) AS format,
                (row_number() OVER (ORDER BY f.name, f.architecture, d.path, f.number))::text AS id
            FROM clair.image_database AS d
                JOIN clair.package_database AS base ON base.id = d.database_id
                JOIN clair.feature AS f ON f.database_id = d.database_id
                LEFT JOIN clair.feature_introduction AS introduction
                    ON introduction.image_id = d.image_id
                    AND introduction.path = d.path
                    AND introduction.name = f.name
                    AND introduction.number = f.number
            WHERE d.image_id = v4_package.image_id AND d.until_position IS NULL
        ) AS f
        LEFT JOIN clair.image_layer AS l
            ON l.image_id = v4_package.image_id AND l.position = f.position;
END
$$;
COMMENT ON FUNCTION clair.v4_package(bigint) IS
    'the packages of an image as the API of Clair 4 has them, numbered, with their environments; advised: the name by which advisories know it, as kind says, of its source or its own';
REVOKE ALL ON FUNCTION clair.v4_package(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_get_index_report(digest text)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    image bigint := clair.v4_image(digest);
BEGIN
    RETURN (
        WITH package AS MATERIALIZED (
            SELECT * FROM clair.v4_package(image)
        )
        SELECT json_build_object(
            'manifest_hash', digest,
            'state', 'IndexFinished',
            'packages', COALESCE((SELECT json_object_agg(p.id, p.document ORDER BY p.id::bigint) FROM package AS p), '{}'),
            'distributions', clair.v4_distributions(image),
            'repository', clair.v4_repositories(image),
            'environments', COALESCE(
                (SELECT json_object_agg(p.id, json_build_array(p.environment) ORDER BY p.id::bigint) FROM package AS p),
                '{}'),
            'success', true,
            -- Not everything need have been read.
            'err', (SELECT CASE i.status WHEN 'ok' THEN '' ELSE i.status END FROM clair.image AS i WHERE i.id = image))
    );
END
$$;
COMMENT ON FUNCTION clair.v4_get_index_report(text) IS
    'GET /indexer/api/v1/index_report/:digest: what is in a manifest; err is the image''s status, when it is not ok';
REVOKE ALL ON FUNCTION clair.v4_get_index_report(text) FROM PUBLIC;

/*
 * Vulnerabilities are numbered: one for each that an updater states, package and fix. What is said of
 * packages is looked up once, however many findings there are.
 */
CREATE FUNCTION clair.v4_get_vulnerability_report(digest text)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    image bigint := clair.v4_image(digest);
BEGIN
    RETURN (
        WITH package AS MATERIALIZED (
            SELECT * FROM clair.v4_package(image)
        ),
        finding AS MATERIALIZED (
            SELECT p.id AS package_id, p.kind, p.advised, v.namespace, v.vulnerability, v.vulnerability_id,
                v.severity, v.fixed_in, v.updater, v.link, v.exception,
                dense_rank() OVER (ORDER BY v.vulnerability, v.updater, v.vulnerability_id, v.namespace,
                    p.advised COLLATE "C", v.fixed_in COLLATE "C", v.severity)::text AS id
            FROM clair.image_vulnerability AS v
                JOIN package AS p
                    ON p.database_path = v.database_path
                    AND p.feature = v.feature
                    AND p.installed_version = v.installed_version
                    AND p.architecture = COALESCE(v.architecture, '')
            WHERE v.image_id = image
        ),
        vulnerability AS MATERIALIZED (
            SELECT DISTINCT ON (f.id) f.*
            FROM finding AS f
            ORDER BY f.id
        ),
        -- By the names that the enrichers of Clair have, and two of our own.
        enrichment AS (
            SELECT 'clair.cvss schema=https://csrc.nist.gov/schema/nvd/feed/1.1/cvss-v3.x.json' AS enricher, v.id,
                json_build_array(json_strip_nulls(json_build_object('version', d.cvss_version,
                    'vectorString', d.vector, 'baseScore', d.score,
                    'baseSeverity', CASE d.score WHEN 0 THEN 'NONE' ELSE upper(d.severity::text) END))) AS data
            FROM vulnerability AS v
                JOIN clair.cve_detail AS d ON d.cve = v.vulnerability AND d.cvss_version LIKE '3.%'
            UNION ALL
            SELECT 'clair.epss schema=none', v.id,
                json_build_array(json_build_object(
                    'modelVersion', COALESCE((SELECT min(x.model) FROM clair.epss_edition AS x), ''),
                    'date', COALESCE(
                        (SELECT to_char(min(x.score_date), 'YYYY-MM-DD') FROM clair.epss_edition AS x), ''),
                    'cve', e.cve, 'epss', e.score, 'percentile', COALESCE(e.percentile, 0)))
            FROM vulnerability AS v
                JOIN clair.epss AS e ON e.cve = v.vulnerability
            UNION ALL
            SELECT 'clair.kev schema=https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json',
                v.id,
                json_build_array(json_build_object('cve', k.cve, 'vulnerability_name', COALESCE(k.name, ''),
                    'catalog_version', '', 'date_added', k.date_added, 'short_description', '',
                    'required_action', COALESCE(k.required_action, ''),
                    'due_date', COALESCE(k.due_date::text, ''),
                    'known_ransomware_campaign_use', CASE WHEN k.ransomware THEN 'Known' ELSE 'Unknown' END))
            FROM vulnerability AS v
                JOIN clair.kev AS k ON k.cve = v.vulnerability
            UNION ALL
            SELECT 'clair.exception schema=none', f.id,
                json_agg(json_build_object('package', f.package_id, 'kind', e.kind, 'reason', e.reason)
                    ORDER BY f.package_id::bigint)
            FROM finding AS f
                JOIN clair.exception AS e ON e.id = f.exception
            GROUP BY f.id
        ),
        enriched AS (
            SELECT 'message/vnd.clair.map.vulnerability; enricher=' || e.enricher AS type,
                json_build_array(json_object_agg(e.id, e.data ORDER BY e.id::bigint)) AS data
            FROM enrichment AS e
            GROUP BY e.enricher
            UNION ALL
            SELECT 'message/vnd.clair.coverage',
                json_agg(json_build_object('updater', c.updater, 'state', c.state) ORDER BY c.updater, c.state)
            FROM clair.image_coverage AS c
            WHERE c.image_id = image AND c.state <> 'current'
            HAVING count(*) > 0
        )
        SELECT json_build_object(
            'manifest_hash', digest,
            'packages', COALESCE((SELECT json_object_agg(p.id, p.document ORDER BY p.id::bigint) FROM package AS p), '{}'),
            'vulnerabilities', COALESCE(
                (
                    SELECT json_object_agg(v.id, json_build_object(
                        'id', v.id,
                        'updater', v.updater,
                        'name', v.vulnerability,
                        'description', t.description,
                        'issued', to_char(COALESCE(t.published, '0001-01-01 00:00:00+00') AT TIME ZONE 'UTC',
                            'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        'links', COALESCE(v.link, ''),
                        'severity', v.severity,
                        'normalized_severity', clair.v4_severity(v.severity),
                        'package', json_build_object('id', '', 'name', v.advised, 'version', '', 'kind', v.kind),
                        'distribution', d.document,
                        'fixed_in_version', COALESCE(v.fixed_in, ''))
                        ORDER BY v.id::bigint)
                    FROM vulnerability AS v
                        -- By keys: joined as a table, each is compared with all of them.
                        CROSS JOIN LATERAL (
                            SELECT COALESCE(said.description, d.description, '') AS description, d.published
                            FROM clair.vulnerability AS said
                                LEFT JOIN clair.cve_detail AS d ON d.cve = said.name
                            WHERE said.id = v.vulnerability_id
                            OFFSET 0
                        ) AS t
                        LEFT JOIN (
                            SELECT n.namespace, clair.v4_distribution(n.namespace) AS document
                            FROM (SELECT DISTINCT p.namespace FROM package AS p) AS n
                        ) AS d ON d.namespace = v.namespace
                ),
                '{}'),
            'environments', COALESCE(
                (SELECT json_object_agg(p.id, json_build_array(p.environment) ORDER BY p.id::bigint) FROM package AS p),
                '{}'),
            'package_vulnerabilities', COALESCE(
                (
                    SELECT json_object_agg(f.package_id, f.ids ORDER BY f.package_id::bigint)
                    FROM (
                        SELECT f.package_id, json_agg(f.id ORDER BY f.severity DESC, f.id::bigint) AS ids
                        FROM finding AS f
                        GROUP BY f.package_id
                    ) AS f
                ),
                '{}'),
            'distributions', clair.v4_distributions(image),
            'repository', clair.v4_repositories(image),
            'enrichments', COALESCE((SELECT json_object_agg(e.type, e.data ORDER BY e.type) FROM enriched AS e), '{}'))
    );
END
$$;
COMMENT ON FUNCTION clair.v4_get_vulnerability_report(text) IS
    'GET /matcher/api/v1/vulnerability_report/:digest: the vulnerabilities of a manifest, as of now; enrichments also have exceptions, and what keeps the report from being complete';
REVOKE ALL ON FUNCTION clair.v4_get_vulnerability_report(text) FROM PUBLIC;
