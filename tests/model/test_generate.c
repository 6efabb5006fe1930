#include <string.h>

#include "base/error.h"
#include "golden.h"
#include "judge.h"
#include "schemas.h"

static WeftSchema *schema_of(const char *text)
{
	GError *error = NULL;
	WeftSchema *schema = weft_schema_new(text, strlen(text), NULL, &error);
	g_assert_no_error(error);
	return schema;
}

/* `what` with other tokens at the end, so that requests differ. */
static WeftSequence *prompt(const Golden *golden, const char *what, int variant)
{
	WeftSequence *sequence = golden_sequence(golden, "scout", what);
	for (int i = 0; i < 3 * variant; i++)
		weft_sequence_add_id(sequence, 40 + 7 * variant + i);
	sequence->seed_key = (guint64)variant;
	return sequence;
}

static guint64 submit(const Golden *golden, WeftSequence *take_sequence, WeftGeneration generation)
{
	GError *error = NULL;
	guint64 ticket = 0;
	weft_model_submit(golden->model, take_sequence, &generation, &ticket, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ticket, >, 0);
	return ticket;
}

/* Steps until the request has ended; answers of others are dropped. */
static WeftAnswer *wait_for(const Golden *golden, guint64 ticket)
{
	for (int i = 0; i < 100000; i++) {
		guint64 ended;
		WeftAnswer *answer = NULL;
		GError *fault = NULL;
		while (weft_model_take(golden->model, &ended, &answer, &fault)) {
			g_assert_no_error(fault);
			if (ended == ticket)
				return answer;
			weft_answer_free(answer);
		}
		g_assert_true(weft_model_step(golden->model, NULL));
	}
	g_assert_not_reached();
}

static void check_values(const WeftAnswer *answer)
{
	gsize end = 0;
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);
		g_assert_cmpuint(value->byte_first, >=, end);
		g_assert_cmpuint(value->byte_end, >, value->byte_first);
		g_assert_cmpfloat(value->confidence, >, 0);
		g_assert_cmpfloat(value->confidence, <=, 1);
		end = value->byte_end;
	}
	g_assert_cmpuint(end, <=, strlen(answer->json));
}

/* A model that knows nothing still writes instances, with any budget from the least on. */
static void test_always_valid(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++) {
		g_autoptr(WeftSchema) schema = schema_of(schemas[i]);
		gsize least = weft_schema_min_bytes(schema);
		const gsize budgets[] = {least, least + 7, least + 150};
		for (gsize b = 0; b < G_N_ELEMENTS(budgets); b++)
			for (int seed = 0; seed < 3; seed++) {
				WeftGeneration generation = {.schema = schema,
							     .n_tokens_max = budgets[b],
							     .seed = (guint64)seed,
							     .temperature = 0.8 * seed};
				guint64 ticket = submit(golden, prompt(golden, "short", seed),
							generation);
				g_autoptr(WeftAnswer) answer = wait_for(golden, ticket);
				g_autofree char *wrong = judge(schemas[i], answer->json);
				g_assert_cmpstr(wrong, ==, NULL);
				g_assert_cmpuint(answer->n_generated, <=, budgets[b]);
				check_values(answer);
			}
	}
}

static void test_budget_cuts(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	g_autoptr(WeftSchema) schema = schema_of(schemas[0]);
	GError *error = NULL;
	guint64 ticket;
	WeftGeneration generation = {.schema = schema,
				     .n_tokens_max = weft_schema_min_bytes(schema) + 10,
				     .temperature = 1};
	g_autoptr(WeftAnswer) answer =
		wait_for(golden, submit(golden, prompt(golden, "short", 1), generation));
	g_assert_true(answer->is_cut);
	generation.n_tokens_max = weft_schema_min_bytes(schema) - 1;
	g_assert_false(weft_model_submit(golden->model, prompt(golden, "short", 1), &generation,
					 &ticket, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT);
	g_clear_error(&error);
	generation.schema = NULL;
	generation.n_tokens_max = 5;
	g_autoptr(WeftAnswer) text =
		wait_for(golden, submit(golden, prompt(golden, "short", 1), generation));
	g_assert_true(text->is_cut || text->n_generated < 5);
	g_assert_true(g_utf8_validate(text->json, -1, NULL));
	g_assert_cmpuint(text->values->len, ==, 0);
}

/* Four pages in memory, one a layer, and no place for more: the second request has no page and
 * ends with the folder's name, the first answers as ever. */
static void test_no_room_for_cache(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	WeftModelOptions options = {.kv_memory_max_bytes = 70000, .kv_folder = "/nonexistent/weft"};
	WeftGeneration generation = {.n_tokens_max = 5};
	g_autoptr(WeftAnswer) want =
		wait_for(golden, submit(golden, prompt(golden, "short", 1), generation));
	weft_model_close(golden->model);
	golden->model = weft_model_open(golden->bundle, golden->kernels, &options, NULL);
	guint64 tickets[2], ended;
	for (int i = 0; i < 2; i++)
		tickets[i] = submit(golden, prompt(golden, "short", 1), generation);
	for (int i = 0; i < 2;) {
		WeftAnswer *answer = NULL;
		GError *fault = NULL;
		if (!weft_model_take(golden->model, &ended, &answer, &fault)) {
			g_assert_true(weft_model_step(golden->model, NULL));
			continue;
		}
		if (ended == tickets[1]) {
			g_assert_error(fault, WEFT_ERROR, WEFT_ERROR_IO);
			g_assert_nonnull(strstr(fault->message, options.kv_folder));
		} else {
			g_assert_cmpstr(answer->json, ==, want->json);
		}
		weft_answer_free(answer);
		g_clear_error(&fault);
		i++;
	}
}

/* 59 or 650 ids; variants of the latter differ from the end of the prefix on. */
static WeftSequence *long_prompt(const Golden *golden, int variant, gsize n_prefix)
{
	WeftSequence *sequence = prompt(golden, "long", variant);
	for (gint32 i = 0; n_prefix > 59 && weft_sequence_length(sequence) < 650; i++) {
		gint32 own = (gsize)(59 + i) >= n_prefix ? variant : 0;
		gint32 id = 33 + (i * 7919 + own) % 400;
		g_array_insert_val(sequence->ids, 59 + i, id);
		g_byte_array_append(sequence->is_row, (const guint8 *)"", 1);
	}
	return sequence;
}

static char *answer_with(const Golden *golden, const WeftGeneration *generation, int n_others,
			 gsize n_prefix, gboolean shares)
{
	guint64 ticket = 0;
	for (int i = 0; i <= n_others; i++) {
		gboolean is_own = i == n_others / 2;
		int variant = is_own ? 1 : i + 2;
		WeftSequence *sequence = is_own || i % 2
						 ? long_prompt(golden, variant, n_prefix)
						 : prompt(golden, "image", variant);
		if (sequence->rows->len == 0 && shares)
			sequence->n_prefix = n_prefix;
		guint64 submitted = submit(golden, sequence, *generation);
		ticket = is_own ? submitted : ticket;
		if (i % 2)
			weft_model_step(golden->model, NULL);
	}
	g_autoptr(WeftAnswer) answer = wait_for(golden, ticket);
	return g_strdup_printf("%s %.17g", answer->json, answer->confidence);
}

/* The same bytes alone, beside five others, after others, with and without a shared prefix that
 * ends in the middle of a page, of a chunk and of a piece. */
static void test_company(void)
{
	const gsize prefixes[] = {40, 300};
	g_autoptr(WeftSchema) schema = schema_of(schemas[1]);
	WeftGeneration generation = {
		.schema = schema, .n_tokens_max = 120, .seed = 5, .temperature = 0.9};
	for (gsize p = 0; p < G_N_ELEMENTS(prefixes); p++) {
		g_autoptr(Golden) alone = golden_open("scout", NULL, 1);
		g_autoptr(Golden) crowd = golden_open("scout", NULL, 4);
		gsize n = prefixes[p];
		g_autofree char *want = answer_with(alone, &generation, 0, n, FALSE);
		for (int n_others = 1; n_others <= 5; n_others += 4) {
			g_autofree char *plain =
				answer_with(crowd, &generation, n_others, n, FALSE);
			g_autofree char *shared =
				answer_with(crowd, &generation, n_others, n, TRUE);
			g_assert_cmpstr(plain, ==, want);
			g_assert_cmpstr(shared, ==, want);
		}
		g_autofree char *again = answer_with(alone, &generation, 0, n, TRUE);
		g_assert_cmpstr(again, ==, want);
	}
}

static void test_seeds(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	g_autoptr(WeftSchema) schema = schema_of("{\"type\":\"string\",\"minLength\":12}");
	g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	WeftGeneration generation = {.schema = schema, .n_tokens_max = 60, .temperature = 1};
	for (int round = 0; round < 2; round++)
		for (generation.seed = 0; generation.seed < 4; generation.seed++) {
			g_autoptr(WeftAnswer) answer = wait_for(
				golden, submit(golden, prompt(golden, "short", 1), generation));
			g_assert_cmpint(g_hash_table_add(texts, g_strdup(answer->json)), ==,
					round == 0);
		}
	generation.seed = 0;
	g_autoptr(WeftAnswer) other_key =
		wait_for(golden, submit(golden, prompt(golden, "short", 2), generation));
	g_assert_false(g_hash_table_contains(texts, other_key->json));
}

static void test_room_and_cancel(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	WeftGeneration generation = {.n_tokens_max = 4};
	guint64 tickets[64], n = 0, ended;
	WeftAnswer *answer = NULL;
	GError *error = NULL;
	for (; weft_model_has_room(golden->model); n++) {
		WeftSequence *sequence = prompt(golden, "long", 1);
		sequence->n_prefix = 40;
		g_assert_cmpuint(n, <, G_N_ELEMENTS(tickets));
		tickets[n] = submit(golden, sequence, generation);
	}
	g_assert_false(weft_model_submit(golden->model, prompt(golden, "long", 1), &generation,
					 &ended, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_clear_error(&error);
	/* The first computes the prefix for the others: they must not wait for ever. */
	weft_model_cancel(golden->model, tickets[0]);
	g_assert_true(weft_model_has_room(golden->model));
	for (guint64 i = 1; i < n; i++) {
		WeftAnswer *one = wait_for(golden, tickets[i]);
		weft_answer_free(one);
	}
	g_assert_false(weft_model_take(golden->model, &ended, &answer, &error));
}

/* Ids, rows and positions in the answer's account; the pointers of RFC 6901. */
static void test_account(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	g_autoptr(WeftSchema) schema = schema_of(schemas[8]);
	WeftSequence *sequence = golden_sequence(golden, "scout", "image");
	gsize n = weft_sequence_length(sequence), n_rows = sequence->rows->len / sequence->width;
	WeftGeneration generation = {.schema = schema, .n_tokens_max = 100};
	g_autoptr(WeftAnswer) answer = wait_for(golden, submit(golden, sequence, generation));
	g_assert_cmpuint(answer->n_patch, ==, n_rows);
	g_assert_cmpuint(answer->n_text, ==, n - n_rows);
	g_assert_cmpuint(answer->n_audio, ==, 0);
	g_assert_cmpuint(answer->values->len, ==, 2);
	const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, 1);
	g_assert_cmpstr(value->pointer, ==, "/a\"~1~0b/1/k");
	g_assert_cmpint(answer->json[value->byte_first], ==, '"');
	g_assert_cmpint(answer->json[value->byte_end - 1], ==, '"');
	g_assert_cmpint(answer->json[value->byte_end], ==, '}');
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/generate/always-valid", test_always_valid);
	g_test_add_func("/generate/budget-cuts", test_budget_cuts);
	g_test_add_func("/generate/no-room-for-cache", test_no_room_for_cache);
	g_test_add_func("/generate/company", test_company);
	g_test_add_func("/generate/seeds", test_seeds);
	g_test_add_func("/generate/room-and-cancel", test_room_and_cancel);
	g_test_add_func("/generate/account", test_account);
	return g_test_run();
}
