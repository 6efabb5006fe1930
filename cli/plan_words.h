/* plan_words.h - sizes, times and counts in words, and an estimate as a table. */
#ifndef WEFT_CLI_PLAN_WORDS_H
#define WEFT_CLI_PLAN_WORDS_H

#include <glib.h>
#include <stdio.h>

#include "pipeline/pipeline.h"

/* "12.3 GB", "481.1 GiB", "about 3 h" without "about", "2,013,441". Caller frees. */
char *weft_words_bytes(double bytes);
char *weft_words_binary(double bytes);
char *weft_words_time(double seconds);
char *weft_words_count(double n);
/* Three digits of a rate, as in "45,400,000" or "8.45"; "108.64 billion". */
char *weft_words_rate(double per_s);
char *weft_words_parameters(double n);
/* "; +- 8 %", a standard error; "" for fewer than ten documents. */
char *weft_words_error(guint64 n_measured, double error);

/* Appends "3 done", behind a comma where something stands before it; nothing for 0. */
void weft_words_add_count(GString *line, guint64 n, const char *word);

/* Files, pages, seconds, pictures to read, tokens, by the end of names. */
void weft_words_estimate(FILE *to, const WeftEstimate *estimate);

#endif
