#include <string.h>

#include "base/utf8.h"
#include "bundle/presplit.h"

/* The low bits of a kind are the class, the others single out characters that a rule names. */
enum { OTHER, UPPER, LOWER, LETTER, MARK, NUMBER, SPACE, CLASS_BITS = 7 };
enum {
	IS_LINE_END = 0x08, /* CR, LF */
	IS_BLANK = 0x10,    /* U+0020 */
	IS_SLASH = 0x20,
	IS_APOSTROPHE = 0x40,
};

#define CLASS_BIT(kind) (1u << ((kind) & CLASS_BITS))
#define LETTERS (1u << UPPER | 1u << LOWER | 1u << LETTER)
#define NUMBERS (1u << NUMBER)
#define SPACES (1u << SPACE)
#define HEADS (1u << UPPER | 1u << LETTER | 1u << MARK) /* U */
#define TAILS (1u << LOWER | 1u << LETTER | 1u << MARK) /* V */
#define SYMBOLS (1u << OTHER | 1u << MARK)

typedef struct Run {
	guint32 first;
	guint8 kind;
} Run;

static const Run RUNS[] = {
#include "bundle/unicode_table.inc"
};

static guint8 class_of(guint32 code)
{
	gsize low = 0, high = G_N_ELEMENTS(RUNS);
	while (high - low > 1) {
		gsize middle = (low + high) / 2;
		if (RUNS[middle].first <= code)
			low = middle;
		else
			high = middle;
	}
	return RUNS[low].kind;
}

static guint8 ascii_kind(guint8 c)
{
	if (g_ascii_isalpha(c))
		return g_ascii_isupper(c) ? UPPER : LOWER;
	if (g_ascii_isdigit(c))
		return NUMBER;
	if (c == ' ')
		return SPACE | IS_BLANK;
	if (c == '\r' || c == '\n')
		return SPACE | IS_LINE_END;
	if (c >= 0x09 && c <= 0x0d)
		return SPACE;
	return OTHER | (c == '/' ? IS_SLASH : 0) | (c == '\'' ? IS_APOSTROPHE : 0);
}

static guint32 decode(const guint8 *p, gsize n_bytes)
{
	if (n_bytes == 2)
		return (guint32)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	if (n_bytes == 3)
		return (guint32)(p[0] & 0x0f) << 12 | (guint32)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return (guint32)(p[0] & 0x07) << 18 | (guint32)(p[1] & 0x3f) << 12 |
	       (guint32)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

void weft_chars_init(WeftChars *chars, const char *text, gsize size_bytes)
{
	const guint8 *bytes = (const guint8 *)text;
	gsize at = 0, n = 0;

	chars->text = text;
	chars->offsets = g_new(gsize, size_bytes + 1);
	chars->kinds = g_new(guint8, size_bytes + 1);
	while (at < size_bytes) {
		gboolean is_valid = TRUE;
		gsize step = 1;
		chars->offsets[n] = at;
		if (bytes[at] < 0x80) {
			chars->kinds[n] = ascii_kind(bytes[at]);
		} else {
			step = weft_utf8_step(bytes + at, bytes + size_bytes, &is_valid);
			chars->kinds[n] = is_valid ? class_of(decode(bytes + at, step)) : OTHER;
		}
		at += step;
		n++;
	}
	chars->offsets[n] = size_bytes;
	chars->n_chars = n;
}

void weft_chars_done(WeftChars *chars)
{
	g_free(chars->offsets);
	g_free(chars->kinds);
}

static gboolean is_in(const WeftChars *chars, gsize at, guint classes)
{
	return at < chars->n_chars && (CLASS_BIT(chars->kinds[at]) & classes);
}

static gboolean has(const WeftChars *chars, gsize at, guint flag)
{
	return at < chars->n_chars && (chars->kinds[at] & flag);
}

/* End of the run of these classes that begins at `at`. */
static gsize run_end(const WeftChars *chars, gsize at, guint classes)
{
	while (is_in(chars, at, classes))
		at++;
	return at;
}

/* The letter of a contraction at `at`, in lower case; with `fold`, capitals and U+017F (long s)
 * count too. 0: none. */
static char contraction_letter(const WeftChars *chars, gsize at, gboolean fold)
{
	if (at >= chars->n_chars)
		return 0;
	const char *p = chars->text + chars->offsets[at];
	gsize n_bytes = chars->offsets[at + 1] - chars->offsets[at];
	if (n_bytes == 1)
		return fold ? g_ascii_tolower(*p) : *p;
	return fold && n_bytes == 2 && memcmp(p, "\xc5\xbf", 2) == 0 ? 's' : 0;
}

/* End of 's, 't, 're, 've, 'm, 'll or 'd at `at`; `at` itself when there is none. */
static gsize contraction_end(const WeftChars *chars, gsize at, gboolean fold)
{
	if (!has(chars, at, IS_APOSTROPHE))
		return at;
	char first = contraction_letter(chars, at + 1, fold);
	char second = contraction_letter(chars, at + 2, fold);
	if (first == 's' || first == 't' || first == 'm' || first == 'd')
		return at + 2;
	if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
	    (first == 'l' && second == 'l'))
		return at + 3;
	return at;
}

/* A run of white space: with `lines`, up to its last line end if it has one; else all but the
 * last character when something follows, so that a blank stays with its word. */
static gsize space_end(const WeftChars *chars, gsize at, gboolean lines)
{
	gsize end = run_end(chars, at, SPACES);
	for (gsize last = end; lines && last > at; last--) {
		if (has(chars, last - 1, IS_LINE_END))
			return last;
	}
	return end < chars->n_chars && end - at > 1 ? end - 1 : end;
}

/* " ?[^\s L N]+" and then characters with one of `tail_flags`; `at` when there is no symbol. */
static gsize symbols_end(const WeftChars *chars, gsize at, guint tail_flags)
{
	gsize begin = has(chars, at, IS_BLANK) && is_in(chars, at + 1, SYMBOLS) ? at + 1 : at;
	gsize end = run_end(chars, begin, SYMBOLS);
	if (end == begin)
		return at;
	while (has(chars, end, tail_flags))
		end++;
	return end;
}

/* " ?X+", or `at`. */
static gsize blank_run_end(const WeftChars *chars, gsize at, guint classes)
{
	gsize begin = has(chars, at, IS_BLANK) && is_in(chars, at + 1, classes) ? at + 1 : at;
	gsize end = run_end(chars, begin, classes);
	return end > begin ? end : at;
}

static gsize numbers_end(const WeftChars *chars, gsize at)
{
	gsize end = run_end(chars, at, NUMBERS);
	return end - at > 3 ? at + 3 : end;
}

/* TRUE when the character may stand before a word: [^\r\n L N]. */
static gboolean is_lead(const WeftChars *chars, gsize at)
{
	return !is_in(chars, at, LETTERS | NUMBERS) && !has(chars, at, IS_LINE_END);
}

static gsize gpt2_end(const WeftChars *chars, gsize at)
{
	static const guint classes[] = {LETTERS, NUMBERS, SYMBOLS};
	gsize end = contraction_end(chars, at, FALSE);
	for (gsize i = 0; i < G_N_ELEMENTS(classes) && end == at; i++)
		end = blank_run_end(chars, at, classes[i]);
	return end > at ? end : space_end(chars, at, FALSE);
}

static gsize llama3_end(const WeftChars *chars, gsize at)
{
	gsize end = contraction_end(chars, at, TRUE);
	if (end > at)
		return end;
	if (is_lead(chars, at) && is_in(chars, at + 1, LETTERS))
		return run_end(chars, at + 1, LETTERS);
	if (is_in(chars, at, LETTERS))
		return run_end(chars, at, LETTERS);
	if (is_in(chars, at, NUMBERS))
		return numbers_end(chars, at);
	end = symbols_end(chars, at, IS_LINE_END);
	return end > at ? end : space_end(chars, at, TRUE);
}

/* "U*V+" from `begin`; `begin` when it does not match. The run of U gives characters back until
 * one of them can be the V. */
static gsize heads_tails_end(const WeftChars *chars, gsize begin)
{
	gsize end = run_end(chars, begin, HEADS);
	if (is_in(chars, end, TAILS))
		return run_end(chars, end, TAILS);
	while (end > begin && !is_in(chars, end - 1, TAILS))
		end--;
	return end;
}

/* Word of Llama 4's first two alternatives, or `at`. Marks are in U, in V and may lead, so both
 * starts are tried for the first alternative before the second comes. */
static gsize llama4_word_end(const WeftChars *chars, gsize at)
{
	gsize starts[2], n_starts = 0;

	if (is_lead(chars, at))
		starts[n_starts++] = at + 1;
	starts[n_starts++] = at;
	for (gsize i = 0; i < n_starts; i++) {
		gsize end = heads_tails_end(chars, starts[i]);
		if (end > starts[i])
			return contraction_end(chars, end, TRUE);
	}
	for (gsize i = 0; i < n_starts; i++) {
		gsize end = run_end(chars, starts[i], HEADS);
		if (end > starts[i])
			return contraction_end(chars, end, TRUE);
	}
	return at;
}

static gsize llama4_end(const WeftChars *chars, gsize at)
{
	gsize end = llama4_word_end(chars, at);
	if (end > at)
		return end;
	if (is_in(chars, at, NUMBERS))
		return numbers_end(chars, at);
	end = symbols_end(chars, at, IS_LINE_END | IS_SLASH);
	return end > at ? end : space_end(chars, at, TRUE);
}

gsize weft_presplit_end(WeftPresplit rule, const WeftChars *chars, gsize at)
{
	switch (rule) {
	case WEFT_PRESPLIT_GPT2:
		return gpt2_end(chars, at);
	case WEFT_PRESPLIT_LLAMA3:
		return llama3_end(chars, at);
	default:
		return llama4_end(chars, at);
	}
}

typedef struct Spelling {
	const char *regex;
	WeftPresplit rule;
} Spelling;

#define WORD_TAIL "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
#define SPACE_TAIL "|\\s+(?!\\S)|\\s+"

static const Spelling SPELLINGS[] = {
	{"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+" SPACE_TAIL,
	 WEFT_PRESPLIT_GPT2},
	{"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+" SPACE_TAIL,
	 WEFT_PRESPLIT_GPT2},
	{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
	 " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+" SPACE_TAIL,
	 WEFT_PRESPLIT_LLAMA3},
	{"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
	 "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" WORD_TAIL
	 "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
	 "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" WORD_TAIL
	 "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+" SPACE_TAIL,
	 WEFT_PRESPLIT_LLAMA4},
};

gboolean weft_presplit_find(const char *regex, gsize size_bytes, WeftPresplit *ret_rule)
{
	for (gsize i = 0; i < G_N_ELEMENTS(SPELLINGS); i++) {
		if (strlen(SPELLINGS[i].regex) == size_bytes &&
		    memcmp(SPELLINGS[i].regex, regex, size_bytes) == 0) {
			*ret_rule = SPELLINGS[i].rule;
			return TRUE;
		}
	}
	return FALSE;
}
