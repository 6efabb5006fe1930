/* SentencePiece's own file: a protocol buffer "ModelProto", of which these fields are read:
 *   1 pieces, repeated: 1 piece (text), 2 score (float), 3 type (number, 1 when absent)
 *   2 trainer_spec: 3 model_type (2: BPE; 1, when absent: unigram)
 *   3 normalizer_spec: 2 precompiled_charsmap (bytes), 3 add_dummy_prefix (true when absent),
 *     4 remove_extra_whitespaces (true when absent), 5 escape_whitespaces (true when absent)
 */
#include <string.h>

#include "base/bytes.h"
#include "bundle/tokenizer_private.h"

enum { WIRE_NUMBER = 0, WIRE_8 = 1, WIRE_BYTES = 2, WIRE_4 = 5 };
enum { MODEL_UNIGRAM = 1, MODEL_BPE = 2 };

typedef struct Field {
	guint64 number; /* of the field */
	guint wire;
	guint64 value;       /* of a number, or the bits of 4 or 8 bytes */
	const guint8 *data;  /* of bytes */
	gsize size_bytes;
} Field;

static gboolean read_varint(WeftBytes *bytes, guint64 *ret_value)
{
	guint64 value = 0;
	guint8 byte = 0x80;

	for (guint shift = 0; shift < 64 && (byte & 0x80); shift += 7) {
		if (!weft_bytes_u8(bytes, &byte))
			return FALSE;
		value |= (guint64)(byte & 0x7f) << shift;
	}
	*ret_value = value;
	return !(byte & 0x80);
}

static gboolean read_field(WeftBytes *bytes, Field *field)
{
	guint64 tag, size_bytes;
	guint32 word = 0;

	if (!read_varint(bytes, &tag))
		return FALSE;
	field->number = tag >> 3;
	field->wire = tag & 7;
	switch (field->wire) {
	case WIRE_NUMBER:
		return read_varint(bytes, &field->value);
	case WIRE_8:
		return weft_bytes_le64(bytes, &field->value);
	case WIRE_4:
		if (!weft_bytes_le32(bytes, &word))
			return FALSE;
		field->value = word;
		return TRUE;
	case WIRE_BYTES:
		if (!read_varint(bytes, &size_bytes) ||
		    !weft_bytes_take(bytes, (gsize)size_bytes, &field->data))
			return FALSE;
		field->size_bytes = (gsize)size_bytes;
		return TRUE;
	default:
		return FALSE;
	}
}

static gboolean is_field(const Field *field, guint64 number, guint wire)
{
	return field->number == number && field->wire == wire;
}

static gboolean read_piece(const Field *message, WeftPiece *piece)
{
	WeftBytes bytes = weft_bytes(message->data, message->size_bytes);
	Field field;

	*piece = (WeftPiece){.text = "", .type = WEFT_PIECE_NORMAL};
	while (weft_bytes_left(&bytes)) {
		if (!read_field(&bytes, &field))
			return FALSE;
		if (is_field(&field, 1, WIRE_BYTES)) {
			piece->text = (const char *)field.data;
			piece->size_bytes = field.size_bytes;
		} else if (is_field(&field, 2, WIRE_4)) {
			guint32 bits = (guint32)field.value;
			float score;
			memcpy(&score, &bits, sizeof score);
			piece->score = (double)score;
		} else if (is_field(&field, 3, WIRE_NUMBER)) {
			if (field.value < WEFT_PIECE_NORMAL || field.value > WEFT_PIECE_BYTE)
				return FALSE;
			piece->type = (WeftPieceType)field.value;
		}
	}
	return TRUE;
}

typedef struct Model {
	GArray *pieces; /* WeftPiece */
	guint64 model_type;
	gboolean has_charsmap, adds_prefix, removes_blanks, escapes_blanks;
} Model;

/* The numbers of trainer_spec and normalizer_spec. */
static gboolean read_spec(const Field *message, Model *model)
{
	WeftBytes bytes = weft_bytes(message->data, message->size_bytes);
	gboolean is_trainer = message->number == 2;
	Field field;

	while (weft_bytes_left(&bytes)) {
		if (!read_field(&bytes, &field))
			return FALSE;
		if (is_trainer && is_field(&field, 3, WIRE_NUMBER))
			model->model_type = field.value;
		if (is_trainer)
			continue;
		if (is_field(&field, 2, WIRE_BYTES))
			model->has_charsmap = field.size_bytes > 0;
		else if (is_field(&field, 3, WIRE_NUMBER))
			model->adds_prefix = field.value != 0;
		else if (is_field(&field, 4, WIRE_NUMBER))
			model->removes_blanks = field.value != 0;
		else if (is_field(&field, 5, WIRE_NUMBER))
			model->escapes_blanks = field.value != 0;
	}
	return TRUE;
}

static gboolean read_model(WeftTokenizer *tokenizer, WeftBytes bytes, Model *model, GError **error)
{
	Field field;

	while (weft_bytes_left(&bytes)) {
		gsize at = bytes.position;
		gboolean ok = read_field(&bytes, &field);
		if (ok && is_field(&field, 1, WIRE_BYTES)) {
			WeftPiece piece;
			ok = read_piece(&field, &piece);
			if (model->pieces->len >= WEFT_TOKENS_IDS_MAX)
				return weft_vocabulary_refuse(tokenizer, error,
							      "more than %d pieces",
							      WEFT_TOKENS_IDS_MAX);
			if (ok)
				g_array_append_val(model->pieces, piece);
		} else if (ok && (is_field(&field, 2, WIRE_BYTES) ||
				  is_field(&field, 3, WIRE_BYTES))) {
			ok = read_spec(&field, model);
		}
		if (!ok)
			return weft_vocabulary_refuse(tokenizer, error,
						      "byte %zu: not a SentencePiece model", at);
	}
	return TRUE;
}

static gboolean check_model(const WeftTokenizer *tokenizer, const Model *model, GError **error)
{
	if (model->pieces->len == 0)
		return weft_vocabulary_refuse(tokenizer, error, "not a tokenizer that weft knows");
	if (model->model_type != MODEL_BPE)
		return weft_vocabulary_refuse(tokenizer, error,
					      "SentencePiece model of type %" G_GUINT64_FORMAT
					      "; only 2, BPE, is read",
					      model->model_type);
	if (model->has_charsmap || model->removes_blanks || !model->escapes_blanks)
		return weft_vocabulary_refuse(tokenizer, error,
					      "SentencePiece model that changes text: only the "
					      "identity normaliser that keeps blanks is read");
	return TRUE;
}

gboolean weft_tokenizer_read_pieces(WeftTokenizer *tokenizer, const guint8 *data,
				    gsize size_bytes, GError **error)
{
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(WeftPiece));
	Model model = {.pieces = pieces,
		       .model_type = MODEL_UNIGRAM,
		       .adds_prefix = TRUE,
		       .removes_blanks = TRUE,
		       .escapes_blanks = TRUE};

	tokenizer->has_pieces = TRUE;
	if (!read_model(tokenizer, weft_bytes(data, size_bytes), &model, error) ||
	    !check_model(tokenizer, &model, error))
		return FALSE;
	tokenizer->prefix = model.adds_prefix ? WEFT_PREFIX_EACH : WEFT_PREFIX_NONE;
	tokenizer->drops_blank = model.adds_prefix;
	return weft_vocabulary_add_scored(tokenizer, pieces, error) &&
	       weft_vocabulary_finish(tokenizer, error);
}
