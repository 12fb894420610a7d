# Proves that real images lose no package and no finding on the way out into a software bill of
# materials and back; that such documents are what their standards ask for, as far as a validator is
# at hand; and that hostile ones end in one error within the limits, and leave nothing behind.
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

my $node   = start_server('sbom');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session, $backend) = session($node);

my $PACKAGE = "concat_ws(' ', name, version, source_name, source_version, COALESCE(architecture, '-'),"
    . " COALESCE(module, '-'), COALESCE(vendor, '-'), COALESCE(license, '-'))";

# The packages of an image, all of them.
sub packages_of
{
    my ($image) = @_;

    return [ query($session, "SELECT DISTINCT $PACKAGE FROM clair.features('$image')") ];
}

# Its findings. What is missing to know is none: a module that no label tells is noticed in documents
# only.
sub findings_of
{
    my ($image) = @_;

    return [ query($session, "SELECT DISTINCT concat_ws(' ', feature, installed_version, vulnerability, severity,"
        . " fixed_in, status, advisory) FROM clair.vulnerabilities('$image') WHERE vulnerability IS NOT NULL") ];
}

# ---------------------------------------------------------------------------
# Out and back: real images
# ---------------------------------------------------------------------------

my $DATA = test_data('images');
my %documents;

SKIP:
{
    skip('there are no test data', 1) if !defined $DATA;
    $DATA = abs_path("$DATA/..");
    my %images = map { (split m{/})[-1] =~ s/\..*//r => $_ } glob("$DATA/images/{rpm,rebuilt,alpine}/*.tar.gz"),
        map { "$DATA/images/$_/$_.oci-gzip.tar" } qw(bookworm trixie sid jammy);
    my @alike = qw(cyclonedx spdx);

    set_feed($session, 'alpine', "$DATA/feeds/alpine/secdb-json/");
    set_feed($session, 'debian', "$DATA/feeds/debian/tracker-derived.json.gz");
    query($session, "UPDATE clair.updater SET enabled = false WHERE name NOT IN ('alpine', 'debian')");
    is_deeply([ query($session, 'SELECT updater, state FROM clair.update() ORDER BY 1') ],
        [ 'alpine|succeeded', 'debian|succeeded' ], 'feeds');
    index_file($session, $images{$_}, $_) foreach sort keys %images;

    # What these feeds say is not much: whatever source package there is has a vulnerability, and what is
    # of a module one in that.
    query($session, <<'SQL');
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run)
VALUES ('debian', 'made', 'CVE-2031-0001', 'x', 1), ('debian', 'made', 'CVE-2031-0002', 'x', 1);
INSERT INTO clair.scope (digest, module)
SELECT 'of ' || module, module FROM clair.feature WHERE module IS NOT NULL GROUP BY module;
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity, scope_id)
SELECT v.id, row_number() OVER (), f.namespace, 'source', f.source_name, '-infinity', 'infinity', 'affected', 'Low',
    COALESCE(s.id, 0)
FROM clair.feature AS f
    LEFT JOIN clair.scope AS s ON s.module = f.module
    JOIN clair.vulnerability AS v ON v.name = CASE WHEN s.id IS NULL THEN 'CVE-2031-0001' ELSE 'CVE-2031-0002' END
GROUP BY v.id, f.namespace, f.source_name, s.id;
SQL

    foreach my $image (sort keys %images)
    {
        my ($expected, $findings) = (packages_of($image), findings_of($image));

        foreach my $format (@alike)
        {
            my $text = query($session, "SELECT clair.export_sbom('$image', '$format')");
            my $file = "$folder/$image.$format.json";
            my $copy = "$image.$format";

            write_file($documents{$copy} = $file, $text);
            is(query($session, "SELECT namespace FROM clair.index_sbom('$file', '$copy')"),
                query($session, "SELECT namespace FROM clair.image WHERE id = clair.image_id('$image')"), "$copy: namespace");
            same_lines(packages_of($copy), $expected, "$copy: packages");
            same_lines(findings_of($copy), $findings, "$copy: findings");
            is(query($session, "SELECT clair.export_sbom('$image', '$format')"), $text,
                "$copy: an image that has not changed gives the same document");
        }
        is(scalar query($session, "SELECT count(DISTINCT d.database_id) FROM clair.image_database AS d"
            . " WHERE d.image_id IN (clair.image_id('$image.cyclonedx'), clair.image_id('$image.spdx'))"), '1',
            "$image: both documents have their packages in common");
        is(query($session, "SELECT digest LIKE 'sha256:%' FROM clair.image WHERE id = clair.image_id('$image')"), 't',
            "$image: the image keeps its name");
    }
}

# ---------------------------------------------------------------------------
# Documents of others: what a second reader finds in them
# ---------------------------------------------------------------------------

# Name and version of the packages that a document lists, by their package URLs alone.
sub listed
{
    my ($document) = @_;
    my @parts = (@{ $document->{components} // [] }, @{ $document->{packages} // [] });
    my %listed;

    while (my $part = shift @parts)
    {
        my ($purl) = grep { defined } $part->{purl},
            map { $_->{referenceType} eq 'purl' ? $_->{referenceLocator} : () } @{ $part->{externalRefs} // [] };

        push @parts, @{ $part->{components} // [] };
        my ($name, $version, $rest) = ($purl // '') =~ m{^pkg:(?:deb|rpm|apk)/(?:[^/?@]+/)*([^/?@]+)(?:@([^?]+))?\??(.*)$}
            or next;
        $version //= $part->{version} // $part->{versionInfo};
        s/%([0-9A-Fa-f]{2})/chr hex $1/eg foreach $name, $version;
        $version = "$1:$version" if $rest =~ /(?:^|&)epoch=([1-9]\d*)/ && $version !~ /:/;
        $listed{"$name $version"} = 1 if $name ne 'gpg-pubkey';
    }
    return [ sort keys %listed ];
}

SKIP:
{
    my @samples = map { abs_path($_) } glob((test_data('sbom') // '/nonexistent') . '/*.json');

    skip('there are no bills of materials among the test data', 1) if !@samples;
    foreach my $sample (@samples)
    {
        my ($name) = $sample =~ m{([^/]+)\.json$};
        my $expected = listed(decode_json(slurp_file($sample)));

        query($session, "SELECT count(*) FROM clair.index_sbom('$sample', 'sample-$name')");
        my @found = query($session, "SELECT DISTINCT name || ' ' || version FROM clair.features('sample-$name')");
        if (@$expected) { same_lines(\@found, $expected, "$name: what it lists"); }
        else { is(@found, 0, "$name: it lists nothing"); }
    }
}

# ---------------------------------------------------------------------------
# What the standards ask for
# ---------------------------------------------------------------------------

my $VALIDATE = <<'PYTHON';
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

for path in sys.argv[1:]:
    with open(path) as file:
        text = file.read()
    if 'bomFormat' in json.loads(text):
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        problems = [] if problem is None else [str(problem)]
    else:
        problems = [m.validation_message for m in validate_full_spdx_document(parse_file(path))]
    for problem in problems[:3]:
        print(path, problem[:300])
PYTHON

query($session, <<'SQL');
INSERT INTO clair.cve_metric (cve, updater, number, source, type, version, vector, score, severity)
SELECT 'CVE-2031-0001', 'nvd', 1, 'nvd@nist.gov', 'Primary', '3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'Critical';
INSERT INTO clair.cve (cve, updater, metric, severity) VALUES ('CVE-2031-0001', 'nvd', 1, 'Critical');
SQL

SKIP:
{
    skip('there are no test data', 1) if !%documents;
    foreach my $image (qw(debian-buster alpine-310 rocky9-ndb))
    {
        query($session, "SELECT clair.create_exception(min(vulnerability), 'tested', kind => 'not_affected',"
            . " justification => 'component_not_present', image => '$image') FROM clair.vulnerabilities('$image')");
        my $text = query($session, "SELECT clair.export_sbom('$image', vulnerabilities => true)");
        my $document = decode_json($text);
        my %reference = map { $_->{'bom-ref'} => 1 } @{ $document->{components} };
        my %found = map { my $v = $_; map { ("$v->{id} $_->{ref}" => 1) } @{ $v->{affects} } }
            @{ $document->{vulnerabilities} };

        write_file($documents{"$image with vulnerabilities"} = "$folder/$image.vulnerabilities.json", $text);
        is(scalar(keys %reference), scalar @{ $document->{components} }, "$image: references are unique");
        is(scalar(grep { !$reference{ (split / /)[1] } } keys %found), 0, "$image: vulnerabilities refer to components");
        is(scalar(keys %found), scalar query($session, "SELECT count(DISTINCT (vulnerability, database_path, feature,"
            . " architecture, installed_version)) FROM clair.image_vulnerability WHERE image_id = clair.image_id('$image')"),
            "$image: every finding is there");
        is(scalar(grep { ($_->{analysis}{state} // '') eq 'not_affected' } @{ $document->{vulnerabilities} }), 1,
            "$image: so is what an exception says of it");
    }
    my $program = "$folder/validate.py";
    my ($out, $err) = ('', '');
    my $done = IPC::Run::run([ 'python3', '-c', 'import cyclonedx.validation.json, jsonschema, spdx_tools' ],
        '>', \$out, '2>', \$err);

    write_file($program, $VALIDATE);
    skip('python3 has no cyclonedx-python-lib and spdx-tools to validate documents with', 1) if !$done;
    IPC::Run::run([ 'python3', $program, map { $documents{$_} } sort keys %documents ], '>', \$out, '2>', \$err)
        or die "validator failed: $err";
    is($out, '', 'documents are valid: ' . keys %documents);
}

# ---------------------------------------------------------------------------
# Hostile documents
# ---------------------------------------------------------------------------

my $COMPONENT = '{"type": "library", "name": "x", "purl": "pkg:apk/alpine/x%d@1?upstream=x"}';
my $HEAD      = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [';

# A file that unpacks to so many bytes of blanks.
sub bomb
{
    my ($megabytes) = @_;

    system_or_bail('sh', '-c', "head -c ${megabytes}M /dev/zero | tr '\\0' ' ' | gzip -9 > '$folder/bomb.json.gz'");
    return "$folder/bomb.json.gz";
}

my $many = $HEAD . join(',', map { sprintf($COMPONENT, $_) } 1 .. 600_000) . ']}';
my %hostile = (
    'deep'      => [ '{"bomFormat": "CycloneDX", "components": ' . '[{"components": ' x 100_000, qr/^54000: byte \d+: it is nested too deep/ ],
    'deep.spdx' => [ '{"spdxVersion": "SPDX-2.3", "x": ' . '[' x 100_000, qr/^54000: byte \d+: it is nested too deep/ ],
    'huge name' => [ $HEAD . '{"purl": "pkg:apk/' . 'x' x 10_000_000 . '@1"}]}', 'no_package_database' ],
    'huge key'  => [ $HEAD . '{"' . 'x' x 10_000_000 . '": 1}]}', 'no_package_database' ],
    'cut'       => [ $HEAD . '{"purl": "pkg:', qr/^22000: byte \d+: it ends too early/ ],
    'binary'    => [ join('', map { chr } 0 .. 255), qr/^22000: byte 1: / ],
    'nul'       => [ $HEAD . qq({"name": "a\0b"}]}), qr/^22000: byte \d+: / ],
    'escaped'   => [ $HEAD . '{"purl": "pkg:apk/a\u0000@1"}]}', qr/^22000: byte \d+: a string is not UTF-8, or has a NUL/ ],
    'types'     => [ $HEAD . '{"purl": {"a": [1, true]}}]}', qr/^22000: byte \d+: it is not a string/ ],
    'twice'     => [ $HEAD . join(',', ('{"bom-ref": "a", "purl": "pkg:apk/alpine/a@1?upstream=a"}') x 2)
        . '], "dependencies": [{"ref": "a", "dependsOn": ["a", "b"]}, {"ref": "b", "dependsOn": ["a"]}]}',
        'unknown_namespace' ],
    'types of packages' => [ $HEAD . join(',', map { qq({"purl": "pkg:t$_/x"}) } 1 .. 10_000) . ']}', 'no_package_database' ],
    'many'      => [ $many, qr/^54000: more than 500000 packages\nHINT: .*clair\.max_features/ ],
    'bomb'      => [ undef, qr/^54000: .*\nHINT: .*clair\.max_/ ],
);
my $since = row_count($session);
my $free  = descriptors_of($node, $backend);

foreach my $name (sort keys %hostile)
{
    my ($text, $expected) = @{ $hostile{$name} };
    my $file = defined $text ? "$folder/$name.json" : bomb(300);

    write_file($file, $text) if defined $text;
    my $shown = outcome($session, "SELECT clair.index_sbom('$file', 'hostile')");

    if (ref $expected)
    {
        like($shown, $expected, "$name: an error");
        is(row_count($session), $since, "$name: no row");
        next;
    }
    is($shown, 'ok', "$name: read");
    is(query($session, "SELECT status FROM clair.image WHERE id = clair.image_id('hostile')"), $expected, "$name: $expected");
    query($session, "SELECT clair.delete_image('hostile')");
    query($session, 'SELECT clair.collect_garbage()');
    $since = row_count($session);
}
is(scalar processes_of($backend), 0, 'no process is left');
is(descriptors_of($node, $backend), $free, 'nor an open file');

# Within the limits, many components are only many.
query($session, 'SET clair.max_features = 1000000');
my $file = "$folder/100000.json";
write_file($file, $HEAD . join(',', map { sprintf($COMPONENT, $_) } 1 .. 100_000) . ']}');
is(query($session, "SELECT features FROM clair.index_sbom('$file', 'many')"), '100000', 'a document of 100,000 packages');

# What is compressed is the same document.
system_or_bail('gzip', '-k', $file);
is(query($session, "SELECT image = clair.image_id('many'), layers_read FROM clair.index_sbom('$file.gz')"), 't|0',
    'compressed, it is the same image');

# Bills of materials are written where nothing can be written.
query($session, q(SELECT count(*) FROM clair.index_sbom('{"spdxVersion": "SPDX-2.3"}'::jsonb, 'none')));
is(query($session, 'BEGIN READ ONLY') . query($session, "SELECT clair.export_sbom('none') ->> 'bomFormat'")
    . query($session, 'COMMIT'), 'CycloneDX', 'an export in a transaction that is read-only');
like(outcome($session, "SELECT clair.export_sbom('none', 'swid')"), qr/^22023: invalid format .*: "swid"\nHINT: /, 'another format');
like(outcome($session, "SELECT clair.export_sbom('none', NULL)"), qr/^22023: invalid format /, 'none');
like(outcome($session, "SELECT clair.export_sbom('none', 'spdx', true)"), qr/^0A000: SPDX documents have no vulnerabilities/,
    'vulnerabilities in SPDX');
like(outcome($session, "SELECT clair.export_sbom('other')"), qr/^42704: image "other" does not exist/, 'no image');
$session->quit;
done_testing();
