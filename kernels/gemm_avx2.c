#include "kernels/gemm.h"

#include "kernels/vector_avx2.inc"

#include "kernels/gemm_fma.inc"
