/* dfa.h - an automaton without choices over classes of characters; private to schema/.
 *
 * Whole: each state has a next one for each class. State 0 is the dead one, from which nothing is
 * accepted; every other one leads to acceptance. What the functions give is the smallest automaton
 * of its language, with states in the order in which they are reached and no two classes that do
 * the same everywhere. It doesn't change afterwards, and is counted (weft_dfa_ref).
 */
#ifndef WEFT_SCHEMA_DFA_H
#define WEFT_SCHEMA_DFA_H

#include "schema/nfa.h"

#define WEFT_DFA_STATES_MAX 10000u

/* From `first` to the next run's, or the end of Unicode. */
typedef struct WeftClassRun {
	guint32 first;
	guint32 class_id;
} WeftClassRun;

typedef struct WeftDfa {
	guint32 n_states, n_classes;
	guint32 start;
	guint32 *next;          /* [n_states * n_classes] */
	guint8 *accepts;        /* [n_states] */
	GArray *runs;           /* of WeftClassRun, from U+0001; neighbours differ in class */
} WeftDfa;

/* All texts of length_min to length_max characters (G_MAXUINT32: no end). */
WeftDfa *weft_dfa_of_length(guint32 length_min, guint32 length_max, WeftFuel *fuel, GError **error);

/* WEFT_ERROR_LIMIT when there are too many states, or too much work. */
WeftDfa *weft_dfa_of_nfa(const WeftNfa *nfa, WeftFuel *fuel, GError **error);
WeftDfa *weft_dfa_intersection(const WeftDfa *a, const WeftDfa *b, WeftFuel *fuel, GError **error);
WeftDfa *weft_dfa_complement(const WeftDfa *dfa, WeftFuel *fuel, GError **error);

WeftDfa *weft_dfa_ref(WeftDfa *dfa);
void weft_dfa_unref(WeftDfa *dfa);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftDfa, weft_dfa_unref)

/* For those who make one: the arrays are the caller's to fill; n_states at least 1. */
WeftDfa *weft_dfa_alloc(guint32 n_states, guint32 n_classes);

/* The smallest one with the same language. */
WeftDfa *weft_dfa_smallest(const WeftDfa *dfa, WeftFuel *fuel, GError **error);

guint32 weft_dfa_class(const WeftDfa *dfa, guint32 character);

/* Adds a run, unless the one before it has the same class. */
void weft_class_runs_add(GArray *runs, guint32 first, guint32 class_id);

#endif
