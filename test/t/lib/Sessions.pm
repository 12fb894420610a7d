# Sessions: many sessions that work on, in one process of their own, and tell whether anything ever
# disturbed them.
#
# Each session is of a kind: a hash of statements to begin with, a function that says which statement
# comes next and what it must answer, and statements to end with. What a statement answers are its
# columns, separated by "|", and its rows by line feeds; undef: that does not matter. To every answer
# the session adds the number of its server process, which must stay. The sessions speak PostgreSQL's
# protocol over a Unix socket that trusts its user, as test servers have it.
package Sessions;

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

# Seconds between two statements of a session: so many sessions share few processors.
use constant PAUSE => 1;

# Statements that each session still answers after it is told to stop.
use constant LAST_STATEMENTS => 3;

# Starts sessions, given the server's host, port, user and database, and the kinds, a session each;
# returns when all of them have begun.
sub start
{
    my ($class, $where, @kinds) = @_;

    pipe(my $told, my $tell) or die "pipe: $!";
    pipe(my $hear, my $said) or die "pipe: $!";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0)
    {
        close($tell);
        close($hear);
        $said->autoflush(1);
        my $report = eval { work($where, $told, $said, @kinds) } // { wrong => [ "$@" ], statements => [] };
        print $said encode_json($report), "\n";
        POSIX::_exit(0);
    }
    my $self = bless { pid => $pid, tell => $tell, hear => $hear }, $class;
    chomp(my $word = <$hear> // '');
    die "the sessions do not begin: $word\n" if $word ne 'begun';
    return $self;
}

# Lets the sessions end: a hash of what was wrong, in words, and of how many statements each answered.
sub stop
{
    my ($self) = @_;

    print { $self->{tell} } "stop\n";
    close($self->{tell});
    my $handle = $self->{hear};
    my $line = <$handle>;
    waitpid($self->{pid}, 0);
    $self->{pid} = 0;
    return defined $line ? decode_json($line) : { wrong => ['the sessions said nothing'], statements => [] };
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $!);

    return if !$self->{pid};
    kill('KILL', $self->{pid});
    waitpid($self->{pid}, 0);
}

# ---------------------------------------------------------------------------
# In the process of the sessions
# ---------------------------------------------------------------------------

sub work
{
    my ($where, $told, $said, @kinds) = @_;
    my (@wrong, %by_socket);
    my @sessions = map { connect_one($where, $kinds[$_], $_) } 0 .. $#kinds;
    my $select = IO::Select->new($told);

    foreach my $session (@sessions)
    {
        ($session->{backend}) = ask($session, 'SELECT pg_backend_pid()') =~ /^(\d+)$/
            or die "a session does not begin: $session->{error}\n";
        foreach my $statement ($session->{kind}{begin}->($session))
        {
            ask($session, $statement);
            die "$statement: $session->{error}\n" if $session->{error} ne '';
        }
        $by_socket{ fileno($session->{socket}) } = $session;
        $select->add($session->{socket});
        $session->{due} = time() + PAUSE * rand();
    }
    print $said "begun\n";

    my $left;
    until (defined $left && $left == 0)
    {
        my $now = time();

        foreach my $session (grep { !$_->{waits} && $_->{due} <= $now } @sessions)
        {
            next if defined $left && $session->{last} <= 0;
            ($session->{statement}, $session->{expected}) = $session->{kind}{next}->($session);
            send_query($session, $session->{statement});
            $session->{waits} = 1;
        }
        foreach my $ready ($select->can_read(0.02))
        {
            if ($ready == $told)
            {
                $_->{last} = LAST_STATEMENTS foreach @sessions;
                $left = @sessions;
                $select->remove($told);
                next;
            }
            my $session = $by_socket{ fileno($ready) };
            if (!sysread($ready, $session->{input}, 65536, length $session->{input}))
            {
                die "the server has ended session $session->{number}, $session->{kind}{name}\n";
            }
            my $answer = take_answer($session) // next;
            judge($session, $answer, \@wrong);
            $session->{waits} = 0;
            $session->{due} = time() + PAUSE;
            $left-- if defined $left && --$session->{last} == 0;
        }
    }
    foreach my $session (@sessions)
    {
        my @end = $session->{kind}{end} ? $session->{kind}{end}->($session) : ();

        while (my ($statement, $expected) = splice(@end, 0, 2))
        {
            @$session{qw(statement expected)} = ($statement, $expected);
            judge($session, ask($session, $statement), \@wrong);
        }
        judge_process($session, \@wrong);
    }
    return { wrong => \@wrong, statements => [ map { $_->{count} } @sessions ] };
}

sub judge
{
    my ($session, $answer, $wrong) = @_;

    $session->{count}++;
    return if $session->{error} eq '' && (!defined $session->{expected} || $answer eq $session->{expected});
    push @$wrong, "session $session->{number}, $session->{kind}{name}: $session->{statement}: "
        . ($session->{error} ne '' ? $session->{error} : "\"$answer\", not \"$session->{expected}\"")
        if @$wrong < 10;
}

# That the same process serves the session still.
sub judge_process
{
    my ($session, $wrong) = @_;

    @$session{qw(statement expected)} = ('SELECT pg_backend_pid()', $session->{backend});
    judge($session, ask($session, $session->{statement}), $wrong);
}

sub connect_one
{
    my ($where, $kind, $number) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => "$where->{host}/.s.PGSQL.$where->{port}")
        or die "could not connect: $!\n";
    my $session = { socket => $socket, kind => $kind, number => $number, input => '', count => 0, last => 0 };
    my $startup = pack('N', 196608) . join('', map { "$_\0" } user => $where->{user},
        database => $where->{database}, application_name => "session $number", '');

    $socket->syswrite(pack('N', 4 + length $startup) . $startup);
    wait_for_answer($session);
    die "could not connect: $session->{error}\n" if $session->{error} ne '';
    return $session;
}

sub send_query
{
    my ($session, $statement) = @_;
    my $message = "$statement\0";

    $message = 'Q' . pack('N', 4 + length $message) . $message;
    $session->{socket}->syswrite($message) == length $message or die "could not send: $!\n";
}

sub ask
{
    my ($session, $statement) = @_;

    send_query($session, $statement);
    return wait_for_answer($session);
}

sub wait_for_answer
{
    my ($session) = @_;

    for (;;)
    {
        my $answer = take_answer($session);
        return $answer if defined $answer;
        sysread($session->{socket}, $session->{input}, 65536, length $session->{input})
            or die "the server has ended session $session->{number}\n";
    }
}

# The answer, once all of it has come; the error is in the session.
sub take_answer
{
    my ($session) = @_;
    my $input = \$session->{input};

    while (length($$input) >= 5 && length($$input) > unpack('x N', $$input))
    {
        my ($type, $size) = unpack('a N', $$input);
        my $body = substr(substr($$input, 0, 1 + $size, ''), 5);

        if (!$session->{rows})
        {
            $session->{rows} = [];
            $session->{error} = '';
        }
        if ($type eq 'D')
        {
            push @{ $session->{rows} }, join '|', map { $_ // '' } columns($body);
        }
        elsif ($type eq 'E')
        {
            $session->{error} = join ' ', map { /^[CM](.*)/s ? $1 : () } split /\0/, $body;
        }
        elsif ($type eq 'Z')
        {
            return join "\n", @{ delete $session->{rows} };
        }
    }
    return undef;
}

sub columns
{
    my ($body) = @_;
    my $count = unpack('n', substr($body, 0, 2, ''));
    my @columns;

    for (1 .. $count)
    {
        my $size = unpack('N', substr($body, 0, 4, ''));
        push @columns, $size == 0xFFFFFFFF ? undef : substr($body, 0, $size, '');
    }
    return @columns;
}

1;
