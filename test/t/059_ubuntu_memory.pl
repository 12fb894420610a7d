# Proves that a gigabyte of Ubuntu's OSV records is read in 64 MB, whether they are known or not. (long)
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

my $archive = PostgreSQL::Test::Utils::tempdir() . '/osv-all.tar.zst';

system("'$FindBin::Bin/../bench/ubuntu_osv' 1000 | zstd -q -1 -o '$archive'") == 0
    or die 'could not make an archive';
foreach my $known (1, 0)
{
    my $result = read_update('ubuntu', 'archive', $archive, $known);
    my $what = $known ? 'known' : 'not known';

    is($result->{status}, 0, "read, its records are $what: $result->{rows} rows, $result->{cpu} s of CPU time");
    cmp_ok($result->{peak}, '<', 64, "... in $result->{peak} MB");
}

done_testing();
