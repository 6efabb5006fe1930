#include "kernels/team.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct Member {
	WeftTeam *team;
	pthread_t thread;
	void *scratch;
} Member;

struct WeftTeam {
	pthread_mutex_t turn; /* held by the caller whose run this is */
	pthread_mutex_t lock; /* guards what follows, down to n_working */
	pthread_cond_t wake;  /* places > 0 or stop */
	pthread_cond_t idle;  /* n_working == 0 */
	size_t n_places;      /* how many more members may join the run */
	size_t n_working;     /* members in the run */
	bool stop;
	/* Written by the caller before places are given out, read by the members that took one. */
	WeftPiece piece;
	void *context;
	size_t n_pieces;
	atomic_size_t next; /* number of the next piece */
	int n_threads;
	int n_started;      /* threads that run: members 1 .. n_started */
	Member members[];   /* member 0 is the caller */
};

static void work(WeftTeam *team, void *scratch)
{
	for (;;) {
		size_t piece = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
		if (piece >= team->n_pieces)
			return;
		team->piece(team->context, piece, scratch);
	}
}

static void *member_main(void *argument)
{
	Member *member = argument;
	WeftTeam *team = member->team;
	pthread_mutex_lock(&team->lock);
	for (;;) {
		while (team->n_places == 0 && !team->stop)
			pthread_cond_wait(&team->wake, &team->lock);
		if (team->stop)
			break;
		team->n_places--;
		team->n_working++;
		pthread_mutex_unlock(&team->lock);
		work(team, member->scratch);
		pthread_mutex_lock(&team->lock);
		if (--team->n_working == 0)
			pthread_cond_signal(&team->idle);
	}
	pthread_mutex_unlock(&team->lock);
	return NULL;
}

/* Signals are for the thread that started the team: its handlers and masks stay in charge. */
static int start_members(WeftTeam *team)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int status = 0;
	for (int i = 1; i < team->n_threads && status == 0; i++) {
		status = pthread_create(&team->members[i].thread, NULL, member_main,
					&team->members[i]);
		if (status == 0)
			team->n_started = i;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

WeftTeam *weft_team_new(int n_threads)
{
	if (n_threads < 1 || n_threads > WEFT_TEAM_THREADS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	WeftTeam *team = calloc(1, sizeof *team + (size_t)n_threads * sizeof *team->members);
	if (!team)
		return NULL;
	team->n_threads = n_threads;
	atomic_init(&team->next, 0);
	pthread_mutex_init(&team->turn, NULL);
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->wake, NULL);
	pthread_cond_init(&team->idle, NULL);
	int status = 0;
	for (int i = 0; i < n_threads && status == 0; i++) {
		team->members[i].team = team;
		team->members[i].scratch = aligned_alloc(64, WEFT_TEAM_SCRATCH_BYTES);
		if (!team->members[i].scratch)
			status = ENOMEM;
	}
	if (status == 0)
		status = start_members(team);
	if (status != 0) {
		weft_team_free(team);
		errno = status;
		return NULL;
	}
	return team;
}

void weft_team_free(WeftTeam *team)
{
	if (!team)
		return;
	pthread_mutex_lock(&team->lock);
	team->stop = true;
	pthread_cond_broadcast(&team->wake);
	pthread_mutex_unlock(&team->lock);
	for (int i = 1; i <= team->n_started; i++)
		pthread_join(team->members[i].thread, NULL);
	for (int i = 0; i < team->n_threads; i++)
		free(team->members[i].scratch);
	pthread_cond_destroy(&team->idle);
	pthread_cond_destroy(&team->wake);
	pthread_mutex_destroy(&team->lock);
	pthread_mutex_destroy(&team->turn);
	free(team);
}

int weft_team_n_threads(const WeftTeam *team)
{
	return team->n_threads;
}

/* Places that nobody took are withdrawn when the pieces are gone, so that a short run never waits
 * for a thread to wake up. */
static void run_together(WeftTeam *team, size_t n_pieces)
{
	size_t n_helpers = (size_t)team->n_threads - 1;
	if (n_helpers > n_pieces - 1)
		n_helpers = n_pieces - 1;
	pthread_mutex_lock(&team->lock);
	team->n_places = n_helpers;
	pthread_mutex_unlock(&team->lock);
	for (size_t i = 0; i < n_helpers; i++)
		pthread_cond_signal(&team->wake);
	work(team, team->members[0].scratch);
	pthread_mutex_lock(&team->lock);
	team->n_places = 0;
	while (team->n_working > 0)
		pthread_cond_wait(&team->idle, &team->lock);
	pthread_mutex_unlock(&team->lock);
}

void weft_team_run(WeftTeam *team, size_t n_pieces, WeftPiece piece, void *context)
{
	if (n_pieces == 0)
		return;
	pthread_mutex_lock(&team->turn);
	team->piece = piece;
	team->context = context;
	team->n_pieces = n_pieces;
	atomic_store_explicit(&team->next, 0, memory_order_relaxed);
	if (n_pieces == 1 || team->n_threads == 1)
		work(team, team->members[0].scratch);
	else
		run_together(team, n_pieces);
	pthread_mutex_unlock(&team->turn);
}
