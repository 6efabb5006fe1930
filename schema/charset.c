#include "schema/charset.h"

#include <stdlib.h>
#include <string.h>

GArray *weft_charset_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(WeftRange));
}

void weft_charset_add(GArray *set, guint32 first, guint32 last)
{
	last = MIN(last, WEFT_CHARSET_LAST);
	for (guint32 next = MAX(first, 1); next <= last;) {
		WeftRange gap = weft_charset_gap(next);
		WeftRange range = {next, MIN(last, gap.first - 1)};
		if (next < gap.first)
			g_array_append_val(set, range);
		next = gap.last + 1;
	}
}

void weft_charset_add_set(GArray *set, const GArray *other)
{
	g_array_append_vals(set, other->data, other->len);
}

static int compare_ranges(gconstpointer a, gconstpointer b)
{
	guint32 first = ((const WeftRange *)a)->first, second = ((const WeftRange *)b)->first;
	return first < second ? -1 : first > second;
}

void weft_charset_order(GArray *set)
{
	WeftRange *ranges = (WeftRange *)(void *)set->data;
	guint n = 0;
	if (set->len == 0)
		return;
	qsort(ranges, set->len, sizeof(WeftRange), compare_ranges);
	for (guint i = 1; i < set->len; i++) {
		if (ranges[i].first <= ranges[n].last + 1)
			ranges[n].last = MAX(ranges[n].last, ranges[i].last);
		else
			ranges[++n] = ranges[i];
	}
	g_array_set_size(set, n + 1);
}

GArray *weft_charset_complement(const GArray *set)
{
	GArray *out = weft_charset_new();
	guint32 next = 1;
	for (guint i = 0; i < set->len; i++) {
		const WeftRange *range = &g_array_index(set, WeftRange, i);
		if (range->first > next)
			weft_charset_add(out, next, range->first - 1);
		next = range->last + 1;
	}
	weft_charset_add(out, next, WEFT_CHARSET_LAST);
	return out;
}

GArray *weft_charset_intersection(const GArray *a, const GArray *b)
{
	GArray *out = weft_charset_new();
	for (guint i = 0, j = 0; i < a->len && j < b->len;) {
		const WeftRange *p = &g_array_index(a, WeftRange, i);
		const WeftRange *q = &g_array_index(b, WeftRange, j);
		guint32 first = MAX(p->first, q->first), last = MIN(p->last, q->last);
		if (first <= last)
			weft_charset_add(out, first, last);
		if (p->last < q->last)
			i++;
		else
			j++;
	}
	return out;
}

gboolean weft_charset_has(const GArray *set, guint32 character)
{
	guint low = 0, high = set->len;
	while (low < high) {
		guint middle = (low + high) / 2;
		const WeftRange *range = &g_array_index(set, WeftRange, middle);
		if (character < range->first)
			high = middle;
		else if (character > range->last)
			low = middle + 1;
		else
			return TRUE;
	}
	return FALSE;
}

/* Runs of one general category. */
struct WeftCharacters {
	GArray *runs; /* of TypeRun, or NULL */
};

typedef struct TypeRun {
	guint32 first, last;
	GUnicodeType type;
} TypeRun;

WeftCharacters *weft_characters_new(void)
{
	return g_new0(WeftCharacters, 1);
}

/* Planes 4 to 13 are empty and 15 and 16 are private but for two characters each (The Unicode
 * Standard, 2.8): GLib need not be asked about a million characters. Were one of them assigned, it would
 * be counted as not known, which is right either way. */
static GUnicodeType type_of(guint32 character)
{
	guint32 plane = character >> 16;
	if (plane >= 4 && plane <= 13)
		return G_UNICODE_UNASSIGNED;
	if (plane >= 15)
		return (character & 0xffff) < 0xfffe ? G_UNICODE_PRIVATE_USE : G_UNICODE_UNASSIGNED;
	return g_unichar_type(character);
}

static const GArray *type_runs(WeftCharacters *characters)
{
	TypeRun run = {1, 1, type_of(1)};
	if (characters->runs)
		return characters->runs;
	characters->runs = g_array_new(FALSE, FALSE, sizeof(TypeRun));
	for (guint32 c = 2; c <= WEFT_CHARSET_LAST; c++) {
		GUnicodeType type = type_of(c);
		if (type != run.type) {
			g_array_append_val(characters->runs, run);
			run = (TypeRun){c, c, type};
		}
		if ((c & 0xffff) == 0 && (c >> 16) >= 4 && (c >> 16) != 14)
			c |= (c >> 16) >= 15 ? 0xfffd : 0xffff; /* all of it as its first one */
		run.last = c;
	}
	g_array_append_val(characters->runs, run);
	return characters->runs;
}

void weft_characters_free(WeftCharacters *characters)
{
	if (!characters)
		return;
	g_clear_pointer(&characters->runs, g_array_unref);
	g_free(characters);
}

/* Adds the characters whose type has its bit in `types`. */
static void add_types(GArray *set, WeftCharacters *characters, guint32 types)
{
	const GArray *runs = type_runs(characters);
	for (guint i = 0; i < runs->len; i++) {
		const TypeRun *run = &g_array_index(runs, TypeRun, i);
		if (types >> run->type & 1)
			weft_charset_add(set, run->first, run->last);
	}
}

#define TYPE(name) (1u << G_UNICODE_##name)
#define CASED (TYPE(UPPERCASE_LETTER) | TYPE(LOWERCASE_LETTER) | TYPE(TITLECASE_LETTER))
#define LETTERS (CASED | TYPE(MODIFIER_LETTER) | TYPE(OTHER_LETTER))
#define MARKS (TYPE(SPACING_MARK) | TYPE(ENCLOSING_MARK) | TYPE(NON_SPACING_MARK))
#define NUMERALS (TYPE(DECIMAL_NUMBER) | TYPE(LETTER_NUMBER) | TYPE(OTHER_NUMBER))
#define MARKERS                                                                                    \
	(TYPE(CONNECT_PUNCTUATION) | TYPE(DASH_PUNCTUATION) | TYPE(CLOSE_PUNCTUATION) |            \
	 TYPE(FINAL_PUNCTUATION) | TYPE(INITIAL_PUNCTUATION) | TYPE(OTHER_PUNCTUATION) |           \
	 TYPE(OPEN_PUNCTUATION))
#define SYMBOLS                                                                                    \
	(TYPE(CURRENCY_SYMBOL) | TYPE(MODIFIER_SYMBOL) | TYPE(MATH_SYMBOL) | TYPE(OTHER_SYMBOL))
#define SEPARATORS (TYPE(LINE_SEPARATOR) | TYPE(PARAGRAPH_SEPARATOR) | TYPE(SPACE_SEPARATOR))

/* Short and long names of the Unicode standard's PropertyValueAliases, but Cn and C, which change
 * with each version, and Cs. */
static const struct {
	const char *name, *long_name;
	guint32 types;
} categories[] = {
	{"L", "Letter", LETTERS},
	{"LC", "Cased_Letter", CASED},
	{"Lu", "Uppercase_Letter", TYPE(UPPERCASE_LETTER)},
	{"Ll", "Lowercase_Letter", TYPE(LOWERCASE_LETTER)},
	{"Lt", "Titlecase_Letter", TYPE(TITLECASE_LETTER)},
	{"Lm", "Modifier_Letter", TYPE(MODIFIER_LETTER)},
	{"Lo", "Other_Letter", TYPE(OTHER_LETTER)},
	{"M", "Mark", MARKS},
	{"M", "Combining_Mark", MARKS},
	{"Mc", "Spacing_Mark", TYPE(SPACING_MARK)},
	{"Me", "Enclosing_Mark", TYPE(ENCLOSING_MARK)},
	{"Mn", "Nonspacing_Mark", TYPE(NON_SPACING_MARK)},
	{"N", "Number", NUMERALS},
	{"Nd", "Decimal_Number", TYPE(DECIMAL_NUMBER)},
	{"Nd", "digit", TYPE(DECIMAL_NUMBER)},
	{"Nl", "Letter_Number", TYPE(LETTER_NUMBER)},
	{"No", "Other_Number", TYPE(OTHER_NUMBER)},
	{"P", "Punctuation", MARKERS},
	{"P", "punct", MARKERS},
	{"Pc", "Connector_Punctuation", TYPE(CONNECT_PUNCTUATION)},
	{"Pd", "Dash_Punctuation", TYPE(DASH_PUNCTUATION)},
	{"Pe", "Close_Punctuation", TYPE(CLOSE_PUNCTUATION)},
	{"Pf", "Final_Punctuation", TYPE(FINAL_PUNCTUATION)},
	{"Pi", "Initial_Punctuation", TYPE(INITIAL_PUNCTUATION)},
	{"Po", "Other_Punctuation", TYPE(OTHER_PUNCTUATION)},
	{"Ps", "Open_Punctuation", TYPE(OPEN_PUNCTUATION)},
	{"S", "Symbol", SYMBOLS},
	{"Sc", "Currency_Symbol", TYPE(CURRENCY_SYMBOL)},
	{"Sk", "Modifier_Symbol", TYPE(MODIFIER_SYMBOL)},
	{"Sm", "Math_Symbol", TYPE(MATH_SYMBOL)},
	{"So", "Other_Symbol", TYPE(OTHER_SYMBOL)},
	{"Z", "Separator", SEPARATORS},
	{"Zl", "Line_Separator", TYPE(LINE_SEPARATOR)},
	{"Zp", "Paragraph_Separator", TYPE(PARAGRAPH_SEPARATOR)},
	{"Zs", "Space_Separator", TYPE(SPACE_SEPARATOR)},
	{"Cc", "Control", TYPE(CONTROL)},
	{"Cc", "cntrl", TYPE(CONTROL)},
	{"Cf", "Format", TYPE(FORMAT)},
	{"Co", "Private_Use", TYPE(PRIVATE_USE)},
};

static gboolean add_category(GArray *set, WeftCharacters *characters, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(categories); i++)
		if (g_str_equal(name, categories[i].name) ||
		    g_str_equal(name, categories[i].long_name)) {
			add_types(set, characters, categories[i].types);
			return TRUE;
		}
	return FALSE;
}

/* Scripts that schemas name; others are refused. */
static const struct {
	const char *name, *long_name;
	GUnicodeScript script;
} scripts[] = {
	{"Arab", "Arabic", G_UNICODE_SCRIPT_ARABIC},
	{"Armn", "Armenian", G_UNICODE_SCRIPT_ARMENIAN},
	{"Beng", "Bengali", G_UNICODE_SCRIPT_BENGALI},
	{"Bopo", "Bopomofo", G_UNICODE_SCRIPT_BOPOMOFO},
	{"Cyrl", "Cyrillic", G_UNICODE_SCRIPT_CYRILLIC},
	{"Deva", "Devanagari", G_UNICODE_SCRIPT_DEVANAGARI},
	{"Ethi", "Ethiopic", G_UNICODE_SCRIPT_ETHIOPIC},
	{"Geor", "Georgian", G_UNICODE_SCRIPT_GEORGIAN},
	{"Grek", "Greek", G_UNICODE_SCRIPT_GREEK},
	{"Gujr", "Gujarati", G_UNICODE_SCRIPT_GUJARATI},
	{"Guru", "Gurmukhi", G_UNICODE_SCRIPT_GURMUKHI},
	{"Hang", "Hangul", G_UNICODE_SCRIPT_HANGUL},
	{"Hani", "Han", G_UNICODE_SCRIPT_HAN},
	{"Hebr", "Hebrew", G_UNICODE_SCRIPT_HEBREW},
	{"Hira", "Hiragana", G_UNICODE_SCRIPT_HIRAGANA},
	{"Kana", "Katakana", G_UNICODE_SCRIPT_KATAKANA},
	{"Khmr", "Khmer", G_UNICODE_SCRIPT_KHMER},
	{"Knda", "Kannada", G_UNICODE_SCRIPT_KANNADA},
	{"Laoo", "Lao", G_UNICODE_SCRIPT_LAO},
	{"Latn", "Latin", G_UNICODE_SCRIPT_LATIN},
	{"Mlym", "Malayalam", G_UNICODE_SCRIPT_MALAYALAM},
	{"Mong", "Mongolian", G_UNICODE_SCRIPT_MONGOLIAN},
	{"Mymr", "Myanmar", G_UNICODE_SCRIPT_MYANMAR},
	{"Orya", "Oriya", G_UNICODE_SCRIPT_ORIYA},
	{"Sinh", "Sinhala", G_UNICODE_SCRIPT_SINHALA},
	{"Taml", "Tamil", G_UNICODE_SCRIPT_TAMIL},
	{"Telu", "Telugu", G_UNICODE_SCRIPT_TELUGU},
	{"Thai", "Thai", G_UNICODE_SCRIPT_THAI},
	{"Tibt", "Tibetan", G_UNICODE_SCRIPT_TIBETAN},
};

static gboolean add_script(GArray *set, WeftCharacters *characters, const char *name)
{
	const GArray *runs = type_runs(characters);
	gsize i = 0;
	while (i < G_N_ELEMENTS(scripts) && !g_str_equal(name, scripts[i].name) &&
	       !g_str_equal(name, scripts[i].long_name))
		i++;
	if (i == G_N_ELEMENTS(scripts))
		return FALSE;
	for (guint r = 0; r < runs->len; r++) {
		const TypeRun *run = &g_array_index(runs, TypeRun, r);
		if (run->type == G_UNICODE_UNASSIGNED || run->type == G_UNICODE_PRIVATE_USE ||
		    run->type == G_UNICODE_SURROGATE)
			continue;
		for (guint32 c = run->first; c <= run->last; c++)
			if (g_unichar_get_script(c) == scripts[i].script)
				weft_charset_add(set, c, c);
	}
	return TRUE;
}

/* Properties that are the same in each version; others are more than categories, and not here. */
static gboolean add_binary(GArray *set, const char *name)
{
	if (!g_str_equal(name, "Any") && !g_str_equal(name, "ASCII"))
		return FALSE;
	weft_charset_add(set, 1, g_str_equal(name, "Any") ? WEFT_CHARSET_LAST : 0x7f);
	return TRUE;
}

GArray *weft_charset_property(WeftCharacters *characters, const char *name, gboolean is_possible)
{
	g_autoptr(GArray) set = weft_charset_new();
	const char *equal = strchr(name, '=');
	gboolean is_found = FALSE;
	if (!equal && add_binary(set, name)) {
		weft_charset_order(set);
		return g_steal_pointer(&set);
	}
	g_autofree char *key = equal ? g_strndup(name, (gsize)(equal - name)) : NULL;
	if (!key || g_str_equal(key, "gc") || g_str_equal(key, "General_Category"))
		is_found = add_category(set, characters, key ? equal + 1 : name);
	else if (g_str_equal(key, "sc") || g_str_equal(key, "Script"))
		is_found = add_script(set, characters, equal + 1);
	if (!is_found)
		return NULL;
	if (is_possible)
		add_types(set, characters, TYPE(UNASSIGNED));
	weft_charset_order(set);
	return g_steal_pointer(&set);
}

static void add_all(GArray *set, const WeftRange *ranges, gsize n)
{
	for (gsize i = 0; i < n; i++)
		weft_charset_add(set, ranges[i].first, ranges[i].last);
}

/* ECMA-262's WhiteSpace and LineTerminator, but U+FEFF, which Python's \s has not. */
static const WeftRange spaces[] = {{9, 13},		{0x20, 0x20},	  {0xa0, 0xa0},
				   {0x1680, 0x1680},	{0x2000, 0x200a}, {0x2028, 0x2029},
				   {0x202f, 0x202f},	{0x205f, 0x205f}, {0x3000, 0x3000}};
/* ... and what some engine counts besides: Python the separators 1c to 1f and next line, .NET that,
 * older ones the Mongolian separator and the zero width space. */
static const WeftRange odd_spaces[] = {
	{0x1c, 0x1f}, {0x85, 0x85}, {0x180e, 0x180e}, {0x200b, 0x200b}, {0xfeff, 0xfeff}};
static const WeftRange words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
/* What '.' is not, in one engine or another: ECMA-262's LineTerminator, and Java's next line. */
static const WeftRange line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}};

GArray *weft_charset_escape(WeftCharacters *characters, char letter, gboolean is_possible)
{
	g_autoptr(GArray) set = weft_charset_new();
	switch (letter) {
	case 'd':
		weft_charset_add(set, '0', '9');
		if (is_possible)
			add_types(set, characters, TYPE(DECIMAL_NUMBER) | TYPE(UNASSIGNED));
		break;
	case 'w':
		add_all(set, words, G_N_ELEMENTS(words));
		if (!is_possible)
			break;
		add_types(set, characters, LETTERS | MARKS | NUMERALS | TYPE(UNASSIGNED) |
						   TYPE(CONNECT_PUNCTUATION));
		/* Joiners and the letters in circles (UTS 18, Other_Alphabetic). */
		weft_charset_add(set, 0x200c, 0x200d);
		weft_charset_add(set, 0x24b6, 0x24e9);
		weft_charset_add(set, 0x1f130, 0x1f189);
		break;
	case 's':
		add_all(set, spaces, G_N_ELEMENTS(spaces));
		if (is_possible)
			add_all(set, odd_spaces, G_N_ELEMENTS(odd_spaces));
		break;
	default:
		add_all(set, line_ends, G_N_ELEMENTS(line_ends));
		if (is_possible)
			g_array_set_size(set, 1); /* no engine takes a newline */
		weft_charset_order(set);
		return weft_charset_complement(set);
	}
	weft_charset_order(set);
	return g_steal_pointer(&set);
}
