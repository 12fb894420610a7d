# Proves what is known of Ubuntu, from its CVE tracker and from its security data: builds of Ubuntu
# Pro are judged by what is said of them, another run brings what has changed and nothing else, and
# the findings of a real image are those that the tracker and dpkg make of it.
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

my $node    = start_server('ubuntu');
my ($where) = session($node);
my $folder  = PostgreSQL::Test::Utils::tempdir();

# What is found in an image: feature, vulnerability, fix, status, severity, advisory.
sub findings
{
    my ($image, $session) = @_;

    return [ sort(query($session // $where, "SELECT CASE WHEN vulnerability IS NULL THEN 'only: ' || status ELSE"
        . " concat_ws(' ', feature, vulnerability, COALESCE(fixed_in, '-'), status, severity, advisory)"
        . " END FROM clair.vulnerabilities('$image')")) ];
}

# ---------------------------------------------------------------------------
# A tracker of our own
# ---------------------------------------------------------------------------

# Packs files of a tracker, name => lines, below a folder as a server's archive has it.
sub write_tracker
{
    my ($path, %files) = @_;

    return make_layer($path, map { my $cve = s{.*/}{}r; ("uct/$_" => "Candidate: $cve\n$files{$_}") }
        keys %files);
}

my %tracker = (
    'active/CVE-2031-0001' => <<'FILE',
References:
 https://ubuntu.com/security/notices/USN-9001-1
Priority: medium
Priority_bash: high
Patches_bash:
jammy_bash: released (5.1-6ubuntu1.1)
focal_bash: needed
FILE
    'active/CVE-2031-0002' => <<'FILE',
Priority: low
xenial_vim: ignored (end of standard support)
esm-infra/xenial_vim: released (2:7.4-1ubuntu5.5+esm2)
focal_vim: needs-triage
FILE
    'retired/CVE-2031-0003' => <<'FILE',
Priority: critical
esm-apps/xenial_tmux: released (2.1-3+esm1)
focal_bash: not-affected (5.0)
FILE
    'ignored/CVE-2031-0004' => "focal_bash: needed\n",
);

my %image = (
    jammy  => [ '22.04', [ 'bash', '5.1-6ubuntu1' ] ],
    focal  => [ '20.04', [ 'bash', '5.0-6ubuntu1' ], [ 'vim', '2:8.1-1' ] ],
    xenial => [ '16.04', [ 'vim', '2:7.4-1ubuntu5.5' ], [ 'tmux', '2.1-3' ] ],
    pro    => [ '16.04', [ 'vim', '2:7.4-1ubuntu5.5+esm1' ], [ 'tmux', '2.1-3+esm1' ] ],
    linux  => [ '24.04', [ 'linux-libc-dev', '6.8.0-1', 'linux' ] ],
);

sub index_images
{
    my ($session) = @_;

    foreach my $name (sort keys %image)
    {
        my ($release, @packages) = @{ $image{$name} };

        index_file($session, make_layer("$folder/$name.tar",
            'etc/os-release' => "ID=ubuntu\nVERSION_ID=\"$release\"\n",
            'var/lib/dpkg/status' => status_paragraphs(@packages)), $name);
    }
}

# Only what is said in the test is asked.
query($where, 'UPDATE clair.updater SET enabled = false');
index_images($where);
is_deeply(findings('jammy'), ['only: no_feed'], 'nothing is known before the first run');

write_tracker("$folder/uct.tar", %tracker);
set_feed($where, 'ubuntu-tracker', "$folder/uct.tar");
my $run = update($where, 'ubuntu-tracker');
is("@$run{qw(state records broken added)}", 'succeeded 3 0 3', 'a tracker is read');
is_deeply(findings('jammy'), ['bash CVE-2031-0001 5.1-6ubuntu1.1 fixed High USN-9001-1'],
    'a fix, with the priority of its package and its notice');
is_deeply(findings('focal'), ['bash CVE-2031-0001 - affected High'],
    'what is not fixed; what is not looked at yet is no finding');
is_deeply(findings('xenial'),
    [ 'tmux CVE-2031-0003 - will_not_fix Critical', 'vim CVE-2031-0002 - end_of_life Low' ],
    'what only Pro has fixed is not fixed for others');
is_deeply(findings('pro'), ['vim CVE-2031-0002 2:7.4-1ubuntu5.5+esm2 fixed Low'],
    'builds of Pro have the fixes of Pro');
is_deeply(findings('linux'), ['only: no_feed'], 'a release that the tracker does not know');
is(scalar query($where, "SELECT status FROM clair.affected WHERE package = 'vim'"
    . " AND namespace = 'ubuntu:20.04'"), 'under_investigation', 'what is to be looked at is known');

is(update($where, 'ubuntu-tracker')->{state}, 'unchanged', 'the same file again');
$tracker{'active/CVE-2031-0001'} =~ s/focal_bash: needed/focal_bash: released (5.0-6ubuntu1.2)/;
$tracker{'active/CVE-2031-0005'} = "Priority: negligible\nnoble_linux: needed\nzany_linux: needed\n";
$tracker{'active/CVE-2031-0003'} = delete $tracker{'retired/CVE-2031-0003'};
write_tracker("$folder/uct.tar", %tracker);
$run = update($where, 'ubuntu-tracker');
is("@$run{qw(state records unchanged broken added changed withdrawn)}", 'succeeded 4 2 1 1 1 0',
    'a line that has changed, and a new file');
is_deeply(findings('focal'), ['bash CVE-2031-0001 5.0-6ubuntu1.2 fixed High USN-9001-1'],
    'the fix that came');
is_deeply(findings('linux'), ['linux-libc-dev CVE-2031-0005 - affected Negligible'],
    'kernels are packages like others');
is(scalar query($where, "SELECT record || ': ' || reason FROM clair.broken_record WHERE run = $run->{run}"),
    'CVE-2031-0005: zany_linux: the release is not known; its entries are left out',
    'a release that we do not know is told');

# ---------------------------------------------------------------------------
# Archives that are broken
# ---------------------------------------------------------------------------

my $known = 'SELECT md5(string_agg(v::text, NULL ORDER BY id)) FROM clair.vulnerability AS v';
my $old = query($where, $known);

my $hostile = test_data('hostile/feed');

write_file("$folder/cut.tar", substr(slurp_file("$folder/uct.tar"), 0, 3000));
foreach my $file ("$folder/cut.tar", map({ "$hostile/$_" } defined $hostile
        ? qw(html-instead.json empty.json deep.json.gz bomb-256m.json.gz zip-slip-tar.tar.gz) : ()))
{
    set_feed($where, 'ubuntu-tracker', $file);
    $run = update($where, 'ubuntu-tracker');
    is($run->{state}, 'failed', $file =~ s{.*/}{}r . ' as the tracker');
    like($run->{error}, qr/^document "tracker"/, "... and says so: " . $run->{error} =~ s/\n.*//sr);
}
is(scalar query($where, $known), $old, 'changes nothing');
ok(!-e '/etc/cron.d/x', 'nor does any file');

# ---------------------------------------------------------------------------
# Security data of our own
# ---------------------------------------------------------------------------

# An OSV record: its notices, and what is said of packages, "ecosystem package fix".
sub osv_record
{
    my ($cve, $priority, $notices, @packages) = @_;

    return {
        id => "UBUNTU-$cve", upstream => [$cve], related => $notices, details => "About $cve.",
        severity => [ { type => 'Ubuntu', score => $priority } ],
        affected => [ map {
            my ($ecosystem, $name, $fixed) = split / /;
            {
                package => { ecosystem => $ecosystem, name => $name },
                ranges => [ { type => 'ECOSYSTEM',
                    events => [ { introduced => '0' }, defined $fixed ? { fixed => $fixed } : () ] } ],
                versions => ['1.0'],
            }
        } @packages ],
    };
}

# An OpenVEX document: "distro package", and Ubuntu's sentence on each.
sub openvex_document
{
    my ($cve, %sentences) = @_;

    return { metadata => { version => 1 }, statements => [ map {
        my ($distro, $name) = split / /;
        {
            vulnerability => { name => $cve }, status => 'affected',
            action_statement => $sentences{$_},
            products => [ { '@id' => "pkg:deb/ubuntu/$name\@1?arch=source&distro=$distro" } ],
        }
    } sort keys %sentences ] };
}

# Packs records below a folder as a server's archive has it, compressed as there.
sub write_archive
{
    my ($path, $place, %records) = @_;
    my $json = JSON::PP->new->utf8->canonical;

    make_layer("$path.tar", map { ("$place/$_.json" => $json->encode($records{$_})) } keys %records);
    system_or_bail('xz', '-f', "$path.tar");
}

my $osv = new_database($node, 'osv');
my %osv = (
    'UBUNTU-CVE-2031-0001' => osv_record('CVE-2031-0001', 'high', ['USN-9001-1'],
        'Ubuntu:22.04:LTS bash 5.1-6ubuntu1.1', 'Ubuntu:20.04:LTS bash'),
    'UBUNTU-CVE-2031-0002' => osv_record('CVE-2031-0002', 'low', [],
        'Ubuntu:Pro:16.04:LTS vim 2:7.4-1ubuntu5.5+esm2', 'Ubuntu:20.04:LTS vim'),
    'UBUNTU-CVE-2031-0003' => osv_record('CVE-2031-0003', 'critical', [],
        'Ubuntu:Pro:16.04:LTS tmux 2.1-3+esm1', 'Ubuntu:20.04:LTS bash 5.0-6ubuntu2'),
);
my %vex = ('CVE-2031-0001' => openvex_document('CVE-2031-0001',
    'focal bash' => 'We decided to not fix it.', 'jammy bash' => 'We decided to not fix it.'));

query($osv, 'UPDATE clair.updater SET enabled = false');
index_images($osv);
write_archive("$folder/osv-all", 'osv-all/osv/cve/2031', %osv);
set_feed($osv, 'ubuntu', "$folder/osv-all.tar.xz");
$run = update($osv, 'ubuntu');
is("@$run{qw(state records broken added)}", 'succeeded 3 0 3', 'OSV records without OpenVEX documents');
is_deeply(findings('jammy', $osv), ['bash CVE-2031-0001 5.1-6ubuntu1.1 fixed High USN-9001-1'], 'a fix');
is_deeply(findings('focal', $osv), [ 'bash CVE-2031-0001 - affected High',
    'bash CVE-2031-0003 5.0-6ubuntu2 fixed Critical', 'vim CVE-2031-0002 - affected Low' ],
    'what is not fixed');
is_deeply(findings('xenial', $osv),
    [ 'tmux CVE-2031-0003 - will_not_fix Critical', 'vim CVE-2031-0002 - will_not_fix Low' ],
    'what only Pro has fixed');
is_deeply(findings('pro', $osv), ['vim CVE-2031-0002 2:7.4-1ubuntu5.5+esm2 fixed Low'],
    'builds of Pro have the fixes of Pro');
is(scalar query($osv, "SELECT aliases::text FROM clair.vulnerability WHERE name = 'CVE-2031-0001'"),
    '{USN-9001-1}', 'a notice is another name');

write_archive("$folder/vex-all", 'vex-all/vex/cve/2031', %vex);
utime(1, 1, "$folder/osv-all.tar.xz");
$run = update($osv, 'ubuntu');
is("@$run{qw(state records broken added withdrawn)}", 'succeeded 4 0 1 0', 'OpenVEX documents come');
is_deeply([ grep { /bash/ } @{ findings('focal', $osv) } ], [ 'bash CVE-2031-0001 - will_not_fix High',
    'bash CVE-2031-0003 5.0-6ubuntu2 fixed Critical' ], 'what was decided is known, with the severity');
is_deeply(findings('jammy', $osv), ['bash CVE-2031-0001 5.1-6ubuntu1.1 fixed High USN-9001-1'],
    'a decision does not matter where there is a fix');
is(update($osv, 'ubuntu')->{state}, 'unchanged', 'the same files again');

$vex{'CVE-2031-0002'} = { statements => [ { vulnerability => 'CVE-2031-0002', status => 'under_investigation',
    products => [ { '@id' => 'pkg:deb/ubuntu/vim@1?arch=source&distro=focal' } ] } ] };
write_archive("$folder/vex-all", 'vex-all/vex/cve/2031', %vex);
$run = update($osv, 'ubuntu');
is("@$run{qw(state records unchanged added withdrawn)}", 'succeeded 2 1 1 0', 'one document more');
is_deeply([ grep { /vim/ } @{ findings('focal', $osv) } ], [],
    'what is only being looked at is no finding');
is_deeply(findings('xenial', $osv),
    [ 'tmux CVE-2031-0003 - will_not_fix Critical', 'vim CVE-2031-0002 - will_not_fix Low' ],
    '... and nothing else has changed');

$osv{'UBUNTU-CVE-2031-0001'} = osv_record('CVE-2031-0001', 'high', [ 'USN-9001-1', 'USN-9002-1' ],
    'Ubuntu:22.04:LTS bash 5.1-6ubuntu1.1', 'Ubuntu:20.04:LTS bash 5.0-6ubuntu1.2');
$osv{'UBUNTU-CVE-2031-0003'}{withdrawn} = '2031-03-01T00:00:00Z';
write_archive("$folder/osv-all", 'osv-all/osv/cve/2031', %osv);
$run = update($osv, 'ubuntu');
is("@$run{qw(state records unchanged broken withdrawn)}", 'succeeded 3 1 0 1', 'records that have changed');
is_deeply(findings('focal', $osv), ['bash CVE-2031-0001 5.0-6ubuntu1.2 fixed High'],
    'the fix that came counts more than what was decided before; what was withdrawn is gone');

set_feed($osv, 'ubuntu', $folder, '{"max_shrinkage": 100}');
unlink glob("$folder/*.tar");
is(update($osv, 'ubuntu')->{state}, 'unchanged', 'the same as a folder of archives');
is_deeply(findings('focal', $osv), ['bash CVE-2031-0001 5.0-6ubuntu1.2 fixed High'],
    '... says the same');
$osv->quit;

# ---------------------------------------------------------------------------
# The real tracker and a real image
# ---------------------------------------------------------------------------

my $TRUTH = test_data('truth/ubuntu-jammy.uct.tsv');
SKIP:
{
    skip 'there are no test data', 1 if !defined $TRUTH;
    my $DATA = $TRUTH =~ s{/truth/.*}{}r;
    my $real = new_database($node, 'real');

    query($real, 'UPDATE clair.updater SET enabled = false');
    index_file($real, "$DATA/images/jammy/jammy.docker.tar.gz", 'jammy');
    set_feed($real, 'ubuntu-tracker', "$DATA/feeds/ubuntu/");
    $run = update($real, 'ubuntu-tracker');
    is("@$run{qw(state records broken)}", 'succeeded 16609 3',
        'the two archives of a folder, in which three lines have a fix without a version');

    # The list takes what nobody has looked at yet for affected, which is no finding of ours, and
    # leaves out what will not be fixed, which is.
    my (undef, @expected) = split /\n/, slurp_file($TRUTH);
    my @got = query($real, <<'SQL');
SELECT concat_ws(E'\t', 'ubuntu-jammy', feature, installed_version, vulnerability, fixed_in,
    lower(severity::text))
FROM (
    SELECT feature, installed_version, vulnerability, COALESCE(fixed_in, '') AS fixed_in, severity
    FROM clair.image_vulnerability
    WHERE status IN ('fixed', 'affected', 'deferred')
    UNION ALL
    SELECT f.name, f.version, v.name, '', a.severity
    FROM clair.features('jammy') AS f
        JOIN clair.affected AS a ON a.package = f.source_name AND a.namespace = f.namespace
            AND a.until_run IS NULL
        JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id
    WHERE a.status = 'under_investigation'
) AS found
SQL
    is_deeply([ sort @got ], [ sort @expected ],
        'jammy: findings are those of the list (' . @expected . ' lines)');
    is(update($real, 'ubuntu-tracker')->{state}, 'unchanged', 'the same archives again');
    $real->quit;
}

$where->quit;
done_testing();
