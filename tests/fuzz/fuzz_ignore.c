/* Any bytes as .weftignore, a byte 0, and paths, a line each. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "fuzz.h"
#include "pipeline/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const uint8_t *end = size_bytes > 0 ? memchr(data, 0, size_bytes) : NULL;
	size_t n = end ? (size_t)(end - data) : size_bytes;
	char folder[] = "/dev/shm/weft-fuzz-ignore-XXXXXX";
	int fd = g_mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int file = fd < 0 ? -1 : openat(fd, WEFT_IGNORE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (file < 0 || write(file, data, n) != (ssize_t)n)
		abort();
	close(file);
	g_autoptr(WeftIgnore) ignore = weft_ignore_open(fd, NULL);
	if (!ignore)
		abort();
	unlinkat(fd, WEFT_IGNORE_FILE, 0);
	close(fd);
	rmdir(folder);
	g_autofree char *paths = end ? g_strndup((const char *)end + 1, size_bytes - n - 1) : g_strdup("a/b");
	g_auto(GStrv) lines = g_strsplit(paths, "\n", 20);
	for (char **line = lines; *line; line++)
		for (int is_folder = 0; is_folder < 2; is_folder++)
			if (weft_ignore_judge(ignore, *line, is_folder) > WEFT_IGNORE_BACK)
				abort();
	return 0;
}
