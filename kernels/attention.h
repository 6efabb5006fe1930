/* attention.h - rows of q against pages of keys and values; see WeftAttention in kernels.h.
 *
 * Per row and head, page after page in order (online softmax): scores of the page's 64 keys, the
 * greatest score so far m; what was summed so far is scaled by exp(m_before - m); the sum of
 * exp(score - m) is taken in sixteen lanes, the values are added key after key. A page without a
 * visible key is passed over, an invisible key of a page counts as exp = 0 and its value is not
 * read. At the end the values are divided by the sum.
 */
#ifndef WEFT_KERNELS_ATTENTION_H
#define WEFT_KERNELS_ATTENTION_H

#include "kernels/kernels.h"

#define WEFT_ATTENTION(name) void name(WeftTeam *team, const WeftAttention *jobs, size_t n_jobs)

WEFT_ATTENTION(weft_attention_ref);
WEFT_ATTENTION(weft_attention_avx2);
WEFT_ATTENTION(weft_attention_avx512);

#endif
