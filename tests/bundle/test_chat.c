/* Which of a folder's chat templates is taken, and what is said of a broken file. */
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "bundle/chat.h"

#define JINJA "chat_template.jinja"
#define JSON "chat_template.json"
#define CONFIG "tokenizer_config.json"

static char *folder_with(const char *const files[][2], gsize n)
{
	char *folder = g_dir_make_tmp("weft-chat-XXXXXX", NULL);
	for (gsize i = 0; i < n && files[i][0]; i++) {
		g_autofree char *file = g_build_filename(folder, files[i][0], NULL);
		g_assert_true(g_file_set_contents(file, files[i][1], -1, NULL));
	}
	return folder;
}

static void remove_folder(char *folder)
{
	static const char *const names[] = {JINJA, JSON, CONFIG};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(folder, names[i], NULL);
		(void)g_unlink(file); /* not every folder has every file */
	}
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	g_free(folder);
}

typedef struct Case {
	const char *files[3][2];
	const char *text, *source; /* NULL: none */
} Case;

static void test_which(void)
{
	static const Case cases[] = {
		{{{NULL, NULL}}, NULL, NULL},
		{{{CONFIG, "{\"bos_token\":\"x\"}"}}, NULL, NULL},
		{{{CONFIG, "{\"chat_template\":\"a\"}"}}, "a", "chat_template of " CONFIG},
		{{{CONFIG, "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"t\"},"
			   "{\"name\":\"default\",\"template\":\"d\"}]}"}},
		 "d",
		 "chat_template of " CONFIG},
		{{{CONFIG, "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"t\"}]}"}},
		 NULL,
		 NULL},
		{{{CONFIG, "{\"chat_template\":\"a\"}"}, {JSON, "{\"chat_template\":\"b\"}"}},
		 "b",
		 "chat_template of " JSON},
		{{{CONFIG, "{\"chat_template\":\"a\"}"}, {JSON, "{}"}, {JINJA, "c\n"}},
		 "c\n",
		 JINJA},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *folder = folder_with(cases[i].files, 3);
		g_auto(WeftChat) chat = {0};
		g_autoptr(GError) error = NULL;
		g_assert_true(weft_chat_open(&chat, folder, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(chat.text, ==, cases[i].text);
		g_assert_cmpstr(chat.source, ==, cases[i].source);
		remove_folder(folder);
	}
}

static void test_broken(void)
{
	static const char *const files[][2] = {{CONFIG, "{\"chat_template\":"}};
	char *folder = folder_with(files, 1);
	g_auto(WeftChat) chat = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_chat_open(&chat, folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, CONFIG ": byte 17"));
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/chat/which", test_which);
	g_test_add_func("/chat/broken", test_broken);
	return g_test_run();
}
