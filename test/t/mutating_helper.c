/*
 * Takes the place of clair-reader: sends what a reader could have sent, changed here and there.
 * Started by the server for 032_mutated_rows.pl.
 *
 * The input that it is given, descriptor 0, says by its bytes which changes are made, so that each
 * outcome can be had again. What is sent is rows of an image or of a VEX document, as the job says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_FRAMES	 64
#define MAX_STREAM	 (4 * 1024 * 1024)

typedef struct Frame
{
	int type;
	int tag;
	uint32_t count;
	ClairBytes fields[WIRE_MAX_COLUMNS + 1];
} Frame;

#define TEXT(literal)                                                                              \
	{                                                                                              \
		(literal), sizeof(literal) - 1                                                             \
	}
#define NONE                                                                                       \
	{                                                                                              \
		NULL, 0                                                                                    \
	}
#define LAYER TEXT("sha256:03")

/* A frame, and a row, whose columns are as many as its relation has. */
#define FRAME(type, count, ...)                                                                    \
	{                                                                                              \
		type, 0, count,                                                                            \
		{                                                                                          \
			__VA_ARGS__                                                                            \
		}                                                                                          \
	}
#define ROW(relation, ...)                                                                         \
	{                                                                                              \
		WIRE_ROW, relation, 0,                                                                     \
		{                                                                                          \
			__VA_ARGS__                                                                            \
		}                                                                                          \
	}

/* clang-format off */
static const Frame image[] = {
	ROW(WIRE_IMAGE, TEXT("0"), TEXT("sha256:01"), TEXT("linux/amd64")),
	ROW(WIRE_IMAGE_NAME, TEXT("0"), TEXT("web:1")),
	ROW(WIRE_IMAGE_MANIFEST, TEXT("0"), TEXT("sha256:02")),
	ROW(WIRE_IMAGE_LAYER, TEXT("0"), TEXT("1"), LAYER, NONE, TEXT("ADD x")),
	ROW(WIRE_IMAGE_LAYER, TEXT("0"), TEXT("2"), TEXT("sha256:04"), NONE, NONE),
	FRAME(WIRE_KNOWN, 2, LAYER, TEXT("sha256:04")),
	ROW(WIRE_LAYER, LAYER, LAYER, TEXT("10"), TEXT("10"), TEXT("3"), TEXT("1")),
	ROW(WIRE_LAYER_ENTRY, LAYER, TEXT("1"), TEXT("1"), TEXT("etc/os-release"), TEXT("file"), NONE,
		TEXT("os-release"), NONE),
	ROW(WIRE_LAYER_FACT, LAYER, TEXT("etc/os-release"), TEXT("ID"), TEXT("debian")),
	ROW(WIRE_LAYER_FACT, LAYER, TEXT("etc/os-release"), TEXT("VERSION_ID"), TEXT("12")),
	ROW(WIRE_LAYER_ENTRY, LAYER, TEXT("2"), TEXT("1"), TEXT("var/lib/dpkg/status"), TEXT("file"),
		NONE, TEXT("dpkg"), TEXT("sha256:05")),
	ROW(WIRE_FEATURE, TEXT("sha256:05"), TEXT("1"), TEXT("bash"), TEXT("5.2-1"), NONE, NONE,
		TEXT("amd64"), NONE, NONE, NONE, NONE),
	ROW(WIRE_LAYER_ENTRY, LAYER, TEXT("3"), TEXT("1"), TEXT("usr/lib"), TEXT("symlink"),
		TEXT("../lib"), NONE, NONE),
	ROW(WIRE_LAYER_PROBLEM, LAYER, TEXT("1"), TEXT("var/lib/dpkg/status"), TEXT("broken"),
		TEXT("0")),
	FRAME(WIRE_PROGRESS, 2, TEXT("10"), TEXT("1")),
	ROW(WIRE_LAYER, TEXT("sha256:04"), TEXT("sha256:04"), TEXT("10"), TEXT("10"), TEXT("3"),
		TEXT("1")),
	ROW(WIRE_LAYER_ENTRY, TEXT("sha256:04"), TEXT("1"), TEXT("1"), TEXT("var/lib"),
		TEXT("whiteout"), NONE, NONE, NONE),
	ROW(WIRE_LAYER_ENTRY, TEXT("sha256:04"), TEXT("2"), TEXT("1"), TEXT("var/lib/dpkg/status"),
		TEXT("file"), NONE, TEXT("dpkg"), TEXT("sha256:06")),
	FRAME(WIRE_KNOWN, 2, TEXT("detector:made:x"), TEXT("detector:made:y")),
	ROW(WIRE_DETECTOR_FILE, TEXT("detector:made:x"), TEXT("a"), TEXT("4"), TEXT("ab")),
	ROW(WIRE_DETECTOR_FILE, TEXT("detector:made:x"), TEXT("a"), TEXT("4"), TEXT("cd")),
	FRAME(WIRE_BLOB, 1, TEXT("index.json")),
	FRAME(WIRE_DONE, 1, TEXT("")),
};

static const Frame vex[] = {
	ROW(WIRE_VEX_DOCUMENT, TEXT("openvex"), TEXT("https://x/1"), TEXT("1"),
		TEXT("2031-01-01T00:00:00.000Z"), TEXT("me")),
	ROW(WIRE_VEX, TEXT("CVE-2031-0001"), TEXT("false_positive"),
		TEXT("vulnerable_code_not_present"), TEXT("why"), NONE, TEXT("bash"), TEXT("dpkg"),
		TEXT("5.2-1"), TEXT("amd64"), NONE, NONE, NONE),
	ROW(WIRE_VEX, TEXT("CVE-2031-0002"), TEXT("false_positive"), NONE, TEXT("why"),
		TEXT("sha256:01"), NONE, NONE, NONE, NONE, NONE, NONE, NONE),
	ROW(WIRE_BROKEN, TEXT("vex"), TEXT("record"), TEXT("reason")),
	FRAME(WIRE_PROGRESS, 2, TEXT("10"), TEXT("1")),
	FRAME(WIRE_DONE, 1, TEXT("")),
};

/* What a field may be instead of what it is. */
static const ClairBytes values[] = {
	TEXT(""),
	TEXT("0"),
	TEXT("-1"),
	TEXT("1"),
	TEXT("2"),
	TEXT("9223372036854775807"),
	TEXT("-9223372036854775808"),
	TEXT("2147483648"),
	TEXT("1e5"),
	TEXT(" 1"),
	TEXT("."),
	TEXT(".."),
	TEXT("/"),
	TEXT("../../etc/passwd"),
	TEXT("var/lib/dpkg/.."),
	TEXT("a//b/./c"),
	TEXT("symlink"),
	TEXT("file"),
	TEXT("directory"),
	TEXT("opaque"),
	TEXT("whiteout"),
	TEXT("rpm"),
	TEXT("apk"),
	TEXT("dpkg"),
	TEXT("sqlite-log"),
	TEXT("detector:made"),
	TEXT("detector:none:x"),
	TEXT("sha256:01"),
	TEXT("sha256:03"),
	TEXT("sha256:05"),
	TEXT("sbom:sha256:01"),
	TEXT("'; DROP TABLE clair.image; --"),
	TEXT("%s%n"),
	TEXT("\\"),
	TEXT("\xff\xfe"),
	TEXT("a\0b"),
	TEXT("\xf0\x9f\x98\x80"),
	TEXT("infinity"),
	TEXT("{}"),
	TEXT("linux/"),
	TEXT("web:1"),
	TEXT("affected"),
	TEXT("wont_fix"),
	TEXT("1:2:3-"),
};

/* clang-format on */

static uint64_t state;

static uint32_t
draw(uint32_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (state >> 33) % limit;
}

/* The input's bytes, as a number. */
static uint64_t
read_input(void)
{
	unsigned char bytes[4096];
	ssize_t size = pread(0, bytes, sizeof(bytes), 0);
	uint64_t hash = UINT64_C(14695981039346656037);

	for (ssize_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

/* Receives the job; whether it is about a VEX document. */
static bool
receive_job(void)
{
	WireHeader header;
	char *body;
	bool is_vex;

	if (recv(WIRE_SOCKET, &header, sizeof(header), MSG_WAITALL) != sizeof(header) ||
		(body = malloc(header.size + 1)) == NULL ||
		recv(WIRE_SOCKET, body, header.size, MSG_WAITALL) != (ssize_t) header.size)
		_exit(1);
	is_vex = memmem(body, header.size, "\3\0\0\0vex", 7) != NULL;
	free(body);
	return is_vex;
}

static ClairBytes
other_value(const Frame *frames, size_t count)
{
	static char large[100000];
	const Frame *other = &frames[draw((uint32_t) count)];

	switch (draw(12))
	{
		case 0:
			return CLAIR_NULL_BYTES;
		case 1:
			memset(large, 'x', sizeof(large));
			return (ClairBytes){large, draw(sizeof(large))};
		case 2:
		case 3:
			return other->count > 0 ? other->fields[draw(other->count)] : CLAIR_NULL_BYTES;
		default:
			return values[draw(COUNT(values))];
	}
}

/* Changes one thing. */
static size_t
mutate(Frame *frames, size_t count)
{
	size_t at = draw((uint32_t) count);
	size_t to = draw((uint32_t) count);
	Frame frame = frames[at];

	switch (draw(16))
	{
		case 0: /* one less */
			if (count > 1)
				memmove(frames + at, frames + at + 1, sizeof(Frame) * (--count - at));
			break;
		case 1: /* twice */
			if (count < MAX_FRAMES)
				frames[count++] = frames[to];
			frames[to] = frame;
			break;
		case 2: /* another order */
			frames[at] = frames[to];
			frames[to] = frame;
			break;
		case 3:
			frames[at].tag = (int) draw(WIRE_RELATION_COUNT + 1);
			break;
		case 4:
			frames[at].type = "HRKBPTDEjdtswkb?"[draw(16)];
			break;
		case 5:
			frames[at].count = draw(WIRE_MAX_COLUMNS + 1);
			break;
		default:
			if (frame.count > 0)
				frames[at].fields[draw(frame.count)] = other_value(frames, count);
	}
	return count;
}

static void
send_bytes(const char *bytes, size_t size)
{
	while (size > 0)
	{
		ssize_t sent = send(WIRE_SOCKET, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(1);
		bytes += sent;
		size -= (size_t) sent;
	}
}

/* Sends the frames; now and then, not quite. */
static void
send_frames(const Frame *frames, size_t count)
{
	char *stream = malloc(MAX_STREAM);
	size_t size = 0;

	for (size_t i = 0; stream != NULL && i < count; i++)
	{
		size_t more = wire_frame_size(frames[i].fields, frames[i].count);

		if (more > MAX_STREAM - size)
			break;
		wire_frame(stream + size, (WireType) frames[i].type, (uint8_t) frames[i].tag,
				   frames[i].fields, frames[i].count);
		size += more;
	}
	if (draw(8) == 0 && size > 0)
		stream[draw((uint32_t) size)] ^= (char) (1 << draw(8));
	if (draw(16) == 0)
		size = draw((uint32_t) size + 1);
	send_bytes(stream, size);
}

int
main(void)
{
	static const ClairBytes hello[] = {TEXT("clair-reader"), TEXT("1")};
	static Frame frames[MAX_FRAMES];
	char greeting[64];
	size_t count;
	bool is_vex;

	wire_frame(greeting, WIRE_HELLO, 0, hello, COUNT(hello));
	send_bytes(greeting, wire_frame_size(hello, COUNT(hello)));
	is_vex = receive_job();
	state = read_input();
	count = is_vex ? COUNT(vex) : COUNT(image);
	memcpy(frames, is_vex ? vex : image, sizeof(Frame) * count);
	for (size_t i = 0; i < count; i++)
		if (frames[i].type == WIRE_ROW)
			frames[i].count = (uint32_t) wire_relations[frames[i].tag].column_count;
	for (uint32_t changes = draw(5); changes > 0; changes--)
		count = mutate(frames, count);
	send_frames(frames, count);
	_exit(draw(32) == 0 ? 1 : 0);
}
