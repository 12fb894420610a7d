# Proves that a tenant sees, is told of and changes its own images only, whatever it asks; that what
# images share tells it nothing of others; that who sees all sees all; that dumps keep this; and that
# lookups still go by indexes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use Listener;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node   = start_server('tenants', 'max_worker_processes = 16');
my ($owner) = session($node);

if ($node->pg_version < 15)
{
    like(outcome($owner, "SELECT clair.add_tenant('pg_monitor', 'web/')"), qr/^0A000: tenants need PostgreSQL 15 or newer\n/,
        'before PostgreSQL 15, nobody believes to be kept apart');
    note('SKIP: tenants need PostgreSQL 15');
    $owner->quit;
    done_testing();
    exit;
}

# ---------------------------------------------------------------------------
# Two teams, an auditor, and somebody who may read and is in no team
# ---------------------------------------------------------------------------

# What README has as its example.
my ($example) = slurp_file("$FindBin::Bin/../../README.md") =~ /^### Tenants\n.*?^```sql\n(.*?)^```/ms;
query($owner, 'CREATE ROLE team_shop; CREATE ROLE team_bank; CREATE ROLE auditors; CREATE ROLE stranger;'
    . ' CREATE ROLE shop LOGIN; CREATE ROLE bank LOGIN; CREATE ROLE auditor LOGIN');
query($owner, $_) foreach grep { /\S/ } split /;\s*(?:--.*)?\n/, $example;
query($owner, "SELECT clair.grant_access('auditors', 'index')");
query($owner, "GRANT team_shop TO shop; GRANT team_bank TO bank; GRANT auditors TO auditor");
query($owner, "SELECT clair.grant_access('stranger', 'administer')");
query($owner, 'GRANT pg_read_server_files TO shop, bank, auditor, stranger; GRANT TEMPORARY ON DATABASE postgres TO shop, bank');

my %session;
foreach my $role (qw(shop bank auditor stranger))
{
    ($session{$role}) = session($node);
    query($session{$role}, "SET SESSION AUTHORIZATION $role");
}

sub layer
{
    my ($name, @packages) = @_;

    return make_layer("$folder/$name.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
        "srv/$name" => $name, 'var/lib/dpkg/status' => status_paragraphs(@packages));
}

my %feed = map { ($_ => { "CVE-2031-$_" => { releases => { bookworm => { status => 'open', urgency => 'high' } } } }) }
    qw(shared shoponly bankonly);
write_file("$folder/tracker.json", \%feed);
set_feed($owner, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
is(update($owner, 'debian')->{state}, 'succeeded', 'there are advisories');

my $base = layer('base', [ 'shared', '1' ]);
my %own  = (shop => layer('shop', [ 'shared', '1' ], [ 'shoponly', '1' ]),
    bank => layer('bank', [ 'shared', '1' ], [ 'bankonly', '1' ]));
foreach my $team (qw(shop bank))
{
    # The base is one image, with a name of each; what is upon it is a team's.
    like(query($session{$team}, "SELECT name, features, layers_read IS NULL FROM clair.index_image('$base', '$team/base')"),
        qr{^$team/base\|1\|t$}, "$team indexes what the other has, too, and is not told that it is known");
    query($session{$team}, "SELECT clair.index_layer('$team/web', '$own{$team}', '$team/base')");
}
my %image = map { ($_ => query($owner, "SELECT image_id FROM clair.image_name WHERE name = '$_'")) }
    qw(shop/base shop/web bank/base bank/web);
is($image{'shop/base'}, $image{'bank/base'}, 'the same image is one row');

# ---------------------------------------------------------------------------
# Reading: everything, by every door
# ---------------------------------------------------------------------------

my %seen = (
    'names'    => [ 'SELECT name FROM clair.image_name ORDER BY 1', "shop/base\nshop/web" ],
    'images'   => [ 'SELECT count(*), count(*) FILTER (WHERE id = ' . $image{'bank/web'} . ') FROM clair.image', '2|0' ],
    'layers'   => [ 'SELECT count(*) FROM clair.layer', 2 ],
    'blobs'    => [ 'SELECT count(*) FROM clair.layer_blob', 2 ],
    'entries'  => [ "SELECT count(*) FROM clair.layer_entry WHERE path LIKE '%status%'", 2 ],
    'facts'    => [ 'SELECT count(DISTINCT layer) FROM clair.layer_fact', 2 ],
    'parts'    => [ 'SELECT count(*) FROM clair.image_layer', 3 ],
    'bases'    => [ 'SELECT count(*) FROM clair.package_database', 2 ],
    'features' => [ 'SELECT DISTINCT name FROM clair.feature ORDER BY 1', "shared\nshoponly" ],
    'search by package' => [ "SELECT count(*) FROM clair.image_feature WHERE name = 'bankonly'", 0 ],
    'findings' => [ 'SELECT DISTINCT feature FROM clair.image_vulnerability ORDER BY 1', "shared\nshoponly" ],
    'coverage' => [ 'SELECT count(DISTINCT image_id) FROM clair.image_coverage', 2 ],
    'status'   => [ 'SELECT count(*) FROM clair.image_status', 2 ],
    'bases of images' => [ 'SELECT count(*) FROM clair.base_image', 1 ],
    'who is affected' => [ "SELECT names FROM clair.affected_images('CVE-2031-shared') ORDER BY 1", "{shop/base}\n{shop/web}" ],
    'of the other'    => [ "SELECT count(*) FROM clair.affected_images('CVE-2031-bankonly')", 0 ],
    'in a range' => [ "SELECT count(*) FROM clair.features_in_range('debian:12', 'source', 'bankonly', '-infinity', 'infinity', 0)", 0 ],
    'audit of tenants' => [ 'SELECT role || prefix FROM clair.tenant', 'team_shopshop/' ],
);
foreach my $what (sort keys %seen)
{
    my ($sql, $expected) = @{ $seen{$what} };

    is(join("\n", query($session{shop}, $sql)), $expected, "a tenant: $what");
    is(query($session{stranger}, "SELECT count(*) FROM ($sql) AS q WHERE q::text !~ '^[(][0,]+[)]\$'"), 0, "none at all: $what");
}
is(query($session{auditor}, 'SELECT count(*) FROM clair.image_name'), 4, 'who sees all sees all names');
is(query($session{auditor}, 'SELECT count(*) FROM clair.image'), 3, 'and images');
is(query($session{auditor}, "SELECT string_agg(DISTINCT feature, ' ' ORDER BY feature) FROM clair.image_vulnerability"),
    'bankonly shared shoponly', 'and findings');

# What is not seen is not there, in the same words, for everything that takes an image.
my $digest = query($owner, "SELECT digest FROM clair.image WHERE id = $image{'bank/web'}");
my $none   = outcome($session{shop}, "SELECT clair.image_id('none')");
foreach my $call ('clair.image_id(%s)', 'clair.features(%s)', 'clair.vulnerabilities(%s)', 'clair.export_sbom(%s)',
    'clair.export_vex(%s)', "clair.report(%s, 'json')", 'clair.check_image(%s)', 'clair.delete_image(%s)',
    "clair.index_layer('shop/x', '$own{shop}', %s)")
{
    foreach my $image ('bank/web', $digest, $image{'bank/web'}, 'bank/none')
    {
        my $got = outcome($session{shop}, 'SELECT ' . sprintf($call, "'$image'"));

        like($got, qr/^\w{5}: image "\Q$image\E" does not exist/, sprintf($call, $image));
    }
}
is(query($session{shop}, "SELECT status FROM clair.v1('GET', '/v1/layers/bank%2Fweb')"), 404, 'version 1 of the API');
is(query($session{shop}, "SELECT status FROM clair.v1('GET', '/v1/layers/shop%2Fweb', '{\"features\": \"\"}')"), 200, 'as it shows its own');
is(query($session{shop}, "SELECT status FROM clair.v4('GET', '/indexer/api/v1/index_report/$digest')"), 404, 'version 4');
unlike(query($session{shop}, "SELECT body FROM clair.v4('POST', '/indexer/api/v1/internal/affected_manifest', '{}',"
    . ' \'{"vulnerabilities": [{"id": "1", "name": "CVE-2031-bankonly"}]}\')'), qr/sha256/, 'and its affected manifests');
unlike(query($session{shop}, "SELECT clair.export_sbom('shop/base')"), qr/bank/, 'a bill of materials of what both have');
unlike(query($session{shop}, "SELECT clair.report('shop/base', 'json')"), qr/bank/, 'and a report');

# A function of the reader's own sees no row that he does not see.
query($session{shop}, 'CREATE FUNCTION pg_temp.leak(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS'
    . " \$\$ BEGIN RAISE NOTICE 'leaked %', what; RETURN true; END \$\$");
foreach my $column ('name FROM clair.image_name', 'digest FROM clair.image', 'name FROM clair.feature',
    'feature FROM clair.image_vulnerability', 'layer FROM clair.layer_entry')
{
    my ($what) = $column =~ /^(\w+)/;

    query($session{shop}, "SELECT count(*) FROM (SELECT $column) AS q WHERE pg_temp.leak(q.$what)");
    unlike($session{shop}->{stderr}, qr/leaked (bank|\Q$digest\E)/, "a function in a query of $column is shown nothing more");
    like($session{shop}->{stderr}, qr/leaked/, 'though it is called');
}

# Every view reads with the rights of who asks, and no function with those of its owner.
is(query($owner, "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = 'clair'::regnamespace"
    . " AND c.relkind = 'v' AND NOT COALESCE(c.reloptions @> '{security_invoker=true}', false)"),
    'cve_detail local_advisory update_status updater updater_definition',
    'every view that tells of images reads with the rights of who asks');
is(query($owner, "SELECT string_agg(f.proname, ' ') FROM pg_proc AS f WHERE f.pronamespace = 'clair'::regnamespace AND f.prosecdef"), '',
    'and no function with those of its owner');
is(query($owner, "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = 'clair'::regnamespace"
    . " AND c.relkind = 'r' AND NOT c.relrowsecurity"),
    'affected audit broken_record builtin_policy builtin_updater cve cve_metric cve_statement detector distribution'
    . ' distribution_name document epss epss_edition flavour_rule frozen_namespace kev own_advisory own_policy own_updater'
    . ' reader_version record release release_tag repository_cpe scope update_run updater_format updater_option'
    . ' updater_setting updater_state vulnerability', 'tables without row security tell of no image');

# ---------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------

like(outcome($session{shop}, "SELECT clair.index_image('$own{shop}', 'bank/web')"),
    qr{^42501: "bank/web" is not a name of images of role "shop"\nHINT: Names begin with one of these: shop/$},
    'a name of the other is not taken over');
like(outcome($session{shop}, "SELECT clair.index_image('$own{shop}', 'bank/new')"), qr/^42501: /, 'nor one that nobody has');
like(outcome($session{shop}, "SELECT clair.index_image('$own{shop}')"), qr/^42501: images of role "shop" must have a name/,
    'an image without a name would be nobody\'s');
like(outcome($session{stranger}, "SELECT clair.index_image('$own{shop}', 'shop/web')"), qr/^42501: /, 'who is no tenant indexes nothing');
like(outcome($session{shop}, $_), qr/^42501: clair\.\w+\(\) is for roles that see all images\n/, $_) foreach (
    "SELECT clair.set_namespace('shop/base', 'debian:11')", q(SELECT clair.load_vex('{"@id": "urn:1", "version": 1, "statements": []}'::jsonb)));

# Exceptions: of its own images, and only there.
like(outcome($session{shop}, "SELECT clair.create_exception('CVE-2031-shared', 'no', image => $_)"),
    qr/^42501: an exception of this role must name its own images/, "no exception for $_")
    foreach ('NULL', "'%'", "'bank/%'", "'$digest'", "'$image{'shop/base'}'");
my $exception = query($session{shop}, "SELECT clair.create_exception('CVE-2031-shared', 'shop accepts', image => 'shop/%')");
my $findings  = "SELECT string_agg(DISTINCT COALESCE(exception, '-'), ' ') FROM clair.vulnerabilities('%s/base')";
is(query($session{shop}, sprintf($findings, 'shop')), 'shop accepts', 'an exception holds where it was made');
is(query($session{bank}, sprintf($findings, 'bank')), '-', 'and not for the other, though it is the same image');
is(query($session{bank}, 'SELECT count(*) FROM clair.exception'), 0, 'who does not see it');
like(outcome($session{bank}, "SELECT clair.end_exception($exception)"), qr/exception $exception does not exist/, 'nor ends it');
query($session{auditor}, "SELECT clair.create_exception('CVE-2031-bankonly', 'for all', image => '%/web')");
is(query($session{bank}, "SELECT string_agg(DISTINCT exception, ' ') FROM clair.vulnerabilities('bank/web')"), 'for all',
    'what who sees all says holds for all');
is(query($session{shop}, "SELECT clair.end_exception($exception)"), 't', 'it is ended where it was made');

# ---------------------------------------------------------------------------
# Being told
# ---------------------------------------------------------------------------

query($session{$_}, "SELECT clair.create_consumer('c_$_')") foreach (qw(shop bank auditor));
my $listener = Listener->new(host => $node->host, port => $node->port, user => scalar query($owner, 'SELECT user'),
    database => 'postgres');
$listener->listen('clair', 'clair_c_bank');
$feed{new} = { 'CVE-2031-new' => { releases => { bookworm => { status => 'open', urgency => 'high' } } } };
$feed{shared}{'CVE-2031-more'} = { releases => { bookworm => { status => 'open', urgency => 'low' } } };
$feed{bankonly}{'CVE-2031-secret'} = { releases => { bookworm => { status => 'open', urgency => 'high' } } };
write_file("$folder/tracker.json", \%feed);
is(update($owner, 'debian')->{added}, 3, 'the feed changes');
query($owner, 'SELECT clair.renotify()');
my %told = map { my $role = $_; ($role => join(' ', query($session{$role},
    "SELECT vulnerability, images IS NULL FROM clair.next_notifications('c_$role') ORDER BY 1"))) } qw(shop bank auditor);
is($told{shop}, 'CVE-2031-more|t', 'a tenant is told of what concerns it, and not how many it concerns');
is($told{bank}, 'CVE-2031-more|t CVE-2031-secret|t', 'so is the other');
is($told{auditor}, 'CVE-2031-more|t CVE-2031-secret|t', 'and who sees all of all');
is(query($session{shop}, 'SELECT string_agg(vulnerability, \' \') FROM clair.notification'), 'CVE-2031-more', 'likewise the table');
is(query($session{shop}, "SELECT string_agg(DISTINCT names::text, ' ') FROM clair.notification AS n,"
    . ' clair.notification_images(n.id)'), '{shop/base} {shop/web}', 'pages have its images, by its names');
is(query($session{shop}, 'SELECT count(*) FROM clair.consumer'), 1, 'consumers are their owners\'');
is(query($session{shop}, 'SELECT count(*) FROM clair.delivery'), 1, 'and what they get');
my $run = query($owner, 'SELECT max(id) FROM clair.update_run');
foreach my $channel ('clair', 'clair_c_bank')
{
    is(join(' ', ($listener->next(10))[1, 2]), qq($channel {"version":1,"run":$run,"updater":"debian"}),
        "NOTIFY $channel, which anybody may hear, says only that there is something");
}
is(($listener->next(10))[2], '{"version":1,"consumer":"c_bank"}', 'so do reminders');

query($owner, "SELECT clair.create_webhook('c_shop', 'http://127.0.0.1:9/', enabled => false)");
my $body = query($owner, "SELECT clair.webhook_body('c_shop', n.id) FROM clair.notification AS n WHERE vulnerability = 'CVE-2031-more'");
like($body, qr/"shop\\?\/web"/, 'what a webhook posts has images of its owner\'s');
unlike($body, qr/bank/, 'and no others, though the worker that posts it sees all');
is(query($session{bank}, 'SELECT count(*) FROM clair.webhook'), 0, 'webhooks are their owners\', too');

# ---------------------------------------------------------------------------
# By indexes
# ---------------------------------------------------------------------------

# A thousand images of somebody else's, and some more tables full.
query($owner, $_) foreach (
    "INSERT INTO clair.image (digest, platform, namespace, status) SELECT 'x' || i, 'linux/amd64', 'debian:12', 'ok' FROM generate_series(1, 1000) AS i",
    "INSERT INTO clair.image_name (name, image_id) SELECT 'other/' || i.id, i.id FROM clair.image AS i WHERE i.digest LIKE 'x%'",
    "INSERT INTO clair.image_layer (image_id, position, layer) SELECT i.id, 1, l.digest FROM clair.image AS i,"
    . " (SELECT digest FROM clair.layer ORDER BY digest LIMIT 1) AS l WHERE i.digest LIKE 'x%'",
    "INSERT INTO clair.package_database (content, namespace, format) SELECT 'x' || i, 'debian:12', 'dpkg' FROM generate_series(1, 1000) AS i",
    "INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version)"
    . " SELECT d.id, n, 'debian:12', 'p' || n, 'dpkg:1', 'p' || n, 'dpkg:1' FROM clair.package_database AS d, generate_series(1, 20) AS n WHERE d.content LIKE 'x%'",
    "INSERT INTO clair.image_database (image_id, position, path, location, database_id) SELECT i.id, 1, 'p', 'p', d.id"
    . " FROM clair.image AS i JOIN clair.package_database AS d ON d.content = i.digest WHERE i.digest LIKE 'x%'",
    'ANALYZE');
foreach my $case (
    [ 'findings of an image', "SELECT * FROM clair.image_vulnerability WHERE image_id = $image{'shop/web'}" ],
    [ 'who has a package', "SELECT * FROM clair.image_feature WHERE name = 'shoponly' AND namespace = 'debian:12'" ],
    [ 'a name', "SELECT * FROM clair.image_name WHERE name = 'shop/web'" ],
    [ 'features of a database', "SELECT * FROM clair.feature WHERE namespace = 'debian:12' AND name = 'shared' AND version OPERATOR(clair.<) 'dpkg:2'::clair.version" ])
{
    my ($what, $sql) = @$case;
    my $plan = join("\n", query($session{shop}, "EXPLAIN (COSTS OFF) $sql"));

    unlike($plan, qr/Seq Scan on (image|image_database|image_layer|feature)\b/,
        "$what: no table that grows is read from end to end") or diag($plan);
}

# ---------------------------------------------------------------------------
# Deleting
# ---------------------------------------------------------------------------

is(query($session{shop}, "SELECT clair.delete_image('shop/base')"), $image{'shop/base'}, 'a tenant deletes what both have');
is(query($session{bank}, "SELECT count(*) FROM clair.features('bank/base')"), 1, 'which is still there for the other');
is(query($session{bank}, "SELECT count(*) FROM clair.features('bank/web')"), 2, 'with what lies upon it');
like(outcome($session{shop}, "SELECT clair.features('shop/base')"), qr/image "shop\/base" does not exist/, 'and gone for itself');
query($session{shop}, "SELECT clair.delete_image('shop/web')");
query($owner, 'SELECT clair.collect_garbage()');
is(query($session{bank}, "SELECT string_agg(name, ' ' ORDER BY name) FROM clair.features('bank/web')"), 'bankonly shared',
    'also after garbage was collected');
is(query($owner, "SELECT count(*) FROM clair.image AS i WHERE i.id = $image{'shop/web'}"), 0, 'what was its own is deleted');
query($session{bank}, "SELECT clair.delete_image('bank/base')");
is(query($owner, "SELECT count(*) FROM clair.image WHERE id IN ($image{'bank/base'}, $image{'bank/web'})"), 0,
    'and what was shared, by the last who has it');

# ---------------------------------------------------------------------------
# Dumps, and an end
# ---------------------------------------------------------------------------

query($session{bank}, "SELECT clair.index_image('$own{bank}', 'bank/web')");
query($owner, "DELETE FROM clair.image WHERE digest LIKE 'x%'; DELETE FROM clair.package_database WHERE content LIKE 'x%'");
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', "$folder/dump.sql" ], 'pg_dump');
foreach my $mode ('replica', $ENV{CLAIR_TEST_LONG} ? 'origin' : ())
{
    $node->safe_psql('postgres', "CREATE DATABASE restored_$mode TEMPLATE template0");
    $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("restored_$mode")
        . " options='-c session_replication_role=$mode'", '-f', "$folder/dump.sql" ], "psql, $mode");
    is($node->safe_psql("restored_$mode", 'SET ROLE shop; SELECT count(*) FROM clair.image'), 0, 'what was restored is not open to all');
    is($node->safe_psql("restored_$mode", 'SET ROLE bank; SELECT count(*) FROM clair.image'), 1, 'but to whom it was');
}
my $health = "SELECT state, message FROM clair.check_health() WHERE component = 'tenants'";
is(query($owner, $health), 'ok|2 roles see only the images that are theirs', 'clair.check_health() tells of tenants');
query($owner, 'ALTER TABLE clair.feature DISABLE ROW LEVEL SECURITY');
is(query($owner, $health), 'error|row security is off for feature', 'and where they are not kept apart');
query($owner, 'SELECT clair.enforce_tenants()');
is(query($owner, $health), 'ok|2 roles see only the images that are theirs', 'which is mended by one call');
like(outcome($owner, "SELECT clair.drop_tenant(role::regrole) FROM clair.tenant"),
    qr/^55000: role "\w+" is the last tenant\nHINT: /, 'the last tenant is not dropped in passing');
is(query($owner, 'SELECT count(*) FROM clair.tenant'), 3, 'nor the others by that');
like(outcome($session{stranger}, "SELECT clair.$_"), qr/^42501: permission denied for function/, "who administers does not $_")
    foreach ("add_tenant('stranger', '')", "drop_tenant('team_shop')", 'enforce_tenants()');
like(outcome($session{stranger}, "INSERT INTO clair.tenant VALUES ('stranger', '')"), qr/^42501: /, 'nor write the table');
query($owner, "SELECT clair.drop_tenant('team_bank')");
is(query($session{bank}, 'SELECT count(*) FROM clair.image'), 0, 'who is no tenant any more sees nothing');
is(query($owner, "SELECT string_agg(action || ' ' || object || ' ' || detail::text, ', ' ORDER BY id) FROM clair.audit WHERE action = 'drop_tenant'"),
    'drop_tenant team_bank {}', 'and who did it is recorded');
query($owner, 'DELETE FROM clair.tenant');
is(query($session{stranger}, 'SELECT count(*) FROM clair.image'), 1, 'without tenants, everybody sees everything');
is(query($owner, "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'clair'::regnamespace AND relrowsecurity"),
    'tenant webhook_secret', 'and no row security costs anything');

$_->quit foreach (values %session, $owner);
$node->stop;
done_testing();
