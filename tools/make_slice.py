#!/usr/bin/env python3
"""A slice of a published shape with random weights, as a GGUF of Q4_K blocks.

    tools/make_slice.py scout|maverick FILE.gguf

Two layers with the true sizes of Llama 4 Scout (both a mixture of 16 experts; 3.6 GB) or Maverick
(one dense, one a mixture of 128; 10.5 GB): what memory and time cost at real sizes can be measured
without published weights. Blocks are written as they lie in the file, a tensor at a time, because
the bf16 form of Maverick's experts (32 GB) need not fit memory. Needs: pip install gguf numpy.
"""
import argparse

import gguf
import numpy as np

WIDTH, VOCAB, FFN, FFN_DENSE = 5120, 202048, 8192, 16384
HEADS, KV_HEADS, HEAD = 40, 8, 128
SHAPES = {"scout": (16, 1), "maverick": (128, 2)}  # experts, every how many layers
DEVIATION = 0.02


def blocks(rng, *shape):
    """Q4_K blocks of numbers with mean 0: every 6-bit scale and minimum is 32, so that a value is
    32 d q - 32 dmin with q uniform in 0..15; dmin = 7.5 d. The deviation of q is 4.61."""
    n = int(np.prod(shape)) // 256
    out = np.empty((n, 144), np.uint8)
    d = np.float16(DEVIATION / (32 * 4.61))
    out[:, 0:4] = np.frombuffer(np.array([d, np.float16(7.5 * float(d))]).tobytes(), np.uint8)
    out[:, 4:12] = 0xa0  # low six bits 32, high two bits: those of sub-blocks 4 to 7
    out[:, 12:16] = 0
    out[:, 16:] = np.frombuffer(rng.bytes(n * 128), np.uint8).reshape(n, 128)
    return out.reshape(*shape[:-1], shape[-1] // 256 * 144)


def tensors(n_experts, step):
    """(name, shape with the fastest size last, is quantised), in the order of the file."""
    yield "token_embd.weight", (VOCAB, WIDTH), True
    for layer in range(2):
        def name(rest):
            return f"blk.{layer}.{rest}.weight"
        yield name("attn_norm"), (WIDTH,), False
        yield name("attn_q"), (HEADS * HEAD, WIDTH), True
        yield name("attn_k"), (KV_HEADS * HEAD, WIDTH), True
        yield name("attn_v"), (KV_HEADS * HEAD, WIDTH), True
        yield name("attn_output"), (WIDTH, HEADS * HEAD), True
        yield name("ffn_norm"), (WIDTH,), False
        if (layer + 1) % step:
            yield name("ffn_gate"), (FFN_DENSE, WIDTH), True
            yield name("ffn_up"), (FFN_DENSE, WIDTH), True
            yield name("ffn_down"), (WIDTH, FFN_DENSE), True
            continue
        yield name("ffn_gate_inp"), (n_experts, WIDTH), False
        yield name("ffn_gate_exps"), (n_experts, FFN, WIDTH), True
        yield name("ffn_up_exps"), (n_experts, FFN, WIDTH), True
        yield name("ffn_down_exps"), (n_experts, WIDTH, FFN), True
        yield name("ffn_gate_shexp"), (FFN, WIDTH), True
        yield name("ffn_up_shexp"), (FFN, WIDTH), True
        yield name("ffn_down_shexp"), (WIDTH, FFN), True
    yield "output_norm.weight", (WIDTH,), False
    yield "output.weight", (VOCAB, WIDTH), True
    if step == 1:
        yield "rope_freqs.weight", (HEAD // 2,), False


def metadata(writer, n_experts, step):
    writer.add_block_count(2)
    writer.add_context_length(1048576)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FFN_DENSE)
    writer.add_expert_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500000.0)
    writer.add_rope_dimension_count(HEAD)
    writer.add_expert_count(n_experts)
    writer.add_expert_used_count(1)
    writer.add_interleave_moe_layer_step(step)
    writer.add_vocab_size(VOCAB)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_S)


def small(rng, name, shape):
    """Norms are 1, the router is random, and frequencies are divided as in the published Scout."""
    if "ffn_gate_inp" in name:
        return rng.normal(0, DEVIATION, shape).astype(np.float32)
    if "rope_freqs" in name:
        return np.where(np.arange(HEAD // 2) < 35, 1, 16).astype(np.float32)
    return np.ones(shape, np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("file")
    args = parser.parse_args()
    n_experts, step = SHAPES[args.shape]
    rng = np.random.default_rng(4)
    writer = gguf.GGUFWriter(args.file, "llama4")
    metadata(writer, n_experts, step)
    for name, shape, is_quantised in tensors(n_experts, step):
        if is_quantised:
            stored = (*shape[:-1], shape[-1] // 256 * 144)
            writer.add_tensor_info(name, stored, np.dtype(np.uint8), int(np.prod(stored)),
                                   gguf.GGMLQuantizationType.Q4_K)
        else:
            writer.add_tensor_info(name, shape, np.dtype(np.float32), 4 * int(np.prod(shape)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape, is_quantised in tensors(n_experts, step):
        print(name, *shape, flush=True)
        writer.write_tensor_data(blocks(rng, *shape) if is_quantised else small(rng, name, shape))
    writer.close()


if __name__ == "__main__":
    main()
