--
-- Proves that updaters are read, set and run as documented: what the view takes and refuses, who
-- may do what, and how one feed after the other becomes advisories with their history.
--
\set VERBOSITY terse
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
SELECT * FROM clair.updater WHERE name IN ('alpine', 'debian') ORDER BY name;
SELECT updater, state, fresh, last_success, last_run FROM clair.update_status
WHERE updater IN ('alpine', 'debian') ORDER BY updater;

-- What the view takes: what differs is stored, null goes back to what the extension brings.
UPDATE clair.updater SET enabled = false, options = '{"hosts": ["a.example.org", "b-1"], "max_shrinkage": 35,
    "parallel": 2, "proxy": "", "user_agent": "test", "stale_after": "1 hour"}' WHERE name = 'alpine';
SELECT * FROM clair.updater WHERE name = 'alpine';
SELECT name, url, enabled, options ->> 'parallel' AS parallel, set_by = current_user AS is_mine
FROM clair.updater_setting;
SELECT stale_after FROM clair.update_status WHERE updater = 'alpine';
UPDATE clair.updater SET enabled = NULL, options = NULL WHERE name = 'alpine';
SELECT * FROM clair.updater WHERE name = 'alpine';

-- What it refuses.
UPDATE clair.updater SET name = 'other' WHERE name = 'alpine';
UPDATE clair.updater SET format = 'secdb' WHERE name = 'alpine';
UPDATE clair.updater SET namespaces = '{%}' WHERE name = 'alpine';
UPDATE clair.updater SET url = 'ftp://example.org/' WHERE name = 'alpine';
UPDATE clair.updater SET url = 'example.org' WHERE name = 'alpine';
UPDATE clair.updater SET url = 'file://elsewhere/srv' WHERE name = 'alpine';
UPDATE clair.updater SET url = 'https://example.org/a b' WHERE name = 'alpine';
UPDATE clair.updater SET options = '[]' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"colour": "red"}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"hosts": "a.example.org"}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"hosts": ["a b"]}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"max_shrinkage": 101}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"parallel": 0}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"proxy": 1}' WHERE name = 'alpine';
UPDATE clair.updater SET options = '{"stale_after": "soon"}' WHERE name = 'alpine';
DELETE FROM clair.updater;
INSERT INTO clair.updater (name) VALUES ('mine');

-- A mirror is for all at once; null goes back to what the extension brings.
SELECT url FROM clair.use_mirror('file:///srv/mirror/') WHERE updater IN ('alpine', 'debian', 'nvd');
SELECT count(*) = 0 AS all_are_there FROM clair.updater WHERE url NOT LIKE 'file:///srv/mirror/' || name || '/%';
SELECT count(*) = 0 AS none_is_there FROM clair.use_mirror(NULL) WHERE url LIKE 'file:%';
SELECT clair.use_mirror('/srv/mirror');

-- Who may do what.
CREATE ROLE regress_clair_nobody;
CREATE ROLE regress_clair_admin;
GRANT USAGE ON SCHEMA clair TO regress_clair_nobody, regress_clair_admin;
GRANT SELECT, UPDATE ON clair.updater TO regress_clair_admin;
GRANT SELECT ON clair.builtin_updater TO regress_clair_admin;
GRANT EXECUTE ON FUNCTION clair.use_mirror(text) TO regress_clair_admin;
SET ROLE regress_clair_nobody;
SELECT * FROM clair.updater;
SELECT * FROM clair.update_status;
UPDATE clair.updater SET enabled = false;
SELECT clair.update();
SELECT clair.schedule('debian', '0 * * * *');
SELECT clair.unschedule('debian');
SELECT clair.check_updater_options(NULL, '{}');
SELECT clair.use_mirror(NULL);
SET ROLE regress_clair_admin;
SELECT count(*) > 0 AS is_allowed FROM clair.use_mirror(NULL);
UPDATE clair.updater SET url = 'file:///etc' WHERE name = 'debian';
SELECT * FROM clair.updater_setting;
RESET ROLE;
-- a change of something else must not lend the other's rights to the URL
UPDATE clair.updater SET enabled = true, options = '{}' WHERE name = 'debian';
SELECT name, url, set_by FROM clair.updater_setting WHERE name = 'debian';
SELECT state, records FROM clair.update('debian');
UPDATE clair.updater SET url = NULL, options = NULL WHERE name = 'debian';

-- Calls that are refused.
SELECT clair.update('nonsense');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT clair.update('debian');
ROLLBACK;
BEGIN;
CREATE TEMPORARY TABLE written ();
SELECT clair.update('debian');
ROLLBACK;
BEGIN READ ONLY;
SELECT clair.update('debian', wait => false);
ROLLBACK;
SELECT clair.schedule('nonsense', '0 * * * *');
-- which it says depends on whether pg_cron is in another database
\set VERBOSITY sqlstate
SELECT clair.schedule('debian', '0 * * * *');
SELECT clair.unschedule('debian');
\set VERBOSITY terse

-- A feed that changes, in a file of the server.
SELECT current_setting('data_directory') || '/regress_clair_feed.json' AS feed \gset
UPDATE clair.updater SET url = 'file://' || :'feed' WHERE name = 'debian';

-- Writes the feed: packages, their vulnerabilities, and the releases of these with what fixes them.
CREATE FUNCTION pg_temp.feed(VARIADIC entries text[]) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_object_agg(package, vulnerabilities)::text
    FROM (
        SELECT package, jsonb_object_agg(name, jsonb_build_object('description', name || ' of ' || package,
            'releases', releases)) AS vulnerabilities
        FROM (
            SELECT split_part(e, ' ', 1) AS package, split_part(e, ' ', 2) AS name,
                jsonb_object_agg(split_part(e, ' ', 3), CASE WHEN split_part(e, ' ', 4) = ''
                    THEN '{"status": "open", "urgency": "high"}'::jsonb
                    ELSE jsonb_build_object('status', 'resolved', 'urgency', 'low', 'fixed_version',
                        split_part(e, ' ', 4)) END) AS releases
            FROM unnest(entries) AS e
            GROUP BY 1, 2) AS item
        GROUP BY package) AS record
$$;

CREATE VIEW pg_temp.current AS
SELECT v.record, v.name, v.since_run, v.frozen, a.namespace, a.kind, a.package, a.introduced, a.fixed,
    a.status, a.severity
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND a.until_run IS NULL;

-- Runs the updater, and says what became of it.
CREATE FUNCTION pg_temp.run() RETURNS TABLE (state text, records bigint, unchanged bigint, broken bigint,
    added bigint, changed bigint, withdrawn bigint) LANGUAGE sql AS $$
    SELECT state, records, unchanged, broken, added, changed, withdrawn FROM clair.update('debian')
$$;

COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie',
    'bash CVE-2031-2 bookworm 0', 'zlib CVE-2031-3 bookworm 1:1.3-1', 'zlib CVE-2031-3 bullseye 1:1.2-1',
    'zlib CVE-2031-4 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT first, state, phase, documents, error FROM clair.update_run ORDER BY id DESC LIMIT 1;
SELECT record, name, frozen, namespace, kind, package, introduced, fixed, status, severity
FROM pg_temp.current ORDER BY record, name, namespace;
SELECT name, named_by, optional, mode, records FROM clair.document WHERE updater = 'debian';
SELECT count(*) AS records FROM clair.record WHERE updater = 'debian';
SELECT state, phase, fresh, records, last_error FROM clair.update_status WHERE updater = 'debian';

-- Nothing changes: not read again; then rewritten: read, but every record is known.
SELECT * FROM pg_temp.run();
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie',
    'bash CVE-2031-2 bookworm 0', 'zlib CVE-2031-3 bookworm 1:1.3-1', 'zlib CVE-2031-3 bullseye 1:1.2-1',
    'zlib CVE-2031-4 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();

-- One is added, one changes, one is withdrawn; what stays is not touched.
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5.3-1',
    'bash CVE-2031-5 trixie', 'zlib CVE-2031-3 bookworm 1:1.3-1', 'zlib CVE-2031-3 bullseye 1:1.2-1',
    'zlib CVE-2031-4 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT v.name, v.since_run - base.run AS since, v.until_run - base.run AS until,
    count(*) AS ranges, bool_and(a.until_run IS NOT DISTINCT FROM v.until_run) AS ranges_agree
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id,
    (SELECT min(since_run) AS run FROM clair.vulnerability) AS base
GROUP BY v.id, v.name, v.since_run, v.until_run, base.run ORDER BY v.name, v.since_run;

-- A release disappears: what was said of it is kept, and the namespace is marked.
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5.3-1',
    'bash CVE-2031-5 trixie', 'zlib CVE-2031-3 bookworm 1:1.3-1', 'zlib CVE-2031-4 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT updater, namespace FROM clair.frozen_namespace;
SELECT name, frozen, namespace, fixed FROM pg_temp.current WHERE record = 'zlib' ORDER BY name, namespace;
-- and is kept when the record changes, and when it goes
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5.3-1',
    'bash CVE-2031-5 trixie', 'zlib CVE-2031-3 bookworm 1:1.3-2', 'zlib CVE-2031-4 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5.3-1',
    'bash CVE-2031-5 trixie')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT name, frozen, namespace, fixed FROM pg_temp.current WHERE record = 'zlib' ORDER BY name, namespace;
-- until the feed speaks of the release again
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5.3-1',
    'bash CVE-2031-5 trixie', 'bash CVE-2031-6 bullseye 5.1-1')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT count(*) AS frozen FROM clair.frozen_namespace;
SELECT record, name, frozen, namespace FROM pg_temp.current WHERE namespace = 'debian:11';

-- What is broken is skipped, told, and not taken for withdrawn.
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5:3:-',
    'bash CVE-2031-5 trixie', 'bash CVE-2031-6 bullseye 5.1-1')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT b.document, b.record FROM clair.broken_record AS b ORDER BY b.run, b.number;
SELECT name, namespace, fixed FROM pg_temp.current ORDER BY name, namespace;
-- and is read again, until it is repaired
COPY (SELECT pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1', 'bash CVE-2031-1 trixie 5:3:-',
    'bash CVE-2031-5 trixie', 'bash CVE-2031-6 bullseye 5.1-1')) TO :'feed';
SELECT records, unchanged, broken FROM pg_temp.run();

-- Feeds that are not what they should be change nothing, and say why.
SELECT count(*) AS before FROM pg_temp.current \gset
COPY (SELECT '') TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT '<html><body>Service unavailable</body></html>') TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT left(pg_temp.feed('bash CVE-2031-1 bookworm 5.2-1'), 90)) TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT '{}') TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT '{"bash": {"CVE-2031-1": {}}, "bash": {"CVE-2031-2": {}}}') TO :'feed';
SELECT * FROM pg_temp.run();
SET client_min_messages = error;
UPDATE clair.updater SET url = 'file:///nonexistent/clair' WHERE name = 'debian';
SELECT * FROM pg_temp.run();
UPDATE clair.updater SET url = 'file://' || :'feed' WHERE name = 'debian';
RESET client_min_messages;
SELECT state, phase, error FROM clair.update_run WHERE state <> 'succeeded' ORDER BY id DESC LIMIT 6;
SELECT count(*) = :before AS is_as_before FROM pg_temp.current;
SELECT state, fresh, last_error FROM clair.update_status WHERE updater = 'debian';

-- A feed that lost too much, and the option that lets it.
COPY (SELECT pg_temp.feed(VARIADIC array_agg('package' || n || ' CVE-2031-' || n || ' bookworm'))
    FROM generate_series(1, 100) AS n) TO :'feed';
SELECT * FROM pg_temp.run();
COPY (SELECT pg_temp.feed(VARIADIC array_agg('package' || n || ' CVE-2031-' || n || ' bookworm'))
    FROM generate_series(1, 70) AS n) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT error, error_detail, error_hint FROM clair.update_run ORDER BY id DESC LIMIT 1;
UPDATE clair.updater SET options = '{"max_shrinkage": 30}' WHERE name = 'debian';
SELECT * FROM pg_temp.run();

-- An index, here of a folder, names further documents; the rejections are read with all of them.
SELECT 'file://' || :'abs_srcdir' || '/test/fixtures/alpine' AS mirror \gset
UPDATE clair.updater SET url = :'mirror' WHERE name = 'alpine';
UPDATE clair.updater SET enabled = false WHERE name <> 'alpine';
SELECT updater, state, unchanged, withdrawn, records > 0 AS has_records, added > 0 AS has_added
FROM clair.update();
SELECT name, named_by, optional, mode, etag IS NOT NULL AS is_there, records > 0 AS has_records
FROM clair.document WHERE updater = 'alpine' ORDER BY name;
SELECT updater, state FROM clair.update();

-- Nothing is left in the way of others.
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND database = (
    SELECT oid FROM pg_database WHERE datname = current_database());
COPY (SELECT '') TO :'feed';
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
REVOKE ALL ON SCHEMA clair FROM regress_clair_nobody, regress_clair_admin;
REVOKE ALL ON clair.updater, clair.builtin_updater FROM regress_clair_admin;
REVOKE ALL ON FUNCTION clair.use_mirror(text) FROM regress_clair_admin;
DROP ROLE regress_clair_nobody, regress_clair_admin;
