/*
 * plan.c
 *    Reading the plan of what is to go wrong; see plan.h. Linked into server and helpers.
 */
#include "plan.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What all names in the programs begin with, so that they can be found there. */
#define PREFIX "fault point "

static FaultPlan *plan;

static void
map_plan(void)
{
	int file = open("fault_plan", O_RDWR | O_CLOEXEC);
	void *mapped;

	if (file < 0)
		return;
	mapped = mmap(NULL, PLAN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (mapped != MAP_FAILED)
		plan = mapped;
}

static void
note(const char *name)
{
	uint32_t size = (uint32_t) strlen(name);
	uint32_t at = atomic_fetch_add(&plan->noted, size + 1);

	if (at + size + 1 > sizeof(plan->reached))
		return;
	memcpy(plan->reached + at, name, size);
	plan->reached[at + size] = '\n';
}

int
plan_has(const char *point)
{
	return strcmp(plan->point, point + strlen(PREFIX)) == 0;
}

const char *
plan_action(const char *point)
{
	if (plan == NULL)
		map_plan();
	if (plan == NULL)
		return NULL;
	note(point + strlen(PREFIX));
	if (!plan_has(point) || atomic_fetch_sub(&plan->countdown, 1) != 1)
		return NULL;
	return plan->action;
}
