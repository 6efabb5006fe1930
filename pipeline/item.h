/* item.h - what runs through the channels.
 *
 * Everything of one document comes in one order, whatever runs beside it:
 *
 *     BEGIN   (PART | FAULT | WINDOW | ANSWER)*   END
 *
 * and, where several files are one document together (members.h), for each file in between
 *
 *     MEMBER   (PART | FAULT | WINDOW | ANSWER)*   MEMBER_END
 *
 * A node passes on what is not for it. Nodes turn one kind into another: decode makes PARTs,
 * read puts content beside a picture, window makes WINDOWs beside the content that it passes on,
 * fuse makes a REQUEST of a WINDOW, generate a PENDING of a REQUEST, collect an ANSWER of a
 * PENDING, merge one ANSWER of many, record a RECORD of all. In a run with a guard the window stays
 * with what becomes of it, up to the guard, which makes REQUESTs of it and of its answer; verdict
 * makes a VERDICT of each. Rounds ahead of the answer keep the window, too: match and type make a TYPE
 * of the first, divide makes other WINDOWs of all.
 */
#ifndef WEFT_PIPELINE_ITEM_H
#define WEFT_PIPELINE_ITEM_H

#include <glib.h>

#include "encoders/sequence.h"
#include "ingest/part.h"
#include "model/answer.h"
#include "outputs/record.h"
#include "pipeline/batcher.h"
#include "pipeline/document.h"
#include "pipeline/estimate.h"
#include "pipeline/fault.h"
#include "pipeline/ledger.h"
#include "pipeline/journal.h"
#include "pipeline/node.h"
#include "pipeline/window.h"

typedef enum {
	WEFT_ITEM_BEGIN,   /* begin */
	WEFT_ITEM_MEMBER,  /* begin: the member; journal: of what is read of it */
	WEFT_ITEM_MEMBER_END, /* is_whole, ledgers, heard: of the member */
	WEFT_ITEM_PART,    /* part */
	WEFT_ITEM_FAULT,   /* fault */
	WEFT_ITEM_WINDOW,  /* window */
	WEFT_ITEM_REQUEST, /* sequence; part, when it reads a picture; check, of a guard's round */
	WEFT_ITEM_PENDING, /* pending; the others likewise */
	WEFT_ITEM_ANSWER,  /* answer; json NULL: only its tokens count. withheld, after merge */
	WEFT_ITEM_VERDICT, /* verdict, check, n_windows */
	WEFT_ITEM_SOUNDING, /* bytes: track (u32), what the first pass measured (encoders/sounding.h) */
	WEFT_ITEM_HEARING, /* bytes: how far Whisper has listened (hearing.h), of the MARK behind it */
	WEFT_ITEM_MARK,    /* position: all before it was read, decode would go on there; for window */
	WEFT_ITEM_TYPE,    /* type, chosen: ahead of the document's first window */
	WEFT_ITEM_END,     /* n_windows, n_windows_skipped, is_whole, ledgers, journals */
	WEFT_ITEM_RECORD,  /* begin, record (NULL: a copy), ledgers, journals */
} WeftItemKind;

/* What became of a picture on its way. */
typedef enum {
	WEFT_PICTURE_UNREAD,
	WEFT_PICTURE_READ,    /* its text stands before it, or it has none */
	WEFT_PICTURE_FAULTED, /* a reader could not: the fault stands before it */
} WeftPictureState;

/* What was asked: the window is gone before its answer is there. */
typedef struct WeftAsked {
	char key[WEFT_JOURNAL_KEY_DIGITS + 1]; /* of the document's answers in this round */
	gboolean has_journal;   /* there are answers of an earlier run */
	guint32 number;         /* of the window */
	char digest[65];        /* of all that the window holds */
	gboolean has_done;      /* as the window has it */
	WeftAnchor done;
} WeftAsked;

/* What listening to a recording took, in this run. */
typedef struct WeftHeardCounts {
	gboolean is_heard; /* Whisper has listened to it, in this run or an earlier one */
	guint64 n_windows, n_encodes, n_searches; /* encoders/transcript.h */
	double skipped_s; /* nobody speaks there: Whisper was not asked */
	gsize n_terms_left_out;
} WeftHeardCounts;

/* Of several files. */
void weft_heard_add(WeftHeardCounts *heard, const WeftHeardCounts *more);

/* Owns whatever pointers are set. */
typedef struct WeftItem {
	WeftItemKind kind;
	guint64 document; /* its number */
	WeftDocument *begin;     /* BEGIN, MEMBER, RECORD */
	WeftPart *part;
	WeftPictureState picture; /* PART, REQUEST, PENDING with a picture */
	WeftPartFault *fault;
	WeftWindow *window;
	guint32 window_number;   /* REQUEST, PENDING, ANSWER: of the document's windows, from 1; 0: of none
				  * or of many */
	guint32 element;         /* REQUEST, PENDING, ANSWER: of a file with many documents the one that it is
				  * of, from 1; 0: not such a file */
	guint type;              /* TYPE, REQUEST: of the task's types, from 1; 0: of none */
	WeftTypeFacts *chosen;   /* TYPE */
	GArray *elements;        /* ANSWER, after merge, of a file with many documents: guint32, of which one
				  * each item is */
	WeftSequence *sequence;
	WeftPending *pending;
	WeftAnswer *answer;
	GPtrArray *withheld; /* char *: pointers */
	WeftVerdict *verdict;
	WeftCheck check;
	WeftRecord *record;
	WeftLedgers ledgers; /* END: what was announced and did not come; RECORD: where all that came in
			      * of the document has gone */
	guint32 n_windows, n_windows_skipped;
	GArray *windows;         /* END: WeftWindowFacts; NULL: nothing was asked */
	guint64 unheard_ms;      /* END: sound that was given on and that nobody has heard the words of; not
				  * of files with captions */
	gboolean is_replayed;    /* it stands in the journal already; END: so does all before it */
	gboolean is_whole;       /* END: the document was read to its end */
	guint64 position;        /* MARK */
	GBytes *bytes;           /* SOUNDING, HEARING */
	WeftJournal *journal;    /* BEGIN, MEMBER, from decode to window; END, RECORD, to the sink: of what was
				  * read */
	WeftAsked *asked;        /* REQUEST, PENDING of a window, when answers are kept */
	GPtrArray *answers;      /* END, RECORD: WeftJournal, of rounds that are over; or NULL */
	WeftHeardCounts heard;      /* END */
	WeftEstimateCounts reading; /* END in a dry run: pictures that would have been read */
} WeftItem;

extern const WeftItemClass weft_item_class;

WeftItem *weft_item_new(WeftItemKind kind, guint64 document);
void weft_item_free(WeftItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftItem, weft_item_free)

/* Sends one item; FALSE as weft_runner_send. Take what they are given. */
bool weft_item_send_part(WeftRunner *runner, guint64 document, WeftPart *take_part);
bool weft_item_send_content(WeftRunner *runner, guint64 document, WeftContent *take_content);
bool weft_item_send_fault(WeftRunner *runner, guint64 document, const char *stage,
                          GError *take_error, const WeftAnchor *at);
/* The run is stopping (stop.h): something of the document is not begun any more. */
bool weft_item_send_stop(WeftRunner *runner, guint64 document);
/* TRUE: the document is left for the next run. */
bool weft_item_is_stop(const WeftItem *item);
bool weft_item_send_answer(WeftRunner *runner, guint64 document, WeftAnswer *take_answer);

/* What a step answers after a send. */
static inline WeftStep weft_step_after(bool is_sent)
{
	return is_sent ? WEFT_STEP_MORE : WEFT_STEP_END;
}

#endif
