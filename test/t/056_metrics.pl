# Proves that what is known of CVEs comes in as its sources say it, changes without touching or
# announcing a vulnerability, and is lost by nobody else's withdrawal.
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

my $FIXTURES = abs_path("$FindBin::Bin/../fixtures");
my $DATA     = test_data('feeds');
my $folder   = PostgreSQL::Test::Utils::tempdir();
my $node     = start_server('metrics', 'max_worker_processes = 16');
my ($session) = session($node);

# What a run came to, in one line.
sub outcome_of
{
    my ($updater) = @_;
    my $run = update($session, $updater);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added
        changed withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# Everything that is known of CVEs, as one text.
sub knowledge
{
    return scalar query($session, 'SELECT md5(string_agg(t, E\'\n\' ORDER BY t COLLATE "C")) FROM ('
        . join(' UNION ALL ', map { "SELECT t::text FROM clair.$_ AS t" }
            qw(cve cve_statement cve_metric epss epss_edition kev)) . ') AS known(t)');
}

# ---------------------------------------------------------------------------
# KEV
# ---------------------------------------------------------------------------

sub read_json
{
    my ($path) = @_;

    return JSON::PP->new->utf8->decode(scalar `gzip -dcf '$path'`);
}

my $catalog = read_json("$FIXTURES/kev/catalog.json");

sub run_catalog
{
    write_file("$folder/kev.json", $catalog);
    return outcome_of('kev');
}

set_feed($session, 'kev', "$folder/kev.json");
is(run_catalog(), 'succeeded: 3 records 0 unchanged 0 broken 3 added 0 changed 0 withdrawn', 'a catalog');
is(scalar query($session, "SELECT * FROM clair.kev WHERE cve = 'CVE-2031-0100'"),
    'CVE-2031-0100|kev|2031-03-01|2031-03-22|t|Quux|quuxd|Quux quuxd Use of a Freed Quux'
        . '|Update, or stop using it.|https://example.org/quux', 'an entry');
my $known = knowledge();
is(run_catalog(), 'unchanged: 3 records 3 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'the same catalog, in a new file');
is(knowledge(), $known, '... changes nothing');
$catalog->{vulnerabilities}[0]{dueDate} = '2031-03-23';
pop @{ $catalog->{vulnerabilities} };
is(run_catalog(), 'succeeded: 2 records 1 unchanged 0 broken 0 added 1 changed 1 withdrawn',
    'an entry changes, one is withdrawn');
same_lines([ query($session, 'SELECT cve, due_date FROM clair.kev') ],
    [ 'CVE-2031-0100|2031-03-23', 'CVE-2030-4711|2030-12-21' ], '... and that is in the table');
$catalog->{vulnerabilities}[1]{dateAdded} = 'never';
is(run_catalog(), 'succeeded: 2 records 1 unchanged 1 broken 0 added 0 changed 0 withdrawn'
    =~ s/succeeded/unchanged/r, 'an entry breaks');
is(scalar query($session, "SELECT date_added FROM clair.kev WHERE cve = 'CVE-2030-4711'"),
    '2030-11-30', '... and stays as it was');

if (defined $DATA)
{
    my $file = "$DATA/kev/known_exploited_vulnerabilities.json.gz";

    set_feed($session, 'kev', abs_path($file));
    is(outcome_of('kev'), 'succeeded: 1404 records 0 unchanged 0 broken 1404 added 0 changed 2 withdrawn',
        'the real catalog');
    same_lines([ query($session, 'SELECT cve, vendor, product, name, date_added, due_date, ransomware,'
            . ' required_action, notes FROM clair.kev') ],
        [ map { s/\r?\n/\n/gr } map {
            my $entry = $_;
            my $line = join '|', @$entry{qw(cveID vendorProject product vulnerabilityName dateAdded dueDate)},
                $entry->{knownRansomwareCampaignUse} eq 'Known' ? 't' : 'f', @$entry{qw(requiredAction notes)};
            utf8::encode($line);
            $line
        } @{ read_json($file)->{vulnerabilities} } ], '... is in the table');
    set_feed($session, 'kev', abs_path(test_data('hostile/feed/kev-truncated.json')));
    $known = knowledge();
    like(outcome_of('kev'), qr/^failed: .*document "json": .* byte 50001/, 'a catalog that is cut');
    is(knowledge(), $known, '... changes nothing');
}

# ---------------------------------------------------------------------------
# All of it
# ---------------------------------------------------------------------------

is(scalar query($session, 'SELECT count(*) FROM clair.vulnerability'), 0, 'no vulnerability was made');
is(scalar query($session, 'SELECT count(*) FROM clair.notification'), 0, 'nothing was announced');

$session->quit;
done_testing();
