#include "model/gaze.h"

#include <math.h>
#include <string.h>

#include "model/gaze_map.h"

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

static const WeftSpan *span_at(const WeftGaze *gaze, guint s)
{
	return &g_array_index(gaze->sequence->spans, WeftSpan, s);
}

static gboolean is_mark(const WeftSpan *span)
{
	return span->kind == WEFT_SPAN_TEXT && span->content == WEFT_SPAN_NO_CONTENT;
}

static gboolean is_same_picture(const WeftSpan *a, const WeftSpan *b)
{
	return a->kind == WEFT_SPAN_PATCH && b->kind == WEFT_SPAN_PATCH &&
	       a->content == b->content && a->anchor.document == b->anchor.document &&
	       a->anchor.page == b->anchor.page && a->anchor.track == b->anchor.track &&
	       a->anchor.time[0] == b->anchor.time[0];
}

/* Behind the last tile of the picture whose first one span `s` is; of text and sound, behind the span. */
static guint end_of(const WeftGaze *gaze, guint s)
{
	guint end = s + 1;

	for (guint i = end; i < gaze->sequence->spans->len; i++) {
		if (is_same_picture(span_at(gaze, s), span_at(gaze, i)))
			end = i + 1;
		else if (!is_mark(span_at(gaze, i)))
			break;
	}
	return end;
}

static double share_between(double from, double to, double part)
{
	return from + (to - from) * part;
}

/* Patch i of a tile, row by row of a square of so many. FALSE: it shows nothing but padding. */
static gboolean cell_of(const WeftSpan *span, gsize i, gsize side, WeftGazeCell *ret_cell)
{
	const double *box = span->anchor.bbox;
	gsize at[2] = { i % side, i / side };

	ret_cell->area = 1;
	for (int axis = 0; axis < 2; axis++) {
		double n_shown = span->shown[axis] * (double)side;
		double first = MIN((double)at[axis], n_shown);
		double end = MIN((double)at[axis] + 1, n_shown);

		if (first >= end)
			return FALSE;
		ret_cell->box[axis] = share_between(box[axis], box[axis + 2], first / n_shown);
		ret_cell->box[axis + 2] = share_between(box[axis], box[axis + 2], end / n_shown);
		ret_cell->area *= (box[axis + 2] - box[axis]) / n_shown;
	}
	return ret_cell->area > 0;
}

/* The patches of spans [first, end) that were looked at. */
static void narrow_box(const WeftGaze *gaze, guint first, guint end, const float *mass,
		       WeftPointed *pointed)
{
	g_autoptr(GArray) cells = g_array_new(FALSE, FALSE, sizeof(WeftGazeCell));
	double box[4];

	for (guint s = first; s < end; s++) {
		const WeftSpan *span = span_at(gaze, s);
		gsize side = (gsize)llround(sqrt((double)span->n_tokens));

		if (span->kind != WEFT_SPAN_PATCH || side * side != span->n_tokens ||
		    !span->anchor.has_bbox)
			continue;
		for (gsize i = 0; i < span->n_tokens; i++) {
			WeftGazeCell cell = { .mass = (double)mass[span->token_first + i] };

			if (cell.mass > 0 && cell_of(span, i, side, &cell))
				g_array_append_val(cells, cell);
		}
	}
	if (!weft_gaze_map_place(cells, box, &pointed->patch))
		return;
	memcpy(pointed->at.bbox, box, sizeof box);
	pointed->at.has_bbox = TRUE;
}

static void narrow_time(const WeftSpan *span, const float *mass, WeftAnchor *at)
{
	gsize first = span->n_tokens, end = 0;
	float largest = 0;

	for (gsize i = 0; i < span->n_tokens; i++)
		largest = MAX(largest, mass[i]);
	for (gsize i = 0; i < span->n_tokens; i++) {
		if (mass[i] < largest / 2)
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

/* Spans [*ret_first, *ret_end): the text, sound or picture with the largest sum; ties go to the first. 0:
 * nothing was looked at. */
static double find_spans(const WeftGaze *gaze, const float *mass, guint *ret_first, guint *ret_end)
{
	double best = 0;

	for (guint s = 0, end; s < gaze->sequence->spans->len; s = end) {
		double sum = 0;

		end = end_of(gaze, s);
		for (guint i = s; i < end; i++)
			for (gsize t = 0; t < span_at(gaze, i)->n_tokens; t++)
				sum += (double)mass[span_at(gaze, i)->token_first + t];
		if (sum <= best)
			continue;
		best = sum;
		*ret_first = s;
		*ret_end = end;
	}
	return best;
}

WeftPointed weft_gaze_place(const WeftGaze *gaze, gsize first, gsize end)
{
	WeftPointed pointed = {0};
	guint span_first = 0, span_end = 1;

	end = MIN(end, gaze->ends->len);
	if (first >= end)
		return pointed;
	g_autofree float *mass = g_new0(float, gaze->n_positions);
	gsize look_end = g_array_index(gaze->ends, gsize, end - 1);

	for (gsize i = first > 0 ? g_array_index(gaze->ends, gsize, first - 1) : 0; i < look_end; i++) {
		const Look *look = &g_array_index(gaze->looks, Look, i);

		mass[look->position] += look->mass;
	}
	double sum = find_spans(gaze, mass, &span_first, &span_end);

	if (!(sum > 0))
		return pointed;
	const WeftSpan *span = span_at(gaze, span_first);

	pointed.is_known = TRUE;
	pointed.kind = span->kind;
	pointed.content = span->content;
	pointed.at = span_at(gaze, span_end - 1)->anchor; /* the last tile shows the whole picture */
	pointed.share = sum / (double)(end - first);
	if (span->kind == WEFT_SPAN_PATCH)
		narrow_box(gaze, span_first, span_end, mass, &pointed);
	else if (span->kind == WEFT_SPAN_AUDIO)
		narrow_time(span, mass + span->token_first, &pointed.at);
	return pointed;
}
