/*
 * ubuntu_statement.h
 *    What Ubuntu says of a vulnerability, channel by channel, and the ranges that follow.
 *
 * A record of Ubuntu's feeds speaks of a package in each channel that it comes through. What
 * that means for a machine depends on where its builds come from, which their versions tell:
 * ordinary ones, and those of flavour "esm" or "fips".
 */
#ifndef CLAIR_UBUNTU_STATEMENT_H
#define CLAIR_UBUNTU_STATEMENT_H

#include "feed/record_feed.h"
#include "feed/ubuntu_releases.h"

/* Of several statements on one flavour of a package the greatest status counts. */
typedef enum UbuntuStatus
{
	UBUNTU_ABSENT, /* the package is not there: nothing is written */
	UBUNTU_NOT_AFFECTED,
	UBUNTU_UNDER_INVESTIGATION,
	UBUNTU_AFFECTED,
	UBUNTU_DEFERRED,
	UBUNTU_END_OF_LIFE,
	UBUNTU_WILL_NOT_FIX,
	UBUNTU_FIXED
} UbuntuStatus;

typedef struct UbuntuStatement
{
	ClairBytes package; /* a source package */
	UbuntuChannel channel;
	UbuntuStatus status;
	ClairBytes fixed; /* of UBUNTU_FIXED: the version, or several with commas between them */
	ClairBytes severity;
	ClairBytes key; /* of the highest of the versions; the functions below fill it */
} UbuntuStatement;

typedef struct UbuntuStatements
{
	UbuntuStatement *statements;
	size_t count;
	size_t capacity;
} UbuntuStatements;

/*
 * Adds a statement. A problem (a phrase) when what it says is no version or package name: then it
 * is not added. What it points to must live as long as the feed's record.
 */
extern ClairStatus
ubuntu_statement_add(RecordFeed *feed, UbuntuStatements *statements,
					 const UbuntuStatement *statement, const char **problem, ClairError *error);

/* What the record is, and so what follows from its being silent. */
typedef enum UbuntuRecord
{
	/*
	 * All that the feed says of the vulnerability: what it says of ordinary builds, and only of
	 * them, it says of all builds. The other ones are held against each other when they are
	 * stored, so that each of their ranges is of one flavour.
	 */
	UBUNTU_ALL,

	/* Where the vulnerability is, fixed or not. */
	UBUNTU_PLACES,

	/*
	 * What is to be done about it, place by place. Ranges are written for what says more than the
	 * record of the places: decisions, and that a place which could follow from another is none.
	 */
	UBUNTU_DECISIONS
} UbuntuRecord;

/*
 * Writes an advisory with the ranges of the statements, which are then in another order; nothing
 * when there are none. Fixes are brought by the advisory fixed_by, or no value.
 */
extern ClairStatus
ubuntu_statements_write(RecordFeed *feed, UbuntuStatements *statements, const Advisory *advisory,
						ClairBytes fixed_by, UbuntuRecord record, ClairError *error);

/* The severity that one of Ubuntu's priorities means, "medium" or the like. */
extern ClairBytes ubuntu_severity(ClairBytes priority);

#endif
