/* output_folder.h - an output folder with the sample record in it, for the tests of outputs. */
#ifndef WEFT_TESTS_OUTPUTS_OUTPUT_FOLDER_H
#define WEFT_TESTS_OUTPUTS_OUTPUT_FOLDER_H

#include <jansson.h>
#include <sys/stat.h>

#include "outputs/outputs.h"

#define FINGERPRINT "job-1"
#define DECODERS "pdf 1;picture 2"

typedef struct OutputFolder {
	char *folder; /* holds "out" and the input "in" */
	char *out;
	char *input;
	struct stat status;
	WeftOutputs *outputs;
} OutputFolder;

/* As the pipeline has them in a record's run, so that its rows can be made anew. */
#define N_FACTS 4u
extern const char *const FACTS[N_FACTS];

/* A fixture of g_test_add: an open output folder beside an input of five bytes, in a new folder. */
void output_folder_set_up(OutputFolder *fixture, gconstpointer data);

/* rm -r, a few levels deep. */
void output_folder_remove(const char *path);

void output_folder_tear_down(OutputFolder *fixture, gconstpointer data);

/* The sample as the pipeline puts it, with this one path, and committed. */
void output_folder_put(OutputFolder *fixture, const char *path);

void output_folder_commit(OutputFolder *fixture);
void output_folder_reopen(OutputFolder *fixture);

/* The sample's record file, as Jansson reads it; owned. */
json_t *output_folder_sample(OutputFolder *fixture);

/* `expected`: the paths in that file, as compact JSON. */
void output_folder_assert_paths(OutputFolder *fixture, const char *expected);

/* Whether `input` is known with this status; it must be the sample then. */
gboolean output_folder_is_unchanged(OutputFolder *fixture, const struct stat *status,
                                    const char *fingerprint);

/* The first column of the first row that the catalogue answers with; owned. */
char *output_folder_ask(OutputFolder *fixture, const char *sql);

#endif
