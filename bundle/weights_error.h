/* weights_error.h - how weight files are complained about; private to bundle/. */
#ifndef WEFT_BUNDLE_WEIGHTS_ERROR_H
#define WEFT_BUNDLE_WEIGHTS_ERROR_H

#include <glib.h>

/* What a clone without git-lfs has in place of each large file begins with this. */
#define WEFT_LFS_BEGIN "version https://git-lfs"
#define WEFT_LFS_MESSAGE "a git-lfs pointer, not the file itself: git lfs pull fetches it"

/* WEFT_ERROR_WEIGHTS, "FILE: what". Always FALSE, for `return`. */
gboolean weft_weights_error(GError **error, const char *file, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

#endif
