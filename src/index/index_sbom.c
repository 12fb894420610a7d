/*
 * index_sbom.c
 *    Indexing software bills of materials: clair.index_sbom().
 *
 * A document comes from a file of the server, as bytes or as jsonb, and makes an image of one
 * layer. It is no proof of anything: so image and layer are known by a digest that no image or
 * layer of its own bytes can have, and no name but the one that the caller gives.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "index/index.h"

PG_FUNCTION_INFO_V1(index_sbom_path);
PG_FUNCTION_INFO_V1(index_sbom_content);
PG_FUNCTION_INFO_V1(index_sbom_json);

/* What all forms begin with. */
static IndexJob *
BeginSbom(FunctionCallInfo fcinfo)
{
	IndexJob *job = palloc0(sizeof(IndexJob));

	job->name = TextArgument(fcinfo, 1);
	job->is_sbom = true;
	CheckIndexing("clair.index_sbom()", job->name);
	return job;
}

static IndexJob *
OpenSbomFile(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginSbom(fcinfo);
	const char *path = TextArgument(fcinfo, 0);
	bool is_directory;

	job->input = OpenServerFile(path, &is_directory);
	if (is_directory)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is a directory, not a software bill of materials", path)));
	return job;
}

static IndexJob *
OpenSbomContent(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginSbom(fcinfo);

	job->input = SpoolArgument(fcinfo, 0);
	return job;
}

static IndexJob *
OpenSbomJson(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginSbom(fcinfo);

	job->input = SpoolJsonArgument(fcinfo, 0);
	return job;
}

void
TellPassedOver(int64 image)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, image);
	RunSql("SELECT passed_over, array_to_string(types, ', ')"
		   " FROM clair.image_sbom WHERE image_id = $1 AND passed_over > 0",
		   &parameters);
	if (SPI_processed > 0)
		ereport(NOTICE,
				(errmsg("components of the software bill of materials that were left out: %s",
						ResultText(0, 1)),
				 errdetail("Only packages of dpkg, rpm and apk are looked at; these are of: %s.",
						   ResultText(0, 2))));
}

Datum
index_sbom_path(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, 0, OpenSbomFile);
}

Datum
index_sbom_content(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, 0, OpenSbomContent);
}

Datum
index_sbom_json(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, 0, OpenSbomJson);
}
