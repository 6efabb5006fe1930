#!/usr/bin/env python3
"""Writes tests/golden/gguf/: the small checkpoints of tests/golden as llama.cpp's converter writes them.

    python tools/make_golden_gguf.py LLAMA_CPP tests/golden [scout maverick llama31 mixtral]

LLAMA_CPP is a source tree of llama.cpp: its converter (convert_hf_to_gguf.py) and its Python package
gguf do the work, so names, permutations and metadata are theirs. Needs torch, transformers and numpy.
Two things are changed in the converter, because these checkpoints are small: it is told the name of
the pre-tokeniser (it knows published ones by a hash), and that there are four layers at least, since
it takes the numbers in vision_adapter.mlp.fc1 and fc2 for numbers of layers.
"""
import importlib.metadata
import json
import os
import sys

# What GGUF has no key for and these checkpoints have otherwise than the published ones.
LEFT_OUT = ["attention_chunk_size", "attn_scale", "floor_scale", "use_qk_norm"]

MODELS = {
    "scout": dict(files=[["model.gguf", "--outtype", "f32"],
                         ["mmproj.gguf", "--outtype", "f32", "--mmproj"]], override=True),
    "maverick": dict(files=[["model.gguf", "--outtype", "bf16", "--split-max-tensors", "25"],
                            ["vision.gguf", "--outtype", "f32", "--mmproj"]], override=True),
    "llama31": dict(files=[["model.gguf", "--outtype", "f32"]], override=False),
    "mixtral": dict(files=[["model.gguf", "--outtype", "f16"]], override=False),
}


def converter(llama_cpp):
    sys.path[:0] = [os.path.join(llama_cpp, "gguf-py"), llama_cpp]
    import convert_hf_to_gguf
    from conversion import base

    name_map = base.gguf.get_tensor_name_map
    base.gguf.get_tensor_name_map = lambda arch, n_blocks: name_map(arch, max(n_blocks, 4))
    base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "llama4"
    return convert_hf_to_gguf.main


def write_override(source, folder):
    """The values that the file can't say, as a config.json beside it."""
    with open(os.path.join(source, "config.json"), encoding="utf-8") as f:
        text = json.load(f)["text_config"]
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump({"text_config": {key: text[key] for key in LEFT_OUT}}, f, indent=2)
        f.write("\n")


def make(convert, golden, name):
    source, folder = os.path.join(golden, name), os.path.join(golden, "gguf", name)
    os.makedirs(folder, exist_ok=True)
    for file in os.listdir(folder):
        os.remove(os.path.join(folder, file))
    for file, *options in MODELS[name]["files"]:
        sys.argv = ["convert", source, "--outfile", os.path.join(folder, file), *options]
        convert()
    if MODELS[name]["override"]:
        write_override(source, folder)
    with open(os.path.join(folder, "ORIGIN"), "w", encoding="utf-8") as f:
        f.write(f"script: tools/make_golden_gguf.py, with the converter of llama-cpp-python 0.3.36\n"
                f"versions: torch {importlib.metadata.version('torch')}, "
                f"transformers {importlib.metadata.version('transformers')}\n"
                f"from: ../../{name}, whose logits are the reference\n"
                "tolerance: max |difference| <= 1e-4 * max |logit|: float32 sums in another order\n")


def main():
    convert = converter(sys.argv[1])
    golden, names = sys.argv[2], sys.argv[3:] or list(MODELS)
    for name in names:
        make(convert, golden, name)


if __name__ == "__main__":
    main()
