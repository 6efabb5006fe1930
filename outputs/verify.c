#include "outputs/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/long_path.h"
#include "outputs/catalog_private.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"
#include "outputs/record_check.h"
#include "outputs/record_file.h"
#include "outputs/record_paths.h"
#include "outputs/record_source.h"
#include "outputs/schema_check.h"

/* Of the id in messages. */
#define SHORT_ID_BYTES 12
/* Of jobs, that are held at a time. */
#define SCHEMAS_MAX 64

/* One of two lists of record files and checksums, both in the order of names. */
typedef struct Expected {
	char name[WEFT_HEX_BYTES + 1]; /* "": at the end */
	char hex[WEFT_HEX_BYTES + 1];
} Expected;

struct WeftVerify {
	WeftOutputs *outputs;
	FILE *manifest;          /* NULL: there is none */
	gint64 manifest_ns;      /* its time */
	guint64 n_lines;
	gboolean is_busy;        /* a run was at work when this began */
	gint64 quiet_ns;         /* records of before are compared with the catalogue */
	gboolean has_sources, has_rows;
	Expected listed, row;    /* the next line of the manifest, the next row */
	WeftSchemaCheck *schema;
	GHashTable *answers;     /* fingerprint -> WeftSchemaCheck of its answers, or NULL: none */
	int folder;              /* 0 to 255: that of names */
	GPtrArray *names;        /* record files of a folder */
	guint next;
	GQueue findings;         /* char * */
	WeftVerifyCounts counts;
};

static void find(WeftVerify *verify, const char *where, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void find(WeftVerify *verify, const char *where, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *line = g_strconcat(where, ": ", what, NULL);

	g_queue_push_tail(&verify->findings, weft_path_display(line));
	verify->counts.n_findings++;
}

/* ---- what is expected ---- */

/* "<64 hex>  records/ab/<64 hex>.json" */
static gboolean parse_line(const char *line, Expected *ret_listed)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *path = line + WEFT_HEX_BYTES;
	const char *name = path + strlen("  records/ab/");

	if (strspn(line, DIGITS) != WEFT_HEX_BYTES || !g_str_has_prefix(path, "  records/") ||
	    strlen(path) < strlen("  records/ab/") || strspn(name, DIGITS) != WEFT_HEX_BYTES ||
	    strcmp(name + WEFT_HEX_BYTES, ".json\n") != 0 || memcmp(name - 3, name, 2) != 0)
		return FALSE;
	g_strlcpy(ret_listed->hex, line, sizeof(ret_listed->hex));
	g_strlcpy(ret_listed->name, name, sizeof(ret_listed->name));
	return TRUE;
}

/* To the next line; after one that can't be read the manifest counts as ended. */
static void next_line(WeftVerify *verify)
{
	char line[512];
	Expected next = { "", "" };

	if (!verify->manifest || !fgets(line, sizeof(line), verify->manifest)) {
		verify->listed = next;
		return;
	}
	verify->n_lines++;
	if (!parse_line(line, &next) || strcmp(next.name, verify->listed.name) <= 0) {
		find(verify, "manifest.sha256",
		     "line %" G_GUINT64_FORMAT " is not what weft writes, the rest is not compared; "
		     "the end of the next run writes it anew", verify->n_lines);
		fclose(verify->manifest);
		verify->manifest = NULL;
		next = (Expected){ "", "" };
	}
	verify->listed = next;
}

static gboolean next_row(WeftVerify *verify, GError **error)
{
	g_autofree char *after =
		verify->row.name[0] ? g_strconcat("sha256:", verify->row.name, NULL) : g_strdup("");
	char id[72];

	verify->row.name[0] = '\0';
	if (!verify->has_rows)
		return TRUE;
	if (!weft_catalog_next_record(verify->outputs->catalog, after, id, verify->row.hex, error))
		return FALSE;
	verify->has_rows = id[0] != '\0';
	if (verify->has_rows)
		g_strlcpy(verify->row.name, id + strlen("sha256:"), sizeof(verify->row.name));
	return TRUE;
}

/* TRUE when a list stands at a name before `name` (NULL: at any). */
static gboolean stands_before(const Expected *expected, const char *name)
{
	return expected->name[0] && (!name || strcmp(expected->name, name) < 0);
}

/* A run that is at work removes records that only said that a path could not be read, and their rows
 * after them. */
static gboolean may_be_removed(const WeftVerify *verify, const char *name)
{
	g_autofree char *id = g_strconcat("sha256:", name, NULL);

	return verify->is_busy && verify->outputs->catalog &&
	       !weft_catalog_is_read(verify->outputs->catalog, id);
}

/* Passes over what is expected before `name` (NULL: all that is left), which is not there. */
static gboolean pass_missing(WeftVerify *verify, const char *name, GError **error)
{
	while (stands_before(&verify->listed, name) || stands_before(&verify->row, name)) {
		gboolean is_row = stands_before(&verify->row, name) &&
				  (!verify->listed.name[0] ||
				   strcmp(verify->row.name, verify->listed.name) < 0);
		Expected missing = is_row ? verify->row : verify->listed;
		gboolean is_both = !is_row && strcmp(verify->row.name, missing.name) == 0;
		g_autofree char *where =
			g_strdup_printf("records/%.2s/%s.json", missing.name, missing.name);
		g_autofree char *file = g_build_filename(verify->outputs->folder, where, NULL);

		/* A run may have erased it and written it anew since the folder was listed. */
		if (access(file, F_OK) < 0 && !may_be_removed(verify, missing.name))
			find(verify, where, "in %s, but not there; restore it, or run weft again",
			     is_row ? "the catalogue" : "manifest.sha256");
		if (!is_row)
			next_line(verify);
		if ((is_row || is_both) && !next_row(verify, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the document of a record ---- */

static void check_bytes(WeftVerify *verify, int fd, const struct stat *status, const char *path,
			const char *id, const char *sha256)
{
	g_autoptr(GError) failure = NULL;
	char hex[65];
	guint64 size;
	WeftSourceRow row = { 0 };

	if (!weft_fd_sha256(fd, path, hex, &size, &failure)) {
		g_queue_push_tail(&verify->findings,
				  g_strdup_printf("%s; read it again, or restore it from a backup",
						  failure->message));
		verify->counts.n_findings++;
		return;
	}
	if (strcmp(hex, sha256) == 0) {
		verify->counts.n_sources++;
		return;
	}
	if (verify->outputs->catalog)
		row = weft_catalog_source_row(verify->outputs->catalog, path, id);
	if (row.has_status && row.size_bytes == status->st_size &&
	    row.mtime_ns == weft_catalog_nanoseconds(&status->st_mtim))
		find(verify, path,
		     "other bytes than record %.*s was made from, with the same size and time: "
		     "damaged; restore it from a backup", SHORT_ID_BYTES, id + strlen("sha256:"));
	else
		find(verify, path, "changed since record %.*s was made; weft run reads it again",
		     SHORT_ID_BYTES, id + strlen("sha256:"));
}

static void check_source(WeftVerify *verify, const char *path, const char *id, const char *sha256)
{
	struct stat status;
	/* Without waiting: what is now a FIFO must not hold us. */
	int fd = weft_path_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		WeftSourceRow row = { 0 };
		if (verify->outputs->catalog)
			row = weft_catalog_source_row(verify->outputs->catalog, path, id);
		if (row.is_gone)
			verify->counts.n_gone++;
		else
			find(verify, path, "not there; restore it, or let weft run mark it gone");
		return;
	}
	if (fd < 0 || fstat(fd, &status) < 0)
		find(verify, path, "%s; its bytes are not compared", g_strerror(errno));
	else if (!S_ISREG(status.st_mode))
		find(verify, path, "not a regular file any more; weft run looks at it again");
	else
		check_bytes(verify, fd, &status, path, id, sha256);
	if (fd >= 0)
		close(fd);
}

/* Captions beside a recording that are no input themselves; those that are have a record. */
static void check_captions(WeftVerify *verify, const WeftJson *record, const char *path, const char *id)
{
	guint64 n_sources = verify->counts.n_sources;
	const char *sha256;
	g_autofree char *captions = weft_record_captions_at(record, path, &sha256);
	char own_id[72];

	if (captions && !(verify->outputs->catalog &&
			  weft_catalog_id_of_path(verify->outputs->catalog, captions, own_id)))
		check_source(verify, captions, id, sha256);
	verify->counts.n_sources = n_sources; /* they are no document */
}

/* ---- a record ---- */

static void check_checksum(WeftVerify *verify, const char *name, const char *where,
			   const struct stat *status, const char *hex, gboolean is_record)
{
	gint64 time_ns = weft_catalog_nanoseconds(&status->st_mtim);
	gboolean is_listed = strcmp(verify->listed.name, name) == 0;
	gboolean has_row = strcmp(verify->row.name, name) == 0;
	gboolean is_newer = time_ns >= verify->manifest_ns;
	gboolean is_as_written = has_row && strcmp(verify->row.hex, hex) == 0;
	gboolean is_quiet = time_ns < verify->quiet_ns;

	/* What was written after the manifest is known by the catalogue alone. */
	if (is_listed && strcmp(verify->listed.hex, hex) != 0 && !(is_newer && is_as_written) &&
	    is_quiet)
		find(verify, where, "not the bytes that manifest.sha256 lists: damaged; restore it, or "
				    "delete it and run weft again");
	else if (has_row && !is_as_written && is_quiet)
		find(verify, where, "not the bytes that weft wrote: changed by somebody else; restore "
				    "it, or delete it and run weft again");
	else if (!is_listed && verify->manifest && !is_newer)
		find(verify, where, "not in manifest.sha256, though older; the end of the next run "
				    "lists it");
	else if (is_record && verify->outputs->catalog && !has_row && is_quiet)
		find(verify, where, "not in the catalogue; weft rebuild-index brings it back");
	if (is_newer)
		verify->counts.n_newer++;
}

static void free_check(void *check)
{
	weft_schema_check_free(check);
}

/* What the job's answers must be like; NULL: it asks nothing, or is not kept. */
static WeftSchemaCheck *schema_of(WeftVerify *verify, const char *fingerprint, const char *type)
{
	g_autofree char *key = g_strconcat(fingerprint, "\n", type, NULL);
	g_autoptr(GError) failure = NULL;
	gpointer known;

	if (g_hash_table_lookup_extended(verify->answers, key, NULL, &known))
		return known;
	g_autofree char *text =
		weft_outputs_job_schema(verify->outputs, fingerprint, type, &failure);
	WeftSchemaCheck *schema = text ? weft_schema_check_new(text, &failure) : NULL;
	if (failure) {
		g_autofree char *where = g_strdup_printf("jobs/%s/schema.json", fingerprint);
		find(verify, where, "%s; answers are not compared with it; the next run of the job "
				    "writes it anew", failure->message);
	}
	if (g_hash_table_size(verify->answers) >= SCHEMAS_MAX)
		g_hash_table_remove_all(verify->answers);
	g_hash_table_insert(verify->answers, g_steal_pointer(&key), schema);
	return schema;
}

/* A document that is not whole may have none. */
static void check_answer(WeftVerify *verify, const WeftJson *record, const char *where)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const char *fingerprint =
		weft_json_string(weft_json_at_pointer(record, "/run/fingerprint"), NULL);

	if (!answer || weft_json_type(answer) == WEFT_JSON_NULL || !fingerprint)
		return;
	WeftSchemaCheck *schema = schema_of(
		verify, fingerprint,
		weft_json_string(weft_json_at_pointer(record, "/type/name"), NULL));
	g_autofree char *unfit = schema ? weft_schema_check_answer(schema, answer) : NULL;
	if (unfit)
		find(verify, where, "/answer%s, by the schema of its task (jobs/%.*s); delete it and "
				    "run weft again",
		     unfit + (g_str_has_prefix(unfit, "/: ") ? 1 : 0), SHORT_ID_BYTES, fingerprint);
}

/* What the items of the record at hand are, while it is read. */
typedef struct ItemsAtHand {
	WeftVerify *verify;
	WeftItemsCheck *check;
	guint n[2];    /* of content, of hidden */
	char *unfit;   /* the first one that the schema does not allow */
} ItemsAtHand;

static gboolean take_item(gpointer data, const char *list, const WeftJson *item)
{
	ItemsAtHand *items = data;
	guint *n = &items->n[strcmp(list, "hidden") == 0];
	g_autofree char *where = g_strdup_printf("/%s/%u", list, *n);
	g_autofree char *schema = g_strdup_printf("/properties/%s/items", list);

	++*n;
	items->unfit = weft_schema_check_part(items->verify->schema, schema, where, item);
	weft_items_check_add(items->check, item);
	return !items->unfit;
}

/* FALSE: it is none. */
static gboolean check_record(WeftVerify *verify, WeftRecordFile *record, const ItemsAtHand *items,
			     const char *where)
{
	const WeftJson *head = record->head;
	const char *id = weft_json_string(weft_json_member(head, "id"), NULL);
	g_autofree char *unfit = items->unfit ? g_strdup(items->unfit)
					      : weft_schema_check_value(verify->schema, head);

	if (unfit) {
		find(verify, where, "not a record as weft schema record says: %s; delete it and run "
				    "weft again", unfit);
		return FALSE;
	}
	check_answer(verify, head, where);
	g_autofree char *contradiction = weft_record_check(record, items->check);
	if (contradiction)
		find(verify, where, "contradicts itself: %s; delete it and run weft again",
		     contradiction);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(head);
	for (guint i = 0; i < paths->len && verify->has_sources; i++) {
		const char *sha256 = weft_record_sha256_at(head, paths->pdata[i]);
		if (sha256)
			check_source(verify, paths->pdata[i], id, sha256);
		check_captions(verify, head, paths->pdata[i], id);
	}
	return TRUE;
}

static void check_there(WeftVerify *verify, const char *file, const char *name, const char *where,
			const struct stat *status)
{
	g_autofree char *id = g_strconcat("sha256:", name, NULL);
	g_autoptr(WeftItemsCheck) check = weft_items_check_new();
	g_autoptr(GError) failure = NULL;
	ItemsAtHand items = {.verify = verify, .check = check};
	g_autoptr(WeftRecordFile) record =
		weft_record_file_open(file, id, take_item, &items, &failure);

	verify->counts.n_records++;
	if (record) {
		gboolean is_record = check_record(verify, record, &items, where);
		check_checksum(verify, name, where, status, record->facts.sha256, is_record);
	} else {
		find(verify, where, "%s; delete it and run weft again", failure->message);
	}
	g_free(items.unfit);
}

static gboolean check_file(WeftVerify *verify, const char *file_name, GError **error)
{
	g_autofree char *where = g_strdup_printf("records/%.2s/%s", file_name, file_name);
	g_autofree char *file = g_build_filename(verify->outputs->folder, where, NULL);
	g_autofree char *name = g_strndup(file_name, WEFT_HEX_BYTES);
	struct stat status;

	if (!pass_missing(verify, name, error))
		return FALSE;
	if (stat(file, &status) == 0) /* else it has been erased since the folder was listed */
		check_there(verify, file, name, where, &status);
	if (strcmp(verify->listed.name, name) == 0)
		next_line(verify);
	return strcmp(verify->row.name, name) != 0 || next_row(verify, error);
}

/* ---- the folders of records ---- */

/* Others' files are told, and nothing more: weft neither reads nor removes them. */
static void find_stray(WeftVerify *verify, const char *folder, const char *name)
{
	g_autofree char *where = g_build_filename("records", folder, name, NULL);

	if (!weft_file_is_temporary(name) && !weft_name_is_debris(name))
		find(verify, where, "not a record, and nothing that weft puts there; move it away");
}

static gboolean is_folder_name(const char *name)
{
	return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}

static gboolean find_strays_on_top(WeftVerify *verify, GError **error)
{
	g_autoptr(GPtrArray) names =
		weft_folder_names(verify->outputs->records, WEFT_FOLDER_NAMES_MAX, error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = g_build_filename(verify->outputs->records, name, NULL);

		if (!is_folder_name(name) || !g_file_test(path, G_FILE_TEST_IS_DIR))
			find_stray(verify, "", name);
	}
	return names != NULL;
}

/* The names of records in the next of the 256 folders. */
static gboolean open_folder(WeftVerify *verify, GError **error)
{
	char folder[3];

	g_snprintf(folder, sizeof(folder), "%02x", verify->folder);
	g_autofree char *path = g_build_filename(verify->outputs->records, folder, NULL);
	g_ptr_array_set_size(verify->names, 0);
	verify->next = 0;
	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(path, WEFT_FOLDER_NAMES_MAX, error);
	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];

		if (weft_record_is_name(name) && g_str_has_prefix(name, folder))
			g_ptr_array_add(verify->names, g_strdup(name));
		else
			find_stray(verify, folder, name);
	}
	return names != NULL;
}

gboolean weft_verify_step(WeftVerify *verify, gboolean *ret_is_end, GError **error)
{
	while (verify->next >= verify->names->len) {
		if (verify->folder == 255) {
			*ret_is_end = TRUE;
			return pass_missing(verify, NULL, error);
		}
		verify->folder++;
		if (!open_folder(verify, error))
			return FALSE;
	}
	*ret_is_end = FALSE;
	return check_file(verify, verify->names->pdata[verify->next++], error);
}

/* ---- begin and end ---- */

/* A summary that is there adds up. */
static void check_summary(WeftVerify *verify)
{
	g_autofree char *file = g_build_filename(verify->outputs->folder, "summary.json", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) failure = NULL;
	gsize size;

	if (!g_file_test(file, G_FILE_TEST_EXISTS))
		return;
	g_autoptr(WeftJson) summary =
		weft_file_read(file, (gsize)1 << 20, &text, &size, &failure)
			? weft_json_parse(text, size, WEFT_JSON_STRICT, &failure)
			: NULL;
	if (!summary) {
		find(verify, "summary.json", "%s; the end of the next run writes it anew",
		     failure->message);
		return;
	}
	const WeftJson *ledger = weft_json_member(summary, "ledger");
	for (gsize i = 0; i < weft_json_length(ledger); i++) {
		const WeftJson *sums = weft_json_at(ledger, i);
		guint64 in = 0, sum = 0, n;

		if (!weft_json_uint(weft_json_member(sums, "in"), &in))
			continue;
		for (gsize k = 0; k < weft_json_length(sums); k++)
			if (g_strcmp0(weft_json_key_at(sums, k, NULL), "in") != 0 &&
			    weft_json_uint(weft_json_at(sums, k), &n))
				sum += n;
		if (in != sum)
			find(verify, "summary.json",
			     "the ledger of %s does not add up: %" G_GUINT64_FORMAT
			     " in, %" G_GUINT64_FORMAT " accounted for; run weft again",
			     weft_json_key_at(ledger, i, NULL), in, sum);
	}
}

/* A run has come to its end here, so there was a manifest. */
static gboolean has_summary(const WeftOutputs *outputs)
{
	g_autofree char *path = g_build_filename(outputs->folder, "summary.json", NULL);
	int number = errno;
	gboolean has = g_file_test(path, G_FILE_TEST_EXISTS);

	errno = number;
	return has;
}

static gboolean has_run(const WeftOutputs *outputs)
{
	g_autofree char *state = weft_outputs_state_dir(outputs);
	g_autoptr(GPtrArray) notes = weft_run_file_read_all(state);

	for (guint i = 0; i < notes->len; i++)
		if (((const WeftRunNote *)notes->pdata[i])->is_alive)
			return TRUE;
	return FALSE;
}

/* While a run is at work, a record may be in its place before its row is, and the summary before the
 * manifest: what is newer than that is then not compared with rows. */
static void open_manifest(WeftVerify *verify)
{
	g_autofree char *path = g_build_filename(verify->outputs->folder, "manifest.sha256", NULL);
	struct stat status;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	verify->is_busy = has_run(verify->outputs);
	verify->manifest = fopen(path, "re");
	if (verify->manifest && fstat(fileno(verify->manifest), &status) == 0)
		verify->manifest_ns = weft_catalog_nanoseconds(&status.st_mtim);
	else if (errno != ENOENT || (!verify->is_busy && has_summary(verify->outputs)))
		find(verify, "manifest.sha256",
		     "%s; what it lists is not compared, and the end of the next run writes it",
		     g_strerror(errno));
	verify->quiet_ns = verify->is_busy ? verify->manifest_ns : weft_catalog_nanoseconds(&now);
}

WeftVerify *weft_verify_new(WeftOutputs *outputs, gboolean has_sources, GError **error)
{
	g_autoptr(WeftVerify) verify = g_new0(WeftVerify, 1);

	verify->outputs = outputs;
	verify->has_sources = has_sources;
	verify->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_check);
	verify->folder = -1;
	verify->names = g_ptr_array_new_with_free_func(g_free);
	g_queue_init(&verify->findings);
	verify->schema = weft_schema_check_new(weft_record_schema(), error);
	if (!verify->schema)
		return NULL;
	open_manifest(verify);
	check_summary(verify);
	if (outputs->catalog) {
		verify->counts.n_all = weft_catalog_count_records(outputs->catalog);
		verify->has_rows = TRUE;
	}
	next_line(verify);
	if (!find_strays_on_top(verify, error) || !next_row(verify, error))
		return NULL;
	return g_steal_pointer(&verify);
}

void weft_verify_free(WeftVerify *verify)
{
	if (!verify)
		return;
	if (verify->manifest)
		fclose(verify->manifest);
	weft_schema_check_free(verify->schema);
	g_hash_table_unref(verify->answers);
	g_ptr_array_unref(verify->names);
	g_queue_clear_full(&verify->findings, g_free);
	g_free(verify);
}

char *weft_verify_next_finding(WeftVerify *verify)
{
	return g_queue_pop_head(&verify->findings);
}

WeftVerifyCounts weft_verify_counts(const WeftVerify *verify)
{
	return verify->counts;
}
