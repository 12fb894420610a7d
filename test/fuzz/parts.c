/*
 * parts.c
 *    Inputs of several parts, and tars of them; see fuzz.h.
 */
#include <zlib.h>

#include "../unit/tar_writer.h"
#include "common/digest.h"
#include "fuzz.h"

#define MARK_SIZE	3
#define MAX_MEMBERS 16

static const char marks[FUZZ_LEVELS][MARK_SIZE + 1] = {"\xF7\xF7\n", "\xF7\xF7\t", "\xF7\xF7\v"};

typedef struct Member
{
	ClairBytes head; /* type, name and target; to be freed */
	char type;
	ClairBytes name;
	ClairBytes target;
	ClairBytes content;				   /* as it is stored; to be freed */
	char digest[DIGEST_TEXT_SIZE];	   /* of that */
	char raw_digest[DIGEST_TEXT_SIZE]; /* of what was compressed */
	char size[24];					   /* of what is stored */
} Member;

size_t
fuzz_split(ClairBytes input, int level, ClairBytes *parts, size_t limit)
{
	size_t count = 0;
	const char *mark;

	while (count + 1 < limit &&
		   (mark = memmem(input.data, input.size, marks[level], MARK_SIZE)) != NULL)
	{
		parts[count] = (ClairBytes){input.data, (size_t) (mark - input.data)};
		input = clair_bytes_skip(input, parts[count++].size + MARK_SIZE);
	}
	parts[count++] = input;
	return count;
}

/*
 * What "@{N}", "@[N]" or "@(N)" stands for, N being the number of a member from the first one on;
 * NULL when the text does not begin so.
 */
static const char *
reference(ClairBytes text, const Member *members, size_t first, size_t count)
{
	static const char brackets[] = "{}[]()";
	const char *bracket;
	size_t number;

	if (text.size < 4 || text.data[0] != '@' ||
		(bracket = memchr(brackets, text.data[1], sizeof(brackets) - 1)) == NULL ||
		text.data[3] != bracket[1])
		return NULL;
	number = (size_t) (text.data[2] - '0');
	if (number < first || number >= count)
		return NULL;
	if (text.data[1] == '(')
		return members[number].size;
	return (text.data[1] == '{' ? members[number].digest : members[number].raw_digest) +
		   strlen("sha256:");
}

/* A text with what it refers to; to be freed, as is the text itself. */
static ClairBytes
refer(ClairBytes text, const Member *members, size_t first, size_t count)
{
	char *result = malloc(16 * text.size + 1); /* 64 digits for 4 bytes */
	size_t size = 0;

	require(result != NULL);
	for (size_t i = 0; i < text.size; i++)
	{
		const char *value = reference(clair_bytes_skip(text, i), members, first, count);

		if (value == NULL)
		{
			result[size++] = text.data[i];
			continue;
		}
		memcpy(result + size, value, strlen(value));
		size += strlen(value);
		i += 3;
	}
	result[size] = '\0';
	free((char *) text.data);
	return (ClairBytes){result, size};
}

static ClairBytes
compress_member(ClairBytes content)
{
	z_stream stream = {.next_in = (Bytef *) content.data, .avail_in = (uInt) content.size};
	ClairBytes result;
	uLong bound;

	require(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	bound = deflateBound(&stream, (uLong) content.size);
	result.data = malloc(bound);
	require(result.data != NULL);
	stream.next_out = (Bytef *) result.data;
	stream.avail_out = (uInt) bound;
	require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	result.size = stream.total_out;
	deflateEnd(&stream);
	free((char *) content.data);
	return result;
}

/* Makes the member of this number, whose parts are given; those after it are there. */
static void
make_member(Member *members, size_t number, size_t count, const ClairBytes *parts, int level)
{
	Member *member = &members[number];
	ClairBytes head = fuzz_copy(parts[0]);
	ClairError error;
	const char *line;

	member->type = head.size > 0 ? head.data[0] : '0';
	member->content = refer(fuzz_content(parts[1], level + 1), members, number + 1, count);
	digest_of(DIGEST_SHA256, member->content, member->raw_digest, &error);
	if (member->type == 'Z')
	{
		member->type = '0';
		member->content = compress_member(member->content);
	}
	digest_of(DIGEST_SHA256, member->content, member->digest, &error);
	snprintf(member->size, sizeof(member->size), "%zu", member->content.size);
	member->head = refer(head, members, number, count);
	member->name = clair_bytes_skip(member->head, member->head.size > 0 ? 1 : 0);
	line = memchr(member->name.data, '\n', member->name.size);
	member->target = CLAIR_LITERAL("");
	if (line != NULL)
	{
		member->target = clair_bytes_skip(member->name, (size_t) (line - member->name.data) + 1);
		*(char *) line = '\0';
	}
}

static ClairBytes
make_tar(ClairBytes input, int level)
{
	ClairBytes parts[2 * MAX_MEMBERS + 1];
	size_t count = fuzz_split(input, level, parts, 2 * MAX_MEMBERS + 1) / 2;
	Member members[MAX_MEMBERS];
	TarWriter tar = {0};

	for (size_t i = count; i-- > 0;)
		make_member(members, i, count, parts + 2 * i, level);
	for (size_t i = 0; i < count; i++)
	{
		tar_add(&tar, members[i].type, members[i].name.data, members[i].target.data,
				members[i].content);
		free((char *) members[i].content.data);
		free((char *) members[i].head.data);
	}
	return tar_end(&tar);
}

/* A copy of bytes with the right checksum in every block that looks like the header of a tar. */
static ClairBytes
mend_tar(ClairBytes bytes)
{
	char *copy = (char *) fuzz_copy(bytes).data;

	for (size_t at = 0; bytes.size - at >= 512; at += 512)
	{
		unsigned int sum = 0;

		if (memcmp(copy + at + 257, "ustar", 5) != 0)
			continue;
		memset(copy + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += (unsigned char) copy[at + i];
		snprintf(copy + at + 148, 8, "%06o", sum);
	}
	return (ClairBytes){copy, bytes.size};
}

ClairBytes
fuzz_content(ClairBytes part, int level)
{
	if (level < FUZZ_LEVELS && clair_bytes_start_with(part, CLAIR_LITERAL(FUZZ_TAR)))
		return make_tar(clair_bytes_skip(part, strlen(FUZZ_TAR)), level);
	return mend_tar(part);
}
