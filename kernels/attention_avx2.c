#include "kernels/attention.h"

#include "kernels/vector_avx2.inc"

#include "kernels/attention_fma.inc"
