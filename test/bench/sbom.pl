#!/usr/bin/perl
# Measures what reading a software bill of materials costs, and writing one.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;
use JSON::PP;
use List::Util qw(sum);

# Packages of the image, and what a tool says of each beside its package URL.
use constant { PACKAGES => 5000, NAMES => 12 };

my $FOLDER   = "$ENV{TMPDIR}/sbom";
my $DOCUMENT = "$FOLDER/bill.json";
my $READER   = "$FindBin::Bin/read_sbom";

# ---------------------------------------------------------------------------
# A document as Syft writes them
# ---------------------------------------------------------------------------

sub component
{
    my ($number) = @_;
    my $name = sprintf('lib%s%d', ('aa' .. 'zz')[ $number % 676 ], $number);
    my $url  = "pkg:deb/debian/$name\@1.$number-1?arch=amd64&distro=debian-12&upstream=source$number%401.$number-1";

    return {
        'bom-ref' => "$url&package-id=$number",
        type      => 'library',
        publisher => 'Somebody <somebody@example.org>',
        name      => $name,
        version   => "1.$number-1",
        licenses  => [ map { { license => { id => $_ } } } 'GPL-2.0-only', 'MIT' ],
        cpe       => "cpe:2.3:a:$name:$name:1.$number-1:*:*:*:*:*:*:*",
        purl      => $url,
        properties => [
            (map { { name => 'syft:cpe23', value => "cpe:2.3:a:$name:${name}_$_:1.$number-1:*:*:*:*:*:*:*" } } 1 .. NAMES),
            { name => 'syft:package:type',       value => 'deb' },
            { name => 'syft:location:0:path',    value => '/var/lib/dpkg/status' },
            { name => 'syft:metadata:source',    value => "source$number" },
        ],
    };
}

mkdir $FOLDER or die "$FOLDER: $!\n";
open(my $file, '>:raw', $DOCUMENT) or die "$DOCUMENT: $!\n";
print $file JSON::PP->new->utf8->canonical->encode({ bomFormat => 'CycloneDX', specVersion => '1.6', version => 1,
    components => [ map { component($_) } 1 .. PACKAGES ] });
close($file) or die "$DOCUMENT: $!\n";
printf "a document of %d packages and %.1f MB\n", PACKAGES, (-s $DOCUMENT) / 1e6;

# ---------------------------------------------------------------------------
# Reading it
# ---------------------------------------------------------------------------

my ($reader, $json_c) = in_turn(7, sub { cpu_of_command($READER, 'reader', $DOCUMENT) },
    sub { cpu_of_command($READER, 'json-c', $DOCUMENT) });
show('reading it ten times, CPU', 's', @$reader);
show('parsing it as often by json-c, CPU', 's', @$json_c);
result('reading a document, CPU over that of json-c', paired(sub { $_[0] / $_[1] }, $reader, $json_c), 1, 'x');

my $peak = peak_of_readers(sub { query("SELECT features FROM clair.index_sbom('$DOCUMENT', 'bench')") });
result('memory of the reader', $peak, 64, 'MB');

# CPU seconds of the server and the reader for a document that is new.
sub cpu_of_indexing
{
    my $before = cpu_of(backend());

    query("SELECT clair.delete_image('bench'); SELECT clair.collect_garbage()");
    my $deleted = cpu_of(backend()) - $before;
    query("SELECT features FROM clair.index_sbom('$DOCUMENT', 'bench')") eq PACKAGES or die "packages are missing\n";
    return cpu_of(backend()) - $before - $deleted;
}

# What storing the same features costs, without reading them from anywhere.
query('CREATE TABLE same (LIKE clair.feature INCLUDING ALL)');
query("INSERT INTO same SELECT f.* FROM clair.feature AS f");
query('CREATE TABLE taken AS TABLE same');

sub cpu_of_storing
{
    query('TRUNCATE same');
    my $before = cpu_of(backend());

    query('INSERT INTO same TABLE taken');
    return cpu_of(backend()) - $before;
}

# CPU times come in hundredths of a second: of ten each.
my ($indexing, $storing) = in_turn(5, sub { sum(map { cpu_of_indexing() } 1 .. 10) },
    sub { sum(map { cpu_of_storing() } 1 .. 10) });
show('indexing it ten times, CPU of server and reader', 's', @$indexing);
show('copying its features as often, from table to table, CPU', 's', @$storing);
result('indexing a document, CPU over that of copying its features', paired(sub { $_[0] / $_[1] }, $indexing, $storing), 10, 'x');

# ---------------------------------------------------------------------------
# Writing one
# ---------------------------------------------------------------------------

query(<<'SQL');
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, link)
SELECT 'debian', 'made', 'CVE-2031-' || n, 'x', 1, 'https://example.org/' || n FROM generate_series(1, 500) AS n;
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
SELECT v.id, 1, 'debian:12', 'source', 'source' || 10 * row_number() OVER (ORDER BY v.id), '-infinity', 'infinity', 'affected', 'Low'
FROM clair.vulnerability AS v;
ANALYZE clair.vulnerability, clair.affected, clair.feature, clair.image_database, clair.package_database;
SQL

my $LISTED   = "SELECT jsonb_agg(to_jsonb(f))::text FROM clair.features('bench') AS f";
my $FOUND    = "SELECT v.* FROM clair.vulnerabilities('bench') AS v";
my $EXPORT   = "SELECT clair.export_sbom('bench')::text";
my $WITH_ALL = "SELECT clair.export_sbom('bench', vulnerabilities => true)::text";
my $SPDX     = "SELECT clair.export_sbom('bench', 'spdx')::text";

execution_ms($_) foreach $LISTED, $FOUND, $EXPORT, $WITH_ALL, $SPDX;
my ($listed, $found, $export, $with_all, $spdx) = in_turn(7, map { my $sql = $_; sub { execution_ms($sql) } }
    $LISTED, $FOUND, $EXPORT, $WITH_ALL, $SPDX);
show("the packages of an image of @{[PACKAGES]} as jsonb", 'ms', @$listed);
show('its 500 findings', 'ms', @$found);
show('its CycloneDX document', 'ms', @$export);
show('its CycloneDX document with vulnerabilities', 'ms', @$with_all);
show('its SPDX document', 'ms', @$spdx);
result('a CycloneDX document, time over the packages as jsonb', paired(sub { $_[0] / $_[1] }, $export, $listed), 6, 'x');
result('an SPDX document, likewise', paired(sub { $_[0] / $_[1] }, $spdx, $listed), 6, 'x');
result('with vulnerabilities, time over document and findings',
    paired(sub { $_[0] / $_[1] }, $with_all, [ map { $export->[$_] + $found->[$_] } 0 .. $#$export ]), 2, 'x');
