/* Any bytes as a file of text, in whatever encoding it says: pieces of valid UTF-8, which end. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	void *state = NULL;
	int fd = memfd_create("text", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size_bytes) != (ssize_t)size_bytes)
		abort();
	WeftDecodeJob job = {.fd = fd, .size_bytes = size_bytes, .family = WEFT_FAMILY_TEXT};
	gboolean more = weft_text_decoder.open(&job, &state, NULL);
	for (guint n = 0; more; n++) {
		g_autoptr(WeftPart) part = NULL;
		more = weft_text_decoder.next(state, &part, NULL) && part;
		if ((part && part->content && !g_utf8_validate(part->content->text, -1, NULL)) ||
		    n > size_bytes + 8)
			abort();
	}
	weft_text_decoder.close(state);
	close(fd);
	return 0;
}
