# Proves that an operation which is interrupted at any of its phases - by an error, a cancel, the end of
# its session, its worker or its helper, or kill -9 - has either not happened or happened completely;
# that nothing is left behind, and that it succeeds when it is tried again.
#
# Every operation is run once undisturbed, which tells the points that it goes through (FAULT_POINT).
# Then it is run with a fault at each of these: here each point once, with one fault; in the long form
# every point of every operation, with every fault.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FaultServer;
use FeedTest;
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;
use Time::HiRes qw(sleep time);

my $LONG = $ENV{CLAIR_TEST_LONG};

plan skip_all => '"make fault-programs" has not been run' if !defined fault_programs();

my $folder = PostgreSQL::Test::Utils::tempdir();
my $product = `pg_config --pkglibdir` =~ s/\n//r;

foreach my $program (qw(clair.so clair-reader clair-fetch))
{
    is(join(' ', points_in("$product/$program")), '', "$program as it is installed has no points");
}

my $node = start_fault_server('faults', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0',
    'clair.webhook_retry_delay = 10ms', 'max_connections = 30', 'clair.max_index_workers = 2');

# ---------------------------------------------------------------------------
# Sessions, which are opened again when they have been lost
# ---------------------------------------------------------------------------

my %sessions;
my %backends;
my %descriptors;

sub session_in
{
    my ($database) = @_;

    if (!$sessions{$database})
    {
        $node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
        $sessions{$database} = $node->background_psql($database, on_error_stop => 0);
        $backends{$database} = query($sessions{$database}, 'SELECT pg_backend_pid()');
        delete $descriptors{$database};
    }
    return $sessions{$database};
}

# What becomes of a statement: its rows, "ERROR: " and why, or "lost" when its session is.
sub attempt
{
    my ($database, $statement) = @_;
    my $session = session_in($database);

    $session->{stderr} = '';
    my $rows = eval { $session->query($statement) };
    if (!defined $rows || $session->{stderr} =~ /FATAL|connection to server was lost/)
    {
        eval { $session->quit };
        delete $sessions{$database};
        return 'lost';
    }
    return $session->{stderr} =~ /ERROR:\s+(.*)/ ? "ERROR: $1" : $rows;
}

# A statement that must succeed.
sub do_now
{
    my ($database, $statement) = @_;
    my $outcome = attempt($database, $statement);

    die "$statement: $outcome" if $outcome =~ /^ERROR|^lost/;
    return $outcome;
}

# ---------------------------------------------------------------------------
# Images, feeds, a receiver
# ---------------------------------------------------------------------------

my @release = ('etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n");
my $base = make_layer("$folder/base.tar", @release, 'var/lib/dpkg/status' =>
    status_paragraphs([ 'bash', '5.2-1' ], [ 'zlib1g', '1.2-1', 'zlib' ]));
my $top = make_layer("$folder/top.tar", 'srv/app/app.lock' => "left-pad 1\n", 'var/lib/dpkg/status' =>
    status_paragraphs([ 'bash', '5.2-1' ], [ 'zlib1g', '1.3-1', 'zlib' ], [ 'curl', '8-1' ]));
my $other = make_layer("$folder/other.tar", @release, 'srv/other' => 'x',
    'var/lib/dpkg/status' => status_paragraphs([ 'curl', '8-1' ]));

# An OCI layout of layers.
sub make_layout
{
    my ($path, @layers) = @_;
    my (@diff_ids, @descriptors);
    my $add = sub {
        my ($bytes, $type) = @_;
        my $digest = Digest::SHA::sha256_hex($bytes);

        write_file("$path/blobs/sha256/$digest", $bytes);
        return { mediaType => $type, digest => "sha256:$digest", size => length $bytes };
    };

    foreach my $layer (@layers)
    {
        my $descriptor = $add->(slurp_file($layer), 'application/vnd.oci.image.layer.v1.tar');
        push @descriptors, $descriptor;
        push @diff_ids, $descriptor->{digest};
    }
    my $json = JSON::PP->new->utf8->canonical;
    my $config = $add->($json->encode({ architecture => 'amd64', os => 'linux',
        rootfs => { type => 'layers', diff_ids => \@diff_ids } }), 'application/vnd.oci.image.config.v1+json');
    my $manifest = $add->($json->encode({ schemaVersion => 2, config => $config, layers => \@descriptors }),
        'application/vnd.oci.image.manifest.v1+json');
    write_file("$path/oci-layout", '{"imageLayoutVersion": "1.0.0"}');
    write_file("$path/index.json", { schemaVersion => 2, manifests => [$manifest] });
    return $path;
}

my $layout = make_layout("$folder/layout", $base, $top);

# Two states of a feed, between which updates go back and forth: findings begin, change and end.
my %states = (
    old => { bash => { 'CVE-2031-1' => { releases => { bookworm => { status => 'open', urgency => 'low' } } },
            'CVE-2031-2' => { releases => { bookworm => { status => 'open', urgency => 'high' } } } } },
    new => { bash => { 'CVE-2031-1' => { releases => { bookworm =>
                { status => 'resolved', urgency => 'high', fixed_version => '9-1' } } } },
        zlib => { 'CVE-2031-3' => { releases => { bookworm => { status => 'open', urgency => 'medium' } } } } });

sub answer_feed
{
    my ($client) = @_;

    WebServer::answer($client, '200 OK', {}, slurp_file("$folder/tracker.json"));
}

my $server = Receiver->start('/hook' => sub { WebServer::answer($_[0], '200 OK', {}, '') });
my $files = WebServer->start('/tracker.json' => \&answer_feed,
    '/layer' => sub { WebServer::answer($_[0], '200 OK', {}, slurp_file($top)) });

do_now('postgres', <<"SQL");
UPDATE clair.updater SET url = '${\ $files->url('/tracker.json')}', options = '{"max_shrinkage": 100}'
WHERE name = 'debian';
CREATE TABLE public.said (which text, vulnerability text, fixed text);
INSERT INTO public.said VALUES ('old', 'CVE-2031-7', NULL), ('old', 'CVE-2031-8', '9'), ('new', 'CVE-2031-7', '9');
CREATE TABLE public.state (which text);
INSERT INTO public.state VALUES ('old');
CREATE FUNCTION public.say() RETURNS SETOF clair.advisory LANGUAGE sql AS
\$\$ SELECT (jsonb_populate_record(NULL::clair.advisory, jsonb_build_object('vulnerability', s.vulnerability,
    'namespace', 'debian:12', 'package', 'bash', 'format', 'dpkg', 'fixed', s.fixed))).*
    FROM public.said AS s, public.state AS t WHERE s.which = t.which \$\$;
SELECT clair.create_updater('said', 'public.say()'::regprocedure);
CREATE FUNCTION public.lock(path text, content bytea) RETURNS TABLE (name text, version text)
LANGUAGE sql AS \$\$ SELECT split_part(convert_from(\$2, 'UTF8'), ' ', 1), '1' \$\$;
SELECT clair.create_detector('lock', 'public.lock(text, bytea)', '{srv/*/app.lock}', 'dpkg');
SELECT clair.index_image('$base', 'base');
SELECT clair.index_image('$other', 'other');
SELECT clair.create_consumer('reader'), clair.create_consumer('hook');
SELECT clair.create_webhook('hook', '${\ $server->url('/hook')}', max_attempts => 1000);
SELECT clair.alter_webhook('hook', enabled => false);
SQL

# An export in each of the two states, and a database to import them to.
foreach my $state (qw(old new))
{
    write_file("$folder/tracker.json", $states{$state});
    like(do_now('postgres', 'SELECT state FROM clair.update(\'debian\')'), qr/^succeeded$/, "feed: $state");
    do_now('postgres', "SELECT clair.export_updates('$folder/$state.export', updaters => '{debian}');"
        . ' SELECT clair.next_notifications(name, 100) FROM clair.consumer;'
        . ' SELECT clair.acknowledge_until(name, 100000) FROM clair.consumer');
}
write_file("$folder/tracker.json", $states{old});
do_now('postgres', "SELECT clair.update('debian'); SELECT clair.update('said')");
$node->safe_psql('postgres', 'CREATE DATABASE there');
create_extension($node, 'there');
create_checks($node, 'there');
do_now('there', "SELECT clair.index_image('$base', 'base')");

# ---------------------------------------------------------------------------
# Operations: a statement that says "ok" in its last line; how to undo it
# ---------------------------------------------------------------------------

my $FORGET = 'SELECT clair.collect_garbage()';

# Of an updater: the one state becomes the other, by a file or by SQL.
sub update_operation
{
    my ($updater, $become, %more) = @_;

    return (
        name => "update of $updater$more{title}",
        before => sub { $become->('new') },
        run => "SELECT CASE WHEN state IN ('succeeded', 'unchanged') THEN 'ok' ELSE state END"
            . " FROM clair.update('$updater')",
        undo => sub { $become->('old'); do_now('postgres', "SELECT clair.update('$updater')") },
        own_transactions => 1);
}

my $become_feed = sub { write_file("$folder/tracker.json", $states{ $_[0] }) };
my $become_table = sub { do_now('postgres', "UPDATE public.state SET which = '$_[0]'") };
# Of a webhook, which may have to wait as after a failure: the last notifications are posted once more.
sub delivery_operation
{
    my ($name, $resume_at) = @_;
    my $of_hook = "FROM clair.delivery WHERE consumer = 'hook' AND state <> 'cancelled'";

    return (
        name => $name,
        begin => "SELECT clair.alter_webhook('hook', enabled => true); SELECT clair.deliver_webhooks()",
        before => sub {
            quiet($node, session_in('postgres'));
            # as if they had never been tried: who has failed often has to wait long
            do_now('postgres', "DELETE FROM clair.webhook_receipt WHERE consumer = 'hook';"
                . " UPDATE clair.webhook_state SET failures = 0, resume_at = $resume_at;"
                . " UPDATE clair.delivery SET state = 'pending', attempts = 0, due_at = NULL, finished_at = NULL"
                . " WHERE consumer = 'hook' AND notification IN"
                . " (SELECT notification $of_hook ORDER BY notification DESC LIMIT 4)");
        },
        run => "SELECT 'ok' FROM clair.deliver_webhooks() LIMIT 1",
        undo => sub { },
        state => sub { do_now('postgres', "SELECT string_agg(DISTINCT state, ' ') $of_hook") },
        last_point => 'webhook-done',
        own_transactions => 1,
        in_parts => 1);
}

my $feed = 'old';

# The feed goes on to its other state.
sub next_feed
{
    $feed = $feed eq 'old' ? 'new' : 'old';
    $become_feed->($feed);
    is(do_now('postgres', "SELECT state FROM clair.update('debian')") =~ s/.*\n//sr, 'succeeded', "feed: $feed");
}

sub state_of_last_run
{
    return do_now('postgres', "SELECT state FROM clair.update_run WHERE updater = 'debian' ORDER BY id DESC LIMIT 1");
}

my $JSON_BILL = '{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "library",'
    . ' "name": "curl", "version": "8-1", "purl": "pkg:deb/debian/curl@8-1?arch=amd64&distro=debian-12"}]}';
my $VEX = encode_json({ '@context' => 'https://openvex.dev/ns/v0.2.0', '@id' => 'https://example.org/vex',
    author => 'we', timestamp => '2031-01-01T00:00:00Z', version => 1, statements => [
        { vulnerability => { name => 'CVE-2031-2' }, products => [ { '@id' => 'pkg:deb/debian/bash' } ],
            status => 'not_affected', justification => 'vulnerable_code_not_present' } ] });

my @operations = (
    {
        name => 'index_image of a layout',
        run  => "SELECT 'ok' FROM clair.index_image('$layout', 'app')",
        undo => "SELECT clair.delete_image('app'); $FORGET",
    },
    {
        name => 'index_image of bytes',
        run  => "SELECT 'ok' FROM clair.index_image(pg_read_binary_file('$top'), 'top')",
        undo => "SELECT clair.delete_image('top'); $FORGET",
    },
    {
        name => 'index_layer of a URL',
        run  => "SELECT 'ok' FROM clair.index_layer('layer', '${\ $files->url('/layer')}', 'base')",
        undo => "SELECT clair.delete_image('layer'); $FORGET",
    },
    {
        name => 'index_sbom',
        run  => "SELECT 'ok' FROM clair.index_sbom('$JSON_BILL'::jsonb, 'bill')",
        undo => "SELECT clair.delete_image('bill'); $FORGET",
    },
    {
        name => 'index_images',
        run  => "SELECT CASE WHEN bool_and(sqlstate IS NULL) THEN 'ok' END"
            . " FROM clair.index_images('{$layout,$top}', '{app,top}')",
        undo => "SELECT clair.delete_image(name) FROM clair.image_name WHERE name IN ('app', 'top'); $FORGET",
        own_transactions => 1,
        in_parts => 1,
    },
    {
        name   => 'delete_image',
        before => sub { do_now('postgres', "SELECT clair.index_image('$layout', 'app')") },
        run    => "SELECT 'ok' FROM clair.delete_image('app')",
        undo   => sub { },
    },
    {
        name   => 'clean_up',
        before => sub {
            do_now('postgres', "SELECT clair.index_image('$layout', 'app'); SELECT clair.delete_image('app')");
        },
        run  => "SELECT 'ok' FROM clair.clean_up('0', '0') LIMIT 1",
        undo => sub { },
    },
    { update_operation('debian', $become_feed, title => ' by HTTP') },
    {
        update_operation('debian', $become_feed, title => ' from a file'),
        begin => "UPDATE clair.updater SET url = 'file://$folder/tracker.json' WHERE name = 'debian';"
            . " SELECT clair.update('debian')",
    },
    { update_operation('said', $become_table, title => ', which is a function') },
    {
        name   => 'update of which nothing has changed',
        before => sub { next_feed() },
        run    => "SELECT CASE state WHEN 'unchanged' THEN 'ok' ELSE state END FROM clair.update('debian')",
        undo   => sub { },
        state  => \&state_of_last_run,
        own_transactions => 1,
        in_parts => 1,
    },
    {
        name   => 'update that fails',
        before => sub { next_feed(); write_file("$folder/tracker.json", '<html>') },
        run    => "SELECT CASE state WHEN 'failed' THEN 'ok' ELSE state END FROM clair.update('debian')",
        undo   => sub { },
        state  => \&state_of_last_run,
        own_transactions => 1,
        in_parts => 1,
    },
    {
        name => 'create_updater',
        run  => "SELECT 'ok' FROM clair.create_updater('third', 'public.say()'::regprocedure)",
        undo => "SELECT clair.drop_updater('third')",
    },
    {
        name   => 'drop_updater',
        before => sub {
            do_now('postgres', "SELECT clair.create_updater('third', 'public.say()'::regprocedure);"
                . " SELECT clair.update('third')");
        },
        run  => "SELECT 'ok' FROM clair.drop_updater('third') LIMIT 1",
        undo => sub { },
    },
    {
        name   => 'export_updates',
        before => sub { unlink "$folder/export" },
        run    => "SELECT 'ok' FROM clair.export_updates('$folder/export') LIMIT 1",
        undo   => sub { },
        state  => sub { join ' ', map { s{.*/}{}r } glob "$folder/export*" },
        # a file stays, whatever becomes of the transaction
        own_transactions => 1,
    },
    {
        name     => 'import_updates',
        database => 'there',
        begin    => "SELECT clair.import_updates('$folder/old.export')",
        run      => "SELECT CASE WHEN state = 'succeeded' THEN 'ok' END"
            . " FROM clair.import_updates('$folder/new.export')",
        # an export of before is not imported upon one of after
        undo => "UPDATE clair.updater_state SET state = NULL WHERE updater = 'debian';"
            . " SELECT clair.import_updates('$folder/old.export')",
        own_transactions => 1,
    },
    {
        name => 'create_webhook',
        begin => "SELECT clair.create_consumer('new')",
        run  => "SELECT 'ok' FROM clair.create_webhook('new', '${\ $server->url('/hook')}')",
        undo => "SELECT clair.drop_consumer('new'); SELECT clair.create_consumer('new')",
        last_point => 'webhook-done',
        own_transactions => 1,
        state => sub { do_now('postgres', 'SELECT count(*) FROM clair.webhook') },
    },
    {
        name => 'load_vex',
        run  => "SELECT 'ok' FROM clair.load_vex('$VEX'::jsonb)",
        undo => 'DELETE FROM clair.exception; DELETE FROM clair.vex_document',
    },
    {
        name => 'next_notifications and acknowledge',
        before => sub { do_now('postgres', "SELECT clair.rewind_consumer('reader', 0)") },
        run  => "SELECT 'ok' FROM (SELECT count(*) FROM clair.next_notifications('reader', 100)) AS n,"
            . " LATERAL (SELECT clair.acknowledge_until('reader', 100000 + n.count)) AS a",
        undo => sub { },
        state => sub {
            do_now('postgres', "SELECT string_agg(DISTINCT state, ' ') FROM clair.delivery WHERE consumer = 'reader'"
                . " AND state <> 'cancelled'");
        },
    },
    { delivery_operation('deliver_webhooks', 'NULL') },
    { delivery_operation('deliver_webhooks, after a pause', "now() + '0.5 s'") },
);

# ---------------------------------------------------------------------------
# Faults
# ---------------------------------------------------------------------------

my $crashed = 0; # then temporary tables may be left, until they are in somebody's way
my @SERVER_FAULTS = qw(error cancel kill-helper terminate fatal);
# where a helper is at work
my $WITH_HELPER = qr/^(?:helper-|stage-(?!tables)|run-(?:asked|document-)|layer-|webhook-(?:posted|answered)|import-inspected
    |export-(?:begun|told|part|written)|index-(?:row|known|blob|claimed|read))/x;
my @HELPER_FAULTS = qw(exit crash leave hang);

sub is_of_helper
{
    return $_[0] =~ /^(?:reader|fetch|connection)-/;
}

sub do_either
{
    my ($database, $what) = @_;

    return if !defined $what;
    ref $what ? $what->() : do_now($database, $what);
}

# What an operation is about, as one text.
sub state_of
{
    my ($operation) = @_;

    return $operation->{state}->() if $operation->{state};
    return do_now($operation->{database},
        'SELECT md5(string_agg(line, \' \' ORDER BY line COLLATE "C")) FROM public.contents()');
}

# Lets a fault happen; what the statement came to.
sub attempt_with
{
    my ($operation, $point, $fault) = @_;
    my $database = $operation->{database};

    # whoever waits for a helper that hangs is cancelled
    do_now($database, "SET statement_timeout = '300ms'") if $fault eq 'hang';
    set_fault($node, $point, $fault);
    my $outcome = attempt($database, $operation->{run});
    # in a worker, perhaps later than the statement ends
    my $happened = wait_for($operation->{own_transactions} ? 5 : 0, sub { fault_happened($node) });
    # or when the statement has ended that had the worker started
    wait_for(2, sub { grep { $_ eq 'worker-begun' } reached_points($node) }) if $operation->{last_point};
    clear_fault($node);
    attempt($database, 'RESET statement_timeout') if $fault eq 'hang';
    return ($outcome =~ s/.*\n//sr, $happened);
}

# What is wrong after a fault in an operation that was to be done; it is to be done afterwards, too.
sub go_through
{
    my ($operation, $point, $fault) = @_;
    my $database = $operation->{database};
    my $since = time();
    my ($outcome, $happened) = attempt_with($operation, $point, $fault);
    my @wrong;

    if ($fault eq 'kill')
    {
        eval { $_->quit } foreach values %sessions;
        %sessions = ();
        $crashed = 1;
    }
    push @wrong, 'it has not happened' if !$happened;
    # what workers do may go on when the statement has ended
    if ($operation->{own_transactions} || $LONG)
    {
        my $left = quiet($node, session_in($database), crashed => $crashed);
        push @wrong, "left: $left" if $left ne '';
    }
    my $state = state_of($operation);
    my $done = $state eq $operation->{done};
    push @wrong, 'neither done nor undone' if !$done && $state ne $operation->{undone} && !$operation->{in_parts};
    # who is told nothing cannot know
    push @wrong, 'done, but told of a failure'
        if $done && $outcome =~ /^ERROR/ && !$operation->{own_transactions};
    push @wrong, 'told of a success, but not done'
        if !$done && $outcome eq 'ok' && !$operation->{last_point};
    push @wrong, finish($operation) if $LONG;
    if ($LONG || $state ne $operation->{undone})
    {
        do_either($database, $operation->{undo});
        do_either($database, $operation->{before});
        quiet($node, session_in($database), crashed => $crashed) if $operation->{own_transactions};
    }
    note(sprintf '%s, %s: %.2f s', $point, $fault, time() - $since);
    return map { "$point, $fault: $_ ($outcome)" } @wrong;
}

# Runs the operation without a fault; what the statement came to.
sub run_undisturbed
{
    my ($operation) = @_;

    clear_fault($node);
    my $outcome = attempt($operation->{database}, $operation->{run}) =~ s/.*\n//sr;
    # a worker that nobody waits for may not even have begun
    wait_for(20, sub { grep { $_ eq $operation->{last_point} } reached_points($node) })
        if $operation->{last_point};
    return $outcome;
}

# What is wrong when the operation is done at last, whatever has become of it so far.
sub finish
{
    my ($operation) = @_;
    my $session = session_in($operation->{database});
    my @wrong;
    my $outcome = run_undisturbed($operation);
    my $left = quiet($node, $session, crashed => $crashed);
    my $done = state_of($operation) eq $operation->{done};

    push @wrong, "then: $outcome" if !$done && $outcome ne 'ok';
    push @wrong, 'then it was not done' if !$done;
    push @wrong, inconsistencies($session);
    push @wrong, $left;
    my $descriptors = descriptors_of($node, $backends{ $operation->{database} });
    push @wrong, "descriptors: $descriptors, before: $descriptors{$operation->{database}}"
        if $descriptors ne ($descriptors{ $operation->{database} } //= $descriptors);
    return grep { $_ ne '' } @wrong;
}

my %tried;
my %number; # of faults, by what they are
my $turn = 0;

# The faults that a point is tried with.
sub faults_for
{
    my ($operation, $point) = @_;
    my @faults = is_of_helper($point) ? @HELPER_FAULTS : @SERVER_FAULTS;

    # an error in a detector's function is that of the function: the image becomes partial
    @faults = grep { $_ ne 'error' } @faults if $point =~ /^detector-/;
    @faults = grep { $_ ne 'kill-helper' } @faults if $point !~ $WITH_HELPER;
    # who delivers to webhooks does not end with the statement that had it started
    @faults = grep { $_ ne 'hang' } @faults if $operation->{name} =~ /^deliver/;
    return (@faults, is_of_helper($point) ? () : 'kill') if $LONG;
    return () if $tried{$point}++;
    return $faults[ $turn++ % @faults ];
}

foreach my $operation (@operations)
{
    $operation->{database} //= 'postgres';
    next if defined $ENV{FAULTS_OF} && $operation->{name} !~ /$ENV{FAULTS_OF}/;

    my ($name, $database) = @$operation{qw(name database)};
    my $since = time();
    my $count = 0;
    my @wrong;

    do_either($database, $operation->{begin});
    do_either($database, $operation->{before});
    quiet($node, session_in($database));
    $operation->{undone} = state_of($operation);
    is(run_undisturbed($operation), 'ok', "$name: undisturbed");
    is(quiet($node, session_in($database), crashed => $crashed), '', "$name: leaves nothing behind");
    my @points = reached_points($node);
    $operation->{done} = state_of($operation);
    isnt($operation->{done}, $operation->{undone}, "$name: has an effect");
    $descriptors{$database} = descriptors_of($node, $backends{$database});
    do_either($database, $operation->{undo});
    do_either($database, $operation->{before});
    is(state_of($operation), $operation->{undone}, "$name: can be undone");
    foreach my $point (@points)
    {
        my @faults = faults_for($operation, $point);

        # kill -9 takes the whole server down: in the short form once, not at the beginning
        push @faults, 'kill' if !$LONG && $count++ == int(@points * 2 / 3) && !is_of_helper($point);
        push @wrong, go_through($operation, $point, $_) foreach @faults;
        $number{$_}++ foreach @faults;
    }
    push @wrong, finish($operation);
    do_either($database, $operation->{undo});
    is(join("\n", @wrong), '', "$name: faults at its " . @points . ' points');
    $tried{$_}++ foreach @points;
    note(sprintf '%s: %.1f s', $name, time() - $since);
}

# ---------------------------------------------------------------------------
# At the end
# ---------------------------------------------------------------------------

my @known = map { points_in(fault_programs() . "/$_") } qw(clair.so clair-reader clair-fetch);
my %known = map { $_ => 1 } @known;
is(join(' ', grep { !$tried{$_} } sort keys %known), '', 'there is no point that no operation goes through')
    if !defined $ENV{FAULTS_OF};

note(join ', ', map { "$_: $number{$_}" } sort keys %number);
eval { $_->quit } foreach values %sessions;
$node->stop;
done_testing();
