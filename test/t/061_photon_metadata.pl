# Proves Photon OS's CVE metadata through SQL: entries come to what they mean and to what another tool made of
# real ones; of a folder, a list of branches, or one file; and what is broken changes nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node      = start_server('photon_metadata');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/photon-metadata");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'photon-metadata');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# The ranges that stand: CVE, namespace, package, fix, status and severity.
sub standing
{
    return [ query($session, <<'SQL') ];
SELECT concat_ws(' ', v.name, a.namespace, a.package, CASE a.status WHEN 'fixed' THEN clair.bare(a.fixed) END,
    a.status, a.severity) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND v.frozen IS NULL AND a.introduced OPERATOR(clair.<) a.fixed
ORDER BY line
SQL
}

# ---------------------------------------------------------------------------
# A list of branches, of which one has no document
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/feed");
set_feed($session, 'photon-metadata', "$folder/feed/photon_versions.json");
is(outcome(), 'succeeded: 6 records 0 unchanged 0 broken 6 added 0 changed 0 withdrawn',
    'the branches that have a document are read');
my @expected = (
    'CVE-2031-1001 photon:4.0 quux 1.0-9.ph4 fixed Low',
    'CVE-2031-1001 photon:5.0 quux 1.2-3.ph5 fixed Critical',
    'CVE-2031-1001 photon:5.0 quux-libs 1.2-3.ph5 fixed Unknown',
    'CVE-2031-1002 photon:5.0 quux 1.2-5.ph5 fixed High',    # the highest; and not: it is not affected
    'CVE-2031-1003 photon:5.0 quux affected Medium');
is_deeply(standing(), \@expected, 'a fix, or that there is none, of each package');
is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'once more');

set_feed($session, 'photon-metadata', "$folder/feed/");
is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'the same as a folder, without the list');
my $path = "$folder/feed/cve_data_photon5.0.json";
my $text = slurp_file($path);
write_file($path, $text =~ s/"NA", "res_ver": "NA", "status": "Fixed"/"x", "res_ver": "1.2-6.ph5"/r);
is(outcome(), 'succeeded: 5 records 4 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'what had no fix has one, and others stay');
is((grep { /CVE-2031-1003/ } @{ standing() })[0], 'CVE-2031-1003 photon:5.0 quux 1.2-6.ph5 fixed Medium',
    '... which stands');

# ---------------------------------------------------------------------------
# Broken documents
# ---------------------------------------------------------------------------

my $before = standing();

sub fails
{
    my ($content, $error, $name) = @_;

    write_file($path, $content);
    like(outcome(), qr/^failed: .*document "cve_data_photon5.0.json": $error/, $name);
    is_deeply(standing(), $before, '... and nothing changes');
}

fails(substr($text, 0, length($text) / 2), 'element \d: byte \d+: the document ends too early', 'a document that is cut');
fails('<html/>', 'the document is not a JSON array: it begins with "<html/>"', 'another page');
fails('[' x 1000, 'element 1: byte \d+: the record is nested too deep', 'one that is nested too deep');

# ---------------------------------------------------------------------------
# Real entries, and what another tool has made of them
# ---------------------------------------------------------------------------

SKIP:
{
    my $data = test_data('feeds/photon/vunnel') or skip 'there are no test data', 1;
    my @golden;

    foreach my $file (glob "$data/snapshots/*/*.json")
    {
        my $said = decode_json(slurp_file($file))->{item}{Vulnerability};

        push @golden, map { join ' ', $said->{Name}, $_->{NamespaceName}, $_->{Name},
            $_->{Version} eq 'None' ? 'affected' : "$_->{Version} fixed", $said->{Severity} } @{ $said->{FixedIn} };
    }
    die 'no golden was found' unless @golden;

    # What is no CVE's has no golden; it is a vulnerability by its own name here.
    push @golden, 'BDSA-2025-0719 photon:4.0 krb5-devel 1.17-15.ph4 fixed High';
    set_feed($session, 'photon-metadata', "$data/input/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 9 records 0 unchanged 0 broken/, 'two real documents');
    is_deeply([ grep { !/2031/ } @{ standing() } ], [ sort @golden ], '... say what the goldens do: ' . @golden . ' packages of CVEs')
        or diag("ours:\n", join("\n", @{ standing() }), "\ngolden:\n", join "\n", sort @golden);
    set_feed($session, 'photon-metadata', "$data/input/cve_data_photon1.0.json", '{"max_shrinkage": 100}');
    like(outcome(), qr/^unchanged: 3 records 3 unchanged|^succeeded: 3 records/, 'one of them by its name');
}

$session->quit;
done_testing();
