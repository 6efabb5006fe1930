/* Words are the same whatever their case, accents and layout: what a reader takes for the same. */
#include "base/fold.h"

#include <string.h>

static void test_fold(void)
{
	static const struct {
		const char *text, *folded;
	} cases[] = {
		{ "", " " },
		{ "...", " " },
		{ "Invoice No. 17", " invoice no 17 " },
		{ "  FACTURE\n\tN\302\260 3 ", " facture n 3 " },
		{ "M\303\274ller, MU\314\210LLER", " muller muller " }, /* composed, and not */
		{ "\316\221\316\270\316\256\316\275\316\261", " \316\261\316\270\316\267\316\275\316\261 " },
		{ "\357\254\201ne", " fine " }, /* a ligature */
		{ "\350\253\213\346\261\202\346\233\270", " \350\253\213 \346\261\202 \346\233\270 " },
		{ "no\342\200\257.\302\240" "9", " no 9 " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *folded = weft_fold(cases[i].text);

		g_assert_cmpstr(folded, ==, cases[i].folded);
	}
}

static void test_parts(void)
{
	g_autofree char *text = weft_fold("Ihre RECHNUNG-Nr: 2024/17");
	g_autofree char *part = weft_fold("rechnung nr"), *inside = weft_fold("echnung");

	g_assert_nonnull(strstr(text, part));
	g_assert_null(strstr(text, inside));
}

static void test_words(void)
{
	g_autofree char *text = weft_fold(" When does, the Ferry sail? ");
	g_autoptr(GPtrArray) words = weft_fold_words(text), none = weft_fold_words(" ");

	g_assert_cmpuint(words->len, ==, 5);
	g_assert_cmpstr(words->pdata[3], ==, "ferry");
	g_assert_cmpuint(none->len, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fold/cases", test_fold);
	g_test_add_func("/fold/parts", test_parts);
	g_test_add_func("/fold/words", test_words);
	return g_test_run();
}
