# Proves that updaters of the user's own read real OVAL of vendors that the extension has no updater for:
# AlmaLinux's, of rpm packages and modules, and Debian's, of sources of dpkg packages.
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

my $node      = start_server('oval_format');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();

# What a run came to, in one line.
sub outcome_of
{
    my $run = update($session, $_[0]);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

sub create
{
    my ($name, $path, $options) = @_;

    query($session, "SELECT clair.create_updater('$name', 'file://$path', 'oval', '$options')");
}

# What the database has of an updater: ranges that have something in them.
sub stated
{
    my ($updater) = @_;

    return [ query($session, <<"SQL") ];
SELECT concat_ws(' ', v.name, a.namespace, a.kind, a.package, clair.bare(a.fixed), a.severity, a.advisory,
    NULLIF(s.module, ''), s.architectures::text) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    LEFT JOIN clair.scope AS s ON s.id = a.scope_id
WHERE v.updater = '$updater' AND v.until_run IS NULL AND a.introduced OPERATOR(clair.<) a.fixed
ORDER BY line
SQL
}

# All criteria of a golden's definition: their comments and tests.
sub criterions_of
{
    my ($criteria) = @_;

    return @{ $criteria->{criterions} // [] }, map { criterions_of($_) } @{ $criteria->{criterias} // [] };
}

# The parts of a golden by their ids.
sub read_golden
{
    my ($golden) = @_;
    my %part;

    foreach my $file (split /\n/, `find '$golden' -name '*.json'`)
    {
        my $value = JSON::PP->new->utf8->decode(scalar slurp_file($file));

        $part{ $file =~ m{/(definitions|tests|objects|states)/} && $1 }{ $value->{id} } = $value;
    }
    return \%part;
}

SKIP:
{
    my $alma = test_data('feeds/alma/vuls-alma-oval/testdata') or skip 'there are no test data', 1;
    my $part = read_golden("$alma/golden/9");
    my %severity = (Low => 'Low', Moderate => 'Medium', Important => 'High', Critical => 'Critical');
    my %expected;

    foreach my $definition (values %{ $part->{definitions} })
    {
        my @criterions = criterions_of($definition->{criteria});
        my ($module) = map { $_->{comment} =~ /^Module (\S+) is enabled$/ } @criterions;
        my ($advisory) = map { $_->{ref_id} } grep { $_->{source} eq 'ALSA' } @{ $definition->{metadata}{reference} };

        foreach my $criterion (grep { $_->{comment} =~ / is earlier than / } @criterions)
        {
            my ($package, $evr) = $criterion->{comment} =~ /^(\S+) is earlier than (\S+)$/;

            foreach my $cve (@{ $definition->{metadata}{advisory}{cve} })
            {
                $expected{ join ' ', $cve->{text}, 'almalinux:9', 'binary', $package, $evr, $severity{ $cve->{impact} },
                    $advisory, $module // () } = 1;
            }
        }
    }
    create('alma', "$alma/fixtures/org.almalinux.alsa-9.xml.bz2", '{"namespace": "almalinux:9"}');
    is(outcome_of('alma'), 'succeeded: 2 records 0 unchanged 0 broken 8 added 0 changed 0 withdrawn',
        "AlmaLinux's OVAL");
    is_deeply(stated('alma'), [ sort keys %expected ], '... and ' . keys(%expected) . ' ranges of its golden')
        or diag(join "\n", @{ stated('alma') });
    is(outcome_of('alma'), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn', '... once');
    is(scalar query($session, "SELECT namespaces::text FROM clair.updater WHERE name = 'alma'"), '{almalinux:9}',
        '... covers what it is of');

    write_file("$folder/alma/$_", slurp_file("$alma/fixtures/org.almalinux.alsa-9.xml.bz2")) foreach qw(a.xml.bz2 a.xml.xz);
    create('folder', "$folder/alma/", '{"namespace": "almalinux:9"}');
    like(outcome_of('folder'), qr/^succeeded: 2 records/, 'a folder of it, of which each document is read once');
}

SKIP:
{
    my $debian = test_data('feeds/debian/vuls-debian-oval/testdata') or skip 'there are no test data', 1;
    my $part = read_golden("$debian/golden/bullseye");
    my %expected;

    foreach my $definition (values %{ $part->{definitions} })
    {
        foreach my $test (map { $part->{tests}{ $_->{test_ref} } // () } criterions_of($definition->{criteria}))
        {
            my $evr = $part->{states}{ $test->{state}{state_ref} // '' }{evr}{text} // next;

            next if $evr eq '0:0';    # nothing is older
            $expected{ join ' ', $_->{ref_id}, 'debian:11', 'source', $part->{objects}{ $test->{object}{object_ref} }{name},
                $evr, 'Unknown' } = 1 foreach @{ $definition->{metadata}{reference} };
        }
    }
    create('debian-oval', "$debian/fixtures/oval-definitions-bullseye.xml.bz2",
        '{"namespace": "debian:11", "kind": "source"}');
    is(outcome_of('debian-oval'), 'succeeded: 4 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn',
        "Debian's OVAL");
    is_deeply(stated('debian-oval'), [ sort keys %expected ], '... and ' . keys(%expected) . ' ranges of its golden')
        or diag(join "\n", @{ stated('debian-oval') });
    query($session, "UPDATE clair.updater SET url = 'file://$debian/fixtures/oval-definitions-bullseye_invalid.xml.bz2'"
        . " WHERE name = 'debian-oval'");
    like(outcome_of('debian-oval'), qr/^failed: .*document "index"/, 'a broken one fails the run');
}

$session->quit;
done_testing();
