# Proves that a mirror with the documented layout serves every updater that the extension brings, by files and
# over HTTP, with one call of clair.use_mirror().
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use File::Find;
use File::Path qw(make_path);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebServer;

my $node      = start_server('mirror', 'clair.allow_private_networks = on');
my ($session) = session($node);
my $mirror    = PostgreSQL::Test::Utils::tempdir() . '/mirror';
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures");

sub fixture
{
    my ($name) = @_;

    return slurp_file("$FIXTURES/$name");
}

# How the folder of a mirror comes about; where nothing is said, it is a copy of the fixtures.
my %FILL = (
    almalinux => sub {
        write_file("$_[0]/$_/errata.full.json", { data => [ { id => "ALSA-2031:$_", type => 'security', severity => 'Low',
            packages => [ { name => 'quux', epoch => '0', version => '1', release => "2.el$_", arch => 'x86_64' } ],
            references => [ { id => 'CVE-2031-0001', type => 'cve', href => 'https://example.org/' } ] } ] })
            foreach 8, 9;
    },
    'amazon-1' => sub {
        system_or_bail(qw(cp -R --no-preserve=mode), "$FIXTURES/amazon/amzn2-core/repodata", $_[0]);
    },
    chainguard => sub { secdb($_[0]) },
    'chainguard-osv' => sub {
        my %record = (id => 'CGA-2222-3333-4444', upstream => ['CVE-2031-0001'],
            affected => [ { package => { ecosystem => 'Wolfi', name => 'quux' }, ranges => [ { type => 'ECOSYSTEM',
                events => [ { introduced => '0' }, { fixed => '1.2-r3' } ] } ] } ]);

        make_layer("$_[0]/chainguard-osv.tar", 'CGA-2222-3333-4444.json' => \%record);
        system_or_bail('gzip', "$_[0]/chainguard-osv.tar");
    },
    cve_list => sub {
        my %files = map { ("cves/2031/0xxx/$_.json" => fixture("cve_list/$_.json")) } qw(CVE-2031-0100 CVE-2031-0102);

        write_file("$_[0]/2031-01-02_all_CVEs_at_midnight.zip.zip", zip_of('cves.zip' => zip_of(%files)));
    },
    debian => sub { write_file("$_[0]/json", fixture('debian/tracker.json')) },
    epss   => sub { write_file("$_[0]/epss_scores-current.csv.gz", fixture('epss/scores.csv')) },
    kev    => sub { write_file("$_[0]/known_exploited_vulnerabilities.json", fixture('kev/catalog.json')) },
    nvd    => sub {
        my $empty = '{"vulnerabilities": []}';

        write_file("$_[0]/nvdcve-2.0-modified.meta", "lastModifiedDate:2031-03-10T03:00:01-05:00\r\n");
        write_file("$_[0]/nvdcve-2.0-$_.json.gz", $_ eq '2031' ? fixture('nvd/feed-2.0.json') : $empty)
            foreach 2002 .. 2031, 'modified';
    },
    redhat => sub {
        my %files = map { ("2031/$_.json" => fixture("redhat/2031/$_.json")) }
            qw(cve-2031-0100 cve-2031-0200 cve-2031-0300);

        make_layer("$_[0]/csaf_vex_2031-02-01.tar", %files);
        write_file("$_[0]/archive_latest.txt", "csaf_vex_2031-02-01.tar\n");
        write_file("$_[0]/repository-to-cpe.json", fixture('redhat/repository-to-cpe.json'));
    },
    rocky => sub {
        write_file("$_[0]/page-1.json", { advisories => [ { name => 'RLSA-2031:0001', kind => 'Security', severity => 'Low',
            cves => [ { cve => 'CVE-2031-0001' } ],
            packages => [ { nevra => 'quux-0:1-2.el9.x86_64.rpm', product_name => 'Rocky Linux 9 x86_64' } ] } ],
            links => { last => undef } });
    },
    'suse-csaf' => sub {
        make_layer("$_[0]/csaf-vex.tar", 'csaf-vex/cve-2031-0100.json' => fixture('redhat/2031/cve-2031-0100.json'));
        system_or_bail('bzip2', "$_[0]/csaf-vex.tar");
    },
    ubuntu => sub {
        my %record = (id => 'UBUNTU-CVE-2031-0001', published => '2031-01-02T00:00:00Z',
            upstream => ['CVE-2031-0001'], affected => [ { package => { ecosystem => 'Ubuntu:22.04:LTS', name => 'quux' },
                ranges => [ { type => 'ECOSYSTEM', events => [ { introduced => '0' }, { fixed => '1.2-3' } ] } ] } ]);

        make_layer("$_[0]/osv-all.tar", 'osv/cve/2031/UBUNTU-CVE-2031-0001.json' => \%record);
        system_or_bail('xz', "$_[0]/osv-all.tar");
    },
    'ubuntu-tracker' => sub {
        make_layer("$_[0]/master.tar", 'uct/active/CVE-2031-0001' => <<'FILE');
Candidate: CVE-2031-0001
Priority: medium
jammy_quux: released (1.2-3)
FILE
        system_or_bail('gzip', "$_[0]/master.tar");
    },
    wolfi => sub { secdb($_[0]) },
);

# A database of the kind that Alpine's, Wolfi's and Chainguard's are.
sub secdb
{
    write_file("$_[0]/security.json", { packages => [ { pkg => { name => 'quux',
        secfixes => { '1.2-r3' => ['CVE-2031-0001'] } } } ] });
}

my @updaters = query($session, 'SELECT name FROM clair.builtin_updater ORDER BY name');

foreach my $updater (@updaters)
{
    make_path("$mirror/$updater");
    $FILL{$updater} ? $FILL{$updater}->("$mirror/$updater")
        : system(qw(cp -R --no-preserve=mode -T), "$FIXTURES/$updater", "$mirror/$updater");
}

# Runs all updaters, and what came of each: state, whether it has read something, and the error.
sub outcomes
{
    query($session, q{UPDATE clair.updater SET enabled = true, options = '{"max_shrinkage": 100}'});
    return [ query($session, <<'SQL') ];
WITH result AS MATERIALIZED (SELECT * FROM clair.update())
SELECT concat_ws(' ', r.updater, r.state, CASE WHEN r.records > 0 THEN 'records' END)
FROM result AS r
ORDER BY r.updater
SQL
}

sub errors
{
    return join "\n", query($session, 'SELECT updater || \': \' || error FROM clair.update_run WHERE error IS NOT NULL');
}

# By files
is(scalar query($session, "SELECT count(*) FROM clair.use_mirror('file://$mirror')"), scalar @updaters,
    'one call is for all updaters');
is_deeply(outcomes(), [ map { "$_ succeeded records" } @updaters ], 'every updater reads its folder')
    or diag(errors());

# The same over HTTP, from a server that lists its folders
my %paths;

find({ no_chdir => 1, wanted => sub {
    my $path = $File::Find::name;
    my $place = substr($path, length $mirror) . (-d $path ? '/' : '');
    my $body = -d $path ? '<html>' . join('', map { my $name = s{.*/}{}r . (-d $_ ? '/' : '');
        "<a href=\"$name\">$name</a>" } glob "$path/*") : slurp_file($path);

    $paths{$place} = sub { WebServer::answer($_[0], '200 OK', {}, $body) };
} }, $mirror);

my $before = stored();
my $web    = WebServer->start(%paths);

query($session, sprintf 'SELECT clair.use_mirror(%s)', "'" . $web->url('') . "'");
is(join(' ', map { (split)[1] eq 'failed' ? $_ : () } @{ outcomes() }), '', 'none fails over HTTP') or diag(errors());
is(stored(), $before, '... and what is known is the same');
is(scalar query($session, q{SELECT count(*) FROM clair.use_mirror(NULL) WHERE url LIKE '%//127.0.0.1%'}), 0,
    'all can go back to their sources');

# How many of everything are current.
sub stored
{
    return join ' ', map { scalar query($session, "SELECT count(*) FROM clair.$_") } 'vulnerability WHERE until_run IS NULL',
        'affected WHERE until_run IS NULL', 'cve_metric', 'epss', 'kev';
}

$session->quit;
done_testing();
