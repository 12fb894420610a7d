--
-- Proves which namespace the release files of an image give, and which of them goes first.
--
CREATE FUNCTION pg_temp.namespace_of(VARIADIC facts text[])
RETURNS text
LANGUAGE sql
AS $$
    SELECT clair.namespace_of(array_agg(split_part(f, '|', 1)), array_agg(split_part(f, '|', 2)),
        array_agg(split_part(f, '|', 3)))
    FROM unnest(facts) AS f
$$;

-- os-release says it outright
SELECT what, pg_temp.namespace_of(VARIADIC facts)
FROM (VALUES
    ('debian', ARRAY['os-release|id|debian', 'os-release|version_id|12']),
    ('debian with a point release', ARRAY['os-release|id|debian', 'os-release|version_id|12.5']),
    ('ubuntu', ARRAY['os-release|id|ubuntu', 'os-release|version_id|22.04']),
    ('alpine', ARRAY['os-release|id|alpine', 'os-release|version_id|3.20.3']),
    ('alpine of two digits', ARRAY['os-release|id|alpine', 'os-release|version_id|3.9.6']),
    ('alpine edge by its name', ARRAY['os-release|id|alpine', 'os-release|version_id|3.23.0',
        'os-release|pretty_name|Alpine Linux edge']),
    ('alpine edge by its version', ARRAY['os-release|id|alpine', 'os-release|version_id|3.23_alpha20250612']),
    ('capitals', ARRAY['os-release|id|Debian', 'os-release|version_id|11']),
    ('another', ARRAY['os-release|id|fedora', 'os-release|version_id|42']),
    ('an alpine version that is none', ARRAY['os-release|id|alpine', 'os-release|version_id|latest']),
    ('empty', ARRAY['os-release|id|', 'os-release|version_id|'])
) AS v(what, facts);

-- Debian's testing and unstable say the same of themselves: apt's suites tell them apart
SELECT what, pg_temp.namespace_of(VARIADIC facts || ARRAY['os-release|id|debian',
    'os-release|version_codename|forky', 'os-release|pretty_name|Debian GNU/Linux forky/sid',
    'debian_version|version|forky/sid'])
FROM (VALUES
    ('nothing', ARRAY[]::text[]),
    ('sid', ARRAY['apt-sources|suite.1|sid']),
    ('unstable', ARRAY['apt-sources|suite.1|unstable']),
    ('forky', ARRAY['apt-sources|suite.1|forky', 'apt-sources|suite.2|forky-updates',
        'apt-sources|suite.3|forky-security']),
    ('testing', ARRAY['apt-sources|suite.1|testing']),
    ('security suite in the old form', ARRAY['apt-sources|suite.1|trixie/updates'])
) AS v(what, facts);
SELECT pg_temp.namespace_of('os-release|id|debian', 'os-release|version_codename|trixie',
    'os-release|pretty_name|Debian GNU/Linux trixie') AS "codename alone";

-- Without os-release, the other files in their order
SELECT what, pg_temp.namespace_of(VARIADIC facts)
FROM (VALUES
    ('lsb-release', ARRAY['lsb-release|distrib_id|Ubuntu', 'lsb-release|distrib_release|14.04',
        'debian_version|version|jessie/sid']),
    ('alpine-release', ARRAY['alpine-release|version|3.4.6']),
    ('alpine-release of edge', ARRAY['alpine-release|version|3.23_alpha20250612']),
    ('debian_version', ARRAY['debian_version|version|8.11']),
    ('debian_version of unstable', ARRAY['debian_version|version|trixie/sid']),
    ('apt of ubuntu', ARRAY['apt-sources|suite.1|jammy-security', 'debian_version|version|bookworm/sid']),
    ('nothing that is known', ARRAY['apt-sources|suite.1|stable'])
) AS v(what, facts);

-- Nothing at all
SELECT clair.namespace_of('{}', '{}', '{}') IS NULL AS unknown, clair.namespace_of(NULL, NULL, NULL) IS NULL AS none;
