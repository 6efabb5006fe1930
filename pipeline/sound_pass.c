#include "pipeline/sound_pass.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/track_sound.h"

typedef struct Measured {
	guint32 track, channel;
	WeftSounder *sounder;
	GArray *holes; /* of WeftStretch */
	double end_s;  /* of its sound so far */
	WeftTrackSound *sound; /* in the end */
} Measured;

typedef struct Fact {
	guint32 track;
	gboolean is_audio;
	char language[12];
	char *title; /* or NULL */
} Fact;

typedef struct Pass {
	WeftDecodeFlow *flow;
	GPtrArray *measured; /* Measured, by the time of their first sound */
	GArray *facts;       /* Fact */
	WeftPart *left;      /* whose right side comes next */
	gboolean measures_sides; /* of the tracks that are two-sided; else whole tracks */
	gboolean has_captions, is_cut;
	double measured_s, measuring_s; /* of the recording, as the run's progress has them */
	gboolean is_ours; /* what failed is none of the document's */
} Pass;

static void measured_free(void *data)
{
	Measured *measured = data;

	weft_sounder_free(measured->sounder);
	g_array_unref(measured->holes);
	weft_track_sound_free(measured->sound);
	g_free(measured);
}

static void fact_clear(void *data)
{
	g_free(((Fact *)data)->title);
}

static Measured *find(const Pass *pass, guint32 track, guint32 channel)
{
	for (guint i = 0; i < pass->measured->len; i++) {
		Measured *measured = g_ptr_array_index(pass->measured, i);

		if (measured->track == track && measured->channel == channel)
			return measured;
	}
	return NULL;
}

/* Made with its first sound. */
static Measured *measured_of(Pass *pass, guint32 track, guint32 channel, GError **error)
{
	Measured *measured = find(pass, track, channel);

	if (measured != NULL)
		return measured;
	measured = g_new0(Measured, 1);
	measured->track = track;
	measured->channel = channel;
	measured->holes = g_array_new(FALSE, FALSE, sizeof(WeftStretch));
	measured->sounder = weft_ears_sound(pass->flow->run->ears, error);
	g_ptr_array_add(pass->measured, measured);
	pass->is_ours = measured->sounder == NULL;
	return pass->is_ours ? NULL : measured;
}

/* ---- one pass ---- */

static Fact *fact_of(Pass *pass, guint32 track)
{
	Fact fact = {.track = track};

	for (guint i = 0; i < pass->facts->len; i++) {
		Fact *known = &g_array_index(pass->facts, Fact, i);

		if (known->track == track)
			return known;
	}
	g_array_append_val(pass->facts, fact);
	return &g_array_index(pass->facts, Fact, pass->facts->len - 1);
}

/* The title of a track comes as "track 2 title". */
static void note_fact(Pass *pass, const WeftPart *part)
{
	guint track;
	int end = 0;

	if (part->kind == WEFT_PART_TRACK) {
		Fact *fact = fact_of(pass, part->track.n);

		fact->is_audio = strcmp(part->track.kind, "audio") == 0;
		g_strlcpy(fact->language, part->track.language, sizeof fact->language);
	} else if (part->kind == WEFT_PART_META && part->key != NULL && part->value != NULL &&
		   sscanf(part->key, "track %9u title%n", &track, &end) == 1 && end > 0 &&
		   part->key[end] == '\0' && part->value[0] != '\0') {
		Fact *fact = fact_of(pass, track);

		g_free(fact->title);
		fact->title = g_utf8_substring(part->value, 0, MIN(g_utf8_strlen(part->value, -1), 80));
	}
}

static void note_hole(Measured *measured, const WeftAnchor *at)
{
	const WeftStretch hole = {{measured->end_s, at->time[0]}};

	if (hole.time[1] - hole.time[0] >= WEFT_STRETCH_MIN_S)
		g_array_append_val(measured->holes, hole);
	measured->end_s = MAX(measured->end_s, at->time[1]);
}

static gboolean push_whole(Pass *pass, const WeftPart *part, GError **error)
{
	const WeftPart *left = pass->left;
	Measured *measured = measured_of(pass, part->anchor.track, 0, error);

	if (measured == NULL)
		return FALSE;
	note_hole(measured, &part->anchor);
	if (left != NULL && left->anchor.track == part->anchor.track)
		weft_sounder_push_sides(measured->sounder, left->pcm.samples, part->pcm.samples,
					MIN(left->pcm.n_samples, part->pcm.n_samples),
					part->anchor.time[0]);
	else
		weft_sounder_push(measured->sounder, part->pcm.samples, part->pcm.n_samples,
				  part->anchor.time[0]);
	return TRUE;
}

static gboolean push_side(Pass *pass, const WeftPart *part, GError **error)
{
	const Measured *whole = find(pass, part->anchor.track, 0);
	Measured *measured;

	if (whole == NULL || !whole->sound->sounding->is_two_sided)
		return TRUE;
	measured = measured_of(pass, part->anchor.track, part->pcm.channel, error);
	if (measured == NULL)
		return FALSE;
	weft_sounder_push(measured->sounder, part->pcm.samples, part->pcm.n_samples,
			  part->anchor.time[0]);
	return TRUE;
}

/* Hours of sound are measured in minutes. Nothing is told again when the sides are measured. */
static void tell_progress(Pass *pass, const WeftPart *part)
{
	double measured_s = pass->measured_s, measuring_s = pass->measuring_s;

	if (part->kind == WEFT_PART_TRACK && isfinite(part->track.seconds))
		measuring_s = fmax(measuring_s, part->track.seconds);
	if (part->kind == WEFT_PART_PCM)
		measured_s = fmax(measured_s, part->anchor.time[1]);
	measuring_s = fmax(measuring_s, measured_s);
	weft_run_tally_measured(pass->flow->run, measured_s - pass->measured_s,
				measuring_s - pass->measuring_s);
	pass->measured_s = measured_s;
	pass->measuring_s = measuring_s;
}

static gboolean take(Pass *pass, WeftPart *take_part, GError **error)
{
	g_autoptr(WeftPart) part = take_part;
	gboolean is_pushed;

	note_fact(pass, part);
	tell_progress(pass, part);
	pass->has_captions = part->content != NULL && part->content->kind == WEFT_CONTENT_SPEECH &&
			     part->content->text != NULL;
	if (part->kind != WEFT_PART_PCM)
		return TRUE;
	if (pass->measures_sides)
		return part->pcm.channel == 0 || push_side(pass, part, error);
	if (part->pcm.channel == 1) {
		g_clear_pointer(&pass->left, weft_part_free);
		weft_part_release_memory(part);
		pass->left = g_steal_pointer(&part);
		return TRUE;
	}
	is_pushed = push_whole(pass, part, error);
	g_clear_pointer(&pass->left, weft_part_free);
	return is_pushed;
}

/* FALSE: it failed, or is_cut: the run is to end. */
static gboolean decode(Pass *pass, GError **error)
{
	WeftDecodeFlow *flow = pass->flow;
	WeftDecodeOptions options = *flow->options;
	g_autoptr(WeftDecoding) decoding = NULL;
	WeftPart *part;

	options.want_rasters = FALSE;
	options.want_pcm = options.want_silence = options.apart = TRUE;
	decoding = weft_ingest_decode(flow->run->ingest, &flow->sniff, flow->fd, NULL, &options, error);
	if (decoding == NULL)
		return FALSE;
	while (!pass->has_captions) {
		if (!weft_decoding_next(decoding, &part, error))
			return FALSE;
		if (part == NULL)
			return TRUE;
		pass->is_cut = weft_runner_is_cancelled(flow->runner) ||
			       weft_stop_is_asked(flow->run->stop);
		if (pass->is_cut) {
			weft_part_free(part);
			return FALSE;
		}
		if (!take(pass, part, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- what came of it ---- */

static void end_sounders(Pass *pass)
{
	for (guint i = 0; i < pass->measured->len; i++) {
		Measured *measured = g_ptr_array_index(pass->measured, i);

		if (measured->sounder == NULL)
			continue;
		measured->sound = weft_track_sound_new(measured->track, measured->channel,
						       weft_sounder_end(measured->sounder));
		g_clear_pointer(&measured->sounder, weft_sounder_free);
		if (measured->channel == 0)
			weft_track_sound_tell(measured->sound, measured->holes);
	}
}

/* Two-sided tracks of which a side was not measured are listened to as a whole. */
static gboolean has_sides(Pass *pass)
{
	gboolean has = FALSE;

	for (guint i = 0; i < pass->measured->len; i++) {
		const Measured *measured = g_ptr_array_index(pass->measured, i);

		if (measured->channel == 0 && pass->measures_sides)
			measured->sound->sounding->is_two_sided &=
				find(pass, measured->track, 1) != NULL &&
				find(pass, measured->track, 2) != NULL;
		has |= measured->sound->sounding->is_two_sided;
	}
	return has;
}

/* Tracks of several languages say the same; of one, they are several microphones. */
static gboolean tracks_are_voices(const Pass *pass)
{
	const char *language = NULL;
	guint n = 0;

	for (guint i = 0; i < pass->facts->len; i++) {
		const Fact *fact = &g_array_index(pass->facts, Fact, i);

		if (!fact->is_audio)
			continue;
		if (language != NULL && strcmp(language, fact->language) != 0)
			return FALSE;
		language = fact->language;
		n++;
	}
	return n > 1;
}

static void name_voices(Pass *pass)
{
	gboolean are_voices = tracks_are_voices(pass);
	guint32 n_speakers = 0;

	for (guint i = 0; i < pass->measured->len; i++) {
		WeftTrackSound *sound = ((Measured *)g_ptr_array_index(pass->measured, i))->sound;
		const char *title = fact_of(pass, sound->track)->title;

		sound->n_speakers_before = n_speakers;
		if (sound->channel > 0)
			sound->label = g_strdup_printf("S%u", ++n_speakers);
		else if (are_voices && title != NULL)
			sound->label = g_strdup(title);
		else if (weft_track_sound_is_listened(sound))
			n_speakers += weft_track_sound_n_speakers(sound);
	}
}

static int compare_tracks(gconstpointer a, gconstpointer b)
{
	const Measured *left = *(Measured *const *)a, *right = *(Measured *const *)b;

	if (left->track != right->track)
		return left->track < right->track ? -1 : 1;
	return (left->channel > right->channel) - (left->channel < right->channel);
}

static bool send_sound(WeftDecodeFlow *flow, const WeftTrackSound *sound)
{
	g_autoptr(GPtrArray) pieces = weft_track_sound_to_pieces(sound);
	bool is_sent = true;

	for (guint i = 0; i < pieces->len && is_sent; i++) {
		WeftItem *item = weft_item_new(WEFT_ITEM_SOUNDING, flow->number);

		item->bytes = g_bytes_ref(g_ptr_array_index(pieces, i));
		is_sent = weft_runner_send(flow->runner, item);
	}
	return is_sent;
}

static bool send_all(const Pass *pass)
{
	bool is_sent = true;

	for (guint i = 0; i < pass->measured->len && is_sent; i++)
		is_sent = send_sound(pass->flow,
				     ((Measured *)g_ptr_array_index(pass->measured, i))->sound);
	pass->flow->is_heard = pass->measured->len > 0;
	return is_sent && weft_decode_flow_mark(pass->flow, WEFT_POSITION_MEASURED);
}

/* What is wrong with the document ends a pass early, and is told by the second one. */
static void measure(Pass *pass, GError **error)
{
	(void)decode(pass, error);
	g_clear_pointer(&pass->left, weft_part_free);
	if (pass->is_cut || pass->is_ours)
		return;
	end_sounders(pass);
	pass->flow->is_apart = has_sides(pass);
	if (pass->measures_sides || !pass->flow->is_apart || pass->has_captions ||
	    g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_GONE))
		return;
	g_clear_error(error);
	pass->measures_sides = TRUE;
	measure(pass, error);
}

bool weft_sound_pass(WeftDecodeFlow *flow, GError **error)
{
	g_autoptr(GPtrArray) measured = g_ptr_array_new_with_free_func(measured_free);
	g_autoptr(GArray) facts = g_array_new(FALSE, FALSE, sizeof(Fact));
	g_autoptr(GError) failure = NULL;
	Pass pass = {.flow = flow, .measured = measured, .facts = facts};

	g_array_set_clear_func(facts, fact_clear);
	measure(&pass, &failure);
	weft_run_tally_measured(flow->run, -pass.measured_s, -pass.measuring_s);
	if (pass.is_cut)
		return weft_item_send_stop(flow->runner, flow->number);
	if (pass.is_ours || g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	if (pass.has_captions)
		return true;
	g_ptr_array_sort(measured, compare_tracks);
	name_voices(&pass);
	return send_all(&pass);
}
