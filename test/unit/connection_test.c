/*
 * Proves that a helper's end of the socket sends whole frames in order, asks and understands
 * answers, takes descriptors and closes what nobody takes, and refuses what is no frame.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/connection.h"

static Connection *connection;
static int server; /* the other end */

static void
begin(void)
{
	int sockets[2];
	ClairError error;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0 ||
		connection_open(sockets[0], "unit", &connection, &error) != CLAIR_OK)
		exit(1);
	server = sockets[1];
}

static void
end(void)
{
	connection_close(connection);
	close(server);
}

/* Sends a frame as the server, with so many descriptors (of /dev/null) beside it. */
static void
serve(WireType type, const ClairBytes *fields, uint32_t count, int descriptors)
{
	char *buffer = malloc(wire_frame_size(fields, count));
	struct iovec part = {buffer, wire_frame_size(fields, count)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int numbers[4];
	union
	{
		char buffer[CMSG_SPACE(sizeof(numbers))];
		struct cmsghdr alignment;
	} control;

	memset(&control, 0, sizeof(control));
	wire_frame(buffer, type, 0, fields, count);
	for (int i = 0; i < descriptors; i++)
		numbers[i] = open("/dev/null", O_RDONLY);
	if (descriptors > 0)
	{
		struct cmsghdr *rights;

		message.msg_control = control.buffer;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t) descriptors);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t) descriptors);
		memcpy(CMSG_DATA(rights), numbers, sizeof(int) * (size_t) descriptors);
	}
	if (sendmsg(server, &message, 0) != (ssize_t) part.iov_len)
		exit(1);
	for (int i = 0; i < descriptors; i++)
		close(numbers[i]);
	free(buffer);
}

/* Reads size bytes as the server. */
static void
read_all(char *data, size_t size)
{
	while (size > 0)
	{
		ssize_t got = read(server, data, size);

		if (got <= 0)
			exit(1);
		data += got;
		size -= (size_t) got;
	}
}

/* Reads a frame as the server: its header, and its body, to be freed. */
static char *
read_frame(WireHeader *header)
{
	char *body;

	read_all((char *) header, sizeof(*header));
	body = malloc(header->size + 1);
	read_all(body, header->size);
	return body;
}

static int
count_descriptors(void)
{
	int count = 0;

	for (int i = 0; i < 256; i++)
		count += fcntl(i, F_GETFD) >= 0;
	return count;
}

static void
test_sending(void)
{
	ClairBytes row[] = {CLAIR_LITERAL("0"), CLAIR_LITERAL("web:1")};
	ClairSink sink;
	ClairBytes fields[2];
	WireHeader header;
	ClairError error;
	char *body;
	char byte;

	begin();
	sink = connection_sink(connection);
	CHECK_INT(sink.row(sink.context, WIRE_IMAGE_NAME, row, 2, &error), CLAIR_OK, "a row is taken");
	CHECK(recv(server, &byte, 1, MSG_DONTWAIT) < 0, "and not sent at once");
	CHECK_INT(connection_done(connection, &error), CLAIR_OK, "the end of the job");
	body = read_frame(&header);
	CHECK(header.type == WIRE_HELLO && wire_fields((ClairBytes){body, header.size}, 2, fields),
		  "sends hello first");
	CHECK_TEXT(fields[0], "unit", "with the program's name");
	CHECK_TEXT(fields[1], "1", "and the version");
	free(body);
	body = read_frame(&header);
	CHECK(header.type == WIRE_ROW && header.tag == WIRE_IMAGE_NAME, "then the row");
	CHECK(wire_fields((ClairBytes){body, header.size}, 2, fields), "with its columns");
	CHECK_TEXT(fields[1], "web:1", "as they were");
	free(body);
	body = read_frame(&header);
	CHECK(header.type == WIRE_DONE && header.size == 0, "then the end");
	free(body);
	end();
}

static void
test_errors_sent(void)
{
	ClairBytes fields[4];
	WireHeader header;
	ClairError error;
	char *body;

	begin();
	clair_error(&error, CLAIR_LIMIT, "too much");
	clair_error_hint(&error, "Less.");
	connection_fail(connection, &error);
	free(read_frame(&header));
	body = read_frame(&header);
	CHECK(header.type == WIRE_ERROR && wire_fields((ClairBytes){body, header.size}, 4, fields),
		  "an error has four fields");
	CHECK_TEXT(fields[0], "2", "its status");
	CHECK_TEXT(fields[1], "too much", "its message");
	CHECK_TEXT(fields[2], NULL, "no detail");
	CHECK_TEXT(fields[3], "Less.", "its hint");
	free(body);
	end();
}

/* Rows of all sizes, more than the socket takes at once, read by a child. */
static void
test_many_rows(void)
{
	static const size_t sizes[] = {0, 1, 100, 70000, 65536 - 28, WIRE_MAX_FIELD};
	char *large = calloc(1, WIRE_MAX_FIELD + 1);
	ClairSink sink;
	ClairError error;
	bool sent = true;
	pid_t reader;
	int status;

	begin();
	sink = connection_sink(connection);
	reader = fork();
	if (reader == 0)
	{
		WireHeader header;

		free(read_frame(&header));
		for (int i = 0; i < 60; i++)
		{
			free(read_frame(&header));
			if (header.type != WIRE_ROW || header.size != 4 + 4 + 1 + sizes[i % 6])
				_exit(1);
		}
		free(large);
		_exit(0);
	}
	for (int i = 0; i < 60; i++)
	{
		ClairBytes row[] = {CLAIR_LITERAL("7"), {large, sizes[i % 6]}};

		sent = sent && sink.row(sink.context, WIRE_IMAGE_NAME, row, 2, &error) == CLAIR_OK;
	}
	sent = sent && connection_flush(connection, &error) == CLAIR_OK;
	waitpid(reader, &status, 0);
	CHECK(sent && status == 0, "rows of all sizes arrive in order");
	CHECK_INT(sink.row(sink.context, WIRE_IMAGE_NAME,
					   (ClairBytes[]){CLAIR_LITERAL("7"), {large, WIRE_MAX_FIELD + 1}}, 2, &error),
			  CLAIR_LIMIT, "a larger one is refused");
	CHECK_TEXT(clair_bytes(error.message),
			   "a row of image_name is too large to be sent to the server", "with words");
	CHECK_INT(sink.row(sink.context, WIRE_FEATURE,
					   (ClairBytes[]){{large, WIRE_MAX_FIELD}, {large, WIRE_MAX_FIELD}}, 2, &error),
			  CLAIR_LIMIT, "so is one whose columns are too large together");
	free(large);
	end();
}

static void
test_questions(void)
{
	ClairBytes keys[] = {CLAIR_LITERAL("a"), CLAIR_LITERAL("b"), CLAIR_LITERAL("c")};
	ClairBytes replies[] = {CLAIR_NULL_BYTES, CLAIR_LITERAL(""), CLAIR_LITERAL("sha256:1")};
	ClairBytes answers[3];
	ClairBytes reason = CLAIR_LITERAL("No such file or directory");
	ClairSink sink;
	WireHeader header;
	ClairError error;
	int descriptor = -1;
	int before;

	begin();
	sink = connection_sink(connection);
	serve(WIRE_KNOWN_ANSWER, replies, 3, 0);
	CHECK_INT(sink.known(sink.context, keys, 3, answers, &error), CLAIR_OK, "known?");
	CHECK_TEXT(answers[0], NULL, "unknown");
	CHECK_TEXT(answers[1], "", "known");
	CHECK_TEXT(answers[2], "sha256:1", "and what is known of it");
	free(read_frame(&header));
	free(read_frame(&header));
	CHECK(header.type == WIRE_KNOWN && header.fields == 3, "the question is sent before waiting");
	CHECK_INT(sink.known(sink.context, NULL, 0, NULL, &error), CLAIR_OK, "nothing to ask for");
	serve(WIRE_KNOWN_ANSWER, replies, 2, 0);
	CHECK_INT(sink.known(sink.context, keys, 3, answers, &error), CLAIR_PROTOCOL,
			  "too few answers");
	serve(WIRE_START, NULL, 0, 0);
	CHECK_INT(sink.known(sink.context, keys, 3, answers, &error), CLAIR_PROTOCOL, "no answer");

	before = count_descriptors();
	serve(WIRE_BLOB_ANSWER, NULL, 0, 1);
	CHECK_INT(sink.blob(sink.context, CLAIR_LITERAL("index.json"), &descriptor, &error), CLAIR_OK,
			  "blob?");
	CHECK(fcntl(descriptor, F_GETFD) == FD_CLOEXEC, "the descriptor is the caller's");
	close(descriptor);
	serve(WIRE_BLOB_ANSWER, &reason, 1, 0);
	CHECK_INT(sink.blob(sink.context, CLAIR_LITERAL("index.json"), &descriptor, &error),
			  CLAIR_MISSING, "no blob");
	CHECK_TEXT(clair_bytes(error.message),
			   "could not open \"index.json\": No such file or directory", "and why");
	serve(WIRE_BLOB_ANSWER, NULL, 0, 0);
	CHECK_INT(sink.blob(sink.context, CLAIR_LITERAL("x"), &descriptor, &error), CLAIR_PROTOCOL,
			  "neither descriptor nor reason");
	serve(WIRE_BLOB_ANSWER, &reason, 1, 1);
	CHECK_INT(sink.blob(sink.context, CLAIR_LITERAL("x"), &descriptor, &error), CLAIR_PROTOCOL,
			  "both");
	serve(WIRE_BLOB_ANSWER, NULL, 0, 2);
	CHECK_INT(sink.blob(sink.context, CLAIR_LITERAL("x"), &descriptor, &error), CLAIR_PROTOCOL,
			  "two descriptors");
	serve(WIRE_START, NULL, 0, 0);
	(void) sink.blob(sink.context, CLAIR_LITERAL("x"), &descriptor, &error);
	CHECK_INT(count_descriptors(), before, "what nobody takes is closed");
	end();
}

/* More keys than one question holds: a child answers each part. */
static void
test_many_keys(void)
{
	enum
	{
		KEYS = 100000
	};
	ClairBytes *keys = calloc(KEYS, sizeof(ClairBytes));
	ClairBytes *answers = calloc(KEYS, sizeof(ClairBytes));
	ClairSink sink;
	ClairError error;
	bool right = true;
	pid_t child;
	int status;

	begin();
	sink = connection_sink(connection);
	for (int i = 0; i < KEYS; i++)
		keys[i] = i % 3 == 0 ? CLAIR_LITERAL("known") : CLAIR_LITERAL("new");
	child = fork();
	if (child == 0)
	{
		WireHeader header;

		free(read_frame(&header));
		for (uint32_t seen = 0; seen < KEYS; seen += header.fields)
		{
			char *body = read_frame(&header);
			ClairBytes *fields = calloc(header.fields, sizeof(ClairBytes));

			if (header.type != WIRE_KNOWN ||
				!wire_fields((ClairBytes){body, header.size}, header.fields, fields))
				_exit(1);
			for (uint32_t i = 0; i < header.fields; i++)
			{
				if (fields[i].size == 3)
					fields[i] = CLAIR_NULL_BYTES;
			}
			serve(WIRE_KNOWN_ANSWER, fields, header.fields, 0);
			free(fields);
			free(body);
		}
		free(keys);
		free(answers);
		_exit(0);
	}
	CHECK_INT(sink.known(sink.context, keys, KEYS, answers, &error), CLAIR_OK, "100,000 keys");
	waitpid(child, &status, 0);
	for (int i = 0; i < KEYS; i++)
		right = right && (i % 3 == 0 ? answers[i].size == 5 : answers[i].data == NULL);
	CHECK(right && status == 0, "each has its own answer");
	free(keys);
	free(answers);
	end();
}

static void
test_progress(void)
{
	struct timespec pause = {0, 130 * 1000000};
	ClairSink sink;
	WireHeader header;
	ClairError error;
	ClairBytes fields[2];
	char *body;
	char byte;
	int bytes = 0;

	begin();
	sink = connection_sink(connection);
	CHECK_INT(sink.progress(sink.context, 4096, 7, &error), CLAIR_OK, "progress");
	free(read_frame(&header));
	body = read_frame(&header);
	CHECK(header.type == WIRE_PROGRESS && wire_fields((ClairBytes){body, header.size}, 2, fields),
		  "is sent at once");
	CHECK_TEXT(fields[0], "4096", "with the bytes");
	CHECK_TEXT(fields[1], "7", "and the records");
	free(body);
	for (int i = 0; i < 100000; i++)
		(void) sink.progress(sink.context, i, i, &error);
	while (recv(server, &byte, 1, MSG_DONTWAIT) == 1)
		bytes++;
	CHECK(bytes < 100 * 32, "but not more often than people look");
	nanosleep(&pause, NULL);
	(void) sink.progress(sink.context, 9999, 9, &error);
	CHECK(recv(server, &byte, 1, MSG_DONTWAIT) == 1, "and again after a while");
	end();
}

static void
test_stopped(void)
{
	ClairBytes key = CLAIR_LITERAL("a");
	ClairBytes answer;
	ConnectionFrame frame;
	ClairSink sink;
	ClairError error;

	begin();
	sink = connection_sink(connection);
	shutdown(server, SHUT_WR);
	CHECK_INT(connection_receive(connection, &frame, &error), CLAIR_STOPPED, "the end");
	CHECK_INT(sink.known(sink.context, &key, 1, &answer, &error), CLAIR_STOPPED, "at a question");
	close(server);
	CHECK_INT(connection_done(connection, &error), CLAIR_STOPPED, "when sending");
	connection_fail(connection, &error);
	connection_close(connection);
	connection_close(NULL);
}

/* A header that is wrong in one way each. */
static void
test_headers(void)
{
	static const WireHeader headers[] = {
		{.type = 0},
		{.type = WIRE_ROW},
		{.type = WIRE_JOB, .size = WIRE_MAX_FRAME + 1},
		{.type = WIRE_JOB, .size = 7, .fields = 2},
		{.type = WIRE_JOB, .size = 1},
		{.type = WIRE_JOB, .size = WIRE_MAX_FRAME, .fields = 1000000},
		{.type = WIRE_JOB, .tag = 1},
		{.type = WIRE_JOB, .zero = 1},
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
	{
		ConnectionFrame frame;
		ClairError error;

		begin();
		if (write(server, &headers[i], sizeof(headers[i])) != sizeof(headers[i]) ||
			write(server, "12345678", 8) != 8)
			exit(1);
		CHECK_INT(connection_receive(connection, &frame, &error), CLAIR_PROTOCOL,
				  "a header that is not the server's");
		end();
	}
}

static void
test_jobs(void)
{
	ClairBytes fields[] = {CLAIR_LITERAL("job"),		 CLAIR_LITERAL("index"),
						   CLAIR_LITERAL("platform"),	 CLAIR_NULL_BYTES,
						   CLAIR_LITERAL("max_layers"),	 CLAIR_LITERAL("12"),
						   CLAIR_LITERAL("directory"),	 CLAIR_LITERAL("true"),
						   CLAIR_LITERAL("max_entries"), CLAIR_LITERAL("0")};
	Arena *arena = arena_create(1024 * 1024);
	ClairLimits limits;
	ClairError error;
	bool directory = false;
	int64_t number = 5;
	Job job;

	begin();
	serve(WIRE_JOB, fields, 10, 0);
	CHECK_INT(connection_receive_job(connection, arena, &job, &error), CLAIR_OK, "a job");
	CHECK_TEXT(job_text(&job, "job"), "index", "a value");
	CHECK_TEXT(job_text(&job, "platform"), NULL, "no value");
	CHECK_TEXT(job_text(&job, "absent"), NULL, "no such name");
	CHECK(job_boolean(&job, "directory", &directory, &error) == CLAIR_OK && directory, "true");
	CHECK_INT(job_boolean(&job, "job", &directory, &error), CLAIR_PROTOCOL, "neither");
	CHECK_INT(job_integer(&job, "absent", 0, 9, &number, &error), CLAIR_OK, "the default");
	CHECK_INT(number, 5, "stays");
	CHECK_INT(job_integer(&job, "max_layers", 0, 11, &number, &error), CLAIR_PROTOCOL, "too large");
	CHECK_INT(job_limits(&job, &limits, &error), CLAIR_PROTOCOL, "a limit of 0");
	job.count -= 2;
	CHECK_INT(job_limits(&job, &limits, &error), CLAIR_OK, "limits");
	CHECK_INT(limits.max_layers, 12, "of the job");
	CHECK_INT(limits.max_entries, CLAIR_DEFAULT_LIMITS.max_entries, "or the default");
	serve(WIRE_START, NULL, 0, 0);
	CHECK_INT(connection_receive_job(connection, arena, &job, &error), CLAIR_PROTOCOL, "no job");
	end();
	arena_destroy(arena);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_sending();
	test_errors_sent();
	test_many_rows();
	test_questions();
	test_many_keys();
	test_progress();
	test_stopped();
	test_headers();
	test_jobs();
	return unit_result();
}
