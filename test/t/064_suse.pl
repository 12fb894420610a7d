# Proves SUSE's updater through SQL: a folder of documents, real definitions and their goldens come to what
# they say, products to the images that have their packages, and a broken document changes nothing.
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

my $node      = start_server('suse');
my ($session) = session($node);
my $folder    = PostgreSQL::Test::Utils::tempdir();
my $FIXTURES  = abs_path("$FindBin::Bin/../fixtures/suse");

# What a run came to, in one line.
sub outcome
{
    my $run = update($session, 'suse');

    return join ' ', "$run->{state}:", map({ "$run->{$_} $_" } qw(records unchanged broken added changed
        withdrawn)), $run->{error} =~ s/\n.*//sr || ();
}

# All ranges that have something in them.
sub stated
{
    return [ query($session, <<'SQL') ];
SELECT concat_ws(' ', v.name, a.namespace, a.package, CASE a.status WHEN 'fixed' THEN clair.bare(a.fixed) END,
    a.status, a.severity, a.advisory) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
WHERE v.updater = 'suse' AND v.until_run IS NULL AND v.frozen IS NULL
    AND a.introduced OPERATOR(clair.<) a.fixed
ORDER BY line
SQL
}

sub compare
{
    my ($name, @expected) = @_;
    my %lines = map { $_ => 1 } @expected;

    is_deeply(stated(), [ sort keys %lines ], "$name: " . keys(%lines) . ' ranges')
        or diag("ours:\n", join("\n", @{ stated() }), "\nexpected:\n", join "\n", sort keys %lines);
}

# ---------------------------------------------------------------------------
# A folder of documents
# ---------------------------------------------------------------------------

system_or_bail(qw(cp -R --no-preserve=mode), $FIXTURES, "$folder/oval");
set_feed($session, 'suse', "$folder/oval/");
is(outcome(), 'succeeded: 4 records 0 unchanged 0 broken 4 added 0 changed 0 withdrawn',
    'a folder: what a whole version has, and openSUSE');
my @expected = (
    'CVE-2031-1001 opensuse-leap:15.6 quux 0:1.2-150600.6.1 fixed High SUSE-SU-2031:0002-1',
    'CVE-2031-1001 sles:15.4 quux affected High',
    'CVE-2031-1001 sles:15.5 libquux1 0:1.2-150500.3.1 fixed High',
    'CVE-2031-1001 sles:15.5 quux 0:1.2-150500.3.1 fixed High',
    'CVE-2031-1002 sles:15.5 grault affected Unknown');
compare('the fix of the distribution, else the highest', @expected);
is(outcome(), 'unchanged: 0 records 0 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'once more: no document has changed');

my $path = "$folder/oval/suse.linux.enterprise.15-affected.xml";
my $text = slurp_file($path);
write_file($path, $text =~ s/0:1\.3-150500\.9\.1/0:1.3-150500.9.2/r);
is(outcome(), 'unchanged: 2 records 1 unchanged 0 broken 0 added 0 changed 0 withdrawn',
    'a state that changes has its definition read again, and no other');
write_file($path, $text =~ s/0:1\.2-150500\.3\.1/0:1.2-150500.3.9/r);
is(outcome(), 'succeeded: 2 records 1 unchanged 0 broken 0 added 1 changed 0 withdrawn',
    '... and another version is news');
s/3\.1 fixed/3.9 fixed/ foreach @expected[ 2, 3 ];
compare('... which counts', @expected);

# ---------------------------------------------------------------------------
# Broken documents
# ---------------------------------------------------------------------------

sub fails
{
    my ($content, $error, $name) = @_;

    write_file($path, $content);
    like(outcome(), qr/^failed: .*$error/, $name);
    compare('... and nothing changes', @expected);
}

my $place = 'document "suse.linux.enterprise.15-affected.xml": line \d+: ';

fails(substr($text, 0, length($text) / 2), "${place}the document ends too early", 'a document that is cut');
fails('<html/>', "${place}the document is \"html\", not \"oval_definitions\"", 'another page');
write_file($path, $text =~ s/tst:12" comment/tst:99" comment/r);
is(outcome(), 'succeeded: 2 records 1 unchanged 1 broken 0 added 1 changed 0 withdrawn', 'a test that is missing');
is_deeply([ query($session, 'SELECT record, reason FROM clair.broken_record ORDER BY run DESC LIMIT 1') ],
    ['suse.linux.enterprise.15-affected/oval:org.opensuse.security:def:20311001|a test is missing'],
    '... leaves out its package, and is told');

SKIP:
{
    my $hostile = test_data('hostile/feed') or skip 'there are no test data', 1;

    @expected = @{ stated() };
    foreach my $file (grep { !/latin1|xinclude/ } glob "$hostile/*.xml $hostile/*.xml.*")
    {
        fails(slurp_file($file), 'document "suse.linux.enterprise.15-affected.xml": ', $file =~ s{.*/}{}r);
    }
}

# ---------------------------------------------------------------------------
# Real definitions
# ---------------------------------------------------------------------------

# The namespaces of a product, worked out here by patterns on the whole name.
sub namespaces
{
    my ($product) = @_;

    return ("opensuse-tumbleweed:rolling") if $product eq 'openSUSE Tumbleweed';
    return ("leap-micro:$1") if $product =~ /^openSUSE Leap Micro (\d+\.\d+)$/;
    return ("opensuse-leap:$1") if $product =~ /^openSUSE (?:Leap )?(\d+\.\d+)(?: Update)?$/;
    return ("opensuse-leap:$1.$2") if $product =~ /^suse(\d\d)(\d)(?:-debug)?$/;
    return ("sle-micro:$1") if $product =~ /^SUSE Linux Enterprise Micro (\d\.\d)$/;
    return ("sl-micro:$1") if $product =~ /^SUSE Linux Micro (\d\.\d)$/;
    return ("sles:$1.$2") if $product =~ /^(?:sles|SUSE Linux Enterprise .*?)(\d\d)(?:-sp|\.| SP)(\d)(?:-[A-Za-z]+)?$/;
    return ("sles:$1") if $product =~ /^(?:core|SUSE Linux Enterprise .*? )(\d+)(?:-LTSS)?$/ && $1 >= 9;
    return () if $product =~ /^(?:Open Enterprise Server|SUSE Manager|SUSE Enterprise Storage)/;
    die "a product that is not known: $product";
}

# What the goldens of a document say: its rows, as we should have them.
sub expected_of
{
    my ($golden) = @_;
    my %part;
    my @lines;

    foreach my $file (split /\n/, `find '$golden' -name '*.json'`)
    {
        my $value = JSON::PP->new->utf8->decode(scalar slurp_file($file));

        $part{ $file =~ m{/(definitions|tests|objects|states)/} && $1 }{ $value->{id} } = $value;
    }
    foreach my $definition (values %{ $part{definitions} })
    {
        my $metadata = $definition->{metadata};
        my $advisory = $metadata->{advisory};
        my %severity = (Low => 'Low', Moderate => 'Medium', Important => 'High', Critical => 'Critical');
        my %cve = map { /(CVE-\S+)/ ? ($1 => $severity{ $advisory->{severity} // '' } // 'Unknown') : () }
            map { $_->{ref_id} } grep { $_->{source} eq 'CVE' } @{ $metadata->{reference} };
        my @pairs;    # of products and tests
        my $walk;

        if ($definition->{class} eq 'patch')
        {
            foreach my $of_suse (grep { $_->{text} =~ / at SUSE$/ && $_->{impact} } @{ $advisory->{cve} })
            {
                $cve{ $of_suse->{text} =~ s/ .*//r } = ucfirst $of_suse->{impact};
            }
        }

        # A branch: the products that it names, and the tests, here or below.
        $walk = sub {
            my ($criteria) = @_;
            my @below = map { $walk->($_) } @{ $criteria->{criterias} // [] };
            my @products = map { @{ $_->[0] } } @below;
            my @tests = map { @{ $_->[1] } } @below;

            foreach my $criterion (@{ $criteria->{criterions} // [] })
            {
                next if $criterion->{comment} =~ / is (?:not affected|signed with .*)$/;
                my $product = $criterion->{comment} =~ /^(.*\w) is installed$/ && $1;

                if ($product && ($product =~ / / || $product =~ /^(?:core9|sles10-sp4.*|suse1\d\d)$/))
                {
                    push @products, $product;
                }
                else
                {
                    push @tests, $criterion->{test_ref};
                }
            }
            return [ \@products, \@tests ] unless @products && @tests && $criteria->{operator} eq 'AND';
            push @pairs, [ \@products, \@tests ];
            return;
        };
        my $rest = $walk->($definition->{criteria});
        push @pairs, [ $metadata->{affected}{platform}, $rest->[1] ] if $rest && @{ $rest->[1] };

        foreach my $pair (@pairs)
        {
            foreach my $test (map { $part{tests}{$_} // () } @{ $pair->[1] })
            {
                my $package = $part{objects}{ $test->{object}{object_ref} }{name};
                my $evr = $part{states}{ $test->{state}{state_ref} }{evr};

                die "a test of something else: $test->{comment}" unless $evr->{operation} eq 'less than';
                foreach my $namespace (map { namespaces($_) } @{ $pair->[0] })
                {
                    push @lines, map { "$_ $namespace $package $evr->{text} fixed $cve{$_}" } keys %cve;
                }
            }
        }
    }
    return @lines;
}

SKIP:
{
    my $data = test_data('feeds/suse') or skip 'there are no test data', 1;
    my $vuls = "$data/vuls-suse-oval/testdata";
    my $nothing = 0;

    foreach my $document (glob "$vuls/fixtures/happy/*.xml.gz")
    {
        my ($name) = $document =~ m{/([^/]+)\.xml\.gz$};
        my $class = $name =~ s/-(patch|affected)$// && $1 eq 'patch' ? 'patch' : 'vulnerability';
        my $golden = $name eq 'opensuse.tumbleweed' ? "$vuls/golden/$name/$class"
            : "$vuls/golden/" . ($name =~ s{\.(\d+(?:\.\d+)?)$}{/$1}r) . "/$class";
        my @lines = expected_of($golden);

        die "no golden of $document" unless -d $golden;
        $nothing++ unless @lines;
        set_feed($session, 'suse', $document, '{"max_shrinkage": 100}');
        like(outcome(), qr/^(?:succeeded|unchanged): [12] records 0 unchanged/, "$name, $class");
        compare('... and its golden', @lines);
    }
    is($nothing, 3, 'documents of which all is "not affected"');

    set_feed($session, 'suse', "$vuls/fixtures/happy/", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: 17 records 1 unchanged 2 broken/, 'all of them as a folder, but for patches');

    foreach my $file ('org.opensuse.CVE-2008-5679.xml', 'org.opensuse.CVE-2008-5679-modified-versions.xml')
    {
        my $golden = JSON::PP->new->utf8->decode(scalar slurp_file(
            "$data/vulnerablecode-suse_oval/suse-oval-CVE-2008-5679-expected.json"))->[0];
        my ($version) = $golden->{affected_packages}[0]{affected_version_range} =~ m{^vers:rpm/<(.*)$};

        set_feed($session, 'suse', "$data/vulnerablecode-suse_oval/$file", '{"max_shrinkage": 100}');
        like(outcome(), qr/^(?:succeeded|unchanged): 1 records 0 unchanged 0 broken/, $file);
        compare('... and what vulnerablecode expects', map {
            "$golden->{aliases}[0] opensuse-leap:$_ $golden->{affected_packages}[0]{package}{name} 0:$version"
                . ' fixed Unknown' } qw(10.3 11.0 11.1));
    }
    set_feed($session, 'suse', "$data/vulnerablecode-suse_oval/mock-definitions-only.xml");
    like(outcome(), qr/^failed: .*is there twice/, 'definitions with the same id fail the run');
}

# ---------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------

# A document in SUSE's form about packages: [ cve, products, package, version or undef: not fixed ].
sub oval_of
{
    my @statements = @_;
    my ($definitions, $tests, $objects, $states) = ('') x 4;

    while (my ($i, $statement) = each @statements)
    {
        my ($cve, $products, $package, $fixed) = @$statement;
        my $id = 'oval:org.opensuse.security';

        $definitions .= qq{<definition id="$id:def:$i" version="1" class="vulnerability"><metadata>}
            . qq{<title>$cve</title><reference ref_id="Mitre $cve" ref_url="x" source="CVE"/></metadata>}
            . '<criteria operator="AND"><criteria operator="OR">'
            . join('', map { qq{<criterion test_ref="$id:tst:0" comment="$_ is installed"/>} } @$products)
            . qq{</criteria><criterion test_ref="$id:tst:1$i" comment="}
            . (defined $fixed ? $fixed eq '' ? "$package is not affected" : "$package-$fixed is installed"
                : "$package is affected")
            . '"/></criteria></definition>';
        next unless $fixed;
        $tests .= qq{<rpminfo_test id="$id:tst:1$i"><object object_ref="$id:obj:$i"/>}
            . qq{<state state_ref="$id:ste:$i"/></rpminfo_test>};
        $objects .= qq{<rpminfo_object id="$id:obj:$i"><name>$package</name></rpminfo_object>};
        $states .= qq{<rpminfo_state id="$id:ste:$i"><evr operation="less than">0:$fixed</evr></rpminfo_state>};
    }
    return "<oval_definitions><definitions>$definitions</definitions><tests>$tests</tests>"
        . "<objects>$objects</objects><states>$states</states></oval_definitions>";
}

# Packages of a list with a heading: hashes.
sub packages_of
{
    my ($heading, @lines) = split /\n/, scalar slurp_file($_[0]);
    my @columns = split /\t/, $heading;

    return map { my %package; @package{@columns} = split /\t/, $_, -1; \%package } @lines;
}

# An image's findings must be what a document about all of its packages says of them: of every fifth
# that it is older than the fix, just fixed, not fixed, not affected; or what is of other releases.
sub check_image
{
    my ($image, $products, $others, @packages) = @_;
    my (@statements, %expected, %seen);

    @packages = grep { $_->{name} ne 'gpg-pubkey' } @packages;
    $seen{ $_->{name} }++ foreach @packages;
    @packages = grep { $seen{ $_->{name} } == 1 } @packages;
    while (my ($i, $package) = each @packages)
    {
        my ($name, $version, $cve) = ($package->{name}, "$package->{version}-$package->{release}", "CVE-2031-$i" . 0000);
        my @cases = ([ $products, "$version.1" ], [ $products, $version ], [ $products, undef ], [ $products, '' ],
            [ $others, "$version.1" ]);
        my ($of, $fixed) = @{ $cases[ $i % 5 ] };

        push @statements, [ $cve, $of, $name, $fixed ];
        $expected{"$cve $name " . ($fixed // '-')} = 1 if $i % 5 == 0 || $i % 5 == 2;
    }
    write_file("$folder/made.xml", oval_of(@statements));
    set_feed($session, 'suse', "$folder/made.xml", '{"max_shrinkage": 100}');
    like(outcome(), qr/^succeeded: ${\ scalar @statements} records 0 unchanged 0 broken/,
        "$image: a document about " . @statements . ' packages');
    is_deeply([ sort map { s/ 0:/ /r } query($session, "SELECT concat_ws(' ', vulnerability, feature,"
        . " COALESCE(fixed_in, '-')) FROM clair.vulnerabilities('$image')") ], [ sort keys %expected ],
        '... and ' . keys(%expected) . ' findings');
}

SKIP:
{
    my $image = test_data('images/rpm/leap151-ndb.layer.tar.gz') or skip 'there are no test data', 1;
    my $truth = test_data('truth/machine-lists');
    my %machine = (
        opensuse_leap_15 => [ 'opensuse-leap', '15.3', ['openSUSE Leap 15.3'], [ 'openSUSE Leap 15.4', 'openSUSE Tumbleweed' ] ],
        opensuse_tumbleweed => [ 'opensuse-tumbleweed', '20240103', ['openSUSE Tumbleweed'], ['openSUSE Leap 15.6'] ],
        sles15 => [ 'sles', '15.3', [ 'SUSE Linux Enterprise Module for Basesystem 15 SP3', 'SUSE Manager Server 4.2',
                'SUSE Linux Enterprise Desktop 15 SP3', 'SUSE Linux Enterprise Server 15 SP3' ],
            [ 'SUSE Linux Enterprise Server 15 SP1', 'SUSE Linux Enterprise Server 15', 'SUSE Linux Enterprise Server 12 SP3',
                'SUSE Linux Enterprise Micro 5.3', 'SUSE Linux Enterprise Module for Basesystem 15 SP4' ] ]);

    index_file($session, $image, 'leap151');
    check_image('leap151', ['openSUSE Leap 15.1'], ['openSUSE Leap 15.2'],
        packages_of($image =~ s/\.layer\.tar\.gz$/.expected.tsv/r));
    foreach my $name (sort keys %machine)
    {
        my ($id, $release, $products, $others) = @{ $machine{$name} };
        my @packages = packages_of("$truth/$name.tsv");

        # Such a list of packages is also what images have in place of rpm's database
        make_layer("$folder/$name.tar", 'etc/os-release' => "ID=\"$id\"\nVERSION_ID=\"$release\"\n",
            'var/lib/rpmmanifest/container-manifest-2' => join '', map {
                "$_->{name}\t$_->{version}-$_->{release}\t1\t1\tSUSE LLC\t(none)\t1\t$_->{arch}\t0\t$_->{name}.src.rpm\n"
            } @packages);
        index_file($session, "$folder/$name.tar", $name);
        check_image($name, $products, $others, @packages);
    }
}

$session->quit;
done_testing();
