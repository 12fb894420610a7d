/*
 * oval.c
 *    Definitions of OVAL documents; see oval.h.
 */
#include "feed/oval.h"

#include "common/text.h"
#include "common/text_map.h"

/* Bounds of what criteria multiply out to; the largest of real ones have some thousand cases. */
#define MAX_CASES 100000
#define MAX_STEPS (20 * MAX_CASES)
#define TOO_MANY  "its criteria have too many cases"

#define MAX_LOOK_BACK 64 /* cases among which one that is repeated is looked for */

/* Several cases of which one must hold. */
typedef struct Cases
{
	OvalCase *cases;
	size_t count;
	size_t capacity;
} Cases;

typedef struct Expansion
{
	RecordFeed *feed;
	OvalJudge judge;
	void *context;
	size_t steps;
	const char *problem;
	ClairError *error;
} Expansion;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the definition");
}

static ClairStatus expand(Expansion *expansion, const XmlElement *element, Cases *cases);

/* Counts a step. False when it is one too many, which then is the problem. */
static bool
take_step(Expansion *expansion)
{
	if (++expansion->steps > MAX_STEPS)
		expansion->problem = TOO_MANY;
	return expansion->problem == NULL;
}

static ClairStatus
add_case(Expansion *expansion, Cases *cases, const OvalCase *added)
{
	if (!take_step(expansion))
		return CLAIR_OK;
	if (cases->count == MAX_CASES)
	{
		expansion->problem = TOO_MANY;
		return CLAIR_OK;
	}
	cases->cases = arena_grow_array(expansion->feed->arena, cases->cases, cases->count + 1,
									&cases->capacity, sizeof(OvalCase));
	if (cases->cases == NULL)
		return memory_error(expansion->error);
	cases->cases[cases->count++] = *added;
	return CLAIR_OK;
}

/* Takes over what another case asks for. False when both ask for something else. */
static bool
unite(ClairBytes *asked, ClairBytes other)
{
	if (other.data == NULL)
		return true;
	if (asked->data == NULL)
		*asked = other;
	return clair_bytes_equal(*asked, other);
}

static bool
unite_tests(OvalTest *asked, const OvalTest *other)
{
	if (other->names == NULL)
		return true;
	if (asked->names == NULL)
		*asked = *other;
	return asked->names == other->names && clair_bytes_equal(asked->evr, other->evr) &&
		   asked->existence == other->existence;
}

/* Makes both cases one, in which both hold. False when that cannot be. */
static bool
unite_cases(OvalCase *asked, const OvalCase *other)
{
	if (!unite(&asked->namespace, other->namespace) ||
		!unite(&asked->architectures, other->architectures))
		return false;
	if (asked->problem == NULL)
		asked->problem = other->problem;
	if (!unite(&asked->module, other->module))
		asked->problem = "it asks for two modules at once";
	if (!unite(&asked->flavour, other->flavour))
		asked->problem = "it asks for two kinds of builds at once";
	if (!unite(&asked->last_affected, other->last_affected) ||
		!unite(&asked->introduced, other->introduced) ||
		(asked->last_affected.data != NULL && (asked->evr.data != NULL || other->evr.data != NULL)))
		asked->problem = "it has two bounds for a version";
	if (!unite(&asked->vulnerability, other->vulnerability))
		asked->problem = "it asks for two vulnerabilities at once";
	if (!unite(&asked->package, other->package) || !unite(&asked->evr, other->evr) ||
		!unite_tests(&asked->test, &other->test))
		asked->problem = "it asks for two packages at once";
	unite(&asked->status, other->status);
	asked->absent |= other->absent;
	asked->is_beside |= other->is_beside;
	return true;
}

/* Makes cases those in which one of them and one of others hold. */
static ClairStatus
multiply(Expansion *expansion, Cases *cases, const Cases *others)
{
	Cases product = {0};
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < cases->count && expansion->problem == NULL; i++)
	{
		for (size_t j = 0; j < others->count && status == CLAIR_OK; j++)
		{
			OvalCase both = cases->cases[i];

			if (!take_step(expansion))
				return CLAIR_OK;
			if (unite_cases(&both, &others->cases[j]))
				status = add_case(expansion, &product, &both);
		}
	}
	*cases = product;
	return status;
}

/* Whether a case asks for a release, and for nothing else. */
static bool
is_release(const OvalCase *asked)
{
	return asked->namespace.data != NULL && asked->architectures.data == NULL &&
		   asked->module.data == NULL && asked->flavour.data == NULL &&
		   asked->package.data == NULL && asked->evr.data == NULL && !asked->absent &&
		   asked->vulnerability.data == NULL && asked->status.data == NULL &&
		   asked->test.names == NULL && asked->problem == NULL;
}

/* Whether such a case is there already: many products are of one release. */
static bool
is_repeated(const Cases *cases, const OvalCase *asked)
{
	if (!is_release(asked))
		return false;
	for (size_t i = cases->count; i > 0 && cases->count - i < MAX_LOOK_BACK; i--)
	{
		const OvalCase *other = &cases->cases[i - 1];

		if (is_release(other) && other->is_beside == asked->is_beside &&
			clair_bytes_equal(other->namespace, asked->namespace))
			return true;
	}
	return false;
}

static ClairStatus
add_cases(Expansion *expansion, Cases *cases, const Cases *others)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < others->count && status == CLAIR_OK && expansion->problem == NULL; i++)
		if (!is_repeated(cases, &others->cases[i]))
			status = add_case(expansion, cases, &others->cases[i]);
	return status;
}

/* The cases of an AND or an OR. */
static ClairStatus
expand_criteria(Expansion *expansion, const XmlElement *criteria, Cases *cases)
{
	static const OvalCase nothing_asked;
	ClairBytes word = xml_attribute(criteria, "operator");
	ClairBytes content = criteria->content;
	bool all = word.data == NULL || clair_bytes_equal(word, CLAIR_LITERAL("AND"));
	ClairStatus status = CLAIR_OK;
	XmlElement child;

	if (!all && !clair_bytes_equal(word, CLAIR_LITERAL("OR")))
		expansion->problem = "its criteria have an operator that is not known";
	if (clair_bytes_equal(xml_attribute(criteria, "negate"), CLAIR_LITERAL("true")))
		expansion->problem = "its criteria are negated";
	if (all)
		status = add_case(expansion, cases, &nothing_asked);
	while (status == CLAIR_OK && expansion->problem == NULL && xml_next_child(&content, &child))
	{
		Cases below = {0};

		status = expand(expansion, &child, &below);
		if (status == CLAIR_OK)
			status = all ? multiply(expansion, cases, &below) : add_cases(expansion, cases, &below);
	}
	return status;
}

/* Adds the cases of an element. No deeper than elements are nested: CLAIR_MAX_XML_DEPTH. */
static ClairStatus
expand(Expansion *expansion, const XmlElement *element, Cases *cases)
{
	OvalCase asked = {0};
	OvalTruth truth;

	if (xml_is(element, "criteria"))
		return expand_criteria(expansion, element, cases);
	truth = expansion->judge(expansion->context, element, &asked);
	if (truth == OVAL_NEVER)
		return CLAIR_OK;
	if (truth == OVAL_ALWAYS)
		asked = (OvalCase){0};
	return add_case(expansion, cases, &asked);
}

ClairStatus
oval_cases(RecordFeed *feed, const XmlElement *definition, OvalJudge judge, void *context,
		   OvalCase **cases, size_t *count, const char **problem, ClairError *error)
{
	Expansion expansion = {.feed = feed, .judge = judge, .context = context, .error = error};
	XmlElement criteria = xml_child(definition, "criteria");
	Cases found = {0};
	ClairStatus status;

	if (criteria.name.data == NULL)
		expansion.problem = "it has no criteria";
	status = expand_criteria(&expansion, &criteria, &found);
	*problem = expansion.problem;
	*cases = found.cases;
	*count = found.count;
	return status;
}

/* A document being read. */
typedef struct Reading
{
	const OvalFormat *format;
	void *context;
	OvalFacts *facts;
	ClairBytes place; /* of its definitions */
	TextMap names;	  /* that the format has given, as keys */
} Reading;

/* Adds what a test says to the record's digest. */
static void
digest_test(Digest *digest, const OvalFacts *facts, ClairBytes id)
{
	static const char *const kinds[] = {"\1missing", "\1other"};
	static const char *const existences[] = {"\1some", "\1none", "\1any"};
	static const char *const bounds[] = {"", "\1up to", "\1above"};
	OvalTest test;
	OvalTestKind kind = oval_facts_test(facts, id, &test);

	if (kind == OVAL_TEST_MISSING || kind == OVAL_TEST_OTHER)
	{
		digest_update(digest, clair_bytes(kinds[kind]));
		return;
	}
	digest_update(digest, clair_bytes(existences[test.existence]));
	digest_update(digest, clair_bytes(bounds[test.bound]));
	digest_update(digest, test.evr);
	digest_update(digest, CLAIR_LITERAL("\1"));
	digest_update(digest, test.architectures);
	for (size_t i = 0; i < test.name_count; i++)
	{
		digest_update(digest, CLAIR_LITERAL("\1"));
		digest_update(digest, *test.names[i]);
	}
}

/* Does so for all tests that criteria refer to. No deeper than elements are nested. */
static void
digest_tests(Digest *digest, const OvalFacts *facts, const XmlElement *criteria)
{
	ClairBytes content = criteria->content;
	XmlElement child;

	while (xml_next_child(&content, &child))
	{
		if (xml_is(&child, "criteria"))
			digest_tests(digest, facts, &child);
		else if (xml_is(&child, "criterion"))
			digest_test(digest, facts, xml_attribute(&child, "test_ref"));
	}
}

/* "<place>/<name>", in an arena; no value when that is exhausted. */
static ClairBytes
key_of(const Reading *reading, Arena *arena, ClairBytes name)
{
	return arena_printf(arena, "%.*s/%.*s", (int) reading->place.size, reading->place.data,
						(int) name.size, name.data);
}

/* Gives a definition the key that its format's name for it makes, unless another one has that. */
static bool
name_record(Reading *reading, RecordFeed *feed, const XmlElement *definition, ClairBytes *key)
{
	ClairBytes name = reading->format->name(feed, definition);
	ClairBytes own;
	void **place;

	if (name.size == 0 || name.size > CLAIR_MAX_NAME)
		return true;
	own = key_of(reading, feed->keys, name);
	place = own.data != NULL ? text_map_at(&reading->names, own) : NULL;
	if (place == NULL)
		return false;
	if (*place == NULL)
		*key = own;
	*place = reading;
	return true;
}

/* The key of a definition. */
static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	Reading *reading = context;
	XmlElement definition = xml_record(record->value);
	XmlElement criteria = xml_child(&definition, "criteria");
	ClairBytes id = xml_attribute(&definition, "id");

	*key = reading->place;
	if (id.size == 0 || id.size > CLAIR_MAX_NAME)
	{
		*problem = "its id is missing or too long";
		return CLAIR_OK;
	}
	*key = key_of(reading, feed->arena, id);
	if (key->data == NULL ||
		(reading->format->name != NULL && !name_record(reading, feed, &definition, key)))
		return memory_error(error);
	if (!oval_facts_is_current(reading->facts, id, xml_attribute(&definition, "version")))
		*problem = "there is a higher version of it";
	else if (reading->format->tests)
		digest_tests(feed->digest, reading->facts, &criteria);
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const Reading *reading = context;
	XmlElement definition = xml_record(record->value);

	return reading->format->itemize(feed, reading->context, reading->facts, key, &definition,
									error);
}

ClairStatus
oval_read(RecordFeed *feed, ClairBytes document, ClairBytes file, int descriptor,
		  const OvalFormat *format, void *context, ClairError *error)
{
	static const RecordFormat records = {.cutter = &xml_record_cutter,
										 .part = "oval_definitions/definitions/definition",
										 .identify = identify,
										 .itemize = itemize};
	Reading reading = {.format = format,
					   .context = context,
					   .place = oval_place(file),
					   .names = {.arena = feed->keys}};
	char shown[64];
	ClairStatus status = oval_facts_read(feed, descriptor, format->tests, &reading.facts, error);

	if (status == CLAIR_OK)
		status = record_feed_read(feed, document, descriptor, &records, &reading, error);
	else if (status != CLAIR_STOPPED && status != CLAIR_PROTOCOL)
	{
		text_printable(document, shown, sizeof(shown));
		clair_error_in(error, "document \"%s\"", shown);
	}
	oval_facts_free(reading.facts);
	return status;
}

/* Whether it has the tag of an OVAL document's root, whose name may have a prefix. */
static bool
has_root(ClairBytes text)
{
	static const ClairBytes root = CLAIR_LITERAL("oval_definitions");
	const char *found;

	while ((found = memmem(text.data, text.size, root.data, root.size)) != NULL)
	{
		if (found > text.data && (found[-1] == '<' || found[-1] == ':'))
			return true;
		text = clair_bytes_skip(text, (size_t) (found + root.size - text.data));
	}
	return false;
}

ClairStatus
oval_is_document(const ClairLimits *limits, int descriptor, bool *is, ClairError *error)
{
	ClairStream *stream;
	ClairBytes piece;
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

	if (status != CLAIR_OK)
		return status;
	status = stream->read(stream, &piece, error);
	*is = status == CLAIR_OK && has_root(piece);
	stream->close(stream);
	return status;
}

ClairStatus
oval_broken(RecordFeed *feed, ClairBytes record, ClairBytes package, const char *problem,
			ClairError *error)
{
	if (package.size == 0)
		return advisory_broken(&feed->writer, record, error, "%s", problem);
	return advisory_broken(&feed->writer, record, error, "%.*s: %s",
						   (int) (package.size < CLAIR_MAX_NAME ? package.size : CLAIR_MAX_NAME),
						   package.data, problem);
}

ClairBytes
oval_place(ClairBytes file)
{
	static const ClairBytes ends[] = {CLAIR_LITERAL(".oval.xml"), CLAIR_LITERAL(".xml")};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
	{
		const char *end = memmem(file.data, file.size, ends[i].data, ends[i].size);

		if (end != NULL)
			return (ClairBytes){file.data, (size_t) (end - file.data)};
	}
	return file;
}

static bool
is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

ClairBytes
oval_word(ClairBytes comment, size_t n)
{
	for (;; n--)
	{
		size_t size = 0;

		comment = text_trim(comment);
		if (comment.size == 0)
			return CLAIR_NULL_BYTES;
		while (size < comment.size && !is_space(comment.data[size]))
			size++;
		if (n == 0)
			return (ClairBytes){comment.data, size};
		comment = clair_bytes_skip(comment, size);
	}
}

bool
oval_says(ClairBytes comment, size_t n, const char *words)
{
	ClairBytes rest = clair_bytes(words);
	ClairBytes word;

	for (size_t i = 0; (word = oval_word(rest, i)).data != NULL; i++)
		if (!clair_bytes_equal(oval_word(comment, n + i), word))
			return false;
	return true;
}
