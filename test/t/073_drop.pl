# Proves that the extension can be dropped, and its database, whatever it is doing at the time: what runs ends
# with one clear word, nothing is left, and a new one works.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;
use Time::HiRes qw(sleep);
use WebServer;

my $node = start_server('server', 'max_worker_processes = 16', 'clair.allow_private_networks = on',
    'clair.fetch_retries = 0', "clair.fetch_stall_timeout = '2s'");
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# A server that begins to answer and goes on until nobody listens.
sub stall
{
    my ($client) = @_;

    print $client "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{";
    $client->flush();
    <$client>;
}

my $server = WebServer->start('/feed' => \&stall, '/hook' => \&stall);

# The pids of clair's workers, and of the processes that any of them has started.
query($session, 'CREATE TEMPORARY TABLE known (pid integer)');

sub workers
{
    return query($session, "INSERT INTO known SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'clair%' RETURNING pid");
}

sub helpers
{
    return map { processes_of($_) } query($session, 'SELECT pid FROM pg_stat_activity UNION TABLE known ORDER BY 1');
}

# Checks that nothing is left of what ran in a database that has ended.
sub nothing_is_left
{
    my ($name) = @_;

    ok(wait_for(30, sub { !workers() }), "$name: no worker is left")
        or diag(query($session, "SELECT backend_type, state, wait_event, query FROM pg_stat_activity WHERE backend_type LIKE 'clair%'"));
    ok(wait_for(10, sub { !helpers() }), "$name: no helper is left");
    is(scalar query($session, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, "$name: no lock is left");
    my $data = $node->data_dir;
    is(join(' ', glob "$data/base/pgsql_tmp/*"), '', "$name: no temporary file is left");
    is(shown_in_log($node, 'was terminated by signal|server process .* was terminated'), 0, "$name: nothing has crashed");
}

# Works in a database from the start.
sub works_anew
{
    my ($name, $database) = @_;
    my $where = $node->background_psql($database, on_error_stop => 0);

    query($where, 'CREATE EXTENSION clair');
    write_file("$folder/new.json", { bash => { 'CVE-2031-0001' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } } });
    set_feed($where, 'debian', "$folder/new.json");
    is(update($where, 'debian')->{state}, 'succeeded', "$name: a new one updates");
    index_file($where, debian_layer($folder, 'new', 12, [ 'bash', '5.2-1' ]), 'new');
    is(scalar query($where, "SELECT vulnerability FROM clair.vulnerabilities('new')"), 'CVE-2031-0001', "$name: ... and finds");
    $where->quit;
}

# What may run, begun in a session; true when it does.
sub update_that_fetches
{
    my ($where) = @_;

    query($where, "UPDATE clair.updater SET url = '" . $server->url('/feed') . "' WHERE name = 'debian'");
    query($where, "SELECT clair.update('debian', wait => false)");
    return wait_for(30, sub { workers() && helpers() });
}

sub update_that_stages
{
    my ($where) = @_;

    query($where, "CREATE FUNCTION public.slow() RETURNS SETOF clair.advisory LANGUAGE sql AS"
        . ' $$SELECT clair.advisory(\'CVE-1\', \'debian:12\', \'bash\', \'1\') FROM pg_sleep(3)$$');
    query($where, "SELECT clair.create_updater('slow', function => 'public.slow()')");
    query($where, "SELECT clair.update('slow', wait => false)");
    return wait_for(30, sub { query($where, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") });
}

sub images_that_are_indexed
{
    my ($where) = @_;

    query($where, "CREATE FUNCTION public.slow(path text, content bytea) RETURNS TABLE (name text, version text)"
        . " LANGUAGE sql AS \$\$ SELECT 'a', '1' FROM pg_sleep(3) \$\$");
    query($where, "SELECT clair.create_detector('slow', 'public.slow(text, bytea)', '{srv/*}', 'dpkg', 'name:1')");
    my @images = map { debian_layer($folder, $_, 12, [ 'bash', '5.2-1' ]) } 'first', 'second';
    write_file("$folder/index.sql", "SELECT * FROM clair.index_images(ARRAY['$images[0]', '$images[1]'])");
    system("psql -X -q -f $folder/index.sql -d '" . $node->connstr('running') . "' >$folder/index.out 2>&1 &");
    return wait_for(30, sub { workers() && query($where, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") });
}

sub webhooks_in_delivery
{
    my ($where) = @_;

    fill_database($where, $folder, images => 0);
    query($where, 'DELETE FROM clair.webhook_receipt');
    query($where, "SELECT clair.alter_webhook('pager', url => '" . $server->url('/hook') . "', enabled => true)");
    query($where, 'SELECT clair.deliver_webhooks(wait => false)');
    return wait_for(30, sub { workers() && helpers() });
}

# A version to come, which the library is not of.
my $scripts = $node->config_data('--sharedir') . '/extension';
my $present = query($session, "SELECT extversion FROM pg_extension WHERE extname = 'clair'");

END
{
    unlink "$scripts/clair--$present--997.sql" if defined $scripts;
}
write_file("$scripts/clair--$present--997.sql", 'SET LOCAL search_path = clair, pg_temp; ALTER TABLE clair.layer ADD COLUMN more text;');

my $GONE = 'ERROR:  extension "clair" does not exist in this database';
my $OTHER = "ERROR:  the library of clair is of version \Q$present\E, the extension in this database of version 997";

# What is done, while what runs; what the statement comes to, and what the server's log says of the rest.
my @cases = (
    [ 'DROP EXTENSION clair', \&update_that_fetches, 'an update that fetches', 'ok', $GONE ],
    [ 'DROP EXTENSION clair CASCADE', \&update_that_stages, 'an update that stages', 'ok', $GONE ],
    [ 'DROP DATABASE running WITH (FORCE)', \&images_that_are_indexed, 'images that are indexed', 'ok',
        'FATAL:  terminating background worker "clair indexer"' ],
    [ "ALTER EXTENSION clair UPDATE TO '997'", \&update_that_fetches, 'an update that fetches', 'ok', $OTHER ],
);
push @cases, (
    [ 'DROP EXTENSION clair', \&update_that_stages, 'an update that stages',
        qr/^ERROR:  cannot drop extension clair because other objects depend on it\nDETAIL:.*pg_temp_\d+\.stage_/s, undef ],
    [ 'DROP EXTENSION clair CASCADE', \&images_that_are_indexed, 'images that are indexed', 'ok', undef ],
    [ 'DROP EXTENSION clair CASCADE', \&webhooks_in_delivery, 'webhooks in delivery', 'ok', $GONE ],
    [ 'DROP DATABASE running WITH (FORCE)', \&update_that_fetches, 'an update that fetches', 'ok', undef ],
    [ 'DROP DATABASE running WITH (FORCE)', \&update_that_stages, 'an update that stages', 'ok',
        'FATAL:  terminating background worker "clair updater"' ],
    [ 'DROP DATABASE running WITH (FORCE)', \&webhooks_in_delivery, 'webhooks in delivery', 'ok', undef ],
    [ "ALTER EXTENSION clair UPDATE TO '997'", \&webhooks_in_delivery, 'webhooks in delivery', 'ok', $OTHER ],
) if $ENV{CLAIR_TEST_LONG};

foreach my $case (@cases)
{
    my ($statement, $begin, $what, $outcome, $said) = @$case;
    my $name = "$statement, $what";
    my $where = new_database($node, 'running');
    my $before = defined $said ? shown_in_log($node, $said) : 0;

    ok($begin->($where), "$name: it runs");
    $where->quit if $statement =~ /DATABASE/;
    like(outcome_of($statement =~ /DATABASE/ ? 'postgres' : 'running', $statement), ref $outcome ? $outcome : qr/^$outcome$/, $name);
    nothing_is_left($name);
    ok(!defined $said || shown_in_log($node, $said) > $before, "$name: the log says why it ended");
    next if $statement =~ /DATABASE/;
    if (ref $outcome)
    {
        is(scalar query($where, "SELECT state FROM clair.update_status WHERE updater = 'slow'"), 'succeeded', "$name: it has gone on");
    }
    elsif ($statement =~ /DROP/)
    {
        is(scalar query($where, "SELECT count(*) FROM pg_class WHERE relname LIKE 'stage\\_%' OR relnamespace::regnamespace::text = 'clair'"), 0,
            "$name: no table is left");
        works_anew($name, 'running');
    }
    $where->quit;
    $node->safe_psql('postgres', 'DROP DATABASE running');
}
# What a statement in a session of its own comes to.
sub outcome_of
{
    my ($database, $statement) = @_;
    my ($status, $out, $errors) = $node->psql($database, "SET statement_timeout = '20s'; SET client_min_messages = warning; $statement");

    return $status == 0 ? 'ok' : $errors =~ s/^psql:\S+ //r;
}

$session->quit;
done_testing();
