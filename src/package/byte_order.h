/*
 * byte_order.h
 *    Integers of binary formats: of any byte order, at any address.
 */
#ifndef CLAIR_BYTE_ORDER_H
#define CLAIR_BYTE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

static inline uint16_t
big_u16(const char *at)
{
	const unsigned char *bytes = (const unsigned char *) at;

	return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

static inline uint32_t
big_u32(const char *at)
{
	return (uint32_t) big_u16(at) << 16 | big_u16(at + 2);
}

static inline uint16_t
little_u16(const char *at)
{
	const unsigned char *bytes = (const unsigned char *) at;

	return (uint16_t) (bytes[1] << 8 | bytes[0]);
}

static inline uint32_t
little_u32(const char *at)
{
	return (uint32_t) little_u16(at + 2) << 16 | little_u16(at);
}

#endif
