# Proves that every way to dump and restore gives the same database, and that a dump has what users have and
# nothing of what the extension brings.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ExtensionObjects;
use FeedTest;
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $has_cron = -e (`pg_config --pkglibdir` =~ s/\s+$//r) . '/pg_cron.so';
my $long = $ENV{CLAIR_TEST_LONG};
my $node = start_server('server', 'max_worker_processes = 16',
    $has_cron ? ("shared_preload_libraries = 'pg_cron'", "cron.database_name = 'postgres'", 'cron.use_background_workers = on') : ());
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# ---------------------------------------------------------------------------
# Each table is dumped, or brought by the extension
# ---------------------------------------------------------------------------

# Tables whose rows come with the extension, and why nobody else's are in them.
my %BUILTIN = (
    builtin_policy    => 'clair.policy keeps changes in own_policy',
    builtin_updater   => 'clair.updater keeps changes in updater_setting and own_updater',
    distribution      => 'which distributions there are',
    distribution_name => 'how their releases are named',
    flavour_rule      => 'how flavours are told',
    reader_version    => 'what the readers of this version say',
    release           => 'which releases there are',
    release_tag       => 'how rpm names them',
    updater_format    => 'which formats updaters can have',
    updater_option    => 'which options updaters can have',
);

is(join(' ', query($session, "SELECT c.relname FROM pg_class AS c, pg_extension AS e WHERE e.extname = 'clair'"
    . " AND c.relnamespace = 'clair'::regnamespace AND c.relkind = 'r' AND c.oid <> ALL (e.extconfig) ORDER BY 1")),
    join(' ', sort keys %BUILTIN), 'each table is dumped or has the rows that the extension brings');
is(join(' ', query($session, "SELECT c.relname FROM pg_class AS c, pg_extension AS e WHERE e.extname = 'clair'"
    . " AND c.relnamespace = 'clair'::regnamespace AND c.relkind = 'S' AND c.oid <> ALL (e.extconfig)")), '',
    'each sequence is dumped');
is(join(' ', query($session, "SELECT c.oid::regclass FROM pg_extension AS e, unnest(e.extconfig, e.extcondition) AS c(oid, condition)"
    . " WHERE e.extname = 'clair' AND c.condition <> ''")), '', '... with all rows');
my @dumped = query($session, "SELECT c.relname FROM pg_class AS c, pg_extension AS e WHERE e.extname = 'clair'"
    . " AND c.oid = ANY (e.extconfig) AND c.relkind = 'r' ORDER BY 1");
is(scalar query($session, 'SELECT ' . join ' + ', map { "(SELECT count(*) FROM clair.$_)" } @dumped), 0,
    'what is dumped has no rows of the extension');

# ---------------------------------------------------------------------------
# A database with everything in it, and what users have added
# ---------------------------------------------------------------------------

fill_database($session, $folder, images => $long ? 1 : 0);
query($session, $_) foreach split /;\n/, <<'SQL';
CREATE ROLE tenant;
CREATE VIEW public.worst AS SELECT image_id, max(severity) AS severity FROM clair.image_vulnerability GROUP BY image_id;
CREATE TABLE public.deployed (image bigint REFERENCES clair.image, installed clair.version, severity clair.severity);
INSERT INTO public.deployed SELECT id, 'dpkg:1:2-3', 'High' FROM clair.image;
CREATE INDEX deployed_installed ON public.deployed (installed);
CREATE FUNCTION public.count_images() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM clair.image; END;
SELECT clair.grant_access('tenant', 'read');
ALTER TABLE public.deployed ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON public.deployed FOR SELECT TO tenant USING (installed OPERATOR(clair.>) 'dpkg:1')
SQL
if ($has_cron)
{
    query($session, 'CREATE EXTENSION pg_cron');
    query($session, "SELECT clair.schedule('debian', '17 * * * *')");
    query($session, "SELECT clair.schedule_clean_up('30 3 * * *', history => '180 days')");
}
my $content = content($session);

# What users have made of it, which is no row of the extension's tables.
sub additions
{
    my ($where) = @_;

    return join "\n", query($where, <<'SQL');
SELECT 'deployed ' || count(*) || ' ' || count(i.id) FROM public.deployed AS d LEFT JOIN clair.image AS i ON i.id = d.image;
SELECT 'view ' || string_agg(w::text, ' ' ORDER BY w.image_id) FROM public.worst AS w;
SELECT 'function ' || public.count_images();
SELECT 'index ' || indexdef FROM pg_indexes WHERE indexname = 'deployed_installed';
SELECT 'privileges ' || count(*) FROM pg_class AS c, aclexplode(relacl) WHERE relnamespace = 'clair'::regnamespace AND grantee = 'tenant'::regrole;
SELECT 'privileges ' || count(*) FROM pg_proc WHERE pronamespace = 'clair'::regnamespace AND has_function_privilege('tenant', oid, 'EXECUTE');
SELECT 'policies ' || count(*) FROM pg_policies WHERE schemaname = 'public';
SELECT 'foreign keys ' || count(*) FROM pg_constraint WHERE conrelid = 'public.deployed'::regclass
SQL
}
my $additions = additions($session);

# Checks a database that was restored.
sub restored
{
    my ($database, $name) = @_;
    my $where = $node->background_psql($database, on_error_stop => 0);

    same_content($where, $content, "$name: all rows and findings");
    is(additions($where), $additions, "$name: what users have added");
    is(join(' ', query($where, "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'clair'::regnamespace"
        . " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))")),
        '', "$name: everything in the schema is the extension's");
    # sequences go on behind what is there
    query($where, "INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('ACME-9', 'debian:10', 'a')");
    index_file($where, debian_layer($folder, 'more', 12, [ 'bash', '5.2-7' ]), 'more');
    is(update($where, 'function')->{state}, 'unchanged', "$name: it goes on");
    $where->quit;
}

sub new_database_named
{
    my ($database) = @_;

    $node->safe_psql('template1', "DROP DATABASE IF EXISTS $database");
    $node->safe_psql('template1', "CREATE DATABASE $database TEMPLATE template0");
    return $node->connstr($database);
}

# Runs a program of the server with options, as a check.
sub run_program
{
    my ($name, @command) = @_;

    $node->command_ok(\@command, $name);
}

my $from = $node->connstr('postgres');

# ---------------------------------------------------------------------------
# Forms of dumps
# ---------------------------------------------------------------------------

# pg_cron can be in one database only: what is restored beside it is restored without it.
sub without_cron
{
    my ($archive) = @_;
    my ($list) = run_command([ 'pg_restore', '-l', $archive ]);

    write_file("$folder/list", join "\n", grep { !/EXTENSION - pg_cron|COMMENT - EXTENSION pg_cron| cron / } split(/\n/, $list), '');
    return ('-L', "$folder/list");
}

# Restores without triggers, so that no foreign key is looked at: tables of an extension have theirs before
# they have rows, and neither of several workers nor of rows alone the order is known.
sub restore_untriggered
{
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';

    run_program(@_);
}

# A directory, written and read by several at once.
run_program('pg_dump -Fd -j 2', 'pg_dump', '-Fd', '-j', '2', '-f', "$folder/directory", $from);
restore_untriggered('pg_restore -j 2 of a directory', 'pg_restore', '-e', '-j', '2', without_cron("$folder/directory"),
    '-d', new_database_named('directory'), "$folder/directory");
restored('directory', 'directory');

# What has been dumped is that of users only.
{
    my ($text) = run_command([ 'pg_restore', '-f', '-', "$folder/directory" ]);
    my @copied = $text =~ /^COPY clair\.(\S+)/mg;

    is(join(' ', sort @copied), join(' ', @dumped), 'a dump has the rows of all tables of users, and of no others');
    is(join("\n", $text =~ /^((?:CREATE|ALTER) [A-Z ]+ clair\..*)$/mg), '', '... and creates nothing in the schema');
}

# Over a database that has other rows.
run_program('pg_dump -Fc', 'pg_dump', '-Fc', '-f', "$folder/custom", $from);
new_database_named('cleaned');
create_extension($node, 'cleaned');
$node->safe_psql('cleaned', "INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('OTHER', 'debian:10', 'b')");
run_program('pg_restore --clean --if-exists', 'pg_restore', '-e', '--clean', '--if-exists', without_cron("$folder/custom"),
    '-d', $node->connstr('cleaned'), "$folder/custom");
restored('cleaned', 'clean');

# ---------------------------------------------------------------------------
# Where more is built in than where it comes from
# ---------------------------------------------------------------------------

# An extension to come has changed rows, a further one, and one with the name of an updater of the user's.
my $scripts = $node->config_data('--sharedir') . '/extension';
my $script = slurp_file("$scripts/clair--" . query($session, "SELECT extversion FROM pg_extension WHERE extname = 'clair'") . '.sql');

END
{
    unlink "$scripts/clair--998.sql" if defined $scripts;
}

write_file("$scripts/clair--998.sql", $script . <<'SQL');
UPDATE clair.builtin_updater SET url = 'https://new.example.org/debian', revision = revision + 1 WHERE name = 'debian';
DELETE FROM clair.builtin_updater WHERE name = 'kev';
INSERT INTO clair.builtin_updater SELECT 'own', title, url, document, namespaces, hosts, enabled, stale_after, resolves, unfixed_counts, by_repository, revision, mirror
FROM clair.builtin_updater WHERE name = 'debian';
INSERT INTO clair.builtin_policy SELECT 'own', minimum_severity, minimum_score, minimum_epss, exploited, fixable_only, grace_days, gaps, 'theirs' FROM clair.builtin_policy WHERE name = 'strict';
SQL
new_database_named('newer');
$node->safe_psql('newer', "CREATE EXTENSION clair VERSION '998'");
restore_untriggered('pg_restore where the extension is newer', 'pg_restore', '-e', without_cron("$folder/custom"), '-d', $node->connstr('newer'), "$folder/custom");
my $newer = $node->background_psql('newer', on_error_stop => 0);
my $got = content($newer);
is(join(' ', grep { $got->{$_} ne $content->{$_} && !/builtin/ } sort keys %$got), 'status updaters',
    'newer: rows and findings are the same, updaters are the new ones');
is(query($newer, "SELECT url FROM clair.updater WHERE name = 'debian'"), "file://$folder/tracker.json", 'newer: what users have set is set');
is(query($newer, "SELECT count(*) || ' ' || max(format) FROM clair.updater WHERE name = 'own'"), '1 secdb',
    "newer: a new updater does not get in the way of a user's of the same name");
is(query($newer, "SELECT count(*) || ' ' || max(COALESCE(description, 'ours')) FROM clair.policy WHERE name = 'own'"), '1 ours', '... nor does a new policy');
$newer->quit;

# ---------------------------------------------------------------------------
# What takes long
# ---------------------------------------------------------------------------

# Schema first, rows later.
sub schema_and_rows_apart
{
    run_program('pg_dump --schema-only', 'pg_dump', '-Fc', '--schema-only', '-f', "$folder/schema", $from);
    run_program('pg_dump --data-only', 'pg_dump', '-Fc', '--data-only', '-f', "$folder/data", $from);
    new_database_named('apart');
    run_program('pg_restore of the schema', 'pg_restore', '-e', without_cron("$folder/schema"), '-d', $node->connstr('apart'), "$folder/schema");
    is(scalar $node->safe_psql('apart', 'SELECT count(*) FROM clair.image'), 0, 'schema only: there are no rows');
    restore_untriggered('pg_restore of the rows', 'pg_restore', '-e', without_cron("$folder/data"), '-d', $node->connstr('apart'),
        "$folder/data");
    restored('apart', 'schema and rows apart');
}

sub who_may_not_do_all
{
    query($session, "CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data; CREATE ROLE restorer LOGIN IN ROLE pg_write_all_data");
    $node->command_fails_like([ 'pg_dump', '-U', 'dumper', '-f', "$folder/refused", $from ],
        qr/query would be affected by row-level security policy for table/, 'who reads all data does not dump secrets');
    query($session, "SELECT clair.grant_access('dumper', 'read')");
    run_program('... but everything else, if told so, and may read', 'pg_dump', '-U', 'dumper', '--enable-row-security', '-N', 'cron', '-f', "$folder/dumper", $from);
    my $text = slurp_file("$folder/dumper");
    my ($secrets) = $text =~ /^COPY clair\.webhook_secret .*?;\n(.*?)\\\.$/ms;
    is($secrets, '', '... without the secrets');
    like($text, qr/^COPY clair\.own_policy .*;\nown\t/m, '... but with what is nobody\'s own');

    new_database_named('owned');
    query($session, 'ALTER DATABASE owned OWNER TO restorer');
    $node->command_fails_like([ 'pg_restore', '-e', '-U', 'restorer', without_cron("$folder/custom"), '-d', $node->connstr('owned'), "$folder/custom" ],
        qr/permission denied to create extension "clair"/, 'only a superuser restores');
}

sub large_history
{
    query($session, $_) foreach split /;\n/, <<'SQL';
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, until_run)
SELECT 'debian', 'r' || n % 20000, 'CVE-2032-' || n, md5(n::text), 1, CASE WHEN n % 10 <> 0 THEN 2 END FROM generate_series(1, 200000) AS n;
INSERT INTO clair.affected (vulnerability_id, until_run, number, kind, status, severity, namespace, package, introduced, fixed)
SELECT id, until_run, 1, 'source', 'fixed', 'Low', 'debian:12', 'p' || id % 1000, '-infinity', clair.dpkg('1:' || id || '-1')
FROM clair.vulnerability WHERE name LIKE 'CVE-2032-%';
ANALYZE clair.vulnerability, clair.affected
SQL
    $content = content($session);
    run_program('pg_dump -Fd -j 2 of 200,000 versions of vulnerabilities', 'pg_dump', '-Fd', '-j', '2', '-f', "$folder/large", $from);
    restore_untriggered('pg_restore -j 2', 'pg_restore', '-e', '-j', '2', without_cron("$folder/large"), '-d', new_database_named('large'), "$folder/large");
    restored('large', 'large');
    $node->safe_psql('template1', 'DROP DATABASE large');
}

sub another_server
{
    my ($name, $home) = @_;
    my $other = PostgreSQL::Test::Cluster->new($name);

    $other->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
    $other->append_conf('postgresql.conf', join "\n", 'max_worker_processes = 16',
        $has_cron ? ("shared_preload_libraries = 'pg_cron'", "cron.database_name = '$home'") : (), '');
    $other->start;
    return $other;
}

my $JOBS = 'SELECT jobname, schedule, command, active FROM cron.job ORDER BY jobname';
my $SCHEDULED = "SELECT state, message FROM clair.check_health() WHERE component = 'schedule'";

sub whole_servers
{
    $node->safe_psql('template1', "DROP DATABASE IF EXISTS $_") foreach qw(directory cleaned apart newer owned);
    run_program('pg_dumpall', 'pg_dumpall', '-h', $node->host, '-p', $node->port, '-f', "$folder/all");
    my $other = another_server('other', 'postgres');
    my ($out, $errors) = run_command([ 'psql', '-X', '-q', '-f', "$folder/all", '-d', $other->connstr('postgres') ]);
    is(join("\n", grep { /ERROR/ && !/role "\w+" already exists/ } split /\n/, $errors), '', 'psql of all of it into another server');
    my $where = $other->background_psql('postgres', on_error_stop => 0);
    same_content($where, $content, 'another server: all rows and findings');
    is(additions($where), $additions, 'another server: what users have added, with its roles');
    if ($has_cron)
    {
        is(query($where, $JOBS), query($session, $JOBS), 'another server: jobs of pg_cron');
        is(query($where, $SCHEDULED), query($session, $SCHEDULED), '... which it counts as its own');
    }
    $where->quit;
    $other->stop;
    return if !$has_cron;

    # the database has another name there
    $other = another_server('renamed', 'scans');
    $other->safe_psql('template1', "CREATE ROLE $_") foreach qw(tenant dumper restorer);
    $other->safe_psql('template1', 'CREATE DATABASE scans TEMPLATE template0');
    run_program('pg_restore under another name, with pg_cron', 'pg_restore', '-e', '-d', $other->connstr('scans'), "$folder/custom");
    is($other->safe_psql('scans', $JOBS), query($session, $JOBS), 'another name: jobs of pg_cron are there');
    like($other->safe_psql('scans', $SCHEDULED), qr/^warning\|pg_cron does not run/,
        '... but are for the database that they are from: check_health() says that none is for this one');
    $other->safe_psql('scans', "UPDATE cron.job SET database = current_database() WHERE database = 'postgres'");
    is($other->safe_psql('scans', $SCHEDULED), scalar query($session, $SCHEDULED), '... until they are told');
    $other->stop;
}

if ($long)
{
    schema_and_rows_apart();
    who_may_not_do_all();
    large_history();
    whole_servers();
}

$session->quit;
done_testing();
