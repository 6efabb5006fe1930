#include "encoders/whisper_past.h"

#include <string.h>

#include "base/bytes.h"

#define PAGE WEFT_PAGE_POSITIONS

/* Keys and values of PAGE positions: numbers[layer][key, value][PAGE][width]. */
struct WeftWhisperPage {
	gsize n_refs;
	float *numbers;
};

/* Of the keys of one layer, or its values. */
static gsize half_numbers(const WeftWhisperPast *past)
{
	return PAGE * past->width;
}

static void page_free(const WeftWhisperPast *past, WeftWhisperPage *page)
{
	weft_kernels_free(past->kernels, page->numbers);
	g_free(page);
}

static WeftWhisperPage *page_new(WeftWhisperPast *past, GError **error)
{
	WeftWhisperPage *page;

	if (past->spare->len) {
		page = g_ptr_array_steal_index_fast(past->spare, past->spare->len - 1);
		page->n_refs = 1;
		return page;
	}
	page = g_new0(WeftWhisperPage, 1);
	page->n_refs = 1;
	page->numbers = weft_kernels_alloc(past->kernels, 2 * past->n_layers,
					   half_numbers(past) * sizeof(float), error);
	if (page->numbers)
		return page;
	page_free(past, page);
	return NULL;
}

static void page_unref(WeftWhisperPast *past, WeftWhisperPage *page)
{
	if (page && --page->n_refs == 0)
		g_ptr_array_add(past->spare, page);
}

static void forget(WeftWhisperPast *past)
{
	for (gsize i = 0; i < past->n_rows * past->n_row_pages; i++)
		page_unref(past, past->rows[i]);
	g_clear_pointer(&past->rows, g_free);
	past->n_rows = past->length = 0;
}

void weft_whisper_past_init(WeftWhisperPast *past, const WeftKernels *kernels, gsize n_layers,
			    gsize width, gsize n_context)
{
	*past = (WeftWhisperPast){ .kernels = kernels, .n_layers = n_layers, .width = width,
				   .n_row_pages = (n_context + PAGE - 1) / PAGE,
				   .spare = g_ptr_array_new() };
}

void weft_whisper_past_done(WeftWhisperPast *past)
{
	forget(past);
	for (guint i = 0; i < past->spare->len; i++)
		page_free(past, g_ptr_array_index(past->spare, i));
	g_ptr_array_unref(past->spare);
}

gboolean weft_whisper_past_begin(WeftWhisperPast *past, const guint32 *parents, gsize n_rows,
				 GError **error)
{
	gsize n_pages = past->n_row_pages, length = parents ? past->length : 0;
	WeftWhisperPage **rows =
		weft_alloc_array(n_rows * n_pages, sizeof(WeftWhisperPage *), 0, "rows", error);

	if (!rows)
		return FALSE;
	for (gsize i = 0; parents && i < n_rows; i++) {
		for (gsize p = 0; p < n_pages; p++) {
			WeftWhisperPage *page = past->rows[parents[i] * n_pages + p];

			rows[i * n_pages + p] = page;
			if (page)
				page->n_refs++;
		}
	}
	forget(past);
	past->rows = rows;
	past->n_rows = n_rows;
	past->length = length;
	return TRUE;
}

/* A page of one row alone, with the first n_kept positions of `shared`, which it leaves. */
static WeftWhisperPage *page_copy(WeftWhisperPast *past, WeftWhisperPage *shared, gsize n_kept,
				  GError **error)
{
	gsize half = half_numbers(past);
	WeftWhisperPage *page = page_new(past, error);

	for (gsize i = 0; page && i < 2 * past->n_layers; i++)
		memcpy(page->numbers + i * half, shared->numbers + i * half,
		       n_kept * past->width * sizeof(float));
	if (page)
		page_unref(past, shared);
	return page;
}

gboolean weft_whisper_past_grow(WeftWhisperPast *past, gsize n, GError **error)
{
	gsize first = past->length / PAGE, end = (past->length + n + PAGE - 1) / PAGE;

	for (gsize i = 0; i < past->n_rows; i++) {
		for (gsize p = first; p < end; p++) {
			WeftWhisperPage **page = &past->rows[i * past->n_row_pages + p], *own = *page;

			if (!own)
				own = page_new(past, error);
			else if (own->n_refs > 1)
				own = page_copy(past, own, past->length % PAGE, error);
			if (!own)
				return FALSE;
			*page = own;
		}
	}
	return TRUE;
}

void weft_whisper_past_write(const WeftWhisperPast *past, gsize row, gsize layer, gsize position,
			     const float *key, const float *value)
{
	WeftWhisperPage *page = past->rows[row * past->n_row_pages + position / PAGE];
	gsize half = half_numbers(past), size_bytes = past->width * sizeof(float);
	float *at = page->numbers + 2 * layer * half + position % PAGE * past->width;

	memcpy(at, key, size_bytes);
	memcpy(at + half, value, size_bytes);
}

void weft_whisper_past_pages(const WeftWhisperPast *past, gsize row, gsize layer,
			     const void **ret_keys, const void **ret_values)
{
	gsize half = half_numbers(past);

	for (gsize p = 0; p < past->n_row_pages; p++) {
		const WeftWhisperPage *page = past->rows[row * past->n_row_pages + p];

		ret_keys[p] = page ? page->numbers + 2 * layer * half : NULL;
		ret_values[p] = page ? page->numbers + 2 * layer * half + half : NULL;
	}
}
