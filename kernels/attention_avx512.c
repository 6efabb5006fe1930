#include "kernels/attention.h"

#include "kernels/vector_avx512.inc"

#include "kernels/attention_fma.inc"
