#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/utf8.h"

static const struct {
	GLogLevelFlags level;
	const char *name, *colour;
} LEVELS[] = {
	{ G_LOG_LEVEL_ERROR, "error", "\033[1;31m" },
	{ G_LOG_LEVEL_CRITICAL, "critical", "\033[1;31m" },
	{ G_LOG_LEVEL_WARNING, "warning", "\033[1;33m" },
	{ G_LOG_LEVEL_MESSAGE, "message", NULL },
	{ G_LOG_LEVEL_INFO, "info", NULL },
	{ G_LOG_LEVEL_DEBUG, "debug", "\033[2m" },
};

static const char *field_text(const GLogField *fields, gsize n_fields, const char *key)
{
	for (gsize i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
			return fields[i].value;
	return NULL;
}

static gboolean names_domain(const char *domains, const char *domain)
{
	g_auto(GStrv) names = g_strsplit(domains ? domains : "", " ", -1);
	return g_strv_contains((const char *const *)names, "all") ||
	       (domain && g_strv_contains((const char *const *)names, domain));
}

static gboolean is_wanted(const WeftLogOptions *options, GLogLevelFlags level, const char *domain)
{
	if (level & G_LOG_LEVEL_DEBUG)
		return names_domain(options->debug_domains, domain);
	if (level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE))
		return !options->is_quiet;
	return TRUE;
}

static void append_plain(GString *line, guint i, gboolean is_coloured, const char *message)
{
	gboolean is_named = LEVELS[i].level != G_LOG_LEVEL_MESSAGE &&
			    LEVELS[i].level != G_LOG_LEVEL_INFO;
	const char *colour = is_coloured ? LEVELS[i].colour : NULL;

	g_string_append(line, "weft: ");
	if (is_named)
		g_string_append_printf(line, "%s%s:%s ", colour ? colour : "", LEVELS[i].name,
				       colour ? "\033[0m" : "");
	weft_utf8_append_harmless(line, message, FALSE); /* one line, whatever it holds */
}

static void append_json(GString *line, guint i, const char *domain, const char *message)
{
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, line);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "level");
	weft_json_write_string(&writer, LEVELS[i].name);
	weft_json_write_key(&writer, "room");
	weft_json_write_string(&writer, domain);
	weft_json_write_key(&writer, "message");
	weft_json_write_string(&writer, message);
	weft_json_write_object_end(&writer);
}

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				  gpointer user_data)
{
	const WeftLogOptions *options = user_data;
	const char *domain = field_text(fields, n_fields, "GLIB_DOMAIN");
	const char *message = field_text(fields, n_fields, "MESSAGE");
	gboolean is_terminal = options->style == WEFT_LOG_TERMINAL ||
			       (options->style == WEFT_LOG_AUTO && isatty(STDERR_FILENO));
	guint i = 0;

	if (!message || !is_wanted(options, level, domain))
		return G_LOG_WRITER_HANDLED;
	while (i + 1 < G_N_ELEMENTS(LEVELS) && !(level & LEVELS[i].level))
		i++;
	g_autoptr(GString) line = g_string_new(NULL);
	if (options->style == WEFT_LOG_JSON)
		append_json(line, i, domain, message);
	else
		append_plain(line, i, is_terminal, message);
	g_string_append_c(line, '\n');
	/* In one call, so that lines of two threads do not mix. */
	(void)fwrite(line->str, 1, line->len, stderr); /* nowhere left to tell */
	(void)fflush(stderr);
	return G_LOG_WRITER_HANDLED;
}

void weft_log_init(const WeftLogOptions *options)
{
	g_log_set_writer_func(write_log, (gpointer)options, NULL);
}
