#include "pipeline/channel.h"

#include <pthread.h>

typedef struct Slot {
	struct Slot *next;
	void *item;
	size_t size_bytes;
} Slot;

struct WeftChannel {
	void (*free_item)(void *);
	WeftBudget *budget;
	size_t limit_bytes;

	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t can_send, can_receive;
	Slot *head, *tail;
	size_t n_queued, bytes, bytes_peak;
	uint64_t n_sent, n_received;
	unsigned n_senders, n_receivers; /* that have not finished */
};

WeftChannel *weft_channel_new(size_t limit_bytes, unsigned n_senders, unsigned n_receivers,
                              void (*free_item)(void *), WeftBudget *budget)
{
	WeftChannel *channel = g_new0(WeftChannel, 1);

	channel->free_item = free_item;
	channel->budget = budget;
	channel->limit_bytes = limit_bytes;
	channel->n_senders = n_senders;
	channel->n_receivers = n_receivers;
	pthread_mutex_init(&channel->mutex, NULL);
	pthread_cond_init(&channel->can_send, NULL);
	pthread_cond_init(&channel->can_receive, NULL);
	return channel;
}

/* Unlinks the whole queue; the caller frees it outside the lock. */
static Slot *detach_locked(WeftChannel *channel)
{
	Slot *head = channel->head;

	if (channel->budget != NULL)
		weft_budget_remove(channel->budget, channel->bytes);
	channel->head = channel->tail = NULL;
	channel->n_queued = 0;
	channel->bytes = 0;
	return head;
}

static void free_slots(WeftChannel *channel, Slot *slot)
{
	while (slot != NULL) {
		Slot *next = slot->next;

		channel->free_item(slot->item);
		g_free(slot);
		slot = next;
	}
}

void weft_channel_free(WeftChannel *channel)
{
	if (channel == NULL)
		return;
	free_slots(channel, detach_locked(channel));
	pthread_cond_destroy(&channel->can_receive);
	pthread_cond_destroy(&channel->can_send);
	pthread_mutex_destroy(&channel->mutex);
	g_free(channel);
}

static bool has_room_locked(const WeftChannel *channel, size_t size_bytes)
{
	return channel->n_queued == 0 || (channel->bytes <= channel->limit_bytes &&
	                                  size_bytes <= channel->limit_bytes - channel->bytes);
}

bool weft_channel_send(WeftChannel *channel, void *take_item, size_t size_bytes)
{
	Slot *slot = g_new0(Slot, 1);
	bool is_sent;

	slot->item = take_item;
	slot->size_bytes = size_bytes;

	pthread_mutex_lock(&channel->mutex);
	while (channel->n_receivers > 0 && !has_room_locked(channel, size_bytes))
		pthread_cond_wait(&channel->can_send, &channel->mutex);
	is_sent = channel->n_receivers > 0;
	if (is_sent) {
		if (channel->tail != NULL)
			channel->tail->next = slot;
		else
			channel->head = slot;
		channel->tail = slot;
		channel->n_queued++;
		channel->n_sent++;
		channel->bytes += size_bytes;
		channel->bytes_peak = MAX(channel->bytes_peak, channel->bytes);
		if (channel->budget != NULL)
			weft_budget_add(channel->budget, size_bytes);
		pthread_cond_signal(&channel->can_receive);
	}
	pthread_mutex_unlock(&channel->mutex);

	if (!is_sent)
		free_slots(channel, slot);
	return is_sent;
}

void *weft_channel_receive(WeftChannel *channel)
{
	Slot *slot;
	void *item = NULL;

	pthread_mutex_lock(&channel->mutex);
	while (channel->head == NULL && channel->n_senders > 0 && channel->n_receivers > 0)
		pthread_cond_wait(&channel->can_receive, &channel->mutex);
	slot = channel->head;
	if (slot != NULL) {
		channel->head = slot->next;
		if (channel->head == NULL)
			channel->tail = NULL;
		channel->n_queued--;
		channel->n_received++;
		channel->bytes -= slot->size_bytes;
		if (channel->budget != NULL)
			weft_budget_remove(channel->budget, slot->size_bytes);
		/* Broadcast: senders wait for different amounts of room. */
		pthread_cond_broadcast(&channel->can_send);
	}
	pthread_mutex_unlock(&channel->mutex);

	if (slot != NULL)
		item = slot->item;
	g_free(slot);
	return item;
}

void weft_channel_finish_sender(WeftChannel *channel)
{
	pthread_mutex_lock(&channel->mutex);
	if (channel->n_senders > 0 && --channel->n_senders == 0)
		pthread_cond_broadcast(&channel->can_receive);
	pthread_mutex_unlock(&channel->mutex);
}

void weft_channel_finish_receiver(WeftChannel *channel)
{
	Slot *left = NULL;

	pthread_mutex_lock(&channel->mutex);
	if (channel->n_receivers > 0 && --channel->n_receivers == 0) {
		left = detach_locked(channel);
		pthread_cond_broadcast(&channel->can_send);
	}
	pthread_mutex_unlock(&channel->mutex);
	free_slots(channel, left);
}

void weft_channel_cancel(WeftChannel *channel)
{
	Slot *left;

	pthread_mutex_lock(&channel->mutex);
	channel->n_senders = 0;
	channel->n_receivers = 0;
	left = detach_locked(channel);
	pthread_cond_broadcast(&channel->can_send);
	pthread_cond_broadcast(&channel->can_receive);
	pthread_mutex_unlock(&channel->mutex);
	free_slots(channel, left);
}

WeftChannelCounts weft_channel_counts(WeftChannel *channel)
{
	WeftChannelCounts counts;

	pthread_mutex_lock(&channel->mutex);
	counts = (WeftChannelCounts){
	    .n_sent = channel->n_sent,
	    .n_received = channel->n_received,
	    .n_queued = channel->n_queued,
	    .bytes = channel->bytes,
	    .bytes_peak = channel->bytes_peak,
	    .limit_bytes = channel->limit_bytes,
	};
	pthread_mutex_unlock(&channel->mutex);
	return counts;
}
