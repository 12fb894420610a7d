/*
 * Updaters, their runs, and what they brought: vulnerabilities and affected ranges.
 *
 * History, not overwriting: a vulnerability row is one version of what one record of a feed
 * says; it carries the run that brought it and the run that ended it, and its affected ranges
 * end with it. What is current has no end.
 */
CREATE TABLE clair.builtin_updater (
    name text COLLATE "C" PRIMARY KEY CHECK (pg_catalog.octet_length(name) < 64),
    title text NOT NULL,
    url text NOT NULL,
    document text NOT NULL,
    namespaces text[] NOT NULL,
    hosts text[] NOT NULL,
    enabled boolean NOT NULL,
    stale_after interval NOT NULL,
    resolves boolean NOT NULL,
    unfixed_counts boolean NOT NULL DEFAULT false,
    by_repository boolean NOT NULL,
    revision integer NOT NULL,
    mirror text NOT NULL DEFAULT ''
);
COMMENT ON TABLE clair.builtin_updater IS 'the updaters that the extension brings';
COMMENT ON COLUMN clair.builtin_updater.name IS 'name of the updater';
COMMENT ON COLUMN clair.builtin_updater.title IS 'what it tracks';
COMMENT ON COLUMN clair.builtin_updater.url IS 'where its first document is';
COMMENT ON COLUMN clair.builtin_updater.document IS 'name of its first document';
COMMENT ON COLUMN clair.builtin_updater.namespaces IS
    'LIKE patterns of the namespaces that it covers; empty: it speaks of CVEs, not of packages';
COMMENT ON COLUMN clair.builtin_updater.hosts IS
    'hosts, besides the first document''s, that further documents and redirects may name';
COMMENT ON COLUMN clair.builtin_updater.enabled IS 'whether clair.update() without a name runs it';
COMMENT ON COLUMN clair.builtin_updater.stale_after IS
    'age of the last success from which on what it says is stale';
COMMENT ON COLUMN clair.builtin_updater.resolves IS
    'whether several of its records may speak of the same vulnerability of a package: what each contributes is then worked out when they are stored';
COMMENT ON COLUMN clair.builtin_updater.unfixed_counts IS
    'whether of these a record without a fix comes before those with one, rather than behind them: each is about another component of the package';
COMMENT ON COLUMN clair.builtin_updater.by_repository IS
    'whether what it says of a package is for the packages of certain repositories';
COMMENT ON COLUMN clair.builtin_updater.revision IS
    'number of the way in which its documents are read: when that changes, all are read again';
COMMENT ON COLUMN clair.builtin_updater.mirror IS
    'its first document in a mirror, see clair.use_mirror(); empty: the folder itself, which is listed';

CREATE TABLE clair.updater_state (
    updater text COLLATE "C" PRIMARY KEY,
    run bigint NOT NULL,
    url text NOT NULL,
    revision bigint NOT NULL,
    state text,
    forgotten bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE clair.updater_state IS 'how far updaters have come';
COMMENT ON COLUMN clair.updater_state.updater IS 'the updater';
COMMENT ON COLUMN clair.updater_state.run IS 'its last run that read a document';
COMMENT ON COLUMN clair.updater_state.url IS 'where the first document was then';
COMMENT ON COLUMN clair.updater_state.revision IS
    'the way in which its documents were read then: the updater''s revision, and options of its format';
COMMENT ON COLUMN clair.updater_state.state IS
    'what the next run goes on from, in the updater''s own words, if it reads changes only';
COMMENT ON COLUMN clair.updater_state.forgotten IS
    'the run up to which clair.forget_history() has deleted what runs ended';

CREATE TABLE clair.updater_setting (
    name text COLLATE "C" PRIMARY KEY,
    url text,
    enabled boolean,
    options jsonb,
    namespaces text[],
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.updater_setting IS
    'what was changed of updaters through the view clair.updater; null leaves it as it was';
COMMENT ON COLUMN clair.updater_setting.name IS 'name of the updater';
COMMENT ON COLUMN clair.updater_setting.url IS 'where its first document is';
COMMENT ON COLUMN clair.updater_setting.enabled IS 'whether clair.update() without a name runs it';
COMMENT ON COLUMN clair.updater_setting.options IS 'options, see the view clair.updater';
COMMENT ON COLUMN clair.updater_setting.namespaces IS
    'LIKE patterns of the namespaces that it covers with these options';
COMMENT ON COLUMN clair.updater_setting.set_by IS
    'the role that set the url: files are read with its rights';
COMMENT ON COLUMN clair.updater_setting.set_at IS 'when';

CREATE TABLE clair.update_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    updater text COLLATE "C" NOT NULL,
    request bigint NOT NULL,
    requested_by text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('running', 'succeeded', 'unchanged', 'failed', 'cancelled', 'dropped')),
    phase text NOT NULL,
    first boolean NOT NULL,
    process integer,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    as_of timestamptz,
    documents bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    records bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    broken bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    withdrawn bigint NOT NULL DEFAULT 0,
    error text,
    error_detail text,
    error_hint text
);
CREATE INDEX update_run_updater ON clair.update_run (updater, id DESC);
CREATE INDEX update_run_request ON clair.update_run (request);
COMMENT ON TABLE clair.update_run IS 'executions of updaters';
COMMENT ON COLUMN clair.update_run.id IS 'number of the run';
COMMENT ON COLUMN clair.update_run.updater IS 'the updater';
COMMENT ON COLUMN clair.update_run.request IS 'the call of clair.update() that it belongs to';
COMMENT ON COLUMN clair.update_run.requested_by IS 'the role that called clair.update()';
COMMENT ON COLUMN clair.update_run.state IS
    'running; succeeded: something changed; unchanged; failed; cancelled; dropped: the end of an updater of the user''s own, not a run';
COMMENT ON COLUMN clair.update_run.phase IS 'what it does, or did last: fetch, stage, apply, done';
COMMENT ON COLUMN clair.update_run.first IS 'whether nothing had been known of the updater before';
COMMENT ON COLUMN clair.update_run.process IS 'process of its worker';
COMMENT ON COLUMN clair.update_run.started_at IS 'when it started';
COMMENT ON COLUMN clair.update_run.finished_at IS 'when it ended';
COMMENT ON COLUMN clair.update_run.as_of IS
    'of one that imported what another database had: when the updater had succeeded there';
COMMENT ON COLUMN clair.update_run.documents IS 'documents that were fetched whole';
COMMENT ON COLUMN clair.update_run.bytes IS 'their bytes';
COMMENT ON COLUMN clair.update_run.records IS 'records of these documents';
COMMENT ON COLUMN clair.update_run.unchanged IS 'records that were known already';
COMMENT ON COLUMN clair.update_run.broken IS
    'records and items that were skipped, see clair.broken_record';
COMMENT ON COLUMN clair.update_run.added IS
    'vulnerabilities, or CVEs of which something is known, that are new';
COMMENT ON COLUMN clair.update_run.changed IS
    'vulnerabilities, or CVEs of which something is known, that say something else';
COMMENT ON COLUMN clair.update_run.withdrawn IS
    'vulnerabilities, or CVEs of which something is known, that are gone';
COMMENT ON COLUMN clair.update_run.error IS 'why it failed';
COMMENT ON COLUMN clair.update_run.error_detail IS 'more of why it failed';
COMMENT ON COLUMN clair.update_run.error_hint IS 'what can be done';

CREATE TABLE clair.document (
    updater text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    url text NOT NULL,
    named_by text COLLATE "C",
    optional boolean NOT NULL,
    mode text NOT NULL CHECK (mode IN ('plain', 'always', 'keep')),
    etag text,
    last_modified text,
    run bigint NOT NULL,
    size bigint NOT NULL,
    checksum text,
    records bigint NOT NULL,
    PRIMARY KEY (updater, name)
);
COMMENT ON TABLE clair.document IS 'documents as they were fetched last';
COMMENT ON COLUMN clair.document.updater IS 'the updater';
COMMENT ON COLUMN clair.document.name IS 'name of the document';
COMMENT ON COLUMN clair.document.url IS 'where it was fetched from';
COMMENT ON COLUMN clair.document.named_by IS 'the document that names it; null for the first one';
COMMENT ON COLUMN clair.document.optional IS 'whether it may be absent';
COMMENT ON COLUMN clair.document.mode IS
    'plain: fetched when it has changed; always: the others are read in its light, so it is fetched whole by every run; keep: fetched once';
COMMENT ON COLUMN clair.document.etag IS
    'its validator: the server''s; of a file, its size, time and inode; of one that is always fetched, its digest';
COMMENT ON COLUMN clair.document.last_modified IS 'its Last-Modified';
COMMENT ON COLUMN clair.document.run IS 'the run that read it last';
COMMENT ON COLUMN clair.document.size IS 'its bytes';
COMMENT ON COLUMN clair.document.checksum IS
    'what the document that names it says of its bytes: sha256:... and the like';
COMMENT ON COLUMN clair.document.records IS 'its records';

CREATE TABLE clair.record (
    updater text COLLATE "C" NOT NULL,
    record text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    PRIMARY KEY (updater, record)
);
COMMENT ON TABLE clair.record IS 'records of the documents: what is not read again when its digest is known';
COMMENT ON COLUMN clair.record.updater IS 'the updater';
COMMENT ON COLUMN clair.record.record IS 'key of the record';
COMMENT ON COLUMN clair.record.document IS 'name of its document';
COMMENT ON COLUMN clair.record.digest IS 'digest of its bytes';

CREATE TABLE clair.vulnerability (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    updater text COLLATE "C" NOT NULL,
    record text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    since_run bigint NOT NULL,
    until_run bigint,
    frozen text COLLATE "C",
    link text,
    description text,
    aliases text[]
);
CREATE UNIQUE INDEX vulnerability_current ON clair.vulnerability (updater, record, name)
    WHERE until_run IS NULL AND frozen IS NULL;
CREATE INDEX vulnerability_name ON clair.vulnerability (name);
CREATE INDEX vulnerability_aliases ON clair.vulnerability USING gin (aliases)
    WHERE until_run IS NULL AND aliases IS NOT NULL;
CREATE INDEX vulnerability_since ON clair.vulnerability (since_run);
CREATE INDEX vulnerability_until ON clair.vulnerability (until_run) WHERE until_run IS NOT NULL;
COMMENT ON TABLE clair.vulnerability IS 'vulnerabilities, each version of what a record says of one';
COMMENT ON COLUMN clair.vulnerability.id IS 'number of this version';
COMMENT ON COLUMN clair.vulnerability.updater IS 'the updater';
COMMENT ON COLUMN clair.vulnerability.record IS 'the record that says it';
COMMENT ON COLUMN clair.vulnerability.name IS 'name, such as CVE-2031-0001';
COMMENT ON COLUMN clair.vulnerability.digest IS 'digest of this row and its affected ranges';
COMMENT ON COLUMN clair.vulnerability.since_run IS 'the run that brought it';
COMMENT ON COLUMN clair.vulnerability.until_run IS 'the run that ended it; null while it is current';
COMMENT ON COLUMN clair.vulnerability.frozen IS
    'the namespace, if this row keeps what the record said of a frozen one, see clair.frozen_namespace';
COMMENT ON COLUMN clair.vulnerability.link IS 'where to read more';
COMMENT ON COLUMN clair.vulnerability.description IS 'description';
COMMENT ON COLUMN clair.vulnerability.aliases IS 'its other names, such as USN-9001-1';

CREATE TABLE clair.scope (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest text COLLATE "C" NOT NULL UNIQUE,
    architectures text[],
    module text,
    flavour text,
    repositories text[]
);
COMMENT ON TABLE clair.scope IS
    'what a feature must be, beside its name and version, for an affected range to be about it; what is null does not matter';
COMMENT ON COLUMN clair.scope.id IS 'its number';
COMMENT ON COLUMN clair.scope.digest IS 'digest of the other columns';
COMMENT ON COLUMN clair.scope.architectures IS 'of one of these architectures, or noarch';
COMMENT ON COLUMN clair.scope.module IS 'of this module, name:stream; empty: of none';
COMMENT ON COLUMN clair.scope.flavour IS
    'of this flavour of builds, as clair.feature has it; empty: an ordinary one; subpackage: of any, but not called like its source';
COMMENT ON COLUMN clair.scope.repositories IS
    'from a repository with one of these CPEs; a namespace stands for the features of it whose repositories are unknown';

-- No foreign key: a run writes both tables, and checking each of its rows costs as much again.
CREATE TABLE clair.affected (
    vulnerability_id bigint NOT NULL,
    until_run bigint,
    number integer NOT NULL,
    scope_id integer NOT NULL DEFAULT 0,
    kind clair.package_kind NOT NULL,
    status clair.status NOT NULL,
    severity clair.severity NOT NULL,
    stated_severity clair.severity,
    namespace text COLLATE "C" NOT NULL,
    package text COLLATE "C" NOT NULL,
    introduced clair.version NOT NULL,
    stated_introduced clair.version,
    fixed clair.version NOT NULL,
    advisory text COLLATE "C",
    PRIMARY KEY (vulnerability_id, number)
);
CREATE INDEX affected_match ON clair.affected (namespace, kind, package, fixed)
    INCLUDE (introduced, vulnerability_id, status, severity, scope_id)
    WHERE until_run IS NULL;
CREATE INDEX affected_advisory ON clair.affected (advisory)
    WHERE until_run IS NULL AND advisory IS NOT NULL;
COMMENT ON TABLE clair.affected IS
    'affected ranges: introduced <= version < fixed of a package in a namespace';
COMMENT ON COLUMN clair.affected.vulnerability_id IS 'the vulnerability';
COMMENT ON COLUMN clair.affected.number IS 'position within its ranges';
COMMENT ON COLUMN clair.affected.scope_id IS
    'what else a feature must be, see clair.scope; 0: nothing';
COMMENT ON COLUMN clair.affected.stated_severity IS
    'severity as the record states it, where another record says better: see clair.builtin_updater.resolves';
COMMENT ON COLUMN clair.affected.advisory IS 'the advisory that brings the fix, such as RHSA-2031:0007';
COMMENT ON COLUMN clair.affected.namespace IS 'the distribution release';
COMMENT ON COLUMN clair.affected.kind IS 'whether package is a source or an installed package';
COMMENT ON COLUMN clair.affected.package IS 'name of the package';
COMMENT ON COLUMN clair.affected.introduced IS 'first version that is affected; -infinity: every one below fixed; the same as fixed: none, since another range says what is';
COMMENT ON COLUMN clair.affected.stated_introduced IS
    'first version that is affected as the record states it, where what stands is worked out: see clair.builtin_updater.resolves; null: it states none';
COMMENT ON COLUMN clair.affected.fixed IS
    'where the range ends: of status fixed, the first version that is not affected; of others the place right behind the last one that is (clair.successor), infinity when there is none, -infinity when no version is affected';
COMMENT ON COLUMN clair.affected.status IS 'what the source says';
COMMENT ON COLUMN clair.affected.severity IS 'how bad the source says it is, in this package and release';
COMMENT ON COLUMN clair.affected.until_run IS 'as of its vulnerability';

CREATE TABLE clair.broken_record (
    run bigint NOT NULL REFERENCES clair.update_run ON DELETE CASCADE,
    number bigint NOT NULL,
    document text NOT NULL,
    record text,
    reason text NOT NULL,
    PRIMARY KEY (run, number)
);
COMMENT ON TABLE clair.broken_record IS 'records and items that a run had to skip';
COMMENT ON COLUMN clair.broken_record.run IS 'the run';
COMMENT ON COLUMN clair.broken_record.number IS 'position within its broken records';
COMMENT ON COLUMN clair.broken_record.document IS 'name of the document';
COMMENT ON COLUMN clair.broken_record.record IS 'key of the record';
COMMENT ON COLUMN clair.broken_record.reason IS 'what is wrong';

CREATE TABLE clair.frozen_namespace (
    updater text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    run bigint NOT NULL,
    PRIMARY KEY (updater, namespace)
);
COMMENT ON TABLE clair.frozen_namespace IS
    'namespaces that a feed says nothing of any more: what it said last is kept';
COMMENT ON COLUMN clair.frozen_namespace.updater IS 'the updater';
COMMENT ON COLUMN clair.frozen_namespace.namespace IS 'the namespace';
COMMENT ON COLUMN clair.frozen_namespace.run IS 'the run that found it gone';

SELECT pg_catalog.pg_extension_config_dump('clair.updater_setting', '');
SELECT pg_catalog.pg_extension_config_dump('clair.updater_state', '');
SELECT pg_catalog.pg_extension_config_dump('clair.update_run', '');
SELECT pg_catalog.pg_extension_config_dump('clair.update_run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.document', '');
SELECT pg_catalog.pg_extension_config_dump('clair.record', '');
SELECT pg_catalog.pg_extension_config_dump('clair.vulnerability', '');
SELECT pg_catalog.pg_extension_config_dump('clair.vulnerability_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.scope', '');
SELECT pg_catalog.pg_extension_config_dump('clair.scope_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.affected', '');
SELECT pg_catalog.pg_extension_config_dump('clair.broken_record', '');
SELECT pg_catalog.pg_extension_config_dump('clair.frozen_namespace', '');
