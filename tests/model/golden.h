/* golden.h - the checkpoints that transformers has answered for. TEST_GOLDEN is their folder. */
#ifndef WEFT_TESTS_MODEL_GOLDEN_H
#define WEFT_TESTS_MODEL_GOLDEN_H

#include "base/npy.h"
#include "model/model.h"

typedef struct Golden {
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftModel *model;
} Golden;

/* tier NULL: the best of this machine. */
Golden *golden_open(const char *name, const char *tier, int n_threads);
/* The same for a folder that a test has made. */
Golden *golden_open_folder(const char *path, const char *tier, int n_threads);
void golden_free(Golden *golden);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Golden, golden_free)

/* NAME/WHAT.ids.json; rows of TEST_DATA/NAME.rows.npy where the ids hold the patch token and the
 * file is there. */
WeftSequence *golden_sequence(const Golden *golden, const char *name, const char *what);
WeftNpy *golden_logits(const char *name, const char *what);

/* The model's own: n * vocab numbers, freed with g_free. */
float *golden_run(const Golden *golden, const WeftSequence *sequence, gboolean step,
		  gboolean exact);

#endif
