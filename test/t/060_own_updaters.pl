# Proves that a source of the user's own, in a format that several share, is copied, compared, told and
# dropped like any that the extension brings: from a file, and over HTTP; that what it covers shows
# with images; and that it is not dropped while it runs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use FeedTest;
use IndexTest;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebServer;

my $folder    = PostgreSQL::Test::Utils::tempdir();
my $node      = start_server('own_updaters', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0',
    'max_worker_processes = 12');
my ($session)  = session($node);
my ($listener) = session($node);

# What a run came to, in one line.
sub outcome_of
{
    my $run = update($session, $_[0]);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# A secdb: package => { version => [ names ] }.
sub secdb
{
    my (%packages) = @_;

    return { packages => [ map { { pkg => { name => $_, secfixes => $packages{$_} } } } sort keys %packages ] };
}

sub alpine_layer
{
    my ($name, %packages) = @_;

    return make_layer("$folder/$name.tar",
        'etc/os-release'       => "ID=alpine\nVERSION_ID=3.20.1\n",
        'lib/apk/db/installed' => join '', map { "P:$_\nV:$packages{$_}\nA:x86_64\no:$_\n\n" } sort keys %packages);
}

sub findings
{
    return join ' ', query($session, "SELECT COALESCE(vulnerability || '<' || fixed_in, status)"
        . " FROM clair.vulnerabilities('$_[0]') ORDER BY vulnerability COLLATE \"C\", fixed_in");
}

sub create
{
    my ($name, $url, $format, $options) = @_;

    query($session, "SELECT clair.create_updater('$name', '$url', '$format', '$options')");
}

# ---------------------------------------------------------------------------
# From a file
# ---------------------------------------------------------------------------

# The extension's own updater says nothing here.
query($session, "UPDATE clair.updater SET enabled = false, options = '{\"namespaces\": []}' WHERE name = 'alpine'");
index_file($session, alpine_layer('web', bash => '5.2-r0', zlib => '1.3-r0'), 'web');
index_file($session, alpine_layer('job', zlib => '1.3-r1'), 'job');
my $STATUS = "SELECT i.status FROM clair.image AS i WHERE i.id = clair.image_id('web')";
is(query($session, $STATUS), 'unsupported_namespace', 'an image whose namespace no updater covers');
is(findings('web'), 'no_feed', '... of which we say that we know nothing');

write_file("$folder/secdb.json", secdb(bash => { '5.2-r1' => ['CVE-2031-1001'] },
    zlib => { '1.3-r1' => ['CVE-2031-1002'], '0' => ['CVE-2031-1003'] }));
create('acme', "file://$folder/secdb.json", 'secdb', '{"namespace": "alpine:v3.20"}');
is(query($session, $STATUS), 'ok', 'a new updater covers it');
is(findings('web'), 'no_feed', '... but has not run');
is(outcome_of('acme'), 'succeeded: 2 records 0 unchanged 0 broken 3 added 0 changed 0 withdrawn', 'it runs');
is(findings('web'), 'CVE-2031-1001<5.2-r1 CVE-2031-1002<1.3-r1', '... and the image has findings');
is(findings('job'), '', 'another one has none');
is(scalar query($session, 'SELECT count(*) FROM clair.notification'), 0, 'the first run tells nothing');
is(outcome_of('acme'), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'a file that has not changed is not read');

query($listener, 'LISTEN clair');
write_file("$folder/secdb.json", secdb(bash => { '5.2-r1' => ['CVE-2031-1001'] },
    zlib => { '1.3-r2' => ['CVE-2031-1002'], 'nonsense' => ['CVE-2031-1004'] }));
is(outcome_of('acme'), 'succeeded: 2 records 1 unchanged 1 broken 0 added 1 changed 0 withdrawn',
    'only what has changed is read; a broken item is told, and keeps what it does not say from going');
is(findings('job'), 'CVE-2031-1002<1.3-r2', 'another image is affected now');
is(query($session, 'SELECT vulnerability, reason, images FROM clair.notification'), 'CVE-2031-1002|changed|2',
    '... which is told');
like($listener->query('SELECT 1'), qr/"clair".*"updater":"acme".*"CVE-2031-1002","reason":"changed"/,
    '... to all');
write_file("$folder/secdb.json", '<html/>');
like(outcome_of('acme'), qr/^failed: .* document "secdb": /, 'a document that is something else fails the run');
is(findings('web'), 'CVE-2031-1001<5.2-r1 CVE-2031-1002<1.3-r2', '... and changes nothing');

# ---------------------------------------------------------------------------
# Over HTTP: two sources of the same namespace
# ---------------------------------------------------------------------------

my $feed_file = "$folder/served.json";
my $server    = WebServer->start(
    '/secdb.json' => sub {
        my ($client, $headers) = @_;
        my $feed = slurp_file($feed_file);
        my $etag = '"' . md5_hex($feed) . '"';

        return WebServer::answer($client, '304 Not Modified', { ETag => $etag }, '')
            if ($headers->{'if-none-match'} // '') eq $etag;
        WebServer::answer($client, '200 OK', { ETag => $etag }, $feed);
    },
    '/stall' => sub {
        my ($client) = @_;

        print $client "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
        $client->flush();
        <$client>; # until it gives up
    });

write_file($feed_file, secdb(bash => { '5.2-r3' => ['CVE-2031-2001'] }));
create('partner', $server->url('/secdb.json'), 'secdb',
    '{"namespace": "alpine:v3.20", "namespaces": [], "link": "https://example.org/"}');
is(outcome_of('partner'), 'succeeded: 1 records 0 unchanged 0 broken 1 added 0 changed 0 withdrawn', 'over HTTP');
is(outcome_of('partner'), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    '... with what the server says of changes');
is(findings('web'), 'CVE-2031-1001<5.2-r1 CVE-2031-1002<1.3-r2 CVE-2031-2001<5.2-r3',
    'what both say are findings');
is(join(' ', query($session, "SELECT updater, state FROM clair.image_coverage WHERE image_id = clair.image_id('web')")),
    'acme|current', 'one that covers nothing only adds to that');
is(join(' ', query($session, "SELECT name, state, fresh FROM clair.updater AS u JOIN clair.update_status AS s"
    . ' ON s.updater = u.name WHERE format IS NOT NULL ORDER BY name')),
    'acme|failed|t partner|unchanged|t', 'they show like others');

# ---------------------------------------------------------------------------
# Dropped
# ---------------------------------------------------------------------------

query($session, "UPDATE clair.updater SET url = '" . $server->url('/stall') . "' WHERE name = 'acme'");
query($session, "SELECT clair.update('acme', wait => false)");
ok(wait_for(20, sub { query($session, "SELECT state FROM clair.update_status WHERE updater = 'acme'") eq 'running' }),
    'while it runs');
is(outcome($session, "SELECT clair.drop_updater('acme')"), "55006: updater \"acme\" is running\n"
    . 'HINT: Try again when it has ended, see clair.update_status.', '... it is not dropped');
query($session, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'clair updater'");
ok(wait_for(20, sub { query($session, "SELECT state FROM clair.update_status WHERE updater = 'acme'") eq 'cancelled' }),
    'it is cancelled');

query($session, "BEGIN; SELECT clair.drop_updater('acme'); ROLLBACK");
is(findings('web'), 'CVE-2031-1001<5.2-r1 CVE-2031-1002<1.3-r2 CVE-2031-2001<5.2-r3',
    'dropping is undone with its transaction');
is(query($session, "SELECT clair.drop_updater('acme')"), '3', 'dropped: all that it brought is withdrawn');
is(findings('web'), 'CVE-2031-2001<5.2-r3 no_feed', 'its findings are gone, and so is what it covered');
is(join(' ', query($session, 'SELECT vulnerability, reason, images FROM clair.notification ORDER BY id')),
    'CVE-2031-1002|changed|2 CVE-2031-1001|withdrawn|1 CVE-2031-1002|withdrawn|2', 'which is told');
is(join(' ', query($session, "SELECT names, side, vulnerability FROM clair.notification_images((SELECT max(id)"
    . " FROM clair.notification WHERE vulnerability = 'CVE-2031-1002'))")),
    '{web}|before|CVE-2031-1002 {job}|before|CVE-2031-1002', '... with the images that had them');
is(query($session, $STATUS), 'unsupported_namespace', 'nobody covers the image now');
is(scalar query($session, "SELECT count(*) FROM clair.vulnerability WHERE updater = 'acme' AND until_run IS NULL"), 0,
    'nothing of it is current');
is(scalar query($session, "SELECT count(*) FROM clair.vulnerability WHERE updater = 'acme'"), 4, 'all is in the history');
is(scalar query($session, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, 'no lock is left');

# ---------------------------------------------------------------------------
# A real one
# ---------------------------------------------------------------------------

SKIP:
{
    my $data = test_data('feeds/alpine/wolfi-security.json.gz') or skip 'there are no test data', 1;
    my $text;
    my %expected;

    gunzip($data => \$text);
    foreach my $package (@{ decode_json($text)->{packages} })
    {
        my ($name, $fixes) = @{ $package->{pkg} }{qw(name secfixes)};
        foreach my $version (keys %$fixes)
        {
            push @{ $expected{"$name $_"} }, $version foreach map { split ' ' } @{ $fixes->{$version} };
        }
    }
    create('images', "file://$data", 'secdb', '{"namespace": "wolfi:rolling"}');
    my $run = update($session, 'images');
    is($run->{state}, 'succeeded', "Wolfi's own, compressed");
    my %said = map { /^(\S+ \S+) (\S+)$/ } query($session, "SELECT a.package || ' ' || v.name || ' '"
        . " || COALESCE(clair.bare(a.fixed), '0') FROM clair.vulnerability AS v JOIN clair.affected AS a"
        . " ON a.vulnerability_id = v.id WHERE v.updater = 'images' AND a.namespace = 'wolfi:rolling'");
    same_lines([ sort keys %said ], [ sort keys %expected ], 'each vulnerability of each package');
    is_deeply([ grep { my $fix = $said{$_}; !grep { $_ eq $fix } @{ $expected{$_} // [] } } sort keys %said ], [],
        '... fixed where it says');
}

$_->quit foreach $session, $listener;
done_testing();
