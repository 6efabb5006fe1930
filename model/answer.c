#include "model/answer.h"

static void value_clear(gpointer data)
{
	WeftAnswerValue *value = data;
	g_free(value->pointer);
}

WeftAnswer *weft_answer_new(void)
{
	WeftAnswer *answer = g_new0(WeftAnswer, 1);
	answer->values = g_array_new(FALSE, FALSE, sizeof(WeftAnswerValue));
	g_array_set_clear_func(answer->values, value_clear);
	answer->confidence = 1;
	answer->watched_probability = -1;
	return answer;
}

void weft_answer_free(WeftAnswer *answer)
{
	if (!answer)
		return;
	g_free(answer->json);
	g_free(answer->cut_pointer);
	g_array_unref(answer->values);
	weft_routing_free(answer->routing);
	g_free(answer);
}

char *weft_answer_spelled(const WeftAnswer *answer)
{
	GString *text = g_string_new(NULL);
	gsize at = 0;

	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);
		if (value->decline == WEFT_DECLINE_NONE)
			continue;
		g_string_append_len(text, answer->json + at, (gssize)(value->byte_end - at));
		weft_decline_spell(text, value->decline);
		at = value->byte_end;
	}
	g_string_append(text, answer->json + at);
	return g_string_free(text, FALSE);
}

char *weft_answer_cut_message(const WeftAnswer *answer)
{
	const char *pointer = answer->cut_pointer;
	g_autofree char *place =
		!pointer ? g_strdup("")
			 : g_strdup_printf(" %s%s", *pointer ? "at " : "at its root", pointer);
	return answer->is_cut ? g_strdup_printf("the answer reached its limit of tokens%s and was "
						"closed by rule",
						place)
			      : NULL;
}
