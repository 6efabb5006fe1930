#include "pipeline/names.h"

#include <string.h>

#include "base/error.h"

struct WeftNames {
	GHashTable *table; /* label -> name */
};

WeftNames *weft_names_new(const char *text, GError **error)
{
	g_autoptr(WeftNames) names = g_new0(WeftNames, 1);
	g_auto(GStrv) pairs = g_strsplit(text != NULL ? text : "", ",", -1);

	names->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; pairs[i] != NULL; i++) {
		char *equals = strchr(g_strstrip(pairs[i]), '=');

		if (equals == NULL || equals == pairs[i] || equals[1] == '\0' ||
		    !g_utf8_validate(pairs[i], -1, NULL)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "names: '%s' is not like S1=Anna,S2=Ben", text);
			return NULL;
		}
		*equals = '\0';
		g_hash_table_replace(names->table, g_strdup(g_strstrip(pairs[i])),
				     g_strdup(g_strstrip(equals + 1)));
	}
	return g_steal_pointer(&names);
}

void weft_names_free(WeftNames *names)
{
	if (names == NULL)
		return;
	g_hash_table_unref(names->table);
	g_free(names);
}

char *weft_names_of(const WeftNames *names, const char *label)
{
	gsize size = strlen(label);
	gboolean is_unsure = size > 1 && label[size - 1] == '?';
	g_autofree char *sure = g_strndup(label, size - (is_unsure ? 1 : 0));
	const char *name = g_hash_table_lookup(names->table, sure);

	return name != NULL ? g_strconcat(name, is_unsure ? "?" : "", NULL) : NULL;
}
