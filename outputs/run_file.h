/* run_file.h - part of the door of outputs: what runs say of themselves, for others to look at.
 *
 * Each run has a file of its own, STATE/runs/<number>, on which it holds flock(2) as long as it
 * lives: nothing else says that a run is alive. The file holds one JSON object, written over in
 * place with one write of one page, so that a reader sees the old or the new one. Files of the last
 * runs stay. What they hold is for people: a file that can't be made or written costs nothing but that.
 */
#ifndef WEFT_OUTPUTS_RUN_FILE_H
#define WEFT_OUTPUTS_RUN_FILE_H

#include <glib.h>

/* What a run may say. */
#define WEFT_RUN_FILE_BYTES 4096

typedef struct WeftRunFile WeftRunFile;

/* The file of a run that begins now, with the next number; NULL: it can't be made. Those of runs
 * long ago are removed. `state_dir` is there. */
WeftRunFile *weft_run_file_new(const char *state_dir);
/* Its number; 0 for NULL. */
guint64 weft_run_file_number(const WeftRunFile *file);
/* TRUE when the run of this number is alive. */
gboolean weft_run_file_is_alive(const char *state_dir, guint64 number);
/* NULL is fine; what is longer than WEFT_RUN_FILE_BYTES - 1 is not written. */
void weft_run_file_write(WeftRunFile *file, const char *json);
/* The run has ended; the file stays. */
void weft_run_file_close(WeftRunFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRunFile, weft_run_file_close)

typedef struct WeftRunNote {
	guint64 number;
	gboolean is_alive;
	char *json;            /* one object, not checked */
} WeftRunNote;

/* What runs have said, the latest first (WeftRunNote, with a free function); empty where there is
 * nothing. */
GPtrArray *weft_run_file_read_all(const char *state_dir);

#endif
