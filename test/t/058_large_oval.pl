# Proves that a document of OVAL of 1 GB is read in 64 MB, whether its definitions are known or not.
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

system("'$FindBin::Bin/../bench/oracle_oval' 1000 >'$document'") == 0 or die 'could not make a document';
cmp_ok(-s $document, '>=', 1_000_000_000, 'a document of ' . -s $document);
foreach my $known (1, 0)
{
    my $result = read_update('oracle', 'com.oracle.elsa-all.xml', $document, $known);
    my $what = $known ? 'known' : 'not known';

    is($result->{status}, 0, "read, its definitions are $what: $result->{rows} rows, $result->{cpu} s of CPU time");
    cmp_ok($result->{peak}, '<', 64, "... in $result->{peak} MB");
}

done_testing();
