/*
 * updateinfo_text.h
 *    Updates as literals, and reading documents of repositories, for unit tests.
 */
#ifndef CLAIR_UPDATEINFO_TEXT_H
#define CLAIR_UPDATEINFO_TEXT_H

#include "feed/xml.h"
#include "feed_sink.h"

#define UPDATES(updates)  "<?xml version=\"1.0\"?>\n<updates>" updates "</updates>"
#define SECURITY(content) "<update from='x' status='final' type='security'>" content "</update>"
#define CVE(name)		  "<reference type='cve' id='" name "' href='https://x/" name "'/>"
#define COLLECTION(content)                                                                        \
	"<pkglist><collection short='x'><name>x</name>" content "</collection></pkglist>"
#define PACKAGE(name, epoch, version, release, arch)                                               \
	"<package name='" name "' epoch='" epoch "' version='" version "' release='" release           \
	"' arch='" arch "'><filename>x.rpm</filename></package>"

/* Has an updater read one document, which came from the URL. */
static inline ClairStatus
read_from(Recorder *recorder, const char *updater, const char *name, const char *url,
		  const char *text)
{
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(recorder);
	return feed_read(updater, &document, 1, recorder);
}

static inline ClairStatus
read_text(Recorder *recorder, const char *updater, const char *name, const char *text)
{
	return read_from(recorder, updater, name, "https://x/repodata/y", text);
}

#endif
