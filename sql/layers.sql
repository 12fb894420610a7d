--
-- Proves what is known of an image beside its features: which are gone, through which layer; and
-- which images it builds on.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

CREATE TEMPORARY TABLE layer AS
SELECT 'base' AS what, pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status',
    pg_temp.dpkg_status('bash 5.2', 'zlib 1.2', 'gone 1.0', 'back 1.0'))) AS content
UNION ALL
SELECT 'upgrade', pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'zlib 1.3')))
UNION ALL
SELECT 'back', pg_temp.tar(pg_temp.file('var/lib/dpkg/status',
    pg_temp.dpkg_status('bash 5.2', 'zlib 1.3', 'back 1.0')))
UNION ALL
SELECT 'removal', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', ''));

CREATE FUNCTION pg_temp.index(name text, VARIADIC layers text[])
RETURNS text
LANGUAGE sql
AS $$
    SELECT i.status
    FROM clair.index_image(pg_temp.docker(name, VARIADIC (
        SELECT array_agg(l.content ORDER BY n)
        FROM unnest(layers) WITH ORDINALITY AS wanted(what, n)
            JOIN layer AS l ON l.what = wanted.what))) AS i
$$;
SELECT pg_temp.index('layers:base', 'base') AS base, pg_temp.index('layers:up', 'base', 'upgrade') AS up,
    pg_temp.index('layers:back', 'base', 'upgrade', 'back') AS back,
    pg_temp.index('layers:empty', 'base', 'removal') AS empty,
    pg_temp.index('layers:other', 'upgrade', 'base') AS other;

-- What went, when; what came back is not gone, and the former version of an upgrade is
SELECT n.name AS image, f.name, f.version, f.command AS removed_by, l.command AS last_in
FROM clair.image_name AS n
    JOIN clair.removed_feature AS f ON f.image_id = n.image_id
    JOIN clair.image_layer AS l ON l.image_id = f.image_id AND l.layer = f.last_in
WHERE n.name LIKE 'layers:%'
ORDER BY n.name COLLATE "C", f.name COLLATE "C";

-- Who builds on whom: layers in the same order from the lowest on, and more of them
SELECT n.name AS image, b.name AS base, v.layers
FROM clair.base_image AS v
    JOIN clair.image_name AS n ON n.image_id = v.image_id
    JOIN clair.image_name AS b ON b.image_id = v.base_image_id
WHERE n.name LIKE 'layers:%' AND b.name LIKE 'layers:%'
ORDER BY n.name COLLATE "C", v.layers;

-- Leave nothing to other tests
SELECT count(clair.delete_image(name)) AS deleted FROM clair.image_name WHERE name LIKE 'layers:%';
SELECT clair.collect_garbage() IS NOT NULL AS collected;
