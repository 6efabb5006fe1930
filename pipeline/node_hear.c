/* node_hear.c - Whisper listens to the recordings.
 *
 * One thread; documents come side by side, and each gets a window decoded whenever enough of its sound
 * is there (hearing.h). What the first pass measured comes first; a document without that has no
 * sound, or needs nobody to listen, and is passed on as it is. After each window the state goes down
 * the flow, to the journal, with the position that decode would go on from.
 */
#include "base/error.h"
#include "pipeline/hearing.h"
#include "pipeline/run.h"

typedef struct Hear {
	WeftRun *run;
	GHashTable *hearings; /* number of the document -> Listening */
} Hear;

typedef struct Listening {
	WeftHearing *hearing; /* NULL: nothing was measured (yet) */
	char key[65];
	gboolean is_over; /* stopped, or failed: nothing is listened to any more */
} Listening;

static void listening_free(void *data)
{
	Listening *listening = data;

	weft_hearing_free(listening->hearing);
	g_free(listening);
}

static gboolean hear_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Hear *hear = g_new0(Hear, 1);

	hear->run = shared;
	hear->hearings =
	    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, listening_free);
	*ret_state = hear;
	return TRUE;
}

static void begin(Hear *hear, const WeftItem *item)
{
	Listening *listening = g_new0(Listening, 1);

	g_strlcpy(listening->key, item->begin->content_key, sizeof listening->key);
	g_hash_table_insert(hear->hearings, g_memdup2(&item->document, sizeof item->document),
	                    listening);
}

static gboolean take_bytes(Hear *hear, Listening *listening, const WeftItem *item, GError **error)
{
	if (listening->hearing == NULL)
		listening->hearing =
		    weft_hearing_new(hear->run->ears, item->document, listening->key);
	if (item->kind == WEFT_ITEM_SOUNDING)
		return weft_hearing_add_track(listening->hearing, item->bytes, error);
	weft_hearing_set_state(listening->hearing, item->bytes);
	return TRUE;
}

/* ---- down the flow ---- */

static bool give(Listening *listening, WeftRunner *runner, WeftRun *run)
{
	WeftItem *item;
	bool is_sent = true;

	while (is_sent && (item = weft_hearing_give(listening->hearing)) != NULL) {
		WeftPart *part = item->part;

		if (part != NULL && part->kind == WEFT_PART_PCM && !weft_run_hears(run)) {
			g_clear_pointer(&part->pcm.samples, g_free); /* the transcript has them */
			item->picture = WEFT_PICTURE_READ;
		}
		is_sent = weft_runner_send(runner, item);
	}
	return is_sent;
}

static bool save(Listening *listening, WeftRunner *runner, guint64 document)
{
	WeftItem *state = weft_item_new(WEFT_ITEM_HEARING, document);
	WeftItem *mark = weft_item_new(WEFT_ITEM_MARK, document);
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	weft_hearing_save(listening->hearing, bytes, &mark->position);
	mark->position++; /* decode_flow.h: the first pass counts */
	state->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	if (!weft_runner_send(runner, state)) {
		weft_item_free(mark);
		return false;
	}
	return weft_runner_send(runner, mark);
}

/* Everything that waits goes on unheard; `take_fault` says why. */
static bool give_up(Hear *hear, Listening *listening, WeftRunner *runner, guint64 document,
                    GError *take_fault)
{
	listening->is_over = TRUE;
	weft_hearing_stop(listening->hearing);
	return weft_item_send_fault(runner, document, "read", take_fault, NULL) &&
	       give(listening, runner, hear->run);
}

/* Window after window, as far as the sound that is there reaches. */
static bool listen(Hear *hear, Listening *listening, WeftRunner *runner, guint64 document)
{
	gboolean did = TRUE;
	bool is_sent = true;

	while (is_sent && did && !weft_runner_is_cancelled(runner)) {
		GError *failure = NULL;

		if (weft_stop_is_asked(hear->run->stop)) {
			listening->is_over = TRUE;
			weft_hearing_stop(listening->hearing);
			return weft_item_send_stop(runner, document) &&
			       give(listening, runner, hear->run);
		}
		if (!weft_hearing_listen(listening->hearing, &did, &failure))
			return give_up(hear, listening, runner, document, failure);
		is_sent = give(listening, runner, hear->run);
		if (is_sent && did)
			is_sent = save(listening, runner, document);
	}
	return is_sent;
}

/* ---- the step ---- */

/* Takes the item. What comes in of a recording is counted here, so that nothing which comes a second
 * time counts twice. */
static void tally(WeftRun *run, Listening *listening, WeftItem *item)
{
	WeftAnchor at = item->part != NULL ? item->part->anchor : item->fault->at;
	gboolean is_sound = item->part != NULL && item->part->kind == WEFT_PART_PCM;
	g_autoptr(GError) fault = item->fault != NULL ? g_error_copy(item->fault->error) : NULL;
	WeftLedgers in = {.milliseconds.in = is_sound ? weft_ledger_milliseconds(&at) : 0};

	if (!weft_hearing_take(listening->hearing, item))
		return;
	weft_run_add_ledgers(run, &in);
	if (fault != NULL)
		weft_run_tally_fault(run, fault, &at);
}

/* Takes the item. */
static bool take(Hear *hear, Listening *listening, WeftRunner *runner, WeftItem *item)
{
	guint64 document = item->document;

	if (item->kind == WEFT_ITEM_MARK) { /* those of save count */
		weft_item_free(item);
		return true;
	}
	if (item->kind == WEFT_ITEM_END) {
		bool is_sent = true;

		if (!listening->is_over) {
			weft_hearing_end(listening->hearing);
			is_sent = listen(hear, listening, runner, document);
		}
		g_hash_table_remove(hear->hearings, &document);
		if (!is_sent)
			weft_item_free(item);
		return is_sent && weft_runner_send(runner, item);
	}
	if (weft_item_is_stop(item)) {
		listening->is_over = TRUE;
		weft_hearing_stop(listening->hearing);
		return weft_runner_send(runner, item) && give(listening, runner, hear->run);
	}
	tally(hear->run, listening, item);
	return listening->is_over ? give(listening, runner, hear->run)
	                          : listen(hear, listening, runner, document);
}

static WeftStep hear_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Hear *hear = state;
	WeftItem *item = take_item;
	Listening *listening;

	if (item->kind == WEFT_ITEM_BEGIN)
		begin(hear, item);
	listening = g_hash_table_lookup(hear->hearings, &item->document);
	if ((item->kind == WEFT_ITEM_SOUNDING || item->kind == WEFT_ITEM_HEARING) &&
	    !take_bytes(hear, listening, item, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	if (listening->hearing == NULL || item->is_replayed || item->kind == WEFT_ITEM_SOUNDING) {
		if (item->kind == WEFT_ITEM_END)
			g_hash_table_remove(hear->hearings, &item->document);
		return weft_step_after(weft_runner_send(runner, item));
	}
	if (!weft_hearing_open(listening->hearing, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	return weft_step_after(take(hear, listening, runner, item));
}

static void hear_done(void *state)
{
	Hear *hear = state;

	g_hash_table_unref(hear->hearings);
	g_free(hear);
}

const WeftNodeClass weft_node_hear = {"hear", hear_init, hear_step, NULL, hear_done};
