# Proves that a hot standby answers all that the primary answers: every view, and every function that
# only reads; and that each function which writes refuses there, at once and with one clear error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FilledDatabase;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder    = PostgreSQL::Test::Utils::tempdir();
my $node      = start_server('primary', 'wal_level = replica', 'max_wal_senders = 4', 'max_worker_processes = 16');
my ($session) = session($node);

fill_database($session, $folder);
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby = on');
$standby->start;

# An argument of every type that functions ask for; what is not here is null.
my %VALUE = (
    text => q{'web'}, 'text[]' => q{'{debian}'}, bigint => '1', 'bigint[]' => q{'{1}'}, integer => '1',
    boolean => 'true', bytea => q{'x'}, jsonb => q{'{}'}, interval => q{'1 day'}, uuid => q{'00000000-0000-0000-0000-000000000000'},
    'timestamp with time zone' => q{'2031-01-01'}, regrole => q{'postgres'}, regprocedure => q{'pg_catalog.now()'},
    'clair.severity' => q{'Low'}, 'clair.version' => q{'dpkg:1'}, 'clair.package_kind' => q{'binary'},
);

# The functions of a volatility: for each a call of it.
sub calls
{
    my ($volatility) = @_;

    return map {
        my ($name, $types) = split /\|/;
        "clair.$name(" . join(', ', map { ($VALUE{$_} // 'NULL') . "::$_" } split(/;/, $types)) . ')'
    } query($session, "SELECT f.proname, array_to_string(ARRAY(SELECT format_type(t, NULL)"
        . " FROM unnest(f.proargtypes) WITH ORDINALITY AS a(t, n) ORDER BY n), ';') FROM pg_proc AS f"
        . " WHERE f.pronamespace = 'clair'::regnamespace AND f.prokind = 'f' AND f.provolatile = '$volatility'"
        . " AND f.prorettype <> 'trigger'::regtype ORDER BY f.oid::regprocedure::text COLLATE \"C\"");
}

# What a source of rows gives, in no order and but for the moment of asking, or its error.
query($session, <<'SQL');
CREATE FUNCTION public.answer(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE 'SELECT count(*) || '' rows '' || md5(string_agg(regexp_replace(x::text,'
        ' ''\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?|"version": \d{10,}'', ''moment'', ''g''), '''''
        ' ORDER BY x::text COLLATE "C"))'
        ' FROM ' || source || ' AS x' INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$
SQL

# ---------------------------------------------------------------------------
# What reads
# ---------------------------------------------------------------------------

query($session, q{SELECT clair.set_namespace('old', 'debian:10')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
my ($reader) = session($standby);
my ($here, $there) = map { content($_) } $session, $reader;
# sequences are written ahead
delete @{$_}{ grep { /^sequence/ } keys %$_ } foreach $here, $there;
is_deeply($there, $here, 'a standby holds and answers what the primary does');

# What a server says of itself: how far it has vacuumed, how old things are at the moment of asking.
my %ITS_OWN = (
    'clair.storage'       => 'SELECT name, rows, total_bytes',
    'clair.update_status' => 'SELECT updater, state, fresh, last_run');

my ($different, $answered) = ('', 0);
foreach my $source ((map { "clair.$_" } relations($session, 'v')), calls('s'), calls('i'))
{
    my $rows = $ITS_OWN{$source} ? "($ITS_OWN{$source} FROM $source)" : $source;
    my ($here, $there) = map { scalar query($_, "SELECT public.answer(\$rows\$$rows\$rows\$)") } $session, $reader;

    $answered++ if $there =~ /^[1-9]\d* rows /;
    $different .= "$source: $there, not $here\n" if $here ne $there;
}
is($different, '', 'every view, and every function that only reads, says the same there');
cmp_ok($answered, '>', 60, '... and most of them give rows');

# ---------------------------------------------------------------------------
# What writes
# ---------------------------------------------------------------------------

my $DIGEST = query($session, q{SELECT digest FROM clair.image WHERE id = 1});
my $POSTED = query($session, q{SELECT quote_literal(id) FROM clair.webhook_receipt LIMIT 1});
my $FLAW = '{"Vulnerability": {"Name": "ACME-1", "NamespaceName": "debian:10", "Severity": "Low",'
    . ' "FixedIn": [{"Name": "bash", "NamespaceName": "debian:10", "Version": "9"}]}}';

# Arguments with which those do write that others would stop.
my %ARGUMENTS = (
    alter_webhook => q{'pager', enabled => true},
    create_webhook => q{'pager', 'https://x.invalid/'},
    grant_access => q{'pg_monitor', 'read'},
    retry_webhook => $POSTED,
    v1_post_layer => qq{'{"Layer": {"Name": "a", "Path": "$folder/web.tar", "Format": "Docker"}}'},
    v1_delete_notification => $POSTED,
    v1_post_vulnerability => "'" . $FLAW =~ s/ACME-1/ACME-9/r . "'",
    v1_set_vulnerability => q{'debian:10', 'ACME-1', '{"Severity": "Low"}', '[]'},
    v1_put_vulnerability => "'debian:10', 'ACME-1', '" . $FLAW =~ s/, "FixedIn.*\]//r . "'",
    v1_delete_vulnerability => q{'debian:10', 'ACME-1'},
    v1_put_fix => q{'debian:10', 'ACME-1', 'bash',}
        . q{ '{"Feature": {"Name": "bash", "NamespaceName": "debian:10", "Version": "9"}}'},
    v1_delete_fix => q{'debian:10', 'ACME-1', 'bash'},
    v4_delete_index_report => "'$DIGEST'",
    v4_delete_index_reports => qq{'["$DIGEST"]'},
    v4_post_index_report => q('{"hash": "sha256:) . '1' x 64 . q(", "layers": [{"hash": "sha256:) . '2' x 64
        . qq(", "uri": "file://$folder/web.tar"}]}'),
);
# These need pg_cron, which is not there.
my %SCHEDULES = map { ($_ => 1) } qw(schedule schedule_command schedule_clean_up unschedule);
# These may call one that writes; with the arguments here they do not.
my %HARMLESS = map { ($_ => 1) } qw(assert_image check_helper check_health images_in v1 v4 export_updates);

my ($written, $refused) = ('', 0);
foreach my $call (calls('v'))
{
    my ($name)  = $call =~ /^clair\.(\w+)/;
    my $outcome = outcome($reader, 'SELECT '
        . (defined $ARGUMENTS{$name} ? "clair.$name($ARGUMENTS{$name})" : $call));

    next if $HARMLESS{$name} || $SCHEDULES{$name};
    if ($outcome =~ /^25006: cannot execute [\w.() ]+ (in a read-only transaction|during recovery)/)
    {
        $refused++;
    }
    else
    {
        $written .= "$call: $outcome\n";
    }
}
is($written, '', "every function that writes refuses ($refused)");
cmp_ok($refused, '>', 50, '... and most functions do');
like(query($reader, q{SELECT clair.v1('DELETE', '/v1/layers/web')}), qr/^\(503,/,
    'a gateway says that it is unavailable');
query($reader, "SELECT clair.export_updates('$folder/updates')");
is(query($session, "SELECT count(*) > 0 FROM clair.import_updates('$folder/updates')"), 't',
    'what a standby exports can be imported');

$standby->stop;
$node->stop;
done_testing();
