#include "cli/original.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/long_path.h"

int weft_original_open(const char *path, const char *sha256)
{
	/* Without waiting: what is now a FIFO must not hold us. */
	int fd = weft_path_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char hex[65];
	guint64 size;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    weft_fd_sha256(fd, path, hex, &size, NULL) && strcmp(hex, sha256) == 0)
		return fd;
	close(fd);
	return -1;
}

int weft_original_find(const GPtrArray *paths, const char *sha256, const char **ret_path)
{
	for (guint i = 0; i < paths->len; i++) {
		int fd = weft_original_open(paths->pdata[i], sha256);

		if (fd >= 0) {
			*ret_path = paths->pdata[i];
			return fd;
		}
	}
	return -1;
}
