/* record_file.h - private: a written record, read and written again piece by piece.
 *
 * The record of a document of ten thousand pages has hundreds of MB, nearly all of them items of
 * `content` and `hidden`. These are read one by one, each is a value of its own; of the rest, the
 * head, a tree is made. A record that is written again, with other paths or under another id, is
 * copied item by item. What is in memory is so the head and one item.
 *
 * The whole file is checked: that it is strict JSON, that it is the record of its id. It stays open,
 * so that what is copied is what was read, whatever has its name then.
 */
#ifndef WEFT_OUTPUTS_RECORD_FILE_H
#define WEFT_OUTPUTS_RECORD_FILE_H

#include <sys/stat.h>

#include "base/json.h"
#include "outputs/outputs.h"

typedef struct WeftRecordFacts {
	char sha256[65]; /* of the file */
	struct stat status;
} WeftRecordFacts;

typedef struct WeftRecordFile {
	int fd;
	char *name;      /* for messages */
	WeftJson *head;  /* the record, its lists `content` and `hidden` empty */
	gboolean has_content;  /* `content` was not empty */
	WeftRecordFacts facts;
} WeftRecordFile;

/* Is given an item of `content` or `hidden` (`list`), in their order, before the head is known; the
 * item is gone afterwards. FALSE: no more of them. */
typedef gboolean (*WeftRecordItem)(gpointer data, const char *list, const WeftJson *item);

/* Reads it all; `item` may be NULL. WEFT_ERROR_EMPTY: there is none; WEFT_ERROR_IO: the disk does not
 * give it; else it is damaged. */
WeftRecordFile *weft_record_file_open(const char *file, const char *id, WeftRecordItem item,
				      gpointer data, GError **error);
void weft_record_file_close(WeftRecordFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRecordFile, weft_record_file_close)

/* Its items, once more. */
gboolean weft_record_file_items(WeftRecordFile *file, WeftRecordItem item, gpointer data,
				GError **error);

/* The same record with these paths (settled) and no others, everything else as it stood. `address`:
 * with another id, the job's new fingerprint, and the decoders, which the old id had in it; NULL: only
 * the paths are new. FALSE: it can't be read any more; what the writer has is not a record then. */
gboolean weft_record_file_copy(WeftRecordFile *file, const WeftAddress *address,
			       const GPtrArray *paths, WeftJsonWriter *writer, GError **error);

#endif
