#include "base/files.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

typedef struct Fixture {
	char *folder;
	char *path; /* of a file in it */
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("weft-files-XXXXXX", NULL);
	g_assert_nonnull(fixture->folder);
	fixture->path = g_build_filename(fixture->folder, "file", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 100, NULL);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(fixture->folder, names->pdata[i], NULL);
		g_assert_cmpint(g_remove(path), ==, 0);
	}
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->path);
	g_free(fixture->folder);
}

static void test_write_and_read(Fixture *fixture, gconstpointer data)
{
	g_autofree char *text = NULL;
	gsize size;
	struct stat status;

	umask(022);
	g_assert_true(weft_file_write(fixture->path, "first, longer", 13, NULL));
	g_assert_true(weft_file_write(fixture->path, "a\0b", 3, NULL));
	g_assert_true(weft_file_read(fixture->path, 3, &text, &size, NULL));
	g_assert_cmpmem(text, size, "a\0b", 3);
	g_assert_cmpint(text[3], ==, 0);
	g_assert_cmpint(stat(fixture->path, &status), ==, 0);
	g_assert_cmphex(status.st_mode & 07777, ==, 0644);
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 100, NULL);
	g_assert_cmpuint(names->len, ==, 1); /* no temporary file stays */
}

static void test_read_limit(Fixture *fixture, gconstpointer data)
{
	char *text = (char *)fixture;
	gsize size = 42;
	g_autoptr(GError) error = NULL;

	g_assert_true(weft_file_write(fixture->path, "1234", 4, NULL));
	g_assert_false(weft_file_read(fixture->path, 3, &text, &size, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_true(text == (char *)fixture && size == 42); /* untouched */
}

/* A process killed between making the temporary file and renaming it: its name is known. */
static void test_killed_while_writing(Fixture *fixture, gconstpointer data)
{
	int end;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_FSIZE, &none); /* the first write raises SIGXFSZ */
		(void)weft_file_write(fixture->path, "x", 1, NULL);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_true(WIFSIGNALED(end));
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 100, NULL);
	g_assert_cmpuint(names->len, ==, 1);
	g_assert_true(weft_file_is_temporary(names->pdata[0]));
	static const char *const OTHERS[] = { "file", ".file", ".file.tmp-", "file.tmp-01234567",
					      ".file.tmp-0123456", ".file.tmp-012345678", "." };
	for (gsize i = 0; i < G_N_ELEMENTS(OTHERS); i++)
		g_assert_false(weft_file_is_temporary(OTHERS[i]));
}

/* What stands in the way stays as it was, and nothing is left beside it. */
static void test_write_fails_whole(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
	g_assert_false(weft_file_write(fixture->path, "x", 1, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 100, NULL);
	g_assert_cmpuint(names->len, ==, 1);
	g_clear_error(&error);
	g_autofree char *missing = g_build_filename(fixture->folder, "no", "file", NULL);
	g_assert_false(weft_file_write(missing, "x", 1, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_nonnull(strstr(error->message, "No such file"));
}

static void test_map(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_assert_true(weft_file_write(fixture->path, "mapped", 6, NULL));
	g_autoptr(WeftMap) map = weft_map_open(fixture->path, NULL);
	g_assert_cmpmem(map->data, map->size_bytes, "mapped", 6);
	g_assert_true(weft_file_write(fixture->path, "", 0, NULL));
	g_assert_cmpmem(map->data, map->size_bytes, "mapped", 6); /* the old file lives on */
	g_autoptr(WeftMap) empty = weft_map_open(fixture->path, NULL);
	g_assert_true(empty && !empty->data && empty->size_bytes == 0);
	g_assert_null(weft_map_open(fixture->folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
}

/* Without the right to lock more, the message says how much is allowed and what to do. */
static void test_lock_limit(Fixture *fixture, gconstpointer data)
{
	static char memory[64 * 4096];
	const struct rlimit low = {8192, 8192};
	pid_t child = fork();
	if (child == 0) {
		g_autoptr(GError) error = NULL;
		/* Not root any more, whom the limit does not hold; under a sanitizer nothing is
		 * locked and every call succeeds. */
		gboolean ready = setrlimit(RLIMIT_MEMLOCK, &low) == 0 &&
				 (geteuid() != 0 || seteuid(65534) == 0) &&
				 mlock(memory, sizeof(memory)) != 0;
		gboolean ok = ready && !weft_mapping_lock(memory, sizeof(memory), &error) &&
			      g_error_matches(error, WEFT_ERROR, WEFT_ERROR_LIMIT) &&
			      strstr(error->message, " 8192 ") && strstr(error->message, "ulimit -l");
		_exit(!ready ? 77 : ok ? 0 : 1);
	}
	int status;
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		g_test_skip("the limit can't be set");
	else
		g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void test_scratch(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	gsize size = 1 << 20;
	char *memory = weft_scratch_map(fixture->folder, size, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < size; i += 4096)
		g_assert_cmpint(memory[i], ==, 0);
	memset(memory, 1, size);
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 10, NULL);
	g_assert_cmpuint(names->len, ==, 0);
	weft_scratch_unmap(memory, size);
	g_assert_null(weft_scratch_map(fixture->folder, (gsize)1 << 60, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_nonnull(strstr(error->message, fixture->folder));
}

/* Opening a FIFO to read waits for a writer; weft must not. */
static void test_fifo(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
	g_assert_null(weft_map_open(fixture->path, &error));
	g_assert_nonnull(strstr(error->message, "not a regular file"));
}

/* FIPS 180-2, appendix B.3: one million times "a". */
static void test_sha256(Fixture *fixture, gconstpointer data)
{
	g_autofree char *text = g_malloc(1000000);
	char hex[65];
	guint64 size;
	memset(text, 'a', 1000000);
	g_assert_true(weft_file_write(fixture->path, text, 1000000, NULL));
	int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(lseek(fd, 5, SEEK_SET), ==, 5);
	g_assert_true(weft_fd_sha256(fd, "x", hex, &size, NULL));
	g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 5);
	g_assert_cmpuint(size, ==, 1000000);
	g_assert_cmpstr(hex, ==, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

	/* The same in pieces, the last one cut by the end of the file. */
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 offset = 0;
	g_assert_true(weft_fd_hash(fd, "x", sum, 300001, &offset, NULL));
	g_assert_cmpuint(offset, ==, 300001);
	g_assert_true(weft_fd_hash(fd, "x", sum, 900000, &offset, NULL));
	g_assert_cmpuint(offset, ==, 1000000);
	g_assert_cmpstr(g_checksum_get_string(sum), ==, hex);
	close(fd);
}

static void test_lock(Fixture *fixture, gconstpointer data)
{
	int ready[2], done[2], end;
	char byte;
	g_autoptr(GError) error = NULL;

	g_assert_true(pipe(ready) == 0 && pipe(done) == 0);
	pid_t child = fork();
	if (child == 0) {
		WeftLock *held = weft_lock_open(fixture->path, WEFT_LOCK_ALONE, FALSE, NULL);
		byte = held ? 'y' : 'n';
		if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
			_exit(2);
		_exit(0); /* without closing: the kernel lets go */
	}
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	g_assert_cmpint(byte, ==, 'y');
	g_assert_null(weft_lock_open(fixture->path, WEFT_LOCK_ALONE, FALSE, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
	g_assert_cmpint(write(done[1], "x", 1), ==, 1);
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_cmpint(end, ==, 0);
	g_autoptr(WeftLock) lock = weft_lock_open(fixture->path, WEFT_LOCK_ALONE, FALSE, NULL);
	g_assert_nonnull(lock);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

/* Shared beside shared, alone beside nobody; an open file of our own is another holder, too. */
static void test_lock_modes(Fixture *fixture, gconstpointer data)
{
	g_autoptr(WeftLock) first = weft_lock_open(fixture->path, WEFT_LOCK_ALONE, FALSE, NULL);
	g_assert_nonnull(first);
	g_assert_null(weft_lock_open(fixture->path, WEFT_LOCK_SHARED, FALSE, NULL));
	g_assert_true(weft_lock_change(first, WEFT_LOCK_SHARED));
	g_autoptr(WeftLock) second = weft_lock_open(fixture->path, WEFT_LOCK_SHARED, TRUE, NULL);
	g_assert_nonnull(second);
	g_assert_null(weft_lock_open(fixture->path, WEFT_LOCK_ALONE, FALSE, NULL));
	g_clear_pointer(&first, weft_lock_close);
	g_assert_true(weft_lock_change(second, WEFT_LOCK_ALONE));
	g_assert_null(weft_lock_open(fixture->path, WEFT_LOCK_SHARED, FALSE, NULL));
}

/* Numbers of linux/magic.h and of the manual page of statfs(2). */
static void test_remote(Fixture *fixture, gconstpointer data)
{
	g_assert_true(weft_filesystem_is_remote(0x6969));     /* NFS */
	g_assert_true(weft_filesystem_is_remote(0xFF534D42)); /* CIFS */
	g_assert_true(weft_filesystem_is_remote(0xFE534D42)); /* SMB2 */
	g_assert_false(weft_filesystem_is_remote(0xEF53));     /* ext4 */
	g_assert_false(weft_filesystem_is_remote(0x01021994)); /* tmpfs */
	g_assert_false(weft_filesystem_is_remote(0x9123683E)); /* btrfs */
	g_assert_false(weft_folder_is_remote("/proc"));
}

static void test_names(Fixture *fixture, gconstpointer data)
{
	static const char *const NAMES[] = { "B", "a", "a\xFF", "b\nc", "\xC3\xA9" };
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		g_autofree char *path = g_build_filename(fixture->folder, NAMES[i], NULL);
		g_assert_true(weft_file_write(path, "", 0, NULL));
	}
	g_autoptr(GPtrArray) names = weft_folder_names(fixture->folder, 5, NULL);
	g_assert_cmpuint(names->len, ==, G_N_ELEMENTS(NAMES));
	for (gsize i = 0; i < names->len; i++)
		g_assert_cmpstr(names->pdata[i], ==, NAMES[i]);
	g_assert_null(weft_folder_names(fixture->folder, 4, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
}

static void test_path_display(void)
{
	g_autofree char *shown = weft_path_display("a\xFF\n\x1b[31m\xC2\x9B\xC3\xA9\xE2\x80\xAE\xE2\x81\xA6");
	g_assert_cmpstr(shown, ==, "a\xEF\xBF\xBD\\x0A\\x1B[31m\\x9B\xC3\xA9\\u202E\\u2066");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/files/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("write-and-read", test_write_and_read);
	ADD("read-limit", test_read_limit);
	ADD("killed-while-writing", test_killed_while_writing);
	ADD("write-fails-whole", test_write_fails_whole);
	ADD("map", test_map);
	ADD("lock-limit", test_lock_limit);
	ADD("scratch", test_scratch);
	ADD("fifo", test_fifo);
	ADD("sha256", test_sha256);
	ADD("lock", test_lock);
	ADD("lock-modes", test_lock_modes);
	ADD("remote", test_remote);
	ADD("names", test_names);
	g_test_add_func("/files/path-display", test_path_display);
	return g_test_run();
}
