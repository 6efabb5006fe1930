#include "pipeline/members.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* Of a heading. Names that people give are shorter. */
#define NAME_CHARS_MAX 60

gboolean weft_members_check(const WeftJob *job, const WeftTask *task, GError **error)
{
	const char *why = NULL;

	if (!job->is_together)
		return TRUE;
	if (job->joins)
		why = "--join shares documents among runs, and all inputs are one";
	else if (job->sample > 0)
		why = "--sample takes some of the documents, and all inputs are one";
	else if (task->tells_slides)
		why = "the slides of a recording are told by its own times: one recording at a time";
	else if (task->element_schema != NULL)
		why = "the task looks for many documents in one file: one file at a time";
	else if (task->types != NULL)
		why = "the task tells kinds of documents apart, and all inputs are one";
	if (why != NULL)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "together: %s", why);
	return why == NULL;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const WeftDocument *left = *(WeftDocument *const *)a, *right = *(WeftDocument *const *)b;

	return strcmp(left->path, right->path);
}

void weft_members_sort(GPtrArray *members)
{
	g_ptr_array_sort(members, by_path);
}

/* ---- numbers ---- */

/* What tells one content from another; caller frees. NULL: it could not be read, and is like no other. */
static char *content_of(const WeftDocument *member)
{
	if (member->sha256[0] == '\0')
		return NULL;
	return g_strconcat(member->sha256, " ", member->sidecar_path != NULL ? "with " : "",
			   member->sidecar_sha256, NULL);
}

static void add_numbers(WeftDocument *document)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	document->n_members = 0;
	for (guint i = 0; i < document->members->len; i++) {
		WeftDocument *member = document->members->pdata[i];
		char *content = content_of(member);

		member->member = 0;
		if (member->captions_of == NULL && (content == NULL || g_hash_table_add(seen, content)))
			member->member = ++document->n_members;
		else if (member->captions_of != NULL)
			g_free(content);
	}
}

/* ---- names ---- */

/* Bytes of the path up to the slash behind the folder that it has in common with another. */
static gsize common_bytes(const char *path, const char *other, gsize size_max)
{
	gsize size = 0;

	for (gsize i = 0; i < size_max && path[i] != '\0' && path[i] == other[i]; i++) {
		if (path[i] == '/')
			size = i + 1;
	}
	return size;
}

static void add_names(const WeftDocument *document)
{
	const WeftDocument *first = weft_members_find(document, 1);
	gsize size = G_MAXSIZE;

	for (guint32 n = 1; n <= document->n_members; n++) {
		const WeftDocument *member = weft_members_find(document, n);

		size = common_bytes(first->path, member->path, size);
	}
	for (guint32 i = 0; i < document->members->len; i++) {
		WeftDocument *member = document->members->pdata[i];

		if (member->member == 0)
			continue;
		g_free(member->name);
		member->name = g_strdup(member->path + size);
		g_free(member->sidecar_name);
		member->sidecar_name =
			member->sidecar_path != NULL ? g_strdup(member->sidecar_path + size) : NULL;
	}
}

/* A character that can't be taken for something else than a part of the name. */
static gunichar plain(gunichar c)
{
	if (c == '[' || c == ']')
		return c == '[' ? '(' : ')';
	return weft_utf8_is_obeyed(c) || g_unichar_isspace(c) ? ' ' : c;
}

char *weft_member_heading(guint32 n, const char *name)
{
	g_autoptr(GString) valid = g_string_new(NULL);
	GString *heading = g_string_new(NULL);
	const char *at;

	g_string_append_printf(heading, "[document %u%s", n, name != NULL ? ": " : "");
	weft_utf8_append_valid(valid, name != NULL ? name : "", name != NULL ? strlen(name) : 0);
	at = valid->str;
	for (guint i = 0; i < NAME_CHARS_MAX && *at != '\0'; i++, at = g_utf8_next_char(at))
		g_string_append_unichar(heading, plain(g_utf8_get_char(at)));
	g_string_append(heading, *at != '\0' ? "…]" : "]");
	return g_string_free(heading, FALSE);
}

/* ---- the document ---- */

static gboolean is_stopped(const WeftDocument *member)
{
	return member->fault != NULL &&
	       g_error_matches(member->fault->error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
}

void weft_members_settle(WeftDocument *document)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gboolean has_content = FALSE;

	add_numbers(document);
	add_names(document);
	document->is_skipped = TRUE;
	document->size_bytes = 0;
	for (guint i = 0; i < document->members->len; i++) {
		const WeftDocument *member = document->members->pdata[i];

		if (is_stopped(member) && document->fault == NULL)
			document->fault = weft_part_fault_new(
				member->fault->stage, g_error_copy(member->fault->error), NULL);
		if (member->member == 0)
			continue;
		has_content |= member->sha256[0] != '\0';
		document->is_skipped &= member->is_skipped;
		document->size_bytes += member->size_bytes;
		g_checksum_update(sum, (const guchar *)member->sha256, -1);
		g_checksum_update(sum, (const guchar *)"\n", 1);
	}
	document->sniff = (WeftSniff){.media_type = "multipart/mixed", .name = "several files"};
	g_strlcpy(document->sha256, has_content ? g_checksum_get_string(sum) : "",
		  sizeof document->sha256);
}

static void add_text(GChecksum *sum, const char *text)
{
	g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

void weft_members_hash(const WeftDocument *document, GChecksum *sum)
{
	for (guint i = 0; i < document->members->len; i++) {
		const WeftDocument *member = document->members->pdata[i];
		gboolean has_content = document->sha256[0] != '\0' && member->sha256[0] != '\0';

		if (member->member == 0)
			continue;
		add_text(sum, member->name != NULL ? member->name : "");
		add_text(sum, has_content ? member->sha256 : member->path);
		add_text(sum, member->sidecar_path != NULL ? "captions" : "");
		add_text(sum, member->sidecar_sha256);
	}
}

GPtrArray *weft_members_take(WeftDocument *document)
{
	GPtrArray *taken = g_ptr_array_new_with_free_func((GDestroyNotify)weft_document_free);

	for (guint i = 0; i < document->members->len;) {
		WeftDocument *member = document->members->pdata[i];

		if (member->member > 0)
			g_ptr_array_add(taken, g_ptr_array_steal_index(document->members, i));
		else
			i++;
	}
	return taken;
}

void weft_members_content_key(const GPtrArray *members, char ret_key[65])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	add_text(sum, "together");
	for (guint i = 0; i < members->len; i++) {
		const WeftDocument *member = members->pdata[i];

		add_text(sum, member->name);
		add_text(sum, member->content_key);
	}
	g_strlcpy(ret_key, g_checksum_get_string(sum), 65);
}

const WeftDocument *weft_members_find(const WeftDocument *document, guint32 n)
{
	for (guint i = 0; document->members != NULL && i < document->members->len; i++) {
		const WeftDocument *member = document->members->pdata[i];

		if (n > 0 && member->member == n)
			return member;
	}
	return NULL;
}
