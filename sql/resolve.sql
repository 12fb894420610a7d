--
-- Proves that, of an updater whose records may speak of the same, each contributes what it should,
-- and that this is worked out anew when one of them changes or goes; and what of the history can be
-- forgotten.
--
\set VERBOSITY terse
SELECT current_setting('data_directory') || '/regress_clair_secdb' AS mirror \gset
COPY (SELECT WHERE false) TO PROGRAM 'mkdir -p regress_clair_secdb/v3.20';
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

-- Fixes of rpm packages: the highest of each upstream version; a later version begins where the former one
-- ends, so that who stays with 1.0 is not flagged by a rebase, and who has 1.1 is, until 1.2-2.
UPDATE clair.updater SET url = 'file://' || :'mirror' || '/', options = '{"max_shrinkage": 100}' WHERE name = 'oracle';
CREATE FUNCTION pg_temp.advise(VARIADIC entries text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L) TO %L', (
            SELECT '<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"><definitions>'
                || string_agg(format('<definition id="oval:com.oracle.elsa:def:%s" version="1" class="patch"><metadata>'
                    '<title>ELSA-2031-%1$s: p security update (%s)</title><reference source="elsa" ref_id="ELSA-2031-%1$s"'
                    ' ref_url="x"/><reference source="CVE" ref_id="CVE-2031-9" ref_url="x"/><advisory><severity>%2$s</severity></advisory></metadata><criteria operator="AND">'
                    '<criterion comment="Oracle Linux 9 is installed"/><criterion comment="Oracle Linux arch is x86_64"/>'
                    '<criterion comment="p is earlier than %s"/></criteria></definition>', split_part(e, ' ', 1),
                    split_part(e, ' ', 2), split_part(e, ' ', 3)), '')
                || '</definitions></oval_definitions>'
            FROM unnest(entries) AS e),
        current_setting('data_directory') || '/regress_clair_secdb/com.oracle.elsa-2031.xml');
END $$;
CREATE VIEW pg_temp.advised AS
SELECT v.record, a.advisory, a.introduced, a.fixed, a.severity, a.stated_severity
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND v.updater = 'oracle'
ORDER BY a.fixed USING OPERATOR(clair.<);
SELECT pg_temp.advise('0001 N/A 0:1.0-3', '0002 IMPORTANT 0:1.0-5', '0003 LOW 1:0.5-1', '0004 MODERATE 0:1.2-2');
SELECT state, broken, added FROM clair.update('oracle');
SELECT * FROM pg_temp.advised;
-- one goes: the others of its version, and what began at its end, are others
SELECT pg_temp.advise('0001 N/A 0:1.0-3', '0003 LOW 1:0.5-1');
SELECT state, unchanged, added, changed, withdrawn FROM clair.update('oracle');
SELECT * FROM pg_temp.advised;

-- Records of components of a package: what is unfixed in any counts; then the highest fix.
UPDATE clair.updater SET url = 'file://' || :'mirror' || '/osv.tar', options = '{"max_shrinkage": 100}' WHERE name = 'chainguard-osv';
CREATE FUNCTION pg_temp.pack(VARIADIC entries text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    entry text;
BEGIN
    COPY (SELECT WHERE false) TO PROGRAM 'rm -rf regress_clair_secdb/osv; mkdir regress_clair_secdb/osv';
    FOREACH entry IN ARRAY entries LOOP
        EXECUTE format('COPY (SELECT %L) TO %L', json_build_object('id', split_part(entry, ' ', 1),
                'upstream', json_build_array('CVE-2031-7'),
                'affected', json_build_array(json_build_object('package', json_build_object('ecosystem', 'Wolfi', 'name', 'p'),
                    'ranges', json_build_array(json_build_object('type', 'ECOSYSTEM', 'events',
                        CASE WHEN split_part(entry, ' ', 2) = '' THEN json_build_array(json_build_object('introduced', '0'))
                            ELSE json_build_array(json_build_object('introduced', '0'),
                                json_build_object('fixed', split_part(entry, ' ', 2))) END))))),
            current_setting('data_directory') || '/regress_clair_secdb/osv/' || split_part(entry, ' ', 1) || '.json');
    END LOOP;
    COPY (SELECT WHERE false) TO PROGRAM 'cd regress_clair_secdb && tar cf osv.tar osv';
END $$;
CREATE VIEW pg_temp.components AS
SELECT v.record, a.kind, a.fixed, a.status, a.introduced OPERATOR(clair.<) a.fixed AS stands
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND a.until_run IS NULL AND v.updater = 'chainguard-osv'
ORDER BY v.record, a.kind;
SELECT pg_temp.pack('CGA-1 1.0-r1', 'CGA-2 1.0-r4');
SELECT state, added FROM clair.update('chainguard-osv');
SELECT * FROM pg_temp.components;
SELECT pg_temp.pack('CGA-1 1.0-r1', 'CGA-2 1.0-r4', 'CGA-3');
SELECT state, unchanged, added, changed FROM clair.update('chainguard-osv');
SELECT * FROM pg_temp.components;
-- fixed there, too
SELECT pg_temp.pack('CGA-1 1.0-r1', 'CGA-2 1.0-r4', 'CGA-3 1.0-r2');
SELECT state, unchanged, added, changed FROM clair.update('chainguard-osv');
SELECT * FROM pg_temp.components;

UPDATE clair.builtin_updater SET resolves = false WHERE name = 'alpine';
COPY (SELECT WHERE false) TO PROGRAM 'rm -r regress_clair_secdb';
TRUNCATE clair.update_run, clair.updater_setting, clair.updater_state, clair.document, clair.record, clair.vulnerability,
    clair.affected, clair.scope, clair.broken_record, clair.frozen_namespace RESTART IDENTITY;
