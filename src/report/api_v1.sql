/*
 * The API of Clair 2: notifications and metrics, and the function that answers whatever is asked.
 */
CREATE FUNCTION clair.v1_notified(notification bigint, side text, "limit" bigint, after_image bigint)
RETURNS TABLE (document json, last bigint, images bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH image AS (
        SELECT i.image, bool_or(i.side = v1_notified.side) AS is_hit
        FROM clair.notification_images(v1_notified.notification, "limit"::integer, after_image) AS i
        GROUP BY i.image
        UNION ALL
        SELECT n.image_id, v1_notified.side = 'after'
        FROM clair.notification AS n
        WHERE n.id = v1_notified.notification AND n.image_id > after_image AND "limit" > 0
    ),
    layer AS (
        SELECT json_agg(json_build_object('Index', i.image, 'LayerName', n.name) ORDER BY i.image) AS ordered,
            json_agg(n.name ORDER BY i.image) AS names
        FROM image AS i
            CROSS JOIN LATERAL (SELECT clair.v1_layer_name(i.image) AS name) AS n
        WHERE i.is_hit
    ),
    range AS (
        SELECT r.*
        FROM clair.notification AS n
            CROSS JOIN LATERAL jsonb_to_recordset(CASE v1_notified.side WHEN 'before' THEN n.before ELSE n.after END)
                AS r(namespace text, package text, fixed text, status text, severity clair.severity)
        WHERE n.id = v1_notified.notification
    ),
    vulnerability AS (
        SELECT json_build_object(
            'Name', n.vulnerability,
            'NamespaceName', said.namespace,
            'Description', COALESCE(v.description, d.description),
            'Link', v.link,
            'Severity', CASE WHEN said.severity <> 'Unknown' THEN said.severity
                ELSE COALESCE(d.severity, said.severity) END,
            'Metadata', CASE WHEN m.nvd IS NOT NULL THEN json_build_object('NVD', m.nvd) END,
            'FixedIn', said.fixes) AS document
        FROM clair.notification AS n
            CROSS JOIN LATERAL (
                SELECT min(r.namespace) AS namespace, max(r.severity) AS severity,
                    json_agg(json_build_object('Name', r.package, 'NamespaceName', r.namespace,
                        'VersionFormat', clair.namespace_format(r.namespace),
                        'Version', CASE r.status WHEN 'fixed' THEN r.fixed ELSE 'None' END)
                        ORDER BY r.namespace COLLATE "C", r.package COLLATE "C", r.fixed COLLATE "C") AS fixes
                FROM range AS r
            ) AS said
            LEFT JOIN LATERAL (
                SELECT known.description, known.link
                FROM clair.vulnerability AS known
                WHERE known.name = n.vulnerability AND known.updater = n.updater
                    AND CASE v1_notified.side WHEN 'before' THEN known.until_run ELSE known.since_run END = n.run
                ORDER BY known.id
                LIMIT 1
            ) AS v ON true
            LEFT JOIN clair.cve_detail AS d ON d.cve = n.vulnerability
            CROSS JOIN LATERAL (SELECT clair.v1_metadata(n.vulnerability) AS nvd) AS m
        WHERE n.id = v1_notified.notification AND EXISTS (SELECT FROM range)
    )
    SELECT
        CASE
            WHEN v.document IS NOT NULL OR l.ordered IS NOT NULL THEN json_build_object(
                'Vulnerability', v.document,
                'OrderedLayersIntroducingVulnerability', l.ordered,
                'LayersIntroducingVulnerability', l.names)
        END,
        (SELECT max(i.image) FROM image AS i),
        (SELECT count(*) FROM image AS i)
    FROM layer AS l
        LEFT JOIN vulnerability AS v ON true;
END
$$;
COMMENT ON FUNCTION clair.v1_notified(bigint, text, bigint, bigint) IS
    'one side, before or after, of a notification as the API of Clair 2 has it, with those of the next so many images after that number which are on this side; the last of these images, and how many they are on both sides';
REVOKE ALL ON FUNCTION clair.v1_notified(bigint, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION clair.v1_get_notification(name text, "limit" bigint, page text DEFAULT NULL)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    size bigint := LEAST("limit", 10000);
    after_image bigint := clair.api_number(COALESCE(page, '0'), 'page', 0);
BEGIN
    IF "limit" IS NULL THEN
        RAISE EXCEPTION 'must provide limit query parameter' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN (
        SELECT json_strip_nulls(json_build_object('Notification', json_build_object(
            'Name', d.id,
            'Created', floor(extract(epoch FROM n.created_at))::text,
            'Notified', floor(extract(epoch FROM d.posted_at))::text,
            'Deleted', floor(extract(epoch FROM d.finished_at))::text,
            'Limit', NULLIF(size, 0),
            'Page', after_image::text,
            'NextPage', CASE WHEN new.images = size THEN COALESCE(new.last, after_image)::text END,
            'Old', old.document,
            'New', new.document)))
        FROM clair.api_delivery(v1_get_notification.name) AS d
            JOIN clair.notification AS n ON n.id = d.notification
            CROSS JOIN LATERAL clair.v1_notified(n.id, 'before', size, after_image) AS old
            CROSS JOIN LATERAL clair.v1_notified(n.id, 'after', size, after_image) AS new
    );
END
$$;
COMMENT ON FUNCTION clair.v1_get_notification(text, bigint, text) IS
    'GET /v1/notifications/:name: what a notification changes, and for the next so many images (at most 10000); name: the id that a webhook was posted, page: NextPage of the answer before';
REVOKE ALL ON FUNCTION clair.v1_get_notification(text, bigint, text) FROM PUBLIC;

CREATE FUNCTION clair.v1_delete_notification(name text)
RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT clair.acknowledge(d.consumer, d.notification)
    FROM clair.api_delivery(v1_delete_notification.name) AS d;
END;
COMMENT ON FUNCTION clair.v1_delete_notification(text) IS
    'DELETE /v1/notifications/:name: the consumer has dealt with a notification, see clair.acknowledge()';
REVOKE ALL ON FUNCTION clair.v1_delete_notification(text) FROM PUBLIC;

CREATE FUNCTION clair.v1_get_metrics()
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.string_agg(
        pg_catalog.format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n%4$s', metric.name, metric.help, metric.type, metric.samples),
        '' ORDER BY metric.name)
    FROM (
        SELECT 'clair_images' AS name, 'Images that have been indexed.' AS help, 'gauge' AS type,
            pg_catalog.format(E'clair_images %s\n', pg_catalog.count(*)) AS samples
        FROM clair.image
        UNION ALL
        SELECT 'clair_updater_errors_total', 'Runs of updaters that failed.', 'counter',
            pg_catalog.string_agg(
                pg_catalog.format(E'clair_updater_errors_total{updater="%s"} %s\n', r.updater, r.failed), ''
                ORDER BY r.updater)
        FROM (
            SELECT run.updater, pg_catalog.count(*) FILTER (WHERE run.state = 'failed') AS failed
            FROM clair.update_run AS run
            GROUP BY run.updater
        ) AS r
        UNION ALL
        SELECT 'clair_updater_duration_seconds', 'How long the last run of an updater took.', 'gauge',
            pg_catalog.string_agg(
                pg_catalog.format(E'clair_updater_duration_seconds{updater="%s"} %s\n', s.updater,
                    EXTRACT(epoch FROM s.finished_at - s.started_at)), '' ORDER BY s.updater)
        FROM clair.update_status AS s
        WHERE s.finished_at IS NOT NULL
        UNION ALL
        SELECT 'clair_updater_last_success_timestamp_seconds', 'When an updater last succeeded.', 'gauge',
            pg_catalog.string_agg(
                pg_catalog.format(E'clair_updater_last_success_timestamp_seconds{updater="%s"} %s\n', s.updater,
                    EXTRACT(epoch FROM s.last_success)), '' ORDER BY s.updater)
        FROM clair.update_status AS s
        WHERE s.last_success IS NOT NULL
        UNION ALL
        SELECT 'clair_notifications_pending', 'Notifications that a consumer has not acknowledged.', 'gauge',
            pg_catalog.string_agg(
                pg_catalog.format(E'clair_notifications_pending{consumer="%s"} %s\n', c.name, c.pending), ''
                ORDER BY c.name)
        FROM clair.consumer_status AS c
    ) AS metric
    WHERE metric.samples IS NOT NULL;
END;
COMMENT ON FUNCTION clair.v1_get_metrics() IS
    'GET /v1/metrics: images, updaters and consumers, as text in the format of Prometheus';
REVOKE ALL ON FUNCTION clair.v1_get_metrics() FROM PUBLIC;

/*
 * The whole of it: a request as HTTP has it, and what to answer. An error undoes what the request did.
 */
CREATE FUNCTION clair.v1(method text, path text, query jsonb DEFAULT '{}', body jsonb DEFAULT NULL)
RETURNS clair.api_answer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part text[];
    answer clair.api_answer := (200, NULL);
BEGIN
    part := clair.api_path(path);
    CASE upper(method) || ' /' || concat_ws('/', part[1], part[2], CASE WHEN part[3] <> '' THEN ':1' END,
            part[4], CASE WHEN part[5] <> '' THEN ':2' END, part[6], CASE WHEN part[7] <> '' THEN ':3' END,
            part[8])
        WHEN 'POST /v1/layers' THEN
            answer := (201, clair.v1_post_layer(body));
        WHEN 'GET /v1/layers/:1' THEN
            answer.body := clair.v1_get_layer(part[3], query ? 'features', query ? 'vulnerabilities');
        WHEN 'DELETE /v1/layers/:1' THEN
            PERFORM clair.v1_delete_layer(part[3]);
        WHEN 'GET /v1/namespaces' THEN
            answer.body := clair.v1_get_namespaces();
        WHEN 'GET /v1/namespaces/:1/vulnerabilities' THEN
            answer.body := clair.v1_get_vulnerabilities(part[3],
                clair.api_number(query ->> 'limit', 'limit', 1), query ->> 'page');
        WHEN 'POST /v1/namespaces/:1/vulnerabilities' THEN
            answer := (201, clair.v1_post_vulnerability(body));
        WHEN 'GET /v1/namespaces/:1/vulnerabilities/:2' THEN
            answer.body := clair.v1_get_vulnerability(part[3], part[5], query ? 'fixedIn');
        WHEN 'PUT /v1/namespaces/:1/vulnerabilities/:2' THEN
            answer.body := clair.v1_put_vulnerability(part[3], part[5], body);
        WHEN 'DELETE /v1/namespaces/:1/vulnerabilities/:2' THEN
            PERFORM clair.v1_delete_vulnerability(part[3], part[5]);
        WHEN 'GET /v1/namespaces/:1/vulnerabilities/:2/fixes' THEN
            answer.body := clair.v1_get_fixes(part[3], part[5]);
        WHEN 'PUT /v1/namespaces/:1/vulnerabilities/:2/fixes/:3' THEN
            answer.body := clair.v1_put_fix(part[3], part[5], part[7], body);
        WHEN 'DELETE /v1/namespaces/:1/vulnerabilities/:2/fixes/:3' THEN
            PERFORM clair.v1_delete_fix(part[3], part[5], part[7]);
        WHEN 'GET /v1/notifications/:1' THEN
            answer.body := clair.v1_get_notification(part[3],
                clair.api_number(query ->> 'limit', 'limit', 0), query ->> 'page');
        WHEN 'DELETE /v1/notifications/:1' THEN
            PERFORM clair.v1_delete_notification(part[3]);
        WHEN 'GET /v1/metrics' THEN
            answer.body := to_json(clair.v1_get_metrics());
        WHEN 'GET /health' THEN
            answer.status := CASE
                WHEN EXISTS (SELECT FROM clair.check_health() AS h WHERE h.state = 'error') THEN 500
                ELSE 200
            END;
        ELSE
            RAISE EXCEPTION 'there is no % %', method, path USING ERRCODE = 'undefined_object';
    END CASE;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN (clair.api_status(SQLSTATE), json_build_object('Error', json_build_object('Message', SQLERRM)));
END
$$;
COMMENT ON FUNCTION clair.v1(text, text, jsonb, jsonb) IS
    'answers a request to the API of Clair 2: method and path as they came; query: the parameters as an object of texts, of which some count by being there; body: the JSON that came with it. What goes wrong is an answer, too, and has changed nothing. src/README.md says what differs';
REVOKE ALL ON FUNCTION clair.v1(text, text, jsonb, jsonb) FROM PUBLIC;
