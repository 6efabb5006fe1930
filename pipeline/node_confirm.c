/* node_confirm.c - reads alone what the model only looked at, and what somebody laid over a picture.
 *
 * Attention is a hint. Of a value that points to a place in a picture, that place is cut out of the
 * document once more, read by Tesseract by itself, and the record says what was read there and whether
 * the value stands in it. The same is done for a short value from the text layer of a scan: that layer was
 * read by some program or typed by somebody, may be wrong, and nobody who looks at the page sees it. With
 * check-text values of text that a page draws are read, too: its fonts say which characters their letters are,
 * and may say anything.
 * Where the pixels say something else, that is a disagreement of readings (outputs/agreement.h).
 *
 * A document that is not what it was, or a place that can't be cut out or has nothing legible, leaves the
 * value as it is: neither confirmed nor denied. A page is rendered once for all of its values.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/long_path.h"
#include "pipeline/crop.h"
#include "pipeline/decode_flow.h"
#include "pipeline/members.h"
#include "pipeline/run.h"

/* Of one document: each costs a piece of a page read, and at most a page decoded. */
#define VALUES_MAX 32
/* Around what was looked at a patch, which is as exact as looking is, and no less than so many points, which is
 * a line. What stands further away is another place, and its text no evidence for this one. */
#define MARGIN_LEAST 12.0
/* Of text that has a box: white to all sides, and the word beside it, in heights of a line. */
#define LINE_MARGIN 2.0

typedef struct Confirm {
	WeftRun *run;
	const char **passwords; /* NULL-terminated, borrowed of the job */
	WeftReader *reader; /* of the document at hand, or NULL */
	const WeftDocument *opened; /* of its members one, or itself; NULL: none */
	int fd;             /* of that; -1: it can't be opened, or is not what it was */
} Confirm;

static gboolean confirm_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Confirm *confirm = g_new0(Confirm, 1);
	const GPtrArray *passwords = ((WeftRun *)shared)->job->passwords;

	confirm->run = shared;
	confirm->fd = -1;
	confirm->passwords = g_new0(const char *, passwords->len + 1);
	for (guint i = 0; i < passwords->len; i++)
		confirm->passwords[i] = passwords->pdata[i];
	*ret_state = confirm;
	return TRUE;
}

static void close_document(Confirm *confirm)
{
	if (confirm->fd >= 0)
		close(confirm->fd);
	confirm->fd = -1;
	confirm->opened = NULL;
}

/* The document, or its member of this number. */
static gboolean open_document(Confirm *confirm, const WeftDocument *document, guint32 n)
{
	const WeftDocument *wanted = n > 0 ? weft_members_find(document, n) : document;

	if (wanted == NULL || wanted == confirm->opened)
		return wanted != NULL && confirm->fd >= 0;
	close_document(confirm);
	confirm->opened = wanted;
	confirm->fd = weft_path_open(wanted->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (confirm->fd >= 0 && weft_document_has_changed(&wanted->status, confirm->fd)) {
		close(confirm->fd);
		confirm->fd = -1;
	}
	return confirm->fd >= 0;
}

/* ---- which places ---- */

/* Values of one document that are to be read alone. */
typedef struct Question {
	guint evidence;      /* index into provenance */
	gboolean is_pointed; /* else of text */
	WeftAnchor at;       /* with a margin */
} Question;

static WeftAnchor with_margin(const WeftProvenance *value, gboolean is_pointed)
{
	const double *box = value->at.bbox;
	double line = MIN(box[2] - box[0], box[3] - box[1]);
	double margin = MAX(is_pointed ? value->patch : LINE_MARGIN * line, MARGIN_LEAST);
	WeftAnchor wider = value->at;

	for (int i = 0; i < 4; i++)
		wider.bbox[i] += i < 2 ? -margin : margin;
	return wider;
}

/* In the order of the answer. */
static GArray *questions_of(const WeftRecord *record, gboolean drawn_too)
{
	GArray *questions = g_array_new(FALSE, FALSE, sizeof(Question));

	for (guint i = 0; i < record->provenance->len && questions->len < VALUES_MAX; i++) {
		const WeftProvenance *value = &g_array_index(record->provenance, WeftProvenance, i);
		gboolean is_pointed = value->kind == WEFT_PROVENANCE_POINTED &&
		                      value->attention > 0 && value->at.has_bbox;
		Question question = {i, is_pointed, with_margin(value, is_pointed)};

		if (is_pointed || weft_record_can_be_read(record, i, drawn_too))
			g_array_append_val(questions, question);
	}
	return questions;
}

static gboolean is_same_picture(const WeftAnchor *a, const WeftAnchor *b)
{
	return a->document == b->document && a->page == b->page && a->track == b->track &&
	       a->has_time == b->has_time &&
	       (!a->has_time || (a->time[0] == b->time[0] && a->time[1] == b->time[1]));
}

/* ---- reading ---- */

/* WeftContent of the piece of a page; NULL: it can't be read. */
static GPtrArray *read_piece(Confirm *confirm, const WeftPart *part)
{
	WeftRun *run = confirm->run;
	GPtrArray *contents = NULL;

	if (confirm->reader == NULL)
		confirm->reader = weft_ingest_reader(run->ingest, run->job->ocr_languages,
		                                     &run->job->limits, NULL);
	if (confirm->reader == NULL)
		return NULL;
	if (!weft_reader_read(confirm->reader, &part->raster, part->anchor, &contents, NULL)) {
		g_clear_pointer(&confirm->reader, weft_reader_close);
		return NULL;
	}
	g_ptr_array_set_free_func(contents, (GDestroyNotify)weft_content_free);
	for (guint i = 0; i < contents->len; i++)
		weft_content_set_document(contents->pdata[i], part->anchor.document);
	return contents;
}

/* Line by line. */
static char *text_of(const GPtrArray *contents)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < contents->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "",
		                       ((const WeftContent *)contents->pdata[i])->text);
	return g_string_free(text, FALSE);
}

static void settle(WeftRecord *record, const Question *question, const WeftJson *answer,
                   const GPtrArray *contents)
{
	WeftProvenance *evidence =
	    &g_array_index(record->provenance, WeftProvenance, question->evidence);
	const WeftJson *value = weft_json_at_pointer(answer, evidence->pointer);
	WeftJsonType type = value != NULL ? weft_json_type(value) : WEFT_JSON_NULL;

	if (!question->is_pointed) {
		weft_record_note_reading(record, question->evidence, contents);
	} else if (type == WEFT_JSON_STRING || type == WEFT_JSON_NUMBER) { /* others stand nowhere */
		evidence->read = text_of(contents);
		evidence->is_confirmed = weft_value_stands_in(value, evidence->read);
	}
}

/* Those of one picture. */
static void read_picture(Confirm *confirm, WeftRecord *record, const WeftJson *answer,
                         const GArray *questions)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(WeftAnchor));
	const WeftCropOptions options = {
	    .page_dpi = WEFT_TESSERACT_DPI,
	    .passwords = confirm->passwords,
	    .limits = confirm->run->job->limits,
	};

	for (guint i = 0; i < questions->len; i++)
		g_array_append_val(places, g_array_index(questions, Question, i).at);
	g_autoptr(GPtrArray) parts =
	    weft_crop_all(confirm->run->ingest, confirm->fd, "",
	                  (const WeftAnchor *)(gconstpointer)places->data, places->len, &options, NULL);

	for (guint i = 0; parts != NULL && i < parts->len; i++) {
		g_autoptr(GPtrArray) contents = read_piece(confirm, parts->pdata[i]);

		if (contents != NULL)
			settle(record, &g_array_index(questions, Question, i), answer, contents);
	}
}

static void confirm_record(Confirm *confirm, const WeftDocument *document, WeftRecord *record)
{
	g_autoptr(GArray) questions =
	    questions_of(record, confirm->run->job->checks_text);
	g_autoptr(WeftJson) answer =
	    questions->len > 0
	        ? weft_json_parse(record->answer, strlen(record->answer), WEFT_JSON_STRICT, NULL)
	        : NULL;

	while (questions->len > 0) {
		g_autoptr(GArray) same = g_array_new(FALSE, FALSE, sizeof(Question));
		WeftAnchor at = g_array_index(questions, Question, 0).at;

		for (guint i = 0; i < questions->len;) {
			Question question = g_array_index(questions, Question, i);

			if (!is_same_picture(&question.at, &at)) {
				i++;
				continue;
			}
			g_array_append_val(same, question);
			g_array_remove_index(questions, i);
		}
		if (open_document(confirm, document, at.document))
			read_picture(confirm, record, answer, same);
	}
}

static WeftStep confirm_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Confirm *confirm = state;
	g_autoptr(WeftItem) item = take_item;

	if (item->kind == WEFT_ITEM_RECORD && item->record != NULL)
		confirm_record(confirm, item->begin, item->record);
	g_clear_pointer(&confirm->reader, weft_reader_close);
	close_document(confirm);
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

static void confirm_done(void *state)
{
	Confirm *confirm = state;

	g_free(confirm->passwords);
	g_free(confirm);
}

const WeftNodeClass weft_node_confirm = {"confirm", confirm_init, confirm_step, NULL, confirm_done};
