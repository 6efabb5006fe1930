#include "pipeline/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/long_path.h"
#include "pipeline/beside.h"
#include "pipeline/ignore.h"
#include "pipeline/pipeline.h"

/* Each level holds an open folder; a process may have 1024 open files by default. */
#define DEPTH_MAX 200
#define NAMES_MAX ((guint)10 * 1000 * 1000)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct WeftFolder {
	int fd;
	atomic_uint n_refs;
};

typedef struct Level {
	WeftFolder *folder;
	GPtrArray *names; /* char *, sorted; those of folders end with a slash */
	guint next;
	gsize path_size;  /* of the walk's path, with the slash before the names */
	WeftIgnore *ignore;
	GPtrArray *inputs; /* of the names, those of `beside`; borrows */
	WeftBeside *beside; /* NULL: no captions are there */
} Level;

/* The folder of the last input that is a file. */
typedef struct Near {
	char *prefix; /* what its path has before the name; NULL: there was none yet */
	WeftFolder *folder;
	GPtrArray *names;
	WeftBeside *beside;
} Near;

struct WeftWalk {
	const GPtrArray *inputs, *excludes;
	GHashTable *given; /* inputs; the value is not NULL once it was walked */
	guint next_input;
	GArray *levels; /* Level */
	GString *path;
	GError *failure; /* of the last found */
	GPtrArray *recordings; /* likewise */
	Near near;
	struct stat left_out[2];
	guint n_folders_left_out;
	guint64 n_left_out, n_ignored;
};

/* ---- folders ---- */

static WeftFolder *folder_new(int fd)
{
	WeftFolder *folder = g_new0(WeftFolder, 1);

	folder->fd = fd;
	atomic_init(&folder->n_refs, 1);
	return folder;
}

WeftFolder *weft_folder_ref(WeftFolder *folder)
{
	atomic_fetch_add(&folder->n_refs, 1);
	return folder;
}

void weft_folder_unref(WeftFolder *folder)
{
	if (folder == NULL || atomic_fetch_sub(&folder->n_refs, 1) > 1)
		return;
	close(folder->fd);
	g_free(folder);
}

/* ---- paths ---- */

char *weft_path_tidy(const char *path)
{
	GString *tidy = g_string_new(path[0] == '/' ? "/" : "");

	while (*path != '\0') {
		gsize size = strcspn(path, "/");

		if (size > 0 && !(size == 1 && path[0] == '.')) {
			if (tidy->len > 0 && tidy->str[tidy->len - 1] != '/')
				g_string_append_c(tidy, '/');
			g_string_append_len(tidy, path, (gssize)size);
		}
		path += size;
		path += strspn(path, "/");
	}
	if (tidy->len == 0)
		g_string_append_c(tidy, '.');
	return g_string_free(tidy, FALSE);
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int weft_folder_open_file(const WeftFolder *folder, const char *path)
{
	if (folder == NULL)
		return weft_path_open(path, FILE_FLAGS);
	return openat(folder->fd, last_name(path), FILE_FLAGS | O_NOFOLLOW);
}

int weft_folder_open_beside(const WeftFolder *folder, const char *path, const char *name)
{
	g_autofree char *prefix = g_strndup(path, (gsize)(last_name(path) - path));
	g_autofree char *beside = g_strconcat(prefix, name, NULL);

	if (folder == NULL)
		return weft_path_open(beside, FILE_FLAGS | O_NOFOLLOW);
	return openat(folder->fd, name, FILE_FLAGS | O_NOFOLLOW);
}

/* ---- names of a folder ---- */

static gboolean is_folder(int fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

static gboolean read_names(DIR *stream, int fd, GPtrArray *names, gboolean *ret_has_ignore,
			   GError **error)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names->len == NAMES_MAX) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
				    "more than %u names in one folder", NAMES_MAX);
			return FALSE;
		}
		*ret_has_ignore = *ret_has_ignore || strcmp(entry->d_name, WEFT_IGNORE_FILE) == 0;
		g_ptr_array_add(names, g_strconcat(entry->d_name, is_folder(fd, entry) ? "/" : NULL,
						   NULL));
	}
	if (errno == 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno));
	return FALSE;
}

static GPtrArray *list_names(int fd, gboolean *ret_has_ignore, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int copy = openat(fd, ".", FOLDER_FLAGS); /* a place of its own in the folder */
	DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
	gboolean is_read;

	if (stream == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno));
		if (copy >= 0)
			close(copy);
		return NULL;
	}
	is_read = read_names(stream, fd, names, ret_has_ignore, error);
	closedir(stream);
	/* "a/" behind "a.txt": what is walked comes in the order of its whole paths */
	weft_names_sort(names);
	return is_read ? g_steal_pointer(&names) : NULL;
}

/* ---- the walk ---- */

static void level_clear(void *data)
{
	Level *level = data;

	weft_beside_free(level->beside);
	g_clear_pointer(&level->inputs, g_ptr_array_unref);
	weft_folder_unref(level->folder);
	g_ptr_array_unref(level->names);
	weft_ignore_free(level->ignore);
}

WeftWalk *weft_walk_new(const GPtrArray *inputs, const GPtrArray *excludes)
{
	WeftWalk *walk = g_new0(WeftWalk, 1);

	walk->inputs = inputs;
	walk->excludes = excludes;
	walk->given = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < inputs->len; i++)
		g_hash_table_insert(walk->given, g_ptr_array_index(inputs, i), NULL);
	walk->levels = g_array_new(FALSE, TRUE, sizeof(Level));
	g_array_set_clear_func(walk->levels, level_clear);
	walk->path = g_string_new(NULL);
	return walk;
}

static void near_clear(Near *near)
{
	g_clear_pointer(&near->prefix, g_free);
	g_clear_pointer(&near->beside, weft_beside_free);
	g_clear_pointer(&near->names, g_ptr_array_unref);
	g_clear_pointer(&near->folder, weft_folder_unref);
}

void weft_walk_free(WeftWalk *walk)
{
	if (walk == NULL)
		return;
	near_clear(&walk->near);
	g_clear_error(&walk->failure);
	g_clear_pointer(&walk->recordings, g_ptr_array_unref);
	g_array_unref(walk->levels);
	g_hash_table_unref(walk->given);
	g_string_free(walk->path, TRUE);
	g_free(walk);
}

void weft_walk_count_in(WeftWalk *walk, const GPtrArray *paths)
{
	for (guint i = 0; i < paths->len; i++)
		g_hash_table_insert(walk->given, paths->pdata[i], NULL);
}

void weft_walk_leave_out(WeftWalk *walk, const struct stat *folder)
{
	g_assert(walk->n_folders_left_out < G_N_ELEMENTS(walk->left_out));
	walk->left_out[walk->n_folders_left_out++] = *folder;
}

guint64 weft_walk_n_left_out(const WeftWalk *walk)
{
	return walk->n_left_out;
}

guint64 weft_walk_n_ignored(const WeftWalk *walk)
{
	return walk->n_ignored;
}

static gboolean is_left_out(const WeftWalk *walk, const struct stat *status)
{
	for (guint i = 0; i < walk->n_folders_left_out; i++) {
		if (walk->left_out[i].st_dev == status->st_dev &&
		    walk->left_out[i].st_ino == status->st_ino)
			return TRUE;
	}
	return FALSE;
}

gboolean weft_path_matches(const char *path, const char *glob)
{
	return fnmatch(glob, last_name(path), 0) == 0 || fnmatch(glob, path, 0) == 0;
}

static gboolean is_excluded(const WeftWalk *walk, const char *path)
{
	for (guint i = 0; i < walk->excludes->len; i++) {
		if (weft_path_matches(path, g_ptr_array_index(walk->excludes, i)))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_ignored(const WeftWalk *walk, gboolean is_a_folder)
{
	for (guint i = walk->levels->len; i > 0; i--) {
		const Level *level = &g_array_index(walk->levels, Level, i - 1);
		WeftIgnoreVerdict verdict =
			level->ignore == NULL
				? WEFT_IGNORE_SILENT
				: weft_ignore_judge(level->ignore, walk->path->str + level->path_size,
						    is_a_folder);

		if (verdict != WEFT_IGNORE_SILENT)
			return verdict == WEFT_IGNORE_ASIDE;
	}
	return weft_ignore_is_debris(last_name(walk->path->str));
}

/* An input, or a file or folder beneath one: TRUE the first time. */
static gboolean visit(WeftWalk *walk)
{
	gpointer given, is_walked;

	if (!g_hash_table_lookup_extended(walk->given, walk->path->str, &given, &is_walked))
		return TRUE;
	if (is_walked != NULL)
		return FALSE;
	g_hash_table_insert(walk->given, given, walk);
	return TRUE;
}

/* ---- what lies beside ---- */

static gboolean has_captions(const GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++) {
		if (weft_beside_is_captions(names->pdata[i]))
			return TRUE;
	}
	return FALSE;
}

/* Of a folder that is walked: what is walked there. The path is that of the folder, with its slash. */
static void look_beside(WeftWalk *walk, Level *level)
{
	if (!has_captions(level->names))
		return;
	level->inputs = g_ptr_array_new();
	for (guint i = 0; i < level->names->len; i++) {
		char *name = level->names->pdata[i];

		g_string_truncate(walk->path, level->path_size);
		g_string_append(walk->path, name);
		if (!g_str_has_suffix(name, "/") && !is_excluded(walk, walk->path->str) &&
		    !is_ignored(walk, FALSE))
			g_ptr_array_add(level->inputs, name);
	}
	g_string_truncate(walk->path, level->path_size);
	level->beside = weft_beside_new(level->inputs, level->folder->fd);
}

/* TRUE when the path is an input, or lies beneath one. */
static gboolean is_given(const WeftWalk *walk, const char *path)
{
	g_autofree char *folder = g_strdup(path);
	char *slash;

	if (g_hash_table_contains(walk->given, folder) ||
	    (!g_str_has_prefix(path, "../") &&
	     g_hash_table_contains(walk->given, path[0] == '/' ? "/" : ".")))
		return TRUE;
	while ((slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		if (g_hash_table_contains(walk->given, folder))
			return TRUE;
	}
	return FALSE;
}

/* Beside an input that is a file: captions, and inputs. */
static void look_near(WeftWalk *walk, const char *prefix)
{
	Near *near = &walk->near;
	int fd = weft_path_open(prefix[0] != '\0' ? prefix : ".", FOLDER_FLAGS);
	g_autoptr(GPtrArray) all = NULL;
	gboolean has_ignore;

	near_clear(near);
	near->prefix = g_strdup(prefix);
	if (fd < 0) /* who may not look there finds nothing there */
		return;
	near->folder = folder_new(fd);
	all = list_names(fd, &has_ignore, NULL);
	if (all == NULL || !has_captions(all))
		return;
	near->names = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < all->len; i++) {
		g_autofree char *path = g_strconcat(prefix, all->pdata[i], NULL);

		if (!g_str_has_suffix(path, "/") && !is_excluded(walk, path) &&
		    (weft_beside_is_captions(all->pdata[i]) || is_given(walk, path)))
			g_ptr_array_add(near->names, g_strdup(all->pdata[i]));
	}
	near->beside = weft_beside_new(near->names, fd);
}

static void add_beside(WeftWalk *walk, const WeftBeside *beside, WeftFound *found)
{
	const char *name = last_name(found->path);

	if (beside == NULL)
		return;
	g_clear_pointer(&walk->recordings, g_ptr_array_unref);
	if (weft_beside_is_captions(name))
		walk->recordings = weft_beside_recordings(beside, name, &found->mark);
	else
		found->captions = weft_beside_captions(beside, name, &found->mark);
	found->recordings = walk->recordings;
}

struct stat weft_found_status(const WeftFound *found)
{
	return weft_beside_status(&found->status, found->mark);
}

/* ---- what is found ---- */

/* Always TRUE: it is found. Takes the failure. */
static gboolean find_failure(WeftWalk *walk, GError *failure, WeftFound *ret_found)
{
	walk->failure = failure;
	*ret_found = (WeftFound){.path = walk->path->str, .failure = failure};
	return TRUE;
}

static gboolean find_errno(WeftWalk *walk, int number, WeftFound *ret_found)
{
	return find_failure(walk, g_error_new(WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(number)),
			    ret_found);
}

/* Goes into a folder that is open; takes the descriptor. TRUE: it can't be read, or its .weftignore
 * can't, and is found so. */
static gboolean enter(WeftWalk *walk, int fd, WeftFound *ret_found)
{
	Level level = {.folder = folder_new(fd)};
	GError *failure = NULL;
	gboolean has_ignore = FALSE;

	if (walk->levels->len >= DEPTH_MAX)
		g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_LIMIT, "folders inside each other: limit %d",
			    DEPTH_MAX);
	else
		level.names = list_names(fd, &has_ignore, &failure);
	if (level.names == NULL) {
		weft_folder_unref(level.folder);
		return find_failure(walk, failure, ret_found);
	}
	if (has_ignore)
		level.ignore = weft_ignore_open(fd, &failure);
	/* Names of "." stand by themselves. */
	if (strcmp(walk->path->str, ".") == 0)
		g_string_truncate(walk->path, 0);
	else if (walk->path->str[walk->path->len - 1] != '/')
		g_string_append_c(walk->path, '/');
	level.path_size = walk->path->len;
	g_array_append_val(walk->levels, level);
	look_beside(walk, &g_array_index(walk->levels, Level, walk->levels->len - 1));
	if (failure == NULL)
		return FALSE;
	g_string_append(walk->path, WEFT_IGNORE_FILE);
	return find_failure(walk, failure, ret_found);
}

/* A file of the folder at hand, or something special. */
static gboolean find_file(WeftWalk *walk, const Level *level, const struct stat *status,
			  WeftFound *ret_found)
{
	if (!S_ISREG(status->st_mode)) {
		walk->n_left_out++;
		return FALSE;
	}
	if (!visit(walk))
		return FALSE;
	*ret_found = (WeftFound){.path = walk->path->str,
				 .folder = level->folder,
				 .has_status = TRUE,
				 .status = *status};
	add_beside(walk, level->beside, ret_found);
	return TRUE;
}

static gboolean enter_below(WeftWalk *walk, const Level *level, const char *name,
			    WeftFound *ret_found)
{
	struct stat status;
	int fd = openat(level->folder->fd, name, FOLDER_FLAGS | O_NOFOLLOW);
	int number = errno;

	/* Gone, or swapped for something else, since its name was read. */
	if (fd < 0 && (number == ENOENT || number == ENOTDIR || number == ELOOP)) {
		walk->n_left_out++;
		return FALSE;
	}
	if (!visit(walk)) {
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	if (fd < 0)
		return find_errno(walk, number, ret_found);
	if (fstat(fd, &status) == 0 && is_left_out(walk, &status)) {
		close(fd);
		return FALSE;
	}
	return enter(walk, fd, ret_found);
}

/* The next name of the innermost folder; TRUE when it is a find. */
static gboolean next_name(WeftWalk *walk, WeftFound *ret_found)
{
	Level *level = &g_array_index(walk->levels, Level, walk->levels->len - 1);
	struct stat status;
	const char *name;
	gboolean is_a_folder;

	if (level->next == level->names->len) {
		g_array_set_size(walk->levels, walk->levels->len - 1);
		return FALSE;
	}
	name = g_ptr_array_index(level->names, level->next++);
	g_string_truncate(walk->path, level->path_size);
	g_string_append(walk->path, name);
	is_a_folder = walk->path->str[walk->path->len - 1] == '/';
	if (is_a_folder)
		g_string_truncate(walk->path, walk->path->len - 1);
	if (is_excluded(walk, walk->path->str)) {
		walk->n_left_out++;
		return FALSE;
	}
	if (is_ignored(walk, is_a_folder)) {
		walk->n_ignored++;
		return FALSE;
	}
	if (is_a_folder)
		return enter_below(walk, level, last_name(walk->path->str), ret_found);
	if (fstatat(level->folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return find_file(walk, level, &status, ret_found);
	if (errno != ENOENT)
		return visit(walk) && find_errno(walk, errno, ret_found);
	walk->n_left_out++;
	return FALSE;
}

/* An input that is a file. */
static gboolean find_input(WeftWalk *walk, const struct stat *status, WeftFound *ret_found)
{
	const char *path = walk->path->str;
	g_autofree char *prefix = g_strndup(path, (gsize)(last_name(path) - path));

	*ret_found = (WeftFound){.path = path, .has_status = TRUE, .status = *status};
	if (g_strcmp0(prefix, walk->near.prefix) != 0)
		look_near(walk, prefix);
	add_beside(walk, walk->near.beside, ret_found);
	return TRUE;
}

static gboolean next_input(WeftWalk *walk, WeftFound *ret_found)
{
	const char *path = g_ptr_array_index(walk->inputs, walk->next_input++);
	struct stat status;
	int fd;

	g_string_assign(walk->path, path);
	if (!visit(walk))
		return FALSE;
	if (is_excluded(walk, path)) {
		walk->n_left_out++;
		return FALSE;
	}
	if (weft_path_stat(path, 0, &status) != 0)
		return find_errno(walk, errno, ret_found);
	if (S_ISREG(status.st_mode)) {
		return find_input(walk, &status, ret_found);
	}
	if (!S_ISDIR(status.st_mode))
		return find_failure(walk,
				    g_error_new(WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
						"not a regular file and not a folder"),
				    ret_found);
	if (is_left_out(walk, &status))
		return FALSE;
	fd = weft_path_open(path, FOLDER_FLAGS);
	if (fd < 0)
		return find_errno(walk, errno, ret_found);
	return enter(walk, fd, ret_found);
}

gboolean weft_walk_next(WeftWalk *walk, WeftFound *ret_found)
{
	gboolean is_found = FALSE;

	g_clear_error(&walk->failure);
	while (!is_found) {
		if (walk->levels->len > 0)
			is_found = next_name(walk, ret_found);
		else if (walk->next_input < walk->inputs->len)
			is_found = next_input(walk, ret_found);
		else
			return FALSE;
	}
	return TRUE;
}
