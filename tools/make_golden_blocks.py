#!/usr/bin/env python3
"""Writes tests/golden/blocks/: blocks of every stored format and the numbers that they mean.

    python tools/make_golden_blocks.py tests/golden/blocks LIBGGML_BASE.so

NAME.widen: blocks with random bytes and, where a format has f16 scales, scales of every kind; then
the f32 that gguf.quants.dequantize (F8_E4M3: torch.float8_e4m3fn) makes of them. NAME.narrow: f32;
then the blocks that gguf.quants.quantize makes of them; for Q4_K and Q6_K, which gguf only reads,
those of llama.cpp's library, whose error is the one to beat. All little-endian.
"""
import ctypes
import importlib.metadata
import os
import sys

import numpy as np
import torch
from gguf import GGMLQuantizationType, quants
from gguf.constants import GGML_QUANT_SIZES

SEED = 1
BLOCKS = 9

# Where the f16 scales of a block are.
SCALES = {
    "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0],
    "q2_k": [80, 82], "q3_k": [108], "q4_k": [0, 2], "q5_k": [0, 2], "q6_k": [208],
    "iq4_nl": [0], "iq4_xs": [0], "iq2_xxs": [0], "iq3_xxs": [0], "mxfp4": [],
}

# Ordinary, greatest, negative, least normal, subnormal, both zeros; then random ones.
EXTREMES = [0x2E66, 0x7BFF, 0xAC00, 0x0400, 0x03FF, 0x0001, 0x0000, 0x8000]


def type_of(name):
    return GGMLQuantizationType[name.upper()]


def random_blocks(random, name):
    _, size = GGML_QUANT_SIZES[type_of(name)]
    blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for place, at in enumerate(SCALES[name]):
        bits = EXTREMES[place:] + EXTREMES[:place]
        bits += [int(random.integers(0x2000, 0x3800)) for _ in range(BLOCKS - len(bits))]
        blocks[:, at:at + 2] = np.array(bits, dtype="<u2").reshape(-1, 1).view(np.uint8)
    if name == "mxfp4":  # both subnormal scales, the least normal one, great ones
        blocks[:7, 0] = [0, 1, 2, 127, 120, 251, 130]
    return blocks


def write_widen(folder, random, name):
    blocks = random_blocks(random, name)
    values = quants.dequantize(blocks, type_of(name))
    assert np.isfinite(values).all(), name
    with open(os.path.join(folder, name + ".widen"), "wb") as file:
        file.write(blocks.tobytes())
        file.write(values.astype("<f4").tobytes())


def write_f8(folder):
    bits = np.arange(256, dtype=np.uint8)
    values = torch.from_numpy(bits).view(torch.float8_e4m3fn).to(torch.float32).numpy()
    with open(os.path.join(folder, "f8_e4m3.widen"), "wb") as file:
        file.write(bits.tobytes())
        file.write(values.astype("<f4").tobytes())


def rows_to_narrow(random):
    """Normal, heavy-tailed, tiny, great, zeros, one value, halves that must be rounded, and twins
    of opposite sign for the greatest magnitude."""
    rows = [random.standard_normal(32), random.standard_normal(32) ** 3,
            random.standard_normal(32) * 1e-7, random.standard_normal(32) * 1e5,
            np.zeros(32), np.full(32, -0.37), np.arange(32) - 15.5, np.append(np.arange(31) - 15.5, 127),
            np.append(np.arange(31) / 2 - 7.5, -8),
            np.where(np.arange(32) % 2, 2.5, -2.5)]
    rows += [random.standard_normal(32) * 10.0 ** random.uniform(-4, 2) for _ in range(40)]
    return np.array(rows, dtype=np.float32)


def write_narrow(folder, random, name):
    rows = rows_to_narrow(random)
    blocks = quants.quantize(rows, type_of(name))
    with open(os.path.join(folder, name + ".narrow"), "wb") as file:
        file.write(rows.astype("<f4").tobytes())
        file.write(blocks.tobytes())


def write_llama(folder, random, library, name):
    """Rows as weights are: normal and heavy-tailed, of several sizes, with and without a middle."""
    rows = [random.standard_normal(256) * 0.02, random.standard_t(4, 256) * 0.03,
            random.laplace(0, 1, 256), random.uniform(-5, 5, 256), random.standard_normal(256) + 1,
            np.repeat(10.0 ** random.uniform(-2, 0, 8), 32) * random.standard_normal(256)]
    rows = np.array(rows, dtype="<f4")
    blocks = np.zeros((len(rows), GGML_QUANT_SIZES[type_of(name)][1]), dtype=np.uint8)
    library.ggml_quantize_chunk(
        int(type_of(name)), rows.ctypes.data_as(ctypes.c_void_p),
        blocks.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(len(rows)),
        ctypes.c_int64(256), None)
    with open(os.path.join(folder, name + ".llama"), "wb") as file:
        file.write(rows.tobytes())
        file.write(blocks.tobytes())


def main():
    folder = sys.argv[1]
    library = ctypes.CDLL(sys.argv[2])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_version.restype = ctypes.c_char_p
    os.makedirs(folder, exist_ok=True)
    random = np.random.default_rng(SEED)
    for name in SCALES:
        write_widen(folder, random, name)
    write_f8(folder)
    for name in ["q8_0", "q4_0"]:
        write_narrow(folder, random, name)
    for name in ["q4_k", "q6_k"]:
        write_llama(folder, random, library, name)
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("gguf", "torch", "numpy"))
    with open(os.path.join(folder, "ORIGIN"), "w") as file:
        file.write("script: tools/make_golden_blocks.py\n"
                   f"versions: {versions}, ggml {library.ggml_version().decode()}\n"
                   f"seed: {SEED}\n"
                   "*.widen: blocks, then the f32 that they mean; judge gguf.quants.dequantize,\n"
                   "  for f8_e4m3 all 256 bytes and torch.float8_e4m3fn\n"
                   "*.narrow: f32, then the blocks that gguf.quants.quantize makes of them\n"
                   "*.llama: f32, then the blocks that ggml_quantize_chunk makes of them\n"
                   "tolerance: none, the same bits (NaN of f8_e4m3: any NaN);\n"
                   "  *.llama: our error is smaller\n")


main()
