#include "schema/nfa.h"

/* Nodes with empty steps between them (Thompson), built from the end to the beginning. */
#define STEPS_MAX 65536u

typedef enum { STEP_READ, STEP_SPLIT, STEP_ASSERT, STEP_ACCEPT } StepKind;

typedef struct Step {
	StepKind kind;
	guint32 value;          /* READ: the set; ASSERT: the WeftPatternKind */
	guint32 next, other;    /* SPLIT: both */
} Step;

/* What stood before a state, and what an assertion lets follow. ODD characters belong to words in
 * Unicode, but not in ASCII. */
enum { PLAIN = 1, WORD = 2, ODD = 4, END = 8, ALL = 15 };
enum { BEFORE_NOTHING, BEFORE_PLAIN, BEFORE_WORD, BEFORE_ODD, N_BEFORE };

typedef struct Builder {
	const WeftPattern *pattern;
	guint32 root;
	gboolean is_loose;
	WeftFuel *fuel;
	GArray *steps;          /* of Step */
	guint32 tail;           /* the SPLIT of the loop behind the match */
	WeftNfa *nfa;
	guint32 *ids;           /* [n_steps * N_BEFORE]: state of (step, before) + 1 */
	GArray *origins;        /* guint32 of each state: step * N_BEFORE + before */
	GArray *kinds[3];       /* the characters of PLAIN, WORD, ODD; with boundaries only */
	guint32 *cut_sets;      /* [n_sets * 3]: set cut to a kind + 1 */
	guint32 *seen;          /* [n_steps * (ALL + 1)]: stamps */
	guint32 stamp;
	GArray *stack;          /* guint32: step * (ALL + 1) + mask */
	GError **error;
} Builder;

static guint32 build(Builder *builder, guint32 node, guint32 next);

static guint32 add_step(Builder *builder, StepKind kind, guint32 value, guint32 next, guint32 other)
{
	Step step = {kind, value, next, other};
	g_array_append_val(builder->steps, step);
	return builder->steps->len - 1;
}

static gboolean is_full(const Builder *builder)
{
	return builder->steps->len > STEPS_MAX;
}

static guint32 build_repeat(Builder *builder, const WeftPatternNode *node, guint32 next)
{
	guint32 at = next, n_more;
	if (node->n_max == WEFT_PATTERN_UNLIMITED) {
		guint32 loop = add_step(builder, STEP_SPLIT, 0, 0, next);
		guint32 body = build(builder, node->child, loop);
		g_array_index(builder->steps, Step, loop).next = body;
		at = loop;
		n_more = 0;
	} else {
		n_more = node->n_max - node->n_min;
	}
	for (guint32 i = 0; i < n_more && !is_full(builder); i++) {
		guint32 body = build(builder, node->child, at);
		if (body == at)
			break; /* it is the empty text */
		at = add_step(builder, STEP_SPLIT, 0, body, next);
	}
	for (guint32 i = 0; i < node->n_min && !is_full(builder); i++) {
		guint32 body = build(builder, node->child, at);
		if (body == at)
			break;
		at = body;
	}
	return at;
}

static guint32 build_sequence(Builder *builder, const WeftPatternNode *node, guint32 next)
{
	g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(guint32));
	for (guint32 i = node->child; i != 0; i = weft_pattern_node(builder->pattern, i)->sibling)
		g_array_append_val(children, i);
	for (guint i = children->len; i-- > 0 && !is_full(builder);)
		next = build(builder, g_array_index(children, guint32, i), next);
	return next;
}

static guint32 build_choice(Builder *builder, const WeftPatternNode *node, guint32 next)
{
	guint32 at = 0;
	gboolean is_first = TRUE;
	for (guint32 i = node->child; i != 0 && !is_full(builder);
	     i = weft_pattern_node(builder->pattern, i)->sibling) {
		guint32 branch = build(builder, i, next);
		at = is_first ? branch : add_step(builder, STEP_SPLIT, 0, branch, at);
		is_first = FALSE;
	}
	return at;
}

/* The step where `node`, followed by `next`, begins. Depth: that of the pattern. */
static guint32 build(Builder *builder, guint32 node, guint32 next)
{
	const WeftPatternNode *this = weft_pattern_node(builder->pattern, node);
	if (is_full(builder))
		return next;
	switch (this->kind) {
	case WEFT_PATTERN_SEQUENCE:
		return build_sequence(builder, this, next);
	case WEFT_PATTERN_CHOICE:
		return build_choice(builder, this, next);
	case WEFT_PATTERN_SET:
		return add_step(builder, STEP_READ, this->set, next, 0);
	case WEFT_PATTERN_REPEAT:
		return build_repeat(builder, this, next);
	default:
		return add_step(builder, STEP_ASSERT, this->kind, next, 0);
	}
}

/* The kinds that may follow where `before` stood before a \b. */
static guint boundary_mask(const Builder *builder, guint before)
{
	static const guint sure[] = {WORD, WORD, PLAIN | END, 0};
	static const guint possible[] = {WORD | ODD, WORD | ODD, PLAIN | ODD | END,
					 PLAIN | WORD | END};
	return builder->is_loose ? possible[before] : sure[before];
}

static guint no_boundary_mask(const Builder *builder, guint before)
{
	/* Of the empty text, Python says that it has no \B. */
	static const guint sure[] = {PLAIN, PLAIN | END, WORD, ODD};
	static const guint possible[] = {PLAIN | ODD | END, PLAIN | ODD | END, WORD | ODD, ALL};
	return builder->is_loose ? possible[before] : sure[before];
}

static guint assert_mask(const Builder *builder, guint32 kind, guint before)
{
	switch (kind) {
	case WEFT_PATTERN_START:
		return before == BEFORE_NOTHING ? ALL : 0;
	case WEFT_PATTERN_END:
		return END;
	case WEFT_PATTERN_BOUNDARY:
		return boundary_mask(builder, before);
	default:
		return no_boundary_mask(builder, before);
	}
}

static guint32 state_of(Builder *builder, guint32 step, guint before)
{
	guint32 origin = step * N_BEFORE + before;
	if (builder->ids[origin] == 0) {
		g_array_append_val(builder->origins, origin);
		builder->ids[origin] = builder->origins->len;
	}
	return builder->ids[origin] - 1;
}

static void add_edge(Builder *builder, guint32 set, guint32 step, guint before)
{
	WeftNfaEdge edge = {set, state_of(builder, step, before)};
	g_array_append_val(builder->nfa->edges, edge);
}

/* Edges of one reading step; with boundaries one for each kind of character. */
static void add_edges(Builder *builder, const Step *step, guint mask)
{
	if (!builder->pattern->has_boundary) {
		if (mask & PLAIN)
			add_edge(builder, step->value, step->next, BEFORE_PLAIN);
		return;
	}
	for (guint kind = 0; kind < 3; kind++) {
		guint32 *cut = &builder->cut_sets[step->value * 3 + kind];
		if (!(mask >> kind & 1))
			continue;
		if (*cut == 0) {
			g_ptr_array_add(builder->nfa->sets,
					weft_charset_intersection(
						g_ptr_array_index(builder->nfa->sets, step->value),
						builder->kinds[kind]));
			*cut = builder->nfa->sets->len;
		}
		GArray *set = g_ptr_array_index(builder->nfa->sets, *cut - 1);
		if (set->len > 0)
			add_edge(builder, *cut - 1, step->next, BEFORE_PLAIN + kind);
	}
}

static void visit(Builder *builder, guint32 step, guint mask)
{
	guint32 place = step * (ALL + 1) + mask;
	if (mask == 0 || builder->seen[place] == builder->stamp)
		return;
	builder->seen[place] = builder->stamp;
	g_array_append_val(builder->stack, place);
}

/* All that can be read, and whether the end can be reached, by empty steps from a state. */
static gboolean close_state(Builder *builder, guint32 state)
{
	guint32 origin = g_array_index(builder->origins, guint32, state);
	guint before = origin % N_BEFORE;
	guint8 accepts = 0, is_any = 0;
	builder->stamp++;
	visit(builder, origin / N_BEFORE, ALL);
	while (builder->stack->len > 0) {
		guint32 place = g_array_index(builder->stack, guint32, builder->stack->len - 1);
		guint mask = place % (ALL + 1);
		const Step *step = &g_array_index(builder->steps, Step, place / (ALL + 1));
		g_array_set_size(builder->stack, builder->stack->len - 1);
		/* An edge stays in memory. */
		if (!weft_fuel_spend(builder->fuel, step->kind == STEP_READ ? 8 : 1, builder->error))
			return FALSE;
		if (place / (ALL + 1) == builder->tail && mask == ALL)
			is_any = 1;
		switch (step->kind) {
		case STEP_READ:
			add_edges(builder, step, mask);
			break;
		case STEP_SPLIT:
			visit(builder, step->next, mask);
			visit(builder, step->other, mask);
			break;
		case STEP_ASSERT:
			visit(builder, step->next, mask & assert_mask(builder, step->value, before));
			break;
		case STEP_ACCEPT:
			accepts |= (mask & END) != 0;
			break;
		}
	}
	g_byte_array_append(builder->nfa->accepts, &accepts, 1);
	g_byte_array_append(builder->nfa->is_any, &is_any, 1);
	g_array_append_val(builder->nfa->firsts, builder->nfa->edges->len);
	return TRUE;
}

/* The kinds of characters that \b distinguishes. */
static void split_kinds(Builder *builder, WeftCharacters *characters)
{
	g_autoptr(GArray) possible = weft_charset_escape(characters, 'w', TRUE);
	GArray *word = weft_charset_escape(characters, 'w', FALSE);
	g_autoptr(GArray) no_word = weft_charset_complement(word);
	builder->kinds[0] = weft_charset_complement(possible);
	builder->kinds[1] = word;
	builder->kinds[2] = weft_charset_intersection(possible, no_word);
	builder->cut_sets = g_new0(guint32, (builder->pattern->sets->len + 1) * 3);
}

/* The steps of: anything, the pattern, anything. Returns where they begin. */
static guint32 build_search(Builder *builder)
{
	guint32 any = builder->pattern->sets->len, accept, body, head;
	g_autoptr(GArray) nothing = weft_charset_new();
	g_ptr_array_add(builder->nfa->sets, weft_charset_complement(nothing));
	accept = add_step(builder, STEP_ACCEPT, 0, 0, 0);
	builder->tail = add_step(builder, STEP_SPLIT, 0, 0, accept);
	body = add_step(builder, STEP_READ, any, builder->tail, 0);
	g_array_index(builder->steps, Step, builder->tail).next = body;
	body = build(builder, builder->root, builder->tail);
	head = add_step(builder, STEP_SPLIT, 0, body, 0);
	guint32 skip = add_step(builder, STEP_READ, any, head, 0);
	g_array_index(builder->steps, Step, head).other = skip;
	return head;
}

static gboolean build_states(Builder *builder, guint32 head)
{
	guint32 zero = 0;
	g_array_append_val(builder->nfa->firsts, zero);
	state_of(builder, head, BEFORE_NOTHING);
	for (guint32 state = 0; state < builder->origins->len; state++)
		if (!close_state(builder, state))
			return FALSE;
	builder->nfa->n_states = builder->origins->len;
	return TRUE;
}

static gboolean build_nfa(Builder *builder, WeftCharacters *characters)
{
	guint32 head = build_search(builder);
	if (is_full(builder)) {
		g_set_error(builder->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "repetitions make more than %u places; use minLength and maxLength for "
			    "long ones",
			    STEPS_MAX);
		return FALSE;
	}
	builder->ids = g_new0(guint32, (gsize)builder->steps->len * N_BEFORE);
	builder->seen = g_new0(guint32, (gsize)builder->steps->len * (ALL + 1));
	if (builder->pattern->has_boundary)
		split_kinds(builder, characters);
	return build_states(builder, head);
}

WeftNfa *weft_nfa_new(const WeftPattern *pattern, guint32 root, gboolean is_loose,
		      WeftCharacters *characters, WeftFuel *fuel, GError **error)
{
	g_autoptr(WeftNfa) nfa = g_new0(WeftNfa, 1);
	Builder builder = {.pattern = pattern,
			   .root = root,
			   .is_loose = is_loose,
			   .fuel = fuel,
			   .nfa = nfa,
			   .error = error};
	nfa->sets = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	for (guint i = 0; i < pattern->sets->len; i++)
		g_ptr_array_add(nfa->sets, g_array_ref(g_ptr_array_index(pattern->sets, i)));
	nfa->edges = g_array_new(FALSE, FALSE, sizeof(WeftNfaEdge));
	nfa->firsts = g_array_new(FALSE, FALSE, sizeof(guint32));
	nfa->accepts = g_byte_array_new();
	nfa->is_any = g_byte_array_new();
	builder.steps = g_array_new(FALSE, FALSE, sizeof(Step));
	builder.origins = g_array_new(FALSE, FALSE, sizeof(guint32));
	builder.stack = g_array_new(FALSE, FALSE, sizeof(guint32));
	gboolean is_built = build_nfa(&builder, characters);
	g_array_unref(builder.steps);
	g_array_unref(builder.origins);
	g_array_unref(builder.stack);
	for (guint i = 0; i < G_N_ELEMENTS(builder.kinds); i++)
		g_clear_pointer(&builder.kinds[i], g_array_unref);
	g_free(builder.ids);
	g_free(builder.cut_sets);
	g_free(builder.seen);
	return is_built ? g_steal_pointer(&nfa) : NULL;
}

void weft_nfa_free(WeftNfa *nfa)
{
	if (!nfa)
		return;
	g_clear_pointer(&nfa->sets, g_ptr_array_unref);
	g_clear_pointer(&nfa->edges, g_array_unref);
	g_clear_pointer(&nfa->firsts, g_array_unref);
	g_clear_pointer(&nfa->accepts, g_byte_array_unref);
	g_clear_pointer(&nfa->is_any, g_byte_array_unref);
	g_free(nfa);
}
