/*
 * options.c
 *    What the job says about all of its transfers; names and meaning: options.h.
 */
#include "fetch/options.h"

#define MAX_SECONDS 86400

ClairStatus
options_read(const Job *job, FetchOptions *options, ClairError *error)
{
	*options = (FetchOptions){
		.user_agent = job_text(job, "user_agent").data,
		.proxy = job_text(job, "proxy").data,
		.ca_file = job_text(job, "ca_file").data,
		.hosts = job_text(job, "hosts"),
		.decode = true,
		.max_redirects = 5,
		.parallel = 4,
		.retries = 3,
		.connect_timeout = 30,
		.stall_timeout = 60,
		.max_size = CLAIR_DEFAULT_LIMITS.max_document_size,
	};
	/* For libcurl "" is no proxy, while NULL would be what the environment says. */
	if (options->proxy == NULL)
		options->proxy = "";
	if (job_boolean(job, "allow_private_networks", &options->allow_private_networks, error) ||
		job_boolean(job, "decode", &options->decode, error) ||
		job_integer(job, "max_redirects", 0, 20, &options->max_redirects, error) ||
		job_integer(job, "parallel", 1, 16, &options->parallel, error) ||
		job_integer(job, "retries", 0, 10, &options->retries, error) ||
		job_integer(job, "connect_timeout", 1, MAX_SECONDS, &options->connect_timeout, error) ||
		job_integer(job, "stall_timeout", 1, MAX_SECONDS, &options->stall_timeout, error) ||
		job_integer(job, "max_size", 0, INT64_MAX, &options->max_size, error))
		return error->status;
	return CLAIR_OK;
}
