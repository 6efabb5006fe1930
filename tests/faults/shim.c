/* shim.c - preloaded into weft, makes one call on the disk go wrong, or all from it on.
 *
 * Every call that changes something under FAULT_UNDER (write, fsync, fdatasync, syncfs, rename,
 * unlink, ftruncate, fallocate, open that creates, mkdir, link, symlink) has a number, from 1.
 * FAULT_OPS numbers other calls there instead: read, open, or hand (an open file is sent to another
 * process). A run with a log and no fault tells how many there are; the tests then go through them in turn.
 *
 *   FAULT_UNDER   absolute folders, divided by ':', without links; a call elsewhere is nobody's business
 *   FAULT_AT      the number of the call at which something happens; 0: nothing does
 *   FAULT_MODE    kill     SIGKILL to the whole process group, before the call
 *                 tear     the same after half of what was to be written
 *                 stop     SIGSTOP to this process before the call; whoever waits may change the
 *                          world and let it go on
 *                 enospc, eio, erofs    the call fails so and does nothing
 *                 eintr    the same, but only calls that may be interrupted
 *                 short    half of it is written, and the call says so
 *   FAULT_FOREVER set: the same at every later call, too
 *   FAULT_LOG     a line for each numbered call, "N call path", and one "decode path" when an open
 *                 file below FAULT_INPUTS is sent to another process: that is where decoding starts
 *   FAULT_INPUTS  see there
 *   FAULT_CLOCK_S what is added to the time of day
 *
 * SQLite's way to test itself, and for the same reason: what is never made to fail does not work.
 * Only the program "weft" is touched; its helper programs never see this library. What SQLite does
 * to its shared memory by plain stores is no call and has no number. All calls go to the kernel
 * directly, so the shim also works below a sanitizer's own wrappers. It is the one file of the
 * tests with variables of file scope: nobody could pass it anything.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two symbols, and both are called */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LOG_FD_MIN 900 /* out of the way of the program's own */

typedef enum Mode { KILL, TEAR, STOP, ENOSPC_, EIO_, EROFS_, EINTR_, SHORT, N_MODES } Mode;

static const char *const MODE_NAMES[N_MODES] = {"kill", "tear", "stop",  "enospc",
						"eio",  "erofs", "eintr", "short"};
static const int MODE_ERRORS[N_MODES] = {0, 0, 0, ENOSPC, EIO, EROFS, EINTR, 0};

typedef enum Kind { CHANGE, READ, OPEN, HAND, N_KINDS } Kind;

static const char *const KIND_NAMES[N_KINDS] = {"change", "read", "open", "hand"};

static struct {
	bool is_on, is_forever;
	const char *under, *inputs;
	Kind kind;
	Mode mode;
	long at, clock_s;
	int log;
} fault = {.log = -1};
static long counted;

static long number(const char *name)
{
	const char *text = getenv(name);
	return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *mode = getenv("FAULT_MODE"), *log = getenv("FAULT_LOG"),
		   *kind = getenv("FAULT_OPS");

	if (strcmp(program_invocation_short_name, "weft") != 0)
		return;
	unsetenv("LD_PRELOAD");
	fault.under = getenv("FAULT_UNDER");
	fault.inputs = getenv("FAULT_INPUTS");
	fault.at = number("FAULT_AT");
	fault.clock_s = number("FAULT_CLOCK_S");
	fault.is_forever = getenv("FAULT_FOREVER") != NULL;
	for (int i = 0; mode && i < N_MODES; i++)
		if (strcmp(mode, MODE_NAMES[i]) == 0)
			fault.mode = (Mode)i;
	for (int i = 0; kind && i < N_KINDS; i++)
		if (strcmp(kind, KIND_NAMES[i]) == 0)
			fault.kind = (Kind)i;
	if (log) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		fault.log = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
		syscall(SYS_close, fd);
	}
	fault.is_on = true;
}

/* ---- which calls count ---- */

static bool is_below(const char *path, const char *folders)
{
	while (folders && *folders) {
		size_t n = strcspn(folders, ":");
		if (strncmp(path, folders, n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
		folders += n + (folders[n] == ':');
	}
	return false;
}

/* The absolute path of a descriptor, "" for what has none. */
static void path_of_fd(int fd, char path[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
}

static void path_at(int folder, const char *name, char path[PATH_MAX])
{
	char start[PATH_MAX];

	if (name[0] == '/') {
		snprintf(path, PATH_MAX, "%s", name);
		return;
	}
	if (folder != AT_FDCWD)
		path_of_fd(folder, start);
	else if (syscall(SYS_getcwd, start, sizeof start) < 0)
		start[0] = '\0';
	if ((size_t)snprintf(path, PATH_MAX, "%s/%s", start, name) >= PATH_MAX)
		path[0] = '\0';
}

static void tell(const char *format, ...)
{
	char line[PATH_MAX + 64];
	va_list values;

	if (fault.log < 0)
		return;
	va_start(values, format);
	int n = vsnprintf(line, sizeof line, format, values);
	va_end(values);
	if (n > 0)
		syscall(SYS_write, fault.log, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* ---- what happens ---- */

/* The fault of this call: N_MODES when it is to be done as asked. Does not return from kill. */
static Mode strike(Kind kind, const char *call, const char *path)
{
	if (!fault.is_on || kind != fault.kind || !is_below(path, fault.under))
		return N_MODES;
	long n = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
	bool is_hit = fault.at > 0 && (n == fault.at || (fault.is_forever && n > fault.at));
	tell("%ld %s %s%s\n", n, call, path, is_hit ? " *" : "");
	if (!is_hit)
		return N_MODES;
	if (fault.mode == KILL)
		syscall(SYS_kill, 0, SIGKILL);
	if (fault.mode == STOP) { /* to this thread, which would run on for a while else */
		syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGSTOP);
		return N_MODES;
	}
	return fault.mode;
}

/* For calls that write nothing; `may_wait`: they may be interrupted. TRUE: failed, errno is set. */
static bool is_refused(Mode mode, bool may_wait)
{
	if (mode == TEAR)
		syscall(SYS_kill, 0, SIGKILL);
	if (mode == N_MODES || MODE_ERRORS[mode] == 0 || (mode == EINTR_ && !may_wait))
		return false;
	errno = MODE_ERRORS[mode];
	return true;
}

static bool refuses_fd(Kind kind, const char *call, int fd, bool may_wait)
{
	char path[PATH_MAX];
	int before = errno;

	if (!fault.is_on || kind != fault.kind)
		return false;
	path_of_fd(fd, path);
	errno = before;
	return is_refused(strike(kind, call, path), may_wait);
}

static bool refuses_path(Kind kind, const char *call, int folder, const char *name, bool may_wait)
{
	char path[PATH_MAX];
	int before = errno;

	if (!fault.is_on || kind != fault.kind)
		return false;
	path_at(folder, name, path);
	errno = before;
	return is_refused(strike(kind, call, path), may_wait);
}

/* ---- the calls ---- */

static ssize_t write_some(const char *call, int fd, const void *data, size_t size, off_t offset)
{
	char path[PATH_MAX];
	Mode mode = N_MODES;

	if (fault.is_on && fault.kind == CHANGE) {
		path_of_fd(fd, path);
		mode = strike(CHANGE, call, path);
	}
	if ((mode == SHORT || mode == TEAR) && size > 1)
		size /= 2;
	if (mode != TEAR && is_refused(mode, true))
		return -1;
	ssize_t n = offset >= 0 ? syscall(SYS_pwrite64, fd, data, size, offset)
				: syscall(SYS_write, fd, data, size);
	if (mode == TEAR)
		syscall(SYS_kill, 0, SIGKILL);
	return n;
}

ssize_t write(int fd, const void *data, size_t size)
{
	return write_some("write", fd, data, size, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return write_some("write", fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return write_some("write", fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	if (refuses_fd(CHANGE, "write", fd, true))
		return -1;
	return syscall(SYS_writev, fd, parts, n);
}

ssize_t read(int fd, void *data, size_t size)
{
	return refuses_fd(READ, "read", fd, true) ? -1 : syscall(SYS_read, fd, data, size);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
	return refuses_fd(READ, "read", fd, true) ? -1
						  : syscall(SYS_pread64, fd, data, size, offset);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
	return pread(fd, data, size, offset);
}

int fsync(int fd)
{
	return refuses_fd(CHANGE, "fsync", fd, true) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return refuses_fd(CHANGE, "fdatasync", fd, true) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return refuses_fd(CHANGE, "syncfs", fd, true) ? -1 : (int)syscall(SYS_syncfs, fd);
}

int ftruncate(int fd, off_t size)
{
	return refuses_fd(CHANGE, "ftruncate", fd, true) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return refuses_fd(CHANGE, "fallocate", fd, true)
		       ? -1
		       : (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
	return fallocate(fd, mode, offset, size);
}

/* Gives its error, and does not set errno. */
int posix_fallocate(int fd, off_t offset, off_t size)
{
	int before = errno;
	int number = fallocate(fd, 0, offset, size) < 0 ? errno : 0;
	errno = before;
	return number;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
	return posix_fallocate(fd, offset, size);
}

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
	bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;

	if ((makes || (flags & O_TRUNC)) &&
	    refuses_path(CHANGE, (flags & O_TMPFILE) == O_TMPFILE ? "tmpfile" : "create", folder, path, true))
		return -1;
	if (refuses_path(OPEN, "open", folder, path, true))
		return -1;
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

/* The mode is there only when a file may be made. */
#define MODE_ARGUMENT(flags)                                                                       \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                                     \
		va_list values;                                                                    \
		va_start(values, flags);                                                           \
		mode = va_arg(values, mode_t);                                                     \
		va_end(values);                                                                    \
	}

int open(const char *path, int flags, ...)
{
	MODE_ARGUMENT(flags)
	return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	MODE_ARGUMENT(flags)
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	MODE_ARGUMENT(flags)
	return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
	MODE_ARGUMENT(flags)
	return open_at(folder, path, flags, mode);
}

int renameat2(int from, const char *before, int to, const char *after, unsigned flags)
{
	if (refuses_path(CHANGE, "rename", to, after, false))
		return -1;
	return (int)syscall(SYS_renameat2, from, before, to, after, flags);
}

int renameat(int from, const char *before, int to, const char *after)
{
	return renameat2(from, before, to, after, 0);
}

int rename(const char *before, const char *after)
{
	return renameat2(AT_FDCWD, before, AT_FDCWD, after, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
	if (refuses_path(CHANGE, "unlink", folder, path, false))
		return -1;
	return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
	int done = unlink(path);
	return done < 0 && errno == EISDIR ? rmdir(path) : done;
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	if (refuses_path(CHANGE, "mkdir", folder, path, false))
		return -1;
	return (int)syscall(SYS_mkdirat, folder, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int from, const char *before, int to, const char *after, int flags)
{
	if (refuses_path(CHANGE, "link", to, after, false))
		return -1;
	return (int)syscall(SYS_linkat, from, before, to, after, flags);
}

int link(const char *before, const char *after)
{
	return linkat(AT_FDCWD, before, AT_FDCWD, after, 0);
}

int symlinkat(const char *target, int folder, const char *path)
{
	if (refuses_path(CHANGE, "symlink", folder, path, false))
		return -1;
	return (int)syscall(SYS_symlinkat, target, folder, path);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

/* ---- the hand-over of a document, and the clock ---- */

ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
	for (struct cmsghdr *part = fault.is_on ? CMSG_FIRSTHDR(message) : NULL; part != NULL;
	     part = CMSG_NXTHDR((struct msghdr *)(void *)(size_t)message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); i += sizeof(int)) {
			char path[PATH_MAX];
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i, sizeof fd);
			path_of_fd(fd, path);
			if (is_below(path, fault.inputs))
				tell("decode %s\n", path);
			if (fault.kind == HAND)
				(void)strike(HAND, "hand", path);
		}
	}
	return syscall(SYS_sendmsg, socket, message, flags);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int done = (int)syscall(SYS_clock_gettime, clock, ret_time);
	if (done == 0 && clock == CLOCK_REALTIME)
		ret_time->tv_sec += fault.clock_s;
	return done;
}

time_t time(time_t *ret_time)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone __attribute__((unused)))
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}
