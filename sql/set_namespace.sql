--
-- Proves what the versions of rpm packages say of an image, and that an operator can say otherwise.
--
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;

-- What more than half of the packages were built for
SELECT what, clair.namespace_of_versions(versions, vendors)
FROM (VALUES
    ('one', '{1.0-1.el7}'::text[], '{Red Hat}'::text[]),
    ('without a vendor', '{1.0-1.el9_2}', '{NULL}'),
    ('of a vendor', '{1.0-1.el9,1.0-2.el9_4}', '{Rocky Enterprise Software Foundation,Rocky}'),
    ('others among them', '{1.0-1.el8,2.0-3.el8,3.0-1.fc40}', '{CentOS,CentOS,Fedora Project}'),
    ('a module', '{3:1.0-1.module+el8.4.0+534}', '{"Red Hat, Inc."}'),
    ('half of them', '{1.0-1.el8,1.0-1.fc40}', '{CentOS,Fedora Project}'),
    ('most have none', '{1.0-1.el8,1.0-1,1.0-2}', '{CentOS,CentOS,CentOS}'),
    ('amazon', '{1.0-1.amzn2.0.1}', '{Amazon Linux}'),
    ('amazon 1', '{1.0-1.13.amzn1}', '{Amazon.com}'),
    ('amazon 2023', '{1.0-1.amzn2023.0.3}', '{Amazon Linux}'),
    ('oracle', '{1.0-1.0.1.el8}', '{Oracle America}'),
    ('photon', '{1.0-1.ph3}', '{VMware}'),
    ('mariner', '{1.0-1.cm2}', '{Microsoft Corporation}'),
    ('azure', '{1.0-1.azl3}', '{Microsoft Corporation}'),
    ('leap', '{1.0-lp151.4.3}', '{openSUSE}'),
    ('a tag in the version', '{1.0.el8-1}', '{CentOS}'),
    ('what only looks like a tag', '{1.0-1.el7a,1.0-1.fuel8,1.0-1.amzn20}', '{a,b,c}'),
    ('no packages', '{}', '{}'),
    ('nothing', NULL, NULL)
) AS v(what, versions, vendors);

-- What is a namespace
SELECT n, clair.is_namespace(n)
FROM unnest('{debian:12,debian:unstable,debian:12.5,debian:,debian,alpine:v3.20,alpine:3.20,alpine:edge,ubuntu:22.04,
    ubuntu:22,wolfi:rolling,wolfi:1,amzn:2018.03,rhel:9,rhel:9.4,unheard-of:1,unknown,:,""}'::text[]) AS n;
SELECT clair.is_namespace(NULL);

CREATE FUNCTION pg_temp.rpm_manifest(VARIADIC packages text[])
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.file('var/lib/rpmmanifest/container-manifest-2', string_agg(format(
        E'%s\t%s\t1\t2\tCentOS\t(none)\t1\tx86_64\t0\t%s-%s.src.rpm\n',
        split_part(p, ' ', 1), split_part(p, ' ', 2), split_part(p, ' ', 1), split_part(p, ' ', 2)), ''))
    FROM unnest(packages) AS p
$$;
CREATE FUNCTION pg_temp.state(image text, OUT namespace text, OUT detected text, OUT features text)
LANGUAGE sql
AS $$
    SELECT i.namespace, i.detected_namespace,
        (SELECT string_agg(concat_ws(' ', base.namespace, f.namespace, f.name, f.version, f.invalid_version,
                NULLIF(f.flavour, '')), ', ' ORDER BY f.name)
         FROM clair.image_database AS d
             JOIN clair.package_database AS base ON base.id = d.database_id
             JOIN clair.feature AS f ON f.database_id = d.database_id
         WHERE d.image_id = i.id)
    FROM clair.image AS i
    WHERE i.id = clair.image_id(state.image)
$$;

-- Images without release files: their packages say it, whether they are new or known
SELECT namespace, features
FROM clair.index_image(pg_temp.docker('ns:tags', pg_temp.tar(pg_temp.rpm_manifest('bash 4.2-1.el7', 'vim 8-1.el7'))));
SELECT namespace, layers_read, features
FROM clair.index_image(pg_temp.docker('ns:known', pg_temp.tar(pg_temp.rpm_manifest('bash 4.2-1.el7', 'vim 8-1.el7')),
    pg_temp.tar(pg_temp.file('tmp/x', 'x'))));
SELECT namespace, status
FROM clair.index_image(pg_temp.docker('ns:none', pg_temp.tar(pg_temp.rpm_manifest('bash 4.2-1', 'vim 8-1.el7'))));
SELECT * FROM pg_temp.state('ns:tags');

-- An operator says otherwise
SELECT namespace, status FROM clair.index_image(pg_temp.docker('ns:debian', pg_temp.tar(
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'vim 9.0+esm1', 'bad a:1')))));
SELECT clair.set_namespace('ns:debian', 'debian:12');
SELECT * FROM pg_temp.state('ns:debian');
SELECT status FROM clair.image WHERE id = clair.image_id('ns:debian');
SELECT clair.set_namespace('ns:debian', 'ubuntu:22.04');
SELECT namespace, features FROM pg_temp.state('ns:debian');
SELECT clair.set_namespace('ns:debian', 'ubuntu:22.04') AS again;
SELECT namespace, features FROM pg_temp.state('ns:debian');
SELECT n.digest = i.digest AS by_digest, n.namespace, n.set_by = session_user AS set_by
FROM clair.image_namespace AS n, clair.image AS i
WHERE i.id = clair.image_id('ns:debian');
SELECT namespace, count(*) FROM clair.features('ns:debian') GROUP BY 1;

-- ... also of an image that is indexed anew
SELECT clair.delete_image('ns:debian') IS NOT NULL AS deleted;
SELECT namespace FROM clair.index_image(pg_temp.docker('ns:debian', pg_temp.tar(
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'vim 9.0+esm1', 'bad a:1')))));
SELECT * FROM pg_temp.state('ns:debian');

-- ... and changes nothing for others with the same packages; undone, the image speaks for itself
SELECT clair.set_namespace('ns:tags', 'oracle:7');
SELECT n.name, s.* FROM unnest('{ns:tags,ns:known}'::text[]) AS n(name), pg_temp.state(n.name) AS s;
SELECT clair.set_namespace('ns:tags', NULL), clair.set_namespace('ns:debian', NULL);
SELECT n.name, s.* FROM unnest('{ns:tags,ns:known,ns:debian}'::text[]) AS n(name), pg_temp.state(n.name) AS s;
SELECT status FROM clair.image WHERE id = clair.image_id('ns:debian');
SELECT count(*) AS given FROM clair.image_namespace;

-- What it does not take
SELECT clair.set_namespace('ns:tags', 'unheard-of:1');
SELECT clair.set_namespace('ns:tags', 'debian:12.5');
SELECT clair.set_namespace('ns:unheard-of', 'debian:12');
SELECT clair.set_namespace(NULL, 'debian:12') IS NULL AS nothing;

-- Leave nothing to other tests
SELECT count(clair.delete_image(name)) AS deleted FROM clair.image_name WHERE name LIKE 'ns:%';
SELECT clair.collect_garbage() IS NOT NULL AS collected;
