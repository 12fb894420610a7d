# Proves that whatever a helper does, and whatever is done to its backend, costs one statement one
# clear ERROR: the backend lives on, no process and no descriptor is left, nothing is stored.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use IPC::Run;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $BAD_HELPER = HelperProcess::program_path('test/t/bad_helper');

plan skip_all => 'the bad helper has not been built' if !defined $BAD_HELPER || !-x $BAD_HELPER;

my $node = start_server('bad_helpers', 'max_connections = 20', 'restart_after_crash = on',
    "clair.reader_memory = '128MB'");
my $folder = private_library($node);

# What would be indexed, if there were somebody to read it.
my $image = "$folder/image.tar";
append_to_file($image, 'x' x 10240);

# A directory whose files must not be had.
my $layout = "$folder/layout";
mkdir $layout;
symlink('/etc/passwd', "$layout/oci-layout");
mkfifo("$layout/index.json", 0600);
mkdir "$layout/blobs";
mkdir "$layout/blobs/sha256";
mkdir "$layout/blobs/sha256/" . '0' x 64;
append_to_file("$layout/manifest.json", '{}');
symlink('../../manifest.json', "$layout/blobs/sha256/" . '1' x 64);

unlink "$folder/clair-reader";
copy($BAD_HELPER, "$folder/clair-reader");
chmod 0755, "$folder/clair-reader";

sub behave
{
    my ($word) = @_;

    unlink "$folder/behaviour";
    append_to_file("$folder/behaviour", $word);
}

# ---------------------------------------------------------------------------
# What helpers do
# ---------------------------------------------------------------------------

my $EXTERNAL  = '38000: clair-reader';
my $PROTOCOL  = '08P01: clair-reader sent an invalid frame';
my $FILE      = '08P01: clair-reader sent a malformed file for a detector';
my $RECONNECT = 'HINT: If the extension was updated just now, reconnect';

my @cases = (
    # how it behaves, what the error is; perhaps settings or the image
    [ 'fail at start', qr/^$EXTERNAL ended unexpectedly with exit status 1\n/ ],
    [ 'hang at start', qr/^38000: clair-reader said nothing for 1 seconds and was ended\n/,
        "clair.helper_timeout = '1s'" ],
    [ 'no greeting',    qr/^$PROTOCOL: no greeting\n$RECONNECT/ ],
    [ 'short greeting', qr/^$PROTOCOL: malformed greeting\n$RECONNECT/ ],
    [ 'no version',     qr/^$PROTOCOL: no greeting\n$RECONNECT/ ],
    [ 'other version',
        qr/^08P01: clair-reader speaks version 99 of the protocol, the library version \d+\nHINT: Reconnect/ ],
    [ 'crash', qr/^$EXTERNAL was terminated by signal 11: Segmentation fault\nHINT: The statement/ ],
    [ 'exit',  qr/^$EXTERNAL ended unexpectedly with exit status 1\nHINT: The statement/ ],
    [ 'hang',  qr/^38000: clair-reader said nothing for 1 seconds and was ended\nHINT: See clair.helper_timeout/,
        "clair.helper_timeout = '1s'" ],
    [ 'ignore SIGTERM', qr/^38000: clair-reader said nothing for 1 seconds/,
        "clair.helper_timeout = '1s'" ],
    [ 'close and hang', qr/^$EXTERNAL was terminated by signal 9: Killed\n/,
        "clair.helper_timeout = '1s'" ],
    [ 'flood', qr/^54000: the image has more than 128 MB of features\nHINT: See clair.reader_memory/ ],
    [ 'flood of empty rows', qr/^54000: the image has more than 128 MB of features/ ],
    [ 'flood of progress', qr/^57014: canceling statement due to statement timeout/,
        "statement_timeout = '500ms'" ],
    [ 'ask and not listen', qr/^57014: canceling statement due to statement timeout/,
        "statement_timeout = '500ms'" ],
    [ 'large frame',  qr/^$PROTOCOL: it is too large\n$RECONNECT/ ],
    [ 'many fields',  qr/^$PROTOCOL: it has too many fields\n/ ],
    [ 'too few fields',      qr/^$PROTOCOL: its fields do not fill it\n/ ],
    [ 'bytes beyond fields', qr/^$PROTOCOL: its fields do not fill it\n/ ],
    [ 'unknown type',        qr/^$PROTOCOL: unknown type\n/ ],
    [ "server's type",       qr/^$PROTOCOL: unknown type\n/ ],
    [ "other helper's type", qr/^08P01: clair-reader sent an unexpected frame/ ],
    [ 'second greeting',     qr/^08P01: clair-reader sent an unexpected frame/ ],
    [ 'unknown relation',    qr/^$PROTOCOL: row of an unknown relation\n/ ],
    [ "feed's relation", qr/^08P01: clair-reader sent a row of "broken" while indexing an image/ ],
    [ 'too few columns', qr/^$PROTOCOL: wrong number of columns\n/ ],
    [ 'bad UTF-8',       qr/^$PROTOCOL: not valid text\n/ ],
    [ 'NUL',             qr/^$PROTOCOL: not valid text\n/ ],
    [ 'no integer',      qr/^$PROTOCOL: not an integer\n/ ],
    [ 'huge integer',    qr/^$PROTOCOL: not an integer\n/ ],
    [ 'junk question',   qr/^22000: none of it is known$/ ],
    [ 'question that is no text', qr/^$PROTOCOL: not valid text\n/ ],
    [ 'very long question', qr/^54000: clair-reader asked for more than 1000 layers\nHINT: See clair.max_layers/ ],
    [ 'forbidden files', qr/^22000: got\nDETAIL:  nothing$/, undef, $layout ],
    [ 'end in a frame',  qr/^$EXTERNAL ended unexpectedly with exit status 0\n/ ],
    [ 'fail after success', qr/^$EXTERNAL reported success but did not end well/ ],
    [ 'hang after success', qr/^38000: clair-reader said nothing for 1 seconds/,
        "clair.helper_timeout = '1s'" ],
    [ 'talk after success', qr/^$PROTOCOL: it comes after the last one\n/ ],
    [ 'find nothing',    qr/^08P01: clair-reader found neither an image nor an error$/ ],
    [ 'wild words',
        qr/^54000: %s%n%999999d \x1b\[31m'; DROP TABLE clair\.image; --\nDETAIL: %s %n\nHINT: %s %n$/ ],
    [ 'broken words',    qr/^$PROTOCOL: malformed error\n/ ],
    [ 'no reason',       qr/^$PROTOCOL: malformed error\n/ ],
    [ 'unknown reason',  qr/^58030: who knows$/ ],
    [ 'unknown layer',   qr/^23503: insert or update on table "image_layer" violates/ ],
    [ 'missing values',  qr/^23502: null value in column "digest"/ ],
    [ 'wrong number', qr/^08P01: clair-reader sent images that are not numbered in order$/ ],
    [ 'invented entry',  qr/^23514: new row for relation "layer_entry" violates/ ],
    [ 'missing role',    qr/^08P01: clair-reader sent a content that has no role$/ ],
    [ 'missing targets', qr/^23514: new row for relation "layer_entry" violates/ ],
    [ 'file for nobody',     qr/^$FILE$/ ],
    [ 'file without end',    qr/^08P01: clair-reader sent only a part of a file for a detector$/ ],
    [ 'two files at once',   qr/^$FILE$/ ],
    [ 'too much of a file',  qr/^$FILE$/ ],
    [ 'file of any size',    qr/^$FILE$/ ],
    [ 'empty pieces',        qr/^$FILE$/ ],
    [ 'question for nobody', qr/^$FILE$/ ],
    [ 'descriptor',      qr/^08P01: clair-reader found neither an image nor an error$/ ],
);

# One session lives through all of it.
my ($session, $backend) = session($node);
query($session, "CREATE FUNCTION public.made(text, bytea) RETURNS TABLE (name text, version text)"
    . " LANGUAGE sql AS \$\$ SELECT 'a', '1' \$\$");
query($session, "SELECT clair.create_detector('made', 'public.made(text, bytea)', '{a}', 'dpkg')");
my $stored = row_count($session);
behave('exit');
outcome($session, "SELECT clair.index_image('$image')");
my $descriptors = descriptors_of($node, $backend);

foreach my $case (@cases)
{
    my ($word, $expected, $setting, $path) = @$case;
    my $input = $path // $image;

    behave($word);
    query($session, "SET $setting") if defined $setting;
    like(outcome($session, "SELECT clair.index_image('$input')"), $expected, $word);
    my $left = join ' ', processes_of($backend);
    my $open = descriptors_of($node, $backend);
    ok($left eq '' && $open eq $descriptors && row_count($session) == $stored,
        "$word: nothing is left")
        or diag("processes: $left; descriptors: $open, before: $descriptors");
    query($session, 'RESET clair.helper_timeout; RESET statement_timeout') if defined $setting;
}

behave('two layers');
is(outcome($session, "INSERT INTO clair.image (digest, platform, namespace, status)"
    . " VALUES ('sha256:parent', 'unknown', 'unknown', 'ok'); SELECT clair.index_layer('x', '$image', 'sha256:parent')"),
    '08P01: clair-reader did not make one layer of a layer', 'a reader that makes more of a layer');
unlink "$folder/clair-fetch";
copy($BAD_HELPER, "$folder/clair-fetch");
chmod 0755, "$folder/clair-fetch";
behave("feed's relation");
is(outcome($session, "SELECT clair.fetch_layer('x', 'http://127.0.0.1:1/')"),
    '08P01: clair-fetch sent an unexpected frame', 'what fetches a layer and does something else');

behave('look around');
is(outcome($session, "SELECT clair.index_image('$image')"),
    '22000: arguments clair-reader; descriptors 0 1 2 3; no environment; own group; SIGTERM delivered',
    'a helper is given the image, the socket and nothing else');
unlink "$folder/clair-reader";
like(outcome($session, "SELECT clair.index_image('$image')"),
    qr/^58000: could not start "\Q$folder\E\/clair-reader": No such file or directory\nHINT: /,
    'a helper that is not there');
is(processes_of($backend), 0, 'and nobody was started');
copy($BAD_HELPER, "$folder/clair-reader");
chmod 0755, "$folder/clair-reader";

# ---------------------------------------------------------------------------
# What is done to a backend whose helper hangs
# ---------------------------------------------------------------------------

# Lets a session index, and returns when its helper is there.
sub start_to_hang
{
    my ($word) = @_;
    my ($victim, $pid) = session($node);

    behave($word);
    $victim->query_until(qr/started/, "\\echo started\nSELECT clair.index_image('$image');\n");
    wait_for(60, sub { processes_of($pid) == 1 }) or die 'no helper was started';
    sleep(0.1);
    return ($victim, $pid);
}

foreach my $word ('hang', 'ignore SIGTERM', 'hang after success', 'close and hang', 'flood of progress')
{
    my ($victim, $pid) = start_to_hang($word);

    ends_within(30, "$word: a cancel takes effect at once", sub {
        query($session, "SELECT pg_cancel_backend($pid)");
        wait_for(60, sub { processes_of($pid) == 0 });
    });
    $victim->query('ROLLBACK');
    is(query($victim, 'SELECT 1'), '1', "$word: the cancelled session goes on");
    $victim->quit;

    ($victim, $pid) = start_to_hang($word);
    ends_within(30, "$word: so does the end of a session", sub {
        query($session, "SELECT pg_terminate_backend($pid)");
        wait_for(60, sub { processes_of($pid) == 0 });
    });
    ok(wait_for(60, sub { !-e "/proc/$pid" }), "$word: and it is gone");
    eval { $victim->quit };
}

my $RESTART = 'all server processes terminated; reinitializing';

{
    my ($victim, $pid) = start_to_hang('hang');

    is(shown_in_log($node, $RESTART), 0, 'no helper has made the server restart so far');
    kill 'KILL', $pid;
    ok(wait_for(60, sub { processes_of($pid) == 0 }), 'a killed backend: its helper ends too');
    ok(comes_up($node), 'the server is there again');
    sleep(0.5);
    is(shown_in_log($node, $RESTART), 1, 'after one restart, which is for the backend');
    eval { $victim->quit };
    eval { $session->quit };
}
$node->stop;

# ---------------------------------------------------------------------------
# The same in a container, where the postmaster is process 1 and inherits every orphan
# ---------------------------------------------------------------------------

my @CONTAINER = qw(unshare --user --map-current-user --pid --fork --kill-child --mount-proc);

# The lines of /proc/PID/stat in the container: processes that are helpers, ended or not.
sub helpers_in_container
{
    return scalar grep { /\(clair-reader\)/ } query($node, <<'SQL');
CREATE TEMPORARY TABLE process (line text);
COPY process FROM PROGRAM 'cat /proc/[0-9]*/stat 2>/dev/null; true';
SELECT line FROM process;
SQL
}

SKIP:
{
    my $log = $node->logfile;

    if (!IPC::Run::run([ @CONTAINER, 'true' ], '>', '/dev/null', '2>', '/dev/null'))
    {
        note('SKIP: a postmaster that is process 1: "unshare --user --pid" is not permitted here');
        skip 'unshare is not permitted', 1;
    }
    truncate($log, 0);
    my $container = fork() // die "fork: $!";
    if ($container == 0)
    {
        open(STDOUT, '>>', $log);
        open(STDERR, '>&', \*STDOUT);
        exec('setpriv', '--pdeathsig', 'KILL', '--', @CONTAINER, $node->installed_command('postgres'),
            '-D', $node->data_dir) or POSIX::_exit(127);
    }
    ok(comes_up($node), 'a server starts as process 1');
    like(slurp_file($node->data_dir . '/postmaster.pid'), qr/^1\n/, 'which it is');

    my $victim = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = query($victim, 'SELECT pg_backend_pid()');
    behave('hang');
    $victim->query_until(qr/started/, "\\echo started\nSELECT clair.index_image('$image');\n");
    ok(wait_for(60, sub { helpers_in_container() == 1 }), 'a helper hangs');
    # in a session of its own, and later: else the restart's SIGQUIT may reach the shell, whose death
    # by a signal process 1 takes for a second crash
    $node->psql('postgres', "COPY (SELECT 1) TO PROGRAM 'setsid -f sh -c \"sleep 0.5; kill -KILL $pid\"'");
    eval { $victim->quit };
    ok(wait_for(60, sub { shown_in_log($node, $RESTART) > 0 }), 'its backend is killed');
    ok(comes_up($node), 'the server is there again');
    sleep(0.5);
    is(helpers_in_container(), 0, 'without the helper');
    is(shown_in_log($node, $RESTART), 1, 'after one restart, not two');

    my ($postmaster) = map { /^(\d+)/ } grep { /^\d+ \(postgres\) \S $container / }
        map { -r $_ ? slurp_file($_) : () } glob '/proc/[0-9]*/stat';
    kill 'INT', $postmaster;
    is(waitpid($container, 0), $container, 'and stops');
}

done_testing();
