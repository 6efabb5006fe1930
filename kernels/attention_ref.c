#include "kernels/attention.h"

#include "kernels/lanes.h"

#define PAGE WEFT_PAGE_POSITIONS

/* A piece is at most these many rows of one job for the query heads of one key/value head: a page
 * is widened once for all of them. */
#define PIECE_ROWS 16

/* Of the scratch memory, for the running sums of a piece's rows and heads. */
#define STATE_BYTES (WEFT_TEAM_SCRATCH_BYTES / 2 - 64)

_Static_assert(2u * PAGE * WEFT_HEAD_WIDTH_MAX * sizeof(float) <= WEFT_TEAM_SCRATCH_BYTES / 2,
	       "a page of keys and one of values fit half of the scratch memory");

/* Running sums of one row and head: [max, total, values[D]]. */
typedef struct State {
	float max, total;
	float values[];
} State;

typedef struct Attention {
	const WeftAttention *jobs;
	size_t n_jobs;
} Attention;

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t group_of(const WeftAttention *job)
{
	return job->n_heads / job->n_kv_heads;
}

static inline size_t state_bytes(const WeftAttention *job)
{
	return sizeof(State) + job->head_width * sizeof(float);
}

/* Query heads of a piece: the group, or one where the group is too large for the scratch memory. */
static size_t heads_per_piece(const WeftAttention *job)
{
	size_t group = group_of(job);
	return group * state_bytes(job) <= STATE_BYTES ? group : 1;
}

static size_t rows_per_piece(const WeftAttention *job)
{
	return smaller(STATE_BYTES / (heads_per_piece(job) * state_bytes(job)), PIECE_ROWS);
}

static size_t pieces_of(const WeftAttention *job)
{
	if (job->n_heads == 0)
		return 0;
	size_t rows = rows_per_piece(job);
	return (job->n_rows + rows - 1) / rows * (job->n_heads / heads_per_piece(job));
}

/* page[64, G, D] -> the rows [first, end) of one head as f32. */
static void widen_page(float *to, const WeftAttention *job, const void *page, size_t kv_head,
		       size_t first, size_t end)
{
	size_t width = job->head_width;
	size_t row_bytes = weft_dtype_row_bytes(job->dtype, job->n_kv_heads * width);
	const char *from = (const char *)page + weft_dtype_row_bytes(job->dtype, kv_head * width);
	for (size_t s = first; s < end; s++)
		weft_widen(to + s * width, from + s * row_bytes, job->dtype, width);
}

/* values[D] = values * keep + sum of weight[s] * v[s,D] for s in [first, end), in order. */
static void add_values(float *values, float keep, const float *weights, const float *v,
		       size_t width, size_t first, size_t end)
{
	size_t d = 0;
	for (; d + WEFT_LANES <= width; d += WEFT_LANES) {
		WeftLanes sum = *weft_lanes_at(values + d) * keep;
		for (size_t s = first; s < end; s++)
			sum += weights[s] * *weft_lanes_at(v + s * width + d);
		memcpy(values + d, &sum, sizeof sum);
	}
	for (; d < width; d++) {
		float sum = values[d] * keep;
		for (size_t s = first; s < end; s++)
			sum += weights[s] * v[s * width + d];
		values[d] = sum;
	}
}

/* One row and head against the keys [first, end) of one page. */
static void attend_page(State *state, const float *q, const float *k, const float *v,
			const WeftAttention *job, size_t first, size_t end, float *ret_scores)
{
	size_t width = job->head_width;
	float scores[PAGE], max = state->max;
	for (size_t s = 0; s < PAGE; s++)
		scores[s] = -INFINITY;
	for (size_t s = first; s < end; s++)
		scores[s] = weft_dot(q, k + s * width, width) * job->scale;
	for (size_t s = first; s < end; s++)
		max = scores[s] > max ? scores[s] : max;
	if (ret_scores)
		memcpy(ret_scores + first, scores + first, (end - first) * sizeof *scores);
	/* While every score is -inf there is nothing to subtract: exp(-inf - 0) is the wanted 0. */
	float origin = max == -INFINITY ? 0.0f : max;
	WeftLanes lanes = {0};
	for (size_t s = 0; s < PAGE; s++)
		scores[s] = weft_exp(scores[s] - origin);
	for (size_t s = 0; s < PAGE; s += WEFT_LANES)
		lanes += *weft_lanes_at(scores + s);
	float keep = weft_exp(state->max - origin);
	state->max = max;
	state->total = state->total * keep + weft_lanes_sum(&lanes);
	add_values(state->values, keep, scores, v, width, first, end);
}

typedef struct Piece {
	const WeftAttention *job;
	size_t row, row_end, head, head_end, kv_head;
	char *states;
	float *k, *v;
} Piece;

static State *state_at(const Piece *piece, size_t row, size_t head)
{
	size_t index = (row - piece->row) * (piece->head_end - piece->head) + head - piece->head;
	return (State *)(void *)(piece->states + index * state_bytes(piece->job));
}

/* The mass row of a head while the last row of the job is computed, else NULL. */
static float *mass_of(const WeftAttention *job, size_t row, size_t head)
{
	if (!job->mass || row != job->n_rows - 1)
		return NULL;
	return job->mass + head * job->key_end[row];
}

static void attend_rows(const Piece *piece, size_t page)
{
	const WeftAttention *job = piece->job;
	size_t page_start = page * PAGE;
	for (size_t t = piece->row; t < piece->row_end; t++) {
		size_t first = job->key_first[t], end = smaller(job->key_end[t], page_start + PAGE);
		first = first > page_start ? first : page_start;
		if (first >= end)
			continue;
		for (size_t head = piece->head; head < piece->head_end; head++) {
			const float *q = job->q + (t * job->n_heads + head) * job->head_width;
			float *mass = mass_of(job, t, head);
			attend_page(state_at(piece, t, head), q, piece->k, piece->v, job,
				    first - page_start, end - page_start,
				    mass ? mass + page_start : NULL);
		}
	}
}

/* mass holds scores where the row sees keys; they become probabilities. */
static void finish_mass(float *mass, const WeftAttention *job, size_t row, const State *state)
{
	size_t end = job->key_end[row];
	size_t first = smaller(job->key_first[row], end);
	memset(mass, 0, first * sizeof *mass);
	for (size_t s = first; s < end; s++)
		mass[s] = state->total > 0 ? weft_exp(mass[s] - state->max) / state->total : 0.0f;
}

static void finish_rows(const Piece *piece)
{
	const WeftAttention *job = piece->job;
	for (size_t t = piece->row; t < piece->row_end; t++) {
		for (size_t head = piece->head; head < piece->head_end; head++) {
			const State *state = state_at(piece, t, head);
			float *y = job->y + (t * job->n_heads + head) * job->head_width;
			float *mass = mass_of(job, t, head);
			for (size_t d = 0; d < job->head_width; d++)
				y[d] = state->total == 0 ? 0.0f : state->values[d] / state->total;
			if (mass)
				finish_mass(mass, job, t, state);
		}
	}
}

/* The keys of a page that some row of the piece sees: [*ret_first, *ret_end). */
static void visible_keys(const Piece *piece, size_t page, size_t *ret_first, size_t *ret_end)
{
	const WeftAttention *job = piece->job;
	size_t first = PAGE, end = 0, start = page * PAGE;
	for (size_t t = piece->row; t < piece->row_end; t++) {
		size_t low = job->key_first[t], high = job->key_end[t];
		low = low > start ? low - start : 0;
		high = high > start ? smaller(high - start, PAGE) : 0;
		if (low < high) {
			first = smaller(first, low);
			end = high > end ? high : end;
		}
	}
	*ret_first = first;
	*ret_end = end;
}

static void attend(const Piece *piece)
{
	const WeftAttention *job = piece->job;
	size_t key_first = SIZE_MAX, key_end = 0;
	for (size_t t = piece->row; t < piece->row_end; t++) {
		key_first = smaller(key_first, job->key_first[t]);
		key_end = job->key_end[t] > key_end ? job->key_end[t] : key_end;
		for (size_t head = piece->head; head < piece->head_end; head++) {
			State *state = state_at(piece, t, head);
			memset(state, 0, state_bytes(job));
			state->max = -INFINITY;
		}
	}
	for (size_t page = key_first / PAGE; page * PAGE < key_end; page++) {
		size_t first, end;
		visible_keys(piece, page, &first, &end);
		if (first >= end)
			continue;
		widen_page(piece->k, job, job->k_pages[page], piece->kv_head, first, end);
		widen_page(piece->v, job, job->v_pages[page], piece->kv_head, first, end);
		attend_rows(piece, page);
	}
	finish_rows(piece);
}

static void attention_piece(void *context, size_t number, void *scratch)
{
	const Attention *attention = context;
	const WeftAttention *job = attention->jobs;
	while (number >= pieces_of(job))
		number -= pieces_of(job++);
	Piece piece = {.job = job};
	size_t rows = rows_per_piece(job), heads = heads_per_piece(job);
	piece.head = number % (job->n_heads / heads) * heads;
	piece.head_end = piece.head + heads;
	piece.kv_head = piece.head / group_of(job);
	piece.row = number / (job->n_heads / heads) * rows;
	piece.row_end = smaller(piece.row + rows, job->n_rows);
	piece.k = scratch;
	piece.v = piece.k + PAGE * WEFT_HEAD_WIDTH_MAX;
	piece.states = (char *)(piece.v + PAGE * WEFT_HEAD_WIDTH_MAX);
	attend(&piece);
}

WEFT_ATTENTION(weft_attention_ref)
{
	Attention attention = {jobs, n_jobs};
	size_t n_pieces = 0;
	for (size_t i = 0; i < n_jobs; i++)
		n_pieces += pieces_of(&jobs[i]);
	weft_team_run(team, n_pieces, attention_piece, &attention);
}
