#include <string.h>

#include "encoders/sequence.h"

static void test_ids_and_rows(void)
{
	const float rows[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	g_autoptr(WeftSequence) sequence = weft_sequence_new(3);
	gsize empty_bytes = weft_sequence_size_bytes(sequence);

	g_assert_cmpuint(weft_sequence_length(sequence), ==, 0);
	weft_sequence_add_id(sequence, 7);
	weft_sequence_add_rows(sequence, WEFT_SEQUENCE_ROW_ID, &rows[0][0], 2);
	weft_sequence_add_id(sequence, 8);
	g_assert_cmpuint(weft_sequence_length(sequence), ==, 4);
	const gint32 ids[] = { 7, -1, -1, 8 };
	const guint8 is_row[] = { 0, 1, 1, 0 };
	g_assert_cmpmem(sequence->ids->data, sequence->ids->len * sizeof(gint32), ids, sizeof(ids));
	g_assert_cmpmem(sequence->is_row->data, sequence->is_row->len, is_row, sizeof(is_row));
	g_assert_cmpmem(sequence->rows->data, sequence->rows->len * sizeof(float), rows,
			sizeof(rows));
	/* What a channel counts grows by what was added: 4 ids, 4 flags, 6 floats. */
	g_assert_cmpuint(weft_sequence_size_bytes(sequence) - empty_bytes, ==, 16 + 4 + 24);
}

static void test_free_of_nothing(void)
{
	weft_sequence_free(NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sequence/ids-and-rows", test_ids_and_rows);
	g_test_add_func("/sequence/free-of-nothing", test_free_of_nothing);
	return g_test_run();
}
