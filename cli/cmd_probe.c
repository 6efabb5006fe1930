/* cmd_probe.c - what a stage computes, as files that a reference implementation can be held to. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/npy.h"
#include "bundle/bundle.h"
#include "cli/cmd.h"
#include "cli/probe_mask.h"
#include "cli/probe_media.h"
#include "encoders/encoders.h"
#include "kernels/kernels.h"
#include "model/model.h"

#define TEXT_BYTES_MAX (1u << 30)
#define WHISPER_SAMPLES 480000u /* 30 s */

typedef struct Probe {
	WeftIngest *ingest;
	char *bundle_path, *output, *ids_path, *pixels_path;
	char **images; /* --image FILE... */
	char **files;  /* what is left */
	char *kv_type, *kv_memory;
	char *adapter_path;
	char *mel_path, *audio_path, *encoder_path; /* of whisper */
	char *schema_path;      /* of mask */
	gboolean is_rejected;   /* by mask */
	gboolean step, as_run, special, decode;
	int n_threads;
	/* opened as needed */
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftEncoders *encoders;
	WeftLora *adapter;
} Probe;

static gboolean open_bundle(Probe *probe, GError **error)
{
	probe->bundle = weft_bundle_open(probe->bundle_path, error);
	if (!probe->bundle)
		return FALSE;
	probe->kernels = weft_kernels_open(NULL, probe->n_threads, error);
	if (!probe->kernels)
		return FALSE;
	probe->encoders = weft_encoders_open(probe->bundle, probe->kernels, error);
	return probe->encoders != NULL;
}

static gboolean open_adapter(Probe *probe, GError **error)
{
	if (!probe->adapter_path)
		return TRUE;
	probe->adapter = weft_lora_open(probe->adapter_path, error);
	return probe->adapter && weft_encoders_add_adapter(probe->encoders, probe->adapter, error);
}

/* `path` "-": standard input. */
static gboolean read_text(const char *path, char **ret_text, gsize *ret_size_bytes, GError **error)
{
	if (!strcmp(path, "-"))
		return weft_fd_read(STDIN_FILENO, "stdin", TEXT_BYTES_MAX, ret_text, ret_size_bytes,
		                    error);
	return weft_file_read(path, TEXT_BYTES_MAX, ret_text, ret_size_bytes, error);
}

static gboolean read_ids(const char *path, GArray *ids, GError **error)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	if (!read_text(path, &text, &size_bytes, error))
		return FALSE;
	g_autoptr(WeftJson) json = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, error);
	if (!json) {
		g_prefix_error(error, "%s: ", path);
		return FALSE;
	}
	for (gsize i = 0; i < weft_json_length(json); i++) {
		gint64 id;
		if (!weft_json_int(weft_json_at(json, i), &id) || id < 0 || id > G_MAXINT32) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			            "%s: item %" G_GSIZE_FORMAT " is not a token id", path, i);
			return FALSE;
		}
		gint32 narrow = (gint32)id;
		g_array_append_val(ids, narrow);
	}
	if (ids->len == 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "%s: an array of at least one token id is expected", path);
	return ids->len > 0;
}

static gsize count_id(const GArray *ids, gint32 id)
{
	gsize n = 0;
	for (guint i = 0; i < ids->len; i++)
		n += g_array_index(ids, gint32, i) == id;
	return n;
}

/* Rows of the tiles in P.npy, which is (tiles, 3, side, side) and already normalised. */
static gboolean rows_of_pixels(Probe *probe, float **ret_rows, gsize *ret_n_rows, GError **error)
{
	const WeftConfig *config = weft_bundle_config(probe->bundle);
	g_autoptr(WeftNpy) pixels = weft_npy_read(probe->pixels_path, error);
	if (!pixels)
		return FALSE;
	gsize side = config->has_vision ? config->vision.image_size : 0;
	if (pixels->type != WEFT_NPY_F32 || pixels->n_dims != 4 || pixels->shape[1] != 3 ||
	    pixels->shape[2] != side || pixels->shape[3] != side) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "%s: float32 of shape (tiles, 3, %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT
		            ") is expected",
		            probe->pixels_path, side, side);
		return FALSE;
	}
	WeftTiles tiles = {.n_tiles = pixels->shape[0], .side = side, .pixels = pixels->f32};
	return weft_encoders_see(probe->encoders, &tiles, probe->adapter, ret_rows, ret_n_rows,
	                         error);
}

/* Ids as they are; each image token takes one row of the pixels. */
static gboolean sequence_with_pixels(Probe *probe, const GArray *ids, WeftSequence *sequence,
                                     GError **error)
{
	g_autofree float *rows = NULL;
	gsize n_rows = 0;
	gint32 image_id = weft_bundle_config(probe->bundle)->vision.image_id;
	if (!rows_of_pixels(probe, &rows, &n_rows, error))
		return FALSE;
	gsize n_places = count_id(ids, image_id);
	if (n_places != n_rows) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "%s has %" G_GSIZE_FORMAT
		            " image tokens (id %d), but %s gives %" G_GSIZE_FORMAT " rows",
		            probe->ids_path, n_places, image_id, probe->pixels_path, n_rows);
		return FALSE;
	}
	for (guint i = 0, row = 0; i < ids->len; i++) {
		gint32 id = g_array_index(ids, gint32, i);
		if (id == image_id)
			weft_sequence_add_rows(sequence, id, rows + sequence->width * row++, 1);
		else
			weft_sequence_add_id(sequence, id);
	}
	return TRUE;
}

/* Each <|image|> stands for one file and is expanded as the processor does. */
static gboolean sequence_with_images(Probe *probe, const GArray *ids, WeftSequence *sequence,
                                     GError **error)
{
	gint32 image_id = weft_tokenizer_id(weft_bundle_tokenizer(probe->bundle), "<|image|>");
	gsize n_places = image_id < 0 ? 0 : count_id(ids, image_id);
	gsize n_files = g_strv_length(probe->images);
	if (n_places != n_files) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "%s has %" G_GSIZE_FORMAT " <|image|> ids, but %" G_GSIZE_FORMAT
		            " files are given",
		            probe->ids_path, n_places, n_files);
		return FALSE;
	}
	for (guint i = 0, file = 0; i < ids->len; i++) {
		gint32 id = g_array_index(ids, gint32, i);
		if (id != image_id) {
			weft_sequence_add_id(sequence, id);
			continue;
		}
		g_autoptr(WeftPart) part =
		    weft_probe_picture(probe->ingest, probe->images[file++], error);
		if (!part || !weft_encoders_add_image(probe->encoders, sequence, &part->raster,
		                                      FALSE, probe->adapter, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean fill_sequence(Probe *probe, WeftSequence *sequence, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	if (!read_ids(probe->ids_path, ids, error))
		return FALSE;
	if (probe->pixels_path)
		return sequence_with_pixels(probe, ids, sequence, error);
	if (probe->images)
		return sequence_with_images(probe, ids, sequence, error);
	for (guint i = 0; i < ids->len; i++)
		weft_sequence_add_id(sequence, g_array_index(ids, gint32, i));
	return TRUE;
}

static gboolean probe_logits(Probe *probe, GError **error)
{
	if (!open_bundle(probe, error) || !open_adapter(probe, error))
		return FALSE;
	guint64 kv_memory_bytes = 0;
	if (probe->kv_memory && !weft_size_parse(probe->kv_memory, &kv_memory_bytes)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "kv-memory: '%s' is not a size like 8G", probe->kv_memory);
		return FALSE;
	}
	const WeftModelOptions options = {.kv_type = probe->kv_type,
	                                  .kv_memory_max_bytes = kv_memory_bytes};
	g_autoptr(WeftModel) model =
	    weft_model_open(probe->bundle, probe->kernels, &options, error);
	if (!model || (probe->adapter && !weft_model_add_adapter(model, probe->adapter, error)))
		return FALSE;
	g_autoptr(WeftSequence) sequence = weft_sequence_new(weft_model_width(model));
	if (!fill_sequence(probe, sequence, error))
		return FALSE;
	gsize shape[2] = {weft_sequence_length(sequence), weft_model_vocab(model)};
	g_autofree float *logits =
	    weft_alloc_array(shape[0], shape[1] * sizeof(float), 0, "logits", error);
	return logits &&
	       weft_model_logits(model, sequence, probe->adapter, probe->step, !probe->as_run,
	                         logits, error) &&
	       weft_npy_write_f32(probe->output, logits, shape, 2, error);
}

static gboolean print_decoded(const WeftTokenizer *tokenizer, const Probe *probe, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) text = g_string_new(NULL);
	if (!read_ids(probe->files[0], ids, error) ||
	    !weft_tokenizer_decode(tokenizer, (const gint32 *)(void *)ids->data, ids->len,
	                           probe->special, text, error))
		return FALSE;
	fwrite(text->str, 1, text->len, stdout);
	return TRUE;
}

static gboolean probe_tokens(Probe *probe, GError **error)
{
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_open(probe->bundle_path, error);
	if (!tokenizer)
		return FALSE;
	if (probe->decode)
		return print_decoded(tokenizer, probe, error);
	g_autofree char *text = NULL;
	gsize size_bytes;
	if (!read_text(probe->files[0], &text, &size_bytes, error))
		return FALSE;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	weft_tokenizer_encode(tokenizer, text, size_bytes, probe->special, ids);
	putchar('[');
	for (guint i = 0; i < ids->len; i++)
		printf("%s%d", i ? ", " : "", g_array_index(ids, gint32, i));
	puts("]");
	return TRUE;
}

static gboolean probe_pixels(Probe *probe, GError **error)
{
	if (!open_bundle(probe, error))
		return FALSE;
	g_autoptr(WeftPart) part = weft_probe_picture(probe->ingest, probe->files[0], error);
	WeftTiles tiles = {0};
	if (!part || !weft_encoders_tiles(probe->encoders, &part->raster, FALSE, &tiles, error))
		return FALSE;
	gsize shape[4] = {tiles.n_tiles, 3, tiles.side, tiles.side};
	gboolean ok = weft_npy_write_f32(probe->output, tiles.pixels, shape, 4, error);
	g_free(tiles.pixels);
	return ok;
}

static gboolean probe_mel(Probe *probe, GError **error)
{
	if (!open_bundle(probe, error))
		return FALSE;
	g_autoptr(GArray) samples = weft_probe_sound(probe->ingest, probe->files[0], error);
	g_autofree float *mel = NULL;
	gsize shape[2];
	return samples &&
	       weft_encoders_mel(probe->encoders, (const float *)(void *)samples->data,
	                         samples->len, &mel, &shape[0], &shape[1], error) &&
	       weft_npy_write_f32(probe->output, mel, shape, 2, error);
}

/* The first window of the sound: M.npy as it is, or the first 30 s of a recording. */
static gboolean whisper_mel(Probe *probe, float **ret_mel, gsize *ret_n_bins, gsize *ret_n_frames,
                            GError **error)
{
	if (probe->mel_path) {
		g_autoptr(WeftNpy) npy = weft_npy_read(probe->mel_path, error);
		if (!npy)
			return FALSE;
		if (npy->type != WEFT_NPY_F32 || npy->n_dims != 2) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			            "%s: float32 of shape (bins, frames) is expected",
			            probe->mel_path);
			return FALSE;
		}
		*ret_n_bins = npy->shape[0];
		*ret_n_frames = npy->shape[1];
		*ret_mel = g_memdup2(npy->f32, npy->shape[0] * npy->shape[1] * sizeof(float));
		return TRUE;
	}
	g_autoptr(GArray) samples = weft_probe_sound(probe->ingest, probe->audio_path, error);
	return samples &&
	       weft_encoders_mel(probe->encoders, (const float *)(void *)samples->data,
	                         MIN(samples->len, WHISPER_SAMPLES), ret_mel, ret_n_bins,
	                         ret_n_frames, error);
}

static gboolean whisper_logits(Probe *probe, const float *rows, gsize n_rows, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autofree float *logits = NULL;
	gsize shape[2];
	if (!read_ids(probe->ids_path, ids, error))
		return FALSE;
	shape[0] = ids->len;
	const WeftWhisperText text = {rows, n_rows, (const guint32 *)(void *)ids->data, ids->len,
	                              probe->step};
	return weft_encoders_whisper_logits(probe->encoders, &text, &logits, &shape[1], error) &&
	       weft_npy_write_f32(probe->output, logits, shape, 2, error);
}

static gboolean probe_whisper(Probe *probe, GError **error)
{
	g_autofree float *mel = NULL;
	g_autofree float *rows = NULL;
	gsize n_bins = 0, n_frames = 0, shape[2];
	if (!probe->mel_path == !probe->audio_path || !probe->encoder_path ||
	    !probe->ids_path != !probe->output) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "one of --mel and --audio, and --encoder are needed; --ids and -o go "
		            "together");
		return FALSE;
	}
	return open_bundle(probe, error) && whisper_mel(probe, &mel, &n_bins, &n_frames, error) &&
	       weft_encoders_whisper(probe->encoders, mel, n_bins, n_frames, &rows, &shape[0],
	                             &shape[1], error) &&
	       weft_npy_write_f32(probe->encoder_path, rows, shape, 2, error) &&
	       (!probe->ids_path || whisper_logits(probe, rows, shape[0], error));
}

static gboolean probe_mask(Probe *probe, GError **error)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	gboolean accepts;
	if (!probe->schema_path) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "mask: -s SCHEMA.json is missing");
		return FALSE;
	}
	if (!read_text(probe->files[0], &text, &size_bytes, error) ||
	    !weft_probe_mask(probe->bundle_path, probe->schema_path, text, size_bytes, &accepts, error))
		return FALSE;
	probe->is_rejected = !accepts;
	return TRUE;
}

typedef struct ProbeKind {
	const char *name, *usage;
	gboolean (*run)(Probe *probe, GError **error);
	gboolean needs_output, needs_ids, decodes;
	guint n_files;
} ProbeKind;

static const ProbeKind KINDS[] = {
    {"logits",
     "-m BUNDLE [--adapter DIR] --ids IDS.json [--pixels P.npy | --image FILE...] [--step] [--as-run "
     "[--kv-type TYPE]] [--kv-memory SIZE] [-j N] -o LOGITS.npy",
     probe_logits, TRUE, TRUE, FALSE, 0},
    {"tokens", "-m BUNDLE [--special] [--decode] (FILE|-)", probe_tokens, FALSE, FALSE, FALSE, 1},
    {"mask", "-m BUNDLE -s SCHEMA.json (FILE|-)", probe_mask, FALSE, FALSE, FALSE, 1},
    {"pixels", "-m BUNDLE FILE -o P.npy", probe_pixels, TRUE, FALSE, TRUE, 1},
    {"mel", "-m BUNDLE FILE -o M.npy", probe_mel, TRUE, FALSE, TRUE, 1},
    {"whisper", "-m BUNDLE (--mel M.npy | --audio FILE) [--ids IDS.json [--step]] --encoder E.npy "
     "[-o LOGITS.npy]",
     probe_whisper, FALSE, FALSE, FALSE, 0},
};

static void print_usage(FILE *to)
{
	fputs("Usage:\n", to);
	for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
		fprintf(to, "  weft probe %-7s %s\n", KINDS[i].name, KINDS[i].usage);
	fputs("Files are NumPy's .npy, float32. Exact f32 arithmetic unless --as-run.\n", to);
}

static gboolean check_arguments(const ProbeKind *kind, Probe *probe, GError **error)
{
	guint n_files = probe->files ? g_strv_length(probe->files) : 0;
	const char *missing = !probe->bundle_path                    ? "-m BUNDLE"
	                      : kind->needs_output && !probe->output ? "-o FILE"
	                      : kind->needs_ids && !probe->ids_path  ? "--ids IDS.json"
	                      : n_files < kind->n_files              ? "FILE"
	                                                             : NULL;
	if (missing)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s is missing", missing);
	else if (n_files > kind->n_files)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "\"%s\" is one argument too many",
		            probe->files[kind->n_files]);
	else if (probe->pixels_path && probe->images)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "--pixels and --image can't be given together");
	else
		return TRUE;
	return FALSE;
}

/* GOption knows no "--image FILE FILE": files after --image are left over, and belong to it. */
static void adopt_images(Probe *probe)
{
	if (!probe->images || !probe->files)
		return;
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	g_strv_builder_addv(all, (const char **)probe->images);
	g_strv_builder_addv(all, (const char **)probe->files);
	g_strfreev(probe->images);
	g_clear_pointer(&probe->files, g_strfreev);
	probe->images = g_strv_builder_end(all);
}

static gboolean parse(Probe *probe, const ProbeKind *kind, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
	    {"model", 'm', 0, G_OPTION_ARG_FILENAME, &probe->bundle_path,
	     "a folder as Hugging Face publishes it, a GGUF file, or a Whisper of whisper.cpp", "BUNDLE"},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &probe->output, "where to write", "FILE"},
	    {"ids", 0, 0, G_OPTION_ARG_FILENAME, &probe->ids_path,
	     "logits, whisper: token ids, used as they are", "IDS.json"},
	    {"pixels", 0, 0, G_OPTION_ARG_FILENAME, &probe->pixels_path,
	     "logits: normalised tiles for the image tokens", "P.npy"},
	    {"image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &probe->images,
	     "logits: a picture for each <|image|>", "FILE..."},
	    {"adapter", 0, 0, G_OPTION_ARG_FILENAME, &probe->adapter_path,
	     "logits: a LoRA adapter in PEFT's format", "DIR"},
	    {"step", 0, 0, G_OPTION_ARG_NONE, &probe->step, "logits, whisper: token by token", NULL},
	    {"as-run", 0, 0, G_OPTION_ARG_NONE, &probe->as_run, "logits: the kernels of run", NULL},
	    {"kv-type", 0, 0, G_OPTION_ARG_FILENAME, &probe->kv_type,
	     "logits --as-run: keys and values as f32, bf16, q8_0 or q4", "TYPE"},
	    {"kv-memory", 0, 0, G_OPTION_ARG_FILENAME, &probe->kv_memory,
	     "logits: keys and values in memory; the rest goes to a file in TMPDIR", "SIZE"},
	    {"mel", 0, 0, G_OPTION_ARG_FILENAME, &probe->mel_path,
	     "whisper: log-mel, (bins, 3000)", "M.npy"},
	    {"audio", 0, 0, G_OPTION_ARG_FILENAME, &probe->audio_path,
	     "whisper: the first 30 s of a recording", "FILE"},
	    {"encoder", 0, 0, G_OPTION_ARG_FILENAME, &probe->encoder_path,
	     "whisper: where its rows go, (1500, d)", "E.npy"},
	    {"schema", 's', 0, G_OPTION_ARG_FILENAME, &probe->schema_path,
	     "mask: what the answer has to fit", "SCHEMA.json"},
	    {"special", 0, 0, G_OPTION_ARG_NONE, &probe->special,
	     "tokens: special strings are special tokens", NULL},
	    {"decode", 0, 0, G_OPTION_ARG_NONE, &probe->decode, "tokens: from ids to bytes", NULL},
	    {"threads", 'j', 0, G_OPTION_ARG_INT, &probe->n_threads, "threads; 0: all cores", "N"},
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &probe->files, NULL, "FILE"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autofree char *usage = g_strconcat(kind->name, " ", kind->usage, NULL);
	g_autoptr(GOptionContext) context = g_option_context_new(usage);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (kind->needs_ids)
		adopt_images(probe);
	return check_arguments(kind, probe, error);
}

static void probe_done(Probe *probe)
{
	weft_ingest_close(probe->ingest);
	weft_encoders_close(probe->encoders);
	weft_kernels_close(probe->kernels);
	weft_bundle_close(probe->bundle);
	weft_lora_close(probe->adapter);
	g_free(probe->bundle_path);
	g_free(probe->adapter_path);
	g_free(probe->schema_path);
	g_free(probe->output);
	g_free(probe->ids_path);
	g_free(probe->mel_path);
	g_free(probe->audio_path);
	g_free(probe->encoder_path);
	g_free(probe->kv_type);
	g_free(probe->kv_memory);
	g_free(probe->pixels_path);
	g_strfreev(probe->images);
	g_strfreev(probe->files);
}

/* Helper programs are started only for what is decoded, and before the kernels have threads. */
static gboolean run_probe(const ProbeKind *kind, Probe *probe, const WeftPlaces *places,
                          GError **error)
{
	if (kind->decodes || probe->images || probe->audio_path) {
		probe->ingest = weft_ingest_open(places->helper_dir, error);
		if (!probe->ingest)
			return FALSE;
	}
	return kind->run(probe, error);
}

int weft_cmd_probe(const WeftPlaces *places, int argc, char **argv)
{
	const ProbeKind *kind = NULL;
	for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(KINDS); i++)
		if (!strcmp(argv[1], KINDS[i].name))
			kind = &KINDS[i];
	if (!kind) {
		gboolean is_help =
		    argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
		print_usage(is_help ? stdout : stderr);
		return is_help ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
	}
	Probe probe = {0};
	GError *error = NULL;
	int code = WEFT_EXIT_DONE;
	if (!parse(&probe, kind, argc - 1, argv + 1, &error))
		code = weft_cmd_fail("probe", &error, WEFT_EXIT_USAGE);
	else if (!run_probe(kind, &probe, places, &error))
		code = weft_cmd_fail("probe", &error,
		                     g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE)
		                         ? WEFT_EXIT_USAGE
		                         : WEFT_EXIT_NOT_STARTED);
	else if (probe.is_rejected)
		code = WEFT_EXIT_SOME_FAILED;
	probe_done(&probe);
	return code;
}
