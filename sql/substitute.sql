--
-- Proves when manifests stand in for package databases, and that layers with them are known.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

-- The document that apk's package "name version" brings of itself, built from a source
CREATE FUNCTION pg_temp.document(package text, source text)
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.file('var/lib/db/sbom/' || replace(package, ' ', '-') || '.spdx.json', json_build_object('packages',
        json_build_array(
            json_build_object('externalRefs', json_build_array(json_build_object('referenceType', 'purl',
                'referenceLocator', 'pkg:apk/wolfi/' || replace(package, ' ', '@') || '?arch=x86_64'))),
            json_build_object('externalRefs', json_build_array(json_build_object('referenceType', 'purl',
                'referenceLocator', 'pkg:github/wolfi-dev/os@1#' || source || '.yaml')))))::text)
$$;
CREATE FUNCTION pg_temp.wolfi()
RETURNS bytea
LANGUAGE sql
AS $$ SELECT pg_temp.file('etc/os-release', E'ID=wolfi\nVERSION_ID="20230201"\n') $$;
-- Two statements, so that the second sees what the first has stored
CREATE FUNCTION pg_temp.index(archive bytea, OUT namespace text, OUT layers_read integer, OUT features text)
LANGUAGE plpgsql
AS $$
DECLARE
    indexed clair.indexed_image;
BEGIN
    indexed := clair.index_image(archive);
    namespace := indexed.namespace;
    layers_read := indexed.layers_read;
    SELECT string_agg(concat_ws(' ', f.name, f.version, f.source_name), ', ' ORDER BY f.name)
    INTO features
    FROM clair.features(indexed.image::text) AS f;
END
$$;
CREATE TEMPORARY TABLE layer AS
SELECT 'documents' AS what, pg_temp.tar(pg_temp.wolfi(), pg_temp.document('sed 4.9-r8', 'sed'),
    pg_temp.document('libssl3 3.3.1-r0', 'openssl')) AS content
UNION ALL
SELECT 'more documents', pg_temp.tar(pg_temp.document('zlib 1.3-r0', 'zlib'))
UNION ALL
SELECT 'newer document', pg_temp.tar(pg_temp.file('var/lib/db/sbom/.wh.sed-4.9-r8.spdx.json', ''),
    pg_temp.document('sed 4.9-r9', 'sed'))
UNION ALL
SELECT 'database', pg_temp.tar(pg_temp.file('usr/lib/apk/db/installed', pg_temp.apk_installed('sed 4.9-r8', 'musl 1.2-r0')))
UNION ALL
SELECT 'both', pg_temp.tar(pg_temp.wolfi(), pg_temp.document('curl 8.8-r0', 'curl'),
    pg_temp.file('usr/lib/apk/db/installed', pg_temp.apk_installed('curl 8.8-r0')))
UNION ALL
SELECT 'removal', pg_temp.tar(pg_temp.file('usr/lib/apk/.wh.db', ''))
UNION ALL
SELECT 'nothing', pg_temp.tar(pg_temp.file('tmp/x', 'x'));
CREATE FUNCTION pg_temp.image(VARIADIC layers text[])
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.docker('substitute:1', VARIADIC (
        SELECT array_agg(l.content ORDER BY n)
        FROM unnest(layers) WITH ORDINALITY AS wanted(what, n)
            JOIN layer AS l ON l.what = wanted.what))
$$;

-- Documents beside a database do not count, nor in other layers; they need not be read again
SELECT * FROM pg_temp.index(pg_temp.image('both'));
SELECT * FROM pg_temp.index(pg_temp.image('both', 'nothing'));
SELECT * FROM pg_temp.index(pg_temp.image('documents', 'more documents', 'database'));
SELECT * FROM pg_temp.index(pg_temp.image('documents', 'more documents', 'database', 'nothing'));
SELECT count(*) AS removed FROM clair.removed_feature WHERE image_id = clair.image_id('substitute:1');

-- A database that is gone is no reason to believe them
SELECT * FROM pg_temp.index(pg_temp.image('documents', 'database', 'removal'));

-- Without a database they count, though they were passed over before; one by one they come and go
SELECT * FROM pg_temp.index(pg_temp.image('documents'));
SELECT * FROM pg_temp.index(pg_temp.image('documents', 'nothing'));
SELECT * FROM pg_temp.index(pg_temp.image('documents', 'more documents', 'newer document'));

-- Bottlerocket, in its own place and in that of a root
SELECT path, i.*
FROM (VALUES ('usr/'), ('x86_64-bottlerocket-linux-gnu/sys-root/usr/'),
        ('aarch64-bottlerocket-linux-gnu/sys-root/usr/')) AS v(path),
    LATERAL pg_temp.index(pg_temp.docker('substitute:2', pg_temp.tar(
        pg_temp.file(path || 'lib/os-release', E'ID=bottlerocket\nVERSION_ID=1.20.3\n'),
        pg_temp.file(path || 'share/bottlerocket/application-inventory.json',
            '{"Content": [{"Name": "glibc", "Version": "2.38", "Release": "1", "Epoch": "1", "Architecture": "x86_64"}]}')))) AS i;
-- ... which a build of it for another machine does not become
SELECT namespace FROM pg_temp.index(pg_temp.docker('substitute:3', pg_temp.tar(
    pg_temp.file('aarch64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release', E'ID=bottlerocket\nVERSION_ID=1.20.3\n'),
    pg_temp.file('etc/os-release', E'ID=fedora\nVERSION_ID=40\n'))));

-- Chisel's manifest, here not compressed: what it does not say makes the image partial
SELECT i.namespace, i.features FROM pg_temp.index(pg_temp.docker('substitute:4', pg_temp.tar(
    pg_temp.file('etc/os-release', E'ID=ubuntu\nVERSION_ID="24.04"\n'),
    pg_temp.file('var/lib/chisel/manifest.wall', E'{"jsonwall":"1.0","schema":"1.0","count":2}\n'
        '{"kind":"package","name":"libc6","version":"2.39-0ubuntu8","arch":"amd64"}\n')))) AS i;
SELECT p.place, p.reason FROM clair.image_problem AS p WHERE p.image_id = clair.image_id('substitute:4');

-- A database of a form that is not read is none of no packages; others beside it do not make up for it
SELECT status FROM clair.index_image(pg_temp.docker('substitute:5', pg_temp.tar(
    pg_temp.file('etc/os-release', E'ID=alpine\nVERSION_ID=3.22.1\n'),
    pg_temp.file('lib/apk/db/installed', 'ADB.xxxxxxxx'))));
SELECT status, features FROM clair.index_image(pg_temp.docker('substitute:6', pg_temp.tar(
    pg_temp.file('etc/os-release', E'ID=alpine\nVERSION_ID=3.22.1\n'),
    pg_temp.file('lib/apk/db/installed', 'ADB.xxxxxxxx'),
    pg_temp.file('usr/lib/apk/db/installed', pg_temp.apk_installed('musl 1.2-r0')))));
SELECT status FROM clair.index_image(pg_temp.docker('substitute:7', pg_temp.tar(
    pg_temp.file('etc/os-release', E'ID=alpine\nVERSION_ID=3.22.1\n'),
    pg_temp.file('lib/apk/db/installed', 'ADB.xxxxxxxx')),
    pg_temp.tar(pg_temp.file('lib/apk/db/installed', pg_temp.apk_installed('musl 1.2-r0')))));
SELECT n.name, p.place, p.reason, p.unsupported
FROM clair.image_name AS n JOIN clair.image_problem AS p ON p.image_id = n.image_id
WHERE n.name ~ '^substitute:[5-7]$'
ORDER BY n.name;
SELECT namespace, feature, status FROM clair.vulnerabilities('substitute:5');

-- Leave nothing to other tests
SELECT count(clair.delete_image(id::text)) AS deleted
FROM clair.image
WHERE namespace ~ '^(wolfi|bottlerocket):'
    OR id IN (SELECT image_id FROM clair.image_name WHERE name LIKE 'substitute:%');
SELECT clair.collect_garbage() IS NOT NULL AS collected;
