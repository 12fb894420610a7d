/*
 * schema.sql
 *    The schema that everything of the extension lies in, and only that.
 *
 * Created here, and not by the control file's "schema": so it is the extension's own and goes with
 * it, and CREATE EXTENSION refuses a schema that somebody else has prepared. Upgrade scripts begin
 * with the same search_path.
 */
CREATE SCHEMA clair;
COMMENT ON SCHEMA clair IS 'finds known vulnerabilities in container images';

SET LOCAL search_path = clair, pg_temp;
