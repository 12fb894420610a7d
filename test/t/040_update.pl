# Proves that updates by real workers, over HTTP and from files, end in the old state or in the new
# one, whatever the feed's server, the caller or the worker meet on the way; and that nothing is
# left behind: no process, no file, no lock, no temporary table.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use IO::Compress::Gzip qw(gzip);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use WebServer;

my $FIXTURES = "$FindBin::Bin/../fixtures";

# ---------------------------------------------------------------------------
# A web server that serves a feed in whatever way its folder says
# ---------------------------------------------------------------------------

my $folder = PostgreSQL::Test::Utils::tempdir();

sub serve_feed
{
    my ($mode, $feed) = @_;

    foreach my $file ([ 'mode', $mode ], [ 'feed', $feed ])
    {
        next if !defined $file->[1];
        open(my $handle, '>', "$folder/new") or die "$folder/new: $!";
        print $handle $file->[1];
        close($handle);
        rename("$folder/new", "$folder/$file->[0]") or die "rename: $!";
    }
}

sub answer_feed
{
    my ($client, $headers) = @_;
    my $mode = slurp_file("$folder/mode");
    my $feed = slurp_file("$folder/feed");
    my $etag = '"' . md5_hex($feed) . '"';

    if ($mode eq 'stall')
    {
        print $client "HTTP/1.1 200 OK\r\nContent-Length: " . length($feed) . "\r\n\r\n{";
        $client->flush();
        <$client>; # until it gives up
    }
    elsif ($mode eq 'truncated')
    {
        WebServer::answer($client, '200 OK', { 'Content-Length' => length($feed) + 10 }, $feed);
    }
    elsif ($mode eq 'html')
    {
        WebServer::answer($client, '200 OK', {}, '<html>Come back later</html>');
    }
    elsif ($mode eq 'empty')
    {
        WebServer::answer($client, '200 OK', {}, '');
    }
    elsif ($mode eq 'elsewhere')
    {
        WebServer::answer($client, '302 Found', { Location => 'http://localhost:1/' }, '');
    }
    elsif ($mode =~ /^\d+/)
    {
        WebServer::answer($client, $mode, {}, 'no');
    }
    elsif (($headers->{'if-none-match'} // '') eq $etag)
    {
        WebServer::answer($client, '304 Not Modified', { ETag => $etag }, '');
    }
    else
    {
        my $body = $feed;
        gzip(\$feed => \$body) if $mode eq 'gzip';
        WebServer::answer($client, '200 OK', { ETag => $etag }, $body);
    }
}

my $server = WebServer->start('/json' => \&answer_feed);
my $tracker = slurp_file("$FIXTURES/debian/tracker.json");
my $changed = slurp_file("$FIXTURES/debian/tracker-changed.json");

# ---------------------------------------------------------------------------
# The database server
# ---------------------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('update');
my $library = $node->config_data('--pkglibdir');
my $has_cron = -e "$library/pg_cron.so";
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ], allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
restart_after_crash = on
max_worker_processes = 12
clair.allow_private_networks = on
clair.fetch_retries = 0
CONF
$node->append_conf('postgresql.conf', <<'CONF') if $has_cron;
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = on
CONF
$node->start;
create_extension($node, 'postgres');
query($node, "UPDATE clair.updater SET url = '" . $server->url('/json') . "' WHERE name = 'debian'");
query($node, "UPDATE clair.updater SET url = 'file://$FIXTURES/alpine' WHERE name = 'alpine'");
query($node, "UPDATE clair.updater SET enabled = false WHERE name NOT IN ('alpine', 'debian')");

sub set_parameter
{
    my ($name, $value) = @_;

    $node->append_conf('postgresql.conf', "$name = $value");
    $node->reload;
}

# What an update came to, but for its number and what differs from one time to the other.
sub update
{
    my ($updater, $session) = @_;

    return scalar query($session // $node,
        'SELECT state, records, unchanged, broken, added, changed, withdrawn'
            . " FROM clair.update('$updater')");
}

# Everything that is known, as one text.
sub knowledge
{
    return scalar query($node, <<'SQL');
SELECT md5(string_agg(t, ';' ORDER BY t))
FROM (
    SELECT v::text || a::text
    FROM clair.vulnerability AS v
        JOIN clair.affected AS a ON a.vulnerability_id = v.id
    UNION ALL
    SELECT r::text FROM clair.record AS r
    UNION ALL
    SELECT d::text FROM clair.document AS d
) AS known(t)
SQL
}

sub last_run
{
    my ($columns) = @_;

    return scalar query($node, "SELECT $columns FROM clair.update_run WHERE updater = 'debian'"
            . ' ORDER BY id DESC LIMIT 1');
}

sub is_running
{
    return query($node, "SELECT state FROM clair.update_status WHERE updater = 'debian'") eq 'running';
}

sub worker
{
    return scalar query($node,
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'clair updater' LIMIT 1");
}

# The helpers of our workers, dead or alive: each worker leads a session of processes. One that has
# ended counts no more, should process 1 not collect it.
my %workers;

sub helpers
{
    my @helpers;

    %workers = map { $_ => 1 } query($node, 'SELECT process FROM clair.update_run')
        if -e $node->data_dir . '/postmaster.pid';
    foreach my $file (glob '/proc/[0-9]*/stat')
    {
        my $stat = eval { slurp_file($file) } // next;
        my ($helper, $session) = $stat =~ /^(\d+ \(clair-\w+\) [^Z]) \d+ \d+ (\d+) / or next;
        push @helpers, $helper if $workers{$session};
    }
    return @helpers;
}

# What updates have left behind, in words.
sub left
{
    my $spool = $node->data_dir . '/base/pgsql_tmp';

    return join ' ', helpers(), glob("$spool/*"), query($node, <<'SQL');
SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory'
UNION ALL
SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't'
UNION ALL
SELECT 'worker ' || pid FROM pg_stat_activity WHERE backend_type = 'clair updater'
SQL
}

# Checks that the last update has left nothing behind.
sub nothing_left
{
    my ($name) = @_;

    ok(wait_for(1, sub { left() eq '' }), "$name: nothing is left behind") or diag(left());
}

# Starts an update that stalls, in a session of its own, and waits until it fetches.
sub start_stalled
{
    my ($statement) = @_;

    serve_feed('stall', $tracker);
    my ($session, $pid) = session($node);
    $session->query_until(qr/started/, "\\echo started\n" . ($statement // "SELECT clair.update('debian')") . ";\n");
    wait_for(10, sub { is_running() && helpers() }) or die 'the update does not start';
    return ($session, $pid);
}

# ---------------------------------------------------------------------------
# What feeds' servers do
# ---------------------------------------------------------------------------

serve_feed('whole', $tracker);
my $first = update('debian');
like($first, qr/^succeeded\|[1-9]\d*\|0\|\d+\|[1-9]\d*\|0\|0$/, 'the first update brings everything');
is(last_run('first, documents, bytes, phase'), 't|1|' . length($tracker) . '|done', 'its row says so');
nothing_left('first update');
my $old = knowledge();

is(update('debian'), 'unchanged|0|0|0|0|0|0', 'the same ETag: nothing is fetched');
is(last_run('documents, bytes'), '0|0', 'its row says so');
is(knowledge(), $old, 'nothing has changed');

serve_feed('gzip', "$tracker\n");
like(update('debian'), qr/^unchanged\|([1-9]\d*)\|\d+\|\d+\|0\|0\|0$/, 'compressed, with other blanks: all is known');

serve_feed('whole', $changed);
like(update('debian'), qr/^succeeded\|\d+\|\d+\|\d+\|\d+\|[1-9]\d*\|\d+$/, 'a changed feed changes what is known');
serve_feed('whole', $tracker);
like(update('debian'), qr/^succeeded\|/, 'and back');
is( scalar query($node, 'SELECT count(*) FROM clair.vulnerability WHERE until_run IS NULL AND frozen IS NULL'),
    scalar query($node, 'SELECT added FROM clair.update_run ORDER BY id LIMIT 1'),
    'what is current is what the first update brought');

$old = knowledge();
foreach my $case (
    [ '404 Not Found',             'server answered 404' ],
    [ '500 Internal Server Error', 'server answered 500' ],
    [ '304 Not Modified',          undef ],
    [ 'html',                      'not a JSON object' ],
    [ 'empty',                     'empty' ],
    [ 'truncated',                 'too early' ],
    [ 'elsewhere',                 'redirect to host "localhost" is not allowed' ])
{
    my ($mode, $reason) = @$case;

    serve_feed($mode);
    my $outcome = update('debian');
    if (defined $reason)
    {
        is($outcome =~ s/\|.*//r, 'failed', "$mode fails");
        like(last_run('error'), qr/\Q$reason\E/, "$mode: the reason is told");
    }
    else
    {
        is($outcome =~ s/\|.*//r, 'unchanged', "$mode is believed");
    }
    is(knowledge(), $old, "$mode: nothing has changed");
}
nothing_left('failed updates');
like(scalar query($node, "SELECT last_error FROM clair.update_status WHERE updater = 'debian'"),
    qr/localhost/, 'the status shows the last error');

set_parameter('clair.allow_private_networks', 'off');
serve_feed('whole');
like(update('debian'), qr/^failed/, 'private networks are asked only where the setting allows it');
like(last_run('error'), qr/127\.0\.0\.1/, 'the reason is told');
set_parameter('clair.allow_private_networks', 'on');

is(update('debian') =~ s/\|.*//r, 'unchanged', 'after all these the next update succeeds');
is(scalar query($node, "SELECT last_error FROM clair.update_status WHERE updater = 'debian'"),
    '', 'and the error is forgotten');

# ---------------------------------------------------------------------------
# Several at a time
# ---------------------------------------------------------------------------

my ($session, $pid) = start_stalled();
ends_within(1, 'a second update of the same feed does not wait', sub {
    is(scalar query($node, "SELECT state, run = (SELECT max(id) FROM clair.update_run)"
            . " FROM clair.update('debian')"), 'running|t', 'it names the run that is under way');
});
is(scalar query($node, "SELECT state FROM clair.update('debian', wait => false)"), 'running',
    'also when it would not wait');
is(scalar query($node, 'SELECT string_agg(updater || state, \' \' ORDER BY updater) FROM clair.update()'),
    'alpinesucceeded debianrunning', 'all but the one that runs are updated');
like(scalar query($node, "SELECT query FROM pg_stat_activity WHERE backend_type = 'clair updater'"),
    qr/^clair: debian: fetch \d+ MB/, 'its progress shows in pg_stat_activity');
is(scalar query($node, "SELECT state, phase FROM clair.update_status WHERE updater = 'debian'"),
    'running|fetch', 'and in the status');
$old = knowledge();

# ---------------------------------------------------------------------------
# Cancelled, terminated, killed
# ---------------------------------------------------------------------------

# Waits for the run to end, which must take less than a second; its state.
sub ended_as
{
    my ($name) = @_;

    ends_within(1, "$name within a second", sub {
        wait_for(5, sub { !is_running() && worker() eq '' });
    });
    return last_run('state');
}

query($node, "SELECT pg_cancel_backend($pid)");
is(ended_as('cancelling who waits ends the update'), 'cancelled', 'it is recorded as cancelled');
is(knowledge(), $old, 'nothing has changed');
nothing_left('waiter cancelled');
$session->quit;

($session, $pid) = start_stalled();
query($node, "SELECT pg_terminate_backend($pid)");
is(ended_as('terminating who waits ends the update'), 'cancelled', 'it is recorded as cancelled');
nothing_left('waiter terminated');
eval { $session->quit };

foreach my $function ('pg_cancel_backend', 'pg_terminate_backend')
{
    ($session, $pid) = start_stalled();
    query($node, "SELECT $function(" . worker() . ')');
    is(ended_as("$function() of the worker ends the update"), 'cancelled', 'it is recorded as cancelled');
    ok(wait_for(1, sub {
        query($node, "SELECT state FROM pg_stat_activity WHERE pid = $pid") eq 'idle'
    }), 'who waits is told at once');
    nothing_left("$function() of the worker");
    $session->quit;
}

serve_feed('stall');
is($node->psql('postgres', "SET statement_timeout = '500ms'; SELECT clair.update('debian')"), 3,
    'a timeout ends the wait');
is(ended_as('and the update'), 'cancelled', 'it is recorded as cancelled');
nothing_left('timeout');

($session, $pid) = start_stalled();
my $killed = last_run('id');
kill('KILL', worker()) == 1 or die "kill: $!";
eval { $session->quit };
ok(wait_for(30, sub { $node->psql('postgres', 'SELECT 1') == 0 }), 'after a kill, the server restarts');
is(scalar query($node, "SELECT state FROM clair.update_status WHERE updater = 'debian'"), 'failed',
    'the status says that the run has failed');
is(knowledge(), $old, 'nothing has changed');
nothing_left('kill');
serve_feed('whole');
is(update('debian') =~ s/\|.*//r, 'unchanged', 'the next update succeeds');
is(scalar query($node, "SELECT state, error FROM clair.update_run WHERE id = $killed"),
    'failed|its worker ended unexpectedly', 'and records what became of the killed one');

($session, $pid) = start_stalled();
ends_within(10, 'stopping the server does not wait for an update', sub { $node->stop('fast') });
eval { $session->quit };
is(scalar(helpers()), 0, 'no helper outlives the server');
$node->start;
is(knowledge(), $old, 'nothing has changed');
serve_feed('whole', $changed);
like(update('debian'), qr/^succeeded/, 'the next update succeeds');

# ---------------------------------------------------------------------------
# What others see, and without waiting; by whom
# ---------------------------------------------------------------------------

$old = knowledge();
serve_feed('whole', $tracker);
($session, $pid) = session($node);
query($session, 'BEGIN; LOCK TABLE clair.record IN SHARE MODE');
query($node, "SELECT clair.update('debian', wait => false)");
ok(wait_for(5, sub { query($node, 'SELECT count(*) FROM pg_locks WHERE NOT granted') eq '1' }),
    'an update that applies waits for a lock');
is(knowledge(), $old, 'others see the old state');
query($session, 'COMMIT');
ok(wait_for(5, sub { last_run('state, changed > 0') eq 'succeeded|t' }), 'then the new one');
isnt(knowledge(), $old, 'others see the new state');
$session->quit;

serve_feed('whole', $changed);
is(scalar query($node, "BEGIN; CREATE TEMPORARY TABLE written (); SELECT updater, run, state, added"
        . " FROM clair.update('debian', wait => false); COMMIT"),
    'debian||started|', 'without waiting, an update is started from any transaction');
ok(wait_for(10, sub {
    # a worker holds the updater's lock for a moment longer
    last_run("state, changed > 0, (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'clair updater')")
        eq 'succeeded|t|0';
}), 'and succeeds');

query($node, 'CREATE ROLE updating LOGIN; GRANT USAGE ON SCHEMA clair TO updating;'
    . ' GRANT EXECUTE ON FUNCTION clair.update(text, boolean) TO updating;');
is($node->safe_psql('postgres', "SELECT state FROM clair.update('debian')", extra_params => [ '-U', 'updating' ]),
    'unchanged', 'a role that may execute the function may update');
is(last_run('requested_by'), 'updating', 'and is recorded');

set_parameter('clair.max_update_workers', 1);
($session, $pid) = start_stalled();
is(scalar query($node, "SELECT state FROM clair.update('alpine', wait => false)"), 'started',
    'where all places are taken, an update is accepted');
ok( wait_for(5, sub {
        query($node, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'clair: waiting%'") eq '1'
    }),
    'and waits');
query($node, "SELECT pg_cancel_backend($pid)");
ok( wait_for(5, sub {
        query($node, 'SELECT updater, state FROM clair.update_run ORDER BY id DESC LIMIT 1') eq
            'alpine|unchanged'
    }),
    'until one is free');
$session->quit;
set_parameter('clair.max_update_workers', 2);
nothing_left('waiting for a place');

# ---------------------------------------------------------------------------
# Schedules
# ---------------------------------------------------------------------------

SKIP:
{
    skip 'there is no pg_cron', 5 if !$has_cron;

    query($node, 'CREATE EXTENSION pg_cron');
    query($node, "SELECT clair.schedule('debian', '17 * * * *'), clair.schedule(NULL, '0 3 * * *')");
    is( scalar query($node, 'SELECT jobname, schedule, command FROM cron.job ORDER BY jobid'),
        "clair debian|17 * * * *|SELECT clair.update('debian', wait => false)\n"
            . 'clair|0 3 * * *|SELECT clair.update(wait => false)',
        'schedules are stored');
    query($node, "SELECT clair.schedule('debian', '18 * * * *')");
    is(scalar query($node, "SELECT count(*), max(schedule) FROM cron.job WHERE jobname = 'clair debian'"),
        '1|18 * * * *', 'a new one replaces the former one');
    like(outcome($node, "SELECT clair.schedule('debian', 'sometimes')"), qr/invalid schedule/,
        'what is none is refused');
    query($node, "SELECT clair.unschedule('debian'), clair.unschedule(NULL)");
    is(scalar query($node, 'SELECT count(*) FROM cron.job'), '0', 'and are undone');
    $node->safe_psql('postgres', 'CREATE DATABASE other');
    create_extension($node, 'other');
    my (undef, undef, $message) = $node->psql('other', "SELECT clair.schedule('debian', '1 1 * * *')");
    like($message, qr/not in this database but in "postgres".*schedule_in_database\('clair debian', '1 1/s,
        'in another database, the way there is told');
}

# ---------------------------------------------------------------------------
# Where no worker can be
# ---------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby = on');
$standby->start;
ends_within(5, 'a standby refuses at once', sub {
    my (undef, undef, $message) = $standby->psql('postgres', "SELECT clair.update('debian')");
    like($message, qr/during recovery/, 'and says why');
});
$standby->stop;

$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
like(outcome($node, "SELECT clair.update('debian')"), qr/^53000: could not start a background worker\nHINT:/,
    'where there is no place for a worker, that is an error');
$node->stop;

done_testing();
