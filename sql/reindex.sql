--
-- Proves that images of which newer readers would say something else are listed, and that indexing
-- them again reads what is outdated, and only that.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

CREATE TEMPORARY TABLE layer AS
SELECT 'base' AS what, pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status',
    pg_temp.dpkg_status('bash 5.2', 'zlib 1.2'))) AS content
UNION ALL
SELECT 'top', pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'zlib 1.3')))
UNION ALL
SELECT 'other', pg_temp.tar(pg_temp.file('tmp/x', 'x'));
CREATE FUNCTION pg_temp.image(name text, VARIADIC layers text[])
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.docker(name, VARIADIC (
        SELECT array_agg(l.content ORDER BY n)
        FROM unnest(layers) WITH ORDINALITY AS wanted(what, n)
            JOIN layer AS l ON l.what = wanted.what))
$$;
CREATE FUNCTION pg_temp.index_one()
RETURNS TABLE (namespace text, status text, layers_read integer, features bigint)
LANGUAGE sql
AS $$
    SELECT i.namespace, i.status, i.layers_read, i.features
    FROM clair.index_image(pg_temp.image('reindex:one', 'base', 'top')) AS i
$$;
CREATE FUNCTION pg_temp.index_two()
RETURNS TABLE (namespace text, status text, layers_read integer, features bigint)
LANGUAGE sql
AS $$
    SELECT i.namespace, i.status, i.layers_read, i.features
    FROM clair.index_image(pg_temp.image('reindex:two', 'base', 'other')) AS i
$$;
CREATE FUNCTION pg_temp.to_reindex()
RETURNS TABLE (image text, layer integer, path text, role text, change text)
LANGUAGE sql
AS $$
    SELECT n.name, part.position, r.path, r.role, r.change
    FROM clair.images_to_reindex AS r
        JOIN clair.image_name AS n ON n.image_id = r.image_id
        JOIN clair.image_layer AS part ON part.image_id = r.image_id AND part.layer = r.layer
    WHERE n.name LIKE 'reindex:%'
    ORDER BY n.name COLLATE "C", part.position, r.role COLLATE "C"
$$;
CREATE FUNCTION pg_temp.features()
RETURNS TABLE (image text, namespace text, features text)
LANGUAGE sql
AS $$
    SELECT n.name, i.namespace, (SELECT string_agg(f.name || ' ' || f.version, ', ' ORDER BY f.name)
        FROM clair.image_feature AS f WHERE f.image_id = n.image_id)
    FROM clair.image_name AS n JOIN clair.image AS i ON i.id = n.image_id
    WHERE n.name LIKE 'reindex:%'
    ORDER BY n.name COLLATE "C"
$$;

-- What is read now is up to date
SELECT * FROM pg_temp.index_one();
SELECT * FROM pg_temp.index_two();
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.index_one();
SELECT * FROM pg_temp.features();

-- An older reader of dpkg's database, which missed a package of the base; nothing else is read again
BEGIN;
SET LOCAL client_min_messages = warning;
UPDATE clair.package_database AS base SET version = 0
FROM clair.layer_entry AS e, layer AS l
WHERE l.what = 'base' AND e.layer = pg_temp.digest(l.content) AND base.content = e.content;
DELETE FROM clair.feature AS f
USING clair.package_database AS base
WHERE base.id = f.database_id AND base.version = 0 AND f.name = 'zlib';
UPDATE clair.layer_entry AS e SET version = 0
FROM layer AS l
WHERE l.what = 'base' AND e.layer = pg_temp.digest(l.content) AND e.role = 'dpkg';
COMMIT;
SELECT * FROM pg_temp.features();
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.index_two();
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.features();
SELECT * FROM pg_temp.index_one();
SELECT * FROM pg_temp.to_reindex();

-- An older walk, which did not look at release files: what the image is becomes known
UPDATE clair.layer AS stored SET version = 0 FROM layer AS l WHERE l.what = 'base' AND stored.digest = pg_temp.digest(l.content);
DELETE FROM clair.layer_entry AS e USING layer AS l
WHERE l.what = 'base' AND e.layer = pg_temp.digest(l.content) AND e.role = 'os-release';
UPDATE clair.image SET namespace = 'unknown', detected_namespace = 'unknown', status = 'unknown_namespace'
WHERE id = clair.image_id('reindex:two');
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.index_two();
SELECT count(*) AS release_files
FROM clair.layer_entry AS e, layer AS l
WHERE l.what = 'base' AND e.layer = pg_temp.digest(l.content) AND e.role = 'os-release';
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.index_one();
SELECT * FROM pg_temp.to_reindex();

-- Names, and what an operator said, stay with the image
SELECT clair.set_namespace('reindex:two', 'debian:11');
UPDATE clair.layer AS stored SET version = 0 FROM layer AS l WHERE l.what = 'base' AND stored.digest = pg_temp.digest(l.content);
SELECT * FROM pg_temp.index_two();
SELECT * FROM pg_temp.features();
SELECT clair.set_namespace('reindex:two', NULL);
SELECT * FROM pg_temp.features();

-- Every role has its versions, and they are those of the readers
SELECT i.namespace
FROM clair.index_image(pg_temp.docker('reindex:roles', pg_temp.tar(pg_temp.debian(),
    pg_temp.file('var/lib/dpkg/status', ''), pg_temp.file('lib/apk/db/installed', ''),
    pg_temp.file('var/lib/rpmmanifest/container-manifest-2', ''), pg_temp.file('etc/lsb-release', ''),
    pg_temp.file('etc/alpine-release', ''), pg_temp.file('etc/debian_version', ''),
    pg_temp.file('etc/redhat-release', ''), pg_temp.file('etc/system-release-cpe', ''),
    pg_temp.file('etc/issue', ''), pg_temp.file('etc/apk/repositories', ''),
    pg_temp.file('etc/apt/sources.list', ''), pg_temp.file('usr/share/buildinfo/x.json', ''),
    pg_temp.file('var/lib/dnf/history.sqlite', '')))) AS i;
SELECT COALESCE(r.role, e.role) AS role, r.version AS known, e.version AS used
FROM (SELECT role, max(version) AS version FROM clair.reader_version GROUP BY role) AS r
    FULL JOIN (
        SELECT DISTINCT role, version
        FROM clair.layer_entry
        WHERE role IS NOT NULL
            AND layer IN (SELECT layer FROM clair.image_layer WHERE image_id = clair.image_id('reindex:roles'))
    ) AS e ON e.role = r.role
WHERE r.version IS DISTINCT FROM e.version
ORDER BY 1;
SELECT DISTINCT l.version = (SELECT max(v.version) FROM clair.reader_version AS v WHERE v.role = 'walk') AS walk
FROM clair.layer AS l
WHERE l.digest IN (SELECT layer FROM clair.image_layer WHERE image_id = clair.image_id('reindex:roles'));

-- Leave nothing to other tests
SELECT count(clair.delete_image(name)) AS deleted FROM clair.image_name WHERE name LIKE 'reindex:%';
SELECT clair.collect_garbage() IS NOT NULL AS collected;
