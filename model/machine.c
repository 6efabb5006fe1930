#include "model/machine.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

const gsize WEFT_RATE_ROWS[WEFT_RATE_POINTS] = {1, 2, 8, 32, 256};

typedef struct ApiRow {
	WeftApiPrice price;
	char *model_type;
	guint64 n_experts, width;
} ApiRow;

struct WeftDevices {
	GPtrArray *machines; /* WeftMachine, in the order of the table */
	GPtrArray *apis;     /* ApiRow */
	char *currency;
	double price_kwh, core_watts;
	char *kwh_source, *kwh_date, *core_source;
};

void weft_machine_free(WeftMachine *machine)
{
	if (!machine)
		return;
	g_free(machine->name);
	g_free(machine->title);
	g_free(machine->source);
	g_free(machine->date);
	g_free(machine->price_source);
	g_free(machine->price_date);
	g_free(machine);
}

/* Between two points the time of the whole product grows in a straight line; behind the last one
 * every further row costs what the last ones did. */
static double rate_at(const WeftRate *rate, double rows)
{
	gsize i = 1;
	if (rows <= (double)WEFT_RATE_ROWS[0])
		return rate->seconds[0];
	while (i + 1 < WEFT_RATE_POINTS && rows > (double)WEFT_RATE_ROWS[i])
		i++;
	double low = (double)WEFT_RATE_ROWS[i - 1], high = (double)WEFT_RATE_ROWS[i];
	double slope = (rate->seconds[i] - rate->seconds[i - 1]) / (high - low);
	return rate->seconds[i - 1] + MAX(slope, 0) * (rows - low);
}

double weft_machine_gemm_s(const WeftMachine *machine, WeftDtype dtype, gboolean is_kn, double rows)
{
	double bytes = (double)weft_dtype_block_bytes(dtype) / (double)weft_dtype_block_values(dtype);
	const WeftRate *rate = &machine->gemm[dtype][is_kn ? 1 : 0];

	if (rows <= 0)
		return 0;
	if (rate->is_known)
		return rate_at(rate, rows);
	if (machine->is_measured) /* a type of which there is next to nothing */
		return bytes / machine->read_bytes_s;
	return MAX(bytes / (machine->read_bytes_s * machine->reach_bandwidth),
		   2 * rows / (machine->flops * machine->reach_flops));
}

/* ---- the table ---- */

static void api_free(gpointer data)
{
	ApiRow *row = data;
	g_free(row->price.provider);
	g_free(row->price.source);
	g_free(row->price.date);
	g_free(row->model_type);
	g_free(row);
}

void weft_devices_free(WeftDevices *devices)
{
	if (!devices)
		return;
	g_ptr_array_unref(devices->machines);
	g_ptr_array_unref(devices->apis);
	g_free(devices->currency);
	g_free(devices->kwh_source);
	g_free(devices->kwh_date);
	g_free(devices->core_source);
	g_free(devices);
}

/* A number above 0, or 0 too with `may_be_zero`. */
static gboolean read_number(GKeyFile *file, const char *group, const char *key,
			    gboolean may_be_zero, double *ret_value, GError **error)
{
	g_autofree char *text = g_key_file_get_value(file, group, key, error);
	if (!text)
		return FALSE;
	char *end = NULL;
	double value = g_ascii_strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value) || value < 0 ||
	    (value == 0 && !may_be_zero)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "[%s] %s: \"%s\" is not a number %s 0", group, key, text,
			    may_be_zero ? "from" : "above");
		return FALSE;
	}
	*ret_value = value;
	return TRUE;
}

static gboolean read_text(GKeyFile *file, const char *group, const char *key, char **ret_text,
			  GError **error)
{
	*ret_text = g_key_file_get_string(file, group, key, error);
	return *ret_text != NULL;
}

static gboolean read_device(WeftDevices *devices, GKeyFile *file, const char *group, GError **error)
{
	g_autoptr(WeftMachine) m = g_new0(WeftMachine, 1);
	double memory_gb, bandwidth_gbs, tflops, link_gbs;

	m->name = g_strdup(group + strlen("device "));
	if (!read_text(file, group, "title", &m->title, error) ||
	    !read_number(file, group, "memory_gb", FALSE, &memory_gb, error) ||
	    !read_number(file, group, "bandwidth_gbs", FALSE, &bandwidth_gbs, error) ||
	    !read_number(file, group, "tflops", FALSE, &tflops, error) ||
	    !read_number(file, group, "reach_bandwidth", FALSE, &m->reach_bandwidth, error) ||
	    !read_number(file, group, "reach_flops", FALSE, &m->reach_flops, error) ||
	    !read_number(file, group, "link_gbs", FALSE, &link_gbs, error) ||
	    !read_number(file, group, "watts", FALSE, &m->watts, error) ||
	    !read_text(file, group, "source", &m->source, error) ||
	    !read_text(file, group, "date", &m->date, error))
		return FALSE;
	if (m->reach_bandwidth > 1 || m->reach_flops > 1) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "[%s] reach_bandwidth %g, reach_flops %g: shares, 1 at most", group,
			    m->reach_bandwidth, m->reach_flops);
		return FALSE;
	}
	if (g_key_file_has_key(file, group, "price_hour", NULL) &&
	    (!read_number(file, group, "price_hour", FALSE, &m->price_hour, error) ||
	     !read_text(file, group, "price_source", &m->price_source, error) ||
	     !read_text(file, group, "price_date", &m->price_date, error)))
		return FALSE;
	m->memory_bytes = memory_gb * 1e9;
	m->read_bytes_s = bandwidth_gbs * 1e9;
	m->link_bytes_s = link_gbs * 1e9;
	m->flops = tflops * 1e12;
	g_ptr_array_add(devices->machines, g_steal_pointer(&m));
	return TRUE;
}

static gboolean read_api(WeftDevices *devices, GKeyFile *file, const char *group, GError **error)
{
	ApiRow *row = g_new0(ApiRow, 1);
	double experts, width;

	g_ptr_array_add(devices->apis, row);
	if (!read_text(file, group, "model_type", &row->model_type, error) ||
	    !read_number(file, group, "experts", TRUE, &experts, error) ||
	    !read_number(file, group, "width", FALSE, &width, error) ||
	    !read_text(file, group, "provider", &row->price.provider, error) ||
	    !read_number(file, group, "input", TRUE, &row->price.input, error) ||
	    !read_number(file, group, "output", TRUE, &row->price.output, error) ||
	    !read_text(file, group, "source", &row->price.source, error) ||
	    !read_text(file, group, "date", &row->price.date, error))
		return FALSE;
	row->n_experts = (guint64)MIN(experts, 1e9);
	row->width = (guint64)MIN(width, 1e9);
	return TRUE;
}

static gboolean read_prices(WeftDevices *devices, GKeyFile *file, GError **error)
{
	return read_text(file, "money", "currency", &devices->currency, error) &&
	       read_number(file, "energy", "price_kwh", TRUE, &devices->price_kwh, error) &&
	       read_text(file, "energy", "source", &devices->kwh_source, error) &&
	       read_text(file, "energy", "date", &devices->kwh_date, error) &&
	       read_number(file, "cpu", "watts_core", FALSE, &devices->core_watts, error) &&
	       read_text(file, "cpu", "source", &devices->core_source, error);
}

static gboolean read_table(WeftDevices *devices, const char *path, GError **error)
{
	static const char *const plain[] = {"money", "energy", "cpu", NULL};
	g_autoptr(GKeyFile) file = g_key_file_new();

	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, error) ||
	    !read_prices(devices, file, error))
		return FALSE;
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group; group++) {
		if (g_str_has_prefix(*group, "device ")) {
			if (!read_device(devices, file, *group, error))
				return FALSE;
		} else if (g_str_has_prefix(*group, "api ")) {
			if (!read_api(devices, file, *group, error))
				return FALSE;
		} else if (!g_strv_contains(plain, *group)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "[%s]: a group is money, energy, cpu, device NAME or api NAME",
				    *group);
			return FALSE;
		}
	}
	return TRUE;
}

WeftDevices *weft_devices_open(const char *path, GError **error)
{
	g_autoptr(WeftDevices) devices = g_new0(WeftDevices, 1);
	g_autoptr(GError) failure = NULL;

	devices->machines = g_ptr_array_new_with_free_func((GDestroyNotify)weft_machine_free);
	devices->apis = g_ptr_array_new_with_free_func(api_free);
	if (read_table(devices, path, &failure))
		return g_steal_pointer(&devices);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", path, failure->message);
	return NULL;
}

static WeftMachine *machine_copy(const WeftMachine *from)
{
	WeftMachine *copy = g_memdup2(from, sizeof *from);
	copy->name = g_strdup(from->name);
	copy->title = g_strdup(from->title);
	copy->source = g_strdup(from->source);
	copy->date = g_strdup(from->date);
	copy->price_source = g_strdup(from->price_source);
	copy->price_date = g_strdup(from->price_date);
	return copy;
}

WeftMachine *weft_devices_machine(const WeftDevices *devices, const char *name, GError **error)
{
	g_autoptr(GString) names = g_string_new("cpu");
	for (guint i = 0; i < devices->machines->len; i++) {
		const WeftMachine *machine = g_ptr_array_index(devices->machines, i);
		if (g_str_equal(machine->name, name))
			return machine_copy(machine);
		g_string_append_printf(names, ", %s", machine->name);
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "device: no '%s' in the table: %s", name,
		    names->str);
	return NULL;
}

const char *weft_devices_currency(const WeftDevices *devices)
{
	return devices->currency;
}

double weft_devices_kwh(const WeftDevices *devices, const char **ret_source, const char **ret_date)
{
	*ret_source = devices->kwh_source;
	*ret_date = devices->kwh_date;
	return devices->price_kwh;
}

double weft_devices_core_watts(const WeftDevices *devices, const char **ret_source)
{
	*ret_source = devices->core_source;
	return devices->core_watts;
}

GPtrArray *weft_devices_apis(const WeftDevices *devices, const WeftConfig *config)
{
	GPtrArray *found = g_ptr_array_new();
	for (guint i = 0; i < devices->apis->len; i++) {
		ApiRow *row = g_ptr_array_index(devices->apis, i);
		gboolean is_family = config->model_type &&
				     g_str_has_prefix(config->model_type, row->model_type) &&
				     /* "llama4" is no "llama" */
				     (config->model_type[strlen(row->model_type)] == '\0' ||
				      config->model_type[strlen(row->model_type)] == '_');
		if (is_family && row->n_experts == config->text.n_experts &&
		    row->width == config->text.width)
			g_ptr_array_add(found, &row->price);
	}
	return found;
}
