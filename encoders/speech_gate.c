#include "encoders/speech_gate.h"

#include <math.h>

#include "encoders/segments.h"

/* In frames. */
#define REST_MIN 20
#define SILENCE_MIN 100
#define MARGIN 50
#define NEAR_S 0.25

static gsize frame_of(double time_s)
{
	return time_s > 0 ? (gsize)MIN(floor(time_s * WEFT_FRAMES_PER_S), 1e15) : 0;
}

gboolean weft_speech_gate_next(const WeftSpeechGate *gate, gsize seek, gsize n_frames,
			       gsize *ret_seek)
{
	if (gate->is_open) {
		*ret_seek = seek;
		return TRUE;
	}
	for (gsize i = 0; i < gate->n_speech; i++) {
		gsize begin = frame_of(gate->speech[i].time[0]);
		gsize end = frame_of(gate->speech[i].time[1]) + 1;
		gboolean is_rest = begin < seek && end < seek + REST_MIN && end < n_frames;

		if (end <= seek || is_rest)
			continue;
		*ret_seek = MAX(begin, seek);
		return TRUE;
	}
	return FALSE;
}

gsize weft_speech_gate_window(const WeftSpeechGate *gate, gsize seek, gsize n_frames)
{
	gsize last = seek;

	if (gate->is_open)
		return n_frames;
	for (gsize i = 0; i < gate->n_speech; i++)
		if (frame_of(gate->speech[i].time[0]) < seek + n_frames)
			last = frame_of(gate->speech[i].time[1]) + 1;
	if (last <= seek || seek + n_frames < last + SILENCE_MIN)
		return n_frames;
	return last - seek + MARGIN;
}

gboolean weft_speech_gate_hears(const WeftSpeechGate *gate, const double time[2])
{
	if (gate->is_open)
		return TRUE;
	for (gsize i = 0; i < gate->n_speech; i++)
		if (gate->speech[i].time[0] < time[1] + NEAR_S &&
		    gate->speech[i].time[1] > time[0] - NEAR_S)
			return TRUE;
	return FALSE;
}
