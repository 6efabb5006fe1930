/* media_file.h - pixels and samples as files that every program opens: PNG, 8 bit RGB; WAV, 16 bit. */
#ifndef WEFT_CLI_MEDIA_FILE_H
#define WEFT_CLI_MEDIA_FILE_H

#include <glib.h>

/* Rows of RGB without padding. */
gboolean weft_png_write(const char *path, const guint8 *pixels, guint32 width, guint32 height,
			GError **error);

/* One channel, samples in -1..1; what is louder is cut. */
gboolean weft_wav_write(const char *path, const float *samples, gsize n_samples, guint32 rate_hz,
			GError **error);

#endif
