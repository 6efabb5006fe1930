/* cmd.h - the verbs of the command line.
 *
 * Each verb gets its own arguments (argv[0] is the verb) and returns the exit code of the program:
 * 0 done; 1 some inputs newly failed or partial, or what was asked about is not so (doctor's
 * reference, numbers that inspect --verify found); 2 usage; 3 nothing could start, or a helper
 * program ended again and again; 4 stopped by its deadline with work left; 74 output can't be
 * written; 75 another run holds the lock; 130 interrupted. Only this folder prints: results on
 * stdout, everything else on stderr.
 */
#ifndef WEFT_CLI_CMD_H
#define WEFT_CLI_CMD_H

#include <glib.h>

#include "ingest/ingest.h"

enum {
	WEFT_EXIT_DONE = 0,
	WEFT_EXIT_SOME_FAILED = 1,
	WEFT_EXIT_USAGE = 2,
	WEFT_EXIT_NOT_STARTED = 3,
	WEFT_EXIT_STOPPED = 4,
	WEFT_EXIT_OUTPUT = 74,
	WEFT_EXIT_LOCKED = 75,
	WEFT_EXIT_INTERRUPTED = 130,
};

/* Where the program finds its own things: installed, or in a build folder. */
typedef struct WeftPlaces {
	char *helper_dir;     /* weft-decode-* */
	char *tasks_dir;      /* *.task */
	char *default_bundle; /* the bundle used without -m */
	char *data_dir;       /* devices.ini, reference_logits.py */
} WeftPlaces;

/* Looks beside the running program (/proc/self/exe). Never fails: a folder that is not there is
 * reported by who needs it. */
void weft_places_find(WeftPlaces *ret_places);
void weft_places_done(WeftPlaces *places);

/* Options that every verb over an output folder has, as GOptionEntry. */
#define WEFT_CMD_OPTION_OUT(path)                                                                  \
	{"output", 'o', 0, G_OPTION_ARG_FILENAME, path, "the output folder (./weft-out)", "OUT"}
#define WEFT_CMD_OPTION_STATE(path)                                                                \
	{"state", 0, 0, G_OPTION_ARG_FILENAME, path, "its state folder (OUT/state)", "DIR"}
#define WEFT_CMD_OPTION_CORRECTIONS(path)                                                          \
	{"corrections", 0, 0, G_OPTION_ARG_FILENAME, path,                                         \
	 "what people say about answers (OUT/corrections.csv)", "FILE"}

int weft_cmd_run(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_plan(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv);
int weft_cmd_show(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_export(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_report(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_calibrate(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_ask(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_search(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_status(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_verify(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv);
int weft_cmd_gc(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_rebuild_index(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_doctor(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv);
int weft_cmd_schema(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_bench(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_model(const WeftPlaces *places, int argc, char **argv);
int weft_cmd_probe(const WeftPlaces *places, int argc, char **argv);

/* Prints "weft VERB: message" and, for WEFT_ERROR_USAGE, where to find help; frees *error. Returns
 * `code`. */
int weft_cmd_fail(const char *verb, GError **error, int code);

/* FALSE: something stands after the options of a verb that takes options alone, as in "weft gc OUT", which would
 * otherwise work on ./weft-out. */
gboolean weft_cmd_takes_no_arguments(int argc, char **argv, GError **error);

#endif
