#include "ingest/part.h"

#include <string.h>

#include "ingest/memory_share.h"

WeftPart *weft_part_new(WeftPartKind kind, WeftAnchor anchor)
{
	WeftPart *part = g_new0(WeftPart, 1);
	part->kind = kind;
	part->anchor = anchor;
	return part;
}

void weft_part_release_memory(WeftPart *part)
{
	g_clear_pointer(&part->memory, weft_memory_share_free);
}

WeftPart *weft_part_share(WeftPart *part)
{
	g_atomic_int_inc(&part->n_more_owners);
	return part;
}

void weft_part_free(WeftPart *part)
{
	if (!part || g_atomic_int_add(&part->n_more_owners, -1) > 0)
		return;
	weft_content_free(part->content);
	g_free(part->raster.pixels);
	g_free(part->pcm.samples);
	g_free(part->key);
	g_free(part->value);
	g_clear_error(&part->fault);
	weft_memory_share_free(part->memory);
	g_free(part);
}

static gsize text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

gsize weft_part_size_bytes(const WeftPart *part)
{
	gsize size = sizeof *part + text_bytes(part->key) + text_bytes(part->value);
	if (part->raster.pixels)
		size += (gsize)part->raster.width * part->raster.height * 3;
	if (part->pcm.samples)
		size += part->pcm.n_samples * sizeof(float);
	if (part->fault)
		size += sizeof *part->fault + text_bytes(part->fault->message);
	if (part->content) {
		const WeftContent *content = part->content;
		size += sizeof *content + text_bytes(content->text) + text_bytes(content->speaker);
		size += content->anchors->len * sizeof(WeftAnchor);
		size += content->words ? content->words->len * sizeof(WeftWord) : 0;
	}
	return size;
}

gsize weft_part_output_bytes(const WeftPart *part)
{
	if (part->content)
		return weft_content_output_bytes(part->content);
	if (part->kind == WEFT_PART_RASTER || part->kind == WEFT_PART_FRAME ||
	    part->kind == WEFT_PART_PCM || part->kind == WEFT_PART_EXTENT)
		return 0;
	/* {"n":5,"width":595,"height":842,"rotation":0,"ink":0.1103,"status":"done"} */
	return 75 + text_bytes(part->key) + text_bytes(part->value) +
	       (part->fault ? text_bytes(part->fault->message) : 0);
}
