/* pdf.c - PDF documents, by poppler-glib. One page is held at a time. */
#include "ingest/pdf.h"

#include <math.h>
#include <poppler.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/pdf_page.h"
#include "ingest/raster.h"

#define INK_SCALE 1.0          /* pixels per point at which ink is judged: 72 dpi */
#define VECTOR_INK_BLANK 2e-6  /* without a scanner there are no specks: one pixel of A4 */
#define PAGES_PER_OPENING 400u /* poppler keeps what it has seen: open anew now and then */
#define BROKEN_PAGES_MAX 50u /* in a row: then the page count is a lie */
#define IMAGES_MAX 64u         /* pictures of a page that are worth a content */
#define IMAGE_SIDE_POINTS 24.0 /* smaller ones are bullets and rules */
#define SCAN_COVER 0.5         /* pictures over this share of a page, and few words: a scan */
#define SCAN_WORDS 20u
#define DPI_DEFAULT 150.0
#define DPI_MAX 600.0
#define ROUNDED_UP 0.998 /* both sides are: that much less, so that 64 million stay below */

typedef struct PdfState {
	const WeftDecodeJob *job;
	PopplerDocument *document;
	char *password; /* the one that opened it, or NULL */
	guint32 page, page_first, page_last;
	guint32 n_unread; /* behind page_last, for the limit */
	guint n_since_opening, n_broken;
	GError *end; /* why nothing follows what waits in `parts`, or NULL */
	guint n_outline;
	gboolean entries_told, nesting_told;
	guint n_warnings; /* of poppler, since the page began */
	char *first_warning;
	guint log_handler;
	GQueue parts; /* of WeftPart: made, not yet given */
} PdfState;

static void note_warning(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
	PdfState *state = data;
	if (state->n_warnings++ == 0) {
		g_free(state->first_warning);
		state->first_warning = g_strdup(message);
	}
}

static PopplerDocument *open_with(const PdfState *state, const char *password, GError **error)
{
	int fd = dup(state->job->fd); /* poppler closes it */
	if (fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "no more descriptors");
		return NULL;
	}
	return poppler_document_new_from_fd(fd, password, error);
}

/* Without a password, then with each that was given. */
static gboolean open_document(PdfState *state, GError **error)
{
	const char *const *passwords = state->job->options->passwords;
	g_autoptr(GError) local = NULL;
	state->document = open_with(state, state->password, &local);
	gboolean locked = g_error_matches(local, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
	/* the error for a wrong one varies, so all are tried */
	for (guint i = 0; !state->document && locked && passwords && passwords[i]; i++) {
		state->document = open_with(state, passwords[i], NULL);
		if (state->document)
			state->password = g_strdup(passwords[i]);
	}
	if (state->document)
		return TRUE;
	if (locked)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_ENCRYPTED, "needs a password%s",
		            passwords && passwords[0] ? ", and none of those given fits" : "");
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "damaged PDF: %s",
		            local->message);
	return FALSE;
}

/* --- facts of the document --- */

static void add_text(PdfState *state, const char *key, char *take_value)
{
	if (take_value && *g_strstrip(take_value))
		g_queue_push_tail(&state->parts, weft_part_new_meta(key, take_value));
	g_free(take_value);
}

static void add_date(PdfState *state, const char *key, GDateTime *take_date)
{
	if (!take_date)
		return;
	add_text(state, key, g_date_time_format_iso8601(take_date));
	g_date_time_unref(take_date);
}

static void add_metadata(PdfState *state)
{
	PopplerDocument *document = state->document;
	add_text(state, "title", poppler_document_get_title(document));
	add_text(state, "author", poppler_document_get_author(document));
	add_text(state, "subject", poppler_document_get_subject(document));
	add_text(state, "keywords", poppler_document_get_keywords(document));
	add_text(state, "creator", poppler_document_get_creator(document));
	add_text(state, "producer", poppler_document_get_producer(document));
	add_date(state, "created", poppler_document_get_creation_date_time(document));
	add_date(state, "modified", poppler_document_get_modification_date_time(document));
	add_text(state, "format", poppler_document_get_pdf_version_string(document));
}

static guint32 page_of(const PdfState *state, const PopplerDest *dest)
{
	if (!dest)
		return 0;
	if (dest->type == POPPLER_DEST_NAMED && dest->named_dest) {
		PopplerDest *found = poppler_document_find_dest(state->document, dest->named_dest);
		guint32 page = found && found->page_num > 0 ? (guint32)found->page_num : 0;
		if (found)
			poppler_dest_free(found);
		return page;
	}
	return dest->page_num > 0 ? (guint32)dest->page_num : 0;
}

/* `told` is of this limit: once is enough. */
static void tell_cut(PdfState *state, gboolean *told, const char *what, const char *limit,
                     double value)
{
	WeftAnchor whole = {0};
	if (!*told)
		g_queue_push_tail(&state->parts,
		                  weft_part_new_fault(whole, WEFT_ERROR_LIMIT,
		                                      "%s: not all of it is kept: limit %s=%.15g",
		                                      what, limit, value));
	*told = TRUE;
}

/* Takes the iterator. */
static void add_outline(PdfState *state, PopplerIndexIter *iter, guint level)
{
	const WeftLimits *limits = &state->job->options->limits;
	do {
		if (state->n_outline++ >= limits->entries) {
			tell_cut(state, &state->entries_told, "outline", "entries", limits->entries);
			break;
		}
		PopplerAction *action = poppler_index_iter_get_action(iter);
		WeftAnchor at = {0};
		if (action && action->type == POPPLER_ACTION_GOTO_DEST)
			at.page = page_of(state, action->goto_dest.dest);
		g_autoptr(WeftPart) title = weft_part_new_meta(
		    "title", action && action->any.title ? action->any.title : "");
		WeftPart *part = weft_part_new(WEFT_PART_OUTLINE, at);
		part->value = g_steal_pointer(&title->value);
		part->level = level;
		g_queue_push_tail(&state->parts, part);
		if (action)
			poppler_action_free(action);
		PopplerIndexIter *child =
		    poppler_index_iter_get_child(iter);
		if (child && level + 1 < limits->nesting) {
			add_outline(state, child, level + 1);
		} else if (child) {
			tell_cut(state, &state->nesting_told, "outline", "nesting", limits->nesting);
			poppler_index_iter_free(child);
		}
	} while (poppler_index_iter_next(iter));
	poppler_index_iter_free(iter);
}

static void add_embedded(PdfState *state)
{
	GList *attachments = poppler_document_get_attachments(state->document);
	double n = 0, most = state->job->options->limits.entries;
	for (GList *l = attachments; l && n < most; l = l->next, n++) {
		PopplerAttachment *attachment = l->data;
		WeftAnchor whole = {0};
		g_autoptr(WeftPart) name =
		    weft_part_new_meta("name", attachment->name ? attachment->name : "");
		WeftPart *part = weft_part_new(WEFT_PART_EMBEDDED, whole);
		part->value = g_steal_pointer(&name->value);
		part->size_bytes = attachment->size;
		g_queue_push_tail(&state->parts, part);
	}
	gboolean told = FALSE;
	if (g_list_length(attachments) > most)
		tell_cut(state, &told, "embedded files", "entries", most);
	g_list_free_full(attachments, g_object_unref);
}

/* The pages that are asked for, and of those no more than the limit. */
static void choose_pages(PdfState *state, guint32 n_pages)
{
	const WeftDecodeOptions *options = state->job->options;
	state->page = MAX(options->page_first, 1);
	state->page_last = options->page_last > 0 ? MIN(n_pages, options->page_last) : n_pages;
	double last = state->page + options->limits.pages - 1;
	if (state->page_last > last) {
		state->n_unread = state->page_last - (guint32)last;
		state->page_last = (guint32)last;
	}
	state->page_first = state->page;
	state->page = MAX(state->page, options->page_from);
}

static void tell_extent(PdfState *state)
{
	WeftAnchor whole = {0};
	if (state->page_last < state->page_first)
		return;
	WeftPart *part = weft_part_new(WEFT_PART_EXTENT, whole);
	part->extent.n_pages = state->page_last - state->page_first + 1;
	part->extent.n_pages_cut = state->n_unread;
	g_queue_push_tail(&state->parts, part);
}

static void add_facts_of_document(PdfState *state)
{
	tell_extent(state);
	add_metadata(state);
	PopplerIndexIter *outline = poppler_index_iter_new(state->document);
	if (outline)
		add_outline(state, outline, 0);
	add_embedded(state);
}

static gboolean pdf_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	PdfState *state = g_new0(PdfState, 1);
	state->job = job;
	g_queue_init(&state->parts);
	state->log_handler =
	    g_log_set_handler("Poppler", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION,
	                      note_warning, state);
	if (!open_document(state, error)) {
		weft_pdf_decoder.close(state);
		return FALSE;
	}
	int n_pages = poppler_document_get_n_pages(state->document);
	if (n_pages < 1) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "PDF without pages");
		weft_pdf_decoder.close(state);
		return FALSE;
	}
	choose_pages(state, (guint32)n_pages);
	if (job->options->page_from == 0)
		add_facts_of_document(state);
	*ret_state = state;
	return TRUE;
}

static void pdf_close(void *data)
{
	PdfState *state = data;
	WeftPart *part;
	while ((part = g_queue_pop_head(&state->parts)))
		weft_part_free(part);
	g_clear_object(&state->document);
	g_log_remove_handler("Poppler", state->log_handler);
	g_free(state->password);
	g_free(state->first_warning);
	g_clear_error(&state->end);
	g_free(state);
}

/* --- pages --- */

/* What the limits allow. */
static double scale_max(const PdfState *state, const PdfPage *page)
{
	double pixels = ROUNDED_UP * state->job->options->limits.raster_pixels;
	double scale = MIN(DPI_MAX / 72, (WEFT_RASTER_SIDE_MAX - 1) / MAX(page->width, page->height));
	return MIN(scale, sqrt(pixels / (page->width * page->height)));
}

static double raster_scale(const PdfState *state, const PdfPage *page)
{
	const WeftDecodeOptions *options = state->job->options;
	double side = MAX(page->width, page->height);
	double scale = (options->page_dpi > 0 ? options->page_dpi : DPI_DEFAULT) / 72;
	if (options->raster_side_max > 0) {
		double fits = options->raster_side_max / side;
		scale = options->page_dpi > 0 ? MIN(scale, fits) : fits;
	}
	return MIN(scale, scale_max(state, page));
}

/* poppler-glib does not give /Rotate, but it turns the boxes of annotations by it: where a small
 * one lands tells. It is taken away again before anything is drawn. */
static int rotation_of(PopplerDocument *document, const PdfPage *page)
{
	double width = page->width, height = page->height, best = G_MAXDOUBLE;
	const double landings[4][2] = {
	    {10, 20}, {height - 21, 10}, {width - 11, height - 21}, {20, width - 11}};
	PopplerRectangle box = {10, 20, 11, 21};
	int rotation = 0;
	PopplerAnnot *annot = poppler_annot_text_new(document, &box);
	poppler_page_add_annot(page->page, annot);
	poppler_annot_get_rectangle(annot, &box);
	poppler_page_remove_annot(page->page, annot);
	g_object_unref(annot);
	for (int i = 0; i < 4; i++) {
		double d = fabs(box.x1 - landings[i][0]) + fabs(box.y1 - landings[i][1]);
		if (d < best) {
			best = d;
			rotation = 90 * i;
		}
	}
	return rotation;
}

static double share_on_page(const PdfPage *page, const PopplerRectangle *area)
{
	double width = MIN(area->x2, page->width) - MAX(area->x1, 0);
	double height = MIN(area->y2, page->height) - MAX(area->y1, 0);
	double whole = (area->x2 - area->x1) * (area->y2 - area->y1);
	return width > 0 && height > 0 && whole > 0 ? width * height / whole : 0;
}

/* Boxes of pictures, mended: poppler-glib takes the offset of the crop box off twice, and gives a
 * picture that lies on its side by a corner and the sides that it has upright. */
static void mend_images(PdfPage *page)
{
	PopplerRectangle crop;
	poppler_page_get_crop_box(page->page, &crop);
	for (GList *l = page->images; l; l = l->next) {
		PopplerRectangle *area = &((PopplerImageMapping *)l->data)->area;
		double x = area->x1 + crop.x1, y = area->y1 + crop.y1;
		double width = area->x2 - area->x1, height = area->y2 - area->y1;
		const PopplerRectangle upright = {x, y, x + width, y + height};
		const PopplerRectangle right = {x - height, y, x, y + width};
		const PopplerRectangle left = {x, y - width, x + height, y};
		const PopplerRectangle *best = page->rotation == 90    ? &right
		                               : page->rotation == 270 ? &left
		                                                       : &upright;
		/* a picture turned by the page's content: then only the right box lies on the page
		 */
		const PopplerRectangle *others[] = {&upright, &right, &left};
		for (guint i = 0; i < G_N_ELEMENTS(others); i++)
			if (share_on_page(page, others[i]) > share_on_page(page, best) + 0.25)
				best = others[i];
		*area = *best;
	}
}

static void read_text(PdfPage *page, PopplerDocument *document)
{
	page->rotation = rotation_of(document, page);
	page->words = g_array_new(FALSE, FALSE, sizeof(PdfWord));
	page->text = poppler_page_get_text(page->page);
	if (page->text && !g_utf8_validate(page->text, -1, NULL))
		g_clear_pointer(&page->text, g_free);
	if (page->text && poppler_page_get_text_layout(page->page, &page->glyphs, &page->n_glyphs))
		weft_pdf_page_find_words(page);
	page->images = poppler_page_get_image_mapping(page->page);
	mend_images(page);
}

static void page_done(PdfPage *page)
{
	g_clear_pointer(&page->text, g_free);
	g_clear_pointer(&page->glyphs, g_free);
	g_clear_pointer(&page->words, g_array_unref);
	g_clear_pointer(&page->pixels, g_free);
	if (page->images)
		poppler_page_free_image_mapping(page->images);
	g_clear_object(&page->page);
}

static guint count_words(const PdfPage *page, PdfWordKind kind)
{
	guint n = 0;
	for (guint i = 0; i < page->words->len; i++)
		n += g_array_index(page->words, PdfWord, i).kind == kind;
	return n;
}

static WeftAnchor whole_page(const PdfPage *page)
{
	WeftAnchor at = {.page = page->n, .has_bbox = TRUE};
	at.bbox[2] = page->width;
	at.bbox[3] = page->height;
	return at;
}

static void add_images(PdfState *state, const PdfPage *page)
{
	guint n = 0;
	for (GList *l = page->images; l && n < IMAGES_MAX; l = l->next) {
		const PopplerRectangle *area = &((const PopplerImageMapping *)l->data)->area;
		WeftAnchor at = {.page = page->n, .has_bbox = TRUE};
		at.bbox[0] = round(CLAMP(area->x1, 0, page->width) * 100) / 100;
		at.bbox[1] = round(CLAMP(area->y1, 0, page->height) * 100) / 100;
		at.bbox[2] = round(CLAMP(area->x2, 0, page->width) * 100) / 100;
		at.bbox[3] = round(CLAMP(area->y2, 0, page->height) * 100) / 100;
		if (at.bbox[2] - at.bbox[0] < IMAGE_SIDE_POINTS ||
		    at.bbox[3] - at.bbox[1] < IMAGE_SIDE_POINTS)
			continue;
		g_queue_push_tail(&state->parts, weft_part_new_content(weft_content_new(
		                                     WEFT_CONTENT_IMAGE, WEFT_BY_FILE, NULL, at)));
		n++;
	}
}

static gboolean add_raster(PdfState *state, PdfPage *page, GError **error)
{
	double scale = raster_scale(state, page);
	if (page->scale != scale && !weft_pdf_page_render(page, scale, error))
		return FALSE;
	g_queue_push_tail(&state->parts,
	                  weft_part_new_raster(WEFT_PART_RASTER, whole_page(page),
	                                       page->pixels_width, page->pixels_height,
	                                       g_steal_pointer(&page->pixels), 1 / scale));
	return TRUE;
}

static void add_facts(PdfState *state, const PdfPage *page, double ink)
{
	WeftAnchor at = {.page = page->n};
	WeftPart *part = weft_part_new(WEFT_PART_PAGE, at);
	part->page.n = page->n;
	part->page.width = round(page->width * 100) / 100;
	part->page.height = round(page->height * 100) / 100;
	part->page.rotation = page->rotation;
	part->page.ink = ink;
	g_queue_push_tail(&state->parts, part);
}

static gboolean read_page(PdfState *state, PdfPage *page, GError **error)
{
	gboolean want_rasters = state->job->options->want_rasters;
	poppler_page_get_size(page->page, &page->width, &page->height);
	if (!(page->width > 0 && page->height > 0 && page->width < 1e7 && page->height < 1e7)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "page %u: size of %g x %g points",
		            page->n, page->width, page->height);
		return FALSE;
	}
	read_text(page, state->document);
	double scale = raster_scale(state, page);
	/* by the page alone: what it is does not depend on who will look at it */
	if (page->words->len > 0 || !want_rasters)
		scale = MIN(INK_SCALE, scale_max(state, page));
	if (!weft_pdf_page_render(page, scale, error))
		return FALSE;
	weft_pdf_page_judge_words(page);
	double ink = weft_raster_ink_of(page->pixels, page->pixels_width, page->pixels_height,
	                                (gsize)page->pixels_width * 3);
	guint n_layer = count_words(page, PDF_WORD_OCR_LAYER);
	guint n_read = count_words(page, PDF_WORD_VISIBLE) + n_layer;
	gboolean blank = n_read == 0 && ink < (page->images ? WEFT_INK_BLANK : VECTOR_INK_BLANK);
	gboolean scan =
	    n_read == 0 || (n_layer == 0 && page->image_cover >= SCAN_COVER && n_read < SCAN_WORDS);
	add_facts(state, page, ink);
	weft_pdf_page_contents(page, &state->parts);
	if (blank && state->n_warnings > 0)
		g_queue_push_tail(&state->parts,
		                  weft_part_new_fault(whole_page(page), WEFT_ERROR_CORRUPT,
		                                      "page %u shows nothing: %s", page->n,
		                                      state->first_warning));
	else if (blank)
		g_queue_push_tail(&state->parts,
		                  weft_part_new_content(weft_content_new(
		                      WEFT_CONTENT_BLANK, WEFT_BY_FILE, NULL, whole_page(page))));
	else if (scan && want_rasters)
		return add_raster(state, page, error);
	else if (!scan && n_layer == 0)
		add_images(state, page);
	if (want_rasters && state->job->options->want_all_pages)
		return add_raster(state, page, error);
	return TRUE;
}

static gboolean reopen(PdfState *state, GError **error)
{
	if (++state->n_since_opening < PAGES_PER_OPENING)
		return TRUE;
	state->n_since_opening = 0;
	g_clear_object(&state->document);
	return open_document(state, error);
}

static gboolean next_page(PdfState *state, GError **error)
{
	PdfPage page = {.job = state->job, .n = state->page++};
	g_autoptr(GError) local = NULL;
	WeftAnchor at = {.page = page.n};
	if (!reopen(state, error))
		return FALSE;
	state->n_warnings = 0;
	page.page = poppler_document_get_page(state->document, (int)page.n - 1);
	gboolean ok = page.page != NULL;
	if (!ok)
		g_set_error(&local, WEFT_ERROR, WEFT_ERROR_CORRUPT, "page %u: not there", page.n);
	else
		ok = read_page(state, &page, &local);
	page_done(&page);
	state->n_broken = ok ? 0 : state->n_broken + 1;
	if (!ok && state->n_broken > BROKEN_PAGES_MAX) {
		g_set_error(&state->end, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "%u pages in a row can't be read, the last is page %u", state->n_broken,
		            state->page - 1);
		state->n_unread = 0; /* no limit keeps us from them */
		tell_extent(state);
		return TRUE;
	}
	if (!ok)
		g_queue_push_tail(&state->parts, weft_part_new_fault(at, (WeftErrorCode)local->code,
		                                                     "%s", local->message));
	return TRUE;
}

/* Takes `n_unread`: it is told once. */
static void tell_unread(PdfState *state)
{
	WeftAnchor at = {.page = state->page_last + 1};
	guint32 last = state->page_last + state->n_unread;
	g_autofree char *pages = last == at.page
	                             ? g_strdup_printf("page %u", last)
	                             : g_strdup_printf("page %u to %u", at.page, last);
	WeftPart *part =
	    weft_part_new_fault(at, WEFT_ERROR_LIMIT, "%s not read: limit pages=%.15g", pages,
	                        state->job->options->limits.pages);
	part->page.n = state->n_unread;
	g_queue_push_tail(&state->parts, part);
	state->n_unread = 0;
}

static gboolean pdf_next(void *data, WeftPart **ret_part, GError **error)
{
	PdfState *state = data;
	while (g_queue_is_empty(&state->parts) && state->page <= state->page_last && !state->end)
		if (!next_page(state, error))
			return FALSE;
	if (g_queue_is_empty(&state->parts) && state->end) {
		g_propagate_error(error, g_steal_pointer(&state->end));
		return FALSE;
	}
	if (g_queue_is_empty(&state->parts) && state->n_unread > 0)
		tell_unread(state);
	*ret_part = g_queue_pop_head(&state->parts);
	return TRUE;
}

const WeftDecoder weft_pdf_decoder = {
    .name = "pdf",
    .family = WEFT_FAMILY_PDF,
    .open = pdf_open,
    .next = pdf_next,
    .close = pdf_close,
};
