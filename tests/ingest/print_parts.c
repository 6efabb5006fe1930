/* print_parts.c - decodes files and prints their parts, one line each, for tests and for people.
 *
 * print_parts HELPER_DIR FILE... [--words] [--dpi N] [--side N] [--password P] [--rasters DIR] [--read]
 *             [--interval S] [--no-sandbox]
 * Rasters are written as DIR/NNN.ppm; --read has Tesseract read them. Before each of several files
 * stands a line "file FILE". Exit 1 when one ended in an error.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/ingest.h"

typedef struct Arguments {
	gboolean words, reads, unlocked;
	double dpi;
	int side;
	char **passwords;
	char *rasters;
	double timeout_s, interval_s;
} Arguments;

static void print_anchor(const WeftAnchor *at)
{
	printf(" @");
	if (at->page)
		printf(" p%u", at->page);
	if (at->track)
		printf(" track%u", at->track);
	if (at->has_bbox)
		printf(" [%.2f %.2f %.2f %.2f]", at->bbox[0], at->bbox[1], at->bbox[2],
		       at->bbox[3]);
	if (at->has_time)
		printf(" (%.3f %.3f)", at->time[0], at->time[1]);
}

static void print_content(const WeftContent *content, const Arguments *arguments)
{
	g_autofree char *text = content->text ? g_strescape(content->text, NULL) : NULL;
	g_autofree char *plain = text ? g_strcompress(text) : NULL;
	printf("content %s by=%s%s", weft_content_kind_name(content->kind),
	       weft_by_name(content->by), content->hidden ? " hidden" : "");
	print_anchor(&g_array_index(content->anchors, WeftAnchor, 0));
	for (char *c = plain; c && *c; c++)
		if (*c == '\n')
			*c = '|';
	printf(" \"%s\"", plain ? plain : "");
	for (guint i = 0; arguments->words && content->words && i < content->words->len; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		const char *first = g_utf8_offset_to_pointer(content->text, word->char_first);
		const char *end = g_utf8_offset_to_pointer(content->text, word->char_end);
		printf("\nword \"%.*s\"", (int)(end - first), first);
		print_anchor(&word->at);
	}
}

static void write_ppm(const WeftRaster *raster, const char *dir, guint n)
{
	g_autofree char *path = g_strdup_printf("%s/%03u.ppm", dir, n);
	FILE *file = fopen(path, "wb");
	if (!file)
		return;
	fprintf(file, "P6\n%u %u\n255\n", raster->width, raster->height);
	fwrite(raster->pixels, 3, (gsize)raster->width * raster->height, file);
	fclose(file);
}

static void print_part(const WeftPart *part, const Arguments *arguments, guint n)
{
	switch (part->kind) {
	case WEFT_PART_CONTENT:
		print_content(part->content, arguments);
		break;
	case WEFT_PART_RASTER:
	case WEFT_PART_FRAME:
		printf("%s %ux%u ink=%.5f ppp=%.4f",
		       part->kind == WEFT_PART_FRAME ? "frame" : "raster", part->raster.width,
		       part->raster.height, part->raster.ink, part->raster.points_per_pixel);
		print_anchor(&part->anchor);
		if (arguments->rasters)
			write_ppm(&part->raster, arguments->rasters, n);
		break;
	case WEFT_PART_PCM:
		printf("pcm %zu rms=%.5f", part->pcm.n_samples, part->pcm.rms);
		if (part->pcm.channel)
			printf(" channel=%u", part->pcm.channel);
		print_anchor(&part->anchor);
		break;
	case WEFT_PART_PAGE:
		printf("page %u %.2fx%.2f rotation=%d ink=%.6f", part->page.n, part->page.width,
		       part->page.height, part->page.rotation, part->page.ink);
		break;
	case WEFT_PART_TRACK:
		printf("track %u %s lang=%s %.3f", part->track.n, part->track.kind,
		       part->track.language, part->track.seconds);
		break;
	case WEFT_PART_META:
		printf("meta %s=%s", part->key, part->value);
		break;
	case WEFT_PART_OUTLINE:
		printf("outline %u p%u %s", part->level, part->anchor.page, part->value);
		break;
	case WEFT_PART_EMBEDDED:
		printf("embedded %s %" G_GUINT64_FORMAT, part->value, part->size_bytes);
		break;
	case WEFT_PART_FAULT:
		printf("fault %s: %s", weft_error_code_name(part->fault->code),
		       part->fault->message);
		print_anchor(&part->anchor);
		break;
	case WEFT_PART_EXTENT:
		printf("extent %u+%u pages, %.3f+%.3f s", part->extent.n_pages,
		       part->extent.n_pages_cut, part->extent.sound_s, part->extent.sound_s_cut);
		break;
	}
	printf("\n");
}

static void read_raster(WeftIngest *ingest, WeftReader **reader, const WeftPart *part,
                        const Arguments *arguments, GError **error)
{
	g_autoptr(GPtrArray) contents = NULL;
	if (!*reader)
		*reader = weft_ingest_reader(ingest, NULL, NULL, error);
	if (!*reader ||
	    !weft_reader_read(*reader, &part->raster, part->anchor, &contents, error))
		return;
	for (guint i = 0; i < contents->len; i++) {
		print_content(g_ptr_array_index(contents, i), arguments);
		printf("\n");
	}
}

static int print_document(WeftIngest *ingest, const char *path, const Arguments *arguments)
{
	g_autoptr(GError) error = NULL;
	WeftSniff sniff;
	WeftDecodeOptions options = {
	    .page_dpi = arguments->dpi,
	    .raster_side_max = (guint32)arguments->side,
	    .want_rasters = TRUE,
	    .want_pcm = TRUE,
	    .passwords = (const char *const *)arguments->passwords,
	    .limits.total_s = arguments->timeout_s,
	    .frame_interval_s = arguments->interval_s,
	};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	WeftDecoding *decoding = NULL;
	WeftReader *reader = NULL;
	WeftPart *part = NULL;
	if (fd >= 0 && weft_sniff(fd, &sniff, &error)) {
		printf("sniff %s \"%s\"%s%s\n", sniff.media_type, sniff.name,
		       sniff.hint ? " hint: " : "", sniff.hint ? sniff.hint : "");
		decoding = weft_ingest_decode(ingest, &sniff, fd, path, &options, &error);
	}
	for (guint n = 0; decoding && weft_decoding_next(decoding, &part, &error) && part; n++) {
		print_part(part, arguments, n);
		if (arguments->reads && part->raster.pixels && !error)
			read_raster(ingest, &reader, part, arguments, &error);
		g_clear_pointer(&part, weft_part_free);
	}
	if (error)
		printf("error %s: %s\n", weft_error_code_name(error->code), error->message);
	weft_reader_close(reader);
	weft_decoding_close(decoding);
	if (fd >= 0)
		close(fd);
	return error ? 1 : 0;
}

static int print_documents(const char *dir, char **paths, int n_paths, const Arguments *arguments)
{
	g_autoptr(GError) error = NULL;
	WeftIngest *ingest = weft_ingest_open(dir, &error);
	int code = 0;
	if (ingest && weft_ingest_lock(ingest, !arguments->unlocked, &error)) {
		for (int i = 0; i < n_paths; i++) {
			if (n_paths > 1)
				printf("file %s\n", paths[i]);
			code |= print_document(ingest, paths[i], arguments);
		}
	}
	if (error)
		printf("error %s: %s\n", weft_error_code_name(error->code), error->message);
	weft_ingest_close(ingest);
	return error ? 1 : code;
}

int main(int argc, char **argv)
{
	Arguments arguments = {.interval_s = 10};
	const GOptionEntry entries[] = {
	    {"words", 0, 0, G_OPTION_ARG_NONE, &arguments.words, NULL, NULL},
	    {"read", 0, 0, G_OPTION_ARG_NONE, &arguments.reads, NULL, NULL},
	    {"no-sandbox", 0, 0, G_OPTION_ARG_NONE, &arguments.unlocked, NULL, NULL},
	    {"dpi", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.dpi, NULL, NULL},
	    {"side", 0, 0, G_OPTION_ARG_INT, &arguments.side, NULL, NULL},
	    {"interval", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.interval_s, NULL, NULL},
	    {"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.timeout_s, NULL, NULL},
	    {"password", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.passwords, NULL, NULL},
	    {"rasters", 0, 0, G_OPTION_ARG_FILENAME, &arguments.rasters, NULL, NULL},
	    {NULL, 0, 0, 0, NULL, NULL, NULL},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("HELPER_DIR FILE...");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, NULL) || argc < 3) {
		fprintf(stderr, "usage: print_parts HELPER_DIR FILE...\n");
		return 2;
	}
	return print_documents(argv[1], argv + 2, argc - 2, &arguments);
}
