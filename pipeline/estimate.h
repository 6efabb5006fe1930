/* estimate.h - what the inputs of a job hold, and how long all of them take, from some of them.
 *
 * Part of the door: include "pipeline/pipeline.h". Files are put into classes by the end of their
 * names ("pdf", "jpg"): that is known of each without opening it. The files that were looked at or
 * worked on are a fair sample: those whose SHA-256 of the path comes first, so that the same call
 * takes the same files, and a larger sample holds the smaller one. A class as a whole is taken to
 * be its measured files, times its files over those that were measured; a class of which none was
 * measured is taken to be like the mean of all.
 *
 * Time: each measured document was under way for a while, several at once. The time that the run
 * took is shared out over them by that, which gives the cost of a class.
 */
#ifndef WEFT_PIPELINE_ESTIMATE_H
#define WEFT_PIPELINE_ESTIMATE_H

#include <glib.h>

/* What documents hold, and what would be asked about them. */
typedef struct WeftEstimateCounts {
	double n_pages, seconds;     /* of sound and video */
	double hear_s;               /* of sound that Whisper listens to */
	double n_read;               /* pictures that a reader looks at first */
	double n_read_tokens;        /* of them, where the bundle reads */
	double n_requests;           /* of the task */
	double n_tokens;             /* of the documents, in requests: text, pictures, sound */
	double n_tiles;              /* of pictures in requests, and of those that the bundle reads */
} WeftEstimateCounts;

typedef struct WeftEstimateClass {
	char name[16];          /* "pdf"; "": a name without an end; "others" */
	guint64 n_files, size_bytes;
	guint64 n_known;        /* of n_files: unchanged since an earlier run */
	guint64 n_measured;
	WeftEstimateCounts counts;    /* of the measured */
	double work_s, work_square;   /* of the measured: sums of the time under way, of its square */
} WeftEstimateClass;

typedef struct WeftEstimate WeftEstimate;

WeftEstimate *weft_estimate_new(void);
void weft_estimate_free(WeftEstimate *estimate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftEstimate, weft_estimate_free)

void weft_estimate_add_file(WeftEstimate *estimate, const char *path, guint64 size_bytes,
			    gboolean is_known);
void weft_estimate_add_work(WeftEstimate *estimate, const char *path, double work_s,
			    const WeftEstimateCounts *counts);

/* All files that are not known, from those that were measured. */
typedef struct WeftEstimateTotal {
	guint64 n_files, n_known, n_measured;
	WeftEstimateCounts counts; /* of all that are not known */
	double times;              /* their work, as a multiple of the work that was measured */
	double error;              /* standard error of `times`, as a share of it */
} WeftEstimateTotal;
WeftEstimateTotal weft_estimate_total(const WeftEstimate *estimate);

/* The classes, by the number of their files, most first. The same with their counts carried over to
 * all their files that are not known. */
gsize weft_estimate_n_classes(const WeftEstimate *estimate);
const WeftEstimateClass *weft_estimate_class(const WeftEstimate *estimate, gsize i);
WeftEstimateCounts weft_estimate_class_counts(const WeftEstimate *estimate, gsize i);

#endif
