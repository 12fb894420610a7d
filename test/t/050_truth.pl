# Proves the findings: they are what the distributions' own tools say of real images and real feeds,
# the same in every direction they are asked for, and in whatever order images and feeds came.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $DATA = test_data('truth') or plan skip_all => 'there are no test data';
$DATA = abs_path("$DATA/..");

my $ALPINE = "$DATA/feeds/alpine/secdb-json/";
my $DEBIAN = "$DATA/feeds/debian/tracker-derived.json.gz";

my %IMAGE = (
    'alpine-310'              => 'alpine/alpine-310.tar.gz',
    'alpine-310-openssl111c'  => 'rebuilt/alpine-310-openssl111c.layer.tar.gz',
    'alpine-clair2-installed' => 'rebuilt/alpine-clair2-installed.layer.tar.gz',
    'debian-buster'           => 'rebuilt/debian-buster.layer.tar.gz',
    bookworm                  => 'bookworm/bookworm.docker.tar.gz',
    trixie                    => 'trixie/trixie.oci-zstd.tar',
    sid                       => 'sid/sid.oci-gzip.tar',
    jammy                     => 'jammy/jammy.docker.tar.gz',
    jessie                    => 'clair2-DistUpgrade/jessie.tar.gz',
    wheezy                    => 'clair2-DistUpgrade/wheezy.tar.gz',
);

my $node   = start_server('truth');
my ($first) = session($node);
my $folder = PostgreSQL::Test::Utils::tempdir();

# Indexes images in the order given.
sub index_images
{
    my ($where, @names) = @_;

    index_file($where, "$DATA/images/$IMAGE{$_}", $_) foreach @names;
}

# Feature, version, vulnerability, fix and severity of each finding; what is missing to know as a
# line of its status.
sub findings
{
    my ($where, $image) = @_;

    return query($where, "SELECT CASE WHEN vulnerability IS NULL THEN 'only: ' || status"
        . " ELSE concat_ws(E'\\t', feature, installed_version, vulnerability,"
        . " COALESCE(fixed_in, ''), severity) END FROM clair.vulnerabilities('$image')");
}

# Checks that two queries give the same rows, as often.
sub same_rows
{
    my ($where, $left, $right, $name) = @_;
    my ($missing, $surplus, $count) = split /\|/, scalar query($where, <<"SQL");
WITH l AS MATERIALIZED ($left), r AS MATERIALIZED ($right)
SELECT (SELECT count(*) FROM (TABLE l EXCEPT ALL TABLE r) AS d),
    (SELECT count(*) FROM (TABLE r EXCEPT ALL TABLE l) AS d), (SELECT count(*) FROM l)
SQL

    ok($missing == 0 && $surplus == 0, "$name ($count rows)")
        or diag("missing: $missing, not expected: $surplus");
}

# Loads a feed's document, which may be compressed, for queries to look at: the table sample.
sub load_sample
{
    my ($where, $file) = @_;

    system_or_bail("gzip -dcf '$file' > $folder/sample.json");
    query($where, 'SET client_min_messages = warning; DROP TABLE IF EXISTS public.sample;'
        . " CREATE TABLE public.sample AS SELECT pg_read_file('$folder/sample.json')::jsonb AS document");
}

# ---------------------------------------------------------------------------
# The lists of truth/
# ---------------------------------------------------------------------------

set_feed($first, 'alpine', $ALPINE);
set_feed($first, 'debian', $DEBIAN);
my $OTHERS_OFF = "UPDATE clair.updater SET enabled = false WHERE name NOT IN ('alpine', 'debian')";
query($first, $OTHERS_OFF);
is_deeply([ query($first, 'SELECT updater, state, broken FROM clair.update() ORDER BY 1') ],
    [ 'alpine|succeeded|15', 'debian|succeeded|0' ], 'both feeds are read');
index_images($first, sort keys %IMAGE);

my %TRUTH = (
    'alpine-310'              => 'alpine-310.secdb.tsv',
    'alpine-310-openssl111c'  => 'alpine-310-openssl111c.secdb-v3.10.tsv',
    'alpine-clair2-installed' => 'alpine-clair2-installed.secdb-v3.4.tsv',
    'debian-buster'           => 'debian-buster.tracker-derived.tsv',
);

# Where a list and we differ, and who is right.
my %LIST_IS_WRONG = (
    # secdb has this vulnerability of openssl under 1.0.2n-r0 and again under 1.0.2o-r0, because the
    # first fix was not enough. The list has both lines. One that is fixed by the later version only
    # is not fixed in the former one, which a finding must not name.
    "libcrypto1.0\t1.0.2h-r1\tCVE-2017-3738\t1.0.2n-r0\tUnknown" => 1,
    "libssl1.0\t1.0.2h-r1\tCVE-2017-3738\t1.0.2n-r0\tUnknown"    => 1,
);
my %LIST_IS_SILENT = (
    # Its database has a package without a version, of which nobody can say anything.
    'alpine-clair2-installed' => ['only: partial'],
);

# What a list expects. Both feeds state no severity here: Alpine's never does, and "not yet
# assigned" is none.
sub truth_of
{
    my ($image) = @_;
    my (undef, @lines) = split /\n/, slurp_file("$DATA/truth/$TRUTH{$image}");
    my %severity = ('' => 'Unknown', 'not yet assigned' => 'Unknown');

    return map {
        my (undef, @columns) = split /\t/, $_, -1;
        $columns[4] = $severity{ $columns[4] } // die "severity $columns[4]";
        join "\t", @columns;
    } @lines;
}

foreach my $image (sort keys %TRUTH)
{
    my @expected = (grep({ !$LIST_IS_WRONG{$_} } truth_of($image)), @{ $LIST_IS_SILENT{$image} // [] });

    is_deeply([ sort(findings($first, $image)) ], [ sort @expected ],
        "$image: findings are those of truth/$TRUTH{$image} (" . @expected . ' lines)');
    is_deeply([ sort(query($first, "SELECT concat_ws(E'\\t', f ->> 'feature', f ->> 'installed_version', f ->> 'vulnerability',"
        . " COALESCE(f ->> 'fixed_in', ''), f ->> 'severity')"
        . " FROM json_array_elements(clair.report('$image', 'json')::json -> 'findings') AS f")) ],
        [ sort(grep { !/^only: / } @expected) ], '... and those of its report');
}
is(scalar(grep { $LIST_IS_WRONG{$_} } map { truth_of($_) } keys %TRUTH), keys %LIST_IS_WRONG,
    'every difference from the lists is one that is still there');

# ---------------------------------------------------------------------------
# Debian's images, worked out once more from the feed with dpkg
# ---------------------------------------------------------------------------

my %CODENAME = (
    7 => 'wheezy', 8 => 'jessie', 10 => 'buster', 12 => 'bookworm', 13 => 'trixie', unstable => 'sid'
);

# What the tracker and dpkg say of the features that an image has.
sub debian_truth
{
    my ($image, $codename) = @_;
    my @lines;

    foreach my $candidate (query($first, <<"SQL"))
SELECT concat_ws(E'\t', f.name, f.version, v.key, release ->> 'fixed_version', 'Unknown', f.source_version,
    release ->> 'status')
FROM public.sample, clair.features('$image') AS f,
    jsonb_each(document -> f.source_name) AS v,
    LATERAL (SELECT v.value -> 'releases' -> '$codename' AS release) AS r
WHERE release ->> 'fixed_version' <> '0'
SQL
    {
        my (@line) = split /\t/, $candidate;
        my ($installed, $status) = splice(@line, 5);

        die "not made for status $status" if $status ne 'resolved';
        push @lines, join("\t", @line)
            if system('dpkg', '--compare-versions', $installed, 'lt', $line[3]) == 0;
    }
    return @lines;
}

SKIP:
{
    my @images = grep { /^(bookworm|trixie|sid|jessie|wheezy|debian-buster)$/ } sort keys %IMAGE;

    skip 'there is no dpkg to compare with', scalar @images if system('dpkg --version >/dev/null 2>&1');
    load_sample($first, $DEBIAN);
    foreach my $image (@images)
    {
        my ($release) = query($first,
            "SELECT namespace FROM clair.image WHERE id = clair.image_id('$image')") =~ /^debian:(\w+)$/;
        my @expected = debian_truth($image, $CODENAME{$release});

        # the feed, made of advisories, says nothing of releases that had none yet
        push @expected, 'only: no_feed' if $release =~ /^(12|13|unstable)$/;
        is_deeply([ sort(findings($first, $image)) ], [ sort @expected ],
            "$image: findings are what dpkg makes of the feed (" . @expected . ' lines)');
    }
}

# ---------------------------------------------------------------------------
# What nobody can know
# ---------------------------------------------------------------------------

is_deeply([ findings($first, 'jammy') ], ['only: no_feed'],
    'an image whose feed is not there has not no vulnerabilities, but no feed');
is(scalar query($first, "SELECT status FROM clair.image WHERE id = clair.image_id('jammy')"),
    'ok', '... as long as its updater has not run');
is(scalar query($first, "SELECT state FROM clair.image_coverage"
    . " WHERE image_id = clair.image_id('alpine-310')"), 'current',
    'an image without findings has a feed that says so');

# ---------------------------------------------------------------------------
# Every direction says the same
# ---------------------------------------------------------------------------

my $columns = 'v.namespace, v.feature, v.installed_version, v.vulnerability, v.severity, v.fixed_in,'
    . ' v.status::text, v.updater, v.introduced_by';

# The vulnerabilities to ask for: those that an image has, and of those that none should have a part
# (make check-long: all).
my $names = 'SELECT vulnerability FROM clair.image_vulnerability UNION SELECT name FROM clair.vulnerability'
    . ($ENV{CLAIR_TEST_LONG} ? '' : ' WHERE hashtext(name) % 16 = 0');

same_rows($first, <<"SQL", <<"SQL", 'clair.image_vulnerability and clair.vulnerabilities() agree');
SELECT image_id, $columns, v.link, v.description FROM clair.image_vulnerability AS v
SQL
SELECT i.id, $columns, v.link, v.description
FROM clair.image AS i, clair.vulnerabilities(i.id::text) AS v WHERE v.vulnerability IS NOT NULL
SQL
same_rows($first, <<"SQL", <<"SQL", '... and clair.affected_images()');
SELECT image_id, $columns FROM clair.image_vulnerability AS v
SQL
SELECT v.image, $columns
FROM ($names) AS n,
    LATERAL (SELECT n.vulnerability, a.* FROM clair.affected_images(n.vulnerability) AS a) AS v
SQL
same_rows($first, <<"SQL", <<"SQL", '... and clair.affected_images() within a namespace');
SELECT image_id, $columns FROM clair.image_vulnerability AS v WHERE namespace = 'alpine:v3.10'
SQL
SELECT v.image, $columns
FROM ($names) AS n,
    LATERAL (SELECT n.vulnerability, a.*
             FROM clair.affected_images(n.vulnerability, 'alpine:v3.10') AS a) AS v
SQL
same_rows($first, <<"SQL", <<"SQL", 'findings have the layer that clair.features() names');
SELECT image_id, v.feature, v.architecture, v.introduced_by FROM clair.image_vulnerability AS v
SQL
SELECT v.image_id, f.name, f.architecture, f.introduced_by
FROM clair.image_vulnerability AS v,
    LATERAL (SELECT * FROM clair.features(v.image_id::text) AS f
             WHERE f.name = v.feature AND f.architecture = v.architecture
                 AND f.version = v.installed_version) AS f
SQL

# ---------------------------------------------------------------------------
# Same bytes, same rows, in whatever order they come
# ---------------------------------------------------------------------------

# Everything that is said of images and vulnerabilities, without numbers and times.
my %SAID = (
    layers => 'SELECT digest, size, entries FROM clair.layer',
    blobs => 'TABLE clair.layer_blob',
    entries => 'TABLE clair.layer_entry',
    facts => 'TABLE clair.layer_fact',
    images => 'SELECT digest, platform, namespace, status FROM clair.image',
    names => 'SELECT n.name, i.digest FROM clair.image_name AS n JOIN clair.image AS i ON i.id = n.image_id',
    manifests => 'SELECT m.digest, i.digest FROM clair.manifest AS m JOIN clair.image AS i ON i.id = m.image_id',
    'layers of images' => 'SELECT i.digest, l.position, l.layer, l.stored_digest, l.command'
        . ' FROM clair.image_layer AS l JOIN clair.image AS i ON i.id = l.image_id',
    'problems of images' => 'SELECT i.digest, p.number, p.place, p.reason'
        . ' FROM clair.image_problem AS p JOIN clair.image AS i ON i.id = p.image_id',
    'databases of images' => 'SELECT i.digest, d.position, d.path, p.content, p.namespace, d.until_position'
        . ' FROM clair.image_database AS d JOIN clair.image AS i ON i.id = d.image_id'
        . ' JOIN clair.package_database AS p ON p.id = d.database_id',
    features => 'SELECT p.content, p.format, f.number, f.namespace, f.name, f.version, f.source_name,'
        . ' f.source_version, f.architecture, f.invalid_version, f.problem'
        . ' FROM clair.feature AS f JOIN clair.package_database AS p ON p.id = f.database_id',
    records => 'TABLE clair.record',
    documents => 'SELECT updater, name, url, named_by, optional, mode, etag, size, records FROM clair.document',
    vulnerabilities => 'SELECT updater, record, name, digest, frozen, link, description'
        . ' FROM clair.vulnerability WHERE until_run IS NULL',
    ranges => 'SELECT v.updater, v.record, v.name, a.number, a.namespace, a.kind, a.package,'
        . ' a.introduced, a.fixed, a.status, a.severity FROM clair.affected AS a'
        . ' JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id WHERE a.until_run IS NULL',
    findings => 'SELECT i.digest, v.namespace, v.feature, v.architecture, v.installed_version,'
        . ' v.vulnerability, v.severity, v.fixed_in, v.status, v.updater, v.introduced_by, v.link,'
        . ' v.description FROM clair.image_vulnerability AS v JOIN clair.image AS i ON i.id = v.image_id',
    coverage => 'SELECT i.digest, c.updater, c.state'
        . ' FROM clair.image_coverage AS c JOIN clair.image AS i ON i.id = c.image_id',
);

sub digests_of_all
{
    my ($where) = @_;
    my %digest;

    foreach my $what (keys %SAID)
    {
        $digest{$what} = query($where, 'SELECT count(*) || \' rows, \' || md5(string_agg(line, E\'\n\''
            . ' ORDER BY line COLLATE "C")) FROM (SELECT s::text AS line FROM (' . $SAID{$what}
            . ') AS s) AS lines');
    }
    return \%digest;
}

# Backwards, with feeds that grow: half of Debian's tracker and the oldest branches of Alpine first.
my $other = new_database($node, 'other');
query($other, $OTHERS_OFF);
my @backwards = reverse sort keys %IMAGE;

load_sample($first, $DEBIAN);
write_file("$folder/tracker.json", scalar query($first, 'SELECT jsonb_object_agg(key, value)'
    . " FROM public.sample, jsonb_each(document) WHERE key < 'm'"));
mkdir "$folder/secdb";
system_or_bail(qw(cp -R --no-preserve=mode), "$ALPINE$_", "$folder/secdb") foreach qw(v3.3 v3.4 v3.8);

index_images($other, @backwards[ 0 .. 3 ]);
set_feed($other, 'debian', "$folder/tracker.json");
is(update($other, 'debian')->{state}, 'succeeded', 'half of the tracker');
index_images($other, @backwards[ 4 .. 6 ]);
set_feed($other, 'alpine', "$folder/secdb/");
is(update($other, 'alpine')->{state}, 'succeeded', 'three branches of secdb');
set_feed($other, 'debian', $DEBIAN);
is(update($other, 'debian')->{state}, 'succeeded', 'the whole tracker');
index_images($other, @backwards[ 7 .. $#backwards ]);
set_feed($other, 'alpine', $ALPINE);
is(update($other, 'alpine')->{state}, 'succeeded', 'the whole of secdb');
index_images($other, @backwards);

my ($here, $there) = (digests_of_all($first), digests_of_all($other));
foreach my $what (sort keys %SAID)
{
    is($there->{$what}, $here->{$what}, "the same $what in another order");
}

is(update($first, $_)->{state}, 'unchanged', "$_ again: nothing has changed") foreach qw(alpine debian);
index_images($first, sort keys %IMAGE);
is_deeply(digests_of_all($first), $here, 'the same feeds and images again: not a row differs');

# ---------------------------------------------------------------------------
# All samples of feeds
# ---------------------------------------------------------------------------

my $samples = new_database($node, 'samples');

index_file($samples, make_layer("$folder/bottlerocket.tar", 'etc/os-release' => "ID=bottlerocket\nVERSION_ID=1.20.5\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.1-2' ])), 'bottlerocket');
is_deeply([ findings($samples, 'bottlerocket') ], ['only: no_feed'],
    'an image of a distribution without an updater has no feed either');
is(scalar query($samples, 'SELECT status FROM clair.image'), 'unsupported_namespace',
    '... and its status says so, too');

my $ANY_SHRINKAGE = '{"max_shrinkage": 100}';

# What stands of an updater: record and vulnerability.
my $STATED = 'SELECT record, name FROM clair.vulnerability WHERE until_run IS NULL AND frozen IS NULL';

# The documents in JSON below a folder that are vendors' own.
sub samples_in
{
    return sort grep { !m{/(golden|snapshots|legacy|vuln-list)/|/(expected|invalid)[^/]*$} }
        split /\n/, `find '$_[0]' -name '*.json' -o -name '*.json.gz'`;
}

foreach my $file (samples_in("$DATA/feeds/debian"))
{
    load_sample($samples, $file);
    set_feed($samples, 'debian', $file, $ANY_SHRINKAGE);
    my $run = update($samples, 'debian');
    is("$run->{state}, $run->{records} records", 'succeeded, ' . query($samples,
        'SELECT count(*) FROM public.sample, jsonb_object_keys(document)') . ' records',
        'sample ' . $file =~ s{.*/feeds/}{}r);
    same_rows($samples, "$STATED AND updater = 'debian'", <<'SQL', '... states the vulnerabilities');
SELECT package.key, vulnerability.key
FROM public.sample, jsonb_each(document) AS package, jsonb_each(package.value) AS vulnerability
WHERE vulnerability.value -> 'releases' @? '$.* ? (@.status != "resolved" || @.fixed_version != "")'
SQL
}
foreach my $file (samples_in("$DATA/feeds/alpine"))
{
    load_sample($samples, $file);
    my ($branch, $records) = split /\|/, scalar query($samples, <<'SQL');
SELECT COALESCE(document ->> 'distroversion', 'edge'),
    CASE jsonb_typeof(document -> 'packages')
        WHEN 'array' THEN jsonb_array_length(document -> 'packages') ELSE 0 END
FROM public.sample
SQL

    # a folder with this sample alone
    system_or_bail('rm', '-rf', "$folder/sample");
    write_file("$folder/sample/$branch/main.json", scalar `gzip -dcf '$file'`);
    set_feed($samples, 'alpine', "$folder/sample/", $ANY_SHRINKAGE);
    my $run = update($samples, 'alpine');
    is("$run->{state}, $run->{records} records", "succeeded, $records records",
        'sample ' . $file =~ s{.*/feeds/}{}r);
    same_rows($samples, "$STATED AND updater = 'alpine' AND name LIKE 'CVE-%'", <<"SQL", '... states the CVEs');
SELECT DISTINCT '$branch/main/' || (package -> 'pkg' ->> 'name'), replace(cve[1], '_', '-')
FROM public.sample,
    jsonb_path_query(document, 'strict \$.packages ? (\@.type() == "array")[*]', silent => true) AS package,
    jsonb_path_query(package, '\$.pkg.secfixes.keyvalue()') AS fix,
    jsonb_path_query(fix, '\$.value[*] ? (\@.type() == "string")') AS text,
    regexp_matches(text #>> '{}', 'CVE[-_]\\d{4}-\\d{4,}', 'g') AS cve
WHERE fix ->> 'key' ~ '^\\d+(\\.\\d+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)\\d*)*(~[0-9a-f]+)?(-r\\d+)?\$'
SQL
}

# ---------------------------------------------------------------------------
# Feeds that are broken
# ---------------------------------------------------------------------------

# What the run's error says, or, where the documents are whole but for a value, that it shrank.
my %REFUSED = (
    'bomb-256m.json.gz'        => qr/^document "json": record "a": byte \d+: .*clair\.max_record_size/s,
    'debian-dup-keys.json'     => qr/^document "json": record "bash" is there twice/,
    'debian-trailing.json'     => qr/^document "json": byte 87: there is more/,
    'debian-truncated.json.gz' => qr/^document "json": record "jackson-databind": byte 2000003: /,
    'deep.json.gz'             => qr/^document "json": the document is not a JSON object: .*"\[\[/,
    'empty.json'               => qr/^document "json": the document is empty/,
    'html-instead.json'        => qr/^document "json": the document is not a JSON object: .*"<!DOCTYPE html>/,
    'kev-truncated.json'       => qr/^document "json": record "vulnerabilities": byte 50001: /,
    'lone-surrogate.json'      => qr/^document "json" shrank from 1205 to 1 records/,
    'number-huge.json'         => qr/^document "json" shrank from 1205 to 1 records/,
);

is_deeply([ map { s{.*/}{}r } glob "$DATA/hostile/feed/*.json $DATA/hostile/feed/*.json.gz" ],
    [ sort(grep({ !/gz$/ } keys %REFUSED)), sort(grep { /gz$/ } keys %REFUSED) ], 'all hostile feeds in JSON');
foreach my $file (sort keys %REFUSED)
{
    set_feed($first, 'debian', "$DATA/hostile/feed/$file");
    my $run = update($first, 'debian');
    is($run->{state}, 'failed', "$file as Debian's tracker: the run fails");
    like($run->{error}, $REFUSED{$file}, '... and says where and why');

    system_or_bail('rm', '-rf', "$folder/hostile");
    system_or_bail(qw(cp -R --no-preserve=mode), $ALPINE, "$folder/hostile");
    system_or_bail('cp', "$DATA/hostile/feed/$file", "$folder/hostile/v3.10/main.json");
    set_feed($first, 'alpine', "$folder/hostile/");
    $run = update($first, 'alpine');
    is($run->{state}, 'failed', "$file as a document of Alpine's: the run fails");
    like($run->{error}, qr{^document "v3\.10/main\.json"}, '... and says in which document');
}
is_deeply(digests_of_all($first), $here, 'after all that, not a row differs');
like(scalar query($first, "SELECT last_error FROM clair.update_status WHERE updater = 'alpine'"),
    qr{v3\.10/main\.json}, 'the last error shows in clair.update_status');

$_->quit foreach $first, $other, $samples;
done_testing();
