#include "outputs/run_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"

/* Files that stay, and names that are looked at. */
#define RUNS_KEPT 20
#define RUNS_MAX ((gsize)10000)
#define TRIES 100

struct WeftRunFile {
	int fd;
	guint64 number;
};

/* 0: not the name of a run's file. */
static guint64 number_of(const char *name)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT64, &number, NULL))
		return 0;
	return number;
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* Numbers of all files, the highest first. */
static GArray *numbers_in(const char *folder)
{
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_autoptr(GPtrArray) names = weft_folder_names(folder, RUNS_MAX, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		guint64 number = number_of(names->pdata[i]);
		if (number > 0)
			g_array_append_val(numbers, number);
	}
	g_array_sort(numbers, compare_numbers);
	return numbers;
}

static char *path_of(const char *folder, guint64 number)
{
	return g_strdup_printf("%s/%" G_GUINT64_FORMAT, folder, number);
}

/* Nobody holds the lock of a run that has ended. */
static gboolean is_alive(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return FALSE;
}

static void remove_old(const char *folder, const GArray *numbers)
{
	for (guint i = RUNS_KEPT; i < numbers->len; i++) {
		g_autofree char *path = path_of(folder, g_array_index(numbers, guint64, i));
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd >= 0 && !is_alive(fd))
			(void)unlink(path); /* it is only in the way */
		if (fd >= 0)
			close(fd);
	}
}

/* A file that is locked from its first moment on: without a name first. -1: it can't be had. */
static int make_file(const char *folder, guint64 number, guint64 *ret_number)
{
	g_autofree char *source = NULL;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	source = g_strdup_printf("/proc/self/fd/%d", fd);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		for (int i = 0; i < TRIES; i++, number++) {
			g_autofree char *path = path_of(folder, number);

			if (linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
				*ret_number = number;
				return fd;
			}
			if (errno != EEXIST)
				break;
		}
	}
	close(fd);
	return -1;
}

WeftRunFile *weft_run_file_new(const char *state_dir)
{
	g_autofree char *folder = g_build_filename(state_dir, "runs", NULL);

	if (!weft_folder_make(folder, 0700, NULL))
		return NULL;
	g_autoptr(GArray) numbers = numbers_in(folder);
	remove_old(folder, numbers);
	guint64 number;
	int fd = make_file(folder, numbers->len > 0 ? g_array_index(numbers, guint64, 0) + 1 : 1,
			   &number);
	if (fd < 0)
		return NULL;
	WeftRunFile *file = g_new(WeftRunFile, 1);
	file->fd = fd;
	file->number = number;
	return file;
}

guint64 weft_run_file_number(const WeftRunFile *file)
{
	return file ? file->number : 0;
}

gboolean weft_run_file_is_alive(const char *state_dir, guint64 number)
{
	g_autofree char *folder = g_build_filename(state_dir, "runs", NULL);
	g_autofree char *path = path_of(folder, number);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	gboolean alive = fd >= 0 && is_alive(fd);

	if (fd >= 0)
		close(fd);
	return alive;
}

void weft_run_file_write(WeftRunFile *file, const char *json)
{
	char page[WEFT_RUN_FILE_BYTES];
	gsize size = strlen(json);

	if (!file || size >= sizeof(page))
		return;
	memset(page, ' ', sizeof(page));
	memcpy(page, json, size);
	page[sizeof(page) - 1] = '\n';
	(void)!pwrite(file->fd, page, sizeof(page), 0); /* for people only */
}

void weft_run_file_close(WeftRunFile *file)
{
	if (!file)
		return;
	close(file->fd);
	g_free(file);
}

static void note_free(void *data)
{
	WeftRunNote *note = data;

	g_free(note->json);
	g_free(note);
}

GPtrArray *weft_run_file_read_all(const char *state_dir)
{
	GPtrArray *notes = g_ptr_array_new_with_free_func(note_free);
	g_autofree char *folder = g_build_filename(state_dir, "runs", NULL);
	g_autoptr(GArray) numbers = numbers_in(folder);

	for (guint i = 0; i < numbers->len; i++) {
		guint64 number = g_array_index(numbers, guint64, i);
		g_autofree char *path = path_of(folder, number);
		char page[WEFT_RUN_FILE_BYTES];
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		ssize_t n = fd >= 0 ? pread(fd, page, sizeof(page), 0) : -1;

		if (n > 0) {
			WeftRunNote *note = g_new0(WeftRunNote, 1);
			note->number = number;
			note->is_alive = is_alive(fd);
			note->json = g_strndup(page, (gsize)n);
			g_ptr_array_add(notes, note);
		}
		if (fd >= 0)
			close(fd);
	}
	return notes;
}
