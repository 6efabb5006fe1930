/* composer.c - what a schema costs a whole document, for clocks outside.
 *
 *     composer BUNDLE SCHEMAS TOKENS TEMPERATURE SEEDS ROUNDS
 *
 * For each line of SCHEMAS and each seed, ROUNDS times in turn: a document of at most TOKENS tokens that
 * fits the schema, and free text of as many, both behind the same prompt, by one thread. A line of JSON goes
 * to stdout for each pair; times are of this thread's processor, in microseconds, from the request to its
 * answer. Free text that ends too early is begun again with another draw; 0: none was found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "base/json.h"
#include "model/model.h"

#define FILE_BYTES_MAX ((gsize)1 << 24)
#define DRAWS_MAX 200u

static double now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void stop_at(GError *error)
{
	if (!error)
		return;
	fprintf(stderr, "%s\n", error->message);
	exit(2);
}

static WeftSequence *prompt_new(const WeftBundle *bundle, const WeftModel *model)
{
	static const char text[] = "The harbour master reports to the senate that pilots have refused "
				   "to take ships above the new draught and asks for instructions.\n";
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	WeftSequence *sequence = weft_sequence_new(weft_model_width(model));
	weft_tokenizer_encode(weft_bundle_tokenizer(bundle), text, strlen(text), FALSE, ids);
	for (guint i = 0; i < ids->len; i++)
		weft_sequence_add_id(sequence, g_array_index(ids, gint32, i));
	return sequence;
}

/* From the request to its answer. */
static double generate(const WeftBundle *bundle, WeftModel *model, const WeftGeneration *generation,
		       gsize *ret_n_tokens)
{
	GError *error = NULL;
	g_autoptr(WeftAnswer) answer = NULL;
	guint64 ticket;
	WeftSequence *sequence = prompt_new(bundle, model);
	double begin = now_us();
	weft_model_submit(model, sequence, generation, &ticket, &error);
	stop_at(error);
	while (!weft_model_take(model, &ticket, &answer, &error)) {
		weft_model_step(model, &error);
		stop_at(error);
	}
	stop_at(error);
	double time = now_us() - begin;
	*ret_n_tokens = answer->n_generated;
	return time;
}

/* The seed of free text that goes on for so long; its time. */
static double generate_free(const WeftBundle *bundle, WeftModel *model, WeftGeneration generation,
			    gsize n_tokens)
{
	gsize n = 0;
	generation.schema = NULL;
	generation.n_tokens_max = n_tokens;
	for (guint draw = 0; draw < DRAWS_MAX; draw++, generation.seed += 1000) {
		double time = generate(bundle, model, &generation, &n);
		if (n == n_tokens)
			return time;
	}
	return 0;
}

static void write_pair(guint schema, guint64 seed, gsize n_tokens, double schema_us, double free_us)
{
	g_autoptr(GString) line = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, line);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "schema");
	weft_json_write_uint(&writer, schema);
	weft_json_write_key(&writer, "seed");
	weft_json_write_uint(&writer, seed);
	weft_json_write_key(&writer, "tokens");
	weft_json_write_uint(&writer, n_tokens);
	weft_json_write_key(&writer, "schema_us");
	weft_json_write_rounded(&writer, schema_us, 1);
	weft_json_write_key(&writer, "free_us");
	weft_json_write_rounded(&writer, free_us, 1);
	weft_json_write_object_end(&writer);
	puts(line->str);
}

static void compose_all(const WeftBundle *bundle, WeftModel *model, char **lines, char **arguments)
{
	guint64 n_seeds = (guint64)atol(arguments[2]), n_rounds = (guint64)atol(arguments[3]);
	gsize n_tokens;
	(void)generate(bundle, model, &(WeftGeneration){.n_tokens_max = 50}, &n_tokens); /* weights are read */
	for (guint i = 0; lines[i]; i++) {
		GError *error = NULL;
		g_autoptr(WeftSchema) schema = weft_schema_new(lines[i], strlen(lines[i]), NULL, &error);
		stop_at(error);
		for (guint64 seed = 0; seed < n_seeds; seed++)
			for (guint64 round = 0; round < n_rounds; round++) {
				const WeftGeneration generation = {
					.schema = schema,
					.n_tokens_max = (gsize)atol(arguments[0]),
					.temperature = g_ascii_strtod(arguments[1], NULL),
					.seed = seed,
				};
				double time = generate(bundle, model, &generation, &n_tokens);
				write_pair(i, seed, n_tokens, time,
					   generate_free(bundle, model, generation, n_tokens));
			}
	}
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	gsize size_bytes;
	char *text = NULL;
	if (argc != 7) {
		fputs("composer BUNDLE SCHEMAS TOKENS TEMPERATURE SEEDS ROUNDS\n", stderr);
		return 2;
	}
	WeftBundle *bundle = weft_bundle_open(argv[1], &error);
	stop_at(error);
	WeftKernels *kernels = weft_kernels_open(NULL, 1, &error);
	stop_at(error);
	WeftModel *model = weft_model_open(bundle, kernels, NULL, &error);
	stop_at(error);
	weft_file_read(argv[2], FILE_BYTES_MAX, &text, &size_bytes, &error);
	stop_at(error);
	char **lines = g_strsplit(g_strchomp(text), "\n", -1);
	compose_all(bundle, model, lines, argv + 3);
	g_strfreev(lines);
	g_free(text);
	weft_model_close(model);
	weft_kernels_close(kernels);
	weft_bundle_close(bundle);
	return 0;
}
