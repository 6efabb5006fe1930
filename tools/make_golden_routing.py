#!/usr/bin/env python3
"""Writes tests/model/data/routing.json: which experts transformers' routers choose for the golden prompts.

    python tools/make_golden_routing.py tests

For each fixture and prompt of tests/golden: the numbers of the layers with experts, and for each of them how
many tokens went to each expert, read from what the routers gave back.
"""
import importlib.metadata
import json
import os
import sys

import numpy as np
import torch

FIXTURES = {"scout": ["short", "long", "image"], "maverick": ["short", "long", "image"],
            "mixtral": ["short", "long"]}


def chosen(output):
    """Llama 4's router gives scores that are zero but for the chosen; Mixtral's gives their indices."""
    if len(output) == 2:
        return (output[0] > 0).sum(dim=0).tolist()
    return torch.bincount(output[2].reshape(-1), minlength=output[0].shape[-1]).tolist()


def counts_of(folder, prompt):
    from transformers import Llama4ForConditionalGeneration, MixtralForCausalLM

    make = MixtralForCausalLM if os.path.basename(folder) == "mixtral" else Llama4ForConditionalGeneration
    model = make.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    found = {}
    for name, module in model.named_modules():
        if name.endswith((".router", ".mlp.gate")):
            layer = int(name.split("layers.")[1].split(".")[0])
            module.register_forward_hook(
                lambda _module, _inputs, output, layer=layer: found.update({layer: chosen(output)}))
    with open(os.path.join(folder, f"{prompt}.ids.json")) as f:
        ids = json.load(f)
    more = {}
    if prompt == "image":
        more["pixel_values"] = torch.from_numpy(np.load(os.path.join(folder, "image.pixels.npy")))
    with torch.no_grad():
        model(input_ids=torch.tensor([ids]), **more)
    assert all(sum(counts) % len(ids) == 0 for counts in found.values())
    return {"layers": sorted(found), "counts": [found[layer] for layer in sorted(found)]}


def main(tests):
    value = {"versions": {p: importlib.metadata.version(p) for p in ("torch", "transformers")}}
    for name, prompts in FIXTURES.items():
        folder = os.path.join(tests, "golden", name)
        value[name] = {prompt: counts_of(folder, prompt) for prompt in prompts}
    with open(os.path.join(tests, "model", "data", "routing.json"), "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


main(sys.argv[1])
