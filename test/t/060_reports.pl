# Proves that reports are what their formats say, whatever names and texts they are made of: valid by
# the official schemas, with every name in it as it was, and nothing of a name taken for more than text.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(decode encode);
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Schema;
use Test::More;

my $node = start_server('reports', 'wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on');

# The names that packages, vulnerabilities, exceptions and the image have here.
my @HOSTILE = (
    q{=cmd|' /C calc'!A0}, '+1', '-1', '@SUM(1)', '＝1', "\tleading", '<script>alert(1)</script>', ']]>&amp;<!--',
    q{"'`}, 'a|b||', '[x](javascript:alert(1))', '![x](http://e/x.png)', '**b** _i_ ~s~ $x$ #1 @team', 'www.e.org//x',
    '{0} {{1}} [link](2) \\[', "\e[31mred\e[0m\a\b", "\x{9b}31m", "\x{202e}cba\x{200b}", "line\nline\r\n\nline", "\x{1}\x{1f}\x{7f}",
    "\x{fffe}\x{ffff}\x{2028}", '日本語', '%s%n%1$s', 'end\\', '../../etc/passwd', '","x":"', q{'; DROP TABLE x; --},
    'x' x 3000, ' ', '</failure></testcase>', "e\x{301}" . "\x{301}" x 50,
);

# Hostile texts as an array of SQL.
sub array_of
{
    return 'ARRAY[' . join(', ', map { "U&'" . join('', map { sprintf '\\+%06X', ord } split //) . "'" } @_) . ']';
}

$node->safe_psql('postgres', <<"SQL");
CREATE TABLE hostile AS SELECT * FROM unnest(@{[ array_of(@HOSTILE) ]}) WITH ORDINALITY AS h(name, number);
INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first, started_at, finished_at)
VALUES ('debian', 1, 'test', 'succeeded', 'done', true, now(), now());
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run, link, description, aliases)
SELECT 'debian', number, name, 'x', 1, name, name, ARRAY[name] FROM hostile;
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity, advisory)
SELECT v.id, 1, 'debian:12', 'source', v.name, '-infinity', 'infinity', 'affected',
    (enum_range(NULL::clair.severity))[1 + v.id % 7], v.name
FROM clair.vulnerability AS v;
INSERT INTO clair.package_database (content, namespace, format) VALUES ('x', 'debian:12', 'dpkg');
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version, architecture)
SELECT 1, number, 'debian:12', name, clair.dpkg('1'), name, clair.dpkg('1'), name FROM hostile;
INSERT INTO clair.image (digest, platform, namespace, status)
VALUES ('sha256:1', 'linux/amd64', 'debian:12', 'ok'), ('sha256:2', 'linux/amd64', 'debian:12', 'partial'),
    ('sha256:3', 'linux/amd64', 'unknown', 'unknown_namespace'), ('sha256:4', 'linux/amd64', 'debian:12', 'ok');
INSERT INTO clair.image_problem (image_id, number, place, reason)
SELECT 2, 1, string_agg(name, ' '), 'is hostile' FROM hostile;
INSERT INTO clair.image_database (image_id, position, path, location, database_id)
SELECT id, 1, 'var/lib/dpkg/status.d/' || (SELECT name FROM hostile WHERE number = 7), 'x', 1
FROM clair.image WHERE id < 4;
INSERT INTO clair.exception (vulnerability, kind, reason, author)
SELECT name, CASE WHEN number % 4 = 0 THEN 'false_positive' ELSE 'accepted_risk' END::clair.exception_kind, name, name
FROM hostile WHERE number % 2 = 0;
INSERT INTO clair.cve (cve, severity, updater, metric) SELECT name, 'High', 'nvd', 1 FROM hostile;
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
SELECT name, 'nvd', 1, name, 'Primary', '3.1',
    CASE WHEN number % 2 = 0 THEN name ELSE 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' END, 9.8, 'Critical'
FROM hostile;
SQL

# A report of an image as bytes.
sub report
{
    my ($image, $format, @options) = @_;

    return $node->safe_psql('postgres', sprintf(q{SELECT clair.report('%s', '%s'%s)}, $image, $format,
        join('', map { ", $_" } @options)));
}

my @names   = sort @HOSTILE;
my $ALL     = 'descriptions => true';
my %hostile = map { $_ => 1 } @HOSTILE;

sub names_are
{
    my ($what, @found) = @_;

    is_deeply([ sort @found ], \@names, $what);
}

# ---------------------------------------------------------------------------
# JSON
# ---------------------------------------------------------------------------

my $json = decode_json(report(1, 'json', $ALL));

names_are('JSON has every package', map { $_->{feature} } @{ $json->{findings} });
names_are('... vulnerability', keys %{ $json->{vulnerabilities} });
names_are('... and description', map { $_->{description} } values %{ $json->{vulnerabilities} });
is_deeply([ sort map { $_->{exception}{reason} } grep { $_->{exception} } @{ $json->{findings} } ],
    [ sort map { $HOSTILE[ 2 * $_ - 1 ] } 1 .. @HOSTILE / 2 ], '... and exception');
ok($json->{complete}, 'a report of which nothing is missing is complete');
is($json->{summary}{findings}, @HOSTILE, 'the summary counts');
my $total = 0;
$total += $_ foreach values %{ $json->{summary}{severities} };
is($total, @HOSTILE, '... by severity, too');

# ---------------------------------------------------------------------------
# SARIF
# ---------------------------------------------------------------------------

# What it must have, whatever validator is there.
sub sarif
{
    my ($image, @options) = @_;
    my $bytes = report($image, 'sarif', @options);
    my $sarif = decode_json($bytes);
    my ($run) = @{ $sarif->{runs} };

    valid_json('sarif-2.1.0.json', $bytes, "SARIF of image $image is valid by the schema of OASIS");
    is($sarif->{version}, '2.1.0', 'SARIF: version');
    is($run->{tool}{driver}{name}, 'clair', '... tool');
    my %rule = map { $_->{id} => $_ } @{ $run->{tool}{driver}{rules} };
    is(keys %rule, @{ $run->{tool}{driver}{rules} }, '... each rule once');
    my @wrong = grep {
        my ($location) = @{ $_->{locations} };
        !$rule{ $_->{ruleId} } || $_->{message}{text} eq '' || $_->{level} !~ /^(error|warning|note)$/
            || $location->{physicalLocation}{artifactLocation}{uri} !~ m{^[A-Za-z0-9._~:%/-]+$}
            || $_->{partialFingerprints}{primaryLocationLineHash} !~ /^[0-9a-f]{16}:1$/
            || (exists $_->{ruleIndex} && $run->{tool}{driver}{rules}[ $_->{ruleIndex} ]{id} ne $_->{ruleId})
    } @{ $run->{results} };
    is_deeply(\@wrong, [], '... every result has its rule, a message, a level, a location and a fingerprint');
    @wrong = grep {
        my $score = $_->{properties}{'security-severity'} // '0.1';
        $_->{shortDescription}{text} eq '' || $_->{help}{text} eq '' || $score !~ /^\d+\.\d$/ || $score > 10 || $score < 0.1
            || ($_->{helpUri} // 'http://x') !~ m{^https?://\S+$}
    } values %rule;
    is_deeply(\@wrong, [], '... every rule has descriptions and a severity');
    return $run;
}

my $run = sarif(1, $ALL);
names_are('SARIF has every package', map { $_->{locations}[0]{logicalLocations}[0]{name} } @{ $run->{results} });
names_are('... vulnerability', map { $_->{id} } @{ $run->{tool}{driver}{rules} });
is(scalar(grep { $_->{suppressions} } @{ $run->{results} }), int(@HOSTILE / 2), '... and exception');
is_deeply([ grep { /(?<!\\)[][]|(?<!\{)\{(?:\{\{)*(?!\{)/ } map { $_->{message}{text} =~ s/\\\\//gr } @{ $run->{results} } ], [],
    '... with no link or argument in a message');
is(JSON::PP::true, $run->{invocations}[0]{executionSuccessful}, '... and says that it is complete');

# ---------------------------------------------------------------------------
# GitLab
# ---------------------------------------------------------------------------

# The schema is in no package: what it demands of the parts that we use.
sub gitlab
{
    my ($image, @options) = @_;
    my $gitlab = decode_json(report($image, 'gitlab', @options));
    my $scan   = $gitlab->{scan};
    my $text   = sub { defined $_[0] && !ref $_[0] && length $_[0] >= 1 };

    is($gitlab->{version}, '15.0.7', "GitLab, image $image: version");
    is_deeply([ grep { !$text->($scan->{$_}{id}) || !$text->($scan->{$_}{name}) || !$text->($scan->{$_}{version})
            || !$text->($scan->{$_}{vendor}{name}) } qw(analyzer scanner) ], [], '... analyzer and scanner');
    like($scan->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, "... $_") foreach qw(start_time end_time);
    is($scan->{type}, 'container_scanning', '... type');
    like($scan->{status}, qr/^(success|failure)$/, '... status');
    is_deeply([ grep { $_->{level} !~ /^(info|warn|fatal)$/ || !$text->($_->{value}) } @{ $scan->{messages} } ], [],
        '... messages');
    my @wrong = grep {
        my $location = $_->{location};
        my @nested   = values %{ $_->{details} };
        $_->{id} !~ /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ || length $_->{name} > 255
            || $_->{severity} !~ /^(Info|Unknown|Low|Medium|High|Critical)$/ || length($_->{solution} // '') > 7000
            || !@{ $_->{identifiers} }
            || grep({ !$text->($_->{type}) || !$text->($_->{name}) || !$text->($_->{value})
                || ($_->{url} // 'http://x') !~ m{^(https?|ftp)://.+} } @{ $_->{identifiers} })
            || grep({ $_->{url} !~ m{^(https?|ftp)://.+} } @{ $_->{links} // [] })
            || grep({ !$text->($_->{vendor}) || $_->{vector} !~ m{^CVSS:3\.[01](/[A-Z]{1,3}:[A-Z])+$} } @{ $_->{cvss_vectors} // [] })
            || grep({ $_->{type} ne 'flagged-as-likely-false-positive' || !$text->($_->{origin}) || !$text->($_->{description}) }
                @{ $_->{flags} // [] })
            || grep({ $_->{type} ne 'text' || !$text->($_->{name}) || !defined $_->{value} } @nested)
            || !defined $location->{dependency}{package}{name} || !defined $location->{dependency}{version}
            || !$text->($location->{operating_system}) || !$text->($location->{image})
    } @{ $gitlab->{vulnerabilities} };
    is_deeply(\@wrong, [], '... vulnerabilities');
    my %id = map { $_->{id} => 1 } @{ $gitlab->{vulnerabilities} };
    is(keys %id, @{ $gitlab->{vulnerabilities} }, '... each with an id of its own');
    return $gitlab;
}

my $gitlab = gitlab(1, $ALL);
names_are('GitLab has every package',
    map { $_->{location}{dependency}{package}{name} } @{ $gitlab->{vulnerabilities} });
names_are('... and vulnerability', map { $_->{identifiers}[0]{value} } @{ $gitlab->{vulnerabilities} });
is(scalar(grep { $_->{flags} } @{ $gitlab->{vulnerabilities} }), int(@HOSTILE / 4), '... and false positive');
is(scalar(grep { $_->{cvss_vectors} } @{ $gitlab->{vulnerabilities} }), int((@HOSTILE + 1) / 2),
    '... and CVSS vector, of those that are one');

# ---------------------------------------------------------------------------
# JUnit
# ---------------------------------------------------------------------------

sub junit
{
    my ($image, @options) = @_;
    my $bytes = report($image, 'junit', @options);
    my $text  = decode('UTF-8', $bytes);

    valid_xml('junit.xsd', $bytes, "JUnit of image $image is valid by the schema of Jenkins");
    my ($tests, $failures, $errors, $skipped) =
        $text =~ /<testsuite name="[^"<]*" tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)"/;
    is_deeply([ $tests, $failures, $errors, $skipped ],
        [ map { scalar(() = $text =~ /<$_\b/g) } qw(testcase failure error skipped) ], '... and its counts are right');
    is(scalar($text =~ tr/\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}//), 0, '... without what XML cannot say');
    return $text;
}

my $junit = junit(1, $ALL);
# what XML has no way to say is U+FFFD
names_are('JUnit has every vulnerability, but for what cannot be said', map { $hostile{$_} ? $_ : () } map {
    my $name = $_ =~ s/&#(\d+);/chr $1/ger;
    my ($was) = grep { (s/[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]/\x{FFFD}/gr) eq $name } @HOSTILE;
    $was // "none: $name";
} $junit =~ / name="([^"]*)"><(?:failure|skipped)/g);

# ---------------------------------------------------------------------------
# CSV
# ---------------------------------------------------------------------------

# The fields of each line, as RFC 4180 has them.
sub csv
{
    my @lines = ([]);
    my $text  = decode('UTF-8', $_[0]) . "\n";

    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gc)
    {
        my ($quoted, $plain, $end) = ($1, $2, $3);

        push @{ $lines[-1] }, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
        push @lines, [] if $end eq "\r\n";
    }
    is(pos($text) // 0, length($text), 'CSV is CSV to its end') or diag(substr($text, pos($text) // 0, 200));
    pop @lines;
    return @lines;
}

{
    # psql has its own end of line
    my ($header, @lines) = csv(report(1, 'csv', $ALL) =~ s/\r?\n?\z/\r/r);

    is_deeply([ map { encode('UTF-8', join('|', @$_)) } grep { @$_ != @$header } @lines ], [],
        'every line of CSV has as many fields');
    is(scalar(@lines), scalar(@HOSTILE), '... and there is one for each finding');
    is_deeply([ grep { /^[=+\-\@\t\r\n＝＋－＠]/ } map { @$_ } @lines ], [], '... none of them begins a formula');
    is_deeply([ grep { /[\x00-\x09\x0b-\x1f\x7f-\x9f]/ } map { @$_ } @lines ], [], '... or has control characters');
    my %shown = map { $_->[3] => 1 } @lines;
    # Perl's UTF-8 does not have all that PostgreSQL's has
    my @plain = grep { !/[\x00-\x1f\x7f-\x9f\x{fffe}\x{ffff}]/ } @HOSTILE;
    is_deeply([ grep { !$shown{ (/^[=+\-\@＝]/ ? "'" : '') . $_ } } @plain ], [], '... and every other name is there as it was');
}

# ---------------------------------------------------------------------------
# Markdown and text
# ---------------------------------------------------------------------------

{
    my $text = decode('UTF-8', report(1, 'markdown', $ALL));
    my @rows = grep { /^\|/ } split /\n/, $text;

    is(scalar(@rows), @HOSTILE + 2, 'Markdown has a row for each finding');
    is_deeply([ grep { tr/|// != 7 } @rows ], [], '... with as many columns');
    # our own links and markup left out
    my $rest = $text =~ s/\]\(<https?:[^<>\s]*>\)//gr =~ s/^\| \w+ \| \K\[//gmr =~ s/\*\*Findings: \d+\*\*//r;
    is_deeply([ $rest =~ /[<>`*\[\]\$\@~\\]|&(?!#\d+;)/g ], [], '... and no markup of anybody else');
    unlike($text, qr/[\x00-\x09\x0b-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{2028}-\x{202e}]/, '... or control characters');
}
{
    my $text  = decode('UTF-8', report(1, 'text'));
    my @lines = split /\n/, $text;
    my @rows  = grep { /^ \w+ +\| / } @lines;

    is(scalar(@rows), @HOSTILE + 1, 'text has a row for each finding');
    unlike($text, qr/[\x00-\x09\x0b-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{2028}-\x{202e}]/, '... and no control characters');
    my ($rule) = grep { /^-+\+/ } @lines;
    my @ends = map { length } split /\+/, $rule;
    # the last bar of each row stands where that of the rule does, counted in columns
    my $bars = $node->safe_psql('postgres', q{SELECT string_agg(DISTINCT clair.display_width(row)::text, ' ')
        FROM regexp_matches(clair.report('1'), '(?n)^( [A-Za-z0-9]+ +\| .*)\| (?:remedy|no fix so far)', 'g') AS m(row_of),
            LATERAL (SELECT row_of[1] AS row) AS r});
    is($bars, $ends[0] + $ends[1] + $ends[2] + $ends[3] + 3, '... whose columns are all as wide');
    cmp_ok(length($rule), '<=', 150, '... and not wider than a terminal');
}

# ---------------------------------------------------------------------------
# What is not known
# ---------------------------------------------------------------------------

foreach my $image (2, 3)
{
    my $partly = sarif($image);
    is(JSON::PP::false, $partly->{invocations}[0]{executionSuccessful}, 'SARIF says that it is not complete');
    is(scalar(@{ $partly->{invocations}[0]{toolExecutionNotifications} }), 1, '... and why');
    is(scalar(grep { /^(partial|unknown_namespace)$/ } map { $_->{ruleId} } @{ $partly->{results} }), 1,
        '... in a result, too');
    is(gitlab($image)->{scan}{status}, 'failure', 'for GitLab, the scan has failed');
    like(junit($image), qr/<error type="(partial|unknown_namespace)"/, 'for JUnit, there is an error');
    ok(!decode_json(report($image, 'json'))->{complete}, 'JSON is not complete');
    like(report($image, 'csv'), qr/^"?2?.*,,,,,,(partial|unknown_namespace),/m, 'CSV has a line');
    like(report($image, 'markdown'), qr/^> \*\*Incomplete\*\* \((partial|unknown_namespace)\): /m, 'Markdown says it');
    like(report($image, 'text'), qr/^INCOMPLETE \((partial|unknown_namespace)\): /m, 'text says it');
}
is(scalar(@{ sarif(4)->{results} }), 0, 'SARIF of an image without findings');
is(scalar(@{ gitlab(4)->{vulnerabilities} }), 0, 'the report for GitLab of one');
like(junit(4), qr/<testcase classname="coverage" name="debian"\/>/, 'JUnit of one has a test that passes');

# ---------------------------------------------------------------------------
# On a standby, and of parallel workers
# ---------------------------------------------------------------------------

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
my $REPORTS = q{SELECT md5(string_agg(clair.report('1', f, new_since => '2001-01-01'), '' ORDER BY f))
    FROM unnest('{text,markdown,csv}'::text[]) AS f};
is($standby->safe_psql('postgres', $REPORTS), $node->safe_psql('postgres', $REPORTS), 'a standby reports the same');
like($standby->safe_psql('postgres', q{SELECT clair.report('1', 'sarif')}), qr/"version" : "2\.1\.0"/, '... in all formats');
$standby->stop;
my $parallel = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
is($node->safe_psql('postgres', "SET $parallel = on; $REPORTS"), $node->safe_psql('postgres', $REPORTS),
    'a parallel worker reports the same');

$node->stop;
done_testing();
