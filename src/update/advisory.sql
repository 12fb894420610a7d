/*
 * Advisories in SQL: what a function that is an updater returns, and what local advisories are.
 *
 * One advisory is one affected range of a vulnerability. What it leaves out follows from the
 * distribution: the format of versions, and whether a package is a source.
 */
CREATE TYPE clair.advisory AS (
    vulnerability text,
    namespace text,
    package text,
    fixed text,
    introduced text,
    last_affected text,
    severity clair.severity,
    status clair.status,
    kind clair.package_kind,
    advisory text,
    aliases text[],
    link text,
    description text,
    architectures text[],
    module text,
    flavour text,
    repositories text[]
);
COMMENT ON TYPE clair.advisory IS
    'an affected range of a vulnerability; all but its vulnerability, namespace and package may be null';
COMMENT ON COLUMN clair.advisory.vulnerability IS 'name of the vulnerability: its CVE, if it has one';
COMMENT ON COLUMN clair.advisory.namespace IS 'the distribution release, such as debian:12';
COMMENT ON COLUMN clair.advisory.package IS 'name of the package';
COMMENT ON COLUMN clair.advisory.fixed IS 'first version that is not affected; null: there is no fix';
COMMENT ON COLUMN clair.advisory.introduced IS
    'first version that is affected; null: every one below fixed';
COMMENT ON COLUMN clair.advisory.last_affected IS
    'last version that is affected, where it is not known what fixes it';
COMMENT ON COLUMN clair.advisory.severity IS 'how bad it is; null: Unknown, and that of the CVE is shown';
COMMENT ON COLUMN clair.advisory.status IS
    'null: fixed when there is a fixed version, else affected';
COMMENT ON COLUMN clair.advisory.kind IS
    'whether package is a source or an installed package; null: a source, but of rpm an installed one';
COMMENT ON COLUMN clair.advisory.advisory IS 'the advisory that brings the fix';
COMMENT ON COLUMN clair.advisory.aliases IS 'other names of the vulnerability';
COMMENT ON COLUMN clair.advisory.link IS 'where to read more';
COMMENT ON COLUMN clair.advisory.description IS 'description; null: that of the CVE is shown';
COMMENT ON COLUMN clair.advisory.architectures IS 'only of one of these architectures, or noarch';
COMMENT ON COLUMN clair.advisory.module IS 'only of this module, name:stream; empty: of none';
COMMENT ON COLUMN clair.advisory.flavour IS
    'only of this flavour of builds, as clair.feature has it; empty: an ordinary one';
COMMENT ON COLUMN clair.advisory.repositories IS
    'only from a repository with one of these CPEs; a namespace stands for the features of it whose repositories are unknown';

CREATE FUNCTION clair.advisory(vulnerability text, namespace text, package text, fixed text DEFAULT NULL,
    introduced text DEFAULT NULL, last_affected text DEFAULT NULL, severity clair.severity DEFAULT NULL,
    status clair.status DEFAULT NULL, kind clair.package_kind DEFAULT NULL, advisory text DEFAULT NULL,
    aliases text[] DEFAULT NULL, link text DEFAULT NULL, description text DEFAULT NULL,
    architectures text[] DEFAULT NULL, module text DEFAULT NULL, flavour text DEFAULT NULL,
    repositories text[] DEFAULT NULL)
RETURNS clair.advisory
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ROW(vulnerability, namespace, package, fixed, introduced, last_affected, severity, status, kind,
        advisory, aliases, link, description, architectures, module, flavour, repositories)::clair.advisory;
END;
COMMENT ON FUNCTION clair.advisory(text, text, text, text, text, text, clair.severity, clair.status,
    clair.package_kind, text, text[], text, text, text[], text, text, text[]) IS
    'an advisory of what is given';

/*
 * What is wrong with an advisory, as a phrase. A namespace is judged apart, since few are in many
 * advisories.
 */
CREATE FUNCTION clair.is_name(name text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.octet_length(name) BETWEEN 1 AND 512
        AND name COLLATE "C" !~ '[[:space:][:cntrl:]]';
END;
COMMENT ON FUNCTION clair.is_name(text) IS
    'whether a text can be a name: 1 to 512 bytes without blanks and control characters';
REVOKE ALL ON FUNCTION clair.is_name(text) FROM PUBLIC;

CREATE FUNCTION clair.are_names(names text[])
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.cardinality(names) <= 1000
        AND NOT EXISTS (SELECT FROM pg_catalog.unnest(names) AS n(name) WHERE clair.is_name(n.name) IS NOT TRUE);
END;
COMMENT ON FUNCTION clair.are_names(text[]) IS 'whether texts can be names, at most 1000 of them';
REVOKE ALL ON FUNCTION clair.are_names(text[]) FROM PUBLIC;

CREATE FUNCTION clair.namespace_format(namespace text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.format
    FROM clair.distribution AS d
    WHERE d.family = pg_catalog.split_part(namespace, ':', 1);
END;
COMMENT ON FUNCTION clair.namespace_format(text) IS
    'format of the versions of a namespace''s packages; null when its distribution is not known';
REVOKE ALL ON FUNCTION clair.namespace_format(text) FROM PUBLIC;

CREATE FUNCTION clair.namespace_problem(namespace text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN namespace IS NULL THEN 'its namespace is missing'
        WHEN NOT clair.is_namespace(namespace)
            THEN pg_catalog.format('namespace "%s" is not known', pg_catalog.left(namespace, 100))
        WHEN clair.advisory_namespace(namespace) <> namespace
            THEN pg_catalog.format('packages of namespace "%s" go by the advisories of "%s"', namespace,
                clair.advisory_namespace(namespace))
    END;
END;
COMMENT ON FUNCTION clair.namespace_problem(text) IS
    'why an advisory cannot be of a namespace; null when it can';
REVOKE ALL ON FUNCTION clair.namespace_problem(text) FROM PUBLIC;

CREATE FUNCTION clair.advisory_problem(advisory clair.advisory, format text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN clair.is_name(($1).vulnerability) IS NOT TRUE
            THEN 'its vulnerability is no name: 1 to 512 bytes without blanks'
        WHEN clair.is_name(($1).package) IS NOT TRUE
            THEN 'its package is no name: 1 to 512 bytes without blanks'
        WHEN NOT clair.is_name(($1).advisory)
            THEN 'its advisory is no name: 1 to 512 bytes without blanks'
        WHEN ($1).module <> '' AND NOT clair.is_name(($1).module)
            THEN 'its module is no name: 1 to 512 bytes without blanks'
        WHEN ($1).flavour <> '' AND NOT clair.is_name(($1).flavour)
            THEN 'its flavour is no name: 1 to 512 bytes without blanks'
        WHEN ($1).aliases IS NOT NULL AND NOT clair.are_names(($1).aliases)
            THEN 'its aliases are not at most 1000 names'
        WHEN ($1).architectures IS NOT NULL AND NOT clair.are_names(($1).architectures)
            THEN 'its architectures are not at most 1000 names'
        WHEN ($1).repositories IS NOT NULL AND NOT clair.are_names(($1).repositories)
            THEN 'its repositories are not at most 1000 names'
        WHEN ($1).link COLLATE "C" !~ '^https?://[^[:space:][:cntrl:]]+$' OR pg_catalog.octet_length(($1).link) > 8192
            THEN 'its link is no URL of http or https'
        WHEN pg_catalog.octet_length(($1).description) > 1048576
            THEN 'its description is larger than 1 MB'
        WHEN clair.version_problem($2, ($1).introduced) IS NOT NULL
            THEN pg_catalog.format('introduced: "%s": %s', pg_catalog.left(($1).introduced, 100),
                clair.version_problem($2, ($1).introduced))
        WHEN clair.version_problem($2, ($1).fixed) IS NOT NULL
            THEN pg_catalog.format('fixed: "%s": %s', pg_catalog.left(($1).fixed, 100),
                clair.version_problem($2, ($1).fixed))
        WHEN clair.version_problem($2, ($1).last_affected) IS NOT NULL
            THEN pg_catalog.format('last_affected: "%s": %s', pg_catalog.left(($1).last_affected, 100),
                clair.version_problem($2, ($1).last_affected))
        WHEN ($1).fixed IS NOT NULL AND ($1).last_affected IS NOT NULL
            THEN 'it has both a fixed and a last affected version'
        WHEN ($1).status = 'fixed' AND ($1).fixed IS NULL
            THEN 'its status is fixed, but it has no version that is'
        WHEN ($1).status <> 'fixed' AND ($1).fixed IS NOT NULL
            THEN pg_catalog.format('its status is %s, but it has a version that is fixed', ($1).status)
        WHEN ($1).status = 'not_affected' AND (($1).introduced IS NOT NULL OR ($1).last_affected IS NOT NULL)
            THEN 'its status is not_affected, but it has versions that are'
        WHEN clair.version($2, ($1).introduced) >= clair.version($2, ($1).fixed)
            OR clair.version($2, ($1).introduced) > clair.version($2, ($1).last_affected)
            THEN 'no version lies in its range'
    END;
END;
COMMENT ON FUNCTION clair.advisory_problem(clair.advisory, text) IS
    'what is wrong with an advisory whose namespace has versions of a format; null when nothing is';
REVOKE ALL ON FUNCTION clair.advisory_problem(clair.advisory, text) FROM PUBLIC;
