#include "bundle/gguf_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"

#define SUFFIX ".gguf"
#define FILES_MAX 100000 /* names in a folder */
#define NUMBER_DIGITS 5
#define PART_FORMAT "%s-%05u-of-%05u" SUFFIX

/* What a file's name says of its place in a split model. */
typedef struct Part {
	char *prefix;
	guint number, count; /* 1 of 1: not split */
} Part;

static void part_clear(Part *part)
{
	g_free(part->prefix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Part, part_clear)

/* Hidden ones are not meant: some systems leave them beside a copied file. */
static gboolean is_gguf_name(const char *name)
{
	return name[0] != '.' && g_str_has_suffix(name, SUFFIX);
}

static gboolean read_number(const char *text, guint *ret_number)
{
	guint number = 0;
	for (int i = 0; i < NUMBER_DIGITS; i++) {
		if (!g_ascii_isdigit(text[i]))
			return FALSE;
		number = number * 10 + (guint)(text[i] - '0');
	}
	*ret_number = number;
	return TRUE;
}

/* "PREFIX-00001-of-00003.gguf", or "PREFIX.gguf". */
static Part part_of_name(const char *name)
{
	gsize length = strlen(name) - strlen(SUFFIX);
	const gsize tail = 1 + NUMBER_DIGITS + 4 + NUMBER_DIGITS; /* "-00001-of-00003" */
	Part part = {NULL, 1, 1};

	if (length > tail && name[length - tail] == '-' &&
	    strncmp(name + length - NUMBER_DIGITS - 4, "-of-", 4) == 0 &&
	    read_number(name + length - tail + 1, &part.number) &&
	    read_number(name + length - NUMBER_DIGITS, &part.count) && part.number >= 1 &&
	    part.number <= part.count) {
		part.prefix = g_strndup(name, length - tail);
		return part;
	}
	part = (Part){g_strndup(name, length), 1, 1};
	return part;
}

static gboolean has_safetensors(const char *folder)
{
	g_autofree char *config = g_build_filename(folder, "config.json", NULL);
	g_autofree char *single = g_build_filename(folder, "model.safetensors", NULL);
	g_autofree char *index = g_strconcat(single, ".index.json", NULL);
	return g_file_test(config, G_FILE_TEST_EXISTS) &&
	       (g_file_test(single, G_FILE_TEST_EXISTS) || g_file_test(index, G_FILE_TEST_EXISTS));
}

/* Names in a folder that end as GGUF files do; empty when it can't be read. */
static GPtrArray *gguf_names(const char *folder)
{
	GPtrArray *names = weft_folder_names(folder, FILES_MAX, NULL);
	if (!names)
		return g_ptr_array_new_with_free_func(g_free);
	for (guint i = names->len; i > 0; i--) {
		if (!is_gguf_name(g_ptr_array_index(names, i - 1)))
			g_ptr_array_remove_index(names, i - 1);
	}
	return names;
}

gboolean weft_gguf_set_is_at(const char *path)
{
	g_autoptr(GPtrArray) names = NULL;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		return g_str_has_suffix(path, SUFFIX);
	if (has_safetensors(path))
		return FALSE;
	names = gguf_names(path);
	return names->len > 0;
}

/* ---- what a file is ---- */

static gboolean is_vision(const WeftGguf *gguf)
{
	return weft_gguf_is(weft_gguf_value(gguf, "general.architecture"), "clip") ||
	       weft_gguf_is(weft_gguf_value(gguf, "general.type"), "mmproj");
}

static char *text_of(const WeftGguf *gguf, const char *key)
{
	gsize size_bytes;
	const char *text = weft_gguf_text(weft_gguf_value(gguf, key), &size_bytes);
	g_autofree char *raw = text ? g_strndup(text, size_bytes) : NULL;
	return raw ? weft_path_display(raw) : NULL;
}

static gboolean read_architecture(WeftGgufSet *set, GError **error)
{
	const WeftGguf *head = weft_gguf_set_head(set);
	const WeftGgufValue *value = weft_gguf_value(head, "general.architecture");
	const char *file = weft_gguf_file(head);
	const char *problem = NULL;
	g_autofree char *name = text_of(head, "general.architecture");

	if (weft_gguf_is(weft_gguf_value(head, "general.type"), "adapter"))
		problem = "an adapter; name the model's file";
	else if (is_vision(head))
		problem = "the vision part of a model; name the model's file";
	if (problem) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: is %s", file, problem);
		return FALSE;
	}
	if (weft_gguf_is(value, "llama4"))
		set->architecture = WEFT_GGUF_LLAMA4;
	else if (weft_gguf_is(value, "llama"))
		set->architecture = WEFT_GGUF_LLAMA;
	else {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: general.architecture is \"%s\"; llama4 and llama are read", file,
			    name ? name : "");
		return FALSE;
	}
	return TRUE;
}

/* ---- parts ---- */

static gboolean check_part(const WeftGguf *gguf, guint number, guint count, guint64 n_tensors,
			   GError **error)
{
	const struct {
		const char *key;
		guint64 want;
	} keys[] = {
		{"split.no", number - 1}, {"split.count", count}, {"split.tensors.count", n_tensors}};
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		guint64 have;
		if (!weft_gguf_uint(weft_gguf_value(gguf, keys[i].key), &have)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: %s is missing, so it is no part of a split model",
				    weft_gguf_file(gguf), keys[i].key);
			return FALSE;
		}
		if (have != keys[i].want) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: %s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT
				    ": a part of another model",
				    weft_gguf_file(gguf), keys[i].key, have, keys[i].want);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean check_count(const WeftGgufSet *set, guint64 n_tensors, GError **error)
{
	guint64 n_found = 0;
	for (guint i = 0; i < set->parts->len; i++)
		n_found += weft_gguf_tensors(g_ptr_array_index(set->parts, i))->len;
	if (n_found == n_tensors)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "%s: %" G_GUINT64_FORMAT " tensors in %u parts, but split.tensors.count is %"
		    G_GUINT64_FORMAT, set->name, n_found, set->parts->len, n_tensors);
	return FALSE;
}

static gboolean open_part(WeftGgufSet *set, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(set->folder, name, NULL);
	WeftGguf *gguf = weft_gguf_open(path, error);
	if (gguf)
		g_ptr_array_add(set->parts, gguf);
	return gguf != NULL;
}

static gboolean open_parts(WeftGgufSet *set, const char *name, GError **error)
{
	g_auto(Part) part = part_of_name(name);
	guint64 n_tensors = 0, count;

	set->name = g_strdup(part.prefix);
	if (part.count == 1 && part.number == 1) {
		if (!open_part(set, name, error))
			return FALSE;
		if (!weft_gguf_uint(weft_gguf_value(weft_gguf_set_head(set), "split.count"), &count) ||
		    count <= 1)
			return TRUE;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: one of %" G_GUINT64_FORMAT " parts, but its name is not that of a "
			    "part: " PART_FORMAT, name, count, "MODEL", 1, (guint)MIN(count, 99999));
		return FALSE;
	}
	for (guint i = 1; i <= part.count; i++) {
		g_autofree char *other = g_strdup_printf(PART_FORMAT, part.prefix, i, part.count);
		g_autofree char *path = g_build_filename(set->folder, other, NULL);
		if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: part %u of %u is missing", other, i, part.count);
			return FALSE;
		}
		if (!open_part(set, other, error))
			return FALSE;
		const WeftGguf *last = g_ptr_array_index(set->parts, i - 1);
		if (i == 1)
			(void)weft_gguf_uint(weft_gguf_value(last, "split.tensors.count"),
					     &n_tensors); /* check_part says that it is missing */
		if (!check_part(last, i, part.count, n_tensors, error))
			return FALSE;
	}
	return check_count(set, n_tensors, error);
}

/* ---- folders ---- */

/* Adds `name` to those that a message lists. */
static void add_name(GString *names, const char *name)
{
	g_autofree char *shown = weft_path_display(name);
	g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", shown);
}

/* The one model of a folder: its first part's name. */
static char *find_model(const char *folder, GError **error)
{
	g_autoptr(GPtrArray) names = gguf_names(folder);
	g_autoptr(GString) found = g_string_new(NULL);
	g_autoptr(GHashTable) prefixes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *model = NULL;
	guint n_found = 0;

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_auto(Part) part = part_of_name(name);
		g_autofree char *group = g_strdup_printf("%s/%u", part.prefix, part.count);
		/* Of a split model one part says what it is. */
		if (!g_hash_table_add(prefixes, g_steal_pointer(&group)))
			continue;
		g_autoptr(WeftGguf) gguf = weft_gguf_open(path, error);
		if (!gguf)
			return NULL;
		if (is_vision(gguf) ||
		    weft_gguf_is(weft_gguf_value(gguf, "general.type"), "adapter"))
			continue;
		add_name(found, name);
		n_found++;
		g_free(model);
		model = g_strdup(name);
	}
	if (n_found == 1)
		return g_steal_pointer(&model);
	if (n_found == 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "no model among its %u GGUF files, only vision parts or adapters",
			    names->len);
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%u models in the folder, name one of them: %s", n_found, found->str);
	return NULL;
}

/* Looks through the other files for the vision part: the one with the model's own name, as
 * `weft model quantize` writes it, or else the only one. One that can't be read is none, because which
 * model was meant is known without it; but a model must not go blind for a download that was cut. */
static gboolean find_vision(WeftGgufSet *set, GError **error)
{
	g_autoptr(GPtrArray) names = gguf_names(set->folder);
	g_autoptr(GString) found = g_string_new(NULL);
	g_autofree char *own = g_strconcat(set->name, "-mmproj", NULL);
	guint n_found = 0;

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(set->folder, name, NULL);
		g_auto(Part) part = part_of_name(name);
		if (strcmp(part.prefix, set->name) == 0)
			continue;
		gboolean must_open = set->architecture == WEFT_GGUF_LLAMA4 && strstr(name, "mmproj");
		g_autoptr(WeftGguf) gguf = weft_gguf_open(path, must_open ? error : NULL);
		if (!gguf && must_open)
			return FALSE;
		if (!gguf || !is_vision(gguf))
			continue;
		add_name(found, name);
		n_found++;
		weft_gguf_close(set->vision);
		set->vision = g_steal_pointer(&gguf);
		if (strcmp(part.prefix, own) == 0)
			return TRUE;
	}
	if (n_found <= 1)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		    "%u vision parts in the folder, leave one of them there or call one %s" SUFFIX
		    ": %s", n_found, own, found->str);
	return FALSE;
}

/* ---- names of tensors ---- */

/* A tensor of a layer that weft does not know would change what the layer computes. */
static gboolean name_tensors(const WeftGguf *gguf, WeftGgufArchitecture architecture,
			     GError **error)
{
	const GPtrArray *tensors = weft_gguf_tensors(gguf);
	for (guint i = 0; i < tensors->len; i++) {
		WeftTensorEntry *entry = g_ptr_array_index(tensors, i);
		const char *name = entry->view.name;
		entry->name_known = weft_gguf_name_read(architecture, name);
		if (entry->name_known || !g_str_has_prefix(name, "blk.") ||
		    g_str_has_suffix(name, ".attn_rot_embd.weight")) /* old files; unused */
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s is not implemented for this architecture",
			    weft_gguf_file(gguf), name);
		return FALSE;
	}
	return TRUE;
}

/* ---- the whole ---- */

WeftGgufSet *weft_gguf_set_open(const char *path, GError **error)
{
	g_autoptr(WeftGgufSet) set = g_new0(WeftGgufSet, 1);
	gboolean is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
	g_autofree char *name = NULL;

	set->parts = g_ptr_array_new_with_free_func((GDestroyNotify)weft_gguf_close);
	set->folder = is_folder ? g_strdup(path) : g_path_get_dirname(path);
	name = is_folder ? find_model(path, error) : g_path_get_basename(path);
	if (!name || !open_parts(set, name, error) || !read_architecture(set, error) ||
	    !find_vision(set, error))
		return NULL;
	for (guint i = 0; i < set->parts->len; i++) {
		if (!name_tensors(g_ptr_array_index(set->parts, i), set->architecture, error))
			return NULL;
	}
	if (set->vision && !name_tensors(set->vision, WEFT_GGUF_CLIP, error))
		return NULL;
	return g_steal_pointer(&set);
}

void weft_gguf_set_close(WeftGgufSet *set)
{
	if (!set)
		return;
	weft_gguf_close(set->vision);
	g_ptr_array_unref(set->parts);
	g_free(set->name);
	g_free(set->folder);
	g_free(set);
}

const WeftGguf *weft_gguf_set_head(const WeftGgufSet *set)
{
	return g_ptr_array_index(set->parts, 0);
}

const WeftTensorEntry *weft_gguf_set_tensor(const WeftGgufSet *set, const char *stored)
{
	const WeftTensorEntry *entry = NULL;
	for (guint i = 0; !entry && i < set->parts->len; i++)
		entry = weft_gguf_tensor(g_ptr_array_index(set->parts, i), stored);
	return entry;
}
