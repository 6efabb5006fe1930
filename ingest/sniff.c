#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/ingest.h"
#include "ingest/sniff.h"

#define HEAD_BYTES 65536u
#define PDF_JUNK_BYTES 1024u /* Adobe's readers accept the header that late */

#define TO_PDF "print or export it to PDF, for example: soffice --headless --convert-to pdf FILE"
#define TO_PNG "convert it to PNG or PDF first, for example: convert FILE FILE.png"
#define UNPACK "unpack it first"
#define PLAYLIST "it only points at other files: give those"

/* A format that is known by bytes at a fixed place. */
typedef struct Magic {
	guint offset, size;
	const char *bytes;
	WeftSniff is;
} Magic;

#define MAGIC(offset, bytes, ...) { offset, sizeof(bytes) - 1, bytes, { __VA_ARGS__ } }

/* Not asked when the beginning is text: "MAC address" and "OTTO Ltd" begin letters too. */
static const Magic BINARY_MAGICS[] = {
	/* pictures */
	MAGIC(0, "\x89PNG\r\n\x1a\n", WEFT_FAMILY_IMAGE, "image/png", "PNG picture", NULL),
	MAGIC(0, "\xff\xd8\xff", WEFT_FAMILY_IMAGE, "image/jpeg", "JPEG picture", NULL),
	MAGIC(0, "GIF87a", WEFT_FAMILY_IMAGE, "image/gif", "GIF picture", NULL),
	MAGIC(0, "GIF89a", WEFT_FAMILY_IMAGE, "image/gif", "GIF picture", NULL),
	MAGIC(0, "II*\0", WEFT_FAMILY_IMAGE, "image/tiff", "TIFF picture", NULL),
	MAGIC(0, "MM\0*", WEFT_FAMILY_IMAGE, "image/tiff", "TIFF picture", NULL),
	MAGIC(0, "II+\0", WEFT_FAMILY_NONE, "image/tiff", "BigTIFF picture", TO_PNG),
	MAGIC(0, "MM\0+", WEFT_FAMILY_NONE, "image/tiff", "BigTIFF picture", TO_PNG),
	MAGIC(0, "8BPS\0\1", WEFT_FAMILY_IMAGE, "image/vnd.adobe.photoshop", "Photoshop picture",
	      NULL),
	MAGIC(0, "\0\0\0\x0cjP  \r\n\x87\n", WEFT_FAMILY_IMAGE, "image/jp2", "JPEG 2000 picture",
	      NULL),
	MAGIC(0, "\xff\x4f\xff\x51", WEFT_FAMILY_IMAGE, "image/x-jp2-codestream",
	      "JPEG 2000 picture", NULL),
	MAGIC(0, "\0\0\0\x0cJXL \r\n\x87\n", WEFT_FAMILY_IMAGE, "image/jxl", "JPEG XL picture",
	      NULL),
	MAGIC(0, "\xff\x0a", WEFT_FAMILY_IMAGE, "image/jxl", "JPEG XL picture", NULL),
	MAGIC(0, "qoif", WEFT_FAMILY_IMAGE, "image/qoi", "QOI picture", NULL),
	MAGIC(0, "\x59\xa6\x6a\x95", WEFT_FAMILY_IMAGE, "image/x-sun-raster", "Sun raster picture",
	      NULL),
	MAGIC(0, "\0\0\1\0", WEFT_FAMILY_NONE, "image/vnd.microsoft.icon", "Windows icon", TO_PNG),
	MAGIC(0, "AT&TFORM", WEFT_FAMILY_NONE, "image/vnd.djvu", "DjVu document",
	      "convert it to PDF first, for example: ddjvu -format=pdf FILE FILE.pdf"),
	MAGIC(0, "\xd7\xcd\xc6\x9a", WEFT_FAMILY_NONE, "image/wmf", "Windows metafile", TO_PNG),
	MAGIC(40, " EMF", WEFT_FAMILY_NONE, "image/emf", "Enhanced metafile", TO_PNG),
	MAGIC(128, "DICM", WEFT_FAMILY_NONE, "application/dicom", "DICOM picture", TO_PNG),
	/* sound and video */
	MAGIC(0, "fLaC", WEFT_FAMILY_AV, "audio/flac", "FLAC sound", NULL),
	MAGIC(0, "ID3", WEFT_FAMILY_AV, "audio/mpeg", "MP3 sound", NULL),
	MAGIC(0, "FLV\1", WEFT_FAMILY_AV, "video/x-flv", "Flash video", NULL),
	MAGIC(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", WEFT_FAMILY_AV, "video/x-ms-asf",
	      "Windows Media", NULL),
	MAGIC(0, "\0\0\1\xba", WEFT_FAMILY_AV, "video/mpeg", "MPEG video", NULL),
	MAGIC(0, "\0\0\1\xb3", WEFT_FAMILY_AV, "video/mpeg", "MPEG video", NULL),
	MAGIC(0, "#!AMR", WEFT_FAMILY_AV, "audio/amr", "AMR sound", NULL),
	MAGIC(0, ".snd", WEFT_FAMILY_AV, "audio/basic", "AU sound", NULL),
	MAGIC(0, "caff\0\1", WEFT_FAMILY_AV, "audio/x-caf", "Core Audio sound", NULL),
	MAGIC(0, "wvpk", WEFT_FAMILY_AV, "audio/x-wavpack", "WavPack sound", NULL),
	MAGIC(0, "MAC ", WEFT_FAMILY_AV, "audio/x-ape", "Monkey's Audio sound", NULL),
	MAGIC(0, ".RMF", WEFT_FAMILY_AV, "application/vnd.rn-realmedia", "RealMedia", NULL),
	MAGIC(0, "\x06\x0e\x2b\x34\x02\x05\x01\x01", WEFT_FAMILY_AV, "application/mxf",
	      "MXF video", NULL),
	MAGIC(0, "MThd", WEFT_FAMILY_NONE, "audio/midi", "MIDI score", NULL),
	/* documents that something else has to convert */
	MAGIC(0, "\xc5\xd0\xd3\xc6", WEFT_FAMILY_NONE, "image/x-eps", "EPS picture",
	      "convert it to PDF first, for example: epstopdf FILE"),
	MAGIC(0, "\xffWPC", WEFT_FAMILY_NONE, "application/vnd.wordperfect",
	      "WordPerfect document", TO_PDF),
	MAGIC(0, "AC10", WEFT_FAMILY_NONE, "image/vnd.dwg", "AutoCAD drawing", TO_PDF),
	MAGIC(0, "!BDN", WEFT_FAMILY_NONE, "application/vnd.ms-outlook-pst", "Outlook mail store",
	      "export the messages to PDF, or use readpst"),
	MAGIC(0, "\x78\x9f\x3e\x22", WEFT_FAMILY_NONE, "application/vnd.ms-tnef",
	      "Outlook attachment (winmail.dat)", "unpack it first, for example: tnef FILE"),
	MAGIC(0, "ITSF\3\0\0\0", WEFT_FAMILY_NONE, "application/vnd.ms-htmlhelp",
	      "Windows help file", TO_PDF),
	MAGIC(60, "BOOKMOBI", WEFT_FAMILY_NONE, "application/x-mobipocket-ebook", "Mobipocket book",
	      "convert it to PDF first, for example: ebook-convert FILE FILE.pdf"),
	/* containers */
	MAGIC(0, "\x1f\x8b", WEFT_FAMILY_NONE, "application/gzip", "gzip archive", UNPACK),
	MAGIC(0, "BZh", WEFT_FAMILY_NONE, "application/x-bzip2", "bzip2 archive", UNPACK),
	MAGIC(0, "\xfd" "7zXZ\0", WEFT_FAMILY_NONE, "application/x-xz", "xz archive", UNPACK),
	MAGIC(0, "\x28\xb5\x2f\xfd", WEFT_FAMILY_NONE, "application/zstd", "zstd archive", UNPACK),
	MAGIC(0, "\x04\x22\x4d\x18", WEFT_FAMILY_NONE, "application/x-lz4", "lz4 archive", UNPACK),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", WEFT_FAMILY_NONE, "application/x-7z-compressed",
	      "7-Zip archive", UNPACK),
	MAGIC(0, "Rar!\x1a\x07", WEFT_FAMILY_NONE, "application/vnd.rar", "RAR archive", UNPACK),
	MAGIC(0, "MSCF\0\0\0\0", WEFT_FAMILY_NONE, "application/vnd.ms-cab-compressed",
	      "Windows cabinet", UNPACK),
	MAGIC(0, "!<arch>\n", WEFT_FAMILY_NONE, "application/x-archive", "ar archive", UNPACK),
	MAGIC(0, "\xed\xab\xee\xdb", WEFT_FAMILY_NONE, "application/x-rpm", "RPM package", UNPACK),
	MAGIC(0, "070701", WEFT_FAMILY_NONE, "application/x-cpio", "cpio archive", UNPACK),
	MAGIC(257, "ustar", WEFT_FAMILY_NONE, "application/x-tar", "tar archive", UNPACK),
	/* not documents */
	MAGIC(0, "\x7f" "ELF", WEFT_FAMILY_NONE, "application/x-executable", "program", NULL),
	MAGIC(0, "\xcf\xfa\xed\xfe", WEFT_FAMILY_NONE, "application/x-mach-binary", "program",
	      NULL),
	MAGIC(0, "\xca\xfe\xba\xbe", WEFT_FAMILY_NONE, "application/java-vm", "Java class", NULL),
	MAGIC(0, "\0asm", WEFT_FAMILY_NONE, "application/wasm", "program", NULL),
	MAGIC(0, "SQLite format 3\0", WEFT_FAMILY_NONE, "application/vnd.sqlite3",
	      "SQLite database", "export its tables as text"),
	MAGIC(0, "\0\1\0\0Standard ", WEFT_FAMILY_NONE, "application/x-msaccess",
	      "Access database", "export its tables as text"),
	MAGIC(0, "\x89HDF\r\n\x1a\n", WEFT_FAMILY_NONE, "application/x-hdf5", "HDF5 data", NULL),
	MAGIC(0, "PAR1", WEFT_FAMILY_NONE, "application/vnd.apache.parquet", "Parquet data",
	      "export it as text"),
	MAGIC(0, "\0\1\0\0\0", WEFT_FAMILY_NONE, "font/ttf", "font", NULL),
	MAGIC(0, "OTTO", WEFT_FAMILY_NONE, "font/otf", "font", NULL),
	MAGIC(0, "ttcf", WEFT_FAMILY_NONE, "font/collection", "font", NULL),
	MAGIC(0, "wOFF", WEFT_FAMILY_NONE, "font/woff", "font", NULL),
	MAGIC(0, "wOF2", WEFT_FAMILY_NONE, "font/woff2", "font", NULL),
	MAGIC(0, "GGUF", WEFT_FAMILY_NONE, "application/x-gguf", "model file", NULL),
};

static const Magic TEXT_MAGICS[] = {
	MAGIC(0, "%!FontType1", WEFT_FAMILY_NONE, "application/x-font-type1", "font", NULL),
	MAGIC(0, "{\\rtf", WEFT_FAMILY_NONE, "text/rtf", "RTF document", TO_PDF),
	MAGIC(0, "%!PS", WEFT_FAMILY_NONE, "application/postscript", "PostScript document",
	      "convert it to PDF first, for example: ps2pdf FILE"),
	MAGIC(0, "\x04%!PS", WEFT_FAMILY_NONE, "application/postscript", "PostScript document",
	      "convert it to PDF first, for example: ps2pdf FILE"),
	/* playlists and session descriptions reach for other files */
	MAGIC(0, "#EXTM3U", WEFT_FAMILY_NONE, "application/vnd.apple.mpegurl", "playlist",
	      PLAYLIST),
	MAGIC(0, "ffconcat version", WEFT_FAMILY_NONE, "text/x-ffconcat", "playlist", PLAYLIST),
	MAGIC(0, "[playlist]", WEFT_FAMILY_NONE, "audio/x-scpls", "playlist", PLAYLIST),
	MAGIC(0, "v=0\no=", WEFT_FAMILY_NONE, "application/sdp", "session description", PLAYLIST),
	MAGIC(0, "v=0\r\no=", WEFT_FAMILY_NONE, "application/sdp", "session description", PLAYLIST),
};

static gboolean has(const WeftHead *head, gsize offset, const char *bytes, gsize size)
{
	return head->size >= offset + size && memcmp(head->bytes + offset, bytes, size) == 0;
}

#define HAS(head, offset, text) has(head, offset, text, sizeof(text) - 1)

static gboolean sniff_table(const WeftHead *head, const Magic *table, guint n, WeftSniff *ret_sniff)
{
	for (guint i = 0; i < n; i++) {
		const Magic *magic = &table[i];
		if (has(head, magic->offset, magic->bytes, magic->size)) {
			*ret_sniff = magic->is;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean sniff_pdf(const WeftHead *head, WeftSniff *ret_sniff)
{
	static const WeftSniff PDF = { WEFT_FAMILY_PDF, "application/pdf", "PDF document", NULL };
	gsize size = MIN(head->size, PDF_JUNK_BYTES);
	const guint8 *header = memmem(head->bytes, size, "%PDF-", 5);
	/* a text may speak of PDF: behind junk, an object must follow */
	if (!header || (header != head->bytes && !memmem(head->bytes, head->size, " obj", 4)))
		return FALSE;
	*ret_sniff = PDF;
	return TRUE;
}

static gboolean sniff_riff(const WeftHead *head, WeftSniff *ret_sniff)
{
	static const struct {
		const char *outer, *inner;
		WeftSniff is;
	} KINDS[] = {
		{ "RIFF", "WAVE", { WEFT_FAMILY_AV, "audio/x-wav", "WAV sound", NULL } },
		{ "RF64", "WAVE", { WEFT_FAMILY_AV, "audio/x-wav", "WAV sound", NULL } },
		{ "BW64", "WAVE", { WEFT_FAMILY_AV, "audio/x-wav", "WAV sound", NULL } },
		{ "RIFF", "AVI ", { WEFT_FAMILY_AV, "video/x-msvideo", "AVI video", NULL } },
		{ "RIFF", "WEBP", { WEFT_FAMILY_IMAGE, "image/webp", "WebP picture", NULL } },
		{ "FORM", "AIFF", { WEFT_FAMILY_AV, "audio/x-aiff", "AIFF sound", NULL } },
		{ "FORM", "AIFC", { WEFT_FAMILY_AV, "audio/x-aiff", "AIFF sound", NULL } },
	};
	for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if (has(head, 0, KINDS[i].outer, 4) && has(head, 8, KINDS[i].inner, 4)) {
			*ret_sniff = KINDS[i].is;
			return TRUE;
		}
	}
	return FALSE;
}

/* ISO base media (ISO/IEC 14496-12): the first box says it, its brand says which. */
static gboolean sniff_isom(const WeftHead *head, WeftSniff *ret_sniff)
{
	static const struct {
		const char *brand;
		WeftSniff is;
	} BRANDS[] = {
		{ "heic", { WEFT_FAMILY_NONE, "image/heic", "HEIC picture", TO_PNG } },
		{ "heix", { WEFT_FAMILY_NONE, "image/heic", "HEIC picture", TO_PNG } },
		{ "mif1", { WEFT_FAMILY_NONE, "image/heif", "HEIF picture", TO_PNG } },
		{ "msf1", { WEFT_FAMILY_NONE, "image/heif", "HEIF picture", TO_PNG } },
		{ "avif", { WEFT_FAMILY_NONE, "image/avif", "AVIF picture", TO_PNG } },
		{ "avis", { WEFT_FAMILY_NONE, "image/avif", "AVIF picture", TO_PNG } },
		{ "crx ", { WEFT_FAMILY_NONE, "image/x-canon-cr3", "camera raw picture", TO_PNG } },
		{ "qt  ", { WEFT_FAMILY_AV, "video/quicktime", "QuickTime video", NULL } },
		{ "M4A ", { WEFT_FAMILY_AV, "audio/mp4", "MPEG-4 sound", NULL } },
		{ "M4B ", { WEFT_FAMILY_AV, "audio/mp4", "MPEG-4 sound", NULL } },
		{ "3gp", { WEFT_FAMILY_AV, "video/3gpp", "3GP video", NULL } },
		{ "3g2", { WEFT_FAMILY_AV, "video/3gpp2", "3GP video", NULL } },
		{ "", { WEFT_FAMILY_AV, "video/mp4", "MPEG-4 video", NULL } },
	};
	static const char *const QUICKTIME_BOXES[] = { "moov", "mdat", "wide", "pnot" };
	if (HAS(head, 4, "ftyp")) {
		guint i = 0;
		while (!has(head, 8, BRANDS[i].brand, strlen(BRANDS[i].brand)))
			i++; /* the last fits all */
		*ret_sniff = BRANDS[i].is;
		return TRUE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(QUICKTIME_BOXES); i++) {
		if (has(head, 4, QUICKTIME_BOXES[i], 4)) {
			*ret_sniff = (WeftSniff){ WEFT_FAMILY_AV, "video/quicktime",
						  "QuickTime video", NULL };
			return TRUE;
		}
	}
	return FALSE;
}

/* Bytes in a frame of MPEG sound whose header is at `p`, 0 when it is none. */
static gsize mpeg_frame_bytes(const guint8 *p)
{
	static const guint16 KBPS[2][3][15] = {
		{ { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
		  { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 } },
		{ { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 } },
	};
	static const guint HZ[3] = { 44100, 48000, 32000 };
	guint version = p[1] >> 3 & 3, layer = 4 - (p[1] >> 1 & 3), rate = p[2] >> 4;
	guint hz_at = p[2] >> 2 & 3, padding = p[2] >> 1 & 1;
	if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || rate == 15 ||
	    rate == 0 || hz_at == 3)
		return 0;
	guint hz = HZ[hz_at] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	guint kbps = KBPS[version == 3 ? 0 : 1][layer - 1][rate];
	if (layer == 1)
		return (12000 * kbps / hz + padding) * 4;
	return (layer == 3 && version != 3 ? 72000 : 144000) * kbps / hz + padding;
}

static gsize adts_frame_bytes(const guint8 *p)
{
	if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || (p[2] >> 2 & 15) > 12)
		return 0;
	return (gsize)(p[3] & 3) << 11 | (gsize)p[4] << 3 | p[5] >> 5;
}

/* Three frames in a row, or two when the file ends there. */
static gboolean frames_follow(const WeftHead *head, gsize (*frame_bytes)(const guint8 *))
{
	gsize at = 0;
	for (guint n = 0; n < 3; n++) {
		if (n > 1 && at + 7 > head->size)
			return TRUE;
		gsize size = at + 7 <= head->size ? frame_bytes(head->bytes + at) : 0;
		if (size < 7)
			return FALSE;
		at += size;
	}
	return TRUE;
}

static gboolean packets_follow(const WeftHead *head, gsize first, gsize packet)
{
	guint n = 0;
	for (gsize at = first; at < head->size && n < 5; at += packet, n++)
		if (head->bytes[at] != 0x47)
			return FALSE;
	return n >= 2;
}

static gboolean sniff_streams(const WeftHead *head, WeftSniff *ret_sniff)
{
	if (frames_follow(head, mpeg_frame_bytes))
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_AV, "audio/mpeg", "MP3 sound", NULL };
	else if (frames_follow(head, adts_frame_bytes))
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_AV, "audio/aac", "AAC sound", NULL };
	else if (packets_follow(head, 0, 188) || packets_follow(head, 4, 192))
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_AV, "video/mp2t", "MPEG transport stream",
					  NULL };
	else if (HAS(head, 0, "\x0b\x77") && head->size > 7)
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_AV, "audio/ac3", "AC-3 sound", NULL };
	else
		return FALSE;
	return TRUE;
}

static gboolean sniff_ogg(const WeftHead *head, WeftSniff *ret_sniff)
{
	if (!HAS(head, 0, "OggS"))
		return FALSE;
	gboolean video = memmem(head->bytes, MIN(head->size, 4096), "theora", 6) != NULL;
	*ret_sniff = video ? (WeftSniff){ WEFT_FAMILY_AV, "video/ogg", "Ogg video", NULL } :
			     (WeftSniff){ WEFT_FAMILY_AV, "audio/ogg", "Ogg sound", NULL };
	return TRUE;
}

/* "P4 WIDTH HEIGHT", with comments; PAM has "P7" and named lines. */
static gboolean is_pnm(const WeftHead *head)
{
	gsize at = 2;
	if (HAS(head, 0, "P7\nWIDTH "))
		return TRUE;
	if (head->size < 8 || head->bytes[0] != 'P' || head->bytes[1] < '1' || head->bytes[1] > '6')
		return FALSE;
	for (guint numbers = 0; numbers < 2; numbers++) {
		gsize first = at;
		while (at < head->size && g_ascii_isspace(head->bytes[at])) {
			at++;
			while (at < head->size && head->bytes[at] == '#')
				while (at < head->size && head->bytes[at] != '\n')
					at++;
		}
		if (at == first || at >= head->size || !g_ascii_isdigit(head->bytes[at]))
			return FALSE;
		while (at < head->size && g_ascii_isdigit(head->bytes[at]))
			at++;
	}
	return at < head->size && g_ascii_isspace(head->bytes[at]);
}

/* Matroska and WebM are EBML (RFC 8794); the document type stands in the first element. */
static gboolean sniff_ebml(const WeftHead *head, WeftSniff *ret_sniff)
{
	if (!HAS(head, 0, "\x1a\x45\xdf\xa3"))
		return FALSE;
	gboolean webm = memmem(head->bytes, MIN(head->size, 64), "webm", 4) != NULL;
	*ret_sniff = webm ? (WeftSniff){ WEFT_FAMILY_AV, "video/webm", "WebM video", NULL } :
			    (WeftSniff){ WEFT_FAMILY_AV, "video/x-matroska", "Matroska video",
					 NULL };
	return TRUE;
}

static gboolean sniff_small_pictures(const WeftHead *head, WeftSniff *ret_sniff)
{
	const guint8 *b = head->bytes;
	if (head->size >= 26 && HAS(head, 0, "BM") && (b[14] | b[15] << 8) >= 12 && b[16] == 0 &&
	    b[17] == 0)
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_IMAGE, "image/bmp", "BMP picture", NULL };
	else if (is_pnm(head))
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_IMAGE, "image/x-portable-anymap",
					  "PNM picture", NULL };
	else if (head->size >= 128 && b[0] == 10 && b[1] <= 5 && b[2] == 1 && b[64] == 0)
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_IMAGE, "image/vnd.zbrush.pcx", "PCX picture",
					  NULL };
	else if (head->size >= 64 && HAS(head, 0, "MZ"))
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_NONE,
					  "application/vnd.microsoft.portable-executable",
					  "program", NULL };
	else
		return FALSE;
	return TRUE;
}

static gboolean sniff_boxes(const WeftHead *head, WeftSniff *ret_sniff)
{
	return sniff_riff(head, ret_sniff) || sniff_isom(head, ret_sniff) ||
	       sniff_ogg(head, ret_sniff) || sniff_ebml(head, ret_sniff) ||
	       weft_sniff_zip(head, ret_sniff) ||
	       weft_sniff_ole(head, ret_sniff);
}

static gboolean read_head(int fd, WeftHead *head, GError **error)
{
	while (head->size < HEAD_BYTES) {
		ssize_t n = pread(fd, head->bytes + head->size, HEAD_BYTES - head->size,
				  (off_t)head->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "reading: %s",
				    g_strerror(errno));
			return FALSE;
		}
		if (n == 0)
			break;
		head->size += (gsize)n;
	}
	return TRUE;
}

gboolean weft_sniff(int fd, WeftSniff *ret_sniff, GError **error)
{
	g_autofree guint8 *bytes = g_malloc(HEAD_BYTES);
	WeftHead head = { .fd = fd, .bytes = bytes };
	struct stat facts;
	if (!read_head(fd, &head, error))
		return FALSE;
	(void)lseek(fd, 0, SEEK_SET); /* not seekable: then it has no offset */
	head.file_size = fstat(fd, &facts) == 0 ? (guint64)MAX(facts.st_size, 0) : 0;
	if (head.size == 0) {
		*ret_sniff = (WeftSniff){ WEFT_FAMILY_NONE, "application/x-empty", "empty file",
					  NULL };
		return TRUE;
	}
	if (sniff_boxes(&head, ret_sniff) ||
	    sniff_table(&head, TEXT_MAGICS, G_N_ELEMENTS(TEXT_MAGICS), ret_sniff) ||
	    (!weft_sniff_is_text(&head) &&
	     sniff_table(&head, BINARY_MAGICS, G_N_ELEMENTS(BINARY_MAGICS), ret_sniff)) ||
	    sniff_pdf(&head, ret_sniff) || sniff_small_pictures(&head, ret_sniff) ||
	    weft_sniff_text(&head, ret_sniff) || sniff_streams(&head, ret_sniff))
		return TRUE;
	*ret_sniff = (WeftSniff){ WEFT_FAMILY_NONE, "application/octet-stream",
				  "file of unknown type", NULL };
	return TRUE;
}
