/*
 * stack.c
 *    A layer that was read on its own, put upon the layers of its parent; see stack.h.
 *
 * The result is an image like any other. Its digest is taken over that of its parent and the
 * layer's diff id, as OCI's chain id is (image-spec, config.md), and of images that consist of
 * nothing but such layers it is the chain id. So the digest says what the parent is: everything
 * that an image takes from its parent follows from the digest, and no image can be its own
 * ancestor.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "index/stack.h"
#include "index/tenant.h"
#include "server/owner.h"
#include "server/settings.h"

int64
FindParent(const char *parent)
{
	OwnerState caller;
	int64 id;

	BecomeOwner(&caller);
	SPI_connect();
	id = FindImage(&caller, parent);
	SPI_finish();
	ResumeCaller(&caller);
	return id;
}

void
KeepParent(const IndexJob *job)
{
	SqlParameters parameters = {0};

	if (job->parent == 0)
		return;
	AddInteger(&parameters, job->parent);
	if (RunSql("SELECT id FROM clair.image WHERE id = $1 FOR KEY SHARE", &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("image \"%s\" does not exist", job->parent_name)));
}

void
StackOnParent(IndexJob *job)
{
	SqlParameters image = {0};
	SqlParameters layers = {0};

	if (job->parent == 0)
		return;
	if (job->rows.relations[WIRE_IMAGE]->count != 1 ||
		job->rows.relations[WIRE_IMAGE_LAYER]->count != 1)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader did not make one layer of a layer")));

	AddRows(&image, job->rows.relations[WIRE_IMAGE]);
	AddRows(&image, job->rows.relations[WIRE_IMAGE_LAYER]);
	AddInteger(&image, job->parent);
	RunSql("SELECT own.number,"
		   "     'sha256:' || encode(sha256(convert_to(parent.digest || ' ' || part.layer, "
		   "'UTF8')), 'hex'),"
		   "     CASE own.platform WHEN 'unknown' THEN parent.platform ELSE own.platform END"
		   " FROM clair.image AS parent,"
		   "     unnest($1, $2, $3) AS own(number, digest, platform),"
		   "     unnest($4, $5, $6, $7, $8) AS part(image, position, layer, stored_digest, command)"
		   " WHERE parent.id = $9",
		   &image);
	job->rows.relations[WIRE_IMAGE] = StageResult(WIRE_IMAGE);

	AddRows(&layers, job->rows.relations[WIRE_IMAGE_LAYER]);
	AddInteger(&layers, job->parent);
	if (RunSql("SELECT own.image, below.position, below.layer, below.stored_digest, below.command"
			   " FROM clair.image_layer AS below,"
			   "     unnest($1) AS own(image)"
			   " WHERE below.image_id = $6"
			   " UNION ALL"
			   " SELECT own.image, below.count + 1, own.layer, own.stored_digest, own.command"
			   " FROM (SELECT count(*) FROM clair.image_layer WHERE image_id = $6) AS below,"
			   "     unnest($1, $2, $3, $4, $5)"
			   "         AS own(image, position, layer, stored_digest, command)"
			   " ORDER BY 2",
			   &layers) > CurrentLimits().max_layers)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("layer \"%s\" and those below it are more than " INT64_FORMAT " layers",
						job->name, CurrentLimits().max_layers),
				 errhint("See clair.max_layers.")));
	job->rows.relations[WIRE_IMAGE_LAYER] = StageResult(WIRE_IMAGE_LAYER);
	job->rows.parent = job->parent;
}
