# Proves that Red Hat's documents come in whole once, and then as what has changed or gone; that a run
# which has lost track begins again; and that findings go by repositories, modules and what runs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use File::Copy qw(copy);
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $FIXTURES = abs_path("$FindBin::Bin/../fixtures/redhat");
my $node     = start_server('redhat', 'max_worker_processes = 16');
my ($where)  = session($node);
my $folder   = PostgreSQL::Test::Utils::tempdir();
my $mirror   = "$folder/mirror";

# ---------------------------------------------------------------------------
# A mirror
# ---------------------------------------------------------------------------

# A document: status => [ [ cpe, purl, remediation's category, its details or URL ], ... ].
sub vex
{
    my ($cve, %statuses) = @_;
    my (%status, %product, @relationships, @remediations);

    foreach my $status (sort keys %statuses)
    {
        foreach (@{ $statuses{$status} })
        {
            my ($cpe, $purl, $category, $text) = @$_;

            $product{$cpe}  = { cpe => $cpe };
            $product{$purl} = { purl => $purl };
            push @{ $status{$status} }, "$cpe $purl";
            push @relationships, { category => 'default_component_of', product_reference => $purl,
                relates_to_product_reference => $cpe, full_product_name => { product_id => "$cpe $purl" } };
            push @remediations, { category => $category, product_ids => [ "$cpe $purl" ],
                ($category eq 'vendor_fix' ? 'url' : 'details') => $text } if defined $category;
        }
    }
    return {
        document => { aggregate_severity => { text => 'Low' }, tracking => { id => $cve, status => 'final' } },
        product_tree => { relationships => \@relationships, full_product_names => [
            map { { product_id => $_, product_identification_helper => $product{$_} } } sort keys %product ] },
        vulnerabilities => [ { cve => $cve, product_status => \%status, remediations => \@remediations } ],
    };
}

sub path_of
{
    my ($cve) = @_;

    return '2031/' . lc($cve) . '.json';
}

# Puts a document where it is fetched from when it has changed.
sub put_document
{
    my ($cve, $content) = @_;

    write_file("$mirror/" . path_of($cve), $content // slurp_file("$FIXTURES/" . path_of($cve)));
}

# Makes an archive of documents the newest one.
sub put_archive
{
    my ($day, %documents) = @_;

    write_file("$mirror/archive_latest.txt", "csaf_vex_$day.tar\n");
    make_layer("$mirror/csaf_vex_$day.tar", map { (path_of($_) => $documents{$_}) } keys %documents);
}

# Writes a list: CVE and time each, the newest first.
sub put_list
{
    my ($name, @rows) = @_;

    write_file("$mirror/$name.csv", join '', map { my ($cve, $time) = split / /;
        sprintf qq{"%s","%s+00:00"\n}, path_of($cve), $time } @rows);
}

my @untold; # changes of findings whose alerts are not theirs

# What a run came to, in one line.
sub run
{
    my ($run, $differences) = update_watching_alerts($where, 'redhat');

    push @untold, $differences if $differences;

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# The vulnerabilities that are current, with the number of their ranges.
sub known
{
    return join ' ', query($where, 'SELECT v.name || \'/\' || count(*) FROM clair.vulnerability AS v'
        . ' JOIN clair.affected AS a ON a.vulnerability_id = v.id WHERE v.until_run IS NULL'
        . ' GROUP BY v.name ORDER BY v.name COLLATE "C"');
}

# ---------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------

# Indexes an image of rpm packages, [ name, version-release, source ] each, from these repositories.
sub index_packages
{
    my ($name, $release, $repositories, @packages) = @_;
    my %files = ('etc/os-release' => "ID=rhel\nVERSION_ID=\"$release\"\n",
        'var/lib/rpmmanifest/container-manifest-2' => join '', map { my ($package, $version, $source) = @$_;
            join("\t", $package, $version, 1, 1, 'Red Hat', '(none)', 1, 'x86_64', 0,
                ($source // $package) . "-$version.src.rpm") . "\n" } @packages);

    $files{'root/buildinfo/content_manifests/image.json'} =
        JSON::PP->new->canonical->encode({ content_sets => $repositories }) if defined $repositories;
    index_file($where, make_layer("$folder/$name.tar", %files), $name);
}

# What is found in an image: feature, vulnerability, fix, status, severity, advisory.
sub findings
{
    my ($image) = @_;

    return join '; ', sort(query($where, "SELECT CASE WHEN vulnerability IS NULL THEN 'only: ' || status"
        . " ELSE concat_ws(' ', feature, vulnerability, COALESCE(fixed_in, '-'), status, severity, advisory)"
        . " END FROM clair.vulnerabilities('$image')"));
}

my @appstream = ('rhel-9-for-x86_64-appstream-rpms', 'rhel-9-for-x86_64-baseos-rpms__1');
my @eus       = ('rhel-9-for-x86_64-appstream-eus-rpms__9_DOT_2');

index_packages('unknown', '9.5', undef, [ 'quux', '1.2-2.el9_5' ]);
index_packages('old', '9.5', \@appstream, [ 'quux', '1.2-2.el9_5' ], [ 'quux-debuginfo', '1.2-2.el9_5', 'quux' ]);
index_packages('fixed', '9.5', \@appstream, [ 'quux', '1.2-3.el9_5' ]);
index_packages('rebased', '9.6', \@appstream, [ 'quux', '1.3-1.el9' ], [ 'qux-quux', '6-1.el9qux', 'quux' ]);
index_packages('eus-old', '9.2', \@eus, [ 'quux', '1.2-1.el9_2' ]);
index_packages('eus-fixed', '9.2', \@eus, [ 'quux', '1.2-2.el9_2.1' ]);
index_packages('source', '8.10', [ 'rhel-8-for-x86_64-appstream-rpms' ], [ 'libquux', '1.0-1.el8', 'quux' ]);
index_packages('eight', '8.10', undef, [ 'libquux', '1.0-1.el8', 'quux' ]);
index_packages('ten', '10.1', [ 'rhel-10-for-x86_64-baseos-rpms' ], [ 'everywhere', '1-1.el10' ]);
index_packages('kernel', '9.5', undef, [ 'kernel-headers', '5.14-1.el9', 'kernel' ],
    [ 'kernel-core', '5.14-1.el9', 'kernel' ]);

# ---------------------------------------------------------------------------
# The first run
# ---------------------------------------------------------------------------

my %archive = map { $_ => slurp_file("$FIXTURES/" . path_of($_)) } 'CVE-2031-0100', 'CVE-2031-0200';
my $other   = vex('CVE-2031-0400', known_affected => [ [ 'cpe:/o:redhat:enterprise_linux:9',
    'pkg:rpm/redhat/other?arch=src', 'none_available', 'Affected' ] ]);


# Without it some releases would have nothing left, and be kept as they were.
$archive{'CVE-2031-0700'} = vex('CVE-2031-0700', known_affected => [ map { [ "cpe:/o:redhat:enterprise_linux:$_",
    'pkg:rpm/redhat/everywhere?arch=src' ] } 7 .. 10 ]);

put_archive('2031-02-01', %archive, 'CVE-2031-0300' => '{"document": {"tracking": {"id": "old"}}}',
    'CVE-2031-0400' => $other);
put_document('CVE-2031-0300');
put_list('changes', 'CVE-2031-0300 2031-02-02T10:00:00', 'CVE-2031-0999 2031-02-01T10:00:00',
    'CVE-2031-0100 2031-01-01T10:00:00');
put_list('deletions', 'CVE-2031-0400 2031-02-02T10:00:00');
copy("$FIXTURES/repository-to-cpe.json", $mirror) or die;
set_feed($where, 'redhat', "$mirror/archive_latest.txt");
is(run(), 'succeeded: 5 records 0 unchanged 1 broken 4 added 0 changed 0 withdrawn', 'the first run');
@untold = ();
is(known(), 'CVE-2031-0100/7 CVE-2031-0200/4 CVE-2031-0300/6 CVE-2031-0700/4', 'brings what is in force');
is(query($where, 'SELECT count(*) FROM clair.repository_cpe'), 5, 'and the repositories');
is(query($where, 'SELECT state FROM clair.updater_state WHERE updater = \'redhat\''),
    'csaf_vex_2031-02-01.tar 1927792800000 1927792800000', 'and remembers how far it is');
like(query($where, 'SELECT reason FROM clair.broken_record'), qr/nodejs-flat.*its module has no stream$/,
    'one product is broken');

# ---------------------------------------------------------------------------
# Findings
# ---------------------------------------------------------------------------

my $medium = 'CVE-2031-0100 0:1.2-3.el9_5 fixed Medium RHSA-2031:0007';
is(findings('unknown'), "only: unknown_repositories; quux $medium", 'repositories that are unknown');
is(findings('old'), "quux $medium", 'the distribution');
is(findings('fixed'), '', 'what is fixed');
is(findings('rebased'), 'quux CVE-2031-0100 0:2.0-1.el9_6 fixed Medium RHSA-2031:0042',
    'a later version, and a package of a product that the image does not have');
is(findings('eus-old'), 'quux CVE-2031-0100 0:1.2-2.el9_2.1 fixed High RHSA-2031:0008', 'extended support');
is(findings('eus-fixed'), '', 'whose own fix counts');
is(findings('eight'), 'libquux CVE-2031-0100 - will_not_fix Medium; only: unknown_repositories',
    'a source package');
is(findings('source'), '', 'which is of BaseOS, unlike this image');
is(findings('ten'), 'everywhere CVE-2031-0700 - affected Low', 'what is said of 10 is said of 10.1');
is(findings('kernel'), 'kernel-core CVE-2031-0300 - deferred Negligible; only: unknown_repositories',
    'of the kernel, what runs');

# ---------------------------------------------------------------------------
# Later runs
# ---------------------------------------------------------------------------

is(run(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'nothing has changed');

my $changed = decode_json(slurp_file("$FIXTURES/" . path_of('CVE-2031-0100')));
$changed->{vulnerabilities}[0]{threats}[0]{details} = 'Important';
put_document('CVE-2031-0100', $changed);
put_document('CVE-2031-0500', vex('CVE-2031-0500', fixed => [ [ 'cpe:/a:redhat:enterprise_linux:9::appstream',
    'pkg:rpm/redhat/quux@3-1.el9?arch=x86_64', 'vendor_fix', 'https://x/RHBA-2031:0001' ] ]));
my @changes = ('CVE-2031-0500 2031-02-03T11:00:00', 'CVE-2031-0100 2031-02-03T10:00:00',
    'CVE-2031-0998 2031-02-03T09:00:00', 'CVE-2031-0300 2031-02-02T10:00:00');
put_list('changes', @changes);
is(run(), 'succeeded: 3 records 1 unchanged 0 broken 1 added 1 changed 0 withdrawn',
    'one has changed, one is new, one was the newest, one is not there');
is(findings('old'), 'quux CVE-2031-0100 0:1.2-3.el9_5 fixed High RHSA-2031:0007; '
    . 'quux CVE-2031-0500 0:3-1.el9 fixed Low RHBA-2031:0001', 'which is seen');

put_list('deletions', 'CVE-2031-0500 2031-02-04T10:00:00', 'CVE-2031-0997 2031-02-04T09:00:00',
    'CVE-2031-0400 2031-02-02T10:00:00');
is(run(), 'succeeded: 0 records 0 unchanged 0 broken 0 added 0 changed 1 withdrawn', 'one is gone');
put_list('changes', 'CVE-2031-0500 2031-02-05T10:00:00', @changes);
is(run(), 'succeeded: 1 records 0 unchanged 0 broken 1 added 0 changed 0 withdrawn', 'and there again');
put_list('deletions', 'CVE-2031-0500 2031-02-06T10:00:00', 'CVE-2031-0400 2031-02-02T10:00:00');
is(run(), 'succeeded: 0 records 0 unchanged 0 broken 0 added 0 changed 1 withdrawn', 'and gone');

put_document('CVE-2031-0100', { document => { tracking => { id => 'CVE-2031-0100', status => 'deleted' } } });
put_document('CVE-2031-0300', '<html>Please try again later.</html>');
put_list('changes', 'CVE-2031-0300 2031-02-07T11:00:00', 'CVE-2031-0100 2031-02-07T10:00:00', @changes);
is(run(), 'succeeded: 2 records 0 unchanged 1 broken 0 added 0 changed 1 withdrawn',
    'one is withdrawn, one cannot be read');
is(known(), 'CVE-2031-0200/4 CVE-2031-0300/6 CVE-2031-0700/4', 'of which the last that was known stands');

write_file("$mirror/changes.csv", '<html>');
like(run(), qr/^failed: .*document "changes": line 1: it is not a path and a time$/, 'a list that is none');
write_file("$mirror/archive_latest.txt", '<html>');
like(run(), qr/^failed: .*document "latest": "<html>" is not the name of an archive$/, 'nor is this a name');
is(known(), 'CVE-2031-0200/4 CVE-2031-0300/6 CVE-2031-0700/4', 'nothing is lost');

# ---------------------------------------------------------------------------
# Beginning again
# ---------------------------------------------------------------------------

put_document('CVE-2031-0100');
put_archive('2031-02-09', %archive, 'CVE-2031-0600' => vex('CVE-2031-0600'));
put_list('changes', 'CVE-2031-0100 2031-02-09T10:00:00', (map { "CVE-2031-1$_ 2031-02-08T11:00:00" }
    '0000' .. '5000'));
is(run(), 'succeeded: 5 records 2 unchanged 1 broken 1 added 0 changed 1 withdrawn',
    'too many changes: the archive is read instead');
is(known(), 'CVE-2031-0100/7 CVE-2031-0200/4 CVE-2031-0700/4', 'and what it does not have is gone');
is(query($where, 'SELECT state FROM clair.updater_state WHERE updater = \'redhat\''),
    'csaf_vex_2031-02-09.tar 1928397600000 1928138400000', 'from there it goes on');
is(run(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'with nothing');

is("@untold", '', 'alerts have told all changes of findings and nothing else');
write_file("$mirror/repository-to-cpe.json", { data => { one => { cpes => [ 'cpe:/a:redhat:one:1' ] },
    $eus[0] => { cpes => [ 'cpe:/o:redhat:enterprise_linux:9::baseos' ] } } });
is(run(), 'succeeded: 1 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'other repositories');
is(findings('eus-fixed'), "quux $medium", 'make other findings');
@untold = (); # of them, alerts do not tell
is(query($where, 'SELECT count(*) FROM clair.repository_cpe'), 2, 'all others are forgotten');

# A copy without lists goes by archives alone.
unlink "$mirror/changes.csv", "$mirror/deletions.csv";
$mirror = "$folder/copy";
delete $archive{'CVE-2031-0100'};
put_archive('2031-02-09', %archive, 'CVE-2031-0400' => $other);
set_feed($where, 'redhat', "$mirror/archive_latest.txt", '{"max_shrinkage": 100}');
is(run(), 'succeeded: 3 records 1 unchanged 1 broken 1 added 0 changed 1 withdrawn', 'a copy');
is(run(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'unchanged');
delete $archive{'CVE-2031-0200'};
put_archive('2031-02-10', %archive, 'CVE-2031-0400' => $other);
is(run(), 'succeeded: 2 records 2 unchanged 0 broken 0 added 0 changed 1 withdrawn', 'another archive');

# ---------------------------------------------------------------------------
# Modules of a real image
# ---------------------------------------------------------------------------

my $modular = test_data('images/rpm/centos8-modular-sqlite.layer.tar.gz');
SKIP:
{
    skip 'there are no test data', 1 if !defined $modular;
    my $fixed = sub { [ 'cpe:/a:redhat:enterprise_linux:8::appstream',
        "pkg:rpm/redhat/buildah\@1.11.6-9.module%2Bel8?arch=x86_64$_[0]", 'vendor_fix', "https://x/$_[1]" ] };

    index_file($where, abs_path($modular), 'modular');
    put_archive('2031-02-11', %archive, 'CVE-2031-0401' => vex('CVE-2031-0401',
            fixed => [ $fixed->('&rpmmod=container-tools:rhel8:1:2', 'RHSA-2031:0001') ]),
        'CVE-2031-0402' => vex('CVE-2031-0402', fixed => [ $fixed->('&rpmmod=container-tools:2.0:1:2', 'RHSA-2031:0002') ]),
        'CVE-2031-0403' => vex('CVE-2031-0403', fixed => [ $fixed->('', 'RHSA-2031:0003') ]));
    is(run(), 'succeeded: 4 records 1 unchanged 0 broken 3 added 0 changed 1 withdrawn', 'three fixes');
    is(findings('modular'), 'buildah CVE-2031-0401 0:1.11.6-9.module+el8 fixed Low RHSA-2031:0001',
        'one of which is of the module that is installed');
}

# ---------------------------------------------------------------------------
# A range that changes without a finding that does
# ---------------------------------------------------------------------------

sub run_with_fixes
{
    my ($day, @versions) = @_;

    put_archive($day, %archive, 'CVE-2031-0800' => vex('CVE-2031-0800', fixed => [ map {
        [ 'cpe:/a:redhat:enterprise_linux:9::appstream', "pkg:rpm/redhat/quux\@$_?arch=x86_64", 'vendor_fix',
            'https://x/RHSA-2031:0008' ] } @versions ]));
    like(run(), qr/^succeeded:/, "fixed in @versions");
    return scalar query($where, "SELECT count(*) FROM clair.notification WHERE vulnerability = 'CVE-2031-0800'"
        . ' AND run = (SELECT max(id) FROM clair.update_run)');
}

is(run_with_fixes('2031-02-12', '3-1.el9'), 1, '... is told');
is(run_with_fixes('2031-02-13', '3-1.el9', '1.0-9.el9'), 0, '... is not: images have later versions, as before');
is(query($where, "SELECT clair.bare(introduced) FROM clair.affected AS a JOIN clair.vulnerability AS v"
    . " ON v.id = a.vulnerability_id WHERE v.name = 'CVE-2031-0800' AND a.until_run IS NULL"
    . " AND clair.bare(fixed) = '0:3-1.el9'"), '0:1.0^', '... though the range is another one');
is("@untold", '', '... here, too');
done_testing();
