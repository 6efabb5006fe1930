/* reliability_svg.h - how sure and how right, as a picture (SVG).
 *
 * Above, a bar for each bin of confidence: as high as the share of right values in it; the line from corner
 * to corner is where bars of a model end that knows how sure it may be; the stepless line is the calibration.
 * Below, how many values each bin has. Light and dark pages are both white paper.
 */
#ifndef WEFT_CLI_RELIABILITY_SVG_H
#define WEFT_CLI_RELIABILITY_SVG_H

#include <glib.h>

#include "outputs/outputs.h"

/* `calibration` NULL: no line. Caller frees. */
char *weft_reliability_svg(const WeftReliability *reliability, const WeftCalibration *calibration);

#endif
