/*
 * Whether everything works, and what is to be done if it does not.
 */
CREATE FUNCTION clair.check_helper(program text, OUT seccomp boolean, OUT landlock integer)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.check_helper(text) IS
    'starts a helper, clair-reader or clair-fetch, with its limits and in its sandbox, and lets it end: whether seccomp holds it, and which version of Landlock (0: none); an error when that does not work here';
REVOKE ALL ON FUNCTION clair.check_helper(text) FROM PUBLIC;

-- The jobs of pg_cron in this database: it may be missing, be in another database, or come later.
CREATE FUNCTION clair.scheduled_commands()
RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        RETURN QUERY EXECUTE
            'SELECT command FROM cron.job WHERE active AND database = current_database()';
    END IF;
END
$$;
COMMENT ON FUNCTION clair.scheduled_commands() IS
    'what pg_cron, if it is installed in this database, runs in it; of other roles, superusers see it';
REVOKE ALL ON FUNCTION clair.scheduled_commands() FROM PUBLIC;

CREATE FUNCTION clair.check_health()
RETURNS TABLE (component text, state text, message text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    commands text[] := ARRAY(SELECT clair.scheduled_commands());
    has_cron boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron');
BEGIN
    SELECT
        'extension',
        CASE WHEN e.extversion = a.default_version THEN 'ok' ELSE 'warning' END,
        format('version %s, PostgreSQL %s', e.extversion, current_setting('server_version')),
        CASE WHEN e.extversion <> a.default_version THEN
            format('Version %s is installed: run ALTER EXTENSION clair UPDATE.', a.default_version) END
    INTO component, state, message, hint
    FROM pg_extension AS e
        JOIN pg_available_extensions AS a ON a.name = e.extname
    WHERE e.extname = 'clair';
    RETURN NEXT;

    FOREACH component IN ARRAY ARRAY['clair-reader', 'clair-fetch']
    LOOP
        BEGIN
            SELECT
                CASE WHEN h.seccomp AND h.landlock > 0 THEN 'ok' ELSE 'warning' END,
                format('starts; %s, %s',
                    CASE WHEN h.seccomp THEN 'seccomp' ELSE 'no seccomp' END,
                    CASE WHEN h.landlock > 0 THEN 'Landlock ' || h.landlock ELSE 'no Landlock' END),
                CASE
                    WHEN current_setting('clair.sandbox') = 'off' THEN
                        'What takes it over can do what the server''s user can: set clair.sandbox to auto.'
                    WHEN NOT h.seccomp OR h.landlock = 0 THEN
                        'Linux has both since 5.13, unless they are switched off, there or by a container''s profile.'
                END
            INTO state, message, hint
            FROM clair.check_helper(component) AS h;
        EXCEPTION WHEN OTHERS THEN
            state := 'error';
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            hint := NULLIF(hint, '');
        END;
        RETURN NEXT;
    END LOOP;

    RETURN QUERY
    SELECT
        'updater ' || s.updater,
        CASE
            WHEN s.state = 'failed' AND NOT s.fresh THEN 'error'
            WHEN s.fresh AND s.state <> 'failed' AND COALESCE(s.broken, 0) = 0 THEN 'ok'
            ELSE 'warning'
        END,
        CASE
            WHEN s.last_success IS NULL THEN 'has never succeeded'
            WHEN NOT s.fresh THEN format('last succeeded %s, which is too long ago', date_trunc('second', s.last_success))
            ELSE format('last succeeded %s', date_trunc('second', s.last_success))
        END
        || COALESCE('; then failed: ' || s.last_error, '')
        || CASE WHEN s.broken > 0 THEN format('; skipped %s broken records', s.broken) ELSE '' END,
        CASE
            WHEN s.state = 'running' THEN 'It is running: see clair.update_status.'
            WHEN s.last_error IS NOT NULL THEN
                (
                    SELECT r.error_hint
                    FROM clair.update_run AS r
                    WHERE r.updater = s.updater AND r.error = s.last_error
                    ORDER BY r.id DESC
                    LIMIT 1
                )
            WHEN NOT s.fresh THEN format('Run: SELECT * FROM clair.update(%L);', s.updater)
            WHEN s.broken > 0 THEN format('The table clair.broken_record says which, of run %s.', s.last_run)
        END
    FROM clair.update_status AS s
    WHERE s.enabled OR s.last_success IS NOT NULL
    ORDER BY s.updater;

    RETURN QUERY
    SELECT
        'schedule',
        CASE WHEN has_cron AND s.missing IS NOT NULL THEN 'warning' ELSE 'ok' END,
        CASE
            WHEN NOT has_cron THEN 'pg_cron is not installed in this database'
            WHEN s.missing IS NOT NULL THEN 'pg_cron does not run, as far as this role can see: ' || s.missing
            ELSE 'pg_cron runs all enabled updaters'
        END,
        CASE
            WHEN NOT has_cron THEN 'Something else has to call clair.update() and clair.clean_up().'
            WHEN s.missing IS NOT NULL THEN 'See clair.schedule() and clair.schedule_clean_up().'
        END
    FROM (
        SELECT string_agg(n.name, ', ') AS missing
        FROM (
            SELECT u.name::text
            FROM clair.updater AS u
            WHERE u.enabled
                AND NOT EXISTS (
                    SELECT
                    FROM unnest(commands) AS command
                    WHERE command ~ 'clair\.update\((wait|\))'
                        OR strpos(command, format('clair.update(%L', u.name)) > 0
                )
            UNION ALL
            SELECT 'clair.clean_up()'
            WHERE NOT EXISTS (SELECT FROM unnest(commands) AS command WHERE command LIKE '%clair.clean_up%')
        ) AS n
    ) AS s;

    RETURN QUERY
    SELECT
        'workers',
        CASE WHEN w.busy >= w.places THEN 'warning' ELSE 'ok' END,
        format('%s of max_worker_processes = %s are in use', w.busy, w.places),
        CASE WHEN w.busy >= w.places THEN
            'Updates and webhooks cannot start until one ends: raise max_worker_processes.' END
    FROM (
        SELECT
            (
                SELECT count(*)
                FROM pg_stat_activity AS a
                WHERE a.backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker',
                    'background writer', 'checkpointer', 'walwriter', 'walsender', 'walreceiver', 'startup',
                    'archiver', 'logger', 'slotsync worker', 'walsummarizer', 'io worker', 'standalone backend')
            ) AS busy,
            current_setting('max_worker_processes')::bigint AS places
    ) AS w;

    RETURN QUERY
    SELECT
        'images',
        CASE WHEN i.unread > 0 OR i.outdated > 0 THEN 'warning' ELSE 'ok' END,
        format('%s images', i.images)
        || CASE WHEN i.unread > 0 THEN format('; of %s not everything could be read', i.unread) ELSE '' END
        || CASE WHEN i.outdated > 0 THEN format('; %s would be read otherwise now', i.outdated) ELSE '' END,
        CASE
            WHEN i.unread > 0 THEN 'The view clair.image_status says of which, and the table clair.image_problem why.'
            WHEN i.outdated > 0 THEN 'Index what clair.images_to_reindex lists again.'
        END
    FROM (
        SELECT
            (SELECT count(*) FROM clair.image) AS images,
            (SELECT count(*) FROM clair.image AS image WHERE image.status <> 'ok') AS unread,
            (SELECT count(DISTINCT r.image_id) FROM clair.images_to_reindex AS r) AS outdated
    ) AS i;

    RETURN QUERY
    SELECT
        'consumer ' || c.name,
        CASE
            WHEN c.dead > 0 OR w.failures > 0 THEN 'error'
            WHEN c.pending_since < now() - interval '1 day' THEN 'warning'
            ELSE 'ok'
        END,
        format('%s notifications to take', c.pending)
        || CASE WHEN c.pending > 0 THEN format(', since %s', date_trunc('second', c.pending_since)) ELSE '' END
        || CASE WHEN c.dead > 0 THEN format('; %s were given up', c.dead) ELSE '' END
        || COALESCE('; last attempt failed: ' || NULLIF(w.last_error, ''), ''),
        CASE
            WHEN c.dead > 0 THEN format('Once the receiver works, run: SELECT clair.retry_webhooks(%L);', c.name)
            WHEN w.failures > 0 THEN 'The view clair.webhook_delivery says more.'
            WHEN c.pending_since < now() - interval '1 day' THEN
                'Nobody seems to call clair.next_notifications() and clair.acknowledge() for it.'
        END
    FROM clair.consumer_status AS c
        LEFT JOIN clair.webhook_status AS w ON w.consumer = c.name AND w.failures > 0
    ORDER BY c.name;

    RETURN QUERY
    SELECT
        'exceptions',
        CASE WHEN e.expired > 0 THEN 'warning' ELSE 'ok' END,
        format('%s are in force', e.standing)
        || CASE WHEN e.expired > 0 THEN format('; %s have expired', e.expired) ELSE '' END,
        CASE WHEN e.expired > 0 THEN 'The view clair.stale_exception lists them; clair.end_exception() ends them.' END
    FROM (
        SELECT
            count(*) FILTER (WHERE x.expires_at IS NULL OR x.expires_at > now()) AS standing,
            count(*) FILTER (WHERE x.expires_at <= now()) AS expired
        FROM clair.exception AS x
        WHERE x.ended_at IS NULL
    ) AS e;

    RETURN QUERY
    SELECT
        'tenants',
        CASE WHEN t.open IS NULL THEN 'ok' ELSE 'error' END,
        COALESCE('row security is off for ' || t.open, format('%s roles see only the images that are theirs', t.roles)),
        CASE WHEN t.open IS NOT NULL THEN 'Call clair.enforce_tenants().' END
    FROM (
        SELECT
            (SELECT count(DISTINCT tenant.role) FROM clair.tenant WHERE tenant.prefix <> '') AS roles,
            (
                SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
                FROM pg_class AS c
                    JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'tenants'
                WHERE c.relnamespace = 'clair'::regnamespace AND NOT c.relrowsecurity
            ) AS open
    ) AS t
    WHERE t.roles > 0;

    RETURN QUERY
    SELECT
        'privileges',
        CASE WHEN p.granted IS NULL THEN 'ok' ELSE 'error' END,
        COALESCE('granted to PUBLIC: ' || p.granted, 'nothing but computations is granted to PUBLIC'),
        CASE WHEN p.granted IS NOT NULL THEN 'Revoke that.' END
    FROM (
        SELECT string_agg(DISTINCT g.name, ', ') AS granted
        FROM (
            SELECT c.relname::text AS name, c.relacl AS acl, 'r'::"char" AS type
            FROM pg_class AS c
            WHERE c.relnamespace = 'clair'::regnamespace AND c.relacl IS NOT NULL
            UNION ALL
            SELECT format('%s()', f.proname), f.proacl, 'f'
            FROM pg_proc AS f
            WHERE f.pronamespace = 'clair'::regnamespace AND f.provolatile <> 'i' AND f.prokind IN ('f', 'p')
        ) AS g
            CROSS JOIN LATERAL aclexplode(COALESCE(g.acl, acldefault(g.type, 10))) AS item
        WHERE item.grantee = 0
    ) AS p;
END
$$;
COMMENT ON FUNCTION clair.check_health() IS
    'whether everything works: the extension, its helpers, updaters, schedules, workers, images, consumers, exceptions and privileges, each ok, or with a warning or an error and a hint what to do';
REVOKE ALL ON FUNCTION clair.check_health() FROM PUBLIC;
