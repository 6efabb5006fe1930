#include "outputs/record_division.h"

#define SHARE_DECIMALS 4

static void write_type(WeftJsonWriter *w, const WeftTypeFacts *type)
{
	char id[16];

	weft_json_write_key(w, "type");
	weft_json_write_object(w);
	weft_json_write_key(w, "name");
	weft_json_write_string(w, type->name);
	weft_json_write_key(w, "by");
	weft_json_write_string(w, type->is_by_rule ? "rule" : "model");
	if (type->word) {
		weft_json_write_key(w, "word");
		weft_json_write_string(w, type->word);
	}
	if (type->content != G_MAXUINT32) {
		g_snprintf(id, sizeof(id), "c%u", type->content + 1);
		weft_json_write_key(w, "content");
		weft_json_write_string(w, id);
	}
	if (type->confidence >= 0) {
		weft_json_write_key(w, "confidence");
		(void)weft_json_write_rounded(w, type->confidence, SHARE_DECIMALS);
	}
	if (type->reason) {
		weft_json_write_key(w, "reason");
		weft_json_write_string(w, type->reason);
	}
	weft_json_write_object_end(w);
}

static void write_pair(WeftJsonWriter *w, const char *key, const guint32 pair[2])
{
	weft_json_write_key(w, key);
	weft_json_write_array(w);
	weft_json_write_uint(w, pair[0]);
	weft_json_write_uint(w, pair[1]);
	weft_json_write_array_end(w);
}

/* Takes `n` into the range; 0: there is none. */
static void widen(guint32 pair[2], guint32 n)
{
	if (n == 0)
		return;
	pair[0] = pair[0] == 0 ? n : MIN(pair[0], n);
	pair[1] = MAX(pair[1], n);
}

static void write_element(WeftJsonWriter *w, const GArray *windows, guint place, guint32 number)
{
	g_autofree char *pointer = g_strdup_printf("/%u", place);
	guint32 pages[2] = {0}, asked[2] = {0};

	for (guint i = 0; i < windows->len; i++) {
		const WeftWindowFacts *facts = &g_array_index(windows, WeftWindowFacts, i);

		if (facts->element != number)
			continue;
		widen(asked, facts->n);
		widen(pages, facts->from.page);
		widen(pages, facts->to.page);
	}
	weft_json_write_object(w);
	weft_json_write_key(w, "pointer");
	weft_json_write_string(w, pointer);
	if (pages[0] > 0)
		write_pair(w, "pages", pages);
	write_pair(w, "windows", asked);
	weft_json_write_object_end(w);
}

void weft_record_division_write(WeftJsonWriter *w, const WeftRecord *record)
{
	if (record->type)
		write_type(w, record->type);
	if (!record->elements)
		return;
	weft_json_write_key(w, "elements");
	weft_json_write_array(w);
	for (guint i = 0; i < record->elements->len; i++)
		write_element(w, record->windows, i, g_array_index(record->elements, guint32, i));
	weft_json_write_array_end(w);
}
