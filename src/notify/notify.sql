/*
 * Announcing: what a run changed for images that are indexed.
 */
CREATE TABLE clair.notification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL,
    updater text COLLATE "C" NOT NULL,
    vulnerability text COLLATE "C" NOT NULL,
    reason text NOT NULL CHECK (reason IN ('added', 'changed', 'withdrawn')),
    severity clair.severity NOT NULL,
    images bigint NOT NULL,
    before jsonb,
    after jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notification_run ON clair.notification (run);
CREATE INDEX notification_vulnerability ON clair.notification (vulnerability);
COMMENT ON TABLE clair.notification IS
    'changes of vulnerabilities that concern indexed images, written by the run that made them';
COMMENT ON COLUMN clair.notification.id IS 'number of the notification';
COMMENT ON COLUMN clair.notification.run IS 'the run';
COMMENT ON COLUMN clair.notification.updater IS 'its updater';
COMMENT ON COLUMN clair.notification.vulnerability IS 'the vulnerability';
COMMENT ON COLUMN clair.notification.reason IS 'added, changed or withdrawn';
COMMENT ON COLUMN clair.notification.severity IS
    'the highest severity of the affected ranges that are new or, when withdrawn, gone';
COMMENT ON COLUMN clair.notification.images IS
    'how many images were affected before the change or are so after it';
COMMENT ON COLUMN clair.notification.before IS
    'the affected ranges that are gone: namespace, kind, package, introduced, fixed, status, severity';
COMMENT ON COLUMN clair.notification.after IS 'the affected ranges that are new, likewise';
COMMENT ON COLUMN clair.notification.created_at IS 'when';

SELECT pg_catalog.pg_extension_config_dump('clair.notification', '');
SELECT pg_catalog.pg_extension_config_dump('clair.notification_id_seq', '');
