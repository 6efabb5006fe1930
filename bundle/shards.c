#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/shards.h"

#define INDEX_BYTES_MAX ((gsize)256 << 20)
#define ID_BLOCKS 64 /* read of each file for the bundle's id */
#define ID_BLOCK_BYTES ((gsize)4096)

struct WeftShards {
	GPtrArray *maps;       /* WeftMap, one for each file; empty with `set` */
	GPtrArray *file_names; /* base names, in the order of maps */
	GPtrArray *entries;    /* WeftTensorEntry, by name */
	GHashTable *by_name;   /* name without wrappers -> entry; both borrowed */
	WeftGgufSet *set;      /* owns files and entries of a GGUF model, else NULL */
	WeftGgml *ggml;        /* the same of one of whisper.cpp */
	guint64 size_bytes;
};

static const char *without_prefix(const char *name, const char *prefix)
{
	return g_str_has_prefix(name, prefix) ? name + strlen(prefix) : name;
}

const char *weft_shards_plain_name(const char *name)
{
	const char *inner = without_prefix(name, "model.");
	if (g_str_has_prefix(inner, "vision_model.") ||
	    g_str_has_prefix(inner, "multi_modal_projector."))
		return inner;
	if (g_str_has_prefix(inner, "language_model."))
		name = inner;
	return without_prefix(without_prefix(name, "language_model."), "model.");
}

static void identify(GChecksum *checksum, const char *file, const WeftMap *map, gsize header_bytes)
{
	g_autofree char *line = g_strdup_printf("weights %s %zu\n", file, map->size_bytes);
	g_checksum_update(checksum, (const guchar *)line, -1);
	g_checksum_update(checksum, map->data, (gssize)header_bytes);
	if (map->size_bytes <= ID_BLOCKS * ID_BLOCK_BYTES) {
		g_checksum_update(checksum, map->data, (gssize)map->size_bytes);
		return;
	}
	gsize last = map->size_bytes - ID_BLOCK_BYTES;
	weft_mapping_read_alone(map->data, map->size_bytes, TRUE);
	for (gsize i = 0; i < ID_BLOCKS; i++) {
		gsize at = (gsize)((__uint128_t)last * i / (ID_BLOCKS - 1));
		g_checksum_update(checksum, map->data + at, (gssize)ID_BLOCK_BYTES);
	}
	weft_mapping_read_alone(map->data, map->size_bytes, FALSE);
}

/* In every shard what the index says is there, and nothing else. */
static gboolean check_index(const char *file, const GPtrArray *found, GHashTable *index,
			    GError **error)
{
	for (guint i = 0; i < found->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(found, i);
		const char *shard = g_hash_table_lookup(index, entry->view.name);
		if (g_strcmp0(shard, file) != 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: tensor %s: the index says it is in %s", file,
				    entry->view.name, shard ? shard : "no file");
			return FALSE;
		}
	}
	return TRUE;
}

/* `index`: NULL for a single file. */
static gboolean add_file(WeftShards *shards, const char *folder, const char *file,
			 GHashTable *index, GChecksum *checksum, GError **error)
{
	g_autofree char *path = g_build_filename(folder, file, NULL);
	g_autoptr(GPtrArray) found = NULL;
	gsize header_bytes = 0;
	WeftMap *map = weft_map_open(path, error);

	if (!map)
		return FALSE;
	g_ptr_array_add(shards->maps, map);
	char *name = g_strdup(file);
	g_ptr_array_add(shards->file_names, name);
	/* Only what is looked at here is read, whatever lies beside it. */
	weft_mapping_read_alone(map->data, map->size_bytes, TRUE);
	found = weft_safetensors_read(name, map->data, map->size_bytes, &header_bytes, error);
	if (!found || (index && !check_index(name, found, index, error)))
		return FALSE;
	identify(checksum, name, map, header_bytes);
	shards->size_bytes += map->size_bytes;
	g_ptr_array_extend_and_steal(shards->entries, g_steal_pointer(&found));
	return TRUE;
}

static gboolean add_shards(WeftShards *shards, const char *folder, const char *index_path,
			   GChecksum *checksum, GError **error)
{
	g_autofree char *text = NULL;
	g_autofree char *file = g_path_get_basename(index_path);
	g_autoptr(GHashTable) index = NULL;
	g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GList) names = NULL;
	gpointer tensor, shard;
	GHashTableIter i;
	gsize size_bytes;

	if (!weft_file_read(index_path, INDEX_BYTES_MAX, &text, &size_bytes, error))
		return FALSE;
	index = weft_safetensors_index(file, text, size_bytes, error);
	if (!index)
		return FALSE;
	g_hash_table_iter_init(&i, index);
	while (g_hash_table_iter_next(&i, &tensor, &shard))
		g_hash_table_add(files, shard);
	names = g_list_sort(g_hash_table_get_keys(files), (GCompareFunc)strcmp);
	for (GList *name = names; name; name = name->next) {
		if (!add_file(shards, folder, name->data, index, checksum, error))
			return FALSE;
	}
	/* Each that was found is in the index: fewer of them means that one is missing. */
	g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint k = 0; k < shards->entries->len; k++) {
		WeftTensorEntry *entry = g_ptr_array_index(shards->entries, k);
		g_hash_table_add(found, (char *)entry->view.name);
	}
	g_hash_table_iter_init(&i, index);
	while (g_hash_table_iter_next(&i, &tensor, &shard)) {
		if (g_hash_table_contains(found, tensor))
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s: tensor %s is not in %s",
			    file, (char *)tensor, (char *)shard);
		return FALSE;
	}
	return TRUE;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp((*(WeftTensorEntry *const *)a)->view.name,
		      (*(WeftTensorEntry *const *)b)->view.name);
}

static gboolean name_entries(WeftShards *shards, GError **error)
{
	g_ptr_array_sort(shards->entries, compare_names);
	for (guint i = 0; i < shards->entries->len; i++) {
		WeftTensorEntry *entry = g_ptr_array_index(shards->entries, i);
		const char *known = entry->name_known ? entry->name_known : entry->view.name;
		const char *plain = weft_shards_plain_name(known);
		const WeftTensorEntry *other = g_hash_table_lookup(shards->by_name, plain);
		if (other) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: tensor %s is also there as %s", entry->view.file,
				    entry->view.name, other->view.name);
			return FALSE;
		}
		g_hash_table_insert(shards->by_name, (char *)plain, entry);
	}
	return TRUE;
}

static void close_map(gpointer map)
{
	weft_map_close(map);
}

static WeftShards *shards_new(GDestroyNotify entry_free)
{
	WeftShards *shards = g_new0(WeftShards, 1);
	shards->maps = g_ptr_array_new_with_free_func(close_map);
	shards->file_names = g_ptr_array_new_with_free_func(g_free);
	shards->entries = g_ptr_array_new_with_free_func(entry_free);
	shards->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return shards;
}

WeftShards *weft_shards_open(const char *folder, GChecksum *checksum, GError **error)
{
	g_autoptr(WeftShards) shards = shards_new(weft_tensor_entry_free);
	g_autofree char *single = g_build_filename(folder, "model.safetensors", NULL);
	g_autofree char *index = g_strconcat(single, ".index.json", NULL);

	if (g_file_test(single, G_FILE_TEST_EXISTS)) {
		if (!add_file(shards, folder, "model.safetensors", NULL, checksum, error))
			return NULL;
	} else if (g_file_test(index, G_FILE_TEST_EXISTS)) {
		if (!add_shards(shards, folder, index, checksum, error))
			return NULL;
	}
	if (!name_entries(shards, error))
		return NULL;
	return g_steal_pointer(&shards);
}

/* The tensors of a file that `shards` owns. */
static void add_tensors(WeftShards *shards, const char *file, const GPtrArray *tensors,
			const WeftMap *map)
{
	for (guint i = 0; i < tensors->len; i++)
		g_ptr_array_add(shards->entries, g_ptr_array_index(tensors, i));
	g_ptr_array_add(shards->file_names, g_strdup(file));
	shards->size_bytes += map->size_bytes;
}

static void add_gguf(WeftShards *shards, const WeftGguf *gguf, GChecksum *checksum)
{
	const WeftMap *map = weft_gguf_map(gguf);
	add_tensors(shards, weft_gguf_file(gguf), weft_gguf_tensors(gguf), map);
	identify(checksum, weft_gguf_file(gguf), map, weft_gguf_header_bytes(gguf));
}

WeftShards *weft_shards_new_gguf(WeftGgufSet *set, GChecksum *checksum, GError **error)
{
	g_autoptr(WeftShards) shards = shards_new(NULL);
	shards->set = set;
	for (guint i = 0; i < set->parts->len; i++)
		add_gguf(shards, g_ptr_array_index(set->parts, i), checksum);
	if (set->vision)
		add_gguf(shards, set->vision, checksum);
	return name_entries(shards, error) ? g_steal_pointer(&shards) : NULL;
}

WeftShards *weft_shards_new_ggml(WeftGgml *ggml, GChecksum *checksum, GError **error)
{
	g_autoptr(WeftShards) shards = shards_new(NULL);
	const WeftMap *map = weft_ggml_map(ggml);
	shards->ggml = ggml;
	add_tensors(shards, weft_ggml_file(ggml), weft_ggml_tensors(ggml), map);
	identify(checksum, weft_ggml_file(ggml), map, weft_ggml_header_bytes(ggml));
	return name_entries(shards, error) ? g_steal_pointer(&shards) : NULL;
}

void weft_shards_close(WeftShards *shards)
{
	if (!shards)
		return;
	g_hash_table_unref(shards->by_name);
	g_ptr_array_unref(shards->entries);
	g_ptr_array_unref(shards->file_names);
	g_ptr_array_unref(shards->maps);
	weft_gguf_set_close(shards->set);
	weft_ggml_close(shards->ggml);
	g_free(shards);
}

guint64 weft_shards_size_bytes(const WeftShards *shards)
{
	return shards->size_bytes;
}

gsize weft_shards_n_files(const WeftShards *shards)
{
	return shards->file_names->len;
}

const char *weft_shards_types_read(const WeftShards *shards)
{
	if (shards->ggml)
		return WEFT_GGML_FILES_THAT_WORK;
	return shards->set ? WEFT_GGUF_FILES_THAT_WORK : "F32, BF16, F16 and F8_E4M3 are read";
}

gsize weft_shards_n_tensors(const WeftShards *shards)
{
	return shards->entries->len;
}

const WeftTensorEntry *weft_shards_at(const WeftShards *shards, gsize i)
{
	return i < shards->entries->len ? g_ptr_array_index(shards->entries, i) : NULL;
}

const WeftTensorEntry *weft_shards_find(const WeftShards *shards, const char *name)
{
	return g_hash_table_lookup(shards->by_name, weft_shards_plain_name(name));
}
