#include "cli/glance.h"

#include <string.h>

char *weft_glance_clock(double seconds)
{
	guint whole = seconds > 0 && seconds < 3.6e8 ? (guint)seconds : 0;
	if (whole >= 3600)
		return g_strdup_printf("%u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
	return g_strdup_printf("%02u:%02u", whole / 60, whole % 60);
}

static char *place_in_file(const WeftJson *at)
{
	guint64 page;
	double seconds;
	if (weft_json_uint(weft_json_member(at, "page"), &page))
		return g_strdup_printf("p.%" G_GUINT64_FORMAT, page);
	if (weft_json_double(weft_json_at(weft_json_member(at, "time"), 0), &seconds))
		return weft_glance_clock(seconds);
	return g_strdup("");
}

char *weft_glance_place(const WeftJson *at)
{
	g_autofree char *place = place_in_file(at);
	guint64 document;

	if (!weft_json_uint(weft_json_member(at, "document"), &document))
		return g_steal_pointer(&place);
	return g_strdup_printf("%" G_GUINT64_FORMAT "%s%s", document, *place ? "/" : "", place);
}

static const WeftJson *first_place(const WeftJson *item)
{
	return weft_json_at(weft_json_member(item, "at"), 0);
}

/* ---- what it is ---- */

static char *longest_track(const WeftJson *tracks)
{
	double longest = 0, seconds;
	for (gsize i = 0; i < weft_json_length(tracks); i++)
		if (weft_json_double(weft_json_member(weft_json_at(tracks, i), "seconds"),
		                     &seconds))
			longest = MAX(longest, seconds);
	return weft_glance_clock(longest);
}

static char *kind_of(const WeftJson *record)
{
	static const struct {
		const char *type, *name;
	} NAMES[] = {
	    {"application/pdf", "PDF"}, {"image/", "picture"}, {"audio/", "sound"},
	    {"video/", "video"},        {"text/", "text"},
	};
	const WeftJson *document = weft_json_member(record, "document");
	const WeftJson *pages = weft_json_member(document, "pages");
	const WeftJson *tracks = weft_json_member(document, "tracks");
	const char *type = weft_json_string(
	    weft_json_member(weft_json_member(record, "source"), "media_type"), NULL);
	const char *name = type ? type : "unknown";
	gsize n_parts = weft_json_length(weft_json_at_pointer(record, "/source/parts"));
	if (n_parts > 0)
		return g_strdup_printf("%" G_GSIZE_FORMAT " file%s", n_parts, n_parts == 1 ? "" : "s");
	for (gsize i = 0; type && i < G_N_ELEMENTS(NAMES); i++)
		if (g_str_has_prefix(type, NAMES[i].type))
			name = NAMES[i].name;
	if (g_str_has_prefix(name, "application/"))
		name = "other type";
	if (weft_json_length(tracks) > 0) {
		g_autofree char *length = longest_track(tracks);
		return g_strdup_printf("%s, %s", name, length);
	}
	gsize n_pages = weft_json_length(pages);
	if (n_pages > 0 && !strcmp(name, "PDF"))
		return g_strdup_printf("%s, %" G_GSIZE_FORMAT " page%s", name, n_pages,
		                       n_pages == 1 ? "" : "s");
	return g_strdup(name);
}

/* ---- one fact ---- */

static gboolean fact_of_answer(WeftGlance *glance, const WeftJson *record)
{
	const WeftJson *provenance = weft_json_member(record, "provenance");
	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const WeftJson *evidence = weft_json_at(weft_json_at(provenance, i), 0);
		const char *quote = weft_json_string(weft_json_member(evidence, "quote"), NULL);
		if (!quote)
			continue;
		glance->fact =
		    g_strdup_printf("%s: %s", weft_json_key_at(provenance, i, NULL) + 1, quote);
		glance->where = weft_glance_place(first_place(evidence));
		return TRUE;
	}
	return FALSE;
}

/* How much a line looks like something worth knowing: an amount, a date or a number, in words,
 * whole and short. */
static int worth(const char *line)
{
	gsize digits = 0, letters = 0;
	gboolean has_amount = strstr(line, "EUR") || strstr(line, "USD");
	for (const char *c = line; *c; c = g_utf8_next_char(c)) {
		gunichar u = g_utf8_get_char(c);
		digits += g_unichar_isdigit(u);
		letters += g_unichar_isalpha(u);
		has_amount |= g_unichar_type(u) == G_UNICODE_CURRENCY_SYMBOL;
		has_amount |=
		    g_ascii_isdigit(*c) && (c[1] == ',' || c[1] == '.') && g_ascii_isdigit(c[2]);
	}
	if (letters < 3 || letters + digits < 6)
		return letters > 0;
	gboolean is_whole = g_unichar_isupper(g_utf8_get_char(line)) && strlen(line) <= 60;
	return 2 + 3 * has_amount + 2 * (digits >= 4) + (digits > 0) + 2 * is_whole;
}

static void fact_of_text(WeftGlance *glance, const WeftJson *item, int *best)
{
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 200);
	for (gsize i = 0; lines[i]; i++) {
		int score = worth(g_strstrip(lines[i]));
		if (score <= *best)
			continue;
		*best = score;
		g_free(glance->fact);
		g_free(glance->where);
		glance->fact = g_strdup(lines[i]);
		glance->where = weft_glance_place(first_place(item));
	}
}

static gboolean fact_of_content(WeftGlance *glance, const WeftJson *record)
{
	const WeftJson *content = weft_json_member(record, "content");
	int best = 0;
	for (gsize i = 0; i < weft_json_length(content); i++)
		fact_of_text(glance, weft_json_at(content, i), &best);
	for (gsize i = 0; !glance->fact && i < weft_json_length(content); i++) {
		const WeftJson *item = weft_json_at(content, i);
		const char *kind = weft_json_string(weft_json_member(item, "kind"), NULL);
		if (g_strcmp0(kind, "speech"))
			continue;
		glance->fact = g_strdup("speech, not read");
		glance->where = weft_glance_place(first_place(item));
	}
	return glance->fact != NULL;
}

static gboolean fact_of_error(WeftGlance *glance, const WeftJson *record)
{
	const WeftJson *error = weft_json_at(weft_json_member(record, "errors"), 0);
	const char *message = weft_json_string(weft_json_member(error, "message"), NULL);
	glance->fact = g_strdup(message ? message : "");
	glance->where = weft_glance_place(weft_json_member(error, "at"));
	return TRUE;
}

void weft_glance_init(WeftGlance *glance, const WeftJson *record)
{
	const char *status = weft_json_string(weft_json_member(record, "status"), NULL);
	memset(glance, 0, sizeof *glance);
	glance->status = g_strdup(status ? status : "");
	glance->kind = kind_of(record);
	(void)(fact_of_answer(glance, record) || fact_of_content(glance, record) ||
	       fact_of_error(glance, record));
	g_strdelimit(glance->fact, "\t\n", ' ');
}

void weft_glance_done(WeftGlance *glance)
{
	g_free(glance->kind);
	g_free(glance->fact);
	g_free(glance->where);
	g_free(glance->status);
}
