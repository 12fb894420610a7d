/*
 * fetch_fuzz.c
 *    What servers answer to clair-fetch: whatever comes, the transfer ends, and is told in a frame
 *    as it should be ("fetch"). And internet addresses ("address").
 *
 * The parts of an input are letters that say what is asked (p: something is posted, c: for what has
 * changed, h: with header lines, r: redirects may lead anywhere, t: once more when it fails), and
 * what is answered to one connection after the other. All of them lead to a socket of this process,
 * wherever an URL points: curl_easy_init() is ours (-Wl,--wrap), which sees to that.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/text.h"
#include "fetch/address.h"
#include "fetch/transfer.h"
#include "fuzz.h"

#define MAX_ANSWERS 8
#define MAX_ANSWER	65536 /* fits into a socket's buffer */
#define MAX_ROUNDS	1000

static char socket_name[32]; /* of the listening socket, in the abstract name space */

extern CURL *__real_curl_easy_init(void);
extern CURL *__wrap_curl_easy_init(void);

CURL *
__wrap_curl_easy_init(void)
{
	CURL *easy = __real_curl_easy_init();

	if (easy != NULL && socket_name[0] != '\0')
		require(curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, socket_name) == CURLE_OK);
	return easy;
}

static int
listen_for_transfers(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int length;

	snprintf(socket_name, sizeof(socket_name), "clair-fuzz-%d", (int) getpid());
	length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", socket_name);
	require(listener >= 0 &&
			bind(listener, (struct sockaddr *) &address,
				 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) length)) == 0 &&
			listen(listener, MAX_ANSWERS) == 0);
	return listener;
}

/* Answers a connection that waits; the descriptor, or -1. */
static int
answer_connection(int listener, ClairBytes answer)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection >= 0)
	{
		if (answer.size > 0)
			(void) !write(connection, answer.data, answer.size);
		shutdown(connection, SHUT_WR);
	}
	return connection;
}

/* Lets the transfer run to its end. */
static void
run_transfer(Transfer *transfer, int listener, const ClairBytes *answers, size_t count)
{
	int connections[MAX_ROUNDS];
	size_t accepted = 0;
	CURLM *multi = curl_multi_init();
	CURLMsg *message;
	ClairError error;
	int left;

	require(multi != NULL && transfer_start(transfer, multi, &error) == CLAIR_OK);
	for (int i = 0; i < MAX_ROUNDS && transfer_state(transfer) != TRANSFER_FINISHED; i++)
	{
		if (transfer_state(transfer) == TRANSFER_WAITING)
			require(transfer_start(transfer, multi, &error) == CLAIR_OK);
		require(curl_multi_perform(multi, &left) == CURLM_OK);
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
			require(transfer_ended(multi, message->easy_handle, message->data.result, 0, &error) ==
					CLAIR_OK);
		connections[accepted] = answer_connection(listener, accepted < count ? answers[accepted]
																			 : CLAIR_LITERAL(""));
		accepted += connections[accepted] >= 0;
		if (transfer_state(transfer) == TRANSFER_RUNNING)
			require(curl_multi_poll(multi, NULL, 0, 1, NULL) == CURLM_OK);
	}
	require(transfer_state(transfer) == TRANSFER_FINISHED);
	curl_multi_cleanup(multi);
	while (accepted > 0)
		close(connections[--accepted]);
}

/* Has the transfer told, and looks at what the server gets. */
static void
check_report(Transfer *transfer)
{
	Connection *connection;
	ClairError error;
	WireHeader header = {.size = 0};
	ClairBytes fields[WIRE_TRANSFERRED_FIELDS];
	char body[65536];
	int sockets[2];
	ssize_t size = 0;

	require(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 &&
			connection_open(sockets[0], "fuzz", &connection, &error) == CLAIR_OK &&
			transfer_report(transfer, connection, &error) == CLAIR_OK &&
			connection_flush(connection, &error) == CLAIR_OK);
	while (header.type != WIRE_TRANSFERRED)
	{
		require(read(sockets[1], &header, sizeof(header)) == sizeof(header) &&
				header.size < sizeof(body));
		size = read(sockets[1], body, header.size);
		require(size == (ssize_t) header.size);
	}
	require(header.fields == WIRE_TRANSFERRED_FIELDS &&
			wire_fields((ClairBytes){body, (size_t) size}, header.fields, fields) &&
			wire_fields_are_text(fields, header.fields));
	connection_close(connection);
	close(sockets[1]);
}

FUZZ_TARGET(fetch)
{
	static int listener = -1;
	ClairBytes parts[MAX_ANSWERS + 1];
	size_t count = fuzz_split((ClairBytes){(const char *) data, size}, 0, parts, MAX_ANSWERS + 1);
	bool posts = count > 1 && memchr(parts[0].data, 'p', parts[0].size) != NULL;
	bool is_conditional = count > 1 && memchr(parts[0].data, 'c', parts[0].size) != NULL;
	bool has_headers = count > 1 && memchr(parts[0].data, 'h', parts[0].size) != NULL;
	bool retries = count > 1 && memchr(parts[0].data, 't', parts[0].size) != NULL;
	FetchOptions options = {.proxy = "",
							.retries = retries ? 1 : 0,
							.hosts = clair_bytes(memchr(parts[0].data, 'r', parts[0].size) != NULL
													 ? "*"
													 : "other.example.org"),
							.decode = true,
							.allow_private_networks = true,
							.max_redirects = 5,
							.parallel = 1,
							.connect_timeout = 5,
							.stall_timeout = 5,
							.max_size = 1 << 16};
	ClairBytes fields[WIRE_TRANSFER_FIELDS] = {
		[WIRE_TRANSFER_NUMBER] = CLAIR_LITERAL("0"),
		[WIRE_TRANSFER_URL] = CLAIR_LITERAL("http://example.org/a"),
		[WIRE_TRANSFER_MAX_SIZE] = CLAIR_LITERAL("50000"),
		[WIRE_TRANSFER_ETAG] = is_conditional ? CLAIR_LITERAL("\"a\"") : CLAIR_NULL_BYTES,
		[WIRE_TRANSFER_HEADERS] = has_headers ? CLAIR_LITERAL("X-A: b\nX-C:\n") : CLAIR_NULL_BYTES,
		[WIRE_TRANSFER_BODY] = posts ? CLAIR_LITERAL("{}") : CLAIR_NULL_BYTES,
		[WIRE_TRANSFER_TIMEOUT] = CLAIR_LITERAL("5")};
	Transfer *transfer;
	ClairError error;

	if (count < 2 || size > MAX_ANSWER)
		return 0;
	if (listener < 0)
	{
		require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
		listener = listen_for_transfers();
	}
	require(transfer_create(fields, posts ? -1 : fuzz_file(CLAIR_LITERAL("")), &options, &transfer,
							&error) == CLAIR_OK);
	run_transfer(transfer, listener, parts + 1, count - 1);
	check_report(transfer);
	require(transfer_written(transfer) <= 50000);
	transfer_destroy(transfer);
	return 0;
}

/* An IPv4 address is judged as the IPv6 address that it is mapped to. */
FUZZ_TARGET(address)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	struct sockaddr_in plain = {.sin_family = AF_INET};
	const char *kind;

	if (size != sizeof(address.sin6_addr) && size != sizeof(plain.sin_addr))
		return 0;
	if (size == sizeof(address.sin6_addr))
	{
		memcpy(&address.sin6_addr, data, size);
		kind = address_problem((struct sockaddr *) &address);
		require(kind != NULL || (data[0] & 0xE0) == 0x20 ||
				memcmp(data + 8, "\0\0\xFF\xFF", 4) == 0 ||
				memcmp(data + 8, "\xFF\xFF\0\0", 4) == 0 || memcmp(data, "\0\x64\xFF\x9B", 4) == 0);
		return 0;
	}
	memcpy(&plain.sin_addr, data, size);
	address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xFF;
	memcpy(&address.sin6_addr.s6_addr[12], data, size);
	kind = address_problem((struct sockaddr *) &plain);
	require(kind == address_problem((struct sockaddr *) &address));
	return 0;
}
