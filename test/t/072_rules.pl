# Proves rules that hold for everything of the extension, whatever is added to it: who may set what,
# what is a secret, what is granted to all, in whose name something runs; and that a directory which is
# swapped for a link while it is opened leads nowhere.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node   = start_server('rules', 'max_worker_processes = 12', "clair.fetch_proxy = 'http://user:sesame\@127.0.0.1:9/'",
    'clair.fetch_retries = 0');
my ($owner) = session($node);

query($owner, "CREATE ROLE reading; CREATE ROLE indexing; CREATE ROLE administering; CREATE ROLE maker SUPERUSER");
query($owner, "SELECT clair.grant_access('reading', 'read'), clair.grant_access('indexing', 'index'),"
    . " clair.grant_access('administering', 'administer')");

# What a role's statement comes to.
sub as
{
    my ($role, $statement) = @_;

    query($owner, "SET SESSION AUTHORIZATION $role");
    my $outcome = outcome($owner, $statement);
    query($owner, 'RESET SESSION AUTHORIZATION');
    return $outcome;
}

my $FUNCTIONS = "pg_proc AS f WHERE f.pronamespace = 'clair'::regnamespace";

# ---------------------------------------------------------------------------
# The catalogs
# ---------------------------------------------------------------------------

query($owner, "LOAD 'clair'");
is(query($owner, "SELECT string_agg(name || ' ' || context, ', ') FROM pg_settings WHERE name LIKE 'clair.%' AND context <> 'superuser'"),
    '', 'every setting is a superuser\'s');
cmp_ok(query($owner, "SELECT count(*) FROM pg_settings WHERE name LIKE 'clair.%'"), '>=', 30, 'of which there are some');
query($owner, 'SET SESSION AUTHORIZATION administering');
is(query($owner, "SELECT string_agg(s, ', ' ORDER BY s) FROM unnest('{clair.fetch_ca_file,clair.fetch_proxy,clair.image_directories}'::text[]) AS s"
    . " WHERE s NOT IN (SELECT name FROM pg_settings)"), 'clair.fetch_ca_file, clair.fetch_proxy, clair.image_directories',
    'those that tell of the site are shown to nobody else');
query($owner, 'RESET SESSION AUTHORIZATION');
is(query($owner, "SELECT string_agg(DISTINCT f.proname, ' ' ORDER BY f.proname) FROM $FUNCTIONS AND f.proleakproof"),
    'version_cmp version_eq version_ge version_gt version_le version_lt version_ne', 'only comparisons are leakproof');
is(query($owner, "SELECT string_agg(f.oid::regprocedure::text, ' ') FROM $FUNCTIONS AND f.prosecdef"), '',
    'no function runs as its owner');
is(query($owner, "SELECT string_agg(f.oid::regprocedure::text, ' ' ORDER BY f.proname) FROM $FUNCTIONS AND f.provolatile = 'v' AND f.proparallel <> 'u'"),
    'clair.assert_image(text,text) clair.images_in(text)', 'what writes does not run in parallel workers; these only fail, or look');
is(query($owner, "SELECT string_agg(f.oid::regprocedure::text, ' ') FROM $FUNCTIONS AND f.prosqlbody IS NULL"
    . " AND f.prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))"
    . " AND NOT COALESCE(f.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false)"), '',
    'a text that is parsed when it runs has its own search_path');
{
    # A database whose owner is generous to begin with.
    $node->safe_psql('postgres', 'CREATE DATABASE generous TEMPLATE template0');
    my $generous = $node->background_psql('generous', on_error_stop => 0);

    query($generous, "ALTER DEFAULT PRIVILEGES GRANT ALL ON $_ TO PUBLIC") foreach qw(TABLES SEQUENCES FUNCTIONS SCHEMAS);
    query($generous, 'CREATE EXTENSION clair');
    is(query($generous, "SELECT has_schema_privilege('public', 'clair', 'USAGE') OR has_schema_privilege('public', 'clair', 'CREATE')"), 'f',
        'default privileges do not open the schema');
    is(query($generous, "SELECT string_agg(c.relname, ' ') FROM pg_class AS c, aclexplode(c.relacl) AS a"
        . " WHERE c.relnamespace = 'clair'::regnamespace AND a.grantee = 0"), '', 'nor tables and sequences');
    is(query($generous, "SELECT string_agg(f.oid::regprocedure::text, ' ') FROM $FUNCTIONS AND f.provolatile <> 'i'"
        . " AND has_function_privilege('public', f.oid, 'EXECUTE')"), '', 'nor functions');
    $generous->quit;
}

# ---------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------

query($owner, "SELECT clair.create_consumer('c')");
foreach my $statement (
    "UPDATE clair.updater SET url = 'https://user:sesame\@example.org/' WHERE name = 'debian'",
    "SELECT clair.create_updater('x', 'https://user:sesame\@example.org/', 'secdb', '{\"namespace\": \"alpine:v3.20\"}')",
    "SELECT clair.create_webhook('c', 'https://user:sesame\@example.org/')",
    "SELECT clair.create_webhook('c', 'https://example.org/', format => 'clair-v4', callback => 'https://user:sesame\@example.org/')",
    "SELECT clair.index_layer('x', 'https://user:sesame\@example.org/')")
{
    my $outcome = outcome($owner, $statement);

    like($outcome, qr/^22023: the URL of an? \w+ has a user name\n/, "what would be shown has no password: $statement");
    unlike($outcome, qr/sesame/, 'nor is it repeated');
}
like(outcome($owner, "UPDATE clair.updater SET options = '{\"proxy\": \"http://user:sesame\@proxy/\"}' WHERE name = 'debian'"),
    qr/^22023: invalid value .* of option "proxy"\nHINT: It is a URL without a user name/, 'nor has the proxy of one updater');
foreach my $statement (
    "SELECT clair.create_webhook('c', 'https://example.org/', headers => '{\"Authorization\": \"sesame\\n\"}')",
    "SELECT clair.create_webhook('c', 'https://example.org/', secret => 'whsec_sesame!')",
    "SELECT clair.index_layer('x', 'https://example.org/?token=sesame', headers => '{\"A\": \"sesame\\r\"}')",
    "SELECT clair.index_layer('x', 'https://example.org/?token=sesame')")
{
    my $outcome = outcome($owner, $statement);

    unlike($outcome, qr/^ok|sesame/, "an error does not repeat what is secret: $statement");
}
query($owner, "UPDATE clair.updater SET url = 'http://example.org/?key=1', options = '{}' WHERE name = 'debian'");
my $run = update($owner, 'debian');
is($run->{state}, 'failed', 'a proxy that does not answer');
unlike($run->{error}, qr/sesame/, 'is not told of with its password');
query($owner, "SELECT clair.create_webhook('c', 'https://example.org/', enabled => false, secret => 'sesame',"
    . " headers => '{\"Authorization\": \"sesame\"}')");
{
    # Who administers sees what others do.
    my @relations = query($owner, "SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'clair'::regnamespace"
        . " AND c.relkind IN ('r', 'v') AND has_table_privilege('administering', c.oid, 'SELECT') ORDER BY 1");

    query($owner, 'SET jit = off; SET SESSION AUTHORIZATION administering');
    is(join(' ', grep { query($owner, "SELECT count(*) FROM $_ AS t WHERE t::text LIKE '%sesame%'") } @relations), '',
        'no table or view shows a secret');
    query($owner, 'RESET SESSION AUTHORIZATION');
}

# ---------------------------------------------------------------------------
# In whose name
# ---------------------------------------------------------------------------

# What a table's owner has computed for an index runs as the owner, whoever analyses or rebuilds it, and may
# do nothing else than the owner may.
my $layer = make_layer("$folder/layer.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]));
my $hex = unpack 'H*', slurp_file($layer);
query($owner, 'CREATE SCHEMA trap AUTHORIZATION indexing; GRANT USAGE ON SCHEMA trap TO PUBLIC');
query($owner, 'SET SESSION AUTHORIZATION indexing');
query($owner, 'CREATE TABLE trap.bait (what text)');
query($owner, 'CREATE FUNCTION trap.spring(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN'
    . ' EXECUTE what; RAISE WARNING \'sprung: done\'; RETURN what;'
    . ' EXCEPTION WHEN OTHERS THEN RAISE WARNING \'sprung: %\', SQLSTATE; RETURN what; END $$');
query($owner, 'CREATE INDEX bait_index ON trap.bait (trap.spring(what))');
query($owner, 'RESET SESSION AUTHORIZATION');
my %attempts = (
    "SELECT clair.index_image('$layer', 'trap')" => '42501',
    "SELECT clair.create_updater('trap', 'https://example.org/', 'secdb', '{\"namespace\": \"alpine:v3.20\"}')" => '42501',
    "SELECT clair.grant_access('indexing', 'administer')" => '42501',
    "SELECT clair.add_tenant('indexing', '')"             => '42501',
    'SELECT count(*) FROM clair.webhook_secret'           => '42501',
    "SELECT clair.index_image('\\x$hex'::bytea, 'bait')"  => 'done',
);
foreach my $attempt (sort keys %attempts)
{
    query($owner, 'SET SESSION AUTHORIZATION indexing; DELETE FROM trap.bait; INSERT INTO trap.bait VALUES ($what$'
        . $attempt . '$what$); RESET SESSION AUTHORIZATION');
    foreach my $command ('REINDEX INDEX trap.bait_index', 'ANALYZE trap.bait')
    {
        query($owner, $command);
        is(join(' ', $owner->{stderr} =~ /sprung: (\w+)/g), $attempts{$attempt}, "$command: " . substr($attempt, 0, 60));
    }
}
is(query($owner, "SELECT string_agg(DISTINCT role, ' ') FROM clair.audit WHERE object = 'bait'"), 'indexing',
    'what it may do is done in its name');
is(query($owner, "SELECT count(*) FROM clair.image_name WHERE name = 'trap'"), 0, 'and nothing in that of who rebuilds');
query($owner, 'DROP TABLE trap.bait');

# A function that is an updater runs as the role that made it, as long as that is there, and with the rights
# that it has then.
query($owner, 'CREATE SCHEMA made AUTHORIZATION maker; GRANT CREATE ON SCHEMA made TO maker');
query($owner, 'SET SESSION AUTHORIZATION maker');
query($owner, "CREATE FUNCTION made.says() RETURNS SETOF clair.advisory LANGUAGE plpgsql AS \$\$ BEGIN"
    . " PERFORM count(*) FROM clair.webhook_secret;"
    . " RETURN NEXT clair.advisory('CVE-1', 'debian:12', current_user::text); END \$\$");
query($owner, "SELECT clair.create_updater('made', function => 'made.says()')");
query($owner, 'RESET SESSION AUTHORIZATION');
is(update($owner, 'made')->{state}, 'succeeded', 'the function of a superuser, who cannot log in, is called');
query($owner, 'ALTER ROLE maker NOSUPERUSER');
like(update($owner, 'made')->{error}, qr/permission denied for/, 'as who is none any more');
query($owner, 'ALTER ROLE maker RENAME TO renamed');
like(update($owner, 'made')->{error}, qr/role "maker"|maker/, 'and not as who has another name now');
query($owner, 'DROP OWNED BY renamed; DROP ROLE renamed');
is(update($owner, 'made')->{state}, 'failed', 'nor as who is gone');
is(query($owner, 'SELECT count(*) FROM clair.affected AS a WHERE a.package NOT IN (\'maker\')'), 0, 'nothing else is stored');

# ---------------------------------------------------------------------------
# A directory that is swapped
# ---------------------------------------------------------------------------

mkdir "$folder/$_" foreach qw(allowed outside allowed/real);
make_layer("$folder/allowed/real/image.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'inside', '1' ]));
make_layer("$folder/outside/image.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'outside', '1' ]));
symlink("$folder/outside", "$folder/allowed/link");
my $swapper = fork() // die "fork: $!";
if ($swapper == 0)
{
    alarm(60);
    while (1)
    {
        foreach my $name ('real', 'link')
        {
            rename("$folder/allowed/$name", "$folder/allowed/swapped");
            select(undef, undef, undef, 0.001);
            rename("$folder/allowed/swapped", "$folder/allowed/$name");
        }
    }
}
query($owner, "SET clair.image_directories = '$folder/allowed'");
query($owner, 'CREATE TABLE public.seen (what text)');
query($owner, <<"SQL");
DO \$\$
DECLARE
    found bigint;
BEGIN
    FOR i IN 1 .. 60 LOOP
        BEGIN
            SELECT image INTO found FROM clair.index_image('$folder/allowed/swapped/image.tar', 'swapped');
            INSERT INTO public.seen SELECT name FROM clair.features(found::text);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO public.seen VALUES (SQLSTATE);
        END;
    END LOOP;
END
\$\$
SQL
kill 'KILL', $swapper;
waitpid($swapper, 0);
is(query($owner, "SELECT count(*) FROM public.seen WHERE what = 'outside'"), 0,
    'through a directory that is swapped for a link, nothing outside is read');
is(query($owner, "SELECT count(*) FROM public.seen"), 60, 'however often it is tried');
note(join ' ', query($owner, 'SELECT what, count(*) FROM public.seen GROUP BY what ORDER BY what'));

$owner->quit;
$node->stop;
done_testing();
