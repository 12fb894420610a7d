# Proves Amazon Linux's updater through SQL: repositories are found as Amazon's server has them and in copies;
# an extra's fixes are for its own packages; goldens and reports of other tools are come to; and a
# repository that is not what it says changes nothing.
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
use WebServer;

my $node      = start_server('amazon', 'clair.allow_private_networks = on');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/amazon");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'amazon');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

sub lines
{
    return [ sort map { join "\t", @$_ } @_ ];
}

# ---------------------------------------------------------------------------
# A copy: a folder of repositories
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/amazon");
write_file("$folder/amazon/keys/key.asc", 'no repository');
set_feed($session, 'amazon', "$folder/amazon/");
is(outcome(), 'succeeded: 4 records 0 unchanged 0 broken 6 added 0 changed 0 withdrawn',
    'the core and three extras, one of which has no updates, and another folder');

my @own = (
    [ 'CVE-2031-1001', 'amzn:2', 'kernel',     '4.14.248-189.473.amzn2', 'fixed', '', '', 'any' ],
    [ 'CVE-2031-1001', 'amzn:2', 'kernel',     '5.10.68-62.173.amzn2',   'fixed', '', '', 'any' ],
    [ 'CVE-2031-1002', 'amzn:2', 'kernel',     '4.14.248-189.473.amzn2', 'fixed', '', '', 'any' ],
    [ 'CVE-2031-1003', 'amzn:2', 'quux',       '2:1.2-3.amzn2',          'fixed', '', '', 'any' ],
    [ 'CVE-2031-1003', 'amzn:2', 'quux-tools', '2:1.2-3.amzn2',          'fixed', '', '', 'x86_64' ],
    [ 'CVE-2031-1004', 'amzn:2', 'kernel',     '5.10.68-62.173.amzn2',   'fixed', '', '', 'any' ],
    [ 'CVE-2031-1005', 'amzn:2', 'runc',       '1.1.12-1.amzn2',         'fixed', '', '', 'any' ]);

is_deeply(stated($session, 'amazon', 1), lines(@own), 'what they fix')
    or diag(join "\n", @{ stated($session, 'amazon', 1) });
is_deeply([ query($session, "SELECT name, severity, advisory, link FROM clair.vulnerability AS v JOIN clair.affected"
        . " AS a ON a.vulnerability_id = v.id WHERE package = 'kernel' AND record LIKE 'amzn2extra%' ORDER BY name") ],
    [ map { "$_|Medium|ALAS2KERNEL-5.10-2031-001|https://alas.aws.amazon.com/AL2/ALASKERNEL-5.10-2031-001.html" }
        qw(CVE-2031-1001 CVE-2031-1004) ], 'the page of an extra\'s advisory');
is_deeply([ query($session, "SELECT name, description FROM clair.vulnerability WHERE record ~ '1001|KERNEL' ORDER BY id") ],
    [ 'CVE-2031-1001|A flaw of all kernels.',
      "CVE-2031-1002|A flaw of old kernels.", '1234567: CVE-2031-1002 kernel: flaw',
      'CVE-2031-1001|A flaw of all kernels', 'CVE-2031-1004|A flaw of new kernels' ],
    'each vulnerability is described by its own text');

# Kernels of the core, of the extra, and of another extra whose advisories are not there
my %kernels = (
    '4.14.200-155.322.amzn2' => [ 'CVE-2031-1001 4.14.248-189.473.amzn2', 'CVE-2031-1002 4.14.248-189.473.amzn2' ],
    '4.14.248-189.473.amzn2' => [],
    '4.14.355-275.572.amzn2' => [],
    '5.4.181-99.354.amzn2'   => [],
    '5.10.0-1.amzn2'         => [ 'CVE-2031-1001 5.10.68-62.173.amzn2', 'CVE-2031-1004 5.10.68-62.173.amzn2' ],
    '5.10.68-62.173.amzn2'   => [],
    '5.15.43-20.123.amzn2'   => [],
);
foreach my $version (sort keys %kernels)
{
    foreach my $architecture (qw(x86_64 aarch64))
    {
        my $name = "kernel $version $architecture";

        index_file($session, rpm_image("$folder/kernel.tar", 'amzn', '2', [ 'kernel', $version, $architecture ]), $name);
        is_deeply([ query($session, "SELECT vulnerability || ' ' || fixed_in FROM clair.vulnerabilities('$name')"
                . ' WHERE vulnerability IS NOT NULL ORDER BY 1') ], $kernels{$version},
            "$name: " . @{ $kernels{$version} } . ' findings');
    }
}

is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'once more: nothing');

# ---------------------------------------------------------------------------
# Broken documents
# ---------------------------------------------------------------------------

my $core   = "$folder/amazon/amzn2-core/repodata";
my $text   = slurp_file("$core/updateinfo.xml");
my $repomd = slurp_file("$core/repomd.xml") =~ s{<checksum.*</checksum>\s*}{}r;

write_file("$core/updateinfo.xml", $text =~ s/1\.2"/1.3"/gr);
like(outcome(), qr/^failed: .*document "amzn2-core\/updateinfo.xml" is not the one that document "amzn2-core\/repomd.xml" names/,
    'updates that are not those that the repository names');
like(scalar query($session, 'SELECT error_detail FROM clair.update_run ORDER BY id DESC LIMIT 1'),
    qr/^Its checksum is "sha256:[0-9a-f]{64}", not "sha256:[0-9a-f]{64}"\.$/, '... by their checksum');

write_file("$core/repomd.xml", $repomd);
sub fails
{
    my ($content, $error, $name) = @_;

    write_file("$core/updateinfo.xml", $content);
    like(outcome(), qr/^failed: .*$error/, $name);
    is_deeply(stated($session, 'amazon', 1), lines(@own), '... and nothing changes');
}

my $place = 'document "amzn2-core/updateinfo.xml": line \d+: ';

fails(substr($text, 0, length($text) / 2), "${place}the document ends too early", 'a document that is cut');
fails('<html/>', "${place}the document is \"html\", not \"updates\"", 'another page');
fails('<updates><update type="' . 'x' x 300_000 . '"/></updates>', "${place}a tag or a comment is too large",
    'an attribute of 300 kB');
fails('<updates>' . '<update>' x 100, "${place}elements are nested too deep", 'elements in one another');
fails('<updates><update>&lol;</update></updates>', "${place}Entity 'lol' not defined", 'an entity');
SKIP:
{
    my $hostile = test_data('hostile/feed') or skip 'there are no test data', 1;
    my %refused = (
        'attr-huge.xml.gz'    => "${place}the document is \"oval_definitions\"",
        'deep.xml.gz'         => "${place}the document is \"a\"",
        'entity-bomb.xml'     => "${place}a document type declaration is not allowed",
        'external-entity.xml' => "${place}a document type declaration is not allowed",
        'html-instead.xml'    => "${place}a document type declaration is not allowed",
        'xinclude.xml'        => "${place}the document is \"oval_definitions\"",
        'latin1.xml'          => "${place}the document is \"oval_definitions\"",
    );

    fails(slurp_file("$hostile/$_"), $refused{$_}, $_) foreach sort keys %refused;
}
write_file("$core/repomd.xml", '<repomd/>');
fails($text, 'document "amzn2-core/repomd.xml": it names no updateinfo', 'a core without updates');
write_file("$core/repomd.xml", $repomd =~ s{href="}{href="../../amzn2extra-docker/../../}r);
fails($text, 'Only what lies below|which is not allowed|could not open', 'updates elsewhere');
write_file("$core/repomd.xml", $repomd);
write_file("$core/updateinfo.xml", $text =~ s/1\.2"/1.3"/gr);
is(outcome(), 'succeeded: 2 records 1 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'without a checksum, another edition is read: one advisory has changed');

# ---------------------------------------------------------------------------
# Amazon's server
# ---------------------------------------------------------------------------

sub document_of
{
    my ($id, $release, $cve) = @_;

    return updates_document({ id => $id, title => $id, severity => 'important', cves => [$cve],
        packages => [ { name => 'quux', epoch => 0, version => '1.2', release => "3.$release", arch => 'x86_64' } ] });
}

{
    my $server;
    my %repositories = (
        '/al2023/guid'          => document_of('ALAS2023-2031-001', 'amzn2023', 'CVE-2031-2001'),
        '/al2022/guid'          => document_of('ALAS2022-2031-001', 'amzn2022', 'CVE-2031-2002'),
        '/2/core/guid'          => document_of('ALAS2-2031-2001', 'amzn2', 'CVE-2031-2003'),
        '/2/extras/docker/guid' => document_of('ALAS2DOCKER-2031-001', 'amzn2', 'CVE-2031-2004'),
    );
    my %lists = (
        '/al2023/core/mirrors/latest/x86_64/mirror.list' => '/al2023/guid',
        '/al2022/core/mirrors/latest/x86_64/mirror.list' => '/al2022/guid',
        '/2/core/latest/x86_64/mirror.list'              => '/2/core/guid',
        '/2/extras/docker/latest/x86_64/mirror.list'     => '/2/extras/docker/guid',
    );
    my %paths = ('/2/extras-catalog-x86_64.json' => '{"topics": [{"n": "docker"}, {"n": "gone", "inst": []}]}');
    my $port_file = "$folder/port";

    foreach my $repository (keys %repositories)
    {
        my %files = repository_files($repositories{$repository});

        $paths{"$repository/$_"} = $files{$_} foreach keys %files;
    }
    my %handlers = map { my $body = $paths{$_};
        ($_ => sub { WebServer::answer($_[0], '200 OK', { ETag => '"1"' }, $body) }) } keys %paths;
    foreach my $list (keys %lists)
    {
        $handlers{$list} = sub {
            WebServer::answer($_[0], '200 OK', {}, 'http://127.0.0.1:' . slurp_file($port_file) . "$lists{$list}\n");
        };
    }
    $server = WebServer->start(%handlers);
    write_file($port_file, $server->{port});
    query($session, "UPDATE clair.updater SET url = '"
        . $server->url('/al2023/core/mirrors/latest/x86_64/mirror.list') . "' WHERE name = 'amazon'");
    like(outcome(), qr/^succeeded: 4 records 0 unchanged 0 broken 4 added/, 'mirrors, a catalogue, and what these lead to');
    is_deeply([ grep { /amzn:20/ || /CVE-2031-200/ } @{ stated($session, 'amazon') } ], lines(
        [ 'CVE-2031-2001', 'amzn:2023', 'quux', '1.2-3.amzn2023', 'fixed', '', '', 'any' ],
        [ 'CVE-2031-2002', 'amzn:2022', 'quux', '1.2-3.amzn2022', 'fixed', '', '', 'any' ],
        [ 'CVE-2031-2003', 'amzn:2',    'quux', '1.2-3.amzn2',    'fixed', '', '', 'any' ],
        [ 'CVE-2031-2004', 'amzn:2',    'quux', '1.2-3.amzn2',    'fixed', '', '', 'any' ]),
        '... are three releases and an extra');
    is($server->count('/2/extras/gone/latest/x86_64/mirror.list'), 1, '... of which one may be missing');
}

# ---------------------------------------------------------------------------
# Goldens and reports
# ---------------------------------------------------------------------------

SKIP:
{
    my $data = test_data('feeds/amazon') or skip 'there are no test data', 1;

    # Clair 2's updates, and what it makes of their descriptions
    my $xml = slurp_file("$data/clair2/amazon_linux_2_updateinfo.xml");
    my @updates = read_updates($xml);

    set_feed($session, 'amazon', abs_path("$data/clair2/amazon_linux_2_updateinfo.xml"), '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 2 records 0 unchanged 0 broken 3 added/, 'the sample of Clair 2');
    is_deeply(stated($session, 'amazon', 1), golden_lines('amzn:2', @updates), '... says what a second reading finds');
    my @described = query($session, 'SELECT regexp_replace(link, \'.*/\', \'\'), name, regexp_replace(description, \'\s+\', \' \','
        . " 'g') FROM clair.vulnerability WHERE updater = 'amazon' AND until_run IS NULL AND frozen IS NULL ORDER BY link, name");
    is(scalar @described, 3, '... three vulnerabilities of advisories');
    foreach my $number (0, 1)
    {
        my $golden = slurp_file("$data/clair2/amazon_linux_2_description_$number.txt");
        my ($page) = $updates[$number]{id} =~ /^ALAS2-(.*)/;

        foreach my $line (grep { /^ALAS-$page\.html\|/ } @described)
        {
            my (undef, $name, $description) = split /\|/, $line, 3;

            isnt(index($golden, "$name: $description"), -1, "... $name of its golden $number, word for word");
        }
    }

    # trivy-db's advisories, one a file
    foreach my $file (glob "$data/trivy-db-amazon/happy/vuln-list/amazon/*/*.json")
    {
        my $update = JSON::PP->new->utf8->decode(slurp_file($file));
        my ($release) = $file =~ m{/([^/]+)/[^/]+$};
        my $namespace = 'amzn:' . ($release eq '1' ? '2018.03' : $release);

        $update->{cves} = $update->{cveids};
        write_repository("$folder/$update->{id}", updates_document($update));
        set_feed($session, 'amazon', "$folder/$update->{id}/", '{"max_shrinkage": 100}');
        like(outcome(), qr/^succeeded: 1 records 0 unchanged 0 broken/, "$update->{id} of trivy-db");
        is_deeply([ grep { /\t$namespace\t/ } @{ stated($session, 'amazon', 1) } ], golden_lines($namespace, $update),
            '... each package that it has');
        is(scalar query($session, "SELECT string_agg(DISTINCT advisory || ' ' || severity, ' ') FROM clair.affected AS a JOIN"
            . ' clair.vulnerability AS v ON v.id = a.vulnerability_id WHERE v.until_run IS NULL AND frozen IS NULL'),
            "$update->{id} " . { low => 'Low', important => 'High', critical => 'Critical' }->{ lc $update->{severity} },
            '... with its severity');
    }
}

# The rows that updates should come to.
sub golden_lines
{
    my ($namespace, @updates) = @_;
    my %lines;

    foreach my $update (@updates)
    {
        foreach my $package (grep { $_->{name} !~ /-debuginfo/ } @{ $update->{packages} })
        {
            $lines{ join "\t", $_, $namespace, $package->{name}, evr_of($package), 'fixed', '', '', 'any' } = 1
                foreach @{ $update->{cves} };
        }
    }
    die 'no golden was found' unless %lines;
    return [ sort keys %lines ];
}

# The fixture database of trivy's reports, as updates: one of each fix, with the severity that Amazon gives.
sub fixture_updates
{
    my ($truth) = @_;
    my ($release, $package, $cve, %severity, @updates);
    my @words = qw(unknown low medium important critical);

    foreach my $line (split /\n/, slurp_file("$truth/fixtures-db/vulnerability.yaml"))
    {
        $cve = $1 if $line =~ /- key: (\S+)/;
        $severity{$cve} = $words[$1] if $line =~ /^\s+amazon: (\d)/;
    }
    foreach my $line (split /\n/, slurp_file("$truth/fixtures-db/amazon.yaml"))
    {
        $release = $1 if $line =~ /bucket: amazon linux (\d+)/;
        $package = $1 if $line =~ /bucket: (\S+)$/;
        $cve     = $1 if $line =~ /key: (\S+)/;
        next unless $line =~ /FixedVersion: (?:(\d+):)?([^-]+)-(\S+)/;
        push @updates, { id => "ALAS$release-2019-" . (1 + @updates), title => 'fixture', cves => [$cve],
            severity => $severity{$cve} // 'unknown',
            packages => [ { name => $package, epoch => $1 // 0, version => $2, release => $3, arch => 'x86_64' } ] };
    }
    die 'no fixture was found' unless @updates;
    return @updates;
}

SKIP:
{
    my $truth = test_data('truth') or skip 'there are no test data', 1;
    my $images = abs_path(test_data('images/rpm'));
    my @updates = fixture_updates($truth);
    my %reports;

    write_repository("$folder/fixture", updates_document(@updates));
    set_feed($session, 'amazon', "$folder/fixture/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 5 records 0 unchanged 0 broken/, 'the fixture database of trivy');
    foreach my $file (glob "$truth/reports/amazon*.tsv")
    {
        my (undef, @lines) = split /\n/, slurp_file($file);
        my ($name) = $file =~ m{([^/]+)\.tsv$};

        $reports{$name} = [ map { [ split /\t/ ] } @lines ];
    }

    # The real package list of amazon-2, and the database that rpm made of it; of the other images only the
    # packages of the reports are known.
    my %made = (
        'amazon-1'                => [ '2018.03', map { [ @$_[ 1, 2 ], 'x86_64' ] } @{ $reports{'amazon-1'} } ],
        'amazon-2'                => [ '2', package_list("$truth/packages/amazon-2.tsv") ],
        'amazonlinux2-gp2-x86-vm' => [ '2', map { [ @$_[ 1, 2 ], 'x86_64' ] } @{ $reports{'amazonlinux2-gp2-x86-vm'} } ],
    );
    foreach my $name (sort keys %made)
    {
        my ($version, @packages) = @{ $made{$name} };
        my @expected = map { join "\t", @$_[ 1 .. 4 ] } @{ $reports{$name} };

        index_file($session, rpm_image("$folder/image.tar", 'amzn', $version, @packages), $name);
        is_deeply([ findings_of($session, $name, 'amazon') ], [ sort @expected ],
            "the report of $name, with " . @packages . ' packages: ' . @expected . ' findings');
    }
    index_file($session, "$images/amazon2-bdb.layer.tar.gz", 'amazon2-bdb');
    is_deeply([ findings_of($session, 'amazon2-bdb', 'amazon') ],
        [ sort map { join "\t", @$_[ 1 .. 4 ] } @{ $reports{'amazon-2'} } ],
        'the report of amazon-2 for the database of that image');
    is_deeply([ query($session, "SELECT DISTINCT vulnerability || ' ' || upper(severity::text) FROM"
            . " clair.vulnerabilities('amazon-2') WHERE vulnerability IS NOT NULL ORDER BY 1") ],
        [ sort map { "$_->[3] $_->[5]" } @{ $reports{'amazon-2'} } ], '... with their severities');

    # Real machines
    skip 'there is no rpm', 1 unless RpmOrder::available();
    my $data = test_data('feeds/amazon');
    push @updates, read_updates(slurp_file("$data/clair2/amazon_linux_2_updateinfo.xml")),
        map { my $update = JSON::PP->new->utf8->decode(slurp_file($_)); $update->{cves} = $update->{cveids}; $update }
        glob "$data/trivy-db-amazon/happy/vuln-list/amazon/*/*.json";
    foreach my $release (qw(2 2022 2023))
    {
        my @packages = package_list("$truth/machine-lists/amazon_$release.tsv");
        my @all = (@updates, updates_about("ALAS$release-2031", @packages));
        my @of_release = map { my %update = %$_;
            $update{packages} = [ grep { $_->{release} =~ /\.amzn$release\b/ } @{ $update{packages} } ]; \%update } @all;

        write_repository("$folder/all", updates_document(@all));
        set_feed($session, 'amazon', "$folder/all/", '{"max_shrinkage": 100}');
        like(outcome(), qr/^succeeded: @{[ scalar @all ]} records \d+ unchanged 0 broken/,
            "all samples, and updates about packages of Amazon Linux $release");
        index_file($session, rpm_image("$folder/machine.tar", 'amzn', $release, @packages), "machine $release");
        same_lines([ findings_of($session, "machine $release", 'amazon') ],
            [ expected_findings(\@of_release, @packages) ],
            "a machine of it, " . @packages . ' packages: the findings that rpm\'s order gives');
    }
}

$session->quit;
done_testing();
