/* wire.h - private: the messages between weft and its helper programs.
 *
 * Three sockets, all SOCK_SEQPACKET, so a message is whole or not there:
 *   zygote socket   weft -> program: FORK, with five descriptors; program -> weft: HELLO, once
 *   control socket  one per document, weft <-> program: the program tells ENDED, weft asks for the
 *                   worker's end by shutting its side down
 *   work socket     one per document, weft <-> worker: weft sends START or READER; the worker
 *                   tells STARTED once its walls stand, before it touches a byte of a document or
 *                   a READ, then PART..., END | FAIL; what ends a worker before STARTED is not the
 *                   document's doing. weft answers each use of shared memory with ACK, which
 *                   frees the slot, and each ASK for more memory with GRANT
 *
 * A message is a header of two little-endian 32-bit numbers, type and length of the payload, then
 * the payload; numbers are little-endian, doubles are their bits, strings are a length and bytes.
 * Pixels and samples lie in shared memory from offset 0 of a slot; which slot and how many of them
 * stands in the message, never in the memory. weft reads with pread after it has checked the sizes
 * against the slot, so that a worker which lies gets its own bytes read and nothing else. The size
 * of the memory is sealed.
 *
 * Readers here treat every byte as hostile: the first thing that does not fit makes the whole
 * message an error (WEFT_ERROR_CORRUPT).
 */
#ifndef WEFT_INGEST_WIRE_H
#define WEFT_INGEST_WIRE_H

#include <glib.h>

#include "ingest/ingest.h"
#include "ingest/part.h"

#define WEFT_WIRE_VERSION 3u
#define WEFT_WIRE_MESSAGE_MAX 131072u
#define WEFT_WIRE_HEADER_BYTES 8u
#define WEFT_WIRE_SLOTS 2u
#define WEFT_WIRE_SLOT_BYTES ((gsize)192 * 1000 * 1000) /* 64 million RGB pixels */
#define WEFT_WIRE_FDS_MAX 5u
/* What a worker holds without asking: its stack, its share of the libraries' state, small blocks.
 * That of a reader holds the data of its languages, too. */
#define WEFT_WIRE_BASE_BYTES ((gsize)24 << 20)
#define WEFT_WIRE_READER_BASE_BYTES ((gsize)48 << 20)

/* Descriptors of a worker, by number. */
#define WEFT_WIRE_FD_ZYGOTE 3
#define WEFT_WIRE_FD_WORK 3
#define WEFT_WIRE_FD_DOCUMENT 4 /* /dev/null for readers of pictures */
#define WEFT_WIRE_FD_SLOT 5     /* and the next */

typedef enum {
	WEFT_WIRE_HELLO = 1, /* version u32, versions string, has_reader u8, walls string, why workers
	                      * can't be locked down: string, or NULL */
	WEFT_WIRE_FORK,      /* locked u8; descriptors: control, work, document, slot 0, slot 1 */
	WEFT_WIRE_STARTED,   /* why the worker is not locked down: string, or NULL: it is, as asked */
	WEFT_WIRE_ENDED,     /* wait status u32; G_MAXUINT32: no worker could be made */
	WEFT_WIRE_START,     /* family u8, media type string, options */
	WEFT_WIRE_READER,    /* languages string */
	WEFT_WIRE_READ,      /* slot u32, width u32, height u32, points_per_pixel f64, anchor,
	                      * bytes u64: what the worker holds for it */
	WEFT_WIRE_PART,      /* a part; memory by slot */
	WEFT_WIRE_ACK,       /* slot u32 */
	WEFT_WIRE_END,       /* empty: the document, or this picture, is done */
	WEFT_WIRE_FAIL,      /* code u32, message string */
	WEFT_WIRE_ASK,       /* bytes u64: what the worker is to hold; less than before: no answer */
	WEFT_WIRE_GRANT,     /* empty: it may */
} WeftWireType;

/* A message being written. */
typedef struct WeftWireOut {
	GByteArray *bytes;
	gboolean overflow;
} WeftWireOut;

void weft_wire_begin(WeftWireOut *out, WeftWireType type);
void weft_wire_done(WeftWireOut *out);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftWireOut, weft_wire_done)
void weft_wire_put_u8(WeftWireOut *out, guint8 value);
void weft_wire_put_u32(WeftWireOut *out, guint32 value);
void weft_wire_put_u64(WeftWireOut *out, guint64 value);
void weft_wire_put_f64(WeftWireOut *out, double value);
void weft_wire_put_string(WeftWireOut *out, const char *value); /* NULL stays NULL */
void weft_wire_put_anchor(WeftWireOut *out, const WeftAnchor *anchor);
void weft_wire_put_options(WeftWireOut *out, const WeftDecodeOptions *options);

/* `slot`: where the pixels or samples were put; not used by other kinds. */
void weft_wire_put_part(WeftWireOut *out, const WeftPart *part, guint32 slot);

/* A message being read; `failed` stays set once something did not fit, and all values are 0 or NULL
 * from there on. */
typedef struct WeftWireIn {
	WeftWireType type;
	const guint8 *at, *end;
	gboolean failed;
} WeftWireIn;

/* Checks the header against `size`. `message` must outlive `in`. */
gboolean weft_wire_open(WeftWireIn *in, const guint8 *message, gsize size, GError **error);
guint8 weft_wire_u8(WeftWireIn *in);
guint32 weft_wire_u32(WeftWireIn *in);
guint64 weft_wire_u64(WeftWireIn *in);
double weft_wire_f64(WeftWireIn *in);                        /* finite, or it fails */
char *weft_wire_string(WeftWireIn *in, guint32 limit_bytes); /* UTF-8 without NUL; owned */
WeftAnchor weft_wire_anchor(WeftWireIn *in);

/* TRUE when all was read, nothing failed and nothing is left over. */
gboolean weft_wire_close(WeftWireIn *in, GError **error);

/* Options with their own memory. */
typedef struct WeftWireOptions {
	WeftDecodeOptions options;
	char **passwords;
} WeftWireOptions;
void weft_wire_options(WeftWireIn *in, WeftWireOptions *ret_options);
void weft_wire_options_done(WeftWireOptions *options);

/* A part whose pixels or samples are still to be fetched: `*ret_slot` and `*ret_size_bytes` (0:
 * nothing to fetch) say where they are; sizes are within the limits of decoder.h, which fit a slot.
 * raster.pixels and pcm.samples are NULL. */
WeftPart *weft_wire_part(WeftWireIn *in, guint32 *ret_slot, gsize *ret_size_bytes);

#endif
