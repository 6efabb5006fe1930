#include "pipeline/slides.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

#define TIME_DECIMALS 3
/* What is told again begins where it ended, to within the clock of a container. */
#define GAP_S 0.01

typedef struct Entry {
	guint number; /* of the slide, from 1; 0: none stands */
	double from_s, until_s;
	guint32 frame;        /* index into the contents: the first item of this stretch */
	GArray *shown, *said; /* guint32, likewise */
} Entry;

typedef struct Slides {
	WeftRecord *record;
	GPtrArray *entries; /* Entry, in order of time */
	guint n_slides;
} Slides;

static void entry_free(void *data)
{
	Entry *entry = data;

	g_array_unref(entry->shown);
	g_array_unref(entry->said);
	g_free(entry);
}

static Entry *add_entry(Slides *slides, guint number, guint32 frame, double from_s, double until_s)
{
	Entry *entry = g_new0(Entry, 1);

	entry->frame = frame;
	entry->number = number;
	entry->from_s = from_s;
	entry->until_s = until_s;
	entry->shown = g_array_new(FALSE, FALSE, sizeof(guint32));
	entry->said = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_ptr_array_add(slides->entries, entry);
	return entry;
}

static const WeftContent *content_at(const Slides *slides, guint32 index)
{
	return g_ptr_array_index(slides->record->contents, index);
}

static const WeftAnchor *place_of(const WeftContent *content)
{
	return &g_array_index(content->anchors, WeftAnchor, 0);
}

static gboolean has_text(const WeftContent *content)
{
	return content->text != NULL && content->text[0] != '\0';
}

/* A frame, or what was read in one. */
static gboolean is_picture(const WeftContent *content)
{
	return content->kind == WEFT_CONTENT_FRAME || content->kind == WEFT_CONTENT_IMAGE ||
	       content->kind == WEFT_CONTENT_BLANK ||
	       ((content->kind == WEFT_CONTENT_TEXT || content->kind == WEFT_CONTENT_TABLE) &&
	        content->by != WEFT_BY_FILE && content->by != WEFT_BY_SIDECAR);
}

/* The first entry of what stood since then, or NULL. */
static const Entry *entry_since(const Slides *slides, double from_s)
{
	for (guint i = 0; i < slides->entries->len; i++) {
		const Entry *entry = g_ptr_array_index(slides->entries, i);

		if (entry->number > 0 && fabs(entry->from_s - from_s) < GAP_S)
			return entry;
	}
	return NULL;
}

static void show_again(Slides *slides, const Entry *first, const WeftAnchor *at, guint32 frame)
{
	Entry *last = g_ptr_array_index(slides->entries, slides->entries->len - 1);

	if (last->number == first->number && fabs(last->until_s - at->time[0]) < GAP_S) {
		last->until_s = at->time[1];
		return;
	}
	last = add_entry(slides, first->number, frame, at->time[0], at->time[1]);
	g_array_append_vals(last->shown, first->shown->data, first->shown->len);
}

static void take_picture(Slides *slides, const WeftContent *content, guint32 index)
{
	const WeftAnchor *at = place_of(content);
	Entry *last = slides->entries->len > 0
	                  ? g_ptr_array_index(slides->entries, slides->entries->len - 1)
	                  : NULL;
	const Entry *first =
	    content->anchors->len > 1
	        ? entry_since(slides, g_array_index(content->anchors, WeftAnchor, 1).time[0])
	        : NULL;

	if (first != NULL) {
		show_again(slides, first, at, index);
		return;
	}
	/* Several things read in one frame stand for the same time. */
	if (last == NULL || last->number == 0 || last->from_s != at->time[0] ||
	    last->until_s != at->time[1])
		last = add_entry(slides, ++slides->n_slides, index, at->time[0], at->time[1]);
	g_array_append_val(last->shown, index);
}

/* The last that began before; contents come in the order of time, but for a little. */
static Entry *entry_at(Slides *slides, const WeftAnchor *at, guint32 index)
{
	for (guint i = slides->entries->len; i > 0; i--) {
		Entry *entry = g_ptr_array_index(slides->entries, i - 1);

		if (entry->from_s <= at->time[0])
			return entry;
	}
	/* Before the first slide. */
	add_entry(slides, 0, index, 0, at->time[1]);
	for (guint i = slides->entries->len - 1; i > 0; i--) {
		void *before = g_ptr_array_index(slides->entries, i - 1);

		g_ptr_array_index(slides->entries, i - 1) = g_ptr_array_index(slides->entries, i);
		g_ptr_array_index(slides->entries, i) = before;
	}
	return g_ptr_array_index(slides->entries, 0);
}

static void take_speech(Slides *slides, const WeftContent *content, guint32 index)
{
	const WeftAnchor *at = place_of(content);
	Entry *entry = entry_at(slides, at, index);

	if (entry->number == 0)
		entry->until_s = fmax(entry->until_s, at->time[1]);
	g_array_append_val(entry->said, index);
}

static void add_evidence(const Slides *slides, guint i, const char *key, WeftProvenanceKind kind,
                         guint32 index)
{
	const WeftContent *content = content_at(slides, index);
	const char *text = content->text != NULL ? content->text : "";
	WeftProvenance evidence = {
	    .pointer = g_strdup_printf("/slides/%u/%s", i, key),
	    .kind = kind,
	    .content = index,
	    .char_end = (guint32)weft_utf8_length(text, strlen(text)),
	    .at = *place_of(content),
	    .confidence = content->confidence,
	};

	g_array_append_val(slides->record->provenance, evidence);
}

/* The texts of the items, a line for each, or null; each is evidence. */
static void write_texts(const Slides *slides, WeftJsonWriter *w, guint i, const char *key,
                        const GArray *indices)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint k = 0; k < indices->len; k++) {
		guint32 index = g_array_index(indices, guint32, k);
		const WeftContent *content = content_at(slides, index);

		if (!has_text(content))
			continue;
		if (text->len > 0)
			g_string_append_c(text, '\n');
		if (content->speaker != NULL)
			g_string_append_printf(text, "%s: ", content->speaker);
		g_string_append(text, content->text);
		add_evidence(slides, i, key, WEFT_PROVENANCE_COPIED, index);
	}
	weft_json_write_key(w, key);
	if (text->len > 0)
		weft_json_write_string(w, text->str);
	else
		weft_json_write_null(w);
}

/* The marker in which it begins, as a task that asks has it. */
static void write_marker(WeftJsonWriter *w, double from_s)
{
	WeftAnchor anchor = {.has_time = TRUE, .time = {from_s, from_s}};
	guint second = weft_anchor_block(&anchor) * WEFT_BLOCK_S;
	g_autofree char *at =
	    g_strdup_printf("%02u:%02u:%02u", second / 3600, second / 60 % 60, second % 60);

	weft_json_write_key(w, "at");
	weft_json_write_string(w, at);
}

/* Its times and number point to the frame that stands, or to the first words where none does. */
static void add_places(const Slides *slides, const Entry *entry, guint i)
{
	static const char *const keys[] = {"at", "from", "until", "slide"};

	for (guint k = 0; k < G_N_ELEMENTS(keys); k++)
		if (entry->number > 0 || strcmp(keys[k], "slide") != 0)
			add_evidence(slides, i, keys[k], WEFT_PROVENANCE_POINTED, entry->frame);
}

static void write_entry(const Slides *slides, WeftJsonWriter *w, guint i)
{
	const Entry *entry = g_ptr_array_index(slides->entries, i);

	weft_json_write_object(w);
	add_places(slides, entry, i);
	write_marker(w, entry->from_s);
	weft_json_write_key(w, "from");
	weft_json_write_rounded(w, entry->from_s, TIME_DECIMALS);
	weft_json_write_key(w, "until");
	weft_json_write_rounded(w, entry->until_s, TIME_DECIMALS);
	weft_json_write_key(w, "slide");
	if (entry->number > 0)
		weft_json_write_uint(w, entry->number);
	else
		weft_json_write_null(w);
	write_texts(slides, w, i, "text", entry->shown);
	write_texts(slides, w, i, "said", entry->said);
	weft_json_write_object_end(w);
}

void weft_slides_answer(WeftRecord *record)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	g_autoptr(GString) text = g_string_new(NULL);
	Slides slides = {record, entries, 0};
	WeftJsonWriter w;

	/* All pictures first: what is said may come a little before the slide that stood by then. */
	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *content = content_at(&slides, i);

		if (is_picture(content) && place_of(content)->has_time && !content->hidden)
			take_picture(&slides, content, i);
	}
	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *content = content_at(&slides, i);

		if (content->kind == WEFT_CONTENT_SPEECH && has_text(content) && !content->hidden &&
		    place_of(content)->has_time)
			take_speech(&slides, content, i);
	}
	weft_json_writer_init(&w, text);
	weft_json_write_object(&w);
	weft_json_write_key(&w, "slides");
	weft_json_write_array(&w);
	for (guint i = 0; i < entries->len; i++)
		write_entry(&slides, &w, i);
	weft_json_write_array_end(&w);
	weft_json_write_object_end(&w);
	g_free(record->answer);
	record->answer = g_strdup(text->str);
}
