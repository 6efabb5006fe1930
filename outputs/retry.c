#include "outputs/retry.h"

#include <string.h>

#include "base/error.h"

static WeftRetry retry_of_fault(const char *stage, const char *code)
{
	static const struct {
		const char *code;
		WeftRetry retry;
	} table[] = {
		{"io", WEFT_RETRY_ALWAYS},          {"changed", WEFT_RETRY_ALWAYS},
		{"gone", WEFT_RETRY_ALWAYS},        {"cancelled", WEFT_RETRY_ALWAYS},
		{"corrupt", WEFT_RETRY_UPGRADE},    {"truncated", WEFT_RETRY_UPGRADE},
		{"unsupported", WEFT_RETRY_UPGRADE}, {"timeout", WEFT_RETRY_UPGRADE},
		{"crashed", WEFT_RETRY_UPGRADE},    {"internal", WEFT_RETRY_UPGRADE},
	};

	/* A helper program that is missing; a reader that is missing stands in the fingerprint. */
	if (g_strcmp0(code, "no_reader") == 0 && g_strcmp0(stage, "decode") == 0)
		return WEFT_RETRY_UPGRADE;
	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		if (g_strcmp0(code, table[i].code) == 0)
			return table[i].retry;
	}
	return WEFT_RETRY_NEVER;
}

static void add_fault(WeftKnown *known, GChecksum *sum, const char *stage, const char *code)
{
	known->retry = MAX(known->retry, retry_of_fault(stage, code));
	g_checksum_update(sum, (const guchar *)(stage ? stage : ""), -1);
	g_checksum_update(sum, (const guchar *)":", 1);
	g_checksum_update(sum, (const guchar *)(code ? code : ""), -1);
	g_checksum_update(sum, (const guchar *)"\n", 1);
}

void weft_decoders_key(const char *versions, char ret_key[17])
{
	g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, versions, -1);
	g_strlcpy(ret_key, hex, 17);
}

void weft_known_of_record(const WeftRecord *record, WeftKnown *ret_known)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	WeftKnown *known = ret_known;

	*known = (WeftKnown){.status = record->status};
	for (guint i = 0; i < record->faults->len; i++) {
		const WeftFault *fault = &g_array_index(record->faults, WeftFault, i);
		add_fault(known, sum, fault->stage, weft_error_code_name(fault->code));
	}
	g_strlcpy(known->faults, g_checksum_get_string(sum), sizeof(known->faults));
	for (guint i = 0; i + 1 < record->run->len; i += 2) {
		if (strcmp(record->run->pdata[i], "decoders") != 0)
			continue;
		const char *json = record->run->pdata[i + 1];
		g_autoptr(WeftJson) value =
			weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
		const char *versions = weft_json_string(value, NULL);
		if (versions)
			weft_decoders_key(versions, known->decoders);
	}
}

void weft_retry_of_json(const WeftJson *record, WeftKnown *known)
{
	const WeftJson *errors = weft_json_member(record, "errors");
	const char *versions =
		weft_json_string(weft_json_at_pointer(record, "/run/decoders"), NULL);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	known->retry = WEFT_RETRY_NEVER;
	known->decoders[0] = '\0';
	for (gsize i = 0; i < weft_json_length(errors); i++) {
		const WeftJson *fault = weft_json_at(errors, i);
		add_fault(known, sum, weft_json_string(weft_json_member(fault, "stage"), NULL),
			  weft_json_string(weft_json_member(fault, "code"), NULL));
	}
	g_strlcpy(known->faults, g_checksum_get_string(sum), sizeof(known->faults));
	if (versions)
		weft_decoders_key(versions, known->decoders);
}
