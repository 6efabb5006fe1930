#include "bundle/ggml.h"

#include <string.h>

#include "base/json.h"
#include "bundle/ggml_names.h"
#include "bundle/ggml_type.h"
#include "bundle/weights_error.h"

#define MAGIC "lmgg" /* 0x67676d6c, little-endian */
#define N_SPECTRUM 201
#define WORD_BYTES_MAX 256 /* whisper.cpp's own tools take 128 */
#define NAME_BYTES_MAX 128
#define TENSORS_MAX 65536
/* The type of the file is ggml's ftype + 1000 times the version of its quantised layouts. */
#define VERSION_FACTOR 1000
#define VERSION_READ 2

/* The numbers at the begin, in their order. */
enum {
	N_VOCAB, N_AUDIO_CTX, N_AUDIO_STATE, N_AUDIO_HEAD, N_AUDIO_LAYER, N_TEXT_CTX, N_TEXT_STATE,
	N_TEXT_HEAD, N_TEXT_LAYER, N_MELS, FTYPE, N_NUMBERS
};

struct WeftGgml {
	char *file;
	WeftMap *map;  /* NULL: the bytes are the caller's */
	WeftMap bytes; /* all of the file, borrowed */
	guint32 numbers[N_NUMBERS];
	gsize words_begin, n_words, header_bytes;
	GPtrArray *tensors; /* WeftTensorEntry */
};

static gboolean is_cut(const WeftGgml *ggml, const char *in, GError **error)
{
	return weft_weights_error(error, ggml->file, "%s: the file ends here, after %zu bytes", in,
				  ggml->bytes.size_bytes);
}

/* ---- the header ---- */

static gboolean read_magic(const WeftGgml *ggml, WeftBytes *bytes, GError **error)
{
	if (bytes->size_bytes >= strlen(WEFT_LFS_BEGIN) &&
	    memcmp(bytes->data, WEFT_LFS_BEGIN, strlen(WEFT_LFS_BEGIN)) == 0)
		return weft_weights_error(error, ggml->file, WEFT_LFS_MESSAGE);
	if (!weft_ggml_is(bytes->data, bytes->size_bytes))
		return weft_weights_error(error, ggml->file,
					  "no model of whisper.cpp, which begins with \"" MAGIC
					  "\"; of a Hugging Face model name the folder");
	return weft_bytes_skip(bytes, strlen(MAGIC));
}

static gboolean read_numbers(WeftGgml *ggml, WeftBytes *bytes, GError **error)
{
	guint32 *numbers = ggml->numbers;

	for (gsize i = 0; i < N_NUMBERS; i++) {
		if (!weft_bytes_le32(bytes, &numbers[i]))
			return is_cut(ggml, "sizes", error);
	}
	if (numbers[N_VOCAB] < 51864 || numbers[N_VOCAB] > 51866)
		return weft_weights_error(error, ggml->file,
					  "a vocabulary of %u; a Whisper of whisper.cpp has 51864, "
					  "51865 or 51866", numbers[N_VOCAB]);
	if (numbers[N_TEXT_STATE] != numbers[N_AUDIO_STATE])
		return weft_weights_error(error, ggml->file,
					  "rows of %u in the encoder, %u in the decoder: no Whisper",
					  numbers[N_AUDIO_STATE], numbers[N_TEXT_STATE]);
	return TRUE;
}

static gboolean pass_filters(const WeftGgml *ggml, WeftBytes *bytes, GError **error)
{
	guint32 n_mels, n_spectrum;
	gsize size_bytes;

	if (!weft_bytes_le32(bytes, &n_mels) || !weft_bytes_le32(bytes, &n_spectrum))
		return is_cut(ggml, "mel filters", error);
	if (n_mels != ggml->numbers[N_MELS] || n_spectrum != N_SPECTRUM)
		return weft_weights_error(error, ggml->file,
					  "mel filters of %u x %u, but the sizes need %u x %u",
					  n_mels, n_spectrum, ggml->numbers[N_MELS], N_SPECTRUM);
	if (!weft_size_multiply(n_mels, N_SPECTRUM * sizeof(float), &size_bytes) ||
	    !weft_bytes_skip(bytes, size_bytes))
		return is_cut(ggml, "mel filters", error);
	return TRUE;
}

static gboolean read_words(WeftGgml *ggml, WeftBytes *bytes, GError **error)
{
	guint32 n_words, size_bytes;

	if (!weft_bytes_le32(bytes, &n_words))
		return is_cut(ggml, "vocabulary", error);
	if (n_words > ggml->numbers[N_VOCAB])
		return weft_weights_error(error, ggml->file, "%u words of a vocabulary of %u",
					  n_words, ggml->numbers[N_VOCAB]);
	ggml->n_words = n_words;
	ggml->words_begin = bytes->position;
	for (guint32 i = 0; i < n_words; i++) {
		if (!weft_bytes_le32(bytes, &size_bytes))
			return is_cut(ggml, "vocabulary", error);
		if (size_bytes > WORD_BYTES_MAX)
			return weft_weights_error(error, ggml->file, "word %u has %u bytes, limit %d",
						  i, size_bytes, WORD_BYTES_MAX);
		if (!weft_bytes_skip(bytes, size_bytes))
			return is_cut(ggml, "vocabulary", error);
	}
	return TRUE;
}

/* ---- tensors ---- */

static gboolean read_name(const WeftGgml *ggml, WeftBytes *bytes, guint32 size_bytes,
			  WeftTensorEntry *entry, GError **error)
{
	const guint8 *name;

	if (size_bytes == 0 || size_bytes > NAME_BYTES_MAX)
		return weft_weights_error(error, ggml->file,
					  "tensor %u: a name of %u bytes, limit %d",
					  ggml->tensors->len, size_bytes, NAME_BYTES_MAX);
	if (!weft_bytes_take(bytes, size_bytes, &name))
		return is_cut(ggml, "tensors", error);
	g_autofree char *text = g_strndup((const char *)name, size_bytes);
	entry->name_known = weft_ggml_name_read(text);
	entry->view.name = g_utf8_make_valid(text, -1);
	entry->view.file = ggml->file;
	if (!entry->name_known)
		return weft_weights_error(error, ggml->file,
					  "tensor %s: Whisper has none of this name",
					  entry->view.name);
	return TRUE;
}

/* Sizes from the fastest on, turned round. A bias of a convolution is stored as a column. */
static gboolean read_sizes(const WeftGgml *ggml, WeftBytes *bytes, guint32 n_dims,
			   WeftTensorView *view, GError **error)
{
	guint32 size;

	if (n_dims == 0 || n_dims > WEFT_BUNDLE_DIMS_MAX)
		return weft_weights_error(error, ggml->file,
					  "tensor %u: %u dimensions, 1 to %d are possible",
					  ggml->tensors->len, n_dims, WEFT_BUNDLE_DIMS_MAX);
	view->n_dims = n_dims;
	for (guint32 i = 0; i < n_dims; i++) {
		if (!weft_bytes_le32(bytes, &size))
			return is_cut(ggml, "tensors", error);
		if (size == 0)
			return weft_weights_error(error, ggml->file,
						  "tensor %u: size %u of the shape is 0",
						  ggml->tensors->len, i);
		view->shape[n_dims - 1 - i] = size;
	}
	return TRUE;
}

static gboolean check_version(const WeftGgml *ggml, const WeftTensorEntry *entry, GError **error)
{
	guint32 version = ggml->numbers[FTYPE] / VERSION_FACTOR;

	if (entry->type_unread || weft_dtype_block_values(entry->view.dtype) == 1 ||
	    version == VERSION_READ)
		return TRUE;
	return weft_weights_error(error, ggml->file,
				  "tensor %s: %s of version %u, version %d is read: quantise the "
				  "model again", entry->view.name,
				  weft_dtype_name(entry->view.dtype), version, VERSION_READ);
}

static gboolean read_tensor(WeftGgml *ggml, WeftBytes *bytes, GError **error)
{
	WeftTensorEntry *entry = g_new0(WeftTensorEntry, 1);
	WeftTensorView *view = &entry->view;
	guint32 n_dims, name_bytes, type;
	const guint8 *data;

	g_ptr_array_add(ggml->tensors, entry);
	if (!weft_bytes_le32(bytes, &n_dims) || !weft_bytes_le32(bytes, &name_bytes) ||
	    !weft_bytes_le32(bytes, &type))
		return is_cut(ggml, "tensors", error);
	if (!read_sizes(ggml, bytes, n_dims, view, error) ||
	    !read_name(ggml, bytes, name_bytes, entry, error))
		return FALSE;
	if (view->n_dims == 2 && view->shape[1] == 1 && g_str_has_suffix(view->name, ".bias"))
		view->n_dims = 1;
	if (!weft_ggml_measure(ggml->file, entry, type, WEFT_GGML_FILES_THAT_WORK, error) ||
	    !check_version(ggml, entry, error))
		return FALSE;
	entry->begin = bytes->position;
	if (!weft_bytes_take(bytes, view->size_bytes, &data))
		return weft_weights_error(error, ggml->file,
					  "tensor %s: %zu bytes from byte %" G_GUINT64_FORMAT
					  " of %zu: the file is cut or no such file", view->name,
					  view->size_bytes, entry->begin, bytes->size_bytes);
	view->data = data;
	entry->end = bytes->position;
	return TRUE;
}

static gboolean read_file(WeftGgml *ggml, GError **error)
{
	WeftBytes bytes = weft_bytes(ggml->bytes.data, ggml->bytes.size_bytes);

	if (!read_magic(ggml, &bytes, error) || !read_numbers(ggml, &bytes, error) ||
	    !pass_filters(ggml, &bytes, error) || !read_words(ggml, &bytes, error))
		return FALSE;
	ggml->header_bytes = bytes.position;
	while (weft_bytes_left(&bytes) > 0) {
		if (ggml->tensors->len == TENSORS_MAX)
			return weft_weights_error(error, ggml->file, "more than %d tensors",
						  TENSORS_MAX);
		if (!read_tensor(ggml, &bytes, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the file ---- */

gboolean weft_ggml_is(gconstpointer data, gsize size_bytes)
{
	return size_bytes >= strlen(MAGIC) && memcmp(data, MAGIC, strlen(MAGIC)) == 0;
}

gboolean weft_ggml_is_at(const char *path)
{
	g_autoptr(WeftMap) map = NULL;

	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return FALSE;
	if (g_str_has_suffix(path, ".bin"))
		return TRUE;
	map = weft_map_open(path, NULL);
	return map && weft_ggml_is(map->data, map->size_bytes);
}

WeftGgml *weft_ggml_new(const char *file, const guint8 *data, gsize size_bytes, GError **error)
{
	g_autoptr(WeftGgml) ggml = g_new0(WeftGgml, 1);

	ggml->file = g_strdup(file);
	ggml->bytes.data = data;
	ggml->bytes.size_bytes = size_bytes;
	ggml->tensors = g_ptr_array_new_with_free_func(weft_tensor_entry_free);
	return read_file(ggml, error) ? g_steal_pointer(&ggml) : NULL;
}

WeftGgml *weft_ggml_open(const char *path, GError **error)
{
	g_autoptr(WeftMap) map = weft_map_open(path, error);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *file = weft_path_display(name);
	WeftGgml *ggml;

	if (!map)
		return NULL;
	ggml = weft_ggml_new(file, map->data, map->size_bytes, error);
	if (ggml)
		ggml->map = g_steal_pointer(&map);
	return ggml;
}

void weft_ggml_close(WeftGgml *ggml)
{
	if (!ggml)
		return;
	g_ptr_array_unref(ggml->tensors);
	weft_map_close(ggml->map);
	g_free(ggml->file);
	g_free(ggml);
}

const char *weft_ggml_file(const WeftGgml *ggml)
{
	return ggml->file;
}

const WeftMap *weft_ggml_map(const WeftGgml *ggml)
{
	return &ggml->bytes;
}

gsize weft_ggml_header_bytes(const WeftGgml *ggml)
{
	return ggml->header_bytes;
}

gsize weft_ggml_n_vocab(const WeftGgml *ggml)
{
	return ggml->numbers[N_VOCAB];
}

const GPtrArray *weft_ggml_tensors(const WeftGgml *ggml)
{
	return ggml->tensors;
}

WeftGgmlWords weft_ggml_words(const WeftGgml *ggml)
{
	WeftGgmlWords words = {weft_bytes(ggml->bytes.data, ggml->header_bytes), ggml->n_words};
	words.bytes.position = ggml->words_begin;
	return words;
}

gboolean weft_ggml_words_next(WeftGgmlWords *words, const char **ret_text, gsize *ret_size_bytes)
{
	guint32 size_bytes;
	const guint8 *text;

	if (words->n_left == 0 || !weft_bytes_le32(&words->bytes, &size_bytes) ||
	    !weft_bytes_take(&words->bytes, size_bytes, &text))
		return FALSE;
	words->n_left--;
	*ret_text = (const char *)text;
	*ret_size_bytes = size_bytes;
	return TRUE;
}

/* ---- configuration ---- */

char *weft_ggml_config(const WeftGgml *ggml)
{
	static const struct {
		const char *key;
		int number;
	} keys[] = {
		{"vocab_size", N_VOCAB},
		{"max_source_positions", N_AUDIO_CTX},
		{"d_model", N_AUDIO_STATE},
		{"encoder_attention_heads", N_AUDIO_HEAD},
		{"encoder_layers", N_AUDIO_LAYER},
		{"max_target_positions", N_TEXT_CTX},
		{"decoder_attention_heads", N_TEXT_HEAD},
		{"decoder_layers", N_TEXT_LAYER},
		{"num_mel_bins", N_MELS},
	};
	g_autoptr(GString) text = g_string_new(NULL);
	guint64 ffn = (guint64)4 * ggml->numbers[N_AUDIO_STATE]; /* compiled into whisper.cpp */
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "model_type");
	weft_json_write_string(&writer, "whisper");
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		weft_json_write_key(&writer, keys[i].key);
		weft_json_write_uint(&writer, ggml->numbers[keys[i].number]);
	}
	weft_json_write_key(&writer, "encoder_ffn_dim");
	weft_json_write_uint(&writer, ffn);
	weft_json_write_key(&writer, "decoder_ffn_dim");
	weft_json_write_uint(&writer, ffn);
	weft_json_write_object_end(&writer);
	return g_string_free(g_steal_pointer(&text), FALSE);
}
