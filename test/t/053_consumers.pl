# Proves that consumers get what their filters let through, all of it, in order and once, as long as
# they acknowledge; and again what they do not, whatever becomes of them or of the server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use JSON::PP;
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
    my $run = update($session, 'debian');
    is($run->{state}, 'succeeded', 'a run') or diag($run->{error});
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

$_->quit foreach $session, $listener;
done_testing();
