/*
 * rpm_header.h
 *    The record of rpm's databases: a header, as rpm stores it.
 */
#ifndef CLAIR_RPM_HEADER_H
#define CLAIR_RPM_HEADER_H

#include "package/findings.h"

/* Adds the package that a header describes; record is its number in the database. */
extern ClairStatus
rpm_header_read(ClairBytes header, int64_t record, Findings *findings, ClairError *error);

#endif
