# WebServer: a web server on 127.0.0.1 that does exactly what a test tells it, right or wrong.
#
# start() takes a hash of paths to functions; each gets the connection, the request's headers, how
# often its path has been asked for before and what was posted. Every connection serves one request.
# start_tls() takes a hash of what IO::Socket::SSL is told, and then the same.
package WebServer;

use strict;
use warnings;

use Digest::SHA qw(sha1_hex);
use Fcntl qw(:flock);
use File::Temp;
use IO::Socket::INET;
use POSIX ();

sub start {
    my ($class, %paths) = @_;
    return start_tls($class, undef, %paths);
}

sub start_tls {
    my ($class, $tls, %paths) = @_;
    require IO::Socket::SSL if $tls;
    my $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        Listen    => 64,
        ReuseAddr => 1
    ) or die "could not listen: $!";
    my $log = File::Temp->newdir();
    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        # It stops by itself, should the test be killed.
        alarm($ENV{CLAIR_TEST_LONG} ? 3600 : 300);
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';
        while (my $client = $listener->accept()) {
            next if fork();
            alarm(60);
            if (!$tls || IO::Socket::SSL->start_SSL($client, SSL_server => 1, %$tls)) {
                serve($client, $log->dirname, \%paths);
            }
            close($client);
            POSIX::_exit(0);
        }
        POSIX::_exit(0);
    }
    my $self = { pid => $pid, log => $log, port => $listener->sockport, tls => $tls };
    close($listener);
    return bless $self, $class;
}

sub url {
    my ($self, $path, $host) = @_;
    return sprintf('%s://%s:%d%s', $self->{tls} ? 'https' : 'http', $host // '127.0.0.1', $self->{port},
        $path);
}

# How often a path has been asked for.
sub count {
    my ($self, $path) = @_;
    return -s file_of($self->{log}->dirname, $path) // 0;
}

# The file that has a byte for each request of a path.
sub file_of {
    my ($folder, $path) = @_;
    return "$folder/" . sha1_hex($path);
}

# Notes the request; how often the path was asked for before.
sub note_request {
    my ($folder, $path) = @_;
    my $name = file_of($folder, $path);
    open(my $file, '>>', $name) or die "$name: $!";
    flock($file, LOCK_EX);
    my $before = -s $file;
    print $file '.';
    close($file);
    return $before;
}

sub serve {
    my ($client, $log, $paths) = @_;
    my ($path) = (<$client> // '') =~ m{^(?:GET|POST) (\S+) HTTP/1\.1\r\n$} or return;
    my (%headers, $posted);

    while (my $line = <$client>) {
        last if $line eq "\r\n";
        $headers{ lc $1 } = $2 if $line =~ /^([^:]+):\s*(.*?)\r\n$/;
    }
    read($client, $posted, $headers{'content-length'} // 0);
    my $before = note_request($log, $path);
    my $do = $paths->{$path} // sub { answer($_[0], '404 Not Found', {}, 'nothing here') };
    $do->($client, \%headers, $before, $posted);
}

# Writes a whole answer.
sub answer {
    my ($client, $status, $headers, $body) = @_;
    my %all = ('Content-Length' => length($body), 'Connection' => 'close', %$headers);

    print $client "HTTP/1.1 $status\r\n", map({"$_: $all{$_}\r\n"} sort keys %all), "\r\n", $body;
    $client->flush();
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    # it has the test's handlers of other signals; that of later servers' modules stops the test's server
    kill('KILL', $self->{pid});
    waitpid($self->{pid}, 0);
}

1;
