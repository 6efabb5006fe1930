/* variation.h - what one voice varies by what it says, measured without knowing who speaks.
 *
 * Given are steps: differences of neighbouring measurements, most of which are of one voice. Half of
 * their covariance, without the fifth of them that is largest (where the voice changes), is that
 * within speakers. Short measurements (cells) are many and give its shape; longer ones (windows) are
 * few and give its size. It is shrunk towards its diagonal, more so the fewer steps there are.
 */
#ifndef WEFT_ENCODERS_VARIATION_H
#define WEFT_ENCODERS_VARIATION_H

#include <glib.h>

#include "encoders/clusters.h"

typedef struct WeftVariation {
	/* lower triangle; times its transpose it is the covariance of a window */
	double factor[WEFT_CLUSTERS_DIMENSIONS][WEFT_CLUSTERS_DIMENSIONS];
} WeftVariation;

/* Arrays of WeftPoint. FALSE: there are too few. */
gboolean weft_variation_find(const GArray *cell_steps, const GArray *window_steps,
			     WeftVariation *ret_variation);
/* Into units in which the variation is 1 in every direction. */
void weft_variation_divide(const WeftVariation *variation, WeftPoint *point);

#endif
