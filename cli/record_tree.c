#include "cli/record_tree.h"

#include "base/files.h"

#define RECORD_BYTES_MAX (1u << 30)

WeftJson *weft_record_tree_read(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	if (!weft_file_read(path, RECORD_BYTES_MAX, &text, &size_bytes, error))
		return NULL;
	WeftJson *record = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, error);
	if (!record)
		g_prefix_error(error, "%s: ", path);
	return record;
}
