/* config.json of Whisper and Ultravox: sizes, what is refused, alignment heads. */
#include <string.h>

#include "base/error.h"
#include "bundle/bundle.h"

/* `json` with the first `old` replaced. */
static char *with(const char *json, const char *old, const char *new)
{
	const char *at = strstr(json, old);
	g_assert_nonnull(at);
	return g_strdup_printf("%.*s%s%s", (int)(at - json), json, new, at + strlen(old));
}

static WeftConfig *accept(const char *json)
{
	g_autoptr(GError) error = NULL;
	WeftConfig *config = weft_config_new("config.json", json, strlen(json), NULL, 0, &error);
	g_assert_no_error(error);
	return config;
}

static void refuse(const char *json, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftConfig) config =
		weft_config_new("config.json", json, strlen(json), NULL, 0, &error);
	if (config || !strstr(error->message, words))
		g_test_message("expected: %s\n%s", words, error ? error->message : json);
	g_assert_null(config);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, "config.json: "));
	g_assert_nonnull(strstr(error->message, words));
}

/* openai/whisper-tiny's values. */
static const char WHISPER[] =
	"{\"model_type\":\"whisper\",\"d_model\":384,\"encoder_layers\":4,"
	"\"encoder_attention_heads\":6,\"encoder_ffn_dim\":1536,\"decoder_layers\":4,"
	"\"decoder_attention_heads\":6,\"decoder_ffn_dim\":1536,\"num_mel_bins\":80,"
	"\"vocab_size\":51865,\"activation_function\":\"gelu\"}";

static void test_audio(void)
{
	g_autofree char *ultravox = g_strdup_printf(
		"{\"model_type\":\"ultravox\",\"hidden_size\":4096,\"stack_factor\":8,"
		"\"projector_act\":\"swiglu\",\"projector_ln_mid\":true,\"text_model_id\":\"a/b\","
		"\"audio_latency_block_size\":null,\"audio_config\":%s}", WHISPER);
	g_autoptr(WeftConfig) plain = accept(WHISPER);
	g_autoptr(WeftConfig) projector = accept(ultravox);

	g_assert_true(plain->has_audio && plain->audio.has_decoder && !plain->has_text);
	g_assert_cmpuint(plain->audio.n_positions, ==, 1500);
	g_assert_cmpuint(plain->audio.decoder_positions, ==, 448);
	g_assert_cmpuint(plain->audio.stack_factor, ==, 0);
	g_assert_true(projector->audio.norm_is_mid && !projector->audio.has_decoder);
	g_assert_cmpuint(projector->audio.projector_width, ==, 4096);
	g_assert_cmpstr(projector->audio.text_model, ==, "a/b");
	g_autofree char *heads = with(WHISPER, "\"encoder_attention_heads\":6",
				      "\"encoder_attention_heads\":7");
	refuse(heads, "encoder_attention_heads: 7");
	g_autofree char *act = with(ultravox, "swiglu", "gelu");
	refuse(act, "projector_act");
	g_autofree char *tower = with(ultravox, "\"audio_config\":", "\"audio_cfg\":");
	refuse(tower, "audio_config");
	g_autofree char *bins = with(ultravox, "\"num_mel_bins\":80,", "");
	refuse(bins, "audio_config.num_mel_bins");
}

static gboolean add_generation(WeftConfig *config, const char *json, GError **error)
{
	return weft_config_add_generation(config, "generation_config.json", json, strlen(json),
					  error);
}

static void assert_heads(const WeftConfig *config, gsize n, guint32 first_layer, guint32 first_head,
			 guint32 last_layer, guint32 last_head)
{
	const GArray *heads = config->audio.alignment_heads;

	g_assert_cmpuint(heads->len, ==, n);
	g_assert_cmpuint(g_array_index(heads, WeftAlignmentHead, 0).layer, ==, first_layer);
	g_assert_cmpuint(g_array_index(heads, WeftAlignmentHead, 0).head, ==, first_head);
	g_assert_cmpuint(g_array_index(heads, WeftAlignmentHead, n - 1).layer, ==, last_layer);
	g_assert_cmpuint(g_array_index(heads, WeftAlignmentHead, n - 1).head, ==, last_head);
}

/* Those of openai-whisper's _ALIGNMENT_HEADS by size, those that are given, else half the layers. */
static void test_alignment(void)
{
	static const char *const wrong[] = {"[]", "1", "[[0]]", "[[0,6]]", "[[4,0]]", "[[0,-1]]",
					    "[[0,0,0]]"};
	g_autofree char *english_json = with(WHISPER, "51865", "51864");
	g_autofree char *unknown_json =
		with(WHISPER, "\"decoder_layers\":4", "\"decoder_layers\":3");
	g_autoptr(WeftConfig) config = accept(WHISPER);
	g_autoptr(WeftConfig) english = accept(english_json);
	g_autoptr(WeftConfig) unknown = accept(unknown_json);
	g_autoptr(GError) error = NULL;

	assert_heads(config, 6, 2, 2, 3, 5);
	assert_heads(english, 8, 1, 0, 3, 4);
	assert_heads(unknown, 12, 1, 0, 2, 5);
	g_assert_true(add_generation(config, "{\"alignment_heads\":null}", &error));
	assert_heads(config, 6, 2, 2, 3, 5);
	g_assert_true(add_generation(config, "{\"alignment_heads\":[[3,1],[0,5]]}", &error));
	assert_heads(config, 2, 3, 1, 0, 5);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *json = g_strdup_printf("{\"alignment_heads\":%s}", wrong[i]);
		g_assert_false(add_generation(config, json, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
		g_assert_nonnull(strstr(error->message, "alignment_heads"));
		g_clear_error(&error);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config_audio/sizes", test_audio);
	g_test_add_func("/config_audio/alignment", test_alignment);
	return g_test_run();
}
