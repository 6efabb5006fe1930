#include "pipeline/fault.h"

#include "base/error.h"

WeftPartFault *weft_part_fault_new(const char *stage, GError *take_error, const WeftAnchor *at)
{
	WeftPartFault *fault = g_new0(WeftPartFault, 1);

	fault->stage = stage;
	fault->error = take_error != NULL ? take_error
	                                  : g_error_new(WEFT_ERROR, WEFT_ERROR_INTERNAL,
	                                                "%s: no reason given", stage);
	if (at != NULL)
		fault->at = *at;
	return fault;
}

void weft_part_fault_free(WeftPartFault *fault)
{
	if (fault == NULL)
		return;
	g_clear_error(&fault->error);
	g_free(fault);
}
