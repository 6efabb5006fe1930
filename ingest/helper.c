/* helper.c - main of the helper programs weft-decode-*: a zygote that forks one worker a document.
 *
 * The zygote (`--serve`, socket at descriptor 3) has its libraries loaded and warmed, stays one
 * thread, and only forks, watches and reports; it never sees a document's bytes. A worker gets five
 * descriptors at fixed numbers, sets its limits before it touches a byte, and ends with _exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/wire.h"

#define WORKERS_MAX 256u
#define WORKER_ADDRESS_BYTES ((rlim_t)3 << 30) /* two slots of 192 MB and a decoder of 2 GiB */
#define WORKER_CPU_S 7200u
#define WORKER_FILES 64u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

typedef struct Worker {
	pid_t pid;
	int pidfd;
	int control;
	gboolean killed;
} Worker;

typedef struct Memory {
	guint8 *slots[WEFT_WIRE_SLOTS];
	gboolean lent[WEFT_WIRE_SLOTS];
	guint8 *message; /* WEFT_WIRE_MESSAGE_MAX bytes */
} Memory;

/* A message that the worker waits for. FALSE when weft is gone. */
static gboolean expect(Memory *memory, WeftWireIn *ret_in)
{
	gsize size = 0;
	return weft_wire_receive(WEFT_WIRE_FD_WORK, memory->message, &size, NULL, NULL, -1, NULL) &&
	       size > 0 && weft_wire_open(ret_in, memory->message, size, NULL);
}

/* A slot that weft has read out, waiting for it if need be. */
static gboolean lend_slot(Memory *memory, guint32 *ret_slot)
{
	for (;;) {
		for (guint32 i = 0; i < WEFT_WIRE_SLOTS; i++) {
			if (!memory->lent[i]) {
				memory->lent[i] = TRUE;
				*ret_slot = i;
				return TRUE;
			}
		}
		WeftWireIn in;
		if (!expect(memory, &in) || in.type != WEFT_WIRE_ACK)
			return FALSE;
		guint32 slot = weft_wire_u32(&in);
		if (!weft_wire_close(&in, NULL) || slot >= WEFT_WIRE_SLOTS)
			return FALSE;
		memory->lent[slot] = FALSE;
	}
}

static gboolean part_fits(const WeftPart *part, GError **error)
{
	const WeftRaster *raster = &part->raster;
	if (raster->pixels &&
	    (raster->width > WEFT_RASTER_SIDE_MAX || raster->height > WEFT_RASTER_SIDE_MAX ||
	     (guint64)raster->width * raster->height > WEFT_RASTER_PIXELS_MAX)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %u x %u pixels, limit %u", raster->width, raster->height,
		            WEFT_RASTER_PIXELS_MAX);
		return FALSE;
	}
	if (part->pcm.n_samples > WEFT_PCM_SAMPLES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "window of %zu samples, limit %u",
		            part->pcm.n_samples, WEFT_PCM_SAMPLES_MAX);
		return FALSE;
	}
	return TRUE;
}

static gboolean send_part(Memory *memory, const WeftPart *part, GError **error)
{
	guint32 slot = 0;
	const void *bytes = part->raster.pixels;
	gsize size = bytes ? (gsize)part->raster.width * part->raster.height * 3 : 0;
	if (!part_fits(part, error))
		return FALSE;
	if (part->pcm.samples) {
		bytes = part->pcm.samples;
		size = part->pcm.n_samples * sizeof(float);
	}
	if (size > 0) {
		if (!lend_slot(memory, &slot))
			_exit(0); /* weft does not want the rest */
		memcpy(memory->slots[slot], bytes, size);
	}
	g_auto(WeftWireOut) out = {0};
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, slot);
	return weft_wire_send(WEFT_WIRE_FD_WORK, &out, NULL, 0, error);
}

static void send_outcome(const GError *error)
{
	g_auto(WeftWireOut) out = {0};
	weft_wire_begin(&out, error ? WEFT_WIRE_FAIL : WEFT_WIRE_END);
	if (error) {
		gboolean ours = error->domain == WEFT_ERROR;
		g_autofree char *valid = g_utf8_make_valid(error->message, -1);
		if (strlen(valid) > 1000)
			g_utf8_find_prev_char(valid, valid + 1000)[0] = '\0';
		weft_wire_put_u32(&out, (guint32)(ours ? error->code : WEFT_ERROR_CORRUPT));
		weft_wire_put_string(&out, valid);
	}
	(void)weft_wire_send(WEFT_WIRE_FD_WORK, &out, NULL, 0, NULL); /* nobody left to tell */
}

static const WeftDecoder *decoder_for(WeftFamily family, const char *media_type)
{
	for (guint i = 0; weft_helper_program.decoders && weft_helper_program.decoders[i]; i++) {
		const WeftDecoder *decoder = weft_helper_program.decoders[i];
		if (decoder->family == family &&
		    (!decoder->media_types || g_strv_contains(decoder->media_types, media_type)))
			return decoder;
	}
	return NULL;
}

static gboolean decode(Memory *memory, const WeftDecodeJob *job, GError **error)
{
	const WeftDecoder *decoder = decoder_for(job->family, job->media_type);
	void *state = NULL;
	if (!decoder) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "%s has no decoder for %s",
		            weft_helper_program.name, job->media_type);
		return FALSE;
	}
	if (!decoder->open(job, &state, error))
		return FALSE;
	for (;;) {
		g_autoptr(WeftPart) part = NULL;
		gboolean ok = decoder->next(state, &part, error);
		if (ok && part)
			ok = send_part(memory, part, error);
		if (!ok || !part) {
			decoder->close(state);
			return ok;
		}
	}
}

static void serve_document(Memory *memory, WeftWireIn *in)
{
	struct stat facts;
	g_autoptr(GError) error = NULL;
	WeftWireOptions options = {0};
	WeftFamily family = (WeftFamily)weft_wire_u8(in);
	g_autofree char *media_type = weft_wire_string(in, 255);
	weft_wire_options(in, &options);
	if (weft_wire_close(in, &error) && media_type) {
		WeftDecodeJob job = {
		    .fd = WEFT_WIRE_FD_DOCUMENT,
		    .family = family,
		    .media_type = media_type,
		    .options = &options.options,
		};
		if (fstat(job.fd, &facts) == 0)
			job.size_bytes = (guint64)MAX(facts.st_size, 0);
		(void)decode(memory, &job, &error); /* the error says it */
	}
	send_outcome(error);
	weft_wire_options_done(&options);
}

static gboolean read_picture(Memory *memory, void *state, WeftWireIn *in, GError **error)
{
	WeftRaster raster = {0};
	g_autoptr(GPtrArray) contents = NULL;
	guint32 slot = weft_wire_u32(in);
	raster.width = weft_wire_u32(in);
	raster.height = weft_wire_u32(in);
	raster.points_per_pixel = weft_wire_f64(in);
	WeftAnchor at = weft_wire_anchor(in);
	if (!weft_wire_close(in, error))
		return FALSE;
	raster.pixels = memory->slots[slot % WEFT_WIRE_SLOTS];
	if (!weft_helper_program.reader->read(state, &raster, at, &contents, error))
		return FALSE;
	for (guint i = 0; i < contents->len; i++) {
		g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_CONTENT, at);
		part->content = weft_content_copy(g_ptr_array_index(contents, i));
		if (!send_part(memory, part, error))
			return FALSE;
	}
	return TRUE;
}

static void serve_reader(Memory *memory, WeftWireIn *in)
{
	g_autoptr(GError) error = NULL;
	void *state = NULL;
	g_autofree char *languages = weft_wire_string(in, 255);
	if (!weft_wire_close(in, &error))
		return;
	if (!weft_helper_program.reader) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_NO_READER, "%s reads no pictures",
		            weft_helper_program.name);
		send_outcome(error);
		return;
	}
	if (!weft_helper_program.reader->open(languages, &state, &error)) {
		send_outcome(error);
		return;
	}
	while (expect(memory, in) && in->type == WEFT_WIRE_READ) {
		g_autoptr(GError) picture_error = NULL;
		(void)read_picture(memory, state, in, &picture_error); /* the error says it */
		send_outcome(picture_error);
	}
	weft_helper_program.reader->close(state);
}

static void limit(int resource, rlim_t value)
{
	struct rlimit both = {value, value};
	(void)setrlimit((__rlimit_resource_t)resource, &both); /* lower than a hard limit: fine */
}

/* Everything that a worker may have is here; the rest is closed. */
static void take_descriptors(const int fds[WEFT_WIRE_FDS_MAX])
{
	int high[WEFT_WIRE_FDS_MAX];
	for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 32);
	for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
		if (high[i] < 0 || dup2(high[i], WEFT_WIRE_FD_WORK + (int)i - 1) < 0)
			_exit(121);
	if (close_range(WEFT_WIRE_FD_WORK + WEFT_WIRE_FDS_MAX - 1, ~0U, 0) != 0)
		_exit(122);
}

static void prefer_me_when_memory_is_short(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4); /* without it the kernel may choose weft; nothing to be done */
	close(fd);
}

static void lock_down(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, WORKER_FILES);
	limit(RLIMIT_CPU, WORKER_CPU_S);
#ifndef SANITIZED
	limit(RLIMIT_AS, WORKER_ADDRESS_BYTES);
#endif
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

G_GNUC_NORETURN static void work(const int fds[WEFT_WIRE_FDS_MAX], pid_t zygote)
{
	Memory memory = {0};
	WeftWireIn in;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != zygote)
		_exit(0);
	prefer_me_when_memory_is_short();
	take_descriptors(fds);
	memory.message = g_malloc(WEFT_WIRE_MESSAGE_MAX);
	for (guint i = 0; i < WEFT_WIRE_SLOTS; i++) {
		memory.slots[i] = mmap(NULL, WEFT_WIRE_SLOT_BYTES, PROT_READ | PROT_WRITE,
		                       MAP_SHARED, WEFT_WIRE_FD_SLOT + (int)i, 0);
		if (memory.slots[i] == MAP_FAILED)
			_exit(123);
	}
	lock_down();
	if (expect(&memory, &in) && in.type == WEFT_WIRE_START)
		serve_document(&memory, &in);
	else if (in.type == WEFT_WIRE_READER)
		serve_reader(&memory, &in);
	_exit(0);
}

static void report_end(Worker *worker, guint32 status)
{
	g_auto(WeftWireOut) out = {0};
	weft_wire_begin(&out, WEFT_WIRE_ENDED);
	weft_wire_put_u32(&out, status);
	(void)weft_wire_send_now(worker->control, &out, NULL, 0,
	                         NULL); /* weft may be done with it */
	close(worker->control);
}

static void start_worker(GArray *workers, const int fds[WEFT_WIRE_FDS_MAX])
{
	pid_t zygote = getpid();
	Worker worker = {.control = fds[0], .pidfd = -1};
	worker.pid = workers->len < WORKERS_MAX ? fork() : -1;
	if (worker.pid == 0)
		work(fds, zygote);
	if (worker.pid > 0)
		worker.pidfd = pidfd_open(worker.pid, 0);
	for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
		close(fds[i]);
	if (worker.pidfd >= 0) {
		g_array_append_val(workers, worker);
		return;
	}
	if (worker.pid > 0) {
		kill(worker.pid, SIGKILL);
		waitpid(worker.pid, NULL, 0);
	}
	report_end(&worker, G_MAXUINT32);
}

/* FALSE when weft is gone. */
static gboolean take_request(GArray *workers, guint8 *message)
{
	int fds[WEFT_WIRE_FDS_MAX];
	guint n_fds = 0;
	gsize size = 0;
	WeftWireIn in;
	if (!weft_wire_receive(WEFT_WIRE_FD_ZYGOTE, message, &size, fds, &n_fds, -1, NULL) ||
	    size == 0)
		return FALSE;
	if (n_fds == WEFT_WIRE_FDS_MAX && weft_wire_open(&in, message, size, NULL) &&
	    in.type == WEFT_WIRE_FORK) {
		start_worker(workers, fds);
		return TRUE;
	}
	for (guint i = 0; i < n_fds; i++)
		close(fds[i]);
	return TRUE;
}

static void watch_worker(GArray *workers, guint i, const struct pollfd polls[2])
{
	Worker *worker = &g_array_index(workers, Worker, i);
	if (polls[1].revents) {
		int status = 0;
		(void)waitpid(worker->pid, &status, 0);
		close(worker->pidfd);
		report_end(worker, (guint32)status);
		g_array_remove_index(workers, i);
	} else if (polls[0].revents && !worker->killed) {
		/* not reaped yet, so the number is still its own */
		worker->killed = kill(worker->pid, SIGKILL) == 0;
	}
}

static int serve(void)
{
	g_autoptr(GArray) workers = g_array_new(FALSE, FALSE, sizeof(Worker));
	g_autofree struct pollfd *polls = g_new0(struct pollfd, 1 + 2 * WORKERS_MAX);
	g_autofree guint8 *message = g_malloc(WEFT_WIRE_MESSAGE_MAX);
	for (;;) {
		guint n_workers = workers->len;
		polls[0] = (struct pollfd){.fd = WEFT_WIRE_FD_ZYGOTE, .events = POLLIN};
		for (guint i = 0; i < n_workers; i++) {
			const Worker *worker = &g_array_index(workers, Worker, i);
			polls[1 + 2 * i] = (struct pollfd){
			    .fd = worker->killed ? -1 : worker->control,
			    .events = POLLIN | POLLRDHUP,
			};
			polls[2 + 2 * i] = (struct pollfd){.fd = worker->pidfd, .events = POLLIN};
		}
		if (poll(polls, 1 + 2 * n_workers, -1) < 0 && errno != EINTR)
			break;
		for (guint i = n_workers; i-- > 0;)
			watch_worker(workers, i, &polls[1 + 2 * i]);
		if (polls[0].revents && !take_request(workers, message))
			break;
	}
	for (guint i = 0; i < workers->len; i++)
		kill(g_array_index(workers, Worker, i).pid, SIGKILL);
	return 0;
}

int main(int argc, char **argv)
{
	g_autofree char *libraries = weft_helper_program.version();
	g_autofree char *versions = g_strdup_printf("%s %s", weft_helper_program.name, libraries);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s (%s)\n", weft_helper_program.name, WEFT_VERSION, libraries);
		return 0;
	}
	if (argc != 2 || strcmp(argv[1], "--serve") != 0) {
		fprintf(stderr, "%s is started by weft; it takes --version only\n",
		        weft_helper_program.name);
		return 2;
	}
	if (weft_helper_program.warm)
		weft_helper_program.warm();
	g_auto(WeftWireOut) hello = {0};
	weft_wire_begin(&hello, WEFT_WIRE_HELLO);
	weft_wire_put_u32(&hello, WEFT_WIRE_VERSION);
	weft_wire_put_string(&hello, versions);
	weft_wire_put_u8(&hello, weft_helper_program.reader != NULL);
	if (!weft_wire_send(WEFT_WIRE_FD_ZYGOTE, &hello, NULL, 0, NULL))
		return 1;
	return serve();
}
