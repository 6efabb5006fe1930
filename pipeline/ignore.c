#include "pipeline/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

#define FILE_BYTES_MAX ((gsize)1 << 20)
#define LINE_BYTES_MAX 4096

typedef struct Rule {
	char *glob;
	int flags; /* of fnmatch */
	gboolean brings_back, is_for_folders, is_for_path, is_anywhere;
} Rule;

struct WeftIgnore {
	GArray *rules; /* Rule */
};

static void rule_clear(void *data)
{
	g_free(((Rule *)data)->glob);
}

static void add_line(WeftIgnore *ignore, char *line)
{
	Rule rule = {.flags = FNM_PATHNAME};
	gsize size = strlen(line);

	if (size > LINE_BYTES_MAX || line[0] == '#')
		return;
	g_strchomp(line);
	if (line[0] == '!') {
		rule.brings_back = TRUE;
		line++;
	}
	size = strlen(line);
	if (size > 0 && line[size - 1] == '/') {
		rule.is_for_folders = TRUE;
		line[size - 1] = '\0';
	}
	while (g_str_has_prefix(line, "**/")) {
		rule.is_anywhere = TRUE;
		line += 3;
	}
	rule.is_for_path = strchr(line, '/') != NULL;
	if (line[0] == '/')
		line++;
	if (line[0] == '\0')
		return;
	if (strstr(line, "**") != NULL)
		rule.flags = 0;
	rule.glob = g_strdup(line);
	g_array_append_val(ignore->rules, rule);
}

static WeftIgnore *parse(const char *text)
{
	WeftIgnore *ignore = g_new0(WeftIgnore, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	ignore->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
	g_array_set_clear_func(ignore->rules, rule_clear);
	for (char **line = lines; *line != NULL; line++)
		add_line(ignore, *line);
	return ignore;
}

WeftIgnore *weft_ignore_open(int folder_fd, GError **error)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	struct stat status;
	gboolean is_read;
	int fd = openat(folder_fd, WEFT_IGNORE_FILE,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s",
			    fd < 0 ? g_strerror(errno) : "not a regular file");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	is_read = weft_fd_read(fd, WEFT_IGNORE_FILE, FILE_BYTES_MAX, &text, &size_bytes, error);
	close(fd);
	return is_read ? parse(text) : NULL;
}

void weft_ignore_free(WeftIgnore *ignore)
{
	if (ignore == NULL)
		return;
	g_array_unref(ignore->rules);
	g_free(ignore);
}

static gboolean fits(const Rule *rule, const char *path, const char *name)
{
	if (!rule->is_for_path)
		return fnmatch(rule->glob, name, rule->flags) == 0;
	for (;;) {
		if (fnmatch(rule->glob, path, rule->flags) == 0)
			return TRUE;
		path = strchr(path, '/');
		if (!rule->is_anywhere || path == NULL)
			return FALSE;
		path++;
	}
}

WeftIgnoreVerdict weft_ignore_judge(const WeftIgnore *ignore, const char *path, gboolean is_folder)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (guint i = ignore->rules->len; i > 0; i--) {
		const Rule *rule = &g_array_index(ignore->rules, Rule, i - 1);

		if (rule->is_for_folders && !is_folder)
			continue;
		if (fits(rule, path, name))
			return rule->brings_back ? WEFT_IGNORE_BACK : WEFT_IGNORE_ASIDE;
	}
	return WEFT_IGNORE_SILENT;
}

gboolean weft_ignore_is_debris(const char *name)
{
	return weft_name_is_debris(name) || strcmp(name, WEFT_IGNORE_FILE) == 0;
}
