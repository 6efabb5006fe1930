#include "kernels/gemm.h"

#include "kernels/vector_avx512.inc"

#include "kernels/gemm_fma.inc"
