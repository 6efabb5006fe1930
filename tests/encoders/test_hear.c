/* Whole recordings against openai/whisper, with the same made-up weights: golden/hear/trace-*.txt. */
#include <string.h>

#include "base/utf8.h"
#include "check.h"
#include "listen.h"

/* Probabilities, and averages of their logarithms: sums of f32 in another order. */
#define TOLERANCE 1e-3

typedef struct Case {
	const char *name;
	double seconds;
	guint32 seed;
	WeftTranscriptOptions options;
} Case;

static const Case cases[] = {
	{ "greedy", 75, 1, { .beam_size = 1, .best_of = 1 } },
	{ "beam", 75, 1, { .beam_size = 5, .best_of = 5 } },
	{ "terms", 33, 5, { .beam_size = 1, .best_of = 2, .language = "de", .translates = TRUE,
			    .terms = "Anna, Ben" } },
	{ "short", 7.3, 3, { .beam_size = 2, .best_of = 1 } },
	{ "japanese", 31, 4, { .beam_size = 1, .best_of = 1, .language = "ja" } },
};

static void put(GString *out, const WeftHeard *heard)
{
	const WeftContent *content = heard->content;
	const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);
	guint n_words = content->words ? content->words->len : 0;

	g_string_append_printf(out, "segment %zu %.17g %.17g %.1f %.7g %.7g %.7g ", heard->seek,
			       at->time[0], at->time[1], heard->temperature, heard->average,
			       heard->no_speech, heard->compression);
	for (gsize i = 0; i < heard->n_tokens; i++)
		g_string_append_printf(out, "%s%u", i ? "," : "", heard->tokens[i]);
	g_string_append_c(out, '\n');
	for (guint i = 0; i < n_words; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		const char *first = g_utf8_offset_to_pointer(content->text, word->char_first);
		const char *end = g_utf8_offset_to_pointer(content->text, word->char_end);

		g_string_append_printf(out, "word %.2f %.2f %.7g ", word->at.time[0],
				       word->at.time[1], (double)word->confidence);
		for (const char *p = first; p < end; p++)
			g_string_append_printf(out, "%02x", (guint8)*p);
		g_string_append_c(out, '\n');
	}
}

static void put_all(const WeftHeard *heard, gpointer out)
{
	put(out, heard);
}

static void transcribe(const Opened *opened, const Case *c, GString *out)
{
	gsize n;
	g_autofree float *samples = listen_sound_new(c->seconds, c->seed, &n);
	g_autoptr(GString) all = g_string_new(NULL);
	g_autofree char *language = listen_as_reference(opened, &c->options, samples, n, put_all, all);

	g_string_append_printf(out, "language %s\n%s", language, all->str);
}

/* Fields that are numbers with a point may differ by rounding; all others are equal. A word that
 * reaches into the next segment ends with its own, here. */
static void check_line(const char *ours, const char *golden)
{
	g_auto(GStrv) a = g_strsplit(ours, " ", -1), b = g_strsplit(golden, " ", -1);

	g_assert_cmpuint(g_strv_length(a), ==, g_strv_length(b));
	for (gsize i = 0; a[i]; i++) {
		double x = g_ascii_strtod(a[i], NULL), y = g_ascii_strtod(b[i], NULL);
		gboolean is_word = strcmp(a[0], "word") == 0;
		gboolean is_time = is_word ? i < 3 : i < 5;

		if (strcmp(a[i], b[i]) != 0 &&
		    !(is_word && i == 4 && g_str_has_prefix(b[i], a[i])) &&
		    !(strchr(b[i], '.') && fabs(x - y) <= (is_time ? 1e-9 : TOLERANCE)))
			g_error("field %zu of\n%s\nexpected\n%s", i, ours, golden);
	}
}

/* A word of which the reference says that it begins in one segment, and all of it stands in the
 * next: it counts tokens from the begin of each segment, also when a word took some of them. Here
 * it is no word of the segment. */
static gboolean is_not_in_segment(const char *ours, const char *golden)
{
	gsize n = strlen("word 0.00 ");

	return g_str_has_prefix(golden, "word ") && strncmp(ours, golden, n) != 0;
}

static void check_case(gconstpointer which)
{
	const Case *c = which;
	Opened opened = check_open_tier(WEFT_HEAR, NULL, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) ours = g_string_new(NULL);
	g_autofree char *golden = NULL, *path = g_strdup_printf(WEFT_HEAR "/trace-%s.txt", c->name);

	g_file_get_contents(path, &golden, NULL, &error);
	g_assert_no_error(error);
	transcribe(&opened, c, ours);
	g_auto(GStrv) a = g_strsplit(ours->str, "\n", -1);
	g_auto(GStrv) b = g_strsplit(golden, "\n", -1);

	gsize n = 0;

	for (gsize i = 0; a[i]; i++) {
		while (b[n] && is_not_in_segment(a[i], b[n]))
			n++;
		g_assert_nonnull(b[n]);
		check_line(a[i], b[n++]);
	}
	g_assert_null(b[n]);
	check_close(&opened);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/hear/", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], check_case);
	}
	return g_test_run();
}
