#include "outputs/readdress.h"

#include <string.h>

#include "outputs/record_paths.h"

static void write_member(WeftJsonWriter *w, const char *key, const char *text)
{
	weft_json_write_key(w, key);
	weft_json_write_string(w, text);
}

static void write_run(WeftJsonWriter *w, const WeftJson *run, const WeftAddress *address)
{
	weft_json_write_object(w);
	write_member(w, "fingerprint", address->fingerprint);
	if (address->decoders)
		write_member(w, "decoders", address->decoders);
	for (gsize i = 0; i < weft_json_length(run); i++) {
		const char *key = weft_json_key_at(run, i, NULL);

		if (strcmp(key, "fingerprint") == 0 || strcmp(key, "decoders") == 0)
			continue;
		weft_json_write_key(w, key);
		weft_json_write_tree(w, weft_json_at(run, i));
	}
	weft_json_write_object_end(w);
}

char *weft_record_readdress(const WeftJson *record, const WeftAddress *address,
			    const GPtrArray *paths, gsize *ret_size_bytes)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (gsize i = 0; i < weft_json_length(record); i++) {
		const char *key = weft_json_key_at(record, i, NULL);
		const WeftJson *value = weft_json_at(record, i);

		if (address && strcmp(key, "id") == 0) {
			write_member(&writer, "id", address->id);
			continue;
		}
		weft_json_write_key(&writer, key);
		if (strcmp(key, "source") == 0)
			weft_record_source_write(&writer, value, paths);
		else if (address && strcmp(key, "run") == 0)
			write_run(&writer, value, address);
		else
			weft_json_write_tree(&writer, value);
	}
	weft_json_write_object_end(&writer);
	*ret_size_bytes = text->len;
	return g_string_free(text, FALSE);
}
