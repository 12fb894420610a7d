# Proves that the requests in src/README.md have the answers that it gives for them, document by
# document; that the functions of its table are the endpoints that there are, each with an example;
# and that who may not do a thing may not do it through a gateway.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256_hex);
use FeedTest;
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder    = PostgreSQL::Test::Utils::tempdir();
my $map       = slurp_file("$FindBin::Bin/../../src/README.md");
my $node      = start_server('api', 'max_worker_processes = 16');
my ($session) = session($node);
my $json      = JSON::PP->new->canonical->allow_nonref;

# Two layers, a feed, what NVD says, and a webhook that posts nothing.
my @base = ('etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n");
make_layer("$folder/base.tar", @base, 'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]));
make_layer("$folder/web.tar",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ], [ 'libssl3', '3.0-1', 'openssl' ],
        [ 'openssl', '3.0-1' ]));
write_file("$folder/tracker.json", {
    openssl => { 'CVE-2031-0001' => { description => 'Keys can be guessed.',
        releases => { bookworm => { status => 'resolved', urgency => 'medium', fixed_version => '3.0-2' } } } },
    zlib => { 'CVE-2031-0002' => { releases => { bookworm => { status => 'open', urgency => 'low' },
        bullseye => { status => 'open', urgency => 'low' } } } } });
# In the examples, digits stand for the digests of layers.
my %digest = ('1' x 64 => sha256_hex(slurp_file("$folder/base.tar")),
    '2' x 64 => sha256_hex(slurp_file("$folder/web.tar")));
set_feed($session, 'debian', "$folder/tracker.json");
is(update($session, 'debian')->{state}, 'succeeded', 'a feed');
query($session, <<'SQL');
SET timezone = 'UTC';
INSERT INTO clair.cve (cve, severity, updater, metric) VALUES ('CVE-2031-0001', 'High', 'nvd', 1);
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
VALUES ('CVE-2031-0001', 'nvd', 1, 'nvd@nist.gov', 'Primary', '3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
    7.5, 'High');
SELECT clair.create_consumer('ops');
SELECT clair.create_webhook('ops', 'https://alerts.example.org/', format => 'clair-v2', enabled => false);
SQL

# ---------------------------------------------------------------------------
# The examples
# ---------------------------------------------------------------------------

# What a gateway does: the answer's status and body.
sub request
{
    my ($where, $method, $url, $body) = @_;
    my ($path, $query) = split /\?/, $url, 2;
    my %query = map { my ($key, $value) = split /=/; $key => $value // '' } split /&/, $query // '';
    my ($function) = $path =~ m{^/(indexer|matcher|notifier)/} ? 'v4' : 'v1';
    my $answer = query($where, "SELECT row_to_json(answer) FROM clair.$function('$method', '$path', \$q\$"
        . $json->encode(\%query) . '$q$, ' . (defined $body ? "\$b\$$body\$b\$" : 'NULL') . ') AS answer');

    $answer = $json->decode($answer);
    return ($answer->{status}, $answer->{body});
}

# Gives the last notification the id of an example, as if it had been posted in vain.
sub post_notification
{
    my ($id) = @_;

    query($session, "INSERT INTO clair.webhook_receipt (consumer, notification, id, attempts, status)"
        . " SELECT 'ops', max(id), '$id', 1, 503 FROM clair.notification ON CONFLICT DO NOTHING;"
        . " UPDATE clair.notification SET created_at = '2031-01-01 00:00:00+00'");
}

my %exemplified;
my $number = 0;
while ($map =~ /^```http\n(\w+) (\S+)\n(.*?)\n?^(\d{3})\n(.*?)^```$/msg)
{
    my ($method, $url, $body, $status, $expected) = ($1, $2, $3, $4, $5);
    my $path = $url =~ s/\?.*//r;

    $number++;
    s{/srv/layers}{$folder}g, s/(1{64}|2{64})/$digest{$1}/g foreach $body, $expected;
    query($session, "UPDATE clair.update_run SET finished_at = '2031-01-01 00:00:00+00'") if $path =~ /update_/;
    post_notification($1) if $method eq 'GET' && $path =~ m{/notifications?/([0-9a-f-]+)$};
    my ($got_status, $got) = request($session, $method, $url, $body =~ /\S/ ? $body : undef);
    is($got_status, $status, "$number: $method $url") or diag($json->encode($got));
    is_deeply($got, $expected =~ /\S/ ? $json->decode($expected) : undef, '... and its document')
        or diag($json->encode($got));
    $exemplified{"$method $path"} = 1;
}
cmp_ok($number, '>', 20, 'there are examples');

# ---------------------------------------------------------------------------
# Manifests that share layers
# ---------------------------------------------------------------------------

# Posts a manifest of layers, [ digest, path ] each; the status, and what is said.
sub post_manifest
{
    my ($digit, @layers) = @_;
    my ($status, $body) = request($session, 'POST', '/indexer/api/v1/index_report', $json->encode({
        hash => 'sha256:' . $digit x 64, layers => [ map { { hash => "sha256:$_->[0]", uri => $_->[1] } } @layers ] }));

    return join ' ', $status, grep { $_ ne '' } $body->{message} // sort keys %{ $body->{packages} };
}

my ($base, $web) = @digest{ '1' x 64, '2' x 64 };
is(post_manifest('e', [ $base, '/nowhere' ], [ $web, "$folder/web.tar" ]), '201 1 2 3', 'what lies below is not fetched when it is known');
like(post_manifest('f', [ $web, '/nowhere' ], [ $base, "$folder/base.tar" ]), qr{^400 could not open "/nowhere"},
    '... but where the same layer has others below it');
like(post_manifest('f', [ $base, '/nowhere' ], [ $base, "$folder/web.tar" ]),
    qr/^422 layer 2 does not have the digest "sha256:$base"$/, 'a digest that is not the layer\'s');
is(scalar query($session, "SELECT string_agg(name, ' ') FROM clair.image_name WHERE name LIKE 'manifest:%'"),
    'manifest:sha256:' . 'e' x 64, '... leaves nothing behind');

# ---------------------------------------------------------------------------
# The table
# ---------------------------------------------------------------------------

my %mapped;
while ($map =~ /^\| `(\w+) (\S+)` \| `clair\.(\w+)\((.*?)\)` \|/mg)
{
    my ($method, $path, $function, $arguments) = ($1, $2, $3, $4);
    my $pattern = join '[^/]+', map { quotemeta } split /:[a-z]+/, $path, -1;

    $mapped{$function} = 1;
    is(scalar query($session, "SELECT array_to_string(proargnames[1:pronargs], ', ') FROM pg_proc"
        . " WHERE pronamespace = 'clair'::regnamespace AND proname = '$function'"), $arguments, "$function()");
    next if $path eq '/v1/metrics' || $path =~ /index_state$/;    # of which the answer is never the same
    ok(scalar(grep { /^$method $pattern$/ } keys %exemplified), "... has an example of $method $path");
}
is(join(' ', grep { !$mapped{$_} } query($session, "SELECT proname FROM pg_proc WHERE pronamespace = 'clair'::regnamespace"
    . " AND proname ~ '^v[14]_(get|post|put|delete)_' ORDER BY 1")), '', 'no endpoint is missing in it');

my @states = map { $_->{state} } (request($session, 'GET', '/indexer/api/v1/index_state'))[1];
query($session, "INSERT INTO clair.reader_version (role, version, change) VALUES ('dpkg', 99, 'something')");
push @states, map { $_->{state} } (request($session, 'GET', '/indexer/api/v1/index_state'))[1];
like($states[0], qr/^[0-9a-f]{64}$/, 'there is a state of the indexer');
isnt($states[1], $states[0], '... and another one when there are newer readers');
query($session, "DELETE FROM clair.reader_version WHERE version = 99");

my ($status, $metrics) = request($session, 'GET', '/v1/metrics');
like($metrics, qr/^# HELP clair_images .*\n# TYPE clair_images gauge\nclair_images \d+$/m, 'metrics are text');
is(join("\n", grep { !/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? -?[0-9.]+)$/ } split /\n/, $metrics), '',
    '... in the format of Prometheus');

# ---------------------------------------------------------------------------
# Rights
# ---------------------------------------------------------------------------

query($session, 'CREATE ROLE gateway; GRANT USAGE ON SCHEMA clair TO gateway;'
    . ' GRANT EXECUTE ON FUNCTION clair.v1, clair.api_path, clair.api_status TO gateway');
query($session, 'SET SESSION AUTHORIZATION gateway');
foreach my $request ([ 'GET', '/v1/layers/x' ], [ 'DELETE', '/v1/layers/x' ], [ 'GET', '/v1/metrics' ],
    [ 'POST', '/v1/namespaces/debian:12/vulnerabilities', '{}' ])
{
    my ($got_status, $got) = request($session, @$request);

    is($got_status, 403, "$request->[0] $request->[1] takes more than to be let through");
    like($got->{Error}{Message}, qr/^permission denied for function v1_/, '... as the answer says');
}
query($session, 'RESET SESSION AUTHORIZATION; GRANT SELECT ON ALL TABLES IN SCHEMA clair TO gateway;'
    . ' GRANT EXECUTE ON FUNCTION clair.v1_get_layer, clair.v1_image, clair.v1_name, clair.v1_layer_name,'
    . ' clair.v1_delete_layer, clair.image_id TO gateway;'
    . " SELECT clair.index_layer('web', '$folder/base.tar')");
query($session, 'SET SESSION AUTHORIZATION gateway');
is((request($session, 'GET', '/v1/layers/web'))[0], 200, 'with the rights to read, it reads');
is(join(' ', map { ref ? $_->{Error}{Message} : $_ } request($session, 'DELETE', '/v1/layers/web')),
    '403 permission denied for function delete_image', '... and no more than that');

$session->quit;
done_testing();
