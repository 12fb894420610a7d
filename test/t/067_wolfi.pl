# Proves that real security databases of Wolfi come in whole, as a second reading has them; and that
# images of Wolfi and of Chainguard OS have the findings of their own; and what becomes of records in OSV, one for each
# component of a package.
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

my $node    = start_server('wolfi', 'max_worker_processes = 16');
my ($where) = session($node);
my $folder  = PostgreSQL::Test::Utils::tempdir();

# The second reading: "package name" => its versions.
sub fixes_of
{
    my ($path) = @_;
    my %fixes;

    foreach my $package (@{ decode_json($path =~ /\.gz$/ ? scalar `gzip -dc $path` : slurp_file($path))->{packages} })
    {
        my ($name, $fixes) = @{ $package->{pkg} }{qw(name secfixes)};

        foreach my $version (keys %$fixes)
        {
            push @{ $fixes{"$name $_"} }, $version foreach @{ $fixes->{$version} };
        }
    }
    return %fixes;
}

foreach my $case ([ 'feeds/alpine/vunnel-wolfi/secdb/security.json' ], [ 'feeds/alpine/vuls-wolfi-secdb/testdata/fixtures/happy/security.json' ],
    [ 'feeds/alpine/wolfi-security.json.gz' ])
{
    my ($name) = @$case;
    my $path = test_data($name);

  SKIP:
    {
        skip "there is no $name", 3 if !defined $path;
        my %fixes = fixes_of($path);

        set_feed($where, 'wolfi', $path, '{"max_shrinkage": 100}');
        my $run = update($where, 'wolfi');
        is("$run->{state} $run->{broken}", 'succeeded 0', "$name is read") or diag($run->{error});
        my %got = map { my ($key, $version) = split /\t/; ($key => $version) } split /\n/, query($where, <<'SQL');
SELECT a.package || ' ' || v.name || E'\t' || COALESCE(clair.bare(a.fixed), '0')
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id AND a.until_run IS NULL AND a.kind = 'source'
WHERE v.updater = 'wolfi' AND a.namespace = 'wolfi:rolling'
SQL
        is_deeply([ sort keys %got ], [ sort keys %fixes ], '... with each vulnerability of each package: ' . keys %got);
        my @wrong = grep { my $got = $got{$_}; my @all = @{ $fixes{$_} };
            !grep({ $_ eq $got } @all) || ($got eq '0' && grep { $_ ne '0' } @all) } sort keys %fixes;
        is_deeply(\@wrong, [], '... fixed in one of its versions, and never affected only where no other says more');
    }
}

# Images: what is installed is found by the name of its source.
sub layer
{
    my ($id) = @_;

    return make_layer("$folder/$id.tar", 'etc/os-release' => "ID=$id\nVERSION_ID=20230201\n",
        'lib/apk/db/installed' => join('', map { my ($name, $version, $origin) = @$_;
            "P:$name\nV:$version\nA:x86_64\no:$origin\n\n" } [ 'libbfd', '2.39-r1', 'binutils' ], [ 'curl', '7.86.0-r0', 'curl' ],
            [ 'coreutils', '9.1-r0', 'coreutils' ]));
}

sub findings
{
    my ($image, $updater) = @_;

    return query($where, 'SELECT string_agg(concat_ws(\' \', feature, vulnerability, fixed_in), \'; \' ORDER BY feature, vulnerability)'
        . " FROM clair.vulnerabilities('$image') WHERE vulnerability IS NOT NULL AND updater = '$updater'");
}

my %secdb = (urlprefix => 'https://packages.wolfi.dev', packages => [
    { pkg => { name => 'binutils', secfixes => { '2.39-r1' => ['CVE-2031-1001'], '2.39-r2' => ['CVE-2031-1002'] } } },
    { pkg => { name => 'coreutils', secfixes => { '0' => ['CVE-2031-1003'] } } },
    { pkg => { name => 'curl', secfixes => { '7.86.0-r1' => ['CVE-2031-1004'] } } } ]);
index_file($where, layer('wolfi'), 'wolfi');
index_file($where, layer('chainguard'), 'chainguard');
write_file("$folder/wolfi.json", \%secdb);
write_file("$folder/chainguard.json", { %secdb, urlprefix => 'https://packages.cgr.dev/chainguard', packages => [
    { pkg => { name => 'curl', secfixes => { '7.86.0-r2' => ['CVE-2031-1004'] } } } ] });
set_feed($where, 'wolfi', "$folder/wolfi.json", '{"max_shrinkage": 100}');
set_feed($where, 'chainguard', "$folder/chainguard.json");
is(update($where, 'wolfi')->{state}, 'succeeded', 'Wolfi');
is(update($where, 'chainguard')->{state}, 'succeeded', 'Chainguard OS');
is(findings('wolfi', 'wolfi'), 'curl CVE-2031-1004 7.86.0-r1; libbfd CVE-2031-1002 2.39-r2', 'an image of Wolfi');
is(findings('chainguard', 'chainguard'), 'curl CVE-2031-1004 7.86.0-r2', 'an image of Chainguard OS');
set_feed($where, 'wolfi', "$folder/chainguard.json", '{"max_shrinkage": 100}');
like(update($where, 'wolfi')->{error}, qr/^document "secdb": it is of another distribution/, 'they are not confused');

# OSV: an archive of both, whose records are about components of packages. It is self-made, in the form that is described
# in public: there is no sample of it.
sub component
{
    my ($id, $cve, $distribution, $package, $architecture, $fixed) = @_;

    return "$id.json" => { id => $id, upstream => [$cve], affected => [ { package => { ecosystem => $distribution, name => $package,
        purl => 'pkg:apk/' . lc($distribution) . "/$package?arch=$architecture" }, ranges => [ { type => 'ECOSYSTEM',
        events => [ { introduced => '0' }, defined $fixed ? { fixed => $fixed } : () ] } ] } ] };
}

make_layer("$folder/osv.tar",
    component('CGA-2222-2222-0001', 'CVE-2031-2001', 'Wolfi', 'curl', 'x86_64', '7.86.0-r1'),
    component('CGA-2222-2222-0002', 'CVE-2031-2001', 'Wolfi', 'curl', 'x86_64', '7.86.0-r4'),
    component('CGA-2222-2222-0003', 'CVE-2031-2001', 'Wolfi', 'curl', 'aarch64', undef),
    component('CGA-2222-2222-0004', 'CVE-2031-2002', 'Wolfi', 'curl', 'x86_64', '7.86.0-r1'),
    component('CGA-2222-2222-0005', 'CVE-2031-2002', 'Wolfi', 'curl', 'x86_64', undef),
    component('CGA-2222-2222-0006', 'CVE-2031-2003', 'Wolfi', 'curl', 'x86_64', '0'),
    component('CGA-2222-2222-0007', 'CVE-2031-2004', 'Wolfi', 'binutils', 'x86_64', '2.39-r3'),
    component('CGA-2222-2222-0008', 'CVE-2031-2005', 'Wolfi', 'libbfd', 'x86_64', '2.39-r5'),
    component('CGA-2222-2222-0009', 'CVE-2031-2001', 'Chainguard', 'curl', 'x86_64', '7.86.0-r0'),
    component('CGA-2222-2222-0010', 'GHSA-fghj-mpqr-vwxc', 'Chainguard', 'coreutils', 'x86_64', '9.1-r1'));
set_feed($where, 'chainguard-osv', "$folder/osv.tar");
my $run = update($where, 'chainguard-osv');
is("$run->{state} $run->{broken}", 'succeeded 0', 'the archive of both') or diag($run->{error});
is(findings('wolfi', 'chainguard-osv'), 'curl CVE-2031-2001 7.86.0-r4; curl CVE-2031-2002; libbfd CVE-2031-2004 2.39-r3; libbfd CVE-2031-2005 2.39-r5',
    'the highest fix counts, and before it what has none; names are those of sources or of packages, and none is found twice');
is(findings('chainguard', 'chainguard-osv'), 'coreutils GHSA-fghj-mpqr-vwxc 9.1-r1', 'each distribution has its own');

$where->quit;
done_testing();
