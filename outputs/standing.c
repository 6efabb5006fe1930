#include "outputs/standing.h"

#include <string.h>

#define PIECE_BYTES ((gsize)256 << 10)
#define PIECES_BYTES_MAX ((gsize)16 << 20) /* of pieces that lie in memory at once */

typedef struct Piece {
	guint32 content_first, content_end;
	gsize size_bytes;      /* of its items */
	WeftRunningText *text; /* NULL: not made yet; so are the others */
	gsize *begins;         /* of each item in it, and the end */
	GArray *amounts;       /* WeftAmount */
	GArray *days;          /* WeftDay */
} Piece;

struct WeftStanding {
	const GPtrArray *contents;
	GArray *pieces; /* Piece */
	gsize loaded_bytes;
	WeftUsage usage;
	gboolean is_usage_known;
};

static gboolean is_shown(const WeftContent *content)
{
	return content->text && !content->hidden;
}

static void unload(WeftStanding *standing, Piece *piece)
{
	if (!piece->text)
		return;
	standing->loaded_bytes -= piece->size_bytes;
	g_clear_pointer(&piece->text, weft_running_text_free);
	g_clear_pointer(&piece->begins, g_free);
	g_clear_pointer(&piece->amounts, g_array_unref);
	g_clear_pointer(&piece->days, g_array_unref);
}

WeftStanding *weft_standing_new(const GPtrArray *contents, const WeftUsage *usage)
{
	WeftStanding *standing = g_new0(WeftStanding, 1);
	Piece piece = { 0 };

	standing->contents = contents;
	standing->usage = *usage;
	standing->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
	for (guint32 i = 0; i < contents->len; i++) {
		const WeftContent *content = contents->pdata[i];

		piece.size_bytes += is_shown(content) ? strlen(content->text) : 0;
		piece.content_end = i + 1;
		if (piece.size_bytes < PIECE_BYTES && i + 1 < contents->len)
			continue;
		g_array_append_val(standing->pieces, piece);
		piece = (Piece){ .content_first = i + 1 };
	}
	return standing;
}

void weft_standing_free(WeftStanding *standing)
{
	if (!standing)
		return;
	for (guint i = 0; i < standing->pieces->len; i++)
		unload(standing, &g_array_index(standing->pieces, Piece, i));
	g_array_unref(standing->pieces);
	g_free(standing);
}

/* What one says goes on in what the other says. */
static gboolean joins(const WeftContent *before, const WeftContent *after)
{
	return before && g_strcmp0(before->speaker, after->speaker) == 0 &&
	       g_array_index(before->anchors, WeftAnchor, 0).document ==
		       g_array_index(after->anchors, WeftAnchor, 0).document;
}

static void add_items(const WeftStanding *standing, Piece *piece)
{
	const WeftContent *before = NULL;
	gsize size;

	piece->begins = g_new(gsize, piece->content_end - piece->content_first + 1);
	for (guint32 i = piece->content_first; i < piece->content_end; i++) {
		const WeftContent *content = standing->contents->pdata[i];

		(void)weft_running_text_bytes(piece->text, &size);
		piece->begins[i - piece->content_first] = size;
		if (content->hidden)
			continue;
		if (content->text)
			weft_running_text_add(piece->text, content->text, strlen(content->text), i, 0,
					      joins(before, content));
		before = content->text ? content : NULL;
	}
	(void)weft_running_text_bytes(piece->text, &size);
	piece->begins[piece->content_end - piece->content_first] = size;
}

static Piece *load(WeftStanding *standing, guint number)
{
	Piece *piece = &g_array_index(standing->pieces, Piece, number);

	if (piece->text)
		return piece;
	if (standing->loaded_bytes + piece->size_bytes > PIECES_BYTES_MAX)
		for (guint i = 0; i < standing->pieces->len; i++)
			unload(standing, &g_array_index(standing->pieces, Piece, i));
	standing->loaded_bytes += piece->size_bytes;
	piece->text = weft_running_text_new();
	add_items(standing, piece);
	return piece;
}

/* ---- where to look ---- */

/* Bytes [first, end) of a piece. */
typedef struct Stretch {
	gsize first, end;
} Stretch;

/* FALSE: nothing of the piece is to be searched. */
static gboolean stretch_of(WeftStanding *standing, guint number, const WeftSearch *search,
			   Stretch *ret_stretch)
{
	const Piece *piece = &g_array_index(standing->pieces, Piece, number);
	guint32 first = MAX(search->content_first, piece->content_first);
	guint32 last = MIN(search->content_last, piece->content_end - 1);

	if (first > last || (search->after && number < search->after->piece))
		return FALSE;
	piece = load(standing, number);
	ret_stretch->first = piece->begins[first - piece->content_first];
	ret_stretch->end = piece->begins[last + 1 - piece->content_first];
	if (search->after && number == search->after->piece)
		ret_stretch->first = MAX(ret_stretch->first, search->after->end);
	return ret_stretch->first < ret_stretch->end;
}

static gboolean is_alnum_at(const char *p)
{
	return *p && g_unichar_isalnum(g_utf8_get_char(p));
}

/* A letter or digit goes on over p. */
static gboolean goes_over(const char *text, const char *p)
{
	return p > text && p[-1] && is_alnum_at(g_utf8_prev_char(p)) && is_alnum_at(p);
}

static gboolean is_apart_at(const WeftRunningText *text, gsize first, gsize end, WeftApart apart)
{
	gsize size;
	const char *bytes = weft_running_text_bytes(text, &size);

	if (apart == WEFT_APART_WORD)
		return (weft_running_text_marks(text, first) & WEFT_TEXT_BEGINS) &&
		       (weft_running_text_marks(text, end) & WEFT_TEXT_ENDS);
	return apart == WEFT_APART_NOT ||
	       (!goes_over(bytes, bytes + first) && !goes_over(bytes, bytes + end));
}

gboolean weft_standing_text(WeftStanding *standing, const char *value, WeftApart apart,
			    const WeftSearch *search, WeftSpot *ret_spot)
{
	gsize size = strlen(value), all;
	Stretch stretch;

	for (guint i = 0; i < standing->pieces->len; i++) {
		if (!stretch_of(standing, i, search, &stretch))
			continue;
		const Piece *piece = &g_array_index(standing->pieces, Piece, i);
		const char *bytes = weft_running_text_bytes(piece->text, &all);
		const char *p = bytes + stretch.first, *end = bytes + stretch.end;

		for (; (p = memmem(p, (gsize)(end - p), value, size)); p++) {
			gsize first = (gsize)(p - bytes);
			if (!is_apart_at(piece->text, first, first + size, apart))
				continue;
			*ret_spot = (WeftSpot){ i, first, first + size };
			return TRUE;
		}
	}
	return FALSE;
}

guint weft_standing_count(WeftStanding *standing, const char *value, const WeftSearch *search,
			  guint n_max)
{
	WeftSearch rest = *search;
	WeftSpot spot;
	guint n = 0;

	while (n < n_max && weft_standing_text(standing, value, WEFT_APART_WORD, &rest, &spot)) {
		n++;
		rest.after = &spot;
	}
	return n;
}

/* ---- what it means ---- */

static void find_meanings(Piece *piece)
{
	gsize size;
	const char *bytes = weft_running_text_bytes(piece->text, &size);
	WeftAmounts amounts = { .text = bytes, .size_bytes = size };
	WeftAmount amount;
	WeftDay day;

	piece->amounts = g_array_new(FALSE, FALSE, sizeof(WeftAmount));
	piece->days = g_array_new(FALSE, FALSE, sizeof(WeftDay));
	while (weft_amount_next(&amounts, &amount))
		g_array_append_val(piece->amounts, amount);
	for (gsize at = 0; weft_day_next(bytes, size, &at, &day);)
		g_array_append_val(piece->days, day);
}

static void learn_usage(WeftStanding *standing)
{
	WeftUsageVotes votes = { 0 };

	for (guint i = 0; i < standing->pieces->len && !standing->is_usage_known; i++) {
		gsize size;
		const char *bytes = weft_running_text_bytes(load(standing, i)->text, &size);
		weft_usage_count(&votes, bytes, size);
	}
	if (!standing->is_usage_known)
		weft_usage_fill(&standing->usage, &votes);
	standing->is_usage_known = TRUE;
}

/* What is looked for, and what was found so far. */
typedef struct Meant {
	const char *text;      /* of the number or day, in its one spelling */
	WeftDecimal number;
	gboolean is_found, is_sure;
	WeftSpot spot;
	WeftReadings readings;
} Meant;

static void consider(Meant *meant, WeftSpot spot, const WeftReadings *readings)
{
	gboolean is_it = FALSE;

	for (guint i = 0; i < readings->n; i++)
		is_it |= strcmp(readings->values[i], meant->text) == 0;
	if (!is_it || (meant->is_found && readings->n > 1))
		return;
	meant->is_found = TRUE;
	meant->is_sure = readings->n == 1;
	meant->spot = spot;
	meant->readings = *readings;
}

static void look_at_amount(const WeftStanding *standing, const WeftAmount *amount, guint piece,
			   Meant *meant)
{
	if (!(amount->has_dot && weft_decimal_compare(amount->dot, meant->number) == 0) &&
	    !(amount->has_comma && weft_decimal_compare(amount->comma, meant->number) == 0))
		return;
	WeftReadings readings = weft_usage_read_amount(&standing->usage, amount);
	consider(meant, (WeftSpot){ piece, amount->first, amount->end }, &readings);
}

static void look_at_day(const WeftStanding *standing, const WeftDay *day, guint piece, Meant *meant)
{
	WeftReadings readings = weft_usage_read_day(&standing->usage, day);

	consider(meant, (WeftSpot){ piece, day->first, day->end }, &readings);
}

static gboolean look(WeftStanding *standing, gboolean is_day, const WeftSearch *search, Meant *meant)
{
	Stretch stretch;

	learn_usage(standing);
	for (guint i = 0; i < standing->pieces->len && !meant->is_sure; i++) {
		if (!stretch_of(standing, i, search, &stretch))
			continue;
		Piece *piece = &g_array_index(standing->pieces, Piece, i);
		if (!piece->amounts)
			find_meanings(piece);
		for (guint k = 0; !is_day && k < piece->amounts->len && !meant->is_sure; k++) {
			const WeftAmount *amount = &g_array_index(piece->amounts, WeftAmount, k);
			if (amount->first >= stretch.first && amount->end <= stretch.end)
				look_at_amount(standing, amount, i, meant);
		}
		for (guint k = 0; is_day && k < piece->days->len && !meant->is_sure; k++) {
			const WeftDay *day = &g_array_index(piece->days, WeftDay, k);
			if (day->first >= stretch.first && day->end <= stretch.end)
				look_at_day(standing, day, i, meant);
		}
	}
	return meant->is_found;
}

gboolean weft_standing_number(WeftStanding *standing, WeftDecimal value, const WeftSearch *search,
			      WeftSpot *ret_spot, WeftReadings *ret_readings)
{
	char text[WEFT_DECIMAL_CHARS];
	Meant meant = { .text = text, .number = value };

	weft_decimal_write(value, text);
	if (!look(standing, FALSE, search, &meant))
		return FALSE;
	*ret_spot = meant.spot;
	*ret_readings = meant.readings;
	return TRUE;
}

gboolean weft_standing_day(WeftStanding *standing, const char *value, const WeftSearch *search,
			   WeftSpot *ret_spot, WeftReadings *ret_readings)
{
	Meant meant = { .text = value };

	if (!look(standing, TRUE, search, &meant))
		return FALSE;
	*ret_spot = meant.spot;
	*ret_readings = meant.readings;
	return TRUE;
}

void weft_standing_places(WeftStanding *standing, const WeftSpot *spot, GArray *places)
{
	weft_running_text_places(load(standing, spot->piece)->text, spot->first, spot->end, places);
}
