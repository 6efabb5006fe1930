/* From a conversation to the logits behind its prompt, through encoders and model, against
 * transformers (golden/guard4_ask, see ORIGIN): text only and with a picture. */
#include <math.h>

#include "base/files.h"
#include "base/json.h"
#include "base/npy.h"
#include "bundle/bundle.h"
#include "encoders/encoders.h"
#include "model/model.h"

typedef struct Guard {
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftEncoders *encoders;
	WeftModel *model;
} Guard;

static void guard_open(Guard *guard, const char *folder)
{
	g_autoptr(GError) error = NULL;

	guard->bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	guard->kernels = weft_kernels_open(NULL, 1, &error);
	g_assert_no_error(error);
	guard->encoders = weft_encoders_open(guard->bundle, guard->kernels, &error);
	g_assert_no_error(error);
	guard->model = weft_model_open(guard->bundle, guard->kernels, NULL, &error);
	g_assert_no_error(error);
}

static void guard_close(Guard *guard)
{
	weft_model_close(guard->model);
	weft_encoders_close(guard->encoders);
	weft_kernels_close(guard->kernels);
	weft_bundle_close(guard->bundle);
}

/* The formula of tools/make_golden_encoders.py. */
static void add_picture(WeftConversation *conversation, guint32 width, guint32 height)
{
	g_autofree guint8 *pixels = g_malloc((gsize)width * height * 3);
	WeftRaster raster = {.width = width, .height = height, .pixels = pixels};
	g_autoptr(GError) error = NULL;

	for (guint32 i = 0; i < width * height * 3; i++) {
		guint32 c = i % 3, x = i / 3 % width, y = i / 3 / width;

		pixels[i] =
		    (guint8)((x * 7 + y * 13 + c * 71 + ((x * y) >> 2)) ^ ((x * x) >> 3));
	}
	weft_conversation_add_image(conversation, &raster, FALSE, &error);
	g_assert_no_error(error);
}

static WeftSequence *ask(const WeftEncoders *encoders, const WeftJson *one)
{
	g_autoptr(WeftConversation) conversation = weft_conversation_new(encoders);
	const WeftJson *size = weft_json_member(one, "image");
	guint64 width, height;

	weft_conversation_add_text(conversation,
	                           weft_json_string(weft_json_member(one, "user"), NULL));
	if (weft_json_uint(weft_json_at(size, 0), &width) &&
	    weft_json_uint(weft_json_at(size, 1), &height))
		add_picture(conversation, (guint32)width, (guint32)height);
	return weft_conversation_ask(conversation,
	                             weft_json_string(weft_json_member(one, "reply"), NULL));
}

static void test_logits(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "..", "golden", "guard4", NULL);
	g_autofree char *cases_path = g_strconcat(folder, "_ask/cases.json", NULL);
	g_autofree char *logits_path = g_strconcat(folder, "_ask/logits.npy", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	Guard guard;
	gsize size;

	g_assert_true(weft_file_read(cases_path, 1 << 20, &text, &size, &error));
	g_autoptr(WeftJson) cases = weft_json_parse(text, size, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	g_autoptr(WeftNpy) want = weft_npy_read(logits_path, &error);
	g_assert_no_error(error);
	guard_open(&guard, folder);
	gsize n_vocab = weft_model_vocab(guard.model);

	g_assert_cmpuint(want->n_items, ==, weft_json_length(cases) * n_vocab);
	for (gsize i = 0; i < weft_json_length(cases); i++) {
		g_autoptr(WeftSequence) sequence = ask(guard.encoders, weft_json_at(cases, i));
		gsize n = weft_sequence_length(sequence);
		g_autofree float *logits = g_new(float, n * n_vocab);
		float largest = 0, apart = 0;

		weft_model_logits(guard.model, sequence, NULL, FALSE, TRUE, logits, &error);
		g_assert_no_error(error);
		for (gsize k = 0; k < n_vocab; k++) {
			float expected = want->f32[i * n_vocab + k];

			g_assert_false(isnan(logits[(n - 1) * n_vocab + k]));
			largest = fmaxf(largest, fabsf(expected));
			apart = fmaxf(apart, fabsf(expected - logits[(n - 1) * n_vocab + k]));
		}
		g_test_message("case %zu: %g of %g", i, (double)apart, (double)largest);
		g_assert_cmpfloat(apart, <=, 1e-4f * largest);
	}
	guard_close(&guard);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guard/logits", test_logits);
	return g_test_run();
}
