/*
 * Flavours: builds of one package beside each other, whose versions cannot be compared with those
 * of the others.
 *
 * These rows come with the extension and are not dumped.
 */
CREATE TABLE clair.flavour_rule (
    family text COLLATE "C" NOT NULL REFERENCES clair.distribution,
    version_pattern text COLLATE "C" NOT NULL,
    flavour text COLLATE "C" NOT NULL CHECK (flavour <> ''),
    PRIMARY KEY (family, version_pattern)
);
COMMENT ON TABLE clair.flavour_rule IS
    'which versions show that a package is of a flavour of its distribution: what is fixed in one flavour says nothing of the others';
COMMENT ON COLUMN clair.flavour_rule.family IS 'the distribution';
COMMENT ON COLUMN clair.flavour_rule.version_pattern IS 'regular expression for versions';
COMMENT ON COLUMN clair.flavour_rule.flavour IS 'the flavour';

INSERT INTO clair.flavour_rule (family, version_pattern, flavour)
VALUES
    ('oracle', '_fips$', 'fips'),
    ('oracle', '\.ksplice', 'ksplice'),
    ('ubuntu', '[+~]esm', 'esm'),
    ('ubuntu', '(?i)[+.~]fips', 'fips');

ANALYZE clair.flavour_rule;
