/* rows.h - fetch_rows, add_rows and router_topk: which rows go where; see kernels.h. */
#ifndef WEFT_KERNELS_ROWS_H
#define WEFT_KERNELS_ROWS_H

#include "kernels/kernels.h"

#define WEFT_FETCH_ROWS(name)                                                                      \
	void name(WeftTeam *team, float *y, const WeftTensor *w, const uint32_t *index,            \
		  size_t n_rows)
#define WEFT_ADD_ROWS(name)                                                                        \
	void name(WeftTeam *team, float *y, const float *x, const uint32_t *index,                 \
		  const float *factors, size_t n_rows, size_t width)
#define WEFT_ROUTER_TOPK(name)                                                                     \
	void name(WeftTeam *team, uint32_t *index, float *weight, const float *logits,             \
		  size_t n_rows, size_t n_experts, size_t k, WeftRouter router)

WEFT_FETCH_ROWS(weft_fetch_rows_ref);
WEFT_ADD_ROWS(weft_add_rows_ref);
WEFT_ROUTER_TOPK(weft_router_topk_ref);

#endif
