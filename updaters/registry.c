/*
 * registry.c
 *    The updaters that there are: a line for each.
 */
#include "updaters/updater.h"

static const Updater *const updaters[] = {
	&updater_alpine,		 /* packages of Alpine */
	&updater_cve_list,		 /* what their assigners say of CVEs */
	&updater_debian,		 /* packages of Debian */
	&updater_epss,			 /* how likely they are to be exploited */
	&updater_kev,			 /* which of them are */
	&updater_nvd,			 /* what NIST says of them */
	&updater_redhat,		 /* packages of Red Hat Enterprise Linux */
	&updater_ubuntu,		 /* packages of Ubuntu */
	&updater_ubuntu_tracker, /* the same, from the files of its tracker */
};

const Updater *
updater_by_name(ClairBytes name)
{
	for (size_t i = 0; i < sizeof(updaters) / sizeof(updaters[0]); i++)
		if (clair_bytes_equal(name, clair_bytes(updaters[i]->name)))
			return updaters[i];
	return NULL;
}
