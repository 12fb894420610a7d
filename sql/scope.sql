--
-- Proves what a scope asks of a feature: architecture, module, flavour, repository, each alone and in
-- every answer that it can get; and that findings are found by advisories and other names.
--
\set ON_ERROR_STOP on
BEGIN;
INSERT INTO clair.scope (digest, architectures, module, flavour, repositories)
VALUES
    ('any', NULL, NULL, NULL, NULL),
    ('x86_64', '{i686,x86_64}', NULL, NULL, NULL),
    ('no module', NULL, '', NULL, NULL),
    ('module', NULL, 'nodejs:12', NULL, NULL),
    ('ordinary', NULL, NULL, '', NULL),
    ('fips', NULL, NULL, 'fips', NULL),
    ('repository', NULL, NULL, NULL, '{cpe:/a:redhat:enterprise_linux:9,rhel:9}'),
    ('layered', NULL, NULL, NULL, '{cpe:/a:redhat:openshift:4.12,cpe:/a:redhat:openstack:16}'),
    ('all', '{x86_64}', 'nodejs:12', '', '{cpe:/a:redhat:enterprise_linux:9::appstream}');
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, aliases)
SELECT 'debian', digest, digest, 'x', 1, CASE digest WHEN 'any' THEN '{USN-1-1,USN-2-1}'::text[] END FROM clair.scope;
INSERT INTO clair.affected (vulnerability_id, number, scope_id, namespace, kind, package, introduced, fixed, status,
    severity, advisory)
SELECT v.id, 0, s.id, 'rhel:9', k.kind, 'p', '-infinity', 'rpm:2-1', 'fixed', 'High',
    CASE WHEN s.digest = 'module' THEN 'RHSA-2031:0001' END
FROM clair.vulnerability AS v
    JOIN clair.scope AS s ON s.digest = v.name,
    (VALUES ('binary'::clair.package_kind)) AS k(kind);

-- One feature each, in an image each.
INSERT INTO clair.package_database (content, namespace, format)
SELECT 'sha256:' || n, CASE WHEN n = 9 THEN 'centos:9' ELSE 'rhel:9' END, 'rpm' FROM generate_series(1, 9) AS n;
INSERT INTO clair.repository_set (digest, repositories, cpes)
VALUES
    ('r1', '{appstream}', '{cpe:/a:redhat:enterprise_linux,cpe:/a:redhat:enterprise_linux:9,cpe:/a:redhat:enterprise_linux:9::appstream}'),
    ('r2', '{openstack}', '{cpe:/a:redhat:openstack,cpe:/a:redhat:openstack:16,cpe:/a:redhat:openstack:16::el9}'),
    ('r3', '{unheard-of}', '{}');
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version, architecture,
    module, flavour)
SELECT d.id, 1, 'rhel:9', 'p', 'rpm:1-1', 'p', 'rpm:1-1', f.architecture, f.module, f.flavour
FROM clair.package_database AS d
    JOIN (VALUES
        (1, 'x86_64', NULL, ''),
        (2, 'aarch64', NULL, ''),
        (3, 'noarch', NULL, ''),
        (4, 'x86_64', 'nodejs:12', ''),
        (5, 'x86_64', 'nodejs:14', ''),
        (6, 'x86_64', NULL, 'fips'),
        (7, 'x86_64', 'nodejs:12', ''),
        (8, 'x86_64', NULL, ''),
        (9, 'x86_64', NULL, '')
    ) AS f(n, architecture, module, flavour) ON d.content = 'sha256:' || f.n;
INSERT INTO clair.image (digest, platform, namespace, status)
SELECT d.content, 'linux/amd64', d.namespace, 'ok' FROM clair.package_database AS d WHERE d.content ~ '^sha256:[1-9]$';
INSERT INTO clair.image_name (name, image_id)
SELECT m.name, i.id
FROM clair.image AS i
    JOIN (VALUES (1, '1 plain'), (2, '2 other architecture'), (3, '3 noarch'), (4, '4 module'), (5, '5 other stream'),
        (6, '6 fips'), (7, '7 module, appstream'), (8, '8 openstack'), (9, '9 unheard-of, centos'))
        AS m(n, name) ON i.digest = 'sha256:' || m.n;
INSERT INTO clair.image_database (image_id, position, path, location, database_id, repository_set)
SELECT i.id, 1, 'p', 'p', d.id,
    (SELECT r.id FROM clair.repository_set AS r WHERE r.digest = CASE d.content WHEN 'sha256:7' THEN 'r1'
        WHEN 'sha256:8' THEN 'r2' WHEN 'sha256:9' THEN 'r3' END)
FROM clair.image AS i
    JOIN clair.package_database AS d ON d.content = i.digest;

-- Which ranges are about which feature
SELECT n.name AS image, v.namespace, array_agg(v.vulnerability ORDER BY v.vulnerability COLLATE "C") AS scopes
FROM clair.image_name AS n
    JOIN clair.image_vulnerability AS v ON v.image_id = n.image_id
WHERE n.name ~ '^[1-9] '
GROUP BY n.name, v.namespace
ORDER BY n.name COLLATE "C";

-- An advisory's name means the ranges that it brings, another name of a vulnerability all of it
SELECT names, severity FROM clair.affected_images('RHSA-2031:0001') ORDER BY names;
SELECT count(*) FROM clair.affected_images('USN-2-1');
SELECT count(*) FROM clair.affected_images('any');
SELECT count(*) FROM clair.affected_images('USN-3-1');
SELECT vulnerability, advisory FROM clair.vulnerabilities('4 module') WHERE advisory IS NOT NULL;
ROLLBACK;
