--
-- Proves which findings an exception covers, by each of its keys; when it begins and ceases to; and
-- which exceptions are listed as stale.
--
\set ON_ERROR_STOP on
BEGIN;
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set findings :abs_srcdir '/test/fixtures/findings.sql'
\i :findings
SELECT count(*) AS findings, count(exception) AS covered FROM clair.image_vulnerability;

-- Each exception alone: the reason says what it is to cover
CREATE FUNCTION pg_temp.try(VARIADIC arguments text[])
RETURNS TABLE (call text, reason text, findings text)
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    FOREACH call IN ARRAY arguments LOOP
        EXECUTE format('SELECT clair.create_exception(%s)', call) INTO made;
        SELECT c.reason, c.findings INTO reason, findings FROM pg_temp.covered AS c;
        RETURN NEXT;
        PERFORM clair.end_exception(made);
    END LOOP;
END
$$;
SELECT call, findings
FROM pg_temp.try(
    $$'CVE-2031-0001', 'all'$$,
    $$'CVE-2031-0002', 'bash of debian:12'$$,
    $$'CVE-2031-0003', 'none'$$,
    $$'cve-2031-0001', 'none'$$,
    $$'GHSA-1', 'an alias'$$,
    $$'TEMP-1', 'the other one'$$,
    $$'DSA-1', 'the advisory of debian:12'$$,
    $$'CVE-2031-0001', 'source', package => 'zlib'$$,
    $$'CVE-2031-0001', 'installed', package => 'zlib1g'$$,
    $$'CVE-2031-0001', 'none', package => 'bash'$$,
    $$'CVE-2031-0001', 'source at', package => 'zlib', version => 'dpkg:1.2-1'$$,
    $$'CVE-2031-0001', 'source not at', package => 'zlib', version => 'dpkg:1.2-1+b1'$$,
    $$'CVE-2031-0001', 'installed at', package => 'zlib1g', version => 'dpkg:1.2-1+b1'$$,
    $$'CVE-2031-0001', 'equal', package => 'zlib1g', version => 'dpkg:0:1.2-1+b1'$$,
    $$'CVE-2031-0001', 'other format', package => 'zlib1g', version => 'rpm:1.2-1+b1'$$,
    $$'CVE-2031-0001', 'one architecture', package => 'zlib1g', architecture => 'i386'$$,
    $$'CVE-2031-0001', 'sources have none', package => 'zlib', architecture => 'i386'$$,
    $$'CVE-2031-0001', 'namespace', namespace => 'debian:11'$$,
    $$'CVE-2031-0001', 'namespaces', namespace => 'debian:%'$$,
    $$'CVE-2031-0001', 'none', namespace => 'ubuntu:%'$$,
    $$'CVE-2031-0001', 'image', image => 'shop:1'$$,
    $$'CVE-2031-0001', 'its other name', image => 'shop\_app:%'$$,
    $$'CVE-2031-0001', 'images', image => '%'$$,
    $$'CVE-2031-0001', 'no image', image => 'shop'$$,
    $$'CVE-2031-0001', 'image id', image => 'sha256:$$ || repeat('2', 64) || $$'$$,
    $$'CVE-2031-0001', 'manifest', image => 'sha256:$$ || repeat('a', 64) || $$'$$,
    $$'CVE-2031-0001', 'number', image => clair.image_id('shed:1')::text$$,
    $$'CVE-2031-0001', 'all', package => 'zlib', image => 'shop:%', namespace => 'debian:12'$$,
    $$'CVE-2031-0001', 'one differs', package => 'zlib', image => 'shop:%', namespace => 'debian:11'$$
);
SELECT count(*) AS covered FROM clair.image_vulnerability WHERE exception IS NOT NULL;

-- It is ended once, and kept
SELECT DISTINCT clair.end_exception(id) FROM clair.exception;
SELECT count(*), count(ended_at) AS ended, bool_and(author = current_user AND ended_by = current_user) AS by_us
FROM clair.exception;
SELECT DISTINCT image ~ '^sha256:2+$' AS digest FROM clair.exception WHERE reason = 'number';

-- Of several, the one that lasts longest; the others, and what covers nothing, are stale
SELECT count(*) FROM (VALUES (clair.create_exception('CVE-2031-0001', 'first', expires_at => now() + interval '1 day')),
    (clair.create_exception('CVE-2031-0001', 'lasts', package => 'zlib')),
    (clair.create_exception('CVE-2031-0001', 'later', expires_at => now() + interval '1 week')),
    (clair.create_exception('CVE-2031-0002', 'used')),
    (clair.create_exception('CVE-2031-0002', 'fixed', namespace => 'debian:11')),
    (clair.create_exception('CVE-2031-0002', 'not fixed', namespace => 'debian:11', image => 'shop:1')),
    (clair.create_exception('CVE-2031-0002', 'fixed, too', package => 'bash', version => 'dpkg:4')),
    (clair.create_exception('CVE-2031-0002', 'zlib has none', package => 'zlib')),
    (clair.create_exception('CVE-2031-0009', 'unknown')),
    (clair.create_exception('GHSA-1', 'ended'))) AS made;
SELECT clair.end_exception(id) FROM clair.exception WHERE reason = 'ended';
SELECT reason, findings FROM pg_temp.covered ORDER BY reason;
SELECT reason, why FROM clair.stale_exception ORDER BY reason;
SELECT vulnerability, feature, exception FROM clair.vulnerabilities('shop:1') WHERE vulnerability IS NOT NULL
ORDER BY vulnerability, feature;

-- What has expired covers nothing
UPDATE clair.exception SET expires_at = now() WHERE reason IN ('lasts', 'first');
SELECT reason, findings FROM pg_temp.covered ORDER BY reason;
SELECT reason, why FROM clair.stale_exception WHERE reason IN ('first', 'lasts', 'later') ORDER BY reason;

-- What cannot be
\set ON_ERROR_STOP off
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'is not';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT call, pg_temp.refused(format('SELECT clair.create_exception(%s)', call))
FROM unnest(ARRAY[
    $$NULL, 'x'$$,
    $$' ', 'x'$$,
    $$'x', NULL$$,
    $$'x', ''$$,
    $$'x', 'x', expires_at => now()$$,
    $$'x', 'x', expires_at => '-infinity'$$,
    $$'x', 'x', version => 'dpkg:1'$$,
    $$'x', 'x', architecture => 'amd64'$$,
    $$'x', 'x', kind => NULL$$,
    $$'x', 'x', kind => 'other'$$,
    $$'x', 'x', justification => 'component_not_present'$$,
    $$'x', 'x', kind => 'not_affected', justification => 'because'$$,
    $$'x', 'x', kind => 'not_affected', justification => 'component_not_present'$$,
    $$'x', 'x', image => 'sha256:12'$$,
    $$'x', 'x', image => '0'$$
]) AS call;
SELECT pg_temp.refused('SELECT clair.end_exception(-1)'), clair.end_exception(NULL);
ROLLBACK;
