/*
 * Policies: which findings keep an image from being deployed.
 *
 * A finding violates a policy when no exception covers it, it passes what the policy leaves out
 * (what has no fix, what is still young), and it reaches one of the thresholds that the policy
 * has; with none, every finding does. What keeps us from knowing the findings violates it as well.
 */
CREATE TABLE clair.builtin_policy (
    name text COLLATE "C" PRIMARY KEY,
    minimum_severity clair.severity,
    minimum_score numeric(3, 1),
    minimum_epss real,
    exploited boolean NOT NULL,
    fixable_only boolean NOT NULL,
    grace_days integer,
    gaps boolean NOT NULL,
    description text NOT NULL
);
COMMENT ON TABLE clair.builtin_policy IS
    'the policies that the extension brings; the columns are those of clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.name IS 'name of the policy';
COMMENT ON COLUMN clair.builtin_policy.minimum_severity IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.minimum_score IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.minimum_epss IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.exploited IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.fixable_only IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.grace_days IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.gaps IS 'as in clair.own_policy';
COMMENT ON COLUMN clair.builtin_policy.description IS 'as in clair.own_policy';

INSERT INTO clair.builtin_policy (name, minimum_severity, exploited, fixable_only, gaps, description)
VALUES
    ('default', 'High', false, false, true, 'severity High and above'),
    ('fixable', 'High', false, true, true, 'severity High and above, once there is a fix'),
    ('strict', NULL, false, false, true, 'every vulnerability');

CREATE TABLE clair.own_policy (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    minimum_severity clair.severity,
    minimum_score numeric(3, 1) CHECK (minimum_score BETWEEN 0 AND 10),
    minimum_epss real CHECK (minimum_epss BETWEEN 0 AND 1),
    exploited boolean NOT NULL,
    fixable_only boolean NOT NULL,
    grace_days integer CHECK (grace_days >= 0),
    gaps boolean NOT NULL,
    description text,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.own_policy IS
    'policies that were made or changed through the view clair.policy';
COMMENT ON COLUMN clair.own_policy.name IS 'name of the policy';
COMMENT ON COLUMN clair.own_policy.minimum_severity IS
    'threshold: findings of this severity or a higher one';
COMMENT ON COLUMN clair.own_policy.minimum_score IS 'threshold: CVEs with this CVSS score or a higher one';
COMMENT ON COLUMN clair.own_policy.minimum_epss IS
    'threshold: CVEs with this probability of exploitation or a higher one';
COMMENT ON COLUMN clair.own_policy.exploited IS
    'threshold: CVEs that are known to be exploited';
COMMENT ON COLUMN clair.own_policy.fixable_only IS 'whether what has no fix is left out';
COMMENT ON COLUMN clair.own_policy.grace_days IS
    'for how many days after its publication a vulnerability is left out';
COMMENT ON COLUMN clair.own_policy.gaps IS
    'whether what keeps us from knowing the findings violates the policy';
COMMENT ON COLUMN clair.own_policy.description IS 'what it is for';
COMMENT ON COLUMN clair.own_policy.set_by IS 'the role that set it last';
COMMENT ON COLUMN clair.own_policy.set_at IS 'when it did';

SELECT pg_catalog.pg_extension_config_dump('clair.own_policy', '');

CREATE VIEW clair.policy AS
SELECT name, minimum_severity, minimum_score, minimum_epss, exploited, fixable_only, grace_days, gaps,
    description
FROM clair.own_policy
UNION ALL
SELECT b.name, b.minimum_severity, b.minimum_score, b.minimum_epss, b.exploited, b.fixable_only,
    b.grace_days, b.gaps, b.description
FROM clair.builtin_policy AS b
    LEFT JOIN clair.own_policy AS o ON o.name = b.name
WHERE o.name IS NULL;
ALTER VIEW clair.policy ALTER COLUMN exploited SET DEFAULT false;
ALTER VIEW clair.policy ALTER COLUMN fixable_only SET DEFAULT false;
ALTER VIEW clair.policy ALTER COLUMN gaps SET DEFAULT true;
COMMENT ON VIEW clair.policy IS
    'the policies, see clair.own_policy for the columns; takes INSERT, UPDATE and DELETE, of which the last sets a policy that the extension brings back to what it was';

CREATE FUNCTION clair.set_policy()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.set_policy() IS 'stores what changes clair.policy';
REVOKE ALL ON FUNCTION clair.set_policy() FROM PUBLIC;

CREATE TRIGGER set_policy
INSTEAD OF INSERT OR UPDATE OR DELETE ON clair.policy
FOR EACH ROW EXECUTE FUNCTION clair.set_policy();

CREATE FUNCTION clair.find_policy(policy text)
RETURNS clair.policy
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found clair.policy;
BEGIN
    SELECT * INTO found FROM clair.policy AS p WHERE p.name = find_policy.policy;
    IF found.name IS NULL THEN
        RAISE EXCEPTION 'policy "%" does not exist', policy
            USING ERRCODE = 'undefined_object', HINT = 'See clair.policy, into which policies are inserted.';
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION clair.find_policy(text) IS 'the policy of this name; an error when there is none';
REVOKE ALL ON FUNCTION clair.find_policy(text) FROM PUBLIC;

/*
 * What an image has against a policy. A vulnerability is published when its CVE was or, where that
 * is not known, when a run first brought it; if neither is known, it has no grace.
 */
CREATE FUNCTION clair.check_image(image text, policy text DEFAULT 'default')
RETURNS TABLE (vulnerability text, feature text, installed_version text, fixed_in text,
    severity clair.severity, why text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    p clair.policy := clair.find_policy(policy);
    checked_image bigint := clair.image_id(image);
BEGIN
    RETURN QUERY
    SELECT v.vulnerability::text, v.feature::text, v.installed_version, v.fixed_in, v.severity,
        COALESCE(
            NULLIF(
                concat_ws(', ',
                    CASE WHEN v.severity >= p.minimum_severity THEN 'severity ' || v.severity END,
                    CASE WHEN d.score >= p.minimum_score THEN 'CVSS score ' || d.score END,
                    CASE WHEN d.epss >= p.minimum_epss THEN 'EPSS ' || d.epss END,
                    CASE WHEN p.exploited AND d.kev_date_added IS NOT NULL THEN 'known to be exploited' END
                ),
                ''
            ),
            'vulnerable'
        )
    FROM clair.image_vulnerability AS v
        LEFT JOIN clair.cve_detail AS d ON d.cve = v.vulnerability
    WHERE v.image_id = checked_image
        AND (NOT p.fixable_only OR v.fixed_in IS NOT NULL)
        AND (
            v.severity >= p.minimum_severity
            OR d.score >= p.minimum_score
            OR d.epss >= p.minimum_epss
            OR p.exploited AND d.kev_date_added IS NOT NULL
            OR p.minimum_severity IS NULL AND p.minimum_score IS NULL AND p.minimum_epss IS NULL
                AND NOT p.exploited
        )
        AND (
            p.grace_days IS NULL
            OR COALESCE(
                COALESCE(
                    d.published,
                    (
                        SELECT min(r.started_at)
                        FROM clair.vulnerability AS known
                            JOIN clair.update_run AS r ON r.id = known.since_run
                        WHERE known.name = v.vulnerability AND known.updater = v.updater
                    )
                ) <= now() - make_interval(days => p.grace_days),
                true
            )
        )
        AND v.exception IS NULL
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, concat_ws(' of ', c.state, c.updater)
    FROM clair.image_coverage AS c
    WHERE p.gaps AND c.image_id = checked_image AND c.state <> 'current'
    UNION ALL
    -- What the thresholds are compared with.
    SELECT NULL, NULL, NULL, NULL, NULL,
        CASE WHEN s.last_success IS NULL THEN 'no_feed' ELSE 'stale_feed' END || ' of ' || s.updater
    FROM clair.update_status AS s
    WHERE p.gaps
        AND NOT s.fresh
        AND s.updater = ANY (ARRAY[
            CASE
                WHEN p.minimum_score IS NOT NULL AND NOT EXISTS (
                    SELECT FROM clair.update_status AS list WHERE list.updater = 'cve_list' AND list.fresh
                ) THEN 'nvd'
            END,
            CASE WHEN p.minimum_epss IS NOT NULL THEN 'epss' END,
            CASE WHEN p.exploited THEN 'kev' END
        ]);
END
$$;
COMMENT ON FUNCTION clair.check_image(text, text) IS
    'what an image has against a policy: the findings that violate it and which thresholds they reach; and, unless the policy says otherwise, a row without a vulnerability for whatever keeps us from knowing them';
REVOKE ALL ON FUNCTION clair.check_image(text, text) FROM PUBLIC;

-- Volatile: it sees what the transaction that calls it has just indexed.
CREATE FUNCTION clair.assert_image(image text, policy text DEFAULT 'default')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    violations bigint;
    first_ones text;
BEGIN
    SELECT count(*), string_agg(line, E'\n' ORDER BY number) FILTER (WHERE number <= 10)
    INTO violations, first_ones
    FROM (
        SELECT COALESCE(c.vulnerability || ' in ' || c.feature || ' ' || c.installed_version || ': ', '')
                || c.why || COALESCE('; fixed in ' || c.fixed_in, '') AS line,
            row_number() OVER (
                ORDER BY c.vulnerability IS NOT NULL, c.severity DESC, c.vulnerability COLLATE "C",
                    c.feature COLLATE "C"
            ) AS number
        FROM clair.check_image(assert_image.image, assert_image.policy) AS c
    ) AS violation;
    IF violations > 0 THEN
        RAISE EXCEPTION 'image "%" violates policy "%" (violations: %)', image, policy, violations
            USING ERRCODE = 'check_violation',
                DETAIL = first_ones || CASE WHEN violations > 10 THEN E'\n...' ELSE '' END,
                HINT = format('See clair.check_image(%L, %L). clair.create_exception() says which findings do not count.',
                    image, policy);
    END IF;
END
$$;
COMMENT ON FUNCTION clair.assert_image(text, text) IS
    'raises check_violation, with the first of them, when clair.check_image() has anything to say of an image';
REVOKE ALL ON FUNCTION clair.assert_image(text, text) FROM PUBLIC;

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.policy SET (security_invoker = true);
    END IF;
END
$$;
