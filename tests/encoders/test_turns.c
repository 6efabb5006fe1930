/* A request in Mixtral's turns over a SentencePiece vocabulary: parts are encoded one after the
 * other, and give the ids of the whole rendered prompt (which test_tokenizers holds against
 * transformers). The bundle is the fixture mixtral with another tokenizer. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/files.h"
#include "encoders/encoders.h"

#define CHAT "{{ bos_token }}{{ '[INST] ' + system + '\\n\\n' + user + ' [/INST]' }}"
#define SYSTEM "Answer with JSON."
#define TEXT "The letter arrived on Monday,\n  and  nobody had opened it."
#define RENDERED                                                                                   \
	"<s>[INST] " SYSTEM "\n\n<document>\n[p. 3]\n" TEXT "\n</document>\n\nWho opened it? [/INST]"

static char *make_folder(void)
{
	static const char *const files[][2] = {
		{WEFT_FAMILY "/mixtral/config.json", "config.json"},
		{WEFT_FAMILY "/tokenizers/small-pieces.model", "tokenizer.model"},
	};
	char *folder = g_dir_make_tmp("weft-turns-XXXXXX", NULL);
	g_autofree char *chat = g_build_filename(folder, "chat_template.jinja", NULL);

	g_assert_true(weft_file_write(chat, CHAT, strlen(CHAT), NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *to = g_build_filename(folder, files[i][1], NULL);
		g_autofree char *bytes = NULL;
		gsize size_bytes;
		g_assert_true(weft_file_read(files[i][0], 1 << 20, &bytes, &size_bytes, NULL));
		g_assert_true(weft_file_write(to, bytes, size_bytes, NULL));
	}
	return folder;
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = {"config.json", "tokenizer.model",
					    "chat_template.jinja"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(folder, names[i], NULL);
		g_assert_cmpint(g_unlink(file), ==, 0);
	}
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void test_parts(void)
{
	g_autofree char *folder = make_folder();
	Opened opened = check_open(folder, NULL);
	g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GError) error = NULL;
	const WeftPassage passage = {.text = TEXT, .size_bytes = strlen(TEXT), .at = {.page = 3}};
	WeftRequest *request = weft_request_new(opened.encoders, SYSTEM);

	g_assert_cmpstr(weft_template_family(weft_bundle_template(opened.bundle)), ==, "mixtral");
	g_assert_true(weft_request_add_text(request, &passage, &error));
	g_assert_no_error(error);
	g_autoptr(WeftSequence) sequence =
		weft_request_finish(request, " Who opened it?\n", &error);
	weft_tokenizer_encode(weft_bundle_tokenizer(opened.bundle), RENDERED, strlen(RENDERED),
			      TRUE, whole);
	/* The fixture's configuration has another BOS. */
	g_assert_cmpint(g_array_index(whole, gint32, 0), ==, 1);
	g_assert_cmpint(g_array_index(sequence->ids, gint32, 0), ==,
			weft_bundle_config(opened.bundle)->text.bos_id);
	g_assert_cmpmem(sequence->ids->data + 4, (sequence->ids->len - 1) * 4, whole->data + 4,
			(whole->len - 1) * 4);
	check_close(&opened);
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/turns/parts", test_parts);
	return g_test_run();
}
