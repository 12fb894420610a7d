--
-- Proves what each format of a report has: the findings that are asked for, what exceptions say of
-- them, and whatever keeps the list from being complete.
--
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
BEGIN;
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set findings :abs_srcdir '/test/fixtures/findings.sql'
\i :findings
-- the first run of Debian's feed, a day ago, and one of an hour ago
INSERT INTO clair.update_run (id, updater, request, requested_by, state, phase, first, started_at, finished_at)
OVERRIDING SYSTEM VALUE
VALUES (1, 'debian', 1, 'test', 'succeeded', 'done', true, now() - interval '1 day', now() - interval '1 day'),
    (2, 'debian', 2, 'test', 'succeeded', 'done', false, now() - interval '1 hour', now() - interval '1 hour');
UPDATE clair.image SET indexed_at = now() - interval '2 days';
-- bash has a vulnerability that will not be fixed, of which more is known; zlib one that is accepted
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, link, description)
VALUES ('debian', 'bash', 'CVE-2031-0003', 'x', 1, 'https://example.org/3?a=1&b=2', E'Two\nlines');
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
SELECT id, 1, 'debian:12', 'source', 'bash', '-infinity', 'infinity', 'will_not_fix', 'Low'
FROM clair.vulnerability WHERE name = 'CVE-2031-0003';
INSERT INTO clair.cve (cve, severity, updater, metric) VALUES ('CVE-2031-0003', 'Critical', 'nvd', 1);
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
VALUES ('CVE-2031-0003', 'nvd', 1, 'nvd@nist.gov', 'Primary', '3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    9.8, 'Critical');
INSERT INTO clair.epss (cve, score, percentile) VALUES ('CVE-2031-0003', 0.5, 0.75);
SELECT clair.create_exception('CVE-2031-0001', 'not | "used"', package => 'zlib1g', architecture => 'i386') > 0;
UPDATE clair.exception SET author = 'somebody';
INSERT INTO clair.layer (digest, size, entries) VALUES ('sha256:layer', 1, 1);
INSERT INTO clair.image_layer (image_id, position, layer) SELECT clair.image_id('shop:1'), 1, 'sha256:layer';
-- without what differs from run to run
CREATE FUNCTION pg_temp.settled(report text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(replace(report, E'\r\n', E'<CR>\n'),
        '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^",]*(?=")', 'TIME', 'g'),
        '"(id|exception)" ?: ?\d+', '"\1": 0', 'g'),
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'UUID', 'g')
$$;

-- The formats
SELECT clair.report('shop:1');
SELECT clair.report('shop:1', 'markdown', descriptions => true);
SELECT pg_temp.settled(clair.report('shop:1', 'csv', descriptions => true));
SELECT jsonb_pretty(pg_temp.settled(clair.report('shop:1', 'json', descriptions => true))::jsonb);
SELECT jsonb_pretty(pg_temp.settled(clair.report('shop:1', 'sarif', descriptions => true))::jsonb);
SELECT jsonb_pretty(pg_temp.settled(clair.report('shop:1', 'gitlab', descriptions => true))::jsonb);
SELECT pg_temp.settled(clair.report('shop:1', 'junit', descriptions => true));

-- Filters, the same in all of them: what is left
CREATE FUNCTION pg_temp.left_by(minimum_severity clair.severity DEFAULT NULL, fixable boolean DEFAULT NULL,
    statuses clair.status[] DEFAULT NULL, new_since timestamptz DEFAULT NULL, excepted boolean DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT concat(
        string_agg(format('%s/%s/%s', right(f ->> 'vulnerability', 1), f ->> 'feature', f ->> 'architecture'), ' '),
        '; in others ', array_to_string(ARRAY[
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'text', $1, $2, $3, $4, $5), 'CVE-', 'g')),
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'markdown', $1, $2, $3, $4, $5), '(?n)^[|] [A-Z]', 'g')),
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'csv', $1, $2, $3, $4, $5), '\n.', 'g')),
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'sarif', $1, $2, $3, $4, $5), '"ruleId"', 'g')),
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'gitlab', $1, $2, $3, $4, $5), '"location"', 'g')),
            (SELECT count(*) FROM regexp_matches(clair.report('shop:1', 'junit', $1, $2, $3, $4, $5), 'name="CVE', 'g'))
        ], ' '))
    FROM json_array_elements(clair.report('shop:1', 'json', $1, $2, $3, $4, $5)::json -> 'findings') AS f
$$;
SELECT pg_temp.left_by();
SELECT pg_temp.left_by(minimum_severity => 'High');
SELECT pg_temp.left_by(minimum_severity => 'Critical');
SELECT pg_temp.left_by(fixable => true);
SELECT pg_temp.left_by(fixable => false);
SELECT pg_temp.left_by(statuses => '{affected,will_not_fix}');
SELECT pg_temp.left_by(excepted => true);
SELECT pg_temp.left_by(excepted => false);
SELECT substring(clair.report('shop:1', 'text', 'High', true, '{fixed,affected}', '2031-01-01 00:00:00+00', false) from '(?n)^Only.*$');
SELECT pg_temp.left_by(minimum_severity => 'High', fixable => true, statuses => '{fixed}', excepted => false);

-- New is what an image did not have: vulnerabilities that were not known, or that were not its packages'
SELECT pg_temp.left_by(new_since => now() - interval '2 hours');
SELECT pg_temp.left_by(new_since => now() - interval '25 hours');
SAVEPOINT before;
UPDATE clair.image SET indexed_at = now() - interval '1 hour';
SELECT pg_temp.left_by(new_since => now() - interval '2 hours');
ROLLBACK TO before;
-- the run of an hour ago says something else of bash, which it has had before; the severity does not matter
CREATE FUNCTION pg_temp.change(known text, fixed_then clair.version) RETURNS void LANGUAGE sql AS $$
    UPDATE clair.vulnerability SET until_run = 2 WHERE name = known AND until_run IS NULL;
    UPDATE clair.affected AS a SET until_run = 2
    FROM clair.vulnerability AS v WHERE v.id = a.vulnerability_id AND v.name = known AND a.until_run IS NULL;
    INSERT INTO clair.vulnerability (updater, record, name, digest, since_run)
    SELECT updater, record, name, 'y', 2 FROM clair.vulnerability WHERE name = known;
    INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
    SELECT new.id, a.number, a.namespace, a.kind, a.package, a.introduced, a.fixed, a.status, 'Critical'
    FROM clair.vulnerability AS old
        JOIN clair.affected AS a ON a.vulnerability_id = old.id
        JOIN clair.vulnerability AS new ON new.name = old.name AND new.since_run = 2
    WHERE old.name = known AND old.until_run = 2;
    UPDATE clair.affected AS a SET fixed = fixed_then
    FROM clair.vulnerability AS v WHERE v.id = a.vulnerability_id AND v.name = known AND v.until_run = 2;
$$;
SELECT pg_temp.change('CVE-2031-0003', 'infinity');
SELECT pg_temp.left_by(minimum_severity => 'Critical');
SELECT pg_temp.left_by(new_since => now() - interval '2 hours');
-- and of zlib, of which it had said that it is fixed in an older version
SELECT pg_temp.change('CVE-2031-0001', 'dpkg:1');
SELECT pg_temp.left_by(new_since => now() - interval '2 hours');
SELECT pg_temp.left_by(new_since => now() - interval '1 minute');
ROLLBACK TO before;

-- Nothing is a claim: an image without findings whose feed is current; and images of which less is known
CREATE FUNCTION pg_temp.empty() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT E'\n' || f || E':\n' || pg_temp.settled(clair.report('shop:1', f, statuses => '{end_of_life}'))
    FROM unnest('{text,markdown,csv,json,sarif,gitlab,junit}'::text[]) AS f
$$;
SELECT pg_temp.empty();
UPDATE clair.update_run SET finished_at = '2021-01-01 00:00:00+00';
SELECT pg_temp.empty();
SELECT clair.report('shop:1');
ROLLBACK TO before;
UPDATE clair.image SET status = 'partial';
INSERT INTO clair.image_problem (image_id, number, place, reason)
VALUES (clair.image_id('shop:1'), 1, 'layer 1: var/lib/dpkg/status', 'line 7: there is no version');
SELECT json_extract_path_text(clair.report('shop:1', 'json')::json, 'coverage', '0', 'message');
UPDATE clair.image SET status = 'unknown_namespace', namespace = 'unknown';
SELECT json_extract_path_text(clair.report('shop:1', 'json')::json, 'coverage', '0', 'message');
UPDATE clair.image SET status = 'no_package_database';
SELECT json_extract_path_text(clair.report('shop:1', 'json')::json, 'coverage', '0', 'message');
UPDATE clair.image SET status = 'unsupported_database';
SELECT json_extract_path_text(clair.report('shop:1', 'json')::json, 'coverage', '0', 'message');
UPDATE clair.image SET status = 'unsupported_namespace', namespace = 'plan9:4';
SELECT json_extract_path_text(clair.report('shop:1', 'json')::json, 'coverage', '0', 'message');
ROLLBACK TO before;

-- It reads only; an image can be named in every way
SET TRANSACTION READ ONLY;
SELECT clair.report('sha256:' || repeat('1', 64), 'csv') = clair.report('sha256:' || repeat('a', 64), 'csv');
SELECT clair.report('shop_app:1') ~ '^shop_app:1 ';
SELECT clair.report(NULL) IS NULL;
ROLLBACK;

-- Texts within formats
SELECT clair.xml_text(E'a<b>&"c"\t\x01é\uFFFE');
SELECT clair.csv_field(field) FROM unnest(ARRAY['', 'a', 'a,b', 'a"b', E'a\nb', ' a', '=1+1', '-1', '@a', '＝1', E'\x1b[31m']) AS field;
SELECT clair.markdown_text(E'a|b `c` [d](http://e) <f> @g #1 www.h.org $i$ ~j~ \\ k_l_ *m* &lt; \n\x1b\u202e');
SELECT clair.terminal_text(shown, 20), clair.display_width(clair.terminal_text(shown, 20))
FROM unnest(ARRAY['plain', E'\x1b[31mred', E'a\u202eb\u200bc\x7f\u0085', 'いろはにほへとちりぬるを', repeat('x', 21),
    E'e\u0301', 'e' || repeat(E'\u0301', 100)]) AS shown;

-- What does not exist
\set ON_ERROR_STOP off
\set SHOW_CONTEXT never
SELECT clair.report('no such image');
BEGIN;
INSERT INTO clair.image (digest, platform, namespace, status) VALUES ('sha256:1', 'linux/amd64', 'debian:12', 'ok');
SELECT clair.report('sha256:1', 'xls');
ROLLBACK;
