#include "pipeline/batcher.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "encoders/encoders.h"
#include "kernels/kernels.h"

#define N_REQUESTS 6

typedef struct Fixture {
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftEncoders *encoders;
	WeftBatcher *batcher;
} Fixture;

static void set_up(Fixture *fixture, const void *bytes_max)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "golden", "scout", NULL);
	WeftModelOptions options = {0};
	WeftModel *model;
	GError *error = NULL;

	fixture->bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	fixture->kernels = weft_kernels_open("ref", 1, &error);
	g_assert_no_error(error);
	fixture->encoders = weft_encoders_open(fixture->bundle, fixture->kernels, &error);
	g_assert_no_error(error);
	model = weft_model_open(fixture->bundle, fixture->kernels, &options, &error);
	g_assert_no_error(error);
	fixture->batcher = weft_batcher_new(model, 4, *(const gsize *)bytes_max, &error);
	g_assert_no_error(error);
}

static void tear_down(Fixture *fixture, const void *bytes_max)
{
	weft_batcher_free(fixture->batcher);
	weft_encoders_close(fixture->encoders);
	weft_kernels_close(fixture->kernels);
	weft_bundle_close(fixture->bundle);
}

static WeftPending *submit(Fixture *fixture, guint number)
{
	g_autoptr(WeftRequest) request = weft_request_new(fixture->encoders, "Say something.");
	g_autofree char *text = g_strdup_printf("document number %u of the pile", number);
	const WeftPassage passage = {.text = text, .size_bytes = strlen(text)};
	WeftGeneration generation = {.n_tokens_max = 12, .seed = 1};
	WeftSequence *sequence;

	g_assert_true(weft_request_add_text(request, &passage, NULL));
	sequence = weft_request_finish(g_steal_pointer(&request), NULL, NULL);
	g_assert_nonnull(sequence);
	return weft_batcher_submit(fixture->batcher, sequence, &generation);
}

static char *wait_for(WeftPending *take_pending)
{
	g_autoptr(WeftPending) pending = take_pending;
	g_autoptr(WeftAnswer) answer = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(weft_pending_wait(pending, &answer, &error));
	g_assert_no_error(error);
	return g_strdup(answer->json);
}

/* A second round submits while the first is under way, as fuse and collect do. */
typedef struct Round {
	Fixture *fixture;
	char *texts[N_REQUESTS];
} Round;

static void *run_round(void *data)
{
	Round *round = data;

	for (guint i = 0; i < N_REQUESTS; i++)
		round->texts[i] = wait_for(submit(round->fixture, i));
	return NULL;
}

static void test_same_text_alone_or_together(Fixture *fixture, const void *bytes_max)
{
	WeftPending *pending[3];
	Round one = {.fixture = fixture}, two = {.fixture = fixture};
	pthread_t thread;

	run_round(&one);
	g_assert_cmpint(pthread_create(&thread, NULL, run_round, &two), ==, 0);
	for (guint i = 0; i < 3; i++)
		pending[i] = submit(fixture, i);
	for (guint i = 3; i > 0; i--) {
		g_autofree char *text = wait_for(pending[i - 1]);

		g_assert_cmpstr(text, ==, one.texts[i - 1]);
	}
	pthread_join(thread, NULL);
	for (guint i = 0; i < N_REQUESTS; i++) {
		g_assert_cmpstr(one.texts[i], ==, two.texts[i]);
		g_free(one.texts[i]);
		g_free(two.texts[i]);
	}
}

static void test_cancel_ends_all(Fixture *fixture, const void *bytes_max)
{
	WeftPending *pending[3];
	guint n_cancelled = 0;

	for (guint i = 0; i < 3; i++)
		pending[i] = submit(fixture, i);
	weft_batcher_cancel(fixture->batcher);
	for (guint i = 0; i < 3; i++) {
		g_autoptr(GError) error = NULL;
		WeftAnswer *answer = NULL;

		/* One that was done in time may have its answer. */
		if (!weft_pending_wait(pending[i], &answer, &error)) {
			g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
			n_cancelled++;
		}
		weft_answer_free(answer);
		weft_pending_free(pending[i]);
	}
	g_assert_cmpuint(n_cancelled, >, 0);
	{
		g_autoptr(WeftPending) late = submit(fixture, 9);
		g_autoptr(GError) error = NULL;
		WeftAnswer *answer = NULL;

		g_assert_false(weft_pending_wait(late, &answer, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
	}
}

/* Asked to stop, the batcher begins nothing; what it had begun has the answer that it would have. */
static void test_stop_leaves_what_waits(Fixture *fixture, const void *bytes_max)
{
	g_autoptr(WeftStop) stop = weft_stop_new();
	g_autofree char *first = NULL;
	WeftPending *pending[4];

	weft_batcher_heed(fixture->batcher, stop);
	first = wait_for(submit(fixture, 0));
	for (guint i = 0; i < 4; i++) {
		if (i == 3)
			weft_stop_ask(stop);
		pending[i] = submit(fixture, 0);
	}
	for (guint i = 0; i < 4; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftAnswer) answer = NULL;

		if (weft_pending_wait(pending[i], &answer, &error))
			g_assert_cmpstr(answer->json, ==, first);
		else
			g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
		g_assert_true(i < 3 || answer == NULL);
		weft_pending_free(pending[i]);
	}
}

static void test_abandoned_requests_end_by_themselves(Fixture *fixture, const void *bytes_max)
{
	g_autofree char *text = NULL;

	for (guint i = 0; i < N_REQUESTS; i++)
		weft_pending_free(submit(fixture, i));
	text = wait_for(submit(fixture, 0));
	g_assert_nonnull(text);
}

int main(int argc, char **argv)
{
	static const gsize plenty = 1 << 20, nothing = 1;

	g_test_init(&argc, &argv, NULL);
	g_test_add("/batcher/same-text-alone-or-together", Fixture, &plenty, set_up,
	           test_same_text_alone_or_together, tear_down);
	g_test_add("/batcher/one-at-a-time-when-bytes-are-short", Fixture, &nothing, set_up,
	           test_same_text_alone_or_together, tear_down);
	g_test_add("/batcher/cancel-ends-all", Fixture, &plenty, set_up, test_cancel_ends_all,
	           tear_down);
	g_test_add("/batcher/stop-leaves-what-waits", Fixture, &plenty, set_up,
	           test_stop_leaves_what_waits, tear_down);
	g_test_add("/batcher/abandoned-requests-end-by-themselves", Fixture, &plenty, set_up,
	           test_abandoned_requests_end_by_themselves, tear_down);
	return g_test_run();
}
