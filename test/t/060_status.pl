# Proves that those who run this see how it fares: what statements and workers are doing, how images,
# updaters and tables are, what clair.check_health() finds wrong and advises, and that cleaning up
# deletes what is old, and only that.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $FIXTURES = "$FindBin::Bin/../fixtures";

my $has_cron = -e "$ENV{CLAIR_LIBDIR}/pg_cron.so";
my ($node, $library) = start_server_of_its_own('status', 'max_worker_processes = 12',
    $has_cron ? ("shared_preload_libraries = 'pg_cron'", "cron.database_name = 'postgres'") : ());

# What a query returns, as one text.
sub value
{
    return scalar query($node, $_[0]);
}

# A component's state, message and hint.
sub health
{
    my ($component) = @_;

    return value(
        "SELECT state, message, hint FROM clair.check_health() WHERE component = '$component'");
}

# The same while something is set.
sub health_with
{
    my ($setting, $component) = @_;

    value("ALTER DATABASE postgres SET $setting");
    my $health = health($component);
    value('ALTER DATABASE postgres RESET clair.sandbox');
    return $health;
}

sub component
{
    my ($list) = @_;

    return value("SELECT string_agg(component, ',' ORDER BY component) FROM clair.check_health()"
          . " WHERE state = '$list' AND component NOT LIKE 'updater %'");
}

# ---------------------------------------------------------------------------
# A database in which nothing has been done yet
# ---------------------------------------------------------------------------

my $held = health('clair-reader');
like($held, qr/^(ok\|starts; seccomp, Landlock [1-9]\d*\||warning\|starts; (no seccomp, |seccomp, no ).*\|Linux has both)/,
    'the reader works, and it is told what holds it');
is(health('clair-fetch'), $held, 'clair-fetch works, held likewise');
is(health_with("clair.sandbox = 'off'", 'clair-fetch'),
    "warning|starts; no seccomp, no Landlock|What takes it over can do what the server's user can: set clair.sandbox to auto.",
    'a sandbox that is left out is told of');
like(health_with("clair.sandbox = 'required'", 'clair-reader'),
    $held =~ /^ok/ ? qr/^\Q$held\E$/ : qr/^error\|clair-reader is required to run in a sandbox, but there is no /,
    'one that is required is there, or missed');
like(health('extension'), qr/^ok\|version 1\.0, PostgreSQL \d+\.\d+/, 'the extension is the newest');
is(health('updater debian'),
    "warning|has never succeeded|Run: SELECT * FROM clair.update('debian');",
    'an updater that has not run yet is told of');
is(health('images'), 'ok|0 images|', 'there are no images');
is(health('privileges'), 'ok|nothing but computations is granted to PUBLIC|', 'nothing is granted to PUBLIC');
is(component('error'), '', 'nothing else is wrong');

# ---------------------------------------------------------------------------
# Schedules
# ---------------------------------------------------------------------------

SKIP:
{
    skip 'pg_cron is not installed', 4 if !$has_cron;
    like(health('schedule'), qr/^ok\|pg_cron is not installed in this database\|Something else/,
        'without pg_cron something else is asked for');
    value('CREATE EXTENSION pg_cron');
    like(health('schedule'), qr/^warning\|pg_cron does not run.*debian.*clair\.clean_up\(\)\|See/,
        'what is not scheduled is told');
    value("SELECT clair.schedule(NULL, '17 * * * *'), clair.schedule_clean_up('5 4 * * *', '30 days')");
    is(value('SELECT jobname, schedule, command FROM cron.job ORDER BY jobname'),
        "clair|17 * * * *|SELECT clair.update(wait => false)\n"
          . "clair.clean_up|5 4 * * *|SELECT * FROM clair.clean_up('30 days', '90 days')",
        'cleaning up is scheduled');
    is(health('schedule'), 'ok|pg_cron runs all enabled updaters|', 'all is scheduled');
}

# ---------------------------------------------------------------------------
# Helpers and updaters that fail
# ---------------------------------------------------------------------------

rename("$library/clair-fetch", "$library/clair-fetch.away") or die "rename: $!";
like(health('clair-fetch'), qr/^error\|could not start.*clair-fetch/, 'a helper that is missing is told of');
rename("$library/clair-fetch.away", "$library/clair-fetch") or die "rename: $!";

my $mirror = PostgreSQL::Test::Utils::tempdir();
value("UPDATE clair.updater SET url = 'file://$mirror/tracker.json' WHERE name = 'debian';"
      . " UPDATE clair.updater SET enabled = false WHERE name <> 'debian'");
$node->psql('postgres', "SELECT clair.update('debian')");
like(health('updater debian'), qr/^error\|has never succeeded; then failed: could not open/,
    'an updater that fails is told of, and why');
write_file("$mirror/tracker.json", slurp_file("$FIXTURES/debian/tracker.json"));
value("SELECT clair.update('debian')");
like(health('updater debian'), qr/^(ok\|last succeeded [\d: .+-]+\||warning\|.*broken records\|The table)/,
    'when it works again, that is over');
value("UPDATE clair.updater SET options = '{\"stale_after\": \"0 s\"}' WHERE name = 'debian'");
like(health('updater debian'), qr/^warning\|last succeeded .*, which is too long ago/,
    'what is stale is told of');
value("UPDATE clair.updater SET options = NULL WHERE name = 'debian'");
value('GRANT SELECT ON clair.image TO PUBLIC');
is(health('privileges'), 'error|granted to PUBLIC: image|Revoke that.', 'a grant to PUBLIC is told of');
value('REVOKE SELECT ON clair.image FROM PUBLIC');

# ---------------------------------------------------------------------------
# Images, sizes, storage
# ---------------------------------------------------------------------------

my $folder = PostgreSQL::Test::Utils::tempdir();
my %files = (
    'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'zlib1g', '1' ]));
make_layer("$folder/small.tar", %files);
index_file($node, "$folder/small.tar", 'web:1');
is(value('SELECT names, namespace, status, incomplete, layers, features, problems, outdated FROM clair.image_status'),
    '{web:1}|debian:12|ok|{}|1|1|0|f', 'how an image fares');
is( value("SELECT documents, records, vulnerabilities, ended, ranges FROM clair.updater_size WHERE updater = 'debian'"),
    value("SELECT 1, (SELECT count(*) FROM clair.record), (SELECT count(*) FROM clair.vulnerability), 0,"
          . " (SELECT count(*) FROM clair.affected)"),
    'how much an updater has brought');
is(value("SELECT count(*) FROM clair.storage WHERE total_bytes < table_bytes + index_bytes OR index_bytes = 0"),
    '0', 'every table has its bytes, and an index');
value("UPDATE clair.reader_version SET version = 2 WHERE role = 'dpkg'");
like(health('images'), qr/^warning\|1 images; 1 would be read otherwise now\|Index/, 'an outdated image is told of');
value("UPDATE clair.reader_version SET version = 1 WHERE role = 'dpkg'");

# ---------------------------------------------------------------------------
# Consumers, exceptions
# ---------------------------------------------------------------------------

value("SELECT clair.create_consumer('ops'),"
      . " clair.create_exception('CVE-2031-1', 'x', expires_at => clock_timestamp() + interval '1 ms')");
sleep(0.01);
is(health('consumer ops'), 'ok|0 notifications to take|', 'a consumer with nothing to do is well');
like(health('exceptions'), qr/^warning\|0 are in force; 1 have expired\|/, 'an expired exception is told of');
value("INSERT INTO clair.notification (updater, run, vulnerability, reason, severity, images, created_at)"
      . " VALUES ('debian', 1, 'CVE-2031-1', 'added', 'Low', 1, now() - interval '2 days');"
      . " INSERT INTO clair.delivery (consumer, notification, vulnerability) SELECT 'ops', id, vulnerability FROM clair.notification");
like(health('consumer ops'), qr/^warning\|1 notifications to take, since .*\|Nobody seems to/,
    'a consumer that nobody serves is told of');

# ---------------------------------------------------------------------------
# Progress, from another session
# ---------------------------------------------------------------------------

# A layer that takes a while, and that nobody can compress.
make_layer("$folder/big.tar", %files);
system_or_bail('sh', '-c',
    "cd $folder && head -c 400M /dev/urandom >noise && tar -rf big.tar noise && rm noise");
my ($watcher) = session($node);
my ($reading) = session($node);
my ($seen, $until) = ('', time() + 60);
$reading->query_until(qr/begun/, "\\echo begun\nSELECT image FROM clair.index_image('$folder/big.tar', 'big:1');\n");
while ($seen eq '' && time() < $until)
{
    $seen = query($watcher, "SELECT doing, done, statement FROM clair.progress WHERE doing = 'reading an image'");
}
like($seen, qr/^reading an image\|\d+ MB, \d+ layers\|.*SELECT image FROM clair\.index_image/,
    'others see how far a statement is');
$reading->quit;
$watcher->quit;
is(value("SELECT count(*) FROM clair.progress"), '0', 'and nothing when it has ended');

# ---------------------------------------------------------------------------
# Cleaning up
# ---------------------------------------------------------------------------

write_file("$mirror/tracker.json", slurp_file("$FIXTURES/debian/tracker-changed.json"));
value("SELECT clair.update('debian')");
my $ended = value('SELECT count(*) FROM clair.vulnerability WHERE until_run IS NOT NULL');
cmp_ok($ended, '>', 0, 'something has ended');
value("SELECT clair.acknowledge('ops', (SELECT min(id) FROM clair.notification))");
index_file($node, "$folder/small.tar", 'big:1');
is(value("SELECT what, deleted FROM clair.clean_up('1 hour', '1 day') ORDER BY what"),
    "affected ranges|0\naudit entries|0\nimages|1\nlayers|1\nnotifications|1\npackage databases|0\nruns|0\nvulnerabilities|0",
    'cleaning up takes what is garbage, and what was said so long ago');
like(value("SELECT string_agg(what || ' ' || deleted, ', ' ORDER BY what) FROM clair.clean_up('0', '1 day')"),
    qr/runs \d+, vulnerabilities $ended$/, 'the time can be chosen');

$node->stop;
done_testing();
