/*
 * severity.c
 *    Words of vendors for how bad something is; see severity.h.
 */
#include "feed/severity.h"

#include "common/text.h"

ClairBytes
severity_from_word(ClairBytes word)
{
	static const struct
	{
		ClairBytes word;
		ClairBytes severity;
	} words[] = {
		{CLAIR_LITERAL("Moderate"), CLAIR_LITERAL("Medium")},
		{CLAIR_LITERAL("Important"), CLAIR_LITERAL("High")},
		{CLAIR_LITERAL("Low"), CLAIR_LITERAL("Low")},
		{CLAIR_LITERAL("Critical"), CLAIR_LITERAL("Critical")},
		{CLAIR_LITERAL("Medium"), CLAIR_LITERAL("Medium")},
		{CLAIR_LITERAL("High"), CLAIR_LITERAL("High")},
		{CLAIR_LITERAL("Negligible"), CLAIR_LITERAL("Negligible")},
		{CLAIR_LITERAL("N/A"), CLAIR_LITERAL("Negligible")}, /* Oracle's for "not at all" */
		{CLAIR_LITERAL("None"), CLAIR_LITERAL("Negligible")},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal_ignoring_case(word, words[i].word))
			return words[i].severity;
	return CLAIR_LITERAL("Unknown");
}
