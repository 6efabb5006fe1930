/* Any bytes as a PDF: poppler, and what we make of its words, boxes and rendering. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/decoder.h"
#include "ingest/pdf.h"

/* poppler-glib 22.12 leaks an annotation that was taken off its page again: a worker's end frees
 * it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpoppler\nleak:libfontconfig\n";
}

/* Their frames are only found by the slow unwinder. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static const char *const NO_PASSWORDS[] = {NULL};
	WeftDecodeOptions options = {
	    .want_rasters = TRUE, .raster_side_max = 64, .page_last = 3, .passwords = NO_PASSWORDS};
	void *state = NULL;
	int fd = memfd_create("document", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size_bytes) != (ssize_t)size_bytes)
		return 0;
	weft_limits_fill(&options.limits);
	WeftDecodeJob job = {fd, size_bytes, WEFT_FAMILY_PDF, "application/pdf", &options, NULL};
	gboolean more = weft_pdf_decoder.open(&job, &state, NULL);
	for (guint n = 0; more && n < 1000; n++) {
		g_autoptr(WeftPart) part = NULL;
		more = weft_pdf_decoder.next(state, &part, NULL) && part;
	}
	if (state)
		weft_pdf_decoder.close(state);
	close(fd);
	return 0;
}
