# Proves that many images indexed at once, by background workers, are what each is alone: a base is
# read once, what fails is a row and disturbs no other, rights and settings are the caller's, and
# cancelled, terminated and killed ones leave nothing half done.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('index_images', 'max_worker_processes = 16', 'restart_after_crash = on',
    'clair.max_index_workers = 4');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $made   = slurp_file("$FindBin::Bin/../fixtures/archive.sql");
my ($session) = session($node);
query($session, $made);

sub write_file
{
    my ($file, $content) = @_;

    unlink $file;
    append_to_file($file, $content);
    return $file;
}

# Writes an archive that an SQL expression gives.
sub archive
{
    my ($file, $expression) = @_;

    return write_file("$folder/$file", pack('H*', query($session, "SELECT encode($expression, 'hex')")));
}

sub set_parameter
{
    my ($name, $value) = @_;

    $node->append_conf('postgresql.conf', "$name = $value");
    $node->reload;
}

# Forgets all images.
sub forget
{
    query($node, 'DELETE FROM clair.image; SELECT clair.collect_garbage()');
}

# An array of texts in SQL.
sub array
{
    return 'ARRAY[' . join(', ', map { defined $_ ? "'$_'" : 'NULL' } @_) . ']::text[]';
}

# Columns of what becomes of paths, in order; paths without their folder.
sub index_images
{
    my ($columns, $paths, @arguments) = @_;

    return scalar query($session, "SELECT replace(path, '$folder/', ''), $columns FROM clair.index_images("
        . join(', ', array(@$paths), @arguments) . ')');
}

sub workers
{
    my @pids = query($node, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'clair indexer' ORDER BY pid");

    return @pids;
}

# Checks that a call has left behind no worker, no reader and no lock.
sub nothing_left
{
    my ($name) = @_;
    my @pids = @_[ 1 .. $#_ ];

    ok( wait_for(2, sub {
            !workers() && query($node, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") eq '0'
                && !map { processes_of($_) } @pids
        }),
        "$name: nothing is left behind");
}

# ---------------------------------------------------------------------------
# A folder of images with the same base
# ---------------------------------------------------------------------------

mkdir "$folder/same";
archive("same/$_.tar", "pg_temp.docker('same:$_', pg_temp.tar(pg_temp.debian(),"
    . " pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('base 1'))),"
    . " pg_temp.tar(pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('base 1', 'own $_'))))")
    foreach 1 .. 8;
mkdir "$folder/same/.hidden";
write_file("$folder/same/.swp", 'hidden');
mkdir "$folder/same/sub";
write_file("$folder/same/sub/deeper.tar", 'not looked at');
my @same = map { "$folder/same/$_.tar" } 1 .. 8;
my $SAME = "ARRAY(SELECT clair.images_in('$folder/same/'))";

is_deeply([ query($session, "SELECT clair.images_in('$folder/same/')") ], \@same,
    'the images of a folder, in order; hidden files and folders are none');
is( query($session, "SELECT count(*), sum(layers), sum(layers_read), count(error), count(DISTINCT image)"
        . " FROM clair.index_images($SAME)"), '8|16|9|0|8', 'eight images: their base is read once');
is(query($session, "SELECT name || ' ' || version FROM clair.features('same:$_') ORDER BY name"),
    "base 1\nown $_", "image $_ has its packages") foreach 1 .. 8;
nothing_left('eight images');
is( query($session, "SELECT string_agg(concat_ws(' ', right(path, 5), name, digest, platform, namespace, status,"
        . " layers, layers_read, databases, features), ', ') FROM clair.index_images($SAME)"),
    query($session, "SELECT string_agg(concat_ws(' ', right(path, 5), i.name, digest, platform, namespace, status,"
        . " layers, layers_read, databases, features), ', ') FROM clair.images_in('$folder/same') AS path,"
        . ' LATERAL clair.index_image(path) AS i'), 'the rows are those of clair.index_image(), in the order given');
forget();

# The same with claims that meet: whoever comes second waits and need not read.
foreach my $round (1 .. 5)
{
    my ($other) = session($node);

    $other->query_until(qr/started/, "\\echo started\n" . join('', map {
        "SELECT 'read ' || layers_read FROM clair.index_image('$_');\n" } reverse @same));
    my $read = query($session, "SELECT sum(layers_read) FROM clair.index_images($SAME)");
    $read += $_ foreach $other->query('SELECT 1') =~ /read (\d+)/g;
    is("$read$other->{stderr}", 9, "with another session that indexes the same ($round)");
    $other->quit;
    is(query($session, 'SELECT count(*) FROM clair.image'), 8, 'there are eight');
    forget();
}

# ---------------------------------------------------------------------------
# What is given, and what fails
# ---------------------------------------------------------------------------

my ($one, $two, $three) = @same;
my $broken = write_file("$folder/broken.tar", 'no archive');

is(index_images('name, error', [ $one, $two ], array('given:1', undef)), "same/1.tar|given:1|\nsame/2.tar|same:2|",
    'names that are given, or not');
is( index_images("COALESCE(name, sqlstate || ': ' || replace(error, '$folder/', '')), error_detail IS NULL, error_hint",
        [ $one, $broken, "$folder/none", $two, 'relative', $three ], array(undef, undef, undef, '12', undef, 'x')),
    "same/1.tar|same:1|t|\nbroken.tar|22000: not a tar archive|t|\n"
        . "none|58P01: could not open \"none\": No such file or directory|t|\n"
        . "same/2.tar|42602: invalid image name: \"12\"|f|\n"
        . "relative|22023: path \"relative\" is not absolute|t|Name the file as the server sees it, from the root on.\n"
        . 'same/3.tar|x|t|', 'what fails is a row with the error');
is(index_images('image IS NULL, features IS NULL, layers_read IS NULL', [$broken]), 'broken.tar|t|t|t',
    'and without an image');
is(index_images('sqlstate', [$one], 'NULL', "'linux/s390x'"), 'same/1.tar|42704', 'a platform is for all');
is(query($session, 'SELECT count(*) FROM clair.image'), 3, 'what fails leaves nothing');
is( query($session, "SELECT count(*) FILTER (WHERE error IS NULL), count(*) FROM clair.index_images(ARRAY(SELECT"
        . " unnest(ARRAY['$one', '$broken']) FROM generate_series(1, 200)))"), '200|400', 'many more paths than workers');
is(query($session, "SELECT count(*) FROM clair.index_images(NULL)") . query($session,
    "SELECT count(*) FROM clair.index_images('{}')"), '00', 'nothing is nothing');
foreach my $case (
    [ "ARRAY['$one', NULL]",       qr/^22004: a path is null$/ ],
    [ "ARRAY[['$one'], ['$two']]", qr/^2202E: paths and names must be one-dimensional arrays$/ ],
    [ "ARRAY['$one', '$two'], ARRAY['x']", qr/^22023: there must be as many names as paths\nHINT: / ])
{
    like(outcome($session, "SELECT clair.index_images($case->[0])"), $case->[1], "not $case->[0]" =~ s/\Q$folder//gr);
}
mkdir "$folder/layout";
mkdir "$folder/layouts";
mkdir "$folder/layouts/one";
write_file("$folder/$_/oci-layout", '{"imageLayoutVersion":"1.0.0"}') foreach 'layout', 'layouts/one';
write_file("$folder/layouts/two.tar", '');
is(query($session, "SELECT clair.images_in('$folder/layout')"), "$folder/layout", 'a layout is an image');
is(query($session, "SELECT clair.images_in('$folder/layouts')"), "$folder/layouts/one\n$folder/layouts/two.tar",
    'also in a folder');
like(outcome($session, "SELECT clair.images_in('$one')"), qr/^42809: ".*1\.tar" is not a directory$/, 'a file is no folder');
like(outcome($session, "SELECT clair.images_in('$folder/none')"), qr/^58P01: could not open /, 'nor is nothing');
query($session, 'SET clair.max_entries = 5');
like(outcome($session, "SELECT clair.images_in('$folder/same')"),
    qr/^54000: directory ".*same" has more than 5 entries\nHINT: See clair\.max_entries\.$/, 'a folder of too many');
query($session, 'RESET clair.max_entries');
forget();

# ---------------------------------------------------------------------------
# Settings and transactions
# ---------------------------------------------------------------------------

query($session, "SET clair.max_layers = 1; SET clair.image_directories = '$folder/same'");
is(index_images('sqlstate, error_hint', [ $one, $broken ]), "same/1.tar|54000|The limit is the setting clair.max_layers.\n"
    . 'broken.tar|42501|Only what lies below clair.image_directories is read.', 'what the session has set counts');
like(outcome($session, "SELECT clair.images_in('$folder')"), qr/^42501: could not open/, 'also for folders');
query($session, 'RESET ALL');
is(index_images('error', [$one]), 'same/1.tar|', 'until it is reset');
foreach my $case (
    [ 'BEGIN; CREATE TEMPORARY TABLE written ()', qr/^25001: clair\.index_images\(\) cannot wait in a transaction that has already written\nDETAIL: .*\nHINT: Call it outside of a transaction block\.$/ ],
    [ 'BEGIN ISOLATION LEVEL REPEATABLE READ', qr/^25001: .* that is not READ COMMITTED\n/ ],
    [ 'BEGIN READ ONLY', qr/^25006: cannot execute clair\.index_images\(\) in a read-only transaction$/ ])
{
    my ($begin, $error) = @$case;

    query($session, $begin);
    like(outcome($session, "SELECT clair.index_images(ARRAY['$one'])"), $error, $begin);
    query($session, 'ROLLBACK');
}
query($session, 'BEGIN');
is(index_images('error', [$two]), 'same/2.tar|', 'a transaction that has not written may wait');
query($session, 'ROLLBACK');
is(query($session, "SELECT count(*) FROM clair.features('same:2')"), 2, 'each image is committed, whatever becomes of it');
query($node, "ALTER ROLE CURRENT_USER SET default_transaction_isolation = 'serializable';"
    . " ALTER ROLE CURRENT_USER SET default_transaction_read_only = on");
is(index_images('error', [$three]), 'same/3.tar|', 'what the role has set for its sessions does not bend the workers');
query($session, 'ALTER ROLE CURRENT_USER RESET ALL');
forget();

# ---------------------------------------------------------------------------
# Who waits and works: stopped
# ---------------------------------------------------------------------------

# A call whose workers all wait for a layer that another session has claimed; that of @same.
sub start_blocked
{
    my ($statement) = @_;
    my ($holder) = session($node);
    my ($victim, $pid) = session($node);

    query($holder, "BEGIN; SELECT clair.index_image('$one', 'held')");
    $victim->query_until(qr/started/, "\\echo started\n$statement;\n");
    wait_for(10, sub { workers() && workers() == query($node,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") })
        or die 'the workers do not wait';
    return ($victim, $pid, $holder);
}

foreach my $how (qw(pg_cancel_backend pg_terminate_backend))
{
    my ($victim, $pid, $holder) = start_blocked("SELECT clair.index_images($SAME)");
    my @pids = workers();

    is(@pids, 4, "$how: four work");
    like(query($node, "SELECT min(query) FROM pg_stat_activity WHERE backend_type = 'clair indexer'"),
        qr{^clair: indexing 1 of 8: \Q$folder\E/same/1\.tar$}, 'at what, shows');
    ends_within(2, "$how: takes effect at once", sub {
        query($node, "SELECT $how($pid)");
        wait_for(20, sub { !workers() && !map { processes_of($_) } @pids });
    });
    query($holder, 'ROLLBACK');
    nothing_left($how, @pids);
    is(row_count($node), 0, "$how: nothing is stored");
    eval { $victim->quit };
    $holder->quit;
}

foreach my $case ([ pg_cancel_backend => '57014', 'canceling statement due to user request', 4 ],
    [ pg_terminate_backend => '57P01', 'the worker ended that was indexing the image', 3 ])
{
    my ($how, $sqlstate, $error, $left) = @$case;
    my ($victim, $pid, $holder) = start_blocked("SELECT 'row', sqlstate, error FROM clair.index_images($SAME)");
    my @pids = workers();

    query($node, "SELECT $how($pids[0])");
    wait_for(10, sub { workers() == $left });
    query($holder, 'ROLLBACK');
    my @rows = grep { /^row/ } split /\n/, $victim->query('SELECT 1');
    is(scalar(grep { $_ eq "row|$sqlstate|$error" } @rows), 1, "$how() of a worker: its image fails");
    is(scalar(grep { $_ eq 'row||' } @rows), 7, 'the others are indexed');
    nothing_left("$how() of a worker", @pids);
    $_->quit foreach $victim, $holder;
    forget();
}

{
    set_parameter('clair.max_index_workers', 1);
    my ($victim, $pid, $holder) = start_blocked("SELECT 'row', sqlstate, error, error_hint"
        . " FROM clair.index_images($SAME)");
    my @pids = workers();
    my ($second, $second_pid) = session($node);

    is(@pids, 1, 'one works where one may');
    $second->query_until(qr/started/, "\\echo started\nSELECT 'row', sqlstate FROM clair.index_images("
        . array($broken) . ");\n");
    ok( wait_for(10, sub {
            query($node, "SELECT count(*) FROM pg_stat_activity WHERE query = 'clair: waiting for other images to be indexed'") eq '1'
        }),
        'that of another call waits');
    query($node, "SELECT pg_terminate_backend($pids[0])");
    my @rows = grep { /^row/ } split /\n/, $victim->query('SELECT 1');
    is(join('; ', @rows), join('; ', 'row|57P01|the worker ended that was indexing the image|The server\'s log says why.',
        ('row|57P01|no worker was left to index the image|The server\'s log says why.') x 7),
        'where no worker is left, that is said of the rest');
    like($second->query('SELECT 1'), qr/row\|22000/, 'the other call has its place then');
    query($holder, 'ROLLBACK');
    nothing_left('one worker', @pids);
    is(index_images('layers_read', [ $one, $two ]), "same/1.tar|2\nsame/2.tar|1", 'one worker does it all');
    $_->quit foreach $victim, $holder, $second;
    set_parameter('clair.max_index_workers', 4);
    forget();
}

{
    my ($victim, $pid, $holder) = start_blocked("SELECT clair.index_images($SAME)");

    kill('KILL', (workers())[0]) == 1 or die "kill: $!";
    eval { $_->quit } foreach $victim, $holder, $session;
    ok(wait_for(30, sub { $node->psql('postgres', 'SELECT 1') == 0 }), 'after a kill, the server restarts');
    is(row_count($node), 0, 'nothing is stored');
    ($session) = session($node);
    query($session, $made);
    is(query($session, "SELECT sum(layers_read), count(error) FROM clair.index_images($SAME)"), '9|0', 'the next call succeeds');
    forget();
}

# ---------------------------------------------------------------------------
# Rights
# ---------------------------------------------------------------------------

query($node, <<'SQL');
CREATE ROLE nobody_special LOGIN;
CREATE ROLE bytes_only LOGIN;
CREATE ROLE no_single LOGIN IN ROLE pg_read_server_files;
CREATE ROLE files LOGIN IN ROLE pg_read_server_files;
GRANT USAGE ON SCHEMA clair TO nobody_special, bytes_only, no_single, files;
GRANT EXECUTE ON FUNCTION clair.index_images(text[], text[], text), clair.images_in(text) TO bytes_only, no_single, files;
GRANT EXECUTE ON FUNCTION clair.index_image(text, text, text) TO bytes_only, files;
SQL
foreach my $case (
    [ nobody_special => qr/^42501: permission denied for function index_images$/ ],
    [ bytes_only => qr/^42501: permission denied to read files on the server\nDETAIL: Role "bytes_only" is not/ ],
    [ no_single => qr/^42501: permission denied for function index_image$/ ],
    [ files => qr/^ok$/ ])
{
    my ($role, $expected) = @$case;
    my ($other) = session($node, extra_params => [ '-U', $role ]);

    like(outcome($other, "SELECT clair.index_images(ARRAY['$one'])"), $expected, "role $role");
    $other->quit;
}
like(outcome($session, "SET ROLE bytes_only; SELECT clair.images_in('$folder')"),
    qr/^42501: permission denied to read files/, 'listing needs the same rights');
is(query($session, 'RESET ROLE; SELECT features FROM clair.image, clair.index_images(' . array($one) . ') LIMIT 1'),
    2, 'what files did, counts');
forget();
query($node, 'ALTER ROLE files NOLOGIN');
like(outcome($session, "SET SESSION AUTHORIZATION files; SELECT clair.index_images(ARRAY['$one'])"),
    qr/^38000: the workers ended before they began\nHINT: The server's log says why\.$/, 'a role that may not connect');
query($session, 'RESET SESSION AUTHORIZATION');
{
    # The rights of the role that calls, though the session is a superuser's.
    my ($victim, $pid, $holder) = start_blocked("SET ROLE files; SELECT 'row', error FROM clair.index_images("
        . array($one, ($two) x 9) . ')');

    query($node, 'REVOKE EXECUTE ON FUNCTION clair.index_image(text, text, text) FROM files');
    query($holder, 'COMMIT');
    my @rows = grep { /^row/ } split /\n/, $victim->query('SELECT 1');
    is(scalar(grep { $_ eq 'row|' } @rows), 4, 'what was under way is indexed');
    is(scalar(grep { $_ eq 'row|permission denied for function index_image' } @rows), 6,
        'the workers have the rights of the role that was set');
    $_->quit foreach $victim, $holder;
    forget();
}

# ---------------------------------------------------------------------------
# Real images
# ---------------------------------------------------------------------------

SKIP:
{
    my $images  = test_data('images');
    my $hostile = test_data('hostile');
    skip 'there are no test data', 6 if !defined $images || !defined $hostile;
    ($images, $hostile) = (abs_path($images), abs_path($hostile));

    my @good = ((map { my $suite = $_; map { "$images/$suite/$suite.$_" } qw(docker.tar.gz oci-gzip.tar oci-zstd.tar) }
        qw(bookworm jammy sid trixie)), "$images/alpine/alpine-310.tar.gz", "$images/bookworm/bookworm.aci",
        glob("$images/rpm/*.layer.tar.gz"));
    my @bad = map { "$hostile/$_" } qw(docker/missing-layer.tar docker/manifest-deep.tar.gz oci/index-loop.tar
        gzip/flipped.tar.gz bomb/status-10g.tar.gz tar/bad-checksum.tar);
    my @mixed = map { ($good[$_], $_ < @bad ? $bad[$_] : ()) } 0 .. $#good;
    my $columns = 'name, digest, platform, namespace, status, layers, databases, features';
    my $alone = "SELECT path, $columns FROM unnest(" . array(@good) . ') AS path, LATERAL clair.index_image(path)';
    my @expected = query($session, $alone);

    my $content = "SELECT count(*), md5(string_agg(line, chr(10) ORDER BY line)) FROM (SELECT concat_ws('|', i.digest,"
        . ' f.namespace, f.name, f.version, f.source_name, f.source_version, f.architecture, f.introduced_by)'
        . ' FROM clair.image AS i JOIN clair.image_feature AS f ON f.image_id = i.id) AS known(line)';
    my $known = query($session, $content);
    forget();
    query($session, 'CREATE TEMPORARY TABLE result OF clair.index_result');
    query($session, 'INSERT INTO result SELECT * FROM clair.index_images(' . array(@mixed) . ')');
    is_deeply([ query($session, "SELECT path, $columns FROM result WHERE error IS NULL") ], \@expected,
        'real images are what each is alone (' . @good . ')');
    is_deeply([ query($session, 'SELECT path FROM result WHERE error IS NOT NULL') ], \@bad, 'hostile ones in between fail');
    is(query($session, $content), $known, 'their features are the same');
    is(query($session, 'SELECT sum(layers_read) FROM result'), query($session, 'SELECT count(*) FROM clair.layer_blob'),
        'every layer is read once');
    is(query($session, 'SELECT count(*) FROM result AS r JOIN clair.image AS i ON i.id = r.image AND i.digest = r.digest'),
        scalar(@good), 'the rows name the images');
    nothing_left('real images');
    forget();
}

# ---------------------------------------------------------------------------
# Where there are few workers, or none
# ---------------------------------------------------------------------------

$session->quit;
set_parameter('max_worker_processes', 2); # one is the server's own
$node->restart;
($session) = session($node);
is(query($session, "SELECT count(*), sum(layers_read), count(error) FROM clair.index_images($SAME)"), '8|9|0',
    'as many work as there are places for');
forget();
$session->quit;
set_parameter('max_worker_processes', 1);
$node->restart;
like(outcome($node, "SELECT clair.index_images($SAME)"), qr/^53000: could not start a background worker\nHINT: /,
    'where there is no place for one, that is an error');
is(row_count($node), 0, 'and nothing is stored');
$node->stop;

done_testing();
