/*
 * An image as an SPDX 2.3 document, https://spdx.github.io/spdx-spec/v2.3/
 *
 * Licenses are in the words of package databases, which need not be those of SPDX's list: the
 * document brings each of them as one of its own, and refers to it.
 */
CREATE FUNCTION clair.sbom_spdx(image bigint)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH subject AS MATERIALIZED (
        SELECT s.*
        FROM clair.sbom_subject AS s
        WHERE s.image_id = sbom_spdx.image
    ),
    layer AS MATERIALIZED (
        SELECT l.*, 'SPDXRef-Layer-' || l.position AS id
        FROM clair.image_layer AS l
        WHERE l.image_id = sbom_spdx.image
    ),
    package AS MATERIALIZED (
        SELECT c.*,
            'SPDXRef-Package-' || c.number AS id,
            CASE WHEN c.license IS NOT NULL
                THEN 'LicenseRef-' || pg_catalog.dense_rank() OVER (ORDER BY c.license) END AS license_id
        FROM clair.sbom_component AS c
        WHERE c.image_id = sbom_spdx.image
    ),
    element (place, number, id, parent, name, version, purpose, comment, supplier, license_id, source, hash, refs) AS (
        SELECT 1, 1::bigint, 'SPDXRef-Image', NULL, s.name, s.digest, 'CONTAINER', NULL, NULL, NULL, NULL, s.digest, (
            SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                'referenceCategory', r.category, 'referenceType', r.type, 'referenceLocator', r.locator)
                ORDER BY r.category DESC, r.locator)
            FROM (
                SELECT 'PACKAGE-MANAGER' AS category, 'purl' AS type, s.purl AS locator
                WHERE s.purl IS NOT NULL
                UNION ALL
                SELECT 'OTHER', 'clair-repository', known.repository
                FROM clair.image_repository AS known
                WHERE known.image_id = s.image_id
            ) AS r
        )
        FROM subject AS s
        UNION ALL
        SELECT 2, l.position, l.id, 'SPDXRef-Image', l.layer, NULL, 'ARCHIVE', l.command, NULL, NULL, NULL, l.layer, NULL
        FROM layer AS l
        UNION ALL
        SELECT 3, 1, 'SPDXRef-OperatingSystem', 'SPDXRef-Image', s.distribution, s.release, 'OPERATING-SYSTEM',
            NULL, NULL, NULL, NULL, NULL, NULL
        FROM subject AS s
        WHERE s.distribution IS NOT NULL
        UNION ALL
        SELECT 4, p.number, p.id,
            COALESCE((SELECT l.id FROM layer AS l WHERE l.layer = p.introduced_by ORDER BY l.position LIMIT 1),
                'SPDXRef-Image'),
            p.name, p.version, 'LIBRARY', NULL, 'Organization: ' || p.vendor, p.license_id,
            'built package from: ' || p.source_name || ' ' || p.source_version, NULL,
            pg_catalog.json_build_array(pg_catalog.json_build_object(
                'referenceCategory', 'PACKAGE-MANAGER', 'referenceType', 'purl', 'referenceLocator', p.purl))
        FROM package AS p
    ),
    content AS MATERIALIZED (
        SELECT
            pg_catalog.json_agg(pg_catalog.json_build_object(
                'SPDXID', e.id,
                'name', e.name,
                'versionInfo', e.version,
                'primaryPackagePurpose', e.purpose,
                'comment', e.comment,
                'supplier', COALESCE(e.supplier, 'NOASSERTION'),
                'downloadLocation', 'NOASSERTION',
                'filesAnalyzed', false,
                'licenseConcluded', 'NOASSERTION',
                'licenseDeclared', COALESCE(e.license_id, 'NOASSERTION'),
                'copyrightText', 'NOASSERTION',
                'sourceInfo', e.source,
                'checksums', CASE WHEN e.hash LIKE 'sha256:%' THEN pg_catalog.json_build_array(
                    pg_catalog.json_build_object(
                        'algorithm', 'SHA256', 'checksumValue', pg_catalog.substr(e.hash, 8))) END,
                'externalRefs', e.refs
            ) ORDER BY e.place, e.number) AS packages,
            pg_catalog.json_agg(pg_catalog.json_build_object(
                'spdxElementId', COALESCE(e.parent, 'SPDXRef-DOCUMENT'),
                'relationshipType', CASE WHEN e.parent IS NULL THEN 'DESCRIBES' ELSE 'CONTAINS' END,
                'relatedSpdxElement', e.id
            ) ORDER BY e.place, e.number) AS relationships,
            (
                SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                    'licenseId', l.license_id, 'name', l.license, 'extractedText', l.license) ORDER BY l.license)
                FROM (SELECT DISTINCT p.license_id, p.license FROM package AS p WHERE p.license IS NOT NULL) AS l
            ) AS licenses
        FROM element AS e
    )
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.json_build_object(
        'spdxVersion', 'SPDX-2.3',
        'dataLicense', 'CC0-1.0',
        'SPDXID', 'SPDXRef-DOCUMENT',
        'name', s.name,
        'documentNamespace', 'urn:uuid:' || pg_catalog.substr(pg_catalog.encode(pg_catalog.sha256(
            pg_catalog.convert_to(pg_catalog.concat_ws(' ', s.digest, c.packages, c.relationships, c.licenses), 'UTF8')),
            'hex'), 1, 32)::uuid,
        'creationInfo', pg_catalog.json_build_object(
            'created', pg_catalog.to_char(s.read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'creators', pg_catalog.json_build_array('Tool: clair-' || s.clair_version)
        ),
        'packages', c.packages,
        'hasExtractedLicensingInfos', c.licenses,
        'relationships', c.relationships
    )::jsonb)
    FROM subject AS s, content AS c;
END;
COMMENT ON FUNCTION clair.sbom_spdx(bigint) IS
    'an SPDX 2.3 document of an image: see clair.export_sbom()';
REVOKE ALL ON FUNCTION clair.sbom_spdx(bigint) FROM PUBLIC;

-- Compiling these statements would take longer than running them.
CREATE FUNCTION clair.export_sbom(image text, format text DEFAULT 'cyclonedx',
    vulnerabilities boolean DEFAULT false)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    id bigint := clair.image_id(image);
BEGIN
    IF lower(format) = 'cyclonedx' THEN
        RETURN clair.sbom_cyclonedx(id, vulnerabilities IS TRUE);
    ELSIF lower(format) IS DISTINCT FROM 'spdx' THEN
        RAISE EXCEPTION 'invalid format of a software bill of materials: "%"', format
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is cyclonedx or spdx.';
    ELSIF vulnerabilities THEN
        RAISE EXCEPTION 'SPDX documents have no vulnerabilities'
            USING ERRCODE = 'feature_not_supported', HINT = 'CycloneDX documents have.';
    END IF;
    RETURN clair.sbom_spdx(id);
END
$$;
COMMENT ON FUNCTION clair.export_sbom(text, text, boolean) IS
    'a software bill of materials of an image: its packages, layers and system as a CycloneDX 1.6 document, on demand with its vulnerabilities as of now, or an SPDX 2.3 document; clair.index_sbom() reads both without loss';
REVOKE ALL ON FUNCTION clair.export_sbom(text, text, boolean) FROM PUBLIC;
