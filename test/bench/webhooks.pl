#!/usr/bin/perl
# Measures webhooks: from a commit to the receipt, and deliveries to a receiver that answers at once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t/lib";

use Bench;
use HelperProcess;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

my $COUNT  = 5_000;
my $BODY   = 900; # bytes of what is posted, about
my $LATEST = "$ENV{TMPDIR}/latest"; # when a request came last

# ---------------------------------------------------------------------------
# A receiver that keeps connections, as cheap as Perl can
# ---------------------------------------------------------------------------

sub note_time
{
    open(my $file, '>', "$LATEST.new") or die "$LATEST: $!\n";
    printf $file '%.6f', time();
    close($file);
    rename("$LATEST.new", $LATEST) or die "$LATEST: $!\n";
}

# Takes whole requests off what has come, and answers them.
sub answer_requests
{
    my ($client, $input) = @_;

    while ($$input =~ /^.*?\r\nContent-Length: (\d+)(?=\r\n).*?\r\n\r\n/si && length($$input) >= $+[0] + $1)
    {
        substr($$input, 0, $+[0] + $1, '');
        note_time();
        syswrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

sub serve
{
    my ($listener) = @_;
    my $parent = getppid();
    my $select = IO::Select->new($listener);
    my %input;

    alarm(900);
    while (getppid() == $parent)
    {
        foreach my $client ($select->can_read(1))
        {
            if ($client == $listener)
            {
                $select->add($listener->accept());
            }
            elsif (sysread($client, $input{$client}, 65536, length($input{$client} // '')))
            {
                answer_requests($client, \$input{$client});
            }
            else
            {
                delete $input{$client};
                $select->remove($client);
                close($client);
            }
        }
    }
    POSIX::_exit(0);
}

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or die "listen: $!\n";
my $url      = 'http://127.0.0.1:' . $listener->sockport . '/';
my $receiver = fork() // die "fork: $!\n";
serve($listener) if $receiver == 0;

# ---------------------------------------------------------------------------
# Notifications
# ---------------------------------------------------------------------------

query("LOAD 'clair'; ALTER SYSTEM SET clair.allow_private_networks = on; SELECT pg_reload_conf()");
query("SELECT clair.create_consumer('bench'); SELECT clair.create_webhook('bench', '$url', secret => 'secret')");

# Writes so many notifications for the webhook, each of a vulnerability of its own.
sub notify
{
    my ($count) = @_;

    return <<"SQL";
WITH written AS (
    INSERT INTO clair.notification (run, updater, vulnerability, reason, severity, images, after)
    SELECT 1, 'debian', 'CVE-2031-' || i, 'added', 'High', 1,
        jsonb_build_array(jsonb_build_object('namespace', 'debian:12', 'text', repeat('x', 400)))
    FROM generate_series(1, $count) AS i
    RETURNING id, vulnerability)
INSERT INTO clair.delivery (consumer, notification, vulnerability) SELECT 'bench', id, vulnerability FROM written
SQL
}

# Seconds from the commit of one notification, for which a worker is started, until it is there.
sub latency
{
    query('BEGIN; ' . notify(1) . "; SELECT clair.alter_webhook('bench')");
    my $since = time();
    query('COMMIT');
    query('SELECT clair.deliver_webhooks()');
    open(my $file, '<', $LATEST) or die "$LATEST: $!\n";
    my $seconds = <$file> - $since;
    query("SELECT pg_sleep(0.05) WHERE EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'clair webhooks')")
        foreach 1 .. 5;
    return 1000 * $seconds;
}

# Seconds of delivering many, at the webhook's four at a time.
sub deliver
{
    query("SELECT clair.alter_webhook('bench', enabled => false)");
    query(notify($COUNT));
    query('ANALYZE clair.delivery');
    query("UPDATE clair.webhook SET enabled = true");
    my $seconds = timed('SELECT clair.deliver_webhooks()');
    die "not all were delivered\n"
        if query("SELECT pending FROM clair.webhook_status") != 0;
    query('DELETE FROM clair.delivery; DELETE FROM clair.notification');
    return $seconds;
}

# Seconds of clair-fetch alone for as many posts of that size, four at a time.
sub post
{
    my $fetch = HelperProcess->start(HelperProcess::program_path('clair-fetch'));
    my $since = time();
    my $sent  = 0;

    $fetch->receive();
    $fetch->send_frame('j', [ allow_private_networks => 'true', parallel => 16 ]);
    foreach my $answered (0 .. $COUNT - 1)
    {
        while ($sent < $COUNT && $sent < $answered + 4)
        {
            $fetch->send_frame('t', [ $sent++, $url, undef, undef, 65_536, undef, 'x' x $BODY, 10, undef, undef ]);
        }
        $fetch->answer();
    }
    $fetch->send_frame('s', []);
    $fetch->answer();
    return time() - $since;
}

latency();
my @latencies = map { latency() } 1 .. 15;
show('from commit to receipt', 'ms', @latencies);
my ($delivered, $posted) = in_turn(5, \&deliver, \&post);
show('deliveries', '/s', map { $COUNT / $_ } @$delivered);
show('posts of clair-fetch alone', '/s', map { $COUNT / $_ } @$posted);
kill('TERM', $receiver);
waitpid($receiver, 0);

result('from commit to receipt', median(@latencies), 250, 'ms');
result('delivering, against posting alone', paired(sub { $_[0] / $_[1] }, $delivered, $posted), 6, 'times');
