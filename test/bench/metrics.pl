#!/usr/bin/perl
# Measures what is known of CVEs: the first day of EPSS, a day on which all or few scores have changed,
# and how fast a feed of NVD is read.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;

my $SCORES = 360_000;
my $NVD    = "$ENV{TMPDIR}/nvd.json";
my @TABLES = qw(cve epss epss_edition);

# ---------------------------------------------------------------------------
# EPSS
# ---------------------------------------------------------------------------

# Writes a day's scores: of so many in a thousand both numbers are others than on day 0.
sub write_day
{
    my ($name, $changed) = @_;

    open(my $file, '>', "$ENV{TMPDIR}/$name.csv") or die "$name: $!\n";
    print $file "#model_version:v2031.01.01,score_date:2031-01-01T00:00:00+0000\ncve,epss,percentile\n";
    foreach my $number (0 .. $SCORES - 1)
    {
        my $seed = $number * 7919 % 99991 + ($number * 31 % 1000 < $changed ? 1 : 0);

        printf $file "CVE-%d-%04d,0.%05d,0.%05d\n", 2000 + $number / 11250, 1 + $number % 11250, $seed, $seed;
    }
    close($file) or die "$name: $!\n";
}

sub set_day
{
    my ($name) = @_;

    query("UPDATE clair.updater SET url = 'file://$ENV{TMPDIR}/$name.csv' WHERE name = 'epss'");
}

sub update
{
    my ($changed) = @_;
    my $got = query("SELECT added + changed FROM clair.update('epss')");

    $got eq $changed or die "the update wrote $got rows instead of $changed\n";
}

sub forget_all
{
    query('DROP EXTENSION IF EXISTS clair CASCADE');
    query('CREATE EXTENSION clair');
    set_day('first');
    query('CHECKPOINT');
}

my $POSTMASTER = postmaster();

# Wall seconds and CPU seconds, worker and helpers included, in a session that is as new as a worker is.
sub cost
{
    my ($function) = @_;

    reconnect();
    my $backend = backend();
    my $before  = cpu_of($POSTMASTER) + cpu_of($backend);
    my $seconds = timed($function);
    return { wall => $seconds, cpu => cpu_of($POSTMASTER) + cpu_of($backend) - $before };
}

sub from_nothing
{
    my ($function) = @_;

    forget_all();
    return cost($function);
}

write_day(@$_) foreach [ first => 0 ], [ few => 10 ], [ all => 1000 ];
forget_all();
my $peak = peak_of_readers(sub { update($SCORES) });
query("COPY clair.$_ TO '$ENV{TMPDIR}/$_'") foreach @TABLES;

my ($copy, $first) = in_turn(5,
    sub { from_nothing(sub { query(join ';', 'BEGIN', map({ "COPY clair.$_ FROM '$ENV{TMPDIR}/$_'" } @TABLES), 'COMMIT') }) },
    sub { from_nothing(sub { update($SCORES) }) });
foreach my $time ('cpu', 'wall')
{
    show("COPY of a day of EPSS into the indexed tables, $time", 's', map { $_->{$time} } @$copy);
    show("the first day, worker and reader, $time", 's', map { $_->{$time} } @$first);
}
printf "the first day: %.0f scores a second\n", $SCORES / median(map { $_->{wall} } @$first);
result('first day of EPSS, CPU over that of COPY',
    paired(sub { $_[0]{cpu} / $_[1]{cpu} }, $first, $copy), 4, 'x');
result('first day of EPSS, peak memory of the reader', $peak, 64, 'MB');

# A changed day, and back.
sub changed_day
{
    my ($name, $changed) = @_;

    set_day('first');
    query("SELECT clair.update('epss')");
    query('VACUUM clair.epss');
    set_day($name);
    return cost(sub { update($changed) });
}

my ($few, $all) = in_turn(5, sub { changed_day('few', $SCORES / 100) }, sub { changed_day('all', $SCORES) });
foreach my $case ([ 'with few changes', $few, 2 ], [ 'with only changes', $all, 4 ])
{
    my ($name, $costs, $limit) = @$case;

    foreach my $time ('cpu', 'wall')
    {
        show("a day of EPSS $name, $time", 's', map { $_->{$time} } @$costs);
    }
    result("a day of EPSS $name, CPU over that of COPY of all",
        paired(sub { $_[0]{cpu} / $_[1]{cpu} }, $costs, $copy), $limit, 'x');
}

# ---------------------------------------------------------------------------
# NVD
# ---------------------------------------------------------------------------

sub read_nvd
{
    my ($by) = @_;

    return cpu_of_command("$FindBin::Bin/read_nvd", $by, $NVD);
}

system("$FindBin::Bin/nvd_json 1 200 >$NVD") == 0 or die "could not make a feed\n";
my ($reader, $json_c) = in_turn(5, sub { read_nvd('reader') }, sub { read_nvd('json-c') });
show('200 MB of NVD, read and scored, CPU', 's', @$reader);
show('the same records, parsed by json-c, CPU', 's', @$json_c);
printf "NVD: %.0f MB a second of CPU\n", 200 / median(@$reader);
result('reading NVD, CPU over that of json-c', paired(sub { $_[0] / $_[1] }, $reader, $json_c), 1, 'x');
