--
-- Proves what a finding is: namespace, kind, package, range and status; in both directions; and
-- that an image of which we know too little says so.
--
\set ON_ERROR_STOP on
BEGIN;
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, link, description)
VALUES
    ('debian', 'zlib', 'CVE-2031-0001', 'x', 1, 'https://example.org/1', 'one'),
    ('debian', 'zlib', 'CVE-2031-0002', 'x', 1, NULL, NULL),
    ('debian', 'zlib', 'CVE-2031-0003', 'x', 1, NULL, NULL),
    ('debian', 'zlib', 'CVE-2031-0004', 'x', 1, NULL, NULL),
    ('debian', 'bash', 'CVE-2031-0005', 'x', 1, NULL, NULL),
    ('debian', 'zlib', 'CVE-2031-0006', 'x', 1, NULL, NULL),
    ('debian', 'zlib', 'CVE-2031-0007', 'x', 1, NULL, NULL);
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status,
    severity)
SELECT v.id, a.number, a.namespace, a.kind::clair.package_kind, a.package, a.introduced::clair.version,
    a.fixed::clair.version, a.status::clair.status, a.severity::clair.severity
FROM clair.vulnerability AS v
    JOIN (VALUES
        -- name, number, namespace, kind, package, introduced, fixed, status, severity
        ('CVE-2031-0001', 1, 'debian:12', 'source', 'zlib', '-infinity', 'dpkg:1.3-1', 'fixed', 'High'),
        ('CVE-2031-0001', 2, 'debian:11', 'source', 'zlib', '-infinity', 'infinity', 'affected', 'Low'),
        ('CVE-2031-0002', 1, 'debian:12', 'source', 'zlib', '-infinity', 'dpkg:1.2-1', 'fixed', 'High'),
        ('CVE-2031-0003', 1, 'debian:12', 'source', 'zlib', '-infinity', '-infinity', 'not_affected', 'Unknown'),
        ('CVE-2031-0004', 1, 'debian:12', 'source', 'zlib', '-infinity', 'infinity', 'under_investigation', 'Unknown'),
        ('CVE-2031-0005', 1, 'debian:12', 'binary', 'bash', 'dpkg:5.0', 'infinity', 'will_not_fix', 'Medium'),
        ('CVE-2031-0006', 1, 'debian:12', 'source', 'zlib', 'dpkg:1.2-2', 'infinity', 'affected', 'Medium'),
        ('CVE-2031-0007', 1, 'debian:12', 'binary', 'zlib', '-infinity', 'infinity', 'affected', 'Medium')
    ) AS a(name, number, namespace, kind, package, introduced, fixed, status, severity)
        ON a.name = v.name;
INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first, started_at, finished_at)
VALUES ('debian', 1, 'test', 'succeeded', 'done', true, now(), now());

INSERT INTO clair.package_database (content, namespace, format)
VALUES ('sha256:a', 'debian:12', 'dpkg'), ('sha256:b', 'debian:9', 'dpkg'), ('sha256:c', 'unknown', 'dpkg');
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version, architecture)
SELECT d.id, f.number, d.namespace, f.name, f.version::clair.version, f.source_name, f.source_version::clair.version, 'amd64'
FROM clair.package_database AS d,
    (VALUES
        (1, 'zlib1g', 'dpkg:1.2-1+b1', 'zlib', 'dpkg:1.2-1'),
        (2, 'bash', 'dpkg:5.2-1', 'bash', 'dpkg:5.2-1'),
        (3, 'broken', NULL, 'zlib', NULL)
    ) AS f(number, name, version, source_name, source_version)
WHERE d.content IN ('sha256:a', 'sha256:b', 'sha256:c');
INSERT INTO clair.image (digest, platform, namespace, status)
VALUES
    ('sha256:1', 'linux/amd64', 'debian:12', 'ok'),
    ('sha256:2', 'linux/amd64', 'debian:9', 'ok'),
    ('sha256:3', 'linux/amd64', 'unknown', 'unknown_namespace'),
    ('sha256:4', 'linux/amd64', 'debian:12', 'no_package_database'),
    ('sha256:5', 'linux/amd64', 'debian:12', 'partial');
INSERT INTO clair.image_name (name, image_id)
SELECT 'image:' || right(digest, 1), id FROM clair.image WHERE digest ~ '^sha256:[1-5]$';
INSERT INTO clair.image_name (name, image_id)
SELECT 'image:one', id FROM clair.image WHERE digest = 'sha256:1';
INSERT INTO clair.image_database (image_id, position, path, location, database_id)
SELECT i.id, 1, 'var/lib/dpkg/status', 'var/lib/dpkg/status', d.id
FROM clair.image AS i
    JOIN clair.package_database AS d ON (i.digest, d.content) IN
        (('sha256:1', 'sha256:a'), ('sha256:2', 'sha256:b'), ('sha256:3', 'sha256:c'), ('sha256:5', 'sha256:a'));

-- Fixed later, never fixed, other namespaces, kinds, bounds and words
SELECT feature, installed_version, vulnerability, severity, fixed_in, status, updater, link, description
FROM clair.vulnerabilities('image:1')
ORDER BY vulnerability;

-- Where the source has no severity or description, the CVE's count
INSERT INTO clair.cve (cve, severity) VALUES ('CVE-2031-0001', 'Critical'), ('CVE-2031-0006', 'Critical');
INSERT INTO clair.cve_statement (cve, updater, digest, description)
VALUES ('CVE-2031-0001', 'nvd', 'x', 'not this'), ('CVE-2031-0006', 'cve_list', 'x', 'nor this'),
    ('CVE-2031-0006', 'nvd', 'x', 'this');
SAVEPOINT before;
UPDATE clair.feature SET source_version = 'dpkg:1.2-2' WHERE source_name = 'zlib' AND version IS NOT NULL;
SELECT vulnerability, severity, description FROM clair.vulnerabilities('image:1') ORDER BY vulnerability;
UPDATE clair.affected SET severity = 'Unknown';
SELECT vulnerability, severity, description FROM clair.vulnerabilities('image:1') ORDER BY vulnerability;
ROLLBACK TO before;

-- The lower bound is part of the range, the upper one is not
UPDATE clair.feature SET source_version = 'dpkg:1.2-2' WHERE source_name = 'zlib' AND version IS NOT NULL;
SELECT vulnerability FROM clair.vulnerabilities('image:1') WHERE feature = 'zlib1g' ORDER BY vulnerability;
UPDATE clair.feature SET source_version = 'dpkg:1.3-1' WHERE source_name = 'zlib' AND version IS NOT NULL;
SELECT vulnerability FROM clair.vulnerabilities('image:1') WHERE feature = 'zlib1g' ORDER BY vulnerability;

-- The other direction
SELECT names, namespace, feature, installed_version, severity, fixed_in, status
FROM clair.affected_images('CVE-2031-0006') ORDER BY names;
SELECT names FROM clair.affected_images('CVE-2031-0006', 'debian:12') ORDER BY names;
SELECT names FROM clair.affected_images('CVE-2031-0006', 'debian:11');
SELECT names FROM clair.affected_images('CVE-2031-0003');

-- What ended is no finding
UPDATE clair.vulnerability SET until_run = 2 WHERE name = 'CVE-2031-0006';
UPDATE clair.affected SET until_run = 2 WHERE vulnerability_id IN (SELECT id FROM clair.vulnerability WHERE until_run = 2);
SELECT vulnerability FROM clair.vulnerabilities('image:1') ORDER BY vulnerability;

-- Never silence: what keeps us from knowing is in the answer
SELECT name, v.namespace, v.vulnerability, v.status, v.updater
FROM clair.image_name AS n, LATERAL clair.vulnerabilities(n.name) AS v
WHERE name IN ('image:2', 'image:3', 'image:4', 'image:5') AND v.vulnerability IS NULL
ORDER BY name;
UPDATE clair.update_run SET finished_at = now() - interval '1 year' WHERE updater = 'debian';
SELECT vulnerability, status FROM clair.vulnerabilities('image:1') ORDER BY vulnerability;
INSERT INTO clair.frozen_namespace (updater, namespace, run) VALUES ('debian', 'debian:12', 2);
SELECT vulnerability, status FROM clair.vulnerabilities('image:1') ORDER BY vulnerability;
ROLLBACK;

-- An image that does not exist is an error, not an empty answer
\set ON_ERROR_STOP off
SELECT * FROM clair.vulnerabilities('no such image');
SELECT * FROM clair.features('sha256:0000');
SELECT * FROM clair.vulnerabilities('0');
