/* error.h - the one error domain, and the one list of codes.
 *
 * A code is what a program acts upon; the message is for people and names the thing and the
 * numbers. The names of the codes (weft_error_code_name) are the `code` of a record's errors, so
 * they are part of the output format: they are added to, never renamed.
 */
#ifndef WEFT_BASE_ERROR_H
#define WEFT_BASE_ERROR_H

#include <glib.h>

#define WEFT_ERROR (weft_error_quark())

typedef enum {
	WEFT_ERROR_IO,           /* the operating system refused; the message has its words */
	WEFT_ERROR_CORRUPT,      /* the bytes are not what their format promises */
	WEFT_ERROR_TRUNCATED,    /* the file ends before its content does */
	WEFT_ERROR_UNSUPPORTED,  /* well formed, but a thing that weft does not read */
	WEFT_ERROR_ENCRYPTED,    /* needs a password that was not given */
	WEFT_ERROR_EMPTY,        /* nothing in it */
	WEFT_ERROR_LIMIT,        /* larger than a limit; the message has both numbers */
	WEFT_ERROR_TIMEOUT,      /* took longer than its budget */
	WEFT_ERROR_CRASHED,      /* the decoder of this document ended by a signal */
	WEFT_ERROR_CHANGED,      /* the file changed while it was read */
	WEFT_ERROR_CONFIG,       /* model configuration or job: the message names the key */
	WEFT_ERROR_WEIGHTS,      /* model tensors: the message names the tensor */
	WEFT_ERROR_SCHEMA,       /* JSON Schema that cannot be guaranteed */
	WEFT_ERROR_CONTEXT,      /* does not fit the model's context; the message has the numbers */
	WEFT_ERROR_USAGE,        /* asked for in a wrong way */
	WEFT_ERROR_CANCELLED,    /* stopped on request */
	WEFT_ERROR_NOT_EXAMINED, /* left out by a rule that the message names */
	WEFT_ERROR_NO_READER,    /* nothing installed or loaded can read this kind of part */
	WEFT_ERROR_GONE,         /* a helper program has ended, or can't lock its workers down: no
	                          * document's doing, the run ends */
	WEFT_ERROR_INTERNAL,     /* a mistake of ours */
} WeftErrorCode;

GQuark weft_error_quark(void);

/* "io", "corrupt", ...: the spelling used in records. Never NULL. */
const char *weft_error_code_name(int code);

#endif
