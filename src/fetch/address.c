/*
 * address.c
 *    Which internet addresses are anybody's: the special-purpose address registries of IANA.
 *
 * IPv4: RFC 6890 and what has been added to its registry. IPv6: nothing but 2000::/3 has been
 * given out, so everything else is refused, with the name of its kind where it has one.
 */
#include "fetch/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Range
{
	uint8_t prefix[16];
	int bits;
	const char *kind;
} Range;

/* The first that fits counts. */
static const Range ranges4[] = {
	{{0}, 8, "unspecified"},
	{{10}, 8, "private"},
	{{100, 64}, 10, "shared by a provider's customers"},
	{{127}, 8, "loopback"},
	{{169, 254}, 16, "link-local"},
	{{172, 16}, 12, "private"},
	{{192, 0, 0}, 24, "reserved"},
	{{192, 0, 2}, 24, "reserved"},
	{{192, 88, 99}, 24, "reserved"},
	{{192, 168}, 16, "private"},
	{{198, 18}, 15, "reserved"},
	{{198, 51, 100}, 24, "reserved"},
	{{203, 0, 113}, 24, "reserved"},
	{{224}, 4, "multicast"},
	{{240}, 4, "reserved"},
};

static const Range ranges6[] = {
	{{0}, 128, "unspecified"},
	{{[15] = 1}, 128, "loopback"},
	{{0xFC}, 7, "private"},
	{{0xFE, 0x80}, 10, "link-local"},
	{{0xFE, 0xC0}, 10, "private"},
	{{0xFF}, 8, "multicast"},
	{{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48, "private"}, /* a network's own NAT64 */
	{{0x20, 0x01, 0x00}, 23, "reserved"},				   /* Teredo and other protocols */
	{{0x20, 0x01, 0x0D, 0xB8}, 32, "reserved"},
	{{0x3F, 0xFF}, 20, "reserved"},
};

static const Range public6 = {{0x20}, 3, NULL};

/* IPv6 prefixes that an IPv4 address follows. */
static const Range embedding6[] = {
	{{[10] = 0xFF, [11] = 0xFF}, 96, NULL}, /* mapped */
	{{0x00, 0x64, 0xFF, 0x9B}, 96, NULL},	/* NAT64 */
	{{0x20, 0x02}, 16, NULL},				/* 6to4 */
	{{[8] = 0xFF, [9] = 0xFF}, 96, NULL},	/* translated (RFC 2765) */
};

static bool
is_within(const uint8_t *address, const Range *range)
{
	int bytes = range->bits / 8;
	int rest = range->bits % 8;

	if (memcmp(address, range->prefix, (size_t) bytes) != 0)
		return false;
	return rest == 0 || (address[bytes] ^ range->prefix[bytes]) >> (8 - rest) == 0;
}

static const char *
find_kind(const uint8_t *address, const Range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (is_within(address, &ranges[i]))
			return ranges[i].kind;
	}
	return NULL;
}

static const char *
problem4(const uint8_t *address)
{
	return find_kind(address, ranges4, sizeof(ranges4) / sizeof(ranges4[0]));
}

static const char *
problem6(const uint8_t *address)
{
	const char *kind;

	for (size_t i = 0; i < sizeof(embedding6) / sizeof(embedding6[0]); i++)
	{
		if (is_within(address, &embedding6[i]))
			return problem4(address + embedding6[i].bits / 8);
	}
	kind = find_kind(address, ranges6, sizeof(ranges6) / sizeof(ranges6[0]));
	if (kind == NULL && !is_within(address, &public6))
		return "reserved";
	return kind;
}

const char *
address_problem(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
	{
		struct sockaddr_in internet;

		memcpy(&internet, address, sizeof(internet));
		return problem4((const uint8_t *) &internet.sin_addr);
	}
	if (address->sa_family == AF_INET6)
	{
		struct sockaddr_in6 internet;

		memcpy(&internet, address, sizeof(internet));
		return problem6((const uint8_t *) &internet.sin6_addr);
	}
	return "not an internet address";
}
