#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/tokenizer_private.h"

#define ADDED_MAX 100000
#define ADDED_BYTES_MAX 1024

/* What stands where in the file: the small members as trees, the two large ones by offset, because
 * merges can only be read when the vocabulary is known and members come in any order. */
typedef struct Parts {
	const char *file, *json;
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

static gboolean refuse(const Parts *parts, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static gboolean refuse(const Parts *parts, GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", parts->file, what);
	return FALSE;
}

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

/* ---- what kind of tokenizer it is ---- */

static gboolean is_true(const WeftJson *object, const char *key)
{
	gboolean value = FALSE;
	return weft_json_bool(weft_json_member(object, key), &value) && value;
}

static gboolean is_type(const WeftJson *object, const char *type)
{
	return g_strcmp0(weft_json_string(weft_json_member(object, "type"), NULL), type) == 0;
}

static gboolean check_model(const Parts *parts, WeftTokenizer *tokenizer, GError **error)
{
	static const char *const unknown_to_us[] = {"continuing_subword_prefix",
						    "end_of_word_suffix"};
	const char *type = weft_json_string(weft_json_member(parts->model, "type"), NULL);

	if (type && strcmp(type, "BPE") != 0)
		return refuse(parts, error, "model.type: \"%s\"; only \"BPE\" is read", type);
	if (is_true(parts->model, "byte_fallback"))
		return refuse(parts, error, "model.byte_fallback: SentencePiece vocabularies are "
					    "not read");
	if (weft_json_type(weft_json_member(parts->model, "dropout")) != WEFT_JSON_NULL)
		return refuse(parts, error, "model.dropout: must be null");
	for (gsize i = 0; i < G_N_ELEMENTS(unknown_to_us); i++) {
		const WeftJson *member = weft_json_member(parts->model, unknown_to_us[i]);
		const char *text = weft_json_string(member, NULL);
		if (weft_json_type(member) != WEFT_JSON_NULL && !(text && !*text))
			return refuse(parts, error, "model.%s: must be null or empty",
				      unknown_to_us[i]);
	}
	if (weft_json_type(parts->normalizer) != WEFT_JSON_NULL)
		return refuse(parts, error, "normalizer: must be null");
	if (weft_json_type(parts->decoder) != WEFT_JSON_NULL &&
	    !is_type(parts->decoder, "ByteLevel"))
		return refuse(parts, error, "decoder: only ByteLevel is read");
	tokenizer->ignore_merges = is_true(parts->model, "ignore_merges");
	return TRUE;
}

static gboolean check_byte_level(const Parts *parts, const WeftJson *step, GError **error)
{
	if (!is_type(step, "ByteLevel"))
		return refuse(parts, error, "pre_tokenizer: ends without ByteLevel");
	if (is_true(step, "add_prefix_space"))
		return refuse(parts, error, "pre_tokenizer: add_prefix_space is not read");
	return TRUE;
}

/* ByteLevel with its own expression (GPT-2's), or a Split by one of ours and then ByteLevel. */
static gboolean find_rule(const Parts *parts, WeftTokenizer *tokenizer, GError **error)
{
	const WeftJson *steps = weft_json_member(parts->pre_tokenizer, "pretokenizers");
	const WeftJson *split = weft_json_at(steps, 0);
	const WeftJson *pattern = weft_json_at_pointer(split, "/pattern/Regex");
	gboolean own_regex = TRUE;
	gsize size_bytes = 0;

	if (!is_type(parts->pre_tokenizer, "Sequence")) {
		(void)weft_json_bool(weft_json_member(parts->pre_tokenizer, "use_regex"),
				     &own_regex); /* absent: true */
		if (!check_byte_level(parts, parts->pre_tokenizer, error))
			return FALSE;
		if (!own_regex)
			return refuse(parts, error, "pre_tokenizer: ByteLevel without use_regex "
						    "cuts nothing");
		tokenizer->rule = WEFT_PRESPLIT_GPT2;
		return TRUE;
	}
	const char *regex = weft_json_string(pattern, &size_bytes);
	if (weft_json_length(steps) != 2 || !is_type(split, "Split") || !regex)
		return refuse(parts, error,
			      "pre_tokenizer: must be Split by a Regex, then ByteLevel");
	if (is_true(split, "invert") ||
	    g_strcmp0(weft_json_string(weft_json_member(split, "behavior"), NULL), "Isolated") != 0)
		return refuse(parts, error, "pre_tokenizer: Split must be Isolated, not inverted");
	if (!check_byte_level(parts, weft_json_at(steps, 1), error))
		return FALSE;
	if (!weft_json_bool(weft_json_member(weft_json_at(steps, 1), "use_regex"), &own_regex) ||
	    own_regex)
		return refuse(parts, error, "pre_tokenizer: ByteLevel must have use_regex false");
	if (!weft_presplit_find(regex, size_bytes, &tokenizer->rule))
		return refuse(parts, error,
			      "pre_tokenizer: the expression %s is not one that weft knows", regex);
	return TRUE;
}

/* ---- vocabulary and merges ---- */

/* GPT-2's alphabet: printable bytes are themselves, the other 68 follow from U+0100 on. Fills
 * byte_of[code] with the byte, or -1. */
#define ALPHABET_END 0x144

static void fill_alphabet(gint16 byte_of[ALPHABET_END])
{
	guint32 next = 0x100;
	memset(byte_of, 0xff, ALPHABET_END * sizeof *byte_of);
	for (gint16 b = 0; b < 256; b++) {
		gboolean printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) ||
				     b >= 0xae;
		byte_of[printable ? (guint32)b : next++] = b;
	}
}

/* The bytes that a string of the alphabet stands for. FALSE when it has other characters: such a
 * token can't come from text. `text` is valid UTF-8. */
static gboolean to_bytes(const gint16 *byte_of, const char *text, gsize size_bytes, GString *bytes)
{
	g_string_truncate(bytes, 0);
	for (gsize i = 0; i < size_bytes; i++) {
		guint32 code = (guint8)text[i];
		if (code >= 0x80) {
			if (code < 0xc2 || code > 0xdf || i + 1 >= size_bytes)
				return FALSE;
			code = (code & 0x1f) << 6 | ((guint8)text[++i] & 0x3f);
		}
		if (code >= ALPHABET_END || byte_of[code] < 0)
			return FALSE;
		g_string_append_c(bytes, (char)byte_of[code]);
	}
	return size_bytes > 0;
}

static gboolean read_vocab(const Parts *parts, const gint16 *byte_of, WeftTokenizer *tokenizer,
			   GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(
		parts->json + parts->vocab_begin, parts->vocab_end - parts->vocab_begin,
		WEFT_JSON_ALLOW_DUPLICATES); /* find_parts has refused them */
	g_autoptr(GString) key = g_string_new(NULL);
	g_autoptr(GString) bytes = g_string_new(NULL);
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
		if (event != WEFT_JSON_NUMBER || !weft_json_text_to_int(text, size_bytes, &id) ||
		    id < 0 || id >= WEFT_TOKENS_IDS_MAX)
			return refuse(parts, error, "model.vocab.%s: must be an id below %d",
				      key->str, WEFT_TOKENS_IDS_MAX);
		gboolean is_text = to_bytes(byte_of, key->str, key->len, bytes);
		const GString *token = is_text ? bytes : key;
		if (!weft_tokens_add(tokenizer->tokens, (gint32)id, token->str, token->len,
					 is_text))
			return refuse(parts, error, "model.vocab.%s: id %d has another token too",
				      key->str, (gint32)id);
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

static gboolean read_merges(const Parts *parts, const gint16 *byte_of, WeftTokenizer *tokenizer,
			    GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(
		parts->json + parts->merges_begin, parts->merges_end - parts->merges_begin,
		WEFT_JSON_STRICT);
	g_autoptr(GString) left = g_string_new(NULL);
	g_autoptr(GString) right = g_string_new(NULL);
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autoptr(GString) joined = g_string_new(NULL);
	GString *halves[2] = {left, right};
	WeftJsonType event;
	gboolean done;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_ARRAY)
		return refuse(parts, error, "model.merges: must be a list");
	for (gsize n = 0;; n++) {
		gint32 ids[3] = {-1, -1, -1};
		if (!next_merge(parts, reader, halves, &done, error))
			return FALSE;
		if (done)
			return TRUE;
		g_string_truncate(joined, 0);
		for (gsize i = 0; i < 2; i++) {
			if (!to_bytes(byte_of, halves[i]->str, halves[i]->len, bytes))
				continue;
			ids[i] = weft_tokens_find(tokenizer->tokens, bytes->str, bytes->len);
			g_string_append_len(joined, bytes->str, (gssize)bytes->len);
		}
		ids[2] = weft_tokens_find(tokenizer->tokens, joined->str, joined->len);
		if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0)
			return refuse(parts, error,
				      "model.merges: pair %zu, %s and %s, is not in the vocabulary",
				      n, left->str, right->str);
		weft_bpe_add_merge(tokenizer->bpe, ids[0], ids[1], ids[2]);
	}
}

static gboolean find_bytes(const Parts *parts, WeftTokenizer *tokenizer, GError **error)
{
	gint32 byte_ids[256];
	for (int b = 0; b < 256; b++) {
		char byte = (char)b;
		byte_ids[b] = weft_tokens_find(tokenizer->tokens, &byte, 1);
		if (byte_ids[b] < 0)
			return refuse(parts, error, "model.vocab: no token for byte 0x%02x", b);
	}
	tokenizer->bpe = weft_bpe_new(byte_ids);
	return TRUE;
}

/* ---- added tokens ---- */

static gboolean add_token(const Parts *parts, const WeftJson *item, WeftTokenizer *tokenizer,
			  GError **error)
{
	static const char *const flags[] = {"single_word", "lstrip", "rstrip"};
	WeftAddedToken token = {0};
	gsize old_bytes = 0;
	guint64 id;

	const char *text = weft_json_string(weft_json_member(item, "content"), &token.size_bytes);
	if (!text || token.size_bytes == 0 || token.size_bytes > ADDED_BYTES_MAX)
		return refuse(parts, error, "added_tokens: content must have 1 to %d bytes",
			      ADDED_BYTES_MAX);
	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
		if (is_true(item, flags[i]))
			return refuse(parts, error, "added_tokens: %s: %s is not read", text,
				      flags[i]);
	}
	if (!weft_json_uint(weft_json_member(item, "id"), &id) ||
	    id >= (guint64)WEFT_TOKENS_IDS_MAX)
		return refuse(parts, error, "added_tokens: %s: must have an id below %d", text,
			      WEFT_TOKENS_IDS_MAX);
	token.id = (gint32)id;
	const char *old = weft_tokens_bytes(tokenizer->tokens, token.id, &old_bytes);
	if (old && (old_bytes != token.size_bytes || memcmp(old, text, old_bytes) != 0))
		return refuse(parts, error, "added_tokens: %s: id %d has another token too", text,
			      token.id);
	if (!old)
		(void)weft_tokens_add(tokenizer->tokens, token.id, text, token.size_bytes,
					  FALSE); /* the id is free */
	token.text = g_memdup2(text, token.size_bytes);
	token.is_special = is_true(item, "special");
	if (token.is_special)
		g_hash_table_add(tokenizer->special_ids, GINT_TO_POINTER(token.id));
	g_array_append_val(tokenizer->added, token);
	return TRUE;
}

static gint compare_added(gconstpointer a, gconstpointer b)
{
	const WeftAddedToken *x = a, *y = b;
	int order = memcmp(x->text, y->text, MIN(x->size_bytes, y->size_bytes));
	return order ? order : (x->size_bytes > y->size_bytes) - (x->size_bytes < y->size_bytes);
}

static gboolean read_added(const Parts *parts, WeftTokenizer *tokenizer, GError **error)
{
	gsize n = weft_json_length(parts->added_tokens);

	if (n > ADDED_MAX)
		return refuse(parts, error, "added_tokens: %zu, limit %d", n, ADDED_MAX);
	for (gsize i = 0; i < n; i++) {
		if (!add_token(parts, weft_json_at(parts->added_tokens, i), tokenizer, error))
			return FALSE;
	}
	g_array_sort(tokenizer->added, compare_added);
	for (guint i = 1; i < tokenizer->added->len; i++) {
		const WeftAddedToken *token = &g_array_index(tokenizer->added, WeftAddedToken, i);
		if (compare_added(token - 1, token) == 0)
			return refuse(parts, error, "added_tokens: %.*s is there twice",
				      (int)token->size_bytes, token->text);
	}
	return TRUE;
}

gboolean weft_tokenizer_read_json(WeftTokenizer *tokenizer, const char *file, const char *json,
				  gsize size_bytes, GError **error)
{
	g_auto(Parts) parts = {.file = file, .json = json};
	g_autoptr(GError) fault = NULL;
	gint16 byte_of[ALPHABET_END];

	fill_alphabet(byte_of);
	if (find_parts(&parts, size_bytes, &fault) && check_model(&parts, tokenizer, &fault) &&
	    find_rule(&parts, tokenizer, &fault) &&
	    read_vocab(&parts, byte_of, tokenizer, &fault) &&
	    find_bytes(&parts, tokenizer, &fault) &&
	    read_merges(&parts, byte_of, tokenizer, &fault) &&
	    read_added(&parts, tokenizer, &fault))
		return TRUE;
	if (g_error_matches(fault, WEFT_ERROR, WEFT_ERROR_CONFIG))
		g_propagate_error(error, g_steal_pointer(&fault));
	else
		(void)refuse(&parts, error, "%s", fault->message);
	return FALSE;
}
