/* slides.h - what was said while each slide stood: an answer by rule, of a task with answer=slides.
 *
 * It comes of what was read alone, and no model is asked. A slide is a frame of the video, with the
 * stretch of time in which it stands; one that comes back (ingest tells that) has the number and the
 * text of the first time. What begins to be said while a slide stands belongs to it, all in one text, a
 * line for each item, with its speaker. What is said before the first slide, or in a recording without
 * any, belongs to an entry without a number.
 *
 * The answer has the shape of tasks/slides.schema.json. Texts have the items of content that they were
 * copied from as evidence, so that their seconds are known to the word; times and numbers point to the
 * frame.
 */
#ifndef WEFT_PIPELINE_SLIDES_H
#define WEFT_PIPELINE_SLIDES_H

#include "outputs/record.h"

/* Sets the answer of the record, and evidence for it. */
void weft_slides_answer(WeftRecord *record);

#endif
