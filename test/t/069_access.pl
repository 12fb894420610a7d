# Proves that each access level lets a role do what it is for, all of it and nothing else; that none
# shows secrets; that only who owns the extension grants them; and that they can be taken back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node   = start_server('access', 'max_worker_processes = 12');
my ($owner) = session($node);

query($owner, "CREATE ROLE reading; CREATE ROLE indexing; CREATE ROLE administering; CREATE ROLE other;"
    . " GRANT pg_read_server_files TO indexing, administering");
query($owner, "SELECT clair.grant_access('reading', 'read'), clair.grant_access('indexing', 'index'),"
    . " clair.grant_access('administering', 'administer')");

# What a role's statement comes to: "ok", or the error's code and message.
sub as
{
    my ($role, $statement) = @_;

    query($owner, "SET SESSION AUTHORIZATION $role");
    my $outcome = outcome($owner, $statement);
    query($owner, 'RESET SESSION AUTHORIZATION');
    return $outcome =~ s/\n.*//sr;
}

my $layer = make_layer("$folder/web.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2-1' ]));
write_file("$folder/tracker.json", { bash => { 'CVE-2031-1' => { releases => {
    bookworm => { status => 'open', urgency => 'high' } } } } });

# ---------------------------------------------------------------------------
# By what is done: who may
# ---------------------------------------------------------------------------

my @writes = (
    [ 2, "SELECT clair.index_image('$layer', 'web')" ],
    [ 2, "SELECT clair.index_layer('upon', '$layer', 'web')" ],
    [ 2, "SELECT clair.set_namespace('upon', 'debian:11')" ],
    [ 2, "SELECT clair.create_exception('CVE-2031-1', 'accepted', image => 'upon')" ],
    [ 2, "SELECT clair.create_consumer('c' || pg_backend_pid() || session_user)" ],
    [ 2, "SELECT clair.delete_image('upon')" ],
    [ 3, "UPDATE clair.updater SET url = 'file://$folder/tracker.json' WHERE name = 'debian'" ],
    [ 3, "SELECT clair.update('debian', wait => false)" ],
    [ 3, "INSERT INTO clair.policy (name) VALUES ('mine')" ],
    [ 3, "DELETE FROM clair.policy WHERE name = 'mine'" ],
    [ 3, "SELECT clair.create_updater('own', 'https://example.org/x', 'secdb', '{\"namespace\": \"alpine:v3.20\"}')" ],
    [ 3, "SELECT clair.drop_updater('own')" ],
    [ 3, 'SELECT clair.collect_garbage()' ],
    [ 3, "SELECT clair.clean_up()" ],
    [ 3, 'SELECT count(*) FROM clair.check_health()' ],
);
my @reads = (
    'SELECT * FROM clair.image', 'SELECT * FROM clair.image_vulnerability', 'SELECT * FROM clair.update_status',
    "SELECT * FROM clair.features('web')", "SELECT * FROM clair.vulnerabilities('web')",
    "SELECT * FROM clair.affected_images('CVE-2031-1')", "SELECT * FROM clair.check_image('web')",
    "SELECT clair.export_vex('web')", "SELECT clair.export_sbom('web')", "SELECT clair.export_sbom('web', 'spdx')",
    "SELECT * FROM clair.update_diff('debian', 0)", 'SELECT * FROM clair.image_status', 'SELECT * FROM clair.storage',
    'SELECT * FROM clair.webhook', map { "SELECT clair.report('web', '$_')" } qw(text markdown csv json sarif gitlab junit),
);
my @roles = ([ other => 0 ], [ reading => 1 ], [ indexing => 2 ], [ administering => 3 ]);

foreach my $role (@roles)
{
    my ($name, $level) = @$role;

    foreach my $write (@writes)
    {
        my ($needed, $statement) = @$write;

        like(as($name, $statement), $level >= $needed ? qr/^ok$/ : qr/^42501: permission denied/, "$name: $statement");
    }
}
wait_for(30, sub { query($owner, "SELECT NOT EXISTS (SELECT FROM clair.update_status WHERE state = 'running')") eq 't' })
    or die 'the update does not end';
query($owner, "SELECT clair.index_image('$layer', 'web')");
foreach my $role (@roles)
{
    my ($name, $level) = @$role;

    like(as($name, $_), $level >= 1 ? qr/^ok$/ : qr/^42501: permission denied/, "$name: $_") foreach @reads;
    like(as($name, 'SELECT * FROM clair.webhook_secret'), qr/^42501: permission denied/, "$name: no secrets");
}

# ---------------------------------------------------------------------------
# Levels
# ---------------------------------------------------------------------------

is(scalar query($owner, "SELECT string_agg(f.oid::regprocedure::text, ', ') FROM pg_proc AS f"
    . " WHERE pronamespace = 'clair'::regnamespace AND prokind = 'f' AND prorettype <> 'trigger'::regtype"
    . " AND proname NOT IN ('grant_access', 'revoke_access', 'add_tenant', 'drop_tenant', 'enforce_tenants')"
    . " AND NOT has_function_privilege('administering', f.oid, 'EXECUTE')"), '', 'who administers may call everything');
is(scalar query($owner, "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class AS c, unnest('{reading,indexing}'::text[]) AS r"
    . " WHERE relnamespace = 'clair'::regnamespace AND relkind IN ('r', 'v')"
    . " AND has_table_privilege(r, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"), '',
    'tables are written through functions');
like(as('administering', "SELECT clair.grant_access('other', 'read')"), qr/^42501: permission denied for function grant_access/,
    'who administers does not grant');
like(outcome($owner, "SELECT clair.grant_access('other', 'everything')"),
    qr/access level "everything" does not exist.*Levels are read, index and administer/s, 'there is no other level');
query($owner, "SELECT clair.revoke_access('administering')");
like(as('administering', $_), qr/^42501: permission denied/, "taken back: $_") foreach (@reads, map { $_->[1] } @writes);

$owner->quit;
$node->stop;
done_testing();
