/* node_fuse.c - a window (or, in the round that reads, a picture) becomes a request.
 *
 * This is where encoder rows are made, so the inbox of generate, which counts them, is what bounds
 * how many are alive. What decides the random draws of a request is its document, round and place.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/answers.h"
#include "pipeline/run.h"

typedef struct Seed {
	char id[72]; /* in the round that reads: the content's key, because jobs share what was read */
	guint64 n_pictures;
	char answers_key[65];
	guint type; /* of the task's types, from 1; 0: of none, or not known yet */
	gboolean has_type;
	WeftAnswers *answers; /* of an earlier run that did not come to the record; or NULL */
} Seed;

typedef struct Fuse {
	WeftRun *run;
	const WeftRound *round;
	GHashTable *seeds; /* number of the document -> Seed */
} Fuse;

static void seed_free(void *data)
{
	Seed *seed = data;

	weft_answers_free(seed->answers);
	g_free(seed);
}

static gboolean fuse_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	const WeftRoundNode *node = shared;
	Fuse *fuse = g_new0(Fuse, 1);

	fuse->run = node->run;
	fuse->round = weft_engine_round(node->run->engine, node->number);
	fuse->seeds = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, seed_free);
	*ret_state = fuse;
	return TRUE;
}

/* FNV-1a, 64 bit. */
static guint64 hash_more(guint64 hash, const void *data, gsize size)
{
	const guint8 *bytes = data;

	for (gsize i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * G_GUINT64_CONSTANT(0x100000001b3);
	return hash;
}

static guint64 seed_key(const Seed *seed, WeftRoundNumber round, guint64 place)
{
	guint64 hash =
	    hash_more(G_GUINT64_CONSTANT(0xcbf29ce484222325), seed->id, strlen(seed->id));
	guint8 bytes[9] = {(guint8)round};

	for (int i = 0; i < 8; i++)
		bytes[1 + i] = (guint8)(place >> (8 * i));
	return hash_more(hash, bytes, sizeof bytes);
}

static void add_strings(WeftRequest *request, const WeftSchema *schema, const WeftJson *value,
                        GString *pointer)
{
	const char *text = weft_json_string(value, NULL), *number = weft_json_raw_number(value);
	WeftSchemaPlace place = weft_schema_place(schema, pointer->str);
	gsize size = pointer->len;

	if (text != NULL && place.is_verbatim)
		weft_request_add_quote(request, text);
	if (number != NULL && place.is_verbatim_number) {
		/* With a digit more it can't be taken for thousands. */
		g_autofree char *quote = g_strconcat(number, strchr(number, '.') ? "0" : "", NULL);

		weft_request_add_quote(request, quote);
	}
	for (gsize i = 0; i < weft_json_length(value); i++) {
		g_autofree char *index = g_strdup_printf("%zu", i);
		const char *key = weft_json_key_at(value, i, NULL);

		key = key != NULL ? key : index;
		weft_json_pointer_add(pointer, key, strlen(key));
		add_strings(request, schema, weft_json_at(value, i), pointer);
		g_string_truncate(pointer, size);
	}
}

/* An answer about a window (node_merge.c): a verbatim value of the merged answer stands in one of its
 * verbatim values. Of an answer that was cut nothing is taken. */
static void add_quotes(WeftRequest *request, const WeftSchema *schema, const WeftWindowPiece *piece)
{
	const char *json = piece->text != NULL ? strchr(piece->text, ':') : NULL;
	g_autoptr(GString) pointer = g_string_new(NULL);
	g_autoptr(WeftJson) answer = NULL;

	if (json != NULL && g_str_has_prefix(piece->text, "Part "))
		answer = weft_json_parse(json + 1, strlen(json + 1), WEFT_JSON_STRICT, NULL);
	if (answer != NULL)
		add_strings(request, schema, answer, pointer);
}

static gboolean add_piece(WeftRequest *request, const WeftWindowPiece *piece, GError **error)
{
	if (piece->part == NULL)
		return weft_request_add_text(
		    request,
		    &(WeftPassage){piece->text, strlen(piece->text), piece->speaker, piece->content,
		                   piece->anchor},
		    error);
	if (piece->part->pcm.samples == NULL && piece->part->raster.pixels == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED,
		            "the answers that were kept do not fit the document; run again");
		return FALSE;
	}
	if (piece->part->kind == WEFT_PART_PCM)
		return weft_request_add_audio(
		    request,
		    &(WeftSoundSlice){&piece->part->pcm, piece->row_first, piece->n_rows},
		    piece->content, piece->anchor, error);
	return weft_request_add_image(request, &piece->part->raster, piece->single_tile,
	                              piece->content, piece->anchor, error);
}

static WeftSequence *sequence_of_window(const Fuse *fuse, guint type, const WeftWindow *window,
                                        GError **error)
{
	const WeftRound *round =
	    weft_engine_round_of(fuse->run->engine, fuse->round->number, type);
	g_autoptr(WeftRequest) request =
	    weft_request_new(weft_engine_encoders(fuse->run->engine), round->system);

	weft_request_adapt(request, round->adapter);
	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (!add_piece(request, piece, error))
			return NULL;
		if (fuse->round->number == WEFT_ROUND_MERGE)
			add_quotes(request, weft_task_schema(fuse->run->task, type), piece);
	}
	return weft_request_finish(g_steal_pointer(&request), round->question, error);
}

static WeftSequence *sequence_of_picture(const Fuse *fuse, const WeftPart *part, GError **error)
{
	const WeftEncoders *encoders = weft_engine_encoders(fuse->run->engine);
	gsize capacity = weft_engine_capacity(fuse->run->engine, fuse->round->number);
	const WeftRaster *raster = &part->raster;
	gsize n_tokens = weft_encoders_image_tokens(encoders, raster->width, raster->height, FALSE,
	                                            &part->anchor, NULL);
	gboolean single_tile = part->kind == WEFT_PART_FRAME || n_tokens > capacity;
	g_autoptr(WeftRequest) request = weft_request_new(encoders, fuse->round->system);

	if (!weft_request_add_image(request, raster, single_tile, WEFT_SPAN_NO_CONTENT,
	                            part->anchor, error))
		return NULL;
	return weft_request_finish(g_steal_pointer(&request), fuse->round->question, error);
}

static gboolean is_to_be_read(const Fuse *fuse, const WeftItem *item)
{
	return fuse->round->number == WEFT_ROUND_READ && item->kind == WEFT_ITEM_PART &&
	       item->picture == WEFT_PICTURE_UNREAD &&
	       (item->part->kind == WEFT_PART_RASTER || item->part->kind == WEFT_PART_FRAME);
}

static gboolean has_one_page(const WeftWindow *window)
{
	guint32 page = 0;

	for (guint i = 0; i < window->pieces->len; i++) {
		guint32 next = ((const WeftWindowPiece *)window->pieces->pdata[i])->anchor.page;

		if (next > 0 && page > 0 && next != page)
			return FALSE;
		page = MAX(page, next);
	}
	return TRUE;
}

/* Not every window is asked about ahead of the answer: of a type there is one question, and the first
 * page begins a document anyway. */
static gboolean is_to_be_asked(const Fuse *fuse, const WeftItem *item)
{
	const Seed *seed = g_hash_table_lookup(fuse->seeds, &item->document);
	gboolean is_first = item->window->number == 0;

	if (fuse->round->number == WEFT_ROUND_TYPE)
		return is_first && !seed->has_type;
	return fuse->round->number != WEFT_ROUND_DIVIDE || !is_first || !has_one_page(item->window);
}

/* What follows needs the window, too. */
static gboolean keeps_window(const Fuse *fuse)
{
	return fuse->run->guard != NULL || fuse->round->number == WEFT_ROUND_TYPE ||
	       fuse->round->number == WEFT_ROUND_DIVIDE;
}

/* A window whose answer is there already goes on as that answer. */
static gboolean is_answered(const Fuse *fuse, const Seed *seed, WeftItem *item)
{
	if (seed->answers_key[0] == '\0')
		return FALSE;
	item->asked = g_new0(WeftAsked, 1);
	g_strlcpy(item->asked->key, seed->answers_key, sizeof item->asked->key);
	item->asked->has_journal = seed->answers != NULL;
	weft_asked_set_window(item->asked, item->window);
	if (seed->answers != NULL)
		item->answer = weft_answers_take(seed->answers, item->asked);
	if (item->answer == NULL)
		return FALSE;
	WEFT_COUNT(fuse->run, n_windows_kept, 1);
	item->kind = WEFT_ITEM_ANSWER;
	item->is_replayed = TRUE;
	g_clear_pointer(&item->asked, g_free);
	if (!keeps_window(fuse))
		g_clear_pointer(&item->window, weft_window_free);
	return TRUE;
}

/* The item becomes a request, or a fault takes the place of its window. A guard is asked about a
 * window whatever became of it, and a question ahead of the answer does not end it. */
static bool send_request(Fuse *fuse, WeftRunner *runner, WeftItem *take_item)
{
	g_autoptr(WeftItem) item = take_item;
	Seed *seed = g_hash_table_lookup(fuse->seeds, &item->document);
	gboolean is_picture = item->kind == WEFT_ITEM_PART;
	gboolean keeps = keeps_window(fuse);
	guint64 place = is_picture ? seed->n_pictures++ : item->window->number;
	WeftAnchor at = is_picture ? item->part->anchor : (WeftAnchor){0};
	GError *failure = NULL;

	if (fuse->round->number == WEFT_ROUND_ANSWER)
		item->window_number = item->window->number + 1;
	if (!is_picture)
		item->element = item->window->element;
	if (!is_picture && is_answered(fuse, seed, item))
		return weft_runner_send(runner, g_steal_pointer(&item));
	item->sequence = is_picture ? sequence_of_picture(fuse, item->part, &failure)
	                            : sequence_of_window(fuse, seed->type, item->window, &failure);
	if (item->sequence != NULL) {
		item->sequence->seed_key = seed_key(seed, fuse->round->number, place);
		item->kind = WEFT_ITEM_REQUEST;
		item->type = seed->type;
		if (!keeps)
			g_clear_pointer(&item->window, weft_window_free);
		return weft_runner_send(runner, g_steal_pointer(&item));
	}
	if (!weft_item_send_fault(runner, item->document, fuse->round->stage, failure, &at))
		return false;
	item->picture = WEFT_PICTURE_FAULTED;
	return !(is_picture || keeps) || weft_runner_send(runner, g_steal_pointer(&item));
}

/* Takes the item. */
static WeftStep leave(WeftRunner *runner, WeftItem *take_item)
{
	guint64 document = take_item->document;

	weft_item_free(take_item);
	return weft_step_after(weft_item_send_stop(runner, document));
}

static void begin_seed(const Fuse *fuse, Seed *seed, const WeftDocument *document)
{
	WeftRun *run = fuse->run;
	gboolean reads = fuse->round->number == WEFT_ROUND_READ;
	g_autoptr(WeftJournalReader) reader = NULL;

	g_strlcpy(seed->id, reads ? document->content_key : document->id, sizeof seed->id);
	if (reads || run->stash == NULL || document->content_key[0] == '\0')
		return;
	weft_answers_key(document->id, document->content_key, fuse->round->number, seed->answers_key);
	reader = weft_stash_look(run->stash, seed->answers_key);
	seed->answers = weft_answers_read(reader);
}

static WeftStep fuse_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Fuse *fuse = state;
	WeftItem *item = take_item;

	if (item->kind == WEFT_ITEM_BEGIN) {
		guint64 *key = g_new(guint64, 1);
		Seed *seed = g_new0(Seed, 1);

		*key = item->document;
		begin_seed(fuse, seed, item->begin);
		g_hash_table_insert(fuse->seeds, key, seed);
	} else if (item->kind == WEFT_ITEM_MEMBER && fuse->round->number == WEFT_ROUND_READ) {
		Seed *seed = g_hash_table_lookup(fuse->seeds, &item->document);

		/* It is read as it would be by itself. */
		g_strlcpy(seed->id, item->begin->content_key, sizeof seed->id);
		seed->n_pictures = 0;
	} else if (item->kind == WEFT_ITEM_END) {
		g_hash_table_remove(fuse->seeds, &item->document);
	} else if (item->kind == WEFT_ITEM_TYPE) {
		Seed *seed = g_hash_table_lookup(fuse->seeds, &item->document);

		seed->has_type = TRUE;
		seed->type = item->type;
	} else if (item->kind == WEFT_ITEM_WINDOW ? is_to_be_asked(fuse, item)
	                                          : is_to_be_read(fuse, item)) {
		if (weft_stop_is_asked(fuse->run->stop))
			return leave(runner, item);
		return weft_step_after(send_request(fuse, runner, item));
	}
	return weft_step_after(weft_runner_send(runner, item));
}

static void fuse_done(void *state)
{
	Fuse *fuse = state;

	g_hash_table_unref(fuse->seeds);
	g_free(fuse);
}

const WeftNodeClass weft_node_fuse = {"fuse", fuse_init, fuse_step, NULL, fuse_done};
