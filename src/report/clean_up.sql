/*
 * What nobody needs any more, and when it goes.
 */
CREATE FUNCTION clair.clean_up(history interval DEFAULT '1 year', notifications interval DEFAULT '90 days')
RETURNS TABLE (what text, deleted bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT v.what, v.deleted
    FROM clair.collect_garbage() AS g
        CROSS JOIN LATERAL (
            VALUES ('images', g.images), ('layers', g.layers), ('package databases', g.databases)
        ) AS v(what, deleted);
    RETURN QUERY
    SELECT v.what, v.deleted
    FROM clair.forget_history(history) AS h
        CROSS JOIN LATERAL (
            VALUES ('vulnerabilities', h.vulnerabilities), ('affected ranges', h.ranges), ('runs', h.runs)
        ) AS v(what, deleted);
    RETURN QUERY
    SELECT 'notifications', clair.forget_notifications(notifications);
    RETURN QUERY
    SELECT 'audit entries', clair.forget_audit();
END
$$;
COMMENT ON FUNCTION clair.clean_up(interval, interval) IS
    'collects garbage, and forgets history and notifications that are older, and what clair.audit_retention says of clair.audit: clair.collect_garbage(), clair.forget_history(), clair.forget_notifications() and clair.forget_audit() in one; returns how many of what were deleted';
REVOKE ALL ON FUNCTION clair.clean_up(interval, interval) FROM PUBLIC;

CREATE FUNCTION clair.schedule_clean_up(schedule text, history interval DEFAULT '1 year',
    notifications interval DEFAULT '90 days')
RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    SELECT clair.schedule_command(
        'clair.clean_up',
        schedule_clean_up.schedule,
        pg_catalog.format('SELECT * FROM clair.clean_up(%L, %L)', schedule_clean_up.history,
            schedule_clean_up.notifications));
END;
COMMENT ON FUNCTION clair.schedule_clean_up(text, interval, interval) IS
    'lets pg_cron clean up, keeping history and notifications for so long, at the times that a crontab''s five fields say; the number of the job, which cron.unschedule() takes';
REVOKE ALL ON FUNCTION clair.schedule_clean_up(text, interval, interval) FROM PUBLIC;
