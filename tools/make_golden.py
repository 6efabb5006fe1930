#!/usr/bin/env python3
"""Writes tests/golden/: tiny checkpoints with random weights and what transformers computes with them.

    python tools/make_golden.py tests/golden [tokenizer scout maverick whisper ...]

Needs torch, transformers, tokenizers, safetensors, numpy and Pillow. Everything is f32 and eager.
Seeds are searched upwards from 1 until the smallest distance between the best and the second best
router logit, over all prompts and layers, exceeds 1e-3: no rounding then flips a route.
"""
import importlib.metadata
import json
import math
import os
import shutil
import sys

import numpy as np
import torch
from PIL import Image, ImageDraw

ROUTER_MARGIN_MIN = 1e-3

LLAMA4_SPLIT = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
])

# Names as published; the ids are where this small vocabulary ends.
SPECIALS = """<|begin_of_text|> <|end_of_text|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|>
<|header_start|> <|header_end|> <|eom|> <|eot|> <|step|> <|python_start|> <|python_end|>
<|finetune_right_pad|> <|image_start|> <|image_end|> <|tile_x_separator|> <|tile_y_separator|>
<|image|> <|patch|>""".split()

# Text that the merges are learnt from, and the long prompt: written for this file.
CORPUS = """The archive holds letters, invoices and minutes of meetings. Each page was scanned at
two hundred dots per inch and each invoice has a number, a date and a total: 1,240.00 EUR.
Die Rechnung Nr. 2024-0117 über 89,50 € wurde am 3. März bezahlt; das Übrige folgt später.
La réunion du 12 février a été déplacée; l'été prochain, nous n'avons rien d'autre à prévoir.
El niño comió una manzana. ¿Cuánto cuesta? Los señores y las señoras hablarán mañana.
Договор подписан в Москве, сумма указана цифрами и прописью. 会議は三月に行われます。
Don't touch it, she'll say; they've gone, I'm sure we'd know. DON'T! It's what he's got.
Total: $1,000.50 (20% tax) -- see /usr/share/doc/readme.txt; user@example.org #42 {"key": [1, 2]}
    indented line
		tabs here
the the the and and and of of to to in in for for with with date date total total number number
""" * 3


def tokenizer():
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from tokenizers import processors, trainers

    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA4_SPLIT), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=256 + 205, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator([CORPUS], trainer)
    tok.add_special_tokens([AddedToken(s, normalized=False, special=True) for s in SPECIALS])
    bos = SPECIALS[0]
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tok.token_to_id(bos))]),
    ])
    return tok


def save_tokenizer(folder):
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer(), bos_token="<|begin_of_text|>",
                                   eos_token="<|eot|>", pad_token="<|finetune_right_pad|>")
    fast.save_pretrained(folder)
    return fast


def randomise(model, seed, dtype):
    """Weights large enough that every part acts on the logits, rounded to the type stored.

    Only parameters are rounded: the tower's complex rotation is a buffer that no cast may touch.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            values = torch.randn(p.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.2 * values)
            elif name.endswith("bias"):
                p.copy_(0.2 * values)
            elif "embed" in name or p.dim() == 1:
                p.copy_(values if "tokens" in name else 0.5 * values)
            else:
                n_in = p.shape[1] if ".experts." in name else math.prod(p.shape[1:])
                gain = 3.0 if "router" in name else 1.2
                p.copy_(gain * values / math.sqrt(n_in))
            p.copy_(p.to(dtype).float())


class RouterMargins:
    """Smallest distance between the two best router logits of anything that ran."""

    def __init__(self, model):
        self.smallest = math.inf
        for name, module in model.named_modules():
            if name.endswith(".router"):
                module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        logits = torch.nn.functional.linear(inputs[0], module.weight)
        top = torch.topk(logits.reshape(-1, logits.shape[-1]), 2, dim=-1).values
        self.smallest = min(self.smallest, (top[:, 0] - top[:, 1]).min().item())


def origin(folder, lines):
    versions = [f"{p} {importlib.metadata.version(p)}" for p in
                ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pillow")]
    with open(os.path.join(folder, "ORIGIN"), "w") as f:
        f.write("script: tools/make_golden.py\nversions: " + ", ".join(versions) + "\n")
        f.write("\n".join(lines) + "\n")


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, ensure_ascii=False)
        f.write("\n")


def picture(width, height):
    """Gradients, a box, a diagonal and words: something on every tile."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1),
                    (x * 7 + y * 13) % 256], axis=-1).astype(np.uint8)
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    draw.rectangle([width // 5, height // 4, width // 2, height // 2], fill=(250, 240, 20))
    draw.line([0, height - 1, width - 1, 0], fill=(0, 0, 0), width=2)
    draw.text((width // 2, height // 2), "No 7", fill=(255, 255, 255))
    return image


def llama4(folder, text, vision, processor, size, dtype, shard_size):
    from transformers import (Llama4Config, Llama4ForConditionalGeneration, Llama4ImageProcessor,
                              Llama4Processor)

    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tok = save_tokenizer(folder)
    ids = tok.convert_tokens_to_ids
    config = Llama4Config(
        text_config=dict(text, vocab_size=len(tok), bos_token_id=ids("<|begin_of_text|>"),
                         eos_token_id=[ids(t) for t in ("<|end_of_text|>", "<|eom|>", "<|eot|>")],
                         pad_token_id=ids("<|finetune_right_pad|>")),
        vision_config=vision, boi_token_index=ids("<|image_start|>"),
        eoi_token_index=ids("<|image_end|>"), image_token_index=ids("<|patch|>"))
    config._attn_implementation = "eager"
    image_processor = Llama4ImageProcessor(**processor)
    side = vision["image_size"]
    proc = Llama4Processor(image_processor=image_processor, tokenizer=tok,
                           patch_size=vision["patch_size"], pixel_shuffle_ratio=0.5)

    raw = tok.backend_tokenizer
    short = raw.encode("<|header_start|>user<|header_end|>\n\nThe total is 1,240.00 €<|eot|>").ids
    long = raw.encode(CORPUS[:400]).ids
    picture(*size).save(os.path.join(folder, "picture.png"))
    image = Image.open(os.path.join(folder, "picture.png"))
    seen = proc(text="<|begin_of_text|><|header_start|>user<|header_end|>\n\n<|image|>What is it?"
                     "<|eot|><|header_start|>assistant<|header_end|>\n\n",
                images=[image], add_special_tokens=False, return_tensors="pt")
    aspect = image_processor(images=[image], return_tensors="pt")["aspect_ratios"][0].tolist()
    pixels = seen["pixel_values"].float()
    chunk = text["attention_chunk_size"]
    assert len(long) > 3 * chunk, (len(long), chunk)
    long = long[:3 * chunk + chunk // 2 + 3]

    for seed in range(1, 1000):
        model = Llama4ForConditionalGeneration(config).eval()
        randomise(model, seed, dtype)
        margins = RouterMargins(model)
        with torch.no_grad():
            logits = {name: model(input_ids=torch.tensor([i])).logits[0].numpy()
                      for name, i in (("short", short), ("long", long))}
            logits["image"] = model(input_ids=seen["input_ids"], pixel_values=pixels).logits[0].numpy()
        if margins.smallest > ROUTER_MARGIN_MIN:
            break
    model.config.dtype = model.config.text_config.dtype = model.config.vision_config.dtype = dtype
    model.save_pretrained(folder, max_shard_size=shard_size, state_dict={
        name: value.to(dtype) for name, value in model.state_dict().items()})
    image_processor.save_pretrained(folder)

    for name, i in (("short", short), ("long", long), ("image", seen["input_ids"][0].tolist())):
        write_json(folder, f"{name}.ids.json", [int(v) for v in i])
        np.save(os.path.join(folder, f"{name}.logits.npy"), logits[name].astype(np.float32))
    np.save(os.path.join(folder, "image.pixels.npy"), pixels.numpy())
    write_json(folder, "image.aspect.json", aspect)
    origin(folder, [
        f"seed: {seed}, the first whose smallest router margin exceeds {ROUTER_MARGIN_MIN}; it is "
        f"{margins.smallest:.6f}",
        f"weights: {dtype}, arithmetic: float32, eager attention",
        "short, long: text; image: picture.png through Llama4Processor (which rounds to bfloat16 "
        "at each step of rescale and normalise)",
        f"*.ids.json with *.logits.npy[n, {len(tok)}]; image.pixels.npy[tiles, 3, {side}, {side}]; "
        "image.aspect.json: rows, columns",
        "tolerance: max |difference| <= 1e-4 * max |logit|: float32 sums in another order",
    ])
    print(folder, "seed", seed, "margin", margins.smallest, "long", len(long), "image",
          seen["input_ids"].shape, pixels.shape, aspect)
    return model


def scout(folder):
    """All layers MoE, QK norm, llama3 scaling, temperature that acts, one layer without rotation."""
    llama4(folder, dict(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, intermediate_size=12, intermediate_size_mlp=40, num_local_experts=4,
        num_experts_per_tok=1, interleave_moe_layer_step=1, use_qk_norm=True,
        max_position_embeddings=2048, attention_chunk_size=16, floor_scale=8, attn_scale=0.3,
        attn_temperature_tuning=True,
        rope_parameters=dict(rope_type="llama3", rope_theta=10000.0, factor=16.0,
                             low_freq_factor=1.0, high_freq_factor=4.0,
                             original_max_position_embeddings=128)),
        dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
             image_size=28, patch_size=7, vision_output_dim=24, projector_input_dim=24,
             projector_output_dim=24, rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
        dict(size=dict(height=28, width=28)), (70, 40), torch.float32, "1GB")


FIXTURES = {"scout": scout}


def main():
    torch.set_num_threads(1)
    out, names = sys.argv[1], sys.argv[2:] or list(FIXTURES)
    for name in names:
        FIXTURES[name](os.path.join(out, name))


main()
