/*
 * Tenants: roles that see only the images whose names begin as theirs do.
 *
 * clair.tenant says which role has which beginnings of names; a role that has the empty one sees
 * everything. As soon as it has a row, row security is in force on every table that tells of images,
 * by the policies named "tenants" that lie with these tables. An image is seen by whom one of its names
 * is, and what images share (layers, package databases, features) by who sees one of these images. As
 * long as it has no row, row security is off, and nothing of this costs anything.
 *
 * Row security does not bind superusers and the owner of the extension, nor its functions once they have
 * become that: functions that write ask clair.tenant_prefixes() themselves. Who turns it on is
 * report/tenant.sql.
 */
CREATE TABLE clair.tenant (
    role text COLLATE "C" NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    PRIMARY KEY (role, prefix)
);
ALTER TABLE clair.tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON clair.tenant FOR SELECT USING (
    EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS r
        WHERE r.rolname = tenant.role AND pg_catalog.pg_has_role(r.oid, 'USAGE')
    )
);
COMMENT ON TABLE clair.tenant IS
    'which images roles see, and may index, by the beginning of their names; everybody sees all of them as long as there is no row. Who reads it sees what is said of roles that he is a member of';
COMMENT ON COLUMN clair.tenant.role IS 'the role; its members are it, too';
COMMENT ON COLUMN clair.tenant.prefix IS 'what names begin with; empty: all images, whatever their names';
COMMENT ON POLICY tenants ON clair.tenant IS 'members see what is said of their roles';

SELECT pg_catalog.pg_extension_config_dump('clair.tenant', '');

CREATE FUNCTION clair.tenant_prefixes(role text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM clair.tenant)
            OR EXISTS (
                SELECT
                FROM pg_catalog.pg_roles AS r
                    CROSS JOIN pg_catalog.pg_extension AS e
                WHERE r.rolname = tenant_prefixes.role
                    AND e.extname = 'clair'
                    AND (r.rolsuper OR r.rolbypassrls
                        OR pg_catalog.pg_has_role(r.oid, e.extowner, 'USAGE'))
            )
            OR '' = ANY (own.prefixes) THEN NULL
        ELSE own.prefixes
    END
    FROM (
        SELECT ARRAY(
            SELECT t.prefix::text
            FROM clair.tenant AS t
                JOIN pg_catalog.pg_roles AS owner ON owner.rolname = t.role
                JOIN pg_catalog.pg_roles AS member ON member.rolname = tenant_prefixes.role
            WHERE pg_catalog.pg_has_role(member.oid, owner.oid, 'USAGE')
            ORDER BY t.prefix
        ) AS prefixes
    ) AS own;
END;
COMMENT ON FUNCTION clair.tenant_prefixes(text) IS
    'what the names begin with of the images that a role may see, for functions that are not bound by row security; null: it may see all';
REVOKE ALL ON FUNCTION clair.tenant_prefixes(text) FROM PUBLIC;

CREATE FUNCTION clair.own_prefixes()
RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(SELECT t.prefix FROM clair.tenant AS t);
END
$$;
COMMENT ON FUNCTION clair.own_prefixes() IS
    'what the names begin with of the images that the current role may see; policies ask for it, once a query';
REVOKE ALL ON FUNCTION clair.own_prefixes() FROM PUBLIC;

/*
 * The policies. What is asked once is a sub-select of its own: may everything be seen? What is asked
 * row by row goes from the row to its images by an index. Each is a sub-select with one row and no
 * EXISTS, which is planned in two ways, and so, as policies ask for what has policies, in many.
 */
CREATE POLICY tenants ON clair.image_name FOR SELECT USING (
    name OPERATOR(pg_catalog.^@) ANY ((SELECT clair.own_prefixes())::text[])
);
CREATE POLICY tenants ON clair.image FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_name AS n WHERE n.image_id = image.id LIMIT 1)
);
CREATE POLICY tenants ON clair.image_layer FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_name AS n WHERE n.image_id = image_layer.image_id LIMIT 1)
);
CREATE POLICY tenants ON clair.image_database FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_name AS n WHERE n.image_id = image_database.image_id LIMIT 1)
);
CREATE POLICY tenants ON clair.image_problem FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_name AS n WHERE n.image_id = image_problem.image_id LIMIT 1)
);
CREATE POLICY tenants ON clair.manifest FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_name AS n WHERE n.image_id = manifest.image_id LIMIT 1)
);
CREATE POLICY tenants ON clair.image_namespace FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image AS i WHERE i.digest = image_namespace.digest LIMIT 1)
);
CREATE POLICY tenants ON clair.layer FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_layer AS l WHERE l.layer = layer.digest LIMIT 1)
);
CREATE POLICY tenants ON clair.layer_blob FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_layer AS l WHERE l.layer = layer_blob.layer LIMIT 1)
);
CREATE POLICY tenants ON clair.layer_entry FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_layer AS l WHERE l.layer = layer_entry.layer LIMIT 1)
);
CREATE POLICY tenants ON clair.layer_fact FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_layer AS l WHERE l.layer = layer_fact.layer LIMIT 1)
);
CREATE POLICY tenants ON clair.layer_problem FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_layer AS l WHERE l.layer = layer_problem.layer LIMIT 1)
);
CREATE POLICY tenants ON clair.package_database FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_database AS d WHERE d.database_id = package_database.id LIMIT 1)
);
CREATE POLICY tenants ON clair.feature FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_database AS d WHERE d.database_id = feature.database_id LIMIT 1)
);
CREATE POLICY tenants ON clair.repository_set FOR SELECT USING (
    (SELECT '' = ANY (clair.own_prefixes()))
    OR (SELECT true FROM clair.image_database AS d WHERE d.repository_set = repository_set.id LIMIT 1)
);
COMMENT ON POLICY tenants ON clair.image_name IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.image IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.image_layer IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.image_database IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.image_problem IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.manifest IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.image_namespace IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.layer IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.layer_blob IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.layer_entry IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.layer_fact IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.layer_problem IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.package_database IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.feature IS 'see clair.tenant';
COMMENT ON POLICY tenants ON clair.repository_set IS 'see clair.tenant';
