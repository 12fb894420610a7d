/*
 * The audit: who has changed what, written by what changes it, in the same transaction.
 *
 * Nobody but the extension's owner writes here, and nothing is changed or deleted before its time;
 * clair.audit_retention, a superuser's setting, says when that is. What is recorded with what it is
 * about is not recorded twice: who ran an updater, imported or changed a local advisory is in
 * clair.update_run; what an exception or a document says is in clair.exception and
 * clair.vex_document. Reading leaves no trace.
 */
CREATE TABLE clair.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    session_role text COLLATE "C" NOT NULL DEFAULT session_user,
    role text COLLATE "C" NOT NULL DEFAULT current_user,
    action text COLLATE "C" NOT NULL,
    object text,
    detail jsonb
);
CREATE INDEX audit_at ON clair.audit (at);
COMMENT ON TABLE clair.audit IS
    'who has changed what: images, exceptions, sources, detectors, policies, consumers, webhooks, tenants, rights; and who cleaned up or exported. Runs and local advisories are in clair.update_run, with requested_by';
COMMENT ON COLUMN clair.audit.id IS 'its number';
COMMENT ON COLUMN clair.audit.at IS 'when';
COMMENT ON COLUMN clair.audit.session_role IS 'the role that had logged in';
COMMENT ON COLUMN clair.audit.role IS 'the role that it acted as, by SET ROLE or in a function of that role';
COMMENT ON COLUMN clair.audit.action IS
    'the function that did it; of views that are written to, likewise: alter_updater, create_policy, alter_policy, drop_policy';
COMMENT ON COLUMN clair.audit.object IS 'what it was done to: its name or number';
COMMENT ON COLUMN clair.audit.detail IS
    'how: arguments and results, without secrets, and of URLs without what may be one';

SELECT pg_catalog.pg_extension_config_dump('clair.audit', '');
SELECT pg_catalog.pg_extension_config_dump('clair.audit_id_seq', '');

CREATE FUNCTION clair.keep_audit()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.keep_audit() IS
    'refuses changes of clair.audit, and deleting of what is not older than clair.audit_retention';
REVOKE ALL ON FUNCTION clair.keep_audit() FROM PUBLIC;

CREATE TRIGGER audit_is_final BEFORE UPDATE OR TRUNCATE ON clair.audit
    FOR EACH STATEMENT EXECUTE FUNCTION clair.keep_audit();
COMMENT ON TRIGGER audit_is_final ON clair.audit IS 'what is recorded stays as it is';
CREATE TRIGGER audit_is_kept BEFORE DELETE ON clair.audit
    FOR EACH ROW EXECUTE FUNCTION clair.keep_audit();
COMMENT ON TRIGGER audit_is_kept ON clair.audit IS 'for as long as clair.audit_retention says';

CREATE FUNCTION clair.forget_audit()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.forget_audit() IS
    'deletes entries of clair.audit that are older than clair.audit_retention, and returns how many';
REVOKE ALL ON FUNCTION clair.forget_audit() FROM PUBLIC;
