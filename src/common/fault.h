/*
 * fault.h
 *    Places at which tests let something go wrong: processes die, statements are cancelled.
 *
 * A point is nothing at all unless it is compiled with CLAIR_FAULT_POINTS, as "make
 * fault-programs" does for the tests; what happens at it then is in test/faults. Points stand
 * wherever a phase of an operation begins or ends. Their names begin with the operation's; those of
 * the helpers with "reader", "fetch" or "connection". In the server, an error can be raised at
 * every one of them.
 */
#ifndef CLAIR_FAULT_H
#define CLAIR_FAULT_H

#ifdef CLAIR_FAULT_POINTS
#define FAULT_POINT(name) fault_point("fault point " name)
extern void fault_point(const char *name);
#else
#define FAULT_POINT(name) ((void) 0)
#endif

#endif
