#include "bundle/weights_error.h"

#include "base/error.h"

gboolean weft_weights_error(GError **error, const char *file, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s: %s", file, what);
	return FALSE;
}
