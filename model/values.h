/* values.h - the scalars of a JSON text, with their pointers and places.
 *
 * For text that the automaton wrote: compact and valid by construction.
 */
#ifndef WEFT_MODEL_VALUES_H
#define WEFT_MODEL_VALUES_H

#include "model/answer.h"

/* Appends a WeftAnswerValue (confidence 1) per scalar, in the order of the text. */
void weft_values_find(const char *json, GArray *values);

/* The pointer of the value that is being written at the end of a text that such an automaton has not
 * finished: the scalar, or the container where none is begun. Caller frees. */
char *weft_values_open(const char *json, gsize size_bytes);

#endif
