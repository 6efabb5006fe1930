/* beat.c - how far a run is, on disk for whoever asks (outputs/run_file.h).
 */
#include "base/json.h"
#include "pipeline/run.h"

/* Between two notes. */
#define BEAT_US G_USEC_PER_SEC

static char *note_of(WeftRun *run, const char *state)
{
	WeftProgress progress = weft_run_progress(run);
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	const struct {
		const char *key;
		guint64 n;
	} counts[] = {
		{"begin_s", (guint64)run->beat.begin_s},
		{"updated_s", (guint64)(g_get_real_time() / G_USEC_PER_SEC)},
		{"inputs", progress.n_inputs},   {"done", progress.n_done},
		{"partial", progress.n_partial}, {"failed", progress.n_failed},
		{"skipped", progress.n_skipped}, {"copies", progress.n_copies},
		{"unchanged", progress.n_unchanged}, {"left", progress.n_left},
		{"gone", progress.n_gone},       {"pages", progress.n_pages},
		{"heard_s", (guint64)progress.heard_s},
		{"hearing_s", (guint64)progress.hearing_s},
	};

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "state");
	weft_json_write_string(&writer, state);
	weft_json_write_key(&writer, "task");
	weft_json_write_string(&writer, run->task->name);
	weft_json_write_key(&writer, "is_listed");
	weft_json_write_bool(&writer, progress.is_listed);
	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		weft_json_write_key(&writer, counts[i].key);
		weft_json_write_uint(&writer, counts[i].n);
	}
	weft_json_write_key(&writer, "current");
	weft_json_write_string(&writer, progress.current);
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}

void weft_run_beat_begin(WeftRun *run, const char *state_dir)
{
	run->beat.begin_s = g_get_real_time() / G_USEC_PER_SEC;
	run->beat.file = weft_run_file_new(state_dir);
	weft_store_set_run(run->store, weft_run_file_number(run->beat.file));
}

void weft_run_beat(WeftRun *run)
{
	gint64 now_us = g_get_monotonic_time();

	if (run->beat.file == NULL ||
	    (run->beat.last_us != 0 && now_us - run->beat.last_us < BEAT_US))
		return;
	run->beat.last_us = now_us;
	g_autofree char *note = note_of(run, "running");
	weft_run_file_write(run->beat.file, note);
}

void weft_run_beat_end(WeftRun *run, const char *state)
{
	if (run->beat.file == NULL)
		return;
	g_autofree char *note = note_of(run, state);
	weft_run_file_write(run->beat.file, note);
	g_clear_pointer(&run->beat.file, weft_run_file_close);
}
