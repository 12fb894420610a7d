# Proves that the errata of AlmaLinux and Rocky Linux come in whole, page by page and release by release,
# as a second reading of real ones has them; that an image of Rocky Linux has just the findings that follow
# from what is installed; and that a new erratum, which moves all pages, is the only one that is read.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebServer;

my $node    = start_server('rpm_errata', 'max_worker_processes = 16', 'clair.allow_private_networks = on',
    'clair.fetch_retries = 0');
my ($where) = session($node);
my $folder  = PostgreSQL::Test::Utils::tempdir();

sub outcome_of
{
    my ($updater) = @_;
    my $is_first = query($where, "SELECT count(*) FROM clair.update_run WHERE updater = '$updater'") == 0;
    my ($run, $differences) = update_watching_alerts($where, $updater);

    is($differences, '', 'alerts are what has become of findings') if !$is_first;
    return $run->{state} eq 'failed'
        ? "failed: $run->{error}"
        : join(' ', map { "$run->{$_} $_" } qw(records unchanged broken added changed withdrawn));
}

# What an updater's ranges are, each for one architecture.
sub ranges
{
    my ($updater) = @_;

    return sort split /\n/, query($where, <<"SQL");
SELECT concat_ws('|', v.name, a.advisory, a.namespace, a.package, regexp_replace(clair.bare(a.fixed), '^0:', ''), a.severity,
    s.module, arch)
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id AND a.until_run IS NULL AND a.kind = 'binary'
    JOIN clair.scope AS s ON s.id = a.scope_id
    CROSS JOIN LATERAL unnest(COALESCE(s.architectures, ARRAY['noarch'])) AS arch
WHERE v.updater = '$updater'
SQL
}

# The order of two versions, by rpm itself.
sub order_of
{
    my ($left, $right) = @_;

    return `rpm --eval '%{lua:print(rpm.vercmp("$left", "$right"))}'` + 0;
}

# The second reading of builds, [ name, module, architecture, version ] each: of those of one upstream version the
# highest, or, of a module's, the lowest.
sub ranges_of
{
    my ($namespace, $advisory, $severity, $cves, @builds) = @_;
    my %fix;

    foreach my $build (@builds)
    {
        my ($name, $module, $architecture, $version) = @$build;
        next if $architecture eq 'src';
        my $place = \$fix{ join '|', $name, $module, $architecture, $version =~ s/-[^-]*$//r };
        my $order = defined $$place ? order_of($version, $$place) : 0;

        $$place = $version if !defined $$place || ($module ne '' ? $order < 0 : $order > 0);
    }
    my @ranges;
    foreach my $key (keys %fix)
    {
        my ($name, $module, $architecture) = split /\|/, $key;
        push @ranges, join('|', $_, $advisory, $namespace, $name, $fix{$key} =~ s/^0://r, $severity, $module, $architecture)
            foreach @$cves;
    }
    return @ranges;
}

my %SEVERITY = (Critical => 'Critical', Important => 'High', Moderate => 'Medium', Low => 'Low');

# ---------------------------------------------------------------------------
# AlmaLinux
# ---------------------------------------------------------------------------

my $goldens = test_data('feeds/alma/vuls-alma-errata/testdata');
my $has_rpm = `rpm --version 2>/dev/null` ne '';
SKIP:
{
    skip 'there are no test data of AlmaLinux', 6 if !defined $goldens;
    skip 'there is no rpm', 6 if !$has_rpm;
    my $golden = decode_json(slurp_file("$goldens/golden/8/ALSA/2019/ALSA-2019%3A3708.json"));
    my @cves   = map { $_->{type} eq 'cve' ? $_->{id} : () } @{ $golden->{references} };
    my @expected = ranges_of('almalinux:8', $golden->{id}, $SEVERITY{ $golden->{severity} }, \@cves,
        map { [ $_->{name}, ($_->{module} // '') =~ s/^([^:]*:[^:]*).*/$1/r, $_->{arch}, "$_->{epoch}:$_->{version}-$_->{release}" ] }
            @{ $golden->{packages} });

    set_feed($where, 'almalinux', "$goldens/fixtures/errata.full.json");
    is(outcome_of('almalinux'), '2 records 0 unchanged 0 broken ' . @cves . ' added 0 changed 0 withdrawn',
        'errata in full');
    is_deeply([ ranges('almalinux') ], [ sort @expected ], '... have the ranges of the golden: ' . @expected);
    set_feed($where, 'almalinux', "$goldens/fixtures/invalid.json");
    like(outcome_of('almalinux'), qr/^failed: document "errata": the document is not a JSON object: it begins with "invalid/,
        'what is no JSON fails the run');

    # The older form, a file for each erratum there.
    my $old = decode_json(slurp_file(test_data('feeds/alma/trivy-db-alma/happy/vuln-list/alma/8/2021/ALSA-2021-3076.json')));
    my $list = $old->{pkglist};
    my $module = $list->{module}{name} ? "$list->{module}{name}:$list->{module}{stream}" : '';
    write_file("$folder/8.json", [$old]);
    set_feed($where, 'almalinux', "$folder/8.json", '{"max_shrinkage": 100}');
    is(update($where, 'almalinux')->{broken}, 0, 'an erratum of the older form');
    is_deeply([ ranges('almalinux') ],
        [ sort(ranges_of('almalinux:8', $old->{updateinfo_id}, $SEVERITY{ $old->{severity} },
            [ map { $_->{id} } @{ $old->{references} } ],
            map { [ $_->{name}, $module, $_->{arch}, "$_->{epoch}:$_->{version}-$_->{release}" ] } @{ $list->{packages} })) ],
        '... has the ranges of the second reading');
    my $sad = slurp_file(test_data('feeds/alma/trivy-db-alma/sad/vuln-list/alma/8/2021/ALSA-2021-3076.json'));
    write_file("$folder/8.json", "[$sad]");
    like(outcome_of('almalinux'), qr/^failed: document "errata": element 1: byte \d+: a comma is missing/,
        'a broken one fails the run, and says where');
}

# Releases beside each other, of which some are not there.
sub erratum
{
    my ($id, $release, @packages) = @_;

    return { id => $id, type => 'security', severity => 'Low', title => $id, references => [ { type => 'cve', id => "CVE-2031-100$release" } ],
        packages => [ map { my ($name, $version) = @$_;
            { name => $name, epoch => 0, version => $version, release => "1.el$release", arch => 'x86_64' } } @packages ] };
}
{
    my %pages = map { my $release = $_; ("/$release/errata.full.json" => sub {
        WebServer::answer($_[0], '200 OK', {}, encode_json({ data => [ erratum("ALSA-2031:$release", $release, [ a => '1' ]) ] }))
    }) } 8, 9, 10;
    my $server = WebServer->start(%pages);

    query($where, "UPDATE clair.updater SET url = '" . $server->url('/9/errata.full.json') . "' WHERE name = 'almalinux'");
    like(outcome_of('almalinux'), qr/^3 records 0 unchanged 0 broken 3 added/, 'three releases, of which one is named');
    is(query($where, q(SELECT string_agg(DISTINCT namespace, ' ' ORDER BY namespace) FROM clair.affected AS a WHERE until_run IS NULL)),
        'almalinux:10 almalinux:8 almalinux:9', '... of which each has its packages');
    is($server->count('/11/errata.full.json'), 1, 'a release that may come is asked for');
}

# ---------------------------------------------------------------------------
# Rocky Linux
# ---------------------------------------------------------------------------

my $pages = test_data('feeds/rocky/vuls-rocky-errata/testdata');
SKIP:
{
    skip 'there are no test data of Rocky Linux', 3 if !defined $pages;
    skip 'there is no rpm', 3 if !$has_rpm;
    my @expected;

    foreach my $file ('RLSA/2025/RLSA-2025%3A21816.json', 'RLBA/2019/RLBA-2019%3A0973.json')
    {
        my $golden = decode_json(slurp_file("$pages/golden/$file"));

        push @expected, map { my $release = $_; ranges_of("rocky:$release", $golden->{name}, $SEVERITY{ $golden->{severity} },
            [ map { $_->{cve} } @{ $golden->{cves} // [] } ],
            map { my ($name, $version, $arch) = $_->{nevra} =~ /^(.*)-([^-]*-[^-]*)\.([^.]*)\.rpm$/;
                $_->{product_name} =~ /^Rocky Linux $release\b/
                    ? [ $name, defined $_->{module_name} ? "$_->{module_name}:$_->{module_stream}" : '', $arch, $version ] : ()
            } @{ $golden->{packages} }) } 8, 9, 10;
    }
    set_feed($where, 'rocky', "$pages/fixtures/happy/");
    is(outcome_of('rocky'), '2 records 0 unchanged 0 broken 1 added 0 changed 0 withdrawn', 'a folder of pages');
    cmp_ok(scalar @expected, '>', 20, 'goldens with ' . @expected . ' ranges');
    is_deeply([ ranges('rocky') ], [ sort @expected ], '... which are those of the errata');
}

# An image, and errata that follow from what is installed in it: what has a later build, what has it already,
# what another architecture or a module has.
my ($number, @errata, @expected) = 0;
my $image = test_data('images/rpm/rocky9-sqlite.layer.tar.gz');
SKIP:
{
    skip 'there is no image of Rocky Linux', 12 if !defined $image;
    foreach my $name ('rocky9-sqlite', 'rocky9-ndb')
    {
        query($where, "SELECT image FROM clair.index_image('" . test_data("images/rpm/$name.layer.tar.gz") . "', '$name')");
    }
    my ($header, @lines) = split /\n/, slurp_file(test_data('images/rpm/rocky9-sqlite.expected.tsv'));
    foreach my $line (@lines)
    {
        my ($package, $epoch, $version, $release, $architecture, undef, $module) = split /\t/, $line;
        my $of = $number++ % 4;
        my $fix = $of == 1 ? $release : "$release.1";
        my $cve = 'CVE-2031-' . (10000 + $number);
        my $build_architecture = $of == 2 ? 'x86_64' : $architecture;

        push @errata, { name => "RLSA-2031:$number", kind => 'Security', severity => 'Moderate', cves => [ { cve => $cve } ],
            packages => [ map { { nevra => "$package-" . ($epoch || 0) . ":$version-$fix.$build_architecture.rpm",
                product_name => $_, ($of == 3 ? (module_name => 'm', module_stream => '1') : ()) } }
                'Rocky Linux 9 aarch64', 'Rocky Linux 9.1 aarch64 (Legacy)' ] };
        next if $of == 1 || $of == 3 || ($of == 2 && $architecture ne 'noarch');
        push @expected, "$package $cve " . ($epoch ? "$epoch:" : '0:') . "$version-$fix RLSA-2031:$number";
    }
}

my $latest = "$folder/errata.json";
my $server = WebServer->start(map { my $page = $_; ("/errata?size=40&page=$page" => sub {
    my $all = decode_json(slurp_file($latest));
    my $count = int((@$all + 39) / 40);

    WebServer::answer($_[0], '200 OK', {}, JSON::PP->new->utf8->canonical->encode({ advisories => [ grep { defined } @$all[ 40 * $page - 40 .. 40 * $page - 1 ] ],
        links => { last => "/errata?size=40&page=$count", next => "/errata?size=40&page=1" } }))
}) } 1 .. 9);

SKIP:
{
    skip 'there is no image of Rocky Linux', 12 if !defined $image;
    write_file($latest, \@errata);
    query($where, "UPDATE clair.updater SET url = '" . $server->url('/errata?size=40&page=1') . "', options = '{\"max_shrinkage\": 100}'"
        . " WHERE name = 'rocky'");
    like(outcome_of('rocky'), qr/^$number records 0 unchanged 0 broken $number added/, "$number errata on four pages");
    is($server->count('/errata?size=40&page=4'), 1, '... each of which is asked for once, though their links lead in circles');
    foreach my $name ('rocky9-sqlite', 'rocky9-ndb')
    {
        is_deeply([ sort split /\n/, query($where, 'SELECT concat_ws(\' \', feature, vulnerability, fixed_in, advisory)'
                . " FROM clair.vulnerabilities('$name') WHERE vulnerability IS NOT NULL") ],
            [ sort @expected ], "$name has the findings that follow: " . @expected);
    }

    # A new one moves all others, and some to other pages.
    unshift @errata, { name => 'RLSA-2031:9999', kind => 'Security', severity => 'Low', cves => [ { cve => 'CVE-2031-99999' } ],
        packages => [ { nevra => 'bash-0:9-1.aarch64.rpm', product_name => 'Rocky Linux 9 aarch64' } ] };
    write_file($latest, \@errata);
    is(outcome_of('rocky'), ($number + 1) . " records $number unchanged 0 broken 1 added 0 changed 0 withdrawn",
        'of errata that have moved to other pages none is read again');
    is(query($where, q(SELECT count(*) FROM clair.vulnerabilities('rocky9-ndb') WHERE vulnerability = 'CVE-2031-99999')), '1',
        'and the new one is there');

    # One that has gone is withdrawn; an error page fails the run.
    shift @errata;
    write_file($latest, \@errata);
    is(outcome_of('rocky'), "$number records $number unchanged 0 broken 0 added 0 changed 1 withdrawn", 'one goes');
    write_file($latest, []);
    like(outcome_of('rocky'), qr/^failed: document "errata": it does not say which page is the last one/, 'what has no pages is refused');
}

$where->quit;
done_testing();
