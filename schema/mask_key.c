#include "schema/mask_key.h"

#include "base/draw.h"
#include "schema/way.h"

/* A number has no more: digits, sign and point. */
#define NUMBER_BYTES_MAX (WEFT_NUMBER_DIGITS_MAX + 2)

static void put(WeftMaskKey *key, guint64 word)
{
	key->high = weft_draw_mix(key->high ^ word);
	key->low = (key->low ^ word) * 0xd6e8feb86659fd93u;
	key->low ^= key->low >> 32;
}

static void put_pair(WeftMaskKey *key, guint64 a, guint64 b)
{
	put(key, a << 32 ^ b);
}

/* How far `bound` is from `n`, as far as `reach` steps can tell. */
static guint64 room(guint32 n, guint32 bound, guint32 reach)
{
	return bound > n ? MIN(bound - n, reach + 1) : 0;
}

static void put_text(WeftMaskKey *key, const WeftVocabulary *vocabulary, const WeftFreeText *text,
		     const WeftNode *node)
{
	guint64 left = room(text->n, node->length_max, vocabulary->n_chars_max);
	if (weft_free_text_is_between(text))
		left = weft_vocabulary_step(vocabulary, (guint32)left);
	put_pair(key, room(text->n, node->length_min, vocabulary->n_chars_max), left);
	put(key, (guint64)text->within << 24 | (guint64)text->n_follow << 16 |
			 (guint64)text->low << 8 | text->high);
}

static void put_lexeme(WeftMaskKey *key, const WeftVocabulary *vocabulary,
		       WeftLexemeState state, const WeftNode *node)
{
	put(key, weft_lexeme_key(node->lexeme, state, vocabulary->n_chars_max));
}

static void put_cursor(WeftMaskKey *key, const WeftVocabulary *vocabulary,
		       const WeftCursor *cursor)
{
	const WeftNode *node = cursor->node;
	put_pair(key, cursor->kind, node ? node->id : G_MAXUINT32);
	switch (cursor->kind) {
	case WEFT_CURSOR_LITERAL:
	case WEFT_CURSOR_KEY:
		put_pair(key, cursor->range.first, cursor->range.end);
		put(key, cursor->range.n_bytes);
		break;
	case WEFT_CURSOR_TEXT:
	case WEFT_CURSOR_MAP_TEXT:
		put_text(key, vocabulary, &cursor->text, node);
		break;
	case WEFT_CURSOR_LEXEME:
	case WEFT_CURSOR_MAP_LEXEME:
		put_lexeme(key, vocabulary, cursor->lexeme, node);
		break;
	case WEFT_CURSOR_SPANS:
	case WEFT_CURSOR_FIGURE:
	case WEFT_CURSOR_MAP_SPANS:
		put_pair(key, cursor->spans.low, cursor->spans.high);
		put(key, cursor->spans.n_bytes);
		break;
	case WEFT_CURSOR_NUMBER:
		put(key, weft_numbers_key(node->numbers, &cursor->number, NUMBER_BYTES_MAX));
		break;
	default:
		break;
	}
	/* What is written of a map's key: a token that ends it may begin the next one. */
	put(key, cursor->key_hash ^ cursor->key_bytes);
}

static void put_level(WeftMaskKey *key, const WeftVocabulary *vocabulary,
		      const WeftConstraint *constraint, const WeftLevel *level)
{
	const WeftNode *node = level->node;
	guint32 n_prefix = node->prefix ? node->prefix->len : 0;
	guint32 deepest = level->depth + constraint->schema->tables->height_max +
			  vocabulary->n_opened_max;
	put_pair(key, node->id, deepest >= WEFT_SCHEMA_DEPTH_MAX ? level->depth : 0);
	put(key, level->hash);
	if (node->kind == WEFT_NODE_OBJECT) {
		put_pair(key, level->index, level->n_optional);
		return;
	}
	put_pair(key, MIN(level->index, n_prefix + 1), node->is_unique ? level->index : 0);
	put_pair(key, room(level->index, node->n_min, vocabulary->n_items_max),
		 room(level->index, node->n_max, vocabulary->n_items_max));
	if (node->kind == WEFT_NODE_MAP)
		put_pair(key, level->n_short[0], level->n_short[1]);
}

gboolean weft_mask_key(const WeftVocabulary *vocabulary, const WeftConstraint *constraint,
		       WeftMaskKey *ret_key)
{
	WeftMaskKey key = {constraint->schema->fingerprint, constraint->text_key};
	for (guint i = 0; i < constraint->n_ways; i++) {
		const WeftWay *way = &constraint->ways[i];
		/* The further a span is written, the less often others are at the same place. */
		if ((way->cursor.kind == WEFT_CURSOR_SPANS || way->cursor.kind == WEFT_CURSOR_FIGURE ||
		     way->cursor.kind == WEFT_CURSOR_MAP_SPANS) &&
		    way->cursor.spans.n_bytes > 0)
			return FALSE;
		put_cursor(&key, vocabulary, &way->cursor);
		guint32 n_levels = vocabulary->n_closed_max + 1;
		const WeftLevel *level = way->level;
		for (; level && n_levels > 0; level = level->below, n_levels--)
			put_level(&key, vocabulary, constraint, level);
		put(&key, level ? 1 : 2);
	}
	*ret_key = key;
	return TRUE;
}
