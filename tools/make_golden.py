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
                if ".mlp.experts." in name:  # Mixtral: [E, out, in]
                    n_in = p.shape[2]
                gain = 3.0 if "router" in name or name.endswith(".mlp.gate.weight") else 1.2
                p.copy_(gain * values / math.sqrt(n_in))
            p.copy_(p.to(dtype).float())


class RouterMargins:
    """Smallest distance between the last router logit taken and the first not, of anything that ran."""

    def __init__(self, model, n_active=1):
        self.smallest, self.n_active = math.inf, n_active
        for name, module in model.named_modules():
            if name.endswith((".router", ".mlp.gate")):
                module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        logits = torch.nn.functional.linear(inputs[0], module.weight)
        top = torch.topk(logits.reshape(-1, logits.shape[-1]), self.n_active + 1, dim=-1).values
        self.smallest = min(self.smallest, (top[:, -2] - top[:, -1]).min().item())


def origin(folder, lines, script="tools/make_golden.py"):
    versions = [f"{p} {importlib.metadata.version(p)}" for p in
                ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pillow")]
    with open(os.path.join(folder, "ORIGIN"), "w") as f:
        f.write(f"script: {script}\nversions: " + ", ".join(versions) + "\n")
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


def maverick(folder):
    """Dense and MoE layers in turn, no QK norm, no scaling, bfloat16 in shards, old key spellings."""
    text = dict(
        hidden_size=48, num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=2, head_dim=8,
        intermediate_size=20, intermediate_size_mlp=36, num_local_experts=8, num_experts_per_tok=1,
        interleave_moe_layer_step=2, use_qk_norm=False, max_position_embeddings=1024,
        attention_chunk_size=16, attn_temperature_tuning=True,
        rope_parameters=dict(rope_type="default", rope_theta=500000.0))
    vision = dict(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96,
        image_size=24, patch_size=4, vision_output_dim=20, projector_input_dim=20,
        projector_output_dim=20, rope_parameters=dict(rope_type="default", rope_theta=10000.0))
    llama4(folder, text, vision, dict(size=dict(height=24, width=24), max_patches=4), (31, 60),
           torch.bfloat16, "120KB")
    old_spelling(os.path.join(folder, "config.json"))
    check_again(folder)


def old_spelling(path):
    """The keys as transformers 4 wrote them: rope_theta and rope_scaling, no derived lists."""
    with open(path) as f:
        config = json.load(f)
    text, vision = config["text_config"], config["vision_config"]
    text["rope_theta"], text["rope_scaling"] = text.pop("rope_parameters")["rope_theta"], None
    vision["rope_theta"] = vision.pop("rope_parameters")["rope_theta"]
    text.pop("layer_types"), text.pop("moe_layers")
    text["no_rope_layers"] = []
    for part in (config, text, vision):
        part["torch_dtype"] = part.pop("dtype")
    with open(path, "w") as f:
        json.dump(config, f, indent=2)
        f.write("\n")


def check_again(folder):
    """The edited folder still means the same to transformers."""
    from transformers import Llama4ForConditionalGeneration

    model = Llama4ForConditionalGeneration.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32).eval()
    for name in ("short", "long"):
        with open(os.path.join(folder, name + ".ids.json")) as f:
            ids = json.load(f)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0].numpy()
        assert np.array_equal(logits, np.load(os.path.join(folder, name + ".logits.npy"))), name


# Each line of it is one case, and so is each string of STRANGE.
LINES = """Hello world
The quick brown fox jumps over the lazy dog.
don't DON'T Don't she'll SHE'LL they've I'm we'd it's IT'S 'tis o'clock rock'n'roll y'all'd've
'sss 'S 's't 'reve 'LL' ''s don'ſt x'ſ 'ſ ſ's
don’t l’été
CamelCase HTMLParser iPhone XMLHttpRequest getElementById McDonald's ABC'S abc'D
1 12 123 1234 12345 1234567 3.14159 1,240.00 1e-9 0x1F ½ ¾ ² ³ Ⅷ ① ٣٤٥ १२३ 一二三 𝟘𝟙𝟚𝟛
$1,000.50 €89,50 £3 ¥500 ₿0.1 20% #42 @user user@example.org
https://example.org/a/b?c=d&e=f#g file:///usr/share/doc/ C:\\Users\\x
{"key": [1, 2, {"a": null}], "b": "c"} if (x != y) { return a[i++] / 2; } // done
Die Straße ist lang, über Köln nach Düsseldorf; ÄÖÜ ẞ Großes
La réunion déplacée à l'été, où ça? L'ÉTÉ Œuvre
El niño comió; ¿Cuánto? ¡Señor! MAÑANA
Договор подписан в Москве. ДОГОВОР Ёлка
Η συμφωνία υπογράφηκε. ΑΘΗΝΑ ς σ
ב־3 במרץ שולם החשבון. שָׁלוֹם
تم دفع الفاتورة في ٣ مارس. اَلْعَرَبِيَّةُ
यह चालान तीन मार्च को भुगतान किया गया। हिन्दी
নমস্কার தமிழ் తెలుగు ಕನ್ನಡ മലയാളം ไทยภาษา ລາວ မြန်မာ ខ្មែរ བོད་
会議は三月に行われます。カタカナ ひらがな ｱｲｳ ﾞ ー々〆
中文測試：合同金額為一千元整。
한국어 시험입니다. ㄱㄴㄷ
ქართული ᲥᲐᲠᲗᲣᲚᲘ հայերեն ᏣᎳᎩ Ꭰꭰ
ǅ ǈ ǋ ǆ ǄǅaǅA ᾈᾳ ﬁﬂ ﬆ
naïve naı̈ve é é ÉCOLE Ç̧ a̐éö̲ ́start ̈A
😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ ☕️ a😀b 😀😀😀 1️⃣
→ ← ≠ ∑ √ ∞ ± × ÷ © ® ™ ° µ ª º · … – — ‘’ “” «» ¶ §
x² + y₁ = z⁻¹ H₂O ℃ Å ℵ ℝ ⅓
a_b __init__ a-b--c ... ?!?! ((())) *** /// a/b//c /\\/
<|begin_of_text|> <|eot|><|eot|>x<|header_start|>user<|header_end|> <|eot <|eot|> |> <|<|eot|>|>
<|patch|><|image|><|image_start|> <|not_a_token|> <|eom|>
ß ŉ ĳ ŀ İ ı K Å
ᵃᵇ ʰello ªb ºC ˈstress ʼn modifierʼs
Ⓐⓐ ⒈ ㈠ ㊀ 🄰 ꙮ ꓔ ꜩ Ꟈ ꟈ
""".splitlines()

STRANGE = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n", "\t", "\t\t", " \n", "\n ", " \n ",
    "  \n  ", "a ", " a", "  a", "   a", "a  b", "a   b", "a\nb", "a\n\nb", "a \nb", "a\n b",
    "a \n \n b", "a\r\n  b", "a\tb", "a\t b", "a \tb", "\ta", "  \t  \n\t\tx", "x  ", "x\n  ",
    "x \n\n  y", ".\n", ".\n\n", "...\n\nA", " .\n", " !\r\n/x", "/\n/", "//\n//x", " / ", "a/\nb", ")\n/)",
    "a\u00a0b", "a\u00a0\u00a0b", "\u00a0a", "\u2003x", "x\u3000y", "\u2028x\u2029", "\u0085a",
    "a\u0085b", "\x1c\x1d\x1e\x1f", "a\x1cb", "\u200bx", "x\u200b\u200by", "\ufeffx", "\u180ex",
    "\x0b\x0c", "a\x0bb", "\x00", "a\x00b", "\x7f", "\x80\x9f", "\u00ad", "a\u00adb", "\ufffd",
    "\ufffe", "\U0010ffff", "\ue000x", "\U000e0001", "\u0301", "\u0301a", "a\u0301", "A\u0301B",
    " \u0301", "!\u0301", "!\u0301a", "1\u0301", "1\u0301a", "\n\u0301", "\u0301\u0302\u0303",
    "\u0301's", "\u0301A's", "A'S", "A'", "'", "''", "' s", "'s", "'S", "'x", "a's's", "a'sb", "1's",
    "A'll", "A'l", "A'lL", "a'RE", "a'r", "\u02bcs", "Aa", "AA", "AAa", "AAaA", "aA", "aAA", "ᵃA", "Aᵃ",
    "Aᵃa", "一A", "A一a", "ǅa", "aǅ", "1a", "a1", "A1a", "١a", "²a", "a²", "123a456", "1234", " 1", " 12",
    "  12", " 1 2", "1 ", ".1", " .1", "-1", "+1a", "_a", " _a", "__a", " __a", "\"a", " \"a\"", "(a)",
    " (a", "  (a", "$a", "€a", "a€", "👍a", " 👍a", "  👍", "a👍🏽", "🇩a", "\u200da", "a\u200d",
    "\r", "\ra", "\r\ra", "a\r", " \r", "\n\r", "\t\n", "\n\t", "\n \t\n \t x", " " * 40 + "x", "\n" * 40,
    "=" * 70, "a" * 300, "ab" * 200, "A" * 100 + "a", "1" * 50, "é" * 60, "字" * 60, " a" * 40, "\n a" * 20,
]

ODD = list(" \t\n\r/.'!,-_aAbBsStTlLrReEvVmMdD019") + list(
    "\u00a0\u0085\u2028\u3000\u200b\u0301\u0308éÉßſǅʰª一三あア²½٣😀\u200d\ufe0f€„·K")


def strings():
    """The fixed cases, then 300 made of characters that the rules tell apart."""
    random = np.random.default_rng(7)
    return LINES + STRANGE + ["".join(random.choice(ODD, random.integers(2, 14))) for _ in range(300)]


LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def golden_tokenizer(folder):
    """Strings in many scripts: pieces by each known rule (their ends in bytes), and ids."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    llama4 = tokenizer()
    gpt2 = Tokenizer(models.BPE())
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    gpt2.decoder = decoders.ByteLevel()
    gpt2.train_from_iterator([CORPUS], trainers.BpeTrainer(
        vocab_size=256 + 150, show_progress=False, special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    gpt2.save(os.path.join(folder, "gpt2.tokenizer.json"))
    splits = {
        "llama4": pre_tokenizers.Split(Regex(LLAMA4_SPLIT), "isolated"),
        "llama3": pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"),
        "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    }

    def ids(tok, text, special):
        tok.encode_special_tokens = not special
        return tok.encode(text, add_special_tokens=False).ids

    def ends(split, text):
        return [len(text[:end].encode()) for _, (_, end) in split.pre_tokenize_str(text)]

    cases = []
    for text in strings():
        case = {"text": text, "llama4_ids": ids(llama4, text, False)}
        special = ids(llama4, text, True)
        if special != case["llama4_ids"]:
            case["special_ids"] = special
        case["gpt2_ids"] = ids(gpt2, text, False)
        for name, split in splits.items():
            case[name] = ends(split, text)
        cases.append(case)
    with open(os.path.join(folder, "cases.json"), "w") as f:
        f.write("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]\n")
    origin(folder, [
        "cases.json: for each text the ids by tests/golden/scout/tokenizer.json with special tokens "
        "as plain text (llama4_ids) and recognised (special_ids, where they differ), the ids by "
        "gpt2.tokenizer.json, and the ends in bytes of the pieces of each rule",
        "seed of the last 300 texts: 7; ids and ends must be equal",
    ])
    print(folder, len(cases), "cases")


WHISPER_ROW_STEP = 50


def whisper_mel(n_bins, n_frames):
    """Numbers that any program has exactly: eighths from -1 to 1."""
    b, t = np.meshgrid(np.arange(n_bins), np.arange(n_frames), indexing="ij")
    return (((b * 7 + t * 13 + b * t % 11) % 17 - 8) / 8).astype(np.float32)


def whisper(folder):
    """A Whisper of published shape in time (3000 frames, 1500 positions), stored as float16."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    config = WhisperConfig(
        d_model=16, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=24,
        decoder_layers=1, decoder_attention_heads=4, decoder_ffn_dim=24, num_mel_bins=128,
        max_source_positions=1500, max_target_positions=16, vocab_size=32, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=3, suppress_tokens=None,
        begin_suppress_tokens=None)
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, 1, torch.float16)
    with torch.no_grad():
        frames = model.model.encoder(torch.from_numpy(whisper_mel(128, 3000))[None])
    rows = frames.last_hidden_state[0].numpy()[::WHISPER_ROW_STEP]
    model.config.dtype = torch.float16
    state = model.state_dict()
    state.pop("proj_out.weight")  # tied
    model.save_pretrained(folder, state_dict={k: v.half() for k, v in state.items()})
    WhisperFeatureExtractor(feature_size=128).save_pretrained(folder)
    np.save(os.path.join(folder, "rows.npy"), np.ascontiguousarray(rows))
    origin(folder, [
        "seed: 1; weights: float16, arithmetic: float32, eager attention",
        f"rows.npy: every {WHISPER_ROW_STEP}th row of the encoder's output for the mel "
        "((7 b + 13 t + b t mod 11) mod 17 - 8) / 8, b = 0..127, t = 0..2999",
        "tolerance: max |difference| <= 1e-4 * max |row|: float32 sums in another order",
    ])
    print(folder, rows.shape, np.abs(rows).max())


FIXTURES = {"scout": scout, "maverick": maverick, "tokenizer": golden_tokenizer,
            "whisper": whisper}


def main():
    torch.set_num_threads(1)
    out, names = sys.argv[1], sys.argv[2:] or list(FIXTURES)
    for name in names:
        FIXTURES[name](os.path.join(out, name))


if __name__ == "__main__":
    main()
