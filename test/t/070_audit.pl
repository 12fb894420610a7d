# Proves that whatever changes something leaves an entry in clair.audit, of the role that did it and the
# one that had logged in, in the same transaction and without secrets; and that nobody changes it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node   = start_server('audit', 'max_worker_processes = 12', 'clair.max_index_workers = 1');
my ($owner) = session($node);
my $layer = make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]));

my $hex = unpack 'H*', slurp_file($layer);
write_file("$folder/tracker.json", { bash => { 'CVE-2031-1' => { releases => {
    bookworm => { status => 'open', urgency => 'high' } } } } });
query($owner, $_) foreach (
    'CREATE ROLE login LOGIN', 'CREATE ROLE acting IN ROLE pg_read_server_files, pg_write_server_files',
    'GRANT acting TO login', 'CREATE ROLE auditor', 'CREATE ROLE reading',
    "SELECT clair.grant_access('acting', 'administer'), clair.grant_access('auditor', 'audit'),"
    . " clair.grant_access('reading', 'read')",
    "CREATE FUNCTION public.nothing(path text, content bytea) RETURNS TABLE (name text, version text)"
    . " LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text, NULL::text WHERE false'",
    "CREATE FUNCTION public.no_advisories() RETURNS SETOF clair.advisory LANGUAGE sql STABLE AS 'SELECT NULL::clair.advisory WHERE false'",
    'ALTER FUNCTION public.nothing(text, bytea) OWNER TO acting', 'ALTER FUNCTION public.no_advisories() OWNER TO acting',
    'GRANT USAGE ON SCHEMA public TO acting',
);

# The entries since the last look: action, object and detail, one on a line.
my $seen = query($owner, 'SELECT COALESCE(max(id), 0) FROM clair.audit');
sub entries
{
    my @entries = query($owner, "SELECT concat_ws(' ', action, object, detail) FROM clair.audit WHERE id > $seen ORDER BY id");

    $seen = query($owner, "SELECT COALESCE(max(id), $seen) FROM clair.audit WHERE id > $seen");
    return join "\n", @entries;
}

my ($session) = session($node);
query($session, 'SET SESSION AUTHORIZATION login');
query($session, 'SET ROLE acting');

# ---------------------------------------------------------------------------
# Each action leaves its entry, and what is rolled back none
# ---------------------------------------------------------------------------

my $SBOM = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "bash",'
    . ' "purl": "pkg:deb/debian/bash@5?distro=debian-12&upstream=bash"}]}';
my $VEX = '{"@id": "urn:1", "version": 1, "statements": [{"vulnerability": "CVE-2031-2", "status": "fixed",'
    . ' "products": ["pkg:deb/debian/bash@5.2-1?distro=debian-12"]}]}';

# A third element: it has transactions of its own, and cannot be rolled back.
my @actions = (
    [ "SELECT clair.index_image('$layer', 'web')", qr/^index_image web \{"digest": "sha256:[0-9a-f]{64}"\}$/ ],
    [ "SELECT clair.index_image('\\x$hex'::bytea, 'web2')", qr/^index_image web2 / ],
    [ "SELECT clair.index_layer('upon', '$layer', 'web')", qr/^index_layer upon \{"digest": "sha256:/ ],
    [ "SELECT clair.index_sbom('$SBOM'::jsonb, 'bill')", qr/^index_sbom bill \{"digest": "sbom:sha256:/ ],
    [ "SELECT clair.index_images(ARRAY['$layer'], ARRAY['many'])", qr/^index_image many /, 1 ],
    [ "SELECT clair.set_namespace('upon', 'debian:11')", qr/^set_namespace upon \{"namespace": "debian:11"\}$/ ],
    [ "SELECT clair.set_namespace('upon', NULL)", qr/^set_namespace upon$/ ],
    [ "SELECT clair.create_exception('CVE-2031-1', 'accepted')", qr/^create_exception \d+$/ ],
    [ 'SELECT clair.end_exception(max(id)) FROM clair.exception', qr/^end_exception \d+$/ ],
    [ "SELECT clair.load_vex('$VEX'::jsonb)", qr/^load_vex urn:1/ ],
    [ "SELECT clair.create_detector('d', 'public.nothing(text, bytea)', '{srv/*}', 'dpkg')",
        qr/^create_detector d \{"paths": "\{srv\/\*\}", "format": "dpkg", "function": "/ ],
    [ "SELECT clair.alter_detector('d', paths => '{opt/*}')", qr/^alter_detector d \{"paths": "\{opt\/\*\}"\}$/ ],
    [ "SELECT clair.drop_detector('d')", qr/^drop_detector d$/ ],
    [ "SELECT clair.create_consumer('c', minimum_severity => 'High')", qr/^create_consumer c \{.*"minimum_severity": "High"/ ],
    [ "SELECT clair.alter_consumer('c', images => '{web%}')", qr/^alter_consumer c \{"images": "\{web%\}"\}$/ ],
    [ "SELECT clair.create_webhook('c', 'https://hooks.example.org/services/T0/B0', enabled => false,"
        . " secret => 'sesame', headers => '{\"Authorization\": \"sesame\"}')",
        qr{^create_webhook c \{"url": "https://hooks\.example\.org", "format": "full", "secret": "set", "enabled": "f", "headers": "set", } ],
    [ "SELECT clair.alter_webhook('c', secret => 'sesame2')", qr/^alter_webhook c \{"secret": "set"\}$/ ],
    [ "SELECT clair.drop_webhook('c')", qr/^drop_webhook c$/ ],
    [ "SELECT clair.drop_consumer('c')", qr/^drop_consumer c$/ ],
    [ "UPDATE clair.updater SET url = 'https://mirror.example.org/tracker?key=sesame' WHERE name = 'debian'",
        qr{^alter_updater debian \{"url": "https://mirror\.example\.org/tracker"\}$} ],
    [ "UPDATE clair.updater SET url = 'file://$folder/tracker.json', enabled = false WHERE name = 'debian'",
        qr{^alter_updater debian \{"url": "file://$folder/tracker\.json", "enabled": "f"\}$} ],
    [ "SELECT clair.create_updater('own', 'https://example.org/x?key=sesame', 'secdb', '{\"namespace\": \"alpine:v3.20\"}')",
        qr{^create_updater own \{"url": "https://example\.org/x", "format": "secdb", "options": } ],
    [ "SELECT clair.create_updater('sql', function => 'public.no_advisories()')",
        qr/^create_updater sql \{"options": "\{\}", "function": "public\.no_advisories\(\)"\}$/ ],
    [ "SELECT clair.drop_updater('own'), clair.drop_updater('sql')", qr/^drop_updater own\ndrop_updater sql$/ ],
    [ "INSERT INTO clair.policy (name, minimum_severity) VALUES ('mine', 'Low')",
        qr/^create_policy mine \{.*"minimum_severity": "Low"/ ],
    [ "UPDATE clair.policy SET minimum_severity = 'High' WHERE name = 'mine'",
        qr/^alter_policy mine \{.*"minimum_severity": "High"/ ],
    [ "DELETE FROM clair.policy WHERE name = 'mine'", qr/^drop_policy mine$/ ],
    [ "SELECT clair.export_updates('$folder/updates')", qr{^export_updates $folder/updates$} ],
    [ "SELECT clair.delete_image('web')", qr/^delete_image web \{"digest": "sha256:/ ],
    [ "SELECT clair.index_image('$layer', 'web')", qr/^index_image web / ],
    [ 'SELECT clair.collect_garbage()', qr/^(collect_garbage \{"images": "\d+", "layers": "\d+", "databases": "\d+"\})?$/ ],
);

# Garbage to collect: what had a name, and has not any more.
foreach my $action (@actions)
{
    my ($statement, $entry, $alone) = @$action;

    if (!$alone)
    {
        query($session, 'BEGIN');
        is(outcome($session, $statement), 'ok', "$statement can be rolled back");
        query($session, 'ROLLBACK');
        is(entries(), '', 'and then there is no entry');
    }
    query($session, $statement);
    like(entries(), $entry, $statement);
}
query($owner, "SELECT clair.revoke_access('reading'), clair.grant_access('reading', 'index')");
is(entries(), "revoke_access reading\ngrant_access reading {\"level\": \"index\"}", 'what is granted and revoked');
query($session, "SELECT clair.delete_image('bill')");
like(entries(), qr/^delete_image bill/, 'a last image');
query($session, 'SELECT count(*) FROM clair.clean_up()');
like(entries(), qr/^collect_garbage \{"images": "0", "layers": "1", "databases": "1"\}$/, 'what is cleaned up');
query($session, 'SELECT count(*) FROM clair.clean_up()');
is(entries(), '', 'and nothing, if nothing is');
query($session, 'SELECT * FROM clair.update($$debian$$)');
is(query($owner, 'SELECT requested_by FROM clair.update_run ORDER BY id DESC LIMIT 1'), 'login',
    'who ran an updater is with the run');

# Runs and notifications that are old.
query($owner, "UPDATE clair.update_run SET finished_at = now() - interval '2 years'");
query($owner, "INSERT INTO clair.notification (run, updater, vulnerability, reason, severity, images, created_at)"
    . " VALUES (1, 'debian', 'CVE-2031-1', 'added', 'High', 1, '2001-01-01')");
write_file("$folder/tracker.json", { zlib => { 'CVE-2031-1' => { releases => {
    bookworm => { status => 'open', urgency => 'high' } } } } });
query($session, 'SELECT * FROM clair.update($$debian$$)');
query($session, "SELECT clair.forget_history('1 year'), clair.forget_notifications('1 year')");
like(entries(), qr/^(forget_history .*\n)?forget_notifications \{"notifications": "1"\}$/, 'what is forgotten');

# ---------------------------------------------------------------------------
# Who
# ---------------------------------------------------------------------------

is(query($owner, "SELECT string_agg(DISTINCT session_role || ' as ' || role, ', ') FROM clair.audit"
    . " WHERE action NOT IN ('grant_access', 'revoke_access')"), 'login as acting',
    'the role that had logged in and the one that it acted as, in workers too');
is(query($owner, "SELECT count(*) FROM clair.audit AS a WHERE a::text ~ 'sesame'"), '0', 'nothing that is secret');

# ---------------------------------------------------------------------------
# Reading and keeping
# ---------------------------------------------------------------------------

foreach my $case ([ reading => 0 ], [ acting => 0 ], [ auditor => 1 ])
{
    my ($role, $may) = @$case;

    query($session, 'RESET ROLE; RESET SESSION AUTHORIZATION');
    query($session, "SET SESSION AUTHORIZATION $role");
    like(outcome($session, 'SELECT * FROM clair.audit'), $may ? qr/^ok$/ : qr/^42501: permission denied for table audit/,
        "$role: reads the audit or not");
    foreach my $statement ("INSERT INTO clair.audit (action) VALUES ('x')", "UPDATE clair.audit SET action = 'x'",
        'DELETE FROM clair.audit', 'TRUNCATE clair.audit')
    {
        like(outcome($session, $statement), qr/^42501: permission denied for table audit/, "$role: $statement");
    }
    like(outcome($session, 'SELECT * FROM clair.image'), qr/^42501:/, "$role: nothing else") if $may;
}
query($session, 'RESET SESSION AUTHORIZATION');
like(outcome($owner, $_), qr/^55000: entries of clair\.audit are not changed$/, "even its owner: $_")
    foreach ("UPDATE clair.audit SET action = 'x'", 'TRUNCATE clair.audit');
like(outcome($owner, 'DELETE FROM clair.audit'), qr/^55000: entries of clair\.audit are kept for clair\.audit_retention\n/,
    'nor does it delete them');
query($owner, 'INSERT INTO clair.audit (at, action) VALUES ' . join(', ', map { "(now() - interval '$_', 'old')" } '364 days', '366 days'));
query($owner, 'SET SESSION AUTHORIZATION acting');
like(outcome($owner, "SET clair.audit_retention = '1s'"), qr/^42501: permission denied to set parameter/,
    'how long they are kept is a superuser\'s to say');
is(query($owner, 'SELECT clair.forget_audit()'), '1', 'what is older goes');
query($owner, 'RESET SESSION AUTHORIZATION');
is(query($owner, "SELECT string_agg(action || COALESCE(' ' || detail::text, ''), ', ' ORDER BY id DESC) FROM clair.audit"
    . " WHERE action IN ('old', 'forget_audit')"), 'forget_audit {"entries": "1"}, old', 'with an entry of its own');
query($owner, 'SET clair.audit_retention = 0');
is(query($owner, 'SELECT clair.forget_audit()'), '0', 'or nothing ever');
like(outcome($owner, 'DELETE FROM clair.audit'), qr/^55000: /, 'by nobody');

$session->quit;
$owner->quit;
$node->stop;
done_testing();
