#include "outputs/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "outputs/record_paths.h"

/* No record that weft writes is larger (limit output-bytes). */
#define RECORD_BYTES_MAX ((guint64)1 << 30)
#define BLOCK_BYTES ((gsize)64 << 10)

/* ---- cutting the text into values ----
 *
 * Only where a value ends is looked at here; whether it is one, the parser says. */

/* What comes of a record, in the order of the file; a list's values are `content`'s or `hidden`'s. */
typedef struct Pieces {
	gboolean (*member)(gpointer data, const char *key, const GString *value, GError **error);
	void (*list)(gpointer data, const char *key, gboolean is_end);
	void (*item)(gpointer data, const char *key, const WeftJson *item);
	gpointer data;
} Pieces;

typedef struct Scan {
	const WeftRecordFile *file;
	guint64 offset;          /* of the block behind this one */
	GChecksum *sum;          /* NULL: not wanted */
	char block[BLOCK_BYTES];
	gsize size, at;          /* of the block */
	GString *value;
	const Pieces *pieces;
} Scan;

static gboolean fill(Scan *scan, GError **error)
{
	ssize_t n;

	do
		n = pread(scan->file->fd, scan->block, sizeof scan->block, (off_t)scan->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", scan->file->name,
			    g_strerror(errno));
		return FALSE;
	}
	if (scan->sum)
		g_checksum_update(scan->sum, (const guchar *)scan->block, n);
	scan->offset += (guint64)n;
	scan->size = (gsize)n;
	scan->at = 0;
	if (scan->offset <= RECORD_BYTES_MAX)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "%s: larger than the limit of %" G_GUINT64_FORMAT " bytes", scan->file->name,
		    RECORD_BYTES_MAX);
	return FALSE;
}

/* The next byte, which stays; 0 at the end, where a NUL, that no JSON has, is as good. */
static gboolean peek(Scan *scan, char *ret_byte, GError **error)
{
	if (scan->at == scan->size && !fill(scan, error))
		return FALSE;
	*ret_byte = scan->at < scan->size ? scan->block[scan->at] : '\0';
	return TRUE;
}

static gboolean is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next byte that is no white space, which stays. */
static gboolean peek_token(Scan *scan, char *ret_byte, GError **error)
{
	do {
		if (!peek(scan, ret_byte, error))
			return FALSE;
		scan->at += is_space(*ret_byte);
	} while (is_space(*ret_byte));
	return TRUE;
}

static gboolean fail(const Scan *scan, const char *what, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: byte %" G_GUINT64_FORMAT ": %s",
		    scan->file->name, scan->offset - scan->size + scan->at, what);
	return FALSE;
}

static gboolean expect(Scan *scan, char byte, GError **error)
{
	char c;

	if (!peek_token(scan, &c, error))
		return FALSE;
	if (c != byte)
		return fail(scan, "not a record: something else stands here than a record has",
			    error);
	scan->at++;
	return TRUE;
}

/* To the end of a string whose quote was taken. */
static gboolean take_string(Scan *scan, GError **error)
{
	gboolean is_escaped = FALSE;
	char c;

	for (;;) {
		if (!peek(scan, &c, error))
			return FALSE;
		if (scan->size == 0)
			return fail(scan, "the text ends inside a string", error);
		const char *from = scan->block + scan->at, *end = scan->block + scan->size;
		const char *p = from;
		while (p < end && (is_escaped || *p != '"')) {
			is_escaped = !is_escaped && *p == '\\';
			p++;
		}
		gboolean is_end = p < end;
		g_string_append_len(scan->value, from, p + is_end - from);
		scan->at += (gsize)(p + is_end - from);
		if (is_end)
			return TRUE;
	}
}

/* One value into scan->value. */
static gboolean take_value(Scan *scan, GError **error)
{
	guint depth = 0;
	char c;

	g_string_truncate(scan->value, 0);
	if (!peek_token(scan, &c, error))
		return FALSE;
	for (;;) {
		gboolean is_between = c == ',' || c == ':' || c == '}' || c == ']' || is_space(c);

		if (scan->size == 0 || (depth == 0 && is_between))
			return TRUE; /* the parser says what is missing */
		g_string_append_c(scan->value, c);
		scan->at++;
		if (c == '"' && !take_string(scan, error))
			return FALSE;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			return TRUE;
		if (!peek(scan, &c, error))
			return FALSE;
	}
}

static WeftJson *parse(const Scan *scan, const GString *value, GError **error)
{
	WeftJson *tree = weft_json_parse(value->str, value->len, WEFT_JSON_STRICT, error);

	if (!tree)
		g_prefix_error(error, "%s: before byte %" G_GUINT64_FORMAT ": ", scan->file->name,
			       scan->offset - scan->size + scan->at);
	return tree;
}

/* After one of a list's values: TRUE in *ret_more when a comma came, FALSE when the end did. */
static gboolean take_divider(Scan *scan, char end, gboolean *ret_more, GError **error)
{
	char c;

	if (!peek_token(scan, &c, error))
		return FALSE;
	*ret_more = c == ',';
	return expect(scan, *ret_more ? ',' : end, error);
}

static gboolean scan_item(Scan *scan, const char *key, GError **error)
{
	if (!take_value(scan, error))
		return FALSE;
	g_autoptr(WeftJson) item = parse(scan, scan->value, error);
	if (item)
		scan->pieces->item(scan->pieces->data, key, item);
	return item != NULL;
}

static gboolean scan_list(Scan *scan, const char *key, GError **error)
{
	gboolean is_more;
	char c;

	if (!expect(scan, '[', error) || !peek_token(scan, &c, error))
		return FALSE;
	scan->pieces->list(scan->pieces->data, key, FALSE);
	is_more = c != ']';
	if (!is_more)
		scan->at++;
	while (is_more)
		if (!scan_item(scan, key, error) || !take_divider(scan, ']', &is_more, error))
			return FALSE;
	scan->pieces->list(scan->pieces->data, key, TRUE);
	return TRUE;
}

static gboolean is_list(const char *key)
{
	return g_strcmp0(key, "content") == 0 || g_strcmp0(key, "hidden") == 0;
}

static gboolean scan_member(Scan *scan, GError **error)
{
	char c;

	if (!take_value(scan, error))
		return FALSE;
	g_autoptr(WeftJson) name = parse(scan, scan->value, error);
	if (!name)
		return FALSE;
	const char *key = weft_json_string(name, NULL);
	if (!key)
		return fail(scan, "not a record: a key is missing", error);
	if (!expect(scan, ':', error) || !peek_token(scan, &c, error))
		return FALSE;
	if (is_list(key) && c == '[')
		return scan_list(scan, key, error);
	return take_value(scan, error) &&
	       scan->pieces->member(scan->pieces->data, key, scan->value, error);
}

static gboolean scan_record(Scan *scan, GError **error)
{
	gboolean is_more = TRUE;
	char c;

	if (!expect(scan, '{', error))
		return FALSE;
	while (is_more)
		if (!scan_member(scan, error) || !take_divider(scan, '}', &is_more, error))
			return FALSE;
	if (!peek_token(scan, &c, error))
		return FALSE;
	return scan->size == 0 || fail(scan, "something stands behind the record", error);
}

/* `ret_sha256` NULL: not wanted. */
static gboolean scan_file(const WeftRecordFile *file, const Pieces *pieces, char ret_sha256[65],
			  GError **error)
{
	g_autoptr(GChecksum) sum = ret_sha256 ? g_checksum_new(G_CHECKSUM_SHA256) : NULL;
	g_autoptr(GString) value = g_string_new(NULL);
	g_autofree Scan *scan = g_new(Scan, 1);

	scan->file = file;
	scan->offset = 0;
	scan->sum = sum;
	scan->size = scan->at = 0;
	scan->value = value;
	scan->pieces = pieces;
	if (!scan_record(scan, error))
		return FALSE;
	if (ret_sha256)
		g_strlcpy(ret_sha256, g_checksum_get_string(sum), 65);
	return TRUE;
}

/* ---- items and head ---- */

typedef struct Reading {
	GString *head;
	gboolean has_members, has_content;
	WeftRecordItem item; /* NULL: nobody wants it */
	gpointer data;
} Reading;

static void add_key(Reading *reading, const char *key)
{
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, reading->head);
	writer.needs_comma = reading->has_members;
	weft_json_write_key(&writer, key);
	reading->has_members = TRUE;
}

static gboolean read_member(gpointer data, const char *key, const GString *value, GError **error)
{
	Reading *reading = data;

	(void)error;
	add_key(reading, key);
	g_string_append_len(reading->head, value->str, (gssize)value->len);
	return TRUE;
}

static void read_list(gpointer data, const char *key, gboolean is_end)
{
	Reading *reading = data;

	if (is_end)
		return;
	add_key(reading, key);
	g_string_append(reading->head, "[]");
}

static void read_item(gpointer data, const char *key, const WeftJson *item)
{
	Reading *reading = data;

	if (strcmp(key, "content") == 0)
		reading->has_content = TRUE;
	if (reading->item && !reading->item(reading->data, key, item))
		reading->item = NULL;
}

static gboolean read_all(WeftRecordFile *file, const char *id, WeftRecordItem item, gpointer data,
			 GError **error)
{
	g_autoptr(GString) head = g_string_new("{");
	Reading reading = {.head = head, .item = item, .data = data};
	const Pieces pieces = {read_member, read_list, read_item, &reading};

	if (!scan_file(file, &pieces, file->facts.sha256, error))
		return FALSE;
	g_string_append_c(head, '}');
	file->has_content = reading.has_content;
	file->head = weft_json_parse(head->str, head->len, WEFT_JSON_STRICT, error);
	if (!file->head) {
		g_prefix_error(error, "%s: without its items: ", file->name);
		return FALSE;
	}
	if (g_strcmp0(weft_json_string(weft_json_member(file->head, "id"), NULL), id) == 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: not the record %s", file->name, id);
	return FALSE;
}

WeftRecordFile *weft_record_file_open(const char *path, const char *id, WeftRecordItem item,
				      gpointer data, GError **error)
{
	g_autoptr(WeftRecordFile) file = g_new0(WeftRecordFile, 1);

	file->name = weft_path_display(path);
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0) {
		g_set_error(error, WEFT_ERROR, errno == ENOENT ? WEFT_ERROR_EMPTY : WEFT_ERROR_IO,
			    "%s: %s", file->name, g_strerror(errno));
		return NULL;
	}
	if (fstat(file->fd, &file->facts.status) < 0 || !S_ISREG(file->facts.status.st_mode)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: not a regular file", file->name);
		return NULL;
	}
	return read_all(file, id, item, data, error) ? g_steal_pointer(&file) : NULL;
}

void weft_record_file_close(WeftRecordFile *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	weft_json_free(file->head);
	g_free(file->name);
	g_free(file);
}

/* ---- once more ---- */

static gboolean pass_member(gpointer data, const char *key, const GString *value, GError **error)
{
	(void)data, (void)key, (void)value, (void)error;
	return TRUE;
}

static void pass_list(gpointer data, const char *key, gboolean is_end)
{
	(void)data, (void)key, (void)is_end;
}

gboolean weft_record_file_items(WeftRecordFile *file, WeftRecordItem item, gpointer data,
				GError **error)
{
	Reading reading = {.item = item, .data = data};
	const Pieces pieces = {pass_member, pass_list, read_item, &reading};

	return scan_file(file, &pieces, NULL, error);
}

typedef struct Copying {
	WeftJsonWriter *writer;
	const WeftAddress *address;
	const GPtrArray *paths;
} Copying;

static void write_text(WeftJsonWriter *w, const char *key, const char *text)
{
	weft_json_write_key(w, key);
	weft_json_write_string(w, text);
}

static void write_run(WeftJsonWriter *w, const WeftJson *run, const WeftAddress *address)
{
	weft_json_write_object(w);
	write_text(w, "fingerprint", address->fingerprint);
	if (address->decoders)
		write_text(w, "decoders", address->decoders);
	for (gsize i = 0; i < weft_json_length(run); i++) {
		const char *key = weft_json_key_at(run, i, NULL);

		if (strcmp(key, "fingerprint") == 0 || strcmp(key, "decoders") == 0)
			continue;
		weft_json_write_key(w, key);
		weft_json_write_tree(w, weft_json_at(run, i));
	}
	weft_json_write_object_end(w);
}

static gboolean copy_member(gpointer data, const char *key, const GString *value, GError **error)
{
	const Copying *copying = data;
	WeftJsonWriter *w = copying->writer;
	g_autoptr(WeftJson) tree = weft_json_parse(value->str, value->len, WEFT_JSON_STRICT, error);

	if (!tree)
		return FALSE;
	weft_json_write_key(w, key);
	if (strcmp(key, "source") == 0)
		weft_record_source_write(w, tree, copying->paths);
	else if (copying->address && strcmp(key, "id") == 0)
		weft_json_write_string(w, copying->address->id);
	else if (copying->address && strcmp(key, "run") == 0)
		write_run(w, tree, copying->address);
	else
		weft_json_write_tree(w, tree);
	return TRUE;
}

static void copy_list(gpointer data, const char *key, gboolean is_end)
{
	WeftJsonWriter *w = ((Copying *)data)->writer;

	if (is_end) {
		weft_json_write_array_end(w);
	} else {
		weft_json_write_key(w, key);
		weft_json_write_array(w);
	}
}

static void copy_item(gpointer data, const char *key, const WeftJson *item)
{
	(void)key;
	weft_json_write_tree(((Copying *)data)->writer, item);
}

gboolean weft_record_file_copy(WeftRecordFile *file, const WeftAddress *address,
			       const GPtrArray *paths, WeftJsonWriter *writer, GError **error)
{
	Copying copying = {writer, address, paths};
	const Pieces pieces = {copy_member, copy_list, copy_item, &copying};

	weft_json_write_object(writer);
	if (!scan_file(file, &pieces, NULL, error))
		return FALSE;
	weft_json_write_object_end(writer);
	return TRUE;
}

/* ---- for those who read one record after the other ---- */

/* By the name of its file, which is its id. */
static WeftRecordFile *open_by_name(const char *path, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *id = g_strdup_printf("sha256:%.64s", name);

	return weft_record_file_open(path, id, NULL, NULL, error);
}

WeftJson *weft_record_head(const char *path, GError **error)
{
	g_autoptr(WeftRecordFile) file = open_by_name(path, error);

	return file ? g_steal_pointer(&file->head) : NULL;
}

gboolean weft_record_pass_on(const char *path, WeftJsonWriter *writer, GError **error)
{
	g_autoptr(WeftRecordFile) file = open_by_name(path, error);

	if (!file)
		return FALSE;
	g_autoptr(GPtrArray) paths = weft_record_paths_read(file->head);
	return weft_record_file_copy(file, NULL, paths, writer, error);
}
