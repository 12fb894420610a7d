# Proves that a function which is an updater is one like others, as README.md shows it: compared, told,
# kept from shrinking; that it runs as who registered it, and can neither write nor be led astray, nor
# outlast its worker; and that what it says wrong is told, row by row.
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
my $node      = start_server('function_updaters', 'max_worker_processes = 12');
my ($session) = session($node);

# What a run came to, in one line.
sub outcome_of
{
    my $run = update($session, $_[0]);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n/ | /gr || ();
}

sub findings
{
    return join ' ', query($session, "SELECT vulnerability || ' ' || feature || COALESCE('<' || fixed_in, '')"
        . " || ' ' || severity FROM clair.image_vulnerability ORDER BY vulnerability COLLATE \"C\", fixed_in");
}

# ---------------------------------------------------------------------------
# The example of README.md
# ---------------------------------------------------------------------------

index_file($session, make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ], [ 'libz1', '1:1.2.13-1', 'zlib' ])), 'web');

my ($example) = slurp_file("$FindBin::Bin/../../README.md") =~ /```sql\n(CREATE SCHEMA acme;.*?)```/s;
my ($making, $running) = $example =~ /^(.*;\n)(SELECT \* FROM clair\.update.*)$/s;
is($node->psql('postgres', "SET client_min_messages = warning; $making", stderr => \my $error), 0,
    "README.md's example can be run");
is($error, '', '... without a warning');
query($session, "INSERT INTO acme.ticket VALUES (1, 'CVE-2031-0001', 'zlib', '1:1.3-1', 'High'), (2, NULL, 'bash', NULL, NULL)");
is(scalar query($session, $running) =~ s/\|\d+\|[\d.]+$//r, 'tickets|1|succeeded|2|0|0|2|0|0', '... and its updater runs');
is(findings(), 'ACME-2 bash Unknown CVE-2031-0001 libz1<1:1.3-1 High', '... and brings findings');
is(query($session, "SELECT link, kind, status FROM clair.vulnerability AS v JOIN clair.affected AS a"
    . " ON a.vulnerability_id = v.id WHERE name = 'ACME-2'"), 'https://tickets.example.org/2|source|affected',
    'what is left out follows from what is there');
is(join('|', query($session, "SELECT format, url, function, namespaces, title FROM clair.updater WHERE name = 'tickets'")),
    'sql||acme.advisories()|{}|function acme.advisories()', 'it shows');
is(outcome_of('tickets'), 'unchanged: 2 records 2 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'nothing new');
query($session, "UPDATE acme.ticket SET fixed_in = '5.2-2' WHERE number = 2; DELETE FROM acme.ticket WHERE number = 1;"
    . " INSERT INTO acme.ticket VALUES (3, 'CVE-2031-0003', 'zlib', '0', 'Low')");
is(outcome_of('tickets'), 'succeeded: 2 records 0 unchanged 0 broken 1 added 1 changed 1 withdrawn', 'changes');
is(findings(), 'ACME-2 bash<5.2-2 Unknown', '... are those of its rows');
is(join(' ', query($session, 'SELECT vulnerability, reason, images FROM clair.notification ORDER BY vulnerability')),
    'ACME-2|changed|1 CVE-2031-0001|withdrawn|1', '... and are told');
is(query($session, "SELECT name, url, size > 0, records FROM clair.document WHERE updater = 'tickets'"),
    'function|acme.advisories()|t|2', 'its rows are one document');
is(scalar query($session, "SELECT count(*) FROM clair.image_coverage WHERE state = 'current'"), 0, 'it covers nothing');
query($session, q(UPDATE clair.updater SET options = '{"namespaces": ["debian:%"]}' WHERE name = 'tickets'));
is(query($session, "SELECT updater FROM clair.image_coverage WHERE state = 'current'"), 'tickets', 'unless it says so');

query($session, "INSERT INTO acme.ticket SELECT n, NULL, 'package' || n FROM generate_series(11, 100) AS n");
is(outcome_of('tickets'), 'succeeded: 92 records 2 unchanged 0 broken 90 added 0 changed 0 withdrawn', 'many');
query($session, 'DELETE FROM acme.ticket WHERE number > 60');
like(outcome_of('tickets'), qr/^failed: .* document "function" shrank from 92 to 52 records \| /,
    'what shrinks too much fails');

# ---------------------------------------------------------------------------
# Rows of all kinds
# ---------------------------------------------------------------------------

# Makes the function say what rows of VALUES do, or SQL of its own; as role acme.
sub says
{
    my ($body, $language) = @_;

    query($session, "CREATE OR REPLACE FUNCTION acme.says() RETURNS SETOF clair.advisory LANGUAGE "
        . ($language // 'sql') . " AS \$f\$ $body \$f\$");
}

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE acme;
GRANT USAGE ON SCHEMA clair TO acme;
GRANT EXECUTE ON FUNCTION clair.create_updater(text, regprocedure, jsonb), clair.update TO acme;
GRANT USAGE, CREATE ON SCHEMA acme TO acme;
CREATE FUNCTION acme.says() RETURNS SETOF clair.advisory LANGUAGE sql AS 'SELECT NULL::clair.advisory WHERE false';
ALTER FUNCTION acme.says() OWNER TO acme;
SET SESSION AUTHORIZATION acme;
SELECT clair.create_updater('says', function => 'acme.says()', options => '{"max_shrinkage": 100}');
SQL
is(outcome_of('says'), 'succeeded: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'no rows');

says(<<'SQL');
SELECT clair.advisory('CVE-1', 'rhel:9', 'curl', fixed => '7.76.1-29.el9', severity => 'Medium', advisory => 'RHSA-1',
    architectures => '{x86_64,aarch64,x86_64}', module => '', flavour => 'fips', repositories => '{b,a}', aliases => '{B,A}',
    description => 'text')
UNION ALL SELECT clair.advisory('CVE-1', 'rhel:9', 'curl', introduced => '8', last_affected => '8.1', kind => 'source',
    aliases => '{C,A}', description => 'other text', link => 'https://example.org/1')
UNION ALL SELECT clair.advisory('CVE-1', 'rhel:9', 'curl', introduced => '8', last_affected => '8.1', kind => 'source',
    aliases => '{C,A}', description => 'other text', link => 'https://example.org/1')
UNION ALL SELECT clair.advisory('CVE-2', 'alpine:v3.20', 'zlib', status => 'not_affected')
UNION ALL SELECT clair.advisory('CVE-2', 'debian:12', 'zlib', status => 'will_not_fix')
SQL
is(outcome_of('says'), 'succeeded: 2 records 0 unchanged 0 broken 2 added 0 changed 0 withdrawn', 'what rows can say');
is(join("\n", query($session, "SELECT v.name, v.description, v.link, v.aliases, a.number, a.namespace, a.kind, a.package,"
    . ' a.introduced, a.fixed, a.status, a.severity, a.advisory, s.architectures, s.module, s.flavour, s.repositories'
    . ' FROM clair.vulnerability AS v JOIN clair.affected AS a ON a.vulnerability_id = v.id LEFT JOIN clair.scope AS s'
    . " ON s.id = a.scope_id WHERE v.updater = 'says' AND v.until_run IS NULL ORDER BY v.name, a.number")), join("\n",
    'CVE-1|other text|https://example.org/1|{A,B,C}|0|rhel:9|binary|curl|-infinity|rpm:7.76.1-29.el9|fixed|Medium|RHSA-1|{aarch64,x86_64}||fips|{a,b}',
    'CVE-1|other text|https://example.org/1|{A,B,C}|1|rhel:9|source|curl|rpm:8|rpm>8.1|affected|Unknown|||||',
    'CVE-2||||0|alpine:v3.20|source|zlib|-infinity|-infinity|not_affected|Unknown|||||',
    'CVE-2||||1|debian:12|source|zlib|-infinity|infinity|will_not_fix|Unknown|||||'), '... is what is stored, each range once');
is(outcome_of('says'), 'unchanged: 2 records 2 unchanged 0 broken 0 added 0 changed 0 withdrawn', '... the same every time');

my @broken = (
    "NULL, 'debian:12', 'a'"                       => 'its vulnerability is no name: 1 to 512 bytes without blanks',
    "'A B', 'debian:12', 'a'"                      => 'its vulnerability is no name: 1 to 512 bytes without blanks',
    "'X', NULL, 'a'"                               => 'its namespace is missing',
    "'X', 'debian', 'a'"                           => 'namespace "debian" is not known',
    "'X', 'centos:9', 'a'"                         => 'packages of namespace "centos:9" go by the advisories of "rhel:9"',
    "'X', 'debian:12', ''"                         => 'its package is no name: 1 to 512 bytes without blanks',
    "'X', 'debian:12', 'a', fixed => '1:2:-'"      => 'fixed: "1:2:-": revision is empty',
    "'X', 'alpine:edge', 'a', introduced => 'x'"   => 'introduced: "x": digit expected',
    "'X', 'rhel:9', 'a', last_affected => '1 2'"   => 'last_affected: "1 2": blank within the version',
    "'X', 'debian:12', 'a', '1', last_affected => '1'" => 'it has both a fixed and a last affected version',
    "'X', 'debian:12', 'a', status => 'fixed'"     => 'its status is fixed, but it has no version that is',
    "'X', 'debian:12', 'a', '1', status => 'affected'" => 'its status is affected, but it has a version that is fixed',
    "'X', 'debian:12', 'a', introduced => '1', status => 'not_affected'" => 'its status is not_affected, but it has versions that are',
    "'X', 'debian:12', 'a', '1.0', introduced => '1.0'" => 'no version lies in its range',
    "'X', 'debian:12', 'a', last_affected => '1', introduced => '2'" => 'no version lies in its range',
    "'X', 'debian:12', 'a', advisory => 'A B'"     => 'its advisory is no name: 1 to 512 bytes without blanks',
    "'X', 'debian:12', 'a', aliases => '{A,NULL}'" => 'its aliases are not at most 1000 names',
    "'X', 'debian:12', 'a', architectures => '{\"a b\"}'" => 'its architectures are not at most 1000 names',
    "'X', 'debian:12', 'a', module => ' '"         => 'its module is no name: 1 to 512 bytes without blanks',
    "'X', 'debian:12', 'a', link => 'javascript:x'" => 'its link is no URL of http or https',
    "'X', 'debian:12', 'a', description => repeat('x', 1048577)" => 'its description is larger than 1 MB',
);
my (@calls, @reasons);
while (my ($call, $reason) = splice @broken, 0, 2)
{
    push @calls,   "SELECT clair.advisory($call)";
    push @reasons, $reason;
}
says(join(' UNION ALL ', @calls, "SELECT clair.advisory('CVE-1', 'debian:12', 'a', 'x y')",
    "SELECT clair.advisory('CVE-3', 'debian:12', 'a')"));
is(outcome_of('says'), 'succeeded: 3 records 0 unchanged 22 broken 1 added 0 changed 1 withdrawn',
    'broken rows are counted, and what they do not say is not withdrawn for them');
same_lines([ query($session, "SELECT reason FROM clair.broken_record WHERE run = (SELECT max(id) FROM clair.update_run)") ],
    [ @reasons, 'fixed: "x y": blank within the version' ], 'each with its reason');
is(query($session, "SELECT string_agg(name, ' ' ORDER BY name) FROM clair.vulnerability WHERE updater = 'says' AND until_run IS NULL"),
    'CVE-1 CVE-3', '... what the others say is stored');

# ---------------------------------------------------------------------------
# A function that fails, or is no updater
# ---------------------------------------------------------------------------

sub fails
{
    my ($body, $language, $error, $name) = @_;

    says($body, $language);
    like(outcome_of('says'), $error, $name);
    is(query($session, "SELECT string_agg(name, ' ' ORDER BY name) FROM clair.vulnerability WHERE updater = 'says' AND until_run IS NULL"),
        'CVE-1 CVE-3', '... and nothing changes');
}

my $GOOD = "RETURN QUERY SELECT (clair.advisory('CVE-9', 'debian:12', 'a')).*;";
fails("BEGIN $GOOD RAISE EXCEPTION 'no' USING DETAIL = 'detail', HINT = 'hint'; END", 'plpgsql',
    qr/^failed: .* no \| detail \| hint$/, 'an error');
fails("BEGIN $GOOD INSERT INTO acme.ticket VALUES (1000); END", 'plpgsql',
    qr/^failed: .* cannot execute INSERT in a read-only transaction$/, 'writing');
fails("BEGIN $GOOD CREATE TEMPORARY TABLE t (); END", 'plpgsql',
    qr/^failed: .* cannot execute CREATE TABLE in a read-only transaction$/, 'a temporary table');
fails("BEGIN $GOOD SET ROLE postgres; END", 'plpgsql',
    qr/^failed: .* cannot set parameter "role" within security-definer function$/, 'another role');
fails("BEGIN $GOOD SET transaction_read_only = off; END", 'plpgsql',
    qr/^failed: .* transaction read-write mode must be set before any query$/, 'another transaction');
fails("BEGIN $GOOD PERFORM clair.update('tickets', false); END", 'plpgsql',
    qr/^failed: .* cannot execute clair\.update\(\) in a read-only transaction$/, 'another update');
fails("BEGIN $GOOD PERFORM * FROM clair.image; END", 'plpgsql',
    qr/^failed: .* permission denied for table image$/, 'what the role may not do');
fails("BEGIN $GOOD PERFORM * FROM pg_temp.stage_record; END", 'plpgsql',
    qr/^failed: .* permission denied for table stage_record$/, 'the staging tables');

query($session, "ALTER SYSTEM SET clair.max_advisories = 1000; SELECT pg_reload_conf()");
fails("SELECT clair.advisory('C-' || n, 'debian:12', 'a') FROM generate_series(1, 1001) AS n", 'sql',
    qr/^failed: .* function acme\.says\(\) returns more than 1000 rows \| See clair\.max_advisories\.$/, 'too many rows');
query($session, "ALTER SYSTEM SET clair.max_record_size = '1MB'; SELECT pg_reload_conf()");
fails("SELECT clair.advisory('X', 'debian:12', 'a', description => repeat('x', 2000000))", 'sql',
    qr/^failed: .* function acme\.says\(\) returns a row of 2\d{6} bytes \| See clair\.max_record_size\.$/, 'a row that is too large');
query($session, "ALTER SYSTEM SET clair.max_document_size = '1MB'; SELECT pg_reload_conf()");
fails("SELECT clair.advisory('X', 'debian:12', 'a', description => repeat('x', 500000)) FROM generate_series(1, 3)", 'sql',
    qr/^failed: .* function acme\.says\(\) returns more than 1048576 bytes \| See clair\.max_document_size\.$/, 'too much');
query($session, 'ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()');

says("SELECT clair.advisory('CVE-1', 'debian:12', current_user::text, link => 'https://example.org/' || pg_catalog.replace("
    . "pg_catalog.current_setting('search_path'), ' ', ''))");
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE caller LOGIN;
GRANT USAGE ON SCHEMA clair TO caller;
GRANT EXECUTE ON FUNCTION clair.update TO caller;
ALTER ROLE caller SET search_path = 'acme';
SQL
is(scalar $node->safe_psql('postgres', "SET SESSION AUTHORIZATION caller; SELECT state FROM clair.update('says')"),
    'succeeded', 'whoever calls');
is(query($session, "SELECT package, link FROM clair.vulnerability AS v JOIN clair.affected AS a ON a.vulnerability_id = v.id"
    . " WHERE v.updater = 'says' AND v.until_run IS NULL"), 'acme|https://example.org/pg_catalog,pg_temp',
    '... it runs as who registered it, with its own search_path');

query($session, 'REVOKE EXECUTE ON FUNCTION acme.says() FROM PUBLIC, acme');
like(outcome_of('says'), qr/^failed: .* permission denied for function acme\.says\(\) \| Role "acme", as which it runs, /,
    'that role must be able to execute it');
query($session, 'ALTER FUNCTION acme.says() OWNER TO caller; GRANT EXECUTE ON FUNCTION acme.says() TO acme');
like(outcome_of('says'), qr/^failed: .* function acme\.says\(\) cannot be an updater of role "acme" \| Its owner, "caller", /,
    '... and nobody else to change it');
query($session, 'DROP FUNCTION acme.says()');
like(outcome_of('says'), qr/^failed: .* function acme\.says\(\) does not exist$/, 'it must be there');
query($session, 'CREATE FUNCTION acme.says() RETURNS SETOF text LANGUAGE sql AS $$SELECT \'x\'$$');
like(outcome_of('says'), qr/^failed: .* function acme\.says\(\) cannot be an updater \| An updater takes no arguments /,
    '... and return advisories');
query($session, 'DROP FUNCTION acme.says()');

# ---------------------------------------------------------------------------
# Who registers what
# ---------------------------------------------------------------------------

{
    my ($acme) = session($node);

    query($session, 'CREATE FUNCTION acme.takes(x integer) RETURNS SETOF clair.advisory LANGUAGE sql AS $$SELECT NULL::clair.advisory$$');
    query($session, 'CREATE FUNCTION acme.foreign_one() RETURNS SETOF clair.advisory LANGUAGE sql AS $$SELECT NULL::clair.advisory$$');
    query($acme, 'SET SESSION AUTHORIZATION acme');
    my $create = sub { outcome($acme, "SELECT clair.create_updater('more', function => '$_[0]')") };

    is($create->('acme.foreign_one()'), 'ok', "a superuser's function may be called by anybody");
    like($create->('acme.foreign_one()'), qr/^42710: updater "more" already exists/, 'once');
    like(outcome($acme, "SELECT clair.create_updater('other', function => 'acme.takes(integer)')"),
        qr/^42P13: function acme\.takes\(integer\) cannot be an updater\nDETAIL: An updater takes no arguments/, 'one with arguments');
    like(outcome($acme, "SELECT clair.create_updater('other', function => NULL)"), qr/^22004: argument "function" must not be null/, 'none');
    like(outcome($acme, "SELECT clair.create_updater('other', function => 'acme.foreign_one()', options => '{\"x\": 1}')"),
        qr/^22023: unknown option "x" of an updater/, 'an option that there is not');
    like(outcome($acme, "SELECT clair.create_updater('other', 'file:///etc/passwd', 'secdb')"), qr/^42501: permission denied for function/,
        'who may register functions may not read URLs for that');
    $acme->quit;
    query($session, 'ALTER FUNCTION acme.foreign_one() OWNER TO acme');
    is(outcome($session, "SELECT clair.create_updater('other', function => 'acme.foreign_one()')"), "42501: function acme.foreign_one()"
        . " cannot be an updater of role \"$ENV{USER}\"\nDETAIL: Its owner, \"acme\", could let it do what it likes as that role.\n"
        . "HINT: Create the updater as the function's owner.", 'a function of somebody else is not run as a superuser')
        if defined $ENV{USER};
    is(outcome($session, "UPDATE clair.updater SET url = 'https://example.org/' WHERE name = 'more'"),
        '22023: updater "more" is a function, and has no URL', 'it has no URL');
    query($session, "SELECT clair.drop_updater('more')");
}

# ---------------------------------------------------------------------------
# One that does not end
# ---------------------------------------------------------------------------

query($session, 'DROP FUNCTION IF EXISTS acme.foreign_one(); DROP FUNCTION acme.takes(integer)');
says('SELECT NULL::clair.advisory FROM pg_catalog.pg_sleep(1000)');
query($session, 'ALTER FUNCTION acme.says() OWNER TO acme');
my $WORKER = "FROM pg_stat_activity WHERE backend_type = 'clair updater'";
my $STATE  = "SELECT state FROM clair.update_status WHERE updater = 'says'";

sub start_says
{
    query($session, "SELECT clair.update('says', wait => false)");
    ok(wait_for(20, sub { query($session, "SELECT wait_event $WORKER") eq 'PgSleep' }), $_[0]);
}

start_says('one that sleeps');
query($session, "SELECT pg_cancel_backend(pid) $WORKER");
ok(wait_for(10, sub { query($session, $STATE) eq 'cancelled' }), '... can be cancelled');
says("BEGIN LOOP BEGIN PERFORM pg_catalog.pg_sleep(1000); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END", 'plpgsql');
query($session, 'ALTER FUNCTION acme.says() OWNER TO acme');
start_says('one that does not let itself be cancelled');
query($session, "SELECT pg_terminate_backend(pid) $WORKER");
ok(wait_for(10, sub { query($session, "SELECT count(*) $WORKER") == 0 }), '... can be terminated');
is(query($session, $STATE), 'failed', '... and its run has failed');
start_says('another time');
$node->stop('fast');
ok(1, 'the server stops');
$node->start;
($session) = session($node);
is(scalar query($session, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, 'no lock is left');
is(query($session, "SELECT clair.drop_updater('says')"), '1', 'it is dropped');
$session->quit;
done_testing();
