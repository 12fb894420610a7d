--
-- Proves what becomes of images in the archives of appc and of Docker before 1.10, and of opkg.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

CREATE FUNCTION pg_temp.appc(manifest text)
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.tar(pg_temp.file('manifest', manifest), pg_temp.folder('rootfs/'),
        pg_temp.file('rootfs/etc/os-release', E'ID=debian\nVERSION_ID=12\n'),
        pg_temp.file('rootfs/var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')))
$$;

SELECT name, platform, namespace, status, layers, layers_read, features
FROM clair.index_image(pg_temp.appc('{"acKind": "ImageManifest", "name": "example.com/web",
    "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "i386"}]}'));
SELECT digest = (SELECT 'sha512:' || encode(sha512(archive), 'hex')) AS "its id is the digest of its tar"
FROM clair.image, pg_temp.appc('{"acKind": "ImageManifest", "name": "example.com/web",
    "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "i386"}]}') AS archive
WHERE id = clair.image_id('example.com/web');

-- What lies below it is not there: its packages are not all that it has, and that is remembered
\set dependent '{"acKind": "ImageManifest", "name": "example.com/app", "dependencies": [{"imageName": "example.com/base", "labels": [{"name": "version", "value": "2"}]}, {"imageName": "example.com/tools"}]}'
SELECT name, namespace, status, layers_read, features FROM clair.index_image(pg_temp.appc(:'dependent'));
SELECT place, reason FROM clair.image_problem WHERE image_id = clair.image_id('example.com/app') ORDER BY number;
SELECT clair.delete_image('example.com/app') IS NOT NULL AS deleted;
SELECT name, namespace, status, layers_read, features FROM clair.index_image(pg_temp.appc(:'dependent'));
SELECT place, reason FROM clair.image_problem WHERE image_id = clair.image_id('example.com/app') ORDER BY number;

-- The same tar as a layer of another image has its files where they are, so none that count
SELECT status, layers_read, features FROM clair.index_image(pg_temp.docker('odd:1', pg_temp.appc(:'dependent')));
SELECT status, layers_read, features FROM clair.index_image(pg_temp.appc(:'dependent'), 'again');

-- Before Docker 1.10 there was no manifest: layers name their parents
CREATE FUNCTION pg_temp.legacy(base bytea, top bytea)
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.tar(
        pg_temp.file('t/json', '{"id": "t", "parent": "b", "os": "linux", "architecture": "amd64",
            "container_config": {"Cmd": ["apt-get", "install"]}}'),
        pg_temp.member('t/layer.tar', top),
        pg_temp.file('b/json', '{"id": "b", "os": "linux", "architecture": "amd64"}'),
        pg_temp.member('b/layer.tar', base),
        pg_temp.file('repositories', '{"old": {"1": "t"}}'))
$$;
SELECT name, platform, namespace, status, layers, features
FROM clair.index_image(pg_temp.legacy(
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'curl 8.0')))));
SELECT name, version, command FROM clair.features('old:1');

-- A package database of opkg, in either of its places
SELECT indexed.namespace, indexed.status, indexed.features
FROM (VALUES ('usr/lib/opkg/status'), ('var/lib/opkg/status')) AS place(path),
    clair.index_image(pg_temp.tar(
        pg_temp.file('etc/os-release', E'ID="openwrt"\nVERSION_ID="23.05.2"\n'),
        pg_temp.file(path, pg_temp.dpkg_status('libc 1.2.4-4', 'dnsmasq 2.90-2')))) AS indexed;

\set ON_ERROR_STOP off
SELECT clair.index_image(pg_temp.appc('{"acKind": "PodManifest"}'));
