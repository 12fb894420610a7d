/*
 * What those who run this look at: images, updaters, what is being worked on, and what takes room.
 */
CREATE VIEW clair.image_status AS
SELECT
    i.id AS image_id,
    i.digest,
    ARRAY(
        SELECT n.name::text
        FROM clair.image_name AS n
        WHERE n.image_id = i.id
        ORDER BY n.name
    ) AS names,
    i.platform,
    i.namespace,
    i.status,
    ARRAY(
        SELECT DISTINCT c.state
        FROM clair.image_coverage AS c
        WHERE c.image_id = i.id AND c.state <> 'current'
        ORDER BY c.state
    ) AS incomplete,
    i.indexed_at,
    i.superseded_at,
    (SELECT pg_catalog.count(*) FROM clair.image_layer AS l WHERE l.image_id = i.id) AS layers,
    (
        SELECT pg_catalog.count(*)
        FROM clair.image_database AS d
            JOIN clair.feature AS f ON f.database_id = d.database_id
        WHERE d.image_id = i.id AND d.until_position IS NULL
    ) AS features,
    (SELECT pg_catalog.count(*) FROM clair.image_problem AS p WHERE p.image_id = i.id) AS problems,
    EXISTS (SELECT FROM clair.images_to_reindex AS r WHERE r.image_id = i.id) AS outdated
FROM clair.image AS i;
COMMENT ON VIEW clair.image_status IS 'how images fare; how many vulnerabilities they have is not looked at';
COMMENT ON COLUMN clair.image_status.image_id IS 'the image';
COMMENT ON COLUMN clair.image_status.digest IS 'its digest';
COMMENT ON COLUMN clair.image_status.names IS 'its names';
COMMENT ON COLUMN clair.image_status.platform IS 'os/architecture[/variant], or unknown';
COMMENT ON COLUMN clair.image_status.namespace IS 'its namespace';
COMMENT ON COLUMN clair.image_status.status IS 'what came of reading it, see clair.image';
COMMENT ON COLUMN clair.image_status.incomplete IS
    'what keeps its list of vulnerabilities from being complete, see clair.image_coverage; empty: nothing';
COMMENT ON COLUMN clair.image_status.indexed_at IS 'when it was first indexed';
COMMENT ON COLUMN clair.image_status.superseded_at IS
    'since when it has no name any more; clair.collect_garbage() takes it';
COMMENT ON COLUMN clair.image_status.layers IS 'how many layers it has';
COMMENT ON COLUMN clair.image_status.features IS 'how many features it has';
COMMENT ON COLUMN clair.image_status.problems IS 'what could not be read, see clair.image_problem';
COMMENT ON COLUMN clair.image_status.outdated IS
    'whether it would be read otherwise now, see clair.images_to_reindex';

CREATE VIEW clair.updater_size AS
SELECT
    u.name AS updater,
    document.documents,
    document.bytes,
    document.records,
    said.vulnerabilities,
    said.ended,
    range.ranges,
    metadata.cves
FROM clair.updater AS u
    CROSS JOIN LATERAL (
        SELECT pg_catalog.count(*) AS documents, COALESCE(pg_catalog.sum(d.size), 0)::bigint AS bytes,
            COALESCE(pg_catalog.sum(d.records), 0)::bigint AS records
        FROM clair.document AS d
        WHERE d.updater = u.name
    ) AS document
    CROSS JOIN LATERAL (
        SELECT pg_catalog.count(*) FILTER (WHERE v.until_run IS NULL) AS vulnerabilities,
            pg_catalog.count(v.until_run) AS ended
        FROM clair.vulnerability AS v
        WHERE v.updater = u.name
    ) AS said
    CROSS JOIN LATERAL (
        SELECT pg_catalog.count(*) AS ranges
        FROM clair.vulnerability AS v
            JOIN clair.affected AS a ON a.vulnerability_id = v.id
        WHERE v.updater = u.name AND v.until_run IS NULL
    ) AS range
    CROSS JOIN LATERAL (
        SELECT (SELECT pg_catalog.count(*) FROM clair.cve_statement AS s WHERE s.updater = u.name)
            + CASE u.name
                WHEN 'epss' THEN (SELECT pg_catalog.count(*) FROM clair.epss)
                WHEN 'kev' THEN (SELECT pg_catalog.count(*) FROM clair.kev)
                ELSE 0
            END AS cves
    ) AS metadata;
COMMENT ON VIEW clair.updater_size IS
    'how much updaters have brought; it counts rows, so it takes as long as reading the tables';
COMMENT ON COLUMN clair.updater_size.updater IS 'the updater';
COMMENT ON COLUMN clair.updater_size.documents IS 'its documents';
COMMENT ON COLUMN clair.updater_size.bytes IS 'their bytes, as they were fetched';
COMMENT ON COLUMN clair.updater_size.records IS 'their records';
COMMENT ON COLUMN clair.updater_size.vulnerabilities IS 'vulnerabilities that are current';
COMMENT ON COLUMN clair.updater_size.ended IS 'versions of vulnerabilities that runs have ended';
COMMENT ON COLUMN clair.updater_size.ranges IS 'affected ranges of the vulnerabilities that are current';
COMMENT ON COLUMN clair.updater_size.cves IS 'CVEs of which it says something';

CREATE VIEW clair.storage AS
SELECT
    c.relname::text AS name,
    GREATEST(c.reltuples, 0)::bigint AS rows,
    s.n_dead_tup AS dead_rows,
    pg_catalog.pg_relation_size(c.oid) AS table_bytes,
    pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
    pg_catalog.pg_total_relation_size(c.oid) AS total_bytes,
    s.last_autovacuum
FROM pg_catalog.pg_class AS c
    LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
WHERE c.relnamespace = 'clair'::regnamespace AND c.relkind IN ('r', 'p');
COMMENT ON VIEW clair.storage IS 'what the tables of clair take up';
COMMENT ON COLUMN clair.storage.name IS 'the table';
COMMENT ON COLUMN clair.storage.rows IS 'its rows, as of the last time that they were analysed';
COMMENT ON COLUMN clair.storage.dead_rows IS 'about how many rows wait to be vacuumed';
COMMENT ON COLUMN clair.storage.table_bytes IS 'bytes of the table itself';
COMMENT ON COLUMN clair.storage.index_bytes IS 'bytes of its indexes';
COMMENT ON COLUMN clair.storage.total_bytes IS
    'bytes of both, of what is stored apart because it is long, and of what maps free room';
COMMENT ON COLUMN clair.storage.last_autovacuum IS 'when it was vacuumed last';

-- What ShowProgress() of server/progress.c and the workers write.
CREATE VIEW clair.progress AS
SELECT
    a.pid,
    a.usename::text AS role,
    a.application_name AS application,
    COALESCE(a.query_start, a.backend_start) AS since,
    COALESCE(counted.part[1], pg_catalog.substring(a.query, '^clair: (.*)')) AS doing,
    counted.part[2] AS done,
    counted.part[3] AS statement
FROM pg_catalog.pg_stat_activity AS a
    LEFT JOIN LATERAL pg_catalog.regexp_matches(a.query,
        '^clair: ((?:reading|fetching)[^:]*): (\d+ MB, \d+ [a-z]+): (.*)$') AS counted(part) ON true
WHERE a.datname = pg_catalog.current_database() AND a.state = 'active' AND a.query LIKE 'clair: %';
COMMENT ON VIEW clair.progress IS
    'how far the statements and workers are that read or fetch something at the moment; of other roles'' only members of pg_read_all_stats see it';
COMMENT ON COLUMN clair.progress.pid IS 'the process';
COMMENT ON COLUMN clair.progress.role IS 'its role';
COMMENT ON COLUMN clair.progress.application IS 'its application, or what the worker is for';
COMMENT ON COLUMN clair.progress.since IS 'since when';
COMMENT ON COLUMN clair.progress.doing IS 'what it does';
COMMENT ON COLUMN clair.progress.done IS 'how much of that, if it is a statement of a session';
COMMENT ON COLUMN clair.progress.statement IS 'this statement, as far as it is shown';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.image_status SET (security_invoker = true);
        ALTER VIEW clair.updater_size SET (security_invoker = true);
        ALTER VIEW clair.storage SET (security_invoker = true);
        ALTER VIEW clair.progress SET (security_invoker = true);
    END IF;
END
$$;
