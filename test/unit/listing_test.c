/*
 * listing_test.c
 *    Proves that the names in listings of several servers are found, and only those below.
 */
#include "common/arena.h"
#include "feed/listing.h"
#include "unit.h"

/* The names with a blank behind each. */
static void
check_listing(const char *document, const char *expected, const char *what)
{
	Arena *arena = arena_create(1 << 20);
	ClairBytes *names;
	ClairError error;
	size_t count;
	char result[1024] = "";
	size_t size = 0;

	if (listing_read(arena, clair_bytes(document), &names, &count, &error) == CLAIR_OK)
		for (size_t i = 0; i < count; i++)
			size += (size_t) snprintf(result + size, sizeof(result) - size, "%.*s ",
									  (int) names[i].size, names[i].data);
	CHECK_TEXT(clair_bytes(result), expected, what);
	arena_destroy(arena);
}

int
main(void)
{
	check_listing("<html><head><title>Index of /</title></head><body><h1>Index of /</h1><pre>"
				  "<a href=\"../\">../</a>\n<a href=\"edge/\">edge/</a>  27-Feb-2031 12:30  -\n"
				  "<a href=\"v3.9/\">v3.9/</a>\n<a href=\"last-update\">last-update</a></pre>",
				  "edge/ last-update v3.9/ ", "a plain listing");
	check_listing("<table><tr><th><a href=\"?C=N;O=D\">Name</a></th></tr><tr><td>"
				  "<a href=\"/\"><img src=\"/icons/back.gif\"></a> <a href=\"/secdb/\">Parent</a>"
				  "</td></tr><tr><td><a href=\"v3.2/\"><img alt=\"[DIR]\"></a></td><td>"
				  "<a href=\"v3.2/\">v3.2/</a></td></tr></table>",
				  "v3.2/ ", "a table with sort links, and each entry twice");
	check_listing("<A CLASS='x' HREF='a/'>a</A><a\nhref = b/ >b</a><a href=c/>c</a>"
				  "<abbr href=\"d\"><a title=\"a > b\" href=\"./e\">e</a>",
				  "a/ b/ c/ e ", "quotes, blanks and cases of other servers");
	check_listing("<a href=\"a&amp;b\"></a><a href=\"&#x2F;c\"></a><a href=\"d&lt;&copy;\"></a>",
				  "a&b d<&copy; ", "entities");
	check_listing("<a href=\"https://example.org/v3.1/\"><a href=\"//example.org/v3.2/\">"
				  "<a href=\"/v3.3/\"><a href=\"../v3.4/\"><a href=\"v3.5/../../\">"
				  "<a href=\"%2e%2E/v3.6/\"><a href=\"a%2fb\"><a href=\"a\\b\"><a href=\"#top\">"
				  "<a href=\"mailto:x\"><a href=\"\"><a href><a href=\"a b\"><a href=\"\xff\">"
				  "<a href=\"v3.7/\">",
				  "v3.7/ ", "what leads out of the folder is left out");
	check_listing("<a href=\"never closed", "", "a page that ends in a tag");
	check_listing("<a href=", "", "a page that ends in an attribute");
	check_listing("", "", "nothing");
	check_listing("clair directory listing\nv3.10/\nedge/\nREADME\n../\n/etc/passwd\nedge/\n",
				  "README edge/ v3.10/ ", "our server's listing");
	check_listing("clair directory listing", "", "of an empty directory");
	check_listing("clair directory listings\nv3.10/\n", "", "another first line is not ours");
	return unit_result();
}
