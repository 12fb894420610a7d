/*
 * What runs changed: the runs that brought something new, and the difference between two of them.
 *
 * A vulnerability row carries the run that brought it and the run that ended it, so what an
 * updater said after a run is a predicate, and the difference of two runs is what began or ended
 * between them. Nothing is stored for that, beyond the rows that clair.forget_history() deletes.
 */
CREATE VIEW clair.update_operations AS
SELECT
    r.id AS run,
    r.updater,
    CASE WHEN d.appends THEN 'enrichment' ELSE 'vulnerability' END AS kind,
    pg_catalog.lag(r.id) OVER of_updater AS previous_run,
    r.id = pg_catalog.last_value(r.id) OVER of_updater AS latest,
    r.id >= COALESCE(s.forgotten, 0) AS comparable,
    r.started_at,
    r.finished_at,
    r.requested_by,
    r.added,
    r.changed,
    r.withdrawn
FROM clair.update_run AS r
    LEFT JOIN clair.updater_definition AS d ON d.name = r.updater
    LEFT JOIN clair.updater_state AS s ON s.updater = r.updater
WHERE r.state IN ('succeeded', 'dropped')
WINDOW of_updater AS (
    PARTITION BY r.updater ORDER BY r.id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
);
COMMENT ON VIEW clair.update_operations IS
    'the runs that changed something; clair.update_diff() tells what';
COMMENT ON COLUMN clair.update_operations.run IS 'number of the run';
COMMENT ON COLUMN clair.update_operations.updater IS 'the updater';
COMMENT ON COLUMN clair.update_operations.kind IS
    'vulnerability: it speaks of packages; enrichment: of CVEs, and has no history';
COMMENT ON COLUMN clair.update_operations.previous_run IS
    'the updater''s run before that changed something';
COMMENT ON COLUMN clair.update_operations.latest IS 'whether what the run left is current';
COMMENT ON COLUMN clair.update_operations.comparable IS
    'whether clair.update_diff() can begin with it: nothing that ended later has been forgotten';
COMMENT ON COLUMN clair.update_operations.started_at IS 'when it started';
COMMENT ON COLUMN clair.update_operations.finished_at IS 'when it ended';
COMMENT ON COLUMN clair.update_operations.requested_by IS 'the role that called clair.update()';
COMMENT ON COLUMN clair.update_operations.added IS 'vulnerabilities that were new';
COMMENT ON COLUMN clair.update_operations.changed IS 'vulnerabilities that said something else';
COMMENT ON COLUMN clair.update_operations.withdrawn IS 'vulnerabilities that were gone';

CREATE FUNCTION clair.update_diff(updater text, from_run bigint DEFAULT NULL, to_run bigint DEFAULT NULL)
RETURNS TABLE (
    vulnerability text,
    change text,
    changes text[],
    severity clair.severity,
    before jsonb,
    after jsonb
)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    later bigint := COALESCE(to_run, 9223372036854775806);
    earlier bigint := COALESCE(from_run, (
        SELECT max(o.previous_run)
        FROM clair.update_operations AS o
        WHERE o.updater = update_diff.updater AND o.run <= later
    ), 0);
    forgotten bigint := (
        SELECT s.forgotten FROM clair.updater_state AS s WHERE s.updater = update_diff.updater
    );
    other_run bigint := (
        SELECT min(r.id)
        FROM clair.update_run AS r
        WHERE r.id IN (from_run, to_run) AND r.updater <> update_diff.updater
    );
BEGIN
    IF NOT EXISTS (SELECT FROM clair.updater AS u WHERE u.name = update_diff.updater)
        AND NOT EXISTS (SELECT FROM clair.update_run AS r WHERE r.updater = update_diff.updater)
    THEN
        RAISE EXCEPTION 'updater "%" does not exist', updater USING ERRCODE = 'undefined_object';
    ELSIF other_run IS NOT NULL THEN
        RAISE EXCEPTION 'run % is not of updater "%"', other_run, updater
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'The view clair.update_operations has the runs of each updater.';
    ELSIF earlier > later THEN
        RAISE EXCEPTION 'run % is later than run %', earlier, later
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF earlier < forgotten THEN
        RAISE EXCEPTION 'what updater "%" changed after run % has been forgotten', updater, earlier
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('What ended up to run %s is deleted.', forgotten),
                HINT = 'The view clair.update_operations says which runs can be compared.';
    END IF;
    RETURN QUERY
    WITH
    -- What was said then and is not now, and what is said now and was not then, as it was said.
    version AS MATERIALIZED (
        SELECT 'before' AS side, v.id, v.name, v.description, v.link, v.aliases
        FROM clair.vulnerability AS v
        WHERE v.until_run > earlier AND v.until_run <= later AND v.since_run <= earlier
            AND v.updater = update_diff.updater
        UNION ALL
        SELECT 'after', v.id, v.name, v.description, v.link, v.aliases
        FROM clair.vulnerability AS v
        WHERE v.since_run > earlier AND v.since_run <= later
            AND (v.until_run IS NULL OR v.until_run > later)
            AND v.updater = update_diff.updater
    ),
    said AS MATERIALIZED (
        SELECT v.side, v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed,
            a.status, a.severity, a.advisory
        FROM version AS v
            JOIN clair.affected AS a ON a.vulnerability_id = v.id
    ),
    -- But for what is on both sides: the same can be said in another record, or said again.
    range AS MATERIALIZED (
        (SELECT 'before' AS side, s.name, s.namespace, s.scope_id, s.kind, s.package, s.introduced,
            s.fixed, s.status, s.severity, s.advisory
        FROM said AS s
        WHERE s.side = 'before'
        EXCEPT ALL
        SELECT 'before', s.name, s.namespace, s.scope_id, s.kind, s.package, s.introduced, s.fixed,
            s.status, s.severity, s.advisory
        FROM said AS s
        WHERE s.side = 'after')
        UNION ALL
        (SELECT 'after', s.name, s.namespace, s.scope_id, s.kind, s.package, s.introduced, s.fixed,
            s.status, s.severity, s.advisory
        FROM said AS s
        WHERE s.side = 'after'
        EXCEPT ALL
        SELECT 'after', s.name, s.namespace, s.scope_id, s.kind, s.package, s.introduced, s.fixed,
            s.status, s.severity, s.advisory
        FROM said AS s
        WHERE s.side = 'before')
    ),
    package AS (
        SELECT
            r.name,
            array_agg((r.introduced, r.fixed) ORDER BY r.introduced, r.fixed)
                FILTER (WHERE r.side = 'before')
                IS DISTINCT FROM array_agg((r.introduced, r.fixed) ORDER BY r.introduced, r.fixed)
                FILTER (WHERE r.side = 'after') AS range,
            array_agg(DISTINCT r.status) FILTER (WHERE r.side = 'before')
                <> array_agg(DISTINCT r.status) FILTER (WHERE r.side = 'after') AS status,
            array_agg(DISTINCT r.severity) FILTER (WHERE r.side = 'before')
                <> array_agg(DISTINCT r.severity) FILTER (WHERE r.side = 'after') AS severity,
            array_agg(DISTINCT r.advisory) FILTER (WHERE r.side = 'before')
                <> array_agg(DISTINCT r.advisory) FILTER (WHERE r.side = 'after') AS advisory
        FROM range AS r
        GROUP BY r.name, r.namespace, r.scope_id, r.kind, r.package
    ),
    part AS (
        SELECT p.name, bool_or(p.range) AS range, bool_or(p.status) AS status,
            bool_or(p.severity) AS severity, bool_or(p.advisory) AS advisory
        FROM package AS p
        GROUP BY p.name
    ),
    side AS (
        SELECT r.name, r.side, max(r.severity) AS severity,
            jsonb_agg(
                jsonb_build_object(
                    'namespace', r.namespace, 'kind', r.kind, 'package', r.package,
                    'introduced', clair.bare(r.introduced), 'fixed', clair.bare(r.fixed),
                    'status', r.status, 'severity', r.severity, 'advisory', r.advisory)
                ORDER BY r.namespace, r.kind, r.package, r.introduced, r.fixed, r.scope_id) AS ranges
        FROM range AS r
        GROUP BY r.name, r.side
    ),
    -- Names, and whether something is said of them beside what differs.
    name AS (
        SELECT
            v.name,
            array_agg(DISTINCT (v.description, v.link, v.aliases)::text COLLATE "C")
                FILTER (WHERE v.side = 'before')
                <> array_agg(DISTINCT (v.description, v.link, v.aliases)::text COLLATE "C")
                FILTER (WHERE v.side = 'after') AS text,
            EXISTS (
                SELECT
                FROM clair.vulnerability AS old
                WHERE old.name = v.name AND old.updater = update_diff.updater
                    AND old.since_run <= earlier
                    AND (old.until_run IS NULL OR old.until_run > earlier)
            ) AS was_there,
            EXISTS (
                SELECT
                FROM clair.vulnerability AS new
                WHERE new.name = v.name AND new.updater = update_diff.updater
                    AND new.since_run <= later
                    AND (new.until_run IS NULL OR new.until_run > later)
            ) AS is_there
        FROM version AS v
        GROUP BY v.name
    )
    SELECT
        n.name,
        CASE WHEN NOT n.was_there THEN 'added' WHEN NOT n.is_there THEN 'withdrawn' ELSE 'changed' END,
        CASE
            WHEN n.was_there AND n.is_there THEN
                array_remove(ARRAY[
                    CASE WHEN part.range THEN 'range' END,
                    CASE WHEN part.status THEN 'status' END,
                    CASE WHEN part.severity THEN 'severity' END,
                    CASE WHEN part.advisory THEN 'advisory' END,
                    CASE WHEN n.text THEN 'text' END], NULL)
            ELSE '{}'
        END,
        COALESCE(new.severity, old.severity),
        old.ranges,
        new.ranges
    FROM name AS n
        LEFT JOIN part ON part.name = n.name
        LEFT JOIN side AS old ON old.name = n.name AND old.side = 'before'
        LEFT JOIN side AS new ON new.name = n.name AND new.side = 'after'
    WHERE n.text OR part.name IS NOT NULL OR NOT (n.was_there AND n.is_there);
END
$$;
COMMENT ON FUNCTION clair.update_diff(text, bigint, bigint) IS
    'what an updater says otherwise after to_run (null: now) than after from_run (0: nothing; null: the run that last changed something before to_run): vulnerabilities that were added, withdrawn or changed (range, status, severity, advisory, text), with the affected ranges that are gone and new, and the highest severity of the new ones or, when there are none, of those that are gone';
REVOKE ALL ON FUNCTION clair.update_diff(text, bigint, bigint) FROM PUBLIC;

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.update_operations SET (security_invoker = true);
    END IF;
END
$$;
