#include "bundle/lora_config.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/keys.h"
#include "bundle/lora.h"

#define FILE_NAME "adapter_config.json"
#define PATTERNS_MAX 4096
#define ALPHA_MAX 1e9
/* PCRE's count of steps for one path: a pattern of names takes hundreds. */
#define MATCH_LIMIT "(*LIMIT_MATCH=100000)"

/* A key of rank_pattern or alpha_pattern; the first that matches counts. */
typedef struct Pattern {
	char *key;
	GRegex *regex;
	double value;
} Pattern;

struct WeftLoraConfig {
	gsize rank;
	double alpha;
	gboolean use_rslora, use_dora, lora_bias;
	GArray *ranks, *alphas; /* Pattern */
};

/* Keys that say how the adapter was trained or found its modules, which its tensors tell, too. The
 * initialisation is looked at for what it did to the base. fan_in_fan_out is for a class of layers
 * that the family does not have; PEFT itself sets it to false here. */
static const char *const known[] = {
	"auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "fan_in_fan_out",
	"inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha",
	"lora_bias", "lora_dropout", "megatron_config", "megatron_core", "modules_to_save",
	"peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern", "alpha_pattern",
	"revision", "runtime_config", "target_modules", "target_parameters", "task_type", "use_dora",
	"use_rslora", "velora_config", "eva_config", "corda_config", "loftq_config",
	"lora_ga_config", NULL,
};

/* The base that such an adapter adds to is not the published one. */
static const char *const changing_inits[] = {"pissa", "olora", "corda", "loftq", "lora_ga", NULL};

static void pattern_clear(gpointer data)
{
	Pattern *pattern = data;
	g_free(pattern->key);
	g_clear_pointer(&pattern->regex, g_regex_unref);
}

static GArray *patterns_new(void)
{
	GArray *patterns = g_array_new(FALSE, TRUE, sizeof(Pattern));
	g_array_set_clear_func(patterns, pattern_clear);
	return patterns;
}

void weft_lora_config_free(WeftLoraConfig *config)
{
	if (!config)
		return;
	g_array_unref(config->ranks);
	g_array_unref(config->alphas);
	g_free(config);
}

static gboolean read_patterns(const WeftKeys *keys, const char *key, double min, double max,
			      GArray *patterns, GError **error)
{
	WeftKeys section;
	if (!weft_keys_section(keys, key, key, &section, error))
		return FALSE;
	gsize n = weft_json_length(section.object);
	if (n > PATTERNS_MAX)
		return weft_keys_error(keys, key, error, "%zu keys, limit %d", n, PATTERNS_MAX);
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GError) fault = NULL;
		gsize size_bytes;
		const char *name = weft_json_key_at(section.object, i, &size_bytes);
		Pattern pattern = {0};
		if (strlen(name) != size_bytes ||
		    !weft_json_double(weft_json_at(section.object, i), &pattern.value) ||
		    !(pattern.value >= min && pattern.value <= max))
			return weft_keys_error(keys, key, error,
					       "\"%s\" must have a number from %g to %g", name, min,
					       max);
		g_autofree char *text = g_strdup_printf(MATCH_LIMIT "(.*\\.)?(%s)$", name);
		pattern.regex = g_regex_new(text, G_REGEX_ANCHORED | G_REGEX_DOLLAR_ENDONLY, 0,
					    &fault);
		if (!pattern.regex)
			return weft_keys_error(keys, key, error, "\"%s\": %s", name,
					       fault->message);
		pattern.key = g_strdup(name);
		g_array_append_val(patterns, pattern);
	}
	return TRUE;
}

static gboolean check_init(const WeftKeys *keys, GError **error)
{
	const WeftJson *member = weft_keys_member(keys, "init_lora_weights");
	const char *text = weft_json_string(member, NULL);
	for (gsize i = 0; text && changing_inits[i]; i++) {
		g_autofree char *lower = g_ascii_strdown(text, -1);
		if (!g_str_has_prefix(lower, changing_inits[i]))
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    FILE_NAME ": init_lora_weights: \"%s\" has changed the weights of the "
			    "base; save the adapter with path_initial_model_for_weight_conversion, "
			    "which makes it one for the published base", text);
		return FALSE;
	}
	return TRUE;
}

static gboolean is_nothing(const WeftJson *value)
{
	gboolean truth = TRUE;
	switch (weft_json_type(value)) {
	case WEFT_JSON_NULL:
		return TRUE;
	case WEFT_JSON_ARRAY:
	case WEFT_JSON_OBJECT:
		return weft_json_length(value) == 0;
	default:
		return weft_json_bool(value, &truth) && !truth;
	}
}

/* Methods are added with keys of their own: one that is not known and says something may well be
 * another arithmetic. */
static gboolean check_unknown(const WeftKeys *keys, GError **error)
{
	for (gsize i = 0; i < weft_json_length(keys->object); i++) {
		const char *key = weft_json_key_at(keys->object, i, NULL);
		if (g_strv_contains(known, key) || is_nothing(weft_json_at(keys->object, i)))
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    FILE_NAME ": %s is set, and weft does not implement it", key);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_type(const WeftKeys *keys, GError **error)
{
	const char *type = weft_json_string(weft_keys_member(keys, "peft_type"), NULL);
	if (g_strcmp0(type, "LORA") == 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    FILE_NAME ": peft_type: %s%s%s; only \"LORA\" is implemented", type ? "\"" : "",
		    type ? type : "is missing", type ? "\"" : "");
	return FALSE;
}

static gboolean fill(WeftLoraConfig *config, const WeftKeys *keys, GError **error)
{
	const WeftSizeKey sizes[] = {
		{"r", G_STRUCT_OFFSET(WeftLoraConfig, rank), 1, WEFT_LORA_RANK_MAX, TRUE, 0},
	};
	const WeftNumberKey numbers[] = {
		{"lora_alpha", G_STRUCT_OFFSET(WeftLoraConfig, alpha), -ALPHA_MAX, ALPHA_MAX, TRUE,
		 0},
	};
	return check_type(keys, error) && check_init(keys, error) && check_unknown(keys, error) &&
	       weft_keys_sizes(keys, sizes, G_N_ELEMENTS(sizes), config, error) &&
	       weft_keys_numbers(keys, numbers, G_N_ELEMENTS(numbers), config, error) &&
	       weft_keys_truth(keys, "use_rslora", FALSE, &config->use_rslora, error) &&
	       weft_keys_truth(keys, "use_dora", FALSE, &config->use_dora, error) &&
	       weft_keys_truth(keys, "lora_bias", FALSE, &config->lora_bias, error) &&
	       read_patterns(keys, "rank_pattern", 1, WEFT_LORA_RANK_MAX, config->ranks, error) &&
	       read_patterns(keys, "alpha_pattern", -ALPHA_MAX, ALPHA_MAX, config->alphas, error);
}

WeftLoraConfig *weft_lora_config_new(const char *json, gsize size_bytes, GError **error)
{
	g_autoptr(GError) fault = NULL;
	g_autoptr(WeftJson) tree = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, &fault);
	g_autoptr(WeftLoraConfig) config = g_new0(WeftLoraConfig, 1);
	const WeftKeys keys = {FILE_NAME, "", tree};

	config->ranks = patterns_new();
	config->alphas = patterns_new();
	if (!tree || weft_json_type(tree) != WEFT_JSON_OBJECT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, FILE_NAME ": %s",
			    fault ? fault->message : "must be an object");
		return NULL;
	}
	return fill(config, &keys, error) ? g_steal_pointer(&config) : NULL;
}

gboolean weft_lora_config_uses_dora(const WeftLoraConfig *config)
{
	return config->use_dora;
}

gboolean weft_lora_config_has_bias(const WeftLoraConfig *config)
{
	return config->lora_bias;
}

/* The value of the first pattern that matches, or *ret_value as it is. */
static gboolean look_up(const GArray *patterns, const char *path, double *ret_value, GError **error)
{
	for (guint i = 0; i < patterns->len; i++) {
		const Pattern *pattern = &g_array_index(patterns, Pattern, i);
		g_autoptr(GError) fault = NULL;
		if (g_regex_match_full(pattern->regex, path, -1, 0, 0, NULL, &fault)) {
			*ret_value = pattern->value;
			return TRUE;
		}
		if (fault) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    FILE_NAME ": pattern \"%s\" for %s: %s", pattern->key, path,
				    fault->message);
			return FALSE;
		}
	}
	return TRUE;
}

gboolean weft_lora_config_scale(const WeftLoraConfig *config, const char *path, gsize rank,
				double *ret_scale, GError **error)
{
	double wanted = (double)config->rank, alpha = config->alpha;
	if (!look_up(config->ranks, path, &wanted, error) ||
	    !look_up(config->alphas, path, &alpha, error))
		return FALSE;
	if ((double)rank != wanted) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensors of rank %zu, but " FILE_NAME " says %g", path, rank,
			    wanted);
		return FALSE;
	}
	*ret_scale = alpha / (config->use_rslora ? sqrt((double)rank) : (double)rank);
	return TRUE;
}
