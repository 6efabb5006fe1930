#include "pipeline/batcher.h"

#include <pthread.h>

#include "base/error.h"

typedef enum {
	STATE_WAITING,   /* for room in the model */
	STATE_RUNNING,   /* in the model */
	STATE_DONE,      /* answer or fault is set */
	STATE_ABANDONED, /* freed by its owner while it ran; the batcher frees the rest */
} State;

struct WeftPending {
	WeftBatcher *batcher;
	WeftPending *next; /* in one of the batcher's lists */
	State state;
	WeftSequence *sequence;
	gsize size_bytes;
	WeftGeneration generation;
	guint64 ticket;
	WeftAnswer *answer;
	GError *fault;
};

struct WeftBatcher {
	WeftModel *model; /* only the thread touches it */
	guint in_flight_max;
	gsize bytes_max;
	const WeftStop *stop; /* NULL: none */
	pthread_t thread;

	pthread_mutex_t mutex; /* guards all below, and the state and results of all pendings */
	pthread_cond_t has_work, has_changed;
	WeftPending *waiting, **waiting_end;
	WeftPending *running;
	guint n_in_flight;
	gsize bytes_in_flight;
	gboolean is_cancelled;
};

static void pending_delete(WeftPending *pending)
{
	weft_sequence_free(pending->sequence);
	weft_answer_free(pending->answer);
	g_clear_error(&pending->fault);
	g_free(pending);
}

/* Takes answer and fault. The pending is in no list any more. */
static void finish_locked(WeftBatcher *batcher, WeftPending *pending, WeftAnswer *answer,
                          GError *fault)
{
	batcher->n_in_flight--;
	batcher->bytes_in_flight -= pending->size_bytes;
	pending->answer = answer;
	pending->fault = fault;
	if (pending->state == STATE_ABANDONED)
		pending_delete(pending);
	else
		pending->state = STATE_DONE;
	pthread_cond_broadcast(&batcher->has_changed);
}

static GError *cancelled(void)
{
	return g_error_new(WEFT_ERROR, WEFT_ERROR_CANCELLED, "stopped on request");
}

static WeftPending *pop_waiting_locked(WeftBatcher *batcher)
{
	WeftPending *pending = batcher->waiting;

	batcher->waiting = pending->next;
	if (batcher->waiting == NULL)
		batcher->waiting_end = &batcher->waiting;
	pending->next = NULL;
	return pending;
}

static void fail_waiting_locked(WeftBatcher *batcher, const GError *fault)
{
	while (batcher->waiting != NULL)
		finish_locked(batcher, pop_waiting_locked(batcher), NULL, g_error_copy(fault));
}

static void fail_all_locked(WeftBatcher *batcher, const GError *fault)
{
	fail_waiting_locked(batcher, fault);
	while (batcher->running != NULL) {
		WeftPending *pending = batcher->running;

		batcher->running = pending->next;
		weft_model_cancel(batcher->model, pending->ticket);
		finish_locked(batcher, pending, NULL, g_error_copy(fault));
	}
}

/* What waits for its turn is left when the run is to stop; what is in the model goes on. */
static void leave_waiting_locked(WeftBatcher *batcher)
{
	g_autoptr(GError) fault = weft_stop_fault();

	fail_waiting_locked(batcher, fault);
}

/* The next one for the model, or NULL. */
static WeftPending *next_waiting(WeftBatcher *batcher, gboolean has_room)
{
	WeftPending *pending = NULL;

	pthread_mutex_lock(&batcher->mutex);
	if (weft_stop_is_asked(batcher->stop))
		leave_waiting_locked(batcher);
	while (batcher->waiting != NULL && batcher->waiting->state == STATE_ABANDONED)
		finish_locked(batcher, pop_waiting_locked(batcher), NULL, NULL);
	if (batcher->waiting != NULL && has_room)
		pending = pop_waiting_locked(batcher);
	pthread_mutex_unlock(&batcher->mutex);
	return pending;
}

/* Hands waiting requests to the model while it has room. */
static void submit_waiting(WeftBatcher *batcher)
{
	WeftPending *pending;

	while ((pending = next_waiting(batcher, weft_model_has_room(batcher->model))) != NULL) {
		GError *fault = NULL;
		gboolean is_in;

		is_in = weft_model_submit(batcher->model, g_steal_pointer(&pending->sequence),
		                          &pending->generation, &pending->ticket, &fault);
		pthread_mutex_lock(&batcher->mutex);
		if (is_in) {
			if (pending->state == STATE_WAITING)
				pending->state = STATE_RUNNING;
			pending->next = batcher->running;
			batcher->running = pending;
		} else {
			finish_locked(batcher, pending, NULL, fault);
		}
		pthread_mutex_unlock(&batcher->mutex);
	}
}

static void take_finished(WeftBatcher *batcher)
{
	guint64 ticket;
	WeftAnswer *answer = NULL;
	GError *fault = NULL;

	while (weft_model_take(batcher->model, &ticket, &answer, &fault)) {
		pthread_mutex_lock(&batcher->mutex);
		for (WeftPending **link = &batcher->running; *link != NULL; link = &(*link)->next) {
			WeftPending *pending = *link;

			if (pending->ticket != ticket)
				continue;
			*link = pending->next;
			finish_locked(batcher, pending, g_steal_pointer(&answer),
			              g_steal_pointer(&fault));
			break;
		}
		pthread_mutex_unlock(&batcher->mutex);
		g_clear_pointer(&answer, weft_answer_free);
		g_clear_error(&fault);
	}
}

/* Waits until there is something to do; FALSE: the end. */
static gboolean wait_for_work(WeftBatcher *batcher)
{
	gboolean goes_on;

	pthread_mutex_lock(&batcher->mutex);
	while (!batcher->is_cancelled && batcher->waiting == NULL && batcher->running == NULL)
		pthread_cond_wait(&batcher->has_work, &batcher->mutex);
	goes_on = !batcher->is_cancelled;
	if (!goes_on) {
		GError *reason = cancelled();

		fail_all_locked(batcher, reason);
		g_error_free(reason);
	}
	pthread_mutex_unlock(&batcher->mutex);
	return goes_on;
}

static void *run_batcher(void *data)
{
	WeftBatcher *batcher = data;

	while (wait_for_work(batcher)) {
		GError *fault = NULL;

		submit_waiting(batcher);
		if (batcher->running != NULL && !weft_model_step(batcher->model, &fault)) {
			pthread_mutex_lock(&batcher->mutex);
			fail_all_locked(batcher, fault);
			pthread_mutex_unlock(&batcher->mutex);
			g_clear_error(&fault);
		}
		take_finished(batcher);
	}
	return NULL;
}

WeftBatcher *weft_batcher_new(WeftModel *take_model, guint in_flight_max, gsize bytes_max,
                              GError **error)
{
	WeftBatcher *batcher = g_new0(WeftBatcher, 1);
	int failure;

	batcher->model = take_model;
	batcher->in_flight_max = in_flight_max;
	batcher->bytes_max = bytes_max;
	batcher->waiting_end = &batcher->waiting;
	pthread_mutex_init(&batcher->mutex, NULL);
	pthread_cond_init(&batcher->has_work, NULL);
	pthread_cond_init(&batcher->has_changed, NULL);
	failure = pthread_create(&batcher->thread, NULL, run_batcher, batcher);
	if (failure != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "thread of the model: %s",
		            g_strerror(failure));
		weft_model_close(batcher->model);
		g_free(batcher);
		return NULL;
	}
	return batcher;
}

void weft_batcher_heed(WeftBatcher *batcher, const WeftStop *stop)
{
	batcher->stop = stop;
}

void weft_batcher_cancel(WeftBatcher *batcher)
{
	if (batcher == NULL)
		return;
	pthread_mutex_lock(&batcher->mutex);
	batcher->is_cancelled = TRUE;
	pthread_cond_broadcast(&batcher->has_work);
	pthread_cond_broadcast(&batcher->has_changed);
	pthread_mutex_unlock(&batcher->mutex);
}

void weft_batcher_free(WeftBatcher *batcher)
{
	if (batcher == NULL)
		return;
	weft_batcher_cancel(batcher);
	pthread_join(batcher->thread, NULL);
	weft_model_close(batcher->model);
	pthread_cond_destroy(&batcher->has_changed);
	pthread_cond_destroy(&batcher->has_work);
	pthread_mutex_destroy(&batcher->mutex);
	g_free(batcher);
}

static gboolean has_room_locked(const WeftBatcher *batcher, gsize size_bytes)
{
	return batcher->n_in_flight == 0 ||
	       (batcher->n_in_flight < batcher->in_flight_max &&
	        batcher->bytes_in_flight <= batcher->bytes_max &&
	        size_bytes <= batcher->bytes_max - batcher->bytes_in_flight);
}

WeftPending *weft_batcher_submit(WeftBatcher *batcher, WeftSequence *take_sequence,
                                 const WeftGeneration *generation)
{
	WeftPending *pending = g_new0(WeftPending, 1);

	pending->batcher = batcher;
	pending->sequence = take_sequence;
	pending->size_bytes = weft_sequence_size_bytes(take_sequence);
	pending->generation = *generation;

	pthread_mutex_lock(&batcher->mutex);
	while (!batcher->is_cancelled && !has_room_locked(batcher, pending->size_bytes))
		pthread_cond_wait(&batcher->has_changed, &batcher->mutex);
	if (batcher->is_cancelled) {
		pending->state = STATE_DONE;
		pending->fault = cancelled();
	} else {
		batcher->n_in_flight++;
		batcher->bytes_in_flight += pending->size_bytes;
		*batcher->waiting_end = pending;
		batcher->waiting_end = &pending->next;
		pthread_cond_signal(&batcher->has_work);
	}
	pthread_mutex_unlock(&batcher->mutex);
	return pending;
}

gboolean weft_pending_wait(WeftPending *pending, WeftAnswer **ret_answer, GError **error)
{
	WeftBatcher *batcher = pending->batcher;

	pthread_mutex_lock(&batcher->mutex);
	while (pending->state != STATE_DONE)
		pthread_cond_wait(&batcher->has_changed, &batcher->mutex);
	pthread_mutex_unlock(&batcher->mutex);

	if (pending->answer == NULL) {
		g_propagate_error(error, g_steal_pointer(&pending->fault));
		return FALSE;
	}
	*ret_answer = g_steal_pointer(&pending->answer);
	return TRUE;
}

void weft_pending_free(WeftPending *pending)
{
	WeftBatcher *batcher;
	gboolean is_done;

	if (pending == NULL)
		return;
	batcher = pending->batcher;
	pthread_mutex_lock(&batcher->mutex);
	is_done = pending->state == STATE_DONE;
	if (!is_done)
		pending->state = STATE_ABANDONED;
	pthread_mutex_unlock(&batcher->mutex);
	if (is_done)
		pending_delete(pending);
}
