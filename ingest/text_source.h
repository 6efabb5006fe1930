/* text_source.h - private: a file of text in any usual encoding, as UTF-8, block by block.
 *
 * The encoding is UTF-8 or UTF-16 by its byte order mark, UTF-8 when it is valid, Windows-1252
 * (a superset of Latin-1) otherwise; that is decided on the first block, and bytes which do not fit
 * later become U+FFFD. No NUL comes out.
 */
#ifndef WEFT_INGEST_TEXT_SOURCE_H
#define WEFT_INGEST_TEXT_SOURCE_H

#include <glib.h>

typedef struct WeftTextSource WeftTextSource;

/* `fd` stays the caller's; read from its beginning. */
WeftTextSource *weft_text_source_new(int fd);
void weft_text_source_free(WeftTextSource *source);

/* Appends the next block to `text`; nothing behind the end. */
gboolean weft_text_source_read(WeftTextSource *source, GString *text, GError **error);
gboolean weft_text_source_has_ended(const WeftTextSource *source);
/* "UTF-8", "UTF-16LE", "UTF-16BE" or "Windows-1252", once something was read. */
const char *weft_text_source_encoding(const WeftTextSource *source);

#endif
