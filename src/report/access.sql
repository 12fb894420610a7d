/*
 * Who may do what: three sets of privileges, each with those of the one before it; and one to read
 * the audit, which goes with none of them.
 *
 * What reads is told from what writes by the catalogs, so that no list has to be kept for that:
 * functions that may change something are VOLATILE. A new one is for administrators until it is
 * named here as one that those who index images need.
 */
-- Whoever creates the extension may have default privileges that say otherwise.
REVOKE ALL ON ALL TABLES IN SCHEMA clair FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA clair FROM PUBLIC;
REVOKE ALL ON SCHEMA clair FROM PUBLIC;

CREATE FUNCTION clair.access_right(level text)
RETURNS TABLE (privilege text, kind text, object text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    number integer := array_position('{audit,read,index,administer}', level) - 1;
    -- What those who index images, judge findings and are told of changes call.
    indexing name[] := '{index_image,index_layer,index_sbom,index_images,images_in,set_namespace,
        delete_image,create_exception,end_exception,load_vex,create_consumer,alter_consumer,
        drop_consumer,next_notifications,acknowledge,acknowledge_until,rewind_consumer,
        v1_post_layer,v1_delete_layer,v1_delete_notification,v4_post_index_report,v4_delete_index_report,
        v4_delete_index_reports}';
    -- What may do no more than what it calls.
    harmless name[] := '{v1,v4}';
    -- What only who owns the extension may do.
    owning name[] := '{grant_access,revoke_access,add_tenant,drop_tenant,enforce_tenants}';
BEGIN
    IF number IS NULL THEN
        RAISE EXCEPTION 'access level "%" does not exist', level
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Levels are read, index and administer, each of which includes those before it; and audit.';
    END IF;
    RETURN QUERY
    SELECT 'USAGE', 'SCHEMA', 'clair'
    UNION ALL
    SELECT 'SELECT', 'TABLE', c.oid::regclass::text
    FROM pg_class AS c
    WHERE c.relnamespace = 'clair'::regnamespace
        AND c.relkind IN ('r', 'v')
        AND c.relname <> 'webhook_secret'
        AND (c.relname = 'audit') = (number = 0)
    UNION ALL
    SELECT 'EXECUTE', 'FUNCTION', f.oid::regprocedure::text
    FROM pg_proc AS f
    WHERE f.pronamespace = 'clair'::regnamespace
        AND f.prokind = 'f'
        AND f.prorettype <> 'trigger'::regtype
        AND f.proname <> ALL (owning)
        AND number >= 1
        AND (
            f.provolatile <> 'v'
            OR f.proname = ANY (harmless)
            OR number >= 2 AND f.proname = ANY (indexing)
            OR number >= 3
        )
    UNION ALL
    SELECT w.privilege, 'TABLE', w.name
    FROM (VALUES
        ('UPDATE', 'clair.updater'),
        ('INSERT, UPDATE, DELETE', 'clair.policy'),
        ('INSERT, UPDATE, DELETE', 'clair.local_advisory')) AS w(privilege, name)
    WHERE number >= 3;
END
$$;
COMMENT ON FUNCTION clair.access_right(text) IS
    'the privileges of an access level: read; index, which includes read; administer, which includes both; or audit, which is to read clair.audit';
REVOKE ALL ON FUNCTION clair.access_right(text) FROM PUBLIC;

CREATE FUNCTION clair.grant_access(role regrole, level text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    granted record;
BEGIN
    FOR granted IN SELECT r.privilege, r.kind, string_agg(r.object, ', ') AS objects
        FROM clair.access_right(level) AS r
        GROUP BY r.privilege, r.kind
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO %s', granted.privilege, granted.kind, granted.objects, role);
    END LOOP;
    INSERT INTO clair.audit (action, object, detail)
    VALUES ('grant_access', role, jsonb_build_object('level', level));
END
$$;
COMMENT ON FUNCTION clair.grant_access(regrole, text) IS
    'grants a role everything of an access level: read, index, administer or audit; by who owns the extension, and again after its upgrade';
REVOKE ALL ON FUNCTION clair.grant_access(regrole, text) FROM PUBLIC;

CREATE FUNCTION clair.revoke_access(role regrole)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA clair FROM %s', role);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA clair FROM %s', role);
    EXECUTE format('REVOKE ALL ON SCHEMA clair FROM %s', role);
    INSERT INTO clair.audit (action, object) VALUES ('revoke_access', role);
END
$$;
COMMENT ON FUNCTION clair.revoke_access(regrole) IS
    'takes back all that was granted to a role of clair''s schema, tables and functions';
REVOKE ALL ON FUNCTION clair.revoke_access(regrole) FROM PUBLIC;
