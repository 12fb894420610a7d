/*
 * main.c
 *    clair-fuzz: all targets, in one program that is linked with libFuzzer.
 *
 *	  clair-fuzz			lists the targets
 *	  clair-fuzz NAME ...	fuzzes one, with the options and corpora of libFuzzer
 *
 * The processes that libFuzzer starts of itself (-merge, -fork, -jobs) find the name in the
 * environment. Started by test/fuzz/run.
 */
#include <stdio.h>
#include <string.h>

#include "common/digest.h"
#include "feed/xml.h"
#include "fuzz.h"
#include "image/image.h"

#define VARIABLE "CLAIR_FUZZ_TARGET"

extern int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FuzzTarget *targets;
static const FuzzTarget *chosen;

void
fuzz_register(FuzzTarget *target)
{
	FuzzTarget **place = &targets;

	while (*place != NULL && strcmp((*place)->name, target->name) < 0)
		place = &(*place)->next;
	target->next = *place;
	*place = target;
}

static const FuzzTarget *
find_target(const char *name)
{
	const FuzzTarget *target = targets;

	while (target != NULL && strcmp(target->name, name) != 0)
		target = target->next;
	return target;
}

/* Takes the target's name out of the arguments. */
int
LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	const char *name = getenv(VARIABLE);
	ClairError error;

	if (name == NULL && *argument_count > 1)
	{
		name = (*arguments)[1];
		setenv(VARIABLE, name, 1);
		memmove(*arguments + 1, *arguments + 2,
				sizeof(char *) * (size_t) (*argument_count - 1)); /* and the NULL at the end */
		(*argument_count)--;
	}
	if (name == NULL)
	{
		for (const FuzzTarget *target = targets; target != NULL; target = target->next)
			puts(target->name);
		exit(0);
	}
	chosen = find_target(name);
	if (chosen == NULL)
	{
		fprintf(stderr, "clair-fuzz: there is no target \"%s\"\n", name);
		exit(2);
	}
	require(digest_initialize(&error) == CLAIR_OK && image_initialize(&error) == CLAIR_OK);
	xml_initialize();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return chosen->run(chosen, data, size);
}
