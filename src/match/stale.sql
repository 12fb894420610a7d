/*
 * Exceptions that nobody needs any more.
 *
 * One is used when it is what covers a finding; of several that could be, that is the one that
 * lasts longest, so one that is not used will not be as long as that one lasts. What an exception
 * names is looked up once, and of each vulnerability the findings only until one is found.
 */
CREATE VIEW clair.stale_exception AS
WITH named AS MATERIALIZED (
    SELECT e.id, v.id AS vulnerability_id
    FROM clair.exception AS e
        JOIN clair.vulnerability AS v ON v.name = e.vulnerability AND v.until_run IS NULL
    WHERE e.ended_at IS NULL
    UNION
    SELECT e.id, v.id
    FROM clair.exception AS e
        JOIN (
            SELECT other.id, pg_catalog.unnest(other.aliases) AS alias
            FROM clair.vulnerability AS other
            WHERE other.until_run IS NULL AND other.aliases IS NOT NULL
        ) AS v ON v.alias = e.vulnerability
    WHERE e.ended_at IS NULL
    UNION
    SELECT e.id, a.vulnerability_id
    FROM clair.exception AS e
        JOIN clair.affected AS a ON a.advisory = e.vulnerability AND a.until_run IS NULL
    WHERE e.ended_at IS NULL
),
used AS MATERIALIZED (
    SELECT n.id
    FROM named AS n
        CROSS JOIN LATERAL (
            SELECT
            FROM clair.image_vulnerability AS v
            WHERE v.vulnerability_id = n.vulnerability_id AND v.exception = n.id
            LIMIT 1
        ) AS finding
)
SELECT
    e.id,
    CASE
        WHEN e.expires_at <= pg_catalog.now() THEN 'expired'
        WHEN EXISTS (
            SELECT
            FROM named AS n
                CROSS JOIN LATERAL (
                    SELECT f.name, f.source_name, f.database_id
                    FROM clair.affected AS a
                        JOIN clair.feature AS f
                            ON f.namespace = a.namespace
                            AND f.source_name = a.package
                            AND f.source_version >= a.fixed
                    WHERE a.vulnerability_id = n.vulnerability_id
                        AND a.until_run IS NULL
                        AND a.status = 'fixed'
                        AND a.kind = 'source'
                    UNION ALL
                    SELECT f.name, f.source_name, f.database_id
                    FROM clair.affected AS a
                        JOIN clair.feature AS f
                            ON f.namespace = a.namespace
                            AND f.name = a.package
                            AND f.version >= a.fixed
                    WHERE a.vulnerability_id = n.vulnerability_id
                        AND a.until_run IS NULL
                        AND a.status = 'fixed'
                        AND a.kind = 'binary'
                    OFFSET 0
                ) AS f
                JOIN clair.image_database AS d
                    ON d.database_id = f.database_id AND d.until_position IS NULL
                JOIN clair.package_database AS base ON base.id = d.database_id
            WHERE n.id = e.id
                AND (e.namespace IS NULL OR base.namespace LIKE e.namespace)
                AND (e.package IS NULL OR e.package IN (f.name, f.source_name))
                AND (
                    e.image IS NULL
                    OR EXISTS (
                        SELECT
                        FROM clair.exception_image AS i
                        WHERE i.exception = e.id AND i.image_id = d.image_id
                    )
                )
        ) THEN 'fixed'
        ELSE 'unused'
    END AS why,
    e.vulnerability,
    e.package,
    e.namespace,
    e.image,
    e.kind,
    e.reason,
    e.author,
    e.created_at,
    e.expires_at,
    e.document
FROM clair.exception AS e
WHERE e.ended_at IS NULL
    AND (e.expires_at <= pg_catalog.now() OR e.id NOT IN (SELECT u.id FROM used AS u));
COMMENT ON VIEW clair.stale_exception IS
    'exceptions that can be ended, and why: expired; fixed: what they are about is installed with the fix; unused: nothing that is installed has the vulnerability, or an exception that lasts longer covers it';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.exception_image SET (security_invoker = true);
        ALTER VIEW clair.stale_exception SET (security_invoker = true);
    END IF;
END
$$;
