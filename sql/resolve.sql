--
-- Proves that, of an updater whose records may speak of the same, each contributes what it should,
-- and that this is worked out anew when one of them changes or goes; and what of the history can be
-- forgotten.
--
\set VERBOSITY terse
SELECT current_setting('data_directory') || '/regress_clair_secdb' AS mirror \gset
COPY (SELECT) TO PROGRAM 'mkdir -p regress_clair_secdb/v3.20';
UPDATE clair.updater SET url = 'file://' || :'mirror' || '/', options = '{"max_shrinkage": 100}' WHERE name = 'alpine';
UPDATE clair.builtin_updater SET resolves = true WHERE name = 'alpine';

-- Writes a repository of the branch: packages, versions and what these were the first to have fixed.
CREATE FUNCTION pg_temp.write(repository text, VARIADIC entries text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L) TO %L', (
            SELECT json_build_object('distroversion', 'v3.20', 'packages', json_agg(json_build_object('pkg',
                json_build_object('name', name, 'secfixes', fixes)) ORDER BY name))
            FROM (
                SELECT split_part(e, ' ', 1) AS name,
                    json_object_agg(split_part(e, ' ', 2), json_build_array(split_part(e, ' ', 3))) AS fixes
                FROM unnest(entries) AS e
                GROUP BY 1) AS package),
        current_setting('data_directory') || '/regress_clair_secdb/v3.20/' || repository || '.json');
END $$;

-- What stands, and whether something of it is affected.
CREATE VIEW pg_temp.current AS
SELECT v.record, v.name, a.fixed, a.status, a.introduced, a.introduced OPERATOR(clair.<) a.fixed AS stands,
    v.since_run - (SELECT min(since_run) FROM clair.vulnerability) AS since
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND a.until_run IS NULL AND v.updater = 'alpine'
ORDER BY v.name, v.record;

SELECT pg_temp.write('main', 'a 1.0-r1 CVE-2031-1', 'b 0 CVE-2031-2', 'c 1.0-r0 CVE-2031-3', 'd 3.0-r0 CVE-2031-1');
SELECT pg_temp.write('community', 'a 1.2-r0 CVE-2031-1', 'b 2.0-r0 CVE-2031-2', 'c 1.0-r0 CVE-2031-4');
SELECT state, added, changed, withdrawn FROM clair.update('alpine');
SELECT * FROM pg_temp.current;

-- Nothing changes.
SELECT state, added, changed, withdrawn FROM clair.update('alpine');
SELECT count(*) FROM clair.vulnerability WHERE until_run IS NOT NULL;

-- The highest fix goes, and so does the denial: what they had suppressed stands, as a new version.
SELECT pg_temp.write('main', 'a 1.0-r1 CVE-2031-1', 'c 1.0-r0 CVE-2031-3', 'd 3.0-r0 CVE-2031-1');
SELECT pg_temp.write('community', 'b 2.0-r0 CVE-2031-2', 'c 1.0-r0 CVE-2031-4');
SELECT state, added, changed, withdrawn FROM clair.update('alpine');
SELECT * FROM pg_temp.current;

-- A higher one comes back: the record of main is the same, and is not read again.
SELECT pg_temp.write('community', 'a 1.3-r0 CVE-2031-1', 'b 2.0-r0 CVE-2031-2', 'c 1.0-r0 CVE-2031-4');
SELECT state, unchanged, added, changed, withdrawn FROM clair.update('alpine');
SELECT * FROM pg_temp.current;

-- What we knew of a vulnerability, run by run.
SELECT v.record, v.since_run - base.run AS since, v.until_run - base.run AS until, a.introduced OPERATOR(clair.<) a.fixed AS stands,
    a.until_run IS NOT DISTINCT FROM v.until_run AS agree
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id,
    (SELECT min(since_run) AS run FROM clair.vulnerability) AS base
WHERE v.name = 'CVE-2031-1' AND v.record LIKE '%/a'
ORDER BY v.record, v.since_run;

-- Of the history, what ended so long ago is forgotten, and nothing else.
SELECT * FROM clair.forget_history('1 hour');
SELECT count(*) AS ended FROM clair.vulnerability WHERE until_run IS NOT NULL;
SELECT count(*) AS before FROM pg_temp.current \gset
SELECT * FROM clair.forget_history('0');
SELECT count(*) = :before AS all_stands FROM pg_temp.current;
SELECT count(*) AS runs FROM clair.update_run WHERE updater = 'alpine';
SELECT count(*) AS ended FROM clair.vulnerability WHERE until_run IS NOT NULL;
SELECT state, unchanged, added FROM clair.update('alpine');

UPDATE clair.builtin_updater SET resolves = false WHERE name = 'alpine';
COPY (SELECT) TO PROGRAM 'rm -r regress_clair_secdb';
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
