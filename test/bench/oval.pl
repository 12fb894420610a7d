#!/usr/bin/perl
# Measures reading OVAL: a document of which all is known, and one of which nothing is, in CPU time.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t/lib";

use Bench;
use UpdateReader;

my $DOCUMENT = "$ENV{TMPDIR}/oval.xml";
my $FLOOR    = "$FindBin::Bin/xml_floor";

system("$FindBin::Bin/oracle_oval 100 >$DOCUMENT") == 0 or die "could not make a document\n";
my $size = (-s $DOCUMENT) / 1e6;
printf "document: %.1f MB\n", $size;

my ($peak, $rows) = (0, 0);

sub read_document
{
    my ($known) = @_;
    my $result = read_update('oracle', 'com.oracle.elsa-all.xml', $DOCUMENT, $known);

    ($peak, $rows) = map { $_->[0] > $_->[1] ? $_->[0] : $_->[1] }
        [ $peak, $result->{peak} ], [ $rows, $result->{rows} ];
    return $result->{cpu};
}

my ($floor, $known, $unknown) = in_turn(5, sub { cpu_of_command($FLOOR, $DOCUMENT) },
    sub { read_document(1) }, sub { read_document(0) });
print "$rows rows\n";
show('libxml2 alone', 's', @$floor);
show('a document of which all is known', 's', @$known);
show('a document of which nothing is known', 's', @$unknown);
printf "%.0f MB/s, libxml2 alone %.0f MB/s\n", $size / median(@$unknown), $size / median(@$floor);
result('all known, over libxml2 alone', paired(sub { $_[0] / $_[1] }, $known, $floor), 2.5, 'x');
result('nothing known, over libxml2 alone', paired(sub { $_[0] / $_[1] }, $unknown, $floor), 6, 'x');
result('peak memory of the reader', $peak, 64, 'MB');
