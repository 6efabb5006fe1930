#include "cli/plan_words.h"

#include <math.h>
#include <string.h>

#define SPREAD_MIN 10 /* documents, for a standard error to mean something */

static char *scaled(double value, double step, const char *const *units, gsize n_units)
{
	gsize i = 0;
	while (i + 1 < n_units && value >= step) {
		value /= step;
		i++;
	}
	return g_strdup_printf(i == 0 || value >= 1000 ? "%.0f %s" : value >= 100 ? "%.1f %s" : "%.2f %s",
			       value, units[i]);
}

char *weft_words_bytes(double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	return scaled(bytes, 1000, units, G_N_ELEMENTS(units));
}

char *weft_words_binary(double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	return scaled(bytes, 1024, units, G_N_ELEMENTS(units));
}

char *weft_words_time(double seconds)
{
	if (!isfinite(seconds))
		return g_strdup("for ever");
	if (seconds < 0.1)
		return g_strdup_printf("%.2g ms", seconds * 1e3);
	if (seconds < 10)
		return g_strdup_printf("%.1f s", seconds);
	if (seconds < 120)
		return g_strdup_printf("%.0f s", seconds);
	if (seconds < 120 * 60)
		return g_strdup_printf("%.0f min", seconds / 60);
	if (seconds < 48 * 3600)
		return g_strdup_printf("%.0f h", seconds / 3600);
	return g_strdup_printf("%.0f d", seconds / 86400);
}

char *weft_words_count(double n)
{
	g_autofree char *digits = g_strdup_printf("%.0f", n);
	gsize size = strlen(digits);
	GString *text = g_string_new(NULL);
	for (gsize i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0 && g_ascii_isdigit(digits[i - 1]))
			g_string_append_c(text, ',');
		g_string_append_c(text, digits[i]);
	}
	return g_string_free(text, FALSE);
}

char *weft_words_rate(double per_s)
{
	if (!isfinite(per_s))
		return g_strdup("no end of");
	if (per_s < 1000)
		return g_strdup_printf("%.3g", per_s);
	double step = pow(10, floor(log10(per_s)) - 2);
	return weft_words_count(round(per_s / step) * step);
}

char *weft_words_parameters(double n)
{
	return n < 1e8 ? g_strdup_printf("%.2f million", n / 1e6) : g_strdup_printf("%.2f billion", n / 1e9);
}

char *weft_words_error(guint64 n_measured, double error)
{
	/* The spread of a few documents says nothing of the spread of all. */
	return n_measured < SPREAD_MIN ? g_strdup("") : g_strdup_printf("; +- %.0f %%", error * 100);
}

static void print_row(FILE *to, const char *name, double n_files, double n_new,
		      const WeftEstimateCounts *counts)
{
	g_autofree char *files = weft_words_count(n_files);
	g_autofree char *fresh = weft_words_count(n_new);
	g_autofree char *pages = weft_words_count(counts->n_pages);
	g_autofree char *seconds = weft_words_count(counts->seconds);
	g_autofree char *read = weft_words_count(counts->n_read);
	g_autofree char *requests = weft_words_count(counts->n_requests);
	g_autofree char *tokens = weft_words_count(counts->n_tokens + counts->n_read_tokens);
	fprintf(to, "  %-10s %11s %11s %11s %11s %11s %11s %15s\n", name, files, fresh, pages, seconds,
		read, requests, tokens);
}

void weft_words_add_count(GString *line, guint64 n, const char *word)
{
	if (n > 0)
		g_string_append_printf(line, "%s%" G_GUINT64_FORMAT " %s", line->len > 0 ? ", " : "",
				       n, word);
}

void weft_words_estimate(FILE *to, const WeftEstimate *estimate)
{
	WeftEstimateTotal total = weft_estimate_total(estimate);

	fprintf(to, "  %-10s %11s %11s %11s %11s %11s %11s %15s\n", "type", "files", "to do", "pages",
		"seconds", "to read", "requests", "tokens");
	for (gsize i = 0; i < weft_estimate_n_classes(estimate); i++) {
		const WeftEstimateClass *member = weft_estimate_class(estimate, i);
		WeftEstimateCounts counts = weft_estimate_class_counts(estimate, i);
		print_row(to, member->name[0] ? member->name : "(none)", (double)member->n_files,
			  (double)(member->n_files - member->n_known), &counts);
	}
	print_row(to, "all", (double)total.n_files, (double)(total.n_files - total.n_known),
		  &total.counts);
}
