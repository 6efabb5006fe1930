#include "model/request.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/values.h"

/* A decision of the model; forced tokens are none. */
typedef struct Choice {
	gsize byte_first, byte_end; /* in the text */
	double log_probability;
} Choice;

gboolean weft_sequence_check(const WeftSequence *sequence, gsize width, gsize n_vocab,
			     GError **error)
{
	gsize n = weft_sequence_length(sequence), n_rows = 0;
	if (n == 0 || sequence->is_row->len != n || sequence->n_prefix > n) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "sequence of %" G_GSIZE_FORMAT " ids with %u marks and a prefix of %"
			    G_GSIZE_FORMAT,
			    n, sequence->is_row->len, sequence->n_prefix);
		return FALSE;
	}
	for (gsize i = 0; i < n; i++) {
		gint32 id = g_array_index(sequence->ids, gint32, i);
		if (sequence->is_row->data[i]) {
			n_rows++;
		} else if (id < 0 || (gsize)id >= n_vocab) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "id %d at position %" G_GSIZE_FORMAT ", vocabulary of %"
				    G_GSIZE_FORMAT,
				    id, i, n_vocab);
			return FALSE;
		}
	}
	if (n_rows > 0 && (sequence->width != width || sequence->rows->len != n_rows * width)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%" G_GSIZE_FORMAT " positions for rows of %" G_GSIZE_FORMAT
			    " numbers, %u numbers in rows of %" G_GSIZE_FORMAT,
			    n_rows, width, sequence->rows->len, sequence->width);
		return FALSE;
	}
	return TRUE;
}

/* The tokens that the answer may have, or 0. */
static gsize budget(const WeftGeneration *generation, gsize n_prompt, gsize context, GError **error)
{
	gsize left = context > n_prompt ? context - n_prompt : 0;
	gsize n = MIN(left, generation->n_tokens_max);
	gsize least = generation->schema ? weft_schema_min_bytes(generation->schema) : 1;
	if (n >= least)
		return n;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
		    "prompt of %" G_GSIZE_FORMAT " tokens in a context of %" G_GSIZE_FORMAT
		    ", budget of %" G_GSIZE_FORMAT " for an answer of at least %" G_GSIZE_FORMAT,
		    n_prompt, context, generation->n_tokens_max, least);
	return 0;
}

static void advance_over(WeftActive *active, const char *bytes, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++)
		if (!weft_constraint_advance(&active->constraint, (guint8)bytes[i]))
			g_assert_not_reached(); /* it has been tried */
}

/* Of the ids of a forced run those that may stand: *ret_size_bytes is what they spell. The constraint
 * stands behind the run. */
static guint count_settled(const WeftActive *active, const GString *run, const GArray *ids,
			   gsize *ret_size_bytes)
{
	gsize at = run->len;
	guint n = ids->len;
	*ret_size_bytes = run->len;
	for (guint i = ids->len; i-- > 0;) {
		at -= active->lexicon->tokens[g_array_index(ids, gint32, i)].word.size_bytes;
		if (run->len - at >= WEFT_WORD_BYTES_MAX)
			break;
		if (weft_masks_spans(active->lexicon->masks, &active->constraint, run->str + at,
				     run->len - at)) {
			n = i;
			*ret_size_bytes = at;
		}
	}
	return n;
}

/* Appends bytes that leave no choice, as tokens. */
static void append_forced(WeftActive *active)
{
	g_autoptr(GString) run = g_string_new(NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	WeftConstraint before;
	int byte;
	if (!active->schema)
		return;
	weft_constraint_copy(&before, &active->constraint);
	while ((byte = weft_constraint_forced(&active->constraint)) >= 0) {
		g_string_append_c(run, (char)byte);
		(void)weft_constraint_advance(&active->constraint, (guint8)byte); /* it is allowed */
	}
	active->is_done = weft_constraint_is_closed(&active->constraint);
	if (run->len == 0)
		return;
	weft_lexicon_encode(active->lexicon, run->str, run->len, ids);
	if (!active->is_done) {
		gsize size_bytes;
		g_array_set_size(ids, count_settled(active, run, ids, &size_bytes));
		weft_constraint_copy(&active->constraint, &before);
		advance_over(active, run->str, size_bytes);
		g_string_truncate(run, size_bytes);
	}
	g_array_append_vals(active->ids, ids->data, ids->len);
	active->n_tokens_left -= ids->len;
	g_string_append_len(active->text, run->str, (gssize)run->len);
}

/* The text as one ordinary token, or -1. */
static gint32 find_watched(const WeftLexicon *lexicon, const char *text)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	if (text)
		weft_lexicon_encode(lexicon, text, strlen(text), ids);
	return ids->len == 1 ? g_array_index(ids, gint32, 0) : -1;
}

WeftActive *weft_active_new(WeftSequence *take_sequence, const WeftGeneration *generation,
			    const WeftLexicon *lexicon, gsize width, gsize context,
			    GError **error)
{
	g_autoptr(WeftSequence) sequence = take_sequence;
	gsize n_prompt = weft_sequence_length(sequence);
	if (!weft_sequence_check(sequence, width, lexicon->n_tokens, error))
		return NULL;
	gsize n_tokens = budget(generation, n_prompt, context, error);
	if (n_tokens == 0)
		return NULL;
	WeftActive *active = g_new0(WeftActive, 1);
	active->n_prompt = n_prompt;
	active->ids = g_array_sized_new(FALSE, FALSE, sizeof(gint32), (guint)n_prompt);
	g_array_append_vals(active->ids, sequence->ids->data, (guint)n_prompt);
	active->sequence = g_steal_pointer(&sequence);
	active->generation = *generation;
	active->schema = generation->schema;
	active->lexicon = lexicon;
	active->n_tokens_left = n_tokens;
	active->text = g_string_new(NULL);
	active->choices = g_array_new(FALSE, FALSE, sizeof(Choice));
	active->watched_id = find_watched(lexicon, generation->watched);
	active->watched_probability = -1;
	active->cut_bytes = G_MAXSIZE;
	if (active->schema) {
		active->levels = weft_levels_new();
		if (weft_schema_n_verbatim(active->schema) > 0)
			active->verbatim = weft_verbatim_new(active->sequence->text);
		weft_constraint_init(&active->constraint, active->schema, active->levels,
				     active->verbatim,
				     weft_masks_text_key(lexicon->masks));
	}
	append_forced(active);
	return active;
}

void weft_active_free(WeftActive *active)
{
	if (!active)
		return;
	weft_cache_free(active->cache);
	weft_verbatim_free(active->verbatim);
	weft_sequence_free(active->sequence);
	g_array_unref(active->ids);
	g_array_unref(active->choices);
	g_string_free(active->text, TRUE);
	weft_routing_free(active->routing);
	weft_gaze_free(active->gaze);
	weft_levels_free(active->levels);
	g_free(active->cut_pointer);
	g_clear_error(&active->fault);
	g_free(active);
}

static void append_chosen(WeftActive *active, const WeftChosen *chosen)
{
	const WeftWord *word = &active->lexicon->tokens[chosen->id].word;
	Choice choice = {active->text->len, active->text->len + word->size_bytes,
			 chosen->log_probability};
	g_array_append_val(active->choices, choice);
	if (active->gaze)
		weft_gaze_keep(active->gaze);
	g_string_append_len(active->text, word->bytes, word->size_bytes);
	g_array_append_val(active->ids, chosen->id);
	active->n_tokens_left--;
	if (active->schema)
		advance_over(active, word->bytes, word->size_bytes);
}

/* While nothing but white space is written, the next token may be the first of the answer. */
static void watch(WeftActive *active, const float *logits)
{
	float largest = logits[active->watched_id];
	double sum = 0;
	for (gsize id = 0; id < active->lexicon->n_tokens; id++)
		largest = fmaxf(largest, logits[id]);
	for (gsize id = 0; id < active->lexicon->n_tokens; id++)
		sum += isnan(logits[id]) ? 0 : exp((double)(logits[id] - largest));
	double probability = exp((double)(logits[active->watched_id] - largest)) / sum;
	active->watched_probability = isfinite(probability) ? probability : -1;
}

static gboolean is_blank(const GString *text)
{
	return strspn(text->str, " \t\r\n") == text->len;
}

/* The first time that the budget forbids what would have been chosen. */
static void note_cut(WeftActive *active)
{
	g_autoptr(GString) json = g_string_new_len(active->text->str, (gssize)active->text->len);
	g_autoptr(GArray) declined = g_array_new(FALSE, FALSE, sizeof(WeftDeclined));
	weft_decline_take_out(json, declined);
	active->is_cut = TRUE;
	active->cut_bytes = active->text->len;
	active->cut_pointer = weft_values_open(json->str, json->len);
}

void weft_active_choose(WeftActive *active, const float *logits)
{
	const WeftChoice choice = {
		.lexicon = active->lexicon,
		.constraint = active->schema ? &active->constraint : NULL,
		.n_tokens_left = active->n_tokens_left,
		.temperature = active->generation.temperature,
		.seed = active->generation.seed,
		.seed_key = active->sequence->seed_key,
		.place = active->ids->len - active->n_prompt,
	};
	if (active->watched_id >= 0 && is_blank(active->text))
		watch(active, logits);
	WeftChosen chosen = weft_sample(&choice, logits);
	if (chosen.was_limited && !active->is_cut)
		note_cut(active);
	if (chosen.id < 0 || active->lexicon->tokens[chosen.id].is_end) {
		active->is_done = TRUE;
		return;
	}
	append_chosen(active, &chosen);
	append_forced(active);
	if (active->n_tokens_left == 0 && !active->is_done) {
		/* Only what may end here gets here: plain text, or at the root a number or a null. */
		active->is_done = TRUE;
		active->is_cut = TRUE;
	}
}

/* The decisions [*ret_first, *ret_end) that wrote any byte of [first, end). `*at` is where to begin
 * looking, and where the next value may begin. */
static void find_choices(const WeftActive *active, gsize first, gsize end, guint *at, guint *ret_first,
			 guint *ret_end)
{
	const Choice *choices = (const Choice *)(const void *)active->choices->data;
	guint n = active->choices->len;

	while (*at < n && choices[*at].byte_end <= first)
		(*at)++;
	*ret_first = *at;
	while (*at < n && choices[*at].byte_end <= end)
		(*at)++;
	/* The next one may write of this value and of the one behind it. */
	*ret_end = *at < n && choices[*at].byte_first < end ? *at + 1 : *at;
}

/* The geometric mean of their probabilities. */
static double confidence_of(const WeftActive *active, guint first, guint end)
{
	double sum = 0;

	for (guint i = first; i < end; i++)
		sum += g_array_index(active->choices, Choice, i).log_probability;
	return end > first ? exp(sum / (end - first)) : 1;
}

static void count_tokens(const WeftActive *active, WeftAnswer *answer)
{
	const WeftSequence *sequence = active->sequence;
	for (gsize i = 0; i < active->n_prompt; i++) {
		if (!sequence->is_row->data[i])
			answer->n_text++;
		else if (g_array_index(sequence->ids, gint32, i) == WEFT_SEQUENCE_ROW_ID)
			answer->n_audio++;
		else
			answer->n_patch++;
	}
	answer->n_generated = active->ids->len - active->n_prompt;
}

/* JSON and values, out of the text. Places in the JSON are those in the text less the reasons before. */
static void set_values(const WeftActive *active, WeftAnswer *answer)
{
	g_autoptr(GArray) declined = g_array_new(FALSE, FALSE, sizeof(WeftDeclined));
	GString *json = g_string_new_len(active->text->str, (gssize)active->text->len);
	guint at = 0, next = 0, first, end;
	gsize out_bytes = 0;

	weft_decline_take_out(json, declined);
	answer->json = g_string_free(json, FALSE);
	weft_values_find(answer->json, answer->values);
	for (guint i = 0; i < answer->values->len; i++) {
		WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);
		find_choices(active, value->byte_first + out_bytes, value->byte_end + out_bytes,
			     &at, &first, &end);
		value->confidence = confidence_of(active, first, end);
		if (active->gaze)
			value->pointed = weft_gaze_place(active->gaze, first, end);
		const WeftDeclined *reason =
			next < declined->len ? &g_array_index(declined, WeftDeclined, next) : NULL;
		if (!reason || reason->byte != value->byte_end)
			continue;
		next++;
		out_bytes += reason->n_bytes;
		if (value->byte_end + out_bytes <= active->cut_bytes)
			value->decline = reason->decline;
	}
}

WeftAnswer *weft_active_answer(const WeftActive *active)
{
	WeftAnswer *answer = weft_answer_new();

	answer->is_cut = active->is_cut;
	answer->cut_pointer = g_strdup(active->cut_pointer);
	answer->watched_probability = active->watched_probability;
	count_tokens(active, answer);
	if (active->generation.counts_routing && active->routing)
		answer->routing = weft_routing_copy(active->routing);
	answer->confidence = confidence_of(active, 0, active->choices->len);
	if (active->schema)
		set_values(active, answer);
	else
		answer->json = g_utf8_make_valid(active->text->str, (gssize)active->text->len);
	return answer;
}
