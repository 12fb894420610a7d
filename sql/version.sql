--
-- Proves what clair.version says and takes: text and binary forms, errors with their places,
-- constructors, operators, infinities, bounds, aggregates, hashing, ranges and multiranges.
--
SET search_path = clair, public;

-- Every form comes out as it went in
SELECT v FROM (VALUES
    (version 'dpkg:1:2.3-4'), ('dpkg: 1.0 '), ('dpkg:+1:007'), ('dpkg:1:2:3'), ('dpkg:1>2'), ('dpkg:é'),
    ('rpm:0:1.2-3.el8'), ('rpm:-'), ('rpm:1.0^git1~pre'),
    ('apk:1.2.3a_rc1_p2~0af-r4'),
    ('dpkg>1:2.3-4'), ('rpm>1>2'), ('apk>1.2'),
    ('infinity'), ('-infinity')
) AS x (v);

-- The constructors say the same
SELECT dpkg('1:2.3-4'), rpm('1.2-3.el9'), apk('1.2.3-r4'),
    version('dpkg', '1.0'), version('rpm', '1.0'), version('apk', '1.0');
SELECT dpkg(NULL) IS NULL AS dpkg, version('rpm', NULL) IS NULL AS version, version(NULL, '1') IS NULL AS format;

-- For people, and back
SELECT v, bare(v), format(v), version(format(v), bare(v)) = v AS same
FROM (VALUES (dpkg('1:2.3-4')), (rpm('1.2')), (apk('1.2')), ('infinity'), ('-infinity')) AS x (v);
SELECT v, bare(v), format(v) FROM (VALUES (successor(dpkg('1.2')))) AS x (v);

-- What is not a version is refused, with reason and place
SELECT dpkg('');
SELECT dpkg('1 0');
SELECT dpkg('é:1');
SELECT dpkg('1é0 é');
SELECT dpkg('-1:1');
SELECT dpkg('2147483648:1');
SELECT dpkg('1:');
SELECT dpkg('1.0-');
SELECT dpkg('-1');
SELECT rpm('');
SELECT rpm('1.0 2');
SELECT rpm(E'1\n');
SELECT apk('1.0_foo');
SELECT apk('1.0-1');
SELECT apk('1.0bc');
SELECT apk('v1');
SELECT version('deb', '1.0');
SELECT version_cmp('deb', '1.0', '1.0');
SELECT version_cmp('apk', '1.0', '1.0x1');
SELECT version 'dpkg:1 0';
SELECT version 'dpkg>1 0';
SELECT version 'dpkg';
SELECT version '1.0';
SELECT version 'DPKG:1.0';
SELECT version '';
SELECT version 'Infinity';
SELECT version 'dpkg:';
DO $$
BEGIN
    PERFORM clair.dpkg(pg_catalog.repeat('1', 1025));
EXCEPTION WHEN invalid_text_representation THEN
    RAISE NOTICE '%, % characters', pg_catalog.left(SQLERRM, 30), pg_catalog.length(SQLERRM);
END
$$;
SELECT length(bare(dpkg(repeat('1', 1024))));

-- Comparing
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, version_cmp(a, b)
FROM (VALUES
    (dpkg('1.0~rc1'), dpkg('1.0')),
    (dpkg('1.0'), dpkg('0:1.0-0')),
    (dpkg('1.10'), dpkg('1.9')),
    (dpkg('9'), rpm('1')),
    (rpm('9'), apk('1')),
    (rpm('1.0'), rpm('1..0')),
    (apk('1.0_rc1'), apk('1.0')),
    (apk('99'), 'infinity'),
    ('-infinity', dpkg('0~~')),
    ('infinity', 'infinity'),
    ('-infinity', 'infinity')
) AS x (a, b);
SELECT version_cmp('dpkg', '1.0', '1.0-0'), version_cmp('rpm', '1.0~1', '1.0'), version_cmp('apk', '1.0.1', '1.0a');

-- A bound lies right behind its version and the version's equals
SELECT v, v > 'dpkg:1.0' AS above, v > 'dpkg:1.00-0' AS above_equal, v < 'dpkg:1.0-0+b1' AS below_next, v < 'dpkg:1.0-0.' AS below_any,
    v = successor('dpkg:1.00-0') AS equal, successor(v) AS again
FROM (VALUES (successor('dpkg:1.0'))) AS x (v);
SELECT successor('infinity'), successor('-infinity'), successor(NULL) IS NULL AS null;

-- Through text and binary nothing is lost; the binary form has no key
SELECT v, version_send(v), v::text::version = v AS same
FROM (VALUES (dpkg('1.0')), (rpm('1.0')), ('apk>1.0'), ('-infinity')) AS x (v);

-- Aggregates, over several formats, with and without rows
SELECT min(v), max(v) FROM (VALUES (dpkg('1.10')), (dpkg('1.9')), (dpkg('1.9~')), (NULL)) AS x (v);
SELECT min(v), max(v) FROM (VALUES (apk('1')), (dpkg('2')), (rpm('3'))) AS x (v);
SELECT min(v), max(v) FROM (VALUES (dpkg('1')), ('infinity'), ('-infinity')) AS x (v);
SELECT min(v) IS NULL AS min, max(v) IS NULL AS max FROM (VALUES (dpkg('1'))) AS x (v) WHERE false;

-- What is equal is one group, one hash, one key
SELECT count(DISTINCT v), version_hash('dpkg:1.0') = version_hash('dpkg:0:1.00-0') AS hash,
    version_hash_extended('dpkg:1.0', 42) = version_hash_extended('dpkg:0:1.00-0', 42) AS hash_extended,
    version_hash_extended('dpkg:1.0', 42) = version_hash_extended('dpkg:1.0', 43) AS seed_ignored
FROM (VALUES (dpkg('1.0')), (dpkg('1.00')), (dpkg('0:1.0-0')), (rpm('1.0')), (rpm('1_0'))) AS x (v);
CREATE TEMPORARY TABLE installed (v version PRIMARY KEY);
INSERT INTO installed VALUES ('dpkg:1.0');
INSERT INTO installed VALUES ('rpm:1.0');
INSERT INTO installed VALUES ('dpkg:1.00');
INSERT INTO installed VALUES ('dpkg:1.00') ON CONFLICT (v) DO NOTHING;

-- Ranges
SELECT r, r @> dpkg('1.0~') AS before, r @> dpkg('1.0') AS lower, r @> dpkg('1.5') AS within, r @> dpkg('2.0') AS upper
FROM (VALUES
    (version_range(dpkg('1.0'), dpkg('2.0'))),
    ('[dpkg:1.0,dpkg:2.0]'),
    ('(dpkg:1.0,dpkg>2.0)'),
    ('[-infinity,dpkg:2.0)'),
    ('[dpkg:1.0,infinity)'),
    ('(,)'),
    (version_range(dpkg('1.0'), dpkg('1.00-0'))),
    (version_range(dpkg('1)0"'), dpkg('1,0')))
) AS x (r);
SELECT version_range(dpkg('2.0'), dpkg('1.0'));
SELECT version_range('dpkg:1', 'dpkg:3') * version_range('dpkg:2', 'dpkg:4') AS intersection,
    version_range('dpkg:1', 'dpkg:2') -|- version_range('dpkg:2', 'dpkg:3') AS adjacent,
    version_range('dpkg:1', 'dpkg:2') && version_range('rpm:1', 'rpm:2') AS overlap;
SELECT m, m @> dpkg('1.5') AS first, m @> dpkg('2.5') AS gap, m @> dpkg('3.5') AS second
FROM (VALUES
    (version_multirange(version_range('dpkg:1', 'dpkg:2'), version_range('dpkg:3', 'dpkg:4'))),
    ('{[dpkg:1,dpkg:3),[dpkg:2,dpkg:4)}'),
    (version_multirange(version_range('dpkg:1', 'dpkg:2'))),
    (version_multirange())
) AS x (m);
SELECT range_agg(version_range(dpkg(n::text), dpkg((n + 1)::text))) FROM generate_series(8, 11) AS n;
SELECT version_diff('dpkg:2', 'dpkg:1') > 0 AS more, version_diff('dpkg:1', 'dpkg:2') < 0 AS less, version_diff('dpkg:1', 'dpkg:01') AS none,
    version_diff('infinity', '-infinity') > version_diff('dpkg:2', 'dpkg:1') AS most;

-- A GiST index finds the ranges that hold a version
CREATE TEMPORARY TABLE affected AS
    SELECT n, version_range(dpkg(n / 100 || '.' || n % 100), dpkg(n / 100 || '.' || n % 100 + 3)) AS r FROM generate_series(0, 4999) AS n;
CREATE INDEX ON affected USING gist (r);
ANALYZE affected;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT n FROM affected WHERE r @> version 'dpkg:12.34-1' ORDER BY n;
SELECT n FROM affected WHERE r @> version 'dpkg:12.34-1' ORDER BY n;
RESET enable_seqscan;

-- The classes are whole, and nothing is without a comment
SELECT amname, opcname, amvalidate(c.oid)
FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = c.opcmethod
WHERE c.opcintype = 'clair.version'::regtype ORDER BY amname;
CREATE TEMPORARY VIEW room AS
    SELECT p.* FROM pg_proc AS p
    WHERE p.pronamespace = 'clair'::regnamespace
        AND (p.proname ~ '^version' OR p.proname IN ('dpkg', 'rpm', 'apk', 'bare', 'format', 'successor', 'min', 'max'));
SELECT oid::regprocedure AS without_comment FROM room WHERE obj_description(oid, 'pg_proc') IS NULL;
SELECT oid::regoperator AS without_comment FROM pg_operator
WHERE oprleft = 'clair.version'::regtype AND oprnamespace = 'clair'::regnamespace AND obj_description(oid, 'pg_operator') IS NULL;

-- Only comparisons are leakproof; all of it is immutable, parallel safe, and for everybody
SELECT proname FROM room WHERE proleakproof ORDER BY proname;
SELECT oid::regprocedure FROM room
WHERE proparallel <> 's' OR provolatile <> 'i' OR NOT has_function_privilege('public', oid, 'EXECUTE');
