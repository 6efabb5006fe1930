#include "base/fold.h"

#include <string.h>

static void add_char(GString *folded, gunichar c)
{
	gboolean is_alone = g_unichar_iswide(c);

	if (g_unichar_ismark(c))
		return;
	if (!g_unichar_isalnum(c)) {
		if (folded->str[folded->len - 1] != ' ')
			g_string_append_c(folded, ' ');
		return;
	}
	if (is_alone && folded->str[folded->len - 1] != ' ')
		g_string_append_c(folded, ' ');
	g_string_append_unichar(folded, g_unichar_tolower(c));
	if (is_alone)
		g_string_append_c(folded, ' ');
}

char *weft_fold(const char *text)
{
	GString *folded = g_string_new(" ");
	/* One character at a time: a text of megabytes is not there twice as large again. */
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gsize n = g_unichar_fully_decompose(g_utf8_get_char(p), TRUE, parts,
						    G_N_ELEMENTS(parts));

		for (gsize i = 0; i < n; i++)
			add_char(folded, parts[i]);
	}
	if (folded->str[folded->len - 1] != ' ')
		g_string_append_c(folded, ' ');
	return g_string_free(folded, FALSE);
}

GPtrArray *weft_fold_words(const char *folded)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	const char *end;

	while (*folded == ' ')
		folded++;
	for (; (end = strchr(folded, ' ')) != NULL; folded = end + 1)
		g_ptr_array_add(words, g_strndup(folded, end - folded));
	return words;
}
