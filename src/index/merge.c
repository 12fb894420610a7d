/*
 * merge.c
 *    Merging the layers of an image: what is visible at its top, and since which layer.
 *
 * A tree of the paths that matter is built layer by layer. A path is resolved component by
 * component, each link leading to where the next component is looked up, so this is a loop
 * in C and not a set-based statement. The tree holds only what clair-reader reported: wanted
 * files, and whatever lies at their ancestors; a handful of nodes for most images.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "common/limits.h"
#include "common/wire.h"
#include "index/merge.h"

typedef struct TreeNode
{
	const char *path; /* canonical; "" is the root */
	uint32 status;	  /* for simplehash */
	bool exists;
	EntryType type;
	const char *target; /* of a symlink */
	MergeEntry *file;	/* the entry that it is, or one of them, of a file with a role */
	struct TreeChild *children;
} TreeNode;

/* Nodes move when the table grows, so children are remembered by path. */
typedef struct TreeChild
{
	const char *path;
	struct TreeChild *next;
} TreeChild;

#define SH_PREFIX		  tree
#define SH_ELEMENT_TYPE	  TreeNode
#define SH_KEY_TYPE		  const char *
#define SH_KEY			  path
#define SH_HASH_KEY(t, k) hash_bytes((const unsigned char *) (k), (int) strlen(k))
#define SH_EQUAL(t, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE		  static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The node that exists at a canonical path, or NULL. */
static TreeNode *
FindNode(tree_hash *tree, const char *path)
{
	TreeNode *node = tree_lookup(tree, path);

	return node != NULL && node->exists ? node : NULL;
}

/* Cuts the last component off a canonical path. */
static void
CutLastComponent(StringInfo path)
{
	while (path->len > 0 && path->data[path->len - 1] != '/')
		path->len--;
	if (path->len > 0)
		path->len--;
	path->data[path->len] = '\0';
}

/* Adds a component to a canonical path. */
static void
AddComponent(StringInfo path, const char *component, int length)
{
	if (path->len > 0)
		appendStringInfoChar(path, '/');
	appendBinaryStringInfo(path, component, length);
}

/*
 * The canonical form of a path: links of the tree followed, the last component's own only on
 * request; ".." stops at the root. NULL when links lead in a circle.
 */
static char *
ResolvePath(tree_hash *tree, const char *path, bool follow_last)
{
	StringInfoData resolved;
	const char *rest = path;
	int links = 0;

	initStringInfo(&resolved);
	while (*rest != '\0')
	{
		const char *slash = strchrnul(rest, '/');
		int length = (int) (slash - rest);
		const char *component = rest;
		TreeNode *node;

		rest = *slash == '/' ? slash + 1 : slash;
		if (length == 0 || (length == 1 && component[0] == '.'))
			continue;
		if (length == 2 && component[0] == '.' && component[1] == '.')
		{
			CutLastComponent(&resolved);
			continue;
		}
		AddComponent(&resolved, component, length);
		node = FindNode(tree, resolved.data);
		if (node == NULL || node->type != ENTRY_SYMLINK || (*rest == '\0' && !follow_last))
			continue;
		if (++links > CLAIR_MAX_LINKS)
			return NULL;
		if (node->target[0] == '/')
			resetStringInfo(&resolved);
		else
			CutLastComponent(&resolved);
		rest = psprintf("%s/%s", node->target, rest);
	}
	return resolved.data;
}

/* Takes a node away with all below it; the layer at this position did it. */
static void
RemoveNode(tree_hash *tree, const char *path, int position, bool itself)
{
	TreeNode *node = FindNode(tree, path);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return;
	for (TreeChild *child = node->children; child != NULL; child = child->next)
		RemoveNode(tree, child->path, position, true);
	node->children = NULL;
	if (!itself)
		return;
	node->exists = false;
	for (MergeEntry *file = node->file; file != NULL; file = file->same_file)
		file->until_position = position;
	node->file = NULL;
}

/* The node of a path, made to exist as a directory, and its parents too. */
static void
MakeDirectory(tree_hash *tree, const char *path, int position)
{
	TreeNode *node = FindNode(tree, path);
	bool found;

	if (node != NULL && node->type == ENTRY_DIRECTORY)
		return;
	RemoveNode(tree, path, position, true);
	node = tree_insert(tree, path, &found);
	node->exists = true;
	node->type = ENTRY_DIRECTORY;
	node->file = NULL;
	node->children = NULL;
}

/* Tells a directory of a child that is new to it. */
static void
AdoptChild(tree_hash *tree, const char *parent, const char *path)
{
	TreeChild *child = palloc(sizeof(TreeChild));
	TreeNode *node = FindNode(tree, parent);

	child->path = path;
	child->next = node->children;
	node->children = child;
}

/* Makes sure that all parents of a canonical path are directories that know their children. */
static void
MakeParents(tree_hash *tree, const char *path, int position)
{
	const char *parent = "";

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		char *directory = pnstrdup(path, slash - path);
		TreeNode *node = FindNode(tree, directory);

		if (node == NULL || node->type != ENTRY_DIRECTORY)
		{
			MakeDirectory(tree, directory, position);
			AdoptChild(tree, parent, directory);
		}
		parent = directory;
	}
}

bool
IsDetected(const MergeEntry *entry)
{
	return entry->role != NULL &&
		   strncmp(entry->role, WIRE_DETECTOR_ROLE, strlen(WIRE_DETECTOR_ROLE)) == 0;
}

/* Puts an entry of a layer into the tree. */
static void
PlaceEntry(tree_hash *tree, MergeEntry *entry)
{
	char *path = ResolvePath(tree, entry->path, false);
	StringInfoData parent;
	TreeNode *node;
	bool found;

	if (path == NULL || path[0] == '\0')
		return;
	MakeParents(tree, path, entry->position);
	node = FindNode(tree, path);
	if (node != NULL && entry->type == ENTRY_DIRECTORY && node->type == ENTRY_DIRECTORY)
		return;
	if (node != NULL && node->file != NULL && node->file->position == entry->position &&
		strcmp(node->file->path, entry->path) == 0)
	{
		entry->same_file = node->file;
		entry->canonical = path;
		node->file = entry;
		return;
	}
	RemoveNode(tree, path, entry->position, true);
	node = tree_insert(tree, path, &found);
	node->exists = true;
	node->type = entry->type;
	node->target = entry->target;
	node->children = NULL;
	node->file = entry->type == ENTRY_FILE && entry->role != NULL ? entry : NULL;
	entry->canonical = path;

	initStringInfo(&parent);
	appendStringInfoString(&parent, path);
	CutLastComponent(&parent);
	AdoptChild(tree, parent.data, path);
}

/* Hides what lower layers have, as a whiteout or an opaque directory says. The root itself stays.
 */
static void
HideLower(tree_hash *tree, const MergeEntry *entry)
{
	bool is_opaque = entry->type == ENTRY_OPAQUE;
	char *path = ResolvePath(tree, entry->path, is_opaque);

	if (path != NULL)
		RemoveNode(tree, path, entry->position, !is_opaque && path[0] != '\0');
}

/*
 * Whether a file counts: it is still there, and a wanted path, or the wanted directory that it
 * is in, is or leads to it.
 */
static bool
IsReachable(tree_hash *tree, const MergeEntry *entry)
{
	char *wanted;
	size_t length;

	if (entry->type != ENTRY_FILE || entry->role == NULL || entry->canonical == NULL ||
		entry->until_position != 0)
		return false;
	if (entry->target == NULL)
		return true;
	wanted = ResolvePath(tree, entry->target, true);
	if (wanted == NULL)
		return false;
	length = strlen(wanted);
	return strncmp(wanted, entry->canonical, length) == 0 &&
		   (entry->canonical[length] == '\0' || entry->canonical[length] == '/');
}

/* Says of an entry what became of it, when all layers are merged. */
static void
FinishEntry(tree_hash *tree, MergeEntry *entry)
{
	TreeNode *node;

	entry->reachable = IsReachable(tree, entry);
	if (entry->type != ENTRY_SYMLINK || entry->role == NULL || entry->canonical == NULL)
		return;
	node = FindNode(tree, entry->canonical);
	entry->is_visible_link = node != NULL && node->type == ENTRY_SYMLINK &&
							 node->target == entry->target;
	if (entry->is_visible_link)
		entry->leads_to = ResolvePath(tree, entry->canonical, true);
}

void
MergeLayers(MergeEntry *entries, int64 count)
{
	tree_hash *tree = tree_create(CurrentMemoryContext, 64, NULL);

	MakeDirectory(tree, "", 0);
	for (int64 first = 0; first < count;)
	{
		int64 next = first;

		/* A layer's whiteouts concern lower layers only, wherever they stand in it. */
		for (; next < count && entries[next].position == entries[first].position; next++)
		{
			if (entries[next].type == ENTRY_WHITEOUT || entries[next].type == ENTRY_OPAQUE)
				HideLower(tree, &entries[next]);
		}
		for (int64 i = first; i < next; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (entries[i].type != ENTRY_WHITEOUT && entries[i].type != ENTRY_OPAQUE)
				PlaceEntry(tree, &entries[i]);
		}
		first = next;
	}
	for (int64 i = 0; i < count; i++)
		FinishEntry(tree, &entries[i]);
}
