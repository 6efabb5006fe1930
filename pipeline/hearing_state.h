/* hearing_state.h - private to hearing: what is held of a recording, and its state as bytes.
 *
 * weft_hearing_save (hearing.h) writes what a later run needs to go on from here; what it reads back is
 * anybody's, and is checked against the recording.
 */
#ifndef WEFT_PIPELINE_HEARING_STATE_H
#define WEFT_PIPELINE_HEARING_STATE_H

#include "pipeline/hearing.h"
#include "pipeline/track_sound.h"

/* Contents have no place in what decode gives. */
#define WEFT_HEARING_NO_INDEX G_MAXUINT64

/* Of a track, or of a channel. */
typedef struct WeftHearingTrack {
	WeftTrackSound *sound;
	WeftTranscript *transcript; /* NULL: its channels have theirs */
	WeftTranscriptCounts before; /* of earlier runs */
	guint next_stretch; /* of `sound`, to be told */
	guint next_interval; /* of its sounding: the next speech that the transcript is not past */
	gboolean has_all, has_ended; /* no more sound comes; all of it was listened to */
	float *left; /* of two channels that are listened to as one: the right one comes next */
	gsize n_left;
	guint64 left_index;
} WeftHearingTrack;

typedef struct WeftHearingItem {
	WeftItem *item;
	guint64 index; /* in what decode gives */
	double time_s;
} WeftHearingItem;

/* Sound that a transcript may still need. */
typedef struct WeftHearingSound {
	guint64 index;
	const WeftHearingTrack *track;
	double end_s;
} WeftHearingSound;

struct WeftHearing {
	WeftEars *ears;
	guint64 document;
	guint64 key;
	GPtrArray *tracks; /* of WeftHearingTrack */
	GQueue waiting;    /* of WeftHearingItem, in order of time */
	GQueue needed;     /* of WeftHearingSound, in order of index */
	GHashTable *given; /* indices (guint64 *) behind the position of the last save */
	guint64 next_index;
	double last_s; /* time of what was taken last: nothing that comes begins before */
	GBytes *state; /* to go on from; NULL: from the start, or done */
	gboolean is_open, is_stopped;
};

/* NULL: it was not measured. */
WeftHearingTrack *weft_hearing_track(const WeftHearing *hearing, guint32 n, guint32 channel);
/* The item waits for the transcripts to come as far, behind what begins at the same time. */
void weft_hearing_wait(WeftHearing *hearing, WeftItem *take_item, guint64 index, double time_s);
/* What weft_hearing_save wrote. FALSE: it is nothing of this recording. */
gboolean weft_hearing_restore(WeftHearing *hearing, const guint8 *data, gsize size_bytes);

#endif
