/* cmd_doctor.c - what is installed here, does a model run, and does it run as transformers does.
 *
 * Ends with one line that says all of it: version, model, family, types, tier, result. It holds no
 * paths and nothing of any document, so that people can send it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bundle/bundle.h"
#include "cli/cmd.h"
#include "cli/reference.h"
#include "encoders/encoders.h"
#include "kernels/kernels.h"
#include "model/model.h"

#define PROMPT "The quick brown fox"

static void print_helpers(WeftIngest *ingest)
{
	WeftWallsFacts facts;
	puts("decoders");
	for (guint i = 0; weft_ingest_walls(ingest, i, &facts); i++)
		printf("  %s\n    %s%s\n", facts.program, facts.walls ? "walls: " : "NOT LOCKED DOWN: ",
		       facts.walls ? facts.walls : facts.refusal);
	if (!weft_ingest_has_ocr(ingest))
		puts("  no weft-decode-ocr: scans are read only by a bundle that was trained to "
		     "read\n"
		     "  (install libtesseract-dev and tesseract-ocr, then build again)");
}

/* Logits of a short prompt: finite, and the likeliest next tokens, to hold against a reference. */
static gboolean try_prompt(WeftBundle *bundle, WeftModel *model, GError **error)
{
	const WeftTokenizer *tokenizer = weft_bundle_tokenizer(bundle);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(WeftSequence) sequence = weft_sequence_new(weft_model_width(model));
	weft_template_begin(weft_bundle_template(bundle), ids);
	weft_tokenizer_encode(tokenizer, PROMPT, strlen(PROMPT), FALSE, ids);
	for (guint i = 0; i < ids->len; i++)
		weft_sequence_add_id(sequence, g_array_index(ids, gint32, i));
	gsize n_vocab = weft_model_vocab(model);
	g_autofree float *logits = g_new(float, n_vocab * ids->len);
	if (!weft_model_logits(model, sequence, NULL, FALSE, FALSE, logits, error))
		return FALSE;
	const float *last = logits + n_vocab * (ids->len - 1);
	gsize best = 0;
	for (gsize i = 0; i < n_vocab; i++) {
		if (!isfinite(last[i])) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			            "logit %" G_GSIZE_FORMAT " is not finite: damaged weights?", i);
			return FALSE;
		}
		if (last[i] > last[best])
			best = i;
	}
	gsize size_bytes = 0;
	const char *token = weft_tokenizer_token(tokenizer, (gint32)best, &size_bytes);
	g_autofree char *bytes = token ? g_strndup(token, size_bytes) : g_strdup("");
	g_autofree char *shown = g_strescape(bytes, NULL);
	printf("  prompt       \"%s\", %u tokens; likeliest next: %" G_GSIZE_FORMAT
	       " \"%s\" (logit %.4f)\n",
	       PROMPT, ids->len, best, shown, (double)last[best]);
	return TRUE;
}

/* Whether a run with it writes down what is said in recordings. */
static gboolean print_listening(const WeftBundle *bundle, GError **error)
{
	const WeftBundle *audio = weft_bundle_audio(bundle);
	const WeftAudioConfig *config = audio ? &weft_bundle_config(audio)->audio : NULL;
	g_autoptr(WeftWhisperTokens) tokens = NULL;

	if (!config || !config->has_decoder) {
		printf("  listens      no%s; a run with --audio WHISPER does\n",
		       config ? ": an encoder cannot write" : "");
		return TRUE;
	}
	if (!weft_bundle_tokenizer(audio)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: no tokenizer.json",
		            weft_bundle_name(audio));
		return FALSE;
	}
	tokens = weft_whisper_tokens_new(weft_bundle_tokenizer(audio), config->n_vocab, error);
	if (!tokens)
		return FALSE;
	printf("  listens      %s: %zu + %zu layers of %zu, %zu mel bins, ", weft_bundle_name(audio),
	       config->n_layers, config->decoder_layers, config->width, config->n_bins);
	if (tokens->n_languages > 0)
		printf("%zu languages\n", tokens->n_languages);
	else
		printf("English alone\n");
	return TRUE;
}

static void print_prompt(const WeftTemplate *template)
{
	const char *reason = weft_template_reason(template);
	printf("  turns        %s%s%s%s\n", weft_template_family(template), reason ? " (" : "",
	       reason ? reason : "", reason ? ")" : "");
}

/* "bf16 12.1 GB, f32 0.2 GB", most first. */
static char *types_of(const WeftBundle *bundle)
{
	guint64 bytes[WEFT_DTYPE_COUNT] = {0};
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++)
		bytes[weft_bundle_tensor_at(bundle, i)->dtype] +=
		    weft_bundle_tensor_at(bundle, i)->size_bytes;
	for (;;) {
		int most = 0;
		for (int d = 1; d < WEFT_DTYPE_COUNT; d++)
			most = bytes[d] > bytes[most] ? d : most;
		if (bytes[most] == 0)
			return g_string_free(text, FALSE);
		g_string_append_printf(text, "%s%s %.3g GB", text->len > 0 ? ", " : "",
		                       weft_dtype_name((WeftDtype)most), (double)bytes[most] / 1e9);
		bytes[most] = 0;
	}
}

/* FALSE: error is set. *ret_differs: it runs, and not as the reference does. */
static gboolean print_line(const WeftPlaces *places, const char *reference, const char *path,
                           WeftBundle *bundle, WeftModel *model, const WeftEncoders *encoders,
                           const char *tier, gboolean *ret_differs, GError **error)
{
	g_autoptr(WeftComparison) comparison = NULL;
	g_autofree char *types = types_of(bundle);

	if (reference) {
		comparison = weft_reference_compare(reference, bundle, model, encoders, error);
		if (!comparison)
			return FALSE;
		for (guint i = 0; i < comparison->lines->len; i++)
			printf("  reference    %s\n",
			       (const char *)g_ptr_array_index(comparison->lines, i));
	} else {
		/* transformers runs the folder, not a GGUF file that was made of it. */
		g_autofree char *config = g_build_filename(path, "config.json", NULL);
		gboolean is_folder = g_file_test(config, G_FILE_TEST_EXISTS);
		printf("  reference    none: python3 %s/reference_logits.py %s -o REF.json\n"
		       "               weft doctor -m %s --reference REF.json\n",
		       places->data_dir, is_folder ? path : "FOLDER-AS-PUBLISHED", path);
	}
	printf("to send: weft " WEFT_VERSION "; %s %.12s; %s; %s; %s; ", weft_bundle_name(bundle),
	       weft_bundle_id(bundle), weft_bundle_config(bundle)->model_type, types, tier);
	if (!comparison) {
		printf("runs, no reference\n");
		return TRUE;
	}
	printf("%u prompts%s, likeliest token %u/%u, max |difference| %.2g of max |logit| (limit %g), "
	       "KL %.2g; %s %s (%s)\n",
	       comparison->n_prompts, comparison->n_ids_wrong > 0 ? ", ENCODED OTHERWISE" : "",
	       comparison->n_same, comparison->n_rows, comparison->difference,
	       comparison->tolerance, comparison->divergence,
	       comparison->agrees ? "agrees with" : "DIFFERS from", comparison->made_by,
	       comparison->dtype);
	*ret_differs = !comparison->agrees;
	return TRUE;
}

static gboolean try_bundle(const WeftPlaces *places, const char *path, const char *reference,
                           gboolean *ret_differs, GError **error)
{
	g_autoptr(WeftBundle) bundle = weft_bundle_open(path, error);
	if (!bundle)
		return FALSE;
	const WeftConfig *config = weft_bundle_config(bundle);
	printf("model %s\n  name         %s (%s)\n  id           %s\n  weights      %.1f MB, "
	       "%" G_GSIZE_FORMAT " tensors\n",
	       path, weft_bundle_name(bundle), config->model_type, weft_bundle_id(bundle),
	       (double)weft_bundle_size_bytes(bundle) / 1e6, weft_bundle_n_tensors(bundle));
	g_autoptr(WeftKernels) kernels = weft_kernels_open(NULL, 0, error);
	g_autoptr(WeftEncoders) encoders =
	    kernels ? weft_encoders_open(bundle, kernels, error) : NULL;
	if (encoders && !config->has_text && config->has_audio) {
		printf("  kernels      %s\n", kernels->name);
		return print_listening(bundle, error);
	}
	g_autoptr(WeftModel) model =
	    encoders ? weft_model_open(bundle, kernels, NULL, error) : NULL;
	if (!model)
		return FALSE;
	printf("  kernels      %s\n  context      %" G_GSIZE_FORMAT " tokens\n  sees         %s\n"
	       "  reads pages  %s\n  hears        %s\n",
	       kernels->name, weft_model_context(model),
	       weft_encoders_can_see(encoders) ? "yes" : "no",
	       config->traits.reads ? "yes" : "not said by its configuration",
	       !weft_encoders_can_hear(encoders)   ? "no" :
	       config->traits.hears_words ? "yes" : "what kind of sound it is, no words");
	if (!print_listening(bundle, error))
		return FALSE;
	if (!weft_bundle_tokenizer(bundle)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: no tokenizer: put tokenizer.json or tokenizer.model of the same model "
		            "beside the weights", weft_bundle_name(bundle));
		return FALSE;
	}
	print_prompt(weft_bundle_template(bundle));
	return try_prompt(bundle, model, error) &&
	       print_line(places, reference, path, bundle, model, encoders, kernels->name,
	                  ret_differs, error);
}

int weft_cmd_doctor(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv)
{
	g_autofree char *bundle = NULL;
	g_autofree char *reference = NULL;
	gboolean differs = FALSE;
	const GOptionEntry entries[] = {
	    {"model", 'm', 0, G_OPTION_ARG_FILENAME, &bundle,
	     "a folder as Hugging Face publishes it, or a GGUF file (default: the shipped one)",
	     "BUNDLE"},
	    {"reference", 0, 0, G_OPTION_ARG_FILENAME, &reference,
	     "logits that reference_logits.py wrote with transformers", "REF.json"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context,
	    "Says what is installed, opens a bundle, checks all its tensors and runs a short\n"
	    "prompt; with --reference, compares the logits of a few prompts with transformers'.\n"
	    "The last line is the one to send us. Exit code 1: it differs from the reference.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return weft_cmd_fail("doctor", &error, WEFT_EXIT_USAGE);
	if (argc > 1) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "'%s' is not expected: a bundle is "
			    "given with -m", argv[1]);
		return weft_cmd_fail("doctor", &error, WEFT_EXIT_USAGE);
	}
	printf("weft " WEFT_VERSION "\n");
	print_helpers(ingest);
	if (!try_bundle(places, bundle ? bundle : places->default_bundle, reference, &differs, &error))
		return weft_cmd_fail("doctor", &error, WEFT_EXIT_NOT_STARTED);
	return differs ? WEFT_EXIT_SOME_FAILED : WEFT_EXIT_DONE;
}
