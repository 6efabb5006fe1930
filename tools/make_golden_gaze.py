#!/usr/bin/env python3
"""Writes tests/model/data/scout.gaze.npy: where transformers' Llama 4 looks from its last position.

    python tools/make_golden_gaze.py tests/golden/scout tests/model/data

Needs torch, transformers and numpy. Of the prompt long.ids.json: the attention of the last row, f32 and
eager, averaged over the heads of the layers without chunks; one number for each position.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from transformers import Llama4ForConditionalGeneration


def main():
    bundle, out = map(pathlib.Path, sys.argv[1:])
    model = Llama4ForConditionalGeneration.from_pretrained(
        bundle, dtype=torch.float32, attn_implementation="eager").eval()
    ids = json.loads((bundle / "long.ids.json").read_text())
    with torch.no_grad():
        layers = model(input_ids=torch.tensor([ids]), output_attentions=True).attentions
    kinds = model.config.text_config.layer_types
    full = [layer[0, :, -1] for layer, kind in zip(layers, kinds) if kind == "full_attention"]
    np.save(out / "scout.gaze.npy", torch.stack(full).mean((0, 1)).numpy())


main()
