#include <string.h>

#include "golden.h"
#include "judge.h"
#include "model/request.h"

static const char card[] =
	"{\"type\":\"object\",\"required\":[\"invoice_number\",\"kind\",\"when\",\"lines\",\"total\"],"
	"\"properties\":{\"invoice_number\":{\"type\":\"string\",\"maxLength\":200},"
	"\"kind\":{\"enum\":[\"letter\",\"ledger\",\"invoice\",null]},"
	"\"when\":{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}$\"},"
	"{\"type\":\"null\"}]},\"lines\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":"
	"\"object\",\"required\":[\"text\",\"price\"],\"properties\":{\"text\":{\"type\":\"string\","
	"\"maxLength\":6},\"price\":{\"type\":\"number\",\"minimum\":0}}}},"
	"\"total\":{\"type\":\"number\"},\"note\":{\"type\":\"string\",\"maxLength\":9}}}";

typedef struct Setup {
	Golden *golden;
	WeftLexicon *lexicon;
	WeftSchema *schema;
	float *logits;
} Setup;

static void open_with(Setup *setup, const char *schema, gboolean declines)
{
	const WeftSchemaOptions options = {.declines = declines};
	GError *error = NULL;
	setup->golden = golden_open("scout", "ref", 1);
	gsize n = weft_model_vocab(setup->golden->model);
	setup->lexicon = weft_lexicon_new(setup->golden->bundle, n, &error);
	g_assert_no_error(error);
	setup->schema = weft_schema_new(schema, strlen(schema), &options, &error);
	g_assert_no_error(error);
	setup->logits = g_new(float, n);
}

static void setup_open(Setup *setup, gconstpointer schema)
{
	open_with(setup, schema, FALSE);
}

static void setup_open_declining(Setup *setup, gconstpointer schema)
{
	open_with(setup, schema, TRUE);
}

static void setup_close(Setup *setup, gconstpointer schema)
{
	g_free(setup->logits);
	weft_schema_free(setup->schema);
	weft_lexicon_free(setup->lexicon);
	golden_free(setup->golden);
}

static WeftActive *begin(const Setup *setup, gsize n_tokens, double temperature, guint64 seed)
{
	GError *error = NULL;
	const WeftGeneration generation = {.schema = setup->schema,
					   .n_tokens_max = n_tokens,
					   .temperature = temperature,
					   .seed = seed};
	WeftActive *active =
		weft_active_new(golden_sequence(setup->golden, "scout", "short"), &generation,
				setup->lexicon, weft_model_width(setup->golden->model), 4096,
				&error);
	g_assert_no_error(error);
	return active;
}

static void dream(Setup *setup, GRand *dice)
{
	for (gsize i = 0; i < setup->lexicon->n_tokens; i++)
		setup->logits[i] = (float)g_rand_double_range(dice, -3, 3);
}

/* A run of forced tokens: ids [first, end), which write [byte_first, byte_end) of the text. */
typedef struct Run {
	guint first, end;
	gsize byte_first, byte_end;
} Run;

static void add_run(const WeftActive *active, GArray *runs, guint first, gsize byte_first)
{
	Run run = {first, active->ids->len, byte_first, active->text->len};
	if (run.end > run.first)
		g_array_append_val(runs, run);
}

/* The tokenizer's own ids for the run, also when it sees what was written behind it. */
static void check_run(const Setup *setup, const WeftActive *active, const Run *run)
{
	for (gsize end = run->byte_end; end <= active->text->len; end++) {
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
		guint n = run->end - run->first;
		weft_lexicon_encode(setup->lexicon, active->text->str + run->byte_first,
				    end - run->byte_first, ids);
		/* Half a character at the end is spelled byte by byte, and says nothing. */
		if (!g_utf8_validate(active->text->str, (gssize)end, NULL))
			continue;
		g_assert_cmpuint(ids->len, >=, n);
		g_assert_cmpmem(ids->data, n * sizeof(gint32),
				&g_array_index(active->ids, gint32, run->first),
				n * sizeof(gint32));
	}
}

static void test_canonical(Setup *setup, gconstpointer schema)
{
	g_autoptr(GRand) dice = g_rand_new_with_seed(2);
	gsize n_forced = 0, n_decided = 0, least = weft_schema_min_bytes(setup->schema);
	for (guint64 seed = 0; seed < 40; seed++) {
		g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(Run));
		WeftActive *active = begin(setup, least + 10 * seed, seed % 3, seed);
		add_run(active, runs, (guint)active->n_prompt, 0);
		while (!active->is_done) {
			guint n = active->ids->len;
			gsize size = active->text->len;
			dream(setup, dice);
			weft_active_choose(active, setup->logits);
			if (active->ids->len == n)
				break; /* an end token */
			gint32 id = g_array_index(active->ids, gint32, n);
			n_decided++;
			add_run(active, runs, n + 1,
				size + setup->lexicon->tokens[id].word.size_bytes);
		}
		for (guint i = 0; i < runs->len; i++) {
			const Run *run = &g_array_index(runs, Run, i);
			n_forced += run->end - run->first;
			check_run(setup, active, run);
		}
		weft_active_free(active);
	}
	g_test_message("%" G_GSIZE_FORMAT " forced, %" G_GSIZE_FORMAT " decided", n_forced,
		       n_decided);
	g_assert_cmpuint(n_forced, >, 100);
}

/* Whether masks are kept or made anew changes no byte and no probability. */
static void test_caches(Setup *setup, gconstpointer schema)
{
	gsize least = weft_schema_min_bytes(setup->schema);
	WeftMasks *kept = setup->lexicon->masks;
	WeftMasks *made = weft_masks_new(setup->lexicon->vocabulary, 0);
	for (guint64 seed = 0; seed < 30; seed++) {
		WeftActive *both[2];
		for (int i = 0; i < 2; i++) {
			g_autoptr(GRand) dice = g_rand_new_with_seed((guint32)seed);
			setup->lexicon->masks = i == 0 ? kept : made;
			both[i] = begin(setup, least + 7 * seed, 0.7 * (seed % 3), seed);
			while (!both[i]->is_done) {
				dream(setup, dice);
				weft_active_choose(both[i], setup->logits);
			}
		}
		g_autoptr(WeftAnswer) a = weft_active_answer(both[0]);
		g_autoptr(WeftAnswer) b = weft_active_answer(both[1]);
		g_assert_cmpstr(a->json, ==, b->json);
		g_assert_cmpstr(a->cut_pointer, ==, b->cut_pointer);
		g_assert_true(a->confidence == b->confidence);
		g_assert_cmpuint(both[0]->ids->len, ==, both[1]->ids->len);
		for (int i = 0; i < 2; i++)
			weft_active_free(both[i]);
	}
	setup->lexicon->masks = kept;
	weft_masks_free(made);
}

/* Forced runs go through the model in one pass; token by token the answer is the same. */
static void test_stepped(Setup *setup, gconstpointer schema)
{
	const WeftGeneration generation = {.schema = setup->schema, .n_tokens_max = 220};
	gsize n_vocab = weft_model_vocab(setup->golden->model);
	guint64 ticket, ended;
	WeftAnswer *taken = NULL;
	g_assert_true(weft_model_submit(setup->golden->model,
					golden_sequence(setup->golden, "scout", "short"),
					&generation, &ticket, NULL));
	while (!weft_model_take(setup->golden->model, &ended, &taken, NULL))
		g_assert_true(weft_model_step(setup->golden->model, NULL));
	g_autoptr(WeftAnswer) answer = taken;

	WeftActive *active = begin(setup, 220, 0, 0);
	while (!active->is_done) {
		g_autoptr(WeftSequence) sequence = weft_sequence_new(0);
		for (guint i = 0; i < active->ids->len; i++)
			weft_sequence_add_id(sequence, g_array_index(active->ids, gint32, i));
		g_autofree float *logits = golden_run(setup->golden, sequence, TRUE, FALSE);
		weft_active_choose(active, logits + (active->ids->len - 1) * n_vocab);
	}
	g_autoptr(WeftAnswer) stepped = weft_active_answer(active);
	g_assert_cmpstr(stepped->json, ==, answer->json);
	g_assert_true(stepped->confidence == answer->confidence);
	g_assert_cmpuint(stepped->n_generated, ==, answer->n_generated);
	weft_active_free(active);
}

/* A model that would go on writing is told to stop, and the answer says where. */
static void test_cut(Setup *setup, gconstpointer schema)
{
	gint32 a = setup->lexicon->byte_ids['a'], comma = setup->lexicon->byte_ids[','];
	gsize least = weft_schema_min_bytes(setup->schema);
	WeftActive *active = begin(setup, least + 5, 0, 0);
	for (gsize i = 0; i < setup->lexicon->n_tokens; i++)
		setup->logits[i] = -1;
	setup->logits[a] = 4;
	while (!active->is_done)
		weft_active_choose(active, setup->logits);
	g_assert_true(active->is_cut);
	g_assert_cmpstr(active->cut_pointer, ==, "/invoice_number");
	g_autoptr(WeftAnswer) answer = weft_active_answer(active);
	g_autofree char *message = weft_answer_cut_message(answer);
	g_assert_cmpstr(message, ==, "the answer reached its limit of tokens at /invoice_number and "
				     "was closed by rule");
	weft_active_free(active);
	/* With room for the string: what it wants then is one more of the optional properties. */
	setup->logits[a] = -2;
	setup->logits[setup->lexicon->byte_ids['"']] = 3;
	setup->logits[setup->lexicon->byte_ids['n']] = 2;
	setup->logits[setup->lexicon->byte_ids[']']] = 2;
	setup->logits[setup->lexicon->byte_ids['0']] = 1;
	setup->logits[comma] = 5;
	active = begin(setup, least + 2, 0, 0);
	while (!active->is_done)
		weft_active_choose(active, setup->logits);
	g_assert_true(active->is_cut);
	g_assert_nonnull(active->cut_pointer);
	weft_active_free(active);
}

/* A model that wants to write this text, byte by byte, and has no opinion once it may not. */
static WeftActive *write_wanted(const Setup *setup, const char *wanted, gsize n_tokens)
{
	WeftActive *active = begin(setup, n_tokens, 0, 0);
	while (!active->is_done) {
		gsize size = active->text->len;
		gboolean follows = size < strlen(wanted) &&
				   strncmp(active->text->str, wanted, size) == 0;
		for (gsize i = 0; i < setup->lexicon->n_tokens; i++)
			setup->logits[i] = -1;
		if (follows)
			setup->logits[setup->lexicon->byte_ids[(guint8)wanted[size]]] = 2;
		weft_active_choose(active, setup->logits);
	}
	return active;
}

#define CARD_OF(kind, when)                                                              \
	"{\"invoice_number\":\"null:absent\",\"kind\":" kind ",\"when\":" when                 \
	",\"lines\":[{\"text\":\"a\\\"\",\"price\":0}],\"total\":12}"

/* The reason stands beside the value, and changes nothing else of the answer. */
static void test_declines(Setup *setup, gconstpointer schema)
{
	static const WeftDecline expected[] = {WEFT_DECLINE_NONE, WEFT_DECLINE_UNREADABLE,
					       WEFT_DECLINE_ABSENT, WEFT_DECLINE_NONE,
					       WEFT_DECLINE_NONE, WEFT_DECLINE_NONE};
	const char *spelled = CARD_OF("null:unreadable", "null:absent");
	WeftActive *with = write_wanted(setup, spelled, 400);
	WeftActive *without = write_wanted(setup, CARD_OF("null", "null"), 400);
	g_autoptr(WeftAnswer) a = weft_active_answer(with);
	g_autoptr(WeftAnswer) b = weft_active_answer(without);
	g_autofree char *again = weft_answer_spelled(a);
	g_assert_cmpstr(a->json, ==, CARD_OF("null", "null"));
	g_assert_cmpstr(b->json, ==, a->json);
	g_assert_cmpstr(again, ==, spelled);
	g_assert_false(a->is_cut);
	g_assert_cmpuint(a->values->len, ==, G_N_ELEMENTS(expected));
	for (guint i = 0; i < a->values->len; i++) {
		const WeftAnswerValue *one = &g_array_index(a->values, WeftAnswerValue, i);
		const WeftAnswerValue *other = &g_array_index(b->values, WeftAnswerValue, i);
		g_assert_cmpint(one->decline, ==, expected[i]);
		g_assert_cmpint(other->decline, ==, WEFT_DECLINE_NONE);
		g_assert_cmpuint(one->byte_first, ==, other->byte_first);
		g_assert_cmpuint(one->byte_end, ==, other->byte_end);
		g_assert_true(one->confidence == other->confidence);
		g_assert_cmpfloat(one->confidence, <, 1);
	}
	weft_active_free(with);
	weft_active_free(without);
}

/* With less and less room: an instance, and no reason that was not wanted. */
static void test_short_of_reasons(Setup *setup, gconstpointer schema)
{
	const char *wanted = CARD_OF("null:not_examined", "null:not_examined");
	guint n_made_up = 0, n_given = 0;
	for (gsize n = weft_schema_min_bytes(setup->schema); n < 120; n++) {
		WeftActive *active = write_wanted(setup, wanted, n);
		g_autoptr(WeftAnswer) answer = weft_active_answer(active);
		g_autofree char *wrong = judge(schema, answer->json);
		g_assert_cmpstr(wrong, ==, NULL);
		g_assert_true(active->is_cut == (strcmp(active->text->str, wanted) != 0));
		n_made_up += strstr(active->text->str, ",\"kind\":null:absent") ||
			     strstr(active->text->str, ",\"when\":null:absent");
		for (guint i = 0; i < answer->values->len; i++) {
			const WeftAnswerValue *value =
				&g_array_index(answer->values, WeftAnswerValue, i);
			g_assert_true(value->decline == WEFT_DECLINE_NONE ||
				      value->decline == WEFT_DECLINE_NOT_EXAMINED);
			n_given += value->decline != WEFT_DECLINE_NONE;
		}
		if (active->is_cut)
			g_assert_nonnull(active->cut_pointer);
		weft_active_free(active);
	}
	g_assert_cmpuint(n_made_up, >, 0);
	g_assert_cmpuint(n_given, >, 0);
}

#define ADD_DECLINING(name, function)                                                      \
	g_test_add("/request/declining/" name, Setup, card, setup_open_declining, function, \
		   setup_close)
#define ADD(name, function) \
	g_test_add("/request/" name, Setup, card, setup_open, function, setup_close)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("canonical", test_canonical);
	ADD("caches", test_caches);
	ADD("stepped", test_stepped);
	ADD("cut", test_cut);
	ADD_DECLINING("canonical", test_canonical);
	ADD_DECLINING("caches", test_caches);
	ADD_DECLINING("stepped", test_stepped);
	ADD_DECLINING("cut", test_cut);
	ADD_DECLINING("reasons", test_declines);
	ADD_DECLINING("short", test_short_of_reasons);
	return g_test_run();
}
