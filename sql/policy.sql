--
-- Proves which findings violate a policy: by each threshold alone and together, by what is left out,
-- and by gaps in what is known; that an exception spares a finding; and who may set policies.
--
\set ON_ERROR_STOP on
BEGIN;
INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first, started_at, finished_at)
SELECT updater, request, 'test', 'succeeded', 'done', false, now() - days * interval '1 day', now()
FROM (VALUES ('debian', 1, 50), ('debian', 2, 40), ('debian', 3, 5), ('nvd', 4, 1), ('epss', 5, 1), ('kev', 6, 1))
    AS run(updater, request, days);
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, until_run)
SELECT 'debian', 'p', v.name, 'x', COALESCE((SELECT r.id FROM clair.update_run AS r WHERE r.request = v.since), 0),
    (SELECT r.id FROM clair.update_run AS r WHERE r.request = v.until)
FROM (VALUES ('CVE-2031-0001', 3, NULL), ('CVE-2031-0002', 1, NULL), ('CVE-2031-0003', 2, NULL),
    ('CVE-2031-0004', 1, 3), ('CVE-2031-0004', 3, NULL), ('CVE-2031-0005', NULL, NULL)) AS v(name, since, until);
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
SELECT v.id, 1, 'debian:12', 'source', 'p', '-infinity', a.fixed::clair.version, a.status::clair.status,
    a.severity::clair.severity
FROM clair.vulnerability AS v
    JOIN (VALUES
        ('CVE-2031-0001', 'dpkg:2', 'fixed', 'Critical'),
        ('CVE-2031-0002', 'infinity', 'affected', 'High'),
        ('CVE-2031-0003', 'dpkg:2', 'fixed', 'Medium'),
        ('CVE-2031-0004', 'dpkg:2', 'fixed', 'Low'),
        ('CVE-2031-0005', 'infinity', 'affected', 'Unknown')
    ) AS a(name, fixed, status, severity) ON a.name = v.name
WHERE v.until_run IS NULL;
INSERT INTO clair.cve (cve, severity, updater, metric)
SELECT 'CVE-2031-000' || n, NULL, 'nvd', 0 FROM generate_series(1, 3) AS n;
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, score, severity)
VALUES ('CVE-2031-0001', 'nvd', 0, 'x', 'Primary', '3.1', 9.8, 'Critical'),
    ('CVE-2031-0002', 'nvd', 0, 'x', 'Primary', '3.1', 7.5, 'High'),
    ('CVE-2031-0003', 'nvd', 0, 'x', 'Primary', '3.1', 5.0, 'Medium');
INSERT INTO clair.cve_statement (cve, updater, digest, published)
VALUES ('CVE-2031-0001', 'nvd', 'x', now() - interval '100 days'),
    ('CVE-2031-0002', 'nvd', 'x', now() - interval '10 days');
INSERT INTO clair.epss (cve, score) VALUES ('CVE-2031-0001', 0.75), ('CVE-2031-0002', 0.125), ('CVE-2031-0003', 0.5);
INSERT INTO clair.kev (cve, updater, date_added, ransomware) VALUES ('CVE-2031-0001', 'kev', '2031-01-01', false);
INSERT INTO clair.package_database (content, namespace, format) VALUES ('sha256:a', 'debian:12', 'dpkg');
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version, architecture)
SELECT id, 1, namespace, 'libp', 'dpkg:1', 'p', 'dpkg:1', 'amd64' FROM clair.package_database WHERE content = 'sha256:a';
INSERT INTO clair.image (digest, platform, namespace, status)
VALUES ('sha256:1', 'linux/amd64', 'debian:12', 'ok'), ('sha256:2', 'linux/amd64', 'debian:9', 'ok');
INSERT INTO clair.image_name (name, image_id)
SELECT CASE digest WHEN 'sha256:1' THEN 'web' ELSE 'gap' END, id FROM clair.image WHERE digest IN ('sha256:1', 'sha256:2');
INSERT INTO clair.image_database (image_id, position, path, location, database_id)
SELECT i.id, 1, 'var/lib/dpkg/status', 'var/lib/dpkg/status', d.id
FROM clair.image AS i, clair.package_database AS d
WHERE i.digest = 'sha256:1' AND d.content = 'sha256:a';

-- What comes with the extension, and what is made
INSERT INTO clair.policy (name, description) VALUES ('all', 'thresholds that are not given');
INSERT INTO clair.policy (name, minimum_severity) VALUES ('severity', 'High');
INSERT INTO clair.policy (name, minimum_score) VALUES ('score', 5);
INSERT INTO clair.policy (name, minimum_epss) VALUES ('epss', 0.5);
INSERT INTO clair.policy (name, exploited) VALUES ('exploited', true);
INSERT INTO clair.policy (name, fixable_only) VALUES ('fix', true);
INSERT INTO clair.policy (name, grace_days) VALUES ('grace', 30);
INSERT INTO clair.policy (name, minimum_severity, minimum_epss) VALUES ('either', 'High', 0.5);
INSERT INTO clair.policy (name, minimum_severity, minimum_score, minimum_epss, exploited, fixable_only, grace_days)
VALUES ('together', 'High', 5, 0.5, true, true, 30);
SELECT * FROM clair.policy ORDER BY name COLLATE "C";

-- The findings that violate each
SELECT p.name, string_agg(right(c.vulnerability, 1), ' ' ORDER BY c.vulnerability) AS violations
FROM clair.policy AS p
    LEFT JOIN LATERAL clair.check_image('web', p.name) AS c ON true
GROUP BY p.name
ORDER BY p.name COLLATE "C";
SELECT vulnerability, feature, installed_version, fixed_in, severity, why FROM clair.check_image('web', 'together')
ORDER BY vulnerability;
SELECT vulnerability, why FROM clair.check_image('web', 'all') ORDER BY vulnerability;
SELECT clair.assert_image('web', 'exploited') FROM clair.create_exception('CVE-2031-0001', 'isolated network');
SELECT name, count(c) FROM unnest('{default,fixable,all}'::text[]) AS name
    LEFT JOIN LATERAL clair.check_image('web', name) AS c ON true GROUP BY name ORDER BY name;
SELECT clair.end_exception(id) FROM clair.exception WHERE reason = 'isolated network';

-- Gaps violate, unless the policy says otherwise; also those in what thresholds need
SELECT vulnerability, why FROM clair.check_image('gap');
UPDATE clair.policy SET gaps = false WHERE name = 'default';
SELECT vulnerability, why FROM clair.check_image('gap');
DELETE FROM clair.policy WHERE name = 'default';
SELECT vulnerability, why FROM clair.check_image('gap');
UPDATE clair.update_run SET finished_at = now() - interval '3 days' WHERE updater = 'epss';
DELETE FROM clair.update_run WHERE updater IN ('kev', 'nvd');
SELECT p.name, string_agg(c.why, ', ' ORDER BY c.why) AS gaps
FROM clair.policy AS p
    JOIN LATERAL clair.check_image('web', p.name) AS c ON c.vulnerability IS NULL
GROUP BY p.name
ORDER BY p.name COLLATE "C";
INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first, started_at, finished_at)
VALUES ('cve_list', 1, 'test', 'succeeded', 'done', true, now(), now());
SELECT count(*) AS gaps FROM clair.check_image('web', 'score') WHERE vulnerability IS NULL;

-- What a pipeline sees
\set ON_ERROR_STOP off
\set SHOW_CONTEXT never
SAVEPOINT a;
SELECT clair.assert_image('web', 'severity');
\echo :SQLSTATE
ROLLBACK TO a;
SELECT clair.assert_image('gap');
ROLLBACK TO a;
SELECT clair.assert_image('web', 'none such');
ROLLBACK TO a;
SELECT clair.check_image('web', NULL);
ROLLBACK TO a;
SELECT clair.check_image('none such', 'severity');
ROLLBACK TO a;
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
SELECT (SELECT id FROM clair.vulnerability WHERE name = 'CVE-2031-0005'), 1 + n, 'debian:12', 'source', 'p', '-infinity', 'infinity',
    'affected', 'Defcon1'
FROM generate_series(1, 9) AS n;
SELECT clair.assert_image('web', 'severity');
ROLLBACK TO a;

-- What a policy cannot be
\set VERBOSITY terse
INSERT INTO clair.policy (name) VALUES ('severity');
ROLLBACK TO a;
INSERT INTO clair.policy (name) VALUES ('default');
ROLLBACK TO a;
INSERT INTO clair.policy (name) VALUES (NULL);
ROLLBACK TO a;
INSERT INTO clair.policy (name, minimum_score) VALUES ('x', 11);
ROLLBACK TO a;
INSERT INTO clair.policy (name, minimum_epss) VALUES ('x', 2);
ROLLBACK TO a;
INSERT INTO clair.policy (name, grace_days) VALUES ('x', -1);
ROLLBACK TO a;
INSERT INTO clair.policy (name, gaps) VALUES ('x', NULL);
ROLLBACK TO a;
UPDATE clair.policy SET name = 'x' WHERE name = 'severity';
ROLLBACK TO a;
DELETE FROM clair.policy WHERE name = 'strict';
ROLLBACK TO a;

-- Who may: what the view grants, and nothing on the table below it
CREATE ROLE regress_clair_policy;
GRANT USAGE ON SCHEMA clair TO regress_clair_policy;
GRANT SELECT, INSERT, UPDATE ON clair.policy TO regress_clair_policy;
GRANT SELECT ON clair.own_policy, clair.builtin_policy TO regress_clair_policy;
SET ROLE regress_clair_policy;
SAVEPOINT b;
UPDATE clair.policy SET minimum_severity = 'Low' WHERE name = 'default';
INSERT INTO clair.policy (name) VALUES ('mine');
SELECT name, minimum_severity, set_by FROM clair.own_policy WHERE name IN ('default', 'mine') ORDER BY name;
DELETE FROM clair.policy WHERE name = 'mine';
ROLLBACK TO b;
INSERT INTO clair.own_policy (name) VALUES ('x');
ROLLBACK TO b;
SELECT clair.check_image('web');
ROLLBACK TO b;
SELECT clair.assert_image('web');
ROLLBACK TO b;
SELECT clair.create_exception('CVE-2031-0001', 'x');
ROLLBACK TO b;
SELECT clair.end_exception(1);
ROLLBACK TO b;
RESET ROLE;
GRANT EXECUTE ON FUNCTION clair.create_exception, clair.end_exception TO regress_clair_policy;
SET ROLE regress_clair_policy;
SELECT clair.create_exception('CVE-2031-0001', 'allowed') > 0 AS made;
SELECT * FROM clair.exception;
ROLLBACK TO b;
RESET ROLE;
ROLLBACK;
