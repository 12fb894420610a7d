#!/usr/bin/perl
# Measures updates from a tracker document of full size: the first, of one package, of nothing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t/lib";

use Bench;
use HelperProcess;
use Time::HiRes qw(time);
use WebServer;

my $DOCUMENT = "$ENV{TMPDIR}/tracker.json";
my $CHANGED  = "$ENV{TMPDIR}/changed.json"; # with one package that is not as in the other
my $SERVED   = "$ENV{TMPDIR}/served.json";  # a link to the one that the server gives
my $ETAG     = "$ENV{TMPDIR}/etag";
my $COPY     = "$ENV{TMPDIR}/copy";
my @TABLES   = qw(record vulnerability affected);

sub read_file
{
    my ($name) = @_;

    open(my $file, '<:raw', $name) or die "$name: $!\n";
    return do { local $/; <$file> };
}

sub write_file
{
    my ($name, $text) = @_;

    open(my $file, '>:raw', $name) or die "$name: $!\n";
    print $file $text;
    close($file) or die "$name: $!\n";
}

sub write_documents
{
    system("$FindBin::Bin/tracker_json >$DOCUMENT") == 0 or die "could not make a document\n";
    my $text = read_file($DOCUMENT);
    $text =~ s/("package-00100": .*?"fixed_version": ")[^"]+/${1}99:1/ or die "nothing to change\n";
    write_file($CHANGED, $text);
}

# From now on the server gives this document, under an ETag that it has never had.
sub serve
{
    my ($document) = @_;

    unlink $SERVED;
    symlink($document, $SERVED) or die "$SERVED: $!\n";
    write_file($ETAG, sprintf '"%f"', time());
}

# Sends it piece by piece, as cheaply as Perl can.
sub answer
{
    my ($client, $headers) = @_;
    my $etag = read_file($ETAG);

    if (($headers->{'if-none-match'} // '') eq $etag)
    {
        WebServer::answer($client, '304 Not Modified', { ETag => $etag }, '');
        return;
    }
    open(my $file, '<:raw', $SERVED) or die "$SERVED: $!\n";
    WebServer::answer($client, '200 OK', { ETag => $etag, 'Content-Length' => -s $file }, '');
    while (sysread($file, my $piece, 1 << 20))
    {
        print $client $piece or return;
    }
}

sub update
{
    my ($state) = @_;
    my $got = query("SELECT state FROM clair.update('debian')");

    $got eq $state or die "the update's state is \"$got\" instead of \"$state\"\n";
}

# A database in which nothing is known.
sub forget_all
{
    my ($server) = @_;

    query('DROP EXTENSION IF EXISTS clair CASCADE');
    query('CREATE EXTENSION clair');
    query(sprintf q{UPDATE clair.updater SET url = '%s' WHERE name = 'debian'}, $server->url('/json'));
    query('CHECKPOINT');
}

# Fills the tables from the files that copy_out() has made, in one transaction, as an update does.
sub copy_in
{
    query(join ';', 'BEGIN', map({ "COPY clair.$_ FROM '$COPY.$_'" } @TABLES), 'COMMIT');
}

# In the order of the document, as its rows would come without an update.
sub copy_out
{
    my %order = (affected => 'vulnerability_id, number');

    query("COPY (SELECT * FROM clair.$_ ORDER BY " . ($order{$_} // '1, 2') . ") TO '$COPY.$_'") foreach @TABLES;
}

# Does what an update cannot do without: clair-fetch fetches the document, and clair-reader splits it
# and is told that every record is known. No server takes part.
sub fetch_and_split
{
    my ($url) = @_;
    my $name = "$ENV{TMPDIR}/fetched.json";
    open(my $file, '+>', $name) or die "$name: $!\n";

    my $fetch = HelperProcess->start("$ENV{CLAIR_HELPERS}/clair-fetch");
    $fetch->send_frame('j', [ allow_private_networks => 'true' ]);
    $fetch->send_frame('t', [ 0, $url, undef, undef, 1 << 32, undef ], $file);
    $fetch->send_frame('s');
    1 while $fetch->receive(60)->{type} ne 'D';

    my $reader = HelperProcess->start("$ENV{CLAIR_HELPERS}/clair-reader");
    $reader->send_frame('j', [ job => 'update', updater => 'debian' ]);
    $reader->send_frame('d', [ json => $url ], $file);
    $reader->send_frame('s');
    while (my $frame = $reader->receive(60))
    {
        $reader->send_frame('k', [ ('') x @{ $frame->{fields} } ]) if $frame->{type} eq 'K';
        die "clair-reader failed: $frame->{fields}[1]\n" if $frame->{type} eq 'E';
        last if $frame->{type} eq 'D';
    }
}

write_documents();
printf "document: %.1f MB\n", (-s $DOCUMENT) / 1e6;
serve($DOCUMENT);
my $server = WebServer->start('/json' => \&answer);
query(qq{ALTER DATABASE "$ENV{PGDATABASE}" SET clair.allow_private_networks = on});

# Once, for the caches and for the rows.
forget_all($server);
my $peak = peak_of_readers(sub { update('succeeded') });
copy_out();
print query('SELECT count(*) FROM clair.vulnerability') . ' vulnerabilities, '
    . query('SELECT count(*) FROM clair.affected') . " ranges\n";

# Wall and CPU seconds, in a session that is as new as a worker is. What the worker and its helpers
# have computed is counted as the server's once they have ended.
my $POSTMASTER = postmaster();
sub cost
{
    my ($function) = @_;

    forget_all($server);
    reconnect();
    my $backend = backend();
    my $before  = cpu_of($POSTMASTER) + cpu_of($backend);
    my $seconds = timed($function);
    return { wall => $seconds, cpu => cpu_of($POSTMASTER) + cpu_of($backend) - $before };
}

my ($copy, $first) = in_turn(5, sub { cost(\&copy_in) }, sub { cost(sub { update('succeeded') }) });
my %ratio;
foreach my $time ('cpu', 'wall')
{
    show("COPY of the rows into the indexed tables, $time", 's', map { $_->{$time} } @$copy);
    show("the first update, worker and helpers, $time", 's', map { $_->{$time} } @$first);
    $ratio{$time} = paired(sub { $_[0]{$time} / $_[1]{$time} }, $first, $copy);
}
printf "the first update, CPU over that of COPY: %.3g\n", $ratio{cpu};
result('first update, wall over that of COPY', $ratio{wall}, 2, 'x');
result('first update, peak memory of the reader', $peak, 64, 'MB');

my ($unchanged) = in_turn(9, sub { timed(sub { update('unchanged') }) });
show('an update when the ETag is the same', 's', @$unchanged);
result('unchanged document', 1000 * median(@$unchanged), 150, 'ms');

# Each time it is the other document; between, the same one again, as if it were another.
my @documents = ($CHANGED, $DOCUMENT);
my ($one, $none, $floor) = in_turn(8,
    sub { serve($documents[0]); timed(sub { update('succeeded') }) },
    sub { serve($documents[0]); @documents = reverse @documents; timed(sub { update('unchanged') }) },
    sub { timed(sub { fetch_and_split($server->url('/json')) }) });
show('fetching and splitting the document', 's', @$floor);
show('an update when another document says the same', 's', @$none);
show('an update when one package has changed', 's', @$one);
result('one package changed, beyond fetching and splitting', paired(sub { $_[0] - $_[1] }, $one, $floor),
    0.3, 's');
