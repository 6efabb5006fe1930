#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ingest/jail.h"

/* Debian 12's <linux/landlock.h> ends at version 2 while kernels go on: the numbers are the
 * kernel's, from its include/uapi/linux/landlock.h. */
#define FLAG_VERSION 1u
#define FD_HIGH 64
#define RULE_PATH_BENEATH 1
#define MAY_READ_FILE (1ull << 2)
#define MAY_READ_FOLDER (1ull << 3)

/* What a ruleset of each version can forbid: all bits up to these. */
#define FILES_1 ((1ull << 13) - 1)
#define FILES_REFER (1ull << 13)    /* 2 */
#define FILES_TRUNCATE (1ull << 14) /* 3 */
#define NET_TCP 3ull                /* 4: bind, connect */
#define FILES_IOCTL (1ull << 15)    /* 5 */
#define SCOPES 3ull                 /* 6: abstract sockets, signals */

typedef struct RulesetAttr {
	guint64 files, net, scopes;
} RulesetAttr;

typedef struct __attribute__((packed)) PathAttr {
	guint64 allowed;
	gint32 parent;
} PathAttr;

guint32 weft_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, FLAG_VERSION);
	return abi > 0 ? (guint32)abi : 0;
}

/* Kernels refuse a structure that is longer than they know when its end is not zero. */
static RulesetAttr all_of(guint32 abi)
{
	RulesetAttr attr = {.files = FILES_1};
	if (abi >= 2)
		attr.files |= FILES_REFER;
	if (abi >= 3)
		attr.files |= FILES_TRUNCATE;
	if (abi >= 4)
		attr.net = NET_TCP;
	if (abi >= 5)
		attr.files |= FILES_IOCTL;
	if (abi >= 6)
		attr.scopes = SCOPES;
	return attr;
}

static gboolean allow_folder(int ruleset, const char *folder)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	PathAttr attr = {MAY_READ_FILE | MAY_READ_FOLDER, fd};
	long rc = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0);
	int number = errno;
	close(fd);
	errno = number;
	return rc == 0;
}

int weft_landlock_ruleset(guint32 abi, const char *const *folders)
{
	RulesetAttr attr = all_of(abi);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	for (guint i = 0; ruleset >= 0 && folders && folders[i]; i++) {
		if (!allow_folder(ruleset, folders[i])) {
			close(ruleset);
			return -1;
		}
	}
	/* away from the numbers at which a worker's descriptors are put */
	int high = ruleset >= 0 ? fcntl(ruleset, F_DUPFD_CLOEXEC, FD_HIGH) : -1;
	if (ruleset >= 0)
		close(ruleset);
	return high;
}

gboolean weft_landlock_enter(int ruleset)
{
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return FALSE;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return TRUE;
	if (fd >= 0)
		close(fd);
	errno = EPERM;
	return FALSE;
}
