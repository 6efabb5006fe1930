#include "encoders/speakers.h"

#include <math.h>
#include <string.h>

#include "encoders/clusters.h"
#include "encoders/speech_activity.h"
#include "encoders/variation.h"

#define N_CEPSTRA 18
#define N_DIMENSIONS (N_CEPSTRA + 1) /* and the logarithm of the pitch */
_Static_assert(N_DIMENSIONS == WEFT_CLUSTERS_DIMENSIONS, "what is clustered");

#define PAUSE_FRAMES 25
#define CELL_FRAMES 50
#define WINDOW_CELLS 3
#define BELOW_PEAK_DB 35 /* of the loudest speech, which fades by FADE_DB a frame */
#define FADE_DB 0.01F
#define VOICED 0.55F
#define CELL_VOICED_MIN 8 /* frames */
#define WINDOW_VOICED_MIN 40
#define WINDOW_VOICED 90 /* what a window has about */

#define STEP_VOICED_MIN 15
#define STEPS_MIN 8

#define LOCAL_WINDOWS 256
#define LOCAL_CLUSTERS 16
#define GLOBAL_CLUSTERS 2048

/* Measured on the corpus of tools/make_speech_corpus.py --part dev. */
#define ECHO_DISTANCE 1.5F /* other words of one voice are about 6 away */
#define DISTANCE_MIN 4.2F
#define KAPPA_MIN 0.55F
#define WINDOWS_MIN 5
#define WINDOWS_DOUBT 2.5F
#define DISTANCE_DOUBT 6.0F
#define CHANGE_PRICE 6.0F /* within a stretch */
#define PAUSE_PRICE 2.0F
#define JOINED_FRAMES 40
#define MIXED_CELLS 2 /* on either side of a change */
#define MIXED_MIN 18  /* cost of a window */
#define MIXED_RATIO 2
#define GAIN 4        /* of a turn whose voice is sure */
#define CERTAIN 0.15F /* above the limit: the number of voices is sure */

typedef struct Cell {
	guint32 from, end; /* frames */
	guint32 stretch;
	guint16 n_voiced;
	guint16 speaker;
	guint16 other; /* who speaks at the same time, + 1; 0: nobody */
	WeftPoint mean;
} Cell;

typedef struct Window {
	guint32 stretch, cluster;
	guint32 n_times; /* its sound was heard so far */
	float weight;
} Window;

struct WeftSpeakers {
	GArray *cells;
	guint32 n_frames, last_active, n_stretches;
	float peak_db;
	Cell cell; /* being filled; mean is a sum */
	gboolean is_open;
	float cosines[N_CEPSTRA][WEFT_SOUND_BANDS];
};

/* The recording as a whole, at its end. */
typedef struct Crowd {
	GArray *cells;     /* whitened */
	GArray *windows;   /* of Window */
	WeftPoint *points; /* of the windows, whitened */
	WeftPoint *voices; /* the means of those found */
	gsize n_voices;
	float apart;    /* how clearly the nearest two are two; INFINITY: there is one */
	float together; /* how clearly the most doubtful union was one */
} Crowd;

WeftSpeakers *weft_speakers_new(void)
{
	WeftSpeakers *self = g_new0(WeftSpeakers, 1);

	self->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
	self->peak_db = -INFINITY;
	for (gsize c = 0; c < N_CEPSTRA; c++)
		for (gsize b = 0; b < WEFT_SOUND_BANDS; b++)
			self->cosines[c][b] = (float)(cos(G_PI * (double)(c + 1) *
			                                  ((double)b + 0.5) / WEFT_SOUND_BANDS) *
			                              sqrt(2.0 / WEFT_SOUND_BANDS));
	return self;
}

void weft_speakers_free(WeftSpeakers *self)
{
	if (!self)
		return;
	g_array_unref(self->cells);
	g_free(self);
}

/* Sums become means; what is too short goes to the cell before it, when that is near. */
static void close_cell(WeftSpeakers *self)
{
	Cell *cell = &self->cell, *before = NULL;

	if (!self->is_open)
		return;
	self->is_open = FALSE;
	if (self->cells->len > 0)
		before = &g_array_index(self->cells, Cell, self->cells->len - 1);
	if (before && before->stretch == cell->stretch &&
	    cell->end - cell->from < CELL_FRAMES / 2) {
		float n = (float)before->n_voiced, m = (float)cell->n_voiced;
		for (gsize k = 0; k < N_DIMENSIONS && n + m > 0; k++)
			before->mean.x[k] = (before->mean.x[k] * n + cell->mean.x[k]) / (n + m);
		before->n_voiced = (guint16)(before->n_voiced + cell->n_voiced);
		before->end = cell->end;
		return;
	}
	for (gsize k = 0; k < N_DIMENSIONS && cell->n_voiced > 0; k++)
		cell->mean.x[k] /= (float)cell->n_voiced;
	if (self->cells->len < WEFT_SPEAKERS_CELLS_MAX)
		g_array_append_vals(self->cells, cell, 1);
}

static void add_voiced(WeftSpeakers *self, const WeftSoundFrame *frame)
{
	Cell *cell = &self->cell;

	for (gsize c = 0; c < N_CEPSTRA; c++) {
		float sum = 0;
		for (gsize b = 0; b < WEFT_SOUND_BANDS; b++)
			sum += self->cosines[c][b] * frame->bands[b];
		cell->mean.x[c] += sum;
	}
	cell->mean.x[N_CEPSTRA] += logf(fmaxf(frame->pitch_hz, 1));
	cell->n_voiced++;
}

void weft_speakers_push(WeftSpeakers *self, const WeftSoundFrame *frames, const guint8 *kinds,
                        gsize n)
{
	for (gsize i = 0; i < n; i++, self->n_frames++) {
		const WeftSoundFrame *frame = &frames[i];

		self->peak_db -= FADE_DB;
		if (kinds[i] != WEFT_ACTIVITY_SPEECH)
			continue;
		self->peak_db = fmaxf(self->peak_db, frame->level_db);
		if (frame->level_db < self->peak_db - BELOW_PEAK_DB)
			continue;
		if (self->n_frames - self->last_active > PAUSE_FRAMES) {
			close_cell(self);
			self->n_stretches++;
		} else if (self->is_open && self->n_frames - self->cell.from >= CELL_FRAMES) {
			close_cell(self);
		}
		if (!self->is_open) {
			self->cell = (Cell){.from = self->n_frames, .stretch = self->n_stretches};
			self->is_open = TRUE;
		}
		self->last_active = self->n_frames;
		self->cell.end = self->n_frames + 1;
		if (frame->voicing > VOICED)
			add_voiced(self, frame);
	}
}

void weft_speakers_skip(WeftSpeakers *self, guint32 n_frames)
{
	self->n_frames += n_frames;
	self->peak_db -= FADE_DB * (float)n_frames;
}

/* The windows of a stretch: its cells, shared out evenly. */
static void add_windows(Crowd *crowd, GArray *points, guint first, guint end)
{
	guint n = MAX((end - first + WINDOW_CELLS / 2) / WINDOW_CELLS, 1);

	for (guint w = 0; w < n; w++) {
		guint a = first + (end - first) * w / n, b = first + (end - first) * (w + 1) / n;
		WeftPoint point = {0};
		float n_voiced = 0;
		Window window = {.weight = 1};

		for (guint i = a; i < b; i++) {
			const Cell *cell = &g_array_index(crowd->cells, Cell, i);
			for (gsize k = 0; k < N_DIMENSIONS; k++)
				point.x[k] += cell->mean.x[k] * (float)cell->n_voiced;
			n_voiced += (float)cell->n_voiced;
			window.stretch = cell->stretch;
		}
		if (n_voiced < WINDOW_VOICED_MIN)
			continue;
		for (gsize k = 0; k < N_DIMENSIONS; k++)
			point.x[k] /= n_voiced;
		window.weight = fminf(n_voiced / WINDOW_VOICED, 1.5F);
		g_array_append_val(points, point);
		g_array_append_val(crowd->windows, window);
	}
}

static void find_windows(Crowd *crowd)
{
	GArray *points = g_array_new(FALSE, FALSE, sizeof(WeftPoint));

	for (guint first = 0, i = 1; i <= crowd->cells->len; i++) {
		if (i < crowd->cells->len && g_array_index(crowd->cells, Cell, i).stretch ==
		                                 g_array_index(crowd->cells, Cell, first).stretch)
			continue;
		add_windows(crowd, points, first, i);
		first = i;
	}
	crowd->points = (void *)g_array_free(points, FALSE);
}

static void add_step(GArray *steps, const WeftPoint *from, const WeftPoint *to)
{
	WeftPoint step;

	for (gsize k = 0; k < N_DIMENSIONS; k++)
		step.x[k] = to->x[k] - from->x[k];
	g_array_append_val(steps, step);
}

/* From cell to cell within stretches. */
static GArray *steps_of_cells(const Crowd *crowd)
{
	GArray *steps = g_array_new(FALSE, FALSE, sizeof(WeftPoint));
	const Cell *cells = (const void *)crowd->cells->data;

	for (gsize i = 0; i + 1 < crowd->cells->len; i++)
		if (cells[i].stretch == cells[i + 1].stretch &&
		    MIN(cells[i].n_voiced, cells[i + 1].n_voiced) >= STEP_VOICED_MIN)
			add_step(steps, &cells[i].mean, &cells[i + 1].mean);
	return steps;
}

/* From window to window within stretches, or from any to the next where stretches are short. */
static GArray *steps_of_windows(const Crowd *crowd)
{
	GArray *steps = g_array_new(FALSE, FALSE, sizeof(WeftPoint));
	const Window *windows = (const void *)crowd->windows->data;

	for (int is_any = 0; is_any < 2 && steps->len < STEPS_MIN; is_any++) {
		g_array_set_size(steps, 0);
		for (gsize i = 0; i + 1 < crowd->windows->len; i++)
			if (is_any || windows[i].stretch == windows[i + 1].stretch)
				add_step(steps, &crowd->points[i], &crowd->points[i + 1]);
	}
	return steps;
}

/* Cohen's kappa of neighbouring windows that are both of a or b: 1, nobody ever follows the other
 * within a stretch; 0, as often as chance has it. */
static float kappa(const Crowd *crowd, const WeftClusters *clusters, guint32 a, guint32 b)
{
	const Window *windows = (const void *)crowd->windows->data;
	double n = 0, n_a = 0, n_changes = 0;

	for (gsize i = 0; i + 1 < crowd->windows->len; i++) {
		guint32 x = clusters->roots[windows[i].cluster];
		guint32 y = clusters->roots[windows[i + 1].cluster];

		if (windows[i].stretch != windows[i + 1].stretch || (x != a && x != b) ||
		    (y != a && y != b))
			continue;
		n++;
		n_a += (x == a) + (y == a);
		n_changes += x != y;
	}
	double share = n > 0 ? n_a / (2 * n) : 0, chance = 2 * share * (1 - share);

	return n >= 3 && chance > 0 ? (float)(1 - n_changes / n / chance) : 1;
}

/* How clearly two clusters are two voices; 1 is the limit. */
static float clearness(const Crowd *crowd, const WeftClusters *clusters, guint32 a, guint32 b)
{
	float smaller = fminf(clusters->weights[a], clusters->weights[b]);
	float distance = weft_clusters_distance(clusters, a, b) / DISTANCE_MIN;

	if (smaller < WINDOWS_MIN)
		return fminf(smaller / WINDOWS_MIN, distance);
	if (distance < 0.5F)
		return distance;
	return distance * fminf(fmaxf(kappa(crowd, clusters, a, b), 0) / KAPPA_MIN, 1);
}

static gboolean is_distinct(const WeftClusters *clusters, guint32 a, guint32 b, void *context)
{
	Crowd *crowd = context;
	float clear = clearness(crowd, clusters, a, b);
	float smaller = fminf(clusters->weights[a], clusters->weights[b]);

	if (clear < 1 && smaller >= WINDOWS_MIN)
		crowd->together = fminf(crowd->together, 1 / fmaxf(clear, 0.1F));
	/* too little to be a voice, but far away: there may be one more */
	if (clear < 1 && smaller >= WINDOWS_DOUBT &&
	    weft_clusters_distance(clusters, a, b) > DISTANCE_DOUBT)
		crowd->together = fminf(crowd->together, 1 + CERTAIN / 2);
	return clear >= 1 && clusters->n_alive <= WEFT_SPEAKERS_MAX;
}

static float square_distance(const WeftPoint *a, const WeftPoint *b)
{
	float square = 0;

	for (gsize k = 0; k < N_DIMENSIONS; k++)
		square += (a->x[k] - b->x[k]) * (a->x[k] - b->x[k]);
	return square;
}

/* The same sound again (a jingle, a recording in a loop) tells little about anybody: the n-th time
 * counts as n^-0.5. */
static void discount_echoes(Crowd *crowd)
{
	Window *windows = (void *)crowd->windows->data;

	for (gsize i = 0; i < crowd->windows->len; i++) {
		gsize k = i, least = i < LOCAL_WINDOWS ? 0 : i - LOCAL_WINDOWS;

		while (k > least && square_distance(&crowd->points[i], &crowd->points[k - 1]) >=
		                        ECHO_DISTANCE * ECHO_DISTANCE)
			k--;
		windows[i].n_times = k > least ? windows[k - 1].n_times + 1 : 1;
		windows[i].weight /= sqrtf((float)windows[i].n_times);
	}
}

/* Windows into local clusters, those into voices. */
static void find_voices(Crowd *crowd)
{
	gsize n = crowd->windows->len;
	gsize n_local = MAX((gsize)LOCAL_WINDOWS, n / (GLOBAL_CLUSTERS / LOCAL_CLUSTERS) + 1);
	Window *windows = (void *)crowd->windows->data;
	g_autofree WeftPoint *means = g_new(WeftPoint, GLOBAL_CLUSTERS);
	g_autofree float *weights = g_new(float, GLOBAL_CLUSTERS),
	                 *of_windows = g_new(float, n + 1);
	gsize n_means = 0;

	for (gsize first = 0; first < n; first += n_local) {
		gsize some = MIN(n_local, n - first);

		for (gsize i = 0; i < some; i++)
			of_windows[i] = windows[first + i].weight;
		g_autoptr(WeftClusters) local =
		    weft_clusters_new(crowd->points + first, of_windows, some);
		g_autofree guint32 *index = g_new(guint32, some);

		weft_clusters_join(local, LOCAL_CLUSTERS, NULL, NULL);
		for (gsize i = 0; i < some; i++) {
			if (local->roots[i] == i) {
				means[n_means] = local->means[i];
				weights[n_means] = local->weights[i];
				index[i] = (guint32)n_means++;
			}
			windows[first + i].cluster = index[local->roots[i]];
		}
	}
	g_autoptr(WeftClusters) all = weft_clusters_new(means, weights, n_means);

	weft_clusters_join(all, 1, is_distinct, crowd);
	crowd->voices = g_new(WeftPoint, MAX(all->n_alive, 1));
	for (guint32 a = 0; a < all->n; a++) {
		if (all->weights[a] == 0)
			continue;
		for (guint32 b = a + 1; b < all->n; b++)
			if (all->weights[b] > 0)
				crowd->apart = fminf(crowd->apart, clearness(crowd, all, a, b));
		crowd->voices[crowd->n_voices++] = all->means[a];
	}
}

/* What a cell costs with each voice; less is better. Nothing is known where nothing is voiced. */
static void weigh_cell(const Crowd *crowd, const Cell *cell, float *costs)
{
	for (gsize v = 0; v < crowd->n_voices; v++) {
		float square = 0;

		for (gsize k = 0; k < N_DIMENSIONS; k++) {
			float d = cell->mean.x[k] - crowd->voices[v].x[k];
			square += d * d;
		}
		costs[v] = cell->n_voiced < CELL_VOICED_MIN
		               ? 0
		               : 0.5F * square * (float)cell->n_voiced / WINDOW_VOICED;
	}
}

/* The cheapest sequence of voices. */
static void decode_cells(Crowd *crowd)
{
	gsize n = crowd->cells->len, n_voices = crowd->n_voices;
	Cell *cells = (void *)crowd->cells->data;
	g_autofree guint8 *from = g_malloc(n * n_voices);
	float total[WEFT_SPEAKERS_MAX] = {0}, costs[WEFT_SPEAKERS_MAX];

	for (gsize i = 0; i < n; i++) {
		float price =
		    i > 0 && cells[i].stretch == cells[i - 1].stretch ? CHANGE_PRICE : PAUSE_PRICE;
		gsize best = 0;

		for (gsize v = 1; v < n_voices; v++)
			best = total[v] < total[best] ? v : best;
		float least = total[best];

		weigh_cell(crowd, &cells[i], costs);
		for (gsize v = 0; v < n_voices; v++) {
			gboolean stays = total[v] <= least + price;
			from[i * n_voices + v] = (guint8)(stays ? v : best);
			/* against the least: sums stay small */
			total[v] = (stays ? total[v] - least : price) + costs[v];
		}
	}
	gsize v = 0;

	for (gsize k = 1; k < n_voices; k++)
		v = total[k] < total[v] ? k : v;
	for (gsize i = n; i-- > 0; v = from[i * n_voices + v])
		cells[i].speaker = (guint16)v;
}

/* How much better its voice fits than the best of the others. */
static float advantage(const Crowd *crowd, const Cell *cell)
{
	float costs[WEFT_SPEAKERS_MAX], second = INFINITY;

	weigh_cell(crowd, cell, costs);
	for (gsize v = 0; v < crowd->n_voices; v++)
		if (v != cell->speaker)
			second = fminf(second, costs[v]);
	return second - costs[cell->speaker];
}

/* Whether a cell near a change to or from another voice holds both: it fits its own badly, and the
 * other not much worse. */
static gboolean is_mixed(const Crowd *crowd, const Cell *cell, guint16 other)
{
	float costs[WEFT_SPEAKERS_MAX];

	weigh_cell(crowd, cell, costs);
	float own = costs[cell->speaker] * WINDOW_VOICED / (float)MAX(cell->n_voiced, 1);

	return own > MIXED_MIN && costs[other] < MIXED_RATIO * costs[cell->speaker];
}

/* Who is interrupted, or interrupts: only there can it be heard that two speak. */
static void find_overlap(Crowd *crowd)
{
	Cell *cells = (void *)crowd->cells->data;
	guint n = crowd->cells->len;

	for (guint i = 1; i < n; i++) {
		if (cells[i].stretch != cells[i - 1].stretch ||
		    cells[i].speaker == cells[i - 1].speaker)
			continue;
		guint16 before = cells[i - 1].speaker, behind = cells[i].speaker;

		for (guint k = 0; k < MIXED_CELLS && i + k < n; k++)
			if (cells[i + k].speaker == behind &&
			    cells[i + k].stretch == cells[i].stretch &&
			    is_mixed(crowd, &cells[i + k], before))
				cells[i + k].other = (guint16)(before + 1);
		for (guint k = 1; k <= MIXED_CELLS && k <= i; k++)
			if (cells[i - k].speaker == before &&
			    cells[i - k].stretch == cells[i].stretch &&
			    is_mixed(crowd, &cells[i - k], behind))
				cells[i - k].other = (guint16)(behind + 1);
	}
}

static guint end_of_run(const Crowd *crowd, guint first, gboolean is_same_other)
{
	const Cell *cells = (const void *)crowd->cells->data;
	guint i = first + 1;

	while (i < crowd->cells->len && cells[i].speaker == cells[first].speaker &&
	       cells[i].from - cells[i - 1].end < JOINED_FRAMES &&
	       (!is_same_other || cells[i].other == cells[first].other))
		i++;
	return i;
}

/* The number of each voice; 0: it did not speak yet. */
typedef struct Numbers {
	guint32 of[WEFT_SPEAKERS_MAX], n;
} Numbers;

static void add_turn(const Crowd *crowd, guint first, guint end, gsize voice, float margin,
                     Numbers *numbers, GArray *turns)
{
	const Cell *cells = (const void *)crowd->cells->data;

	if (numbers->of[voice] == 0)
		numbers->of[voice] = ++numbers->n;
	WeftVoiceTurn turn = {
	    .from_s = cells[first].from / (double)WEFT_SOUND_FRAMES_PER_S,
	    .to_s = cells[end - 1].end / (double)WEFT_SOUND_FRAMES_PER_S,
	    .speaker = numbers->of[voice],
	    .margin = margin,
	    .is_overlap = cells[first].other != 0,
	};
	g_array_append_val(turns, turn);
}

/* Cells into turns; speakers are numbered as they appear. */
static void add_turns(const Crowd *crowd, GArray *turns)
{
	const Cell *cells = (const void *)crowd->cells->data;
	Numbers numbers = {.n = 0};
	float certain = (fminf(crowd->apart, crowd->together) - 1) / CERTAIN;

	for (guint first = 0, end; first < crowd->cells->len; first = end) {
		float gained = crowd->n_voices > 1 ? 0 : INFINITY;

		end = end_of_run(crowd, first, FALSE);
		for (guint i = first; i < end && crowd->n_voices > 1; i++)
			gained += advantage(crowd, &cells[i]);
		float margin = CLAMP(fminf(certain, gained / GAIN), 0, 10);

		for (guint i = first, next; i < end; i = next) {
			next = MIN(end_of_run(crowd, i, TRUE), end);
			add_turn(crowd, i, next, cells[i].speaker, margin, &numbers, turns);
			if (cells[i].other != 0)
				add_turn(crowd, i, next, cells[i].other - 1u, margin, &numbers,
				         turns);
		}
	}
}

void weft_speakers_end(WeftSpeakers *self, GArray *turns)
{
	Crowd crowd = {.cells = self->cells, .apart = INFINITY, .together = INFINITY};
	WeftVariation variation;

	close_cell(self);
	crowd.windows = g_array_new(FALSE, FALSE, sizeof(Window));
	find_windows(&crowd);
	g_autoptr(GArray) cell_steps = steps_of_cells(&crowd);
	g_autoptr(GArray) window_steps = steps_of_windows(&crowd);

	if (weft_variation_find(cell_steps, window_steps, &variation)) {
		for (gsize i = 0; i < crowd.windows->len; i++)
			weft_variation_divide(&variation, &crowd.points[i]);
		for (gsize i = 0; i < crowd.cells->len; i++)
			weft_variation_divide(&variation,
			                      &g_array_index(crowd.cells, Cell, i).mean);
		discount_echoes(&crowd);
		find_voices(&crowd);
	} else {
		crowd.voices = g_new0(WeftPoint, 1);
		crowd.n_voices = 1;
		crowd.apart = 0;
	}
	if (crowd.cells->len > 0)
		decode_cells(&crowd);
	find_overlap(&crowd);
	add_turns(&crowd, turns);
	g_array_unref(crowd.windows);
	g_free(crowd.points);
	g_free(crowd.voices);
	g_array_set_size(self->cells, 0);
	self->n_frames = self->last_active = self->n_stretches = 0;
	self->peak_db = -INFINITY;
}
