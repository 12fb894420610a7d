#!/usr/bin/perl
# Measures what indexing a real image costs, for the first time, when its layers are known, and when a
# detector reads some of its files.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;
use List::Util qw(max);

# Images a run: CPU times come in hundredths of a second.
use constant IMAGES => 3;

my $IMAGE = "$ENV{CLAIR_TEST_DATA}/images/trixie/trixie-slim.full.oci-gzip.tar";
-r $IMAGE or skip("there is no image $IMAGE");

my $READER = "$ENV{CLAIR_HELPERS}/clair-reader";
my $WITH_ISAL = `ldd '$READER'` =~ /libisal/;
my $BACKEND = backend();

# The image's layers, as gzip finds them.
sub layers
{
    my $folder = "$ENV{TMPDIR}/layers";

    mkdir $folder or die "$folder: $!\n";
    system('tar', '-xf', $IMAGE, '-C', $folder) == 0 or die "could not unpack $IMAGE\n";
    return grep
    {
        open(my $file, '<:raw', $_) or die "$_: $!\n";
        read($file, my $magic, 2);
        $magic eq "\x1f\x8b";
    } glob "$folder/blobs/sha256/*";
}

sub index_image
{
    my ($layers_read) = query("SELECT layers_read FROM clair.index_image('$IMAGE', 'bench')");

    return $layers_read;
}

sub forget_image
{
    query("SELECT clair.delete_image('bench')");
    query('SELECT clair.collect_garbage()');
}

# CPU seconds of the backend and its reader for images that are new.
sub cpu_of_indexing
{
    my $spent = 0;

    foreach (1 .. IMAGES)
    {
        my $before = cpu_of($BACKEND);
        index_image() == @_ or die "layers were known\n";
        $spent += cpu_of($BACKEND) - $before;
        forget_image();
    }
    return $spent;
}

my @layers = layers();
printf "image: %d layers, %.1f MB; inflated with %s\n", scalar @layers, (-s $IMAGE) / 1e6,
    $WITH_ISAL ? 'isa-l' : 'zlib';

# Once, for the caches of both.
cpu_of_indexing(@layers);
cpu_of_command('gzip', '-dc', @layers);

my ($new, $gzip) = in_turn(5, sub { cpu_of_indexing(@layers) },
    sub { cpu_of_command('gzip', '-dc', (@layers) x IMAGES) });
show("clair.index_image of @{[IMAGES]} new images, backend and reader", 'CPU s', @$new);
show('gzip -dc of their layers', 'CPU s', @$gzip);
result('new layers, CPU over that of gzip -dc', paired(sub { $_[0] / $_[1] }, $new, $gzip),
    $WITH_ISAL ? 0.75 : 1, 'x');

# A detector as simple as they come, for the files that dpkg keeps of each package.
query('CREATE FUNCTION md5_of(path text, content bytea) RETURNS TABLE (name text, version text)'
    . " LANGUAGE sql IMMUTABLE AS \$\$ SELECT path, '0' || md5(content) \$\$");
my $files;
my ($without, $with) = in_turn(5, sub { cpu_of_indexing(@layers) }, sub {
    query("SELECT clair.create_detector('md5', 'md5_of(text, bytea)', '{var/lib/dpkg/info/*}', 'dpkg', 'file:1')");
    my $spent = cpu_of_indexing(@layers);
    index_image();
    ($files) = query("SELECT count(*) FROM clair.features('bench') WHERE namespace = 'file:1'");
    query("SELECT clair.drop_detector('md5')");
    forget_image();
    return $spent;
});
show("the same with a detector for $files files", 'CPU s', @$with);
result('a detector, CPU ms for each file',
    paired(sub { ($_[1] - $_[0]) * 1000 / (IMAGES * $files) }, $without, $with), 0.6, 'ms');

# The 30 ms are for what does not depend on the size: a process, a transaction.
index_image();
index_image() == 0 or die "layers were not known\n";
my ($known, $openssl) = in_turn(11, sub { timed(\&index_image) },
    sub { timed(sub { cpu_of_command('openssl', 'dgst', '-sha256', $IMAGE) }) });
show('clair.index_image of known layers', 's', @$known);
show('openssl dgst -sha256 of the file', 's', @$openssl);
result('known layers, wall less 30 ms over openssl dgst',
    paired(sub { ($_[0] - 0.030) / $_[1] }, $known, $openssl), 2, 'x');

forget_image();
my ($peaks) = in_turn(5, sub { peak_of_readers(sub { index_image(); forget_image() }) });
show('peak memory of the reader', 'MB', @$peaks);
result('new layers, peak memory of the reader', max(@$peaks), 32, 'MB');
