#include "kernels/blocks_tiers.h"

#include "kernels/vector_avx2.inc"

#include "kernels/blocks_stored_fma.inc"
