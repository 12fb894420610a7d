# Proves that documents that others are read in the light of are told apart by their digests, over the network too.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebServer;

my $node     = start_server('documents', 'clair.allow_private_networks = on');
my ($where)  = session($node);
my $rejected = PostgreSQL::Test::Utils::tempdir() . '/rejected';
my %server   = (
    '/secdb/'                => sub { '<html><a href="v3.20/">v3.20</a></html>' },
    '/secdb/v3.20/main.json' => sub {
        '{"distroversion": "v3.20", "packages": [{"pkg": {"name": "quux", "secfixes": {"1.2-r0": ["CVE-2031-0001"]}}}]}'
    },
    '/secdb/rejections/main.yaml' => sub { slurp_file($rejected) },
);
my $server = WebServer->start(map { my $text = $server{$_};
    ($_ => sub { WebServer::answer($_[0], '200 OK', { ETag => '"1"' }, $text->()) }) } keys %server);

# What a run came to, and what is known then.
sub outcome
{
    my $run = update($where, 'alpine');

    return "$run->{state}: " . join(', ', query($where, 'SELECT v.name, a.status FROM clair.vulnerability AS v JOIN'
        . ' clair.affected AS a ON a.vulnerability_id = v.id WHERE v.until_run IS NULL')) . $run->{error};
}

query($where, "UPDATE clair.updater SET url = '" . $server->url('/secdb/') . "' WHERE name = 'alpine'");
write_file($rejected, "other:\n  - CVE-2031-0001\n");
is(outcome(), 'succeeded: CVE-2031-0001|fixed', 'a list of what was rejected for another package');
is(outcome(), 'unchanged: CVE-2031-0001|fixed', 'the same once more');
write_file($rejected, "quux:\n  - CVE-2031-0001\n");
is(outcome(), 'succeeded: CVE-2031-0001|not_affected', 'another list: what it speaks of is read again');

$where->quit;
done_testing();
