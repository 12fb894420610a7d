# Proves that somebody who has taken a helper over is refused whatever he tries, by seccomp and by
# Landlock, each alone and both together; and that, where the kernel has only one of them, or none,
# "auto" goes on with what there is and clair.check_health() says so, and "required" is one clear error.
#
# In the long form, every system call by which one could do harm.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant UNSUPPORTED => 3; # CLAIR_UNSUPPORTED

my $PROBE = HelperProcess::program_path('test/t/filter_probe');
my $OLD_KERNEL = HelperProcess::program_path('test/t/old_kernel');
my %HELPERS = map { $_ => HelperProcess::program_path($_) } qw(clair-reader clair-fetch);

plan skip_all => 'made for Linux' if $^O ne 'linux';
plan skip_all => 'the test programs have not been built' if !defined $PROBE || !-x $PROBE || !-x $OLD_KERNEL;

my $seccomp = system($PROBE, 'seccomp') >> 8;
my $landlock = system($PROBE, 'version') >> 8;
note("this kernel has seccomp: $seccomp, Landlock: $landlock");

# ---------------------------------------------------------------------------
# What is tried, by a program of its own. Each case: helper, what holds it, what is tried, and how that
# ends: refused, with a last word; or an exit status: that of a crash, or the number of an errno, 0
# when it worked.
# ---------------------------------------------------------------------------

my ($reader, $fetch) = qw(clair-reader clair-fetch);
my @cases = (
    [ $reader, 'seccomp', 'memory', 0 ],
    [ $reader, 'seccomp', 'abort', 128 + 6 ],
    [ $reader, 'seccomp', 'stack', 128 + 11 ],
    [ $fetch, 'seccomp', 'memory', 0 ],
    [ $fetch, 'seccomp', 'names', 0 ],
    [ $fetch, 'seccomp', 'abort', 128 + 6 ],
    [ $fetch, 'seccomp', 'stack', 128 + 11 ],
    [ $fetch, 'seccomp', 'connect', POSIX::ECONNREFUSED ],
    [ $fetch, 'seccomp', 'pair', 0 ],
    [ $fetch, 'seccomp', 'unix', POSIX::EAFNOSUPPORT ],

    (map { [ $reader, 'landlock', $_, POSIX::EACCES ] } 'open', 'open hosts', 'list', 'write', 'create',
        'unnamed', 'exec', 'own memory', "server's memory", 'input'),
    [ $reader, 'landlock', 'trace', POSIX::EPERM ],
    (map { [ $fetch, 'landlock', $_, POSIX::EACCES ] } 'open', 'list', 'write', 'create', 'unnamed',
        'exec', 'own memory', "server's memory", 'input'),
    (map { [ $fetch, 'landlock', $_, 0 ] } 'open hosts', 'names'),
    [ $fetch, 'landlock', 'trace', POSIX::EPERM ],
    [ $fetch, 'landlock', 'connect', POSIX::ECONNREFUSED ],
);
if ($landlock >= 4)
{
    push @cases, [ $reader, 'landlock', 'connect', POSIX::EACCES ],
        map { [ $_, 'landlock', 'bind', POSIX::EACCES ] } $reader, $fetch;
}
if ($landlock >= 6)
{
    push @cases, map { [ $_, 'landlock', 'kill', POSIX::EPERM ] } $reader, $fetch;
}

# What both helpers are refused: files and descriptors, programs and processes, other processes'
# memory, the kernel's other doors.
my @REFUSED = ('remove', 'folder', 'rename', 'mode', 'datagrams', 'listen', 'exec', 'fork', 'trace',
    'kill', 'kill all', 'thread', 'own thread', 'owner', 'code', 'dumpable', 'orphan', 'limit', 'limit of server',
    'terminal', 'packet', 'vsock', 'audit', 'keys', qw(execveat mount umount2 keyctl add_key request_key
    io_uring_enter userfaultfd process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal
    unshare setns bpf perf_event_open seccomp shmat));
my @ALSO_REFUSED = qw(accept4 acct adjtimex capset chdir chroot clock_settime copy_file_range delete_module
    fallocate fanotify_init fchdir fchmod fchown finit_module flock init_module inotify_init1 io_setup
    io_uring_register ioprio_set kcmp kexec_load linkat memfd_create migrate_pages mknodat
    move_pages mq_open msgget name_to_handle_at open_by_handle_at open_tree personality pivot_root
    quotactl reboot rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity sched_setscheduler semget semop sendfile
    setgid setgroups sethostname setpgid setpriority setresuid setrlimit setsid settimeofday
    setuid setxattr shmget signalfd4 splice swapon symlinkat syslog tee timer_create timerfd_create tkill
    truncate umask utimensat vmsplice);
push @REFUSED, @ALSO_REFUSED if $ENV{CLAIR_TEST_LONG};

foreach my $by (qw(seccomp auto required))
{
    my $files = $by eq 'seccomp' ? [ 0 ] : [ 0, POSIX::EACCES ];

    # in the short form, all of it once
    push @cases, map { my $helper = $_; map { [ $helper, $by, $_, 'refused' ] } @REFUSED } $reader, $fetch
        if $by eq 'required' || $ENV{CLAIR_TEST_LONG};
    push @cases,
        (map { [ $reader, $by, $_, POSIX::ENOENT ] } 'open', 'list', 'write', 'create', 'unnamed', 'own memory',
            'read own memory', "server's memory", "server's environment", "server's file", 'input'),
        (map { [ $reader, $by, $_, 'refused' ] } qw(connect bind unix pair datagram raw clone3 io_uring openat2)),
        (map { [ $fetch, $by, $_, 'refused' ] } 'write', 'create', 'unnamed', 'own memory', 'input'),
        (map { [ $fetch, $by, $_, POSIX::ENOSYS ] } qw(clone3 io_uring openat2)),
        [ $fetch, $by, 'unix', POSIX::EAFNOSUPPORT ],
        (map { [ $_, $by, 'elsewhere', POSIX::EBADF ] } $reader, $fetch);
    push @cases,
        (map { [ $fetch, $by, $_, POSIX::EACCES ] } 'open', 'list', 'read own memory', "server's memory",
            "server's environment", "server's file"),
        [ $fetch, $by, 'names', 0 ]
        if $by ne 'seccomp';
    push @cases, [ $fetch, $by, 'raw', POSIX::EPERM ] if $> != 0;
}

foreach my $case (@cases)
{
    my ($program, $by, $what, $end) = @$case;

    next if !$seccomp && $by ne 'landlock' || !$landlock && $by ne 'seccomp';
    my $helper = HelperProcess->start($PROBE, arguments => [ $program, $by, $what ]);
    my $hello = $helper->receive();
    my $frame = $helper->answer();
    my $status = $helper->ended();
    my $got = !defined $hello ? 'not begun'
        : defined $frame
            && "$frame->{type} $frame->{fields}[0] $frame->{fields}[1]"
            =~ /^E @{[UNSUPPORTED]} $program was refused system call \d+$/ && $status == 1 << 8
        ? 'refused' : defined $frame ? "$frame->{type} @{$frame->{fields}}[0, 1]"
        : $status & 255 ? 'signal ' . ($status & 255) : $status >> 8;
    is($got, $end, "$program, held by $by: $what");
}

# ---------------------------------------------------------------------------
# Kernels that have less: what the job says of it, and what the helpers say
# ---------------------------------------------------------------------------

# What a helper answers to a job, on a kernel that lacks something, or on this one.
sub check
{
    my ($name, $missing, @job) = @_;
    my $helper = defined $missing
        ? HelperProcess->start($OLD_KERNEL, arguments => [ $missing, $HELPERS{$name} ])
        : HelperProcess->start($HELPERS{$name});

    $helper->receive();
    $helper->send_frame('j', [ job => 'check', @job ]);
    my $frame = $helper->answer() // return 'nothing';
    $helper->answer();
    $helper->ended();
    return $frame->{type} eq 'R' ? "@{$frame->{fields}}" : $frame->{fields}[1];
}

# What holds helpers on such a kernel: seccomp, Landlock.
sub held
{
    my ($missing) = @_;

    return $missing eq 'both' ? (0, 0) : $missing eq 'seccomp' ? (0, $landlock) : $missing eq 'landlock' ? ($seccomp, 0)
        : ($seccomp, $landlock);
}

sub refusal
{
    my ($name, $missing) = @_;

    return "$name is required to run in a sandbox, but there is no "
        . ((held($missing))[0] ? 'Landlock' : 'seccomp');
}

foreach my $name ($reader, $fetch)
{
    my $here = $seccomp && $landlock ? "$seccomp $landlock" : undef;

    is(check($name, undef), "$seccomp $landlock", "$name tells what holds it");
    is(check($name, undef, sandbox => 'auto'), "$seccomp $landlock",
        'as much as there is, unless something else is said');
    is(check($name, undef, sandbox => 'required'), $here // refusal($name, ''), 'what is required is the same, or an error');
    is(check($name, undef, sandbox => 'off'), '0 0', 'it can be left out');
    is(check($name, undef, sandbox => 'on'), 'malformed job: "sandbox" is neither auto, required nor off',
        'another word is refused');
    foreach my $missing ($seccomp ? qw(landlock seccomp both) : ())
    {
        is(check($name, $missing, sandbox => 'auto'), join(' ', held($missing)), "$name without $missing: auto");
        is(check($name, $missing, sandbox => 'required'), refusal($name, $missing), "$name without $missing: required");
        is(check($name, $missing, sandbox => 'off'), '0 0', "$name without $missing: off");
    }
}

# ---------------------------------------------------------------------------
# The same, in a server
# ---------------------------------------------------------------------------

my ($node, $library) = start_server_of_its_own('sandbox', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $image = make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]));
my ($session) = session($node);

foreach my $name ($reader, $fetch)
{
    rename("$library/$name", "$library/$name.real") or die "rename: $!";
}
foreach my $name ($reader, $fetch)
{
    copy($OLD_KERNEL, "$library/$name") or die "copy: $!";
    chmod 0755, "$library/$name";
}

# A component's state, message and hint, with a mode of the sandbox.
sub health
{
    my ($name, $mode) = @_;

    return scalar query($session, "SET clair.sandbox = $mode;"
        . " SELECT concat_ws('|', state, message, hint) FROM clair.check_health() WHERE component = '$name';");
}

my $HINT = 'Linux has both since 5.13, unless they are switched off, there or by a container\'s profile.';
my $OFF = 'What takes it over can do what the server\'s user can: set clair.sandbox to auto.';
my $REQUIRED = 'Linux has seccomp filters and, since 5.13, Landlock, unless they are switched off.'
    . ' With clair.sandbox = auto, what there is suffices.';

foreach my $missing ('', $seccomp ? qw(landlock seccomp both) : ())
{
    my ($filters, $files) = held($missing);
    my $what = $missing eq '' ? 'this kernel' : "without $missing";
    my $message = ($filters ? 'seccomp' : 'no seccomp') . ', ' . ($files ? "Landlock $files" : 'no Landlock');
    my $all = $filters && $files;

    unlink "$library/missing";
    append_to_file("$library/missing", $missing) if $missing ne '';
    foreach my $name ($reader, $fetch)
    {
        is(health($name, 'auto'), $all ? "ok|starts; $message" : "warning|starts; $message|$HINT",
            "$what, auto: what clair.check_health() says of $name");
        is(health($name, 'required'), $all ? "ok|starts; $message" : 'error|' . refusal($name, $missing) . "|$REQUIRED",
            "$what, required: what it says");
        is(health($name, 'off'), "warning|starts; no seccomp, no Landlock|$OFF", "$what, off: what it says");
    }
    foreach my $mode (qw(auto required off))
    {
        my $refused = $mode eq 'required' && !$all;

        query($session, "SET clair.sandbox = $mode");
        is(outcome($session, "SELECT clair.index_image('$image')"),
            $refused ? '0A000: ' . refusal($reader, $missing) . "\nHINT: $REQUIRED" : 'ok', "$what, $mode: an image");
        is(outcome($session, "SELECT clair.fetch_layer('x', 'http://127.0.0.1:1/')"),
            $refused ? '0A000: ' . refusal($fetch, $missing) . "\nHINT: $REQUIRED"
            : '58030: could not fetch "http://127.0.0.1:1/": could not connect to host "127.0.0.1"',
            "$what, $mode: a layer of a web server");
    }
}
unlink "$library/missing";
is(query($session, 'SELECT 1'), '1', 'the session has gone on');
$session->quit;
$node->stop;

done_testing();
