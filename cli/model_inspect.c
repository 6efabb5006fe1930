/* model_inspect.c - what a bundle is, from its configuration and the headers of its weights. */
#include "cli/model_inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"

typedef enum {
	GROUP_EMBEDDING,
	GROUP_ATTENTION,
	GROUP_ROUTER,
	GROUP_EXPERTS,
	GROUP_SHARED,
	GROUP_DENSE,
	GROUP_NORMS,
	GROUP_HEAD,
	GROUP_VISION,
	GROUP_PROJECTOR,
	GROUP_AUDIO,
	GROUP_SCALES,   /* these two are of the format, not parameters */
	GROUP_ROTATION,
	GROUP_OTHER,
	N_GROUPS,
} Group;

static const char *const GROUP_NAMES[N_GROUPS] = {
    "embedding", "attention", "routers", "experts",      "shared experts", "feed-forward", "norms",
    "head",      "vision",    "projector", "audio", "scales",    "rotation",
    "other"};

/* The first that stands in the name, as Hugging Face or GGUF has it, is the group. */
static const struct {
	const char *piece;
	Group group;
	gboolean at_begin;
} PIECES[] = {
    {"vision_model.", GROUP_VISION, FALSE}, {"v.", GROUP_VISION, TRUE},
    {"multi_modal_projector.", GROUP_PROJECTOR, FALSE}, {"mm.", GROUP_PROJECTOR, TRUE},
    {"audio_tower.", GROUP_AUDIO, FALSE}, {"encoder.", GROUP_AUDIO, FALSE},
    {"decoder.", GROUP_AUDIO, FALSE}, {"_scale", GROUP_SCALES, FALSE},
    {"rope_freqs.", GROUP_ROTATION, FALSE}, {"embed_tokens.", GROUP_EMBEDDING, FALSE}, {"token_embd.", GROUP_EMBEDDING, TRUE},
    {"lm_head.", GROUP_HEAD, FALSE}, {"output.", GROUP_HEAD, TRUE},
    {".router.", GROUP_ROUTER, FALSE}, {"ffn_gate_inp.", GROUP_ROUTER, FALSE},
    {"block_sparse_moe.gate.", GROUP_ROUTER, FALSE}, {".mlp.gate.", GROUP_ROUTER, FALSE},
    {".experts.", GROUP_EXPERTS, FALSE}, {"_exps.", GROUP_EXPERTS, FALSE},
    {"shared_expert.", GROUP_SHARED, FALSE}, {"_shexp.", GROUP_SHARED, FALSE},
    {"norm", GROUP_NORMS, FALSE}, {"self_attn.", GROUP_ATTENTION, FALSE},
    {"attn_", GROUP_ATTENTION, FALSE}, {"feed_forward.", GROUP_DENSE, FALSE},
    {".mlp.", GROUP_DENSE, FALSE}, {"ffn_", GROUP_DENSE, FALSE},
};

typedef struct Part {
	gsize n_tensors;
	guint64 n_parameters, size_bytes;
	guint64 type_bytes[WEFT_DTYPE_COUNT];
} Part;

static Group group_of(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(PIECES); i++) {
		const char *found = strstr(name, PIECES[i].piece);
		if (found && (!PIECES[i].at_begin || found == name))
			return PIECES[i].group;
	}
	return GROUP_OTHER;
}

static void sum_parts(const WeftBundle *bundle, Part parts[N_GROUPS])
{
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *tensor = weft_bundle_tensor_at(bundle, i);
		Part *part = &parts[group_of(tensor->name)];
		part->n_tensors++;
		part->n_parameters += weft_tensor_view_n_values(tensor);
		part->size_bytes += tensor->size_bytes;
		part->type_bytes[tensor->dtype] += tensor->size_bytes;
	}
}

/* "17.24 B", "376.08 k", "480"; `billion`: "B" for numbers, "G" for bytes. */
static char *count_text(double n, const char *billion)
{
	const struct {
		double unit;
		const char *name;
	} UNITS[] = {{1e12, "T"}, {1e9, billion}, {1e6, "M"}, {1e3, "k"}};
	for (gsize i = 0; i < G_N_ELEMENTS(UNITS); i++)
		if (n >= UNITS[i].unit)
			return g_strdup_printf("%.2f %s", n / UNITS[i].unit, UNITS[i].name);
	return g_strdup_printf("%.0f", n);
}

/* "376.08 kB" */
static char *size_text(guint64 bytes)
{
	g_autofree char *count = count_text((double)bytes, "G");
	return g_strdup_printf("%s%s", count, bytes < 1000 ? " B" : "B");
}

/* What one token touches: all of the text model but the other experts, and of a table of embeddings
 * one row, unless it is the head as well. */
static double active_parameters(const WeftTextConfig *text, const Part parts[N_GROUPS])
{
	static const Group ALL[] = {GROUP_ATTENTION, GROUP_ROUTER, GROUP_SHARED, GROUP_DENSE,
	                            GROUP_NORMS,     GROUP_HEAD,   GROUP_OTHER};
	double n = text->tie_embeddings ? (double)parts[GROUP_EMBEDDING].n_parameters : 0;
	for (gsize i = 0; i < G_N_ELEMENTS(ALL); i++)
		n += (double)parts[ALL[i]].n_parameters;
	if (text->n_experts)
		n += (double)parts[GROUP_EXPERTS].n_parameters * (double)text->n_experts_active /
		     (double)text->n_experts;
	return n;
}

static void print_text(const WeftTextConfig *text)
{
	gsize n_moe = 0, n_chunked = 0, n_without_rope = 0;
	for (gsize i = 0; i < text->n_layers; i++) {
		n_moe += text->layers[i].is_moe ? 1 : 0;
		n_chunked += text->layers[i].is_chunked ? 1 : 0;
		n_without_rope += text->layers[i].has_rope ? 0 : 1;
	}
	printf("  layers       %zu, width %zu, %zu heads of %zu (%zu for keys and values)\n",
	       text->n_layers, text->width, text->n_heads, text->head_dim, text->n_kv_heads);
	if (n_moe)
		printf("  experts      %zu in %zu of the layers, %zu for each token\n", text->n_experts,
		       n_moe, text->n_experts_active);
	else
		printf("  experts      none: dense, feed-forward of %zu\n", text->ffn_dense);
	printf("  context      %zu tokens", text->context_max);
	if (n_chunked)
		printf("; chunks of %zu in %zu layers", text->chunk_size, n_chunked);
	if (n_without_rope)
		printf("; no rotation in %zu", n_without_rope);
	printf("\n  vocabulary   %zu%s\n", text->n_vocab,
	       text->tie_embeddings ? ", the head is the embedding" : "");
}

static void print_senses(const WeftBundle *bundle)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	const WeftBundle *audio = weft_bundle_audio(bundle);
	if (config->has_vision)
		printf("  vision       %zu layers, width %zu, tiles of %zu pixels, at most %zu\n",
		       config->vision.n_layers, config->vision.width, config->vision.image_size,
		       config->preprocessor.tiles_max);
	else
		printf("  vision       none\n");
	if (audio)
		printf("  audio        Whisper, %zu layers, width %zu, %zu mel bins%s%s\n",
		       weft_bundle_config(audio)->audio.n_layers,
		       weft_bundle_config(audio)->audio.width, weft_bundle_config(audio)->audio.n_bins,
		       weft_bundle_config(audio)->audio.has_decoder ? ", with decoder" : "",
		       weft_bundle_projector(bundle) ? ", with projector" : "");
	else
		printf("  audio        none\n");
}

static void print_prompt(const WeftBundle *bundle)
{
	const WeftTokenizer *tokenizer = weft_bundle_tokenizer(bundle);
	if (!tokenizer) {
		printf("  tokenizer    none: the bundle can't answer\n");
		return;
	}
	g_autofree char *shown = weft_path_display(weft_tokenizer_name(tokenizer));
	const char *reason = weft_template_reason(weft_bundle_template(bundle));
	printf("  tokenizer    %s, %zu ids\n  turns        %s%s%s%s\n", shown,
	       weft_tokenizer_size(tokenizer), weft_template_family(weft_bundle_template(bundle)),
	       reason ? " (" : "", reason ? reason : "", reason ? ")" : "");
}

static void print_parts(const Part parts[N_GROUPS])
{
	printf("\n  %-15s %8s %12s %11s  %s\n", "group", "tensors", "parameters", "bytes", "stored as");
	for (gsize g = 0; g < N_GROUPS; g++) {
		const Part *part = &parts[g];
		g_autofree char *count = count_text((double)part->n_parameters, "B");
		g_autofree char *size = size_text(part->size_bytes);
		g_autoptr(GString) types = g_string_new(NULL);
		gsize n_types = 0;
		for (gsize t = 0; t < WEFT_DTYPE_COUNT; t++)
			n_types += part->type_bytes[t] ? 1 : 0;
		for (gsize t = 0; t < WEFT_DTYPE_COUNT; t++) {
			g_autofree char *of_type = size_text(part->type_bytes[t]);
			if (part->type_bytes[t])
				g_string_append_printf(types, "%s%s%s%s", types->len ? ", " : "",
				                       weft_dtype_name((WeftDtype)t),
				                       n_types > 1 ? " " : "", n_types > 1 ? of_type : "");
		}
		if (part->n_tensors)
			printf("  %-15s %8zu %12s %11s  %s\n", GROUP_NAMES[g], part->n_tensors, count,
			       size, types->str);
	}
}

static void print_facts(const WeftBundle *bundle, const char *path)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	Part parts[N_GROUPS] = {0};
	guint64 n_parameters = 0;

	sum_parts(bundle, parts);
	for (gsize g = 0; g < N_GROUPS; g++)
		if (g != GROUP_SCALES && g != GROUP_ROTATION)
			n_parameters += parts[g].n_parameters;
	g_autofree char *total = count_text((double)n_parameters, "B");
	g_autofree char *size = size_text(weft_bundle_size_bytes(bundle));
	g_autofree char *shown = weft_path_display(path);
	g_autofree char *name = weft_path_display(weft_bundle_name(bundle));
	printf("model %s\n  name         %s\n  id           %s\n  family       %s\n", shown, name,
	       weft_bundle_id(bundle), config->model_type);
	printf("  parameters   %s (%" G_GUINT64_FORMAT ")", total, n_parameters);
	if (config->has_text) {
		double n_active = active_parameters(&config->text, parts);
		g_autofree char *active = count_text(n_active, "B");
		printf(", %s (%.0f) for each token of text", active, n_active);
	}
	printf("\n  weights      %s in %zu tensors\n", size, weft_bundle_n_tensors(bundle));
	if (config->has_text)
		print_text(&config->text);
	print_senses(bundle);
	print_prompt(bundle);
	print_parts(parts);
}

typedef struct Options {
	gboolean verifies, routes;
	char *picture;
	char **names; /* the bundle, then documents */
} Options;

static void options_clear(Options *options)
{
	g_free(options->picture);
	g_strfreev(options->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean parse(Options *options, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
	    {"verify", 0, 0, G_OPTION_ARG_NONE, &options->verifies,
	     "read all weights: NaN and infinities, SHA-256 of each file", NULL},
	    {"routing", 0, 0, G_OPTION_ARG_NONE, &options->routes,
	     "which experts the documents (or a few prompts that are built in) choose", NULL},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->picture,
	     "with --routing: draw it, documents by experts", "FILE.svg"},
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->names, NULL,
	     "BUNDLE [PATH...]"},
	    G_OPTION_ENTRY_NULL};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_set_prgname("weft model inspect"); /* for its usage line */
	g_option_context_set_summary(context, "Says what a bundle is, without running it.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	const char *wrong = NULL;
	if (!options->names)
		wrong = "inspect takes a bundle";
	else if (!options->routes && options->names[1])
		wrong = "documents are for --routing";
	else if (!options->routes && options->picture)
		wrong = "-o is for --routing";
	if (wrong)
		g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_USAGE, wrong);
	return wrong == NULL;
}

static int verify(const WeftBundle *bundle, const char *path)
{
	GError *error = NULL;
	guint64 n_bad = 0;
	if (!weft_model_verify(bundle, path, &n_bad, &error))
		return weft_cmd_fail("model", &error, WEFT_EXIT_NOT_STARTED);
	return n_bad ? WEFT_EXIT_SOME_FAILED : WEFT_EXIT_DONE;
}

int weft_model_inspect(const WeftPlaces *places, int argc, char **argv)
{
	g_auto(Options) options = {0};
	GError *error = NULL;
	int code = WEFT_EXIT_DONE;

	if (!parse(&options, argc, argv, &error))
		return weft_cmd_fail("model", &error, WEFT_EXIT_USAGE);
	const char *path = options.names[0];
	g_autoptr(WeftBundle) bundle = weft_bundle_open(path, &error);
	if (!bundle)
		return weft_cmd_fail("model", &error, WEFT_EXIT_NOT_STARTED);
	print_facts(bundle, path);
	if (options.verifies)
		code = verify(bundle, path);
	if (!options.routes || code != WEFT_EXIT_DONE)
		return code;
	const WeftRoutingJob job = {places, bundle, path, options.names + 1};
	g_autofree char *picture = NULL;
	if (!weft_model_routing(&job, &picture, &error))
		return weft_cmd_fail("model", &error, WEFT_EXIT_NOT_STARTED);
	if (options.picture &&
	    !weft_file_write(options.picture, picture, strlen(picture), &error))
		return weft_cmd_fail("model", &error, WEFT_EXIT_OUTPUT);
	return WEFT_EXIT_DONE;
}
