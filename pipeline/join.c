/* join.c - the graph of a job. This file shows the whole flow.
 *
 *     source > sniff > decode ═> read ═> hear > window > fuse > generate > collect > merge > record > sink
 *                                  │                                                │
 *          or, when the bundle reads: fuse > generate > collect              │
 *                                          and, when the model merges: > fuse > generate > collect > merge
 *
 * Behind window, in front of fuse: match > fuse > generate > collect > type, where a task tells types of
 * documents apart; (fuse > generate > collect >) divide, where a file holds many documents.
 * With a guard, whose rounds have a batcher of their own, behind each collect of answers (or behind
 * window, when nothing is asked): guard > generate > verdict.
 * Behind record stands confirm, where Tesseract reads: it reads alone what the model points at, and what a
 * text layer says of a scan.
 * A dry run ends in survey behind window: nothing is asked and nothing is written.
 *
 * Rounds are unrolled: each has its own fuse, generate and collect, all share the batcher. Nodes
 * that a job has no use for are not there. ═> are lanes: one inbox for each thread.
 */
#include "pipeline/join.h"

#define SMALL_BYTES ((size_t)1 << 20) /* inboxes through which nothing large goes */

typedef struct Line {
	WeftRun *run;
	unsigned last;
} Line;

/* Adds a node behind the last one. `share` of what channels have of the memory, in percent; 0:
 * small. */
static void then(Line *line, const WeftNodeClass *node_class, const char *name, void *shared,
                 unsigned n_threads, WeftInbox inbox, unsigned share)
{
	WeftGraph *graph = line->run->graph;
	size_t lanes = inbox == WEFT_INBOX_LANES ? n_threads : 1;
	size_t limit_bytes =
	    share == 0 ? SMALL_BYTES
	               : (size_t)(line->run->job->memory_bytes / 100) * WEFT_PERCENT_CHANNELS /
	                     100 * share / lanes;
	unsigned node =
	    weft_graph_add(graph, node_class, name, shared, n_threads, inbox, limit_bytes);

	weft_graph_connect(graph, line->last, node);
	line->last = node;
}

/* `share` of the memory for the rows and pictures of the round; merge has only text. */
static void then_round(Line *line, WeftRoundNumber number, const char *fuse, const char *generate,
                       const char *collect, unsigned share)
{
	WeftRoundNode *round = &line->run->rounds[number];

	*round = (WeftRoundNode){line->run, line->run->engine, number};
	then(line, &weft_node_fuse, fuse, round, 1, WEFT_INBOX_SHARED, share);
	then(line, &weft_node_generate, generate, round, 1, WEFT_INBOX_SHARED, share);
	then(line, &weft_node_collect, collect, round, 1, WEFT_INBOX_SHARED, share / 2);
}

/* Small inboxes: what waits for a verdict waits in the batcher. */
static void then_guard(Line *line, WeftRoundNumber number, const char *guard, const char *generate,
                       const char *verdict)
{
	WeftRoundNode *round = &line->run->rounds[number];

	if (line->run->guard == NULL)
		return;
	*round = (WeftRoundNode){line->run, line->run->guard, number};
	then(line, &weft_node_guard, guard, round, 1, WEFT_INBOX_SHARED, 0);
	then(line, &weft_node_generate, generate, round, 1, WEFT_INBOX_SHARED, 0);
	then(line, &weft_node_verdict, verdict, round, 1, WEFT_INBOX_SHARED, 0);
}

/* Which type a document is, ahead of the question that is of its type. */
static void then_type(Line *line)
{
	WeftRun *run = line->run;

	if (run->task->types == NULL)
		return;
	then(line, &weft_node_match, NULL, run, 1, WEFT_INBOX_SHARED, 1);
	then_round(line, WEFT_ROUND_TYPE, "fuse.type", "generate.type", "collect.type", 1);
	then(line, &weft_node_type, NULL, run, 1, WEFT_INBOX_SHARED, 1);
}

/* Where documents begin, in a file that holds many. */
static void then_divide(Line *line)
{
	WeftRun *run = line->run;

	if (run->task->element_text == NULL)
		return;
	if (run->task->begins == NULL)
		then_round(line, WEFT_ROUND_DIVIDE, "fuse.divide", "generate.divide", "collect.divide", 1);
	then(line, &weft_node_divide, NULL, run, 1, WEFT_INBOX_SHARED, 1);
}

/* A dry run: as far as the windows, then counted. */
static void join_survey(Line *line)
{
	WeftRun *run = line->run;

	if (run->reader != WEFT_READ_NONE)
		then(line, &weft_node_survey_reading, NULL, run, 1, WEFT_INBOX_SHARED, 20);
	then(line, &weft_node_window, NULL, run, 1, WEFT_INBOX_SHARED, 20);
	then(line, &weft_node_survey, NULL, run, 1, WEFT_INBOX_SHARED, 20);
}

void weft_join(WeftRun *run)
{
	const WeftTask *task = run->task;
	Line line = {run, 0};

	run->graph = weft_graph_new(&weft_item_class, run->budget, run->trace);
	line.last =
	    weft_graph_add(run->graph, &weft_node_source, NULL, run, 1, WEFT_INBOX_SHARED, 0);
	then(&line, &weft_node_sniff, NULL, run, 1, WEFT_INBOX_SHARED, 0);
	then(&line, &weft_node_decode, NULL, run, run->n_threads, WEFT_INBOX_SHARED, 0);
	if (run->job->is_dry) {
		join_survey(&line);
		return;
	}
	if (run->reader == WEFT_READ_TESSERACT)
		then(&line, &weft_node_read, NULL, run, run->n_threads, WEFT_INBOX_LANES, 20);
	if (run->reader == WEFT_READ_BUNDLE)
		then_round(&line, WEFT_ROUND_READ, "fuse.read", "generate.read", "collect.read",
		           10);
	if (run->ears != NULL)
		then(&line, &weft_node_hear, NULL, run, 1, WEFT_INBOX_SHARED, 10);
	then(&line, &weft_node_window, NULL, run, 1, WEFT_INBOX_SHARED, 15);
	then_type(&line);
	then_divide(&line);
	if (task->windows != WEFT_WINDOWS_NONE)
		then_round(&line, WEFT_ROUND_ANSWER, "fuse", "generate", "collect", 10);
	then_guard(&line, WEFT_ROUND_GUARD, "guard", "generate.guard", "verdict");
	if (task->windows != WEFT_WINDOWS_NONE)
		then(&line, &weft_node_merge, NULL, &run->rounds[WEFT_ROUND_ANSWER], 1,
		     WEFT_INBOX_SHARED, 5);
	if (task->windows != WEFT_WINDOWS_NONE && task->merge_by == WEFT_MERGE_MODEL) {
		then_round(&line, WEFT_ROUND_MERGE, "fuse.merge", "generate.merge", "collect.merge",
		           2);
		then_guard(&line, WEFT_ROUND_GUARD_MERGE, "guard.merge", "generate.guard.merge",
		           "verdict.merge");
		then(&line, &weft_node_merge, "merge.fields", &run->rounds[WEFT_ROUND_MERGE], 1,
		     WEFT_INBOX_SHARED, 5);
	}
	then(&line, &weft_node_record, NULL, run, 1, WEFT_INBOX_SHARED, 5);
	if (run->reader == WEFT_READ_TESSERACT && task->windows != WEFT_WINDOWS_NONE)
		then(&line, &weft_node_confirm, NULL, run, 1, WEFT_INBOX_SHARED, 5);
	then(&line, &weft_node_sink, NULL, run, 1, WEFT_INBOX_SHARED, 5);
}
