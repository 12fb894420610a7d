# Proves Ubuntu's OVAL: of a real image it finds the CVEs that OpenSCAP finds by the same documents, in
# every form that they have, and only what has changed is read again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use FeedTest;
use IndexTest;
use OvalTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node      = start_server('ubuntu_oval');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/ubuntu-oval");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'ubuntu-oval');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# The findings of an image as lines of these columns, each once.
sub found
{
    my ($image, $columns) = @_;

    return query($session, "SELECT DISTINCT concat_ws(E'\\t', $columns) COLLATE \"C\" AS line"
        . " FROM clair.vulnerabilities('$image') WHERE vulnerability IS NOT NULL ORDER BY line");
}

# ---------------------------------------------------------------------------
# A small document
# ---------------------------------------------------------------------------

make_layer("$folder/jammy.tar",
    'etc/os-release'      => "ID=ubuntu\nVERSION_ID=22.04\n",
    'var/lib/dpkg/status' => status_paragraphs([qw(libquux1 1.2-3 quux)], [qw(quux 1.2-3ubuntu0.1)],
        [qw(grault 9)], [qw(waldo 1)]));
index_file($session, "$folder/jammy.tar", 'small');
system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'ubuntu-oval', "$folder/oval/");
is(outcome(), 'succeeded: 3 records 0 unchanged 0 broken 2 added 0 changed 0 withdrawn', 'a folder');
is_deeply([ found('small', "feature, vulnerability, severity, COALESCE(fixed_in, '-'), status") ],
    [ map { join "\t", @$_ } [qw(grault CVE-2031-1001 Medium - affected)],
        [qw(grault CVE-2031-1002 Low - affected)],
        [qw(libquux1 CVE-2031-1001 Medium 0:1.2-3ubuntu0.1 fixed)] ],
    'binary packages are found, but those that have the fix');
is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'once more: nothing has changed');

my $path = "$folder/oval/com.ubuntu.jammy.cve.oval.xml";
my $text = slurp_file($path);
write_file($path, $text =~ s{<value>libquux1</value>}{<value>libquux2</value>}r);
is(outcome(), 'succeeded: 3 records 2 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'a variable that changes changes the definition that leans on it, and no other');
is(scalar(grep { /libquux1/ } found('small', 'feature')), 0, '... and what is found');
write_file($path, substr $text, 0, length($text) - 100);
like(outcome(), qr/^failed: .*line \d+: the document ends too early/, 'a document that is cut fails the run');

# ---------------------------------------------------------------------------
# A real image
# ---------------------------------------------------------------------------

SKIP:
{
    my $truth = test_data('truth/ubuntu-jammy.layer3.oval-cve.tsv') or skip 'there are no test data', 1;
    my $data = abs_path("$truth/../..");

    # What OpenSCAP and a second reader agree on. The list says which definitions hold.
    my (undef, @lines) = split /\n/, slurp_file($truth);
    my @expected = sort map { join "\t", (split /\t/)[ 2, 3 ] } @lines;

    index_file($session, "$data/images/jammy/jammy.docker.tar.gz", 'jammy');
    set_feed($session, 'ubuntu-oval', "$data/feeds/ubuntu/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: ${\ (13338 + 11716 + 5689)} records 0 unchanged 0 broken/,
        'of three releases the documents of CVEs are read, all their definitions');
    is_deeply([ found('jammy', 'vulnerability, severity') ], \@expected,
        'jammy: findings are those of truth/ (' . @expected . ' lines)');

    set_feed($session, 'ubuntu-oval', "$data/feeds/ubuntu/oci.com.ubuntu.jammy.pkg.oval.xml.bz2");
    like(outcome(), qr/^succeeded: 2116 records 0 unchanged 0 broken/, 'the document by package');
    is_deeply([ found('jammy', 'vulnerability, severity') ], \@expected, '... says the same');

    compare_goldens("$data/feeds/ubuntu/vuls-ubuntu-oval/testdata", $_) foreach qw(cve pkg);
}

# What the goldens of vuls have of a document, joined here, must be what it came to.
sub compare_goldens
{
    my ($vuls, $form) = @_;
    my $golden = "$vuls/golden/jammy/$form/main";
    my %known = map { my $read = read_definition($_); $read->{id} => $read }
        glob "$golden/{definitions,tests/*,objects/*,states/*,variables/*}/*.json";
    my %expected;

    foreach my $definition (grep { /:def:/ } sort keys %known)
    {
        my ($or) = @{ $known{$definition}{criteria}{criterias} };

        foreach my $criterion (@{ $or->{criterions} })
        {
            my $test = $known{ $criterion->{test_ref} } or next;    # not all are in the sample
            my $object = $known{ $test->{object}{object_ref} };
            my $state = $known{ $test->{state}{state_ref} };
            my ($cve) = $criterion->{comment} =~ /^\((.*?)\)/;

            $cve //= $known{$definition}{metadata}{reference}{ref_id};
            foreach my $value (@{ $known{ $object->{pattern}{var_ref} }{value} })
            {
                my ($package) = $value =~ /^\^(.*)\Q(?::\w+|)\E/;
                $expected{ join "\t", $cve, 'ubuntu:22.04', $package, $state->{subexpression}{text}, 'fixed',
                    '', '', 'any' } = 1;
            }
        }
    }
    die 'no golden was found' unless %expected;
    set_feed($session, 'ubuntu-oval', "$vuls/fixtures/oci.com.ubuntu.jammy.$form.oval.xml.bz2",
        '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded/, "the sample of vuls, by $form");
    is_deeply(stated($session, 'ubuntu-oval', 1), [ sort keys %expected ],
        '... and ' . keys(%expected) . ' packages of CVEs')
        or diag("ours:\n", join("\n", @{ stated($session, 'ubuntu-oval', 1) }), "\nexpected:\n",
            join "\n", sort keys %expected);
}

$session->quit;
done_testing();
