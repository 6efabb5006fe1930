#include <string.h>

#include "model/answer.h"

#define QUOTE_BYTES 100

static WeftVerdict *verdict_new(WeftVerdictKind kind, char *take_reason)
{
	WeftVerdict *verdict = g_new0(WeftVerdict, 1);
	verdict->kind = kind;
	verdict->score = -1;
	verdict->reason = take_reason;
	return verdict;
}

WeftVerdict *weft_verdict_none(char *take_reason)
{
	return verdict_new(WEFT_VERDICT_NONE, take_reason);
}

void weft_verdict_free(WeftVerdict *verdict)
{
	if (!verdict)
		return;
	g_free(verdict->reason);
	g_free(verdict);
}

static WeftVerdict *not_understood(const char *text)
{
	gsize size = strnlen(text, QUOTE_BYTES + 1);
	if (size > QUOTE_BYTES)
		for (size = QUOTE_BYTES; size > 0 && ((guchar)text[size] & 0xc0) == 0x80;)
			size--;
	return weft_verdict_none(g_strdup_printf("the guard answered neither safe nor unsafe: \"%.*s\"",
						 (int)size, text));
}

/* The bit of "S1" to "S14"; 0 for anything else. */
static guint32 category_of(const char *name)
{
	guint64 n;
	if (name[0] != 'S' || name[1] == '0' ||
	    !g_ascii_string_to_unsigned(name + 1, 10, 1, WEFT_VERDICT_CATEGORIES, &n, NULL))
		return 0;
	return 1u << (n - 1);
}

static WeftVerdict *read_unsafe(char *list, gboolean is_cut)
{
	WeftVerdict *verdict = verdict_new(WEFT_VERDICT_UNSAFE, NULL);
	g_auto(GStrv) names = g_strsplit(list, ",", -1);
	guint n = g_strv_length(names);
	if (is_cut)
		verdict->reason = g_strdup("the guard's list of categories was cut");
	for (guint i = 0; i < (is_cut && n > 0 ? n - 1 : n); i++)
		verdict->categories |= category_of(g_strstrip(names[i]));
	if (verdict->categories == 0 && !is_cut)
		verdict->reason = g_strdup("the guard named no category");
	return verdict;
}

WeftVerdict *weft_verdict_read(const WeftAnswer *answer)
{
	g_autofree char *text = g_strstrip(g_strdup(answer->json ? answer->json : ""));
	g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
	guint n = g_strv_length(lines);
	WeftVerdict *verdict;

	for (guint i = 0; i < n; i++)
		g_strstrip(lines[i]);
	if (n == 1 && strcmp(lines[0], "safe") == 0)
		verdict = verdict_new(WEFT_VERDICT_SAFE, NULL);
	else if ((n == 1 || n == 2) && strcmp(lines[0], "unsafe") == 0)
		verdict = read_unsafe(n == 2 ? lines[1] : lines[0] + strlen(lines[0]), answer->is_cut);
	else
		verdict = not_understood(text);
	if (verdict->kind != WEFT_VERDICT_NONE)
		verdict->score = answer->watched_probability;
	return verdict;
}
