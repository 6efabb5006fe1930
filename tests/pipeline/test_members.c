#include "pipeline/members.h"

#include <string.h>

#include "base/error.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static WeftDocument *together(void)
{
	WeftDocument *document = weft_document_new(0, "x", NULL);

	document->members = g_ptr_array_new_with_free_func((GDestroyNotify)weft_document_free);
	return document;
}

/* `sha256` "": it can't be read. */
static WeftDocument *add(WeftDocument *document, const char *path, const char *sha256)
{
	WeftDocument *member = weft_document_new(0, path, NULL);

	g_strlcpy(member->sha256, sha256, sizeof member->sha256);
	member->size_bytes = 10;
	g_ptr_array_add(document->members, member);
	return member;
}

static void settle(WeftDocument *document, char ret_id[72])
{
	weft_members_sort(document->members);
	weft_members_settle(document);
	weft_document_id(document, "job", ret_id);
}

static void assert_names(const WeftDocument *document, const char *const *names)
{
	guint32 n = 0;

	for (; names[n] != NULL; n++) {
		const WeftDocument *member = weft_members_find(document, n + 1);

		g_assert_nonnull(member);
		g_assert_cmpstr(member->name, ==, names[n]);
	}
	g_assert_cmpuint(document->n_members, ==, n);
	g_assert_null(weft_members_find(document, n + 1));
	g_assert_null(weft_members_find(document, 0));
}

static void test_names(void)
{
	static const struct {
		const char *paths[3];
		const char *const names[4];
	} cases[] = {
	    {{"b/2.wav", "b/1.wav", NULL}, {"1.wav", "2.wav", NULL}},
	    {{"/m/a/1.wav", "/m/ab/1.wav", "/m/1.wav"}, {"1.wav", "a/1.wav", "ab/1.wav", NULL}},
	    {{"1.wav", "2.wav", NULL}, {"1.wav", "2.wav", NULL}},
	    {{"/m/1.wav", "n/2.wav", NULL}, {"/m/1.wav", "n/2.wav", NULL}},
	    {{"/m/only.wav", NULL, NULL}, {"only.wav", NULL}},
	    {{"../m/1.wav", "../m/2.wav", NULL}, {"1.wav", "2.wav", NULL}},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftDocument) document = together();
		char id[72];

		for (guint k = 0; k < 3 && cases[i].paths[k] != NULL; k++) {
			char sha256[65];

			g_snprintf(sha256, sizeof sha256, "%064u", k);
			add(document, cases[i].paths[k], sha256);
		}
		settle(document, id);
		assert_names(document, cases[i].names);
	}
}

/* Captions go with their recording; the same bytes are read once, but not with other captions. */
static void test_numbers(void)
{
	static const char *const names[] = {"1.wav", "4.wav", "5.wav", "6.wav", "7.wav", NULL};
	g_autoptr(WeftDocument) document = together();
	g_autoptr(GPtrArray) taken = NULL;
	WeftDocument *member;
	char id[72];

	add(document, "m/1.wav", A);
	member = add(document, "m/2.vtt", B);
	member->captions_of = g_strdup("1.wav");
	add(document, "m/3.wav", A);
	member = add(document, "m/4.wav", A);
	member->sidecar_path = g_strdup("m/4.vtt");
	g_strlcpy(member->sidecar_sha256, B, sizeof member->sidecar_sha256);
	add(document, "m/5.wav", "");
	add(document, "m/6.wav", "");
	add(document, "m/7.wav", B);
	settle(document, id);
	assert_names(document, names);
	g_assert_cmpstr(weft_members_find(document, 2)->sidecar_name, ==, "4.vtt");
	g_assert_cmpuint(document->size_bytes, ==, 50);
	taken = weft_members_take(document);
	g_assert_cmpuint(taken->len, ==, 5);
	g_assert_cmpuint(document->members->len, ==, 2);
}

/* What makes it another document, and what does not. */
static void test_identity(void)
{
	char id[72], other[72];
	g_autoptr(WeftDocument) document = together(), moved = together(), renamed = together(),
			       changed = together(), less = together(), captioned = together();
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, A "\n" B "\n", -1);

	add(document, "m/1.wav", A);
	add(document, "m/2.wav", B);
	settle(document, id);
	g_assert_cmpstr(document->sha256, ==, sum);
	add(moved, "/elsewhere/2.wav", B);
	add(moved, "/elsewhere/1.wav", A);
	settle(moved, other);
	g_assert_cmpstr(id, ==, other);
	add(renamed, "m/1.wav", A);
	add(renamed, "m/3.wav", B);
	settle(renamed, other);
	g_assert_cmpstr(id, !=, other);
	add(changed, "m/1.wav", A);
	add(changed, "m/2.wav", A "b");
	settle(changed, other);
	g_assert_cmpstr(id, !=, other);
	add(less, "m/1.wav", A);
	settle(less, other);
	g_assert_cmpstr(id, !=, other);
	add(captioned, "m/1.wav", A);
	add(captioned, "m/2.wav", B)->sidecar_path = g_strdup("m/2.vtt");
	settle(captioned, other);
	g_assert_cmpstr(id, !=, other);
}

static void test_nothing_can_be_read(void)
{
	g_autoptr(WeftDocument) document = together(), other = together();
	char id[72], other_id[72];

	add(document, "m/1.wav", "");
	settle(document, id);
	g_assert_cmpstr(document->sha256, ==, "");
	g_assert_false(document->is_skipped);
	add(other, "n/1.wav", "");
	settle(other, other_id);
	g_assert_cmpstr(id, !=, other_id); /* of their paths */
	((WeftDocument *)other->members->pdata[0])->is_skipped = TRUE;
	settle(other, other_id);
	g_assert_true(other->is_skipped);
}

static void test_refused(void)
{
	g_autoptr(WeftJob) job = weft_job_new();
	WeftTask task = {0};
	g_autoptr(GError) error = NULL;

	job->joins = TRUE;
	g_assert_true(weft_members_check(job, &task, NULL));
	job->is_together = TRUE;
	g_assert_false(weft_members_check(job, &task, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	job->joins = FALSE;
	g_assert_true(weft_members_check(job, &task, NULL));
	job->sample = 3;
	g_assert_false(weft_members_check(job, &task, NULL));
	job->sample = 0;
	task.tells_slides = TRUE;
	g_assert_false(weft_members_check(job, &task, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/members/names", test_names);
	g_test_add_func("/members/numbers", test_numbers);
	g_test_add_func("/members/identity", test_identity);
	g_test_add_func("/members/nothing-can-be-read", test_nothing_can_be_read);
	g_test_add_func("/members/refused", test_refused);
	return g_test_run();
}
