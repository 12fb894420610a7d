# Proves that a copy of the server that was made while images were indexed and updates ran is whole: a base
# backup, its recovery to a point in between, and a standby that is promoted in the middle.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
use Test::More;

plan skip_all => 'takes long: see make check-long' unless $ENV{CLAIR_TEST_LONG};

my $ROUNDS   = 10; # between one copy and the next, at least
my $PACKAGES = 200;
my $node     = PostgreSQL::Test::Cluster->new('primary');
my $folder   = PostgreSQL::Test::Utils::tempdir();

$node->init(allows_streaming => 1, has_archiving => 1, extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "max_worker_processes = 16\nclair.max_shrinkage = 100\n");
$node->start;
create_extension($node, 'postgres');

my ($session) = session($node);

# Round N says of every package something else: what stands is of one round only.
sub write_round
{
    my ($path, $round) = @_;

    write_file($path, { map {
        ("package$_" => { "CVE-2031-$_" => { description => "round $round", releases => { bookworm => { status => 'open', urgency => 'low' } } } })
    } 1 .. $PACKAGES });
}

write_round("$folder/tracker.json", 0);
set_feed($session, 'debian', "$folder/tracker.json");
is(update($session, 'debian')->{state}, 'succeeded', 'the first run');

# Starts a client that does something in rounds, from the first on, until there is a file "stop".
sub client
{
    my ($name, $statement) = @_;
    my $pid = fork() // die "fork: $!";

    return $pid if $pid > 0;
    open(STDOUT, '>', "$folder/$name.out");
    open(STDERR, '>&', \*STDOUT);
    for (my $round = 1; !-e "$folder/stop"; $round++)
    {
        write_file("$folder/round.sql.$name", $statement->($round));
        last if system('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/round.sql.$name", '-d', $node->connstr('postgres')) != 0;
    }
    POSIX::_exit(0);
}

# One indexes images that have as many packages as the number in their name says, the other one updates.
my @clients = (
    client('indexing', sub {
        my ($round) = @_;
        my $layer = debian_layer($folder, "image$round", 12, map { [ "package$_", '1.0-1' ] } 1 .. $round);

        return "SELECT clair.index_image('$layer', 'image$round')";
    }),
    client('updating', sub {
        write_round("$folder/tracker.json", @_);
        return "SELECT clair.update('debian')";
    }),
);

# Waits until there have been further rounds of both.
sub wait_for_rounds
{
    my ($runs, $images) = split /\|/, query($session, 'SELECT (SELECT count(*) FROM clair.update_run), (SELECT count(*) FROM clair.image)');

    return wait_for(120, sub {
        query($session, "SELECT (SELECT count(*) FROM clair.update_run WHERE state = 'succeeded') > $runs + $ROUNDS"
            . " AND (SELECT count(*) FROM clair.image) > $images + $ROUNDS") eq 't';
    });
}

# Checks that a server is whole, whatever round it is in; returns how many images it has, and the round.
sub is_whole
{
    my ($where, $name) = @_;

    is(scalar query($where, <<'SQL'), '', "$name: images are there with all of their features");
SELECT n.name, count(f.name)
FROM clair.image_name AS n
    LEFT JOIN clair.image_feature AS f ON f.image_id = n.image_id
GROUP BY n.name
HAVING 'image' || count(DISTINCT f.name) <> n.name
SQL
    my ($rounds, $current) = split /\|/, query($where, "SELECT string_agg(DISTINCT description, ','), count(*)"
        . " FROM clair.vulnerability WHERE updater = 'debian' AND until_run IS NULL");
    like($rounds, qr/^round \d+$/, "$name: what is known is of one round");
    is($current, $PACKAGES, '... all of it');
    is(scalar query($where, <<'SQL'), '', "$name: nothing refers to what is not there");
SELECT 'range', vulnerability_id FROM clair.affected AS a WHERE NOT EXISTS (SELECT FROM clair.vulnerability AS v WHERE v.id = a.vulnerability_id)
UNION ALL
SELECT 'end', a.vulnerability_id FROM clair.affected AS a JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id
WHERE a.until_run IS DISTINCT FROM v.until_run
UNION ALL
SELECT 'run', v.id FROM clair.vulnerability AS v WHERE NOT EXISTS (SELECT FROM clair.update_run AS r WHERE r.id = v.since_run AND r.state = 'succeeded')
    OR v.until_run IS NOT NULL AND NOT EXISTS (SELECT FROM clair.update_run AS r WHERE r.id = v.until_run AND r.state = 'succeeded')
UNION ALL
SELECT 'notification', n.id FROM clair.notification AS n WHERE NOT EXISTS (SELECT FROM clair.update_run AS r WHERE r.id = n.run)
UNION ALL
SELECT 'layer', l.image_id FROM clair.image_layer AS l WHERE NOT EXISTS (SELECT FROM clair.layer AS y WHERE y.digest = l.layer)
UNION ALL
SELECT 'database', d.image_id FROM clair.image_database AS d WHERE NOT EXISTS (SELECT FROM clair.package_database AS p WHERE p.id = d.database_id)
UNION ALL
SELECT 'image', i.id FROM clair.image AS i WHERE NOT EXISTS (SELECT FROM clair.image_layer AS l WHERE l.image_id = i.id)
    OR NOT EXISTS (SELECT FROM clair.image_database AS d WHERE d.image_id = i.id)
SQL
    is(scalar query($where, "SELECT count(*) FROM clair.image_vulnerability AS v WHERE v.updater <> 'debian' OR v.feature !~ '^package'"), 0,
        "$name: findings are of them");
    is(scalar query($where, 'SELECT count(*) FROM clair.image_vulnerability') - query($where, 'SELECT count(*) FROM clair.image_feature'), 0,
        '... one for each feature');
    return (scalar query($where, 'SELECT count(*) FROM clair.image'), $rounds =~ s/\D//gr);
}

# Checks that a server that may write goes on: what was running ended with the copy, and the next run succeeds.
sub goes_on
{
    my ($where, $name) = @_;

    write_round("$folder/$name.json", 1000);
    set_feed($where, 'debian', "$folder/$name.json");
    is(update($where, 'debian')->{state}, 'succeeded', "$name: the next run succeeds");
    is(scalar query($where, "SELECT count(*) FROM clair.update_run WHERE state = 'running'"), 0, '... and ends what was running');
    index_file($where, debian_layer($folder, "image150", 12, map { [ "package$_", '1.0-1' ] } 1 .. 150), 'image150');
    query($where, 'SELECT clair.collect_garbage()');
    my ($images, $round) = is_whole($where, "$name, later");
    is($round, 1000, "$name: ... with what is new");
    query($where, 'CREATE EXTENSION amcheck');
    ok(query($where, 'SELECT count(*) FROM (SELECT bt_index_check(i.indexrelid, true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid'
        . " JOIN pg_am AS a ON a.oid = c.relam JOIN pg_class AS t ON t.oid = i.indrelid WHERE a.amname = 'btree'"
        . " AND t.relnamespace = 'clair'::regnamespace) AS checked") > 50, "$name: its indexes are in order");
}

# ---------------------------------------------------------------------------
# The copies, while all of it goes on
# ---------------------------------------------------------------------------

ok(wait_for_rounds(), 'images are indexed and updates run');
$node->backup('base');
ok(wait_for_rounds(), '... also after a backup');

# A copy that shares nothing with the server that it is of; above all not its archive.
sub copy_of_server
{
    my ($name, %options) = @_;
    my $copy = PostgreSQL::Test::Cluster->new($name);

    $copy->init_from_backup($node, 'base', %options);
    $copy->append_conf('postgresql.conf', "archive_mode = off\nrecovery_target_action = promote\n");
    return $copy;
}

my $standby = copy_of_server('standby', has_streaming => 1);
$standby->start;
ok(wait_for_rounds(), '... with a standby');
query($session, "SELECT pg_create_restore_point('middle')");
my $middle = query($session, 'SELECT count(*) FROM clair.image');
$standby->promote;
ok(wait_for_rounds(), '... that is promoted');
my ($promoted) = session($standby);
my ($images, $round) = is_whole($promoted, 'standby');
ok($images > 2 * $ROUNDS && $round > 2 * $ROUNDS, "the standby was in the middle of it: $images images, round $round");
goes_on($promoted, 'standby');
$promoted->quit;
$standby->stop;

write_file("$folder/stop", '');
waitpid($_, 0) foreach @clients;
is(slurp_file("$folder/$_.out") =~ /(ERROR|FATAL)/ ? $1 : '', '', "nobody has noticed: $_") foreach qw(indexing updating);
my @last = is_whole($session, 'primary');
my $wal = query($session, 'SELECT pg_walfile_name(pg_current_wal_lsn())');
query($session, 'SELECT pg_switch_wal()');
$node->poll_query_until('postgres', "SELECT last_archived_wal >= '$wal' FROM pg_stat_archiver");

# ---------------------------------------------------------------------------
# Recovery to the point in the middle, and to the end
# ---------------------------------------------------------------------------

foreach my $target ('middle', 'end')
{
    my $recovered = copy_of_server($target, has_restoring => 1, standby => 0);

    $recovered->append_conf('postgresql.conf', "recovery_target_name = 'middle'\n") if $target eq 'middle';
    $recovered->start;
    $recovered->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
    my ($where) = session($recovered);
    my ($images, $round) = is_whole($where, $target);
    if ($target eq 'middle')
    {
        ok($images >= $middle - 1 && $images <= $middle && $round < $last[1], "$target: neither before nor after: $images images, round $round");
    }
    else
    {
        is("$images images, round $round", "$last[0] images, round $last[1]", "$target: nothing is missing");
    }
    goes_on($where, $target);
    $where->quit;
    $recovered->stop;
}

$session->quit;
done_testing();
