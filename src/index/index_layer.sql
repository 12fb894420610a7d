/*
 * Indexing images layer by layer, each from where it is.
 */
CREATE FUNCTION clair.index_layer(name text, path text, parent text DEFAULT NULL,
    format text DEFAULT 'Docker', headers jsonb DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_layer_path';
COMMENT ON FUNCTION clair.index_layer(text, text, text, text, jsonb) IS
    'reads one layer, of format Docker (a tar) or ACI, from a file of the server or as clair.fetch_layer() does, and stores the image that it makes of its parent, which has the parent''s layers below it';
REVOKE ALL ON FUNCTION clair.index_layer(text, text, text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION clair.index_layer(name text, content bytea, parent text DEFAULT NULL,
    format text DEFAULT 'Docker')
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'index_layer_content';
COMMENT ON FUNCTION clair.index_layer(text, bytea, text, text) IS
    'the same from the bytes of a layer';
REVOKE ALL ON FUNCTION clair.index_layer(text, bytea, text, text) FROM PUBLIC;

CREATE FUNCTION clair.fetch_layer(name text, url text, parent text DEFAULT NULL,
    format text DEFAULT 'Docker', headers jsonb DEFAULT NULL)
RETURNS SETOF clair.indexed_image
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION clair.fetch_layer(text, text, text, text, jsonb) IS
    'the same from an http or https URL; headers are an object of strings, or arrays of these, that the server of the URL gets and no other one; who may execute this may also give clair.index_layer() a URL';
REVOKE ALL ON FUNCTION clair.fetch_layer(text, text, text, text, jsonb) FROM PUBLIC;
