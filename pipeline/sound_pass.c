#include "pipeline/sound_pass.h"

#include "base/error.h"

typedef struct Measured {
	guint32 track;
	WeftSounder *sounder;
} Measured;

static void measured_free(void *data)
{
	Measured *measured = data;

	weft_sounder_free(measured->sounder);
	g_free(measured);
}

/* Of the part's track, made with its first sound. */
static WeftSounder *sounder_of(WeftEars *ears, GPtrArray *tracks, guint32 track, GError **error)
{
	Measured *measured;

	for (guint i = 0; i < tracks->len; i++) {
		measured = g_ptr_array_index(tracks, i);
		if (measured->track == track)
			return measured->sounder;
	}
	measured = g_new0(Measured, 1);
	measured->track = track;
	measured->sounder = weft_ears_sound(ears, error);
	g_ptr_array_add(tracks, measured);
	return measured->sounder;
}

static bool send_soundings(WeftDecodeFlow *flow, const GPtrArray *tracks)
{
	bool is_sent = true;

	for (guint i = 0; i < tracks->len && is_sent; i++) {
		const Measured *measured = g_ptr_array_index(tracks, i);
		guint32 track = GUINT32_TO_LE(measured->track);
		g_autoptr(WeftSounding) sounding = weft_sounder_end(measured->sounder);
		g_autoptr(GBytes) bytes = weft_sounding_to_bytes(sounding);
		g_autoptr(GByteArray) both = g_byte_array_new();
		WeftItem *item = weft_item_new(WEFT_ITEM_SOUNDING, flow->number);

		g_byte_array_append(both, (const guint8 *)&track, sizeof track);
		g_byte_array_append(both, g_bytes_get_data(bytes, NULL), (guint)g_bytes_get_size(bytes));
		item->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&both));
		is_sent = weft_runner_send(flow->runner, item);
		flow->is_heard = TRUE;
	}
	return is_sent && weft_decode_flow_mark(flow, WEFT_POSITION_MEASURED);
}

/* FALSE: it failed, or *ret_is_cut: the run is to end. */
static gboolean measure(WeftDecodeFlow *flow, GPtrArray *tracks, gboolean *ret_has_captions,
			gboolean *ret_is_cut, GError **error)
{
	WeftDecodeOptions options = *flow->options;
	g_autoptr(WeftDecoding) decoding = NULL;
	WeftPart *next = NULL;

	options.want_rasters = FALSE;
	options.want_pcm = options.want_silence = TRUE;
	decoding = weft_ingest_decode(flow->run->ingest, &flow->sniff, flow->fd, NULL, &options, error);
	if (decoding == NULL)
		return FALSE;
	while (!*ret_has_captions && weft_decoding_next(decoding, &next, error) && next != NULL) {
		g_autoptr(WeftPart) part = next;
		WeftSounder *sounder;

		*ret_is_cut = weft_runner_is_cancelled(flow->runner) ||
			      weft_stop_is_asked(flow->run->stop);
		if (*ret_is_cut)
			return FALSE;
		*ret_has_captions = part->content != NULL && part->content->text != NULL;
		if (part->kind != WEFT_PART_PCM)
			continue;
		sounder = sounder_of(flow->run->ears, tracks, part->anchor.track, error);
		if (sounder == NULL)
			return FALSE;
		weft_sounder_push(sounder, part->pcm.samples, part->pcm.n_samples,
				  part->anchor.time[0]);
	}
	return *error == NULL;
}

bool weft_sound_pass(WeftDecodeFlow *flow, GError **error)
{
	g_autoptr(GPtrArray) tracks = g_ptr_array_new_with_free_func(measured_free);
	gboolean has_captions = FALSE, is_cut = FALSE;
	GError *failure = NULL;

	if (!measure(flow, tracks, &has_captions, &is_cut, &failure) && is_cut)
		return weft_item_send_stop(flow->runner, flow->number);
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE) ||
	    (failure != NULL && tracks->len > 0 &&
	     ((Measured *)g_ptr_array_index(tracks, tracks->len - 1))->sounder == NULL)) {
		g_propagate_error(error, failure);
		return false;
	}
	g_clear_error(&failure);
	return has_captions || send_soundings(flow, tracks);
}
