#include "pipeline/item.h"

#include <string.h>

#include "base/error.h"

static size_t item_size_bytes(const void *data)
{
	const WeftItem *item = data;
	size_t size = sizeof *item;

	if (item->part != NULL)
		size += weft_part_size_bytes(item->part);
	if (item->window != NULL)
		size += weft_window_size_bytes(item->window);
	if (item->sequence != NULL)
		size += weft_sequence_size_bytes(item->sequence);
	if (item->bytes != NULL)
		size += g_bytes_get_size(item->bytes);
	if (item->answer != NULL && item->answer->json != NULL)
		size += strlen(item->answer->json);
	return size;
}

static void item_free(void *data)
{
	weft_item_free(data);
}

static void item_label(const void *data, char *label, size_t size)
{
	static const char *const names[] = {
	    [WEFT_ITEM_BEGIN] = "begin",     [WEFT_ITEM_PART] = "part",
	    [WEFT_ITEM_FAULT] = "fault",     [WEFT_ITEM_WINDOW] = "window",
	    [WEFT_ITEM_REQUEST] = "request", [WEFT_ITEM_PENDING] = "pending",
	    [WEFT_ITEM_ANSWER] = "answer",   [WEFT_ITEM_VERDICT] = "verdict",
	    [WEFT_ITEM_MARK] = "mark",       [WEFT_ITEM_END] = "end",
	    [WEFT_ITEM_RECORD] = "record",   [WEFT_ITEM_SOUNDING] = "sounding",
	    [WEFT_ITEM_HEARING] = "hearing", [WEFT_ITEM_TYPE] = "type",
	    [WEFT_ITEM_MEMBER] = "member",   [WEFT_ITEM_MEMBER_END] = "member end",
	};
	const WeftItem *item = data;

	g_snprintf(label, size, "document %" G_GUINT64_FORMAT " %s", item->document,
	           names[item->kind]);
}

void weft_heard_add(WeftHeardCounts *heard, const WeftHeardCounts *more)
{
	heard->is_heard |= more->is_heard;
	heard->n_windows += more->n_windows;
	heard->n_encodes += more->n_encodes;
	heard->n_searches += more->n_searches;
	heard->skipped_s += more->skipped_s;
	heard->n_terms_left_out = MAX(heard->n_terms_left_out, more->n_terms_left_out);
}

const WeftItemClass weft_item_class = {item_size_bytes, item_free, item_label};

WeftItem *weft_item_new(WeftItemKind kind, guint64 document)
{
	WeftItem *item = g_new0(WeftItem, 1);

	item->kind = kind;
	item->document = document;
	return item;
}

void weft_item_free(WeftItem *item)
{
	if (item == NULL)
		return;
	weft_document_free(item->begin);
	weft_part_free(item->part);
	weft_part_fault_free(item->fault);
	weft_window_free(item->window);
	weft_type_facts_free(item->chosen);
	g_clear_pointer(&item->elements, g_array_unref);
	weft_sequence_free(item->sequence);
	weft_pending_free(item->pending);
	weft_answer_free(item->answer);
	g_clear_pointer(&item->withheld, g_ptr_array_unref);
	weft_verdict_free(item->verdict);
	weft_record_free(item->record);
	weft_journal_close(item->journal);
	g_free(item->asked);
	g_clear_pointer(&item->windows, g_array_unref);
	g_clear_pointer(&item->answers, g_ptr_array_unref);
	g_clear_pointer(&item->bytes, g_bytes_unref);
	g_free(item);
}

bool weft_item_send_part(WeftRunner *runner, guint64 document, WeftPart *take_part)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_PART, document);

	item->part = take_part;
	return weft_runner_send(runner, item);
}

bool weft_item_send_content(WeftRunner *runner, guint64 document, WeftContent *take_content)
{
	WeftAnchor at = g_array_index(take_content->anchors, WeftAnchor, 0);
	WeftPart *part = weft_part_new(WEFT_PART_CONTENT, at);

	part->content = take_content;
	return weft_item_send_part(runner, document, part);
}

bool weft_item_send_fault(WeftRunner *runner, guint64 document, const char *stage,
                          GError *take_error, const WeftAnchor *at)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_FAULT, document);

	item->fault = weft_part_fault_new(stage, take_error, at);
	return weft_runner_send(runner, item);
}

bool weft_item_send_stop(WeftRunner *runner, guint64 document)
{
	return weft_item_send_fault(runner, document, "stop", weft_stop_fault(), NULL);
}

bool weft_item_is_stop(const WeftItem *item)
{
	return item->kind == WEFT_ITEM_FAULT &&
	       g_error_matches(item->fault->error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
}

bool weft_item_send_answer(WeftRunner *runner, guint64 document, WeftAnswer *take_answer)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_ANSWER, document);

	item->answer = take_answer;
	return weft_runner_send(runner, item);
}
