# Proves which namespace the release files of real distributions give: test/fixtures/osrelease.tsv
# says it of each file, or of several that are in an image together.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use IndexTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $RELEASES = test_data('osrelease') or plan skip_all => 'there are no test data';

my $node   = start_server('namespaces');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

# The text of a release file; a .txtar is several texts, the first of them os-release.
sub text_of
{
    my ($file) = @_;
    my $text = slurp_file("$RELEASES/$file");

    return $text if $file !~ /\.txtar$/;
    return $text =~ /^-- os-release --\n(.*?)^-- /ms ? $1 : '';
}

# Where an image has it.
sub place_of
{
    my ($file) = @_;

    return $1 if $file =~ m{^(?:alpine|ubuntu)/[^/]+/(.*)};
    return 'etc/' . basename($file) if $file =~ m{-release$};
    return 'etc/redhat-release' if $file =~ m{^trivy-redhatbase/};
    return 'etc/os-release';
}

my (%said, $number);

foreach (split /\n/, slurp_file("$FindBin::Bin/../fixtures/osrelease.tsv"))
{
    my ($files, $namespace) = split /\t/;
    my $root = "$folder/" . ++$number;

    foreach my $file (split / /, $files)
    {
        my $path = "$root/" . place_of($file);

        make_path(dirname($path));
        append_to_file($path, text_of($file));
        $said{$file} = 1;
    }
    system_or_bail('tar', '-cf', "$root.tar", '-C', $root, 'etc');
    is(query($session, "SELECT namespace FROM clair.index_image('$root.tar', 'it')"), $namespace, $files);
}

my @silent = grep { !$said{$_} } map { substr($_, length($RELEASES) + 1) }
    grep { -f } glob("$RELEASES/*/* $RELEASES/*/*/* $RELEASES/*/*/*/*");
is("@silent", '', 'of every file it is said');

$session->quit;
$node->stop;
done_testing();
