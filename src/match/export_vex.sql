/*
 * Writing down as VEX what is known and said of an image's findings.
 */
CREATE FUNCTION clair.purl_part(part text)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.purl_part(text) IS 'a text as a part of a package URL';
REVOKE ALL ON FUNCTION clair.purl_part(text) FROM PUBLIC;

-- One expression, which the planner puts in place of the call.
CREATE FUNCTION clair.package_purl(namespace text, format text, name text, version text, architecture text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'pkg:'
        || CASE
            WHEN format = 'dpkg' THEN 'deb'
            WHEN pg_catalog.starts_with(format, 'detector:') THEN 'generic'
            ELSE format
        END
        || '/' || CASE pg_catalog.split_part(namespace, ':', 1)
            WHEN 'rhel' THEN 'redhat'
            ELSE clair.purl_part(pg_catalog.split_part(namespace, ':', 1))
        END
        || '/' || clair.purl_part(name)
        || COALESCE('@' || clair.purl_part(
            CASE format WHEN 'rpm' THEN pg_catalog.regexp_replace(version, '^\d+:', '') ELSE version END
        ), '')
        || '?' || pg_catalog.concat_ws('&',
            'arch=' || clair.purl_part(architecture),
            'distro=' || clair.purl_part(
                pg_catalog.split_part(namespace, ':', 1)
                || '-' || pg_catalog.regexp_replace(pg_catalog.split_part(namespace, ':', 2), '^v(?=\d)', '')
            ),
            CASE format WHEN 'rpm' THEN 'epoch=' || pg_catalog.substring(version, '^(\d+):') END
        );
END;
COMMENT ON FUNCTION clair.package_purl(text, text, text, text, text) IS
    'the package URL of an installed package; format is that of its package database';
REVOKE ALL ON FUNCTION clair.package_purl(text, text, text, text, text) FROM PUBLIC;

CREATE FUNCTION clair.image_purl(image text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'pkg:oci/'
        || COALESCE(
            clair.purl_part(pg_catalog.lower(pg_catalog.regexp_replace(name.repository, '^.*/', ''))),
            'image'
        )
        || '@' || clair.purl_part(COALESCE(
            (SELECT pg_catalog.min(m.digest) FROM clair.manifest AS m WHERE m.image_id = i.id),
            i.digest
        ))
        || COALESCE('?repository_url=' || clair.purl_part(name.repository), '')
        || COALESCE('&tag=' || clair.purl_part(name.tag), '')
    FROM clair.image AS i
        LEFT JOIN LATERAL (
            SELECT pg_catalog.regexp_replace(n.name, ':[^:/]*$', '') AS repository,
                pg_catalog.substring(n.name, ':([^:/]+)$') AS tag
            FROM clair.image_name AS n
            WHERE n.image_id = i.id
            ORDER BY n.name
            LIMIT 1
        ) AS name ON name.repository ~ '[^/]$'
    WHERE i.id = (SELECT clair.image_id(image_purl.image));
END;
COMMENT ON FUNCTION clair.image_purl(text) IS
    'the package URL of an image: its digest is that of a manifest or, without one, the image''s id';
REVOKE ALL ON FUNCTION clair.image_purl(text) FROM PUBLIC;

CREATE FUNCTION clair.export_vex(image text, id text DEFAULT NULL, author text DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH finding AS (
        SELECT v.vulnerability, v.aliases,
            CASE e.kind
                WHEN 'not_affected' THEN 'not_affected'
                WHEN 'false_positive' THEN 'not_affected'
                WHEN 'fixed' THEN 'fixed'
                ELSE 'affected'
            END AS status,
            e.kind, e.justification, e.reason,
            CASE
                WHEN e.kind = 'accepted_risk' THEN 'The risk is accepted: ' || e.reason
                WHEN e.kind IS NULL AND v.fixed_in IS NOT NULL THEN 'Update it to ' || v.fixed_in || '.'
                WHEN e.kind IS NULL THEN 'There is no fix so far.'
            END AS action,
            clair.package_purl(v.namespace, base.format, v.feature, v.installed_version, v.architecture) AS purl
        FROM clair.image_vulnerability AS v
            JOIN clair.image_database AS d
                ON d.image_id = v.image_id AND d.path = v.database_path AND d.until_position IS NULL
            JOIN clair.package_database AS base ON base.id = d.database_id
            LEFT JOIN clair.exception AS e ON e.id = v.exception
        WHERE v.image_id = (SELECT clair.image_id(export_vex.image))
    ),
    statement AS (
        SELECT f.vulnerability, f.status, f.action,
            pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
                'vulnerability', pg_catalog.jsonb_build_object(
                    'name', f.vulnerability,
                    'aliases', pg_catalog.to_jsonb(f.aliases)
                ),
                'products', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                    '@id', (SELECT clair.image_purl(export_vex.image)),
                    'subcomponents', pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object('@id', f.purl))
                )),
                'status', f.status,
                'justification', f.justification,
                'impact_statement', CASE WHEN f.status = 'not_affected' THEN f.reason END,
                'status_notes', CASE WHEN f.status = 'fixed' THEN f.reason END,
                'action_statement', f.action
            )) AS document
        FROM finding AS f
        GROUP BY f.vulnerability, f.aliases, f.status, f.kind, f.justification, f.reason, f.action
    )
    SELECT pg_catalog.jsonb_build_object(
        '@context', 'https://openvex.dev/ns/v0.2.0',
        '@id', COALESCE(export_vex.id, 'urn:clair:' || i.digest),
        'author', COALESCE(export_vex.author, CURRENT_USER),
        'timestamp', pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'version', pg_catalog.date_part('epoch', pg_catalog.now())::bigint,
        'statements', COALESCE(
            (
                SELECT pg_catalog.jsonb_agg(s.document ORDER BY s.vulnerability, s.status, s.document)
                FROM statement AS s
            ),
            '[]'
        )
    )
    FROM clair.image AS i
    WHERE i.id = (SELECT clair.image_id(export_vex.image));
END;
COMMENT ON FUNCTION clair.export_vex(text, text, text) IS
    'an OpenVEX document of an image''s findings: of those with an exception why they do not count, of others what can be done; id and author are the document''s, else of the image''s digest and the current role';
REVOKE ALL ON FUNCTION clair.export_vex(text, text, text) FROM PUBLIC;
