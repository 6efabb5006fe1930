/* Constrained answers over a SentencePiece vocabulary: its tokens are spelled with U+2581 and
 * <0x0A>, but what they write are blanks and bytes. The model is the fixture scout with another
 * tokenizer. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/files.h"
#include "golden.h"
#include "judge.h"
#include "model/lexicon.h"
#include "schemas.h"

#define SMALL "tokenizers/small-pieces.model"

static void copy_file(const char *from, const char *folder, const char *to)
{
	g_autofree char *a = g_build_filename(TEST_GOLDEN, from, NULL);
	g_autofree char *b = g_build_filename(folder, to, NULL);
	g_autofree char *bytes = NULL;
	gsize size;
	g_assert_true(weft_file_read(a, 1 << 20, &bytes, &size, NULL));
	g_assert_true(weft_file_write(b, bytes, size, NULL));
}

static Golden *open_with_pieces(void)
{
	static const char *const files[][2] = {
		{"scout/config.json", "config.json"},
		{"scout/model.safetensors", "model.safetensors"},
		{"scout/preprocessor_config.json", "preprocessor_config.json"},
		{SMALL, "tokenizer.model"},
	};
	g_autofree char *folder = g_dir_make_tmp("weft-pieces-XXXXXX", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		copy_file(files[i][0], folder, files[i][1]);
	Golden *golden = golden_open_folder(folder, NULL, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *file = g_build_filename(folder, files[i][1], NULL);
		g_assert_cmpint(g_unlink(file), ==, 0);
	}
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	return golden;
}

/* Blanks and bytes, and no blank that the text does not have. */
static void test_bytes(void)
{
	static const char text[] = "{\"the letter\": \"arrived on x\\u2581\\n\n\t\xe5\xad\x97\"}";
	g_autoptr(Golden) golden = open_with_pieces();
	g_autoptr(WeftLexicon) lexicon =
		weft_lexicon_new(golden->bundle, weft_model_vocab(golden->model), NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) back = g_string_new(NULL);
	gsize n_blank = 0;

	g_assert_nonnull(lexicon);
	weft_lexicon_encode(lexicon, text, strlen(text), ids);
	for (guint i = 0; i < ids->len; i++) {
		const WeftWord *word = &lexicon->tokens[g_array_index(ids, gint32, i)].word;
		g_string_append_len(back, word->bytes, word->size_bytes);
	}
	g_assert_cmpstr(back->str, ==, text);
	g_assert_cmpuint(ids->len, <, strlen(text)); /* not byte by byte */
	for (gsize i = 0; i < lexicon->n_tokens; i++) {
		const WeftWord *word = &lexicon->tokens[i].word;
		n_blank += word->size_bytes > 1 && word->bytes[0] == ' ';
		g_assert_null(word->size_bytes >= 3 ?
				      memmem(word->bytes, word->size_bytes, "\xe2\x96\x81", 3) :
				      NULL);
	}
	g_assert_cmpuint(n_blank, >, 10);
}

static void test_valid(void)
{
	g_autoptr(Golden) golden = open_with_pieces();
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++)
		for (int seed = 0; seed < 3; seed++) {
			GError *error = NULL, *fault = NULL;
			g_autoptr(WeftSchema) schema =
				weft_schema_new(schemas[i], strlen(schemas[i]), NULL, &error);
			WeftGeneration generation = {.schema = schema,
						     .n_tokens_max =
							     weft_schema_min_bytes(schema) + 100,
						     .seed = (guint64)seed,
						     .temperature = 0.8 * seed};
			guint64 ticket, ended;
			WeftAnswer *taken = NULL;
			g_assert_true(weft_model_submit(golden->model,
							golden_sequence(golden, "scout", "short"),
							&generation, &ticket, &error));
			while (!weft_model_take(golden->model, &ended, &taken, &fault))
				g_assert_true(weft_model_step(golden->model, NULL));
			g_assert_no_error(fault);
			g_autoptr(WeftAnswer) answer = taken;
			g_autofree char *wrong = judge(schemas[i], answer->json);
			g_assert_cmpstr(wrong, ==, NULL);
		}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pieces/bytes", test_bytes);
	g_test_add_func("/pieces/valid", test_valid);
	return g_test_run();
}
