#!/usr/bin/perl
# Measures updating from a Debian tracker document of full size (65 MB, 234,240 ranges), over HTTP:
# the first load against COPY of the same rows into the same indexed tables, the document unchanged
# behind its ETag, one package of it changed, and the memory of the reader.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use POSIX ();
use Time::HiRes qw(sleep time);
use WebServer;

my $ROUNDS = 5;
my $folder = $ENV{TMPDIR} // '/tmp';
my $feed   = "$folder/tracker.json";

sub psql
{
    my ($sql) = @_;

    open(my $psql, '-|', 'psql', '-X', '-At', '-q', '-v', 'ON_ERROR_STOP=1', '-c', $sql) or die "psql: $!";
    my $rows = do { local $/; <$psql> } // '';
    close($psql) or die "psql failed: $sql";
    chomp $rows;
    return $rows;
}

sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[ @sorted / 2 ];
}

sub seconds(&)
{
    my ($code) = @_;
    my $since = time();

    $code->();
    return time() - $since;
}

sub result
{
    my ($what, $value, $limit, $unit) = @_;

    printf "result\t%s\t%.3f\t%s\t%s\n", $what, $value, $limit, $unit;
}

# Runs the update, which must end in this state; the seconds that the call takes.
sub update
{
    my ($state) = @_;
    my $got;
    my $seconds = seconds { $got = psql("SELECT state FROM clair.update('debian')") };

    die "the update ended as \"$got\"" if $got ne $state;
    return $seconds;
}

sub read_feed
{
    open(my $handle, '<:raw', $feed) or die "$feed: $!";
    local $/;
    return <$handle>;
}

# The feed's server, which sends the document piece by piece, as cheaply as Perl can.
my $server = WebServer->start(
    '/json' => sub {
        my ($client, $headers) = @_;
        my ($size, $time) = (stat $feed)[7, 9];
        my $etag = "\"$time-$size\"";

        if (($headers->{'if-none-match'} // '') eq $etag)
        {
            WebServer::answer($client, '304 Not Modified', { ETag => $etag }, '');
            return;
        }
        open(my $handle, '<:raw', $feed) or die "$feed: $!";
        syswrite($client,
            "HTTP/1.1 200 OK\r\nETag: $etag\r\nContent-Length: $size\r\nConnection: close\r\n\r\n");
        while (sysread($handle, my $piece, 1 << 20))
        {
            for (my $sent = 0; $sent < length($piece);)
            {
                $sent += syswrite($client, $piece, length($piece) - $sent, $sent) // return;
            }
        }
    });

# Empties the tables of advisories.
sub forget
{
    psql('TRUNCATE clair.update_run, clair.document, clair.record, clair.vulnerability, clair.affected,'
            . ' clair.broken_record, clair.frozen_namespace');
}

# Loads copies of the rows, in the order of the document, into tables like clair's.
sub copy_rows
{
    psql("TRUNCATE floor.$_") foreach qw(record vulnerability affected);
    return seconds {
        psql("COPY floor.$_ FROM '$folder/$_.copy'") foreach qw(record vulnerability affected);
    };
}

# Changes one package of the document.
my $PACKAGE = 'package-02000';
my $urgency = 'high';
sub change_package
{
    my $document = read_feed();

    $document =~ s/"$PACKAGE": .*?"urgency": "\K[^"]*/$urgency/s or die 'nothing to change';
    $urgency = $urgency eq 'high' ? 'low' : 'high';
    open(my $handle, '>:raw', "$feed.new") or die "$feed.new: $!";
    print $handle $document . ' ' x int(rand(1000));
    close($handle);
    rename("$feed.new", $feed) or die "rename: $!";
}

# The greatest resident memory, in MB, of a reader while an update runs.
sub watch_reader
{
    my ($code) = @_;
    my $peak = 0;

    pipe(my $from, my $to) or die "pipe: $!";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0)
    {
        close($from);
        local $SIG{TERM} = sub { print $to $peak; close($to); POSIX::_exit(0) };
        my $parent = getppid();
        while (getppid() == $parent)
        {
            foreach my $file (glob '/proc/[0-9]*/status')
            {
                open(my $status, '<', $file) or next;
                my $text = do { local $/; <$status> } // next;
                next if $text !~ /^Name:\tclair-reader$/m;
                my ($kilobytes) = $text =~ /^VmHWM:\s+(\d+)/m or next;
                $peak = $kilobytes / 1024 if $kilobytes / 1024 > $peak;
            }
            sleep(0.02);
        }
        POSIX::_exit(1);
    }
    close($to);
    $code->();
    kill('TERM', $pid);
    $peak = <$from>;
    waitpid($pid, 0);
    return $peak;
}

print "# generating the document\n";
system("$FindBin::Bin/tracker_json > $feed") == 0 or die 'could not generate the document';
psql("ALTER DATABASE \"$ENV{PGDATABASE}\" SET clair.allow_private_networks = on");
psql("UPDATE clair.updater SET url = '" . $server->url('/json') . "' WHERE name = 'debian'");

print "# first load\n";
my $memory = watch_reader(sub { update('succeeded') });
psql('CREATE SCHEMA floor');
foreach my $table (qw(record vulnerability affected))
{
    my $order = $table eq 'affected' ? 'vulnerability_id, number' : $table eq 'record' ? 'record' : 'id';

    psql("COPY (SELECT * FROM clair.$table ORDER BY $order) TO '$folder/$table.copy'");
    psql("CREATE TABLE floor.$table (LIKE clair.$table INCLUDING ALL)");
}
my @ratios;
foreach (1 .. $ROUNDS)
{
    forget();
    my $load = update('succeeded');
    my $copy = copy_rows();
    printf "# loaded in %.2f s, COPY takes %.2f s\n", $load, $copy;
    push @ratios, $load / $copy;
}
result('full load, against COPY of the same rows', median(@ratios), 2, 'times');
result('memory of the reader', $memory, 64, 'MB');

print "# unchanged\n";
update('unchanged');
result('unchanged, behind its ETag', 1000 * median(map { update('unchanged') } 1 .. $ROUNDS), 150, 'ms');

print "# one package changed, and none\n";
my (@changed, @split);
foreach (1 .. $ROUNDS)
{
    change_package();
    push @changed, update('succeeded');

    # the same document under another ETag is fetched and split, but brings nothing
    psql("UPDATE clair.document SET etag = 'none', last_modified = NULL WHERE updater = 'debian'");
    push @split, update('unchanged');
    printf "# changed: %.3f s, fetched and split: %.3f s\n", $changed[-1], $split[-1];
}
result('one package changed, beyond fetching and splitting', 1000 * (median(@changed) - median(@split)),
    300, 'ms');
