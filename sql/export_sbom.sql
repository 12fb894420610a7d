--
-- Proves what the software bills of materials of an image say: packages, layers, system, licenses and,
-- on demand, vulnerabilities with what exceptions say of them; and that reading one back gives the
-- same packages, namespace and repositories.
--
\set ON_ERROR_STOP on
BEGIN;
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
\i :archive
\set findings :abs_srcdir '/test/fixtures/findings.sql'
\i :findings
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
VALUES ('CVE-2031-0001', 'nvd', 1, 'nvd@nist.gov', 'Primary', '3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'Critical');
INSERT INTO clair.cve (cve, updater, metric, severity) VALUES ('CVE-2031-0001', 'nvd', 1, 'Critical');

-- Two layers, the second of which adds a package
CREATE TEMPORARY TABLE image AS
SELECT pg_temp.docker('export:1',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5')
        || E'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1.2-1)\nVersion: 1:1.2-1+b1\n'))
    ) AS archive;
SELECT image IS NOT NULL FROM image, clair.index_image(archive);

-- CycloneDX: the whole of it, but for what is of the day
\pset format unaligned
SELECT jsonb_pretty(jsonb_set(clair.export_sbom('export:1') - 'serialNumber' #- '{metadata,timestamp}',
    '{metadata,tools,components,0,version}', '"x"'));
SELECT clair.export_sbom('export:1') ->> 'serialNumber' ~ '^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AS is_uuid,
    clair.export_sbom('export:1') = clair.export_sbom('export:1') AS is_stable,
    clair.export_sbom('export:1') ->> 'serialNumber' <> clair.export_sbom('export:1', vulnerabilities => true) ->> 'serialNumber'
        AS tells_apart;

-- Its vulnerabilities, and what has been said of them
SELECT clair.create_exception('CVE-2031-0002', 'not built in', package => 'bash', kind => 'not_affected',
    justification => 'vulnerable_code_not_present', image => 'export:1') > 0 AS created;
SELECT jsonb_pretty(clair.export_sbom('export:1', vulnerabilities => true) -> 'vulnerabilities');
SELECT p ->> 'value' AS coverage
FROM jsonb_array_elements(clair.export_sbom('export:1', vulnerabilities => true) #> '{metadata,component,properties}') AS p
WHERE p ->> 'name' = 'clair:coverage'
ORDER BY 1;

-- It is a VEX document, too
CREATE TEMPORARY TABLE vex AS
SELECT clair.export_sbom('export:1', vulnerabilities => true) AS document;
SELECT clair.end_exception(id) FROM clair.exception WHERE reason = 'not built in';
SELECT l.state, l.added, l.skipped FROM vex, clair.load_vex(document) AS l;
SELECT feature, vulnerability, exception FROM clair.vulnerabilities('export:1') WHERE exception IS NOT NULL;

-- SPDX
SELECT jsonb_pretty((clair.export_sbom('export:1', 'SPDX') - 'documentNamespace') || '{"creationInfo": "x"}');
SELECT clair.export_sbom('export:1', 'spdx') #> '{creationInfo,creators}' ->> 0 LIKE 'Tool: clair-%' AS is_by_clair;
\pset format aligned

-- Back again: licenses, modules, vendors, odd names, repositories
CREATE TEMPORARY TABLE rpm AS
SELECT pg_temp.tar(pg_temp.file('etc/os-release', E'ID=rhel\nVERSION_ID="8.9"\n'),
    pg_temp.file('var/lib/rpmmanifest/container-manifest-2', E'a+b\t2-3\t1\t1\tRed Hat, Inc.\t(none)\t1\tnoarch\t0\tsource-2-3.src.rpm\n'),
    pg_temp.file('usr/share/buildinfo/x.json', '{"content_sets": ["rhel-8-for-x86_64-baseos-rpms"]}')) AS layer;
SELECT image IS NOT NULL FROM rpm, clair.index_image(layer, 'back:rpm');
SELECT image IS NOT NULL FROM clair.index_image(pg_temp.tar(pg_temp.file('etc/os-release', E'ID=alpine\nVERSION_ID=3.20.1\n'),
    pg_temp.file('lib/apk/db/installed', E'P:so:libx.so\nV:1.2_git3-r0\nA:x86_64\no:x\nL:MIT AND (BSD OR "x")\n\nP:y\nV:nonsense\n\n')), 'back:apk');
SELECT image IS NOT NULL FROM clair.index_image(pg_temp.tar(
    pg_temp.file('etc/os-release', E'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n'),
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('a 1:2~rc+x%3A-3', 'b 1@2'))), 'back:dpkg');
SELECT image IS NOT NULL FROM clair.index_image(pg_temp.tar(
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('a 1'))), 'back:unknown');
CREATE TEMPORARY TABLE back AS
SELECT n.name, f.format, n.name || '.' || f.format AS copy, clair.export_sbom(n.name, f.format) AS document
FROM clair.image_name AS n, unnest(ARRAY['cyclonedx', 'spdx']) AS f(format)
WHERE n.name LIKE 'back:%';
SELECT b.copy, i.namespace, i.status, i.features
FROM back AS b, clair.index_sbom(b.document, b.copy) AS i
ORDER BY 1;
SELECT n.name, f.namespace, f.name, f.version, f.source_name, f.source_version, f.architecture, f.module, f.vendor, f.license
FROM clair.image_name AS n, clair.features(n.name) AS f
WHERE n.name LIKE 'back:%'
ORDER BY n.name COLLATE "C", f.name COLLATE "C";
SELECT n.name, r.repository
FROM clair.image_repository AS r
    JOIN clair.image_name AS n USING (image_id)
WHERE n.name LIKE 'back:%'
ORDER BY 1;

-- What is known from a document only is written down as such
SELECT d.document #>> '{metadata,component,purl}' AS purl,
    d.document #>> '{metadata,component,version}' LIKE 'sbom:sha256:%' AS is_document
FROM (SELECT clair.export_sbom('back:rpm.spdx')) AS d(document);
ROLLBACK;
