--
-- Proves that layers indexed one by one are the images that they make together; what such an image
-- is known by; and what becomes of it when the one below it is moved, collected or deleted.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

CREATE TEMPORARY TABLE layer AS
SELECT 'base' AS what, pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status',
    pg_temp.dpkg_status('bash 5.2', 'zlib 1.2', 'gone 1.0'))) AS content
UNION ALL
SELECT 'upgrade', pg_temp.tar(pg_temp.file('var/lib/dpkg/status',
    pg_temp.dpkg_status('bash 5.2', 'zlib 1.3', 'curl 8.0')))
UNION ALL
SELECT 'files', pg_temp.tar(pg_temp.file('srv/web', 'x'))
UNION ALL
SELECT 'removal', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', ''))
UNION ALL
SELECT 'link', pg_temp.tar(pg_temp.link('var/lib/dpkg/status', '/opt/status'))
UNION ALL
SELECT 'linked', pg_temp.tar(pg_temp.debian(), pg_temp.link('var/lib/dpkg/status', '/opt/status'),
    pg_temp.file('opt/status', pg_temp.dpkg_status('hidden 1.0')))
UNION ALL
SELECT 'appc', pg_temp.tar(
    pg_temp.file('manifest', '{"acKind": "ImageManifest", "name": "example.org/tools", "labels":'
        ' [{"name": "os", "value": "linux"}, {"name": "arch", "value": "arm64"}]}'),
    pg_temp.folder('rootfs/'),
    pg_temp.file('rootfs/var/lib/dpkg/status', pg_temp.dpkg_status('tools 1.0')));

CREATE FUNCTION pg_temp.layer(what text)
RETURNS bytea
LANGUAGE sql
AS $$ SELECT l.content FROM layer AS l WHERE l.what = layer.what $$;

CREATE FUNCTION pg_temp.index(name text, what text, parent text DEFAULT NULL, format text DEFAULT 'Docker')
RETURNS TABLE (name text, platform text, namespace text, status text, layers integer,
    layers_read integer, databases integer, features bigint)
LANGUAGE sql
AS $$
    SELECT i.name, i.platform, i.namespace, i.status, i.layers, i.layers_read, i.databases, i.features
    FROM clair.index_layer("index".name, pg_temp.layer(what), parent, format) AS i
$$;

CREATE FUNCTION pg_temp.features(image text)
RETURNS TABLE (name text, version text, layer text)
LANGUAGE sql
AS $$
    SELECT f.name, f.version, l.what
    FROM clair.features(image) AS f
        LEFT JOIN layer AS l ON pg_temp.digest(l.content) = f.introduced_by
    ORDER BY f.name COLLATE "C"
$$;

-- Layer upon layer: the features of each, and which layer brought them
SELECT * FROM pg_temp.index('stack:1', 'base');
SELECT * FROM pg_temp.index('stack:2', 'upgrade', 'stack:1');
SELECT * FROM pg_temp.index('stack:3', 'files', 'stack:2', 'docker');
SELECT * FROM pg_temp.index('stack:4', 'removal', 'stack:3');
SELECT * FROM pg_temp.features('stack:1');
SELECT * FROM pg_temp.features('stack:3');
SELECT name, version, last_in = pg_temp.digest(pg_temp.layer('upgrade')) AS last_in_upgrade
FROM clair.removed_feature
WHERE image_id = clair.image_id('stack:4') AND removed_by = pg_temp.digest(pg_temp.layer('removal'))
ORDER BY name COLLATE "C";

-- As of the whole image, which reads none of these layers, and which is another one
SELECT name, layers, layers_read, features
FROM clair.index_image(pg_temp.docker('whole:3', pg_temp.layer('base'), pg_temp.layer('upgrade'),
    pg_temp.layer('files')));
SELECT count(*) AS same, count(*) FILTER (WHERE a.name IS NULL OR b.name IS NULL) AS different
FROM clair.features('stack:3') AS a
    FULL JOIN clair.features('whole:3') AS b
        ON (a.namespace, a.name, a.version, a.source_name, a.source_version, a.architecture, a.introduced_by)
            = (b.namespace, b.name, b.version, b.source_name, b.source_version, b.architecture, b.introduced_by);
SELECT clair.image_id('stack:3') <> clair.image_id('whole:3') AS "two images";

-- Its digest is the chain id of its layers
SELECT n.name, i.digest = CASE n.name
        WHEN 'stack:1' THEN c.first
        WHEN 'stack:2' THEN c.second
        ELSE pg_temp.digest(convert_to(c.second || ' ' || pg_temp.digest(pg_temp.layer('files')), 'UTF8'))
    END AS "is the chain id", p.name AS parent
FROM clair.image_name AS n
    JOIN clair.image AS i ON i.id = n.image_id
    LEFT JOIN clair.image_name AS p ON p.image_id = i.parent_id,
    (SELECT pg_temp.digest(pg_temp.layer('base')) AS first,
        pg_temp.digest(convert_to(pg_temp.digest(pg_temp.layer('base')) || ' '
            || pg_temp.digest(pg_temp.layer('upgrade')), 'UTF8')) AS second) AS c
WHERE n.name IN ('stack:1', 'stack:2', 'stack:3')
ORDER BY n.name COLLATE "C";

-- Again, it is the same one; also under another name, and with the parent's digest for its name
SELECT image = clair.image_id('stack:2') AS same, name, layers, layers_read, features
FROM clair.index_layer('stack:2', pg_temp.layer('upgrade'), 'stack:1');
SELECT image = clair.image_id('stack:2') AS same, name, layers_read
FROM clair.index_layer('stack:two', pg_temp.layer('upgrade'), pg_temp.digest(pg_temp.layer('base')));
SELECT image = clair.image_id('stack:1') AS same, layers_read
FROM clair.index_image(pg_temp.layer('base'), 'stack:bare');

-- The same layer upon another parent is another image, also upon the same layers in a whole image
SELECT * FROM pg_temp.index('other:2', 'files', 'stack:1');
SELECT * FROM pg_temp.index('on:whole', 'removal', 'whole:3');
SELECT count(DISTINCT image_id) AS images FROM clair.image_name WHERE name IN ('stack:3', 'other:2', 'on:whole', 'stack:4');
SELECT position, command FROM clair.image_layer WHERE image_id = clair.image_id('on:whole') ORDER BY position;

-- An appc image: what lies below "rootfs" there comes upon the parent's files
SELECT * FROM pg_temp.index('tools:1', 'appc', 'stack:1', 'aci');
SELECT name, version, namespace FROM clair.features('tools:1');
SELECT * FROM pg_temp.index('tools:2', 'files', 'tools:1');
SELECT * FROM pg_temp.index('tools:tar', 'appc', 'stack:1');
SELECT count(*) AS features FROM clair.features('tools:tar');

-- A package database that no image so far has shown is there when one does
SELECT status, features FROM clair.index_image(pg_temp.docker('linked:1', pg_temp.layer('linked'), pg_temp.layer('base')));
SELECT clair.collect_garbage() IS NOT NULL AS collected;
SELECT * FROM pg_temp.index('linked:2', 'link', 'linked:1');
SELECT name, version FROM clair.features('linked:2');

-- What is no layer, and what cannot be its parent, its name or its format
\set ON_ERROR_STOP off
\set VERBOSITY terse
SELECT pg_temp.index('x:1', 'base', 'no:parent');
SELECT pg_temp.index('x:1', 'base', '0');
SELECT pg_temp.index('x:1', 'base', 'sha256:0');
SELECT pg_temp.index('x:1', 'base', 'x:1');
SELECT pg_temp.index(NULL, 'base');
SELECT pg_temp.index('', 'base');
SELECT pg_temp.index('sha256:0', 'base');
SELECT pg_temp.index('x:1', 'base', NULL, 'OCI');
SELECT pg_temp.index('x:1', 'base', NULL, NULL);
SELECT pg_temp.index('x:1', 'base', NULL, 'ACI');
SELECT clair.index_layer('x:1', 'no layer'::bytea);
SET clair.max_layers = 2;
SELECT pg_temp.index('x:1', 'files', 'stack:2');
RESET clair.max_layers;
\set VERBOSITY default
\set ON_ERROR_STOP on
SELECT * FROM clair.index_layer('x:1', NULL::bytea);
SELECT count(*) AS named FROM clair.image_name WHERE name LIKE 'x:%';

-- When the parent's name moves, the child keeps the image that it was indexed upon, and that stays
CREATE TEMPORARY TABLE former AS SELECT clair.image_id('stack:1') AS id, clair.image_id('stack:2') AS child;
SELECT clair.index_layer('stack:bare', pg_temp.layer('files')) IS NOT NULL AS moved,
    clair.index_layer('stack:1', pg_temp.layer('files')) IS NOT NULL AS moved;
SELECT images FROM clair.collect_garbage();
SELECT parent_id = former.id AS "same parent" FROM clair.image, former WHERE image.id = former.child;
SELECT name, version FROM clair.features('stack:two');
SELECT image <> former.child AS "another image", features
FROM clair.index_layer('stack:2', pg_temp.layer('upgrade'), 'stack:1'), former;

-- It goes when all that lies upon it has gone
SELECT clair.index_layer('stack:two', pg_temp.layer('files')) IS NOT NULL AS moved,
    clair.index_layer('stack:3', pg_temp.layer('files')) IS NOT NULL AS moved,
    clair.index_layer('stack:4', pg_temp.layer('files')) IS NOT NULL AS moved;
SELECT images FROM clair.collect_garbage();
SELECT clair.delete_image('tools:1') IS NOT NULL AS deleted, clair.delete_image('tools:tar') IS NOT NULL AS deleted,
    clair.delete_image('other:2') IS NOT NULL AS deleted;
SELECT images FROM clair.collect_garbage();
SELECT count(*) AS "still there" FROM clair.image, former WHERE image.id IN (former.id, former.child);

-- Who deletes an image deletes what lies upon it, and nothing else
SELECT * FROM pg_temp.index('tree:1', 'base');
SELECT * FROM pg_temp.index('tree:1a', 'upgrade', 'tree:1');
SELECT * FROM pg_temp.index('tree:1a1', 'files', 'tree:1a');
SELECT * FROM pg_temp.index('tree:1b', 'removal', 'tree:1');
SELECT clair.delete_image('tree:1a') IS NOT NULL AS deleted;
SELECT name FROM clair.image_name WHERE name LIKE 'tree:%' ORDER BY name COLLATE "C";
SELECT clair.delete_image('tree:1') IS NOT NULL AS deleted;
SELECT name FROM clair.image_name WHERE name LIKE 'tree:%' OR name IN ('whole:3', 'on:whole') ORDER BY name COLLATE "C";

-- Leave nothing to other tests
SELECT count(*) AS deleted
FROM (SELECT DISTINCT image_id FROM clair.image_name AS n JOIN clair.image AS i ON i.id = n.image_id
      WHERE i.parent_id IS NULL AND name ~ '^(stack|whole|on|other|tools|linked):') AS own,
    clair.delete_image(own.image_id::text);
SELECT clair.collect_garbage() IS NOT NULL AS collected;
SELECT count(*) AS left FROM clair.image_name WHERE name ~ '^(stack|whole|on|other|tools|linked|tree):';
