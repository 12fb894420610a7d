# Proves who may do what: nobody anything by default, everybody only what was granted; that files,
# FIFOs and links cannot be reached past the rules; that no caller's search_path, role or transaction
# leads astray; and that pg_dump loses nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IndexTest;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = start_server('privileges');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $made   = slurp_file("$FindBin::Bin/../fixtures/archive.sql");

# A session of a role; it may use the schema, as far as it has been granted.
sub session_of
{
    my ($role) = @_;
    my ($session) = session($node);

    query($session, $made);
    query($session, "SET SESSION AUTHORIZATION $role");
    return $session;
}

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE nobody_special;
CREATE ROLE indexer;
CREATE ROLE reader;
CREATE ROLE file_indexer IN ROLE indexer, pg_read_server_files;
CREATE ROLE manager IN ROLE indexer;
GRANT USAGE ON SCHEMA clair TO nobody_special, indexer, reader;
GRANT EXECUTE ON FUNCTION clair.index_image(bytea, text, text), clair.index_image(text, text, text) TO indexer;
GRANT EXECUTE ON FUNCTION clair.delete_image(text), clair.collect_garbage() TO manager;
GRANT EXECUTE ON FUNCTION clair.features(text), clair.image_id(text) TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA clair TO reader;
SQL
my ($superuser) = session($node);

# An archive as a file, and its bytes as SQL.
my $IMAGE = "pg_temp.docker('made:1', pg_temp.tar(pg_temp.debian(),"
    . " pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2', 'zlib 1.2'))))";
my $allowed = "$folder/allowed";
my $file    = "$allowed/image.tar";
mkdir $allowed;
query($superuser, $made);
my $HEX = query($superuser, "SELECT encode($IMAGE, 'hex')");
append_to_file($file, pack('H*', $HEX));

# ---------------------------------------------------------------------------
# What is granted to all: computing
# ---------------------------------------------------------------------------

my $MEMBERS = "FROM pg_depend AS d WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'"
    . " AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'clair')";

is(query($superuser, "SELECT has_schema_privilege('public', 'clair', 'USAGE, CREATE')"), 'f',
    'the schema is not granted to PUBLIC');
is(query($superuser, "SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p"
    . " WHERE pronamespace = 'clair'::regnamespace AND provolatile <> 'i'"
    . " AND has_function_privilege('public', p.oid, 'EXECUTE')"), '',
    'PUBLIC may execute only what is immutable');
is(query($superuser, "SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p"
    . " WHERE pronamespace = 'clair'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')"
    . " AND proname !~ '^(version|dpkg\$|rpm\$|apk\$|bare\$|format\$|successor\$|min\$|max\$|advisory\$)'"
    . " AND proname NOT IN ('xml_text', 'csv_field', 'markdown_text', 'terminal_text', 'display_width')"), '',
    'and of that only what concerns versions, making advisories, or writing texts down');
is(query($superuser, "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class AS c,"
    . " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)"
    . " WHERE relnamespace = 'clair'::regnamespace AND relkind IN ('r', 'v', 'p', 'm')"
    . " AND has_table_privilege('nobody_special', c.oid, p.name)"), '', 'no table is');
is(query($superuser, "SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p"
    . " WHERE pronamespace = 'clair'::regnamespace AND provolatile <> 'i'"
    . " AND has_function_privilege('nobody_special', p.oid, 'EXECUTE')"), '',
    'a fresh role may execute nothing that reads or writes');
{
    my $session = session_of('nobody_special');

    is(query($session, "SELECT clair.version_cmp('dpkg', '1', '2')"), '-1', 'but it may compare versions');
    foreach my $statement ("SELECT clair.index_image($IMAGE)", "SELECT clair.index_image('$file')",
        "SELECT clair.features('made:1')", "SELECT clair.delete_image('made:1')",
        'SELECT clair.collect_garbage()', 'SELECT * FROM clair.image', 'SELECT * FROM clair.image_feature',
        "SELECT clair.index_sbom('{}'::jsonb)", "SELECT clair.index_sbom(''::bytea)",
        "SELECT clair.index_sbom('$file')", "SELECT clair.export_sbom('made:1')")
    {
        like(outcome($session, $statement), qr/^42501: permission denied for (function|table|view) /, $statement);
    }
    $session->quit;
}

# ---------------------------------------------------------------------------
# Everything is described
# ---------------------------------------------------------------------------

is(query($superuser, "SELECT string_agg(pg_describe_object(classid, objid, 0), ', ') $MEMBERS"
    . " AND obj_description(objid, classid::regclass::name) IS NULL"
    . " AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND classid = 'pg_class'::regclass AND relkind = 'S')"
    # made by the server along with a range type
    . " AND NOT EXISTS (SELECT FROM pg_cast JOIN pg_range ON rngtypid = castsource AND rngmultitypid = casttarget"
    . "                 WHERE pg_cast.oid = objid AND classid = 'pg_cast'::regclass)"
    # along with types and tables, which 18 counts
    . " AND NOT EXISTS (SELECT FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid"
    . "                 WHERE pg_type.oid = objid AND classid = 'pg_type'::regclass"
    . "                 AND (typcategory = 'A' OR relkind <> 'c'))"), '',
    'every object has a comment');
is(query($superuser, "SELECT string_agg(attrelid::regclass || '.' || attname, ', ') FROM pg_attribute"
    . " JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'clair'::regnamespace AND relkind = 'r'"
    . ' AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL'), '',
    'every column of a table has one');

# ---------------------------------------------------------------------------
# Bytes and files
# ---------------------------------------------------------------------------

{
    my $session = session_of('indexer');

    is(query($session, "SELECT name, features FROM clair.index_image($IMAGE)"), 'made:1|2',
        'who may index bytes can, without a privilege on any table');
    like(outcome($session, "SELECT clair.index_image('$file')"),
        qr/^42501: permission denied to read files on the server\nDETAIL: Role "indexer" is not a member of "pg_read_server_files"\.\nHINT: Grant it that membership, or pass the content as bytea\./,
        'but not a file of the server');
    like(outcome($session, 'SELECT * FROM clair.image'), qr/^42501: /, 'nor see tables');
    foreach my $setting ('clair.image_directories', 'clair.max_file_size', 'clair.reader_memory',
        'clair.helper_timeout')
    {
        like(outcome($session, "SET $setting = '200MB'"), qr/^42501: permission denied to set parameter/,
            "nor set $setting");
    }
    like(outcome($session, 'SET clair.sandbox = off'), qr/^42501: permission denied to set parameter/,
        'nor let helpers out of their sandbox');
    is(query($session, 'SELECT current_user'), 'indexer', 'and it is itself afterwards');
    $session->quit;
}
is(join(' ', glob($node->data_dir . '/base/pgsql_tmp/*')), '', 'no file is left of the bytes');
is(query($superuser, "SET temp_file_limit = '1kB'; SELECT public.outcome(\$\$SELECT clair.index_image($IMAGE)\$\$)"),
    '53400: temporary file size exceeds temp_file_limit (1kB)', 'temp_file_limit bounds them');
query($superuser, 'RESET temp_file_limit');

mkdir "$folder/allowed-not";
system_or_bail('cp', $file, "$folder/allowed-not/image.tar");
symlink("$folder/allowed-not/image.tar", "$allowed/out.tar");
symlink('../allowed-not', "$allowed/out");
symlink('image.tar', "$allowed/in.tar");
mkfifo("$allowed/fifo", 0600);
system_or_bail('cp', $file, "$allowed/unreadable.tar");
chmod 0, "$allowed/unreadable.tar";
{
    my $session = session_of('file_indexer');
    my $opened  = sub { outcome($session, "SELECT clair.index_image('$_[0]')") };

    is($opened->($file), 'ok', 'who may read files may index them');
    is($opened->("$folder/allowed-not/image.tar"), 'ok', 'wherever they are');
    like($opened->('allowed/image.tar'), qr/^22023: path "allowed\/image\.tar" is not absolute\nHINT: /,
        'a relative path');
    like($opened->(''), qr/^22023: path "" is not absolute/, 'an empty path');
    ends_within(3, 'a FIFO does not hang', sub {
        like($opened->("$allowed/fifo"), qr/^42809: ".*fifo" is neither a regular file nor a directory$/, 'a FIFO');
    });
    like($opened->('/dev/zero'), qr/^42809: "\/dev\/zero" is neither a regular file nor a directory$/, 'a device');
    like($opened->("$allowed/unreadable.tar"), qr/^42501: could not open ".*": Permission denied$/,
        'a file that the server may not read') if $> != 0;
    like($opened->("$allowed/none"), qr/^58P01: could not open ".*": No such file or directory$/, 'no file');

    append_to_file($node->data_dir . '/postgresql.conf', "clair.image_directories = '/nowhere, $allowed'\n");
    $node->reload;
    $session->quit;
    $session = session_of('file_indexer');
    query($session, "SET clair.image_directories = ''");
    is($opened->($file), 'ok', 'a file in a directory that is listed');
    like(outcome($session, "SET clair.image_directories = ''"), qr/^42501: permission denied to set/,
        'the list cannot be set; nor was it, before the library was there:');
    like(outcome($session, 'SELECT current_setting($$clair.image_directories$$)'), qr/^42501: /,
        'it is not shown to everybody');
    is($opened->("$allowed/./../allowed//image.tar"), 'ok', 'by whatever path');
    is($opened->("$allowed/in.tar"), 'ok', 'and by a link that stays inside');
    foreach my $path ("$folder/allowed-not/image.tar", "$allowed/../allowed-not/image.tar", "$allowed/out.tar",
        "$allowed/out/image.tar", $folder, '/etc/passwd')
    {
        like($opened->($path),
            qr/^\w{5}: could not open "\Q$path\E": .*\nHINT: Only what lies below clair\.image_directories is read\.$/,
            'nothing else: ' . $path =~ s/^\Q$folder//r);
    }
    $session->quit;
}

# ---------------------------------------------------------------------------
# Software bills of materials
# ---------------------------------------------------------------------------

{
    my $bill = q({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library",)
        . q( "name": "bash", "purl": "pkg:deb/debian/bash@5?distro=debian-12&upstream=bash"}]});

    append_to_file("$allowed/bill.json", $bill);
    query($superuser, 'GRANT EXECUTE ON FUNCTION clair.index_sbom(jsonb, text), clair.index_sbom(bytea, text),'
        . ' clair.index_sbom(text, text) TO indexer');

    my $session = session_of('indexer');
    is(query($session, "SELECT features FROM clair.index_sbom('$bill'::jsonb, 'bill:1')"), '1',
        'who may index bills of materials can, without a privilege on any table');
    is(query($session, "SELECT features FROM clair.index_sbom(convert_to('$bill', 'UTF8'), 'bill:2')"), '1',
        'as bytes too');
    like(outcome($session, "SELECT clair.index_sbom('$allowed/bill.json')"),
        qr/^42501: permission denied to read files on the server\n/, 'but no file of the server');
    $session->quit;
    $session = session_of('file_indexer');
    is(query($session, "SELECT features FROM clair.index_sbom('$allowed/bill.json')"), '1', 'who may read files can');
    like(outcome($session, "SELECT clair.index_sbom('$allowed')"),
        qr/^42809: ".*" is a directory, not a software bill of materials$/, 'though no directory');
    like(outcome($session, "SELECT clair.index_sbom('/etc/passwd')"),
        qr/HINT: Only what lies below clair\.image_directories is read\.$/, 'nor what lies elsewhere');
    query($superuser, "SELECT clair.delete_image(name) FROM clair.image_name WHERE name LIKE 'bill:%'");
    query($superuser, 'SELECT clair.collect_garbage()');
    $session->quit;
}

# ---------------------------------------------------------------------------
# Who deletes, and who reads
# ---------------------------------------------------------------------------

{
    my $session = session_of('manager');

    like(query($session, "SELECT clair.delete_image('made:1')"), qr/^\d+$/, 'who may delete can');
    is(query($session, 'SELECT * FROM clair.collect_garbage()'), '0|1|1', 'and who may collect garbage');
    like(outcome($session, "SELECT clair.features('made:1')"), qr/^42501: /, 'without reading');
    query($session, "SELECT clair.index_image($IMAGE)");
    $session->quit;
    $session = session_of('reader');
    is(join(' ', query($session, "SELECT name FROM clair.features('made:1')")), 'bash zlib', 'who may read can');
    is(query($session, 'SELECT count(*) FROM clair.image_feature'), '2', 'also all images at once');
    like(outcome($session, "SELECT clair.delete_image('made:1')"), qr/^42501: /, 'without writing');
    $session->quit;
}

# ---------------------------------------------------------------------------
# A caller with bad intentions
# ---------------------------------------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA evil AUTHORIZATION manager;
GRANT EXECUTE ON FUNCTION clair.features(text), clair.image_id(text) TO manager;
GRANT SELECT ON ALL TABLES IN SCHEMA clair TO manager;
GRANT TEMPORARY ON DATABASE postgres TO manager;
SET ROLE manager;
CREATE TABLE evil.done (by_whom name, what text);
CREATE FUNCTION evil.do(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO evil.done VALUES (current_user, what);
    RETURN true;
END
$$;
CREATE FUNCTION evil.equal_text(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.do('=') $$;
CREATE FUNCTION evil.equal_bigint(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.do('=') $$;
CREATE FUNCTION evil.equal_version(clair.version, clair.version) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.do('=') $$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal_text);
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.equal_bigint);
CREATE OPERATOR evil.= (LEFTARG = clair.version, RIGHTARG = clair.version, FUNCTION = evil.equal_version);
CREATE OPERATOR evil.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal_text);
CREATE FUNCTION evil.hashtext(text) RETURNS integer LANGUAGE sql AS $$ SELECT evil.do('hashtext')::integer $$;
CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT evil.do('format')::text $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT CASE WHEN evil.do('now') THEN pg_catalog.now() END $$;
CREATE FUNCTION evil.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $$ SELECT evil.do('unnest')::text $$;
CREATE TABLE evil.image (id bigint, digest text);
SQL
{
    my $session = session_of('manager');

    query($session, <<'SQL');
CREATE TABLE pg_temp.image (id bigint, digest text);
CREATE TYPE pg_temp.regclass AS (a text);
CREATE FUNCTION pg_temp.hashtext(text) RETURNS integer LANGUAGE sql AS $$ SELECT evil.do('temporary')::integer $$;
SET search_path = evil, pg_temp, pg_catalog;
SQL
    query($session, "SELECT * FROM clair.features('made:1')");
    is(query($session, "SELECT (clair.index_image('\\x$HEX'::bytea)).features"), '2', 'a bent search_path: indexing');
    query($session, "SELECT clair.delete_image('made:1'); SELECT clair.collect_garbage();"
        . " SELECT clair.index_image('\\x$HEX'::bytea); SELECT clair.features('made:1')");
    is(query($session, 'SELECT pg_catalog.current_setting($$search_path$$)'), 'evil, pg_temp, pg_catalog',
        'a bent search_path is the caller\'s own again');
    is(query($session, "SELECT by_whom, what FROM evil.done WHERE by_whom <> 'manager' OR what <> '='"), '',
        'nothing of it is called');
    is(query($session, 'SELECT count(*) FROM evil.done'), '0', 'not even as the caller');
    $session->quit;
}

# Roles, before and after an error that is caught, also within a function of another owner.
$node->safe_psql('postgres', <<'SQL');
GRANT USAGE ON SCHEMA public TO indexer;
CREATE FUNCTION public.roles() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    seen text := current_user || ' ' || current_setting('search_path');
BEGIN
    BEGIN
        PERFORM clair.index_image('no archive at all'::bytea);
        RETURN 'was read';
    EXCEPTION WHEN data_exception THEN
        NULL;
    END;
    IF seen <> current_user || ' ' || current_setting('search_path') THEN
        RETURN seen || ' has become ' || current_user || ' ' || current_setting('search_path');
    END IF;
    RETURN current_user || ' of ' || session_user;
END
$$;
CREATE FUNCTION public.roles_of_indexer() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT public.roles()';
ALTER FUNCTION public.roles_of_indexer() OWNER TO indexer;
SQL
{
    my $session = session_of('nobody_special');

    is(query($session, 'SELECT public.roles_of_indexer(), current_user'), 'indexer of nobody_special|nobody_special',
        'after an error everybody is who he was');
    $session->quit;
    is(query($superuser, 'SET ROLE indexer; SELECT public.roles(), current_user'), 'indexer of ' .
        query($superuser, 'SELECT session_user') . '|indexer', 'also with SET ROLE');
    query($superuser, 'RESET ROLE');
    $session = session_of('indexer');
    $session->query("BEGIN; SAVEPOINT before; SELECT clair.index_image('no archive'::bytea); ROLLBACK TO before");
    is(query($session, 'SELECT current_user, current_setting($$search_path$$)'), 'indexer|"$user", public',
        'and after a savepoint');
    $session->quit;
}

# ---------------------------------------------------------------------------
# Transactions that cannot write, and databases that cannot have it
# ---------------------------------------------------------------------------

foreach my $call ("index_image($IMAGE)", "index_image('$file')", "delete_image('made:1')", 'collect_garbage()')
{
    my ($name) = $call =~ /^(\w+)/;

    query($superuser, 'BEGIN READ ONLY');
    like(outcome($superuser, "SELECT clair.$call"),
        qr/^25006: cannot execute clair\.$name\(\) in a read-only transaction$/, "$name in a read-only transaction");
    is(query($superuser, "SELECT count(*) FROM clair.features('made:1')"), 2, 'where reading goes on');
    query($superuser, 'COMMIT');
}
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
{
    my ($status, undef, $error) = $node->psql('latin', 'CREATE EXTENSION clair');
    like($error, qr/ERROR:  clair needs a database with encoding UTF8, this one has LATIN1\nHINT:  /,
        'a database that is not UTF8');
}

# ---------------------------------------------------------------------------
# pg_dump
# ---------------------------------------------------------------------------

my $CONTENT = <<'SQL';
SELECT i.id, i.digest, i.platform, i.namespace, i.status, i.indexed_at, n.name, f.*
FROM clair.image AS i
    LEFT JOIN clair.image_name AS n ON n.image_id = i.id
    LEFT JOIN clair.image_feature AS f ON f.image_id = i.id
ORDER BY i.id, n.name, f.name, f.architecture
SQL
{
    my $images = test_data('images');
    my @files  = grep { defined } map { test_data("images/$_") } qw(bookworm/bookworm.oci-gzip.tar
        jammy/jammy.docker.tar.gz alpine/alpine-310.tar.gz);

    query($superuser, 'SET clair.image_directories = $$$$');
    query($superuser, "SELECT clair.index_image('$_')") foreach @files;
    query($superuser, "SELECT clair.index_image($IMAGE, 'second')");
    note('SKIP: no real images are dumped: there are no test data') if !@files;
    $node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
    my $before = $node->safe_psql('postgres', $CONTENT);
    my $rows   = row_count($superuser);
    my $dump   = "$folder/dump.sql";
    $node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
    my ($status, undef, $error) = $node->psql('restored', "\\i $dump", on_error_stop => 1);
    is("$status $error", '0 ', 'psql reads what pg_dump has written');
    is($node->safe_psql('restored', $CONTENT), $before, 'and all images are there, as they were');

    my $restored = $node->background_psql('restored', on_error_stop => 0);
    query($restored, $made);
    is(row_count($restored), $rows, 'with all their rows');
    is(query($restored, "SELECT layers_read FROM clair.index_image($IMAGE)"), '0', 'known layers are still known');
    is(query($restored, "SELECT name, features, image > (SELECT max(id) FROM clair.image) FROM clair.index_image("
        . " pg_temp.docker('new:1', pg_temp.tar(pg_temp.debian(),"
        . " pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('new 1')))))"), 'new:1|1|t',
        'and new images come in');
    $restored->quit;
}

$superuser->quit;
$node->stop;

done_testing();
