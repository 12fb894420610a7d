/*
 * The outbox: what changed for images that are indexed.
 *
 * A run writes it in its own transaction, so a notification is there when, and only when, what it
 * tells of is. Who is told of it is in clair.delivery. No foreign keys: a run writes thousands of
 * rows, and functions delete them.
 */
CREATE TABLE clair.notification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint,
    updater text COLLATE "C",
    vulnerability text COLLATE "C",
    image_id bigint,
    reason text NOT NULL CHECK (reason IN ('added', 'changed', 'withdrawn', 'indexed')),
    changes text[] NOT NULL DEFAULT '{}',
    severity clair.severity NOT NULL,
    images bigint,
    before jsonb,
    after jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (CASE WHEN reason = 'indexed' THEN image_id ELSE run END IS NOT NULL),
    CHECK (reason = 'indexed' OR updater IS NOT NULL AND vulnerability IS NOT NULL)
);
CREATE INDEX notification_run ON clair.notification (run);
CREATE INDEX notification_vulnerability ON clair.notification (vulnerability);
CREATE INDEX notification_image ON clair.notification (image_id) WHERE image_id IS NOT NULL;
COMMENT ON TABLE clair.notification IS
    'changes of vulnerabilities that concern indexed images, written by the run that made them; and, if clair.notify_indexed is on, images with findings that are new';
COMMENT ON COLUMN clair.notification.id IS 'number of the notification';
COMMENT ON COLUMN clair.notification.run IS 'the run; null when an image was indexed';
COMMENT ON COLUMN clair.notification.updater IS 'its updater';
COMMENT ON COLUMN clair.notification.vulnerability IS 'the vulnerability';
COMMENT ON COLUMN clair.notification.image_id IS 'the image that was indexed';
COMMENT ON COLUMN clair.notification.reason IS
    'added, changed or withdrawn: what became of the vulnerability; indexed: the image is new';
COMMENT ON COLUMN clair.notification.changes IS
    'what changed, when that is the reason: range, status, severity';
COMMENT ON COLUMN clair.notification.severity IS
    'the highest severity of the affected ranges that are new or, when withdrawn, gone; of an image, of its findings';
COMMENT ON COLUMN clair.notification.images IS
    'how many images have other findings by the change; see clair.notification_images(). Null when there are tenants: it would tell each of the others';
COMMENT ON COLUMN clair.notification.before IS
    'the affected ranges that are gone: namespace, kind, package, introduced, fixed, status, severity';
COMMENT ON COLUMN clair.notification.after IS 'the affected ranges that are new, likewise';
COMMENT ON COLUMN clair.notification.created_at IS 'when';

/*
 * Who is told: consumers, each with a filter, and a row for each notification that a consumer is
 * to get. It is written with the notification, so nothing passes by a consumer that is away.
 */
CREATE TABLE clair.consumer (
    name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z_][a-z0-9_]{0,56}$'),
    owner text COLLATE "C" NOT NULL,
    minimum_severity clair.severity NOT NULL,
    fixable_only boolean NOT NULL,
    exploited_only boolean NOT NULL,
    images text[] CHECK (pg_catalog.cardinality(images) > 0),
    namespaces text[] CHECK (pg_catalog.cardinality(namespaces) > 0),
    in_order boolean NOT NULL,
    lease interval NOT NULL CHECK (lease > '0'),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.consumer IS
    'who is told of changes, and of which: those of findings that everything in the filter lets through, before or after the change; see clair.create_consumer()';
COMMENT ON COLUMN clair.consumer.name IS
    'its name; its own channel is clair_ and the name';
COMMENT ON COLUMN clair.consumer.owner IS 'the role whose members may take and acknowledge its notifications';
COMMENT ON COLUMN clair.consumer.minimum_severity IS 'filter: findings of at least this severity';
COMMENT ON COLUMN clair.consumer.fixable_only IS 'filter: only findings for which there is a fix';
COMMENT ON COLUMN clair.consumer.exploited_only IS
    'filter: only vulnerabilities that are in clair.kev when they change';
COMMENT ON COLUMN clair.consumer.images IS
    'filter: only images of which a name is LIKE one of these; null: all';
COMMENT ON COLUMN clair.consumer.namespaces IS
    'filter: only packages of namespaces LIKE one of these; null: all';
COMMENT ON COLUMN clair.consumer.in_order IS
    'whether nothing is handed out as long as something earlier is neither acknowledged nor due again: its instances take turns; otherwise they share the work, and only what is said of the same vulnerability is kept in order';
COMMENT ON COLUMN clair.consumer.lease IS
    'for how long a notification is handed out; if it is not acknowledged by then, it is due again';
COMMENT ON COLUMN clair.consumer.created_at IS 'since when it is told';

CREATE TABLE clair.delivery (
    consumer text COLLATE "C" NOT NULL,
    notification bigint NOT NULL,
    vulnerability text COLLATE "C",
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'acknowledged', 'cancelled', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (consumer, notification)
);
CREATE INDEX delivery_pending ON clair.delivery (consumer, notification) WHERE state = 'pending';
CREATE INDEX delivery_vulnerability ON clair.delivery (vulnerability, consumer, notification)
    WHERE state <> 'cancelled';
CREATE INDEX delivery_notification ON clair.delivery (notification);
COMMENT ON TABLE clair.delivery IS 'which notifications each consumer gets, and has got';
COMMENT ON COLUMN clair.delivery.consumer IS 'the consumer';
COMMENT ON COLUMN clair.delivery.notification IS 'the notification';
COMMENT ON COLUMN clair.delivery.vulnerability IS 'that of the notification';
COMMENT ON COLUMN clair.delivery.state IS
    'pending: not acknowledged yet; acknowledged; cancelled: undone before it was handed out; dead: given up';
COMMENT ON COLUMN clair.delivery.attempts IS 'how often it has been handed out';
COMMENT ON COLUMN clair.delivery.due_at IS
    'when a pending one is handed out again, if it is not acknowledged; null: it has not been handed out yet';
COMMENT ON COLUMN clair.delivery.finished_at IS 'since when it is no longer pending';

CREATE POLICY tenants ON clair.consumer FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS r
        WHERE r.rolname = consumer.owner AND pg_catalog.pg_has_role(r.oid, 'USAGE')
    )
);
COMMENT ON POLICY tenants ON clair.consumer IS 'see clair.tenant';
CREATE POLICY tenants ON clair.delivery FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.consumer AS c WHERE c.name = delivery.consumer LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.delivery IS 'see clair.tenant';
CREATE POLICY tenants ON clair.notification FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image AS i WHERE i.id = notification.image_id LIMIT 1)
    OR (SELECT true FROM clair.delivery AS d WHERE d.notification = notification.id LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.notification IS 'see clair.tenant';

SELECT pg_catalog.pg_extension_config_dump('clair.notification', '');
SELECT pg_catalog.pg_extension_config_dump('clair.notification_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.consumer', '');
SELECT pg_catalog.pg_extension_config_dump('clair.delivery', '');
