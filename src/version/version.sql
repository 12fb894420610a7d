/*
 * version.sql
 *    The type clair.version: versions of packages, ordered as their own tools order them.
 *
 * A value's order is that of the bytes of its key (src/version/version.h), so that comparisons
 * cannot fail and tell nothing of their arguments: they are LEAKPROOF.
 */

CREATE TYPE clair.version;

CREATE FUNCTION clair.version_in(cstring) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_in';

CREATE FUNCTION clair.version_out(clair.version) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_out';

CREATE FUNCTION clair.version_recv(internal) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_recv';

CREATE FUNCTION clair.version_send(clair.version) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_send';

CREATE TYPE clair.version (
    INPUT = clair.version_in,
    OUTPUT = clair.version_out,
    RECEIVE = clair.version_recv,
    SEND = clair.version_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);

COMMENT ON TYPE clair.version IS
    'version of a package: "dpkg:1:2.3-4", "rpm:1.2-3.el9", "apk:1.2.3-r4", "infinity" or "-infinity"';
COMMENT ON FUNCTION clair.version_in(cstring) IS 'I/O';
COMMENT ON FUNCTION clair.version_out(clair.version) IS 'I/O';
COMMENT ON FUNCTION clair.version_recv(internal) IS 'I/O';
COMMENT ON FUNCTION clair.version_send(clair.version) IS 'I/O';

-- Making versions and taking them apart

CREATE FUNCTION clair.version(format text, version text) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_make';

CREATE FUNCTION clair.version_problem(format text, version text) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_problem';

CREATE FUNCTION clair.dpkg(version text) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_dpkg';

CREATE FUNCTION clair.rpm(version text) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_rpm';

CREATE FUNCTION clair.apk(version text) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_apk';

CREATE FUNCTION clair.bare(version clair.version) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_bare';

CREATE FUNCTION clair.format(version clair.version) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_format';

CREATE FUNCTION clair.successor(version clair.version) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_successor';

COMMENT ON FUNCTION clair.version(text, text) IS 'version of a format: "dpkg", "rpm" or "apk"';
COMMENT ON FUNCTION clair.version_problem(text, text) IS
    'why a text is no version of a format; NULL when it is one';
COMMENT ON FUNCTION clair.dpkg(text) IS 'version of a Debian package, [epoch:]upstream[-revision]';
COMMENT ON FUNCTION clair.rpm(text) IS 'version of an RPM package, [epoch:]version[-release]';
COMMENT ON FUNCTION clair.apk(text) IS 'version of an Alpine package';
COMMENT ON FUNCTION clair.bare(clair.version) IS
    'text of a version without its format, for people; NULL for infinities';
COMMENT ON FUNCTION clair.format(clair.version) IS
    'name of a version''s format; NULL for infinities';
COMMENT ON FUNCTION clair.successor(clair.version) IS
    'bound right behind a version and its equals: "less than it" means "up to the version"';

-- Comparing

CREATE FUNCTION clair.version_cmp(format text, a text, b text) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_cmp_text';

CREATE FUNCTION clair.version_cmp(a clair.version, b clair.version) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_cmp';

CREATE FUNCTION clair.version_lt(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_lt';

CREATE FUNCTION clair.version_le(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_le';

CREATE FUNCTION clair.version_eq(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_eq';

CREATE FUNCTION clair.version_ne(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_ne';

CREATE FUNCTION clair.version_ge(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_ge';

CREATE FUNCTION clair.version_gt(a clair.version, b clair.version) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_gt';

COMMENT ON FUNCTION clair.version_cmp(text, text, text) IS
    'order of two versions of a format: -1, 0 or 1';
COMMENT ON FUNCTION clair.version_cmp(clair.version, clair.version) IS
    'order of two versions: -1, 0 or 1';
COMMENT ON FUNCTION clair.version_lt(clair.version, clair.version) IS
    'implementation of < operator';
COMMENT ON FUNCTION clair.version_le(clair.version, clair.version) IS
    'implementation of <= operator';
COMMENT ON FUNCTION clair.version_eq(clair.version, clair.version) IS
    'implementation of = operator';
COMMENT ON FUNCTION clair.version_ne(clair.version, clair.version) IS
    'implementation of <> operator';
COMMENT ON FUNCTION clair.version_ge(clair.version, clair.version) IS
    'implementation of >= operator';
COMMENT ON FUNCTION clair.version_gt(clair.version, clair.version) IS
    'implementation of > operator';

CREATE OPERATOR clair.< (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_lt,
    COMMUTATOR = OPERATOR(clair.>),
    NEGATOR = OPERATOR(clair.>=),
    RESTRICT = pg_catalog.scalarltsel,
    JOIN = pg_catalog.scalarltjoinsel
);

CREATE OPERATOR clair.<= (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_le,
    COMMUTATOR = OPERATOR(clair.>=),
    NEGATOR = OPERATOR(clair.>),
    RESTRICT = pg_catalog.scalarlesel,
    JOIN = pg_catalog.scalarlejoinsel
);

CREATE OPERATOR clair.= (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_eq,
    COMMUTATOR = OPERATOR(clair.=),
    NEGATOR = OPERATOR(clair.<>),
    RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel,
    HASHES,
    MERGES
);

CREATE OPERATOR clair.<> (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_ne,
    COMMUTATOR = OPERATOR(clair.<>),
    NEGATOR = OPERATOR(clair.=),
    RESTRICT = pg_catalog.neqsel,
    JOIN = pg_catalog.neqjoinsel
);

CREATE OPERATOR clair.>= (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_ge,
    COMMUTATOR = OPERATOR(clair.<=),
    NEGATOR = OPERATOR(clair.<),
    RESTRICT = pg_catalog.scalargesel,
    JOIN = pg_catalog.scalargejoinsel
);

CREATE OPERATOR clair.> (
    LEFTARG = clair.version,
    RIGHTARG = clair.version,
    FUNCTION = clair.version_gt,
    COMMUTATOR = OPERATOR(clair.<),
    NEGATOR = OPERATOR(clair.<=),
    RESTRICT = pg_catalog.scalargtsel,
    JOIN = pg_catalog.scalargtjoinsel
);

COMMENT ON OPERATOR clair.< (clair.version, clair.version) IS 'less than';
COMMENT ON OPERATOR clair.<= (clair.version, clair.version) IS 'less than or equal';
COMMENT ON OPERATOR clair.= (clair.version, clair.version) IS 'equal';
COMMENT ON OPERATOR clair.<> (clair.version, clair.version) IS 'not equal';
COMMENT ON OPERATOR clair.>= (clair.version, clair.version) IS 'greater than or equal';
COMMENT ON OPERATOR clair.> (clair.version, clair.version) IS 'greater than';

-- Indexing and sorting. There is no btequalimage function: equal versions have different texts.

CREATE FUNCTION clair.version_sortsupport(internal) RETURNS void
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_sortsupport';

CREATE OPERATOR FAMILY clair.version_ops USING btree;

CREATE OPERATOR CLASS clair.version_ops DEFAULT FOR TYPE clair.version
    USING btree FAMILY clair.version_ops AS
        OPERATOR 1 clair.<,
        OPERATOR 2 clair.<=,
        OPERATOR 3 clair.=,
        OPERATOR 4 clair.>=,
        OPERATOR 5 clair.>,
        FUNCTION 1 clair.version_cmp(clair.version, clair.version),
        FUNCTION 2 clair.version_sortsupport(internal);

CREATE FUNCTION clair.version_hash(version clair.version) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_hash';

CREATE FUNCTION clair.version_hash_extended(version clair.version, seed bigint) RETURNS bigint
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_hash_extended';

CREATE OPERATOR FAMILY clair.version_ops USING hash;

CREATE OPERATOR CLASS clair.version_ops DEFAULT FOR TYPE clair.version
    USING hash FAMILY clair.version_ops AS
        OPERATOR 1 clair.=,
        FUNCTION 1 clair.version_hash(clair.version),
        FUNCTION 2 clair.version_hash_extended(clair.version, bigint);

COMMENT ON FUNCTION clair.version_sortsupport(internal) IS 'sort support';
COMMENT ON FUNCTION clair.version_hash(clair.version) IS 'hash, the same for equal versions';
COMMENT ON FUNCTION clair.version_hash_extended(clair.version, bigint) IS
    'hash with a seed, the same for equal versions';
COMMENT ON OPERATOR FAMILY clair.version_ops USING btree IS 'order of versions';
COMMENT ON OPERATOR CLASS clair.version_ops USING btree IS 'order of versions';
COMMENT ON OPERATOR FAMILY clair.version_ops USING hash IS 'equality of versions';
COMMENT ON OPERATOR CLASS clair.version_ops USING hash IS 'equality of versions';

-- Aggregates

CREATE FUNCTION clair.version_smaller(a clair.version, b clair.version) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_smaller';

CREATE FUNCTION clair.version_larger(a clair.version, b clair.version) RETURNS clair.version
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_larger';

CREATE AGGREGATE clair.min(clair.version) (
    SFUNC = clair.version_smaller,
    STYPE = clair.version,
    COMBINEFUNC = clair.version_smaller,
    SORTOP = OPERATOR(clair.<),
    PARALLEL = SAFE
);

CREATE AGGREGATE clair.max(clair.version) (
    SFUNC = clair.version_larger,
    STYPE = clair.version,
    COMBINEFUNC = clair.version_larger,
    SORTOP = OPERATOR(clair.>),
    PARALLEL = SAFE
);

COMMENT ON FUNCTION clair.version_smaller(clair.version, clair.version) IS
    'smaller of two versions';
COMMENT ON FUNCTION clair.version_larger(clair.version, clair.version) IS
    'larger of two versions';
COMMENT ON AGGREGATE clair.min(clair.version) IS 'minimum of all versions';
COMMENT ON AGGREGATE clair.max(clair.version) IS 'maximum of all versions';

-- Ranges. They are continuous, so there is no canonical form.

CREATE FUNCTION clair.version_diff(a clair.version, b clair.version) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'version_diff';

CREATE TYPE clair.version_range AS RANGE (
    SUBTYPE = clair.version,
    SUBTYPE_OPCLASS = clair.version_ops,
    SUBTYPE_DIFF = clair.version_diff,
    MULTIRANGE_TYPE_NAME = clair.version_multirange
);

COMMENT ON FUNCTION clair.version_diff(clair.version, clair.version) IS
    'distance of two versions, a guess for the indexes of ranges';
COMMENT ON TYPE clair.version_range IS 'range of versions';
COMMENT ON TYPE clair.version_multirange IS 'set of ranges of versions';
COMMENT ON FUNCTION clair.version_range(clair.version, clair.version) IS
    'range from a version up to, but without, another';
COMMENT ON FUNCTION clair.version_range(clair.version, clair.version, text) IS
    'range between two versions, with bounds such as "[)"';
COMMENT ON FUNCTION clair.version_multirange() IS 'empty set of ranges of versions';
COMMENT ON FUNCTION clair.version_multirange(clair.version_range) IS 'set of one range of versions';
COMMENT ON FUNCTION clair.version_multirange(clair.version_range[]) IS
    'set of ranges of versions';
