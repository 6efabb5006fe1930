/* outputs_private.h - what the files of outputs/ know of an output folder. */
#ifndef WEFT_OUTPUTS_OUTPUTS_PRIVATE_H
#define WEFT_OUTPUTS_OUTPUTS_PRIVATE_H

#include "base/files.h"
#include "outputs/catalog.h"
#include "outputs/outputs.h"

struct WeftOutputs {
	char *folder;          /* OUT */
	char *records;         /* OUT/records */
	WeftLock *lock;        /* NULL when opened to read only */
	WeftCatalog *catalog;  /* NULL when opened to read only and there is none */
};

#endif
