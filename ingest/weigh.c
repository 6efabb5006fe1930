#include "ingest/weigh.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest/wire.h"

#define STEP_BYTES ((gssize)8 << 20)
#define KEPT_BYTES ((gssize)32 << 20) /* granted and not used, before it is given back */
#define BLOCK_BYTES (256 << 10) /* blocks from here on go back to the system when they are freed */

typedef struct Weight {
	gboolean on;
	gboolean in_ask; /* nothing may be sent now */
	gssize in_use;  /* since the beginning; what was there before may be freed, so signed */
	gssize granted, base;
	gssize floor; /* what is claimed: not given back */
	void (*take_ack)(guint32 slot, void *data);
	void *data;
} Weight;

static Weight weight; /* weigh.h has why */

/* No message is made in the usual way here: that would allocate. */
static gboolean send_number(WeftWireType type, guint64 value)
{
	guint32 head[2] = {GUINT32_TO_LE(type), GUINT32_TO_LE(8)};
	guint64 le = GUINT64_TO_LE(value);
	guint8 message[16];
	ssize_t n;
	memcpy(message, head, sizeof head);
	memcpy(message + 8, &le, sizeof le);
	struct iovec part = {message, sizeof message};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	do
		n = sendmsg(WEFT_WIRE_FD_WORK, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof message;
}

/* Until weft has granted; FALSE when it is gone. */
static gboolean await_grant(void)
{
	guint8 message[64];
	struct iovec part = {message, sizeof message};
	for (;;) {
		struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
		WeftWireIn in;
		ssize_t n = recvmsg(WEFT_WIRE_FD_WORK, &header, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || !weft_wire_open(&in, message, (gsize)n, NULL))
			return FALSE;
		if (in.type == WEFT_WIRE_GRANT)
			return TRUE;
		if (in.type != WEFT_WIRE_ACK)
			return FALSE;
		weight.take_ack(weft_wire_u32(&in), weight.data);
	}
}

static void ask(gssize total)
{
	weight.in_ask = TRUE;
	if (!send_number(WEFT_WIRE_ASK, (guint64)total) ||
	    (total > weight.granted && !await_grant()))
		_exit(0); /* weft does not want the rest, or this is too much */
	weight.granted = total;
	weight.in_ask = FALSE;
}

static void settle(void)
{
	gssize needed = MAX(weight.in_use, weight.floor);
	if (!weight.on || weight.in_ask)
		return;
	if (needed > weight.granted)
		ask(needed + STEP_BYTES);
	else if (weight.granted > MAX(needed, weight.base) + KEPT_BYTES)
		ask(MAX(needed, weight.base) + STEP_BYTES);
}

void weft_weigh_begin(gsize granted, void (*take_ack)(guint32 slot, void *data), void *data)
{
	(void)mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES);
	weight = (Weight){.on = TRUE,
	                  .granted = (gssize)granted,
	                  .base = (gssize)granted,
	                  .take_ack = take_ack,
	                  .data = data};
}

void weft_weigh_end(void)
{
	weight.on = FALSE;
}

void weft_weigh_again(gsize granted)
{
	weight.granted = (gssize)granted;
	weight.floor = 0;
	weight.on = TRUE;
}

void weft_weigh_add(gsize size_bytes)
{
	weight.in_use += (gssize)size_bytes;
	settle();
}

void weft_weigh_remove(gsize size_bytes)
{
	weight.in_use -= (gssize)size_bytes;
}

void weft_weigh_pause(void)
{
	weight.in_ask = TRUE;
}

void weft_weigh_hand_over(gsize size_bytes)
{
	weight.in_ask = FALSE;
	weight.in_use -= (gssize)size_bytes;
	weight.floor = MAX(weight.floor - (gssize)size_bytes, 0);
	weight.granted -= (gssize)size_bytes;
}

void weft_weigh_claim(gsize size_bytes)
{
	weight.floor = size_bytes > 0 ? weight.in_use + (gssize)size_bytes : 0;
	settle();
}

/* --- malloc --- */

#if !defined(WEFT_WEIGH_SANITIZED)

/* The C library's own, under the names by which it lets others stand in for them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static void *weighed(void *block)
{
	int error = errno;
	if (weight.on && block) {
		weight.in_use += (gssize)malloc_usable_size(block);
		settle();
	}
	errno = error;
	return block;
}

void *malloc(size_t size)
{
	return weighed(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return weighed(__libc_calloc(n, size));
}

void *realloc(void *block, size_t size)
{
	gssize before = weight.on && block ? (gssize)malloc_usable_size(block) : 0;
	void *after = __libc_realloc(block, size);
	if (after || size == 0)
		weight.in_use -= before;
	return weighed(after);
}

void *memalign(size_t alignment, size_t size)
{
	return weighed(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return weighed(__libc_memalign(alignment, size));
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	void *block = weighed(__libc_memalign(alignment, size));
	if (!block)
		return ENOMEM;
	*ret_block = block;
	return 0;
}

void free(void *block)
{
	int error = errno;
	if (weight.on && block)
		weight.in_use -= (gssize)malloc_usable_size(block);
	__libc_free(block);
	settle();
	errno = error;
}

#endif
