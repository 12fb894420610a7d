# Bench: what the benchmarks share: a session, a statement's time and plan, what processes cost.
package Bench;

use strict;
use warnings;

use Exporter qw(import);
use IPC::Open2;
use List::Util qw(max sum);
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(query reconnect backend postmaster timed execution_ms plan cpu_of cpu_of_children cpu_of_command peak_of_readers
    in_turn show median paired result skip);

use constant MARK => '-- the answer ends here --';

# Of a second, in /proc/PID/stat.
use constant TICKS => POSIX::sysconf(POSIX::_SC_CLK_TCK);

$| = 1;

# ---------------------------------------------------------------------------
# One session of psql, started by the first query
# ---------------------------------------------------------------------------

my ($psql, $from_psql, $to_psql);

# The lines of a query's answer; in scalar context all of them as one text. An error ends it all.
sub query
{
    my ($sql) = @_;
    my @lines;

    $psql = open2($from_psql, $to_psql, qw(psql -XqAt -v ON_ERROR_STOP=1 -f -)) if !defined $psql;
    print $to_psql "$sql;\n\\echo ", MARK, "\n";
    $to_psql->flush();
    while (defined(my $line = <$from_psql>))
    {
        chomp($line);
        return wantarray ? @lines : join("\n", @lines) if $line eq MARK;
        push @lines, $line;
    }
    die "the session has ended\n";
}

# Lets the next query begin another session.
sub reconnect
{
    close($to_psql);
    waitpid($psql, 0);
    undef $psql;
}

# The process of the session's server.
sub backend
{
    return scalar query('SELECT pg_backend_pid()');
}

# The process that the server's others are children of.
sub postmaster
{
    open(my $status, '<', '/proc/' . backend() . '/status') or die "status: $!\n";
    return (join('', <$status>) =~ /^PPid:\t(\d+)$/m)[0];
}

# How many seconds a query, or a function, takes as its caller sees it.
sub timed
{
    my ($what) = @_;
    my $since = time();

    ref $what ? $what->() : query($what);
    return time() - $since;
}

# How many milliseconds the server executes a statement, without planning and sending.
sub execution_ms
{
    my ($sql) = @_;

    return query("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) $sql") =~ /Execution Time: ([0-9.]+) ms/
        ? $1
        : die "no time in the plan\n";
}

# Prints how the server executes a statement.
sub plan
{
    my ($what, $sql) = @_;

    print "plan of $what:\n", map { "    $_\n" } query("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) $sql");
}

# ---------------------------------------------------------------------------
# What processes cost
# ---------------------------------------------------------------------------

# Seconds that a process has computed, in user mode and in the kernel; then those of its children that
# have ended.
sub cpu_times
{
    my ($pid) = @_;

    open(my $stat, '<', "/proc/$pid/stat") or die "/proc/$pid/stat: $!\n";
    return map { $_ / TICKS } (split / /, <$stat> =~ s/^.*\) //sr)[ 11 .. 14 ];
}

# Seconds that a process has computed, with its children that have ended.
sub cpu_of
{
    return sum(cpu_times(@_));
}

# Seconds that its children have computed that have ended.
sub cpu_of_children
{
    return sum((cpu_times(@_))[ 2, 3 ]);
}

# Seconds that a command computes; what it prints is thrown away.
sub cpu_of_command
{
    my @command = @_;
    my (undef, undef, @before) = times();
    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0)
    {
        open(STDOUT, '>', '/dev/null') or die "/dev/null: $!\n";
        exec(@command) or die "$command[0]: $!\n";
    }
    waitpid($pid, 0);
    die "$command[0] failed\n" if $? != 0;
    my (undef, undef, @after) = times();
    return $after[0] + $after[1] - $before[0] - $before[1];
}

sub children_of
{
    my ($pid) = @_;

    open(my $children, '<', "/proc/$pid/task/$pid/children") or return;
    return split / /, <$children> // '';
}

# The greatest memory, in MB, that the readers of any backend of this server have held so far.
sub look_at_readers
{
    my ($server) = @_;
    my $peak = 0;

    foreach my $pid (map { children_of($_) } children_of($server))
    {
        open(my $file, '<', "/proc/$pid/status") or next;
        my $status = join '', <$file>;
        $peak = max($peak, $1 / 1024)
            if $status =~ /^Name:\tclair-reader$/m && $status =~ /^VmHWM:\s*(\d+) kB$/m;
    }
    return $peak;
}

# The most resident memory, in MB, that a clair-reader of this server takes while a function runs.
sub peak_of_readers
{
    my ($function) = @_;
    my $server = postmaster();
    my $parent = $$;
    pipe(my $reading, my $writing) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if ($pid == 0)
    {
        my ($peak, $ended) = (0, 0);
        local $SIG{TERM} = sub { $ended = 1 };
        while (!$ended && getppid() == $parent)
        {
            $peak = max($peak, look_at_readers($server));
            sleep(0.002);
        }
        syswrite($writing, $peak);
        POSIX::_exit(0);
    }
    close($writing);
    $function->();
    kill('TERM', $pid);
    my $peak = <$reading>;
    waitpid($pid, 0);
    return $peak || die "no reader was seen\n";
}

# ---------------------------------------------------------------------------
# Figures
# ---------------------------------------------------------------------------

sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# Prints "what: median (least-greatest) unit" of some figures.
sub show
{
    my ($what, $unit, @figures) = @_;
    my @sorted = sort { $a <=> $b } @figures;

    printf "%s: %.4g (%.4g-%.4g) %s\n", $what, median(@sorted), $sorted[0], $sorted[-1], $unit;
}

# Calls functions so many times in turn; for each, a reference to what it returned.
sub in_turn
{
    my ($count, @functions) = @_;
    my @figures;

    foreach (1 .. $count)
    {
        push @{ $figures[$_] }, $functions[$_]->() foreach 0 .. $#functions;
    }
    return @figures;
}

# The median of what a function makes of each pair that two lists have at the same place: the two were
# measured one after the other, so that whatever else the machine did then weighs on both.
sub paired
{
    my ($function, $figures, $floors) = @_;

    return median(map { $function->($figures->[$_], $floors->[$_]) } 0 .. $#$figures);
}

# A figure and its limit, for the table at the end.
sub result
{
    my ($what, $value, $limit, $unit) = @_;

    printf "result\t%s\t%.4g\t%s\t%s\n", $what, $value, $limit, $unit;
}

sub skip
{
    my ($reason) = @_;

    print "# SKIP: $reason\n";
    exit 0;
}

1;
