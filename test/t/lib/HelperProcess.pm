# HelperProcess: starts a helper as the server does and speaks frames with it.
#
# The frames are those of src/common/wire.h. Descriptors are sent with SCM_RIGHTS, for which
# plain Perl has only syscall(); hence the packed structures, of 64-bit Linux.
package HelperProcess;

use strict;
use warnings;

use Config;
use Fcntl;
use IO::Select;
use POSIX qw(:sys_wait_h);
use Socket;
use Time::HiRes qw(time sleep);

use constant {
    NULL        => 0xFFFFFFFF,
    WIRE_SOCKET => 3,
};

my %SENDMSG = (x86_64 => 46, aarch64 => 211);

# The path of a helper or of a test program, as make leaves it; CLAIR_HELPERS names another place.
sub program_path {
    my ($name) = @_;

    my ($folder) = grep { -x "$_/clair-reader" } $ENV{CLAIR_HELPERS} // (),
        'build/isal', 'build/zlib';
    return defined $folder ? "$folder/$name" : undef;
}

# Starts a program with the socket as descriptor 3. Options: stdin, a file handle; inherited, a
# file handle that the program gets as a descriptor above 3.
sub start {
    my ($class, $program, %options) = @_;
    my @arguments = @{ $options{arguments} // [] };

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        my $stdin = $options{stdin};
        if (!defined $stdin) {
            open($stdin, '<', '/dev/null') or die;
        }
        my $spare = POSIX::dup2(fileno($options{inherited}), 20) if $options{inherited};
        my $socket = POSIX::dup(fileno($theirs));
        POSIX::dup2(fileno($stdin), 0);
        if ($socket == WIRE_SOCKET) {
            fcntl($theirs, F_SETFD, 0);
        }
        POSIX::dup2($socket, WIRE_SOCKET) if $socket != WIRE_SOCKET;
        %ENV = ();
        exec { $program } $program, @arguments or POSIX::_exit(127);
    }
    close($theirs);
    return bless { pid => $pid, socket => $ours, input => '' }, $class;
}

sub frame {
    my ($type, @fields) = @_;
    my $body = join('', map { defined $_ ? pack('L/a*', $_) : pack('L', NULL) } @fields);

    return pack('LLCCS', length($body), scalar(@fields), ord($type), 0, 0) . $body;
}

# Sends bytes, with a descriptor beside the first of them.
sub send_with_descriptor {
    my ($self, $bytes, $descriptor) = @_;
    my $number = $SENDMSG{ (split /-/, $Config{archname})[0] }
        // die "no sendmsg() for $Config{archname}";
    my $vector  = pack('PQ', $bytes, length($bytes));
    my $control = pack('Qiiix4', 20, SOL_SOCKET, 1, $descriptor);
    my $message = pack('QLx4PQPQix4', 0, 0, $vector, 1, $control, length($control), 0);

    syscall($number, fileno($self->{socket}), $message, 0) == length($bytes)
        or die "sendmsg: $!";
}

# Sends a frame: its type, its fields and, perhaps, a file handle whose descriptor goes along.
sub send_frame {
    my ($self, $type, $fields, $handle) = @_;
    my $frame = frame($type, @{ $fields // [] });

    if (defined $handle) {
        $self->send_with_descriptor($frame, fileno($handle));
    }
    else {
        $self->send_bytes($frame);
    }
}

sub send_bytes {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';

    while (length($bytes) > 0) {
        my $sent = syswrite($self->{socket}, $bytes) or return 0;
        substr($bytes, 0, $sent, '');
    }
    return 1;
}

# The next frame, as a hash of type, tag and fields; undef at the end or after the timeout.
sub receive {
    my ($self, $timeout) = @_;
    my $until = time() + ($timeout // 10);

    for (;;) {
        if (length($self->{input}) >= 12) {
            my ($size, $count, $type, $tag) = unpack('LLCC', $self->{input});
            if (length($self->{input}) >= 12 + $size) {
                my $body = substr($self->{input}, 12, $size);
                substr($self->{input}, 0, 12 + $size, '');
                return { type => chr($type), tag => $tag, fields => [ fields($body, $count) ] };
            }
        }
        my $left = $until - time();
        return undef if $left <= 0 || !IO::Select->new($self->{socket})->can_read($left);
        sysread($self->{socket}, $self->{input}, 65536, length($self->{input})) or return undef;
    }
}

sub fields {
    my ($body, $count) = @_;
    my @fields;

    for (1 .. $count) {
        my $size = unpack('L', substr($body, 0, 4, ''));
        push @fields, $size == NULL ? undef : substr($body, 0, $size, '');
    }
    return @fields;
}

# The next frame that is not about progress.
sub answer {
    my ($self, $timeout) = @_;
    my $until = time() + ($timeout // 20);

    while (defined(my $frame = $self->receive($until - time()))) {
        return $frame if $frame->{type} ne 'P';
    }
    return undef;
}

sub close_socket {
    my ($self) = @_;
    close($self->{socket});
}

# The wait status of the process, once it has ended; undef when it still runs after the timeout.
sub ended {
    my ($self, $timeout) = @_;
    my $until = time() + ($timeout // 5);

    while (!defined $self->{status}) {
        if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
            $self->{status} = $?;
        }
        elsif (time() > $until) {
            return undef;
        }
        else {
            sleep(0.005);
        }
    }
    return $self->{status};
}

# No test leaves a process behind.
sub DESTROY {
    my ($self) = @_;

    return if defined $self->{status};
    local ($?, $!);
    kill('KILL', $self->{pid});
    waitpid($self->{pid}, 0);
}

1;
