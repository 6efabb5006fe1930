/* gguf_vocabulary.c - a tokenizer.json as the vocabulary of a GGUF file. */
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "bundle/chat.h"
#include "bundle/gguf_metadata.h"
#include "bundle/presplit.h"
#include "bundle/tokens.h"

#define TOKENIZER_BYTES_MAX ((gsize)256 << 20)
#define CONFIG_BYTES_MAX ((gsize)16 << 20)

/* llama.cpp's kinds of tokens. */
enum { KIND_NORMAL = 1, KIND_UNKNOWN = 2, KIND_CONTROL = 3, KIND_USER = 4, KIND_UNUSED = 5,
       KIND_BYTE = 6 };

typedef struct Vocabulary {
	const WeftJson *model; /* of tokenizer.json */
	gsize n;               /* ids of the model */
	GPtrArray *texts;      /* GString, [n]; NULL: no such token */
	gint32 *kinds;         /* [n] */
} Vocabulary;

static void string_free(gpointer text)
{
	if (text)
		g_string_free(text, TRUE);
}

static gboolean config_error(GError **error, const char *what)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "tokenizer.json: %s", what);
	return FALSE;
}

/* ---- tokens ---- */

/* "<0x0A>", as vocabularies of SentencePiece write a byte. */
static gboolean is_byte(const char *text, gsize size_bytes)
{
	return size_bytes == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>';
}

static gboolean add_token(Vocabulary *vocabulary, const char *text, gsize size_bytes, guint64 id,
			  gint32 kind)
{
	if (id >= vocabulary->n)
		return FALSE;
	string_free(g_ptr_array_index(vocabulary->texts, id));
	g_ptr_array_index(vocabulary->texts, id) = g_string_new_len(text, (gssize)size_bytes);
	vocabulary->kinds[id] = kind;
	return TRUE;
}

static gboolean read_tokens(Vocabulary *vocabulary, const WeftJson *tree, gboolean has_bytes,
			    GError **error)
{
	const WeftJson *vocab = weft_json_member(vocabulary->model, "vocab");
	const WeftJson *added = weft_json_member(tree, "added_tokens");
	const char *unknown = weft_json_string(weft_json_member(vocabulary->model, "unk_token"), NULL);
	gsize size_bytes;
	guint64 id;

	for (gsize i = 0; i < weft_json_length(vocab); i++) {
		const char *text = weft_json_key_at(vocab, i, &size_bytes);
		gint32 kind = has_bytes && is_byte(text, size_bytes) ? KIND_BYTE : KIND_NORMAL;
		if (!weft_json_uint(weft_json_at(vocab, i), &id) ||
		    !add_token(vocabulary, text, size_bytes, id, kind))
			return config_error(error, "model.vocab: an id beyond vocab_size");
	}
	for (gsize i = 0; i < weft_json_length(added); i++) {
		const WeftJson *token = weft_json_at(added, i);
		const char *text = weft_json_string(weft_json_member(token, "content"), &size_bytes);
		gboolean is_special = FALSE;
		(void)weft_json_bool(weft_json_member(token, "special"), &is_special);
		gint32 kind = g_strcmp0(text, unknown) == 0 ? KIND_UNKNOWN :
			      is_special ? KIND_CONTROL : KIND_USER;
		if (!text || !weft_json_uint(weft_json_member(token, "id"), &id) ||
		    !add_token(vocabulary, text, size_bytes, id, kind))
			return config_error(error, "added_tokens: an id beyond vocab_size");
	}
	return TRUE;
}

/* Every id of the model has a place. */
static void fill_holes(Vocabulary *vocabulary)
{
	for (gsize id = 0; id < vocabulary->n; id++) {
		if (g_ptr_array_index(vocabulary->texts, id))
			continue;
		GString *text = g_string_new(NULL);
		g_string_printf(text, "[PAD%zu]", id);
		g_ptr_array_index(vocabulary->texts, id) = text;
		vocabulary->kinds[id] = KIND_UNUSED;
	}
}

/* ---- merges ---- */

/* "a b", from either spelling; NULL: neither. */
static GString *merge_text(const WeftJson *merge)
{
	gsize left_bytes, right_bytes;
	const char *text = weft_json_string(merge, &left_bytes);
	if (text)
		return g_string_new_len(text, (gssize)left_bytes);
	const char *left = weft_json_string(weft_json_at(merge, 0), &left_bytes);
	const char *right = weft_json_string(weft_json_at(merge, 1), &right_bytes);
	if (!left || !right)
		return NULL;
	GString *both = g_string_new_len(left, (gssize)left_bytes);
	g_string_append_c(both, ' ');
	return g_string_append_len(both, right, (gssize)right_bytes);
}

static GPtrArray *read_merges(const Vocabulary *vocabulary, GError **error)
{
	const WeftJson *list = weft_json_member(vocabulary->model, "merges");
	g_autoptr(GPtrArray) merges = g_ptr_array_new_with_free_func(string_free);
	for (gsize i = 0; i < weft_json_length(list); i++) {
		GString *text = merge_text(weft_json_at(list, i));
		if (!text) {
			(void)config_error(error, "model.merges: an entry is no pair of strings");
			return NULL;
		}
		g_ptr_array_add(merges, text);
	}
	return g_steal_pointer(&merges);
}

/* Of a SentencePiece vocabulary: the earlier a token is merged the higher its score. */
static float *scores_of(const Vocabulary *vocabulary, const GPtrArray *merges)
{
	g_autoptr(GHashTable) ranks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	float *scores = g_new0(float, vocabulary->n);

	for (guint i = 0; i < merges->len; i++) {
		const GString *merge = g_ptr_array_index(merges, i);
		const char *space = strchr(merge->str, ' ');
		if (!space)
			continue;
		char *joined = g_strdup_printf("%.*s%s", (int)(space - merge->str), merge->str,
					       space + 1);
		if (!g_hash_table_contains(ranks, joined))
			g_hash_table_insert(ranks, joined, GUINT_TO_POINTER(i + 1));
		else
			g_free(joined);
	}
	for (gsize id = 0; id < vocabulary->n; id++) {
		const GString *text = g_ptr_array_index(vocabulary->texts, id);
		guint rank = GPOINTER_TO_UINT(g_hash_table_lookup(ranks, text->str));
		/* Single characters are never the result of a merge. */
		scores[id] = rank > 0 ? -(float)(rank - 1) :
			     vocabulary->kinds[id] == KIND_NORMAL ? -(float)merges->len : 0;
	}
	return scores;
}

/* ---- the rule that cuts text ---- */

static gboolean rule_of(const WeftJson *splitter, WeftPresplit *ret_rule)
{
	gsize size_bytes;
	const WeftJson *list = weft_json_member(splitter, "pretokenizers");
	const char *regex =
		weft_json_string(weft_json_at_pointer(splitter, "/pattern/Regex"), &size_bytes);
	if (regex)
		return weft_presplit_find(regex, size_bytes, ret_rule);
	for (gsize i = 0; i < weft_json_length(list); i++) {
		if (rule_of(weft_json_at(list, i), ret_rule))
			return TRUE;
	}
	return FALSE;
}

static const char *name_of_rule(const WeftJson *tree)
{
	static const char *const names[] = {[WEFT_PRESPLIT_GPT2] = "gpt-2",
					    [WEFT_PRESPLIT_LLAMA3] = "llama-bpe",
					    [WEFT_PRESPLIT_LLAMA4] = "llama4"};
	WeftPresplit rule = WEFT_PRESPLIT_GPT2;
	(void)rule_of(weft_json_member(tree, "pre_tokenizer"), &rule); /* none: ByteLevel's own */
	return names[rule];
}

/* ---- the keys ---- */

/* The id of a token that tokenizer_config.json names; -1 when it says nothing. */
static gint64 named_token(const Vocabulary *vocabulary, const WeftJson *tree, const char *key)
{
	const WeftJson *member = weft_json_member(tree, key);
	const WeftJson *inner = weft_json_member(member, "content");
	const char *text = weft_json_string(inner ? inner : member, NULL);
	for (gsize id = 0; text && id < vocabulary->n; id++) {
		const GString *token = g_ptr_array_index(vocabulary->texts, id);
		if (strcmp(token->str, text) == 0)
			return (gint64)id;
	}
	return -1;
}

static void add_ids(WeftGgufWriter *writer, const Vocabulary *vocabulary, const char *folder,
		    const WeftTextConfig *text)
{
	g_autofree char *path = g_build_filename(folder, "tokenizer_config.json", NULL);
	g_autofree char *json = NULL;
	g_autoptr(WeftJson) tree = NULL;
	gsize size_bytes;

	if (weft_file_read(path, CONFIG_BYTES_MAX, &json, &size_bytes, NULL)) /* may be missing */
		tree = weft_json_parse(json, size_bytes, WEFT_JSON_ALLOW_DUPLICATES, NULL);
	/* How a turn ends, which instruct models list among others. */
	gint64 end = named_token(vocabulary, tree, "eos_token");
	gint64 padding = named_token(vocabulary, tree, "pad_token");
	if (end < 0 && text->eos_ids->len > 0)
		end = g_array_index(text->eos_ids, gint32, 0);
	if (text->bos_id >= 0)
		weft_gguf_writer_u32(writer, "tokenizer.ggml.bos_token_id", (guint32)text->bos_id);
	if (end >= 0)
		weft_gguf_writer_u32(writer, "tokenizer.ggml.eos_token_id", (guint32)end);
	if (padding >= 0)
		weft_gguf_writer_u32(writer, "tokenizer.ggml.padding_token_id", (guint32)padding);
	weft_gguf_writer_bool(writer, "tokenizer.ggml.add_bos_token", text->bos_id >= 0);
	weft_gguf_writer_bool(writer, "tokenizer.ggml.add_eos_token", FALSE);
}

static gboolean add_template(WeftGgufWriter *writer, const char *folder, GError **error)
{
	g_auto(WeftChat) chat = {0};
	if (!weft_chat_open(&chat, folder, error))
		return FALSE;
	if (chat.text)
		weft_gguf_writer_string(writer, "tokenizer.chat_template", chat.text);
	return TRUE;
}

static gboolean add_vocabulary(WeftGgufWriter *writer, const WeftJson *tree, Vocabulary *vocabulary,
			       GError **error)
{
	gboolean is_bytes = FALSE; /* SentencePiece: unknown characters become bytes */
	g_autoptr(GPtrArray) merges = NULL;

	vocabulary->model = weft_json_member(tree, "model");
	if (g_strcmp0(weft_json_string(weft_json_member(vocabulary->model, "type"), NULL), "BPE") != 0)
		return config_error(error, "model.type: only BPE can be written to GGUF");
	(void)weft_json_bool(weft_json_member(vocabulary->model, "byte_fallback"), &is_bytes);
	if (!read_tokens(vocabulary, tree, is_bytes, error))
		return FALSE;
	fill_holes(vocabulary);
	merges = read_merges(vocabulary, error);
	if (!merges)
		return FALSE;
	weft_gguf_writer_string(writer, "tokenizer.ggml.model", is_bytes ? "llama" : "gpt2");
	weft_gguf_writer_string(writer, "tokenizer.ggml.pre",
				is_bytes ? "default" : name_of_rule(tree));
	weft_gguf_writer_texts(writer, "tokenizer.ggml.tokens", vocabulary->texts);
	weft_gguf_writer_i32s(writer, "tokenizer.ggml.token_type", vocabulary->kinds, vocabulary->n);
	if (is_bytes) {
		g_autofree float *scores = scores_of(vocabulary, merges);
		weft_gguf_writer_f32s(writer, "tokenizer.ggml.scores", scores, vocabulary->n);
	} else
		weft_gguf_writer_texts(writer, "tokenizer.ggml.merges", merges);
	return TRUE;
}

gboolean weft_gguf_metadata_vocabulary(WeftGgufWriter *writer, const char *folder,
				       const WeftTextConfig *text, GPtrArray *notes, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "tokenizer.json", NULL);
	g_autofree char *json = NULL;
	gsize size_bytes;

	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		weft_gguf_writer_string(writer, "tokenizer.ggml.model", "none");
		g_ptr_array_add(notes, g_strdup("there is no tokenizer.json, so the file has no "
						"vocabulary"));
		return TRUE;
	}
	if (!weft_file_read(path, TOKENIZER_BYTES_MAX, &json, &size_bytes, error))
		return FALSE;
	g_autoptr(WeftJson) tree = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, error);
	if (!tree) {
		g_prefix_error(error, "tokenizer.json: ");
		return FALSE;
	}
	if (text->n_vocab > WEFT_TOKENS_IDS_MAX)
		return config_error(error, "more ids than a vocabulary may have");
	Vocabulary vocabulary = {.n = text->n_vocab,
				 .texts = g_ptr_array_new_with_free_func(string_free),
				 .kinds = g_new0(gint32, text->n_vocab)};
	g_ptr_array_set_size(vocabulary.texts, (gint)vocabulary.n);
	gboolean is_good = add_vocabulary(writer, tree, &vocabulary, error) &&
			   add_template(writer, folder, error);
	if (is_good)
		add_ids(writer, &vocabulary, folder, text);
	g_ptr_array_unref(vocabulary.texts);
	g_free(vocabulary.kinds);
	return is_good;
}
