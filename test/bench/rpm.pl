#!/usr/bin/perl
# Measures what reading a large rpm database of each form costs, and storing what is in it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;
use Compress::Raw::Zlib qw(adler32);
use Digest::SHA qw(sha1_hex sha256_hex);
use Fcntl;

# Packages of a database, and how often it is read a run: CPU times come in hundredths of a second.
use constant { PACKAGES => 3000, READS => 5 };

# Tags of a header: what is signed of it, its digests, and the version.
use constant { SIGNED => 63, SHA1 => 269, SHA256 => 273, VERSION => 1001 };

my $IMAGE  = "$ENV{CLAIR_TEST_DATA}/images/rpm/centos8-modular-sqlite.layer.tar.gz";
my $FOLDER = "$ENV{TMPDIR}/rpm";
my $FORMAT = '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM} %{MODULARITYLABEL} %{VENDOR}\n';
my $BACKEND = backend();

-r $IMAGE or skip("there is no image $IMAGE");
system('rpm --version > /dev/null 2>&1') == 0 or skip('there is no rpm');

# ---------------------------------------------------------------------------
# Databases of real headers, each as often as it takes
# ---------------------------------------------------------------------------

sub run
{
    my ($command) = @_;

    system($command) == 0 or die "failed: $command\n";
}

# A header, as rpm exports it, with another version: the first character of it is replaced. What is
# signed in it has its digests beside it, which rpm checks.
sub with_version
{
    my ($header, $character) = @_;
    my ($entries) = unpack('x8 N', $header);
    my $data = 16 + 16 * $entries;
    my %at;

    foreach my $entry (0 .. $entries - 1)
    {
        my ($tag, $type, $offset) = unpack('N3', substr($header, 16 + 16 * $entry, 12));
        $at{$tag} = $data + $offset;
    }
    substr($header, $at{ +VERSION }, 1) = $character;
    my $signed_entries = -unpack('l>', substr($header, $at{ +SIGNED } + 8, 4)) / 16;
    my $signed_bytes   = $at{ +SIGNED } + 16 - $data;
    my $signed = substr($header, 0, 8) . pack('N2', $signed_entries, $signed_bytes)
        . substr($header, 16, 16 * $signed_entries) . substr($header, $data, $signed_bytes);
    substr($header, $at{ +SHA1 },   40) = sha1_hex($signed)   if defined $at{ +SHA1 };
    substr($header, $at{ +SHA256 }, 64) = sha256_hex($signed) if defined $at{ +SHA256 };
    return $header;
}

# So many headers of the image's packages, all different, with eight bytes before each.
sub headers
{
    my (@headers, @many);

    mkdir "$FOLDER/image" or die "$FOLDER/image: $!\n";
    run("tar -xzf '$IMAGE' -C '$FOLDER/image'");
    my $exported = `rpmdb --dbpath '$FOLDER/image/var/lib/rpm' --exportdb`;
    while ($exported ne '')
    {
        my ($entries, $bytes) = unpack('x8 N N', $exported);
        push @headers, substr($exported, 0, 16 + 16 * $entries + $bytes, '');
    }
    push @many, with_version($headers[ @many % @headers ], int(@many / @headers)) while @many < PACKAGES;
    return @many;
}

sub write_sqlite
{
    my ($folder, @headers) = @_;

    open(my $rpmdb, '|-:raw', "rpmdb --dbpath '$folder' --define '_db_backend sqlite' --importdb") or die "rpmdb: $!\n";
    print $rpmdb @headers;
    close($rpmdb) or die "rpmdb failed\n";
    return 'rpmdb.sqlite';
}

# rpm only reads this form any more; but it is Berkeley DB's own, and keys are packages' numbers.
sub write_bdb
{
    my ($folder, @headers) = @_;
    my $number = 0;

    eval { require DB_File; 1 } or return;
    my $info = DB_File::HASHINFO->new;
    $info->{bsize} = 4096;
    tie(my %packages, 'DB_File', "$folder/Packages", O_RDWR | O_CREAT, 0644, $info) or die "Packages: $!\n";
    $packages{ pack('L', ++$number) } = substr($_, 8) foreach @headers;
    $packages{ pack('L', 0) } = pack('L', $number + 1);
    untie %packages;
    return 'Packages';
}

# Distributions build rpm without this form: pages of slots, then records in blocks of 16 bytes.
sub write_ndb
{
    my ($folder, @headers) = @_;
    my $pages  = int((@headers + 2) / 256) + 1;
    my $slots  = pack('a4 V5 x8', 'RpmP', 0, 1, $pages, scalar @headers + 1, 0);
    my $blocks = $pages * 256;
    my $number = 0;

    open(my $file, '>:raw', "$folder/Packages.db") or die "$folder/Packages.db: $!\n";
    seek($file, $blocks * 16, 0);
    foreach my $exported (@headers)
    {
        my $header = substr($exported, 8);
        my $size   = int((length($header) + 16 + 12 + 15) / 16);

        $number++;
        my $record = pack('a4 V3 a*', 'BlbS', $number, 1, length($header), $header);
        $record .= "\0" x ($size * 16 - 12 - length($record));
        print $file $record, pack('V V a4', adler32($record), length($header), 'BlbE');
        $slots .= pack('a4 V3', 'Slot', $number, $blocks, $size);
        $blocks += $size;
    }
    $slots .= pack('a4 x12', 'Slot') while length($slots) < $pages * 4096;
    seek($file, 0, 0);
    print $file $slots;
    close($file) or die "$folder/Packages.db: $!\n";
    return 'Packages.db';
}

# A layer with a database in it, or with none; not compressed.
sub layer
{
    my ($name, $database) = @_;
    my $root = "$FOLDER/$name.layer";

    run("mkdir -p '$root/etc' '$root/var/lib/rpm'");
    run("cp '$FOLDER/image/etc/os-release' '$root/etc'");
    run("cp '$database' '$root/var/lib/rpm'") if defined $database;
    run("tar -cf '$root.tar' -C '$root' etc var");
    return "$root.tar";
}

# ---------------------------------------------------------------------------
# Reading them
# ---------------------------------------------------------------------------

# CPU seconds of the reader and of the backend for indexing a layer that is new.
sub cpu_of_indexing
{
    my ($layer, $packages) = @_;
    my ($reader, $backend) = (0, 0);

    foreach (1 .. READS)
    {
        my $before = cpu_of_children($BACKEND);
        my $all    = cpu_of($BACKEND);

        query("SELECT features FROM clair.index_image('$layer', 'bench')") eq $packages or die "packages are missing\n";
        $reader  += cpu_of_children($BACKEND) - $before;
        $backend += cpu_of($BACKEND) - $all - (cpu_of_children($BACKEND) - $before);
        query("SELECT clair.delete_image('bench'); SELECT clair.collect_garbage()");
    }
    return [ $reader, $backend ];
}

sub rpm_command
{
    my ($folder, $backend) = @_;

    return ('sh', '-c', "for i in \$(seq @{[READS]}); do rpm -qa --qf '$FORMAT' --dbpath '$folder'"
        . " --define '_db_backend $backend' 2> /dev/null || exit 1; done");
}

mkdir $FOLDER or die "$FOLDER: $!\n";
my @headers = headers();
my $none    = layer('none');

foreach my $form ([ sqlite => \&write_sqlite, 'sqlite' ], [ ndb => \&write_ndb, 'sqlite' ], [ bdb => \&write_bdb, 'bdb_ro' ])
{
    my ($name, $write, $backend) = @$form;
    my $folder = "$FOLDER/$name";

    mkdir $folder or die "$folder: $!\n";
    my $file = $write->($folder, @headers);
    if (!defined $file)
    {
        print "# SKIP: $name: there is no DB_File of Perl to write it\n";
        next;
    }
    my $listed = () = `rpm -qa --dbpath '$folder' --define '_db_backend $backend' 2> /dev/null`;
    $name eq 'ndb' || $listed == PACKAGES or die "rpm lists $listed packages of $name\n";
    my @rpm   = rpm_command($name eq 'ndb' ? "$FOLDER/sqlite" : $folder, $backend);
    my $layer = layer($name, "$folder/$file");

    # Once, for the caches of all.
    cpu_of_indexing($layer, PACKAGES);
    cpu_of_command(@rpm);
    my ($read, $empty, $rpm) = in_turn(5, sub { cpu_of_indexing($layer, PACKAGES) },
        sub { cpu_of_indexing($none, 0) }, sub { cpu_of_command(@rpm) });
    my @reader  = map { $read->[$_][0] - $empty->[$_][0] } 0 .. $#$read;
    my @backend = map { $read->[$_][1] - $empty->[$_][1] } 0 .. $#$read;
    show("$name: clair-reader, @{[READS]} times @{[PACKAGES]} packages", 'CPU s', @reader);
    show("$name: the server, storing them as often", 'CPU s', @backend);
    show("$name: rpm -qa, as often", 'CPU s', @$rpm);
    result("$name: reading, CPU over that of rpm -qa", paired(sub { $_[0] / $_[1] }, \@reader, $rpm), 2, 'x');
    result("$name: reading and storing, CPU over that of rpm -qa",
        paired(sub { $_[0] / $_[1] }, [ map { $reader[$_] + $backend[$_] } 0 .. $#reader ], $rpm), 2, 'x');
}
