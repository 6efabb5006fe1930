/* The names that releases and re-saves give to the same tensors: same bits under all of them. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/bytes.h"
#include "golden.h"

#define FOLDER_FILES 4

static const char *const FILES[FOLDER_FILES] = {"config.json", "generation_config.json",
						"preprocessor_config.json", "model.safetensors"};

/* The header with every `old` at the begin of a name replaced, in front of the same data. */
static GString *rename_header(const char *bytes, gsize size_bytes, const char *const *pairs)
{
	WeftBytes reader = weft_bytes(bytes, size_bytes);
	guint64 n = 0;
	g_assert_true(weft_bytes_le64(&reader, &n));
	g_autoptr(GString) header = g_string_new_len(bytes + 8, (gssize)n);
	for (; *pairs; pairs += 2) {
		g_autofree char *old = g_strdup_printf("\"%s", pairs[0]);
		g_autofree char *new = g_strdup_printf("\"%s", pairs[1]);
		g_assert_cmpuint(g_string_replace(header, old, new, 0), >, 0);
	}
	guint64 length = GUINT64_TO_LE(header->len);
	GString *file = g_string_new_len((const char *)&length, 8);
	g_string_append_len(file, header->str, (gssize)header->len);
	g_string_append_len(file, bytes + 8 + n, (gssize)(size_bytes - 8 - n));
	return file;
}

static char *renamed_folder(const char *name, const char *const *pairs)
{
	char *folder = g_dir_make_tmp("weft-names-XXXXXX", NULL);
	for (gsize i = 0; i < FOLDER_FILES; i++) {
		g_autofree char *source = g_build_filename(TEST_GOLDEN, name, FILES[i], NULL);
		g_autofree char *target = g_build_filename(folder, FILES[i], NULL);
		g_autofree char *bytes = NULL;
		gsize size_bytes;
		if (!g_file_get_contents(source, &bytes, &size_bytes, NULL))
			continue;
		g_autoptr(GString) text = g_str_has_suffix(FILES[i], ".json") ?
						  g_string_new_len(bytes, (gssize)size_bytes) :
						  rename_header(bytes, size_bytes, pairs);
		g_assert_true(g_file_set_contents(target, text->str, (gssize)text->len, NULL));
	}
	return folder;
}

static void remove_folder(const char *folder)
{
	for (gsize i = 0; i < FOLDER_FILES; i++) {
		g_autofree char *path = g_build_filename(folder, FILES[i], NULL);
		(void)g_remove(path); /* not every folder has every file */
	}
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void check_renamed(const char *name, const char *const *pairs)
{
	g_autofree char *folder = renamed_folder(name, pairs);
	g_autoptr(Golden) published = golden_open(name, NULL, 2);
	g_autoptr(Golden) renamed = golden_open_folder(folder, NULL, 2);
	g_autoptr(WeftSequence) sequence = golden_sequence(published, name, "short");
	g_autofree float *want = golden_run(published, sequence, FALSE, TRUE);
	g_autofree float *have = golden_run(renamed, sequence, FALSE, TRUE);
	gsize size = weft_sequence_length(sequence) * weft_model_vocab(published->model) *
		     sizeof(float);

	g_assert_cmpmem(want, size, have, size);
	g_assert_cmpuint(weft_bundle_n_tensors(published->bundle), ==,
			 weft_bundle_n_tensors(renamed->bundle));
	if (weft_bundle_config(renamed->bundle)->has_vision) {
		g_assert_nonnull(weft_bundle_find(renamed->bundle, "vision_model.class_embedding"));
		g_assert_nonnull(
			weft_bundle_find(renamed->bundle, "multi_modal_projector.linear_1.weight"));
	}
	remove_folder(folder);
}

/* Llama4ForConditionalGeneration: as published, and as the module tree of transformers 5 is. */
static void test_nested(void)
{
	static const char *const tree[] = {"language_model.model.", "model.language_model.",
					   "language_model.lm_head.", "lm_head.",
					   "vision_model.", "model.vision_model.",
					   "multi_modal_", "model.multi_modal_", NULL};
	static const char *const wrapped[] = {"language_model.", "model.language_model.",
					      "vision_model.", "model.vision_model.",
					      "multi_modal_", "model.multi_modal_", NULL};
	check_renamed("scout", tree);
	check_renamed("scout", wrapped);
	check_renamed("guard4", tree);
}

/* Text alone: of the bare model, and kept inside the wrappers. */
static void test_text(void)
{
	static const char *const bare[] = {"model.", "", NULL};
	static const char *const kept[] = {"model.", "language_model.model.", "lm_head.",
					   "language_model.lm_head.", NULL};
	static const char *const tree[] = {"model.", "model.language_model.", NULL};
	check_renamed("scout_text", bare);
	check_renamed("scout_text", kept);
	check_renamed("scout_text", tree);
	check_renamed("llama31", bare);
	check_renamed("mixtral_fused", bare);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/names/nested", test_nested);
	g_test_add_func("/names/text", test_text);
	return g_test_run();
}
