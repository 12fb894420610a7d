# FaultServer: a server with the library and the helpers that "make fault-programs" builds, in which a
# test says what goes wrong at which point; what its tables say; and what has been left behind.
#
# What goes wrong is in the file "fault_plan" of the data directory, the structure of
# test/faults/plan.h. The programs lie in a copy of the private tree, first in PATH, so that workers
# find them where the server looks for libraries.
package FaultServer;

use strict;
use warnings;

use Exporter qw(import);
use File::Copy qw(copy);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw(fault_programs start_fault_server set_fault clear_fault fault_happened reached_points
    points_in create_checks contents inconsistencies leftovers quiet);

use constant {
    PLAN_SIZE   => 1 << 20,
    PLAN_HEAD   => 'a64 a16 l L',
    HEAD_SIZE   => 88,
    POINT       => qr/fault point ([a-z0-9-]+)\0/,
};

my @PROGRAMS = qw(clair.so clair-reader clair-fetch);

# The folder with the programs; undef when they have not been built.
sub fault_programs
{
    my $folder = 'build/faults';

    return (grep { !-e "$folder/$_" } @PROGRAMS) ? undef : $folder;
}

# The names of the points that a program has.
sub points_in
{
    my ($program) = @_;
    my $bytes = slurp_file($program);
    my %names;

    $names{$1} = 1 while $bytes =~ /${\ POINT}/g;
    return sort keys %names;
}

# As start_server(); every process of this test finds the programs from now on.
sub start_fault_server
{
    my ($name, @settings) = @_;
    my $tree = PostgreSQL::Test::Utils::tempdir() . '/tree';
    my $libraries = `pg_config --pkglibdir` =~ s/\n//r;
    my $programs = `pg_config --bindir` =~ s/\n//r;

    # links to the files of the private tree, which itself stays as it is
    system_or_bail('cp', '-al', "$ENV{CLAIR_WORKDIR}/tree", $tree);
    my ($from) = $libraries =~ /^\Q$ENV{CLAIR_WORKDIR}\E\/tree(.*)/ or die "not in the tree: $libraries";
    foreach my $program (@PROGRAMS)
    {
        unlink "$tree$from/$program";
        copy(fault_programs() . "/$program", "$tree$from/$program") or die "copy: $!";
        chmod 0755, "$tree$from/$program";
    }
    $ENV{PATH} = $tree . substr($programs, length("$ENV{CLAIR_WORKDIR}/tree")) . ":$ENV{PATH}";

    # segments of shared memory are files then, which can be counted
    my $node = start_server($name, 'fsync = off', 'restart_after_crash = on', 'max_worker_processes = 16',
        'autovacuum = off', 'dynamic_shared_memory_type = mmap', 'min_dynamic_shared_memory = 0', @settings);

    append_to_file($node->data_dir . '/fault_plan', "\0" x PLAN_SIZE);
    create_checks($node, 'postgres');
    return $node;
}

# ---------------------------------------------------------------------------
# What is to go wrong
# ---------------------------------------------------------------------------

sub write_plan
{
    my ($node, @head) = @_;

    open(my $file, '+<:raw', $node->data_dir . '/fault_plan') or die "fault_plan: $!";
    print $file pack(PLAN_HEAD, @head);
    close($file) or die "fault_plan: $!";
}

# Lets something happen at a point, when it is reached for so many times.
sub set_fault
{
    my ($node, $point, $action, $times) = @_;

    write_plan($node, $point, $action, $times // 1, 0);
}

sub clear_fault
{
    my ($node) = @_;

    write_plan($node, '', '', 0, 0);
}

sub read_plan
{
    my ($node) = @_;
    my $bytes = slurp_file($node->data_dir . '/fault_plan');

    return ($bytes, unpack(PLAN_HEAD, $bytes));
}

# Whether what was to happen has happened.
sub fault_happened
{
    my ($node) = @_;
    my (undef, undef, undef, $times) = read_plan($node);

    return $times <= 0;
}

# The points that have been reached since the last call of one of the above, in their order, each once.
sub reached_points
{
    my ($node) = @_;
    my ($bytes, undef, undef, undef, $size) = read_plan($node);
    my %seen;

    return grep { !$seen{$_}++ } split /\n/, substr($bytes, HEAD_SIZE, $size);
}

# ---------------------------------------------------------------------------
# What the tables say
# ---------------------------------------------------------------------------

# Makes what the functions below ask for. What lies in the tables is told by natural keys: which
# numbers rows have depends on what has been tried before.
sub create_checks
{
    my ($node, $database) = @_;

    $node->safe_psql($database, <<'SQL');
CREATE FUNCTION public.contents() RETURNS TABLE (line text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH base AS (
        SELECT b.id, concat_ws('|', b.content, b.namespace, b.format) AS key, b.version, b.problem
        FROM clair.package_database AS b)
    SELECT 'image ' || ROW(i.digest, i.platform, i.namespace, i.detected_namespace, i.status,
        i.superseded_at IS NULL, p.digest)::text
    FROM clair.image AS i LEFT JOIN clair.image AS p ON p.id = i.parent_id
    UNION ALL SELECT 'name ' || ROW(n.name, i.digest)::text
    FROM clair.image_name AS n JOIN clair.image AS i ON i.id = n.image_id
    UNION ALL SELECT 'manifest ' || ROW(m.digest, i.digest)::text
    FROM clair.manifest AS m JOIN clair.image AS i ON i.id = m.image_id
    UNION ALL SELECT 'image layer ' || ROW(i.digest, l.position, l.layer, l.stored_digest, l.command)::text
    FROM clair.image_layer AS l JOIN clair.image AS i ON i.id = l.image_id
    UNION ALL SELECT 'image database ' || ROW(i.digest, d.position, d.path, d.location, base.key,
        d.until_position, r.digest)::text
    FROM clair.image_database AS d JOIN clair.image AS i ON i.id = d.image_id
        JOIN base ON base.id = d.database_id LEFT JOIN clair.repository_set AS r ON r.id = d.repository_set
    UNION ALL SELECT 'image problem ' || ROW(i.digest, p.number, p.place, p.reason, p.unsupported)::text
    FROM clair.image_problem AS p JOIN clair.image AS i ON i.id = p.image_id
    UNION ALL SELECT 'layer ' || ROW(l.digest, l.size, l.entries, l.version, l.detectors)::text
    FROM clair.layer AS l
    UNION ALL SELECT 'blob ' || b::text FROM clair.layer_blob AS b
    UNION ALL SELECT 'entry ' || e::text FROM clair.layer_entry AS e
    UNION ALL SELECT 'fact ' || f::text FROM clair.layer_fact AS f
    UNION ALL SELECT 'layer problem ' || p::text FROM clair.layer_problem AS p
    UNION ALL SELECT 'database ' || ROW(base.key, base.version, base.problem)::text FROM base
    UNION ALL SELECT 'feature ' || ROW(base.key, f.number, f.namespace, f.name, f.version, f.source_name,
        f.source_version, f.architecture, f.invalid_version, f.problem, f.module, f.vendor, f.license,
        f.flavour)::text
    FROM clair.feature AS f JOIN base ON base.id = f.database_id
    UNION ALL SELECT 'repositories ' || ROW(r.digest, r.repositories, r.cpes)::text
    FROM clair.repository_set AS r
    UNION ALL SELECT 'vulnerability ' || ROW(v.updater, v.record, v.name, v.digest, v.frozen, v.link,
        v.description, v.aliases)::text
    FROM clair.vulnerability AS v WHERE v.until_run IS NULL
    UNION ALL SELECT 'affected ' || ROW(v.updater, v.record, v.name, v.frozen, a.number, s.digest, a.kind,
        a.status, a.severity, a.stated_severity, a.namespace, a.package, a.introduced, a.stated_introduced,
        a.fixed, a.advisory)::text
    FROM clair.affected AS a JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id
        LEFT JOIN clair.scope AS s ON s.id = a.scope_id
    WHERE a.until_run IS NULL
    UNION ALL SELECT 'record ' || r::text FROM clair.record AS r
    UNION ALL SELECT 'document ' || ROW(d.updater, d.name, d.url, d.named_by, d.optional, d.mode, d.size,
        d.checksum, d.records)::text
    FROM clair.document AS d
    UNION ALL SELECT 'state ' || ROW(s.updater, s.url, s.revision)::text
    FROM clair.updater_state AS s WHERE s.state IS NOT NULL
    UNION ALL SELECT 'frozen ' || ROW(f.updater, f.namespace)::text FROM clair.frozen_namespace AS f
    UNION ALL SELECT 'cve ' || c::text FROM clair.cve AS c
    UNION ALL SELECT 'cve statement ' || s::text FROM clair.cve_statement AS s
    UNION ALL SELECT 'cve metric ' || m::text FROM clair.cve_metric AS m
    UNION ALL SELECT 'epss ' || e::text FROM clair.epss AS e
    UNION ALL SELECT 'kev ' || k::text FROM clair.kev AS k
    UNION ALL SELECT 'exception ' || ROW(e.vulnerability, e.package, e.version, e.architecture, e.namespace,
        e.image, e.kind, e.justification, e.reason, e.document)::text
    FROM clair.exception AS e WHERE e.ended_at IS NULL
    UNION ALL SELECT 'vex ' || ROW(d.id, d.format, d.version, d.issued_at, d.author)::text
    FROM clair.vex_document AS d
    UNION ALL SELECT 'updater ' || ROW(u.name, u.format, u.url, u.function, u.namespaces, u.options)::text
    FROM clair.own_updater AS u
    UNION ALL SELECT 'advisory ' || ROW(a.vulnerability, a.namespace, a.package, a.fixed)::text
    FROM clair.own_advisory AS a;
END;

CREATE FUNCTION public.inconsistencies() RETURNS TABLE (line text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT format('run %s of "%s" is %s, and has brought or ended vulnerabilities', r.id, r.updater, r.state)
    FROM clair.update_run AS r
    WHERE r.state NOT IN ('succeeded', 'dropped')
        AND (EXISTS (SELECT FROM clair.vulnerability AS v WHERE v.since_run = r.id)
            OR EXISTS (SELECT FROM clair.vulnerability AS v WHERE v.until_run = r.id))
    UNION ALL SELECT format('run %s of "%s" has ended without a time', r.id, r.updater)
    FROM clair.update_run AS r WHERE r.state <> 'running' AND r.finished_at IS NULL
    UNION ALL SELECT format('vulnerability %s of a run that is not there', v.id)
    FROM clair.vulnerability AS v
        LEFT JOIN clair.update_run AS s ON s.id = v.since_run
        LEFT JOIN clair.update_run AS u ON u.id = v.until_run
    WHERE s.id IS NULL OR v.until_run IS NOT NULL AND u.id IS NULL
    UNION ALL SELECT format('range of vulnerability %s, which is not there or has ended otherwise',
        a.vulnerability_id)
    FROM clair.affected AS a LEFT JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id
    WHERE v.id IS NULL OR v.until_run IS DISTINCT FROM a.until_run
    UNION ALL SELECT format('two current vulnerabilities "%s" of record "%s"', v.name, v.record)
    FROM clair.vulnerability AS v WHERE v.until_run IS NULL
    GROUP BY v.updater, v.record, v.name, v.frozen HAVING count(*) > 1
    UNION ALL SELECT format('record "%s" of document "%s", which is not there', r.record, r.document)
    FROM clair.record AS r
        LEFT JOIN clair.document AS d ON d.updater = r.updater AND d.name = r.document
        LEFT JOIN clair.update_run AS f ON f.updater = r.updater AND r.document = 'function'
    WHERE d.name IS NULL AND f.id IS NULL
    UNION ALL SELECT format('delivery of notification %s, which is not there', d.notification)
    FROM clair.delivery AS d LEFT JOIN clair.notification AS n ON n.id = d.notification WHERE n.id IS NULL
    UNION ALL SELECT format('delivery to consumer "%s", which is not there', d.consumer)
    FROM clair.delivery AS d LEFT JOIN clair.consumer AS c ON c.name = d.consumer WHERE c.name IS NULL
    UNION ALL SELECT format('notification %s of a run that has not succeeded', n.id)
    FROM clair.notification AS n JOIN clair.update_run AS r ON r.id = n.run
    WHERE r.state NOT IN ('succeeded', 'dropped')
    UNION ALL SELECT format('package database %s has content of no layer', b.content)
    FROM clair.package_database AS b
        LEFT JOIN clair.layer_entry AS e ON e.content = b.content
    WHERE e.layer IS NULL
    UNION ALL SELECT format('image %s has no layer', i.digest)
    FROM clair.image AS i LEFT JOIN clair.image_layer AS l ON l.image_id = i.id WHERE l.layer IS NULL
    UNION ALL SELECT format('image %s has status %s, but %s', i.digest, i.status,
        CASE WHEN p.image_id IS NULL THEN 'no problem' ELSE 'problems' END)
    FROM clair.image AS i
        LEFT JOIN (SELECT DISTINCT q.image_id FROM clair.image_problem AS q) AS p ON p.image_id = i.id
    WHERE i.status = CASE WHEN p.image_id IS NULL THEN 'partial' ELSE 'ok' END
    UNION ALL SELECT format('name "%s" points to an image that is superseded', n.name)
    FROM clair.image_name AS n JOIN clair.image AS i ON i.id = n.image_id
    WHERE i.superseded_at IS NOT NULL;
END;
SQL
}

# What lies in the tables, as lines in an order of their own.
sub contents
{
    my ($where) = @_;

    return [ query($where, 'SELECT line FROM public.contents() ORDER BY line COLLATE "C"') ];
}

# What is wrong with it.
sub inconsistencies
{
    my ($where) = @_;

    return join "\n", query($where, 'SELECT line FROM public.inconsistencies() ORDER BY line LIMIT 5');
}

# ---------------------------------------------------------------------------
# What has been left behind
# ---------------------------------------------------------------------------

# Helpers of the server, or whose backend has gone.
sub helpers_left
{
    my ($node) = @_;
    my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
    my @left;

    foreach my $file (glob '/proc/[0-9]*/stat')
    {
        open(my $stat, '<', $file) or next;
        my $line = <$stat> // next;
        my ($pid, $name, $leader) = $line =~ /^(\d+) \((clair-reader|clair-fetch)\) \S \d+ \d+ (\d+) / or next;
        my $parent;
        if (open(my $backend, '<', "/proc/$leader/stat"))
        {
            ($parent) = (<$backend> // '') =~ /\) \S (\d+) /;
        }
        push @left, "$name $pid" if !defined $parent || $parent == $postmaster;
    }
    return @left;
}

# Processes, locks, files, segments, prepared transactions, and temporary tables unless a crash may
# have left them: these are dropped by autovacuum, or by who needs the place.
sub leftovers
{
    my ($node, $where, %options) = @_;
    my $data = $node->data_dir;
    my @left = query($where, <<'SQL');
SELECT 'lock ' || pid || ' ' || mode FROM pg_locks WHERE locktype = 'advisory'
UNION ALL
SELECT 'worker ' || pid || ' ' || query FROM pg_stat_activity WHERE backend_type LIKE 'clair%'
UNION ALL
SELECT 'open transaction ' || pid || ' ' || query FROM pg_stat_activity
WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
UNION ALL
SELECT 'prepared ' || gid FROM pg_prepared_xacts
SQL

    push @left, query($where, "SELECT 'temporary ' || relname FROM pg_class WHERE relpersistence = 't'")
        if !$options{crashed};
    push @left, map { "file $_" } glob("$data/base/pgsql_tmp/*");
    # the server itself has some, and makes some more for its statistics
    my @segments = glob("$data/pg_dynshmem/*");
    push @left, 'segments ' . join(' ', @segments) if @segments > 4;
    push @left, helpers_left($node);
    return join "\n", @left;
}

# Waits until nothing is left behind; what still is.
sub quiet
{
    my ($node, $where, %options) = @_;

    my $left;

    wait_for(20, sub { ($left = leftovers($node, $where, %options)) eq '' });
    return $left;
}

1;
