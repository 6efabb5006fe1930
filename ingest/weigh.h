/* weigh.h - private: the memory of a worker is weighed, and asked for before it is taken.
 *
 * In a helper program malloc and its relatives are ours: they hand on to the C library's and count.
 * Whatever a decoder's libraries allocate is so known, without their help. Once a worker holds as
 * much as weft has granted it asks for more, and waits; weft refuses what is above the limit of the
 * document by ending it. A decoder that knows what a picture will take says so first, holding little
 * (memory_share.h has why that is better than to ask in small steps), by WeftDecodeJob.claim.
 *
 * malloc has no argument by which state could come, so the state is the process's, which is one
 * worker with one thread. In builds with a sanitizer, which has a malloc of its own, nothing is
 * weighed and all is asked for by claims alone.
 */
#ifndef WEFT_INGEST_WEIGH_H
#define WEFT_INGEST_WEIGH_H

#include <glib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_WEIGH_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_WEIGH_SANITIZED 1
#endif
#endif

/* From here on; `granted` is held already. `take_ack` is called with the number of a slot that weft
 * has read out, when that is told while an answer is awaited. */
void weft_weigh_begin(gsize granted, void (*take_ack)(guint32 slot, void *data), void *data);
/* What counts is as it was at the beginning: `granted` holds for the next picture. Nothing is sent
 * between weft_weigh_end and this. */
void weft_weigh_again(gsize granted);
void weft_weigh_end(void);

/* Shared memory that is about to be written. */
void weft_weigh_add(gsize size_bytes);
/* It is not used any more, and stays granted. */
void weft_weigh_remove(gsize size_bytes);
/* Around the message with which it goes over to weft, with what was granted for it: nothing else is
 * sent between them. */
void weft_weigh_pause(void);
void weft_weigh_hand_over(gsize size_bytes);
/* So much will be needed at once beside what is there; it replaces the claim before. */
void weft_weigh_claim(gsize size_bytes);

#endif
