/* files.h - files as weft uses them: mapped, read with a limit, published whole, locked, hashed.
 *
 * Publishing: the bytes go to a temporary file beside the target (".<name>.tmp-XXXXXX"), are
 * synced, renamed over the target, and the folder is synced; a reader sees the old file or the new
 * one, also after a power cut. Messages are "PATH: words of the operating system"; paths are
 * printed as valid UTF-8. Everything is WEFT_ERROR_IO unless said otherwise.
 */
#ifndef WEFT_BASE_FILES_H
#define WEFT_BASE_FILES_H

#include <glib.h>
#include <sys/stat.h>

/* ---- mapping ---- */

typedef struct WeftMap {
	const guint8 *data; /* NULL when the file is empty */
	gsize size_bytes;
} WeftMap;

/* Maps a regular file, read-only and shared. A file that shrinks later makes reading it fatal
 * (SIGBUS): for models, not for documents. */
WeftMap *weft_map_open(const char *path, GError **error);
void weft_map_close(WeftMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMap, weft_map_close)

/* Starts reading these bytes of a mapped file, and nothing around them. */
void weft_mapping_prefetch(gconstpointer data, gsize size_bytes);
/* alone: what is touched of these bytes is read by itself, nothing around it (the system's habit,
 * which FALSE gives back). */
void weft_mapping_read_alone(gconstpointer data, gsize size_bytes, gboolean alone);
/* Reads these bytes of a mapped file and keeps them in memory until they are unmapped.
 * WEFT_ERROR_LIMIT says what the process may lock. */
gboolean weft_mapping_lock(gconstpointer data, gsize size_bytes, GError **error);

/* `size_bytes` of zeros to write to, in a file of `folder` that has no name and is gone when it is
 * unmapped or the process ends. Its room on disk is taken first, so that writing can't be fatal:
 * WEFT_ERROR_LIMIT when the disk, a quota or the process's limit has not so much. */
gpointer weft_scratch_map(const char *folder, gsize size_bytes, GError **error);
void weft_scratch_unmap(gpointer memory, gsize size_bytes);

/* ---- reading ---- */

/* The whole of a regular file, NUL-terminated behind its end; WEFT_ERROR_LIMIT when it is larger
 * than `limit_bytes`. Caller frees. */
gboolean weft_file_read(const char *path, gsize limit_bytes, char **ret_text, gsize *ret_size_bytes,
			GError **error);
/* The same from a descriptor, from its current position to its end. `name` is for messages. */
gboolean weft_fd_read(int fd, const char *name, gsize limit_bytes, char **ret_text,
		      gsize *ret_size_bytes, GError **error);

/* SHA-256 of all bytes from offset 0, read with pread: the descriptor's offset stays. 64 hex
 * digits and NUL. */
gboolean weft_fd_sha256(int fd, const char *name, char ret_hex[65], guint64 *ret_size_bytes,
			GError **error);
/* Adds at most `limit_bytes` from *offset on to the sum and moves *offset behind them; it stays
 * where it is at the end of the file. For callers that may be told to stop half way. */
gboolean weft_fd_hash(int fd, const char *name, GChecksum *sum, guint64 limit_bytes,
		      guint64 *offset, GError **error);

/* ---- writing ---- */

/* Publishes `data` at `path`, mode 0666 less the umask; replaces what was there. */
gboolean weft_file_write(const char *path, gconstpointer data, gsize size_bytes, GError **error);
/* The same for bytes that come one after the other: what was written is published whole, or gone
 * when the file is closed before. */
typedef struct WeftNewFile WeftNewFile;
WeftNewFile *weft_new_file_open(const char *path, GError **error);
gboolean weft_new_file_write(WeftNewFile *file, gconstpointer data, gsize size_bytes,
			     GError **error);
gboolean weft_new_file_publish(WeftNewFile *file, GError **error);
/* Publishing many at once, step by step: the disk may begin with what was written; it lasts (a file
 * whose sync failed is lost, no second try says the truth); it has its name, which lasts once the
 * folder was synced. weft_new_file_sync closes the descriptor; `is_synced` says that a sync of the
 * whole filesystem came before. */
void weft_new_file_begin_sync(WeftNewFile *file);
gboolean weft_new_file_sync(WeftNewFile *file, gboolean is_synced, GError **error);
gboolean weft_new_file_rename(WeftNewFile *file, GError **error);
/* What fstat(2) says of it before its sync; where it lies until it has its name. */
gboolean weft_new_file_status(const WeftNewFile *file, struct stat *ret_status, GError **error);
const char *weft_new_file_temporary(const WeftNewFile *file);
void weft_new_file_close(WeftNewFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftNewFile, weft_new_file_close)
/* TRUE for the name (without folder) of a temporary file that a killed weft_file_write left. */
gboolean weft_file_is_temporary(const char *name);
/* Writes all, in as many calls as it takes. */
gboolean weft_fd_write(int fd, const char *name, gconstpointer data, gsize size_bytes,
		       GError **error);
/* fsync of a folder, so that renames in it last. */
gboolean weft_folder_sync(const char *path, GError **error);
/* Opens a folder for weft_filesystem_sync; -1 with the error set. */
int weft_folder_open(const char *path, GError **error);
/* Makes all that was written to the filesystem of an open folder last. FALSE without an error: this
 * filesystem does not promise that it tells of failures; sync files one by one. */
gboolean weft_filesystem_sync(int folder, const char *path, GError **error);
/* TRUE for a folder on a filesystem that other machines may share, which locks and shared memory do
 * not reach. */
gboolean weft_folder_is_remote(const char *path);
gboolean weft_filesystem_is_remote(guint64 magic);
/* Makes the folder and those above it where they are missing; those it makes get `mode`. */
gboolean weft_folder_make(const char *path, int mode, GError **error);

/* ---- locks ---- */

typedef enum {
	WEFT_LOCK_ALONE,  /* nobody else holds it */
	WEFT_LOCK_SHARED, /* beside others that share it */
} WeftLockMode;

typedef struct WeftLock WeftLock;

/* Makes the file where missing and takes flock(2) on it. Waits for it, or not: then
 * WEFT_ERROR_CANCELLED when another process holds it. The lock is the held descriptor: it ends with
 * the process, whatever ends that, and the file stays. */
WeftLock *weft_lock_open(const char *path, WeftLockMode mode, gboolean waits, GError **error);
/* From one mode to the other, without waiting. Not in one step: others may take it in between. FALSE:
 * another process was in the way, and the lock is no longer held. */
gboolean weft_lock_change(WeftLock *lock, WeftLockMode mode);
/* FALSE when the file was removed, moved or replaced since: the lock keeps nobody out any more. */
gboolean weft_lock_is_at(const WeftLock *lock, const char *path);
void weft_lock_close(WeftLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLock, weft_lock_close)

/* ---- names ---- */

/* Names in a folder, sorted bytewise, without "." and "..". At most `limit` of them, else
 * WEFT_ERROR_LIMIT. */
GPtrArray *weft_folder_names(const char *path, gsize limit, GError **error);

/* TRUE for the name of what other systems leave in folders that they show or share, and nobody put
 * there: @eaDir #recycle .snapshot .Trash* Thumbs.db .DS_Store ~$*. */
gboolean weft_name_is_debris(const char *name);

/* Bytewise: `names` are char *. */
void weft_names_sort(GPtrArray *names);
/* The keys of a table, char *, borrowed, sorted. Caller unrefs. */
GPtrArray *weft_names_of_keys(GHashTable *table);

/* A path for messages, on one line: as weft_utf8_append_harmless. Caller frees. */
char *weft_path_display(const char *path);

#endif
