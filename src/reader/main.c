/*
 * main.c
 *    clair-reader: reads what is hostile and answers with rows.
 *
 * Started by a backend or worker (server/helper.c) with the socket to it as descriptor 3 and,
 * for an image or a document that is given, that as descriptor 0. The server sends WIRE_JOB,
 * whose names are:
 *
 *	  job			 a word of JobKind
 *	  (each limit)	 by its name in common/limits.h
 *	  sandbox		 see common/sandbox.h
 *	  directory		 index: "true" when the image is an OCI directory, asked for by WIRE_BLOB
 *	  platform		 index: which image of several; no value: linux and architecture
 *	  architecture	 index: the server's own
 *	  layer_format	 index: "Docker" or "ACI" of an input that is one layer
 *	  detectors		 index: which files detectors want, see package/detector.h; or no value
 *	  digest		 index: what such an input's bytes shall have
 *	  updater		 update: whose documents these are
 *	  state			 update: what the updater's last run left as WIRE_STATE, or no value
 *	  options		 update: the options of its format, JSON; no value: it has none
 *
 * For an update, WIRE_DOCUMENT frames with a descriptor each follow, then WIRE_START; for an
 * export, WIRE_WRITE frames with what is to be written to descriptor 0, then WIRE_START. Before the
 * first byte of an input is read, the process has given up everything that it does not need
 * (common/sandbox.h, reader/profile.h); so what libraries open or look up once has to happen in
 * prepare().
 */
#include <unistd.h>

#include "common/connection.h"
#include "common/digest.h"
#include "common/fault.h"
#include "common/sandbox.h"
#include "feed/export_file.h"
#include "feed/vex.h"
#include "feed/xml.h"
#include "image/image.h"
#include "image/sbom_image.h"
#include "reader/export.h"
#include "reader/profile.h"
#include "updaters/updater.h"

/* Documents of one update job: each is an open descriptor. */
#define MAX_DOCUMENTS	512
#define MAX_DESCRIPTORS (MAX_DOCUMENTS + 64)

#define JOB_MEMORY			  ((size_t) 8 << 20)
#define MAX_PROCESSOR_SECONDS (4 * 3600)

/* What can be asked of it, by the words of the job. */
typedef enum JobKind
{
	JOB_INDEX,
	JOB_UPDATE,
	JOB_SBOM,	 /* the input is a software bill of materials */
	JOB_VEX,	 /* or a VEX document */
	JOB_INSPECT, /* or an export, which is held against itself */
	JOB_EXPORT,	 /* what the server sends is written to the input, as an export */
	JOB_CHECK,	 /* that it can begin, and in what sandbox, is all that is asked */
	JOB_KINDS
} JobKind;

static const char *const job_words[JOB_KINDS] = {
	[JOB_INDEX] = "index",	   [JOB_UPDATE] = "update", [JOB_SBOM] = "sbom",  [JOB_VEX] = "vex",
	[JOB_INSPECT] = "inspect", [JOB_EXPORT] = "export", [JOB_CHECK] = "check"};

typedef struct Reader
{
	Connection *connection;
	Arena *arena; /* lives as long as the job */
	Job job;
	ClairLimits limits;
	JobKind kind;
	SandboxState sandbox;
	ImageJob image;
	const Updater *updater; /* of an update */
	UpdaterDocument *documents;
	UpdaterJob update;
} Reader;

/* Copies a value that may be missing. */
static ClairStatus
copy_field(Reader *reader, ClairBytes field, ClairBytes *copy, ClairError *error)
{
	*copy = arena_copy(reader->arena, field);
	if (copy->data == NULL && field.data != NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return CLAIR_OK;
}

static ClairStatus
add_document(Reader *reader, const ConnectionFrame *frame, ClairError *error)
{
	UpdaterDocument *document = &reader->documents[reader->update.count];

	if (reader->update.count == MAX_DOCUMENTS)
		return clair_error(error, CLAIR_PROTOCOL, "the server sent more than %d documents",
						   MAX_DOCUMENTS);
	document->descriptor = connection_take_descriptor(reader->connection);
	if (frame->count != 2 || frame->fields[0].data == NULL || frame->fields[1].data == NULL ||
		document->descriptor < 0)
		return clair_error(error, CLAIR_PROTOCOL, "the server sent a malformed document");
	if (copy_field(reader, frame->fields[0], &document->name, error) != CLAIR_OK ||
		copy_field(reader, frame->fields[1], &document->url, error) != CLAIR_OK)
		return error->status;
	reader->update.count++;
	return CLAIR_OK;
}

/* Receives the documents of an update, up to WIRE_START. */
static ClairStatus
receive_documents(Reader *reader, ClairError *error)
{
	ConnectionFrame frame;

	reader->documents = arena_alloc_array(reader->arena, MAX_DOCUMENTS, sizeof(UpdaterDocument));
	if (reader->documents == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	for (;;)
	{
		if (connection_receive(reader->connection, &frame, error) != CLAIR_OK)
			return error->status;
		if (frame.type == WIRE_START && frame.count == 0)
			return CLAIR_OK;
		if (frame.type != WIRE_DOCUMENT)
			return clair_error(error, CLAIR_PROTOCOL, "the server sent an unexpected frame");
		if (add_document(reader, &frame, error) != CLAIR_OK)
			return error->status;
	}
}

/* Learns which image is to be indexed, and how. */
static ClairStatus
receive_image(Reader *reader, ClairError *error)
{
	reader->image = (ImageJob){.input = WIRE_INPUT,
							   .platform = job_text(&reader->job, "platform").data,
							   .architecture = job_text(&reader->job, "architecture").data,
							   .layer_format = job_text(&reader->job, "layer_format").data,
							   .digest = job_text(&reader->job, "digest").data,
							   .detectors = job_text(&reader->job, "detectors")};
	return job_boolean(&reader->job, "directory", &reader->image.directory, error);
}

/* Learns which updater is to read which documents. */
static ClairStatus
receive_update(Reader *reader, ClairError *error)
{
	ClairBytes updater = job_text(&reader->job, "updater");

	reader->updater = updater_by_name(updater);
	if (reader->updater == NULL)
		return clair_error(error, CLAIR_MISSING, "unknown updater \"%s\"",
						   updater.data != NULL ? updater.data : "");
	reader->update.state = job_text(&reader->job, "state");
	reader->update.options = job_text(&reader->job, "options");
	return receive_documents(reader, error);
}

/* Learns what is to be done. */
static ClairStatus
receive_job(Reader *reader, ClairError *error)
{
	ClairBytes word;

	reader->arena = arena_create(JOB_MEMORY);
	if (reader->arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (connection_receive_job(reader->connection, reader->arena, &reader->job, error) !=
			CLAIR_OK ||
		job_limits(&reader->job, &reader->limits, error) != CLAIR_OK)
		return error->status;
	word = job_text(&reader->job, "job");
	while (reader->kind < JOB_KINDS &&
		   !clair_bytes_equal(word, clair_bytes(job_words[reader->kind])))
		reader->kind++;
	switch (reader->kind)
	{
		case JOB_INDEX:
			return receive_image(reader, error);
		case JOB_UPDATE:
			return receive_update(reader, error);
		case JOB_KINDS:
			return clair_error(error, CLAIR_PROTOCOL, "unknown job \"%s\"",
							   word.data != NULL ? word.data : "");
		default:
			return CLAIR_OK;
	}
}

/* Gives up what reading does not need; whatever libraries need to open, they open here. */
static ClairStatus
prepare(Reader *reader, ClairError *error)
{
	SandboxLimits limits = {.memory = reader->limits.reader_memory,
							.file_size = reader->kind == JOB_EXPORT ? INT64_MAX : 0,
							.descriptors = MAX_DESCRIPTORS,
							.seconds = MAX_PROCESSOR_SECONDS};

	if (sandbox_limit(&limits, error) != CLAIR_OK || digest_initialize(error) != CLAIR_OK ||
		image_initialize(error) != CLAIR_OK)
		return error->status;
	xml_initialize();
	FAULT_POINT("reader-given-job");
	return sandbox_enter(&reader->job, &reader_profile, NULL, &reader->sandbox, error);
}

static ClairStatus
read_input(Reader *reader, ClairError *error)
{
	ClairSink sink = connection_sink(reader->connection);

	FAULT_POINT("reader-sandboxed");
	switch (reader->kind)
	{
		case JOB_INDEX:
			return image_index(&reader->image, &reader->limits, &sink, error);
		case JOB_UPDATE:
			reader->update.documents = reader->documents;
			reader->update.limits = &reader->limits;
			reader->update.sink = &sink;
			return reader->updater->read(&reader->update, error);
		case JOB_SBOM:
			return sbom_image_index(&reader->limits, WIRE_INPUT, &sink, error);
		case JOB_VEX:
			return vex_read(&reader->limits, WIRE_INPUT, &sink, error);
		case JOB_INSPECT:
			return export_inspect(&reader->limits, WIRE_INPUT, &sink, error);
		case JOB_EXPORT:
			return export_write(reader->connection, WIRE_INPUT, error);
		default:
			return sandbox_report(&reader->sandbox, &sink, error);
	}
}

int
main(void)
{
	static Reader reader;
	ClairError error;
	ClairError reason;
	ClairStatus begun;

	FAULT_POINT("reader-started");
	begun = sandbox_begin(WIRE_SOCKET, &reason);
	if (connection_open(WIRE_SOCKET, "clair-reader", &reader.connection, &error) != CLAIR_OK)
		_exit(1);
	if (begun == CLAIR_OK && receive_job(&reader, &reason) == CLAIR_OK &&
		prepare(&reader, &reason) == CLAIR_OK && read_input(&reader, &reason) == CLAIR_OK &&
		connection_done(reader.connection, &reason) == CLAIR_OK)
		_exit(0);
	connection_fail(reader.connection, &reason);
	_exit(1);
}
