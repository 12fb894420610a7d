# Proves that memory which runs out, of a reader or of the server, ends in one error that says so, and
# neither in a crash nor in a wrong answer; that helpers are what the system ends first; and that what
# is found does not depend on how much memory queries have.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use FeedTest;
use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use WebServer;

my $READER = HelperProcess::program_path('clair-reader');
my $FETCH = HelperProcess::program_path('clair-fetch');
my $WILD = HelperProcess::program_path('test/t/wild_helper');
my $FIXTURES = "$FindBin::Bin/../fixtures";

plan skip_all => 'the helpers have not been built' if !defined $READER || !-x $WILD;
plan skip_all => 'made for Linux' if $^O ne 'linux';

use constant { LIMIT => 2, MEMORY => 7, MB => 1024 * 1024 };

# ---------------------------------------------------------------------------
# Readers with less and less memory
# ---------------------------------------------------------------------------

# Has clair-reader do a job in so much memory: "done" and its rows, or its error; or how it died.
sub read_within
{
    my ($memory, $file, @job) = @_;
    my %job = @job;
    my @rows;
    open(my $input, '<:raw', $file) or die "$file: $!\n";
    my $reader = HelperProcess->start($READER, $job{job} eq 'update' ? () : (stdin => $input));

    $reader->receive();
    $reader->send_frame('j', [ reader_memory => $memory, @job ]);
    if ($job{job} eq 'update')
    {
        $reader->send_frame('d', [ $job{updater} => "file://$file" ], $input);
        $reader->send_frame('s');
    }
    while (my $frame = $reader->receive(60))
    {
        push @rows, join "\t", $frame->{tag}, map { $_ // '-' } @{ $frame->{fields} } if $frame->{type} eq 'R';
        $reader->send_frame('k', [ (undef) x @{ $frame->{fields} } ]) if $frame->{type} eq 'K';
        if ($frame->{type} eq 'E')
        {
            my $status = $reader->ended(60) // 'still there';
            return $status == 256 ? "error $frame->{fields}[0]: $frame->{fields}[1]" : "an error, and exit $status";
        }
        return 'done ' . ($reader->ended(60) // 'still there') . "\n" . join "\n", @rows if $frame->{type} eq 'D';
    }
    return 'died ' . ($reader->ended(60) // 'not');
}

my $folder = PostgreSQL::Test::Utils::tempdir();
my @packages = map { [ "package-$_", "1.$_-1" ] } 1 .. 3000;
my $layer = make_layer("$folder/plain", 'etc/os-release' => "ID=debian\nVERSION_ID=\"12\"\n",
    'var/lib/dpkg/status' => status_paragraphs(@packages));
make_layer("$folder/apk", 'etc/os-release' => "ID=alpine\nVERSION_ID=3.20.1\n",
    'lib/apk/db/installed' => join('', map { "P:$_->[0]\nV:1.2-r3\nA:x86_64\no:$_->[0]\n\n" } @packages));
my @inputs = map { [ $_, "$folder/$_", job => 'index', platform => 'linux/amd64', architecture => 'amd64' ] } qw(plain apk);
foreach my $how ([ gzip => '-9' ], [ bzip2 => '-9' ], [ xz => '-9e' ], [ zstd => '-19' ],
    [ zstd => '--ultra', '-22', '--long=27' ], [ xz => '--lzma2=dict=96MiB' ])
{
    my $name = join ' ', @$how;
    my $file = "$folder/$how->[0]" . scalar @inputs;

    if (system("$how->[0] @$how[1 .. $#$how] -c $layer > $file 2>/dev/null") != 0)
    {
        note("SKIP: layers compressed by $name: it is not installed");
        next;
    }
    push @inputs, [ $name, $file, job => 'index', platform => 'linux/amd64', architecture => 'amd64' ];
}
foreach my $database ([ 'sqlite', 'pkgdb/rpm/claircore-sqlite' ])
{
    my ($file) = grep { defined && -f } map { test_data($_) } $database->[1];

    ($file) = glob(test_data($database->[1]) . '/*.sqlite') if !defined $file && defined test_data($database->[1]);
    next if !defined $file;
    make_layer("$folder/rpm", 'etc/os-release' => "ID=rhel\nVERSION_ID=9\n", 'var/lib/rpm/rpmdb.sqlite' => slurp_file($file));
    push @inputs, [ 'rpm, sqlite', "$folder/rpm", job => 'index', platform => 'linux/amd64', architecture => 'amd64' ];
}
write_file("$folder/tracker", { map { ($_->[0] => { 'CVE-2031-0001' => { description => 'x' x 2000,
            releases => { bookworm => { status => 'open', urgency => 'high' } } } }) } @packages });
write_file("$folder/vex", { '@context' => 'https://openvex.dev/ns/v0.2.0', '@id' => 'https://example.org/vex', author => 'me',
    timestamp => '2031-01-01T00:00:00Z', version => 1, statements => [ map { {
            vulnerability => { name => 'CVE-2031-0001' }, status => 'not_affected', justification => 'component_not_present',
            products => [ { '@id' => "pkg:deb/debian/$_->[0]\@$_->[1]?arch=amd64" } ] } } @packages ] });
write_file("$folder/sbom", { bomFormat => 'CycloneDX', specVersion => '1.5', serialNumber => 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
    version => 1, metadata => { component => { type => 'container', name => 'web', 'bom-ref' => 'web' } },
    components => [ { type => 'operating-system', name => 'debian', version => '12', 'bom-ref' => 'os' }, map { {
            type => 'library', name => $_->[0], version => $_->[1], 'bom-ref' => $_->[0],
            purl => "pkg:deb/debian/$_->[0]\@$_->[1]?arch=amd64&distro=debian-12" } } @packages ] });
push @inputs, [ 'a feed', "$folder/tracker", job => 'update', updater => 'debian' ],
    [ 'a VEX document', "$folder/vex", job => 'vex' ], [ 'a bill of materials', "$folder/sbom", job => 'sbom' ],
    map { [ "a feed of $_->[0]", $_->[1], job => 'update', updater => $_->[0] ] }
    grep { -f $_->[1] } [ 'epss', "$FIXTURES/epss/scores.csv" ], [ 'kev', "$FIXTURES/kev/catalog.json" ],
    [ 'oracle', (glob "$FIXTURES/oracle/*")[0] // '' ];

foreach my $input (@inputs)
{
    my ($name, $file, @job) = @$input;
    my $whole = read_within(512 * MB, $file, @job);
    my %ends;

    if ($whole !~ /^done 0\n./)
    {
        fail("$name: it is read in 512 MB");
        diag(substr($whole, 0, 300));
        next;
    }
    for (my $memory = 48 * MB; $memory <= 260 * MB; $memory += ($memory < 70 * MB ? 4 : 50) * ($ENV{CLAIR_TEST_LONG} ? MB / 8 : MB))
    {
        my $end = read_within($memory, $file, @job);

        $end = 'whole' if $end eq $whole;
        push @{ $ends{ $end =~ s/\n.*//sr } }, $memory / MB . ' MB';
    }
    # before it has begun, a library may not say why it could not
    my @wrong = grep { $_ ne 'whole' && $_ !~ /^error (@{[LIMIT]}|@{[MEMORY]}): .*memory|could not load/ } sort keys %ends;
    ok(!@wrong && $ends{whole} && keys %ends > 1, "$name: with too little memory, one error that says so")
        or diag(map { "$_: @{ $ends{$_} }\n" } @wrong ? @wrong : sort keys %ends);
}

# ---------------------------------------------------------------------------
# Helpers go first
# ---------------------------------------------------------------------------

foreach my $program ($READER, $FETCH)
{
    my $helper = HelperProcess->start($program);

    $helper->receive();
    is(slurp_file("/proc/$helper->{pid}/oom_score_adj"), "1000\n",
        "when memory runs out, the system ends " . $program =~ s{.*/}{}r . ' first');
}

my ($node, $library) = start_server_of_its_own('memory', 'clair.allow_private_networks = on', 'clair.fetch_retries = 0',
    'max_worker_processes = 16');
my ($session, $backend) = session($node);
index_file($session, $layer, 'shop/web');
my $silent = WebServer->start('/' => sub { sleep(50) });

# What the system does to a helper then: the statement fails, and says what it may have been.
{
    my ($other, $process) = session($node);

    $other->query_until(qr/started/, "\\echo started\nSELECT public.outcome(\$s\$SELECT clair.fetch_layer('x', '"
        . $silent->url('/') . "')\$s\$);\n");
    my @helpers;
    ok(wait_for(60, sub { @helpers = processes_of($process); @helpers == 1 }), 'a helper waits for a web server');
    kill 'KILL', @helpers;
    like($other->query("SELECT 'the session goes on'"),
        qr/^38000: clair-fetch was terminated by signal 9: Killed\nHINT: .*When memory runs out.*\nthe session goes on$/,
        'one that is killed is told of, and why that may be');
    $other->quit;
}

# ---------------------------------------------------------------------------
# The server's own memory
# ---------------------------------------------------------------------------

copy($WILD, "$library/clair-reader.wild") or die "copy: $!";
rename("$library/clair-reader", "$library/clair-reader.real") or die "rename: $!";
rename("$library/clair-reader.wild", "$library/clair-reader") or die "rename: $!";
chmod 0755, "$library/clair-reader";

my $stored = row_count($session);
SKIP:
{
    my ($other, $process) = session($node);
    my ($size) = slurp_file("/proc/$process/status") =~ /^VmSize:\s+(\d+) kB/m;

    skip 'prlimit is not there', 2 if system("prlimit --pid $process --as=" . ($size + 50_000) * 1024 . ' 2>/dev/null') != 0;
    append_to_file("$library/behaviour.$process", 'clair-reader job large');
    like(outcome($other, "SELECT clair.index_image('$layer', 'again')"), qr/^53200: out of memory\n/,
        'a server process that gets no more memory: one error');
    is(join(' ', processes_of($process)) . query($other, 'SELECT pg_backend_pid()'), $process, 'it goes on, without the helper');
    is(row_count($session), $stored, 'and nothing is stored');
    $other->quit;
}

# However much readers may have: no text of the server is longer than 1 GB.
if ($ENV{CLAIR_TEST_LONG})
{
    my ($other, $process) = session($node);

    append_to_file("$library/behaviour.$process", 'clair-reader job large');
    query($other, "SET clair.reader_memory = '4GB'");
    like(outcome($other, "SELECT clair.index_image('$layer', 'again')"),
        qr/^54000: the image has more than 512 MB of features\nHINT: See clair.reader_memory/, 'a flood, and all the memory for it');
    is(query($other, 'SELECT pg_backend_pid()'), $process, 'the session goes on');
    $other->quit;
}

# ---------------------------------------------------------------------------
# Queries and updates with little memory
# ---------------------------------------------------------------------------

my $FINDINGS = q{SELECT count(*), md5(string_agg(v::text, ';' ORDER BY v::text)) FROM clair.vulnerabilities('shop/web') AS v};
set_feed($session, 'debian', "$folder/tracker");
foreach my $setting ("work_mem = '64kB'", "maintenance_work_mem = '1MB'", "temp_buffers = '800kB'")
{
    query($session, "ALTER DATABASE postgres SET $setting");
}
my ($poor) = session($node);
is(update($poor, 'debian')->{state}, 'succeeded', 'an update with little memory');
my $found = query($poor, $FINDINGS);
$poor->quit;
like($found, qr/^3000\|/, 'findings with little memory');
query($session, "SET work_mem = '64MB'");
is(scalar query($session, $FINDINGS), $found, 'are the same as with much');
is(query($session, 'SELECT pg_backend_pid()'), $backend, 'all in one process');
$session->quit;
$node->stop;

done_testing();
