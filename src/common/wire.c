/*
 * wire.c
 *    Frames between helpers and the server: building and checking; see wire.h.
 *
 * Nothing here reads or writes a descriptor: the helper's side blocks
 * (connection.c), the server's waits on its latch (server/helper.c).
 */
#include "common/wire.h"

#include "common/text.h"

#define WIRE_COLUMN(name, type)				  {#name, type},
#define WIRE_ONE(name, type)				  +1
#define WIRE_RELATION_INFO(id, name, columns) {name, 0 columns(WIRE_ONE), {columns(WIRE_COLUMN)}},

const WireRelationInfo wire_relations[WIRE_RELATION_COUNT] = {WIRE_RELATIONS(WIRE_RELATION_INFO)};

bool
wire_next_field(ClairBytes *body, ClairBytes *field)
{
	uint32_t size;

	if (body->size < sizeof(size))
		return false;
	memcpy(&size, body->data, sizeof(size));
	*body = clair_bytes_skip(*body, sizeof(size));
	if (size == WIRE_NULL)
	{
		*field = CLAIR_NULL_BYTES;
		return true;
	}
	if (size > WIRE_MAX_FIELD || size > body->size)
		return false;
	*field = (ClairBytes){body->data, size};
	*body = clair_bytes_skip(*body, size);
	return true;
}

bool
wire_fields(ClairBytes body, uint32_t count, ClairBytes *fields)
{
	for (uint32_t i = 0; i < count; i++)
	{
		if (!wire_next_field(&body, &fields[i]))
			return false;
	}
	return body.size == 0;
}

size_t
wire_frame_size(const ClairBytes *fields, uint32_t count)
{
	size_t size = sizeof(WireHeader);

	for (uint32_t i = 0; i < count; i++)
		size += sizeof(uint32_t) + fields[i].size;
	return size;
}

void
wire_frame(char *buffer, WireType type, uint8_t tag, const ClairBytes *fields, uint32_t count)
{
	WireHeader header = {
		.size = (uint32_t) (wire_frame_size(fields, count) - sizeof(WireHeader)),
		.fields = count,
		.type = (uint8_t) type,
		.tag = tag,
	};

	memcpy(buffer, &header, sizeof(header));
	buffer += sizeof(header);
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t size = fields[i].data != NULL ? (uint32_t) fields[i].size : WIRE_NULL;

		memcpy(buffer, &size, sizeof(size));
		buffer += sizeof(size);
		if (fields[i].size > 0)
			memcpy(buffer, fields[i].data, fields[i].size);
		buffer += fields[i].size;
	}
}

bool
wire_fields_are_text(const ClairBytes *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		if (fields[i].data != NULL && !text_is_valid(fields[i]))
			return false;
	}
	return true;
}

bool
wire_integer(ClairBytes field, int64_t *value)
{
	bool negative = field.size > 0 && field.data[0] == '-';
	size_t at = negative ? 1 : 0;
	int64_t result = 0;

	if (at == field.size)
		return false;
	for (; at < field.size; at++)
	{
		int digit = field.data[at] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(result, 10, &result) ||
			__builtin_sub_overflow(result, digit, &result))
			return false;
	}
	/* Collected below zero, where there is one number more than above. */
	return negative ? (*value = result, true) : !__builtin_sub_overflow(0, result, value);
}

const char *
wire_row_problem(WireRelation relation, const ClairBytes *fields, uint32_t count)
{
	const WireRelationInfo *info = &wire_relations[relation];

	if (count != (uint32_t) info->column_count)
		return "wrong number of columns";
	for (uint32_t i = 0; i < count; i++)
	{
		int64_t value;

		if (fields[i].data == NULL)
			continue;
		if (info->columns[i].type == WIRE_INT && !wire_integer(fields[i], &value))
			return "not an integer";
		if (info->columns[i].type == WIRE_TEXT && !text_is_valid(fields[i]))
			return "not valid text";
	}
	return NULL;
}
