#include "ingest/cue_text.h"

#include <math.h>
#include <string.h>

#include "ingest/decoder.h"

#define TAG_MAX_BYTES 512u
#define SPEAKER_MAX_BYTES 200u
#define ASS_FIELDS 8u /* before the text */

typedef struct Cue {
	GQueue *out;
	WeftAnchor at;
	GString *text;
	guint32 n_chars;
	char *speaker;
	GArray *begins; /* of WeftWord: char_first and at.time[0] */
} Cue;

double weft_cue_time(const char *text, const char **ret_end)
{
	guint64 fields[3];
	guint n = 0;
	const char *at = text;
	char *end;
	double fraction = 0, unit = 0.1;
	for (;;) {
		if (n == 3 || !g_ascii_isdigit(*at))
			return -1;
		fields[n++] = g_ascii_strtoull(at, &end, 10);
		at = end;
		if (fields[n - 1] > 100000)
			return -1;
		if (*at != ':')
			break;
		at++;
	}
	if (n < 2)
		return -1;
	if (*at == '.' || *at == ',')
		for (at++; g_ascii_isdigit(*at); at++, unit /= 10)
			fraction += unit * (*at - '0');
	guint64 seconds = 0;
	for (guint i = 0; i < n; i++)
		seconds = seconds * 60 + fields[i];
	*ret_end = at;
	return (double)seconds + round(fraction * 1e6) / 1e6;
}

/* Each stretch of words lasts until the next one begins. */
static void add_words(const Cue *cue, WeftContent *content)
{
	for (guint i = 0; i < MIN(cue->begins->len, WEFT_PART_WORDS_MAX); i++) {
		WeftWord word = g_array_index(cue->begins, WeftWord, i);
		gboolean is_last = i + 1 == cue->begins->len;
		const WeftWord *next = is_last ? NULL : &g_array_index(cue->begins, WeftWord, i + 1);
		word.char_end = MIN(is_last ? cue->n_chars : next->char_first, cue->n_chars);
		word.at.time[1] = MAX(word.at.time[0], is_last ? cue->at.time[1] : next->at.time[0]);
		while (word.char_first < word.char_end &&
		       *g_utf8_offset_to_pointer(cue->text->str, word.char_first) == ' ')
			word.char_first++;
		while (word.char_end > word.char_first &&
		       *g_utf8_offset_to_pointer(cue->text->str, word.char_end - 1) == ' ')
			word.char_end--;
		if (word.char_end > word.char_first)
			weft_content_add_word(content, word);
	}
}

/* What was said so far, by one voice. */
static void flush(Cue *cue)
{
	if (cue->text->len > 0 && cue->text->str[cue->text->len - 1] == ' ') {
		g_string_truncate(cue->text, cue->text->len - 1);
		cue->n_chars--;
	}
	if (cue->text->len > 0) {
		WeftContent *content = weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE,
		                                        g_strdup(cue->text->str), cue->at);
		content->speaker = cue->speaker && *cue->speaker ? g_strdup(cue->speaker) : NULL;
		if (cue->begins->len > 1 || (cue->begins->len == 1 &&
		                             g_array_index(cue->begins, WeftWord, 0).char_first > 0))
			add_words(cue, content);
		g_queue_push_tail(cue->out, content);
	}
	g_string_truncate(cue->text, 0);
	g_array_set_size(cue->begins, 0);
	cue->n_chars = 0;
}

static void add_char(Cue *cue, gunichar c)
{
	gboolean is_space = g_unichar_isspace(c);
	if (cue->text->len > WEFT_PART_TEXT_MAX_BYTES - 8)
		flush(cue); /* what does not fit into one content goes into the next */
	if (is_space && (cue->text->len == 0 || cue->text->str[cue->text->len - 1] == ' '))
		return;
	g_string_append_unichar(cue->text, is_space ? ' ' : c);
	cue->n_chars++;
}

static void take_tag(Cue *cue, const char *tag)
{
	const char *end;
	double time_s = weft_cue_time(tag, &end);
	if (time_s >= cue->at.time[0] && time_s <= cue->at.time[1]) {
		WeftWord word = {.char_first = cue->n_chars, .at = cue->at, .confidence = -1};
		/* What stands before the first of them begins with the caption. */
		if (cue->begins->len == 0 && cue->n_chars > 0) {
			WeftWord first = {.at = cue->at, .confidence = -1};
			g_array_append_val(cue->begins, first);
		}
		word.at.time[0] = time_s;
		g_array_append_val(cue->begins, word);
	} else if (tag[0] == 'v' && (tag[1] == ' ' || tag[1] == '.' || tag[1] == '\t')) {
		const char *name = strpbrk(tag, " \t");
		flush(cue);
		g_free(cue->speaker);
		cue->speaker = name ? g_strndup(name, SPEAKER_MAX_BYTES) : NULL;
		if (cue->speaker) {
			char *valid = g_utf8_make_valid(cue->speaker, -1); /* it may have been cut */
			g_free(cue->speaker);
			cue->speaker = g_strstrip(valid);
		}
	}
}

/* The character that a reference at `*at` ("&amp;") means, and *at behind it; 0: it is none. */
static gunichar take_reference(const char **at)
{
	static const struct {
		const char *name;
		gunichar c;
	} NAMES[] = {
	    {"&amp;", '&'},  {"&lt;", '<'},      {"&gt;", '>'},      {"&quot;", '"'},
	    {"&#39;", '\''}, {"&nbsp;", 0x00a0}, {"&lrm;", 0x200e},  {"&rlm;", 0x200f},
	};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		if (g_str_has_prefix(*at, NAMES[i].name)) {
			*at += strlen(NAMES[i].name);
			return NAMES[i].c;
		}
	}
	return 0;
}

/* The end of a tag that begins at `at`, or NULL: it is a plain '<' or '{'. */
static const char *tag_end(const char *at)
{
	gboolean may_be = *at == '<' ? g_ascii_isalnum(at[1]) || at[1] == '/' || at[1] == '>'
	                             : *at == '{' && at[1] == '\\';
	/* No farther: a text that is all '<' would be looked through to its end at each of them. */
	return may_be ? memchr(at, *at == '<' ? '>' : '}', strnlen(at, TAG_MAX_BYTES)) : NULL;
}

static void parse(Cue *cue, const char *text)
{
	const char *at = text;
	while (*at) {
		const char *end = tag_end(at);
		gunichar c = *at == '&' ? take_reference(&at) : 0;
		if (c) {
			add_char(cue, c);
		} else if (end) {
			g_autofree char *tag = g_strndup(at + 1, (gsize)(end - at - 1));
			if (*at == '<')
				take_tag(cue, tag);
			at = end + 1;
		} else if (at[0] == '\\' && (at[1] == 'N' || at[1] == 'n' || at[1] == 'h')) {
			add_char(cue, ' '); /* line ends and hard spaces of ASS */
			at += 2;
		} else {
			add_char(cue, g_utf8_get_char(at));
			at = g_utf8_next_char(at);
		}
	}
	flush(cue);
}

static void add_spoken(GQueue *out, const char *text, const char *speaker, WeftAnchor at)
{
	Cue cue = {.out = out, .at = at, .speaker = g_strdup(speaker)};
	cue.text = g_string_new(NULL);
	cue.begins = g_array_new(FALSE, FALSE, sizeof(WeftWord));
	parse(&cue, text);
	g_string_free(cue.text, TRUE);
	g_array_unref(cue.begins);
	g_free(cue.speaker);
}

void weft_cue_text_add(GQueue *out, const char *text, WeftAnchor at)
{
	add_spoken(out, text, NULL, at);
}

void weft_cue_text_add_ass(GQueue *out, const char *event, WeftAnchor at)
{
	const char *field = event, *name = NULL;
	gsize name_size = 0;
	for (guint i = 0; i < ASS_FIELDS; i++) {
		const char *comma = strchr(field, ',');
		if (!comma)
			return;
		if (i == 3) {
			name = field;
			name_size = MIN((gsize)(comma - field), SPEAKER_MAX_BYTES);
		}
		field = comma + 1;
	}
	g_autofree char *cut = g_strndup(name, name_size);
	g_autofree char *speaker = g_utf8_make_valid(cut, -1);
	g_autofree char *valid = g_utf8_make_valid(field, -1);
	add_spoken(out, valid, g_strstrip(speaker), at);
}
