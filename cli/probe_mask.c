#include "cli/probe_mask.h"

#include <stdio.h>

#include "base/files.h"
#include "bundle/bundle.h"
#include "model/model.h"

gboolean weft_probe_mask(const char *bundle_path, const char *schema_path, const char *text,
			 gsize size_bytes, gboolean *ret_accepts, GError **error)
{
	g_autofree char *json = NULL;
	gsize json_bytes, byte;
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_open(bundle_path, error);
	if (!tokenizer || !weft_file_read(schema_path, WEFT_SCHEMA_BYTES_MAX, &json, &json_bytes, error))
		return FALSE;
	g_autoptr(WeftSchema) schema = weft_schema_new(json, json_bytes, NULL, error);
	if (!schema) {
		g_prefix_error(error, "%s: ", schema_path);
		return FALSE;
	}
	if (!weft_model_accepts(tokenizer, schema, text, size_bytes, ret_accepts, &byte, error))
		return FALSE;
	if (*ret_accepts)
		puts("accepted");
	else
		printf("rejected at byte %" G_GSIZE_FORMAT "\n", byte);
	return TRUE;
}
