#include <stdlib.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/ocr.h"

/* Tesseract's loops would start threads, which cost more than they bring (2.4 s a page instead of
 * 1.0 s on two cores) and which a worker may not have. The OpenMP library reads its limit when it
 * is loaded, so the program starts once more with the limit in its environment. The C library
 * gives constructors what it gives main. */
__attribute__((constructor)) static void limit_threads(int argc, char **argv)
{
	const char *limit = getenv("OMP_THREAD_LIMIT");
	if (argc < 1 || (limit && limit[0] == '1' && limit[1] == '\0'))
		return;
	if (setenv("OMP_THREAD_LIMIT", "1", 1) == 0)
		(void)execv("/proc/self/exe", argv); /* without /proc it goes on with threads */
}

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-ocr",
	.version = weft_ocr_version,
	.reader = &weft_ocr_reader,
};
