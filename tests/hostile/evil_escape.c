/* evil_escape.c - getting out: files, network, processes, privileges. Raw system calls, as shell code
 * would make them. */
#include "tests/hostile/evil.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "ingest/wire.h"

/* `result`: what the system call gave. */
static void told(long result)
{
	evil_tell("did", result >= 0 ? "yes" : g_strerror(errno));
}

/* --- files --- */

static void escape_read(const char *path)
{
	char bytes[64] = "";
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	told(fd);
	if (fd >= 0 && read(fd, bytes, sizeof bytes - 1) > 0)
		evil_tell("loot", bytes);
}

static void escape_list(const char *path)
{
	char bytes[4096];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	told(fd >= 0 ? (long)syscall(SYS_getdents64, fd, bytes, sizeof bytes) : -1);
}

static void escape_create(const char *path)
{
	told(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0666));
}

static void escape_old_open(const char *path)
{
	told(syscall(SYS_open, path, O_WRONLY | O_CREAT, 0666));
}

static void escape_creat(const char *path)
{
	told(syscall(SYS_creat, path, 0666));
}

static void escape_truncate(const char *path)
{
	told(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_TRUNC));
}

static void escape_truncate_path(const char *path)
{
	told(syscall(SYS_truncate, path, 0));
}

static void escape_openat2(const char *path)
{
	guint64 how[3] = {O_RDONLY, 0, 0};
	told(syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how));
}

static void escape_unlink(const char *path)
{
	told(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

static void escape_rename(const char *path)
{
	g_autofree char *to = g_strconcat(path, ".moved", NULL);
	told(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, to, 0));
}

static void escape_chmod(const char *path)
{
	told(syscall(SYS_fchmodat, AT_FDCWD, path, 0777));
}

static void escape_mkdir(const char *path)
{
	told(syscall(SYS_mkdirat, AT_FDCWD, path, 0777));
}

static void escape_symlink(const char *path)
{
	told(syscall(SYS_symlinkat, "/etc/passwd", AT_FDCWD, path));
}

/* The document itself: its descriptor is for reading. */
static void escape_document(const char *argument)
{
	told(write(WEFT_WIRE_FD_DOCUMENT, "owned", 5));
}

/* --- network --- */

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons((guint16)atoi(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void escape_tcp(const char *port)
{
	struct sockaddr_in to = loopback(port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	told(fd >= 0 ? syscall(SYS_connect, fd, &to, sizeof to) : -1);
}

static void escape_udp(const char *port)
{
	struct sockaddr_in to = loopback(port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	told(fd >= 0 ? syscall(SYS_sendto, fd, "secret", 6, 0, &to, sizeof to) : -1);
}

/* The socket to weft is there already. */
static void escape_reconnect(const char *port)
{
	struct sockaddr_in to = loopback(port);
	told(syscall(SYS_connect, WEFT_WIRE_FD_WORK, &to, sizeof to));
}

static void escape_unix(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	g_strlcpy(to.sun_path, path, sizeof to.sun_path);
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	told(fd >= 0 ? syscall(SYS_connect, fd, &to, sizeof to) : -1);
}

/* --- processes --- */

static void escape_exec(const char *path)
{
	char *argv[] = {(char *)(guintptr) "touch", (char *)(guintptr)path, NULL};
	char *envp[] = {NULL};
	told(syscall(SYS_execve, "/usr/bin/touch", argv, envp));
}

/* What a child does, for evidence. */
static void as_child(long pid)
{
	if (pid == 0) {
		evil_tell("child", "alive");
		_exit(0);
	}
	told(pid);
}

static void escape_fork(const char *argument)
{
	as_child(syscall(SYS_fork));
}

static void escape_clone(const char *argument)
{
	as_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static void escape_clone3(const char *argument)
{
	guint64 args[11] = {0};
	args[4] = SIGCHLD;
	as_child(syscall(SYS_clone3, args, sizeof args));
}

static void escape_kill(const char *pid)
{
	told(syscall(SYS_kill, atoi(pid), SIGKILL));
}

static void escape_tgkill(const char *pid)
{
	told(syscall(SYS_tgkill, atoi(pid), atoi(pid), SIGKILL));
}

static void escape_pidfd(const char *pid)
{
	long fd = syscall(SYS_pidfd_open, atoi(pid), 0);
	told(fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) : -1);
}

/* A descriptor that becomes readable sends its owner a signal of one's choice. */
static void escape_sigio(const char *pid)
{
	int fd = WEFT_WIRE_FD_WORK;
	gboolean ok = fcntl(fd, F_SETOWN, atoi(pid)) == 0 && fcntl(fd, F_SETSIG, SIGKILL) == 0 &&
	              fcntl(fd, F_SETFL, O_ASYNC) == 0;
	told(ok ? 0 : -1);
	(void)poll(NULL, 0, 50);
}

static void escape_ptrace(const char *pid)
{
	told(syscall(SYS_ptrace, PTRACE_SEIZE, atoi(pid), 0, 0));
	(void)syscall(SYS_ptrace, PTRACE_INTERRUPT, atoi(pid), 0, 0);
	(void)poll(NULL, 0, 50);
	(void)syscall(SYS_ptrace, PTRACE_KILL, atoi(pid), 0, 0);
}

static void escape_memory(const char *pid)
{
	char byte = 0;
	struct iovec ours = {&byte, 1}, theirs = {(void *)&evil_escapes, 1};
	told(syscall(SYS_process_vm_readv, atoi(pid), &ours, 1, &theirs, 1, 0));
}

/* --- more room for the next step --- */

static void escape_code(const char *argument)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	told(page == MAP_FAILED ? -1 : 0);
}

static void escape_code_later(const char *argument)
{
	void *page =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	told(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static void escape_limits(const char *argument)
{
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	told(syscall(SYS_prlimit64, 0, RLIMIT_AS, &more, NULL));
}

static void escape_limits_of(const char *pid)
{
	struct rlimit none = {0, 0};
	told(syscall(SYS_prlimit64, atoi(pid), RLIMIT_NOFILE, &none, NULL));
}

static void escape_namespace(const char *argument)
{
	told(syscall(SYS_unshare, CLONE_NEWUSER));
}

static void escape_uring(const char *argument)
{
	struct io_uring_params params = {0};
	told(syscall(SYS_io_uring_setup, 4, &params));
}

static void escape_bpf(const char *argument)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
	                       .max_entries = 1};
	told(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
}

static void escape_perf(const char *argument)
{
	struct perf_event_attr attr = {.size = sizeof attr, .exclude_kernel = 1};
	told(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static void escape_userfault(const char *argument)
{
	told(syscall(SYS_userfaultfd, O_CLOEXEC | 1));
}

static void escape_keys(const char *argument)
{
	told(syscall(SYS_add_key, "user", "weft", "x", 1, -3));
}

/* The other system calls of the processor: 32 bits. */
static void escape_old_calls(const char *argument)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
	told(result > 0 ? 0 : -1);
#endif
}

/* Address space, without touching it: how much one may have. */
static void escape_appetite(const char *argument)
{
	guint64 n = 0;
	char text[32];
	while (n < 64 && mmap(NULL, (gsize)256 << 20, PROT_READ | PROT_WRITE,
	                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
		n++;
	g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, n);
	evil_tell("quarters", text); /* of a GiB */
}

const EvilCrime evil_escapes[] = {
    {"read", escape_read},
    {"list", escape_list},
    {"create", escape_create},
    {"old-open", escape_old_open},
    {"creat", escape_creat},
    {"truncate", escape_truncate},
    {"truncate-path", escape_truncate_path},
    {"openat2", escape_openat2},
    {"unlink", escape_unlink},
    {"rename", escape_rename},
    {"chmod", escape_chmod},
    {"mkdir", escape_mkdir},
    {"symlink", escape_symlink},
    {"document", escape_document},
    {"tcp", escape_tcp},
    {"udp", escape_udp},
    {"reconnect", escape_reconnect},
    {"unix", escape_unix},
    {"exec", escape_exec},
    {"fork", escape_fork},
    {"clone", escape_clone},
    {"clone3", escape_clone3},
    {"kill", escape_kill},
    {"tgkill", escape_tgkill},
    {"pidfd", escape_pidfd},
    {"sigio", escape_sigio},
    {"ptrace", escape_ptrace},
    {"memory", escape_memory},
    {"code", escape_code},
    {"code-later", escape_code_later},
    {"limits", escape_limits},
    {"limits-of", escape_limits_of},
    {"namespace", escape_namespace},
    {"uring", escape_uring},
    {"bpf", escape_bpf},
    {"perf", escape_perf},
    {"userfault", escape_userfault},
    {"keys", escape_keys},
    {"old-calls", escape_old_calls},
    {"appetite", escape_appetite},
    {NULL, NULL},
};
