/* spectrum.h - power_spectrum: |DFT|^2 of windowed frames; see kernels.h. */
#ifndef WEFT_KERNELS_SPECTRUM_H
#define WEFT_KERNELS_SPECTRUM_H

#include "kernels/kernels.h"

#define WEFT_POWER_SPECTRUM(name)                                                                  \
	void name(WeftTeam *team, float *power, const float *samples, const double *window,        \
		  size_t n_frames, size_t frame_size, size_t hop)

WEFT_POWER_SPECTRUM(weft_power_spectrum_ref);

#endif
