#include "pipeline/answers.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

#define ENTRY_ANSWER 32u
#define VALUES_MAX 100000u

struct WeftAnswers {
	GHashTable *by_window; /* GUINT_TO_POINTER(number) -> Known */
};

typedef struct Known {
	WeftAsked asked;
	WeftAnswer *answer; /* NULL: it was taken */
} Known;

static void known_free(void *data)
{
	Known *known = data;

	weft_answer_free(known->answer);
	g_free(known);
}

void weft_answers_key(const char *id, const char *content_key, guint round, char ret_key[65])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *text = g_strdup_printf("answers 2\n%s\n%s\n%u\n", id, content_key, round);

	g_checksum_update(sum, (const guchar *)text, -1);
	g_strlcpy(ret_key, g_checksum_get_string(sum), 65);
}

static void hash_piece(GChecksum *sum, const WeftWindowPiece *piece)
{
	const WeftPart *part = piece->part;
	g_autofree char *head = g_strdup_printf(
		"%u %u %d %d %.17g %.17g %zu\n", piece->content, piece->anchor.page,
		part != NULL ? (int)part->kind : -1, piece->single_tile,
		piece->anchor.has_time ? piece->anchor.time[0] : -1,
		piece->anchor.has_time ? piece->anchor.time[1] : -1,
		piece->text != NULL ? strlen(piece->text) : 0);

	g_checksum_update(sum, (const guchar *)head, -1);
	if (piece->speaker != NULL) {
		g_autofree char *speaker =
			g_strdup_printf("%zu %s\n", strlen(piece->speaker), piece->speaker);

		g_checksum_update(sum, (const guchar *)speaker, -1);
	}
	if (piece->text != NULL)
		g_checksum_update(sum, (const guchar *)piece->text, -1);
	if (part != NULL) {
		g_autofree char *sizes =
			g_strdup_printf("%u %u %zu\n", part->raster.width, part->raster.height,
					part->pcm.n_samples);

		g_checksum_update(sum, (const guchar *)sizes, -1);
	}
	if (piece->n_rows > 0) {
		g_autofree char *rows =
			g_strdup_printf("%zu %zu\n", piece->row_first, piece->n_rows);

		g_checksum_update(sum, (const guchar *)rows, -1);
	}
}

void weft_asked_set_window(WeftAsked *asked, const WeftWindow *window)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	asked->number = window->number;
	asked->has_done = window->has_done;
	asked->done = window->done;
	for (guint i = 0; i < window->pieces->len; i++)
		hash_piece(sum, g_ptr_array_index(window->pieces, i));
	g_strlcpy(asked->digest, g_checksum_get_string(sum), sizeof asked->digest);
}

/* ---- writing ---- */

static void put_text(GByteArray *bytes, const char *text)
{
	gsize size = strlen(text);

	weft_bytes_put_le32(bytes, (guint32)MIN(size, G_MAXUINT32));
	g_byte_array_append(bytes, (const guint8 *)text, (guint)MIN(size, G_MAXUINT32));
}

static void put_anchor(GByteArray *bytes, const WeftAnchor *at)
{
	weft_bytes_put_le32(bytes, at->document);
	weft_bytes_put_le32(bytes, at->page);
	weft_bytes_put_le32(bytes, at->track);
	weft_bytes_put_u8(bytes, (at->has_bbox ? 1 : 0) | (at->has_time ? 2 : 0));
	for (int i = 0; i < 4; i++)
		weft_bytes_put_f64(bytes, at->bbox[i]);
	for (int i = 0; i < 2; i++)
		weft_bytes_put_f64(bytes, at->time[i]);
}

/* Where the model looked, and why a null is one: a byte has whether and which. */
static void put_pointed(GByteArray *bytes, const WeftPointed *pointed, WeftDecline decline)
{
	weft_bytes_put_u8(bytes, (guint8)((pointed->is_known ? 1 : 0) | decline << 1));
	if (!pointed->is_known)
		return;
	weft_bytes_put_u8(bytes, (guint8)pointed->kind);
	weft_bytes_put_le32(bytes, pointed->content);
	put_anchor(bytes, &pointed->at);
	weft_bytes_put_f64(bytes, pointed->share);
	weft_bytes_put_f64(bytes, pointed->patch);
}

static void put_asked(GByteArray *bytes, const WeftAsked *asked)
{
	weft_bytes_put_le32(bytes, asked->number);
	put_text(bytes, asked->digest);
	weft_bytes_put_u8(bytes, asked->has_done != FALSE);
	put_anchor(bytes, &asked->done);
}

GByteArray *weft_answers_entry(const WeftAsked *asked, const WeftAnswer *answer)
{
	GByteArray *bytes = g_byte_array_new();

	put_asked(bytes, asked);
	weft_bytes_put_u8(bytes, answer->is_cut != FALSE);
	weft_bytes_put_u8(bytes, answer->cut_pointer != NULL);
	if (answer->cut_pointer != NULL)
		put_text(bytes, answer->cut_pointer);
	weft_bytes_put_f64(bytes, answer->confidence);
	weft_bytes_put_f64(bytes, answer->watched_probability);
	weft_bytes_put_le64(bytes, answer->n_text);
	weft_bytes_put_le64(bytes, answer->n_patch);
	weft_bytes_put_le64(bytes, answer->n_audio);
	weft_bytes_put_le64(bytes, answer->n_generated);
	put_text(bytes, answer->json);
	weft_bytes_put_le32(bytes, answer->values->len);
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);

		put_text(bytes, value->pointer);
		weft_bytes_put_le64(bytes, value->byte_first);
		weft_bytes_put_le64(bytes, value->byte_end);
		weft_bytes_put_f64(bytes, value->confidence);
		put_pointed(bytes, &value->pointed, value->decline);
	}
	return bytes;
}

void weft_answers_write(WeftJournal *journal, guint32 window, const GByteArray *entry)
{
	weft_journal_add(journal, ENTRY_ANSWER, entry->data, entry->len);
	weft_journal_mark(journal, (guint64)window + 1);
	weft_journal_flush(journal);
}

/* ---- reading: the first thing that does not fit sets `failed` ---- */

typedef struct In {
	WeftBytes bytes;
	gboolean failed;
} In;

static guint64 take(In *in, guint n_bytes)
{
	const guint8 *data;
	guint64 value = 0;

	if (in->failed || !weft_bytes_take(&in->bytes, n_bytes, &data)) {
		in->failed = TRUE;
		return 0;
	}
	for (guint i = 0; i < n_bytes; i++)
		value |= (guint64)data[i] << (8 * i);
	return value;
}

static double take_double(In *in)
{
	guint64 bits = take(in, 8);
	double value;

	memcpy(&value, &bits, sizeof value);
	if (isfinite(value))
		return value;
	in->failed = TRUE;
	return 0;
}

static char *take_text(In *in)
{
	gsize size = (gsize)take(in, 4);
	const guint8 *data;

	if (!in->failed && weft_bytes_take(&in->bytes, size, &data) &&
	    g_utf8_validate((const char *)data, (gssize)size, NULL))
		return g_strndup((const char *)data, size);
	in->failed = TRUE;
	return NULL;
}

static void take_anchor(In *in, WeftAnchor *at)
{
	guint64 flags;

	at->document = (guint32)take(in, 4);
	at->page = (guint32)take(in, 4);
	at->track = (guint32)take(in, 4);
	flags = take(in, 1);
	at->has_bbox = (flags & 1) != 0;
	at->has_time = (flags & 2) != 0;
	for (int i = 0; i < 4; i++)
		at->bbox[i] = take_double(in);
	for (int i = 0; i < 2; i++)
		at->time[i] = take_double(in);
}

static void take_pointed(In *in, WeftPointed *pointed, WeftDecline *decline)
{
	guint64 kind, flags = take(in, 1);

	pointed->is_known = (flags & 1) != 0;
	*decline = (WeftDecline)(flags >> 1);
	if (flags >> 1 > WEFT_DECLINE_NOT_EXAMINED) {
		*decline = WEFT_DECLINE_NONE;
		in->failed = TRUE;
	}
	if (!pointed->is_known)
		return;
	kind = take(in, 1);
	if (kind > WEFT_SPAN_AUDIO)
		in->failed = TRUE;
	pointed->kind = (WeftSpanKind)kind;
	pointed->content = (guint32)take(in, 4);
	take_anchor(in, &pointed->at);
	pointed->share = take_double(in);
	pointed->patch = take_double(in);
}

static void take_asked(In *in, WeftAsked *asked)
{
	g_autofree char *digest = NULL;

	asked->number = (guint32)take(in, 4);
	digest = take_text(in);
	g_strlcpy(asked->digest, digest != NULL ? digest : "", sizeof asked->digest);
	asked->has_done = take(in, 1) != 0;
	take_anchor(in, &asked->done);
}

static void take_values(In *in, WeftAnswer *answer)
{
	guint64 n_values = take(in, 4);
	gsize size = answer->json != NULL ? strlen(answer->json) : 0;

	if (n_values > VALUES_MAX)
		in->failed = TRUE;
	for (guint64 i = 0; i < n_values && !in->failed; i++) {
		WeftAnswerValue value = {.pointer = take_text(in)};

		value.byte_first = (gsize)take(in, 8);
		value.byte_end = (gsize)take(in, 8);
		value.confidence = take_double(in);
		take_pointed(in, &value.pointed, &value.decline);
		if (in->failed || value.byte_first > value.byte_end || value.byte_end > size) {
			in->failed = TRUE;
			g_free(value.pointer);
		} else {
			g_array_append_val(answer->values, value);
		}
	}
}

static Known *read_entry(const guint8 *data, gsize size_bytes)
{
	In in = {weft_bytes(data, size_bytes), FALSE};
	Known *known = g_new0(Known, 1);
	WeftAnswer *answer = weft_answer_new();

	known->answer = answer;
	take_asked(&in, &known->asked);
	answer->is_cut = take(&in, 1) != 0;
	if (take(&in, 1) != 0)
		answer->cut_pointer = take_text(&in);
	answer->confidence = take_double(&in);
	answer->watched_probability = take_double(&in);
	answer->n_text = take(&in, 8);
	answer->n_patch = take(&in, 8);
	answer->n_audio = take(&in, 8);
	answer->n_generated = take(&in, 8);
	answer->json = take_text(&in);
	take_values(&in, answer);
	if (!in.failed && weft_bytes_left(&in.bytes) == 0)
		return known;
	known_free(known);
	return NULL;
}

WeftAnswers *weft_answers_read(WeftJournalReader *reader)
{
	g_autoptr(WeftAnswers) answers = g_new0(WeftAnswers, 1);
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;

	answers->by_window = g_hash_table_new_full(NULL, NULL, NULL, known_free);
	while (reader != NULL && weft_journal_next(reader, &kind, &data, &size_bytes, NULL) &&
	       kind != 0) {
		Known *known = kind == ENTRY_ANSWER ? read_entry(data, size_bytes) : NULL;

		if (known != NULL)
			g_hash_table_replace(answers->by_window,
					     GUINT_TO_POINTER(known->asked.number), known);
	}
	return g_hash_table_size(answers->by_window) > 0 ? g_steal_pointer(&answers) : NULL;
}

void weft_answers_free(WeftAnswers *answers)
{
	if (answers == NULL)
		return;
	g_hash_table_unref(answers->by_window);
	g_free(answers);
}

WeftAnswer *weft_answers_take(WeftAnswers *answers, const WeftAsked *asked)
{
	Known *known = g_hash_table_lookup(answers->by_window, GUINT_TO_POINTER(asked->number));

	if (known == NULL || strcmp(known->asked.digest, asked->digest) != 0)
		return NULL;
	return g_steal_pointer(&known->answer);
}

gboolean weft_answers_last_part(const WeftAnswers *answers, WeftAnchor *ret_at)
{
	const Known *known;
	gboolean is_found = FALSE;

	for (guint32 i = 0;
	     (known = g_hash_table_lookup(answers->by_window, GUINT_TO_POINTER(i))) != NULL; i++) {
		if (known->asked.has_done) {
			*ret_at = known->asked.done;
			is_found = TRUE;
		}
	}
	return is_found;
}
