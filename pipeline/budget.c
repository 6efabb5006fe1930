#include "pipeline/budget.h"

#include <pthread.h>
#include <stdatomic.h>

struct WeftBudget {
	atomic_size_t bytes, peak;

	pthread_mutex_t mutex; /* guards the three below */
	pthread_cond_t left;
	unsigned n_documents, documents_max;
	bool is_cancelled;
};

WeftBudget *weft_budget_new(unsigned documents_max)
{
	WeftBudget *budget = g_new0(WeftBudget, 1);

	g_return_val_if_fail(documents_max > 0, NULL);
	atomic_init(&budget->bytes, 0);
	atomic_init(&budget->peak, 0);
	budget->documents_max = documents_max;
	pthread_mutex_init(&budget->mutex, NULL);
	pthread_cond_init(&budget->left, NULL);
	return budget;
}

void weft_budget_free(WeftBudget *budget)
{
	if (budget == NULL)
		return;
	pthread_cond_destroy(&budget->left);
	pthread_mutex_destroy(&budget->mutex);
	g_free(budget);
}

void weft_budget_add(WeftBudget *budget, size_t size_bytes)
{
	size_t now = atomic_fetch_add(&budget->bytes, size_bytes) + size_bytes;
	size_t peak = atomic_load(&budget->peak);

	while (now > peak && !atomic_compare_exchange_weak(&budget->peak, &peak, now))
		;
}

void weft_budget_remove(WeftBudget *budget, size_t size_bytes)
{
	atomic_fetch_sub(&budget->bytes, size_bytes);
}

size_t weft_budget_bytes(WeftBudget *budget)
{
	return atomic_load(&budget->bytes);
}

size_t weft_budget_peak(WeftBudget *budget)
{
	return atomic_load(&budget->peak);
}

bool weft_budget_enter(WeftBudget *budget)
{
	bool has_entered;

	pthread_mutex_lock(&budget->mutex);
	while (budget->n_documents >= budget->documents_max && !budget->is_cancelled)
		pthread_cond_wait(&budget->left, &budget->mutex);
	has_entered = !budget->is_cancelled;
	if (has_entered)
		budget->n_documents++;
	pthread_mutex_unlock(&budget->mutex);
	return has_entered;
}

bool weft_budget_drain(WeftBudget *budget)
{
	bool is_empty;

	pthread_mutex_lock(&budget->mutex);
	while (budget->n_documents > 0 && !budget->is_cancelled)
		pthread_cond_wait(&budget->left, &budget->mutex);
	is_empty = !budget->is_cancelled;
	pthread_mutex_unlock(&budget->mutex);
	return is_empty;
}

void weft_budget_leave(WeftBudget *budget)
{
	pthread_mutex_lock(&budget->mutex);
	g_assert(budget->n_documents > 0);
	budget->n_documents--;
	pthread_cond_signal(&budget->left);
	pthread_mutex_unlock(&budget->mutex);
}

void weft_budget_cancel(WeftBudget *budget)
{
	pthread_mutex_lock(&budget->mutex);
	budget->is_cancelled = true;
	pthread_cond_broadcast(&budget->left);
	pthread_mutex_unlock(&budget->mutex);
}
