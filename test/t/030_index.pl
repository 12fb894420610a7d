# Proves that real images, in every form they come in, are indexed into exactly the features that
# the distributions' own tools list; and what becomes of names, transactions, sessions and garbage.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $IMAGES = test_data('images') or plan skip_all => 'there are no test data';
my $HOSTILE = test_data('hostile');
$IMAGES = abs_path($IMAGES);

my $node   = start_server('index');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# ---------------------------------------------------------------------------
# What an image should have, and what it has
# ---------------------------------------------------------------------------

# Name, version, source, its version and architecture of each feature, tab-separated.
sub features_of
{
    my ($image) = @_;

    return query($session, "SELECT concat_ws(E'\\t', name, version, source_name, source_version,"
        . " architecture) FROM clair.features('$image')");
}

# The same of a list as dpkg-query prints it: an empty source has the package's name, and one that
# has its version beside it has a column for that, too.
sub dpkg_list
{
    my @lines;

    foreach (@_)
    {
        my ($name, $version, $source, $source_version, $architecture, $status) = split /\t/;
        $source =~ s/ \(.*\)$//;
        push @lines, join("\t", $name, $version, $source || $name, $source_version, $architecture)
            if $status eq 'installed';
    }
    return @lines;
}

# And of apk's database.
sub apk_list
{
    my ($database) = @_;
    my @lines;

    foreach my $stanza (split /\n\n+/, $database)
    {
        my %field = $stanza =~ /^([PVoA]):(.*)$/mg;
        next if !defined $field{V};
        push @lines, join("\t", $field{P}, $field{V}, $field{o} // $field{P}, $field{V}, $field{A});
    }
    return @lines;
}

sub lines_of
{
    my ($file) = @_;

    return split /\n/, slurp_file($file);
}

# Indexes a file under a name; the row of clair.index_image() as a hash.
sub index_image
{
    my ($path, $name, @arguments) = @_;
    my @columns = qw(image name digest platform namespace status layers layers_read databases features);
    my %row;

    @row{@columns} = split /\|/, scalar query($session, "SELECT * FROM clair.index_image("
        . join(', ', "'$path'", defined $name ? "'$name'" : 'NULL', @arguments) . ')'), -1;
    return \%row;
}

# ---------------------------------------------------------------------------
# Real images in all their forms
# ---------------------------------------------------------------------------

my %NAMESPACE = (
    bookworm => 'debian:12',
    trixie   => 'debian:13',
    sid      => 'debian:unstable',
    jammy    => 'ubuntu:22.04',
);

foreach my $suite (sort keys %NAMESPACE)
{
    my @layers = map { [ lines_of("$IMAGES/$suite/expected.layer$_.tsv") ] } 1 .. 3;
    my @expected = dpkg_list(@{ $layers[2] });
    my $count    = @expected;
    my $layout   = "$folder/$suite";
    my %form     = map { $_ => "$IMAGES/$suite/$suite.$_" } qw(docker.tar.gz oci-gzip.tar oci-zstd.tar);

    mkdir $layout;
    system_or_bail('tar', '-xf', $form{'oci-gzip.tar'}, '-C', $layout);
    system_or_bail("gzip -dc $form{'docker.tar.gz'} > $folder/$suite.docker.tar");
    system_or_bail("gzip -1c $form{'oci-zstd.tar'} > $folder/$suite.oci.tar.gz");
    $form{'docker.tar'} = "$folder/$suite.docker.tar";
    $form{'oci.tar.gz'} = "$folder/$suite.oci.tar.gz";
    $form{directory}    = $layout;

    my %forms;
    foreach my $form (sort keys %form)
    {
        my $row = index_image($form{$form}, "$suite:$form");

        is("$row->{namespace} $row->{platform} $row->{layers} $row->{databases} $row->{features}",
            "$NAMESPACE{$suite} linux/amd64 3 1 $count", "$suite as $form");
        same_lines([ features_of("$suite:$form") ], \@expected, "$suite as $form: its features");
        push @{ $forms{ $row->{digest} } }, $form;
        is(index_image($form{$form}, "$suite:$form")->{layers_read}, 0,
            "$suite as $form, once more: no layer is read");
    }
    # The one with zstd was built on its own, with a config of its own.
    is(join('; ', sort map { join ' ', @$_ } values %forms),
        'directory docker.tar docker.tar.gz oci-gzip.tar; oci-zstd.tar oci.tar.gz',
        "$suite: all forms of an image are one");

    # The second layer installs packages, the third removes some.
    my %base = map { $_ => 1 } dpkg_list(@{ $layers[0] });
    same_lines([ query($session, <<"SQL") ],
SELECT concat_ws(E'\\t', f.name, f.version, f.source_name, f.source_version, f.architecture)
FROM clair.features('$suite:directory') AS f
    JOIN clair.image_layer AS layer ON layer.layer = f.introduced_by
        AND layer.command IS NOT DISTINCT FROM f.command
WHERE layer.image_id = clair.image_id('$suite:directory') AND layer.position = 2
SQL
        [ grep { !$base{$_} } @expected ], "$suite: what its second layer introduced");
    is(query($session, "SELECT count(*) FROM clair.features('$suite:directory') AS f"
        . ' JOIN clair.image_layer AS layer ON layer.layer = f.introduced_by AND layer.position = 1'
        . " WHERE layer.image_id = clair.image_id('$suite:directory')"),
        scalar(grep { $base{$_} } @expected), "$suite: the rest is its first layer's");
}
is(query($session, 'SELECT count(*) FROM clair.image'), 8, 'eight images in 24 archives');
is(query($session, "SELECT count(*) FROM clair.features('jammy:directory') WHERE command <> ''"),
    query($session, "SELECT count(*) FROM clair.features('jammy:directory')"),
    'the command of each layer is known');

{
    my $row = index_image("$IMAGES/alpine/alpine-310.tar.gz");
    my @expected = map { my ($name, $version, $origin, $architecture) = split /\t/;
        join("\t", $name, $version, $origin, $version, $architecture) }
        lines_of("$IMAGES/alpine/expected.alpine-310.tsv");

    is("$row->{name} $row->{namespace} $row->{status}", 'alpine:3.10 alpine:v3.10 ok',
        'alpine-310 has its name from the archive');
    same_lines([ features_of('alpine:3.10') ], \@expected, 'alpine-310: its features');
}

{
    my $file = "$IMAGES/bookworm/bookworm.aci";
    my $row = index_image($file);
    my ($digest) = split / /, `gzip -dc $file | sha512sum`;

    is("$row->{name} $row->{digest} $row->{platform} $row->{namespace} $row->{status}",
        "example.com/bookworm:latest sha512:$digest linux/amd64 debian:12 ok",
        'an appc image: its name is its manifest\'s, its id the digest of its tar');
    same_lines([ features_of("sha512:$digest") ],
        [ dpkg_list(lines_of("$IMAGES/bookworm/expected.layer3.tsv")) ], 'an appc image: its features');
    system_or_bail("gzip -dc $file > $folder/bookworm.aci");
    is(index_image("$folder/bookworm.aci")->{image}, $row->{image}, 'not compressed, it is the same');
    is(index_image($file)->{layers_read}, 0, 'once more: it is known');
}

{
    my $row = index_image("$IMAGES/trixie/trixie-slim.full.oci-gzip.tar", 'slim');

    is("$row->{namespace} $row->{status} $row->{layers_read}", 'debian:13 ok 3',
        'an image of full size');
    same_lines([ features_of('slim') ], [ dpkg_list(lines_of("$IMAGES/trixie/expected.layer3.tsv")) ],
        'an image of full size: its features');
}

# ---------------------------------------------------------------------------
# Bare layers
# ---------------------------------------------------------------------------

SKIP:
{
    if (system('dpkg-query --version > /dev/null 2>&1') != 0)
    {
        note('SKIP: the layers of wheezy and jessie are not compared: there is no dpkg-query');
        skip 'there is no dpkg-query', 4;
    }
    foreach my $suite ([ wheezy => 'debian:7' ], [ jessie => 'debian:8' ])
    {
        my ($name, $namespace) = @$suite;
        my $file = "$IMAGES/clair2-DistUpgrade/$name.tar.gz";
        my $row  = index_image($file, $name);
        my $root = "$folder/$name";
        my $format = join '\t', map { "\${$_}" } qw(Package Version source:Package source:Version
            Architecture db:Status-Status);

        mkdir $root;
        system_or_bail('tar', '-xf', $file, '-C', $root, './var/lib/dpkg/status');
        is("$row->{namespace} $row->{platform} $row->{layers}", "$namespace unknown 1",
            "$name, a bare layer");
        same_lines([ features_of($name) ], [ dpkg_list(split /\n/, scalar
            `dpkg-query --admindir=$root/var/lib/dpkg -W -f '$format\\n'`) ],
            "$name: its features are those of dpkg-query");
    }
}
is(index_image("$IMAGES/clair2-DistUpgrade/blank.tar.gz")->{status}, 'no_package_database',
    'a layer without packages says so');

foreach my $layer ([ 'alpine-310-openssl111c', 'alpine:v3.10' ], [ 'alpine-clair2-installed', 'alpine:v3.4' ])
{
    my ($name, $namespace) = @$layer;
    my $file = "$IMAGES/rebuilt/$name.layer.tar.gz";

    is(index_image($file, $name)->{namespace}, $namespace, $name);
    same_lines([ features_of($name) ], [ apk_list(scalar `tar -xzOf $file lib/apk/db/installed`) ],
        "$name: its features");
}

{
    my $row = index_image("$IMAGES/rebuilt/debian-buster.layer.tar.gz", 'buster');
    my (undef, @expected) = lines_of(abs_path("$IMAGES/../truth/packages/debian-buster.tsv"));

    is($row->{namespace}, 'debian:10', 'debian-buster, rebuilt');
    same_lines([ features_of('buster') ],
        [ map { join "\t", (split /\t/)[ 0 .. 4 ] } @expected ], 'debian-buster: its features');
}

# ---------------------------------------------------------------------------
# Bytes, platforms, and how an image is named
# ---------------------------------------------------------------------------

my $archive = "$IMAGES/jammy/jammy.oci-gzip.tar";
my $jammy   = query($session, "SELECT clair.image_id('jammy:directory')");

is(query($session, "SELECT image, layers_read FROM clair.index_image(pg_read_binary_file('$archive'))"),
    "$jammy|0", 'the bytes of an archive are the same image');
{
    my $digest   = query($session, "SELECT digest FROM clair.image WHERE id = $jammy");
    my ($manifest) = slurp_file("$folder/jammy/index.json") =~ /"digest":"(sha256:[0-9a-f]{64})"/;

    foreach my $argument ($jammy, "$jammy ", $digest, $manifest, 'jammy:oci-gzip.tar')
    {
        my $is_known = $argument !~ / /;
        like(outcome($session, "SELECT * FROM clair.features('$argument')"),
            $is_known ? qr/^ok$/ : qr/^42704: image "\Q$argument\E" does not exist\nHINT: An image is its number/,
            "an image named \"$argument\"");
    }
    is(query($session, "SELECT image_id FROM clair.manifest WHERE digest = '$manifest'"), $jammy,
        'a manifest points to its image');
}
foreach my $name ('', '123', 'sha256:abc', 'sha512:')
{
    like(outcome($session, "SELECT clair.index_image('$archive', '$name')"),
        qr/^42602: invalid image name: "$name"\nDETAIL: /, "no name: \"$name\"");
}
like(outcome($session, "SELECT clair.index_image('$folder')"), qr/^[0-9A-Z]{5}: .*index\.json/,
    'a directory that is no layout');
like(outcome($session, "SELECT clair.index_image('$folder/nothing')"),
    qr/^58P01: could not open "\Q$folder\E\/nothing": No such file or directory$/, 'no file');
like(outcome($session, "SELECT clair.index_image('$archive', platform => 'linux/s390x')"),
    qr{^42704: no image for platform "linux/s390x"\nDETAIL: There are images for linux/amd64\.\nHINT: },
    'an image for another platform');
is(outcome($session, 'SELECT clair.index_image(NULL::text)'), 'ok', 'nothing is nothing');

# Two images in one archive, each for a platform of its own.
my $two = "$folder/two";
{
    my @descriptors;

    mkdir $two;
    foreach my $suite (qw(bookworm jammy))
    {
        system_or_bail('cp', '-r', "$folder/$suite/.", $two);
        my ($descriptor) = slurp_file("$folder/$suite/index.json") =~ /"manifests":\[(.*)\]/;
        my $architecture = $suite eq 'jammy' ? 'arm64' : 'riscv64';
        push @descriptors,
            $descriptor =~ s/\}$/,"platform":{"os":"linux","architecture":"$architecture"}}/r;
    }
    unlink "$two/index.json";
    append_to_file("$two/index.json", '{"schemaVersion":2,"manifests":[' . join(',', @descriptors) . ']}');
}
is(query($session, "SELECT string_agg(namespace, ' ' ORDER BY namespace)"
    . " FROM clair.index_image('$two', platform => 'all')"), 'debian:12 ubuntu:22.04',
    'all images of an archive');
is(query($session, "SELECT namespace FROM clair.index_image('$two', 'arm', platform => 'linux/arm64')"),
    'ubuntu:22.04', 'that of one platform');
like(outcome($session, "SELECT clair.index_image('$two')"),
    qr{^\w{5}: .*platform.*\nDETAIL: There are images for .*linux/arm64}, 'none for this server');
like(outcome($session, "SELECT clair.index_image('$two', 'both', 'all')"),
    qr{^22023: one name cannot be given to the 2 images of the archive\nDETAIL: The archive has .*linux/.*, .*linux/.*\nHINT: },
    'one name for two images');

# ---------------------------------------------------------------------------
# Names that move, and what is left behind
# ---------------------------------------------------------------------------

query($session, 'DELETE FROM clair.image');
is(query($session, 'SELECT images, layers > 0, databases > 0 FROM clair.collect_garbage()'), '0|t|t',
    'what no image has is collected');
is(row_count($session), 0, 'and nothing is left');

index_image("$IMAGES/alpine/alpine-310.tar.gz", 'other');
my $first = index_image($archive, 'web');
my $unnamed = index_image("$IMAGES/clair2-DistUpgrade/blank.tar.gz");
my $second = index_image("$IMAGES/sid/sid.oci-gzip.tar", 'web');
is(query($session, "SELECT clair.image_id('web')"), $second->{image}, 'a name moves to another image');
is(query($session, "SELECT count(*) FROM clair.features('$first->{digest}')"), $first->{features},
    'the former one stays');
is(query($session, 'SELECT images, databases FROM clair.collect_garbage()'), '1|3',
    'until garbage is collected');
is(query($session, 'SELECT count(*) FROM clair.image'), 3, 'which takes no other image');
index_image($archive, 'web');
is(index_image("$IMAGES/sid/sid.oci-gzip.tar", 'again')->{image}, $second->{image},
    'a former image under a new name is no garbage');
is(query($session, 'SELECT images FROM clair.collect_garbage()'), 0, 'indeed');
is(query($session, "SELECT clair.delete_image('again')"), $second->{image}, 'an image is deleted');
like(outcome($session, "SELECT clair.delete_image('again')"), qr/^42704: image "again" does not exist/,
    'only once');
query($session, "SELECT clair.delete_image(image) FROM unnest(ARRAY['web', 'other',"
    . " '$unnamed->{digest}']) AS image; SELECT clair.collect_garbage()");
is(row_count($session), 0, 'all images deleted, garbage collected: nothing is left');

# ---------------------------------------------------------------------------
# Transactions and sessions
# ---------------------------------------------------------------------------

query($session, "BEGIN; SELECT clair.index_image('$archive', 'web')");
is(query($session, "SELECT count(*) FROM clair.features('web')"), $first->{features},
    'a transaction sees what it has indexed');
query($session, 'ROLLBACK');
is(row_count($session), 0, 'when it is rolled back, nothing is there');

{
    my ($other, $pid) = session($node);

    query($session, "BEGIN; SELECT clair.index_image('$archive')");
    $other->query_until(qr/started/, "\\echo started\n"
        . "SELECT 'read ' || layers_read FROM clair.index_image('$archive');\n");
    ok($node->poll_query_until('postgres',
        "SELECT count(*) = 1 FROM pg_locks WHERE pid = $pid AND locktype = 'advisory' AND NOT granted"),
        'a session waits for the one that reads the same layers');
    query($session, 'COMMIT');
    like($other->query('SELECT 1'), qr/read 0/, 'and need not read them');
    $other->quit;
    query($session, "SELECT clair.delete_image('$first->{digest}'); SELECT clair.collect_garbage()");
}

# Sessions that index the same archives, each in an order of its own.
{
    my @archives = map { my $suite = $_; map { "$IMAGES/$suite/$suite.$_" } qw(docker.tar.gz oci-gzip.tar oci-zstd.tar) }
        sort keys %NAMESPACE;
    my (@sessions, $read);

    foreach my $number (0 .. 3)
    {
        my ($other) = session($node);
        my @order = @archives[ map { ($_ * (5, 7, 1, 11)[$number] + $number) % @archives } 0 .. $#archives ];
        $other->query_until(qr/started/, "\\echo started\n" . join('', map {
            "SELECT 'read ' || layers_read FROM clair.index_image('$_', 'n' || (random() * 3)::integer);\n" }
            @order));
        push @sessions, $other;
    }
    foreach my $other (@sessions)
    {
        my $rows = $other->query('SELECT 1');
        is($other->{stderr}, '', 'a session of many');
        $read += $_ foreach $rows =~ /read (\d+)/g;
        $other->quit;
    }
    is($read, query($session, 'SELECT count(*) FROM clair.layer_blob'),
        'all of them together read each layer once');
    is(query($session, 'SELECT count(*) FROM clair.image'), 8, 'and have eight images');
}

# A layer whose package database is seen in one image and not in another: by a link, which the other
# replaces by a file. That the layer is known must not hide what it says.
{
    query($session, slurp_file("$FindBin::Bin/../fixtures/archive.sql"));
    query($session, <<'SQL');
CREATE TEMPORARY TABLE made AS
SELECT pg_temp.docker('linked:1', base) AS linked,
    pg_temp.docker('replaced:1', base, pg_temp.tar(
        pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1.2')))) AS replaced
FROM pg_temp.tar(pg_temp.debian(), pg_temp.link('var/lib/dpkg/status', '/opt/status'),
    pg_temp.file('opt/status', pg_temp.dpkg_status('bash 5.2'))) AS base;
SELECT clair.index_image(replaced) FROM made;
SQL
    is(query($session, "SELECT string_agg(name, ' ') FROM clair.features('replaced:1')"), 'zlib',
        'a link that was replaced');
    query($session, 'SELECT clair.index_image(linked) FROM made');
    is(query($session, "SELECT string_agg(name, ' ') FROM clair.features('linked:1')"), 'bash',
        'the link of the same layer, when it is there');
    query($session, "SELECT clair.delete_image('linked:1'); SELECT clair.collect_garbage()");
    query($session, 'SELECT clair.index_image(linked) FROM made');
    is(query($session, "SELECT string_agg(name, ' ') FROM clair.features('linked:1')"), 'bash',
        'and when no image has shown it for a while');
}

$session->quit;
$node->stop;

done_testing();
