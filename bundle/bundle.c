#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/gguf_config.h"
#include "bundle/gguf_set.h"
#include "bundle/shards.h"
#include "bundle/tokenizer_private.h"

#define CONFIG_BYTES_MAX ((gsize)16 << 20)

struct WeftBundle {
	char *name;
	WeftConfig *config;
	WeftTokenizer *tokenizer; /* NULL: none */
	WeftTemplate *template;   /* with the tokenizer */
	WeftShards *shards;
	GPtrArray *views;         /* const WeftTensorView, by name, without unread types */
	char *own_id;             /* of this folder alone */
	char *id;                 /* with the audio part's */
	WeftBundle *audio;        /* owned; NULL: none */
	WeftBundle *projector;    /* owned; NULL: none, or `audio` is it */
};

static WeftBundle *open_folder(const char *path, GError **error);

static void identify(GChecksum *checksum, const char *name, gconstpointer data, gsize size_bytes)
{
	g_autofree char *line = g_strdup_printf("%s %zu\n", name, size_bytes);
	g_checksum_update(checksum, (const guchar *)line, -1);
	g_checksum_update(checksum, data, (gssize)size_bytes);
}

/* A file of the folder; *ret_text stays NULL when there is none. */
static gboolean read_optional(const char *path, const char *name, GChecksum *checksum,
			      char **ret_text, gsize *ret_size_bytes, GError **error)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	if (!g_file_test(file, G_FILE_TEST_EXISTS))
		return TRUE;
	if (!weft_file_read(file, CONFIG_BYTES_MAX, ret_text, ret_size_bytes, error))
		return FALSE;
	identify(checksum, name, *ret_text, *ret_size_bytes);
	return TRUE;
}

/* `set`: of a GGUF model, over whose own words config.json goes; NULL: it is all there is. */
static gboolean open_config(WeftBundle *bundle, const char *path, const WeftGgufSet *set,
			    GChecksum *checksum, GError **error)
{
	g_autofree char *file = g_build_filename(path, "config.json", NULL);
	g_autofree char *text = NULL;
	g_autofree char *processor = NULL;
	g_autofree char *generation = NULL;
	gsize size_bytes = 0, processor_size_bytes = 0, generation_size_bytes = 0;

	if (!set && !g_file_test(file, G_FILE_TEST_EXISTS)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
			    "%s: %s; a bundle is a folder with config.json and safetensors, or a GGUF file",
			    path, g_file_test(path, G_FILE_TEST_EXISTS) ? "no config.json" : "is not there");
		return FALSE;
	}
	if (!read_optional(path, "config.json", checksum, &text, &size_bytes, error))
		return FALSE;
	if (!read_optional(path, "preprocessor_config.json", checksum, &processor,
			   &processor_size_bytes, error) ||
	    (!processor && !read_optional(path, "processor_config.json", checksum, &processor,
					  &processor_size_bytes, error)))
		return FALSE;
	bundle->config = set ? weft_gguf_config_new(set, text, size_bytes, processor,
						    processor_size_bytes, error) :
			       weft_config_new("config.json", text, size_bytes, processor,
					       processor_size_bytes, error);
	if (!bundle->config || !read_optional(path, "generation_config.json", checksum, &generation,
					      &generation_size_bytes, error))
		return FALSE;
	return !generation ||
	       weft_config_add_generation(bundle->config, "generation_config.json", generation,
					  generation_size_bytes, error);
}

/* After the tokenizer. */
static void open_template(WeftBundle *bundle, const WeftChat *chat, GChecksum *checksum)
{
	const WeftTextConfig *text = &bundle->config->text;

	if (chat->text)
		identify(checksum, "chat_template", chat->text, strlen(chat->text));
	bundle->template = weft_template_new(bundle->tokenizer,
					     bundle->config->has_text ? text->bos_id : -1,
					     text->eos_ids, chat);
}

/* The vocabulary of a GGUF file, whose bytes are part of the weights' identity. */
static gboolean open_vocabulary(WeftBundle *bundle, const WeftGguf *head, GChecksum *checksum,
				GError **error)
{
	g_auto(WeftChat) chat = {0};

	bundle->tokenizer = weft_tokenizer_new_gguf(head, error);
	if (!bundle->tokenizer)
		return FALSE;
	weft_chat_open_gguf(&chat, head);
	open_template(bundle, &chat, checksum);
	return TRUE;
}

static gboolean open_tokenizer(WeftBundle *bundle, const char *path, GChecksum *checksum,
			       GError **error)
{
	g_autofree char *file = weft_tokenizer_file(path);
	g_autofree char *name = file ? g_path_get_basename(file) : NULL;
	g_autoptr(WeftMap) map = NULL;
	g_auto(WeftChat) chat = {0};

	if (!file)
		return TRUE;
	map = weft_map_open(file, error);
	if (!map)
		return FALSE;
	bundle->tokenizer =
		weft_tokenizer_new(name, (const char *)map->data, map->size_bytes, error);
	if (!bundle->tokenizer || !weft_chat_open(&chat, path, error))
		return FALSE;
	identify(checksum, name, map->data, map->size_bytes);
	open_template(bundle, &chat, checksum);
	return TRUE;
}

/* Ids that the model has no embedding for would be read out of bounds. */
static gboolean check_tokenizer(const WeftBundle *bundle, GError **error)
{
	const WeftConfig *config = bundle->config;
	if (!bundle->tokenizer || !config->has_text ||
	    weft_tokenizer_size(bundle->tokenizer) <= config->text.n_vocab)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		    "tokenizer: ids up to %zu, but vocab_size of config.json is %zu",
		    weft_tokenizer_size(bundle->tokenizer) - 1, config->text.n_vocab);
	return FALSE;
}

static void list_views(WeftBundle *bundle)
{
	bundle->views = g_ptr_array_new();
	for (gsize i = 0; i < weft_shards_n_tensors(bundle->shards); i++) {
		const WeftTensorEntry *entry = weft_shards_at(bundle->shards, i);
		if (!entry->type_unread)
			g_ptr_array_add(bundle->views, (gpointer)&entry->view);
	}
}

/* A model of whisper.cpp: one file that has everything. */
static WeftBundle *open_ggml(const char *path, GError **error)
{
	g_autoptr(WeftBundle) bundle = g_new0(WeftBundle, 1);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(WeftGgml) ggml = weft_ggml_open(path, error);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *config = ggml ? weft_ggml_config(ggml) : NULL;

	if (!ggml)
		return NULL;
	if (g_str_has_suffix(name, ".bin"))
		name[strlen(name) - strlen(".bin")] = '\0';
	bundle->name = weft_path_display(name);
	bundle->config = weft_config_new(weft_ggml_file(ggml), config, strlen(config), NULL, 0,
					 error);
	if (!bundle->config)
		return NULL;
	bundle->tokenizer = weft_tokenizer_new_ggml(ggml, error);
	if (!bundle->tokenizer)
		return NULL;
	open_template(bundle, &(WeftChat){0}, checksum);
	bundle->shards = weft_shards_new_ggml(g_steal_pointer(&ggml), checksum, error);
	if (!bundle->shards)
		return NULL;
	list_views(bundle);
	bundle->own_id = g_strdup(g_checksum_get_string(checksum));
	return g_steal_pointer(&bundle);
}

static char *name_of_folder(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	return g_path_get_basename(absolute);
}

/* A file under another name than GGUF files have: one of a folder's, or GGUF in someone's store. */
static gboolean check_path(const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR) || !g_file_test(path, G_FILE_TEST_EXISTS) ||
	    g_str_has_suffix(path, ".gguf"))
		return TRUE;
	g_autofree char *shown = weft_path_display(path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		    "%s: a file; name the folder it lies in (for GGUF under another name: a link to it "
		    "that ends in .gguf)", shown);
	return FALSE;
}

static WeftBundle *open_folder(const char *path, GError **error)
{
	g_autoptr(WeftBundle) bundle = g_new0(WeftBundle, 1);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(WeftGgufSet) set = NULL;
	g_autofree char *folder = NULL;
	g_autofree char *name = NULL;

	if (weft_ggml_is_at(path))
		return open_ggml(path, error);
	if (!check_path(path, error))
		return NULL;
	if (weft_gguf_set_is_at(path)) {
		set = weft_gguf_set_open(path, error);
		if (!set)
			return NULL;
	}
	folder = g_strdup(set ? set->folder : path);
	name = set ? g_strdup(set->name) : name_of_folder(path);
	if (!open_config(bundle, folder, set, checksum, error) ||
	    !(weft_tokenizer_is_in(set) ?
		      open_vocabulary(bundle, weft_gguf_set_head(set), checksum, error) :
		      open_tokenizer(bundle, folder, checksum, error)) ||
	    !check_tokenizer(bundle, error))
		return NULL;
	bundle->shards = set ? weft_shards_new_gguf(g_steal_pointer(&set), checksum, error) :
			       weft_shards_open(folder, checksum, error);
	if (!bundle->shards)
		return NULL;
	list_views(bundle);
	bundle->name = weft_path_display(bundle->config->traits.name ? bundle->config->traits.name : name);
	bundle->own_id = g_strdup(g_checksum_get_string(checksum));
	return g_steal_pointer(&bundle);
}

static void update_id(WeftBundle *bundle)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_free(bundle->id);
	if (!bundle->audio) {
		bundle->id = g_strdup(bundle->own_id);
		return;
	}
	identify(checksum, "bundle", bundle->own_id, strlen(bundle->own_id));
	identify(checksum, "audio", bundle->audio->own_id, strlen(bundle->audio->own_id));
	if (bundle->projector)
		identify(checksum, "projector", bundle->projector->own_id,
			 strlen(bundle->projector->own_id));
	bundle->id = g_strdup(g_checksum_get_string(checksum));
}

static WeftBundle *open_audio(const char *path, gboolean must_project, GError **error)
{
	g_autoptr(WeftBundle) bundle = open_folder(path, error);
	g_autofree char *shown = weft_path_display(path);
	if (!bundle) {
		/* Most messages name a file of it already. */
		if (error && !g_str_has_prefix((*error)->message, shown))
			g_prefix_error(error, "%s: ", shown);
		return NULL;
	}
	if (!bundle->config->has_audio ||
	    (must_project && bundle->config->audio.stack_factor == 0)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: config.json: model_type: \"%s\"; %s folder is expected here",
			    shown, bundle->config->model_type,
			    must_project ? "an ultravox" : "a whisper or ultravox");
		return NULL;
	}
	return g_steal_pointer(&bundle);
}

gboolean weft_bundle_attach_audio(WeftBundle *bundle, const char *path, GError **error)
{
	g_autofree char *inner = g_build_filename(path, "projector", NULL);
	g_autoptr(WeftBundle) audio = open_audio(path, FALSE, error);
	g_autoptr(WeftBundle) projector = NULL;

	if (!audio)
		return FALSE;
	if (audio->config->audio.stack_factor == 0 && g_file_test(inner, G_FILE_TEST_IS_DIR)) {
		projector = open_audio(inner, TRUE, error);
		if (!projector)
			return FALSE;
	}
	weft_bundle_close(bundle->audio);
	weft_bundle_close(bundle->projector);
	bundle->audio = g_steal_pointer(&audio);
	bundle->projector = g_steal_pointer(&projector);
	update_id(bundle);
	return TRUE;
}

WeftBundle *weft_bundle_open(const char *path, GError **error)
{
	g_autoptr(WeftBundle) bundle = open_folder(path, error);
	g_autofree char *folder =
		g_str_has_suffix(path, ".gguf") && !g_file_test(path, G_FILE_TEST_IS_DIR) ?
			g_path_get_dirname(path) :
			g_strdup(path);
	g_autofree char *audio = g_build_filename(folder, "audio", NULL);

	if (!bundle)
		return NULL;
	update_id(bundle);
	if (bundle->config->has_text && g_file_test(audio, G_FILE_TEST_IS_DIR) &&
	    !weft_bundle_attach_audio(bundle, audio, error))
		return NULL;
	return g_steal_pointer(&bundle);
}

void weft_bundle_close(WeftBundle *bundle)
{
	if (!bundle)
		return;
	weft_bundle_close(bundle->audio);
	weft_bundle_close(bundle->projector);
	g_clear_pointer(&bundle->views, g_ptr_array_unref);
	weft_shards_close(bundle->shards);
	weft_template_free(bundle->template);
	weft_tokenizer_free(bundle->tokenizer);
	weft_config_free(bundle->config);
	g_free(bundle->own_id);
	g_free(bundle->id);
	g_free(bundle->name);
	g_free(bundle);
}

const WeftConfig *weft_bundle_config(const WeftBundle *bundle)
{
	return bundle->config;
}

const char *weft_bundle_name(const WeftBundle *bundle)
{
	return bundle->name;
}

const char *weft_bundle_id(const WeftBundle *bundle)
{
	return bundle->id ? bundle->id : bundle->own_id;
}

const WeftTokenizer *weft_bundle_tokenizer(const WeftBundle *bundle)
{
	return bundle->tokenizer;
}

const WeftTemplate *weft_bundle_template(const WeftBundle *bundle)
{
	return bundle->template;
}

guint64 weft_bundle_size_bytes(const WeftBundle *bundle)
{
	return weft_shards_size_bytes(bundle->shards);
}

gsize weft_tensor_view_n_values(const WeftTensorView *view)
{
	gsize n = 1;
	for (gsize i = 0; i < view->n_dims; i++)
		n *= view->shape[i];
	return n;
}

gsize weft_bundle_n_tensors(const WeftBundle *bundle)
{
	return bundle->views->len;
}

const WeftTensorView *weft_bundle_tensor_at(const WeftBundle *bundle, gsize i)
{
	return i < bundle->views->len ? g_ptr_array_index(bundle->views, i) : NULL;
}

const WeftTensorView *weft_bundle_find(const WeftBundle *bundle, const char *name)
{
	const WeftTensorEntry *entry = weft_shards_find(bundle->shards, name);
	return entry && !entry->type_unread ? &entry->view : NULL;
}

static void add_shape(GString *text, gsize n_dims, const gsize *shape)
{
	g_string_append_c(text, '[');
	for (gsize i = 0; i < n_dims; i++)
		g_string_append_printf(text, "%s%zu", i > 0 ? ", " : "", shape[i]);
	g_string_append_c(text, ']');
}

static gboolean has_shape(const WeftTensorView *view, gsize n_dims, const gsize *shape)
{
	return view->n_dims == n_dims &&
	       (n_dims == 0 || memcmp(view->shape, shape, n_dims * sizeof *shape) == 0);
}

const WeftTensorView *weft_bundle_tensor(const WeftBundle *bundle, const char *name, gsize n_dims,
					 const gsize *shape, GError **error)
{
	const WeftTensorEntry *entry = weft_shards_find(bundle->shards, name);

	if (!entry && weft_shards_n_files(bundle->shards) == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s is missing: there is neither model.safetensors nor "
			    "model.safetensors.index.json (.bin, .pt and .pth are not read)",
			    bundle->name, name);
		return NULL;
	}
	if (!entry) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s is missing among %zu in %zu weight files", bundle->name,
			    name, weft_shards_n_tensors(bundle->shards),
			    weft_shards_n_files(bundle->shards));
		return NULL;
	}
	if (entry->type_unread) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s has type %s; %s", entry->view.file, entry->view.name,
			    entry->type_unread, weft_shards_types_read(bundle->shards));
		return NULL;
	}
	if (!has_shape(&entry->view, n_dims, shape)) {
		g_autoptr(GString) text = g_string_new(NULL);
		add_shape(text, entry->view.n_dims, entry->view.shape);
		g_string_append(text, ", but the configuration needs ");
		add_shape(text, n_dims, shape);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s: tensor %s has shape %s",
			    entry->view.file, entry->view.name, text->str);
		return NULL;
	}
	return &entry->view;
}

const WeftBundle *weft_bundle_audio(const WeftBundle *bundle)
{
	return bundle->config->has_audio ? bundle : bundle->audio;
}

const WeftBundle *weft_bundle_projector(const WeftBundle *bundle)
{
	const WeftBundle *audio = weft_bundle_audio(bundle);
	if (bundle->projector)
		return bundle->projector;
	return audio && audio->config->audio.stack_factor > 0 ? audio : NULL;
}
