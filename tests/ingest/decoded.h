/* decoded.h - a document decoded by the helper programs, all parts kept, for tests. */
#ifndef WEFT_TESTS_INGEST_DECODED_H
#define WEFT_TESTS_INGEST_DECODED_H

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/ingest.h"

typedef struct Decoded {
	WeftSniff sniff;
	GPtrArray *parts; /* of WeftPart */
	GError *error;    /* with which the document ended, or NULL */
} Decoded;

static inline void decoded_done(Decoded *decoded)
{
	g_clear_pointer(&decoded->parts, g_ptr_array_unref);
	g_clear_error(&decoded->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Decoded, decoded_done)

static inline Decoded decode_fd(WeftIngest *ingest, int fd, const WeftDecodeOptions *options)
{
	Decoded decoded = {.parts = g_ptr_array_new_with_free_func((GDestroyNotify)weft_part_free)};
	WeftPart *part = NULL;
	g_assert_true(weft_sniff(fd, &decoded.sniff, &decoded.error));
	g_autoptr(WeftDecoding) decoding =
	    weft_ingest_decode(ingest, &decoded.sniff, fd, "document", options, &decoded.error);
	while (decoding && weft_decoding_next(decoding, &part, &decoded.error) && part) {
		g_ptr_array_add(decoded.parts, part);
		part = NULL;
	}
	return decoded;
}

static inline Decoded decode_file(WeftIngest *ingest, const char *name,
                                  const WeftDecodeOptions *options)
{
	g_autofree char *path = g_build_filename(WEFT_TEST_DATA, name, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	Decoded decoded = decode_fd(ingest, fd, options);
	close(fd);
	return decoded;
}

/* A file in memory with these bytes. */
static inline int file_of(const void *bytes, gsize size)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, bytes, size), ==, (gssize)size);
	return fd;
}

static inline const WeftPart *part_of_kind(const Decoded *decoded, WeftPartKind kind, guint nth)
{
	for (guint i = 0; i < decoded->parts->len; i++) {
		const WeftPart *part = g_ptr_array_index(decoded->parts, i);
		if (part->kind == kind && nth-- == 0)
			return part;
	}
	return NULL;
}

static inline const char *meta_of(const Decoded *decoded, const char *key)
{
	for (guint i = 0; i < decoded->parts->len; i++) {
		const WeftPart *part = g_ptr_array_index(decoded->parts, i);
		if (part->kind == WEFT_PART_META && strcmp(part->key, key) == 0)
			return part->value;
	}
	return NULL;
}

/* The n-th content whose text has `needle` in it, or NULL. */
static inline const WeftContent *content_with(const Decoded *decoded, const char *needle)
{
	for (guint i = 0; i < decoded->parts->len; i++) {
		const WeftPart *part = g_ptr_array_index(decoded->parts, i);
		if (part->content && part->content->text && strstr(part->content->text, needle))
			return part->content;
	}
	return NULL;
}

#endif
