/*
 * VEX documents: exceptions that others have written down.
 */
CREATE FUNCTION clair.vex_namespace(vendor text, distribution text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT n.family || ':' || CASE
        WHEN distribution IS NULL THEN '%'
        ELSE COALESCE(
            (
                SELECT r.release
                FROM clair.release AS r
                WHERE r.family = n.family AND said.release IN (r.release, r.codename)
            ),
            d.release_prefix || NULLIF(
                pg_catalog.substring(pg_catalog.ltrim(said.release, d.release_prefix), d.release_pattern),
                ''
            ),
            CASE WHEN said.release ~ d.rolling_pattern THEN d.rolling_name END
        )
    END
    FROM clair.distribution_name AS n
        JOIN clair.distribution AS d ON d.family = n.family
        CROSS JOIN LATERAL (
            -- "debian-12", "bookworm", "esm-infra/jammy"
            SELECT pg_catalog.regexp_replace(pg_catalog.lower(distribution), '^.*[-:/]', '') AS release
        ) AS said
    WHERE n.name = CASE COALESCE(
            pg_catalog.lower(vendor),
            pg_catalog.substring(pg_catalog.lower(distribution), '^(.+)[-:]')
        )
        WHEN 'redhat' THEN 'rhel'
        WHEN 'rockylinux' THEN 'rocky'
        WHEN 'oraclelinux' THEN 'oracle'
        WHEN 'amazon' THEN 'amzn'
        WHEN 'suse' THEN 'sles'
        ELSE COALESCE(
            pg_catalog.lower(vendor),
            pg_catalog.substring(pg_catalog.lower(distribution), '^(.+)[-:]')
        )
    END;
END;
COMMENT ON FUNCTION clair.vex_namespace(text, text) IS
    'the pattern of namespaces that a distribution means, as package URLs name it: vendor and distro, such as debian and debian-12 or bookworm; or as a CPE does, such as redhat:enterprise_linux and 9; null when it is not known';
REVOKE ALL ON FUNCTION clair.vex_namespace(text, text) FROM PUBLIC;

CREATE FUNCTION clair.vex_exceptions(vulnerabilities text[], kinds text[], justifications text[],
    reasons text[], images text[], packages text[], formats text[], versions text[],
    architectures text[], vendors text[], distributions text[], products text[], image_of_products text)
RETURNS TABLE (vulnerability text, package text, version clair.version, architecture text,
    namespace text, image text, kind clair.exception_kind, justification text, reason text, problem text,
    subject text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT DISTINCT ON (v.vulnerability, v.package, v.format, v.version, v.architecture, n.namespace,
            i.image, v.kind)
        v.vulnerability,
        v.package,
        CASE WHEN v.version IS NOT NULL THEN clair.version(v.format, v.version) END,
        v.architecture,
        n.namespace,
        i.image,
        v.kind::clair.exception_kind,
        v.justification,
        v.reason,
        CASE
            WHEN v.product IS NOT NULL AND i.image IS NULL THEN 'it is about what is no image'
            WHEN COALESCE(v.vendor, v.distribution) IS NOT NULL AND n.namespace IS NULL
                THEN 'the distribution of the package is not known'
        END,
        COALESCE(v.product, v.package)
    FROM unnest(vulnerabilities, kinds, justifications, reasons, images, packages, formats, versions,
            architectures, vendors, distributions, products)
            WITH ORDINALITY AS v(vulnerability, kind, justification, reason, image, package, format, version,
                architecture, vendor, distribution, product, number)
        CROSS JOIN LATERAL (SELECT COALESCE(v.image, image_of_products) AS image) AS i
        CROSS JOIN LATERAL (SELECT clair.vex_namespace(v.vendor, v.distribution) AS namespace) AS n
    ORDER BY v.vulnerability, v.package, v.format, v.version, v.architecture, n.namespace, i.image,
        v.kind, v.number;
END;
COMMENT ON FUNCTION clair.vex_exceptions(text[], text[], text[], text[], text[], text[], text[], text[],
    text[], text[], text[], text[], text) IS
    'the exceptions that the statements of a VEX document, column by column, come to, and what keeps one from being made; image_of_products is what they are about that name no image that is known';
REVOKE ALL ON FUNCTION clair.vex_exceptions(text[], text[], text[], text[], text[], text[], text[], text[],
    text[], text[], text[], text[], text) FROM PUBLIC;

CREATE TYPE clair.loaded_vex AS (
    document text,
    version text,
    state text,
    added bigint,
    ended bigint,
    skipped bigint
);
COMMENT ON TYPE clair.loaded_vex IS
    'what clair.load_vex() has done with a document: loaded, replaced, unchanged, or older than what is loaded; exceptions that were added and ended, statements that were left out';

CREATE FUNCTION clair.load_vex(path text, image text DEFAULT NULL)
RETURNS SETOF clair.loaded_vex
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'load_vex_path';
COMMENT ON FUNCTION clair.load_vex(text, text) IS
    'makes exceptions of what a VEX document (OpenVEX, CSAF, CycloneDX), a file of the server, says is not affected or fixed, and ends those of its former version that it does not say any more; image, a number, digest or pattern of names (of LIKE), is what it is about where it does not name an image itself';
REVOKE ALL ON FUNCTION clair.load_vex(text, text) FROM PUBLIC;

CREATE FUNCTION clair.load_vex(content bytea, image text DEFAULT NULL)
RETURNS SETOF clair.loaded_vex
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'load_vex_content';
COMMENT ON FUNCTION clair.load_vex(bytea, text) IS 'the same from the bytes of a document';
REVOKE ALL ON FUNCTION clair.load_vex(bytea, text) FROM PUBLIC;

CREATE FUNCTION clair.load_vex(document jsonb, image text DEFAULT NULL)
RETURNS SETOF clair.loaded_vex
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'load_vex_json';
COMMENT ON FUNCTION clair.load_vex(jsonb, text) IS 'the same from a document, such as clair.export_vex() makes';
REVOKE ALL ON FUNCTION clair.load_vex(jsonb, text) FROM PUBLIC;
