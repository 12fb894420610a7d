/*
 * What layers tell of an image beside its features: what is gone from it, and what it builds on.
 */
CREATE VIEW clair.removed_feature AS
SELECT
    d.image_id,
    d.path AS database_path,
    base.namespace,
    f.name,
    COALESCE(clair.bare(f.version), f.invalid_version) AS version,
    f.source_name,
    COALESCE(clair.bare(f.source_version), f.invalid_version) AS source_version,
    f.architecture,
    last.layer AS last_in,
    remover.layer AS removed_by,
    remover.command
FROM clair.image_database AS d
    JOIN clair.feature AS f ON f.database_id = d.database_id
    LEFT JOIN clair.package_database AS base ON base.id = d.database_id
    JOIN clair.image_layer AS last ON last.image_id = d.image_id AND last.position = d.position
    JOIN clair.image_layer AS remover
        ON remover.image_id = d.image_id AND remover.position = d.until_position
WHERE NOT EXISTS (
    SELECT
    FROM clair.image_database AS later
        JOIN clair.feature AS same
            ON same.database_id = later.database_id
            AND same.name = f.name
            AND same.architecture IS NOT DISTINCT FROM f.architecture
            -- in words that pg_upgrade can repeat: it has no search_path
            AND COALESCE(same.version = f.version, same.version IS NULL AND f.version IS NULL)
            AND same.invalid_version IS NOT DISTINCT FROM f.invalid_version
    WHERE later.image_id = d.image_id AND later.location = d.location AND later.position > d.position
);
COMMENT ON VIEW clair.removed_feature IS
    'features, each in one version, that lower layers of an image had and the image has no more: their files still lie in the layers; last_in is the layer whose package database had the feature last, removed_by the one that replaced or removed that';

CREATE VIEW clair.base_image AS
SELECT
    own.image_id,
    base.image_id AS base_image_id,
    pg_catalog.count(*) AS layers
FROM clair.image_layer AS own
    JOIN clair.image_layer AS base
        ON base.layer = own.layer AND base.position = own.position AND base.image_id <> own.image_id
GROUP BY own.image_id, base.image_id
HAVING pg_catalog.count(*) = (
        SELECT pg_catalog.count(*) FROM clair.image_layer AS all_of WHERE all_of.image_id = base.image_id
    )
    AND pg_catalog.count(*) < (
        SELECT pg_catalog.count(*) FROM clair.image_layer AS all_of WHERE all_of.image_id = own.image_id
    );
COMMENT ON VIEW clair.base_image IS
    'images that others build on: all layers of the base image are the lowest ones of the image; layers is how many';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.removed_feature SET (security_invoker = true);
        ALTER VIEW clair.base_image SET (security_invoker = true);
    END IF;
END
$$;
