/* channel.h - a queue between nodes, bounded in bytes.
 *
 * Items go in at one side and come out at the other in order; sending gives the item away,
 * receiving takes it over, nobody ever holds an item together with somebody else. A channel holds
 * at most `limit_bytes` of items: a sender waits until there is room, which is how a slow node
 * holds the ones before it. An item larger than the whole limit passes alone, when the channel is
 * empty, so that no item can block for ever.
 *
 * A channel ends from both sides, and both are counters because a node may have several threads:
 *   - every sender has finished: receivers get what is left, then NULL;
 *   - every receiver has finished: senders get false, and what was queued is freed.
 * Cancelling does both at once. No call waits after that.
 *
 * Any thread may call any of these. What is in the channel is counted, too, against the run's
 * WeftBudget, so that bytes under way can be seen and asserted as one number.
 */
#ifndef WEFT_PIPELINE_CHANNEL_H
#define WEFT_PIPELINE_CHANNEL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/budget.h"

typedef struct WeftChannel WeftChannel;

typedef struct WeftChannelCounts {
	uint64_t n_sent, n_received;
	size_t n_queued, bytes, bytes_peak, limit_bytes;
} WeftChannelCounts;

/* `free_item` frees what nobody will receive. `budget` may be NULL; it is borrowed. */
WeftChannel *weft_channel_new(size_t limit_bytes, unsigned n_senders, unsigned n_receivers,
                              void (*free_item)(void *), WeftBudget *budget);
/* Only when no thread uses it any more; frees what is queued. */
void weft_channel_free(WeftChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftChannel, weft_channel_free)

/* Takes the item also when it answers false: nobody will receive any more. */
bool weft_channel_send(WeftChannel *channel, void *take_item, size_t size_bytes);
/* NULL: the end, or cancelled. */
void *weft_channel_receive(WeftChannel *channel);

void weft_channel_finish_sender(WeftChannel *channel);
void weft_channel_finish_receiver(WeftChannel *channel);
void weft_channel_cancel(WeftChannel *channel);

WeftChannelCounts weft_channel_counts(WeftChannel *channel);

#endif
