#!/usr/bin/env python3
"""Writes tests/golden/gguf/: the small checkpoints of tests/golden as llama.cpp's converter writes them.

    python tools/make_golden_gguf.py LLAMA_CPP tests/golden [scout maverick llama31 mixtral mixed wide]

LLAMA_CPP is a source tree of llama.cpp: its converter (convert_hf_to_gguf.py) and its Python package
gguf do the work, so names, permutations and metadata are theirs. Needs torch, transformers and numpy.
Two things are changed in the converter, because these checkpoints are small: it is told the name of
the pre-tokeniser (it knows published ones by a hash), and that there are four layers at least, since
it takes the numbers in vision_adapter.mlp.fc1 and fc2 for numbers of layers.

mixed: a Llama with a matrix of every type that weft reads. The blocks are random bytes with scales
set so that a row acts like one of random weights; the logits are transformers' with the weights that
gguf.quants.dequantize makes of them.

wide: a Llama in safetensors whose rows are whole blocks of every type, with the SHA-256 of each
tensor's bytes as gguf.quants.quantize makes them from what the converter writes.
"""
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile

import numpy as np

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


# Where in a block its f16 scales stand; MXFP4 has one byte, the exponent.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0],
          "IQ4_XS": [0], "IQ2_XXS": [0], "IQ3_XXS": [0]}
# Of q, k, v, o, gate, up, down in each layer. The rows of o are too short for blocks of 256.
MIXED = [["Q2_K", "Q3_K", "F16", "Q4_1", "Q4_K", "IQ3_XXS", "Q6_K"],
         ["IQ4_XS", "Q8_0", "BF16", "MXFP4", "Q5_K", "IQ2_XXS", "IQ4_XS"],
         ["Q4_0", "Q5_0", "Q6_K", "IQ4_NL", "Q3_K", "Q2_K", "Q5_1"]]
MIXED_SIZES = dict(vocab_size=480, hidden_size=256, intermediate_size=256, num_hidden_layers=3,
                   num_attention_heads=8, num_key_value_heads=2, head_dim=16,
                   max_position_embeddings=384, rms_norm_eps=1e-5, rope_theta=20000.0,
                   tie_word_embeddings=True)


def random_matrix(gguf, rng, type_name, n_rows, n_cols, std):
    """Stored rows and the values that they stand for."""
    kind = gguf.GGMLQuantizationType[type_name]
    values = rng.standard_normal((n_rows, n_cols)).astype(np.float32) * std
    if type_name not in SCALES and type_name != "MXFP4":
        data = gguf.quants.quantize(values, kind)
        return data, gguf.quants.dequantize(data, kind)
    n_values, n_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (n_rows * n_cols // n_values, n_bytes), dtype=np.uint8)

    def scaled(scale):
        for at in SCALES.get(type_name, []):
            sign = rng.choice([-1.0, 1.0], len(blocks)) if at != 2 and at != 82 else 1.0
            blocks[:, at:at + 2] = (sign * np.full(len(blocks), scale)).astype("<f2").view(
                np.uint8).reshape(-1, 2)
        if type_name == "MXFP4":
            blocks[:, 0] = round(np.log2(scale)) + 128
        data = blocks.reshape(n_rows, -1)
        return data, gguf.quants.dequantize(data, kind).reshape(n_rows, n_cols)

    return scaled(std / scaled(1.0)[1].std())


def split_heads(weights, n_heads):
    """Rows as Hugging Face has them, from interleaved ones."""
    n_rows, n_cols = weights.shape
    return weights.reshape(n_heads, n_rows // n_heads // 2, 2, n_cols).swapaxes(1, 2).reshape(
        n_rows, n_cols)


def make_mixed(golden):
    import gguf
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = os.path.join(golden, "gguf", "mixed")
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(1)
    c = MIXED_SIZES
    model = LlamaForCausalLM(LlamaConfig(**c, attn_implementation="eager")).float().eval()
    writer = gguf.GGUFWriter(os.path.join(folder, "model.gguf"), "llama")
    writer.add_vocab_size(c["vocab_size"])
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    writer.add_rope_freq_base(c["rope_theta"])
    writer.add_rope_dimension_count(c["head_dim"])
    vocabulary = gguf.GGUFReader(os.path.join(golden, "gguf", "scout", "model.gguf")).fields
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama4")
    writer.add_token_list(vocabulary["tokenizer.ggml.tokens"].contents())
    writer.add_token_types(vocabulary["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(vocabulary["tokenizer.ggml.merges"].contents())

    def put(name, module, type_name, n_heads=0):
        n_rows, n_cols = module.weight.shape
        data, values = random_matrix(gguf, rng, type_name, n_rows, n_cols,
                                     1.0 if "embd" in name else 1.2 / np.sqrt(n_cols))
        writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType[type_name])
        if n_heads:
            values = split_heads(values, n_heads)
        module.weight.copy_(torch.from_numpy(values.astype(np.float32)))

    def put_norm(name, module):
        values = (1 + 0.2 * rng.standard_normal(c["hidden_size"])).astype(np.float32)
        writer.add_tensor(name, values)
        module.weight.copy_(torch.from_numpy(values))

    with torch.no_grad():
        put("token_embd.weight", model.model.embed_tokens, "Q5_0")
        put_norm("output_norm.weight", model.model.norm)
        for i, layer in enumerate(model.model.layers):
            types = MIXED[i]
            put_norm(f"blk.{i}.attn_norm.weight", layer.input_layernorm)
            put_norm(f"blk.{i}.ffn_norm.weight", layer.post_attention_layernorm)
            put(f"blk.{i}.attn_q.weight", layer.self_attn.q_proj, types[0], c["num_attention_heads"])
            put(f"blk.{i}.attn_k.weight", layer.self_attn.k_proj, types[1], c["num_key_value_heads"])
            put(f"blk.{i}.attn_v.weight", layer.self_attn.v_proj, types[2])
            put(f"blk.{i}.attn_output.weight", layer.self_attn.o_proj, types[3])
            put(f"blk.{i}.ffn_gate.weight", layer.mlp.gate_proj, types[4])
            put(f"blk.{i}.ffn_up.weight", layer.mlp.up_proj, types[5])
            put(f"blk.{i}.ffn_down.weight", layer.mlp.down_proj, types[6])
        model.tie_weights()
        for prompt, n in (("short", 23), ("long", 40)):
            ids = rng.integers(0, c["vocab_size"], n).tolist()
            logits = model(torch.tensor([ids])).logits[0].numpy()
            np.save(os.path.join(folder, f"{prompt}.logits.npy"), logits)
            with open(os.path.join(folder, f"{prompt}.ids.json"), "w", encoding="utf-8") as f:
                json.dump(ids, f)
                f.write("\n")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open(os.path.join(folder, "ORIGIN"), "w", encoding="utf-8") as f:
        f.write(f"script: tools/make_golden_gguf.py mixed\n"
                f"versions: torch {importlib.metadata.version('torch')}, "
                f"transformers {importlib.metadata.version('transformers')}, gguf of "
                f"llama-cpp-python 0.3.36, numpy {np.__version__}\n"
                "seed: 1\n"
                "reference: transformers, float32, eager, with the weights that gguf.quants.dequantize gives\n"
                "tolerance: max |difference| <= 1e-4 * max |logit|: float32 sums in another order\n")


WIDE_SIZES = dict(vocab_size=480, hidden_size=256, intermediate_size=96, num_hidden_layers=1,
                  num_attention_heads=4, num_key_value_heads=2, head_dim=24,
                  max_position_embeddings=384, rms_norm_eps=1e-5, rope_theta=20000.0,
                  bos_token_id=461, eos_token_id=462, tie_word_embeddings=True)


def hashes(path):
    """Of every matrix in each of the types that gguf.quants can make."""
    import gguf

    found = {}
    for tensor in gguf.GGUFReader(path).tensors:
        if len(tensor.shape) < 2:
            continue
        for name in ("Q8_0", "Q4_0"):
            data = gguf.quants.quantize(tensor.data, gguf.GGMLQuantizationType[name])
            found.setdefault(name.lower(), {})[tensor.name] = hashlib.sha256(data.tobytes()).hexdigest()
    return found


def make_wide(convert, golden):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = os.path.join(golden, "gguf", "wide")
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**WIDE_SIZES, attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            values = torch.randn(p.shape)
            p.copy_(1 + 0.2 * values if "norm" in name else values if "embed" in name else
                    1.2 * values / p.shape[-1] ** 0.5)
        model = model.to(torch.bfloat16)
        model.save_pretrained(folder)
        model = model.float()
        ids = torch.randint(0, WIDE_SIZES["vocab_size"], (1, 40))
        logits = model(ids).logits[0].numpy()
    np.save(os.path.join(folder, "long.logits.npy"), logits)
    with open(os.path.join(folder, "long.ids.json"), "w", encoding="utf-8") as f:
        json.dump(ids[0].tolist(), f)
        f.write("\n")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        link = os.path.join(folder, file)
        if not os.path.lexists(link):
            os.symlink(os.path.join("..", "..", "scout", file), link)
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "model.gguf")
        sys.argv = ["convert", folder, "--outfile", path, "--outtype", "f32"]
        convert()
        found = hashes(path)
    with open(os.path.join(folder, "quantised.json"), "w", encoding="utf-8") as f:
        json.dump(found, f, indent=1)
        f.write("\n")
    with open(os.path.join(folder, "ORIGIN"), "w", encoding="utf-8") as f:
        f.write(f"script: tools/make_golden_gguf.py wide\n"
                f"versions: torch {importlib.metadata.version('torch')}, "
                f"transformers {importlib.metadata.version('transformers')}, converter and gguf of "
                f"llama-cpp-python 0.3.36\n"
                "seed: 1\n"
                "quantised.json: SHA-256 of gguf.quants.quantize's bytes, exact\n")


def main():
    convert = converter(sys.argv[1])
    golden, names = sys.argv[2], sys.argv[3:] or [*MODELS, "mixed", "wide"]
    for name in names:
        if name == "mixed":
            make_mixed(golden)
        elif name == "wide":
            make_wide(convert, golden)
        else:
            make(convert, golden, name)


if __name__ == "__main__":
    main()
