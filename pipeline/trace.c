#include "pipeline/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"

struct WeftTrace {
	char *path;
	uint64_t origin_ns;
	pthread_mutex_t mutex; /* guards the two below */
	FILE *file;
	bool is_first;
};

uint64_t weft_trace_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

WeftTrace *weft_trace_open(const char *path, GError **error)
{
	WeftTrace *trace;
	FILE *file = fopen(path, "we");

	if (file == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	trace = g_new0(WeftTrace, 1);
	trace->path = g_strdup(path);
	trace->origin_ns = weft_trace_now_ns();
	trace->file = file;
	trace->is_first = true;
	pthread_mutex_init(&trace->mutex, NULL);
	fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", file);
	return trace;
}

gboolean weft_trace_close(WeftTrace *trace, GError **error)
{
	gboolean is_whole;

	if (trace == NULL)
		return TRUE;
	fputs("\n]}\n", trace->file);
	is_whole = !ferror(trace->file);
	is_whole &= fclose(trace->file) == 0;
	if (!is_whole)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
		            "%s: the trace could not be written whole", trace->path);
	pthread_mutex_destroy(&trace->mutex);
	g_free(trace->path);
	g_free(trace);
	return is_whole;
}

static void separate_locked(WeftTrace *trace)
{
	if (!trace->is_first)
		fputs(",\n", trace->file);
	trace->is_first = false;
}

/* Names of nodes and labels are ours and short; anything that JSON would mind becomes '?'. */
static void put_name_locked(WeftTrace *trace, const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		bool is_plain = *c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\';

		fputc(is_plain ? *c : '?', trace->file);
	}
}

void weft_trace_step(WeftTrace *trace, unsigned thread, const char *node, const char *label,
                     uint64_t begin_ns, uint64_t end_ns)
{
	if (trace == NULL)
		return;
	pthread_mutex_lock(&trace->mutex);
	separate_locked(trace);
	fputs("{\"ph\":\"X\",\"pid\":1,\"cat\":\"node\",\"name\":\"", trace->file);
	put_name_locked(trace, node);
	fprintf(trace->file, "\",\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f", thread,
	        (double)(begin_ns - trace->origin_ns) / 1e3, (double)(end_ns - begin_ns) / 1e3);
	if (label != NULL && label[0] != '\0') {
		fputs(",\"args\":{\"item\":\"", trace->file);
		put_name_locked(trace, label);
		fputs("\"}", trace->file);
	}
	fputc('}', trace->file);
	pthread_mutex_unlock(&trace->mutex);
}

void weft_trace_bytes(WeftTrace *trace, uint64_t at_ns, size_t bytes)
{
	if (trace == NULL)
		return;
	pthread_mutex_lock(&trace->mutex);
	separate_locked(trace);
	fprintf(trace->file,
	        "{\"ph\":\"C\",\"pid\":1,\"name\":\"bytes under way\",\"ts\":%.3f,"
	        "\"args\":{\"bytes\":%zu}}",
	        (double)(at_ns - trace->origin_ns) / 1e3, bytes);
	pthread_mutex_unlock(&trace->mutex);
}

void weft_trace_thread(WeftTrace *trace, unsigned thread, const char *name)
{
	if (trace == NULL)
		return;
	pthread_mutex_lock(&trace->mutex);
	separate_locked(trace);
	fprintf(trace->file,
	        "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\","
	        "\"args\":{\"name\":\"",
	        thread);
	put_name_locked(trace, name);
	fputs("\"}}", trace->file);
	pthread_mutex_unlock(&trace->mutex);
}
