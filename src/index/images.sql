/*
 * Indexing many images in one call, by background workers.
 */
CREATE FUNCTION clair.images_in(folder text)
RETURNS SETOF text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE COST 1000 ROWS 100
AS 'MODULE_PATHNAME', 'images_in';
COMMENT ON FUNCTION clair.images_in(text) IS
    'the paths of what may be images in a folder of the server: its files, and the OCI layouts among its folders; of an OCI layout, itself';
REVOKE ALL ON FUNCTION clair.images_in(text) FROM PUBLIC;

CREATE TYPE clair.index_result AS (
    path text,
    image bigint,
    name text,
    digest text,
    platform text,
    namespace text,
    status text,
    layers integer,
    layers_read integer,
    databases integer,
    features bigint,
    sqlstate text,
    error text,
    error_detail text,
    error_hint text
);
COMMENT ON TYPE clair.index_result IS
    'what a call of clair.index_images() made of one path: an image, as clair.index_image() describes it, or the error';
REVOKE ALL ON TYPE clair.index_result FROM PUBLIC;

CREATE FUNCTION clair.index_images(paths text[], names text[] DEFAULT NULL, platform text DEFAULT NULL)
RETURNS SETOF clair.index_result
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'index_images';
COMMENT ON FUNCTION clair.index_images(text[], text[], text) IS
    'indexes images from files or directories of the server in background workers, each in a transaction of its own, and waits for them; names, when given, has one for each path, or null; one that fails is a row with the error';
REVOKE ALL ON FUNCTION clair.index_images(text[], text[], text) FROM PUBLIC;
