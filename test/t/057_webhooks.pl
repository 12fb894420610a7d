# Proves that notifications reach webhooks: all of them, in order where that is asked for, signed,
# whatever receiver, worker and server do meanwhile; again only where nobody can know that they have
# arrived, and then with the same id; and that what is secret stays so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Certificates;
use FeedTest;
use IndexTest;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;
use Time::HiRes qw(sleep time);

my $SECRET  = 'not to be seen: 4711';
my $TOKEN   = 'Bearer not-to-be-read';
my $alerts  = $ENV{CLAIR_TEST_LONG} ? 10_000 : 1_000;
my $node = start_server('webhooks', 'max_worker_processes = 16', 'log_statement = none',
    'clair.allow_private_networks = on', 'clair.webhook_retry_delay = 50ms',
    'fsync = off', 'log_min_messages = info');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# ---------------------------------------------------------------------------
# An image, a feed, receivers
# ---------------------------------------------------------------------------

foreach my $name (qw(web db))
{
    index_file($session, make_layer("$folder/$name.tar",
        'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
        'srv/name' => $name,
        'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ],
            $name eq 'db' ? [ 'zlib1g', '1.2-1', 'zlib' ] : ())), "shop/$name:<1>");
}
my %feed = (bash => { 'CVE-2031-0001' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } });
my $last = 1;

sub run_feed
{
    write_file("$folder/tracker.json", \%feed);
    my $run = update($session, 'debian');
    die "run: $run->{error}" if $run->{state} ne 'succeeded';
}

# Runs the updater over so many vulnerabilities more; their names.
sub add_vulnerabilities
{
    my ($count, $package) = @_;
    my @names = map { sprintf 'CVE-2031-%05d', ++$last } 1 .. $count;

    $feed{ $package // 'bash' }{$_} = { releases => { bookworm => { status => 'open', urgency => 'high' } } }
        foreach @names;
    run_feed();
    return @names;
}

set_feed($session, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
run_feed();

sub answers
{
    my ($status, $headers, $body) = @_;

    return sub { WebServer::answer($_[0], $status, $headers // {}, $body // '') };
}

my $other = Receiver->start('/ok' => answers('200 OK'));
my $receiver;
$receiver = Receiver->start(
    '/ok'      => answers('200 OK', {}, "thanks\x01"),
    '/created' => answers('201 Created'),
    '/second'  => answers('200 OK'),
    '/500'     => answers('500 Internal Server Error', {}, 'no'),
    '/400'     => answers('400 Bad Request', {}, 'what?'),
    '/401'     => answers('401 Unauthorized'),
    '/later'   => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, $before == 0
            ? ('429 Too Many Requests', { 'Retry-After' => 2 }, '') : ('200 OK', {}, ''));
    },
    '/until' => sub {
        my ($client, undef, $before) = @_;
        WebServer::answer($client, $before == 0
            ? ('503 Service Unavailable',
                { 'Retry-After' => POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time() + 3)) }, '')
            : ('200 OK', {}, ''));
    },
    '/slow'  => sub { sleep(0.7); WebServer::answer($_[0], '200 OK', {}, '') },
    '/hangs' => sub { sleep(20) },
    '/moved' => answers('307 Temporary Redirect', { Location => '/ok' }),
    '/away'  => answers('308 Permanent Redirect', { Location => $other->url('/ok') }),
);

sub create
{
    my ($consumer, $url, $more, $filter) = @_;

    query($session, "SELECT clair.create_consumer('$consumer'" . ($filter // '') . ')');
    query($session, "SELECT clair.create_webhook('$consumer', '$url'" . ($more // '') . ')');
}

sub drop
{
    query($session, "SELECT clair.drop_consumer('$_')") foreach @_;
}

# The columns of the deliveries of a webhook, a line each, in order.
sub deliveries
{
    my ($consumer, $columns) = @_;

    return query($session, "SELECT concat_ws(' ', $columns) FROM clair.webhook_delivery"
        . " WHERE consumer = '$consumer' ORDER BY notification");
}

# Waits until all deliveries of a webhook have this state.
sub becomes
{
    my ($consumer, $state, $name, $seconds) = @_;

    ok(wait_for($seconds // 10, sub {
            query($session, "SELECT bool_and(state = '$state') FROM clair.webhook_delivery"
                . " WHERE consumer = '$consumer'") eq 't';
        }), $name) or diag(join "\n", deliveries($consumer, 'notification, state, attempts, last_error'));
}

# The processes of workers for webhooks.
sub workers
{
    return query($session, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'clair webhooks'");
}

# ---------------------------------------------------------------------------
# What arrives
# ---------------------------------------------------------------------------

create('first', $receiver->url('/ok'), qq(, secret => '$SECRET', headers => '{"Authorization": "$TOKEN", "X-A": ["1", "2"]}'));
my ($name) = add_vulnerabilities(1);
becomes('first', 'delivered', 'a run that commits has its notification delivered');
my @posts = $receiver->posts('/ok');
is(scalar @posts, 1, 'once');
my $post = $posts[0];
my %body = %{ $post->{body} };
is_deeply([ @{ $post->{headers} }{qw(content-type authorization x-a user-agent)} ],
    [ 'application/json', $TOKEN, '2', 'clair/1.0 (PostgreSQL)' ], 'with headers');
ok(is_signed($post, $SECRET), 'signed');
ok(!is_signed($post, "$SECRET "), '... with that secret');
is($post->{headers}{'webhook-id'}, $body{id}, 'the id is in headers and body');
is("$body{schema} $body{version} $body{consumer} $body{updater} $body{vulnerability} $body{reason} $body{severity}",
    "clair.notification 1 first debian $name added High", 'the body says what it is about');
is_deeply([ @body{qw(before after changes)} ],
    [
        undef,
        [
            {
                namespace => 'debian:12', kind => 'source', package => 'bash', introduced => undef,
                fixed => undef, last_affected => undef, status => 'affected', severity => 'High'
            }
        ],
        []
    ], '... what there was and is');
is($body{images}{count}, 2, '... how many images it concerns');
is_deeply([ map { "$_->{names}[0]: $_->{findings}[0]{feature} $_->{findings}[0]{side}" } @{ $body{images}{first} } ],
    [ 'shop/web:<1>: bash after', 'shop/db:<1>: bash after' ], '... and which');
is($body{images}{next}, undef, '... all of them');
is_deeply(decode_json(scalar query($session, "SELECT clair.webhook_body('first', $body{notification})")), \%body,
    'clair.webhook_body() shows it');
is_deeply([ deliveries('first', 'id, state, attempts, last_status, last_error, last_answer') ],
    [ "$body{id} delivered 1 200 thanks\\x01" ], 'clair.webhook_delivery says that it has arrived');
is(scalar query($session, 'SELECT concat_ws(\' \', pending, delivered, dead, failures, resume_at)'
    . ' FROM clair.webhook_status'), '0 1 0 0', 'so does clair.webhook_status');
ok(wait_for(5, sub { !workers() }), 'and the worker ends');

query($session, "SELECT clair.alter_webhook('first', format => 'clair-v2', url => '" . $receiver->url('/created')
    . "', secret => 'whsec_" . encode_base64("\x00\xFFbytes", '') . "', headers => '{}')");
add_vulnerabilities(1);
becomes('first', 'delivered', 'the body of Clair v2');
($post) = $receiver->posts('/created');
is_deeply($post->{body}, { Notification => { Name => $post->{headers}{'webhook-id'} } }, '... is a name');
ok(is_signed($post, "\x00\xFFbytes"), '... signed with a key of bytes');
is($post->{headers}{authorization}, undef, '... without the headers that there were');
query($session, "SELECT clair.alter_webhook('first', format => 'clair-v4', callback => 'https://clair.example.org/notification/', secret => '')");
add_vulnerabilities(1);
becomes('first', 'delivered', 'the body of Clair v4');
$post = ($receiver->posts('/created'))[-1];
my $id = $post->{headers}{'webhook-id'};
is_deeply($post->{body}, { notification_id => $id, callback => "https://clair.example.org/notification/$id" },
    '... is an id, and where to ask');
is($post->{headers}{'webhook-signature'}, undef, '... without a secret, nothing is signed');
query($session, "SELECT clair.alter_webhook('first', format => 'slack')");
($name) = add_vulnerabilities(1, 'zlib');
becomes('first', 'delivered', 'a line of text');
$post = ($receiver->posts('/created'))[-1];
is_deeply($post->{body}, { text => "*High* $name added by debian: 1 image, shop/db:&lt;1&gt;" }, '... for Slack');
query($session, 'SET clair.notify_indexed = on');
index_file($session, make_layer("$folder/new.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'zlib1g', '1.2-1', 'zlib' ])), 'shop/new');
becomes('first', 'delivered', 'an image that is new');
$post = ($receiver->posts('/created'))[-1];
is_deeply($post->{body}, { text => '*High* indexed: 1 image, shop/new' }, '... for Slack');
%body = %{ decode_json(scalar query($session, "UPDATE clair.webhook SET format = 'full';"
    . ' SELECT clair.webhook_body(consumer, max(notification)) FROM clair.webhook_delivery GROUP BY consumer')) };
is_deeply([ $body{reason}, map { [ $_->{names}, [ map { "$_->{side} $_->{vulnerability} $_->{feature}" } @{ $_->{findings} } ] ] }
        @{ $body{images}{first} } ],
    [ 'indexed', [ ['shop/new'], ["after $name zlib1g"] ] ], '... and in full');
query($session, 'RESET clair.notify_indexed');
drop('first');
is(scalar query($session, 'SELECT (SELECT count(*) FROM clair.webhook) + (SELECT count(*) FROM clair.webhook_secret)'
    . ' + (SELECT count(*) FROM clair.webhook_receipt)'), 0, 'nothing is left of a consumer that is dropped');

# ---------------------------------------------------------------------------
# Receivers that do not take it
# ---------------------------------------------------------------------------

create('down', 'http://127.0.0.1:1/', ', max_attempts => 1000');
($name) = add_vulnerabilities(1);
ok(wait_for(10, sub { query($session, "SELECT failures > 2 FROM clair.webhook_state") eq 't' }),
    'a receiver that is down is tried again');
is_deeply([ deliveries('down', 'state, last_status, last_error') ],
    [ 'failed 0 could not connect to host "127.0.0.1"' ], '... and the delivery says why');
add_vulnerabilities(2);
query($session, "SELECT clair.alter_webhook('down', url => '" . $receiver->url('/second') . "')");
becomes('down', 'delivered', 'when it is there, everything arrives');
is(scalar(@posts = $receiver->posts('/second')), 3, '... once each');
drop('down');

create('refuses', $receiver->url('/500'), ', max_attempts => 3');
add_vulnerabilities(1);
becomes('refuses', 'dead', 'one that fails is given up');
@posts = $receiver->posts('/500');
is_deeply([ deliveries('refuses', 'state, attempts, last_status, last_error, last_answer') ],
    [ 'dead 3 500 server answered 500 no' ], '... after as many attempts as were set');
is(scalar @posts, 3, '... which it saw');
is($posts[$_]{headers}{'webhook-id'}, $posts[0]{headers}{'webhook-id'}, '... with one id') foreach 1, 2;
cmp_ok($posts[2]{time} - $posts[1]{time}, '>', 0.1, '... further apart each time');
is(scalar query($session, "SELECT dead FROM clair.deliver_webhooks() WHERE consumer = 'refuses'"), 1,
    '... and it stays so');
is(scalar query($session, "SELECT clair.retry_webhook('$posts[0]{body}{id}')"), 't', 'it can be tried again');
becomes('refuses', 'dead', '... as often as before');
ok(wait_for(5, sub { $receiver->posts('/500') == 6 }), '... which it saw');
query($session, "SELECT clair.alter_webhook('refuses', url => '" . $receiver->url('/ok') . "')");
is(scalar query($session, "SELECT clair.retry_webhooks('refuses')"), 1, 'all of them can');
becomes('refuses', 'delivered', '... and arrive');
is(($receiver->posts('/ok'))[-1]{headers}{'webhook-id'}, $posts[0]{headers}{'webhook-id'}, '... with the id that they had');
is(scalar query($session, "SELECT clair.retry_webhook('$posts[0]{body}{id}')"), 'f', 'what has arrived cannot');
drop('refuses');

create('invalid', $receiver->url('/400'));
add_vulnerabilities(1);
becomes('invalid', 'dead', 'what the receiver says is wrong is given up at once');
is(scalar $receiver->posts('/400'), 1, '... after one attempt');
drop('invalid');

create('moved', $receiver->url('/moved'), ', max_attempts => 2');
create('away', $receiver->url('/away'), ', max_attempts => 2');
create('unknown', $receiver->url('/401'), ', max_attempts => 2');
my $seen = $receiver->posts('/ok');
add_vulnerabilities(1);
becomes($_, 'dead', "$_: no success") foreach qw(moved away unknown);
is_deeply([ map { deliveries($_, 'last_error') } qw(moved away unknown) ],
    [ 'server answered 307: redirects are not followed', 'server answered 308: redirects are not followed',
        'server answered 401' ], '... and why');
is($receiver->posts('/ok') + $other->posts, $seen, 'nothing was sent to where they redirect');
drop(qw(moved away unknown));

create('later', $receiver->url('/later'));
create('until', $receiver->url('/until'));
add_vulnerabilities(1);
query($session, 'SELECT clair.deliver_webhooks()');
is(scalar query($session, "SELECT string_agg(concat_ws(' ', consumer, state, attempts, next_attempt_at > now() + '1 s'), ', ' ORDER BY consumer)"
    . ' FROM clair.webhook_delivery'), 'later failed 1 t, until failed 1 t',
    'a receiver that asks for patience');
my ($other_name) = add_vulnerabilities(1);
is(scalar(@posts = $receiver->posts('/later')), 1, '... is not asked about anything else meanwhile');
becomes('later', 'delivered', '... and gets everything after that');
becomes('until', 'delivered', '... also when it names a time');
@posts = $receiver->posts('/later');
cmp_ok($posts[1]{time} - $posts[0]{time}, '>=', 2, '... and not before');
@posts = $receiver->posts('/until');
cmp_ok($posts[1]{time} - $posts[0]{time}, '>=', 2, '... nor then');
drop(qw(later until));

create('hangs', $receiver->url('/hangs'), ", timeout => '4.5 seconds', max_attempts => 1");
create('slow', $receiver->url('/slow'));
create('quick', $receiver->url('/second'));
my $before = $receiver->posts('/second');
add_vulnerabilities(1);
ok(wait_for(5, sub { $receiver->posts('/second') > $before }), 'one that hangs');
unlike(join(' ', deliveries('hangs', 'state')), qr/dead/, '... is in nobody\'s way');
becomes('slow', 'delivered', 'one that is slow has its time');
becomes('hangs', 'dead', 'one that hangs has not');
is_deeply([ deliveries('hangs', 'last_status, last_error') ],
    [ '0 host "127.0.0.1" did not answer within 5 seconds' ], '... more than was set');
drop(qw(hangs slow quick));

# While something waits, the worker holds neither a transaction nor a helper.
create('down', 'http://127.0.0.1:1/', ', max_attempts => 1000');
query($session, 'SET clair.webhook_retry_delay = \'1min\'; ALTER SYSTEM SET clair.webhook_retry_delay = \'1min\'; SELECT pg_reload_conf()');
sleep(0.3);
add_vulnerabilities(1);
ok(wait_for(5, sub { query($session, 'SELECT resume_at > now() FROM clair.webhook_state') eq 't' }), 'while a webhook waits');
ok(wait_for(5, sub {
        query($session, "SELECT string_agg(concat_ws(' ', state, xact_start, backend_xmin), ', ') FROM pg_stat_activity"
            . " WHERE backend_type = 'clair webhooks'") eq 'idle';
    }), '... its worker is idle');
my ($worker) = workers();
is_deeply([ processes_of($worker) ], [], '... and alone');
ends_within(2, '... and ends when it is told to', sub {
    query($session, "SELECT pg_terminate_backend($worker)");
    wait_for(5, sub { !workers() });
});
query($session, 'ALTER SYSTEM RESET clair.webhook_retry_delay; SELECT pg_reload_conf(); RESET clair.webhook_retry_delay');
drop('down');

# Cancelled before it was told.
create('undone', $receiver->url('/ok'), ', enabled => false');
($name) = add_vulnerabilities(1);
ok(!workers(), 'a webhook that is not enabled needs no worker');
delete $feed{bash}{$name};
run_feed();
$seen = $receiver->posts('/ok');
query($session, "SELECT clair.alter_webhook('undone', enabled => true)");
query($session, 'SELECT clair.deliver_webhooks()');
is_deeply([ deliveries('undone', 'state') ], [ 'cancelled', 'cancelled' ], 'what was undone before');
is($receiver->posts('/ok'), $seen, '... is not told');
drop('undone');

# ---------------------------------------------------------------------------
# Networks and certificates
# ---------------------------------------------------------------------------

query($session, 'ALTER SYSTEM SET clair.allow_private_networks = off; SELECT pg_reload_conf()');
create('near', $receiver->url('/ok'), ', max_attempts => 1');
add_vulnerabilities(1);
becomes('near', 'dead', 'a receiver in the own network');
is_deeply([ deliveries('near', 'last_error') ], [ 'address 127.0.0.1 of host "127.0.0.1" is loopback' ], '... is refused');
query($session, 'ALTER SYSTEM RESET clair.allow_private_networks; SELECT pg_reload_conf()');
drop('near');

SKIP:
{
    skip 'IO::Socket::SSL is not installed', 8 if !eval { require IO::Socket::SSL };
    my $files = make_certificates();
    my %tls = (SSL_cert_file => "$files/server.pem", SSL_key_file => "$files/server.key");
    my $secure = Receiver->start_tls({%tls}, '/ok' => answers('200 OK'));
    my $mutual = Receiver->start_tls(
        {
            %tls,
            SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_PEER()
                | IO::Socket::SSL::SSL_VERIFY_FAIL_IF_NO_PEER_CERT(),
            SSL_ca_file => "$files/ca.pem"
        },
        '/ok' => answers('200 OK')
    );

    create('secure', $secure->url('/ok'), ', max_attempts => 1');
    create('mutual', $mutual->url('/ok'), ', max_attempts => 1');
    add_vulnerabilities(1);
    becomes('secure', 'dead', 'a certificate of an unknown authority');
    like(join(' ', deliveries('secure', 'last_error')), qr/certificate/, '... is why');
    becomes('mutual', 'dead', '... for both');
    is($secure->posts + $mutual->posts, 0, 'they have heard nothing');
    query($session, "SELECT clair.alter_webhook('mutual', certificate_file => '$files/none.pem'), clair.retry_webhooks('mutual')");
    ok($node->poll_query_until('postgres', "SELECT last_error LIKE 'could not read file \"%/none.pem\": No such file%'"
              . " FROM clair.webhook_state WHERE consumer = 'mutual'"), 'a certificate that is not there');
    is_deeply([ deliveries('mutual', 'state') ], ['failed'], '... makes it wait, and costs no attempt');
    query($session, "ALTER SYSTEM SET clair.fetch_ca_file = '$files/ca.pem'; SELECT pg_reload_conf()");
    query($session, "SELECT clair.alter_webhook('mutual', certificate_file => '$files/client.pem', key_file => '$files/client.key')");
    query($session, "SELECT clair.retry_webhooks(consumer) FROM clair.webhook");
    becomes('secure', 'delivered', 'with the authority, it is trusted');
    becomes('mutual', 'delivered', 'with a certificate of its own, the server is');
    query($session, 'ALTER SYSTEM RESET clair.fetch_ca_file; SELECT pg_reload_conf()');
    drop(qw(secure mutual));
}

# ---------------------------------------------------------------------------
# Many, at once, and what crashes
# ---------------------------------------------------------------------------

my $many = Receiver->start('/many' => answers('200 OK'), '/ordered' => answers('200 OK'));

create('many', $many->url('/many'), ', enabled => false');
create('ordered', $many->url('/ordered'), ', enabled => false', ', in_order => true');
my @names = add_vulnerabilities($alerts);
query($session, 'UPDATE clair.webhook SET enabled = true');
my @calls = map { (session($node))[0] } 1 .. 4;
$_->query_until(qr/begun/, "\\echo begun\nSELECT * FROM clair.deliver_webhooks();\n") foreach @calls;
query($session, 'SELECT clair.deliver_webhooks()');
$_->quit foreach @calls;
foreach my $consumer (qw(many ordered))
{
    @posts = $many->posts("/$consumer");
    is(scalar @posts, $alerts, "$consumer: several calls at a time deliver everything, once");
    same_lines([ map { $_->{body}{vulnerability} } @posts ], \@names, "$consumer: nothing is lost");
    is(scalar(keys %{ { map { $_->{headers}{'webhook-id'} => 1 } @posts } }), $alerts, "$consumer: ids of their own");
}
is_deeply([ map { $_->{body}{notification} } @posts ], [ sort { $a <=> $b } map { $_->{body}{notification} } @posts ],
    'in order, where that is asked for');
drop(qw(many ordered));

create('crash', $receiver->url('/hangs'));
create('waits', $receiver->url('/created'), ', enabled => false');
$before = $receiver->count('/hangs');
($name) = add_vulnerabilities(1);
ok(wait_for(5, sub { $receiver->count('/hangs') > $before }), 'when the server crashes while something is on its way');
$session->quit;
$node->stop('immediate');
$node->start;
($session) = session($node);
is_deeply([ deliveries('crash', 'state') ], ['pending'], '... nobody knows whether it has arrived');
query($session, "SELECT clair.alter_webhook('crash', url => '" . $receiver->url('/second') . "')");
query($session, "SELECT clair.alter_webhook('waits', enabled => true)");
query($session, 'SELECT clair.deliver_webhooks()');
becomes('crash', 'delivered', '... so it is posted again');
is(($receiver->posts('/second'))[-1]{headers}{'webhook-id'}, ($receiver->posts('/hangs'))[-1]{headers}{'webhook-id'},
    '... with the same id');
becomes('waits', 'delivered', 'what was not posted before the crash is posted after it');
is(scalar(grep { $_->{body}{vulnerability} eq $name } grep { exists $_->{body}{schema} } $receiver->posts('/created')), 1, '... once');

# ---------------------------------------------------------------------------
# Who may, and what nobody sees
# ---------------------------------------------------------------------------

query($session, 'CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader; CREATE ROLE administrator LOGIN;'
    . ' GRANT USAGE ON SCHEMA clair TO administrator, reader');
sub as_role
{
    my ($role, $sql) = @_;

    return $node->safe_psql('postgres', "SET ROLE $role; $sql");
}
sub refused
{
    my ($role, $sql) = @_;
    my (undef, undef, $error) = $node->psql('postgres', "SET ROLE $role; $sql");

    return $error =~ s/^psql:<stdin>:\d+: //r =~ s/\nLINE.*//sr;
}

query($session, "SELECT clair.alter_webhook('waits', secret => '$SECRET', headers => '{\"Authorization\": \"$TOKEN\"}')");
is(as_role('reader', 'SELECT count(*) FROM clair.webhook_secret'), 0, 'who reads everything does not read secrets');
is(as_role('reader', 'SELECT count(*) FROM clair.webhook'), 2, '... but the rest');
is(scalar query($session, "SELECT secret FROM clair.webhook_secret WHERE consumer = 'waits'"), $SECRET, 'their owner does');
like(refused('administrator', "SELECT clair.create_webhook('x', 'https://x/')"), qr/permission denied for function create_webhook/,
    'webhooks are made by whoever was granted it');
query($session, 'GRANT EXECUTE ON FUNCTION clair.create_webhook, clair.create_consumer TO administrator');
like(refused('administrator', "SELECT clair.create_webhook('waits', 'https://x/')"), qr/must be owner of consumer "waits"/,
    '... for consumers of their own');
as_role('administrator', "SELECT clair.create_consumer('own'); SELECT clair.create_webhook('own', 'https://x.invalid/')");
query($session, "SELECT clair.drop_webhook('own')");
like(refused('administrator', "SELECT clair.create_webhook('own', 'https://x.invalid/', certificate_file => '/etc/passwd')"),
    qr/permission denied to read files on the server/, '... without files of the server');
like(refused('postgres', "SELECT clair.create_webhook('own', $_->[0])"), $_->[1], "a webhook of $_->[0]") foreach
    [ "'file:///etc/passwd'", qr/invalid URL of a webhook\nHINT:  It begins with https:\/\/ or http:\/\/\.$/ ],
    [ "'nowhere'",                            qr/invalid URL of a webhook/ ],
    [ "'https://x/', format => 'clair-v4'",   qr/violates check constraint/ ],
    [ "'https://x/', format => 'xml'",        qr/violates check constraint/ ],
    [ "'https://x/', timeout => '0 s'",       qr/violates check constraint/ ],
    [ "'https://x/', secret => 'whsec_!'",    qr/invalid secret\nDETAIL:  What follows "whsec_" is not base64\.$/ ],
    [ "'https://x/', headers => '[1]'",       qr/headers are not an object of strings and arrays of strings/ ],
    [ "'https://x/', headers => '{\"Webhook-Id\": \"1\"}'", qr/header "Webhook-Id" cannot be set/ ],
    [ "'https://x/', certificate_file => 'x'", qr/path "x" is not absolute/ ],
    [ "NULL",                                 qr/of a webhook, only secret, headers, callback and files may be null/ ];
like(refused('postgres', "SELECT clair.create_webhook('waits', 'https://x/')"), qr/consumer "waits" already has a webhook/,
    'one webhook for a consumer');
like(refused('postgres', "SELECT clair.alter_webhook('own', 'https://x/')"), qr/consumer "own" has no webhook/, 'none to alter');
like(refused('postgres', "SELECT clair.drop_webhook('own')"), qr/consumer "own" has no webhook/, '... nor to drop');
like(refused('postgres', "SELECT clair.retry_webhooks('nobody')"), qr/consumer "nobody" does not exist/, '... nor to try again');
like(refused('postgres', 'BEGIN; CREATE TABLE x (); SELECT clair.deliver_webhooks()'), qr/cannot wait in a transaction that has already written/,
    'a transaction that has written does not wait');

my $dump = "$folder/dump.sql";
$node->run_log([ 'pg_dump', '--file', $dump, '--dbname', $node->connstr('postgres') ]);
like(slurp_file($dump), qr/\Q$SECRET\E/, 'a dump has the secrets');
query($session, "SELECT clair.alter_webhook('waits', url => 'http://127.0.0.1:1/', max_attempts => 2)");
add_vulnerabilities(1);
ok(wait_for(5, sub { query($session, "SELECT dead FROM clair.webhook_status WHERE consumer = 'waits'") eq '1' }), 'a failure');
is(shown_in_log($node, qr/\Q$SECRET\E|\Q$TOKEN\E/), 0, 'the log has none of the secrets');

$session->quit;
done_testing();
