/* quantize.h - a safetensors checkpoint written as GGUF; part of the door: include "bundle/bundle.h".
 *
 * Text model and vision part become two files, as llama.cpp has them. Names, order of values and
 * metadata are those of llama.cpp's converter: rows of Q and K interleaved for Llama 3 and Mixtral,
 * fused experts taken apart and turned to [out, in], norms, routers and rope_freqs as F32, the
 * vocabulary and the chat template in the metadata. Matrices get the type asked for; where a row is
 * no whole blocks of it Q8_0, else F16, which is noted. The vision part is written as F16, its
 * vectors and tables as F32. Besides, `weft.config`, `weft.generation_config` and
 * `weft.preprocessor_config` keep the files that they are named after, so that weft opens the result
 * as what it was; others ignore them.
 *
 * One slice of rows is in memory at a time, whatever the size of the checkpoint. The file appears
 * under its name when it is complete. One thread at a time.
 */
#ifndef WEFT_BUNDLE_QUANTIZE_H
#define WEFT_BUNDLE_QUANTIZE_H

#include <glib.h>

#include "kernels/dtype.h"

typedef struct WeftQuantizer WeftQuantizer;

typedef struct WeftQuantizeJob {
	const char *folder; /* of the checkpoint */
	const char *target; /* file to write */
	WeftDtype dtype;    /* of the matrices: one of weft_quantize_type, F16 or F32; not looked at
			     * for the vision part */
	gboolean is_vision; /* the vision part, else the text model */
} WeftQuantizeJob;

/* "q8_0", "q6_k", "q4_k" or "q4_0"; FALSE for anything else. */
gboolean weft_quantize_type(const char *name, WeftDtype *ret_dtype);

/* Opens the checkpoint and plans the file. WEFT_ERROR_CONFIG or _WEIGHTS when it has no such part or
 * can't be said in GGUF. */
WeftQuantizer *weft_quantizer_open(const WeftQuantizeJob *job, GError **error);
void weft_quantizer_close(WeftQuantizer *quantizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftQuantizer, weft_quantizer_close)

/* Whether the checkpoint has a vision part, too. */
gboolean weft_quantizer_has_vision(const WeftQuantizer *quantizer);

/* Writes the header or one slice; *ret_is_done: there is none left, and the file has its name.
 * WEFT_ERROR_IO. Closed before that, the quantizer leaves nothing. */
gboolean weft_quantizer_next(WeftQuantizer *quantizer, gboolean *ret_is_done, GError **error);

/* Of the file: written so far, and in all. */
guint64 weft_quantizer_done_bytes(const WeftQuantizer *quantizer);
guint64 weft_quantizer_size_bytes(const WeftQuantizer *quantizer);

/* What someone should know of the result: char *, one sentence each. */
const GPtrArray *weft_quantizer_notes(const WeftQuantizer *quantizer);

#endif
