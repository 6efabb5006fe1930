#include "pipeline/document.h"

#include <unistd.h>

WeftDocument *weft_document_new(guint64 number, const char *path, WeftBudget *take_place)
{
	WeftDocument *document = g_new0(WeftDocument, 1);

	document->number = number;
	document->path = g_strdup(path);
	document->fd = -1;
	document->place = take_place;
	return document;
}

void weft_document_free(WeftDocument *document)
{
	if (document == NULL)
		return;
	if (document->fd >= 0)
		close(document->fd);
	weft_folder_unref(document->folder);
	if (document->place != NULL)
		weft_budget_leave(document->place);
	weft_part_fault_free(document->fault);
	g_free(document->path);
	g_free(document);
}
