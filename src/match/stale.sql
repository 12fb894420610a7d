/*
 * Exceptions that nobody needs any more.
 *
 * One is used when it is what covers a finding; of several that could be, that is the one that
 * lasts longest, so one that is not used will not be as long as that one lasts.
 */
CREATE VIEW clair.stale_exception AS
SELECT
    e.id,
    CASE
        WHEN e.expires_at <= pg_catalog.now() THEN 'expired'
        WHEN EXISTS (
            SELECT
            FROM clair.vulnerability AS v
                JOIN clair.affected AS a ON a.vulnerability_id = v.id
                JOIN clair.feature AS f
                    ON f.namespace = a.namespace
                    AND (
                        a.kind = 'source' AND f.source_name = a.package AND f.source_version >= a.fixed
                        OR a.kind = 'binary' AND f.name = a.package AND f.version >= a.fixed
                    )
                JOIN clair.image_database AS d ON d.database_id = f.database_id
                JOIN clair.package_database AS base ON base.id = d.database_id
            WHERE v.until_run IS NULL
                AND (v.name = e.vulnerability OR v.aliases @> ARRAY[e.vulnerability])
                AND a.until_run IS NULL
                AND a.status = 'fixed'
                AND d.until_position IS NULL
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
    AND (
        e.expires_at <= pg_catalog.now()
        OR NOT EXISTS (
            SELECT
            FROM (
                -- Each by an index of its own, which an OR would bar the way to.
                SELECT v.exception
                FROM clair.image_vulnerability AS v
                WHERE v.vulnerability = e.vulnerability
                UNION ALL
                SELECT v.exception
                FROM clair.image_vulnerability AS v
                WHERE v.advisory = e.vulnerability
                UNION ALL
                SELECT v.exception
                FROM clair.image_vulnerability AS v
                WHERE v.aliases @> ARRAY[e.vulnerability]
            ) AS v
            WHERE v.exception = e.id
        )
    );
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
