--
-- Proves that local advisories are rows which are added, changed and withdrawn by statements, take
-- effect with them, and leave a history; and what is refused.
--
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE VIEW pg_temp.said AS
SELECT v.record, v.name, v.aliases, a.namespace, a.kind, a.package, a.introduced, a.fixed, a.status, a.severity,
    a.advisory, s.architectures, s.module, s.flavour, s.repositories
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    LEFT JOIN clair.scope AS s ON s.id = a.scope_id
WHERE v.updater = 'local' AND v.until_run IS NULL AND a.until_run IS NULL;

-- Added: each statement is a run.
INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed, severity)
VALUES ('ACME-1', 'debian:12', 'zlib', '1:1.3-1', 'High'), ('ACME-2', 'rhel:9', 'curl', NULL, NULL)
RETURNING id, vulnerability, set_by = current_user AS by_me, set_at IS NOT NULL AS has_time;
INSERT INTO clair.local_advisory (vulnerability, namespace, package, introduced, last_affected, kind, advisory, aliases,
    link, description, architectures, module, flavour, repositories, status)
VALUES ('CVE-2031-1', 'alpine:v3.20', 'bash', '5.1-r0', '5.2-r1', 'binary', 'A-1', '{Y,X,Y}', 'https://example.org/',
    'text', '{x86_64,aarch64}', 'm:1', '', '{b,a}', 'deferred')
RETURNING id;
SELECT * FROM pg_temp.said ORDER BY record::integer;
SELECT updater, state, phase, first, records, added, changed, withdrawn FROM clair.update_run ORDER BY id;
SELECT link, description, since_run, until_run FROM clair.vulnerability WHERE name = 'CVE-2031-1';

-- Changed and withdrawn; what stays as it is does not count.
UPDATE clair.local_advisory SET fixed = '1:1.3-2', severity = 'Low' WHERE vulnerability = 'ACME-1' RETURNING id, fixed;
UPDATE clair.local_advisory SET severity = severity;
UPDATE clair.local_advisory SET severity = 'Medium' WHERE vulnerability = 'nothing';
DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-2' RETURNING id, vulnerability;
SELECT id, vulnerability, namespace, package, fixed, severity FROM clair.local_advisory ORDER BY id;
SELECT record, name, fixed, severity FROM pg_temp.said ORDER BY record::integer;
SELECT records, added, changed, withdrawn FROM clair.update_run ORDER BY id OFFSET 2;
SELECT name, since_run, until_run, (SELECT array_agg(DISTINCT a.until_run) FROM clair.affected AS a
    WHERE a.vulnerability_id = v.id) AS ranges FROM clair.vulnerability AS v ORDER BY id;
SELECT vulnerability, change, changes FROM clair.update_diff('local', 1) ORDER BY vulnerability;
SELECT count(*) AS advisories, count(run) AS applied FROM clair.own_advisory;

-- A transaction that is rolled back leaves nothing; a later statement sees what an earlier one did.
BEGIN;
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('ACME-3', 'debian:12', 'bash');
UPDATE clair.local_advisory SET package = 'dash' WHERE vulnerability = 'ACME-3';
SELECT name, package FROM pg_temp.said WHERE name = 'ACME-3';
DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-3';
SELECT count(*) FROM pg_temp.said WHERE name = 'ACME-3';
ROLLBACK;
SELECT count(*) FROM clair.vulnerability WHERE name = 'ACME-3';

-- Many at once: one run.
SELECT max(id) AS last FROM clair.update_run \gset
INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed)
VALUES ('ACME-4', 'debian:12', 'bash', '5.2-2'), ('ACME-4', 'debian:11', 'bash', '5.1-2');
INSERT INTO clair.local_advisory (vulnerability, namespace, package)
SELECT 'MANY-' || n, 'debian:12', 'package' || n FROM generate_series(1, 1000) AS n;
DELETE FROM clair.local_advisory WHERE vulnerability LIKE 'MANY-%';
SELECT added, changed, withdrawn FROM clair.update_run WHERE id > :last ORDER BY id;
SELECT name, namespace, fixed FROM pg_temp.said WHERE name = 'ACME-4' ORDER BY namespace;

-- What is refused: the rules are those of functions that are updaters.
INSERT INTO clair.local_advisory (vulnerability) VALUES ('X');
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('X', 'debian', 'a');
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('X', 'centos:9', 'a');
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES (NULL, 'debian:12', 'a');
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('X', 'debian:12', 'a b');
INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed) VALUES ('X', 'debian:12', 'a', '1 2');
INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed) VALUES ('X', 'alpine:edge', 'a', 'one');
INSERT INTO clair.local_advisory (vulnerability, namespace, package, status) VALUES ('X', 'debian:12', 'a', 'fixed');
INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed, introduced) VALUES ('X', 'debian:12', 'a', '1', '1');
INSERT INTO clair.local_advisory (id, vulnerability, namespace, package) VALUES (1, 'X', 'debian:12', 'a');
UPDATE clair.local_advisory SET id = 99 WHERE vulnerability = 'ACME-1';
UPDATE clair.local_advisory SET namespace = NULL WHERE vulnerability = 'ACME-1';
UPDATE clair.local_advisory SET fixed = ' ' WHERE vulnerability = 'ACME-1';
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('GOOD', 'debian:12', 'a'), ('BAD', 'debian:12', '');
SELECT clair.create_updater('local', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.update('local');
SELECT count(*) FROM pg_temp.said;
SELECT clair.version_problem('dpkg', '1:2'), clair.version_problem('dpkg', ''), clair.version_problem('apk', '1.a.b'),
    clair.version_problem('rpm', 'a b'), clair.version_problem('rpm', NULL);
SELECT clair.version_problem('deb', '1');

-- Who may do what.
CREATE ROLE regress_clair_nobody;
CREATE ROLE regress_clair_analyst;
GRANT USAGE ON SCHEMA clair TO regress_clair_nobody, regress_clair_analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON clair.local_advisory TO regress_clair_analyst;
SET ROLE regress_clair_nobody;
SELECT count(*) FROM clair.local_advisory;
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('X', 'debian:12', 'a');
DELETE FROM clair.local_advisory;
SET ROLE regress_clair_analyst;
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('ACME-5', 'debian:12', 'a') RETURNING set_by;
UPDATE clair.local_advisory SET severity = 'Critical' WHERE vulnerability = 'ACME-1' RETURNING set_by;
DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-5';
SELECT count(*) FROM clair.own_advisory;
INSERT INTO clair.own_advisory (vulnerability, namespace, package, set_by) VALUES ('X', 'debian:12', 'a', 'x');
INSERT INTO clair.local_advisory (vulnerability, namespace, package, run) VALUES ('X', 'debian:12', 'a', 1);
INSERT INTO clair.local_advisory (vulnerability, namespace, package, set_by, set_at)
VALUES ('ACME-6', 'debian:12', 'a', 'somebody', 'epoch') RETURNING set_by, set_at > 'today' AS is_now;
UPDATE clair.local_advisory SET set_by = 'somebody' WHERE vulnerability = 'ACME-6' RETURNING set_by;
RESET ROLE;
SELECT requested_by, added, changed, withdrawn FROM clair.update_run ORDER BY id DESC LIMIT 3;

-- History that is forgotten is known to be.
SELECT * FROM clair.forget_history('-1 hour');
SELECT clair.update_diff('local', 1);
SELECT count(*) FROM pg_temp.said;
DELETE FROM clair.local_advisory;
REVOKE ALL ON SCHEMA clair FROM regress_clair_nobody, regress_clair_analyst;
DROP OWNED BY regress_clair_analyst;
DROP ROLE regress_clair_nobody, regress_clair_analyst;
TRUNCATE clair.update_run, clair.updater_state, clair.vulnerability, clair.affected, clair.broken_record,
    clair.own_advisory, clair.scope RESTART IDENTITY;
