# Proves that whatever rows a reader sends, true, false or mutilated, they end in a row or in one
# ERROR: the backend lives on, an ERROR leaves nothing behind, and no process or descriptor stays.
#
# mutating_helper.c takes clair-reader's place: it sends rows that are changed as the input says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use HelperProcess;
use IndexTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $HELPER = HelperProcess::program_path('test/t/mutating_helper');
my $ROUNDS = $ENV{CLAIR_TEST_LONG} ? 20000 : 250;

plan skip_all => 'the mutating helper has not been built' if !defined $HELPER || !-x $HELPER;

my $node   = start_server('mutated_rows');
my $folder = private_library($node);

unlink "$folder/clair-reader";
copy($HELPER, "$folder/clair-reader");
chmod 0755, "$folder/clair-reader";

my ($session, $backend) = session($node);

query($session, <<'SQL');
SET client_min_messages = warning;
CREATE FUNCTION public.made(text, bytea) RETURNS TABLE (name text, version text)
    LANGUAGE sql AS $$ SELECT 'a', '1' $$;
SELECT clair.create_detector('made', 'public.made(text, bytea)', '{a}', 'dpkg');
CREATE FUNCTION public.rows() RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM clair.image) + (SELECT count(*) FROM clair.layer)
        + (SELECT count(*) FROM clair.layer_entry) + (SELECT count(*) FROM clair.feature)
        + (SELECT count(*) FROM clair.vex_document) + (SELECT count(*) FROM clair.exception)
$$;
CREATE TABLE public.outcomes (number int, what text, state text, message text, left_behind bigint);
CREATE PROCEDURE public.try(what text, statement text, first int, last int) LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    state text;
    reason text;
BEGIN
    FOR number IN first .. last LOOP
        before := public.rows();
        state := 'ok';
        reason := NULL;
        BEGIN
            EXECUTE statement USING number;
        EXCEPTION WHEN OTHERS THEN
            state := SQLSTATE;
            reason := SQLERRM;
        END;
        INSERT INTO public.outcomes
        VALUES (number, what, state, reason,
            CASE WHEN state = 'ok' THEN 0 ELSE public.rows() - before END);
        IF number % 5 = 0 THEN
            DELETE FROM clair.image;
            PERFORM * FROM clair.collect_garbage();
            DELETE FROM clair.exception WHERE document IS NOT NULL;
            DELETE FROM clair.vex_document;
        END IF;
        COMMIT;
    END LOOP;
END
$$;
SQL

my @cases = (
    [ 'image', q{SELECT clair.index_image(convert_to($1::text, 'UTF8'))} ],
    [ 'document', q{SELECT clair.index_sbom(jsonb_build_object('number', $1))} ],
    [ 'statements', q{SELECT clair.load_vex(jsonb_build_object('number', $1))} ],
);

# once, so that what a session opens is open
query($session, "CALL public.try('first', \$s\$$_->[1]\$s\$, 0, 0)") foreach @cases;
my $descriptors = descriptors_of($node, $backend);

foreach my $case (@cases)
{
    my ($what, $statement) = @$case;

    query($session, "CALL public.try('$what', \$s\$$statement\$s\$, 1, $ROUNDS)");
    is(query($session, "SELECT count(*) FROM public.outcomes WHERE what = '$what'"), $ROUNDS,
        "$what: each is over");
    cmp_ok(query($session, "SELECT count(*) FROM public.outcomes WHERE what = '$what' AND state = 'ok'"),
        '>', 0, "$what: some were taken");
    cmp_ok(query($session, "SELECT count(*) FROM public.outcomes WHERE what = '$what' AND state <> 'ok'"),
        '>', $ROUNDS / 10, "$what: many were refused");
    is(query($session, "SELECT count(*) FROM public.outcomes WHERE what = '$what' AND left_behind <> 0"),
        '0', "$what: what was refused has left nothing");
    is(query($session, "SELECT string_agg(DISTINCT state || ' ' || message, '; ') FROM public.outcomes"
            . " WHERE what = '$what' AND state ~ '^(XX|22P05|22021)'"),
        '', "$what: none was refused for what cannot happen");
}
is(query($session, 'SELECT pg_backend_pid()'), $backend, 'one backend has lived through all of it');
is(join(' ', processes_of($backend)), '', 'no process is left');
is(descriptors_of($node, $backend), $descriptors, 'no descriptor is left');
unlike(slurp_file($node->logfile), qr/was terminated by signal|PANIC/, 'nothing has crashed');
$session->quit;
$node->stop;
done_testing();
