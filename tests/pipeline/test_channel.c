#include "pipeline/channel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

typedef struct Box {
	atomic_int *n_alive;
	unsigned value;
} Box;

static Box *box_new(atomic_int *n_alive, unsigned value)
{
	Box *box = g_new0(Box, 1);

	box->n_alive = n_alive;
	box->value = value;
	atomic_fetch_add(n_alive, 1);
	return box;
}

static void box_free(void *data)
{
	Box *box = data;

	atomic_fetch_sub(box->n_alive, 1);
	g_free(box);
}

/* Waits for an event that is certain to come; gives up after ten seconds so that a broken channel
 * fails instead of hanging. */
#define WAIT_UNTIL(condition)                                                                      \
	do {                                                                                       \
		struct timespec tick = {0, 200000};                                                \
		int n_left = 50000;                                                                \
		while (!(condition) && --n_left > 0)                                               \
			nanosleep(&tick, NULL);                                                    \
		g_assert_cmpint(n_left, >, 0);                                                     \
	} while (0)

typedef struct Sender {
	WeftChannel *channel;
	atomic_int n_alive, n_sent, n_refused;
	unsigned n_items;
	size_t size_bytes;
	pthread_t thread;
} Sender;

static void *send_all(void *data)
{
	Sender *sender = data;

	for (unsigned i = 0; i < sender->n_items; i++) {
		Box *box = box_new(&sender->n_alive, i);

		if (weft_channel_send(sender->channel, box, sender->size_bytes))
			atomic_fetch_add(&sender->n_sent, 1);
		else
			atomic_fetch_add(&sender->n_refused, 1);
	}
	weft_channel_finish_sender(sender->channel);
	return NULL;
}

static void start_sender(Sender *sender, WeftChannel *channel, unsigned n_items, size_t size_bytes)
{
	sender->channel = channel;
	sender->n_items = n_items;
	sender->size_bytes = size_bytes;
	atomic_init(&sender->n_alive, 0);
	atomic_init(&sender->n_sent, 0);
	atomic_init(&sender->n_refused, 0);
	g_assert_cmpint(pthread_create(&sender->thread, NULL, send_all, sender), ==, 0);
}

static void test_order_and_end(void)
{
	g_autoptr(WeftChannel) channel = weft_channel_new(30, 1, 1, box_free, NULL);
	Sender sender;
	Box *box;
	unsigned n_received = 0;

	start_sender(&sender, channel, 100, 10);
	while ((box = weft_channel_receive(channel)) != NULL) {
		g_assert_cmpuint(box->value, ==, n_received);
		n_received++;
		box_free(box);
	}
	pthread_join(sender.thread, NULL);
	g_assert_cmpuint(n_received, ==, 100);
	g_assert_cmpint(atomic_load(&sender.n_alive), ==, 0);
	g_assert_null(weft_channel_receive(channel));
}

static void test_sender_waits_for_room(void)
{
	g_autoptr(WeftBudget) budget = weft_budget_new(1);
	g_autoptr(WeftChannel) channel = weft_channel_new(35, 1, 1, box_free, budget);
	Sender sender;
	Box *box;

	start_sender(&sender, channel, 50, 10);
	WAIT_UNTIL(weft_channel_counts(channel).n_queued == 3);
	for (int i = 0; i < 50; i++) {
		WeftChannelCounts counts = weft_channel_counts(channel);

		g_assert_cmpuint(counts.bytes, <=, 35);
		/* Three fit, a fourth waits in the sender's hand. */
		g_assert_cmpint(atomic_load(&sender.n_alive), <=, 4);
		box = weft_channel_receive(channel);
		g_assert_nonnull(box);
		box_free(box);
	}
	pthread_join(sender.thread, NULL);
	g_assert_cmpuint(weft_channel_counts(channel).bytes_peak, ==, 30);
	g_assert_cmpuint(weft_budget_peak(budget), ==, 30);
	g_assert_cmpuint(weft_budget_bytes(budget), ==, 0);
}

static void test_large_item_passes_alone(void)
{
	g_autoptr(WeftChannel) channel = weft_channel_new(5, 1, 1, box_free, NULL);
	Sender sender;

	start_sender(&sender, channel, 3, 1000);
	for (int i = 0; i < 3; i++) {
		Box *box;

		WAIT_UNTIL(weft_channel_counts(channel).n_queued == 1);
		g_assert_cmpuint(weft_channel_counts(channel).bytes, ==, 1000);
		box = weft_channel_receive(channel);
		box_free(box);
	}
	pthread_join(sender.thread, NULL);
	g_assert_cmpuint(weft_channel_counts(channel).bytes_peak, ==, 1000);
}

static void test_receiver_finishes_first(void)
{
	g_autoptr(WeftBudget) budget = weft_budget_new(1);
	g_autoptr(WeftChannel) channel = weft_channel_new(20, 1, 1, box_free, budget);
	Sender sender;

	start_sender(&sender, channel, 40, 10);
	WAIT_UNTIL(weft_channel_counts(channel).n_queued == 2);
	box_free(weft_channel_receive(channel));
	weft_channel_finish_receiver(channel);
	pthread_join(sender.thread, NULL);
	g_assert_cmpint(atomic_load(&sender.n_refused), >=, 37);
	g_assert_cmpint(atomic_load(&sender.n_alive), ==, 0);
	g_assert_cmpuint(weft_budget_bytes(budget), ==, 0);
}

static void *receive_one(void *data)
{
	return weft_channel_receive(data);
}

static void test_cancel_wakes_both_sides(void)
{
	for (int i = 0; i < 50; i++) {
		g_autoptr(WeftChannel) full = weft_channel_new(10, 1, 1, box_free, NULL);
		g_autoptr(WeftChannel) empty = weft_channel_new(10, 1, 1, box_free, NULL);
		Sender sender;
		pthread_t receiver;
		void *received;

		start_sender(&sender, full, 5, 10);
		g_assert_cmpint(pthread_create(&receiver, NULL, receive_one, empty), ==, 0);
		if (i % 2 == 0)
			WAIT_UNTIL(weft_channel_counts(full).n_queued == 1);
		weft_channel_cancel(full);
		weft_channel_cancel(empty);
		pthread_join(sender.thread, NULL);
		pthread_join(receiver, &received);
		g_assert_null(received);
		g_assert_cmpint(atomic_load(&sender.n_alive), ==, 0);
	}
}

static void test_many_senders_end_once(void)
{
	g_autoptr(WeftChannel) channel = weft_channel_new(64, 4, 1, box_free, NULL);
	Sender senders[4];
	Box *box;
	unsigned next[4] = {0};
	unsigned n_received = 0;

	for (int i = 0; i < 4; i++)
		start_sender(&senders[i], channel, 500, 8);
	while ((box = weft_channel_receive(channel)) != NULL) {
		for (int i = 0; i < 4; i++) {
			if (box->n_alive == &senders[i].n_alive)
				g_assert_cmpuint(box->value, ==, next[i]++);
		}
		box_free(box);
		n_received++;
	}
	g_assert_cmpuint(n_received, ==, 2000);
	for (int i = 0; i < 4; i++)
		pthread_join(senders[i].thread, NULL);
	g_assert_cmpuint(weft_channel_counts(channel).bytes_peak, <=, 64);
}

typedef struct Entrant {
	WeftBudget *budget;
	atomic_int n_entered;
	pthread_t thread;
} Entrant;

static void *enter_five(void *data)
{
	Entrant *entrant = data;

	for (int i = 0; i < 5; i++) {
		if (weft_budget_enter(entrant->budget))
			atomic_fetch_add(&entrant->n_entered, 1);
	}
	return NULL;
}

static void test_places_are_bounded(void)
{
	g_autoptr(WeftBudget) budget = weft_budget_new(2);
	Entrant entrant = {.budget = budget};

	atomic_init(&entrant.n_entered, 0);
	g_assert_cmpint(pthread_create(&entrant.thread, NULL, enter_five, &entrant), ==, 0);
	WAIT_UNTIL(atomic_load(&entrant.n_entered) == 2);
	weft_budget_leave(budget);
	WAIT_UNTIL(atomic_load(&entrant.n_entered) == 3);
	weft_budget_cancel(budget);
	pthread_join(entrant.thread, NULL);
	g_assert_cmpint(atomic_load(&entrant.n_entered), ==, 3);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/channel/order-and-end", test_order_and_end);
	g_test_add_func("/channel/sender-waits-for-room", test_sender_waits_for_room);
	g_test_add_func("/channel/large-item-passes-alone", test_large_item_passes_alone);
	g_test_add_func("/channel/receiver-finishes-first", test_receiver_finishes_first);
	g_test_add_func("/channel/cancel-wakes-both-sides", test_cancel_wakes_both_sides);
	g_test_add_func("/channel/many-senders-end-once", test_many_senders_end_once);
	g_test_add_func("/budget/places-are-bounded", test_places_are_bounded);
	return g_test_run();
}
