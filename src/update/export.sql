/*
 * Moving what has been ingested between databases that have no network between them: as one file.
 * Its form is feed/export_file.h's. Its rows are those that the reader gave, put together again from
 * what is stored: ranges as their records state them, not as they were worked out.
 */
CREATE FUNCTION clair.exported_lines(updater text, since bigint)
RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
BEGIN ATOMIC
    SELECT pg_catalog.json_build_object('frozen', pg_catalog.json_build_object('namespace', f.namespace))::text
    FROM clair.frozen_namespace AS f
    WHERE f.updater = exported_lines.updater
    UNION ALL
    SELECT pg_catalog.json_build_object(
        'repository', pg_catalog.json_build_object('repository', r.repository, 'cpe', r.cpe))::text
    FROM clair.repository_cpe AS r
    WHERE EXISTS (
        SELECT FROM clair.updater_definition AS d WHERE d.name = exported_lines.updater AND d.by_repository
    )
    UNION ALL
    (SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'record', COALESCE('frozen ' || said.frozen || ' ', '') || said.record,
        'rows', pg_catalog.json_agg(said.row ORDER BY said.name, said.number)))::text
    FROM (
        SELECT v.record, v.frozen, v.name, -1, pg_catalog.json_build_object(
            'vulnerability', pg_catalog.json_build_object(
                'name', v.name, 'digest', v.digest, 'description', v.description, 'link', v.link,
                'aliases', pg_catalog.array_to_string(v.aliases, ' ')))
        FROM clair.vulnerability AS v
        WHERE v.updater = exported_lines.updater AND v.until_run IS NULL
        UNION ALL
        SELECT v.record, v.frozen, v.name, a.number, pg_catalog.json_build_object(
            'affected', pg_catalog.json_build_object(
                'number', a.number,
                'namespace', a.namespace,
                'kind', a.kind,
                'package', a.package,
                'format', COALESCE(
                    NULLIF(clair.format(a.fixed), ''), NULLIF(clair.format(begins.at), ''), 'dpkg'),
                'introduced', clair.bare(begins.at),
                'fixed', CASE WHEN ends.after IS NULL THEN ends.at END,
                'last_affected', ends.after,
                'status', a.status,
                'severity', COALESCE(a.stated_severity, a.severity),
                'architectures', pg_catalog.array_to_string(s.architectures, ' '),
                'module', s.module,
                'flavour', s.flavour,
                'repositories', pg_catalog.array_to_string(s.repositories, ' '),
                'advisory', a.advisory))
        FROM clair.updater_definition AS d
            JOIN clair.vulnerability AS v ON v.updater = d.name AND v.until_run IS NULL
            JOIN clair.affected AS a ON a.vulnerability_id = v.id
            LEFT JOIN clair.scope AS s ON s.id = a.scope_id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN d.resolves THEN a.stated_introduced ELSE a.introduced END AS at
            ) AS begins
            CROSS JOIN LATERAL (
                SELECT bare.text AS at, pg_catalog.substring(bare.text, '^> (.*)') AS after
                FROM (SELECT clair.bare(a.fixed) AS text) AS bare
            ) AS ends
        WHERE d.name = exported_lines.updater
    ) AS said(record, frozen, name, number, row)
    WHERE exported_lines.since IS NULL
        OR said.record IN (
            SELECT v.record
            FROM clair.vulnerability AS v
            WHERE v.updater = exported_lines.updater
                AND (v.since_run > exported_lines.since OR v.until_run > exported_lines.since)
        )
    GROUP BY said.record, said.frozen
    ORDER BY said.record, said.frozen)
    UNION ALL
    SELECT pg_catalog.json_build_object('gone', pg_catalog.json_build_object(
        'record', COALESCE('frozen ' || gone.frozen || ' ', '') || gone.record))::text
    FROM (
        SELECT v.record, v.frozen
        FROM clair.vulnerability AS v
        WHERE v.updater = exported_lines.updater AND v.until_run > exported_lines.since
        EXCEPT
        SELECT v.record, v.frozen
        FROM clair.vulnerability AS v
        WHERE v.updater = exported_lines.updater AND v.until_run IS NULL
    ) AS gone
    UNION ALL
    SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'record', s.cve,
        'rows', pg_catalog.array_to_json(
            ARRAY[pg_catalog.json_build_object('cve', pg_catalog.json_build_object(
                'digest', s.digest, 'state', s.state, 'description', s.description,
                'published', s.published, 'modified', s.modified))]
            || ARRAY(
                SELECT pg_catalog.json_build_object('metric', pg_catalog.json_build_object(
                    'number', m.number, 'source', m.source, 'type', m.type, 'version', m.version,
                    'vector', m.vector, 'score', m.score::text, 'severity', m.severity))
                FROM clair.cve_metric AS m
                WHERE m.cve = s.cve AND m.updater = s.updater
                ORDER BY m.number
            )
        )
    ))::text
    FROM clair.cve_statement AS s
    WHERE s.updater = exported_lines.updater AND exported_lines.since IS NULL
    UNION ALL
    SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'record', e.cve,
        'rows', pg_catalog.json_build_array(pg_catalog.json_build_object('kev', pg_catalog.json_build_object(
            'date_added', e.date_added, 'due_date', e.due_date, 'ransomware', e.ransomware::integer,
            'vendor', e.vendor, 'product', e.product, 'name', e.name,
            'required_action', e.required_action, 'notes', e.notes)))
    ))::text
    FROM clair.kev AS e
    WHERE e.updater = exported_lines.updater AND exported_lines.since IS NULL
    UNION ALL
    SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'epss_edition', pg_catalog.json_build_object(
            'document', 'export', 'model', e.model, 'score_date', e.score_date)))::text
    FROM clair.epss_edition AS e
    WHERE e.updater = exported_lines.updater AND exported_lines.since IS NULL
    UNION ALL
    SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'epss', pg_catalog.json_build_object(
            'cve', e.cve, 'score', e.score::text, 'percentile', e.percentile::text)))::text
    FROM clair.epss AS e
    WHERE exported_lines.since IS NULL
        AND EXISTS (SELECT FROM clair.epss_edition AS d WHERE d.updater = exported_lines.updater);
END;
COMMENT ON FUNCTION clair.exported_lines(text, bigint) IS
    'the lines of an export with what an updater brought, or with what has changed of it since a run; of CVEs, which have no history, without a run only';
REVOKE ALL ON FUNCTION clair.exported_lines(text, bigint) FROM PUBLIC;

CREATE FUNCTION clair.exported_parts(since bigint, updaters text[])
RETURNS TABLE (updater text, since_run bigint, as_of timestamptz, forgotten bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        s.updater::text,
        CASE
            WHEN first.run <= exported_parts.since
                AND NOT (d.appends AND last.run > exported_parts.since)
            THEN exported_parts.since
        END,
        s.last_success,
        t.forgotten
    FROM clair.update_status AS s
        JOIN clair.updater_definition AS d ON d.name = s.updater
        LEFT JOIN clair.updater_state AS t ON t.updater = s.updater
        CROSS JOIN LATERAL (
            SELECT pg_catalog.min(r.id) AS run
            FROM clair.update_run AS r
            WHERE r.updater = s.updater AND r.state IN ('succeeded', 'unchanged')
        ) AS first
        CROSS JOIN LATERAL (
            SELECT pg_catalog.max(r.id) AS run
            FROM clair.update_run AS r
            WHERE r.updater = s.updater AND r.state = 'succeeded'
        ) AS last
    WHERE s.last_success IS NOT NULL
        AND CASE
            WHEN exported_parts.updaters IS NULL THEN s.updater <> 'local'
            ELSE s.updater = ANY (exported_parts.updaters)
        END;
END;
COMMENT ON FUNCTION clair.exported_parts(bigint, text[]) IS
    'the updaters that an export has something of, and since which run it tells changes of them; null: everything';
REVOKE ALL ON FUNCTION clair.exported_parts(bigint, text[]) FROM PUBLIC;

CREATE FUNCTION clair.export_updates(path text, since bigint DEFAULT NULL, updaters text[] DEFAULT NULL)
RETURNS TABLE (updater text, as_of timestamptz, since_position bigint, lines bigint, "position" bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.export_updates(text, bigint, text[]) IS
    'writes what updaters have brought, or, given the position of an earlier export, what has changed since that, to a file of the server that clair.import_updates() of another database reads; of all updaters but the user''s own advisories, or of those named; returns of what there is how much, and the position that this export reaches';
REVOKE ALL ON FUNCTION clair.export_updates(text, bigint, text[]) FROM PUBLIC;

CREATE FUNCTION clair.import_updates(path text, updaters text[] DEFAULT NULL)
RETURNS SETOF clair.update_result
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.import_updates(text, text[]) IS
    'takes over what clair.export_updates() has written, in place of what the updaters brought here: a run of each updater in it, or of those named, like one of clair.update()';
REVOKE ALL ON FUNCTION clair.import_updates(text, text[]) FROM PUBLIC;
