# Proves that local advisories are findings from the statement on that adds them, that others see and
# hear of them when it commits, and that no feed, whatever becomes of it, takes them away.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder    = PostgreSQL::Test::Utils::tempdir();
my $node      = start_server('local_advisories');
my ($session)  = session($node);
my ($other)    = session($node);
my ($listener) = session($node);

sub findings
{
    my ($where) = @_;

    return join ' ', query($where, "SELECT updater || ':' || vulnerability || ':' || feature || ':' || severity"
        . ' FROM clair.image_vulnerability ORDER BY 1');
}

# What others hear, without what differs from one time to the other.
sub heard
{
    return join ' ', $listener->query('SELECT') =~ /"updater":"(\w+)".*?"vulnerability":"([^"]+)","reason":"(\w+)"/g;
}

index_file($session, make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ])), 'web');
my %feed = (bash => { 'CVE-2031-0001' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } });
write_file("$folder/tracker.json", \%feed);
set_feed($session, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
is(update($session, 'debian')->{state}, 'succeeded', 'a feed');
query($listener, 'LISTEN clair');

query($session, "BEGIN; INSERT INTO clair.local_advisory (vulnerability, namespace, package, severity)"
    . " VALUES ('ACME-1', 'debian:12', 'zlib', 'High'), ('CVE-2031-0001', 'debian:12', 'bash', 'Critical')");
is(findings($session), 'debian:CVE-2031-0001:bash:Low local:ACME-1:libz1:High local:CVE-2031-0001:bash:Critical',
    'they are findings at once');
is(findings($other), 'debian:CVE-2031-0001:bash:Low', '... not for others');
is(heard(), '', '... who hear nothing');
query($session, 'COMMIT');
is(findings($other), findings($session), 'until it commits');
is(heard(), 'local CVE-2031-0001 added local ACME-1 added', '... the worst first');
is(scalar query($session, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"), '',
    'no temporary table is left');

query($session, "UPDATE clair.local_advisory SET fixed = '1:1.2.13-1' WHERE vulnerability = 'ACME-1'");
is(heard(), 'local ACME-1 changed', 'changed: what is installed has the fix');
is(findings($other), 'debian:CVE-2031-0001:bash:Low local:CVE-2031-0001:bash:Critical', '... and is no finding');
is(join(' ', query($session, "SELECT side, severity FROM clair.notification_images((SELECT max(id) FROM clair.notification))")),
    'before|High', '... as its alert tells');
query($session, "UPDATE clair.local_advisory SET description = 'text' WHERE vulnerability = 'ACME-1'");
is(heard(), '', 'what alters no finding is not told');

# What feeds do, and what becomes of them.
$feed{bash}{'CVE-2031-0001'}{releases}{bookworm}{urgency} = 'medium';
write_file("$folder/tracker.json", \%feed);
is(update($session, 'debian')->{changed}, 1, 'the feed changes what it says of the same');
is(findings($other), 'debian:CVE-2031-0001:bash:Medium local:CVE-2031-0001:bash:Critical', '... not what is local');
write_file("$folder/tracker.json", { zlib => { 'CVE-2031-0009' => { releases => { bullseye => { status => 'open', urgency => 'low' } } } } });
is(update($session, 'debian')->{withdrawn}, 0, 'the feed drops the release');
is(findings($other), 'debian:CVE-2031-0001:bash:Medium local:CVE-2031-0001:bash:Critical', '... which it keeps');
query($session, "SELECT * FROM clair.forget_history('0 seconds')");
is(scalar query($session, 'SELECT count(*) FROM clair.local_advisory'), 2, 'history is forgotten');
is(findings($other), 'debian:CVE-2031-0001:bash:Medium local:CVE-2031-0001:bash:Critical', '... not what is current');

heard();
query($session, "DELETE FROM clair.local_advisory");
is(heard(), 'local CVE-2031-0001 withdrawn', 'withdrawn');
is(findings($other), 'debian:CVE-2031-0001:bash:Medium', '... and gone');
is(scalar query($session, "SELECT count(*) FROM clair.own_advisory"), 0, 'nothing is left of them');
is(scalar query($session, "SELECT count(*) FROM clair.vulnerability WHERE updater = 'local' AND until_run IS NOT NULL"), 2,
    '... but their history');

# In a session with a bent search_path, and where a name is taken.
query($session, 'CREATE TABLE pg_temp.announce_range (x integer); CREATE SCHEMA evil; SET search_path = evil, pg_temp;'
    . ' CREATE FUNCTION evil.namespace_format(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \'called\'; END $$');
is(outcome($session, "INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('ACME-2', 'debian:12', 'bash')"),
    'ok', 'nothing of the caller is in the way');
is(heard(), 'local ACME-2 added', '... or led astray');

$_->quit foreach $session, $other, $listener;
done_testing();
