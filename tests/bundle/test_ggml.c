/* Files of whisper.cpp byte by byte: what they hold, cut anywhere, and such as lie. That real ones
 * are read right is tests/cli/test_whisper.py's. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "bundle/ggml.h"

typedef struct Lie {
	guint32 n_vocab, text_width, n_mels, n_spectrum, ftype, n_words, word_bytes, n_dims, name_bytes,
		type, size, n_tensors;
	const char *name;
} Lie;

/* One tensor of 32 x 2 numbers in q8_0; enough of a vocabulary for nothing. */
static const Lie HONEST = { .n_vocab = 51865, .text_width = 32, .n_mels = 1, .n_spectrum = 201,
			    .ftype = 2007, .n_words = 2, .word_bytes = 1, .n_dims = 2,
			    .name_bytes = 39, .type = 8, .size = 32, .n_tensors = 1,
			    .name = "decoder.blocks.0.cross_attn.query.weight" };

static void put(GByteArray *to, guint32 number)
{
	guint32 little = GUINT32_TO_LE(number);
	g_byte_array_append(to, (const guint8 *)&little, sizeof little);
}

static GByteArray *write_file(const Lie *lie)
{
	GByteArray *to = g_byte_array_new();
	const guint32 sizes[] = { lie->n_vocab, 20, 32, 4, 1, 16, lie->text_width, 2, 1,
				  lie->n_mels, lie->ftype };
	static const guint8 zeros[4096];

	g_byte_array_append(to, (const guint8 *)"lmgg", 4);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
		put(to, sizes[i]);
	put(to, 1);
	put(to, lie->n_spectrum);
	g_byte_array_append(to, zeros, 201 * 4);
	put(to, lie->n_words);
	for (int i = 0; i < 2; i++) {
		put(to, lie->word_bytes);
		g_byte_array_append(to, (const guint8 *)&"ab"[i], 1);
	}
	for (guint32 i = 0; i < lie->n_tensors; i++) {
		put(to, lie->n_dims);
		put(to, lie->name_bytes == HONEST.name_bytes ? (guint32)strlen(lie->name) :
							       lie->name_bytes);
		put(to, lie->type);
		put(to, lie->size);
		put(to, 2);
		g_byte_array_append(to, (const guint8 *)lie->name, (guint)strlen(lie->name));
		g_byte_array_append(to, zeros, 2 * 34);
	}
	return to;
}

/* The bytes at an address of their own, so that a sanitizer sees what is read behind them. */
static WeftGgml *read_bytes(const GByteArray *bytes, gsize n, guint8 **copy, GError **error)
{
	*copy = g_memdup2(bytes->data, n);
	return weft_ggml_new("test.bin", *copy, n, error);
}

static void test_good(void)
{
	g_autoptr(GByteArray) bytes = write_file(&HONEST);
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *copy = NULL;
	g_autoptr(WeftGgml) ggml = read_bytes(bytes, bytes->len, &copy, &error);
	const char *text;
	gsize size_bytes;
	gint64 layers;

	g_assert_no_error(error);
	g_assert_cmpuint(weft_ggml_tensors(ggml)->len, ==, 1);
	const WeftTensorEntry *entry = g_ptr_array_index(weft_ggml_tensors(ggml), 0);
	g_assert_cmpstr(entry->name_known, ==, "decoder.layers.0.encoder_attn.q_proj.weight");
	g_assert_cmpuint(entry->view.n_dims, ==, 2);
	g_assert_cmpuint(entry->view.shape[0], ==, 2);
	g_assert_cmpuint(entry->view.shape[1], ==, 32);
	g_assert_cmpint(entry->view.dtype, ==, WEFT_DTYPE_Q8_0);
	g_assert_true(entry->view.data == copy + bytes->len - 68);
	WeftGgmlWords words = weft_ggml_words(ggml);
	for (int i = 0; i < 2; i++) {
		g_assert_true(weft_ggml_words_next(&words, &text, &size_bytes));
		g_assert_cmpmem(text, size_bytes, &"ab"[i], 1);
	}
	g_assert_false(weft_ggml_words_next(&words, &text, &size_bytes));
	g_autofree char *config = weft_ggml_config(ggml);
	g_autoptr(WeftJson) json = weft_json_parse(config, strlen(config), WEFT_JSON_STRICT, &error);
	g_assert_true(weft_json_int(weft_json_member(json, "encoder_layers"), &layers));
	g_assert_cmpint(layers, ==, 1);
	g_assert_true(weft_json_int(weft_json_member(json, "decoder_ffn_dim"), &layers));
	g_assert_cmpint(layers, ==, 128);
}

/* Every shorter file is refused, but where the tensors begin: a vocabulary alone is a file. */
static void test_cut(void)
{
	g_autoptr(GByteArray) bytes = write_file(&HONEST);

	for (gsize n = 0; n < bytes->len; n++) {
		g_autoptr(GError) error = NULL;
		g_autofree guint8 *copy = NULL;
		g_autoptr(WeftGgml) ggml = read_bytes(bytes, n, &copy, &error);

		if (ggml)
			g_assert_cmpuint(n, ==, weft_ggml_header_bytes(ggml));
		else
			g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	}
}

static Lie honest(void)
{
	return HONEST;
}

static void check_lie(Lie lie, const char *words)
{
	g_autoptr(GByteArray) bytes = write_file(&lie);
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *copy = NULL;
	g_autoptr(WeftGgml) ggml = read_bytes(bytes, bytes->len, &copy, &error);

	if (ggml || !strstr(error->message, words))
		g_test_message("%s: %s", words, error ? error->message : "read");
	g_assert_null(ggml);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, words));
}

static void test_lies(void)
{
	Lie lie;
#define CHECK(field, value, words) \
	do {                       \
		lie = honest();    \
		lie.field = value; \
		check_lie(lie, words); \
	} while (0)
	CHECK(n_vocab, 32000, "a vocabulary of 32000; a Whisper of whisper.cpp has 51864");
	CHECK(text_width, 64, "rows of 32 in the encoder, 64 in the decoder");
	CHECK(n_mels, 80, "mel filters of 1 x 201, but the sizes need 80 x 201");
	CHECK(n_spectrum, 0xffffffff, "mel filters of 1 x 4294967295");
	CHECK(n_words, 0xffffffff, "4294967295 words of a vocabulary of 51865");
	CHECK(word_bytes, 0xffffffff, "word 0 has 4294967295 bytes, limit 256");
	CHECK(ftype, 7, "q8_0 of version 0, version 2 is read");
	CHECK(ftype, 1007, "q8_0 of version 1, version 2 is read");
	CHECK(n_dims, 0, "tensor 1: 0 dimensions");
	CHECK(n_dims, 5, "tensor 1: 5 dimensions");
	CHECK(name_bytes, 0, "a name of 0 bytes");
	CHECK(name_bytes, 0xffffffff, "a name of 4294967295 bytes, limit 128");
	CHECK(type, 4, "type 4 is unknown; the f16, q8_0 and q5_0 files");
	CHECK(type, 77, "type 77 is unknown");
	CHECK(size, 0, "size 0 of the shape is 0");
	CHECK(size, 33, "rows of 33 values are no whole blocks of 32");
	CHECK(size, 0xffffffe0, "the file is cut or no such file");
	CHECK(name, "decoder.blocks.0.cross_attn.query.w", "Whisper has none of this name");
	CHECK(name, "decoder.blocks.00.attn.query.weight", "Whisper has none of this name");
	CHECK(name, "decoder.blocks.99999.attn.query.weight", "Whisper has none of this name");
	CHECK(name, "vad.lstm.weight", "Whisper has none of this name");
#undef CHECK
	lie = honest();
	lie.n_tensors = 0;
	lie.n_words = 3;
	check_lie(lie, "vocabulary: the file ends");
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_ggml_new("a.bin", (const guint8 *)"PK\3\4data", 8, &error));
	g_assert_nonnull(strstr(error->message, "of a Hugging Face model name the folder"));
}

static WeftBundle *open_bytes(const GByteArray *bytes, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("weft-ggml-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "ggml-test.bin", NULL);

	g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
	WeftBundle *bundle = weft_bundle_open(path, error);
	g_assert_cmpint(g_remove(path), ==, 0);
	g_assert_cmpint(g_remove(folder), ==, 0);
	return bundle;
}

/* A vocabulary in which not every byte has a word, as the first converters wrote them. */
static void test_bundle(void)
{
	g_autoptr(GByteArray) bytes = write_file(&HONEST);
	g_autoptr(GError) error = NULL;

	g_assert_null(open_bytes(bytes, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "not every byte has a word"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ggml/good", test_good);
	g_test_add_func("/ggml/cut", test_cut);
	g_test_add_func("/ggml/lies", test_lies);
	g_test_add_func("/ggml/bundle", test_bundle);
	return g_test_run();
}
