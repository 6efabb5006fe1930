#include "outputs/stock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"

/* Of a record: its errors stand before anything long. */
#define HEAD_BYTES ((gsize)64 << 10)
/* Records whose errors are looked up. */
#define LOOKED_UP_MAX 20000
#define NAMES_MAX ((gsize)1 << 24)
#define FOLDERS_DEEP 3

/* ---- why records are not whole ---- */

typedef struct Head {
	char *stage, *code, *path;
} Head;

static void head_done(Head *head)
{
	g_free(head->stage);
	g_free(head->code);
	g_free(head->path);
}

static char *text_of(WeftJsonReader *reader)
{
	gsize size;
	const char *text = weft_json_reader_text(reader, &size);
	return g_strndup(text, size);
}

/* The first path and the first error. The text ends somewhere in the record, which is an error of
 * the reader that counts for nothing here. */
static void read_head(const char *text, gsize size, Head *head)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(text, size, WEFT_JSON_ALLOW_DUPLICATES);
	WeftJsonType event;
	gboolean is_source = FALSE, is_errors = FALSE;
	char **next = NULL; /* where the next string goes */

	while (weft_json_reader_next(reader, &event, NULL) && event != WEFT_JSON_END) {
		guint depth = weft_json_reader_depth(reader);

		if (event == WEFT_JSON_KEY && depth == 1) {
			is_source = weft_json_reader_is(reader, "source");
			is_errors = weft_json_reader_is(reader, "errors");
			if (weft_json_reader_is(reader, "document"))
				return;
		}
		if (event == WEFT_JSON_KEY) {
			next = is_source && weft_json_reader_is(reader, "paths")    ? &head->path
			       : is_errors && weft_json_reader_is(reader, "stage") ? &head->stage
			       : is_errors && weft_json_reader_is(reader, "code")  ? &head->code
										     : NULL;
		} else if (event == WEFT_JSON_STRING && next && !*next) {
			*next = text_of(reader);
		}
	}
}

static void read_file_head(const WeftOutputs *outputs, const char *id, Head *head)
{
	const char *hex = id + strlen("sha256:");
	g_autofree char *file =
		g_strdup_printf("%s/%.2s/%s.json", outputs->records, hex, hex);
	g_autofree char *text = g_malloc(HEAD_BYTES);
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? pread(fd, text, HEAD_BYTES, 0) : -1;

	if (n > 0)
		read_head(text, (gsize)n, head);
	if (fd >= 0)
		close(fd);
}

static void reason_free(void *data)
{
	WeftStockReason *reason = data;

	g_free(reason->stage);
	g_free(reason->code);
	g_free(reason->path);
	g_free(reason);
}

static int compare_reasons(gconstpointer a, gconstpointer b)
{
	const WeftStockReason *x = *(const WeftStockReason *const *)a;
	const WeftStockReason *y = *(const WeftStockReason *const *)b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	int by_stage = strcmp(x->stage, y->stage);
	return by_stage ? by_stage : strcmp(x->code, y->code);
}

static void add_reason(WeftStock *stock, const Head *head)
{
	const char *stage = head->stage ? head->stage : "", *code = head->code ? head->code : "";
	WeftStockReason *reason = NULL;

	for (guint i = 0; i < stock->reasons->len && !reason; i++) {
		WeftStockReason *known = stock->reasons->pdata[i];
		if (strcmp(known->stage, stage) == 0 && strcmp(known->code, code) == 0)
			reason = known;
	}
	if (!reason) {
		reason = g_new0(WeftStockReason, 1);
		reason->stage = g_strdup(stage);
		reason->code = g_strdup(code);
		reason->path = g_strdup(head->path ? head->path : "");
		g_ptr_array_add(stock->reasons, reason);
	}
	reason->n++;
}

static gboolean take_reasons(const WeftOutputs *outputs, WeftStock *stock, GError **error)
{
	guint n_looked_up = 0;
	const char *id;

	do {
		if (!weft_catalog_next_unwhole(outputs->catalog, &id, error))
			return FALSE;
		if (id && n_looked_up++ < LOOKED_UP_MAX) {
			Head head = { NULL, NULL, NULL };
			read_file_head(outputs, id, &head);
			add_reason(stock, &head);
			head_done(&head);
		} else if (id) {
			stock->n_not_read++;
		}
	} while (id);
	g_ptr_array_sort(stock->reasons, compare_reasons);
	return TRUE;
}

/* ---- sizes ---- */

/* Files beneath, and the blocks that they take. What can't be read counts as nothing. */
static void measure(const char *path, guint depth, guint64 *n_files, guint64 *size_bytes)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return;
	if (S_ISREG(status.st_mode)) {
		++*n_files;
		*size_bytes += (guint64)status.st_blocks * 512;
	}
	if (!S_ISDIR(status.st_mode) || depth == 0)
		return;
	g_autoptr(GPtrArray) names = weft_folder_names(path, NAMES_MAX, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *child = g_build_filename(path, names->pdata[i], NULL);
		measure(child, depth - 1, n_files, size_bytes);
	}
}

static void take_sizes(const WeftOutputs *outputs, WeftStock *stock)
{
	static const char *const TAILS[] = { "", "-wal", "-shm" };
	g_autofree char *work = g_build_filename(stock->state_dir, "work", NULL);
	g_autofree char *cache = g_build_filename(stock->state_dir, "cache", NULL);
	guint64 n_files = 0;

	measure(work, FOLDERS_DEEP, &stock->n_work, &stock->work_bytes);
	measure(cache, FOLDERS_DEEP, &stock->n_cache, &stock->cache_bytes);
	for (gsize i = 0; i < G_N_ELEMENTS(TAILS); i++) {
		g_autofree char *file = g_strconcat(outputs->database, TAILS[i], NULL);
		measure(file, 0, &n_files, &stock->catalog_bytes);
	}
}

WeftStock *weft_stock_take(WeftOutputs *outputs, GError **error)
{
	g_autoptr(WeftStock) stock = g_new0(WeftStock, 1);

	stock->state_dir = g_path_get_dirname(outputs->database);
	stock->reasons = g_ptr_array_new_with_free_func(reason_free);
	stock->has_catalog = outputs->catalog != NULL;
	take_sizes(outputs, stock);
	if (outputs->catalog &&
	    (!weft_catalog_count(outputs->catalog, stock->n_status, &stock->records_bytes,
				 &stock->n_paths, &stock->n_gone, error) ||
	     !weft_outputs_count_found(outputs, &stock->n_found, error) ||
	     !take_reasons(outputs, stock, error)))
		return NULL;
	return g_steal_pointer(&stock);
}

void weft_stock_free(WeftStock *stock)
{
	if (!stock)
		return;
	g_free(stock->state_dir);
	g_ptr_array_unref(stock->reasons);
	g_free(stock);
}
