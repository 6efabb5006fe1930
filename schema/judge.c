#include "schema/reading.h"
#include "schema/schema.h"
#include "schema/value.h"

struct WeftSchemaJudge {
	WeftJson *root;
	WeftSchema *schema;  /* owns what the reading makes */
	WeftReading reading;
	GArray *set;         /* the root */
};

WeftSchemaJudge *weft_schema_judge_new(const char *json, gsize size_bytes, GError **error)
{
	WeftJson *root = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, error);
	if (!root)
		return NULL;
	/* A format that some know and some don't decides nothing. */
	const WeftSchemaOptions options = {.ignores_formats = TRUE};
	WeftSchemaJudge *judge = g_new0(WeftSchemaJudge, 1);
	judge->root = root;
	judge->schema = weft_reading_schema();
	judge->set = weft_set_new();
	if (weft_reading_init(&judge->reading, judge->schema, root, &options, error)) {
		WeftClause *clause = weft_reading_clause(&judge->reading, root, error);
		WeftElement all = {WEFT_ELEMENT_ALL, clause ? clause->index : 0, 0};
		g_array_append_val(judge->set, all);
		if (clause)
			return judge;
	}
	weft_schema_judge_free(judge);
	return NULL;
}

void weft_schema_judge_free(WeftSchemaJudge *judge)
{
	if (!judge)
		return;
	weft_reading_done(&judge->reading);
	weft_schema_free(judge->schema);
	g_array_unref(judge->set);
	weft_json_free(judge->root);
	g_free(judge);
}

gboolean weft_schema_judge_refuses(WeftSchemaJudge *judge, const WeftJson *value)
{
	WeftFit fit;
	judge->reading.n_work = 0;
	return weft_value_fit(&judge->reading, judge->set, value, &fit, NULL) &&
	       fit == WEFT_FIT_NO;
}
