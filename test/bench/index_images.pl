#!/usr/bin/perl
# Measures how much sooner two workers have indexed two images than one has.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;

my $IMAGE = "$ENV{CLAIR_TEST_DATA}/images/trixie/trixie-slim.full.oci-gzip.tar";
-r $IMAGE or skip("there is no image $IMAGE");

`nproc` > 1 or skip('there is only one processor');

# ---------------------------------------------------------------------------
# Layers of the same content, but none the same
# ---------------------------------------------------------------------------

sub run
{
    my ($command) = @_;

    system($command) == 0 or die "failed: $command\n";
}

# A layer of a file system, with one more file; compressed.
sub layer
{
    my ($root, $number) = @_;
    my $file = "$ENV{TMPDIR}/$number.tar";

    run("echo $number > '$root/number' && tar -cf '$file' -C '$root' . && gzip '$file'");
    return "$file.gz";
}

my $folder = "$ENV{TMPDIR}/image";
mkdir $_ or die "$_: $!\n" foreach $folder, "$folder/root";
run("tar -xf '$IMAGE' -C '$folder'");
my ($largest) = sort { -s $b <=> -s $a } glob "$folder/blobs/sha256/*";
run("tar -xzf '$largest' -C '$folder/root' --exclude='./dev/*' --exclude='dev/*'");
my @layers = map { layer("$folder/root", $_) } 1, 2;
printf "two layers of %.1f MB, compressed\n", (-s $layers[0]) / 1e6;

# ---------------------------------------------------------------------------
# Indexing them
# ---------------------------------------------------------------------------

# Seconds that so many workers take for the images, which are new.
sub seconds_of
{
    my ($workers) = @_;

    query("SET clair.max_index_workers = $workers");
    my $seconds = timed(sub {
        query("SELECT sum(layers_read) FROM clair.index_images(ARRAY['$layers[0]', '$layers[1]'], '{one, two}')") eq '2'
            or die "an image was not indexed\n";
    });
    query("SELECT clair.delete_image('one'), clair.delete_image('two')");
    query('SELECT clair.collect_garbage()');
    return $seconds;
}

seconds_of(2); # once, for the caches
my ($two, $one) = in_turn(7, sub { seconds_of(2) }, sub { seconds_of(1) });
show('clair.index_images of two images, two workers', 's', @$two);
show('one worker', 's', @$one);
result('two images, wall of two workers over that of one', paired(sub { $_[0] / $_[1] }, $two, $one), 0.65, 'x');
