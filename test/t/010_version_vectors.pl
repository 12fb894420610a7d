# Proves that, through SQL, every pair of versions in the test data is ordered as dpkg, rpm and
# apk order it, and is valid exactly when apk says so; and that the binary form of clair.version
# comes back as it went out, and is not believed when it is wrong.
use strict;
use warnings;

use FindBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $DATA = ($ENV{CLAIR_TEST_DATA} // "$FindBin::Bin/../../../shared/data") . '/versions';

my $node = PostgreSQL::Test::Cluster->new('versions');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clair;
CREATE TABLE vector (line integer GENERATED ALWAYS AS IDENTITY, a text, sign text, b text);
CREATE TABLE validity (line integer GENERATED ALWAYS AS IDENTITY, version text, verdict text);

-- The reason why a version is refused, NULL when it is not.
CREATE FUNCTION refusal(format text, version text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM clair.version(format, version);
    RETURN NULL;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || ' ' || detail;
END
$$;
SQL

# Loads a file of tab-separated values into a table and returns the number of its lines; none,
# after saying so, when the file is not there.
sub load
{
    my ($name, $table, $columns) = @_;
    my $path = "$DATA/$name";

    if (!-r $path)
    {
        note("SKIP: there is no test data file $path");
        return 0;
    }
    my $content = slurp_file($path);
    my $lines   = () = $content =~ /\n/g;
    $content =~ s/\\/\\\\/g;
    $node->safe_psql('postgres',
        "TRUNCATE $table RESTART IDENTITY;\nCOPY $table ($columns) FROM stdin;\n$content\\.\n");
    return $lines;
}

# The first of the rows that a query finds, and how many they are: what a test shows.
sub rows
{
    my ($query) = @_;
    my @rows = split /\n/, $node->safe_psql('postgres', $query);

    return join("\n", scalar(@rows) . ' lines', @rows > 10 ? @rows[ 0 .. 9 ] : @rows);
}

foreach my $format (qw(dpkg rpm apk))
{
    my $lines = load("$format.tsv", 'vector', 'a, sign, b') or next;

    is(rows(<<"SQL"), '0 lines', "$format.tsv: all versions of $lines lines are valid");
SELECT line, refusal('$format', a), refusal('$format', b)
FROM vector
WHERE COALESCE(refusal('$format', a), refusal('$format', b)) IS NOT NULL
ORDER BY line;
SQL
    is(rows(<<"SQL"), '0 lines', "$format.tsv: all $lines lines are in order, as text");
SELECT line, a, sign, b, clair.version_cmp('$format', a, b)
FROM vector
WHERE clair.version_cmp('$format', a, b) IS DISTINCT FROM
        CASE sign WHEN '<' THEN -1 WHEN '=' THEN 0 WHEN '>' THEN 1 END
    OR clair.version_cmp('$format', b, a) <> -clair.version_cmp('$format', a, b)
ORDER BY line;
SQL
    is(rows(<<"SQL"), '0 lines', "$format.tsv: all $lines lines are in order, as clair.version");
SELECT line, a, sign, b
FROM vector, clair.$format(a) AS x, clair.$format(b) AS y
WHERE (x OPERATOR(clair.<) y, x OPERATOR(clair.=) y, x OPERATOR(clair.>) y)
        IS DISTINCT FROM (sign = '<', sign = '=', sign = '>')
ORDER BY line;
SQL
}

if (my $lines = load('apk.validity.tsv', 'validity', 'version, verdict'))
{
    is(rows(<<'SQL'), '0 lines', "apk.validity.tsv: all $lines lines");
SELECT line, version, verdict, refusal('apk', version)
FROM validity
WHERE (refusal('apk', version) IS NULL) IS DISTINCT FROM
    CASE verdict WHEN 'valid' THEN true WHEN 'invalid' THEN false END
ORDER BY line;
SQL
}

# The binary form, out to a file and in again

my $folder = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $folder;

# Copies versions out in binary; the file's path.
sub copy_out
{
    my ($name, $query) = @_;

    $node->safe_psql('postgres', "COPY ($query) TO '$folder/$name' (FORMAT binary)");
    return "$folder/$name";
}

# What is said when a file is copied in; nothing when it is taken.
sub copy_in
{
    my ($path) = @_;
    my (undef, undef, $complaint) = $node->psql('postgres', <<"SQL");
TRUNCATE binary_form;
COPY binary_form FROM '$path' (FORMAT binary);
SQL
    return $complaint;
}

# A file with one field, whose bytes are given.
sub forge
{
    my ($bytes) = @_;
    my $path = "$folder/forged";

    open my $file, '>:raw', $path or die "could not write \"$path\": $!";
    print $file "PGCOPY\n\xFF\r\n\0", pack('N N', 0, 0), pack('n N/a n', 1, $bytes, 0xFFFF);
    close $file;
    return $path;
}

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE binary_form (version clair.version);
CREATE TABLE original AS
    SELECT clair.dpkg('1:' || n || '.0~é-' || n % 7) AS version FROM generate_series(1, 500) AS n
    UNION ALL SELECT clair.successor(clair.rpm(n || '^1-3')) FROM generate_series(1, 50) AS n
    UNION ALL VALUES ('infinity'::clair.version), ('-infinity'), ('apk:1.2_rc1-r0');
SQL
is(copy_in(copy_out('versions', 'SELECT version FROM original')),
    '', 'versions in binary are taken back');
is( $node->safe_psql('postgres', <<'SQL'), '553|0', 'and are the same, text and key');
SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
    SELECT FROM binary_form AS b
    WHERE b.version OPERATOR(clair.=) o.version AND b.version::text = o.version::text))
FROM original AS o;
SQL

is(copy_in(forge("\x01dpkg:1.0")), '', 'the form that is sent is taken');
like(copy_in(forge("\x02dpkg:1.0")),
    qr/unsupported binary form of type clair\.version: 2/, 'another form is not');
like(copy_in(forge("\x01dpkg:1 0")),
    qr/invalid dpkg version: "1 0"/, 'the text is checked');
like(copy_in(forge("\x01dpkg:1.\xFF")),
    qr/invalid byte sequence for encoding "UTF8"/, 'so is its encoding');
like(copy_in(forge("\x01dpkg:1.0\0")),
    qr/invalid byte sequence for encoding "UTF8": 0x00/, 'and that it has no NUL');
like(copy_in(forge("\x01")),
    qr/invalid input syntax for type clair\.version: ""/, 'nothing is not a version');
like(copy_in(forge('')), qr/no data left in message/, 'nor is less');

$node->stop;
done_testing();
