# Proves that layers, indexed one by one from files and URLs, come to what the whole image comes to;
# that only who may does; and that what is secret in a request stays between the two servers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex sha512_hex);
use FeedTest;
use IndexTest;
use IO::Compress::Gzip qw(gzip);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use WebServer;

my $node = start_server('layers', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0',
    'log_min_messages = debug2', 'log_error_verbosity = verbose', 'log_statement = none');
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($session, $backend) = session($node);

# A row of a function that indexes, as a hash.
sub indexed
{
    my ($call, $where) = @_;
    my @columns = qw(image name digest platform namespace status layers layers_read databases features);
    my %row;

    @row{@columns} = split /\|/, scalar query($where // $session, "SELECT * FROM clair.$call"), -1;
    return \%row;
}

# ---------------------------------------------------------------------------
# Real images, layer by layer
# ---------------------------------------------------------------------------

# The stored layers of an OCI archive with one image, base first, as files named by their digests.
sub unpack_layers
{
    my ($archive, $to) = @_;
    my $document = sub { decode_json(slurp_file("$to/blobs/sha256/" . ($_[0]{digest} =~ s/^sha256://r))) };

    mkdir $to;
    system_or_bail('tar', '-xf', $archive, '-C', $to);
    my $manifest = $document->(decode_json(slurp_file("$to/index.json"))->{manifests}[0]);
    return map {
        my $digest = $_->{digest};
        rename("$to/blobs/sha256/" . ($digest =~ s/^sha256://r), "$to/$digest") or die "$digest: $!";
        "$to/$digest"
    } @{ $manifest->{layers} };
}

# Features of an image, with which layer introduced each.
sub features_of
{
    my ($image) = @_;

    return query($session, "SELECT concat_ws(' ', namespace, name, version, source_name, source_version,"
        . " architecture, introduced_by) FROM clair.features('$image')");
}

my $images = test_data('images');
note('SKIP: no real images are indexed layer by layer: there are no test data') if !defined $images;
foreach my $form (defined $images ? qw(bookworm.oci-gzip jammy.oci-zstd sid.oci-gzip) : ())
{
    my ($suite) = $form =~ /^(\w+)/;
    my $archive = abs_path("$images/$suite/$form.tar");
    my @layers  = unpack_layers($archive, "$folder/$form");
    my ($parent, $chain);

    foreach my $layer (@layers)
    {
        my $name = $suite . ':' . ($layer =~ s/.*://r);
        my $row  = indexed("index_layer('$name', '$layer', " . ($parent // 'NULL') . ')');
        my ($diff_id) = query($session, "SELECT layer FROM clair.image_layer WHERE image_id = $row->{image}"
            . ' ORDER BY position DESC LIMIT 1');

        $chain = defined $chain ? 'sha256:' . sha256_hex("$chain $diff_id") : $diff_id;
        is("$row->{name} $row->{digest} $row->{layers_read}", "$name $chain 1", "$form: $name");
        $parent = "'$name'";
        query($session, "INSERT INTO clair.image_name (name, image_id) VALUES ('$suite:by-layer', $row->{image})"
            . ' ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id');
    }
    my $whole = indexed("index_image('$archive', '$suite:whole')");
    my ($one) = query($session, "SELECT concat_ws(' ', namespace, status, layers, features) FROM clair.image AS i,"
        . " LATERAL (SELECT count(*) AS layers FROM clair.image_layer WHERE image_id = i.id) AS l,"
        . " LATERAL (SELECT count(*) AS features FROM clair.image_feature WHERE image_id = i.id) AS f"
        . " WHERE id = clair.image_id('$suite:by-layer')");
    is($one, "$whole->{namespace} $whole->{status} $whole->{layers} $whole->{features}",
        "$form: the last one is like the whole image");
    is($whole->{layers_read}, 0, "$form: which has no other layers");
    same_lines([ features_of("$suite:by-layer") ], [ features_of("$suite:whole") ],
        "$form: and has its features, each by the same layer");
    same_lines([ query($session, 'SELECT ROW(position, path, location, database_id, until_position)'
            . " FROM clair.image_database WHERE image_id = clair.image_id('$suite:by-layer')") ],
        [ query($session, 'SELECT ROW(position, path, location, database_id, until_position)'
            . " FROM clair.image_database WHERE image_id = clair.image_id('$suite:whole')") ],
        "$form: out of the same package databases");
    query($session, "SELECT clair.delete_image('$suite:" . ($layers[0] =~ s/.*://r) . "')");
    is(query($session, "SELECT count(*) FROM clair.image_name WHERE name LIKE '$suite:%'"), 1,
        "$form: without its base, only the whole image is there");
}

# ---------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------

my $base = make_layer("$folder/base.tar", 'etc/os-release' => "ID=debian\nVERSION_ID=12\n",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2' ], [ 'zlib1g', '1.2', 'zlib' ]));
my $top = make_layer("$folder/top.tar",
    'var/lib/dpkg/status' => status_paragraphs([ 'bash', '5.2' ], [ 'curl', '8.0' ]));
my %bytes = (base => slurp_file($base), top => slurp_file($top));
gzip(\$bytes{top} => \$bytes{'top.gz'});

# A file whose name promises a digest.
sub promise
{
    my ($digest, $content) = @_;

    write_file("$folder/promised/$digest", $content);
    return "$folder/promised/$digest";
}

my $digest   = 'sha256:' . sha256_hex($bytes{'top.gz'});
my $mismatch = qr/^22000: .*digest mismatch: the stored digest is not what was claimed\nDETAIL: Claimed is sha/;
is(indexed("index_layer('base', '$base')")->{features}, 2, 'a file');
is(indexed("index_layer('top', '" . promise($digest, $bytes{'top.gz'}) . "', 'base')")->{features}, 2,
    'a file that has the digest of its name');
is(indexed("index_layer('top', '" . promise($digest, $bytes{'top.gz'}) . "', 'base')")->{layers_read}, 0,
    'also when it is known');
like(outcome($session, "SELECT clair.index_layer('x', '" . promise($digest, $bytes{top}) . "')"), $mismatch,
    'one that has not');
is(indexed("index_layer('top', '" . promise('sha512:' . sha512_hex($bytes{top}), $bytes{top}) . "', 'base')")->{image},
    query($session, "SELECT clair.image_id('top')"), 'another digest of the same layer');
like(outcome($session, "SELECT clair.index_layer('x', '" . promise('sha512:' . '0' x 128, $bytes{top}) . "')"),
    $mismatch, 'and one that it has not');
is(outcome($session, "SELECT clair.index_layer('x', '" . promise('sha256:0', $bytes{top}) . "')"), 'ok',
    'what is no digest promises nothing');
like(outcome($session, "SELECT clair.index_layer('x', '$folder')"),
    qr/^42809: "\Q$folder\E" is a directory, not a layer\nHINT: /, 'a directory');
like(outcome($session, "SELECT clair.index_layer('x', '$base', headers => '{\"A\": \"b\"}')"),
    qr/^22023: headers can be given with a URL only$/, 'a file has no headers');
foreach my $url ('ftp://127.0.0.1/base', 'file:///etc/passwd', 'base.tar')
{
    like(outcome($session, "SELECT clair.index_layer('x', '$url')"),
        qr/^22023: path "\Q$url\E" is not absolute/, "no path: $url");
}

# ---------------------------------------------------------------------------
# URLs
# ---------------------------------------------------------------------------

my $SECRET = 'Bearer t0psecret';
my $seen   = "$folder/seen";
write_file($seen, '');

# Notes who was asked with which authorization.
sub note_headers
{
    my ($who, $headers) = @_;

    append_to_file($seen, join(' ', $who, map { $headers->{$_} // '-' } qw(authorization x-note user-agent)) . "\n");
}

sub serve_layer
{
    my ($who, $content, %headers) = @_;

    return sub {
        note_headers($who, $_[1]);
        WebServer::answer($_[0], '200 OK', { 'Content-Type' => 'application/octet-stream', %headers }, $content);
    };
}

sub redirect
{
    my ($who, $location) = @_;

    return sub {
        my $port = $_[0]->sockport;
        note_headers($who, $_[1]);
        WebServer::answer($_[0], '307 Temporary Redirect', { Location => $location =~ s/PORT/$port/r }, '');
    };
}

my $other  = WebServer->start('/top' => serve_layer('other', $bytes{'top.gz'}));
my $server = WebServer->start(
    '/base'           => serve_layer('base', $bytes{base}),
    '/top?token=s3cr' => serve_layer('top', $bytes{'top.gz'}),
    "/blobs/$digest"  => serve_layer('blob', $bytes{'top.gz'}, 'Content-Encoding' => 'gzip'),
    "/wrong/$digest"  => serve_layer('wrong', $bytes{base}),
    '/private'        => sub {
        note_headers('private', $_[1]);
        WebServer::answer($_[0], ($_[1]{authorization} // '') eq $SECRET
            ? ('200 OK', {}, $bytes{base}) : ('401 Unauthorized', {}, 'no'));
    },
    '/same'       => redirect('same', '/private'),
    '/other-port' => redirect('first', $other->url('/top')),
    '/other-host' => redirect('first', 'http://localhost:PORT/base'),
    '/to-file'    => redirect('first', 'file:///etc/passwd'),
    '/to-own'     => redirect('first', 'http://169.254.169.254/'),
    '/truncated'  => sub {
        WebServer::answer($_[0], '200 OK', { 'Content-Length' => length($bytes{base}) + 1 }, $bytes{base});
    },
    '/short'      => serve_layer('short', substr($bytes{'top.gz'}, 0, -20)),
    '/html'       => serve_layer('html', '<html>Come back later</html>'),
    '/large'      => serve_layer('large', $bytes{base} . "\0" x 1_000_000),
    '/stall?token=s3cr' => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
        $client->flush();
        <$client>;
    },
);

# What the servers were asked since the last time.
sub asked
{
    my $lines = slurp_file($seen);

    write_file($seen, '');
    return $lines =~ s/\n(?=.)/, /gr =~ s/\n//r;
}

my $AGENT = 'clair/1.0 (PostgreSQL)';
is(indexed("index_layer('web', '" . $server->url('/base') . "')")->{digest}, 'sha256:' . sha256_hex($bytes{base}),
    'a layer from a URL');
is(asked(), "base - - $AGENT", 'is asked for once');
my $row = indexed("fetch_layer('web:top', '" . $server->url('/top?token=s3cr#part') . "', 'web')");
is("$row->{layers} $row->{features}", '2 2', 'another one upon it');
is($row->{image}, query($session, "SELECT clair.image_id('top')"), 'is the same as from a file');
is(indexed("index_layer('web:blob', '" . $server->url("/blobs/$digest") . "', 'web')")->{image}, $row->{image},
    'a blob by its digest, which is that of its bytes as they are stored');
like(outcome($session, "SELECT clair.index_layer('x', '" . $server->url("/wrong/$digest") . "')"), $mismatch,
    'a blob that is another one');
asked();

query($node, 'CREATE TABLE public.secret AS SELECT jsonb_build_object('
    . "'Authorization', '$SECRET', 'X-Note', jsonb_build_array('one', 'two')) AS headers");
my $headers = 'headers => (SELECT headers FROM public.secret)';
is(indexed("index_layer('web', '" . $server->url('/private') . "', $headers)")->{features}, 2,
    'headers are sent');
is(asked(), "private $SECRET two $AGENT", 'each of them');
is(indexed("fetch_layer('web', '" . $server->url('/same') . "', $headers)")->{features}, 2,
    'also where the same server sends us on');
is(asked(), "same $SECRET two $AGENT, private $SECRET two $AGENT", 'both times');
is(indexed("index_layer('web:top', '" . $server->url('/other-port') . "', 'web', $headers)")->{features}, 2,
    'another one may send us on');
is(asked(), "first $SECRET two $AGENT, other - - $AGENT", 'but gets no header');
is(indexed("index_layer('web', '" . $server->url('/other-host') . "', $headers)")->{features}, 2,
    'nor does');
is(asked(), "first $SECRET two $AGENT, base - - $AGENT", 'another host');

# What goes wrong with a URL; the query, which may be secret too, is left out.
foreach my $case (
    [ '/none',      'server answered 404' ],
    [ '/private?t', 'server answered 404' ],
    [ '/to-file',   'redirect: URL "file:///etc/passwd" is neither http nor https' ],
    [ '/truncated', 'host "127.0.0.1" ended the connection too early' ])
{
    my ($path, $reason) = @$case;
    my $shown = $server->url($path =~ s/\?.*//r);

    is(outcome($session, "SELECT clair.index_layer('x', '" . $server->url($path) . "', $headers)"),
        "58030: could not fetch \"$shown\": $reason", "$path: $reason");
}
like(outcome($session, "SELECT clair.index_layer('x', '" . $server->url('/short') . "')"),
    qr/^22000: .*(?:gzip|truncated|end)/, 'a file that ends too early');
like(outcome($session, "SELECT clair.index_layer('x', '" . $server->url('/html') . "')"),
    qr/^22000: not a tar archive/, 'what is no layer');
like(outcome($session, "SET LOCAL clair.max_layer_size = '100kB'; SELECT clair.index_layer('x', '"
    . $server->url('/large') . "')"), qr/^58030: .*: host "127\.0\.0\.1" sends more than the limit of 102400 bytes$/,
    'clair.max_layer_size bounds what comes');
query($session, 'RESET clair.max_layer_size');
query($session, "SET temp_file_limit = '50kB'");
like(outcome($session, "SELECT clair.index_layer('x', '" . $server->url('/large') . "')"),
    qr/^58030: .* sends more than the limit of 51200 bytes$/, 'as temp_file_limit does');
query($session, 'RESET temp_file_limit');
like(outcome($session, "SELECT clair.fetch_layer('x', 'http://127.0.0.1:1/layer')"),
    qr/^58030: could not fetch "http:\/\/127\.0\.0\.1:1\/layer": could not connect to host "127\.0\.0\.1"$/, 'nobody there');
asked();
like(outcome($session, "SELECT clair.fetch_layer('x', '" . $server->url('/base') . "', 'none')"),
    qr/^42704: image "none" does not exist/, 'an unknown parent');
is(asked(), '', 'is told before anything is asked');

foreach my $url ('ftp://127.0.0.1/x', 'file:///etc/passwd', '/etc/passwd', 'http:x', 'http://', '')
{
    like(outcome($session, "SELECT clair.fetch_layer('x', '$url')"),
        qr/^22023: invalid URL of a layer\nHINT: It begins with https:\/\/ or http:\/\/\.$/, "no URL: \"$url\"");
}
is(outcome($session, "SELECT clair.index_layer('x', 'http://user:pa55\@127.0.0.1/')"),
    "22023: the URL of a layer has a user name\nHINT: Give an Authorization header.", 'a password in a URL');
foreach my $case (
    [ '[]',                         'headers are not an object of strings and arrays of strings' ],
    [ '"a: b"',                     'headers are not an object of strings and arrays of strings' ],
    [ '{"A": 1}',                   'headers are not an object of strings and arrays of strings' ],
    [ '{"A": null}',                'headers are not an object of strings and arrays of strings' ],
    [ '{"A": {"B": "t0psecret"}}',  'headers are not an object of strings and arrays of strings' ],
    [ '{"A": [["t0psecret"]]}',     'headers are not an object of strings and arrays of strings' ],
    [ '{"A": ["t0psecret", 1]}',    'headers are not an object of strings and arrays of strings' ],
    [ '{"": "t0psecret"}',          'invalid name of a header: ""' ],
    [ '{"A B": "t0psecret"}',       'invalid name of a header: "A B"' ],
    [ '{"A:": "t0psecret"}',        'invalid name of a header: "A:"' ],
    [ '{"\u00e4": "t0psecret"}',    "invalid name of a header: \"\xc3\xa4\"" ],
    [ '{"A\nB": "t0psecret"}',      "invalid name of a header: \"A\nB\"" ],
    [ '{"A": "t0psecret\r\nB: c"}', "invalid value of header \"A\"\nDETAIL: It has a control character." ],
    [ '{"A": ["x", "t0psecret\n"]}', "invalid value of header \"A\"\nDETAIL: It has a control character." ],
    [ '{"Host": "t0psecret"}',      'header "Host" cannot be set' ],
    [ '{"content-length": "1"}',    'header "content-length" cannot be set' ],
    [ '{"Transfer-Encoding": "x"}', 'header "Transfer-Encoding" cannot be set' ],
    [ '{"Proxy-Authorization": "t0psecret"}', 'header "Proxy-Authorization" cannot be set' ])
{
    my ($given, $message) = @$case;

    query($node, "UPDATE public.secret SET headers = '$given'");
    is(outcome($session, "SELECT clair.fetch_layer('x', '" . $server->url('/base') . "', $headers)"),
        "22023: $message", "headers $given");
}
query($node, "UPDATE public.secret SET headers = jsonb_build_object('A', repeat('t0psecret', 10000))");
like(outcome($session, "SELECT clair.fetch_layer('x', '" . $server->url('/base') . "', $headers)"),
    qr/^54000: headers have more than 65536 bytes$/, 'too many headers');
is(asked(), '', 'of all these nobody hears');
query($node, "UPDATE public.secret SET headers = '{\"A\": \"\", \"B\": []}'");
is(indexed("fetch_layer('web', '" . $server->url('/base') . "', $headers)")->{features}, 2, 'empty ones are sent');

query($session, 'SET clair.allow_private_networks = off');
is(outcome($session, "SELECT clair.fetch_layer('x', '" . $server->url('/base') . "')"),
    '58030: could not fetch "' . $server->url('/base') . '": address 127.0.0.1 of host "127.0.0.1" is loopback'
        . "\nHINT: To fetch from the own network, set clair.allow_private_networks.", 'private networks');
query($session, 'RESET clair.allow_private_networks');
query($session, "SET clair.fetch_proxy = '" . $server->url('') . "'");
like(outcome($session, "SELECT clair.fetch_layer('x', 'http://x.invalid/layer')"),
    qr/server answered 404$/, 'a proxy is asked in place of the server');
query($session, 'RESET clair.fetch_proxy');
is(query($session, "SELECT count(*) FROM clair.image_name WHERE name = 'x'"), 1, 'nothing of that is stored');

# ---------------------------------------------------------------------------
# What can be seen of a request, while it goes on and afterwards
# ---------------------------------------------------------------------------

query($node, "UPDATE public.secret SET headers = jsonb_build_object('Authorization', '$SECRET')");
$session->query_until(qr/started/, "\\echo started\nSELECT clair.fetch_layer('x', '"
    . $server->url('/stall?token=s3cr') . "', $headers);\n");
ok(wait_for(10, sub { $server->count('/stall?token=s3cr') }), 'a layer is being fetched');
my @helpers = processes_of($backend);
is(scalar(@helpers), 1, 'by a process');
unlike(slurp_file("/proc/$helpers[0]/cmdline"), qr/t0psecret|s3cr/, 'whose arguments tell nothing');
unlike(scalar query($node, 'SELECT string_agg(a::text, chr(10)) FROM pg_stat_activity AS a'), qr/t0psecret/,
    'nor does pg_stat_activity');
ends_within(2, 'the fetch is cancelled at once', sub {
    query($node, "SELECT pg_cancel_backend($backend)");
    ok(wait_for(10, sub { !processes_of($backend) }), 'and nobody goes on with it');
});
is(join(' ', glob($node->data_dir . '/base/pgsql_tmp/*')), '', 'no file is left of all these');
like($session->query('SELECT 1'), qr/^1/, 'and the session goes on');
$node->command_ok([ 'pg_dump', '-f', "$folder/dump.sql", '--exclude-table-data=public.secret',
    $node->connstr('postgres') ], 'pg_dump');
unlike(slurp_file("$folder/dump.sql"), qr/t0psecret|s3cr[^e]/, 'nothing secret is stored');
$node->psql('postgres', "SELECT clair.fetch_layer('x', '" . $server->url('/none') . "', $headers)");
is(shown_in_log($node, 't0psecret'), 0, 'or logged');
cmp_ok(shown_in_log($node, 'could not fetch'), '>', 0, 'where errors are');

# ---------------------------------------------------------------------------
# Who may
# ---------------------------------------------------------------------------

query($node, <<'SQL');
CREATE ROLE nobody_special;
CREATE ROLE sender;
CREATE ROLE filer IN ROLE pg_read_server_files;
CREATE ROLE fetcher;
CREATE ROLE asker;
GRANT USAGE ON SCHEMA clair TO nobody_special, sender, filer, fetcher, asker;
GRANT EXECUTE ON FUNCTION clair.index_layer(text, bytea, text, text) TO sender;
GRANT EXECUTE ON FUNCTION clair.index_layer(text, text, text, text, jsonb) TO filer, asker;
GRANT EXECUTE ON FUNCTION clair.fetch_layer(text, text, text, text, jsonb) TO fetcher, asker;
SQL
my $in_bytes = "index_layer('mine', '\\x" . unpack('H*', $bytes{base}) . "'::bytea)";
my $in_file  = "index_layer('mine', '$base')";
my $in_url   = "index_layer('mine', '" . $server->url('/base') . "')";
my $by_fetch = "fetch_layer('mine', '" . $server->url('/base') . "')";
my %may = (
    nobody_special => [ 0, 0, 0, 0 ],
    sender         => [ 1, 0, 0, 0 ],
    filer          => [ 0, 1, 0, 0 ],
    fetcher        => [ 0, 0, 0, 1 ],
    asker          => [ 0, 0, 1, 1 ],
);
foreach my $role (sort keys %may)
{
    my ($own) = session($node);
    my @calls = ($in_bytes, $in_file, $in_url, $by_fetch);

    query($own, "SET SESSION AUTHORIZATION $role");
    foreach my $i (0 .. $#calls)
    {
        my $outcome = outcome($own, "SELECT clair.$calls[$i]");
        my $words = $outcome =~ s/\n.*//sr;

        like($outcome, $may{$role}[$i] ? qr/^ok$/
                : qr/^42501: permission denied (?:for function (?:index|fetch)_layer$|to read files on the server)/,
            "$role: " . ('bytes', 'a file', 'a URL', 'a URL, by itself')[$i] . ": $words");
    }
    $own->quit;
}
asked();
{
    my ($own) = session($node);

    query($own, 'SET SESSION AUTHORIZATION filer');
    is(outcome($own, "SELECT clair.$in_url"), '42501: permission denied for function fetch_layer',
        'who may read files may not ask servers');
    is(asked(), '', 'and nobody is asked');
    $own->quit;
}

$session->quit;
$node->stop;

done_testing();
