# dump_release.pl VERSION FILE
#    Dumps a database of the present version, with rows in every table, for test/release to keep.
use strict;
use warnings;

use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Utils;
use Test::More;

my ($version, $file) = @ARGV;
my $node = start_server('release', 'max_worker_processes = 16');
my ($session) = session($node);

fill_database($session, PostgreSQL::Test::Utils::tempdir(), images => 0);
$session->quit;
dump_release($node, 'postgres', $version, $file);
$node->stop;
Test::More->builder->is_passing or die 'the database could not be filled';
done_testing();
