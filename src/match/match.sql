/*
 * Matching: what is wrong with an image, and which images a vulnerability hits.
 *
 * A range applies to a feature of its namespace when the package agrees (the source package or
 * the installed one, as the range's kind says), the version lies in it, and the feature is what
 * the range's scope asks for. Ranges are final: nothing is left to weigh here. Scopes are few and
 * looked up by their number, most ranges have none. A feature whose repositories are not known is
 * taken to be from those that every image of its namespace has. Severity and description are the
 * source's or, where it gives none, those of the CVE.
 *
 * Both directions are joins on indexes. What only describes a finding is joined from the left, so
 * that queries that do not select it do not read it; the layer that introduced a feature is a
 * sub-select, so that it is worked out finding by finding, and not for all images before the first
 * finding is looked for. Each arm of the view has all of this: joined outside of the UNION, it
 * would bar the way from a vulnerability to its images.
 */
CREATE VIEW clair.image_vulnerability AS
SELECT
    d.image_id,
    base.namespace,
    f.name AS feature,
    f.architecture,
    clair.bare(f.version) AS installed_version,
    v.name AS vulnerability,
    CASE
        WHEN a.severity <> 'Unknown' THEN a.severity
        ELSE COALESCE((SELECT c.severity FROM clair.cve AS c WHERE c.cve = v.name), a.severity)
    END AS severity,
    CASE WHEN a.status = 'fixed' THEN clair.bare(a.fixed) END AS fixed_in,
    a.status,
    v.updater,
    (
        SELECT layer.layer
        FROM clair.feature_introduction AS introduction
            JOIN clair.image_layer AS layer
                ON layer.image_id = introduction.image_id AND layer.position = introduction.position
        WHERE introduction.image_id = d.image_id
            AND introduction.path = d.path
            AND introduction.name = f.name
            AND introduction.number = f.number
    ) AS introduced_by,
    v.link,
    COALESCE(
        v.description,
        (
            SELECT s.description
            FROM clair.cve_statement AS s
            WHERE s.cve = v.name AND s.description IS NOT NULL
            ORDER BY s.updater DESC
            LIMIT 1
        )
    ) AS description,
    f.source_name,
    d.path AS database_path,
    a.vulnerability_id,
    a.advisory,
    v.aliases,
    CASE
        WHEN EXISTS (SELECT FROM clair.exception AS e WHERE e.ended_at IS NULL)
        THEN (
            SELECT e.id
            FROM clair.exception AS e
            WHERE e.vulnerability = ANY (v.aliases || ARRAY[v.name, a.advisory])
                AND e.ended_at IS NULL
                AND (e.expires_at IS NULL OR e.expires_at > pg_catalog.now())
                AND (e.namespace IS NULL OR base.namespace LIKE e.namespace)
                AND (e.architecture IS NULL OR e.architecture = f.architecture)
                AND (
                    e.package IS NULL
                    OR e.package = f.name AND (e.version IS NULL OR e.version = f.version)
                    OR e.package = f.source_name AND e.architecture IS NULL
                        AND (e.version IS NULL OR e.version = f.source_version)
                )
                AND (
                    e.image IS NULL
                    OR EXISTS (
                        SELECT
                        FROM clair.exception_image AS i
                        WHERE i.exception = e.id AND i.image_id = d.image_id
                    )
                )
            ORDER BY e.expires_at DESC NULLS FIRST, e.id
            LIMIT 1
        )
    END AS exception
FROM clair.image_database AS d
    JOIN clair.feature AS f ON f.database_id = d.database_id
    JOIN clair.affected AS a
        ON a.namespace = f.namespace
        AND a.kind = 'source'
        AND a.package = f.source_name
        AND a.fixed > f.source_version
        AND a.introduced <= f.source_version
    LEFT JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id AND v.until_run IS NULL
    LEFT JOIN clair.package_database AS base ON base.id = d.database_id
WHERE d.until_position IS NULL
    AND a.until_run IS NULL
    AND a.status NOT IN ('not_affected', 'under_investigation')
    AND (
        a.scope_id = 0
        OR EXISTS (
            SELECT
            FROM clair.scope AS s
            WHERE s.id = a.scope_id
                AND (s.architectures IS NULL OR f.architecture = ANY (s.architectures || 'noarch'::text))
                AND (s.module IS NULL OR s.module = COALESCE(f.module, ''))
                AND (s.flavour IS NULL OR s.flavour = f.flavour)
                AND (
                    s.repositories IS NULL
                    OR s.repositories && COALESCE(
                        (
                            SELECT r.cpes
                            FROM clair.repository_set AS r
                            WHERE r.id = d.repository_set AND r.cpes <> '{}'
                        ),
                        ARRAY[f.namespace]::text[]
                    )
                )
        )
    )
UNION ALL
SELECT
    d.image_id,
    base.namespace,
    f.name AS feature,
    f.architecture,
    clair.bare(f.version) AS installed_version,
    v.name AS vulnerability,
    CASE
        WHEN a.severity <> 'Unknown' THEN a.severity
        ELSE COALESCE((SELECT c.severity FROM clair.cve AS c WHERE c.cve = v.name), a.severity)
    END AS severity,
    CASE WHEN a.status = 'fixed' THEN clair.bare(a.fixed) END AS fixed_in,
    a.status,
    v.updater,
    (
        SELECT layer.layer
        FROM clair.feature_introduction AS introduction
            JOIN clair.image_layer AS layer
                ON layer.image_id = introduction.image_id AND layer.position = introduction.position
        WHERE introduction.image_id = d.image_id
            AND introduction.path = d.path
            AND introduction.name = f.name
            AND introduction.number = f.number
    ) AS introduced_by,
    v.link,
    COALESCE(
        v.description,
        (
            SELECT s.description
            FROM clair.cve_statement AS s
            WHERE s.cve = v.name AND s.description IS NOT NULL
            ORDER BY s.updater DESC
            LIMIT 1
        )
    ) AS description,
    f.source_name,
    d.path AS database_path,
    a.vulnerability_id,
    a.advisory,
    v.aliases,
    CASE
        WHEN EXISTS (SELECT FROM clair.exception AS e WHERE e.ended_at IS NULL)
        THEN (
            SELECT e.id
            FROM clair.exception AS e
            WHERE e.vulnerability = ANY (v.aliases || ARRAY[v.name, a.advisory])
                AND e.ended_at IS NULL
                AND (e.expires_at IS NULL OR e.expires_at > pg_catalog.now())
                AND (e.namespace IS NULL OR base.namespace LIKE e.namespace)
                AND (e.architecture IS NULL OR e.architecture = f.architecture)
                AND (
                    e.package IS NULL
                    OR e.package = f.name AND (e.version IS NULL OR e.version = f.version)
                    OR e.package = f.source_name AND e.architecture IS NULL
                        AND (e.version IS NULL OR e.version = f.source_version)
                )
                AND (
                    e.image IS NULL
                    OR EXISTS (
                        SELECT
                        FROM clair.exception_image AS i
                        WHERE i.exception = e.id AND i.image_id = d.image_id
                    )
                )
            ORDER BY e.expires_at DESC NULLS FIRST, e.id
            LIMIT 1
        )
    END AS exception
FROM clair.image_database AS d
    JOIN clair.feature AS f ON f.database_id = d.database_id
    JOIN clair.affected AS a
        ON a.namespace = f.namespace
        AND a.kind = 'binary'
        AND a.package = f.name
        AND a.fixed > f.version
        AND a.introduced <= f.version
    LEFT JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id AND v.until_run IS NULL
    LEFT JOIN clair.package_database AS base ON base.id = d.database_id
WHERE d.until_position IS NULL
    AND a.until_run IS NULL
    AND a.status NOT IN ('not_affected', 'under_investigation')
    AND (
        a.scope_id = 0
        OR EXISTS (
            SELECT
            FROM clair.scope AS s
            WHERE s.id = a.scope_id
                AND (s.architectures IS NULL OR f.architecture = ANY (s.architectures || 'noarch'::text))
                AND (s.module IS NULL OR s.module = COALESCE(f.module, ''))
                AND (s.flavour IS NULL OR s.flavour = f.flavour
                    OR s.flavour = 'subpackage' AND f.name <> f.source_name)
                AND (
                    s.repositories IS NULL
                    OR s.repositories && COALESCE(
                        (
                            SELECT r.cpes
                            FROM clair.repository_set AS r
                            WHERE r.id = d.repository_set AND r.cpes <> '{}'
                        ),
                        ARRAY[f.namespace]::text[]
                    )
                )
        )
    );
COMMENT ON VIEW clair.image_vulnerability IS
    'the vulnerabilities of all images, as of now: features in an affected range that is neither not_affected nor under_investigation; severity and description are the source''s or, where it has none, what clair.cve and clair.cve_statement say of the CVE; what is missing to know is in clair.image_coverage';

CREATE VIEW clair.image_coverage AS
SELECT
    i.id AS image_id,
    n.shown AS namespace,
    u.updater,
    u.last_success,
    CASE
        WHEN n.detected_by IS NULL
            AND i.status IN ('no_package_database', 'unsupported_database', 'unknown_namespace') THEN i.status
        WHEN u.last_success IS NULL OR NOT EXISTS (
            SELECT FROM clair.affected AS a WHERE a.namespace = n.namespace AND a.until_run IS NULL
        ) THEN 'no_feed'
        WHEN EXISTS (
            SELECT
            FROM clair.frozen_namespace AS frozen
            WHERE frozen.updater = u.updater AND frozen.namespace = n.namespace
        ) THEN 'frozen_feed'
        WHEN NOT u.fresh THEN 'stale_feed'
        WHEN i.status = 'partial' THEN 'partial'
        WHEN u.by_repository AND n.namespace = i.namespace AND EXISTS (
            SELECT
            FROM clair.image_database AS d
                LEFT JOIN clair.repository_set AS r ON r.id = d.repository_set AND r.cpes <> '{}'
            WHERE d.image_id = i.id AND d.until_position IS NULL AND r.id IS NULL
                AND NOT pg_catalog.starts_with(d.path, 'detector:')
        ) THEN 'unknown_repositories'
        ELSE 'current'
    END AS state
FROM clair.image AS i
    CROSS JOIN LATERAL (
        SELECT clair.advisory_namespace(i.namespace) AS namespace, i.namespace AS shown,
            NULL AS detected_by
        UNION ALL
        -- What detectors find in a namespace of their own rests on feeds of its own.
        SELECT clair.advisory_namespace(detector.namespace), detector.namespace,
            pg_catalog.min(detector.name)
        FROM clair.detector
            JOIN clair.package_database AS base
                ON base.format = detector.role AND base.namespace = detector.namespace
            JOIN clair.image_database AS d ON d.database_id = base.id
        WHERE d.image_id = i.id AND d.until_position IS NULL AND detector.namespace <> i.namespace
        GROUP BY detector.namespace
    ) AS n
    LEFT JOIN LATERAL (
        SELECT s.updater, s.last_success, s.fresh, b.by_repository
        FROM clair.updater_definition AS b
            JOIN clair.update_status AS s ON s.updater = b.name
        WHERE (s.enabled OR s.last_success IS NOT NULL)
            AND EXISTS (
                SELECT FROM pg_catalog.unnest(b.namespaces) AS pattern WHERE n.namespace LIKE pattern
            )
    ) AS u ON true;
COMMENT ON VIEW clair.image_coverage IS
    'what the vulnerabilities of each image rest on, updater by updater, and likewise what detectors find in a namespace of their own: current; or what is missing: no_package_database, unsupported_database (it is of a form that is not read), unknown_namespace, no_feed, stale_feed (older than the updater''s stale_after), frozen_feed (the source says nothing of the release any more), partial, unknown_repositories (those of the distribution itself are assumed)';

CREATE FUNCTION clair.vulnerabilities(image text)
RETURNS TABLE (namespace text, feature text, installed_version text, vulnerability text,
    severity clair.severity, fixed_in text, status text, updater text, introduced_by text, link text,
    description text, advisory text, exception text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT v.namespace, v.feature, v.installed_version, v.vulnerability, v.severity, v.fixed_in,
        v.status::text, v.updater, v.introduced_by, v.link, v.description,
        v.advisory, e.reason
    FROM clair.image_vulnerability AS v
        LEFT JOIN clair.exception AS e ON e.id = v.exception
    WHERE v.image_id = (SELECT clair.image_id(vulnerabilities.image))
    UNION ALL
    SELECT c.namespace, NULL, NULL, NULL, NULL, NULL, c.state, c.updater, NULL, NULL, NULL,
        NULL, NULL
    FROM clair.image_coverage AS c
    WHERE c.image_id = (SELECT clair.image_id(vulnerabilities.image)) AND c.state <> 'current';
END;
COMMENT ON FUNCTION clair.vulnerabilities(text) IS
    'the vulnerabilities of an image; and, for whatever keeps the list from being complete, a row without a vulnerability whose status is that of clair.image_coverage';
REVOKE ALL ON FUNCTION clair.vulnerabilities(text) FROM PUBLIC;

CREATE TYPE clair.affected_image AS (
    image bigint,
    names text[],
    namespace text,
    feature text,
    installed_version text,
    severity clair.severity,
    fixed_in text,
    status clair.status,
    updater text,
    introduced_by text
);
COMMENT ON TYPE clair.affected_image IS 'an image that a vulnerability affects, and the feature through which';

CREATE FUNCTION clair.affected_images(vulnerability text, namespace text DEFAULT NULL)
RETURNS SETOF clair.affected_image
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT
        v.image_id,
        ARRAY(
            SELECT n.name::text
            FROM clair.image_name AS n
            WHERE n.image_id = v.image_id
            ORDER BY n.name
        ),
        v.namespace::text, v.feature::text, v.installed_version, v.severity, v.fixed_in, v.status,
        v.updater::text, v.introduced_by::text
    FROM (
        -- Each by an index of its own, which an OR would bar the way to.
        SELECT * FROM clair.image_vulnerability AS i
        WHERE i.vulnerability = affected_images.vulnerability
        UNION ALL
        SELECT * FROM clair.image_vulnerability AS i
        WHERE i.advisory = affected_images.vulnerability
        UNION ALL
        SELECT * FROM clair.image_vulnerability AS i
        WHERE i.aliases @> ARRAY[affected_images.vulnerability]
    ) AS v
    WHERE affected_images.namespace IS NULL OR v.namespace = affected_images.namespace;
END;
COMMENT ON FUNCTION clair.affected_images(text, text) IS
    'the images that a vulnerability affects, in one namespace or in all; it may be named by its CVE, by an advisory that brings a fix for it, or by another of its names';
REVOKE ALL ON FUNCTION clair.affected_images(text, text) FROM PUBLIC;

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.feature_introduction SET (security_invoker = true);
        ALTER VIEW clair.image_feature SET (security_invoker = true);
        ALTER VIEW clair.image_vulnerability SET (security_invoker = true);
        ALTER VIEW clair.image_coverage SET (security_invoker = true);
    END IF;
END
$$;
