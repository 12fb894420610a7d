--
-- Proves what the API of Clair 4 makes of requests that are wrong, odd or in pieces, and that reports
-- tell of exceptions and gaps; what it does as it should is proved by the examples of src/README.md.
--
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset format unaligned
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set findings :abs_srcdir '/test/fixtures/findings.sql'
BEGIN;
\i :findings
SELECT 'sha256:' || repeat('a', 64) AS manifest \gset

-- Paths and digests
SELECT * FROM clair.v4('GET', '/indexer/api/v1');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/index_report');
SELECT * FROM clair.v4('PUT', '/indexer/api/v1/index_report/x');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/index_report/x/y');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/internal/index_report/x');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/index_report/shop:1');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/index_report/1');
SELECT * FROM clair.v4('GET', '/indexer/api/v1/index_report/sha256:' || repeat('e', 64));

-- Manifests
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report');
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', '{"hash": "shop:1"}');
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', jsonb_build_object('hash', :'manifest'));
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', jsonb_build_object('hash', :'manifest', 'layers', '[]'::jsonb));
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', jsonb_build_object('hash', :'manifest', 'layers', '[1]'::jsonb));
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', jsonb_build_object('hash', :'manifest', 'layers',
    '[{"hash": "sha256:1", "uri": "/nowhere/x.tar", "headers": {}}]'::jsonb));
SELECT * FROM clair.v4('POST', '/indexer/api/v1/index_report', '{}', jsonb_build_object('hash', :'manifest', 'layers',
    '[{"hash": "sha256:1", "uri": "/nowhere/x.tar", "headers": {"Authorization": ["Bearer x"]}}]'::jsonb));
SELECT * FROM clair.v4('DELETE', '/indexer/api/v1/index_report', '{}', '{}');
SELECT * FROM clair.v4('DELETE', '/indexer/api/v1/index_report', '{}', '["x"]');
SELECT * FROM clair.v4('DELETE', '/indexer/api/v1/index_report', '{}', '[]');

-- A report by the digest of a manifest that points to an image: with an exception, and what is missing
INSERT INTO clair.kev (cve, updater, date_added, ransomware, name) VALUES ('CVE-2031-0002', 'kev', '2031-01-02', true, 'Bash');
INSERT INTO clair.epss (cve, score, percentile) VALUES ('CVE-2031-0002', 0.5, 0.75);
SELECT clair.create_exception('CVE-2031-0001', 'only in the build network', image => 'shop:1', architecture => 'i386',
    package => 'zlib1g') > 0 AS created;
SELECT key, jsonb_pretty(value::jsonb)
FROM json_each(clair.v4_get_vulnerability_report(:'manifest'))
WHERE key IN ('manifest_hash', 'vulnerabilities', 'package_vulnerabilities', 'enrichments');
SELECT r ->> 'err' AS err, r -> 'repository' AS repository FROM clair.v4_get_index_report(:'manifest') AS r;

-- Other requests
SELECT * FROM clair.v4('POST', '/indexer/api/v1/internal/affected_manifest');
SELECT * FROM clair.v4('POST', '/indexer/api/v1/internal/affected_manifest', '{}', '{"vulnerabilities": {}}');
SELECT body -> 'vulnerabilities' AS vulnerabilities, m.*
FROM clair.v4('POST', '/indexer/api/v1/internal/affected_manifest', '{}',
    '{"vulnerabilities": [{}, {"name": "CVE-2031-0002"}, {"id": "x", "name": "GHSA-1"}]}'),
    json_each_text(body -> 'vulnerable_manifests') AS m
WHERE m.key ~ '^sha256:(a{64}|2{64})$';
SELECT * FROM clair.v4('GET', '/matcher/api/v1/internal/update_operation', '{"kind": "both"}');
SELECT * FROM clair.v4('GET', '/matcher/api/v1/internal/update_diff');
SELECT * FROM clair.v4('GET', '/matcher/api/v1/internal/update_diff', '{"cur": "1"}');
SELECT * FROM clair.v4('GET', '/matcher/api/v1/internal/update_diff', '{"cur": "00000000-0000-0000-7fff-ffffffffffff"}');
SELECT * FROM clair.v4('GET', '/matcher/api/v1/internal/update_diff', '{"cur": "00000000-0000-0000-8000-000000000000"}');
SELECT clair.v4_number(clair.v4_uuid(n)::text, 'n') = n FROM unnest('{0,1,9223372036854775807}'::bigint[]) AS n;
SELECT * FROM clair.v4('GET', '/notifier/api/v1/notification/x');
SELECT * FROM clair.v4('GET', '/notifier/api/v1/notification/x', '{"page_size": "-1"}');
SELECT * FROM clair.v4('DELETE', '/notifier/api/v1/notification/x');
SELECT clair.v4_severity(s) FROM unnest('{Unknown,Critical,Defcon1}'::clair.severity[]) AS s;
ROLLBACK;
