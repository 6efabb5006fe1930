#include "outputs/agreement.h"

#include <string.h>

#include "base/error.h"
#include "base/running_text.h"
#include "outputs/record.h"

#define STARS_MAX 8
/* Of what a message lists. */
#define NAMES_MAX 8
#define KEYWORD "x-weft-check"

void weft_agreement_done(WeftAgreement *agreement)
{
	g_clear_pointer(&agreement->pointers, g_ptr_array_unref);
	g_clear_pointer(&agreement->values, g_ptr_array_unref);
	g_clear_pointer(&agreement->readings, g_array_unref);
	g_clear_pointer(&agreement->equals, g_free);
}

/* ---- reading ---- */

static gboolean refuse(gsize rule, const char *reason, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
		    "#/" KEYWORD "/%" G_GSIZE_FORMAT ": %s; write {\"sum\": \"/lines/*/total\", "
		    "\"equals\": \"/net\", \"within\": 0.01} or {\"before\": [\"/issued\", \"/due\"]}",
		    rule, reason);
	return FALSE;
}

static guint n_stars(const char *pointer)
{
	guint n = 0;

	for (const char *p = pointer; (p = strstr(p, "/*")); p += 2)
		n += p[2] == '/' || p[2] == '\0';
	return n;
}

static gboolean is_pointer(const WeftJson *value)
{
	const char *text = weft_json_string(value, NULL);

	return text && *text == '/' && n_stars(text) <= STARS_MAX;
}

/* A pointer, or a list of them: its i-th, NULL behind the last one. */
static const WeftJson *pointer_at(const WeftJson *value, gsize i)
{
	if (weft_json_type(value) == WEFT_JSON_ARRAY)
		return weft_json_at(value, i);
	return i == 0 ? value : NULL;
}

static gboolean are_pointers(const WeftJson *value, gsize n_min)
{
	gsize n = 0;

	for (; pointer_at(value, n); n++)
		if (!is_pointer(pointer_at(value, n)))
			return FALSE;
	return n >= n_min;
}

/* As many stars as the one whose items they are. */
static gboolean have_stars(const WeftJson *value, const WeftJson *of, gboolean may_be_more)
{
	guint n = n_stars(weft_json_string(of, NULL));

	for (gsize i = 0; pointer_at(value, i); i++) {
		guint own = n_stars(weft_json_string(pointer_at(value, i), NULL));
		if (own < n || (own > n && !may_be_more))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_sum(const WeftJson *rule, gsize i, GError **error)
{
	const WeftJson *sum = weft_json_member(rule, "sum"), *equals = weft_json_member(rule, "equals");
	const char *within = weft_json_raw_number(weft_json_member(rule, "within"));
	WeftDecimal tolerance;

	if (!are_pointers(sum, 1) || !is_pointer(equals))
		return refuse(i, "\"sum\" and \"equals\" have to be JSON pointers into the answer", error);
	if (weft_json_length(rule) != 2 + (weft_json_member(rule, "within") != NULL))
		return refuse(i, "a sum has \"sum\", \"equals\" and \"within\", nothing else", error);
	if (weft_json_member(rule, "within") &&
	    (!within || !weft_decimal_read(within, strlen(within), &tolerance) || tolerance.digits < 0))
		return refuse(i, "\"within\" has to be a number that is not negative", error);
	if (!have_stars(sum, equals, TRUE))
		return refuse(i, "\"sum\" needs the *s of \"equals\"", error);
	return TRUE;
}

static gboolean read_rule(const WeftJson *rule, gsize i, GError **error)
{
	const WeftJson *before = weft_json_member(rule, "before");

	if (weft_json_member(rule, "sum"))
		return read_sum(rule, i, error);
	if (!before || weft_json_length(rule) != 1)
		return refuse(i, "is no rule that is known", error);
	if (weft_json_type(before) != WEFT_JSON_ARRAY || !are_pointers(before, 2) ||
	    !have_stars(before, weft_json_at(before, 0), FALSE))
		return refuse(i,
			      "\"before\" has to be a list of two or more JSON pointers with equally "
			      "many *s",
			      error);
	return TRUE;
}

/* ---- where pointers lead ---- */

static gboolean refuse_path(const WeftSchema *schema, const char *rule_and_keyword, const char *path,
			    gsize n_bytes, guint kinds, const char *wanted, GError **error)
{
	g_autofree char *known = g_strndup(path, n_bytes);
	g_autofree char *below = weft_schema_below(schema, known, NAMES_MAX);

	if (kinds == 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#/" KEYWORD "/%s: no answer has %s; %s%s%s%s", rule_and_keyword, path,
			    *known ? "behind " : "an answer begins with ", known,
			    *known ? " comes " : "", *below ? below : "nothing");
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#/" KEYWORD "/%s: what answers have at %s is never %s; write a pointer to one%s%s",
			    rule_and_keyword, path, wanted, *below ? ", from there on " : "", below);
	return FALSE;
}

static gboolean check_paths(const WeftSchema *schema, gsize rule, const char *keyword,
			    const WeftJson *paths, GError **error)
{
	gboolean is_order = strcmp(keyword, "before") == 0;
	guint wanted = WEFT_SCHEMA_STRINGS | (is_order ? WEFT_SCHEMA_DAYS : WEFT_SCHEMA_NUMBERS);

	for (gsize i = 0; pointer_at(paths, i); i++) {
		const char *path = weft_json_string(pointer_at(paths, i), NULL);
		gsize n_bytes;
		guint kinds = weft_schema_kinds(schema, path, &n_bytes);

		if (kinds & wanted)
			continue;
		g_autofree char *place =
			g_strdup_printf("%" G_GSIZE_FORMAT ": keyword \"%s\"", rule, keyword);
		return refuse_path(schema, place, path, n_bytes, kinds,
				   is_order ? "a day" : "a number", error);
	}
	return TRUE;
}

static gboolean check_rule(const WeftSchema *schema, const WeftJson *rule, gsize i, GError **error)
{
	static const char *const keywords[] = {"sum", "equals", "before"};

	for (gsize k = 0; k < G_N_ELEMENTS(keywords); k++) {
		const WeftJson *paths = weft_json_member(rule, keywords[k]);
		if (paths && !check_paths(schema, i, keywords[k], paths, error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_agreement_read(const WeftJson *tree, const WeftSchema *schema, GError **error)
{
	const WeftJson *rules = weft_json_member(tree, KEYWORD);

	if (!rules)
		return TRUE;
	if (weft_json_type(rules) != WEFT_JSON_ARRAY ||
	    weft_json_length(rules) > WEFT_AGREEMENT_RULES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#/" KEYWORD ": has to be a list of at most %d rules",
			    WEFT_AGREEMENT_RULES_MAX);
		return FALSE;
	}
	for (gsize i = 0; i < weft_json_length(rules); i++)
		if (!read_rule(weft_json_at(rules, i), i, error) ||
		    !check_rule(schema, weft_json_at(rules, i), i, error))
			return FALSE;
	return TRUE;
}

/* ---- pointers with stars ---- */

/* What the first stars of a pointer stand for. */
typedef struct Binding {
	char *keys[STARS_MAX];
	guint n;
} Binding;

typedef void (*Visit)(void *data, const Binding *binding, const char *pointer, const WeftJson *value);

typedef struct Expansion {
	const Binding *bound; /* or NULL */
	Visit visit;
	void *data;
	Binding binding;
	GString *pointer;
	guint n_visits;
} Expansion;

static void expand(Expansion *expansion, const WeftJson *value, const char *rest);

static void step(Expansion *expansion, const WeftJson *value, const char *key, const char *rest)
{
	gsize size = expansion->pointer->len;
	const WeftJson *below;

	weft_json_pointer_add(expansion->pointer, key, strlen(key));
	below = weft_json_at_pointer(value, expansion->pointer->str + size);
	expand(expansion, below, rest);
	g_string_truncate(expansion->pointer, size);
}

static void step_all(Expansion *expansion, const WeftJson *value, const char *rest)
{
	Binding *binding = &expansion->binding;
	gboolean is_object = weft_json_type(value) == WEFT_JSON_OBJECT;

	if (expansion->bound && binding->n < expansion->bound->n) {
		char *key = expansion->bound->keys[binding->n];
		binding->keys[binding->n++] = key;
		step(expansion, value, key, rest);
		binding->n--;
		return;
	}
	for (gsize i = 0; i < weft_json_length(value); i++) {
		char number[24];
		const char *key = is_object ? weft_json_key_at(value, i, NULL) : number;

		g_snprintf(number, sizeof(number), "%" G_GSIZE_FORMAT, i);
		binding->keys[binding->n++] = (char *)key;
		step(expansion, value, key, rest);
		binding->n--;
	}
}

/* `rest` is what is left of the pointer, from a slash on. */
static void expand(Expansion *expansion, const WeftJson *value, const char *rest)
{
	if (expansion->n_visits >= WEFT_AGREEMENT_ADDENDS_MAX)
		return;
	if (!*rest) {
		expansion->n_visits++;
		expansion->visit(expansion->data, &expansion->binding, expansion->pointer->str, value);
		return;
	}
	const char *end = rest + 1 + strcspn(rest + 1, "/");
	g_autofree char *key = g_strndup(rest + 1, (gsize)(end - rest - 1));

	if (strcmp(key, "*") == 0) {
		step_all(expansion, value, end);
		return;
	}
	g_autoptr(GString) plain = g_string_new(key);
	g_string_replace(plain, "~1", "/", 0);
	g_string_replace(plain, "~0", "~", 0);
	step(expansion, value, plain->str, end);
}

static void visit_all(const WeftJson *answer, const char *pointer, const Binding *bound, Visit visit,
		      void *data)
{
	Expansion expansion = { .bound = bound, .visit = visit, .data = data,
				.pointer = g_string_new(NULL) };

	expand(&expansion, answer, pointer);
	g_string_free(expansion.pointer, TRUE);
}

/* ---- values ---- */

typedef struct Agreeing {
	WeftRecord *record;
	const WeftJson *answer, *rule;
	const WeftUsage *usage;
	guint number;            /* of the rule */
	WeftAgreement *agreement; /* at hand */
	WeftDecimal sum;
	char last[WEFT_DECIMAL_CHARS]; /* ORDER: the day before */
} Agreeing;

/* NULL: it is known; else why it is not. */
static const char *number_of(const Agreeing *agreeing, const WeftJson *value, WeftDecimal *ret_number)
{
	const char *raw = weft_json_raw_number(value), *text = weft_json_string(value, NULL);

	if (raw)
		return weft_decimal_read(raw, strlen(raw), ret_number) ? NULL : "a number is too long";
	if (!text)
		return "a value is missing";
	g_autofree char *normal = weft_running_text_normal(text, strlen(text));
	WeftAmounts amounts = { .text = normal, .size_bytes = strlen(normal) };
	WeftAmount amount = { 0 }, longest = { 0 };

	while (weft_amount_next(&amounts, &amount))
		if (longest.end == 0 || (amount.first <= longest.first && amount.end > longest.end))
			longest = amount;
		else if (amount.first >= longest.end)
			return "a text has several numbers";
	if (longest.end == 0)
		return "a text has no number";
	WeftReadings readings = weft_usage_read_amount(agreeing->usage, &longest);
	if (readings.n != 1)
		return "a number is ambiguous";
	return weft_decimal_read(readings.values[0], strlen(readings.values[0]), ret_number)
		       ? NULL
		       : "a number is too long";
}

static const char *day_of(const Agreeing *agreeing, const WeftJson *value,
			  char ret_day[WEFT_DECIMAL_CHARS])
{
	const char *text = weft_json_string(value, NULL);
	WeftDay day;
	gsize at = 0;

	if (!text)
		return "a value is missing";
	g_autofree char *normal = weft_running_text_normal(text, strlen(text));
	if (!weft_day_next(normal, strlen(normal), &at, &day))
		return "a text has no day";
	WeftReadings readings = weft_usage_read_day(agreeing->usage, &day);
	if (readings.n != 1)
		return "a day is ambiguous";
	g_strlcpy(ret_day, readings.values[0], WEFT_DECIMAL_CHARS);
	return NULL;
}

static void open_because(WeftAgreement *agreement, const char *reason)
{
	if (agreement->state == WEFT_AGREEMENT_OPEN)
		return;
	agreement->state = WEFT_AGREEMENT_OPEN;
	agreement->reason = reason;
}

static WeftAgreement agreement_of(WeftAgreementKind kind, guint rule)
{
	return (WeftAgreement){ .kind = kind,
				.rule = rule,
				.pointers = g_ptr_array_new_with_free_func(g_free),
				.values = g_ptr_array_new_with_free_func(g_free) };
}

static gboolean is_full(const WeftRecord *record)
{
	return record->agreements->len >= WEFT_AGREEMENT_RESULTS_MAX;
}

/* ---- sums ---- */

static void add_up(void *data, const Binding *binding, const char *pointer, const WeftJson *value)
{
	Agreeing *agreeing = data;
	WeftDecimal number = { 0, 0 };
	const char *reason = number_of(agreeing, value, &number);

	g_ptr_array_add(agreeing->agreement->pointers, g_strdup(pointer));
	if (!reason && !weft_decimal_add(agreeing->sum, number, &agreeing->sum))
		reason = "the sum is too long";
	if (reason)
		open_because(agreeing->agreement, reason);
}

static gboolean is_within(const WeftJson *rule, WeftDecimal sum, WeftDecimal wanted)
{
	const char *within = weft_json_raw_number(weft_json_member(rule, "within"));
	WeftDecimal tolerance = { 0, 0 }, difference;

	if (within)
		(void)weft_decimal_read(within, strlen(within), &tolerance); /* it was read before */
	if (!weft_decimal_add(sum, weft_decimal_negate(wanted), &difference))
		return FALSE;
	if (difference.digits < 0)
		difference = weft_decimal_negate(difference);
	return weft_decimal_compare(difference, tolerance) <= 0;
}

static void add_value(WeftAgreement *agreement, WeftDecimal value)
{
	char text[WEFT_DECIMAL_CHARS];

	weft_decimal_write(value, text);
	g_ptr_array_add(agreement->values, g_strdup(text));
}

/* One sum, for what stands at `equals`. */
static void check_sum(void *data, const Binding *binding, const char *pointer, const WeftJson *value)
{
	Agreeing *agreeing = data;
	WeftAgreement agreement = agreement_of(WEFT_AGREEMENT_SUM, agreeing->number);
	const WeftJson *addends = weft_json_member(agreeing->rule, "sum");
	WeftDecimal wanted = { 0, 0 };
	const char *reason = number_of(agreeing, value, &wanted);

	if (is_full(agreeing->record)) {
		weft_agreement_done(&agreement);
		return;
	}
	agreement.equals = g_strdup(pointer);
	agreeing->agreement = &agreement;
	agreeing->sum = (WeftDecimal){ 0, 0 };
	for (gsize i = 0; pointer_at(addends, i); i++)
		visit_all(agreeing->answer, weft_json_string(pointer_at(addends, i), NULL), binding,
			  add_up, agreeing);
	if (reason)
		open_because(&agreement, reason);
	if (agreement.pointers->len >= WEFT_AGREEMENT_ADDENDS_MAX)
		open_because(&agreement, "there are too many values");
	if (agreement.state != WEFT_AGREEMENT_OPEN) {
		add_value(&agreement, agreeing->sum);
		add_value(&agreement, wanted);
		if (!is_within(agreeing->rule, agreeing->sum, wanted))
			agreement.state = WEFT_AGREEMENT_FAILED;
	}
	g_array_append_val(agreeing->record->agreements, agreement);
}

/* ---- days ---- */

static void compare_day(void *data, const Binding *binding, const char *pointer,
			const WeftJson *value)
{
	Agreeing *agreeing = data;
	char day[WEFT_DECIMAL_CHARS] = "";
	const char *reason = day_of(agreeing, value, day);

	g_ptr_array_add(agreeing->agreement->pointers, g_strdup(pointer));
	g_ptr_array_add(agreeing->agreement->values, g_strdup(day));
	if (reason)
		open_because(agreeing->agreement, reason);
	else if (agreeing->agreement->state == WEFT_AGREEMENT_OK && strcmp(agreeing->last, day) > 0)
		agreeing->agreement->state = WEFT_AGREEMENT_FAILED;
	g_strlcpy(agreeing->last, day, sizeof(agreeing->last));
}

static void check_order(void *data, const Binding *binding, const char *pointer,
			const WeftJson *value)
{
	Agreeing *agreeing = data;
	WeftAgreement agreement = agreement_of(WEFT_AGREEMENT_ORDER, agreeing->number);
	const WeftJson *days = weft_json_member(agreeing->rule, "before");

	if (is_full(agreeing->record)) {
		weft_agreement_done(&agreement);
		return;
	}
	agreeing->agreement = &agreement;
	agreeing->last[0] = '\0';
	for (gsize i = 0; i < weft_json_length(days); i++)
		visit_all(agreeing->answer, weft_json_string(weft_json_at(days, i), NULL), binding,
			  compare_day, agreeing);
	if (agreement.state == WEFT_AGREEMENT_OPEN)
		g_ptr_array_set_size(agreement.values, 0);
	g_array_append_val(agreeing->record->agreements, agreement);
}

void weft_record_agree(WeftRecord *record, const WeftJson *schema, const WeftUsage *usage)
{
	const WeftJson *rules = weft_json_member(schema, KEYWORD);
	g_autoptr(WeftJson) answer =
		record->answer
			? weft_json_parse(record->answer, strlen(record->answer), WEFT_JSON_STRICT, NULL)
			: NULL;

	for (gsize i = 0; answer && i < weft_json_length(rules); i++) {
		Agreeing agreeing = { .record = record, .answer = answer, .usage = usage,
				      .rule = weft_json_at(rules, i), .number = (guint)i };
		const WeftJson *before = weft_json_member(agreeing.rule, "before");

		if (before)
			visit_all(answer, weft_json_string(weft_json_at(before, 0), NULL), NULL,
				  check_order, &agreeing);
		else
			visit_all(answer,
				  weft_json_string(weft_json_member(agreeing.rule, "equals"), NULL),
				  NULL, check_sum, &agreeing);
	}
}
