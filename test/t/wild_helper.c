/*
 * Takes the place of clair-reader or of clair-fetch, in whatever they are asked to do, and at a
 * moment that a test names does what that names. Started by the server for 070_undisturbed.pl.
 *
 * The file "behaviour.N" beside the program, N being the number of the server's process, or else
 * the file "behaviour", has a line "PROGRAM MOMENT FAULT [NUMBER]". What is the other program's
 * runs the real helper, which is "PROGRAM.real". Moments: start (before the greeting), greeting
 * (after it), job (the job has come), input (and all that there is to be read or transferred), rows
 * (the first of them have been answered), done (after the last frame).
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>

#include "common/sandbox.h"
#include "test/t/lib/frames.h"

/* The largest text that a frame of a few more fields has room for. */
#define LARGE (WIRE_MAX_FIELD - 4096)

#define NONE CLAIR_NULL_BYTES
#define TRANSFERRED(number, status, bytes, error)                                                  \
	SEND(WIRE_TRANSFERRED, 0, VALUE(number), VALUE(status), VALUE(bytes), NONE, NONE, NONE, error, \
		 NONE, NONE, NONE)

static const char *program;
static bool fetches;
static bool updates;
static char large[LARGE];

static ClairBytes
large_text(void)
{
	memset(large, 'x', sizeof(large));
	return (ClairBytes){large, sizeof(large)};
}

static void
greet(void)
{
	SEND(WIRE_HELLO, 0, clair_bytes(program), VALUE("1"));
}

/* Receives what comes behind the job, as far as the server sends it without an answer. */
static void
receive_input(void)
{
	int last = fetches ? WIRE_TRANSFER : WIRE_START;

	while ((fetches || updates) && receive_frame_text(NULL, 0) != last)
		;
}

/* Rows that are what they should be. */
static void
send_rows(void)
{
	if (fetches)
		TRANSFERRED("0", "200", "0", NONE);
	else if (updates)
	{
		SEND(WIRE_ROW, WIRE_RECORD, VALUE("json"), VALUE("bash"), VALUE("00"));
		SEND(WIRE_ROW, WIRE_VULNERABILITY, VALUE("bash"), VALUE("CVE-2031-1"), VALUE("00"), NONE,
			 NONE, NONE);
	}
	else
		SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256:01"), VALUE("linux/amd64"));
}

static void
send_done(void)
{
	SEND(WIRE_DONE, 0, VALUE(""));
}

/* Crashes: what NUMBER says, as the kernel does it, or as a helper's own handlers turn it. */

static void
be_killed(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

static void
crash(int number)
{
	raise(number);
}

static void
end(int number)
{
	_exit(number);
}

/* Silence. */
static void
fall_silent(int number)
{
	(void) number;
	hang();
}

static void
go_deaf(int number)
{
	(void) number;
	hang_on();
}

static void
stop(int number)
{
	(void) number;
	raise(SIGSTOP);
	hang();
}

static void
hang_in_header(int number)
{
	(void) number;
	send_bytes("\0\0\0", 3);
	hang();
}

static void
hang_in_frame(int number)
{
	send_header(100, 1, WIRE_ROW, 0);
	send_bytes("half", 4);
	if (number == 0)
		hang();
}

/* Sends a frame of which there always is more, but never all. */
static void
trickle(int number)
{
	(void) number;
	send_header(WIRE_MAX_FRAME, 1, WIRE_ROW, 0);
	for (;;)
	{
		send_bytes("x", 1);
		usleep(100 * 1000);
	}
}

static void
hang_closed(int number)
{
	(void) number;
	signal(SIGTERM, SIG_IGN);
	close(WIRE_SOCKET);
	hang_on();
}

/* Floods: NUMBER of frames, or without end. */

static bool
is_more(int *number)
{
	return *number == 0 || --*number > 0;
}

static void
flood_tiny(int number)
{
	while (is_more(&number))
		SEND(WIRE_PROGRESS, 0, VALUE("1"), VALUE("1"));
}

/* Frames of the greatest size, of rows that the server keeps. */
static void
flood_large(int number)
{
	ClairBytes text = large_text();

	while (is_more(&number))
	{
		if (fetches)
			SEND(WIRE_TRANSFERRED, 0, VALUE("0"), VALUE("500"), VALUE("0"), NONE, NONE, NONE, text,
				 NONE, NONE, NONE);
		else if (updates)
			SEND(WIRE_ROW, WIRE_BROKEN, VALUE("json"), VALUE("bash"), text);
		else
			SEND(WIRE_ROW, WIRE_LAYER_PROBLEM, VALUE("sha256:01"), VALUE("1"), VALUE("a"), text,
				 VALUE("0"));
	}
}

static void
flood_rows(int number)
{
	char name[32];

	for (int i = 0; is_more(&number); i++)
	{
		snprintf(name, sizeof(name), "package-%d", i);
		if (fetches)
			TRANSFERRED("0", "200", "0", NONE);
		else if (updates)
			SEND(WIRE_ROW, WIRE_RECORD, VALUE("json"), clair_bytes(name), VALUE("00"));
		else
			SEND(WIRE_ROW, WIRE_LAYER_PROBLEM, VALUE("sha256:01"), VALUE("1"), clair_bytes(name),
				 VALUE("x"), VALUE("0"));
	}
}

static void
flood_questions(int number)
{
	for (int i = 0; is_more(&number); i++)
	{
		char texts[100][80];
		ClairBytes keys[100];

		for (int j = 0; j < 100; j++)
		{
			snprintf(texts[j], sizeof(texts[j]), "sha256:%064d 00", 100 * i + j);
			keys[j] = clair_bytes(texts[j]);
			if (!updates)
				keys[j].size -= 3;
		}
		send_frame(WIRE_KNOWN, 0, keys, 100);
		receive_frame();
	}
}

static void
flood_empty_questions(int number)
{
	while (is_more(&number))
	{
		send_frame(WIRE_KNOWN, 0, NULL, 0);
		receive_frame();
	}
}

static void
flood_blobs(int number)
{
	while (is_more(&number))
	{
		SEND(WIRE_BLOB, 0, VALUE("index.json"));
		receive_frame();
	}
}

/* Questions whose answers are not taken, so that these fill the socket. */
static void
ask_only(int number)
{
	while (is_more(&number))
		SEND(WIRE_KNOWN, 0, VALUE("sha256:0000 00"));
}

/* What the next run is to be told, again and again. */
static void
flood_states(int number)
{
	ClairBytes text = large_text();

	while (is_more(&number))
		SEND(WIRE_ROW, WIRE_STATE, text);
}

/* Documents that are to be fetched, with long names. */
static void
flood_documents(int number)
{
	ClairBytes text = large_text();

	for (int i = 0; is_more(&number); i++)
	{
		text.data += i == 0;
		text.size = LARGE / 2 - (size_t) i;
		SEND(WIRE_ROW, WIRE_FURTHER, VALUE("json"), text, VALUE("x"), VALUE("1"), VALUE("plain"),
			 NONE);
	}
}

/* Updaters that an export has, of long names. */
static void
flood_exports(int number)
{
	ClairBytes text = large_text();

	while (is_more(&number))
		SEND(WIRE_ROW, WIRE_EXPORT, text, VALUE("site"), VALUE("1"), NONE, NONE);
}

/* Lies: each of NUMBER is one, of the job's own frames. */

static void
lie_of_transfers(int number)
{
	static const char two[] = {'2', 0, '0'};

	switch (number)
	{
		case 1: /* it was not asked for */
			TRANSFERRED("1", "200", "0", NONE);
			break;
		case 2:
			TRANSFERRED("-1", "200", "0", NONE);
			break;
		case 3:
			TRANSFERRED("0", "two", "0", NONE);
			break;
		case 4:
			TRANSFERRED("0", "200", "-5", NONE);
			break;
		case 5:
			TRANSFERRED("0", "9223372036854775807", "0", NONE);
			break;
		case 6:
			TRANSFERRED("0", "200", "0", VALUE("\xff"));
			break;
		case 7:
			SEND(WIRE_TRANSFERRED, 0, VALUE("0"), {two, sizeof(two)}, VALUE("0"), NONE, NONE, NONE,
				 NONE, NONE, NONE, NONE);
			break;
		case 8:
			SEND(WIRE_TRANSFERRED, 0, VALUE("0"), VALUE("200"), VALUE("0"));
			break;
		case 9: /* twice */
			TRANSFERRED("0", "200", "0", NONE);
			TRANSFERRED("0", "200", "0", NONE);
			break;
		case 10: /* not at all */
			send_done();
			break;
		case 11: /* a row, which only a reader has */
			SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256:01"), VALUE("linux/amd64"));
			break;
		case 12:
			SEND(WIRE_KNOWN, 0, VALUE("sha256:01"));
			break;
		case 13:
			SEND(WIRE_BLOB, 0, VALUE("index.json"));
			break;
		case 14: /* the answer is in seconds */
			SEND(WIRE_TRANSFERRED, 0, VALUE("0"), VALUE("503"), VALUE("0"), NONE, NONE, NONE,
				 VALUE("later"), NONE, NONE, VALUE("9223372036854775807"));
			break;
		case 15: /* nobody had it before */
			TRANSFERRED("0", "304", "0", NONE);
			break;
		default:
			_exit(77);
	}
}

static void
lie_of_updates(int number)
{
	switch (number)
	{
		case 1: /* a range before its vulnerability */
			SEND(WIRE_ROW, WIRE_AFFECTED, VALUE("dash"), VALUE("CVE-2031-1"), VALUE("1"),
				 VALUE("debian:12"), VALUE("source"), VALUE("bash"), VALUE("dpkg"), NONE,
				 VALUE("1"), VALUE("fixed"), VALUE("High"), NONE, NONE, NONE, NONE, NONE, NONE);
			break;
		case 2: /* words and versions that there are not */
		case 3:
			send_rows();
			SEND(WIRE_ROW, WIRE_AFFECTED, VALUE("bash"), VALUE("CVE-2031-1"), VALUE("1"),
				 VALUE("debian:12"), VALUE("source"), VALUE("bash"), VALUE("dpkg"), NONE,
				 number == 2 ? VALUE("1") : VALUE("-"), VALUE("fixed"),
				 number == 2 ? VALUE("Fatal") : VALUE("High"), NONE, NONE, NONE, NONE, NONE, NONE);
			send_done();
			break;
		case 4: /* the same record twice */
			send_rows();
			send_rows();
			send_done();
			break;
		case 5: /* a document of the server itself */
			SEND(WIRE_ROW, WIRE_FURTHER, VALUE("json"), VALUE("passwd"),
				 VALUE("file:///etc/passwd"), VALUE("0"), VALUE("plain"), NONE);
			send_done();
			break;
		case 6: /* of a document that was not read */
			SEND(WIRE_ROW, WIRE_FURTHER, VALUE("another"), VALUE("a"), VALUE("a"), VALUE("0"),
				 VALUE("plain"), NONE);
			break;
		case 7:
			SEND(WIRE_ROW, WIRE_FURTHER, VALUE("json"), VALUE("a"), VALUE("a"), VALUE("0"),
				 VALUE("anyhow"), NONE);
			break;
		case 8: /* to begin again what has not begun */
			SEND(WIRE_ROW, WIRE_STATE, NONE);
			break;
		case 9: /* a question without a digest */
			SEND(WIRE_KNOWN, 0, VALUE("bash"));
			break;
		case 10: /* a row of images */
			SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256:01"), VALUE("linux/amd64"));
			break;
		case 11: /* a file of an image */
			SEND(WIRE_BLOB, 0, VALUE("index.json"));
			break;
		case 12: /* progress that is none */
			SEND(WIRE_PROGRESS, 0, VALUE("1"));
			break;
		case 13: /* what only clair-fetch says */
			TRANSFERRED("0", "200", "0", NONE);
			break;
		case 14: /* finished, and then more */
			send_done();
			send_rows();
			break;
		case 15:
			send_done();
			send_done();
			break;
		case 16: /* values that must be there */
			SEND(WIRE_ROW, WIRE_RECORD, NONE, NONE, NONE);
			send_done();
			break;
		case 17: /* of a CVE, which this feed is not about */
			SEND(WIRE_ROW, WIRE_EPSS, VALUE("CVE-2031-1"), VALUE("many"), VALUE("x"));
			send_done();
			break;
		default:
			_exit(77);
	}
}

static void
lie(int number)
{
	if (fetches)
		lie_of_transfers(number);
	else
		lie_of_updates(number);
}

/* Frames that nobody may send: none of them is one. */
static void
break_frames(int number)
{
	static const uint32_t sizes[] = {0xFFFFFFFE, 1, 0x7FFFFFFF};

	switch (number)
	{
		case 1:
			send_header(UINT32_MAX, 1, WIRE_ROW, 0);
			break;
		case 2:
			send_header(1024, UINT32_MAX, WIRE_KNOWN, 0);
			break;
		case 3: /* fields that are longer than the frame */
			send_header(sizeof(sizes), 3, WIRE_KNOWN, 0);
			send_bytes(sizes, sizeof(sizes));
			break;
		case 4:
			send_header(0, 0, '?', 0);
			break;
		case 5:
			SEND(WIRE_ROW, 255, VALUE("x"));
			break;
		case 6: /* what only the server says */
			SEND(WIRE_JOB, 0, VALUE("job"), VALUE("index"));
			break;
		case 7:
			greet();
			break;
		case 8:
			SEND(WIRE_ERROR, 0, VALUE("2"));
			break;
		default: /* anything */
			for (int i = 0; i < 4096; i++)
				send_bytes(&(char){(char) ((i * number) ^ (i >> 3))}, 1);
	}
	hang();
}

typedef struct Fault
{
	const char *word;
	void (*happen)(int number);
} Fault;

static const Fault faults[] = {
	{"signal", be_killed},
	{"crash", crash},
	{"exit", end},
	{"hang", fall_silent},
	{"deaf", go_deaf},
	{"stop", stop},
	{"header", hang_in_header},
	{"half", hang_in_frame},
	{"trickle", trickle},
	{"closed", hang_closed},
	{"tiny", flood_tiny},
	{"large", flood_large},
	{"flood", flood_rows},
	{"questions", flood_questions},
	{"nothing", flood_empty_questions},
	{"blobs", flood_blobs},
	{"ask", ask_only},
	{"states", flood_states},
	{"documents", flood_documents},
	{"exports", flood_exports},
	{"lie", lie},
	{"broken", break_frames},
};

static const char *const moments[] = {"start", "greeting", "job", "input", "rows", "done"};

/* What is to be done; the number of the moment, or -1: nothing is said of this program. */
static int
read_behaviour(const char *folder, const Fault **fault, int *number)
{
	char path[PATH_MAX + 32];
	char line[128] = "";
	char words[3][32] = {"", "", ""};
	int file;

	snprintf(path, sizeof(path), "%s/behaviour.%d", folder, (int) getppid());
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
	{
		snprintf(path, sizeof(path), "%s/behaviour", folder);
		file = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (file < 0 || read(file, line, sizeof(line) - 1) < 0)
		return -1;
	close(file);
	sscanf(line, "%31s %31s %31s %d", words[0], words[1], words[2], number);
	if (strcmp(words[0], program) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(faults); i++)
		if (strcmp(faults[i].word, words[2]) == 0)
			*fault = &faults[i];
	for (size_t i = 0; i < COUNT(moments) && *fault != NULL; i++)
		if (strcmp(moments[i], words[1]) == 0)
			return (int) i;
	_exit(77);
}

/* What leads from one moment to the next. */
static void
go_on(int moment)
{
	char job[4096] = "";

	switch (moment)
	{
		case 0:
			greet();
			break;
		case 1:
			receive_frame_text(job, sizeof(job));
			updates = !fetches && memmem(job, sizeof(job), "update", 6) != NULL;
			break;
		case 2:
			receive_input();
			break;
		case 3:
			send_rows();
			break;
		default:
			send_done();
	}
}

int
main(int count, char **arguments)
{
	char folder[PATH_MAX] = "";
	char real[PATH_MAX + 64];
	const Fault *fault = NULL;
	int number = 0;
	int moment;
	ClairError error;

	program = count > 0 ? arguments[0] : "";
	fetches = strcmp(program, "clair-fetch") == 0;
	if (readlink("/proc/self/exe", folder, sizeof(folder) - 1) <= 0)
		return 77;
	dirname(folder);
	moment = read_behaviour(folder, &fault, &number);
	if (moment < 0)
	{
		snprintf(real, sizeof(real), "%s/%s.real", folder, program);
		execv(real, arguments);
		return 77;
	}
	/* Like a helper: signals and the server's end are exits, and a core is not written. */
	if (sandbox_begin(WIRE_SOCKET, &error) != CLAIR_OK)
		return 1;
	for (int i = 0; i < moment; i++)
		go_on(i);
	fault->happen(number);
	return 0;
}
