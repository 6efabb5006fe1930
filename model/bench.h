/* bench.h - how the model's measuring begins; the rest of it is in model.h. */
#ifndef WEFT_MODEL_BENCH_H
#define WEFT_MODEL_BENCH_H

#include "model/batch.h"
#include "model/model.h"

/* Runs a first piece, so that the weights are in memory. Pass and pool must outlive it. */
WeftBench *weft_bench_of_pass(WeftPass *pass, WeftPagePool *pool, gsize n_sequences,
			      GError **error);

#endif
