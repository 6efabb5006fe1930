/* Any bytes as patterns for one string, or bounds of one number; where they are, a walk along
 * allowed bytes comes to an end in exactly as many bytes as was said.
 *
 * The first byte: 128 a number, 64 the first part is taken under not, 32 loosely, 16 with lengths
 * from the next two bytes. Parts are separated by newlines; a bound begins with <, >, [, ] or %. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "schema/lexeme.h"
#include "schema/number.h"

#define PARTS_MAX 4
#define WALK_BYTES_MAX 400

/* Down to the end by bytes that come nearer to it. */
static void walk_lexeme(const WeftLexeme *lexeme, const uint8_t *wishes, size_t n_wishes)
{
	WeftLexemeState state = weft_lexeme_begin(lexeme);
	for (size_t i = 0; i < WALK_BYTES_MAX; i++) {
		guint32 close = weft_lexeme_close(lexeme, state);
		WeftLexemeState wished = {.id = WEFT_LEXEME_DEAD}, nearer = wished;
		if (close == WEFT_LEXEME_NEVER || (close == 0) != weft_lexeme_accepts(lexeme, state))
			abort();
		if (i < n_wishes)
			wished = weft_lexeme_step(lexeme, state, wishes[i]);
		if (wished.id != WEFT_LEXEME_DEAD) {
			state = wished;
			continue;
		}
		if (close == 0)
			return;
		for (int byte = 0; byte < 256 && nearer.id == WEFT_LEXEME_DEAD; byte++) {
			nearer = weft_lexeme_step(lexeme, state, (guint8)byte);
			if (nearer.id != WEFT_LEXEME_DEAD &&
			    weft_lexeme_close(lexeme, nearer) + 1 != close)
				nearer.id = WEFT_LEXEME_DEAD;
		}
		if (nearer.id == WEFT_LEXEME_DEAD)
			abort();
		state = nearer;
	}
}

static void walk_numbers(const WeftNumbers *numbers, const uint8_t *wishes, size_t n_wishes)
{
	WeftNumberState state = {0};
	size_t i = 0;
	while (i < n_wishes && weft_numbers_step(numbers, &state, wishes[i]))
		i++;
	for (guint32 close; (close = weft_numbers_close(numbers, &state)) > 0;) {
		WeftNumberState next = state;
		const char *byte = "-.0123456789";
		for (; *byte; byte++) {
			next = state;
			if (weft_numbers_step(numbers, &next, (guint8)*byte) &&
			    weft_numbers_close(numbers, &next) + 1 == close)
				break;
		}
		if (!*byte)
			abort();
		state = next;
	}
	if (!weft_numbers_accepts(numbers, &state))
		abort();
}

/* Digits with at most one point and an exponent: what the reader of JSON gives. */
static gboolean is_number(const char *text)
{
	if (*text == '-')
		text++;
	if (!g_ascii_isdigit(*text))
		return FALSE;
	text += strspn(text, "0123456789");
	if (*text == '.' && g_ascii_isdigit(text[1]))
		text += 1 + strspn(text + 1, "0123456789");
	if ((*text == 'e' || *text == 'E') && g_ascii_isdigit(text[text[1] == '-' ? 2 : 1]))
		text += (text[1] == '-' ? 2 : 1) + strspn(text + (text[1] == '-' ? 2 : 1), "0123456789");
	return *text == '\0';
}

static void try_numbers(char **parts, gboolean is_integer, const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftNumbers) numbers = weft_numbers_new(is_integer);
	for (char **part = parts; *part; part++) {
		if (!is_number(**part ? *part + 1 : *part))
			continue;
		if (**part == '%')
			(void)weft_numbers_multiple_of(numbers, *part + 1, NULL); /* or is refused */
		else if (**part == '<' || **part == '[')
			(void)weft_numbers_max(numbers, *part + 1, **part == '<', NULL);
		else
			(void)weft_numbers_min(numbers, *part + 1, **part == '>', NULL);
	}
	if (!weft_numbers_is_empty(numbers))
		walk_numbers(numbers, data, size_bytes);
}

static void try_lexeme(char **texts, uint8_t flags, WeftLexemeSpec *spec, const uint8_t *data,
		       size_t size_bytes)
{
	WeftLexemePart parts[PARTS_MAX];
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	for (spec->n_parts = 0; texts[spec->n_parts]; spec->n_parts++)
		parts[spec->n_parts] = (WeftLexemePart){
			.kind = weft_format_known(texts[spec->n_parts]) ? WEFT_LEXEME_FORMAT
									: WEFT_LEXEME_PATTERN,
			.text = texts[spec->n_parts],
			.is_not = (flags & 64) && spec->n_parts == 0,
			.is_loose = (flags & 32) && spec->n_parts == 0};
	spec->parts = parts;
	g_autoptr(WeftLexeme) lexeme = weft_lexeme_new(maker, spec, NULL);
	if (lexeme && !weft_lexeme_is_empty(lexeme))
		walk_lexeme(lexeme, data, size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	WeftLexemeSpec spec = {.length_max = WEFT_LEXEME_UNLIMITED};
	if (size_bytes < 3)
		return 0;
	if (data[0] & 16) {
		spec.length_min = data[1];
		spec.length_max = data[2] == 255 ? WEFT_LEXEME_UNLIMITED : data[2];
	}
	g_autofree char *text = g_strndup((const char *)data + 3, size_bytes - 3);
	g_auto(GStrv) parts = g_strsplit(text, "\n", PARTS_MAX);
	if (data[0] & 128)
		try_numbers(parts, data[0] & 1, data + 3, size_bytes - 3);
	else
		try_lexeme(parts, data[0], &spec, data + 3, size_bytes - 3);
	return 0;
}
