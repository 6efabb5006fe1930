#include "ingest/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/transport.h"

#define HELLO_MS 30000 /* loading 135 shared objects from a cold disk */
#define STARTS_MAX 10u /* a program that ends of itself must not do so for a million documents */

/* Where libraries and their data are, time zone, and what sanitizers and malloc read. */
static const char *const VARIABLES[] = {
    "LD_LIBRARY_PATH", "PATH",          "TZ",
    "FONTCONFIG_FILE", "FONTCONFIG_PATH", "TESSDATA_PREFIX",
    "ASAN_OPTIONS",    "LSAN_OPTIONS",  "TSAN_OPTIONS",
    "UBSAN_OPTIONS",   "MALLOC_PERTURB_", "MALLOC_CHECK_",
};

static char **environment(void)
{
	g_auto(GStrv) ours = g_get_environ();
	g_autoptr(GPtrArray) theirs = g_ptr_array_new();
	for (guint i = 0; i < G_N_ELEMENTS(VARIABLES); i++) {
		const char *value = g_environ_getenv(ours, VARIABLES[i]);
		if (value)
			g_ptr_array_add(theirs, g_strdup_printf("%s=%s", VARIABLES[i], value));
	}
	/* threads of Tesseract's loops cost more than they bring (2.4 s a page instead of 1.0 s on
	 * two cores), and a worker may have none; OpenMP reads this when it is loaded */
	g_ptr_array_add(theirs, g_strdup("OMP_THREAD_LIMIT=1"));
	g_ptr_array_add(theirs, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&theirs), FALSE);
}

/* After a fork that other threads may have seen: nothing but system calls. */
G_GNUC_NORETURN static void become_helper(const char *path, char **envp, int socket, pid_t parent,
                                          gboolean dies_with_thread)
{
	sigset_t none;
	if (dies_with_thread)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	/* its own group: an interrupt at the terminal is for weft, which then ends the helpers */
	(void)setpgid(0, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDWR);
	int high = fcntl(socket, F_DUPFD, 32);
	if (null < 0 || high < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(high, WEFT_WIRE_FD_ZYGOTE) < 0)
		_exit(125);
#if !defined(__SANITIZE_ADDRESS__)
	/* libraries complain there about every broken file; what matters comes as a message */
	(void)dup2(null, 2);
#endif
	(void)close_range(WEFT_WIRE_FD_ZYGOTE + 1, ~0U, 0);
	char *argv[] = {(char *)(guintptr)path, (char *)(guintptr) "--serve", NULL};
	execve(path, argv, envp);
	_exit(127);
}

gboolean weft_program_start(WeftProgram *program, const char *path, GError **error)
{
	int pair[2];
	g_auto(GStrv) envp = NULL;
	if (access(path, X_OK) != 0)
		return TRUE;
	if (!program->path)
		program->path = g_strdup(path);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	envp = environment();
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become_helper(path, envp, pair[1], parent, program->n_starts == 0);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	program->is_up = TRUE;
	program->pid = pid;
	program->socket = pair[0];
	program->n_starts++;
	return TRUE;
}

static void end_process(WeftProgram *program)
{
	if (!program->is_up)
		return;
	program->is_up = FALSE;
	close(program->socket);
	if (program->pid == 0)
		return;
	kill(program->pid, SIGKILL); /* its workers go with it */
	while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	program->pid = 0;
}

void weft_program_stop(WeftProgram *program)
{
	end_process(program);
	g_clear_pointer(&program->path, g_free);
	g_clear_pointer(&program->versions, g_free);
	g_clear_pointer(&program->walls, g_free);
	g_clear_pointer(&program->refusal, g_free);
}

void weft_program_greet(WeftProgram *program)
{
	g_autofree guint8 *message = g_malloc(WEFT_WIRE_MESSAGE_MAX);
	gsize size = 0;
	WeftWireIn in;
	if (!program->is_up)
		return;
	if (weft_wire_receive(program->socket, message, &size, NULL, NULL, HELLO_MS, NULL) &&
	    size > 0 && weft_wire_open(&in, message, size, NULL) && in.type == WEFT_WIRE_HELLO &&
	    weft_wire_u32(&in) == WEFT_WIRE_VERSION) {
		program->versions = weft_wire_string(&in, 4096);
		program->has_reader = weft_wire_u8(&in) != 0;
		program->walls = weft_wire_string(&in, 256);
		program->refusal = weft_wire_string(&in, 256);
		if (weft_wire_close(&in, NULL) && program->versions)
			return;
	}
	weft_program_stop(program);
}

/* The same program once more; what it had said stays in its place, so that who holds it may go on. */
static gboolean start_again(WeftProgram *program)
{
	WeftProgram again = {.n_starts = program->n_starts};
	end_process(program);
	if (program->n_starts >= STARTS_MAX)
		return FALSE;
	if (weft_program_start(&again, program->path, NULL))
		weft_program_greet(&again);
	program->n_starts = again.n_starts;
	gboolean same = again.is_up && strcmp(again.versions, program->versions) == 0 &&
	                g_strcmp0(again.walls, program->walls) == 0;
	if (same) {
		program->is_up = TRUE;
		program->pid = again.pid;
		program->socket = again.socket;
		again.is_up = FALSE;
	}
	weft_program_stop(&again);
	return same;
}

static gboolean send_fork(const WeftProgram *program, gboolean locked,
                          const int fds[WEFT_WIRE_FDS_MAX])
{
	g_auto(WeftWireOut) out = {0};
	weft_wire_begin(&out, WEFT_WIRE_FORK);
	weft_wire_put_u8(&out, locked != FALSE);
	return program->is_up &&
	       weft_wire_send_now(program->socket, &out, fds, WEFT_WIRE_FDS_MAX, NULL);
}

/* Nobody is at the other end of its socket. */
static gboolean has_ended(const WeftProgram *program)
{
	struct pollfd end = {.fd = program->socket, .events = POLLIN};
	return !program->is_up || (poll(&end, 1, 0) > 0 && end.revents & (POLLHUP | POLLERR));
}

gboolean weft_program_ask(WeftProgram *program, gboolean locked, const int fds[WEFT_WIRE_FDS_MAX],
                          GError **error)
{
	if (send_fork(program, locked, fds))
		return TRUE;
	if (!has_ended(program)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s does not answer", program->path);
		return FALSE;
	}
	if (start_again(program) && send_fork(program, locked, fds))
		return TRUE;
	g_autofree char *name = g_path_get_basename(program->path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_GONE, "%s has ended%s; run again to go on", name,
	            program->n_starts >= STARTS_MAX ? " again and again" : ", or has changed");
	return FALSE;
}
