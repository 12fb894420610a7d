# IndexTest: a server with clair in it, and what tests of indexing look at.
#
# Servers are made with PostgreSQL::Test::Cluster; sessions that last are its background psql.
package IndexTest;

use strict;
use warnings;

use Exporter qw(import);
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(test_data start_server start_server_of_its_own create_extension same_lines query outcome session row_count
    processes_of descriptors_of ends_within wait_for comes_up shown_in_log private_library);

my $DATA = $ENV{CLAIR_TEST_DATA} // '../shared/data';

# The path of a file or folder of the test data; undef when it is not there.
sub test_data
{
    my ($name) = @_;

    return -e "$DATA/$name" ? "$DATA/$name" : undef;
}

# A running server with the extension in its database postgres, and the function outcome().
sub start_server
{
    my ($name, @settings) = @_;

    return start_node(PostgreSQL::Test::Cluster->new($name), @settings);
}

# The same with a folder of libraries and helpers of its own, which a test may do with as it likes:
# the server, and that folder.
sub start_server_of_its_own
{
    my ($name, @settings) = @_;
    my $node = start_node(PostgreSQL::Test::Cluster->new($name, install_path => own_tree()), @settings);

    return ($node, $node->config_data('--pkglibdir'));
}

# Copies the private tree that tests run against: where the server is installed in it.
sub own_tree
{
    my $tree = PostgreSQL::Test::Utils::tempdir();

    system_or_bail('cp', '-al', "$ENV{CLAIR_WORKDIR}/tree", "$tree/tree");
    return $ENV{CLAIR_BINDIR} =~ s{^\Q$ENV{CLAIR_WORKDIR}\E(.*)/bin$}{$tree$1}r;
}

sub start_node
{
    my ($node, @settings) = @_;
    my $template = $ENV{CLAIR_TEST_TEMPLATE};

    if (defined $template)
    {
        init_as($node, $template);
    }
    else
    {
        $node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
    }
    $node->append_conf('postgresql.conf', join("\n", @settings, ''));
    $node->start;
    $node->safe_psql('postgres', 'CREATE EXTENSION clair') if !defined $template;
    create_outcome($node, 'postgres');
    return $node;
}

# Makes a server's data by copying those of test/run, which have the extension, where the module would
# run initdb: that takes three times as long. (The modules of 16 do it too, but not with a locale.)
sub init_as
{
    my ($node, $template) = @_;
    my $system = \&PostgreSQL::Test::Utils::system_or_bail;
    my $instead = sub {
        my @command = $_[0] eq 'initdb' ? ('cp', '-a', $template, $node->data_dir) : @_;

        $system->(@command);
    };

    no warnings qw(once redefine);
    # what it is called in 14
    local *TestLib::system_or_bail = $instead;
    local *PostgreSQL::Test::Utils::system_or_bail = $instead;
    $node->init;
}

sub create_extension
{
    my ($node, $database) = @_;

    $node->safe_psql($database, 'CREATE EXTENSION clair');
    create_outcome($node, $database);
}

# The function outcome() in a database: runs a statement, and says "ok" or what the error was.
sub create_outcome
{
    my ($node, $database) = @_;

    $node->safe_psql($database, <<'SQL');
CREATE FUNCTION public.outcome(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    text_of_detail text;
    text_of_hint text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS text_of_detail = PG_EXCEPTION_DETAIL, text_of_hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, 'DETAIL: ' || NULLIF(text_of_detail, ''),
        'HINT: ' || NULLIF(text_of_hint, ''));
END
$$;
SQL
}

# Checks that two lists have the same lines, in whatever order; shows the first that differ.
sub same_lines
{
    my ($got, $expected, $name) = @_;
    my (%count, @missing, @surplus);

    $count{$_}++ foreach @$expected;
    $count{$_}-- foreach @$got;
    foreach my $line (sort keys %count)
    {
        push @missing, $line if $count{$line} > 0;
        push @surplus, $line if $count{$line} < 0;
    }
    ok(@$expected > 0 && !@missing && !@surplus, $name . ' (' . @$expected . ' lines)')
        or diag(join "\n", 'missing:', splice(@missing, 0, 5), 'not expected:', splice(@surplus, 0, 5));
}

# The rows of a query, in a session that lasts or in one of its own; dies when it fails.
sub query
{
    my ($where, $sql) = @_;
    my $rows;

    if ($where->isa('PostgreSQL::Test::BackgroundPsql'))
    {
        $where->{stderr} = '';
        $rows = $where->query($sql);
        die "query failed: $where->{stderr}" if $where->{stderr} =~ /ERROR|FATAL/;
    }
    else
    {
        $rows = $where->safe_psql('postgres', $sql);
    }
    return wantarray ? split(/\n/, $rows) : $rows;
}

# What a statement came to: "ok", or SQLSTATE, message, detail and hint.
sub outcome
{
    my ($where, $statement) = @_;

    return scalar query($where, "SELECT public.outcome(\$statement\$$statement\$statement\$)");
}

# A session that lasts, and the pid of its backend.
sub session
{
    my ($node, %options) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 0, %options);

    return ($session, scalar query($session, 'SELECT pg_backend_pid()'));
}

# How many rows all tables of images have together.
sub row_count
{
    my ($where) = @_;

    return scalar query($where, join(' + ', map { "(SELECT count(*) FROM clair.$_)" }
        qw(image image_name image_layer image_database image_problem manifest layer layer_blob
        layer_entry layer_fact layer_problem package_database feature)) =~ s/^/SELECT /r);
}

# The pids of the processes that a backend has started, whether it still lives or not: each backend
# leads a session of processes of its own.
sub processes_of
{
    my ($backend) = @_;
    my @pids;

    foreach my $file (glob '/proc/[0-9]*/stat')
    {
        open(my $stat, '<', $file) or next;
        my $line = <$stat> // next;
        my ($pid, $state, $session) = $line =~ /^(\d+) \(.*\) (\S) \d+ \d+ (\d+) / or next;
        push @pids, $pid if $session == $backend && $pid != $backend;
    }
    return @pids;
}

# What a backend has open, but for the files of its tables, which it keeps as it likes.
sub descriptors_of
{
    my ($node, $backend) = @_;
    my $base = $node->data_dir;
    my %count;

    foreach my $link (glob "/proc/$backend/fd/*")
    {
        my $target = readlink($link) // next;
        next if index($target, $base) == 0 && $target !~ /pgsql_tmp/;
        $count{ $target =~ s/\d+//gr }++;
    }
    return join ' ', map { "$_*$count{$_}" } sort keys %count;
}

# Waits for a condition; false when it does not come true within the seconds.
sub wait_for
{
    my ($seconds, $condition) = @_;
    my $until = time() + $seconds;

    while (!$condition->())
    {
        return 0 if time() > $until;
        sleep(0.02);
    }
    return 1;
}

# How long something takes, and whether that is within the seconds.
sub ends_within
{
    my ($seconds, $name, $code) = @_;
    my $since = time();

    $code->();
    my $taken = time() - $since;
    ok($taken < $seconds, $name) or diag("it took $taken s");
}

# Whether a server comes up and answers, soon or late. What PostgreSQL's modules have for that writes a statement to
# psql, which may have ended by then, because nobody is there: the test dies of a broken pipe.
sub comes_up
{
    my ($node) = @_;
    my @command = ($node->installed_command('psql'), '-X', '-A', '-t', '-c', 'SELECT true', '-d', $node->connstr('postgres'));

    return wait_for(180, sub {
        my ($answer, $words);

        return IPC::Run::run(\@command, '<', '/dev/null', '>', \$answer, '2>', \$words) && $answer eq "t\n";
    });
}

# How often the server's log has a text.
sub shown_in_log
{
    my ($node, $text) = @_;

    return scalar(() = slurp_file($node->logfile) =~ /$text/g);
}

# Lets the functions of the extension come from a copy of the library in a folder, which is returned:
# helpers are looked for there. Sessions that are already there must end.
sub private_library
{
    my ($node) = @_;
    my $folder = PostgreSQL::Test::Utils::tempdir();
    my $library = $node->config_data('--pkglibdir');

    copy("$library/clair.so", "$folder/clair.so") or die "copy: $!";
    foreach my $helper (qw(clair-reader clair-fetch))
    {
        next if !-e "$library/$helper";
        symlink("$library/$helper", "$folder/$helper") or die "symlink: $!";
    }
    $node->safe_psql('postgres', "UPDATE pg_proc SET probin = '$folder/clair'"
        . " WHERE probin = '\$libdir/clair'");
    return $folder;
}

1;
