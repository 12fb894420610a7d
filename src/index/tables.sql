/*
 * Images, their layers, and the features of their package databases.
 *
 * Layers are stored by diff id and say what their bytes say, whatever image they are in.
 * A package database is stored once per digest of its bytes and namespace. Digests are text
 * in OCI's form, "sha256:..."; names and digests sort and compare as bytes.
 */
CREATE TABLE clair.layer (
    digest text COLLATE "C" PRIMARY KEY,
    size bigint NOT NULL,
    entries bigint NOT NULL,
    version integer NOT NULL DEFAULT 1,
    reading integer NOT NULL DEFAULT 1,
    detectors integer NOT NULL DEFAULT 0,
    indexed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.layer IS 'layers that have been read';
COMMENT ON COLUMN clair.layer.digest IS
    'diff id: digest of the layer''s tar; of one that is an appc image, with "appc:" before it; of a software bill of materials, "sbom:" and the digest of the document';
COMMENT ON COLUMN clair.layer.size IS 'bytes of the tar or document';
COMMENT ON COLUMN clair.layer.entries IS 'entries of the tar; components of a document';
COMMENT ON COLUMN clair.layer.version IS
    'version of what looked for wanted files in it: see clair.reader_version, role walk';
COMMENT ON COLUMN clair.layer.reading IS
    'how often the layer has been read: again when there are newer readers';
COMMENT ON COLUMN clair.layer.detectors IS
    'greatest version of the detectors for which it was read: those with a greater one have not seen it';
COMMENT ON COLUMN clair.layer.indexed_at IS 'when the layer was read last';

CREATE TABLE clair.layer_blob (
    digest text COLLATE "C" PRIMARY KEY,
    layer text COLLATE "C" NOT NULL REFERENCES clair.layer ON DELETE CASCADE,
    size bigint NOT NULL
);
CREATE INDEX layer_blob_layer ON clair.layer_blob (layer);
COMMENT ON TABLE clair.layer_blob IS
    'forms in which a layer is stored, compressed or not: whoever brings the same bytes again need not have them inflated';
COMMENT ON COLUMN clair.layer_blob.digest IS
    'digest of the bytes as stored; of those of an appc image, with "appc:" before it';
COMMENT ON COLUMN clair.layer_blob.layer IS 'the layer that they inflate to';
COMMENT ON COLUMN clair.layer_blob.size IS 'how many bytes';

CREATE TABLE clair.layer_entry (
    layer text COLLATE "C" NOT NULL REFERENCES clair.layer ON DELETE CASCADE,
    number integer NOT NULL,
    version integer,
    path text COLLATE "C" NOT NULL,
    type text NOT NULL
        CHECK (type IN ('file', 'directory', 'symlink', 'other', 'whiteout', 'opaque')),
    target text,
    role text,
    content text COLLATE "C",
    PRIMARY KEY (layer, number),
    CHECK (type <> 'symlink' OR target IS NOT NULL)
);
CREATE INDEX layer_entry_detector ON clair.layer_entry (role) WHERE role LIKE 'detector:%';
COMMENT ON TABLE clair.layer_entry IS
    'what a layer says of the paths that decide which packages an image has';
COMMENT ON COLUMN clair.layer_entry.layer IS 'the layer';
COMMENT ON COLUMN clair.layer_entry.number IS 'position within the layer';
COMMENT ON COLUMN clair.layer_entry.version IS
    'version of what reads files of this role: see clair.reader_version';
COMMENT ON COLUMN clair.layer_entry.path IS
    'path, once for each role, relative to the root; of a whiteout what it hides, of opaque the directory that it empties';
COMMENT ON COLUMN clair.layer_entry.type IS
    'file, directory, symlink, other (a device or the like), whiteout, or opaque';
COMMENT ON COLUMN clair.layer_entry.target IS 'where a symbolic link leads';
COMMENT ON COLUMN clair.layer_entry.role IS
    'what the file, or the file behind the link, is: dpkg, apk or rpm for package databases, sqlite-log for changes to one, manifest for an appc image''s, sbom for a software bill of materials, detector: and a name for what a detector wants, else the release file''s name';
COMMENT ON COLUMN clair.layer_entry.content IS
    'digest of a package database, see clair.package_database; of a file that a detector wants, null when it was left out';

CREATE TABLE clair.layer_fact (
    layer text COLLATE "C" NOT NULL REFERENCES clair.layer ON DELETE CASCADE,
    path text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (layer, path, key)
);
COMMENT ON TABLE clair.layer_fact IS
    'what a layer says of its distribution and of the repositories that its packages are from';
COMMENT ON COLUMN clair.layer_fact.layer IS 'the layer';
COMMENT ON COLUMN clair.layer_fact.path IS 'the file';
COMMENT ON COLUMN clair.layer_fact.key IS 'the key, in lower case';
COMMENT ON COLUMN clair.layer_fact.value IS 'its value';

CREATE TABLE clair.layer_problem (
    layer text COLLATE "C" NOT NULL REFERENCES clair.layer ON DELETE CASCADE,
    number integer NOT NULL,
    path text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    unsupported boolean NOT NULL DEFAULT false,
    PRIMARY KEY (layer, number)
);
COMMENT ON TABLE clair.layer_problem IS 'what could not be read in a layer and was left out';
COMMENT ON COLUMN clair.layer_problem.layer IS 'the layer';
COMMENT ON COLUMN clair.layer_problem.number IS 'position within the layer''s problems';
COMMENT ON COLUMN clair.layer_problem.path IS 'the file';
COMMENT ON COLUMN clair.layer_problem.reason IS 'the place within the file, and what is wrong';
COMMENT ON COLUMN clair.layer_problem.unsupported IS
    'whether the whole file is of a form that is known, and not read';

CREATE TABLE clair.package_database (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    format text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    problem text,
    UNIQUE (content, namespace, format)
);
COMMENT ON TABLE clair.package_database IS
    'package databases: each content once per namespace in which it was found; a file in which a detector looks for features is one, too';
COMMENT ON COLUMN clair.package_database.id IS 'its number';
COMMENT ON COLUMN clair.package_database.content IS
    'digest of its bytes; of the packages of a software bill of materials, "sbom:" and the digest of these; of a detector''s file, the role, ":" and the digest of its path and bytes';
COMMENT ON COLUMN clair.package_database.namespace IS
    'the namespace of the images that have it, or the one that its detector has';
COMMENT ON COLUMN clair.package_database.format IS
    'format of its versions: dpkg, rpm, apk; or the role of the detector, which says it';
COMMENT ON COLUMN clair.package_database.version IS
    'version of what read its features: see clair.reader_version, clair.detector';
COMMENT ON COLUMN clair.package_database.problem IS
    'why its detector did not find all features, or none: what the function failed with, for instance';

CREATE TABLE clair.feature (
    database_id bigint NOT NULL REFERENCES clair.package_database ON DELETE CASCADE,
    number integer NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    version clair.version,
    source_name text COLLATE "C" NOT NULL,
    source_version clair.version,
    architecture text,
    invalid_version text,
    problem text,
    module text,
    vendor text,
    license text,
    flavour text COLLATE "C" NOT NULL DEFAULT '',
    -- By name: which layer introduced a feature is found by looking for it in older databases.
    PRIMARY KEY (database_id, name, number)
);
CREATE INDEX feature_source ON clair.feature (namespace, source_name, source_version)
    INCLUDE (database_id);
CREATE INDEX feature_binary ON clair.feature (namespace, name, version)
    INCLUDE (database_id);
COMMENT ON TABLE clair.feature IS 'features of the package databases';
COMMENT ON COLUMN clair.feature.database_id IS 'the package database';
COMMENT ON COLUMN clair.feature.number IS 'position within it';
COMMENT ON COLUMN clair.feature.namespace IS
    'the namespace whose advisories speak of it: that of the package database, or the one that clair.advisory_namespace() gives for it';
COMMENT ON COLUMN clair.feature.name IS 'name of the installed package';
COMMENT ON COLUMN clair.feature.version IS 'its version; null when that is not valid';
COMMENT ON COLUMN clair.feature.source_name IS 'name of the source package';
COMMENT ON COLUMN clair.feature.source_version IS 'its version; null when that is not valid';
COMMENT ON COLUMN clair.feature.architecture IS 'architecture';
COMMENT ON COLUMN clair.feature.invalid_version IS 'text of a version that is not valid';
COMMENT ON COLUMN clair.feature.problem IS 'why it is not valid';
COMMENT ON COLUMN clair.feature.module IS 'of rpm: the module that it belongs to, name:stream';
COMMENT ON COLUMN clair.feature.vendor IS 'who built it, where the package database says so';
COMMENT ON COLUMN clair.feature.license IS
    'its license in the words of the package, where the package database says it: apk''s and rpm''s do';
COMMENT ON COLUMN clair.feature.flavour IS
    'the flavour of the distribution that its version shows, see clair.flavour_rule; else empty';

CREATE TABLE clair.image (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest text COLLATE "C" NOT NULL UNIQUE,
    platform text NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    detected_namespace text COLLATE "C" NOT NULL DEFAULT 'unknown',
    status text NOT NULL,
    indexed_at timestamptz NOT NULL DEFAULT now(),
    superseded_at timestamptz,
    parent_id bigint REFERENCES clair.image ON DELETE CASCADE
);
CREATE INDEX image_parent ON clair.image (parent_id) WHERE parent_id IS NOT NULL;
COMMENT ON TABLE clair.image IS 'images that have been indexed';
COMMENT ON COLUMN clair.image.id IS 'its number, valid in this database';
COMMENT ON COLUMN clair.image.digest IS
    'image id: digest of the image''s config; of a bare layer, its diff id; of an appc image, the SHA-512 digest of its tar; of one saved by Docker before 1.10, the digest of its top layer''s json; of a layer put upon a parent, the SHA-256 digest of the parent''s digest, a blank and the layer''s diff id, which is OCI''s chain id where all below are such layers; of a software bill of materials, "sbom:" and the SHA-256 digest of the document';
COMMENT ON COLUMN clair.image.platform IS 'os/architecture[/variant], or unknown';
COMMENT ON COLUMN clair.image.namespace IS
    'the distribution release that gives its packages their meaning, or unknown';
COMMENT ON COLUMN clair.image.detected_namespace IS
    'what the image itself says of that; clair.set_namespace() can say otherwise';
COMMENT ON COLUMN clair.image.status IS
    'ok; partial: something was left out, see clair.image_problem; no_package_database; unsupported_database: one is of a form that is not read, see there; unsupported_namespace: no updater knows it; unknown_namespace';
COMMENT ON COLUMN clair.image.indexed_at IS 'when it was first indexed';
COMMENT ON COLUMN clair.image.superseded_at IS
    'when its last name moved to another image: clair.collect_garbage() takes it then';
COMMENT ON COLUMN clair.image.parent_id IS
    'the image upon which clair.index_layer() has put one more layer; it is deleted with that';

CREATE TABLE clair.image_namespace (
    digest text COLLATE "C" PRIMARY KEY,
    namespace text COLLATE "C" NOT NULL,
    set_by text NOT NULL DEFAULT session_user,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clair.image_namespace IS
    'namespaces that clair.set_namespace() has given to images, whatever these say themselves';
COMMENT ON COLUMN clair.image_namespace.digest IS
    'image id: the image has this namespace also when it is indexed anew';
COMMENT ON COLUMN clair.image_namespace.namespace IS 'the namespace';
COMMENT ON COLUMN clair.image_namespace.set_by IS 'the role that said so';
COMMENT ON COLUMN clair.image_namespace.set_at IS 'when it said so';

CREATE TABLE clair.manifest (
    digest text COLLATE "C" PRIMARY KEY,
    image_id bigint NOT NULL REFERENCES clair.image ON DELETE CASCADE
);
CREATE INDEX manifest_image ON clair.manifest (image_id);
COMMENT ON TABLE clair.manifest IS 'manifests that point to images';
COMMENT ON COLUMN clair.manifest.digest IS 'digest of the manifest';
COMMENT ON COLUMN clair.manifest.image_id IS 'the image';

CREATE TABLE clair.image_name (
    name text COLLATE "C" PRIMARY KEY,
    image_id bigint NOT NULL REFERENCES clair.image ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX image_name_image ON clair.image_name (image_id);
COMMENT ON TABLE clair.image_name IS 'names of images: each points to the image indexed last under it';
COMMENT ON COLUMN clair.image_name.name IS 'the name, such as web:1.4';
COMMENT ON COLUMN clair.image_name.image_id IS 'the image';
COMMENT ON COLUMN clair.image_name.since IS 'since when it points there';

CREATE TABLE clair.image_layer (
    image_id bigint NOT NULL REFERENCES clair.image ON DELETE CASCADE,
    position integer NOT NULL,
    layer text COLLATE "C" NOT NULL REFERENCES clair.layer,
    reading integer NOT NULL DEFAULT 1,
    stored_digest text COLLATE "C",
    command text,
    PRIMARY KEY (image_id, position)
);
CREATE INDEX image_layer_layer ON clair.image_layer (layer);
COMMENT ON TABLE clair.image_layer IS 'layers of images';
COMMENT ON COLUMN clair.image_layer.image_id IS 'the image';
COMMENT ON COLUMN clair.image_layer.position IS 'position of the layer, from 1, the base';
COMMENT ON COLUMN clair.image_layer.layer IS 'the layer';
COMMENT ON COLUMN clair.image_layer.reading IS
    'the reading of the layer that the image was put together from: see clair.layer.reading';
COMMENT ON COLUMN clair.image_layer.stored_digest IS
    'digest of the layer as the image''s manifest names it, if it has one';
COMMENT ON COLUMN clair.image_layer.command IS 'the command that made it, from the image''s history';

CREATE TABLE clair.repository_cpe (
    repository text COLLATE "C" NOT NULL,
    cpe text COLLATE "C" NOT NULL,
    PRIMARY KEY (repository, cpe)
);
COMMENT ON TABLE clair.repository_cpe IS
    'which products the packages of a repository belong to; kept by the updater of its vendor';
COMMENT ON COLUMN clair.repository_cpe.repository IS 'id of the repository, as dnf knows it';
COMMENT ON COLUMN clair.repository_cpe.cpe IS
    'CPE of a product, in the form of URIs: cpe:/o:redhat:enterprise_linux:9::baseos';

CREATE TABLE clair.repository_set (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest text COLLATE "C" NOT NULL UNIQUE,
    repositories text[] NOT NULL,
    cpes text[] NOT NULL
);
COMMENT ON TABLE clair.repository_set IS
    'the distinct sets of repositories that packages of images are from';
COMMENT ON COLUMN clair.repository_set.id IS 'its number';
COMMENT ON COLUMN clair.repository_set.digest IS
    'digest of the repositories: there can be more of them than an index takes';
COMMENT ON COLUMN clair.repository_set.repositories IS 'ids of the repositories, sorted';
COMMENT ON COLUMN clair.repository_set.cpes IS
    'the CPEs of all of them, and every prefix of these from the product on that ends with a component, or at a dot of the version, sorted; see clair.repository_cpe';

CREATE TABLE clair.image_database (
    image_id bigint NOT NULL REFERENCES clair.image ON DELETE CASCADE,
    position integer NOT NULL,
    path text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    database_id bigint NOT NULL REFERENCES clair.package_database,
    until_position integer,
    repository_set integer REFERENCES clair.repository_set,
    PRIMARY KEY (image_id, position, path)
);
CREATE INDEX image_database_database ON clair.image_database (database_id)
    INCLUDE (image_id, repository_set)
    WHERE until_position IS NULL;
CREATE INDEX image_database_any ON clair.image_database (database_id);
CREATE INDEX image_database_repository_set ON clair.image_database (repository_set)
    WHERE repository_set IS NOT NULL;
COMMENT ON TABLE clair.image_database IS
    'package databases of images, merged: which layer brought them and which took them away';
COMMENT ON COLUMN clair.image_database.image_id IS 'the image';
COMMENT ON COLUMN clair.image_database.position IS 'position of the layer that brought it';
COMMENT ON COLUMN clair.image_database.path IS
    'where it lies in the merged image, links resolved; of a detector''s file, with its role and ":" before that';
COMMENT ON COLUMN clair.image_database.location IS
    'what it shares with those that it replaces: its path; of rpm''s databases, whose files have several names, the folder';
COMMENT ON COLUMN clair.image_database.database_id IS 'the package database';
COMMENT ON COLUMN clair.image_database.until_position IS
    'position of the layer that replaced or removed it; null when it survives';
COMMENT ON COLUMN clair.image_database.repository_set IS
    'the repositories that the packages of the image are from; null when nothing says it';

CREATE TABLE clair.image_problem (
    image_id bigint NOT NULL REFERENCES clair.image ON DELETE CASCADE,
    number integer NOT NULL,
    place text NOT NULL,
    reason text NOT NULL,
    unsupported boolean NOT NULL DEFAULT false,
    PRIMARY KEY (image_id, number)
);
COMMENT ON TABLE clair.image_problem IS
    'what makes an image partial, or its package database unsupported';
COMMENT ON COLUMN clair.image_problem.image_id IS 'the image';
COMMENT ON COLUMN clair.image_problem.number IS 'position within the image''s problems';
COMMENT ON COLUMN clair.image_problem.place IS 'the layer''s position and the file';
COMMENT ON COLUMN clair.image_problem.reason IS 'what is wrong';
COMMENT ON COLUMN clair.image_problem.unsupported IS
    'whether it is that a package database is of a form that is known, and not read';

SELECT pg_catalog.pg_extension_config_dump('clair.layer', '');
SELECT pg_catalog.pg_extension_config_dump('clair.layer_blob', '');
SELECT pg_catalog.pg_extension_config_dump('clair.layer_entry', '');
SELECT pg_catalog.pg_extension_config_dump('clair.layer_fact', '');
SELECT pg_catalog.pg_extension_config_dump('clair.layer_problem', '');
SELECT pg_catalog.pg_extension_config_dump('clair.package_database', '');
SELECT pg_catalog.pg_extension_config_dump('clair.package_database_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.feature', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_namespace', '');
SELECT pg_catalog.pg_extension_config_dump('clair.manifest', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_name', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_layer', '');
SELECT pg_catalog.pg_extension_config_dump('clair.repository_cpe', '');
SELECT pg_catalog.pg_extension_config_dump('clair.repository_set', '');
SELECT pg_catalog.pg_extension_config_dump('clair.repository_set_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_database', '');
SELECT pg_catalog.pg_extension_config_dump('clair.image_problem', '');
