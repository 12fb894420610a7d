--
-- Proves that detectors find features in files of images: what they may be, what becomes of their
-- files in merged layers, of their errors, and of them when they change.
--
\set ON_ERROR_STOP on
\set abs_srcdir `echo "$PG_ABS_SRCDIR"`
\set archive :abs_srcdir '/test/fixtures/archive.sql'
SET client_min_messages = warning;
\i :archive
RESET client_min_messages;
CREATE SCHEMA detect;

-- A distribution of Python, as pip installs it.
CREATE FUNCTION pg_temp.dist(name text, version text, folder text DEFAULT 'usr/lib/python3/dist-packages')
RETURNS bytea
LANGUAGE sql
AS $$
    SELECT pg_temp.file(format('%s/%s-%s.dist-info/METADATA', folder, name, version),
        format(E'Metadata-Version: 2.1\nName: %s\nVersion: %s\n\nVersion: of the text\n', name, version))
$$;
CREATE FUNCTION pg_temp.features(image text)
RETURNS TABLE (namespace text, name text, version text, layer integer, database_path text)
LANGUAGE sql
AS $$
    SELECT f.namespace, f.name, f.version, part.position, f.database_path
    FROM clair.image_feature AS f
        LEFT JOIN clair.image_layer AS part ON part.image_id = f.image_id AND part.layer = f.introduced_by
    WHERE f.image_id = clair.image_id($1)
    ORDER BY f.namespace COLLATE "C", f.name COLLATE "C", f.version COLLATE "C", f.database_path COLLATE "C"
$$;
CREATE FUNCTION pg_temp.problems(image text)
RETURNS TABLE (place text, reason text)
LANGUAGE sql
AS $$ SELECT place, left(reason, 80) FROM clair.image_problem WHERE image_id = clair.image_id($1) ORDER BY number $$;
CREATE FUNCTION pg_temp.to_reindex()
RETURNS TABLE (image text, layers bigint, role text, change text)
LANGUAGE sql
AS $$
    SELECT n.name, count(*), r.role, r.change
    FROM clair.images_to_reindex AS r JOIN clair.image_name AS n ON n.image_id = r.image_id
    WHERE n.name LIKE 'detect:%'
    GROUP BY 1, 3, 4
    ORDER BY n.name COLLATE "C", r.role COLLATE "C"
$$;

-- Each call is noticed.
CREATE FUNCTION detect.notice(path text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE NOTICE '%', regexp_replace(path, '^.*/([^/]+/[^/]+/[^/]+)$', '.../\1');
    RETURN true;
END
$$;
CREATE FUNCTION detect.python(path text, content bytea)
RETURNS TABLE (name text, version text)
LANGUAGE sql
BEGIN ATOMIC
    SELECT lower(substring(head, '(?n)^Name: *(\S+)')), substring(head, '(?n)^Version: *(\S+)')
    FROM split_part(convert_from(content, 'UTF8'), E'\n\n', 1) AS head
    WHERE detect.notice(path);
END;

--
-- What may be a detector
--
\set ON_ERROR_STOP off
SELECT clair.create_detector('python', 'detect.python(text)', '{a}', 'dpkg');
SELECT clair.create_detector('Python', 'detect.python(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('', 'detect.python(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{a,NULL}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{/usr/lib/x}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{usr/lib**}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{"usr/lib/?"}', 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', array_fill('a'::text, '{33}'), 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', ARRAY[repeat('a', 513)], 'dpkg');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{a}', 'pep440');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{a}', 'dpkg', 'python');
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{a}', NULL);
SELECT clair.create_detector('python', 0, '{a}', 'dpkg');
SELECT clair.create_detector('python', 'lower(text)', '{a}', 'dpkg');
CREATE FUNCTION detect.one_row(text, bytea, OUT name text, OUT version text) LANGUAGE sql AS $$ SELECT 'a', '1' $$;
CREATE FUNCTION detect.no_row(text, bytea) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'a' $$;
CREATE FUNCTION detect.any_row(text, bytea) RETURNS SETOF record LANGUAGE sql AS $$ SELECT 'a', 'b' $$;
CREATE FUNCTION detect.wrong_row(text, bytea) RETURNS TABLE (name text, version text, versoin text)
    LANGUAGE sql AS $$ SELECT 'a', 'b', 'c' $$;
CREATE FUNCTION detect.short_row(text, bytea) RETURNS TABLE (name text, source_name text)
    LANGUAGE sql AS $$ SELECT 'a', 'b' $$;
SELECT clair.create_detector('python', 'detect.one_row(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('python', 'detect.no_row(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('python', 'detect.any_row(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('python', 'detect.wrong_row(text, bytea)', '{a}', 'dpkg');
SELECT clair.create_detector('python', 'detect.short_row(text, bytea)', '{a}', 'dpkg');
SELECT clair.alter_detector('python', 'detect.python(text, bytea)');
SELECT clair.drop_detector('python');
\set ON_ERROR_STOP on
SELECT count(*) FROM clair.detector;

--
-- Features of files, beside those of a package database
--
SELECT status, features FROM clair.index_image(pg_temp.docker('detect:old', pg_temp.tar(
    pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')),
    pg_temp.dist('Flask', '2.2.2'))));
SELECT clair.create_detector('python', 'detect.python(text, bytea)',
    '{usr/lib/python3/dist-packages/*.dist-info/METADATA,opt/**/METADATA}', 'dpkg', 'python:3');
SELECT name, role, function, paths, format, namespace, image_namespace, owner = current_user AS is_own
FROM clair.detector;

-- An image that was read before lacks what the detector would find, and says so
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.features('detect:old');
SELECT namespace, status, layers_read, databases, features FROM clair.index_image(pg_temp.docker('detect:old',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')),
    pg_temp.dist('Flask', '2.2.2'))));
SELECT * FROM pg_temp.to_reindex();
SELECT * FROM pg_temp.features('detect:old');

-- The same file in another layer, of another image, is not read again; one at another path is
SELECT status, features FROM clair.index_image(pg_temp.docker('detect:other', pg_temp.tar(
    pg_temp.dist('Flask', '2.2.2'), pg_temp.dist('Flask', '2.2.2', 'opt/app/lib'),
    pg_temp.dist('Flask', '2.2.2', 'srv'))));
SELECT * FROM pg_temp.features('detect:other');

--
-- Layers: files that are replaced, removed, hidden and there again
--
SELECT layers, databases, features FROM clair.index_image(pg_temp.docker('detect:layers',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')),
        pg_temp.dist('replaced', '1'), pg_temp.dist('removed', '1'), pg_temp.dist('kept', '1'),
        pg_temp.dist('hidden', '1', 'opt/a'), pg_temp.dist('opaque', '1', 'opt/b'),
        pg_temp.dist('again', '1', 'opt/c'), pg_temp.dist('filed', '1')),
    pg_temp.tar(
        pg_temp.file('usr/lib/python3/dist-packages/replaced-1.dist-info/METADATA', E'Name: replaced\nVersion: 2\n'),
        pg_temp.file('usr/lib/python3/dist-packages/.wh.removed-1.dist-info', ''),
        pg_temp.file('usr/lib/python3/dist-packages/filed-1.dist-info', 'no folder any more'),
        pg_temp.file('opt/.wh.a', ''), pg_temp.file('opt/b/.wh..wh..opq', ''),
        pg_temp.file('opt/c/again-1.dist-info/.wh.METADATA', '')),
    pg_temp.tar(pg_temp.dist('again', '1', 'opt/c'), pg_temp.dist('kept', '1'), pg_temp.dist('new', '1'))));
SELECT * FROM pg_temp.features('detect:layers');
SELECT f.name, f.version, last.position AS last_in, remover.position AS removed_by
FROM clair.removed_feature AS f
    JOIN clair.image_layer AS last ON last.image_id = f.image_id AND last.layer = f.last_in
    JOIN clair.image_layer AS remover ON remover.image_id = f.image_id AND remover.layer = f.removed_by
WHERE f.image_id = clair.image_id('detect:layers')
ORDER BY 1;

-- Layer by layer it is the same
SELECT features FROM clair.index_layer('detect:stack-1', pg_temp.tar(pg_temp.dist('a', '1'), pg_temp.dist('b', '1')));
SELECT features FROM clair.index_layer('detect:stack-2',
    pg_temp.tar(pg_temp.file('usr/lib/python3/dist-packages/.wh.a-1.dist-info', ''), pg_temp.dist('c', '1')),
    'detect:stack-1');
SELECT * FROM pg_temp.features('detect:stack-2');

--
-- Several detectors for a file, one of which is a package database; all columns
--
CREATE FUNCTION detect.stanzas(path text, content bytea)
RETURNS TABLE (vendor text, name text, version text, source_name text, source_version text,
    architecture text, module text, license text)
LANGUAGE sql STABLE
AS $$
    SELECT 'a vendor', 'x-' || (regexp_match(s, 'Package: (\S+)'))[1], '2-1', 'source', '3-1', 'amd64', 'm:1', 'MIT'
    FROM regexp_split_to_table(convert_from(content, 'UTF8'), E'\n\n') AS s
    WHERE s <> ''
$$;
CREATE FUNCTION detect.paths(path text, content bytea)
RETURNS TABLE (name text, version text)
LANGUAGE sql STABLE
AS $$ VALUES (path, length(content)::text), (path, length(content)::text), ('twice', '1') $$;
SELECT clair.create_detector('stanzas', 'detect.stanzas(text, bytea)', '{var/lib/dpkg/status}', 'rpm');
SELECT clair.create_detector('paths', 'detect.paths(text, bytea)', '{var/lib/dpkg/*,opt/*}', 'apk', 'path:1', 'debian:%');
SELECT namespace, status, layers_read, databases, features FROM clair.index_image(pg_temp.docker('detect:several',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2')),
        pg_temp.file('opt/empty', ''))));
SELECT * FROM pg_temp.features('detect:several');
SELECT name, version_key, source_name, source_version_key, architecture, module, vendor, license
FROM clair.image_feature
WHERE image_id = clair.image_id('detect:several') AND name = 'x-bash';
SELECT count(*) FROM clair.feature_introduction WHERE image_id = clair.image_id('detect:several');

-- What is removed is removed for all of them
SELECT databases, features FROM clair.index_image(pg_temp.docker('detect:none',
    pg_temp.tar(pg_temp.debian(), pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))),
    pg_temp.tar(pg_temp.file('var/lib/dpkg/.wh.status', ''))));

-- One that is for images of some namespaces says nothing of others, until they are of these
SELECT clair.set_namespace('detect:several', 'ubuntu:22.04');
SELECT * FROM pg_temp.features('detect:several');
SELECT clair.set_namespace('detect:several', NULL);
SELECT count(*) FROM pg_temp.features('detect:several');

-- An image that has nothing else has no package database
SELECT namespace, status, databases FROM clair.index_image(pg_temp.docker('detect:bare',
    pg_temp.tar(pg_temp.dist('alone', '1'))));

-- What is found is matched as other features are, and that nothing is known is said
BEGIN;
INSERT INTO clair.vulnerability (updater, record, name, digest, since_run)
VALUES ('debian', 'flask', 'CVE-2031-0900', 'x', 1);
INSERT INTO clair.affected (vulnerability_id, number, namespace, kind, package, introduced, fixed, status, severity)
SELECT id, 1, 'python:3', 'binary', 'flask', '-infinity', 'dpkg:2.2.5', 'fixed', 'High'
FROM clair.vulnerability WHERE name = 'CVE-2031-0900';
SELECT namespace, feature, installed_version, vulnerability, fixed_in, status
FROM clair.vulnerabilities('detect:old')
ORDER BY feature, namespace COLLATE "C";
SELECT names, namespace, feature, installed_version FROM clair.affected_images('CVE-2031-0900') ORDER BY names;
SELECT clair.report('detect:old', 'sarif')::jsonb
    #>> '{runs,0,results,0,locations,0,physicalLocation,artifactLocation,uri}' AS file;
SELECT component ->> 'purl' AS purl, component #>> '{evidence,occurrences,0,location}' AS file
FROM jsonb_array_elements(clair.export_sbom('detect:old') -> 'components') AS component
WHERE component ->> 'name' = 'flask';
SELECT purl FROM clair.report_package(clair.image_id('detect:old')) WHERE feature = 'flask';
ROLLBACK;

--
-- What detectors do wrong
--
CREATE FUNCTION detect.wrong(path text, content bytea)
RETURNS TABLE (name text, version text, source_version text)
LANGUAGE plpgsql
AS $$
DECLARE
    what text := convert_from(content, 'UTF8');
BEGIN
    RETURN QUERY SELECT 'first', '1', NULL;
    IF what = 'raise' THEN
        RAISE EXCEPTION 'this file has %', repeat('an error ', 100);
    ELSIF what = 'slow' THEN
        PERFORM pg_sleep(60);
    ELSIF what = 'role' THEN
        SET LOCAL ROLE pg_monitor;
    ELSIF what = 'temporary' THEN
        CREATE TEMPORARY TABLE detector_was_here (x integer);
    ELSIF what = 'write' THEN
        INSERT INTO detect.written VALUES (path);
    ELSIF what = 'leave' THEN
        PERFORM set_config('detect.was_here', 'yes', false);
        PERFORM pg_advisory_xact_lock(1668047000);
    ELSIF what = 'name' THEN
        RETURN QUERY SELECT * FROM (VALUES ('', '1', NULL), (NULL, '1', NULL), (repeat('x', 513), '1', '')) AS v;
    ELSIF what = 'version' THEN
        RETURN QUERY SELECT 'no-version', NULL, NULL;
    ELSIF what = 'source' THEN
        RETURN QUERY SELECT 'no-source', '1', '';
    ELSIF what = 'invalid' THEN
        RETURN QUERY SELECT * FROM (VALUES ('invalid', 'not a version', NULL), ('of-source', '1', '-')) AS v;
    ELSIF what = 'many' THEN
        RETURN QUERY SELECT 'n' || n, '1', NULL FROM generate_series(1, 200) AS n;
    ELSIF what = 'whole' THEN
        RAISE EXCEPTION USING ERRCODE = 'query_canceled', MESSAGE = 'cancelled by the function';
    ELSIF what = 'serialization' THEN
        RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'could not serialize';
    END IF;
END
$$;
CREATE TABLE detect.written (path text);
SELECT clair.create_detector('wrong', 'detect.wrong(text, bytea)', '{wrong/*}', 'dpkg', 'wrong:1');
SET clair.detector_timeout = '200ms';
SET clair.max_features = 100;
SELECT namespace, status, layers_read FROM clair.index_image(pg_temp.docker('detect:wrong',
    (SELECT pg_temp.tar(VARIADIC pg_temp.debian()
        || pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('bash 5.2'))
        || array_agg(pg_temp.file('wrong/' || what, what)))
     FROM unnest('{good,raise,slow,role,temporary,write,leave,name,version,source,invalid,many}'::text[]) AS what)));
RESET clair.max_features;
RESET clair.detector_timeout;
SELECT * FROM pg_temp.problems('detect:wrong');
SELECT * FROM pg_temp.features('detect:wrong') WHERE namespace = 'wrong:1';
SELECT current_user = session_user AS is_itself, current_setting('detect.was_here', true) AS was_here,
    (SELECT count(*) FROM detect.written) AS written,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1668047000) AS locks;

-- What is not the function's fault is the statement's
\set ON_ERROR_STOP off
\set SHOW_CONTEXT never
SELECT status FROM clair.index_image(pg_temp.docker('detect:cancelled', pg_temp.tar(pg_temp.file('wrong/x', 'whole'))));
SELECT status FROM clair.index_image(pg_temp.docker('detect:cancelled', pg_temp.tar(pg_temp.file('wrong/x', 'serialization'))));
SET statement_timeout = '300ms';
SELECT status FROM clair.index_image(pg_temp.docker('detect:cancelled', pg_temp.tar(pg_temp.file('wrong/x', 'slow'))));
RESET statement_timeout;
\set ON_ERROR_STOP on
\set SHOW_CONTEXT errors

-- A function that is not there any more, and files that are no files
DROP FUNCTION detect.paths;
SELECT status FROM clair.index_image(pg_temp.docker('detect:gone', pg_temp.tar(pg_temp.debian(),
    pg_temp.file('var/lib/dpkg/status', pg_temp.dpkg_status('zlib 1')),
    pg_temp.member('opt/hard', '', '1', 'srv/x'), pg_temp.link('opt/soft', 'hard'), pg_temp.folder('opt/folder'),
    pg_temp.member('opt/hidden', '', '1', 'srv/y')), pg_temp.tar(pg_temp.file('opt/.wh.hidden', ''))));
SELECT * FROM pg_temp.problems('detect:gone');

--
-- Detectors that change
--
CREATE OR REPLACE FUNCTION detect.python(path text, content bytea)
RETURNS TABLE (name text, version text)
LANGUAGE sql
BEGIN ATOMIC
    SELECT 'changed-' || lower(substring(head, '(?n)^Name: *(\S+)')), '9'
    FROM split_part(convert_from(content, 'UTF8'), E'\n\n', 1) AS head
    WHERE detect.notice(path);
END;
SELECT * FROM pg_temp.to_reindex() WHERE image IN ('detect:bare', 'detect:stack-2');
SELECT clair.alter_detector('python');
SELECT * FROM pg_temp.to_reindex() WHERE image IN ('detect:bare', 'detect:stack-2');
SELECT layers_read FROM clair.index_image(pg_temp.docker('detect:bare', pg_temp.tar(pg_temp.dist('alone', '1'))));
SELECT * FROM pg_temp.features('detect:bare');
SELECT layers_read FROM clair.index_image(pg_temp.docker('detect:bare', pg_temp.tar(pg_temp.dist('alone', '1'))));
SELECT * FROM pg_temp.to_reindex() WHERE image IN ('detect:bare', 'detect:stack-2');
SELECT clair.alter_detector('python', paths => '{opt/**}', namespace => '', format => 'apk', image_namespace => 'debian:%');
SELECT function, paths, format, namespace, image_namespace FROM clair.detector WHERE name = 'python';

-- One that is dropped leaves nothing, and one of its name knows nothing of it
SELECT clair.drop_detector('wrong');
SELECT status FROM clair.image WHERE id = clair.image_id('detect:wrong');
SELECT * FROM pg_temp.problems('detect:wrong');
SELECT * FROM pg_temp.features('detect:wrong');
SELECT clair.drop_detector(name) FROM clair.detector ORDER BY name;
SELECT * FROM pg_temp.features('detect:layers');
SELECT * FROM pg_temp.features('detect:several');
SELECT * FROM pg_temp.problems('detect:gone');
SELECT (SELECT count(*) FROM clair.package_database WHERE format LIKE 'detector:%') AS databases,
    (SELECT count(*) FROM clair.layer_entry WHERE role LIKE 'detector:%') AS entries,
    (SELECT count(*) FROM pg_temp.to_reindex()) AS to_reindex;
SELECT clair.create_detector('python', 'detect.python(text, bytea)', '{opt/**}', 'dpkg');
SELECT count(*) > 0 AS all_of_them FROM pg_temp.to_reindex();
\set ON_ERROR_STOP off
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT clair.drop_detector('python');
ROLLBACK;
\set ON_ERROR_STOP on
SELECT clair.drop_detector('python');

-- Tidy up
SELECT count(clair.delete_image(name)) FROM clair.image_name WHERE name LIKE 'detect:%' AND name <> 'detect:stack-2';
SELECT clair.collect_garbage() IS NOT NULL AS collected;
SET client_min_messages = warning;
DROP SCHEMA detect CASCADE;
