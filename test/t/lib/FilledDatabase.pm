# FilledDatabase: a database in which every table of clair has rows, and what such a database says.
#
# What is dumped, copied or upgraded must say the same before and after. "Where" is as in IndexTest.
package FilledDatabase;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use FeedTest;
use IndexTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(%FEED $VEX debian_layer run_feed fill_database relations content same_content
    dump_release);

# The feed of Debian's tracker, as it is at first; tests change it.
our %FEED;

our $VEX = '{"@id": "urn:1", "version": 1, "statements": [{"vulnerability": "CVE-2031-0002", "status": "fixed",'
    . ' "products": ["pkg:deb/debian/bash@5.2-1?distro=debian-12"]}]}';

# Packs a layer of a release of Debian with packages, [ name, version, source ] each.
sub debian_layer
{
    my ($folder, $name, $release, @packages) = @_;

    return make_layer("$folder/$name.tar",
        'etc/os-release' => "ID=debian\nVERSION_ID=\"$release\"\n",
        'srv/name' => $name,
        'var/lib/dpkg/status' => status_paragraphs(@packages));
}

# Runs the updater over the feed as it is now, which lies in the folder.
sub run_feed
{
    my ($where, $folder) = @_;

    write_file("$folder/tracker.json", \%FEED);
    return update($where, 'debian');
}

# Fills the tables, through the functions of clair where there are some; with images => 0 without those of
# the test data.
sub fill_database
{
    my ($session, $folder, %with) = @_;

    %FEED = (
        bash => {
            'CVE-2031-0001' => {
                description => "text with a tab \t, a line\nbreak, a \\ and \x{20ac}",
                releases => {
                    bookworm => { status => 'open', urgency => 'low' },
                    bullseye => { status => 'resolved', urgency => 'high', fixed_version => '1:5.1~rc1+b2-1' }
                }
            },
            'CVE-2031-0002' => { releases => { bookworm => { status => 'resolved', urgency => 'low' } } },
            'CVE-2031-0003' => { releases => { bookworm => { status => 'open', urgency => 'high' } } },
        },
        zlib => { 'CVE-2031-0004' => { releases => { bullseye => { status => 'open', urgency => 'low' } } } },
    );

    query($session, 'CREATE FUNCTION public.name_of(path text, content bytea) RETURNS TABLE (name text, version text)'
        . " LANGUAGE sql AS \$\$ SELECT convert_from(content, 'UTF8'), '1' \$\$");
    query($session, "SELECT clair.create_detector('names', 'public.name_of(text, bytea)', '{srv/*}', 'dpkg', 'name:1')");
    index_file($session, debian_layer($folder, 'web', 12, [ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ]), 'web');
    index_file($session, debian_layer($folder, 'old', 11, [ 'bash', '1:5.1~rc1-1' ], [ 'zlib1g', '1.2-1', 'zlib' ]), 'old');
    index_file($session, debian_layer($folder, 'broken', 11, [ 'bash', 'no version' ], [ '', '1' ]), 'broken');
    query($session, "INSERT INTO clair.scope (digest, module) VALUES ('x', 'nodejs:12')");
    query($session, "INSERT INTO clair.repository_cpe VALUES ('a-rpms', 'cpe:/o:redhat:enterprise_linux:9')");
    index_file($session, make_layer("$folder/rpm.tar", 'etc/os-release' => "ID=rhel\nVERSION_ID=9.4\n",
        'root/buildinfo/content_manifests/a.json' => '{"content_sets": ["a-rpms"]}',
        'var/lib/rpmmanifest/container-manifest-2' => join("\t", 'bash', '5.1-1', 1, 2, 'Vendor', '(none)', 1,
            'x86_64', 0, 'bash-5.1-1.src.rpm') . "\n"), 'rpm');
    query($session, "SELECT clair.set_namespace('broken', 'debian:12')");
    index_file($session, debian_layer($folder, 'web2', 12, [ 'bash', '5.2-2' ]), 'web');
    query($session, "SELECT clair.index_layer('upon', '" . debian_layer($folder, 'upon', 11, [ 'bash', '5.1-1' ]) . "', 'old')");
    set_feed($session, 'debian', "$folder/tracker.json",
        '{"max_shrinkage": 100, "hosts": ["mirror.example.org"], "stale_after": "3 days"}');
    is(run_feed($session, $folder)->{state}, 'succeeded', 'the first run');
    query($session, "SELECT clair.create_consumer('pager', images => '{web%}')");
    $FEED{bash}{'CVE-2031-0003'}{releases}{bookworm}{urgency} = 'medium';
    is(run_feed($session, $folder)->{changed}, 1, 'the second run');
    delete $FEED{zlib};
    delete $FEED{bash}{'CVE-2031-0001'}{releases}{bullseye};
    is(run_feed($session, $folder)->{state}, 'succeeded', 'the third run');
    write_file("$folder/tracker.json", 'not JSON');
    is(update($session, 'debian')->{state}, 'failed', 'the fourth run');
    query($session, "UPDATE clair.updater SET enabled = false WHERE name = 'alpine'");
    query($session, "SELECT clair.create_updater('own', 'file://$folder/own.json', 'secdb',"
        . ' \'{"namespace": "alpine:v3.20"}\')');
    query($session, "UPDATE clair.updater SET enabled = false WHERE name = 'own'");
    query($session, "CREATE FUNCTION public.own_advisories() RETURNS SETOF clair.advisory LANGUAGE sql AS"
        . ' $$SELECT clair.advisory(\'CVE-2031-0020\', \'debian:10\', \'bash\', \'5.2-3\')$$');
    query($session, "SELECT clair.create_updater('function', function => 'public.own_advisories()')");
    is(update($session, 'function')->{state}, 'succeeded', 'an updater that is a function');
    query($session, "SELECT clair.create_webhook('pager', 'https://x.invalid/', enabled => false, secret => 'text')");
    query($session, 'INSERT INTO clair.webhook_receipt (consumer, notification, id)'
        . ' SELECT consumer, notification, gen_random_uuid() FROM clair.delivery');

    query($session, "SELECT clair.create_exception('CVE-2031-0003', 'text', package => 'bash', version => 'dpkg:5.2-2')");
    query($session, "SELECT clair.create_exception('CVE-2031-0009', 'stale', expires_at => 'infinity')");
    query($session, "INSERT INTO clair.local_advisory (vulnerability, namespace, package, aliases, module)"
        . " VALUES ('ACME-1', 'debian:10', 'bash', '{A,B}', ''), ('ACME-2', 'debian:10', 'zlib', NULL, NULL)");
    query($session, "UPDATE clair.local_advisory SET fixed = '9' WHERE vulnerability = 'ACME-2'");
    query($session, "SELECT clair.load_vex('$VEX'::jsonb)");
    query($session, "SELECT clair.add_tenant('pg_monitor', 'web')")
        if query($session, "SELECT current_setting('server_version_num')::integer >= 150000") eq 't';
    query($session, "INSERT INTO clair.policy (name, minimum_severity, minimum_epss) VALUES ('own', 'Low', 0.5)");
    query($session, "UPDATE clair.policy SET fixable_only = true WHERE name = 'strict'");

    # What is known of a CVE.
    query($session, $_) foreach split /;\n/, <<'SQL';
INSERT INTO clair.cve VALUES ('CVE-2031-0001', 'High', 'nvd', 0);
INSERT INTO clair.cve_statement VALUES ('CVE-2031-0001', 'nvd', '00', 'Analyzed', 'text', now(), now());
INSERT INTO clair.cve_metric VALUES ('CVE-2031-0001', 'nvd', 0, 'nvd@nist.gov', 'Primary', '3.1', NULL, 7.5, 'High');
INSERT INTO clair.epss VALUES ('CVE-2031-0001', 0.00043, 0.12345);
INSERT INTO clair.epss_edition VALUES ('epss', 'v2031.01.01', now());
INSERT INTO clair.kev VALUES ('CVE-2031-0001', 'kev', '2031-01-01', NULL, true)
SQL

    # Manifests, commands, several layers and links come with real images.
    my $images = test_data('images');
    if (defined $images && ($with{images} // 1))
    {
        index_file($session, abs_path("$images/$_"), $_)
            foreach qw(bookworm/bookworm.docker.tar.gz sid/sid.oci-gzip.tar alpine/alpine-310.tar.gz);
    }
}

# The names of the extension's relations of a kind.
sub relations
{
    my ($where, $kind) = @_;

    return query($where, "SELECT relname FROM pg_class WHERE relkind = '$kind'"
        . " AND relnamespace = 'clair'::regnamespace ORDER BY 1");
}

# What a database holds and answers: a line for each table, sequence and question.
sub content
{
    my ($where) = @_;
    my %question = (
        (map { ("table $_" => "TABLE clair.$_") } relations($where, 'r')),
        (map { ("sequence $_" => "SELECT last_value, is_called FROM clair.$_") } relations($where, 'S')),
        'updaters' => 'TABLE clair.updater',
        'status'   => 'SELECT updater, enabled, state, last_success, stale_after, last_run, last_error'
            . ' FROM clair.update_status',
        'coverage' => 'TABLE clair.image_coverage',
        'features' => 'SELECT i.id, f FROM clair.image AS i, clair.features(i.id::text) AS f',
        'findings' => 'SELECT i.id, v FROM clair.image AS i, clair.vulnerabilities(i.id::text) AS v',
        'CVEs' => 'TABLE clair.cve_detail',
        'consumers' => 'TABLE clair.consumer_status',
        'webhooks' => 'TABLE clair.webhook_delivery',
        'updaters' => 'TABLE clair.updater',
        'policies' => 'TABLE clair.policy',
        'violations' => 'SELECT i.id, c FROM clair.image AS i, clair.check_image(i.id::text) AS c',
        'stale exceptions' => 'TABLE clair.stale_exception',
        'VEX' => "SELECT i.id, clair.export_vex(i.id::text) -> 'statements' FROM clair.image AS i",
        'affected images' => "SELECT a FROM clair.affected_images('CVE-2031-0001') AS a",
    );

    return {
        map {
            ($_ => scalar query($where, 'SELECT count(*) || \' rows, \' || COALESCE(md5(string_agg(line,'
                . ' E\'\n\' ORDER BY line COLLATE "C")), \'-\')'
                . " FROM (SELECT q::text AS line FROM ($question{$_}) AS q) AS lines"))
        } keys %question
    };
}

# Checks that a database says what another one said.
sub same_content
{
    my ($where, $expected, $name) = @_;
    my $got = content($where);
    my %both = (%$got, %$expected);
    my @different = grep { ($got->{$_} // '') ne ($expected->{$_} // '') } sort keys %both;

    ok(!@different, $name . ' (' . keys(%both) . ' answers)')
        or diag(join "\n", map { "$_: " . ($got->{$_} // 'none') . ', not ' . ($expected->{$_} // 'none') } @different);
}

# Dumps a database, so that it is restored as one of the version given, and not of the one that is new then.
sub dump_release
{
    my ($node, $database, $version, $file) = @_;
    my $create = 'CREATE EXTENSION IF NOT EXISTS clair WITH SCHEMA pg_catalog';

    $node->command_ok([ 'pg_dump', '--no-owner', '-f', $file, $node->connstr($database) ], "a dump of version $version");
    my $dump = slurp_file($file);
    is(scalar($dump =~ s/^$create;$/$create VERSION '$version';/m), 1, '... that creates the extension of that version');
    write_file($file, $dump);
}

1;
