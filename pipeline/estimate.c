#include "pipeline/estimate.h"

#include <math.h>
#include <string.h>

#define CLASSES_MAX 64 /* of names' ends; the rest is one class */

struct WeftEstimate {
	GPtrArray *classes; /* WeftEstimateClass */
};

WeftEstimate *weft_estimate_new(void)
{
	WeftEstimate *estimate = g_new0(WeftEstimate, 1);

	estimate->classes = g_ptr_array_new_with_free_func(g_free);
	return estimate;
}

void weft_estimate_free(WeftEstimate *estimate)
{
	if (estimate == NULL)
		return;
	g_ptr_array_unref(estimate->classes);
	g_free(estimate);
}

/* The end of the name in small letters; long or strange ends are no class of their own. */
static void name_of(const char *path, char ret_name[16])
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash : path, '.');
	gsize n = 0;

	ret_name[0] = '\0';
	if (dot == NULL || dot == path || dot[-1] == '/' || strlen(dot + 1) >= 8)
		return;
	for (const char *c = dot + 1; *c != '\0'; c++) {
		if (!g_ascii_isalnum(*c)) {
			ret_name[0] = '\0';
			return;
		}
		ret_name[n++] = g_ascii_tolower(*c);
		ret_name[n] = '\0';
	}
}

static WeftEstimateClass *class_of(WeftEstimate *estimate, const char *path)
{
	WeftEstimateClass *found;
	char name[16];

	name_of(path, name);
	if (estimate->classes->len >= CLASSES_MAX)
		g_strlcpy(name, "others", sizeof name);
	for (int pass = 0; pass < 2; pass++) {
		char wanted[16];

		g_strlcpy(wanted, name, sizeof wanted);
		if (pass == 0) /* a class that is there already, however many there are */
			name_of(path, wanted);
		for (guint i = 0; i < estimate->classes->len; i++) {
			found = g_ptr_array_index(estimate->classes, i);
			if (strcmp(found->name, wanted) == 0)
				return found;
		}
	}
	found = g_new0(WeftEstimateClass, 1);
	g_strlcpy(found->name, name, sizeof found->name);
	g_ptr_array_add(estimate->classes, found);
	return found;
}

void weft_estimate_add_file(WeftEstimate *estimate, const char *path, guint64 size_bytes,
			    gboolean is_known)
{
	WeftEstimateClass *member = class_of(estimate, path);

	member->n_files++;
	member->size_bytes += size_bytes;
	member->n_known += is_known ? 1 : 0;
}

static void add_counts(WeftEstimateCounts *to, const WeftEstimateCounts *more, double times)
{
	to->n_pages += more->n_pages * times;
	to->seconds += more->seconds * times;
	to->n_read += more->n_read * times;
	to->n_read_tokens += more->n_read_tokens * times;
	to->n_requests += more->n_requests * times;
	to->n_tokens += more->n_tokens * times;
	to->n_tiles += more->n_tiles * times;
	to->hear_s += more->hear_s * times;
}

void weft_estimate_add_work(WeftEstimate *estimate, const char *path, double work_s,
			    const WeftEstimateCounts *counts)
{
	WeftEstimateClass *member = class_of(estimate, path);

	member->n_measured++;
	member->work_s += work_s;
	member->work_square += work_s * work_s;
	if (counts != NULL)
		add_counts(&member->counts, counts, 1);
}

/* All measured files as if they were one class. */
static WeftEstimateClass sum_of(const WeftEstimate *estimate)
{
	WeftEstimateClass sum = {.name = ""};

	for (guint i = 0; i < estimate->classes->len; i++) {
		const WeftEstimateClass *member = g_ptr_array_index(estimate->classes, i);

		sum.n_files += member->n_files;
		sum.n_known += member->n_known;
		sum.n_measured += member->n_measured;
		sum.work_s += member->work_s;
		sum.work_square += member->work_square;
		add_counts(&sum.counts, &member->counts, 1);
	}
	return sum;
}

/* Files of the class that stand for each measured one of `from`, which is the class or all. A class
 * may have become smaller while it was worked on: never fewer than were measured. */
static double weight_of(const WeftEstimateClass *member, const WeftEstimateClass *from)
{
	guint64 n = member->n_files - MIN(member->n_known, member->n_files);

	return from->n_measured == 0 ? 0
				     : (double)MAX(n, member->n_measured) / (double)from->n_measured;
}

/* Of one document's work; of a class with a single one: as if all were one class. */
static double variance_of(const WeftEstimateClass *from, const WeftEstimateClass *sum)
{
	const WeftEstimateClass *of = from->n_measured > 1 ? from : sum;
	double n = (double)of->n_measured, mean = n > 0 ? of->work_s / n : 0;

	return n > 1 ? MAX((of->work_square - n * mean * mean) / (n - 1), 0) : 0;
}

WeftEstimateTotal weft_estimate_total(const WeftEstimate *estimate)
{
	WeftEstimateClass sum = sum_of(estimate);
	WeftEstimateTotal total = {.n_files = sum.n_files,
				   .n_known = sum.n_known,
				   .n_measured = sum.n_measured};
	double work = 0, variance = 0;

	for (guint i = 0; i < estimate->classes->len; i++) {
		const WeftEstimateClass *member = g_ptr_array_index(estimate->classes, i);
		const WeftEstimateClass *from = member->n_measured > 0 ? member : &sum;
		double weight = weight_of(member, from), n = (double)from->n_measured;

		add_counts(&total.counts, &from->counts, weight);
		work += from->work_s * weight;
		/* Of a sum over N files from n of them: N^2 s^2 / n (1 - n / N). */
		if (weight > 1)
			variance += weight * weight * n * variance_of(from, &sum) * (1 - 1 / weight);
		else if (from == &sum)
			variance += weight * n * variance_of(from, &sum);
	}
	if (sum.work_s > 0) {
		total.times = work / sum.work_s;
		total.error = work > 0 ? sqrt(variance) / work : 0;
	}
	return total;
}

static gint by_files(gconstpointer a, gconstpointer b)
{
	const WeftEstimateClass *first = *(WeftEstimateClass *const *)a;
	const WeftEstimateClass *second = *(WeftEstimateClass *const *)b;

	if (first->n_files != second->n_files)
		return first->n_files > second->n_files ? -1 : 1;
	return strcmp(first->name, second->name);
}

gsize weft_estimate_n_classes(const WeftEstimate *estimate)
{
	g_ptr_array_sort(estimate->classes, by_files);
	return estimate->classes->len;
}

const WeftEstimateClass *weft_estimate_class(const WeftEstimate *estimate, gsize i)
{
	return g_ptr_array_index(estimate->classes, i);
}

WeftEstimateCounts weft_estimate_class_counts(const WeftEstimate *estimate, gsize i)
{
	const WeftEstimateClass *member = weft_estimate_class(estimate, i);
	WeftEstimateClass sum = sum_of(estimate);
	const WeftEstimateClass *from = member->n_measured > 0 ? member : &sum;
	WeftEstimateCounts counts = {0};

	add_counts(&counts, &from->counts, weight_of(member, from));
	return counts;
}
