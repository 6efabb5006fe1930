/* fingerprint.h - private: what a job would say about a document, as one hash.
 *
 * The id of a record is the hash of the content's hash and of the job's fingerprint, so everything
 * that decides what a record says stands in the fingerprint: task, schema, model, adapter, seed and
 * the like, and an epoch. Not in it: threads, memory, paths, and the versions of decoders. Those
 * stand in the record's `run` and in the catalogue, so that a new version of a library redoes
 * nothing by itself: `--upgrade` redoes, under the same id, what other decoders made.
 */
#ifndef WEFT_PIPELINE_FINGERPRINT_H
#define WEFT_PIPELINE_FINGERPRINT_H

#include "pipeline/run.h"

/* Raised when the same input and the same job give another record than a released weft has written;
 * all records then get new ids, and are made anew. For that it takes another answer, text, place or
 * number in the records of documents that were read whole. Not for a field that is added, nor for what
 * records of failures say: those are tried again with --upgrade. There was no release yet, so it is 1
 * for all that came so far. What changes only how a document is read, not which question is asked,
 * raises READING_EPOCH (decode_flow.c) as well, at once: that costs reading once more, and no ids. */
#define WEFT_FINGERPRINT_EPOCH 1

/* 64 hex digits and NUL. The run has its task, its engines and its reader. */
void weft_fingerprint_job(const WeftRun *run, char ret_hex[65]);

/* The same job as a weft before the first epoch had it, with the decoders that are there now. A record
 * of that fingerprint is adopted, not made again (outputs.h): the first epoch made no difference to
 * documents that were read whole. Goes when the epoch is raised. */
void weft_fingerprint_before(const WeftRun *run, char ret_hex[65]);

#endif
