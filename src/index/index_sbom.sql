/*
 * Indexing software bills of materials: images without their layers.
 */
CREATE VIEW clair.image_sbom AS
SELECT
    part.image_id,
    pg_catalog.substr(part.layer, 6) AS digest,
    pg_catalog.max(fact.value) FILTER (WHERE fact.key = 'format') AS format,
    pg_catalog.max(fact.value) FILTER (WHERE fact.key = 'tool') AS tool,
    pg_catalog.max(fact.value) FILTER (WHERE fact.key = 'subject') AS subject,
    pg_catalog.max(fact.value) FILTER (WHERE fact.key = 'created') AS created,
    COALESCE(
        pg_catalog.sum(fact.value::bigint) FILTER (WHERE fact.key LIKE 'passed\_over.%'), 0
    )::bigint AS passed_over,
    COALESCE(
        pg_catalog.array_agg(pg_catalog.substr(fact.key, 13) ORDER BY fact.key)
            FILTER (WHERE fact.key LIKE 'passed\_over.%'),
        '{}'
    ) AS types
FROM clair.image_layer AS part
    JOIN clair.layer_entry AS entry ON entry.layer = part.layer AND entry.role = 'sbom'
    JOIN clair.layer_fact AS fact ON fact.layer = part.layer AND fact.path = entry.path
GROUP BY part.image_id, part.layer;
COMMENT ON VIEW clair.image_sbom IS
    'images that are known from a software bill of materials: the digest of the document, what it says that it is, which tool made it of what and when, and how many components, of which types, were passed over since they are no packages of dpkg, rpm or apk';

CREATE FUNCTION clair.index_sbom(path text, name text DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_sbom_path';
COMMENT ON FUNCTION clair.index_sbom(text, text) IS
    'reads a software bill of materials (CycloneDX or SPDX 2, as JSON) from a file of the server and stores its packages as those of an image';
REVOKE ALL ON FUNCTION clair.index_sbom(text, text) FROM PUBLIC;

CREATE FUNCTION clair.index_sbom(content bytea, name text DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_sbom_content';
COMMENT ON FUNCTION clair.index_sbom(bytea, text) IS 'the same from the bytes of a document';
REVOKE ALL ON FUNCTION clair.index_sbom(bytea, text) FROM PUBLIC;

CREATE FUNCTION clair.index_sbom(document jsonb, name text DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_sbom_json';
COMMENT ON FUNCTION clair.index_sbom(jsonb, text) IS
    'the same from a document, such as clair.export_sbom() makes';
REVOKE ALL ON FUNCTION clair.index_sbom(jsonb, text) FROM PUBLIC;

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.image_sbom SET (security_invoker = true);
    END IF;
END
$$;
