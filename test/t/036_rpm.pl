# Proves that images with rpm databases of every form are indexed into exactly what rpm lists; which
# of several databases counts; and that damaged databases give a part of it, and the reason.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Copy qw(copy);
use File::Path qw(make_path);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $IMAGES = test_data('images/rpm') or plan skip_all => 'there are no test data';
my $HOSTILE = abs_path(test_data('hostile'));
$IMAGES = abs_path($IMAGES);

my $node   = start_server('rpm');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# ---------------------------------------------------------------------------
# What an image should have, and what it has; images made for the purpose
# ---------------------------------------------------------------------------

# Name, version, source, its version, architecture and module of what rpm listed.
sub expected_features
{
    my ($image) = @_;
    my (undef, @rows) = split /\n/, slurp_file("$IMAGES/$image.expected.tsv");
    my @lines;

    foreach my $row (@rows)
    {
        my ($name, $epoch, $version, $release, $architecture, $source, $label) = split /\t/, $row;
        next if $name eq 'gpg-pubkey';
        my $evr = ($epoch ? "$epoch:" : '') . "$version-$release";
        my ($source_name, $source_version) = $source =~ /^(.+)-([^-]+-[^-]+)\.src\.rpm$/;
        my ($module) = ($label // '') =~ /^([^:]+:[^:]+):/;
        push @lines, join("\t", $name, $evr, $source_name, $source_version, $architecture, $module // '');
    }
    return @lines;
}

sub features_of
{
    my ($image) = @_;

    return query($session, "SELECT concat_ws(E'\\t', name, version, source_name, source_version,"
        . " architecture, COALESCE(module, '')) FROM clair.features('$image')");
}

# The problems of an image.
sub problems_of
{
    my ($image) = @_;

    return query($session, 'SELECT place, reason FROM clair.image_problem'
        . " WHERE image_id = clair.image_id('$image') ORDER BY number");
}

my $made = 0;

# An archive of layers: each a list of paths and contents, undef for a folder, and \'...' for a link.
sub archive
{
    my (@layers) = @_;
    my $archive = "$folder/" . ++$made;
    my (@files, @digests);

    make_path($archive);
    foreach my $layer (@layers)
    {
        my $root = "$archive/root" . @files;
        my @entries = @$layer;
        make_path($root);
        while (my ($path, $content) = splice(@entries, 0, 2))
        {
            make_path("$root/" . $path =~ s{/?[^/]*$}{}r);
            if (ref $content) { symlink($$content, "$root/$path") or die "symlink: $!" }
            else { append_to_file("$root/$path", $content) }
        }
        my $file = 'layer' . @files . '.tar';
        system_or_bail('tar', '--sort=name', '-cf', "$archive/$file", '-C', $root,
            map { s{.*/}{}r } glob "$root/*");
        push @digests, '"sha256:' . sha256_hex(slurp_file("$archive/$file")) . '"';
        push @files, $file;
    }
    append_to_file("$archive/config.json", '{"architecture":"amd64","os":"linux","rootfs":'
        . '{"type":"layers","diff_ids":[' . join(',', @digests) . ']}}');
    append_to_file("$archive/manifest.json", '[{"Config":"config.json","RepoTags":["made:' . $made
        . '"],"Layers":[' . join(',', map { "\"$_\"" } @files) . ']}]');
    system_or_bail('tar', '-cf', "$archive.tar", '-C', $archive, 'manifest.json', 'config.json', @files);
    return "$archive.tar";
}

# Indexes it; the name of the image.
sub index_layers
{
    my (@layers) = @_;
    my $file = archive(@layers);

    query($session, "SELECT clair.index_image('$file')");
    return "made:$made";
}

# The database of a real image.
sub database_of
{
    my ($image, $path) = @_;
    my $file = "$folder/" . $image . '.database';

    system_or_bail("tar -xzOf $IMAGES/$image.layer.tar.gz $path > $file");
    return scalar slurp_file($file);
}

# ---------------------------------------------------------------------------
# Real databases
# ---------------------------------------------------------------------------

foreach my $file (glob "$IMAGES/*.layer.tar.gz")
{
    my ($image) = $file =~ m{/([^/]+)\.layer\.tar\.gz$};
    my @expected = expected_features($image);

    is(query($session, "SELECT features, databases FROM clair.index_image('$file', '$image')"),
        @expected . '|1', $image);
    same_lines([ features_of($image) ], \@expected, "$image: its features");
    is(scalar problems_of($image), '', "$image: nothing was left out");
}
is(query($session, "SELECT string_agg(DISTINCT vendor, ', ') FROM clair.features('rocky9-sqlite')"),
    query($session, "SELECT string_agg(DISTINCT vendor, ', ') FROM clair.features('rocky9-ndb')"),
    'the vendor, in any form');
like(query($session, "SELECT vendor FROM clair.features('rocky9-sqlite') WHERE name = 'bash'"),
    qr/Rocky/, 'a vendor');
like(query($session, "SELECT license FROM clair.features('rocky9-sqlite') WHERE name = 'bash'"),
    qr/^GPLv3\+$/, 'a license');
is(query($session, "SELECT count(*) FROM clair.features('rocky9-sqlite') AS a FULL JOIN clair.features('rocky9-ndb') AS b"
    . ' USING (name, architecture, version) WHERE a.license IS DISTINCT FROM b.license OR a.license IS NULL'), '0',
    'every package has one, the same in any form');
is(query($session, "SELECT module FROM clair.features('centos8-modular-bdb') WHERE name = 'buildah'"),
    'container-tools:rhel8', 'a module');

# ---------------------------------------------------------------------------
# Several databases
# ---------------------------------------------------------------------------

my $bdb    = database_of('centos7-bdb',    'var/lib/rpm/Packages');
my $sqlite = database_of('centos7-sqlite', 'var/lib/rpm/rpmdb.sqlite');
my $ndb    = database_of('rocky9-ndb',     'var/lib/rpm/Packages.db');
my $rocky  = database_of('rocky9-sqlite',  'var/lib/rpm/rpmdb.sqlite');
my $photon = database_of('photon30-sqlite', 'var/lib/rpm/rpmdb.sqlite');
my @centos = expected_features('centos7-bdb');
my @rocky  = expected_features('rocky9-ndb');
my @photon = expected_features('photon30-sqlite');

foreach my $case (
    [ 'sqlite before bdb', \@photon,
        [ 'var/lib/rpm/Packages' => $bdb, 'var/lib/rpm/rpmdb.sqlite' => $photon ] ],
    [ 'ndb before bdb', \@rocky,
        [ 'var/lib/rpm/Packages' => $bdb, 'var/lib/rpm/Packages.db' => $ndb ] ],
    [ 'sqlite before ndb', \@photon,
        [ 'var/lib/rpm/Packages.db' => $ndb, 'var/lib/rpm/rpmdb.sqlite' => $photon ] ],
    [ 'the newer layer', \@centos,
        [ 'var/lib/rpm/rpmdb.sqlite' => $photon ], [ 'var/lib/rpm/Packages' => $bdb ] ],
    [ 'the newer layer, until it is gone', \@photon,
        [ 'var/lib/rpm/rpmdb.sqlite' => $photon ], [ 'var/lib/rpm/Packages' => $bdb ],
        [ 'var/lib/rpm/.wh.Packages' => '' ] ],
    [ 'the copy of the base only without another', \@centos,
        [ 'usr/lib/sysimage/rpm-ostree-base-db/rpmdb.sqlite' => $photon,
            'usr/share/rpm/Packages' => $bdb ] ],
    [ 'the copy of the base alone', \@photon,
        [ 'usr/lib/sysimage/rpm-ostree-base-db/rpmdb.sqlite' => $photon ] ],
    [ 'a link that an older layer has', \@centos,
        [ 'var/lib/rpm' => \'../../usr/lib/sysimage/rpm', 'usr/lib/sysimage/rpm/rpmdb.sqlite' => $photon ],
        [ 'usr/lib/sysimage/rpm/rpmdb.sqlite' => $sqlite ] ],
    [ 'a folder that only a link makes known', \@photon,
        [ 'var/lib/rpm' => \'../../data', 'data/rpmdb.sqlite' => $photon ] ],
    [ 'a manifest', [ "vim\t2:9.0-1.cm2\tvim\t9.0-1.cm2\tx86_64\t" ],
        [ 'var/lib/rpmmanifest/container-manifest-2' =>
            "vim\t9.0-1.cm2\t1\t2\tMicrosoft Corporation\t2\t45000\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\n" ] ],
    [ 'a manifest beside a database', \@photon,
        [ 'var/lib/rpmmanifest/container-manifest-2' =>
            "vim\t9.0-1.cm2\t1\t2\tMicrosoft Corporation\t2\t45000\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\n",
            'var/lib/rpm/rpmdb.sqlite' => $photon ] ],
  )
{
    my ($what, $expected, @layers) = @$case;
    my $image = index_layers(@layers);

    same_lines([ features_of($image) ], $expected, $what);
    is(scalar problems_of($image), '', "$what: nothing was left out");
}

# A database that changes its form goes on: what was there before came with the older layer.
foreach my $case ([ 'that stays' ], [ 'that goes', 'var/lib/rpm/.wh.Packages' => '' ])
{
    my ($what, @whiteout) = @$case;
    my $image = index_layers([ 'var/lib/rpm/Packages' => $bdb ],
        [ 'var/lib/rpm/rpmdb.sqlite' => $sqlite, @whiteout ]);

    is(query($session, 'SELECT layer.position, count(*), count(DISTINCT f.database_path)'
        . ' FROM clair.image_feature AS f JOIN clair.image_layer AS layer'
        . '     ON layer.image_id = f.image_id AND layer.layer = f.introduced_by'
        . " WHERE f.image_id = clair.image_id('$image') GROUP BY 1"),
        '1|' . @centos . '|1', "a new form beside an old one $what: since when packages are there");
}

# An image without release files is what most of its packages were built for.
{
    my $leap = database_of('leap151-ndb', 'usr/lib/sysimage/rpm/Packages.db');
    my $amazon = database_of('amazon2-bdb', 'var/lib/rpm/Packages');
    my $ubi = database_of('ubi7-bdb', 'var/lib/rpm/Packages');

    foreach my $case ([ 'centos:7', 'Packages', $bdb ], [ 'rocky:9', 'Packages.db', $ndb ],
        [ 'photon:3.0', 'rpmdb.sqlite', $photon ], [ 'opensuse-leap:15.1', 'Packages.db', $leap ],
        [ 'amzn:2', 'Packages', $amazon ], [ 'rhel:7', 'Packages', $ubi ])
    {
        my ($namespace, $form, $database) = @$case;
        my $image = index_layers([ "var/lib/rpm/$form" => $database ]);

        is(query($session, "SELECT namespace FROM clair.image WHERE id = clair.image_id('$image')"),
            $namespace, "the packages say $namespace");
    }
}

# ---------------------------------------------------------------------------
# The write-ahead log
# ---------------------------------------------------------------------------

{
    my $file = "$folder/rpmdb.sqlite";

    append_to_file($file, $photon);
    system_or_bail("$ENV{CLAIR_HELPERS}/test/t/rpm_log", $file, 3);
    my ($database, $log) = map { scalar slurp_file($_) } $file, "$file-wal";
    my $image = index_layers([ 'var/lib/rpm/rpmdb.sqlite' => $database,
        'var/lib/rpm/rpmdb.sqlite-wal' => $log ]);
    is(scalar(() = features_of($image)), 3, 'changes in the log count');
    is(scalar problems_of($image), '', 'and nothing is left out');
    $image = index_layers([ 'var/lib/rpm/rpmdb.sqlite' => $database, 'var/lib/rpm/rpmdb.sqlite-wal' => '' ]);
    is(scalar(() = features_of($image)), scalar(@photon), 'an empty log');
    $image = index_layers([ 'var/lib/rpm/rpmdb.sqlite' => $database ],
        [ 'var/lib/rpm/rpmdb.sqlite-wal' => $log ]);
    same_lines([ features_of($image) ], \@photon, 'a log without its database');
    is(scalar problems_of($image), 'layer 2: var/lib/rpm/rpmdb.sqlite-wal|'
        . 'it has changes to the database of layer 1, which were left out', 'is a problem');
    $image = index_layers([ 'var/lib/rpm/rpmdb.sqlite' => $ndb, 'var/lib/rpm/rpmdb.sqlite-wal' => $log ]);
    like(scalar problems_of($image), qr/^layer 1: var\/lib\/rpm\/rpmdb\.sqlite\|its write-ahead log is not its own$/m,
        'a log of something else');
}

# ---------------------------------------------------------------------------
# Damaged databases
# ---------------------------------------------------------------------------

foreach my $file (sort glob "$HOSTILE/rpmdb/*Packages* $HOSTILE/rpmdb/*.rpmdb.sqlite.gz")
{
    my ($name, $form) = $file =~ m{/([^/.]+)\.(Packages|Packages\.db|rpmdb\.sqlite)(?:\.gz)?$} or next;
    my $content = $file =~ /\.gz$/ ? `gzip -dc $file` : slurp_file($file);
    my $image;

    ends_within(10, "$name: ends", sub { $image = index_layers([ "var/lib/rpm/$form" => $content ]) });
    like(query($session, "SELECT count(*) FROM clair.features('$image')"), qr/^([0-9]|[12][0-9]|3[0-2])$/,
        "$name: some packages");
    isnt(scalar problems_of($image), '', "$name: the reason")
        if query($session, "SELECT count(*) FROM clair.features('$image')") == 0;
}
foreach my $file (sort glob "$HOSTILE/rpmhdr/*.rpmdb.sqlite.gz")
{
    my ($name) = $file =~ m{/([^/.]+)\.rpmdb\.sqlite\.gz$};
    my $image = index_layers([ 'var/lib/rpm/rpmdb.sqlite' => scalar `gzip -dc $file` ]);

    is(query($session, "SELECT count(*) FROM clair.features('$image') WHERE name = 'sentinel'"),
        $name eq 'sqlite-text-blob' ? 0 : 1, "header $name: what comes after it is listed");
}
is(query($session, 'SELECT count(*) > 60 FROM clair.image'), 't', 'the server is up');

done_testing();
