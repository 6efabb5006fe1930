#include "schema/value.h"

#include <string.h>

#include "schema/numeral.h"

/* Numbers with more digits in front of or behind the point are written with an exponent. */
#define PLAIN_DIGITS_MAX 15
/* What weft_numeral_is_multiple takes. */
#define STEP_DIGITS_MAX 18

guint weft_value_type(const WeftJson *value)
{
	switch (weft_json_type(value)) {
	case WEFT_JSON_NULL:
		return WEFT_TYPE_NULL;
	case WEFT_JSON_TRUE:
	case WEFT_JSON_FALSE:
		return WEFT_TYPE_BOOLEAN;
	case WEFT_JSON_STRING:
		return WEFT_TYPE_STRING;
	case WEFT_JSON_ARRAY:
		return WEFT_TYPE_ARRAY;
	case WEFT_JSON_OBJECT:
		return WEFT_TYPE_OBJECT;
	default:
		break;
	}
	return weft_numeral_is_integer(weft_json_raw_number(value)) ? WEFT_TYPE_INTEGER
								    : WEFT_TYPE_FRACTION;
}

gboolean weft_value_append_number(GString *text, const char *number)
{
	WeftNumeral numeral = weft_numeral(number);
	g_autoptr(GString) digits = g_string_new(NULL);
	const char *cursor = numeral.first;
	double held;
	if (!weft_json_text_to_double(number, strlen(number), &held))
		return FALSE;
	if (numeral.n_digits == 0) {
		g_string_append_c(text, '0');
		return TRUE;
	}
	if (held == 0) /* too small for a double */
		return FALSE;
	if (numeral.is_negative)
		g_string_append_c(text, '-');
	for (guint i = 0; i < numeral.n_digits; i++)
		g_string_append_c(digits, (char)('0' + weft_numeral_digit(&cursor)));
	/* A double holds it, so the exponent is small. */
	long n = (long)digits->len, exponent = (long)numeral.exponent - n;
	if (exponent >= 0 && n + exponent <= PLAIN_DIGITS_MAX) {
		g_string_append(text, digits->str);
		for (long i = 0; i < exponent; i++)
			g_string_append_c(text, '0');
	} else if (exponent < 0 && -exponent < n && n <= PLAIN_DIGITS_MAX) {
		g_string_append_len(text, digits->str, n + exponent);
		g_string_append_c(text, '.');
		g_string_append(text, digits->str + n + exponent);
	} else if (exponent < 0 && -exponent >= n && -exponent <= PLAIN_DIGITS_MAX) {
		g_string_append(text, "0.");
		for (long i = -exponent; i > n; i--)
			g_string_append_c(text, '0');
		g_string_append(text, digits->str);
	} else {
		g_string_append_printf(text, "%se%ld", digits->str, exponent);
	}
	return TRUE;
}

WeftFit weft_value_is_multiple(const char *number, const char *step)
{
	if (weft_numeral_is_multiple(number, step))
		return WEFT_FIT_YES;
	return weft_numeral(step).n_digits > STEP_DIGITS_MAX ? WEFT_FIT_UNKNOWN : WEFT_FIT_NO;
}

/* A literal with as many digits as it was given: some readers take one with an exponent for a
 * double, and then it is another number. */
static gboolean append_literal(GString *text, const char *number)
{
	double held;
	const char *digits = number + (number[0] == '-');
	if (digits[0] == '0' || digits[strspn(digits, "0123456789")])
		return weft_value_append_number(text, number);
	g_string_append(text, number);
	return weft_json_text_to_double(number, strlen(number), &held);
}

typedef struct Member {
	char *spelled;
	const WeftJson *value;
} Member;

static void member_clear(gpointer data)
{
	g_free(((Member *)data)->spelled);
}

static gint compare_members(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Member *)a)->spelled, ((const Member *)b)->spelled);
}

static gboolean append_value(GString *text, const WeftJson *value, gboolean is_sorted);

static gboolean append_object(GString *text, const WeftJson *value, gboolean is_sorted)
{
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));
	g_array_set_clear_func(members, member_clear);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		gsize size_bytes;
		const char *key = weft_json_key_at(value, i, &size_bytes);
		GString *spelled = g_string_new(NULL);
		WeftJsonWriter writer;
		weft_json_writer_init(&writer, spelled);
		weft_json_write_text(&writer, key, size_bytes);
		Member member = {g_string_free(spelled, FALSE), weft_json_at(value, i)};
		g_array_append_val(members, member);
	}
	if (is_sorted)
		g_array_sort(members, compare_members);
	g_string_append_c(text, '{');
	for (guint i = 0; i < members->len; i++) {
		const Member *member = &g_array_index(members, Member, i);
		g_string_append_printf(text, "%s%s:", i > 0 ? "," : "", member->spelled);
		if (!append_value(text, member->value, is_sorted))
			return FALSE;
	}
	g_string_append_c(text, '}');
	return TRUE;
}

/* As deep as the reader lets a text be (WEFT_JSON_DEPTH_MAX). */
static gboolean append_value(GString *text, const WeftJson *value, gboolean is_sorted)
{
	WeftJsonWriter writer;
	switch (weft_json_type(value)) {
	case WEFT_JSON_NUMBER:
		return is_sorted ? weft_value_append_number(text, weft_json_raw_number(value))
				 : append_literal(text, weft_json_raw_number(value));
	case WEFT_JSON_OBJECT:
		return append_object(text, value, is_sorted);
	case WEFT_JSON_ARRAY:
		g_string_append_c(text, '[');
		for (gsize i = 0; i < weft_json_length(value); i++) {
			if (i > 0)
				g_string_append_c(text, ',');
			if (!append_value(text, weft_json_at(value, i), is_sorted))
				return FALSE;
		}
		g_string_append_c(text, ']');
		return TRUE;
	default:
		weft_json_writer_init(&writer, text);
		weft_json_write_tree(&writer, value);
		return TRUE;
	}
}

static char *text_of(const WeftJson *value, gboolean is_sorted)
{
	GString *text = g_string_new(NULL);
	gboolean is_written = append_value(text, value, is_sorted);
	return g_string_free(text, !is_written);
}

char *weft_value_text(const WeftJson *value)
{
	return text_of(value, FALSE);
}

char *weft_value_identity(const WeftJson *value)
{
	return text_of(value, TRUE);
}
