/* record_settle.h - private to record: what its end adds to a record that holds all of the document. */
#ifndef WEFT_PIPELINE_RECORD_SETTLE_H
#define WEFT_PIPELINE_RECORD_SETTLE_H

#include "pipeline/run.h"

/* The bundle and the adapter that answered, where a model was asked. */
void weft_record_name_model(WeftRecord *record, const WeftRun *run);
/* Why a value is null: what the model said of it (`chosen`), or by rule where it said nothing. By rule
 * that the value is not there is only said where all was examined, and could be read, by a model that
 * may claim so: one that withholds what it is not sure of makes no such claim.
 * The model has the last word about what it was shown, the rules about what it was not: its "unreadable" and
 * "not_examined" stand, and so does its "absent", also where something was read badly, which it saw;
 * but not where a part was left out or damaged, or where it may make no such claim. Static. */
const char *weft_record_reason_of_null(const WeftRecord *record, const WeftRun *run, WeftDecline chosen);
/* A document of none of the types, for which the task has no schema, is none of its business. */
void weft_record_settle_type(WeftRecord *record, const WeftRun *run, guint type);

#endif
