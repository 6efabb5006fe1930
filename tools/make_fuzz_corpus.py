#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/{agreement,config,figures,ggml,gguf,hearing,ignore,merge,record,safetensors,task,text,tokenizer,verdict,
worker}:
small inputs, good and nearly good.

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


def figures(folder):
    put(folder, "german", "de\nRechnung vom 12. M\u00e4rz 2024, 03.04.24: 1.240,50 EUR, -17 %, 12,5-, 1 240,00")
    put(folder, "english", "en-US\nMarch 12th, 2024; 03/04/2024 12/31/99 $1,240.50 12,34,567.8 1'240.50 .5 A-17 12:30")
    put(folder, "others", "fr_CH\n1er ao\u00fbt 2023 3 de mayo de 2021 2\u202f100,00 0,125 0.125 1.234.567,89 2024-02-30")
    put(folder, "decimal", "-1240.5e-3")
    put(folder, "odd", "\u00a0\u00ad\u200b1\ufeff2\u0660\u06f3 \uffff\U0001fffe \u1100\u1161\u11a8 \u0130I\u00df\ufb01 \r\n")


def agreement(folder):
    line = {"type": "object", "properties": {"total": {"type": ["number", "null"]}, "text": {"type": "string"}}}
    bill = {"type": "object", "required": ["lines", "net", "issued", "due"], "properties": {
        "lines": {"type": "array", "items": line}, "net": {"type": "number"},
        "issued": {"type": "string", "format": "date"}, "due": {"type": ["string", "null"]}}}
    rules = [{"sum": "/lines/*/total", "equals": "/net", "within": 0.01}, {"before": ["/issued", "/due"]}]
    answer = {"lines": [{"total": 1.5, "text": "a"}, {"total": None, "text": "12"}], "net": 1.5,
              "issued": "2024-03-12", "due": "13.03.2024"}

    def seed(name, schema, answer):
        put(folder, name, json.dumps(schema) + "\0" + json.dumps(answer, separators=(",", ":")))

    seed("bill", dict(bill, **{"x-weft-check": rules}), answer)
    seed("list", {"type": "array", "items": bill, "x-weft-check": [
        {"sum": ["/*/lines/*/total", "/*/lines/0/text"], "equals": "/*/net"}]}, [answer, answer])
    seed("map", {"type": "object", "additionalProperties": {"type": "integer"}, "x-weft-check": [
        {"sum": "/*", "equals": "/a~1b"}]}, {"a/b": 3, "": 0})
    seed("literals", {"enum": [{"a": [1, "2", {"b": "2024-01-02"}]}, [None]], "x-weft-check": [
        {"sum": "/a/*", "equals": "/a/0"}, {"before": ["/a/2/b", "/a/1"]}]}, {"a": [1, "2", {"b": "2024-01-02"}]})
    seed("tree", {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "required": ["n"], "properties": {
        "n": {"type": "number"}, "k": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}}, "x-weft-check": [
            {"sum": "/k/*/n", "equals": "/n"}]}, {"n": 2, "k": [{"n": 1}, {"n": 1, "k": []}]})
    seed("astray", dict(bill, **{"x-weft-check": [{"sum": "/lines/total", "equals": "/net"}]}), answer)
    seed("nested", {"type": "array", "items": dict(bill, **{"x-weft-check": rules})}, [answer])


def ignore(folder):
    put(folder, "usual", "*.tmp\n/drafts\ncache/\n!keep.tmp\n# words\n\\#name\n**/old/*.[ch]\na/**/b\n\r\n"
        "\0a.tmp\ndrafts/x\ncache\nx/keep.tmp\n#name\np/old/q.c\na/x/y/b\n")
    put(folder, "odd", "[\n[!a-\n*\\\n" + "*a" * 20 + "\n!!x\n/\n//\n**\n***/\n \n\0" + "a" * 60 + "b\n/\n\n")


def hearing(folder):
    def sounding(seconds, intervals, turns, sides=0):
        data = b"wsnd" + struct.pack("<BBIfdI", 1, sides, 80, 1.0, seconds, len(intervals))
        data += b"".join(struct.pack("<IB", *one) for one in intervals) + struct.pack("<I", len(turns))
        return data + b"".join(struct.pack("<IIBBB", *one) for one in turns)

    def track(number, channel, label, stretches, sounding):
        data = struct.pack("<4I", number, channel, 0, len(label)) + label + struct.pack("<I", len(stretches))
        return data + b"".join(struct.pack("<ddB", *one) for one in stretches) + sounding

    def pieces(data, *cuts):
        ends = [*cuts, len(data)]
        out, at = b"", 0
        for end in ends:
            out += struct.pack("<HB", end - at + 1, end == len(data)) + data[at:end]
            at = end
        return out

    def state(number, channel, given=(), waiting=b""):
        data = struct.pack("<QdQ", 1, -1.0, len(given)) + b"".join(struct.pack("<Q", i) for i in given)
        return data + struct.pack("<5Q", 1, number, channel, 0, 0) + waiting

    mono = track(0, 0, b"", [(0.0, 1.5, 0)], sounding(3.0, [(150, 0), (300, 1)], [(150, 250, 1, 20, 0)]))
    side = track(1, 2, b"S2", [], sounding(1.0, [(100, 1)], []))
    put(folder, "mono", pieces(mono) + state(0, 0, (2, 5)))
    put(folder, "pieces", pieces(mono, 10, 60) + state(0, 0))
    put(folder, "side", pieces(side) + state(1, 2))
    put(folder, "waiting", pieces(side) + state(1, 2, (), struct.pack("<Q", 7) + bytes(7)))


def merge(folder):
    def seed(name, schema, *answers):
        lines = [json.dumps(answer, separators=(",", ":")) for answer in answers]
        put(folder, name, json.dumps(schema) + "\0" + "\n".join(lines))

    line = {"type": "object", "properties": {"n": {"type": "integer"}, "text": {"type": ["string", "null"]}}}
    seed("fields", {"type": "object", "properties": {
        "title": {"type": ["string", "null"]}, "people": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}}, "$defs": {"line": line}},
         {"title": None, "people": ["a"], "lines": [{"n": 1}]}, {"title": "x", "people": ["b", "c"], "lines": []})
    seed("either", {"anyOf": [line, {"type": "array", "items": {"enum": [1, "a"]}, "uniqueItems": True, "minItems": 1}]},
         {"n": 1}, [1], ["a", 1])
    seed("counted", {"type": "object", "additionalProperties": {"type": "number", "multipleOf": 0.5},
                     "minProperties": 1, "maxProperties": 2}, {"a": 0.5}, {"b": 1}, {"c": 2, "d": -1.5})
    seed("texts", {"type": "array", "prefixItems": [{"format": "date", "type": "string"}], "minItems": 1, "maxItems": 3,
                   "items": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2}},
         ["2024-03-12", "ab"], ["2024-03-12", "cd", "ef"])


def verdict(folder):
    put(folder, "safe", "\n\nsafe")
    put(folder, "unsafe", "unsafe\nS1,S14,S9")
    put(folder, "odd", "unsafe\nS0,S15,s2,S1,,S\nmore")


def record(folder):
    known = {"in": 1, "done": 1, "failed": 0, "skipped": 0}
    item = {"id": "c1", "kind": "text", "text": "Invoice no 17\n\nTotal 1.240,50", "at": [{"page": 1}], "by": "file"}
    whole = {"weft": 1, "id": "sha256:" + "00112233445566778899aabbccddeeff" * 2,
             "source": {"sha256": "0" * 64, "bytes": 30, "media_type": "text/plain", "paths": ["pile/a.txt"]},
             "status": "ok", "errors": [], "document": {"pages": [], "tracks": [], "metadata": {"title": "T"},
                                                        "outline": [], "embedded": []},
             "content": [item, dict(item, id="c2", text="\u2028 \\ \"")], "hidden": [dict(item, id="c3")],
             "answer": {"total": 1240.5}, "absent": {}, "checks": [],
             "provenance": {"/total": [{"kind": "derived", "content": "c1", "quote": "1.240,50"}]}, "model": None,
             "ledger": {"pages": known, "seconds": known, "windows": known}, "run": {"weft": "0.1.0"}}
    text = json.dumps(whole, separators=(",", ":"))
    put(folder, "whole", text + "\n")
    put(folder, "spaced", json.dumps(whole, indent=1))
    put(folder, "empty", json.dumps(dict(whole, content=[], hidden=[]), separators=(",", ":")))
    put(folder, "twice", text.replace('"hidden"', '"content"'))
    put(folder, "behind", text + "\n{}")


def task(folder):
    job = "[job]\ninputs=a;b\ntask=x\noutput=out\npages=2-5\nnames=S1=Anna,S2=Ben\nuntil=06:00\n[limits]\npages=7\n"
    schema = '{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}'
    put(folder, "simple", job + "\0[task]\nsummary=s\nprompt=Say {schema} of it.\nschema=" + schema +
        "\nmerge=model\nwindows=ends\nanswer_tokens=100\n")
    put(folder, "many", "[job]\n\0[task]\nprompt=p\nschema=" + schema + "\ndocuments=many\nbegins=Invoice;Page 1\n")
    put(folder, "types", '[job]\nschema=none\n\0[task]\nprompt=p\n[type letter]\nabout=A letter\nmatch=Dear;Sincerely\n'
        'schema={"type":"null"}\n[type bill]\nschema={"type":"object","properties":{"n":{"type":"number"}},'
        '"x-weft-check":[{"sum":"/n","equals":"/n"}],"x-weft-locale":"de"}\n')
    put(folder, "slides", "[job]\n\0[task]\nanswer=slides\nwindows=none\nframes=even\nschema=" + schema + "\n")


def text(folder):
    words = "Gr\u00fc\u00dfe,\n\n\u65e5\u672c \U0001f600\r\n\tx\n"
    put(folder, "utf-8", b"\xef\xbb\xbf" + words.encode())
    put(folder, "utf-16", words.encode("utf-16"))
    put(folder, "utf-16be", b"\xfe\xff" + words.encode("utf-16-be") + b"\xd8\x00\x00")
    put(folder, "latin", "Gr\u00fc\u00dfe \x80\x9d\n".encode("latin-1"))
    put(folder, "long", ("word " * 900 + "\n") * 2)


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
    for make in (agreement, figures, hearing, ignore, merge, record, task, text, verdict):
        make(os.path.join(corpus, make.__name__))


main()
