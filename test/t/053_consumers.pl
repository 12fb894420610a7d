# Proves that consumers get what their filters let through, all of it, in order and once, as long as
# they acknowledge; and again what they do not, whatever becomes of them or of the server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use JSON::PP;
use Listener;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = start_server('consumers', 'max_worker_processes = 16');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session)  = session($node);
my ($listener) = session($node);

# ---------------------------------------------------------------------------
# Images of two releases, a feed, and consumers with a filter each
# ---------------------------------------------------------------------------

sub debian_layer
{
    my ($name, $release, @packages) = @_;

    return make_layer("$folder/$name.tar",
        'etc/os-release' => "ID=debian\nVERSION_ID=\"$release\"\n",
        'srv/name' => $name,
        'var/lib/dpkg/status' => status_paragraphs(@packages));
}

index_file($session, debian_layer('web', 12, [ 'bash', '5.2-1' ], [ 'libssl3', '3.0-1', 'openssl' ]), 'shop/web:1');
index_file($session, debian_layer('db',  12, [ 'bash', '5.2-1' ], [ 'zlib1g', '1.2-1', 'zlib' ]), 'shop/db:1');
index_file($session, debian_layer('old', 11, [ 'bash', '5.1-1' ]), 'old');

sub said
{
    my ($state, $urgency) = @_;

    return { status => 'open', urgency => $urgency } if $state eq 'open';
    return { status => 'resolved', urgency => $urgency, fixed_version => $state };
}

my %feed = (bash => { 'CVE-2031-0001' => { releases => { bookworm => said('open', 'low') } } });

sub run_feed
{
    write_file("$folder/tracker.json", \%feed);
    my ($run, $differences) = update_watching_alerts($session, 'debian');

    is($run->{state}, 'succeeded', 'a run') or diag($run->{error});
    is($differences, '', '... tells exactly what has become of the findings') if $run->{run} > 1;
    return $run;
}

my %filter = (
    everything => '',
    high       => "minimum_severity => 'High'",
    fixable    => 'fixable_only => true',
    exploited  => 'exploited_only => true',
    bullseye   => "namespaces => '{debian:11,alpine:%}'",
    web        => "images => '{shop/web:%,nothing}'",
    web_high   => "images => '{shop/web:%}', minimum_severity => 'High', fixable_only => true,"
        . " namespaces => '{debian:%}'",
);

set_feed($session, 'debian', "$folder/tracker.json", '{"max_shrinkage": 100}');
query($session, "SELECT clair.create_consumer('$_'" . ($filter{$_} && ", $filter{$_}") . ')')
    foreach sort keys %filter;

# What a consumer is handed out: [ id, attempt, vulnerability, reason, changes ], and acknowledges.
sub take
{
    my ($consumer, $limit) = @_;

    return map { [ split /\|/ ] } query($session, 'SELECT notification, attempt, vulnerability, reason, changes'
        . " FROM clair.next_notifications('$consumer'" . (defined $limit ? ", $limit" : '') . ')');
}

sub acknowledge
{
    my ($consumer, @notifications) = @_;

    return scalar query($session, "SELECT clair.acknowledge('$consumer', '{"
        . join(',', map { $_->[0] } @notifications) . "}'::bigint[])");
}

# Checks which vulnerabilities each consumer is told of, and acknowledges.
sub is_told
{
    my ($name, %expected) = @_;
    my %told;

    foreach my $consumer (keys %filter)
    {
        my @notifications = take($consumer);

        $told{$consumer} = join ' ', map { $_->[2] =~ s/CVE-2031-0*//r } @notifications;
        acknowledge($consumer, @notifications) if @notifications;
    }
    is_deeply(\%told, { map({ $_ => '' } keys %filter), %expected }, $name);
}

run_feed();
is_told('the first run');

# ---------------------------------------------------------------------------
# Filters
# ---------------------------------------------------------------------------

query($session, "INSERT INTO clair.kev (cve, updater, date_added, ransomware)"
    . " VALUES ('CVE-2031-0005', 'kev', '2031-01-01', false)");
$feed{bash}{'CVE-2031-0002'}    = { releases => { bookworm => said('open', 'high') } };
$feed{bash}{'CVE-2031-0003'}    = { releases => { bookworm => said('99', 'low') } };
$feed{bash}{'CVE-2031-0004'}    = { releases => { bullseye => said('open', 'low') } };
$feed{zlib}{'CVE-2031-0005'}    = { releases => { bookworm => said('open', 'low') } };
$feed{openssl}{'CVE-2031-0006'} = { releases => { bookworm => said('99', 'high') } };
# What is high is in another release than what web has, what can be fixed is low.
$feed{bash}{'CVE-2031-0007'}    = { releases => { bookworm => said('99', 'low'), bullseye => said('open', 'high') } };
run_feed();
is_told(
    'an alert passes a filter when one finding passes all of it',
    everything => '2 6 7 3 4 5',
    high       => '2 6 7',
    fixable    => '6 7 3',
    exploited  => '5',
    bullseye   => '7 4',
    web        => '2 6 7 3',
    web_high   => '6',
);

$feed{bash}{'CVE-2031-0002'}{releases}{bookworm} = said('open', 'low');
$feed{openssl}{'CVE-2031-0006'}{releases}{bookworm} = said('open', 'high');
run_feed();
is_told(
    'also when the finding was like that before',
    everything => '6 2',
    high       => '6 2',
    fixable    => '6',
    web        => '6 2',
    web_high   => '6',
);
is_told('everything is acknowledged');

# ---------------------------------------------------------------------------
# Which images
# ---------------------------------------------------------------------------

sub last_notification
{
    my ($vulnerability) = @_;

    return scalar query($session, "SELECT max(id) FROM clair.notification WHERE vulnerability = '$vulnerability'");
}

my $IMAGES = 'SELECT concat_ws(\' \', names[1], side, namespace, feature, installed_version, severity,'
    . ' COALESCE(fixed_in, \'-\'), status,'
    . ' introduced_by = (SELECT layer FROM clair.image_layer WHERE image_id = image))'
    . ' FROM clair.notification_images(';

is_deeply(
    [ query($session, $IMAGES . last_notification('CVE-2031-0006') . ')') ],
    [
        'shop/web:1 before debian:12 libssl3 3.0-1 High 99 fixed t',
        'shop/web:1 after debian:12 libssl3 3.0-1 High - affected t'
    ],
    'what an image had and has, and from which layer');
my $both = last_notification('CVE-2031-0002');
is_deeply(
    [ query($session, "$IMAGES$both)") ],
    [
        map { ("$_ before debian:12 bash 5.2-1 High - affected t", "$_ after debian:12 bash 5.2-1 Low - affected t") }
            'shop/web:1', 'shop/db:1'
    ],
    'all images');
my @pages = map { [ query($session, $_) ] } "SELECT DISTINCT image FROM clair.notification_images($both)",
    "SELECT DISTINCT image FROM clair.notification_images($both, 1)";
push @pages, [ query($session, "SELECT DISTINCT image FROM clair.notification_images($both, 1, $pages[1][0])") ];
push @pages, [ query($session, "SELECT DISTINCT image FROM clair.notification_images($both, 1, $pages[2][0])") ];
is_deeply([ sort @{ $pages[0] } ], [ map { @$_ } @pages[ 1 .. 3 ] ], '... page by page');
is_deeply([ map { scalar @$_ } @pages ], [ 2, 1, 1, 0 ], '... and then none');

# The range of bash changes for versions that no image has; that of zlib ends where it is fixed anyway.
$feed{bash}{'CVE-2031-0003'}{releases}{bullseye} = said('1.0', 'low');
run_feed();
is_told('a range that alters no finding');

# ---------------------------------------------------------------------------
# What is undone before anybody was told
# ---------------------------------------------------------------------------

sub states
{
    my ($consumer, $vulnerability) = @_;

    return join ' ', query($session, "SELECT state FROM clair.delivery WHERE consumer = '$consumer'"
        . " AND vulnerability = '$vulnerability' ORDER BY notification");
}

$feed{bash}{'CVE-2031-0010'} = { releases => { bookworm => said('open', 'high') } };
$feed{bash}{'CVE-2031-0011'} = { releases => { bookworm => said('open', 'high') } };
$feed{bash}{'CVE-2031-0012'} = { releases => { bookworm => said('open', 'high') } };
run_feed();
my @told = take('high', 1);
is($told[0][2], 'CVE-2031-0010', 'one consumer has been told of one of three');
$feed{bash}{'CVE-2031-0012'}{releases}{bookworm} = said('open', 'medium');
run_feed();
delete $feed{bash}{"CVE-2031-001$_"} foreach 0 .. 2;
run_feed();
is(states('high', 'CVE-2031-0010'), 'pending pending', 'told: the withdrawal follows');
is(states('high', 'CVE-2031-0011'), 'cancelled cancelled', 'not told: added and withdrawn is nothing');
is(states('web', 'CVE-2031-0010'), 'cancelled cancelled', '... each consumer for itself');
is(states('everything', 'CVE-2031-0012'), 'cancelled cancelled cancelled', '... whatever happened in between');
acknowledge('high', @told);
is_told('what is left of that', high => '10');

$feed{bash}{'CVE-2031-0001'}{releases}{bookworm} = said('open', 'high');
run_feed();
$feed{bash}{'CVE-2031-0001'}{releases}{bookworm} = said('open', 'medium');
run_feed();
$feed{bash}{'CVE-2031-0001'}{releases}{bookworm} = said('open', 'high');
run_feed();
is(states('everything', 'CVE-2031-0001'), 'pending cancelled cancelled', 'changed back: only the two that cancel out');
$feed{bash}{'CVE-2031-0001'}{releases}{bookworm} = said('open', 'low');
run_feed();
is_told('... and back to the beginning');
my $bash = $feed{bash}{'CVE-2031-0002'};
delete $feed{bash}{'CVE-2031-0002'};
run_feed();
is_deeply([ take('everything') ], [ [ last_notification('CVE-2031-0002'), 1, 'CVE-2031-0002', 'withdrawn', '{}' ] ],
    'withdrawn, told');
$feed{bash}{'CVE-2031-0002'} = $bash;
run_feed();
is_deeply([ take('everything') ], [], '... there again: not before the withdrawal is acknowledged');
is(scalar query($session, "SELECT clair.acknowledge('everything', " . ($both = last_notification('CVE-2031-0002') - 1)
    . ')'), 't', '... which it is');
is(scalar query($session, "SELECT clair.acknowledge('everything', $both)"), 'f', '... once');
is_told('... then', everything => '2');

# A session that is taking an alert keeps no run waiting, and the run does not take it away.
my ($taker) = session($node);
$feed{bash}{'CVE-2031-0013'} = { releases => { bookworm => said('open', 'high') } };
run_feed();
query($taker, 'BEGIN');
is(scalar query($taker, "SELECT vulnerability FROM clair.next_notifications('high')"), 'CVE-2031-0013', 'being taken');
delete $feed{bash}{'CVE-2031-0013'};
run_feed();
query($taker, 'COMMIT');
$taker->quit;
is(states('high', 'CVE-2031-0013'), 'pending pending', '... is told, and so is its withdrawal');
is(states('web', 'CVE-2031-0013'), 'cancelled cancelled', '... unlike to who has not taken it');
query($session, "SELECT clair.acknowledge_until('high', 1000000)");

# ---------------------------------------------------------------------------
# NOTIFY on channels of consumers; bursts; images that are new
# ---------------------------------------------------------------------------

# What has been heard since: the channel, and what the payload says.
sub heard
{
    my $output = query($listener, 'SELECT 1');
    my @lines;

    while ($output =~ /^Asynchronous notification "(\w+)" with payload "(.*)" received from server process/mg)
    {
        my ($channel, $message) = ($1, decode_json($2));

        fail("payload $2") if $message->{version} ne '1' || $2 =~ m{shop|old};
        push @lines, join ' ', $channel,
            map { my $value = $message->{$_}; defined $value ? ref $value ? "@$value" : $value : '-' }
            exists $message->{pending} ? qw(consumer pending severity)
            : exists $message->{notifications} ? qw(notifications severity added changed withdrawn)
            : qw(vulnerability reason changes severity images);
    }
    return @lines;
}

query($listener, 'LISTEN clair; LISTEN clair_high; LISTEN clair_web; LISTEN clair_fixable');
$feed{bash}{'CVE-2031-0002'}{releases}{bookworm} = said('99', 'low');
$feed{zlib}{'CVE-2031-0020'} = { releases => { bookworm => said('open', 'high') } };
run_feed();
is_deeply(
    [ heard() ],
    [
        'clair CVE-2031-0020 added  High 1',
        'clair CVE-2031-0002 changed range status Low 2',
        'clair_fixable CVE-2031-0002 changed range status Low 2',
        'clair_high CVE-2031-0020 added  High 1',
        'clair_web CVE-2031-0002 changed range status Low 2',
    ],
    'each channel has what its consumer gets');
is_told('... which gets it', everything => '20 2', fixable => '2', high => '20', web => '2');

query($session, 'ALTER DATABASE postgres SET clair.notify_limit = 1');
$feed{bash}{'CVE-2031-0021'} = { releases => { bookworm => said('open', 'low') } };
$feed{bash}{'CVE-2031-0022'} = { releases => { bookworm => said('99', 'low') } };
delete $feed{zlib}{'CVE-2031-0020'};
run_feed();
is_deeply(
    [ heard() ],
    [
        'clair 3 High 2 0 1',
        'clair_fixable CVE-2031-0022 added  Low 2',
        'clair_high CVE-2031-0020 withdrawn  High 1',
        'clair_web 2 Low 2 0 0',
    ],
    'a summary where there are more than the limit');
is(scalar query($session, 'SELECT string_agg(concat_ws(\' \', consumer, notifications), \', \') FROM clair.renotify()'),
    'everything 3, fixable 1, high 1, web 2', 'who has something to take');
is_deeply([ heard() ], [ 'clair_fixable fixable 1 Low', 'clair_high high 1 High', 'clair_web web 2 Low' ],
    '... is reminded of it');
is_told('... and takes it', everything => '20 21 22', fixable => '22', high => '20', web => '21 22');
is(scalar query($session, 'SELECT count(*) FROM clair.renotify()'), 0, '... which is no more');

my $new = debian_layer('new', 12, [ 'bash', '5.2-1' ], [ 'new', '1' ]);
index_file($session, $new, 'shop/web:2');
is_deeply([ heard(), take('everything') ], [], 'a new image is not announced');
query($session, 'SET clair.notify_indexed = on');
index_file($session, $new, 'shop/web:3');
index_file($session, debian_layer('none', 12, [ 'nothing', '1' ]), 'shop/web:4');
is_deeply([ heard(), take('everything') ], [], '... nor one that is known, or has no findings, if the setting is on');
my $image = index_file($session, debian_layer('newer', 12, [ 'bash', '5.2-1' ], [ 'libssl3', '3.0-1', 'openssl' ]),
    'shop/web:5');
is_deeply([ heard() ], [ map { "$_ - indexed  High 1" } qw(clair clair_fixable clair_high clair_web) ],
    'a new image with findings is');
is(join(' ', query($session, "SELECT consumer FROM clair.delivery WHERE notification = (SELECT id FROM"
    . " clair.notification WHERE image_id = $image) ORDER BY 1")), 'everything fixable high web',
    '... to those whose filters let one of them through');
is(scalar query($session, "SELECT concat_ws(' ', reason, image, severity, vulnerability, run)"
    . " FROM clair.next_notifications('web')"), "indexed $image High", '... who learn which');
query($session, "SELECT clair.acknowledge_until(name, 1000000) FROM clair.consumer");

# ---------------------------------------------------------------------------
# Ten thousand, a crash, and nothing is lost
# ---------------------------------------------------------------------------

query($session, "SELECT clair.create_consumer('" . $_->[0] . "', in_order => $_->[1], lease => '1 hour')")
    foreach [ 'ordered', 'true' ], [ 'shared', 'false' ];
$feed{bash}{ sprintf 'CVE-2032-%05d', $_ } = { releases => { bookworm => said('open', 'low') } } foreach 1 .. 10000;
my $waiting = Listener->new(host => $node->host, port => $node->port, user => scalar query($session, 'SELECT user'),
    database => 'postgres');
$waiting->listen('clair_ordered');
my $run = run_feed();
my (undef, $channel, $payload) = $waiting->next(30);
is("$channel " . decode_json($payload)->{notifications}, 'clair_ordered 10000', 'a client that waits hears');
is_deeply([ grep { /^clair / } heard() ], [ 'clair 10000 Low 10000 0 0' ], '10,000 new ones');
$node->stop('immediate');
$node->start;

my @sessions = map { (session($node))[0] } 1 .. 2;
my @numbers  = query($sessions[0], "SELECT id FROM clair.notification WHERE run = $run->{run} ORDER BY id");
my %got;

# Takes the next batch of a consumer in a session; its numbers, each with its attempt.
sub batch
{
    my ($consumer, $number) = @_;

    return map { [ split /\|/ ] }
        query($sessions[$number], "SELECT notification, attempt FROM clair.next_notifications('$consumer', 700)");
}

sub settle
{
    my ($consumer, $number, @batch) = @_;

    push @{ $got{$consumer} }, @batch;
    query($sessions[$number], "SELECT clair.acknowledge('$consumer', '{" . join(',', map { $_->[0] } @batch)
        . "}'::bigint[])");
}

foreach my $consumer (qw(ordered shared))
{
    settle($consumer, 0, batch($consumer, 0));
    push @{ $got{$consumer} }, batch($consumer, 0); # and does not acknowledge it
}
my @second = batch('shared', 1);
is($second[0][0], $numbers[1400], 'another session gets what comes then');
is_deeply([ batch('ordered', 1) ], [], '... of one that is in order nothing');
settle('shared', 1, @second);
$node->stop('immediate');
$node->start;
@sessions = map { (session($node))[0] } 1 .. 2;
is_deeply([ batch('ordered', 0) ], [], 'a crash does not end what is handed out');
query($sessions[0], 'UPDATE clair.delivery SET due_at = now() WHERE due_at > now()'); # an hour later
foreach my $consumer (qw(ordered shared))
{
    my $turn = 0;

    ok(wait_for(60, sub {
        my @batch = batch($consumer, $turn = 1 - $turn);
        settle($consumer, $turn, @batch) if @batch;
        return query($sessions[0], "SELECT pending FROM clair.consumer_status WHERE name = '$consumer'") == 0;
    }), "$consumer: everything is taken, by two sessions");
    my @once = grep { $_->[1] == 1 } @{ $got{$consumer} };
    is_deeply([ sort { $a <=> $b } map { $_->[0] } @once ], \@numbers, '... nothing is lost');
    is_deeply([ map { $_->[0] } grep { $_->[1] > 1 } @{ $got{$consumer} } ], [ @numbers[ 700 .. 1399 ] ],
        '... what a session that crashed had, and nothing else, comes again, and says so');
}
is_deeply([ map { $_->[0] } @{ $got{ordered} } ], [ @numbers[ 0 .. 1399 ], @numbers[ 700 .. 9999 ] ],
    'in order, if so wished, whoever crashes');

$_->quit foreach @sessions;
done_testing();
