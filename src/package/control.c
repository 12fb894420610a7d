/*
 * control.c
 *    Files in Debian's control format; see control.h.
 */
#include "package/control.h"

#include "common/limits.h"
#include "common/text.h"

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

void
control_start(ControlReader *reader, ClairBytes file)
{
	*reader = (ControlReader){.rest = file, .line = 0};
}

ControlLine
control_next(ControlReader *reader, ClairBytes *name, ClairBytes *value)
{
	ClairBytes line;
	const char *colon;

	if (!text_next_line(&reader->rest, &line))
		return CONTROL_END;
	reader->line++;
	if (line.size > CLAIR_MAX_LINE)
		return CONTROL_TOO_LONG;
	*value = text_trim(line);
	if (value->size == 0)
		return CONTROL_STANZA_END;
	if (is_blank(line.data[0]))
		return CONTROL_CONTINUATION;
	colon = memchr(line.data, ':', line.size);
	if (colon == NULL || colon == line.data)
		return CONTROL_MALFORMED;
	*name = text_trim((ClairBytes){line.data, (size_t) (colon - line.data)});
	*value = text_trim(clair_bytes_skip(line, (size_t) (colon - line.data) + 1));
	return CONTROL_FIELD;
}

bool
control_next_word(ClairBytes *rest, ClairBytes *word)
{
	*rest = text_trim(*rest);
	*word = (ClairBytes){rest->data, 0};
	while (word->size < rest->size && !is_blank(rest->data[word->size]))
		word->size++;
	if (word->size == 0)
		return false;
	*rest = clair_bytes_skip(*rest, word->size);
	return true;
}
