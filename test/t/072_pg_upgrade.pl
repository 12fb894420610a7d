# Proves that pg_upgrade keeps everything: rows, findings, objects, the order of versions and what is indexed by it.
#
# The new server is the one that is tested. The old one is the same, or that whose programs lie in the folder
# CLAIR_OLD_BINDIR, which must have clair of the same version installed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ExtensionObjects;
use FeedTest;
use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $bindir = `pg_config --bindir` =~ s/\s+$//r;
my $old_bindir = $ENV{CLAIR_OLD_BINDIR} // $bindir;
# servers of different versions keep different things about the same objects
my @majors = map { `$_/postgres --version` =~ /(\d+)/ } $old_bindir, $bindir;
# the checksums, which later servers have unless told otherwise
my @initdb = ('--encoding=UTF8', '--locale=C', '--no-sync', '--data-checksums');

# A cluster whose programs are those of a folder.
sub cluster
{
    my ($name, $programs) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name, install_path => $programs =~ s{/bin$}{}r);

    $node->init(extra => \@initdb);
    $node->append_conf('postgresql.conf', "max_worker_processes = 16\nfsync = off\n");
    return $node;
}

my $old = cluster('old', $old_bindir);

$old->start;
create_extension($old, 'postgres');
my ($session) = session($old);
fill_database($session, $folder, images => 0);

# A table of the user's with versions in its indexes, one of which must be in order for what is asked below.
query($session, $_) foreach split /;\n/, <<'SQL';
CREATE TABLE public.deployed (installed clair.version PRIMARY KEY, range clair.version_range, severity clair.severity,
    status clair.status[] DEFAULT '{fixed}');
INSERT INTO public.deployed SELECT clair.dpkg(n % 7 || ':' || n || CASE n % 3 WHEN 0 THEN '~rc1' WHEN 1 THEN '+b2' ELSE '' END),
    clair.version_range(clair.rpm(n || '-1'), clair.rpm(n + 5 || '-1')), (enum_range(NULL::clair.severity))[1 + n % 7]
FROM generate_series(1, 1000) AS n;
CREATE INDEX deployed_hash ON public.deployed USING hash (installed);
CREATE INDEX deployed_range ON public.deployed USING gist (range);
CREATE INDEX deployed_severity ON public.deployed (severity, status)
SQL

# What is kept as it is in files: the bytes of versions, and the OIDs of words in enumerations.
my $BINARY = "SELECT md5(string_agg(encode(clair.version_send(installed), 'hex') || ' ' || installed::text || range::text, ' ' ORDER BY installed)) FROM public.deployed;"
    . " SELECT string_agg(enumlabel || ' ' || oid, ' ' ORDER BY oid) FROM pg_enum;"
    . " SELECT string_agg(oid || ' ' || typname, ' ' ORDER BY oid) FROM pg_type WHERE typnamespace = 'clair'::regnamespace AND typrelid = 0;"
    . ' SELECT string_agg(severity::text || status::text, \' \' ORDER BY severity, installed) FROM public.deployed';
my $INDEXED = 'SET enable_seqscan = off; SELECT count(*), clair.min(installed), clair.max(installed) FROM public.deployed'
    . " WHERE installed OPERATOR(clair.>=) 'dpkg:3:0' AND installed OPERATOR(clair.<) 'dpkg:5:1~';"
    . " SELECT installed FROM public.deployed WHERE installed OPERATOR(clair.=) 'dpkg:1:1+b2'; SELECT count(*) FROM public.deployed WHERE range @> clair.rpm('17.5-1'); RESET enable_seqscan";
my $content = content($session);
my $binary = query($session, $BINARY);
my $indexed = query($session, $INDEXED);
my @objects = extension_objects($old, 'postgres');
$session->quit;
$old->stop;

# Lines as they can be compared. What is read back has fewer brackets and more names of columns; what PostgreSQL
# makes beside a type of ranges belongs to that, and to the extension no longer; and privileges that are those
# by default need not be noted.
sub comparable
{
    return map { s/\\n|[()]/ /gr =~ s/ AS (?:"[^"]*"|\w+)//gr =~ s/\s+//gr }
        grep { !/version_multirange|(?:function|pg_proc) clair\.version_range\(|^initial privileges .* owner to owner:/ } @_;
}

# Upgrades a cluster; the old one's data are still there when they are not linked.
sub upgrade
{
    my ($mode) = @_;
    my $new = cluster("new_$mode", $bindir);

    command_ok([ 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old_bindir, '-B', $bindir,
        '-s', $new->host, '-p', $old->port, '-P', $new->port,
        $mode eq 'link' ? '--link' : () ], "pg_upgrade --$mode");
    $new->start;
    my ($where) = session($new);

    same_content($where, $content, "$mode: all rows and findings");
    is(scalar query($where, $BINARY), $binary, "$mode: versions and words have the same bytes");
    is(scalar query($where, $INDEXED), $indexed, "$mode: indexes find what they found");
    my @differences = $majors[0] != $majors[1] ? () : object_differences([ comparable(@objects) ], [ comparable(extension_objects($new, 'postgres')) ]);
    is(scalar @differences, 0, "$mode: each object is as it was") or diag(join "\n", @differences);
    $new->safe_psql('postgres', 'CREATE EXTENSION IF NOT EXISTS amcheck');
    is(scalar query($where, 'SELECT count(*) FROM (SELECT bt_index_check(i.indexrelid, true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid'
        . " JOIN pg_am AS a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indrelid IN (SELECT oid FROM pg_class"
        . " WHERE relnamespace IN ('clair'::regnamespace, 'public'::regnamespace))) AS checked") > 80 ? 1 : 0, 1, "$mode: indexes are in order");
    is(update($where, 'function')->{state}, 'unchanged', "$mode: updaters run");
    my $image = index_file($where, debian_layer($folder, 'new', 12, [ 'bash', '5.2-1' ]), 'new');
    is(scalar query($where, "SELECT count(vulnerability) > 0 FROM clair.vulnerabilities('$image')"), 't', "$mode: images are indexed, and have findings");
    $where->quit;
    $new->stop;
}

upgrade('copy');
upgrade('link') if $ENV{CLAIR_TEST_LONG};
done_testing();
