/*
 * function.h
 *    Updaters that are functions of the database.
 */
#ifndef CLAIR_UPDATE_FUNCTION_H
#define CLAIR_UPDATE_FUNCTION_H

#include "update/run.h"

/*
 * Refuses a function, as regprocedure writes it, that cannot be an updater of a role's. Returns
 * how it is called, with its schema; within SPI, as the extension's owner. *role_id is the role's.
 */
extern char *CheckUpdaterFunction(const char *function, const char *role, Oid *role_id);

/*
 * The phase stage of an updater that is a function: calls it, and stages what its rows say as if
 * they were one document, "function", whose records are vulnerabilities.
 */
extern void StageFunction(UpdateRun *run);

/* Adds that document to those that the run compares; within SPI. */
extern void StageFunctionState(const UpdateRun *run);

#endif
