/* av_media.h - sound and video made by FFmpeg's own program when a test runs, and decoded. */
#ifndef WEFT_TESTS_INGEST_AV_MEDIA_H
#define WEFT_TESTS_INGEST_AV_MEDIA_H

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "ingest/av.h"

typedef struct Decoded {
	GPtrArray *parts;
	GError *error;
} Decoded;

static char *folder;

static inline char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* Runs a command line with %s for the folder; its stdout. */
static inline char *shell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static inline char *shell(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", line, NULL};
	char *out = NULL;
	g_autofree char *messages = NULL;
	int status = 0;
	g_autoptr(GError) error = NULL;
	if (!g_spawn_sync(folder, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &messages, &status,
	                  &error) ||
	    status != 0)
		g_error("%s: %s%s", line, error ? error->message : "", messages ? messages : "");
	return out;
}

#define FFMPEG "ffmpeg -nostdin -loglevel error -y -threads 1 "

static inline void make(const char *arguments)
{
	g_free(shell(FFMPEG "%s", arguments));
}

static inline WeftDecodeOptions all_wanted(void)
{
	WeftDecodeOptions options = {.want_rasters = TRUE, .want_pcm = TRUE};
	return options;
}

static inline Decoded decode_with(const char *name, WeftDecodeOptions options)
{
	Decoded d = {g_ptr_array_new_with_free_func((GDestroyNotify)weft_part_free), NULL};
	g_autofree char *path = in_folder(name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	weft_limits_fill(&options.limits);
	WeftDecodeJob job = {
	    .fd = fd, .family = WEFT_FAMILY_AV, .media_type = "video/x", .options = &options};
	job.size_bytes = (guint64)lseek(fd, 0, SEEK_END);
	lseek(fd, 0, SEEK_SET);
	void *state = NULL;
	if (weft_av_decoder.open(&job, &state, &d.error)) {
		WeftPart *part = NULL;
		while (weft_av_decoder.next(state, &part, &d.error) && part) {
			g_ptr_array_add(d.parts, part);
			part = NULL;
		}
		weft_av_decoder.close(state);
	}
	close(fd);
	return d;
}

static inline Decoded decode(const char *name)
{
	return decode_with(name, all_wanted());
}

static inline void decoded_free(Decoded *d)
{
	g_ptr_array_unref(d->parts);
	g_clear_error(&d->error);
}

/* The n-th part of a kind (of one track, unless 0), or NULL. */
static inline WeftPart *nth(const Decoded *d, WeftPartKind kind, guint32 track, guint n)
{
	for (guint i = 0; i < d->parts->len; i++) {
		WeftPart *part = d->parts->pdata[i];
		if (part->kind == kind && (!track || part->anchor.track == track) && n-- == 0)
			return part;
	}
	return NULL;
}

static inline guint count(const Decoded *d, WeftPartKind kind, guint32 track)
{
	guint n = 0;
	while (nth(d, kind, track, n))
		n++;
	return n;
}

static inline void assert_time(const WeftPart *part, double begin, double end, double tolerance)
{
	g_assert_nonnull(part);
	g_assert_true(part->anchor.has_time);
	if (!(fabs(part->anchor.time[0] - begin) <= tolerance) ||
	    !(fabs(part->anchor.time[1] - end) <= tolerance))
		g_error("time %f..%f, not %f..%f", part->anchor.time[0], part->anchor.time[1],
		        begin, end);
}

/* A slide with two boxes for lines, a third from 3.0 s, another picture from 5.0 s, then black. */
#define SLIDES_THROUGH(filter)                                                                     \
	"-f lavfi -i color=white:s=640x360:r=25:d=5,drawbox=30:40:380:16:black:fill,"              \
	"drawbox=30:100:300:16:gray:fill,drawbox=30:160:260:16:black:fill:enable='gte(t\\,3)' "    \
	"-f lavfi -i testsrc2=s=640x360:r=25:d=2 -f lavfi -i color=black:s=640x360:r=25:d=1.2 "    \
	"-filter_complex '[0][1][2]concat=n=3:v=1:a=0" filter "' "
#define SLIDES SLIDES_THROUGH("")

/* All samples of a track, one after the other; each window must begin where the last ended. */
static inline GArray *samples_of(const Decoded *d, guint32 track)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(float));
	const WeftPart *part;
	for (guint n = 0; (part = nth(d, WEFT_PART_PCM, track, n)); n++) {
		g_assert_cmpuint(part->pcm.n_samples, <=, 480000);
		g_assert_cmpfloat(fabs((part->anchor.time[1] - part->anchor.time[0]) * 16000 -
		                       (double)part->pcm.n_samples),
		                  <, 1e-3);
		g_array_append_vals(all, part->pcm.samples, (guint)part->pcm.n_samples);
	}
	return all;
}

/* In 16 bit FFmpeg mixes without leaving the range, so that is the judge. It then also mixes and
 * filters in 16 bit where the file has them: three roundings of up to one step each, and half a
 * step at the end. */
static inline void assert_as_ffmpeg(const char *name, guint32 track)
{
	g_autofree char *raw = NULL;
	gsize raw_bytes = 0;
	g_free(shell(FFMPEG "-i %s -map 0:%u -ar 16000 -ac 1 -c:a pcm_s16le -f s16le judge.raw", name,
	             track - 1));
	g_autofree char *path = in_folder("judge.raw");
	g_assert_true(g_file_get_contents(path, &raw, &raw_bytes, NULL));
	const gint16 *judge = (const gint16 *)(gpointer)raw;
	Decoded d = decode(name);
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
	g_autoptr(GArray) ours = samples_of(&d, track);
	if (ours->len != raw_bytes / 2)
		g_error("%s: %u samples, not %zu", name, ours->len, raw_bytes / 2);
	double worst = 0;
	for (guint i = 0; i < ours->len; i++)
		worst = fmax(worst, fabs(g_array_index(ours, float, i) - judge[i] / 32768.0));
	if (!(worst <= 3.5 / 32768))
		g_error("%s: differs by %f steps", name, worst * 32768);
	decoded_free(&d);
}

#define TWO_TONES "-f lavfi -i aevalsrc='0.4*sin(2*PI*440*t)|0.3*sin(2*PI*970*t)':s=44100:d=3 "

static inline void media_begin(int *argc, char ***argv)
{
	g_test_init(argc, argv, NULL);
	av_log_set_level(AV_LOG_QUIET);
	folder = g_dir_make_tmp("weft-av-XXXXXX", NULL);
	g_assert_nonnull(folder);
}

static inline int media_run(void)
{
	int rc = g_test_run();
	g_free(shell("rm -f ./*"));
	(void)g_rmdir(folder); /* what is left is a temporary folder */
	g_free(folder);
	return rc;
}

#endif
