/* Any text as what a guard said. */
#include <stdlib.h>

#include "fuzz.h"
#include "model/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftAnswer) answer = weft_answer_new();
	g_autofree char *raw = g_strndup((const char *)data, size_bytes);

	answer->json = g_utf8_make_valid(raw, -1);
	answer->is_cut = size_bytes % 2;
	g_autoptr(WeftVerdict) verdict = weft_verdict_read(answer);
	if (verdict->categories >> WEFT_VERDICT_CATEGORIES || (verdict->kind == WEFT_VERDICT_NONE && !verdict->reason) ||
	    (verdict->kind != WEFT_VERDICT_UNSAFE && verdict->categories) ||
	    (verdict->reason && !g_utf8_validate(verdict->reason, -1, NULL)))
		abort();
	return 0;
}
