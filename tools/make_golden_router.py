#!/usr/bin/env python3
"""Writes tests/golden/router/: how Mixtral chooses experts from logits, and how it weights them.

    python tools/make_golden_router.py tests/golden/router

Runs transformers' own router on logits from close together to far apart. Rows whose choice hangs on
a tie are left out: there torch.topk promises nothing.
"""
import importlib.metadata
import os
import sys

import numpy as np
import torch
from transformers import MixtralConfig
from transformers.models.mixtral.modeling_mixtral import MixtralTopKRouter

SEED = 1
ROWS, EXPERTS, CHOSEN = 60, 7, 3


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(SEED)
    config = MixtralConfig(hidden_size=EXPERTS, num_local_experts=EXPERTS,
                           num_experts_per_tok=CHOSEN)
    router = MixtralTopKRouter(config)
    router.weight.data = torch.eye(EXPERTS)
    logits = torch.randn(ROWS, EXPERTS) * torch.logspace(-3, 2, ROWS)[:, None]
    with torch.no_grad():
        same, weights, index = router(logits)
    assert torch.equal(same, logits)
    ordered = torch.softmax(logits, -1).sort(dim=-1, descending=True).values
    is_clear = (ordered[:, :CHOSEN] > ordered[:, 1:CHOSEN + 1]).all(-1)
    for name, array in [("logits", logits), ("index", index), ("weights", weights)]:
        array = array[is_clear].numpy()
        array = array.astype(np.int32) if name == "index" else array
        np.save(os.path.join(folder, f"mixtral.{name}.npy"), array)
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}"
                         for p in ("torch", "transformers", "numpy"))
    with open(os.path.join(folder, "ORIGIN"), "w") as file:
        file.write("script: tools/make_golden_router.py\n"
                   f"versions: {versions}\nseed: {SEED}\n"
                   f"mixtral.logits.npy[n, {EXPERTS}]; mixtral.index.npy, mixtral.weights.npy"
                   f"[n, {CHOSEN}]: the chosen, greatest first\n"
                   "tolerance: weights to 8 roundings of 2^-24, the index exactly\n")


main()
