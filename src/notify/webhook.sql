/*
 * Webhooks: consumers whose notifications are posted to a URL.
 *
 * Which notifications there are for a webhook, how often each has been tried and when it is due is
 * in clair.delivery, as of any consumer. Here is where they go to, and what was answered.
 */
CREATE TABLE clair.webhook (
    consumer text COLLATE "C" PRIMARY KEY REFERENCES clair.consumer (name) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    url text NOT NULL,
    format text NOT NULL CHECK (format IN ('full', 'clair-v2', 'clair-v4', 'slack')),
    callback text,
    timeout interval NOT NULL CHECK (timeout BETWEEN '1 second' AND '1 day'),
    max_attempts integer NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
    parallel integer NOT NULL CHECK (parallel BETWEEN 1 AND 16),
    certificate_file text,
    key_file text,
    enabled boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (format <> 'clair-v4' OR callback IS NOT NULL),
    CHECK (key_file IS NULL OR certificate_file IS NOT NULL)
);
COMMENT ON TABLE clair.webhook IS
    'where the notifications of consumers are posted to; see clair.create_webhook()';
COMMENT ON COLUMN clair.webhook.consumer IS 'the consumer: its filter, and whether it is told in order';
COMMENT ON COLUMN clair.webhook.id IS 'what the ids of its deliveries are made from';
COMMENT ON COLUMN clair.webhook.url IS 'http or https';
COMMENT ON COLUMN clair.webhook.format IS
    'what is posted: full, clair-v2, clair-v4 or slack; see clair.webhook_body()';
COMMENT ON COLUMN clair.webhook.callback IS
    'of clair-v4: the URL that a delivery''s id is appended to';
COMMENT ON COLUMN clair.webhook.timeout IS 'how long an attempt may take, all in all';
COMMENT ON COLUMN clair.webhook.max_attempts IS 'attempts after which a notification is given up';
COMMENT ON COLUMN clair.webhook.parallel IS
    'attempts at a time; one, if the consumer is told in order';
COMMENT ON COLUMN clair.webhook.certificate_file IS
    'file on the server with the certificate to show to the receiver, PEM';
COMMENT ON COLUMN clair.webhook.key_file IS
    'file with its key, PEM, without a pass phrase; null: it is in the same file';
COMMENT ON COLUMN clair.webhook.enabled IS 'whether anything is posted; if not, it waits';
COMMENT ON COLUMN clair.webhook.created_at IS 'since when it is there';

/*
 * Nobody but the owner of the table sees these rows, not even members of pg_read_all_data: there is
 * row security, and no policy.
 */
CREATE TABLE clair.webhook_secret (
    consumer text COLLATE "C" PRIMARY KEY REFERENCES clair.webhook (consumer) ON DELETE CASCADE,
    secret text,
    headers jsonb
);
ALTER TABLE clair.webhook_secret ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE clair.webhook_secret IS 'what only the receivers of webhooks may know';
COMMENT ON COLUMN clair.webhook_secret.consumer IS 'the webhook';
COMMENT ON COLUMN clair.webhook_secret.secret IS 'what signatures are made with; null: there are none';
COMMENT ON COLUMN clair.webhook_secret.headers IS 'further headers of requests';

CREATE TABLE clair.webhook_state (
    consumer text COLLATE "C" PRIMARY KEY REFERENCES clair.webhook (consumer) ON DELETE CASCADE,
    failures integer NOT NULL DEFAULT 0,
    resume_at timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_error text
);
COMMENT ON TABLE clair.webhook_state IS 'how webhooks fare; see clair.webhook_status';
COMMENT ON COLUMN clair.webhook_state.consumer IS 'the webhook';
COMMENT ON COLUMN clair.webhook_state.failures IS 'failures since the last success';
COMMENT ON COLUMN clair.webhook_state.resume_at IS 'nothing is posted before that; null: at once';
COMMENT ON COLUMN clair.webhook_state.last_success_at IS 'when something was delivered last';
COMMENT ON COLUMN clair.webhook_state.last_failure_at IS 'when an attempt failed last';
COMMENT ON COLUMN clair.webhook_state.last_error IS 'why';

CREATE TABLE clair.webhook_receipt (
    consumer text COLLATE "C" NOT NULL REFERENCES clair.webhook (consumer) ON DELETE CASCADE,
    notification bigint NOT NULL,
    id uuid NOT NULL UNIQUE,
    attempts integer NOT NULL DEFAULT 0,
    attempts_before integer NOT NULL DEFAULT 0,
    status integer,
    error text,
    answer text,
    sent_at timestamptz,
    answered_at timestamptz,
    PRIMARY KEY (consumer, notification),
    FOREIGN KEY (consumer, notification) REFERENCES clair.delivery (consumer, notification)
        ON DELETE CASCADE
);
COMMENT ON TABLE clair.webhook_receipt IS
    'what became of notifications that were posted; see clair.webhook_delivery';
COMMENT ON COLUMN clair.webhook_receipt.consumer IS 'the webhook';
COMMENT ON COLUMN clair.webhook_receipt.notification IS 'the notification';
COMMENT ON COLUMN clair.webhook_receipt.id IS 'the id that the receiver knows it by';
COMMENT ON COLUMN clair.webhook_receipt.attempts IS 'how many attempts have ended';
COMMENT ON COLUMN clair.webhook_receipt.attempts_before IS
    'how many there had been when clair.retry_webhook() was called last';
COMMENT ON COLUMN clair.webhook_receipt.status IS 'HTTP status of the last answer; 0: there was none';
COMMENT ON COLUMN clair.webhook_receipt.error IS 'why the last attempt failed';
COMMENT ON COLUMN clair.webhook_receipt.answer IS 'beginning of the last answer';
COMMENT ON COLUMN clair.webhook_receipt.sent_at IS 'when the last attempt began';
COMMENT ON COLUMN clair.webhook_receipt.answered_at IS 'when it ended';

CREATE POLICY tenants ON clair.webhook FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.consumer AS c WHERE c.name = webhook.consumer LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.webhook IS 'see clair.tenant';
CREATE POLICY tenants ON clair.webhook_state FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.consumer AS c WHERE c.name = webhook_state.consumer LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.webhook_state IS 'see clair.tenant';
CREATE POLICY tenants ON clair.webhook_receipt FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.consumer AS c WHERE c.name = webhook_receipt.consumer LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.webhook_receipt IS 'see clair.tenant';

SELECT pg_catalog.pg_extension_config_dump('clair.webhook', '');
SELECT pg_catalog.pg_extension_config_dump('clair.webhook_secret', '');
SELECT pg_catalog.pg_extension_config_dump('clair.webhook_state', '');
SELECT pg_catalog.pg_extension_config_dump('clair.webhook_receipt', '');

/*
 * Making them. Whoever may execute these may have the server ask any URL that its settings allow,
 * so it is for administrators, who also have to be members of the role that owns the consumer.
 */
CREATE FUNCTION clair.create_webhook(
    consumer text,
    url text,
    format text DEFAULT 'full',
    callback text DEFAULT NULL,
    timeout interval DEFAULT '10 seconds',
    max_attempts integer DEFAULT 16,
    parallel integer DEFAULT 4,
    certificate_file text DEFAULT NULL,
    key_file text DEFAULT NULL,
    enabled boolean DEFAULT true,
    secret text DEFAULT NULL,
    headers jsonb DEFAULT NULL
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.create_webhook(text, text, text, text, interval, integer, integer, text, text,
    boolean, text, jsonb) IS
    'lets the notifications of a consumer be posted to a URL; with a secret, signed; the arguments are the columns of clair.webhook and clair.webhook_secret';
REVOKE ALL ON FUNCTION clair.create_webhook(text, text, text, text, interval, integer, integer, text, text,
    boolean, text, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.alter_webhook(
    consumer text,
    url text DEFAULT NULL,
    format text DEFAULT NULL,
    callback text DEFAULT NULL,
    timeout interval DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    parallel integer DEFAULT NULL,
    certificate_file text DEFAULT NULL,
    key_file text DEFAULT NULL,
    enabled boolean DEFAULT NULL,
    secret text DEFAULT NULL,
    headers jsonb DEFAULT NULL
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.alter_webhook(text, text, text, text, interval, integer, integer, text, text,
    boolean, text, jsonb) IS
    'changes a webhook, and lets it go on at once if it waits after a failure; null leaves a thing as it was, an empty text or {} takes it away';
REVOKE ALL ON FUNCTION clair.alter_webhook(text, text, text, text, interval, integer, integer, text, text,
    boolean, text, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.drop_webhook(consumer text)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.drop_webhook(text) IS
    'ends a webhook; the consumer stays, with what has not been delivered';
REVOKE ALL ON FUNCTION clair.drop_webhook(text) FROM PUBLIC;

/*
 * What is posted. The id stays the same whatever happens, so that receivers can tell what they have
 * got already.
 */
CREATE FUNCTION clair.webhook_delivery_id(webhook uuid, notification bigint)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(
    webhook::text || ' ' || notification::text, 'UTF8')), 1, 16), 'hex')::uuid;
COMMENT ON FUNCTION clair.webhook_delivery_id(uuid, bigint) IS
    'the id of a delivery, from that of its webhook and the number of the notification';
REVOKE ALL ON FUNCTION clair.webhook_delivery_id(uuid, bigint) FROM PUBLIC;

/*
 * The first images of a notification, or the one that is new, with all findings, and after which one
 * to go on; none when they are too much.
 */
CREATE FUNCTION clair.webhook_images(notification bigint, "limit" integer, prefixes text[])
RETURNS TABLE (first json, next bigint, names text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        CASE WHEN pg_catalog.octet_length(page.first::text) <= 524288 THEN page.first ELSE '[]' END,
        CASE
            WHEN pg_catalog.octet_length(page.first::text) > 524288 THEN 0
            WHEN page.count = webhook_images."limit" THEN page.last
        END,
        page.names
    FROM (
        SELECT
            COALESCE(pg_catalog.json_agg(image.entry ORDER BY image.number), '[]') AS first,
            pg_catalog.count(*) AS count,
            pg_catalog.max(image.number) AS last,
            pg_catalog.string_agg(image.name, ', ' ORDER BY image.number) AS names
        FROM (
            SELECT
                i.image AS number,
                COALESCE(i.names[1], i.digest) AS name,
                pg_catalog.json_build_object(
                    'image', i.image, 'digest', i.digest, 'names', i.names,
                    'findings', pg_catalog.json_agg(pg_catalog.json_build_object(
                        'side', i.side, 'vulnerability', i.vulnerability, 'namespace', i.namespace,
                        'feature', i.feature, 'installed_version', i.installed_version,
                        'severity', i.severity, 'fixed_in', i.fixed_in, 'status', i.status,
                        'introduced_by', i.introduced_by) ORDER BY i.side DESC, i.feature,
                        i.installed_version)
                ) AS entry
            FROM (
                SELECT *
                FROM clair.notification_images(webhook_images.notification, webhook_images."limit",
                    prefixes => webhook_images.prefixes)
                UNION ALL
                SELECT
                    n.image_id,
                    i.digest,
                    ARRAY(
                        SELECT m.name::text
                        FROM clair.image_name AS m
                        WHERE m.image_id = i.id
                            AND COALESCE(m.name OPERATOR(pg_catalog.^@) ANY (webhook_images.prefixes), true)
                        ORDER BY m.name
                    ),
                    'after', v.vulnerability, v.namespace, v.feature, v.installed_version, v.severity,
                    v.fixed_in, v.status, v.introduced_by
                FROM clair.notification AS n
                    JOIN clair.image AS i ON i.id = n.image_id
                    JOIN clair.image_vulnerability AS v ON v.image_id = i.id AND v.exception IS NULL
                WHERE n.id = webhook_images.notification AND n.reason = 'indexed'
            ) AS i
            GROUP BY i.image, i.digest, i.names
        ) AS image
    ) AS page;
END;
COMMENT ON FUNCTION clair.webhook_images(bigint, integer, text[]) IS
    'the first images of a notification, of those whose names begin so, as clair.webhook_body() shows them';
REVOKE ALL ON FUNCTION clair.webhook_images(bigint, integer, text[]) FROM PUBLIC;

CREATE FUNCTION clair.webhook_body(consumer text, notification bigint)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE w.format
            WHEN 'clair-v2' THEN
                pg_catalog.json_build_object('Notification', pg_catalog.json_build_object('Name', known.id))
            WHEN 'clair-v4' THEN
                pg_catalog.json_build_object('notification_id', known.id,
                    'callback', pg_catalog.concat(pg_catalog.rtrim(w.callback, '/'), '/', known.id))
            WHEN 'slack' THEN (
                SELECT
                    pg_catalog.json_build_object('text',
                        pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
                            pg_catalog.concat(
                                '*', n.severity, '* ', n.vulnerability || ' ', n.reason,
                                ' (' || pg_catalog.array_to_string(NULLIF(n.changes, '{}'), ', ') || ')',
                                ' by ' || n.updater, ': ',
                                n.images || CASE WHEN n.images = 1 THEN ' image, ' ELSE ' images, ' END,
                                page.names, CASE WHEN page.next IS NOT NULL THEN ', ...' END),
                            '&', '&amp;'), '<', '&lt;'), '>', '&gt;'))
                FROM clair.webhook_images(n.id, 5, seen.prefixes) AS page
            )
            ELSE (
                SELECT
                    pg_catalog.json_build_object(
                        'schema', 'clair.notification', 'version', 1, 'id', known.id,
                        'consumer', w.consumer, 'notification', n.id, 'created_at', n.created_at,
                        'run', n.run, 'updater', n.updater, 'vulnerability', n.vulnerability,
                        'reason', n.reason, 'changes', n.changes, 'severity', n.severity,
                        'before', n.before, 'after', n.after,
                        'images', pg_catalog.json_build_object(
                            'count', n.images, 'first', page.first, 'next', page.next))
                FROM clair.webhook_images(n.id, 20, seen.prefixes) AS page
            )
        END
    FROM clair.webhook AS w
        JOIN clair.notification AS n ON n.id = webhook_body.notification
        CROSS JOIN LATERAL (SELECT clair.webhook_delivery_id(w.id, n.id) AS id) AS known
        -- Who posts it sees everything: it is for who owns the consumer.
        CROSS JOIN LATERAL (
            SELECT clair.tenant_prefixes(c.owner) AS prefixes FROM clair.consumer AS c WHERE c.name = w.consumer
        ) AS seen
    WHERE w.consumer = webhook_body.consumer;
END;
COMMENT ON FUNCTION clair.webhook_body(text, bigint) IS
    'what is posted to a webhook of a notification; full: all of it, with the first 20 images and, as next, the number after which clair.notification_images() has more, or null; clair-v2, clair-v4: the id, as the Clair of that version has it; slack: a line of text';
REVOKE ALL ON FUNCTION clair.webhook_body(text, bigint) FROM PUBLIC;

/*
 * Delivering.
 */
CREATE FUNCTION clair.deliver_webhooks(wait boolean DEFAULT true)
RETURNS TABLE (consumer text, pending bigint, delivered bigint, dead bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.deliver_webhooks(boolean) IS
    'starts the background worker that delivers, unless it runs, and waits until nothing is due at the moment; returns how the webhooks fare';
REVOKE ALL ON FUNCTION clair.deliver_webhooks(boolean) FROM PUBLIC;

CREATE FUNCTION clair.retry_webhook(id uuid)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.retry_webhook(uuid) IS
    'lets a delivery that was given up, or is to be tried later, be tried now, and as often as any other; false when it is neither';
REVOKE ALL ON FUNCTION clair.retry_webhook(uuid) FROM PUBLIC;

CREATE FUNCTION clair.retry_webhooks(consumer text)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.retry_webhooks(text) IS
    'the same for all such deliveries of a webhook; returns how many';
REVOKE ALL ON FUNCTION clair.retry_webhooks(text) FROM PUBLIC;

CREATE VIEW clair.webhook_delivery AS
SELECT
    r.id,
    d.consumer,
    d.notification,
    CASE
        WHEN d.state = 'acknowledged' THEN 'delivered'
        WHEN d.state = 'pending' AND r.attempts > 0 THEN 'failed'
        ELSE d.state
    END AS state,
    d.attempts,
    CASE WHEN d.state = 'pending' THEN GREATEST(d.due_at, s.resume_at) END AS next_attempt_at,
    r.status AS last_status,
    r.error AS last_error,
    r.answer AS last_answer,
    r.sent_at,
    r.answered_at,
    d.finished_at
FROM clair.delivery AS d
    JOIN clair.webhook AS w ON w.consumer = d.consumer
    LEFT JOIN clair.webhook_state AS s ON s.consumer = d.consumer
    LEFT JOIN clair.webhook_receipt AS r ON r.consumer = d.consumer AND r.notification = d.notification;
COMMENT ON VIEW clair.webhook_delivery IS 'what has been posted to webhooks, or is to be';
COMMENT ON COLUMN clair.webhook_delivery.id IS
    'the id that the receiver knows it by; null before the first attempt';
COMMENT ON COLUMN clair.webhook_delivery.consumer IS 'the webhook';
COMMENT ON COLUMN clair.webhook_delivery.notification IS 'the notification';
COMMENT ON COLUMN clair.webhook_delivery.state IS
    'pending; delivered; failed: it is tried again; dead: given up; cancelled: undone before it was tried';
COMMENT ON COLUMN clair.webhook_delivery.attempts IS 'how often it has been tried';
COMMENT ON COLUMN clair.webhook_delivery.next_attempt_at IS 'when it is tried next; null: as soon as may be';
COMMENT ON COLUMN clair.webhook_delivery.last_status IS 'HTTP status of the last answer; 0: there was none';
COMMENT ON COLUMN clair.webhook_delivery.last_error IS 'why the last attempt failed';
COMMENT ON COLUMN clair.webhook_delivery.last_answer IS 'beginning of the last answer';
COMMENT ON COLUMN clair.webhook_delivery.sent_at IS 'when the last attempt began';
COMMENT ON COLUMN clair.webhook_delivery.answered_at IS 'when it ended';
COMMENT ON COLUMN clair.webhook_delivery.finished_at IS 'since when nothing more is tried';

CREATE VIEW clair.webhook_status AS
SELECT
    w.consumer,
    w.enabled,
    pg_catalog.count(*) FILTER (WHERE d.state = 'pending') AS pending,
    pg_catalog.count(*) FILTER (WHERE d.state = 'acknowledged') AS delivered,
    pg_catalog.count(*) FILTER (WHERE d.state = 'dead') AS dead,
    s.failures,
    s.resume_at,
    s.last_success_at,
    s.last_failure_at,
    s.last_error
FROM clair.webhook AS w
    JOIN clair.webhook_state AS s ON s.consumer = w.consumer
    LEFT JOIN clair.delivery AS d ON d.consumer = w.consumer
GROUP BY w.consumer, s.consumer;
COMMENT ON VIEW clair.webhook_status IS 'how webhooks fare';
COMMENT ON COLUMN clair.webhook_status.consumer IS 'the webhook';
COMMENT ON COLUMN clair.webhook_status.enabled IS 'whether anything is posted';
COMMENT ON COLUMN clair.webhook_status.pending IS 'how many notifications are still to be delivered';
COMMENT ON COLUMN clair.webhook_status.delivered IS 'how many have been';
COMMENT ON COLUMN clair.webhook_status.dead IS 'how many were given up';
COMMENT ON COLUMN clair.webhook_status.failures IS 'failures since the last success';
COMMENT ON COLUMN clair.webhook_status.resume_at IS 'nothing is posted before that; null: at once';
COMMENT ON COLUMN clair.webhook_status.last_success_at IS 'when something was delivered last';
COMMENT ON COLUMN clair.webhook_status.last_failure_at IS 'when an attempt failed last';
COMMENT ON COLUMN clair.webhook_status.last_error IS 'why';

DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.webhook_delivery SET (security_invoker = true);
        ALTER VIEW clair.webhook_status SET (security_invoker = true);
    END IF;
END
$$;
