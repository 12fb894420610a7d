# Proves that a gigabyte of Red Hat's documents is read in less than 64 MB of memory, whole and when all
# of it is known. (long)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use HelperProcess;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'this takes long' if !$ENV{CLAIR_TEST_LONG};

my $archive = PostgreSQL::Test::Utils::tempdir() . '/csaf_vex_2031-01-01.tar.zst';
my ($documents) = `@{[ HelperProcess::program_path('test/t/csaf_archive') ]} 1000 $archive` =~ /^(\d+) documents/
    or die "there is no archive\n";

# The most memory, in MB, that a process has held so far.
sub peak_of
{
    my ($process) = @_;

    return slurp_file("/proc/$process->{pid}/status") =~ /^VmHWM:\s*(\d+) kB$/m ? $1 / 1024 : die;
}

# Has the archive read: how many rows of each relation came, and the memory that it took.
sub read_archive
{
    my ($known) = @_;
    my $reader = HelperProcess->start(HelperProcess::program_path('clair-reader'));
    my ($peak, %rows) = 0;

    open(my $file, '<', $archive) or die "$archive: $!\n";
    $reader->send_frame('j', [ job => 'update', updater => 'redhat' ]);
    $reader->send_frame('d', [ archive => "https://x/csaf_vex_2031-01-01.tar.zst" ], $file);
    $reader->send_frame('s');
    while (my $frame = $reader->receive(60))
    {
        $rows{ $frame->{tag} }++ if $frame->{type} eq 'R';
        $peak = peak_of($reader) if $frame->{type} eq 'K' || $frame->{type} eq 'P';
        $reader->send_frame('k', [ ($known ? '' : undef) x @{ $frame->{fields} } ])
            if $frame->{type} eq 'K';
        die "clair-reader failed: $frame->{fields}[1]\n" if $frame->{type} eq 'E';
        last if $frame->{type} eq 'D';
    }
    return ($peak, %rows);
}

my ($peak, %rows) = read_archive(0);
is((grep { $_ == $documents } values %rows), 2, 'each document is a record and a vulnerability');
cmp_ok($peak, '<', 64, sprintf('in %.0f MB', $peak));
($peak, %rows) = read_archive(1);
is(join(' ', values %rows), "$documents 1", 'when they are known, they are records, and there is the state');
cmp_ok($peak, '<', 64, sprintf('in %.0f MB', $peak));

done_testing();
