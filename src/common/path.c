/*
 * path.c
 *    Names in archives as paths below a root that nothing leads out of.
 */
#include "common/path.h"

#include "common/limits.h"

/*
 * Adds a name's components to the clean path of *used bytes in the buffer. False when it
 * grows too long; or leaves the root, unless ".." stays there, as it does for the kernel.
 */
static bool
add_components(ClairBytes name, bool stay_at_root, char *buffer, size_t *used)
{
	while (name.size > 0)
	{
		const char *end = memchr(name.data, '/', name.size);
		size_t size = end != NULL ? (size_t) (end - name.data) : name.size;
		ClairBytes component = {name.data, size};

		name = clair_bytes_skip(name, end != NULL ? size + 1 : size);
		if (size == 0 || clair_bytes_equal(component, CLAIR_LITERAL(".")))
			continue;
		if (clair_bytes_equal(component, CLAIR_LITERAL("..")))
		{
			if (*used == 0 && !stay_at_root)
				return false;
			*used = path_directory((ClairBytes){buffer, *used}).size;
			continue;
		}
		if (size + 1 > CLAIR_MAX_PATH - *used)
			return false;
		if (*used > 0)
			buffer[(*used)++] = '/';
		memcpy(buffer + *used, component.data, size);
		*used += size;
	}
	return true;
}

bool
path_clean(ClairBytes name, char *buffer, ClairBytes *path)
{
	size_t used = 0;

	if (!add_components(name, false, buffer, &used))
		return false;
	*path = (ClairBytes){buffer, used};
	return true;
}

bool
path_link_target(ClairBytes path, ClairBytes target, char *buffer, ClairBytes *clean)
{
	ClairBytes directory = path_directory(path);
	size_t used = 0;

	if (target.size > 0 && target.data[0] != '/' && !add_components(directory, true, buffer, &used))
		return false;
	if (!add_components(target, true, buffer, &used))
		return false;
	*clean = (ClairBytes){buffer, used};
	return true;
}

ClairBytes
path_directory(ClairBytes path)
{
	const char *slash = path.size > 0 ? memrchr(path.data, '/', path.size) : NULL;

	return (ClairBytes){path.data, slash != NULL ? (size_t) (slash - path.data) : 0};
}

ClairBytes
path_name(ClairBytes path)
{
	ClairBytes directory = path_directory(path);

	return directory.size == 0 ? path : clair_bytes_skip(path, directory.size + 1);
}

bool
path_is_below(ClairBytes path, ClairBytes directory)
{
	if (directory.size == 0)
		return path.size > 0;
	return path.size > directory.size && path.data[directory.size] == '/' &&
		   clair_bytes_start_with(path, directory);
}
