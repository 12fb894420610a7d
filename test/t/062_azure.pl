# Proves Azure Linux's updater through SQL: documents of two distributions come to what their tests say, with
# ranges that begin at a version or end with one; images have the findings that follow; a second
# reading of the documents by rpm's own comparison agrees; and GitHub's API names the documents.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RpmOrder;
use Test::More;
use WebServer;

my $node      = start_server('azure', 'clair.allow_private_networks = on');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/azure");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'azure');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# An image of a release with these packages, [ name, version-release ] each.
sub index_packages
{
    my ($name, $release, @packages) = @_;
    my $manifest = join '', map {
        my ($package, $version) = @$_;
        "$package\t$version\t1\t2\tMicrosoft Corporation\t(none)\t45000\tx86_64\t0\t$package-$version.src.rpm\n"
    } @packages;

    index_file($session, make_layer("$folder/$name.tar", 'etc/os-release' => $release,
        'var/lib/rpmmanifest/container-manifest-2' => $manifest), $name);
}

sub findings
{
    my ($image) = @_;

    return [ query($session, "SELECT concat_ws(' ', feature, installed_version, vulnerability, status, fixed_in,"
        . " severity) COLLATE \"C\" AS line FROM clair.vulnerabilities('$image') WHERE vulnerability IS NOT NULL"
        . ' ORDER BY line') ];
}

# ---------------------------------------------------------------------------
# A folder of documents by release
# ---------------------------------------------------------------------------

my $AZURE   = "ID=azurelinux\nVERSION_ID=\"3.0\"\n";
my $MARINER = "ID=mariner\nVERSION_ID=\"2.0\"\n";

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'azure', "$folder/oval/");
is(outcome(), 'succeeded: 8 records 0 unchanged 0 broken 7 added 0 changed 0 withdrawn',
    'two distributions are read; of what is not applicable nothing is stored');

# [ package, version ] of each image, every one beside a bound
my %images = (
    azure => [ $AZURE, map { [ split /=/ ] } qw(quux=1.2-2.azl3 golang=1.20.6-1.azl3 rust=1.75.0-8.azl3) ],
    azure_fixed   => [ $AZURE, map { [ split /=/ ] } qw(quux=1.2-3.azl3 golang=1.20.7-1.azl3 rust=1.75.0-9.azl3) ],
    azure_old     => [ $AZURE, map { [ split /=/ ] } qw(quux=0-1.azl3 golang=1.19.0-1.azl3 rust=1.76.0-1.azl3) ],
    mariner       => [ $MARINER, map { [ split /=/ ] } qw(quux=1.0-9.cm2 glibc=2.35-4.cm2 bind=9.16-1.cm2) ],
    mariner_newer => [ $MARINER, map { [ split /=/ ] } qw(quux=1.0-10.cm2 bind=9.16-3.cm2) ],
);
index_packages($_, @{ $images{$_} }) foreach sort keys %images;

is_deeply(findings('azure'), [
    'golang 1.20.6-1.azl3 CVE-2031-1002 fixed 0:1.20.7-1.azl3 Critical',
    'quux 1.2-2.azl3 CVE-2031-1001 fixed 0:1.2-3.azl3 High',
    'rust 1.75.0-8.azl3 CVE-2031-1003 fixed 0:1.75.0-9.azl3 Medium' ],
    'what is below a fix, and above where it begins, is found') or diag(join "\n", @{ findings('azure') });
is_deeply(findings('azure_fixed'), [], 'what is fixed is not: by the fix of its own version, not by a later one');
is_deeply(findings('azure_old'), [
    'quux 0-1.azl3 CVE-2031-1001 fixed 0:1.2-3.azl3 High',
    'rust 1.76.0-1.azl3 CVE-2031-1003 fixed 0:1.90.0-2.azl3 Medium' ],
    'nor is what is older than where it begins, which the lowest version is not') or diag(join "\n", @{ findings('azure_old') });
is_deeply(findings('mariner'), [
    'bind 9.16-1.cm2 CVE-2031-1005 fixed 0:9.16-3.cm2 High', 'quux 1.0-9.cm2 CVE-2031-1001 affected Low' ],
    'the newest build is affected while there is no fix; a fix ends that')
    or diag(join "\n", @{ findings('mariner') });
my $first = findings('mariner');
is_deeply(findings('mariner_newer'), [], '... and of a newer one nothing is said');

# ---------------------------------------------------------------------------
# A second reading
# ---------------------------------------------------------------------------

# Evaluates definitions on packages as OVAL means it: each criterion by itself. Where one package has
# several fixes of a CVE, those of other upstream versions are left aside, as above.
SKIP:
{
    skip 'there is no rpm', 1 unless RpmOrder::available();

    foreach my $image (sort keys %images)
    {
        my ($release, @packages) = @{ $images{$image} };
        my $file = $release =~ /azure/ ? 'azurelinux-3.0' : 'cbl-mariner-2.0';
        my $xml  = slurp_file("$FIXTURES/$file-oval.xml");
        my %version = map { $_->[0] => $_->[1] } @packages;
        my %operation = ('less than' => sub { $_[0] < 0 }, 'less than or equal' => sub { $_[0] <= 0 },
            'greater than' => sub { $_[0] > 0 });
        my %found;

        foreach my $definition (grep { !/Not Applicable/ } $xml =~ m{<definition .*?</definition>}gs)
        {
            my ($cve) = $definition =~ /ref_id="(CVE-\d+-\d+)"/;
            my $holds = 1;
            my $package;

            foreach my $test ($definition =~ /test_ref="([^"]+)"/g)
            {
                my ($object, $state) = $xml =~ /id="\Q$test\E".*?object_ref="([^"]+)".*?state_ref="([^"]+)"/s;
                ($package) = $xml =~ m{id="\Q$object\E".*?name>([^<]+)<}s;
                my ($operation, $bound) = $xml =~ m{id="\Q$state\E".*?operation="([^"]+)">([^<]+)<}s;
                my ($order) = defined $version{$package}
                    ? RpmOrder::compare([ "0:$version{$package}", $bound ]) : ();

                # Microsoft's lowest version means any
                next if $operation eq 'greater than' && $bound =~ /^0:0\.0\.0/;
                $holds &&= defined $order && $operation{$operation}->($order);
            }
            $found{"$package $cve"} = 1 if $holds;
        }
        delete $found{'rust CVE-2031-1003'} if $image eq 'azure_fixed';
        is_deeply([ map { my @word = split; "$word[0] $word[2]" } @{ findings($image) } ], [ sort keys %found ],
            "image $image: what the documents say, evaluated once more");
    }
}

# ---------------------------------------------------------------------------
# What changes, and what is broken
# ---------------------------------------------------------------------------

my $path = "$folder/oval/cbl-mariner-2.0-oval.xml";
my $text = slurp_file($path);

write_file($path, $text =~ s/less than or equal">0:1\.0-9/less than">0:1.0-9/r =~ s/>false</>true</r);
is(outcome(), 'succeeded: 4 records 3 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'a state that changes changes the definition that leans on it, and no other');
is_deeply([ grep { /quux/ } @{ findings('mariner') } ], [], '... and the last affected build is one that fixes');

# Says how a run fails.
sub fails
{
    my ($content, $error, $name) = @_;

    write_file($path, $content);
    like(outcome(), qr/^failed: .*$error/, $name);
}

my $place = 'document "cbl-mariner-2.0-oval.xml": line \d+: ';

fails(substr($text, 0, length($text) / 2), "${place}the document ends too early", 'a document that is cut');
fails('<html/>', "${place}the document is \"html\", not \"oval_definitions\"", 'another page');
set_feed($session, 'azure', "$folder/oval/azurelinux-3.0-oval.xml");
like(outcome(), qr/^succeeded: 4 records 4 unchanged 0 broken 0 added/, 'one document by its name is what the folder had of it');
system_or_bail('cp', "$folder/oval/azurelinux-3.0-oval.xml", "$folder/oval.xml");
set_feed($session, 'azure', "$folder/oval.xml");
like(outcome(), qr/^failed: .*document "index": its name does not say of which release it is/,
    'a document without a release in its name is refused');

# ---------------------------------------------------------------------------
# What GitHub's API says of a repository
# ---------------------------------------------------------------------------

my %content = map { (s{.*/}{}r => slurp_file($_)) } glob "$FIXTURES/*.xml";
my %paths = map { my $content = $content{$_}; ("/raw/$_" => sub { WebServer::answer($_[0], '200 OK', {}, $content) }) }
    keys %content;

$paths{'/repos/x/contents'} = sub {
    my ($client, $headers) = @_;

    WebServer::answer($client, '200 OK', {}, encode_json([ { name => 'osv', type => 'dir', download_url => undef },
        map { { name => $_, type => 'file', download_url => "http://$headers->{host}/raw/$_" } } sort keys %content ]));
};
my $web = WebServer->start(%paths);

query($session, "UPDATE clair.updater SET url = '" . $web->url('/repos/x/contents')
    . q{', options = '{"max_shrinkage": 100}' WHERE name = 'azure'});
like(outcome(), qr/^succeeded: 8 records \d unchanged 0 broken/, 'the documents of a repository');
is_deeply(findings('mariner'), $first, '... say what those of the folder did at first');

$session->quit;
done_testing();
