#include "pipeline/answers.h"

#include <glib/gstdio.h>
#include <string.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void add_value(WeftAnswer *answer, const char *pointer, WeftDecline decline, gboolean is_known)
{
	WeftAnswerValue value = {.pointer = g_strdup(pointer),
	                         .byte_first = 5,
	                         .byte_end = 9,
	                         .confidence = 0.75,
	                         .decline = decline};

	value.pointed.is_known = is_known;
	value.pointed.kind = WEFT_SPAN_PATCH;
	value.pointed.content = 3;
	value.pointed.at.page = 2;
	value.pointed.share = 0.5;
	g_array_append_val(answer->values, value);
}

/* What a run that goes on finds is what the one before it was answered. */
static void test_kept(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-answers-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "journal", NULL);
	g_autoptr(WeftAnswer) answer = weft_answer_new();
	g_autoptr(WeftAnswer) found = NULL;
	WeftAsked asked = {.number = 4, .digest = "0123"};

	answer->json = g_strdup("{\"a\":null}");
	for (guint decline = WEFT_DECLINE_NONE; decline <= WEFT_DECLINE_NOT_EXAMINED; decline++) {
		add_value(answer, "/a", (WeftDecline)decline, FALSE);
		add_value(answer, "/b", (WeftDecline)decline, TRUE);
	}
	{
		g_autoptr(WeftJournal) journal = weft_journal_open(path, KEY, NULL);
		g_autoptr(GByteArray) entry = weft_answers_entry(&asked, answer);

		weft_answers_write(journal, asked.number, entry);
	}
	{
		g_autoptr(WeftJournalReader) reader = weft_journal_reader_open(path, KEY, NULL);
		g_autoptr(WeftAnswers) answers = weft_answers_read(reader);

		g_assert_nonnull(answers);
		found = weft_answers_take(answers, &asked);
	}
	g_assert_nonnull(found);
	g_assert_cmpstr(found->json, ==, answer->json);
	g_assert_cmpuint(found->values->len, ==, answer->values->len);
	for (guint i = 0; i < found->values->len; i++) {
		const WeftAnswerValue *a = &g_array_index(answer->values, WeftAnswerValue, i);
		const WeftAnswerValue *b = &g_array_index(found->values, WeftAnswerValue, i);

		g_assert_cmpstr(a->pointer, ==, b->pointer);
		g_assert_cmpint(a->decline, ==, b->decline);
		g_assert_cmpint(a->pointed.is_known, ==, b->pointed.is_known);
		g_assert_cmpuint(b->pointed.is_known ? b->pointed.content : 3, ==, 3);
		g_assert_true(b->confidence == 0.75);
	}
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/answers/kept", test_kept);
	return g_test_run();
}
