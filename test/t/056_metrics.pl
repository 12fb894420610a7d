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
# An image with a vulnerability of which its distribution says no severity
# ---------------------------------------------------------------------------

write_file("$folder/tracker.json",
    { bash => { map { ($_ => { releases => { bookworm => { status => 'open' } } }) } 'CVE-2031-0100', 'CVE-2031-0102' } });
set_feed($session, 'debian', "$folder/tracker.json");
is(update($session, 'debian')->{state}, 'succeeded', 'a distribution\'s feed');
index_file($session, make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ])), 'web');

# What is found in it, and all that its distribution says.
my $FINDINGS = q(SELECT vulnerability, severity, description FROM clair.vulnerabilities('web'));
my $VULNERABILITIES = "SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (SELECT v::text FROM clair.vulnerability AS v"
    . ' UNION ALL SELECT a::text FROM clair.affected AS a) AS t(t)';
my $vulnerabilities = query($session, $VULNERABILITIES);

same_lines([ query($session, $FINDINGS) ], [ 'CVE-2031-0100|Unknown|', 'CVE-2031-0102|Unknown|' ], 'nothing is known of them');
query($session, 'LISTEN clair');

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
# NVD: samples, in both forms
# ---------------------------------------------------------------------------

my $CISA = '134c704f-9b21-4f2e-91b3-4a467353bcc0';

# The metrics of an item of a feed in form 2.0, as lines.
sub metrics_20
{
    my ($cve) = @_;

    return map {
        my $metric = $_;
        my $cvss = $metric->{cvssData};

        sprintf '%s|%s|%s|%s|%s|%.1f', $cve->{id}, $metric->{source},
            $metric->{source} eq $CISA ? 'ADP' : $metric->{type}, @$cvss{qw(version vectorString baseScore)}
    } map { /^cvssMetric/ ? @{ $cve->{metrics}{$_} } : () } keys %{ $cve->{metrics} // {} };
}

# The same of an item in form 1.1.
sub metrics_11
{
    my ($item) = @_;
    my $impact = $item->{impact} // {};

    return map { sprintf '%s|nvd@nist.gov|Primary|%s|%s|%.1f', $item->{cve}{CVE_data_meta}{ID},
            @$_{qw(version vectorString baseScore)} }
        grep { defined } $impact->{baseMetricV3}{cvssV3}, $impact->{baseMetricV2}{cvssV2};
}

sub stored_metrics
{
    my ($where) = @_;

    return [ query($session, 'SELECT cve, source, type, version, vector, score FROM clair.cve_metric'
        . " WHERE updater = 'nvd'" . ($where // '')) ];
}

# A statement as a line: CVE, state, times in milliseconds, description.
sub line_of
{
    my $line = join '|', map { $_ // '' } @_;

    utf8::encode($line);
    return $line =~ s/\r?\n/ /gr;
}

sub statement_20
{
    my ($cve) = @_;
    my ($english) = map { $_->{value} } grep { $_->{lang} =~ /^en/ } @{ $cve->{descriptions} };

    return line_of(@$cve{qw(id vulnStatus)}, (map { s/Z?$//r } @$cve{qw(published lastModified)}), $english);
}

my $STATEMENTS = 'SELECT cve, state, to_char(published AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS\'),'
    . ' to_char(modified AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS\'),'
    . ' regexp_replace(description, E\'\\r?\\n\', \' \', \'g\') FROM clair.cve_statement WHERE updater = \'nvd\'';

sub run_nvd
{
    my ($path) = @_;

    set_feed($session, 'nvd', abs_path($path), '{"max_shrinkage": 100}');
    return update($session, 'nvd');
}

if (defined $DATA)
{
    my @expected = split /\n/, slurp_file("$DATA/nvd/expected-modified-derived.tsv");
    shift @expected;
    is(scalar @expected, 567, 'expected scores');

    foreach my $file ('nvdcve-2.0-modified-derived.json.gz', 'nvdcve-1.1-modified.json.gz')
    {
        my $run = run_nvd("$DATA/nvd/$file");

        is("$run->{state} $run->{records} $run->{broken}", 'succeeded 567 0', $file);
        same_lines([ query($session, <<'SQL') ], \@expected, '... has the vectors and scores that it should have');
SELECT concat_ws(E'\t', s.cve, COALESCE(three.vector, ''), COALESCE(three.score::text, ''),
    COALESCE(two.vector, ''), COALESCE(two.score::text, ''))
FROM clair.cve_statement AS s
    LEFT JOIN clair.cve_metric AS three ON three.cve = s.cve AND three.version LIKE '3._'
    LEFT JOIN clair.cve_metric AS two ON two.cve = s.cve AND two.version = '2.0'
WHERE s.updater = 'nvd'
SQL
    }
    is(scalar query($session, "SELECT count(*) FROM clair.cve WHERE updater = 'nvd' AND severity IS NOT NULL"), 484,
        'as many severities as scores');

    foreach my $file (glob("$DATA/nvd/vuls-nvd-feed-cve/v?/testdata/fixtures/*.json.gz"),
        "$DATA/nvd/vunnel/single-entry.json", "$DATA/nvd/vunnel/full-page.json",
        "$DATA/nvd/claircore-cvss/feed.json", "$DATA/nvd/nvdcve-1.1-osv-sample.json.gz",
        "$DATA/nvd/clair2/nvd_test.json")
    {
        my $feed = read_json($file);
        my $name = $file =~ s{.*/nvd/}{}r;
        my $run = run_nvd($file);
        my $items = $feed->{vulnerabilities} // $feed->{CVE_Items};

        like($run->{state}, qr/^(succeeded|unchanged)$/, $name);
        is("$run->{records} $run->{broken}", @$items . ' 0', '... is read whole');
        next if @$items == 0;
        if (exists $feed->{vulnerabilities})
        {
            same_lines([ query($session, $STATEMENTS) ], [ map { statement_20($_->{cve}) } @$items ],
                '... its statements');
            same_lines(stored_metrics(), [ map { metrics_20($_->{cve}) } @$items ], '... its metrics');
        }
        else
        {
            same_lines(stored_metrics(), [ map { metrics_11($_) } @$items ], '... its metrics')
                if map { metrics_11($_) } @$items;
        }
    }
}

# Checks that what is stored of the CVEs in an array, of form 2.0, is what these say.
sub same_cves
{
    my ($name, @cves) = @_;
    my $names = join ', ', map { "'$_->{id}'" } @cves;
    my @metrics = map { metrics_20($_) } @cves;

    same_lines([ query($session, "$STATEMENTS AND cve IN ($names)") ], [ map { statement_20($_) } @cves ],
        "$name: statements");
    same_lines(stored_metrics(" AND cve IN ($names)"), \@metrics, "$name: metrics") if @metrics;
}

if (defined $DATA)
{
    my $vuls = "$DATA/nvd/vuls-nvd-feed-cve";

    # A folder of dumps, of which those of years are read; vuls lays "modified" over one of its CVEs.
    is(run_nvd("$vuls/v2/testdata/fixtures")->{state}, 'succeeded', 'a folder of dumps');
    same_lines([ query($session, "SELECT name FROM clair.document WHERE updater = 'nvd'") ],
        [ 'index', 'nvdcve-2.0-2002', 'nvdcve-2.0-2021' ], '... those of years');
    my %stored = map { $_ => 1 } query($session, "SELECT cve FROM clair.cve_statement WHERE updater = 'nvd'");
    my @golden = grep { $stored{ $_->{id} } && $_->{descriptions}[0]{value} !~ /MODIFIED FEED/ }
        map { read_json($_) } glob "$vuls/v2/testdata/golden/*/*.json";
    same_cves('... goldens of vuls, ' . @golden . ' of ' . keys(%stored), @golden);

    is(run_nvd("$DATA/nvd/vunnel/full-page.json")->{state}, 'succeeded', 'a page of vunnel');
    same_cves('... its snapshots', map { read_json($_)->{item}{cve} } glob "$DATA/nvd/vunnel/snapshots/full-page/*/*.json");

    my @trivy = map { read_json($_) } glob "$DATA/nvd/trivy-db-nvd/happy/vuln-list-nvd/api/*/*.json";
    write_file("$folder/trivy.json", { vulnerabilities => [ map { { cve => $_ } } @trivy ] });
    is(run_nvd("$folder/trivy.json")->{state}, 'succeeded', 'items of trivy-db, as a feed');
    same_cves('... are stored', @trivy);
}

# ---------------------------------------------------------------------------
# NVD: which metric counts
# ---------------------------------------------------------------------------

sub severities
{
    return [ query($session, 'SELECT cve, severity, score, cvss_version, scored_by FROM clair.cve_detail'
        . " WHERE cve IN (SELECT cve FROM clair.cve_statement)") ];
}

is(run_nvd("$FIXTURES/nvd/feed-2.0.json")->{broken}, 0, 'a feed of our own');
same_lines(severities(), [ 'CVE-1999-0101|High|10.0|2.0|nvd@nist.gov', 'CVE-2031-0100|High|7.5|3.1|nvd@nist.gov',
        'CVE-2031-0101|Medium|6.9|4.0|cna@example.org', 'CVE-2031-0102||||' ],
    'NVD before others, 3.1 before 4.0 before 2.0; 0 by who enriches is none');
same_lines([ query($session, 'SELECT cve, state, rejected, published, kev_date_added'
        . " FROM clair.cve_detail WHERE cve IN ('CVE-2031-0102', 'CVE-1999-0101')") ],
    [ 'CVE-2031-0102|Rejected|t|2031-01-03 10:00:00+00|', 'CVE-1999-0101|Deferred|f|1999-05-01 04:00:00+00|' ],
    'the rest of it');

same_lines([ query($session, $FINDINGS) ], [ 'CVE-2031-0100|High|quux "overflow"',
        'CVE-2031-0102|Unknown|Rejected reason: it was none.' ], 'findings have it, where their source says nothing');

# Metrics, each [ version, score, type, source ], that a CVE has; which counts, as version and score.
foreach my $case (
    [ 'Primary before Secondary', '3.1|5.0', [ '3.1', 9.0, 'Secondary', 'a' ], [ '3.1', 5.0, 'Primary', 'n' ] ],
    [ 'Primary 3.0 before Secondary 3.1', '3.0|5.0', [ '3.1', 9.0, 'Secondary', 'a' ], [ '3.0', 5.0, 'Primary', 'n' ] ],
    [ '3.1 before 3.0', '3.1|5.0', [ '3.0', 9.0, 'Primary', 'n' ], [ '3.1', 5.0, 'Primary', 'n' ] ],
    [ 'who assigned it before who enriched it', '3.0|5.0', [ '3.1', 9.0, 'Secondary', $CISA ], [ '3.0', 5.0, 'Secondary', 'a' ] ],
    [ 'who enriched it before 4.0', '3.1|9.0', [ '3.1', 9.0, 'Secondary', $CISA ], [ '4.0', 5.0, 'Primary', 'n' ] ],
    [ '4.0 before 2.0', '4.0|5.0', [ '2.0', 9.0, 'Primary', 'n' ], [ '4.0', 5.0, 'Secondary', 'a' ] ],
    [ '0 by who enriched it is none', '2.0|9.0', [ '2.0', 9.0, 'Primary', 'n' ], [ '3.1', 0.0, 'Secondary', $CISA ] ],
    [ '0 by NVD is 0', '3.1|0.0', [ '3.1', 0.0, 'Primary', 'n' ], [ '3.1', 9.0, 'Secondary', 'a' ] ],
    [ 'the first by name of those who say as much', '3.1|9.0', [ '3.1', 5.0, 'Secondary', 'b' ], [ '3.1', 9.0, 'Secondary', 'a' ] ])
{
    my ($name, $expected, @metrics) = @$case;

    foreach my $order (0, 1)
    {
        write_file("$folder/nvd.json", { vulnerabilities => [ { cve => { id => 'CVE-2031-0001', metrics => {
            cvssMetricV31 => [ map { { source => $_->[3], type => $_->[2], cvssData => {
                version => $_->[0], baseScore => $_->[1] + 0 } } } @metrics ] } } } ] });
        run_nvd("$folder/nvd.json");
        is(scalar query($session, "SELECT cvss_version, score FROM clair.cve_detail WHERE cve = 'CVE-2031-0001'"),
            $expected, $name);
        @metrics = reverse @metrics;
    }
}

# ---------------------------------------------------------------------------
# NVD: feeds of years, and what changes them
# ---------------------------------------------------------------------------

my %feeds; # year => { CVE => score }

sub write_feed
{
    my ($name, $scores) = @_;

    write_file("$folder/nvd/nvdcve-2.0-$name.json.gz", { vulnerabilities => [ map { { cve => { id => $_,
        metrics => { cvssMetricV31 => [ { source => 'nvd@nist.gov', type => 'Primary',
            cvssData => { version => '3.1', baseScore => $scores->{$_} } } ] } } } } sort keys %$scores ] });
}

# Writes the .meta of a day, and runs the updater.
sub run_on
{
    my ($day) = @_;

    write_file("$folder/nvd/nvdcve-2.0-modified.meta", "lastModifiedDate:${day}T03:00:01-05:00\r\nsize:1\r\n");
    return outcome_of('nvd');
}

sub scores
{
    return scalar query($session, 'SELECT string_agg(cve || \'=\' || score, \' \' ORDER BY cve)'
        . " FROM clair.cve_metric WHERE updater = 'nvd'");
}

%feeds = (2002 => { 'CVE-1999-0001' => 1.0, 'CVE-2002-0001' => 2.0 }, 2031 => { 'CVE-2031-0001' => 3.0 });
write_feed($_, $feeds{$_} // {}) foreach 2002 .. 2031;
set_feed($session, 'nvd', "$folder/nvd/nvdcve-2.0-modified.meta", '{"max_shrinkage": 100}');
like(run_on('2031-03-10'), qr/^succeeded: 3 records 0 unchanged 0 broken/, 'at first, the feeds of all years');
is(scores(), 'CVE-1999-0001=1.0 CVE-2002-0001=2.0 CVE-2031-0001=3.0', '... are read');
is(run_on('2031-03-10'), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'a .meta that says the same');

write_file("$folder/nvd/nvdcve-2.0-2002.json.gz", 'must not be read');
write_feed('modified', { 'CVE-1999-0001' => 4.0, 'CVE-2031-0001' => 3.0, 'CVE-2031-0002' => 5.0, 'CVE-2032-0001' => 6.0 });
is(run_on('2031-03-17'), 'succeeded: 4 records 1 unchanged 0 broken 2 added 1 changed 0 withdrawn',
    'a week later, what was modified');
is(scores(), 'CVE-1999-0001=4.0 CVE-2002-0001=2.0 CVE-2031-0001=3.0 CVE-2031-0002=5.0 CVE-2032-0001=6.0',
    '... changes single CVEs of years');
is(scalar query($session, "SELECT string_agg(record || ' ' || document, ', ' ORDER BY record) FROM clair.record"
        . " WHERE updater = 'nvd'"),
    join(', ', 'CVE-1999-0001 nvdcve-2.0-2002', 'CVE-2002-0001 nvdcve-2.0-2002', 'CVE-2031-0001 nvdcve-2.0-2031',
        'CVE-2031-0002 nvdcve-2.0-2031', 'CVE-2032-0001 nvdcve-2.0-2032'), '... and they belong to these');
is(scalar query($session, "SELECT severity FROM clair.cve WHERE cve = 'CVE-1999-0001'"), 'Medium', '... and their severity');

write_file("$folder/nvd/nvdcve-2.0-modified.json.gz", 'must not be read');
write_feed(2002, { 'CVE-1999-0001' => 4.0, 'CVE-2002-0001' => 7.0 });
write_feed(2031, { 'CVE-2031-0001' => 3.0 });
write_feed(2032, { 'CVE-2032-0001' => 6.0, 'CVE-2032-0002' => 8.0 });
is(run_on('2032-03-25'), 'succeeded: 5 records 3 unchanged 0 broken 1 added 1 changed 1 withdrawn',
    'a year later, the feeds of years that have changed');
is(scores(), 'CVE-1999-0001=4.0 CVE-2002-0001=7.0 CVE-2031-0001=3.0 CVE-2032-0001=6.0 CVE-2032-0002=8.0',
    '... are read, and one CVE has gone');
is(scalar query($session, "SELECT severity IS NULL FROM clair.cve WHERE cve = 'CVE-2031-0002'"), 't',
    '... with its severity');
$known = knowledge();
like(run_on('2032-03-26'), qr/^failed: .*document "modified": the document is not a JSON object/, 'a feed that is none');
is(knowledge(), $known, '... changes nothing');
write_feed('modified', { 'CVE-2002-0001' => 7.5 });
like(run_on('2032-03-27'), qr/^succeeded: .* 1 changed/, 'the next run goes on from there');

# ---------------------------------------------------------------------------
# EPSS
# ---------------------------------------------------------------------------

# Points the updater to a text and runs it.
sub run_scores
{
    my ($text) = @_;

    write_file("$folder/epss.csv", $text);
    return outcome_of('epss');
}

# Checks that the scores in the table are those of a document.
sub same_scores
{
    my ($text, $name) = @_;

    write_file("$folder/expected.csv", join '', grep { /^CVE/ } $text =~ /.*\n/g);
    is(scalar query($session, <<"SQL"), '0 differ', $name);
SET client_min_messages = warning;
DROP TABLE IF EXISTS pg_temp.expected;
CREATE TEMPORARY TABLE expected (cve text, score real, percentile real);
COPY pg_temp.expected FROM '$folder/expected.csv' CSV;
SELECT count(*) || ' differ' FROM (
    (TABLE clair.epss EXCEPT TABLE pg_temp.expected) UNION ALL (TABLE pg_temp.expected EXCEPT TABLE clair.epss)
) AS d
SQL
}

my $scores = slurp_file("$FIXTURES/epss/scores.csv");
set_feed($session, 'epss', "$folder/epss.csv");
is(run_scores($scores), 'succeeded: 4 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn', 'scores');
same_scores($scores, '... are in the table');
is(scalar query($session, 'TABLE clair.epss_edition'), 'epss|v2031.01.01|2031-03-01 00:00:00+00', '... with their edition');
is(run_scores($scores), 'unchanged: 4 records 4 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'the same scores');
my %place = map { split /\|/ } query($session, 'SELECT cve, ctid FROM clair.epss');
$scores =~ s/0\.00910/0.00911/;
is(run_scores($scores), 'succeeded: 4 records 3 unchanged 0 broken 0 added 1 changed 0 withdrawn', 'a score changes');
is_deeply([ grep { my ($cve, $place) = split /\|/; $place{$cve} ne $place } query($session, 'SELECT cve, ctid FROM clair.epss')],
    [ 'CVE-2030-0001|(0,5)' ], '... and no other row is written');
$scores =~ s/^CVE-2030.*\n/CVE-2030-0002,0.1,0.2\n/m;
is(run_scores($scores), 'succeeded: 4 records 3 unchanged 0 broken 1 added 0 changed 1 withdrawn', 'one comes, one goes');
same_scores($scores, '... and that is in the table');
is(run_scores("#model_version:v2032.01.01,score_date:2031-03-02T00:00:00Z\n" . $scores =~ s/^#.*\n//r),
    'unchanged: 4 records 4 unchanged 0 broken 0 added 0 changed 0 withdrawn', 'the same scores, another day');
is(scalar query($session, 'TABLE clair.epss_edition'), 'epss|v2032.01.01|2031-03-02 00:00:00+00', '... is told');
is(scalar query($session, "SELECT epss, kev_date_added IS NULL, severity FROM clair.cve_detail WHERE cve = 'CVE-2030-0002'"),
    '0.1|t|', 'a CVE of which nothing else is known');
like(run_scores("$scores\nCVE-2031-0100,0.1,0.2\n"), qr/^failed: .*document "csv": "CVE-2031-0100" is there twice/,
    'two scores of one CVE');
like(run_scores(''), qr/^failed: .*document "csv": the document is empty/, 'a document that is empty');
same_scores($scores, '... change nothing');

if (defined $DATA)
{
    foreach my $file ('epss_scores-current.csv.gz', 'vunnel/example-1.csv',
        map { "vuls-epss/testdata/fixtures/epss_scores-$_.csv.gz" } qw(2021-09-01 2022-02-04 2023-03-07))
    {
        my $path = abs_path("$DATA/epss/$file");
        my $text = `gzip -dcf '$path'`;

        set_feed($session, 'epss', $path, '{"max_shrinkage": 100}');
        my $run = update($session, 'epss');
        is("$run->{state} $run->{records} $run->{broken}", 'succeeded ' . (() = $text =~ /^CVE/mg) . ' 0', $file);
        same_scores($text, '... is in the table');
    }
    foreach my $golden (glob "$DATA/epss/vuls-epss/testdata/golden/*/*.json")
    {
        my $expected = read_json($golden);
        my $day = $golden =~ s{.*/(.*)\.json}{$1}r;
        my $run;

        set_feed($session, 'epss', abs_path("$DATA/epss/vuls-epss/testdata/fixtures/epss_scores-$day.csv.gz"));
        $run = update($session, 'epss');
        same_lines([ map { my @fields = split /\|/, $_, -1; join '|', $fields[0], map { $_ eq '' ? '' : sprintf '%.5f', $_ } @fields[1, 2] }
                query($session, 'SELECT cve, score, percentile FROM clair.epss') ],
            [ map { join '|', $_->{id}, map { defined ? sprintf '%.5f', $_ : '' } @$_{qw(epss percentile)} } @{ $expected->{data} } ],
            "golden of $day");
    }
    set_feed($session, 'epss', abs_path("$DATA/epss/epss_scores-current.csv.gz"), '{}');
    is(update($session, 'epss')->{state}, 'succeeded', 'the whole feed again');
    $known = knowledge();
    set_feed($session, 'epss', abs_path("$DATA/epss/vunnel/example-1.csv"));
    like(outcome_of('epss'), qr/^failed: .*document "csv" shrank from 360142 to 5 records/, 'a feed that shrank');
    is(knowledge(), $known, '... changes nothing');
}

# ---------------------------------------------------------------------------
# The CVE List, and what two updaters say of a CVE
# ---------------------------------------------------------------------------

sub cve_record
{
    my ($cve, $score) = @_;

    return JSON::PP->new->canonical->encode({ cveMetadata => { cveId => $cve, state => 'PUBLISHED' }, containers => { cna => {
        providerMetadata => { shortName => 'quux' }, descriptions => [ { lang => 'en', value => "by quux: $cve" } ],
        metrics => [ { cvssV3_1 => { version => '3.1', baseScore => $score } } ] } } });
}

my $list = "$folder/list";

sub write_all
{
    my ($day, %scores) = @_;
    my $inner = zip_of('cves/delta.json' => '[', map { $_ =~ /-(\d{4})-(\d+)\d{3}$/;
        ("cves/$1/$2xxx/$_.json" => cve_record($_, $scores{$_})) } keys %scores);

    write_file("$list/${day}_all_CVEs_at_midnight.zip.zip", zip_of('cves.zip' => $inner));
}

sub write_delta
{
    my ($name, %scores) = @_;

    write_file("$list/${name}.zip", zip_of(map { ("deltaCves/$_.json" => cve_record($_, $scores{$_})) } keys %scores));
}

sub listed_scores
{
    return scalar query($session, 'SELECT string_agg(cve || \'=\' || score, \' \' ORDER BY cve)'
        . " FROM clair.cve_metric WHERE updater = 'cve_list'");
}

write_all('2031-01-02', 'CVE-2002-0001' => 9.5, 'CVE-2031-0001' => 9.6, 'CVE-2031-0002' => 9.7);
set_feed($session, 'cve_list', $list, '{"max_shrinkage": 100}');
is(outcome_of('cve_list'), 'succeeded: 3 records 0 unchanged 0 broken 3 added 0 changed 0 withdrawn', 'all CVEs of a day');
is(listed_scores(), 'CVE-2002-0001=9.5 CVE-2031-0001=9.6 CVE-2031-0002=9.7', '... have their scores');
is(outcome_of('cve_list') =~ s/:.*//r, 'unchanged', 'the same again');
write_file("$list/2031-01-02_all_CVEs_at_midnight.zip.zip", 'must not be read');
write_delta('2031-01-02_delta_CVEs_at_1300Z', 'CVE-2031-0001' => 9.8);
is(outcome_of('cve_list'), 'succeeded: 1 records 0 unchanged 0 broken 0 added 1 changed 0 withdrawn', 'changes of the day');
write_all('2031-01-03');
write_delta('2031-01-02_delta_CVEs_at_end_of_day', 'CVE-2031-0001' => 9.8, 'CVE-2031-0002' => 9.1, 'CVE-2031-0003' => 9.2);
write_delta('2031-01-03_delta_CVEs_at_0100Z', 'CVE-2031-0003' => 9.3);
is(outcome_of('cve_list'), 'succeeded: 3 records 1 unchanged 0 broken 1 added 1 changed 0 withdrawn', 'changes of two days');
is(listed_scores(), 'CVE-2002-0001=9.5 CVE-2031-0001=9.8 CVE-2031-0002=9.1 CVE-2031-0003=9.3', '... the later ones count');

is(scalar query($session, "SELECT severity, score, scored_by, description FROM clair.cve_detail WHERE cve = 'CVE-2002-0001'"),
    'High|7.5|nvd@nist.gov|by quux: CVE-2002-0001', 'what NVD says comes first, the rest is filled in');
write_feed('modified', {});
write_feed($_, {}) foreach 2002, 2031, 2032;
like(run_on('2033-01-01'), qr/^succeeded: 0 records .* [1-9]\d* withdrawn/, 'NVD withdraws all');
is(scalar query($session, "SELECT severity, score, scored_by FROM clair.cve_detail WHERE cve = 'CVE-2002-0001'"),
    'Critical|9.5|quux', '... and what the CVE List says stands in');
write_all('2031-02-01', 'CVE-2031-0001' => 9.8);
is(outcome_of('cve_list'), 'succeeded: 1 records 1 unchanged 0 broken 0 added 0 changed 3 withdrawn',
    'after a month, all CVEs again');
is(scalar query($session, "SELECT severity IS NULL, description IS NULL FROM clair.cve_detail WHERE cve = 'CVE-2002-0001'"),
    't|t', '... then nothing is known of one');

# ---------------------------------------------------------------------------
# A feed of a GB (make check-long)
# ---------------------------------------------------------------------------

# Runs the updater of NVD: the greatest memory, in MB, that its reader held.
sub memory_of_reader
{
    my $peak = 0;
    my $last = query($session, 'SELECT max(id) FROM clair.update_run');

    query($session, "SELECT clair.update('nvd', wait => false)");
    wait_for(600, sub {
        my $worker = query($session, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'clair updater'");

        foreach my $file ($worker ne '' ? glob('/proc/[0-9]*/status') : ())
        {
            my $status = eval { slurp_file($file) } // '';

            $peak = $1 if $status =~ /^Name:\tclair-reader\n/ && $status =~ /^PPid:\t$worker\n/m
                && $status =~ /^VmHWM:\s+(\d+) kB/m && $1 > $peak;
        }
        return scalar query($session, "SELECT 1 FROM clair.update_run WHERE id > $last AND state <> 'running'");
    });
    return $peak / 1024;
}

if ($ENV{CLAIR_TEST_LONG})
{
    system_or_bail("$FindBin::Bin/../bench/nvd_json 1 1024 >$folder/large.json");
    set_feed($session, 'nvd', "$folder/large.json", '{"max_shrinkage": 100}');
    my $peak = memory_of_reader();
    my ($state, $records, $broken) = split /\|/, scalar query($session, 'SELECT state, records, broken'
        . ' FROM clair.update_run ORDER BY id DESC LIMIT 1');
    my $expected = `grep -c '"cve":' $folder/large.json`;

    is("$state, $records records, $broken broken", 'succeeded, ' . $expected =~ s/\n//r . ' records, 0 broken', 'a feed of a GB');
    is(scalar query($session, "SELECT count(*) FROM clair.cve_statement WHERE updater = 'nvd'"), $expected + 0, '... is stored');
    ok($peak > 1 && $peak < 64, sprintf '... and takes %.1f MB of its reader, less than 64', $peak);
    unlink "$folder/large.json";
}
else
{
    note('a feed of a GB is left to make check-long');
}

# ---------------------------------------------------------------------------
# All of it
# ---------------------------------------------------------------------------

is(scalar query($session, $VULNERABILITIES), $vulnerabilities, 'no vulnerability was touched');
is(scalar query($session, 'SELECT count(*) FROM clair.notification'), 0, 'nothing was announced');
unlike(scalar query($session, 'SELECT 1'), qr/Asynchronous notification/, '... nor told');

$session->quit;
done_testing();
