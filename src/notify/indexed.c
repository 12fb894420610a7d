/*
 * indexed.c
 *    Announcing images that are new: those that have findings when they are indexed.
 *
 * A notification is of an image then, not of a vulnerability: what it has is to be asked of
 * clair.vulnerabilities(). Filters are asked as for runs, finding by finding.
 */
#include "postgres.h"

#include "index/tenant.h"
#include "notify/notify.h"
#include "server/sql.h"

void
AnnounceImages(const char *images, int64 limit)
{
	SqlParameters parameters = {0};

	AddText(&parameters, images);
	AddInteger(&parameters, HaveTenants());
	/* Consumers that are being dropped are left out, and then are not until we are done. */
	RunSql("WITH finding AS MATERIALIZED ("
		   "     SELECT DISTINCT v.image_id, v.vulnerability AS name, v.namespace, v.severity,"
		   "         v.fixed_in IS NOT NULL AS fixable"
		   "     FROM clair.image_vulnerability AS v"
		   "     WHERE v.image_id = ANY ($1::bigint[])),"
		   " written AS ("
		   "     INSERT INTO clair.notification (image_id, reason, severity, images)"
		   "     SELECT image_id, 'indexed', max(severity), CASE WHEN $2 = 0 THEN 1 END"
		   "     FROM finding GROUP BY image_id"
		   "     ORDER BY image_id"
		   "     RETURNING id, image_id),"
		   " consumer AS (SELECT c.*, clair.tenant_prefixes(c.owner) AS prefixes"
		   "     FROM clair.consumer AS c FOR KEY SHARE OF c SKIP LOCKED)"
		   " INSERT INTO clair.delivery (consumer, notification)"
		   " SELECT DISTINCT c.name, w.id"
		   " FROM written AS w"
		   "     JOIN finding AS f ON f.image_id = w.image_id"
		   "     JOIN consumer AS c ON " IS_LET_THROUGH " WHERE " WATCHES_ALL " OR EXISTS ("
		   "     SELECT FROM clair.image_name AS n"
		   "     WHERE n.image_id = w.image_id AND " IS_WATCHED ")"
		   " ORDER BY 1, 2",
		   &parameters);
	SendNotifications(0, images, limit);
}
