# Proves that a network that is cut in the middle of whatever goes over it costs an attempt, and at last
# one clear error that names where it was and no secret; that nothing half is taken for whole; and that
# what was known stays, and the next run gets what there is.
#
# What is cut: connecting, TLS, the answer's first line, its headers, its body however that is sent, up
# to its last byte; between rounds of documents; layers, and what is posted. How: closed, reset, silent.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Certificates;
use FeedTest;
use File::Temp qw(tempfile);
use HelperProcess;
use IO::Compress::Gzip qw(gzip);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
use Receiver;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);
use WebServer;

my $FETCH = HelperProcess::program_path('clair-fetch');

plan skip_all => 'the helpers have not been built' if !defined $FETCH;
plan skip_all => 'made for Linux' if $^O ne 'linux';

# ---------------------------------------------------------------------------
# Servers that cut
# ---------------------------------------------------------------------------

my $feed = '{' . join(', ', map { qq("package-$_": {"CVE-2031-@{[10000 + $_]}": {"releases": {"bookworm": {"status": "open"}}}}) } 1 .. 300) . '}';
gzip(\$feed, \my $packed);

sub chunks
{
    my ($text, $size) = @_;

    return join '', map { sprintf("%x\r\n%s\r\n", length, $_) } unpack "(a$size)*", $text;
}

my $OK = "HTTP/1.1 200 OK\r\n";
my $GZIP = "Content-Encoding: gzip\r\n";
my $LENGTH = 'Content-Length: ' . length($feed) . "\r\n\r\n";
my $PACKED_LENGTH = 'Content-Length: ' . length($packed) . "\r\n\r\n";
my $CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";

# What has been sent when the connection is cut.
my %SENT = (
    'nothing' => '',
    'half of the first line' => 'HTTP/1.1 2',
    'the first line' => $OK,
    'half of a header' => $OK . "ETag: \"1\"\r\nContent-Le",
    'the headers' => $OK . $LENGTH,
    'half of the body' => $OK . $LENGTH . substr($feed, 0, length($feed) / 2),
    'all but a byte' => $OK . $LENGTH . substr($feed, 0, -1),
    'half of a chunk' => $OK . $CHUNKED . substr(chunks($feed, 1000), 0, 5500),
    'some chunks' => $OK . $CHUNKED . chunks(substr($feed, 0, 5000), 1000),
    'all chunks but the last' => $OK . $CHUNKED . chunks($feed, 1000),
    'half of what is compressed' => $OK . $GZIP . $PACKED_LENGTH . substr($packed, 0, length($packed) / 2),
    'compressed, all but a byte' => $OK . $GZIP . $PACKED_LENGTH . substr($packed, 0, -1),
    'compressed, half of a chunk' => $OK . $GZIP . $CHUNKED . substr(chunks($packed, 500), 0, 750),
    'compressed, all chunks but the last' => $OK . $GZIP . $CHUNKED . chunks($packed, 500),
);

# Nobody can tell that this is not all of it, but for what is in it.
my %UNNOTICED = ('half of it without a length' => "$OK\r\n" . substr($feed, 0, length($feed) / 2));

sub cut
{
    my ($client, $how, $sent) = @_;

    print $client $sent;
    $client->flush();
    if ($how eq 'silent')
    {
        sleep(50);
    }
    elsif ($how eq 'reset')
    {
        # what was sent arrives first
        sleep(0.1);
        setsockopt($client, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) or die "setsockopt: $!";
        close($client);
    }
}

sub answer_whole
{
    my ($client, $headers) = @_;

    if (($headers->{'if-none-match'} // '') eq '"1"')
    {
        WebServer::answer($client, '304 Not Modified', { ETag => '"1"' }, '');
        return;
    }
    WebServer::answer($client, '200 OK', { ETag => '"1"' }, $feed);
}

my @HOW = qw(closed reset silent);
my (@places, %paths);
foreach my $how (@HOW)
{
    foreach my $what (sort keys %SENT)
    {
        my $path = "/$how/" . scalar @places;

        push @places, [ "$what, $how", $path ];
        $paths{$path} = sub { cut($_[0], $how, $SENT{$what}) };
        $paths{"/once$path"} = sub {
            my ($client, $headers, $before) = @_;
            $before == 0 ? cut($client, $how, $SENT{$what}) : answer_whole($client, $headers);
        };
    }
}
my ($name) = keys %UNNOTICED;
$paths{'/unnoticed'} = sub { cut($_[0], 'closed', $UNNOTICED{$name}) };
my $server = WebServer->start(%paths);

# A server that does something with every connection, before HTTP begins; its port.
my @others;
sub start_other
{
    my ($do) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or die "could not listen: $!";
    my $pid = fork() // die "fork: $!";

    if ($pid == 0)
    {
        alarm(300);
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';
        while (my $client = $listener->accept())
        {
            next if fork();
            alarm(60);
            $do->($client);
            close($client);
            POSIX::_exit(0);
        }
        POSIX::_exit(0);
    }
    push @others, $pid;
    return $listener->sockport;
}
END
{
    local $?;
    kill 'TERM', @others if @others;
    waitpid($_, 0) foreach @others;
}

# A port whose queue is full, so that connecting to it hangs.
my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 0) or die "could not listen: $!";
my @queue = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $full->sockport, Timeout => 0.2) } 1 .. 3;

my $hello = sub { sysread($_[0], my $greeting, 16384) };
foreach my $how (@HOW)
{
    push @places, [ "before TLS, $how", 'https://127.0.0.1:' . start_other(sub { cut($_[0], $how, '') }) . '/' ],
        [ "in the TLS handshake, $how", 'https://127.0.0.1:' . start_other(sub { $hello->($_[0]); cut($_[0], $how, '') }) . '/' ],
        [ "in the server's first words of TLS, $how",
            'https://127.0.0.1:' . start_other(sub { $hello->($_[0]); cut($_[0], $how, "\x16\x03\x03\x00\x7a\x02\x00\x00") }) . '/' ],
        [ "before a request is read, $how", 'http://127.0.0.1:' . start_other(sub { cut($_[0], $how, '') }) . '/' ];
}
push @places, [ 'connecting, refused', 'http://127.0.0.1:1/' ], [ 'connecting, silent', 'http://127.0.0.1:' . $full->sockport . '/' ],
    [ 'finding the address', 'http://nowhere.invalid/' ];

# ---------------------------------------------------------------------------
# clair-fetch
# ---------------------------------------------------------------------------

# How that is told, of what is silent and of all.
my $SILENT = qr/(?:host "127.0.0.1" sent next to nothing for \d seconds|could not connect to host "127.0.0.1" within \d seconds)/;
my $CUT = qr/(?:$SILENT|host "127.0.0.1" ended the connection too early|could not (?:transfer from|connect to) host "127.0.0.1"(?:: .+)?)/;

# Transfers URLs, all at once: for each, the fields of the answer, and what was written.
sub transfer_all
{
    my ($retries, $timeout, @urls) = @_;
    my $fetch = HelperProcess->start($FETCH);
    my @files = map { [ tempfile(UNLINK => 1) ] } @urls;
    my @answers;

    $fetch->receive();
    $fetch->send_frame('j', [ allow_private_networks => 'true', retries => $retries, stall_timeout => $timeout, connect_timeout => $timeout,
        parallel => 16 ]);
    $fetch->send_frame('t', [ $_, $urls[$_], undef, undef, 10_000_000, (undef) x 5 ], $files[$_][0]) foreach 0 .. $#urls;
    $fetch->send_frame('s', []);
    for (1 .. @urls)
    {
        my $frame = $fetch->answer(100) // die 'clair-fetch says nothing';
        my ($number, $status, undef, undef, undef, undef, $error) = @{ $frame->{fields} };

        $answers[$number] = { status => $status, error => $error, content => slurp_file($files[$number][1]) };
    }
    is($fetch->answer()->{type}, 'D', 'clair-fetch comes to its end');
    return @answers;
}

sub url_of
{
    my ($place) = @_;

    return $place =~ /^http/ ? $place : $server->url($place);
}

my @answers = transfer_all(0, 1, map { url_of($_->[1]) } @places);
foreach my $number (0 .. $#places)
{
    my ($what) = @{ $places[$number] };
    my $answer = $answers[$number];

    # on a machine that has much to do, any of them may be a silent one
    my $expected = $what eq 'finding the address' ? qr/^could not find the address of host "nowhere.invalid"$/
        : $what eq 'connecting, refused' ? qr/^could not connect to host "127.0.0.1"$/
        : $what =~ /silent$/ ? qr/^$SILENT$/ : qr/^$CUT$/;
    ok(($answer->{error} // '') =~ $expected && $answer->{status} == 0, "cut, $what: an error")
        or diag("status $answer->{status}, ", $answer->{error} // 'no error', ', ', length $answer->{content}, ' bytes');
}

# The second attempt succeeds, and what the first one left is not part of it.
my @once = grep { $_->[1] !~ /^http/ && ($ENV{CLAIR_TEST_LONG} || $_->[0] !~ /silent$/ || $_->[0] =~ /half of the body/) } @places;
@answers = transfer_all(1, 3, map { url_of("/once$_->[1]") } @once);
foreach my $number (0 .. $#once)
{
    my ($what, $path) = @{ $once[$number] };

    ok($answers[$number]{status} == 200 && $answers[$number]{content} eq $feed && $server->count("/once$path") == 2,
        "cut once, $what: the next attempt brings all of it")
        or diag("status $answers[$number]{status}, ", $answers[$number]{error} // 'no error', ', ',
            length $answers[$number]{content}, ' bytes, attempts: ', $server->count("/once$path"));
}

# ---------------------------------------------------------------------------
# Updates
# ---------------------------------------------------------------------------

# Serves the whole feed, or cuts it, as a file says; notes whether it was asked for something new only.
my $state = PostgreSQL::Test::Utils::tempdir();
my $listing = '<html><a href="v3.20/">v3.20</a></html>';
my $secdb = '{"distroversion": "v3.20", "packages": [{"pkg": {"name": "quux", "secfixes": {"1.2-r0": ["CVE-2031-0001"]}}}]}';

sub mode
{
    my ($mode) = @_;

    return -e "$state/mode" ? slurp_file("$state/mode") : '' if !defined $mode;
    unlink "$state/mode";
    append_to_file("$state/mode", $mode) if $mode ne '';
}

# Answers with a text, unless this document is to be cut just now.
sub answer_unless_cut
{
    my ($document, $text) = @_;

    return sub {
        my ($client, $headers) = @_;
        my ($cut, $how, $what) = split /,/, mode();

        return cut($client, $how, $SENT{$what} // $UNNOTICED{$what}) if ($cut // '') eq $document;
        append_to_file("$state/conditional", "$document\n") if defined $headers->{'if-none-match'};
        WebServer::answer($client, ($headers->{'if-none-match'} // '') eq '"1"' ? ('304 Not Modified', { ETag => '"1"' }, '')
            : ('200 OK', { ETag => '"1"' }, $text));
    };
}

my $node = start_server('cut_network', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0',
    "clair.fetch_stall_timeout = '1s'", "clair.fetch_connect_timeout = '1s'", 'clair.webhook_retry_delay = 50ms',
    'max_worker_processes = 16');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);
my $image = make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'package-1', '1-1' ]));
index_file($session, $image, 'shop/web');
my $layer = slurp_file($image);
my $web = WebServer->start('/json?token=s3cret' => answer_unless_cut('json', $feed),
    '/secdb/' => answer_unless_cut('index', $listing), '/secdb/v3.20/main.json' => answer_unless_cut('main', $secdb),
    '/layer?token=s3cret' => answer_unless_cut('layer', $layer));
query($session, "UPDATE clair.updater SET enabled = false WHERE name NOT IN ('debian', 'alpine')");

my $KNOWN = 'SELECT md5(string_agg(t, \';\' ORDER BY t)) FROM (SELECT v::text || a::text FROM clair.vulnerability AS v'
    . ' JOIN clair.affected AS a ON a.vulnerability_id = v.id UNION ALL SELECT r::text FROM clair.record AS r'
    . ' UNION ALL SELECT d::text FROM clair.document AS d) AS known(t)';
my $shown = $web->url('/json');
my %URLS = (debian => $web->url('/json?token=s3cret'), alpine => $web->url('/secdb/'));
query($session, "UPDATE clair.updater SET url = '$URLS{$_}' WHERE name = '$_'") foreach sort keys %URLS;

# Runs an updater whose document is cut: the run fails, and nothing has changed.
sub check_update
{
    my ($updater, $document, $how, $what, $expected) = @_;
    my $known = query($session, $KNOWN);

    mode("$document,$how,$what");
    my $run = update($session, $updater);
    mode('');
    ok($run->{state} eq 'failed' && $run->{error} =~ $expected && $run->{error} !~ /s3cret/
            && query($session, $KNOWN) eq $known,
        "an update, $document cut, $what, $how: it fails, and nothing has changed")
        or diag("$run->{state}: $run->{error}");
}

my @short = ([ 'closed', 'nothing' ], [ 'reset', 'half of the body' ], [ 'silent', 'the headers' ], [ 'closed', 'all chunks but the last' ]);
@short = map { my $how = $_; map { [ $how, $_ ] } sort keys %SENT } @HOW if $ENV{CLAIR_TEST_LONG};

check_update('debian', 'json', @$_, qr/^could not fetch "\Q$shown\E": $CUT$/) foreach @short;
check_update('debian', 'json', 'closed', $name, qr/^document "json": .*the document ends too early/);
is(update($session, 'debian')->{state}, 'succeeded', 'the next one succeeds');
unlink "$state/conditional";
check_update('debian', 'json', @$_, qr/^could not fetch "\Q$shown\E": $CUT$/) foreach $short[1];
is(update($session, 'debian')->{state}, 'unchanged', 'the next one after that finds nothing new');
is(slurp_file("$state/conditional"), "json\n", 'of which it has asked for no more than that');
query($session, 'UPDATE clair.updater SET url = \'http://127.0.0.1:1/json?token=s3cret\' WHERE name = \'debian\'');
like(update($session, 'debian')->{error}, qr/^could not fetch "http:\/\/127.0.0.1:1\/json": could not connect to host "127.0.0.1"$/,
    'nobody there');

# Between rounds: the listing is there, what it names is not.
check_update('alpine', 'index', 'reset', 'half of the body', qr/^could not fetch "[^"]*\/secdb\/": $CUT/);
check_update('alpine', 'main', @$_, qr/^could not fetch "[^"]*\/secdb\/v3.20\/main.json": $CUT/) foreach @short[ 0, 1 ];
is(update($session, 'alpine')->{state}, 'succeeded', 'both rounds');
check_update('alpine', 'main', @{ $short[1] }, qr/^could not fetch "[^"]*\/secdb\/v3.20\/main.json": $CUT/);
is(update($session, 'alpine')->{state}, 'unchanged', 'and once more, nothing new');
is(scalar query($session, 'SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE \'clair %\''), '0', 'no worker is left');
is(join(' ', glob($node->data_dir . '/base/pgsql_tmp/*')), '', 'and no file');

# ---------------------------------------------------------------------------
# Layers
# ---------------------------------------------------------------------------

my $stored = row_count($session);
my $URL = $web->url('/layer?token=s3cret');
foreach my $case (@short)
{
    my ($how, $what) = @$case;

    mode("layer,$how,$what");
    my $outcome = outcome($session, "SELECT clair.fetch_layer('layer', '$URL', headers => '{\"Authorization\": \"Bearer pa55word\"}')");
    ok($outcome =~ /^58030: could not fetch "[^"?]*\/layer": $CUT/ && $outcome !~ /s3cret|pa55word/
            && row_count($session) == $stored,
        "a layer cut, $what, $how: one error, and nothing is stored") or diag($outcome);
}
mode('');
is(outcome($session, "SELECT clair.fetch_layer('layer', '$URL')"), 'ok', 'the next attempt brings it');

# ---------------------------------------------------------------------------
# Webhooks
# ---------------------------------------------------------------------------

my $receiver = Receiver->start(
    map { my ($how, $what) = @$_; my $path = "/$how/" . $what =~ tr/a-z//cdr;
        ($path => sub {
            my ($client, undef, $before) = @_;
            $before == 0 ? cut($client, $how, $SENT{$what}) : WebServer::answer($client, '200 OK', {}, '');
        }) } map { my $how = $_; map { [ $how, $_ ] } 'nothing', 'the first line', 'half of the body' } @HOW);
my @hooks = map { my $how = $_; map { "/$how/" . tr/a-z//cdr } 'nothing', 'the first line', 'half of the body' } @HOW;
foreach my $number (0 .. $#hooks)
{
    query($session, "SELECT clair.create_consumer('hook$number')");
    query($session, "SELECT clair.create_webhook('hook$number', '" . $receiver->url($hooks[$number]) . "', timeout => '1 s')");
}
query($session, "UPDATE clair.updater SET url = '$URLS{debian}' WHERE name = 'debian'");
$feed =~ s/\}$/, "package-0": {}}/;
write_file("$folder/json", $feed =~ s/"package-1": \{/"package-1": {"CVE-2031-77777": {"releases": {"bookworm": {"status": "open"}}}, /r);
set_feed($session, 'debian', "$folder/json");
is(update($session, 'debian')->{state}, 'succeeded', 'there is something to tell');
ok(wait_for(60, sub { query($session, "SELECT bool_and(state = 'delivered') AND count(*) = 9 FROM clair.webhook_delivery") eq 't' }),
    'all of it is delivered in the end')
    or diag(query($session, 'SELECT consumer, state, attempts, last_error FROM clair.webhook_delivery ORDER BY 1'));
foreach my $number (0 .. $#hooks)
{
    my ($first, @further) = $receiver->posts($hooks[$number]);

    # an answer whose first line says that it has arrived may do
    ok(defined $first && !(grep { $_->{headers}{'webhook-id'} ne $first->{headers}{'webhook-id'} } @further),
        "a webhook cut, $hooks[$number]: after " . @further . ' further attempts, with the same id');
}
query($session, 'SELECT clair.deliver_webhooks()');
ok(wait_for(30, sub { query($session, "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'clair %'") == 0 }),
    'no worker is left');
$session->quit;
$node->stop;

done_testing();
