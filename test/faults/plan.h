/*
 * plan.h
 *    What is to go wrong at which point, and which points have been reached: a file that the test
 *    and all processes of its server share.
 *
 * The file "fault_plan" lies in the data directory, which is where backends and helpers begin. It
 * is mapped by the first point that a process reaches: of a helper, before it gives up opening
 * files. Perl writes the same structure: FaultServer.pm of test/t/lib.
 */
#ifndef CLAIR_TEST_FAULTS_PLAN_H
#define CLAIR_TEST_FAULTS_PLAN_H

#include <stdatomic.h>
#include <stdint.h>

#define PLAN_SIZE (1 << 20)

typedef struct FaultPlan
{
	char point[64];			   /* without "fault point "; empty: none */
	char action[16];		   /* what is done there */
	_Atomic int32_t countdown; /* at which time that it is reached; 0 and less: it has happened */
	_Atomic uint32_t noted;	   /* bytes of what follows */
	char reached[PLAN_SIZE - 88]; /* names of points, a line each; a helper's, too */
} FaultPlan;

/* Notes that a point has been reached; the action for it, or NULL. */
extern const char *plan_action(const char *point);

/* Whether the plan still is that something happens at a point. */
extern int plan_has(const char *point);

#endif
