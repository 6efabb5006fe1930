/* helper.c - main of the helper programs weft-decode-*: a zygote that forks one worker a document.
 *
 * The zygote (`--serve`, socket at descriptor 3) has its libraries loaded and warmed, stays one
 * thread, and only forks, watches and reports; it never sees a document's bytes. A worker gets five
 * descriptors at fixed numbers, locks itself down before it touches a byte (jail.h), says so, and
 * ends with _exit. Before the first of them, a trial worker shows which walls stand here.
 *
 * `--serve --trap` is for developers: a call that the filter would kill for is named on stderr.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/jail.h"
#include "ingest/weigh.h"
#include "ingest/transport.h"

#define WORKERS_MAX 256u

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

static void take_ack(guint32 slot, void *data)
{
	Memory *memory = data;
	if (slot < WEFT_WIRE_SLOTS)
		memory->lent[slot] = FALSE;
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

static gboolean send_part(Memory *memory, WeftPart *part, GError **error)
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
		weft_weigh_add(size);
		memcpy(memory->slots[slot], bytes, size);
		g_clear_pointer(&part->raster.pixels, g_free);
		g_clear_pointer(&part->pcm.samples, g_free);
	}
	g_auto(WeftWireOut) out = {0};
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, slot);
	weft_weigh_pause();
	gboolean ok = weft_wire_send(WEFT_WIRE_FD_WORK, &out, NULL, 0, error);
	weft_weigh_hand_over(size);
	return ok;
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

/* Locks this process down; `jail` NULL: as far as can be done without one. weft is told. */
static void lock_down(const WeftJail *jail)
{
	WeftWalls walls;
	g_autoptr(GError) error = NULL;
	g_auto(WeftWireOut) started = {0};
	gboolean ok = weft_jail_enter(jail, WEFT_WIRE_FD_WORK + WEFT_WIRE_FDS_MAX - 1, &walls, &error);
	weft_wire_begin(&started, WEFT_WIRE_STARTED);
	weft_wire_put_string(&started, ok ? NULL : error->message);
	if (!weft_wire_send(WEFT_WIRE_FD_WORK, &started, NULL, 0, NULL) || !ok)
		_exit(124);
}

static void serve_document(Memory *memory, WeftWireIn *in, const WeftJail *jail)
{
	struct stat facts;
	g_autoptr(GError) error = NULL;
	WeftWireOptions options = {0};
	WeftFamily family = (WeftFamily)weft_wire_u8(in);
	g_autofree char *media_type = weft_wire_string(in, 255);
	weft_wire_options(in, &options);
	lock_down(jail);
	if (weft_wire_close(in, &error) && media_type) {
		WeftDecodeJob job = {
		    .fd = WEFT_WIRE_FD_DOCUMENT,
		    .family = family,
		    .media_type = media_type,
		    .options = &options.options,
		    .claim = weft_weigh_claim,
		};
		weft_weigh_begin(WEFT_WIRE_BASE_BYTES, take_ack, memory);
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
	gsize granted = weft_wire_u64(in);
	if (!weft_wire_close(in, error))
		return FALSE;
	gsize slot_bytes = (gsize)raster.width * raster.height * 3;
	weft_weigh_again(granted);
	weft_weigh_add(slot_bytes);
	raster.pixels = memory->slots[slot % WEFT_WIRE_SLOTS];
	gboolean ok = weft_helper_program.reader->read(state, &raster, at, &contents, error);
	weft_weigh_remove(slot_bytes);
	for (guint i = 0; ok && i < contents->len; i++) {
		g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_CONTENT, at);
		part->content = weft_content_copy(g_ptr_array_index(contents, i));
		ok = send_part(memory, part, error);
	}
	return ok;
}

/* The data of its languages are read before the walls stand: they are the system's, and nothing of
 * the document is there yet. */
static gboolean open_reader(WeftWireIn *in, void **ret_state, GError **error)
{
	g_autofree char *languages = weft_wire_string(in, 255);
	if (!weft_wire_close(in, error))
		return FALSE;
	if (weft_helper_program.reader)
		return weft_helper_program.reader->open(languages, ret_state, error);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER, "%s reads no pictures",
	            weft_helper_program.name);
	return FALSE;
}

static void serve_reader(Memory *memory, WeftWireIn *in, const WeftJail *jail)
{
	g_autoptr(GError) error = NULL;
	void *state = NULL;
	gboolean is_open = open_reader(in, &state, &error);
	lock_down(jail);
	if (!is_open) {
		send_outcome(error);
		return;
	}
	weft_weigh_begin(WEFT_WIRE_READER_BASE_BYTES, take_ack, memory);
	weft_weigh_end();
	while (expect(memory, in) && in->type == WEFT_WIRE_READ) {
		g_autoptr(GError) picture_error = NULL;
		(void)read_picture(memory, state, in, &picture_error); /* the error says it */
		weft_weigh_end();
		send_outcome(picture_error);
	}
	weft_helper_program.reader->close(state);
}

/* Everything that a worker may have is here; its jail closes the rest. */
static void take_descriptors(const int fds[WEFT_WIRE_FDS_MAX])
{
	int high[WEFT_WIRE_FDS_MAX];
	for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 32);
	for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
		if (high[i] < 0 || dup2(high[i], WEFT_WIRE_FD_WORK + (int)i - 1) < 0)
			_exit(121);
}

static void prefer_me_when_memory_is_short(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4); /* without it the kernel may choose weft; nothing to be done */
	close(fd);
}

G_GNUC_NORETURN static void work(const int fds[WEFT_WIRE_FDS_MAX], const WeftJail *jail, pid_t zygote)
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
	if (!expect(&memory, &in))
		_exit(0);
	if (in.type == WEFT_WIRE_START)
		serve_document(&memory, &in, jail);
	else if (in.type == WEFT_WIRE_READER)
		serve_reader(&memory, &in, jail);
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

/* `jail` NULL: weft does not insist. */
static void start_worker(GArray *workers, const int fds[WEFT_WIRE_FDS_MAX], const WeftJail *jail)
{
	pid_t zygote = getpid();
	Worker worker = {.control = fds[0], .pidfd = -1};
	worker.pid = workers->len < WORKERS_MAX ? fork() : -1;
	if (worker.pid == 0)
		work(fds, jail, zygote);
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
static gboolean take_request(GArray *workers, const WeftJail *jail, guint8 *message)
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
		gboolean locked = weft_wire_u8(&in) != 0;
		/* without a jail weft does not ask for a locked worker; it gets none if it does */
		if (weft_wire_close(&in, NULL) && (jail || !locked)) {
			start_worker(workers, fds, locked ? jail : NULL);
			return TRUE;
		}
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

static int serve(const WeftJail *jail)
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
		if (polls[0].revents && !take_request(workers, jail, message))
			break;
	}
	for (guint i = 0; i < workers->len; i++)
		kill(g_array_index(workers, Worker, i).pid, SIGKILL);
	return 0;
}

/* glibc has its tables of characters in modules, which a worker can't load: those that decoders ask
 * for (texts of PNG; passwords, titles and names in PDF) stay loaded from here on. */
static void load_charsets(void)
{
	static const char *const NAMES[] = {"ISO-8859-1", "UTF-16", "UTF-16BE", "UTF-16LE"};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		(void)g_iconv_open("UTF-8", NAMES[i]);
		(void)g_iconv_open(NAMES[i], "UTF-8");
	}
}

/* What a worker sees of its walls: a process that enters the jail and tells. */
static gboolean try_jail(const WeftJail *jail, char **ret_walls, GError **error)
{
	struct Report {
		WeftWalls walls;
		char reason[256];
	} report = {0};
	int pair[2], status = 0;
	pid_t pid = pipe2(pair, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid == 0) {
		g_autoptr(GError) local = NULL;
		if (dup2(pair[1], WEFT_WIRE_FD_WORK) < 0)
			_exit(121);
		if (!weft_jail_enter(jail, WEFT_WIRE_FD_WORK + 1, &report.walls, &local))
			g_strlcpy(report.reason, local->message, sizeof report.reason);
		_exit(write(WEFT_WIRE_FD_WORK, &report, sizeof report) == (gssize)sizeof report
		          ? 0
		          : 125);
	}
	gboolean told = FALSE;
	if (pid > 0) {
		close(pair[1]);
		told = read(pair[0], &report, sizeof report) == (gssize)sizeof report;
		close(pair[0]);
		(void)waitpid(pid, &status, 0);
	}
	if (told && status == 0 && !report.reason[0]) {
		*ret_walls = weft_walls_text(&report.walls);
		return TRUE;
	}
	if (told && report.reason[0])
		g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_GONE, report.reason);
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_GONE,
		            "no jail for decoders: the trial of it ended with wait status %d", status);
	return FALSE;
}

static gboolean greet(const WeftJail *jail, const char *libraries, GError *refusal)
{
	g_autofree char *versions = g_strdup_printf("%s %s", weft_helper_program.name, libraries);
	g_autofree char *walls = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(WeftWireOut) hello = {0};
	if (jail && !try_jail(jail, &walls, &error))
		refusal = error;
	weft_wire_begin(&hello, WEFT_WIRE_HELLO);
	weft_wire_put_u32(&hello, WEFT_WIRE_VERSION);
	weft_wire_put_string(&hello, versions);
	weft_wire_put_u8(&hello, weft_helper_program.reader != NULL);
	weft_wire_put_string(&hello, walls);
	weft_wire_put_string(&hello, refusal ? refusal->message : NULL);
	return weft_wire_send(WEFT_WIRE_FD_ZYGOTE, &hello, NULL, 0, NULL);
}

int main(int argc, char **argv)
{
	g_autofree char *libraries = weft_helper_program.version();
	gboolean is_trap = argc == 3 && strcmp(argv[2], "--trap") == 0;
	g_autoptr(GError) error = NULL;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s (%s)\n", weft_helper_program.name, WEFT_VERSION, libraries);
		return 0;
	}
	if ((argc != 2 && !is_trap) || strcmp(argv[1], "--serve") != 0) {
		fprintf(stderr, "%s is started by weft; it takes --version only\n",
		        weft_helper_program.name);
		return 2;
	}
	if (weft_helper_program.warm)
		weft_helper_program.warm();
	load_charsets();
	g_autoptr(WeftJail) jail = weft_jail_new(
	    weft_helper_program.folders, is_trap ? WEFT_JAIL_TRAP : WEFT_JAIL_KILL, &error);
	if (!greet(jail, libraries, error))
		return 1;
	return serve(jail);
}
