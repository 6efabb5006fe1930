#include <string.h>

#include "cli/cmd.h"

/* The first of `candidates` (relative to the folder of the program) that exists, else the first. */
static char *first_there(const char *folder, const char *const *candidates)
{
	for (gsize i = 0; candidates[i]; i++) {
		g_autofree char *path = g_build_filename(folder, candidates[i], NULL);
		g_autofree char *canonical = g_canonicalize_filename(path, "/");
		if (g_file_test(canonical, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&canonical);
	}
	g_autofree char *path = g_build_filename(folder, candidates[0], NULL);
	return g_canonicalize_filename(path, "/");
}

void weft_places_find(WeftPlaces *ret_places)
{
	static const char *const HELPERS[] = {"../libexec/weft", "../ingest", NULL};
	static const char *const TASKS[] = {"../share/weft/tasks", "../tasks", NULL};
	static const char *const BUNDLES[] = {"../share/weft/default", "../default", NULL};
	static const char *const DATA[] = {"../share/weft/data", "../data", NULL};
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = program ? g_path_get_dirname(program) : g_strdup(".");

	ret_places->helper_dir = first_there(folder, HELPERS);
	ret_places->tasks_dir = first_there(folder, TASKS);
	ret_places->data_dir = first_there(folder, DATA);
	ret_places->default_bundle = first_there(folder, BUNDLES);
}

void weft_places_done(WeftPlaces *places)
{
	g_clear_pointer(&places->helper_dir, g_free);
	g_clear_pointer(&places->tasks_dir, g_free);
	g_clear_pointer(&places->default_bundle, g_free);
	g_clear_pointer(&places->data_dir, g_free);
}
