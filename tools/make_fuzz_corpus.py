#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/{config,ggml,gguf,safetensors,tokenizer,worker}: small inputs, good and nearly good.

    python3 tools/make_fuzz_corpus.py tests
"""
import base64
import json
import os
import struct
import sys


def put(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def safetensors(folder):
    def file(header, n_data, stated=None):
        text = json.dumps(header).encode() if not isinstance(header, bytes) else header
        return struct.pack("<Q", len(text) if stated is None else stated) + text + bytes(n_data)

    a = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    b = {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}
    put(folder, "two", file({"__metadata__": {"format": "pt"}, "a": a, "b": b}, 22))
    put(folder, "scalar", file({"a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}, 8))
    put(folder, "empty-tensor", file({"a": {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}}, 0))
    put(folder, "gap", file({"a": a, "b": dict(b, data_offsets=[18, 24])}, 24))
    put(folder, "overflow", file({"a": dict(a, shape=[1 << 62, 8], data_offsets=[0, 0])}, 0))
    put(folder, "long-header", file(b"{}", 0, 1 << 63))
    scale = {"dtype": "F32", "shape": [4, 1], "data_offsets": [16, 32]}
    put(folder, "fp8", file({"w": {"dtype": "F8_E4M3", "shape": [4, 4], "data_offsets": [0, 16]},
                             "w_scale": scale}, 32))
    put(folder, "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    put(folder, "index", json.dumps({"metadata": {"total_size": 22}, "weight_map": {
        "a": "model-00001-of-00001.safetensors"}}))


def alphabet():
    """GPT-2's byte alphabet."""
    plain = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    rest = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(0x100 + i) for i, b in enumerate(rest)}}


def tokenizer(folder, root):
    signs = alphabet()
    vocab = {signs[b]: b for b in range(256)}
    vocab.update({"ab": 256, "abc": 257})
    tok = {"version": "1.0", "normalizer": None, "added_tokens": [
        {"id": 258, "content": "<|x|>", "special": True},
        {"id": 259, "content": "<|x|>y", "special": False}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "model": {"type": "BPE", "ignore_merges": True, "merges": ["a b", ["ab", "c"]],
                  "vocab": vocab}}
    put(folder, "gpt2.json", json.dumps(tok, separators=(",", ":")))
    with open(os.path.join(root, "golden", "scout", "tokenizer.json"), encoding="utf-8") as f:
        split = json.load(f)["pre_tokenizer"]
    put(folder, "llama4.json", json.dumps(dict(tok, pre_tokenizer=split), separators=(",", ":")))
    put(folder, "twice.json", '{"normalizer":{},"normalizer":[],"model":{"vocab":{},"merges":[]},'
        '"model":{"vocab":{},"merges":[]}}')
    put(folder, "text", " Don't SHE'LL  \n\n x\u0301's 1234/\r\n//\t \u3000\u00a0é\u017f'\u017f<|x|>y 字🇩🇪\n")
    put(folder, "bytes", bytes(range(256)) + b"\xc3\xed\xa0\x80\xf4\x90\x80\x80 \xff'\xfe")


# Text, score, type (1 normal, 2 unknown, 3 control, 5 unused, 6 byte), as SentencePiece and GGUF say.
PIECES = [("<unk>", 0, 2), ("<s>", 0, 3)] + [(f"<0x{b:02X}>", 0, 6) for b in range(256)] + [
    ("▁a", -1, 1), ("▁ab", -2, 1), ("ab", -3, 1), ("▁▁", -3, 1), ("▁", -4, 1), ("a", -5, 1),
    ("b", -6, 1), ("字", -7, 1), ("gone", -8, 5)]


def pieces(folder):
    def field(number, data):
        return bytes([number << 3 | 2]) + varint(len(data)) + data

    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def string(text):
        return struct.pack("<Q", len(text.encode())) + text.encode()

    def value(key, kind, data):
        return string(key) + struct.pack("<I", kind) + data

    def array(key, kind, items):
        return value(key, 9, struct.pack("<IQ", kind, len(items)) + b"".join(items))

    def gguf(name, values):
        put(folder, name, b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + b"".join(values))

    model = [field(1, field(1, t.encode()) + b"\x15" + struct.pack("<f", score) +
                   bytes([0x18, kind])) for t, score, kind in PIECES]
    put(folder, "pieces.model", b"".join(model) + field(2, b"\x18\x02") + field(3, b"\x20\x00"))
    put(folder, "unigram.model", b"".join(model[:3]) + field(2, b"\x18\x01"))
    gguf("pieces.gguf", [
        value("tokenizer.ggml.model", 8, string("llama")),
        array("tokenizer.ggml.tokens", 8, [string(t) for t, _, _ in PIECES]),
        array("tokenizer.ggml.scores", 6, [struct.pack("<f", s) for _, s, _ in PIECES]),
        array("tokenizer.ggml.token_type", 5, [struct.pack("<i", k) for _, _, k in PIECES])])
    tokens = list(alphabet().values()) + ["ab", "abc", "<|x|>"]
    gguf("bytes.gguf", [
        value("tokenizer.ggml.model", 8, string("gpt2")),
        value("tokenizer.ggml.pre", 8, string("llama-bpe")),
        array("tokenizer.ggml.tokens", 8, [string(t) for t in tokens]),
        array("tokenizer.ggml.token_type", 5, [struct.pack("<i", 3 if len(t) > 3 else 1)
                                               for t in tokens]),
        array("tokenizer.ggml.merges", 8, [string("a b"), string("ab c")])])
    lines = [base64.b64encode(bytes([b])) for b in range(256)] + [base64.b64encode(b"ab")]
    put(folder, "ranks.tiktoken", b"".join(b"%s %d\n" % (word, i) for i, word in enumerate(lines)))
    vocab = {t: i for i, (t, _, _) in enumerate(PIECES)}
    put(folder, "pieces.json", json.dumps({
        "added_tokens": [{"id": 1, "content": "<s>", "special": True}],
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
                          "split": False},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "byte_fallback": True, "vocab": vocab,
                  "merges": [["▁", "a"], ["▁a", "b"], ["a", "b"], ["▁", "▁"]]}},
        ensure_ascii=False, separators=(",", ":")))


def config(folder, root):
    for name in ("scout", "maverick", "llama31", "mixtral", "guard4", "scout_text", "maverick_fp8",
                 "linearised"):
        with open(os.path.join(root, "golden", name, "config.json"), encoding="utf-8") as f:
            put(folder, name, json.dumps(json.load(f), separators=(",", ":")))
    with open(os.path.join(root, "golden", "scout", "preprocessor_config.json"), encoding="utf-8") as f:
        put(folder, "preprocessor", json.dumps(json.load(f), separators=(",", ":")))
    put(folder, "generation", json.dumps({"eos_token_id": [3, 7, 99], "bos_token_id": 1, "top_p": 0.9,
                                          "do_sample": True}))
    put(folder, "packed", json.dumps({"model_type": "llama", "quantization_config": {
        "quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}}}))
    whisper = {"model_type": "whisper", "d_model": 16, "encoder_layers": 1,
               "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_layers": 1,
               "decoder_attention_heads": 2, "decoder_ffn_dim": 24, "num_mel_bins": 80,
               "vocab_size": 32}
    put(folder, "whisper", json.dumps(whisper))
    put(folder, "ultravox", json.dumps({"model_type": "ultravox", "audio_config": whisper,
                                        "hidden_size": 24, "text_model_id": "x", "weft": {}}))
    adapter = {"peft_type": "LORA", "r": 2, "lora_alpha": 3, "use_rslora": True, "bias": "none"}
    put(folder, "adapter", json.dumps(dict(
        adapter, rank_pattern={"q_proj": 4, "layers\\.\\d+\\.mlp": 2}, target_modules=["q_proj"],
        alpha_pattern={"(a|aa)+[xy]": 1, "(.*.*)*x": 2, "(?:q|k)_proj": 8})))
    put(folder, "adapter-pissa", json.dumps(dict(adapter, init_lora_weights="pissa_niter_16")))


def gguf(folder):
    """Containers written by hand: a small one of each architecture, and some that lie."""
    def text(t):
        data = t.encode()
        return struct.pack("<Q", len(data)) + data

    def value(v):
        if isinstance(v, bool):
            return struct.pack("<IB", 7, v)
        if isinstance(v, int):
            return struct.pack("<II", 4, v)
        if isinstance(v, float):
            return struct.pack("<If", 6, v)
        if isinstance(v, str):
            return struct.pack("<I", 8) + text(v)
        kind = {str: 8, int: 5, float: 6, list: 9}[type(v[0])]
        items = b"".join(text(i) if kind == 8 else struct.pack("<i", i) if kind == 5 else
                         struct.pack("<f", i) if kind == 6 else value(i)[4:] for i in v)
        return struct.pack("<IIQ", 9, kind, len(v)) + items

    def file(keys, tensors, version=3):
        data = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
        for key, v in keys.items():
            data += text(key) + value(v)
        offset = 0
        for name, dims, kind, n_bytes in tensors:
            data += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
            offset += (n_bytes + 31) // 32 * 32
        return data + bytes(-len(data) % 32) + bytes(offset)

    def sizes(arch):
        return {"general.architecture": arch, f"{arch}.block_count": 2, f"{arch}.context_length": 64,
                f"{arch}.embedding_length": 32, f"{arch}.feed_forward_length": 16,
                f"{arch}.attention.head_count": 4, f"{arch}.attention.head_count_kv": 2,
                f"{arch}.attention.layer_norm_rms_epsilon": 1e-5, f"{arch}.rope.freq_base": 10000.0,
                "tokenizer.ggml.tokens": ["a", "b", "<|eot|>", "<|patch|>"],
                "tokenizer.ggml.eos_token_id": 2}

    embed = ("token_embd.weight", [32, 4], 8, 136)
    freqs = ("rope_freqs.weight", [4], 0, 16)
    llama4 = dict(sizes("llama4"), **{"llama4.expert_count": 2, "llama4.expert_used_count": 1,
                                      "llama4.interleave_moe_layer_step": 2,
                                      "llama4.expert_feed_forward_length": 8,
                                      "llama4.attention.sliding_window": 0})
    vision = {"general.architecture": "clip", "clip.projector_type": "llama4"}
    vision.update({f"clip.vision.{key}": v for key, v in {
        "image_size": 28, "patch_size": 7, "embedding_length": 16, "block_count": 1,
        "attention.head_count": 2, "feed_forward_length": 64, "attention.layer_norm_epsilon": 1e-5,
        "projector.scale_factor": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}.items()})
    put(folder, "llama", file(sizes("llama"), [embed, freqs]))
    put(folder, "llama4", file(llama4, [embed, freqs, ("blk.0.attn_q.weight", [32, 32], 0, 4096)]))
    put(folder, "mixtral", file(dict(sizes("llama"), **{"llama.expert_count": 2,
                                                        "llama.expert_used_count": 2}), [embed], 2))
    put(folder, "clip", file({**llama4, **vision}, [
        embed, ("mm.model.mlp.1.weight", [64, 24], 1, 3072), ("mm.model.mlp.2.weight", [24, 24], 1, 1152)]))
    put(folder, "kept", file(dict(sizes("llama"), **{"weft.config": '{"rope_scaling": null, "weft": {}}',
                                                     "weft.generation_config": '{"eos_token_id": [1, 2]}'}),
                             [embed, freqs]))
    put(folder, "nested", file({"a": [[1, 2], [3]], "b": True, "c": [1.5], "d": ["", "x"]}, []))
    put(folder, "unread", file({}, [("a", [256], 29, 56), ("b", [256], 19, 50)]))
    put(folder, "overlap", file({"general.alignment": 64}, [("a", [16], 0, 64), ("a", [16], 0, 0)]))
    put(folder, "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0))
    put(folder, "counts", b"GGUF" + struct.pack("<IQQ", 3, 1 << 63, 1 << 63))


def ggml(folder):
    """Files of whisper.cpp, one mel bin wide."""
    def file(n_vocab, words, tensors, ftype=1, magic=b"lmgg"):
        data = magic + struct.pack("<11i", n_vocab, 20, 32, 2, 1, 16, 32, 2, 1, 1, ftype)
        data += struct.pack("<2i", 1, 201) + bytes(804) + struct.pack("<i", len(words))
        data += b"".join(struct.pack("<i", len(w)) + w for w in words)
        for name, sizes, kind, n_bytes in tensors:
            data += struct.pack(f"<3i{len(sizes)}i", len(sizes), len(name), kind, *sizes) + name.encode()
            data += bytes(n_bytes)
        return data

    words = [bytes([b]) for b in range(256)] + [b"th", b"the", b"", b" th"]
    conv = [("encoder.conv1.weight", [3, 1, 32], 1, 192), ("encoder.conv1.bias", [1, 32], 0, 128)]
    query = ("decoder.blocks.0.cross_attn.query.weight", [32, 32], 8, 32 * 34)
    put(folder, "f16", file(51864, words, conv))
    put(folder, "q8_0", file(51866, words, [*conv, query], 2007))
    put(folder, "old-layout", file(51865, words[:4], [query], 7))
    put(folder, "no-words", file(51865, [], [("decoder.ln.bias", [32], 0, 128)] * 2))
    put(folder, "detector", b"lmgg" + struct.pack("<i", 10) + b"silero-16k" + bytes(64))
    put(folder, "cut", file(51865, words, [query], 2007)[:-1])


def worker(folder):
    """Scripts for fuzz_worker.c: what a worker does, step by step."""
    document, picture = b"\0", b"\1"
    fill, raster = bytes([3, 0, 77]), bytes([4, 0, 9, 7])
    started, done = b"\5", b"\6"

    def die(status):
        return b"\7" + struct.pack("<I", status)

    def framed(kind, body, step=1):
        return bytes([step, kind]) + struct.pack("<H", len(body)) + body

    def text(value):
        return struct.pack("<I", len(value)) + value

    anchor = struct.pack("<IIB", 1, 0, 0)
    meta = framed(8, b"\6" + anchor + text(b"title") + text(b"Ships") + struct.pack("<IQ", 0, 0))
    content = framed(8, b"\0" + anchor + b"\0\0\0" + struct.pack("<d", 1) + text(b"four words") +
                     struct.pack("<I", 0xFFFFFFFF) + struct.pack("<I", 1) + anchor + struct.pack("<I", 0))
    failed = framed(11, struct.pack("<I", 1) + text(b"damaged"))
    put(folder, "good", document + started + meta + content + fill + raster + done + die(0))
    put(folder, "read", picture + started + content + done + content + done + die(0))
    put(folder, "killed", document + started + meta + die(9) + started + meta + fill + raster + done + die(0))
    put(folder, "killed-twice", document + started + meta + die(9) + started + die(9))
    put(folder, "read-killed", picture + started + content + die(9) + started + content + done + die(0))
    put(folder, "program", document + started + meta + die(0xFF) + started + meta + done + die(0))
    put(folder, "less", document + started + meta + meta + die(9) + started + meta + done + die(0))
    put(folder, "crashed", document + started + fill + raster + die(11))
    put(folder, "failed", document + started + failed + die(0))
    put(folder, "silent", document + die(0x7C00))
    put(folder, "unlocked", document + framed(3, text(b"no jail")) + die(0x7C00))
    put(folder, "early", document + meta + started + die(0))
    put(folder, "lies", document + started + bytes([4, 9, 255, 255]) + b"\0\3\0abc" + done + die(0))
    put(folder, "given", document + started + framed(10, b"", step=2) + die(0))
    put(folder, "many", document + started + (fill + raster) * 20 + done + die(0))


def main():
    root = sys.argv[1]
    corpus = os.path.join(root, "fuzz", "corpus")
    safetensors(os.path.join(corpus, "safetensors"))
    ggml(os.path.join(corpus, "ggml"))
    gguf(os.path.join(corpus, "gguf"))
    tokenizer(os.path.join(corpus, "tokenizer"), root)
    pieces(os.path.join(corpus, "tokenizer"))
    config(os.path.join(corpus, "config"), root)
    worker(os.path.join(corpus, "worker"))


main()
