#!/usr/bin/perl
# Measures sorting a million versions, against sorting the bytes that order them.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench;

query('SET work_mem = 1000000');
query('SET max_parallel_workers_per_gather = 0');
query('DO $$ BEGIN PERFORM setseed(0.5); END $$');

# Like Debian's: few epochs, two to four numbers, revisions, some suffixes; in no order.
query(q{CREATE TEMPORARY TABLE version AS
    SELECT clair.dpkg(format('%s%s.%s%s%s-%s%s', (ARRAY['', '', '', '', '1:', '2:'])[1 + i % 6],
        floor(random() * 30), floor(random() * 60), CASE WHEN i % 4 > 0 THEN '.' || i % 50 END,
        CASE WHEN i % 9 = 0 THEN '+git' || 20200000 + i % 70000 WHEN i % 11 = 0 THEN '~rc' || i % 5 END,
        i % 13, CASE WHEN i % 3 = 0 THEN '+deb' || 10 + i % 4 || 'u' || i % 9 END)) AS version
    FROM generate_series(1, 1000000) AS i});

# Head and tag come before the key, the text after it.
query('CREATE CAST (clair.version AS bytea) WITHOUT FUNCTION');
query(q{CREATE TEMPORARY TABLE key AS
    SELECT substring(version::bytea FROM 4
        FOR octet_length(version::bytea) - 3 - octet_length(clair.bare(version))) AS key
    FROM version});
query('ANALYZE');
print scalar query('SELECT count(DISTINCT version) FROM version'), " different versions\n";

my ($version, $key) = in_turn(5, map { my $what = $_;
    sub { execution_ms("SELECT $what FROM $what ORDER BY $what OFFSET 1000000") } } qw(version key));
show('sorting the versions', 'ms', @$version);
show('sorting their keys, as bytea', 'ms', @$key);
result('sorting versions, over sorting their keys', paired(sub { $_[0] / $_[1] }, $version, $key), 2, 'x');
