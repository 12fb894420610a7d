/*
 * A fleet to match: 1,000,000 current affected ranges in 25 namespaces, an image of 400 packages,
 * and 10,000 images over 500 package databases of which 50 have a package of their own, so that
 * one advisory hits 1,000 images. Deterministic; run in a database with an empty extension.
 */
DO $$ BEGIN PERFORM setseed(0.5); END $$;

-- 8,000 packages per namespace with 5 ranges on average, a few with very many, as a kernel has.
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, link, description)
SELECT 'debian', 'record-' || i, 'CVE-2031-' || i, '', 1, 'https://tracker.example.org/CVE-2031-' || i,
    repeat('A flaw that was made for a benchmark. ', 1 + i % 8)
FROM generate_series(1, 40000) AS i;

INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status,
    severity)
SELECT
    v.id, n, 'debian:' || n, 'source',
    CASE WHEN v.id % 40 = 0 THEN 'linux' ELSE 'package-' || (v.id % 8000) END,
    '-infinity',
    CASE WHEN v.id % 4 = 0 THEN clair.version 'infinity'
         ELSE clair.dpkg(format('%s.%s.%s-%s', v.id % 3, (v.id * 7) % 20, (v.id * 13) % 10, n)) END,
    CASE WHEN v.id % 4 = 0 THEN 'affected' ELSE 'fixed' END::clair.status,
    'Medium'
FROM clair.vulnerability AS v, generate_series(1, 25) AS n
ORDER BY 3, 5, 7;

INSERT INTO clair.package_database (content, namespace, format)
SELECT 'sha256:' || i, 'debian:12', 'dpkg' FROM generate_series(0, 500) AS i;

-- The first database has 400 packages, the others 100 each.
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version,
    architecture)
SELECT d.id, n, d.namespace, 'lib-' || p.package, p.version, p.package, p.version, 'amd64'
FROM clair.package_database AS d,
    generate_series(1, 400) AS n,
    LATERAL (
        SELECT CASE WHEN n = 1 AND d.content = 'sha256:0' THEN 'linux'
                    WHEN n = 2 AND d.id % 10 = 0 THEN 'rare'
                    ELSE 'package-' || (n * 17 + d.id * 3) % 8000 END AS package,
            clair.dpkg(format('1.%s.%s-%s', n % 20, d.id % 10, n % 30)) AS version
    ) AS p
WHERE n <= 100 OR d.content = 'sha256:0'
ORDER BY d.id, n;

INSERT INTO clair.image (digest, platform, namespace, status)
SELECT 'sha256:' || i, 'linux/amd64', 'debian:12', 'ok' FROM generate_series(0, 10000) AS i;

INSERT INTO clair.image_database (image_id, position, path, location, database_id)
SELECT i.id, 1, 'var/lib/dpkg/status', 'var/lib/dpkg/status', d.id
FROM clair.image AS i
    JOIN clair.package_database AS d
        ON d.content = CASE WHEN i.digest = 'sha256:0' THEN 'sha256:0'
                            ELSE 'sha256:' || (1 + i.id % 500) END;

INSERT INTO clair.vulnerability (updater, record, name, digest, since_run)
VALUES ('debian', 'rare', 'CVE-2031-RARE', '', 2);
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status,
    severity)
SELECT id, 1, 'debian:12', 'source', 'rare', '-infinity', 'infinity', 'affected', 'High'
FROM clair.vulnerability
WHERE name = 'CVE-2031-RARE';

-- Every tenth vulnerability has an exception, half of them for other packages.
INSERT INTO clair.exception (vulnerability, package, kind, reason, author)
SELECT 'CVE-2031-' || i, CASE WHEN i % 20 = 0 THEN 'package-0' END, 'accepted_risk', 'text', 'somebody'
FROM generate_series(10, 40000, 10) AS i;

VACUUM ANALYZE;
