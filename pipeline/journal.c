#include "pipeline/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"

#define MAGIC "weftjrnl"
#define FRAME_BYTES 8u /* length, checksum */
#define FILE_MAX_BYTES ((guint64)1 << 36)
#define READ_BYTES ((gsize)64 << 10)

/* A file being read, through a window that moves forward. */
struct WeftJournalReader {
	int fd;
	char *name;
	guint64 at, end;      /* of the file: the next frame; where valid ones end */
	GByteArray *bytes;    /* from `first` on */
	guint64 first;
	gboolean is_complete;
};

struct WeftJournal {
	int fd;
	char *path;
	char key[WEFT_JOURNAL_KEY_DIGITS + 1];
	guint64 end; /* valid bytes in the file when it was opened */
	guint64 position;
	gboolean is_complete, is_frozen;
	GByteArray *waiting; /* not yet written */
	gint64 flushed_us;
};

static void put_le32(guint8 *at, guint32 value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (guint8)(value >> (8 * i));
}

static void put_le64(guint8 *at, guint64 value)
{
	put_le32(at, (guint32)value);
	put_le32(at + 4, (guint32)(value >> 32));
}

/* FNV-1a, 64 bits folded to 32: against torn tails, not against people. */
static guint32 checksum(guint32 length, const guint8 *payload)
{
	guint64 hash = G_GUINT64_CONSTANT(0xcbf29ce484222325);
	guint8 bytes[4];

	put_le32(bytes, length);
	for (guint i = 0; i < sizeof bytes; i++)
		hash = (hash ^ bytes[i]) * G_GUINT64_CONSTANT(0x100000001b3);
	for (guint32 i = 0; i < length; i++)
		hash = (hash ^ payload[i]) * G_GUINT64_CONSTANT(0x100000001b3);
	return (guint32)(hash ^ hash >> 32);
}

static void make_header(const char *key, guint8 ret_header[WEFT_JOURNAL_HEADER_BYTES])
{
	memcpy(ret_header, MAGIC, 8);
	put_le32(ret_header + 8, WEFT_JOURNAL_VERSION);
	for (guint i = 0; i < 32; i++) {
		int high = g_ascii_xdigit_value(key[2 * i]);
		int low = g_ascii_xdigit_value(key[2 * i + 1]);

		ret_header[12 + i] = (guint8)(MAX(high, 0) << 4 | MAX(low, 0));
	}
}

/* ---- reading ---- */

static WeftJournalReader *reader_new(int take_fd, const char *name)
{
	WeftJournalReader *reader = g_new0(WeftJournalReader, 1);

	reader->fd = take_fd;
	reader->name = weft_path_display(name);
	reader->bytes = g_byte_array_new();
	reader->at = WEFT_JOURNAL_HEADER_BYTES;
	return reader;
}

void weft_journal_reader_close(WeftJournalReader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	g_byte_array_unref(reader->bytes);
	g_free(reader->name);
	g_free(reader);
}

/* `size` bytes from `at` on; NULL: the file has no such bytes, or an error is set. */
static const guint8 *peek(WeftJournalReader *reader, guint64 at, gsize size, GError **error)
{
	guint64 have_end = reader->first + reader->bytes->len;

	if (at > reader->end || size > reader->end - at)
		return NULL;
	if (at >= reader->first && at + size <= have_end)
		return reader->bytes->data + (at - reader->first);
	size = MAX(size, (gsize)MIN((guint64)READ_BYTES, reader->end - at));
	reader->first = at;
	g_byte_array_set_size(reader->bytes, (guint)size);
	for (gsize n_read = 0; n_read < size;) {
		ssize_t n = pread(reader->fd, reader->bytes->data + n_read, size - n_read,
				  (off_t)(at + n_read));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", reader->name,
				    n < 0 ? g_strerror(errno) : "ends early");
			g_byte_array_set_size(reader->bytes, 0);
			return NULL;
		}
		n_read += (gsize)n;
	}
	return reader->bytes->data;
}

/* The frame at `at`; FALSE: there is none that holds together, or an error is set. */
static gboolean frame_at(WeftJournalReader *reader, guint64 at, const guint8 **ret_payload,
			 guint32 *ret_length, GError **error)
{
	const guint8 *frame = peek(reader, at, FRAME_BYTES, error);
	guint32 length, sum;

	if (frame == NULL)
		return FALSE;
	length = weft_le32(frame);
	sum = weft_le32(frame + 4);
	if (length < 1 || length > WEFT_JOURNAL_ENTRY_MAX_BYTES)
		return FALSE;
	frame = peek(reader, at, FRAME_BYTES + length, error);
	if (frame == NULL || checksum(length, frame + FRAME_BYTES) != sum)
		return FALSE;
	*ret_payload = frame + FRAME_BYTES;
	*ret_length = length;
	return TRUE;
}

gboolean weft_journal_next(WeftJournalReader *reader, guint8 *ret_kind, const guint8 **ret_data,
			   gsize *ret_size_bytes, GError **error)
{
	const guint8 *payload;
	guint32 length;
	GError *failure = NULL;

	if (reader->at >= reader->end) {
		*ret_kind = 0;
		*ret_data = NULL;
		*ret_size_bytes = 0;
		return TRUE;
	}
	if (!frame_at(reader, reader->at, &payload, &length, &failure)) {
		if (failure == NULL)
			g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_CORRUPT,
				    "%s: changed while it was read", reader->name);
		g_propagate_error(error, failure);
		return FALSE;
	}
	reader->at += FRAME_BYTES + length;
	*ret_kind = payload[0];
	*ret_data = payload + 1;
	*ret_size_bytes = length - 1;
	return TRUE;
}

gboolean weft_journal_mark_position(const guint8 *data, gsize size_bytes, guint64 *ret_position)
{
	WeftBytes bytes = weft_bytes(data, size_bytes);

	return size_bytes == 8 && weft_bytes_le64(&bytes, ret_position);
}

/* Finds the end of the last mark; FALSE: not a journal of this key. */
static gboolean find_end(WeftJournalReader *reader, const char *key, guint64 *ret_position,
			 GError **error)
{
	guint8 header[WEFT_JOURNAL_HEADER_BYTES];
	const guint8 *found, *payload;
	guint64 at = WEFT_JOURNAL_HEADER_BYTES, end = at, position = 0;
	guint32 length;
	struct stat status;
	GError *failure = NULL;

	if (fstat(reader->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: not a file", reader->name);
		return FALSE;
	}
	reader->end = MIN((guint64)status.st_size, FILE_MAX_BYTES);
	make_header(key, header);
	found = peek(reader, 0, sizeof header, &failure);
	if (found == NULL || memcmp(found, header, sizeof header) != 0) {
		if (failure == NULL)
			g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_CORRUPT,
				    "%s: not the journal of this key", reader->name);
		g_propagate_error(error, failure);
		return FALSE;
	}
	while (!reader->is_complete && frame_at(reader, at, &payload, &length, &failure)) {
		at += FRAME_BYTES + length;
		if (payload[0] == WEFT_JOURNAL_END)
			reader->is_complete = TRUE;
		else if (payload[0] != WEFT_JOURNAL_MARK ||
			 !weft_journal_mark_position(payload + 1, length - 1, &position))
			continue;
		end = at;
	}
	reader->end = end;
	*ret_position = position;
	if (failure == NULL)
		return TRUE;
	g_propagate_error(error, failure);
	return FALSE;
}

WeftJournalReader *weft_journal_reader_open(const char *path, const char *key, GError **error)
{
	g_autoptr(WeftJournalReader) reader = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	guint64 position;

	if (fd < 0) {
		g_autofree char *shown = weft_path_display(path);

		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown, g_strerror(errno));
		return NULL;
	}
	reader = reader_new(fd, path);
	return find_end(reader, key, &position, error) ? g_steal_pointer(&reader) : NULL;
}

WeftJournalReader *weft_journal_reader_new(const WeftJournal *journal, GError **error)
{
	int fd = fcntl(journal->fd, F_DUPFD_CLOEXEC, 3);
	WeftJournalReader *reader;

	if (fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", journal->path,
			    g_strerror(errno));
		return NULL;
	}
	reader = reader_new(fd, journal->path);
	reader->end = journal->end;
	reader->is_complete = journal->is_complete;
	return reader;
}

gboolean weft_journal_reader_is_complete(const WeftJournalReader *reader)
{
	return reader->is_complete;
}

/* ---- writing ---- */

/* Where to go on: what is damaged or another's begins anew. */
static gboolean find_place(WeftJournal *journal, GError **error)
{
	g_autoptr(WeftJournalReader) reader =
		reader_new(fcntl(journal->fd, F_DUPFD_CLOEXEC, 3), journal->path);
	guint8 header[WEFT_JOURNAL_HEADER_BYTES];

	journal->end = WEFT_JOURNAL_HEADER_BYTES;
	if (find_end(reader, journal->key, &journal->position, NULL)) {
		journal->end = reader->end;
		journal->is_complete = reader->is_complete;
	} else {
		make_header(journal->key, header);
		if (ftruncate(journal->fd, 0) != 0 ||
		    !weft_fd_write(journal->fd, journal->path, header, sizeof header, error))
			return FALSE;
	}
	if (ftruncate(journal->fd, (off_t)journal->end) == 0 &&
	    lseek(journal->fd, (off_t)journal->end, SEEK_SET) >= 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", journal->path, g_strerror(errno));
	return FALSE;
}

WeftJournal *weft_journal_open(const char *path, const char *key, GError **error)
{
	g_autoptr(WeftJournal) journal = g_new0(WeftJournal, 1);

	g_return_val_if_fail(strlen(key) == WEFT_JOURNAL_KEY_DIGITS, NULL);
	journal->path = g_strdup(path);
	journal->waiting = g_byte_array_new();
	journal->flushed_us = g_get_monotonic_time();
	g_strlcpy(journal->key, key, sizeof journal->key);
	journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (journal->fd < 0 || flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
		int number = errno;
		gboolean is_held = journal->fd >= 0 && number == EWOULDBLOCK;
		g_autofree char *shown = weft_path_display(path);

		g_set_error(error, WEFT_ERROR, is_held ? WEFT_ERROR_CANCELLED : WEFT_ERROR_IO,
			    "%s: %s", shown, g_strerror(number));
		return NULL;
	}
	return find_place(journal, error) ? g_steal_pointer(&journal) : NULL;
}

void weft_journal_close(WeftJournal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0) {
		weft_journal_flush(journal);
		close(journal->fd);
	}
	g_byte_array_unref(journal->waiting);
	g_free(journal->path);
	g_free(journal);
}

const char *weft_journal_key(const WeftJournal *journal)
{
	return journal->key;
}

const char *weft_journal_path(const WeftJournal *journal)
{
	return journal->path;
}

guint64 weft_journal_position(const WeftJournal *journal)
{
	return journal->position;
}

gboolean weft_journal_is_complete(const WeftJournal *journal)
{
	return journal->is_complete;
}

void weft_journal_flush(WeftJournal *journal)
{
	/* A tail that is half written is found by its checksum. */
	if (journal->waiting->len > 0 &&
	    !weft_fd_write(journal->fd, journal->path, journal->waiting->data, journal->waiting->len,
			   NULL))
		journal->is_frozen = TRUE;
	g_byte_array_set_size(journal->waiting, 0);
	journal->flushed_us = g_get_monotonic_time();
}

void weft_journal_add(WeftJournal *journal, guint8 kind, gconstpointer data, gsize size_bytes)
{
	GByteArray *waiting = journal->waiting;
	guint first = waiting->len;
	guint8 head[FRAME_BYTES + 1] = {0};

	if (journal->is_frozen || journal->is_complete)
		return;
	if (size_bytes > WEFT_JOURNAL_ENTRY_MAX_BYTES - 1) {
		weft_journal_freeze(journal);
		return;
	}
	head[FRAME_BYTES] = kind;
	g_byte_array_append(waiting, head, sizeof head);
	if (size_bytes > 0)
		g_byte_array_append(waiting, data, (guint)size_bytes);
	put_le32(waiting->data + first, (guint32)size_bytes + 1);
	put_le32(waiting->data + first + 4,
		 checksum((guint32)size_bytes + 1, waiting->data + first + FRAME_BYTES));
	if (waiting->len >= WEFT_JOURNAL_FLUSH_BYTES)
		weft_journal_flush(journal);
}

void weft_journal_mark(WeftJournal *journal, guint64 position)
{
	guint8 data[8];

	put_le64(data, position);
	weft_journal_add(journal, WEFT_JOURNAL_MARK, data, sizeof data);
	if (!journal->is_frozen)
		journal->position = position;
	if (g_get_monotonic_time() - journal->flushed_us >= (gint64)WEFT_JOURNAL_FLUSH_MS * 1000)
		weft_journal_flush(journal);
}

void weft_journal_end(WeftJournal *journal)
{
	if (journal->is_frozen)
		return;
	weft_journal_add(journal, WEFT_JOURNAL_END, NULL, 0);
	weft_journal_flush(journal);
	journal->is_complete = !journal->is_frozen;
}

void weft_journal_freeze(WeftJournal *journal)
{
	weft_journal_flush(journal);
	journal->is_frozen = TRUE;
}
