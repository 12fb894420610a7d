# Proves that images which violate a policy are kept out: of a pipeline, by psql's exit status, and of
# a table, by the trigger that README.md shows; and that an exception, or a better policy, lets them in.
# That exceptions reach another database as a VEX document, what real ones come to, and what hostile
# ones do not do.
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

# ---------------------------------------------------------------------------
# VEX: to another database
# ---------------------------------------------------------------------------

query($session, "SELECT clair.create_exception('CVE-2031-0001', 'no shell \"is\" reachable', kind => 'not_affected',"
    . " justification => 'vulnerable_code_not_in_execute_path', package => 'bash', image => 'web:1')");
my $vex = query($session, "SELECT clair.export_vex('web:1')");
my $other = new_database($node, 'other');
index_file($other, "$folder/bad.tar", 'shop:7');
set_feed($other, 'debian', "$folder/tracker.json");
update($other, 'debian');
my $CHECK = "SELECT string_agg(vulnerability, ' ') FROM clair.check_image('shop:7')";

is(query($other, $CHECK), 'CVE-2031-0001', 'another database finds the same in the image');
is(query($other, "SELECT state, added, skipped FROM clair.load_vex('${\ ($vex =~ s/'/''/gr)}'::jsonb)"), 'loaded|1|0',
    'it loads the VEX document of the first one');
is(query($other, $CHECK), '', 'and lets the image pass');
is(query($other, "SELECT feature, exception FROM clair.vulnerabilities('shop:7') WHERE exception IS NOT NULL"),
    'bash|no shell "is" reachable', 'for that reason');
index_file($other, debian_layer('same', [ 'bash', '5' ], [ 'file', '1' ]), 'shop:8');
is(query($other, $CHECK =~ s/shop:7/shop:8/r), 'CVE-2031-0001', 'but not another image with the same package');

# ---------------------------------------------------------------------------
# VEX: files
# ---------------------------------------------------------------------------

# What the exceptions of a document are, a line each.
sub exceptions_of
{
    my ($document) = @_;

    return [ query($other, 'SELECT concat_ws($$|$$, package, clair.bare(version), architecture, namespace, image, kind,'
        . " justification) FROM clair.exception WHERE document = '$document' AND ended_at IS NULL") ];
}

sub unescape { return $_[0] =~ s/%([0-9A-F]{2})/chr(hex $1)/ger }

sub unique { my %seen; return [ grep { !$seen{$_}++ } @_ ] }

write_file("$folder/vex.json", $vex);
is(query($other, "SELECT state, added FROM clair.load_vex('$folder/vex.json')"), 'unchanged|0', 'a file');
system_or_bail('gzip', '-k', "$folder/vex.json");
is(query($other, "SELECT state, added FROM clair.load_vex('$folder/vex.json.gz')"), 'unchanged|0', 'also compressed');
like(outcome($other, "SELECT clair.load_vex('$folder')"), qr/^42809: ".*" is a directory, not a VEX document$/, 'no directory');
like(outcome($other, "SELECT clair.load_vex('$folder/none')"), qr/^58P01: could not open/, 'no file');
like(outcome($other, "SELECT clair.load_vex('/dev/zero')"), qr/^42809: /, 'no device');
append_to_file($node->data_dir . '/postgresql.conf', "clair.image_directories = '/nowhere'\n");
$node->reload;
ok(wait_for(10, sub { outcome($other, "SELECT clair.load_vex('$folder/vex.json')") =~ /clair\.image_directories/ }),
    'nor one outside of clair.image_directories');
append_to_file($node->data_dir . '/postgresql.conf', "clair.image_directories = ''\n");
$node->reload;
ok(wait_for(10, sub { outcome($other, "SELECT clair.load_vex('$folder/vex.json')") eq 'ok' }), 'which may be anywhere');

# ---------------------------------------------------------------------------
# VEX: real documents, against a reading of our own
# ---------------------------------------------------------------------------

my %CODENAME = (trusty => '14.04', xenial => '16.04', bionic => '18.04', focal => '20.04', jammy => '22.04',
    noble => '24.04', oracular => '24.10');

# OpenVEX of Ubuntu: package URLs of Debian packages only.
sub ubuntu_exceptions
{
    my ($document) = @_;
    my @lines;

    foreach my $statement (@{ $document->{statements} })
    {
        next if $statement->{status} !~ /^(not_affected|fixed)$/;
        foreach my $product (@{ $statement->{products} })
        {
            my ($name, $version, $arch, $codename) =
                $product->{'@id'} =~ m{^pkg:deb/ubuntu/([^@]+)@([^?]+)\?arch=(\w+)(?:&distro=(?:[^/]*/)?(\w+))?$}
                or die $product->{'@id'};
            push @lines, join '|', map { unescape($_) } $name, $version, ($arch eq 'source' ? () : $arch),
                'ubuntu:' . (defined $codename ? $CODENAME{$codename} : '%'), $statement->{status},
                grep { defined } $statement->{justification};
        }
    }
    return unique(@lines);
}

# CSAF of Red Hat: rpm packages of Enterprise Linux, and images.
sub redhat_exceptions
{
    my ($document) = @_;
    my (%helper, %parts, %label, @lines);
    my @branches = @{ $document->{product_tree}{branches} };

    while (my $branch = shift @branches)
    {
        push @branches, @{ $branch->{branches} // [] };
        my $product = $branch->{product} // next;
        $helper{ $product->{product_id} } //= $product->{product_identification_helper} // {};
    }
    $parts{ $_->{full_product_name}{product_id} } = [ @$_{qw(product_reference relates_to_product_reference)} ]
        foreach @{ $document->{product_tree}{relationships} };
    foreach my $vulnerability (@{ $document->{vulnerabilities} })
    {
        foreach my $flag (@{ $vulnerability->{flags} })
        {
            $label{$_} = $flag->{label} foreach @{ $flag->{product_ids} };
        }
        foreach my $kind (qw(known_not_affected fixed))
        {
            foreach my $id (@{ $vulnerability->{product_status}{$kind} })
            {
                my ($component, $platform) = @{ $parts{$id} // [ $id ] };
                my $purl = $helper{$component}{purl} // next;
                my $cpe = defined $platform ? $helper{$platform}{cpe} : undef;
                my @kind = $kind eq 'fixed' ? 'fixed' : ('not_affected', $label{$id} // ());

                push @lines, join '|', $1, @kind if $purl =~ m{^pkg:oci/[^@]+@(sha256:[0-9a-f]{64})};
                next if $purl =~ /rpmmod=/ || $purl !~ m{^pkg:rpm/redhat/([^@?]+)(?:@([^?]+))?(?:\?(.*))?$};
                my ($name, $version, %qualifier) = ($1, $2, map { split /=/, $_, 2 } split /&/, $3 // '');
                next if ($cpe // '') !~ m{^cpe:/[ao]:redhat:enterprise_linux:(\d+)};
                $version = join ':', grep { $_ } $qualifier{epoch}, $version if defined $version;
                push @lines, join '|', map { unescape($_) } $name, $version // (),
                    (($qualifier{arch} // 'src') eq 'src' ? () : $qualifier{arch}), "rhel:$1", @kind;
            }
        }
    }
    return unique(@lines);
}

sub loads_as
{
    my ($name, $content, $id, $expected) = @_;
    my $file = "$folder/real.json";
    my $kinds = join ' ', sort @{ unique(map { /\b(not_affected|fixed)\b/ } @$expected) };

    write_file($file, $content);
    query($other, "SET client_min_messages = warning; SELECT clair.load_vex('$file')");
    same_lines(exceptions_of($id), $expected, "$name: $kinds");
}

my $archive = test_data('feeds/ubuntu/vuls-ubuntu-vex/testdata/fixtures/vex-all.tar.xz');
foreach my $path (defined $archive ? ('usn/USN-7372-1', 'cve/2025/CVE-2025-0167') : ())
{
    my $content = qx(tar -xJOf '$archive' vex-all/vex/$path.json);

    loads_as($path, $content, "https://github.com/canonical/ubuntu-security-notices/blob/main/vex/$path",
        ubuntu_exceptions(decode_json($content)));
}
foreach my $path (qw(vex-large/CVE-2024-1597.json.xz claircore-vex/cve-2023-38545.json.xz))
{
    my $file = test_data("feeds/redhat/$path") // next;
    my $content = qx(xz -dc '$file');
    my $document = decode_json($content);

    loads_as($path, $content, "https://www.redhat.com/$document->{document}{tracking}{id}",
        redhat_exceptions($document));
}
print "# SKIP: there are no test data: no real VEX documents are loaded\n" if !defined $archive;

# ---------------------------------------------------------------------------
# VEX: hostile documents
# ---------------------------------------------------------------------------

my $statements = '{"@id": "urn:hostile", "statements": [%s]}';
my $before = query($other, 'SELECT count(*) FROM clair.exception');
my %hostile = (
    'no JSON' => [ '<html></html>', '22000: byte 0: ' ],
    'cut off' => [ substr($vex, 0, length($vex) - 20), '22000: byte \d+: ' ],
    'nested deeply' => [ '{"statements": ' . '[' x 100_000 . ']' x 100_000 . '}', '(22000|54000): byte \d+: ' ],
    'a NUL in a name' => [ sprintf($statements, '{"vulnerability": "a\u0000b"}') =~ s/urn:hostile/urn\\u0000/r,
        '22000: byte \d+: ' ],
    'bytes that are not UTF-8' => [ "{\"\@id\": \"\xff\", \"statements\": []}", '22000: byte \d+: ' ],
    'of millions of statements' => [ sprintf($statements, '{"vulnerability": {"name": "x", "aliases": ['
        . join(',', map { "\"CVE-2031-$_\"" } 1000 .. 2999) . ']}, "status": "fixed", "products": ['
        . join(',', map { "\"pkg:deb/debian/p$_\"" } 1 .. 2000) . ']}'), '54000: the document has more than ' ],
    'a bomb' => [ undef, '54000: ' ],
);
{
    open(my $bomb, '|-', "gzip -9 > '$folder/bomb.json'") or die "gzip: $!";
    print $bomb ' ' x (1 << 20) foreach 1 .. 300;
    close($bomb) or die 'gzip';
}
foreach my $what (sort keys %hostile)
{
    my ($content, $expected) = @{ $hostile{$what} };
    my $file = defined $content ? "$folder/hostile.json" : "$folder/bomb.json";

    write_file($file, $content) if defined $content;
    ends_within(30, "$what: it ends", sub {
        like(outcome($other, "SELECT clair.load_vex('$file')"), qr/^$expected/, "$what: an error");
    });
}
is(query($other, 'SELECT count(*) FROM clair.exception'), $before, 'and nothing is stored');
is(query($other, "SELECT state FROM clair.load_vex('$folder/vex.json')"), 'unchanged', 'the server is up');
write_file("$folder/hostile.json", sprintf($statements, join ',', map {
    "{\"vulnerability\": \"CVE-2031-0001\", \"status\": \"fixed\", \"products\": [\"$_\"]}"
} q{pkg:deb/debian/x'); DROP TABLE clair.exception; --}, 'pkg:deb/debian/%25', 'pkg:deb/%25/x', 'pkg:oci/%25', 'pkg:oci/_?tag=%25'));
query($other, 'SET client_min_messages = warning');
is(query($other, "SELECT added, skipped FROM clair.load_vex('$folder/hostile.json')"), '5|1', 'names that mean more elsewhere');
is(query($other, "SELECT count(*) FROM clair.image_vulnerability AS v JOIN clair.exception AS e ON e.id = v.exception"
    . " WHERE e.document = 'urn:hostile'"), 0, '... are names here');

$other->quit;
$session->quit;
$node->stop;
done_testing();
