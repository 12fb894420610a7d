# Proves that statements and workers that are cancelled, ended or timed out at random, and any two
# operations at the same time, leave everything as it would be had nothing happened: the same rows as in
# a database where nobody was disturbed, nothing inconsistent, nothing left behind, no deadlock.
#
# Some clients run a mixture of everything at once, while others cancel and end whatever they find at
# work: 50 times here, 1,000 times in the long form (or CLAIR_TEST_STORM times).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FaultServer;
use FeedTest;
use IndexTest;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use WebServer;

my $WANTED  = $ENV{CLAIR_TEST_STORM} // ($ENV{CLAIR_TEST_LONG} ? 1000 : 50);
my $CLIENTS = 4;
my $folder  = PostgreSQL::Test::Utils::tempdir();
my $node    = start_server('storm', 'max_connections = 40', 'max_worker_processes = 16', 'fsync = off',
    'clair.allow_private_networks = on', 'clair.webhook_retry_delay = 20ms', 'clair.fetch_retries = 0',
    'deadlock_timeout = 200ms', 'log_min_messages = warning', 'log_lock_waits = off',
    'dynamic_shared_memory_type = mmap', 'min_dynamic_shared_memory = 0');
srand(4711);

# ---------------------------------------------------------------------------
# What there is to do
# ---------------------------------------------------------------------------

my @release = ('etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n");
my @layers = map {
    make_layer("$folder/layer$_.tar", ($_ == 0 ? @release : ()), "srv/$_" => $_, 'var/lib/dpkg/status' =>
        status_paragraphs([ 'bash', '5.2-1' ], map { [ "package$_", '1-1' ] } 1 .. 200 * ($_ + 1)))
} 0 .. 3;
my @images;
foreach my $image (0 .. 5)
{
    my $path = "$folder/image$image.tar";
    # images share layers, in different orders
    write_docker_archive($path, "image:$image", @layers[ 0, 1 + $image % 3, $image > 2 ? 1 + ($image + 1) % 3 : () ]);
    push @images, $path;
}

# What docker save writes.
sub write_docker_archive
{
    my ($path, $name, @parts) = @_;
    my $into = PostgreSQL::Test::Utils::tempdir();
    my @names;

    foreach my $part (@parts)
    {
        push @names, scalar(@names) . '.tar';
        write_file("$into/$names[-1]", slurp_file($part));
    }
    write_file("$into/config.json", { architecture => 'amd64', os => 'linux', rootfs => { type => 'layers',
            diff_ids => [ map { 'sha256:' . Digest::SHA->new(256)->addfile($_)->hexdigest } @parts ] } });
    write_file("$into/manifest.json", [ { Config => 'config.json', RepoTags => [$name], Layers => \@names } ]);
    system_or_bail('tar', '-C', $into, '--mtime=@0', '-cf', $path, 'manifest.json', 'config.json', @names);
}

# Two states of two feeds, the second of which is fetched.
sub tracker
{
    my ($state) = @_;
    my %packages = (bash => {}, map { ("package$_" => {}) } 1 .. 50);

    foreach my $package (sort keys %packages)
    {
        foreach my $number (1 .. 8)
        {
            next if ($number + length $package) % 4 == $state;
            my $fixed = $number % 2 == $state;
            $packages{$package}{"CVE-2031-$number"} = { releases => { bookworm => { urgency => $fixed ? 'high' : 'low',
                        status => $fixed ? 'resolved' : 'open', $fixed ? (fixed_version => '9-1') : () } } };
        }
    }
    return \%packages;
}

write_file("$folder/tracker$_.json", tracker($_)) foreach 0, 1;
write_file("$folder/partner$_.json", { packages => [ { pkg => { name => 'curl',
                secfixes => { "8.$_-r0" => [ 'CVE-2031-5', "CVE-2031-6$_" ] } } } ] }) foreach 0, 1;
my $web = WebServer->start('/tracker.json' => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, '200 OK', {}, slurp_file("$folder/tracker" . $before % 2 . '.json'));
    },
    '/hook' => sub { WebServer::answer($_[0], '200 OK', {}, '') },
    '/layer' => sub { WebServer::answer($_[0], '200 OK', {}, slurp_file($layers[1])) });

my $PREPARE = <<"SQL";
UPDATE clair.updater SET url = '${\ $web->url('/tracker.json')}', options = '{"max_shrinkage": 100}'
WHERE name = 'debian';
SELECT clair.create_updater('partner', 'file://$folder/partner0.json', 'secdb',
    '{"namespace": "wolfi:rolling", "max_shrinkage": 100}');
SELECT clair.create_consumer('reader'), clair.create_consumer('hook');
SELECT clair.create_webhook('hook', '${\ $web->url('/hook')}', max_attempts => 1000);
SQL

# Operations, by name: what is done again and again, in any order.
my %operations = (
    index_image => sub { my $n = int rand 6; "SELECT clair.index_image('$images[$n]')" },
    index_twice => sub { "SELECT clair.index_image('$images[3]'), clair.index_image('$images[4]')" },
    index_images => sub { 'SELECT clair.index_images(\'{' . join(',', reverse @images) . '}\')' },
    index_layer => sub { "SELECT clair.index_layer('layer', '${\ $web->url('/layer')}')" },
    delete_image => sub { my $n = int rand 6; "SELECT clair.delete_image('image:$n')" },
    update => sub { "SELECT clair.update('debian')" },
    update_other => sub {
        my $n = int rand 2;
        "UPDATE clair.updater SET url = 'file://$folder/partner$n.json' WHERE name = 'partner';"
            . " SELECT clair.update('partner')";
    },
    update_all => sub { "SELECT clair.update('debian', wait => false)" },
    export => sub { "SELECT clair.export_updates('$folder/export')" },
    clean_up => sub { "SELECT clair.clean_up('0', '0')" },
    deliver => sub { 'SELECT clair.deliver_webhooks()' },
    receive => sub { "SELECT clair.next_notifications('reader', 5); SELECT clair.acknowledge_until('reader', 1000000)" },
    create_and_drop => sub {
        "SELECT clair.create_updater('third', 'file://$folder/partner1.json', 'secdb', '{\"namespace\": \"wolfi:rolling\"}');"
            . " SELECT clair.update('third'); SELECT clair.drop_updater('third')";
    },
    advisory => sub {
        my $n = int rand 3;
        "INSERT INTO clair.local_advisory (vulnerability, namespace, package, fixed, severity)"
            . " VALUES ('OURS-$n', 'debian:12', 'bash', '9', 'High');"
            . " DELETE FROM clair.local_advisory WHERE vulnerability = 'OURS-$n'";
    },
    report => sub { "SELECT count(*) FROM clair.image_vulnerability; SELECT count(*) FROM clair.check_health()" },
);

# Errors that are answers: what another one is doing, or has done, or what has been done to it.
my $ANSWER = join '|', 'canceling statement', 'terminating connection', 'does not exist', 'already exists',
    'is running', 'worker ended', 'workers ended', 'no worker was left', 'the worker for', 'ended before',
    'could not start a background worker', 'there is nothing to export';

# Brings everything to a state that does not depend on what was before.
sub bring_to_end
{
    my ($session, $again) = @_;
    my $web_state = $web->count('/tracker.json') % 2;

    query($session, "SELECT clair.drop_updater(name) FROM clair.updater WHERE name = 'third'");
    query($session, 'DELETE FROM clair.local_advisory');
    query($session, 'SELECT clair.delete_image(id::text) FROM clair.image'
        . ' WHERE id NOT IN (SELECT image_id FROM clair.image_name) ORDER BY id');
    query($session, "SELECT clair.index_image('$_')") foreach @images;
    query($session, "SELECT clair.index_layer('layer', '${\ $web->url('/layer')}')");
    query($session, "UPDATE clair.updater SET url = 'file://$folder/partner1.json' WHERE name = 'partner'");
    # the feed answers by turns: one state at last
    query($session, "SELECT clair.update('debian')") if $web_state == 1;
    is(scalar query($session, "SELECT string_agg(state, ' ') FROM clair.update('debian')") =~ s/unchanged/succeeded/r,
        'succeeded', 'the next update succeeds');
    is(scalar query($session, "SELECT state FROM clair.update('partner')") =~ s/unchanged/succeeded/r,
        'succeeded', 'and the other one');
    query($session, "SELECT clair.clean_up('0', '0')");
}

# ---------------------------------------------------------------------------
# Undisturbed
# ---------------------------------------------------------------------------

my $calm = new_database($node, 'calm');
create_checks($node, 'calm');
query($calm, $PREPARE);
query($calm, "SELECT clair.alter_webhook('hook', enabled => false)");
bring_to_end($calm);
my $expected = contents($calm);
is(inconsistencies($calm), '', 'what nobody disturbed is consistent');
$calm->quit;

create_checks($node, 'postgres');
my ($session, $backend) = session($node);
query($session, $PREPARE);

# ---------------------------------------------------------------------------
# Any two at once
# ---------------------------------------------------------------------------

# Runs statements in sessions of their own, at once; their errors that are no answers.
sub run_at_once
{
    my @statements = @_;
    my @runs = map { { in => "$_;\n", err => '' } } @statements;

    foreach my $run (@runs)
    {
        $run->{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ], '<',
            \$run->{in}, '>', '/dev/null', '2>', \$run->{err}, IPC::Run::timeout(240));
    }
    eval { IPC::Run::finish($_->{handle}) } or $runs[0]{err} .= "ERROR: $@" foreach @runs;
    return grep { !/$ANSWER/ } map { $_->{err} =~ /^.*(?:ERROR|FATAL|WARNING):.*/mg } @runs;
}

sub is_quiet
{
    my ($name) = @_;

    is(quiet($node, $session), '', "$name: nothing is left behind");
    is(inconsistencies($session), '', "$name: all is consistent");
}

my @names = sort keys %operations;
my @wrong;
my $pairs = 0;
foreach my $first (0 .. $#names)
{
    foreach my $second ($first .. $#names)
    {
        # in the short form each with itself, and with one other; the storm mixes them all
        next if !$ENV{CLAIR_TEST_LONG} && $second != $first && $second != $first + 3;
        my @two = ($operations{ $names[$first] }->(), $operations{ $names[$second] }->());
        push @wrong, map { "$names[$first] and $names[$second]: $_" } run_at_once(@two);
        $pairs++;
    }
}
is(join("\n", @wrong), '', "$pairs pairs of operations at once: no error that is not an answer");
is_quiet('pairs');

# ---------------------------------------------------------------------------
# The storm
# ---------------------------------------------------------------------------

# Statements of a client: sometimes with a timeout of the statement or of locks.
sub client_script
{
    return join '', map {
        my $name = $names[ int rand @names ];
        my $setting = rand() < 0.2 ? 'statement_timeout = ' . (1 + int rand 100)
            : rand() < 0.2 ? 'lock_timeout = ' . (1 + int rand 20) : 'statement_timeout = 0';
        "SET $setting;\n" . $operations{$name}->() . ";\nRESET statement_timeout; RESET lock_timeout;\n"
    } 1 .. 200;
}

# What disturbs: now and then a session or a worker that works is cancelled, or ended, at random.
sub disturb
{
    my ($number) = @_;
    my $function = $number % 5 == 0 ? 'pg_terminate_backend' : 'pg_cancel_backend';

    return query($session, "SELECT $function(pid)::text FROM (SELECT pid FROM pg_stat_activity"
        . " WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = 'postgres'"
        . " AND (backend_type LIKE 'clair%' OR backend_type = 'client backend') ORDER BY random() LIMIT 1) AS v") eq 'true';
}

my %clients;
my $errors = '';

sub start_client
{
    my ($number) = @_;
    my $client = $clients{$number} = { in => client_script(), err => '' };

    $client->{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ], '<',
        \$client->{in}, '>', '/dev/null', '2>', \$client->{err});
}

my $disturbed = 0;
my $since = time();

start_client($_) foreach 1 .. $CLIENTS;
while ($disturbed < $WANTED)
{
    sleep(rand() * 0.1);
    $disturbed += disturb($disturbed);
    foreach my $number (keys %clients)
    {
        my $client = $clients{$number};
        $client->{handle}->pump_nb;
        next if $client->{handle}->pumpable;
        eval { $client->{handle}->finish };
        $errors .= $client->{err};
        start_client($number);
    }
}
foreach my $client (values %clients)
{
    $client->{handle}->kill_kill;
    $errors .= $client->{err};
}
note(sprintf '%d disturbances in %.1f s; statements that were cancelled: %d, that timed out: %d, that waited too long: %d,'
    . ' sessions that were ended: %d', $disturbed, time() - $since,
    scalar(() = $errors =~ /due to user request/g), scalar(() = $errors =~ /statement timeout/g),
    scalar(() = $errors =~ /lock timeout/g), scalar(() = $errors =~ /terminating connection/g));
@wrong = grep { !/$ANSWER/ } $errors =~ /^.*(?:ERROR|FATAL):.*/mg;
is(join("\n", splice @wrong, 0, 10), '', "$disturbed cancels and ends at random: no error that is not an answer");

# the server has lived on
is(query($session, 'SELECT pg_backend_pid()'), $backend, 'no session was ended that nobody ended');
is(shown_in_log($node, 'was terminated by signal'), 0, 'no process has crashed');
is(shown_in_log($node, 'deadlock detected'), 0, 'nobody has been in a deadlock');
is(shown_in_log($node, 'leak'), 0, 'nothing has leaked that the server knows of');
# whoever has failed often, for all that was cancelled, would have to wait long: now, instead
query($session, 'UPDATE clair.webhook_state SET failures = 0, resume_at = NULL;'
    . " UPDATE clair.delivery SET attempts = 0, due_at = NULL WHERE consumer = 'hook' AND state = 'pending';"
    . " DELETE FROM clair.webhook_receipt WHERE consumer = 'hook'; SELECT clair.deliver_webhooks()");
is_quiet('storm');

query($session, 'SELECT clair.deliver_webhooks()');
is(quiet($node, $session), '', 'webhooks have everything');
is(scalar query($session, "SELECT count(*) FROM clair.delivery WHERE consumer = 'hook' AND state = 'pending'"), '0',
    'nothing was lost');
query($session, "SELECT clair.alter_webhook('hook', enabled => false)");
bring_to_end($session);
same_lines(contents($session), $expected, 'the same rows as where nobody was disturbed');
is_quiet('at the end');
$session->quit;
$node->stop;
done_testing();
