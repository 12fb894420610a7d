/*
 * What a software bill of materials says of an image: its packages, its layers, the system.
 *
 * Both formats write down the same rows. All that clair knows of a package and finds things by is
 * in its package URL, so that a bill of materials can be read back without loss: the source
 * package as "upstream" (of rpm, when it has no epoch, the name of its file), the module as
 * "rpmmod".
 */
CREATE VIEW clair.sbom_component AS
SELECT
    part.image_id,
    pg_catalog.row_number() OVER (
        PARTITION BY part.image_id
        ORDER BY part.name, part.architecture, part.version, part.database_path, part.purl
    ) AS number,
    part.purl
        || COALESCE(
            '#' || NULLIF(
                pg_catalog.row_number() OVER (
                    PARTITION BY part.image_id, part.purl
                    ORDER BY part.database_path
                ),
                1
            ),
            ''
        ) AS reference,
    part.purl,
    part.name,
    part.version,
    part.source_name,
    part.source_version,
    part.architecture,
    part.license,
    part.vendor,
    part.database_path,
    part.introduced_by
FROM (
        SELECT
            d.image_id,
            d.path AS database_path,
            f.name,
            said.version,
            f.source_name,
            said.source_version,
            f.architecture,
            f.license,
            f.vendor,
            clair.package_purl(base.namespace, base.format, f.name, said.version, f.architecture)
                || COALESCE('&rpmmod=' || clair.purl_part(f.module), '')
                || '&upstream=' || clair.purl_part(f.source_name || CASE
                    WHEN base.format = 'rpm' AND said.source_version ~ '^[^:-]+-[^:-]+$'
                        THEN '-' || said.source_version || '.src.rpm'
                    ELSE '@' || said.source_version
                END) AS purl,
            -- As with findings: worked out package by package.
            (
                SELECT layer.layer
                FROM clair.feature_introduction AS introduction
                    JOIN clair.image_layer AS layer
                        ON layer.image_id = introduction.image_id AND layer.position = introduction.position
                WHERE introduction.image_id = d.image_id
                    AND introduction.path = d.path
                    AND introduction.name = f.name
                    AND introduction.number = f.number
            ) AS introduced_by
        FROM clair.image_database AS d
            JOIN clair.feature AS f ON f.database_id = d.database_id
            JOIN clair.package_database AS base ON base.id = d.database_id
            CROSS JOIN LATERAL (
                SELECT COALESCE(clair.bare(f.version), f.invalid_version) AS version,
                    COALESCE(clair.bare(f.source_version), f.invalid_version) AS source_version
            ) AS said
        WHERE d.until_position IS NULL
    ) AS part;
COMMENT ON VIEW clair.sbom_component IS
    'the packages of images as software bills of materials name them: number and reference are unique within an image, the package URL has the source package and the module in it';

CREATE VIEW clair.sbom_subject AS
SELECT
    i.id AS image_id,
    i.digest,
    COALESCE((SELECT pg_catalog.min(n.name) FROM clair.image_name AS n WHERE n.image_id = i.id), i.digest) AS name,
    CASE WHEN i.digest NOT LIKE 'sbom:%' THEN clair.image_purl(i.id::text) END AS purl,
    i.platform,
    i.status,
    NULLIF(said.family, 'unknown') AS distribution,
    -- A release that has no number goes by its code name, which is what the image itself would say.
    COALESCE(
        (
            SELECT r.codename
            FROM clair.release AS r
            WHERE r.family = said.family AND r.release = said.release AND r.release !~ '^v?[0-9]'
        ),
        pg_catalog.regexp_replace(said.release, '^v(?=\d)', '')
    ) AS release,
    GREATEST(
        i.indexed_at,
        (
            SELECT pg_catalog.max(l.indexed_at)
            FROM clair.image_layer AS part
                JOIN clair.layer AS l ON l.digest = part.layer
            WHERE part.image_id = i.id
        )
    ) AS read_at,
    (SELECT x.extversion FROM pg_catalog.pg_extension AS x WHERE x.extname = 'clair') AS clair_version
FROM clair.image AS i
    CROSS JOIN LATERAL (
        SELECT pg_catalog.split_part(i.namespace, ':', 1) AS family,
            pg_catalog.split_part(i.namespace, ':', 2) AS release
    ) AS said;
COMMENT ON VIEW clair.sbom_subject IS
    'images as software bills of materials speak of them, and when the newest of their layers was read';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.sbom_component SET (security_invoker = true);
        ALTER VIEW clair.sbom_subject SET (security_invoker = true);
    END IF;
END
$$;
