/*
 * The images that a notification is about.
 *
 * The ranges that changed are those of the run, which stay as long as its history does. A page is
 * found by going through images in their order, so that each costs what is on it, beside finding
 * the package databases.
 */
CREATE FUNCTION clair.notification_images(notification bigint, "limit" integer DEFAULT 100,
    after bigint DEFAULT 0, prefixes text[] DEFAULT NULL)
RETURNS TABLE (image bigint, digest text, names text[], side text, vulnerability text, namespace text,
    feature text, installed_version text, severity clair.severity, fixed_in text, status clair.status,
    introduced_by text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    WITH ended AS (
        SELECT v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed, a.status, a.severity
        FROM clair.notification AS n
            JOIN clair.vulnerability AS v
                ON v.name = n.vulnerability AND v.updater = n.updater AND v.until_run = n.run
            JOIN clair.affected AS a ON a.vulnerability_id = v.id AND a.until_run = n.run
        WHERE n.id = notification_images.notification
    ), brought AS (
        SELECT v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed, a.status, a.severity
        FROM clair.notification AS n
            JOIN clair.vulnerability AS v
                ON v.name = n.vulnerability AND v.updater = n.updater AND v.since_run = n.run
            JOIN clair.affected AS a ON a.vulnerability_id = v.id
        WHERE n.id = notification_images.notification
    ), changed AS (
        SELECT
            r.*,
            CASE WHEN r.severity <> 'Unknown' THEN r.severity ELSE COALESCE(c.severity, r.severity) END AS shown
        FROM (
            (SELECT 'before' AS side, * FROM ended EXCEPT ALL SELECT 'before', * FROM brought)
            UNION ALL
            (SELECT 'after', * FROM brought EXCEPT ALL SELECT 'after', * FROM ended)
        ) AS r
            LEFT JOIN clair.cve AS c ON c.cve = r.name
    ), hit AS MATERIALIZED (
        -- What is the same on both sides has not changed for the feature.
        SELECT
            r.name AS vulnerability, f.database_id, f.number, f.name, f.version, f.namespace, f.repositories,
            f.by_default, r.shown, r.status, CASE WHEN r.status = 'fixed' THEN r.fixed END AS fix,
            pg_catalog.min(r.side) AS side
        FROM changed AS r
            CROSS JOIN LATERAL clair.features_in_range(r.namespace, r.kind, r.package, r.introduced,
                r.fixed, r.scope_id) AS f
        WHERE r.status NOT IN ('not_affected', 'under_investigation')
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        HAVING pg_catalog.min(r.side) = pg_catalog.max(r.side)
    ), page AS (
        SELECT DISTINCT d.image_id
        FROM clair.image_database AS d
            LEFT JOIN clair.repository_set AS r ON r.id = d.repository_set AND r.cpes <> '{}'
        WHERE d.image_id > notification_images.after
            AND d.until_position IS NULL
            AND (
                notification_images.prefixes IS NULL
                OR EXISTS (
                    SELECT
                    FROM clair.image_name AS n
                    WHERE n.image_id = d.image_id
                        AND n.name OPERATOR(pg_catalog.^@) ANY (notification_images.prefixes)
                )
            )
            AND EXISTS (
                SELECT
                FROM hit
                WHERE hit.database_id = d.database_id
                    AND (
                        hit.repositories IS NULL
                        OR CASE WHEN r.id IS NULL THEN hit.by_default ELSE hit.repositories && r.cpes END
                    )
            )
        ORDER BY d.image_id
        LIMIT notification_images."limit"
    )
    SELECT
        i.id,
        i.digest,
        ARRAY(
            SELECT n.name::text
            FROM clair.image_name AS n
            WHERE n.image_id = i.id
                AND COALESCE(n.name OPERATOR(pg_catalog.^@) ANY (notification_images.prefixes), true)
            ORDER BY n.name
        ),
        hit.side,
        hit.vulnerability,
        hit.namespace,
        hit.name,
        clair.bare(hit.version),
        hit.shown,
        clair.bare(hit.fix),
        hit.status,
        (
            SELECT layer.layer
            FROM clair.feature_introduction AS introduction
                JOIN clair.image_layer AS layer
                    ON layer.image_id = introduction.image_id AND layer.position = introduction.position
            WHERE introduction.image_id = d.image_id
                AND introduction.path = d.path
                AND introduction.name = hit.name
                AND introduction.number = hit.number
        )
    FROM clair.image_database AS d
        JOIN clair.image AS i ON i.id = d.image_id
        LEFT JOIN clair.repository_set AS r ON r.id = d.repository_set AND r.cpes <> '{}'
        JOIN hit
            ON hit.database_id = d.database_id
            AND (
                hit.repositories IS NULL
                OR CASE WHEN r.id IS NULL THEN hit.by_default ELSE hit.repositories && r.cpes END
            )
    -- As an array: an index finds its images, whatever the planner thinks of how many there are.
    WHERE d.image_id = ANY (ARRAY(SELECT page.image_id FROM page)) AND d.until_position IS NULL
    ORDER BY i.id, hit.side DESC, hit.name, hit.version, hit.number;
END;
COMMENT ON FUNCTION clair.notification_images(bigint, integer, bigint, text[]) IS
    'the images whose findings changed, of those that are there now: what they had before, and what they have after the change, feature by feature; the next so many images after that number; with prefixes, only those with a name that begins with one of them, and only such names';
REVOKE ALL ON FUNCTION clair.notification_images(bigint, integer, bigint, text[]) FROM PUBLIC;
