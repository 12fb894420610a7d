# Certificates: an authority, and certificates of it, for tests of TLS; made by openssl.
package Certificates;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp;

our @EXPORT = qw(make_certificates);

# A folder, which goes with the test, of ca.pem; server.pem for 127.0.0.1 and client.pem, signed by
# that, with server.key and client.key; both.pem, the client's certificate and key; locked.key, that
# key with a pass phrase; other.pem, another authority.
sub make_certificates
{
    my $folder = File::Temp->newdir(UNLINK => 1);

    foreach my $name (qw(ca other))
    {
        openssl($folder, qw(req -x509 -newkey rsa:2048 -nodes -days 30 -subj), "/CN=$name",
            '-keyout', "$name.key", '-out', "$name.pem");
    }
    foreach my $name (qw(server client))
    {
        openssl($folder, qw(req -newkey rsa:2048 -nodes -subj), "/CN=$name", '-keyout', "$name.key",
            '-out', "$name.request");
        write_text("$folder/$name.names", "subjectAltName=IP:127.0.0.1\n");
        openssl($folder, qw(x509 -req -days 30 -CA ca.pem -CAkey ca.key -CAcreateserial -in),
            "$name.request", '-extfile', "$name.names", '-out', "$name.pem");
    }
    openssl($folder, qw(rsa -aes128 -passout pass:open -in client.key -out locked.key));
    write_text("$folder/both.pem", read_text("$folder/client.pem") . read_text("$folder/client.key"));
    return $folder;
}

sub openssl
{
    my ($folder, @arguments) = @_;

    system("cd $folder && openssl @arguments >openssl.log 2>&1") == 0
        or die "openssl @arguments: " . read_text("$folder/openssl.log");
}

sub write_text
{
    my ($name, $text) = @_;

    open(my $file, '>', $name) or die "$name: $!";
    print $file $text;
    close($file);
}

sub read_text
{
    my ($name) = @_;

    open(my $file, '<', $name) or die "$name: $!";
    local $/;
    return scalar <$file>;
}

1;
