# Proves that updaters of the user's own read real CSAF documents, advisories and VEX, from an archive, a list,
# a folder or alone: what comes of them is what a second reading says.
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

my $node      = start_server('csaf_format');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();

# What a run came to, in one line.
sub outcome_of
{
    my $run = update($session, $_[0]);

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# What the database has of an updater: ranges that have something in them.
sub stated
{
    my ($updater) = @_;

    return [ query($session, <<"SQL") ];
SELECT DISTINCT concat_ws(' ', v.name, a.namespace, a.kind, a.package, NULLIF(s.module, ''),
    CASE a.status WHEN 'fixed' THEN clair.bare(a.fixed) END, a.status, a.severity) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    LEFT JOIN clair.scope AS s ON s.id = a.scope_id
WHERE v.updater = '$updater' AND v.until_run IS NULL AND a.introduced OPERATOR(clair.<) a.fixed
ORDER BY line
SQL
}

# All products of a branch and those below it.
sub products_of
{
    my ($branch) = @_;

    return ($branch->{product} // (), map { products_of($_) } @{ $branch->{branches} // [] });
}

# What documents say of rpm packages of Red Hat Enterprise Linux, worked out here.
sub expected_of
{
    my @documents = @_;
    my (%fixes, %unfixed, %order);
    my %severity = (Low => 'Low', Moderate => 'Medium', Important => 'High', Critical => 'Critical');

    foreach my $document (@documents)
    {
        my %helper = map { $_->{product_id} => $_->{product_identification_helper} // {} }
            map { products_of($_) } @{ $document->{product_tree}{branches} };
        my %relation = map { $_->{full_product_name}{product_id} => $_ } @{ $document->{product_tree}{relationships} };

        foreach my $vulnerability (@{ $document->{vulnerabilities} })
        {
            my (%impact, %reason);

            foreach my $threat (grep { $_->{category} eq 'impact' } @{ $vulnerability->{threats} // [] })
            {
                $impact{$_} = $threat->{details} foreach @{ $threat->{product_ids} };
            }
            foreach my $remediation (grep { $_->{category} eq 'no_fix_planned' } @{ $vulnerability->{remediations} // [] })
            {
                $reason{$_} = $remediation->{details} eq 'Out of support scope' ? 'end_of_life' : 'will_not_fix'
                    foreach @{ $remediation->{product_ids} };
            }
            foreach my $status (qw(fixed known_affected under_investigation))
            {
                foreach my $id (@{ $vulnerability->{product_status}{$status} // [] })
                {
                    my $relation = $relation{$id} // next;
                    my $cpe = $helper{ $relation->{relates_to_product_reference} }{cpe} // next;
                    my $purl = $helper{ $relation->{product_reference} }{purl} // next;

                    next unless $cpe =~ m{^cpe:/[ao]:redhat:(?:enterprise_linux|rhel_(?:aus|e4s|tus)):(\d+)};
                    my $namespace = "rhel:$1";
                    next unless $purl =~ m{^pkg:rpm/redhat/([^@?]+)(?:\@([^?]+))?(?:\?(.*))?$};
                    my ($name, $version, %q) = ($1, $2, map { split /=/, $_, 2 } split /&/, $3 // '');
                    my $module = ($q{rpmmod} // '') =~ /^([^:]+:[^:]+)/ ? " $1" : '';
                    my $kind = ($q{arch} // '') =~ /^(?:no)?src$/ ? 'source' : 'binary';
                    my $severity = $severity{ $impact{$id} // $document->{document}{aggregate_severity}{text} } // 'Unknown';
                    s/%2B/+/gi, s/%7E/~/gi, s/%5E/^/gi foreach grep { defined } $name, $version;
                    my $subject = "$vulnerability->{cve} $namespace $kind $name$module";

                    $version = "$q{epoch}:$version" if defined $version && defined $q{epoch};
                    if ($status eq 'fixed')
                    {
                        push @{ $fixes{$subject} }, "$version fixed $severity";
                    }
                    else
                    {
                        # Of several the one that stands for most: the last in the alphabet, as it happens
                        my $said = ($status ne 'known_affected' ? $status : $reason{$id} // 'affected') . " $severity";
                        $unfixed{$subject} = $said if $said gt ($unfixed{$subject} // '');
                    }
                }
            }
        }
    }
    my @lines = map { "$_ $unfixed{$_}" } grep { !$fixes{$_} } keys %unfixed;
    foreach my $subject (keys %fixes)
    {
        # The highest, as rpm orders them: the database does
        my @versions = map { s/ .*//r } @{ $fixes{$subject} };
        my $highest = query($session, 'SELECT v FROM unnest(ARRAY[' . join(',', map { "'$_'" } @versions)
            . ']) AS v ORDER BY clair.rpm(v) DESC, v LIMIT 1');

        push @lines, map { "$subject $_" } grep { /^\Q$highest\E / } @{ $fixes{$subject} };
    }
    my %once = map { $_ => 1 } @lines;
    die 'nothing is expected' unless %once;
    return [ sort keys %once ];
}

SKIP:
{
    my $data = test_data('feeds/redhat') or skip 'there are no test data', 1;
    my $platforms = JSON::PP->new->encode({ platforms => { map {
        my $release = $_;
        map { ("cpe:/$_:$release*" => "rhel:$release") } map { ("a:redhat:$_", "o:redhat:$_") }
            qw(enterprise_linux rhel_aus rhel_e4s rhel_tus)
    } 6 .. 10 } });
    my $archive = "$data/vuls-redhat-vex-v1/testdata/fixtures/csaf_vex_2024-08-04.tar.zst";
    my $advisory = "$data/vex-large/RHSA-2023_6939.json.xz";

    system_or_bail("mkdir -p '$folder/csaf' && tar -C '$folder/csaf' -xf '$archive'");
    my @files = sort glob "$folder/csaf/*/*.json";
    my @documents = map { JSON::PP->new->utf8->decode(scalar slurp_file($_)) } @files;

    query($session, "SELECT clair.create_updater('archive', 'file://$archive', 'csaf', '$platforms')");
    like(outcome_of('archive'), qr/^succeeded: ${\ scalar @files} records/, 'an archive of ' . @files . ' documents');
    my $expected = expected_of(@documents);
    is_deeply(stated('archive'), $expected, '... and ' . @$expected . ' ranges of a second reading')
        or diag(join "\n", 'ours:', @{ stated('archive') }, 'expected:', @$expected);

    write_file("$folder/csaf/index.txt", join '', map { s{^\Q$folder\E/csaf/}{}r . "\n" } @files);
    query($session, "SELECT clair.create_updater('list', 'file://$folder/csaf/index.txt', 'csaf', '$platforms')");
    like(outcome_of('list'), qr/^succeeded: ${\ scalar @files} records/, 'a list of them');
    is_deeply(stated('list'), $expected, '... comes to the same');

    write_file($files[0], { %{ $documents[0] }, vulnerabilities => [] });
    is(outcome_of('list') =~ s/ added.*//r, 'succeeded: 1 records 0 unchanged 0 broken 0',
        '... of which only what has changed is read again');

    my $rhsa = JSON::PP->new->utf8->decode(scalar `xz -dc '$advisory'`);

    query($session, "SELECT clair.create_updater('advisory', 'file://$advisory', 'csaf', '$platforms')");
    like(outcome_of('advisory'), qr/^succeeded: 1 records 0 unchanged 0 broken/, 'an advisory');
    $expected = expected_of($rhsa);
    is_deeply(stated('advisory'), $expected, '... and ' . @$expected . ' ranges of a second reading');
    is(scalar query($session, "SELECT DISTINCT advisory FROM clair.affected AS a JOIN clair.vulnerability AS v"
        . " ON v.id = a.vulnerability_id WHERE v.updater = 'advisory' AND a.status = 'fixed'"), 'RHSA-2023:6939',
        '... which are the advisory\'s');

    my $source = "$data/csaf";
    write_file("$folder/few/" . s{.*/}{}r, scalar slurp_file($_)) foreach glob "$source/*.json";
    query($session, "SELECT clair.create_updater('folder', 'file://$folder/few/', 'csaf', '$platforms')");
    like(outcome_of('folder'), qr/^(?:succeeded|unchanged): 2 records 0 unchanged 7 broken/,
        'a folder of documents: one is withdrawn, one names packages without package URLs');
    is_deeply([ query($session, "SELECT DISTINCT regexp_replace(reason, '^.*: ', '') FROM clair.broken_record"
        . " WHERE record = 'rhsa-2022-0011.json'") ], ['it has no package URL'], '... which is told');
    is_deeply(stated('folder'), [], '... and nothing is said of them');
}

$session->quit;
done_testing();
