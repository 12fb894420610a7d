# Proves that images which violate a policy are kept out: of a pipeline, by psql's exit status, and of
# a table, by the trigger that README.md shows; and that an exception, or a better policy, lets them in.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node      = start_server('policy');
my $folder    = PostgreSQL::Test::Utils::tempdir();
my ($session) = session($node);

sub debian_layer
{
    my ($name, @packages) = @_;

    return make_layer("$folder/$name.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
        'var/lib/dpkg/status' => status_paragraphs(@packages));
}

write_file("$folder/tracker.json", {
    bash => { 'CVE-2031-0001' => { releases => { bookworm =>
        { status => 'resolved', urgency => 'high', fixed_version => '6' } } } },
    zlib => { 'CVE-2031-0002' => { releases => { bookworm => { status => 'open', urgency => 'low' } } } },
});
index_file($session, debian_layer('bad', [ 'bash', '5' ], [ 'zlib1g', '1', 'zlib' ]), 'web:1');
index_file($session, debian_layer('good', [ 'bash', '6' ], [ 'zlib1g', '1', 'zlib' ]), 'web:2');

# ---------------------------------------------------------------------------
# A pipeline
# ---------------------------------------------------------------------------

# How psql ends that is given one command, and what it says.
sub pipeline
{
    my ($image, @policy) = @_;
    my $arguments = join ', ', map { "'$_'" } $image, @policy;
    my ($stdout, $stderr);
    my $ended = IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c',
        "SELECT clair.assert_image($arguments)" ], '>', \$stdout, '2>', \$stderr);

    return ($? >> 8) . ": $stderr";
}

like(pipeline('web:2'), qr/^1: ERROR:  image "web:2" violates policy "default" \(violations: 1\)\nDETAIL:  no_feed of debian\n/,
    'nothing is deployed as long as nothing is known');
set_feed($session, 'debian', "$folder/tracker.json");
is(update($session, 'debian')->{state}, 'succeeded', 'the feed');
like(pipeline('web:1'), qr/^1: ERROR:  image "web:1" violates policy "default" \(violations: 1\)\nDETAIL:  CVE-2031-0001 in bash 5: severity High; fixed in 6\nHINT:  /,
    'nor an image with a vulnerability that counts');
is(pipeline('web:2'), '0: ', 'one without is');
like(pipeline('web:2', 'strict'), qr/^1: .*CVE-2031-0002 in zlib1g 1: /s, 'but not where every one counts');
like(pipeline('web:3'), qr/^1: ERROR:  image "web:3" does not exist\n/, 'nor an image that nobody has looked at');

# ---------------------------------------------------------------------------
# A table of deployments, as README.md has it
# ---------------------------------------------------------------------------

my ($example) = slurp_file("$FindBin::Bin/../../README.md") =~ /```sql\n(INSERT INTO clair\.policy .*?)```/s;
query($session, $example);
sub deploy { return outcome($session, "INSERT INTO deployment VALUES ('web', '$_[0]')") }

like(deploy('web:1'), qr/^23514: image "web:1" violates policy "production" \(violations: 1\)\nDETAIL: no_feed of kev\n/,
    'a row is refused: the policy asks for what is exploited, of which nothing is known');
query($session, "UPDATE clair.policy SET exploited = false WHERE name = 'production'");
query($session, "UPDATE clair.policy SET minimum_severity = 'High' WHERE name = 'production'");
like(deploy('web:1'), qr/^23514: image "web:1" violates policy "production" \(violations: 1\)\nDETAIL: CVE-2031-0001 /,
    'a row is refused');
is(deploy('web:2'), 'ok', 'another one is taken');
like(outcome($session, "UPDATE deployment SET image = 'web:1'"), qr/^23514: /, 'and not changed into the first');
is(query($session, 'SELECT string_agg(image, $$ $$) FROM deployment'), 'web:2', 'the table has what was taken');

my $exception = query($session, "SELECT clair.create_exception('CVE-2031-0001', 'no shell is reachable',"
    . " image => 'web:%', expires_at => now() + interval '1 hour')");
is(deploy('web:1'), 'ok', 'with an exception, the image is deployed');
query($session, "SELECT clair.end_exception($exception)");
like(deploy('web:1'), qr/^23514: /, 'and not any more when that has ended');

$session->quit;
$node->stop;
done_testing();
