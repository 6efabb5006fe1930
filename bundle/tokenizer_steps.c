/* The steps of a tokenizer.json around its model: what is done to a text before and after. */
#include <string.h>

#include "bundle/tokenizer_private.h"

#define BLANK_SIGN "\xe2\x96\x81" /* U+2581 */

static gboolean is_true(const WeftJson *object, const char *key)
{
	gboolean value = FALSE;
	return weft_json_bool(weft_json_member(object, key), &value) && value;
}

static const char *type_of(const WeftJson *step)
{
	const char *type = weft_json_string(weft_json_member(step, "type"), NULL);
	return type ? type : "without a type";
}

static gboolean is_type(const WeftJson *step, const char *type)
{
	return strcmp(type_of(step), type) == 0;
}

static gboolean is_text(const WeftJson *object, const char *pointer, const char *text)
{
	return g_strcmp0(weft_json_string(weft_json_at_pointer(object, pointer), NULL), text) == 0;
}

static gboolean is_null(const WeftJson *value)
{
	return weft_json_type(value) == WEFT_JSON_NULL;
}

static gboolean read_model(WeftTokenizer *tokenizer, const WeftJson *model, GError **error)
{
	static const char *const unknown_to_us[] = {"continuing_subword_prefix",
						    "end_of_word_suffix"};
	const char *type = weft_json_string(weft_json_member(model, "type"), NULL);

	if (type && strcmp(type, "BPE") != 0)
		return weft_vocabulary_refuse(tokenizer, error,
					      "model.type: \"%s\"; only \"BPE\" is read", type);
	if (!is_null(weft_json_member(model, "dropout")))
		return weft_vocabulary_refuse(tokenizer, error, "model.dropout: must be null");
	for (gsize i = 0; i < G_N_ELEMENTS(unknown_to_us); i++) {
		const WeftJson *member = weft_json_member(model, unknown_to_us[i]);
		const char *text = weft_json_string(member, NULL);
		if (!is_null(member) && !(text && !*text))
			return weft_vocabulary_refuse(tokenizer, error,
						      "model.%s: must be null or empty",
						      unknown_to_us[i]);
	}
	tokenizer->has_pieces = is_true(model, "byte_fallback");
	tokenizer->ignore_merges = is_true(model, "ignore_merges");
	if (tokenizer->has_pieces && tokenizer->ignore_merges)
		return weft_vocabulary_refuse(tokenizer, error,
					      "model.ignore_merges: not read with byte_fallback");
	return TRUE;
}

/* ---- byte level ---- */

static gboolean check_byte_level(const WeftTokenizer *tokenizer, const WeftJson *step,
				 GError **error)
{
	if (!is_type(step, "ByteLevel"))
		return weft_vocabulary_refuse(tokenizer, error,
					      "pre_tokenizer: ends without ByteLevel");
	if (is_true(step, "add_prefix_space"))
		return weft_vocabulary_refuse(tokenizer, error,
					      "pre_tokenizer: add_prefix_space is not read");
	return TRUE;
}

/* A Split by one of our expressions, and then ByteLevel without its own. */
static gboolean read_split(WeftTokenizer *tokenizer, const WeftJson *steps, GError **error)
{
	const WeftJson *split = weft_json_at(steps, 0);
	gboolean own_regex = TRUE;
	gsize size_bytes = 0;
	const char *regex =
		weft_json_string(weft_json_at_pointer(split, "/pattern/Regex"), &size_bytes);

	if (weft_json_length(steps) != 2 || !is_type(split, "Split") || !regex)
		return weft_vocabulary_refuse(
			tokenizer, error,
			"pre_tokenizer: must be Split by a Regex, then ByteLevel");
	if (is_true(split, "invert") || !is_text(split, "/behavior", "Isolated"))
		return weft_vocabulary_refuse(
			tokenizer, error,
			"pre_tokenizer: Split must be Isolated, not inverted");
	if (!check_byte_level(tokenizer, weft_json_at(steps, 1), error))
		return FALSE;
	if (!weft_json_bool(weft_json_member(weft_json_at(steps, 1), "use_regex"), &own_regex) ||
	    own_regex)
		return weft_vocabulary_refuse(tokenizer, error,
					      "pre_tokenizer: ByteLevel must have use_regex false");
	if (!weft_presplit_find(regex, size_bytes, &tokenizer->rule))
		return weft_vocabulary_refuse(
			tokenizer, error,
			"pre_tokenizer: the expression %s is not one that weft knows", regex);
	return TRUE;
}

static gboolean read_byte_level(WeftTokenizer *tokenizer, const WeftTokenizerSteps *steps,
				GError **error)
{
	const WeftJson *pre = steps->pre_tokenizer;
	gboolean own_regex = TRUE;

	if (!is_null(steps->normalizer))
		return weft_vocabulary_refuse(tokenizer, error, "normalizer: must be null");
	if (!is_null(steps->decoder) && !is_type(steps->decoder, "ByteLevel"))
		return weft_vocabulary_refuse(tokenizer, error, "decoder: only ByteLevel is read");
	if (is_type(pre, "Sequence"))
		return read_split(tokenizer, weft_json_member(pre, "pretokenizers"), error);
	if (!check_byte_level(tokenizer, pre, error))
		return FALSE;
	(void)weft_json_bool(weft_json_member(pre, "use_regex"), &own_regex); /* absent: true */
	if (!own_regex)
		return weft_vocabulary_refuse(tokenizer, error,
					      "pre_tokenizer: ByteLevel without use_regex cuts "
					      "nothing");
	tokenizer->rule = WEFT_PRESPLIT_GPT2;
	return TRUE;
}

/* ---- pieces ---- */

/* Steps of a Sequence, or the one step. */
static const WeftJson *step_at(const WeftJson *step, const char *list, gsize i)
{
	if (is_type(step, "Sequence"))
		return weft_json_at(weft_json_member(step, list), i);
	return i == 0 ? step : NULL;
}

static gboolean is_blank_sign(const WeftJson *step)
{
	return is_type(step, "Replace") && is_text(step, "/pattern/String", " ") &&
	       is_text(step, "/content", BLANK_SIGN);
}

/* Prepend and Replace, as files of Llama 2 and Mixtral have them. */
static gboolean read_normalizer(WeftTokenizer *tokenizer, const WeftJson *normalizer,
				gboolean *ret_writes_blanks, GError **error)
{
	const WeftJson *step;

	for (gsize i = 0; (step = step_at(normalizer, "normalizers", i)); i++) {
		if (is_type(step, "Prepend") && is_text(step, "/prepend", BLANK_SIGN))
			tokenizer->prefix = WEFT_PREFIX_EACH;
		else if (is_blank_sign(step))
			*ret_writes_blanks = TRUE;
		else
			return weft_vocabulary_refuse(tokenizer, error,
						      "normalizer: step %zu, %s: with "
						      "byte_fallback only Prepend and Replace of "
						      "blanks by U+2581 are read",
						      i, type_of(step));
	}
	return TRUE;
}

/* Metaspace, as newer files have it. */
static gboolean read_metaspace(WeftTokenizer *tokenizer, const WeftJson *pre, GError **error)
{
	static const struct {
		const char *scheme;
		WeftPrefix prefix;
	} schemes[] = {
		{"first", WEFT_PREFIX_FIRST},
		{"always", WEFT_PREFIX_MISSING},
		{"never", WEFT_PREFIX_NONE},
	};
	gboolean split = TRUE;

	if (!is_type(pre, "Metaspace") || !is_text(pre, "/replacement", BLANK_SIGN))
		return weft_vocabulary_refuse(tokenizer, error,
					      "pre_tokenizer: %s: with byte_fallback only "
					      "Metaspace with U+2581 is read",
					      type_of(pre));
	(void)weft_json_bool(weft_json_member(pre, "split"), &split); /* absent: true */
	tokenizer->cuts_at_each = split;
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		if (is_text(pre, "/prepend_scheme", schemes[i].scheme)) {
			tokenizer->prefix = schemes[i].prefix;
			return TRUE;
		}
	}
	return weft_vocabulary_refuse(tokenizer, error,
				      "pre_tokenizer.prepend_scheme: must be first, always or "
				      "never");
}

/* Replace, ByteFallback, Fuse, and Strip where a blank was put before the text. */
static gboolean read_decoder(WeftTokenizer *tokenizer, const WeftJson *decoder, GError **error)
{
	const WeftJson *step;
	gint64 start = 0, stop = 0;

	for (gsize i = 0; (step = step_at(decoder, "decoders", i)); i++) {
		gboolean is_strip = is_type(step, "Strip") && is_text(step, "/content", " ") &&
				    weft_json_int(weft_json_member(step, "start"), &start) &&
				    weft_json_int(weft_json_member(step, "stop"), &stop) &&
				    start == 1 && stop == 0;
		gboolean is_blank = is_type(step, "Replace") &&
				    is_text(step, "/pattern/String", BLANK_SIGN) &&
				    is_text(step, "/content", " ");
		tokenizer->drops_blank = tokenizer->drops_blank || is_strip;
		if (!is_strip && !is_blank && !is_type(step, "ByteFallback") &&
		    !is_type(step, "Fuse"))
			return weft_vocabulary_refuse(
				tokenizer, error,
				"decoder: step %zu, %s: with byte_fallback only Replace of U+2581, "
				"ByteFallback, Fuse and Strip of one blank are read",
				i, type_of(step));
	}
	return TRUE;
}

static gboolean read_pieces(WeftTokenizer *tokenizer, const WeftTokenizerSteps *steps,
			    GError **error)
{
	gboolean writes_blanks = FALSE;

	if (!is_null(steps->normalizer) &&
	    !read_normalizer(tokenizer, steps->normalizer, &writes_blanks, error))
		return FALSE;
	if (!is_null(steps->pre_tokenizer)) {
		if (writes_blanks || tokenizer->prefix != WEFT_PREFIX_NONE)
			return weft_vocabulary_refuse(tokenizer, error,
						      "pre_tokenizer: not read beside a "
						      "normalizer that does the same");
		if (!read_metaspace(tokenizer, steps->pre_tokenizer, error))
			return FALSE;
	} else if (!writes_blanks)
		return weft_vocabulary_refuse(tokenizer, error,
					      "normalizer: nothing writes blanks as U+2581");
	return is_null(steps->decoder) || read_decoder(tokenizer, steps->decoder, error);
}

gboolean weft_tokenizer_read_steps(WeftTokenizer *tokenizer, const WeftTokenizerSteps *steps,
				   GError **error)
{
	if (!read_model(tokenizer, steps->model, error))
		return FALSE;
	return tokenizer->has_pieces ? read_pieces(tokenizer, steps, error) :
				       read_byte_level(tokenizer, steps, error);
}
