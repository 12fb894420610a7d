/*
 * consumer.h
 *    Acting for a consumer: only members of the role that owns it may.
 */
#ifndef CLAIR_CONSUMER_H
#define CLAIR_CONSUMER_H

#include "postgres.h"

#include "server/owner.h"

typedef struct Consumer
{
	const char *name;
	bool in_order;
	const char *lease_end; /* of what is handed out now, as text */
} Consumer;

/*
 * Begins and ends what a function does for a consumer. In between, the caller is the extension's
 * owner and SPI is connected. Fails when there is no such consumer or the caller is not its owner.
 */
extern void
OpenConsumer(Consumer *consumer, const char *function, const char *name, OwnerState *caller);
extern void CloseConsumer(const OwnerState *caller);

#endif
