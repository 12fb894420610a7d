# Proves that what changes for indexed images is announced: once for each vulnerability, with what
# there was and is, when the run commits; and that nothing else is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(decode);
use FeedTest;
use IndexTest;
use JSON::PP;
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = start_server('notify', 'max_worker_processes = 16');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session)  = session($node);
my ($listener) = session($node);

query($listener, 'LISTEN clair');

# ---------------------------------------------------------------------------
# Images, and a feed that is changed bit by bit
# ---------------------------------------------------------------------------

sub debian_layer
{
    my ($name, $release, @packages) = @_;

    return make_layer("$folder/$name.tar",
        'etc/os-release' => "ID=debian\nVERSION_ID=\"$release\"\n",
        'srv/name' => $name,
        'var/lib/dpkg/status' => status_paragraphs(@packages));
}

# Three images over one package database, and two with databases of their own.
foreach my $name (qw(web1 web2 web3))
{
    index_file($session, debian_layer($name, 12, [ 'bash', '5.2-1' ], [ 'libssl3', '3.0.1-1', 'openssl' ],
        [ 'openssl', '3.0.1-1' ]), $name);
}
index_file($session, debian_layer('db', 12, [ 'bash', '5.2-1' ], [ 'zlib1g', '1:1.2-1', 'zlib' ]), 'db');
index_file($session, debian_layer('old', 11, [ 'bash', '5.1-1' ], [ 'openssl', '1.1-1' ]), 'old');
is(scalar query($session, 'SELECT count(*) FROM clair.package_database'), 3,
    'five images over three package databases');

# What the tracker says of a vulnerability in a release: "open", "undetermined", or where it is fixed.
sub said
{
    my ($state, $urgency) = @_;

    return { status => $state, urgency => $urgency // 'low' } if $state =~ /^(open|undetermined)$/;
    return { status => 'resolved', urgency => $urgency // 'low', fixed_version => $state };
}

my %feed = (
    bash => {
        'CVE-2031-0001' => { description => 'one', releases => { bookworm => said('open') } },
        'CVE-2031-0006' => { releases => { bullseye => said('open', 'high') } },
    },
    openssl => {
        'CVE-2031-0002' => { releases => { bookworm => said('3.0.2-1', 'medium'), bullseye => said('0') } },
        'CVE-2031-0003' => { releases => { bookworm => said('3.0.0-1') } },
    },
    zlib => { 'CVE-2031-0004' => { releases => { bookworm => said('undetermined', 'high') } } },
    absent => { 'CVE-2031-0005' => { releases => { bookworm => said('open', 'high') } } },
);

sub write_feed
{
    write_file("$folder/tracker.json", \%feed);
}

# Runs the updater over the feed as it is now.
sub run_feed
{
    write_feed();
    my ($run, $differences) = update_watching_alerts($session, 'debian');

    is($differences, '', '... tells exactly what has become of the findings') if $run->{run} > 1;
    return $run;
}

my $longest = 0;

# The payloads that have arrived since, checked for what holds of all of them.
sub heard
{
    my ($run) = @_;
    my @payloads = scalar(query($listener, 'SELECT 1'))
        =~ /^Asynchronous notification "clair" with payload "(.*)" received from server process/mg;
    my @messages = map { decode_json($_) } @payloads;

    foreach my $i (0 .. $#messages)
    {
        my $message = $messages[$i];

        $longest = max($longest, length($payloads[$i]));
        fail("payload $payloads[$i]")
            if $message->{version} ne '1' || $message->{run} != $run->{run} || $message->{updater} ne 'debian';
    }
    return @messages;
}

# A message as a line.
sub line_of
{
    my ($message) = @_;

    return join ' ', map { $message->{$_} // 'none' } qw(vulnerability reason severity images);
}

# Runs the updater and checks what is heard, and that clair.notification says the same.
sub announces
{
    my ($name, @expected) = @_;
    my $run = run_feed();
    my @messages = heard($run);

    is($run->{state}, 'succeeded', "$name: the run") or diag($run->{error});
    is_deeply([ map { line_of($_) } @messages ], \@expected, "$name: what is announced");
    is_deeply(
        [
            map { decode('UTF-8', $_) } query($session,
                'SELECT concat_ws(\' \', id, vulnerability, reason, severity, images, updater)'
                . " FROM clair.notification WHERE run = $run->{run} ORDER BY id")
        ],
        [ map { "$_->{notification} " . line_of($_) . ' debian' } @messages ],
        "$name: the rows of clair.notification");
    return $run;
}

# The ranges before and after that the last run's notification of a vulnerability has, as text.
sub ranges_of
{
    my ($run, $vulnerability) = @_;

    return scalar query($session, <<"SQL");
SELECT concat_ws(' -> ', COALESCE(before_text, 'nothing'), COALESCE(after_text, 'nothing'))
FROM clair.notification,
    LATERAL (SELECT string_agg(concat_ws(' ', r.namespace, r.kind, r.package,
                 COALESCE(r.introduced, '-'), COALESCE(r.fixed, '-'), r.status, r.severity), ', ') AS before_text
             FROM jsonb_to_recordset(before) AS r(namespace text, kind text, package text,
                 introduced text, fixed text, status text, severity text)) AS b,
    LATERAL (SELECT string_agg(concat_ws(' ', r.namespace, r.kind, r.package,
                 COALESCE(r.introduced, '-'), COALESCE(r.fixed, '-'), r.status, r.severity), ', ') AS after_text
             FROM jsonb_to_recordset(after) AS r(namespace text, kind text, package text,
                 introduced text, fixed text, status text, severity text)) AS a
WHERE run = $run->{run} AND vulnerability = '$vulnerability'
SQL
}

# ---------------------------------------------------------------------------
# Nothing to tell
# ---------------------------------------------------------------------------

set_feed($session, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
my $run = announces('the first run');
is("$run->{added}", 6, '... brought vulnerabilities');
is(scalar query($session, 'SELECT count(DISTINCT image_id) FROM clair.image_vulnerability'), 5,
    '... which all images have');

$run = run_feed();
is("$run->{state} " . heard($run), 'unchanged 0', 'the same feed again: nothing');

$feed{bash}{'CVE-2031-0001'}{description} = 'another text';
$run = announces('a description only');
is($run->{changed}, 1, '... was a change');

$feed{absent}{'CVE-2031-0007'} = { releases => { bookworm => said('open', 'high') } };
$feed{zlib}{'CVE-2031-0008'}   = { releases => { bullseye => said('open', 'high') } };
$feed{openssl}{'CVE-2031-0009'} = { releases => { bookworm => said('3.0.1-1', 'high') } };
$run = announces('no image has the package, the release, the version');
is($run->{added}, 3, '... were additions');

# ---------------------------------------------------------------------------
# Something to tell
# ---------------------------------------------------------------------------

$feed{bash}{'CVE-2031-0010'} = { releases => { bookworm => said('open', 'high') } };
$run = announces('a new one, in two package databases of four images', 'CVE-2031-0010 added High 4');
is(ranges_of($run, 'CVE-2031-0010'), 'nothing -> debian:12 source bash - - affected High',
    '... with its range');
is(scalar query($session, "SELECT count(*) FROM clair.affected_images('CVE-2031-0010')"), 4,
    '... and as many images as clair.affected_images() has');

$feed{bash}{'CVE-2031-0010'}{releases}{bookworm} = said('open', 'medium');
$run = announces('another severity', 'CVE-2031-0010 changed Medium 4');
is(ranges_of($run, 'CVE-2031-0010'), 'debian:12 source bash - - affected High'
    . ' -> debian:12 source bash - - affected Medium', '... before and after');

$feed{bash}{'CVE-2031-0010'}{releases}{bullseye} = said('open', 'high');
$run = announces('another release', 'CVE-2031-0010 changed High 1');
is(ranges_of($run, 'CVE-2031-0010'), 'nothing -> debian:11 source bash - - affected High',
    '... and only what is new of it');

$feed{bash}{'CVE-2031-0010'}{releases}{bookworm} = said('5.3-1', 'medium');
announces('a fix to come', 'CVE-2031-0010 changed Medium 4');
$feed{bash}{'CVE-2031-0010'}{releases}{bookworm} = said('5.2-1', 'medium');
$run = announces('a fix that is installed', 'CVE-2031-0010 changed Medium 4');
is(ranges_of($run, 'CVE-2031-0010'), 'debian:12 source bash - 5.3-1 fixed Medium'
    . ' -> debian:12 source bash - 5.2-1 fixed Medium', '... before and after');
$feed{bash}{'CVE-2031-0010'}{releases}{bookworm} = said('5.1-1', 'medium');
announces('a fix that no image knew the lack of');

$feed{zlib}{'CVE-2031-0004'}{releases}{bookworm} = said('open', 'high');
announces('from under_investigation to affected', 'CVE-2031-0004 changed High 1');
$feed{zlib}{'CVE-2031-0004'}{releases}{bookworm} = said('0', 'high');
$run = announces('from affected to not_affected', 'CVE-2031-0004 changed High 1');
is(ranges_of($run, 'CVE-2031-0004'), 'debian:12 source zlib - - affected High'
    . ' -> debian:12 source zlib - - not_affected High', '... before and after');
$feed{zlib}{'CVE-2031-0004'}{releases}{bookworm} = said('undetermined', 'high');
announces('from not_affected to under_investigation');
$feed{zlib}{'CVE-2031-0004'}{releases}{bookworm} = said('0', 'high');
announces('and back');
$feed{zlib}{'CVE-2031-0004'}{releases}{bookworm} = said('open', 'high');
announces('from not_affected to affected', 'CVE-2031-0004 changed High 1');

my $former = delete $feed{openssl}{'CVE-2031-0002'};
$run = announces('withdrawn', 'CVE-2031-0002 withdrawn Medium 3');
is(ranges_of($run, 'CVE-2031-0002'), 'debian:11 source openssl - - not_affected Low,'
    . ' debian:12 source openssl - 3.0.2-1 fixed Medium -> nothing',
    '... with what it was');
$feed{openssl}{'CVE-2031-0002'} = $former;
$run = announces('there again', 'CVE-2031-0002 added Medium 3');
like(ranges_of($run, 'CVE-2031-0002'), qr/^nothing -> .*3\.0\.2-1/, '... with what it is');

$feed{bash}{'CVE-2031-0020'} = $feed{zlib}{'CVE-2031-0020'}
    = { releases => { bookworm => said('open', 'low') } };
$run = announces('of two packages of one image', 'CVE-2031-0020 added Low 4');
is(ranges_of($run, 'CVE-2031-0020'), 'nothing -> debian:12 source bash - - affected Low,'
    . ' debian:12 source zlib - - affected Low', '... with both ranges');
delete $feed{bash}{'CVE-2031-0020'};
announces('of one package no more', 'CVE-2031-0020 changed Low 4');
my $zlib = delete $feed{zlib};
announces('a package is gone', 'CVE-2031-0004 withdrawn High 1', 'CVE-2031-0020 withdrawn Low 1');
$feed{zlib} = $zlib;
announces('a package is there again', 'CVE-2031-0004 added High 1', 'CVE-2031-0020 added Low 1');

# A release that the feed drops is frozen: what was said of it stays, and nobody is told.
my $everything = decode_json(encode_json(\%feed));
foreach my $package (values %feed)
{
    delete $_->{releases}{bullseye} foreach values %$package;
    delete $package->{$_} foreach grep { !%{ $package->{$_}{releases} } } keys %$package;
}
$run = announces('a release is dropped');
is(scalar query($session, "SELECT string_agg(vulnerability, ' ' ORDER BY vulnerability COLLATE \"C\")"
    . " FROM clair.vulnerabilities('old') WHERE vulnerability IS NOT NULL"), 'CVE-2031-0006 CVE-2031-0010',
    '... and its image has the vulnerabilities that it had');
%feed = %$everything;
$feed{bash}{'CVE-2031-0006'}{releases}{bullseye} = said('open', 'low');
announces('and taken up again, with a difference', 'CVE-2031-0006 changed Low 1');

# ---------------------------------------------------------------------------
# Names, the limit
# ---------------------------------------------------------------------------

# 512 bytes, the most that a name may have, nearly each as long as JSON can make it.
my $name = "CVE-\"\\\x{e9}" . "\x01" x 504;
$feed{bash}{$name} = { releases => { bookworm => said('open', 'low') } };
announces('a name that JSON has to escape', "$name added Low 4");
delete $feed{bash}{$name};
announces('and without it', "$name withdrawn Low 4");
ok($longest > 3000 && $longest < 8000, "the longest payload has $longest bytes");

sub set_limit
{
    query($session, "ALTER DATABASE postgres SET clair.notify_limit = $_[0]");
}

set_limit(2);
$feed{bash}{'CVE-2031-0030'} = { releases => { bookworm => said('open', 'low') } };
$feed{bash}{'CVE-2031-0031'} = { releases => { bookworm => said('open', 'high') } };
announces('as many as the limit, the worst first', 'CVE-2031-0031 added High 4', 'CVE-2031-0030 added Low 4');

$feed{bash}{'CVE-2031-0032'} = { releases => { bookworm => said('open', 'high') } };
$feed{bash}{'CVE-2031-0033'} = { releases => { bookworm => said('open', 'low') } };
$feed{absent}{'CVE-2031-0034'} = { releases => { bookworm => said('open', 'high') } };
$feed{bash}{'CVE-2031-0030'}{releases}{bookworm} = said('open', 'medium');
delete $feed{bash}{'CVE-2031-0031'};
$run = run_feed();
is_deeply([ heard($run) ],
    [
        {
            version => 1, run => $run->{run}, updater => 'debian', notifications => 4, severity => 'High',
            added => 2, changed => 1, withdrawn => 1
        }
    ], 'more than the limit: a summary');
is(join(' ', query($session, 'SELECT vulnerability || \' \' || reason FROM clair.notification'
    . " WHERE run = $run->{run} ORDER BY vulnerability")), 'CVE-2031-0030 changed CVE-2031-0031 withdrawn'
    . ' CVE-2031-0032 added CVE-2031-0033 added', '... and a row for each');

set_limit(0);
delete $feed{bash}{'CVE-2031-0033'};
$run = run_feed();
is(join(' ', map { "$_->{notifications} $_->{withdrawn}" } heard($run)), '1 1',
    'no message of its own for any: a summary of one');
$feed{bash}{'CVE-2031-0001'}{description} = 'a third text';
announces('a summary of nothing is none');
query($session, 'ALTER DATABASE postgres RESET clair.notify_limit');

# ---------------------------------------------------------------------------
# Only what commits
# ---------------------------------------------------------------------------

sub notification_count
{
    return scalar query($session, 'SELECT count(*) FROM clair.notification');
}

my $count = notification_count();
write_file("$folder/tracker.json", JSON::PP->new->utf8->encode(\%feed) . 'x');
$run = update($session, 'debian');
is("$run->{state} " . heard($run), 'failed 0', 'a run over a broken document tells nothing');

# Fails, and later waits, when everything is done but the commit.
query($session, <<'SQL');
CREATE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not today';
END
$$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON clair.notification
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.at_commit();
SQL
$feed{bash}{'CVE-2031-0040'} = { releases => { bookworm => said('open', 'high') } };
$run = run_feed();
is("$run->{state} $run->{error} " . heard($run), 'failed not today 0',
    'a run that fails when it commits tells nothing');
is(notification_count(), $count, '... and has left no row');
is(scalar query($session, "SELECT count(*) FROM clair.affected_images('CVE-2031-0040')"), 0, '... of any kind');

query($session, <<'SQL');
CREATE OR REPLACE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(2031);
    RETURN NULL;
END
$$;
SELECT pg_advisory_lock(2031);
SELECT clair.update('debian', wait => false);
SQL
ok(wait_for(30, sub {
    query($session, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2031"
        . ' AND NOT granted') == 1;
}), 'a run that has not committed yet');
is(scalar(() = query($listener, 'SELECT 1') =~ /Asynchronous/g), 0, '... tells nothing');
is(scalar query($session, "SELECT count(*) FROM clair.affected_images('CVE-2031-0040')"), 0,
    '... and what is found is as before');
query($session, 'SELECT pg_advisory_unlock(2031)');
ok(wait_for(30, sub {
    # Listeners are told after others see what has been committed: the worker is to have ended.
    query($session, "SELECT state || (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'clair updater')"
        . " FROM clair.update_status WHERE updater = 'debian'") eq 'succeeded0';
}), '... commits');
$run = { run => scalar query($session, 'SELECT max(id) FROM clair.update_run') };
is(join(' ', map { line_of($_) } heard($run)), 'CVE-2031-0040 added High 4', '... and tells');
query($session, 'DROP FUNCTION public.at_commit() CASCADE');

# ---------------------------------------------------------------------------
# Images that go, another updater's first run
# ---------------------------------------------------------------------------

query($session, "SELECT clair.delete_image('web3')");
$feed{bash}{'CVE-2031-0040'}{releases}{bookworm} = said('open', 'low');
announces('one image less', 'CVE-2031-0040 changed Low 3');
query($session, "SELECT clair.delete_image(name) FROM clair.image_name");
$feed{bash}{'CVE-2031-0040'}{releases}{bookworm} = said('open', 'high');
announces('no image left');

make_layer("$folder/alpine.tar", 'etc/os-release' => "ID=alpine\nVERSION_ID=3.20.1\n",
    'lib/apk/db/installed' => "P:busybox\nV:1.36.0-r1\nA:x86_64\n\n");
index_file($session, "$folder/alpine.tar", 'alpine');
write_file("$folder/secdb/v3.20/main.json",
    { packages => [ { pkg => { name => 'busybox', secfixes => { '1.36.0-r2' => ['CVE-2031-0050'] } } } ] });
set_feed($session, 'alpine', "$folder/secdb/");
$run = update($session, 'alpine');
is("$run->{state} $run->{added}", 'succeeded 1', 'the first run of another updater');
is(scalar(() = query($listener, 'SELECT 1') =~ /Asynchronous/g), 0, '... tells nothing');

$_->quit foreach $session, $listener;
done_testing();
