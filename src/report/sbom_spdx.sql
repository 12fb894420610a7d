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
    WITH package AS (
        SELECT c.*,
            'SPDXRef-Package-' || c.number AS id,
            CASE WHEN c.license IS NOT NULL
                THEN 'LicenseRef-' || pg_catalog.dense_rank() OVER (ORDER BY c.license) END AS license_id,
            (
                SELECT pg_catalog.min(l.position)
                FROM clair.image_layer AS l
                WHERE l.image_id = c.image_id AND l.layer = c.introduced_by
            ) AS layer
        FROM clair.sbom_component AS c
        WHERE c.image_id = sbom_spdx.image
    ),
    subject AS (
        SELECT s.*
        FROM clair.sbom_subject AS s
        WHERE s.image_id = sbom_spdx.image
    ),
    -- What all packages have to say, also when there is nothing to say.
    element (id, place, number, own) AS (
        SELECT 'SPDXRef-Image', 1, 1::bigint, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
            'name', s.name,
            'versionInfo', s.digest,
            'primaryPackagePurpose', 'CONTAINER',
            'checksums', CASE WHEN s.digest LIKE 'sha256:%' THEN pg_catalog.jsonb_build_array(
                pg_catalog.jsonb_build_object('algorithm', 'SHA256', 'checksumValue', pg_catalog.substr(s.digest, 8)))
            END,
            'externalRefs', (
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
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
        ))
        FROM subject AS s
        UNION ALL
        SELECT 'SPDXRef-Layer-' || l.position, 2, l.position, pg_catalog.jsonb_strip_nulls(
            pg_catalog.jsonb_build_object(
                'name', l.layer,
                'comment', l.command,
                'primaryPackagePurpose', 'ARCHIVE',
                'checksums', CASE WHEN l.layer LIKE 'sha256:%' THEN pg_catalog.jsonb_build_array(
                    pg_catalog.jsonb_build_object(
                        'algorithm', 'SHA256', 'checksumValue', pg_catalog.substr(l.layer, 8))) END
            ))
        FROM clair.image_layer AS l
        WHERE l.image_id = sbom_spdx.image
        UNION ALL
        SELECT 'SPDXRef-OperatingSystem', 3, 1, pg_catalog.jsonb_build_object(
            'name', s.distribution,
            'versionInfo', s.release,
            'primaryPackagePurpose', 'OPERATING-SYSTEM'
        )
        FROM subject AS s
        WHERE s.distribution IS NOT NULL
        UNION ALL
        SELECT p.id, 4, p.number, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
            'name', p.name,
            'versionInfo', p.version,
            'primaryPackagePurpose', 'LIBRARY',
            'supplier', 'Organization: ' || p.vendor,
            'licenseDeclared', p.license_id,
            'sourceInfo', 'built package from: ' || p.source_name || ' ' || p.source_version,
            'externalRefs', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                'referenceCategory', 'PACKAGE-MANAGER', 'referenceType', 'purl', 'referenceLocator', p.purl))
        ))
        FROM package AS p
    ),
    relationship (number, place, id, type, other) AS (
        SELECT 1::bigint, 1, 'SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-Image'
        UNION ALL
        SELECT e.number, e.place, 'SPDXRef-Image', 'CONTAINS', e.id
        FROM element AS e
        WHERE e.place IN (2, 3)
        UNION ALL
        SELECT p.number, 4, COALESCE('SPDXRef-Layer-' || p.layer, 'SPDXRef-Image'), 'CONTAINS', p.id
        FROM package AS p
    ),
    content AS MATERIALIZED (
        SELECT
            (
                SELECT pg_catalog.jsonb_agg(
                    '{"filesAnalyzed": false, "downloadLocation": "NOASSERTION", "supplier": "NOASSERTION",
                      "copyrightText": "NOASSERTION", "licenseConcluded": "NOASSERTION",
                      "licenseDeclared": "NOASSERTION"}'::jsonb
                    || pg_catalog.jsonb_build_object('SPDXID', e.id) || e.own
                    ORDER BY e.place, e.number
                )
                FROM element AS e
            ) AS packages,
            (
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                    'spdxElementId', r.id, 'relationshipType', r.type, 'relatedSpdxElement', r.other)
                    ORDER BY r.place, r.number)
                FROM relationship AS r
            ) AS relationships,
            (
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                    'licenseId', l.license_id, 'name', l.license, 'extractedText', l.license) ORDER BY l.license)
                FROM (SELECT DISTINCT p.license_id, p.license FROM package AS p WHERE p.license IS NOT NULL) AS l
            ) AS licenses
    )
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'spdxVersion', 'SPDX-2.3',
        'dataLicense', 'CC0-1.0',
        'SPDXID', 'SPDXRef-DOCUMENT',
        'name', s.name,
        'documentNamespace', 'urn:uuid:' || pg_catalog.substr(pg_catalog.encode(pg_catalog.sha256(
            pg_catalog.convert_to(pg_catalog.concat_ws(' ', s.digest, c.packages, c.relationships), 'UTF8')), 'hex'),
            1, 32)::uuid,
        'creationInfo', pg_catalog.jsonb_build_object(
            'created', pg_catalog.to_char(s.read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'creators', pg_catalog.jsonb_build_array('Tool: clair-' || s.clair_version)
        ),
        'packages', c.packages,
        'hasExtractedLicensingInfos', c.licenses,
        'relationships', c.relationships
    ))
    FROM subject AS s, content AS c;
END;
COMMENT ON FUNCTION clair.sbom_spdx(bigint) IS
    'an SPDX 2.3 document of an image: see clair.export_sbom()';
REVOKE ALL ON FUNCTION clair.sbom_spdx(bigint) FROM PUBLIC;

CREATE FUNCTION clair.export_sbom(image text, format text DEFAULT 'cyclonedx',
    vulnerabilities boolean DEFAULT false)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
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
