# Proves Red Hat's OVAL through SQL: a folder with a manifest, single documents, and real samples come to
# what their definitions say; only what has changed is read again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use OvalTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node      = start_server('redhat_oval');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/redhat-oval");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'redhat-oval');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# ---------------------------------------------------------------------------
# A folder with a manifest
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'redhat-oval', "$folder/oval/");
is(outcome(), 'succeeded: 2 records 0 unchanged 0 broken 2 added 0 changed 0 withdrawn',
    'the manifest of a folder says which documents there are');
is_deeply([ query($session, <<'SQL') ],
SELECT concat_ws(' ', v.name, a.namespace, a.package, clair.bare(a.fixed), a.status, a.severity,
    a.advisory, s.architectures::text, s.module = '', s.repositories::text)
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    JOIN clair.scope AS s ON s.id = a.scope_id
ORDER BY v.name
SQL
    [
        'CVE-2031-1001 rhel:9 quux 0:1.2-3.el9_5 fixed Medium RHSA-2031:0001 {aarch64,x86_64} t'
            . ' {cpe:/a:redhat:enterprise_linux:9::appstream,cpe:/o:redhat:enterprise_linux:9,rhel:9}',
        'CVE-2031-1002 rhel:9 quux will_not_fix Low t {cpe:/o:redhat:enterprise_linux:9,rhel:9}',
    ], 'a fix with its scope, and what will not be fixed');

my $path = "$folder/oval/RHEL9/rhel-9-including-unpatched.oval.xml";
my $text = slurp_file($path);
write_file($path, $text =~ s/aarch64\|x86_64/x86_64/r);
is(outcome(), 'succeeded: 2 records 1 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'a state that changes changes the definition that leans on it, and no other');
is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'once more: nothing has changed');

# ---------------------------------------------------------------------------
# Real samples
# ---------------------------------------------------------------------------

# What goldens have of a document, worked out here, must be what it came to.
sub compare
{
    my ($document, @goldens) = @_;
    my %expected;

    foreach my $file (@goldens)
    {
        my $definition = read_definition($file);
        my $metadata = $definition->{metadata};
        my @references = @{ $metadata->{reference} // $metadata->{references} };
        my @cves = map { $_->{ref_id} // $_->{refid} } grep { $_->{source} eq 'CVE' } @references;
        my ($advisory) = map { $_->{ref_id} // $_->{refid} } grep { $_->{source} ne 'CVE' } @references;
        my $resolution = $metadata->{advisory}{affected}{resolution};
        $resolution = $resolution->[0] if ref $resolution eq 'ARRAY';
        my %status = ('Will not fix' => 'will_not_fix', 'Out of support scope' => 'end_of_life',
            'Affected' => 'affected', 'Fix deferred' => 'deferred');

        $expected{ s/\t[^\t]*$/\tany/r } = 1 foreach @{ expected_of(@cves ? \@cves : [$advisory],
            $definition->{criteria}, $status{ $resolution->{state} // '' } // 'affected') };
    }
    die 'no golden was found' unless %expected;
    set_feed($session, 'redhat-oval', $document, '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: ${\ scalar @goldens} records 0 unchanged 0 broken/, $document =~ s{.*/feeds/}{}r);
    is_deeply(stated($session, 'redhat-oval', 0), [ sort keys %expected ],
        '... and ' . keys(%expected) . ' packages of CVEs')
        or diag("ours:\n", join("\n", @{ stated($session, 'redhat-oval', 0) }), "\nexpected:\n",
            join "\n", sort keys %expected);
}

SKIP:
{
    my $data = test_data('feeds/redhat') or skip 'there are no test data', 1;
    my $vuls = "$data/vuls-redhat-oval-v2/testdata";
    my $list = "$data/vuln-list-update-redhat-oval/testdata";

    compare("$vuls/fixtures/oval/v2/RHEL9/$_.oval.xml.bz2", glob "$vuls/golden/9/$_/definitions/*.json")
        foreach qw(rhel-9-including-unpatched jboss-ws-5-including-unpatched);
    compare("$list/happy/RHEL$$_[0]/$$_[1].oval.xml.bz2", glob "$list/golden/$$_[0]/$$_[1]/definitions/*/*.json")
        foreach [ 6, 'rhel-6-extras-including-unpatched' ], [ 7, 'dotnet-3.1-including-unpatched' ],
        [ 8, 'ansible-2-including-unpatched' ];

    set_feed($session, 'redhat-oval', "$list/happy/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded/, 'their manifest');
    is(scalar query($session, "SELECT count(*) FROM clair.document WHERE updater = 'redhat-oval'"),
        5, '... names three documents, and is named by the listing');
    foreach my $broken (qw(invalid-bzip2 broken-xml))
    {
        set_feed($session, 'redhat-oval', "$list/$broken/");
        like(outcome(), qr{^failed: .*document "RHEL6/rhel-6-extras-including-unpatched\.oval\.xml\.bz2"},
            "$broken fails the run");
    }

    set_feed($session, 'redhat-oval', "$data/clair2/fetcher_rhel_test.1.xml", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 1 records 0 unchanged 1 broken/, 'the sample of Clair v2');
    is_deeply(stated($session, 'redhat-oval', 1), [ map { "CVE-2015-0252\trhel:7\t$_\t0:3.1.1-7.el7_1\tfixed\t\t\tany" }
        qw(xerces-c xerces-c-devel xerces-c-doc) ], '... has the packages that its test expects');
}

$session->quit;
done_testing();
