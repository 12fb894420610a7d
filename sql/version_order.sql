--
-- Proves that versions are in one total order, and that the compare function, the operators,
-- sorts with and without abbreviated keys, indexes and hashes all agree on it.
--
SET search_path = clair, public;

-- All that can be put together of a few pieces, in every format that takes it
CREATE FUNCTION pg_temp.versions(format text, VARIADIC pieces text[]) RETURNS SETOF version
    LANGUAGE plpgsql AS $$
DECLARE
    candidate text;
BEGIN
    FOR candidate IN SELECT DISTINCT a || b || c || d
        FROM unnest(pieces) AS a, unnest(pieces) AS b, unnest(pieces) AS c, unnest(pieces) AS d
    LOOP
        BEGIN
            RETURN NEXT version(format, candidate);
            RETURN NEXT successor(version(format, candidate));
        EXCEPTION WHEN invalid_text_representation THEN
            NULL;
        END;
    END LOOP;
END
$$;
CREATE TEMPORARY TABLE few AS
    SELECT row_number() OVER (ORDER BY v::text COLLATE "C") AS id, v FROM (
        SELECT pg_temp.versions('dpkg', '', '0', '1', '.', '~', 'a') AS v
        UNION ALL SELECT pg_temp.versions('rpm', '', '1', '.', '~', '^', 'a')
        UNION ALL SELECT pg_temp.versions('apk', '', '1', '.0', '_p', '_rc', '-r2')
        UNION ALL VALUES ('infinity'::version), ('-infinity')
    ) AS x;
SELECT format(v), count(*) > 100 AS many FROM few WHERE format(v) IS NOT NULL GROUP BY format(v) ORDER BY format(v);

-- Total: the sign of any two versions' comparison is that of their ranks
CREATE TEMPORARY TABLE sample AS
    SELECT id, v, rank() OVER (ORDER BY v) AS rank FROM few WHERE id % 5 = 0 OR format(v) IS NULL;
SELECT count(*) AS wrong FROM sample AS a, sample AS b
WHERE version_cmp(a.v, b.v) <> sign(a.rank - b.rank);
SELECT count(*) AS wrong FROM sample AS a, sample AS b, version_cmp(a.v, b.v) AS c
WHERE (a.v < b.v, a.v <= b.v, a.v = b.v, a.v <> b.v, a.v >= b.v, a.v > b.v) IS DISTINCT FROM (c < 0, c <= 0, c = 0, c <> 0, c >= 0, c > 0);
SELECT count(*) AS wrong FROM sample AS a JOIN sample AS b ON format(a.v) = format(b.v)
WHERE bare(a.v) NOT LIKE '>%' AND bare(b.v) NOT LIKE '>%'
    AND version_cmp(format(a.v), bare(a.v), bare(b.v)) <> version_cmp(a.v, b.v);

-- Equal versions, and only they, have equal hashes (of 64 bits: no accident is to be expected)
SELECT count(*) AS equal_texts_differ, count(*) FILTER (WHERE version_hash(a.v) <> version_hash(b.v)) AS hash_differs,
    count(*) FILTER (WHERE version_hash_extended(a.v, 7) <> version_hash_extended(b.v, 7)) AS extended_differs
FROM sample AS a JOIN sample AS b ON a.rank = b.rank AND a.id < b.id;
SELECT count(DISTINCT rank) = count(DISTINCT version_hash_extended(v, 7)) AS apart,
    bool_and(version_hash(v) = version_hash_extended(v, 0) << 32 >> 32) AS seed_0_agrees FROM sample;

-- Through text all of them come back the same
SELECT count(*) AS wrong FROM few WHERE v::text::version <> v OR v::text::version::text <> v::text;

-- A larger table: few distinct beginnings, so that abbreviated keys must be settled by whole ones
CREATE TEMPORARY TABLE many AS
    SELECT n AS id, 0 AS zero,
        version(CASE n % 3 WHEN 0 THEN 'dpkg' WHEN 1 THEN 'rpm' ELSE 'apk' END, n % 7 || '.' || n % 11 || '.' || n * 7919 % 1009 || '-r' || n % 5) AS v
    FROM generate_series(1, 20000) AS n;
-- All beginnings alike, so that abbreviation is given up; long ones, which are compressed
CREATE TEMPORARY TABLE alike AS
    SELECT n AS id, 0 AS zero, dpkg('1.2.3.4.5.6.7.8.' || repeat('a1', n % 490) || '.' || n * 7919 % 10007) AS v FROM generate_series(1, 20000) AS n;
SELECT max(length(bare(v))) AS longest, count(*) FILTER (WHERE pg_column_size(v) < length(bare(v))) > 1000 AS compressed FROM alike;

-- The abbreviation is for the first column of a sort, and not for one that keeps only the top
CREATE FUNCTION pg_temp.orders(source regclass) RETURNS TABLE (way text, same boolean, rising boolean)
    LANGUAGE plpgsql AS $$
DECLARE
    abbreviated bigint[];
    whole bigint[];
    top bigint[];
    falling bigint[];
    indexed bigint[];
    descents bigint;
BEGIN
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_indexonlyscan = off;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY v, id) AS x', source) INTO abbreviated;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY zero, v, id) AS x', source) INTO whole;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY v, id LIMIT 500) AS x', source) INTO top;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY v DESC, id DESC) AS x', source) INTO falling;
    EXECUTE format('SELECT count(*) FROM (SELECT v, lag(v) OVER (ORDER BY place) AS last FROM unnest($1) WITH ORDINALITY AS o (id, place) JOIN %s USING (id)) AS x'
        ' WHERE clair.version_cmp(last, v) > 0', source) INTO descents USING abbreviated;
    SET LOCAL enable_sort = off;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_indexscan = on;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s ORDER BY v, id) AS x', source) INTO indexed;
    RETURN QUERY VALUES
        ('sort by whole keys', whole = abbreviated, descents = 0),
        ('sort of the top', top = abbreviated[1:500], descents = 0),
        ('falling sort', falling = (SELECT array_agg(id ORDER BY place DESC) FROM unnest(abbreviated) WITH ORDINALITY AS o (id, place)), descents = 0),
        ('index', indexed = abbreviated, descents = 0);
END
$$;
CREATE INDEX many_index ON many (v, id);
CREATE INDEX alike_index ON alike (v, id);
ANALYZE many;
ANALYZE alike;
SELECT * FROM pg_temp.orders('many');
SELECT * FROM pg_temp.orders('alike');

-- The plans that the comparison above stands on
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SET enable_sort = off;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM many ORDER BY v, id;
RESET enable_sort;
RESET enable_seqscan;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM many ORDER BY zero, v, id;
RESET ALL;
SET search_path = clair, public;

-- Searching: index conditions find what a scan finds, minimum and maximum come from the index
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many WHERE v >= 'rpm:3.1' AND v < 'rpm:3.2';
SELECT count(*) FROM many WHERE v >= 'rpm:3.1' AND v < 'rpm:3.2';
SELECT min(v), max(v) FROM many;
RESET enable_seqscan;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) FROM many WHERE v >= 'rpm:3.1' AND v < 'rpm:3.2';
SELECT min(v), max(v) FROM many;

-- Joins by hash and by merge find the same
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many AS a JOIN many AS b USING (v);
SELECT count(*) FROM many AS a JOIN many AS b USING (v);
SET enable_hashjoin = off;
SET enable_mergejoin = on;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many AS a JOIN many AS b USING (v);
SELECT count(*) FROM many AS a JOIN many AS b USING (v);
RESET ALL;
SET search_path = clair, public;

-- A hash index and hash partitions know equal versions of other texts
CREATE TEMPORARY TABLE hashed (v version) PARTITION BY HASH (v);
CREATE TEMPORARY TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMPORARY TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT v FROM many;
SELECT v, count(*) FROM hashed WHERE v = 'dpkg:0:00.0.01-r1' GROUP BY v;
CREATE INDEX many_hash ON many USING hash (v);
DROP INDEX many_index;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM many WHERE v = 'dpkg:0:00.0.01-r1';
SELECT v FROM many WHERE v = 'dpkg:0:00.0.01-r1';
