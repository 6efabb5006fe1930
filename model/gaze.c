#include "model/gaze.h"

#include <math.h>
#include <string.h>

/* Positions that are kept of one decision. */
#define LOOKS_MAX 32

typedef struct Look {
	guint32 position; /* in the sequence */
	float mass;       /* 0..1 of all that the decision looked at */
} Look;

struct WeftGaze {
	const WeftSequence *sequence;
	gsize n_heads, n_positions; /* of the sequence */
	gsize n_keys, n_layers;     /* of the decision at hand */
	float *sum;                 /* [n_positions] of the decision at hand */
	float *room;                /* [n_heads][n_keys] */
	gsize room_size;
	GArray *looks;              /* Look, of all decisions, one behind the other */
	GArray *ends;               /* gsize per decision: where its looks end */
};

/* Pixels and sound are, whether or not an item was made of them; text without one is a marker. */
static gboolean is_of_document(const WeftSpan *span)
{
	return span->n_tokens > 0 &&
	       (span->kind != WEFT_SPAN_TEXT || span->content != WEFT_SPAN_NO_CONTENT);
}

WeftGaze *weft_gaze_new(const WeftSequence *sequence, gsize n_heads)
{
	gboolean has_any = FALSE;

	for (guint i = 0; i < sequence->spans->len && !has_any; i++)
		has_any = is_of_document(&g_array_index(sequence->spans, WeftSpan, i));
	if (!has_any)
		return NULL;
	WeftGaze *gaze = g_new0(WeftGaze, 1);
	gaze->sequence = sequence;
	gaze->n_heads = n_heads;
	gaze->n_positions = weft_sequence_length(sequence);
	gaze->sum = g_new0(float, gaze->n_positions);
	gaze->looks = g_array_new(FALSE, FALSE, sizeof(Look));
	gaze->ends = g_array_new(FALSE, FALSE, sizeof(gsize));
	return gaze;
}

void weft_gaze_free(WeftGaze *gaze)
{
	if (!gaze)
		return;
	g_free(gaze->sum);
	g_free(gaze->room);
	g_array_unref(gaze->looks);
	g_array_unref(gaze->ends);
	g_free(gaze);
}

void weft_gaze_begin(WeftGaze *gaze)
{
	gaze->n_layers = 0;
	memset(gaze->sum, 0, gaze->n_positions * sizeof *gaze->sum);
}

float *weft_gaze_room(WeftGaze *gaze, gsize n_keys)
{
	gaze->n_keys = n_keys;
	if (gaze->room_size < gaze->n_heads * n_keys) {
		gaze->room_size = gaze->n_heads * (n_keys + n_keys / 4);
		g_free(gaze->room);
		gaze->room = g_new(float, gaze->room_size);
	}
	return gaze->room;
}

void weft_gaze_add(WeftGaze *gaze)
{
	gsize n = MIN(gaze->n_keys, gaze->n_positions);

	gaze->n_layers++;
	for (gsize head = 0; head < gaze->n_heads; head++)
		for (gsize i = 0; i < n; i++)
			gaze->sum[i] += gaze->room[head * gaze->n_keys + i];
}

/* Puts the look among the `*n` largest so far, which are in falling order. */
static void insert_look(Look looks[LOOKS_MAX], gsize *n, Look look)
{
	gsize at = *n;

	if (*n == LOOKS_MAX && looks[LOOKS_MAX - 1].mass >= look.mass)
		return;
	at = MIN(at, LOOKS_MAX - 1);
	for (; at > 0 && looks[at - 1].mass < look.mass; at--)
		looks[at] = looks[at - 1];
	looks[at] = look;
	*n = MIN(*n + 1, LOOKS_MAX);
}

void weft_gaze_keep(WeftGaze *gaze)
{
	const GArray *spans = gaze->sequence->spans;
	float scale = 1.0f / (float)(gaze->n_heads * MAX(gaze->n_layers, 1));
	Look looks[LOOKS_MAX];
	gsize n = 0;

	for (guint s = 0; s < spans->len; s++) {
		const WeftSpan *span = &g_array_index(spans, WeftSpan, s);

		for (gsize i = 0; is_of_document(span) && i < span->n_tokens; i++) {
			gsize at = span->token_first + i;
			if (gaze->sum[at] > 0)
				insert_look(looks, &n, (Look){(guint32)at, gaze->sum[at] * scale});
		}
	}
	g_array_append_vals(gaze->looks, looks, (guint)n);
	gsize end = gaze->looks->len;
	g_array_append_val(gaze->ends, end);
}

/* ---- the place of a value ---- */

static const WeftSpan *span_at(const WeftGaze *gaze, gsize position)
{
	const GArray *spans = gaze->sequence->spans;
	guint low = 0, high = spans->len;

	while (high - low > 1) {
		guint middle = low + (high - low) / 2;
		if (g_array_index(spans, WeftSpan, middle).token_first <= position)
			low = middle;
		else
			high = middle;
	}
	return &g_array_index(spans, WeftSpan, low);
}

static double share_between(double from, double to, double part)
{
	return from + (to - from) * part;
}

/* The tokens [first, end) of a tile, row by row of a square, as part of the tile's box. */
static void narrow_box(const WeftSpan *span, const float *mass, float least, WeftAnchor *at)
{
	gsize side = (gsize)llround(sqrt((double)span->n_tokens));
	gsize left = side, top = side, right = 0, bottom = 0;

	if (side == 0 || side * side != span->n_tokens || !at->has_bbox)
		return;
	for (gsize i = 0; i < span->n_tokens; i++) {
		if (mass[i] < least)
			continue;
		left = MIN(left, i % side);
		right = MAX(right, i % side + 1);
		top = MIN(top, i / side);
		bottom = MAX(bottom, i / side + 1);
	}
	for (int axis = 0; axis < 2; axis++) {
		const double *box = span->anchor.bbox;
		double from = (double)(axis ? top : left) / (double)side;
		double to = (double)(axis ? bottom : right) / (double)side;
		at->bbox[axis] = share_between(box[axis], box[axis + 2], from);
		at->bbox[axis + 2] = share_between(box[axis], box[axis + 2], to);
	}
}

static void narrow_time(const WeftSpan *span, const float *mass, float least, WeftAnchor *at)
{
	gsize first = span->n_tokens, end = 0;

	for (gsize i = 0; i < span->n_tokens; i++) {
		if (mass[i] < least)
			continue;
		first = MIN(first, i);
		end = i + 1;
	}
	if (!at->has_time)
		return;
	at->time[0] = share_between(span->anchor.time[0], span->anchor.time[1],
				    (double)first / (double)span->n_tokens);
	at->time[1] = share_between(span->anchor.time[0], span->anchor.time[1],
				    (double)end / (double)span->n_tokens);
}

static WeftAnchor narrow(const WeftSpan *span, const float *mass)
{
	WeftAnchor at = span->anchor;
	float largest = 0;

	for (gsize i = 0; i < span->n_tokens; i++)
		largest = MAX(largest, mass[i]);
	if (span->kind == WEFT_SPAN_PATCH)
		narrow_box(span, mass, largest / 2, &at);
	else if (span->kind == WEFT_SPAN_AUDIO)
		narrow_time(span, mass, largest / 2, &at);
	return at;
}

/* The span with the largest sum of these looks; ties go to the first. */
static const WeftSpan *find_span(const WeftGaze *gaze, gsize first, gsize end, double *ret_sum)
{
	const WeftSpan *spans = (const WeftSpan *)(const void *)gaze->sequence->spans->data;
	const WeftSpan *best = NULL;
	g_autofree double *sums = g_new0(double, gaze->sequence->spans->len);

	for (gsize i = first; i < end; i++) {
		const Look *look = &g_array_index(gaze->looks, Look, i);
		sums[span_at(gaze, look->position) - spans] += (double)look->mass;
	}
	for (guint s = 0; s < gaze->sequence->spans->len; s++)
		if (sums[s] > 0 && (!best || sums[s] > sums[best - spans]))
			best = &spans[s];
	*ret_sum = best ? sums[best - spans] : 0;
	return best;
}

WeftPointed weft_gaze_place(const WeftGaze *gaze, gsize first, gsize end)
{
	WeftPointed pointed = {0};
	double sum;

	end = MIN(end, gaze->ends->len);
	if (first >= end)
		return pointed;
	gsize look_first = first > 0 ? g_array_index(gaze->ends, gsize, first - 1) : 0;
	gsize look_end = g_array_index(gaze->ends, gsize, end - 1);
	const WeftSpan *span = find_span(gaze, look_first, look_end, &sum);
	if (!span)
		return pointed;
	g_autofree float *mass = g_new0(float, span->n_tokens);
	for (gsize i = look_first; i < look_end; i++) {
		const Look *look = &g_array_index(gaze->looks, Look, i);
		if (look->position - span->token_first < span->n_tokens)
			mass[look->position - span->token_first] += look->mass;
	}
	pointed.is_known = TRUE;
	pointed.kind = span->kind;
	pointed.content = span->content;
	pointed.at = narrow(span, mass);
	pointed.share = sum / (double)(end - first);
	return pointed;
}
