/* Whatever a worker does, weft gets an error for that document, in time, and goes on. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>

#include "ingest/weigh.h"
#include "tests/hostile/crime.h"

static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE, .limits.total_s = 20};

static guint count_descriptors(void)
{
	guint n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void assert_still_works(WeftIngest *ingest)
{
	g_auto(Decoded) good = commit_crime(ingest, "none", 20);
	g_assert_no_error(good.error);
}

typedef struct Sentence {
	const char *crime;
	WeftErrorCode code;
	const char *message; /* part of it, or NULL */
} Sentence;

static void test_sentence(const void *data)
{
	const Sentence *sentence = data;
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	assert_still_works(ingest);
	guint before = count_descriptors();
	gint64 begin = g_get_monotonic_time();
	gboolean waits = sentence->code == WEFT_ERROR_TIMEOUT;
	{
		g_auto(Decoded) decoded = commit_crime(ingest, sentence->crime, waits ? 0.3 : 20);
		g_assert_error(decoded.error, WEFT_ERROR, (int)sentence->code);
		if (sentence->message && !strstr(decoded.error->message, sentence->message))
			g_error("%s", decoded.error->message);
		for (guint i = 0; i < decoded.parts->len; i++)
			g_assert_nonnull(g_ptr_array_index(decoded.parts, i));
	}
	g_assert_cmpint(g_get_monotonic_time() - begin, <, 15 * G_USEC_PER_SEC);
	g_assert_cmpuint(count_descriptors(), ==, before);
	assert_still_works(ingest);
}

static void assert_peeks_nothing(WeftIngest *ingest)
{
	g_auto(Decoded) peek = commit_crime(ingest, "peek", 20);
	g_assert_no_error(peek.error);
	for (guint i = 0; i < 2; i++) {
		const WeftPart *part = part_of_kind(&peek, WEFT_PART_RASTER, i);
		for (gsize at = 0; at < 30000; at++)
			g_assert_cmpuint(part->raster.pixels[at], ==, 0);
	}
}

static void test_memory_is_cleared(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	g_auto(Decoded) leave = commit_crime(ingest, "leave", 20);
	g_assert_no_error(leave.error);
	g_assert_cmpuint(part_of_kind(&leave, WEFT_PART_RASTER, 0)->raster.pixels[5], ==, 0x77);
	assert_peeks_nothing(ingest);
}

/* Who writes on after its message changes nothing that weft has, and leaves nothing. */
static void test_writing_on(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	WeftSniff sniff;
	int fd = file_of("late", 4);
	g_assert_true(weft_sniff(fd, &sniff, NULL));
	g_autoptr(WeftDecoding) decoding =
	    weft_ingest_decode(ingest, &sniff, fd, "late", &OPTIONS, NULL);
	g_autoptr(WeftPart) part = NULL, end = NULL;
	g_assert_true(weft_decoding_next(decoding, &part, NULL));
	g_autofree guint8 *copy = g_memdup2(part->raster.pixels, 30000);
	g_assert_true(weft_decoding_next(decoding, &end, NULL)); /* it writes until then */
	g_assert_null(end);
	g_assert_cmpmem(part->raster.pixels, 30000, copy, 30000);
	g_clear_pointer(&decoding, weft_decoding_close);
	close(fd);
	assert_peeks_nothing(ingest);
}

static void test_memory_is_sealed(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(FALSE);
	g_auto(Decoded) decoded = commit_crime(ingest, "shrink", 20);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(meta_of(&decoded, "could"), ==, "no");
}

/* Descriptors that come along are closed. */
static void test_descriptors(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	assert_still_works(ingest);
	guint before = count_descriptors();
	g_auto(Decoded) decoded = commit_crime(ingest, "descriptors", 20);
	g_assert_no_error(decoded.error);
	g_assert_cmpuint(count_descriptors(), ==, before);
}

/* Parts without end: the caller has enough at some time, and gets rid of the worker. */
static void test_flood(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	WeftSniff sniff;
	int fd = file_of("flood", 5);
	g_assert_true(weft_sniff(fd, &sniff, NULL));
	g_autoptr(WeftDecoding) decoding =
	    weft_ingest_decode(ingest, &sniff, fd, "flood", &OPTIONS, NULL);
	for (guint i = 0; i < 50; i++) {
		g_autoptr(WeftPart) part = NULL;
		g_assert_true(weft_decoding_next(decoding, &part, NULL));
		g_assert_nonnull(part);
	}
	gint64 begin = g_get_monotonic_time();
	g_clear_pointer(&decoding, weft_decoding_close);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, 3 * G_USEC_PER_SEC);
	close(fd);
	assert_still_works(ingest);
}

/* Commits a crime that happens only once, and gives the parts as they come in its two tries. */
static char *parts_of_two_tries(const char *crime)
{
	g_autoptr(WeftIngest) ingest = open_evil(FALSE);
	g_autofree char *folder = g_dir_make_tmp("weft-hostile-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "once", NULL);
	g_autofree char *text = g_strdup_printf("%s %s", crime, path);
	GString *parts = g_string_new(NULL);
	g_auto(Decoded) decoded = commit_crime(ingest, text, 20);
	g_assert_no_error(decoded.error);
	for (guint i = 0; i < decoded.parts->len; i++)
		g_string_append(parts, ((const WeftPart *)decoded.parts->pdata[i])->value);
	g_assert_cmpint(unlink(path), ==, 0); /* it was tried */
	g_assert_cmpint(rmdir(folder), ==, 0);
	assert_still_works(ingest);
	return g_string_free(parts, FALSE);
}

/* Nobody is blamed for what the system did: it is tried again, and parts come once each. */
static void test_killed_once(void)
{
	g_autofree char *parts = parts_of_two_tries("killed");
	g_assert_cmpstr(parts, ==, "123");
}

static void test_program_killed_once(void)
{
	g_autofree char *parts = parts_of_two_tries("program");
	g_assert_cmpstr(parts, ==, "12");
}

static void test_killed_each_time(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(FALSE);
	g_auto(Decoded) decoded = commit_crime(ingest, "killed", 20);
	g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_CRASHED);
	g_assert_nonnull(strstr(decoded.error->message, "killed twice"));
	g_assert_cmpuint(decoded.parts->len, ==, 2);
	assert_still_works(ingest);
}

/* The program itself is gone each time: that document's error, and the program is started again, but
 * not for ever. */
static void test_program_killed(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(FALSE);
	guint n_crashed = 0, n_gone = 0;
	while (n_gone == 0) {
		g_auto(Decoded) decoded = commit_crime(ingest, "parent", 20);
		n_crashed += g_error_matches(decoded.error, WEFT_ERROR, WEFT_ERROR_CRASHED);
		n_gone += g_error_matches(decoded.error, WEFT_ERROR, WEFT_ERROR_GONE);
		g_assert_cmpuint(n_crashed + n_gone, <, 12);
		if (n_crashed < 4)
			assert_still_works(ingest);
	}
	g_assert_cmpuint(n_crashed, >=, 4);
	g_auto(Decoded) later = commit_crime(ingest, "none", 20);
	g_assert_error(later.error, WEFT_ERROR, WEFT_ERROR_GONE);
}

/* Ended by weft, nothing is started again. */
static void test_interrupted(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	assert_still_works(ingest);
	weft_ingest_interrupt(ingest);
	g_auto(Decoded) later = commit_crime(ingest, "none", 20);
	g_assert_error(later.error, WEFT_ERROR, WEFT_ERROR_GONE);
}

static void test_no_programs(void)
{
	g_autoptr(WeftIngest) ingest = weft_ingest_open("/nonexistent", NULL);
	g_assert_nonnull(ingest);
	g_assert_false(weft_ingest_has_ocr(ingest));
	g_auto(Decoded) decoded = commit_crime(ingest, "none", 20);
	g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_NO_READER);
	g_assert_nonnull(strstr(decoded.error->message, "weft-decode-image"));
}

static void *many_documents(void *ingest)
{
	static const char *const CRIMES[] = {"none", "exit", "peek", "garbage"};
	for (guint i = 0; i < 12; i++) {
		g_auto(Decoded) decoded = commit_crime(ingest, CRIMES[i % 4], 60);
		g_assert_true((decoded.error != NULL) == (i % 2 == 1));
	}
	return NULL;
}

static void test_threads(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	pthread_t threads[6];
	assert_still_works(ingest);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_assert_cmpint(pthread_create(&threads[i], NULL, many_documents, ingest), ==, 0);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	static const Sentence SENTENCES[] = {
	    {"exit", WEFT_ERROR_CRASHED, "decoder ended with status 3"},
	    {"crash", WEFT_ERROR_CRASHED, WEFT_TEST_CRASH},
	    {"stall", WEFT_ERROR_TIMEOUT, "total-seconds=0.3"},
	    {"spin", WEFT_ERROR_TIMEOUT, NULL},
	    {"garbage", WEFT_ERROR_CORRUPT, NULL},
	    {"short", WEFT_ERROR_CORRUPT, NULL},
	    {"empty", WEFT_ERROR_CRASHED, NULL},
	    {"length", WEFT_ERROR_CORRUPT, NULL},
	    {"wide", WEFT_ERROR_CORRUPT, NULL},
	    {"overflow", WEFT_ERROR_CORRUPT, NULL},
	    {"nothing", WEFT_ERROR_CORRUPT, NULL},
	    {"slot", WEFT_ERROR_CORRUPT, NULL},
	    {"nan", WEFT_ERROR_CORRUPT, NULL},
	    {"words", WEFT_ERROR_CORRUPT, NULL},
	    {"side", WEFT_ERROR_CORRUPT, NULL},
	    {"bytes", WEFT_ERROR_CORRUPT, NULL},
	    {"unasked", WEFT_ERROR_CORRUPT, "asked for"},
	    {"greedy", WEFT_ERROR_LIMIT, "limit decoder-bytes="},
#if !defined(WEFT_WEIGH_SANITIZED)
	    {"hoard", WEFT_ERROR_LIMIT, "limit decoder-bytes="},
#endif
	};
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(SENTENCES); i++) {
		g_autofree char *path = g_strdup_printf("/hostile/%s", SENTENCES[i].crime);
		g_test_add_data_func(path, &SENTENCES[i], test_sentence);
	}
	g_test_add_func("/hostile/cleared", test_memory_is_cleared);
	g_test_add_func("/hostile/writing-on", test_writing_on);
	g_test_add_func("/hostile/sealed", test_memory_is_sealed);
	g_test_add_func("/hostile/descriptors", test_descriptors);
	g_test_add_func("/hostile/flood", test_flood);
	g_test_add_func("/hostile/killed-once", test_killed_once);
	g_test_add_func("/hostile/killed-each-time", test_killed_each_time);
	g_test_add_func("/hostile/program-killed-once", test_program_killed_once);
	g_test_add_func("/hostile/program-killed", test_program_killed);
	g_test_add_func("/hostile/interrupted", test_interrupted);
	g_test_add_func("/hostile/no-programs", test_no_programs);
	g_test_add_func("/hostile/threads", test_threads);
	return g_test_run();
}
