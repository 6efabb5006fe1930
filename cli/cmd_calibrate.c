/* cmd_calibrate.c - weft calibrate: is the model as sure as it is right?
 *
 * From what people say about answers (outputs/corrections.h): a table, a picture, and a line from
 * confidence to share of right values, which show and export use (outputs/calibration.h).
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "cli/records.h"
#include "cli/reliability_svg.h"

typedef struct Look {
	WeftOutputs *outputs;
	const WeftCorrections *corrections;
	GArray *all;          /* WeftObservation */
	GHashTable *fields;   /* a pointer without indices -> GArray of WeftObservation */
	GHashTable *models;   /* ids (char *) */
	guint n_records, n_unsure, n_lost;
} Look;

/* ---- looking ---- */

/* The pointer with a star in place of each index of a list. Caller frees. */
static char *field_of(const char *pointer)
{
	g_auto(GStrv) tokens = g_strsplit(pointer, "/", -1);

	for (gsize i = 0; tokens[i]; i++) {
		if (*tokens[i] && strspn(tokens[i], "0123456789") == strlen(tokens[i])) {
			g_free(tokens[i]);
			tokens[i] = g_strdup("*");
		}
	}
	return g_strjoinv("/", tokens);
}

static void note(Look *look, const char *pointer, const WeftObservation *one)
{
	g_autofree char *field = field_of(pointer);
	GArray *of_field = g_hash_table_lookup(look->fields, field);

	if (!of_field) {
		of_field = g_array_new(FALSE, FALSE, sizeof(WeftObservation));
		g_hash_table_insert(look->fields, g_steal_pointer(&field), of_field);
	}
	g_array_append_val(of_field, *one);
	g_array_append_val(look->all, *one);
}

static void tell(guint64 line, const char *what, const char *why)
{
	g_autofree char *shown = weft_path_display(what);

	fprintf(stderr, "weft calibrate: line %" G_GUINT64_FORMAT ": %s: %s\n", line, shown, why);
}

static void look_at_value(Look *look, const WeftJson *record, const char *id,
			  const WeftCorrection *correction)
{
	WeftValue found = weft_value_of(record, correction->pointer);
	g_autoptr(WeftJson) said = weft_json_parse(correction->value, strlen(correction->value),
						   WEFT_JSON_STRICT, NULL);
	g_autofree char *name = g_strconcat(id, correction->pointer, NULL);

	if (!found.value) {
		tell(correction->line, correction->pointer, "the answer had nothing there, so nobody was sure of it");
		look->n_lost++;
		return;
	}
	if (found.confidence < 0) {
		look->n_unsure++;
		return;
	}
	const WeftObservation one = {found.confidence, weft_json_is_equal(found.value, said),
				     g_str_hash(name)};
	const char *model = weft_json_string(weft_json_at_pointer(record, "/model/id"), NULL);

	if (model)
		g_hash_table_add(look->models, g_strdup(model));
	note(look, correction->pointer, &one);
}

static void look_at_record(Look *look, const char *id)
{
	const GPtrArray *list = weft_corrections_of(look->corrections, id);
	const WeftCorrection *first = list->pdata[0];
	g_autoptr(GError) error = NULL;
	g_autofree char *path = weft_outputs_record_path(look->outputs, id, &error);
	g_autoptr(WeftJson) record = path ? weft_record_head(path, &error) : NULL;

	if (!record) {
		g_autofree char *why = weft_path_display(error->message);

		tell(first->line, id, why);
		look->n_lost += list->len;
		return;
	}
	look->n_records++;
	for (guint i = 0; i < list->len; i++)
		look_at_value(look, record, id, list->pdata[i]);
}

/* ---- printing ---- */

static double mean_confidence(const WeftReliability *all)
{
	double sum = 0;

	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++)
		sum += all->bins[i].confidence * (double)all->bins[i].n;
	return all->n > 0 ? sum / (double)all->n : 0;
}

static void print_line(const char *name, int width, guint64 n, double sure, guint64 n_right)
{
	int missing = width - (int)g_utf8_strlen(name, -1);

	printf("%s%*s  %6" G_GUINT64_FORMAT "  %5.3f  %5.3f", name, MAX(missing, 0), "", n, sure,
	       (double)n_right / (double)n);
}

static void print_bins(const WeftReliability *all)
{
	printf("confidence   values   sure  right\n");
	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++) {
		const WeftReliabilityBin *bin = &all->bins[i];
		g_autofree char *name = g_strdup_printf("%u.%u to %u.%u", i / 10, i % 10, (i + 1) / 10,
							(i + 1) % 10);

		if (bin->n == 0)
			continue;
		print_line(name, 11, bin->n, bin->confidence, bin->n_right);
		puts("");
	}
}

static void print_fields(const Look *look, const WeftReliability *all)
{
	g_autoptr(GPtrArray) names = weft_names_of_keys(look->fields);
	g_autoptr(GPtrArray) shown = g_ptr_array_new_with_free_func(g_free);
	int width = 11;

	for (guint i = 0; i < names->len; i++) {
		char *name = weft_path_display(names->pdata[i]);

		g_ptr_array_add(shown, name);
		width = MAX(width, MIN(60, (int)g_utf8_strlen(name, -1)));
	}
	printf("\n%-*s  values   sure  right    ECE  Brier\n", width, "field");
	for (guint i = 0; i < names->len; i++) {
		WeftReliability one = weft_reliability_of(g_hash_table_lookup(look->fields, names->pdata[i]));

		print_line(shown->pdata[i], width, one.n, mean_confidence(&one), one.n_right);
		printf("  %5.3f  %5.3f\n", one.ece, one.brier);
	}
	print_line("all", width, all->n, mean_confidence(all), all->n_right);
	printf("  %5.3f  %5.3f\n", all->ece, all->brier);
}

static void print_calibration(const WeftReliability *all, const WeftCalibration *calibration,
			      const WeftReliability *judged)
{
	puts("");
	if (judged)
		printf("calibrated: ECE %.3f, Brier %.3f (each fifth by a line through the other four)\n",
		       judged->ece, judged->brier);
	else if (calibration)
		puts("calibrated; too few values to say how well");
	else if (all->n > 0 && all->n == all->n_right)
		puts("not calibrated: all of these values are right");
	else if (all->n > 0 && all->n_right == 0)
		puts("not calibrated: all of these values are wrong; note right ones, too, with the value that the "
		     "answer has");
	else
		printf("not calibrated: that needs %u values, right ones and wrong ones\n",
		       WEFT_CALIBRATION_MIN);
}

/* ---- saving ---- */

static void write_reliability(WeftJsonWriter *w, const WeftReliability *all, gboolean with_bins)
{
	weft_json_write_key(w, "values");
	weft_json_write_uint(w, all->n);
	weft_json_write_key(w, "right");
	weft_json_write_uint(w, all->n_right);
	weft_json_write_key(w, "ece");
	(void)weft_json_write_double(w, all->ece);
	weft_json_write_key(w, "brier");
	(void)weft_json_write_double(w, all->brier);
	if (!with_bins)
		return;
	weft_json_write_key(w, "bins");
	weft_json_write_array(w);
	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++) {
		weft_json_write_object(w);
		weft_json_write_key(w, "values");
		weft_json_write_uint(w, all->bins[i].n);
		weft_json_write_key(w, "right");
		weft_json_write_uint(w, all->bins[i].n_right);
		weft_json_write_key(w, "confidence");
		(void)weft_json_write_double(w, all->bins[i].confidence);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

static gboolean save(const Look *look, const char *out, const WeftReliability *all,
		     const WeftCalibration *calibration, const WeftReliability *judged, GError **error)
{
	g_autofree char *path = g_build_filename(out, "calibration.json", NULL);
	g_autoptr(GPtrArray) fields = weft_names_of_keys(look->fields);
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter w;

	weft_json_writer_init(&w, text);
	weft_json_write_object(&w);
	weft_json_write_key(&w, "weft");
	weft_json_write_int(&w, 1);
	write_reliability(&w, all, TRUE);
	weft_json_write_key(&w, "fields");
	weft_json_write_object(&w);
	for (guint i = 0; i < fields->len; i++) {
		WeftReliability one = weft_reliability_of(g_hash_table_lookup(look->fields, fields->pdata[i]));

		weft_json_write_key(&w, fields->pdata[i]);
		weft_json_write_object(&w);
		write_reliability(&w, &one, FALSE);
		weft_json_write_object_end(&w);
	}
	weft_json_write_object_end(&w);
	if (judged) {
		weft_json_write_key(&w, "calibrated");
		weft_json_write_object(&w);
		write_reliability(&w, judged, FALSE);
		weft_json_write_object_end(&w);
	}
	if (calibration)
		weft_calibration_write(calibration, &w);
	weft_json_write_object_end(&w);
	g_string_append_c(text, '\n');
	return weft_file_write(path, text->str, text->len, error);
}

static gboolean conclude(Look *look, const char *out, const char *plot, GError **error)
{
	WeftReliability all = weft_reliability_of(look->all), judged;
	g_autoptr(WeftCalibration) calibration = weft_calibration_fit(look->all);
	g_autoptr(GPtrArray) models = weft_names_of_keys(look->models);
	gboolean is_judged = calibration && weft_calibration_judge(look->all, &judged);

	for (guint i = 0; calibration && i < models->len; i++)
		weft_calibration_add_model(calibration, models->pdata[i]);
	printf("%u corrections of %u records: %" G_GUINT64_FORMAT " values with a confidence, %" G_GUINT64_FORMAT
	       " of them right", weft_corrections_count(look->corrections), look->n_records, all.n,
	       all.n_right);
	if (look->n_unsure > 0)
		printf("; %u without a confidence", look->n_unsure);
	if (look->n_lost > 0)
		printf("; %u of no use", look->n_lost);
	puts("\n");
	if (all.n > 0) {
		print_bins(&all);
		print_fields(look, &all);
	}
	print_calibration(&all, calibration, is_judged ? &judged : NULL);
	g_autofree char *svg = plot ? weft_reliability_svg(&all, calibration) : NULL;
	return save(look, out, &all, calibration, is_judged ? &judged : NULL, error) &&
	       (!plot || weft_file_write(plot, svg, strlen(svg), error));
}

static int calibrate(WeftOutputs *outputs, const WeftSaid *said, const char *out, const char *plot,
		     GError **error)
{
	g_autoptr(GPtrArray) ids = weft_corrections_ids(said->corrections);
	Look look = {
		.outputs = outputs,
		.corrections = said->corrections,
		.all = g_array_new(FALSE, FALSE, sizeof(WeftObservation)),
		.fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)g_array_unref),
		.models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
	};

	for (guint i = 0; i < ids->len; i++)
		look_at_record(&look, ids->pdata[i]);
	gboolean is_saved = conclude(&look, out, plot, error);
	g_array_unref(look.all);
	g_hash_table_unref(look.fields);
	g_hash_table_unref(look.models);
	return is_saved ? WEFT_EXIT_DONE : WEFT_EXIT_OUTPUT;
}

int weft_cmd_calibrate(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	g_autofree char *out = NULL, *state = NULL, *corrections = NULL, *plot = NULL;
	const GOptionEntry entries[] = {
	    WEFT_CMD_OPTION_CORRECTIONS(&corrections),
	    {"plot", 0, 0, G_OPTION_ARG_FILENAME, &plot, "a picture of it, as SVG", "FILE"},
	    WEFT_CMD_OPTION_OUT(&out),
	    WEFT_CMD_OPTION_STATE(&state),
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context, "Compares how sure the model was of answers with what people say about them, and "
	             "makes a\ncalibration of it, OUT/calibration.json, by which show and export tell "
	             "how many values of\nthat confidence are right.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error) ||
	    !weft_cmd_takes_no_arguments(argc, argv, &error))
		return weft_cmd_fail("calibrate", &error, WEFT_EXIT_USAGE);
	const char *folder = out ? out : "weft-out";
	g_autofree char *usual = g_build_filename(folder, "corrections.csv", NULL);
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(folder, state, &error);
	g_auto(WeftSaid) said = {0};
	int code = WEFT_EXIT_NOT_STARTED;

	if (outputs && weft_said_corrections(&said, "calibrate", corrections ? corrections : usual, &error))
		code = calibrate(outputs, &said, folder, plot, &error);
	return error ? weft_cmd_fail("calibrate", &error, code) : code;
}
