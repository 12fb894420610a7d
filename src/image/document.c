/*
 * document.c
 *    The JSON documents of images, read with json-c; see document.h.
 */
#include "image/document.h"

#include "common/limits.h"
#include "common/text.h"

ClairStatus
document_initialize(ClairError *error)
{
	struct json_object *object = NULL;
	ClairStatus status = document_parse(CLAIR_LITERAL("{\"a\": 1}"), &object, error);

	json_object_put(object);
	return status;
}

ClairStatus
document_parse(ClairBytes text, struct json_object **document, ClairError *error)
{
	struct json_tokener *tokener;
	enum json_tokener_error result;

	*document = NULL;
	if (text.size > DOCUMENT_MAX_SIZE)
		return clair_error(error, CLAIR_LIMIT, "a JSON document of more than %d MB",
						   DOCUMENT_MAX_SIZE >> 20);
	tokener = json_tokener_new_ex(CLAIR_MAX_JSON_DEPTH);
	if (tokener == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*document = json_tokener_parse_ex(tokener, text.data, (int) text.size);
	result = json_tokener_get_error(tokener);
	if (result == json_tokener_continue)
		clair_error(error, CLAIR_INVALID, "invalid JSON: it ends too early");
	else if (result != json_tokener_success)
		clair_error(error, CLAIR_INVALID, "invalid JSON at byte %zu: %s",
					json_tokener_get_parse_end(tokener) + 1, json_tokener_error_desc(result));
	else if (*document == NULL)
		clair_error(error, CLAIR_INVALID, "the JSON document is null");
	else
	{
		json_tokener_free(tokener);
		return CLAIR_OK;
	}
	json_tokener_free(tokener);
	json_object_put(*document);
	*document = NULL;
	return error->status;
}

struct json_object *
document_member(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *member;

	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, key, &member) || !json_object_is_type(member, type))
		return NULL;
	return member;
}

ClairBytes
document_string(struct json_object *value)
{
	ClairBytes text;

	if (!json_object_is_type(value, json_type_string))
		return CLAIR_NULL_BYTES;
	text = (ClairBytes){json_object_get_string(value), (size_t) json_object_get_string_len(value)};
	return text_is_valid(text) ? text : CLAIR_NULL_BYTES;
}

ClairBytes
document_text(struct json_object *object, const char *key)
{
	return document_string(document_member(object, key, json_type_string));
}

int64_t
document_integer(struct json_object *object, const char *key, int64_t missing)
{
	struct json_object *member = document_member(object, key, json_type_int);
	int64_t value = member != NULL ? json_object_get_int64(member) : -1;

	return value >= 0 ? value : missing;
}

size_t
document_length(struct json_object *array)
{
	return array != NULL ? json_object_array_length(array) : 0;
}
