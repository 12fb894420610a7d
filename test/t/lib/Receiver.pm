# Receiver: a web server that remembers what is posted to it; see WebServer.
#
# Every path that start() is given answers as its function says; what was posted is noted before.
# Each post is a hash: path, headers, body (decoded), text (of the body), time.
package Receiver;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_base64);
use Exporter qw(import);
use Fcntl qw(:flock);
use File::Temp;
use JSON::PP;
use Time::HiRes qw(time);
use WebServer;

our @EXPORT = qw(is_signed);

sub start
{
    my ($class, %paths) = @_;

    return start_tls($class, undef, %paths);
}

sub start_tls
{
    my ($class, $tls, %paths) = @_;
    my $file = File::Temp->new();
    my $name = $file->filename;
    my %noting;

    foreach my $path (keys %paths)
    {
        $noting{$path} = sub {
            my ($client, $headers, $before, $text) = @_;

            note_post($name, { path => $path, headers => $headers, text => $text, time => time() });
            $paths{$path}->($client, $headers, $before, $text);
        };
    }
    return bless { file => $file, server => WebServer->start_tls($tls, %noting) }, $class;
}

sub note_post
{
    my ($name, $post) = @_;

    open(my $file, '>>', $name) or die "$name: $!";
    flock($file, LOCK_EX);
    print $file encode_json($post), "\n";
    close($file);
}

sub url
{
    my ($self, @arguments) = @_;

    return $self->{server}->url(@arguments);
}

# How much has been posted to a path.
sub count
{
    my ($self, $path) = @_;

    return $self->{server}->count($path);
}

# What has been posted, in the order in which it came; to one path, or to any.
sub posts
{
    my ($self, $path) = @_;
    my @posts;

    open(my $file, '<', $self->{file}->filename) or die $!;
    while (my $line = <$file>)
    {
        next if defined $path && index($line, "\"path\":\"$path\"") < 0;
        my $post = decode_json($line);
        $post->{body} = decode_json($post->{text});
        push @posts, $post;
    }
    return @posts;
}

# Whether a post has the signature that the secret makes, and was signed just then.
sub is_signed
{
    my ($post, $key) = @_;
    my %headers = %{ $post->{headers} };
    my $signature = hmac_sha256_base64(
        join('.', $headers{'webhook-id'}, $headers{'webhook-timestamp'}, $post->{text}), $key);

    $signature .= '=' while length($signature) % 4;
    return ($headers{'webhook-signature'} // '') eq "v1,$signature"
        && abs($headers{'webhook-timestamp'} - $post->{time}) < 5;
}

1;
