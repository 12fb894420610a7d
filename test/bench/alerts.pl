#!/usr/bin/perl
# Measures what announcing adds to a run, how soon a listening client knows, and taking 10,000 alerts.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t/lib";

use Bench;
use JSON::PP;
use Listener;

my $DOCUMENT = "$ENV{TMPDIR}/tracker.json";
my $COUNT    = 10000;

# 10,000 images over 500 package databases of 100 packages each, of 400.
query($_) foreach split /;\n/, <<'SQL';
INSERT INTO clair.package_database (content, namespace, format)
SELECT 'sha256:' || i, 'debian:12', 'dpkg' FROM generate_series(1, 500) AS i;
INSERT INTO clair.feature (database_id, number, namespace, name, version, source_name, source_version, architecture)
SELECT d.id, n, d.namespace, 'lib-' || p.package, p.version, p.package, p.version, 'amd64'
FROM clair.package_database AS d, generate_series(0, 99) AS n,
    LATERAL (SELECT 'package-' || ((n + d.id * 3) % 400) AS package, clair.dpkg('1.' || n) AS version) AS p;
INSERT INTO clair.image (digest, platform, namespace, status)
SELECT 'sha256:' || i, 'linux/amd64', 'debian:12', 'ok' FROM generate_series(1, 10000) AS i;
INSERT INTO clair.image_name (name, image_id) SELECT 'shop/web:' || id, id FROM clair.image;
INSERT INTO clair.image_database (image_id, position, path, location, database_id)
SELECT i.id, 1, 'var/lib/dpkg/status', 'var/lib/dpkg/status', d.id
FROM clair.image AS i
    JOIN clair.package_database AS d ON d.content = 'sha256:' || (1 + i.id % 500);
VACUUM ANALYZE
SQL

# Vulnerabilities of packages that images have, and as many of packages that none has; one of its own.
my %severity = (package => 'low', absent => 'low', single => 'low');

sub run
{
    my ($what) = @_;
    my %feed;

    $severity{$what} = $severity{$what} eq 'low' ? 'high' : 'low';
    foreach my $name (qw(package absent))
    {
        $feed{ "$name-" . $_ % 50 }{ sprintf 'CVE-2031-%s%05d', $name, $_ }
            = { description => 'text', releases => { bookworm => { status => 'open', urgency => $severity{$name} } } }
            foreach 1 .. $COUNT;
    }
    $feed{'package-60'}{'CVE-2031-1'}
        = { releases => { bookworm => { status => 'open', urgency => $severity{single} } } };
    open(my $file, '>', $DOCUMENT) or die "$DOCUMENT: $!\n";
    print $file JSON::PP->new->canonical->encode(\%feed);
    close($file) or die "$DOCUMENT: $!\n";
    my $seconds = timed(q{SELECT clair.update('debian')});

    # What is told already is not taken back silently when the next run undoes it.
    query('SELECT clair.acknowledge_until(name, 1000000000) FROM clair.consumer') if $what ne 'package';
    return $seconds;
}

query("UPDATE clair.updater SET url = 'file://$DOCUMENT', options = '{\"max_shrinkage\": 100}' WHERE name = 'debian'");
query("SELECT clair.create_consumer('everything'), clair.create_consumer('shop', 'High', images => '{shop/%}')");
run($_) foreach qw(absent package absent);

my ($silent, $announced) = in_turn(5, sub { run('absent') }, sub { run('package') });
my $notifications = query('SELECT max(images) FROM clair.notification');
show("a run that changes $COUNT vulnerabilities, which no image has", 's', @$silent);
show("a run that changes $COUNT vulnerabilities, which $notifications images have each", 's', @$announced);
result('a run that announces 10,000 changes, over one that announces none', paired(sub { $_[0] / $_[1] }, $announced,
    $silent), 5, 'x');

# From the moment that the run writes its end, before it announces and commits.
my $listener = Listener->new(host => $ENV{PGHOST}, port => $ENV{PGPORT}, user => $ENV{PGUSER},
    database => $ENV{PGDATABASE});
my @latencies;
$listener->listen('clair_everything');
query('SELECT clair.acknowledge_until(name, 1000000000) FROM clair.consumer');
foreach (1 .. 15)
{
    run('single');
    my ($heard) = $listener->next(10) or die "nothing was heard\n";
    push @latencies, 1000 * ($heard
        - query('SELECT extract(epoch FROM finished_at) FROM clair.update_run ORDER BY id DESC LIMIT 1'));
}
show('from the end of a run to a listening client', 'ms', @latencies);
result('from the end of a run to a listening client', median(@latencies), 1000, 'ms');

run('package');
my $taken = 0;
my $seconds = timed(sub {
    while (my @batch = query("SELECT notification FROM clair.next_notifications('everything', 100)"))
    {
        query("SELECT clair.acknowledge('everything', '{" . join(',', @batch) . "}'::bigint[])");
        $taken += @batch;
    }
});
die "$taken alerts were taken\n" if $taken != $COUNT;
printf "alerts taken and acknowledged by hundreds: %.0f a second\n", $taken / $seconds;
result('taking and acknowledging 10,000 alerts', $seconds, 10, 's');
