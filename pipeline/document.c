#include "pipeline/document.h"

#include <unistd.h>

#include "pipeline/beside.h"
#include "pipeline/members.h"

WeftDocument *weft_document_new(guint64 number, const char *path, WeftBudget *take_place)
{
	WeftDocument *document = g_new0(WeftDocument, 1);

	document->number = number;
	document->path = g_strdup(path);
	document->fd = -1;
	document->place = take_place;
	return document;
}

void weft_document_free(WeftDocument *document)
{
	if (document == NULL)
		return;
	if (document->fd >= 0)
		close(document->fd);
	weft_folder_unref(document->folder);
	if (document->place != NULL)
		weft_budget_leave(document->place);
	weft_part_fault_free(document->fault);
	weft_sidecar_free(document->sidecar);
	g_clear_pointer(&document->recordings, g_ptr_array_unref);
	g_free(document->captions);
	g_free(document->captions_of);
	g_free(document->sidecar_path);
	g_clear_pointer(&document->members, g_ptr_array_unref);
	g_free(document->name);
	g_free(document->sidecar_name);
	g_free(document->path);
	g_free(document);
}

/* With other captions, or as captions of something, the same bytes are another document. */
static void add_beside(const WeftDocument *document, GChecksum *sum)
{
	g_autofree char *line =
		document->sidecar_path != NULL
			? g_strdup_printf("sidecar:%s\n", document->sidecar_sha256)
			: document->captions_of != NULL
				  ? g_strdup_printf("captions of:%s\n", document->captions_of)
				  : g_strdup("");

	g_checksum_update(sum, (const guchar *)line, -1);
}

struct stat weft_document_row_status(const WeftDocument *document)
{
	return weft_beside_status(&document->status, document->mark);
}

void weft_document_id(const WeftDocument *document, const char *fingerprint, char ret_id[72])
{
	gboolean has_content = document->sha256[0] != '\0';
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, (const guchar *)(has_content ? "content:" : "path:"), -1);
	g_checksum_update(sum, (const guchar *)(has_content ? document->sha256 : document->path), -1);
	g_checksum_update(sum, (const guchar *)"\n", 1);
	if (document->members != NULL)
		weft_members_hash(document, sum);
	else if (has_content)
		add_beside(document, sum);
	g_checksum_update(sum, (const guchar *)fingerprint, -1);
	g_snprintf(ret_id, 72, "sha256:%s", g_checksum_get_string(sum));
}

void weft_document_name(WeftDocument *document, const char *fingerprint)
{
	weft_document_id(document, fingerprint, document->id);
}

static gboolean differs(const struct timespec *before, const struct timespec *after)
{
	return before->tv_sec != after->tv_sec || before->tv_nsec != after->tv_nsec;
}

gboolean weft_document_has_changed(const struct stat *before, int fd)
{
	struct stat after;

	return fstat(fd, &after) != 0 || before->st_size != after.st_size ||
	       differs(&before->st_mtim, &after.st_mtim) ||
	       differs(&before->st_ctim, &after.st_ctim);
}
