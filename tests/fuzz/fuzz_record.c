/* Any bytes as a written record (its id is SAMPLE_ID): what is one is copied to other paths and another id,
 * and the copy is one again, with the same items; its words are found. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "outputs/calibration.h"
#include "outputs/record_file.h"
#include "outputs/search_text.h"

#define SAMPLE_ID "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static gboolean count(gpointer data, const char *list, const WeftJson *item)
{
	(*(guint *)data)++;
	return TRUE;
}

static WeftRecordFile *open_text(const char *text, size_t size_bytes, guint *n_items)
{
	char path[64];
	int fd = memfd_create("record", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, size_bytes) != (ssize_t)size_bytes)
		abort();
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	WeftRecordFile *file = weft_record_file_open(path, SAMPLE_ID, count, n_items, NULL);
	close(fd);
	return file;
}

static void copy(WeftRecordFile *file, guint n_items)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	guint n_copied = 0;

	g_ptr_array_add(paths, (gpointer)"/somewhere/else");
	weft_json_writer_init(&writer, text);
	if (!weft_record_file_copy(file, NULL, paths, &writer, NULL))
		abort();
	g_autoptr(WeftRecordFile) again = open_text(text->str, text->len, &n_copied);
	if (!again || n_copied != n_items)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	guint n_items = 0;
	g_autoptr(WeftRecordFile) file = open_text((const char *)data, size_bytes, &n_items);
	g_autoptr(WeftCalibration) calibration = NULL;
	if (!file)
		return 0;
	copy(file, n_items);
	g_autoptr(WeftSearchText) words = weft_search_text_new();
	(void)weft_record_file_items(file, weft_search_text_take_item, words, NULL); /* count was told them all */
	weft_search_text_add_head(words, file->head);
	(void)weft_search_text_place(words->places->str, words->body->len / 2);
	g_free(weft_search_text_name(words->places->str, 1)); /* bytes, or NULL */
	if (!g_utf8_validate(words->body->str, -1, NULL) || !g_utf8_validate(words->about->str, -1, NULL))
		abort();
	(void)weft_calibration_read(file->head, &calibration, NULL); /* a record is none, mostly */
	return 0;
}
