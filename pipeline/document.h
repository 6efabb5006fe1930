/* document.h - what is known of one input before anything of it is decoded.
 *
 * Made by the source, completed by sniff, and moved from node to node in front of its parts until
 * the sink has written the record. It holds the document's place in the budget, so that wherever
 * it ends, written or dropped, the next document may enter.
 *
 * Several inputs that are one document together (members.h) are documents inside of one: that one has
 * neither file nor fault of its own, and goes in front of the parts of all; each member goes in front of
 * its own parts.
 */
#ifndef WEFT_PIPELINE_DOCUMENT_H
#define WEFT_PIPELINE_DOCUMENT_H

#include <glib.h>
#include <sys/stat.h>

#include "ingest/ingest.h"
#include "outputs/outputs.h"
#include "pipeline/budget.h"
#include "pipeline/fault.h"
#include "pipeline/sidecar.h"
#include "pipeline/walk.h"

typedef struct WeftDocument {
	guint64 number; /* in the order of inputs, from 0 */
	char *path;     /* bytes as the file system has them */
	gboolean has_status;
	struct stat status; /* as the source found it, then as it was opened */
	char *captions;        /* the name of those beside it, if it is a recording; or NULL */
	GPtrArray *recordings; /* char *: names of those that it may hold the captions of; or NULL */
	guint64 mark;          /* of what lies beside it (beside.h) */
	WeftFolder *folder; /* in which its name is opened; NULL: by its path, and later */
	int fd;             /* open from sniff to decode; -1 */
	WeftSniff sniff;
	char id[72];     /* "sha256:<64 hex>": of the record */
	char sha256[65]; /* of the content; "": it could not be read */
	char content_key[65]; /* of what is read: whatever is asked about it. Set by decode; "": it goes no
			       * further */
	char *captions_of;    /* the name of the recording; NULL: a document of its own */
	char *sidecar_path;   /* of the captions of a recording, with their hash; NULL: it has none */
	char sidecar_sha256[65]; /* "": they could not be read */
	WeftSidecar *sidecar; /* the same, from sniff to decode */
	GPtrArray *members;   /* WeftDocument; NULL: it is one input */
	guint32 n_members;    /* of these, with a number */
	guint32 member;       /* its number among those of its document; 0: none */
	char *name;           /* of a member with a number; else NULL */
	char *sidecar_name;   /* of its captions, in the same way */
	guint64 size_bytes;
	gboolean is_skipped;  /* a type that weft does not read, an empty file */
	gboolean is_inventory; /* a look before anything is asked: ends in decode (inventory.h) */
	gboolean is_copy;     /* its content has a record already, or is on its way to one */
	gboolean is_known;    /* is_copy: the record is from an earlier run */
	gboolean is_left;     /* not finished before the run stopped: it has no record yet */
	gboolean is_elsewhere; /* is_copy: another run is at work on it */
	gboolean has_before;  /* it has a record, which is made again */
	WeftKnown before;     /* what that said */
	WeftPartFault *fault; /* why it goes no further, or NULL */
	guint64 begin_ns;     /* when the source sent it */
	WeftBudget *place;    /* left when the document is freed */
} WeftDocument;

/* Takes a place that was entered before. */
WeftDocument *weft_document_new(guint64 number, const char *path, WeftBudget *take_place);
void weft_document_free(WeftDocument *document);

/* The id, from the content's hash, with that of its captions, or from the path when there is none: in a
 * job of this fingerprint. */
void weft_document_id(const WeftDocument *document, const char *fingerprint, char ret_id[72]);
/* Sets it. */
void weft_document_name(WeftDocument *document, const char *fingerprint);

/* What the catalogue knows its file by (beside.h). It has a status. */
struct stat weft_document_row_status(const WeftDocument *document);

/* TRUE when an open file is not what it was: by size, and by both times, as the time of the last
 * change of the bytes can be set back, that of the last change of anything can not. */
gboolean weft_document_has_changed(const struct stat *before, int fd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftDocument, weft_document_free)

#endif
