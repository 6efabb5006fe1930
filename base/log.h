/* log.h - where log lines go, set once by main before any thread.
 *
 * GLib's log calls everywhere, one writer: stderr, a line per event, never stdout. Control
 * characters are escaped, so that a name or a message from a document can't talk to the terminal.
 *   terminal  "weft: warning: text", the level coloured
 *   plain     the same without colour
 *   json      {"level":"warning","room":"weft/ingest","message":"text"}
 * g_debug is shown for the domains named in `debug_domains` (as G_MESSAGES_DEBUG: separated by
 * spaces, "all"), g_info never in quiet mode.
 */
#ifndef WEFT_BASE_LOG_H
#define WEFT_BASE_LOG_H

#include <glib.h>

typedef enum {
	WEFT_LOG_AUTO,     /* terminal when stderr is one, else plain */
	WEFT_LOG_TERMINAL,
	WEFT_LOG_PLAIN,
	WEFT_LOG_JSON,
} WeftLogStyle;

typedef struct WeftLogOptions {
	WeftLogStyle style;
	gboolean is_quiet;          /* warnings and worse only */
	const char *debug_domains;  /* must live as long as the program, or NULL */
} WeftLogOptions;

/* `options` must live as long as the program. Once per process. */
void weft_log_init(const WeftLogOptions *options);

#endif
