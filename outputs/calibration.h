/* calibration.h - part of the door of outputs: is a confidence of 0.9 right nine times in ten?
 *
 * Values that somebody has looked at (outputs/corrections.h) are observations: how sure the model was,
 * and whether it was right. Of them:
 *
 *     table     ten bins of confidence: how many, how sure on average, how many right
 *     ece       expected calibration error: |sure - right| of each bin, weighed by its count
 *     brier     mean of (confidence - right)^2
 *     curve     a rising line from confidence to share of right ones: observations in the order of
 *               confidence, in groups of at least WEFT_CALIBRATION_GROUP, each group's share taken as
 *               (right + 1) / (n + 2), made to rise by pooling neighbours (isotonic regression),
 *               straight between the means of groups
 *
 * Ece and brier of the curve are cross-validated: each fifth of the observations by the curve of the
 * other four, by which value belongs to which fifth follows from its record and pointer alone. A curve
 * needs WEFT_CALIBRATION_MIN observations, some of them right and some wrong: fewer say nothing.
 *
 * Corrections are no fair sample: who notes only what is wrong, learns only that.
 */
#ifndef WEFT_OUTPUTS_CALIBRATION_H
#define WEFT_OUTPUTS_CALIBRATION_H

#include <glib.h>

#include "base/json.h"

#define WEFT_CALIBRATION_BINS 10
#define WEFT_CALIBRATION_MIN 50u
#define WEFT_CALIBRATION_GROUP 10u

typedef struct WeftObservation {
	double confidence; /* 0..1 */
	gboolean is_right;
	guint32 hash;      /* of record and pointer */
} WeftObservation;

typedef struct WeftReliabilityBin {
	guint64 n, n_right;
	double confidence; /* the mean of its observations; 0: none */
} WeftReliabilityBin;

typedef struct WeftReliability {
	guint64 n, n_right;
	double ece, brier; /* 0 without observations */
	WeftReliabilityBin bins[WEFT_CALIBRATION_BINS];
} WeftReliability;

/* Of WeftObservation. */
WeftReliability weft_reliability_of(const GArray *observations);

typedef struct WeftCalibration WeftCalibration;

/* NULL: too few, or all right, or all wrong. */
WeftCalibration *weft_calibration_fit(const GArray *observations);
void weft_calibration_free(WeftCalibration *calibration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCalibration, weft_calibration_free)

/* The share of right ones among values of this confidence; -1 for a negative one, and (with a
 * model_id that is not NULL) for a model that the curve was not made from. */
double weft_calibration_apply(const WeftCalibration *calibration, const char *model_id,
			      double confidence);
/* The model of a record that has one was among those that were observed. */
void weft_calibration_add_model(WeftCalibration *calibration, const char *model_id);

/* Reliability of the curve's own confidences, cross-validated; FALSE: a fifth leaves too few. */
gboolean weft_calibration_judge(const GArray *observations, WeftReliability *ret_reliability);

/* Members "models" and "curve" of the object at hand; and back: the whole file. WEFT_ERROR_CORRUPT.
 * *ret_calibration NULL: the file has no curve. */
void weft_calibration_write(const WeftCalibration *calibration, WeftJsonWriter *w);
gboolean weft_calibration_read(const WeftJson *file, WeftCalibration **ret_calibration,
			       GError **error);

/* Points of the curve (WEFT_CALIBRATION_*), for a picture. */
typedef struct WeftCalibrationPoint {
	double confidence, share;
} WeftCalibrationPoint;
const GArray *weft_calibration_points(const WeftCalibration *calibration);

#endif
