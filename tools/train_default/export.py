"""Writes an ordinary Hugging Face Llama 4 checkpoint and compares it with transformers' own classes.

    export.py TRAINED.pt FOLDER [--answer-confidence-min 0.9]
"""
import argparse
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

import model as M

SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>",
            "<|image_start|>", "<|image_end|>", "<|tile_x_separator|>", "<|tile_y_separator|>", "<|image|>",
            "<|patch|>", "<|finetune_right_pad|>"]
# The pre-tokeniser of Llama 4, so that the bundle is read by the same code as the published ones.
SPLIT = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
ID = {name: 256 + i for i, name in enumerate(SPECIALS)}
VOCAB = 288  # 256 bytes, the specials, and room to a multiple of 32


def byte_level_alphabet():
    """GPT-2's map from bytes to printable characters, in the order of the bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    return {b: chr(b) if b in plain else chr(256 + rest.index(b)) for b in range(256)}


def tokenizer():
    """One token a byte, no merges."""
    tok = Tokenizer(models.BPE(vocab={c: b for b, c in byte_level_alphabet().items()}, merges=[], ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens(SPECIALS)
    assert all(tok.token_to_id(s) == i for s, i in ID.items())
    return tok


def config(abilities):
    text = dict(M.TEXT, model_type="llama4_text", vocab_size=VOCAB, bos_token_id=ID["<|begin_of_text|>"],
                eos_token_id=[ID["<|end_of_text|>"], ID["<|eom|>"], ID["<|eot|>"]],
                pad_token_id=ID["<|finetune_right_pad|>"], rope_scaling=None,
                layer_types=["chunked_attention" if (i + 1) % 4 else "full_attention"
                             for i in range(M.TEXT["num_hidden_layers"])])
    return dict(architectures=["Llama4ForConditionalGeneration"], model_type="llama4", dtype="bfloat16",
                boi_token_index=ID["<|image_start|>"], eoi_token_index=ID["<|image_end|>"],
                image_token_index=ID["<|patch|>"], tie_word_embeddings=False,
                text_config=text, vision_config=dict(M.VISION, model_type="llama4_vision_model"), weft=abilities)


def write(folder, state, abilities):
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in state.items() if not k.startswith("align")}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer().save(str(folder / "tokenizer.json"))
    side = M.VISION["image_size"]
    files = {
        "config.json": config(abilities),
        "generation_config.json": {"bos_token_id": ID["<|begin_of_text|>"],
                                   "eos_token_id": [ID["<|end_of_text|>"], ID["<|eom|>"], ID["<|eot|>"]]},
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
                                  "eos_token": "<|eot|>", "pad_token": "<|finetune_right_pad|>"},
        "preprocessor_config.json": {
            "image_processor_type": "Llama4ImageProcessorFast", "size": {"height": side, "width": side},
            "max_patches": 16, "resample": 2, "resize_to_max_canvas": False, "do_rescale": True,
            "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
            "do_convert_rgb": True},
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=2) + "\n")
    return weights


def compare(folder, weights):
    """Largest difference of the logits from transformers', relative to the largest logit."""
    from transformers import Llama4ForConditionalGeneration
    theirs = Llama4ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    ours = M.Weft(VOCAB)
    ours.load_state_dict({k: v.float() for k, v in weights.items()})
    torch.manual_seed(0)
    ids = torch.randint(0, 256, (1, 90))
    ids[0, 10:10 + M.TILE_TOKENS] = ID["<|patch|>"]
    tiles = torch.rand(1, 3, M.VISION["image_size"], M.VISION["image_size"]) * 2 - 1
    with torch.no_grad():
        want = theirs(input_ids=ids, pixel_values=tiles).logits[0, 5:]
        x = ours.language_model.model.embed_tokens(ids)
        x[0, 10:10 + M.TILE_TOKENS] = ours.see(tiles)[0]
        got = ours.language_model(ids[0, :5], x[:, 5:])[0][0]
    return float((want - got).abs().max() / want.abs().max())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--answer-confidence-min", type=float, default=0.9)
    args = parser.parse_args()
    # Its reading is measured by evaluate.py and is not good enough to be used.
    abilities = {"name": "weft-default", "reads": False, "hears_words": False, "tasks": ["index"],
                 "answer_confidence_min": args.answer_confidence_min}
    state = torch.load(args.trained, weights_only=True)["state"]
    difference = compare(args.folder, write(args.folder, state, abilities))
    print(f"largest difference from transformers: {difference:.2e} of the largest logit")
    sys.exit(difference > 1e-4)
