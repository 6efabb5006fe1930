#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_private.h"

/* Up to this many members are searched one by one. */
#define LINEAR_MEMBERS 8

typedef struct Member {
	char *key;
	gsize size_bytes;
} Member;

struct WeftJson {
	WeftJsonType type;
	gsize offset;
	gsize size;          /* bytes of text, or number of items */
	union {
		char *text;      /* STRING, NUMBER */
		WeftJson *items; /* ARRAY, OBJECT */
	};
	Member *members;     /* OBJECT, beside items */
	gsize *sorted;       /* OBJECT with many members: their numbers by key, then by place */
};

static gboolean build(WeftJsonReader *reader, WeftJsonType event, WeftJson *value, GError **error);

static void clear(WeftJson *value)
{
	gboolean is_container = value->type == WEFT_JSON_ARRAY || value->type == WEFT_JSON_OBJECT;
	for (gsize i = 0; is_container && i < value->size; i++) {
		clear(&value->items[i]);
		if (value->members)
			g_free(value->members[i].key);
	}
	if (is_container)
		g_free(value->items);
	else
		g_free(value->text);
	g_free(value->members);
	g_free(value->sorted);
}

void weft_json_free(WeftJson *value)
{
	if (!value)
		return;
	clear(value);
	g_free(value);
}

static int compare_text(const char *a, gsize a_size, const char *b, gsize b_size)
{
	if (a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return memcmp(a, b, a_size);
}

static int compare_members(const void *a_item, const void *b_item, void *context)
{
	const Member *members = context;
	gsize a = *(const gsize *)a_item, b = *(const gsize *)b_item;
	int order = compare_text(members[a].key, members[a].size_bytes, members[b].key,
				 members[b].size_bytes);
	if (order)
		return order;
	return a < b ? -1 : 1;
}

static void sort_members(WeftJson *value)
{
	if (value->size <= LINEAR_MEMBERS)
		return;
	value->sorted = g_new(gsize, value->size);
	for (gsize i = 0; i < value->size; i++)
		value->sorted[i] = i;
	qsort_r(value->sorted, value->size, sizeof(gsize), compare_members, value->members);
}

static gboolean build_items(WeftJsonReader *reader, WeftJson *value, GError **error)
{
	gboolean is_object = value->type == WEFT_JSON_OBJECT;
	g_autoptr(GArray) items = g_array_new(FALSE, TRUE, sizeof(WeftJson));
	g_autoptr(GArray) members = g_array_new(FALSE, TRUE, sizeof(Member));
	gboolean is_done = FALSE, is_good = TRUE;

	while (is_good && !is_done) {
		WeftJsonType event;
		is_good = weft_json_reader_next(reader, &event, error);
		if (!is_good)
			break;
		is_done = event == WEFT_JSON_ARRAY_END || event == WEFT_JSON_OBJECT_END;
		if (is_done)
			break;
		if (event == WEFT_JSON_KEY) {
			Member member;
			const char *key = weft_json_reader_text(reader, &member.size_bytes);
			member.key = g_malloc(member.size_bytes + 1);
			memcpy(member.key, key, member.size_bytes);
			member.key[member.size_bytes] = '\0';
			g_array_append_val(members, member);
			is_good = weft_json_reader_next(reader, &event, error);
		}
		g_array_set_size(items, items->len + 1);
		if (is_good)
			is_good = build(reader, event,
					&g_array_index(items, WeftJson, items->len - 1), error);
	}
	value->size = items->len;
	value->items = g_array_steal(items, NULL);
	if (is_object) {
		value->members = g_array_steal(members, NULL);
		sort_members(value);
	}
	return is_good;
}

/* `value` is zeroed. Recursion ends at WEFT_JSON_DEPTH_MAX, which the reader watches. */
static gboolean build(WeftJsonReader *reader, WeftJsonType event, WeftJson *value, GError **error)
{
	value->type = event;
	value->offset = weft_json_reader_offset(reader);
	if (event == WEFT_JSON_ARRAY || event == WEFT_JSON_OBJECT)
		return build_items(reader, value, error);
	if (event == WEFT_JSON_STRING || event == WEFT_JSON_NUMBER) {
		const char *text = weft_json_reader_text(reader, &value->size);
		value->text = g_malloc(value->size + 1);
		memcpy(value->text, text, value->size);
		value->text[value->size] = '\0';
	}
	return TRUE;
}

WeftJson *weft_json_reader_tree(WeftJsonReader *reader, GError **error)
{
	g_autoptr(WeftJson) value = g_new0(WeftJson, 1);
	WeftJsonType event;
	if (!weft_json_reader_at_hand(reader, &event, error))
		return NULL;
	g_assert(event <= WEFT_JSON_OBJECT); /* an end is no value: the caller's mistake */
	if (!build(reader, event, value, error))
		return NULL;
	return g_steal_pointer(&value);
}

WeftJson *weft_json_parse(const char *text, gsize size_bytes, WeftJsonFlags flags, GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(text, size_bytes, flags);
	g_autoptr(WeftJson) value = weft_json_reader_tree(reader, error);
	WeftJsonType event;
	if (!value || !weft_json_reader_next(reader, &event, error))
		return NULL;
	return g_steal_pointer(&value);
}

WeftJsonType weft_json_type(const WeftJson *value)
{
	return value ? value->type : WEFT_JSON_NULL;
}

gsize weft_json_offset(const WeftJson *value)
{
	return value ? value->offset : 0;
}

gsize weft_json_length(const WeftJson *value)
{
	WeftJsonType type = weft_json_type(value);
	return type == WEFT_JSON_ARRAY || type == WEFT_JSON_OBJECT ? value->size : 0;
}

const WeftJson *weft_json_at(const WeftJson *value, gsize i)
{
	return i < weft_json_length(value) ? &value->items[i] : NULL;
}

/* Without a place for the size, a text with U+0000 inside is none. */
static const char *whole_text(const char *text, gsize size_bytes, gsize *ret_size_bytes)
{
	if (ret_size_bytes)
		*ret_size_bytes = size_bytes;
	else if (strlen(text) != size_bytes)
		return NULL;
	return text;
}

/* No name that a caller looks for; a file can't crash those who compare keys. */
static const char KEY_WITH_NUL[] = "\xef\xbf\xbd";

const char *weft_json_key_at(const WeftJson *value, gsize i, gsize *ret_size_bytes)
{
	if (weft_json_type(value) != WEFT_JSON_OBJECT || i >= value->size)
		return NULL;
	const char *key =
		whole_text(value->members[i].key, value->members[i].size_bytes, ret_size_bytes);
	return key ? key : KEY_WITH_NUL;
}

static const WeftJson *find_member(const WeftJson *object, const char *key, gsize size_bytes)
{
	const Member *members = object->members;
	gsize low = 0, high = object->size;

	if (!object->sorted) {
		while (high-- > 0)
			if (compare_text(members[high].key, members[high].size_bytes, key,
					 size_bytes) == 0)
				return &object->items[high];
		return NULL;
	}
	while (low < high) { /* the first that is greater */
		gsize middle = low + (high - low) / 2;
		const Member *member = &members[object->sorted[middle]];
		if (compare_text(member->key, member->size_bytes, key, size_bytes) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const Member *last = &members[object->sorted[low - 1]];
	if (compare_text(last->key, last->size_bytes, key, size_bytes) != 0)
		return NULL;
	return &object->items[object->sorted[low - 1]];
}

const WeftJson *weft_json_member(const WeftJson *value, const char *key)
{
	if (weft_json_type(value) != WEFT_JSON_OBJECT)
		return NULL;
	return find_member(value, key, strlen(key));
}

static const WeftJson *step_down(const WeftJson *value, const GString *token)
{
	guint64 i;
	if (weft_json_type(value) == WEFT_JSON_OBJECT)
		return find_member(value, token->str, token->len);
	if (token->len > 1 && token->str[0] == '0')
		return NULL;
	if (!weft_json_text_to_uint(token->str, token->len, &i))
		return NULL;
	return weft_json_at(value, i);
}

const WeftJson *weft_json_at_pointer(const WeftJson *value, const char *pointer)
{
	g_autoptr(GString) token = g_string_new(NULL);

	while (value && *pointer) {
		if (*pointer++ != '/')
			return NULL;
		g_string_truncate(token, 0);
		for (; *pointer && *pointer != '/'; pointer++) {
			char c = *pointer;
			if (c == '~') {
				if (pointer[1] != '0' && pointer[1] != '1')
					return NULL;
				c = *++pointer == '0' ? '~' : '/';
			}
			g_string_append_c(token, c);
		}
		value = step_down(value, token);
	}
	return value;
}

const char *weft_json_string(const WeftJson *value, gsize *ret_size_bytes)
{
	if (weft_json_type(value) != WEFT_JSON_STRING)
		return NULL;
	return whole_text(value->text, value->size, ret_size_bytes);
}

const char *weft_json_raw_number(const WeftJson *value)
{
	return weft_json_type(value) == WEFT_JSON_NUMBER ? value->text : NULL;
}

gboolean weft_json_int(const WeftJson *value, gint64 *ret_value)
{
	return weft_json_type(value) == WEFT_JSON_NUMBER &&
	       weft_json_text_to_int(value->text, value->size, ret_value);
}

gboolean weft_json_uint(const WeftJson *value, guint64 *ret_value)
{
	return weft_json_type(value) == WEFT_JSON_NUMBER &&
	       weft_json_text_to_uint(value->text, value->size, ret_value);
}

gboolean weft_json_double(const WeftJson *value, double *ret_value)
{
	return weft_json_type(value) == WEFT_JSON_NUMBER &&
	       weft_json_text_to_double(value->text, value->size, ret_value);
}

gboolean weft_json_bool(const WeftJson *value, gboolean *ret_value)
{
	WeftJsonType type = weft_json_type(value);
	if (type != WEFT_JSON_TRUE && type != WEFT_JSON_FALSE)
		return FALSE;
	*ret_value = type == WEFT_JSON_TRUE;
	return TRUE;
}

void weft_json_pointer_add(GString *pointer, const char *key, gsize size_bytes)
{
	g_string_append_c(pointer, '/');
	for (gsize i = 0; i < size_bytes; i++) {
		if (key[i] == '~')
			g_string_append(pointer, "~0");
		else if (key[i] == '/')
			g_string_append(pointer, "~1");
		else
			g_string_append_c(pointer, key[i]);
	}
}
