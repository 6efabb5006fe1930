#include "ingest/exif.h"

#include <string.h>

#define ENTRIES_MAX 512u
#define DIRECTORIES_MAX 4096u
#define TEXT_MAX 1000u

#define TAG_ORIENTATION 0x0112
#define TAG_EXIF 0x8769
#define TAG_GPS 0x8825

enum { BYTE = 1, ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5, SIGNED_RATIONAL = 10 };

typedef struct Tiff {
	const guint8 *bytes;
	gsize size;
	gboolean big_endian;
} Tiff;

typedef struct Entry {
	guint tag, type;
	guint32 count;
	gsize at; /* where its values begin */
	gsize size_bytes;
} Entry;

/* Facts that are told as they stand. */
static const struct {
	guint tag;
	const char *key;
} FACTS[] = {
    {0x010e, "description"},
    {0x010f, "make"},
    {0x0110, "model"},
    {0x0131, "software"},
    {0x0132, "date_time"},
    {0x013b, "artist"},
    {0x8298, "copyright"},
    {0x829a, "exposure_time"},
    {0x829d, "f_number"},
    {0x8827, "iso"},
    {0x9003, "date_time_original"},
    {0x9011, "offset_time_original"},
    {0x920a, "focal_length"},
    {0xa434, "lens_model"},
};

static guint u16(const Tiff *tiff, gsize at)
{
	if (at + 2 > tiff->size || at + 2 < at)
		return 0;
	const guint8 *p = tiff->bytes + at;
	return tiff->big_endian ? (guint)p[0] << 8 | p[1] : (guint)p[1] << 8 | p[0];
}

static guint32 u32(const Tiff *tiff, gsize at)
{
	guint first = u16(tiff, at), second = u16(tiff, at + 2);
	return tiff->big_endian ? (guint32)first << 16 | second : (guint32)second << 16 | first;
}

static gboolean tiff_open(Tiff *tiff, const guint8 *bytes, gsize size)
{
	tiff->bytes = bytes;
	tiff->size = size;
	tiff->big_endian = size > 0 && bytes[0] == 'M';
	return size >= 8 && (memcmp(bytes, "II", 2) == 0 || memcmp(bytes, "MM", 2) == 0) &&
	       u16(tiff, 2) == 42;
}

static gboolean entry_at(const Tiff *tiff, gsize at, Entry *ret_entry)
{
	static const guint8 SIZES[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
	Entry entry = {u16(tiff, at), u16(tiff, at + 2), u32(tiff, at + 4), 0, 0};
	if (at + 12 > tiff->size || entry.type == 0 || entry.type >= G_N_ELEMENTS(SIZES))
		return FALSE;
	guint64 size = (guint64)entry.count * SIZES[entry.type];
	guint64 values = size <= 4 ? at + 8 : u32(tiff, at + 8);
	if (size == 0 || values + size > tiff->size)
		return FALSE;
	entry.at = (gsize)values;
	entry.size_bytes = (gsize)size;
	*ret_entry = entry;
	return TRUE;
}

static gboolean number(const Tiff *tiff, const Entry *entry, guint index, double *ret_value)
{
	if (index >= entry->count)
		return FALSE;
	if (entry->type == SHORT) {
		*ret_value = u16(tiff, entry->at + 2 * (gsize)index);
		return TRUE;
	}
	if (entry->type == LONG) {
		*ret_value = u32(tiff, entry->at + 4 * (gsize)index);
		return TRUE;
	}
	if (entry->type == RATIONAL || entry->type == SIGNED_RATIONAL) {
		guint32 above = u32(tiff, entry->at + 8 * (gsize)index);
		guint32 below = u32(tiff, entry->at + 8 * (gsize)index + 4);
		gboolean negative = entry->type == SIGNED_RATIONAL;
		if (below == 0)
			return FALSE;
		*ret_value =
		    negative ? (double)(gint32)above / (gint32)below : (double)above / below;
		return TRUE;
	}
	return FALSE;
}

static void add_fact(const Tiff *tiff, const Entry *entry, const char *key, WeftPicture *picture)
{
	double value;
	char text[32];
	if (entry->type == ASCII) {
		g_autofree char *raw = g_strndup((const char *)tiff->bytes + entry->at,
		                                 MIN(entry->size_bytes, TEXT_MAX));
		g_autofree char *valid = g_utf8_make_valid(raw, -1);
		weft_picture_add_fact(picture, key, valid);
	} else if (number(tiff, entry, 0, &value)) {
		g_ascii_formatd(text, sizeof text, "%.6g", value);
		weft_picture_add_fact(picture, key, text);
	}
}

/* Degrees, minutes, seconds to signed degrees. */
static gboolean degrees(const Tiff *tiff, const Entry *entry, char side, double *ret_degrees)
{
	double d, m, s;
	if (!number(tiff, entry, 0, &d) || !number(tiff, entry, 1, &m) ||
	    !number(tiff, entry, 2, &s))
		return FALSE;
	*ret_degrees = (d + m / 60 + s / 3600) * (side == 'S' || side == 'W' ? -1 : 1);
	return TRUE;
}

/* EXIF 2.32, 4.6.6: tags 1..4 are latitude and longitude with their sides. */
static void read_gps(const Tiff *tiff, gsize at, WeftPicture *picture)
{
	Entry places[5] = {0};
	char sides[5] = {0}, text[2][32];
	double latitude, longitude;
	guint n = MIN(u16(tiff, at), ENTRIES_MAX);
	for (guint i = 0; i < n; i++) {
		Entry entry;
		if (!entry_at(tiff, at + 2 + 12 * (gsize)i, &entry) || entry.tag < 1 ||
		    entry.tag > 4)
			continue;
		if (entry.type == ASCII)
			sides[entry.tag] = (char)tiff->bytes[entry.at];
		else
			places[entry.tag] = entry;
	}
	if (!degrees(tiff, &places[2], sides[1], &latitude) ||
	    !degrees(tiff, &places[4], sides[3], &longitude))
		return;
	g_ascii_formatd(text[0], sizeof text[0], "%.6f", latitude);
	g_ascii_formatd(text[1], sizeof text[1], "%.6f", longitude);
	g_autofree char *place = g_strdup_printf("%s,%s", text[0], text[1]);
	weft_picture_add_fact(picture, "gps", place);
}

static void read_directory(const Tiff *tiff, gsize at, gboolean nested, WeftPicture *picture)
{
	guint n = MIN(u16(tiff, at), ENTRIES_MAX);
	for (guint i = 0; i < n; i++) {
		Entry entry;
		double value;
		if (!entry_at(tiff, at + 2 + 12 * (gsize)i, &entry))
			continue;
		if (entry.tag == TAG_ORIENTATION && number(tiff, &entry, 0, &value) && value >= 1 &&
		    value <= 8)
			picture->orientation = (guint)value;
		else if (entry.tag == TAG_EXIF && !nested && entry.type == LONG)
			read_directory(tiff, u32(tiff, entry.at), TRUE, picture);
		else if (entry.tag == TAG_GPS && !nested && entry.type == LONG)
			read_gps(tiff, u32(tiff, entry.at), picture);
		for (guint j = 0; j < G_N_ELEMENTS(FACTS); j++)
			if (FACTS[j].tag == entry.tag)
				add_fact(tiff, &entry, FACTS[j].key, picture);
	}
}

void weft_exif_read(const guint8 *bytes, gsize size, WeftPicture *picture)
{
	Tiff tiff;
	if (tiff_open(&tiff, bytes, size))
		read_directory(&tiff, u32(&tiff, 4), FALSE, picture);
}

guint weft_exif_count_directories(const guint8 *bytes, gsize size)
{
	Tiff tiff;
	guint n = 0;
	if (!tiff_open(&tiff, bytes, size))
		return 0;
	guint32 at = u32(&tiff, 4);
	while (at != 0 && (gsize)at + 2 <= size && n < DIRECTORIES_MAX) {
		n++;
		at = u32(&tiff, (gsize)at + 2 + 12 * (gsize)u16(&tiff, at));
	}
	return n;
}
