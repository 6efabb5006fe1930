/* sniff.h - private: the parts of weft_sniff that need more than bytes at fixed places.
 *
 * Each gives TRUE and fills `ret_sniff` when the file is of its kind. They read bytes; nothing is
 * unpacked or decoded here, since this runs in weft itself.
 */
#ifndef WEFT_INGEST_SNIFF_H
#define WEFT_INGEST_SNIFF_H

#include <glib.h>

#include "ingest/ingest.h"

/* The beginning of a file. */
typedef struct WeftHead {
	int fd;
	guint64 file_size;
	guint8 *bytes;
	gsize size;
} WeftHead;

/* Zip: Office (docx, xlsx, pptx), OpenDocument and EPUB are told apart by the names of members. */
gboolean weft_sniff_zip(const WeftHead *head, WeftSniff *ret_sniff);

/* OLE compound files: Word, Excel, PowerPoint, Outlook by the names of their streams. */
gboolean weft_sniff_ole(const WeftHead *head, WeftSniff *ret_sniff);

/* Text: mail, mbox, HTML, XML, SVG and captions are named; the rest is plain text, if it is text. */
gboolean weft_sniff_text(const WeftHead *head, WeftSniff *ret_sniff);

/* No control characters, and valid UTF-8. */
gboolean weft_sniff_is_text(const WeftHead *head);

#endif
