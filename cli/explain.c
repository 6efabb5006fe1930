#include "cli/explain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/media_file.h"
#include "cli/original.h"
#include "pipeline/pipeline.h"

#define CROP_DPI 200
#define MARGIN_POINTS 12.0
#define AROUND_S 1.0
#define VALUES_MAX 50u     /* of a list or an object */
#define EVIDENCE_MAX 8u    /* of one value */
#define LINES_MAX 1000u    /* of one quote */
#define SENTENCE_CHARS 240 /* to each side of the quote */
#define SLUG_BYTES 60

/* ---- printing ---- */

static void print_fact(const char *name, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void print_fact(const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *shown = weft_path_display(text);
	printf("  %-11s %s\n", name, shown);
}

static const char *text_of(const WeftJson *object, const char *key)
{
	return weft_json_string(weft_json_member(object, key), NULL);
}

/* Of each kind of evidence what it is worth. */
static void print_kind(const WeftJson *evidence)
{
	static const char *const kinds[][2] = {
		{"copied", "nothing could be written that does not stand in the document"},
		{"derived", "the quote means that number or day"},
		{"pointed", "where the model looked: a hint, no evidence"},
		{"matched", "found in the document afterwards"},
		{"none", "it was not found in what was read"},
	};
	const char *kind = text_of(evidence, "kind");
	const WeftJson *readings = weft_json_member(evidence, "readings");
	guint64 n_occurrences;

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_strcmp0(kind, kinds[i][0]) == 0)
			print_fact("evidence", "%s: %s", kinds[i][0], kinds[i][1]);
	if (weft_json_length(readings) > 0) {
		g_autofree char *all = weft_json_compact(readings);

		print_fact("may mean", "%s", all);
	}
	if (weft_json_uint(weft_json_member(evidence, "occurrences"), &n_occurrences))
		print_fact("stands", "in %" G_GUINT64_FORMAT " places of what the model was shown", n_occurrences);
}

/* Lines of a page are one here. */
static void print_text(const char *name, const char *text)
{
	g_autofree char *line = g_strdelimit(g_strdup(text), "\n\t", ' ');

	print_fact(name, "%s", line);
}

/* What stands there for whoever looks at the place alone. */
static void print_confirmed(const WeftJson *evidence)
{
	gboolean confirmed;

	if (weft_json_bool(weft_json_member(evidence, "confirmed"), &confirmed))
		print_fact("confirmed", "%s", confirmed ? "yes: read alone, the place says the same"
							: "no: read alone, the place says something else");
	if (text_of(evidence, "read"))
		print_text("read there", text_of(evidence, "read"));
}

/* Whoever reads another script does not know where its sentences end: then as far as the limit. */
static gboolean is_sentence_end(const char *p)
{
	return (strchr(".!?", *p) && (p[1] == ' ' || p[1] == '\n')) || (p[0] == '\n' && p[1] == '\n');
}

/* Of a table the row. */
static void print_sentence(const WeftJson *content, const WeftJson *evidence)
{
	gboolean is_table = g_strcmp0(text_of(content, "kind"), "table") == 0;
	const char *text = text_of(content, "text");
	const WeftJson *chars = weft_json_member(evidence, "chars");
	glong n_chars = text ? g_utf8_strlen(text, -1) : 0;
	gint64 first, end;

	if (!weft_json_int(weft_json_at(chars, 0), &first) || !weft_json_int(weft_json_at(chars, 1), &end) ||
	    first < 0 || end <= first || end > n_chars)
		return;
	const char *from = g_utf8_offset_to_pointer(text, first), *quote = from;
	const char *behind = g_utf8_offset_to_pointer(from, end - first), *to = behind;

	for (int i = 0; from > text && i < SENTENCE_CHARS; i++) {
		const char *before = g_utf8_prev_char(from);

		if (is_table ? *before == '\n' : before > text && is_sentence_end(g_utf8_prev_char(before)))
			break;
		from = before;
	}
	for (int i = 0; *to && i < SENTENCE_CHARS; i++) {
		gboolean is_end = is_table ? *to == '\n' : is_sentence_end(to);

		to = g_utf8_next_char(to);
		if (is_end)
			break;
	}
	g_autoptr(GString) line = g_string_new_len(from, quote - from);
	g_string_append_c(line, '[');
	g_string_append_len(line, quote, behind - quote);
	g_string_append_c(line, ']');
	g_string_append_len(line, behind, to - behind);
	if (is_table)
		g_string_replace(line, "\t", " | ", 0);
	print_text(is_table ? "row" : "sentence", g_strstrip(line->str));
}

static void print_reader(const WeftJson *content)
{
	static const char *const readers[][2] = {
		{"file", "the file's own text"},
		{"ocr-layer", "text that the file lays over its picture"},
		{"bundle", "the model, from pixels"},
		{"tesseract", "Tesseract, from pixels"},
		{"whisper", "Whisper, from sound"},
		{"sidecar", "captions that lie beside the recording"},
	};
	const char *by = text_of(content, "by"), *speaker = text_of(content, "speaker");
	double confidence;

	if (!by)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(readers); i++)
		if (strcmp(by, readers[i][0]) == 0)
			by = readers[i][1];
	if (weft_json_double(weft_json_member(content, "confidence"), &confidence))
		print_fact("read by", "%s, sure of it %.3f", by, confidence);
	else
		print_fact("read by", "%s", by);
	if (speaker)
		print_fact("speaker", "%s", speaker);
}

static void print_value(const WeftExplain *explain, const WeftJson *record, const WeftValue *found)
{
	g_autofree char *value = weft_json_compact(found->value);
	const char *model = weft_json_string(weft_json_at_pointer(record, "/model/id"), NULL);
	const WeftCalibration *calibration = explain->said->calibration;
	double calibrated = calibration ? weft_calibration_apply(calibration, model ? model : "",
								  found->confidence) : -1;
	gboolean confirms = FALSE;

	print_fact("value", "%s", found->value ? value : "none");
	if (strcmp(found->status, "ok") != 0)
		print_fact("status", "%s", *found->status ? found->status : "the record has no answer");
	if (found->correction) {
		const char *who = text_of(found->correction, "who"), *when = text_of(found->correction, "when");
		g_autofree char *was = weft_json_compact(weft_json_member(found->correction, "was"));

		(void)weft_json_bool(weft_json_member(found->correction, "confirms"), &confirms);
		print_fact(confirms ? "confirmed" : "corrected", "by %s, %s%s%s", who && *who ? who : "somebody",
			   when && *when ? when : "who knows when", confirms ? "" : "; the answer was ",
			   confirms ? "" : was);
	}
	if (calibrated >= 0)
		print_fact("confidence", "%.3f, calibrated %.3f", found->confidence, calibrated);
	else if (found->confidence >= 0)
		print_fact("confidence", "%.3f", found->confidence);
}

/* ---- places ---- */

static gboolean read_numbers(const WeftJson *list, double *values, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (!weft_json_double(weft_json_at(list, i), &values[i]))
			return FALSE;
	return TRUE;
}

static guint32 read_count(const WeftJson *at, const char *key)
{
	guint64 value;

	return weft_json_uint(weft_json_member(at, key), &value) && value <= G_MAXUINT32 ? (guint32)value
											  : 0;
}

static WeftAnchor anchor_of(const WeftJson *at)
{
	WeftAnchor anchor = {.document = read_count(at, "document"),
			     .page = read_count(at, "page"),
			     .track = read_count(at, "track")};

	anchor.has_bbox = read_numbers(weft_json_member(at, "bbox"), anchor.bbox, 4);
	anchor.has_time = read_numbers(weft_json_member(at, "time"), anchor.time, 2);
	return anchor;
}

static void print_place(const WeftJson *record, const WeftAnchor *at)
{
	g_autoptr(GString) line = g_string_new(NULL);
	const WeftJson *parts = weft_json_at_pointer(record, "/source/parts");

	if (at->page > 0)
		g_string_append_printf(line, "page %u", at->page);
	if (at->has_time)
		g_string_append_printf(line, "%s%.2f s to %.2f s", line->len > 0 ? ", " : "", at->time[0],
				       at->time[1]);
	if (at->has_bbox)
		g_string_append_printf(line, "%sbox %g %g %g %g (%s from the top left)",
				       line->len > 0 ? ", " : "", at->bbox[0], at->bbox[1], at->bbox[2],
				       at->bbox[3], at->page > 0 ? "points" : "pixels");
	if (at->track > 0 && !at->has_bbox)
		g_string_append_printf(line, ", track %u", at->track);
	for (gsize i = 0; at->document > 0 && i < weft_json_length(parts); i++) {
		const char *name = text_of(weft_json_at(parts, i), "name");

		if (read_count(weft_json_at(parts, i), "n") == at->document && name)
			g_string_append_printf(line, " of %s", name);
	}
	print_fact("place", "%s", line->len > 0 ? line->str : "the document as a whole");
}

/* ---- crops ---- */

/* "items_0_price"; what a pointer has beside letters and digits makes it end in a hash, so
 * that no two are one name. Caller frees. */
static char *crop_name(const char *pointer)
{
	g_autoptr(GString) slug = g_string_new(NULL);
	gboolean is_exact = strlen(pointer) <= SLUG_BYTES;

	for (const char *p = *pointer == '/' ? pointer + 1 : pointer; *p && slug->len < SLUG_BYTES; p++) {
		gboolean is_plain = g_ascii_isalnum(*p) || *p == '-';

		is_exact &= is_plain || *p == '/';
		g_string_append_c(slug, is_plain ? *p : '_');
	}
	if (!is_exact) {
		g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, pointer, -1);

		g_string_append_printf(slug, "-%.8s", hash);
	}
	return g_strdup(slug->len > 0 ? slug->str : "answer");
}

/* The job that made the record knows where passwords are; where it is not kept, there are none. */
static WeftJob *read_job(const WeftExplain *explain, const WeftJson *record)
{
	const char *fingerprint = weft_json_string(weft_json_at_pointer(record, "/run/fingerprint"), NULL);
	g_autofree char *file = fingerprint ? weft_outputs_job_file(explain->outputs, fingerprint) : NULL;
	g_autoptr(WeftJob) job = weft_job_new();

	if (file)
		(void)weft_job_read(job, file, NULL); /* without, a locked document says that it is locked */
	g_ptr_array_add(job->passwords, NULL);
	return g_steal_pointer(&job);
}

/* Of the document, or of the one of several in which the place is. */
static const char *sha256_of(const WeftJson *record, guint32 document)
{
	const WeftJson *source = weft_json_member(record, "source");
	const WeftJson *parts = weft_json_member(source, "parts");

	for (gsize i = 0; document > 0 && i < weft_json_length(parts); i++)
		if (read_count(weft_json_at(parts, i), "n") == document)
			return text_of(weft_json_at(parts, i), "sha256");
	return text_of(source, "sha256");
}

void weft_explain_done(WeftExplain *explain)
{
	if (explain->path)
		close(explain->fd);
	g_clear_pointer(&explain->path, g_free);
	g_clear_pointer(&explain->sha256, g_free);
}

/* Opens the document of the place, or leaves it open; explain->path NULL: it is nowhere. */
static void find_original(WeftExplain *explain, const GPtrArray *paths, const char *sha256)
{
	const char *path = NULL;

	if (explain->path && g_strcmp0(explain->sha256, sha256) == 0)
		return;
	weft_explain_done(explain);
	explain->fd = sha256 ? weft_original_find(paths, sha256, &path) : -1;
	explain->path = g_strdup(path);
	explain->sha256 = g_strdup(sha256);
}

/* NULL with the reason. */
static WeftPart *cut(WeftExplain *explain, const WeftJson *record, const WeftAnchor *at,
		     GError **error)
{
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record);
	double height = at->has_bbox ? at->bbox[3] - at->bbox[1] : 0;

	find_original(explain, paths, sha256_of(record, at->document));
	if (!explain->path) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED,
			    "at %s is no file any more with the bytes that were read (moved, changed, or "
			    "gone); relative paths count from the current folder",
			    paths->len > 1 ? "none of its paths"
					   : paths->len == 1 ? (const char *)paths->pdata[0] : "no path");
		return NULL;
	}
	g_autoptr(WeftJob) job = read_job(explain, record);
	const WeftCropOptions options = {
		.page_dpi = CROP_DPI,
		/* a picture has no points: half a line is as much */
		.margin = at->page > 0 ? MARGIN_POINTS : MAX(MARGIN_POINTS, CLAMP(height / 2, 0, 1000)),
		.around_s = AROUND_S,
		.passwords = (const char *const *)job->passwords->pdata,
		.limits = job->limits,
	};
	return weft_crop(explain->ingest, explain->fd, explain->path, at, &options, error);
}

/* Of a quote on several lines: what its box has beside them goes halfway to white. */
static void fade_beside(WeftPart *part, const WeftJson *boxes)
{
	WeftRaster *raster = &part->raster;
	double unit = raster->points_per_pixel > 0 ? raster->points_per_pixel : 1, box[4];
	g_autofree guint8 *is_meant = g_malloc0((gsize)raster->width * raster->height);

	for (gsize i = 0; i < MIN(weft_json_length(boxes), LINES_MAX); i++) {
		if (!read_numbers(weft_json_at(boxes, i), box, 4))
			return;
		for (int k = 0; k < 4; k++) {
			double at = (box[k] - part->anchor.bbox[k % 2]) / unit + (k < 2 ? -1 : 1);

			box[k] = CLAMP(at, 0, k % 2 ? raster->height : raster->width);
		}
		for (guint32 y = (guint32)box[1]; y < box[3]; y++)
			for (guint32 x = (guint32)box[0]; x < box[2]; x++)
				is_meant[(gsize)y * raster->width + x] = 1;
	}
	for (gsize i = 0; i < (gsize)raster->width * raster->height; i++)
		for (int c = 0; c < 3 && !is_meant[i]; c++)
			raster->pixels[3 * i + c] = (guint8)((raster->pixels[3 * i + c] + 255) / 2);
}

static gboolean write_part(const WeftPart *part, const char *path, GError **error)
{
	const WeftRaster *raster = &part->raster;

	if (part->kind == WEFT_PART_PCM) {
		if (!weft_wav_write(path, part->pcm.samples, part->pcm.n_samples, WEFT_CROP_RATE_HZ, error))
			return FALSE;
		print_fact("clip", "%s (%.2f s to %.2f s)", path, part->anchor.time[0],
			   part->anchor.time[1]);
		return TRUE;
	}
	if (!weft_png_write(path, raster->pixels, raster->width, raster->height, error))
		return FALSE;
	print_fact("crop", "%s (%u x %u pixels)", path, raster->width, raster->height);
	return TRUE;
}

static gboolean write_crop(WeftExplain *explain, const WeftJson *record, const WeftAnchor *at,
			   const WeftJson *boxes, const char *name, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftPart) part = cut(explain, record, at, &failure);
	const char *id = text_of(record, "id");
	g_autofree char *folder = weft_outputs_crops_dir(explain->outputs, id ? id : "", error);

	if (!folder)
		return FALSE;

	if (!part) {
		print_fact("crop", "none: %s", failure->message);
		explain->is_missing = TRUE;
		return TRUE;
	}
	g_autofree char *file = g_strconcat(name, part->kind == WEFT_PART_PCM ? ".wav" : ".png", NULL);
	g_autofree char *path = g_build_filename(folder, file, NULL);

	if (part->kind != WEFT_PART_PCM && weft_json_length(boxes) > 0)
		fade_beside(part, boxes);
	return weft_folder_make(folder, 0700, error) && write_part(part, path, error);
}

/* ---- evidence ---- */

static gboolean explain_evidence(WeftExplain *explain, const WeftJson *record, const WeftJson *evidence,
				 const char *name, GError **error)
{
	const WeftJson *content = weft_value_content(record, text_of(evidence, "content"));
	const WeftJson *places = weft_json_member(evidence, "at"), *boxes = weft_json_member(evidence, "boxes");
	const char *quote = text_of(evidence, "quote");
	guint64 window;

	print_kind(evidence);
	if (quote)
		print_text("quote", quote);
	print_sentence(content, evidence);
	print_reader(content);
	print_confirmed(evidence);
	if (weft_json_uint(weft_json_member(evidence, "window"), &window))
		print_fact("window", "%" G_GUINT64_FORMAT, window);
	for (gsize i = 0; i < MIN(weft_json_length(places), EVIDENCE_MAX); i++) {
		WeftAnchor at = anchor_of(weft_json_at(places, i));
		g_autofree char *numbered = i > 0 ? g_strdup_printf("%s-at%" G_GSIZE_FORMAT, name, i + 1)
						  : g_strdup(name);

		print_place(record, &at);
		if (weft_json_length(boxes) > 0)
			print_fact("lines", "%" G_GSIZE_FORMAT "; what the box has beside them is pale in the crop",
				   weft_json_length(boxes));
		if ((at.page > 0 || at.has_bbox || at.has_time) &&
		    !write_crop(explain, record, &at, boxes, numbered, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean explain_value(WeftExplain *explain, const WeftJson *record, const char *pointer,
			      GError **error)
{
	WeftValue found = weft_value_of(record, pointer);
	g_autofree char *shown = weft_path_display(*pointer ? pointer : "the answer");
	g_autofree char *name = crop_name(pointer);

	puts(shown);
	print_value(explain, record, &found);
	WeftJsonType type = weft_json_type(found.value);
	if (!found.evidence && (type == WEFT_JSON_STRING || type == WEFT_JSON_NUMBER ||
				type == WEFT_JSON_TRUE || type == WEFT_JSON_FALSE))
		print_fact("evidence", "none is noted");
	for (gsize i = 0; i < MIN(weft_json_length(found.provenance), EVIDENCE_MAX); i++) {
		g_autofree char *numbered = i > 0 ? g_strdup_printf("%s-%" G_GSIZE_FORMAT, name, i + 1)
						  : g_strdup(name);

		if (!explain_evidence(explain, record, weft_json_at(found.provenance, i), numbered, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the walk ---- */

/* Scalars beneath; the reader of JSON bounds the depth. *n counts them, also those beyond the limit. */
static gboolean walk(WeftExplain *explain, const WeftJson *record, const WeftJson *value,
		     GString *pointer, guint *n, GError **error)
{
	gsize size = pointer->len;

	if (weft_json_length(value) == 0)
		return ++*n > VALUES_MAX || explain_value(explain, record, pointer->str, error);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		char number[24];
		const char *key = weft_json_key_at(value, i, NULL);

		if (!key) {
			g_snprintf(number, sizeof number, "%" G_GSIZE_FORMAT, i);
			key = number;
		}
		weft_json_pointer_add(pointer, key, strlen(key));
		if (!walk(explain, record, weft_json_at(value, i), pointer, n, error))
			return FALSE;
		g_string_truncate(pointer, size);
	}
	return TRUE;
}

/* Says what there is in its place: the members of the deepest object that the pointer reaches. */
static void refuse(const WeftJson *answer, const char *pointer, GError **error)
{
	g_autofree char *above = g_strdup(pointer);
	g_autoptr(GString) keys = g_string_new(NULL);
	const WeftJson *value = NULL;

	while (!value) {
		char *slash = strrchr(above, '/');

		if (slash)
			*slash = '\0';
		value = slash ? weft_json_at_pointer(answer, above) : answer;
		if (!slash)
			break;
	}
	for (gsize i = 0; i < MIN(weft_json_length(value), 20); i++) {
		const char *key = weft_json_key_at(value, i, NULL);

		if (key)
			g_string_append_printf(keys, "%s%s", i > 0 ? ", " : "", key);
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "the answer has nothing at %s%s%s%s", pointer,
		    keys->len > 0 ? "; there are " : "", keys->str,
		    *pointer && *pointer != '/' ? "; a pointer begins with /, as in /items/0/price" : "");
}

gboolean weft_explain(WeftExplain *explain, const WeftJson *record, const char *pointer,
                      GError **error)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const WeftJson *value = weft_json_at_pointer(answer, pointer);
	g_autoptr(GString) at = g_string_new(pointer);
	guint n = 0;

	if (!value) {
		refuse(answer, pointer, error);
		return FALSE;
	}
	if (!walk(explain, record, value, at, &n, error))
		return FALSE;
	if (n > VALUES_MAX)
		printf("and %u values more: name one of them\n", n - VALUES_MAX);
	return TRUE;
}
