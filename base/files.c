#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"

/* Pieces in which files are hashed. */
#define CHUNK_BYTES (256 * 1024)
/* Bytes that one call of madvise reads ahead. */
#define PREFETCH_BYTES ((gsize)128 * 1024)

struct WeftLock {
	int fd;
};

char *weft_path_display(const char *path)
{
	GString *text = g_string_new(NULL);
	weft_utf8_append_harmless(text, path, FALSE);
	return g_string_free(text, FALSE);
}

/* FALSE always, with errno's words. */
static gboolean fail_errno(GError **error, const char *path, int number)
{
	g_autofree char *name = weft_path_display(path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", name, g_strerror(number));
	return FALSE;
}

static gboolean fail_limit(GError **error, const char *path, gsize limit_bytes)
{
	g_autofree char *name = weft_path_display(path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "%s: larger than the limit of %" G_GSIZE_FORMAT " bytes", name, limit_bytes);
	return FALSE;
}

/* Without waiting: the name of a FIFO must not hold us. */
static int open_regular(const char *path, struct stat *ret_status, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		(void)fail_errno(error, path, errno);
		return -1;
	}
	if (fstat(fd, ret_status) < 0) {
		(void)fail_errno(error, path, errno);
	} else if (!S_ISREG(ret_status->st_mode)) {
		g_autofree char *name = weft_path_display(path);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: not a regular file", name);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

WeftMap *weft_map_open(const char *path, GError **error)
{
	struct stat status;
	void *data = NULL;
	int fd = open_regular(path, &status, error);
	if (fd < 0)
		return NULL;
	if (status.st_size > 0) {
		data = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED) {
			(void)fail_errno(error, path, errno);
			close(fd);
			return NULL;
		}
	}
	close(fd);
	WeftMap *map = g_new0(WeftMap, 1);
	map->data = data;
	map->size_bytes = status.st_size;
	return map;
}

void weft_map_close(WeftMap *map)
{
	if (!map)
		return;
	if (map->data)
		munmap((void *)map->data, map->size_bytes);
	g_free(map);
}

/* Whole pages of the system with these bytes. */
static gboolean pages_around(gconstpointer data, gsize size_bytes, char **ret_first,
			     gsize *ret_size_bytes)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE), before = (gsize)data % page;
	if (size_bytes == 0)
		return FALSE;
	*ret_first = (char *)data - before;
	*ret_size_bytes = (before + size_bytes + page - 1) / page * page;
	return TRUE;
}

void weft_mapping_prefetch(gconstpointer data, gsize size_bytes)
{
	char *first;
	gsize size;
	if (!pages_around(data, size_bytes, &first, &size))
		return;
	/* A call reads no more than the device's window, which is this at least by default. */
	for (gsize at = 0; at < size; at += PREFETCH_BYTES)
		(void)madvise(first + at, MIN(PREFETCH_BYTES, size - at), MADV_WILLNEED);
}

void weft_mapping_read_alone(gconstpointer data, gsize size_bytes, gboolean alone)
{
	char *first;
	gsize size;
	if (pages_around(data, size_bytes, &first, &size))
		(void)madvise(first, size, alone ? MADV_RANDOM : MADV_NORMAL);
}

gboolean weft_mapping_lock(gconstpointer data, gsize size_bytes, GError **error)
{
	struct rlimit limit = {0};
	char *first;
	gsize size;
	if (!pages_around(data, size_bytes, &first, &size) || mlock(first, size) == 0)
		return TRUE;
	int number = errno;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	g_autofree char *may = limit.rlim_cur == RLIM_INFINITY
				       ? g_strdup("memory is all that limits it")
				       : g_strdup_printf("the process may lock %" G_GUINT64_FORMAT
							 " bytes: ulimit -l unlimited, or "
							 "LimitMEMLOCK=infinity in a unit, lets it",
							 (guint64)limit.rlim_cur);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "%" G_GSIZE_FORMAT " bytes can't be locked in memory: %s; %s", size,
		    g_strerror(number), may);
	return FALSE;
}

/* A file without a name. Filesystems that have no O_TMPFILE get one that is removed at once. */
static int open_scratch(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	g_autofree char *path = g_build_filename(folder, ".weft-scratch-XXXXXX", NULL);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

gpointer weft_scratch_map(const char *folder, gsize size_bytes, GError **error)
{
	g_autofree char *name = weft_path_display(folder);
	gpointer memory = MAP_FAILED;
	int fd = open_scratch(folder);
	if (fd < 0) {
		(void)fail_errno(error, folder, errno);
		return NULL;
	}
	int number = EFBIG;
	if (size_bytes <= G_MAXOFFSET)
		do
			number = posix_fallocate(fd, 0, (off_t)size_bytes);
		while (number == EINTR);
	if (number == 0) {
		memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		number = memory == MAP_FAILED ? errno : 0;
	}
	close(fd);
	if (number == 0)
		return memory;
	gboolean is_limit = number == ENOSPC || number == EDQUOT || number == EFBIG ||
			    number == ENOMEM;
	g_set_error(error, WEFT_ERROR, is_limit ? WEFT_ERROR_LIMIT : WEFT_ERROR_IO,
		    "%s: a file of %" G_GSIZE_FORMAT " bytes: %s", name, size_bytes,
		    g_strerror(number));
	return NULL;
}

void weft_scratch_unmap(gpointer memory, gsize size_bytes)
{
	if (memory)
		munmap(memory, size_bytes);
}

gboolean weft_fd_read(int fd, const char *name, gsize limit_bytes, char **ret_text,
		      gsize *ret_size_bytes, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autofree guint8 *chunk = g_malloc(CHUNK_BYTES);
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(error, name, errno);
		if ((gsize)n > limit_bytes - bytes->len || (gsize)n >= G_MAXUINT - bytes->len)
			return fail_limit(error, name, limit_bytes);
		if (n == 0)
			break;
		g_byte_array_append(bytes, chunk, n);
	}
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	*ret_size_bytes = bytes->len - 1;
	*ret_text = (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
	return TRUE;
}

gboolean weft_file_read(const char *path, gsize limit_bytes, char **ret_text, gsize *ret_size_bytes,
			GError **error)
{
	struct stat status;
	int fd = open_regular(path, &status, error);
	if (fd < 0)
		return FALSE;
	gboolean is_good = weft_fd_read(fd, path, limit_bytes, ret_text, ret_size_bytes, error);
	close(fd);
	return is_good;
}

gboolean weft_fd_hash(int fd, const char *name, GChecksum *sum, guint64 limit_bytes,
		      guint64 *offset, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(CHUNK_BYTES);
	guint64 end = *offset + limit_bytes;
	while (*offset < end) {
		ssize_t n = pread(fd, chunk, MIN(CHUNK_BYTES, end - *offset), *offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(error, name, errno);
		if (n == 0)
			break;
		g_checksum_update(sum, chunk, n);
		*offset += n;
	}
	return TRUE;
}

gboolean weft_fd_sha256(int fd, const char *name, char ret_hex[65], guint64 *ret_size_bytes,
			GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 size = 0;
	if (!weft_fd_hash(fd, name, sum, G_MAXUINT64, &size, error))
		return FALSE;
	g_strlcpy(ret_hex, g_checksum_get_string(sum), 65);
	*ret_size_bytes = size;
	return TRUE;
}

gboolean weft_fd_write(int fd, const char *name, gconstpointer data, gsize size_bytes,
		       GError **error)
{
	const guint8 *p = data;
	while (size_bytes > 0) {
		ssize_t n = write(fd, p, size_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(error, name, errno);
		p += n;
		size_bytes -= n;
	}
	return TRUE;
}

int weft_folder_open(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)fail_errno(error, path, errno);
	return fd;
}

gboolean weft_folder_sync(const char *path, GError **error)
{
	int fd = weft_folder_open(path, error);
	if (fd < 0)
		return FALSE;
	int number = fsync(fd) < 0 ? errno : 0;
	close(fd);
	return number ? fail_errno(error, path, number) : TRUE;
}

gboolean weft_filesystem_sync(int folder, const char *path, GError **error)
{
	/* Those known to write all and to tell, since Linux 5.8. Others (FUSE) may do nothing. */
	static const guint64 KNOWN[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
					 F2FS_SUPER_MAGIC, TMPFS_MAGIC };
	struct statfs status;

	if (fstatfs(folder, &status) < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(KNOWN); i++)
		if ((guint32)status.f_type == KNOWN[i])
			return syncfs(folder) == 0 || fail_errno(error, path, errno);
	return FALSE;
}

gboolean weft_filesystem_is_remote(guint64 magic)
{
	/* linux/magic.h has some of them only. */
	static const guint64 REMOTE[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CODA_SUPER_MAGIC, AFS_SUPER_MAGIC,
		0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */, 0x00C36400 /* Ceph */,
		0x0BD00BD0 /* Lustre */, 0x01161970 /* GFS2 */, 0x7461636F /* OCFS2 */,
		0x47504653 /* GPFS */, 0xBACBACBC /* HGFS */, 0x564C /* NCP */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(REMOTE); i++)
		if (magic == REMOTE[i])
			return TRUE;
	return FALSE;
}

gboolean weft_folder_is_remote(const char *path)
{
	struct statfs status;

	/* The type of a filesystem has 32 bits, whatever the field has. */
	return statfs(path, &status) == 0 && weft_filesystem_is_remote((guint32)status.f_type);
}

gboolean weft_folder_make(const char *path, int mode, GError **error)
{
	/* EEXIST of something that is no folder is told by whoever uses it. */
	if (g_mkdir_with_parents(path, mode) < 0)
		return fail_errno(error, path, errno);
	return TRUE;
}

/* The umask can't be asked without setting it: a new file tells what open(2) makes of 0666, but
 * mkstemp makes 0600, so the name is made here. */
static int open_temporary(const char *folder, const char *name, char **ret_path, GError **error)
{
	for (int i = 0; i < 100; i++) {
		g_autofree char *base = g_strdup_printf(".%s.tmp-%08x", name, g_random_int());
		g_autofree char *path = g_build_filename(folder, base, NULL);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd >= 0) {
			*ret_path = g_steal_pointer(&path);
			return fd;
		}
		if (errno != EEXIST) {
			int code = errno; /* of the name that was asked for: the temporary one says nothing */
			g_autofree char *wanted = g_build_filename(folder, name, NULL);
			(void)fail_errno(error, wanted, code);
			return -1;
		}
	}
	(void)fail_errno(error, folder, EEXIST);
	return -1;
}

gboolean weft_name_is_debris(const char *name)
{
	/* Synology's indices and bin; snapshots of NetApp and others; bins of desktops; Windows' and
	 * macOS' notes about a folder; lock files of Microsoft Office. */
	static const char *const globs[] = { "@eaDir",    "#recycle",  ".snapshot", ".Trash*",
					     "Thumbs.db", ".DS_Store", "~$*" };

	for (gsize i = 0; i < G_N_ELEMENTS(globs); i++)
		if (fnmatch(globs[i], name, 0) == 0)
			return TRUE;
	return FALSE;
}

gboolean weft_file_is_temporary(const char *name)
{
	const char *mark = strrchr(name, '.');
	return name[0] == '.' && mark && mark != name && g_str_has_prefix(mark, ".tmp-") &&
	       strspn(mark + 5, "0123456789abcdef") == 8 && mark[13] == '\0';
}

struct WeftNewFile {
	char *path, *temporary; /* temporary: NULL when it has its name */
	int fd;                 /* -1: closed */
};

WeftNewFile *weft_new_file_open(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	char *temporary = NULL;
	int fd = open_temporary(folder, name, &temporary, error);
	if (fd < 0)
		return NULL;
	WeftNewFile *file = g_new(WeftNewFile, 1);
	*file = (WeftNewFile){g_strdup(path), temporary, fd};
	return file;
}

gboolean weft_new_file_write(WeftNewFile *file, gconstpointer data, gsize size_bytes, GError **error)
{
	return weft_fd_write(file->fd, file->path, data, size_bytes, error);
}

void weft_new_file_begin_sync(WeftNewFile *file)
{
	(void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* an advice */
}

gboolean weft_new_file_sync(WeftNewFile *file, gboolean is_synced, GError **error)
{
	int fd = file->fd;
	file->fd = -1;
	/* After a sync of everything this only asks how it went for this file. */
	int failed = is_synced ? sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE) : fsync(fd);
	gboolean is_good = failed == 0 || (is_synced && errno == ENOSYS) ||
			   fail_errno(error, file->path, errno);
	if (close(fd) < 0 && is_good)
		is_good = fail_errno(error, file->path, errno);
	return is_good;
}

gboolean weft_new_file_rename(WeftNewFile *file, GError **error)
{
	if (rename(file->temporary, file->path) < 0)
		return fail_errno(error, file->path, errno);
	g_clear_pointer(&file->temporary, g_free);
	return TRUE;
}

gboolean weft_new_file_status(const WeftNewFile *file, struct stat *ret_status, GError **error)
{
	return fstat(file->fd, ret_status) == 0 || fail_errno(error, file->path, errno);
}

const char *weft_new_file_temporary(const WeftNewFile *file)
{
	return file->temporary;
}

gboolean weft_new_file_publish(WeftNewFile *file, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(file->path);
	return weft_new_file_sync(file, FALSE, error) && weft_new_file_rename(file, error) &&
	       weft_folder_sync(folder, error);
}

void weft_new_file_close(WeftNewFile *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		(void)close(file->fd); /* it goes away */
	if (file->temporary)
		(void)unlink(file->temporary); /* what went wrong has been told */
	g_free(file->temporary);
	g_free(file->path);
	g_free(file);
}

gboolean weft_file_write(const char *path, gconstpointer data, gsize size_bytes, GError **error)
{
	g_autoptr(WeftNewFile) file = weft_new_file_open(path, error);
	return file && weft_new_file_write(file, data, size_bytes, error) &&
	       weft_new_file_publish(file, error);
}

static int operation_of(WeftLockMode mode)
{
	return mode == WEFT_LOCK_ALONE ? LOCK_EX : LOCK_SH;
}

WeftLock *weft_lock_open(const char *path, WeftLockMode mode, gboolean waits, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	int failed;
	if (fd < 0) {
		(void)fail_errno(error, path, errno);
		return NULL;
	}
	do
		failed = flock(fd, operation_of(mode) | (waits ? 0 : LOCK_NB));
	while (failed < 0 && errno == EINTR);
	if (failed < 0) {
		int number = errno;
		g_autofree char *name = weft_path_display(path);
		if (number == EWOULDBLOCK)
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED,
				    "%s: another run holds the lock", name);
		else
			(void)fail_errno(error, path, number);
		close(fd);
		return NULL;
	}
	WeftLock *lock = g_new(WeftLock, 1);
	lock->fd = fd;
	return lock;
}

gboolean weft_lock_change(WeftLock *lock, WeftLockMode mode)
{
	int failed;
	do
		failed = flock(lock->fd, operation_of(mode) | LOCK_NB);
	while (failed < 0 && errno == EINTR);
	return failed == 0;
}

gboolean weft_lock_is_at(const WeftLock *lock, const char *path)
{
	struct stat held, there;
	return fstat(lock->fd, &held) == 0 && lstat(path, &there) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

void weft_lock_close(WeftLock *lock)
{
	if (!lock)
		return;
	close(lock->fd);
	g_free(lock);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void weft_names_sort(GPtrArray *names)
{
	g_ptr_array_sort(names, compare_names);
}

GPtrArray *weft_names_of_keys(GHashTable *table)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	weft_names_sort(names);
	return names;
}

GPtrArray *weft_folder_names(const char *path, gsize limit, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int number;

	if (!folder) {
		(void)fail_errno(error, path, errno);
		return NULL;
	}
	while (errno = 0, (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names->len >= limit) {
			g_autofree char *name = weft_path_display(path);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
				    "%s: more than %" G_GSIZE_FORMAT " names", name, limit);
			closedir(folder);
			return NULL;
		}
		g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	number = errno;
	closedir(folder);
	if (number) {
		(void)fail_errno(error, path, number);
		return NULL;
	}
	weft_names_sort(names);
	return g_steal_pointer(&names);
}
