/*
 * Proves which addresses clair-fetch asks: both ends of every special range of IPv4 and the
 * addresses around it, IPv6's own ranges, and IPv4 addresses dressed up as IPv6.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "fetch/address.h"

static const struct
{
	const char *address;
	const char *kind; /* NULL: public */
} cases[] = {
	{"0.0.0.0", "unspecified"},
	{"0.255.255.255", "unspecified"},
	{"1.0.0.0", NULL},
	{"9.255.255.255", NULL},
	{"10.0.0.0", "private"},
	{"10.255.255.255", "private"},
	{"11.0.0.0", NULL},
	{"100.63.255.255", NULL},
	{"100.64.0.0", "shared by a provider's customers"},
	{"100.127.255.255", "shared by a provider's customers"},
	{"100.128.0.0", NULL},
	{"126.255.255.255", NULL},
	{"127.0.0.1", "loopback"},
	{"127.255.255.255", "loopback"},
	{"128.0.0.0", NULL},
	{"169.253.255.255", NULL},
	{"169.254.0.0", "link-local"},
	{"169.254.169.254", "link-local"},
	{"169.254.255.255", "link-local"},
	{"169.255.0.0", NULL},
	{"172.15.255.255", NULL},
	{"172.16.0.0", "private"},
	{"172.31.255.255", "private"},
	{"172.32.0.0", NULL},
	{"191.255.255.255", NULL},
	{"192.0.0.0", "reserved"},
	{"192.0.0.255", "reserved"},
	{"192.0.1.0", NULL},
	{"192.0.2.0", "reserved"},
	{"192.0.3.0", NULL},
	{"192.88.98.255", NULL},
	{"192.88.99.1", "reserved"},
	{"192.88.100.0", NULL},
	{"192.167.255.255", NULL},
	{"192.168.0.0", "private"},
	{"192.168.255.255", "private"},
	{"192.169.0.0", NULL},
	{"198.17.255.255", NULL},
	{"198.18.0.0", "reserved"},
	{"198.19.255.255", "reserved"},
	{"198.20.0.0", NULL},
	{"198.51.99.255", NULL},
	{"198.51.100.7", "reserved"},
	{"198.51.101.0", NULL},
	{"203.0.112.255", NULL},
	{"203.0.113.7", "reserved"},
	{"203.0.114.0", NULL},
	{"223.255.255.255", NULL},
	{"224.0.0.0", "multicast"},
	{"239.255.255.255", "multicast"},
	{"240.0.0.0", "reserved"},
	{"255.255.255.255", "reserved"},

	{"::", "unspecified"},
	{"::1", "loopback"},
	{"::2", "reserved"},
	{"::127.0.0.1", "reserved"},
	{"::ffff:127.0.0.1", "loopback"},
	{"::ffff:10.1.2.3", "private"},
	{"::ffff:8.8.8.8", NULL},
	{"::ffff:0:10.1.2.3", "private"},
	{"64:ff9b::10.1.2.3", "private"},
	{"64:ff9b::169.254.169.254", "link-local"},
	{"64:ff9b::8.8.8.8", NULL},
	{"64:ff9b:1::8.8.8.8", "private"},
	{"2002:7f00:1::", "loopback"},
	{"2002:a01:203::1", "private"},
	{"2002:808:808::1", NULL},
	{"100::1", "reserved"},
	{"1fff:ffff::1", "reserved"},
	{"2001::1", "reserved"},
	{"2001:1ff:ffff::1", "reserved"},
	{"2001:200::1", NULL},
	{"2001:db7:ffff::1", NULL},
	{"2001:db8::1", "reserved"},
	{"2001:db9::1", NULL},
	{"2606:4700::1111", NULL},
	{"3ffe:ffff::1", NULL},
	{"3fff::1", "reserved"},
	{"3fff:fff:ffff::1", "reserved"},
	{"3fff:1000::1", NULL},
	{"4000::1", "reserved"},
	{"fbff::1", "reserved"},
	{"fc00::1", "private"},
	{"fdff:ffff::1", "private"},
	{"fe00::1", "reserved"},
	{"fe80::1", "link-local"},
	{"febf::1", "link-local"},
	{"fec0::1", "private"},
	{"feff::1", "private"},
	{"ff02::1", "multicast"},
};

int
main(void)
{
	struct sockaddr other = {.sa_family = AF_UNIX};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		struct sockaddr_in address4 = {.sin_family = AF_INET};
		struct sockaddr_in6 address6 = {.sin6_family = AF_INET6};
		const char *kind;

		if (inet_pton(AF_INET, cases[i].address, &address4.sin_addr) == 1)
			kind = address_problem((const struct sockaddr *) &address4);
		else if (inet_pton(AF_INET6, cases[i].address, &address6.sin6_addr) == 1)
			kind = address_problem((const struct sockaddr *) &address6);
		else
			kind = "no address";
		CHECK_TEXT(clair_bytes(kind), cases[i].kind, cases[i].address);
	}
	CHECK_TEXT(clair_bytes(address_problem(&other)), "not an internet address", "a local socket");
	return unit_result();
}
