/*
 * Namespaces: the distributions that are known, and which one an image is of.
 *
 * These rows come with the extension and are not dumped.
 */
CREATE TABLE clair.distribution (
    family text COLLATE "C" PRIMARY KEY,
    title text NOT NULL,
    format text NOT NULL CHECK (format IN ('dpkg', 'rpm', 'apk')),
    release_prefix text NOT NULL DEFAULT '',
    release_pattern text NOT NULL,
    rolling_name text,
    rolling_pattern text,
    advisories_of text COLLATE "C" REFERENCES clair.distribution,
    CHECK ((rolling_name IS NULL) = (rolling_pattern IS NULL))
);
COMMENT ON TABLE clair.distribution IS
    'the distributions that are known, and what of their versions is the release that a namespace names';
COMMENT ON COLUMN clair.distribution.family IS 'what stands before the colon of the namespace';
COMMENT ON COLUMN clair.distribution.title IS 'name for people';
COMMENT ON COLUMN clair.distribution.format IS 'format of its packages'' versions';
COMMENT ON COLUMN clair.distribution.release_prefix IS 'what stands between the colon and the release';
COMMENT ON COLUMN clair.distribution.release_pattern IS
    'regular expression for the release, at the start of a version';
COMMENT ON COLUMN clair.distribution.rolling_name IS
    'the release that has no version, if there is one: rolling, edge';
COMMENT ON COLUMN clair.distribution.rolling_pattern IS
    'regular expression for versions that mean that release';
COMMENT ON COLUMN clair.distribution.advisories_of IS
    'the distribution whose advisories speak of this one''s packages, release by release; null when it has its own';

INSERT INTO clair.distribution
    (family, title, format, release_prefix, release_pattern, rolling_name, rolling_pattern)
VALUES
    ('almalinux', 'AlmaLinux', 'rpm', '', '^\d+', NULL, NULL),
    ('alpine', 'Alpine Linux', 'apk', 'v', '^\d+\.\d+', 'edge', '_|^edge$'),
    ('amzn', 'Amazon Linux', 'rpm', '', '^201\d\.\d\d|^\d+', NULL, NULL),
    ('azurelinux', 'Azure Linux', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('bottlerocket', 'Bottlerocket', 'rpm', '', '^\d+', NULL, NULL),
    ('centos', 'CentOS Linux', 'rpm', '', '^\d+', NULL, NULL),
    ('centos-stream', 'CentOS Stream', 'rpm', '', '^\d+', NULL, NULL),
    ('chainguard', 'Chainguard OS', 'apk', '', '^$', 'rolling', '^'),
    ('debian', 'Debian', 'dpkg', '', '^\d+', NULL, NULL),
    ('fedora', 'Fedora Linux', 'rpm', '', '^\d+', NULL, NULL),
    ('leap-micro', 'openSUSE Leap Micro', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('mariner', 'CBL-Mariner', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('opensuse-leap', 'openSUSE Leap', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('opensuse-tumbleweed', 'openSUSE Tumbleweed', 'rpm', '', '^$', 'rolling', '^'),
    ('oracle', 'Oracle Linux', 'rpm', '', '^\d+', NULL, NULL),
    ('photon', 'Photon OS', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('rhel', 'Red Hat Enterprise Linux', 'rpm', '', '^\d+', NULL, NULL),
    ('rocky', 'Rocky Linux', 'rpm', '', '^\d+', NULL, NULL),
    ('sl-micro', 'SUSE Linux Micro', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('sle-micro', 'SUSE Linux Enterprise Micro', 'rpm', '', '^\d+\.\d+', NULL, NULL),
    ('sles', 'SUSE Linux Enterprise Server', 'rpm', '', '^\d+(?:\.\d+)?', NULL, NULL),
    ('ubuntu', 'Ubuntu', 'dpkg', '', '^\d+\.\d+', NULL, NULL),
    ('wolfi', 'Wolfi', 'apk', '', '^$', 'rolling', '^');

CREATE TABLE clair.distribution_name (
    name text COLLATE "C" PRIMARY KEY,
    family text COLLATE "C" NOT NULL REFERENCES clair.distribution
);
COMMENT ON TABLE clair.distribution_name IS
    'names by which release files know distributions: ids, titles, CPEs';
COMMENT ON COLUMN clair.distribution_name.name IS 'the name, in lower case';
COMMENT ON COLUMN clair.distribution_name.family IS 'the distribution';

INSERT INTO clair.distribution_name (name, family)
VALUES
    ('almalinux', 'almalinux'),
    ('almalinux:almalinux', 'almalinux'),
    ('alpine', 'alpine'),
    ('alpine linux', 'alpine'),
    ('amazon linux', 'amzn'),
    ('amazon linux ami', 'amzn'),
    ('amazon:amazon_linux', 'amzn'),
    ('amazon:linux', 'amzn'),
    ('amazonami', 'amzn'),
    ('amzn', 'amzn'),
    ('azurelinux', 'azurelinux'),
    ('bottlerocket', 'bottlerocket'),
    ('cbl-mariner', 'mariner'),
    ('centos', 'centos'),
    ('centos linux', 'centos'),
    ('centos stream', 'centos-stream'),
    ('centos-stream', 'centos-stream'),
    ('centos:centos', 'centos'),
    ('centos:linux', 'centos'),
    ('chainguard', 'chainguard'),
    ('common base linux mariner', 'mariner'),
    ('debian', 'debian'),
    ('debian gnu/linux', 'debian'),
    ('enterprise linux enterprise linux server', 'oracle'),
    ('fedora', 'fedora'),
    ('fedora linux', 'fedora'),
    ('fedoraproject:fedora', 'fedora'),
    ('leap-micro', 'leap-micro'),
    ('mariner', 'mariner'),
    ('microsoft azure linux', 'azurelinux'),
    ('ol', 'oracle'),
    ('opensuse', 'opensuse-leap'),
    ('opensuse leap', 'opensuse-leap'),
    ('opensuse tumbleweed', 'opensuse-tumbleweed'),
    ('opensuse-leap', 'opensuse-leap'),
    ('opensuse-microos', 'opensuse-tumbleweed'),
    ('opensuse-tumbleweed', 'opensuse-tumbleweed'),
    ('opensuse:leap', 'opensuse-leap'),
    ('opensuse:leap-micro', 'leap-micro'),
    ('oracle', 'oracle'),
    ('oracle linux server', 'oracle'),
    ('oracle:linux', 'oracle'),
    ('oracleserver', 'oracle'),
    ('photon', 'photon'),
    ('raspbian', 'debian'),
    ('raspbian gnu/linux', 'debian'),
    ('red hat enterprise linux', 'rhel'),
    ('red hat enterprise linux atomic host', 'rhel'),
    ('red hat enterprise linux client', 'rhel'),
    ('red hat enterprise linux computenode', 'rhel'),
    ('red hat enterprise linux server', 'rhel'),
    ('red hat enterprise linux workstation', 'rhel'),
    ('redhat:enterprise_linux', 'rhel'),
    ('redhatenterprise', 'rhel'),
    ('redhatenterpriseserver', 'rhel'),
    ('rhel', 'rhel'),
    ('rocky', 'rocky'),
    ('rocky linux', 'rocky'),
    ('rocky:rocky', 'rocky'),
    ('sl-micro', 'sl-micro'),
    ('sle-micro', 'sle-micro'),
    ('sle-micro-rancher', 'sle-micro'),
    ('sles', 'sles'),
    ('sles_sap', 'sles'),
    ('suse linux enterprise server', 'sles'),
    ('suse:sl-micro', 'sl-micro'),
    ('suse:sle-micro', 'sle-micro'),
    ('suse:sle-micro-rancher', 'sle-micro'),
    ('suse:sles', 'sles'),
    ('ubuntu', 'ubuntu'),
    ('vmware photon', 'photon'),
    ('vmware photon linux', 'photon'),
    ('vmware photon os', 'photon'),
    ('wolfi', 'wolfi');

CREATE TABLE clair.release (
    family text COLLATE "C" NOT NULL REFERENCES clair.distribution,
    release text COLLATE "C" NOT NULL,
    codename text COLLATE "C",
    end_of_life date,
    PRIMARY KEY (family, release)
);
COMMENT ON TABLE clair.release IS
    'releases of distributions: code names, for images that tell nothing else of theirs, and when they end';
COMMENT ON COLUMN clair.release.family IS 'the distribution';
COMMENT ON COLUMN clair.release.release IS 'what stands behind the colon of the namespace';
COMMENT ON COLUMN clair.release.codename IS 'code name of the release';
COMMENT ON COLUMN clair.release.end_of_life IS
    'the last day of security support that costs nothing; null when it is not known';

INSERT INTO clair.release (family, release, codename, end_of_life)
VALUES
    ('almalinux', '8', NULL, '2029-03-01'),
    ('almalinux', '9', NULL, '2032-05-31'),
    ('alpine', 'v3.3', NULL, '2017-11-01'),
    ('alpine', 'v3.4', NULL, '2018-05-01'),
    ('alpine', 'v3.5', NULL, '2018-11-01'),
    ('alpine', 'v3.6', NULL, '2019-05-01'),
    ('alpine', 'v3.7', NULL, '2019-11-01'),
    ('alpine', 'v3.8', NULL, '2020-05-01'),
    ('alpine', 'v3.9', NULL, '2020-11-01'),
    ('alpine', 'v3.10', NULL, '2021-05-01'),
    ('alpine', 'v3.11', NULL, '2021-11-01'),
    ('alpine', 'v3.12', NULL, '2022-05-01'),
    ('alpine', 'v3.13', NULL, '2022-11-01'),
    ('alpine', 'v3.14', NULL, '2023-05-01'),
    ('alpine', 'v3.15', NULL, '2023-11-01'),
    ('alpine', 'v3.16', NULL, '2024-05-23'),
    ('alpine', 'v3.17', NULL, '2024-11-22'),
    ('alpine', 'v3.18', NULL, '2025-05-09'),
    ('alpine', 'v3.19', NULL, '2025-11-01'),
    ('alpine', 'v3.20', NULL, '2026-04-01'),
    ('alpine', 'v3.21', NULL, '2026-11-01'),
    ('alpine', 'v3.22', NULL, '2027-05-01'),
    ('alpine', 'edge', NULL, NULL),
    ('amzn', '2018.03', NULL, '2023-12-31'),
    ('amzn', '2', NULL, '2026-06-30'),
    ('amzn', '2023', NULL, NULL),
    ('centos', '5', NULL, '2017-03-31'),
    ('centos', '6', NULL, '2020-11-30'),
    ('centos', '7', NULL, '2024-06-30'),
    ('centos', '8', NULL, '2021-12-31'),
    ('centos-stream', '8', NULL, '2024-05-31'),
    ('centos-stream', '9', NULL, '2027-05-31'),
    ('debian', '6', 'squeeze', '2016-02-29'),
    ('debian', '7', 'wheezy', '2018-05-31'),
    ('debian', '8', 'jessie', '2020-06-30'),
    ('debian', '9', 'stretch', '2022-06-30'),
    ('debian', '10', 'buster', '2024-06-30'),
    ('debian', '11', 'bullseye', '2026-08-31'),
    ('debian', '12', 'bookworm', '2028-06-30'),
    ('debian', '13', 'trixie', '2030-06-30'),
    ('debian', '14', 'forky', NULL),
    ('debian', '15', 'duke', NULL),
    ('debian', 'unstable', 'sid', NULL),
    ('mariner', '1.0', NULL, '2023-07-31'),
    ('mariner', '2.0', NULL, '2025-07-31'),
    ('oracle', '5', NULL, '2017-06-30'),
    ('oracle', '6', NULL, '2021-03-31'),
    ('oracle', '7', NULL, '2024-12-31'),
    ('rhel', '5', NULL, '2017-03-31'),
    ('rhel', '6', NULL, '2020-11-30'),
    ('rhel', '7', NULL, '2024-06-30'),
    ('rhel', '8', NULL, '2029-05-31'),
    ('rhel', '9', NULL, '2032-05-31'),
    ('rhel', '10', NULL, '2035-05-31'),
    ('rocky', '8', NULL, '2029-05-31'),
    ('rocky', '9', NULL, '2032-05-31'),
    ('rocky', '10', NULL, '2035-05-31'),
    ('ubuntu', '10.04', 'lucid', '2015-04-30'),
    ('ubuntu', '12.04', 'precise', '2017-04-28'),
    ('ubuntu', '12.10', 'quantal', '2014-05-16'),
    ('ubuntu', '13.04', 'raring', '2014-01-27'),
    ('ubuntu', '13.10', 'saucy', '2014-07-17'),
    ('ubuntu', '14.04', 'trusty', '2019-04-25'),
    ('ubuntu', '14.10', 'utopic', '2015-07-23'),
    ('ubuntu', '15.04', 'vivid', '2016-02-04'),
    ('ubuntu', '15.10', 'wily', '2016-07-28'),
    ('ubuntu', '16.04', 'xenial', '2021-04-30'),
    ('ubuntu', '16.10', 'yakkety', '2017-07-20'),
    ('ubuntu', '17.04', 'zesty', '2018-01-13'),
    ('ubuntu', '17.10', 'artful', '2018-07-19'),
    ('ubuntu', '18.04', 'bionic', '2023-05-31'),
    ('ubuntu', '18.10', 'cosmic', '2019-07-18'),
    ('ubuntu', '19.04', 'disco', '2020-01-23'),
    ('ubuntu', '19.10', 'eoan', '2020-07-17'),
    ('ubuntu', '20.04', 'focal', '2025-05-31'),
    ('ubuntu', '20.10', 'groovy', '2021-07-22'),
    ('ubuntu', '21.04', 'hirsute', '2022-01-20'),
    ('ubuntu', '21.10', 'impish', '2022-07-14'),
    ('ubuntu', '22.04', 'jammy', NULL),
    ('ubuntu', '22.10', 'kinetic', '2023-07-20'),
    ('ubuntu', '23.04', 'lunar', '2024-01-25'),
    ('ubuntu', '23.10', 'mantic', '2024-07-11'),
    ('ubuntu', '24.04', 'noble', NULL),
    ('ubuntu', '24.10', 'oracular', '2025-07-10'),
    ('ubuntu', '25.04', 'plucky', '2026-01-15'),
    ('ubuntu', '25.10', 'questing', NULL),
    ('ubuntu', '26.04', 'resolute', NULL);

CREATE TABLE clair.release_tag (
    tag text COLLATE "C" NOT NULL,
    vendor text COLLATE "C" NOT NULL DEFAULT '',
    family text COLLATE "C" NOT NULL REFERENCES clair.distribution,
    release text COLLATE "C" NOT NULL,
    PRIMARY KEY (tag, vendor)
);
COMMENT ON TABLE clair.release_tag IS
    'what releases of rpm packages say of the distribution that they were built for: the macro %dist';
COMMENT ON COLUMN clair.release_tag.tag IS 'regular expression for the word that says it';
COMMENT ON COLUMN clair.release_tag.vendor IS
    'how the vendor begins, in lower case, of packages that say so of another distribution than others with the tag';
COMMENT ON COLUMN clair.release_tag.family IS 'the distribution';
COMMENT ON COLUMN clair.release_tag.release IS
    'its release; \1 and \2 stand for what is in parentheses in the tag';

INSERT INTO clair.release_tag (tag, vendor, family, release)
VALUES
    ('amzn(2|2023)', '', 'amzn', '\1'),
    ('amzn1', '', 'amzn', '2018.03'),
    ('azl(\d)', '', 'azurelinux', '\1.0'),
    ('cm(\d)', '', 'mariner', '\1.0'),
    ('el(\d+)', '', 'rhel', '\1'),
    ('el(\d+)', 'alma', 'almalinux', '\1'),
    ('el(\d+)', 'centos', 'centos', '\1'),
    ('el(\d+)', 'oracle', 'oracle', '\1'),
    ('el(\d+)', 'rocky', 'rocky', '\1'),
    ('fc(\d+)', '', 'fedora', '\1'),
    ('lp(\d\d)(\d)', '', 'opensuse-leap', '\1.\2'),
    ('ol(\d+)', '', 'oracle', '\1'),
    ('ph(\d)', '', 'photon', '\1.0');

-- Rebuilt from the same sources, release by release.
UPDATE clair.distribution SET advisories_of = 'rhel' WHERE family IN ('centos', 'centos-stream');

-- Autovacuum leaves so few rows alone, and a planner that has not seen them guesses hundreds.
ANALYZE clair.distribution, clair.distribution_name, clair.release, clair.release_tag;

/*
 * What release files say, in the order in which they are believed. Files that a derivative has taken
 * over from the distribution below it speak for that one: they count when os-release is silent,
 * or says that it is that distribution or like it (os-release(5), ID_LIKE).
 */
CREATE FUNCTION clair.namespace_of(roles text[], keys text[], "values" text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH fact AS (
        SELECT role, key, value
        FROM unnest(roles, keys, "values") AS f(role, key, value)
    ),
    os AS (
        SELECT
            NULLIF(pg_catalog.lower(pg_catalog.max(value) FILTER (WHERE key = 'id')), 'linux') AS id,
            pg_catalog.lower(pg_catalog.max(value) FILTER (WHERE key = 'name')) AS name,
            pg_catalog.max(value) FILTER (WHERE key = 'version_id') AS version_id,
            pg_catalog.max(value) FILTER (WHERE key = 'version_codename') AS codename,
            pg_catalog.max(value) FILTER (WHERE key = 'ubuntu_codename') AS ubuntu_codename,
            pg_catalog.max(value) FILTER (WHERE key = 'platform_id') AS platform_id,
            COALESCE(pg_catalog.max(value) FILTER (WHERE key = 'pretty_name'), '') AS pretty_name,
            pg_catalog.string_to_array(
                pg_catalog.lower(pg_catalog.max(value) FILTER (WHERE key = 'id_like')), ' ') AS id_like
        FROM fact
        WHERE role = 'os-release'
    ),
    -- The distribution that os-release names, by its id; the name can be more precise, or alone.
    own AS (
        SELECT os.*,
            CASE
                WHEN by_name.family LIKE by_id.family || '-%' OR os.id IS NULL THEN by_name.family
                ELSE by_id.family
            END AS family
        FROM os
            LEFT JOIN clair.distribution_name AS by_id ON by_id.name = os.id
            LEFT JOIN clair.distribution_name AS by_name ON by_name.name = os.name
    ),
    -- Those whose release files can be believed; none here: any.
    believed AS (
        SELECT family
        FROM own
        WHERE family IS NOT NULL
        UNION
        SELECT n.family
        FROM own, pg_catalog.unnest(own.id_like) AS like_id
            JOIN clair.distribution_name AS n ON n.name = like_id
    ),
    suite AS (
        SELECT
            pg_catalog.regexp_replace(value, '(-(updates|security|backports|proposed-updates|proposed)|/.*)$', '')
                AS name
        FROM fact
        WHERE role = 'apt-sources'
    ),
    -- A distribution by any of its names, and its version.
    version_said (precedence, name, version) AS (
        SELECT 10, family,
            CASE
                WHEN family = 'alpine' AND pretty_name ~ '\yedge\y' THEN 'edge'
                ELSE COALESCE(version_id, '')
            END
        FROM own
        UNION ALL
        -- What rebuilds Red Hat's packages says for which of its releases they are.
        SELECT 15, 'rhel', pg_catalog.substring(platform_id, '^platform:el(\d+)$')
        FROM own
        WHERE family IS NULL AND id_like && ARRAY['rhel', 'centos']
        UNION ALL
        -- Others have Red Hat's file beside their own.
        SELECT
            CASE WHEN role = 'issue' THEN 61 WHEN value ~* '^red hat' THEN 21 ELSE 20 END,
            pg_catalog.lower(pg_catalog.substring(value, '^(.*) ')),
            pg_catalog.substring(value, '[^ ]+$')
        FROM fact
        WHERE role IN ('release', 'release-cpe', 'issue')
        UNION ALL
        SELECT 22, 'alpine', value
        FROM fact
        WHERE role = 'alpine-release'
        UNION ALL
        SELECT 30,
            pg_catalog.lower(pg_catalog.max(value) FILTER (WHERE key = 'distrib_id')),
            pg_catalog.max(value) FILTER (WHERE key = 'distrib_release')
        FROM fact
        WHERE role = 'lsb-release'
        UNION ALL
        SELECT 40, 'debian', value
        FROM fact
        WHERE role = 'debian_version'
        UNION ALL
        SELECT 60, 'alpine', pg_catalog.ltrim(value, 'v')
        FROM fact
        WHERE role = 'apk-repositories'
    ),
    release_said (precedence, family, release, number) AS (
        SELECT s.precedence, d.family,
            CASE
                WHEN s.version ~ d.rolling_pattern THEN d.rolling_name
                ELSE d.release_prefix || pg_catalog.substring(s.version, d.release_pattern)
            END,
            CASE WHEN s.version ~ d.rolling_pattern THEN 1000000 ELSE
                COALESCE(pg_catalog.substring(s.version, '^\d{1,5}')::integer * 1000
                    + COALESCE(pg_catalog.substring(s.version, '^\d{1,5}\.(\d{1,3})')::integer, 0), 0) END
        FROM version_said AS s
            JOIN clair.distribution_name AS n ON n.name = s.name
            JOIN clair.distribution AS d ON d.family = n.family
        UNION ALL
        -- Debian's testing and unstable have no VERSION_ID and the same texts: apt tells them apart.
        SELECT 11, r.family, r.release, 0
        FROM own, suite AS s
            JOIN clair.release AS r ON s.name IN (r.codename, r.release)
        WHERE own.family = r.family AND r.family = 'debian'
        UNION ALL
        SELECT 12, r.family, r.release, 0
        FROM own
            JOIN clair.release AS r ON r.family = own.family AND r.codename = own.codename
        WHERE own.pretty_name !~ '/sid' OR EXISTS (SELECT FROM suite WHERE name = 'testing')
        UNION ALL
        SELECT 13, family, 'unstable', 0
        FROM own
        WHERE family = 'debian' AND pretty_name ~ '/sid'
        UNION ALL
        -- What is built on Ubuntu or Debian keeps the code name of that.
        SELECT CASE r.family WHEN 'ubuntu' THEN 14 ELSE 15 END, r.family, r.release, 0
        FROM own
            JOIN clair.release AS r ON r.family IN ('ubuntu', 'debian') AND r.family = ANY (own.id_like)
                AND r.codename = CASE r.family WHEN 'ubuntu' THEN own.ubuntu_codename ELSE own.codename END
        WHERE own.family IS NULL
        UNION ALL
        SELECT 50, r.family, r.release, 0
        FROM suite AS s
            JOIN clair.release AS r ON s.name IN (r.codename, r.release)
        UNION ALL
        SELECT 55, 'debian', 'unstable', 0
        FROM fact
        WHERE role = 'debian_version' AND value ~ '/sid$'
    )
    SELECT candidate.namespace
    FROM (
        SELECT precedence, family || ':' || release AS namespace, number
        FROM release_said
        WHERE precedence < 20
            OR family IN (SELECT family FROM believed)
            OR NOT EXISTS (SELECT FROM own WHERE id IS NOT NULL OR family IS NOT NULL)
        UNION ALL
        -- A distribution that is not known, in its own words.
        SELECT 70, id || ':' || version_id, 0
        FROM own
        WHERE family IS NULL AND id <> '' AND version_id <> ''
    ) AS candidate
    WHERE candidate.namespace IS NOT NULL
    ORDER BY candidate.precedence, candidate.number DESC, candidate.namespace COLLATE "C"
    LIMIT 1;
END;
COMMENT ON FUNCTION clair.namespace_of(text[], text[], text[]) IS
    'the namespace that the release files of an image speak of: which file, which key, which value';
REVOKE ALL ON FUNCTION clair.namespace_of(text[], text[], text[]) FROM PUBLIC;

-- Packages of others may stand among those of the distribution: it is that of more than half.
CREATE FUNCTION clair.namespace_of_versions(versions text[], vendors text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH package AS (
        SELECT pg_catalog.regexp_replace(version, '^.*-', '') AS release, pg_catalog.lower(vendor) AS vendor
        FROM unnest(versions, vendors) AS p(version, vendor)
    ),
    built_for AS (
        SELECT tagged.family, tagged.release
        FROM package,
            LATERAL (
                SELECT t.family, pg_catalog.regexp_replace(found.word, t.tag, t.release) AS release
                FROM clair.release_tag AS t,
                    LATERAL (
                        SELECT pg_catalog.substring(package.release,
                            '(?:^|[^a-z0-9])(' || t.tag || ')(?![a-z0-9])') AS word
                    ) AS found
                WHERE found.word IS NOT NULL
                    AND (t.vendor = '' OR package.vendor LIKE t.vendor || '%')
                ORDER BY t.vendor = '', t.tag
                LIMIT 1
            ) AS tagged
    )
    SELECT family || ':' || release
    FROM built_for
    GROUP BY family, release
    HAVING pg_catalog.count(*) * 2 > (SELECT pg_catalog.count(*) FROM package);
END;
COMMENT ON FUNCTION clair.namespace_of_versions(text[], text[]) IS
    'the namespace that more than half of the rpm packages were built for: which version, of which vendor; null when there is none';
REVOKE ALL ON FUNCTION clair.namespace_of_versions(text[], text[]) FROM PUBLIC;

CREATE FUNCTION clair.is_namespace(namespace text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM clair.distribution AS d
            CROSS JOIN pg_catalog.substr(namespace, pg_catalog.strpos(namespace, ':') + 1) AS said(release)
            CROSS JOIN pg_catalog.substr(said.release, pg_catalog.length(d.release_prefix) + 1) AS bare(release)
        WHERE d.family = pg_catalog.split_part(namespace, ':', 1)
            AND said.release <> ''
            AND (
                said.release = d.rolling_name
                OR said.release = d.release_prefix || pg_catalog.substring(bare.release, d.release_pattern)
                OR EXISTS (
                    SELECT FROM clair.release AS r WHERE r.family = d.family AND r.release = said.release
                )
            )
    );
END;
COMMENT ON FUNCTION clair.is_namespace(text) IS
    'whether a text is a namespace: a distribution that is known, and a release such as it has';
REVOKE ALL ON FUNCTION clair.is_namespace(text) FROM PUBLIC;

CREATE FUNCTION clair.advisory_namespace(namespace text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(
        (
            SELECT d.advisories_of
                || pg_catalog.substr(namespace, pg_catalog.strpos(namespace, ':'))
            FROM clair.distribution AS d
            WHERE d.family = pg_catalog.split_part(namespace, ':', 1)
        ),
        namespace
    );
END;
COMMENT ON FUNCTION clair.advisory_namespace(text) IS
    'the namespace whose advisories speak of the packages of a namespace: its own, unless clair.distribution says otherwise';
REVOKE ALL ON FUNCTION clair.advisory_namespace(text) FROM PUBLIC;
