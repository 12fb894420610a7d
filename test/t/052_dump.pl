# Proves that a dump loses nothing, that DROP EXTENSION leaves nothing, that databases of one server
# do not touch each other, and that a hot standby can be read and refuses what writes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use FilledDatabase;
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

fill_database($session, $folder);

my $content = content($session);
my $images = test_data('images');
my @empty = grep { $content->{$_} =~ /^0 rows/ } sort keys %$content;
is_deeply([ grep { (defined $images || !/manifest/) && ($node->pg_version >= 15 || !/tenant/) } @empty ], [], 'every table has rows');

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

# The restored database goes on where the other one was; without tenants, images are counted.
my $restored = $database{restored};
query($restored, 'DELETE FROM clair.tenant');
is(update($restored, 'function')->{unchanged}, 1, 'restored: a function that is an updater finds nothing new');
my $run = run_feed($restored, $folder);
is($run->{state}, 'unchanged', 'restored: a run finds nothing new');
is(join(' ', query($restored, "INSERT INTO clair.local_advisory (vulnerability, namespace, package)"
    . " VALUES ('ACME-3', 'debian:10', 'bash') RETURNING id; SELECT count(*) FROM clair.vulnerability"
    . " WHERE updater = 'local' AND until_run IS NULL")), '3 3', '... and what is known locally is added to');
query($restored, "DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-3'");
$FEED{bash}{'CVE-2031-0005'} = { releases => { bookworm => { status => 'open', urgency => 'high' } } };
$FEED{zlib} = { 'CVE-2031-0004' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } };
$run = run_feed($restored, $folder);
is("$run->{state} $run->{added}", 'succeeded 2', '... and brings what is new');
is(scalar query($restored, "SELECT string_agg(vulnerability || ' ' || reason || ' ' || images, ', '"
    . " ORDER BY vulnerability COLLATE \"C\") FROM clair.notification WHERE run = $run->{run}"),
    defined $images ? 'CVE-2031-0004 changed 2, CVE-2031-0005 added 3'
    : 'CVE-2031-0004 changed 1, CVE-2031-0005 added 2', '... and announces it');
index_file($restored, debian_layer($folder, 'new', 12, [ 'bash', '5.2-3' ]), 'new');
index_file($restored, debian_layer($folder, 'web', 12, [ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ]), 'web');
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
index_file($session, debian_layer($folder, 'late', 12, [ 'bash', '5.2-1' ]), 'late');
$node->wait_for_catchup($standby);

my ($reader) = session($standby);
is(scalar query($reader, 'SELECT pg_is_in_recovery()'), 't', 'a hot standby');

# but for sequences, which a standby sees some steps ahead
my ($here, $there) = map { content($_) } $session, $reader;
delete @$_{ grep { /^sequence / } keys %$_ } foreach $here, $there;
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
