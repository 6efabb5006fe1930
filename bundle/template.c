#include <string.h>

#include "bundle/template.h"

/* How a family writes a turn: before the role's name, after it, and at the turn's end. */
typedef struct Family {
	const char *name;
	const char *header_start, *header_end, *turn_end; /* added tokens */
	const char *begin; /* BOS when the configuration has none */
	const char *ends[4]; /* tokens that end an answer, where they exist */
} Family;

static const Family FAMILIES[] = {
	{"llama4", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|begin_of_text|>",
	 {"<|end_of_text|>", "<|eom|>", "<|eot|>", NULL}},
	{"llama3", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>",
	 {"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>", NULL}},
};

static const char *const ROLES[] = {"system", "user", "assistant"};

struct WeftTemplate {
	const char *family;
	gint32 bos_id; /* -1: none */
	GArray *open[G_N_ELEMENTS(ROLES)]; /* gint32 */
	GArray *close;
	GArray *ends;
};

static void add_id(GArray *ids, gint32 id)
{
	g_array_append_val(ids, id);
}

static void add_text(const WeftTokenizer *tokenizer, const char *text, GArray *ids)
{
	weft_tokenizer_encode(tokenizer, text, strlen(text), FALSE, ids);
}

static void add_end(WeftTemplate *template, gint32 id)
{
	if (id >= 0 && !weft_template_is_end(template, id))
		add_id(template->ends, id);
}

static const Family *find_family(const WeftTokenizer *tokenizer)
{
	for (gsize i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
		if (weft_tokenizer_id(tokenizer, FAMILIES[i].header_start) >= 0 &&
		    weft_tokenizer_id(tokenizer, FAMILIES[i].header_end) >= 0 &&
		    weft_tokenizer_id(tokenizer, FAMILIES[i].turn_end) >= 0)
			return &FAMILIES[i];
	}
	return NULL;
}

static void use_family(WeftTemplate *template, const WeftTokenizer *tokenizer,
		       const Family *family)
{
	template->family = family->name;
	if (template->bos_id < 0)
		template->bos_id = weft_tokenizer_id(tokenizer, family->begin);
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++) {
		add_id(template->open[i], weft_tokenizer_id(tokenizer, family->header_start));
		add_text(tokenizer, ROLES[i], template->open[i]);
		add_id(template->open[i], weft_tokenizer_id(tokenizer, family->header_end));
		add_text(tokenizer, "\n\n", template->open[i]);
	}
	add_id(template->close, weft_tokenizer_id(tokenizer, family->turn_end));
	for (gsize i = 0; family->ends[i]; i++)
		add_end(template, weft_tokenizer_id(tokenizer, family->ends[i]));
}

static void use_plain(WeftTemplate *template, const WeftTokenizer *tokenizer)
{
	template->family = "plain";
	add_text(tokenizer, "Answer:\n", template->open[WEFT_TURN_ASSISTANT]);
	add_text(tokenizer, "\n\n", template->close);
}

WeftTemplate *weft_template_new(const WeftTokenizer *tokenizer, gint32 bos_id,
				const GArray *eos_ids)
{
	WeftTemplate *template = g_new0(WeftTemplate, 1);
	const Family *family = find_family(tokenizer);

	template->bos_id = bos_id;
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++)
		template->open[i] = g_array_new(FALSE, FALSE, sizeof(gint32));
	template->close = g_array_new(FALSE, FALSE, sizeof(gint32));
	template->ends = g_array_new(FALSE, FALSE, sizeof(gint32));
	for (guint i = 0; eos_ids && i < eos_ids->len; i++)
		add_end(template, g_array_index(eos_ids, gint32, i));
	if (family)
		use_family(template, tokenizer, family);
	else
		use_plain(template, tokenizer);
	return template;
}

void weft_template_free(WeftTemplate *template)
{
	if (!template)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(ROLES); i++)
		g_array_unref(template->open[i]);
	g_array_unref(template->close);
	g_array_unref(template->ends);
	g_free(template);
}

const char *weft_template_family(const WeftTemplate *template)
{
	return template->family;
}

void weft_template_begin(const WeftTemplate *template, GArray *ids)
{
	if (template->bos_id >= 0)
		add_id(ids, template->bos_id);
}

void weft_template_open_turn(const WeftTemplate *template, WeftTurn turn, GArray *ids)
{
	const GArray *open = template->open[turn];
	g_array_append_vals(ids, open->data, open->len);
}

void weft_template_close_turn(const WeftTemplate *template, GArray *ids)
{
	g_array_append_vals(ids, template->close->data, template->close->len);
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
