/* The file of entries: what comes back of it, whole, torn at every byte, damaged, another's. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/journal.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_KEY "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

typedef struct Place {
	char *folder, *path;
} Place;

static void set_up(Place *place, gconstpointer nothing)
{
	place->folder = g_dir_make_tmp("weft-journal-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "j", NULL);
}

static void tear_down(Place *place, gconstpointer nothing)
{
	g_remove(place->path);
	g_rmdir(place->folder);
	g_free(place->path);
	g_free(place->folder);
}

/* Entries of kind 20: the numbers from `first` on, three to a mark. */
static void write_numbers(const char *path, guint first, guint n, gboolean has_end)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftJournal) journal = weft_journal_open(path, KEY, &error);

	g_assert_no_error(error);
	for (guint i = first; i < first + n; i++) {
		g_autofree char *text = g_strdup_printf("number %u", i);

		weft_journal_add(journal, 20, text, strlen(text));
		if (i % 3 == 2)
			weft_journal_mark(journal, i + 1);
	}
	if (has_end)
		weft_journal_end(journal);
}

/* How many numbers come back; they must be those from 0 on. */
static guint count_numbers(const char *path, guint64 *ret_position)
{
	g_autoptr(WeftJournalReader) reader = weft_journal_reader_open(path, KEY, NULL);
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;
	guint n = 0;

	*ret_position = 0;
	if (reader == NULL)
		return G_MAXUINT;
	for (;;) {
		g_autofree char *text = g_strdup_printf("number %u", n);

		g_assert_true(weft_journal_next(reader, &kind, &data, &size_bytes, NULL));
		if (kind == 0)
			return n;
		if (kind == WEFT_JOURNAL_MARK) {
			g_assert_true(weft_journal_mark_position(data, size_bytes, ret_position));
		} else if (kind == 20) {
			g_assert_cmpmem(data, size_bytes, text, strlen(text));
			n++;
		}
	}
}

static void test_whole(Place *place, gconstpointer nothing)
{
	guint64 position;

	write_numbers(place->path, 0, 9, TRUE);
	g_assert_cmpuint(count_numbers(place->path, &position), ==, 9);
	g_assert_cmpuint(position, ==, 9);
	/* What is complete is not added to. */
	write_numbers(place->path, 9, 9, TRUE);
	g_assert_cmpuint(count_numbers(place->path, &position), ==, 9);
}

static void test_goes_on(Place *place, gconstpointer nothing)
{
	guint64 position;

	write_numbers(place->path, 0, 8, FALSE); /* the last mark is behind number 5 */
	g_assert_cmpuint(count_numbers(place->path, &position), ==, 6);
	write_numbers(place->path, 6, 9000, TRUE);
	g_assert_cmpuint(count_numbers(place->path, &position), ==, 9006);
}

/* Cut off at every byte: what is whole up to a mark comes back, and the writer goes on there. */
static void test_torn(Place *place, gconstpointer nothing)
{
	g_autofree char *whole = NULL;
	gsize size_bytes;
	guint64 position;

	write_numbers(place->path, 0, 9, TRUE);
	g_assert_true(g_file_get_contents(place->path, &whole, &size_bytes, NULL));
	for (gsize size = 0; size < size_bytes; size++) {
		guint n;

		g_assert_true(g_file_set_contents(place->path, whole, (gssize)size, NULL));
		n = count_numbers(place->path, &position);
		g_assert_true(size < WEFT_JOURNAL_HEADER_BYTES ? n == G_MAXUINT
							       : n % 3 == 0 && n == position);
		n = n == G_MAXUINT ? 0 : n;
		write_numbers(place->path, n, 9 - n, TRUE);
		g_assert_cmpuint(count_numbers(place->path, &position), ==, 9);
	}
}

/* One bit wrong anywhere: what stands before it, at most. */
static void test_damaged(Place *place, gconstpointer nothing)
{
	g_autofree char *whole = NULL;
	gsize size_bytes;
	guint64 position;

	write_numbers(place->path, 0, 9, TRUE);
	g_assert_true(g_file_get_contents(place->path, &whole, &size_bytes, NULL));
	for (gsize at = 0; at < size_bytes; at++) {
		guint n;

		whole[at] ^= 0x10;
		g_assert_true(g_file_set_contents(place->path, whole, (gssize)size_bytes, NULL));
		whole[at] ^= 0x10;
		n = count_numbers(place->path, &position);
		g_assert_true(at < WEFT_JOURNAL_HEADER_BYTES ? n == G_MAXUINT
							     : n % 3 == 0 && n <= 9);
	}
}

static void test_other(Place *place, gconstpointer nothing)
{
	g_autoptr(WeftJournalReader) reader = NULL;
	g_autoptr(GError) error = NULL;

	write_numbers(place->path, 0, 9, TRUE);
	reader = weft_journal_reader_open(place->path, OTHER_KEY, &error);
	g_assert_null(reader);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
}

static void test_held(Place *place, gconstpointer nothing)
{
	g_autoptr(WeftJournal) first = weft_journal_open(place->path, KEY, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftJournal) second = weft_journal_open(place->path, KEY, &error);

	g_assert_nonnull(first);
	g_assert_null(second);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
}

static void test_frozen(Place *place, gconstpointer nothing)
{
	guint64 position;
	g_autofree guint8 *large = g_malloc0(WEFT_JOURNAL_ENTRY_MAX_BYTES);
	g_autoptr(WeftJournal) journal = NULL;

	write_numbers(place->path, 0, 6, FALSE);
	journal = weft_journal_open(place->path, KEY, NULL);
	weft_journal_add(journal, 20, large, WEFT_JOURNAL_ENTRY_MAX_BYTES);
	weft_journal_mark(journal, 99);
	weft_journal_end(journal);
	g_assert_false(weft_journal_is_complete(journal));
	g_clear_pointer(&journal, weft_journal_close);
	g_assert_cmpuint(count_numbers(place->path, &position), ==, 6);
	g_assert_cmpuint(position, ==, 6);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/journal/whole", Place, NULL, set_up, test_whole, tear_down);
	g_test_add("/journal/goes-on", Place, NULL, set_up, test_goes_on, tear_down);
	g_test_add("/journal/torn", Place, NULL, set_up, test_torn, tear_down);
	g_test_add("/journal/damaged", Place, NULL, set_up, test_damaged, tear_down);
	g_test_add("/journal/other", Place, NULL, set_up, test_other, tear_down);
	g_test_add("/journal/held", Place, NULL, set_up, test_held, tear_down);
	g_test_add("/journal/frozen", Place, NULL, set_up, test_frozen, tear_down);
	return g_test_run();
}
