/*
 * The API of Clair 4: indexing, what its services ask each other, notifications; and the function that
 * answers whatever is asked.
 */
CREATE FUNCTION clair.v4_post_index_report(manifest jsonb)
RETURNS json
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digest text := manifest ->> 'hash';
    own_name text := 'manifest:' || digest;
    count integer;
    parent text;
    below text;
    part jsonb;
    number integer;
    indexed clair.indexed_image;
BEGIN
    IF digest IS NULL OR digest !~ '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' THEN
        RAISE EXCEPTION 'invalid digest of a manifest: "%"', COALESCE(digest, '')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF jsonb_typeof(manifest -> 'layers') IS DISTINCT FROM 'array' OR manifest -> 'layers' = '[]' THEN
        RAISE EXCEPTION 'a manifest must have layers' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (
        SELECT
        FROM clair.image_name AS n
        WHERE n.name = own_name
            AND NOT EXISTS (SELECT FROM clair.images_to_reindex AS r WHERE r.image_id = n.image_id)
    ) THEN
        RETURN clair.v4_get_index_report(digest);
    END IF;
    count := jsonb_array_length(manifest -> 'layers');
    FOR part, number IN
        SELECT l.part, l.number
        FROM jsonb_array_elements(manifest -> 'layers') WITH ORDINALITY AS l(part, number)
        ORDER BY l.number
    LOOP
        IF COALESCE(part ->> 'hash', '') = '' OR COALESCE(part ->> 'uri', '') = '' THEN
            RAISE EXCEPTION 'layer % has no hash or no uri', number USING ERRCODE = 'invalid_parameter_value';
        END IF;
        below := NULL;
        -- What is known up to here is not fetched again. The name has to go to the last one.
        IF number < count THEN
            SELECT i.digest INTO below
            FROM clair.layer_blob AS b
                JOIN clair.image AS i
                    ON i.digest = CASE
                        WHEN parent IS NULL THEN b.layer
                        ELSE 'sha256:' || encode(sha256(convert_to(parent || ' ' || b.layer, 'UTF8')), 'hex')
                    END
            WHERE b.digest = part ->> 'hash'
                AND NOT EXISTS (SELECT FROM clair.images_to_reindex AS r WHERE r.image_id = i.id);
        END IF;
        IF below IS NULL THEN
            SELECT * INTO indexed
            FROM clair.index_layer(own_name, part ->> 'uri', parent, 'Docker',
                CASE WHEN jsonb_typeof(part -> 'headers') <> 'null' THEN NULLIF(part -> 'headers', '{}') END);
            IF NOT EXISTS (
                SELECT
                FROM clair.image_layer AS l
                    JOIN clair.layer_blob AS b ON b.layer = l.layer
                WHERE l.image_id = indexed.image AND l.position = indexed.layers AND b.digest = part ->> 'hash'
            ) THEN
                RAISE EXCEPTION 'layer % does not have the digest "%"', number, part ->> 'hash'
                    USING ERRCODE = 'data_exception';
            END IF;
            below := indexed.digest;
        END IF;
        parent := below;
    END LOOP;
    RETURN clair.v4_get_index_report(digest);
END
$$;
COMMENT ON FUNCTION clair.v4_post_index_report(jsonb) IS
    'POST /indexer/api/v1/index_report: indexes the layers of a manifest, each upon the one before it, unless the manifest is known; its index report';
REVOKE ALL ON FUNCTION clair.v4_post_index_report(jsonb) FROM PUBLIC;

CREATE FUNCTION clair.v4_delete_index_reports(digests jsonb)
RETURNS json
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted text[] := '{}';
    digest text;
BEGIN
    IF jsonb_typeof(digests) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'digests must be an array' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Of manifests that are the same image, the first takes it along.
    FOR digest IN SELECT DISTINCT d.digest FROM jsonb_array_elements_text(digests) AS d(digest) ORDER BY 1 LOOP
        BEGIN
            PERFORM clair.delete_image(clair.v4_image(digest)::text);
            deleted := deleted || digest;
        EXCEPTION WHEN undefined_object THEN
            NULL;
        END;
    END LOOP;
    RETURN array_to_json(deleted);
END
$$;
COMMENT ON FUNCTION clair.v4_delete_index_reports(jsonb) IS
    'DELETE /indexer/api/v1/index_report: deletes the manifests with these digests, as clair.delete_image() does; those of them that there were';
REVOKE ALL ON FUNCTION clair.v4_delete_index_reports(jsonb) FROM PUBLIC;

CREATE FUNCTION clair.v4_delete_index_report(digest text)
RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT clair.delete_image(clair.v4_image(v4_delete_index_report.digest)::text);
END;
COMMENT ON FUNCTION clair.v4_delete_index_report(text) IS
    'DELETE /indexer/api/v1/index_report/:digest: deletes a manifest, as clair.delete_image() does';
REVOKE ALL ON FUNCTION clair.v4_delete_index_report(text) FROM PUBLIC;

CREATE FUNCTION clair.v4_get_index_state()
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.json_build_object('state', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        pg_catalog.string_agg(v.role || ' ' || v.version, E'\n' ORDER BY v.role), 'UTF8')), 'hex'))
    FROM (
        SELECT r.role, pg_catalog.max(r.version) AS version FROM clair.reader_version AS r GROUP BY r.role
        UNION ALL
        SELECT d.role, d.version FROM clair.detector AS d
    ) AS v;
END;
COMMENT ON FUNCTION clair.v4_get_index_state() IS
    'GET /indexer/api/v1/index_state: something else when there are newer readers or detectors, and manifests are worth posting again';
REVOKE ALL ON FUNCTION clair.v4_get_index_state() FROM PUBLIC;

CREATE FUNCTION clair.v4_post_affected_manifest(vulnerabilities jsonb)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH asked AS MATERIALIZED (
            SELECT DISTINCT ON (said.id) said.id, v.document, v.document ->> 'name' AS name
            FROM jsonb_array_elements(vulnerabilities -> 'vulnerabilities') AS v(document)
                CROSS JOIN LATERAL (
                    SELECT COALESCE(NULLIF(v.document ->> 'id', ''), v.document ->> 'name') AS id
                ) AS said
            WHERE v.document ->> 'name' <> ''
            ORDER BY said.id
        ),
        hit AS MATERIALIZED (
            SELECT a.id, i.image, max(i.severity) AS severity
            FROM asked AS a
                CROSS JOIN LATERAL clair.affected_images(a.name) AS i
            -- What has no name is what a manifest was built from.
            WHERE i.names <> '{}'
            GROUP BY a.id, i.image
        )
        SELECT json_build_object(
            'vulnerabilities', COALESCE(
                (
                    SELECT json_object_agg(a.id, a.document ORDER BY a.id COLLATE "C")
                    FROM asked AS a
                    WHERE EXISTS (SELECT FROM hit AS h WHERE h.id = a.id)
                ),
                '{}'),
            'vulnerable_manifests', COALESCE(
                (
                    SELECT json_object_agg(m.digest, m.ids ORDER BY m.digest COLLATE "C")
                    FROM (
                        SELECT clair.v4_manifest(h.image) AS digest,
                            json_agg(h.id ORDER BY h.severity DESC, h.id COLLATE "C") AS ids
                        FROM hit AS h
                        GROUP BY h.image
                    ) AS m
                ),
                '{}'))
    );
END
$$;
COMMENT ON FUNCTION clair.v4_post_affected_manifest(jsonb) IS
    'POST /indexer/api/v1/internal/affected_manifest: the manifests that vulnerabilities of these names affect, by what is known of them now';
REVOKE ALL ON FUNCTION clair.v4_post_affected_manifest(jsonb) FROM PUBLIC;

/*
 * Runs of updaters, and pages, are numbers; where the API asks for a UUID, the number is its end.
 */
CREATE FUNCTION clair.v4_uuid(number bigint)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.lpad(pg_catalog.to_hex(number), 32, '0')::uuid;
COMMENT ON FUNCTION clair.v4_uuid(bigint) IS 'the UUID that stands for a number';
REVOKE ALL ON FUNCTION clair.v4_uuid(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_number(uuid text, name text)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF uuid !~ '^0{8}-0{4}-0{4}-[0-7][0-9a-f]{3}-[0-9a-f]{12}$' THEN
        RAISE EXCEPTION 'invalid %: "%"', name, uuid USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN ('x' || right(replace(uuid, '-', ''), 16))::bit(64)::bigint;
END
$$;
COMMENT ON FUNCTION clair.v4_number(text, text) IS
    'the number that a UUID stands for; an error that names the parameter when it is none';
REVOKE ALL ON FUNCTION clair.v4_number(text, text) FROM PUBLIC;

CREATE FUNCTION clair.v4_operation(run bigint)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.json_build_object('ref', clair.v4_uuid(o.run), 'updater', o.updater,
        'fingerprint', '', 'date', o.finished_at, 'kind', o.kind)
    FROM clair.update_operations AS o
    WHERE o.run = v4_operation.run;
END;
COMMENT ON FUNCTION clair.v4_operation(bigint) IS 'a run of clair.update_operations as the API of Clair 4 has it';
REVOKE ALL ON FUNCTION clair.v4_operation(bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_get_update_operations(kind text DEFAULT 'vulnerability', latest boolean DEFAULT false)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF kind NOT IN ('vulnerability', 'enrichment') THEN
        RAISE EXCEPTION 'invalid kind: "%"', kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is vulnerability or enrichment.';
    END IF;
    RETURN (
        SELECT COALESCE(json_object_agg(u.updater, u.operations ORDER BY u.updater COLLATE "C"), '{}')
        FROM (
            SELECT o.updater,
                json_agg(json_build_object('ref', clair.v4_uuid(o.run), 'updater', o.updater, 'fingerprint', '',
                    'date', o.finished_at, 'kind', o.kind) ORDER BY o.run DESC) AS operations
            FROM clair.update_operations AS o
            WHERE o.kind = v4_get_update_operations.kind AND (o.latest OR NOT v4_get_update_operations.latest)
            GROUP BY o.updater
        ) AS u
    );
END
$$;
COMMENT ON FUNCTION clair.v4_get_update_operations(text, boolean) IS
    'GET /matcher/api/v1/internal/update_operation: the runs that changed something, of each updater, all or the latest';
REVOKE ALL ON FUNCTION clair.v4_get_update_operations(text, boolean) FROM PUBLIC;

CREATE FUNCTION clair.v4_get_update_diff(cur bigint, prev bigint DEFAULT 0)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := (SELECT o.updater FROM clair.update_operations AS o WHERE o.run = cur);
BEGIN
    IF name IS NULL THEN
        RAISE EXCEPTION 'update operation "%" does not exist', clair.v4_uuid(cur)
            USING ERRCODE = 'undefined_object', HINT = 'See clair.update_operations.';
    END IF;
    RETURN (
        WITH side AS MATERIALIZED (
            SELECT s.is_new, json_build_object(
                'id', '',
                'updater', name,
                'name', d.vulnerability,
                'severity', r.severity,
                'normalized_severity', clair.v4_severity(r.severity),
                'package', json_build_object('id', '', 'name', r.package, 'version', '', 'kind', r.kind),
                'distribution', clair.v4_distribution(r.namespace),
                'fixed_in_version', CASE r.status WHEN 'fixed' THEN r.fixed ELSE '' END) AS document,
                row_number() OVER (ORDER BY d.vulnerability COLLATE "C", r.namespace COLLATE "C",
                    r.package COLLATE "C", r.fixed COLLATE "C") AS number
            FROM clair.update_diff(name, prev, cur) AS d
                CROSS JOIN LATERAL (VALUES (false, d.before), (true, d.after)) AS s(is_new, ranges)
                CROSS JOIN LATERAL jsonb_to_recordset(s.ranges)
                    AS r(namespace text, kind text, package text, fixed text, status text, severity clair.severity)
            WHERE r.status NOT IN ('not_affected', 'under_investigation')
        )
        SELECT json_build_object(
            'prev', COALESCE(clair.v4_operation(prev), json_build_object('ref', clair.v4_uuid(0), 'updater', '',
                'fingerprint', '', 'date', '0001-01-01T00:00:00Z', 'kind', 'vulnerability')),
            'cur', clair.v4_operation(cur),
            'added', COALESCE((SELECT json_agg(s.document ORDER BY s.number) FROM side AS s WHERE s.is_new), '[]'),
            'removed', COALESCE((SELECT json_agg(s.document ORDER BY s.number) FROM side AS s WHERE NOT s.is_new), '[]'))
    );
END
$$;
COMMENT ON FUNCTION clair.v4_get_update_diff(bigint, bigint) IS
    'GET /matcher/api/v1/internal/update_diff: the affected ranges that are new, and gone, between two runs of an updater; prev 0: nothing';
REVOKE ALL ON FUNCTION clair.v4_get_update_diff(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4_get_notification(id text, page_size bigint DEFAULT 500, after_image bigint DEFAULT 0)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    size integer := LEAST(page_size, 10000);
BEGIN
    RETURN (
        WITH hit AS (
            SELECT d.id AS delivery, i.*
            FROM clair.api_delivery(v4_get_notification.id) AS d
                CROSS JOIN LATERAL (
                    SELECT c.image, c.side, c.vulnerability, c.namespace, c.feature, c.installed_version,
                        c.severity, c.fixed_in, NULL::text AS link
                    FROM clair.notification_images(d.notification, size, after_image) AS c
                    UNION ALL
                    SELECT n.image_id, 'after', v.vulnerability, v.namespace, v.feature, v.installed_version,
                        v.severity, v.fixed_in, v.link
                    FROM clair.notification AS n
                        JOIN clair.image_vulnerability AS v ON v.image_id = n.image_id AND v.exception IS NULL
                    WHERE n.id = d.notification AND n.image_id > after_image
                ) AS i
        ),
        -- Of each manifest the worst, of what it has now rather than of what it had.
        worst AS MATERIALIZED (
            SELECT DISTINCT ON (h.image) h.*,
                CASE
                    WHEN bool_and(h.side = 'after') OVER of_image THEN 'added'
                    WHEN bool_and(h.side = 'before') OVER of_image THEN 'removed'
                    ELSE 'changed'
                END AS reason
            FROM hit AS h
            WINDOW of_image AS (PARTITION BY h.image)
            ORDER BY h.image, h.side, h.severity DESC, h.feature COLLATE "C", h.installed_version COLLATE "C"
        )
        SELECT json_build_object(
            'page', json_strip_nulls(json_build_object('size', size,
                -- Those without a name, which manifests were built from, count, and are not told of.
                'next', CASE WHEN count(*) = size THEN clair.v4_uuid(max(w.image)) END)),
            'notifications', COALESCE(
                json_agg(json_build_object(
                    'id', clair.webhook_delivery_id(w.delivery, w.image),
                    'manifest', clair.v4_manifest(w.image),
                    'reason', w.reason,
                    'vulnerability', json_build_object(
                        'name', w.vulnerability,
                        'description', COALESCE(c.description, ''),
                        'package', json_build_object('id', '', 'name', w.feature, 'version', w.installed_version,
                            'kind', 'binary'),
                        'distribution', clair.v4_distribution(w.namespace),
                        'severity', w.severity,
                        'normalized_severity', clair.v4_severity(w.severity),
                        'fixed_in_version', COALESCE(w.fixed_in, ''),
                        'links', COALESCE(w.link, '')))
                    ORDER BY w.image) FILTER (WHERE i.superseded_at IS NULL),
                '[]'))
        FROM worst AS w
            JOIN clair.image AS i ON i.id = w.image
            LEFT JOIN clair.cve_detail AS c ON c.cve = w.vulnerability
    );
END
$$;
COMMENT ON FUNCTION clair.v4_get_notification(text, bigint, bigint) IS
    'GET /notifier/api/v1/notification/:id: the next so many manifests (at most 10000) that a notification is about, each with the worst of its findings that changed; id: the one that a webhook was posted';
REVOKE ALL ON FUNCTION clair.v4_get_notification(text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION clair.v4(method text, path text, query jsonb DEFAULT '{}', body jsonb DEFAULT NULL)
RETURNS clair.api_answer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part text[];
    named integer;
    asked text;
    answer clair.api_answer := (200, NULL);
BEGIN
    part := clair.api_path(path);
    -- What comes after so many names is an argument.
    named := CASE part[4] WHEN 'internal' THEN 5 ELSE 4 END;
    asked := concat(upper(method), ' /', array_to_string(part[1:named], '/'),
        CASE cardinality(part) - named WHEN 1 THEN '/:1' WHEN 2 THEN '/:1/:2' END);
    CASE asked
        WHEN 'POST /indexer/api/v1/index_report' THEN
            answer := (201, clair.v4_post_index_report(body));
        WHEN 'DELETE /indexer/api/v1/index_report' THEN
            answer.body := clair.v4_delete_index_reports(body);
        WHEN 'GET /indexer/api/v1/index_report/:1' THEN
            answer.body := clair.v4_get_index_report(part[5]);
        WHEN 'DELETE /indexer/api/v1/index_report/:1' THEN
            PERFORM clair.v4_delete_index_report(part[5]);
            answer.status := 204;
        WHEN 'GET /indexer/api/v1/index_state' THEN
            answer.body := clair.v4_get_index_state();
        WHEN 'POST /indexer/api/v1/internal/affected_manifest' THEN
            answer.body := clair.v4_post_affected_manifest(body);
        WHEN 'GET /matcher/api/v1/vulnerability_report/:1' THEN
            -- Before the first update, nobody knows.
            IF EXISTS (SELECT FROM clair.update_operations AS o WHERE o.kind = 'vulnerability') THEN
                answer.body := clair.v4_get_vulnerability_report(part[5]);
            ELSE
                answer.status := 202;
            END IF;
        WHEN 'GET /matcher/api/v1/internal/update_operation' THEN
            answer.body := clair.v4_get_update_operations(COALESCE(NULLIF(query ->> 'kind', ''), 'vulnerability'),
                COALESCE(query ->> 'latest' IN ('1', 't', 'T', 'true', 'TRUE', 'True'), false));
        WHEN 'DELETE /matcher/api/v1/internal/update_operation/:1' THEN
            RAISE EXCEPTION 'update operations are not deleted one by one'
                USING ERRCODE = 'feature_not_supported',
                    HINT = 'clair.forget_history() deletes what ended long ago.';
        WHEN 'GET /matcher/api/v1/internal/update_diff' THEN
            answer.body := clair.v4_get_update_diff(clair.v4_number(COALESCE(query ->> 'cur', ''), 'cur'),
                COALESCE(clair.v4_number(NULLIF(query ->> 'prev', ''), 'prev'), 0));
        WHEN 'GET /notifier/api/v1/notification/:1' THEN
            answer.body := clair.v4_get_notification(part[5],
                COALESCE(NULLIF(clair.api_number(query ->> 'page_size', 'page_size', 0), 0), 500),
                COALESCE(clair.v4_number(NULLIF(query ->> 'next', ''), 'next'), 0));
        WHEN 'DELETE /notifier/api/v1/notification/:1' THEN
            PERFORM clair.v1_delete_notification(part[5]);
        ELSE
            RAISE EXCEPTION 'there is no % %', method, path USING ERRCODE = 'undefined_object';
    END CASE;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    answer.status := clair.api_status(SQLSTATE);
    answer.body := json_build_object(
        'code', CASE answer.status
            WHEN 400 THEN 'bad-request'
            WHEN 403 THEN 'forbidden'
            WHEN 404 THEN 'not-found'
            WHEN 409 THEN 'conflict'
            WHEN 422 THEN 'unprocessable'
            WHEN 502 THEN 'bad-gateway'
            WHEN 503 THEN 'unavailable'
            ELSE 'internal-error'
        END,
        'message', SQLERRM);
    RETURN answer;
END
$$;
COMMENT ON FUNCTION clair.v4(text, text, jsonb, jsonb) IS
    'answers a request to the API of Clair 4, as clair.v1() does to that of Clair 2';
REVOKE ALL ON FUNCTION clair.v4(text, text, jsonb, jsonb) FROM PUBLIC;
