#include "pipeline/beside.h"

#include <fcntl.h>
#include <string.h>

#define CAPTIONS_BYTES_MAX ((gint64)8 << 20)
#define SUFFIX_BYTES ((gsize)4)
#define RECORDINGS_MAX 16

typedef struct Captions {
	const char *name;
	struct stat status;
} Captions;

struct WeftBeside {
	const GPtrArray *names;
	int folder_fd;
	GPtrArray *all;        /* of Captions */
	GHashTable *plain;     /* "talk" or "talk.mp4" -> its Captions */
	GHashTable *languages; /* the same, of those that name a language */
};

static gboolean has_suffix(const char *name, const char *suffix)
{
	gsize size = strlen(name);

	return size > SUFFIX_BYTES && g_ascii_strcasecmp(name + size - SUFFIX_BYTES, suffix) == 0;
}

gboolean weft_beside_is_captions(const char *name)
{
	return has_suffix(name, ".vtt") || has_suffix(name, ".srt");
}

/* "talk.de" of "talk.de.vtt". */
static char *body_of(const char *name)
{
	return g_strndup(name, strlen(name) - SUFFIX_BYTES);
}

/* "talk" of "talk.mp4". */
static char *stem_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && dot > name ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name);
}

/* "de", "pt-BR", "zh-Hans": two or three letters, then pieces of letters and digits. Endings of
 * recordings are none, though few people speak Avikam (avi) or Mohave (mov): talk.avi.srt is of talk.avi. */
static gboolean is_language(const char *text)
{
	static const char *const endings[] = {
		"aac", "aif", "amr", "asf", "avi", "caf", "flv", "mka", "mkv", "mov", "mpg", "mts", "mxf",
		"oga", "ogg", "ogv", "ogx", "spx", "ts", "vob", "wav", "wma", "wmv", NULL};
	gsize size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	g_autofree char *lower = g_ascii_strdown(text, -1);

	if (size < 2 || size > 3 || g_strv_contains(endings, lower))
		return FALSE;
	for (text += size; *text != '\0'; text += size) {
		if (*text++ != '-')
			return FALSE;
		for (size = 0; g_ascii_isalnum(text[size]);)
			size++;
		if (size == 0 || size > 8)
			return FALSE;
	}
	return TRUE;
}

/* "talk" of "talk.de"; NULL: it names no language. */
static char *without_language(const char *body)
{
	const char *dot = strrchr(body, '.');

	return dot != NULL && dot > body && is_language(dot + 1) ? g_strndup(body, (gsize)(dot - body))
								  : NULL;
}

/* By language, then vtt before srt, then by name. */
static gboolean comes_before(const Captions *a, const Captions *b)
{
	g_autofree char *body_a = body_of(a->name);
	g_autofree char *body_b = body_of(b->name);
	int order = strcmp(body_a, body_b);

	if (order == 0)
		order = has_suffix(b->name, ".vtt") - has_suffix(a->name, ".vtt");
	return order != 0 ? order < 0 : strcmp(a->name, b->name) < 0;
}

/* The better one of two stays. */
static void offer(GHashTable *table, char *take_key, const Captions *captions)
{
	const Captions *other = g_hash_table_lookup(table, take_key);

	if (other == NULL || comes_before(captions, other))
		g_hash_table_insert(table, take_key, (gpointer)captions);
	else
		g_free(take_key);
}

static void add(WeftBeside *beside, const char *name)
{
	Captions *captions = g_new0(Captions, 1);
	g_autofree char *body = body_of(name);
	char *stem = without_language(body);

	captions->name = name;
	if (fstatat(beside->folder_fd, name, &captions->status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(captions->status.st_mode) || captions->status.st_size <= 0 ||
	    captions->status.st_size > CAPTIONS_BYTES_MAX) {
		g_free(captions);
		g_free(stem);
		return;
	}
	g_ptr_array_add(beside->all, captions);
	if (stem != NULL)
		offer(beside->languages, stem, captions);
	offer(beside->plain, g_steal_pointer(&body), captions);
}

WeftBeside *weft_beside_new(const GPtrArray *names, int folder_fd)
{
	WeftBeside *beside = NULL;

	for (guint i = 0; i < names->len; i++) {
		if (!weft_beside_is_captions(names->pdata[i]))
			continue;
		if (beside == NULL) {
			beside = g_new0(WeftBeside, 1);
			beside->names = names;
			beside->folder_fd = folder_fd;
			beside->all = g_ptr_array_new_with_free_func(g_free);
			beside->plain = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
			beside->languages =
				g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		}
		add(beside, names->pdata[i]);
	}
	return beside;
}

void weft_beside_free(WeftBeside *beside)
{
	if (beside == NULL)
		return;
	g_hash_table_unref(beside->plain);
	g_hash_table_unref(beside->languages);
	g_ptr_array_unref(beside->all);
	g_free(beside);
}

/* ---- marks ---- */

guint64 weft_beside_mark(guint64 others, const char *name, const struct stat *status)
{
	const guint64 numbers[] = {
		others,
		(guint64)status->st_dev,
		(guint64)status->st_ino,
		(guint64)status->st_size,
		(guint64)status->st_mtim.tv_sec,
		(guint64)status->st_mtim.tv_nsec,
		(guint64)status->st_ctim.tv_sec,
		(guint64)status->st_ctim.tv_nsec,
	};
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize size = sizeof digest;
	guint64 mark = 0;

	g_checksum_update(sum, (const guchar *)numbers, sizeof numbers);
	g_checksum_update(sum, (const guchar *)name, -1);
	g_checksum_get_digest(sum, digest, &size);
	memcpy(&mark, digest, sizeof mark);
	return MAX(mark, 1);
}

/* 61 bits of it: the catalogue keeps nanoseconds since 1970 in 64. */
struct stat weft_beside_status(const struct stat *status, guint64 mark)
{
	struct stat both = *status;

	both.st_ctim.tv_sec ^= (time_t)(mark >> 32);
	both.st_ctim.tv_nsec ^= (long)(mark & 0x1FFFFFFF);
	return both;
}

/* ---- who belongs to whom ---- */

static const Captions *choose(const WeftBeside *beside, const char *name)
{
	g_autofree char *stem = stem_of(name);
	const Captions *captions = g_hash_table_lookup(beside->plain, stem);

	if (captions == NULL)
		captions = g_hash_table_lookup(beside->plain, name);
	if (captions == NULL)
		captions = g_hash_table_lookup(beside->languages, stem);
	return captions != NULL ? captions : g_hash_table_lookup(beside->languages, name);
}

const char *weft_beside_captions(const WeftBeside *beside, const char *name, guint64 *ret_mark)
{
	const Captions *captions = weft_beside_is_captions(name) ? NULL : choose(beside, name);

	*ret_mark = captions != NULL ? weft_beside_mark(0, captions->name, &captions->status) : 0;
	return captions != NULL ? captions->name : NULL;
}

/* The first name that is not before this one. */
static guint find_first(const GPtrArray *names, const char *wanted)
{
	guint first = 0, end = names->len;

	while (first < end) {
		guint middle = first + (end - first) / 2;

		if (strcmp(names->pdata[middle], wanted) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Files called `key`, or `key` and an ending, whose captions these are. */
static void add_recordings(const WeftBeside *beside, const char *key, const Captions *captions,
			   GPtrArray *found)
{
	gsize size = strlen(key);

	for (guint i = find_first(beside->names, key);
	     i < beside->names->len && found->len < RECORDINGS_MAX; i++) {
		const char *name = beside->names->pdata[i];
		const char *rest = name + size;

		if (strncmp(name, key, size) != 0)
			return;
		if (*rest != '\0' && (*rest != '.' || strchr(rest + 1, '.') != NULL))
			continue;
		if (strchr(name, '/') == NULL && !weft_beside_is_captions(name) &&
		    choose(beside, name) == captions)
			g_ptr_array_add(found, g_strdup(name));
	}
}

static guint64 mark_of(const WeftBeside *beside, const GPtrArray *names)
{
	guint64 mark = 0;

	for (guint i = 0; i < names->len; i++) {
		struct stat status;

		if (fstatat(beside->folder_fd, names->pdata[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
			mark = weft_beside_mark(mark, names->pdata[i], &status);
	}
	return mark;
}

GPtrArray *weft_beside_recordings(const WeftBeside *beside, const char *name, guint64 *ret_mark)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	const Captions *captions = NULL;
	g_autofree char *body = NULL;
	g_autofree char *stem = NULL;

	*ret_mark = 0;
	if (!weft_beside_is_captions(name))
		return NULL;
	body = body_of(name);
	stem = without_language(body);
	captions = g_hash_table_lookup(beside->plain, body);
	if (captions != NULL && strcmp(captions->name, name) == 0)
		add_recordings(beside, body, captions, found);
	captions = stem != NULL ? g_hash_table_lookup(beside->languages, stem) : NULL;
	if (captions != NULL && strcmp(captions->name, name) == 0)
		add_recordings(beside, stem, captions, found);
	if (found->len == 0)
		return NULL;
	*ret_mark = mark_of(beside, found);
	return g_steal_pointer(&found);
}
