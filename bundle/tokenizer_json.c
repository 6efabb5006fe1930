#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/tokenizer_private.h"

/* What stands where in the file: the small members as trees, the two large ones by offset, because
 * merges can only be read when the vocabulary is known and members come in any order. */
typedef struct Parts {
	WeftTokenizer *tokenizer;
	const char *json;
	WeftJson *added_tokens, *normalizer, *pre_tokenizer, *decoder, *model;
	gsize vocab_begin, vocab_end, merges_begin, merges_end;
} Parts;

static void parts_clear(Parts *parts)
{
	weft_json_free(parts->added_tokens);
	weft_json_free(parts->normalizer);
	weft_json_free(parts->pre_tokenizer);
	weft_json_free(parts->decoder);
	weft_json_free(parts->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

#define refuse(parts, ...) weft_vocabulary_refuse((parts)->tokenizer, __VA_ARGS__)

/* ---- finding the parts ---- */

/* Passes over the next value, noting where it is. */
static gboolean note_value(WeftJsonReader *reader, gsize *ret_begin, gsize *ret_end, GError **error)
{
	guint depth = weft_json_reader_depth(reader);
	WeftJsonType event;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	*ret_begin = weft_json_reader_offset(reader);
	while (weft_json_reader_depth(reader) > depth) {
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
	}
	*ret_end = weft_json_reader_end_offset(reader);
	return TRUE;
}

/* The members of "model": vocab and merges by offset, the others into a small object. */
static gboolean find_model(Parts *parts, WeftJsonReader *reader, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	WeftJsonType event;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_OBJECT)
		return refuse(parts, error, "model: must be an object");
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (;;) {
		gsize begin, end;
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
		if (event == WEFT_JSON_OBJECT_END)
			break;
		gboolean is_vocab = weft_json_reader_is(reader, "vocab");
		gboolean is_merges = weft_json_reader_is(reader, "merges");
		if (!is_vocab && !is_merges) {
			gsize key_bytes;
			const char *key = weft_json_reader_text(reader, &key_bytes);
			g_autofree char *name = g_strndup(key, key_bytes);
			g_autoptr(WeftJson) value = weft_json_reader_tree(reader, error);
			if (!value)
				return FALSE;
			weft_json_write_key(&writer, name);
			weft_json_write_tree(&writer, value);
			continue;
		}
		if (!note_value(reader, &begin, &end, error))
			return FALSE;
		*(is_vocab ? &parts->vocab_begin : &parts->merges_begin) = begin;
		*(is_vocab ? &parts->vocab_end : &parts->merges_end) = end;
	}
	weft_json_write_object_end(&writer);
	weft_json_free(parts->model);
	parts->model = weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, error);
	return parts->model != NULL;
}

static gboolean find_member(Parts *parts, WeftJsonReader *reader, GError **error)
{
	const struct {
		const char *key;
		WeftJson **tree;
	} trees[] = {
		{"added_tokens", &parts->added_tokens},
		{"normalizer", &parts->normalizer},
		{"pre_tokenizer", &parts->pre_tokenizer},
		{"decoder", &parts->decoder},
	};

	if (weft_json_reader_is(reader, "model"))
		return find_model(parts, reader, error);
	for (gsize i = 0; i < G_N_ELEMENTS(trees); i++) {
		if (weft_json_reader_is(reader, trees[i].key)) {
			weft_json_free(*trees[i].tree); /* a second one is refused where the object ends */
			*trees[i].tree = weft_json_reader_tree(reader, error);
			return *trees[i].tree != NULL;
		}
	}
	return weft_json_reader_skip(reader, error);
}

static gboolean find_parts(Parts *parts, gsize size_bytes, GError **error)
{
	g_autoptr(WeftJsonReader) reader =
		weft_json_reader_new(parts->json, size_bytes, WEFT_JSON_STRICT);
	WeftJsonType event;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_OBJECT)
		return refuse(parts, error, "must be an object");
	for (;;) {
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
		if (event == WEFT_JSON_OBJECT_END)
			break;
		if (!find_member(parts, reader, error))
			return FALSE;
	}
	if (!weft_json_reader_next(reader, &event, error)) /* nothing behind it */
		return FALSE;
	if (!parts->model || parts->vocab_end == 0 || parts->merges_end == 0)
		return refuse(parts, error, "model.vocab or model.merges is missing");
	return TRUE;
}

/* ---- vocabulary and merges ---- */

static gboolean read_vocab(const Parts *parts, GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(
		parts->json + parts->vocab_begin, parts->vocab_end - parts->vocab_begin,
		WEFT_JSON_ALLOW_DUPLICATES); /* find_parts has refused them */
	g_autoptr(GString) key = g_string_new(NULL);
	WeftJsonType event;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_OBJECT)
		return refuse(parts, error, "model.vocab: must be an object");
	for (;;) {
		gsize size_bytes;
		gint64 id;
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
		if (event == WEFT_JSON_OBJECT_END)
			return TRUE;
		const char *text = weft_json_reader_text(reader, &size_bytes);
		g_string_truncate(key, 0);
		g_string_append_len(key, text, (gssize)size_bytes);
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
		text = weft_json_reader_text(reader, &size_bytes);
		if (event != WEFT_JSON_NUMBER || !weft_json_text_to_int(text, size_bytes, &id))
			return refuse(parts, error, "model.vocab.%s: must be an id below %d",
				      key->str, WEFT_TOKENS_IDS_MAX);
		if (!weft_vocabulary_add_spelled(parts->tokenizer, id, key->str, key->len, error))
			return FALSE;
	}
}

/* Both halves of the next merge as they stand: "a b" or ["a", "b"]. *ret_done at the end. */
static gboolean next_merge(const Parts *parts, WeftJsonReader *reader, GString *halves[2],
			   gboolean *ret_done, GError **error)
{
	WeftJsonType event;
	gsize size_bytes;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	*ret_done = event == WEFT_JSON_ARRAY_END;
	if (*ret_done)
		return TRUE;
	if (event == WEFT_JSON_STRING) {
		const char *text = weft_json_reader_text(reader, &size_bytes);
		const char *blank = memchr(text, ' ', size_bytes);
		if (!blank)
			return refuse(parts, error, "model.merges: %.*s is no pair",
				      (int)MIN(size_bytes, 100), text);
		g_string_truncate(halves[0], 0);
		g_string_append_len(halves[0], text, blank - text);
		g_string_truncate(halves[1], 0);
		g_string_append_len(halves[1], blank + 1,
				    (gssize)size_bytes - (blank + 1 - text));
		return TRUE;
	}
	for (gsize i = 0; event == WEFT_JSON_ARRAY && i < 3; i++) {
		WeftJsonType item;
		if (!weft_json_reader_next(reader, &item, error))
			return FALSE;
		if (i == 2 && item == WEFT_JSON_ARRAY_END)
			return TRUE;
		if (i == 2 || item != WEFT_JSON_STRING)
			break;
		const char *text = weft_json_reader_text(reader, &size_bytes);
		g_string_truncate(halves[i], 0);
		g_string_append_len(halves[i], text, (gssize)size_bytes);
	}
	return refuse(parts, error, "model.merges: must hold pairs of strings");
}

static gboolean read_merges(const Parts *parts, GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(
		parts->json + parts->merges_begin, parts->merges_end - parts->merges_begin,
		WEFT_JSON_STRICT);
	g_autoptr(GString) left = g_string_new(NULL);
	g_autoptr(GString) right = g_string_new(NULL);
	GString *halves[2] = {left, right};
	WeftJsonType event;
	gboolean done;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_ARRAY)
		return refuse(parts, error, "model.merges: must be a list");
	for (guint32 n = 0;; n++) {
		if (!next_merge(parts, reader, halves, &done, error))
			return FALSE;
		if (done)
			return TRUE;
		if (!weft_vocabulary_add_pair(parts->tokenizer, left, right, n))
			return refuse(parts, error,
				      "model.merges: pair %u, %s and %s, is not in the vocabulary",
				      n, left->str, right->str);
	}
}

/* ---- added tokens ---- */

static gboolean add_token(const Parts *parts, const WeftJson *item, GError **error)
{
	static const char *const flags[] = {"single_word", "lstrip", "rstrip"};
	gsize size_bytes = 0;
	guint64 id;
	gboolean is_special = FALSE, is_set = FALSE;

	const char *text = weft_json_string(weft_json_member(item, "content"), &size_bytes);
	if (!text)
		return refuse(parts, error, "added_tokens: content must be a string");
	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
		if (weft_json_bool(weft_json_member(item, flags[i]), &is_set) && is_set)
			return refuse(parts, error, "added_tokens: %s: %s is not read", text,
				      flags[i]);
	}
	if (!weft_json_uint(weft_json_member(item, "id"), &id) || id >= (guint64)G_MAXINT32)
		return refuse(parts, error, "added_tokens: %s: must have an id below %d", text,
			      WEFT_TOKENS_IDS_MAX);
	(void)weft_json_bool(weft_json_member(item, "special"), &is_special); /* absent: no */
	return weft_vocabulary_add_special(parts->tokenizer, (gint64)id, text, size_bytes,
					   is_special, error);
}

static gboolean read_added(const Parts *parts, GError **error)
{
	for (gsize i = 0; i < weft_json_length(parts->added_tokens); i++) {
		if (!add_token(parts, weft_json_at(parts->added_tokens, i), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_parts(Parts *parts, gsize size_bytes, GError **error)
{
	WeftTokenizer *tokenizer = parts->tokenizer;

	if (!find_parts(parts, size_bytes, error))
		return FALSE;
	const WeftTokenizerSteps steps = {parts->normalizer, parts->pre_tokenizer, parts->decoder,
					  parts->model};
	return weft_tokenizer_read_steps(tokenizer, &steps, error) && read_vocab(parts, error) &&
	       (tokenizer->has_pieces || weft_vocabulary_find_bytes(tokenizer, error)) &&
	       read_merges(parts, error) && read_added(parts, error) &&
	       weft_vocabulary_finish(tokenizer, error);
}

gboolean weft_tokenizer_read_json(WeftTokenizer *tokenizer, const char *json, gsize size_bytes,
				  GError **error)
{
	g_auto(Parts) parts = {.tokenizer = tokenizer, .json = json};
	g_autoptr(GError) fault = NULL;

	if (read_parts(&parts, size_bytes, &fault))
		return TRUE;
	if (g_error_matches(fault, WEFT_ERROR, WEFT_ERROR_CONFIG))
		g_propagate_error(error, g_steal_pointer(&fault));
	else
		(void)weft_vocabulary_refuse(tokenizer, error, "%s", fault->message);
	return FALSE;
}
