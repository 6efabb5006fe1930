#include "bundle/chat.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "bundle/gguf.h"

#define FILE_BYTES_MAX ((gsize)16 << 20)

/* The template in the member chat_template, or NULL. */
static const char *member_text(const WeftJson *file)
{
	const WeftJson *member = weft_json_member(file, "chat_template");
	const char *text = weft_json_string(member, NULL);

	for (gsize i = 0; !text && i < weft_json_length(member); i++) {
		const WeftJson *item = weft_json_at(member, i);
		const char *name = weft_json_string(weft_json_member(item, "name"), NULL);
		if (g_strcmp0(name, "default") == 0)
			text = weft_json_string(weft_json_member(item, "template"), NULL);
	}
	return text;
}

static gboolean take_member(WeftChat *chat, const char *name, const char *text, gsize size_bytes,
			    GError **error)
{
	g_autoptr(GError) fault = NULL;
	g_autoptr(WeftJson) file =
		weft_json_parse(text, size_bytes, WEFT_JSON_ALLOW_DUPLICATES, &fault);

	if (!file) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", name, fault->message);
		return FALSE;
	}
	const char *found = member_text(file);
	if (found) {
		chat->text = g_strdup(found);
		chat->source = g_strdup_printf("chat_template of %s", name);
	}
	return TRUE;
}

gboolean weft_chat_open(WeftChat *chat, const char *path, GError **error)
{
	static const char *const names[] = {"chat_template.jinja", "chat_template.json",
					    "tokenizer_config.json"};

	for (gsize i = 0; i < G_N_ELEMENTS(names) && !chat->text; i++) {
		g_autofree char *file = g_build_filename(path, names[i], NULL);
		g_autofree char *text = NULL;
		gsize size_bytes;
		if (!g_file_test(file, G_FILE_TEST_EXISTS))
			continue;
		if (!weft_file_read(file, FILE_BYTES_MAX, &text, &size_bytes, error))
			return FALSE;
		if (i == 0) {
			chat->text = g_strndup(text, size_bytes);
			chat->source = g_strdup(names[i]);
		} else if (!take_member(chat, names[i], text, size_bytes, error)) {
			return FALSE;
		}
	}
	return TRUE;
}

void weft_chat_open_gguf(WeftChat *chat, const WeftGguf *gguf)
{
	gsize size_bytes;
	const char *text =
		weft_gguf_text(weft_gguf_value(gguf, "tokenizer.chat_template"), &size_bytes);

	if (text) {
		chat->text = g_strndup(text, size_bytes);
		chat->source =
			g_strdup_printf("tokenizer.chat_template of %s", weft_gguf_file(gguf));
	}
}

void weft_chat_done(WeftChat *chat)
{
	g_free(chat->text);
	g_free(chat->source);
}
