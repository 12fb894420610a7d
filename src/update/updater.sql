/*
 * Updaters: which there are, how they are set, run and scheduled, and how they fare.
 */
INSERT INTO clair.builtin_updater
    (name, title, url, document, namespaces, hosts, enabled, stale_after, resolves,
     by_repository, revision)
VALUES
    ('almalinux', 'AlmaLinux errata', 'https://errata.almalinux.org/9/errata.full.json', 'errata',
     '{almalinux:%}', '{}', true, '2 days', true, false, 1),
    ('alpine', 'Alpine security database', 'https://secdb.alpinelinux.org/', 'index',
     '{alpine:%}', '{gitlab.alpinelinux.org}', true, '2 days', false, false, 1),
    ('azure', 'Azure Linux and CBL-Mariner OVAL',
     'https://api.github.com/repos/microsoft/AzureLinuxVulnerabilityData/contents', 'index',
     '{azurelinux:%,mariner:%}', '{raw.githubusercontent.com}', true, '2 days', true, false, 1),
    ('amazon', 'Amazon Linux 2, with its extras, 2022 and 2023',
     'https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list', 'index',
     '{amzn:%}', '{}', true, '2 days', true, false, 1),
    ('amazon-1', 'Amazon Linux 1, without HTTPS',
     'http://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list', 'index',
     '{amzn:2018.03}', '{packages.us-west-2.amazonaws.com}', false, '2 days', true, false, 1),
    ('chainguard', 'Chainguard security database',
     'https://packages.cgr.dev/chainguard/security.json', 'secdb', '{chainguard:%}', '{}', true,
     '2 days', false, false, 1),
    ('chainguard-osv', 'Chainguard OSV, in place of chainguard and wolfi',
     'https://advisories.cgr.dev/chainguard/v3/osv/chainguard-osv.tar.gz', 'osv',
     '{chainguard:%,wolfi:%}', '{}', false, '2 days', true, false, 1),
    ('cve_list', 'CVE List, with the scores of who assigned and who enriched CVEs',
     'https://api.github.com/repos/CVEProject/cvelistV5/releases?per_page=40', 'index', '{}',
     '{github.com,objects.githubusercontent.com,release-assets.githubusercontent.com}', false,
     '2 days', false, false, 1),
    ('debian', 'Debian security tracker', 'https://security-tracker.debian.org/tracker/data/json',
     'json', '{debian:%}', '{}', true, '2 days', false, false, 1),
    ('epss', 'Exploit Prediction Scoring System, FIRST',
     'https://epss.empiricalsecurity.com/epss_scores-current.csv.gz', 'csv', '{}', '{}', true, '2 days',
     false, false, 1),
    ('fedora', 'Fedora Linux updates',
     'https://dl.fedoraproject.org/pub/fedora/linux/updates/', 'index', '{fedora:%}', '{}', true,
     '2 days', true, false, 1),
    ('redhat', 'Red Hat CSAF VEX',
     'https://security.access.redhat.com/data/csaf/v2/vex-feed/archive_latest.txt', 'latest',
     '{rhel:%}', '{}', true, '2 days', false, true, 1),
    ('kev', 'Known exploited vulnerabilities, CISA',
     'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json', 'json',
     '{}', '{}', true, '2 days', false, false, 1),
    ('nvd', 'National Vulnerability Database, NIST',
     'https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-modified.meta', 'index', '{}', '{}', true,
     '2 days', false, false, 1),
    ('oracle', 'Oracle Linux security data', 'https://linux.oracle.com/security/oval/', 'index',
     '{oracle:%}', '{}', true, '2 days', true, false, 1),
    ('photon', 'Photon OS OVAL', 'https://packages.broadcom.com/photon/photon_oval_definitions/',
     'index', '{photon:%}', '{}', true, '2 days', true, false, 1),
    ('photon-metadata', 'Photon OS CVE metadata, in place of photon',
     'https://packages.broadcom.com/photon/photon_cve_metadata/photon_versions.json', 'index',
     '{photon:%}', '{}', false, '2 days', true, false, 1),
    ('redhat-oval', 'Red Hat OVAL, superseded',
     'https://www.redhat.com/security/data/oval/v2/PULP_MANIFEST', 'index', '{rhel:%}', '{}',
     false, '2 days', true, true, 1),
    ('rocky', 'Rocky Linux errata',
     'https://apollo.build.resf.org/api/v3/advisories/?size=100&page=1', 'errata', '{rocky:%}', '{}',
     true, '2 days', true, false, 1),
    ('suse', 'SUSE OVAL', 'https://ftp.suse.com/pub/projects/security/oval/', 'index',
     '{leap-micro:%,opensuse-leap:%,opensuse-tumbleweed:%,sl-micro:%,sle-micro:%,sles:%}', '{}', true,
     '2 days', true, false, 1),
    ('suse-csaf', 'SUSE CSAF VEX, in place of suse',
     'https://ftp.suse.com/pub/projects/security/csaf-vex/changes.csv', 'changes',
     '{leap-micro:%,opensuse-leap:%,opensuse-tumbleweed:%,sl-micro:%,sle-micro:%,sles:%}', '{}', false,
     '2 days', false, false, 1),
    ('ubuntu-oval', 'Ubuntu OVAL, in place of ubuntu',
     'https://security-metadata.canonical.com/oval/', 'index', '{ubuntu:%}', '{}', false,
     '2 days', false, false, 1),
    ('ubuntu', 'Ubuntu security data',
     'https://security-metadata.canonical.com/osv/osv-all.tar.xz', 'osv', '{ubuntu:%}', '{}', true,
     '2 days', true, false, 1),
    ('ubuntu-tracker', 'Ubuntu CVE tracker',
     'https://git.launchpad.net/ubuntu-cve-tracker/snapshot/master.tar.gz', 'tracker', '{ubuntu:%}',
     '{}', false, '2 days', false, false, 1),
    ('wolfi', 'Wolfi security database', 'https://packages.wolfi.dev/os/security.json', 'secdb',
     '{wolfi:%}', '{}', true, '2 days', false, false, 1);

-- Those that do not begin with a folder have the same file in a mirror, or an archive of all.
UPDATE clair.builtin_updater
SET mirror = CASE name
        WHEN 'suse-csaf' THEN 'csaf-vex.tar.bz2'
        ELSE pg_catalog.regexp_replace(url, '^.*/', '')
    END
WHERE name IN ('chainguard', 'chainguard-osv', 'debian', 'epss', 'kev', 'nvd', 'photon-metadata',
    'redhat', 'redhat-oval', 'suse-csaf', 'ubuntu', 'ubuntu-tracker', 'wolfi');

UPDATE clair.builtin_updater SET unfixed_counts = true WHERE name = 'chainguard-osv';

-- Autovacuum leaves so few rows alone, and a planner that takes them for hundreds thinks views of
-- them expensive enough to be compiled.
ANALYZE clair.builtin_updater;

/*
 * The view in which updaters are read and set.
 */
CREATE VIEW clair.updater AS
SELECT name, title, format, namespaces, url, function, enabled, options
FROM clair.updater_definition;
COMMENT ON VIEW clair.updater IS
    'the updaters; an UPDATE sets url, enabled and options, and null sets them back to what the extension, or clair.create_updater(), brought';
COMMENT ON COLUMN clair.updater.name IS 'name of the updater';
COMMENT ON COLUMN clair.updater.title IS 'what it tracks';
COMMENT ON COLUMN clair.updater.format IS
    'of an updater of the user''s own: its format, see clair.updater_format, or sql, a function; null: the extension brings it';
COMMENT ON COLUMN clair.updater.namespaces IS 'LIKE patterns of the namespaces that it covers';
COMMENT ON COLUMN clair.updater.url IS
    'where its first document is: https:, http: or file:, of a file or of a directory in place of a remote index';
COMMENT ON COLUMN clair.updater.function IS 'the function that it is';
COMMENT ON COLUMN clair.updater.enabled IS 'whether clair.update() without a name runs it';
COMMENT ON COLUMN clair.updater.options IS 'see clair.updater_option';

CREATE FUNCTION clair.set_updater()
RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'set_updater';
COMMENT ON FUNCTION clair.set_updater() IS
    'stores what an UPDATE of clair.updater changes, and refuses anything else';
REVOKE ALL ON FUNCTION clair.set_updater() FROM PUBLIC;

CREATE TRIGGER set_updater
INSTEAD OF INSERT OR UPDATE OR DELETE ON clair.updater
FOR EACH ROW EXECUTE FUNCTION clair.set_updater();

CREATE FUNCTION clair.use_mirror(root text)
RETURNS TABLE (updater text, url text)
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE clair.updater AS u
    SET url = pg_catalog.rtrim(root, '/') || '/' || b.name || '/' || b.mirror
    FROM clair.builtin_updater AS b
    WHERE b.name = u.name AND u.format IS NULL;
    SELECT u.name, u.url
    FROM clair.updater AS u
        JOIN clair.builtin_updater AS b ON b.name = u.name AND u.format IS NULL
    ORDER BY u.name;
END;
COMMENT ON FUNCTION clair.use_mirror(text) IS
    'lets all updaters that the extension brings read from a mirror, whose folders are named after them; null: from their sources; returns where each reads from now on';
REVOKE ALL ON FUNCTION clair.use_mirror(text) FROM PUBLIC;

/*
 * How they fare. The constant is UPDATER_LOCK of update/worker.h: while an updater runs, its
 * worker holds that advisory lock.
 */
CREATE VIEW clair.update_status AS
SELECT
    u.name AS updater,
    u.enabled,
    CASE
        WHEN COALESCE(last.state, 'dropped') = 'dropped' THEN 'never run'
        WHEN last.state = 'running' AND NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_locks AS l
                JOIN pg_catalog.pg_database AS d ON d.oid = l.database
            WHERE l.locktype = 'advisory'
                AND d.datname = pg_catalog.current_database()
                AND l.classid = 1668047221::oid
                AND l.objid = pg_catalog.hashtext(u.name)::oid
                AND l.objsubid = 2
                AND l.pid = last.process
                AND l.granted
        ) THEN 'failed'
        ELSE last.state
    END AS state,
    last.phase,
    success.finished_at AS last_success,
    pg_catalog.now() - success.finished_at AS age,
    u.stale_after,
    COALESCE(success.finished_at >= pg_catalog.now() - u.stale_after, false) AS fresh,
    last.id AS last_run,
    last.started_at,
    last.finished_at,
    last.documents,
    last.bytes,
    last.records,
    last.broken,
    failure.error AS last_error
FROM clair.updater_definition AS u
    LEFT JOIN LATERAL (
        SELECT r.id, r.state, r.phase, r.process, r.started_at, r.finished_at, r.documents, r.bytes,
            r.records, r.broken
        FROM clair.update_run AS r
        WHERE r.updater = u.name
        ORDER BY r.id DESC
        LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT r.id,
            CASE WHEN r.state <> 'dropped' THEN COALESCE(r.as_of, r.finished_at) END AS finished_at
        FROM clair.update_run AS r
        WHERE r.updater = u.name AND r.state IN ('succeeded', 'unchanged', 'dropped')
        ORDER BY r.id DESC
        LIMIT 1
    ) AS success ON true
    LEFT JOIN LATERAL (
        SELECT r.error
        FROM clair.update_run AS r
        WHERE r.updater = u.name
            AND r.state IN ('failed', 'cancelled')
            AND r.id > COALESCE(success.id, 0)
        ORDER BY r.id DESC
        LIMIT 1
    ) AS failure ON true;
COMMENT ON VIEW clair.update_status IS 'how updaters fare';
COMMENT ON COLUMN clair.update_status.updater IS 'the updater';
COMMENT ON COLUMN clair.update_status.enabled IS 'whether clair.update() without a name runs it';
COMMENT ON COLUMN clair.update_status.state IS
    'state of its last run: running; succeeded: something changed; unchanged; failed; cancelled; or never run';
COMMENT ON COLUMN clair.update_status.phase IS 'what the last run does, or did last';
COMMENT ON COLUMN clair.update_status.last_success IS 'when it last succeeded, changed or not';
COMMENT ON COLUMN clair.update_status.age IS 'how long ago that was';
COMMENT ON COLUMN clair.update_status.stale_after IS 'age from which on what it says is stale';
COMMENT ON COLUMN clair.update_status.fresh IS 'whether what it says is younger than that';
COMMENT ON COLUMN clair.update_status.last_run IS 'number of the last run, see clair.update_run';
COMMENT ON COLUMN clair.update_status.started_at IS 'when the last run started';
COMMENT ON COLUMN clair.update_status.finished_at IS 'when the last run ended';
COMMENT ON COLUMN clair.update_status.documents IS 'documents that the last run fetched whole so far';
COMMENT ON COLUMN clair.update_status.bytes IS 'bytes that the last run fetched so far';
COMMENT ON COLUMN clair.update_status.records IS 'records that the last run read so far';
COMMENT ON COLUMN clair.update_status.broken IS 'records and items that the last run had to skip';
COMMENT ON COLUMN clair.update_status.last_error IS
    'why the last run failed; null when a later one succeeded';

/*
 * Running them.
 */
CREATE TYPE clair.update_result AS (
    updater text,
    run bigint,
    state text,
    records bigint,
    unchanged bigint,
    broken bigint,
    added bigint,
    changed bigint,
    withdrawn bigint,
    bytes bigint,
    seconds double precision
);
COMMENT ON TYPE clair.update_result IS 'what a call of clair.update() did of one updater';
REVOKE ALL ON TYPE clair.update_result FROM PUBLIC;

CREATE FUNCTION clair.update(updater text DEFAULT NULL, wait boolean DEFAULT true)
RETURNS SETOF clair.update_result
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'update_updaters';
COMMENT ON FUNCTION clair.update(text, boolean) IS
    'runs an updater, or all that are enabled, in background workers, and waits for them; a run that fails gives a row of that state and a warning; without waiting, the state is started';
REVOKE ALL ON FUNCTION clair.update(text, boolean) FROM PUBLIC;

/*
 * What they brought and ended long ago.
 */
CREATE FUNCTION clair.forget_history(older_than interval)
RETURNS TABLE (vulnerabilities bigint, ranges bigint, runs bigint)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.forget_history(interval) IS
    'deletes the versions of vulnerabilities, and their affected ranges, that runs ended so long ago, and such runs of which nothing is left; returns how many';
REVOKE ALL ON FUNCTION clair.forget_history(interval) FROM PUBLIC;

/*
 * Scheduling them, with pg_cron. Its functions are looked up when called: the extension may
 * be missing, or come later. They run as the caller, whose jobs they are; who schedules also
 * needs to read clair.updater.
 */
CREATE FUNCTION clair.schedule_command(job text, schedule text, command text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- not everybody may see it
    home text := (SELECT s.setting FROM pg_settings AS s WHERE s.name = 'cron.database_name');
    id bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO id USING job, schedule, command;
        RETURN id;
    ELSIF home <> current_database() THEN
        RAISE EXCEPTION 'pg_cron is not in this database but in "%"', home
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = format('There, run: SELECT cron.schedule_in_database(%L, %L, %L, %L);', job,
                    schedule, command, current_database());
    END IF;
    RAISE EXCEPTION 'pg_cron is not installed in this database'
        USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Install it, or let another scheduler run: %s;', command);
END
$$;
COMMENT ON FUNCTION clair.schedule_command(text, text, text) IS
    'lets pg_cron run a command, under the name of a job, at the times that a crontab''s five fields say; the number of the job';
REVOKE ALL ON FUNCTION clair.schedule_command(text, text, text) FROM PUBLIC;

CREATE FUNCTION clair.schedule(updater text, schedule text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF updater IS NOT NULL AND NOT EXISTS (SELECT FROM clair.updater AS u WHERE u.name = updater) THEN
        RAISE EXCEPTION 'updater "%" does not exist', updater USING ERRCODE = 'undefined_object';
    END IF;
    RETURN clair.schedule_command(
        concat_ws(' ', 'clair', updater),
        schedule,
        CASE
            WHEN updater IS NULL THEN 'SELECT clair.update(wait => false)'
            ELSE format('SELECT clair.update(%L, wait => false)', updater)
        END);
END
$$;
COMMENT ON FUNCTION clair.schedule(text, text) IS
    'lets pg_cron run an updater, or, given null, all that are enabled, at the times that a crontab''s five fields say; the number of the job';
REVOKE ALL ON FUNCTION clair.schedule(text, text) FROM PUBLIC;

CREATE FUNCTION clair.unschedule(updater text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    done boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        RAISE EXCEPTION 'pg_cron is not installed in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Without it, nothing is scheduled here.';
    END IF;
    EXECUTE 'SELECT cron.unschedule($1::text)' INTO done USING concat_ws(' ', 'clair', updater);
    RETURN done;
END
$$;
COMMENT ON FUNCTION clair.unschedule(text) IS 'undoes what clair.schedule() did for the same updater';
REVOKE ALL ON FUNCTION clair.unschedule(text) FROM PUBLIC;
