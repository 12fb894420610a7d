/*
 * wire.h
 *    What helpers and the server say to each other: frames over one socket pair.
 *
 * A frame is a header and a body; the body is a sequence of fields, each a 32-bit
 * length and that many bytes, a length of WIRE_NULL standing for no value. Integers
 * are in host order (both ends are one machine) and, within fields, decimal text.
 * Each side checks every frame that it receives: the length against WIRE_MAX_FRAME,
 * the fields against the body, their number and types against what the frame is.
 *
 * A job begins with the server's WIRE_JOB and ends with the helper's WIRE_DONE or
 * WIRE_ERROR, after which the helper exits. The helper speaks only when it has
 * something; the server answers a question with one frame of the same letter in
 * lower case. Descriptors travel with SCM_RIGHTS beside the first byte of a frame.
 */
#ifndef CLAIR_WIRE_H
#define CLAIR_WIRE_H

#include "common/bytes.h"
#include "common/error.h"

#define WIRE_VERSION   1
#define WIRE_MAX_FRAME (8 * 1024 * 1024) /* bytes of a body */
#define WIRE_MAX_FIELD (4 * 1024 * 1024) /* bytes of a field */
#define WIRE_NULL	   UINT32_MAX
#define WIRE_SOCKET	   3 /* the helper's descriptor of the socket */
#define WIRE_INPUT	   0 /* the reader's descriptor of the image, if there is one */

typedef struct WireHeader
{
	uint32_t size;	 /* of the body, in bytes */
	uint32_t fields; /* in the body */
	uint8_t type;	 /* WireType */
	uint8_t tag;	 /* WIRE_ROW: the WireRelation; else 0 */
	uint16_t zero;
} WireHeader;

typedef enum WireType
{
	/* from a helper */
	WIRE_HELLO = 'H',		/* program, WIRE_VERSION: always the first frame */
	WIRE_ROW = 'R',			/* the columns of the relation in the tag */
	WIRE_KNOWN = 'K',		/* keys: which of these are known? */
	WIRE_BLOB = 'B',		/* a name: open this file of the image's directory */
	WIRE_PROGRESS = 'P',	/* bytes read so far, records seen so far */
	WIRE_TRANSFERRED = 'T', /* clair-fetch: see WIRE_TRANSFERRED_FIELDS */
	WIRE_DONE = 'D',		/* the last frame of a job that succeeded */
	WIRE_ERROR = 'E',		/* the last frame of one that failed: status, message, detail, hint */

	/* from the server */
	WIRE_JOB = 'j',			 /* name, value, name, value, ... */
	WIRE_DOCUMENT = 'd',	 /* clair-reader: name, URL; with a descriptor */
	WIRE_TRANSFER = 't',	 /* clair-fetch: see WIRE_TRANSFER_FIELDS; with a descriptor */
	WIRE_START = 's',		 /* no more documents, transfers or bytes follow */
	WIRE_WRITE = 'w',		 /* clair-reader: bytes of an export, in one field or several */
	WIRE_KNOWN_ANSWER = 'k', /* one field a key: no value when unknown, else what is known */
	WIRE_BLOB_ANSWER = 'b'	 /* no field, with a descriptor; or one field: why there is none */
} WireType;

/*
 * The relations that rows belong to: X(RELATION, "name", COLUMNS), and the columns
 * of each: C(name, type). Type text is UTF-8 without NUL; int is a decimal integer
 * that fits in 64 bits; bytes are any. All rows of a relation have all of its columns.
 */
#define WIRE_TEXT  1
#define WIRE_INT   2
#define WIRE_BYTES 3

/* An image: number within this job (from 0), image id, "os/architecture[/variant]". */
#define WIRE_IMAGE_COLUMNS(C) C(image, WIRE_INT) C(digest, WIRE_TEXT) C(platform, WIRE_TEXT)

/* A name that the archive gives an image: RepoTags, ref.name. */
#define WIRE_IMAGE_NAME_COLUMNS(C) C(image, WIRE_INT) C(name, WIRE_TEXT)

/* A manifest that points to an image. */
#define WIRE_IMAGE_MANIFEST_COLUMNS(C) C(image, WIRE_INT) C(digest, WIRE_TEXT)

/* A layer of an image: position from 1 (the base), digest as stored or no value. */
#define WIRE_IMAGE_LAYER_COLUMNS(C)                                                                \
	C(image, WIRE_INT)                                                                             \
	C(position, WIRE_INT) C(layer, WIRE_TEXT) C(stored_digest, WIRE_TEXT) C(command, WIRE_TEXT)

/*
 * A layer that was read: diff id, digest as stored, sizes in bytes, tar entries, version of what
 * looks for wanted files in it.
 */
#define WIRE_LAYER_COLUMNS(C)                                                                      \
	C(layer, WIRE_TEXT)                                                                            \
	C(stored_digest, WIRE_TEXT)                                                                    \
	C(size, WIRE_INT) C(stored_size, WIRE_INT) C(entries, WIRE_INT) C(version, WIRE_INT)

/*
 * Something that a layer says of a path that matters. Type: file, directory, symlink,
 * other, whiteout, opaque. Path: without leading "./" or "/", as written in the tar
 * (of a whiteout: what it hides; of opaque: the directory). Target: of a symlink, as
 * written; of a file that only a link makes wanted: the wanted path. Role: for the wanted files,
 * "dpkg", "apk", "rpm", or the fact source
 * ("os-release", ...), or "sqlite-log", a log that has changes to the database of the same name
 * without "-wal" (in the same layer they are part of its content); for links at wanted paths the
 * role that their target has; else no value. Version: of what reads files of this role. Content:
 * digest of a package database's bytes.
 *
 * A file that a detector wants has the role WIRE_DETECTOR_ROLE and the detector's name, and as
 * content that role, ":" and the digest of its path, a NUL and its bytes; no value when it was left
 * out. A path comes once for each role that its file has.
 */
#define WIRE_LAYER_ENTRY_COLUMNS(C)                                                                \
	C(layer, WIRE_TEXT)                                                                            \
	C(number, WIRE_INT)                                                                            \
	C(version, WIRE_INT)                                                                           \
	C(path, WIRE_TEXT)                                                                             \
	C(type, WIRE_TEXT) C(target, WIRE_TEXT) C(role, WIRE_TEXT) C(content, WIRE_TEXT)

/* What a release file of a layer says: path of the entry, key, value. */
#define WIRE_LAYER_FACT_COLUMNS(C)                                                                 \
	C(layer, WIRE_TEXT) C(path, WIRE_TEXT) C(key, WIRE_TEXT) C(value, WIRE_TEXT)

/*
 * A feature of a package database, found by the digest of its bytes. Problem: why
 * the version is not valid, or no value. Module: of rpm, name:stream, or no value.
 * License: as the database words it, or no value.
 */
#define WIRE_FEATURE_COLUMNS(C)                                                                    \
	C(content, WIRE_TEXT)                                                                          \
	C(number, WIRE_INT)                                                                            \
	C(name, WIRE_TEXT)                                                                             \
	C(version, WIRE_TEXT)                                                                          \
	C(source_name, WIRE_TEXT)                                                                      \
	C(source_version, WIRE_TEXT)                                                                   \
	C(architecture, WIRE_TEXT)                                                                     \
	C(problem, WIRE_TEXT) C(module, WIRE_TEXT) C(vendor, WIRE_TEXT) C(license, WIRE_TEXT)

/*
 * Something of a layer that could not be read and was left out: path, place, reason. Unsupported
 * (1): the whole file is of a form that is known, and not read.
 */
#define WIRE_LAYER_PROBLEM_COLUMNS(C)                                                              \
	C(layer, WIRE_TEXT)                                                                            \
	C(number, WIRE_INT)                                                                            \
	C(path, WIRE_TEXT) C(reason, WIRE_TEXT) C(unsupported, WIRE_INT)

/*
 * A piece of a file that a detector wants: what layer_entry has as its content, its path in the
 * layer, the size of all of it, and the next bytes of it. All pieces of a file follow each other;
 * an empty file has one.
 */
#define WIRE_DETECTOR_FILE_COLUMNS(C)                                                              \
	C(content, WIRE_TEXT) C(path, WIRE_TEXT) C(size, WIRE_INT) C(bytes, WIRE_BYTES)

#define WIRE_DETECTOR_ROLE	   "detector:"
#define WIRE_MAX_DETECTOR_FILE ((int64_t) 64 << 20) /* bytes of such a file */
#define WIRE_MAX_DETECTIONS	   10000				/* keys of one question for them */

/*
 * A further document that one of this job, "by", names. Name: unique within the updater; URL:
 * relative to the naming document's or absolute. Optional (1): it may be absent. Mode:
 *
 *	  plain	  fetched when it has changed; its records are compared with those of the last time
 *	  always  other documents are read in its light: fetched whole by every run, and when it has
 *			  changed all others are too
 *	  keep	  fetched if it never was, else taken for unchanged, with all that it names
 *	  patch	  changes single records of other documents (record_feed_patch()), and is not remembered
 *
 * Checksum: of its bytes as they are fetched, "sha256:" and hexadecimal digits, or no value.
 */
#define WIRE_FURTHER_COLUMNS(C)                                                                    \
	C(by, WIRE_TEXT)                                                                               \
	C(name, WIRE_TEXT)                                                                             \
	C(url, WIRE_TEXT) C(optional, WIRE_INT) C(mode, WIRE_TEXT) C(checksum, WIRE_TEXT)

/*
 * A record of a feed's document: key, unique within the updater, and digest (hex). The
 * key of the question WIRE_KNOWN is the record's key, a blank, and its digest.
 */
#define WIRE_RECORD_COLUMNS(C) C(document, WIRE_TEXT) C(record, WIRE_TEXT) C(digest, WIRE_TEXT)

/* A record that is gone, of a document that is not read in this run. */
#define WIRE_GONE_COLUMNS(C) C(record, WIRE_TEXT)

/*
 * What the next run is told as its job's "state", once this one has succeeded: how far an
 * updater whose documents are patches has come. The last one of a run counts. No value: the run
 * cannot go on from its state, and begins again, without one, with all documents.
 */
#define WIRE_STATE_COLUMNS(C) C(state, WIRE_TEXT)

/*
 * A vulnerability as one record states it; digest: over this row and its ranges. Name: its CVE,
 * if it has one. Aliases: its other names, blank-separated, in order, or no value.
 */
#define WIRE_VULNERABILITY_COLUMNS(C)                                                              \
	C(record, WIRE_TEXT)                                                                           \
	C(name, WIRE_TEXT)                                                                             \
	C(digest, WIRE_TEXT) C(description, WIRE_TEXT) C(link, WIRE_TEXT) C(aliases, WIRE_TEXT)

/*
 * An affected range of a vulnerability; its rows directly follow that. Kind: source, binary.
 * Format: of the versions (dpkg, rpm, apk). Introduced: no value for "from the first version on";
 * fixed: no value when there is no fix; it goes with the status "fixed", and only with that.
 * Last affected: of other statuses, the version up to which, and with which, it is affected; no
 * value when that has no end. Status and severity: the words of the SQL enums.
 *
 * What a feature must be for the range to be about it, no value meaning that it does not matter:
 * one of these architectures, or noarch; of this module (name:stream; empty: of none); of this
 * flavour of builds (fips, ksplice, esm; empty: an ordinary one); from one of these repositories
 * (CPEs, or a namespace for the features whose repositories are unknown). Lists are
 * blank-separated and in order. Advisory: the one that brings the fix, such as RHSA-2031:0007.
 */
#define WIRE_AFFECTED_COLUMNS(C)                                                                   \
	C(record, WIRE_TEXT)                                                                           \
	C(name, WIRE_TEXT)                                                                             \
	C(number, WIRE_INT)                                                                            \
	C(namespace, WIRE_TEXT)                                                                        \
	C(kind, WIRE_TEXT)                                                                             \
	C(package, WIRE_TEXT)                                                                          \
	C(format, WIRE_TEXT)                                                                           \
	C(introduced, WIRE_TEXT)                                                                       \
	C(fixed, WIRE_TEXT)                                                                            \
	C(status, WIRE_TEXT)                                                                           \
	C(severity, WIRE_TEXT)                                                                         \
	C(architectures, WIRE_TEXT)                                                                    \
	C(module, WIRE_TEXT)                                                                           \
	C(flavour, WIRE_TEXT)                                                                          \
	C(repositories, WIRE_TEXT) C(advisory, WIRE_TEXT) C(last_affected, WIRE_TEXT)

/*
 * What a record, which is named after a CVE, says of that; digest: over this row and its metrics.
 * State: in the source's words. Published, modified: as timestamp.h writes them, or no value.
 */
#define WIRE_CVE_COLUMNS(C)                                                                        \
	C(cve, WIRE_TEXT)                                                                              \
	C(digest, WIRE_TEXT)                                                                           \
	C(state, WIRE_TEXT)                                                                            \
	C(description, WIRE_TEXT) C(published, WIRE_TEXT) C(modified, WIRE_TEXT)

/*
 * A metric of a CVE, numbered within its record. Type: Primary, Secondary, CNA, ADP. Version: of
 * CVSS. Score: with one decimal. Severity: a word of the SQL enum.
 */
#define WIRE_METRIC_COLUMNS(C)                                                                     \
	C(cve, WIRE_TEXT)                                                                              \
	C(number, WIRE_INT)                                                                            \
	C(source, WIRE_TEXT)                                                                           \
	C(type, WIRE_TEXT)                                                                             \
	C(version, WIRE_TEXT) C(vector, WIRE_TEXT) C(score, WIRE_TEXT) C(severity, WIRE_TEXT)

/*
 * EPSS: the scores of a document, each CVE once, which are compared with those of the last time;
 * and which document and edition they are, in one row. Scores are decimal numbers from 0 to 1.
 */
#define WIRE_EPSS_COLUMNS(C) C(cve, WIRE_TEXT) C(score, WIRE_TEXT) C(percentile, WIRE_TEXT)
#define WIRE_EPSS_EDITION_COLUMNS(C)                                                               \
	C(document, WIRE_TEXT) C(model, WIRE_TEXT) C(score_date, WIRE_TEXT)

/* That the CVE which a record is named after is exploited. Dates: year-month-day. Ransomware: 0, 1.
 */
#define WIRE_KEV_COLUMNS(C)                                                                        \
	C(cve, WIRE_TEXT)                                                                              \
	C(date_added, WIRE_TEXT)                                                                       \
	C(due_date, WIRE_TEXT)                                                                         \
	C(ransomware, WIRE_INT)                                                                        \
	C(vendor, WIRE_TEXT)                                                                           \
	C(product, WIRE_TEXT)                                                                          \
	C(name, WIRE_TEXT) C(required_action, WIRE_TEXT) C(notes, WIRE_TEXT)

/* A product, by its CPE, that a repository's packages belong to: of a list of all of them. */
#define WIRE_REPOSITORY_COLUMNS(C) C(repository, WIRE_TEXT) C(cpe, WIRE_TEXT)

/*
 * A VEX document, once. Format: openvex, csaf, cyclonedx. Version: numbers with dots between them,
 * or no value. Issued: as timestamp.h writes it, or no value.
 */
#define WIRE_VEX_DOCUMENT_COLUMNS(C)                                                               \
	C(format, WIRE_TEXT)                                                                           \
	C(id, WIRE_TEXT) C(version, WIRE_TEXT) C(issued, WIRE_TEXT) C(author, WIRE_TEXT)

/*
 * That a vulnerability is not in a product. Kind: a word of the SQL enum clair.exception_kind.
 * Justification: one of OpenVEX's, or no value. Image: its digest, or a pattern of names (of LIKE);
 * no value: any. Package: no value for the whole image. Format: of the package's versions. Version
 * and architecture: no value for any. Vendor, distribution: whose package it is, as package URLs
 * ("debian", "debian-12") or CPEs ("suse:sles", "15.4") have it, or no value. Product: what it is a
 * part of, or all of, when that is no image that can be found.
 */
#define WIRE_VEX_COLUMNS(C)                                                                        \
	C(vulnerability, WIRE_TEXT)                                                                    \
	C(kind, WIRE_TEXT)                                                                             \
	C(justification, WIRE_TEXT)                                                                    \
	C(reason, WIRE_TEXT)                                                                           \
	C(image, WIRE_TEXT)                                                                            \
	C(package, WIRE_TEXT)                                                                          \
	C(format, WIRE_TEXT)                                                                           \
	C(version, WIRE_TEXT)                                                                          \
	C(architecture, WIRE_TEXT)                                                                     \
	C(vendor, WIRE_TEXT) C(distribution, WIRE_TEXT) C(product, WIRE_TEXT)

/* A namespace that a feed said nothing of any more, so that what it said last is kept. */
#define WIRE_FROZEN_COLUMNS(C) C(namespace, WIRE_TEXT)

/*
 * An updater that an export (feed/export_file.h) has something of. Site: the database that it is
 * from. Position: how far that was. Since: the position from which on it tells what changed, or no
 * value: it tells everything. As of: when the updater had succeeded there, or no value.
 */
#define WIRE_EXPORT_COLUMNS(C)                                                                     \
	C(updater, WIRE_TEXT)                                                                          \
	C(site, WIRE_TEXT) C(position, WIRE_INT) C(since, WIRE_INT) C(as_of, WIRE_TEXT)

/* A record, or an item of it, that was skipped: document, record, reason. */
#define WIRE_BROKEN_COLUMNS(C) C(document, WIRE_TEXT) C(record, WIRE_TEXT) C(reason, WIRE_TEXT)

/* How a helper is held (common/sandbox.h): whether by seccomp, 0 or 1; version of Landlock, or 0.
 */
#define WIRE_SANDBOX_COLUMNS(C) C(seccomp, WIRE_INT) C(landlock, WIRE_INT)

#define WIRE_RELATIONS(X)                                                                          \
	X(WIRE_IMAGE, "image", WIRE_IMAGE_COLUMNS)                                                     \
	X(WIRE_IMAGE_NAME, "image_name", WIRE_IMAGE_NAME_COLUMNS)                                      \
	X(WIRE_IMAGE_MANIFEST, "image_manifest", WIRE_IMAGE_MANIFEST_COLUMNS)                          \
	X(WIRE_IMAGE_LAYER, "image_layer", WIRE_IMAGE_LAYER_COLUMNS)                                   \
	X(WIRE_LAYER, "layer", WIRE_LAYER_COLUMNS)                                                     \
	X(WIRE_LAYER_ENTRY, "layer_entry", WIRE_LAYER_ENTRY_COLUMNS)                                   \
	X(WIRE_LAYER_FACT, "layer_fact", WIRE_LAYER_FACT_COLUMNS)                                      \
	X(WIRE_FEATURE, "feature", WIRE_FEATURE_COLUMNS)                                               \
	X(WIRE_LAYER_PROBLEM, "layer_problem", WIRE_LAYER_PROBLEM_COLUMNS)                             \
	X(WIRE_DETECTOR_FILE, "detector_file", WIRE_DETECTOR_FILE_COLUMNS)                             \
	X(WIRE_FURTHER, "further", WIRE_FURTHER_COLUMNS)                                               \
	X(WIRE_RECORD, "record", WIRE_RECORD_COLUMNS)                                                  \
	X(WIRE_GONE, "gone", WIRE_GONE_COLUMNS)                                                        \
	X(WIRE_STATE, "state", WIRE_STATE_COLUMNS)                                                     \
	X(WIRE_VULNERABILITY, "vulnerability", WIRE_VULNERABILITY_COLUMNS)                             \
	X(WIRE_AFFECTED, "affected", WIRE_AFFECTED_COLUMNS)                                            \
	X(WIRE_CVE, "cve", WIRE_CVE_COLUMNS)                                                           \
	X(WIRE_METRIC, "metric", WIRE_METRIC_COLUMNS)                                                  \
	X(WIRE_EPSS, "epss", WIRE_EPSS_COLUMNS)                                                        \
	X(WIRE_EPSS_EDITION, "epss_edition", WIRE_EPSS_EDITION_COLUMNS)                                \
	X(WIRE_KEV, "kev", WIRE_KEV_COLUMNS)                                                           \
	X(WIRE_REPOSITORY, "repository", WIRE_REPOSITORY_COLUMNS)                                      \
	X(WIRE_VEX_DOCUMENT, "vex_document", WIRE_VEX_DOCUMENT_COLUMNS)                                \
	X(WIRE_VEX, "vex", WIRE_VEX_COLUMNS)                                                           \
	X(WIRE_FROZEN, "frozen", WIRE_FROZEN_COLUMNS)                                                  \
	X(WIRE_EXPORT, "export", WIRE_EXPORT_COLUMNS)                                                  \
	X(WIRE_SANDBOX, "sandbox", WIRE_SANDBOX_COLUMNS)                                               \
	X(WIRE_BROKEN, "broken", WIRE_BROKEN_COLUMNS)

typedef enum WireRelation
{
#define WIRE_RELATION_NAME(id, name, columns) id,
	WIRE_RELATIONS(WIRE_RELATION_NAME)
#undef WIRE_RELATION_NAME
		WIRE_RELATION_COUNT
} WireRelation;

#define WIRE_MAX_COLUMNS 17

typedef struct WireColumn
{
	const char *name;
	int type; /* WIRE_TEXT, WIRE_INT or WIRE_BYTES */
} WireColumn;

typedef struct WireRelationInfo
{
	const char *name;
	int column_count;
	WireColumn columns[WIRE_MAX_COLUMNS];
} WireRelationInfo;

/* Indexed by WireRelation. */
extern const WireRelationInfo wire_relations[WIRE_RELATION_COUNT];

/*
 * The fields of WIRE_TRANSFER. With a body, it is posted, and no descriptor goes along: one
 * attempt, which follows no redirect; what is answered comes back with WIRE_TRANSFERRED.
 */
enum
{
	WIRE_TRANSFER_NUMBER, /* from 0, in order */
	WIRE_TRANSFER_URL,
	WIRE_TRANSFER_ETAG,			 /* of what is already there, or no value */
	WIRE_TRANSFER_LAST_MODIFIED, /* likewise */
	WIRE_TRANSFER_MAX_SIZE,		 /* greatest size of what is received, in bytes */
	WIRE_TRANSFER_HEADERS,		 /* further lines, "name: value" and a line feed, or no value */
	WIRE_TRANSFER_BODY,			 /* text, or no value: nothing is posted */
	WIRE_TRANSFER_TIMEOUT,		 /* seconds, all in all, of what is posted */
	WIRE_TRANSFER_CERTIFICATE,	 /* the client's own, the bytes of a PEM file, or no value */
	WIRE_TRANSFER_KEY,			 /* its key, likewise; no value: it is beside the certificate */
	WIRE_TRANSFER_FIELDS
};

#define WIRE_MAX_HEADERS (64 * 1024)   /* bytes of the header lines */
#define WIRE_MAX_BODY	 (1024 * 1024) /* bytes of what is posted */
#define WIRE_MAX_PEM	 (64 * 1024)   /* bytes of a certificate or a key */

/* The fields of WIRE_TRANSFERRED. */
enum
{
	WIRE_TRANSFERRED_NUMBER,
	WIRE_TRANSFERRED_STATUS, /* of HTTP: 200, 304, 404, ...; 0 when there was no answer */
	WIRE_TRANSFERRED_BYTES,	 /* written */
	WIRE_TRANSFERRED_ETAG,
	WIRE_TRANSFERRED_LAST_MODIFIED,
	WIRE_TRANSFERRED_URL, /* after redirects */
	WIRE_TRANSFERRED_ERROR,
	WIRE_TRANSFERRED_HINT,
	WIRE_TRANSFERRED_ANSWER,	  /* to what was posted: the beginning of it, escaped */
	WIRE_TRANSFERRED_RETRY_AFTER, /* seconds for which the server asks, or no value */
	WIRE_TRANSFERRED_FIELDS
};

/* Takes the next field off *body. False when the body does not hold a whole field. */
extern bool wire_next_field(ClairBytes *body, ClairBytes *field);

/*
 * Checks that body consists of exactly count fields and stores them. The fields
 * point into the body.
 */
extern bool wire_fields(ClairBytes body, uint32_t count, ClairBytes *fields);

/* The bytes that a frame of these fields takes, header included. */
extern size_t wire_frame_size(const ClairBytes *fields, uint32_t count);

/* Writes the frame to a buffer of at least wire_frame_size() bytes. */
extern void
wire_frame(char *buffer, WireType type, uint8_t tag, const ClairBytes *fields, uint32_t count);

/* Whether every field that has a value is valid text. */
extern bool wire_fields_are_text(const ClairBytes *fields, uint32_t count);

/* Reads a decimal integer, the whole field. */
extern bool wire_integer(ClairBytes field, int64_t *value);

/*
 * Whether the fields are a row of the relation: number, types, UTF-8. NULL when
 * they are, else what is wrong.
 */
extern const char *
wire_row_problem(WireRelation relation, const ClairBytes *fields, uint32_t count);

#endif
