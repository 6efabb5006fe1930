/* long_path.h - paths longer than the system takes in one call (PATH_MAX, 4096 bytes): they are
 * walked in pieces. Short ones cost one call, as ever.
 */
#ifndef WEFT_BASE_LONG_PATH_H
#define WEFT_BASE_LONG_PATH_H

#include <sys/stat.h>

/* open(2), without a mode. -1 with errno. */
int weft_path_open(const char *path, int flags);

/* fstatat(2): `flags` 0, or AT_SYMLINK_NOFOLLOW. -1 with errno. */
int weft_path_stat(const char *path, int flags, struct stat *ret_status);

#endif
