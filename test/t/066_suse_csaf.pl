# Proves that SUSE's CSAF documents come in whole once, and then as what has changed; that they come to the
# same as SUSE's OVAL where that says the same; and that what is broken changes nothing.
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
use Test::More;

my $node      = start_server('suse_csaf');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/suse");

# What a run came to, in one line.
sub outcome_of
{
    my $run = update($session, $_[0]);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# A document: status => [ [ product, package, version or '', remediation ], ... ], as SUSE writes it.
sub vex
{
    my ($cve, $severity, %statuses) = @_;
    my (%status, %branch, @relationships, @remediations);

    foreach my $status (sort keys %statuses)
    {
        foreach (@{ $statuses{$status} })
        {
            my ($product, $package, $version, $remediation) = @$_;
            my $component = $package . ($version && "-$version");
            my $id = "$product:$component";

            $branch{$product} = { category => 'product_name', name => $product, product => { product_id => $product } };
            $branch{$component} = { category => 'product_version', name => $component, product => {
                    product_id => $component, product_identification_helper => {
                        purl => "pkg:rpm/suse/$package\@$version?upstream=$package" . ($version && "-$version") . '.src.rpm' } } };
            push @{ $status{$status} }, $id;
            push @relationships, { category => 'default_component_of', product_reference => $component,
                relates_to_product_reference => $product, full_product_name => { product_id => $id } };
            push @remediations, { category => $remediation, details => 'No fix', product_ids => [$id] } if defined $remediation;
        }
    }
    return { document => { aggregate_severity => { text => $severity }, tracking => { id => $cve, status => 'interim' } },
        product_tree => { branches => [ { category => 'vendor', name => 'SUSE', branches => [ { category => 'product_family',
            name => 'SUSE Linux Enterprise', branches => [ map { $branch{$_} } sort keys %branch ] } ] } ],
            relationships => \@relationships },
        vulnerabilities => [ { cve => $cve, product_status => \%status, remediations => \@remediations } ] };
}

# Writes documents, the archive of some of them, and the list: [ name, day of February ].
sub publish
{
    my ($documents, $archived, @changes) = @_;

    write_file("$folder/csaf-vex/cve-$_.json", $documents->{$_}) foreach keys %$documents;
    system_or_bail('tar', '-C', $folder, '-cjf', "$folder/csaf-vex/csaf-vex.tar.bz2", map { "csaf-vex/cve-$_.json" } @$archived)
        if @$archived;
    write_file("$folder/csaf-vex/changes.csv", join '', map {
        sprintf qq{"cve-%s.json","2031-02-%02dT00:00:00+00:00"\n}, @$_ } @changes);
}

# What the database has of an updater.
sub stated
{
    my ($updater, $where) = @_;

    return [ query($session, <<"SQL") ];
SELECT concat_ws(' ', v.name, a.namespace, a.package, regexp_replace(CASE a.status WHEN 'fixed' THEN clair.bare(a.fixed) END,
    '^0:', ''), a.status, a.severity) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.updater = '$updater' AND v.until_run IS NULL AND a.namespace LIKE '$where'
    AND a.introduced OPERATOR(clair.<) a.fixed
ORDER BY line
SQL
}

# ---------------------------------------------------------------------------
# The same as OVAL
# ---------------------------------------------------------------------------

my $sp = 'SUSE Linux Enterprise Server 15 SP';
my %documents = (
    '2031-1001' => vex('CVE-2031-1001', 'important',
        recommended => [ [ "${sp}5", 'quux', '1.2-150500.3.1' ], [ "${sp}5-LTSS", 'quux', '1.3-150500.9.1' ],
            [ 'SUSE Linux Enterprise Module for Basesystem 15 SP5', 'libquux1', '1.2-150500.3.1' ] ],
        known_affected => [ [ "${sp}4", 'quux', '' ], [ 'SUSE Manager Server 4.3', 'quux', '' ] ],
        known_not_affected => [ [ "${sp}5", 'waldo', '' ] ]),
    '2031-1002' => vex('CVE-2031-1002', 'not set', known_affected => [ [ "${sp}5", 'grault', '' ] ]));

publish(\%documents, [ sort keys %documents ], [ '2031-1002', 9 ], [ '2031-1001', 8 ]);
set_feed($session, 'suse-csaf', "$folder/csaf-vex/changes.csv");
is(outcome_of('suse-csaf'), 'succeeded: 2 records 0 unchanged 0 broken 2 added 0 changed 0 withdrawn',
    'the archive is read');
set_feed($session, 'suse', "$FIXTURES/suse.linux.enterprise.15-affected.xml");
like(outcome_of('suse'), qr/^succeeded: 2 records/, 'OVAL that says the same');
is_deeply(stated('suse-csaf', '%'), stated('suse', '%'), 'comes to the same')
    or diag(join "\n", @{ stated('suse-csaf', '%') }, '', @{ stated('suse', '%') });
is(scalar @{ stated('suse-csaf', '%') }, 4, '... of four packages');

# ---------------------------------------------------------------------------
# What changes
# ---------------------------------------------------------------------------

is(outcome_of('suse-csaf'), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'once more: no document has changed');
publish({ '2031-1002' => vex('CVE-2031-1002', 'moderate', known_affected => [ [ "${sp}5", 'grault', '', 'no_fix_planned' ] ]),
    '2031-1003' => vex('CVE-2031-1003', 'critical', recommended => [ [ "${sp}5", 'corge', '2.0-1.1' ] ]) }, [],
    [ '2031-1003', 11 ], [ '2031-1002', 10 ], [ '2031-1001', 5 ]);
is(outcome_of('suse-csaf'), 'succeeded: 2 records 0 unchanged 0 broken 1 added 1 changed 0 withdrawn',
    'documents that have changed are read, and no other');
is_deeply(stated('suse-csaf', '%'), [
    'CVE-2031-1001 sles:15.4 quux affected High',
    'CVE-2031-1001 sles:15.5 libquux1 1.2-150500.3.1 fixed High',
    'CVE-2031-1001 sles:15.5 quux 1.2-150500.3.1 fixed High',
    'CVE-2031-1002 sles:15.5 grault will_not_fix Medium',
    'CVE-2031-1003 sles:15.5 corge 2.0-1.1 fixed Critical' ], '... and the archive stays');

my $before = stated('suse-csaf', '%');

publish({ '2031-1003' => 'no JSON' }, [], [ '2031-1003', 12 ]);
is(outcome_of('suse-csaf'), 'unchanged: 1 records 0 unchanged 1 broken 0 added 0 changed 0 withdrawn',
    'a document that is no JSON is told');
is_deeply(stated('suse-csaf', '%'), $before, '... and nothing changes');
publish({ '2031-1003' => vex('CVE-2031-1003', 'low', recommended => [ [ "${sp}5", 'corge', '2.0-1.1' ] ]) }, [],
    [ '2031-1003', 13 ]);
is(outcome_of('suse-csaf'), 'succeeded: 1 records 0 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'mended, it is read');

# Too many changes: the archive is read anew
publish(\%documents, [ sort keys %documents ], map { [ "2031-$_", 14 ] } 10_000 .. 15_001);
is(outcome_of('suse-csaf'), 'succeeded: 2 records 1 unchanged 0 broken 0 added 1 changed 1 withdrawn',
    'too many changes: the run begins again with the archive');
like(scalar query($session, "SELECT state FROM clair.updater_state WHERE updater = 'suse-csaf'"),
    qr/^csaf-vex\.tar\.bz2 \d+ -$/, '... and goes on from there');

# An archive alone
query($session, "UPDATE clair.updater SET url = 'file://$folder/csaf-vex/csaf-vex.tar.bz2' WHERE name = 'suse-csaf'");
like(outcome_of('suse-csaf'), qr/^(?:succeeded|unchanged): 2 records/, 'an archive alone will do');

$session->quit;
done_testing();
