/*
 * main.c
 *    clair-reader: reads what is hostile and answers with rows.
 *
 * Started by a backend or worker (server/helper.c) with the socket to it as descriptor 3 and,
 * for an image, a bill of materials or a VEX document, that as descriptor 0. The server sends
 * WIRE_JOB, whose names are:
 *
 *	  job			 "index", "sbom", "vex" or "update"
 *	  (each limit)	 by its name in common/limits.h
 *	  directory		 index: "true" when the image is an OCI directory, asked for by WIRE_BLOB
 *	  platform		 index: which image of several; no value: linux and architecture
 *	  architecture	 index: the server's own
 *	  layer_format	 index: "Docker" or "ACI" of an input that is one layer
 *	  digest		 index: what such an input's bytes shall have
 *	  detectors		 index: which files detectors want, see package/detector.h; or no value
 *	  updater		 update: whose documents these are
 *	  state			 update: what the updater's last run left as WIRE_STATE, or no value
 *	  options		 update: the options of its format, JSON; no value: it has none
 *
 * For an update, WIRE_DOCUMENT frames with a descriptor each follow, then WIRE_START. Before
 * the first byte of an input is read, the process has given up everything that it does not
 * need (common/sandbox.h, reader/filter.h); so what libraries open or look up once has to
 * happen in prepare().
 */
#include <unistd.h>

#include "common/connection.h"
#include "common/digest.h"
#include "common/sandbox.h"
#include "feed/vex.h"
#include "feed/xml.h"
#include "image/image.h"
#include "image/sbom_image.h"
#include "reader/filter.h"
#include "updaters/updater.h"

/* Documents of one update job: each is an open descriptor. */
#define MAX_DOCUMENTS	512
#define MAX_DESCRIPTORS (MAX_DOCUMENTS + 64)

#define JOB_MEMORY			  ((size_t) 8 << 20)
#define MAX_PROCESSOR_SECONDS (4 * 3600)

typedef struct Reader
{
	Connection *connection;
	Arena *arena; /* lives as long as the job */
	Job job;
	ClairLimits limits;
	bool is_check; /* that it can begin is all that is asked */
	bool is_vex;   /* the input is a VEX document */
	bool is_sbom;  /* or a software bill of materials */
	ImageJob image;
	const Updater *updater; /* NULL unless it is an update */
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
	if (frame->count != 2 || frame->fields[0].data == NULL || document->descriptor < 0)
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

/* Learns what is to be done. */
static ClairStatus
receive_job(Reader *reader, ClairError *error)
{
	ClairBytes kind;
	ClairBytes updater;

	reader->arena = arena_create(JOB_MEMORY);
	if (reader->arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (connection_receive_job(reader->connection, reader->arena, &reader->job, error) !=
			CLAIR_OK ||
		job_limits(&reader->job, &reader->limits, error) != CLAIR_OK)
		return error->status;
	kind = job_text(&reader->job, "job");
	if (clair_bytes_equal(kind, CLAIR_LITERAL("index")))
	{
		reader->image = (ImageJob){.input = WIRE_INPUT,
								   .platform = job_text(&reader->job, "platform").data,
								   .architecture = job_text(&reader->job, "architecture").data,
								   .layer_format = job_text(&reader->job, "layer_format").data,
								   .digest = job_text(&reader->job, "digest").data,
								   .detectors = job_text(&reader->job, "detectors")};
		return job_boolean(&reader->job, "directory", &reader->image.directory, error);
	}
	reader->is_check = clair_bytes_equal(kind, CLAIR_LITERAL("check"));
	reader->is_vex = clair_bytes_equal(kind, CLAIR_LITERAL("vex"));
	reader->is_sbom = clair_bytes_equal(kind, CLAIR_LITERAL("sbom"));
	if (reader->is_check || reader->is_vex || reader->is_sbom)
		return CLAIR_OK;
	if (!clair_bytes_equal(kind, CLAIR_LITERAL("update")))
		return clair_error(error, CLAIR_PROTOCOL, "unknown job \"%s\"",
						   kind.data != NULL ? kind.data : "");
	updater = job_text(&reader->job, "updater");
	reader->updater = updater_by_name(updater);
	if (reader->updater == NULL)
		return clair_error(error, CLAIR_MISSING, "unknown updater \"%s\"",
						   updater.data != NULL ? updater.data : "");
	reader->update.state = job_text(&reader->job, "state");
	reader->update.options = job_text(&reader->job, "options");
	return receive_documents(reader, error);
}

/* Gives up what reading does not need; whatever libraries need to open, they open here. */
static ClairStatus
prepare(const Reader *reader, ClairError *error)
{
	SandboxLimits limits = {.memory = reader->limits.reader_memory,
							.file_size = 0,
							.descriptors = MAX_DESCRIPTORS,
							.seconds = MAX_PROCESSOR_SECONDS};

	if (sandbox_limit(&limits, error) != CLAIR_OK || digest_initialize(error) != CLAIR_OK ||
		image_initialize(error) != CLAIR_OK)
		return error->status;
	xml_initialize();
	return filter_enter(error);
}

static ClairStatus
read_input(Reader *reader, ClairError *error)
{
	ClairSink sink = connection_sink(reader->connection);

	if (reader->is_check)
		return CLAIR_OK;
	if (reader->is_vex)
		return vex_read(&reader->limits, WIRE_INPUT, &sink, error);
	if (reader->is_sbom)
		return sbom_image_index(&reader->limits, WIRE_INPUT, &sink, error);
	if (reader->updater == NULL)
		return image_index(&reader->image, &reader->limits, &sink, error);
	reader->update.documents = reader->documents;
	reader->update.limits = &reader->limits;
	reader->update.sink = &sink;
	return reader->updater->read(&reader->update, error);
}

int
main(void)
{
	static Reader reader;
	ClairError error;
	ClairError reason;
	ClairStatus begun = sandbox_begin(WIRE_SOCKET, &reason);

	if (connection_open(WIRE_SOCKET, "clair-reader", &reader.connection, &error) != CLAIR_OK)
		_exit(1);
	if (begun == CLAIR_OK && receive_job(&reader, &reason) == CLAIR_OK &&
		prepare(&reader, &reason) == CLAIR_OK && read_input(&reader, &reason) == CLAIR_OK &&
		connection_done(reader.connection, &reason) == CLAIR_OK)
		_exit(0);
	connection_fail(reader.connection, &reason);
	_exit(1);
}
