/*
 * The API of Clair 2: layers.
 *
 * A layer of that API is an image as clair.index_layer() makes it, and its name the image's. Features
 * are what advisories name: of dpkg and apk the source packages, of rpm the installed ones, so that
 * a client can say of a feature that it sees which version fixes it.
 */
CREATE FUNCTION clair.v1_name(name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN name ~ '^([0-9]+$|sha256:|sha512:|sbom:)' THEN 'layer:' || name ELSE name END;
END;
COMMENT ON FUNCTION clair.v1_name(text) IS
    'the name of the image that stands for a layer: the same, or, when it would be taken for a number or a digest, with "layer:" before it';
REVOKE ALL ON FUNCTION clair.v1_name(text) FROM PUBLIC;

CREATE FUNCTION clair.v1_layer_name(image_id bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        (
            SELECT pg_catalog.regexp_replace(pg_catalog.min(n.name), '^layer:(?=[0-9]+$|sha256:|sha512:|sbom:)', '')
            FROM clair.image_name AS n
            WHERE n.image_id = v1_layer_name.image_id
        ),
        (SELECT i.digest FROM clair.image AS i WHERE i.id = v1_layer_name.image_id)
    );
END;
COMMENT ON FUNCTION clair.v1_layer_name(bigint) IS
    'the layer that an image stands for: the first of its names, its digest when it has none';
REVOKE ALL ON FUNCTION clair.v1_layer_name(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v1_image(name text)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        (SELECT n.image_id FROM clair.image_name AS n WHERE n.name = clair.v1_name(v1_image.name)),
        clair.image_id(v1_image.name)
    );
END;
COMMENT ON FUNCTION clair.v1_image(text) IS
    'the image that stands for a layer: by its name, else as clair.image_id() finds it; an error when there is none';
REVOKE ALL ON FUNCTION clair.v1_image(text) FROM PUBLIC;

CREATE FUNCTION clair.v1_metadata(vulnerability text)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.json_object_agg(metric.key,
        pg_catalog.json_build_object('Vectors', metric.vector, 'Score', metric.score) ORDER BY metric.key)
    FROM (
        SELECT DISTINCT ON (said.key) said.key, m.vector, m.score
        FROM clair.cve_metric AS m
            CROSS JOIN LATERAL (SELECT 'CVSSv' || pg_catalog.left(m.version, 1) AS key) AS said
        WHERE m.cve = v1_metadata.vulnerability AND m.updater = 'nvd'
        ORDER BY said.key, m.type = 'Primary' DESC, m.version DESC, m.number
    ) AS metric
    HAVING pg_catalog.count(*) > 0;
END;
COMMENT ON FUNCTION clair.v1_metadata(text) IS
    'what NVD says of a CVE, as Metadata.NVD has it: CVSSv2, CVSSv3, CVSSv4, each with Vectors and Score; null when it says nothing';
REVOKE ALL ON FUNCTION clair.v1_metadata(text) FROM PUBLIC;

CREATE FUNCTION clair.v1_post_layer(envelope jsonb)
RETURNS json
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    layer jsonb := envelope -> 'Layer';
    own_name text := clair.v1_name(layer ->> 'Name');
    parent_name text := NULLIF(layer ->> 'ParentName', '');
    parent bigint := (SELECT n.image_id FROM clair.image_name AS n WHERE n.name = clair.v1_name(parent_name));
    indexed clair.indexed_image;
BEGIN
    IF jsonb_typeof(layer) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'failed to provide layer' USING ERRCODE = 'invalid_parameter_value';
    ELSIF COALESCE(layer ->> 'Name', '') = '' OR COALESCE(layer ->> 'Path', '') = '' THEN
        RAISE EXCEPTION 'a layer must have a name and a path' USING ERRCODE = 'invalid_parameter_value';
    ELSIF parent_name IS NOT NULL AND parent IS NULL THEN
        RAISE EXCEPTION 'parent layer "%" does not exist', parent_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Layers are posted from the base up.';
    END IF;
    -- What is known is not read again, unless newer readers would say something else of it.
    IF NOT EXISTS (
        SELECT
        FROM clair.image_name AS n
        WHERE n.name = own_name
            AND NOT EXISTS (SELECT FROM clair.images_to_reindex AS r WHERE r.image_id = n.image_id)
    ) THEN
        SELECT * INTO indexed
        FROM clair.index_layer(own_name, layer ->> 'Path', parent::text, layer ->> 'Format',
            CASE WHEN jsonb_typeof(layer -> 'Headers') <> 'null' THEN NULLIF(layer -> 'Headers', '{}') END);
        IF indexed.status = 'unknown_namespace' AND indexed.features > 0 THEN
            RAISE EXCEPTION 'layer "%" is of an operating system that is not known', layer ->> 'Name'
                USING ERRCODE = 'feature_not_supported',
                    HINT = 'clair.index_layer() keeps it, and clair.set_namespace() can say what it is.';
        END IF;
    END IF;
    RETURN json_strip_nulls(json_build_object('Layer', json_build_object(
        'Name', layer ->> 'Name',
        'Path', layer ->> 'Path',
        'Headers', NULLIF(layer -> 'Headers', '{}'),
        'ParentName', parent_name,
        'Format', layer ->> 'Format',
        'IndexedByVersion', 3)));
END
$$;
COMMENT ON FUNCTION clair.v1_post_layer(jsonb) IS
    'POST /v1/layers: indexes a layer as clair.index_layer() does, unless one of its name is known; the layer as it was given';
REVOKE ALL ON FUNCTION clair.v1_post_layer(jsonb) FROM PUBLIC;

/*
 * Features of an image, each with the layer that added it: of an image that was indexed as a whole
 * the digest, since its layers have no names.
 */
CREATE FUNCTION clair.v1_features(image_id bigint, vulnerabilities boolean)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH RECURSIVE ancestor AS (
            SELECT i.id, i.parent_id,
                (SELECT count(*) FROM clair.image_layer AS l WHERE l.image_id = i.id) AS position
            FROM clair.image AS i
            WHERE i.id = v1_features.image_id
            UNION ALL
            SELECT i.id, i.parent_id, a.position - 1
            FROM ancestor AS a
                JOIN clair.image AS i ON i.id = a.parent_id
        ),
        package AS MATERIALIZED (
            SELECT d.path, f.name AS feature, COALESCE(clair.bare(f.version), f.invalid_version) AS installed,
                COALESCE(f.architecture, '') AS architecture, base.namespace, said.format,
                CASE WHEN said.format = 'rpm' THEN f.name ELSE f.source_name END AS name,
                CASE
                    WHEN said.format = 'rpm' THEN COALESCE(clair.bare(f.version), f.invalid_version)
                    ELSE COALESCE(clair.bare(f.source_version), f.invalid_version)
                END AS version,
                introduction.position
            FROM clair.image_database AS d
                JOIN clair.package_database AS base ON base.id = d.database_id
                JOIN clair.feature AS f ON f.database_id = d.database_id
                CROSS JOIN LATERAL (
                    SELECT COALESCE(clair.format(f.version), clair.namespace_format(base.namespace)) AS format
                ) AS said
                LEFT JOIN clair.feature_introduction AS introduction
                    ON introduction.image_id = d.image_id
                    AND introduction.path = d.path
                    AND introduction.name = f.name
                    AND introduction.number = f.number
            WHERE d.image_id = v1_features.image_id AND d.until_position IS NULL
        ),
        feature AS MATERIALIZED (
            SELECT p.namespace, p.name, p.version, min(p.format) AS format, min(p.position) AS position
            FROM package AS p
            GROUP BY p.namespace, p.name, p.version
        ),
        -- Of what several sources, or several packages of one source, say of a feature: the worst.
        finding AS MATERIALIZED (
            SELECT DISTINCT ON (p.namespace, p.name, p.version, v.vulnerability)
                p.namespace, p.name, p.version, v.vulnerability, v.vulnerability_id, v.severity, v.fixed_in,
                v.link, v.exception
            FROM clair.image_vulnerability AS v
                JOIN package AS p
                    ON p.path = v.database_path
                    AND p.feature = v.feature
                    AND p.installed = v.installed_version
                    AND p.architecture = COALESCE(v.architecture, '')
            WHERE v.image_id = v1_features.image_id AND vulnerabilities
            ORDER BY p.namespace, p.name, p.version, v.vulnerability, v.severity DESC,
                v.exception NULLS FIRST, v.fixed_in NULLS FIRST, v.updater
        ),
        said AS MATERIALIZED (
            SELECT f.namespace, f.name, f.version,
                json_agg(json_build_object(
                    'Name', f.vulnerability,
                    'NamespaceName', f.namespace,
                    'Description', NULLIF(t.description, ''),
                    'Link', f.link,
                    'Severity', f.severity,
                    'Metadata', CASE
                        WHEN t.nvd IS NOT NULL OR e.id IS NOT NULL THEN json_build_object(
                            'NVD', t.nvd,
                            'Exception', CASE
                                WHEN e.id IS NOT NULL
                                THEN json_build_object('Kind', e.kind, 'Reason', e.reason)
                            END)
                    END,
                    'FixedBy', f.fixed_in)
                    ORDER BY f.severity DESC, f.vulnerability COLLATE "C") AS vulnerabilities
            FROM finding AS f
                -- By keys: joined as a table, each finding is compared with all of them.
                CROSS JOIN LATERAL (
                    SELECT COALESCE(v.description, (SELECT d.description FROM clair.cve_detail AS d WHERE d.cve = v.name))
                            AS description,
                        clair.v1_metadata(f.vulnerability) AS nvd
                    FROM clair.vulnerability AS v
                    WHERE v.id = f.vulnerability_id
                    OFFSET 0
                ) AS t
                LEFT JOIN clair.exception AS e ON e.id = f.exception
            GROUP BY f.namespace, f.name, f.version
        )
        SELECT json_agg(json_build_object(
            'Name', f.name,
            'NamespaceName', f.namespace,
            'VersionFormat', f.format,
            'Version', f.version,
            'Vulnerabilities', s.vulnerabilities,
            'AddedBy', COALESCE(clair.v1_layer_name(a.id), l.layer))
            ORDER BY f.name COLLATE "C", f.version COLLATE "C", f.namespace COLLATE "C")
        FROM feature AS f
            LEFT JOIN said AS s
                ON s.namespace = f.namespace AND s.name = f.name AND s.version IS NOT DISTINCT FROM f.version
            LEFT JOIN ancestor AS a
                ON a.position = f.position AND (a.parent_id IS NOT NULL OR a.position = 1)
            LEFT JOIN clair.image_layer AS l
                ON l.image_id = v1_features.image_id AND l.position = f.position
    );
END
$$;
COMMENT ON FUNCTION clair.v1_features(bigint, boolean) IS
    'the features of an image as the API of Clair 2 has them, with their vulnerabilities or not';
REVOKE ALL ON FUNCTION clair.v1_features(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION clair.v1_get_layer(name text, features boolean DEFAULT false,
    vulnerabilities boolean DEFAULT false)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT json_strip_nulls(json_build_object('Layer', json_build_object(
            'Name', v1_get_layer.name,
            'NamespaceName', NULLIF(i.namespace, 'unknown'),
            'ParentName', clair.v1_layer_name(i.parent_id),
            'IndexedByVersion', 3,
            'Features', CASE
                WHEN features OR vulnerabilities THEN clair.v1_features(i.id, COALESCE(vulnerabilities, false))
            END,
            -- Not of Clair: no vulnerabilities is never said of what could not be read.
            'Coverage', CASE
                WHEN vulnerabilities THEN (
                    SELECT json_agg(json_build_object('Updater', c.updater, 'State', c.state)
                        ORDER BY c.updater COLLATE "C", c.state)
                    FROM clair.image_coverage AS c
                    WHERE c.image_id = i.id AND c.state <> 'current'
                )
            END)))
        FROM clair.image AS i
        WHERE i.id = clair.v1_image(v1_get_layer.name)
    );
END
$$;
COMMENT ON FUNCTION clair.v1_get_layer(text, boolean, boolean) IS
    'GET /v1/layers/:name: a layer; with its features, and their vulnerabilities, and what keeps these from being complete, as Coverage';
REVOKE ALL ON FUNCTION clair.v1_get_layer(text, boolean, boolean) FROM PUBLIC;

CREATE FUNCTION clair.v1_delete_layer(name text)
RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT clair.delete_image(clair.v1_image(v1_delete_layer.name)::text);
END;
COMMENT ON FUNCTION clair.v1_delete_layer(text) IS
    'DELETE /v1/layers/:name: deletes a layer and those upon it, as clair.delete_image() does';
REVOKE ALL ON FUNCTION clair.v1_delete_layer(text) FROM PUBLIC;
