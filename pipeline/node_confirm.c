/* node_confirm.c - reads alone what the model only looked at.
 *
 * Attention is a hint. Of a value that points to a place in a picture, that place is cut out of the
 * document once more, read by Tesseract by itself, and the record says what was read there and whether
 * the value stands in it. A document that is not what it was, or a place that can't be cut out, leaves
 * the value as it is: a hint, neither confirmed nor denied.
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

/* Of one document: each costs a page decoded and a piece of it read. */
#define VALUES_MAX 32
/* A patch is coarser than a line of text: as much again on each side, at least so many points. */
#define MARGIN_LEAST 12.0

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

/* The text that stands there, line by line; NULL: it can't be cut out or read. */
static char *read_place(Confirm *confirm, const WeftAnchor *at)
{
	WeftRun *run = confirm->run;
	double width = at->bbox[2] - at->bbox[0], height = at->bbox[3] - at->bbox[1];
	const WeftCropOptions options = {
		.page_dpi = WEFT_TESSERACT_DPI,
		.margin = MAX(MAX(width, height), MARGIN_LEAST),
		.passwords = confirm->passwords,
		.limits = run->job->limits,
	};
	g_autoptr(WeftPart) part = weft_crop(run->ingest, confirm->fd, "", at, &options, NULL);
	g_autoptr(GPtrArray) contents = NULL;
	GString *text;

	if (part != NULL && confirm->reader == NULL)
		confirm->reader = weft_ingest_reader(run->ingest, run->job->ocr_languages,
		                                     &run->job->limits, NULL);
	if (part == NULL || confirm->reader == NULL)
		return NULL;
	if (!weft_reader_read(confirm->reader, &part->raster, part->anchor, &contents, NULL)) {
		g_clear_pointer(&confirm->reader, weft_reader_close);
		return NULL;
	}
	text = g_string_new(NULL);
	g_ptr_array_set_free_func(contents, (GDestroyNotify)weft_content_free);
	for (guint i = 0; i < contents->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "",
		                       ((const WeftContent *)contents->pdata[i])->text);
	return g_string_free(text, FALSE);
}

static gboolean is_in_question(const WeftProvenance *value)
{
	return value->kind == WEFT_PROVENANCE_POINTED && value->attention > 0 && value->at.has_bbox;
}

static void confirm_value(Confirm *confirm, const WeftJson *value, WeftProvenance *evidence)
{
	WeftJsonType type = weft_json_type(value);

	if (type != WEFT_JSON_STRING && type != WEFT_JSON_NUMBER)
		return; /* true and false stand nowhere */
	evidence->read = read_place(confirm, &evidence->at);
	evidence->is_confirmed =
	    evidence->read != NULL && weft_value_stands_in(value, evidence->read);
}

static void confirm_record(Confirm *confirm, const WeftDocument *document, WeftRecord *record)
{
	g_autoptr(WeftJson) answer = NULL;
	guint n = 0;

	for (guint i = 0; i < record->provenance->len && n < VALUES_MAX; i++) {
		WeftProvenance *value = &g_array_index(record->provenance, WeftProvenance, i);

		if (!is_in_question(value) || !open_document(confirm, document, value->at.document))
			continue;
		if (answer == NULL)
			answer = weft_json_parse(record->answer, strlen(record->answer),
			                         WEFT_JSON_STRICT, NULL);
		n++;
		confirm_value(confirm, weft_json_at_pointer(answer, value->pointer), value);
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
