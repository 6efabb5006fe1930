#include "ingest/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

/* Builds with a sanitizer: the one place where walls are lowered, and why.
 *   seccomp    a report reads /proc/self/maps and starts a symbolizer
 *   Landlock   the same
 *   limits     of the address space: ASan and TSan map terabytes of shadow; of the size of files: a
 *              report may go to one; of processes: TSan has a thread of its own. The others stand.
 * So what walls hold off is tested in the ordinary build. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOWERED (WEFT_WALL_SECCOMP | WEFT_WALL_LANDLOCK | WEFT_WALL_LIMITS)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define LOWERED (WEFT_WALL_SECCOMP | WEFT_WALL_LANDLOCK | WEFT_WALL_LIMITS)
#endif
#endif
#ifndef LOWERED
#define LOWERED 0
#endif

#define ADDRESS_BYTES ((rlim_t)3 << 30) /* two slots of 192 MB, the most that decoder-bytes can be */
#define STACK_BYTES ((rlim_t)8 << 20)
/* For a worker that nobody waits for: weft's own clocks (ingest/limit.h) end what takes too long. A
 * reader of 50,000 pages at 4 s a page is still one worker. */
#define CPU_S 200000u
#define FILES 64u

struct WeftJail {
	gboolean opens_files;
	WeftJailMode mode;
	GArray *filter; /* of struct sock_filter */
	guint32 landlock_abi;
	int ruleset;       /* -1: none */
	int ruleset_errno; /* why */
};

/* --- the filter --- */

/* What every decoder needs: its memory, its descriptors, the time, the socket, its end. */
static const int CALLS[] = {
    SCMP_SYS(brk),           SCMP_SYS(clock_gettime), SCMP_SYS(close),
    SCMP_SYS(dup),           SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(fstat),         SCMP_SYS(futex),         SCMP_SYS(getpid),
    SCMP_SYS(getrandom),     SCMP_SYS(gettid),        SCMP_SYS(gettimeofday),
    SCMP_SYS(lseek),         SCMP_SYS(madvise),       SCMP_SYS(mremap),
    SCMP_SYS(munmap),        SCMP_SYS(newfstatat),    SCMP_SYS(poll),
    SCMP_SYS(ppoll),         SCMP_SYS(pread64),       SCMP_SYS(read),
    SCMP_SYS(readv),         SCMP_SYS(recvmsg),       SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(sendmsg),
    SCMP_SYS(sigaltstack),   SCMP_SYS(time),          SCMP_SYS(write),
    SCMP_SYS(writev),        SCMP_SYS(sysinfo), /* qsort: how much memory may it take? */
    SCMP_SYS(nanosleep),     SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_getres),
};

/* What opening files for reading takes beside open itself; Landlock says which files. */
static const int FILE_CALLS[] = {
    SCMP_SYS(access),   SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fadvise64),
    SCMP_SYS(fstatfs),  SCMP_SYS(getcwd),    SCMP_SYS(getdents64), SCMP_SYS(getegid),
    SCMP_SYS(geteuid),  SCMP_SYS(getgid),    SCMP_SYS(getuid),     SCMP_SYS(lstat),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat),      SCMP_SYS(statfs),
    SCMP_SYS(statx),    SCMP_SYS(uname),
};

/* Calls that libraries make and can do without. */
static const struct {
	int call, number;
} REFUSED[] = {
    {SCMP_SYS(ioctl), EPERM},          /* is this a terminal? */
    {SCMP_SYS(getpeername), ENOTSOCK}, /* GLib's logger: is stderr the journal? */
    {SCMP_SYS(clone3), ENOSYS},        /* threads: clone is tried next */
    {SCMP_SYS(clone), EPERM},          /* threads: those who ask for them go on without */
    {SCMP_SYS(tgkill), EPERM},         /* abort() then ends by an instruction that traps */
};

/* Descriptors are copied and their flags read. F_SETOWN and F_SETSIG send signals to others. */
static const int FCNTL_COMMANDS[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL};

/* Each of them alone makes an open more than reading. */
static const unsigned OPEN_REFUSED[] = {
    O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE & ~(unsigned)O_DIRECTORY,
};

static int allow_open(scmp_filter_ctx filter, int call, unsigned argument)
{
	scmp_datum_t all = 0;
	int rc = 0;
	for (guint i = 0; i < G_N_ELEMENTS(OPEN_REFUSED); i++) {
		scmp_datum_t bit = OPEN_REFUSED[i];
		all |= bit;
		rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
		                       SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bit, bit));
	}
	return rc | seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
	                             SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, all, 0));
}

static int add_file_rules(scmp_filter_ctx filter, gboolean opens_files)
{
	int rc = 0;
	if (!opens_files)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0) |
		       seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 0);
	for (guint i = 0; i < G_N_ELEMENTS(FILE_CALLS); i++)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, FILE_CALLS[i], 0);
	return rc | allow_open(filter, SCMP_SYS(openat), 2) | allow_open(filter, SCMP_SYS(open), 1);
}

/* Nothing that is written can be run. */
static int add_memory_rules(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	                        SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) |
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	                        SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int add_rules(scmp_filter_ctx filter, gboolean opens_files)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (guint i = 0; i < G_N_ELEMENTS(CALLS); i++)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALLS[i], 0);
	for (guint i = 0; i < G_N_ELEMENTS(REFUSED); i++)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO((guint32)REFUSED[i].number),
		                       REFUSED[i].call, 0);
	for (guint i = 0; i < G_N_ELEMENTS(FCNTL_COMMANDS); i++)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		                       SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)FCNTL_COMMANDS[i], 0));
	/* limits are read, never set, and only one's own */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
	                       SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return rc | add_memory_rules(filter) | add_file_rules(filter, opens_files);
}

/* The filter as the kernel takes it, by way of a file in memory. */
static GArray *export_filter(scmp_filter_ctx filter)
{
	g_autoptr(GArray) program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size = fd >= 0 && seccomp_export_bpf(filter, fd) == 0 ? lseek(fd, 0, SEEK_END) : 0;
	gboolean ok = size > 0 && size % (off_t)sizeof(struct sock_filter) == 0 &&
	              size / (off_t)sizeof(struct sock_filter) <= BPF_MAXINSNS;
	if (ok) {
		g_array_set_size(program, (guint)(size / (off_t)sizeof(struct sock_filter)));
		ok = pread(fd, program->data, (size_t)size, 0) == (ssize_t)size;
	}
	if (fd >= 0)
		close(fd);
	return ok ? g_steal_pointer(&program) : NULL;
}

WeftJail *weft_jail_new(const char *const *folders, WeftJailMode mode, GError **error)
{
	g_autoptr(WeftJail) jail = g_new0(WeftJail, 1);
	jail->opens_files = folders != NULL;
	jail->mode = mode;
	jail->ruleset = -1;
	scmp_filter_ctx filter =
	    seccomp_init(mode == WEFT_JAIL_TRAP ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);
	if (filter && add_rules(filter, jail->opens_files) == 0)
		jail->filter = export_filter(filter);
	if (filter)
		seccomp_release(filter);
	if (!jail->filter) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL,
		            "libseccomp can't make the filter of system calls");
		return NULL;
	}
	jail->landlock_abi = weft_landlock_abi();
	jail->ruleset_errno = errno;
	if (jail->landlock_abi > 0) {
		jail->ruleset = weft_landlock_ruleset(jail->landlock_abi, folders);
		jail->ruleset_errno = errno;
	}
	return g_steal_pointer(&jail);
}

void weft_jail_free(WeftJail *jail)
{
	if (!jail)
		return;
	if (jail->ruleset >= 0)
		close(jail->ruleset);
	g_clear_pointer(&jail->filter, g_array_unref);
	g_free(jail);
}

/* --- in the worker --- */

static gboolean limit(int resource, rlim_t value)
{
	struct rlimit both = {0}, seen = {0};
	if (getrlimit((__rlimit_resource_t)resource, &both) != 0)
		return FALSE;
	both.rlim_max = MIN(both.rlim_max, value); /* a lower one of the user's stays */
	both.rlim_cur = MIN(both.rlim_cur, value);
	return setrlimit((__rlimit_resource_t)resource, &both) == 0 &&
	       getrlimit((__rlimit_resource_t)resource, &seen) == 0 && seen.rlim_cur <= value &&
	       seen.rlim_max <= value;
}

/* The soft limit ends it with a signal of its own, which tells what happened. */
static gboolean limit_processor_time(void)
{
	struct rlimit both = {CPU_S, CPU_S + 60};
	return setrlimit(RLIMIT_CPU, &both) == 0 || limit(RLIMIT_CPU, CPU_S);
}

static gboolean set_limits(WeftJailMode mode)
{
	gboolean ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, FILES) &&
	              limit(RLIMIT_STACK, STACK_BYTES) && limit_processor_time();
	if (!(LOWERED & WEFT_WALL_LIMITS))
		ok = ok && limit(RLIMIT_AS, ADDRESS_BYTES) &&
		     limit(RLIMIT_NPROC, 0) && /* does not bind root, seccomp does */
		     (mode == WEFT_JAIL_TRAP || limit(RLIMIT_FSIZE, 0)); /* its stderr is a file */
	return ok;
}

static gboolean has_no_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capget, &header, sets) != 0)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
		if (sets[i].effective != 0 || sets[i].permitted != 0)
			return FALSE;
	return TRUE;
}

static gboolean drop_privileges(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return FALSE;
	/* who has none need not drop them: a service's own filter may refuse the call */
	if (!has_no_capabilities() && syscall(SYS_capset, &header, none) != 0)
		return FALSE;
	return has_no_capabilities() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void name_the_call(int number, siginfo_t *info, void *context)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	char line[128];
	int size = g_snprintf(line, sizeof line, "missing system call: %s (%d)\n",
	                      name ? name : "?", info->si_syscall);
	(void)!write(STDERR_FILENO, line, (size_t)MIN(size, (int)sizeof line - 1));
	_exit(128 + number);
}

static gboolean enter_filter(const WeftJail *jail)
{
	struct sock_fprog program = {(unsigned short)jail->filter->len,
	                             (struct sock_filter *)(void *)jail->filter->data};
	if (jail->mode == WEFT_JAIL_TRAP) {
		struct sigaction action = {.sa_sigaction = name_the_call, .sa_flags = SA_SIGINFO};
		if (sigaction(SIGSYS, &action, NULL) != 0)
			return FALSE;
	}
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return FALSE;
	/* without the filter: EBADF */
	gboolean stands = ioctl(-1, 0) == -1 && errno == EPERM;
	errno = EPERM;
	return stands;
}

static gboolean missing(const char *wall, const char *reason, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_GONE, "no jail for decoders: %s: %s", wall, reason);
	return FALSE;
}

static gboolean enter_landlock(const WeftJail *jail, WeftWalls *walls, GError **error)
{
	walls->landlock_abi = jail->landlock_abi;
	int number = jail->ruleset_errno;
	if (jail->ruleset >= 0) {
		if (weft_landlock_enter(jail->ruleset)) {
			walls->standing |= WEFT_WALL_LANDLOCK;
			return TRUE;
		}
		number = errno;
	}
	/* a kernel with Landlock must give it; one without only to those who open no file */
	return (jail->landlock_abi == 0 && !jail->opens_files) ||
	       missing("Landlock", g_strerror(number), error);
}

gboolean weft_jail_enter(const WeftJail *jail, int fd_end, WeftWalls *ret_walls, GError **error)
{
	WeftWalls *walls = ret_walls;
	*walls = (WeftWalls){.lowered = LOWERED};
	if (!set_limits(jail ? jail->mode : WEFT_JAIL_KILL))
		return missing("limits", g_strerror(errno), error);
	if (!(LOWERED & WEFT_WALL_LIMITS))
		walls->standing |= WEFT_WALL_LIMITS;
	if (!drop_privileges())
		return missing("privileges", g_strerror(errno), error);
	walls->standing |= WEFT_WALL_PRIVILEGES;
	if (jail && !(LOWERED & WEFT_WALL_LANDLOCK) && !enter_landlock(jail, walls, error))
		return FALSE;
	if (close_range((unsigned)fd_end, ~0U, 0) != 0)
		return missing("descriptors", g_strerror(errno), error);
	if (!jail)
		return TRUE;
	if (LOWERED & WEFT_WALL_SECCOMP)
		return TRUE;
	if (!enter_filter(jail))
		return missing("seccomp", g_strerror(errno), error);
	walls->standing |= WEFT_WALL_SECCOMP;
	return TRUE;
}

char *weft_walls_text(const WeftWalls *walls)
{
	GString *text = g_string_new(NULL);
	if (walls->standing & WEFT_WALL_SECCOMP)
		g_string_append(text, "seccomp, ");
	if (walls->standing & WEFT_WALL_LANDLOCK)
		g_string_append_printf(text, "Landlock %u, ", walls->landlock_abi);
	if (walls->standing & WEFT_WALL_LIMITS)
		g_string_append(text, "limits, ");
	if (walls->standing & WEFT_WALL_PRIVILEGES)
		g_string_append(text, "privileges, ");
	g_string_truncate(text, text->len > 2 ? text->len - 2 : 0);
	if (walls->lowered)
		g_string_append(text, " (a build with a sanitizer lowers the others)");
	return g_string_free(text, FALSE);
}
