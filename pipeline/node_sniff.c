/* node_sniff.c - opens a document, finds its type from its bytes, and its name: the hash.
 *
 * Captions that lie beside a recording are opened and hashed with it. On their own, such captions are
 * skipped, so that nothing is read twice.
 *
 * The id of a record is the hash of the content's hash and the job's fingerprint; what could not be
 * read has one from its path. The second document of the same content becomes a copy: only its path
 * will be added to the record. When lines go to stdout, each document has its own line.
 *
 * Of several that are one document together, each is looked at like one of its own, and closed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/beside.h"
#include "pipeline/members.h"
#include "pipeline/run.h"

/* The kernel's clock for files ticks every 1 to 10 ms. */
#define TICK_NS ((gint64)20 * 1000 * 1000)
#define SLOW_TICK_NS ((gint64)2 * 1000 * 1000 * 1000) /* FAT keeps every second second */
/* Of a file of this size and more at least one part in so many is stored, or it is not read. */
#define HOLLOW_BYTES_MIN ((guint64)1 << 30)
#define HOLLOW_PARTS 16
#define HASH_STEP_BYTES ((guint64)16 << 20) /* a tenth of a second or two */

typedef struct Sniff {
	WeftRun *run;
	GPtrArray *deferred; /* Deferred */
} Sniff;

/* A document that another run was at work on when its turn came. */
typedef struct Deferred {
	char *path;
	guint64 number;
	gboolean has_status;
	struct stat status;
	char *captions;
	GPtrArray *recordings;
	guint64 mark;
} Deferred;

static void deferred_free(void *data)
{
	Deferred *deferred = data;

	g_clear_pointer(&deferred->recordings, g_ptr_array_unref);
	g_free(deferred->captions);
	g_free(deferred->path);
	g_free(deferred);
}

static gboolean sniff_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Sniff *sniff = g_new0(Sniff, 1);

	sniff->run = shared;
	sniff->deferred = g_ptr_array_new_with_free_func(deferred_free);
	*ret_state = sniff;
	return TRUE;
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
	document->fd = weft_folder_open_file(document->folder, document->path);
	if (document->fd < 0 && errno == ELOOP && document->folder != NULL) {
		set_fault(document, "open",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
		                      "a link now, which is not followed"));
		return FALSE;
	}
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
	document->has_status = TRUE;
	document->status = *ret_status;
	return TRUE;
}

/* A change within the same tick of the filesystem's clock would leave times and size as they are:
 * bytes are hashed when the last change is a tick past, and if that takes longer, the file is looked
 * at again by the next run. A filesystem that keeps whole seconds, or two, ticks so slowly. */
static void settle_clock(WeftDocument *document, const struct stat *status)
{
	gint64 change_ns = (gint64)status->st_ctim.tv_sec * 1000000000 + status->st_ctim.tv_nsec;
	gint64 tick_ns = status->st_ctim.tv_nsec == 0 ? SLOW_TICK_NS : TICK_NS;
	gint64 left_ns = change_ns + tick_ns - g_get_real_time() * 1000;

	if (left_ns <= 0)
		return;
	if (left_ns <= TICK_NS) {
		struct timespec rest = {0, left_ns};

		(void)nanosleep(&rest, NULL); /* nothing tells that a tick is over */
		return;
	}
	document->has_status = FALSE;
}

/* Holes are read as zeros, for hours where a file is nothing else. */
static gboolean is_hollow(const struct stat *status)
{
	guint64 size = (guint64)status->st_size, stored = (guint64)status->st_blocks * 512;

	return size >= HOLLOW_BYTES_MIN && stored < size / HOLLOW_PARTS;
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

/* ---- what lies beside ---- */

static char *path_beside(const WeftDocument *document, const char *name)
{
	const char *slash = strrchr(document->path, '/');
	g_autofree char *prefix =
		g_strndup(document->path, slash != NULL ? (gsize)(slash + 1 - document->path) : 0);

	return g_strconcat(prefix, name, NULL);
}

/* Those that are there now, whatever the walk has seen. */
static void add_captions(WeftDocument *document)
{
	document->sidecar = weft_sidecar_open(document->folder, document->path, document->captions);
	document->mark = 0;
	if (document->sidecar == NULL)
		return;
	document->mark = weft_beside_mark(0, document->captions, &document->sidecar->status);
	document->sidecar_path = path_beside(document, document->captions);
	g_strlcpy(document->sidecar_sha256, document->sidecar->sha256,
		  sizeof document->sidecar_sha256);
	settle_clock(document, &document->sidecar->status);
}

static gboolean is_recording(const WeftDocument *document, const char *name)
{
	int fd = weft_folder_open_beside(document->folder, document->path, name);
	struct stat status;
	WeftSniff sniff = {0};
	gboolean is_read = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
			   weft_sniff(fd, &sniff, NULL);

	if (fd >= 0)
		close(fd);
	return is_read && sniff.family == WEFT_FAMILY_AV;
}

/* What captions say is in the record of their recording. */
static void find_recording(WeftDocument *document)
{
	for (guint i = 0; i < document->recordings->len; i++) {
		const char *name = document->recordings->pdata[i];
		g_autofree char *shown = NULL;

		if (!is_recording(document, name))
			continue;
		shown = weft_path_display(name);
		document->captions_of = g_strdup(name);
		document->is_skipped = TRUE;
		set_fault(document, "sniff",
			  g_error_new(WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED, WEFT_CAPTIONS_OF "%s", shown));
		return;
	}
}

/* No more than the size says: what has none (files of /proc) is empty, what grows meanwhile has
 * changed. A large file takes a while: a run that is to end does not wait for it. */
static gboolean hash_content(const WeftStop *stop, WeftRunner *runner, WeftDocument *document,
                             guint64 size_max, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 size = 0, before;

	do {
		before = size;
		if (weft_runner_is_cancelled(runner) || weft_stop_is_asked(stop)) {
			g_propagate_error(error, weft_stop_fault());
			return FALSE;
		}
		if (!weft_fd_hash(document->fd, "content", sum,
		                  MIN(HASH_STEP_BYTES, size_max - size), &size, error))
			return FALSE;
	} while (size - before == HASH_STEP_BYTES);
	g_strlcpy(document->sha256, g_checksum_get_string(sum), sizeof document->sha256);
	document->size_bytes = size;
	return TRUE;
}

/* A file without size is not read at all: files of /proc and /sys may wait, or act. */
static gboolean sniff_type(WeftDocument *document, const struct stat *status, GError **error)
{
	if (status->st_size > 0)
		return weft_sniff(document->fd, &document->sniff, error);
	document->sniff = (WeftSniff){.media_type = "application/x-empty", .name = "empty file"};
	return TRUE;
}

static void read_facts(const WeftStop *stop, WeftRunner *runner, WeftDocument *document)
{
	struct stat before;
	GError *failure = NULL;

	if (weft_stop_is_asked(stop)) {
		set_fault(document, "stop", weft_stop_fault());
		return;
	}
	if (!open_document(document, &before))
		return;
	if (is_hollow(&before)) {
		set_fault(document, "open",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT,
		                      "%" G_GUINT64_FORMAT " bytes, of which %" G_GUINT64_FORMAT
		                      " are stored: a file that is mostly holes is not read",
		                      (guint64)before.st_size, (guint64)before.st_blocks * 512));
		return;
	}
	settle_clock(document, &before);
	if (!sniff_type(document, &before, &failure) ||
	    !hash_content(stop, runner, document, (guint64)before.st_size, &failure)) {
		set_fault(document, "sniff", failure);
		return;
	}
	if (weft_document_has_changed(&before, document->fd)) {
		set_fault(document, "sniff",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
		                      "the file changed while it was read; run again"));
		document->sha256[0] = '\0';
		return;
	}
	judge_type(document);
	if (document->sniff.family == WEFT_FAMILY_AV && document->captions != NULL)
		add_captions(document);
	else if (document->recordings != NULL && weft_sidecar_is_type(&document->sniff))
		find_recording(document);
}

/* So many files need not be open at once: decode opens each again, and sees whether it is the same. */
static void read_members(WeftRun *run, WeftRunner *runner, WeftDocument *document)
{
	for (guint i = 0; i < document->members->len; i++) {
		WeftDocument *member = document->members->pdata[i];

		weft_run_begin_file(run, member->path);
		if (member->fault == NULL)
			read_facts(run->stop, runner, member);
		g_clear_pointer(&member->sidecar, weft_sidecar_free);
		if (member->fd >= 0)
			close(member->fd);
		member->fd = -1;
	}
	weft_members_settle(document);
}

/* A record of the same content and job from before ids were made as they are. FALSE with an error:
 * the output can't be written. */
static gboolean adopt(const WeftRun *run, const WeftDocument *document, GError **error)
{
	g_autofree char *versions = weft_run_versions(run);
	WeftAddress address = {document->id, run->fingerprint, versions};
	GError *failure = NULL;
	char before[72];

	weft_document_id(document, run->fingerprint_before, before);
	if (run->job->is_dry || weft_store_adopt(run->store, before, &address, document, &failure) ||
	    failure == NULL)
		return TRUE;
	g_propagate_error(error, failure);
	return FALSE;
}

/* What earlier runs, and this one, made of the same bytes. */
static gboolean look_back(const WeftRun *run, WeftDocument *document, GError **error)
{
	/* First the claim, then the look: who has a claim from another has its record, too. */
	WeftClaim claim = weft_store_claim(run->store, document->id);
	gboolean is_first = claim == WEFT_CLAIM_FIRST;

	if (claim == WEFT_CLAIM_ELSEWHERE) {
		document->is_elsewhere = document->is_copy = TRUE;
		return TRUE;
	}
	if (document->sha256[0] == '\0') {
		document->has_before = weft_store_look(run->store, document->id, &document->before);
		return TRUE;
	}
	if (is_first && !weft_store_has(run->store, document->id) && !adopt(run, document, error))
		return FALSE;
	if (is_first && weft_store_look(run->store, document->id, &document->before)) {
		document->has_before = weft_run_tries_again(run, &document->before);
		document->is_known = !document->has_before;
	}
	document->is_copy = document->is_known || !is_first;
	return TRUE;
}

static gboolean sniff_document(Sniff *sniff, WeftRunner *runner, WeftDocument *document,
			       GError **error)
{
	WeftRun *run = sniff->run;

	if (document->members != NULL) {
		read_members(run, runner, document);
	} else {
		weft_run_begin_file(run, document->path);
		if (document->fault == NULL)
			read_facts(run->stop, runner, document);
	}
	document->is_left =
	    document->fault != NULL &&
	    g_error_matches(document->fault->error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
	weft_document_name(document, run->fingerprint);
	if (weft_store_is_folder(run->store) && !document->is_inventory &&
	    !look_back(run, document, error)) {
		run->failed_to_write = TRUE;
		return FALSE;
	}
	return TRUE;
}

static void defer(Sniff *sniff, const WeftDocument *document)
{
	Deferred *deferred = g_new0(Deferred, 1);

	deferred->path = g_strdup(document->path);
	deferred->number = document->number;
	deferred->has_status = document->has_status;
	deferred->status = document->status;
	deferred->captions = g_strdup(document->captions);
	if (document->recordings != NULL)
		deferred->recordings = g_ptr_array_ref(document->recordings);
	deferred->mark = document->mark;
	g_ptr_array_add(sniff->deferred, deferred);
}

static WeftStep sniff_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Sniff *sniff = state;
	g_autoptr(WeftItem) item = take_item;

	if (!sniff_document(sniff, runner, item->begin, error))
		return WEFT_STEP_FAILED;
	if (item->begin->is_elsewhere && item->begin->fault == NULL) {
		defer(sniff, item->begin);
		return WEFT_STEP_MORE;
	}
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

/* The other run has finished it by now, or has ended before it could; or else it is left to it. */
static WeftStep sniff_flush(void *state, WeftRunner *runner, GError **error)
{
	Sniff *sniff = state;
	WeftBudget *budget = sniff->run->budget;

	for (guint i = 0; i < sniff->deferred->len; i++) {
		const Deferred *deferred = g_ptr_array_index(sniff->deferred, i);
		g_autoptr(WeftItem) item = NULL;

		if (!weft_budget_enter(budget))
			return WEFT_STEP_END;
		item = weft_item_new(WEFT_ITEM_BEGIN, deferred->number);
		item->begin = weft_document_new(deferred->number, deferred->path, budget);
		item->begin->begin_ns = weft_trace_now_ns();
		item->begin->has_status = deferred->has_status;
		item->begin->status = deferred->status;
		item->begin->captions = g_strdup(deferred->captions);
		if (deferred->recordings != NULL)
			item->begin->recordings = g_ptr_array_ref(deferred->recordings);
		item->begin->mark = deferred->mark;
		if (!sniff_document(sniff, runner, item->begin, error))
			return WEFT_STEP_FAILED;
		if (!weft_runner_send(runner, g_steal_pointer(&item)))
			return WEFT_STEP_END;
	}
	return WEFT_STEP_MORE;
}

static void sniff_done(void *state)
{
	Sniff *sniff = state;

	g_ptr_array_unref(sniff->deferred);
	g_free(sniff);
}

const WeftNodeClass weft_node_sniff = {"sniff", sniff_init, sniff_step, sniff_flush, sniff_done};
