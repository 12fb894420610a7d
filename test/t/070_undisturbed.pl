# Proves that a helper which crashes, hangs, floods or lies, at any moment and whatever it was asked to
# do, ends in one error, while 100 other sessions go on: with their processes, their transactions and
# what they see. The server stays the same, its memory bounded, and the next statement works.
#
# In the long form, every signal and every moment.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Config;
use FeedTest;
use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Sessions;
use Test::More;
use Time::HiRes qw(sleep time);

my $WILD = HelperProcess::program_path('test/t/wild_helper');
my $LONG = $ENV{CLAIR_TEST_LONG};

plan skip_all => 'the wild helper has not been built' if !defined $WILD || !-x $WILD;

# Kilobytes of memory that a process of the server may take for whatever a helper sends: of an image
# it may send 128 MB, and a small text takes four times its bytes.
use constant MOST_MEMORY => 4 * 128 * 1024;

my ($node, $library) = start_server_of_its_own('undisturbed', 'max_connections = 130', 'max_worker_processes = 16', 'fsync = off',
    'restart_after_crash = on', "clair.reader_memory = '128MB'", "clair.max_document_size = '1MB'",
    'clair.fetch_retries = 0', 'clair.allow_private_networks = on', 'clair.webhook_retry_delay = 50ms',
    "clair.helper_timeout = '1s'");
my $folder = PostgreSQL::Test::Utils::tempdir();

# ---------------------------------------------------------------------------
# What there is to see, and who sees it
# ---------------------------------------------------------------------------

my ($session, $backend) = session($node);
my $image = make_layer("$folder/web.tar",
    'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ], [ 'dash', '0.5-1' ]));
index_file($session, $image, 'shop/web');
index_file($session, make_layer("$folder/other.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'zlib1g', '1-1', 'zlib' ])), 'shop/other');
my %feed = map { ($_ => { 'CVE-2031-0001' => { releases => { bookworm => { status => 'open', urgency => 'high' } } } }) } 'bash', 'dash', map { "package-$_" } 1 .. 40;
write_file("$folder/json", \%feed);
set_feed($session, 'debian', "$folder/json");
query($session, "UPDATE clair.updater SET enabled = false WHERE name <> 'debian'");
my $run = update($session, 'debian');
is($run->{state}, 'succeeded', 'there is a feed') or diag($run->{error});
query($session, 'CREATE TABLE public.ledger (session integer, n bigint, PRIMARY KEY (session, n))');
my $base = query($session, 'SELECT pg_postmaster_start_time()');

my $FINDINGS = "SELECT count(*), md5(string_agg(v::text, ';' ORDER BY v::text)) FROM clair.vulnerabilities('shop/web') AS v";
my $FOUND = query($session, $FINDINGS);
like($FOUND, qr/^2\|/, 'and there are findings');

# A statement of a session that must answer what it answered first.
sub always
{
    my ($statement) = @_;

    return sub { ($statement, $_[0]{first}) };
}

# Adds a row of the session's own to the ledger, or counts those.
sub write_and_count
{
    my ($self) = @_;

    return ('INSERT INTO public.ledger VALUES (' . "$self->{number}, " . ++$self->{n} . ') RETURNING n', $self->{n})
        if ($self->{turn}++ // 0) % 2 == 0;
    return ("SELECT count(*), pg_backend_pid() FROM public.ledger WHERE session = $self->{number}",
        "$self->{n}|$self->{backend}");
}

sub count_in_transaction
{
    my ($self) = @_;

    my ($statement, $expected) = write_and_count($self);
    return ($statement, $expected) if $statement =~ /^INSERT/;
    $self->{transaction} //= Sessions::ask($self, 'SELECT txid_current()');
    return ("SELECT count(*), txid_current() FROM public.ledger WHERE session = $self->{number}",
        "$self->{n}|$self->{transaction}");
}

my @kinds = (
    ({ name => 'reads findings', begin => sub { () }, next => sub { ($FINDINGS, $FOUND) } }) x 25,
    ({ name => 'counts', begin => sub { () },
        next => sub { ("SELECT count(*) FROM clair.image_vulnerability WHERE image_id = clair.image_id('shop/web')", '2') } }) x 10,
    ({ name => 'writes', begin => sub { () }, next => \&write_and_count }) x 25,
    ({ name => 'has a transaction', begin => sub { 'BEGIN' }, next => \&count_in_transaction,
        end => sub {
            my ($self) = @_;
            return ('COMMIT' => '',
                "SELECT count(*) FROM public.ledger WHERE session = $self->{number}" => $self->{n});
        } }) x 15,
    ({ name => 'has a snapshot',
        begin => sub { ('BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM public.ledger') },
        next => sub {
            my ($self) = @_;
            my $statement = 'SELECT count(*), count(DISTINCT session) FROM public.ledger';
            $self->{first} //= Sessions::ask($self, $statement);
            return ($statement, $self->{first});
        },
        end => sub { (COMMIT => '') } }) x 10,
    ({ name => 'has a cursor',
        begin => sub { ('BEGIN', 'DECLARE c CURSOR FOR SELECT generate_series(1, 1000000000)') },
        next => sub { ('FETCH c', ++$_[0]{n}) },
        end => sub { (ROLLBACK => '') } }) x 5,
    ({ name => 'has things of its own',
        begin => sub {
            my ($self) = @_;
            return ("SET my.value = 'value $self->{number}'", 'CREATE TEMPORARY TABLE mine AS SELECT 7 AS n',
                'PREPARE seven AS SELECT n FROM mine', "SELECT pg_advisory_lock(4711, $self->{number})");
        },
        next => sub {
            my ($self) = @_;
            return ('EXECUTE seven', '7') if ($self->{turn}++ // 0) % 2 == 0;
            return ("SELECT current_setting('my.value'), pg_backend_pid(), (SELECT count(*) FROM pg_locks"
                . " WHERE locktype = 'advisory' AND classid = 4711 AND pid = pg_backend_pid())",
                "value $self->{number}|$self->{backend}|1");
        } }) x 10,
);
my $sessions = Sessions->start(
    { host => $node->host, port => $node->port, user => query($session, 'SELECT session_user'), database => 'postgres' },
    @kinds);
is(@kinds, 100, '100 sessions read, write, and have open transactions');

# ---------------------------------------------------------------------------
# The wild helper takes both places; what is not its turn, it leaves to the real ones
# ---------------------------------------------------------------------------

foreach my $helper (qw(clair-reader clair-fetch))
{
    rename("$library/$helper", "$library/$helper.real") or die "rename: $!";
}
foreach my $helper (qw(clair-reader clair-fetch))
{
    copy($WILD, "$library/$helper") or die "copy: $!";
    chmod 0755, "$library/$helper";
}

# Lets the helpers of a process of the server misbehave, or those of all others; or no longer.
sub behave
{
    my ($what, $process) = @_;
    my $file = "$library/behaviour" . (defined $process ? ".$process" : '');

    unlink $file;
    append_to_file($file, $what) if defined $what;
}

# A number of /proc/PID/status, in kilobytes.
sub memory
{
    my ($process, $what) = @_;
    my ($size) = (eval { slurp_file("/proc/$process/status") } // '') =~ /^$what:\s+(\d+) kB/m;

    return $size // 0;
}

# ---------------------------------------------------------------------------
# Faults of statements: what is called, what happens, which error that is
# ---------------------------------------------------------------------------

my $INDEX = "SELECT clair.index_image('$image')";
my $LAYER = "SELECT clair.fetch_layer('layer', 'http://127.0.0.1:1/layer?token=secret')";
my $SBOM = "SELECT clair.index_sbom('$folder/json', 'bill')";
my $VEX = "SELECT clair.load_vex('$folder/json')";
my $IMPORT = "SELECT clair.import_updates('$folder/json')";
my $EXPORT = "SELECT clair.export_updates('$folder/export')";

my %CALLS = (
    'clair-reader' => [ [ $INDEX, qw(start greeting job rows done) ] ],
    'clair-fetch' => [ [ $LAYER, qw(start greeting job input rows done) ] ],
);
my $UNEXPECTED = 'an unexpected frame';
my $ENDED = 'ended unexpectedly with exit status';
my $INVALID = 'sent an invalid frame:';

# Signals by their names, without those that have several, and the real-time ones.
my %SIGNALS;
@SIGNALS{ split ' ', $Config{sig_name} } = split ' ', $Config{sig_num};
my %named = map { ($SIGNALS{$_} => $_) } reverse sort keys %SIGNALS;
my @NAMES = grep { /^[A-Z]+[12]?$/ && $SIGNALS{$_} < 32 } @named{ sort { $a <=> $b } keys %named };

my (@crashes, @silences, @floods, @lies);
foreach my $program (sort keys %CALLS)
{
    foreach my $call (@{ $CALLS{$program} })
    {
        my ($statement, @moments) = @$call;
        my @all = $LONG ? grep { !/^(ZERO|CHLD|CLD|CONT|URG|WINCH|STOP|TSTP|TTIN|TTOU)$/ } @NAMES
            : qw(SEGV ABRT BUS KILL);

        foreach my $moment ($LONG ? @moments : @moments[ 0, $#moments - 1, $#moments ])
        {
            my @signals = $LONG || $moment eq 'rows' ? @all : 'KILL';

            push @crashes, map {
                [ $statement, "$program $moment signal $SIGNALS{$_}",
                    $moment eq 'done' ? qr/^38000: $program reported success but did not end well$/
                    : qr/^38000: $program was terminated by signal $SIGNALS{$_}: .*\nHINT: .*@{[$_ eq 'KILL' ? 'memory runs out' : '']}/ ]
            } @signals;
            push @crashes, [ $statement, "$program $moment exit 3",
                $moment eq 'done' ? qr/^38000: $program reported success but did not end well$/
                : qr/^38000: $program $ENDED 3\nHINT: / ];
        }
        # the helper's own handlers make exits of crashes
        push @crashes, map {
            [ $statement, "$program $moments[-2] crash $SIGNALS{$_}",
                qr/^38000: $program was terminated by signal $SIGNALS{$_}: .*\nHINT: / ]
        } $LONG ? qw(SEGV BUS FPE ILL ABRT) : 'SEGV';
        push @silences, map { [ $statement, "$program $_ hang", qr/^38000: $program said nothing for 1 seconds and was ended\nHINT: / ] }
            $LONG ? @moments : @moments[ 0, $#moments ];
        push @silences, map { [ $statement, "$program $moments[-2] $_", qr/^38000: $program said nothing for 1 seconds and was ended\nHINT: / ] }
            qw(header half deaf stop trickle);
        push @silences, [ $statement, "$program $moments[-2] closed", qr/^38000: $program was terminated by signal 9: / ];
        push @crashes, [ $statement, "$program $moments[-2] half 1", qr/^38000: $program $ENDED 0\n/ ];
        push @lies, map { [ $statement, "$program $moments[-3] broken $_", qr/^08P01: $program $INVALID / ] } 1 .. 6;
        push @lies, [ $statement, "$program $moments[-3] broken 7", qr/^08P01: $program sent $UNEXPECTED/ ];
        push @lies, [ $statement, "$program $moments[-3] broken 8", qr/^08P01: $program $INVALID malformed error/ ];
        push @lies, map { [ $statement, "$program $moments[-3] broken $_", qr/^(08P01|38000): $program / ] } 11 .. ($LONG ? 99 : 14);
    }
}
my $MANY = $LONG ? 1_000_000 : 50_000;
push @floods,
    [ $INDEX, "clair-reader job tiny $MANY", qr/^38000: clair-reader $ENDED 0\n/ ],
    [ $LAYER, "clair-fetch input tiny $MANY", qr/^38000: clair-fetch $ENDED 0\n/ ],
    [ $INDEX, 'clair-reader job large', qr/^54000: the image has more than 128 MB of features\nHINT: / ],
    [ $INDEX, 'clair-reader job flood', qr/^54000: the image has more than 128 MB of features\nHINT: / ],
    [ $INDEX, 'clair-reader job questions', qr/^54000: clair-reader asked for more than 1000 layers\nHINT: See clair.max_layers/ ],
    [ $INDEX, 'clair-reader job nothing', qr/^54000: clair-reader asked for more than 1000 layers\nHINT: / ],
    [ $INDEX, 'clair-reader job ask', qr/^(54000: clair-reader asked for more than 1000 layers|38000: clair-reader said nothing)/ ],
    [ $INDEX, 'clair-reader job blobs 10000', qr/^38000: clair-reader $ENDED 0\n/ ],
    [ $LAYER, 'clair-fetch input large', qr/^58030: could not fetch "http:\/\/127.0.0.1:1\/layer": x{1,16384}$/ ],
    [ $IMPORT, 'clair-reader job exports', qr/^08P01: clair-reader sent $UNEXPECTED$/ ],
    [ $LAYER, 'clair-fetch input flood', qr/^08P01: clair-fetch sent a malformed answer$/ ];
push @lies,
    (map { [ $LAYER, "clair-fetch input lie $_", qr/^08P01: clair-fetch sent a malformed answer$/ ] } 1 .. 5, 8, 9),
    (map { [ $LAYER, "clair-fetch input lie $_", qr/^08P01: clair-fetch $INVALID not valid text\n/ ] } 6, 7),
    [ $LAYER, 'clair-fetch input lie 10', qr/^08P01: clair-fetch said nothing of a layer$/ ],
    (map { [ $LAYER, "clair-fetch input lie $_", qr/^08P01: clair-fetch sent $UNEXPECTED$/ ] } 11, 12, 13),
    [ $LAYER, 'clair-fetch input lie 14', qr/^58030: could not fetch "http:\/\/127.0.0.1:1\/layer": later$/ ],
    [ $LAYER, 'clair-fetch input lie 15', qr/^58030: could not fetch "http:\/\/127.0.0.1:1\/layer": server answered 304$/ ],
    [ $INDEX, 'clair-reader rows lie 13', qr/^08P01: clair-reader sent $UNEXPECTED/ ],
    [ $INDEX, 'clair-reader rows lie 14', qr/^08P01: clair-reader $INVALID it comes after the last one\n/ ],
    [ $INDEX, 'clair-reader rows lie 15', qr/^08P01: clair-reader $INVALID it comes after the last one\n/ ],
    [ $SBOM, 'clair-reader job lie 6', qr/^08P01: clair-reader sent a row of "further" while indexing an image$/ ],
    (map { [ $VEX, "clair-reader job lie $_", qr/^08P01: clair-reader sent a row of "\w+" while reading a VEX document$/ ] } 5, 8, 10),
    [ $VEX, 'clair-reader job lie 11', qr/^08P01: clair-reader sent $UNEXPECTED of type \d+$/ ],
    [ $EXPORT, 'clair-reader job lie 10', qr/^08P01: clair-reader sent $UNEXPECTED$/ ],
    [ $EXPORT, 'clair-reader job signal 9', qr/^38000: clair-reader was terminated by signal 9: / ];

my $stored = row_count($session);
my $before = descriptors_of($node, $backend);
my $peak = 0;

# Runs a statement whose helper misbehaves: one error, and the same process goes on, with nothing left.
sub check_statement
{
    my ($case) = @_;
    my ($statement, $fault, $expected) = @$case;

    behave($fault, $backend);
    my $outcome = outcome($session, $statement);
    my $left = join ' ', processes_of($backend), glob($node->data_dir . '/base/pgsql_tmp/*');
    $left .= ' other descriptors' if descriptors_of($node, $backend) ne $before;
    $left .= ' rows' if row_count($session) != $stored;
    $left .= ' another process' if query($session, 'SELECT pg_backend_pid()') != $backend;
    ok($outcome =~ $expected && $left eq '', "$fault: one error, and the session goes on; nothing is left")
        or diag(substr($outcome, 0, 1000), "\nleft: $left");
}

outcome($session, $INDEX);
outcome($session, $LAYER);
$peak = memory($backend, 'VmHWM');
$stored = row_count($session);
$before = descriptors_of($node, $backend);
check_statement($_) foreach @crashes, @floods, @lies;
behave(undef, $backend);
cmp_ok(memory($backend, 'VmHWM') - $peak, '<', MOST_MEMORY, 'the memory that this took was bounded');
note(sprintf 'memory of the session: %d kB at first, at most %d kB, now %d kB', $peak, memory($backend, 'VmHWM'),
    memory($backend, 'VmRSS'));

# Silence takes its time: all of it at once, in sessions of their own.
{
    my @waiting;

    foreach my $case (@silences)
    {
        my ($statement, $fault, $expected) = @$case;
        my ($other, $process) = session($node);

        behave($fault, $process);
        $other->query_until(qr/started/, "\\echo started\nSELECT public.outcome(\$s\$$statement\$s\$);\n");
        push @waiting, [ $other, $process, @$case ];
    }
    foreach my $waiting (@waiting)
    {
        my ($other, $process, undef, $fault, $expected) = @$waiting;

        my $said = $other->query('SELECT pg_backend_pid()');
        my $left = join ' ', processes_of($process);
        ok($said =~ $expected && $said =~ /^$process$/m && $left eq '',
            "$fault: one error, and the session goes on; no process is left")
            or diag("$said\nleft: $left");
        behave(undef, $process);
        $other->quit;
    }
}

# ---------------------------------------------------------------------------
# Faults of updates: the run fails, with a reason, and changes nothing
# ---------------------------------------------------------------------------

my $KNOWN = 'SELECT md5(string_agg(t, \';\' ORDER BY t)) FROM (SELECT v::text || a::text FROM clair.vulnerability AS v'
    . ' JOIN clair.affected AS a ON a.vulnerability_id = v.id UNION ALL SELECT r::text FROM clair.record AS r'
    . ' UNION ALL SELECT d::text FROM clair.document AS d) AS known(t)';
my $known = query($session, $KNOWN);
my $workers_peak = 0;

# What is left of workers, in words.
sub left_of_workers
{
    return join ' ', glob($node->data_dir . '/base/pgsql_tmp/*'), query($session, <<'SQL');
SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND classid <> 4711
UNION ALL
SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't' AND relname LIKE 'stage_%'
UNION ALL
SELECT 'worker ' || pid FROM pg_stat_activity WHERE backend_type LIKE 'clair %'
SQL
}

# The most memory that a worker has had so far, while a statement of another session runs.
my ($other) = session($node);
sub watch_workers
{
    my ($statement) = @_;

    $other->query_until(qr/started/, "\\echo started\n$statement;\n\\echo ended\n");
    my $ended = 0;
    while (!$ended)
    {
        $ended = query($session, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%clair.update(%' AND state = 'active'"
            . " AND pid <> pg_backend_pid() AND backend_type = 'client backend'") == 0;
        foreach my $worker (query($session, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'clair updater'"))
        {
            my $size = memory($worker, 'VmHWM');
            $workers_peak = $size if $size > $workers_peak;
        }
        sleep(0.02) if !$ended;
    }
    $other->query('SELECT');
}

my %UPDATES = (
    'clair-fetch' => [
        [ 'input signal 11', qr/^clair-fetch was terminated by signal 11/ ],
        [ 'rows signal 9', qr/^clair-fetch was terminated by signal 9/ ],
        [ 'rows crash 11', qr/^clair-fetch was terminated by signal 11/ ],
        [ 'done signal 6', qr/^clair-fetch reported success but did not end well/ ],
        [ 'rows hang', qr/^clair-fetch said nothing for 1 seconds and was ended/ ],
        [ 'input large', qr/^could not fetch "http:\/\/127.0.0.1:1\/json": x{1,16384}$/ ],
        [ 'input flood', qr/^clair-fetch sent a malformed answer/ ],
        [ 'input tiny 20000', qr/^clair-fetch $ENDED 0/ ],
        [ 'input lie 1', qr/^clair-fetch sent a malformed answer/ ],
        [ 'input lie 9', qr/^clair-fetch sent a malformed answer/ ],
        [ 'input lie 10', qr/^clair-fetch said nothing of a document/ ],
        [ 'input lie 11', qr/^clair-fetch sent $UNEXPECTED/ ],
    ],
    'clair-reader' => [
        [ 'start signal 11', qr/^clair-reader was terminated by signal 11/ ],
        [ 'rows signal 9', qr/^clair-reader was terminated by signal 9/ ],
        [ 'rows crash 6', qr/^clair-reader was terminated by signal 6/ ],
        [ 'done exit 1', qr/^clair-reader reported success but did not end well/ ],
        [ 'rows half', qr/^clair-reader said nothing for 1 seconds and was ended/ ],
        [ 'input large', qr/^the documents have more than 4 MB of rows/ ],
        [ 'input flood', qr/^the documents have more than 4 MB of rows/ ],
        [ 'input documents', qr/^the documents name further ones with more than 128 MB of text/ ],
        [ 'input states 100', qr/^clair-reader $ENDED 0/ ],
        [ 'input questions 1000', qr/^clair-reader $ENDED 0/ ],
        [ 'input ask', qr/^clair-reader said nothing for 1 seconds and was ended/ ],
        [ 'input lie 1', qr/^clair-reader sent a vulnerability or range out of place/ ],
        [ 'input lie 2', qr/^invalid input value for enum severity: "Fatal"/, 100 ],
        [ 'input lie 3', qr/^invalid /, 100 ],
        [ 'input lie 4', qr/^document "json" shrank from 42 to \d+ records/ ],
        [ 'input lie 5', qr/^document "passwd" / ],
        [ 'input lie 6', qr/^clair-reader named a further document out of place/ ],
        [ 'input lie 7', qr/^clair-reader named a further document out of place/ ],
        [ 'input lie 8', qr/^clair-reader wants to begin again without having begun/ ],
        [ 'input lie 9', qr/^clair-reader asked for a malformed key/ ],
        [ 'input lie 10', qr/^clair-reader sent a row of "image" while reading a feed/ ],
        [ 'input lie 11', qr/^clair-reader sent $UNEXPECTED/ ],
        [ 'input lie 12', qr/^clair-reader sent malformed progress/ ],
        [ 'input lie 13', qr/^clair-reader sent $UNEXPECTED/ ],
        [ 'input lie 14', qr/^clair-reader $INVALID it comes after the last one/ ],
        [ 'input lie 16', qr/^document "json" shrank from 42 to 0 records/ ],
    ],
);
foreach my $program (sort keys %UPDATES)
{
    # what the reader reads must have changed, or it is not started
    my $url = $program eq 'clair-fetch' ? 'http://127.0.0.1:1/json' : "file://$folder/json";

    query($session, "UPDATE clair.updater SET url = '$url' WHERE name = 'debian'");
    # in the short form, every other one
    foreach my $case (map { $LONG || $_ % 2 == 0 ? $UPDATES{$program}[$_] : () } 0 .. $#{ $UPDATES{$program} })
    {
        my ($fault, $expected, $shrinkage) = @$case;

        query($session, 'UPDATE clair.updater SET options = '
            . (defined $shrinkage ? "'{\"max_shrinkage\": $shrinkage}'" : 'NULL') . " WHERE name = 'debian'");
        write_file("$folder/json", slurp_file("$folder/json") . ' ');
        behave("$program $fault");
        watch_workers("SELECT clair.update('debian')");
        my ($state, $error) = split /\|/, scalar query($session, 'SELECT state, error FROM clair.update_run ORDER BY id DESC LIMIT 1'), 2;
        my $left = left_of_workers() . (query($session, $KNOWN) eq $known ? '' : ' other rows');
        ok($state eq 'failed' && ($error // '') =~ $expected && $left eq '',
            "an update, $program $fault: it fails, and nothing is left")
            or diag("$state: ", substr($error // '', 0, 1000), "\nleft: $left");
    }
}
behave(undef);
$other->quit;
cmp_ok($workers_peak, '<', MOST_MEMORY, 'the memory of workers was bounded');
note("memory of workers: at most $workers_peak kB");

# ---------------------------------------------------------------------------
# Faults of webhooks: the alert waits for the next attempt
# ---------------------------------------------------------------------------

my $receiver = Receiver->start('/hook' => sub { WebServer::answer($_[0], '200 OK', {}, '') });

query($session, "SELECT clair.create_consumer('hook')");
query($session, "SELECT clair.create_webhook('hook', '" . $receiver->url('/hook') . "')");
behave('clair-fetch input exit 9');
$feed{zlib} = { 'CVE-2031-0002' => { releases => { bookworm => { status => 'open', urgency => 'high' } } } };
write_file("$folder/json", \%feed);
$run = update($session, 'debian');
is($run->{state}, 'succeeded', 'there is something to tell') or diag($run->{error});
foreach my $case (
    [ 'input signal 11', qr/^clair-fetch was terminated by signal 11/ ],
    [ 'job signal 9', qr/^clair-fetch was terminated by signal 9/ ],
    [ 'input crash 6', qr/^clair-fetch was terminated by signal 6/ ],
    [ 'input lie 1', qr/^clair-fetch sent a malformed answer/ ],
    [ 'input tiny 20000', qr/^clair-fetch $ENDED 0/ ],
    [ 'input lie 5', qr/^clair-fetch sent a malformed answer/ ],
    [ 'input large', qr/^x+$/ ],
    [ 'input lie 11', qr/^clair-fetch sent $UNEXPECTED/ ],
    [ 'input hang', qr/^clair-fetch said nothing for 1 seconds and was ended/ ],
    [ 'input lie 10', qr/^clair-fetch ended unexpectedly/ ])
{
    my ($fault, $expected) = @$case;
    my $last = '';

    behave("clair-fetch $fault");
    query($session, "SELECT clair.retry_webhooks('hook')");
    query($session, 'SELECT clair.deliver_webhooks(wait => false)');
    ok(wait_for(30, sub {
            $last = query($session, "SELECT left(last_error, 100) FROM clair.webhook_delivery WHERE consumer = 'hook'");
            $last =~ $expected;
        }), "a webhook, clair-fetch $fault: the alert has not been delivered") or diag($last);
}
behave(undef);
query($session, "SELECT clair.retry_webhooks('hook')");
query($session, 'SELECT clair.deliver_webhooks()');
is(scalar query($session, "SELECT string_agg(state, ' ') FROM clair.webhook_delivery WHERE consumer = 'hook'"),
    'delivered', 'and is, once nothing is in the way');
is($receiver->count('/hook'), 1, 'once');
is(left_of_workers(), '', 'nothing is left of all that');

# ---------------------------------------------------------------------------
# The others
# ---------------------------------------------------------------------------

my $report = $sessions->stop();
is_deeply($report->{wrong}, [], 'all 100 sessions have kept their processes, their transactions and what they see');
is(scalar(grep { $_ >= 5 } @{ $report->{statements} }), 100, 'and have worked');
my $total = 0;
$total += $_ foreach @{ $report->{statements} };
note("$total statements of 100 sessions");
is(query($session, 'SELECT pg_postmaster_start_time()'), $base, 'the server is the same');
is(shown_in_log($node, '\(PID \d+\) (was terminated|exited with exit code [^0])|reinitializing|PANIC:|FATAL:'), 0,
    'and its log knows of no process that has crashed, or failed');
is(scalar query($session, $FINDINGS), $FOUND, 'the same findings are there');
outcome($session, $INDEX);
is(outcome($session, $INDEX), 'ok', 'and images can be indexed');
$session->quit;
$node->stop;

done_testing();
