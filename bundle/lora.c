#include "bundle/lora.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/lora_config.h"
#include "bundle/safetensors.h"
#include "bundle/shards.h"

#define CONFIG_NAME "adapter_config.json"
#define WEIGHTS_NAME "adapter_model.safetensors"
#define CONFIG_BYTES_MAX ((gsize)16 << 20)
#define PREFIX "base_model.model."

struct WeftLora {
	char *name, *id;
	WeftLoraConfig *config;
	WeftMap *map;
	GPtrArray *entries; /* WeftTensorEntry */
	GPtrArray *pairs;   /* WeftLoraPair, by path */
	GPtrArray *weights; /* WeftLoraWeight, by path */
};

static void pair_free(gpointer data)
{
	WeftLoraPair *pair = data;
	g_free((char *)pair->path);
	g_free((char *)pair->module);
	g_free(pair);
}

static void weight_free(gpointer data)
{
	WeftLoraWeight *weight = data;
	g_free((char *)weight->path);
	g_free((char *)weight->module);
	g_free(weight);
}

char *weft_lora_shape(const WeftTensorView *view)
{
	GString *text = g_string_new("[");
	for (gsize i = 0; i < view->n_dims; i++)
		g_string_append_printf(text, "%s%zu", i > 0 ? ", " : "", view->shape[i]);
	g_string_append_c(text, ']');
	return g_string_free(text, FALSE);
}

gboolean weft_lora_check_vector(const WeftTensorView *view, gsize n, GError **error)
{
	if (view->n_dims == 1 && view->shape[0] == n)
		return TRUE;
	g_autofree char *shape = weft_lora_shape(view);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "tensor %s has shape %s, but the base needs [%" G_GSIZE_FORMAT "]", view->name,
		    shape, n);
	return FALSE;
}

static gboolean refuse(const WeftTensorView *view, GError **error, const char *why)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, WEIGHTS_NAME ": tensor %s %s",
		    view->name, why);
	return FALSE;
}

/* All bits of the exponent are set in what is not finite. */
static gboolean is_finite(const WeftTensorView *view)
{
	const guint8 *data = view->data;
	gsize size = weft_dtype_block_bytes(view->dtype);
	guint16 exponent = view->dtype == WEFT_DTYPE_F16 ? 0x7c00 : 0x7f80;

	for (gsize i = size; i <= view->size_bytes; i += size) /* the upper half of each */
		if ((weft_le16(data + i - 2) & exponent) == exponent)
			return FALSE;
	return TRUE;
}

/* The path without "base_layer", which stands for a wrapper of PEFT's. Caller frees. */
static char *without_base_layers(const char *path)
{
	static const char inner[] = ".base_layer";
	gsize n = strlen(path);
	while (n > strlen(inner) && strncmp(path + n - strlen(inner), inner, strlen(inner)) == 0)
		n -= strlen(inner);
	return g_strndup(path, n);
}

static char *module_of(const char *path)
{
	g_autofree char *bare = without_base_layers(path);
	return g_strdup(weft_shards_plain_name(bare));
}

typedef struct Kind {
	const char *suffix;
	gsize offset; /* of the view in WeftLoraPair */
	gboolean is_embedding;
} Kind;

#define IN_PAIR(field) G_STRUCT_OFFSET(WeftLoraPair, field)

static const Kind kinds[] = {
	{".lora_A.weight", IN_PAIR(a), FALSE},
	{".lora_B.weight", IN_PAIR(b), FALSE},
	{".lora_B.bias", IN_PAIR(bias), FALSE},
	{".lora_magnitude_vector", IN_PAIR(magnitude), FALSE},
	{".lora_magnitude_vector.weight", IN_PAIR(magnitude), FALSE},
	{".lora_embedding_A", IN_PAIR(a), TRUE},
	{".lora_embedding_B", IN_PAIR(b), TRUE},
};

static gboolean add_to_pair(GHashTable *by_path, const Kind *kind, const char *path,
			    const WeftTensorView *view, GError **error)
{
	WeftLoraPair *pair = g_hash_table_lookup(by_path, path);
	if (!pair) {
		pair = g_new0(WeftLoraPair, 1);
		pair->path = g_strdup(path);
		pair->module = module_of(path);
		g_hash_table_insert(by_path, (char *)pair->path, pair);
	}
	const WeftTensorView **slot = (gpointer)((char *)pair + kind->offset);
	if (*slot) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME ": tensor %s is also there as %s", view->name,
			    (*slot)->name);
		return FALSE;
	}
	*slot = view;
	pair->is_embedding = pair->is_embedding || kind->is_embedding;
	return TRUE;
}

static void add_weight(WeftLora *lora, const char *path, const WeftTensorView *view)
{
	static const char saved[] = ".modules_to_save";
	WeftLoraWeight *weight = g_new0(WeftLoraWeight, 1);
	gsize n = strlen(path);
	if (g_str_has_suffix(path, saved))
		n -= strlen(saved);
	g_autofree char *bare = g_strndup(path, n);
	weight->path = without_base_layers(bare);
	weight->module = module_of(bare);
	weight->view = view;
	g_ptr_array_add(lora->weights, weight);
}

static gboolean add_tensor(WeftLora *lora, GHashTable *by_path, const WeftTensorEntry *entry,
			   GError **error)
{
	const WeftTensorView *view = &entry->view;
	const char *name = view->name;
	if (entry->type_unread || view->dtype >= WEFT_DTYPE_HALVES_END) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    WEIGHTS_NAME ": tensor %s has type %s; F32, BF16 and F16 are read", name,
			    entry->type_unread ? entry->type_unread : weft_dtype_name(view->dtype));
		return FALSE;
	}
	if (!is_finite(view)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME ": tensor %s holds numbers that are infinite or no numbers",
			    name);
		return FALSE;
	}
	if (g_str_has_prefix(name, PREFIX))
		name += strlen(PREFIX);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (!g_str_has_suffix(name, kinds[i].suffix))
			continue;
		g_autofree char *path = g_strndup(name, strlen(name) - strlen(kinds[i].suffix));
		return add_to_pair(by_path, &kinds[i], path, view, error);
	}
	if (strstr(name, ".lora_") || !g_str_has_suffix(name, ".weight"))
		return refuse(view, error, "is nothing that weft implements");
	g_autofree char *path = g_strndup(name, strlen(name) - strlen(".weight"));
	add_weight(lora, path, view);
	return TRUE;
}

static gboolean check_pair(const WeftLoraPair *pair, GError **error)
{
	const WeftTensorView *a = pair->a, *b = pair->b;
	if (!a || !b) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME ": %s has no lora_%s beside its lora_%s", pair->path,
			    a ? "B" : "A", a ? "A" : b ? "B" : "magnitude or bias");
		return FALSE;
	}
	if (a->n_dims == 2 && b->n_dims == 2 && a->shape[0] == b->shape[1] && a->size_bytes > 0 &&
	    b->size_bytes > 0)
		return TRUE;
	g_autofree char *a_shape = weft_lora_shape(a);
	g_autofree char *b_shape = weft_lora_shape(b);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    WEIGHTS_NAME ": %s: lora_A %s and lora_B %s are no pair [r, in], [out, r]",
		    pair->path, a_shape, b_shape);
	return FALSE;
}

/* A magnitude decides the arithmetic: it is there for all or for none. */
static gboolean check_kind(const WeftLoraConfig *config, const WeftLoraPair *pair, GError **error)
{
	gboolean uses_dora = weft_lora_config_uses_dora(config);
	if ((pair->magnitude != NULL) != uses_dora)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME ": %s has %s lora_magnitude_vector, but use_dora of "
			    CONFIG_NAME " is %s", pair->path, pair->magnitude ? "a" : "no",
			    uses_dora ? "true" : "false");
	else if (pair->bias && !weft_lora_config_has_bias(config))
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME ": tensor %s, but lora_bias of " CONFIG_NAME " is false",
			    pair->bias->name);
	else
		return TRUE;
	return FALSE;
}

static gint compare_pairs(gconstpointer a, gconstpointer b)
{
	return strcmp((*(WeftLoraPair *const *)a)->path, (*(WeftLoraPair *const *)b)->path);
}

static gint compare_weights(gconstpointer a, gconstpointer b)
{
	return strcmp((*(WeftLoraWeight *const *)a)->path, (*(WeftLoraWeight *const *)b)->path);
}

static gboolean sort_tensors(WeftLora *lora, GError **error)
{
	g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter i;
	gpointer pair;
	gboolean is_good = TRUE;

	for (guint k = 0; is_good && k < lora->entries->len; k++)
		is_good = add_tensor(lora, by_path, g_ptr_array_index(lora->entries, k), error);
	g_hash_table_iter_init(&i, by_path);
	while (g_hash_table_iter_next(&i, NULL, &pair))
		g_ptr_array_add(lora->pairs, pair);
	g_ptr_array_sort(lora->pairs, compare_pairs);
	g_ptr_array_sort(lora->weights, compare_weights);
	for (guint k = 0; is_good && k < lora->pairs->len; k++)
		is_good = check_pair(g_ptr_array_index(lora->pairs, k), error) &&
			  check_kind(lora->config, g_ptr_array_index(lora->pairs, k), error);
	if (is_good && lora->pairs->len + lora->weights->len == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    WEIGHTS_NAME " holds no tensors");
		return FALSE;
	}
	return is_good;
}

/* A file, or a folder without safetensors, is told what to do about what it is. */
static gboolean check_folder(const char *folder, GError **error)
{
	if (g_file_test(folder, G_FILE_TEST_IS_REGULAR)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "is a file; a folder in PEFT's format is expected, with " CONFIG_NAME
			    " and " WEIGHTS_NAME " (adapters as GGUF are not read)");
		return FALSE;
	}
	g_autofree char *weights = g_build_filename(folder, WEIGHTS_NAME, NULL);
	g_autofree char *pickle = g_build_filename(folder, "adapter_model.bin", NULL);
	if (g_file_test(weights, G_FILE_TEST_EXISTS) || !g_file_test(pickle, G_FILE_TEST_EXISTS))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    "adapter_model.bin is a pickle, which may hold programs, and is not read; once "
		    "trusted, write it anew: python3 -c \"import torch, safetensors.torch as s; "
		    "s.save_file({k: v.contiguous() for k, v in torch.load('adapter_model.bin', "
		    "weights_only=True).items()}, '" WEIGHTS_NAME "')\"");
	return FALSE;
}

static gboolean open_files(WeftLora *lora, const char *folder, GError **error)
{
	g_autofree char *config_path = g_build_filename(folder, CONFIG_NAME, NULL);
	g_autofree char *weights_path = g_build_filename(folder, WEIGHTS_NAME, NULL);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *text = NULL;
	gsize size_bytes, header_bytes;

	if (!check_folder(folder, error) ||
	    !weft_file_read(config_path, CONFIG_BYTES_MAX, &text, &size_bytes, error))
		return FALSE;
	lora->config = weft_lora_config_new(text, size_bytes, error);
	if (!lora->config)
		return FALSE;
	lora->map = weft_map_open(weights_path, error);
	if (!lora->map)
		return FALSE;
	lora->entries = weft_safetensors_read(WEIGHTS_NAME, lora->map->data, lora->map->size_bytes,
					      &header_bytes, error);
	if (!lora->entries || !sort_tensors(lora, error))
		return FALSE;
	g_autofree char *line = g_strdup_printf("%s %zu\n", CONFIG_NAME, size_bytes);
	g_checksum_update(checksum, (const guchar *)line, -1);
	g_checksum_update(checksum, (const guchar *)text, (gssize)size_bytes);
	g_checksum_update(checksum, lora->map->data, (gssize)lora->map->size_bytes);
	lora->id = g_strdup(g_checksum_get_string(checksum));
	return TRUE;
}

WeftLora *weft_lora_open(const char *folder, GError **error)
{
	g_autoptr(WeftLora) lora = g_new0(WeftLora, 1);
	g_autofree char *absolute = g_canonicalize_filename(folder, NULL);

	lora->name = g_path_get_basename(absolute);
	lora->pairs = g_ptr_array_new_with_free_func(pair_free);
	lora->weights = g_ptr_array_new_with_free_func(weight_free);
	if (open_files(lora, folder, error))
		return g_steal_pointer(&lora);
	g_autofree char *shown = weft_path_display(folder);
	g_prefix_error(error, "adapter %s: ", shown);
	return NULL;
}

void weft_lora_close(WeftLora *lora)
{
	if (!lora)
		return;
	g_ptr_array_unref(lora->pairs);
	g_ptr_array_unref(lora->weights);
	g_clear_pointer(&lora->entries, g_ptr_array_unref);
	weft_map_close(lora->map);
	weft_lora_config_free(lora->config);
	g_free(lora->name);
	g_free(lora->id);
	g_free(lora);
}

const char *weft_lora_name(const WeftLora *lora)
{
	return lora->name;
}

const char *weft_lora_id(const WeftLora *lora)
{
	return lora->id;
}

gsize weft_lora_n_pairs(const WeftLora *lora)
{
	return lora->pairs->len;
}

const WeftLoraPair *weft_lora_pair_at(const WeftLora *lora, gsize i)
{
	return i < lora->pairs->len ? g_ptr_array_index(lora->pairs, i) : NULL;
}

gsize weft_lora_n_weights(const WeftLora *lora)
{
	return lora->weights->len;
}

const WeftLoraWeight *weft_lora_weight_at(const WeftLora *lora, gsize i)
{
	return i < lora->weights->len ? g_ptr_array_index(lora->weights, i) : NULL;
}

gboolean weft_lora_scale(const WeftLora *lora, const WeftLoraPair *pair, const char *parameter,
			 gsize rank, double *ret_scale, GError **error)
{
	g_autofree char *bare = without_base_layers(pair->path);
	g_autofree char *path = parameter ? g_strdup_printf("%s.%s", bare, parameter)
					  : g_strdup(bare);
	return weft_lora_config_scale(lora->config, path, rank, ret_scale, error);
}
