#include "encoders/encoders_private.h"

gsize weft_image_n_tokens(const WeftEncoders *encoders, gsize n_rows, gsize n_cols)
{
	gsize n = encoders->tokens_per_tile;

	if (n_rows * n_cols == 1)
		return n + 3;
	return n + 3 + n * n_rows * n_cols + n_rows * (n_cols - 1) + n_rows;
}

gboolean weft_image_init(WeftImage *image, const WeftEncoders *encoders, gboolean single_tile,
			 GError **error)
{
	WeftTiles tiles = { 0 };
	gsize n_rows;

	if (!weft_encoders_tiles(encoders, image->raster, single_tile, &tiles, error))
		return FALSE;
	gboolean seen = weft_encoders_see(encoders, &tiles, image->adapter, &image->rows, &n_rows,
					  error);

	g_free(tiles.pixels);
	image->n_rows = tiles.n_rows;
	image->n_cols = tiles.n_cols;
	return seen;
}

void weft_image_done(WeftImage *image)
{
	g_clear_pointer(&image->rows, g_free);
}

/* The box of a picture: the anchor's, else that of the whole raster in the anchor's units. */
static void picture_box(const WeftImage *image, double box[4])
{
	const WeftAnchor *anchor = &image->anchor;
	double points = image->raster->points_per_pixel;
	double unit = points > 0 ? points : 1;

	box[0] = anchor->has_bbox ? anchor->bbox[0] : 0;
	box[1] = anchor->has_bbox ? anchor->bbox[1] : 0;
	box[2] = anchor->has_bbox ? anchor->bbox[2] : image->raster->width * unit;
	box[3] = anchor->has_bbox ? anchor->bbox[3] : image->raster->height * unit;
}

/* What of the picture a tile shows, and how much of the tile that is. */
typedef struct Shown {
	WeftAnchor anchor;
	double share[2]; /* across and down; 0: it is nothing but padding, and the anchor says the whole */
} Shown;

static Shown shown_in(const WeftImage *image, const WeftTiling *tiling, gsize row, gsize col)
{
	Shown shown = { .anchor = image->anchor };
	double box[4], side = tiling->side, at[2] = { (double)col, (double)row };
	guint32 size[2];

	picture_box(image, box);
	weft_tiling_fit(tiling, image->raster->width, image->raster->height,
			(guint32)image->n_rows, (guint32)image->n_cols, &size[0], &size[1]);
	for (int axis = 0; axis < 2; axis++) {
		double first = MIN(at[axis] * side, size[axis]);
		double end = MIN((at[axis] + 1) * side, size[axis]);
		double unit = (box[axis + 2] - box[axis]) / size[axis];

		if (first >= end)
			return (Shown){ .anchor = image->anchor };
		shown.share[axis] = (end - first) / side;
		shown.anchor.bbox[axis] = box[axis] + first * unit;
		shown.anchor.bbox[axis + 2] = box[axis] + end * unit;
	}
	shown.anchor.has_bbox = TRUE;
	return shown;
}

/* All of it, squeezed into one tile. */
static Shown shown_whole(const WeftImage *image)
{
	Shown shown = { .anchor = image->anchor, .share = { 1, 1 } };

	picture_box(image, shown.anchor.bbox);
	shown.anchor.has_bbox = TRUE;
	return shown;
}

static void add_tile(const WeftImage *image, const WeftEncoders *encoders, gsize i, Shown shown,
		     WeftSequence *sequence)
{
	gsize first = weft_sequence_length(sequence), n = encoders->tokens_per_tile;

	weft_sequence_add_rows(sequence, encoders->image_ids.patch,
			       image->rows + i * n * encoders->width, n);
	weft_sequence_add_tile(sequence, first, shown.anchor, shown.share, image->content);
}

static void add_mark(const WeftImage *image, gint32 id, WeftSequence *sequence)
{
	gsize first = weft_sequence_length(sequence);

	weft_sequence_add_id(sequence, id);
	weft_sequence_add_span(sequence, WEFT_SPAN_TEXT, first, image->anchor,
			       WEFT_SPAN_NO_CONTENT);
}

void weft_image_append(const WeftImage *image, const WeftEncoders *encoders,
		       WeftSequence *sequence)
{
	const WeftImageIds *ids = &encoders->image_ids;
	gsize n_cells = image->n_rows * image->n_cols;

	add_mark(image, ids->start, sequence);
	for (gsize i = 0; n_cells > 1 && i < n_cells; i++) {
		gsize row = i / image->n_cols, col = i % image->n_cols;

		add_tile(image, encoders, i, shown_in(image, &encoders->tiling, row, col), sequence);
		add_mark(image, col + 1 < image->n_cols ? ids->column_end : ids->row_end, sequence);
	}
	add_mark(image, ids->image, sequence);
	if (n_cells > 1)
		add_tile(image, encoders, n_cells, shown_whole(image), sequence);
	else
		add_tile(image, encoders, 0, shown_in(image, &encoders->tiling, 0, 0), sequence);
	add_mark(image, ids->end, sequence);
}

gboolean weft_encoders_add_image(const WeftEncoders *encoders, WeftSequence *sequence,
				 const WeftRaster *raster, gboolean single_tile,
				 const WeftLora *adapter, GError **error)
{
	WeftImage image = { .raster = raster, .adapter = adapter, .content = WEFT_SPAN_NO_CONTENT };

	if (!weft_image_init(&image, encoders, single_tile, error))
		return FALSE;
	weft_image_append(&image, encoders, sequence);
	weft_image_done(&image);
	return TRUE;
}
