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
