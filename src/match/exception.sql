/*
 * Exceptions: findings that somebody has judged, and says why they do not count.
 *
 * Looked up when findings are read; they hide nothing: clair.image_vulnerability says which one
 * covers a finding, and its reader decides what follows. An exception is about a vulnerability and
 * covers all findings of it, but for what it says besides. It is ended, not changed or deleted.
 */
CREATE TYPE clair.exception_kind AS ENUM ('accepted_risk', 'false_positive', 'not_affected', 'fixed');
COMMENT ON TYPE clair.exception_kind IS
    'why a finding does not count: the risk is accepted; it is none; or, in the words of VEX, the product is not affected, or has a fix';

CREATE TABLE clair.vex_document (
    id text COLLATE "C" PRIMARY KEY,
    format text NOT NULL CHECK (format IN ('openvex', 'csaf', 'cyclonedx')),
    version text,
    issued_at timestamptz,
    author text,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.vex_document IS 'VEX documents that clair.load_vex() has made exceptions of';
COMMENT ON COLUMN clair.vex_document.id IS
    'its id: of OpenVEX the @id, of CycloneDX the serial number, of CSAF the namespace of the publisher, a slash, and the id';
COMMENT ON COLUMN clair.vex_document.format IS 'openvex, csaf or cyclonedx';
COMMENT ON COLUMN clair.vex_document.version IS 'its version; null when that is no number';
COMMENT ON COLUMN clair.vex_document.issued_at IS 'when this version was issued';
COMMENT ON COLUMN clair.vex_document.author IS 'who wrote it, as it says itself';
COMMENT ON COLUMN clair.vex_document.loaded_by IS 'the role that loaded this version';
COMMENT ON COLUMN clair.vex_document.loaded_at IS 'when it did';

CREATE TABLE clair.exception (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vulnerability text COLLATE "C" NOT NULL CHECK (vulnerability <> ''),
    package text COLLATE "C",
    version clair.version,
    architecture text,
    namespace text COLLATE "C",
    image text COLLATE "C",
    kind clair.exception_kind NOT NULL,
    justification text CHECK (justification IN ('component_not_present', 'vulnerable_code_not_present',
        'vulnerable_code_not_in_execute_path', 'vulnerable_code_cannot_be_controlled_by_adversary',
        'inline_mitigations_already_exist')),
    reason text NOT NULL CHECK (reason <> ''),
    author text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    document text COLLATE "C" REFERENCES clair.vex_document,
    ended_at timestamptz,
    ended_by text,
    CHECK (package IS NOT NULL OR version IS NULL AND architecture IS NULL),
    CONSTRAINT exception_justifies_not_affected CHECK (justification IS NULL OR kind = 'not_affected'),
    CHECK (ended_at IS NOT NULL OR ended_by IS NULL)
);
CREATE INDEX exception_vulnerability ON clair.exception (vulnerability) WHERE ended_at IS NULL;
CREATE INDEX exception_document ON clair.exception (document) WHERE document IS NOT NULL;
COMMENT ON TABLE clair.exception IS 'exceptions: which findings do not count, and why';
COMMENT ON COLUMN clair.exception.id IS 'its number';
COMMENT ON COLUMN clair.exception.vulnerability IS
    'the vulnerability: its name, another of its names, or the advisory that brings a fix';
COMMENT ON COLUMN clair.exception.package IS
    'only of this package, installed or source; null: of any';
COMMENT ON COLUMN clair.exception.version IS 'only at this version of the package; null: at any';
COMMENT ON COLUMN clair.exception.architecture IS
    'only of this architecture, and then the package is an installed one; null: of any';
COMMENT ON COLUMN clair.exception.namespace IS
    'only in namespaces like this pattern of LIKE; null: in all';
COMMENT ON COLUMN clair.exception.image IS
    'only in the image with this digest, or of which a name is like this pattern of LIKE; null: in all';
COMMENT ON COLUMN clair.exception.kind IS 'accepted_risk, false_positive, not_affected or fixed';
COMMENT ON COLUMN clair.exception.justification IS
    'of not_affected: why, in the words of VEX';
COMMENT ON COLUMN clair.exception.reason IS 'why';
COMMENT ON COLUMN clair.exception.author IS 'the role that said so';
COMMENT ON COLUMN clair.exception.created_at IS 'when it said so';
COMMENT ON COLUMN clair.exception.expires_at IS 'from when on it does not hold any more; null: never';
COMMENT ON COLUMN clair.exception.document IS
    'the VEX document that says so; a newer version of it that does not ends the exception';
COMMENT ON COLUMN clair.exception.ended_at IS 'when it was taken back; null: it was not';
COMMENT ON COLUMN clair.exception.ended_by IS
    'the role that took it back; null when a newer version of its document did';

-- What is said of no images in particular concerns everybody; else, who has an image that is meant.
CREATE POLICY tenants ON clair.exception FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR image IS NULL
    OR image OPERATOR(pg_catalog.^@) ANY (ARRAY(
        SELECT pg_catalog.regexp_replace(own.prefix, '([\\%_])', '\\\1', 'g')
        FROM pg_catalog.unnest(clair.own_prefixes()) AS own(prefix)
    ))
    OR (SELECT true FROM clair.image_name AS n WHERE n.name LIKE exception.image LIMIT 1)
    OR (SELECT true FROM clair.image AS i WHERE i.digest = exception.image LIMIT 1)
    OR (SELECT true FROM clair.manifest AS m WHERE m.digest = exception.image LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.exception IS 'see clair.tenant';
CREATE POLICY tenants ON clair.vex_document FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.exception AS e WHERE e.document = vex_document.id LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.vex_document IS 'see clair.tenant';

SELECT pg_catalog.pg_extension_config_dump('clair.vex_document', '');
SELECT pg_catalog.pg_extension_config_dump('clair.exception', '');
SELECT pg_catalog.pg_extension_config_dump('clair.exception_id_seq', '');

CREATE VIEW clair.exception_image AS
SELECT e.id AS exception, i.id AS image_id
FROM clair.exception AS e
    JOIN clair.image AS i ON i.digest = e.image
UNION ALL
SELECT e.id, m.image_id
FROM clair.exception AS e
    JOIN clair.manifest AS m ON m.digest = e.image
UNION ALL
SELECT e.id, n.image_id
FROM clair.exception AS e
    JOIN clair.image_name AS n ON n.name LIKE e.image;
COMMENT ON VIEW clair.exception_image IS
    'the images that an exception is about, of exceptions that say so';

CREATE FUNCTION clair.create_exception(vulnerability text, reason text, package text DEFAULT NULL,
    image text DEFAULT NULL, namespace text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    kind clair.exception_kind DEFAULT 'accepted_risk', justification text DEFAULT NULL,
    version clair.version DEFAULT NULL, architecture text DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.create_exception(text, text, text, text, text, timestamptz,
    clair.exception_kind, text, clair.version, text) IS
    'says of a vulnerability (its CVE, another name or an advisory), and of what else is given, that findings do not count, and why; image is a number, a digest or a pattern of names, namespace a pattern (of LIKE); returns the number of the exception, see clair.exception';
REVOKE ALL ON FUNCTION clair.create_exception(text, text, text, text, text, timestamptz,
    clair.exception_kind, text, clair.version, text) FROM PUBLIC;

CREATE FUNCTION clair.end_exception(id bigint)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.end_exception(bigint) IS
    'takes an exception back; false when it had been already';
REVOKE ALL ON FUNCTION clair.end_exception(bigint) FROM PUBLIC;
