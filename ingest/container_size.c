#include "ingest/container_size.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define BOXES_MAX 1000000u      /* of a recording in fragments of a second: eleven days */
#define OGG_TAIL_BYTES 131072u  /* two pages of the largest size */
#define OGG_PAGE_HEAD_BYTES 27u
#define OGG_LAST 4

static guint64 be(const guint8 *p, guint n_bytes)
{
	guint64 value = 0;
	for (guint i = 0; i < n_bytes; i++)
		value = value << 8 | p[i];
	return value;
}

/* Sizes near 4 GiB are written by programs that did not know it. */
static guint64 riff_bytes(const guint8 head[16])
{
	guint64 size = weft_le32(head + 4);
	return size < 0xFFFF0000u ? size + 8 : 0;
}

static gboolean is_box(const guint8 *type)
{
	static const char TYPES[] = "ftyp moov mdat free skip wide moof mfra sidx styp uuid meta pnot udta "
	                            "emsg prft ssix";
	for (const char *at = TYPES; at < TYPES + sizeof TYPES; at += 5)
		if (memcmp(at, type, 4) == 0)
			return TRUE;
	return FALSE;
}

/* What is no box ends the walk: some programs leave something behind the last. */
static void walk_boxes(int fd, guint64 size_bytes, WeftContainerSize *size)
{
	guint64 at = 0;
	guint8 head[16];
	size->lacks_index = TRUE;
	for (guint i = 0; i < BOXES_MAX && at < size_bytes; i++) {
		ssize_t n = pread(fd, head, sizeof head, (off_t)at);
		if (n < 8 || !is_box(head + 4))
			return;
		size->lacks_index &= memcmp(head + 4, "moov", 4) != 0;
		guint64 length = be(head, 4);
		if (length == 1 && n == (ssize_t)sizeof head)
			length = be(head + 8, 8);
		else if (length == 0)
			length = size_bytes - at;
		if (length < 8 || __builtin_add_overflow(at, length, &at))
			return;
		size->stated_bytes = at;
	}
}

static void walk_caf(int fd, guint64 size_bytes, WeftContainerSize *size)
{
	guint64 at = 8;
	guint8 head[12];
	for (guint i = 0; i < BOXES_MAX && at < size_bytes; i++) {
		if (pread(fd, head, sizeof head, (off_t)at) != (ssize_t)sizeof head)
			return;
		guint64 length = be(head + 4, 8); /* all ones: to the end */
		if (length > G_MAXINT64 || __builtin_add_overflow(at + sizeof head, length, &at))
			return;
		size->stated_bytes = at;
	}
}

static void look_at_ogg(int fd, guint64 size_bytes, WeftContainerSize *size)
{
	guint64 first = size_bytes > OGG_TAIL_BYTES ? size_bytes - OGG_TAIL_BYTES : 0;
	g_autofree guint8 *tail = g_malloc(OGG_TAIL_BYTES);
	ssize_t n = pread(fd, tail, OGG_TAIL_BYTES, (off_t)first);
	for (ssize_t i = n - (ssize_t)OGG_PAGE_HEAD_BYTES; i >= 0; i--) {
		if (memcmp(tail + i, "OggS\0", 5) != 0)
			continue;
		guint64 end = first + (guint64)i + OGG_PAGE_HEAD_BYTES + tail[i + 26];
		for (guint k = 0; k < tail[i + 26] && i + 27 + (ssize_t)k < n; k++)
			end += tail[i + 27 + (ssize_t)k];
		size->is_open = !(tail[i + 5] & OGG_LAST);
		size->stated_bytes = end;
		return;
	}
}

WeftContainerSize weft_container_size(int fd, guint64 size_bytes)
{
	WeftContainerSize size = {0};
	guint8 head[16] = {0};
	if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return size;
	if (memcmp(head, "RIFF", 4) == 0)
		size.stated_bytes = riff_bytes(head);
	else if (memcmp(head, "caff", 4) == 0)
		walk_caf(fd, size_bytes, &size);
	else if (memcmp(head, "OggS", 4) == 0)
		look_at_ogg(fd, size_bytes, &size);
	else if (is_box(head + 4))
		walk_boxes(fd, size_bytes, &size);
	return size;
}
