# Proves that a dump loses nothing, that DROP EXTENSION leaves nothing, that databases of one server
# do not touch each other, and that a hot standby can be read and refuses what writes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = PostgreSQL::Test::Cluster->new('primary');
my $folder = PostgreSQL::Test::Utils::tempdir();

$node->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', 'max_worker_processes = 16');
$node->start;

# ---------------------------------------------------------------------------
# DROP EXTENSION
# ---------------------------------------------------------------------------

# How many rows the catalogs have.
sub catalog_counts
{
    my ($where) = @_;
    my @catalogs = query($where, "SELECT oid::regclass FROM pg_class WHERE relkind = 'r'"
        . " AND relnamespace = 'pg_catalog'::regnamespace AND relname <> 'pg_statistic' ORDER BY 1");

    return query($where, join ' UNION ALL ', map { "SELECT '$_ ' || count(*) FROM $_" } @catalogs);
}

my ($session) = session($node);
my @before = catalog_counts($session);

query($session, 'CREATE EXTENSION clair');
isnt("@{[ catalog_counts($session) ]}", "@before", 'CREATE EXTENSION leaves something in the catalogs');
query($session, 'DROP EXTENSION clair');
is_deeply([ catalog_counts($session) ], \@before, 'DROP EXTENSION takes all of it away');
query($session, 'CREATE SCHEMA clair');
is(scalar $node->psql('postgres', 'CREATE EXTENSION clair'), 3,
    'CREATE EXTENSION does not take the schema of somebody else');
query($session, 'DROP SCHEMA clair');
create_extension($node, 'postgres');

# ---------------------------------------------------------------------------
# A database with everything in it
# ---------------------------------------------------------------------------

sub debian_layer
{
    my ($name, $release, @packages) = @_;

    return make_layer("$folder/$name.tar",
        'etc/os-release' => "ID=debian\nVERSION_ID=\"$release\"\n",
        'srv/name' => $name,
        'var/lib/dpkg/status' => status_paragraphs(@packages));
}

my %feed = (
    bash => {
        'CVE-2031-0001' => {
            description => "text with a tab \t, a line\nbreak, a \\ and \x{20ac}",
            releases => {
                bookworm => { status => 'open', urgency => 'low' },
                bullseye => { status => 'resolved', urgency => 'high', fixed_version => '1:5.1~rc1+b2-1' }
            }
        },
        'CVE-2031-0002' => { releases => { bookworm => { status => 'resolved', urgency => 'low' } } },
        'CVE-2031-0003' => { releases => { bookworm => { status => 'open', urgency => 'high' } } },
    },
    zlib => { 'CVE-2031-0004' => { releases => { bullseye => { status => 'open', urgency => 'low' } } } },
);

sub run_feed
{
    my ($where) = @_;

    write_file("$folder/tracker.json", \%feed);
    return update($where, 'debian');
}

query($session, 'CREATE FUNCTION public.name_of(path text, content bytea) RETURNS TABLE (name text, version text)'
    . " LANGUAGE sql AS \$\$ SELECT convert_from(content, 'UTF8'), '1' \$\$");
query($session, "SELECT clair.create_detector('names', 'public.name_of(text, bytea)', '{srv/*}', 'dpkg', 'name:1')");
index_file($session, debian_layer('web', 12, [ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ]), 'web');
index_file($session, debian_layer('old', 11, [ 'bash', '1:5.1~rc1-1' ], [ 'zlib1g', '1.2-1', 'zlib' ]), 'old');
index_file($session, debian_layer('broken', 11, [ 'bash', 'no version' ], [ '', '1' ]), 'broken');
query($session, "INSERT INTO clair.scope (digest, module) VALUES ('x', 'nodejs:12')");
query($session, "INSERT INTO clair.repository_cpe VALUES ('a-rpms', 'cpe:/o:redhat:enterprise_linux:9')");
index_file($session, make_layer("$folder/rpm.tar", 'etc/os-release' => "ID=rhel\nVERSION_ID=9.4\n",
    'root/buildinfo/content_manifests/a.json' => '{"content_sets": ["a-rpms"]}',
    'var/lib/rpmmanifest/container-manifest-2' => join("\t", 'bash', '5.1-1', 1, 2, 'Vendor', '(none)', 1,
        'x86_64', 0, 'bash-5.1-1.src.rpm') . "\n"), 'rpm');
query($session, "SELECT clair.set_namespace('broken', 'debian:12')");
index_file($session, debian_layer('web2', 12, [ 'bash', '5.2-2' ]), 'web');
query($session, "SELECT clair.index_layer('upon', '" . debian_layer('upon', 11, [ 'bash', '5.1-1' ]) . "', 'old')");
set_feed($session, 'debian', "$folder/tracker.json",
    '{"max_shrinkage": 100, "hosts": ["mirror.example.org"], "stale_after": "3 days"}');
is(run_feed($session)->{state}, 'succeeded', 'the first run');
query($session, "SELECT clair.create_consumer('pager', images => '{web%}')");
$feed{bash}{'CVE-2031-0003'}{releases}{bookworm}{urgency} = 'medium';
is(run_feed($session)->{changed}, 1, 'the second run');
delete $feed{zlib};
delete $feed{bash}{'CVE-2031-0001'}{releases}{bullseye};
is(run_feed($session)->{state}, 'succeeded', 'the third run');
write_file("$folder/tracker.json", 'not JSON');
is(update($session, 'debian')->{state}, 'failed', 'the fourth run');
query($session, "UPDATE clair.updater SET enabled = false WHERE name = 'alpine'");
query($session, "SELECT clair.create_updater('own', 'file://$folder/own.json', 'secdb',"
    . ' \'{"namespace": "alpine:v3.20"}\')');
query($session, "UPDATE clair.updater SET enabled = false WHERE name = 'own'");
query($session, "CREATE FUNCTION public.own_advisories() RETURNS SETOF clair.advisory LANGUAGE sql AS"
    . ' $$SELECT clair.advisory(\'CVE-2031-0020\', \'debian:10\', \'bash\', \'5.2-3\')$$');
query($session, "SELECT clair.create_updater('function', function => 'public.own_advisories()')");
is(update($session, 'function')->{state}, 'succeeded', 'an updater that is a function');
query($session, "SELECT clair.create_webhook('pager', 'https://x.invalid/', enabled => false, secret => 'text')");
query($session, 'INSERT INTO clair.webhook_receipt (consumer, notification, id)'
    . ' SELECT consumer, notification, gen_random_uuid() FROM clair.delivery');

query($session, "SELECT clair.create_exception('CVE-2031-0003', 'text', package => 'bash', version => 'dpkg:5.2-2')");
query($session, "SELECT clair.create_exception('CVE-2031-0009', 'stale', expires_at => 'infinity')");
query($session, "INSERT INTO clair.local_advisory (vulnerability, namespace, package, aliases, module)"
    . " VALUES ('ACME-1', 'debian:10', 'bash', '{A,B}', ''), ('ACME-2', 'debian:10', 'zlib', NULL, NULL)");
query($session, "UPDATE clair.local_advisory SET fixed = '9' WHERE vulnerability = 'ACME-2'");
my $VEX = '{"@id": "urn:1", "version": 1, "statements": [{"vulnerability": "CVE-2031-0002", "status": "fixed",'
    . ' "products": ["pkg:deb/debian/bash@5.2-1?distro=debian-12"]}]}';
query($session, "SELECT clair.load_vex('$VEX'::jsonb)");
query($session, "INSERT INTO clair.policy (name, minimum_severity, minimum_epss) VALUES ('own', 'Low', 0.5)");
query($session, "UPDATE clair.policy SET fixable_only = true WHERE name = 'strict'");

# What is known of a CVE.
query($session, $_) foreach split /;\n/, <<'SQL';
INSERT INTO clair.cve VALUES ('CVE-2031-0001', 'High', 'nvd', 0);
INSERT INTO clair.cve_statement VALUES ('CVE-2031-0001', 'nvd', '00', 'Analyzed', 'text', now(), now());
INSERT INTO clair.cve_metric VALUES ('CVE-2031-0001', 'nvd', 0, 'nvd@nist.gov', 'Primary', '3.1', NULL, 7.5, 'High');
INSERT INTO clair.epss VALUES ('CVE-2031-0001', 0.00043, 0.12345);
INSERT INTO clair.epss_edition VALUES ('epss', 'v2031.01.01', now());
INSERT INTO clair.kev VALUES ('CVE-2031-0001', 'kev', '2031-01-01', NULL, true)
SQL

# Manifests, commands, several layers and links come with real images.
my $images = test_data('images');
if (defined $images)
{
    index_file($session, abs_path("$images/$_"), $_)
        foreach qw(bookworm/bookworm.docker.tar.gz sid/sid.oci-gzip.tar alpine/alpine-310.tar.gz);
}

# The extension's tables and sequences.
my @TABLES = query($session, "SELECT relname FROM pg_class WHERE relkind = 'r'"
    . " AND relnamespace = 'clair'::regnamespace ORDER BY 1");
my @SEQUENCES = query($session, "SELECT relname FROM pg_class WHERE relkind = 'S'"
    . " AND relnamespace = 'clair'::regnamespace ORDER BY 1");

# What a database holds and answers: a line for each table, sequence and question.
sub content
{
    my ($where) = @_;
    my %question = (
        (map { ("table $_" => "TABLE clair.$_") } @TABLES),
        (map { ("sequence $_" => "SELECT last_value, is_called FROM clair.$_") } @SEQUENCES),
        'updaters' => 'TABLE clair.updater',
        'status'   => 'SELECT updater, enabled, state, last_success, stale_after, last_run, last_error'
            . ' FROM clair.update_status',
        'coverage' => 'TABLE clair.image_coverage',
        'features' => 'SELECT i.id, f FROM clair.image AS i, clair.features(i.id::text) AS f',
        'findings' => 'SELECT i.id, v FROM clair.image AS i, clair.vulnerabilities(i.id::text) AS v',
        'CVEs' => 'TABLE clair.cve_detail',
        'consumers' => 'TABLE clair.consumer_status',
        'webhooks' => 'TABLE clair.webhook_delivery',
        'updaters' => 'TABLE clair.updater',
        'policies' => 'TABLE clair.policy',
        'violations' => 'SELECT i.id, c FROM clair.image AS i, clair.check_image(i.id::text) AS c',
        'stale exceptions' => 'TABLE clair.stale_exception',
        'VEX' => "SELECT i.id, clair.export_vex(i.id::text) -> 'statements' FROM clair.image AS i",
        'affected images' => "SELECT a FROM clair.affected_images('CVE-2031-0001') AS a",
    );

    return {
        map {
            ($_ => scalar query($where, 'SELECT count(*) || \' rows, \' || COALESCE(md5(string_agg(line,'
                . ' E\'\n\' ORDER BY line COLLATE "C")), \'-\')'
                . " FROM (SELECT q::text AS line FROM ($question{$_}) AS q) AS lines"))
        } keys %question
    };
}

my $content = content($session);
my @empty = grep { $content->{$_} =~ /^0 rows/ } sort keys %$content;
is_deeply([ grep { defined $images || !/manifest/ } @empty ], [], 'every table has rows');

# ---------------------------------------------------------------------------
# Dump and restore
# ---------------------------------------------------------------------------

$node->command_ok([ 'pg_dump', '-f', "$folder/dump.sql", $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/dump.custom", $node->connstr('postgres') ],
    'pg_dump -Fc');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(restored parallel);
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/dump.sql",
    '-d', $node->connstr('restored') ], 'psql');

# Tables of an extension have their foreign keys before they have their rows, and of several workers
# none knows which table the other one has come to.
{
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
    $node->command_ok([ 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('parallel'),
        "$folder/dump.custom" ], 'pg_restore -j 2, without triggers');
}

my %database = map { $_ => $node->background_psql($_, on_error_stop => 0) } qw(restored parallel);
foreach my $name (sort keys %database)
{
    my $restored = content($database{$name});

    is($restored->{$_}, $content->{$_}, "$name: $_") foreach sort keys %$content;
}

# The restored database goes on where the other one was.
my $restored = $database{restored};
is(update($restored, 'function')->{unchanged}, 1, 'restored: a function that is an updater finds nothing new');
my $run = run_feed($restored);
is($run->{state}, 'unchanged', 'restored: a run finds nothing new');
is(join(' ', query($restored, "INSERT INTO clair.local_advisory (vulnerability, namespace, package)"
    . " VALUES ('ACME-3', 'debian:10', 'bash') RETURNING id; SELECT count(*) FROM clair.vulnerability"
    . " WHERE updater = 'local' AND until_run IS NULL")), '3 3', '... and what is known locally is added to');
query($restored, "DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-3'");
$feed{bash}{'CVE-2031-0005'} = { releases => { bookworm => { status => 'open', urgency => 'high' } } };
$feed{zlib} = { 'CVE-2031-0004' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } };
$run = run_feed($restored);
is("$run->{state} $run->{added}", 'succeeded 2', '... and brings what is new');
is(scalar query($restored, "SELECT string_agg(vulnerability || ' ' || reason || ' ' || images, ', '"
    . " ORDER BY vulnerability COLLATE \"C\") FROM clair.notification WHERE run = $run->{run}"),
    defined $images ? 'CVE-2031-0004 changed 2, CVE-2031-0005 added 3'
    : 'CVE-2031-0004 changed 1, CVE-2031-0005 added 2', '... and announces it');
index_file($restored, debian_layer('new', 12, [ 'bash', '5.2-3' ]), 'new');
index_file($restored, debian_layer('web', 12, [ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ]), 'web');
is(scalar query($restored, "SELECT count(vulnerability) FROM clair.vulnerabilities('new')"), 3, '... and indexes images');
is(scalar query($restored, "SELECT name FROM clair.features('new') WHERE namespace = 'name:1'"), 'new',
    '... and asks its detectors');
like(scalar query($restored, 'SELECT images FROM clair.collect_garbage()'), qr/^1$/, '... and collects garbage');
is_deeply(content($session), $content, 'the database that it came from is as it was');

# ---------------------------------------------------------------------------
# Two databases of one server
# ---------------------------------------------------------------------------

my $second = new_database($node, 'second');
is(scalar query($second, 'SELECT count(*) FROM clair.image') + query($second, 'SELECT count(*)'
    . ' FROM clair.update_run'), 0, 'another database of the server knows of no images and runs');
set_feed($second, 'debian', "$folder/tracker.json");
query($_, "SELECT clair.update('debian', wait => false)") foreach $session, $second;
foreach my $where ($session, $second)
{
    ok(wait_for(30, sub {
        query($where, "SELECT state FROM clair.update_status WHERE updater = 'debian'") eq 'succeeded';
    }), 'both run the same updater at once');
}
is(scalar query($second, 'SELECT first FROM clair.update_run'), 't', '... for the first time in the second one');
query($second, 'DROP EXTENSION clair');
is(scalar query($session, 'SELECT count(*) FROM clair.vulnerability WHERE until_run IS NULL AND frozen IS NULL'),
    7, 'the extension is dropped in one, and works in the other');

# ---------------------------------------------------------------------------
# A hot standby
# ---------------------------------------------------------------------------

my $standby = PostgreSQL::Test::Cluster->new('standby');

$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
index_file($session, debian_layer('late', 12, [ 'bash', '5.2-1' ]), 'late');
$node->wait_for_catchup($standby);

my ($reader) = session($standby);
is(scalar query($reader, 'SELECT pg_is_in_recovery()'), 't', 'a hot standby');

# but for sequences, which a standby sees some steps ahead
my ($here, $there) = map { content($_) } $session, $reader;
delete @$_{ map { "sequence $_" } @SEQUENCES } foreach $here, $there;
is_deeply($there, $here, '... says the same as the primary');
is(scalar query($reader, "SELECT count(vulnerability) FROM clair.vulnerabilities('late')"), 3,
    '... also of what came later');

foreach my $statement ("SELECT clair.index_image('$folder/new.tar', 'new')",
    "SELECT clair.index_image(pg_read_binary_file('$folder/new.tar'), 'new')",
    "SELECT clair.index_layer('new', '$folder/new.tar')", "SELECT clair.fetch_layer('new', 'http://127.0.0.1:1/')",
    "SELECT clair.update('debian')", "SELECT clair.update('debian', wait => false)",
    'SELECT clair.update()', "SELECT clair.delete_image('late')", 'SELECT clair.collect_garbage()',
    "UPDATE clair.updater SET enabled = false WHERE name = 'debian'",
    "SELECT clair.create_exception('CVE-2031-0003', 'text')", 'SELECT clair.end_exception(1)',
    "SELECT clair.load_vex('$VEX'::jsonb)",
    "SELECT clair.create_updater('more', 'https://example.org/', 'secdb')", "SELECT clair.drop_updater('own')",
    "INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('X', 'debian:12', 'a')",
    "INSERT INTO clair.policy (name) VALUES ('more')", "DELETE FROM clair.policy WHERE name = 'own'")
{
    ends_within(2, "it refuses at once: $statement", sub {
        like(outcome($reader, $statement), qr/^25006: cannot execute \S+ (?:\S+ )?(?:during recovery|in a read-only)/,
            "it refuses: $statement");
    });
}

$_->quit foreach $session, $second, $reader, values %database;
done_testing();
