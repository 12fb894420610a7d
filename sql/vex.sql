--
-- Proves what VEX documents come to: exceptions that cover what the documents speak of; that a document
-- is loaded once, and replaced by a newer version; and that what is exported can be loaded.
--
\set ON_ERROR_STOP on
BEGIN;
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set findings :abs_srcdir '/test/fixtures/findings.sql'
\i :findings

-- Which distributions are meant
SELECT vendor, distribution, clair.vex_namespace(vendor, distribution)
FROM (VALUES
    ('debian', 'debian-12'), ('debian', 'bookworm'), ('debian', 'DEBIAN-sid'), ('debian', 'debian-nonesuch'), ('debian', NULL),
    ('ubuntu', 'ubuntu-22.04'), ('ubuntu', 'esm-infra/jammy'), ('alpine', 'alpine-3.18.4'), ('alpine', 'v3.20'),
    ('alpine', 'edge'), ('wolfi', 'wolfi-20230201'), ('wolfi', NULL), ('redhat', 'rhel-9.2'), ('redhat', NULL),
    ('redhat:enterprise_linux', '9'), ('redhat:rhel_eus', '9.2'), ('suse:sles', '15'), ('centos', '7'),
    ('opensuse', 'opensuse-leap-15.5'), (NULL, 'debian-12'), (NULL, '12'), ('nobody', '1'), (NULL, NULL)
) AS said(vendor, distribution);

-- A document of statements, in each of which one product is fixed
CREATE FUNCTION pg_temp.document(version integer, VARIADIC products text[])
RETURNS jsonb
LANGUAGE sql AS $$
    SELECT jsonb_build_object('@id', 'https://example.org/vex', 'version', version, 'author', 'A', 'statements',
        COALESCE(jsonb_agg(jsonb_build_object('vulnerability', 'CVE-2031-0001', 'status', 'fixed', 'status_notes', p,
            'products', jsonb_build_array(p))), '[]'))
    FROM unnest(products) AS p
$$;

-- What each product covers
CREATE FUNCTION pg_temp.try(VARIADIC products text[])
RETURNS TABLE (product text, findings text)
LANGUAGE plpgsql AS $$
DECLARE
    number integer := 0;
BEGIN
    FOREACH product IN ARRAY products LOOP
        number := number + 1;
        PERFORM clair.load_vex(pg_temp.document(number, product));
        SELECT string_agg(c.findings, ' ') INTO findings FROM pg_temp.covered AS c;
        RETURN NEXT;
    END LOOP;
END
$$;
SET client_min_messages = warning;
SELECT * FROM pg_temp.try(
    'pkg:deb/debian/zlib1g',
    'pkg:deb/debian/zlib',
    'pkg:deb/debian/zlib?arch=source',
    'pkg:deb/debian/zlib@1.2-1?arch=source&distro=debian-12',
    'pkg:deb/debian/zlib1g@1.2-1%2Bb1?arch=i386',
    'pkg:deb/debian/zlib1g@0:1.2-1%2Bb1?arch=i386',
    'pkg:deb/debian/zlib1g@1.2-1',
    'pkg:deb/debian/zlib1g?distro=bullseye',
    'pkg:deb/ubuntu/zlib1g',
    'pkg:deb/zlib1g',
    'pkg:rpm/zlib1g@1.2-1%2Bb1',
    'pkg:oci/shed',
    'pkg:oci/shed?tag=1',
    'pkg:oci/shed?tag=2',
    'pkg:oci/shop@sha256:1111111111111111111111111111111111111111111111111111111111111111',
    'pkg:oci/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'pkg:npm/zlib1g',
    'https://example.org/shop'
);
RESET client_min_messages;
SELECT count(*), count(ended_at) AS ended, bool_and(author = current_user) AS by_us FROM clair.exception;
SELECT id, format, version, issued_at, author, loaded_by = current_user AS by_us FROM clair.vex_document;

-- The same again, a newer version, an older one; what is still said stays as it is
SELECT * FROM clair.load_vex(pg_temp.document(20, 'pkg:deb/debian/zlib', 'pkg:deb/debian/bash', 'pkg:deb/debian/zlib'));
SELECT * FROM clair.load_vex(pg_temp.document(20, 'pkg:deb/debian/zlib', 'pkg:deb/debian/bash'));
SELECT id AS kept FROM clair.exception WHERE ended_at IS NULL AND package = 'bash' \gset
SELECT * FROM clair.load_vex(pg_temp.document(21, 'pkg:deb/debian/bash', 'pkg:deb/debian/zlib1g'));
SELECT package, id = :kept AS kept FROM clair.exception WHERE ended_at IS NULL ORDER BY package;
SELECT * FROM clair.load_vex(pg_temp.document(20, 'pkg:deb/debian/zlib'));
SELECT * FROM clair.load_vex(pg_temp.document(3, VARIADIC '{}'));
SELECT * FROM clair.load_vex(pg_temp.document(22, VARIADIC '{}'));
SELECT count(*) AS current FROM clair.exception WHERE ended_at IS NULL;

-- What somebody has taken back by hand stays so, as long as the document says the same
SELECT added FROM clair.load_vex(pg_temp.document(23, 'pkg:deb/debian/zlib', 'pkg:deb/debian/bash'));
SELECT clair.end_exception(id) FROM clair.exception WHERE package = 'zlib' AND ended_at IS NULL;
SELECT state, added, ended FROM clair.load_vex(pg_temp.document(23, 'pkg:deb/debian/zlib', 'pkg:deb/debian/bash'));
SELECT state, added, ended FROM clair.load_vex(pg_temp.document(24, 'pkg:deb/debian/zlib'));
SELECT state, added, ended FROM clair.load_vex(pg_temp.document(25, 'pkg:deb/debian/zlib', 'pkg:deb/debian/bash'));
SELECT count(*) FILTER (WHERE ended_by = current_user) AS by_us, count(*) FILTER (WHERE ended_by IS NULL) AS by_document
FROM clair.exception
WHERE ended_at IS NOT NULL;
SELECT state, added, ended FROM clair.load_vex(pg_temp.document(26, VARIADIC '{}'));

-- What is found to be affected after all, or is looked at again, is not excepted any more
SELECT status, state, added, ended
FROM unnest('{not_affected,affected,fixed,under_investigation}'::text[]) WITH ORDINALITY AS s(status, number),
    LATERAL clair.load_vex(jsonb_build_object('@id', 'urn:test:status', 'version', number, 'statements',
        jsonb_build_array(jsonb_build_object('vulnerability', 'CVE-2031-0001', 'status', status,
            'products', '["pkg:deb/debian/zlib"]'::jsonb))));

-- The other formats
SELECT document, version, state, added, ended, skipped
FROM clair.load_vex('{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:1", "version": 1,
    "metadata": {"component": {"type": "container", "bom-ref": "it", "purl": "pkg:oci/shop?tag=1"}},
    "components": [{"bom-ref": "z", "type": "library", "purl": "pkg:deb/debian/zlib1g@1.2-1%2Bb1?arch=i386"}],
    "vulnerabilities": [{"id": "CVE-2031-0001", "affects": [{"ref": "z"}, {"ref": "none"}],
        "analysis": {"state": "false_positive", "detail": "CycloneDX"}}]}'::jsonb);
SELECT document, version, state, added, ended, skipped
FROM clair.load_vex('{"document": {"tracking": {"id": "1", "version": "1.0.0"}, "publisher": {"name": "V", "namespace": "https://v"}},
    "product_tree": {"full_product_names": [
        {"product_id": "b", "product_identification_helper": {"purl": "pkg:deb/debian/bash"}}]},
    "vulnerabilities": [{"cve": "CVE-2031-0002", "product_status": {"known_not_affected": ["b"]},
        "threats": [{"category": "impact", "details": "by CSAF", "product_ids": ["b"]}]}]}'::jsonb);
SELECT c.reason, c.findings, e.kind, e.document FROM pg_temp.covered AS c JOIN clair.exception AS e USING (reason) ORDER BY c.reason;
SELECT DISTINCT clair.end_exception(id) FROM clair.exception WHERE ended_at IS NULL;

-- Of versions that are the same, or none, the time counts
CREATE FUNCTION pg_temp.dated(issued text)
RETURNS text
LANGUAGE sql AS $$
    SELECT state FROM clair.load_vex(jsonb_build_object('@id', 'dated', 'timestamp', issued, 'version', 'draft',
        'statements', '[]'::jsonb))
$$;
SELECT issued, pg_temp.dated(issued)
FROM unnest('{2031-01-02,2031-01-02T00:00Z,2031-01-01,2031-01-03,2031-01-02,soon}'::text[]) AS issued;
SELECT v.version, state
FROM unnest('{1.9,1.10,1.9,1.10.1}'::text[]) AS v(version),
    LATERAL clair.load_vex(jsonb_build_object('@id', 'numbered', 'version', v.version, 'statements', '[]'::jsonb));

-- What is about no image that is known, unless who loads it says which one it is
SELECT * FROM clair.load_vex(pg_temp.document(30, 'https://example.org/shop', 'pkg:npm/x', 'pkg:deb/nobody/x'));
SELECT added, ended, skipped FROM clair.load_vex(pg_temp.document(30, 'https://example.org/shop'), image => 'shop:%');
SELECT image, findings FROM pg_temp.covered, clair.exception WHERE ended_at IS NULL;
SELECT added, ended, skipped FROM clair.load_vex(pg_temp.document(31, 'pkg:deb/debian/zlib', 'pkg:oci/shed'), image => 'shop:%');
SELECT package, image FROM clair.exception WHERE ended_at IS NULL ORDER BY package, image;
SELECT clair.load_vex(pg_temp.document(32, VARIADIC '{}'));

-- What has been judged here goes out, and comes in again as it was
SELECT count(*) FROM (VALUES
    (clair.create_exception('CVE-2031-0002', 'no "shell"', kind => 'not_affected',
        justification => 'component_not_present', image => 'shop:1')),
    (clair.create_exception('GHSA-1', 'is patched', kind => 'fixed', package => 'zlib1g', architecture => 'i386')),
    (clair.create_exception('CVE-2031-0001', 'no such thing', kind => 'false_positive', package => 'zlib1g',
        architecture => 'amd64', namespace => 'debian:12')),
    (clair.create_exception('CVE-2031-0001', 'behind a wall', namespace => 'debian:11'))) AS made;
SELECT clair.export_vex('shop:1', 'urn:test:1', 'me') AS exported \gset
SELECT :'exported'::jsonb - 'statements' - 'version' - 'timestamp' AS head,
    (:'exported'::jsonb ->> 'timestamp')::timestamptz BETWEEN now() - interval '1 second' AND now() AS timestamp,
    (:'exported'::jsonb -> 'version')::bigint BETWEEN extract(epoch FROM now()) - 1 AND extract(epoch FROM now()) + 1 AS version;
SELECT s - 'products' AS statement, s #>> '{products,0,@id}' AS product, s #> '{products,0,subcomponents}' AS parts
FROM jsonb_array_elements(:'exported'::jsonb -> 'statements') AS s;
SELECT s - 'products' AS statement, s #>> '{products,0,@id}' AS product, s #> '{products,0,subcomponents}' AS parts
FROM jsonb_array_elements(clair.export_vex('shed:1') -> 'statements') AS s;
SELECT clair.end_exception(id) FROM clair.exception WHERE ended_at IS NULL;
SELECT * FROM pg_temp.covered;
SELECT document, state, added, skipped FROM clair.load_vex(:'exported'::jsonb);
SELECT c.findings, e.kind, e.justification, e.reason, e.document
FROM pg_temp.covered AS c
    JOIN clair.exception AS e ON e.reason = c.reason AND e.ended_at IS NULL
ORDER BY c.findings;
SELECT clair.export_vex('shop:1', 'urn:test:1', 'me') -> 'statements' = :'exported'::jsonb -> 'statements' AS same;
SELECT clair.export_vex('shed:1') ->> '@id' AS id, clair.export_vex('shed:1') ->> 'author' = current_user AS by_us;

-- Package URLs of all kinds of packages, and of images
SELECT clair.package_purl(namespace, format, name, version, architecture)
FROM (VALUES
    ('debian:12', 'dpkg', 'libstdc++6', '1:2.3~rc1+b2-1', 'amd64'), ('rhel:9', 'rpm', 'a', '2:3.4-5.el9', 'x86_64'),
    ('rhel:9', 'rpm', 'a', '3.4-5.el9', NULL), ('alpine:v3.18', 'apk', 'so:x y', '1_p2-r0', 'x86_64'),
    ('wolfi:rolling', 'apk', 'a', NULL, 'x86_64'), ('debian:12', 'dpkg', 'é/%', '1', NULL)
) AS p(namespace, format, name, version, architecture);
INSERT INTO clair.image_name (name, image_id)
SELECT n.name, clair.image_id('shed:1') FROM unnest('{A.example.org:80/t/Web:1.4,A.example.org:80/t/Web}'::text[]) AS n(name);
DELETE FROM clair.image_name WHERE name = 'shed:1';
SELECT clair.image_purl('A.example.org:80/t/Web');
DELETE FROM clair.image_name WHERE name = 'A.example.org:80/t/Web';
SELECT clair.image_purl('A.example.org:80/t/Web:1.4');
DELETE FROM clair.image_name WHERE name = 'A.example.org:80/t/Web:1.4';
SELECT clair.image_purl('sha256:' || repeat('2', 64));

-- What is no document
\set ON_ERROR_STOP off
\set SHOW_CONTEXT never
SAVEPOINT a;
SELECT clair.load_vex('<html>'::bytea);
ROLLBACK TO a;
SELECT clair.load_vex('[]'::jsonb);
ROLLBACK TO a;
SELECT clair.load_vex('{}'::jsonb);
ROLLBACK TO a;
SELECT clair.load_vex('{"statements": []}'::jsonb);
ROLLBACK TO a;
SELECT clair.load_vex(pg_temp.document(1, VARIADIC '{}'), image => '0');
ROLLBACK TO a;
SELECT clair.load_vex('relative.json');
ROLLBACK TO a;
SELECT clair.load_vex(NULL::jsonb), clair.load_vex(NULL::bytea), clair.load_vex(NULL::text);
SELECT clair.export_vex('no such image');
ROLLBACK TO a;

-- Who may
CREATE ROLE regress_clair_vex;
GRANT USAGE ON SCHEMA clair TO regress_clair_vex;
SET ROLE regress_clair_vex;
SAVEPOINT b;
SELECT clair.load_vex('{}'::jsonb);
ROLLBACK TO b;
SELECT clair.export_vex('shed:1');
ROLLBACK TO b;
RESET ROLE;
GRANT EXECUTE ON FUNCTION clair.load_vex(jsonb, text), clair.load_vex(text, text) TO regress_clair_vex;
SET ROLE regress_clair_vex;
SELECT state FROM clair.load_vex('{"@id": "x", "statements": []}'::jsonb);
SELECT clair.load_vex('/etc/passwd');
ROLLBACK TO b;
RESET ROLE;
ROLLBACK;
