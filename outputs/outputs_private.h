/* outputs_private.h - what the files of outputs/ know of an output folder, and of a written record. */
#ifndef WEFT_OUTPUTS_OUTPUTS_PRIVATE_H
#define WEFT_OUTPUTS_OUTPUTS_PRIVATE_H

#include "base/files.h"
#include "base/json.h"
#include "outputs/catalog.h"
#include "outputs/outputs.h"

/* Digits of an id, behind "sha256:". */
#define WEFT_HEX_BYTES 64

struct WeftOutputs {
	char *folder;          /* OUT */
	char *records;         /* OUT/records */
	char *database;        /* STATE/catalog.db */
	char *note;            /* what opening has to say, or NULL */
	WeftLock *lock;        /* NULL when opened to read only */
	WeftCatalog *catalog;  /* NULL when opened to read only and there is none */
};

/* Names of record files in one of the 256 folders that begin with `prefix`, sorted; an empty list
 * when there is no such folder. */
GPtrArray *weft_outputs_names(const WeftOutputs *outputs, const char *folder_name,
			      const char *prefix, GError **error);

/* Reads a record file back and checks that it is whole and the record of that id; `ret_sha256`, of
 * the file, may be NULL. WEFT_ERROR_IO when the disk does not give it, else it is damaged. */
WeftJson *weft_record_read(const char *file, const char *id, char ret_sha256[65], GError **error);

/* What its row says of a written record, but for the file's checksum and stat(2); borrows from
 * `record` and `ret_known`. FALSE: a record without status. */
gboolean weft_record_row(const WeftJson *record, const char *id, WeftKnown *ret_known,
			 WeftCatalogRecord *ret_row);

#endif
