/*
 * registry.c
 *    The updaters that there are: a line for each.
 */
#include "updaters/updater.h"

/* clang-format off */
static const Updater *const updaters[] = {
	&updater_almalinux,
	&updater_alpine,
	&updater_amazon,
	&updater_amazon_1,
	&updater_azure,
	&updater_chainguard,
	&updater_chainguard_osv,
	&updater_cve_list,
	&updater_debian,
	&updater_epss,
	&updater_fedora,
	&updater_kev,
	&updater_nvd,
	&updater_redhat,
	&updater_rocky,
	&updater_ubuntu,
	&updater_ubuntu_tracker,
	&updater_oracle,
	&updater_suse,
	&updater_suse_csaf,
	&updater_redhat_oval,
	&updater_photon,
	&updater_photon_metadata,
	&updater_ubuntu_oval,
	&updater_wolfi,

	/* what another database has, for any updater */
	&updater_export,

	/* formats, for updaters of the user's own */
	&updater_osv,
	&updater_csaf,
	&updater_oval,
	&updater_secdb,
	&updater_updateinfo,
};
/* clang-format on */

const Updater *
updater_by_name(ClairBytes name)
{
	for (size_t i = 0; i < sizeof(updaters) / sizeof(updaters[0]); i++)
		if (clair_bytes_equal(name, clair_bytes(updaters[i]->name)))
			return updaters[i];
	return NULL;
}
