/* routing_svg.c - expert use as a picture: a panel for each layer, documents by experts.
 *
 * Colours are steps of load, an expert's share over the even share, so that models with any number
 * of experts look alike: even use is one middle blue, collapse a dark column beside unused ones.
 * Cells of one step in a panel are one path, so that 128 experts by 40 documents stay small.
 */
#include "base/files.h"
#include "cli/model_inspect.h"

#define DOCUMENTS_MAX 40 /* rows; more are only in the last row, which has all */
#define WIDTH 1120
#define MARGIN 20
#define LABEL_WIDTH 150
#define LABEL_CHARS 24
#define PANEL_WIDTH_MIN 176 /* for the line above it */
#define CELL_WIDTH_MIN 3
#define DIVIDED_WIDTH_MIN 6 /* from here on there is room for a line between experts */
#define ROW_HEIGHT 11
#define ALL_GAP 4 /* above the last row */
#define HEAD_HEIGHT 92
#define PANEL_HEAD 18
#define PANEL_GAP 22

/* Loads below `end`; the first is for experts that nothing chose. */
static const struct {
	double end;
	const char *colour, *label;
} STEPS[] = {
    {0, "#fde0c2", "unused"},  {0.25, "#eef4fb", "below 0.25"},
    {0.5, "#d5e5f4", "below 0.5"},   {0.75, "#b5d1eb", "below 0.75"},
    {1.25, "#86b7de", "even"}, {1.75, "#5797cc", "below 1.75"},
    {2.5, "#3475b3", "below 2.5"},   {4, "#1b5294", "below 4"},
    {G_MAXDOUBLE, "#08275c", "4 times the even share, or more"},
};

typedef struct Layout {
	gsize n_rows;      /* documents shown */
	gsize cell_width, panel_width, panel_height, n_columns;
} Layout;

static Layout layout_of(const WeftRouting *routing, gsize n_documents)
{
	Layout layout = {.n_rows = MIN(n_documents, DOCUMENTS_MAX)};
	layout.cell_width = MAX(PANEL_WIDTH_MIN / MAX(routing->n_experts, 1), CELL_WIDTH_MIN);
	layout.panel_width = layout.cell_width * routing->n_experts;
	layout.panel_height = PANEL_HEAD + (layout.n_rows + 1) * ROW_HEIGHT + ALL_GAP;
	layout.n_columns = MAX((WIDTH - 2 * MARGIN - LABEL_WIDTH + PANEL_GAP) /
	                           (MAX(layout.panel_width, PANEL_WIDTH_MIN) + PANEL_GAP), 1);
	return layout;
}

static gsize step_of(const WeftRouting *routing, gsize layer, gsize expert)
{
	double load = weft_routing_share(routing, layer, expert) * (double)routing->n_experts;
	gsize step = load > 0 ? 1 : 0;
	while (step > 0 && load >= STEPS[step].end)
		step++;
	return step;
}

static void append_text(GString *svg, gsize x, gsize y, const char *style, const char *text)
{
	g_autofree char *shown = weft_path_display(text);
	g_autofree char *escaped = g_markup_escape_text(shown, -1);
	g_string_append_printf(svg, "<text x=\"%zu\" y=\"%zu\" %s>%s</text>\n", x, y, style, escaped);
}

static gsize row_y(const Layout *layout, gsize row)
{
	return PANEL_HEAD + row * ROW_HEIGHT + (row == layout->n_rows ? ALL_GAP : 0);
}

static void append_cells(GString *svg, const Layout *layout, const GPtrArray *routings,
                         const WeftRouting *all, gsize layer, gsize step)
{
	gsize begin = svg->len;
	for (gsize row = 0; row <= layout->n_rows; row++) {
		const WeftRouting *routing =
		    row < layout->n_rows ? g_ptr_array_index(routings, row) : all;
		for (gsize e = 0, first; e < all->n_experts; e++) {
			if (step_of(routing, layer, e) != step)
				continue;
			for (first = e; e + 1 < all->n_experts && step_of(routing, layer, e + 1) == step;)
				e++;
			gsize width = (e + 1 - first) * layout->cell_width;
			g_string_append_printf(svg, "M%zu %zuh%zuv%dh-%zuz", first * layout->cell_width,
			                       row_y(layout, row), width, ROW_HEIGHT - 1, width);
		}
	}
	if (svg->len == begin)
		return;
	g_autofree char *head = g_strdup_printf("<path fill=\"%s\" d=\"", STEPS[step].colour);
	g_string_insert(svg, (gssize)begin, head);
	g_string_append(svg, "\"/>\n");
}

static void append_panel(GString *svg, const Layout *layout, const GPtrArray *routings,
                         const WeftRouting *all, gsize layer)
{
	WeftRoutingFigures figures;
	weft_routing_figures(all, layer, &figures);
	g_autofree char *head =
	    figures.is_collapsed
	        ? g_strdup_printf("layer %u: collapsed to %.1f of %zu", all->layers[layer],
	                          figures.effective, all->n_experts)
	        : g_strdup_printf("layer %u: %.1f of %zu, max %.1f", all->layers[layer],
	                          figures.effective, all->n_experts, figures.load_max);
	append_text(svg, 0, PANEL_HEAD - 6,
	            figures.is_collapsed ? "class=\"p bad\"" : "class=\"p\"", head);
	for (gsize step = 0; step < G_N_ELEMENTS(STEPS); step++)
		append_cells(svg, layout, routings, all, layer, step);
	if (layout->cell_width < DIVIDED_WIDTH_MIN)
		return;
	g_string_append(svg, "<path stroke=\"#ffffff\" d=\"");
	for (gsize e = 1; e < all->n_experts; e++)
		g_string_append_printf(svg, "M%zu %dv%zu", e * layout->cell_width, PANEL_HEAD,
		                       layout->panel_height - PANEL_HEAD);
	g_string_append(svg, "\"/>\n");
}

static void append_labels(GString *svg, const Layout *layout, const GPtrArray *labels)
{
	for (gsize row = 0; row <= layout->n_rows; row++) {
		const char *label =
		    row < layout->n_rows ? g_ptr_array_index(labels, row) : "all together";
		g_autofree char *cut = g_utf8_strlen(label, -1) > LABEL_CHARS
		                           ? g_utf8_substring(label, 0, LABEL_CHARS - 1)
		                           : NULL;
		g_autofree char *shown = g_strdup_printf("%s%s", cut ? cut : label, cut ? "…" : "");
		append_text(svg, LABEL_WIDTH - 8, row_y(layout, row) + ROW_HEIGHT - 2, "class=\"r\"",
		            shown);
	}
}

static void append_head(GString *svg, const char *title, gsize n_shown, gsize n_documents)
{
	g_autofree char *heading = g_strdup_printf("Which experts %s uses", title);
	g_autofree char *note = g_strdup_printf(
	    "%zu of %zu texts, one a row; experts from left to right. Colour: an expert's share over the even "
	    "share. Above each layer: how many are in effect, the largest share.", n_shown, n_documents);
	append_text(svg, MARGIN, 32, "class=\"h\"", heading);
	append_text(svg, MARGIN, 52, "class=\"n\"", note);
	for (gsize step = 0; step < G_N_ELEMENTS(STEPS); step++) {
		gsize x = MARGIN + step * 96;
		g_string_append_printf(svg, "<rect x=\"%zu\" y=\"64\" width=\"14\" height=\"11\" fill=\"%s\"/>\n",
		                       x, STEPS[step].colour);
		append_text(svg, x + 20, 74, "class=\"n\"", STEPS[step].label);
	}
}

char *weft_routing_svg(const char *title, const GPtrArray *labels, const GPtrArray *routings)
{
	g_return_val_if_fail(routings->len > 0 && labels->len == routings->len, NULL);
	g_autoptr(WeftRouting) all = weft_routing_copy(g_ptr_array_index(routings, 0));
	Layout layout = layout_of(all, routings->len);
	gsize n_lines = (all->n_layers + layout.n_columns - 1) / layout.n_columns;
	gsize column_width = MAX(layout.panel_width, PANEL_WIDTH_MIN) + PANEL_GAP;
	gsize width = MAX((gsize)WIDTH, 2 * MARGIN + LABEL_WIDTH + layout.n_columns * column_width);
	gsize height = HEAD_HEIGHT + n_lines * (layout.panel_height + PANEL_GAP) + MARGIN;
	GString *svg = g_string_new(NULL);

	for (guint i = 1; i < routings->len; i++)
		weft_routing_add(all, g_ptr_array_index(routings, i));
	g_string_append_printf(
	    svg,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\">\n"
	    "<style>text{font-family:sans-serif;fill:#222}.h{font-size:18px;font-weight:bold}"
	    ".n{font-size:12px;fill:#555}.p{font-size:11px}.bad{fill:#b00020;font-weight:bold}"
	    ".r{font-size:10px;text-anchor:end;fill:#444}</style>\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
	    width, height, width, height);
	append_head(svg, title, layout.n_rows, routings->len);
	for (gsize i = 0; i < all->n_layers; i++) {
		gsize column = i % layout.n_columns;
		gsize x = MARGIN + LABEL_WIDTH + column * column_width;
		gsize y = HEAD_HEIGHT + i / layout.n_columns * (layout.panel_height + PANEL_GAP);
		if (column == 0) {
			g_string_append_printf(svg, "<g transform=\"translate(%d %zu)\">\n", MARGIN, y);
			append_labels(svg, &layout, labels);
			g_string_append(svg, "</g>\n");
		}
		g_string_append_printf(svg, "<g transform=\"translate(%zu %zu)\">\n", x, y);
		append_panel(svg, &layout, routings, all, i);
		g_string_append(svg, "</g>\n");
	}
	g_string_append(svg, "</svg>\n");
	return g_string_free(svg, FALSE);
}
