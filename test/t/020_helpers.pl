# Proves that the helpers keep their side of the contract: clair-fetch transfers and posts what it was
# told to and refuses what it must not ask for, both speak frames, give up what they do not need,
# survive nonsense, and never outlive the server's end of the socket nor die by a signal.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempfile);
use IO::Compress::Gzip qw(gzip);
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

use Certificates;
use HelperProcess;
use WebServer;

my $READER = HelperProcess::program_path('clair-reader');
my $FETCH  = HelperProcess::program_path('clair-fetch');

plan skip_all => 'the helpers have not been built' if !defined $READER;
plan skip_all => 'made for Linux' if $^O ne 'linux';

use constant {
    INVALID     => 1,
    LIMIT       => 2,
    MISSING     => 4,
    PROTOCOL    => 8,
};

# ---------------------------------------------------------------------------
# clair-fetch
# ---------------------------------------------------------------------------

my $feed  = join('', map { "line $_ of a feed\n" } 1 .. 20_000);
my $ETAG  = '"abc-1"';
my $DATED = 'Tue, 01 Jul 2025 10:00:00 GMT';

# Answers with what the request had in headers whose names begin with "x-", and its authorization.
sub answer_headers {
    my ($client, $headers) = @_;
    WebServer::answer($client, '200 OK', {}, join(' ', map { "$_=$headers->{$_}" }
        grep { /^(?:x-|authorization|user-agent|if-none-match)/ } sort keys %$headers));
}

# A server on another port, which also sends back to where this file says.
my ($back, $back_name) = tempfile(UNLINK => 1);
my $other = WebServer->start(
    '/headers' => \&answer_headers,
    '/back'    => sub {
        open(my $file, '<', $back_name) or die "$back_name: $!";
        WebServer::answer($_[0], '302 Found', { Location => scalar <$file> }, '');
    },
);

# made before anybody waits for it
gzip(\('0' x 50_000_000), \my $bomb);

my $server = WebServer->start(
    '/feed' => sub {
        my ($client, $headers) = @_;
        my %validators = (ETag => $ETAG, 'Last-Modified' => $DATED);
        my $same = defined $headers->{'if-none-match'}
            ? $headers->{'if-none-match'} eq $ETAG
            : ($headers->{'if-modified-since'} // '') eq $DATED;
        WebServer::answer($client, $same ? ('304 Not Modified', \%validators, '')
            : ('200 OK', \%validators, $feed));
    },
    '/agent' => sub {
        my ($client, $headers) = @_;
        WebServer::answer($client, '200 OK', {}, $headers->{'user-agent'} // 'nobody');
    },
    '/headers' => \&answer_headers,
    '/moved-headers' => sub {
        WebServer::answer($_[0], '302 Found', { Location => '/headers' }, '');
    },
    '/other-host' => sub {
        my $port = $_[0]->sockport;
        WebServer::answer($_[0], '302 Found', { Location => "http://localhost:$port/headers" }, '');
    },
    '/other-port' => sub {
        WebServer::answer($_[0], '307 Temporary Redirect', { Location => $other->url('/headers') }, '');
    },
    '/there-and-back' => sub {
        WebServer::answer($_[0], '302 Found', { Location => $other->url('/back') }, '');
    },
    '/once-other-host' => sub {
        my ($client, undef, $before) = @_;
        my $port = $client->sockport;
        WebServer::answer($client, '302 Found',
            { Location => $before == 0 ? "http://localhost:$port/very-busy" : '/headers' }, '');
    },
    '/very-busy' => sub { WebServer::answer($_[0], '503 Service Unavailable', {}, 'no') },
    'http://x.invalid/headers' => \&answer_headers,
    '/empty' => sub { WebServer::answer($_[0], '200 OK', {}, '') },
    '/gone'  => sub { WebServer::answer($_[0], '410 Gone', {}, 'it was here once') },
    '/no'    => sub { WebServer::answer($_[0], '403 Forbidden', {}, 'no') },
    '/busy'  => sub { WebServer::answer($_[0], '503 Service Unavailable', {}, 'no') },
    '/304'   => sub { WebServer::answer($_[0], '304 Not Modified', {}, '') },
    '/once-broken' => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, $before == 0 ? ('500 Internal Server Error', {}, 'no')
            : ('200 OK', {}, 'second'));
    },
    '/later' => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, $before == 0
            ? ('429 Too Many Requests', { 'Retry-After' => 2 }, '') : ('200 OK', {}, 'later'));
    },
    '/once-truncated' => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, '200 OK',
            { 'Content-Length' => $before == 0 ? 1000 : 5 }, $before == 0 ? 'x' x 900 : 'whole');
    },
    '/truncated' => sub { WebServer::answer($_[0], '200 OK', { 'Content-Length' => 1000 }, 'x') },
    '/moved' => sub {
        WebServer::answer($_[0], '302 Found', { Location => '/feed', ETag => '"moved"' }, 'moved');
    },
    '/elsewhere' => sub {
        my $port = $_[0]->sockport;
        WebServer::answer($_[0], '302 Found', { Location => "http://localhost:$port/feed" }, '');
    },
    '/to-file' => sub {
        WebServer::answer($_[0], '302 Found', { Location => 'file:///etc/passwd' }, '');
    },
    '/loop'  => sub { WebServer::answer($_[0], '302 Found', { Location => '/loop' }, '') },
    '/stall' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 'x' x 500;
        $client->flush();
        sleep(30);
    },
    '/drip' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
        for (1 .. 300) {
            print $client 'x';
            $client->flush();
            sleep(0.1);
        }
    },
    '/silence' => sub { sleep(30) },
    '/hangup'  => sub { },
    '/gzip'    => sub {
        gzip(\$feed, \my $packed);
        WebServer::answer($_[0], '200 OK', { 'Content-Encoding' => 'gzip' }, $packed);
    },
    '/bomb' => sub {
        WebServer::answer($_[0], '200 OK', { 'Content-Encoding' => 'gzip' }, $bomb);
    },
    '/endless' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        1 while print $client 'x' x 65536;
    },
    '/endless-error' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n";
        1 while print $client 'x' x 65536;
    },
    '/bad-header' => sub {
        my ($client) = @_;
        WebServer::answer($client, '200 OK', { ETag => "\"\xFF\"", 'X' => 'y' x 2000 }, 'body');
    },
    '/echo' => sub {
        my ($client, $headers, undef, $posted) = @_;
        WebServer::answer($client, '202 Accepted', {}, join(' ', $posted,
            map { "$_=" . ($headers->{$_} // '') } qw(content-length content-type expect x-a)));
    },
    '/no-content' => sub { WebServer::answer($_[0], '204 No Content', {}, '') },
    '/odd-answer' => sub { WebServer::answer($_[0], '200 OK', {}, "a\x00\xFF\n\x{C3}\x{A9}" . "\x01" x 2000) },
    '/impatient' => sub {
        WebServer::answer($_[0], '503 Service Unavailable', { 'Retry-After' => 90 }, 'not now');
    },
    '/until' => sub {
        WebServer::answer($_[0], '429 Too Many Requests',
            { 'Retry-After' => POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time() + 100)) }, '');
    },
    '/never-mind' => sub {
        WebServer::answer($_[0], '503 Service Unavailable', { 'Retry-After' => $DATED }, '');
    },
    '/endless-answer' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n";
        1 while print $client 'y' x 65536;
    },
    '/no-http' => sub { my ($client) = @_; print $client "SSH-2.0-OpenSSH_9.2\r\n" },
);

print $back $server->url('/headers');
close($back);

my %JOB = (
    user_agent             => 'clair/test',
    allow_private_networks => 'true',
    retries                => '0',
    stall_timeout          => '2',
    connect_timeout        => '5',
);

# Starts clair-fetch with a job, and checks its first word.
sub start_fetch {
    my (%job) = @_;
    my $fetch = HelperProcess->start($FETCH);
    my $hello = $fetch->receive();

    die 'no hello' if !defined $hello || $hello->{type} ne 'H';
    $fetch->send_frame('j', [%job]);
    return $fetch;
}

sub send_transfer {
    my ($fetch, $number, $url, $file, %options) = @_;
    $fetch->send_frame('t',
        [
            $number, $url, $options{etag}, $options{last_modified},
            $options{max_size} // 10_000_000, @options{qw(headers body timeout certificate key)}
        ],
        $file);
}

# Transfers one URL: a hash of what WIRE_TRANSFERRED says, and the file's content.
sub transfer {
    my ($url, %options) = @_;
    my %job = (%JOB, %{ $options{job} // {} });
    my ($file, $name) = tempfile(UNLINK => 1);
    my $fetch = start_fetch(%job);
    my $begin = time();

    send_transfer($fetch, 0, $url, defined $options{body} ? undef : $file, %options);
    $fetch->send_frame('s', []);
    my $frame = $fetch->answer();
    my $done  = $fetch->answer();
    my %result;
    @result{qw(number status bytes etag last_modified url error hint answer retry_after)}
        = @{ $frame->{fields} };
    $result{done} = defined $done && $done->{type} eq 'D' && ($fetch->ended() // 1) == 0;
    $result{seconds} = time() - $begin;
    open(my $written, '<:raw', $name) or die "$name: $!";
    local $/;
    $result{content} = <$written>;
    return \%result;
}

{
    my $fetch = HelperProcess->start($FETCH);
    my $hello = $fetch->receive();
    is($hello->{type}, 'H', 'clair-fetch says hello first');
    is_deeply($hello->{fields}, [ 'clair-fetch', '1' ], 'with its name and the version');
}

my $got = transfer($server->url('/feed'));
is($got->{status}, 200, 'a document is fetched');
ok($got->{content} eq $feed, 'with all its bytes');
is($got->{bytes}, length($feed), 'which are counted');
is($got->{etag}, $ETAG, 'its ETag is reported');
is($got->{last_modified}, $DATED, 'its Last-Modified too');
is($got->{error}, undef, 'without an error');
ok($got->{done}, 'and clair-fetch ends well');

$got = transfer($server->url('/agent'));
is($got->{content}, 'clair/test', 'the user agent is the job\'s');
{
    my $headers = "X-A: one two\nAuthorization: Bearer s3cret\nX-Empty:\nx-a:three\n";
    my $sent    = 'authorization=Bearer s3cret user-agent=clair/test x-a=three x-empty=';
    my $nothing = 'user-agent=clair/test';

    $got = transfer($server->url('/headers'), headers => $headers);
    is($got->{content}, $sent, 'headers of the job are sent');
    $got = transfer($server->url('/headers'), headers => "User-Agent: mine\n", etag => '"1"');
    is($got->{content}, 'if-none-match="1" user-agent=mine', 'also in place of our own, beside a validator');
    $got = transfer($server->url('/moved-headers'), headers => $headers);
    is($got->{content}, $sent, 'also where the same server redirects to');
    for my $path ('/other-host', '/other-port', '/there-and-back') {
        $got = transfer($server->url($path), headers => $headers, job => { hosts => '*' });
        is($got->{content}, $nothing, "$path: not to another one, nor after it");
    }
    $got = transfer($server->url('/once-other-host'), headers => $headers,
        job => { hosts => '*', retries => '1' });
    is($got->{content}, $sent, 'the next attempt begins anew');
    $got = transfer('http://x.invalid/headers', headers => $headers, job => { proxy => $server->url('') });
    is($got->{content}, $sent, 'a proxy hands them on');
}
$got = transfer($server->url('/empty'));
is("$got->{status} $got->{bytes}", '200 0', 'an empty document is a document');

$got = transfer($server->url('/feed'), etag => $ETAG);
is("$got->{status} $got->{bytes}", '304 0', 'an unchanged document by its ETag');
is($got->{error}, undef, 'is no error');
$got = transfer($server->url('/feed'), last_modified => $DATED);
is($got->{status}, 304, 'an unchanged document by its Last-Modified');
$got = transfer($server->url('/feed'), etag => '"other"', last_modified => $DATED);
is($got->{status}, 200, 'a changed document');
$got = transfer($server->url('/feed'), etag => "\"x\"\r\nX-Injected: yes");
is($got->{status}, 200, 'a validator that is no header value is left out');
$got = transfer($server->url('/304'));
is($got->{error}, 'server answered 304', 'a 304 that nobody asked for is an error');

$got = transfer($server->url('/absent'));
is("$got->{status} $got->{bytes}", '404 0', 'an absent document is an answer, without its words');
is($got->{error}, undef, 'not an error');
$got = transfer($server->url('/gone'));
is($got->{status}, 410, 'as is one that has gone');
$got = transfer($server->url('/no'), job => { retries => '3' });
is($got->{error}, 'server answered 403', 'other statuses are errors');
is($server->count('/no'), 1, 'which no further attempt would change');

$got = transfer($server->url('/once-broken'), job => { retries => '2' });
is("$got->{status} $got->{content}", '200 second', 'a broken server is asked again');
is($server->count('/once-broken'), 2, 'until it answers');
$got = transfer($server->url('/busy'), job => { retries => '1' });
is($got->{error}, 'server answered 503', 'a busy one not for ever');
is($server->count('/busy'), 2, 'but as often as the job says');
$got = transfer($server->url('/later'), job => { retries => '1' });
is($got->{content}, 'later', 'a server that asks for patience');
cmp_ok($got->{seconds}, '>=', 2, 'gets it');
$got = transfer($server->url('/once-truncated'), job => { retries => '1' });
is("$got->{content} $got->{bytes}", 'whole 5', 'a truncated document is fetched again, from its start');
$got = transfer($server->url('/truncated'));
is($got->{error}, 'host "127.0.0.1" ended the connection too early', 'or is an error');
is($got->{status}, 0, 'without a status');
$got = transfer($server->url('/hangup'));
like($got->{error}, qr/^could not transfer from host "127.0.0.1": /, 'so is no answer at all');
$got = transfer($server->url('/no-http'));
like($got->{error}, qr/^could not transfer from host "127.0.0.1": /, 'so is another protocol');

$got = transfer($server->url('/moved'));
is("$got->{status} $got->{etag}", "200 $ETAG", 'a redirect is followed');
is($got->{url}, $server->url('/feed'), 'and the last URL reported');
$got = transfer($server->url('/elsewhere'));
is($got->{error}, 'redirect to host "localhost" is not allowed', 'but not to any host');
is($got->{content}, '', 'and nothing is written');
$got = transfer($server->url('/elsewhere'), job => { hosts => 'example.org LocalHost' });
is($got->{status}, 200, 'only to one that is listed');
$got = transfer($server->url('/elsewhere'), job => { hosts => '*' });
is($got->{status}, 200, 'unless any is allowed');
$got = transfer($server->url('/to-file'), job => { hosts => '*' });
is($got->{error}, 'redirect: URL "file:///etc/passwd" is neither http nor https',
    'and never to a file');
$got = transfer($server->url('/loop'), job => { retries => '2' });
is($got->{error}, 'more than 5 redirects', 'a loop of redirects ends');
is($server->count('/loop'), 6, 'and is not tried again');

for my $url ('file:///etc/passwd', 'ftp://127.0.0.1/x', 'gopher://127.0.0.1/x', 'dict://127.0.0.1/x')
{
    $got = transfer($url);
    is($got->{error}, "URL \"$url\" is neither http nor https", "the scheme of $url is refused");
}
for my $url ('no url', 'http://', 'http://a b/', 'http://[::1/', 'http://127.0.0.1/' . 'x' x 10_000) {
    $got = transfer($url);
    like($got->{error}, qr/^invalid URL "/, 'invalid URL ' . substr($url, 0, 20));
}

my %not_private = (job => { allow_private_networks => 'false', retries => '3' });
my $before = $server->count('/feed');
$got = transfer($server->url('/feed'), %not_private);
is($got->{error}, 'address 127.0.0.1 of host "127.0.0.1" is loopback', 'loopback is refused');
is($got->{hint}, 'To fetch from the own network, set clair.allow_private_networks.', 'with a hint');
$got = transfer($server->url('/feed', 'localhost'), %not_private);
like($got->{error}, qr/^address (127\.0\.0\.1|::1) of host "localhost" is loopback$/, 'under a name');
$got = transfer($server->url('/feed', '[::ffff:127.0.0.1]'), %not_private);
like($got->{error}, qr/ is loopback$/, 'mapped into IPv6');
$got = transfer($server->url('/feed', '0x7f.1'), %not_private);
like($got->{error}, qr/ is loopback$/, 'in another notation');
$got = transfer('http://10.0.0.1/', %not_private);
is($got->{error}, 'address 10.0.0.1 of host "10.0.0.1" is private', 'so are private networks');
$got = transfer('http://169.254.169.254/latest/meta-data', %not_private);
like($got->{error}, qr/ is link-local$/, 'and a cloud\'s metadata');
is($server->count('/feed'), $before, 'nothing was asked');
$got = transfer('http://x.invalid/feed', job => {
        allow_private_networks => 'false', proxy => $server->url('')
});
is($got->{error}, undef, 'the proxy that the administrator has set may be near');

$got = transfer($server->url('/stall'));
is($got->{error}, 'host "127.0.0.1" sent next to nothing for 2 seconds', 'a stalled transfer ends');
cmp_ok($got->{seconds}, '<', 10, 'in time');
$got = transfer($server->url('/drip'));
is($got->{error}, 'host "127.0.0.1" sent next to nothing for 2 seconds', 'a dripping one too');
$got = transfer($server->url('/silence'));
is($got->{error}, 'host "127.0.0.1" sent next to nothing for 2 seconds', 'silence as well');

$got = transfer($server->url('/gzip'));
ok($got->{content} eq $feed, 'an encoded body is decoded');
$got = transfer($server->url('/gzip'), job => { decode => 'false' });
is(substr($got->{content}, 0, 3), "\x1F\x8B\x08", 'unless it shall come as it is stored');
my $too_large = 'host "127.0.0.1" sends more than the limit of 100000 bytes';
for my $path ('/feed', '/bomb', '/endless', '/endless-error') {
    $got = transfer($server->url($path), max_size => 100_000, job => { retries => '3' });
    is($got->{error}, $too_large, "$path is larger than the limit");
    cmp_ok(length($got->{content}), '<=', 100_000, 'and no more is written');
}
$got = transfer($server->url('/feed'), job => { max_size => '100000' });
is($got->{error}, $too_large, 'the job\'s limit holds for each transfer');
$got = transfer($server->url('/bad-header'));
is("$got->{status} $got->{content}", '200 body', 'a header that is not text');
is($got->{etag}, undef, 'is not reported');

{
    my $fetch = start_fetch(%JOB, parallel => '3');
    my @files = map { scalar tempfile(UNLINK => 1) } 0 .. 19;
    my %seen;

    send_transfer($fetch, $_, $server->url($_ == 7 ? '/no' : '/feed'), $files[$_]) for 0 .. 9;
    for (10 .. 29) {
        my $frame = $fetch->answer();
        $seen{ $frame->{fields}[0] } = $frame->{fields}[1];
        send_transfer($fetch, $_, $server->url('/feed'), $files[$_]) if $_ <= 19;
        $fetch->send_frame('s', []) if $_ == 19;
    }
    is_deeply(\%seen, { map { $_ => $_ == 7 ? 403 : 200 } 0 .. 19 },
        'many transfers, some of them sent as others end');
    is($fetch->answer()->{type}, 'D', 'and then the job is done');
    is((grep { -s $_ == length($feed) } @files), 19, 'each document is in its own file');
}
{
    my $fetch = start_fetch(%JOB);
    $fetch->send_frame('s', []);
    is($fetch->answer()->{type}, 'D', 'no transfer at all is a job too');
}
{
    my $fetch = start_fetch(%JOB, stall_timeout => '30');
    my $file = tempfile(UNLINK => 1);
    send_transfer($fetch, 0, $server->url('/stall'), $file);
    my ($bytes, $since) = (0, time());
    while ($bytes < 500 && time() - $since < 5) {
        my $frame = $fetch->receive();
        $bytes = $frame->{fields}[0] if $frame->{type} eq 'P';
    }
    is($bytes, 500, 'progress tells how many bytes have come');
    ok(defined $fetch->receive(2), 'and goes on while nothing comes');
    my $begin = time();
    $fetch->close_socket();
    my $status = $fetch->ended();
    is($status, 1 << 8, 'without the server, clair-fetch exits');
    cmp_ok(time() - $begin, '<', 1, 'within a second');
}

# What is posted: a body that is answered, once.
sub post {
    my ($url, %options) = @_;
    return transfer($url, body => '{"a": 1}', timeout => 5, max_size => 10_000, %options);
}

$got = post($server->url('/echo'), headers => "Content-Type: application/json\nX-A: b\n");
is("$got->{status} $got->{answer}",
    '202 {"a": 1} content-length=8 content-type=application/json expect= x-a=b', 'a text is posted');
is($got->{error}, undef, 'without an error');
is("$got->{bytes} $got->{content}", '0 ', 'and no file is written');
ok($got->{done}, 'and clair-fetch ends well');
$got = post($server->url('/echo'), body => 'x' x 1_000_000);
is(length($got->{answer}), 1024, 'a large one; of a long answer the beginning is kept');
like($got->{answer}, qr/^x+$/, 'as it was');
$got = post($server->url('/echo'), body => '');
is($got->{answer}, ' content-length=0 content-type=application/x-www-form-urlencoded expect= x-a=', 'an empty one');
$got = post($server->url('/no-content'));
is("$got->{status} " . ($got->{answer} // 'none'), '204 none', 'an answer may be empty');
$got = post($server->url('/odd-answer'));
is(substr($got->{answer}, 0, 18), 'a\x00\xff\x0a' . "\xC3\xA9" . '\x0', 'an answer that is no text is escaped');
is(length($got->{answer}), 15 + 4 * 1018, 'its first 1024 bytes');
$got = post($server->url('/endless-answer'));
is("$got->{status} " . length($got->{answer}), '200 1024', 'one that does not end is cut');
cmp_ok($got->{seconds}, '<', 4, 'at once');

$got = post($server->url('/impatient'), job => { retries => '3' });
is("$got->{status} $got->{error} $got->{answer} $got->{retry_after}", '503 server answered 503 not now 90',
    'when to come again is reported');
is($server->count('/impatient'), 1, 'and no further attempt made');
$got = post($server->url('/until'));
like($got->{retry_after}, qr/^(9[5-9]|100)$/, 'also when it is a date');
$got = post($server->url('/never-mind'));
is($got->{retry_after}, undef, 'but not one that has passed');
$before = $server->count('/echo') + $server->count('/feed');
for my $path ('/moved', '/elsewhere', '/other-port') {
    $got = post($server->url($path), job => { hosts => '*' });
    is($got->{error}, "server answered $got->{status}: redirects are not followed", "$path is not followed");
}
is($server->count('/feed'), $before - $server->count('/echo'), 'nor asked');
$got = post($server->url('/gone'));
is("$got->{error} $got->{answer}", 'server answered 410 it was here once', 'what is refused is an error');
$got = post($server->url('/silence'), timeout => 1, job => { retries => '3' });
is($got->{error}, 'host "127.0.0.1" did not answer within 1 seconds', 'silence ends in time');
cmp_ok($got->{seconds}, '<', 4, 'after one attempt');
$got = post($server->url('/drip'), timeout => 1);
is($got->{error}, 'host "127.0.0.1" did not answer within 1 seconds', 'so does an answer that drips');
$got = post('http://127.0.0.1:1/');
is($got->{error}, 'could not connect to host "127.0.0.1"', 'nobody there');
$got = post($server->url('/echo'), %not_private);
is($got->{error}, 'address 127.0.0.1 of host "127.0.0.1" is loopback', 'own networks are refused');

# Certificates, made for the test.
SKIP:
{
    skip 'IO::Socket::SSL is not installed', 10 if !eval { require IO::Socket::SSL };
    my $folder = make_certificates();
    my %tls = (SSL_cert_file => "$folder/server.pem", SSL_key_file => "$folder/server.key");
    my $secure = WebServer->start_tls({%tls}, '/echo' => sub { WebServer::answer($_[0], '200 OK', {}, 'tls') });
    my $mutual = WebServer->start_tls(
        {
            %tls,
            SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_PEER()
                | IO::Socket::SSL::SSL_VERIFY_FAIL_IF_NO_PEER_CERT(),
            SSL_ca_file => "$folder/ca.pem"
        },
        '/echo' => sub { WebServer::answer($_[0], '200 OK', {}, $_[0]->peer_certificate('commonName')) }
    );
    my %trusted = (job => { ca_file => "$folder/ca.pem" });

    $got = post($secure->url('/echo'));
    like($got->{error}, qr/^could not transfer from host "127.0.0.1": .*certificate/, 'an unknown authority');
    $got = post($secure->url('/echo'), job => { ca_file => "$folder/other.pem" });
    like($got->{error}, qr/^could not transfer from host "127.0.0.1": .*certificate/, 'the wrong authority');
    $got = post($secure->url('/echo', 'localhost'), %trusted);
    like($got->{error}, qr/^could not transfer from host "localhost": SSL: no alternative certificate subject name/,
        'a certificate for another host');
    is($secure->count('/echo'), 0, 'they hear nothing');
    $got = post($secure->url('/echo'), %trusted);
    is($got->{answer}, 'tls', 'the right certificate');
    $got = post($mutual->url('/echo'), %trusted);
    like($got->{error}, qr/^could not transfer from host "127.0.0.1": /, 'without the certificate that is asked for');
    $got = post($mutual->url('/echo'), %trusted, certificate => slurp("$folder/client.pem"),
        key => slurp("$folder/client.key"));
    is($got->{answer}, 'client', 'with it');
    $got = post($mutual->url('/echo'), %trusted, certificate => slurp("$folder/both.pem"));
    is($got->{answer}, 'client', 'also when one file has certificate and key');
    $got = post($mutual->url('/echo'), %trusted, certificate => slurp("$folder/client.pem"),
        key => slurp("$folder/locked.key"));
    like($got->{error}, qr/^could not transfer from host "127.0.0.1": /, 'a key with a pass phrase asks nobody for it');
    $got = post($mutual->url('/echo'), %trusted, certificate => "nothing\n");
    like($got->{error}, qr/^could not transfer from host "127.0.0.1": could not load PEM client certificate/,
        'what is no certificate');
}

# Frames that the server would not send: for each, the words of the error.
for my $case (
    [ 'a second job',          'j', [], 'the server sent an unexpected frame' ],
    [ 'no descriptor',         't', [ 0, 'http://x/', (undef) x 2, 1, (undef) x 5 ], 'the server sent a malformed transfer' ],
    [ 'no time to post',       't', [ 0, 'http://x/', (undef) x 2, 1, undef, '{}', (undef) x 3 ], 'the server sent a malformed transfer' ],
    [ 'no text to post',       't', [ 0, 'http://x/', (undef) x 2, 1, undef, "\xFF", 5, (undef) x 2 ], 'the server sent a malformed transfer' ],
    [ 'much to post',          't', [ 0, 'http://x/', (undef) x 2, 1, undef, 'x' x 1_048_577, 5, (undef) x 2 ], 'the server sent a malformed transfer' ],
    [ 'a large certificate',   't', [ 0, 'http://x/', (undef) x 2, 1, undef, '{}', 5, 'x' x 65_537, undef ], 'the server sent a malformed transfer' ],
    [ 'too few fields',        't', [0], 'the server sent a malformed transfer' ],
    [ 'a document',            'd', [ 'a', 'b' ], 'the server sent an unexpected frame' ],
    [ 'a frame of its own',    'R', [], 'the server sent an invalid frame: unknown type' ],
  )
{
    my ($what, $type, $fields, $words) = @$case;
    my $fetch = start_fetch(%JOB);
    $fetch->send_frame($type, $fields);
    my $frame = $fetch->answer();
    is("$frame->{type}: $frame->{fields}[1]", "E: $words", "clair-fetch refuses $what");
    is($fetch->ended(), 1 << 8, 'and exits');
}
{
    my $fetch = start_fetch(%JOB);
    pipe(my $read, my $write) or die;
    send_transfer($fetch, 0, $server->url('/feed'), $write);
    is($fetch->answer()->{fields}[1], 'a transfer does not go to a regular file', 'nor to a pipe');
}
{
    my $fetch = start_fetch(%JOB);
    send_transfer($fetch, 0, $server->url('/feed'), scalar tempfile(UNLINK => 1), body => '{}', timeout => 5);
    is($fetch->answer()->{fields}[1], 'the server sent a malformed transfer', 'nor, posting, to any file');
}
for my $headers ('X: y', "X\n", ": y\n", "X Y: z\n", "X;: z\n", "X: y\r\n", "X: y\n\nZ: y\n", "X: \xFF\n",
    'X: ' . 'y' x 65_536 . "\n")
{
    my $fetch = start_fetch(%JOB);
    my ($file) = tempfile(UNLINK => 1);
    send_transfer($fetch, 0, $server->url('/headers'), $file, headers => $headers);
    is($fetch->answer()->{fields}[1], 'the server sent a malformed transfer',
        'clair-fetch refuses headers ' . substr($headers, 0, 8) =~ s/[^ -~]/?/gr);
}
for my $job ([ retries => '-1' ], [ retries => 'many' ], [ allow_private_networks => 'on' ],
    [ parallel => '1000' ], [ retries => '1', retries => '2' ])
{
    my $fetch = HelperProcess->start($FETCH);
    $fetch->receive();
    $fetch->send_frame('j', $job);
    like($fetch->answer()->{fields}[1], qr/^malformed job: "$job->[0]" /, "job with @$job");
}

# ---------------------------------------------------------------------------
# clair-reader
# ---------------------------------------------------------------------------

sub start_reader {
    my (%options) = @_;
    my $reader = HelperProcess->start($READER, %options);
    my $hello = $reader->receive();

    is_deeply($hello->{fields}, [ 'clair-reader', '1' ], 'clair-reader says hello') if !%options;
    return $reader;
}

# What a reader answers to some bytes: its error, and that it exits.
sub refuses {
    my ($bytes, $status, $words, $what) = @_;
    my $reader = HelperProcess->start($READER);

    $reader->receive();
    $reader->send_bytes($bytes);
    my $frame = $reader->answer();
    is(defined $frame ? "$frame->{type} @{$frame->{fields}}[0, 1]" : 'nothing',
        "E $status $words", $what);
    is($reader->ended(), 1 << 8, 'and clair-reader exits');
}

start_reader();
my $invalid = 'the server sent an invalid frame:';
refuses('GET / HTTP/1.1' . "\r\n" x 10, PROTOCOL, "$invalid unknown type", 'bytes of another protocol');
refuses(pack('LLCCS', 9 << 20, 1, ord('j'), 0, 0), PROTOCOL, "$invalid it is too large",
    'a frame that is too large');
refuses(pack('LLCCS', 100, 26, ord('j'), 0, 0), PROTOCOL, "$invalid it has too many fields",
    'more fields than there is room for');
refuses(pack('LLCCS', 4, 0, ord('j'), 0, 0) . 'abcd', PROTOCOL, "$invalid its fields do not fill it",
    'bytes that are no field');
refuses(pack('LLCCSL', 4, 1, ord('j'), 0, 0, 5), PROTOCOL, "$invalid its fields do not fill it",
    'a field that is longer than the frame');
refuses(pack('LLCCS', 0, 0, ord('j'), 7, 0), PROTOCOL, "$invalid its header is not clean",
    'a header that is not clean');
refuses(HelperProcess::frame('s'), PROTOCOL, "$invalid the first one is not a job", 'no job');
refuses(HelperProcess::frame('j', 'job'), PROTOCOL, 'malformed job: a name without a value',
    'a name without a value');
refuses(HelperProcess::frame('j', 'job', "\xFF"), PROTOCOL, 'malformed job: not valid text',
    'a value that is not text');
refuses(HelperProcess::frame('j', 'job', 'dance'), PROTOCOL, 'unknown job "dance"', 'an unknown job');
refuses(HelperProcess::frame('j'), PROTOCOL, 'unknown job ""', 'an empty job');
refuses(HelperProcess::frame('j', 'job', 'update', 'updater', 'x'), MISSING, 'unknown updater "x"',
    'an unknown updater');
refuses(HelperProcess::frame('j', 'job', 'index', 'max_layers', '0'), PROTOCOL,
    'malformed job: "max_layers" is not a number from 1 to 9223372036854775807', 'a limit of 0');

# Its image is a pipe that nobody writes to: the reader is held at its first byte, when it must
# have given up everything.
{
    pipe(my $image, my $writer) or die;
    pipe(my $inherited_read, my $inherited) or die;
    my $reader = start_reader(stdin => $image, inherited => $inherited);
    close($image);
    close($inherited);
    is(sysread($inherited_read, my $byte, 1), 0, 'descriptors above the socket are closed');
    $reader->send_frame('j', [ job => 'index', reader_memory => '300000000' ]);

    my %status;
    for (1 .. 100) {
        %status = proc_status($reader->{pid});
        last if ($status{Seccomp} // '') eq '2';
        sleep(0.02);
    }
    is($status{Seccomp}, '2', 'clair-reader filters its system calls before it reads');
    is($status{NoNewPrivs}, '1', 'and gains no privileges');
    open(my $file, '<', "/proc/$reader->{pid}/limits") or die;
    my $limits = join('', <$file>);
    like($limits, qr/^Max address space\s+300000000\s+300000000 /m, 'its memory is limited');
    like($limits, qr/^Max core file size\s+0\s+0 /m, 'it leaves no core');
    like($limits, qr/^Max file size\s+0\s+0 /m, 'it writes no file');
    is(slurp("/proc/$reader->{pid}/oom_score_adj"), "1000\n", 'and goes first when memory ends');
    kill('TERM', $reader->{pid});
    is($reader->ended(), 1 << 8, 'SIGTERM makes it exit');
}
for my $signal (qw(HUP INT QUIT TERM XCPU XFSZ ALRM USR1)) {
    my $reader = start_reader(stdin => \*STDIN);
    kill($signal, $reader->{pid});
    is($reader->ended(), 1 << 8, "SIG$signal makes it exit");
}
{
    my $reader = start_reader(stdin => \*STDIN);
    kill('SEGV', $reader->{pid});
    is($reader->ended(), (128 + 11) << 8, 'a crash is an exit, too');
}
{
    my $reader = start_reader(stdin => \*STDIN);
    $reader->close_socket();
    is($reader->ended(), 1 << 8, 'and so is the end of the socket');
}

# The parent's death: a child starts a reader, tells its process id, and is killed.
{
    pipe(my $read, my $write) or die;
    my $parent = fork() // die;
    if ($parent == 0) {
        my $reader = start_reader(stdin => \*STDIN);
        syswrite($write, "$reader->{pid}\n");
        sleep(60);
        POSIX::_exit(0);
    }
    chomp(my $pid = <$read>);
    kill('KILL', $parent);
    waitpid($parent, 0);
    my $since = time();
    sleep(0.01) while is_running($pid) && time() - $since < 5;
    ok(!is_running($pid), 'a reader does not outlive the process that started it');
}

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or return '';
    local $/;
    return scalar <$file>;
}

sub proc_status {
    my ($pid) = @_;
    return slurp("/proc/$pid/status") =~ /^(\w+):\s+(.*)$/mg;
}

# Whether a process runs; one that waits to be reaped, by whoever inherited it, does not.
sub is_running {
    my ($pid) = @_;
    my %status = proc_status($pid);
    return %status && $status{State} !~ /^[ZX]/;
}

done_testing();
