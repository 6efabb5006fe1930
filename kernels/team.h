/* team.h - a fixed set of threads that does the pieces of one operation.
 *
 * An operation cuts its work into numbered pieces by the shape of its operands alone, never by the
 * number of threads; the team hands the numbers out, each once, in any order, to whichever thread
 * is free, and returns when all are done. Pieces write to places of their own and read nothing that
 * another piece of the same run writes, so the result does not depend on who did which.
 *
 * Several threads may call weft_team_run at the same time: runs take turns. A piece must not start
 * a run. With one thread no thread is created and the pieces run in the caller, in order. Threads
 * that have nothing to do sleep on a condition variable.
 */
#ifndef WEFT_KERNELS_TEAM_H
#define WEFT_KERNELS_TEAM_H

#include <stddef.h>

/* Every piece gets this much memory of its thread, aligned to 64 bytes and with any content: the
 * operations allocate nothing. Large enough for the panels of gemm. */
#define WEFT_TEAM_SCRATCH_BYTES (1u << 20)

#define WEFT_TEAM_THREADS_MAX 512

typedef struct WeftTeam WeftTeam;
typedef void (*WeftPiece)(void *context, size_t piece, void *scratch);

/* 1 to WEFT_TEAM_THREADS_MAX threads, the caller's among them. NULL with errno when memory or
 * threads can't be had. */
WeftTeam *weft_team_new(int n_threads);
void weft_team_free(WeftTeam *team); /* NULL is fine; no run may be in progress */

int weft_team_n_threads(const WeftTeam *team);

void weft_team_run(WeftTeam *team, size_t n_pieces, WeftPiece piece, void *context);

#endif
