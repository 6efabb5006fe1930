/* content.h - what was read.
 *
 * One item of content is one piece of a document as text: a block of a PDF page, what a reader saw
 * in a picture, a stretch of speech, or the plain statement that a page is blank or a stretch
 * silent. Ingest makes it from text that stands in the file, encoders and readers make it from
 * pixels and sound. Records and requests are made of it. Immutable once it left its room.
 */
#ifndef WEFT_BASE_CONTENT_H
#define WEFT_BASE_CONTENT_H

#include <glib.h>

#include "base/anchor.h"
#include "base/spill.h"

typedef enum {
	WEFT_CONTENT_TEXT,
	WEFT_CONTENT_TABLE,
	WEFT_CONTENT_IMAGE,   /* a picture; text is what was read in it, or NULL when nothing read it */
	WEFT_CONTENT_SPEECH,  /* text is NULL when it was found but nothing could read it */
	WEFT_CONTENT_FRAME,   /* a video frame */
	WEFT_CONTENT_BLANK,   /* a page without ink, a uniform picture */
	WEFT_CONTENT_SILENCE, /* a stretch without energy */
	WEFT_CONTENT_SOUND,   /* a stretch with energy in which nobody speaks: music, noise */
} WeftContentKind;

typedef enum {
	WEFT_BY_FILE,      /* the file states it */
	WEFT_BY_OCR_LAYER, /* invisible text that lies over ink */
	WEFT_BY_BUNDLE,
	WEFT_BY_TESSERACT,
	WEFT_BY_WHISPER,
	WEFT_BY_SIDECAR,
} WeftBy;

/* A word or line inside an item: code points [char_first, char_end) of the item's text lie at
 * `at`. Boxes of ranges are found through these. */
typedef struct WeftWord {
	guint32 char_first, char_end;
	WeftAnchor at;
	float confidence; /* 0..1; negative: not known */
} WeftWord;

typedef struct WeftContent {
	WeftContentKind kind;
	WeftBy by;
	char *text;         /* valid UTF-8 without NUL, or NULL */
	GArray *anchors;    /* of WeftAnchor, at least one */
	GArray *words;      /* of WeftWord in order of char_first, or NULL */
	guint8 *packed;     /* in place of `words` after weft_content_pack, or NULL */
	guint n_packed;     /* words in it */
	double confidence;  /* 0..1; negative: not known */
	char *speaker;      /* or NULL */
	gboolean hidden;    /* text that the page does not show, or speech that is not believed: kept
	                     * apart in the record */
	char *reason;       /* why it is not believed: "repetition"; or NULL */
	gboolean is_spilled; /* `text` and `packed` lie in a spill */
} WeftContent;

/* Takes `text` (may be NULL); one anchor to begin with. Confidence is unknown. */
WeftContent *weft_content_new(WeftContentKind kind, WeftBy by, char *take_text, WeftAnchor at);
WeftContent *weft_content_copy(const WeftContent *content);
void weft_content_free(WeftContent *content);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftContent, weft_content_free)

/* Appends a word; words come in order and do not overlap. */
void weft_content_add_word(WeftContent *content, WeftWord word);

/* Puts the words into about a quarter of the memory, for content that waits. None may be added any
 * more, and they are read with weft_word_next. */
void weft_content_pack(WeftContent *content);
/* Bytes of text and packed words; and puts both into the spill, which has to outlive the content. On
 * failure nothing has changed. */
gsize weft_content_bytes(const WeftContent *content);
gboolean weft_content_spill(WeftContent *content, WeftSpill *spill, GError **error);
void weft_content_drop_words(WeftContent *content);
guint weft_content_n_words(const WeftContent *content);

/* Reads the words in order, packed or not. */
typedef struct WeftWordReader {
	const WeftContent *content;
	const guint8 *at; /* in the packed words */
	guint n_read;
	WeftWord last;
} WeftWordReader;
WeftWordReader weft_content_words(const WeftContent *content);
/* FALSE: that was the last one. */
gboolean weft_word_next(WeftWordReader *reader, WeftWord *ret_word);

/* Its anchors are of this document (anchor.h). Those of its words say nothing of it. */
void weft_content_set_document(WeftContent *content, guint32 document);

/* The anchor of code points [char_first, char_end): union of its words, or the item's first anchor
 * when it has no words there; of the document that the first anchor names. */
WeftAnchor weft_content_anchor_of(const WeftContent *content, guint32 char_first, guint32 char_end);

/* The boxes of code points [char_first, char_end), one for each line of text that they stand on (four
 * doubles each, as in an anchor): what the union of them has beside them is not meant. NULL: on one line, or
 * without boxes, or not all on one page. Caller frees. */
GArray *weft_content_boxes_of(const WeftContent *content, guint32 char_first, guint32 char_end);

/* How sure the reader was of code points [char_first, char_end): the mean of its words there, else what is
 * known of the whole item; 1 for text that stands in the file, and where nothing is known. */
double weft_content_confidence_of(const WeftContent *content, guint32 char_first, guint32 char_end);

/* About how many bytes of a record it becomes; what the limit of a document's output counts. It
 * depends on what is said alone, not on how it lies in memory. */
gsize weft_content_output_bytes(const WeftContent *content);

/* The spellings of the record. */
const char *weft_content_kind_name(WeftContentKind kind);
const char *weft_by_name(WeftBy by);

#endif
