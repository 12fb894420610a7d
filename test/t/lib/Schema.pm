# Schema: documents, validated against the schemas that test/schemas fetches.
package Schema;

use strict;
use warnings;

use Exporter qw(import);
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(valid_json valid_xml);

my $FOLDER = "$FindBin::Bin/../../build/schemas";

# The first errors of the document argv[2] against the schema argv[1], whatever its draft; or against
# one of the schemas that it defines, which argv[3] points to.
my $VALIDATE = <<'PYTHON';
import json, sys, jsonschema
schema, document = (json.load(open(name, encoding='utf-8')) for name in sys.argv[1:3])
if len(sys.argv) > 3:
    schema = {'$schema': schema.get('$schema'), '$defs': schema['$defs'], '$ref': sys.argv[3]}
validator = jsonschema.validators.validator_for(schema)
errors = validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(document)
found = ['%s: %s' % ('/'.join(map(str, e.absolute_path)), e.message[:300]) for e, _ in zip(errors, range(5))]
print('\n'.join(found))
PYTHON

sub found
{
    my ($schema, $program) = @_;

    return -e "$FOLDER/$schema" && system("$program >/dev/null 2>&1") == 0;
}

sub as_file
{
    my ($bytes) = @_;
    my $name = PostgreSQL::Test::Utils::tempdir() . '/document';

    open(my $file, '>:raw', $name) or die "$name: $!\n";
    print $file $bytes;
    close($file);
    return $name;
}

# Checks that the bytes of a document are valid JSON of a schema, or of a part of one.
sub valid_json
{
    my ($schema, $bytes, $name, @part) = @_;

SKIP:
    {
        if (!found($schema, q{python3 -c 'import jsonschema'}))
        {
            note("SKIP: documents are not validated against $schema: it, or python3-jsonschema, is not there");
            skip "$schema or a validator is not there", 1;
        }
        my $errors = run_command([ 'python3', '-W', 'ignore', '-c', $VALIDATE, "$FOLDER/$schema", as_file($bytes), @part ]);
        is($errors, '', $name);
    }
}

# Checks that the bytes of a document are valid XML of a schema.
sub valid_xml
{
    my ($schema, $bytes, $name) = @_;

SKIP:
    {
        if (!found($schema, 'xmllint --version'))
        {
            note("SKIP: documents are not validated against $schema: it, or xmllint, is not there");
            skip "$schema or a validator is not there", 1;
        }
        my (undef, $errors) = run_command([ qw(xmllint --noout --schema), "$FOLDER/$schema", as_file($bytes) ]);
        like($errors, qr/ validates$/, $name);
    }
}

1;
