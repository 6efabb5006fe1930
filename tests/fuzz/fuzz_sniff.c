/* Any bytes as a file of any type: all strings are there, and what is not read has a name. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/ingest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	WeftSniff sniff;
	int fd = memfd_create("document", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, data, size_bytes) == (ssize_t)size_bytes &&
	    weft_sniff(fd, &sniff, NULL) && (!sniff.media_type || !sniff.name))
		abort();
	if (fd >= 0)
		close(fd);
	return 0;
}
