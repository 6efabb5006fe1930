#include "ingest/ocr_ground.h"

#include <string.h>

#define SIDE_MAX 1200u     /* areas are looked for in a copy no larger than this */
#define DARK_LEVEL 120     /* 8 bit; blues and reds of slides are below it */
#define GROUND_SHARE 0.002 /* of the picture: a bar of 60 x 40 in 1200 x 1000 */
#define SOLID_REACH 3u /* solid: dark for so many pixels on all sides; lines of tables are not */
#define SOLID_SHARE 0.3
#define LETTERS_MIN 2u
#define LETTER_SHARE 8u /* letters are lower than this part of the longer side */

typedef struct Area {
	gboolean dark, border, inverted;
	guint32 n_pixels, n_solid;
	guint32 y_first, y_last;
	guint32 ground;            /* an inverted area that it touches */
	guint32 n_letters;         /* of a ground: light areas that it encloses */
	guint32 n_beside;          /* sides of pixels that touch another area */
	guint32 n_beside_inverted; /* of them, areas that are inverted */
} Area;

typedef struct Map {
	guint32 width, height, cell; /* `cell` x `cell` pixels of the picture are one here */
	guint8 *dark, *solid;
	gint32 *label; /* index of an Area, -1: none yet */
	guint32 *stack;
	GArray *areas;
} Map;

static void map_done(Map *map)
{
	g_free(map->dark);
	g_free(map->solid);
	g_free(map->label);
	g_free(map->stack);
	if (map->areas)
		g_array_unref(map->areas);
}

static void find_dark(Map *map, const guint8 *pixels, guint32 width)
{
	for (guint32 y = 0; y < map->height; y++)
		for (guint32 x = 0; x < map->width; x++) {
			guint sum = 0;
			for (guint32 i = 0; i < map->cell * map->cell; i++)
				sum += pixels[(gsize)(y * map->cell + i / map->cell) * width +
				              x * map->cell + i % map->cell];
			map->dark[y * map->width + x] = sum < DARK_LEVEL * map->cell * map->cell;
		}
}

/* `to` is set where `from` is for SOLID_REACH on both sides along one direction. */
static void erode(const guint8 *from, guint8 *to, guint32 n_lines, guint32 line_step, guint32 n,
                  guint32 step)
{
	for (guint32 k = 0; k < n_lines; k++) {
		guint32 run = 0;
		for (guint32 i = 0; i < n; i++) {
			gsize at = (gsize)k * line_step + (gsize)i * step;
			run = from[at] ? run + 1 : 0;
			to[at] = 0;
			if (run > 2 * SOLID_REACH)
				to[at - (gsize)SOLID_REACH * step] = 1;
		}
	}
}

static void fill(Map *map, guint32 start)
{
	guint32 index = map->areas->len, n = 0;
	Area area = {.dark = map->dark[start], .y_first = start / map->width};
	map->stack[n++] = start;
	map->label[start] = (gint32)index;
	while (n) {
		guint32 at = map->stack[--n], x = at % map->width, y = at / map->width;
		area.n_pixels++;
		area.n_solid += map->solid[at];
		area.y_last = MAX(area.y_last, y);
		area.border |= x == 0 || y == 0 || x == map->width - 1 || y == map->height - 1;
		const guint32 next[4] = {x ? at - 1 : at, x + 1 < map->width ? at + 1 : at,
		                         y ? at - map->width : at,
		                         y + 1 < map->height ? at + map->width : at};
		for (guint i = 0; i < 4; i++) {
			if (map->label[next[i]] >= 0 || map->dark[next[i]] != area.dark)
				continue;
			map->label[next[i]] = (gint32)index;
			map->stack[n++] = next[i];
		}
	}
	g_array_append_val(map->areas, area);
}

/* Counts, for each area, what it touches. */
static void look_around(Map *map)
{
	for (guint i = 0; i < map->areas->len; i++) {
		Area *area = &g_array_index(map->areas, Area, i);
		area->n_beside = area->n_beside_inverted = 0;
	}
	for (guint32 at = 0; at < map->width * map->height; at++) {
		const guint32 next[2] = {
		    (at + 1) % map->width ? at + 1 : at,
		    at + map->width < map->width * map->height ? at + map->width : at};
		for (guint i = 0; i < 2; i++) {
			if (map->label[at] == map->label[next[i]])
				continue;
			Area *a = &g_array_index(map->areas, Area, map->label[at]);
			Area *b = &g_array_index(map->areas, Area, map->label[next[i]]);
			a->n_beside++;
			b->n_beside++;
			a->n_beside_inverted += b->inverted;
			b->n_beside_inverted += a->inverted;
			if (b->inverted)
				a->ground = (guint32)map->label[next[i]];
			if (a->inverted)
				b->ground = (guint32)map->label[at];
		}
	}
}

/* Small areas of one kind that lie mostly in inverted ones are inverted, too. */
static void take_enclosed(Map *map, gboolean dark)
{
	guint32 lowest = MAX(map->width, map->height) / LETTER_SHARE;
	look_around(map);
	for (guint i = 0; i < map->areas->len; i++) {
		Area *area = &g_array_index(map->areas, Area, i);
		if (area->dark == dark && !area->border && !area->inverted &&
		    area->y_last - area->y_first < lowest &&
		    area->n_beside_inverted * 10 > area->n_beside * 6) {
			area->inverted = TRUE;
			g_array_index(map->areas, Area, area->ground).n_letters++;
		}
	}
}

/* Ground without letters is a drawing, such as the bars of a chart, and stays as it is. */
static void leave_drawings(Map *map)
{
	for (guint i = 0; i < map->areas->len; i++) {
		Area *area = &g_array_index(map->areas, Area, i);
		const Area *ground =
		    area->dark ? area : &g_array_index(map->areas, Area, area->ground);
		if (area->inverted && ground->n_letters < LETTERS_MIN)
			area->inverted = FALSE;
	}
}

static gboolean find_ground(Map *map)
{
	guint32 n = map->width * map->height;
	gboolean found = FALSE;
	for (guint32 at = 0; at < n; at++)
		if (map->label[at] < 0)
			fill(map, at);
	for (guint i = 0; i < map->areas->len; i++) {
		Area *area = &g_array_index(map->areas, Area, i);
		area->inverted = area->dark && area->n_pixels > GROUND_SHARE * n &&
		                 area->n_solid > SOLID_SHARE * area->n_pixels;
		found |= area->inverted;
	}
	if (found) {
		take_enclosed(map, FALSE); /* letters */
		leave_drawings(map);
		take_enclosed(map, TRUE); /* what is inside of them */
	}
	return found;
}

void weft_ocr_even_ground(guint8 *pixels, guint32 width, guint32 height)
{
	guint32 cell = (MAX(width, height) + SIDE_MAX - 1) / SIDE_MAX;
	if (width < cell || height < cell)
		return;
	Map map = {.width = width / cell, .height = height / cell, .cell = cell};
	gsize n = (gsize)map.width * map.height;
	map.dark = g_try_malloc(n);
	map.solid = g_try_malloc(n);
	map.label = g_try_malloc(n * sizeof *map.label);
	map.stack = g_try_malloc(n * sizeof *map.stack);
	map.areas = g_array_new(FALSE, FALSE, sizeof(Area));
	if (map.dark && map.solid && map.label && map.stack) {
		guint8 *across = (guint8 *)map.stack; /* not needed yet */
		find_dark(&map, pixels, width);
		erode(map.dark, across, map.height, map.width, map.width, 1);
		erode(across, map.solid, map.width, 1, map.height, map.width);
		memset(map.label, 0xff, n * sizeof *map.label);
		gboolean found = find_ground(&map);
		for (guint32 y = 0; found && y < height; y++)
			for (guint32 x = 0; x < width; x++) {
				gsize at = (gsize)MIN(y / cell, map.height - 1) * map.width +
				           MIN(x / cell, map.width - 1);
				guint8 *pixel = &pixels[(gsize)y * width + x];
				if (g_array_index(map.areas, Area, map.label[at]).inverted)
					*pixel = 255 - *pixel;
			}
	}
	map_done(&map);
}
