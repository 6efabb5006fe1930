#include "base/error.h"

#include <errno.h>

static const char *const CODE_NAMES[] = {
	[WEFT_ERROR_IO] = "io",
	[WEFT_ERROR_CORRUPT] = "corrupt",
	[WEFT_ERROR_TRUNCATED] = "truncated",
	[WEFT_ERROR_UNSUPPORTED] = "unsupported",
	[WEFT_ERROR_ENCRYPTED] = "encrypted",
	[WEFT_ERROR_EMPTY] = "empty",
	[WEFT_ERROR_LIMIT] = "limit",
	[WEFT_ERROR_TIMEOUT] = "timeout",
	[WEFT_ERROR_CRASHED] = "crashed",
	[WEFT_ERROR_CHANGED] = "changed",
	[WEFT_ERROR_CONFIG] = "config",
	[WEFT_ERROR_WEIGHTS] = "weights",
	[WEFT_ERROR_SCHEMA] = "schema",
	[WEFT_ERROR_CONTEXT] = "context",
	[WEFT_ERROR_USAGE] = "usage",
	[WEFT_ERROR_CANCELLED] = "cancelled",
	[WEFT_ERROR_NOT_EXAMINED] = "not_examined",
	[WEFT_ERROR_NO_READER] = "no_reader",
	[WEFT_ERROR_GONE] = "gone",
	[WEFT_ERROR_INTERNAL] = "internal",
};

/* Written out because clang-format breaks G_DEFINE_QUARK's dashed name. GLib may wait for a lock here,
 * which changes errno, and errno is often an argument beside WEFT_ERROR. */
GQuark weft_error_quark(void)
{
	int number = errno;
	GQuark quark = g_quark_from_static_string("weft-error-quark");

	errno = number;
	return quark;
}

const char *weft_error_code_name(int code)
{
	if (code < 0 || code >= (int)G_N_ELEMENTS(CODE_NAMES))
		return "internal";
	return CODE_NAMES[code];
}
