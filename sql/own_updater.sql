--
-- Proves that updaters of the user's own are made, set, run and dropped as documented, that what is
-- refused is told with what there is, and what they cover.
--
\set VERBOSITY terse
\set SHOW_CONTEXT never
SELECT current_setting('data_directory') || '/regress_clair_own.json' AS feed \gset
SELECT name, document, resolves, by_repository FROM clair.updater_format WHERE name = 'secdb';
SELECT name, type, required, covers FROM clair.updater_option WHERE format IN ('', 'secdb') ORDER BY format, name;

-- What is refused.
\set VERBOSITY default
SELECT clair.create_updater('acme', 'https://example.org/', 'nonsense');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "acme:1"}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:vx"}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "colour": 1}');
SELECT clair.create_updater('acme', 'https://example.org/', 'updateinfo', '{"namespace": "centos:7"}');
SELECT clair.create_updater('Acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.create_updater('debian', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.create_updater('acme', 'ftp://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
\set VERBOSITY terse
SELECT clair.create_updater('', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.create_updater('a b', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.create_updater(repeat('a', 64), 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.create_updater(NULL, 'https://example.org/', 'secdb');
SELECT clair.create_updater('acme', NULL, 'secdb');
SELECT clair.create_updater('acme', 'https://example.org/', NULL);
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '[]');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": 7}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": ["alpine:v3.20"]}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": null}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "link": "x"}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "hosts": [["a"]]}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "namespaces": ["%"]}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "namespaces": ["acme:%"]}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20", "max_shrinkage": "20"}');
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb',
    jsonb_build_object('namespace', 'alpine:v3.20', 'title', repeat('x', 201)));
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb',
    jsonb_build_object('namespace', 'alpine:v3.20', 'user_agent', repeat('x', 65536)));
SELECT clair.drop_updater('acme');
SELECT clair.drop_updater('debian');
SELECT clair.drop_updater(NULL);
BEGIN READ ONLY;
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
ROLLBACK;
BEGIN READ ONLY;
SELECT clair.drop_updater('acme');
ROLLBACK;
SELECT count(*) FROM clair.own_updater;

-- Made, seen and set like others: null goes back to what it was made with.
SELECT clair.create_updater('acme', 'file://' || :'feed', 'secdb', '{"namespace": "alpine:v3.20",
    "link": "https://example.org/v/", "title": "What Acme builds"}');
SELECT name, title, format, namespaces, enabled, options FROM clair.updater WHERE name = 'acme';
SELECT updater, enabled, state, stale_after FROM clair.update_status WHERE updater = 'acme';
SELECT clair.create_updater('acme', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
UPDATE clair.updater SET url = 'https://example.org/', enabled = false,
    options = options || '{"namespaces": ["alpine:%", "wolfi:rolling"], "stale_after": "1 hour"}' WHERE name = 'acme';
SELECT title, url, namespaces, enabled FROM clair.updater WHERE name = 'acme';
SELECT stale_after FROM clair.update_status WHERE updater = 'acme';
UPDATE clair.updater SET options = options || '{"namespaces": []}' WHERE name = 'acme';
SELECT namespaces FROM clair.updater WHERE name = 'acme';
UPDATE clair.updater SET options = '{}' WHERE name = 'acme';
UPDATE clair.updater SET options = '{"namespace": "alpine:v3.20", "parallel": 17}' WHERE name = 'acme';
UPDATE clair.updater SET url = NULL, enabled = NULL, options = NULL WHERE name = 'acme';
SELECT url = 'file://' || :'feed' AS is_the_first, namespaces, enabled FROM clair.updater WHERE name = 'acme';

-- Runs: copy, diff, history. An image, so that changes are told.
CREATE FUNCTION pg_temp.feed(VARIADIC entries text[]) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_build_object('packages', jsonb_agg(jsonb_build_object('pkg',
        jsonb_build_object('name', package, 'secfixes', fixes))))::text
    FROM (
        SELECT split_part(e, ' ', 1) AS package,
            jsonb_object_agg(split_part(e, ' ', 2), string_to_array(split_part(e, ' ', 3), ',')) AS fixes
        FROM unnest(entries) AS e
        GROUP BY 1
    ) AS record
$$;
CREATE FUNCTION pg_temp.run() RETURNS TABLE (state text, records bigint, unchanged bigint, broken bigint,
    added bigint, changed bigint, withdrawn bigint) LANGUAGE sql AS $$
    SELECT state, records, unchanged, broken, added, changed, withdrawn FROM clair.update('acme')
$$;
COPY (SELECT pg_temp.feed('bash 5.2-r1 CVE-2031-1001', 'zlib 1.3-r0 CVE-2031-1002', 'zlib 0 CVE-2031-1003')) TO :'feed';
SELECT * FROM pg_temp.run();
SELECT first FROM clair.update_run WHERE updater = 'acme';
SELECT v.name, v.link, a.namespace, a.kind, a.package, a.fixed, a.status, a.severity
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.updater = 'acme' ORDER BY v.name;
SELECT * FROM pg_temp.run();
COPY (SELECT pg_temp.feed('bash 5.2-r2 CVE-2031-1001', 'zlib 1.3-r0 CVE-2031-1002,CVE-2031-1004')) TO :'feed';
SELECT * FROM pg_temp.run();

-- Options of the format are part of what is read: the same bytes come to other rows; other options are not.
UPDATE clair.updater SET options = options || '{"parallel": 2}' WHERE name = 'acme';
SELECT * FROM pg_temp.run();
UPDATE clair.updater SET options = options - 'link' WHERE name = 'acme';
SELECT * FROM pg_temp.run();
UPDATE clair.updater SET options = options || '{"namespace": "wolfi:rolling"}' WHERE name = 'acme';
SELECT * FROM pg_temp.run();
SELECT * FROM pg_temp.run();
SELECT DISTINCT v.link, a.namespace FROM clair.vulnerability AS v JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.updater = 'acme' AND v.until_run IS NULL AND v.frozen IS NULL;

-- Dropped: nothing of it is current, all of it is history; the name is free, and begins anew.
UPDATE clair.updater SET enabled = false WHERE name = 'acme';
SELECT clair.drop_updater('acme');
SELECT count(*) FROM clair.updater WHERE name = 'acme';
SELECT (SELECT count(*) FROM clair.vulnerability WHERE updater = 'acme' AND until_run IS NULL) AS vulnerabilities,
    (SELECT count(*) FROM clair.affected WHERE until_run IS NULL AND vulnerability_id IN
        (SELECT id FROM clair.vulnerability WHERE updater = 'acme')) AS ranges,
    (SELECT count(*) FROM clair.record WHERE updater = 'acme') AS records,
    (SELECT count(*) FROM clair.document WHERE updater = 'acme') AS documents,
    (SELECT count(*) FROM clair.updater_state WHERE updater = 'acme' AND state IS NOT NULL) AS states,
    (SELECT count(*) FROM clair.frozen_namespace WHERE updater = 'acme') AS frozen,
    (SELECT count(*) FROM clair.updater_setting WHERE name = 'acme') AS settings,
    (SELECT count(*) FROM clair.vulnerability WHERE updater = 'acme' AND until_run =
        (SELECT max(id) FROM clair.update_run)) AS withdrawn_now;
SELECT state, phase, withdrawn, requested_by = current_user AS by_me FROM clair.update_run ORDER BY id DESC LIMIT 1;
SELECT vulnerability, change FROM clair.update_diff('acme') ORDER BY vulnerability;
SELECT clair.update('acme');
SELECT clair.drop_updater('acme');
SELECT clair.create_updater('acme', 'file://' || :'feed', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT state, last_success, fresh FROM clair.update_status WHERE updater = 'acme';
SELECT * FROM pg_temp.run();
SELECT first FROM clair.update_run ORDER BY id DESC LIMIT 1;
SELECT state, fresh FROM clair.update_status WHERE updater = 'acme';
SELECT * FROM clair.forget_history('-1 hour');
SELECT state, fresh FROM clair.update_status WHERE updater = 'acme';

-- Who may do what.
CREATE ROLE regress_clair_nobody;
CREATE ROLE regress_clair_admin;
GRANT USAGE ON SCHEMA clair TO regress_clair_nobody, regress_clair_admin;
GRANT EXECUTE ON FUNCTION clair.create_updater(text, text, text, jsonb), clair.drop_updater(text), clair.update
    TO regress_clair_admin;
SET ROLE regress_clair_nobody;
SELECT clair.create_updater('mine', 'https://example.org/', 'secdb', '{"namespace": "alpine:v3.20"}');
SELECT clair.drop_updater('acme');
SELECT * FROM clair.own_updater;
SELECT * FROM clair.updater_definition;
SELECT clair.refresh_image_status();
SET ROLE regress_clair_admin;
SELECT clair.create_updater('mine', 'file://' || :'feed', 'secdb', '{"namespace": "alpine:v3.20"}');
-- a file is read with the rights of who made it
SELECT state, records FROM clair.update('mine');
RESET ROLE;
SELECT set_by FROM clair.own_updater WHERE name = 'mine';
UPDATE clair.updater SET options = options || '{"link": "https://example.org/"}' WHERE name = 'mine';
SELECT state, records FROM clair.update('mine');
DROP OWNED BY regress_clair_admin;
SELECT clair.drop_updater(name) FROM clair.updater WHERE name IN ('acme', 'mine') ORDER BY name;
REVOKE ALL ON SCHEMA clair FROM regress_clair_nobody;
DROP ROLE regress_clair_nobody, regress_clair_admin;
COPY (SELECT '') TO :'feed';
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
