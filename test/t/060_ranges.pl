# Proves what becomes of ranges with lower and with inclusive upper bounds: of those of several records
# what each contributes, run by run; that findings up to a last affected version have no fix; and that
# alerts say the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $ROW_READER = HelperProcess::program_path('test/t/row_reader');
my @COLUMNS    = qw(number namespace kind package format introduced fixed status severity architectures module
    flavour repositories advisory last_affected);

plan skip_all => 'the row reader has not been built' if !defined $ROW_READER || !-x $ROW_READER;

my ($node, $library) = start_server_of_its_own('ranges', 'max_worker_processes = 16');

# Images are read by the real reader, before the other one takes its place.
my ($session) = session($node);
index_file($session, make_layer($node->basedir . '/image.tar',
    'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'at', '1.4' ], [ 'behind', '1.4+b1' ], [ 'below', '0.9' ])), 'image');

my $folder  = PostgreSQL::Test::Utils::tempdir();
unlink "$library/clair-reader" or die "unlink: $!";
copy($ROW_READER, "$library/clair-reader");
chmod 0755, "$library/clair-reader";
query($session, "UPDATE clair.builtin_updater SET resolves = true WHERE name = 'debian'");

my $edition = 0;

# Has the updater read records: name => [ range, ... ]; a range is a hash of columns, and of a source
# package of Debian's unless it says something else. All are on the same vulnerability.
sub read_records
{
    my (%records) = @_;
    my $rows = '';
    my $document = "$folder/document" . ++$edition;

    foreach my $record (sort keys %records)
    {
        my $number = 0;
        my $digest = 'x' . join(' ', map { join(',', map { $_ // '-' } %$_{ sort keys %$_ }) } @{ $records{$record} }) =~ tr/\t//dr;

        $rows .= "record\tjson\t$record\t$digest\n"
            . "vulnerability\t$record\tCVE-2031-0001\t$digest\n";
        foreach my $range (@{ $records{$record} })
        {
            my %columns = (number => $number++, namespace => 'debian:12', kind => 'source', format => 'dpkg',
                status => exists $range->{fixed} ? 'fixed' : 'affected', severity => 'Unknown', %$range);
            $rows .= join("\t", 'affected', $record, 'CVE-2031-0001', map { $_ // '-' } @columns{@COLUMNS}) . "\n";
        }
    }
    write_file("$library/rows", $rows);
    write_file($document, "edition $edition");
    set_feed($session, 'debian', $document, '{"max_shrinkage": 100}');
    return update_watching_alerts($session, 'debian');
}

# What stands of a package: record: from - to (status), ordered by where it begins.
sub standing
{
    my ($package) = @_;

    return scalar query($session, <<"SQL");
SELECT string_agg(concat(v.record, ': ', a.introduced, ' - ', a.fixed, ' (', a.status, ')'), '; '
    ORDER BY a.introduced USING OPERATOR(clair.<))
FROM clair.vulnerability AS v JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.until_run IS NULL AND a.package = '$package' AND a.introduced OPERATOR(clair.<) a.fixed
SQL
}

# ---------------------------------------------------------------------------
# What each of several ranges contributes
# ---------------------------------------------------------------------------

my %rpm = (namespace => 'oracle:9', kind => 'binary', format => 'rpm');
my @cases = (
    # package, ranges of record one, of record two; what stands
    [ 'several', [ { fixed => '1.5' }, { introduced => '2.0', fixed => '2.3' } ], [],
        'one: -infinity - dpkg:1.5 (fixed); one: dpkg:2.0 - dpkg:2.3 (fixed)' ],
    [ 'overlapping', [ { introduced => '1.0', fixed => '1.5' } ], [ { introduced => '1.2', fixed => '1.8' } ],
        'two: dpkg:1.0 - dpkg:1.8 (fixed)' ],
    [ 'meeting', [ { introduced => '1.0', fixed => '1.5' } ], [ { introduced => '1.5', fixed => '1.8' } ],
        'two: dpkg:1.0 - dpkg:1.8 (fixed)' ],
    [ 'apart', [ { introduced => '1.0', fixed => '1.5' } ], [ { introduced => '1.6', fixed => '1.8' } ],
        'one: dpkg:1.0 - dpkg:1.5 (fixed); two: dpkg:1.6 - dpkg:1.8 (fixed)' ],
    [ 'chained', [ { introduced => '1.0', fixed => '1.5' }, { introduced => '2.0', fixed => '2.5' } ],
        [ { introduced => '1.4', fixed => '2.1' } ], 'one: dpkg:1.0 - dpkg:2.5 (fixed)' ],
    [ 'higher', [ { fixed => '1.5' } ], [ { fixed => '1.8' } ], 'two: -infinity - dpkg:1.8 (fixed)' ],
    [ 'fixed after all', [ {} ], [ { introduced => '2.0', fixed => '2.3' } ], 'two: dpkg:2.0 - dpkg:2.3 (fixed)' ],
    [ 'fixed below', [ { introduced => '3.0' } ], [ { fixed => '2.3' } ],
        'two: -infinity - dpkg:2.3 (fixed); one: dpkg:3.0 - infinity (affected)' ],
    [ 'fixed above', [ { last_affected => '1.4' } ], [ { introduced => '2.0', fixed => '2.3' } ],
        'one: -infinity - dpkg>1.4 (affected); two: dpkg:2.0 - dpkg:2.3 (fixed)' ],
    [ 'fixed at the last', [ { last_affected => '2.0' } ], [ { introduced => '2.0', fixed => '2.3' } ],
        'two: dpkg:2.0 - dpkg:2.3 (fixed)' ],
    [ 'same end', [ { last_affected => '1.4' } ], [ { last_affected => '1.4', status => 'will_not_fix' } ],
        'two: -infinity - dpkg>1.4 (will_not_fix)' ],
    [ 'reaches further', [ { introduced => '1.0', last_affected => '1.6' } ],
        [ { introduced => '0.5', last_affected => '1.4', status => 'will_not_fix' } ],
        'one: dpkg:0.5 - dpkg>1.6 (affected)' ],
    [ 'denied', [ { introduced => '1.0', fixed => '1.5' } ], [ { status => 'not_affected' } ], '' ],
    [ 'upside down', [ { introduced => '1.5', fixed => '1.0' } ], [ { introduced => '3', last_affected => '2' } ], '' ],
    [ 'rpm, by upstream version', [ { %rpm, fixed => '1.0-5' } ], [ { %rpm, fixed => '0:1.2-2' } ],
        'one: -infinity - rpm:1.0-5 (fixed); two: rpm:1.0^ - rpm:0:1.2-2 (fixed)' ],
    [ 'rpm, one version', [ { %rpm, fixed => '1.0-5' } ], [ { %rpm, fixed => '0:1.00-7' } ],
        'two: -infinity - rpm:0:1.00-7 (fixed)' ],
    [ 'rpm, as stated', [ { %rpm, fixed => '1.0-5' } ], [ { %rpm, introduced => '1.1-0', fixed => '1.2-2' } ],
        'one: -infinity - rpm:1.0-5 (fixed); two: rpm:1.1-0 - rpm:1.2-2 (fixed)' ],
    [ 'rpm, two of a version', [ { %rpm, fixed => '1.0-5' }, { %rpm, introduced => '1.0-7', fixed => '1.0-9' } ], [],
        'one: -infinity - rpm:1.0-5 (fixed); one: rpm:1.0-7 - rpm:1.0-9 (fixed)' ],
    [ 'rpm, between versions', [ { %rpm, fixed => '1.5-1' } ],
        [ { %rpm, fixed => '1.5^~1-1' }, { %rpm, fixed => '1.6-1' } ],
        'two: -infinity - rpm:1.5^~1-1 (fixed); two: rpm:1.5^ - rpm:1.6-1 (fixed)' ],
);

my @one = map { my ($package, $ranges) = @$_; map { { %$_, package => $package } } @$ranges } @cases;
my @two = map { my ($package, undef, $ranges) = @$_; map { { %$_, package => $package } } @$ranges } @cases;

my ($run) = read_records(one => \@one, two => \@two);
is($run->{state}, 'succeeded', 'two records are read') or diag($run->{error});
is(standing($_->[0]), $_->[3], $_->[0]) foreach @cases;

# What stood aside, or was shortened, becomes again what its record states.
($run) = read_records(one => \@one);
is(standing('overlapping'), 'one: dpkg:1.0 - dpkg:1.5 (fixed)', 'without the other record: overlapping');
is(standing('reaches further'), 'one: dpkg:1.0 - dpkg>1.6 (affected)', '... reaches further');
is(standing('fixed after all'), 'one: -infinity - infinity (affected)', '... fixed after all');
is(standing('denied'), 'one: dpkg:1.0 - dpkg:1.5 (fixed)', '... denied');
($run) = read_records(one => \@one, two => \@two);
is(standing($_->[0]), $_->[3], "with it again: $_->[0]") foreach @cases;

# ---------------------------------------------------------------------------
# Findings and alerts
# ---------------------------------------------------------------------------

sub findings
{
    return scalar query($session, 'SELECT string_agg(concat_ws(\' \', feature, installed_version, COALESCE(fixed_in, \'-\'),'
        . " status), '; ' ORDER BY feature) FROM clair.image_vulnerability");
}

# The last alert, side by side, of the packages in their order.
sub alert
{
    return scalar query($session, <<'SQL');
SELECT concat_ws('; ', reason, array_to_string(changes, ','), before_text, after_text)
FROM (SELECT * FROM clair.notification ORDER BY id DESC LIMIT 1) AS n
    CROSS JOIN LATERAL (SELECT string_agg(r.text, ', ') AS before_text
        FROM (SELECT concat_ws(' ', r ->> 'package', r ->> 'introduced', COALESCE(r ->> 'fixed', '-'),
                COALESCE(r ->> 'last_affected', '-'), r ->> 'status') AS text FROM jsonb_array_elements(n.before) AS r) AS r) AS b
    CROSS JOIN LATERAL (SELECT string_agg(r.text, ', ') AS after_text
        FROM (SELECT concat_ws(' ', r ->> 'package', r ->> 'introduced', COALESCE(r ->> 'fixed', '-'),
                COALESCE(r ->> 'last_affected', '-'), r ->> 'status') AS text FROM jsonb_array_elements(n.after) AS r) AS r) AS a
SQL
}

my @bounded = map { { package => $_, introduced => '1.0', last_affected => '1.4' } } qw(at behind below);
my $differences;

($run, $differences) = read_records(one => \@bounded);
is(findings(), 'at 1.4 - affected', 'affected up to a version, and with it, there is no fix');
is($differences, '', 'alerts are of the same findings');
like(alert(), qr/; at 1.0 - 1.4 affected, behind 1.0 - 1.4 affected, below 1.0 - 1.4 affected$/,
    'and say up to which version');

($run, $differences) = read_records(one => [ map { { %$_, last_affected => '1.5' } } @bounded ]);
is(findings(), 'at 1.4 - affected; behind 1.4+b1 - affected', 'the bound moves');
is($differences, '', '... and so do alerts');
is(scalar query($session, 'SELECT string_agg(i.side || i.feature, \' \') FROM clair.notification_images(('
    . 'SELECT max(id) FROM clair.notification)) AS i'), 'afterbehind', '... of what was not affected');
like(alert(), qr/^changed; range; at 1.0 - 1.4 affected, .*; at 1.0 - 1.5 affected/, '... which say so');

($run, $differences) = read_records(one => [ map { { package => $_, introduced => '1.0', fixed => '1.5' } } qw(at behind below) ]);
is(findings(), 'at 1.4 1.5 fixed; behind 1.4+b1 1.5 fixed', 'a fix at the same place is one');
is($differences, '', '... for alerts, too');
like(alert(), qr/^changed; range,status; at 1.0 - 1.5 affected, .*; at 1.0 1.5 - fixed/, '... which say so');

$session->quit;
done_testing();
