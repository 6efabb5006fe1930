#include "pipeline/entry.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ingest/ingest.h"
#include "pipeline/track_sound.h"

enum {
	ENTRY_PART = 16, /* what became of it (u8), part */
	ENTRY_FAULT,     /* stage (u8), part */
	ENTRY_TOKENS,    /* text, patch, audio, generated (u64) */
	ENTRY_SOUNDING,  /* as it is */
	ENTRY_HEARING,   /* as it is */
};

#define N_TOKENS 4

/* Of faults that come before window. */
static const char *const stages[] = {"decode", "read"};

static gboolean is_final(const GError *error)
{
	static const int codes[] = {WEFT_ERROR_CORRUPT,     WEFT_ERROR_TRUNCATED,
				    WEFT_ERROR_UNSUPPORTED, WEFT_ERROR_EMPTY,
				    WEFT_ERROR_LIMIT,       WEFT_ERROR_CONTEXT,
				    WEFT_ERROR_NOT_EXAMINED};

	for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (error->code == codes[i])
			return TRUE;
	}
	return FALSE;
}

/* Entries of a part: one byte before it. A fault that went before leaves its part behind when that
 * says how many pages it is about. */
static void add_part(WeftJournal *journal, guint8 kind, guint8 first, const WeftPart *part)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(WeftPart) told = NULL;

	if (part->kind == WEFT_PART_FAULT && part->fault == NULL) {
		told = weft_part_new(WEFT_PART_FAULT, part->anchor);
		told->page.n = part->page.n;
		told->fault = g_error_new_literal(WEFT_ERROR, WEFT_ERROR_LIMIT, "");
		part = told;
	}
	g_byte_array_append(bytes, &first, 1);
	if (weft_part_write(part, bytes))
		weft_journal_add(journal, kind, bytes->data, bytes->len);
	else
		weft_journal_freeze(journal);
}

static void add_fault(WeftJournal *journal, const WeftPartFault *fault)
{
	g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_FAULT, fault->at);
	guint8 stage = 0;

	while (stage < G_N_ELEMENTS(stages) && strcmp(stages[stage], fault->stage) != 0)
		stage++;
	if (stage == G_N_ELEMENTS(stages) || !is_final(fault->error)) {
		weft_journal_freeze(journal);
		return;
	}
	part->fault = g_error_copy(fault->error);
	add_part(journal, ENTRY_FAULT, stage, part);
}

static void add_tokens(WeftJournal *journal, const WeftAnswer *answer)
{
	const guint64 counts[N_TOKENS] = {answer->n_text, answer->n_patch, answer->n_audio,
					  answer->n_generated};
	guint8 data[N_TOKENS * 8];

	for (guint i = 0; i < sizeof data; i++)
		data[i] = (guint8)(counts[i / 8] >> (i % 8 * 8));
	weft_journal_add(journal, ENTRY_TOKENS, data, sizeof data);
}

void weft_entry_write(WeftJournal *journal, const WeftItem *item)
{
	if (item->kind == WEFT_ITEM_PART)
		add_part(journal, ENTRY_PART, (guint8)item->picture, item->part);
	else if (item->kind == WEFT_ITEM_FAULT)
		add_fault(journal, item->fault);
	else if (item->kind == WEFT_ITEM_ANSWER && item->answer->json == NULL)
		add_tokens(journal, item->answer);
	else if (item->kind == WEFT_ITEM_SOUNDING || item->kind == WEFT_ITEM_HEARING)
		weft_journal_add(journal,
				 item->kind == WEFT_ITEM_SOUNDING ? ENTRY_SOUNDING : ENTRY_HEARING,
				 g_bytes_get_data(item->bytes, NULL), g_bytes_get_size(item->bytes));
	else if (item->kind == WEFT_ITEM_MARK)
		weft_journal_mark(journal, item->position);
}

/* ---- back ---- */

static gboolean read_tokens(WeftItem *item, const guint8 *data, gsize size_bytes)
{
	WeftBytes bytes = weft_bytes(data, size_bytes);
	guint64 counts[N_TOKENS];

	for (guint i = 0; i < N_TOKENS; i++) {
		if (!weft_bytes_le64(&bytes, &counts[i]) || counts[i] > G_MAXUINT32)
			return FALSE;
	}
	item->kind = WEFT_ITEM_ANSWER;
	item->answer = weft_answer_new();
	item->answer->n_text = counts[0];
	item->answer->n_patch = counts[1];
	item->answer->n_audio = counts[2];
	item->answer->n_generated = counts[3];
	return weft_bytes_left(&bytes) == 0;
}

static gboolean read_part(WeftItem *item, guint8 kind, const guint8 *data, gsize size_bytes,
			  GError **error)
{
	g_autoptr(WeftPart) part =
		size_bytes > 0 ? weft_part_read(data + 1, size_bytes - 1, error) : NULL;

	if (part == NULL)
		return FALSE;
	if (kind == ENTRY_PART && data[0] <= WEFT_PICTURE_FAULTED) {
		item->kind = WEFT_ITEM_PART;
		item->picture = (WeftPictureState)data[0];
		g_clear_error(&part->fault);
		item->part = g_steal_pointer(&part);
		return TRUE;
	}
	if (kind != ENTRY_FAULT || part->kind != WEFT_PART_FAULT ||
	    data[0] >= G_N_ELEMENTS(stages) || !is_final(part->fault))
		return FALSE;
	item->kind = WEFT_ITEM_FAULT;
	item->fault = weft_part_fault_new(stages[data[0]], g_steal_pointer(&part->fault),
					  &part->anchor);
	return TRUE;
}

static gboolean read_bytes(WeftItem *item, guint8 kind, const guint8 *data, gsize size_bytes)
{
	item->kind = kind == ENTRY_SOUNDING ? WEFT_ITEM_SOUNDING : WEFT_ITEM_HEARING;
	item->bytes = g_bytes_new(data, size_bytes);
	return TRUE;
}

WeftItem *weft_entry_read(guint8 kind, const guint8 *data, gsize size_bytes, guint64 document,
			  GError **error)
{
	g_autoptr(WeftItem) item = weft_item_new(WEFT_ITEM_MARK, document);
	GError *failure = NULL;
	gboolean is_read;

	item->is_replayed = TRUE;
	if (kind == WEFT_JOURNAL_MARK)
		is_read = weft_journal_mark_position(data, size_bytes, &item->position);
	else if (kind == ENTRY_TOKENS)
		is_read = read_tokens(item, data, size_bytes);
	else if (kind == ENTRY_SOUNDING || kind == ENTRY_HEARING)
		is_read = read_bytes(item, kind, data, size_bytes);
	else
		is_read = read_part(item, kind, data, size_bytes, &failure);
	if (is_read)
		return g_steal_pointer(&item);
	if (failure == NULL)
		g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_CORRUPT,
			    "a journal's entry of kind %u and %zu bytes does not hold together",
			    (guint)kind, size_bytes);
	g_propagate_error(error, failure);
	return NULL;
}

/* What was measured of a track is whole only with its last piece. */
static gboolean is_sound_so_far(const WeftItem *item, GByteArray *pieces)
{
	g_autoptr(WeftTrackSound) sound = NULL;
	gboolean is_last;

	if (item->kind != WEFT_ITEM_SOUNDING)
		return TRUE;
	if (!weft_track_sound_add_piece(pieces, item->bytes, &is_last, NULL))
		return FALSE;
	if (!is_last)
		return TRUE;
	sound = weft_track_sound_from_bytes(pieces, NULL);
	g_byte_array_set_size(pieces, 0);
	return sound != NULL;
}

gboolean weft_entries_are_sound(WeftJournalReader *reader)
{
	g_autoptr(GByteArray) pieces = g_byte_array_new();
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;

	while (weft_journal_next(reader, &kind, &data, &size_bytes, NULL)) {
		g_autoptr(WeftItem) item = NULL;

		if (kind == 0)
			return TRUE;
		if (kind == WEFT_JOURNAL_END)
			continue;
		item = weft_entry_read(kind, data, size_bytes, 0, NULL);
		if (item == NULL || !is_sound_so_far(item, pieces))
			return FALSE;
	}
	return FALSE;
}
