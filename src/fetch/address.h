/*
 * address.h
 *    Which internet addresses are anybody's, and which lie within the own network.
 *
 * URLs come from feeds as well as from administrators: clair-fetch must not be made to ask
 * services that only this machine or its network can reach.
 */
#ifndef CLAIR_FETCH_ADDRESS_H
#define CLAIR_FETCH_ADDRESS_H

#include <sys/socket.h>

/*
 * What keeps an address from being a public one ("private", "loopback", ...); NULL when
 * nothing does. An IPv6 address that stands for an IPv4 address is judged by that.
 */
extern const char *address_problem(const struct sockaddr *address);

#endif
