--
-- Proves that the features of an image are those of its merged layers: whiteouts, opaque
-- directories, replaced and emptied package databases, links; and which layer introduced each.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

-- Two statements, so that the second sees what the first has stored.
CREATE FUNCTION pg_temp.features_of(archive bytea, OUT status text, OUT features text)
LANGUAGE plpgsql
AS $$
DECLARE
    indexed clair.indexed_image;
BEGIN
    indexed := clair.index_image(archive);
    status := indexed.status;
    SELECT string_agg(f.name || ' ' || f.version || ' by ' || f.command, ', ' ORDER BY f.name)
    INTO features
    FROM clair.features(indexed.image::text) AS f;
END
$$;

-- An upgrade, a package that stays, one that goes and one that comes
SELECT * FROM pg_temp.features_of(pg_temp.docker('upgrade:1',
    pg_temp.tar(pg_temp.debian(),
        pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'zlib 1.2', 'gone 1.0'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'zlib 1.3', 'curl 8.0'))),
    pg_temp.tar(pg_temp.file('tmp/unrelated', 'x'))));

-- A package that comes back was introduced by the layer that brought it back
SELECT * FROM pg_temp.features_of(pg_temp.docker('back:1',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'curl 8.0'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'curl 8.0')))));

-- So was one whose whole database was away in between
SELECT * FROM pg_temp.features_of(pg_temp.docker('away:1',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', '')),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')))));

-- Whiteouts of the file, of a directory above it, opaque directories, other things in its place
SELECT what, f.*
FROM (VALUES
        ('file', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', ''))),
        ('directory', pg_temp.tar(pg_temp.file('var/.wh.lib', ''))),
        ('opaque', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh..wh..opq', ''))),
        ('opaque above', pg_temp.tar(pg_temp.file('var/.wh..wh..opq', ''))),
        ('replaced by a directory', pg_temp.tar(pg_temp.folder('var/lib/dpkg/status/'))),
        ('parent is a file', pg_temp.tar(pg_temp.file('var/lib/dpkg', 'x'))),
        ('parent is a link', pg_temp.tar(pg_temp.link('var/lib', '/srv'))),
        ('emptied', pg_temp.tar(pg_temp.file('var/lib/dpkg/status', ''))),
        ('metadata only', pg_temp.tar(pg_temp.folder('var/lib/dpkg/'))),
        ('whiteout of another', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.available', ''))),
        ('nothing', pg_temp.tar(VARIADIC ARRAY[]::bytea[]))
    ) AS layer(what, top),
    LATERAL pg_temp.features_of(pg_temp.docker('w:1',
        pg_temp.tar(pg_temp.debian(),
            pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))), top)) AS f;

-- A layer's whiteouts never hide what the layer itself brings, whatever the order in its tar
SELECT what, f.*
FROM (VALUES
        ('whiteout first', pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', ''),
            pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1.3')))),
        ('whiteout last', pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1.3')),
            pg_temp.file('var/lib/dpkg/.wh.status', ''))),
        ('opaque last', pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1.3')),
            pg_temp.file('var/lib/dpkg/.wh..wh..opq', '')))
    ) AS layer(what, top),
    LATERAL pg_temp.features_of(pg_temp.docker('own:1',
        pg_temp.tar(pg_temp.debian(),
            pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))), top)) AS f;

-- Files of status.d add up, and go one by one
SELECT * FROM pg_temp.features_of(pg_temp.docker('distroless:1',
    pg_temp.tar(pg_temp.debian(),
        pg_temp.file('var/lib/dpkg/status.d/base', pg_temp.dpkg_status('base-files 12')),
        pg_temp.file('var/lib/dpkg/status.d/tzdata', pg_temp.dpkg_status('tzdata 2031a'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status.d/libc6', pg_temp.dpkg_status('libc6 2.36'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status.d/.wh.tzdata', ''))));

-- Links: within a layer, out of it, to a folder, in a circle, and to nowhere
SELECT what, f.*
FROM (VALUES
        ('file in the same layer', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', 'status.real'),
            pg_temp.file('var/lib/dpkg/status.real', pg_temp.dpkg_status('bash 5.2')))]),
        ('absolute', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', '/opt/packages'),
            pg_temp.file('opt/packages', pg_temp.dpkg_status('bash 5.2')))]),
        ('folder', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg', '../../srv/dpkg'),
            pg_temp.file('srv/dpkg/status', pg_temp.dpkg_status('bash 5.2')))]),
        ('hard link', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.file('var/lib/dpkg/status-old', pg_temp.dpkg_status('bash 5.2')),
            pg_temp.member('var/lib/dpkg/status', '', '1', 'var/lib/dpkg/status-old'))]),
        ('replaced by a file', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', 'status.real'),
            pg_temp.file('var/lib/dpkg/status.real', pg_temp.dpkg_status('bash 5.2'))),
            pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', '')),
            pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1.3')))]),
        ('circle', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', 'status'))]),
        ('nowhere', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', '/proc/self/environ'))]),
        ('above the root', ARRAY[pg_temp.tar(pg_temp.debian(),
            pg_temp.link('var/lib/dpkg/status', '../../../../../../srv/status'),
            pg_temp.file('srv/status', pg_temp.dpkg_status('bash 5.2')))])
    ) AS image(what, layers),
    LATERAL pg_temp.features_of(pg_temp.docker('link:1', VARIADIC layers)) AS f;

-- Merged /usr: a later layer writes the database under its other name, and replaces the first
SELECT what, f.*
FROM (VALUES
        ('through the link', 'lib/apk/db/installed'),
        ('past the link', 'usr/lib/apk/db/installed')
    ) AS image(what, path),
    LATERAL pg_temp.features_of(pg_temp.docker('usr:1',
        pg_temp.tar(pg_temp.file('etc/os-release', E'ID=alpine\nVERSION_ID=3.22.1\n'),
            pg_temp.folder('usr/'), pg_temp.folder('usr/lib/'), pg_temp.link('lib', 'usr/lib'),
            pg_temp.file('usr/lib/apk/db/installed', pg_temp.apk_installed('musl 1.2.5-r0', 'zlib 1.3-r0'))),
        pg_temp.tar(pg_temp.file(path, pg_temp.apk_installed('musl 1.2.5-r1', 'zlib 1.3-r0'))))) AS f;

-- Whiteouts of "." and "..", which no image has that was made to be run, hide nothing: not the root
SELECT what, f.*
FROM (VALUES
        ('of the root', 'var/lib/dpkg/status.d/.wh...'),
        ('of the folder', 'var/lib/dpkg/status.d/.wh..'),
        ('of nothing', 'var/lib/dpkg/status.d/.wh.')
    ) AS image(what, whiteout),
    LATERAL pg_temp.features_of(pg_temp.docker('root:1',
        pg_temp.tar(pg_temp.debian(), pg_temp.link('var/lib/dpkg/status.d', '/'),
            pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))),
        pg_temp.tar(pg_temp.file(whiteout, '')),
        pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.3'))))) AS f;
