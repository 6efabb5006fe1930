#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "outputs/outputs_private.h"
#include "outputs/record_file.h"
#include "outputs/record_paths.h"
#include "sample.h"

#define PIECES_MAX_BYTES (2 * WEFT_JSON_PIECE_BYTES)

typedef struct Fixture {
	char *folder, *path;
} Fixture;

static void setup(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("weft-record-file-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "record.json", NULL);
}

static void teardown(Fixture *fixture, gconstpointer data)
{
	g_unlink(fixture->path);
	g_rmdir(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->folder);
}

static WeftRecordFile *open_text(const Fixture *fixture, const char *text, gsize size_bytes,
				 GError **error)
{
	FILE *file;

	/* A new file each time: ext4 syncs one that is emptied and written again. */
	g_unlink(fixture->path);
	file = fopen(fixture->path, "we");
	g_assert_nonnull(file);
	g_assert_cmpuint(fwrite(text, 1, size_bytes, file), ==, size_bytes);
	g_assert_cmpint(fclose(file), ==, 0);
	return weft_record_file_open(fixture->path, SAMPLE_ID, NULL, NULL, error);
}

static gboolean count_item(gpointer data, const char *list, const WeftJson *item)
{
	guint *n = data;
	n[strcmp(list, "hidden") == 0]++;
	g_assert_nonnull(weft_json_member(item, "id"));
	return TRUE;
}

/* A piece is small however long the record or a text in it is. */
static gboolean take_piece(gpointer data, const char *text, gsize size_bytes, GError **error)
{
	g_assert_cmpuint(size_bytes, <, PIECES_MAX_BYTES);
	g_string_append_len(data, text, (gssize)size_bytes);
	return TRUE;
}

static char *copy(WeftRecordFile *file, const WeftAddress *address, const GPtrArray *paths)
{
	g_autoptr(GString) piece = g_string_new(NULL);
	GString *all = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, piece);
	weft_json_writer_hand_on(&writer, take_piece, all);
	weft_record_file_copy(file, address, paths, &writer, &error);
	g_assert_no_error(error);
	weft_json_writer_finish(&writer, &error);
	g_assert_no_error(error);
	return g_string_free(all, FALSE);
}

static WeftRecord *large_record(void)
{
	WeftRecord *record = sample_record();
	g_autoptr(GString) text = g_string_new(NULL);

	while (text->len < 5 * WEFT_JSON_PIECE_BYTES)
		g_string_append(text, "größe \"€\" \\ 𝄞\n");
	for (guint32 page = 1; page < 20; page++)
		sample_add_text(record, page, text->str + page % 2);
	return record;
}

static void test_copy(Fixture *fixture, gconstpointer data)
{
	g_autoptr(WeftRecord) record = large_record();
	gsize size;
	g_autofree char *text = weft_record_json(record, TRUE, &size);
	g_autoptr(WeftRecordFile) file = open_text(fixture, text, size, NULL);
	guint n[2] = {0};

	g_assert_nonnull(file);
	g_assert_cmpuint(weft_json_length(weft_json_member(file->head, "content")), ==, 0);
	g_assert_cmpuint(weft_json_length(weft_json_member(file->head, "hidden")), ==, 0);
	g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_assert_cmpstr(file->facts.sha256, ==, hex);
	g_assert_true(weft_record_file_items(file, count_item, n, NULL));
	g_assert_cmpuint(n[0] + n[1], ==, record->contents->len);
	g_assert_cmpuint(n[1], >, 0);
	/* Another one may have its name. */
	g_unlink(fixture->path);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(file->head);
	g_autofree char *same = copy(file, NULL, paths);
	g_assert_cmpstr(same, ==, text);
	g_ptr_array_add(paths, g_strdup("zz/new name"));
	weft_record_paths_settle(paths);
	g_ptr_array_add(record->paths, g_strdup("zz/new name"));
	g_autofree char *added = copy(file, NULL, paths);
	g_autofree char *expected = weft_record_json(record, TRUE, NULL);
	g_assert_cmpstr(added, ==, expected);
}

static void test_address(Fixture *fixture, gconstpointer data)
{
	static const char *const ID =
		"sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	g_autoptr(WeftRecord) record = sample_record();
	gsize size;
	g_autofree char *text = weft_record_json(record, TRUE, &size);
	g_autoptr(WeftRecordFile) file = open_text(fixture, text, size, NULL);
	const WeftAddress address = {ID, "new job", "decoder 2"};

	g_assert_nonnull(file);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(file->head);
	g_autofree char *moved = copy(file, &address, paths);
	g_autoptr(WeftJson) tree = weft_json_parse(moved, strlen(moved), WEFT_JSON_STRICT, NULL);
	g_assert_cmpstr(weft_json_string(weft_json_member(tree, "id"), NULL), ==, ID);
	g_assert_cmpstr(weft_json_string(weft_json_at_pointer(tree, "/run/fingerprint"), NULL), ==,
			"new job");
	g_assert_cmpstr(weft_json_string(weft_json_at_pointer(tree, "/run/decoders"), NULL), ==,
			"decoder 2");
	g_assert_cmpuint(weft_json_length(weft_json_member(tree, "content")), >, 0);
}

/* Says what the parser of whole texts says: cut anywhere, and with any byte changed. */
static void test_strict(Fixture *fixture, gconstpointer data)
{
	static const char BYTES[] = "{}[],:\"\\ 0eu\n\xff";
	g_autoptr(WeftRecord) record = sample_record();
	gsize size;
	g_autofree char *text = weft_record_json(record, TRUE, &size);
	g_autoptr(GRand) random = g_rand_new_with_seed(7);

	for (gsize cut = 0; cut < size; cut++) {
		g_autoptr(WeftRecordFile) file = open_text(fixture, text, cut, NULL);
		g_assert_null(file);
	}
	for (guint i = 0; i < 3000; i++) {
		g_autofree char *other = g_memdup2(text, size);
		gsize at = (gsize)g_rand_int_range(random, 0, (gint32)size);
		other[at] = BYTES[g_rand_int_range(random, 0, sizeof BYTES - 1)];
		g_autoptr(WeftJson) whole = weft_json_parse(other, size, WEFT_JSON_STRICT, NULL);
		const char *id = weft_json_string(weft_json_member(whole, "id"), NULL);
		g_autoptr(WeftRecordFile) file = open_text(fixture, other, size, NULL);

		if ((file != NULL) != (g_strcmp0(id, SAMPLE_ID) == 0))
			g_error("byte %zu: '%c' is taken by one alone", (size_t)at, other[at]);
	}
}

static void test_refused(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *text;
		int code;
	} CASES[] = {
		{"", WEFT_ERROR_CORRUPT},
		{"{}", WEFT_ERROR_CORRUPT},
		{"[]", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"sha256:00\"}", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"" SAMPLE_ID "\"} {}", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"" SAMPLE_ID "\",\"content\":[{}],\"content\":[]}", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"" SAMPLE_ID "\",\"content\":[,]}", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"" SAMPLE_ID "\",\"content\":[1 2]}", WEFT_ERROR_CORRUPT},
		{"{\"id\":\"" SAMPLE_ID "\",}", WEFT_ERROR_CORRUPT},
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(open_text(fixture, CASES[i].text, strlen(CASES[i].text), &error));
		g_assert_error(error, WEFT_ERROR, CASES[i].code);
	}
	g_autoptr(GError) none = NULL, folder = NULL;
	g_unlink(fixture->path);
	g_assert_null(weft_record_file_open(fixture->path, SAMPLE_ID, NULL, NULL, &none));
	g_assert_error(none, WEFT_ERROR, WEFT_ERROR_EMPTY);
	g_assert_null(weft_record_file_open(fixture->folder, SAMPLE_ID, NULL, NULL, &folder));
	g_assert_error(folder, WEFT_ERROR, WEFT_ERROR_IO);
}

#define ADD(name, function) g_test_add(name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/record-file/copy", test_copy);
	ADD("/record-file/address", test_address);
	ADD("/record-file/strict", test_strict);
	ADD("/record-file/refused", test_refused);
	return g_test_run();
}
