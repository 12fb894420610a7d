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

-- Every distribution by its os-release
SELECT id, version_id, name, pg_temp.namespace_of('os-release|id|' || id, 'os-release|version_id|' || version_id,
    'os-release|name|' || name)
FROM (VALUES
    ('almalinux', '9.4', 'AlmaLinux'),
    ('amzn', '2018.03', 'Amazon Linux AMI'),
    ('amzn', '2', 'Amazon Linux'),
    ('amzn', '2023', 'Amazon Linux'),
    ('azurelinux', '3.0', 'Microsoft Azure Linux'),
    ('centos', '8', 'CentOS Linux'),
    ('centos', '9', 'CentOS Stream'),
    ('chainguard', '20230214', 'Chainguard'),
    ('leap-micro', '5.5', 'openSUSE Leap Micro'),
    ('mariner', '2.0', 'Common Base Linux Mariner'),
    ('ol', '8.10', 'Oracle Linux Server'),
    ('opensuse-leap', '15.6', 'openSUSE Leap'),
    ('opensuse', '42.3', 'openSUSE Leap'),
    ('opensuse-microos', '20260101', 'openSUSE MicroOS'),
    ('opensuse-tumbleweed', '20260101', 'openSUSE Tumbleweed'),
    ('photon', '5.0', 'VMware Photon OS'),
    ('raspbian', '12', 'Raspbian GNU/Linux'),
    ('rhel', '9.4', 'Red Hat Enterprise Linux'),
    ('rocky', '9.3', 'Rocky Linux'),
    ('sl-micro', '6.1', 'SL-Micro'),
    ('sle-micro', '5.5', 'SLE Micro'),
    ('sle-micro-rancher', '5.4', 'SLE Micro'),
    ('sles', '15.5', 'SLES'),
    ('sles', '12', 'SLES'),
    ('wolfi', '20230201', 'Wolfi'),
    ('unheard-of', '1.2', 'Debian GNU/Linux')
) AS v(id, version_id, name);

-- Release files in words: the distribution's own goes before the one of whom it is like
SELECT what, pg_temp.namespace_of(VARIADIC facts)
FROM (VALUES
    ('oracle', ARRAY['release|release|Red Hat Enterprise Linux Server 6.10', 'release|release|Oracle Linux Server 6.10']),
    ('oracle 5', ARRAY['release|release|Enterprise Linux Enterprise Linux Server 5.5']),
    ('centos', ARRAY['release|release|CentOS 6.9', 'release-cpe|release|centos:linux 6']),
    ('centos by its cpe', ARRAY['release-cpe|release|centos:linux 6']),
    ('centos stream', ARRAY['release|release|CentOS Stream 8']),
    ('rhel', ARRAY['release|release|Red Hat Enterprise Linux Server 7.7']),
    ('amazon 1', ARRAY['release|release|Amazon Linux AMI 2018.03', 'release-cpe|release|amazon:linux 2018.03']),
    ('amazon 2', ARRAY['release|release|Amazon Linux 2']),
    ('amazon 2023', ARRAY['release|release|Amazon Linux 2023.10.20260101']),
    ('suse', ARRAY['release|release|SUSE Linux Enterprise Server 11.4']),
    ('photon', ARRAY['release|release|VMware Photon OS 3.0']),
    ('a name that is not known', ARRAY['release|release|Red Hat Linux 6.2']),
    ('debian by its greeting', ARRAY['issue|release|Debian GNU/Linux 8']),
    ('ubuntu by its greeting', ARRAY['issue|release|Ubuntu 14.04.5'])
) AS v(what, facts);

-- Where apk takes packages from, when nothing else is there: the newest counts
SELECT what, pg_temp.namespace_of(VARIADIC facts)
FROM (VALUES
    ('two releases', ARRAY['apk-repositories|release|v3.9', 'apk-repositories|release.1|v3.18']),
    ('and edge', ARRAY['apk-repositories|release|v3.18', 'apk-repositories|release.1|edge']),
    ('but not against os-release', ARRAY['apk-repositories|release|edge', 'os-release|id|alpine',
        'os-release|version_id|3.18.4'])
) AS v(what, facts);

-- Derivatives: what they are built on speaks for them, and nothing else does
SELECT what, pg_temp.namespace_of(VARIADIC facts)
FROM (VALUES
    ('mint', ARRAY['os-release|id|linuxmint', 'os-release|version_id|21.3', 'os-release|id_like|ubuntu debian',
        'os-release|version_codename|virginia', 'os-release|ubuntu_codename|jammy', 'debian_version|version|bookworm/sid']),
    ('pop', ARRAY['os-release|id|pop', 'os-release|version_id|22.04', 'os-release|id_like|ubuntu debian',
        'os-release|version_codename|jammy', 'os-release|ubuntu_codename|jammy']),
    ('of debian, by code name', ARRAY['os-release|id|mxlinux', 'os-release|id_like|debian',
        'os-release|version_codename|bookworm']),
    ('of debian, by debian_version', ARRAY['os-release|id|own', 'os-release|version_id|7',
        'os-release|id_like|debian', 'debian_version|version|12.5']),
    ('of debian, with packages of its own', ARRAY['os-release|id|kali', 'os-release|version_id|2026.1',
        'os-release|id_like|debian', 'debian_version|version|kali-rolling']),
    ('of red hat', ARRAY['os-release|id|eurolinux', 'os-release|version_id|9.3',
        'os-release|id_like|rhel fedora centos', 'os-release|platform_id|platform:el9']),
    ('of red hat, with packages of its own', ARRAY['os-release|id|own', 'os-release|version_id|3',
        'os-release|id_like|rhel fedora centos', 'os-release|platform_id|platform:al8']),
    ('postmarketos', ARRAY['os-release|id|postmarketos', 'os-release|version_id|v23.12',
        'os-release|id_like|alpine', 'alpine-release|version|3.19.1']),
    ('like nothing', ARRAY['os-release|id|own', 'os-release|version_id|3', 'debian_version|version|12.5',
        'release|release|CentOS Linux 7.6']),
    ('without an id', ARRAY['os-release|name|Alpine Linux', 'os-release|version_id|3.15.4']),
    ('linux, as a name', ARRAY['os-release|id|linux', 'os-release|version_id|1', 'debian_version|version|12.5'])
) AS v(what, facts);

-- Rows that do not fit each other would be of no use
SELECT d.family
FROM clair.distribution AS d
WHERE NOT EXISTS (SELECT FROM clair.distribution_name AS n WHERE n.name = d.family AND n.family = d.family);
SELECT name FROM clair.distribution_name WHERE name <> lower(name);
SELECT r.family, r.release
FROM clair.release AS r JOIN clair.distribution AS d USING (family)
WHERE r.release NOT IN (COALESCE(d.rolling_name, ''), 'unstable')
    AND d.release_prefix || substring(substr(r.release, length(d.release_prefix) + 1), d.release_pattern) IS DISTINCT FROM r.release;

-- Nothing at all
SELECT clair.namespace_of('{}', '{}', '{}') IS NULL AS unknown, clair.namespace_of(NULL, NULL, NULL) IS NULL AS none;
