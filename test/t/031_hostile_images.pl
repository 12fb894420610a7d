# Proves that every hostile or odd image does what is documented of it, within the limits, and that
# neither failing nor being cancelled leaves anything behind; CLAIR_TEST_LONG=1: nor 10,000 failures.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $HOSTILE = test_data('hostile') or plan skip_all => 'there are no test data';
my $IMAGES  = abs_path(test_data('images'));
$HOSTILE = abs_path($HOSTILE);

# Two packages that nearly all of these layers have, and a third.
my @TWO   = ('bash 5.2.15-2+b2 (bash 5.2.15-2)', 'openssl 3.0.11-1~deb12u1 (openssl 3.0.11-1~deb12u1)');
my @THREE = (@TWO, 'curl 7.88.1-10 (curl 7.88.1-10)');
my @APK   = ('alpine-baselayout 3.4.3-r1 (alpine-baselayout 3.4.3-r1)', 'musl 1.2.4-r1 (musl 1.2.4-r1)',
    'libssl3 3.1.4-r0 (openssl 3.1.4-r0)');

my $INVALID = '22000';
my $LIMIT   = '54000';
my $MISSING = '42704';

# What becomes of each file: an error; or namespace, status, and features; perhaps problems.
my %EXPECTED = (
    'docker/good.tar'                 => [ 'debian:12 ok', \@THREE ],
    'docker/layer-symlink.tar'        => [ 'debian:12 ok', \@TWO ],
    'docker/layer-twice.tar'          => [ 'debian:12 ok', \@THREE ],
    'docker/layer-traversal-name.tar' =>
        qr{^\w+: manifest\.json: image 1: layer 1: file "\.\./\.\./\.\./etc/passwd": not in the archive},
    'docker/manifest-deep.tar.gz'     => qr/^$INVALID: manifest\.json: invalid JSON at byte \d+: nesting too deep/,
    'docker/manifest-not-json.tar'    => qr/^$INVALID: manifest\.json: invalid JSON at byte \d+: /,
    'docker/manifest-null-layers.tar' => qr/^\w+: manifest\.json: image 1: /,
    'docker/missing-layer.tar'        => qr{^\w+: manifest\.json: image 1: layer 2: file ".*/layer\.tar": not in the archive},
    'docker/two-images.tar'           => qr/^$INVALID: manifest\.json: image 1: config "a\.json": it has 0 diff ids/,

    'oci/good.tar'            => [ 'debian:12 ok', \@THREE ],
    'oci/multi-arch.tar'      => [ 'debian:12 ok', \@TWO ],
    'oci/wrong-mediatype.tar' => [ 'debian:12 ok', \@TWO ],
    'oci/digest-mismatch.tar' => qr/^$INVALID: manifest sha256:2aa2\w+: /,
    'oci/foreign-layer.tar'   => qr/^$INVALID: manifest sha256:828f\w+: /,
    'oci/index-loop.tar'      => qr/^$INVALID: index\.json: blob sha256:c{64}: /,

    'aci/good.aci'              => [ 'debian:12 ok', \@TWO ],
    'aci/dotslash.aci'          => [ 'debian:12 ok', \@TWO ],
    'aci/manifest-not-json.aci' => qr/^$INVALID: manifest: invalid JSON at byte 1: /,

    'tar/absolute.tar'          => [ 'debian:12 ok', \@TWO ],
    'tar/concat-gzip.tar.gz'    => [ 'debian:12 ok', \@TWO ],
    'tar/dotslash.tar'          => [ 'debian:12 ok', \@TWO ],
    'tar/dup-member.tar'        => [ 'debian:12 ok', \@TWO ],
    'tar/longname-gnu.tar.gz'   => [ 'debian:12 ok', \@TWO ],
    'tar/pax-path.tar'          => [ 'debian:12 ok', \@TWO ],
    'tar/status-hardlink.tar'   => [ 'debian:12 ok', \@TWO ],
    'tar/status-symlink-in.tar' => [ 'debian:12 ok', \@TWO ],
    'tar/usr-lib-os-release.tar' => [ 'debian:12 ok', \@TWO ],
    'tar/empty.tar'             => [ 'unknown no_package_database', [] ],
    # its last members replace the release file, as they would in a container; none leaves the layer
    'tar/traversal.tar.gz'      => [ 'unknown unknown_namespace', \@TWO ],
    'tar/status-symlink.tar'    => [ 'debian:12 partial', [], qr{^layer 1: etc/passwd: line 1: } ],
    'tar/bad-checksum.tar'      => qr/^$INVALID: not a tar archive/,
    'tar/no-eof.tar'            => qr{^$INVALID: var/lib/dpkg/status: damaged tar archive, at entry 3: },
    'tar/size-huge.tar'         =>
        qr{^$LIMIT: etc/os-release: a file of 8589934591 bytes\nHINT: .*clair\.max_file_size},

    'gzip/bzip2.tar.bz2'      => [ 'debian:12 ok', \@TWO ],
    'gzip/good.tar.xz'        => [ 'debian:12 ok', \@TWO ],
    'gzip/good.tar.zst'       => [ 'debian:12 ok', \@TWO ],
    'gzip/flipped.tar.gz'     => qr{^$INVALID: var/lib/dpkg/status: gzip data is corrupt: },
    'gzip/header-only.tar.gz' => qr/^$INVALID: gzip data is truncated/,
    'gzip/truncated.tar.gz'   => qr{^$INVALID: var/lib/dpkg/status: gzip data is truncated},

    'dpkg/crlf.tar.gz'             => [ 'debian:12 ok', \@TWO ],
    'dpkg/dup-stanza.tar.gz'       => [ 'debian:12 ok', \@TWO ],
    'dpkg/no-final-newline.tar.gz' => [ 'debian:12 ok', \@TWO ],
    'dpkg/no-version.tar.gz'       => [ 'debian:12 partial', \@TWO, qr/line \d+: .*version/i ],
    'dpkg/nul.tar.gz'              => [ 'debian:12 partial', \@TWO, qr/line \d+: / ],
    'dpkg/non-utf8.tar.gz'         => [ 'debian:12 partial', ['good 2 (good 2)'], qr/line \d+: / ],
    # what has not been removed may have left files
    'dpkg/not-installed.tar.gz'    =>
        [ 'debian:12 ok', [ @TWO, 'hold 1.5 (hold 1.5)', 'half 1 (half 1)', 'unp 1 (unp 1)' ] ],
    'dpkg/injection.tar.gz'        => [ 'debian:12 partial', [ @TWO, 'y 1"; SELECT 1 (y 1"; SELECT 1)' ],
        qr/DROP TABLE vuln; --" is not a package's name/ ],
    'dpkg/long-line.tar.gz'        => [ 'debian:12 partial', undef, qr/line \d+/ ],

    'apk/good.tar.gz'           => [ 'alpine:v3.18 ok', \@APK ],
    'apk/crlf.tar.gz'           => [ 'alpine:v3.18 ok', \@APK ],
    'apk/no-final-blank.tar.gz' => [ 'alpine:v3.18 ok', \@APK ],
    'apk/no-version.tar.gz'     => [ 'alpine:v3.18 partial', \@APK, qr/line \d+: / ],
    'apk/nul-and-8bit.tar.gz'   => [ 'alpine:v3.18 partial', undef, qr/line \d+/ ],

    'bomb/deep-path.tar.gz'       => [ 'debian:12 ok', \@TWO ],
    'bomb/million-entries.tar.gz' => [ 'unknown no_package_database', [] ],
    'bomb/status-10g.tar.gz'      =>
        qr{^$LIMIT: var/lib/dpkg/status: a file of 10737418240 bytes\nHINT: .*clair\.max_file_size},
);

my $node = start_server('hostile_images', "statement_timeout = '60s'", 'restart_after_crash = on');
my ($session, $backend) = session($node);

# ---------------------------------------------------------------------------
# Every file
# ---------------------------------------------------------------------------

my @files = map { substr($_, length($HOSTILE) + 1) } map { glob "$HOSTILE/$_/*" }
    qw(docker oci aci tar gzip dpkg apk bomb);
my ($descriptors, @failing);

# What has become of a file, in the words of the table.
sub become_of
{
    my ($file) = @_;
    my $outcome = outcome($session, "SELECT clair.index_image('$HOSTILE/$file', 'it')");

    return $outcome if $outcome ne 'ok';
    return [
        scalar query($session, "SELECT namespace || ' ' || status FROM clair.image"
            . " WHERE id = clair.image_id('it')"),
        [ query($session, "SELECT format('%s %s (%s %s)', name, version, source_name, source_version)"
            . " FROM clair.features('it')") ],
        scalar query($session, "SELECT string_agg(place || ': ' || reason, E'\\n' ORDER BY number)"
            . ' FROM clair.image_problem'),
    ];
}

foreach my $file (@files)
{
    my $expected = $EXPECTED{$file};
    my $got      = become_of($file);

    if (!defined $expected)
    {
        fail("$file: nobody has said what is expected");
    }
    elsif (ref($expected) ne 'ARRAY')
    {
        like($got, $expected, "$file: refused");
        is(row_count($session), 0, "$file: nothing is stored");
        push @failing, $file if !ref($got) && -s "$HOSTILE/$file" < 100_000;
    }
    elsif (!ref($got))
    {
        is($got, 'ok', "$file: read");
    }
    else
    {
        my ($state, $features, $problems) = @$expected;
        is($got->[0], $state, "$file: namespace and status");
        is_deeply([ sort @{ $got->[1] } ], [ sort @$features ], "$file: features") if defined $features;
        like($got->[2], $problems // qr/^$/, "$file: problems");
        query($session, "SELECT clair.delete_image('it'); SELECT clair.collect_garbage()");
    }
    $descriptors //= descriptors_of($node, $backend);
    my $left = join ' ', processes_of($backend);
    is($left . descriptors_of($node, $backend), $descriptors, "$file: no process, no descriptor left");
}
is_deeply([ grep { !-e "$HOSTILE/$_" } sort keys %EXPECTED ], [], 'no file is missing');

like(join("\n", @{ become_of('dpkg/long-line.tar.gz')->[1] }), qr/^bash .*\n(.*\n)?openssl [^\n]*$/s,
    'a line of 50 MB hides no other package');
cmp_ok(scalar @{ become_of('apk/nul-and-8bit.tar.gz')->[1] }, '>=', 3,
    'bytes that are no text hide no other package');
is(query($session, "SELECT count(*) FROM clair.features('it') WHERE version ~ '\\r'"), 0,
    'no version ends in a carriage return');
unlike(query($session, 'SELECT string_agg(f::text, chr(10)) FROM clair.feature AS f') // '',
    qr/root:/, 'nothing of the server is in an image');
query($session, "DELETE FROM clair.image; SELECT clair.collect_garbage()");
is(shown_in_log($node, 'reinitializing|was terminated by signal'), 0, 'no process crashed');

# ---------------------------------------------------------------------------
# Each limit, by its setting
# ---------------------------------------------------------------------------

my $million = "$HOSTILE/bomb/million-entries.tar.gz";
my $bomb    = "$HOSTILE/bomb/status-10g.tar.gz";
my $good    = "$HOSTILE/docker/good.tar";
my $slim    = "$IMAGES/trixie/trixie-slim.full.oci-gzip.tar";

foreach my $limit (
    [ max_entries    => 1000,    $million ],
    [ max_layer_size => "'1MB'", $slim ],
    [ max_file_size  => "'20kB'", "$IMAGES/bookworm/bookworm.oci-zstd.tar" ],
    [ max_ratio      => 10,      $million ],
    [ max_features   => 1,       $good ],
    [ max_layers     => 1,       $good ])
{
    my ($setting, $value, $file) = @$limit;

    query($session, "SET clair.$setting = $value");
    like(outcome($session, "SELECT clair.index_image('$file')"), qr/^$LIMIT: .*\nHINT: .*clair\.$setting/s,
        "clair.$setting is a limit, and the error names it");
    query($session, "RESET clair.$setting");
    is(row_count($session), 0, "clair.$setting: nothing is stored");
}

# A file that is large enough to be refused only while it is read.
query($session, "SET clair.max_file_size = '20GB'; SET clair.reader_memory = '256MB';"
    . " SET clair.max_ratio = 1000000; SET statement_timeout = '100s'");
like(outcome($session, "SELECT clair.index_image('$bomb')"), qr/^(53200|54000): /,
    'ten gigabytes do not fit into clair.reader_memory');
query($session, 'RESET ALL');
is(processes_of($backend), 0, 'and the reader is gone');

# ---------------------------------------------------------------------------
# Cancelling what really works
# ---------------------------------------------------------------------------

foreach my $how (qw(pg_cancel_backend pg_terminate_backend))
{
    my ($victim, $pid) = session($node);

    $victim->query_until(qr/started/, "\\echo started\nSELECT clair.index_image('$million', 'victim');\n");
    wait_for(10, sub { processes_of($pid) == 1 }) or die 'no reader was started';
    sleep(0.3);
    ends_within(3, "$how: takes effect at once", sub {
        is(query($session, "SELECT $how($pid)"), 't', $how);
        wait_for(20, sub { processes_of($pid) == 0 });
    });
    ok(wait_for(10, sub { query($session,
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state = 'active'") eq '0' }),
        "$how: the session is done with it");
    is(row_count($session), 0, "$how: nothing is stored");
    is(query($session, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0,
        "$how: nothing is locked");
    eval { $victim->quit };
}

# ---------------------------------------------------------------------------
# Ten thousand failures
# ---------------------------------------------------------------------------

# The resident memory of a process in kB.
sub memory_of
{
    my ($pid) = @_;

    return slurp_file("/proc/$pid/status") =~ /^VmRSS:\s*(\d+)/m ? $1 : 0;
}

sub fail_often
{
    my ($rounds) = @_;
    my $list = join ', ', map { "'$HOSTILE/$_'" } @failing;

    # each in a transaction of its own, as clients do it
    return query($session, <<"SQL");
DO \$\$
DECLARE
    file text;
BEGIN
    FOR round IN 1..$rounds LOOP
        FOREACH file IN ARRAY ARRAY[$list] LOOP
            IF public.outcome(format('SELECT clair.index_image(%L)', file)) = 'ok' THEN
                RAISE 'was read: %', file;
            END IF;
            COMMIT;
        END LOOP;
    END LOOP;
END
\$\$
SQL
}

{
    my $repetitions = $ENV{CLAIR_TEST_LONG} ? 10_000 : 200;
    my $rounds      = int($repetitions / @failing) + 1;

    query($session, 'SET statement_timeout = 0');
    fail_often(int(100 / @failing) + 1);
    my $memory = memory_of($backend);
    my $open   = descriptors_of($node, $backend);
    fail_often($rounds);
    my $grown = memory_of($backend) - $memory;
    cmp_ok($grown, '<', 1024, "$repetitions failures leave no memory") or diag("$memory kB + $grown kB");
    is(descriptors_of($node, $backend), $open, "$repetitions failures leave no descriptor");
    is(processes_of($backend), 0, "$repetitions failures leave no process");
    is(row_count($session), 0, "$repetitions failures leave no row");
}

# ---------------------------------------------------------------------------
# A killed backend
# ---------------------------------------------------------------------------

{
    my ($victim, $pid) = session($node);

    $victim->query_until(qr/started/, "\\echo started\nSELECT clair.index_image('$million', 'victim');\n");
    wait_for(10, sub { processes_of($pid) == 1 }) or die 'no reader was started';
    sleep(0.3);
    kill 'KILL', $pid;
    ok(wait_for(10, sub { processes_of($pid) == 0 }), 'a killed backend: its reader ends');
    ok(comes_up($node), 'the server is there again');
    is(row_count($node), 0, 'nothing is stored');
    is(query($node, "SELECT features FROM clair.index_image('$good', 'after')"), 3, 'the next run succeeds');
    sleep(0.5);
    is(shown_in_log($node, 'reinitializing'), 1, 'after one restart');
    eval { $_->quit } foreach $victim, $session;
}
$node->stop;

done_testing();
