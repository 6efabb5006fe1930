#include "schema/pattern.h"

#include <string.h>

#include "base/error.h"
#include "schema/lexeme.h"
#include "schema/pattern_private.h"

static gboolean read_choice(Reader *reader, guint32 *ret_node);

static guint32 add_node(WeftPattern *pattern, WeftPatternKind kind)
{
	WeftPatternNode node = {.kind = kind};
	g_array_append_val(pattern->nodes, node);
	return pattern->nodes->len - 1;
}

static WeftPatternNode *node_at(WeftPattern *pattern, guint32 i)
{
	return &g_array_index(pattern->nodes, WeftPatternNode, i);
}

static guint32 add_set(Reader *reader, GArray *set)
{
	GBytes *bytes = g_bytes_new(set->data, set->len * sizeof(WeftRange));
	guint id = GPOINTER_TO_UINT(g_hash_table_lookup(reader->set_ids, bytes));
	if (id == 0) {
		g_ptr_array_add(reader->pattern->sets, g_array_ref(set));
		id = reader->pattern->sets->len;
		g_hash_table_insert(reader->set_ids, bytes, GUINT_TO_POINTER(id));
	} else {
		g_bytes_unref(bytes);
	}
	guint32 node = add_node(reader->pattern, WEFT_PATTERN_SET);
	node_at(reader->pattern, node)->set = id - 1;
	return node;
}

static guint32 add_character(Reader *reader, guint32 character)
{
	g_autoptr(GArray) set = weft_charset_new();
	weft_charset_add(set, character, character);
	return add_set(reader, set);
}

static gboolean read_escape(Reader *reader, guint32 *ret_node)
{
	g_autoptr(GArray) set = NULL;
	guint32 character = 0;
	if (reader->p[1] == 'b' || reader->p[1] == 'B') {
		*ret_node = add_node(reader->pattern, reader->p[1] == 'b' ? WEFT_PATTERN_BOUNDARY
								    : WEFT_PATTERN_NO_BOUNDARY);
		reader->pattern->has_boundary = TRUE;
		reader->p += 2;
		return TRUE;
	}
	reader->p++;
	if (!weft_pattern_read_escape(reader, reader->is_loose, &character, &set))
		return FALSE;
	*ret_node = set ? add_set(reader, set) : add_character(reader, character);
	return TRUE;
}

/* Behind "(?<": the name of a group. */
static gboolean read_group_name(Reader *reader, const char *at)
{
	const char *p = reader->p;
	while (g_ascii_isalnum(*p) || *p == '_' || *p == '$')
		p++;
	if (*p != '>' || p == reader->p || g_ascii_isdigit(*reader->p))
		return weft_pattern_refuse(reader, at, "the name of the group is not a name of letters, "
						       "digits, _ and $ in < and >");
	reader->p = p + 1;
	return TRUE;
}

/* Behind "(": what kind of group it is. */
static gboolean read_group_head(Reader *reader, const char *at)
{
	if (*reader->p != '?')
		return TRUE;
	if (reader->p[1] == ':') {
		reader->p += 2;
		return TRUE;
	}
	if (reader->p[1] == '=' || reader->p[1] == '!')
		return weft_pattern_refuse(
			reader, at, "look-ahead is supported only behind a leading ^; write a second "
				    "pattern beside this one under allOf (or under not), or list what "
				    "may stand there");
	if (reader->p[1] == '<' && (reader->p[2] == '=' || reader->p[2] == '!'))
		return weft_pattern_refuse(
			reader, at, "look-behind is not supported; write a second pattern beside this one "
				    "under allOf (or under not), or list what may stand there");
	if (reader->p[1] == '<') {
		reader->p += 2;
		return read_group_name(reader, at);
	}
	if (reader->p[1] == 'P')
		return weft_pattern_refuse(reader, at, "(?P is not ECMA-262; write (?<name>...)");
	return weft_pattern_refuse(reader, at,
				   "flags are not supported; write both letters, such as [aA]");
}

static gboolean read_group(Reader *reader, guint32 *ret_node)
{
	const char *at = reader->p++;
	if (!read_group_head(reader, at))
		return FALSE;
	if (++reader->depth > WEFT_PATTERN_DEPTH_MAX) {
		g_set_error(reader->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "groups lie deeper than %u in each other", WEFT_PATTERN_DEPTH_MAX);
		return FALSE;
	}
	if (!read_choice(reader, ret_node))
		return FALSE;
	reader->depth--;
	if (*reader->p != ')')
		return weft_pattern_refuse(reader, at, "the group is not closed");
	reader->p++;
	return TRUE;
}

/* Python's $ also stands in front of a line feed that ends the text. */
static guint32 add_end(Reader *reader)
{
	WeftPattern *pattern = reader->pattern;
	guint32 end = add_node(pattern, WEFT_PATTERN_END);
	if (!reader->is_loose)
		return end;
	guint32 feed = add_character(reader, '\n'), once = add_node(pattern, WEFT_PATTERN_REPEAT);
	guint32 both = add_node(pattern, WEFT_PATTERN_SEQUENCE);
	node_at(pattern, once)->n_max = 1;
	node_at(pattern, once)->child = feed;
	node_at(pattern, once)->sibling = end;
	node_at(pattern, both)->child = once;
	return both;
}

/* What stands between quantifiers. */
static gboolean read_atom(Reader *reader, guint32 *ret_node)
{
	g_autoptr(GArray) set = NULL;
	switch (*reader->p) {
	case '^':
		reader->p++;
		*ret_node = add_node(reader->pattern, WEFT_PATTERN_START);
		return TRUE;
	case '$':
		reader->p++;
		*ret_node = add_end(reader);
		return TRUE;
	case '(':
		return read_group(reader, ret_node);
	case '[':
		reader->p++;
		if (!weft_pattern_read_class(reader, &set))
			return FALSE;
		*ret_node = add_set(reader, set);
		return TRUE;
	case '.':
		reader->p++;
		set = weft_charset_escape(reader->characters, '.', reader->is_loose);
		*ret_node = add_set(reader, set);
		return TRUE;
	case '\\':
		return read_escape(reader, ret_node);
	case '*':
	case '+':
	case '?':
		return weft_pattern_refuse(reader, reader->p,
					   "nothing stands before the %c; write \\%c for the sign",
					   *reader->p, *reader->p);
	case '{':
		return weft_pattern_refuse(reader, reader->p, "nothing stands before the {; write \\{");
	default:
		*ret_node = add_character(reader, g_utf8_get_char(reader->p));
		reader->p = g_utf8_next_char(reader->p);
		return TRUE;
	}
}

/* Decimal digits; more than fit are as many as there can be. */
static gboolean read_count(const char **p, guint32 *ret_count)
{
	guint64 count = 0;
	if (!g_ascii_isdigit(**p))
		return FALSE;
	for (; g_ascii_isdigit(**p); (*p)++)
		count = MIN(count * 10 + (guint64)(**p - '0'), WEFT_PATTERN_UNLIMITED - 1);
	*ret_count = (guint32)count;
	return TRUE;
}

/* {n}, {n,}, {n,m}; *ret_is_there FALSE when `p` stands at no quantifier. */
static gboolean read_quantifier(Reader *reader, gboolean *ret_is_there, guint32 *ret_min,
				guint32 *ret_max)
{
	const char *p = reader->p + 1;
	*ret_is_there = TRUE;
	*ret_min = *reader->p == '+';
	*ret_max = *reader->p == '?' ? 1 : WEFT_PATTERN_UNLIMITED;
	if (*reader->p == '{') {
		if (!read_count(&p, ret_min))
			return weft_pattern_refuse(
				reader, reader->p,
				"a brace that is no repetition {n}, {n,} or {n,m} is read in "
				"different ways; write \\{ for the sign, {0,m} for at most m");
		*ret_max = *ret_min;
		if (*p == ',' && !read_count((p++, &p), ret_max))
			*ret_max = WEFT_PATTERN_UNLIMITED;
		if (*p != '}' || *ret_max < *ret_min)
			return weft_pattern_refuse(reader, reader->p, "not a repetition {n,m} with n <= m");
		p++;
	} else if (*reader->p == '\0' || !strchr("*+?", *reader->p)) {
		*ret_is_there = FALSE;
		return TRUE;
	}
	reader->p = p + (*p == '?' ? 1 : 0); /* a lazy one takes the same texts */
	return TRUE;
}

static gboolean read_term(Reader *reader, guint32 *ret_node)
{
	const char *at;
	guint32 atom, n_min, n_max;
	gboolean is_there;
	if (!read_atom(reader, &atom))
		return FALSE;
	*ret_node = atom;
	at = reader->p;
	if (!read_quantifier(reader, &is_there, &n_min, &n_max))
		return FALSE;
	if (!is_there)
		return TRUE;
	if (node_at(reader->pattern, atom)->kind >= WEFT_PATTERN_START)
		return weft_pattern_refuse(reader, at, "^, $, \\b and \\B can't be repeated");
	*ret_node = add_node(reader->pattern, WEFT_PATTERN_REPEAT);
	WeftPatternNode *repeat = node_at(reader->pattern, *ret_node);
	repeat->child = atom;
	repeat->n_min = n_min;
	repeat->n_max = n_max;
	return TRUE;
}

/* A list of children under a new node; one child alone is itself. */
static guint32 gather(WeftPattern *pattern, WeftPatternKind kind, const GArray *children)
{
	if (children->len == 1)
		return g_array_index(children, guint32, 0);
	guint32 node = add_node(pattern, kind);
	for (guint i = children->len; i-- > 0;) {
		guint32 child = g_array_index(children, guint32, i);
		node_at(pattern, child)->sibling = node_at(pattern, node)->child;
		node_at(pattern, node)->child = child;
	}
	return node;
}

/* (?=X) or (?!X) behind a leading ^ speaks of the whole text: it is another pattern, ^(?:X). */
static gboolean read_look(Reader *reader)
{
	WeftPattern *pattern = reader->pattern;
	g_autoptr(GArray) terms = g_array_new(FALSE, FALSE, sizeof(guint32));
	WeftPatternLook look = {.is_not = reader->p[2] == '!'};
	const char *at = reader->p;
	guint32 start = add_node(pattern, WEFT_PATTERN_START), body;
	reader->p += 3;
	reader->depth++;
	reader->is_loose ^= look.is_not;
	if (!read_choice(reader, &body))
		return FALSE;
	reader->is_loose ^= look.is_not;
	reader->depth--;
	if (*reader->p != ')')
		return weft_pattern_refuse(reader, at, "the group is not closed");
	reader->p++;
	g_array_append_val(terms, start);
	g_array_append_val(terms, body);
	look.root = gather(pattern, WEFT_PATTERN_SEQUENCE, terms);
	g_array_append_val(pattern->looks, look);
	return TRUE;
}

static gboolean is_at_look(const Reader *reader)
{
	return reader->is_at_start && reader->depth == 0 && reader->p[0] == '(' &&
	       reader->p[1] == '?' && (reader->p[2] == '=' || reader->p[2] == '!');
}

static gboolean read_sequence(Reader *reader, guint32 *ret_node)
{
	g_autoptr(GArray) terms = g_array_new(FALSE, FALSE, sizeof(guint32));
	while (*reader->p != '\0' && *reader->p != '|' && *reader->p != ')') {
		guint32 term;
		gboolean is_begin = reader->p == reader->text || reader->is_at_start;
		if (is_at_look(reader)) {
			if (!read_look(reader))
				return FALSE;
			continue;
		}
		if (reader->depth == 0)
			reader->is_at_start = is_begin && *reader->p == '^';
		if (!read_term(reader, &term))
			return FALSE;
		g_array_append_val(terms, term);
	}
	*ret_node = gather(reader->pattern, WEFT_PATTERN_SEQUENCE, terms);
	return TRUE;
}

static gboolean read_choice(Reader *reader, guint32 *ret_node)
{
	g_autoptr(GArray) choices = g_array_new(FALSE, FALSE, sizeof(guint32));
	guint32 sequence;
	if (!read_sequence(reader, &sequence))
		return FALSE;
	g_array_append_val(choices, sequence);
	while (*reader->p == '|') {
		if (reader->depth == 0 && reader->pattern->looks->len > 0)
			return weft_pattern_refuse(reader, reader->p,
						   "the look-ahead belongs to one alternative; write "
						   "parentheses around all of them");
		if (reader->depth == 0)
			reader->is_at_start = FALSE;
		reader->p++;
		if (!read_sequence(reader, &sequence))
			return FALSE;
		g_array_append_val(choices, sequence);
	}
	*ret_node = gather(reader->pattern, WEFT_PATTERN_CHOICE, choices);
	return TRUE;
}

WeftPattern *weft_pattern_new(const char *text, gboolean is_loose, WeftCharacters *characters,
			      GError **error)
{
	gsize size_bytes = strlen(text);
	if (size_bytes > WEFT_PATTERN_BYTES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%" G_GSIZE_FORMAT " bytes, limit %u",
			    size_bytes, WEFT_PATTERN_BYTES_MAX);
		return NULL;
	}
	if (!g_utf8_validate(text, -1, NULL)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "not UTF-8");
		return NULL;
	}
	g_autoptr(WeftPattern) pattern = g_new0(WeftPattern, 1);
	pattern->nodes = g_array_new(FALSE, TRUE, sizeof(WeftPatternNode));
	pattern->sets = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	pattern->looks = g_array_new(FALSE, FALSE, sizeof(WeftPatternLook));
	g_array_set_size(pattern->nodes, 1);
	g_autoptr(GHashTable) set_ids = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
							      (GDestroyNotify)g_bytes_unref, NULL);
	Reader reader = {.text = text,
			 .p = text,
			 .is_loose = is_loose,
			 .characters = characters,
			 .pattern = pattern,
			 .set_ids = set_ids,
			 .error = error};
	if (!read_choice(&reader, &pattern->root))
		return NULL;
	if (*reader.p != '\0') {
		weft_pattern_refuse(&reader, reader.p, "a ) without its (");
		return NULL;
	}
	return g_steal_pointer(&pattern);
}

void weft_pattern_free(WeftPattern *pattern)
{
	if (!pattern)
		return;
	g_clear_pointer(&pattern->nodes, g_array_unref);
	g_clear_pointer(&pattern->sets, g_ptr_array_unref);
	g_clear_pointer(&pattern->looks, g_array_unref);
	g_free(pattern);
}

guint32 weft_pattern_single_repeat(const WeftPattern *pattern)
{
	const WeftPatternNode *root = weft_pattern_node(pattern, pattern->root);
	if (root->kind != WEFT_PATTERN_SEQUENCE || root->child == 0 || pattern->looks->len > 0)
		return 0;
	const WeftPatternNode *start = weft_pattern_node(pattern, root->child);
	guint32 repeat = start->sibling;
	if (start->kind != WEFT_PATTERN_START || repeat == 0)
		return 0;
	const WeftPatternNode *middle = weft_pattern_node(pattern, repeat);
	if (middle->kind != WEFT_PATTERN_REPEAT || middle->sibling == 0 ||
	    weft_pattern_node(pattern, middle->child)->kind != WEFT_PATTERN_SET)
		return 0;
	const WeftPatternNode *end = weft_pattern_node(pattern, middle->sibling);
	return end->kind == WEFT_PATTERN_END && end->sibling == 0 ? repeat : 0;
}
