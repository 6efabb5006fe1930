/* format.h - what a format allows, said with patterns; private to schema/. */
#ifndef WEFT_SCHEMA_FORMAT_H
#define WEFT_SCHEMA_FORMAT_H

#include <glib.h>

#define WEFT_FORMAT_PATTERNS_MAX 2

typedef struct WeftFormat {
	const char *name;
	const char *patterns[WEFT_FORMAT_PATTERNS_MAX]; /* all of them hold; the second may be NULL */
	guint32 length_max;
} WeftFormat;

/* NULL when there is none of that name. */
const WeftFormat *weft_format_find(const char *name);

#endif
