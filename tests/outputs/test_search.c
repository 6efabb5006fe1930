#include <glib/gstdio.h>
#include <string.h>

#include "outputs/outputs.h"
#include "outputs/search_text.h"
#include "sample.h"

typedef struct Fixture {
	char *folder;
	WeftOutputs *outputs;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("weft-search-XXXXXX", NULL);
	fixture->outputs = weft_outputs_open(fixture->folder, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	g_autofree char *command = g_strdup_printf("rm -r '%s'", fixture->folder);

	weft_outputs_close(fixture->outputs);
	g_assert_cmpint(system(command), ==, 0);
	g_free(fixture->folder);
}

static char *id_of(guint n)
{
	return g_strdup_printf("sha256:%064x", n);
}

static void add_item(WeftSearchText *text, const char *words, guint32 page, double time_s)
{
	WeftAnchor at = {.page = page, .has_time = time_s >= 0, .time = {time_s, time_s + 1}};
	g_autoptr(WeftContent) content =
		weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup(words), at);

	weft_search_text_add_content(text, content);
}

static void put(Fixture *fixture, guint n, const char *path, const WeftSearchText *text)
{
	g_autofree char *id = id_of(n);
	g_autoptr(GError) error = NULL;

	weft_outputs_put_text(fixture->outputs, id, path, text, &error);
	g_assert_no_error(error);
}

static void put_words(Fixture *fixture, guint n, const char *path, const char *words)
{
	g_autoptr(WeftSearchText) text = weft_search_text_new();

	add_item(text, words, 1, -1);
	put(fixture, n, path, text);
}

static GPtrArray *search(Fixture *fixture, const char *query)
{
	g_autoptr(GError) error = NULL;
	gboolean is_cut;
	GPtrArray *hits = weft_outputs_search(fixture->outputs, query, 10, &is_cut, &error);

	g_assert_no_error(error);
	g_assert_false(is_cut);
	return hits;
}

/* The paths of all hits, best first, with spaces between them. */
static void assert_found(Fixture *fixture, const char *query, const char *paths)
{
	g_autoptr(GPtrArray) hits = search(fixture, query);
	g_autoptr(GString) found = g_string_new(NULL);

	for (guint i = 0; i < hits->len; i++) {
		const WeftHit *hit = g_ptr_array_index(hits, i);

		g_string_append_printf(found, "%s%s", i > 0 ? " " : "", hit->path);
	}
	g_assert_cmpstr(found->str, ==, paths);
}

static void test_language(Fixture *fixture, gconstpointer data)
{
	put_words(fixture, 1, "a", "The Müller invoice of spring, C++ and foo-bar");
	put_words(fixture, 2, "b", "An invoice to nobody; spring of Muller came later");
	put_words(fixture, 3, "c", "title:page is no column");

	assert_found(fixture, "MULLER foo", "a");
	assert_found(fixture, "müll* later", "b");
	assert_found(fixture, "\"invoice of spring\"", "a");
	assert_found(fixture, "\"spring invoice\"", "");
	assert_found(fixture, "nobody OR page", "c b");
	assert_found(fixture, "invoice NOT nobody", "a");
	assert_found(fixture, "nothing", "");
	/* No query of FTS5's: words. */
	assert_found(fixture, "foo-bar", "a");
	assert_found(fixture, "C++", "a");
	assert_found(fixture, "title:page", "c");
	assert_found(fixture, "\"invoice nobody", "b");
	assert_found(fixture, "invoice AND", "a"); /* which has the word "and" */
	assert_found(fixture, "(((", "");
	assert_found(fixture, "*", "");
	assert_found(fixture, "it's", "");
	assert_found(fixture, "'; DROP TABLE text; --", "");
	assert_found(fixture, "muller:", "a b");
}

static void test_places(Fixture *fixture, gconstpointer data)
{
	g_autoptr(WeftSearchText) text = weft_search_text_new();

	add_item(text, "first page", 1, -1);
	add_item(text, "second page begins", 2, -1);
	add_item(text, "second page ends with a giraffe", 2, -1);
	add_item(text, "said at last: okapi", 0, 3725.5);
	weft_search_text_add_about(text, "Of beasts: zebra");
	put(fixture, 1, "a", text);

	g_autoptr(GPtrArray) giraffe = search(fixture, "giraffe");
	const WeftHit *hit = g_ptr_array_index(giraffe, 0);
	g_assert_cmpuint(hit->page, ==, 2);
	g_assert_cmpfloat(hit->time_s, <, 0);
	g_assert_nonnull(strstr(hit->snippet, "with a \002giraffe\003"));

	g_autoptr(GPtrArray) okapi = search(fixture, "okapi");
	hit = g_ptr_array_index(okapi, 0);
	g_assert_cmpuint(hit->page, ==, 0);
	g_assert_cmpfloat(hit->time_s, ==, 3725);

	/* Both on the first page; the other word is on the second. */
	g_autoptr(GPtrArray) first = search(fixture, "first giraffe");
	g_assert_cmpuint(((const WeftHit *)g_ptr_array_index(first, 0))->page, ==, 1);

	g_autoptr(GPtrArray) zebra = search(fixture, "zebra");
	hit = g_ptr_array_index(zebra, 0);
	g_assert_true(hit->is_about);
	g_assert_cmpuint(hit->page, ==, 0);
	g_assert_cmpstr(hit->snippet, ==, "Of beasts: \002zebra\003");
}

/* Where the mark of `word` would be found, by counting in the plain text. */
static void test_snippet(void)
{
	g_autoptr(GString) marked = g_string_new(NULL);
	gsize offset;
	guint n_marks;

	for (int i = 0; i < 400; i++)
		g_string_append_printf(marked, "wörd%d ", i);
	g_string_append(marked, "\002lone\003 ");
	for (int i = 0; i < 400; i++)
		g_string_append(marked, "more\n ");
	gsize expected = marked->len - 2;
	g_string_append(marked, "\002two\003 and \002three\003");
	for (int i = 0; i < 400; i++)
		g_string_append(marked, " ümläut");

	g_autofree char *snippet = weft_search_text_snippet(marked->str, &offset, &n_marks);
	g_assert_cmpuint(n_marks, ==, 3);
	g_assert_cmpuint(offset, ==, expected);
	g_assert_nonnull(strstr(snippet, "more \002two\003 and \002three\003 ümläut"));
	g_assert_true(g_utf8_validate(snippet, -1, NULL));
	g_assert_true(g_str_has_prefix(snippet, "…") && g_str_has_suffix(snippet, "…"));
	g_assert_cmpuint(strlen(snippet), <, 260);
	g_assert_null(strchr(snippet, '\n'));

	/* A found phrase longer than a snippet is closed. */
	g_string_assign(marked, "\002");
	for (int i = 0; i < 100; i++)
		g_string_append(marked, "phrase ");
	g_string_append(marked, "\003 end");
	g_autofree char *cut = weft_search_text_snippet(marked->str, &offset, &n_marks);
	g_assert_true(g_str_has_suffix(cut, "\003…"));
	g_assert_cmpuint(offset, ==, 0);

	g_autofree char *none = weft_search_text_snippet("", &offset, &n_marks);
	g_assert_cmpstr(none, ==, "");
	g_assert_cmpuint(n_marks, ==, 0);
}

/* Every offset of a text is on the page that its item had. */
static void test_all_places(void)
{
	g_autoptr(WeftSearchText) text = weft_search_text_new();
	gsize ends[20];

	for (guint32 i = 0; i < G_N_ELEMENTS(ends); i++) {
		add_item(text, "0123456789", i / 3 + 1, -1);
		ends[i] = text->body->len;
	}
	for (gsize offset = 0, i = 0; offset < text->body->len; offset++) {
		if (offset > ends[i])
			i++;
		if (offset != ends[i])
			g_assert_cmpuint(weft_search_text_place(text->places->str, offset).page, ==,
					 i / 3 + 1);
	}
}

/* Of two documents that are one together, a word is found in its own. */
static void test_together(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	static const char *const names[] = {"a b.mp3", "c/d\xFF\n1 p7.mp3"};

	for (guint32 i = 0; i < 2; i++) {
		WeftRecordPart part = {.n = i + 1, .name = g_strdup(names[i])};
		WeftAnchor at = {.document = i + 1, .has_time = TRUE, .time = {5, 6}};

		g_array_append_val(record->parts, part);
		g_ptr_array_add(record->contents, weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE,
								   g_strdup("0123456789"), at));
	}
	g_autoptr(WeftSearchText) text = weft_search_text_of_record(record);
	g_autofree char *json = weft_record_json(record, TRUE, NULL);
	g_autoptr(WeftJson) head = weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSearchText) read = weft_search_text_new();
	const WeftJson *content = weft_json_member(head, "content");

	for (guint32 i = 0; i < 2; i++) {
		WeftSearchPlace place = weft_search_text_place(text->places->str, 11 * i + 3);
		g_autofree char *name = weft_search_text_name(text->places->str, place.document);

		g_assert_cmpuint(place.document, ==, i + 1);
		g_assert_cmpfloat(place.time_s, ==, 5);
		g_assert_cmpstr(name, ==, names[i]);
		weft_search_text_take_item(read, "content", weft_json_at(content, i));
	}
	g_assert_null(weft_search_text_name(text->places->str, 3));
	g_assert_null(weft_search_text_name(text->places->str, 0));
	weft_search_text_add_head(read, head); /* of the written record: the same */
	g_assert_cmpstr(read->places->str, ==, text->places->str);
}

static void test_replaced(Fixture *fixture, gconstpointer data)
{
	put_words(fixture, 1, "a", "old words of the first pass");
	put_words(fixture, 1, "a", "new words");
	assert_found(fixture, "old", "");
	assert_found(fixture, "new", "a");
	put_words(fixture, 1, "a", "");
	assert_found(fixture, "new", "");

	/* A record takes the place of what was found before it. */
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(WeftSearchText) text = weft_search_text_new();
	g_autoptr(GError) error = NULL;
	struct stat status = {0};
	add_item(text, "sniffed", 1, -1);
	g_assert_true(weft_outputs_put_text(fixture->outputs, record->id, "in", text, NULL));
	assert_found(fixture, "sniffed", "in");
	sample_add_text(record, 7, "Kumquat");
	g_ptr_array_set_size(record->paths, 0);
	weft_outputs_put(fixture->outputs, record, "in", &status, "job", &error);
	weft_outputs_commit(fixture->outputs, &error);
	g_assert_no_error(error);
	assert_found(fixture, "sniffed", "");
	g_autoptr(GPtrArray) hits = search(fixture, "kumquat");
	g_assert_cmpuint(hits->len, ==, 1);
	g_assert_cmpuint(((const WeftHit *)g_ptr_array_index(hits, 0))->page, ==, 7);
}

/* The same words, whether a record is at hand or read back. */
static void test_of_json(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	gsize size;
	g_autofree char *json = weft_record_json(record, TRUE, &size);
	g_autoptr(WeftJson) tree = weft_json_parse(json, size, WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSearchText) of_record = weft_search_text_of_record(record);
	g_autoptr(WeftSearchText) of_json = weft_search_text_new();
	const WeftJson *content = weft_json_member(tree, "content");

	for (gsize i = 0; i < weft_json_length(content); i++)
		g_assert_true(weft_search_text_take_item(of_json, "content",
							 weft_json_at(content, i)));
	g_assert_true(weft_search_text_take_item(of_json, "hidden", weft_json_at(content, 0)));
	weft_search_text_add_head(of_json, tree);

	g_assert_cmpuint(of_record->body->len, >, 0);
	g_assert_cmpstr(of_record->body->str, ==, of_json->body->str);
	g_assert_cmpstr(of_record->places->str, ==, of_json->places->str);
	g_assert_cmpuint(of_record->about->len, ==, of_json->about->len);
}

static void test_hostile(Fixture *fixture, gconstpointer data)
{
	put_words(fixture, 1, "a", "evil \002\003\033[31m\xc2\x9b""31m \x7f\xff words");
	g_autoptr(GPtrArray) hits = search(fixture, "evil");
	const WeftHit *hit = g_ptr_array_index(hits, 0);

	g_assert_true(g_utf8_validate(hit->snippet, -1, NULL));
	for (const char *p = hit->snippet; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_assert_true(!g_unichar_iscntrl(c) || c == 2 || c == 3);
	}
	g_assert_true(g_str_has_prefix(hit->snippet, "\002evil\003 "));
	g_assert_null(strchr(hit->snippet + strlen("\002evil\003"), 2));

	g_autofree char *longest = g_strnfill(5000, 'x');
	g_autoptr(GError) error = NULL;
	gboolean is_cut;
	g_assert_null(weft_outputs_search(fixture->outputs, longest, 1, &is_cut, &error));
	g_assert_nonnull(error);
}

static void test_cut(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	gboolean is_cut;

	for (guint i = 0; i < 5; i++) {
		g_autofree char *path = g_strdup_printf("f%u", i);

		put_words(fixture, i, path, "alike");
	}
	/* Another job's record of a path that is here. */
	put_words(fixture, 5, "f0", "alike");
	g_autoptr(GPtrArray) some = weft_outputs_search(fixture->outputs, "alike", 4, &is_cut, &error);
	g_assert_cmpuint(some->len, ==, 4);
	g_assert_true(is_cut);
	g_autoptr(GPtrArray) all = weft_outputs_search(fixture->outputs, "alike", 5, &is_cut, &error);
	g_assert_cmpuint(all->len, ==, 5);
	g_assert_false(is_cut);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/search/language", Fixture, NULL, set_up, test_language, tear_down);
	g_test_add("/search/places", Fixture, NULL, set_up, test_places, tear_down);
	g_test_add("/search/replaced", Fixture, NULL, set_up, test_replaced, tear_down);
	g_test_add("/search/hostile", Fixture, NULL, set_up, test_hostile, tear_down);
	g_test_add("/search/cut", Fixture, NULL, set_up, test_cut, tear_down);
	g_test_add_func("/search/snippet", test_snippet);
	g_test_add_func("/search/all-places", test_all_places);
	g_test_add_func("/search/together", test_together);
	g_test_add_func("/search/of-json", test_of_json);
	return g_test_run();
}
