/*
 * answer.c
 *    What workers of clair.index_images() answer: rows of texts in a message.
 *
 * Both ends are this library: the message is the row's texts, each after a byte that tells
 * whether there is one.
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "index/images.h"

void
BeginAnswer(StringInfo answer, uint32 number)
{
	resetStringInfo(answer);
	pq_sendint32(answer, number);
}

void
AddAnswerRow(StringInfo answer, char **texts)
{
	for (int i = 0; i < RESULT_COLUMNS; i++)
	{
		pq_sendbyte(answer, texts[i] != NULL);
		if (texts[i] != NULL)
			pq_sendbytes(answer, texts[i], (int) strlen(texts[i]) + 1);
	}
}

uint32
ReadAnswer(StringInfo answer)
{
	return pq_getmsgint(answer, 4);
}

bool
ReadAnswerRow(StringInfo answer, char **texts)
{
	if (answer->cursor == answer->len)
		return false;
	for (int i = 0; i < RESULT_COLUMNS; i++)
		texts[i] = pq_getmsgbyte(answer) != 0 ? unconstify(char *, pq_getmsgrawstring(answer))
											  : NULL;
	return true;
}
