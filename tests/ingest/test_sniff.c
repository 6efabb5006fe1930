/* data/sniff.tsv: name, what weft calls it, what file(1) called it when the files were made. */
#include "tests/ingest/decoded.h"

static WeftSniff sniff_file(const char *path)
{
	WeftSniff sniff;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	g_assert_true(weft_sniff(fd, &sniff, NULL));
	g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 0);
	close(fd);
	return sniff;
}

static void test_types(void)
{
	g_autofree char *table = NULL;
	guint n = 0;
	g_assert_true(g_file_get_contents(WEFT_TEST_DATA "/sniff.tsv", &table, NULL, NULL));
	g_auto(GStrv) rows = g_strsplit(table, "\n", -1);
	for (guint i = 0; rows[i] && *rows[i]; i++, n++) {
		g_auto(GStrv) cells = g_strsplit(rows[i], "\t", 3);
		g_autofree char *path = g_build_filename(WEFT_TEST_DATA, "sniff", cells[0], NULL);
		WeftSniff sniff = sniff_file(path);
		if (g_strcmp0(sniff.media_type, cells[1]) != 0)
			g_error("%s: %s, not %s", cells[0], sniff.media_type, cells[1]);
		gboolean av =
		    g_str_has_prefix(cells[0], "sound.") || g_str_has_prefix(cells[0], "video.");
		g_assert_cmpint(sniff.family == WEFT_FAMILY_AV, ==, av);
		g_assert_nonnull(sniff.name);
	}
	g_assert_cmpuint(n, >, 60);
}

/* What is not read comes with a way to have it read. */
static void test_hints(void)
{
	static const char *const WITH_HINT[] = {
	    "letter.docx", "sheet.xlsx", "talk.pptx", "letter.odt", "book.epub",
	    "files.zip",   "files.tar",  "mail.eml",  "mail.mbox",  "page.html",
	    "letter.rtf",  "paper.ps",   "list.m3u8", "picture.svg"};
	for (guint i = 0; i < G_N_ELEMENTS(WITH_HINT); i++) {
		g_autofree char *path =
		    g_build_filename(WEFT_TEST_DATA, "sniff", WITH_HINT[i], NULL);
		WeftSniff sniff = sniff_file(path);
		g_assert_cmpint(sniff.family, ==, WEFT_FAMILY_NONE);
		g_assert_nonnull(sniff.hint);
	}
}

static WeftSniff sniff_bytes(const void *bytes, gsize size)
{
	WeftSniff sniff;
	int fd = file_of(bytes, size);
	g_assert_true(weft_sniff(fd, &sniff, NULL));
	close(fd);
	return sniff;
}

/* Old Office files: the directory of streams says which. */
static void test_ole(void)
{
	static const char WORD[] = "W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t";
	guint8 bytes[2048] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};
	bytes[30] = 9; /* sectors of 512 bytes */
	bytes[48] = 2; /* the directory is in the third */
	g_assert_cmpstr(sniff_bytes(bytes, sizeof bytes).media_type, ==,
	                "application/x-ole-storage");
	memcpy(bytes + 512 * 3, WORD, sizeof WORD);
	g_assert_cmpstr(sniff_bytes(bytes, sizeof bytes).media_type, ==, "application/msword");
}

/* Every beginning of every file: no crash, no reading past its end (under a sanitizer). */
static void test_short(void)
{
	g_autoptr(GDir) dir = g_dir_open(WEFT_TEST_DATA "/sniff", 0, NULL);
	const char *name;
	while ((name = g_dir_read_name(dir))) {
		gsize size;
		g_autofree char *bytes = NULL;
		g_autofree char *path = g_build_filename(WEFT_TEST_DATA, "sniff", name, NULL);
		g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
		for (gsize n = 0; n < MIN(size, 64); n++)
			g_assert_nonnull(sniff_bytes(bytes, n).media_type);
	}
}

/* A character that the end of the head cuts is no reason to doubt UTF-8. */
static void test_long_utf8(void)
{
	GString *text = g_string_new("x");
	while (text->len < 70000)
		g_string_append(text, "ü");
	g_assert_cmpstr(sniff_bytes(text->str, text->len).media_type, ==, "text/plain");
	g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sniff/types", test_types);
	g_test_add_func("/sniff/hints", test_hints);
	g_test_add_func("/sniff/ole", test_ole);
	g_test_add_func("/sniff/short", test_short);
	g_test_add_func("/sniff/long-utf8", test_long_utf8);
	return g_test_run();
}
