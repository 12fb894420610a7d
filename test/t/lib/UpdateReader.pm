# UpdateReader: has clair-reader read the document of an update, without a server.
package UpdateReader;

use strict;
use warnings;

use Exporter qw(import);
use HelperProcess;
use Time::HiRes qw(time);

our @EXPORT = qw(read_update);

# The greatest resident memory, in MB, that a process has had so far.
sub peak_of
{
    my ($pid) = @_;

    open(my $status, '<', "/proc/$pid/status") or return 0;
    return join('', <$status>) =~ /^VmHWM:\s*(\d+) kB$/m ? $1 / 1024 : 0;
}

# Reads a document that is a file, under a name. Known: whether the reader is told that all records
# are known; options: of an updater of the user's own. What came: rows, and what the reader took: cpu
# in seconds, peak in MB.
sub read_update
{
    my ($updater, $name, $path, $known, $options) = @_;
    my (undef, undef, @before) = times();
    my %result = (rows => 0, peak => 0);
    open(my $file, '<:raw', $path) or die "$path: $!\n";

    my $reader = HelperProcess->start(HelperProcess::program_path('clair-reader'));
    $reader->send_frame('j', [ job => 'update', updater => $updater, options => $options ]);
    $reader->send_frame('d', [ $name => 'file:///' ], $file);
    $reader->send_frame('s');
    while (my $frame = $reader->receive(300))
    {
        $result{rows}++ if $frame->{type} eq 'R';
        if ($frame->{type} eq 'K')
        {
            $result{peak} = peak_of($reader->{pid});
            $reader->send_frame('k', [ ($known ? '' : undef) x @{ $frame->{fields} } ]);
        }
        die "clair-reader failed: $frame->{fields}[1]\n" if $frame->{type} eq 'E';
        last if $frame->{type} eq 'D';
    }
    $result{status} = $reader->ended(10);
    my (undef, undef, @after) = times();
    $result{cpu} = $after[0] + $after[1] - $before[0] - $before[1];
    return \%result;
}

1;
