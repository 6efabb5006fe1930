/* Any bytes as a schema; where they are one, its smallest instance is an answer, and any bytes may
 * be held against it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	gsize byte;
	g_autoptr(WeftSchema) schema = weft_schema_new(text, size_bytes, NULL, NULL);
	if (!schema)
		return 0;
	g_autofree char *null = weft_schema_null_instance(schema);
	if (strlen(null) < weft_schema_min_bytes(schema) ||
	    !weft_schema_accepts(schema, null, strlen(null), &byte))
		abort();
	(void)weft_schema_accepts(schema, text, size_bytes, &byte); /* either will do */
	return 0;
}
