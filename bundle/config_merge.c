#include "bundle/config_merge.h"

#include <string.h>

#include "base/error.h"

/* Both sources must have the same. */
static const char *const FIXED[] = {
	"model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
	"num_key_value_heads", "head_dim", "intermediate_size", "intermediate_size_mlp",
	"num_local_experts", "image_size", "patch_size", "projector_input_dim",
	"projector_output_dim", NULL};

/* Of another file than the one below. */
static const char *const FOREIGN[] = {"architectures", "quantization_config",
				      "compression_config", NULL};

/* What stands beside text_config. */
static const char *const OUTER[] = {
	"text_config", "vision_config", "weft", "boi_token_index", "boi_token_id",
	"eoi_token_index", "eoi_token_id", "image_token_index", "image_token_id", NULL};

typedef struct Merge {
	const char *below, *above; /* files, for messages */
	WeftJsonWriter writer;
} Merge;

static gboolean same_value(const WeftJson *a, const WeftJson *b)
{
	double x, y;
	if (weft_json_double(a, &x) && weft_json_double(b, &y))
		return x == y;
	return g_strcmp0(weft_json_string(a, NULL), weft_json_string(b, NULL)) == 0 &&
	       weft_json_type(a) == weft_json_type(b);
}

static gboolean check_fixed(const Merge *merge, const char *prefix, const char *key,
			    const WeftJson *below, const WeftJson *above, GError **error)
{
	if (!g_strv_contains(FIXED, key) || !below || weft_json_type(below) == WEFT_JSON_NULL ||
	    weft_json_type(above) == WEFT_JSON_NULL || same_value(below, above))
		return TRUE;
	g_autofree char *have = weft_json_compact(above);
	g_autofree char *want = weft_json_compact(below);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s%s is %s, but %s has %s",
		    merge->above, prefix, key, have, merge->below, want);
	return FALSE;
}

static gboolean write_merged(Merge *merge, const char *prefix, const WeftJson *below,
			     const WeftJson *above, GError **error);

static gboolean write_member(Merge *merge, const char *prefix, const char *key,
			     const WeftJson *below, const WeftJson *above, GError **error)
{
	weft_json_write_key(&merge->writer, key);
	if (!above) {
		weft_json_write_tree(&merge->writer, below);
		return TRUE;
	}
	if (weft_json_type(below) == WEFT_JSON_OBJECT &&
	    weft_json_type(above) == WEFT_JSON_OBJECT) {
		g_autofree char *inner = g_strdup_printf("%s%s.", prefix, key);
		return write_merged(merge, inner, below, above, error);
	}
	/* An absent head_dim is spelt null, too: what is known of a size stays. */
	if (g_strv_contains(FIXED, key) && below && weft_json_type(above) == WEFT_JSON_NULL)
		above = below;
	if (!check_fixed(merge, prefix, key, below, above, error))
		return FALSE;
	weft_json_write_tree(&merge->writer, above);
	return TRUE;
}

/* Two levels in all: text_config and what lies in it are as deep as configurations go; the depth
 * of the text is limited by the reader. */
static gboolean write_merged(Merge *merge, const char *prefix, const WeftJson *below,
			     const WeftJson *above, GError **error)
{
	weft_json_write_object(&merge->writer);
	for (gsize i = 0; i < weft_json_length(below); i++) {
		const char *key = weft_json_key_at(below, i, NULL);
		const WeftJson *other =
			g_strv_contains(FOREIGN, key) ? NULL : weft_json_member(above, key);
		if (!write_member(merge, prefix, key, weft_json_at(below, i), other, error))
			return FALSE;
	}
	for (gsize i = 0; i < weft_json_length(above); i++) {
		const char *key = weft_json_key_at(above, i, NULL);
		if (g_strv_contains(FOREIGN, key) || weft_json_member(below, key))
			continue;
		if (!write_member(merge, prefix, key, NULL, weft_json_at(above, i), error))
			return FALSE;
	}
	weft_json_write_object_end(&merge->writer);
	return TRUE;
}

static WeftJson *parse(const WeftConfigSource *source, GError **error)
{
	g_autoptr(GError) fault = NULL;
	WeftJson *tree = weft_json_parse(source->json, source->size_bytes, WEFT_JSON_STRICT, &fault);
	if (tree && weft_json_type(tree) == WEFT_JSON_OBJECT)
		return tree;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", source->file,
		    fault ? fault->message : "must be an object");
	weft_json_free(tree);
	return NULL;
}

/* The same with the text model's keys put into a text_config. */
static WeftJson *nested(const WeftJson *flat)
{
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (int inner = 0; inner <= 1; inner++) {
		if (inner) {
			weft_json_write_key(&writer, "text_config");
			weft_json_write_object(&writer);
		}
		for (gsize i = 0; i < weft_json_length(flat); i++) {
			const char *key = weft_json_key_at(flat, i, NULL);
			if (g_strv_contains(OUTER, key) == (inner == 1))
				continue;
			weft_json_write_key(&writer, key);
			weft_json_write_tree(&writer, weft_json_at(flat, i));
		}
	}
	weft_json_write_object_end(&writer);
	weft_json_write_object_end(&writer);
	return weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, NULL);
}

GString *weft_config_merge(const WeftConfigSource *below, const WeftConfigSource *above,
			   GError **error)
{
	g_autoptr(WeftJson) lower = parse(below, error);
	g_autoptr(WeftJson) upper = lower ? parse(above, error) : NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	Merge merge = {.below = below->file, .above = above->file};

	if (!upper)
		return NULL;
	if (weft_json_member(lower, "text_config") && !weft_json_member(upper, "text_config") &&
	    g_strcmp0(weft_json_string(weft_json_member(upper, "model_type"), NULL), "llama4") != 0) {
		WeftJson *flat = g_steal_pointer(&upper);
		upper = nested(flat);
		weft_json_free(flat);
	}
	weft_json_writer_init(&merge.writer, text);
	return write_merged(&merge, "", lower, upper, error) ? g_steal_pointer(&text) : NULL;
}
