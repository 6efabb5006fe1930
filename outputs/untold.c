#include "outputs/untold.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"

#define NUMBER_BYTES 24

static gboolean fail(const char *path, GError **error)
{
	int number = errno;
	g_autofree char *name = weft_path_display(path);

	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", name, g_strerror(number));
	return FALSE;
}

static char *mark_path(const WeftOutputs *outputs, const char *name)
{
	return g_build_filename(outputs->untold, name, NULL);
}

/* Whose mark it is; FALSE: there is none. What is no number, or can't be read, is nobody's. */
static gboolean read_mark(const char *path, guint64 *ret_number)
{
	char text[NUMBER_BYTES];
	ssize_t size = readlink(path, text, sizeof(text) - 1);

	*ret_number = 0;
	if (size < 0)
		return errno != ENOENT;
	text[size] = '\0';
	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, ret_number, NULL))
		*ret_number = 0;
	return TRUE;
}

static gboolean is_ours(const WeftOutputs *outputs, guint64 number)
{
	return number != 0 && number == outputs->run_number;
}

static gboolean is_of_the_living(const WeftOutputs *outputs, guint64 number)
{
	g_autofree char *state = weft_outputs_state_dir(outputs);

	return weft_run_file_is_alive(state, number);
}

void weft_outputs_set_run(WeftOutputs *outputs, guint64 number)
{
	outputs->run_number = number;
}

/* In place of the mark that is there, so that there is one at any moment. */
static gboolean replace_mark(const WeftOutputs *outputs, const char *target, const char *path,
			     GError **error)
{
	g_autofree char *name = g_strconcat("new.", target, NULL);
	g_autofree char *temporary = mark_path(outputs, name);

	if ((unlink(temporary) < 0 && errno != ENOENT) || symlink(target, temporary) < 0 ||
	    rename(temporary, path) < 0)
		return fail(path, error);
	return TRUE;
}

gboolean weft_outputs_will_tell(WeftOutputs *outputs, const char *id, GError **error)
{
	g_autofree char *path = mark_path(outputs, id + strlen("sha256:"));
	char target[NUMBER_BYTES];

	g_snprintf(target, sizeof(target), "%" G_GUINT64_FORMAT, outputs->run_number);
	if (symlink(target, path) < 0 &&
	    (errno != EEXIST ? !fail(path, error) : !replace_mark(outputs, target, path, error)))
		return FALSE;
	outputs->has_new_marks = TRUE;
	return TRUE;
}

gboolean weft_outputs_take_over(WeftOutputs *outputs, const char *id, gboolean *ret_is_untold,
				GError **error)
{
	guint64 number;

	*ret_is_untold = FALSE;
	if (!outputs->lock)
		return TRUE;
	g_autofree char *path = mark_path(outputs, id + strlen("sha256:"));
	if (!read_mark(path, &number) || is_ours(outputs, number) ||
	    is_of_the_living(outputs, number))
		return TRUE;
	*ret_is_untold = TRUE;
	return weft_outputs_will_tell(outputs, id, error);
}

/* Marks that were made for the record of a name, or on the way to it. */
static gboolean is_over(const WeftOutputs *outputs, const char *name, guint64 number)
{
	g_autofree char *id = g_strconcat("sha256:", name, NULL);
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, NULL);

	if (number == outputs->run_number)
		return TRUE;
	return (!file || access(file, F_OK) < 0) && !is_of_the_living(outputs, number);
}

gboolean weft_outputs_has_told(WeftOutputs *outputs, GError **error)
{
	DIR *folder = opendir(outputs->untold);
	const struct dirent *entry;
	gboolean is_good = TRUE;

	if (!folder)
		return errno == ENOENT || fail(outputs->untold, error);
	while (is_good && (errno = 0, entry = readdir(folder)) != NULL) {
		guint64 number;

		if (entry->d_name[0] == '.')
			continue;
		g_autofree char *path = mark_path(outputs, entry->d_name);
		if (read_mark(path, &number) && is_over(outputs, entry->d_name, number) &&
		    unlink(path) < 0 && errno != ENOENT)
			is_good = fail(path, error);
	}
	if (is_good && errno != 0)
		is_good = fail(outputs->untold, error);
	closedir(folder);
	return is_good;
}

gboolean weft_outputs_forget_untold(WeftOutputs *outputs, const char *id, GError **error)
{
	g_autofree char *path = mark_path(outputs, id + strlen("sha256:"));

	return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR || fail(path, error);
}
