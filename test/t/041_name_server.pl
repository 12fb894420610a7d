# Proves that an update can be cancelled at once while the name server hangs: the resolver waits for
# seconds in a thread of its own, and nobody waits for that.
#
# The server runs in namespaces of its own, with a network that has nothing but the loopback
# interface, and on it a name server that takes every question and never answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IndexTest;
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# Becomes root in the first namespace, and an ordinary user, as a server must be, in the second.
my @AS_ROOT = qw(unshare --user --map-root-user --mount --net);
my @AS_USER = ('unshare', '--user', '--map-user=1000');

my $folder = PostgreSQL::Test::Utils::tempdir();
my $resolver = "$folder/resolver";

# Raises the loopback interface, becomes the name server, puts its address into the place of
# the system's, and starts what it is told to.
append_to_file($resolver, <<'PERL');
use strict;
use warnings;
use IO::Socket::INET;

my ($folder, @command) = @ARGV;
my ($SIOCSIFFLAGS, $IFF_UP, $MS_BIND, $SYS_MOUNT) = (0x8914, 1, 4096, 165);
my $socket = IO::Socket::INET->new(Proto => 'udp') or die "socket: $!";

my $request = pack('Z16 s x14', 'lo', $IFF_UP);
ioctl($socket, $SIOCSIFFLAGS, $request) or die "ioctl: $!";
my $silent = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 53)
    or die "bind: $!";
open(my $file, '>', "$folder/resolv.conf") or die "resolv.conf: $!";
print $file "nameserver 127.0.0.1\noptions timeout:10 attempts:2\n";
close($file);
my ($source, $target, $none) = ("$folder/resolv.conf", '/etc/resolv.conf', '');
syscall($SYS_MOUNT, $source, $target, $none, $MS_BIND, $none) == 0 or die "mount: $!";
my $child = fork() // die "fork: $!";
if ($child == 0)
{
    exec(@command) or die "exec: $!";
}
$SIG{TERM} = sub { kill 'INT', $child };
1 while waitpid($child, 0) < 0;
exit($? >> 8);
PERL

plan skip_all => 'the number of mount() is known for x86_64 only' if `uname -m` ne "x86_64\n";
if (!IPC::Run::run([ @AS_ROOT, $^X, $resolver, $folder, @AS_USER, 'true' ], '>&', \my $words))
{
    note($words);
    plan skip_all => "namespaces of one's own are not permitted here";
}

my $node = start_server('name_server', "clair.fetch_retries = 0", "clair.fetch_connect_timeout = '60s'");
$node->stop;

my $server = fork() // die "fork: $!";
if ($server == 0)
{
    open(STDOUT, '>>', $node->logfile);
    open(STDERR, '>&', \*STDOUT);
    exec('setpriv', '--pdeathsig', 'TERM', '--', @AS_ROOT, $^X, $resolver, $folder, @AS_USER,
        $node->installed_command('postgres'), '-D', $node->data_dir) or POSIX::_exit(127);
}
ok(comes_up($node), 'a server starts where names are not answered');

# Runs the update and cancels it after a second: how it ends, and after how many seconds of waiting.
sub cancelled
{
    my ($cancel) = @_;
    my ($updating) = session($node);
    my $running = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'clair updater'";

    $updating->query_until(qr/started/,
        "\\echo started\nSELECT state FROM clair.update('debian');\n\\echo ended\n");
    $node->poll_query_until('postgres', "$running", '1') or die 'the update does not run';
    $node->poll_query_until('postgres',
        "SELECT count(*) > 0 FROM clair.update_run WHERE state = 'running' AND now() > started_at + interval '1 s'");
    my $before = time();
    $node->safe_psql('postgres', $cancel);
    $node->poll_query_until('postgres', $running, '0');
    my $seconds = time() - $before;
    eval { $updating->quit };
    return $seconds;
}

my %cancels = (
    'the waiting caller' =>
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%clair.update(%' AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    'the worker' =>
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'clair updater'",
    'the worker, for good' =>
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'clair updater'",
);
foreach my $what (sort keys %cancels)
{
    my $seconds = cancelled($cancels{$what});

    # The resolver would wait for 20 s; what is bounded here is that nobody waits for it.
    cmp_ok($seconds, '<', 5, "cancelling $what does not wait for the name server");
    note(sprintf('%.3f s', $seconds));
    is($node->safe_psql('postgres', "SELECT count(*) FROM clair.update_run WHERE state = 'running'"),
        '0', 'the run has ended');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM clair.vulnerability'), '0', 'nothing is stored');

kill 'TERM', $server;
is(waitpid($server, 0), $server, 'the server stops');
done_testing();
