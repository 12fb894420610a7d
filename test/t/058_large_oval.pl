# Proves that a document of OVAL of 1 GB is read in 64 MB, or, with its tests, in 128 MB, whether its definitions
# are known or not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use HelperProcess;
use PostgreSQL::Test::Utils;
use Test::More;
use UpdateReader;

plan skip_all => 'takes long: see make check-long' unless $ENV{CLAIR_TEST_LONG};
plan skip_all => 'there is no clair-reader to start' unless HelperProcess::program_path('clair-reader');

my $document = PostgreSQL::Test::Utils::tempdir() . '/oval.xml';

# What a document leans on is kept: of Oracle's nothing but the names of definitions, of SUSE's its tests.
foreach ([ 'oracle', 'com.oracle.elsa-all.xml', 1000, 64 ], [ 'suse', 'suse.linux.enterprise.15.xml', 1100, 128 ])
{
    my ($updater, $name, $megabytes, $limit) = @$_;

    system("'$FindBin::Bin/../bench/${updater}_oval' $megabytes >'$document'") == 0 or die 'could not make a document';
    cmp_ok(-s $document, '>=', 1_000_000_000, "$updater: a document of " . -s $document);
    foreach my $known (1, 0)
    {
        my $result = read_update($updater, $name, $document, $known);
        my $what = $known ? 'known' : 'not known';

        is($result->{status}, 0, "read, its definitions are $what: $result->{rows} rows, $result->{cpu} s of CPU time");
        cmp_ok($result->{peak}, '<', $limit, "... in $result->{peak} MB");
    }
}

done_testing();
