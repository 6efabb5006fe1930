#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ingest/sniff.h"

#define OFFICE_HINT                                                                                \
	"print or export it to PDF, for example: soffice --headless --convert-to pdf FILE"
#define TAIL_BYTES (65535u + 22u) /* the longest comment, and the end record (APPNOTE 4.3.16) */
#define DIRECTORY_BYTES (1024u * 1024u)
#define MEMBERS_MAX 8192u
#define OLE_DIRECTORY_BYTES 4096u

/* A member whose name begins so tells what the zip is; the first row that is found wins. */
static const struct {
	const char *prefix;
	WeftSniff is;
} MEMBERS[] = {
	{ "word/",
	  { WEFT_FAMILY_NONE,
	    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	    "Word document", OFFICE_HINT } },
	{ "xl/",
	  { WEFT_FAMILY_NONE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	    "Excel workbook", OFFICE_HINT } },
	{ "ppt/",
	  { WEFT_FAMILY_NONE,
	    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	    "PowerPoint presentation", OFFICE_HINT } },
	{ "visio/",
	  { WEFT_FAMILY_NONE, "application/vnd.ms-visio.drawing", "Visio drawing", OFFICE_HINT } },
	{ "FixedDocSeq.fdseq",
	  { WEFT_FAMILY_NONE, "application/vnd.ms-xpsdocument", "XPS document",
	    "convert it to PDF first, for example: xpstopdf FILE" } },
	{ "Index/Document.iwa",
	  { WEFT_FAMILY_NONE, "application/vnd.apple.iwork", "iWork document",
	    "export it to PDF" } },
	{ "AndroidManifest.xml",
	  { WEFT_FAMILY_NONE, "application/vnd.android.package-archive", "Android package",
	    NULL } },
	{ "META-INF/MANIFEST.MF",
	  { WEFT_FAMILY_NONE, "application/java-archive", "Java archive", NULL } },
};

/* What the stored first member "mimetype" says (OpenDocument 1.2 part 3, 3.3; EPUB OCF). */
static const struct {
	const char *prefix;
	WeftSniff is;
} MIMETYPES[] = {
	{ "application/vnd.oasis.opendocument.text",
	  { WEFT_FAMILY_NONE, "application/vnd.oasis.opendocument.text", "OpenDocument text",
	    OFFICE_HINT } },
	{ "application/vnd.oasis.opendocument.spreadsheet",
	  { WEFT_FAMILY_NONE, "application/vnd.oasis.opendocument.spreadsheet",
	    "OpenDocument spreadsheet", OFFICE_HINT } },
	{ "application/vnd.oasis.opendocument.presentation",
	  { WEFT_FAMILY_NONE, "application/vnd.oasis.opendocument.presentation",
	    "OpenDocument presentation", OFFICE_HINT } },
	{ "application/vnd.oasis.opendocument.graphics",
	  { WEFT_FAMILY_NONE, "application/vnd.oasis.opendocument.graphics",
	    "OpenDocument drawing", OFFICE_HINT } },
	{ "application/epub+zip",
	  { WEFT_FAMILY_NONE, "application/epub+zip", "EPUB book",
	    "convert it to PDF first, for example: ebook-convert FILE FILE.pdf" } },
};

static gsize read_at(int fd, guint64 offset, guint8 *ret_bytes, gsize size)
{
	gsize done = 0;
	while (done < size) {
		ssize_t n = pread(fd, ret_bytes + done, size - done, (off_t)(offset + done));
		if (n <= 0)
			break;
		done += (gsize)n;
	}
	return done;
}

/* Remembers in `found` the best row (lowest number) of MEMBERS that the name stands for. */
static void judge_name(const guint8 *name, gsize size, guint *found)
{
	for (guint i = 0; i < *found; i++) {
		gsize length = strlen(MEMBERS[i].prefix);
		if (size >= length && memcmp(name, MEMBERS[i].prefix, length) == 0)
			*found = i;
	}
}

static void judge_directory(const WeftHead *head, guint *found)
{
	gsize tail_size = (gsize)MIN(head->file_size, TAIL_BYTES);
	g_autofree guint8 *tail = g_malloc(tail_size + 1);
	tail_size = read_at(head->fd, head->file_size - tail_size, tail, tail_size);
	gsize at = tail_size < 22 ? 0 : tail_size - 22;
	while (at > 0 && memcmp(tail + at, "PK\5\6", 4) != 0)
		at--;
	if (tail_size < 22 || memcmp(tail + at, "PK\5\6", 4) != 0)
		return;
	gsize size = MIN(weft_le32(tail + at + 12), DIRECTORY_BYTES);
	g_autofree guint8 *directory = g_malloc(size + 1);
	size = read_at(head->fd, weft_le32(tail + at + 16), directory, size);
	at = 0;
	for (guint n = 0; n < MEMBERS_MAX && at + 46 <= size; n++) {
		const guint8 *entry = directory + at;
		gsize name_size = weft_le16(entry + 28);
		if (memcmp(entry, "PK\1\2", 4) != 0 || at + 46 + name_size > size)
			return;
		judge_name(entry + 46, name_size, found);
		at += 46 + name_size + weft_le16(entry + 30) + weft_le16(entry + 32);
	}
}

/* Local headers in the head: for a zip whose end is missing. */
static void judge_locals(const WeftHead *head, guint *found)
{
	gsize at = 0;
	while (at + 30 <= head->size) {
		const guint8 *entry = memmem(head->bytes + at, head->size - at, "PK\3\4", 4);
		if (!entry || entry + 30 > head->bytes + head->size)
			return;
		gsize name_size = weft_le16(entry + 26);
		if (name_size <= (gsize)(head->bytes + head->size - (entry + 30)))
			judge_name(entry + 30, name_size, found);
		at = (gsize)(entry - head->bytes) + 4;
	}
}

gboolean weft_sniff_zip(const WeftHead *head, WeftSniff *ret_sniff)
{
	guint found = G_N_ELEMENTS(MEMBERS);
	if (head->size < 22 || (memcmp(head->bytes, "PK\3\4", 4) != 0 &&
				memcmp(head->bytes, "PK\5\6", 4) != 0))
		return FALSE;
	if (head->size > 38 && memcmp(head->bytes + 30, "mimetype", 8) == 0) {
		for (guint i = 0; i < G_N_ELEMENTS(MIMETYPES); i++) {
			gsize length = strlen(MIMETYPES[i].prefix);
			if (head->size >= 38 + length &&
			    memcmp(head->bytes + 38, MIMETYPES[i].prefix, length) == 0) {
				*ret_sniff = MIMETYPES[i].is;
				return TRUE;
			}
		}
	}
	judge_directory(head, &found);
	judge_locals(head, &found);
	if (found < G_N_ELEMENTS(MEMBERS))
		*ret_sniff = MEMBERS[found].is;
	else
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_NONE, "application/zip", "zip archive",
					  "unpack it first" };
	return TRUE;
}

/* Stream names of compound files are UTF-16LE. */
static gboolean names(const guint8 *bytes, gsize size, const char *name)
{
	char wide[64];
	gsize length = strlen(name);
	for (gsize i = 0; i < length; i++) {
		wide[2 * i] = name[i];
		wide[2 * i + 1] = '\0';
	}
	return memmem(bytes, size, wide, 2 * length) != NULL;
}

gboolean weft_sniff_ole(const WeftHead *head, WeftSniff *ret_sniff)
{
	static const struct {
		const char *stream;
		WeftSniff is;
	} STREAMS[] = {
		{ "EncryptedPackage",
		  { WEFT_FAMILY_NONE, "application/encrypted", "encrypted Office document",
		    "open it with its password and export it to PDF" } },
		{ "WordDocument",
		  { WEFT_FAMILY_NONE, "application/msword", "Word document", OFFICE_HINT } },
		{ "Workbook",
		  { WEFT_FAMILY_NONE, "application/vnd.ms-excel", "Excel workbook", OFFICE_HINT } },
		{ "PowerPoint Document",
		  { WEFT_FAMILY_NONE, "application/vnd.ms-powerpoint", "PowerPoint presentation",
		    OFFICE_HINT } },
		{ "__nameid_version1.0",
		  { WEFT_FAMILY_NONE, "application/vnd.ms-outlook", "Outlook message",
		    "print or export it to PDF" } },
		{ "VisioDocument",
		  { WEFT_FAMILY_NONE, "application/vnd.visio", "Visio drawing", OFFICE_HINT } },
	};
	guint8 directory[OLE_DIRECTORY_BYTES];
	if (head->size < 512 ||
	    memcmp(head->bytes, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) != 0)
		return FALSE;
	/* [MS-CFB] 2.2: sector shift at 30, first directory sector at 48 */
	guint shift = MIN(weft_le16(head->bytes + 30), 12);
	guint64 offset = ((guint64)weft_le32(head->bytes + 48) + 1) << shift;
	gsize size = read_at(head->fd, offset, directory, sizeof directory);
	for (guint i = 0; i < G_N_ELEMENTS(STREAMS); i++) {
		if (names(directory, size, STREAMS[i].stream) ||
		    names(head->bytes, head->size, STREAMS[i].stream)) {
			*ret_sniff = STREAMS[i].is;
			return TRUE;
		}
	}
	*ret_sniff = (WeftSniff){ WEFT_FAMILY_NONE, "application/x-ole-storage",
				  "Office document of an old format", OFFICE_HINT };
	return TRUE;
}
