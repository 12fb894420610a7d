/*
 * Takes the place of clair-reader and behaves as badly as the word in the file "behaviour",
 * beside the program, says. Started by the server for 032_bad_helpers.pl.
 *
 * A behaviour is a function that runs after the job has arrived, or in place of the greeting.
 * What comes after it is always the same: the process exits with success, without a last frame.
 */
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "test/t/lib/frames.h"

static void
greet(void)
{
	SEND(WIRE_HELLO, 0, VALUE("clair-reader"), VALUE("1"));
}

/* Files for detectors of which none is there, or only a part, or more than all. */
static void
send_a_file_for_nobody(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:none:x"), VALUE("a"), VALUE("1"),
		 VALUE("x"));
}

static void
send_a_file_without_end(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:x"), VALUE("a"), VALUE("2"),
		 VALUE("x"));
	SEND(WIRE_DONE, 0);
}

static void
send_two_files_at_once(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:x"), VALUE("a"), VALUE("2"),
		 VALUE("x"));
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:y"), VALUE("a"), VALUE("2"),
		 VALUE("x"));
}

static void
send_too_much_of_a_file(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:x"), VALUE("a"), VALUE("1"),
		 VALUE("xy"));
}

static void
send_a_file_of_any_size(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:x"), VALUE("a"),
		 VALUE("9223372036854775807"), VALUE("x"));
}

static void
send_empty_pieces(void)
{
	SEND(WIRE_ROW, WIRE_DETECTOR_FILE, VALUE("detector:made:x"), VALUE("a"), VALUE("1"), VALUE(""));
}

static void
ask_for_files_of_nobody(void)
{
	SEND(WIRE_KNOWN, 0, VALUE("detector:made:x"), VALUE("detector:none:x"));
	receive_frame();
}

static void
crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void
fail_silently(void)
{
	_exit(1);
}

static void
flood(void)
{
	static char text[1024 * 1024];

	memset(text, 'x', sizeof(text));
	for (;;)
		SEND(WIRE_ROW, WIRE_LAYER_PROBLEM, VALUE("sha256:00"), VALUE("1"), VALUE("path"),
			 {text, sizeof(text)}, VALUE("0"));
}

static void
flood_empty_rows(void)
{
	for (;;)
		SEND(WIRE_ROW, WIRE_LAYER_PROBLEM, CLAIR_NULL_BYTES, CLAIR_NULL_BYTES, CLAIR_NULL_BYTES,
			 CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
}

static void
flood_progress(void)
{
	for (;;)
		SEND(WIRE_PROGRESS, 0, VALUE("1"), VALUE("1"));
}

/* Asks and asks, and never listens. */
static void
ask_and_not_listen(void)
{
	for (;;)
		SEND(WIRE_KNOWN, 0, VALUE("sha256:0000"));
}

static void
greet_not(void)
{
	SEND(WIRE_DONE, 0, VALUE("here I am"));
}

static void
greet_shortly(void)
{
	SEND(WIRE_HELLO, 0, VALUE("clair-reader"));
}

static void
greet_in_another_version(void)
{
	SEND(WIRE_HELLO, 0, VALUE("clair-reader"), VALUE("99"));
	hang();
}

static void
greet_without_a_version(void)
{
	SEND(WIRE_HELLO, 0, VALUE("clair-reader"), CLAIR_NULL_BYTES);
}

static void
send_a_large_frame(void)
{
	send_header(UINT32_MAX, 1, WIRE_ROW, 0);
	hang();
}

static void
send_many_fields(void)
{
	send_header(1024, UINT32_MAX, WIRE_KNOWN, 0);
	hang();
}

static void
send_too_few_fields(void)
{
	uint32_t size = 100;

	send_header(sizeof(size) + 3, 1, WIRE_KNOWN, 0);
	send_bytes(&size, sizeof(size));
	send_bytes("abc", 3);
}

static void
send_bytes_beyond_fields(void)
{
	uint32_t size = 1;

	send_header(sizeof(size) + 3, 1, WIRE_KNOWN, 0);
	send_bytes(&size, sizeof(size));
	send_bytes("abc", 3);
}

static void
send_an_unknown_type(void)
{
	SEND('?', 0, VALUE("x"));
}

/* Something that only the server says. */
static void
send_a_job(void)
{
	SEND(WIRE_JOB, 0, VALUE("job"), VALUE("index"));
}

static void
send_a_transfer(void)
{
	SEND(WIRE_TRANSFERRED, 0, VALUE("0"));
}

static void
greet_again(void)
{
	greet();
	hang();
}

static void
name_an_unknown_relation(void)
{
	SEND(WIRE_ROW, 255, VALUE("x"));
}

static void
name_a_relation_of_feeds(void)
{
	SEND(WIRE_ROW, WIRE_BROKEN, VALUE("document"), VALUE("record"), VALUE("reason"));
	hang();
}

static void
send_too_few_columns(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256:00"));
}

static void
send_bad_utf8(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("\xc3("), VALUE("linux/amd64"));
}

static void
send_a_nul(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256\0:00"), VALUE("linux/amd64"));
}

static void
send_no_integer(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0; DROP TABLE clair.image"), VALUE("x"), VALUE("y"));
}

static void
send_a_huge_integer(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("9223372036854775808"), VALUE("x"), VALUE("y"));
}

/* Junk is not known; what comes back is an answer with as many fields. */
static void
ask_for_junk(void)
{
	WireHeader answer;

	SEND(WIRE_KNOWN, 0, VALUE(""), CLAIR_NULL_BYTES, VALUE("'; DROP TABLE clair.image; --"),
		 VALUE("\xe2\x98\x83"), VALUE("../../etc/passwd"), VALUE("sha256:"), VALUE("sha256:"));
	if (recv(WIRE_SOCKET, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		_exit(1);
	if (answer.type != WIRE_KNOWN_ANSWER || answer.fields != 7 ||
		answer.size != 7 * sizeof(uint32_t))
		SEND(WIRE_ERROR, 0, VALUE("1"), VALUE("a strange answer"), CLAIR_NULL_BYTES,
			 CLAIR_NULL_BYTES);
	else
		SEND(WIRE_ERROR, 0, VALUE("1"), VALUE("none of it is known"), CLAIR_NULL_BYTES,
			 CLAIR_NULL_BYTES);
}

static void
ask_for_junk_that_is_no_text(void)
{
	SEND(WIRE_KNOWN, 0, VALUE("\xff\xfe"));
}

static void
ask_for_very_much(void)
{
	static ClairBytes keys[500 * 1000];
	static char texts[500 * 1000][8];

	for (size_t i = 0; i < COUNT(keys); i++)
		keys[i] = (ClairBytes){texts[i], (size_t) snprintf(texts[i], sizeof(texts[i]), "%zu", i)};
	send_frame(WIRE_KNOWN, 0, keys, COUNT(keys));
	hang();
}

/* Asks for files that it must not have; says of each whether a descriptor came. */
static void
ask_for_files(void)
{
	static const char *const names[] = {
		"../../etc/passwd",
		"/etc/passwd",
		"oci-layout/../../../etc/passwd",
		"blobs/sha256",
		"sha256:../../../../../../../../../../../../../../../../../../../../../etc/pas",
		"sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
		"md5:d41d8cd98f00b204e9800998ecf8427e",
		"sha256:",
		"manifest.json",
		"",
		"oci-layout", /* a link out of the directory, as the test has laid it out */
		"index.json", /* a FIFO */
		"sha256:0000000000000000000000000000000000000000000000000000000000000000", /* a folder */
		"sha256:1111111111111111111111111111111111111111111111111111111111111111", /* a link */
	};
	char result[1024] = "";

	for (size_t i = 0; i < COUNT(names); i++)
	{
		char data[4096];
		char control[CMSG_SPACE(sizeof(int))];
		struct iovec part = {.iov_base = data, .iov_len = sizeof(data)};
		struct msghdr message = {.msg_iov = &part,
								 .msg_iovlen = 1,
								 .msg_control = control,
								 .msg_controllen = sizeof(control)};

		SEND(WIRE_BLOB, 0, clair_bytes(names[i]));
		if (recvmsg(WIRE_SOCKET, &message, 0) <= 0)
			_exit(1);
		if (CMSG_FIRSTHDR(&message) != NULL)
			snprintf(result + strlen(result), sizeof(result) - strlen(result), " \"%s\"", names[i]);
	}
	if (result[0] == '\0')
		strcpy(result, " nothing");
	SEND(WIRE_ERROR, 0, VALUE("1"), VALUE("got"), clair_bytes(result), CLAIR_NULL_BYTES);
}

static void
end_in_a_frame(void)
{
	send_header(100, 1, WIRE_ROW, 0);
	send_bytes("half", 4);
}

static void
send_an_image(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), VALUE("sha256:01"), VALUE("linux/amd64"));
}

static void
fail_after_success(void)
{
	send_an_image();
	SEND(WIRE_DONE, 0, VALUE(""));
	_exit(3);
}

static void
hang_after_success(void)
{
	send_an_image();
	SEND(WIRE_DONE, 0, VALUE(""));
	hang_on();
}

static void
talk_after_success(void)
{
	send_an_image();
	SEND(WIRE_DONE, 0, VALUE(""));
	send_an_image();
}

/* At its end for the server, but it does not go. */
static void
close_and_hang(void)
{
	signal(SIGTERM, SIG_IGN);
	close(WIRE_SOCKET);
	hang_on();
}

static void
find_nothing(void)
{
	SEND(WIRE_DONE, 0, VALUE(""));
}

static void
say_wild_things(void)
{
	SEND(WIRE_ERROR, 0, VALUE("2"), VALUE("%s%n%999999d \x1b[31m'; DROP TABLE clair.image; --"),
		 VALUE("%s %n"), VALUE("%s %n"));
}

static void
say_broken_things(void)
{
	SEND(WIRE_ERROR, 0, VALUE("2"), VALUE("\xff\xfe"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
}

static void
fail_without_a_reason(void)
{
	SEND(WIRE_ERROR, 0, VALUE("many"), CLAIR_NULL_BYTES);
}

static void
fail_for_an_unknown_reason(void)
{
	SEND(WIRE_ERROR, 0, VALUE("-77"), VALUE("who knows"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
}

/* Rows that are what they should be, each for itself. */
static void
lie_about_a_layer(void)
{
	send_an_image();
	SEND(WIRE_ROW, WIRE_IMAGE_LAYER, VALUE("0"), VALUE("1"), VALUE("sha256:02"), CLAIR_NULL_BYTES,
		 CLAIR_NULL_BYTES);
	SEND(WIRE_DONE, 0, VALUE(""));
}

static void
make_two_layers_of_one(void)
{
	send_an_image();
	for (int i = 0; i < 2; i++)
		SEND(WIRE_ROW, WIRE_IMAGE_LAYER, VALUE("0"), VALUE("1"), VALUE("sha256:02"),
			 CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
	SEND(WIRE_DONE, 0, VALUE(""));
}

static void
leave_values_out(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("0"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
	SEND(WIRE_DONE, 0, VALUE(""));
}

static void
misnumber_the_image(void)
{
	SEND(WIRE_ROW, WIRE_IMAGE, VALUE("5"), VALUE("sha256:01"), VALUE("linux/amd64"));
	SEND(WIRE_DONE, 0, VALUE(""));
}

static void
invent_an_entry(void)
{
	send_an_image();
	SEND(WIRE_ROW, WIRE_IMAGE_LAYER, VALUE("0"), VALUE("1"), VALUE("sha256:02"), CLAIR_NULL_BYTES,
		 CLAIR_NULL_BYTES);
	SEND(WIRE_ROW, WIRE_LAYER, VALUE("sha256:02"), VALUE("sha256:02"), VALUE("1"), VALUE("1"),
		 VALUE("1"), VALUE("1"));
	SEND(WIRE_ROW, WIRE_LAYER_ENTRY, VALUE("sha256:02"), VALUE("1"), CLAIR_NULL_BYTES, VALUE("x"),
		 VALUE("wormhole"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
	SEND(WIRE_DONE, 0, VALUE(""));
}

/* A link without a target, and files without a path. */
static void
leave_targets_out(void)
{
	send_an_image();
	SEND(WIRE_ROW, WIRE_IMAGE_LAYER, VALUE("0"), VALUE("1"), VALUE("sha256:02"), CLAIR_NULL_BYTES,
		 CLAIR_NULL_BYTES);
	SEND(WIRE_ROW, WIRE_LAYER, VALUE("sha256:02"), VALUE("sha256:02"), VALUE("1"), VALUE("1"),
		 VALUE("1"), VALUE("1"));
	SEND(WIRE_ROW, WIRE_LAYER_ENTRY, VALUE("sha256:02"), VALUE("1"), VALUE("1"), VALUE("var"),
		 VALUE("symlink"), CLAIR_NULL_BYTES, VALUE("dpkg"), CLAIR_NULL_BYTES);
	SEND(WIRE_ROW, WIRE_LAYER_ENTRY, VALUE("sha256:02"), VALUE("2"), VALUE("1"),
		 VALUE("var/status"), VALUE("file"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES,
		 VALUE("sha256:03"));
	SEND(WIRE_DONE, 0, VALUE(""));
}

/* The content of a package database, of which kind is not said. */
static void
leave_a_role_out(void)
{
	send_an_image();
	SEND(WIRE_ROW, WIRE_IMAGE_LAYER, VALUE("0"), VALUE("1"), VALUE("sha256:02"), CLAIR_NULL_BYTES,
		 CLAIR_NULL_BYTES);
	SEND(WIRE_ROW, WIRE_LAYER, VALUE("sha256:02"), VALUE("sha256:02"), VALUE("1"), VALUE("1"),
		 VALUE("1"), VALUE("1"));
	SEND(WIRE_ROW, WIRE_LAYER_ENTRY, VALUE("sha256:02"), VALUE("1"), VALUE("1"),
		 VALUE("var/lib/rpm/Packages"), VALUE("file"), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES,
		 VALUE("sha256:03"));
	SEND(WIRE_DONE, 0, VALUE(""));
}

/* Gives the server a descriptor that it has not asked for. */
static void
give_a_descriptor(void)
{
	union
	{
		char buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr alignment;
	} control = {{0}};
	WireHeader header = {.type = WIRE_DONE};
	struct iovec part = {.iov_base = &header, .iov_len = sizeof(header)};
	struct msghdr message = {.msg_iov = &part,
							 .msg_iovlen = 1,
							 .msg_control = control.buffer,
							 .msg_controllen = sizeof(control.buffer)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int file = open("/dev/null", O_RDONLY);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &file, sizeof(int));
	sendmsg(WIRE_SOCKET, &message, MSG_NOSIGNAL);
}

/* Says what it was given: this is what every helper begins with. */
static void
look_around(void)
{
	extern char **environ;
	char seen[1024];
	char numbers[512] = "";
	char arguments[256] = "";
	FILE *line = fopen("/proc/self/cmdline", "r");
	size_t size = line != NULL ? fread(arguments, 1, sizeof(arguments) - 1, line) : 0;
	DIR *list;
	struct dirent *entry;
	sigset_t blocked;

	if (line != NULL)
		fclose(line);
	list = opendir("/proc/self/fd");
	while (list != NULL && (entry = readdir(list)) != NULL)
	{
		if (atoi(entry->d_name) != dirfd(list) && entry->d_name[0] != '.')
			snprintf(numbers + strlen(numbers), sizeof(numbers) - strlen(numbers), " %s",
					 entry->d_name);
	}
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	snprintf(seen, sizeof(seen),
			 "arguments %s; descriptors%s; %s environment; %s group; SIGTERM %s",
			 size == strlen(arguments) + 1 ? arguments : "several", numbers,
			 environ == NULL || environ[0] == NULL ? "no" : "an",
			 getpgrp() == getpid() ? "own" : "the server's",
			 sigismember(&blocked, SIGTERM) ? "blocked" : "delivered");
	SEND(WIRE_ERROR, 0, VALUE("1"), clair_bytes(seen), CLAIR_NULL_BYTES, CLAIR_NULL_BYTES);
}

typedef struct Behaviour
{
	const char *word;
	void (*behave)(void);
	bool instead_of_greeting;
} Behaviour;

static const Behaviour behaviours[] = {
	{"fail at start", fail_silently, true},
	{"hang at start", hang, true},
	{"no greeting", greet_not, true},
	{"short greeting", greet_shortly, true},
	{"other version", greet_in_another_version, true},
	{"no version", greet_without_a_version, true},
	{"look around", look_around, false},
	{"crash", crash, false},
	{"exit", fail_silently, false},
	{"hang", hang, false},
	{"ignore SIGTERM", hang_on, false},
	{"close and hang", close_and_hang, false},
	{"file for nobody", send_a_file_for_nobody, false},
	{"file without end", send_a_file_without_end, false},
	{"two files at once", send_two_files_at_once, false},
	{"too much of a file", send_too_much_of_a_file, false},
	{"file of any size", send_a_file_of_any_size, false},
	{"empty pieces", send_empty_pieces, false},
	{"question for nobody", ask_for_files_of_nobody, false},
	{"flood", flood, false},
	{"flood of empty rows", flood_empty_rows, false},
	{"flood of progress", flood_progress, false},
	{"ask and not listen", ask_and_not_listen, false},
	{"large frame", send_a_large_frame, false},
	{"many fields", send_many_fields, false},
	{"too few fields", send_too_few_fields, false},
	{"bytes beyond fields", send_bytes_beyond_fields, false},
	{"unknown type", send_an_unknown_type, false},
	{"server's type", send_a_job, false},
	{"other helper's type", send_a_transfer, false},
	{"second greeting", greet_again, false},
	{"unknown relation", name_an_unknown_relation, false},
	{"feed's relation", name_a_relation_of_feeds, false},
	{"too few columns", send_too_few_columns, false},
	{"bad UTF-8", send_bad_utf8, false},
	{"NUL", send_a_nul, false},
	{"no integer", send_no_integer, false},
	{"huge integer", send_a_huge_integer, false},
	{"junk question", ask_for_junk, false},
	{"question that is no text", ask_for_junk_that_is_no_text, false},
	{"very long question", ask_for_very_much, false},
	{"forbidden files", ask_for_files, false},
	{"end in a frame", end_in_a_frame, false},
	{"fail after success", fail_after_success, false},
	{"hang after success", hang_after_success, false},
	{"talk after success", talk_after_success, false},
	{"find nothing", find_nothing, false},
	{"wild words", say_wild_things, false},
	{"broken words", say_broken_things, false},
	{"no reason", fail_without_a_reason, false},
	{"unknown reason", fail_for_an_unknown_reason, false},
	{"unknown layer", lie_about_a_layer, false},
	{"two layers", make_two_layers_of_one, false},
	{"missing values", leave_values_out, false},
	{"wrong number", misnumber_the_image, false},
	{"invented entry", invent_an_entry, false},
	{"missing targets", leave_targets_out, false},
	{"missing role", leave_a_role_out, false},
	{"descriptor", give_a_descriptor, false},
};

/* The word in the file beside this program; the server gives us neither arguments nor variables. */
static void
read_behaviour(char *word, size_t size)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char file[PATH_MAX + 16];
	int descriptor;

	word[0] = '\0';
	if (length <= 0)
		return;
	path[length] = '\0';
	snprintf(file, sizeof(file), "%s/behaviour", dirname(path));
	descriptor = open(file, O_RDONLY);
	if (descriptor < 0)
		return;
	length = read(descriptor, word, size - 1);
	word[length > 0 ? length : 0] = '\0';
	close(descriptor);
}

int
main(void)
{
	char word[64];
	ClairError error;

	read_behaviour(word, sizeof(word));
	for (size_t i = 0; i < COUNT(behaviours); i++)
	{
		if (strcmp(word, behaviours[i].word) != 0)
			continue;
		if (strcmp(word, "look around") != 0 && sandbox_begin(WIRE_SOCKET, &error) != CLAIR_OK)
			return 1;
		if (!behaviours[i].instead_of_greeting)
		{
			greet();
			receive_frame();
		}
		behaviours[i].behave();
		return 0;
	}
	return 77;
}
