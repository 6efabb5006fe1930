#!/usr/bin/env python3
"""Writes the small checkpoints of the model family into tests/golden/: what transformers computes with
random weights, for Llama 3.1, Mixtral, a dense Llama 4 and the other shapes that Llama 4 comes in.

    python tools/make_golden_family.py tests/golden [llama31 mixtral ...]

As tools/make_golden.py, with which it shares the tokenizer, the prompts and the random numbers. Every
size differs from fixture to fixture, so that a swapped axis cannot hide.
"""
import json
import math
import os
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import save_file

from PIL import Image

from make_golden import (CORPUS, ROUTER_MARGIN_MIN, RouterMargins, origin, picture, randomise, tokenizer,
                         write_json)

N_LONG = 61
TOLERANCE = "tolerance: max |difference| <= 1e-4 * max |logit|: float32 sums in another order"


def prompts(tok):
    return {
        "short": tok.encode("<|header_start|>user<|header_end|>\n\nThe total is 1,240.00 €<|eot|>").ids,
        "long": tok.encode(CORPUS[:400]).ids[:N_LONG],
    }


def ids_of_text(tok, n_vocab):
    """What a text configuration says about ids; the vocabulary is larger than the tokenizer's."""
    ids = tok.token_to_id
    assert n_vocab > tok.get_vocab_size()
    return dict(vocab_size=n_vocab, bos_token_id=ids("<|begin_of_text|>"),
                eos_token_id=[ids(t) for t in ("<|end_of_text|>", "<|eom|>", "<|eot|>")],
                pad_token_id=ids("<|finetune_right_pad|>"))


def begin(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        os.symlink(os.path.join("..", "scout", name), os.path.join(folder, name))


def logits_of(model, ids):
    with torch.no_grad():
        return {name: model(input_ids=torch.tensor([i])).logits[0].float().numpy()
                for name, i in ids.items()}


def searched(make, config, ids, dtype, n_active=1, change=None):
    """The first seed whose routes no rounding flips. `change` may alter the weights before they run."""
    for seed in range(1, 1000):
        model = make(config).eval()
        randomise(model, seed, dtype)
        state = change(model) if change else None
        margins = RouterMargins(model, n_active)
        logits = logits_of(model, ids)
        if margins.smallest > ROUTER_MARGIN_MIN:
            return seed, model, margins.smallest, logits, state
    raise SystemExit("no seed")


def finish(folder, ids, logits, lines):
    for name, i in ids.items():
        write_json(folder, f"{name}.ids.json", i)
        np.save(os.path.join(folder, f"{name}.logits.npy"), logits[name].astype(np.float32))
    n_vocab = logits["short"].shape[1]
    origin(folder, lines + [f"*.ids.json with *.logits.npy[n, {n_vocab}]", TOLERANCE],
           "tools/make_golden_family.py")
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)
               if not os.path.islink(os.path.join(folder, f)))
    print(folder, lines[0], {k: float(np.abs(v).max()) for k, v in logits.items()}, size)
    assert size < 600_000


def seed_line(seed, margin):
    if margin == math.inf:
        return f"seed: {seed}; there is no router"
    return f"seed: {seed}, the first whose smallest router margin exceeds {ROUTER_MARGIN_MIN}; it is {margin:.6f}"


def save(model, folder, dtype, shard_size="1GB"):
    model.save_pretrained(folder, max_shard_size=shard_size, state_dict={
        name: value.to(dtype) for name, value in model.state_dict().items()
        if not (model.config.tie_word_embeddings and name == "lm_head.weight")})
    say_dtype(folder, dtype)


def say_dtype(folder, dtype):
    """save_pretrained writes the type that the model ran in."""
    def say(value):
        for part in (value, value.get("text_config"), value.get("vision_config")):
            if part is not None:
                part["dtype"] = str(dtype).removeprefix("torch.")

    edit_json(folder, "config.json", say)


def edit_json(folder, name, edit):
    path = os.path.join(folder, name)
    with open(path) as f:
        value = json.load(f)
    edit(value)
    with open(path, "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def llama31(folder):
    """Tied, heads wider than hidden / heads, and a scaling that bends inside the prompt."""
    from transformers import LlamaConfig, LlamaForCausalLM

    begin(folder)
    tok = tokenizer()
    config = LlamaConfig(
        **ids_of_text(tok, 484), hidden_size=54, num_hidden_layers=3, num_attention_heads=9,
        num_key_value_heads=3, head_dim=12, intermediate_size=70, max_position_embeddings=512,
        rms_norm_eps=1e-5, tie_word_embeddings=True,
        rope_parameters=dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0,
                             high_freq_factor=4.0, original_max_position_embeddings=64))
    config._attn_implementation = "eager"
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(LlamaForCausalLM, config, ids, torch.bfloat16)
    save(model, folder, torch.bfloat16)

    def old(value):
        """As Meta published it: rope_scaling; one end in config.json, the others only in the other file."""
        rope = value.pop("rope_parameters")
        value["rope_theta"], value["rope_scaling"] = rope.pop("rope_theta"), rope
        value["torch_dtype"] = value.pop("dtype")
        value["eos_token_id"] = value["eos_token_id"][0]

    edit_json(folder, "config.json", old)
    again = logits_of(LlamaForCausalLM.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32).eval(), ids)
    assert all(np.array_equal(again[k], logits[k]) for k in ids)
    finish(folder, ids, logits, [seed_line(seed, margin),
                                 "weights: bfloat16, head tied to the embedding; arithmetic: float32, eager attention",
                                 "config.json: keys as transformers 4 spells them"])


def mixtral_config(tok, **sizes):
    from transformers import MixtralConfig

    config = MixtralConfig(**dict(ids_of_text(tok, sizes.pop("vocab_size")), **sizes),
                           max_position_embeddings=512, rms_norm_eps=1e-5, sliding_window=None)
    config._attn_implementation = config._experts_implementation = "eager"
    return config


def mixtral(folder):
    """Two of five experts, in shards, under the names that were published (w1, w2, w3)."""
    from transformers import MixtralForCausalLM

    begin(folder)
    tok = tokenizer()
    config = mixtral_config(
        tok, vocab_size=500, hidden_size=80, num_hidden_layers=2, num_attention_heads=8,
        num_key_value_heads=4, intermediate_size=28, num_local_experts=5, num_experts_per_tok=2,
        rope_parameters=dict(rope_type="default", rope_theta=1000000.0))
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(MixtralForCausalLM, config, ids, torch.float16, 2)
    save(model, folder, torch.float16, "120KB")
    with open(os.path.join(folder, "model.safetensors.index.json")) as f:
        names = json.load(f)["weight_map"]
    assert "model.layers.1.block_sparse_moe.experts.4.w2.weight" in names, names
    finish(folder, ids, logits, [seed_line(seed, margin),
                                 "weights: float16; arithmetic: float32, eager attention",
                                 "names: as save_pretrained writes them, block_sparse_moe.experts.N.w1, w2, w3"])


def mixtral_fused(folder):
    """Three of six experts under the names of transformers 5's modules: mlp.experts.gate_up_proj [E, 2F, W]."""
    from transformers import MixtralForCausalLM

    begin(folder)
    tok = tokenizer()
    config = mixtral_config(
        tok, vocab_size=482, hidden_size=26, num_hidden_layers=5, num_attention_heads=10,
        num_key_value_heads=5, head_dim=18, intermediate_size=8, num_local_experts=6,
        num_experts_per_tok=3, rope_parameters=dict(rope_type="default", rope_theta=30000.0))
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(MixtralForCausalLM, config, ids, torch.bfloat16, 3)
    save(model, folder, torch.bfloat16)
    save_file({name: value.to(torch.bfloat16).contiguous() for name, value in model.state_dict().items()},
              os.path.join(folder, "model.safetensors"), {"format": "pt"})
    assert model.state_dict()["model.layers.0.mlp.experts.gate_up_proj"].shape == (6, 16, 26)
    finish(folder, ids, logits, [seed_line(seed, margin),
                                 "weights: bfloat16; arithmetic: float32, eager attention",
                                 "names: of the modules (mlp.gate, mlp.experts.gate_up_proj); save_pretrained "
                                 "itself writes those of the fixture mixtral"])


def add_image(folder, model, processor, tok, patch_size, ids, logits):
    """A prompt with a picture of several tiles, taken through transformers' own processor."""
    from transformers import Llama4Processor

    picture(50, 27).save(os.path.join(folder, "picture.png"))
    image = Image.open(os.path.join(folder, "picture.png"))
    proc = Llama4Processor(image_processor=processor, tokenizer=tok, patch_size=patch_size,
                           pixel_shuffle_ratio=0.5)
    seen = proc(text="<|begin_of_text|><|header_start|>user<|header_end|>\n\n<|image|>Is it safe?<|eot|>",
                images=[image], add_special_tokens=False, return_tensors="pt")
    pixels = seen["pixel_values"].float()
    with torch.no_grad():
        logits["image"] = model(input_ids=seen["input_ids"], pixel_values=pixels).logits[0].numpy()
    ids["image"] = [int(v) for v in seen["input_ids"][0]]
    np.save(os.path.join(folder, "image.pixels.npy"), pixels.numpy())


def guard4(folder):
    """A dense Llama 4 with a vision tower: no chunks, as the pruned safety model has it."""
    from transformers import (Llama4Config, Llama4ForConditionalGeneration, Llama4ImageProcessor,
                              PreTrainedTokenizerFast)

    begin(folder)
    tok = tokenizer()
    token = tok.token_to_id
    config = Llama4Config(
        text_config=dict(
            ids_of_text(tok, 490), hidden_size=28, num_hidden_layers=7, num_attention_heads=3,
            num_key_value_heads=1, head_dim=20, intermediate_size=24, intermediate_size_mlp=52,
            num_local_experts=0, num_experts_per_tok=0, moe_layers=[], interleave_moe_layer_step=0,
            use_qk_norm=True, max_position_embeddings=1024, attention_chunk_size=8192,
            layer_types=["full_attention"] * 7, floor_scale=8, attn_scale=0.2,
            rope_parameters=dict(rope_type="llama3", rope_theta=20000.0, factor=16.0, low_freq_factor=1.0,
                                 high_freq_factor=1.0, original_max_position_embeddings=32)),
        vision_config=dict(
            hidden_size=40, num_hidden_layers=1, num_attention_heads=2, intermediate_size=160,
            image_size=24, patch_size=6, vision_output_dim=28, projector_input_dim=28,
            projector_output_dim=28, rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
        boi_token_index=token("<|image_start|>"), eoi_token_index=token("<|image_end|>"),
        image_token_index=token("<|patch|>"))
    config._attn_implementation = "eager"
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(Llama4ForConditionalGeneration, config, ids, torch.bfloat16)
    save(model, folder, torch.bfloat16)
    processor = Llama4ImageProcessor(size=dict(height=24, width=24), max_patches=6)
    processor.save_pretrained(folder)
    fast = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|begin_of_text|>", eos_token="<|eot|>",
                                   pad_token="<|finetune_right_pad|>")
    add_image(folder, model, processor, fast, 6, ids, logits)

    def published(value):
        """transformers 5.23 makes a chunked mask even where no layer uses it, so null fails there."""
        del value["text_config"]["layer_types"]
        value["text_config"]["attention_chunk_size"] = None

    edit_json(folder, "config.json", published)
    finish(folder, ids, logits, [
        seed_line(seed, margin), "weights: bfloat16; arithmetic: float32, eager attention",
        "image: picture.png through Llama4Processor; image.pixels.npy[tiles, 3, 24, 24]",
        "attention: every layer_types full_attention; config.json says the same by attention_chunk_size "
        "null, which transformers 5.23 itself does not run"])


def scout_text(folder):
    """Saved as Llama4ForCausalLM: the text's keys at the top, names without language_model."""
    from transformers import Llama4ForCausalLM, Llama4TextConfig

    begin(folder)
    tok = tokenizer()
    config = Llama4TextConfig(
        **ids_of_text(tok, 508), hidden_size=36, num_hidden_layers=6, num_attention_heads=16,
        num_key_value_heads=8, head_dim=4, intermediate_size=16, intermediate_size_mlp=44,
        num_local_experts=3, num_experts_per_tok=1, interleave_moe_layer_step=1, use_qk_norm=True,
        max_position_embeddings=768, attention_chunk_size=12, floor_scale=10, attn_scale=0.4,
        rope_parameters=dict(rope_type="llama3", rope_theta=500000.0, factor=16.0, low_freq_factor=1.0,
                             high_freq_factor=1.0, original_max_position_embeddings=96))
    config._attn_implementation = "eager"
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(Llama4ForCausalLM, config, ids, torch.float16)
    save(model, folder, torch.float16)
    finish(folder, ids, logits, [seed_line(seed, margin),
                                 "weights: float16; arithmetic: float32, eager attention"])


def llama4_text_model(folder, tok, **sizes):
    from transformers import Llama4TextConfig

    config = Llama4TextConfig(**dict(ids_of_text(tok, sizes.pop("vocab_size")), **sizes))
    config._attn_implementation = "eager"
    return config


def fp8_rows(value):
    """Quantised as FBGEMM does: one scale for each row, the largest becomes 448."""
    scale = value.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12) / 448
    return (value / scale).to(torch.float8_e4m3fn), scale.float()


def fp8_state(model):
    """Experts, feed-forwards and the last layer's attention; the model keeps what they stand for."""
    state = {name: value.to(torch.bfloat16) for name, value in model.state_dict().items()}
    last = f"layers.{model.config.num_hidden_layers - 1}.self_attn"
    for name, p in model.named_parameters():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            quant, scale = fp8_rows(p.data.transpose(1, 2))
            p.data.copy_((quant.float() * scale).transpose(1, 2))
            quant = quant.transpose(1, 2)
            if name.endswith("gate_up_proj"):  # [E, 1, 2F]; the other stays [E, W, 1]
                scale = scale.transpose(1, 2)
        elif name.endswith("_proj.weight") and ("feed_forward" in name or last in name):
            quant, scale = fp8_rows(p.data)
            p.data.copy_(quant.float() * scale)
        else:
            continue
        state[name], state[name + "_scale"] = quant, scale
    return state


def maverick_fp8(folder):
    """Dense and MoE layers in turn, in FP8 with a scale for each output, as Maverick-FP8 is published."""
    from transformers import Llama4ForCausalLM

    begin(folder)
    tok = tokenizer()
    config = llama4_text_model(
        folder, tok, vocab_size=488, hidden_size=24, num_hidden_layers=8, num_attention_heads=7,
        num_key_value_heads=7, head_dim=6, intermediate_size=10, intermediate_size_mlp=22,
        num_local_experts=7, num_experts_per_tok=1, interleave_moe_layer_step=2, use_qk_norm=False,
        max_position_embeddings=640, attention_chunk_size=18,
        rope_parameters=dict(rope_type="default", rope_theta=500000.0))
    ids = prompts(tok)
    seed, model, margin, logits, state = searched(Llama4ForCausalLM, config, ids, torch.bfloat16,
                                                  change=fp8_state)
    model.config.save_pretrained(folder)
    say_dtype(folder, torch.bfloat16)
    model.generation_config.save_pretrained(folder)
    save_file({name: value.contiguous() for name, value in state.items()},
              os.path.join(folder, "model.safetensors"), {"format": "pt"})

    def published(value):
        value["architectures"] = ["Llama4ForCausalLM"]
        value["quantization_config"] = {
            "activation_scale_ub": 1200.0, "modules_to_not_convert": ["lm_head"],
            "quant_method": "fbgemm_fp8"}

    edit_json(folder, "config.json", published)
    finish(folder, ids, logits, [
        seed_line(seed, margin),
        "weights: bfloat16 and F8_E4M3 with float32 scales, gate_up_proj_scale [E, 1, 2F], down_proj_scale "
        "[E, W, 1], weight_scale [out, 1]",
        "arithmetic: float32 with quantised * scale as weights, eager attention; activations not quantised"])


def linearised(folder):
    """Each expert in matrices of its own, [out, in], as llm-compressor writes them."""
    from transformers import Llama4ForCausalLM

    begin(folder)
    tok = tokenizer()
    config = llama4_text_model(
        folder, tok, vocab_size=510, hidden_size=22, num_hidden_layers=9, num_attention_heads=12,
        num_key_value_heads=6, head_dim=14, intermediate_size=14, intermediate_size_mlp=34,
        num_local_experts=9, num_experts_per_tok=1, moe_layers=[1, 2, 8], use_qk_norm=True,
        no_rope_layers=[1, 0, 1, 1, 0, 1, 1, 1, 0], max_position_embeddings=896, attention_chunk_size=20,
        rope_parameters=dict(rope_type="default", rope_theta=40000.0))
    ids = prompts(tok)
    seed, model, margin, logits, _ = searched(Llama4ForCausalLM, config, ids, torch.bfloat16)
    save(model, folder, torch.bfloat16)
    state = {}
    for name, value in model.state_dict().items():
        value = value.to(torch.bfloat16)
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            state[name] = value
            continue
        base, kind = name.rsplit(".", 1)
        for e, matrix in enumerate(value.transpose(1, 2)):
            parts = {"down_proj": matrix} if kind == "down_proj" else dict(
                zip(("gate_proj", "up_proj"), matrix.chunk(2)))
            for part, rows in parts.items():
                state[f"{base}.{e}.{part}.weight"] = rows.contiguous()
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    finish(folder, ids, logits, [seed_line(seed, margin),
                                 "weights: bfloat16; arithmetic: float32, eager attention",
                                 "names: feed_forward.experts.N.{gate,up,down}_proj.weight"])


FIXTURES = {f.__name__: f for f in (llama31, mixtral, mixtral_fused, guard4, scout_text, maverick_fp8,
                                    linearised)}


def main():
    torch.set_num_threads(1)
    out, names = sys.argv[1], sys.argv[2:] or list(FIXTURES)
    for name in names:
        FIXTURES[name](os.path.join(out, name))


if __name__ == "__main__":
    main()
