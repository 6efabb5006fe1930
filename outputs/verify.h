/* verify.h - part of the door of outputs: is an output folder what it was written to be, and are the
 * documents still those that it speaks of?
 *
 * Step by step, a record at each: the file has the checksum that manifest.sha256 and the catalogue
 * give it, is a record as outputs/record.schema.json says, has the id of its name; its answer fits the schema
 * that the job asked with, where that is kept (kept_job.h); its status fits
 * its errors, its ledger adds up, its evidence quotes its contents; and at each of its paths lies a
 * file with the bytes that it was made from, beside a recording its captions. Records that the manifest lists and that are not there
 * are found on the way, and so is what lies among them and is none. Nothing is written and no lock is
 * held: what a run writes meanwhile is newer than the manifest and counted as that; while a run is at
 * work, it is not compared with the catalogue, whose rows come after the files.
 *
 * What is wrong is a finding: one line for people, "where: what; what to do".
 */
#ifndef WEFT_OUTPUTS_VERIFY_H
#define WEFT_OUTPUTS_VERIFY_H

#include <glib.h>

struct WeftOutputs;

typedef struct WeftVerify WeftVerify;

typedef struct WeftVerifyCounts {
	guint64 n_records;      /* looked at */
	guint64 n_sources;      /* files whose bytes are those of their record */
	guint64 n_gone;         /* paths that the catalogue has marked gone */
	guint64 n_newer;        /* records that manifest.sha256 does not list yet */
	guint64 n_findings;
	guint64 n_all;          /* records to look at, as far as is known beforehand */
} WeftVerifyCounts;

/* Borrows outputs. `has_sources` FALSE: documents are not opened. */
WeftVerify *weft_verify_new(struct WeftOutputs *outputs, gboolean has_sources, GError **error);
void weft_verify_free(WeftVerify *verify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVerify, weft_verify_free)

/* Looks at the next record. *ret_is_end: there was none. FALSE: the folder can't be read. */
gboolean weft_verify_step(WeftVerify *verify, gboolean *ret_is_end, GError **error);

/* The next finding of the steps so far, or NULL; caller frees. Harmless to print. */
char *weft_verify_next_finding(WeftVerify *verify);

WeftVerifyCounts weft_verify_counts(const WeftVerify *verify);

#endif
