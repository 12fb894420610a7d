--
-- What the database "clair" needs, whether it is new or was here before: run by clair-server at each
-- start, before anybody else can connect. What an administrator has changed since stays changed.
--
\set ON_ERROR_STOP on
SET client_min_messages = 'warning';

-- A new image brings new versions.
CREATE EXTENSION IF NOT EXISTS clair;
ALTER EXTENSION clair UPDATE;
CREATE EXTENSION IF NOT EXISTS pg_cron;
ALTER EXTENSION pg_cron UPDATE;

-- One role for each set of privileges; who has a password may log in.
SELECT format('CREATE ROLE %I', 'clair_' || level)
FROM unnest(ARRAY['read', 'index', 'administer']) AS level
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'clair_' || level)
\gexec

SELECT clair.grant_access(('clair_' || level)::regrole, level)
FROM unnest(ARRAY['read', 'index', 'administer']) AS level
\g (tuples_only) /dev/null

-- Passwords are read here, and neither logged nor shown.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
\if :has_read
    \set password `cat "$CLAIR_SECRETS/clair_read"`
    ALTER ROLE clair_read LOGIN PASSWORD :'password';
\else
    ALTER ROLE clair_read NOLOGIN;
\endif
\if :has_index
    \set password `cat "$CLAIR_SECRETS/clair_index"`
    ALTER ROLE clair_index LOGIN PASSWORD :'password';
\else
    ALTER ROLE clair_index NOLOGIN;
\endif
\if :has_administer
    \set password `cat "$CLAIR_SECRETS/clair_administer"`
    ALTER ROLE clair_administer LOGIN PASSWORD :'password';
\else
    ALTER ROLE clair_administer NOLOGIN;
\endif
RESET log_statement;
RESET log_min_duration_statement;
RESET log_min_error_statement;

-- Feeds come from a mirror, where one is named.
\if :has_mirror
    SELECT * FROM clair.use_mirror(:'mirror') \g (tuples_only) /dev/null
\endif

-- Jobs run as a role that may do this and nothing else; it has no password, so nobody logs in as it.
SELECT 'CREATE ROLE clair_schedule LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'clair_schedule')
\gexec
SELECT clair.grant_access('clair_schedule', 'administer') \g (tuples_only) /dev/null
GRANT USAGE ON SCHEMA cron TO clair_schedule;

-- Unless jobs are there, or unwanted, all enabled updaters run on schedule, what nobody needs any more
-- goes at night, and webhooks are posted also when a crash came between.
SELECT :'schedule' <> '' AND NOT EXISTS (SELECT FROM cron.job WHERE jobname LIKE 'clair%') AS missing \gset
\if :missing
    SET ROLE clair_schedule;
    SELECT clair.schedule(NULL, :'schedule'), clair.schedule_clean_up('43 3 * * *'),
        cron.schedule('clair webhooks', '* * * * *', 'SELECT clair.deliver_webhooks(wait => false)')
    \g (tuples_only) /dev/null
    RESET ROLE;
\endif
