/* typist.c - writes documents under masks, or follows some, for judges and clocks outside.
 *
 *     typist type WORDS SCHEMAS N SEED     N documents of random tokens for each schema
 *     typist follow WORDS CASES KEPT       masks and times along given tokens
 *
 * WORDS: a line "base64(bytes) id" for each token, as Meta's tokenizer.model. SCHEMAS: a schema in each
 * line. CASES: in each line a schema, a tab, and ids divided by spaces. KEPT: bytes of masks that are
 * kept, 0: none. A line of JSON goes to stdout for each document; times are of this thread's processor,
 * in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "base/json.h"
#include "schema/mask.h"

#define FILE_BYTES_MAX ((gsize)1 << 30)
#define DOCUMENT_TOKENS_MAX 4000

typedef struct Typist {
	GArray *words;
	WeftVocabulary *vocabulary;
	WeftMasks *masks;
	GRand *dice;
	gint32 *ids;         /* room for all of them */
	GString *line;
	WeftJsonWriter writer;
} Typist;

static double now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static char **read_lines(const char *path)
{
	GError *error = NULL;
	g_autofree char *text = NULL;
	gsize size_bytes;
	if (!weft_file_read(path, FILE_BYTES_MAX, &text, &size_bytes, &error)) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	g_strchomp(text);
	return g_strsplit(text, "\n", -1);
}

static void read_words(Typist *typist, const char *path, gsize kept_bytes)
{
	g_auto(GStrv) lines = read_lines(path);
	GError *error = NULL;
	typist->words = g_array_new(FALSE, TRUE, sizeof(WeftWord));
	for (gsize i = 0; lines[i]; i++) {
		gsize size = 0;
		char *id = strchr(lines[i], ' ');
		*id = '\0';
		char *bytes = (char *)g_base64_decode(lines[i], &size);
		WeftWord word = {bytes, (guint32)size};
		g_array_append_val(typist->words, word);
	}
	double begin = now_us();
	typist->vocabulary =
		weft_vocabulary_new((const WeftWord *)(const void *)typist->words->data,
				    typist->words->len, &error);
	g_assert_no_error(error);
	fprintf(stderr, "vocabulary of %u tokens, %u nodes: %.1f ms\n", typist->words->len,
		typist->vocabulary->all.n_nodes, (now_us() - begin) / 1e3);
	typist->masks = weft_masks_new(typist->vocabulary, kept_bytes);
	typist->ids = g_new(gint32, typist->words->len);
}

static const WeftWord *word_at(const Typist *typist, gint32 id)
{
	return &g_array_index(typist->words, WeftWord, id);
}

static gint32 pick(Typist *typist, const WeftMask *mask)
{
	gint32 n = 0, n_tokens = (gint32)typist->words->len;
	if (mask->n_ids > 0 && (!mask->bits || g_rand_int_range(typist->dice, 0, 4) == 0))
		return mask->ids[g_rand_int_range(typist->dice, 0, (gint32)mask->n_ids)];
	for (int try = 0; mask->bits && try < 50; try++) {
		gint32 id = g_rand_int_range(typist->dice, 0, n_tokens);
		if (mask->bits[id / 64] >> (id % 64) & 1)
			return id;
	}
	for (gint32 id = 0; mask->bits && id < n_tokens; id++)
		if (mask->bits[id / 64] >> (id % 64) & 1)
			typist->ids[n++] = id;
	for (gsize i = 0; n == 0 && i < mask->n_ids; i++) /* no bit is set */
		typist->ids[i] = mask->ids[i];
	n = n > 0 ? n : (gint32)mask->n_ids;
	return n > 0 ? typist->ids[g_rand_int_range(typist->dice, 0, n)] : -1;
}

static WeftSchema *compile(Typist *typist, const char *text, gsize i, double *ret_us)
{
	GError *error = NULL;
	double begin = now_us();
	WeftSchema *schema = weft_schema_new(text, strlen(text), NULL, &error);
	*ret_us = now_us() - begin;
	if (schema)
		return schema;
	weft_json_write_key(&typist->writer, "schema");
	weft_json_write_uint(&typist->writer, i);
	weft_json_write_key(&typist->writer, "refused");
	weft_json_write_string(&typist->writer, error->message);
	g_error_free(error);
	return NULL;
}

static void write_times(Typist *typist, const GArray *times)
{
	weft_json_write_key(&typist->writer, "mask_us");
	weft_json_write_array(&typist->writer);
	for (guint i = 0; i < times->len; i++)
		weft_json_write_rounded(&typist->writer, g_array_index(times, double, i), 2);
	weft_json_write_array_end(&typist->writer);
}

static void begin_line(Typist *typist)
{
	g_string_truncate(typist->line, 0);
	weft_json_writer_init(&typist->writer, typist->line);
	weft_json_write_object(&typist->writer);
}

static void end_line(Typist *typist)
{
	weft_json_write_object_end(&typist->writer);
	puts(typist->line->str);
}

static void type(Typist *typist, const WeftSchema *schema, gsize budget, GString *text,
		 gsize *ret_n_tokens)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	WeftConstraint now;
	gsize n_left = MIN(budget, DOCUMENT_TOKENS_MAX + weft_schema_min_bytes(schema)), n = 0;
	weft_constraint_init(&now, schema, levels, NULL, 0);
	while (!weft_constraint_is_closed(&now)) {
		WeftMask mask = weft_masks_find(typist->masks, &now, n_left);
		gint32 id = pick(typist, &mask);
		gboolean is_complete = weft_constraint_is_complete(&now);
		if (is_complete && (id < 0 || g_rand_int_range(typist->dice, 0, 4) == 0))
			break;
		if (id < 0)
			break; /* a dead end, which the judge sees */
		const WeftWord *word = word_at(typist, id);
		for (guint32 i = 0; i < word->size_bytes; i++)
			if (!weft_constraint_advance(&now, (guint8)word->bytes[i]))
				abort();
		g_string_append_len(text, word->bytes, word->size_bytes);
		n_left--;
		n++;
	}
	*ret_n_tokens = n;
}

static void type_all(Typist *typist, const char *path, gsize n_documents)
{
	static const gsize extras[] = {0, 1, 2, 5, 12, 30, 80, 200, 500, 1500};
	g_auto(GStrv) schemas = read_lines(path);
	for (gsize i = 0; schemas[i]; i++) {
		double compile_us;
		begin_line(typist);
		g_autoptr(WeftSchema) schema = compile(typist, schemas[i], i, &compile_us);
		if (!schema)
			end_line(typist);
		for (gsize k = 0; schema && k < n_documents; k++) {
			gsize n, budget = weft_schema_min_bytes(schema) +
					  extras[k % G_N_ELEMENTS(extras)];
			g_autoptr(GString) text = g_string_new(NULL);
			type(typist, schema, budget, text, &n);
			begin_line(typist);
			weft_json_write_key(&typist->writer, "schema");
			weft_json_write_uint(&typist->writer, i);
			weft_json_write_key(&typist->writer, "compile_us");
			weft_json_write_rounded(&typist->writer, compile_us, 1);
			weft_json_write_key(&typist->writer, "budget");
			weft_json_write_uint(&typist->writer, budget);
			weft_json_write_key(&typist->writer, "tokens");
			weft_json_write_uint(&typist->writer, n);
			weft_json_write_key(&typist->writer, "text");
			/* Not as a text: what is wrong with it shall be seen. */
			g_autofree char *spelled =
				g_base64_encode((const guchar *)text->str, text->len);
			weft_json_write_string(&typist->writer, spelled);
			end_line(typist);
		}
	}
}

/* How many tokens lie in forced runs, as a request would append them. */
static gsize follow(Typist *typist, const WeftSchema *schema, char **ids, GArray *times,
		    gsize *ret_n_forced, double *ret_advance_us)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	WeftConstraint now;
	weft_constraint_init(&now, schema, levels, NULL, 0);
	for (gsize i = 0; ids[i]; i++) {
		gint32 id = atoi(ids[i]);
		const WeftWord *word = word_at(typist, id);
		double begin = now_us();
		WeftMask mask = weft_masks_find(typist->masks, &now, 100000);
		double time = now_us() - begin;
		g_array_append_val(times, time);
		if (!weft_mask_has(&mask, id))
			return i;
		gboolean is_forced = TRUE;
		begin = now_us();
		for (guint32 j = 0; j < word->size_bytes; j++) {
			is_forced = is_forced && weft_constraint_forced(&now) == (guint8)word->bytes[j];
			(void)weft_constraint_advance(&now, (guint8)word->bytes[j]); /* it may */
		}
		*ret_advance_us += now_us() - begin;
		*ret_n_forced += is_forced ? 1 : 0;
	}
	return G_MAXSIZE;
}

static void follow_all(Typist *typist, const char *path)
{
	g_auto(GStrv) cases = read_lines(path);
	for (gsize i = 0; cases[i]; i++) {
		double compile_us, advance_us = 0;
		gsize n_forced = 0;
		char *tab = strchr(cases[i], '\t');
		*tab = '\0';
		begin_line(typist);
		g_autoptr(WeftSchema) schema = compile(typist, cases[i], i, &compile_us);
		if (!schema) {
			end_line(typist);
			continue;
		}
		g_auto(GStrv) ids = g_strsplit(tab + 1, " ", -1);
		g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
		gsize at = follow(typist, schema, ids, times, &n_forced, &advance_us);
		weft_json_write_key(&typist->writer, "schema");
		weft_json_write_uint(&typist->writer, i);
		weft_json_write_key(&typist->writer, "compile_us");
		weft_json_write_rounded(&typist->writer, compile_us, 1);
		weft_json_write_key(&typist->writer, "rejected");
		weft_json_write_int(&typist->writer, at == G_MAXSIZE ? -1 : (gint64)at);
		weft_json_write_key(&typist->writer, "forced");
		weft_json_write_uint(&typist->writer, n_forced);
		weft_json_write_key(&typist->writer, "advance_us");
		weft_json_write_rounded(&typist->writer, advance_us, 1);
		write_times(typist, times);
		end_line(typist);
	}
}

int main(int argc, char **argv)
{
	Typist typist = {0};
	if (argc != 5 && argc != 6) {
		fputs("typist type WORDS SCHEMAS N SEED | typist follow WORDS CASES KEPT\n", stderr);
		return 2;
	}
	typist.line = g_string_new(NULL);
	read_words(&typist, argv[2], argc == 6 ? WEFT_MASKS_BYTES_MAX : (gsize)atol(argv[4]));
	if (argc == 6) {
		typist.dice = g_rand_new_with_seed((guint32)atoi(argv[5]));
		type_all(&typist, argv[3], (gsize)atoi(argv[4]));
		g_rand_free(typist.dice);
	} else {
		follow_all(&typist, argv[3]);
	}
	for (guint i = 0; i < typist.words->len; i++)
		g_free((gpointer)word_at(&typist, (gint32)i)->bytes);
	g_array_unref(typist.words);
	weft_masks_free(typist.masks);
	weft_vocabulary_free(typist.vocabulary);
	g_free(typist.ids);
	g_string_free(typist.line, TRUE);
	return 0;
}
