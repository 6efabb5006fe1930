#!/usr/bin/env python3
"""Time of Whisper's encoder and decoder, with random weights of the published sizes.

    python3 tools/bench_whisper.py FOLDER [tiny base small ...]

Makes the models in FOLDER (numpy alone; f16), runs `weft probe whisper` ($WEFT, default build/cli/weft) on 30 s
of sound with 1 and 2 threads, three times each, and prints the least: seconds of the processor, and of the
clock. Steps are token by token, 200 of them; what opening and encoding take is measured and taken off.
"""
import json
import os
import pathlib
import resource
import struct
import subprocess
import sys
import time

import numpy as np

SIZES = {"tiny": (384, 4, 6), "base": (512, 6, 8), "small": (768, 12, 12), "medium": (1024, 24, 16)}
N_STEPS = 200


def write_model(folder, width, n_layers, n_heads):
    rng = np.random.default_rng(1)
    sizes = {"encoder.conv1.weight": (width, 80, 3), "encoder.conv1.bias": (width,),
             "encoder.conv2.weight": (width, width, 3), "encoder.conv2.bias": (width,),
             "encoder.embed_positions.weight": (1500, width), "decoder.embed_positions.weight": (448, width),
             "decoder.embed_tokens.weight": (51865, width)}
    for side in ("encoder", "decoder"):
        layers = [f"{side}.layers.{n}" for n in range(n_layers)]
        for layer in layers:
            for attention in ("self_attn",) if side == "encoder" else ("self_attn", "encoder_attn"):
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    sizes[f"{layer}.{attention}.{part}.weight"] = (width, width)
                    if part != "k_proj":
                        sizes[f"{layer}.{attention}.{part}.bias"] = (width,)
                sizes.update({f"{layer}.{attention}_layer_norm.{kind}": (width,) for kind in ("weight", "bias")})
            sizes.update({f"{layer}.fc1.weight": (4 * width, width), f"{layer}.fc1.bias": (4 * width,),
                          f"{layer}.fc2.weight": (width, 4 * width), f"{layer}.fc2.bias": (width,)})
            sizes.update({f"{layer}.final_layer_norm.{kind}": (width,) for kind in ("weight", "bias")})
        sizes.update({f"{side}.layer_norm.{kind}": (width,) for kind in ("weight", "bias")})
    folder.mkdir(parents=True, exist_ok=True)
    header, at = {}, 0
    for name, shape in sizes.items():
        end = at + 2 * int(np.prod(shape))
        header["model." + name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for shape in sizes.values():
            f.write((rng.random(shape, np.float32) * 0.1 - 0.05).astype("<f2").tobytes())
    (folder / "config.json").write_text(json.dumps({
        "model_type": "whisper", "d_model": width, "num_mel_bins": 80, "vocab_size": 51865,
        **{f"{side}_{key}": value for side in ("encoder", "decoder") for key, value in (
            ("layers", n_layers), ("attention_heads", n_heads), ("ffn_dim", 4 * width))}}))


def least(*command):
    """The least processor and clock seconds of three runs."""
    found = []
    for _ in range(3):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([str(c) for c in command], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start))
    return np.min(found, axis=0)


def main():
    root = pathlib.Path(sys.argv[1])
    weft = os.environ.get("WEFT", "build/cli/weft")
    print("| model | threads | 30 s encoded: processor | clock | a step: processor | clock |\n"
          "| --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[2:] or ["tiny", "base"]:
        folder = root / name
        write_model(folder, *SIZES[name])
        mel, ids, one, rows, logits = (folder / n for n in ("m.npy", "ids.json", "1.json", "e.npy", "l.npy"))
        np.save(mel, np.random.default_rng(2).normal(0, 0.5, (80, 3000)).astype(np.float32))
        np.save(folder / "short.npy", np.load(mel)[:, :2])
        ids.write_text(json.dumps(list(range(N_STEPS + 1))))
        one.write_text("[1]")
        for threads in (1, 2):
            probe = [weft, "probe", "whisper", "-j", threads, "-m", folder, "--encoder", rows]
            opened = least(*probe, "--mel", folder / "short.npy")
            encoded = least(*probe, "--mel", mel) - opened
            first = least(*probe, "--mel", mel, "--ids", one, "--step", "-o", logits)
            steps = (least(*probe, "--mel", mel, "--ids", ids, "--step", "-o", logits) - first) / N_STEPS * 1000
            print(f"| {name} | {threads} | {encoded[0]:.2f} s | {encoded[1]:.2f} s | {steps[0]:.1f} ms | {steps[1]:.1f} ms |")


if __name__ == "__main__":
    main()
