#include "model/batch.h"

#include <string.h>

/* Requests with at most so many tokens to feed go first: those that answer. */
#define SHORT_ROWS 16

struct WeftPrefix {
	GArray *ids;      /* gint32 */
	const WeftAdapter *adapter; /* of its requests; NULL: none */
	WeftCache *cache; /* NULL until it is computed */
	WeftRouting *routing; /* with the cache: experts that its tokens chose; NULL without experts */
	guint64 owner;    /* ticket of the request that computes it; 0: none */
	gsize n_users;    /* requests that point here */
	guint64 used;     /* count of uses at the last one */
};

struct WeftBatch {
	WeftPass *pass;
	WeftPagePool *pool;
	gsize requests_max;
	guint64 ticket_last, n_uses;
	GPtrArray *active;   /* of WeftActive, in order of their tickets */
	GQueue *ended;       /* of WeftActive */
	GPtrArray *prefixes; /* of WeftPrefix */
	float *logits;       /* [requests_max,V] */
	guint32 *last_rows;  /* [requests_max] */
};

static void prefix_free(gpointer data)
{
	WeftPrefix *prefix = data;
	weft_cache_free(prefix->cache);
	weft_routing_free(prefix->routing);
	g_array_unref(prefix->ids);
	g_free(prefix);
}

WeftBatch *weft_batch_new(WeftPass *pass, WeftPagePool *pool, gsize requests_max, GError **error)
{
	g_autoptr(WeftBatch) batch = g_new0(WeftBatch, 1);
	batch->pass = pass;
	batch->pool = pool;
	batch->requests_max = requests_max;
	batch->active = g_ptr_array_new();
	batch->ended = g_queue_new();
	batch->prefixes = g_ptr_array_new_with_free_func(prefix_free);
	batch->last_rows = g_new(guint32, requests_max);
	batch->logits = weft_kernels_alloc(pass->kernels, requests_max * pass->arch->n_vocab,
					   sizeof(float), error);
	return batch->logits ? g_steal_pointer(&batch) : NULL;
}

void weft_batch_free(WeftBatch *batch)
{
	if (!batch)
		return;
	for (guint i = 0; i < batch->active->len; i++)
		weft_active_free(g_ptr_array_index(batch->active, i));
	g_ptr_array_unref(batch->active);
	g_queue_free_full(batch->ended, (GDestroyNotify)weft_active_free);
	g_ptr_array_unref(batch->prefixes);
	weft_kernels_free(batch->pass->kernels, batch->logits);
	g_free(batch->last_rows);
	g_free(batch);
}

gboolean weft_batch_has_room(const WeftBatch *batch)
{
	return batch->active->len < batch->requests_max;
}

/* Drops computed prefixes that nobody uses, the longest unused first. */
static void trim_prefixes(WeftBatch *batch)
{
	while (batch->prefixes->len >= WEFT_PREFIXES_KEPT) {
		WeftPrefix *oldest = NULL;
		for (guint i = 0; i < batch->prefixes->len; i++) {
			WeftPrefix *prefix = g_ptr_array_index(batch->prefixes, i);
			if (prefix->n_users == 0 && (!oldest || prefix->used < oldest->used))
				oldest = prefix;
		}
		if (!oldest)
			return;
		g_ptr_array_remove_fast(batch->prefixes, oldest);
	}
}

/* The prefix that the request shares, or NULL. At least one token stays behind it, whose logits
 * the request needs. */
static WeftPrefix *find_prefix(WeftBatch *batch, const WeftSequence *sequence,
			       const WeftAdapter *adapter)
{
	gsize n = sequence->n_prefix;
	if (n == 0 || n >= weft_sequence_length(sequence) ||
	    memchr(sequence->is_row->data, 1, n) != NULL)
		return NULL;
	for (guint i = 0; i < batch->prefixes->len; i++) {
		WeftPrefix *prefix = g_ptr_array_index(batch->prefixes, i);
		if (prefix->ids->len == n && prefix->adapter == adapter &&
		    memcmp(prefix->ids->data, sequence->ids->data, n * sizeof(gint32)) == 0)
			return prefix;
	}
	trim_prefixes(batch);
	WeftPrefix *prefix = g_new0(WeftPrefix, 1);
	prefix->ids = g_array_sized_new(FALSE, FALSE, sizeof(gint32), (guint)n);
	g_array_append_vals(prefix->ids, sequence->ids->data, (guint)n);
	prefix->adapter = adapter;
	g_ptr_array_add(batch->prefixes, prefix);
	return prefix;
}

static void leave_prefix(WeftActive *active)
{
	WeftPrefix *prefix = g_steal_pointer(&active->prefix);
	if (!prefix)
		return;
	prefix->n_users--;
	if (prefix->owner == active->ticket)
		prefix->owner = 0;
}

/* Moves requests that are done or failed to the queue of the ended. */
static void collect(WeftBatch *batch)
{
	for (guint i = 0; i < batch->active->len;) {
		WeftActive *active = g_ptr_array_index(batch->active, i);
		if (!active->is_done && !active->fault) {
			i++;
			continue;
		}
		leave_prefix(active);
		g_clear_pointer(&active->cache, weft_cache_free);
		g_ptr_array_remove_index(batch->active, i);
		g_queue_push_tail(batch->ended, active);
	}
}

/* NULL: a model without experts. */
static WeftRouting *routing_new(const WeftArch *arch)
{
	gsize n = 0;
	for (gsize i = 0; i < arch->n_layers; i++)
		n += arch->layers[i].is_moe ? 1 : 0;
	if (n == 0)
		return NULL;
	WeftRouting *routing = weft_routing_new(n, arch->n_experts, arch->n_experts_active);
	gsize slot = 0;
	for (gsize i = 0; i < arch->n_layers; i++)
		if (arch->layers[i].is_moe)
			routing->layers[slot++] = (guint32)i;
	return routing;
}

guint64 weft_batch_add(WeftBatch *batch, WeftActive *take_active)
{
	take_active->ticket = ++batch->ticket_last;
	take_active->prefix = find_prefix(batch, take_active->sequence, take_active->adapter);
	if (take_active->prefix) {
		take_active->prefix->n_users++;
		take_active->prefix->used = ++batch->n_uses;
	}
	if (take_active->generation.counts_routing)
		take_active->routing = routing_new(batch->pass->arch);
	if (take_active->schema)
		take_active->gaze = weft_gaze_new(take_active->sequence, batch->pass->arch->n_heads);
	g_ptr_array_add(batch->active, take_active);
	collect(batch);
	return batch->ticket_last;
}

/* FALSE: the request waits for another one to compute their prefix. */
static gboolean begin(WeftBatch *batch, WeftActive *active)
{
	WeftPrefix *prefix = active->prefix;
	if (active->cache)
		return TRUE;
	if (prefix && prefix->cache) {
		active->cache = weft_cache_share(prefix->cache);
		active->n_fed = prefix->ids->len;
		if (active->routing)
			weft_routing_add(active->routing, prefix->routing);
		leave_prefix(active);
		return TRUE;
	}
	if (prefix && prefix->owner != 0)
		return FALSE;
	/* Counted whoever computes it: a later request may be asked about it. */
	if (prefix && !active->routing)
		active->routing = routing_new(batch->pass->arch);
	if (prefix)
		prefix->owner = active->ticket;
	active->cache = weft_cache_new(batch->pool);
	return TRUE;
}

static gsize piece_rows(const WeftActive *active)
{
	gsize end = (active->n_fed / WEFT_PIECE_ROWS + 1) * WEFT_PIECE_ROWS;
	end = MIN(end, active->ids->len);
	if (active->prefix && active->n_fed < active->prefix->ids->len)
		end = MIN(end, active->prefix->ids->len);
	return end - active->n_fed;
}

void weft_batch_embed(WeftPass *pass, gsize row, const WeftSequence *sequence, const gint32 *ids,
		      gsize first, gsize n, const WeftAdapter *adapter, gsize *n_rows_fed)
{
	gsize width = pass->arch->width;
	for (gsize i = 0; i < n;) {
		gsize run = i;
		gboolean in_prompt = first + i < weft_sequence_length(sequence);
		if (in_prompt && sequence->is_row->data[first + i]) {
			const float *rows = (const float *)(const void *)sequence->rows->data;
			memcpy(pass->x + (row + i) * width, rows + *n_rows_fed * width,
			       width * sizeof(float));
			(*n_rows_fed)++;
			i++;
			continue;
		}
		while (i < n && !(first + i < weft_sequence_length(sequence) &&
				  sequence->is_row->data[first + i]))
			i++;
		weft_pass_embed(pass, row + run, ids + first + run, i - run, adapter);
	}
}

/* Takes the request into the step if it is its turn and it fits. */
static gboolean schedule(WeftBatch *batch, WeftActive *active, gsize row, WeftSegment *ret_segment)
{
	if (!begin(batch, active))
		return FALSE;
	gsize n = piece_rows(active);
	if (row + n > WEFT_STEP_ROWS)
		return FALSE;
	if (!weft_cache_extend(active->cache, active->n_fed, n, &active->fault))
		return FALSE;
	weft_batch_embed(batch->pass, row, active->sequence,
			 (const gint32 *)(const void *)active->ids->data, active->n_fed, n,
			 active->adapter, &active->n_rows_fed);
	*ret_segment = (WeftSegment){.cache = active->cache,
				     .row_first = row,
				     .n_rows = n,
				     .position = active->n_fed,
				     .adapter = active->adapter,
				     .routing = active->routing};
	if (active->gaze && active->n_fed + n == active->ids->len) {
		weft_gaze_begin(active->gaze);
		ret_segment->gaze = active->gaze;
	}
	return TRUE;
}

/* After the pass: the prefix is there for all; where the last token was fed, the next is chosen. */
static void advance(WeftBatch *batch, WeftActive **members, const WeftSegment *segments, gsize n)
{
	gsize n_last = 0, n_vocab = batch->pass->arch->n_vocab;
	for (gsize i = 0; i < n; i++) {
		WeftActive *active = members[i];
		active->n_fed += segments[i].n_rows;
		if (active->prefix && active->n_fed == active->prefix->ids->len) {
			active->prefix->cache = weft_cache_share(active->cache);
			if (active->routing)
				active->prefix->routing = weft_routing_copy(active->routing);
			leave_prefix(active);
		}
		if (active->n_fed == active->ids->len)
			batch->last_rows[n_last++] =
				(guint32)(segments[i].row_first + segments[i].n_rows - 1);
	}
	if (n_last == 0)
		return;
	weft_pass_logits(batch->pass, batch->last_rows, n_last, batch->logits);
	gsize last = 0;
	for (gsize i = 0; i < n; i++)
		if (members[i]->n_fed == members[i]->ids->len)
			weft_active_choose(members[i], batch->logits + last++ * n_vocab);
}

void weft_batch_step(WeftBatch *batch)
{
	gsize n = 0, row = 0, n_active = batch->active->len;
	g_autofree WeftSegment *segments = g_new(WeftSegment, n_active + 1);
	g_autofree WeftActive **members = g_new(WeftActive *, n_active + 1);

	for (int round = 0; round < 2; round++)
		for (gsize i = 0; i < n_active; i++) {
			WeftActive *active = g_ptr_array_index(batch->active, i);
			gboolean is_short = active->ids->len - active->n_fed <= SHORT_ROWS;
			if (is_short != (round == 0) ||
			    !schedule(batch, active, row, &segments[n]))
				continue;
			members[n] = active;
			row += segments[n++].n_rows;
		}
	if (n > 0) {
		weft_pass_run(batch->pass, segments, n);
		advance(batch, members, segments, n);
	}
	collect(batch);
}

WeftActive *weft_batch_take(WeftBatch *batch)
{
	return g_queue_pop_head(batch->ended);
}

void weft_batch_cancel(WeftBatch *batch, guint64 ticket)
{
	for (guint i = 0; i < batch->active->len; i++) {
		WeftActive *active = g_ptr_array_index(batch->active, i);
		if (active->ticket != ticket)
			continue;
		leave_prefix(active);
		g_ptr_array_remove_index(batch->active, i);
		weft_active_free(active);
		return;
	}
	for (GList *link = batch->ended->head; link; link = link->next) {
		WeftActive *active = link->data;
		if (active->ticket != ticket)
			continue;
		g_queue_delete_link(batch->ended, link);
		weft_active_free(active);
		return;
	}
}
