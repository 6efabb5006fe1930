/* node_hear.c - Whisper listens to the recordings.
 *
 * One thread; documents come side by side, and each gets a window decoded whenever enough of its sound
 * is there (hearing.h). What the first pass measured comes first; a document without that has no
 * sound, or needs nobody to listen, and is passed on as it is. After each window the state goes down
 * the flow, to the journal, with the position that decode would go on from. Of several files that are
 * one document together each is listened to by itself.
 */
#include "base/error.h"
#include "pipeline/hearing.h"
#include "pipeline/run.h"
#include "pipeline/track_sound.h"

/* Parts of a recording that go on without a window: then the state is saved all the same. */
#define GIVEN_MAX 32

typedef struct Hear {
	WeftRun *run;
	GHashTable *hearings; /* number of the document -> Listening */
} Hear;

typedef struct Listening {
	WeftHearing *hearing; /* NULL: nothing was measured (yet) */
	GByteArray *pieces;   /* of what was measured of a track */
	char key[65];
	gboolean is_over;    /* stopped, or failed: nothing is listened to any more */
	gboolean has_failed;
	double heard_s, sum_s; /* as the run's progress has them */
	guint n_given;         /* since the last state */
} Listening;

static void listening_free(void *data)
{
	Listening *listening = data;

	weft_hearing_free(listening->hearing);
	g_byte_array_unref(listening->pieces);
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

static void begin(Hear *hear, guint64 document, const char *content_key)
{
	Listening *listening = g_new0(Listening, 1);

	listening->pieces = g_byte_array_new();
	g_strlcpy(listening->key, content_key, sizeof listening->key);
	g_hash_table_insert(hear->hearings, g_memdup2(&document, sizeof document), listening);
}

static gboolean is_end(const WeftItem *item)
{
	return item->kind == WEFT_ITEM_END || item->kind == WEFT_ITEM_MEMBER_END;
}

/* Of a member the next one may follow, or the end of all. */
static void end(Hear *hear, const WeftItem *item)
{
	if (item->kind == WEFT_ITEM_END)
		g_hash_table_remove(hear->hearings, &item->document);
	else
		begin(hear, item->document, "");
}

static gboolean take_bytes(Hear *hear, Listening *listening, const WeftItem *item, GError **error)
{
	gboolean is_last;

	if (listening->hearing == NULL)
		listening->hearing =
		    weft_hearing_new(hear->run->ears, item->document, listening->key);
	if (item->kind == WEFT_ITEM_HEARING) {
		weft_hearing_set_state(listening->hearing, item->bytes);
		return TRUE;
	}
	if (!weft_track_sound_add_piece(listening->pieces, item->bytes, &is_last, error) ||
	    (is_last && !weft_hearing_add_track(listening->hearing, listening->pieces, error)))
		return FALSE;
	if (is_last)
		g_byte_array_set_size(listening->pieces, 0);
	return TRUE;
}

/* ---- down the flow ---- */

/* Sound that was listened to goes on without samples: what was said in it comes as content, and no
 * model looks at it. What nobody has listened to, since that failed, is speech without text. */
static void settle_sound(const Listening *listening, WeftItem *item)
{
	WeftPart *part = item->part;

	if (part == NULL || part->kind != WEFT_PART_PCM)
		return;
	g_clear_pointer(&part->pcm.samples, g_free);
	item->picture = WEFT_PICTURE_READ;
	if (!listening->has_failed || part->pcm.channel > 1)
		return;
	part->kind = WEFT_PART_CONTENT;
	part->content = weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE, NULL, part->anchor);
}

static void tell_progress(Hear *hear, Listening *listening)
{
	double heard_s, sum_s = weft_hearing_seconds(listening->hearing, &heard_s);

	weft_run_tally_heard(hear->run, heard_s - listening->heard_s, sum_s - listening->sum_s);
	listening->heard_s = heard_s;
	listening->sum_s = sum_s;
}

static bool give(Hear *hear, Listening *listening, WeftRunner *runner)
{
	WeftItem *item;
	bool is_sent = true;

	tell_progress(hear, listening);
	while (is_sent && (item = weft_hearing_give(listening->hearing)) != NULL) {
		settle_sound(listening, item);
		listening->n_given++;
		is_sent = weft_runner_send(runner, item);
	}
	return is_sent;
}

static bool save(Listening *listening, WeftRunner *runner, guint64 document)
{
	WeftItem *state = weft_item_new(WEFT_ITEM_HEARING, document);
	WeftItem *mark = weft_item_new(WEFT_ITEM_MARK, document);
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	listening->n_given = 0;
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
	listening->is_over = listening->has_failed = TRUE;
	weft_hearing_stop(listening->hearing);
	return weft_item_send_fault(runner, document, "read", take_fault, NULL) &&
	       give(hear, listening, runner);
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
			       give(hear, listening, runner);
		}
		if (!weft_hearing_listen(listening->hearing, &did, &failure))
			return give_up(hear, listening, runner, document, failure);
		is_sent = give(hear, listening, runner);
		if (is_sent && (did || listening->n_given >= GIVEN_MAX))
			is_sent = save(listening, runner, document);
	}
	return is_sent;
}

/* A state that does not fit is forgotten: the next run begins the recording anew. FALSE: nobody
 * receives any more, or error is set. */
static bool open_hearing(Hear *hear, Listening *listening, WeftRunner *runner, guint64 document,
                         GError **error)
{
	GError *failure = NULL;

	if (listening->is_over || weft_hearing_open(listening->hearing, &failure))
		return true;
	if (!g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_CHANGED)) {
		g_propagate_error(error, failure);
		return false;
	}
	weft_stash_forget(hear->run->stash, listening->key);
	return give_up(hear, listening, runner, document, failure);
}

/* ---- the step ---- */

/* Takes the item. What comes in of a recording is counted here, so that nothing which comes a second
 * time counts twice. */
static void tally(WeftRun *run, Listening *listening, WeftItem *item)
{
	WeftAnchor at = item->part != NULL ? item->part->anchor : item->fault->at;
	g_autoptr(GError) fault = item->fault != NULL ? g_error_copy(item->fault->error) : NULL;
	WeftLedgers in = {0};

	if (item->part != NULL && item->part->kind == WEFT_PART_PCM)
		in.milliseconds.in = weft_ledger_sound(item->part);

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
	if (is_end(item)) {
		bool is_sent = true;

		if (!listening->is_over) {
			weft_hearing_end(listening->hearing);
			is_sent = listen(hear, listening, runner, document);
		}
		item->heard = weft_hearing_counts(listening->hearing);
		end(hear, item);
		if (!is_sent)
			weft_item_free(item);
		return is_sent && weft_runner_send(runner, item);
	}
	if (weft_item_is_stop(item)) {
		listening->is_over = TRUE;
		weft_hearing_stop(listening->hearing);
		return weft_runner_send(runner, item) && give(hear, listening, runner);
	}
	tally(hear->run, listening, item);
	return listening->is_over ? give(hear, listening, runner)
	                          : listen(hear, listening, runner, document);
}

static WeftStep hear_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Hear *hear = state;
	WeftItem *item = take_item;
	Listening *listening;
	GError *failure = NULL;

	if (item->kind == WEFT_ITEM_BEGIN || item->kind == WEFT_ITEM_MEMBER)
		begin(hear, item->document, item->begin->content_key);
	listening = g_hash_table_lookup(hear->hearings, &item->document);
	if ((item->kind == WEFT_ITEM_SOUNDING || item->kind == WEFT_ITEM_HEARING) &&
	    !take_bytes(hear, listening, item, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	if (listening->hearing == NULL || item->is_replayed || item->kind == WEFT_ITEM_SOUNDING) {
		if (is_end(item)) {
			item->heard.is_heard = listening->hearing != NULL;
			end(hear, item);
		}
		return weft_step_after(weft_runner_send(runner, item));
	}
	if (!open_hearing(hear, listening, runner, item->document, &failure)) {
		weft_item_free(item);
		if (failure == NULL)
			return WEFT_STEP_END;
		g_propagate_error(error, failure);
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
