/* members.h - private: several inputs that are one document together (--together).
 *
 * The source puts all inputs into one document, each as a member, in the bytewise order of paths; the
 * members are opened, hashed and decoded like documents of their own, one after the other. Those that
 * are read are numbered from 1. Captions of another member go with that one, and a file of the same
 * bytes as one before it (with the same captions) is read once: both have no number, and only their
 * paths stand in the record.
 *
 * A member's name is its path from the folder on that all numbered ones lie in: what is asked about the
 * document names it so, and the document is the same wherever that folder lies. The document's hash is
 * SHA-256 over a line for each, with the hash of its content; an empty one where that could not be read.
 */
#ifndef WEFT_PIPELINE_MEMBERS_H
#define WEFT_PIPELINE_MEMBERS_H

#include "pipeline/document.h"
#include "pipeline/pipeline.h"
#include "pipeline/task.h"

/* A folder for each may be open; and a document is one in memory. */
#define WEFT_MEMBERS_MAX 1000

/* WEFT_ERROR_USAGE: the job asks for what has no meaning where all inputs are one document. */
gboolean weft_members_check(const WeftJob *job, const WeftTask *task, GError **error);

/* In the order of paths. */
void weft_members_sort(GPtrArray *members);
/* Their content is known: numbers and names them, and fills what the document has of its content. */
void weft_members_settle(WeftDocument *document);
/* Adds all that decides what the record will say of them, but the job: paths where there is no content. */
void weft_members_hash(const WeftDocument *document, GChecksum *sum);

/* Takes those that have a number out of the document, in their order; they come back one by one. */
GPtrArray *weft_members_take(WeftDocument *document);
/* Of the keys of what was read of each, with the names. */
void weft_members_content_key(const GPtrArray *members, char ret_key[65]);

/* What a request says in front of what is of a member: "[document 2: NAME]", whatever the name, which is
 * bytes: on one line, without brackets of its own, shortened where it is long. NULL: without it. */
char *weft_member_heading(guint32 n, const char *name);

/* The member of this number that is in the document; NULL: none. */
const WeftDocument *weft_members_find(const WeftDocument *document, guint32 n);

#endif
