#!/usr/bin/perl
# Measures finding what is wrong with an image, and which images an advisory hits.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;

system(qw(psql -Xq -v ON_ERROR_STOP=1 -f), "$FindBin::Bin/match_data.sql") == 0
    or die "could not make the data\n";
query('CHECKPOINT');
my $image = query(q{SELECT id FROM clair.image WHERE digest = 'sha256:0'});

# What the image's packages are, beside the tables: what a bare index scan starts from.
query(qq{CREATE TEMPORARY TABLE package AS
    SELECT f.namespace, f.source_name, f.source_version, f.name, f.version
    FROM clair.image_database AS d
        JOIN clair.feature AS f ON f.database_id = d.database_id
    WHERE d.image_id = $image});
query('ANALYZE package');
query('SET search_path = clair'); # for the operators of clair.version
query('SET jit = off');

my $IDS = "SELECT vulnerability_id FROM clair.image_vulnerability WHERE image_id = $image";
my $ALL = "SELECT * FROM clair.vulnerabilities('$image')";
my $BARE = q{SELECT a.vulnerability_id
    FROM package AS p
        JOIN clair.affected AS a ON a.namespace = p.namespace AND a.kind = 'source'
            AND a.package = p.source_name AND a.fixed > p.source_version
    WHERE a.until_run IS NULL
    UNION ALL
    SELECT a.vulnerability_id
    FROM package AS p
        JOIN clair.affected AS a ON a.namespace = p.namespace AND a.kind = 'binary'
            AND a.package = p.name AND a.fixed > p.version
    WHERE a.until_run IS NULL};
my $HIT = "SELECT image FROM clair.affected_images('CVE-2031-RARE')";

my ($ranges, $packages, $findings) = map { scalar query("SELECT count(*) FROM $_") }
    'clair.affected', 'package', "($IDS) AS ids";
print "$packages packages, $ranges ranges, $findings findings\n";
plan('findings', $IDS);
plan('bare index scans', $BARE);

# CPU milliseconds that a statement takes once it is planned, without sending its rows.
my $BACKEND = backend();
sub cpu_ms
{
    my ($count, $statement) = @_;
    my $before = cpu_of($BACKEND);

    query("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) EXECUTE $statement") foreach 1 .. $count;
    return 1000 * (cpu_of($BACKEND) - $before) / $count;
}

my %statement = (ids => $IDS, bare => $BARE, everything => $ALL, hit => $HIT);
query("PREPARE $_ AS $statement{$_}") foreach keys %statement;
cpu_ms(10, $_) foreach keys %statement;

my ($ids, $bare) = in_turn(7, sub { cpu_ms(100, 'ids') }, sub { cpu_ms(100, 'bare') });
show('findings of the image, ids', 'CPU ms', @$ids);
show('bare index scans for its packages', 'CPU ms', @$bare);
result('findings as ids, over bare index scans', paired(sub { $_[0] / $_[1] }, $ids, $bare), 2, 'x');

# Apart from the above: it leaves nothing of that in the processor's caches.
my ($again, $everything) = in_turn(7, sub { cpu_ms(20, 'ids') }, sub { cpu_ms(20, 'everything') });
show('findings of the image, all columns', 'CPU ms', @$everything);
result('findings with all columns, over ids', paired(sub { $_[0] / $_[1] }, $everything, $again), 15, 'x');

my $images = query("SELECT count(DISTINCT image) FROM ($HIT) AS hit");
print "$images images of ", scalar query('SELECT count(*) FROM clair.image'), " are hit\n";
plan('images that are hit', $HIT);

# Warm is a statement whose plan is kept; planning the view's joins takes longer than they do.
my ($prepared, $planned) = in_turn(100, sub { 1000 * timed('EXECUTE hit') }, sub { 1000 * timed($HIT) });
show('images that an advisory hits, as the client sees it', 'ms', @$prepared);
show('the same when it has yet to be planned', 'ms', @$planned);
result('images that an advisory hits', median(@$prepared), 5, 'ms');
