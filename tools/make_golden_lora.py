#!/usr/bin/env python3
"""Writes tests/golden/lora/: adapters for bases of tests/golden, and what PEFT computes with them.

    python tools/make_golden_lora.py tests/golden [plain dora experts experts-old all saved ...]

Needs torch, transformers, peft, safetensors and numpy. Everything is f32 and eager; A, B and
magnitudes are random. Seeds are searched upwards from 1 until the smallest distance between the best
and the second best router logit, with the adapter at work, exceeds 1e-3. Each adapter is then merged
into the weights by PEFT, and the merged model must answer the same.
experts-old is as PEFT had it before it told the two orientations of fused experts apart, and
mixtral-linear as it was when transformers had one module for each expert: the numbers of mixtral.
"""
import importlib.metadata
import json
import math
import os
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

ROUTER_MARGIN_MIN = 1e-3
TOLERANCE = 1e-4

ATTENTION = r".*language_model\.model\.layers\.\d+\.self_attn\.[qkvo]_proj"

# name -> keywords of LoraConfig, type stored, prompts. Ranks, and all sizes of the base, differ.
ADAPTERS = {
    # Ranks and factors by pattern: a suffix, a regular expression, the first of two that match.
    "plain": (dict(
        r=4, lora_alpha=6,
        target_modules=ATTENTION + r"|.*language_model.*\.shared_expert\.(gate|up|down)_proj",
        rank_pattern={"o_proj": 2, r"layers\.[12]\.self_attn\.q_proj": 3, "q_proj": 5},
        alpha_pattern={"layers.3.self_attn.v_proj": 9, r".*\.shared_expert\.(gate|down)_proj": 2.5,
                       "self_attn.v_proj": 1}), torch.bfloat16, ("short", "long")),
    # Bare names, which reach the vision tower too; its layers have biases.
    "dora": (dict(
        r=3, lora_alpha=4, use_rslora=True, use_dora=True,
        target_modules=["q_proj", "v_proj", "fc1", "down_proj", "lm_head"]),
        torch.float32, ("short", "image")),
    "experts": (dict(
        r=2, lora_alpha=3, target_modules=[],
        target_parameters=["experts.gate_up_proj", "experts.down_proj", "router.weight"],
        rank_pattern={"layers.1.feed_forward.experts.down_proj": 3},
        alpha_pattern={"experts.gate_up_proj": 5}), torch.float32, ("short",)),
    "experts-old": (dict(
        r=2, lora_alpha=3, target_modules=[],
        target_parameters=["experts.gate_up_proj", "experts.down_proj"]),
        torch.float32, ("short",)),
    "all": (dict(
        r=2, lora_alpha=3,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                        "fc1", "fc2", "linear", "linear_1", "lm_head", "embed_tokens"]), torch.float32, ("short", "image")),
    "saved": (dict(
        r=2, lora_alpha=3, target_modules=ATTENTION, lora_bias=True,
        modules_to_save=["lm_head", "embed_tokens"]), torch.float32, ("short",)),
    # Rotation in halves: a GGUF of these has the rows of q and k in another order.
    "llama31": (dict(
        r=3, lora_alpha=4, use_dora=True,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
        torch.float32, ("short", "long")),
    "mixtral": (dict(
        r=2, lora_alpha=3, target_modules=["q_proj", "k_proj", "o_proj"],
        target_parameters=["experts.gate_up_proj", "experts.down_proj", "gate.weight"]),
        torch.float32, ("short",)),
}
BASES = {"llama31": "llama31", "mixtral": "mixtral"}  # the others: scout


ROUTERS = {"Llama4Router": 1, "MixtralTopKRouter": 0}  # which of its outputs are the logits


class RouterMargins:
    """Smallest distance between the last expert chosen and the first that was not, in router logits."""

    def __init__(self, model):
        self.smallest = math.inf
        for module in model.modules():
            if type(module).__name__ in ROUTERS:
                module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        logits = output[ROUTERS[type(module).__name__.removeprefix("Parametrized")]]
        top = torch.topk(logits.reshape(-1, logits.shape[-1]), module.top_k + 1, dim=-1).values
        self.smallest = min(self.smallest, (top[:, -2] - top[:, -1]).min().item())


def open_base(folder, is_old):
    from transformers import (Llama4ForConditionalGeneration, LlamaForCausalLM, MixtralForCausalLM)

    classes = {"llama31": LlamaForCausalLM, "mixtral": MixtralForCausalLM}
    model = classes.get(os.path.basename(folder), Llama4ForConditionalGeneration).from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32).eval()
    model.set_experts_implementation("eager")
    for module in model.modules():
        if is_old and type(module).__name__ == "Llama4TextExperts":
            module.is_transposed = True
    return model


def randomise(model, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            values = torch.randn(p.shape, generator=generator)
            if "lora_magnitude_vector" in name:
                p.copy_(p * (1 + 0.2 * values))
            elif "modules_to_save" in name:
                p.copy_(p + 0.3 * p.std() * values)
            elif "lora_B" in name and name.endswith("bias"):
                p.copy_(0.2 * values)
            elif "lora_" in name:
                p.copy_(0.6 * values / math.sqrt(p.shape[-1] if "_A" in name else 3))
            else:
                continue
            p.copy_(p.to(dtype).float())


def prompts(base, names):
    with_pixels = {}
    for name in names:
        with open(os.path.join(base, name + ".ids.json")) as f:
            inputs = {"input_ids": torch.tensor([json.load(f)])}
        if name == "image":
            inputs["pixel_values"] = torch.from_numpy(np.load(os.path.join(base, "image.pixels.npy")))
        with_pixels[name] = inputs
    return with_pixels


def run(model, inputs):
    with torch.no_grad():
        return {name: model(**i).logits[0].numpy().astype(np.float32) for name, i in inputs.items()}


def save(model, folder, dtype):
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_model.safetensors")
    save_file({name: value.to(dtype).contiguous() for name, value in load_file(path).items()}, path,
              metadata={"format": "pt"})
    path = os.path.join(folder, "adapter_config.json")
    with open(path) as f:
        config = json.load(f)
    config["base_model_name_or_path"] = None  # a path of the machine that ran this
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    with open(path, "w") as f:
        json.dump(config, f, indent=1, sort_keys=False)
        f.write("\n")


def adapter(out, name):
    from peft import LoraConfig, get_peft_model

    keywords, dtype, prompt_names = ADAPTERS[name]
    base = os.path.join(out, BASES.get(name, "scout"))
    folder = os.path.join(out, "lora", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    inputs = prompts(base, prompt_names)
    for seed in range(1, 1000):
        model = get_peft_model(open_base(base, name == "experts-old"), LoraConfig(**keywords)).eval()
        randomise(model, seed, dtype)
        margins = RouterMargins(model)
        logits = run(model, inputs)
        if margins.smallest > ROUTER_MARGIN_MIN:
            break
    save(model, folder, dtype)
    # PEFT can't merge a bias into a layer without one: there only the first judge is left.
    merged = logits if keywords.get("lora_bias") else run(model.merge_and_unload(), inputs)
    plain = run(open_base(base, False), inputs)
    lines = []
    for prompt, values in logits.items():
        largest = np.abs(values).max()
        apart = np.abs(values - merged[prompt]).max() / largest
        moved = np.abs(values - plain[prompt]).max() / largest
        assert apart <= TOLERANCE, (name, prompt, apart)
        assert moved > 0.05, (name, prompt, moved)
        np.save(os.path.join(folder, prompt + ".logits.npy"), values)
        lines.append(f"{prompt}: merged by PEFT {apart:.1e} of the largest logit away, "
                     f"the base {moved:.2f}")
    origin(folder, base, seed, margins.smallest, dtype, keywords, lines)
    if name == "mixtral":
        linear(folder, os.path.join(out, "lora", "mixtral-linear"))
    print(name, "seed", seed, "margin", margins.smallest, *lines, sep="\n  ")


def linear(source, folder):
    """The adapter of fused experts as pairs of the modules that transformers 4 had."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tensors = {}
    fused = load_file(os.path.join(source, "adapter_model.safetensors"))
    for name, a in fused.items():
        name = name.replace(".mlp.", ".block_sparse_moe.")
        if ".experts." not in name:
            tensors[name] = a
            continue
        if ".lora_B" in name:
            continue
        b = fused[name.replace(".block_sparse_moe.", ".mlp.").replace("lora_A", "lora_B")]
        rank, is_gate_up = 2, "base_layer" in name
        n_experts = a.shape[0] // rank
        a = a.reshape(n_experts, rank, -1)
        b = b.reshape(b.shape[0], rank, n_experts)
        prefix = name[:name.index(".experts.")]
        for e in range(n_experts):
            parts = dict(zip(("w1", "w3"), b[:, :, e].chunk(2))) if is_gate_up else {"w2": b[:, :, e]}
            for w, part in parts.items():
                tensors[f"{prefix}.experts.{e}.{w}.lora_A.weight"] = a[e].clone()
                tensors[f"{prefix}.experts.{e}.{w}.lora_B.weight"] = part.clone()
    save_file({name: value.contiguous() for name, value in tensors.items()},
              os.path.join(folder, "adapter_model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(source, "adapter_config.json")) as f:
        config = json.load(f)
    config["target_parameters"] = None
    config["target_modules"] += ["gate", "w1", "w2", "w3"]
    with open(os.path.join(folder, "adapter_config.json"), "w") as f:
        json.dump(config, f, indent=1)
        f.write("\n")
    with open(os.path.join(folder, "ORIGIN"), "w") as f:
        f.write("script: tools/make_golden_lora.py\nthe numbers of tests/golden/lora/mixtral, whose logits hold\n")


def origin(folder, base, seed, margin, dtype, keywords, lines):
    versions = [f"{p} {importlib.metadata.version(p)}" for p in
                ("torch", "transformers", "peft", "safetensors", "numpy")]
    with open(os.path.join(folder, "ORIGIN"), "w") as f:
        f.write("\n".join([
            "script: tools/make_golden_lora.py", "versions: " + ", ".join(versions),
            f"base: tests/golden/{os.path.basename(base)}; LoraConfig: {keywords}",
            f"seed: {seed}, the first whose smallest router margin exceeds {ROUTER_MARGIN_MIN}; it is "
            f"{margin:.6f}" if margin < math.inf else f"seed: {seed}; there is no router",
            f"weights: {dtype}, arithmetic: float32, eager attention",
            "*.logits.npy: of the base's prompt of that name, by PEFT, not merged", *lines,
            f"tolerance: max |difference| <= {TOLERANCE} * max |logit|: float32 sums in another order",
        ]) + "\n")


def main():
    torch.set_num_threads(1)
    out, names = sys.argv[1], sys.argv[2:] or list(ADAPTERS)
    for name in names:
        adapter(out, name)


if __name__ == "__main__":
    main()
