# Proves Oracle's updater through SQL: real definitions come to what they say, advisories on the same flaw
# are taken together, only what has changed is read again, and a broken document changes nothing.
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

my $node      = start_server('oracle');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/oracle");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'oracle');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# ---------------------------------------------------------------------------
# A folder of documents by year
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'oracle', "$folder/oval/");
is(outcome(), 'succeeded: 4 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn',
    'two years are read');

# bash is fixed twice: what was fixed first counts for nobody; FIPS builds have a line of their own.
is_deeply(stated($session, 'oracle', 1), [ sort map { join "\t", @$_ }
    [ 'CVE-2031-1001', 'oracle:9', 'bash', '0:5.1.8-9.el9', 'fixed', '', '', 'aarch64' ],
    [ 'CVE-2031-1001', 'oracle:9', 'bash', '0:5.1.8-9.el9', 'fixed', '', '', 'x86_64' ],
    [ 'CVE-2031-1002', 'oracle:8', 'gnutls', '0:3.6.16-4.el8', 'fixed', '', '', 'x86_64' ],
    [ 'CVE-2031-1002', 'oracle:8', 'gnutls', '10:3.6.16-4.0.1.el8_fips', 'fixed', '', 'fips', 'x86_64' ],
    [ 'CVE-2031-1003', 'oracle:9', 'nodejs', '1:18.20.2-1.module+el9', 'fixed', 'nodejs:18', '', 'x86_64' ],
    ], 'a fix for each package, flavour and module: the highest one')
    or diag(join "\n", @{ stated($session, 'oracle', 1) });

is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'once more: no document has changed');

my $path = "$folder/oval/com.oracle.elsa-2031.xml";
my $text = slurp_file($path);
write_file($path, $text =~ s/18\.20\.2-1/18.20.4-1/gr);
is(outcome(), 'succeeded: 3 records 2 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    'one definition has changed: the others of its document are not read');
is(scalar query($session, 'SELECT clair.bare(fixed) FROM clair.affected AS a JOIN clair.vulnerability AS v'
    . " ON v.id = a.vulnerability_id WHERE package = 'nodejs' AND v.until_run IS NULL"),
    '1:18.20.4-1.module+el9', '... and says what is new');

# ---------------------------------------------------------------------------
# Broken documents
# ---------------------------------------------------------------------------

my $before = stated($session, 'oracle', 1);

sub fails
{
    my ($content, $error, $name) = @_;

    write_file($path, $content);
    like(outcome(), qr/^failed: .*$error/, $name);
    is_deeply(stated($session, 'oracle', 1), $before, '... and nothing changes');
}

my $place = 'document "com.oracle.elsa-2031.xml": line \d+: ';

fails(substr($text, 0, length($text) / 2), "${place}the document ends too early", 'a document that is cut');
fails("<!DOCTYPE oval_definitions>$text", "${place}a document type declaration is not allowed",
    'a type declaration');
fails('<html/>', "${place}the document is \"html\", not \"oval_definitions\"", 'another page');

SKIP:
{
    my $hostile = test_data('hostile/feed') or skip 'there are no test data', 1;
    my %refused = (
        'attr-huge.xml.gz'    => "${place}a tag or a comment is too large",
        'deep.xml.gz'         => "${place}the document is \"a\"",
        'entity-bomb.xml'     => "${place}a document type declaration is not allowed",
        'external-entity.xml' => "${place}a document type declaration is not allowed",
        'html-instead.xml'    => "${place}a document type declaration is not allowed",
        'truncated-bz2.oval.xml.bz2' => 'document "com.oracle.elsa-2031.xml": .*bzip2',
        'xinclude.xml'               => 'shrank from 3 to 0 records',    # what it includes is not looked at
    );

    is_deeply([ sort map { s{.*/}{}r } glob "$hostile/*.xml $hostile/*.xml.*" ],
        [ sort keys %refused, 'latin1.xml' ], 'all hostile feeds in XML');
    fails(slurp_file("$hostile/$_"), $refused{$_}, $_) foreach sort keys %refused;
}
fails('<?xml version="1.0" encoding="EUC-KR"?><oval_definitions/>', 'document "com.oracle.elsa-2031.xml"',
    'an encoding that the reader does not know');

# ---------------------------------------------------------------------------
# Real definitions
# ---------------------------------------------------------------------------

SKIP:
{
    my $latin1 = test_data('hostile/feed/latin1.xml') or skip 'there are no test data', 1;

    write_file($path, slurp_file($latin1));
    like(outcome(), qr/^succeeded: 1 records 0 unchanged 1 broken/, 'Latin-1, and criteria that are missing');
    is_deeply([ query($session, 'SELECT record, reason FROM clair.broken_record WHERE run = (SELECT max(run)'
        . ' FROM clair.broken_record)') ], ['com.oracle.elsa-2031/x|it has no criteria'], '... which is told');
}

SKIP:
{
    my $data = test_data('feeds/oracle') or skip 'there are no test data', 1;

    # What vuln-list made of real documents is made into such again; what it says is worked out here.
    foreach my $sample (glob "$data/trivy-db-oracle-oval/*/vuln-list/oval/oracle")
    {
        my ($name) = $sample =~ m{trivy-db-oracle-oval/([^/]+)/};
        my @definitions = map { eval { read_definition($_) } // () } glob "$sample/*/*.json";
        my %expected;

        next unless @definitions;
        foreach my $definition (@definitions)
        {
            my ($elsa) = $definition->{title} =~ /^(ELSA-\d+-\d+)/;
            my @cves = map { $_->{id} } @{ $definition->{cves} // [] },
                grep { $_->{source} eq 'CVE' } @{ $definition->{references} };

            $expected{$_} = 1 foreach @{ expected_of(@cves ? \@cves : [$elsa], $definition->{criteria}) };
        }
        write_file("$folder/$name/com.oracle.elsa-all.xml", oval_document(@definitions));
        set_feed($session, 'oracle', "$folder/$name/", '{"max_shrinkage": 100}');
        like(outcome(), qr/^succeeded/, "sample $name: " . @definitions . ' definitions');
        compare_highest($name, \%expected);
    }

    # Goldens of vuls, beside the document that they were made of
    my $vuls = "$data/vuls-oracle-linux/testdata";
    my %expected;

    foreach my $file (glob "$vuls/golden/definitions/*.json")
    {
        my $definition = read_definition($file);
        my @cves = map { $_->{text} } @{ $definition->{metadata}{advisory}{cve} };

        $expected{$_} = 1 foreach @{ expected_of(\@cves, $definition->{criteria}) };
    }
    set_feed($session, 'oracle', "$vuls/fixtures/com.oracle.elsa-all.xml.bz2", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 2 records/, 'the document of vuls');
    compare_highest('vuls', \%expected);
}

# Our rows must be the expected ones, of which for a package's flavour, module and architecture only
# the highest version counts, as rpm orders them.
sub compare_highest
{
    my ($name, $expected) = @_;
    my %highest;

    foreach my $line (sort keys %$expected)
    {
        my @line = split /\t/, $line, -1;
        my $subject = join "\t", @line[ 0 .. 2, 4 .. 7 ];
        my $other = $highest{$subject};

        $highest{$subject} = \@line
            if !defined $other
            || query($session, "SELECT clair.version_cmp('rpm', '$line[3]', '$other->[3]')") > 0;
    }
    my @expected = sort map { join "\t", @$_ } values %highest;
    die 'no golden was found' unless @expected;
    is_deeply(stated($session, 'oracle', 1), \@expected, "... and " . @expected . ' packages of CVEs')
        or diag("ours:\n", join("\n", @{ stated($session, 'oracle', 1) }), "\nexpected:\n", join "\n", @expected);
}

$session->quit;
done_testing();
