# Proves that what updaters brought moves to another database as one file, whole or as what changed
# since a position: both then say the same, image by image; and that a file that is cut off, damaged,
# of another version, out of order, or of updaters that are not there changes nothing and says why.
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

my $fixtures = "$FindBin::Bin/../fixtures";
my $folder   = PostgreSQL::Test::Utils::tempdir();
my $node     = start_server('export', 'max_worker_processes = 12');
my ($here)   = session($node);
my $there    = new_database($node, 'there');

query($there, "CREATE FUNCTION public.outcome(statement text) RETURNS text LANGUAGE plpgsql AS \$\$"
    . "DECLARE m text; d text; h text; BEGIN EXECUTE statement; RETURN 'ok';"
    . " EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL,"
    . " h = PG_EXCEPTION_HINT; RETURN concat_ws('; ', m, NULLIF(d, ''), NULLIF(h, '')); END \$\$")
    if query($there, "SELECT to_regproc('public.outcome')") eq '';

# What a statement at the other side fails with.
sub refusal
{
    my ($statement) = @_;
    my (undef, undef, $error) = $node->psql('there', $statement);

    $error =~ s/^psql:[^:]*:\d+: //mg;
    return $error =~ s/\n(?:LINE|CONTEXT).*//sr;
}

# ---------------------------------------------------------------------------
# What there is: a source of each kind
# ---------------------------------------------------------------------------

my %tracker = (
    bash => {
        'CVE-2031-1' => {
            description => "text with a tab \t, a line\nbreak, a \\, a \" and \x{20ac}",
            releases => {
                bookworm => { status => 'open', urgency => 'low' },
                bullseye => { status => 'resolved', urgency => 'high', fixed_version => '1:5.1~rc1+b2-1' }
            }
        },
        'CVE-2031-2' => { releases => { bookworm => { status => 'resolved', urgency => 'low', fixed_version => '0' } } },
    },
    zlib => { 'CVE-2031-3' => { releases => { bookworm => { status => 'open', urgency => 'medium' } } } },
    old => { 'CVE-2031-4' => { releases => { buster => { status => 'open', urgency => 'high' } } } },
);

sub update_debian
{
    write_file("$folder/tracker.json", \%tracker);
    return update($here, 'debian');
}

set_feed($here, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
is(update_debian()->{state}, 'succeeded', 'Debian');
delete $tracker{old};
is(update_debian()->{state}, 'succeeded', 'a release that is no longer spoken of is frozen');
is(scalar query($here, 'SELECT namespace FROM clair.frozen_namespace'), 'debian:10', 'which it is');
foreach my $feed ([ 'alpine', "$fixtures/alpine" ], [ 'oracle', "$fixtures/oracle" ],
    [ 'redhat-oval', "$fixtures/redhat-oval/PULP_MANIFEST" ], [ 'nvd', "$fixtures/nvd/feed-2.0.json" ],
    [ 'epss', "$fixtures/epss/scores.csv" ], [ 'kev', "$fixtures/kev/catalog.json" ])
{
    set_feed($here, $feed->[0], $feed->[1]);
    is(update($here, $feed->[0])->{state}, 'succeeded', $feed->[0]);
}
query($here, "INSERT INTO clair.repository_cpe VALUES ('a-rpms', 'cpe:/o:redhat:enterprise_linux:9')");
query($here, "SELECT clair.create_updater('partner', 'file://$folder/partner.json', 'secdb', '{\"namespace\": \"wolfi:rolling\"}')");
write_file("$folder/partner.json",
    { packages => [ { pkg => { name => 'curl', secfixes => { '8.1-r0' => ['CVE-2031-5'] } } } ] });
is(update($here, 'partner')->{state}, 'succeeded', 'a source of the user\'s own');

# What a database says: everything that reaches an answer, with neither numbers nor times of its own.
my %answers = (
    vulnerabilities => <<'SQL',
SELECT v.updater, v.name, v.link, v.description, v.aliases, a.namespace, a.kind, a.package, a.introduced, a.fixed, a.status,
    a.severity, a.stated_severity, a.advisory, s.architectures, s.module, s.flavour, s.repositories
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    LEFT JOIN clair.scope AS s ON s.id = a.scope_id
WHERE v.until_run IS NULL AND a.until_run IS NULL
SQL
    frozen => 'SELECT updater, namespace FROM clair.frozen_namespace',
    repositories => 'SELECT * FROM clair.repository_cpe',
    cves => 'SELECT * FROM clair.cve_detail',
    statements => 'SELECT * FROM clair.cve_statement',
    metrics => 'SELECT * FROM clair.cve_metric',
    exploited => 'SELECT * FROM clair.kev',
    freshness => 'SELECT updater, last_success, fresh FROM clair.update_status WHERE last_success IS NOT NULL',
);

sub said
{
    my ($where, $what) = @_;

    return scalar query($where, "SELECT string_agg(row_to_json(a)::text, E'\\n' ORDER BY row_to_json(a)::text) FROM ($answers{$what}) AS a");
}

sub same_answers
{
    my ($title) = @_;

    foreach my $what (sort keys %answers)
    {
        my $expected = said($here, $what);

        isnt($expected, '', "there are $what") if $title eq 'the whole export';
        is(said($there, $what), $expected, "$title: $what");
    }
}

sub export
{
    my ($file, $since) = @_;

    return scalar query($here, "SELECT DISTINCT position FROM clair.export_updates('$folder/$file', "
        . ($since // 'NULL') . ')');
}

sub import
{
    my ($file) = @_;

    return scalar query($there, "SELECT string_agg(updater || ' ' || state || ' ' || added || ' ' || changed || ' '"
        . " || withdrawn, ', ' ORDER BY updater) FROM clair.import_updates('$folder/$file')");
}

# ---------------------------------------------------------------------------
# Everything
# ---------------------------------------------------------------------------

my $first = export('first');
like(refusal("SELECT * FROM clair.import_updates('$folder/first')"),
    qr/^ERROR:  the export has updaters that there are not here: partner\nHINT:  Create them/,
    'an updater that is not there is missed');
is(scalar query($there, 'SELECT count(*) FROM clair.update_run'), '0', 'nothing has begun');
query($there, "SELECT clair.create_updater('partner', 'file:///nowhere', 'secdb', '{\"namespace\": \"wolfi:rolling\"}')");
like(import('first'), qr/^alpine succeeded \d+ 0 0, debian succeeded \d+ 0 0, .*redhat-oval succeeded/, 'the import');
same_answers('the whole export');
is(scalar query($there, 'SELECT count(*) FROM clair.notification'), '0', 'first runs announce nothing');
is(import('first'), join(', ', map { "$_ unchanged 0 0 0" } qw(alpine debian epss kev nvd oracle partner redhat-oval)),
    'the same once more changes nothing');
same_answers('once more');

# Images get the same answers on both sides.
my $layer = make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.0' ], [ 'zlib1g', '1', 'zlib' ]));
my $old = make_layer("$folder/old.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=10\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'old', '1' ]));
foreach my $image ([ web => $layer ], [ old => $old ])
{
    index_file($_, $image->[1], $image->[0]) foreach ($here, $there);
}

sub findings
{
    my ($where) = @_;

    return scalar query($where, "SELECT string_agg(concat_ws(' ', n, vulnerability, feature, fixed_in, severity, status), E'\\n'"
        . " ORDER BY n, vulnerability, status) FROM unnest('{web,old}'::text[]) AS n, clair.vulnerabilities(n)");
}
like(findings($here), qr/old CVE-2031-4 old High affected\nold frozen_feed\nweb CVE-2031-1 bash/, 'findings');
is(findings($there), findings($here), 'findings are the same');

# ---------------------------------------------------------------------------
# What changed
# ---------------------------------------------------------------------------

my ($listener) = $node->background_psql('there', on_error_stop => 0);
query($listener, 'LISTEN clair');
delete $tracker{zlib};
$tracker{bash}{'CVE-2031-1'}{releases}{bookworm} = { status => 'resolved', urgency => 'low', fixed_version => '6' };
$tracker{new}{'CVE-2031-6'}{releases}{bookworm} = { status => 'open', urgency => 'high' };
is(update_debian()->{state}, 'succeeded', 'Debian changes');
write_file("$folder/partner.json", { packages => [] });
query($here, "UPDATE clair.updater SET options = options || '{\"max_shrinkage\": 100}' WHERE name = 'partner'");
is(update($here, 'partner')->{withdrawn}, 1, 'the user\'s own source changes');
my $second = export('second', $first);
cmp_ok(-s "$folder/second", '<', (-s "$folder/first") / 2, 'what changed is less');
is(scalar query($here, "SELECT string_agg(updater || ' ' || lines, ', ' ORDER BY updater) FROM clair.export_updates('$folder/again', $first)"
        . " WHERE lines > 0 AND updater <> 'redhat-oval'"), 'debian 4, partner 1',
    'which are the records that changed, and the frozen namespace');
$tracker{last}{'CVE-2031-7'}{releases}{bookworm} = { status => 'open', urgency => 'high' };
update_debian();
my $third = export('third', $second);
like(refusal("SELECT * FROM clair.import_updates('$folder/third')"),
    qr/^ERROR:  the export tells only what changed of "alpine" since position $second\nDETAIL:  That position has not been reached here.\nHINT:  Import what/,
    'an export is missing in between');
like(import('second'), qr/debian succeeded 1 1 1, .*partner succeeded 0 0 1/, 'the import of what changed');
like(scalar query($there, "SELECT string_agg(vulnerability || ' ' || reason, ', ' ORDER BY vulnerability) FROM clair.notification"),
    qr/^CVE-2031-1 changed, CVE-2031-3 withdrawn$/, 'it is announced');
like(import('third'), qr/debian succeeded 1 0 0/, 'and what changed after that');
same_answers('what changed');
is(findings($there), findings($here), 'findings are the same');
like(refusal("SELECT * FROM clair.import_updates('$folder/second')"),
    qr/^ERROR:  the export is older than what has been imported of "alpine"\nDETAIL:  It has position $second, and position $third was/,
    'what is older is not taken');
same_answers('what is older');

# What is frozen, and spoken of again, is not frozen there.
$tracker{old} = { 'CVE-2031-4' => { releases => { buster => { status => 'open', urgency => 'low' } } } };
update_debian();
my $fourth = export('fourth', $third);
import('fourth');
same_answers('what is spoken of again');
$tracker{last}{'CVE-2031-7'}{releases}{bookworm}{urgency} = 'low';
delete $tracker{old};
update_debian();
my $fifth = export('fifth', $fourth);
import('fifth');
same_answers('what is frozen again');

# A change of CVEs is told whole.
my $scores = slurp_file("$fixtures/epss/scores.csv");
write_file("$folder/scores.csv", $scores =~ s/(CVE-[\d-]+),0\.\d+/$1,0.12345/r);
set_feed($here, 'epss', "$folder/scores.csv");
is(update($here, 'epss')->{changed}, 1, 'a score changes');
my $sixth = export('sixth', $fifth);
import('sixth');
same_answers('scores');

# From the source itself, when there is one again, and back.
set_feed($there, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
is(update($there, 'debian')->{state}, 'succeeded', 'the updater runs there');
is(findings($there), findings($here), 'findings are the same');
like(refusal("SELECT * FROM clair.import_updates('$folder/sixth', '{debian}')"), qr/tells only what changed of "debian"/,
    'what changed cannot be read upon that');
export('whole');
import('whole');
same_answers('the whole again');

# ---------------------------------------------------------------------------
# What is wrong
# ---------------------------------------------------------------------------

query($here, "SELECT clair.forget_history('0')");
like((outcome($here, "SELECT clair.export_updates('$folder/x', $first)"))[0],
    qr/what updater "debian" changed after run $first has been forgotten.*Export everything/s, 'what has been forgotten');
like((outcome($here, "SELECT clair.export_updates('$folder/x', updaters => '{gentoo}')"))[0],
    qr/there is nothing to export of: gentoo/, 'an updater that is not there');
like((outcome($here, "SELECT clair.export_updates('x')"))[0], qr/path "x" is not absolute/, 'a relative path');
like((outcome($here, "SELECT clair.export_updates('$folder/no/x')"))[0], qr/could not create/, 'a folder that is not there');
query($here, "CREATE ROLE nobody_special; GRANT USAGE ON SCHEMA clair TO nobody_special;"
    . " GRANT EXECUTE ON FUNCTION clair.export_updates(text, bigint, text[]), clair.import_updates(text, text[]) TO nobody_special");
like((outcome($here, "SET LOCAL ROLE nobody_special; SELECT clair.export_updates('$folder/x')"))[0],
    qr/permission denied to write files on the server/, 'a role that may not write');
like((outcome($here, "SET LOCAL ROLE nobody_special; SELECT clair.import_updates('$folder/x')"))[0],
    qr/permission denied to read files on the server|cannot wait/, 'a role that may not read');
is(join(' ', glob("$folder/*.part")), '', 'nothing is left of what failed');

my $whole = slurp_file("$folder/whole");
my ($text, $lines) = ('', 0);
run_command([ 'zstd', '-dqf', "$folder/whole", '-o', "$folder/text" ]);
$text = slurp_file("$folder/text");
my $before = said($there, 'vulnerabilities');

sub refused
{
    my ($title, $content, $expected) = @_;

    write_file("$folder/bad", $content);
    like(refusal("SELECT * FROM clair.import_updates('$folder/bad')"), $expected, $title);
}

my $runs = query($there, 'SELECT count(*) FROM clair.update_run');
refused('a file that is cut off', substr($whole, 0, length($whole) - 10), qr/ERROR:  .*(cut off|truncated|ends|incomplete)/i);
refused('a file of which a bit is wrong', substr($whole, 0, 1000) . chr(ord(substr($whole, 1000, 1)) ^ 1) . substr($whole, 1001),
    qr/ERROR:  /);
refused('a text that is cut off', substr($text, 0, length($text) - 5), qr/ERROR:  line \d+: the export is cut off/);
refused('a text without its end', $text =~ s/\{"end".*//sr, qr/ERROR:  line \d+: the export is cut off/);
refused('a line that is missing', $text =~ s/\n\{"record"[^\n]*\n/\n/sr, qr/ERROR:  line \d+: the export is damaged/);
refused('a letter that is another one', $text =~ s/CVE-2031-1/CVE-2031-9/r, qr/ERROR:  line \d+: the export is damaged/);
refused('something behind the end', "$text\n", qr/something stands behind the end/);
refused('another version', $text =~ s/"version":1/"version":2/r,
    qr/ERROR:  it is an export of version 2, not 1\nHINT:  Have the same version/);
refused('something else', '<html>no</html>' . "\n", qr/ERROR:  it is not an export of clair\nHINT:  clair.export_updates\(\) writes such files/);
refused('nothing', '', qr/ERROR:  line 1: the export is cut off/);
like(refusal("SELECT * FROM clair.import_updates('$folder')"), qr/is a directory/, 'a folder');
like(refusal("SELECT * FROM clair.import_updates('$folder/absent')"), qr/could not open/, 'no file');
like(refusal("SELECT * FROM clair.import_updates('$folder/whole', '{gentoo}')"), qr/the export has nothing of: gentoo/,
    'an updater that the file has not');
is(scalar query($there, 'SELECT count(*) FROM clair.update_run'), $runs, 'none of these began a run');

# A file whose end fits, but whose rows do not: each run fails, and changes nothing.
query($here, "SELECT clair.export_updates('$folder/debian', updaters => '{debian}')");
run_command([ 'zstd', '-dqf', "$folder/debian", '-o', "$folder/text" ]);
my $debian = slurp_file("$folder/text") =~ s/\{"end".*//sr =~ s/"digest":"./"digest":"x/gr;

sub forged
{
    my ($title, $change, $expected) = @_;
    my $forged = $change->($debian);
    my $count = () = $forged =~ /\n/g;
    require Digest::SHA;

    write_file("$folder/forged", $forged . qq({"end":$count,"sha256":") . Digest::SHA::sha256_hex($forged) . qq("}\n));
    query($there, "DELETE FROM clair.updater_state WHERE updater = 'debian'");
    query($there, "SELECT state FROM clair.import_updates('$folder/forged', '{debian}')");
    like(scalar query($there, "SELECT concat_ws(' ', state, error) FROM clair.update_run ORDER BY id DESC LIMIT 1"),
        $expected, $title);
    is(said($there, 'vulnerabilities'), $before, "$title: nothing has changed");
}
forged('a status that there is not', sub { $_[0] =~ s/"status":"affected"/"status":"fine"/r }, qr/^failed invalid input value for enum/);
forged('a version that is none', sub { $_[0] =~ s/"fixed":"[^"]*"/"fixed":"no version"/r }, qr/^failed .*version/);
forged('a row of another kind', sub { $_[0] =~ s/\{"affected":/{"layer":/r }, qr/^failed .*a row is of a kind that does not belong here/);
forged('a column that there is not', sub { $_[0] =~ s/"kind":"source"/"sort":"source"/r }, qr/^failed .*a row has a column that is not known/);
forged('a range without a vulnerability', sub { $_[0] =~ s/\{"vulnerability":\{[^}]*\}\},?//r }, qr/^failed .*out of place/);

$there->quit;
$listener->quit;
$here->quit;
$node->stop;
done_testing();
