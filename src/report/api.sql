/*
 * What serves both of Clair's APIs, that of version 2 (api_v1*.sql) and that of version 4
 * (api_v4*.sql): src/README.md maps each endpoint to its function.
 *
 * A gateway hands what it was asked to clair.v1() or clair.v4(), and answers with what these return.
 * All functions run with the caller's rights: whoever may not do a thing by the functions and tables
 * below may not do it by these.
 */
CREATE TYPE clair.api_answer AS (
    status integer,
    body json
);
COMMENT ON TYPE clair.api_answer IS
    'what clair.v1() and clair.v4() answer: a status of HTTP, and a body, null when there is none';

CREATE FUNCTION clair.api_status(sqlstate text)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN sqlstate IN ('42704', 'P0002') THEN 404    -- undefined_object, no_data_found
        WHEN sqlstate = '42501' THEN 403                -- insufficient_privilege
        WHEN sqlstate = '55000' THEN 409                -- object_not_in_prerequisite_state
        -- What was read is broken, of a kind that is not read, or beyond a limit.
        WHEN sqlstate IN ('22000', '0A000', '54000') THEN 422
        WHEN pg_catalog.left(sqlstate, 2) IN ('22', '23') OR sqlstate IN ('42602', '42809', '58P01') THEN 400
        -- What was to be fetched could not be.
        WHEN pg_catalog.left(sqlstate, 2) = '08' OR sqlstate = '58030' THEN 502
        WHEN pg_catalog.left(sqlstate, 2) IN ('25', '40', '53', '55', '57') THEN 503
        ELSE 500
    END;
END;
COMMENT ON FUNCTION clair.api_status(text) IS 'the status of HTTP that says what an SQLSTATE does';
REVOKE ALL ON FUNCTION clair.api_status(text) FROM PUBLIC;

CREATE FUNCTION clair.api_path(path text)
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(
        (
            SELECT COALESCE(pg_catalog.convert_from(
                pg_catalog.string_agg(
                    CASE
                        WHEN piece.text[1] ~ '^%.' THEN pg_catalog.decode(pg_catalog.substr(piece.text[1], 2), 'hex')
                        ELSE pg_catalog.convert_to(piece.text[1], 'UTF8')
                    END,
                    ''::bytea ORDER BY piece.number),
                'UTF8'), '')
            FROM pg_catalog.regexp_matches(part.text, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g')
                WITH ORDINALITY AS piece(text, number)
        )
        ORDER BY part.number)
    FROM pg_catalog.unnest(pg_catalog.string_to_array(pg_catalog.btrim(path, '/'), '/'))
        WITH ORDINALITY AS part(text, number);
END;
COMMENT ON FUNCTION clair.api_path(text) IS
    'the parts of the path of a URL, in which each %XX stands for a byte';
REVOKE ALL ON FUNCTION clair.api_path(text) FROM PUBLIC;

CREATE FUNCTION clair.api_number(value text, name text, smallest bigint)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value !~ '^[0-9]{1,18}$' OR value::bigint < smallest THEN
        RAISE EXCEPTION 'invalid %: "%"', name, value
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format('It is a number, %s or more.', smallest);
    END IF;
    RETURN value;
END
$$;
COMMENT ON FUNCTION clair.api_number(text, text, bigint) IS
    'a parameter of a query as a number; an error that names it when it is none, or less than the smallest';
REVOKE ALL ON FUNCTION clair.api_number(text, text, bigint) FROM PUBLIC;

CREATE FUNCTION clair.api_delivery(name text)
RETURNS TABLE (id uuid, consumer text, notification bigint, posted_at timestamptz, finished_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF api_delivery.name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RETURN QUERY
        SELECT r.id, r.consumer::text, r.notification,
            CASE WHEN r.status BETWEEN 200 AND 299 THEN r.answered_at END,
            CASE WHEN d.state = 'acknowledged' AND r.status NOT BETWEEN 200 AND 299 THEN d.finished_at END
        FROM clair.webhook_receipt AS r
            JOIN clair.delivery AS d ON d.consumer = r.consumer AND d.notification = r.notification
        WHERE r.id = api_delivery.name::uuid;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'notification "%" does not exist', api_delivery.name
            USING ERRCODE = 'undefined_object',
                HINT = 'It is the id that a webhook was posted, see clair.webhook_delivery.';
    END IF;
END
$$;
COMMENT ON FUNCTION clair.api_delivery(text) IS
    'the delivery whose id a webhook was posted: of which consumer and notification; when it was received, and when it was acknowledged in another way; an error when there is none';
REVOKE ALL ON FUNCTION clair.api_delivery(text) FROM PUBLIC;
