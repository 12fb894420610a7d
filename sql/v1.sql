--
-- Proves what the API of Clair 2 makes of requests that are wrong, odd or in pieces, and that these
-- change nothing; what it does as it should is proved by the examples of src/README.md.
--
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset format unaligned
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set findings :abs_srcdir '/test/fixtures/findings.sql'
BEGIN;
\i :findings

-- Statuses
SELECT s.sqlstate, clair.api_status(s.sqlstate)
FROM unnest('{42704,P0002,42501,55000,22000,0A000,54000,22023,23514,42602,58P01,58030,08001,40001,25006,XX000}'::text[])
    AS s(sqlstate);

-- Paths
SELECT clair.api_path('/v1/layers/a%2Fb%20%25c/'), clair.api_path('/v1/%C3%A4%zz%'), clair.api_path('//'), clair.api_path('');
SELECT * FROM clair.v1('GET', '/v1/layers/%FF');
SELECT * FROM clair.v1('GET', '/v1/layers/%00');
SELECT * FROM clair.v1('PATCH', '/v1/layers/shop:1');
SELECT * FROM clair.v1('GET', '/v1/layers');
SELECT * FROM clair.v1('GET', '/v1/layers/shop:1/');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities/x/fixes/y/z', '{}');
SELECT * FROM clair.v1(NULL, NULL, NULL, NULL);

-- Layers
SELECT * FROM clair.v1('POST', '/v1/layers');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}', '[]');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}', '{"Layer": "x"}');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}', '{"Layer": {"Name": "x"}}');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}', '{"Layer": {"Name": "x", "Path": "/nowhere/x.tar"}}');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}', '{"Layer": {"Name": "x", "Path": "/nowhere/x.tar", "Format": "docker"}}');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}',
    '{"Layer": {"Name": "x", "Path": "https://registry.example.org/x", "Format": "Docker", "Headers": ["x"]}}');
SELECT * FROM clair.v1('POST', '/v1/layers', '{}',
    '{"Layer": {"Name": "shop:1", "Path": "/nowhere/x.tar", "Format": "Docker", "ParentName": ""}}');
SELECT clair.v1_get_layer(image) FROM unnest('{shop:1,shop_app:1}'::text[]) AS image;
SELECT * FROM clair.v1('DELETE', '/v1/layers/nothing');

-- The worst of what is said of a feature counts; exceptions are told, gaps, too.
SELECT clair.create_exception('CVE-2031-0001', 'only in the build network', image => 'shop:1') > 0 AS created;
SELECT jsonb_pretty(clair.v1_get_layer('shop:1', true, true)::jsonb);
SELECT clair.v1_get_layer('shed:1', vulnerabilities => NULL, features => true);

-- Vulnerabilities
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities', '{"limit": "0"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities', '{"limit": "1 OR true"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities', '{"limit": "1", "page": "x"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities', '{"limit": "1", "page": "ff"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:12/vulnerabilities', '{"limit": "999999999999999999"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:10/vulnerabilities', '{"limit": "10"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/beos:5/vulnerabilities', '{"limit": "10"}');
SELECT * FROM clair.v1('GET', '/v1/namespaces/debian:10/vulnerabilities/CVE-2031-0001');

CREATE FUNCTION pg_temp.post(vulnerability jsonb) RETURNS clair.api_answer
LANGUAGE sql AS $$ SELECT clair.v1('POST', '/v1/namespaces/x/vulnerabilities', '{}', jsonb_build_object('Vulnerability', $1)) $$;
SELECT * FROM pg_temp.post(NULL);
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High"}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High", "FixedIn": {"Name": "bash"}}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High", "FixedIn": [{"Name": "bash"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High", "FixedIn": [{"Version": "1"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High",
    "FixedIn": [{"Name": "bash", "Version": "1", "NamespaceName": "debian:11"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "High",
    "FixedIn": [{"Name": "bash", "Version": "1"}, {"Name": "bash", "Version": "2"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "FixedIn": [{"Name": "bash", "Version": "1"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "Bad", "FixedIn": [{"Name": "bash", "Version": "1"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "beos:5", "Severity": "Low", "FixedIn": [{"Name": "bash", "Version": "1"}]}');
SELECT * FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "debian:12", "Severity": "Low", "FixedIn": [{"Name": "bash", "Version": "a b"}]}');
SELECT count(*) FROM clair.local_advisory;

-- Posted twice: features stay, and go by #MINV#; of CentOS it is said in the namespace of Red Hat.
SELECT status FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "centos:7", "Severity": "defcon1",
    "FixedIn": [{"Name": "bash", "Version": "#MAXV#"}, {"Name": "curl", "Version": "7-1"}]}');
SELECT status FROM pg_temp.post('{"Name": "A-1", "NamespaceName": "centos:7", "Severity": "LOW", "Link": "https://a.example.org/",
    "FixedIn": [{"Name": "bash", "Version": "#MINV#"}, {"Name": "zlib", "Version": "1-1"}]}');
SELECT vulnerability, namespace, package, fixed, severity, link FROM clair.local_advisory ORDER BY id;
SELECT clair.v1_get_vulnerability('centos:7', 'A-1', true);
SELECT n FROM json_array_elements(clair.v1_get_namespaces() -> 'Namespaces') AS n WHERE n ->> 'Name' ~ '^(debian|rhel):';

-- Feeds' own are added to, and neither changed nor deleted.
SELECT * FROM clair.v1('PUT', '/v1/namespaces/centos:7/vulnerabilities/A-1', '{}',
    '{"Vulnerability": {"Severity": "Low", "FixedIn": [{"Name": "bash", "Version": "1"}]}}');
SELECT * FROM clair.v1('PUT', '/v1/namespaces/centos:7/vulnerabilities/A-2', '{}', '{"Vulnerability": {"Severity": "Low"}}');
SELECT * FROM clair.v1('PUT', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001', '{}', '{"Vulnerability": {"Severity": "Low"}}');
SELECT * FROM clair.v1('DELETE', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001/fixes/zlib');
SELECT * FROM clair.v1('DELETE', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001/fixes/bash');
SELECT * FROM clair.v1('PUT', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001/fixes/bash', '{}', '{"Feature": {"Name": "dash"}}');
SELECT * FROM clair.v1('PUT', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001/fixes/bash', '{}');
SELECT * FROM clair.v1('PUT', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001/fixes/bash', '{}',
    '{"Feature": {"Name": "bash", "Version": "None"}}');
SELECT clair.v1_get_fixes('debian:12', 'CVE-2031-0001');
SELECT * FROM clair.v1('DELETE', '/v1/namespaces/debian:12/vulnerabilities/CVE-2031-0001');
SELECT clair.v1_get_fixes('debian:12', 'CVE-2031-0001');

-- Notifications
SELECT * FROM clair.v1('GET', '/v1/notifications/nothing', '{"limit": "1"}');
SELECT * FROM clair.v1('GET', '/v1/notifications/6c3b0b59-3704-d928-31ed-04f28e4bc791', '{"limit": "1"}');
SELECT * FROM clair.v1('GET', '/v1/notifications/6c3b0b59-3704-d928-31ed-04f28e4bc791');
SELECT * FROM clair.v1('GET', '/v1/notifications/6c3b0b59-3704-d928-31ed-04f28e4bc791', '{"limit": "1", "page": "x"}');
SELECT * FROM clair.v1('DELETE', '/v1/notifications/6c3b0b59-3704-d928-31ed-04f28e4bc791');
ROLLBACK;
