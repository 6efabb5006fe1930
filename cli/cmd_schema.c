/* cmd_schema.c - `weft schema record` and `weft schema check FILE`. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "outputs/outputs.h"
#include "outputs/record.h"
#include "schema/schema.h"

#define SCHEMA_BYTES_MAX (4u << 20)

/* Lines of a list, each with its JSON pointer. */
static void print_pointers(const char *head, guint n, const char *(*pointer)(const WeftSchema *, guint),
			   const WeftSchema *schema)
{
	if (n > 0)
		printf("%s\n", head);
	for (guint i = 0; i < n; i++)
		printf("  #%s\n", pointer(schema, i));
}

static int check(const char *path)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	GError *error = NULL;
	const WeftSchemaOptions options = {.is_verbatim = TRUE};
	if (!weft_file_read(path, SCHEMA_BYTES_MAX, &text, &size_bytes, &error))
		return weft_cmd_fail("schema", &error, WEFT_EXIT_NOT_STARTED);
	g_autoptr(WeftJson) tree = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, &error);
	WeftUsage usage;
	g_autoptr(WeftSchema) schema = NULL;
	if (tree && weft_usage_of_schema(tree, &usage, &error))
		schema = weft_schema_new(text, size_bytes, &options, &error);
	if (!schema || !weft_agreement_read(tree, schema, &error)) {
		g_prefix_error(&error, "%s: ", path);
		return weft_cmd_fail("schema", &error, WEFT_EXIT_NOT_STARTED);
	}
	g_autofree char *smallest = weft_schema_null_instance(schema);
	printf("%s: every answer will be an instance of it, of at least %" G_GSIZE_FORMAT
	       " bytes.\nThe answer that says nothing: %s\n",
	       path, weft_schema_min_bytes(schema), smallest);
	print_pointers("Values that have to stand in the document, in the task extract and where a task "
		       "says verbatim=true.\nTo free one, write \"x-weft-verbatim\": false beside its "
		       "type:",
		       weft_schema_n_verbatim(schema), weft_schema_verbatim, schema);
	print_pointers("Keywords that are not known, and so say nothing:",
		       weft_schema_n_ignored(schema), weft_schema_ignored, schema);
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
