# Proves that updates of rpm packages come to what they say: Fedora's, those of a mirror of Rocky Linux, and
# CentOS's errata, whose findings in real images are those that rpm's own comparison gives.
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
use UpdateinfoTest;

my $node      = start_server('updateinfo');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/fedora");

# What a run came to, in one line.
sub outcome
{
    my ($updater) = @_;
    my $run = update($session, $updater);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

sub create_updater
{
    my ($name, $path, $options) = @_;

    query($session, "SELECT clair.create_updater('$name', 'file://$path', 'updateinfo', '$options')");
}

# ---------------------------------------------------------------------------
# Fedora
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/fedora");
write_file("$folder/fedora/testing/41/README", 'no repository');
set_feed($session, 'fedora', "$folder/fedora/");
is(outcome('fedora'), 'succeeded: 2 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn', 'a release of Fedora');
is_deeply(stated($session, 'fedora', 1), [ sort map { join "\t", @$_, 'fixed', '', '', 'any' }
    map({ my $cve = $_; map { [ $cve, 'fedora:41', $_, '99.1-1.fc41' ] } qw(curl libcurl) }
        qw(CVE-2031-1001 CVE-2031-1002 CVE-2031-1003)),
    [ 'FEDORA-2031-1111111111', 'fedora:41', 'quux', '1:2-1.fc41' ] ],
    'the titles of bugs name CVEs; what names none is called by its own id')
    or diag(join "\n", @{ stated($session, 'fedora', 1) });
is(query($session, "SELECT DISTINCT description, link, severity, advisory FROM clair.vulnerability AS v JOIN clair.affected"
    . " AS a ON a.vulnerability_id = v.id WHERE v.name LIKE 'CVE%'"),
    'Fixes a redirect.|https://bodhi.fedoraproject.org/updates/FEDORA-2031-0a1b2c3d4e|Medium|FEDORA-2031-0a1b2c3d4e',
    'notes, page and severity');

my $repodata = "$folder/fedora/41/Everything/x86_64/repodata";
foreach my $packer (qw(gzip bzip2 xz zstd))
{
    system_or_bail("$packer -c '$FIXTURES/41/Everything/x86_64/repodata/updateinfo.xml' >'$repodata/updateinfo.xml'");
    write_file("$repodata/repomd.xml", slurp_file("$FIXTURES/41/Everything/x86_64/repodata/repomd.xml")
        =~ s{<checksum type="sha256">[0-9a-f]{64}}{'<checksum type="sha">' . (split ' ', `sha1sum '$repodata/updateinfo.xml'`)[0]}er);
    is(outcome('fedora'), 'unchanged: 2 records 2 unchanged 0 broken 0 added 0 changed 0 withdrawn', "the same in $packer");
}

SKIP:
{
    my $truth = test_data('truth/machine-lists') or skip 'there are no test data', 1;
    skip 'there is no rpm', 1 unless RpmOrder::available();
    my @packages = package_list("$truth/fedora_42.tsv");
    my @updates = updates_about('FEDORA-2031', @packages);
    my @expected = expected_findings(\@updates, @packages);

    write_repository("$folder/fedora/42/Everything/x86_64", updates_document(@updates));
    like(outcome('fedora'), qr/^succeeded: @{[ scalar @updates ]} records 0 unchanged 0 broken/, 'another release comes');
    index_file($session, rpm_image("$folder/fedora.tar", 'fedora', '42', @packages), 'fedora');
    same_lines([ findings_of($session, 'fedora', 'fedora') ], \@expected,
        'a machine of Fedora 42, ' . @packages . ' packages: the findings that rpm\'s order gives');
}

# ---------------------------------------------------------------------------
# A mirror of Rocky Linux
# ---------------------------------------------------------------------------

SKIP:
{
    my $data = test_data('feeds/rocky/vuln-list-update-rocky/testdata') or skip 'there are no test data', 1;
    my $fixtures = abs_path("$data/fixtures");
    my %expected;

    create_updater('rocky-8', "$fixtures/happy/updateinfo.xml", '{"namespace": "rocky:8", "max_shrinkage": 100}');
    is(outcome('rocky-8'), 'succeeded: 3 records 0 unchanged 0 broken 5 added 0 changed 0 withdrawn',
        'the updates of vuln-list-update, but for the one that fixes a bug');
    foreach my $file (glob "$data/golden/*/*.json")
    {
        my $golden = JSON::PP->new->utf8->decode(slurp_file($file));

        foreach my $collection (@{ $golden->{collections} })
        {
            my $module = $collection->{module};

            foreach my $package (@{ $collection->{packages} })
            {
                $expected{ join "\t", $_, 'rocky:8', $package->{name}, evr_of($package),
                    defined $module ? "$module->{name}:$module->{stream}" : '', $golden->{id}, $golden->{title},
                    { Moderate => 'Medium', Important => 'High' }->{ $golden->{severity} } } = 1
                    foreach @{ $golden->{cveids} };
            }
        }
    }
    is_deeply([ query($session, <<'SQL') ], [ sort keys %expected ], '... say what its goldens do');
SELECT concat_ws(E'\t', v.name, a.namespace, a.package, clair.bare(a.fixed), s.module, a.advisory, v.description,
    a.severity) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    JOIN clair.scope AS s ON s.id = a.scope_id
WHERE v.updater = 'rocky-8' AND v.until_run IS NULL AND s.architectures IS NULL
ORDER BY line
SQL
    is_deeply([ query($session, "SELECT DISTINCT link FROM clair.vulnerability WHERE updater = 'rocky-8' ORDER BY link") ],
        [ sort map({ "https://access.redhat.com/hydra/rest/securitydata/cve/$_.json" }
            qw(CVE-2021-22543 CVE-2021-22555 CVE-2021-3520 CVE-2021-3609)), 'https://errata.rockylinux.org/RLSA-2019:1972' ],
        '... with the page of the update, or else of the vulnerability');

    my %refused = (
        "$fixtures/no_updateinfo_field/repomd.xml"       => 'document "index": it names no updateinfo',
        "$fixtures/repomd_invalid/"                      => 'document "repomd.xml": it names no updateinfo',
        "$fixtures/updateinfo_invalid/updateinfo.xml.gz" => 'document "index": line \d+: .*',
        "$fixtures/releases/empty.html"                  => 'document "index": it is neither a repository nor does it name any',
    );
    foreach my $path (sort keys %refused)
    {
        query($session, "UPDATE clair.updater SET url = 'file://$path' WHERE name = 'rocky-8'");
        like(outcome('rocky-8'), qr/^failed: .* $refused{$path}/, "broken: " . $path =~ s{.*/fixtures/}{}r);
    }

    # As a repository, of which the checksum is not that of the file
    my $repository = "$folder/rocky/repodata";
    my $repomd = slurp_file("$fixtures/happy/repomd.xml");

    write_file("$repository/repomd.xml", $repomd);
    write_file("$repository/updateinfo.xml.gz", slurp_file("$fixtures/happy/updateinfo.xml"));
    query($session, "UPDATE clair.updater SET url = 'file://$folder/rocky/' WHERE name = 'rocky-8'");
    like(outcome('rocky-8'), qr/^failed: .* document "updateinfo.xml" is not the one that document "repomd.xml" names/,
        'updates with other bytes than the repository says');
    write_file("$repository/repomd.xml", $repomd =~ s/c14b2249\w+/(split ' ', `sha256sum '$repository\/updateinfo.xml.gz'`)[0]/er);
    foreach my $path ('', 'repodata/', 'repodata/repomd.xml')
    {
        query($session, "UPDATE clair.updater SET url = 'file://$folder/rocky/$path' WHERE name = 'rocky-8'");
        like(outcome('rocky-8'), qr/^unchanged: ([03]) records \1 unchanged 0 broken/,
            'the right ones, by ' . ($path || 'the repository'));
    }
}

# ---------------------------------------------------------------------------
# Modules
# ---------------------------------------------------------------------------

SKIP:
{
    my $images = test_data('images/rpm') or skip 'there are no test data', 1;
    my @packages = package_list("$images/centos8-modular-sqlite.expected.tsv");
    my $document = join '', '<updates>', map {
        my ($number, $module, $name, $version, $release) = @$_;
        my ($module_name, $stream) = split /:/, $module;

        "<update type='security'><id>X-$number</id><references><reference type='cve' id='CVE-2031-000$number'/></references>"
            . "<pkglist><collection>" . ($module ? "<module name='$module_name' stream='$stream'/>" : '')
            . "<package name='$name' epoch='1' version='$version' release='$release' arch='x86_64'/>"
            . '</collection></pkglist></update>'
    } [ 1, 'nodejs:10', 'nodejs', '10.99.0', '1.module_el8.2.0+1+aa' ],    # the installed stream
        [ 2, 'nodejs:12', 'nodejs', '12.99.0', '1.module_el8.2.0+1+aa' ],  # another stream
        [ 3, '',          'nodejs', '14.99.0', '1.el8' ],                  # of no module
        [ 4, '',          'nodejs', '10.99.0', '1.module_el8.2.0+1+aa' ],  # of one that is not named
        [ 5, 'nodejs:10', 'nodejs', '10.1.0',  '1.module_el8.2.0+1+aa' ],  # what was fixed before
        [ 6, '',          'zlib',   '9',       '1.el8' ],                  # of no module, as installed
        [ 7, '',          'zlib',   '9',       '1.el9' ];                  # of another release

    write_file("$folder/modules.xml", "$document</updates>");
    create_updater('modules', "$folder/modules.xml", '{"namespace": "rhel:8", "link": "https://x.example.org/"}');
    is(outcome('modules'), 'succeeded: 7 records 0 unchanged 0 broken 6 added 0 changed 0 withdrawn', 'updates of modules');
    index_file($session, abs_path("$images/centos8-modular-sqlite.layer.tar.gz"), 'centos8');
    is_deeply([ query($session, "SELECT vulnerability, feature, link FROM clair.vulnerabilities('centos8') WHERE updater ="
            . " 'modules' AND vulnerability IS NOT NULL ORDER BY 1") ],
        [ map { "CVE-2031-000$_->[0]|$_->[1]|https://x.example.org/X-$_->[0]" } [ 1, 'nodejs' ], [ 4, 'nodejs' ], [ 6, 'zlib' ] ],
        '... are about packages of that module, or of none');
    query($session, "SELECT clair.drop_updater('modules')");
}

# ---------------------------------------------------------------------------
# CentOS's errata
# ---------------------------------------------------------------------------

# Of the packages of updates, those that were built for a release, as far as they say so.
sub of_release
{
    my ($release, @updates) = @_;

    return map {
        my %update = %$_;
        $update{packages} = [ grep { $_->{release} !~ /\bel(\d+)(?![A-Za-z0-9])/ && $_->{release} !~ /\bel(\d+)_/
            || $1 == $release } @{ $update{packages} } ];
        \%update
    } @updates;
}

SKIP:
{
    my $cefs = test_data('feeds/centos/updateinfo-cefs.xml.gz') or skip 'there are no test data', 1;
    my $images = test_data('images/rpm');
    my @updates = read_updates(scalar `zcat '$cefs'`);
    my %images = (5 => [], 6 => [], 7 => [qw(centos7-bdb centos7-sqlite ubi7-bdb)], 8 => [qw(centos8-modular-bdb)]);

    foreach my $release (sort keys %images)
    {
        my $name = "centos-$release";
        my @of_release = of_release($release, @updates);
        my %said;

        foreach my $update (@of_release)
        {
            foreach my $package (grep { $_->{arch} ne 'src' && $_->{name} !~ /-debuginfo/ } @{ $update->{packages} })
            {
                $said{ join "\t", $update->{id}, "rhel:$release", $package->{name}, evr_of($package), 'fixed', '', '', 'any' } = 1;
            }
        }
        create_updater($name, abs_path($cefs), "{\"namespace\": \"rhel:$release\"}");
        like(outcome($name), qr/^succeeded: 427 records 0 unchanged 0 broken/, "CentOS's errata, for release $release");
        compare_highest($name, \%said, $release);
        next if !RpmOrder::available();

        # A machine that has each package in the version that the first erratum on it brings
        my (%first, @machine);
        foreach my $package (map { @{ $_->{packages} } } @of_release)
        {
            push @machine, [ $package->{name}, evr_of($package), 'x86_64' ]
                if $package->{arch} ne 'src' && !$first{ $package->{name} }++;
        }
        my @expected = expected_findings(\@of_release, @machine);
        index_file($session, rpm_image("$folder/machine.tar", 'centos', $release, @machine), "machine $release");
        same_lines([ findings_of($session, "machine $release", $name) ], \@expected,
            "a machine of CentOS $release, " . @machine . ' packages: the findings that rpm\'s order gives')
            if $release < 8;
        foreach my $image (@{ $images{$release} })
        {
            my @packages = package_list("$images/$image.expected.tsv");
            my @expected = expected_findings(\@of_release, @packages);

            index_file($session, abs_path("$images/$image.layer.tar.gz"), $image);
            is_deeply([ findings_of($session, $image, $name) ], \@expected,
                "$image, " . @packages . ' packages: ' . @expected . ' findings, as rpm compares versions');
        }
    }

    # For images whose repositories are unknown only: that of Red Hat's own says which it has
    query($session, "UPDATE clair.updater SET options = options || '{\"repositories\": [\"rhel:7\"]}' WHERE name = 'centos-7'");
    like(outcome('centos-7'), qr/^succeeded: 427 records 0 unchanged 0 broken/, 'with repositories, all is read anew');
    is(scalar query($session, "SELECT count(*) FROM clair.affected AS a JOIN clair.vulnerability AS v ON v.id ="
        . " a.vulnerability_id JOIN clair.scope AS s ON s.id = a.scope_id WHERE v.updater = 'centos-7' AND v.until_run IS NULL"
        . " AND s.repositories IS DISTINCT FROM '{rhel:7}'"), 0, '... and all is for these');
    is_deeply([ findings_of($session, 'centos7-bdb', 'centos-7') ],
        [ expected_findings([ of_release(7, @updates) ], package_list("$images/centos7-bdb.expected.tsv")) ],
        '... a CentOS image has the same findings');
}

# Our rows must be the expected ones, of which for a package only the highest of each upstream version counts.
sub compare_highest
{
    my ($name, $said, $release) = @_;
    my %highest;

    foreach my $line (sort keys %$said)
    {
        my @line = split /\t/, $line, -1;
        my $subject = join "\t", @line[ 0 .. 2 ], $line[3] =~ s/-[^-]*$//r;
        my $other = $highest{$subject};

        $highest{$subject} = \@line
            if !defined $other || query($session, "SELECT clair.version_cmp('rpm', '$line[3]', '$other->[3]')") > 0;
    }
    same_lines(stated($session, $name, 1), [ sort map { join "\t", @$_ } values %highest ],
        "... say what a second reading finds, release $release") if %highest;
    is(scalar @{ stated($session, $name, 1) }, 0, "... have nothing for release $release") if !%highest;
}

$session->quit;
done_testing();
