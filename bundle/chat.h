/* chat.h - the text of a bundle's chat template, and where it stood.
 *
 * chat_template.jinja, else chat_template.json, else the member chat_template of
 * tokenizer_config.json (a string, or a list of named ones of which "default" is taken). Nothing
 * runs it; see template.h. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_CHAT_H
#define WEFT_BUNDLE_CHAT_H

#include <glib.h>

typedef struct WeftChat {
	char *text;   /* NUL-terminated; NULL: the bundle has no template */
	char *source; /* "chat_template of tokenizer_config.json", for messages */
} WeftChat;

/* Looks in the folder `path`. A file that is there and can't be read as its format is an error. */
gboolean weft_chat_open(WeftChat *chat, const char *path, GError **error);
void weft_chat_done(WeftChat *chat);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftChat, weft_chat_done)

#endif
