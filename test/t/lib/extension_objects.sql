-- extension_objects.sql
--    Everything that the catalogs say of the extension clair, one line for each aspect of each object,
--    without what differs between two installations of the same: OIDs, files, statistics.
--
-- Asked by ExtensionObjects.pm. Rows of catalogs are shown whole, as JSON: what a later server adds to
-- them is compared as well. Columns that hold OIDs or trees are left out, and said by name or as text.
-- Columns of tables are numbered as they stand, dropped ones left out.
WITH extension AS MATERIALIZED (
    SELECT * FROM pg_catalog.pg_extension WHERE extname = 'clair'
),
member AS MATERIALIZED (
    SELECT
        d.classid,
        d.objid,
        i.type,
        i.identity
    FROM extension AS e
        JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
        CROSS JOIN pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS i
    WHERE d.deptype = 'e'
),
-- What belongs to a member without being one: indexes, tables of toast, row types, arrays, ...
part AS MATERIALIZED (
    SELECT DISTINCT d.classid, d.objid
    FROM member AS m
        JOIN pg_catalog.pg_depend AS d ON d.refclassid = m.classid AND d.refobjid = m.objid
    WHERE d.deptype IN ('a', 'i')
),
relation AS MATERIALIZED (
    SELECT c.*, c.oid::regclass::text AS name
    FROM pg_catalog.pg_class AS c
    WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
        OR c.relkind = 'c' AND c.reltype IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
),
-- Relations, and the indexes and toast of them.
file AS MATERIALIZED (
    SELECT c.*, c.oid::regclass::text AS name, NULL::text AS toast_of
    FROM pg_catalog.pg_class AS c
    WHERE c.oid IN (
        SELECT oid FROM relation
        UNION ALL
        SELECT i.indexrelid FROM pg_catalog.pg_index AS i JOIN relation AS r ON r.oid = i.indrelid)
    UNION ALL
    SELECT t.*, 'toast of ' || r.oid::regclass, r.oid::regclass::text
    FROM relation AS r
        JOIN pg_catalog.pg_class AS t ON t.oid = r.reltoastrelid
),
type AS MATERIALIZED (
    SELECT t.*, pg_catalog.format_type(t.oid, NULL) AS name
    FROM pg_catalog.pg_type AS t
    WHERE t.oid IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
        OR t.oid IN (SELECT objid FROM part WHERE classid = 'pg_type'::regclass)
        OR t.typelem IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
        OR t.typrelid IN (SELECT oid FROM relation)
),
acl AS (
    SELECT 'relation ' || c.oid::regclass AS object, c.relowner AS owner, 'acl' AS aspect,
        COALESCE(c.relacl, pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END,
            c.relowner)) AS acl
    FROM relation AS c
    UNION ALL
    SELECT 'relation ' || c.name, c.relowner, 'acl of column ' || a.attname, a.attacl
    FROM relation AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, p.proowner, 'acl',
        COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))
    FROM pg_catalog.pg_proc AS p
        JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
    UNION ALL
    SELECT 'type ' || t.name, t.typowner, 'acl', COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))
    FROM type AS t
    UNION ALL
    SELECT 'schema ' || n.nspname, n.nspowner, 'acl', COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
    FROM pg_catalog.pg_namespace AS n
        JOIN member AS m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
    UNION ALL
    SELECT 'initial privileges of ' || m.type || ' ' || m.identity, e.extowner,
        'of column ' || p.objsubid, p.initprivs
    FROM member AS m
        CROSS JOIN extension AS e
        JOIN pg_catalog.pg_init_privs AS p ON p.classoid = m.classid AND p.objoid = m.objid
),
line(object, aspect, value) AS (
    SELECT 'extension', 'row', (to_jsonb(e) - '{oid,extowner,extnamespace,extconfig,extcondition}'::text[]
        || jsonb_build_object('schema', e.extnamespace::regnamespace))::text
    FROM extension AS e
    UNION ALL
    SELECT 'extension', 'dumps ' || c.relation::regclass, COALESCE(c.condition, '')
    FROM extension AS e
        CROSS JOIN unnest(e.extconfig, e.extcondition) AS c(relation, condition)
    UNION ALL
    SELECT 'extension', 'has', m.type || ' ' || m.identity FROM member AS m
    UNION ALL
    SELECT 'extension', 'description', COALESCE(obj_description(e.oid, 'pg_extension'), '') FROM extension AS e
    -- who owns the extension owns all of it
    UNION ALL
    SELECT m.type || ' ' || m.identity, 'owner', 'another one'
    FROM member AS m
        CROSS JOIN extension AS e
        JOIN (
            SELECT 'pg_class'::regclass AS classid, oid AS objid, relowner AS owner FROM pg_catalog.pg_class
            UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_catalog.pg_proc
            UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_catalog.pg_type
            UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_catalog.pg_namespace
            UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_catalog.pg_operator
            UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_catalog.pg_opclass
            UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_catalog.pg_opfamily
        ) AS o USING (classid, objid)
    WHERE o.owner <> e.extowner
    UNION ALL
    SELECT a.object, a.aspect,
        CASE WHEN g.grantor = a.owner THEN 'owner' ELSE g.grantor::regrole::text END
        || ' to ' || CASE WHEN g.grantee = a.owner THEN 'owner' WHEN g.grantee = 0 THEN 'public'
            ELSE g.grantee::regrole::text END
        || ': ' || string_agg(g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END, ' '
            ORDER BY g.privilege_type)
    FROM acl AS a
        CROSS JOIN aclexplode(a.acl) AS g
    GROUP BY a.object, a.aspect, a.owner, g.grantor, g.grantee
    UNION ALL
    SELECT CASE d.classoid WHEN 'pg_class'::regclass THEN 'relation ' ELSE d.classoid::regclass || ' ' END
        || i.identity, 'description', d.description
    FROM pg_catalog.pg_description AS d
        CROSS JOIN pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
    WHERE (d.classoid, d.objoid) IN (
        SELECT classid, objid FROM member
        UNION SELECT classid, objid FROM part
        UNION SELECT 'pg_class'::regclass, oid FROM file)
    -- what depends on what, in whichever way
    UNION ALL
    SELECT 'dependencies of ' || pg_describe_object(d.classid, d.objid, d.objsubid), d.deptype::text,
        pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
    FROM pg_catalog.pg_depend AS d
    WHERE (d.classid, d.objid) IN (SELECT classid, objid FROM member UNION SELECT classid, objid FROM part)
        AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT reltoastrelid FROM relation))
        AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT reltoastrelid FROM relation))
    UNION ALL
    SELECT 'relation ' || f.name, 'row', (to_jsonb(f) - '{oid,name,toast_of,relname,relnamespace,reltype,reloftype,relowner,relam,relfilenode,reltablespace,relpages,reltuples,relallvisible,relallfrozen,reltoastrelid,relfrozenxid,relminmxid,relacl,relrewrite,relpartbound,relnatts,relrowsecurity}'::text[]
        || jsonb_build_object('toast', f.reltoastrelid <> 0, 'method', (SELECT amname FROM pg_catalog.pg_am WHERE oid = f.relam),
            'tablespace', (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = f.reltablespace),
            'of', f.reloftype::regtype, 'inherits', (SELECT array_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_catalog.pg_inherits WHERE inhrelid = f.oid),
            'partitions', pg_get_partkeydef(f.oid), 'bound', pg_get_expr(f.relpartbound, f.oid),
            -- by the policies for tenants it is on as long as there are some
            'relrowsecurity', f.relrowsecurity AND (f.relname = 'tenant' OR NOT EXISTS (
                SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = f.oid AND p.polname = 'tenants'))))::text
    FROM file AS f
    UNION ALL
    SELECT 'relation ' || f.name, 'column ' || row_number() OVER (PARTITION BY f.oid ORDER BY a.attnum),
        (to_jsonb(a) - '{attrelid,attnum,atttypid,attcollation,attacl,attcacheoff,atthasmissing,attmissingval,attoptions}'::text[]
        || jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
            -- pg_...: what some servers note there themselves
            'options', ARRAY(SELECT o FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_%' ORDER BY 1),
            'collation', (SELECT l.collnamespace::regnamespace || '.' || l.collname FROM pg_catalog.pg_collation AS l WHERE l.oid = a.attcollation),
            'default', pg_get_expr(d.adbin, d.adrelid)))::text
    FROM file AS f
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE f.relkind <> 't'
    UNION ALL
    SELECT 'relation ' || r.name, 'constraint ' || c.conname, pg_get_constraintdef(c.oid) || ' '
        || (to_jsonb(c) - '{oid,conname,connamespace,conrelid,contypid,conindid,conparentid,confrelid,conkey,confkey,conpfeqop,conppeqop,conffeqop,conexclop,confdelsetcols,conbin}'::text[])::text
    FROM relation AS r
        JOIN pg_catalog.pg_constraint AS c ON c.conrelid = r.oid
    UNION ALL
    SELECT 'type ' || t.name, 'constraint ' || c.conname, pg_get_constraintdef(c.oid)
    FROM type AS t
        JOIN pg_catalog.pg_constraint AS c ON c.contypid = t.oid
    UNION ALL
    SELECT 'relation ' || r.name, 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) || ' '
        || (to_jsonb(i) - '{indexrelid,indrelid,indkey,indcollation,indclass,indoption,indexprs,indpred,indcheckxmin}'::text[])::text
    FROM relation AS r
        JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid
    UNION ALL
    SELECT 'relation ' || r.name, 'trigger ' || t.tgname, t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
    FROM relation AS r
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'relation ' || r.name, 'rule ' || w.rulename, w.ev_enabled::text || ' ' || pg_get_ruledef(w.oid)
    FROM relation AS r
        JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = r.oid
    UNION ALL
    SELECT 'relation ' || r.name, 'policy ' || p.polname,
        (to_jsonb(p) - '{oid,polrelid,polroles,polqual,polwithcheck}'::text[]
        || jsonb_build_object('roles', (SELECT array_agg(CASE WHEN o = 0 THEN 'public' ELSE o::regrole::text END ORDER BY 1) FROM unnest(p.polroles) AS o),
            'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)))::text
    FROM relation AS r
        JOIN pg_catalog.pg_policy AS p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'relation ' || r.name, 'sequence', (to_jsonb(s) - '{seqrelid,seqtypid}'::text[]
        || jsonb_build_object('type', s.seqtypid::regtype))::text
    FROM relation AS r
        JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = r.oid
    UNION ALL
    SELECT 'relation ' || r.name, 'statistics ' || s.stxname, pg_get_statisticsobjdef(s.oid)
    FROM relation AS r
        JOIN pg_catalog.pg_statistic_ext AS s ON s.stxrelid = r.oid
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, 'definition',
        CASE WHEN p.prokind = 'a' THEN pg_get_function_result(p.oid) ELSE pg_get_functiondef(p.oid) END
        || (to_jsonb(p) - '{oid,pronamespace,proowner,prolang,provariadic,prosupport,prorettype,proargtypes,proallargtypes,proargdefaults,protrftypes,prosqlbody,proacl,prosrc}'::text[])::text
    FROM pg_catalog.pg_proc AS p
        JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
    UNION ALL
    SELECT 'function ' || a.aggfnoid::oid::regprocedure, 'aggregate', (to_jsonb(a) - '{aggfnoid,aggsortop,aggtranstype,aggmtranstype}'::text[]
        || jsonb_build_object('sort', a.aggsortop::regoperator, 'state', a.aggtranstype::regtype, 'moving', a.aggmtranstype::regtype))::text
    FROM pg_catalog.pg_aggregate AS a
        JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = a.aggfnoid::oid
    UNION ALL
    SELECT 'type ' || t.name, 'row', (to_jsonb(t) - '{oid,name,typname,typnamespace,typowner,typrelid,typelem,typarray,typbasetype,typcollation,typdefaultbin,typacl}'::text[]
        || jsonb_build_object('of', t.typrelid::regclass, 'element', t.typelem::regtype, 'array', t.typarray::regtype, 'base', t.typbasetype::regtype,
            'collation', t.typcollation::regcollation, 'default', pg_get_expr(t.typdefaultbin, 0)))::text
    FROM type AS t
    UNION ALL
    SELECT 'type ' || t.name, 'label ' || row_number() OVER (PARTITION BY t.oid ORDER BY e.enumsortorder), e.enumlabel
    FROM type AS t
        JOIN pg_catalog.pg_enum AS e ON e.enumtypid = t.oid
    UNION ALL
    SELECT 'type ' || t.name, 'range', (to_jsonb(r) - '{rngtypid,rngsubtype,rngmultitypid,rngcollation,rngsubopc}'::text[]
        || jsonb_build_object('of', r.rngsubtype::regtype, 'multirange', r.rngmultitypid::regtype, 'collation', r.rngcollation::regcollation,
            'class', (SELECT o.opcnamespace::regnamespace || '.' || o.opcname FROM pg_catalog.pg_opclass AS o WHERE o.oid = r.rngsubopc)))::text
    FROM type AS t
        JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
    UNION ALL
    SELECT 'operator ' || o.oid::regoperator, 'row', (to_jsonb(o) - '{oid,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate}'::text[]
        || jsonb_build_object('result', o.oprresult::regtype, 'commutator', o.oprcom::regoperator, 'negator', o.oprnegate::regoperator))::text
    FROM pg_catalog.pg_operator AS o
        JOIN member AS m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
    UNION ALL
    SELECT m.type || ' ' || m.identity, 'row', (to_jsonb(o) - '{oid,opcmethod,opcnamespace,opcowner,opcfamily,opcintype,opckeytype}'::text[]
        || jsonb_build_object('of', o.opcintype::regtype, 'key', o.opckeytype::regtype,
            'family', (SELECT f.opfnamespace::regnamespace || '.' || f.opfname FROM pg_catalog.pg_opfamily AS f WHERE f.oid = o.opcfamily)))::text
    FROM pg_catalog.pg_opclass AS o
        JOIN member AS m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid
    UNION ALL
    SELECT m.type || ' ' || m.identity, pg_describe_object('pg_amop'::regclass, a.oid, 0), a.amopstrategy::text
    FROM member AS m
        JOIN pg_catalog.pg_amop AS a ON a.amopfamily = m.objid
    WHERE m.classid = 'pg_opfamily'::regclass
    UNION ALL
    SELECT m.type || ' ' || m.identity, pg_describe_object('pg_amproc'::regclass, a.oid, 0), a.amprocnum::text
    FROM member AS m
        JOIN pg_catalog.pg_amproc AS a ON a.amprocfamily = m.objid
    WHERE m.classid = 'pg_opfamily'::regclass
    UNION ALL
    SELECT m.type || ' ' || m.identity, 'row', (to_jsonb(c) - '{oid,castsource,casttarget,castfunc}'::text[]
        || jsonb_build_object('function', c.castfunc::regprocedure))::text
    FROM pg_catalog.pg_cast AS c
        JOIN member AS m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
    -- kinds of objects that the extension has none of so far, and of which only is said that they are there
    UNION ALL
    SELECT m.type || ' ' || m.identity, 'is not compared', ''
    FROM member AS m
    WHERE m.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_namespace'::regclass,
        'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_cast'::regclass)
)
SELECT object || ' | ' || aspect || ' | ' || replace(replace(value, E'\\', E'\\\\'), E'\n', '\n')
FROM line;
