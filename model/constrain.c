#include "model/constrain.h"

#include <string.h>

void weft_constraint_init(WeftConstraint *constraint, const WeftSchema *schema)
{
	constraint->n_frames = 1;
	constraint->frames[0] = (WeftFrame){.kind = WEFT_FRAME_VALUE, .node = schema->root};
}

void weft_constraint_copy(WeftConstraint *to, const WeftConstraint *from)
{
	to->n_frames = from->n_frames;
	memcpy(to->frames, from->frames, from->n_frames * sizeof(WeftFrame));
}

static const char *literal_at(const WeftFrame *frame, guint32 i)
{
	return g_ptr_array_index(frame->node->literals, i);
}

/* Candidates are sorted and share the bytes taken, so those that go on with `byte` are a run. */
static gboolean advance_literal(WeftFrame *frame, guint8 byte)
{
	guint32 first = frame->index, end;
	if (byte == '\0')
		return FALSE; /* it would match the end of a candidate */
	while (first < frame->end && (guint8)literal_at(frame, first)[frame->n] != byte)
		first++;
	for (end = first; end < frame->end; end++)
		if ((guint8)literal_at(frame, end)[frame->n] != byte)
			break;
	if (first == end)
		return FALSE;
	frame->index = first;
	frame->end = end;
	frame->n++;
	return TRUE;
}

/* The shortest candidate's missing bytes. */
static gsize close_literal(const WeftFrame *frame)
{
	gsize best = G_MAXSIZE;
	for (guint32 i = frame->index; i < frame->end; i++)
		best = MIN(best, strlen(literal_at(frame, i)) - frame->n);
	return best;
}

static gboolean literal_is_complete(const WeftFrame *frame)
{
	return frame->n > 0 && literal_at(frame, frame->index)[frame->n] == '\0';
}

/* RFC 3629, table of well-formed sequences. */
static gboolean begin_character(WeftFrame *frame, guint8 byte)
{
	if (byte < 0x20 || frame->n >= frame->node->length_max)
		return FALSE;
	frame->n++;
	frame->low = 0x80;
	frame->high = 0xbf;
	if (byte < 0x80)
		return TRUE;
	if (byte >= 0xc2 && byte <= 0xdf) {
		frame->n_follow = 1;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		frame->n_follow = 2;
		frame->low = byte == 0xe0 ? 0xa0 : 0x80;
		frame->high = byte == 0xed ? 0x9f : 0xbf;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		frame->n_follow = 3;
		frame->low = byte == 0xf0 ? 0x90 : 0x80;
		frame->high = byte == 0xf4 ? 0x8f : 0xbf;
	} else {
		return FALSE;
	}
	return TRUE;
}

/* `escape` counts: 1 the backslash, 2 the u, 3 and 4 two zeros, 5 the digit 0 or 6 the digit 1. */
static gboolean advance_escape(WeftFrame *frame, guint8 byte)
{
	switch (frame->escape) {
	case 1:
		if (byte == 'u') {
			frame->escape = 2;
			return TRUE;
		}
		frame->escape = 0;
		return byte == '"' || byte == '\\' || byte == 'n' || byte == 't';
	case 2:
	case 3:
		frame->escape++;
		return byte == '0';
	case 4:
		frame->escape = byte == '0' ? 5 : 6;
		return byte == '0' || byte == '1';
	default:
		if (frame->escape == 5 && byte == '0')
			return FALSE; /* U+0000 ends strings in too many readers */
		frame->escape = 0;
		return g_ascii_isdigit(byte) || (byte >= 'a' && byte <= 'f');
	}
}

static gsize close_string(const WeftFrame *frame)
{
	static const gsize escape_rest[] = {0, 1, 4, 3, 2, 1, 1};
	gsize missing = frame->node->length_min > frame->n ? frame->node->length_min - frame->n : 0;
	return frame->n_follow + escape_rest[frame->escape] + missing + 1;
}

/* Sets *ret_ended at the closing quote. */
static gboolean advance_string(WeftFrame *frame, guint8 byte, gboolean *ret_ended)
{
	*ret_ended = FALSE;
	if (frame->n_follow > 0) {
		if (byte < frame->low || byte > frame->high)
			return FALSE;
		frame->n_follow--;
		frame->low = 0x80;
		frame->high = 0xbf;
		return TRUE;
	}
	if (frame->escape > 0)
		return advance_escape(frame, byte);
	if (byte == '"') {
		*ret_ended = TRUE;
		return frame->n >= frame->node->length_min;
	}
	if (byte == '\\') {
		frame->escape = 1;
		return frame->n++ < frame->node->length_max;
	}
	return begin_character(frame, byte);
}

/* Turns a VALUE frame into the frame of the value that begins with `byte`. */
static gboolean begin_value(WeftFrame *frame, guint8 byte)
{
	const WeftSchemaNode *node = frame->node;
	for (guint i = 0; node->branches && i < node->branches->len; i++) {
		WeftFrame branch = {.node = g_ptr_array_index(node->branches, i)};
		if (begin_value(&branch, byte)) {
			*frame = branch;
			return TRUE;
		}
	}
	if (node->branches)
		return FALSE;
	WeftFrame begun = {.node = node};
	if (node->literals) {
		begun.kind = WEFT_FRAME_LITERAL;
		begun.end = node->literals->len;
		if (!advance_literal(&begun, byte))
			return FALSE;
	} else if (byte == 'n' && node->types & WEFT_TYPE_NULL) {
		begun.kind = WEFT_FRAME_WORD;
		begun.text = "ull";
	} else if ((byte == 't' || byte == 'f') && node->types & WEFT_TYPE_BOOLEAN) {
		begun.kind = WEFT_FRAME_WORD;
		begun.text = byte == 't' ? "rue" : "alse";
	} else if (byte == '"' && node->types & WEFT_TYPE_STRING) {
		begun.kind = WEFT_FRAME_STRING;
	} else if (byte == '[' && node->types & WEFT_TYPE_ARRAY) {
		begun.kind = WEFT_FRAME_ARRAY;
	} else if (byte == '{' && node->types & WEFT_TYPE_OBJECT) {
		begun.kind = WEFT_FRAME_OBJECT;
		begun.text = node->opens->len > 0
				     ? (const char *)g_ptr_array_index(node->opens, 0) + 1
				     : "}";
	} else if (node->types & WEFT_TYPE_NUMBER) {
		begun.kind = WEFT_FRAME_NUMBER;
		if (!weft_number_advance(&begun.number, &node->range, byte))
			return FALSE;
	} else {
		return FALSE;
	}
	*frame = begun;
	return TRUE;
}

static WeftFrame *push_value(WeftConstraint *constraint, const WeftSchemaNode *node)
{
	g_assert(constraint->n_frames < G_N_ELEMENTS(constraint->frames));
	WeftFrame *frame = &constraint->frames[constraint->n_frames++];
	*frame = (WeftFrame){.kind = WEFT_FRAME_VALUE, .node = node};
	return frame;
}

/* Between the values of an object: its text is fixed. */
static gboolean advance_object(WeftConstraint *constraint, WeftFrame *frame, guint8 byte)
{
	if ((guint8)*frame->text != byte)
		return FALSE;
	if (*++frame->text != '\0')
		return TRUE;
	const WeftSchemaNode *node = frame->node;
	if (frame->index == node->opens->len) {
		constraint->n_frames--;
		return TRUE;
	}
	guint32 i = frame->index++;
	frame->text = frame->index < node->opens->len ? g_ptr_array_index(node->opens, frame->index)
						      : "}";
	push_value(constraint, g_ptr_array_index(node->properties, i));
	return TRUE;
}

/* Between the items of an array. */
static gboolean advance_array(WeftConstraint *constraint, WeftFrame *frame, guint8 byte)
{
	const WeftSchemaNode *node = frame->node;
	if (byte == ']') {
		constraint->n_frames--;
		return frame->index >= node->items_min;
	}
	if (frame->index >= node->items_max)
		return FALSE;
	gboolean is_first = frame->index++ == 0;
	if (!is_first && byte != ',')
		return FALSE;
	WeftFrame *value = push_value(constraint, node->items);
	return is_first ? begin_value(value, byte) : TRUE;
}

static gboolean frame_is_complete(const WeftFrame *frame)
{
	if (frame->kind == WEFT_FRAME_NUMBER)
		return weft_number_close(&frame->number, &frame->node->range) == 0;
	return frame->kind == WEFT_FRAME_LITERAL && literal_is_complete(frame);
}

gboolean weft_constraint_advance(WeftConstraint *constraint, guint8 byte)
{
	while (constraint->n_frames > 0) {
		WeftFrame *frame = &constraint->frames[constraint->n_frames - 1];
		gboolean ended = FALSE, fits = FALSE;
		switch (frame->kind) {
		case WEFT_FRAME_VALUE:
			return begin_value(frame, byte);
		case WEFT_FRAME_OBJECT:
			return advance_object(constraint, frame, byte);
		case WEFT_FRAME_ARRAY:
			return advance_array(constraint, frame, byte);
		case WEFT_FRAME_WORD:
			fits = (guint8)*frame->text == byte;
			ended = fits && *++frame->text == '\0';
			break;
		case WEFT_FRAME_STRING:
			fits = advance_string(frame, byte, &ended);
			break;
		case WEFT_FRAME_NUMBER:
			fits = weft_number_advance(&frame->number, &frame->node->range, byte);
			break;
		case WEFT_FRAME_LITERAL:
			fits = advance_literal(frame, byte);
			break;
		}
		if (fits && ended)
			constraint->n_frames--;
		if (fits)
			return TRUE;
		/* A number (or a number of an enumeration) ends where the next byte is not its own. */
		if (!frame_is_complete(frame))
			return FALSE;
		constraint->n_frames--;
	}
	return FALSE;
}

gboolean weft_constraint_is_complete(const WeftConstraint *constraint)
{
	return constraint->n_frames == 0 ||
	       (constraint->n_frames == 1 && frame_is_complete(&constraint->frames[0]));
}

gboolean weft_constraint_is_closed(const WeftConstraint *constraint)
{
	if (!weft_constraint_is_complete(constraint))
		return FALSE;
	for (int byte = 0; byte < 256; byte++) {
		WeftConstraint next;
		weft_constraint_copy(&next, constraint);
		if (weft_constraint_advance(&next, (guint8)byte))
			return FALSE;
	}
	return TRUE;
}

static gsize close_frame(const WeftFrame *frame)
{
	const WeftSchemaNode *node = frame->node;
	switch (frame->kind) {
	case WEFT_FRAME_VALUE:
		return node->min_bytes;
	case WEFT_FRAME_WORD:
		return strlen(frame->text);
	case WEFT_FRAME_LITERAL:
		return close_literal(frame);
	case WEFT_FRAME_STRING:
		return close_string(frame);
	case WEFT_FRAME_NUMBER:
		return (gsize)weft_number_close(&frame->number, &node->range);
	case WEFT_FRAME_OBJECT: {
		const char *open = frame->index < node->opens->len
					   ? g_ptr_array_index(node->opens, frame->index)
					   : "}";
		gsize taken = strlen(open) - strlen(frame->text);
		return g_array_index(node->tails, gsize, frame->index) - taken;
	}
	case WEFT_FRAME_ARRAY: {
		gsize missing = node->items_min > frame->index ? node->items_min - frame->index : 0;
		gsize commas = missing > 0 && frame->index == 0 ? missing - 1 : missing;
		return (missing > 0 ? missing * node->items->min_bytes : 0) + commas + 1;
	}
	}
	return 0;
}

gsize weft_constraint_close_bytes(const WeftConstraint *constraint)
{
	gsize n = 0;
	for (guint i = 0; i < constraint->n_frames; i++)
		n += close_frame(&constraint->frames[i]);
	return n;
}

int weft_constraint_forced(const WeftConstraint *constraint)
{
	int forced = -1;
	if (weft_constraint_is_complete(constraint))
		return -1;
	const WeftFrame *top = &constraint->frames[constraint->n_frames - 1];
	if (top->kind == WEFT_FRAME_OBJECT || top->kind == WEFT_FRAME_WORD)
		return (guint8)*top->text;
	for (int byte = 0; byte < 256; byte++) {
		WeftConstraint next;
		weft_constraint_copy(&next, constraint);
		if (!weft_constraint_advance(&next, (guint8)byte))
			continue;
		if (forced >= 0)
			return -1;
		forced = byte;
	}
	return forced;
}

gboolean weft_schema_accepts(const WeftSchema *schema, const char *text, gsize size_bytes,
			     gsize *ret_byte)
{
	WeftConstraint constraint;
	gsize i = 0;
	weft_constraint_init(&constraint, schema);
	while (i < size_bytes && weft_constraint_advance(&constraint, (guint8)text[i]))
		i++;
	if (i == size_bytes && weft_constraint_is_complete(&constraint))
		return TRUE;
	*ret_byte = i;
	return FALSE;
}
