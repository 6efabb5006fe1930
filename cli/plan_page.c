#include "cli/plan_page.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"

static double energy_kwh(const WeftPlanPage *page, double seconds)
{
	return page->machine->watts * seconds / 3.6e6;
}

/* ---- the page ---- */

static void print_head(const WeftPlanPage *page)
{
	const WeftPlan *plan = page->plan;

	printf("%s  %s, %" G_GSIZE_FORMAT " layers", page->name, plan->config->model_type,
	       plan->n_layers);
	if (plan->n_moe_layers > 0)
		printf(", %" G_GSIZE_FORMAT " of them with %" G_GSIZE_FORMAT
		       " experts (%" G_GSIZE_FORMAT " for each token)",
		       plan->n_moe_layers, plan->n_experts, plan->n_experts_active);
	printf("\n");
	if (plan->is_assumed)
		printf("The folder has no weights: sizes follow from its configuration, types are "
		       "assumed (--type).\n");
}

static char *types_of(const WeftPlan *plan, int group)
{
	GString *text = g_string_new(NULL);
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		if (plan->n_weights[group][d] > 0)
			g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
					       weft_dtype_name((WeftDtype)d));
	return g_string_free(text, FALSE);
}

static void print_weights(const WeftPlan *plan)
{
	g_autofree char *all = weft_words_bytes((double)plan->weights_bytes);
	g_autofree char *touched = weft_words_bytes((double)plan->touched_bytes);
	g_autofree char *count = weft_words_parameters((double)plan->weights_count);
	g_autofree char *touched_count = weft_words_parameters((double)plan->touched_count);

	printf("\nWeights            %12s   %s\n", all, count);
	for (int g = 0; g < WEFT_GROUP_COUNT; g++) {
		g_autofree char *bytes = weft_words_bytes((double)plan->bytes[g]);
		g_autofree char *types = types_of(plan, g);
		if (plan->bytes[g] > 0)
			printf("  %-16s %12s   %s\n", weft_weight_group_name((WeftWeightGroup)g), bytes,
			       types);
	}
	if (plan->unread_bytes > 0) {
		g_autofree char *unread = weft_words_bytes((double)plan->unread_bytes);
		printf("  %-16s %12s   of types that weft does not read\n", "not read", unread);
	}
	printf("  %-16s %12s   %s, for each token of an answer\n", "touched", touched, touched_count);
}

static void print_memory(const WeftPlanPage *page)
{
	const WeftPlan *plan = page->plan;
	g_autofree char *context = weft_words_count((double)plan->context);
	g_autofree char *cache = weft_words_binary((double)plan->cache_bytes);
	g_autofree char *further = weft_words_binary((double)plan->cache_token_bytes);
	gsize chunk_size = plan->config->text.chunk_size;
	g_autofree char *pass = weft_words_bytes((double)plan->pass_bytes);
	g_autofree char *logits = weft_words_bytes((double)plan->logits_bytes);
	g_autofree char *encoder = weft_words_bytes((double)plan->encoder_bytes);

	printf("\nMemory beside the weights, for %" G_GSIZE_FORMAT " request%s of %s tokens\n",
	       plan->n_requests, plan->n_requests == 1 ? "" : "s", context);
	if (plan->context > plan->context_max) {
		g_autofree char *max = weft_words_count((double)plan->context_max);
		printf("  (the model was made for %s: a run would refuse more)\n", max);
	}
	printf("  %-16s %12s   %s; %s for each further token", "cache", cache, plan->kv_type, further);
	if (chunk_size > 0 && plan->context < chunk_size) {
		g_autofree char *chunk = weft_words_count((double)chunk_size);
		printf(" from %s on", chunk);
	}
	printf("\n");
	printf("  %-16s %12s\n  %-16s %12s\n", "activations", pass, "logits", logits);
	if (plan->encoder_bytes > 0)
		printf("  %-16s %12s   of the largest picture\n", "picture rows", encoder);
}

static void print_place(const WeftPlanPage *page)
{
	WeftPlacement place = weft_plan_place(page->plan, page->machine);
	const WeftMachine *machine = page->machine;
	g_autofree char *has = weft_words_bytes(machine->memory_bytes);
	g_autofree char *takes = weft_words_bytes(place.memory_bytes);

	printf("\nPlace: %s, %s%s\n", machine->title, has, machine->is_measured ? " free" : "");
	if (place.fits) {
		printf("  all of it fits: %s\n", takes);
		return;
	}
	if (!place.runs)
		printf("  does not fit: %s are needed without the routed experts\n"
		       "  (the times below are as if that did fit, and the experts came when they are chosen)\n",
		       takes);
	else
		printf("  in memory %s; %.0f %% of the routed experts do not fit\n", takes,
		       place.experts_absent * 100);
	if (place.host_bytes > 0) {
		g_autofree char *host = weft_words_bytes(place.host_bytes);
		printf("  in the host's memory %s\n", host);
	}
	if (place.disk_bytes > 0) {
		g_autofree char *disk = weft_words_bytes(place.disk_bytes);
		printf("  stay on the disk, mapped: %s\n", disk);
	}
}

static void print_machine(const WeftMachine *machine)
{
	if (!machine->is_measured) {
		printf("  from a table: %.0f GB/s, of which programs reach %.0f %%; %.0f TFLOP/s, "
		       "%.0f %%\n  (%s, %s; weft itself computes on processors only)\n",
		       machine->read_bytes_s / 1e9, machine->reach_bandwidth * 100,
		       machine->flops / 1e12, machine->reach_flops * 100, machine->source,
		       machine->date);
		return;
	}
	printf("  measured now: memory %.1f GB/s", machine->read_peak_bytes_s / 1e9);
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		for (int kn = 0; kn < 2; kn++) {
			const WeftRate *rate = &machine->gemm[d][kn];
			double bytes = (double)weft_dtype_block_bytes((WeftDtype)d) /
				       (double)weft_dtype_block_values((WeftDtype)d);
			if (rate->is_known)
				printf("; %s%s %.1f GB/s, %.0f GFLOP/s",
				       weft_dtype_name((WeftDtype)d), kn ? " [in,out]" : "",
				       bytes / rate->seconds[0] / 1e9,
				       2 * (double)WEFT_RATE_ROWS[WEFT_RATE_POINTS - 1] /
					       rate->seconds[WEFT_RATE_POINTS - 1] / 1e9);
		}
	printf("\n");
}

static void print_time(const WeftPlanPage *page)
{
	const WeftPlan *plan = page->plan;
	double prefill = weft_plan_prefill_s(plan, page->machine, page->n_prompt);
	double decode = weft_plan_decode_s(plan, page->machine, 1, page->n_prompt, page->n_answer);
	double touch = weft_plan_touch_s(plan, page->machine, page->n_prompt);
	g_autofree char *prefill_words = weft_words_time(prefill);
	g_autofree char *decode_words = weft_words_time(decode);
	g_autofree char *prefill_rate = weft_words_rate((double)page->n_prompt / prefill);
	g_autofree char *decode_rate = weft_words_rate((double)page->n_answer / decode);

	printf("\nTime on %s\n", page->machine->title);
	print_machine(page->machine);
	printf("  prompt of %" G_GSIZE_FORMAT " tokens: %s, %s tokens/s\n", page->n_prompt,
	       prefill_words, prefill_rate);
	printf("  answer of %" G_GSIZE_FORMAT " tokens: %s, %s tokens/s\n", page->n_answer,
	       decode_words, decode_rate);
	if (plan->n_requests > 1) {
		double all = weft_plan_decode_s(plan, page->machine, plan->n_requests, page->n_prompt,
						page->n_answer);
		g_autofree char *rate =
			weft_words_rate((double)(page->n_answer * plan->n_requests) / all);
		printf("  answers of %" G_GSIZE_FORMAT " requests at once: %s tokens/s\n",
		       plan->n_requests, rate);
	}
	if (plan->context > page->n_prompt) {
		double deep = weft_plan_decode_s(plan, page->machine, 1, plan->context - 1, 1);
		g_autofree char *rate = weft_words_rate(1 / deep);
		printf("  at the end of the context: %s tokens/s\n", rate);
	}
	if (plan->tokens_per_tile > 0) {
		g_autofree char *tile = weft_words_time(weft_plan_tile_s(plan, page->machine));
		printf("  a tile of a picture: %s\n", tile);
	}
	if (touch > 0) {
		g_autofree char *words = weft_words_time(touch);
		printf("  the first time, %s more: %.0f %% of the weights are on the disk, %.0f %% in "
		       "memory\n", words, page->machine->absent_share * 100,
		       (1 - page->machine->absent_share) * 100);
	}
}

static void print_costs(const WeftPlanPage *page, double seconds, double n_in, double n_out)
{
	const char *source, *date, *currency = weft_devices_currency(page->devices);
	double kwh = energy_kwh(page, seconds), price = weft_devices_kwh(page->devices, &source, &date);
	g_autoptr(GPtrArray) apis = weft_devices_apis(page->devices, page->plan->config);

	printf("  energy %.3g kWh at %.0f W%s: %.3g %s (%.3f %s a kWh, %s)\n", kwh,
	       page->machine->watts, page->machine->is_measured ? " (assumed, by threads)" : "",
	       kwh * price, currency, price, currency, date);
	if (page->machine->price_hour > 0)
		printf("  to rent %s: %.3g %s (%.2f %s an hour, %s, %s)\n", page->machine->name,
		       seconds / 3600 * page->machine->price_hour, currency,
		       page->machine->price_hour, currency, page->machine->price_source,
		       page->machine->price_date);
	for (guint i = 0; i < apis->len; i++) {
		const WeftApiPrice *api = g_ptr_array_index(apis, i);
		printf("  the same tokens at %s: %.3g %s (%.2f in and %.2f out a million, %s, "
		       "%s)\n",
		       api->provider, (n_in * api->input + n_out * api->output) / 1e6, currency,
		       api->input, api->output, api->source, api->date);
	}
	printf("  Prices are list prices of their dates, not offers: devices.ini has the sources.\n");
}

static void print_paths(const WeftPlanPage *page)
{
	const WeftPlanPaths *paths = page->paths;
	double seconds = paths->measured_s > 0 ? paths->measured_s : paths->read_s + paths->model_s;
	g_autofree char *words = weft_words_time(seconds);
	g_autofree char *read_words = weft_words_time(paths->read_s);
	g_autofree char *model_words = weft_words_time(paths->model_s);
	g_autofree char *error = weft_words_error(paths->n_sampled, paths->error);

	printf("\nDocuments, task %s\n", page->task);
	weft_words_estimate(stdout, paths->estimate);
	printf("\nThe task: about %s", words);
	if (paths->measured_s > 0)
		printf(" (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " run here%s)", paths->n_sampled,
		       weft_estimate_total(paths->estimate).n_files, error);
	printf("\n  as counted: %s to decode and read here, %s for the model on %s\n", read_words,
	       model_words, page->machine->title);
	print_costs(page, seconds, paths->work.n_tokens + paths->work.n_requests *
							   paths->work.frame_tokens,
		    paths->work.n_requests * paths->work.answer_tokens);
}

void weft_plan_page_print(const WeftPlanPage *page)
{
	print_head(page);
	print_weights(page->plan);
	print_memory(page);
	print_place(page);
	print_time(page);
	if (page->paths) {
		print_paths(page);
		return;
	}
	printf("\nOne such request\n");
	print_costs(page,
		    weft_plan_prefill_s(page->plan, page->machine, page->n_prompt) +
			    weft_plan_decode_s(page->plan, page->machine, 1, page->n_prompt,
					       page->n_answer),
		    (double)page->n_prompt, (double)page->n_answer);
}

/* ---- JSON ---- */

static void write_bytes(WeftJsonWriter *writer, const char *key, guint64 bytes)
{
	weft_json_write_key(writer, key);
	weft_json_write_uint(writer, bytes);
}

/* Four significant digits are more than any of these is good for. */
static void write_number(WeftJsonWriter *writer, const char *key, double value)
{
	guint n_decimals = value >= 1000 ? 0 : value >= 1 ? 3 : 9;
	weft_json_write_key(writer, key);
	weft_json_write_rounded(writer, value, n_decimals);
}

static void write_text(WeftJsonWriter *writer, const char *key, const char *text)
{
	weft_json_write_key(writer, key);
	weft_json_write_string(writer, text);
}

static void begin_object(WeftJsonWriter *writer, const char *key)
{
	weft_json_write_key(writer, key);
	weft_json_write_object(writer);
}

static void write_weights(WeftJsonWriter *writer, const WeftPlan *plan)
{
	begin_object(writer, "weights");
	write_bytes(writer, "bytes", plan->weights_bytes);
	write_bytes(writer, "count", plan->weights_count);
	write_bytes(writer, "touched_bytes", plan->touched_bytes);
	write_bytes(writer, "touched_count", plan->touched_count);
	write_bytes(writer, "unread_bytes", plan->unread_bytes);
	weft_json_write_key(writer, "assumed");
	weft_json_write_bool(writer, plan->is_assumed);
	begin_object(writer, "groups");
	for (int g = 0; g < WEFT_GROUP_COUNT; g++)
		write_bytes(writer, weft_weight_group_name((WeftWeightGroup)g), plan->bytes[g]);
	weft_json_write_object_end(writer);
	begin_object(writer, "types");
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++) {
		guint64 bytes = 0;
		for (int g = 0; g < WEFT_GROUP_COUNT; g++)
			bytes += plan->n_weights[g][d] / weft_dtype_block_values((WeftDtype)d) *
				 weft_dtype_block_bytes((WeftDtype)d);
		if (bytes > 0)
			write_bytes(writer, weft_dtype_name((WeftDtype)d), bytes);
	}
	weft_json_write_object_end(writer);
	weft_json_write_object_end(writer);
}

static void write_memory(WeftJsonWriter *writer, const WeftPlanPage *page)
{
	const WeftPlan *plan = page->plan;
	WeftPlacement place = weft_plan_place(plan, page->machine);
	guint64 n_tokens = page->n_prompt + page->n_answer;

	begin_object(writer, "memory");
	write_bytes(writer, "context", plan->context);
	write_bytes(writer, "context_max", plan->context_max);
	write_bytes(writer, "requests", plan->n_requests);
	write_text(writer, "cache_type", plan->kv_type);
	write_bytes(writer, "cache_bytes", plan->cache_bytes);
	write_bytes(writer, "cache_token_bytes", plan->cache_token_bytes);
	write_bytes(writer, "activation_bytes", plan->pass_bytes);
	write_bytes(writer, "logits_bytes", plan->logits_bytes);
	write_bytes(writer, "encoder_bytes", plan->encoder_bytes);
	write_bytes(writer, "program_bytes", page->base_bytes);
	/* Of a run of this one request: what is in memory at its end. */
	guint64 resident = weft_plan_resident_bytes(plan, page->machine, n_tokens);
	write_bytes(writer, "resident_weights_bytes", resident);
	write_bytes(writer, "resident_bytes",
		    resident + page->base_bytes + weft_plan_request_bytes(plan, n_tokens));
	weft_json_write_object_end(writer);
	begin_object(writer, "placement");
	weft_json_write_key(writer, "fits");
	weft_json_write_bool(writer, place.fits);
	weft_json_write_key(writer, "runs");
	weft_json_write_bool(writer, place.runs);
	write_bytes(writer, "memory_bytes", (guint64)place.memory_bytes);
	write_bytes(writer, "host_bytes", (guint64)place.host_bytes);
	write_bytes(writer, "disk_bytes", (guint64)place.disk_bytes);
	weft_json_write_object_end(writer);
}

static void write_time(WeftJsonWriter *writer, const WeftPlanPage *page)
{
	const WeftPlan *plan = page->plan;
	const WeftMachine *machine = page->machine;
	double prefill = weft_plan_prefill_s(plan, machine, page->n_prompt);
	double decode = weft_plan_decode_s(plan, machine, 1, page->n_prompt, page->n_answer);

	begin_object(writer, "device");
	write_text(writer, "name", machine->name);
	write_text(writer, "title", machine->title);
	weft_json_write_key(writer, "measured");
	weft_json_write_bool(writer, machine->is_measured);
	write_number(writer, "memory_bytes", machine->memory_bytes);
	write_number(writer, "read_bytes_s", machine->read_bytes_s);
	write_number(writer, "watts", machine->watts);
	write_number(writer, "price_hour", machine->price_hour);
	weft_json_write_object_end(writer);
	begin_object(writer, "time");
	write_bytes(writer, "prompt_tokens", page->n_prompt);
	write_bytes(writer, "answer_tokens", page->n_answer);
	write_number(writer, "prefill_s", prefill);
	write_number(writer, "decode_s", decode);
	write_number(writer, "prefill_tokens_s", (double)page->n_prompt / prefill);
	write_number(writer, "decode_tokens_s", (double)page->n_answer / decode);
	write_number(writer, "tile_s", weft_plan_tile_s(plan, machine));
	write_number(writer, "first_touch_s",
		     weft_plan_touch_s(plan, machine, page->n_prompt + page->n_answer));
	write_number(writer, "absent_share", machine->absent_share);
	write_number(writer, "energy_kwh", energy_kwh(page, prefill + decode));
	weft_json_write_object_end(writer);
}

static void write_counts(WeftJsonWriter *writer, const WeftEstimateCounts *counts)
{
	write_number(writer, "pages", round(counts->n_pages));
	write_number(writer, "seconds", counts->seconds);
	write_number(writer, "seconds_to_hear", round(counts->hear_s));
	write_number(writer, "to_read", round(counts->n_read));
	write_number(writer, "requests", round(counts->n_requests));
	write_number(writer, "tokens", round(counts->n_tokens + counts->n_read_tokens));
}

static void write_paths(WeftJsonWriter *writer, const WeftPlanPaths *paths)
{
	WeftEstimateTotal total = weft_estimate_total(paths->estimate);

	begin_object(writer, "documents");
	write_bytes(writer, "files", total.n_files);
	write_bytes(writer, "looked_at", total.n_measured);
	write_counts(writer, &total.counts);
	begin_object(writer, "types");
	for (gsize i = 0; i < weft_estimate_n_classes(paths->estimate); i++) {
		WeftEstimateCounts counts = weft_estimate_class_counts(paths->estimate, i);
		begin_object(writer, weft_estimate_class(paths->estimate, i)->name);
		write_bytes(writer, "files", weft_estimate_class(paths->estimate, i)->n_files);
		write_counts(writer, &counts);
		weft_json_write_object_end(writer);
	}
	weft_json_write_object_end(writer);
	write_number(writer, "read_s", paths->read_s);
	write_number(writer, "model_s", paths->model_s);
	write_bytes(writer, "sampled", paths->n_sampled);
	write_number(writer, "measured_s", paths->measured_s);
	weft_json_write_object_end(writer);
}

char *weft_plan_page_json(const WeftPlanPage *page)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	write_text(&writer, "model", page->name);
	write_text(&writer, "family", page->plan->config->model_type);
	write_weights(&writer, page->plan);
	write_memory(&writer, page);
	write_time(&writer, page);
	if (page->paths)
		write_paths(&writer, page->paths);
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}
