/*
 * Local advisories: what users know themselves, row by row.
 *
 * The view is one whose rows can be inserted, updated and deleted. They take effect with the
 * statement: it is a run of the updater "local" of its own, whose records are the rows. No feed has
 * a part in them. The table's triggers leave rows alone that have a run: those of a dump.
 */
CREATE TABLE clair.own_advisory (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vulnerability text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    package text COLLATE "C" NOT NULL,
    fixed text,
    introduced text,
    last_affected text,
    severity clair.severity,
    status clair.status,
    kind clair.package_kind,
    advisory text,
    aliases text[],
    link text,
    description text,
    architectures text[],
    module text,
    flavour text,
    repositories text[],
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    run bigint,
    version bigint
);
CREATE INDEX own_advisory_run ON clair.own_advisory (run);
COMMENT ON TABLE clair.own_advisory IS 'local advisories, see the view clair.local_advisory';
COMMENT ON COLUMN clair.own_advisory.id IS 'number of the advisory';
COMMENT ON COLUMN clair.own_advisory.vulnerability IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.namespace IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.package IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.fixed IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.introduced IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.last_affected IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.severity IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.status IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.kind IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.advisory IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.aliases IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.link IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.description IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.architectures IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.module IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.flavour IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.repositories IS 'as in clair.advisory';
COMMENT ON COLUMN clair.own_advisory.set_by IS 'the role that added or changed it last';
COMMENT ON COLUMN clair.own_advisory.set_at IS 'when it did';
COMMENT ON COLUMN clair.own_advisory.run IS
    'the run in which it took effect as it is; null until the end of the statement';
COMMENT ON COLUMN clair.own_advisory.version IS
    'the version of its vulnerability that stands for it since then, see clair.vulnerability';

SELECT pg_catalog.pg_extension_config_dump('clair.own_advisory', '');
SELECT pg_catalog.pg_extension_config_dump('clair.own_advisory_id_seq', '');

CREATE VIEW clair.local_advisory AS
SELECT id, vulnerability, namespace, package, fixed, introduced, last_affected, severity, status, kind,
    advisory, aliases, link, description, architectures, module, flavour, repositories, set_by, set_at
FROM clair.own_advisory;
COMMENT ON VIEW clair.local_advisory IS
    'local advisories: takes INSERT, UPDATE and DELETE, which take effect at once; the columns between id and set_by are those of clair.advisory';
COMMENT ON COLUMN clair.local_advisory.id IS 'number of the advisory, given when it is added';
COMMENT ON COLUMN clair.local_advisory.set_by IS 'the role that added or changed it last';
COMMENT ON COLUMN clair.local_advisory.set_at IS 'when it did';

-- What a statement adds or changes is pending, until its end. It is the caller who runs this.
CREATE FUNCTION clair.set_own_advisory()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.run := NULL;
    NEW.set_by := current_user;
    NEW.set_at := now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION clair.set_own_advisory() IS
    'notes who adds or changes a row of clair.own_advisory';
REVOKE ALL ON FUNCTION clair.set_own_advisory() FROM PUBLIC;

CREATE TRIGGER insert_own_advisory
BEFORE INSERT ON clair.own_advisory
FOR EACH ROW WHEN (NEW.run IS NULL) EXECUTE FUNCTION clair.set_own_advisory();

CREATE TRIGGER update_own_advisory
BEFORE UPDATE ON clair.own_advisory
FOR EACH ROW WHEN (NEW.version IS NOT DISTINCT FROM OLD.version AND NEW.* IS DISTINCT FROM OLD.*)
EXECUTE FUNCTION clair.set_own_advisory();

CREATE FUNCTION clair.apply_own_advisories()
RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.apply_own_advisories() IS
    'lets what a statement changed of clair.own_advisory take effect, as a run';
REVOKE ALL ON FUNCTION clair.apply_own_advisories() FROM PUBLIC;

CREATE TRIGGER apply_changed
AFTER INSERT OR UPDATE ON clair.own_advisory
FOR EACH STATEMENT EXECUTE FUNCTION clair.apply_own_advisories();

CREATE TRIGGER apply_deleted
AFTER DELETE ON clair.own_advisory
REFERENCING OLD TABLE AS deleted
FOR EACH STATEMENT EXECUTE FUNCTION clair.apply_own_advisories();
