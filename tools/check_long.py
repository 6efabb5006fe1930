#!/usr/bin/env python3
"""Long sequences against transformers: a small random Llama 4, its logits from both, and the difference.

    python tools/check_long.py [--weft build/cli/weft] [-n 65536] [--types q8_0,q4] FOLDER

Writes a checkpoint and ids into FOLDER (made anew; nothing of it is kept in the repository), runs
transformers in f32 and `weft probe logits`, and prints the largest difference of each chunk of 8192
positions, as it is and in parts of the largest logit; exit 1 above 1e-4. Transformers is fed blocks
of --block positions with masks made here from the definition (same chunk; not later) and a cache that keeps
every position, because its own mask of n x n does not fit memory.

Angles: transformers multiplies position and frequency in f32, which at position 65,535 is off by up
to 0.004 radians; weft does it in f64. So the reference runs with --angles f64 (the default: only that
product differs) or f32 (as published: prints how far that alone goes, and fails nothing).

--types: no reference; prints what keys and values of these types change in weft's logits against a
cache in f32. Needs torch, transformers, numpy.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
import torch
from transformers import DynamicCache, Llama4ForCausalLM, Llama4TextConfig

CHUNK = 8192
RELATIVE = 1e-4  # of the largest |logit|: float32 sums in another order


def make(folder, args):
    torch.manual_seed(args.seed)
    config = Llama4TextConfig(
        vocab_size=256, hidden_size=args.width, num_hidden_layers=args.layers,
        num_attention_heads=args.width // args.head, num_key_value_heads=2, head_dim=args.head,
        intermediate_size=args.width, intermediate_size_mlp=2 * args.width, num_local_experts=4,
        num_experts_per_tok=1, interleave_moe_layer_step=args.moe_step,
        moe_layers=None if args.moe_step else [], attention_chunk_size=CHUNK,
        attn_temperature_tuning=True, floor_scale=8192, attn_scale=0.1, use_qk_norm=True,
        no_rope_layer_interval=min(4, args.layers), max_position_embeddings=1 << 20,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 16.0,
                         "low_freq_factor": 1.0, "high_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192},
        tie_word_embeddings=False, bos_token_id=0, eos_token_id=1, pad_token_id=2,
        initializer_range=0.02, torch_dtype=torch.float32)
    config._attn_implementation = "eager"
    model = Llama4ForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.uniform_(0.5, 1.5)
            else:  # sums of about 1, whatever the width
                fan_in = weight.shape[-2] if weight.dim() == 3 else weight.shape[-1]
                weight.normal_(0, 1 if "embed" in name else fan_in ** -0.5)
    model.save_pretrained(folder)
    ids = np.random.default_rng(args.seed).integers(3, 256, args.n).tolist()
    (folder / "ids.json").write_text(json.dumps(ids))
    return model, ids


def angles_in_f64(model):
    rotary = model.model.rotary_emb

    def forward(x, position_ids):
        angles = position_ids[..., None].double() * rotary.inv_freq.double()
        return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)

    rotary.forward = forward


def mask(first, end, is_chunked):
    """[1, 1, end - first, end]: what rows first..end see of the keys before end."""
    row, key = torch.arange(first, end)[:, None], torch.arange(end)[None]
    sees = key <= row
    if is_chunked:
        sees &= key // CHUNK == row // CHUNK
    zero, far = torch.zeros(()), torch.full((), torch.finfo(torch.float32).min)
    return torch.where(sees, zero, far)[None, None]


class Cache(DynamicCache):
    """Keeps every position of every layer; chunked layers are given those of the chunk alone, which
    saves the time for scores that the mask would take away."""
    first = 0

    def __init__(self, is_chunked):
        super().__init__()
        self.is_chunked = is_chunked

    def update(self, keys, values, layer_idx, *args, **kwargs):
        keys, values = super().update(keys, values, layer_idx, *args, **kwargs)
        if self.is_chunked[layer_idx]:
            keys, values = keys[:, :, self.first:], values[:, :, self.first:]
        return keys, values


def reference(model, ids, block):
    cache = Cache([kind == "chunked_attention" for kind in model.config.layer_types])
    logits = []
    with torch.no_grad():
        for first in range(0, len(ids), block):
            end = min(first + block, len(ids))
            cache.first = first // CHUNK * CHUNK
            masks = {"full_attention": mask(first, end, False),
                     "chunked_attention": mask(first, end, True)[..., cache.first:]}
            out = model.model(input_ids=torch.tensor([ids[first:end]]), attention_mask=masks,
                              position_ids=torch.arange(first, end)[None], past_key_values=cache,
                              use_cache=True)
            logits.append(model.lm_head(out.last_hidden_state)[0].numpy())
            print(f"\rtransformers: {end} of {len(ids)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.concatenate(logits)


def weft(args, folder, *more):
    out = folder / "logits.npy"
    subprocess.run([args.weft, "probe", "logits", "-m", folder, "--ids", folder / "ids.json", "-o",
                    out, *more], check=True)
    return np.load(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--weft", default="build/cli/weft")
    parser.add_argument("-n", type=int, default=65536)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--head", type=int, default=16)
    parser.add_argument("--moe-step", type=int, default=0, help="every how many layers; 0: none")
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--angles", choices=["f32", "f64"], default="f64")
    parser.add_argument("--types", default="", help="bf16,q8_0,q4: only weft against itself")
    args = parser.parse_args()
    assert CHUNK % args.block == 0  # no block crosses a chunk
    args.folder.mkdir(parents=True)
    model, ids = make(args.folder, args)
    if args.types:
        want = weft(args, args.folder, "--as-run", "--kv-type", "f32")
        for kind in args.types.split(","):
            got = weft(args, args.folder, "--as-run", "--kv-type", kind)
            apart = np.abs(got - want)
            print(f"{kind}: max {apart.max():.3g}, mean {apart.mean():.3g} of logits up to "
                  f"{np.abs(want).max():.3g}; the same likeliest token at "
                  f"{(got.argmax(1) == want.argmax(1)).mean():.2%} of {len(ids)} positions")
        return
    got = weft(args, args.folder)
    if args.angles == "f64":
        angles_in_f64(model)
    want = reference(model, ids, args.block)
    largest = np.abs(want).max()
    apart = np.abs(got - want).max(1)
    for first in range(0, args.n, CHUNK):
        part = apart[first:first + CHUNK]
        print(f"positions {first:8} to {first + len(part) - 1:8}: max {part.max():.3g}, "
              f"{part.max() / largest:.2g} of the largest logit")
    print(f"all: max {apart.max():.3g} of logits up to {largest:.3g}: {apart.max() / largest:.2g}; "
          f"the same likeliest token at {(got.argmax(1) == want.argmax(1)).mean():.2%}")
    if args.angles == "f64" and not apart.max() <= RELATIVE * largest:
        sys.exit(1)


if __name__ == "__main__":
    main()
