#include <string.h>

#include "bundle/template.h"

/* Between BOS and the date, as the templates of Llama 3.1 and later write it; both dates are
 * constants there (3.2 takes the day's where it can, which a record must not depend on). */
#define DATED_MARK "Cutting Knowledge Date: "
#define DATED_KNOWN "Cutting Knowledge Date: December 2023\nToday Date: "
#define DATE_MARK "date_string = \""
#define DATE_BYTES_MAX 32
#define DATE_DEFAULT "26 Jul 2024"

#define INST_OPEN "[INST]"
#define INST_CLOSE "[/INST]"

/* How a family is known, and what ends its answers. */
typedef struct Family {
	const char *name;
	const char *header_start, *header_end, *turn_end; /* added tokens; NULL: [INST] turns */
	const char *begin; /* BOS when the configuration has none */
	const char *ends[4]; /* tokens that end an answer, where they exist */
} Family;

static const Family FAMILIES[] = {
	{"llama4", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|begin_of_text|>",
	 {"<|end_of_text|>", "<|eom|>", "<|eot|>", NULL}},
	{"llama3", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>",
	 {"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>", NULL}},
	{"mixtral", NULL, NULL, NULL, "<s>", {"</s>", NULL}},
};

/* Turns of Llama 2 and of later Mistral models, which are written otherwise. */
static const char *const OTHER_MARKS[] = {"<<SYS>>", "[SYSTEM_PROMPT]"};

static const char *const ROLES[] = {"system", "user", "assistant"};

struct WeftTemplate {
	const WeftTokenizer *tokenizer;
	const char *family;
	char *reason;  /* NULL: the bundle's template is followed, or there is none */
	gint32 bos_id; /* -1: none */
	GArray *open[G_N_ELEMENTS(ROLES)]; /* gint32 */
	GArray *open_alone;                /* of a user turn without a system turn before it */
	GArray *close[G_N_ELEMENTS(ROLES)];
	gboolean has_blank; /* before the content of a turn that comes first */
	GArray *ends;
};

static GArray *new_ids(void)
{
	return g_array_new(FALSE, FALSE, sizeof(gint32));
}

static void add_id(GArray *ids, gint32 id)
{
	g_array_append_val(ids, id);
}

static void add_end(WeftTemplate *template, gint32 id)
{
	if (id >= 0 && !weft_template_is_end(template, id))
		add_id(template->ends, id);
}

/* ---- which family ---- */

static gboolean has_tokens(const WeftTokenizer *tokenizer, const Family *family)
{
	return family->header_start && weft_tokenizer_id(tokenizer, family->header_start) >= 0 &&
	       weft_tokenizer_id(tokenizer, family->header_end) >= 0 &&
	       weft_tokenizer_id(tokenizer, family->turn_end) >= 0;
}

static gboolean has_marks(const char *text, const Family *family)
{
	if (family->header_start)
		return strstr(text, family->header_start) && strstr(text, family->header_end) &&
		       strstr(text, family->turn_end);
	for (gsize i = 0; i < G_N_ELEMENTS(OTHER_MARKS); i++) {
		if (strstr(text, OTHER_MARKS[i]))
			return FALSE;
	}
	return strstr(text, INST_OPEN) && strstr(text, INST_CLOSE);
}

static const Family *find_family(const WeftTokenizer *tokenizer, const WeftChat *chat,
				 char **ret_reason)
{
	const char *text = chat ? chat->text : NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
		const Family *family = &FAMILIES[i];
		if (text ? !has_marks(text, family) : !has_tokens(tokenizer, family))
			continue;
		if (!family->header_start || has_tokens(tokenizer, family))
			return family;
		*ret_reason = g_strdup_printf("%s is %s's, but the tokenizer has no %s: a plain "
					      "prompt is used",
					      chat->source, family->name, family->header_start);
		return NULL;
	}
	if (text)
		*ret_reason = g_strdup_printf("%s is none of llama4, llama3, mixtral: a plain "
					      "prompt is used",
					      chat->source);
	return NULL;
}

/* ---- its turns ---- */

/* The block with the dates; NULL when the bundle's template has none. */
static char *dated_block(const WeftChat *chat)
{
	if (!chat || !chat->text || !strstr(chat->text, DATED_MARK))
		return NULL;
	const char *date = strstr(chat->text, DATE_MARK);
	date = date ? date + strlen(DATE_MARK) : DATE_DEFAULT;
	gsize n = strcspn(date, "\"\\\n<");
	if (n > DATE_BYTES_MAX) {
		date = DATE_DEFAULT;
		n = strlen(date);
	}
	return g_strdup_printf(DATED_KNOWN "%.*s\n\n", (int)n, date);
}

/* A text of special tokens and words, as it comes behind another special token. */
static void add_rendered(const WeftTokenizer *tokenizer, const char *text, GArray *ids)
{
	weft_tokenizer_encode(tokenizer, text, strlen(text), TRUE, ids);
}

static void use_headers(WeftTemplate *template, const Family *family, const WeftChat *chat)
{
	const WeftTokenizer *tokenizer = template->tokenizer;
	g_autofree char *block = dated_block(chat);

	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++) {
		g_autofree char *header =
			g_strconcat(family->header_start, ROLES[i], family->header_end, "\n\n",
				    i == WEFT_TURN_SYSTEM ? block : NULL, NULL);
		add_rendered(tokenizer, header, template->open[i]);
		add_id(template->close[i], weft_tokenizer_id(tokenizer, family->turn_end));
	}
	if (block) {
		const GArray *system = template->open[WEFT_TURN_SYSTEM];
		g_array_append_vals(template->open_alone, system->data, system->len);
		add_id(template->open_alone, weft_tokenizer_id(tokenizer, family->turn_end));
	}
	const GArray *user = template->open[WEFT_TURN_USER];
	g_array_append_vals(template->open_alone, user->data, user->len);
}

/* TRUE when the first `mark` of the template has a blank before it (or behind it). */
static gboolean has_blank(const char *text, const char *mark, gboolean behind)
{
	const char *at = strstr(text, mark);
	return at && (behind ? at[strlen(mark)] == ' ' : at > text && at[-1] == ' ');
}

/* BOS and the opening are encoded together, so that the tokenizer's own rule for text behind a
 * special token decides on the blank. */
static void use_inst(WeftTemplate *template, const Family *family, const WeftChat *chat)
{
	const WeftTokenizer *tokenizer = template->tokenizer;
	g_autoptr(GArray) ids = new_ids();
	gint32 begin = weft_tokenizer_id(tokenizer, family->begin);
	g_autofree char *open =
		g_strconcat(begin >= 0 ? family->begin : "",
			    has_blank(chat->text, INST_OPEN, FALSE) ? " " : "", INST_OPEN, NULL);

	add_rendered(tokenizer, open, ids);
	guint n_begin = begin >= 0 ? 1 : 0;
	g_array_append_vals(template->open[WEFT_TURN_SYSTEM],
			    &g_array_index(ids, gint32, n_begin), ids->len - n_begin);
	g_array_append_vals(template->open_alone, &g_array_index(ids, gint32, n_begin),
			    ids->len - n_begin);
	template->has_blank = has_blank(chat->text, INST_OPEN, TRUE);
	weft_tokenizer_continue(tokenizer, "\n\n", 2, FALSE, template->close[WEFT_TURN_SYSTEM]);
	const char *close = has_blank(chat->text, INST_CLOSE, FALSE) ? " " INST_CLOSE : INST_CLOSE;
	weft_tokenizer_continue(tokenizer, close, strlen(close), TRUE,
				template->close[WEFT_TURN_USER]);
	gint32 end = weft_tokenizer_id(tokenizer, family->ends[0]);
	if (end >= 0)
		add_id(template->close[WEFT_TURN_ASSISTANT], end);
}

static void use_plain(WeftTemplate *template)
{
	static const char answer[] = "Answer:\n";
	weft_tokenizer_continue(template->tokenizer, answer, strlen(answer), FALSE,
				template->open[WEFT_TURN_ASSISTANT]);
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++)
		weft_tokenizer_continue(template->tokenizer, "\n\n", 2, FALSE, template->close[i]);
}

static void use_family(WeftTemplate *template, const Family *family, const WeftChat *chat)
{
	if (template->bos_id < 0)
		template->bos_id = weft_tokenizer_id(template->tokenizer, family->begin);
	if (family->header_start)
		use_headers(template, family, chat);
	else
		use_inst(template, family, chat);
	for (gsize i = 0; family->ends[i]; i++)
		add_end(template, weft_tokenizer_id(template->tokenizer, family->ends[i]));
}

WeftTemplate *weft_template_new(const WeftTokenizer *tokenizer, gint32 bos_id,
				const GArray *eos_ids, const WeftChat *chat)
{
	WeftTemplate *template = g_new0(WeftTemplate, 1);
	const Family *family = find_family(tokenizer, chat, &template->reason);

	template->tokenizer = tokenizer;
	template->family = family ? family->name : "plain";
	template->bos_id = bos_id;
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++) {
		template->open[i] = new_ids();
		template->close[i] = new_ids();
	}
	template->open_alone = new_ids();
	template->ends = new_ids();
	for (guint i = 0; eos_ids && i < eos_ids->len; i++)
		add_end(template, g_array_index(eos_ids, gint32, i));
	if (family)
		use_family(template, family, chat);
	else
		use_plain(template);
	return template;
}

void weft_template_free(WeftTemplate *template)
{
	if (!template)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++) {
		g_array_unref(template->open[i]);
		g_array_unref(template->close[i]);
	}
	g_array_unref(template->open_alone);
	g_array_unref(template->ends);
	g_free(template->reason);
	g_free(template);
}

const char *weft_template_family(const WeftTemplate *template)
{
	return template->family;
}

const char *weft_template_reason(const WeftTemplate *template)
{
	return template->reason;
}

void weft_template_begin(const WeftTemplate *template, GArray *ids)
{
	if (template->bos_id >= 0)
		add_id(ids, template->bos_id);
}

void weft_template_open_turn(const WeftTemplate *template, WeftTurn turn, gboolean is_first,
			     const char *content, gsize size_bytes, GArray *ids)
{
	const GArray *open = turn == WEFT_TURN_USER && is_first ? template->open_alone :
								  template->open[turn];
	g_array_append_vals(ids, open->data, open->len);
	if (!template->has_blank || !is_first) {
		weft_tokenizer_continue(template->tokenizer, content, size_bytes, FALSE, ids);
		return;
	}
	g_autoptr(GString) text = g_string_sized_new(size_bytes + 2);
	g_string_append_c(text, ' ');
	g_string_append_len(text, content, (gssize)size_bytes);
	weft_tokenizer_continue(template->tokenizer, text->str, text->len, FALSE, ids);
}

void weft_template_close_turn(const WeftTemplate *template, WeftTurn turn, GArray *ids)
{
	const GArray *close = template->close[turn];
	g_array_append_vals(ids, close->data, close->len);
}

gboolean weft_template_is_end(const WeftTemplate *template, gint32 id)
{
	for (guint i = 0; i < template->ends->len; i++) {
		if (g_array_index(template->ends, gint32, i) == id)
			return TRUE;
	}
	return FALSE;
}

const gint32 *weft_template_end_ids(const WeftTemplate *template, gsize *ret_n_ids)
{
	*ret_n_ids = template->ends->len;
	return (const gint32 *)(gconstpointer)template->ends->data;
}
