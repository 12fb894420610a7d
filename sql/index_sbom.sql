--
-- Proves that a software bill of materials becomes an image like any other: its packages, its
-- namespace, its findings, its end; that what it claims to be is never believed; and that what was
-- left out is told.
--
\set ON_ERROR_STOP on
BEGIN;
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
\i :archive
\set findings :abs_srcdir '/test/fixtures/findings.sql'
\i :findings

-- A CycloneDX document of these package URLs
CREATE FUNCTION pg_temp.cyclonedx(VARIADIC purls text[])
RETURNS jsonb
LANGUAGE sql AS $$
    SELECT jsonb_build_object('bomFormat', 'CycloneDX', 'specVersion', '1.6',
        'metadata', jsonb_build_object(
            'timestamp', '2031-01-01T00:00:00Z',
            'tools', jsonb_build_object('components', jsonb_build_array(
                jsonb_build_object('type', 'application', 'name', 'made', 'version', '1'))),
            'component', jsonb_build_object('type', 'container', 'name', 'web:1')),
        'components', jsonb_agg(jsonb_build_object('type', 'library', 'name', purl, 'purl', purl) ORDER BY number))
    FROM unnest(purls) WITH ORDINALITY AS p(purl, number)
$$;
CREATE FUNCTION pg_temp.outcome(statement text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail_text text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail_text = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, NULLIF(detail_text, ''));
END
$$;

CREATE TEMPORARY TABLE document AS
SELECT pg_temp.cyclonedx('pkg:deb/debian/zlib1g@1.2-1%2Bb1?arch=amd64&distro=debian-12&upstream=zlib%401.2-1',
    'pkg:deb/debian/bash@5?arch=amd64&distro=debian-12&upstream=bash',
    'pkg:npm/left-pad@1.3.0', 'pkg:npm/is-odd@3.0.1', 'pkg:pypi/six@1.16.0') AS content;

-- Packages, namespace and status; what is no package of a distribution is told of
SELECT name, substr(digest, 1, 12) AS digest, platform, namespace, status, layers, layers_read, databases, features
FROM document, clair.index_sbom(content, 'bill:1');
SELECT name, version, source_name, source_version, architecture, left(introduced_by, 12) AS introduced_by
FROM clair.features('bill:1');
SELECT format, tool, subject, created, passed_over, types
FROM clair.image_sbom
WHERE image_id = clair.image_id('bill:1');

-- It is found by its digest, which is that of the document, and has the findings that the packages have
SELECT i.digest = 'sbom:sha256:' || encode(sha256(convert_to(content::text, 'UTF8')), 'hex') AS is_digest,
    clair.image_id(i.digest) = i.id AS is_found
FROM document, clair.image AS i
WHERE i.id = clair.image_id('bill:1');
SELECT feature, vulnerability, severity, fixed_in
FROM clair.vulnerabilities('bill:1')
WHERE vulnerability IS NOT NULL
ORDER BY feature;
SELECT names
FROM clair.affected_images('CVE-2031-0001', 'debian:12')
ORDER BY names, feature;

-- The same document is the same image, as bytes too
SELECT layers_read, image = clair.image_id('bill:1') AS is_same
FROM document, clair.index_sbom(convert_to(content::text, 'UTF8'), 'bill:2');

-- Another document of the same packages is another image; the features are there once
SELECT layers_read, image = clair.image_id('bill:1') AS is_same, features
FROM document, clair.index_sbom(jsonb_set(content, '{metadata,timestamp}', '"2031-01-02T00:00:00Z"'), 'bill:3');
SELECT count(*) AS databases
FROM clair.package_database
WHERE content LIKE 'sbom:%';

-- What it says that it is about does not move names
SELECT name FROM clair.index_image(pg_temp.docker('web:1', pg_temp.tar(pg_temp.debian())));
SELECT count(*) FROM document, clair.index_sbom(jsonb_set(content, '{version}', '1'));
SELECT digest LIKE 'sha256:%' AS is_image FROM clair.image WHERE id = clair.image_id('web:1');

-- A config that is a bill of materials as well: neither takes the place of the other
CREATE TEMPORARY TABLE both_in_one AS
SELECT convert_to((convert_from(pg_temp.config(ARRAY[layer]), 'UTF8')::jsonb
    || pg_temp.cyclonedx('pkg:deb/debian/bash@9?upstream=bash&distro=debian-12'))::text, 'UTF8') AS config, layer
FROM (SELECT pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5')))) AS l(layer);
SELECT features FROM both_in_one, clair.index_sbom(config, 'clean:1');
SELECT layers_read, features
FROM both_in_one, clair.index_image(pg_temp.tar(pg_temp.member('0/layer.tar', layer),
    pg_temp.member('config.json', config), pg_temp.file('manifest.json',
        '[{"Config": "config.json", "RepoTags": ["real:1"], "Layers": ["0/layer.tar"]}]')));
SELECT version FROM clair.features('clean:1');
SELECT version FROM clair.features('real:1');

-- SPDX, by a release file's words; what is broken makes the image partial
SELECT namespace, status, features
FROM clair.index_sbom('{"spdxVersion": "SPDX-2.3", "name": "x", "packages": [
    {"SPDXID": "SPDXRef-1", "name": "alpine", "versionInfo": "3.20.3", "primaryPackagePurpose": "OPERATING-SYSTEM"},
    {"SPDXID": "SPDXRef-2", "name": "musl", "licenseDeclared": "MIT", "externalRefs": [
        {"referenceType": "purl", "referenceLocator": "pkg:apk/alpine/musl@1.2-r0?upstream=musl"}]},
    {"SPDXID": "SPDXRef-3", "name": "x", "externalRefs": [
        {"referenceType": "purl", "referenceLocator": "pkg:apk/alpine/x@x"}]},
    {"SPDXID": "SPDXRef-4", "name": "y", "externalRefs": [
        {"referenceType": "purl", "referenceLocator": "pkg:apk"}]}]}'::jsonb, 'spdx:1');
SELECT place, reason FROM clair.image_problem WHERE image_id = clair.image_id('spdx:1') ORDER BY number;
SELECT name, version, license FROM clair.features('spdx:1');

-- Zero findings is a claim that needs a distribution and packages
SELECT status FROM clair.index_sbom(pg_temp.cyclonedx('pkg:npm/x@1'), 'npm:1');
SELECT status FROM clair.index_sbom(pg_temp.cyclonedx('pkg:deb/x@1?upstream=x'), 'nowhere:1');
SELECT v.status FROM clair.vulnerabilities('npm:1') AS v GROUP BY 1;
SELECT status FROM clair.index_sbom(pg_temp.cyclonedx('pkg:deb/debian/x@1?distro=debian-12'), 'sourceless:1');
SELECT place, reason FROM clair.image_problem WHERE image_id = clair.image_id('sourceless:1');

-- The repositories that rpm packages are from
SELECT namespace FROM clair.index_sbom(pg_temp.cyclonedx(
    'pkg:rpm/redhat/bash@5-1.el9?distro=rhel-9.4&repository_id=rhel-9-for-x86_64-baseos-rpms&upstream=bash'), 'rhel:1');
SELECT repository FROM clair.image_repository WHERE image_id = clair.image_id('rhel:1');

-- They are read by the newest readers
SELECT count(*)
FROM clair.layer_entry AS e
    LEFT JOIN (SELECT role, max(version) AS version FROM clair.reader_version GROUP BY role) AS v USING (role)
WHERE e.layer LIKE 'sbom:%' AND e.version IS DISTINCT FROM v.version;

-- It ends as images do
SELECT clair.set_namespace('bill:1', 'debian:11');
SELECT clair.delete_image('bill:1') > 0 AS deleted;
SELECT pg_temp.outcome($$SELECT clair.image_id('bill:2')$$);
SELECT count(*) FROM clair.image_sbom WHERE image_id = clair.image_id('bill:3');
SELECT clair.delete_image('bill:3') > 0 AS deleted;
SELECT layers > 0 AS layers, databases > 0 AS databases FROM clair.collect_garbage();

-- What is refused
SELECT pg_temp.outcome(statement)
FROM unnest(ARRAY[
    $$SELECT clair.index_sbom('{"artifacts": []}'::jsonb)$$,
    $$SELECT clair.index_sbom('{"bomFormat": "CycloneDX", "specVersion": "2.0"}'::jsonb)$$,
    $$SELECT clair.index_sbom('<bom/>'::bytea)$$,
    $$SELECT clair.index_sbom('\x1f8b'::bytea)$$,
    $$SELECT clair.index_sbom('relative.json')$$,
    $$SELECT clair.index_sbom('{}'::jsonb, '12')$$,
    $$SELECT clair.index_sbom('{}'::jsonb, 'sbom:sha256:x')$$,
    $$SELECT clair.image_id('sbom:sha256:x')$$
]) AS statement;
SELECT count(*) FROM clair.index_sbom(NULL::jsonb);
ROLLBACK;
