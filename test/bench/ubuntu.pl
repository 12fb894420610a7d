#!/usr/bin/perl
# Measures Ubuntu's OSV records: reading an archive of them in CPU time, and storing what they say.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t/lib";

use Bench;
use List::Util qw(max);
use UpdateReader;

my $ARCHIVE = "$ENV{TMPDIR}/osv-all.tar.zst";

system("$FindBin::Bin/ubuntu_osv 250 | zstd -q -1 -o $ARCHIVE") == 0 or die "could not make an archive\n";
printf "archive: 250 MB of records, compressed %.1f MB\n", (-s $ARCHIVE) / 1e6;

# ---------------------------------------------------------------------------
# Reading, without a server
# ---------------------------------------------------------------------------

my ($peak, $rows) = (0, 0);

sub cost_of_reading
{
    my ($known) = @_;
    my $result = read_update('ubuntu', 'archive', $ARCHIVE, $known);

    $peak = max($peak, $result->{peak});
    $rows = max($rows, $result->{rows});
    return $result->{cpu};
}

my ($floor, $known, $unknown) = in_turn(5, sub { cpu_of_command("$FindBin::Bin/archive_floor", $ARCHIVE) },
    sub { cost_of_reading(1) }, sub { cost_of_reading(0) });
show('libarchive and json-c', 's', @$floor);
show('an archive of which all is known', 's', @$known);
show("an archive of which nothing is known, $rows rows", 's', @$unknown);
result('all known, over libarchive and json-c', paired(sub { $_[0] / $_[1] }, $known, $floor), 1, 'x');
result('nothing known, over libarchive and json-c', paired(sub { $_[0] / $_[1] }, $unknown, $floor), 1.2, 'x');

# ---------------------------------------------------------------------------
# Storing
# ---------------------------------------------------------------------------

sub first_update
{
    query('DROP EXTENSION IF EXISTS clair CASCADE');
    query('CREATE EXTENSION clair');
    query("UPDATE clair.updater SET url = 'file://$ARCHIVE' WHERE name = 'ubuntu'");
    query('CHECKPOINT');
    return timed(sub {
        query("SELECT state FROM clair.update('ubuntu')") eq 'succeeded' or die "the update failed\n";
    });
}

$peak = max($peak, peak_of_readers(sub { first_update() }));
my $ranges = query('SELECT count(*) FROM clair.affected');
my ($seconds) = in_turn(3, sub { first_update() });
show("the first update, $ranges ranges", 's', @$seconds);
printf "%.0f ranges a second\n", $ranges / median(@$seconds);
result('bytes of a range, with its share of all that belongs to it',
    query('SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid IN'
        . " ('clair.vulnerability'::regclass, 'clair.affected'::regclass, 'clair.scope'::regclass)") / $ranges,
    400, 'B');
result('peak memory of the reader', $peak, 64, 'MB');
