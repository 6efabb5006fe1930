/* sample.c - documents to do again. */
#include "base/error.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"

#define SUMMARY_BYTES_MAX ((gsize)1 << 20)

static char *fingerprint_of_last(const WeftOutputs *outputs, GError **error)
{
	g_autofree char *file = g_build_filename(outputs->folder, "summary.json", NULL);
	g_autofree char *text = NULL;
	gsize size;

	if (!weft_file_read(file, SUMMARY_BYTES_MAX, &text, &size, error))
		return NULL;
	g_autoptr(WeftJson) summary = weft_json_parse(text, size, WEFT_JSON_STRICT, error);
	const char *fingerprint =
		weft_json_string(weft_json_member(summary, "fingerprint"), NULL);
	if (summary && !fingerprint)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
			    "summary.json does not say which job ran last: run it again");
	return g_strdup(fingerprint);
}

GPtrArray *weft_outputs_sample(WeftOutputs *outputs, gboolean of_last_job, guint n, GError **error)
{
	g_autofree char *fingerprint = NULL;

	if (!outputs->catalog) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
			    "no catalogue to take documents from; weft rebuild-index makes it from the "
			    "records");
		return NULL;
	}
	if (of_last_job) {
		fingerprint = fingerprint_of_last(outputs, error);
		if (!fingerprint)
			return NULL;
	}
	return weft_catalog_sample(outputs->catalog, fingerprint, n, error);
}
