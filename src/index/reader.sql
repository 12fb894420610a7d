/*
 * Versions of what reads layers, and what has to be read again because of a newer one.
 *
 * These rows come with the extension and are not dumped. For each version that package.c or
 * layer.h has had there is one, with what has changed.
 */
CREATE TABLE clair.reader_version (
    role text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    change text NOT NULL,
    PRIMARY KEY (role, version)
);
COMMENT ON TABLE clair.reader_version IS
    'versions of what reads files of layers, and what each of them has changed';
COMMENT ON COLUMN clair.reader_version.role IS
    'the files that it reads, see clair.layer_entry; walk: which files of a layer are read at all';
COMMENT ON COLUMN clair.reader_version.version IS 'the version; the greatest one is in use';
COMMENT ON COLUMN clair.reader_version.change IS 'what is read otherwise since this version';

INSERT INTO clair.reader_version (role, version, change)
SELECT role, 1, 'the first version'
FROM pg_catalog.unnest('{walk,dpkg,apk,rpm,sqlite-log,os-release,lsb-release,alpine-release,debian_version,release,
    release-cpe,issue,apk-repositories,apt-sources,content-manifest,dnf-history,manifest,sbom}'::text[]) AS role
UNION ALL
SELECT role, 2, 'licenses of packages'
FROM pg_catalog.unnest('{apk,rpm}'::text[]) AS role;

ANALYZE clair.reader_version;

CREATE VIEW clair.outdated_layer AS
SELECT l.digest AS layer, NULL::text AS path, v.role, l.version AS read_by, v.version, v.change
FROM clair.layer AS l
    JOIN clair.reader_version AS v ON v.role = 'walk' AND v.version > l.version
UNION ALL
SELECT e.layer, e.path, v.role, e.version, v.version, v.change
FROM clair.layer_entry AS e
    JOIN clair.reader_version AS v ON v.role = e.role AND v.version > e.version
UNION ALL
SELECT l.digest, NULL, d.role, l.detectors, d.version, 'the detector is new, or has changed'
FROM clair.layer AS l
    JOIN clair.detector AS d ON d.version > l.detectors
-- A software bill of materials has no files.
WHERE NOT pg_catalog.starts_with(l.digest, 'sbom:');
COMMENT ON VIEW clair.outdated_layer IS
    'layers that were read by older versions than there are now, or before a detector was as it is now: of what, by which, and what newer ones have changed; they are read again when an image that has them is indexed again';

CREATE VIEW clair.images_to_reindex AS
SELECT part.image_id, part.layer, o.path, o.role, o.change
FROM clair.image_layer AS part
    JOIN clair.outdated_layer AS o ON o.layer = part.layer
UNION ALL
SELECT part.image_id, part.layer, NULL, NULL, 'the layer has been read again for another image'
FROM clair.image_layer AS part
    JOIN clair.layer AS l ON l.digest = part.layer
WHERE l.reading <> part.reading;
COMMENT ON VIEW clair.images_to_reindex IS
    'images of which newer versions of clair, or detectors, would say something else, should they be indexed again: because of which layer and file, and what has changed';

-- Views run with their caller's rights where the server can do that.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW clair.outdated_layer SET (security_invoker = true);
        ALTER VIEW clair.images_to_reindex SET (security_invoker = true);
    END IF;
END
$$;
