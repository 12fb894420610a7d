--
-- Proves that what runs changed can be told for any two of them, as it was then: what came and went
-- in between is not told, what is said again is not a change, and what has been forgotten is an
-- error.
--
\set VERBOSITY terse
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.scope, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
SELECT current_setting('data_directory') || '/regress_clair_operations' AS mirror \gset
COPY (SELECT WHERE false) TO PROGRAM 'mkdir -p regress_clair_operations/v3.20';
UPDATE clair.updater SET url = 'file://' || :'mirror' || '/', options = '{"max_shrinkage": 100}' WHERE name = 'alpine';

-- Writes the repository main of the branch: packages, versions and what these were the first to have fixed.
CREATE FUNCTION pg_temp.write(VARIADIC entries text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L) TO %L', (
            SELECT json_build_object('distroversion', 'v3.20', 'packages', json_agg(json_build_object('pkg',
                json_build_object('name', name, 'secfixes', fixes)) ORDER BY name))
            FROM (
                SELECT split_part(e, ' ', 1) AS name,
                    json_object_agg(split_part(e, ' ', 2), json_build_array(split_part(e, ' ', 3))) AS fixes
                FROM unnest(entries) AS e
                GROUP BY 1) AS package),
        current_setting('data_directory') || '/regress_clair_operations/v3.20/main.json');
END $$;

CREATE FUNCTION pg_temp.ranges(ranges jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', r ->> 'package', '<', r ->> 'fixed'), ', ')
    FROM jsonb_array_elements(ranges) AS r
$$;
CREATE FUNCTION pg_temp.diff(from_run bigint, to_run bigint)
RETURNS TABLE (vulnerability text, change text, changes text[], before text, after text) LANGUAGE sql AS $$
    SELECT vulnerability, change, changes, pg_temp.ranges(before), pg_temp.ranges(after)
    FROM clair.update_diff('alpine', from_run, to_run)
    ORDER BY vulnerability
$$;

SELECT pg_temp.write('a 1.0-r1 CVE-2031-1', 'b 2.0-r0 CVE-2031-2', 'c 3.0-r0 CVE-2031-3');
SELECT state, added FROM clair.update('alpine');
SELECT pg_temp.write('a 1.0-r2 CVE-2031-1', 'b 2.0-r0 CVE-2031-2', 'd 4.0-r0 CVE-2031-4');
SELECT state, added, changed, withdrawn FROM clair.update('alpine');
SELECT state FROM clair.update('alpine');
SELECT pg_temp.write('a 1.0-r1 CVE-2031-1', 'e 2.0-r0 CVE-2031-2', 'c 3.0-r0 CVE-2031-3');
SELECT state, added, changed, withdrawn FROM clair.update('alpine');

SELECT run, kind, previous_run, latest, comparable, added, changed, withdrawn
FROM clair.update_operations
WHERE updater = 'alpine'
ORDER BY run;

-- From nothing; from run to run; across an unchanged run; and from the first to the last, where what
-- came and went, and what changed and changed back, is no difference.
SELECT * FROM pg_temp.diff(0, 1);
SELECT * FROM pg_temp.diff(1, 2);
SELECT * FROM pg_temp.diff(2, 3);
SELECT * FROM pg_temp.diff(2, 4);
SELECT * FROM pg_temp.diff(1, 4);

-- Without runs: what the last one that changed something did.
SELECT vulnerability, change, severity FROM clair.update_diff('alpine') ORDER BY vulnerability;

-- What changes, of each kind: a record that says the same in other words, and one of which a part is frozen.
INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first, started_at)
SELECT 'debian', 1, 'x', 'succeeded', 'done', number = 1, now() FROM generate_series(1, 2) AS number;
SELECT min(id) AS first, max(id) AS second FROM clair.update_run WHERE updater = 'debian' \gset
WITH version (record, name, since_run, until_run, frozen, description, package, status, severity, advisory) AS (
    VALUES ('p', 'CVE-2031-5', :first, :second, NULL, 'x', 'p', 'affected', 'Low', NULL),
        ('p', 'CVE-2031-5', :second, NULL, NULL, 'x', 'p', 'will_not_fix', 'Low', NULL),
        ('p', 'CVE-2031-6', :first, :second, NULL, 'x', 'p', 'affected', 'Low', 'DSA-1'),
        ('p', 'CVE-2031-6', :second, NULL, NULL, 'x', 'p', 'affected', 'High', 'DSA-2'),
        ('p', 'CVE-2031-7', :first, :second, NULL, 'x', 'p', 'affected', 'Low', NULL),
        ('q', 'CVE-2031-7', :second, NULL, NULL, 'x', 'p', 'affected', 'Low', NULL),
        ('p', 'CVE-2031-8', :first, :second, NULL, 'x', 'p', 'affected', 'Low', NULL),
        ('p', 'CVE-2031-8', :second, NULL, NULL, 'y', 'p', 'affected', 'Low', NULL),
        ('p', 'CVE-2031-9', :first, :second, NULL, 'x', 'p', 'affected', 'Low', NULL),
        ('p', 'CVE-2031-9', :second, NULL, 'debian:1', 'x', 'p', 'affected', 'Low', NULL)
),
inserted AS (
    INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, until_run, frozen, description)
    SELECT 'debian', record, name, '', since_run, until_run, frozen, description FROM version
    RETURNING id, name, since_run, until_run
)
INSERT INTO clair.affected (vulnerability_id, until_run, number, kind, status, severity, namespace, package, introduced,
    fixed, advisory)
SELECT i.id, i.until_run, 1, 'source', v.status::clair.status, v.severity::clair.severity, 'debian:1', v.package,
    '-infinity', 'infinity', v.advisory
FROM inserted AS i
    JOIN version AS v ON v.name = i.name AND v.since_run = i.since_run;
SELECT vulnerability, change, changes, severity, before #>> '{0,status}' AS before, after #>> '{0,status}' AS after
FROM clair.update_diff('debian')
ORDER BY vulnerability;

-- What cannot be told.
SELECT * FROM clair.update_diff('gentoo');
SELECT * FROM pg_temp.diff(2, 1);
SELECT count(*) FROM clair.update_diff('debian', 1);
SELECT * FROM clair.forget_history('0');
SELECT run, comparable FROM clair.update_operations WHERE updater = 'alpine' ORDER BY run;
SELECT * FROM pg_temp.diff(3, 4);
SELECT * FROM pg_temp.diff(4, 4);

COPY (SELECT WHERE false) TO PROGRAM 'rm -r regress_clair_operations';
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.scope, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
