/* Captions as files and as tracks: times and texts against what FFmpeg reads of the same bytes. */
#include <glib/gstdio.h>

#include "tests/ingest/decoded.h"

static const WeftDecodeOptions OPTIONS = {0};

static const char VTT[] =
    "\xef\xbb\xbfWEBVTT - a meeting\n\n"
    "NOTE\nnot --> this\n\n"
    "1\n00:00:01.000 --> 00:00:03.500 align:start\n<v Anna Keller>Good <i>morning</i> &amp; 3 < 4</v>\n\n"
    "00:03.500 --> 00:05.000\n<v Ben>Hi.\n<v Anna Keller>Let's <00:00:04.200>go <00:00:04.600>on.\n\n"
    "01:00:00.000 --> 100:00:00.250\nlate\n";

static const char SRT[] =
    "1\r\n00:00:01,000 --> 00:00:02,500\r\nAnna: Hello <b>there</b>\r\n\r\n"
    "2\r\n00:00:03,000 --> 00:00:04,000\r\nBen M.: Yes\r\nand no\r\n\r\n\r\n"
    "3\r\n00:00:05,000 --> 00:00:06,000\r\nAnna: {\\an8}Bye";

typedef struct Expected {
	const char *speaker, *text;
	double from_s, to_s;
} Expected;

static Decoded decode_text(WeftIngest *ingest, const char *text)
{
	int fd = file_of(text, strlen(text));
	Decoded decoded = decode_fd(ingest, fd, &OPTIONS);
	close(fd);
	return decoded;
}

static void assert_contents(const Decoded *decoded, const Expected *expected, guint n)
{
	guint found = 0;
	for (guint i = 0; i < decoded->parts->len; i++) {
		const WeftContent *content =
		    ((const WeftPart *)g_ptr_array_index(decoded->parts, i))->content;
		if (!content || !content->text)
			continue;
		const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);
		g_assert_cmpuint(found, <, n);
		g_assert_cmpint(content->kind, ==, WEFT_CONTENT_SPEECH);
		g_assert_cmpint(content->by, ==, WEFT_BY_FILE);
		g_assert_cmpstr(content->text, ==, expected[found].text);
		g_assert_cmpstr(content->speaker, ==, expected[found].speaker);
		g_assert_cmpfloat_with_epsilon(at->time[0], expected[found].from_s, 1e-9);
		g_assert_cmpfloat_with_epsilon(at->time[1], expected[found].to_s, 1e-9);
		found++;
	}
	g_assert_cmpuint(found, ==, n);
}

static void test_vtt(void)
{
	static const Expected EXPECTED[] = {{"Anna Keller", "Good morning & 3 < 4", 1, 3.5},
	                                    {"Ben", "Hi.", 3.5, 5},
	                                    {"Anna Keller", "Let's go on.", 3.5, 5},
	                                    {NULL, "late", 3600, 360000.25}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_text(ingest, VTT);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(decoded.sniff.media_type, ==, "text/vtt");
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	g_assert_null(part_of_kind(&decoded, WEFT_PART_FAULT, 0));
	/* times inside a caption are those of its words */
	WeftWordReader words = weft_content_words(content_with(&decoded, "go on"));
	WeftWord word;
	for (guint i = 0; i < 2; i++)
		g_assert_true(weft_word_next(&words, &word));
	g_assert_cmpuint(word.char_first, ==, 6);
	g_assert_cmpuint(word.char_end, ==, 8);
	g_assert_cmpfloat_with_epsilon(word.at.time[0], 4.2, 1e-9);
	g_assert_cmpfloat_with_epsilon(word.at.time[1], 4.6, 1e-9);
	weft_ingest_close(ingest);
}

static void test_srt(void)
{
	static const Expected EXPECTED[] = {
	    {"Anna", "Hello there", 1, 2.5}, {"Ben M.", "Yes and no", 3, 4}, {"Anna", "Bye", 5, 6}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_text(ingest, SRT);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(decoded.sniff.media_type, ==, "application/x-subrip");
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	weft_ingest_close(ingest);
}

/* A colon in one caption is no name. */
static void test_no_names(void)
{
	static const Expected EXPECTED[] = {
	    {NULL, "Note: this", 1, 2}, {NULL, "is all", 2, 3}, {NULL, "there is", 3, 4}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded =
	    decode_text(ingest, "WEBVTT\n\n00:01.000 --> 00:02.000\nNote: this\n\n"
	                        "00:02.000 --> 00:03.000\nis all\n\n00:03.000 --> 00:04.000\nthere is");
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	weft_ingest_close(ingest);
}

/* As web platforms write what they heard: each caption shows the line before once more. */
static void test_rolling(void)
{
	static const Expected EXPECTED[] = {{NULL, "so we", 0, 2}, {NULL, "begin now", 2.01, 4},
	                                    {NULL, "with that", 4.01, 6}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_text(
	    ingest, "WEBVTT\nKind: captions\n\n00:00:00.000 --> 00:00:02.000\n \nso we\n\n"
	            "00:00:02.000 --> 00:00:02.010\nso we\n \n\n"
	            "00:00:02.010 --> 00:00:04.000\nso we\nbegin now\n\n"
	            "00:00:04.010 --> 00:00:06.000\nbegin now\nwith that\n\n");
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	weft_ingest_close(ingest);
}

/* Empty lines that hold a space, or are not there. */
static void test_sloppy(void)
{
	static const Expected EXPECTED[] = {{NULL, "one", 1, 2}, {NULL, "two", 2, 3}, {NULL, "three", 3, 4}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_text(
	    ingest, "1\n00:00:01,000 --> 00:00:02,000\none\n \n2\n00:00:02,000 --> 00:00:03,000\ntwo\n"
	            "3\n00:00:03,000 --> 00:00:04,000\nthree\n");
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	weft_ingest_close(ingest);
}

/* What can't be read is said, with its line, and what is around it stays. */
static void test_damage(void)
{
	static const Expected EXPECTED[] = {{NULL, "one", 1, 2}, {NULL, "three", 5, 6}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded =
	    decode_text(ingest, "1\n00:00:01,000 --> 00:00:02,000\none\n\n"
	                        "2\n00:00:04,000 --> 00:00:03,000\ntwo\n\n"
	                        "3\n00:00:05,000 --> 00:00:06,000\nthree\n\nfour\n");
	const WeftPart *fault = part_of_kind(&decoded, WEFT_PART_FAULT, 0);
	assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
	g_assert_nonnull(fault);
	g_assert_cmpstr(fault->fault->message, ==,
	                "2 captions without times not read, the first in line 5");
	weft_ingest_close(ingest);
}

/* A caption that is longer than a content may be becomes several; no word is lost. */
static void test_long(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_autoptr(GString) text = g_string_new("WEBVTT\n\n00:01.000 --> 00:02.000\n");
	gsize n_words = 0, n_contents = 0;
	for (guint i = 0; i < 10000; i++)
		g_string_append_printf(text, "word%u%s", i, i % 100 == 99 ? "\n" : " ");
	g_auto(Decoded) decoded = decode_text(ingest, text->str);
	g_assert_no_error(decoded.error);
	for (guint i = 0; i < decoded.parts->len; i++) {
		const WeftContent *content =
		    ((const WeftPart *)g_ptr_array_index(decoded.parts, i))->content;
		if (!content || !content->text)
			continue;
		g_assert_cmpfloat(g_array_index(content->anchors, WeftAnchor, 0).time[1], ==, 2);
		for (const char *p = content->text; (p = strstr(p, "word")); p += 4)
			n_words++;
		n_contents++;
	}
	g_assert_cmpuint(n_contents, >, 2);
	g_assert_cmpuint(n_words, ==, 10000);
	weft_ingest_close(ingest);
}

/* ---- tracks of a container ---- */

static char *shell(const char *line)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)line, NULL};
	char *out = NULL;
	int status = 0;
	g_autoptr(GError) error = NULL;
	g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status,
	                           &error));
	g_assert_cmpint(status, ==, 0);
	return out;
}

/* The same subtitles in each codec that is text, found at the times that FFmpeg wrote. */
static void test_tracks(void)
{
	static const char *const CODECS[][2] = {
	    {"mov_text", "mp4"}, {"srt", "mkv"}, {"ass", "mkv"}, {"webvtt", "webm"}};
	static const Expected EXPECTED[] = {{NULL, "Anna: Hello there", 1, 2.5},
	                                    {NULL, "Ben M.: Yes and no", 3, 4},
	                                    {NULL, "Anna: Bye", 5, 6}};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_autofree char *folder = g_dir_make_tmp("weft-captions-XXXXXX", NULL);
	g_autofree char *srt = g_build_filename(folder, "a.srt", NULL);
	g_assert_true(g_file_set_contents(srt, SRT, -1, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CODECS); i++) {
		gboolean webm = !strcmp(CODECS[i][1], "webm");
		g_autofree char *file = g_strdup_printf("%s/film.%s", folder, CODECS[i][1]);
		g_autofree char *line = g_strdup_printf(
		    "ffmpeg -nostdin -loglevel error -y -f lavfi -i testsrc=d=8:s=64x48:r=5 -i %s "
		    "-c:v %s -c:s %s -metadata:s:s:0 language=eng %s",
		    srt, webm ? "libvpx" : "mpeg4", CODECS[i][0], file);
		g_free(shell(line));
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		g_auto(Decoded) decoded = decode_fd(ingest, fd, &OPTIONS);
		close(fd);
		g_assert_no_error(decoded.error);
		assert_contents(&decoded, EXPECTED, G_N_ELEMENTS(EXPECTED));
		const WeftPart *track = part_of_kind(&decoded, WEFT_PART_TRACK, 1);
		g_assert_cmpstr(track->track.kind, ==, "subtitle");
		g_assert_cmpstr(track->track.language, ==, "eng");
		g_assert_cmpint(g_remove(file), ==, 0);
	}
	g_assert_cmpint(g_remove(srt), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	weft_ingest_close(ingest);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/captions/vtt", test_vtt);
	g_test_add_func("/captions/srt", test_srt);
	g_test_add_func("/captions/no_names", test_no_names);
	g_test_add_func("/captions/rolling", test_rolling);
	g_test_add_func("/captions/sloppy", test_sloppy);
	g_test_add_func("/captions/damage", test_damage);
	g_test_add_func("/captions/long", test_long);
	g_test_add_func("/captions/tracks", test_tracks);
	return g_test_run();
}
