/*
 * Repositories: which ones the packages of an image are from, and which products these make.
 */
CREATE FUNCTION clair.repositories_of(positions integer[], paths text[], roles text[], keys text[],
    "values" text[])
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH fact AS (
        SELECT position, path, role, key, value
        FROM unnest(positions, paths, roles, keys, "values") AS f(position, path, role, key, value)
    ),
    manifest AS (
        SELECT position, path, pg_catalog.bool_or(key = 'from_dnf_hint') AS is_hint
        FROM fact
        WHERE role = 'content-manifest'
        GROUP BY position, path
    ),
    -- dnf's history counts when a manifest says so, and when it is newer than those that do not.
    history AS (
        SELECT value AS repository
        FROM fact
        WHERE role = 'dnf-history'
            AND (
                EXISTS (SELECT FROM manifest WHERE is_hint)
                OR position > COALESCE(
                    (SELECT pg_catalog.max(m.position) FROM manifest AS m WHERE NOT m.is_hint), 0)
            )
    ),
    said AS (
        SELECT repository
        FROM history
        UNION ALL
        SELECT fact.value
        FROM fact
            JOIN manifest ON manifest.position = fact.position AND manifest.path = fact.path
        WHERE fact.key LIKE 'repository%'
            AND (NOT manifest.is_hint OR NOT EXISTS (SELECT FROM history))
    ),
    -- A number at the end tells artefacts of one repository apart; "__9_DOT_2" is a release.
    named AS (
        SELECT pg_catalog.regexp_replace(repository, '__\d+$', '') COLLATE "C" AS repository
        FROM said
    )
    SELECT pg_catalog.array_agg(DISTINCT repository ORDER BY repository)
    FROM named;
END;
COMMENT ON FUNCTION clair.repositories_of(integer[], text[], text[], text[], text[]) IS
    'the repositories that the visible content manifests of an image and dnf''s history speak of, sorted: of which layer, which file, which key, which value; null when they say nothing';
REVOKE ALL ON FUNCTION clair.repositories_of(integer[], text[], text[], text[], text[]) FROM PUBLIC;

CREATE FUNCTION clair.cpes_of(repositories text[])
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- From cpe:/part:vendor:product on; what ends with an empty component is the prefix before it. The
    -- version also ends at each of its dots: what is said of 10 is said of 10.1.
    SELECT COALESCE(pg_catalog.array_agg(DISTINCT prefix.cpe ORDER BY prefix.cpe), '{}')
    FROM clair.repository_cpe AS c,
        LATERAL (
            SELECT pg_catalog.string_to_array(c.cpe, ':') AS components,
                pg_catalog.string_to_array(pg_catalog.split_part(c.cpe, ':', 5), '.') AS numbers
        ) AS split,
        LATERAL (
            SELECT pg_catalog.array_to_string(split.components[1:n], ':') COLLATE "C"
            FROM pg_catalog.generate_series(4, pg_catalog.cardinality(split.components)) AS n
            WHERE split.components[n] <> ''
            UNION ALL
            SELECT pg_catalog.array_to_string(split.components[1:4]
                || pg_catalog.array_to_string(split.numbers[1:n], '.'), ':') COLLATE "C"
            FROM pg_catalog.generate_series(1, pg_catalog.cardinality(split.numbers) - 1) AS n
        ) AS prefix(cpe)
    WHERE c.repository = ANY (cpes_of.repositories);
END;
COMMENT ON FUNCTION clair.cpes_of(text[]) IS
    'the CPEs of repositories and their prefixes, sorted: an advisory for one of these speaks of packages that are from the repositories';
REVOKE ALL ON FUNCTION clair.cpes_of(text[]) FROM PUBLIC;

CREATE FUNCTION clair.refresh_repository_sets()
RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH changed AS (
        UPDATE clair.repository_set AS s
        SET cpes = fresh.cpes
        FROM (SELECT id, clair.cpes_of(repositories) AS cpes FROM clair.repository_set) AS fresh
        WHERE fresh.id = s.id AND fresh.cpes <> s.cpes
        RETURNING s.id
    )
    SELECT pg_catalog.count(*)
    FROM changed;
END;
COMMENT ON FUNCTION clair.refresh_repository_sets() IS
    'brings the CPEs of all sets of repositories up to date with clair.repository_cpe; returns how many have changed';
REVOKE ALL ON FUNCTION clair.refresh_repository_sets() FROM PUBLIC;

CREATE VIEW clair.image_repository AS
SELECT
    known.image_id,
    r.repository,
    ARRAY(
        SELECT c.cpe
        FROM clair.repository_cpe AS c
        WHERE c.repository = r.repository
        ORDER BY c.cpe
    ) AS cpes
FROM (
        SELECT DISTINCT d.image_id, d.repository_set
        FROM clair.image_database AS d
        WHERE d.until_position IS NULL AND d.repository_set IS NOT NULL
    ) AS known
    JOIN clair.repository_set AS s ON s.id = known.repository_set
    CROSS JOIN LATERAL pg_catalog.unnest(s.repositories) AS r(repository);
COMMENT ON VIEW clair.image_repository IS
    'the repositories that the packages of images are from, as far as something in them says it, and the products that these belong to';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.image_repository SET (security_invoker = true);
    END IF;
END
$$;
