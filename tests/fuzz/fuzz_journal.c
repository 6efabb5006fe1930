/* Any bytes as a journal: what a torn disk, or somebody in the state folder, gives the next run. The
 * first byte: 0, the rest is the file as it is; else, the rest is entries (length u16, kind, data),
 * which get checksums that are right. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "pipeline/answers.h"
#include "pipeline/entry.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void read_entries(WeftJournalReader *reader)
{
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;

	while (weft_journal_next(reader, &kind, &data, &size_bytes, NULL) && kind != 0) {
		g_autoptr(WeftItem) item = weft_entry_read(kind, data, size_bytes, 0, NULL);

		/* what passes goes down the flow: its size is asked for there */
		if (item != NULL && weft_item_class.size_bytes(item) < sizeof *item)
			abort();
	}
}

static void write_entries(const char *path, const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftJournal) journal = weft_journal_open(path, KEY, NULL);

	while (journal != NULL && size_bytes >= 3) {
		size_t length = MIN((size_t)(data[0] | data[1] << 8), size_bytes - 3);

		weft_journal_add(journal, data[2], data + 3, length);
		data += 3 + length;
		size_bytes -= 3 + length;
	}
	if (journal != NULL)
		weft_journal_mark(journal, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char path[64];
	int fd = memfd_create("journal", MFD_CLOEXEC);
	gboolean is_file = size_bytes > 0 && data[0] == 0;

	if (fd < 0 || (is_file && write(fd, data + 1, size_bytes - 1) != (ssize_t)size_bytes - 1))
		abort();
	g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!is_file && size_bytes > 0)
		write_entries(path, data + 1, size_bytes - 1);
	for (guint i = 0; i < 2; i++) {
		g_autoptr(WeftJournalReader) reader = weft_journal_reader_open(path, KEY, NULL);
		g_autoptr(WeftAnswers) answers = NULL;
		WeftAnchor at;

		if (reader != NULL && i == 0)
			read_entries(reader);
		else if (reader != NULL)
			answers = weft_answers_read(reader);
		if (answers != NULL)
			(void)weft_answers_last_part(answers, &at);
	}
	/* a writer goes on behind the last mark, and what it adds is found there */
	{
		g_autoptr(WeftJournal) journal = weft_journal_open(path, KEY, NULL);

		if (journal == NULL)
			abort();
		weft_journal_mark(journal, 7);
	}
	{
		g_autoptr(WeftJournalReader) reader = weft_journal_reader_open(path, KEY, NULL);

		if (reader == NULL)
			abort();
	}
	close(fd);
	return 0;
}
