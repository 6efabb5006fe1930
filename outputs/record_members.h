/* record_members.h - private: members of objects, as all that write records spell them. */
#ifndef WEFT_OUTPUTS_RECORD_MEMBERS_H
#define WEFT_OUTPUTS_RECORD_MEMBERS_H

#include "base/json.h"

/* Decimals: a hundredth of a point or pixel, a millisecond, a ten-thousandth of certainty. */
#define BOX_DECIMALS 2
#define TIME_DECIMALS 3
#define SHARE_DECIMALS 4

static inline void write_member(WeftJsonWriter *w, const char *key, const char *value)
{
	weft_json_write_key(w, key);
	weft_json_write_string(w, value);
}

static inline void write_count(WeftJsonWriter *w, const char *key, guint64 value)
{
	weft_json_write_key(w, key);
	weft_json_write_uint(w, value);
}

static inline void write_rounded(WeftJsonWriter *w, const char *key, double value, guint n_decimals)
{
	weft_json_write_key(w, key);
	(void)weft_json_write_rounded(w, value, n_decimals); /* null when it is not finite */
}

/* Of several that are one together. */
static inline void write_document_number(WeftJsonWriter *w, guint32 document)
{
	if (document > 0)
		write_count(w, "document", document);
}

#endif
