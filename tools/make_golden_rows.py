#!/usr/bin/env python3
"""Writes tests/model/data/NAME.rows.npy: the projected image rows of a golden checkpoint.

    python tools/make_golden_rows.py tests/golden tests/model/data NAME...

Runs transformers on the checkpoint's image.ids.json and image.pixels.npy and keeps what the
projector gives, so that the text model can be tested with rows and without a vision tower. Stops
when the logits are not those in the folder. Needs torch and transformers.
"""
import importlib.metadata
import json
import os
import sys

import numpy as np
import torch
from transformers import Llama4ForConditionalGeneration


def rows_of(folder):
    model = Llama4ForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    kept = []
    model.get_submodule("model.multi_modal_projector" if hasattr(model, "model")
                        else "multi_modal_projector").register_forward_hook(
        lambda module, inputs, output: kept.append(output))
    ids = torch.tensor([json.load(open(os.path.join(folder, "image.ids.json")))])
    pixels = torch.tensor(np.load(os.path.join(folder, "image.pixels.npy")))
    with torch.no_grad():
        logits = model(input_ids=ids, pixel_values=pixels).logits[0].numpy()
    want = np.load(os.path.join(folder, "image.logits.npy"))
    assert np.abs(logits - want).max() <= 1e-5 * np.abs(want).max(), "other logits than golden"
    rows = kept[0].reshape(-1, kept[0].shape[-1])
    assert len(rows) == int((ids == model.config.image_token_id).sum())
    return rows.numpy().astype(np.float32)


def main():
    torch.set_num_threads(1)
    golden, out = sys.argv[1:3]
    for name in sys.argv[3:]:
        rows = rows_of(os.path.join(golden, name))
        np.save(os.path.join(out, name + ".rows.npy"), rows)
        print(name, rows.shape)
    with open(os.path.join(out, "ORIGIN"), "w") as f:
        f.write("script: tools/make_golden_rows.py, from the checkpoints in tests/golden\n")
        f.write("versions: torch %s, transformers %s\n" % tuple(
            importlib.metadata.version(name) for name in ("torch", "transformers")))
        f.write("NAME.rows.npy[n, width]: output of multi_modal_projector for image.pixels.npy\n")


main()
