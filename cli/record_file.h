/* record_file.h - a record as it lies in the output folder. */
#ifndef WEFT_CLI_RECORD_FILE_H
#define WEFT_CLI_RECORD_FILE_H

#include <glib.h>

#include "base/json.h"

/* The whole record; WEFT_ERROR_IO, _LIMIT or _CORRUPT, with the path. Caller frees. */
WeftJson *weft_record_file_read(const char *path, GError **error);

#endif
