#!/usr/bin/perl
# Measures writing reports of an image, in every format, against finding what is wrong with it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;

system(qw(psql -Xq -v ON_ERROR_STOP=1 -f), "$FindBin::Bin/match_data.sql") == 0
    or die "could not make the data\n";
my $image = query(q{SELECT id FROM clair.image WHERE digest = 'sha256:0'});

query('CHECKPOINT');
query('SET jit = off');

# Every format with descriptions.
my @FORMATS = qw(json sarif gitlab junit csv markdown text);
my $IDS     = "SELECT vulnerability_id FROM clair.image_vulnerability WHERE image_id = $image";

print scalar query("SELECT count(*) FROM ($IDS) AS ids"), " findings\n";
query("PREPARE ids AS $IDS");
query("PREPARE $_ AS SELECT clair.report('$image', '$_', descriptions => true)") foreach @FORMATS;

my $BACKEND = backend();

# CPU milliseconds of a prepared statement, without sending what it gives.
sub cpu_ms
{
    my ($count, $statement) = @_;
    my $before = cpu_of($BACKEND);

    query("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) EXECUTE $statement") foreach 1 .. $count;
    return 1000 * (cpu_of($BACKEND) - $before) / $count;
}

# A report in so many formats, each with its limit.
sub measure
{
    my ($of, %limit) = @_;

    foreach my $format (grep { $limit{$_} } @FORMATS)
    {
        cpu_ms(10, $_) foreach 'ids', $format;
        my ($ids, $report) = in_turn(5, sub { cpu_ms(50, 'ids') }, sub { cpu_ms(20, $format) });
        my $size = query("SELECT octet_length(clair.report('$image', '$format', descriptions => true)) / 1000");

        show('findings of the image, ids', 'CPU ms', @$ids);
        show("$format$of, $size kB", 'CPU ms', @$report);
        result("$format$of, over finding ids", paired(sub { $_[0] / $_[1] }, $report, $ids), $limit{$format}, 'x');
    }
}

measure('', json => 15, junit => 15, csv => 15, markdown => 15, text => 15, sarif => 40, gitlab => 40);

# What NVD and EPSS say of every CVE
query(<<'SQL');
INSERT INTO clair.cve (cve, severity, updater, metric) SELECT name, 'High', 'nvd', 1 FROM clair.vulnerability;
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
SELECT name, 'nvd', 1, 'nvd@nist.gov', 'Primary', '3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5, 'High'
FROM clair.vulnerability;
INSERT INTO clair.cve_statement (cve, updater, digest, published)
SELECT name, 'nvd', 'x', now() FROM clair.vulnerability;
INSERT INTO clair.epss (cve, score, percentile) SELECT name, 0.01, 0.5 FROM clair.vulnerability
SQL
query('VACUUM ANALYZE');
measure(' with scores', json => 25, csv => 25, sarif => 50, gitlab => 50);
