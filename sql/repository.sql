--
-- Proves what is known of the repositories of images: which files are believed, which products
-- follow; flavours of packages; and distributions whose advisories are those of another one.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

-- Facts: 'position path role key value'
CREATE FUNCTION pg_temp.repositories_of(VARIADIC facts text[])
RETURNS text[]
LANGUAGE sql
AS $$
    SELECT clair.repositories_of(array_agg(split_part(f, ' ', 1)::integer), array_agg(split_part(f, ' ', 2)),
        array_agg(split_part(f, ' ', 3)), array_agg(split_part(f, ' ', 4)), array_agg(split_part(f, ' ', 5)))
    FROM unnest(facts) AS f
$$;
SELECT what, pg_temp.repositories_of(VARIADIC facts)
FROM (VALUES
    ('a manifest', ARRAY['1 a content-manifest repository b-rpms', '1 a content-manifest repository.1 a-rpms']),
    ('two of them', ARRAY['1 a content-manifest repository a-rpms', '2 b content-manifest repository b-rpms',
        '2 b content-manifest repository.1 a-rpms']),
    ('a history that is older', ARRAY['1 h dnf-history repository x', '1 a content-manifest repository a-rpms']),
    ('a history that is newer', ARRAY['2 h dnf-history repository x', '1 a content-manifest repository a-rpms']),
    ('a history alone', ARRAY['1 h dnf-history repository x', '1 h dnf-history repository.1 w']),
    ('a hint', ARRAY['1 h dnf-history repository x', '2 a content-manifest from_dnf_hint true',
        '2 a content-manifest repository a-rpms']),
    ('a hint, but no history', ARRAY['2 a content-manifest from_dnf_hint true',
        '2 a content-manifest repository a-rpms']),
    ('a hint beside another manifest', ARRAY['1 h dnf-history repository x', '2 a content-manifest from_dnf_hint true',
        '2 a content-manifest repository a-rpms', '2 b content-manifest repository b-rpms']),
    ('artefacts', ARRAY['1 a content-manifest repository a-rpms__12', '1 a content-manifest repository.1 a-rpms__3',
        '1 a content-manifest repository.2 a-eus-rpms__9_DOT_2', '1 a content-manifest repository.3 a__b']),
    ('a hint and nothing else', ARRAY['2 a content-manifest from_dnf_hint true']),
    ('other files', ARRAY['1 r os-release id rhel'])
) AS v(what, facts);
SELECT clair.repositories_of(NULL, NULL, NULL, NULL, NULL) IS NULL AS unknown;

-- Products of repositories, and their prefixes
INSERT INTO clair.repository_cpe
VALUES
    ('a-rpms', 'cpe:/o:redhat:enterprise_linux:9::baseos'),
    ('a-rpms', 'cpe:/a:redhat:enterprise_linux:9::appstream'),
    ('b-rpms', 'cpe:/a:redhat:openshift:4.14::el9'),
    ('b-rpms', 'cpe:/a:openliberty:19'),
    ('c-rpms', 'cpe:/o:redhat:rhel_eus:9.2::baseos');
SELECT unnest(clair.cpes_of('{a-rpms,unknown}')) AS cpe;
SELECT unnest(clair.cpes_of('{b-rpms}')) AS cpe;
SELECT clair.cpes_of('{unknown}') AS unknown, clair.cpes_of('{}') AS none;

-- Images: what is visible at the top counts, for their rpm packages
CREATE FUNCTION pg_temp.rpm_manifest(VARIADIC packages text[])
RETURNS text
LANGUAGE sql
AS $$
    SELECT string_agg(format(E'%s\t%s\t1\t2\tVendor\t(none)\t1\tx86_64\t0\t%s-%s.src.rpm\n',
        split_part(p, ' ', 1), split_part(p, ' ', 2), split_part(p, ' ', 1), split_part(p, ' ', 2)), '')
    FROM unnest(packages) AS p
$$;
CREATE FUNCTION pg_temp.base(id text, version text, VARIADIC packages text[])
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.tar(pg_temp.file('etc/os-release', format(E'ID=%s\nVERSION_ID=%s\n', id, version)),
        pg_temp.file('var/lib/rpmmanifest/container-manifest-2', pg_temp.rpm_manifest(VARIADIC packages)))
$$;
CREATE FUNCTION pg_temp.content_manifest(path text, content text)
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.tar(pg_temp.file(path, content))
$$;
CREATE FUNCTION pg_temp.index(archive bytea)
RETURNS text
LANGUAGE sql
AS $$
    SELECT i.namespace FROM clair.index_image(archive) AS i
$$;
SELECT pg_temp.index(pg_temp.docker('repo:manifest', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('root/buildinfo/content_manifests/x.json', '{"content_sets": ["b-rpms", "a-rpms"]}')));
SELECT pg_temp.index(pg_temp.docker('repo:same', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('usr/share/buildinfo/y.json', '{"content_sets": ["a-rpms__1", "b-rpms"]}')));
SELECT pg_temp.index(pg_temp.docker('repo:replaced', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('usr/share/buildinfo/content_manifests/y.json', '{"content_sets": ["a-rpms"]}'),
    pg_temp.content_manifest('usr/share/buildinfo/content_manifests/y.json', '{"content_sets": ["c-rpms"]}')));
SELECT pg_temp.index(pg_temp.docker('repo:gone', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('root/buildinfo/content_manifests/x.json', '{"content_sets": ["a-rpms"]}'),
    pg_temp.content_manifest('root/.wh.buildinfo', '')));
SELECT pg_temp.index(pg_temp.docker('repo:broken', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('root/buildinfo/content_manifests/x.json', '{"content_sets": ["a-rpms"]')));
SELECT pg_temp.index(pg_temp.docker('repo:debian', pg_temp.tar(pg_temp.debian(),
    pg_temp.file('usr/share/buildinfo/x.json', '{"content_sets": ["a-rpms"]}'),
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')))));
SELECT n.name, r.repository, r.cpes
FROM clair.image_name AS n
    LEFT JOIN clair.image_repository AS r ON r.image_id = n.image_id
WHERE n.name LIKE 'repo:%'
ORDER BY n.name COLLATE "C", r.repository COLLATE "C";

-- One set for all images that have it, with the products as they are known now
SELECT s.repositories, array_agg(n.name ORDER BY n.name COLLATE "C") AS images
FROM clair.repository_set AS s
    LEFT JOIN clair.image_database AS d ON d.repository_set = s.id
    LEFT JOIN clair.image_name AS n ON n.image_id = d.image_id
GROUP BY s.id
ORDER BY 1;
SELECT clair.refresh_repository_sets() AS nothing_new;
INSERT INTO clair.repository_cpe VALUES ('c-rpms', 'cpe:/o:redhat:enterprise_linux:9::baseos');
DELETE FROM clair.repository_cpe WHERE cpe = 'cpe:/o:redhat:rhel_eus:9.2::baseos';
SELECT clair.refresh_repository_sets() AS changed;
SELECT repositories, cpes FROM clair.repository_set WHERE 'c-rpms' = ANY (repositories);

-- More repositories than an index takes
SELECT pg_temp.index(pg_temp.docker('repo:many', pg_temp.base('rhel', '9.4', 'bash 5.1.8-9.el9'),
    pg_temp.content_manifest('root/buildinfo/content_manifests/x.json',
        json_build_object('content_sets', ARRAY(SELECT md5(n::text) FROM generate_series(1, 900) AS n))::text)));
SELECT count(*) FROM clair.image_repository WHERE image_id = clair.image_id('repo:many');

-- Advisories of another distribution: the image keeps its namespace, and its features are looked up there
SELECT pg_temp.index(pg_temp.docker('repo:centos', pg_temp.base('centos', '7', 'bash 4.2.46-35.el7_9')));
SELECT pg_temp.index(pg_temp.docker('repo:stream', pg_temp.tar(pg_temp.file('etc/os-release',
        E'ID=centos\nNAME="CentOS Stream"\nVERSION_ID=9\n'),
    pg_temp.file('var/lib/rpmmanifest/container-manifest-2', pg_temp.rpm_manifest('bash 5.1.8-9.el9')))));
SELECT n.name, v.namespace AS shown, base.namespace AS of_database, f.namespace AS looked_up
FROM clair.image_name AS n
    JOIN clair.image_feature AS v ON v.image_id = n.image_id
    JOIN clair.image_database AS d ON d.image_id = n.image_id
    JOIN clair.package_database AS base ON base.id = d.database_id
    JOIN clair.feature AS f ON f.database_id = d.database_id
WHERE n.name IN ('repo:centos', 'repo:stream', 'repo:manifest')
ORDER BY n.name COLLATE "C";
SELECT n, clair.advisory_namespace(n)
FROM unnest('{centos:7,centos-stream:9,rhel:9,debian:12,unknown,unheard-of:1}'::text[]) AS n;

-- The namespace of a feature is looked up only when it is asked for
CREATE FUNCTION pg_temp.reads(query text, relation text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line LIKE '% on ' || relation || ' %' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
SELECT view, column_name, pg_temp.reads(format('SELECT %I FROM clair.%I WHERE image_id = 1', column_name, view),
    'package_database') AS looked_up
FROM unnest('{image_feature,removed_feature}'::text[]) AS view, unnest('{namespace,name}'::text[]) AS column_name;

-- Flavours, by family and version
SELECT pg_temp.index(pg_temp.docker('repo:oracle', pg_temp.base('ol', '8.9', 'gnutls 3.6.16-4.el8',
    'libgcrypt 1.8.5-7.el8_fips', 'glibc 2.28-151.0.1.ksplice2.el8', 'fips 1_fips-1.el8')));
SELECT pg_temp.index(pg_temp.docker('repo:rhel', pg_temp.base('rhel', '8.9', 'libgcrypt 1.8.5-7.el8_fips')));
SELECT pg_temp.index(pg_temp.docker('repo:ubuntu', pg_temp.tar(
    pg_temp.file('etc/os-release', E'ID=ubuntu\nVERSION_ID=20.04\n'),
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.0-6ubuntu1', 'vim 2:8.1-1ubuntu1+esm1',
        'curl 7.68-1ubuntu2.22~esm2', 'openssl 1.1.1f-1ubuntu2.fips.7.1', 'libssl 1.1.1f-1ubuntu2.Fips.1',
        'esmtp 1.2-15')))));
SELECT n.name AS image, f.name, f.version, f.flavour
FROM clair.image_name AS n
    JOIN clair.image_feature AS f ON f.image_id = n.image_id
WHERE n.name IN ('repo:oracle', 'repo:rhel', 'repo:ubuntu')
ORDER BY n.name COLLATE "C", f.name COLLATE "C";

-- A layer that is known from an image of another namespace: the flavour follows the namespace
SELECT pg_temp.index(pg_temp.docker('repo:ol',
    pg_temp.tar(pg_temp.file('var/lib/rpmmanifest/container-manifest-2', pg_temp.rpm_manifest('a 1-7.el8_fips'))),
    pg_temp.tar(pg_temp.file('etc/os-release', E'ID=rhel\nVERSION_ID=8.9\n'))));
SELECT pg_temp.index(pg_temp.docker('repo:ol',
    pg_temp.tar(pg_temp.file('var/lib/rpmmanifest/container-manifest-2', pg_temp.rpm_manifest('a 1-7.el8_fips'))),
    pg_temp.tar(pg_temp.file('etc/os-release', E'ID=ol\nVERSION_ID=8.9\n'))));
SELECT f.namespace, f.name, f.flavour FROM clair.image_feature AS f WHERE f.image_id = clair.image_id('repo:ol');

-- Leave nothing to other tests
SELECT count(clair.delete_image(name)) AS deleted FROM clair.image_name WHERE name LIKE 'repo:%';
SELECT clair.collect_garbage() IS NOT NULL AS collected;
SELECT count(*) AS sets FROM clair.repository_set;
DELETE FROM clair.repository_cpe;
