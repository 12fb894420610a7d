# Listener: a client that waits for NOTIFY, and says when each came; psql looks only when it is asked.
#
# It speaks PostgreSQL's protocol over a Unix socket that trusts its user, as test servers have it.
package Listener;

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

sub new
{
    my ($class, %where) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => "$where{host}/.s.PGSQL.$where{port}") or die "could not connect: $!\n";
    my $self   = bless { socket => $socket, input => '' }, $class;
    my $startup = pack('N', 196608)
        . join('', map { "$_\0" } user => $where{user}, database => $where{database}, '');

    print $socket pack('N', 4 + length $startup), $startup;
    $socket->flush();
    $self->until_ready();
    return $self;
}

# The type and the body of the next message; nothing when there is none in so many seconds.
sub message
{
    my ($self, $seconds) = @_;
    my $until = time() + $seconds;

    until (length($self->{input}) >= 5 && length($self->{input}) > unpack('x N', $self->{input}))
    {
        my $left = $until - time();
        return if $left <= 0 || !IO::Select->new($self->{socket})->can_read($left);
        sysread($self->{socket}, $self->{input}, 65536, length $self->{input}) or die "the server is gone\n";
    }
    my ($type, $size) = unpack('a N', $self->{input});
    return ($type, substr(substr($self->{input}, 0, 1 + $size, ''), 5));
}

sub until_ready
{
    my ($self) = @_;

    while (my ($type, $body) = $self->message(30))
    {
        die "the server says: $body\n" if $type eq 'E';
        push @{ $self->{heard} }, [ time(), $body ] if $type eq 'A';
        return if $type eq 'Z';
    }
    die "the server says nothing\n";
}

sub listen
{
    my ($self, @channels) = @_;
    my $query = join('; ', map { "LISTEN $_" } @channels) . "\0";

    $self->{socket}->print('Q', pack('N', 4 + length $query), $query);
    $self->{socket}->flush();
    $self->until_ready();
}

# The next notification: when it came, its channel and payload; nothing when none comes in so many seconds.
sub next
{
    my ($self, $seconds) = @_;
    my $until = time() + $seconds;

    while (!@{ $self->{heard} // [] })
    {
        my ($type, $body) = $self->message($until - time()) or return;
        push @{ $self->{heard} }, [ time(), $body ] if $type eq 'A';
    }
    my ($time, $body) = @{ shift @{ $self->{heard} } };
    return ($time, unpack('x4 Z* Z*', $body));
}

1;
