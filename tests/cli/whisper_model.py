"""Whispers with weights from a formula, written as their publishers write them: a Hugging Face folder
(safetensors) and whisper.cpp's ggml-*.bin. The goldens of tests/golden/whisper_shapes are what
transformers computes with the same weights (tools/make_golden_whisper.py imports this file).
"""
import json
import struct

import numpy as np

# bins, vocabulary, positions of sound, layers of both sides: like large-v3, turbo and an English model
SHAPES = {
    "v3": dict(num_mel_bins=128, vocab_size=51866, max_source_positions=1500, encoder_layers=2,
               decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4),
    "turbo": dict(num_mel_bins=128, vocab_size=51866, max_source_positions=150, encoder_layers=4,
                  decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2),
    "english": dict(num_mel_bins=80, vocab_size=51864, max_source_positions=70, encoder_layers=1,
                    decoder_layers=3, encoder_attention_heads=1, decoder_attention_heads=4),
}
WIDTH, CONTEXT = 32, 96
N_IDS, ROW_STEP, ID_STEP = 80, 25, 1500  # of the golden numbers every 25th row, every 1500th id


def numbers(seed, shape):
    """From -1 to 1: the middle bits of a product, the same on every machine."""
    i = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed * 7919)
    mixed = (i * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    return ((mixed & np.uint64(0xFFFFF)).astype(np.float64) / 0x80000 - 1).reshape(shape).astype(np.float32)


def attention(name):
    return [(f"{name}.{part}.{kind}", [WIDTH, WIDTH] if kind == "weight" else [WIDTH])
            for part in ("q_proj", "k_proj", "v_proj", "out_proj") for kind in ("weight", "bias")
            if (part, kind) != ("k_proj", "bias")]


def norm(name):
    return [(f"{name}.weight", [WIDTH]), (f"{name}.bias", [WIDTH])]


def feed_forward(name):
    return [(f"{name}.fc1.weight", [4 * WIDTH, WIDTH]), (f"{name}.fc1.bias", [4 * WIDTH]),
            (f"{name}.fc2.weight", [WIDTH, 4 * WIDTH]), (f"{name}.fc2.bias", [WIDTH])]


def tensors(shape):
    """{name: float32} under the Hugging Face names without "model."."""
    sizes = [("encoder.conv1.weight", [WIDTH, shape["num_mel_bins"], 3]), ("encoder.conv1.bias", [WIDTH]),
             ("encoder.conv2.weight", [WIDTH, WIDTH, 3]), ("encoder.conv2.bias", [WIDTH]),
             ("encoder.embed_positions.weight", [shape["max_source_positions"], WIDTH]),
             ("decoder.embed_tokens.weight", [shape["vocab_size"], WIDTH]),
             ("decoder.embed_positions.weight", [CONTEXT, WIDTH])]
    for side in ("encoder", "decoder"):
        sizes += norm(f"{side}.layer_norm")
        for n in range(shape[f"{side}_layers"]):
            layer = f"{side}.layers.{n}"
            sizes += attention(f"{layer}.self_attn") + norm(f"{layer}.self_attn_layer_norm")
            if side == "decoder":
                sizes += attention(f"{layer}.encoder_attn") + norm(f"{layer}.encoder_attn_layer_norm")
            sizes += feed_forward(layer) + norm(f"{layer}.final_layer_norm")
    out = {}
    for seed, (name, size) in enumerate(sizes):
        values = numbers(seed, size)
        if "norm" in name and name.endswith("weight"):
            values = 1 + 0.3 * values
        elif name.endswith("bias"):
            values = 0.3 * values
        elif "embed" not in name:  # rows that act: scores and sums of some units
            values = values * np.float32(3 / np.sqrt(np.prod(size[1:])))
        out[name] = values.astype(np.float32)
    return out


def mel(shape):
    frames = 2 * shape["max_source_positions"]
    return numbers(1000, [shape["num_mel_bins"], frames])


def ids(shape):
    """Text, and the specials at the end of the vocabulary."""
    return [(i * 7919 + 13) % shape["vocab_size"] if i % 5 else shape["vocab_size"] - 1 - i for i in range(N_IDS)]


def config(shape):
    return dict(shape, model_type="whisper", architectures=["WhisperForConditionalGeneration"], d_model=WIDTH,
                encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH, max_target_positions=CONTEXT,
                activation_function="gelu", scale_embedding=False, tie_word_embeddings=True, pad_token_id=0,
                bos_token_id=0, eos_token_id=0, decoder_start_token_id=0)


# ---- stored types: the bytes, and the numbers that they stand for ----

def as_f32(values):
    return values.tobytes(), values


def as_f16(values):
    half = values.astype("<f2")
    return half.tobytes(), half.astype(np.float32)


def as_bf16(values):
    bits = values.view(np.uint32)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return bits.astype("<u2").tobytes(), (bits << 16).astype(np.uint32).view(np.float32)


def as_q8_0(values):
    """ggml's quantize_row_q8_0_ref: f16 d, 32 x i8."""
    blocks = values.reshape(-1, 32)
    d = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    q = np.round(blocks / np.where(d == 0, 1, d)).astype(np.int8)
    half = d.astype("<f2")
    data = np.concatenate([half.view(np.uint8), q.view(np.uint8)], axis=1)
    return data.tobytes(), (half.astype(np.float32) * q).reshape(values.shape)


def as_q5_0(values):
    """ggml's quantize_row_q5_0_ref: f16 d, fifth bits, 16 bytes with two numbers each."""
    blocks = values.reshape(-1, 32)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    d = largest / np.float32(-16)
    q = np.minimum(31, (blocks / np.where(d == 0, 1, d) + np.float32(16.5)).astype(np.int64)).astype(np.uint32)
    high = ((q >> 4) << np.arange(32, dtype=np.uint32)).sum(1, dtype=np.uint64).astype("<u4")
    low = (q[:, :16] & 15 | (q[:, 16:] & 15) << 4).astype(np.uint8)
    half = d.astype("<f2")
    data = np.concatenate([half.view(np.uint8), high[:, None].view(np.uint8), low], axis=1)
    return data.tobytes(), (half.astype(np.float32) * (q.astype(np.float32) - 16)).reshape(values.shape)


# name: (bytes and numbers, ggml's type, ggml's ftype)
TYPES = {"f32": (as_f32, 0, 0), "f16": (as_f16, 1, 1), "bf16": (as_bf16, 30, None),
         "q8_0": (as_q8_0, 8, 2007), "q5_0": (as_q5_0, 6, 2008)}
SAFETENSORS = {"f32": "F32", "f16": "F16", "bf16": "BF16"}


def stored(name, values, kind, is_ggml):
    """Which type a tensor has in a file of `kind`: whisper.cpp keeps vectors and positions in f32, and
    convolutions of a quantised file in f16."""
    if is_ggml and (values.ndim == 1 or "positions" in name):
        return "f32"
    if is_ggml and kind[0] == "q" and values.ndim != 2:
        return "f16"
    return kind


def as_stored(weights, kind, is_ggml):
    """{name: float32} as a reader of that file sees them."""
    return {name: TYPES[stored(name, values, kind, is_ggml)][0](values)[1] for name, values in weights.items()}


# ---- files ----

def write_folder(folder, shape, kind):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(shape)))
    header, body = {}, []
    at = 0
    for name, values in sorted(tensors(shape).items()):
        data = TYPES[kind][0](values)[0]
        header["model." + name] = {"dtype": SAFETENSORS[kind], "shape": list(values.shape),
                                   "data_offsets": [at, at + len(data)]}
        body.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(body))


PARTS = {"self_attn_layer_norm": "attn_ln", "encoder_attn_layer_norm": "cross_attn_ln", "final_layer_norm": "mlp_ln",
         "fc1": "mlp.0", "fc2": "mlp.2", "q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}


def openai_name(name):
    """As OpenAI's checkpoints have it."""
    if ".layers." not in name:
        return (name.replace("embed_positions.weight", "positional_embedding")
                .replace("embed_tokens", "token_embedding").replace("encoder.layer_norm", "encoder.ln_post")
                .replace("decoder.layer_norm", "decoder.ln"))
    side, _, number, *middle, last = name.split(".")
    block = {"self_attn": "attn.", "encoder_attn": "cross_attn."}.get(middle[0], "")
    return f"{side}.blocks.{number}.{block}{PARTS[middle[-1]]}.{last}"


def words(n=300):
    """256 bytes and some words; what stands behind them in a real file is left out."""
    out = [bytes([b]) for b in range(256)]
    return out + [bytes([97 + i % 26, 97 + i // 26]) for i in range(n - 256)]


def write_ggml(path, shape, kind):
    """As whisper.cpp's converter and its quantize write them."""
    with open(path, "wb") as f:
        f.write(b"lmgg" + struct.pack(
            "<11i", shape["vocab_size"], shape["max_source_positions"], WIDTH, shape["encoder_attention_heads"],
            shape["encoder_layers"], CONTEXT, WIDTH, shape["decoder_attention_heads"], shape["decoder_layers"],
            shape["num_mel_bins"], TYPES[kind][2]))
        f.write(struct.pack("<2i", shape["num_mel_bins"], 201) + bytes(shape["num_mel_bins"] * 201 * 4))
        f.write(struct.pack("<i", len(words())) + b"".join(struct.pack("<i", len(w)) + w for w in words()))
        for name, values in tensors(shape).items():
            data, _ = TYPES[stored(name, values, kind, True)][0](values)
            sizes = list(values.shape) + ([1] if name in ("encoder.conv1.bias", "encoder.conv2.bias") else [])
            text = openai_name(name).encode()
            f.write(struct.pack("<3i", len(sizes), len(text), TYPES[stored(name, values, kind, True)][1]))
            f.write(struct.pack(f"<{len(sizes)}i", *reversed(sizes)) + text + data)
