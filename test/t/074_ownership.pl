# Proves who may create the extension, where, and what becomes of it when roles go: its owner, those who have
# made something in it, and those who have views of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = start_server('server', 'max_worker_processes = 16');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# What a statement comes to, in a session of its own.
sub outcome_of
{
    my ($database, $statement, @options) = @_;
    my ($status, $out, $errors) = $node->psql($database, "SET client_min_messages = notice; $statement", @options);

    return ($status == 0 ? 'ok ' : '') . $errors =~ s/^psql:\S+ //mgr;
}

# ---------------------------------------------------------------------------
# CREATE EXTENSION
# ---------------------------------------------------------------------------

query($session, 'CREATE ROLE nobody LOGIN');
like(outcome_of('postgres', 'CREATE EXTENSION clair'), qr/^ERROR:  extension "clair" already exists$/m, 'there is one in a database');
like(outcome_of('postgres', 'CREATE EXTENSION IF NOT EXISTS clair'), qr/^ok NOTICE:  extension "clair" already exists, skipping/m, '... which is no error if told so');
query($session, 'CREATE DATABASE empty OWNER nobody');
like(outcome_of('empty', 'CREATE EXTENSION clair', extra_params => [ '-U', 'nobody' ]),
    qr/^ERROR:  permission denied to create extension "clair"\nHINT:  Must be superuser/m, 'who owns a database may not create it');
like(outcome_of('empty', 'CREATE SCHEMA other; CREATE EXTENSION clair SCHEMA other'),
    qr/^ERROR:  extension "clair" must be installed in schema "pg_catalog"/m, 'it has a schema of its own');
like(outcome_of('empty', 'ALTER EXTENSION clair SET SCHEMA other'), qr/^ERROR:  extension "clair" does not exist/m, 'nothing is left of that');
foreach my $encoding ('SQL_ASCII', 'LATIN1')
{
    query($session, "CREATE DATABASE encoded ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    like(outcome_of('encoded', 'CREATE EXTENSION clair'),
        qr/^ERROR:  clair needs a database with encoding UTF8, this one has $encoding\nHINT:  Create one with CREATE DATABASE/m, "it needs UTF8, not $encoding");
    is($node->safe_psql('encoded', "SELECT count(*) FROM pg_namespace WHERE nspname = 'clair'"), 0, '... and leaves nothing');
    query($session, 'DROP DATABASE encoded');
}

# ---------------------------------------------------------------------------
# Views of users
# ---------------------------------------------------------------------------

query($session, 'CREATE DATABASE viewed');
create_extension($node, 'viewed');
$node->safe_psql('viewed', 'CREATE VIEW public.worst AS SELECT image_id, severity FROM clair.image_vulnerability;'
    . ' CREATE TABLE public.deployed (installed clair.version, note text); INSERT INTO public.deployed VALUES (\'dpkg:1\', \'kept\')');
like(outcome_of('viewed', 'DROP EXTENSION clair'),
    qr/^ERROR:  cannot drop extension clair because other objects depend on it\nDETAIL:.*view worst depends on.*HINT:  Use DROP \.\.\. CASCADE/ms,
    'what users have made of it keeps it from being dropped');
like(outcome_of('viewed', 'DROP EXTENSION clair CASCADE'), qr/^ok .*drop cascades to/s, '... unless that may go, too');
is($node->safe_psql('viewed', 'SELECT * FROM public.deployed'), 'kept', '... of tables, only the columns of its types');
is($node->safe_psql('viewed', "SELECT count(*) FROM pg_views WHERE viewname = 'worst'"), 0, '... and views altogether');
$node->safe_psql('viewed', 'CREATE EXTENSION clair');

# ---------------------------------------------------------------------------
# The extension's owner
# ---------------------------------------------------------------------------

query($session, 'CREATE ROLE first SUPERUSER LOGIN; CREATE ROLE second SUPERUSER LOGIN; CREATE DATABASE owned');
like(outcome_of('owned', 'CREATE EXTENSION clair', extra_params => [ '-U', 'first' ]), qr/^ok/, 'any superuser may create it');
my $owned = $node->background_psql('owned', on_error_stop => 0);
my $OWNERS = "SELECT DISTINCT o::regrole FROM (SELECT extowner AS o FROM pg_extension WHERE extname = 'clair' UNION SELECT relowner FROM pg_class"
    . " WHERE relnamespace = 'clair'::regnamespace UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'clair'::regnamespace"
    # PostgreSQL gives its own to the bootstrap superuser
    . " AND proname NOT IN ('version_range', 'version_multirange')"
    . " UNION SELECT typowner FROM pg_type WHERE typnamespace = 'clair'::regnamespace UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'clair') AS a";
is(scalar query($owned, $OWNERS), 'first', 'it belongs to who created it');
index_file($owned, debian_layer($folder, 'before', 12, [ 'bash', '5.2-1' ]), 'before');
like(outcome_of('owned', 'DROP ROLE first'), qr/^ERROR:  role "first" cannot be dropped because some objects depend on it/m, 'who owns it is not dropped');
like(outcome_of('owned', 'REASSIGN OWNED BY first TO second'), qr/^ok/, 'it can be given to another');
is(scalar query($owned, $OWNERS), 'second', '... all of it');
write_file("$folder/tracker.json", { bash => { 'CVE-2031-0001' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } } });
set_feed($owned, 'debian', "$folder/tracker.json");
is(update($owned, 'debian')->{state}, 'succeeded', '... and works on');
index_file($owned, debian_layer($folder, 'after', 12, [ 'bash', '5.2-2' ]), 'after');
is(scalar query($owned, "SELECT count(vulnerability) FROM clair.vulnerabilities('after')"), 1, '... and finds');
like(outcome_of('owned', 'DROP OWNED BY first'), qr/^ok/, 'dropping what the former owner has');
is(scalar query($owned, "SELECT count(vulnerability) FROM clair.vulnerabilities('after')"), 1, '... leaves it alone');
like(outcome_of('owned', 'DROP ROLE first'), qr/^ok/, '... and the role may go');
like(outcome_of('owned', 'DROP OWNED BY second'), qr/^ok/, 'dropping what its owner has');
is(scalar query($owned, "SELECT count(*) FROM pg_namespace WHERE nspname = 'clair'"), 0, '... drops it whole');
$owned->quit;

# ---------------------------------------------------------------------------
# Roles that have made something in it
# ---------------------------------------------------------------------------

query($session, $_) foreach split /;\n/, <<'SQL';
CREATE ROLE maker LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO maker;
SELECT clair.grant_access('maker', 'administer')
SQL
query($session, 'SET SESSION AUTHORIZATION maker');
query($session, $_) foreach split /;\n/, <<'SQL';
CREATE FUNCTION public.made() RETURNS SETOF clair.advisory LANGUAGE sql AS $$SELECT clair.advisory('CVE-2031-0020', 'debian:12', 'bash', '5.2-3')$$;
SELECT clair.create_updater('made', function => 'public.made()');
CREATE FUNCTION public.found(path text, content bytea) RETURNS TABLE (name text, version text) LANGUAGE sql AS $$SELECT 'tool', '1'$$;
SELECT clair.create_detector('found', 'public.found(text, bytea)', '{srv/*}', 'dpkg', 'name:1');
SELECT clair.create_consumer('made');
SELECT clair.create_webhook('made', 'https://x.invalid/', enabled => false);
SELECT clair.create_exception('CVE-2031-0020', 'ours', package => 'zlib');
INSERT INTO clair.policy (name, minimum_severity) VALUES ('made', 'Low');
INSERT INTO clair.local_advisory (vulnerability, namespace, package) VALUES ('ACME-1', 'debian:12', 'bash')
SQL
query($session, 'RESET SESSION AUTHORIZATION');
is(update($session, 'made')->{state}, 'succeeded', 'an updater of a role that is there');
index_file($session, debian_layer($folder, 'with', 12, [ 'bash', '5.2-1' ]), 'with');
is(scalar query($session, "SELECT count(*) FROM clair.features('with') WHERE namespace = 'name:1'"), 1, 'a detector of it');
my $findings = query($session, "SELECT count(vulnerability) FROM clair.vulnerabilities('with')");

like(outcome_of('postgres', 'DROP ROLE maker'), qr/^ERROR:  role "maker" cannot be dropped/m, 'a role that has functions and privileges stays');
is(outcome_of('postgres', 'DROP OWNED BY maker; DROP ROLE maker') =~ s/\s+$//r, 'ok', 'what it has is dropped, and it is');
is(scalar query($session, "SELECT count(vulnerability) FROM clair.vulnerabilities('with')"), $findings, 'findings stay');
my $run = update($session, 'made');
is("$run->{state}: $run->{error}", qq{failed: role "maker", as which function public.made() runs, does not exist\n}
    . 'Drop the updater, and create it as another role.', 'its updater says why it fails');
index_file($session, debian_layer($folder, 'later', 12, [ 'bash', '5.2-2' ]), 'later');
is(scalar query($session, "SELECT i.status || ': ' || p.reason FROM clair.image AS i JOIN clair.image_problem AS p ON p.image_id = i.id"
    . " WHERE i.id = clair.image_id('later')"), 'partial: detector "found": role "maker" does not exist', 'so does its detector');
foreach my $statement ("SELECT clair.drop_detector('found')", "SELECT clair.drop_consumer('made')", "SELECT clair.drop_updater('made')",
    "DELETE FROM clair.policy WHERE name = 'made'", "DELETE FROM clair.local_advisory WHERE vulnerability = 'ACME-1'", 'SELECT clair.end_exception(1)')
{
    is(outcome($session, $statement), 'ok', "a superuser cleans up: $statement");
}
$session->quit;
done_testing();
