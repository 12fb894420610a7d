# Proves that a full disk ends what is done in one error that says so and what to do, leaves nothing
# behind, and is over when there is room again: of temporary files, of tables, of exports, and of the
# write-ahead log; and that temp_file_limit bounds what is spooled.
#
# The server runs in a mount namespace of its own, where the folders in question are small file systems
# in memory.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebServer;

# Becomes root in the first namespace, and an ordinary user, as a server must be, in the second.
my @AS_ROOT = qw(unshare --user --map-root-user --mount);
my @AS_USER = ('unshare', '--user', '--map-user=1000');

my $folder = PostgreSQL::Test::Utils::tempdir();
my $export = "$folder/export";
mkdir $export;

# Puts file systems of so many kilobytes into the place of folders, with what is in these, and runs a
# command: once more, without what fills the file systems, when it ends and a file asks for that.
my $mounts = "$folder/mounts";
append_to_file($mounts, <<'SH');
folders=
while [ "$1" != -- ]; do
    mkdir -p "$2" && cp -a "$2" "$0.copy" && mount -t tmpfs -o "size=$1k,mode=0700" clair "$2" || exit 1
    cp -a "$0.copy/." "$2/" && rm -r "$0.copy" || exit 1
    folders="$folders $2"
    shift 2
done
shift
trap 'rm -f "$0.again"; kill -INT $child' TERM
while :; do
    "$@" &
    child=$!
    wait $child
    while kill -0 $child 2>/dev/null; do wait $child; done
    [ -e "$0.again" ] || exit 0
    rm -f "$0.again"
    for name in $folders; do rm -f "$name/filler"; done
done
SH

if (!IPC::Run::run([ @AS_ROOT, 'sh', $mounts, 100, $export, '--', @AS_USER, 'true' ], '>&', \my $words))
{
    note($words);
    plan skip_all => "file systems of one's own cannot be mounted here: nothing is done with a full disk";
}

# ---------------------------------------------------------------------------
# A feed, an image, a server
# ---------------------------------------------------------------------------

# Bytes that are all different, so that nothing makes them fewer.
sub words
{
    my ($count) = @_;
    my $state = 1;

    return join ' ', map { $state = ($state * 1103515245 + 12345) % 2**31; sprintf '%x', $state } 1 .. $count;
}

sub feed_of
{
    my ($packages) = @_;

    return { map { ("package-$_" => { 'CVE-2031-' . (10000 + $_) => { description => words(60),
                releases => { bookworm => { status => 'open', urgency => 'high' } } } }) } 1 .. $packages };
}

my $image = make_layer("$folder/image.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs(map { [ "package-$_", "1.$_-1" ] } 1 .. 20000));
my $small = make_layer("$folder/small.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'package-1', '1-1' ]));
write_file("$folder/json", feed_of(8000));
write_file("$folder/small", feed_of(10));
my $server = WebServer->start(map {
        my $file = "$folder/$_";
        ("/$_" => sub { WebServer::answer($_[0], '200 OK', {}, slurp_file($file)) })
} qw(json small image.tar));

my $node = start_server('full_disk', 'clair.allow_private_networks = on', 'clair.fetch_retries = 1',
    'restart_after_crash = on', 'max_wal_size = 32MB', 'min_wal_size = 32MB', 'autovacuum = off',
    'max_worker_processes = 16');
query($node, "UPDATE clair.updater SET enabled = false WHERE name <> 'debian'");
set_feed($node, 'debian', "$folder/small");
is(update($node, 'debian')->{state}, 'succeeded', 'a small feed');
index_file($node, $small, 'small');
$node->stop;

# ---------------------------------------------------------------------------
# The server, with little room
# ---------------------------------------------------------------------------

my $data = $node->data_dir;
my $base = 0;
$base += -s $_ // 0 foreach glob "$data/base/*/*";
my %folder_of = (tables => 'base', temporary => 'base/pgsql_tmp', log => 'pg_wal', export => $export);
my $process = fork() // die "fork: $!";
if ($process == 0)
{
    open(STDOUT, '>>', $node->logfile);
    open(STDERR, '>&', \*STDOUT);
    exec('setpriv', '--pdeathsig', 'TERM', '--', @AS_ROOT, 'sh', $mounts, int($base / 1024 * 1.5) + 60_000, "$data/base",
        40_000, "$data/base/pgsql_tmp", 150_000, "$data/pg_wal", 2000, $export, '--', @AS_USER,
        $node->installed_command('postgres'), '-D', $data) or POSIX::_exit(127);
}
comes_up($node) or die 'the server does not start';
my ($session) = session($node);

# Runs a command where the server sees what it sees; what it says.
sub run_there
{
    my ($command) = @_;

    return scalar query($session, <<"SQL");
CREATE TEMPORARY TABLE IF NOT EXISTS said (line text);
DELETE FROM said;
COPY said FROM PROGRAM '$command';
SELECT line FROM said;
SQL
}

# Fills a file system but for so many kilobytes.
sub fill
{
    my ($what, $left) = @_;

    run_there("dd if=/dev/zero of=$folder_of{$what}/filler bs=64k 2>/dev/null;"
        . " truncate -s -${left}K $folder_of{$what}/filler; true");
}

sub make_room
{
    my ($what) = @_;

    run_there("rm -f $folder_of{$what}/filler");
}

my $KNOWN = 'SELECT (SELECT count(*) FROM clair.vulnerability WHERE until_run IS NULL), (SELECT count(*) FROM clair.affected),'
    . ' (SELECT count(*) FROM clair.record)';

# What has been left behind, in words.
sub left
{
    return join ' ', run_there("ls base/pgsql_tmp $export | grep -v -e ^filler -e : -e ^.\$ || true"), query($session, <<'SQL');
SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory'
UNION ALL
SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't' AND relname LIKE 'stage_%'
UNION ALL
SELECT 'worker ' || pid FROM pg_stat_activity WHERE backend_type = 'clair updater'
UNION ALL
SELECT 'run ' || id FROM clair.update_run WHERE state = 'running'
SQL
}

# Statements without room: what they need, how much of it there is, and how they end.
my $FULL = 'No space left on device';

sub check_statement
{
    my ($what, $left, $statement, $expected, $name) = @_;
    my $stored = row_count($session);

    fill($what, $left);
    like(outcome($session, $statement), $expected, "$name: one error");
    is(left() . (row_count($session) == $stored ? '' : ' rows'), '', "$name: nothing is left");
    make_room($what);
    is(outcome($session, $statement), 'ok', "$name: with room, it works");
}

check_statement('temporary', 100, "SELECT clair.index_image(pg_read_binary_file('$image'), 'bytes')",
    qr/^53100: could not write to a temporary file: $FULL\nHINT: Make room/, 'an image given as bytes');
check_statement('temporary', 100, "SELECT clair.fetch_layer('layer', '" . $server->url('/image.tar') . "')",
    qr/^58030: could not fetch "[^"]*": could not write what was received: $FULL\nHINT: Make room/, 'a layer of a web server');
query($session, "SELECT clair.delete_image('bytes'); SELECT * FROM clair.collect_garbage()");
check_statement('tables', 1000, "SELECT clair.index_image('$image', 'image')",
    qr/^53100: could not extend file "base\/[^"]*": $FULL\nHINT: Check free disk space/, 'an image');

# Updates: what lacks room, how much of it there is, where the feed is, the phase in which the run
# ends, and how.
foreach my $case (
    [ 'temporary', 100, $server->url('/json'), 'fetch', qr/^could not fetch "[^"]*": could not write what was received: $FULL\nMake room/ ],
    [ 'tables', 0, "file://$folder/json", undef, qr/$FULL/ ],
    [ 'tables', 2000, "file://$folder/json", 'stage', qr/^could not (extend|write) .*: $FULL\nCheck free disk space/ ],
    [ 'tables', 14_000, "file://$folder/json", 'apply', qr/^could not (extend|write) .*: $FULL\nCheck free disk space/ ])
{
    my ($what, $left, $url, $phase, $expected) = @$case;
    my $name = "an update with $left kB for $what";
    my $known = query($session, $KNOWN);

    query($session, "UPDATE clair.updater SET url = '$url' WHERE name = 'debian'");
    fill($what, $left);
    my $run = query($session, "SELECT public.outcome('SELECT clair.update(''debian'')')");
    my $said = query($session, 'SELECT state || COALESCE(\' \' || phase, \'\') || E\'\n\' || concat_ws(E\'\n\', error, error_detail, error_hint)'
        . ' FROM clair.update_run ORDER BY id DESC LIMIT 1');
    if (defined $phase)
    {
        like($said, qr/^failed $phase\n/, "$name: fails when it is to $phase");
        like($said =~ s/^.*\n//r, $expected, "$name: for that reason");
    }
    else
    {
        like("$run $said", $expected, "$name: fails");
    }
    make_room($what);
    is(left(), '', "$name: nothing is left");
    is(scalar query($session, $KNOWN), $known, "$name: what was known is known");
}
is(update($session, 'debian')->{state}, 'succeeded', 'with room, it succeeds');

check_statement('export', 4, "SELECT clair.export_updates('$export/export', updaters => '{debian}')",
    qr/^58030: could not write the export: $FULL\nHINT: Make room/, 'an export');

run_there("rm $export/export");

# ---------------------------------------------------------------------------
# What a role may take for temporary files
# ---------------------------------------------------------------------------

query($session, 'ALTER DATABASE postgres SET temp_file_limit = 100');
my ($limited) = session($node);
like(outcome($limited, "SELECT clair.index_image(pg_read_binary_file('$image'), 'limited')"),
    qr/^53400: temporary file size exceeds temp_file_limit \(100kB\)$/, 'temp_file_limit holds for bytes');
like(outcome($limited, "SELECT clair.fetch_layer('limited', '" . $server->url('/image.tar') . "')"),
    qr/^58030: could not fetch "[^"]*": host "127.0.0.1" sends more than the limit of 102400 bytes/, 'and for what is fetched');
query($limited, "UPDATE clair.updater SET url = '" . $server->url('/json') . "' WHERE name = 'debian'");
like(update($limited, 'debian')->{error}, qr/sends more than the limit of 102400 bytes/, 'and for feeds');
is(left(), '', 'nothing is left');
query($session, 'ALTER DATABASE postgres RESET temp_file_limit');
$limited->quit;

# ---------------------------------------------------------------------------
# The write-ahead log: PostgreSQL itself stops when it cannot be written, and goes on where it was
# ---------------------------------------------------------------------------

query($session, "UPDATE clair.updater SET url = 'file://$folder/small', options = '{\"max_shrinkage\": 100}' WHERE name = 'debian'");
my $known = query($session, $KNOWN);
my $images = row_count($session);
append_to_file("$mounts.again", '');
fill('log', 0);
$node->psql('postgres', "SELECT clair.index_image('$image', 'again'); SELECT clair.update('debian');"
    . ' CREATE TABLE public.much AS SELECT repeat(md5(i::text), 100) FROM generate_series(1, 100000) AS i');
eval { $session->quit };
ok(comes_up($node), 'without room for the log the server starts anew');
($session) = session($node);
make_room('log');
ok(shown_in_log($node, "PANIC:  could not .*$FULL") > 0, 'as its log says');
like(row_count($session), qr/^\d+$/, 'what was stored can be read');
my $last = update($session, 'debian');
like($last->{state}, qr/^(succeeded|unchanged)$/, 'and the next update succeeds') or diag($last->{error});
is(outcome($session, "SELECT clair.index_image('$small', 'last')"), 'ok', 'and images can be indexed');
# of temporary tables, those of crashed processes are PostgreSQL's to remove: autovacuum does it
is(join(' ', grep { !/^table/ } split / (?=table|lock|worker|run)/, left()), '', 'nothing is left');
$session->quit;
kill 'TERM', $process;
is(waitpid($process, 0), $process, 'the server stops');

done_testing();
