#include "base/long_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* The folder in which the last names of a long path lie, in *rest; AT_FDCWD: the path is short.
 * -1 with errno. */
static int open_long(const char *path, const char **ret_rest)
{
	int at = AT_FDCWD;

	while (strlen(path) >= PATH_MAX) {
		char piece[PATH_MAX];
		const char *end = path + PATH_MAX - 1;
		int below;

		while (end > path && *end != '/')
			end--;
		if (end == path) {
			errno = ENAMETOOLONG;
			below = -1;
		} else {
			memcpy(piece, path, (size_t)(end - path));
			piece[end - path] = '\0';
			below = openat(at, piece, O_PATH | O_DIRECTORY | O_CLOEXEC);
		}
		if (at != AT_FDCWD)
			close(at);
		if (below < 0)
			return -1;
		at = below;
		path = end + 1;
	}
	*ret_rest = path;
	return at;
}

static void close_long(int at)
{
	int number = errno;

	if (at >= 0)
		close(at);
	errno = number;
}

int weft_path_open(const char *path, int flags)
{
	const char *rest;
	int at = open_long(path, &rest), fd;

	if (at == -1)
		return -1;
	fd = openat(at, rest, flags);
	close_long(at);
	return fd;
}

int weft_path_stat(const char *path, int flags, struct stat *ret_status)
{
	const char *rest;
	int at = open_long(path, &rest), result;

	if (at == -1)
		return -1;
	result = fstatat(at, rest, ret_status, flags);
	close_long(at);
	return result;
}
