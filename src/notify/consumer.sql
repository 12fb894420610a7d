/*
 * Consumers: making them, and taking and acknowledging what they are told.
 *
 * Whoever may execute clair.create_consumer() may have some; only members of the role that made one
 * may do anything with it.
 */
CREATE FUNCTION clair.create_consumer(
    name text,
    minimum_severity clair.severity DEFAULT 'Unknown',
    fixable_only boolean DEFAULT false,
    exploited_only boolean DEFAULT false,
    images text[] DEFAULT NULL,
    namespaces text[] DEFAULT NULL,
    in_order boolean DEFAULT false,
    lease interval DEFAULT '5 minutes'
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.create_consumer(text, clair.severity, boolean, boolean, text[], text[], boolean,
    interval) IS
    'makes a consumer, whose owner is the caller: from now on it is told of the changes that its filter lets through; the arguments are the columns of clair.consumer';
REVOKE ALL ON FUNCTION clair.create_consumer(text, clair.severity, boolean, boolean, text[], text[],
    boolean, interval) FROM PUBLIC;

CREATE FUNCTION clair.alter_consumer(
    name text,
    minimum_severity clair.severity DEFAULT NULL,
    fixable_only boolean DEFAULT NULL,
    exploited_only boolean DEFAULT NULL,
    images text[] DEFAULT NULL,
    namespaces text[] DEFAULT NULL,
    in_order boolean DEFAULT NULL,
    lease interval DEFAULT NULL
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.alter_consumer(text, clair.severity, boolean, boolean, text[], text[], boolean,
    interval) IS
    'changes what a consumer is told of from now on; null leaves it as it was, and the pattern % in images or namespaces lets all through';
REVOKE ALL ON FUNCTION clair.alter_consumer(text, clair.severity, boolean, boolean, text[], text[],
    boolean, interval) FROM PUBLIC;

CREATE FUNCTION clair.drop_consumer(name text)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.drop_consumer(text) IS 'ends a consumer, with everything that it has not read yet';
REVOKE ALL ON FUNCTION clair.drop_consumer(text) FROM PUBLIC;

CREATE FUNCTION clair.next_notifications(consumer text, "limit" integer DEFAULT 100)
RETURNS TABLE (
    notification bigint,
    attempt integer,
    due_at timestamptz,
    run bigint,
    updater text,
    vulnerability text,
    image bigint,
    reason text,
    changes text[],
    severity clair.severity,
    images bigint,
    before jsonb,
    after jsonb,
    created_at timestamptz
)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.next_notifications(text, integer) IS
    'hands out the next notifications of a consumer, in their order, for the time of its lease: what is not acknowledged by due_at is handed out again, with a higher attempt; several sessions get different ones';
REVOKE ALL ON FUNCTION clair.next_notifications(text, integer) FROM PUBLIC;

CREATE FUNCTION clair.acknowledge(consumer text, notification bigint)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'acknowledge_one';
COMMENT ON FUNCTION clair.acknowledge(text, bigint) IS
    'the consumer has dealt with a notification: it is not handed out again; false when it was not pending';
REVOKE ALL ON FUNCTION clair.acknowledge(text, bigint) FROM PUBLIC;

CREATE FUNCTION clair.acknowledge(consumer text, notifications bigint[])
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'acknowledge_several';
COMMENT ON FUNCTION clair.acknowledge(text, bigint[]) IS
    'the same for several notifications; returns how many of them were pending';
REVOKE ALL ON FUNCTION clair.acknowledge(text, bigint[]) FROM PUBLIC;

CREATE FUNCTION clair.acknowledge_until(consumer text, notification bigint)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.acknowledge_until(text, bigint) IS
    'the same for all notifications of the consumer up to this one, whether they have been handed out or not; returns how many were pending';
REVOKE ALL ON FUNCTION clair.acknowledge_until(text, bigint) FROM PUBLIC;

CREATE FUNCTION clair.rewind_consumer(consumer text, notification bigint)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.rewind_consumer(text, bigint) IS
    'lets everything after this notification that the consumer has acknowledged, or that was given up, be handed out again; returns how many';
REVOKE ALL ON FUNCTION clair.rewind_consumer(text, bigint) FROM PUBLIC;

CREATE FUNCTION clair.renotify()
RETURNS TABLE (consumer text, notifications bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.renotify() IS
    'reminds, by NOTIFY on their channels, the consumers for which there is something to take; returns them, and how much';
REVOKE ALL ON FUNCTION clair.renotify() FROM PUBLIC;

CREATE FUNCTION clair.forget_notifications(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.forget_notifications(interval) IS
    'deletes notifications that are older and that no consumer has still to acknowledge; returns how many';
REVOKE ALL ON FUNCTION clair.forget_notifications(interval) FROM PUBLIC;

CREATE VIEW clair.consumer_status AS
SELECT
    c.name,
    c.owner,
    pg_catalog.count(*) FILTER (WHERE d.state = 'pending') AS pending,
    pg_catalog.count(*) FILTER (WHERE d.state = 'pending' AND d.due_at > pg_catalog.now()) AS handed_out,
    pg_catalog.count(*) FILTER (WHERE d.state = 'acknowledged') AS acknowledged,
    pg_catalog.count(*) FILTER (WHERE d.state = 'cancelled') AS cancelled,
    pg_catalog.count(*) FILTER (WHERE d.state = 'dead') AS dead,
    pg_catalog.max(d.notification) FILTER (WHERE d.notification < first.notification) AS position,
    (SELECT n.created_at FROM clair.notification AS n WHERE n.id = first.notification) AS pending_since
FROM clair.consumer AS c
    LEFT JOIN clair.delivery AS d ON d.consumer = c.name
    CROSS JOIN LATERAL (
        SELECT COALESCE(pg_catalog.min(p.notification), 9223372036854775807) AS notification
        FROM clair.delivery AS p
        WHERE p.consumer = c.name AND p.state = 'pending'
    ) AS first
GROUP BY c.name, c.owner, first.notification;
COMMENT ON VIEW clair.consumer_status IS 'how far consumers are';
COMMENT ON COLUMN clair.consumer_status.name IS 'the consumer';
COMMENT ON COLUMN clair.consumer_status.owner IS 'its owner';
COMMENT ON COLUMN clair.consumer_status.pending IS 'how many notifications it has not acknowledged';
COMMENT ON COLUMN clair.consumer_status.handed_out IS 'how many of these are handed out at the moment';
COMMENT ON COLUMN clair.consumer_status.acknowledged IS 'how many it has acknowledged';
COMMENT ON COLUMN clair.consumer_status.cancelled IS 'how many were undone before it was told';
COMMENT ON COLUMN clair.consumer_status.dead IS 'how many were given up';
COMMENT ON COLUMN clair.consumer_status.position IS
    'its last notification up to which nothing is pending';
COMMENT ON COLUMN clair.consumer_status.pending_since IS 'since when the oldest pending one is there';

DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.consumer_status SET (security_invoker = true);
    END IF;
END
$$;
