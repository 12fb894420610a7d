# Proves that databases of every released version become, by ALTER EXTENSION UPDATE, what a new database of
# the present version is, object by object, and lose no row; and, on a version of its own making, that no
# difference would go unnoticed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ExtensionObjects;
use FeedTest;
use File::Copy qw(copy);
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node      = start_server('server', 'max_worker_processes = 16');
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $scripts   = $node->config_data('--sharedir') . '/extension';
my ($session) = session($node);
my $present   = query($session, "SELECT extversion FROM pg_extension WHERE extname = 'clair'");
my @made;

# Puts a script where CREATE EXTENSION looks for it.
sub install_script
{
    my ($name, $content) = @_;

    push @made, "$scripts/$name" if !-e "$scripts/$name";
    write_file("$scripts/$name", $content);
}

# What the tables whose rows are dumped say, by table and column.
sub stored_rows
{
    my ($where) = @_;
    my %rows;

    foreach my $line (query($where, "SELECT c.oid::regclass || ' ' || string_agg(quote_ident(a.attname), ',')"
        . ' FROM pg_extension AS e JOIN pg_class AS c ON c.oid = ANY (e.extconfig)'
        . ' JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped'
        . " WHERE e.extname = 'clair' AND c.relkind = 'r' GROUP BY c.oid"))
    {
        my ($table, $columns) = split / /, $line;
        my $name = $table =~ s/\W/_/gr;

        $rows{$table} = [ split(/,/, $columns) ];
        query($where, "CREATE TEMPORARY TABLE formerly_$name AS TABLE $table");
    }
    return \%rows;
}

# The tables whose rows are others than stored_rows() has seen, as far as they have the same columns.
sub changed_tables
{
    my ($where, $rows) = @_;
    my @changed;

    foreach my $table (sort keys %$rows)
    {
        my %there = map { $_ => 1 } query($where, 'SELECT quote_ident(attname) FROM pg_attribute'
            . " WHERE attrelid = to_regclass('$table') AND attnum > 0 AND NOT attisdropped");
        my $columns = join ', ', grep { $there{$_} } @{ $rows->{$table} };
        my $name = $table =~ s/\W/_/gr;

        push @changed, $table if $columns eq '' || query($where,
            "(SELECT ROW($columns)::text FROM $table EXCEPT ALL SELECT ROW($columns)::text FROM formerly_$name)"
            . " UNION ALL (SELECT ROW($columns)::text FROM formerly_$name EXCEPT ALL SELECT ROW($columns)::text FROM $table)") ne '';
    }
    return @changed;
}

# Brings the dump of a released version into a database of its own; without triggers, which may call the
# library, and that is of another version.
sub restore
{
    my ($database, $dump) = @_;
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';

    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr($database) ],
        "$database: the dump is restored");
    return $node->background_psql($database, on_error_stop => 0);
}

my $FINDINGS = "SELECT md5(string_agg(v::text, ' ' ORDER BY v::text COLLATE \"C\")) FROM clair.image AS i,"
    . ' clair.vulnerabilities(i.id::text) AS v';

# Updates a restored database, and compares it with a new one. What was temporary, it leaves in the session.
sub updates_to
{
    my ($where, $database, $version, $new) = @_;
    my $rows = stored_rows($where);
    my $findings = query($where, $FINDINGS);

    query($where, "ALTER EXTENSION clair UPDATE TO '$version'");
    my @changed = changed_tables($where, $rows);
    is("@changed", '', "$database: no row is lost or changed (" . keys(%$rows) . ' tables)');
    is(query($where, $FINDINGS), $findings, "$database: findings are the same");
    my @differences = object_differences($new, [ extension_objects($node, $database) ]);
    is(scalar @differences, 0, "$database: each object is as in a new database") or diag(join "\n", @differences[ 0 .. 19 ]);
}

my @new = extension_objects($node, 'postgres');

# ---------------------------------------------------------------------------
# What was released
# ---------------------------------------------------------------------------

my @released = sort { $a <=> $b || $a cmp $b } map { m{--([^/]+)\.dump$} } glob 'src/release/clair--*.dump';

if (-e "src/release/clair--$present.sql")
{
    is(slurp_file("$scripts/clair--$present.sql"), slurp_file("src/release/clair--$present.sql"),
        "version $present is what was released as such: raise default_version when you change it");
}
foreach my $version (grep { $_ ne $present } @released)
{
    (my $database = "from_$version") =~ s/\W/_/g;

    install_script("clair--$version.sql", slurp_file("src/release/clair--$version.sql"));
    my $old = restore($database, "src/release/clair--$version.dump");
    like(outcome($old, "SELECT clair.collect_garbage()"), qr/^55000: the library of clair is of version/,
        "$version: what writes says that the database is to be updated");
    updates_to($old, $database, $present, \@new);
    is(update($old, 'function')->{state}, 'unchanged', "$database: ... and updaters run");
    ok(index_file($old, debian_layer($folder, 'new', 12, [ 'bash', '5.2-3' ]), 'new') > 0, "$database: ... and images are indexed");
    $old->quit;
}

# ---------------------------------------------------------------------------
# That differences are noticed: a version to come, and how it may be missed
# ---------------------------------------------------------------------------

# Statements of a version 999. Each with others that an update might have in its place, and what is
# then seen to differ.
my @changes = (
    [ 'CREATE TABLE clair.probe (id bigint GENERATED ALWAYS AS IDENTITY (CACHE 2) PRIMARY KEY, name text COLLATE "C" NOT NULL DEFAULT \'x\','
        . ' state text CHECK (state <> \'\'), of text COLLATE "C" REFERENCES clair.layer ON DELETE CASCADE)',
        map {
            my ($from, $to, $what) = @$_;
            [ sub { $_[0] =~ s/\Q$from\E/$to/r }, $what ]
        } (
            [ '(CACHE 2)', '', qr/relation clair.probe_id_seq \| sequence .*"seqcache": 2/ ],
            [ 'ALWAYS AS', 'BY DEFAULT AS', qr/clair.probe \| column 1 .*"attidentity": "a"/ ],
            [ 'bigint', 'integer', qr/clair.probe \| column 1 .*bigint/ ],
            [ ' COLLATE "C" NOT', ' NOT', qr/clair.probe \| column 2 .*"collation": "pg_catalog.C"/ ],
            [ ' NOT NULL', '', qr/clair.probe \| column 2 .*"attnotnull": true/ ],
            [ "'x'", "'y'", qr/clair.probe \| column 2 .*'x'/ ],
            [ "<> ''", "= 'a'", qr/clair.probe \| constraint probe_state_check/ ],
            [ 'ON DELETE CASCADE', '', qr/clair.probe \| constraint probe_of_fkey .*CASCADE/ ],
            [ 'TABLE', 'UNLOGGED TABLE', qr/clair.probe \| row .*"relpersistence": "p"/ ],
            [ 'PRIMARY KEY', 'UNIQUE', qr/clair.probe \| constraint probe_pkey/ ],
        ) ],
    [ 'ALTER TABLE clair.probe ADD COLUMN later integer', [ 'SELECT 1', qr/clair.probe \| column 5/ ],
        [ 'ALTER TABLE clair.probe DROP COLUMN state; ALTER TABLE clair.probe ADD COLUMN later integer, ADD COLUMN'
            . " state text CHECK (state <> '')", qr/clair.probe \| column 3 .*"state"/ ] ],
    [ 'ALTER TABLE clair.probe ALTER COLUMN name SET STORAGE EXTERNAL', [ 'SELECT 1', qr/column 2 .*"attstorage": "e"/ ] ],
    [ 'ALTER TABLE clair.probe ALTER COLUMN name SET STATISTICS 7', [ 'SELECT 1', qr/column 2 .*"attstattarget": 7/ ] ],
    [ 'ALTER TABLE clair.probe ALTER COLUMN name SET (n_distinct = 5)', [ 'SELECT 1', qr/column 2 .*n_distinct/ ] ],
    [ 'ALTER TABLE clair.probe SET (fillfactor = 80, toast.autovacuum_enabled = off)',
        [ 'ALTER TABLE clair.probe SET (fillfactor = 80)', qr/toast of clair.probe \| row .*autovacuum_enabled/ ],
        [ 'ALTER TABLE clair.probe SET (toast.autovacuum_enabled = off)', qr/clair.probe \| row .*fillfactor=80/ ] ],
    [ "COMMENT ON TABLE clair.probe IS 'a probe'", [ 'SELECT 1', qr/clair.probe \| description \| a probe/ ] ],
    [ "COMMENT ON COLUMN clair.probe.name IS 'a name'", [ 'SELECT 1', qr/clair.probe.name \| description \| a name/ ] ],
    [ "CREATE INDEX probe_name ON clair.probe (name) WHERE state = 'a'", [ 'SELECT 1', qr/index clair.probe_name/ ],
        [ 'CREATE INDEX probe_name ON clair.probe (name)', qr/index clair.probe_name .*WHERE/ ] ],
    [ 'CREATE STATISTICS clair.probe_both ON name, state FROM clair.probe', [ 'SELECT 1', qr/statistics probe_both/ ] ],
    [ "SELECT pg_catalog.pg_extension_config_dump('clair.probe', 'WHERE id > 0')", [ 'SELECT 1', qr/extension \| dumps clair.probe/ ],
        [ "SELECT pg_catalog.pg_extension_config_dump('clair.probe', '')", qr/extension \| dumps clair.probe \| WHERE id > 0/ ] ],
    [ 'GRANT SELECT ON clair.probe TO PUBLIC', [ 'SELECT 1', qr/relation clair.probe \| acl \| owner to public: SELECT/ ] ],
    [ 'GRANT UPDATE (name) ON clair.probe TO PUBLIC', [ 'SELECT 1', qr/acl of column name/ ] ],
    [ 'ALTER TABLE clair.probe ENABLE ROW LEVEL SECURITY', [ 'SELECT 1', qr/clair.probe \| row .*"relrowsecurity": true/ ] ],
    [ 'CREATE POLICY probe_all ON clair.probe USING (id > 1)', [ 'SELECT 1', qr/policy probe_all/ ],
        [ 'CREATE POLICY probe_all ON clair.probe USING (id > 2)', qr/policy probe_all .*id > 1/ ] ],
    [ 'CREATE FUNCTION clair.probe_trigger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$', ],
    [ 'CREATE TRIGGER probe_insert BEFORE INSERT ON clair.probe FOR EACH ROW EXECUTE FUNCTION clair.probe_trigger()',
        [ 'CREATE TRIGGER probe_insert AFTER INSERT ON clair.probe FOR EACH ROW EXECUTE FUNCTION clair.probe_trigger()',
            qr/trigger probe_insert .*BEFORE/ ] ],
    [ 'ALTER TABLE clair.probe ENABLE ALWAYS TRIGGER probe_insert', [ 'SELECT 1', qr/trigger probe_insert \| A / ] ],
    [ 'CREATE RULE probe_rule AS ON DELETE TO clair.probe DO ALSO SELECT 1', [ 'SELECT 1', qr/rule probe_rule/ ] ],
    [ 'CREATE VIEW clair.probe_view WITH (security_barrier) AS SELECT id, name FROM clair.probe',
        [ 'CREATE VIEW clair.probe_view AS SELECT id, name FROM clair.probe', qr/probe_view \| row .*security_barrier/ ],
        [ 'CREATE VIEW clair.probe_view WITH (security_barrier) AS SELECT id, upper(name) AS name FROM clair.probe', qr/probe_view \| rule/ ] ],
    [ 'CREATE FUNCTION clair.probe_value(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE COST 50'
        . ' SET search_path = pg_catalog, pg_temp AS $$SELECT a + b$$',
        map {
            my ($from, $to, $what) = @$_;
            [ sub { $_[0] =~ s/\Q$from\E/$to/r }, $what ]
        } (
            [ 'a + b', 'a - b', qr/function clair.probe_value\(integer,integer\) \| definition .*a \+ b/ ],
            [ 'IMMUTABLE', 'STABLE', qr/probe_value.* IMMUTABLE/ ],
            [ 'COST 50', '', qr/probe_value.* COST 50/ ],
            [ 'DEFAULT 1', 'DEFAULT 2', qr/probe_value.*DEFAULT 1/ ],
            [ 'SET search_path = pg_catalog, pg_temp', '', qr/probe_value.*search_path/ ],
            [ 'integer LANGUAGE', 'bigint LANGUAGE', qr/probe_value.*RETURNS integer/ ],
            [ 'IMMUTABLE', 'IMMUTABLE STRICT', qr/probe_value.*"proisstrict": false/ ],
            [ 'IMMUTABLE', 'IMMUTABLE PARALLEL SAFE', qr/probe_value.*"proparallel": "u"/ ],
            [ 'IMMUTABLE', 'IMMUTABLE SECURITY DEFINER', qr/probe_value.*"prosecdef": false/ ],
            [ 'IMMUTABLE', 'IMMUTABLE LEAKPROOF', qr/probe_value.*"proleakproof": false/ ],
        ) ],
    [ "COMMENT ON FUNCTION clair.probe_value(integer, integer) IS 'a value'", [ 'SELECT 1', qr/description \| a value/ ] ],
    [ 'REVOKE ALL ON FUNCTION clair.probe_value(integer, integer) FROM PUBLIC',
        [ 'SELECT 1', qr/\+ function clair.probe_value\(integer,integer\) \| acl \| owner to public: EXECUTE/ ] ],
    [ 'CREATE FUNCTION clair.probe_body(n integer) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM clair.probe WHERE id > n; END',
        [ 'CREATE FUNCTION clair.probe_body(n integer) RETURNS bigint LANGUAGE sql STABLE AS $$SELECT count(*) FROM clair.probe WHERE id > n$$', qr/probe_body.*BEGIN ATOMIC/ ] ],
    [ 'CREATE AGGREGATE clair.probe_sum(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = 0)',
        [ 'CREATE AGGREGATE clair.probe_sum(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = 1)', qr/probe_sum.* aggregate .*"agginitval": "0"/ ] ],
    [ "CREATE TYPE clair.probe_word AS ENUM ('a', 'b', 'c')",
        [ "CREATE TYPE clair.probe_word AS ENUM ('a', 'c', 'b')", qr/type clair.probe_word \| label 2 \| b/ ],
        [ "CREATE TYPE clair.probe_word AS ENUM ('a', 'b')", qr/type clair.probe_word \| label 3 \| c/ ],
        [ "CREATE TYPE clair.probe_word AS ENUM ('a', 'b', 'c'); REVOKE ALL ON TYPE clair.probe_word FROM PUBLIC", qr/type clair.probe_word \| acl \| owner to public/ ] ],
    [ 'CREATE TYPE clair.probe_pair AS (a integer, b text)', [ 'CREATE TYPE clair.probe_pair AS (a integer, b integer)', qr/relation clair.probe_pair \| column 2 .*text/ ] ],
    [ 'CREATE DOMAIN clair.probe_number AS integer CHECK (VALUE > 0)', [ 'CREATE DOMAIN clair.probe_number AS integer', qr/type clair.probe_number \| constraint/ ] ],
    [ 'CREATE TYPE clair.probe_range AS RANGE (SUBTYPE = text, COLLATION = "C")', [ 'CREATE TYPE clair.probe_range AS RANGE (SUBTYPE = text)', qr/type clair.probe_range \| range .*C/ ] ],
    [ 'CREATE OPERATOR clair.<<< (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.int4lt, RESTRICT = scalarltsel)',
        [ 'CREATE OPERATOR clair.<<< (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.int4lt)', qr/operator .*<<<.* row .*scalarltsel/ ] ],
    [ 'CREATE OPERATOR CLASS clair.probe_ops FOR TYPE integer USING btree AS OPERATOR 1 clair.<<<, FUNCTION 1 pg_catalog.btint4cmp(integer, integer)',
        [ 'CREATE OPERATOR CLASS clair.probe_ops FOR TYPE integer USING btree AS OPERATOR 1 pg_catalog.<, FUNCTION 1 pg_catalog.btint4cmp(integer, integer)', qr/operator family clair.probe_ops .*<<</ ],
        [ 'SELECT 1', qr/operator class clair.probe_ops/ ] ],
    [ 'CREATE CAST (clair.probe_pair AS integer) WITH FUNCTION clair.probe_cast(clair.probe_pair) AS ASSIGNMENT',
        [ 'CREATE CAST (clair.probe_pair AS integer) WITH FUNCTION clair.probe_cast(clair.probe_pair)', qr/cast .*"castcontext": "a"/ ] ],
    [ 'CREATE SEQUENCE clair.probe_counter INCREMENT 3 OWNED BY clair.probe.later',
        [ 'CREATE SEQUENCE clair.probe_counter INCREMENT 3', qr/dependencies of sequence clair.probe_counter/ ],
        [ 'CREATE SEQUENCE clair.probe_counter OWNED BY clair.probe.later', qr/probe_counter \| sequence .*"seqincrement": 3/ ] ],
    [ "CREATE TABLE clair.probe_builtin AS SELECT 'a <b>' AS name, 1 AS number",
        [ "CREATE TABLE clair.probe_builtin AS SELECT 'a <b>' AS name, 2 AS number", qr/rows of clair.probe_builtin .*"number": 1/ ],
        [ "CREATE TABLE clair.probe_builtin (name text, number integer)", qr/rows of clair.probe_builtin/ ] ],
    [ 'ALTER TABLE clair.probe_builtin OWNER TO CURRENT_USER', [ 'ALTER TABLE clair.probe_builtin OWNER TO pg_monitor', qr/clair.probe_builtin \| owner \| another one/ ],
        [ 'ALTER EXTENSION clair DROP TABLE clair.probe_builtin', qr/extension \| has \| table clair.probe_builtin/ ] ],
    [ "COMMENT ON EXTENSION clair IS 'another text'", [ 'SELECT 1', qr/extension \| description \| another text/ ] ],
    [ 'COMMENT ON TYPE clair.version IS \'changed\'', [ 'SELECT 1', qr/description \| changed/ ] ],
    [ "UPDATE clair.builtin_updater SET title = 'changed' WHERE name = 'debian'", [ 'SELECT 1', qr/rows of clair.builtin_updater .*"changed"/ ],
        [ "UPDATE clair.builtin_updater SET title = 'changed'", qr/\+ rows of clair.builtin_updater/ ] ],
);

# what a cast needs goes before it
splice @changes, (grep { $changes[$_][0] =~ /^CREATE CAST/ } 0 .. $#changes)[0], 0,
    [ 'CREATE FUNCTION clair.probe_cast(clair.probe_pair) RETURNS integer LANGUAGE sql IMMUTABLE AS $$SELECT ($1).a$$' ];

sub script
{
    return join "\n", 'SET LOCAL search_path = clair, pg_temp;', map { "$_;" } @_;
}

my $script = slurp_file("$scripts/clair--$present.sql");
my @right = map { $_->[0] } @changes;

install_script('clair--999.sql', $script . "\n" . script(@right));
install_script("clair--$present--999.sql", script(@right));
$node->safe_psql('postgres', 'CREATE DATABASE new');
$node->safe_psql('new', "CREATE EXTENSION clair VERSION '999'");
my @later = extension_objects($node, 'new');

# The right update of a database that has a released version's dump in it.
fill_database($session, $folder, images => 0);
dump_release($node, 'postgres', $present, "$folder/dump");
my $old = restore('old', "$folder/dump");
updates_to($old, 'old', '999', \@later);
like(outcome($old, 'SELECT clair.collect_garbage()'), qr/^55000: the library of clair is of version \Q$present\E, the extension in this database of version 999\nHINT: Run ALTER EXTENSION clair UPDATE/,
    'the library says that it does not belong to the objects');
like(outcome($old, "SELECT clair.update('debian')"), qr/^55000: the library of clair is of version/, '... also for what workers do');
$old->quit;

# Wrong ones: in the first each statement goes wrong in its first way, in the second in its second, ...; all of
# them with CLAIR_TEST_LONG.
my $ways = $ENV{CLAIR_TEST_LONG} ? 100 : 3;

for (my $way = 1; $way <= $ways && (my @wrong = grep { defined $_->[$way] } @changes); $way++)
{
    my %instead;

    foreach my $change (@wrong)
    {
        my ($right, $statement) = ($change->[0], $change->[$way][0]);

        $instead{$right} = ref $statement ? $statement->($right) : $statement;
        die "nothing is wrong with: $right" if $instead{$right} eq $right;
    }
    install_script("clair--$present--999.sql", script(map { $instead{$_} // $_ } @right));
    my @differences = object_differences(\@later,
        [ extension_objects($node, 'postgres', "ALTER EXTENSION clair UPDATE TO '999'") ]);
    foreach my $change (@wrong)
    {
        my $seen = $change->[$way][1];

        ok(scalar(grep { $_ =~ $seen } @differences), "noticed: $instead{ $change->[0] }")
            or diag(join "\n", "$seen", 'not among:', @differences);
    }
}

# A library that has not got what the script asks for.
install_script("clair--$present--999.sql",
    script("CREATE FUNCTION clair.probe_new() RETURNS integer LANGUAGE c AS '\$libdir/clair', 'clair_probe_new'"));
like(outcome($session, "ALTER EXTENSION clair UPDATE TO '999'"), qr/^42883: could not find function "clair_probe_new" in file/,
    'an older library refuses a newer script');
is_deeply([ object_differences(\@new, [ extension_objects($node, 'postgres') ]) ], [], '... and nothing has changed');

$session->quit;
done_testing();

END
{
    unlink @made;
}
