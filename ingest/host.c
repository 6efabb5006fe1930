#include "ingest/host.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/program.h"
#include "ingest/transport.h"

#define ENDED_MS 5000  /* a killed worker with gigabytes mapped */
#define COPY_STEP_BYTES ((gsize)4 << 20)
#define POOL_MAX 64u   /* slots kept for later documents */

static const char *const PROGRAM_NAMES[WEFT_N_PROGRAMS] = {
    [WEFT_PROGRAM_PDF] = "weft-decode-pdf",
    [WEFT_PROGRAM_IMAGE] = "weft-decode-image",
    [WEFT_PROGRAM_AV] = "weft-decode-av",
    [WEFT_PROGRAM_OCR] = "weft-decode-ocr",
};

struct WeftIngest {
	char *helper_dir;
	char *versions;
	gboolean unlocked; /* the user does without a jail */
	pthread_mutex_t lock; /* guards all below; what programs said stays as it was at the start */
	WeftProgram programs[WEFT_N_PROGRAMS];
	gboolean interrupted;
	GArray *pool; /* of int: memory descriptors, cleared */
	WeftMemory *memory;
};

/* --- programs --- */

WeftIngest *weft_ingest_open(const char *helper_dir, GError **error)
{
	WeftIngest *ingest = g_new0(WeftIngest, 1);
	g_autoptr(GString) versions = g_string_new(NULL);
	ingest->helper_dir = g_strdup(helper_dir);
	ingest->pool = g_array_new(FALSE, FALSE, sizeof(int));
	ingest->memory = weft_memory_new();
	pthread_mutex_init(&ingest->lock, NULL);
	for (guint i = 0; i < WEFT_N_PROGRAMS; i++) {
		g_autofree char *path = g_build_filename(helper_dir, PROGRAM_NAMES[i], NULL);
		if (!weft_program_start(&ingest->programs[i], path, error)) {
			weft_ingest_close(ingest);
			return NULL;
		}
	}
	for (guint i = 0; i < WEFT_N_PROGRAMS; i++) {
		WeftProgram *program = &ingest->programs[i];
		weft_program_greet(program);
		if (program->versions)
			g_string_append_printf(versions, "%s%s", versions->len ? "; " : "",
			                       program->versions);
	}
	ingest->versions = g_strdup(versions->str);
	return ingest;
}

void weft_ingest_close(WeftIngest *ingest)
{
	if (!ingest)
		return;
	for (guint i = 0; i < WEFT_N_PROGRAMS; i++)
		weft_program_stop(&ingest->programs[i]);
	for (guint i = 0; i < ingest->pool->len; i++)
		close(g_array_index(ingest->pool, int, i));
	g_array_unref(ingest->pool);
	weft_memory_unref(ingest->memory);
	pthread_mutex_destroy(&ingest->lock);
	g_free(ingest->versions);
	g_free(ingest->helper_dir);
	g_free(ingest);
}

void weft_ingest_adopt(WeftIngest *ingest, WeftProgramId id, int take_socket)
{
	WeftProgram *program = &ingest->programs[id];
	weft_program_stop(program);
	*program = (WeftProgram){
	    .path = g_strdup(PROGRAM_NAMES[id]),
	    .is_up = TRUE,
	    .socket = take_socket,
	    .has_reader = id == WEFT_PROGRAM_OCR,
	    .versions = g_strdup(PROGRAM_NAMES[id]),
	};
}

/* They stay zombies until weft_ingest_close, so their numbers are theirs. */
void weft_ingest_interrupt(WeftIngest *ingest)
{
	pthread_mutex_lock(&ingest->lock);
	ingest->interrupted = TRUE;
	for (guint i = 0; i < WEFT_N_PROGRAMS; i++)
		if (ingest->programs[i].is_up && ingest->programs[i].pid != 0)
			kill(ingest->programs[i].pid, SIGKILL);
	pthread_mutex_unlock(&ingest->lock);
}

gboolean weft_ingest_limit_memory(WeftIngest *ingest, gsize decode_bytes, gsize read_bytes,
                                  const WeftLimits *limits, gboolean reads, GError **error)
{
	WeftLimits filled = *limits;
	weft_limits_fill(&filled);
	double picture = (double)weft_reading_bytes(1, (guint32)filled.raster_pixels);
	if (filled.decoder_bytes > (double)(decode_bytes + read_bytes)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "decoding has %zu bytes of it, and a document may take "
		            "decoder-bytes=%.15g",
		            decode_bytes + read_bytes, filled.decoder_bytes);
		return FALSE;
	}
	if (reads && picture > (double)read_bytes) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "reading has %zu bytes of it, and a picture of raster-pixels=%.15g takes "
		            "%.15g",
		            read_bytes, filled.raster_pixels, picture);
		return FALSE;
	}
	weft_memory_limit(ingest->memory, decode_bytes, read_bytes);
	return TRUE;
}

const char *weft_ingest_versions(const WeftIngest *ingest)
{
	return ingest->versions;
}

gboolean weft_ingest_walls(const WeftIngest *ingest, guint i, WeftWallsFacts *ret_facts)
{
	for (guint id = 0; id < WEFT_N_PROGRAMS; id++) {
		const WeftProgram *program = &ingest->programs[id];
		if (!program->versions || i-- > 0)
			continue;
		*ret_facts = (WeftWallsFacts){program->versions, program->walls, program->refusal};
		return TRUE;
	}
	return FALSE;
}

/* Why workers of this program can't be had with a jail, and what can be done. */
static gboolean can_lock(const WeftIngest *ingest, WeftProgramId id, GError **error)
{
	const WeftProgram *program = &ingest->programs[id];
	if (ingest->unlocked || !program->refusal)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_GONE,
	            "%s: %s; weft doctor says what there is, --no-sandbox decodes without it",
	            PROGRAM_NAMES[id], program->refusal);
	return FALSE;
}

gboolean weft_ingest_lock(WeftIngest *ingest, gboolean wanted, GError **error)
{
	ingest->unlocked = !wanted;
	for (guint id = 0; id < WEFT_N_PROGRAMS; id++)
		if (ingest->programs[id].versions && !can_lock(ingest, (WeftProgramId)id, error))
			return FALSE;
	return TRUE;
}

gboolean weft_ingest_has_ocr(const WeftIngest *ingest)
{
	return ingest->programs[WEFT_PROGRAM_OCR].has_reader;
}

/* --- shared memory --- */

static int slot_new(GError **error)
{
	int fd = memfd_create("weft-slot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && ftruncate(fd, (off_t)WEFT_WIRE_SLOT_BYTES) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "shared memory of %zu bytes: %s",
	            WEFT_WIRE_SLOT_BYTES, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int take_slot(WeftIngest *ingest, GError **error)
{
	int fd = -1;
	pthread_mutex_lock(&ingest->lock);
	if (ingest->pool->len > 0) {
		fd = g_array_index(ingest->pool, int, ingest->pool->len - 1);
		g_array_set_size(ingest->pool, ingest->pool->len - 1);
	}
	pthread_mutex_unlock(&ingest->lock);
	return fd >= 0 ? fd : slot_new(error);
}

/* Clears the memory and gives it back to the system; what can't be cleared is not used again. */
static void give_slot(WeftIngest *ingest, int fd)
{
	gboolean kept = FALSE;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	              (off_t)WEFT_WIRE_SLOT_BYTES) == 0) {
		pthread_mutex_lock(&ingest->lock);
		kept = ingest->pool->len < POOL_MAX;
		if (kept)
			g_array_append_val(ingest->pool, fd);
		pthread_mutex_unlock(&ingest->lock);
	}
	if (!kept)
		close(fd);
}

/* --- workers --- */

static int reopen(int document, GError **error)
{
	struct stat facts;
	char path[32];
	g_snprintf(path, sizeof path, "/proc/self/fd/%d", document);
	int fd = document < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
	                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "opening the document: %s",
		            g_strerror(errno));
		return -1;
	}
	if (document >= 0 && (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "not a regular file");
		close(fd);
		return -1;
	}
	return fd;
}

static void close_all(int *fds, guint n_fds)
{
	for (guint i = 0; i < n_fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static gboolean ask_for_worker(WeftIngest *ingest, WeftProgramId id, const int fds[WEFT_WIRE_FDS_MAX],
                               GError **error)
{
	pthread_mutex_lock(&ingest->lock);
	gboolean interrupted = ingest->interrupted;
	gboolean ok = !interrupted &&
	              weft_program_ask(&ingest->programs[id], !ingest->unlocked, fds, error);
	pthread_mutex_unlock(&ingest->lock);
	if (interrupted)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_GONE, "%s was ended with the run",
		            PROGRAM_NAMES[id]);
	return ok;
}

static gsize base_bytes(const WeftWorker *worker)
{
	return worker->is_reader ? WEFT_WIRE_READER_BASE_BYTES : WEFT_WIRE_BASE_BYTES;
}

gboolean weft_worker_start(WeftWorker *worker, WeftIngest *ingest, WeftProgramId id, int document,
                           const WeftLimits *limits, WeftWireOut *first, GError **error)
{
	int control[2] = {-1, -1}, work[2] = {-1, -1};
	memset(worker, 0, sizeof *worker);
	worker->ingest = ingest;
	/* a reader's clock begins anew with each picture */
	worker->is_reader = id == WEFT_PROGRAM_OCR;
	worker->total_s = worker->is_reader ? limits->reading_s : limits->total_s;
	worker->stall_s = worker->is_reader ? worker->total_s
	                                    : MIN(worker->total_s, limits->stall_s);
	worker->work = worker->control = worker->slots[0] = worker->slots[1] = -1;
	if (!ingest->programs[id].versions) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
		            "%s is not there or does not start (looked in %s)", PROGRAM_NAMES[id],
		            ingest->helper_dir);
		return FALSE;
	}
	if (!can_lock(ingest, id, error))
		return FALSE;
	document = reopen(document, error);
	if (document < 0)
		return FALSE;
	worker->memory = weft_memory_share_new(
	    ingest->memory, worker->is_reader ? WEFT_MEMORY_READ : WEFT_MEMORY_DECODE);
	worker->memory_bytes_max = limits->decoder_bytes;
	weft_memory_hold(worker->memory, base_bytes(worker));
	gboolean ok = (worker->slots[0] = take_slot(ingest, error)) >= 0 &&
	              (worker->slots[1] = take_slot(ingest, error)) >= 0;
	if (ok && (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0 ||
	           socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, work) != 0)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "sockets: %s", g_strerror(errno));
		ok = FALSE;
	}
	int fds[WEFT_WIRE_FDS_MAX] = {control[1], work[1], document, worker->slots[0],
	                              worker->slots[1]};
	worker->control = control[0];
	worker->work = work[0];
	ok = ok && ask_for_worker(ingest, id, fds, error);
	close_all(fds, 3);
	if (ok) {
		worker->message = g_malloc(WEFT_WIRE_MESSAGE_MAX);
		(void)weft_worker_send(worker, first, NULL);
		return TRUE;
	}
	close_all((int[]){worker->control, worker->work, worker->slots[0], worker->slots[1]}, 4);
	g_clear_pointer(&worker->memory, weft_memory_share_free);
	worker->ingest = NULL;
	return FALSE;
}

/* The program's word on how the worker ended; FALSE when it gave none. */
static gboolean await_end(WeftWorker *worker, guint32 *ret_status)
{
	gsize size = 0;
	WeftWireIn in;
	if (!weft_wire_receive(worker->control, worker->message, &size, NULL, NULL, ENDED_MS,
	                       NULL) ||
	    size == 0 || !weft_wire_open(&in, worker->message, size, NULL) ||
	    in.type != WEFT_WIRE_ENDED)
		return FALSE;
	guint32 status = weft_wire_u32(&in);
	if (!weft_wire_close(&in, NULL))
		return FALSE;
	worker->dead = TRUE;
	*ret_status = status;
	return TRUE;
}

void weft_worker_stop(WeftWorker *worker)
{
	guint32 status;
	if (!worker->ingest)
		return;
	close(worker->work);
	if (!worker->dead && shutdown(worker->control, SHUT_WR) == 0)
		(void)await_end(worker, &status); /* not dead then: its memory is not used again */
	close(worker->control);
	for (guint i = 0; i < WEFT_WIRE_SLOTS; i++) {
		if (worker->dead)
			give_slot(worker->ingest, worker->slots[i]);
		else
			close(worker->slots[i]);
	}
	g_clear_pointer(&worker->memory, weft_memory_share_free);
	g_free(worker->message);
	worker->ingest = NULL;
}

gboolean weft_worker_send(WeftWorker *worker, WeftWireOut *out, GError **error)
{
	return weft_wire_send_now(worker->work, out, NULL, 0, error);
}

/* Why the worker ended. Lost: not by what its document did, as far as can be told. */
static void explain_end(WeftWorker *worker, GError **error)
{
	guint32 raw = 0;
	gboolean told = await_end(worker, &raw);
	int status = (int)raw;
	if (told && raw == G_MAXUINT32) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "no process for a decoder");
		return;
	}
	worker->lost = !told || !worker->started ||
	               (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	if (!told)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED, "decoder ended with its program");
	else if (!worker->started)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
		            "a decoder ended before it had the document, with wait status %d", status);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_TIMEOUT,
		            "decoder used up its processor time");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED,
		            "decoder was ended for a system call that it may not make: the file "
		            "is hostile, or weft has a mistake; please report it");
	else if (worker->lost)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED,
		            "decoder was killed twice, as the system does when memory is short");
	else if (WIFSIGNALED(status))
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED, "decoder ended by signal %d",
		            WTERMSIG(status));
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED, "decoder ended with status %d",
		            WEXITSTATUS(status));
}

static gboolean receive_any(WeftWorker *worker, WeftWireIn *ret_in, GError **error)
{
	g_autoptr(GError) local = NULL;
	gsize size = 0;
	gint64 begin_us = g_get_monotonic_time();
	double until_stall_s = worker->stall_s - worker->silent_s;
	double until_total_s = worker->total_s - worker->waited_s;
	gboolean total = until_total_s <= until_stall_s;
	double left_s = MIN(until_stall_s, until_total_s);
	gboolean ok = weft_wire_receive(worker->work, worker->message, &size, NULL, NULL,
	                                (int)(MAX(left_s, 0) * 1000), &local);
	double waited_s = (double)(g_get_monotonic_time() - begin_us) * 1e-6;
	worker->waited_s += waited_s;
	worker->silent_s += waited_s;
	if (!ok && g_error_matches(local, WEFT_ERROR, WEFT_ERROR_TIMEOUT)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_TIMEOUT, "%s: limit %s=%g",
		            worker->is_reader ? "reading a picture"
		            : total           ? "decoding the document"
		                              : "decoding one part of the document",
		            worker->is_reader ? "reading-seconds"
		            : total           ? "total-seconds"
		                              : "stall-seconds",
		            total ? worker->total_s : worker->stall_s);
		return FALSE;
	}
	if (!ok) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (size == 0) {
		explain_end(worker, error);
		return FALSE;
	}
	return weft_wire_open(ret_in, worker->message, size, error);
}

/* The worker's first word, sent before it has seen a byte of the document. */
static gboolean receive_started(WeftWorker *worker, GError **error)
{
	WeftWireIn in;
	if (!receive_any(worker, &in, error))
		return FALSE;
	g_autofree char *reason = in.type == WEFT_WIRE_STARTED ? weft_wire_string(&in, 1024) : NULL;
	if (in.type != WEFT_WIRE_STARTED || !weft_wire_close(&in, error)) {
		g_clear_error(error);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "decoder began with a message of type %u", (guint)in.type);
		return FALSE;
	}
	if (reason) {
		g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_GONE, reason);
		return FALSE;
	}
	worker->started = TRUE;
	return TRUE;
}

/* Memory is waited for here, where no clock of the document runs. */
static gboolean grant(WeftWorker *worker, WeftWireIn *in, GError **error)
{
	g_auto(WeftWireOut) out = {0};
	guint64 size = weft_wire_u64(in);
	gboolean is_more = size > weft_memory_held(worker->memory);
	if (!weft_wire_close(in, error))
		return FALSE;
	if ((double)size > worker->memory_bytes_max) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "%s needs %" G_GUINT64_FORMAT
		            " bytes of memory or more: limit decoder-bytes=%.15g",
		            worker->is_reader ? "reading a picture" : "decoding", size,
		            worker->memory_bytes_max);
		return FALSE;
	}
	weft_memory_hold(worker->memory, (gsize)size);
	weft_wire_begin(&out, WEFT_WIRE_GRANT);
	return !is_more || weft_worker_send(worker, &out, error);
}

static gboolean receive(WeftWorker *worker, WeftWireIn *ret_in, GError **error)
{
	WeftWireIn in = {0};
	if (!worker->started && !receive_started(worker, error))
		return FALSE;
	do {
		if (!receive_any(worker, &in, error))
			return FALSE;
	} while (in.type == WEFT_WIRE_ASK && grant(worker, &in, error));
	if (in.type == WEFT_WIRE_ASK)
		return FALSE;
	worker->silent_s = 0;
	*ret_in = in;
	return TRUE;
}

/* pread: no mapping of ours that the worker could make fail, and a copy that it can't change. What
 * has been read goes back to the system at once, so that a picture is never there twice. */
static gboolean read_slot(int fd, guint8 *ret_bytes, gsize size, GError **error)
{
	gsize at = 0;
	while (at < size) {
		gsize step = MIN(size - at, COPY_STEP_BYTES);
		ssize_t n = pread(fd, ret_bytes + at, step, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "shared memory: %s",
			            n < 0 ? g_strerror(errno) : "ends early");
			return FALSE;
		}
		/* a failure costs memory alone; give_slot clears again */
		(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, n);
		at += (gsize)n;
	}
	return TRUE;
}

static void tame_samples(WeftPcm *pcm)
{
	for (gsize i = 0; i < pcm->n_samples; i++) {
		float x = pcm->samples[i];
		pcm->samples[i] = isfinite(x) ? CLAMP(x, -1.0f, 1.0f) : 0.0f;
	}
}

static gboolean fetch(WeftWorker *worker, WeftPart *part, guint32 slot, gsize size, GError **error)
{
	part->memory = weft_memory_part(worker->memory, size);
	if (!part->memory) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "decoder sent %zu bytes, of which it had asked for %zu", size,
		            weft_memory_held(worker->memory));
		return FALSE;
	}
	guint8 *bytes = g_try_malloc(size);
	g_auto(WeftWireOut) ack = {0};
	weft_wire_begin(&ack, WEFT_WIRE_ACK);
	weft_wire_put_u32(&ack, slot);
	if (!bytes) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for %zu bytes", size);
		return FALSE;
	}
	if (part->kind == WEFT_PART_PCM)
		part->pcm.samples = (float *)(void *)bytes;
	else
		part->raster.pixels = bytes;
	if (!read_slot(worker->slots[slot], bytes, size, error))
		return FALSE;
	if (part->kind == WEFT_PART_PCM)
		tame_samples(&part->pcm);
	/* the worker may have ended after its last part: then nobody needs the slot */
	(void)weft_worker_send(worker, &ack, NULL);
	return TRUE;
}

static WeftPart *take_part(WeftWorker *worker, WeftWireIn *in, GError **error)
{
	guint32 slot = 0;
	gsize size = 0;
	g_autoptr(WeftPart) part = weft_wire_part(in, &slot, &size);
	if (!weft_wire_close(in, error))
		return NULL;
	if (size > 0 && !fetch(worker, part, slot, size, error))
		return NULL;
	part->raster.ink = CLAMP(part->raster.ink, 0, 1);
	return g_steal_pointer(&part);
}

static gboolean take_failure(WeftWireIn *in, GError **error)
{
	guint32 code = weft_wire_u32(in);
	g_autofree char *message = weft_wire_string(in, 1024);
	if (!weft_wire_close(in, error))
		return FALSE;
	g_set_error_literal(error, WEFT_ERROR, (int)MIN(code, WEFT_ERROR_INTERNAL),
	                    message ? message : "");
	return FALSE;
}

gboolean weft_worker_next(WeftWorker *worker, WeftPart **ret_part, GError **error)
{
	WeftWireIn in;
	WeftPart *part = NULL;
	if (!receive(worker, &in, error))
		return FALSE;
	switch (in.type) {
	case WEFT_WIRE_FAIL:
		return take_failure(&in, error);
	case WEFT_WIRE_END:
		if (!weft_wire_close(&in, error))
			return FALSE;
		break;
	case WEFT_WIRE_PART:
		part = take_part(worker, &in, error);
		if (!part)
			return FALSE;
		break;
	default:
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "decoder sent a message of type %u", (guint)in.type);
		return FALSE;
	}
	*ret_part = part;
	return TRUE;
}
