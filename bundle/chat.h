/* chat.h - the text of a bundle's chat template, and where it stood.
 *
 * chat_template.jinja, else chat_template.json, else the member chat_template of
 * tokenizer_config.json (a string, or a list of named ones of which "default" is taken); of a GGUF
 * file its own. Nothing runs it; see template.h. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_CHAT_H
#define WEFT_BUNDLE_CHAT_H

#include <glib.h>

typedef struct WeftGguf WeftGguf;

typedef struct WeftChat {
	char *text;   /* NUL-terminated; NULL: the bundle has no template */
	char *source; /* "chat_template of tokenizer_config.json", for messages */
} WeftChat;

/* Looks in the folder `path`. A file that is there and can't be read as its format is an error. */
gboolean weft_chat_open(WeftChat *chat, const char *path, GError **error);
/* tokenizer.chat_template of a GGUF file. */
void weft_chat_open_gguf(WeftChat *chat, const WeftGguf *gguf);
void weft_chat_done(WeftChat *chat);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftChat, weft_chat_done)

#endif
