/*
 * What is known of vulnerabilities by their CVE alone: how bad they are, how likely they are
 * exploited, which are. Updaters that say nothing of packages bring it ("appenders").
 *
 * It is joined when it is read. It is no part of a vulnerability: what changes here neither begins
 * nor ends one, nor is it announced. There is no history: a row is what its updater says now.
 */
CREATE TABLE clair.cve (
    cve text COLLATE "C" NOT NULL,
    severity clair.severity,
    updater text COLLATE "C",
    metric integer,
    PRIMARY KEY (cve) INCLUDE (severity)
);
COMMENT ON TABLE clair.cve IS
    'the CVEs of which anything is known here, and how bad they are: what one of their metrics says, see clair.cve_metric';
COMMENT ON COLUMN clair.cve.cve IS 'the CVE';
COMMENT ON COLUMN clair.cve.severity IS 'severity of the metric; null when there is none';
COMMENT ON COLUMN clair.cve.updater IS 'updater of the metric';
COMMENT ON COLUMN clair.cve.metric IS 'number of the metric';

CREATE TABLE clair.cve_statement (
    cve text COLLATE "C" NOT NULL,
    updater text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    state text,
    description text,
    published timestamptz,
    modified timestamptz,
    PRIMARY KEY (cve, updater)
);
COMMENT ON TABLE clair.cve_statement IS 'what updaters say of CVEs';
COMMENT ON COLUMN clair.cve_statement.cve IS 'the CVE';
COMMENT ON COLUMN clair.cve_statement.updater IS 'the updater';
COMMENT ON COLUMN clair.cve_statement.digest IS 'digest of this row and its metrics';
COMMENT ON COLUMN clair.cve_statement.state IS
    'in the source''s words: nvd has Received, Analyzed, Deferred, Rejected and others, cve_list PUBLISHED and REJECTED';
COMMENT ON COLUMN clair.cve_statement.description IS 'description, in English';
COMMENT ON COLUMN clair.cve_statement.published IS 'when it was published';
COMMENT ON COLUMN clair.cve_statement.modified IS 'when the source changed it last';

CREATE TABLE clair.cve_metric (
    cve text COLLATE "C" NOT NULL,
    updater text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    source text NOT NULL,
    type text NOT NULL CHECK (type IN ('Primary', 'Secondary', 'CNA', 'ADP')),
    version text NOT NULL CHECK (version IN ('2.0', '3.0', '3.1', '4.0')),
    vector text,
    score numeric(3, 1) NOT NULL CHECK (score BETWEEN 0 AND 10),
    severity clair.severity NOT NULL,
    PRIMARY KEY (cve, updater, number)
);
COMMENT ON TABLE clair.cve_metric IS 'how bad CVEs are: CVSS vectors and scores, of whoever gave them';
COMMENT ON COLUMN clair.cve_metric.cve IS 'the CVE';
COMMENT ON COLUMN clair.cve_metric.updater IS 'the updater that says it';
COMMENT ON COLUMN clair.cve_metric.number IS 'position within what it says of the CVE';
COMMENT ON COLUMN clair.cve_metric.source IS 'who gave it, as the updater names them';
COMMENT ON COLUMN clair.cve_metric.type IS
    'nvd: Primary, or Secondary, which is of somebody else than NVD; cve_list: CNA, who assigned the CVE, or ADP, who enriched it';
COMMENT ON COLUMN clair.cve_metric.version IS 'version of CVSS';
COMMENT ON COLUMN clair.cve_metric.vector IS 'the vector, as it was given';
COMMENT ON COLUMN clair.cve_metric.score IS
    'the base score: that of the vector, or, when this is not valid, as it was given';
COMMENT ON COLUMN clair.cve_metric.severity IS 'the band of the score';

-- Most rows change every day: pages have room for the next version of theirs.
CREATE TABLE clair.epss (
    cve text COLLATE "C" PRIMARY KEY,
    score real NOT NULL,
    percentile real
) WITH (fillfactor = 50);
COMMENT ON TABLE clair.epss IS
    'EPSS of FIRST: how likely CVEs are exploited within 30 days, see clair.epss_edition';
COMMENT ON COLUMN clair.epss.cve IS 'the CVE';
COMMENT ON COLUMN clair.epss.score IS 'the probability';
COMMENT ON COLUMN clair.epss.percentile IS
    'the share of all CVEs with this score or a lower one; editions before September 2021 have none';

CREATE TABLE clair.epss_edition (
    updater text COLLATE "C" PRIMARY KEY,
    model text,
    score_date timestamptz
);
COMMENT ON TABLE clair.epss_edition IS 'which edition of EPSS clair.epss has';
COMMENT ON COLUMN clair.epss_edition.updater IS 'the updater';
COMMENT ON COLUMN clair.epss_edition.model IS 'version of the model';
COMMENT ON COLUMN clair.epss_edition.score_date IS 'the day of the scores';

CREATE TABLE clair.kev (
    cve text COLLATE "C" PRIMARY KEY,
    updater text COLLATE "C" NOT NULL,
    date_added date NOT NULL,
    due_date date,
    ransomware boolean NOT NULL,
    vendor text,
    product text,
    name text,
    required_action text,
    notes text
);
COMMENT ON TABLE clair.kev IS 'known exploited vulnerabilities: the catalog of CISA';
COMMENT ON COLUMN clair.kev.cve IS 'the CVE';
COMMENT ON COLUMN clair.kev.updater IS 'the updater that says it';
COMMENT ON COLUMN clair.kev.date_added IS 'when it was added to the catalog';
COMMENT ON COLUMN clair.kev.due_date IS 'until when agencies must have acted';
COMMENT ON COLUMN clair.kev.ransomware IS 'whether it is known to be used for ransomware';
COMMENT ON COLUMN clair.kev.vendor IS 'who makes the product';
COMMENT ON COLUMN clair.kev.product IS 'the product';
COMMENT ON COLUMN clair.kev.name IS 'name of the vulnerability';
COMMENT ON COLUMN clair.kev.required_action IS 'what agencies must do';
COMMENT ON COLUMN clair.kev.notes IS 'references and remarks';

SELECT pg_catalog.pg_extension_config_dump('clair.cve', '');
SELECT pg_catalog.pg_extension_config_dump('clair.cve_statement', '');
SELECT pg_catalog.pg_extension_config_dump('clair.cve_metric', '');
SELECT pg_catalog.pg_extension_config_dump('clair.epss', '');
SELECT pg_catalog.pg_extension_config_dump('clair.epss_edition', '');
SELECT pg_catalog.pg_extension_config_dump('clair.kev', '');

/*
 * All of it, a row for each CVE. Everything is joined from the left by a key, so that what a query
 * does not select is not read, and a CVE is looked up in a few index probes.
 */
CREATE VIEW clair.cve_detail AS
SELECT
    c.cve,
    c.severity,
    m.score,
    m.vector,
    m.version AS cvss_version,
    m.source AS scored_by,
    COALESCE(nvd.description, list.description) AS description,
    COALESCE(nvd.published, list.published) AS published,
    GREATEST(nvd.modified, list.modified) AS modified,
    COALESCE(nvd.state, list.state) AS state,
    nvd.state IS NOT DISTINCT FROM 'Rejected' OR list.state IS NOT DISTINCT FROM 'REJECTED' AS rejected,
    e.score AS epss,
    e.percentile AS epss_percentile,
    k.date_added AS kev_date_added,
    k.due_date AS kev_due_date,
    k.ransomware AS kev_ransomware,
    k.required_action AS kev_required_action
FROM clair.cve AS c
    LEFT JOIN clair.cve_metric AS m
        ON m.cve = c.cve AND m.updater = c.updater AND m.number = c.metric
    LEFT JOIN clair.cve_statement AS nvd ON nvd.cve = c.cve AND nvd.updater = 'nvd'
    LEFT JOIN clair.cve_statement AS list ON list.cve = c.cve AND list.updater = 'cve_list'
    LEFT JOIN clair.epss AS e ON e.cve = c.cve
    LEFT JOIN clair.kev AS k ON k.cve = c.cve;
COMMENT ON VIEW clair.cve_detail IS 'what is known of CVEs, a row for each';
COMMENT ON COLUMN clair.cve_detail.cve IS 'the CVE';
COMMENT ON COLUMN clair.cve_detail.severity IS 'severity, of the metric that counts';
COMMENT ON COLUMN clair.cve_detail.score IS 'CVSS base score of that metric';
COMMENT ON COLUMN clair.cve_detail.vector IS 'its vector';
COMMENT ON COLUMN clair.cve_detail.cvss_version IS 'its version of CVSS';
COMMENT ON COLUMN clair.cve_detail.scored_by IS 'who gave it';
COMMENT ON COLUMN clair.cve_detail.description IS 'description: NVD''s, else the CVE List''s';
COMMENT ON COLUMN clair.cve_detail.published IS 'when it was published';
COMMENT ON COLUMN clair.cve_detail.modified IS 'when a source changed it last';
COMMENT ON COLUMN clair.cve_detail.state IS 'state: NVD''s, else the CVE List''s';
COMMENT ON COLUMN clair.cve_detail.rejected IS 'whether NVD or the CVE List says that it was rejected';
COMMENT ON COLUMN clair.cve_detail.epss IS 'probability of exploitation within 30 days';
COMMENT ON COLUMN clair.cve_detail.epss_percentile IS 'share of all CVEs with this probability or a lower one';
COMMENT ON COLUMN clair.cve_detail.kev_date_added IS
    'when CISA added it to the known exploited vulnerabilities; null when it is none of them';
COMMENT ON COLUMN clair.cve_detail.kev_due_date IS 'until when agencies must have acted';
COMMENT ON COLUMN clair.cve_detail.kev_ransomware IS 'whether it is known to be used for ransomware';
COMMENT ON COLUMN clair.cve_detail.kev_required_action IS 'what agencies must do';
