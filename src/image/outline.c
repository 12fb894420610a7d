/*
 * outline.c
 *    What an archive says of its images, put together; see outline.h.
 */
#include "image/outline.h"

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

ClairStatus
outline_add_text(Outline *outline, TextList **list, ClairBytes text, ClairError *error)
{
	TextList *added;

	for (; *list != NULL; list = &(*list)->next)
	{
		if (clair_bytes_equal((*list)->text, text))
			return CLAIR_OK;
	}
	added = arena_alloc(outline->arena, sizeof(TextList));
	if (added == NULL)
		return out_of_memory(error);
	added->text = arena_copy(outline->arena, text);
	if (added->text.data == NULL)
		return out_of_memory(error);
	*list = added;
	return CLAIR_OK;
}

static ClairStatus
merge_images(Outline *outline, Image *image, const Image *other, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (const TextList *name = other->names; name != NULL && status == CLAIR_OK; name = name->next)
		status = outline_add_text(outline, &image->names, name->text, error);
	for (const TextList *manifest = other->manifests; manifest != NULL && status == CLAIR_OK;
		 manifest = manifest->next)
		status = outline_add_text(outline, &image->manifests, manifest->text, error);
	return status;
}

ClairStatus
outline_add_image(Outline *outline, const Image *image, ClairError *error)
{
	Image **images;
	Image *copy;

	for (size_t i = 0; i < outline->image_count; i++)
	{
		if (clair_bytes_equal(outline->images[i]->id, image->id))
			return merge_images(outline, outline->images[i], image, error);
	}
	if (outline->image_count >= OUTLINE_MAX_IMAGES)
		return clair_error(error, CLAIR_LIMIT, "more than %d images", OUTLINE_MAX_IMAGES);
	images = arena_grow_array(outline->arena, outline->images, outline->image_count + 1,
							  &outline->image_capacity, sizeof(Image *));
	copy = arena_alloc(outline->arena, sizeof(Image));
	if (images == NULL || copy == NULL)
		return out_of_memory(error);
	*copy = *image;
	outline->images = images;
	images[outline->image_count++] = copy;
	return CLAIR_OK;
}
