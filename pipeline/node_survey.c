/* node_survey.c - the ends of a dry run: what would be read, and what would be asked, is counted.
 *
 * Two nodes in place of read, fuse, generate, record and sink. The first takes pictures that a
 * reader would look at out of the way, as read: what their text will be is not known, so windows
 * are cut without it, and READ_TOKENS a picture are taken for it. The second counts windows and
 * says that the run is over. Nothing is written.
 */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "pipeline/run.h"

/* Text of a page that is read: about 2,000 characters, four to a token. */
#define READ_TOKENS 500
/* What is said in a second: two and a half words, as conversations have; and who says it, when. */
#define SPEECH_TOKENS_PER_S 3.5

/* ---- pictures that would be read ---- */

typedef struct Reading {
	WeftRun *run;
	GHashTable *documents; /* number -> WeftEstimateCounts */
} Reading;

static gboolean reading_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Reading *reading = g_new0(Reading, 1);

	reading->run = shared;
	reading->documents = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	*ret_state = reading;
	return TRUE;
}

static void reading_done(void *state)
{
	Reading *reading = state;

	g_hash_table_unref(reading->documents);
	g_free(reading);
}

/* One that the bundle would read is a request of its own. */
static void count_reading(Reading *reading, WeftItem *item)
{
	WeftEstimateCounts *counts = g_hash_table_lookup(reading->documents, &item->document);
	const WeftPart *part = item->part;

	if (counts == NULL) {
		counts = g_new0(WeftEstimateCounts, 1);
		g_hash_table_insert(reading->documents,
				    g_memdup2(&item->document, sizeof item->document), counts);
	}
	item->picture = WEFT_PICTURE_READ;
	counts->n_read++;
	if (reading->run->reader == WEFT_READ_BUNDLE) {
		const WeftEncoders *encoders = weft_engine_encoders(reading->run->engine);
		gsize n_tokens = weft_encoders_image_tokens(
			encoders, part->raster.width, part->raster.height,
			part->kind == WEFT_PART_FRAME, &part->anchor, NULL);

		counts->n_read_tokens += (double)n_tokens;
		counts->n_tiles += (double)(n_tokens / MAX(weft_encoders_tile_tokens(encoders), 1));
	}
}

static WeftStep reading_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Reading *reading = state;
	WeftItem *item = take_item;

	if (item->kind == WEFT_ITEM_PART && item->picture == WEFT_PICTURE_UNREAD &&
	    (item->part->kind == WEFT_PART_RASTER || item->part->kind == WEFT_PART_FRAME))
		count_reading(reading, item);
	if (item->kind == WEFT_ITEM_END) {
		const WeftEstimateCounts *counts =
			g_hash_table_lookup(reading->documents, &item->document);

		if (counts != NULL)
			item->reading = *counts;
		g_hash_table_remove(reading->documents, &item->document);
	}
	return weft_step_after(weft_runner_send(runner, item));
}

const WeftNodeClass weft_node_survey_reading = {"survey.read", reading_init, reading_step, NULL,
						reading_done};

/* ---- windows ---- */

typedef struct Survey {
	WeftRun *run;
	GHashTable *documents; /* number -> Counted */
} Survey;

typedef struct Counted {
	WeftDocument *document;
	WeftEstimateCounts counts;
	gboolean has_captions; /* nobody listens; of the file at hand, as the next */
	double seconds, hear_s;
} Counted;

static void counted_free(void *data)
{
	Counted *counted = data;

	weft_document_free(counted->document);
	g_free(counted);
}

static gboolean survey_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Survey *survey = g_new0(Survey, 1);

	survey->run = shared;
	survey->documents = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, counted_free);
	*ret_state = survey;
	return TRUE;
}

static void count_window(Survey *survey, WeftEstimateCounts *counts, const WeftWindow *window)
{
	gsize per_tile = weft_engine_tile_tokens(survey->run->engine);

	counts->n_requests++;
	counts->n_tokens += (double)window->n_tokens;
	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		/* The tokens beside the tiles of a picture are fewer than those of one. */
		if (piece->part != NULL && piece->part->kind != WEFT_PART_PCM && per_tile > 0)
			counts->n_tiles += (double)(piece->n_tokens / per_tile);
	}
}

/* Facts of a page or a stream; sound that is no silence. */
static void count_part(Counted *counted, const WeftPart *part)
{
	WeftEstimateCounts *counts = &counted->counts;

	if (part->kind == WEFT_PART_CONTENT && part->content->kind == WEFT_CONTENT_SPEECH) {
		counted->has_captions |= part->content->text != NULL;
		counted->hear_s += (double)weft_ledger_sound(part) / 1e3;
	} else if (part->kind == WEFT_PART_PAGE)
		counts->n_pages++;
	else if (part->kind == WEFT_PART_TRACK && part->track.seconds > 0)
		counted->seconds = fmax(counted->seconds, part->track.seconds); /* sound and video at once */
}

static void end_file(const Survey *survey, Counted *counted)
{
	counted->counts.seconds += counted->seconds;
	if (survey->run->ears != NULL && !counted->has_captions)
		counted->counts.hear_s += counted->hear_s;
	counted->seconds = counted->hear_s = 0;
	counted->has_captions = FALSE;
}

/* The text that reading and listening would give goes into windows, too. */
static void add_reading(const Survey *survey, WeftEstimateCounts *counts,
			const WeftEstimateCounts *reading)
{
	const WeftRun *run = survey->run;
	double n_tokens = reading->n_read * READ_TOKENS + counts->hear_s * SPEECH_TOKENS_PER_S;
	double capacity, n_windows_max;

	counts->n_read += reading->n_read;
	counts->n_read_tokens += reading->n_read_tokens;
	counts->n_tiles += reading->n_tiles;
	if (n_tokens == 0 || run->task->windows == WEFT_WINDOWS_NONE)
		return;
	capacity = (double)MAX(weft_engine_capacity(run->engine, WEFT_ROUND_ANSWER), 1);
	n_windows_max = run->task->windows == WEFT_WINDOWS_ENDS ? 2 : HUGE_VAL;
	counts->n_tokens = fmin(counts->n_tokens + n_tokens, n_windows_max * capacity);
	counts->n_requests = fmin(fmax(counts->n_requests, ceil(counts->n_tokens / capacity)),
				  n_windows_max);
}

/* What a run would make of it: a path added to a record, a record anew, a first record. */
static void count_document(WeftRun *run, const WeftDocument *document)
{
	if (document->is_copy)
		WEFT_COUNT(run, n_copies, 1);
	else if (weft_store_knows(run->store, document->path))
		WEFT_COUNT(run, n_changed, 1);
	else
		WEFT_COUNT(run, n_new, 1);
}

static void end_document(Survey *survey, Counted *counted, const WeftItem *end)
{
	if (counted->document->is_left) {
		WEFT_COUNT(survey->run, n_left, 1);
		return;
	}
	end_file(survey, counted);
	add_reading(survey, &counted->counts, &end->reading);
	count_document(survey->run, counted->document);
	weft_run_measured(survey->run, counted->document, &counted->counts);
}

static WeftStep survey_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Survey *survey = state;
	g_autoptr(WeftItem) item = take_item;
	Counted *counted;

	if (item->kind == WEFT_ITEM_BEGIN) {
		counted = g_new0(Counted, 1);
		counted->document = g_steal_pointer(&item->begin);
		g_hash_table_insert(survey->documents, &counted->document->number, counted);
		return WEFT_STEP_MORE;
	}
	counted = g_hash_table_lookup(survey->documents, &item->document);
	if (item->kind == WEFT_ITEM_PART)
		count_part(counted, item->part);
	else if (weft_item_is_stop(item))
		counted->document->is_left = TRUE;
	else if (item->kind == WEFT_ITEM_MEMBER_END)
		end_file(survey, counted);
	else if (item->kind == WEFT_ITEM_WINDOW)
		count_window(survey, &counted->counts, item->window);
	else if (item->kind == WEFT_ITEM_END) {
		end_document(survey, counted, item);
		g_hash_table_remove(survey->documents, &item->document);
	}
	return WEFT_STEP_MORE;
}

static void survey_done(void *state)
{
	Survey *survey = state;
	const guint64 one = 1;

	g_hash_table_unref(survey->documents);
	if (write(survey->run->done_fd, &one, sizeof one) < 0)
		g_warning("the end of the run could not be told: %s", g_strerror(errno));
	g_free(survey);
}

const WeftNodeClass weft_node_survey = {"survey", survey_init, survey_step, NULL, survey_done};
