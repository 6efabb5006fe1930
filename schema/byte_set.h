/* byte_set.h - a set of bytes: those that may come next. Private to schema/. */
#ifndef WEFT_SCHEMA_BYTE_SET_H
#define WEFT_SCHEMA_BYTE_SET_H

#include <glib.h>

typedef struct WeftByteSet {
	guint64 bits[4];
} WeftByteSet;

static inline void weft_byte_set_add(WeftByteSet *set, guint8 byte)
{
	set->bits[byte / 64] |= (guint64)1 << (byte % 64);
}

static inline void weft_byte_set_add_all(WeftByteSet *set)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] = G_MAXUINT64;
}

static inline gboolean weft_byte_set_has(const WeftByteSet *set, guint8 byte)
{
	return set->bits[byte / 64] >> (byte % 64) & 1;
}

/* The first member from `byte` on; 256: there is none. */
static inline guint weft_byte_set_from(const WeftByteSet *set, guint byte)
{
	for (guint i = byte / 64; i < 4; i++) {
		guint64 bits = set->bits[i] & (i == byte / 64 ? G_MAXUINT64 << (byte % 64) : G_MAXUINT64);
		if (bits)
			return i * 64 + (guint)__builtin_ctzll(bits);
	}
	return 256;
}

/* The last member; -1: there is none. */
static inline int weft_byte_set_last(const WeftByteSet *set)
{
	for (int i = 3; i >= 0; i--)
		if (set->bits[i])
			return i * 64 + 63 - __builtin_clzll(set->bits[i]);
	return -1;
}

#endif
