#!/usr/bin/perl
# Measures updates from a tracker document of full size: the first, of one package, of nothing. Given the
# name of another updater, the first one and reading alone, from documents of its shape: redhat.
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
my @TABLES   = qw(record scope vulnerability affected);
my $UPDATER  = $ARGV[0] // 'debian';
my $ARCHIVE  = 'csaf_vex_2031-01-01.tar.zst';

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

# The archive of documents that are made up, of so many MB.
sub write_archive
{
    my ($megabytes) = @_;

    my $made = `$FindBin::Bin/csaf_archive $megabytes $ENV{TMPDIR}/$ARCHIVE`;
    $made =~ /^(\d+) documents/ or die "could not make an archive\n";
    print "archive: $made";
    write_file("$ENV{TMPDIR}/archive_latest.txt", "$ARCHIVE\n");
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
    my $got = query("SELECT state FROM clair.update('$UPDATER')");

    $got eq $state or die "the update's state is \"$got\" instead of \"$state\"\n";
}

# A database in which nothing is known.
sub forget_all
{
    my ($url) = @_;

    query('DROP EXTENSION IF EXISTS clair CASCADE');
    query('CREATE EXTENSION clair');
    query("UPDATE clair.updater SET url = '$url' WHERE name = '$UPDATER'");
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

# Has clair-reader read a document, and tells it that all of its records are known, or none. No server
# takes part; rows are thrown away.
sub read_document
{
    my ($name, $url, $file, $known) = @_;
    my $reader = HelperProcess->start("$ENV{CLAIR_HELPERS}/clair-reader");

    $reader->send_frame('j', [ job => 'update', updater => $UPDATER ]);
    $reader->send_frame('d', [ $name => $url ], $file);
    $reader->send_frame('s');
    while (my $frame = $reader->receive(60))
    {
        $reader->send_frame('k', [ ($known ? '' : undef) x @{ $frame->{fields} } ]) if $frame->{type} eq 'K';
        die "clair-reader failed: $frame->{fields}[1]\n" if $frame->{type} eq 'E';
        last if $frame->{type} eq 'D';
    }
    $reader->ended();
}

# Does what an update cannot do without: clair-fetch fetches the document, and clair-reader splits it
# and is told that every record is known.
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
    read_document('json', $url, $file, 1);
}

# The CPU seconds of reading the archive, with all that its documents say.
sub cost_of_reading
{
    my $before = cpu_of_children($$);
    open(my $file, '<', "$ENV{TMPDIR}/$ARCHIVE") or die "$ARCHIVE: $!\n";

    read_document('archive', "https://x/$ARCHIVE", $file, 0);
    return cpu_of_children($$) - $before;
}

my ($server, $url);
if ($UPDATER eq 'redhat')
{
    write_archive(250);
    $url = "file://$ENV{TMPDIR}/archive_latest.txt";
}
else
{
    write_documents();
    printf "document: %.1f MB\n", (-s $DOCUMENT) / 1e6;
    serve($DOCUMENT);
    $server = WebServer->start('/json' => \&answer);
    $url    = $server->url('/json');
    query(qq{ALTER DATABASE "$ENV{PGDATABASE}" SET clair.allow_private_networks = on});
}

# Once, for the caches and for the rows.
forget_all($url);
my $peak = peak_of_readers(sub { update('succeeded') });
copy_out();
my $ranges = query('SELECT count(*) FROM clair.affected');
my $bytes  = query('SELECT sum(pg_total_relation_size(oid)) FROM pg_class'
    . " WHERE oid IN ('clair.vulnerability'::regclass, 'clair.affected'::regclass, 'clair.scope'::regclass)");
print query('SELECT count(*) FROM clair.vulnerability') . " vulnerabilities, $ranges ranges\n";

# Wall and CPU seconds, in a session that is as new as a worker is. What the worker and its helpers
# have computed is counted as the server's once they have ended.
my $POSTMASTER = postmaster();
sub cost
{
    my ($function) = @_;

    forget_all($url);
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
printf "the first update, ranges a second: %.0f, COPY: %.0f\n",
    map { $ranges / median(map { $_->{wall} } @$_) } $first, $copy;
result('first update, peak memory of the reader', $peak, 64, 'MB');
if ($UPDATER eq 'redhat')
{
    my ($floor, $reading) = in_turn(5,
        sub { cpu_of_command("$FindBin::Bin/archive_floor", "$ENV{TMPDIR}/$ARCHIVE") }, \&cost_of_reading);

    show('libarchive and json-c, CPU', 's', @$floor);
    show('clair-reader, all that the documents say, CPU', 's', @$reading);
    result('reading an archive, CPU over that of libarchive and json-c',
        paired(sub { $_[0] / $_[1] }, $reading, $floor), 1.2, 'x');
    result('first update, CPU over that of COPY and of these',
        paired(sub { $_[0]{cpu} / $_[1] }, $first, [ map { $copy->[$_]{cpu} + $floor->[$_] } 0 .. $#$copy ]),
        1.5, 'x');
    result('bytes of a range, with its share of all that belongs to it', $bytes / $ranges, 400, 'B');
    exit 0;
}
result('first update, wall over that of COPY', $ratio{wall}, 2, 'x');

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
