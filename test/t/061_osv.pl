# Proves that OSV records of any source become findings: folders, archives and osv.dev's exports with
# their lists of changes; ranges up to a last affected version, several of them, of several records; that
# what real records say comes in whole; and that a large archive is read in little memory.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Archive::Tar;
use FeedTest;
use HelperProcess;
use IndexTest;
use IO::Compress::Zip qw(zip $ZipError);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use UpdateReader;

my $node    = start_server('osv', 'max_worker_processes = 16');
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

sub create
{
    my ($name, $path, $options) = @_;

    query($where, "SELECT clair.create_updater('$name', 'file://$path', 'osv', '" . encode_json($options) . "')");
}

# A record: its packages are [ ecosystem, name, events or versions, purl ] each.
sub record
{
    my ($id, $upstream, @packages) = @_;

    return {
        id => $id, upstream => $upstream,
        affected => [
            map {
                my ($ecosystem, $name, $events, $purl) = @$_;
                {
                    package => { ecosystem => $ecosystem, name => $name, (defined $purl ? (purl => $purl) : ()) },
                    ranges => [ { type => 'ECOSYSTEM', events => $events } ]
                }
            } @packages
        ]
    };
}

# Events: introduced, fixed, introduced, ...; "<=1.2" in place of a fix is the last affected version.
sub events
{
    my @events;

    while (my ($introduced, $end) = splice(@_, 0, 2))
    {
        push @events, { introduced => $introduced };
        push @events, $end =~ /^<=(.*)/ ? { last_affected => $1 } : { fixed => $end } if defined $end;
    }
    return \@events;
}

sub write_zip
{
    my ($path, %records) = @_;
    my %files = map { ("$_.json" => encode_json($records{$_})) } keys %records;
    my $zip;

    foreach my $name (sort keys %files)
    {
        if (!defined $zip)
        {
            $zip = IO::Compress::Zip->new($path, Name => $name) or die "zip: $ZipError";
        }
        else
        {
            $zip->newStream(Name => $name);
        }
        $zip->print($files{$name});
    }
    $zip->close;
}

sub findings
{
    my ($image) = @_;

    return query($where, 'SELECT string_agg(concat_ws(\' \', feature, vulnerability, COALESCE(fixed_in, status)), \'; \''
        . " ORDER BY feature, vulnerability) FROM clair.vulnerabilities('$image') WHERE vulnerability IS NOT NULL");
}

# ---------------------------------------------------------------------------
# A folder of records, and findings
# ---------------------------------------------------------------------------

query($where, "UPDATE clair.updater SET enabled = false, options = '{\"namespaces\": []}' WHERE name = 'debian'");
foreach my $version (qw(1.0 1.4 1.4+b1 2.2 2.3))
{
    index_file($where, make_layer("$folder/image.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
        'var/lib/dpkg/status' => status_paragraphs([ 'libp', $version, 'p' ], [ 'q', $version ])), "v$version");
}
mkdir "$folder/records";
write_file("$folder/records/HOUSE-2031:1.json", record('HOUSE-2031:1', [ 'CVE-2031-1001', 'CVE-2031-1002' ],
    [ 'House:1', 'p', events('0', '1.2', '2.0', '2.3') ], [ 'House:1', 'q', events('1.1', '<=1.4') ],
    [ 'npm', 'p', events('0') ]));
write_file("$folder/records/readme.txt", 'no record');
create('house', "$folder/records/", { ecosystems => { 'House:1' => 'debian:12' } });
is(outcome_of('house'), '1 records 0 unchanged 1 broken 2 added 0 changed 0 withdrawn',
    'a record of a folder, with a colon in its name');
is(findings('v1.0'), 'libp CVE-2031-1001 1.2; libp CVE-2031-1002 1.2', 'below the first fix');
is(findings('v1.4'), 'q CVE-2031-1001 affected; q CVE-2031-1002 affected', 'the last affected version');
is(findings('v1.4+b1'), '', 'the one behind it');
is(findings('v2.2'), 'libp CVE-2031-1001 2.3; libp CVE-2031-1002 2.3', 'in the second range');
is(findings('v2.3'), '', 'with the second fix');

# A second record on one of the vulnerabilities.
write_file("$folder/records/HOUSE-2031:2.json", record('HOUSE-2031:2', ['CVE-2031-1001'],
    [ 'House:1', 'p', events('2.1', '2.4') ], [ 'House:1', 'q', events('0', '1.4+b2') ]));
is(outcome_of('house'), '1 records 0 unchanged 0 broken 1 added 0 changed 0 withdrawn', 'another record');
is(findings('v1.4+b1'), 'q CVE-2031-1001 1.4+b2', 'which has a fix for what had none');
is(findings('v2.2'), 'libp CVE-2031-1001 2.4; libp CVE-2031-1002 2.3', '... and a later one');
unlink "$folder/records/HOUSE-2031:2.json";
is(outcome_of('house'), '0 records 0 unchanged 0 broken 0 added 0 changed 1 withdrawn', 'it goes');
is(findings('v1.4+b1'), '', 'all is as it was');
is(query($where, "SELECT namespaces FROM clair.updater WHERE name = 'house'"), '{debian:12}',
    'the updater covers what its option names');
query($where, "SELECT clair.drop_updater('house')");

like(outcome($node, q(SELECT clair.create_updater('bad', 'file:///x', 'osv', '{"ecosystems": {"A": "nonsense:1"}}'))),
    qr/namespace "nonsense:1" of option "ecosystems" is not known/, 'an option is checked');

# ---------------------------------------------------------------------------
# An export, with the list of its changes
# ---------------------------------------------------------------------------

my $export = "$folder/export";
mkdir $export;
my %records = map { ("DSA-$_" => record("DSA-$_", ["CVE-2031-200$_"], [ 'Debian:12', 'p', events('0', "1.$_") ])) } 1 .. 4;
write_zip("$export/all.zip", %records);
write_file("$export/modified_id.csv", "2031-01-02T00:00:00Z,DSA-1\n2031-01-01T00:00:00Z,DSA-2\n");
create('export', "$export/modified_id.csv", { namespaces => [] });
is(outcome_of('export'), '4 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn', 'all of it');
is(outcome_of('export'), '0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'nothing has changed');
unlink "$export/all.zip"; # it is not even asked for
write_file("$export/DSA-1.json", record('DSA-1', ['CVE-2031-2001'], [ 'Debian:12', 'p', events('0', '2.0') ]));
write_file("$export/DSA-5.json", record('DSA-5', ['CVE-2031-2005'], [ 'Debian:12', 'p', events('0', '3.0') ]));
write_file("$export/DSA-2.json", { %{ $records{'DSA-2'} }, withdrawn => '2031-01-03T00:00:00Z' });
write_file("$export/modified_id.csv", "2031-01-03T00:00:00Z,DSA-2\n2031-01-03T00:00:00Z,Debian/DSA-5\n2031-01-02T00:00:01Z,DSA-1\n"
    . "2031-01-02T00:00:00Z,DSA-1\n");
mkdir "$export/Debian";
rename("$export/DSA-5.json", "$export/Debian/DSA-5.json");
is(outcome_of('export'), '3 records 0 unchanged 0 broken 1 added 1 changed 1 withdrawn',
    'single records: one is new, one is another, one is withdrawn');
is(findings('v1.4'), 'libp CVE-2031-2001 2.0; libp CVE-2031-2005 3.0', 'and the findings with them');
is(query($where, q(SELECT state FROM clair.updater_state WHERE updater = 'export')), '2031-01-03T00:00:00.000Z',
    'how far it has come');
query($where, "SELECT clair.drop_updater('export')");

# ---------------------------------------------------------------------------
# Real records, read a second time by other means
# ---------------------------------------------------------------------------

my $data = ($ENV{CLAIR_TEST_DATA} // '') . '/feeds/alma/vunnel/osv-database/advisories';
SKIP:
{
    skip 'CLAIR_TEST_DATA has no OSV records of AlmaLinux', 6 if !-d $data;
    foreach my $release (8, 9)
    {
        my @expected;

        foreach my $file (glob "$data/almalinux$release/*.json")
        {
            my $record = decode_json(slurp_file($file));
            my ($severity) = $record->{summary} =~ /^(Moderate|Important|Low|Critical):/;

            foreach my $package (@{ $record->{affected} })
            {
                my ($fixed) = map { $_->{fixed} // () } map { @{ $_->{events} } } @{ $package->{ranges} };
                push @expected, join('|', $record->{id}, $_, "almalinux:$release", 'binary', $package->{package}{name}, $fixed,
                    { Moderate => 'Medium', Important => 'High', Low => 'Low' }->{ $severity // '' } // 'Unknown')
                    foreach @{ $record->{related} };
            }
        }
        create("alma$release", "$data/almalinux$release/", { namespaces => ["almalinux:$release"] });
        my $run = update($where, "alma$release");
        is("$run->{state} $run->{broken}", 'succeeded 0', "AlmaLinux $release is read") or diag($run->{error});
        my @got = split /\n/, query($where, <<"SQL");
SELECT concat_ws('|', v.record, v.name, a.namespace, a.kind, a.package, clair.bare(a.fixed), a.severity)
FROM clair.vulnerability AS v JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.updater = 'alma$release'
SQL
        is_deeply([ sort @got ], [ sort @expected ], '... and has the ranges of the second reading: ' . @got);
    }
    is(query($where, q(SELECT count(*) FROM clair.vulnerability WHERE record LIKE 'ALBA-%')), '0', 'bugs are none');
    is(query($where, q(SELECT link FROM clair.vulnerability WHERE name = 'CVE-2023-32681')),
        'https://errata.almalinux.org/8/ALSA-2023-4520.html', 'a link is that of the advisory');
}

# ---------------------------------------------------------------------------
# A large archive
# ---------------------------------------------------------------------------

my $large = "$folder/large.zip";
my $count = $ENV{CLAIR_TEST_LONG} ? 200_000 : 20_000;
{
    my $zip = IO::Compress::Zip->new($large, Name => 'DSA-0.json', Level => 1) or die "zip: $ZipError";
    my $text = encode_json({ %{ record('DSA-1', ['CVE-2031-1'], map { [ "Debian:$_", 'p', events('0', '1') ] } 10 .. 13) },
        details => 'words and words ' x 60 });

    foreach my $number (0 .. $count - 1)
    {
        $zip->newStream(Name => "DSA-$number.json", Level => 1) if $number > 0;
        $zip->print($text =~ s/DSA-1/DSA-$number/r =~ s/CVE-2031-1/CVE-2031-@{[ 10000 + $number ]}/r);
    }
    $zip->close;
}
foreach my $known (0, 1)
{
    my $started = time();
    my $read    = read_update('osv', 'osv', $large, $known, '{}');

    is($read->{rows}, $known ? $count : 6 * $count, ($known ? 'known' : 'new') . ": $count records");
    cmp_ok($read->{peak}, '<', 96, sprintf('in %.0f MB, %.2f s of CPU', $read->{peak}, $read->{cpu}));
}

# What inflates to far more than it is, is refused.
write_file("$folder/zeros", "\0" x (80 * 1024 * 1024));
zip("$folder/zeros" => "$folder/bomb.zip", Name => 'DSA-1.json') or die "zip: $ZipError";
create('bomb', "$folder/bomb.zip", { namespaces => [] });
my $bomb = update($where, 'bomb');
like($bomb->{error}, qr/^document "osv": "DSA-1\.json": the record is too large\n.*clair\.max_record_size/,
    'a zip bomb is refused');

$where->quit;
done_testing();
