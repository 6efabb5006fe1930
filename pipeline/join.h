/* join.h - private: the graph of a run. */
#ifndef WEFT_PIPELINE_JOIN_H
#define WEFT_PIPELINE_JOIN_H

#include "pipeline/run.h"

/* Builds run->graph. The round nodes live as long as the run. */
void weft_join(WeftRun *run);

#endif
