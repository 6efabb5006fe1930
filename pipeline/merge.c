#include "pipeline/merge.h"

#include <string.h>

#include "pipeline/shape.h"

/* Answers come from the automaton, which knows no deeper ones. */
#define DEPTH_MAX 64

typedef struct Window {
	WeftAnswer *answer;
	WeftJson *tree;
	GHashTable *values;  /* pointer -> WeftAnswerValue *, of the answer */
	guint32 number, element;
} Window;

struct WeftMerge {
	const WeftJson *schema;
	double confidence_min;
	GPtrArray *windows; /* Window */
	/* While finishing: */
	GArray *values;      /* WeftAnswerValue of the result */
	GPtrArray *withheld; /* char * */
	GArray *cuts;        /* WeftMergeCut */
	GArray *elements;    /* guint32; NULL: the file is one document */
};

/* What one window says at one place. */
typedef struct Side {
	const Window *window;
	const WeftJson *value;
	char *pointer; /* in the window's answer */
} Side;

/* One place of the result. */
typedef struct Place {
	WeftShape shape;
	const char *pointer;
	guint depth;
	WeftDecline decline; /* what those say together in whose answers there is null here or above */
} Place;

static void window_free(void *data)
{
	Window *window = data;

	g_hash_table_unref(window->values);
	weft_json_free(window->tree);
	weft_answer_free(window->answer);
	g_free(window);
}

static void cut_clear(void *data)
{
	g_free(((WeftMergeCut *)data)->pointer);
}

WeftMerge *weft_merge_new(const WeftJson *schema, double confidence_min)
{
	WeftMerge *merge = g_new0(WeftMerge, 1);

	merge->schema = schema;
	merge->confidence_min = confidence_min;
	merge->windows = g_ptr_array_new_with_free_func(window_free);
	merge->cuts = g_array_new(FALSE, FALSE, sizeof(WeftMergeCut));
	g_array_set_clear_func(merge->cuts, cut_clear);
	return merge;
}

void weft_merge_free(WeftMerge *merge)
{
	if (merge == NULL)
		return;
	g_ptr_array_unref(merge->windows);
	g_array_unref(merge->cuts);
	g_clear_pointer(&merge->elements, g_array_unref);
	g_free(merge);
}

gboolean weft_merge_add(WeftMerge *merge, WeftAnswer *take_answer, guint32 number, guint32 element,
                        GError **error)
{
	g_autoptr(WeftAnswer) answer = take_answer;
	WeftJson *tree =
	    weft_json_parse(answer->json, strlen(answer->json), WEFT_JSON_STRICT, error);
	Window *window;

	if (tree == NULL)
		return FALSE;
	window = g_new0(Window, 1);
	window->tree = tree;
	window->number = number;
	window->element = element;
	window->values = g_hash_table_new(g_str_hash, g_str_equal);
	window->answer = g_steal_pointer(&answer);
	for (guint i = 0; i < window->answer->values->len; i++) {
		WeftAnswerValue *value = &g_array_index(window->answer->values, WeftAnswerValue, i);

		g_hash_table_insert(window->values, value->pointer, value);
	}
	g_ptr_array_add(merge->windows, window);
	return TRUE;
}

guint weft_merge_n_answers(const WeftMerge *merge)
{
	return merge->windows->len;
}

const WeftAnswer *weft_merge_answer(const WeftMerge *merge, guint i)
{
	return ((const Window *)g_ptr_array_index(merge->windows, i))->answer;
}

guint32 weft_merge_window(const WeftMerge *merge, guint i)
{
	return ((const Window *)g_ptr_array_index(merge->windows, i))->number;
}

const GArray *weft_merge_cuts(const WeftMerge *merge)
{
	return merge->cuts;
}

const GArray *weft_merge_elements(const WeftMerge *merge)
{
	return merge->elements;
}

static void side_clear(void *data)
{
	g_free(((Side *)data)->pointer);
}

static GArray *sides_new(void)
{
	GArray *sides = g_array_new(FALSE, FALSE, sizeof(Side));

	g_array_set_clear_func(sides, side_clear);
	return sides;
}

static void add_side(GArray *sides, const Window *window, const WeftJson *value, const char *parent,
                     const char *key)
{
	GString *pointer = g_string_new(parent);
	Side side = {window, value, NULL};

	if (key != NULL)
		weft_json_pointer_add(pointer, key, strlen(key));
	side.pointer = g_string_free(pointer, FALSE);
	g_array_append_val(sides, side);
}

/* Confidence negative: not known. */
static WeftAnswerValue value_of(const Side *side)
{
	const WeftAnswerValue *value = g_hash_table_lookup(side->window->values, side->pointer);

	return value != NULL ? *value : (WeftAnswerValue){.confidence = -1};
}

static gboolean is_withheld(const WeftMerge *merge, const Side *side)
{
	double confidence = value_of(side).confidence;

	return confidence >= 0 && confidence < merge->confidence_min;
}

static void merge_sides(WeftMerge *merge, const GArray *sides, Place place, GString *text);

static void write_tree(const WeftJson *value, GString *text)
{
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_tree(&writer, value);
}

static void write_null(WeftMerge *merge, const Place *place, gboolean is_withholding, GString *text)
{
	WeftAnswerValue value = {.confidence = -1, .decline = place->decline};

	g_string_append(text, "null");
	if (is_withholding) {
		g_ptr_array_add(merge->withheld, g_strdup(place->pointer));
	} else if (value.decline != WEFT_DECLINE_NONE) {
		value.pointer = g_strdup(place->pointer);
		g_array_append_val(merge->values, value);
	}
}

/* What one could not read is there, and what one was not shown may be; that it is absent only all can
 * say together, each for its window. */
static WeftDecline stronger(WeftDecline a, WeftDecline b)
{
	static const int strength[] = {[WEFT_DECLINE_ABSENT] = 0,
	                               [WEFT_DECLINE_NONE] = 1,
	                               [WEFT_DECLINE_NOT_EXAMINED] = 2,
	                               [WEFT_DECLINE_UNREADABLE] = 3};

	return strength[a] >= strength[b] ? a : b;
}

/* Who is not sure of the null is not asked for its reason. */
static WeftDecline decline_of(const WeftMerge *merge, const Side *side)
{
	return is_withheld(merge, side) ? WEFT_DECLINE_NONE : value_of(side).decline;
}

static void merge_scalars(WeftMerge *merge, const GArray *sides, const Place *place, GString *text)
{
	const Side *chosen = NULL;
	WeftAnswerValue value;

	for (guint i = 0; i < sides->len && chosen == NULL; i++) {
		const Side *side = &g_array_index(sides, Side, i);

		if (!is_withheld(merge, side))
			chosen = side;
	}
	if (chosen == NULL && weft_shape_allows_null(place->shape)) {
		write_null(merge, place, TRUE, text);
		return;
	}
	if (chosen == NULL)
		chosen = &g_array_index(sides, Side, 0);
	write_tree(chosen->value, text);
	value = value_of(chosen);
	value.byte_first = value.byte_end = 0; /* they were of the window's text */
	value.pointer = g_strdup(place->pointer);
	value.window = chosen->window->number;
	g_array_append_val(merge->values, value);
}

/* The keys of all sides, which each has them in the order of the schema and may leave some out: a new
 * one stands behind the one that it follows. Borrowed. */
static GPtrArray *all_keys(const GArray *sides)
{
	GPtrArray *keys = g_ptr_array_new();

	for (guint s = 0; s < sides->len; s++) {
		const WeftJson *object = g_array_index(sides, Side, s).value;
		guint place = 0;

		for (gsize i = 0; i < weft_json_length(object); i++) {
			const char *key = weft_json_key_at(object, i, NULL);
			guint found;

			if (g_ptr_array_find_with_equal_func(keys, key, g_str_equal, &found))
				place = found + 1;
			else
				g_ptr_array_insert(keys, (gint)place++, (gpointer)key);
		}
	}
	return keys;
}

static void merge_objects(WeftMerge *merge, const GArray *sides, const Place *place, GString *text)
{
	g_autoptr(GPtrArray) keys = all_keys(sides);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (guint i = 0; i < keys->len; i++) {
		const char *key = keys->pdata[i];
		g_autoptr(GArray) members = sides_new();
		g_autoptr(GString) pointer = g_string_new(place->pointer);
		g_autoptr(GString) member = g_string_new(NULL);
		Place below = {weft_shape_property(place->shape, key), NULL, place->depth + 1,
		               place->decline};

		for (guint s = 0; s < sides->len; s++) {
			const Side *side = &g_array_index(sides, Side, s);
			const WeftJson *value = weft_json_member(side->value, key);

			if (value != NULL)
				add_side(members, side->window, value, side->pointer, key);
		}
		weft_json_pointer_add(pointer, key, strlen(key));
		below.pointer = pointer->str;
		merge_sides(merge, members, below, member);
		weft_json_write_key(&writer, key);
		weft_json_write_raw(&writer, member->str, member->len);
	}
	weft_json_write_object_end(&writer);
}

static gboolean is_container(const WeftJson *value)
{
	return weft_json_type(value) == WEFT_JSON_OBJECT ||
	       weft_json_type(value) == WEFT_JSON_ARRAY;
}

typedef struct Joined {
	GPtrArray *texts; /* char *, the items so far */
	guint64 n_min, n_max;
	gsize n_left; /* items that come after the one at hand */
	guint64 n_left_out; /* for which there is no room */
	gboolean has_withheld;
} Joined;

static void join_item(WeftMerge *merge, const Side *side, const Place *place, Joined *joined)
{
	guint n_values = merge->values->len, n_withheld = merge->withheld->len;
	guint n_cuts = merge->cuts->len;
	g_autofree char *pointer = g_strdup_printf("%s/%u", place->pointer, joined->texts->len);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GArray) sides = sides_new();
	Place below = {weft_shape_item(place->shape), pointer, place->depth + 1,
	               WEFT_DECLINE_ABSENT};
	gboolean is_known = FALSE, is_too_many;

	if (!is_container(side->value) && is_withheld(merge, side) &&
	    joined->texts->len + joined->n_left >= joined->n_min) {
		joined->has_withheld = TRUE;
		return;
	}
	add_side(sides, side->window, side->value, side->pointer, NULL);
	merge_sides(merge, sides, below, text);
	for (guint i = 0; i < joined->texts->len && !is_known; i++)
		is_known = strcmp(g_ptr_array_index(joined->texts, i), text->str) == 0;
	is_too_many = !is_known && joined->texts->len >= joined->n_max;
	joined->n_left_out += is_too_many ? 1 : 0;
	if (is_known || is_too_many) {
		g_array_set_size(merge->cuts, n_cuts);
		g_array_set_size(merge->values, n_values);
		g_ptr_array_set_size(merge->withheld, (gint)n_withheld);
		return;
	}
	g_ptr_array_add(joined->texts, g_strdup(text->str));
}

static void merge_arrays(WeftMerge *merge, const GArray *sides, const Place *place, GString *text)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	Joined joined = {.texts = texts};
	WeftJsonWriter writer;

	weft_shape_items(place->shape, &joined.n_min, &joined.n_max);
	for (guint s = 0; s < sides->len; s++)
		joined.n_left += weft_json_length(g_array_index(sides, Side, s).value);
	for (guint s = 0; s < sides->len; s++) {
		const Side *side = &g_array_index(sides, Side, s);

		for (gsize i = 0; i < weft_json_length(side->value); i++) {
			g_autofree char *key = g_strdup_printf("%zu", i);
			g_autoptr(GArray) item = sides_new();

			joined.n_left--;
			add_side(item, side->window, weft_json_at(side->value, i), side->pointer,
			         key);
			join_item(merge, &g_array_index(item, Side, 0), place, &joined);
		}
	}
	if (joined.n_left_out > 0) {
		WeftMergeCut cut = {g_strdup(place->pointer), joined.n_max, joined.n_left_out};

		g_array_append_val(merge->cuts, cut);
	}
	if (texts->len == 0 && joined.has_withheld && weft_shape_allows_null(place->shape)) {
		write_null(merge, place, TRUE, text);
		return;
	}
	weft_json_writer_init(&writer, text);
	weft_json_write_array(&writer);
	for (guint i = 0; i < texts->len; i++) {
		const char *item = g_ptr_array_index(texts, i);

		weft_json_write_raw(&writer, item, strlen(item));
	}
	weft_json_write_array_end(&writer);
}

/* Writes what the sides say together at one place. */
static void merge_sides(WeftMerge *merge, const GArray *sides, Place place, GString *text)
{
	g_autoptr(GArray) same = sides_new();
	WeftJsonType type = WEFT_JSON_NULL;

	for (guint i = 0; i < sides->len; i++) {
		const Side *side = &g_array_index(sides, Side, i);
		gboolean fits = is_container(side->value)
		                    ? weft_json_type(side->value) == type
		                    : type != WEFT_JSON_OBJECT && type != WEFT_JSON_ARRAY;

		if (weft_json_type(side->value) == WEFT_JSON_NULL) {
			place.decline = stronger(place.decline, decline_of(merge, side));
			continue;
		}
		if (type == WEFT_JSON_NULL) {
			type = weft_json_type(side->value);
			fits = TRUE;
		}
		if (fits)
			add_side(same, side->window, side->value, side->pointer, NULL);
	}
	if (place.depth > DEPTH_MAX)
		place.decline = WEFT_DECLINE_NONE;
	if (same->len == 0 || place.depth > DEPTH_MAX)
		write_null(merge, &place, FALSE, text);
	else if (type == WEFT_JSON_OBJECT)
		merge_objects(merge, same, &place, text);
	else if (type == WEFT_JSON_ARRAY)
		merge_arrays(merge, same, &place, text);
	else
		merge_scalars(merge, same, &place, text);
}

/* Of the windows of one document after the other an item each. Two that say the same are two. */
static void merge_elements(WeftMerge *merge, const GArray *sides, const Place *place, GString *text)
{
	WeftMergeCut cut = {NULL, 0, 0};
	WeftJsonWriter writer;
	guint64 n_min;

	weft_shape_items(place->shape, &n_min, &cut.n_max);
	g_clear_pointer(&merge->elements, g_array_unref);
	merge->elements = g_array_new(FALSE, FALSE, sizeof(guint32));
	weft_json_writer_init(&writer, text);
	weft_json_write_array(&writer);
	for (guint first = 0, end; first < sides->len; first = end) {
		guint32 element = g_array_index(sides, Side, first).window->element;
		g_autofree char *pointer = g_strdup_printf("/%u", merge->elements->len);
		g_autoptr(GString) item = g_string_new(NULL);
		g_autoptr(GArray) same = sides_new();
		Place below = {weft_shape_item(place->shape), pointer, 1, WEFT_DECLINE_ABSENT};

		for (end = first; end < sides->len; end++) {
			const Side *side = &g_array_index(sides, Side, end);

			if (side->window->element != element)
				break;
			add_side(same, side->window, side->value, "", NULL);
		}
		if (merge->elements->len >= cut.n_max) {
			cut.n_left_out++;
			continue;
		}
		merge_sides(merge, same, below, item);
		weft_json_write_raw(&writer, item->str, item->len);
		g_array_append_val(merge->elements, element);
	}
	weft_json_write_array_end(&writer);
	if (cut.n_left_out > 0) {
		cut.pointer = g_strdup("");
		g_array_append_val(merge->cuts, cut);
	}
}

WeftAnswer *weft_merge_finish(WeftMerge *merge, GPtrArray **ret_withheld)
{
	WeftAnswer *answer = weft_answer_new();
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GArray) sides = sides_new();
	Place place = {weft_shape(merge->schema), "", 0, WEFT_DECLINE_ABSENT};

	g_return_val_if_fail(merge->windows->len > 0, answer);
	merge->values = answer->values;
	merge->withheld = g_ptr_array_new_with_free_func(g_free);
	g_array_set_size(merge->cuts, 0);
	answer->confidence = 1;
	for (guint i = 0; i < merge->windows->len; i++) {
		const Window *window = g_ptr_array_index(merge->windows, i);

		add_side(sides, window, window->tree, "", NULL);
		answer->confidence = MIN(answer->confidence, window->answer->confidence);
		answer->n_text += window->answer->n_text;
		answer->n_patch += window->answer->n_patch;
		answer->n_audio += window->answer->n_audio;
		answer->n_generated += window->answer->n_generated;
	}
	if (((const Window *)merge->windows->pdata[0])->element > 0)
		merge_elements(merge, sides, &place, text);
	else
		merge_sides(merge, sides, place, text);
	answer->json = g_strdup(text->str);
	*ret_withheld = g_steal_pointer(&merge->withheld);
	return answer;
}

guint weft_merge_keep_one(const WeftMerge *merge, WeftAnswer *merged)
{
	const Window *most = merge->windows->pdata[0];

	for (guint i = 1; i < merge->windows->len; i++) {
		const Window *window = merge->windows->pdata[i];

		if (strlen(window->answer->json) > strlen(most->answer->json))
			most = window;
	}
	g_free(merged->json);
	merged->json = g_strdup(most->answer->json);
	g_array_set_size(merged->values, 0);
	for (guint i = 0; i < most->answer->values->len; i++) {
		WeftAnswerValue value = g_array_index(most->answer->values, WeftAnswerValue, i);

		value.pointer = g_strdup(value.pointer);
		value.window = most->number;
		g_array_append_val(merged->values, value);
	}
	return most->number;
}
