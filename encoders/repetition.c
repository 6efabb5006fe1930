#include "encoders/repetition.h"

#include <string.h>

#include "encoders/whisper_text.h"
#include "encoders/whisper_window.h"

#define PERIOD_MAX 32
#define REPEATS_MIN 4
#define TOKENS_MIN 12
#define SHARE_MIN 0.6
/* Times in a row that the same segment may come, and that one of one or two words may. */
#define SAME_MAX 2
#define SAME_SHORT_MAX 5
#define SHORT_WORDS 2

static gboolean runs_in_circles(const guint32 *ids, gsize n_ids)
{
	for (gsize period = 1; period <= PERIOD_MAX && period * REPEATS_MIN <= n_ids; period++) {
		gsize n_same = 0; /* tokens that equal the one a period before, in a row */

		for (gsize i = period; i < n_ids; i++) {
			n_same = ids[i] == ids[i - period] ? n_same + 1 : 0;
			gsize run = n_same + period;

			if (n_same >= period * (REPEATS_MIN - 1) && run >= TOKENS_MIN &&
			    (double)run >= SHARE_MIN * (double)n_ids)
				return TRUE;
		}
	}
	return FALSE;
}

/* FNV-1a of the words in small letters, a blank between them; 0 words: 0. */
static guint64 hash_words(const char *text, gsize *ret_n_words)
{
	g_autofree char *small = g_utf8_casefold(text, -1);
	g_auto(GStrv) words = g_strsplit_set(small, " \t\r\n", -1);
	guint64 hash = 0xcbf29ce484222325u;
	gsize n = 0;

	for (gsize i = 0; words[i]; i++) {
		if (!words[i][0])
			continue;
		for (const char *p = words[i]; *p; p++)
			hash = (hash ^ (guint8)*p) * 0x100000001b3u;
		hash = (hash ^ ' ') * 0x100000001b3u;
		n++;
	}
	*ret_n_words = n;
	return n ? hash : 0;
}

gboolean weft_repetition_catches(WeftRepetition *repetition, const guint32 *ids, gsize n_ids,
				 const char *text)
{
	gsize n_words;
	guint64 hash = hash_words(text, &n_words);

	if (hash != repetition->last)
		repetition->n_last = 0;
	repetition->last = hash;
	if (repetition->n_last < G_MAXUINT32)
		repetition->n_last++;
	return repetition->n_last > (n_words > SHORT_WORDS ? SAME_MAX : SAME_SHORT_MAX) ||
	       runs_in_circles(ids, n_ids) ||
	       weft_whisper_text_compression(text, strlen(text)) > WEFT_WINDOW_COMPRESSION_MAX;
}
