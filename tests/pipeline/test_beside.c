#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "pipeline/beside.h"

typedef struct Folder {
	char *path;
	int fd;
	GPtrArray *names;
} Folder;

static void folder_set_up(Folder *folder, gconstpointer data)
{
	(void)data;
	folder->path = g_dir_make_tmp("weft-beside-XXXXXX", NULL);
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder->names = g_ptr_array_new_with_free_func(g_free);
	g_assert_cmpint(folder->fd, >=, 0);
}

static void folder_tear_down(Folder *folder, gconstpointer data)
{
	(void)data;
	for (guint i = 0; i < folder->names->len; i++)
		unlinkat(folder->fd, folder->names->pdata[i], 0);
	g_ptr_array_unref(folder->names);
	close(folder->fd);
	g_rmdir(folder->path);
	g_free(folder->path);
}

/* A file of so many bytes. */
static void add(Folder *folder, const char *name, gint64 size_bytes)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(ftruncate(fd, size_bytes), ==, 0);
	close(fd);
	g_ptr_array_add(folder->names, g_strdup(name));
	weft_names_sort(folder->names);
}

static void assert_captions(const WeftBeside *beside, const char *name, const char *captions)
{
	guint64 mark;

	g_assert_cmpstr(weft_beside_captions(beside, name, &mark), ==, captions);
	g_assert_cmpint(mark != 0, ==, captions != NULL);
}

/* Names joined by spaces; "" for none. */
static void assert_recordings(const WeftBeside *beside, const char *captions, const char *names)
{
	guint64 mark;
	g_autoptr(GPtrArray) found = weft_beside_recordings(beside, captions, &mark);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; found != NULL && i < found->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (char *)found->pdata[i]);
	g_assert_cmpstr(text->str, ==, names);
	g_assert_cmpint(mark != 0, ==, *names != '\0');
}

static void test_none(Folder *folder, gconstpointer data)
{
	(void)data;
	add(folder, "talk.mp4", 1);
	add(folder, ".vtt", 1); /* a name, and no ending */
	g_assert_null(weft_beside_new(folder->names, folder->fd));
}

static void test_names(Folder *folder, gconstpointer data)
{
	static const char *const names[] = {
		"talk.mp4", "talk.m4a", "talk-1.mp4", "talk",      "talk.vtt",   "talk.srt",
		"a.mkv",    "a.mkv.srt", "b.ogg",     "b.en.srt",  "b.de.srt",   "b.de.vtt",
		"c.ogg",    "c.draft.vtt", "d.wav",   "D.VTT",     "e.v1.mp4",   "e.v1.vtt",
		"f.mp3",    "f.zh-Hans.vtt", "f.zh-.vtt", "a.mp4",
	};
	g_autoptr(WeftBeside) beside = NULL;

	(void)data;
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		add(folder, names[i], 1);
	beside = weft_beside_new(folder->names, folder->fd);
	assert_captions(beside, "talk.mp4", "talk.vtt");
	assert_captions(beside, "talk", "talk.vtt");
	assert_captions(beside, "talk-1.mp4", NULL);
	assert_captions(beside, "a.mkv", "a.mkv.srt");
	assert_captions(beside, "a.mp4", NULL);
	assert_captions(beside, "b.ogg", "b.de.vtt");
	assert_captions(beside, "c.ogg", NULL);
	assert_captions(beside, "d.wav", NULL);
	assert_captions(beside, "e.v1.mp4", "e.v1.vtt");
	assert_captions(beside, "f.mp3", "f.zh-Hans.vtt");
	assert_captions(beside, "talk.srt", NULL);
	assert_recordings(beside, "talk.vtt", "talk talk.m4a talk.mp4");
	assert_recordings(beside, "talk.srt", "");
	assert_recordings(beside, "a.mkv.srt", "a.mkv");
	assert_recordings(beside, "b.de.vtt", "b.ogg");
	assert_recordings(beside, "b.de.srt", "");
	assert_recordings(beside, "b.en.srt", "");
	assert_recordings(beside, "c.draft.vtt", "");
	assert_recordings(beside, "e.v1.vtt", "e.v1.mp4");
	assert_recordings(beside, "talk.mp4", "");
}

/* What is empty, too large or a link is not there: the next one is. */
static void test_files(Folder *folder, gconstpointer data)
{
	g_autoptr(WeftBeside) beside = NULL;

	(void)data;
	add(folder, "a.mp4", 1);
	add(folder, "a.vtt", 0);
	add(folder, "a.srt", ((gint64)8 << 20) + 1);
	g_assert_cmpint(symlinkat("/etc/passwd", folder->fd, "a.de.vtt"), ==, 0);
	g_ptr_array_add(folder->names, g_strdup("a.de.vtt"));
	add(folder, "a.en.vtt", (gint64)8 << 20);
	beside = weft_beside_new(folder->names, folder->fd);
	assert_captions(beside, "a.mp4", "a.en.vtt");
	assert_recordings(beside, "a.vtt", "");
}

static void test_marks(void)
{
	struct stat status = {.st_ino = 7, .st_size = 5, .st_ctim = {1700000000, 5}}, other = status;
	struct stat both = weft_beside_status(&status, 0);
	guint64 mark = weft_beside_mark(0, "a.vtt", &status);

	g_assert_cmpint(memcmp(&both, &status, sizeof both), ==, 0);
	both = weft_beside_status(&status, mark);
	g_assert_false(both.st_ctim.tv_sec == status.st_ctim.tv_sec &&
		       both.st_ctim.tv_nsec == status.st_ctim.tv_nsec);
	g_assert_cmpint(both.st_size, ==, status.st_size);
	g_assert_cmpuint(mark, ==, weft_beside_mark(0, "a.vtt", &status));
	g_assert_cmpuint(mark, !=, weft_beside_mark(0, "a.srt", &status));
	g_assert_cmpuint(mark, !=, weft_beside_mark(1, "a.vtt", &status));
	other.st_ctim.tv_nsec++;
	g_assert_cmpuint(mark, !=, weft_beside_mark(0, "a.vtt", &other));
	other = status;
	other.st_ino++;
	g_assert_cmpuint(mark, !=, weft_beside_mark(0, "a.vtt", &other));
}

/* Names that all begin alike are gone through once, not once for each. */
static void test_many(Folder *folder, gconstpointer data)
{
	g_autoptr(WeftBeside) beside = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	gint64 begin_us = g_get_monotonic_time();

	(void)data;
	for (guint i = 0; i < 100000; i++)
		g_ptr_array_add(names, g_strdup_printf("scan.%06u", i));
	add(folder, "scan.vtt", 1);
	g_ptr_array_add(names, g_strdup("scan.vtt"));
	beside = weft_beside_new(names, folder->fd);
	for (guint i = 0; i < names->len; i++) {
		guint64 mark;
		g_autoptr(GPtrArray) found = weft_beside_recordings(beside, names->pdata[i], &mark);

		(void)weft_beside_captions(beside, names->pdata[i], &mark);
		g_assert_cmpuint(found != NULL ? found->len : 0, <=, 16);
	}
	/* a tenth of it here; once for each would be minutes */
	g_assert_cmpint(g_get_monotonic_time() - begin_us, <, 20 * G_USEC_PER_SEC);
}

#define ADD(name, function) \
	g_test_add("/beside/" name, Folder, NULL, folder_set_up, function, folder_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("none", test_none);
	ADD("names", test_names);
	ADD("files", test_files);
	ADD("many", test_many);
	g_test_add_func("/beside/marks", test_marks);
	return g_test_run();
}
