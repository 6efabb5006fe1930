/* Plain text: encodings, and pieces that put together are the text. */
#include "tests/ingest/decoded.h"

static const WeftDecodeOptions OPTIONS = {0};

static Decoded decode_bytes(WeftIngest *ingest, const void *bytes, gsize size)
{
	int fd = file_of(bytes, size);
	Decoded decoded = decode_fd(ingest, fd, &OPTIONS);
	close(fd);
	return decoded;
}

static void assert_text(const char *bytes, gsize size, const char *encoding, const char *text)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_bytes(ingest, bytes, size);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(meta_of(&decoded, "encoding"), ==, encoding);
	g_assert_cmpstr(part_of_kind(&decoded, WEFT_PART_CONTENT, 0)->content->text, ==, text);
	g_assert_null(part_of_kind(&decoded, WEFT_PART_CONTENT, 1));
	weft_ingest_close(ingest);
}

static void test_encodings(void)
{
	static const char LATIN1[] = "caf\xe9 \x80 9,50 \x93quoted\x94";
	static const char UTF16[] = "\xff\xfe"
	                            "a\0\xe9\0\x3d\xd8\0\xde"; /* U+1F600 as a pair */
	static const char UTF16BE[] = "\xfe\xff\0a\0\xe9";
	static const char MARKED[] = "\xef\xbb\xbf"
	                             "gr\xc3\xbc\xc3\x9f";
	assert_text(LATIN1, sizeof LATIN1 - 1, "Windows-1252", "café € 9,50 “quoted”");
	assert_text(UTF16, sizeof UTF16 - 1, "UTF-16LE", "aé😀");
	assert_text(UTF16BE, sizeof UTF16BE - 1, "UTF-16BE", "aé");
	assert_text(MARKED, sizeof MARKED - 1, "UTF-8", "grüß");
}

/* A long text comes in pieces that end at paragraphs; nothing but white space between is lost. */
static void test_pieces(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	GString *text = g_string_new(NULL), *together = g_string_new(NULL);
	for (guint i = 0; text->len < 400000; i++)
		g_string_append_printf(text, "Absatz %u über die Häfen%s", i,
		                       i % 7 == 6   ? ".\n\n"
		                       : i % 3 == 2 ? ",\n"
		                                    : " ");
	g_auto(Decoded) decoded = decode_bytes(ingest, text->str, text->len);
	g_assert_no_error(decoded.error);
	for (guint i = 0; part_of_kind(&decoded, WEFT_PART_CONTENT, i); i++) {
		const char *piece = part_of_kind(&decoded, WEFT_PART_CONTENT, i)->content->text;
		g_assert_cmpuint(strlen(piece), <=, 4096);
		g_assert_true(g_utf8_validate(piece, -1, NULL));
		g_string_append(together, piece);
	}
	g_auto(GStrv) ours = g_strsplit_set(together->str, " \n", -1);
	g_auto(GStrv) theirs = g_strsplit_set(text->str, " \n", -1);
	g_autofree char *a = g_strjoinv("", ours), *b = g_strjoinv("", theirs);
	g_assert_cmpstr(a, ==, b);
	g_string_free(text, TRUE);
	g_string_free(together, TRUE);
	weft_ingest_close(ingest);
}

/* One line of a megabyte, with characters of four bytes: cut between them. */
static void test_one_line(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	GString *text = g_string_new(NULL);
	gsize n_bytes = 0;
	for (guint i = 0; i < 250000; i++)
		g_string_append(text, "😀");
	g_auto(Decoded) decoded = decode_bytes(ingest, text->str, text->len);
	g_assert_no_error(decoded.error);
	for (guint i = 0; i < decoded.parts->len; i++) {
		const WeftPart *part = g_ptr_array_index(decoded.parts, i);
		n_bytes += part->content ? strlen(part->content->text) : 0;
	}
	g_assert_cmpuint(n_bytes, ==, text->len);
	g_string_free(text, TRUE);
	weft_ingest_close(ingest);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/text/encodings", test_encodings);
	g_test_add_func("/text/pieces", test_pieces);
	g_test_add_func("/text/one-line", test_one_line);
	return g_test_run();
}
