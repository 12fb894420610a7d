# ExtensionObjects: everything that makes up the extension in a database, as lines that can be compared
# with those of another database, where they must be the same.
#
# extension_objects.sql says what the catalogs have; the rows that the extension brings are added here.
package ExtensionObjects;

use strict;
use warnings;

use Exporter qw(import);
use FindBin;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(extension_objects object_differences);

my $OBJECTS = slurp_file("$FindBin::Bin/lib/extension_objects.sql") . <<'SQL';
SELECT format('SELECT %L || to_jsonb(t)::text FROM %s AS t', format('rows of %s | ', c.oid::regclass), c.oid::regclass)
FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE e.extname = 'clair' AND c.relkind = 'r' AND c.oid <> ALL (e.extconfig)
\gexec
SQL

# The lines of all objects and built-in rows of a database: as it is, or as statements would make it that
# are undone again.
sub extension_objects
{
    my ($node, $database, $statements) = @_;
    my $lines = $node->safe_psql($database,
        defined $statements ? "BEGIN;\n$statements;\n$OBJECTS\nROLLBACK;\n" : $OBJECTS);

    return split /\n/, $lines;
}

# What differs between two lists of such lines: "-" what only the first has, "+" what only the second has.
sub object_differences
{
    my ($expected, $got) = @_;
    my %count;

    $count{$_}++ foreach @$expected;
    $count{$_}-- foreach @$got;
    return map { ($count{$_} > 0 ? '- ' : '+ ') . $_ } grep { $count{$_} != 0 } sort keys %count;
}

1;
