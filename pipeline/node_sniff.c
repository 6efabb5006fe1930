/* node_sniff.c - opens a document, finds its type from its bytes, and its name: the hash.
 *
 * The id of a record is the hash of the content's hash and the job's fingerprint; what could not be
 * read has one from its path. The second document of the same content becomes a copy: only its path
 * will be added to the record. When lines go to stdout, each document has its own line.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/run.h"

#define HASH_STEP_BYTES ((guint64)16 << 20) /* a tenth of a second or two */

typedef struct Sniff {
	WeftRun *run;
	GHashTable *ids; /* char *: seen in this run */
} Sniff;

static gboolean sniff_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Sniff *sniff = g_new0(Sniff, 1);

	sniff->run = shared;
	sniff->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	*ret_state = sniff;
	return TRUE;
}

static void set_id(WeftDocument *document, const char *kind, const char *key,
                   const char *fingerprint)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(checksum, (const guchar *)kind, -1);
	g_checksum_update(checksum, (const guchar *)key, -1);
	g_checksum_update(checksum, (const guchar *)"\n", 1);
	g_checksum_update(checksum, (const guchar *)fingerprint, -1);
	g_snprintf(document->id, sizeof document->id, "sha256:%s", g_checksum_get_string(checksum));
}

/* Takes the error, unless there is a fault already. */
static void set_fault(WeftDocument *document, const char *stage, GError *take_error)
{
	if (document->fault == NULL)
		document->fault = weft_part_fault_new(stage, take_error, NULL);
	else
		g_error_free(take_error);
}

static gboolean open_document(WeftDocument *document, struct stat *ret_status)
{
	document->fd = open(document->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (document->fd < 0 || fstat(document->fd, ret_status) != 0) {
		set_fault(document, "open",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno)));
		return FALSE;
	}
	if (!S_ISREG(ret_status->st_mode)) {
		set_fault(
		    document, "open",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED, "not a regular file any more"));
		return FALSE;
	}
	return TRUE;
}

static gboolean has_changed(const struct stat *before, const struct stat *after)
{
	return before->st_size != after->st_size ||
	       before->st_mtim.tv_sec != after->st_mtim.tv_sec ||
	       before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

static void judge_type(WeftDocument *document)
{
	const WeftSniff *type = &document->sniff;

	if (document->size_bytes == 0) {
		document->is_skipped = TRUE;
		set_fault(document, "sniff",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_EMPTY, "the file is empty"));
	} else if (type->family == WEFT_FAMILY_NONE) {
		document->is_skipped = TRUE;
		set_fault(document, "sniff",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		                      "%s: not read by weft%s%s", type->name,
		                      type->hint != NULL ? "; " : "",
		                      type->hint != NULL ? type->hint : ""));
	}
}

/* A large file takes a while: a run that is to end does not wait for it. */
static gboolean hash_content(const WeftStop *stop, WeftRunner *runner, WeftDocument *document,
                             GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 size = 0, before;

	do {
		before = size;
		if (weft_runner_is_cancelled(runner) || weft_stop_is_asked(stop)) {
			g_propagate_error(error, weft_stop_fault());
			return FALSE;
		}
		if (!weft_fd_hash(document->fd, "content", sum, HASH_STEP_BYTES, &size, error))
			return FALSE;
	} while (size - before == HASH_STEP_BYTES);
	g_strlcpy(document->sha256, g_checksum_get_string(sum), sizeof document->sha256);
	document->size_bytes = size;
	return TRUE;
}

static void read_facts(const WeftStop *stop, WeftRunner *runner, WeftDocument *document)
{
	struct stat before, after;
	GError *failure = NULL;

	if (weft_stop_is_asked(stop)) {
		set_fault(document, "stop", weft_stop_fault());
		return;
	}
	if (!open_document(document, &before))
		return;
	if (!weft_sniff(document->fd, &document->sniff, &failure) ||
	    !hash_content(stop, runner, document, &failure)) {
		set_fault(document, "sniff", failure);
		return;
	}
	if (fstat(document->fd, &after) != 0 || has_changed(&before, &after)) {
		set_fault(document, "sniff",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
		                      "the file changed while it was read; run again"));
		document->sha256[0] = '\0';
		return;
	}
	judge_type(document);
}

static WeftStep sniff_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Sniff *sniff = state;
	g_autoptr(WeftItem) item = take_item;
	WeftDocument *document = item->begin;
	WeftRun *run = sniff->run;

	weft_run_begin_file(run, document->path);
	if (document->fault == NULL)
		read_facts(run->stop, runner, document);
	document->is_left =
	    document->fault != NULL &&
	    g_error_matches(document->fault->error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
	if (document->sha256[0] != '\0')
		set_id(document, "content:", document->sha256, run->fingerprint);
	else
		set_id(document, "path:", document->path, run->fingerprint);

	if (weft_store_is_folder(run->store) && document->sha256[0] != '\0') {
		document->is_known = !g_hash_table_contains(sniff->ids, document->id) &&
		                     weft_store_has(run->store, document->id);
		document->is_copy =
		    document->is_known || !g_hash_table_add(sniff->ids, g_strdup(document->id));
	}
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

static void sniff_done(void *state)
{
	Sniff *sniff = state;

	g_hash_table_unref(sniff->ids);
	g_free(sniff);
}

const WeftNodeClass weft_node_sniff = {"sniff", sniff_init, sniff_step, NULL, sniff_done};
