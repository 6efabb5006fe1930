#include "pipeline/sidecar.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/document.h"

/* ---- opening ---- */

/* The bytes that there were when it was opened; what grows meanwhile has changed. */
static gboolean read_facts(WeftSidecar *sidecar, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 size_bytes = 0;

	if (fstat(sidecar->fd, &sidecar->status) != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno));
		return FALSE;
	}
	if (!S_ISREG(sidecar->status.st_mode)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED, "not a regular file any more");
		return FALSE;
	}
	if (!weft_sniff(sidecar->fd, &sidecar->sniff, error) ||
	    !weft_fd_hash(sidecar->fd, "content", sum, (guint64)sidecar->status.st_size, &size_bytes,
			  error))
		return FALSE;
	g_strlcpy(sidecar->sha256, g_checksum_get_string(sum), sizeof sidecar->sha256);
	return TRUE;
}

WeftSidecar *weft_sidecar_open(const WeftFolder *folder, const char *path, const char *name)
{
	g_autoptr(WeftSidecar) sidecar = g_new0(WeftSidecar, 1);

	sidecar->name = g_strdup(name);
	sidecar->fd = weft_folder_open_beside(folder, path, name);
	if (sidecar->fd < 0 && (errno == ENOENT || errno == ELOOP))
		return NULL;
	if (sidecar->fd < 0)
		g_set_error(&sidecar->failure, WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno));
	else
		(void)read_facts(sidecar, &sidecar->failure); /* the failure is told by its reader */
	return g_steal_pointer(&sidecar);
}

void weft_sidecar_free(WeftSidecar *sidecar)
{
	if (sidecar == NULL)
		return;
	if (sidecar->fd >= 0)
		close(sidecar->fd);
	g_clear_error(&sidecar->failure);
	g_free(sidecar->name);
	g_free(sidecar);
}

gboolean weft_sidecar_is_type(const WeftSniff *sniff)
{
	return sniff->media_type != NULL && (strcmp(sniff->media_type, "text/vtt") == 0 ||
					     strcmp(sniff->media_type, "application/x-subrip") == 0);
}

/* ---- reading ---- */

static void add_fault(const WeftSidecar *sidecar, GPtrArray *faults, const GError *failure)
{
	g_autofree char *name = weft_path_display(sidecar->name);

	g_ptr_array_add(faults, g_error_new(WEFT_ERROR, failure->code, "%s: %s", name,
					    failure->message));
}

static gboolean is_wanted(const WeftDecodeOptions *options, const WeftAnchor *at)
{
	WeftLimits limits = options->limits;
	double end_s;

	weft_limits_fill(&limits);
	end_s = options->time_first + limits.recording_s;
	if (options->time_end > 0)
		end_s = fmin(end_s, options->time_end);
	return at->time[1] > options->time_first && at->time[0] < end_s;
}

/* All of its contents, as far as it can be read. FALSE: the helper has gone. */
static gboolean decode(const WeftSidecar *sidecar, WeftIngest *ingest,
		       const WeftDecodeOptions *options, GPtrArray *contents, GPtrArray *faults,
		       GError **error)
{
	g_autoptr(WeftDecoding) decoding =
		weft_ingest_decode(ingest, &sidecar->sniff, sidecar->fd, NULL, options, error);
	WeftPart *next = NULL;

	while (decoding != NULL && weft_decoding_next(decoding, &next, error)) {
		g_autoptr(WeftPart) part = next;

		if (part == NULL)
			return TRUE;
		if (part->kind == WEFT_PART_FAULT)
			add_fault(sidecar, faults, part->fault);
		if (part->content != NULL && part->content->text != NULL) {
			part->content->by = WEFT_BY_SIDECAR;
			g_ptr_array_add(contents, g_steal_pointer(&part->content));
		}
	}
	return FALSE;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	const WeftContent *left = *(WeftContent *const *)a, *right = *(WeftContent *const *)b;
	double left_s = g_array_index(left->anchors, WeftAnchor, 0).time[0];
	double right_s = g_array_index(right->anchors, WeftAnchor, 0).time[0];

	return (left_s > right_s) - (left_s < right_s);
}

/* In the order of time, without what nobody asked for. */
static GPtrArray *settle(GPtrArray *contents, const WeftDecodeOptions *options)
{
	GPtrArray *wanted = g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);

	g_ptr_array_sort(contents, by_time);
	for (guint i = 0; i < contents->len; i++) {
		WeftContent *content = contents->pdata[i];

		if (!is_wanted(options, &g_array_index(content->anchors, WeftAnchor, 0)))
			continue;
		g_ptr_array_add(wanted, content);
		contents->pdata[i] = NULL;
	}
	return wanted;
}

static gboolean read_type(const WeftSidecar *sidecar, GError **error)
{
	if (sidecar->failure != NULL) {
		g_propagate_error(error, g_error_copy(sidecar->failure));
		return FALSE;
	}
	if (weft_sidecar_is_type(&sidecar->sniff))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "no captions, but %s", sidecar->sniff.name);
	return FALSE;
}

gboolean weft_sidecar_read(const WeftSidecar *sidecar, WeftIngest *ingest,
			   const WeftDecodeOptions *options, GPtrArray **ret_contents,
			   GPtrArray **ret_faults, GError **error)
{
	g_autoptr(GPtrArray) contents =
		g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	g_autoptr(GError) failure = NULL;

	if (read_type(sidecar, &failure) &&
	    !decode(sidecar, ingest, options, contents, faults, &failure) &&
	    g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (sidecar->fd >= 0 && weft_document_has_changed(&sidecar->status, sidecar->fd)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED,
			    "its captions changed while they were read; run again");
		return FALSE;
	}
	if (failure == NULL && contents->len == 0 && faults->len == 0)
		g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_CORRUPT, "no captions in it");
	if (failure != NULL)
		add_fault(sidecar, faults, failure);
	*ret_contents = contents->len > 0 ? settle(contents, options) : NULL;
	*ret_faults = g_steal_pointer(&faults);
	return TRUE;
}
