# Proves Photon OS's updater through SQL: real documents come to what a second reading of them says, a real
# image has the findings that rpm's own comparison gives, and an edition that only numbers its
# definitions anew changes nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use JSON::PP;
use OvalTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RpmOrder;
use Test::More;

my $node      = start_server('photon');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/photon");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'photon');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# ---------------------------------------------------------------------------
# A folder of documents by release
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'photon', "$folder/oval/");
is(outcome(), 'succeeded: 3 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn',
    'two releases are read');

# CVE-2031-1002 of quux is fixed twice: the first fix counts for nobody.
is_deeply(stated($session, 'photon', 1), [ sort map { join "\t", @$_, 'fixed', '', '', 'any' }
    [ 'CVE-2031-1001', 'photon:4.0', 'quux',      '0:1.0-9.ph4' ],
    [ 'CVE-2031-1001', 'photon:5.0', 'quux',      '0:1.2-3.ph5' ],
    [ 'CVE-2031-1001', 'photon:5.0', 'quux-libs', '0:1.2-3.ph5' ],
    [ 'CVE-2031-1002', 'photon:5.0', 'quux',      '0:1.2-5.ph5' ],
    [ 'CVE-2031-1002', 'photon:5.0', 'quux-libs', '0:1.2-3.ph5' ],
    ], 'a fix for each CVE and package: the highest one')
    or diag(join "\n", @{ stated($session, 'photon', 1) });
is(scalar query($session, "SELECT DISTINCT advisory || ' ' || severity FROM clair.affected AS a JOIN"
    . " clair.vulnerability AS v ON v.id = a.vulnerability_id WHERE v.name = 'CVE-2031-1001' AND advisory <> ''"),
    'PHSA-5.0-0100 High', 'with its advisory and severity');

# An edition begins with an advisory that the last one did not have: all numbers behind it are others.
my $path = "$folder/oval/com.vmware.phsa-photon5.xml";
my $text = slurp_file($path);
my $new  = join '', $text =~ m{(\s*<definition .*?</definition>)}s;
$new =~ s/5\.0:0100/5.0:0130/;
$new =~ s/CVE-2031-100\d/CVE-2031-1009/g;
write_file($path, $text =~ s{def:203150000(\d)}{'def:20325000' . ($1 + 10)}ger
    =~ s{(PHSA-2031|PHSA|CVE):0000(\d)}{"$1:000" . ($2 + 10)}ger =~ s{(<definitions>)}{$1$new}r);
is(outcome(), 'succeeded: 3 records 0 unchanged 0 broken 1 added 0 changed 0 withdrawn',
    'what is numbered anew is read again, and says the same');

# ---------------------------------------------------------------------------
# Broken documents
# ---------------------------------------------------------------------------

my $before = stated($session, 'photon', 1);

sub fails
{
    my ($content, $error, $name) = @_;

    write_file($path, $content);
    like(outcome(), qr/^failed: .*$error/, $name);
    is_deeply(stated($session, 'photon', 1), $before, '... and nothing changes');
}

my $place = 'document "com.vmware.phsa-photon5.xml": line \d+: ';

fails(substr($text, 0, length($text) / 2), "${place}the document ends too early", 'a document that is cut');
fails('<html/>', "${place}the document is \"html\", not \"oval_definitions\"", 'another page');

SKIP:
{
    my $hostile = test_data('hostile/feed') or skip 'there are no test data', 1;

    fails(slurp_file("$hostile/$$_[0]"), "${place}$$_[1]", $$_[0])
        foreach ['entity-bomb.xml', 'a document type declaration is not allowed'],
        ['attr-huge.xml.gz', 'a tag or a comment is too large'], ['deep.xml.gz', 'the document is "a"'];
}

# ---------------------------------------------------------------------------
# Real documents
# ---------------------------------------------------------------------------

# What the definitions of a document say, read once more: [ CVE, namespace, package, version ] each.
sub read_again
{
    my ($xml) = @_;
    my %said;

    foreach my $definition ($xml =~ m{<definition .*?</definition>}gs)
    {
        my ($release) = $definition =~ /Photon OS (\d+) is installed/;
        my %cves = map { $_ => 1 } $definition =~ /\b(CVE-\d{4}-\d{4,})\b/g;

        while ($definition =~ /"(\S+) is earlier than (\S+)"/g)
        {
            $said{ join "\t", $_, "photon:$release.0", $1, $2 } = 1 foreach keys %cves;
        }
    }
    die 'nothing was read' unless %said;
    return map { [ split /\t/ ] } sort keys %said;
}

sub lines_of
{
    return [ sort map { join "\t", @$_, 'fixed', '', '', 'any' } @_ ];
}

# Vuls has an element that is there once as it is, and otherwise as a list.
sub list
{
    my ($value) = @_;

    return ref $value eq 'ARRAY' ? @$value : defined $value ? $value : ();
}

sub from_vuls
{
    my ($criteria) = @_;

    return { operator => $criteria->{operator}, criterions => [ list($criteria->{criterion}) ],
        criterias => [ map { from_vuls($_) } list($criteria->{criteria}) ] };
}

SKIP:
{
    my $data = test_data('feeds/photon') or skip 'there are no test data', 1;
    my $vuls = "$data/vuls-photon-oval/testdata";
    my %expected;

    foreach my $file (glob "$vuls/golden/*/definitions/*.json")
    {
        my $definition = read_definition($file);
        my @cves = list($definition->{metadata}{advisory}{cve});

        $expected{$_} = 1 foreach @{ expected_of(\@cves, from_vuls($definition->{criteria})) };
    }
    set_feed($session, 'photon', "$vuls/fixtures/happy/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 2 records 0 unchanged 0 broken/, 'the documents of vuls');
    is_deeply([ grep { !/photon:4/ } @{ stated($session, 'photon', 1) } ], [ sort keys %expected ],
        '... say what its goldens do: ' . keys(%expected) . ' packages of CVEs');

    my $feed = "$data/com.vmware.phsa-photon3.xml.gz";
    my @said = read_again(scalar `zcat '$feed'`);

    set_feed($session, 'photon', $feed);
    like(outcome(), qr/^succeeded: 222 records 0 unchanged 0 broken/, 'the document of Photon OS 3');
    is_deeply([ grep { /\tphoton:3/ } @{ stated($session, 'photon', 1) } ], lines_of(@said),
        '... says what a second reading of it finds: ' . @said . ' packages of CVEs');
    is(query($session, "SELECT count(*) FROM clair.affected AS a JOIN clair.vulnerability AS v"
        . " ON v.id = a.vulnerability_id WHERE namespace = 'photon:3.0' AND severity = 'Unknown'"), 0,
        '... each with a severity');

    # The image's packages, as rpm listed them
    my $image = "$data/../../images/rpm/photon30-sqlite";
    my %installed;

    foreach my $line (split /\n/, slurp_file("$image.expected.tsv"))
    {
        my ($name, $epoch, $version, $release) = split /\t/, $line, -1;

        $installed{$name} = ($epoch || 0) . ":$version-$release" unless $name eq 'name';
    }
    skip 'there is no rpm', 1 unless RpmOrder::available();

    my @concerned = grep { defined $installed{ $_->[2] } } @said;
    my @order = RpmOrder::compare(map { [ $installed{ $_->[2] }, $_->[3] ] } @concerned);
    my %findings;

    foreach my $i (grep { $order[$_] < 0 } 0 .. $#concerned)
    {
        my ($cve, undef, $package, $fixed) = @{ $concerned[$i] };

        $findings{ join "\t", $package, $cve, $fixed } = 1;
    }
    die 'no finding is expected' unless %findings;
    index_file($session, abs_path("$image.layer.tar.gz"), 'photon');
    is_deeply([ query($session, "SELECT concat_ws(E'\\t', feature, vulnerability, fixed_in) COLLATE \"C\" AS line"
        . " FROM clair.vulnerabilities('photon') WHERE vulnerability IS NOT NULL ORDER BY line") ],
        [ sort keys %findings ],
        keys(%installed) . ' packages of an image: ' . keys(%findings) . ' findings, as rpm compares versions');
}

$session->quit;
done_testing();
