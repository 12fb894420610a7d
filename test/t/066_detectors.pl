# Proves that detectors see the files that tar sees; that the example of README.md works; that neither who
# indexes nor what is indexed gets more from a function than its answer; and that detectors which come and
# go meet those who index in order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use FeedTest;
use File::Find qw(find);
use File::Path qw(remove_tree);
use IndexTest;
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = start_server('detectors', 'max_worker_processes = 16');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session, $backend) = session($node);

# Name and version of an image's features in a namespace.
sub features_of
{
    my ($image, $namespace, $where) = @_;

    return query($where // $session, "SELECT name || ' ' || version FROM clair.features('$image')"
        . " WHERE namespace = '$namespace' ORDER BY 1");
}

sub problems_of
{
    my ($image) = @_;

    return query($session, "SELECT place || '|' || reason FROM clair.image_problem"
        . " WHERE image_id = clair.image_id('$image') ORDER BY number");
}

# Makes a function in the schema tools, and a detector of its name for files below srv/name.
sub make_detector
{
    my ($name, $body, $where) = @_;

    query($where // $session, "CREATE FUNCTION tools.$name(path text, content bytea)"
        . " RETURNS TABLE (name text, version text) LANGUAGE plpgsql AS \$function\$ $body \$function\$");
    query($where // $session, "SELECT clair.create_detector('$name', 'tools.$name(text, bytea)',"
        . " '{srv/$name/*}', 'dpkg', '$name:1')");
}

# ---------------------------------------------------------------------------
# The example of README.md
# ---------------------------------------------------------------------------

my ($example) = slurp_file("$FindBin::Bin/../../README.md") =~ /```sql\n(CREATE FUNCTION tools\..*?)```/s;

query($session, 'CREATE SCHEMA tools');
query($session, $example);
index_file($session, make_layer("$folder/python.tar",
    'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]),
    'usr/lib/python3/dist-packages/zope.interface-5.4.dist-info/METADATA' =>
        "Metadata-Version: 2.1\nName: zope.interface\nVersion: 5.4\nSummary: x\n\nName: none\n",
    'usr/local/lib/python3.11/site-packages/Flask_Login-0.6.2.dist-info/METADATA' =>
        "Metadata-Version: 2.1\r\nName: Flask_Login\r\nVersion: 0.6.2\r\n\r\n",
    'usr/lib/python3/dist-packages/zope.interface-5.4.dist-info/RECORD' => "x\n",
    'opt/x-packages/x.dist-info/METADATA' => "Name: x\nVersion: 1\n"), 'python');
is_deeply([ features_of('python', 'python:3') ], [ 'flask-login 0.6.2', 'zope-interface 5.4' ],
    'the example finds Python packages');
is(query($session, "SELECT status FROM clair.image WHERE id = clair.image_id('python')"), 'ok',
    'and the image is as good as it was');
is(query($session, "SELECT string_agg(namespace || ' ' || state, ', ' ORDER BY namespace)"
    . " FROM clair.image_coverage WHERE image_id = clair.image_id('python')"),
    'debian:12 no_feed, python:3 no_feed', 'that nothing is known of them is said');
query($session, "SELECT clair.drop_detector('python')");

# ---------------------------------------------------------------------------
# Real images, against tar
# ---------------------------------------------------------------------------

my $image = test_data('images/trixie/trixie-slim.full.oci-gzip.tar');
note('SKIP: no files of a real image are compared with those of tar: there are no test data') if !defined $image;
if (defined $image)
{
    my $layout = "$folder/layout";
    my $root   = "$folder/root";
    my (@expected, @hidden);
    my $is_wanted = sub { $_[0] =~ m{^(?:var/lib/dpkg/info|usr/share/lintian/overrides)/[^/]*$|^etc/(?:.*/)?[^/]*\.c[^/]*f$} };

    mkdir $_ foreach $layout, $root;
    system_or_bail('tar', '-xf', abs_path($image), '-C', $layout);
    my $document = sub { decode_json(slurp_file("$layout/blobs/sha256/" . ($_[0]{digest} =~ s/^sha256://r))) };
    my $manifest = $document->(decode_json(slurp_file("$layout/index.json"))->{manifests}[0]);
    foreach my $layer (map { "$layout/blobs/sha256/" . ($_->{digest} =~ s/^sha256://r) } @{ $manifest->{layers} })
    {
        foreach my $entry (split /\n/, qx{tar -tf "$layer"})
        {
            my ($above, $name) = $entry =~ m{^(?:\./)?(.*/)\.wh\.(.*)$} or next;
            my @gone = $name eq '.wh..opq' ? glob("$root/$above*") : "$root/$above$name";
            find({ no_chdir => 1, wanted => sub {
                push @hidden, $_ if !-l $_ && -f $_ && $is_wanted->(s{^\Q$root\E/}{}r) } }, grep { -e } @gone);
            remove_tree(@gone);
        }
        system_or_bail('tar', '-xf', $layer, '-C', $root, '--exclude=dev', '--exclude=.wh.*', '--no-same-owner',
            '--no-same-permissions');
    }
    find(
        {
            no_chdir => 1,
            wanted   => sub {
                return if -l $_ || !-f $_;
                my $path = $_ =~ s{^\Q$root\E/}{}r;
                push @expected, "$path 0" . md5_hex(slurp_file($_)) if $is_wanted->($path);
            }
        },
        $root);
    query($session, 'CREATE FUNCTION tools.md5(path text, content bytea) RETURNS TABLE (name text, version text)'
        . ' LANGUAGE sql IMMUTABLE AS $$ SELECT path, \'0\' || md5(content) $$');
    query($session, "SELECT clair.create_detector('md5', 'tools.md5(text, bytea)',"
        . " '{var/lib/dpkg/info/*,usr/share/lintian/overrides/*,etc/**/*.c*f}', 'dpkg', 'file:1')");
    index_file($session, abs_path($image), 'trixie');
    same_lines([ features_of('trixie', 'file:1') ], \@expected, 'files of a real image, with their bytes');
    is_deeply([ problems_of('trixie') ], [], 'all of them');
    ok(@hidden > 0, 'but for those that upper layers have removed: ' . @hidden);
    query($session, "SELECT clair.drop_detector('md5')");
    is(scalar(() = features_of('trixie', 'file:1')), 0, 'without the detector they are gone');
    is(query($session, "SELECT count(*) FROM clair.features('trixie')"),
        query($session, "SELECT count(*) FROM clair.features('trixie') WHERE namespace = 'debian:13'"),
        'and the packages are there');
}

# ---------------------------------------------------------------------------
# Whose rights count
# ---------------------------------------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE maker LOGIN;
CREATE ROLE indexer LOGIN;
CREATE ROLE stranger LOGIN;
GRANT USAGE ON SCHEMA clair TO maker, indexer, stranger;
GRANT EXECUTE ON FUNCTION clair.create_detector, clair.alter_detector, clair.drop_detector TO maker, stranger;
GRANT EXECUTE ON FUNCTION clair.index_image(bytea, text, text) TO indexer;
GRANT USAGE, CREATE ON SCHEMA tools TO maker;
CREATE TABLE tools.secret AS SELECT 'known to the maker' AS secret;
GRANT SELECT ON tools.secret TO maker;
CREATE TABLE public.trace (x text);
GRANT ALL ON public.trace TO maker;
CREATE FUNCTION tools.not_for_all(text, bytea) RETURNS TABLE (name text, version text) LANGUAGE sql AS $$ SELECT 'a', 'b' $$;
REVOKE ALL ON FUNCTION tools.not_for_all FROM PUBLIC;
SQL

sub session_of
{
    my ($role) = @_;

    return $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', $role ]);
}

my $maker    = session_of('maker');
my $stranger = session_of('stranger');
my $indexer  = session_of('indexer');

like(outcome($indexer, "SELECT clair.create_detector('x', 'tools.not_for_all(text, bytea)', '{a}', 'dpkg')"),
    qr/^42501: permission denied/, 'who has no grant makes no detector');
like(outcome($maker, "SELECT clair.create_detector('x', 'tools.not_for_all(text, bytea)', '{a}', 'dpkg')"),
    qr/^42501: permission denied for function not_for_all$/, 'nor does who may not call the function');

# Each file says what is tried.
make_detector('spy', <<'SQL', $maker);
DECLARE
    answer text;
BEGIN
    EXECUTE convert_from(content, 'UTF8') INTO answer;
    RETURN QUERY SELECT replace(answer, ' ', '_'), '1';
END
SQL
foreach my $statement ("SELECT clair.alter_detector('spy')", "SELECT clair.drop_detector('spy')")
{
    like(outcome($stranger, $statement), qr/^42501: must be owner of detector "spy"$/, "$statement, by somebody else");
}

# The hex of a layer whose files, below srv/spy, have these statements.
sub spy_layer
{
    my (%statements) = @_;
    my $path = make_layer("$folder/spy.tar", map { ("srv/spy/$_" => $statements{$_}) } keys %statements);

    return unpack('H*', slurp_file($path));
}

# Names of his own in the indexer's path, which are not looked up.
$node->safe_psql('postgres', 'GRANT CREATE ON DATABASE postgres TO indexer');
query($indexer, $_) foreach 'CREATE SCHEMA trap', 'GRANT USAGE ON SCHEMA trap TO PUBLIC',
    'CREATE FUNCTION trap.replace(text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT current_user::text $$',
    'CREATE FUNCTION trap.convert_from(bytea, name) RETURNS text LANGUAGE sql AS $$ SELECT \'SELECT 1\' $$',
    'SET search_path = trap, pg_catalog';
my %tries = (
    role    => 'SELECT current_user || session_user',
    secret  => 'SELECT secret FROM tools.secret',
    path    => "SELECT current_setting('search_path')",
    table   => 'SELECT count(*) FROM clair.image',
    drop    => "SELECT clair.drop_detector('spy')",
    become  => "SELECT set_config('role', 'postgres', false)",
    session => "SELECT set_config('session_authorization', 'postgres', false)",
    leave   => "SELECT set_config('spy.mark', 'was here', false)",
    write   => "INSERT INTO public.trace VALUES ('x') RETURNING 'written'",
    listen  => 'LISTEN spy',
    cursor  => 'DECLARE spy CURSOR WITH HOLD FOR SELECT 1',
    prepare => "PREPARE TRANSACTION 'x'",
    commit  => 'COMMIT',
    temp    => 'CREATE TEMPORARY TABLE spy (x integer)',
);
is(query($indexer, "SELECT status FROM clair.index_image('\\x" . spy_layer(%tries) . "'::bytea, 'spy')"),
    'no_package_database', 'who indexes needs no right on what a detector does');
is_deeply([ features_of('spy', 'spy:1') ],
    [ 'known_to_the_maker 1', 'makerindexer 1', 'pg_catalog,_pg_temp 1', 'was_here 1' ],
    'the function has the rights of who made the detector, and a path of its own');
my @problems = problems_of('spy');
is(scalar @problems, 10, 'what it may not do, it cannot do');
foreach my $problem (
    qr/drop\|detector "spy": cannot execute clair\.drop_detector\(\) in a read-only transaction$/,
    qr/write\|detector "spy": cannot execute INSERT in a read-only transaction$/, qr/table\|detector "spy": permission denied for table image$/,
    qr/become\|detector "spy": cannot set parameter "role" within security-(?:definer function|restricted operation)$/,
    qr/session\|detector "spy": cannot set parameter "session_authorization" within security-/,
    qr/listen\|detector "spy": cannot execute LISTEN within security-restricted operation$/,
    qr/cursor\|detector "spy": cannot create a cursor WITH HOLD within security-restricted operation$/, qr/prepare\|/, qr/commit\|/, qr/temp\|.*cannot execute CREATE TABLE in a read-only transaction/)
{
    is(scalar(grep { /^layer 1: srv\/spy\// && $_ =~ $problem } @problems), 1, "$problem");
}
is(query($indexer, "SELECT current_user || ' ' || session_user || ' ' || current_setting('search_path')"
    . " || ' ' || COALESCE(current_setting('spy.mark', true), '')"), 'indexer indexer trap, pg_catalog ',
    'who indexes is who he was');
is(query($session, "SELECT count(*) FROM public.trace"), '0', 'nothing has been written');
is(query($session, "SELECT owner FROM clair.detector WHERE name = 'spy'"), 'maker',
    'and the detector is there, for its maker to drop');

# Who can change the function can act as the role.
query($session, 'ALTER FUNCTION tools.spy(text, bytea) OWNER TO stranger');
index_file($session, make_layer("$folder/changed.tar", 'srv/spy/changed' => "SELECT 'x'"), 'changed');
is_deeply([ problems_of('changed') ], [ 'layer 1: srv/spy/changed|detector "spy": role "stranger", which owns'
        . ' function tools.spy, is no member of role "maker"' ], 'a function that somebody else got is not called');
like(outcome($maker, "SELECT clair.alter_detector('spy', 'tools.spy(text, bytea)')"),
    qr/^42501: function tools\.spy cannot be a detector of role "maker"\nDETAIL: Its owner, "stranger", could/,
    'nor taken');
query($session, 'ALTER FUNCTION tools.spy(text, bytea) OWNER TO maker');

# Images of many workers, and a maker that is gone.
make_layer("$folder/spy-$_.tar", "srv/spy/a" => "SELECT 'of worker $_'") foreach 1 .. 3;
is_deeply([ query($session, "SELECT name, status, error FROM clair.index_images(ARRAY["
    . join(', ', map { "'$folder/spy-$_.tar'" } 1 .. 3) . "], '{spy1,spy2,spy3}') ORDER BY name") ],
    [ map { "spy$_|no_package_database|" } 1 .. 3 ], 'workers index');
is(join(' ', map { features_of("spy$_", 'spy:1') } 1 .. 3), 'of_worker_1 1 of_worker_2 1 of_worker_3 1',
    'and ask detectors');
$_->quit foreach $maker, $stranger, $indexer;
$node->safe_psql('postgres', 'ALTER ROLE maker RENAME TO maker_no_more');
index_file($session, make_layer("$folder/gone.tar", 'srv/spy/gone' => 'SELECT 1'), 'gone');
is_deeply([ problems_of('gone') ], [ 'layer 1: srv/spy/gone|detector "spy": role "maker" does not exist' ],
    'nobody is asked in the name of a role that is gone');
query($session, "SELECT clair.drop_detector('spy')");

# ---------------------------------------------------------------------------
# Hostile files
# ---------------------------------------------------------------------------

make_detector('text', <<'SQL');
BEGIN
    RETURN QUERY SELECT left(regexp_replace(convert_from(content, 'UTF8'), '(x+x+)+y', '', 'g'), 20), '1';
END
SQL
query($session, "SET clair.detector_timeout = '1s'");
my $large = "$folder/large";
mkdir $_ foreach $large, "$large/srv", "$large/srv/text";
truncate_to("$large/srv/text/$_->[0]", $_->[1]) foreach [ 'large', 70_000_000 ], [ 'half', 40_000_000 ],
    [ 'other half', 40_000_000 ];
write_file("$large/srv/text/good", 'good');
write_file("$large/srv/text/empty", '');
write_file("$large/srv/text/binary", "\xff\x00\xfe");
system_or_bail('tar', '-C', $large, '-cf', "$folder/large.tar", map { "srv/text/$_" }
    'good', 'empty', 'binary', 'large', 'half', 'other half');
is(query($session, "SELECT status FROM clair.index_image('$folder/large.tar', 'large')"), 'no_package_database',
    'an image of hostile files is indexed');
is_deeply([ map { s/invalid byte sequence for encoding "UTF8".*/invalid/r } problems_of('large') ],
    [
        'layer 1: srv/text/binary|detector "text": invalid',
        'layer 1: srv/text/empty|detector "text": a package\'s name is missing',
        'layer 1: srv/text/half|detector "text": invalid',
        'layer 1: srv/text/large|detector "text": with it, the layer has more than 64 MB for detectors',
        'layer 1: srv/text/other half|detector "text": with it, the layer has more than 64 MB for detectors',
    ],
    'and says what could not be read, and why');
is_deeply([ features_of('large', 'text:1') ], ['good 1'], 'what could be is there');
query($session, "SET clair.max_file_size = '1kB'");
index_file($session, make_layer("$folder/small.tar", 'srv/text/a' => 'x' x 2000, 'srv/text/b' => 'small'), 'small');
is_deeply([ problems_of('small') ],
    ['layer 1: srv/text/a|detector "text": it has 2000 bytes, more than clair.max_file_size'],
    'a limit that would refuse a package database costs a detector its file only');
query($session, 'RESET clair.max_file_size');

my $many = "$folder/many";
mkdir $_ foreach $many, "$many/srv", "$many/srv/text";
append_to_file("$many/srv/text/$_", "n$_") foreach 10_000 .. 20_010;
system_or_bail('tar', '-C', $many, '--sort=name', '-cf', "$folder/many.tar", 'srv');
is(query($session, "SELECT databases FROM clair.index_image('$folder/many.tar', 'many')"), '10000',
    'of more files than a layer may have for detectors, the first are read');
is_deeply([ problems_of('many') ], [ 'layer 1: srv/text/20000|detector "text": the layer has more than 10000'
        . ' files for detectors, and it was left out' ], 'and that is said');
query($session, 'RESET clair.detector_timeout');

# ---------------------------------------------------------------------------
# Functions that do not end
# ---------------------------------------------------------------------------

make_detector('sleeper', <<'SQL');
BEGIN
    PERFORM pg_sleep(100);
END
SQL
my $sleeping = make_layer("$folder/sleeper.tar", 'srv/sleeper/a' => 'x');
my $rows     = row_count($session);
query($session, "SET statement_timeout = '500ms'");
ends_within(10, 'a statement that is cancelled ends', sub {
    like(outcome($session, "SELECT clair.index_image('$sleeping', 'sleeper')"),
        qr/^57014: canceling statement due to statement timeout/, 'a function is cancelled with its statement');
});
query($session, 'RESET statement_timeout');
is(join(' ', processes_of($backend)), '', 'which leaves no process');
is(row_count($session), $rows, 'and no row');
query($session, "SET clair.detector_timeout = '300ms'");
ends_within(10, 'a function that does not end is ended', sub {
    is(query($session, "SELECT status FROM clair.index_image('$sleeping', 'sleeper')"), 'no_package_database',
        'or at its own timeout');
});
is_deeply([ problems_of('sleeper') ],
    ['layer 1: srv/sleeper/a|detector "sleeper": it took longer than 300 ms, see clair.detector_timeout'],
    'which is said of its file');
is(query($session, 'SELECT count(*) FROM pg_sleep(0.5)'), '1', 'and is over with it');

# ---------------------------------------------------------------------------
# Detectors that come and go while others index
# ---------------------------------------------------------------------------

# Whether a session of the name waits for a lock.
sub waits
{
    my ($name) = @_;

    return query($session, "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$name'"
        . " AND wait_event_type = 'Lock'") > 0;
}

make_detector('fleeting', "BEGIN RETURN QUERY SELECT convert_from(content, 'UTF8'), '1'; END");
my $fleeting = make_layer("$folder/fleeting.tar", 'srv/fleeting/a' => 'found');
my ($one) = session($node);
my ($two) = session($node);
query($two, "SET application_name = 'two'");
query($one, 'BEGIN');
index_file($one, $fleeting, 'fleeting');
is_deeply([ features_of('fleeting', 'fleeting:1', $one) ], ['found 1'], 'what one session finds');
$two->query_until(qr/start/, "\\echo start\nSELECT clair.drop_detector('fleeting');\n\\echo dropped\n");
ok(wait_for(10, sub { waits('two') }), 'is waited for by who drops the detector');
query($one, 'COMMIT');
ok(wait_for(10, sub { query($session, "SELECT count(*) FROM clair.detector WHERE name = 'fleeting'") eq '0' }),
    'who then does');
is(scalar(() = features_of('fleeting', 'fleeting:1')), 0, 'and nothing is left of it');
is(query($session, "SELECT count(*) FROM clair.package_database WHERE format = 'detector:fleeting'"), '0',
    'nowhere');
$_->quit foreach $one, $two;

# One that gets its version first is visible first.
my ($first) = session($node);
my ($second) = session($node);
query($second, "SET application_name = 'second'");
query($first, 'BEGIN');
make_detector('early', 'BEGIN END', $first);
query($session, 'CREATE FUNCTION tools.late(path text, content bytea) RETURNS TABLE (name text, version text)'
    . ' LANGUAGE sql AS $$ SELECT path, \'1\' $$');
$second->query_until(qr/start/,
    "\\echo start\nSELECT clair.create_detector('late', 'tools.late(text, bytea)', '{srv/late/*}', 'dpkg');\n");
ok(wait_for(10, sub { waits('second') }), 'who makes a detector waits for who makes another one');
index_file($session, make_layer("$folder/late.tar", 'srv/late/a' => 'x'), 'late');
query($first, 'COMMIT');
ok(wait_for(10, sub { query($session, "SELECT count(*) FROM clair.detector WHERE name = 'late'") eq '1' }),
    'until that is there');
is_deeply([ query($session, "SELECT role FROM clair.images_to_reindex WHERE image_id = clair.image_id('late')"
    . ' ORDER BY role') ], [ 'detector:early', 'detector:late' ], 'a layer read in between knows neither');
$_->quit foreach $first, $second;

$session->quit;
done_testing();

sub truncate_to
{
    my ($path, $size) = @_;

    open(my $file, '>', $path) or die "$path: $!";
    print $file "\xff" x $size;
    close($file) or die "$path: $!";
}
