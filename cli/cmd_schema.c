/* cmd_schema.c - `weft schema record` and `weft schema check FILE`. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "model/model.h"
#include "outputs/outputs.h"
#include "outputs/record.h"

#define SCHEMA_BYTES_MAX (4u << 20)

static int check(const char *path)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	GError *error = NULL;
	if (!weft_file_read(path, SCHEMA_BYTES_MAX, &text, &size_bytes, &error))
		return weft_cmd_fail("schema", &error, WEFT_EXIT_NOT_STARTED);
	g_autoptr(WeftJson) tree = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, &error);
	WeftUsage usage;
	g_autoptr(WeftSchema) schema = NULL;
	if (tree && weft_agreement_read(tree, &error) && weft_usage_of_schema(tree, &usage, &error))
		schema = weft_schema_new(text, size_bytes, &error);
	if (!schema) {
		g_prefix_error(&error, "%s: ", path);
		return weft_cmd_fail("schema", &error, WEFT_EXIT_NOT_STARTED);
	}
	g_autofree char *smallest = weft_schema_null_instance(schema);
	printf("%s: every answer will be an instance of it.\nThe smallest one (%" G_GSIZE_FORMAT
	       " bytes): %s\n",
	       path, strlen(smallest), smallest);
	return WEFT_EXIT_DONE;
}

int weft_cmd_schema(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* needs nothing but its argument */
	if (argc == 2 && !strcmp(argv[1], "record")) {
		fputs(weft_record_schema(), stdout);
		return WEFT_EXIT_DONE;
	}
	if (argc == 2 && !strcmp(argv[1], "ask")) {
		fputs(weft_inquiry_schema(), stdout);
		return WEFT_EXIT_DONE;
	}
	if (argc == 3 && !strcmp(argv[1], "check"))
		return check(argv[2]);
	gboolean is_help = argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	fputs("Usage:\n"
	      "  weft schema check FILE   can every answer be guaranteed to fit this JSON Schema?\n"
	      "                           exit 3 and the place and reason when it can't\n"
	      "  weft schema record       the JSON Schema of weft's records\n"
	      "  weft schema ask          that of the answers of weft ask\n",
	      is_help ? stdout : stderr);
	return is_help ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
}
