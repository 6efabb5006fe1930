#include "kernels/attention_pieces.inc"
#include "kernels/blocks.h"

/* Rows of a piece at most, however few heads there are. */
#define PIECE_ROWS 16

/* Running sums of one line: what attention.h says, [max, total, values[D]]. */
typedef struct State {
	float max, total;
	float values[];
} State;

typedef struct Workspace {
	float *k, *v; /* [64, D]: a page of one head, widened */
	char *states;
} Workspace;

#define PAGES_BYTES (2 * PAGE * WEFT_HEAD_WIDTH_MAX * sizeof(float))

_Static_assert(PAGES_BYTES <= WEFT_TEAM_SCRATCH_BYTES / 2, "keys and values of a page fit");

static inline size_t state_bytes(const WeftAttention *job)
{
	return sizeof(State) + job->head_width * sizeof(float);
}

static size_t lines_max(const WeftAttention *job)
{
	size_t n = (WEFT_TEAM_SCRATCH_BYTES - PAGES_BYTES) / state_bytes(job);
	return smaller_of(n, PIECE_ROWS * group_of(job));
}

static State *state_at(const Piece *piece, const Workspace *work, size_t row, size_t head)
{
	size_t line = (row - piece->row) * (piece->head_end - piece->head) + head - piece->head;
	return (State *)(void *)(work->states + line * state_bytes(piece->job));
}

/* values[D] = values * keep + sum of weight[s] * v[s,D] for s in [first, end), in order. */
static void add_values(float *values, float keep, const float *weights, const float *v,
		       size_t width, size_t first, size_t end)
{
	for (size_t d = 0; d < width; d++)
		values[d] *= keep;
	for (size_t s = first; s < end; s++)
		for (size_t d = 0; d < width; d++)
			values[d] += weights[s] * v[s * width + d];
}

/* One line against the keys [first, end) of one page. */
static void attend_page(const Piece *piece, const Workspace *work, size_t row, size_t head,
			size_t page)
{
	const WeftAttention *job = piece->job;
	size_t width = job->head_width, first, end;
	const float *q = job->q + (row * job->n_heads + head) * width;
	float *mass = mass_of(job, row, head), scores[PAGE];
	State *state = state_at(piece, work, row, head);
	keys_of_row(job, row, page, &first, &end);
	if (first == end)
		return;
	for (size_t s = first; s < end; s++)
		scores[s] = weft_dot(q, work->k + s * width, width) * job->scale;
	if (mass)
		memcpy(mass + page * PAGE + first, scores + first, (end - first) * sizeof *mass);
	float keep = weigh_scores(scores, first, end, &state->max, &state->total);
	add_values(state->values, keep, scores, work->v, width, first, end);
}

static void finish_line(const Piece *piece, const Workspace *work, size_t row, size_t head)
{
	const WeftAttention *job = piece->job;
	const State *state = state_at(piece, work, row, head);
	float *y = job->y + (row * job->n_heads + head) * job->head_width;
	float *mass = mass_of(job, row, head);
	for (size_t d = 0; d < job->head_width; d++)
		y[d] = state->total == 0 ? 0.0f : state->values[d] / state->total;
	if (mass)
		finish_mass(mass, job, row, state->max, state->total);
}

static void widen_page(const Piece *piece, const Workspace *work, size_t page)
{
	const WeftAttention *job = piece->job;
	size_t first, end;
	keys_of_piece(piece, page, &first, &end);
	for (size_t s = first; s < end; s++) {
		weft_blocks_widen(work->k + s * job->head_width,
				  page_row(job, job->k_pages[page], s, piece->kv_head), job->dtype,
				  job->head_width);
		weft_blocks_widen(work->v + s * job->head_width,
				  page_row(job, job->v_pages[page], s, piece->kv_head), job->dtype,
				  job->head_width);
	}
}

static void attention_piece(void *context, size_t number, void *scratch)
{
	Piece piece = find_piece(context, number);
	Workspace work = {.k = scratch, .v = (float *)scratch + PAGE * WEFT_HEAD_WIDTH_MAX};
	work.states = (char *)scratch + PAGES_BYTES;
	for (size_t t = piece.row; t < piece.row_end; t++) {
		for (size_t head = piece.head; head < piece.head_end; head++) {
			State *state = state_at(&piece, &work, t, head);
			memset(state, 0, state_bytes(piece.job));
			state->max = -INFINITY;
		}
	}
	size_t page, page_end;
	for (pages_of_piece(&piece, &page, &page_end); page < page_end; page++) {
		widen_page(&piece, &work, page);
		for (size_t t = piece.row; t < piece.row_end; t++)
			for (size_t head = piece.head; head < piece.head_end; head++)
				attend_page(&piece, &work, t, head, page);
	}
	for (size_t t = piece.row; t < piece.row_end; t++)
		for (size_t head = piece.head; head < piece.head_end; head++)
			finish_line(&piece, &work, t, head);
}

WEFT_ATTENTION(weft_attention_ref)
{
	Jobs all = {jobs, n_jobs};
	weft_team_run(team, pieces_of_jobs(&all), attention_piece, &all);
}
