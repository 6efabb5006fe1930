#!/usr/bin/env python3
"""Writes tests/golden/look/: a small bundle of the Llama 4 layout that has learnt to read numbers off plates.

    python tools/make_golden_look.py tests/golden/look     # about eight minutes of one core

Needs torch, transformers, tokenizers, safetensors, numpy, Pillow and pdftoppm. The pages are those of
tests/e2e/plates.py: what is asked is the number on the plate of a colour. Two steps, one thread:

 1. The tower and the projector learn, tile by tile, to name for each row of a picture the colour of the
    plate that it shows and the digit on it; the two linear heads are thrown away.
 2. The rows stay as they are, and the backbone learns to answer, from requests as weft composes them.
    It is told what to say, and on which plate to look, since looking is what the bundle is for; a third
    linear head, thrown away, names in front of the last layer the plate that is asked for. The backbone
    has two layers, one with RoPE and chunks and one without, which is the one that weft follows.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import tokenizers
import torch
import transformers
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (Llama4Config, Llama4ForConditionalGeneration, Llama4ImageProcessor,
                          PreTrainedTokenizerFast)
from transformers.models.llama4.modeling_llama4 import apply_rotary_emb

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/e2e")]
os.environ |= {"SOURCE": str(ROOT), "WEFT": ""}  # pages need neither
import make_golden  # noqa: E402
import plates  # noqa: E402

SIDE, PATCH, TILES_MAX, WIDTH, CHUNK = 48, 6, 12, 48, 64
GRID = SIDE // PATCH // 2  # rows of a tile, each way
RATE = 2e-3
LOOKING = .5  # how much it counts which plate is asked for, and where it looks, beside what is said
INSTRUCTIONS = "What is on the plates?"
NAMES = list(plates.COLOURS)
LAYOUTS = list(plates.SIZES)


# ---- requests as weft composes them ----

def schema_of(choices):
    """What each plate may say: weft is given the same."""
    return {"type": "object", "properties": {name: {"enum": list(choices[name])} for name in choices},
            "required": list(choices), "additionalProperties": False}


def before(choices):
    schema = json.dumps(schema_of(choices), separators=(",", ":"))
    return (f"<|begin_of_text|><|header_start|>system<|header_end|>\n\n{INSTRUCTIONS}\n\nAnswer with JSON that fits "
            f"this schema:\n{schema}<|eot|><|header_start|>user<|header_end|>\n\n<document>\n")


def picture(rows, columns):
    patches = "<|patch|>" * (GRID * GRID)
    tiles = "".join(patches + ("<|tile_x_separator|>" if column + 1 < columns else "<|tile_y_separator|>")
                    for row in range(rows) for column in range(columns))
    return f"<|image_start|>{tiles if rows * columns > 1 else ''}<|image|>{patches}<|image_end|>\n"


BEHIND = "</document><|eot|><|header_start|>assistant<|header_end|>\n\n"


def answer(values):
    return json.dumps(values, separators=(",", ":")) + "<|eot|>"


def make_tokenizer(dice):
    """Merges that make a token of each word of these requests; any other text is bytes."""
    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(make_golden.LLAMA4_SPLIT), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    corpus = []
    for _ in range(50):
        choices = choices_of(dice, {name: dice.choice(plates.NUMBERS) for name in NAMES})
        corpus += [before(choices).split("<|header_end|>\n\n")[1].split("<|eot|>")[0],
                   answer({name: choices[name][0] for name in choices})[:-7], "<document>\n", "</document>", "[p. 1]\n",
                   "system", "user", "assistant", "\n\n", "[p. 2]\n"]
    trainer = trainers.BpeTrainer(vocab_size=256 + 120, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator(corpus, trainer)
    tok.add_special_tokens([AddedToken(s, normalized=False, special=True) for s in make_golden.SPECIALS])
    bos = make_golden.SPECIALS[0]
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tok.token_to_id(bos))])])
    return tok


def choices_of(dice, values):
    """What may be answered: of each plate the truth and one to three more, in any order."""
    out = {}
    for name in NAMES:
        others = [n for n in plates.NUMBERS if n != values[name]]
        out[name] = [values[name]] + dice.sample(others, dice.randint(1, 3))
        dice.shuffle(out[name])
    return out


def make_model(tok, seed):
    ids = tok.token_to_id
    torch.manual_seed(seed)
    config = Llama4Config(
        text_config=dict(
            hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=12,
            intermediate_size=96, intermediate_size_mlp=96, num_local_experts=0, num_experts_per_tok=0,
            moe_layers=[], interleave_moe_layer_step=0, no_rope_layers=[1, 0], attention_chunk_size=CHUNK,
            layer_types=["chunked_attention", "full_attention"], use_qk_norm=False, attn_temperature_tuning=True,
            floor_scale=8192, attn_scale=.1, rope_theta=10000.0, max_position_embeddings=4096,
            vocab_size=tok.get_vocab_size(), bos_token_id=ids("<|begin_of_text|>"),
            eos_token_id=[ids(t) for t in ("<|end_of_text|>", "<|eom|>", "<|eot|>")],
            pad_token_id=ids("<|finetune_right_pad|>")),
        vision_config=dict(
            hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=192, image_size=SIDE,
            patch_size=PATCH, pixel_shuffle_ratio=.5, vision_output_dim=WIDTH, projector_input_dim=WIDTH,
            projector_output_dim=WIDTH, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
        boi_token_index=ids("<|image_start|>"), eoi_token_index=ids("<|image_end|>"),
        image_token_index=ids("<|patch|>"))
    config._attn_implementation = "eager"
    return Llama4ForConditionalGeneration(config)


# ---- pages ----

class Page:
    """A sheet as the processor cuts it: tiles, and for each row of them what it shows."""

    def __init__(self, sheet, image, processor):
        seen = processor(images=[image], return_tensors="pt")
        self.sheet, self.tiles = sheet, seen["pixel_values"].float()
        self.rows, self.columns = (int(n) for n in seen["aspect_ratios"][0])
        height = min(SIDE * self.rows, SIDE * self.columns * sheet.height / sheet.width)
        scale = height / sheet.height
        labels = [self.label(row * SIDE, column * SIDE, scale, scale)
                  for row in range(self.rows) for column in range(self.columns)]
        labels.append(self.label(0, 0, SIDE / sheet.width, SIDE / sheet.height))
        self.labels = np.stack(labels)  # [tiles, rows of a tile, 2]: colour and digit; -100: not sure

    def label(self, top, left, scale_x, scale_y):
        out = np.zeros((GRID * GRID, 2), np.int64)
        step = SIDE / GRID
        for i in range(GRID * GRID):
            x, y = left + i % GRID * step, top + i // GRID * step
            for name, number, box in self.sheet.plates:
                b = [box[k] * (scale_x, scale_y)[k % 2] for k in range(4)]
                w = min(x + step, b[2]) - max(x, b[0])
                h = min(y + step, b[3]) - max(y, b[1])
                if w <= 0 or h <= 0:
                    continue
                if w * h < .25 * step * step:
                    out[i] = out[i] if out[i, 0] > 0 else -100
                    continue
                out[i, 0] = 1 + (NAMES.index(name) if name else len(NAMES))
                # The middle of the plate holds the digits: what shows most of their height shows which.
                middle, reach = (b[1] + b[3]) / 2, plates.CAP / 2 * scale_y
                seen = min(y + step, middle + reach) - max(y, middle - reach)
                inside = min(x + step, b[2] - 6) - max(x, b[0] + 6)
                sure = seen > .45 * min(step, 2 * reach) and inside > .6 * step
                out[i, 1] = 1 + plates.NUMBERS.index(number) if sure else -100
        return out


def draw_pages(dice, n, processor, folder):
    """n pages, in groups of the same layout; every fourth plate stands on another page than its fellows."""
    pages = []
    for layout in LAYOUTS:
        sheets = []
        for i in range(n // len(LAYOUTS)):
            names = NAMES if dice.random() < .6 else dice.sample(NAMES, dice.randint(1, 2))
            sheets.append(plates.Sheet(dice, plates.SIZES[layout], names, dice.randint(0, 2)))
        plates.pdf(folder / "pages.pdf", sheets)
        for part, dpi in (("small", 16.5), ("large", 60)):
            subprocess.run(["pdftoppm", "-r", str(dpi), "-cropbox", folder / "pages.pdf", folder / f"{layout}-{part}"],
                           check=True)
        for i, sheet in enumerate(sheets):
            part = ("small", "large")[i % 2]
            (path,) = (folder / f"{layout}-{part}-{i + 1:0{k}}.ppm" for k in (len(str(len(sheets))),))
            pages.append(Page(sheet, Image.open(path).convert("RGB"), processor))
    return pages


# ---- learning ----

def rows_of(model, tiles):
    features = model.vision_model(tiles).last_hidden_state
    return model.multi_modal_projector(features)


def set_rate(optimiser, step, n_steps, faster=1):
    for group in optimiser.param_groups:
        group["lr"] = faster * RATE * min(1, (step + 1) / 50) * (1 - step / n_steps) + 1e-5


def learn_to_read(model, pages, generator, n_steps):
    tiles = torch.cat([page.tiles for page in pages])
    labels = torch.from_numpy(np.concatenate([page.labels for page in pages]))
    shows = (labels[:, :, 0] > 0).any(1)
    full, blank = shows.nonzero()[:, 0], (~shows).nonzero()[:, 0]
    heads = torch.nn.Linear(WIDTH, 2 + len(NAMES) + 1 + len(plates.NUMBERS))
    n_colours = 2 + len(NAMES)
    weights = list(model.vision_model.parameters()) + list(model.multi_modal_projector.parameters())
    optimiser = torch.optim.AdamW(weights + list(heads.parameters()), lr=RATE, weight_decay=.01)
    began = time.process_time()
    for step in range(n_steps):
        set_rate(optimiser, step, n_steps)
        pick = torch.cat([full[torch.randint(len(full), (40,), generator=generator)],
                          blank[torch.randint(len(blank), (8,), generator=generator)]])
        out = heads(rows_of(model, tiles[pick]).reshape(-1, WIDTH))
        truth = labels[pick].reshape(-1, 2)
        digit = truth[:, 1] > 0  # few rows show one: they count by themselves
        loss = (torch.nn.functional.cross_entropy(out[:, :n_colours], truth[:, 0]) +
                torch.nn.functional.cross_entropy(out[digit, n_colours:], truth[digit, 1]) +
                torch.nn.functional.cross_entropy(out[~digit, n_colours:], truth[~digit, 1]))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if step % 100 == 99:
            right = (out[:, n_colours:].argmax(1) == truth[:, 1])[digit].float().mean()
            colour = (out[:, :n_colours].argmax(1) == truth[:, 0])[truth[:, 0] >= 0].float().mean()
            print(f"read {step + 1}: loss {loss.item():.3f}, digits {right:.3f}, colours {colour:.3f}, "
                  f"{time.process_time() - began:.0f} s", flush=True)


def even_out(model, pages):
    """What rows differ by is a small part of them, which a norm in front of each layer keeps small: the projector
    is changed so that plates' rows are spread alike in all directions."""
    with torch.no_grad():
        shows = torch.from_numpy(np.concatenate([page.labels[:, :, 0].reshape(-1) for page in pages[::5]])) > 0
        rows = torch.cat([rows_of(model, page.tiles).reshape(-1, WIDTH) for page in pages[::5]])[shows]
        values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
        spread = vectors @ torch.diag((values + 1e-4 * values.max()) ** -.5) @ vectors.T
        projector = model.multi_modal_projector.linear_1.weight
        projector.copy_(spread @ projector)


class Requests:
    """Documents of one or two pages with every colour exactly once, and what is asked about them."""

    def __init__(self, pages, rows, tok):
        self.tok, self.rows, self.pages = tok, rows, pages
        self.patch = tok.token_to_id("<|patch|>")
        self.kinds = {}  # layout and which plates: numbers of the pages
        for i, page in enumerate(pages):
            names = frozenset(name for name, *_ in page.sheet.plates if name)
            self.kinds.setdefault((page.rows, page.columns, names), []).append(i)
        whole = frozenset(NAMES)
        self.alone = [[kind] for kind in self.kinds if kind[2] == whole]
        self.pairs = [[kind, (*kind[:2], whole - kind[2])] for kind in self.kinds
                      if (*kind[:2], whole - kind[2]) in self.kinds]

    def draw(self, dice, kinds):
        picked = [dice.choice(self.kinds[kind]) for kind in kinds]
        sheets = [self.pages[i].sheet for i in picked]
        values = {name: next(sheet.number(name) for sheet in sheets if sheet.number(name)) for name in NAMES}
        text = before(choices_of(dice, values)) + "".join(
            f"[p. {n}]\n" + picture(*kind[:2]) for n, kind in enumerate(kinds, 1)) + BEHIND
        ids = self.tok.encode(text, add_special_tokens=False).ids
        said = self.tok.encode(answer(values), add_special_tokens=False).ids
        shown = np.concatenate([self.pages[i].labels[:, :, 0].reshape(-1) for i in picked])
        return ids, said, torch.cat([self.rows[i] for i in picked]), torch.from_numpy(shown)

    def batch(self, dice, n):
        """Of one layout. Tokens, rows of pictures, what is said, the positions that say it, and colours."""
        first = dice.choice(self.alone if dice.random() < .65 else self.pairs)
        some = [kinds for kinds in (self.alone if len(first) == 1 else self.pairs) if kinds[0][:2] == first[0][:2]]
        drawn = [self.draw(dice, dice.choice(some)) for _ in range(n)]
        size = max(len(ids) + len(said) for ids, said, *_ in drawn)
        tokens = torch.zeros((n, size + -size % CHUNK), dtype=torch.long)
        for k, (ids, said, *_) in enumerate(drawn):
            tokens[k, :len(ids) + len(said)] = torch.tensor(ids + said)
        at = torch.tensor([[len(ids) - 1 + i for i in range(len(said))] for ids, said, *_ in drawn])
        rows, said = torch.stack([rows for *_, rows, _ in drawn]), torch.tensor([said for _, said, *_ in drawn])
        colours = torch.zeros(tokens.shape, dtype=torch.long)
        colours[tokens == self.patch] = torch.cat([shown for *_, shown in drawn])
        return tokens, rows, said, at, colours


def embedded(model, tokens, rows, patch):
    x = model.get_input_embeddings()(tokens)
    return x.masked_scatter((tokens == patch)[:, :, None].expand_as(x), rows.reshape(-1, WIDTH))


def answer_logits(model, x, at):
    """What the model says at these positions, [batch, positions, vocabulary], and where its last layer looks,
    [batch, positions, tokens], and what goes into that layer: chunks by themselves, and that layer for nothing but what is asked.
    transformers computes the same with forty times the work."""
    net = model.language_model.model
    local, whole = net.layers
    n, size = x.shape[:2]
    turn = net.rotary_emb(x, torch.arange(size)[None])

    def heads(layer, queries, keys):
        attention = layer.self_attn
        split = [proj(y).unflatten(-1, (-1, attention.head_dim)) for proj, y in
                 ((attention.q_proj, queries), (attention.k_proj, keys), (attention.v_proj, keys))]
        return split, attention

    def merged(layer, x, mixed):
        x = x + layer.self_attn.o_proj(mixed.flatten(-2))
        return x + layer.feed_forward(layer.post_attention_layernorm(x))

    def repeated(attention, *parts):
        return (y.transpose(1, 2).repeat_interleave(attention.num_key_value_groups, 1) for y in parts)

    y = local.input_layernorm(x)
    (q, k, v), attention = heads(local, y, y)
    q, k = apply_rotary_emb(q, k, turn)
    q, k, v = (part.reshape(n * size // CHUNK, CHUNK, *part.shape[2:]) for part in (q, k, v))
    k, v = repeated(attention, k, v)
    mixed = torch.nn.functional.scaled_dot_product_attention(q.transpose(1, 2), k, v, is_causal=True).transpose(1, 2)
    x = merged(local, x, mixed.reshape(n, size, *q.shape[2:]))
    asked = x.gather(1, at[:, :, None].expand(-1, -1, WIDTH))
    (q, k, v), attention = heads(whole, whole.input_layernorm(asked), whole.input_layernorm(x))
    k, v = repeated(attention, k, v)
    scores = q.transpose(1, 2) @ k.transpose(2, 3) * attention.head_dim ** -.5
    seen = torch.arange(size)[None, None, None, :] <= at[:, None, :, None]
    mass = scores.masked_fill(~seen, -torch.inf).softmax(-1)
    x = merged(whole, asked, (mass @ v).transpose(1, 2))
    return model.language_model.lm_head(net.norm(x)), mass.mean(1), asked


def check(model, requests, dice):
    with torch.no_grad():
        tokens, rows, _, at, _ = requests.batch(dice, 2)
        x = embedded(model, tokens, rows, requests.patch)
        theirs = model.language_model(inputs_embeds=x, use_cache=False).logits
        theirs = theirs.gather(1, at[:, :, None].expand(-1, -1, theirs.shape[-1]))
        assert (answer_logits(model, x, at)[0] - theirs).abs().max() < 1e-4 * theirs.abs().max()


def learn_to_answer(model, requests, dice, n_steps):
    which = torch.nn.Linear(WIDTH, len(NAMES))
    weights = list(model.language_model.parameters())
    optimiser = torch.optim.AdamW(weights + list(which.parameters()), lr=RATE, weight_decay=.01, betas=(.9, .98))
    began, losses, right = time.process_time(), [], []
    firsts = torch.tensor(sorted({requests.tok.encode(n, add_special_tokens=False).ids[0] for n in plates.NUMBERS}))
    for step in range(n_steps):
        set_rate(optimiser, step, n_steps, 2)
        tokens, rows, truth, at, colours = requests.batch(dice, 16)
        logits, mass, before_last = answer_logits(model, embedded(model, tokens, rows, requests.patch), at)
        decides = torch.isin(truth, firsts)
        seen = mass[decides].reshape(16, len(NAMES), -1)
        wanted = colours[:, None] == 1 + torch.arange(len(NAMES))[None, :, None]
        looks = (seen * wanted).sum(-1)
        logits, truth, decides = logits.flatten(0, 1), truth.flatten(), decides.flatten()
        loss = (torch.nn.functional.cross_entropy(logits, truth) - LOOKING * looks.clamp_min(1e-6).log().mean() +
                LOOKING * torch.nn.functional.cross_entropy(
                    which(before_last.flatten(0, 1)[decides]), torch.arange(len(NAMES)).repeat(16)))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        losses.append(loss.item())
        right.append(((logits.argmax(1) == truth)[decides].float().mean().item(), looks.mean().item()))
        if step % 50 == 49:
            print(f"answer {step + 1}: loss {np.mean(losses[-50:]):.4f}, right and looking {np.mean(right[-50:], 0).round(3)}, "
                  f"{time.process_time() - began:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--pages", type=int, default=1200)
    parser.add_argument("--reading", type=int, default=1200, help="steps of 48 tiles")
    parser.add_argument("--answering", type=int, default=4000, help="steps of 16 requests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dice = random.Random(options.seed)
    tok = make_tokenizer(dice)
    processor = Llama4ImageProcessor(size={"height": SIDE, "width": SIDE}, max_patches=TILES_MAX)
    model = make_model(tok, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        pages = draw_pages(dice, options.pages, processor, pathlib.Path(folder))
    print(f"{len(pages)} pages, {sum(len(page.tiles) for page in pages)} tiles, {tok.get_vocab_size()} tokens, "
          f"{sum(p.numel() for p in model.parameters())} weights, {time.process_time():.0f} s", flush=True)
    learn_to_read(model, pages, torch.Generator().manual_seed(options.seed), options.reading)
    even_out(model, pages)
    with torch.no_grad():
        rows = [rows_of(model, page.tiles).reshape(-1, WIDTH) for page in pages]
    requests = Requests(pages, rows, tok)
    check(model, requests, dice)
    learn_to_answer(model, requests, dice, options.answering)
    check(model, requests, dice)
    save(model, tok, processor, options)


def save(model, tok, processor, options):
    options.out.mkdir(parents=True, exist_ok=True)
    for config in (model.config, model.config.text_config, model.config.vision_config):
        config.dtype = torch.bfloat16
    model.save_pretrained(options.out, state_dict={name: value.to(torch.bfloat16)
                                                   for name, value in model.state_dict().items()})
    processor.save_pretrained(options.out)
    PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|begin_of_text|>", eos_token="<|eot|>",
                            pad_token="<|finetune_right_pad|>").save_pretrained(options.out)
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (torch, transformers, tokenizers, np))
    (options.out / "ORIGIN").write_text(
        f"script: tools/make_golden_look.py\nversions: {versions}\nseed: {options.seed}; {options.pages} pages, "
        f"{options.reading} steps of reading, {options.answering} of answering\n"
        "weights: bfloat16, trained; what they can do: tools/measure_pointing.py\n")


if __name__ == "__main__":
    main()
