/*
 * Indexing images, and what an image consists of.
 */
CREATE TYPE clair.indexed_image AS (
    image bigint,
    name text,
    digest text,
    platform text,
    namespace text,
    status text,
    layers integer,
    layers_read integer,
    databases integer,
    features bigint
);
COMMENT ON TYPE clair.indexed_image IS
    'what clair.index_image() says of an image: layers_read is how many had to be inflated, databases and features what is visible at its top';

CREATE FUNCTION clair.index_image(path text, name text DEFAULT NULL, platform text DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_image_path';
COMMENT ON FUNCTION clair.index_image(text, text, text) IS
    'reads an image from a file or directory of the server (docker save, OCI layout, appc image, or one layer) and stores its features';
REVOKE ALL ON FUNCTION clair.index_image(text, text, text) FROM PUBLIC;

CREATE FUNCTION clair.index_image(content bytea, name text DEFAULT NULL, platform text DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_image_content';
COMMENT ON FUNCTION clair.index_image(bytea, text, text) IS
    'reads an image from the bytes of its archive and stores its features';
REVOKE ALL ON FUNCTION clair.index_image(bytea, text, text) FROM PUBLIC;

CREATE FUNCTION clair.image_id(image text)
RETURNS bigint
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id bigint;
BEGIN
    IF image ~ '^[0-9]{1,18}$' THEN
        SELECT i.id INTO found_id FROM clair.image AS i WHERE i.id = image::bigint;
    ELSIF image ~ '^(sbom:)?sha(256|512):' THEN
        SELECT i.id INTO found_id FROM clair.image AS i WHERE i.digest = image;
        IF found_id IS NULL THEN
            SELECT m.image_id INTO found_id FROM clair.manifest AS m WHERE m.digest = image;
        END IF;
    ELSE
        SELECT n.image_id INTO found_id FROM clair.image_name AS n WHERE n.name = image;
    END IF;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'image "%" does not exist', image
            USING ERRCODE = 'undefined_object',
                HINT = 'An image is its number, its digest or its name; see clair.image_name. clair.index_image() adds images.';
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION clair.image_id(text) IS
    'the image that a text means: all digits its number, sha256:, sha512: or sbom:sha256: its digest or a manifest''s, else its name; an error when there is none';
REVOKE ALL ON FUNCTION clair.image_id(text) FROM PUBLIC;

CREATE VIEW clair.feature_introduction AS
SELECT
    surviving.image_id,
    surviving.path,
    f.name,
    f.number,
    -- The oldest layer since which every database at this location has had the feature.
    COALESCE(
        pg_catalog.max(state.next_position)
            FILTER (WHERE former.had IS NULL OR state.until_position <> state.next_position),
        pg_catalog.min(state.position)
    ) AS position
FROM clair.image_database AS surviving
    JOIN clair.feature AS f ON f.database_id = surviving.database_id
    JOIN (
        SELECT
            image_id, location, position, until_position, database_id,
            pg_catalog.lead(position) OVER (PARTITION BY image_id, location ORDER BY position)
                AS next_position
        FROM clair.image_database
    ) AS state ON state.image_id = surviving.image_id AND state.location = surviving.location
    -- One look by the primary key each: joined as a table, each feature is compared with all of them.
    LEFT JOIN LATERAL (
        SELECT true AS had
        FROM clair.feature AS former
        WHERE former.database_id = state.database_id
            AND former.name = f.name
            AND former.architecture IS NOT DISTINCT FROM f.architecture
            -- in words that pg_upgrade can repeat: it has no search_path
            AND COALESCE(former.version = f.version, former.version IS NULL AND f.version IS NULL)
            AND former.invalid_version IS NOT DISTINCT FROM f.invalid_version
        LIMIT 1
    ) AS former ON true
WHERE surviving.until_position IS NULL
GROUP BY surviving.image_id, surviving.path, f.name, f.number;
COMMENT ON VIEW clair.feature_introduction IS
    'which layer introduced each feature of an image: the oldest since which, without a break, the package database at this location has had it';

CREATE VIEW clair.image_feature AS
SELECT
    d.image_id,
    d.path AS database_path,
    base.namespace,
    f.name,
    COALESCE(clair.bare(f.version), f.invalid_version) AS version,
    f.source_name,
    COALESCE(clair.bare(f.source_version), f.invalid_version) AS source_version,
    f.architecture,
    f.version AS version_key,
    f.source_version AS source_version_key,
    f.problem,
    layer.layer AS introduced_by,
    layer.command,
    f.module,
    f.vendor,
    f.flavour,
    f.license
FROM clair.image_database AS d
    JOIN clair.feature AS f ON f.database_id = d.database_id
    LEFT JOIN clair.package_database AS base ON base.id = d.database_id
    LEFT JOIN clair.feature_introduction AS introduction
        ON introduction.image_id = d.image_id
        AND introduction.path = d.path
        AND introduction.name = f.name
        AND introduction.number = f.number
    LEFT JOIN clair.image_layer AS layer
        ON layer.image_id = d.image_id AND layer.position = introduction.position
WHERE d.until_position IS NULL;
COMMENT ON VIEW clair.image_feature IS
    'the features of all images; which layer introduced each is looked up only when asked for';

CREATE FUNCTION clair.features(image text)
RETURNS TABLE (namespace text, name text, version text, source_name text, source_version text,
    architecture text, introduced_by text, command text, module text, vendor text, license text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.namespace, f.name, f.version, f.source_name, f.source_version, f.architecture,
        f.introduced_by, f.command, f.module, f.vendor, f.license
    FROM clair.image_feature AS f
    -- As a sub-select, for a planner that estimates calls the function too early: with a snapshot
    -- that does not have an image indexed by the same function.
    WHERE f.image_id = (SELECT clair.image_id(features.image))
    ORDER BY f.name, f.architecture, f.version_key;
END;
COMMENT ON FUNCTION clair.features(text) IS
    'the features of an image, with the layer that brought each and that layer''s command; module and vendor as rpm knows them, license as rpm and apk do';
REVOKE ALL ON FUNCTION clair.features(text) FROM PUBLIC;

CREATE FUNCTION clair.set_namespace(image text, namespace text)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.set_namespace(text, text) IS
    'gives an image and its packages a namespace, whatever the image says itself, now and when it is indexed anew; null: what it says itself; returns the namespace that it has now';
REVOKE ALL ON FUNCTION clair.set_namespace(text, text) FROM PUBLIC;

-- Locks the images whose status changes, and looks at the namespaces of all.
CREATE FUNCTION clair.refresh_image_status()
RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE clair.image SET status = 'unsupported_namespace'
    WHERE status IN ('ok', 'partial')
        AND namespace IN (
            SELECT n.namespace
            FROM (SELECT DISTINCT i.namespace FROM clair.image AS i) AS n
            WHERE NOT EXISTS (
                SELECT
                FROM clair.updater_definition AS u
                    CROSS JOIN LATERAL pg_catalog.unnest(u.namespaces) AS covered(pattern)
                WHERE clair.advisory_namespace(n.namespace) LIKE covered.pattern
            )
        );
    UPDATE clair.image
    SET status = CASE
            WHEN id IN (SELECT p.image_id FROM clair.image_problem AS p) THEN 'partial'
            ELSE 'ok'
        END
    WHERE status = 'unsupported_namespace'
        AND namespace IN (
            SELECT n.namespace
            FROM (SELECT DISTINCT i.namespace FROM clair.image AS i) AS n
            WHERE EXISTS (
                SELECT
                FROM clair.updater_definition AS u
                    CROSS JOIN LATERAL pg_catalog.unnest(u.namespaces) AS covered(pattern)
                WHERE clair.advisory_namespace(n.namespace) LIKE covered.pattern
            )
        );
END;
COMMENT ON FUNCTION clair.refresh_image_status() IS
    'works out anew whether some updater covers the namespaces of images: called when updaters change';
REVOKE ALL ON FUNCTION clair.refresh_image_status() FROM PUBLIC;

CREATE FUNCTION clair.delete_image(image text)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.delete_image(text) IS
    'deletes an image with its names and manifests and the layers indexed upon it, and returns its number; what it shared with others goes with clair.collect_garbage()';
REVOKE ALL ON FUNCTION clair.delete_image(text) FROM PUBLIC;

CREATE FUNCTION clair.collect_garbage()
RETURNS TABLE (images bigint, layers bigint, databases bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.collect_garbage() IS
    'deletes images that no name points to and no layer lies upon, and layers and package databases that no image needs; returns how many';
REVOKE ALL ON FUNCTION clair.collect_garbage() FROM PUBLIC;
