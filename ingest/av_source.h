/* av_source.h - private: a container of sound and video, opened with every door shut.
 *
 * FFmpeg sees one descriptor and nothing else: its protocols are closed, opening another file is
 * refused, and only formats that hold their own data are accepted. Playlists and descriptions that
 * point elsewhere (HLS, DASH, concat, SDP and their like) are unsupported, whatever they point to.
 *
 * Presentation timestamps are the only clock. Time 0 is the container's own zero where the format
 * defines one (MP4, Matroska), and the first timestamp where it does not (MPEG streams, bare
 * audio). A track that starts late starts late in its anchors.
 */
#ifndef WEFT_INGEST_AV_SOURCE_H
#define WEFT_INGEST_AV_SOURCE_H

#include <glib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "ingest/container_size.h"
#include "ingest/decoder.h"

typedef struct WeftAvSource {
	AVFormatContext *format;
	AVIOContext *io;
	int fd;
	guint64 size_bytes;
	guint64 position;
	WeftContainerSize stated;
	double origin_s;      /* what is taken from each timestamp */
} WeftAvSource;

WeftAvSource *weft_av_source_open(const WeftDecodeJob *job, GError **error);
void weft_av_source_close(WeftAvSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAvSource, weft_av_source_close)

/* Seconds on the clock of the anchors; NAN for AV_NOPTS_VALUE. */
double weft_av_time_s(const WeftAvSource *source, const AVStream *stream, int64_t timestamp);

/* Sets `error` from one of FFmpeg's numbers; the message is "<what>: <FFmpeg's words>". */
void weft_av_set_error(GError **error, int number, const char *what);

/* An opened decoder of one stream: one thread, bounded frames. */
AVCodecContext *weft_av_decoder_open(const AVStream *stream, GError **error);

/* What could not be decoded, gathered into one fault for a track. */
typedef struct WeftAvTrouble {
	guint64 n;
	guint n_in_a_row;
	double first_s, last_s;
	int number;
} WeftAvTrouble;

void weft_av_trouble_add(WeftAvTrouble *trouble, double time_s, int number);
/* A fault, or NULL when there was no trouble. */
WeftPart *weft_av_trouble_part(const WeftAvTrouble *trouble, guint32 track, const char *kind);

#endif
