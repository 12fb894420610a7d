/*
 * Making tenants, and turning row security on and off with them; see index/tenant.sql.
 *
 * pg_dump does not tell whether row security is on for the tables of an extension. So a trigger on
 * clair.tenant, whose rows are dumped, turns it on again when they are restored.
 */
CREATE FUNCTION clair.enforce_tenants()
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted boolean := EXISTS (SELECT FROM clair.tenant);
    found record;
BEGIN
    IF wanted AND current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'tenants need PostgreSQL 15 or newer'
            USING ERRCODE = 'feature_not_supported',
                DETAIL = 'Before that, views read with the rights of their owner.';
    END IF;
    FOR found IN SELECT c.oid::regclass AS name
        FROM pg_class AS c
            JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'tenants'
        WHERE c.relnamespace = 'clair'::regnamespace
            AND c.relname <> 'tenant'
            AND c.relrowsecurity <> wanted
        ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY', found.name,
            CASE WHEN wanted THEN 'ENABLE' ELSE 'DISABLE' END);
    END LOOP;
    IF wanted THEN
        UPDATE clair.notification SET images = NULL WHERE images IS NOT NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION clair.enforce_tenants() IS
    'turns row security on or off, as clair.tenant asks for; called when that changes, and at the end of scripts that upgrade the extension';
REVOKE ALL ON FUNCTION clair.enforce_tenants() FROM PUBLIC;

CREATE FUNCTION clair.tenants_changed()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM clair.enforce_tenants();
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION clair.tenants_changed() IS 'calls clair.enforce_tenants()';
REVOKE ALL ON FUNCTION clair.tenants_changed() FROM PUBLIC;

CREATE TRIGGER tenants_changed AFTER INSERT OR DELETE OR TRUNCATE ON clair.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION clair.tenants_changed();
-- Also when a dump is restored with session_replication_role = replica.
ALTER TABLE clair.tenant ENABLE ALWAYS TRIGGER tenants_changed;
COMMENT ON TRIGGER tenants_changed ON clair.tenant IS 'row security follows the table';

CREATE FUNCTION clair.add_tenant(role regrole, prefix text)
RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO clair.tenant (role, prefix)
    SELECT r.rolname, add_tenant.prefix FROM pg_roles AS r WHERE r.oid = add_tenant.role
    ON CONFLICT DO NOTHING;
    INSERT INTO clair.audit (action, object, detail)
    VALUES ('add_tenant', add_tenant.role, jsonb_build_object('prefix', add_tenant.prefix));
END
$$;
COMMENT ON FUNCTION clair.add_tenant(regrole, text) IS
    'lets a role see and index the images whose names begin so, or, if that is empty, all; from the first call on, nobody sees others. By who owns the extension';
REVOKE ALL ON FUNCTION clair.add_tenant(regrole, text) FROM PUBLIC;

CREATE FUNCTION clair.drop_tenant(role regrole, prefix text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM clair.tenant AS t
    WHERE t.role = (SELECT r.rolname FROM pg_roles AS r WHERE r.oid = drop_tenant.role)
        AND COALESCE(t.prefix = drop_tenant.prefix, true);
    IF NOT EXISTS (SELECT FROM clair.tenant) THEN
        RAISE EXCEPTION 'role "%" is the last tenant', drop_tenant.role
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Without tenants, everybody sees all images: DELETE FROM clair.tenant says that you mean it.';
    END IF;
    INSERT INTO clair.audit (action, object, detail)
    VALUES ('drop_tenant', drop_tenant.role,
        jsonb_strip_nulls(jsonb_build_object('prefix', drop_tenant.prefix)));
END
$$;
COMMENT ON FUNCTION clair.drop_tenant(regrole, text) IS
    'takes back what clair.add_tenant() said, of one beginning or of all';
REVOKE ALL ON FUNCTION clair.drop_tenant(regrole, text) FROM PUBLIC;
