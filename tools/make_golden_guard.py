#!/usr/bin/env python3
"""Writes tests/golden/guard4_ask: prompts of Llama Guard 4 and what transformers computes for them.

    python tools/make_golden_guard.py tests/golden

The checkpoint is tests/golden/guard4, of tools/make_golden_family.py. The prompt is rendered here as one
string, as the published descriptions of the template have it, encoded by tokenizers, pictures expanded
by Llama4Processor; the template file itself is gated and was not at hand.
"""
import json
import os
import sys

import numpy as np
import torch
from PIL import Image

from make_golden import origin, write_json
from make_golden_encoders import picture

NAMES = ["Violent Crimes", "Non-Violent Crimes", "Sex Crimes", "Child Exploitation", "Defamation",
         "Specialized Advice", "Privacy", "Intellectual Property", "Indiscriminate Weapons", "Hate",
         "Self-Harm", "Sexual Content", "Elections", "Code Interpreter Abuse"]

# What the user says, the reply or None, the size of the picture or None.
CASES = [
    ("How do I open a jar?", None, None),
    ("Die Rechnung über 89,50 €\n  eingerückt\n\nzweiter Absatz", '{"total": 89.5, "by": "März"}', None),
    ("What is it?", None, (50, 31)),
    ("", '{"kind": "receipt"}', (31, 60)),
]


def rendered(user, reply, has_image):
    role = "User" if reply is None else "Agent"
    names = NAMES[:13] if has_image else NAMES
    turns = "User: " + ("<|image|>" if has_image else "") + user + "\n\n"
    if reply is not None:
        turns += "Agent: " + reply + "\n\n"
    return (
        "<|begin_of_text|><|header_start|>user<|header_end|>\n\n"
        f"Task: Check if there is unsafe content in '{role}' messages in conversations according to our "
        "safety policy with the below categories.\n\n"
        "<BEGIN UNSAFE CONTENT CATEGORIES>\n"
        + "".join(f"S{i}: {name}.\n" for i, name in enumerate(names, 1)) +
        "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n" + turns + "<END CONVERSATION>\n\n"
        f"Provide your safety assessment for ONLY THE LAST {role} message in the above conversation:\n"
        " - First line must read 'safe' or 'unsafe'.\n"
        " - If unsafe, a second line must include a comma-separated list of violated categories. "
        "<|eot|><|header_start|>assistant<|header_end|>\n\n")


def open_model(folder):
    """With the layer types that config.json means: transformers 5.23 fails at attention_chunk_size null."""
    from transformers import Llama4Config, Llama4ForConditionalGeneration

    with open(os.path.join(folder, "config.json")) as f:
        value = json.load(f)
    text = value["text_config"]
    text["attention_chunk_size"] = 8192
    text["layer_types"] = ["full_attention"] * text["num_hidden_layers"]
    config = Llama4Config(**value)
    model = Llama4ForConditionalGeneration.from_pretrained(
        folder, config=config, attn_implementation="eager", dtype=torch.float32).eval()
    with open(os.path.join(folder, "long.ids.json")) as f:
        ids = json.load(f)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0].float().numpy()
    assert np.abs(logits - np.load(os.path.join(folder, "long.logits.npy"))).max() < 1e-5
    return model


def pixels_of(size, folder):
    """The processor's tiles, normalised in float32: the processor itself rounds to bfloat16 on the way."""
    from transformers import Llama4ImageProcessor

    levels = Llama4ImageProcessor.from_pretrained(folder, do_rescale=False, do_normalize=False)
    image = torch.from_numpy(picture(*size)).permute(2, 0, 1)
    return (levels(image, return_tensors="pt")["pixel_values"].float() / 255 - 0.5) / 0.5


def main(golden):
    from transformers import Llama4ImageProcessor, Llama4Processor, PreTrainedTokenizerFast

    folder, out = os.path.join(golden, "guard4"), os.path.join(golden, "guard4_ask")
    os.makedirs(out, exist_ok=True)
    model = open_model(folder)
    tok = PreTrainedTokenizerFast.from_pretrained(folder)
    processor = Llama4Processor(
        image_processor=Llama4ImageProcessor.from_pretrained(folder), tokenizer=tok,
        patch_size=model.config.vision_config.patch_size, pixel_shuffle_ratio=0.5)
    cases, logits = [], []
    for i, (user, reply, size) in enumerate(CASES):
        text = rendered(user, reply, size is not None)
        images = None if size is None else [Image.fromarray(picture(*size))]
        seen = processor(text=text, images=images, add_special_tokens=False, return_tensors="pt")
        ids = seen["input_ids"][0].tolist()
        assert len(ids) < model.config.text_config.max_position_embeddings, len(ids)
        if images is None:
            assert ids == tok.backend_tokenizer.encode(text, add_special_tokens=False).ids
        more = {"pixel_values": pixels_of(size, folder)} if images else {}
        with torch.no_grad():
            logits.append(model(input_ids=seen["input_ids"], **more).logits[0, -1].float().numpy())
        cases.append({"user": user, "reply": reply, "image": size, "ids": ids})
        print(i, len(ids), float(np.abs(logits[-1]).max()))
    write_json(out, "cases.json", cases)
    np.save(os.path.join(out, "logits.npy"), np.stack(logits))
    origin(out, [
        "weights: tests/golden/guard4, rounded to bfloat16; arithmetic: float32, eager attention; pictures: "
        "the tiles of Llama4ImageProcessor, rescaled and normalised in float32",
        "cases.json: the user's text, the reply or null, width and height of the picture (the formula of "
        "tools/make_golden_encoders.py) or null, ids of the prompt",
        f"logits.npy[case, {logits[0].size}]: behind the last id",
        "tolerance: max |difference| <= 1e-4 * max |logit|: float32 sums in another order",
    ], "tools/make_golden_guard.py")


main(sys.argv[1])
