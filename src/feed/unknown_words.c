/*
 * unknown_words.c
 *    Words of a feed that are not known; see unknown_words.h.
 */
#include "feed/unknown_words.h"

bool
unknown_words_add(UnknownWords *unknown, ClairBytes word)
{
	char shortened[UNKNOWN_WORDS_MAX_SIZE] = {0};

	if (word.size > 0)
		memcpy(shortened, word.data, word.size < sizeof(shortened) ? word.size : sizeof(shortened));
	for (size_t i = 0; i < unknown->count; i++)
		if (memcmp(unknown->words[i], shortened, sizeof(shortened)) == 0)
			return false;
	if (unknown->count == UNKNOWN_WORDS_MAX)
		return false;
	memcpy(unknown->words[unknown->count++], shortened, sizeof(shortened));
	return true;
}
