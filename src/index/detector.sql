/*
 * Detectors: SQL functions of users that find features in files of images.
 *
 * The table is the users' and dumped. A detector's version is of a sequence, so that no layer that was
 * read before takes a detector that is new, or changed, or named like a former one, for one that it
 * was read with.
 */
CREATE SEQUENCE clair.detector_version AS integer;

CREATE TABLE clair.detector (
    name text COLLATE "C" PRIMARY KEY,
    role text COLLATE "C" NOT NULL GENERATED ALWAYS AS ('detector:' || name) STORED,
    function text NOT NULL,
    paths text[] NOT NULL,
    format text NOT NULL,
    namespace text COLLATE "C",
    image_namespace text,
    version integer NOT NULL,
    owner text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.detector IS
    'functions that find features in files of images, see clair.create_detector()';
COMMENT ON COLUMN clair.detector.name IS 'its name';
COMMENT ON COLUMN clair.detector.role IS
    'what clair.layer_entry and clair.package_database know it by';
COMMENT ON COLUMN clair.detector.function IS 'the function, quoted and with its schema';
COMMENT ON COLUMN clair.detector.paths IS 'patterns of the paths of the files that it wants';
COMMENT ON COLUMN clair.detector.format IS 'format of the versions that it finds: dpkg, rpm, apk';
COMMENT ON COLUMN clair.detector.namespace IS
    'the namespace of what it finds; null: that of the image';
COMMENT ON COLUMN clair.detector.image_namespace IS
    'LIKE pattern of the namespaces of the images that it is for; null: all';
COMMENT ON COLUMN clair.detector.version IS
    'changes whenever the detector does: what layers say was found by one version';
COMMENT ON COLUMN clair.detector.owner IS
    'the role that made it: the function is called with its rights';
COMMENT ON COLUMN clair.detector.set_at IS 'when it was made or changed';

SELECT pg_catalog.pg_extension_config_dump('clair.detector', '');
SELECT pg_catalog.pg_extension_config_dump('clair.detector_version', '');

ANALYZE clair.detector;

CREATE FUNCTION clair.create_detector(
    name text,
    function regprocedure,
    paths text[],
    format text,
    namespace text DEFAULT NULL,
    image_namespace text DEFAULT NULL
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.create_detector(text, regprocedure, text[], text, text, text) IS
    'lets a function (path text, content bytea) find features in the files of images whose paths match a pattern: in a pattern, * stands for anything but /, and ** for directories; the function returns a set of rows with name and version, and maybe source_name, source_version, architecture, module, vendor and license; the other arguments are the columns of clair.detector';
REVOKE ALL ON FUNCTION clair.create_detector(text, regprocedure, text[], text, text, text) FROM PUBLIC;

CREATE FUNCTION clair.alter_detector(
    name text,
    function regprocedure DEFAULT NULL,
    paths text[] DEFAULT NULL,
    format text DEFAULT NULL,
    namespace text DEFAULT NULL,
    image_namespace text DEFAULT NULL
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.alter_detector(text, regprocedure, text[], text, text, text) IS
    'changes a detector, or says that its function does something else now; null leaves as it was, and an empty text takes a namespace back; clair.images_to_reindex has the images of which it may say something else';
REVOKE ALL ON FUNCTION clair.alter_detector(text, regprocedure, text[], text, text, text) FROM PUBLIC;

CREATE FUNCTION clair.drop_detector(name text)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.drop_detector(text) IS
    'forgets a detector, and everything that it has found in images';
REVOKE ALL ON FUNCTION clair.drop_detector(text) FROM PUBLIC;
