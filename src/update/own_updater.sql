/*
 * Updaters of the user's own: any source in a format that several sources share, or a function of
 * the database.
 *
 * Formats and their options come with the extension and are not dumped; what users make of them
 * is. All that runs, shows and matches goes by clair.updater_definition, which has both kinds of
 * updaters, as they are set.
 */
CREATE TABLE clair.updater_format (
    name text COLLATE "C" PRIMARY KEY,
    title text NOT NULL,
    document text NOT NULL,
    resolves boolean NOT NULL,
    by_repository boolean NOT NULL,
    revision integer NOT NULL
);
COMMENT ON TABLE clair.updater_format IS 'the formats that clair.create_updater() takes';
COMMENT ON COLUMN clair.updater_format.name IS 'name of the format';
COMMENT ON COLUMN clair.updater_format.title IS 'what it is';
COMMENT ON COLUMN clair.updater_format.document IS 'name of the first document';
COMMENT ON COLUMN clair.updater_format.resolves IS 'as in clair.builtin_updater';
COMMENT ON COLUMN clair.updater_format.by_repository IS 'as in clair.builtin_updater';
COMMENT ON COLUMN clair.updater_format.revision IS 'as in clair.builtin_updater';

INSERT INTO clair.updater_format (name, title, document, resolves, by_repository, revision)
VALUES
    ('osv', 'records of the Open Source Vulnerability format: archives, JSON, folders, osv.dev''s exports',
     'osv', true, false, 1),
    ('csaf', 'CSAF documents on packages: JSON, an archive of such, or a list or the listing of a folder',
     'csaf', true, false, 1),
    ('oval', 'OVAL definitions of rpm or dpkg packages: XML, or the listing of a folder of such',
     'index', true, false, 1),
    ('secdb', 'security database of apk packages: JSON, as Alpine, Wolfi and Chainguard have it',
     'secdb', false, false, 1),
    ('updateinfo', 'updates of rpm packages: updateinfo.xml, or a repository that has it', 'index',
     true, false, 1);

CREATE TABLE clair.updater_option (
    format text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    type text NOT NULL CHECK (type IN ('text', 'list', 'map', 'number', 'interval')),
    pattern text NOT NULL,
    expected text NOT NULL,
    required boolean NOT NULL DEFAULT false,
    covers boolean NOT NULL DEFAULT false,
    description text NOT NULL,
    PRIMARY KEY (format, name)
);
COMMENT ON TABLE clair.updater_option IS 'the options that updaters have';
COMMENT ON COLUMN clair.updater_option.format IS
    'the format whose updaters have it; empty: all updaters have it';
COMMENT ON COLUMN clair.updater_option.name IS 'name of the option';
COMMENT ON COLUMN clair.updater_option.type IS
    'in JSON: text; list of texts; map from texts to texts; number; or interval, a text';
COMMENT ON COLUMN clair.updater_option.pattern IS
    'regular expression that each of its texts, or the number, must match';
COMMENT ON COLUMN clair.updater_option.expected IS 'what it is, for who got it wrong';
COMMENT ON COLUMN clair.updater_option.required IS 'whether it must be given';
COMMENT ON COLUMN clair.updater_option.covers IS
    'whether its texts are namespaces: those that the updater covers';
COMMENT ON COLUMN clair.updater_option.description IS 'what it is for';

INSERT INTO clair.updater_option
    (format, name, type, pattern, expected, required, covers, description)
VALUES
    ('', 'hosts', 'list', '^[[:alnum:]._-]+$', 'an array of names of hosts', false, false,
     'further hosts that may be asked'),
    ('', 'max_shrinkage', 'number', '^([0-9]|[1-9][0-9]|100)$', 'a number from 0 to 100', false,
     false, 'in place of clair.max_shrinkage'),
    ('', 'namespaces', 'list', '^[^:]+:.+$', 'an array of patterns of namespaces', false, true,
     'LIKE patterns of the namespaces that it covers, in place of all that it speaks of; none: it only adds to what others say'),
    ('', 'parallel', 'number', '^([1-9]|1[0-6])$', 'a number from 1 to 16', false, false,
     'in place of clair.fetch_parallel'),
    ('', 'proxy', 'text', '^[^@]*$', 'a URL without a user name, which would be seen; that of clair.fetch_proxy may have one', false,
     false, 'in place of clair.fetch_proxy'),
    ('', 'stale_after', 'interval', '', 'an interval', false, false,
     'age from which on what it says is stale'),
    ('', 'title', 'text', '^.{1,200}$', 'a text of 1 to 200 characters', false, false,
     'what it tracks'),
    ('', 'user_agent', 'text', '', 'a text', false, false, 'in place of clair.fetch_user_agent'),
    ('osv', 'ecosystems', 'map', '', 'a map of names of ecosystems and namespaces', false, true,
     'the distribution releases that packages of these ecosystems are of, in place of what the names say'),
    ('osv', 'link', 'text', '^https?://', 'the beginning of a URL', false, false,
     'what stands before a record''s id in its link; else it is the advisory that the record refers to'),
    ('csaf', 'link', 'text', '^https?://', 'the beginning of a URL', false, false,
     'what stands before a CVE in its link'),
    ('csaf', 'namespace', 'text', '', 'a namespace', false, true,
     'the distribution release that packages are of whose platform is not among platforms'),
    ('csaf', 'platforms', 'map', '', 'a map from platforms to namespaces', false, true,
     'by a platform''s product id or CPE, or, with * at the end, what these begin with: the distribution release that its packages are of'),
    ('oval', 'kind', 'text', '^(binary|source)$', 'binary or source', false, false,
     'what its packages are: binary packages, unless it is given'),
    ('oval', 'namespace', 'text', '', 'a namespace', true, true,
     'the distribution release that its packages are of'),
    ('oval', 'releases', 'map', '', 'a map from criteria to namespaces', false, true,
     'where documents are about several releases: by the comment of a criterion, the release that it asks for'),
    ('secdb', 'link', 'text', '^https?://', 'the beginning of a URL', false, false,
     'what stands before a vulnerability''s name in its link'),
    ('secdb', 'namespace', 'text', '', 'a namespace', true, true,
     'the distribution release that its packages are of'),
    ('updateinfo', 'link', 'text', '^https?://', 'the beginning of a URL', false, false,
     'what stands before an update''s id in its link'),
    ('updateinfo', 'namespace', 'text', '', 'a namespace', true, true,
     'the distribution release that its packages are of'),
    ('updateinfo', 'repositories', 'list', '^\S+$', 'an array of CPEs or namespaces', false, false,
     'CPEs of the repositories that images must have for it to be about them; a namespace stands for images of it whose repositories are unknown');

CREATE TABLE clair.own_updater (
    name text COLLATE "C" PRIMARY KEY,
    format text COLLATE "C" NOT NULL,
    url text,
    function text,
    namespaces text[] NOT NULL,
    options jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((url IS NULL) = (format = 'sql') AND (function IS NULL) = (format <> 'sql'))
);
COMMENT ON TABLE clair.own_updater IS
    'updaters as clair.create_updater() made them; what was changed since then is in clair.updater_setting';
COMMENT ON COLUMN clair.own_updater.name IS 'name of the updater';
COMMENT ON COLUMN clair.own_updater.format IS
    'format of its documents, see clair.updater_format; or sql: it is a function';
COMMENT ON COLUMN clair.own_updater.url IS 'where its first document is';
COMMENT ON COLUMN clair.own_updater.function IS 'the function, with its schema';
COMMENT ON COLUMN clair.own_updater.namespaces IS
    'LIKE patterns of the namespaces that it covers, as its options say';
COMMENT ON COLUMN clair.own_updater.options IS 'options, see clair.updater_option';
COMMENT ON COLUMN clair.own_updater.set_by IS
    'the role that made it: files are read with its rights, and a function runs as it';
COMMENT ON COLUMN clair.own_updater.set_at IS 'when';

SELECT pg_catalog.pg_extension_config_dump('clair.own_updater', '');

-- Autovacuum leaves so few rows alone, and a planner that takes them for hundreds thinks views of
-- them expensive enough to be compiled.
ANALYZE clair.updater_format, clair.updater_option, clair.own_updater;

CREATE FUNCTION clair.covered_namespaces(format text, options jsonb)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ARRAY(
        SELECT said.value #>> '{}'
        FROM clair.updater_option AS p
            CROSS JOIN LATERAL pg_catalog.jsonb_path_query(options -> p.name, 'strict $.**') AS said(value)
        WHERE p.format = CASE WHEN options ? 'namespaces' THEN '' ELSE covered_namespaces.format END
            AND p.covers
            AND pg_catalog.jsonb_typeof(said.value) = 'string'
        ORDER BY 1
    )
    WHERE options IS NOT NULL AND (covered_namespaces.format IS NOT NULL OR options ? 'namespaces');
END;
COMMENT ON FUNCTION clair.covered_namespaces(text, jsonb) IS
    'LIKE patterns of the namespaces that an updater of a format covers with these options; null when these leave that to what the extension brings';
REVOKE ALL ON FUNCTION clair.covered_namespaces(text, jsonb) FROM PUBLIC;

-- A version to come may bring an updater of the name of one that a user has made: that one stays.
CREATE VIEW clair.updater_definition AS
SELECT
    d.name,
    COALESCE(o.options ->> 'title', d.title) AS title,
    d.format,
    COALESCE(s.url, d.url) AS url,
    d.function,
    CASE WHEN s.url IS NULL THEN d.set_by ELSE s.set_by END AS set_by,
    d.document,
    COALESCE(s.namespaces, d.namespaces) AS namespaces,
    d.hosts,
    COALESCE(s.enabled, d.enabled) AS enabled,
    o.options,
    COALESCE((o.options ->> 'stale_after')::interval, d.stale_after) AS stale_after,
    d.resolves,
    d.by_repository,
    d.appends,
    CASE
        WHEN d.format IS NULL THEN d.revision
        ELSE pg_catalog.hashtextextended(
            (o.options - ARRAY(SELECT p.name FROM clair.updater_option AS p WHERE p.format = ''))::text,
            d.revision
        )
    END AS revision
FROM (
    SELECT b.name, b.title, NULL AS format, b.url, NULL AS function, NULL AS set_by, b.document, b.namespaces,
        b.hosts, b.enabled, '{}'::jsonb AS options, b.stale_after, b.resolves, b.by_repository,
        b.namespaces = '{}' AS appends, b.revision
    FROM clair.builtin_updater AS b
    WHERE NOT EXISTS (SELECT FROM clair.own_updater AS u WHERE u.name = b.name)
    UNION ALL
    SELECT u.name, COALESCE(f.title, 'function ' || u.function), u.format, u.url, u.function, u.set_by,
        COALESCE(f.document, 'function'), u.namespaces, '{}', true, u.options, '2 days', COALESCE(f.resolves, false),
        COALESCE(f.by_repository, false), false, COALESCE(f.revision, 1)
    FROM clair.own_updater AS u
        LEFT JOIN clair.updater_format AS f ON f.name = u.format
) AS d
    LEFT JOIN clair.updater_setting AS s ON s.name = d.name
    CROSS JOIN LATERAL (SELECT COALESCE(s.options, d.options) AS options) AS o;
COMMENT ON VIEW clair.updater_definition IS
    'all updaters as they are set: the columns of clair.builtin_updater, or what stands for these in updaters of the user''s own';

CREATE FUNCTION clair.check_updater_options(format text, options jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    option record;
    unknown text;
    missing record;
    ignored interval;
BEGIN
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION 'options of an updater are a JSON object'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF octet_length(options::text) > 65536 THEN
        RAISE EXCEPTION 'options of an updater are larger than 64 kB'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    FOR option IN
        SELECT o.key, o.value, p.*,
            CASE p.type
                WHEN 'list' THEN jsonb_typeof(o.value) = 'array'
                    AND NOT jsonb_path_exists(o.value, 'strict $[*] ? (@.type() != "string")')
                WHEN 'map' THEN jsonb_typeof(o.value) = 'object'
                    AND NOT jsonb_path_exists(o.value, 'strict $.* ? (@.type() != "string")')
                WHEN 'number' THEN jsonb_typeof(o.value) = 'number'
                ELSE jsonb_typeof(o.value) = 'string'
            END AS fits,
            ARRAY(
                SELECT t.value #>> '{}'
                FROM jsonb_path_query(o.value, 'strict $.**') AS t(value)
                WHERE jsonb_typeof(t.value) IN ('string', 'number')
            ) AS texts
        FROM jsonb_each(options) AS o
            LEFT JOIN clair.updater_option AS p
                ON p.name = o.key AND p.format IN ('', check_updater_options.format)
        ORDER BY o.key
    LOOP
        IF option.name IS NULL THEN
            RAISE EXCEPTION 'unknown option "%" of an updater', option.key
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = (
                        SELECT format('Options are: %s.', string_agg(p.name, ', ' ORDER BY p.name))
                        FROM clair.updater_option AS p
                        WHERE p.format IN ('', check_updater_options.format)
                    );
        ELSIF NOT option.fits OR EXISTS (SELECT FROM unnest(option.texts) AS t WHERE t !~ option.pattern) THEN
            RAISE EXCEPTION 'invalid value % of option "%"', option.value, option.key
                USING ERRCODE = 'invalid_parameter_value', HINT = format('It is %s.', option.expected);
        ELSIF option.type = 'interval' THEN
            ignored := option.texts[1];
        ELSIF option.covers THEN
            SELECT t INTO unknown
            FROM unnest(option.texts) AS t
            WHERE CASE
                WHEN option.format = '' THEN NOT EXISTS (
                    SELECT FROM clair.distribution AS d WHERE d.family = split_part(t, ':', 1)
                )
                ELSE NOT clair.is_namespace(t)
            END
            LIMIT 1;
            IF unknown IS NOT NULL THEN
                RAISE EXCEPTION 'namespace "%" of option "%" is not known', unknown, option.key
                    USING ERRCODE = 'invalid_parameter_value',
                        HINT = (
                            SELECT format(
                                'A namespace is a distribution and its release, such as debian:12. Distributions are: %s.',
                                string_agg(d.family, ', ' ORDER BY d.family)
                            )
                            FROM clair.distribution AS d
                        );
            END IF;
            -- CentOS, say, which has those of Red Hat Enterprise Linux: what is said of it would not be found.
            SELECT t INTO unknown
            FROM unnest(option.texts) AS t
            WHERE option.format <> '' AND clair.advisory_namespace(t) <> t
            LIMIT 1;
            IF unknown IS NOT NULL THEN
                RAISE EXCEPTION 'namespace "%" of option "%" has no advisories of its own', unknown, option.key
                    USING ERRCODE = 'invalid_parameter_value',
                        HINT = format('Its packages are looked up in "%s".', clair.advisory_namespace(unknown));
            END IF;
        END IF;
    END LOOP;
    SELECT p.name, p.expected, p.description INTO missing
    FROM clair.updater_option AS p
    WHERE p.format = check_updater_options.format AND p.required AND NOT options ? p.name
    ORDER BY p.name
    LIMIT 1;
    IF missing.name IS NOT NULL THEN
        RAISE EXCEPTION 'an updater of format "%" needs option "%"', format, missing.name
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format('It is %s: %s.', missing.expected, missing.description);
    END IF;
END
$$;
COMMENT ON FUNCTION clair.check_updater_options(text, jsonb) IS
    'refuses options that updaters of a format, or, given null, those that the extension brings, do not have';
REVOKE ALL ON FUNCTION clair.check_updater_options(text, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.create_updater(name text, url text, format text, options jsonb DEFAULT '{}')
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.create_updater(text, text, text, jsonb) IS
    'makes an updater of the caller''s own: documents at a URL, in a format of clair.updater_format, with options of clair.updater_option';
REVOKE ALL ON FUNCTION clair.create_updater(text, text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.create_updater(name text, function regprocedure, options jsonb DEFAULT '{}')
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'create_function_updater';
COMMENT ON FUNCTION clair.create_updater(text, regprocedure, jsonb) IS
    'makes an updater of the caller''s own: a function without arguments that returns a set of clair.advisory, run as the caller';
REVOKE ALL ON FUNCTION clair.create_updater(text, regprocedure, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.drop_updater(name text)
RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.drop_updater(text) IS
    'ends an updater of the user''s own: what it brought is withdrawn, and stays in the history; the number of vulnerabilities';
REVOKE ALL ON FUNCTION clair.drop_updater(text) FROM PUBLIC;
