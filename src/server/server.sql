/*
 * What every room uses: the words for severity, status and kinds of packages.
 */
DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'clair needs a database with encoding UTF8, this one has %',
            pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                HINT = 'Create one with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$$;

CREATE TYPE clair.severity AS ENUM
    ('Unknown', 'Negligible', 'Low', 'Medium', 'High', 'Critical', 'Defcon1');
COMMENT ON TYPE clair.severity IS
    'how bad a vulnerability is, in Clair''s words and order';

CREATE TYPE clair.status AS ENUM
    ('affected', 'fixed', 'not_affected', 'under_investigation', 'will_not_fix', 'deferred',
     'end_of_life');
COMMENT ON TYPE clair.status IS
    'what a source says of a vulnerability in a package: affected, without a fix so far; fixed, from a version on; not_affected; under_investigation; and affected, but will_not_fix, fix deferred, or the release at its end_of_life';

CREATE TYPE clair.package_kind AS ENUM ('source', 'binary');
COMMENT ON TYPE clair.package_kind IS
    'whether a source names packages by their source package or as they are installed';
