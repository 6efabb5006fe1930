/* replay.c - a fuzz target without the fuzzer: each file named in the arguments, or in folders
 * named there, goes through the target whole and cut at every byte (the first 4096 of them, then
 * at 256 places). It passes when nothing crashes, which the sanitizers make a sharp question. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "fuzz.h"

#define CUTS_EVERY 4096
#define CUTS_BEYOND 256

/* In a block of its own size, so that a read behind the end is seen. */
static void run_cut(const char *text, gsize n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	g_assert_nonnull(copy);
	memcpy(copy, text, n);
	(void)LLVMFuzzerTestOneInput(copy, n); /* always 0 */
	free(copy);
}

static int replay_file(const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gsize size_bytes;

	if (!g_file_get_contents(path, &text, &size_bytes, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return 0;
	}
	gsize step = MAX(size_bytes / CUTS_BEYOND, 1);
	for (gsize n = 0; n < size_bytes; n += n < CUTS_EVERY ? 1 : step)
		run_cut(text, n);
	run_cut(text, size_bytes);
	return 1;
}

int main(int argc, char **argv)
{
	int n_files = 0;
	for (int i = 1; i < argc; i++) {
		g_autoptr(GDir) folder = g_dir_open(argv[i], 0, NULL);
		const char *name;
		if (!folder)
			n_files += replay_file(argv[i]);
		while (folder && (name = g_dir_read_name(folder))) {
			g_autofree char *path = g_build_filename(argv[i], name, NULL);
			n_files += replay_file(path);
		}
	}
	printf("%d files\n", n_files);
	return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
