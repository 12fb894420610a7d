/* Proves which release and which builds Ubuntu's feeds mean. */
#include "feed/ubuntu_releases.h"
#include "unit.h"

static void
check_channel(const char *name, const char *namespace, const char *flavour)
{
	UbuntuChannel channel;

	CHECK_INT(ubuntu_channel(clair_bytes(name), &channel), UBUNTU_CHANNEL, name);
	CHECK_TEXT(channel.namespace, namespace, "its release");
	CHECK_TEXT(channel.flavour, flavour, "its builds");
}

static void
check_place(const char *name, UbuntuPlace place, const char *what)
{
	UbuntuChannel channel;

	CHECK_INT(ubuntu_channel(clair_bytes(name), &channel), place, what);
}

static void
check_ecosystem(const char *name, UbuntuPlace place, const char *namespace, const char *flavour)
{
	Arena *arena = arena_create(65536);
	UbuntuChannel channel;

	CHECK_INT(ubuntu_ecosystem(arena, clair_bytes(name), &channel), place, name);
	if (place == UBUNTU_CHANNEL)
	{
		CHECK_TEXT(channel.namespace, namespace, "its release");
		CHECK_TEXT(channel.flavour, flavour, "its builds");
	}
	arena_destroy(arena);
}

static void
check_ecosystems(void)
{
	check_ecosystem("Ubuntu:22.04:LTS", UBUNTU_CHANNEL, "ubuntu:22.04", "");
	check_ecosystem("Ubuntu:25.10", UBUNTU_CHANNEL, "ubuntu:25.10", "");
	check_ecosystem("Ubuntu:31.04", UBUNTU_CHANNEL, "ubuntu:31.04", "");
	check_ecosystem("Ubuntu:Pro:18.04:LTS", UBUNTU_CHANNEL, "ubuntu:18.04", "esm");
	check_ecosystem("Ubuntu:Pro:FIPS:20.04:LTS", UBUNTU_CHANNEL, "ubuntu:20.04", "fips");
	check_ecosystem("Ubuntu:Pro:FIPS-updates:18.04:LTS", UBUNTU_CHANNEL, "ubuntu:18.04", "fips");
	check_ecosystem("Ubuntu:Pro:FIPS-preview:22.04:LTS", UBUNTU_CHANNEL, "ubuntu:22.04", "fips");
	check_ecosystem("Ubuntu:Pro:Realtime:22.04:LTS", UBUNTU_OTHER, NULL, NULL);
	check_ecosystem("Ubuntu:Nvidia-BlueField:22.04:LTS", UBUNTU_OTHER, NULL, NULL);
	check_ecosystem("Debian:12", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("Ubuntu", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("Ubuntu:", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("Ubuntu:Pro:", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("Ubuntu:22.", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("Ubuntu:22.04.1", UBUNTU_UNKNOWN, NULL, NULL);
	check_ecosystem("", UBUNTU_UNKNOWN, NULL, NULL);
}

int
main(void)
{
	check_ecosystems();
	CHECK_TEXT(ubuntu_namespace(clair_bytes("resolute")), "ubuntu:26.04", "a codename");
	CHECK_TEXT(ubuntu_namespace(clair_bytes("dapper")), "ubuntu:6.06", "an old one");
	CHECK(ubuntu_namespace(clair_bytes("jamm")).data == NULL, "the beginning of one");
	CHECK(ubuntu_namespace(CLAIR_NULL_BYTES).data == NULL, "none");

	check_channel("jammy", "ubuntu:22.04", "");
	check_channel("esm-infra/xenial", "ubuntu:16.04", "esm");
	check_channel("esm-apps/focal", "ubuntu:20.04", "esm");
	check_channel("esm-infra-legacy/trusty", "ubuntu:14.04", "esm");
	check_channel("trusty/esm", "ubuntu:14.04", "esm");
	check_channel("fips/bionic", "ubuntu:18.04", "fips");
	check_channel("fips-updates/focal", "ubuntu:20.04", "fips");

	check_place("upstream", UBUNTU_OTHER, "what is not packaged");
	check_place("devel", UBUNTU_OTHER, "what is to come");
	check_place("snap/jammy", UBUNTU_OTHER, "snaps");
	check_place("bluefield/jammy", UBUNTU_OTHER, "another product");
	check_place("ros-esm/focal", UBUNTU_OTHER, "another product that is maintained longer");
	check_place("fipsy/jammy", UBUNTU_OTHER, "a product with a similar name");
	check_place("vivid/stable-phone-overlay", UBUNTU_OTHER, "another product, in the old form");
	check_place("zany", UBUNTU_UNKNOWN, "a codename that is not known");
	check_place("esm-infra/zany", UBUNTU_UNKNOWN, "of a channel, too");
	check_place("zany/esm", UBUNTU_UNKNOWN, "in the old form, too");
	check_place("", UBUNTU_UNKNOWN, "nothing");
	check_place("/", UBUNTU_UNKNOWN, "nothing twice");
	return unit_result();
}
