# Proves that no way leads clair-fetch to a private address: neither a redirect, nor a name, nor a name
# that means another address when it is asked again.
#
# It runs in namespaces of its own, where the loopback interface has a public address, and where
# its own name server answers: "public.test" with that, "private.test" with 127.0.0.1, "turning.test" with
# the one and then with the other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempfile);
use HelperProcess;
use IO::Socket::INET;
use IPC::Run;
use POSIX ();
use Test::More;

my $PUBLIC = '93.184.216.34';
my ($SIOCSIFADDR, $SIOCSIFFLAGS, $IFF_UP, $MS_BIND, $SYS_MOUNT) = (0x8916, 0x8914, 1, 4096, 165);

if (($ARGV[0] // '') ne 'inside')
{
    my @inside = (qw(unshare --user --map-root-user --mount --net), $^X, map({ "-I$_" } @INC), $0, 'inside');

    plan skip_all => 'the number of mount() is known for x86_64 only' if `uname -m` ne "x86_64\n";
    if (!IPC::Run::run([ qw(unshare --user --map-root-user --mount --net true) ], '>&', \my $words))
    {
        note($words);
        plan skip_all => "namespaces of one's own are not permitted here";
    }
    exec(@inside) or die "exec: $!";
}

# ---------------------------------------------------------------------------
# The network
# ---------------------------------------------------------------------------

my $any = IO::Socket::INET->new(Proto => 'udp') or die "socket: $!";
foreach my $interface ([ 'lo', '127.0.0.1' ], [ 'lo:1', $PUBLIC ])
{
    my ($name, $address) = @$interface;
    my $request = pack('Z16 S x2 a4 x8', $name, AF_INET, inet_aton($address));

    ioctl($any, $SIOCSIFADDR, $request) or die "$name: $!";
    $request = pack('Z16 s x14', $name, $IFF_UP);
    ioctl($any, $SIOCSIFFLAGS, $request) or die "$name: $!";
}
my ($file, $resolver) = tempfile(UNLINK => 1);
print $file "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n";
close($file);
my ($source, $target, $none) = ($resolver, '/etc/resolv.conf', '');
syscall($SYS_MOUNT, $source, $target, $none, $MS_BIND, $none) == 0 or die "mount: $!";

my @children;
sub in_child
{
    my ($code) = @_;
    my $pid = fork() // die "fork: $!";

    if ($pid == 0)
    {
        alarm(120);
        $code->() while 1;
    }
    push @children, $pid;
}
END { kill 'KILL', @children if @children }

# Answers questions for IPv4 addresses; there are no others.
my $names = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 53) or die "bind: $!";
my $asked = 0;
in_child(sub {
    my $peer = recv($names, my $question, 512, 0) // return;
    my ($id) = unpack('n', $question);
    my ($name, $type) = substr($question, 12) =~ /^((?:[\x01-\x3f][^\0]*?)*)\0(..)/s;
    my $wanted = unpack('n', $type // '') // 0;
    my $address = $name =~ /private/ || $name =~ /turning/ && $asked > 0 ? '127.0.0.1' : $PUBLIC;

    $asked++ if $name =~ /turning/ && $wanted == 1;
    my $answer = $wanted == 1 ? pack('n n n N n a4', 0xC00C, 1, 1, 0, 4, inet_aton($address)) : '';
    send($names, pack('n n n n n n', $id, 0x8180, 1, $wanted == 1 ? 1 : 0, 0, 0)
        . substr($question, 12, length($name) + 5) . $answer, 0, $peer);
});

# On either address the same server; each writes down what it was asked.
my (undef, $log) = tempfile(UNLINK => 1);
foreach my $address ($PUBLIC, '127.0.0.1')
{
    my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => 80, Listen => 8, ReuseAddr => 1) or die "listen: $!";

    in_child(sub {
        my $client = $listener->accept() // return;
        my ($path) = (<$client> // '') =~ /^GET (\S+)/;
        my ($where) = $path =~ /to=(.*)/;

        while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n/ }
        open(my $seen, '>>', $log);
        print $seen "$address $path\n";
        close($seen);
        print $client defined $where ? "HTTP/1.1 302 Found\r\nLocation: $where\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        close($client);
    });
}

# ---------------------------------------------------------------------------
# The ways
# ---------------------------------------------------------------------------

# What becomes of a URL: "ok", or the error; and where was asked.
sub fetched
{
    my ($url) = @_;
    my ($to, $name) = tempfile(UNLINK => 1);
    my $fetch = HelperProcess->start(HelperProcess::program_path('clair-fetch'));

    truncate($log, 0);
    $fetch->receive();
    $fetch->send_frame('j', [ user_agent => 'clair/test', allow_private_networks => 'false', retries => '0',
        stall_timeout => '5', connect_timeout => '10', hosts => '*' ]);
    $fetch->send_frame('t', [ 0, $url, undef, undef, 10_000, undef, undef, undef, undef, undef ], $to);
    $fetch->send_frame('s', []);
    my %answer;
    @answer{qw(number status bytes etag last_modified url error hint answer retry_after)} = @{ $fetch->answer()->{fields} };
    open(my $seen, '<', $log);
    my @seen = map { s/\s.*//sr } <$seen>;
    return join ' ', $answer{error} // 'ok', map { "[$_]" } @seen;
}

my $refused = 'address 127.0.0.1 of host "%s" is loopback';
is(fetched("http://$PUBLIC/feed"), "ok [$PUBLIC]", 'a public address is asked');
is(fetched('http://public.test/feed'), "ok [$PUBLIC]", 'by its name, too');
is(fetched('http://private.test/feed'), sprintf($refused, 'private.test'), 'a name with a private address is not');
is(fetched("http://$PUBLIC/x?to=http://public.test/feed"), "ok [$PUBLIC] [$PUBLIC]", 'a redirect to a public one is followed');
is(fetched("http://$PUBLIC/x?to=http://127.0.0.1/secret"), sprintf($refused, '127.0.0.1') . " [$PUBLIC]",
    'one to a private address is not');
is(fetched('http://public.test/x?to=http://private.test/secret'), sprintf($refused, 'private.test') . " [$PUBLIC]",
    'nor one to a name of such');
is(fetched("http://$PUBLIC/x?to=http://$PUBLIC/y?to=http://0.0.0.0/secret"),
    "address 0.0.0.0 of host \"0.0.0.0\" is unspecified [$PUBLIC] [$PUBLIC]", 'nor after several');
is(fetched('http://turning.test/feed'), "ok [$PUBLIC]", 'a name that has a public address at first');
is(fetched('http://turning.test/feed'), sprintf($refused, 'turning.test'), 'is refused once it has another');

done_testing();
