#include "pipeline/seen.h"

#include <string.h>

/* Tables grow one by one, so that hardly more is taken than there is. */
#define N_TABLES 256
#define SLOTS_MIN 16
#define KEY_DIGITS 16

typedef struct Table {
	guint64 *keys; /* 0: a free slot */
	guint32 n, n_slots;
} Table;

struct WeftSeen {
	Table tables[N_TABLES];
};

WeftSeen *weft_seen_new(void)
{
	return g_new0(WeftSeen, 1);
}

void weft_seen_free(WeftSeen *seen)
{
	if (seen == NULL)
		return;
	for (guint i = 0; i < N_TABLES; i++)
		g_free(seen->tables[i].keys);
	g_free(seen);
}

/* Of a hash, so all of its bits are as good. */
static guint64 key_of(const char *id)
{
	char digits[KEY_DIGITS + 1];

	g_strlcpy(digits, id + strlen("sha256:"), sizeof digits);
	return MAX(g_ascii_strtoull(digits, NULL, 16), 1);
}

/* Where the key is, or would be; there is a free slot. */
static guint64 *find(const Table *table, guint64 key)
{
	guint64 slot = ((key >> 32) * table->n_slots) >> 32;

	while (table->keys[slot] != 0 && table->keys[slot] != key)
		slot = slot + 1 == table->n_slots ? 0 : slot + 1;
	return &table->keys[slot];
}

/* By a quarter, when less than a seventh is free. */
static void make_room(Table *table)
{
	Table larger = {.n = table->n, .n_slots = table->n_slots + table->n_slots / 4};

	if (table->n_slots > 0 && table->n < table->n_slots - table->n_slots / 7)
		return;
	larger.n_slots = MAX(larger.n_slots, SLOTS_MIN);
	larger.keys = g_new0(guint64, larger.n_slots);
	for (guint32 i = 0; i < table->n_slots; i++)
		if (table->keys[i] != 0)
			*find(&larger, table->keys[i]) = table->keys[i];
	g_free(table->keys);
	*table = larger;
}

void weft_seen_add(WeftSeen *seen, const char *id)
{
	guint64 key = key_of(id), *slot;
	Table *table = &seen->tables[key % N_TABLES];

	make_room(table);
	slot = find(table, key);
	table->n += *slot == 0;
	*slot = key;
}

gboolean weft_seen_has(const WeftSeen *seen, const char *id)
{
	guint64 key = key_of(id);
	const Table *table = &seen->tables[key % N_TABLES];

	return table->n > 0 && *find(table, key) != 0;
}
