/* Proves which images of an archive are read, which layers are, and that false claims are not. */
#include <sys/stat.h>
#include <zlib.h>

#include "common/digest.h"
#include "image/image.h"
#include "recorder.h"
#include "tar_writer.h"

#define PACKAGE	 "Package: a\nStatus: install ok installed\nVersion: 1\n"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define INDEX	 "application/vnd.oci.image.index.v1+json"
#define CONFIG	 "application/vnd.oci.image.config.v1+json"
#define LAYER	 "application/vnd.oci.image.layer.v1.tar"

static Recorder recorder;
static ClairError error;
static const char *platform;
static const char *layer_format;
static const char *claimed_digest;
static ClairLimits limits;

static char layer_bytes[16384]; /* a layer with one package */
static ClairBytes layer;
static char gzip_bytes[16384]; /* the same, compressed */
static ClairBytes gzip_layer;
static char diff_id[DIGEST_TEXT_SIZE];
static char gzip_digest[DIGEST_TEXT_SIZE];

/* A place for digests that live long enough for one printf. */
static const char *
digest_text(ClairBytes bytes)
{
	static char texts[8][DIGEST_TEXT_SIZE];
	static int next;
	char *text = texts[next++ % 8];

	digest_of(DIGEST_SHA256, bytes, text, &error);
	return text;
}

static size_t
gzip(ClairBytes input, char *output, size_t size)
{
	z_stream zlib = {.next_in = (Bytef *) (uintptr_t) input.data,
					 .avail_in = (uInt) input.size,
					 .next_out = (Bytef *) output,
					 .avail_out = (uInt) size};

	deflateInit2(&zlib, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&zlib, Z_FINISH);
	deflateEnd(&zlib);
	return size - zlib.avail_out;
}

static void
make_layer(void)
{
	TarWriter tar = {NULL, 0};

	tar_file(&tar, "var/lib/dpkg/status", PACKAGE);
	tar_end(&tar);
	memcpy(layer_bytes, tar.data, tar.size);
	layer = (ClairBytes){layer_bytes, tar.size};
	tar_free(&tar);
	gzip_layer = (ClairBytes){gzip_bytes, gzip(layer, gzip_bytes, sizeof(gzip_bytes))};
	digest_of(DIGEST_SHA256, layer, diff_id, &error);
	digest_of(DIGEST_SHA256, gzip_layer, gzip_digest, &error);
}

/* Adds a blob, and returns the descriptor that names it. */
static const char *
add_blob(TarWriter *tar, const char *media_type, ClairBytes content, const char *more)
{
	static char descriptors[8][1024];
	static int next;
	char *descriptor = descriptors[next++ % 8];
	const char *digest = digest_text(content);
	char name[200];

	snprintf(name, sizeof(name), "blobs/sha256/%s", digest + 7);
	tar_add(tar, '0', name, "", content);
	snprintf(descriptor, sizeof(descriptors[0]),
			 "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", media_type, digest,
			 content.size, more);
	return descriptor;
}

/* Adds an image of one layer, and returns the descriptor of its manifest. */
static const char *
add_image(TarWriter *tar, const char *architecture, const char *layer_descriptor,
		  const char *claimed_diff_id, const char *more)
{
	char config[2048];
	char manifest[4096];

	snprintf(config, sizeof(config),
			 "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","
			 "\"diff_ids\":[\"%s\"]},\"history\":[{\"created_by\":\"nothing\","
			 "\"empty_layer\":true},{\"created_by\":\"ADD it\"}]}",
			 architecture, claimed_diff_id);
	snprintf(manifest, sizeof(manifest), "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
			 add_blob(tar, CONFIG, clair_bytes(config), ""), layer_descriptor);
	return add_blob(tar, MANIFEST, clair_bytes(manifest), more);
}

static void
add_index(TarWriter *tar, const char *entries)
{
	char index[8192];

	snprintf(index, sizeof(index), "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
	tar_file(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	tar_file(tar, "index.json", index);
}

static ClairStatus
index_bytes(ClairBytes bytes)
{
	ClairSink sink = recorder_sink(&recorder);
	ImageJob job = {.input = memory_file(bytes),
					.platform = platform,
					.architecture = "amd64",
					.layer_format = layer_format,
					.digest = claimed_digest};
	ClairStatus status;
	Recorder kept = recorder;

	recorder_clear(&recorder);
	recorder.known_key = kept.known_key;
	recorder.known_answer = kept.known_answer;
	status = image_index(&job, &limits, &sink, &error);
	close(job.input);
	CHECK(recorder.bad == NULL, "rows are well-formed");
	return status;
}

static ClairStatus
index_tar(TarWriter *tar)
{
	ClairStatus status = index_bytes(tar_end(tar));

	tar_free(tar);
	return status;
}

static void
test_outline(void)
{
	TarWriter tar = {NULL, 0};
	const char *descriptor = add_blob(&tar, LAYER "+gzip", gzip_layer, "");
	char expected[1000];

	add_index(&tar,
			  add_image(&tar, "amd64", descriptor, diff_id,
						",\"annotations\":{\"org.opencontainers.image.ref.name\":\"web:1\"}"));
	CHECK_INT(index_tar(&tar), CLAIR_OK, "an OCI layout");
	CHECK(recorder_find(&recorder, "|linux/amd64") != NULL, "its platform");
	CHECK(recorder_find(&recorder, "image_name|0|web:1") != NULL, "its name");
	CHECK_INT(recorder_count(&recorder, "image_manifest|0|sha256:"), 1, "its manifest");
	snprintf(expected, sizeof(expected), "image_layer|0|1|%s|%s|ADD it", diff_id, gzip_digest);
	CHECK(recorder_find(&recorder, expected) != NULL, "its layer, with the command that made it");
	snprintf(expected, sizeof(expected), "layer|%s|%s|%zu|%zu|1", diff_id, gzip_digest, layer.size,
			 gzip_layer.size);
	CHECK(recorder_find(&recorder, expected) != NULL, "the layer that was read");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "and its feature");
	CHECK(recorder.questions == 1 && recorder.keys == 1, "after one question of one key");
}

static void
test_known(void)
{
	TarWriter tar = {NULL, 0};

	recorder.known_key = gzip_digest;
	recorder.known_answer = diff_id;
	add_index(&tar,
			  add_image(&tar, "amd64", add_blob(&tar, LAYER "+gzip", gzip_layer, ""), diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_OK, "a known layer");
	CHECK(recorder_count(&recorder, "image_layer|") == 1 &&
			  recorder_count(&recorder, "layer|") == 0 &&
			  recorder_count(&recorder, "feature|") == 0,
		  "is not read");

	recorder.known_answer = gzip_digest;
	add_index(&tar,
			  add_image(&tar, "amd64", add_blob(&tar, LAYER "+gzip", gzip_layer, ""), diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_OK, "one known to be something else");
	CHECK_INT(recorder_count(&recorder, "layer|"), 1, "is read, and judged by itself");

	recorder.known_answer = diff_id;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_OK, "a known bare layer");
	CHECK(recorder_count(&recorder, "image_layer|") == 1 &&
			  recorder_count(&recorder, "layer|") == 0 &&
			  recorder_find(&recorder, diff_id) == recorder.rows[0],
		  "is not read, and is the image that is known");
	recorder.known_key = NULL;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_OK, "an unknown bare layer");
	CHECK_INT(recorder_count(&recorder, "layer|"), 1, "is read");
}

/* Replaces the blob of this content by other bytes of the same size. */
static void
falsify(TarWriter *tar, ClairBytes content)
{
	char *found = memmem(tar->data, tar->size, content.data, content.size);

	found[content.size / 2] ^= 1;
}

static void
test_false_claims(void)
{
	TarWriter tar = {NULL, 0};
	const char *other = digest_text(CLAIR_LITERAL("other"));
	char text[1000];

	/* A known layer whose bytes are not what was claimed: hashing must tell. */
	recorder.known_key = diff_id;
	recorder.known_answer = diff_id;
	add_index(&tar, add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	falsify(&tar, layer);
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "false bytes of a known layer");
	CHECK(strstr(error.message, "layer 1: digest mismatch") != NULL, "say so");
	recorder.known_key = NULL;

	add_index(&tar, add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	falsify(&tar, layer);
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "false bytes of an unknown layer");
	CHECK_INT(recorder_count(&recorder, "layer|"), 0, "and nothing of it is sent");

	add_index(&tar,
			  add_image(&tar, "amd64", add_blob(&tar, LAYER "+gzip", gzip_layer, ""), other, ""));
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "a false diff id");
	CHECK(strstr(error.message, "layer 1: digest mismatch: the diff id") != NULL, "says so");

	snprintf(text, sizeof(text), "{\"mediaType\":\"" LAYER "\",\"digest\":\"%s\",\"size\":%zu}",
			 diff_id, layer.size + 1);
	add_blob(&tar, LAYER, layer, "");
	add_index(&tar, add_image(&tar, "amd64", text, diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "a false size");

	snprintf(text, sizeof(text), "{\"mediaType\":\"" LAYER "\",\"digest\":\"%s\"}", other);
	add_index(&tar, add_image(&tar, "amd64", text, diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_MISSING, "a layer that is not there");

	snprintf(text, sizeof(text),
			 "{\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\","
			 "\"digest\":\"%s\"}",
			 other);
	add_index(&tar, add_image(&tar, "amd64", text, diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_MISSING, "a foreign layer that is not there");
	CHECK(strstr(error.message, "foreign") != NULL, "says so");

	snprintf(text, sizeof(text), "{\"mediaType\":\"" LAYER "+encrypted\",\"digest\":\"%s\"}",
			 other);
	add_index(&tar, add_image(&tar, "amd64", text, diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_UNSUPPORTED, "an encrypted layer");
}

static void
test_documents(void)
{
	TarWriter tar = {NULL, 0};

	add_index(&tar,
			  add_blob(&tar, MANIFEST,
					   CLAIR_LITERAL("{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}"), ""));
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "a document that is index and manifest");
	add_index(&tar, add_blob(&tar, MANIFEST, CLAIR_LITERAL("{\"schemaVersion\":1}"), ""));
	CHECK_INT(index_tar(&tar), CLAIR_UNSUPPORTED, "a manifest of schema version 1");
	add_index(&tar, add_blob(&tar, MANIFEST, CLAIR_LITERAL("{\"a\":1} x"), ""));
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "something after the document");
	add_index(&tar, add_blob(&tar, MANIFEST, CLAIR_LITERAL("{\"a\":\"\xff\"}"), ""));
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "a document that is not UTF-8");
	add_index(&tar, "");
	CHECK_INT(index_tar(&tar), CLAIR_UNSUPPORTED, "no images");
	add_index(&tar, add_blob(&tar, MANIFEST,
							 CLAIR_LITERAL("{\"schemaVersion\":2,\"layers\":[],\"config\":"
										   "{\"mediaType\":\"application/vnd.cncf.helm.config.v1+"
										   "json\",\"digest\":\"sha256:"
										   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"
										   "b7852b855\",\"size\":0}}"),
							 ""));
	CHECK_INT(index_tar(&tar), CLAIR_UNSUPPORTED, "only another artifact");
}

static void
test_nesting(void)
{
	TarWriter tar = {NULL, 0};
	char inner[4096];
	char outer[1024];

	snprintf(inner, sizeof(inner), "{\"schemaVersion\":2,\"manifests\":[%s]}",
			 add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	snprintf(outer, sizeof(outer), "%s", add_blob(&tar, INDEX, clair_bytes(inner), ""));
	add_index(&tar, outer);
	CHECK_INT(index_tar(&tar), CLAIR_OK, "an index within the index");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "is read");

	/* Each index names the one before; nine of them are too many. */
	snprintf(outer, sizeof(outer), "%s",
			 add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	for (int depth = 1; depth <= 9; depth++)
	{
		snprintf(inner, sizeof(inner), "{\"schemaVersion\":2,\"manifests\":[%s]}", outer);
		snprintf(outer, sizeof(outer), "%s", add_blob(&tar, INDEX, clair_bytes(inner), ""));
	}
	add_index(&tar, outer);
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "nine indexes within each other");

	snprintf(inner, sizeof(inner), "{\"schemaVersion\":2,\"manifests\":[]}");
	snprintf(outer, sizeof(outer), "%s", add_blob(&tar, INDEX, clair_bytes(inner), ""));
	snprintf(inner, sizeof(inner), "%s,%s", outer, outer);
	add_index(&tar, inner);
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "an index that is named twice");
}

#define PLATFORM(architecture, variant)                                                            \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"" architecture "\"" variant "}"

/* Indexes an archive of images for these platforms under the job's platform; the image's one. */
static const char *
choose(const char *wanted)
{
	static char found[200];
	TarWriter tar = {NULL, 0};
	char entries[8192];
	size_t used = 0;
	ClairStatus status;
	const char *stored = add_blob(&tar, LAYER, layer, "");

	used += (size_t) snprintf(entries + used, sizeof(entries) - used, "%s,",
							  add_image(&tar, "arm64", stored, diff_id, PLATFORM("arm64", "")));
	used += (size_t) snprintf(entries + used, sizeof(entries) - used, "%s,",
							  add_image(&tar, "amd64", stored, diff_id, PLATFORM("amd64", "")));
	used += (size_t) snprintf(entries + used, sizeof(entries) - used, "%s,",
							  add_image(&tar, "arm\",\"variant\":\"v6", stored, diff_id,
										PLATFORM("arm", ",\"variant\":\"v6\"")));
	used += (size_t) snprintf(entries + used, sizeof(entries) - used, "%s,",
							  add_image(&tar, "arm\",\"variant\":\"v5", stored, diff_id,
										PLATFORM("arm", ",\"variant\":\"v5\"")));
	snprintf(entries + used, sizeof(entries) - used, "%s",
			 add_blob(&tar, MANIFEST, CLAIR_LITERAL("{}"),
					  ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"));
	add_index(&tar, entries);
	platform = wanted;
	status = index_tar(&tar);
	platform = NULL;
	if (status != CLAIR_OK)
		return status == CLAIR_AMBIGUOUS ? "ambiguous" : status == CLAIR_MISSING ? "missing" : "?";
	if (recorder_count(&recorder, "image|") != 1)
		return recorder_count(&recorder, "image|") == 4 ? "four" : "?";
	snprintf(found, sizeof(found), "%s", strrchr(recorder.rows[0], '|') + 1);
	return found;
}

static void
test_platforms(void)
{
	TarWriter tar = {NULL, 0};

	CHECK_TEXT(clair_bytes(choose(NULL)), "linux/amd64", "by default the server's");
	CHECK_TEXT(clair_bytes(choose("linux/arm64")), "linux/arm64", "one that is named");
	CHECK_TEXT(clair_bytes(choose("linux/arm64/v8")), "linux/arm64", "with its usual variant");
	CHECK_TEXT(clair_bytes(choose("linux/aarch64")), "linux/arm64", "by its other name");
	CHECK_TEXT(clair_bytes(choose("linux/arm")), "linux/arm/v6", "the best variant");
	CHECK_TEXT(clair_bytes(choose("linux/arm/v5")), "linux/arm/v5", "the variant that is named");
	CHECK_TEXT(clair_bytes(choose("linux/arm/v7")), "missing", "a variant that is not there");
	CHECK_TEXT(clair_bytes(choose("linux/s390x")), "missing", "one that is not there");
	CHECK(strstr(error.detail, "linux/arm64, linux/amd64, linux/arm/v6, linux/arm/v5") != NULL,
		  "then what there is");
	CHECK_TEXT(clair_bytes(choose("all")), "four", "all of them");
	CHECK_INT(recorder_count(&recorder, "layer|"), 1, "whose common layer is read once");
	CHECK_TEXT(clair_bytes(choose("amd64")), "ambiguous", "something that is no platform");

	add_index(&tar, add_image(&tar, "s390x", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	CHECK_INT(index_tar(&tar), CLAIR_OK, "the only one that there is will do");
	CHECK(recorder_find(&recorder, "|linux/s390x") != NULL, "by default");
}

/* A docker archive of one image; its one layer is a file of this name with these bytes. */
static void
make_docker(TarWriter *tar, const char *name, ClairBytes stored)
{
	char config[1000];
	char manifest[1000];

	snprintf(config, sizeof(config),
			 "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"%s\"]}}",
			 diff_id);
	snprintf(manifest, sizeof(manifest),
			 "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],\"Layers\":[\"%s\"]}]", name);
	tar_add(tar, '0', name, "", stored);
	tar_file(tar, "c.json", config);
	tar_file(tar, "manifest.json", manifest);
}

static void
test_docker(void)
{
	TarWriter tar = {NULL, 0};
	static char compressed[65536];
	char expected[1000];

	make_docker(&tar, "x/layer.tar", layer);
	CHECK_INT(index_tar(&tar), CLAIR_OK, "a docker archive");
	CHECK(recorder_find(&recorder, "image_name|0|a:1") != NULL &&
			  recorder_find(&recorder, "image_name|0|b:2") != NULL,
		  "with its names");
	CHECK_INT(recorder.keys, 1, "the plain layer's diff id is asked for");

	make_docker(&tar, "x.tar.gz", gzip_layer);
	CHECK_INT(index_tar(&tar), CLAIR_OK, "with a compressed layer");
	CHECK_INT(recorder.questions, 0, "of which nothing is known to ask for");
	snprintf(expected, sizeof(expected), "layer|%s|%s|", diff_id, gzip_digest);
	CHECK(recorder_find(&recorder, expected) != NULL, "which is read");

	make_docker(&tar, "x/layer.tar", layer);
	tar_end(&tar);
	CHECK_INT(index_bytes((ClairBytes){compressed, gzip((ClairBytes){tar.data, tar.size},
														compressed, sizeof(compressed))}),
			  CLAIR_OK, "compressed as a whole");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "is read, too");
	tar_free(&tar);

	tar_symlink(&tar, "x/layer.tar", "../../../y");
	make_docker(&tar, "z", layer);
	tar_symlink(&tar, "z", "z");
	CHECK_INT(index_tar(&tar), CLAIR_MISSING, "a layer that is a link to itself");
}

/* The json of a layer with this parent. */
static void
legacy_layer(TarWriter *tar, const char *id, const char *parent)
{
	char name[100];
	char json[1000];

	snprintf(name, sizeof(name), "%s/json", id);
	snprintf(json, sizeof(json),
			 "{\"id\":\"%s\",\"parent\":\"%s\",\"os\":\"linux\",\"architecture\":\"amd64\","
			 "\"container_config\":{\"Cmd\":[\"make\",\"%s\"]}}",
			 id, parent, id);
	tar_file(tar, name, json);
}

/* Docker before 1.10: chains of layers that name their parents. */
static void
test_legacy(void)
{
	TarWriter tar = {NULL, 0};
	char json[200];
	char expected[300];
	char compressed[16384];
	char empty[1024] = {0};

	legacy_layer(&tar, "top", "base");
	tar_add(&tar, '0', "top/layer.tar", "", (ClairBytes){empty, sizeof(empty)});
	tar_file(&tar, "top/VERSION", "1.0");
	snprintf(json, sizeof(json), "%.180s", tar.data + 512);
	legacy_layer(&tar, "base", "");
	tar_add(&tar, '0', "base/layer.tar", "", layer);
	tar_file(&tar, "repositories",
			 "{\"web\":{\"1\":\"top\",\"latest\":\"top\"},\"base\":{\"1\":\"base\"}}");
	tar_end(&tar);
	CHECK_INT(index_bytes((ClairBytes){tar.data, tar.size}), CLAIR_OK, "an archive of old");
	snprintf(expected, sizeof(expected), "image|0|%s|linux/amd64", digest_text(clair_bytes(json)));
	CHECK(recorder_find(&recorder, expected) != NULL, "the image's id is its top layer's digest");
	CHECK(recorder_find(&recorder, "image_name|0|web:1") != NULL &&
			  recorder_find(&recorder, "image_name|0|web:latest") != NULL &&
			  recorder_find(&recorder, "image_name|1|base:1") != NULL,
		  "images have their names");
	snprintf(expected, sizeof(expected), "image_layer|0|1|%s|-|make base", diff_id);
	CHECK(recorder_find(&recorder, expected) != NULL, "the base comes first");
	CHECK(recorder_find(&recorder, "|-|make top") != NULL, "with what made each");
	CHECK_INT(recorder_count(&recorder, "image_layer|0"), 2, "two layers");
	CHECK_INT(recorder_count(&recorder, "image_layer|1"), 1, "and one");
	CHECK_INT(recorder_count(&recorder, "layer|"), 2, "each is read once");
	CHECK_INT(index_bytes((ClairBytes){compressed, gzip((ClairBytes){tar.data, tar.size},
														compressed, sizeof(compressed))}),
			  CLAIR_OK, "compressed as a whole");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "it is read, too");
	tar_free(&tar);

	legacy_layer(&tar, "a", "b");
	legacy_layer(&tar, "b", "a");
	tar_add(&tar, '0', "a/layer.tar", "", layer);
	tar_add(&tar, '0', "b/layer.tar", "", layer);
	tar_file(&tar, "repositories", "{\"x\":{\"y\":\"a\"}}");
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "a circle of parents");
	CHECK(strstr(error.message, "\"x:y\": layer \"a\": it is a parent of itself") != NULL,
		  "is told as such");

	legacy_layer(&tar, "a", "b");
	tar_add(&tar, '0', "a/layer.tar", "", layer);
	tar_file(&tar, "repositories", "{\"x\":{\"y\":\"a\"}}");
	CHECK_INT(index_tar(&tar), CLAIR_MISSING, "a parent that is not there");

	legacy_layer(&tar, "a", "b");
	legacy_layer(&tar, "b", "c");
	legacy_layer(&tar, "c", "");
	tar_add(&tar, '0', "a/layer.tar", "", layer);
	tar_symlink(&tar, "b/layer.tar", "../a/layer.tar");
	tar_symlink(&tar, "c/layer.tar", "../a/layer.tar");
	tar_file(&tar, "repositories", "{\"x\":{\"y\":\"a\"}}");
	limits.max_layers = 2;
	tar_end(&tar);
	CHECK_INT(index_bytes((ClairBytes){tar.data, tar.size}), CLAIR_LIMIT, "too many layers");
	limits.max_layers = 3;
	CHECK_INT(index_bytes((ClairBytes){tar.data, tar.size}), CLAIR_OK,
			  "and just as many as allowed");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "links to one another say it once");
	tar_free(&tar);
	limits = CLAIR_DEFAULT_LIMITS;

	tar_file(&tar, "repositories", "{\"x\":{\"y\":\"../../etc/passwd\"}}");
	CHECK_INT(index_tar(&tar), CLAIR_MISSING, "an id that leads elsewhere");
	tar_file(&tar, "repositories", "{\"x\":\"y\"}");
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "tags that are none");
	tar_file(&tar, "repositories", "{}");
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "no images");
	tar_file(&tar, "repositories", "[");
	CHECK_INT(index_tar(&tar), CLAIR_INVALID, "no JSON");
}

/* Docker 25 and later: an OCI layout with manifest.json beside it. */
static void
test_both(void)
{
	TarWriter tar = {NULL, 0};
	char manifest[1000];
	const char *config;

	add_index(&tar, add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	config = strstr(tar.data + 0, "\"config\":{");
	for (size_t at = 0; config == NULL && at + 512 < tar.size; at += 512)
		config = strstr(tar.data + at, "\"config\":{");
	config = strstr(config, "sha256:") + 7;
	snprintf(manifest, sizeof(manifest),
			 "[{\"Config\":\"blobs/sha256/%.64s\",\"RepoTags\":[\"tag:1\"],\"Layers\":"
			 "[\"blobs/sha256/%s\"]}]",
			 config, diff_id + 7);
	tar_file(&tar, "manifest.json", manifest);
	CHECK_INT(index_tar(&tar), CLAIR_OK, "an OCI layout with Docker's manifest");
	CHECK(recorder_count(&recorder, "image|") == 1 &&
			  recorder_count(&recorder, "image_manifest|0|") == 1 &&
			  recorder_find(&recorder, "image_name|0|tag:1") != NULL,
		  "has the manifest of one and the names of the other");

	make_docker(&tar, "x/layer.tar", layer);
	add_index(&tar, "{\"mediaType\":\"" MANIFEST "\",\"digest\":\"sha256:"
					"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
					"\"size\":0}");
	CHECK_INT(index_tar(&tar), CLAIR_OK, "a layout that lacks its manifests");
	CHECK_INT(recorder_count(&recorder, "image_name|0|"), 2, "leaves it to Docker's manifest");
}

/* Writes a file of an image's directory. */
static void
write_file(const char *folder, const char *name, ClairBytes content)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	fwrite(content.data, 1, content.size, file);
	fclose(file);
}

static void
test_directory(void)
{
	char folder[] = "/tmp/clair_image_XXXXXX";
	char path[200];
	TarWriter tar = {NULL, 0};
	ImageJob job = {.input = -1, .directory = true, .architecture = "amd64"};
	ClairSink sink = recorder_sink(&recorder);

	recorder.folder = mkdtemp(folder);
	snprintf(path, sizeof(path), "%s/blobs", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/blobs/sha256", folder);
	mkdir(path, 0700);
	add_index(&tar, add_image(&tar, "amd64", add_blob(&tar, LAYER, layer, ""), diff_id, ""));
	for (size_t at = 0; at < tar.size;)
	{
		size_t size = strtoul(tar.data + at + 124, NULL, 8);

		write_file(folder, tar.data + at, (ClairBytes){tar.data + at + 512, size});
		at += 512 + (size + 511) / 512 * 512;
	}
	recorder_clear(&recorder);
	CHECK_INT(image_index(&job, &limits, &sink, &error), CLAIR_OK, "an OCI layout in a directory");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "is read");
	snprintf(path, sizeof(path), "blobs/sha256/%s", diff_id + 7);
	write_file(folder, path, CLAIR_LITERAL("short"));
	recorder_clear(&recorder);
	CHECK_INT(image_index(&job, &limits, &sink, &error), CLAIR_INVALID, "a blob of another size");
	recorder.folder = "/nonexistent";
	recorder_clear(&recorder);
	CHECK_INT(image_index(&job, &limits, &sink, &error), CLAIR_MISSING, "no index.json");
	tar_free(&tar);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	CHECK_INT(system(path), 0, "cleaned up");
}

/* An appc image; the text is appended to its manifest. */
static ClairStatus
index_appc(const char *more, const char *prefix)
{
	TarWriter tar = {NULL, 0};
	char manifest[2000];
	char name[100];

	snprintf(manifest, sizeof(manifest), "{\"acKind\":\"ImageManifest\",\"name\":\"a/web\"%s}",
			 more);
	snprintf(name, sizeof(name), "%smanifest", prefix);
	tar_file(&tar, name, manifest);
	snprintf(name, sizeof(name), "%srootfs", prefix);
	tar_directory(&tar, name);
	snprintf(name, sizeof(name), "%srootfs/manifest", prefix);
	tar_file(&tar, name, "not the one that counts");
	snprintf(name, sizeof(name), "%srootfs/usr/lib/os-release", prefix);
	tar_file(&tar, name, "ID=debian\n");
	snprintf(name, sizeof(name), "%srootfs/etc/os-release", prefix);
	tar_symlink(&tar, name, "../usr/lib/os-release");
	snprintf(name, sizeof(name), "%srootfs/srv/status", prefix);
	tar_file(&tar, name, PACKAGE);
	snprintf(manifest, sizeof(manifest), "%srootfs/var/lib/dpkg/status", prefix);
	tar_hardlink(&tar, manifest, name);
	tar_file(&tar, "var/lib/dpkg/status",
			 "Package: outside\nStatus: install ok installed\nVersion: 1\n");
	return index_tar(&tar);
}

static void
test_appc(void)
{
	static const char *const labels = ",\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},"
									  "{\"name\":\"arch\",\"value\":\"aarch64\"},"
									  "{\"name\":\"version\",\"value\":\"1.0\"}]";
	TarWriter tar = {NULL, 0};
	char key[300];
	const char *row;

	CHECK_INT(index_appc(labels, ""), CLAIR_OK, "an appc image");
	CHECK(recorder_find(&recorder, "image_name|0|a/web:1.0") != NULL, "its name");
	CHECK(recorder_find(&recorder, "|linux/arm64") != NULL, "its platform");
	row = recorder_find(&recorder, "image|0|sha512:");
	CHECK(row != NULL && strlen(row) == strlen("image|0|sha512:|linux/arm64") + 128, "its id");
	snprintf(key, sizeof(key), "image_layer|0|1|appc:%.135s|sha256:", row != NULL ? row + 8 : "");
	CHECK(recorder_find(&recorder, key) != NULL, "its layer, apart from that of the same tar");
	CHECK_INT(recorder_count(&recorder, "layer|appc:sha512:"), 1, "which is read");
	CHECK(recorder_find(&recorder, "|usr/lib/os-release|id|debian") != NULL, "below its root");
	CHECK(recorder_find(&recorder, "|etc/os-release|symlink|../usr/lib/os-release|") != NULL,
		  "with its links");
	CHECK(recorder_find(&recorder, "|var/lib/dpkg/status|file|-|dpkg|sha256:") != NULL,
		  "of both kinds");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "and nothing else");
	CHECK_INT(recorder_count(&recorder, "layer_problem|"), 0, "and no problem");

	CHECK_INT(index_appc(labels, "./"), CLAIR_OK, "names that begin with ./");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "have its feature");
	platform = "linux/amd64";
	CHECK_INT(index_appc(labels, ""), CLAIR_MISSING, "not of the platform that is wanted");
	platform = NULL;

	CHECK_INT(
		index_appc(",\"dependencies\":[{\"imageName\":\"a/base\",\"labels\":[{\"name\":\"version\","
				   "\"value\":\"2\"}]},{\"imageName\":\"a/tools\"}]",
				   ""),
		CLAIR_OK, "one that lies upon others");
	CHECK(recorder_find(&recorder, "|1|manifest|the image depends on \"a/base:2\", which") != NULL,
		  "says so of the first");
	CHECK(recorder_find(&recorder, "|2|manifest|the image depends on \"a/tools\", which") != NULL,
		  "and of the second");
	CHECK(recorder_find(&recorder, "|unknown") != NULL, "and does not guess its platform");

	CHECK_INT(index_appc(",\"labels\":{}", ""), CLAIR_INVALID, "labels that are none");
	CHECK_INT(index_appc(",\"name\":\"\"", ""), CLAIR_INVALID, "no name");
	CHECK_INT(index_appc(",\"acKind\":\"PodManifest\"", ""), CLAIR_INVALID, "another kind");

	tar_file(&tar, "rootfs/var/lib/dpkg/status", PACKAGE);
	tar_file(&tar, "manifest", "{\"acKind\":\"ImageManifest\",\"name\":\"late\"}");
	CHECK_INT(index_tar(&tar), CLAIR_OK, "the manifest may come last");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "with the feature before it");
}

/* Hashes the layer of test_appc() with another algorithm than it is stored by. */
static void
test_claimed_appc(void)
{
	char id[DIGEST_TEXT_SIZE];
	char key[400];

	layer_format = "ACI";
	CHECK_INT(index_appc("", ""), CLAIR_OK, "an appc image as a layer");
	snprintf(id, sizeof(id), "%s", recorder_find(&recorder, "image|0|sha512:") + 8);
	claimed_digest = id;
	CHECK_INT(index_appc("", ""), CLAIR_OK, "with the SHA-512 digest that it has");
	snprintf(key, sizeof(key), "image_layer|0|1|appc:%s|%s|", id, id);
	CHECK(recorder_find(&recorder, key) != NULL, "which is both of its digests");
	claimed_digest = diff_id;
	CHECK_INT(index_appc("", ""), CLAIR_INVALID, "with another layer's digest");
	claimed_digest = NULL;
	CHECK_INT(index_bytes(layer), CLAIR_INVALID, "a tar that is no appc image");
	layer_format = NULL;
}

static void
test_layer(void)
{
	TarWriter tar = {NULL, 0};

	layer_format = "Docker";
	CHECK_INT(index_bytes(gzip_layer), CLAIR_OK, "a layer");
	CHECK(recorder_count(&recorder, "image_layer|") == 1 &&
			  recorder_count(&recorder, "feature|") == 1,
		  "is an image of one layer");
	tar_file(&tar, "manifest.json", "{\"name\": \"a web application\"}");
	tar_file(&tar, "var/lib/dpkg/status", PACKAGE);
	CHECK_INT(index_tar(&tar), CLAIR_OK, "one with a file of an image's name");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "is a layer all the same");
	CHECK_INT(index_appc("", ""), CLAIR_OK, "an appc image");
	CHECK(recorder_find(&recorder, "image|0|sha256:") != NULL &&
			  recorder_find(&recorder, "image_layer|0|1|sha256:") != NULL,
		  "as a layer is but a tar");

	claimed_digest = gzip_digest;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_OK, "a layer of a claimed digest");
	CHECK(recorder_find(&recorder, diff_id) == recorder.rows[0] &&
			  recorder_count(&recorder, "feature|") == 1,
		  "is read");
	recorder.known_key = gzip_digest;
	recorder.known_answer = diff_id;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_OK, "a known one");
	CHECK(recorder_find(&recorder, diff_id) == recorder.rows[0] &&
			  recorder_count(&recorder, "layer|") == 0,
		  "is not read");
	CHECK_INT(index_bytes(layer), CLAIR_INVALID, "bytes that are not the known ones");
	CHECK(strstr(error.message, "digest mismatch") != NULL, "are found out");
	recorder.known_key = NULL;
	CHECK_INT(index_bytes(layer), CLAIR_INVALID, "nor are any others believed");
	claimed_digest = "sha256:0";
	CHECK_INT(index_bytes(layer), CLAIR_PROTOCOL, "a claim that is no digest");
	claimed_digest = NULL;
	layer_format = NULL;
	test_claimed_appc();
}

static void
test_limits(void)
{
	TarWriter tar = {NULL, 0};

	limits.max_layers = 0;
	make_docker(&tar, "x/layer.tar", layer);
	CHECK_INT(index_tar(&tar), CLAIR_LIMIT, "too many layers");
	limits = CLAIR_DEFAULT_LIMITS;
	limits.max_layer_size = (int64_t) layer.size - 1;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_LIMIT, "a layer that is too large");
	CHECK(strstr(error.hint, "clair.max_layer_size") != NULL, "names its setting");
	limits = CLAIR_DEFAULT_LIMITS;
	limits.max_file_size = 10;
	CHECK_INT(index_bytes(gzip_layer), CLAIR_LIMIT, "a file that is too large");
	CHECK(strstr(error.message, "var/lib/dpkg/status") != NULL, "names the file");
	limits = CLAIR_DEFAULT_LIMITS;
	limits.max_entries = 0;
	CHECK_INT(index_bytes(layer), CLAIR_LIMIT, "too many entries");
	limits = CLAIR_DEFAULT_LIMITS;
}

int
main(void)
{
	limits = CLAIR_DEFAULT_LIMITS;
	digest_initialize(&error);
	image_initialize(&error);
	make_layer();
	test_outline();
	test_known();
	test_false_claims();
	test_documents();
	test_nesting();
	test_platforms();
	test_docker();
	test_legacy();
	test_both();
	test_directory();
	test_appc();
	test_layer();
	test_limits();
	recorder_clear(&recorder);
	return unit_result();
}
