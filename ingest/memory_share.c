#include "ingest/memory_share.h"

#include <pthread.h>
#include <stdatomic.h>

struct WeftMemoryShare {
	WeftMemory *memory;
	WeftMemoryKind kind;
	gsize held;
	gsize wanted; /* while it waits: what it is to hold then */
	GList link;   /* of `waiting` */
};

struct WeftMemory {
	atomic_uint n_users; /* who made it, and each share */
	pthread_mutex_t mutex; /* guards all below, and `held` and `wanted` of the shares */
	pthread_cond_t changed;
	gsize limits[WEFT_N_MEMORIES]; /* 0: none */
	gsize used[WEFT_N_MEMORIES];
	guint n_running[WEFT_N_MEMORIES]; /* shares that hold something and do not wait */
	gsize peak;
	GQueue waiting; /* WeftMemoryShare, the eldest first */
};

WeftMemory *weft_memory_new(void)
{
	WeftMemory *memory = g_new0(WeftMemory, 1);
	atomic_init(&memory->n_users, 1);
	pthread_mutex_init(&memory->mutex, NULL);
	pthread_cond_init(&memory->changed, NULL);
	g_queue_init(&memory->waiting);
	return memory;
}

void weft_memory_unref(WeftMemory *memory)
{
	if (!memory || atomic_fetch_sub(&memory->n_users, 1) > 1)
		return;
	pthread_cond_destroy(&memory->changed);
	pthread_mutex_destroy(&memory->mutex);
	g_free(memory);
}

void weft_memory_limit(WeftMemory *memory, gsize decode_bytes, gsize read_bytes)
{
	memory->limits[WEFT_MEMORY_DECODE] = decode_bytes;
	memory->limits[WEFT_MEMORY_READ] = read_bytes;
}

static gsize sum_locked(const WeftMemory *memory)
{
	return memory->used[WEFT_MEMORY_DECODE] + memory->used[WEFT_MEMORY_READ];
}

gsize weft_memory_bytes(WeftMemory *memory)
{
	pthread_mutex_lock(&memory->mutex);
	gsize size = sum_locked(memory);
	pthread_mutex_unlock(&memory->mutex);
	return size;
}

gsize weft_memory_peak(WeftMemory *memory)
{
	pthread_mutex_lock(&memory->mutex);
	gsize size = memory->peak;
	pthread_mutex_unlock(&memory->mutex);
	return size;
}

static void set_held_locked(WeftMemoryShare *share, gsize size_bytes)
{
	WeftMemory *memory = share->memory;
	memory->used[share->kind] += size_bytes - share->held;
	memory->peak = MAX(memory->peak, sum_locked(memory));
	if (share->held == 0 && size_bytes > 0)
		memory->n_running[share->kind]++;
	if (share->held > 0 && size_bytes == 0)
		memory->n_running[share->kind]--;
	share->held = size_bytes;
}

static gboolean fits_locked(const WeftMemoryShare *share)
{
	const WeftMemory *memory = share->memory;
	gsize limit = memory->limits[share->kind], more = share->wanted - share->held;
	gsize both = memory->limits[WEFT_MEMORY_DECODE] + memory->limits[WEFT_MEMORY_READ];
	if (limit == 0)
		return TRUE;
	if (share->held == 0 && memory->waiting.head->data != share) {
		/* a beginner overtakes nobody of its kind */
		for (GList *l = memory->waiting.head; l->data != share; l = l->next)
			if (((WeftMemoryShare *)l->data)->kind == share->kind)
				return FALSE;
	}
	gboolean fits = sum_locked(memory) + more <= both;
	if (fits && memory->used[share->kind] + more <= limit)
		return TRUE;
	if (fits && share->kind == WEFT_MEMORY_DECODE && memory->used[share->kind] == share->held)
		return TRUE;
	if (memory->n_running[share->kind] > 0)
		return FALSE;
	/* nobody of this kind will give anything back: the eldest that waits goes on */
	for (GList *l = memory->waiting.head; l; l = l->next)
		if (((WeftMemoryShare *)l->data)->kind == share->kind)
			return l->data == share;
	return FALSE;
}

/* Also for a share that holds nothing: it may be what all others waited for. */
static void wait_locked(WeftMemoryShare *share)
{
	WeftMemory *memory = share->memory;
	share->link = (GList){.data = share};
	g_queue_push_tail_link(&memory->waiting, &share->link);
	if (share->held > 0)
		memory->n_running[share->kind]--;
	pthread_cond_broadcast(&memory->changed); /* one fewer runs */
	while (!fits_locked(share))
		pthread_cond_wait(&memory->changed, &memory->mutex);
	if (share->held > 0)
		memory->n_running[share->kind]++;
	g_queue_unlink(&memory->waiting, &share->link);
}

WeftMemoryShare *weft_memory_share_new(WeftMemory *memory, WeftMemoryKind kind)
{
	WeftMemoryShare *share = g_new0(WeftMemoryShare, 1);
	atomic_fetch_add(&memory->n_users, 1);
	share->memory = memory;
	share->kind = kind;
	return share;
}

void weft_memory_share_free(WeftMemoryShare *share)
{
	if (!share)
		return;
	weft_memory_hold(share, 0);
	weft_memory_unref(share->memory);
	g_free(share);
}

gsize weft_memory_held(const WeftMemoryShare *share)
{
	return share->held;
}

void weft_memory_hold(WeftMemoryShare *share, gsize size_bytes)
{
	WeftMemory *memory = share->memory;
	pthread_mutex_lock(&memory->mutex);
	share->wanted = size_bytes;
	if (size_bytes > share->held)
		wait_locked(share);
	if (size_bytes != share->held) {
		set_held_locked(share, size_bytes);
		pthread_cond_broadcast(&memory->changed);
	}
	pthread_mutex_unlock(&memory->mutex);
}

WeftMemoryShare *weft_memory_part(WeftMemoryShare *share, gsize size_bytes)
{
	WeftMemory *memory = share->memory;
	if (size_bytes > share->held)
		return NULL;
	WeftMemoryShare *part = weft_memory_share_new(memory, share->kind);
	pthread_mutex_lock(&memory->mutex);
	set_held_locked(share, share->held - size_bytes);
	set_held_locked(part, size_bytes);
	pthread_mutex_unlock(&memory->mutex);
	return part;
}
