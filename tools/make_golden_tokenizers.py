#!/usr/bin/env python3
"""Writes tests/golden/tokenizers: small vocabularies in every spelling that weft reads, 10,000 texts
in more than 20 scripts, their ids by the reference, and prompts rendered by transformers.

    python tools/make_golden_tokenizers.py tests/golden/tokenizers

Needs tokenizers, transformers, sentencepiece, tiktoken, gguf and numpy. The vocabularies are
learnt from text that is made here; ids come from `tokenizers` and are compared here with tiktoken
and sentencepiece, which read the other spellings of the same vocabulary.
"""
import base64
import importlib.metadata
import io
import json
import os
import random
import shutil
import struct
import sys
import unicodedata

import gguf
import sentencepiece
import tiktoken
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import trainers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import generate_merges

N_TEXTS = 10000
N_FULL = 200  # ids in full for the first ones
N_VOCAB = 2000

WORD_TAIL = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
SPACES = r"|\s+(?!\S)|\s+"
SPLITS = {
    "llama4": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" +
              WORD_TAIL + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
              r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + WORD_TAIL +
              r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+" + SPACES,
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
              r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+" + SPACES,
}
# Names as published; the ids are where these small vocabularies end.
SPECIALS = {
    "llama4": "<|begin_of_text|> <|end_of_text|> <|header_start|> <|header_end|> <|eom|> <|eot|>",
    "llama3": "<|begin_of_text|> <|end_of_text|> <|start_header_id|> <|end_header_id|> <|eom_id|> "
              "<|eot_id|>",
    "gpt2": "<|endoftext|>",
}

# Written for this file: one plain statement, in many languages and scripts.
SENTENCES = """The letter arrived on Monday, and nobody had opened it. It's what she'd said, isn't it?
Der Brief kam am Montag an, und niemand hatte ihn geöffnet; die Übersetzung folgt später.
La lettre est arrivée lundi, mais personne ne l'avait ouverte: c'était l'été.
La carta llegó el lunes y nadie la había abierto. ¿Cuándo vendrá el señor Núñez?
A carta chegou na segunda-feira e ninguém a abriu; não há razão para preocupações.
La lettera è arrivata lunedì, ma nessuno l'ha aperta perché era già sera.
List przyszedł w poniedziałek i nikt go nie otworzył; źdźbło, żółw, ćma.
Dopis přišel v pondělí a nikdo ho neotevřel. Příliš žluťoučký kůň.
Mektup pazartesi günü geldi ve kimse açmadı. İstanbul'da ığdır ağacı.
Bức thư đến vào thứ hai và không ai mở nó ra cả.
Письмо пришло в понедельник, но никто его не открыл. Сумма указана прописью.
Лист прийшов у понеділок, і ніхто його не відкрив; їжак, ґанок.
Το γράμμα ήρθε τη Δευτέρα και κανείς δεν το άνοιξε.
Նամակը եկավ երկուշաբթի, և ոչ ոք չբացեց այն։
წერილი ორშაბათს მოვიდა და არავის გაუხსნია.
המכתב הגיע ביום שני ואיש לא פתח אותו. שָׁלוֹם
وصلت الرسالة يوم الاثنين ولم يفتحها أحد. ١٢٣٤
نامه دوشنبه رسید و هیچ‌کس آن را باز نکرد. ۱۲۳۴
خط پیر کو آیا اور کسی نے اسے نہیں کھولا۔
पत्र सोमवार को आया और किसी ने उसे नहीं खोला। १२३
চিঠিটি সোমবার এসেছিল এবং কেউ খোলেনি। ১২৩
கடிதம் திங்கட்கிழமை வந்தது, யாரும் அதைத் திறக்கவில்லை.
లేఖ సోమవారం వచ్చింది, ఎవరూ తెరవలేదు.
കത്ത് തിങ്കളാഴ്ച വന്നു, ആരും തുറന്നില്ല.
પત્ર સોમવારે આવ્યો અને કોઈએ ખોલ્યો નહીં.
ਚਿੱਠੀ ਸੋਮਵਾਰ ਨੂੰ ਆਈ ਅਤੇ ਕਿਸੇ ਨੇ ਨਹੀਂ ਖੋਲ੍ਹੀ।
ලිපිය සඳුදා පැමිණියේය, කිසිවෙකු එය විවෘත කළේ නැත.
จดหมายมาถึงวันจันทร์ และไม่มีใครเปิดมัน ๑๒๓
ຈົດໝາຍມາຮອດວັນຈັນ ແລະ ບໍ່ມີໃຜເປີດ
စာသည် တနင်္လာနေ့တွင် ရောက်လာသည်။
សំបុត្រមកដល់ថ្ងៃចន្ទ ហើយគ្មាននរណាបើកវាទេ។
ཡི་གེ་གཟའ་ཟླ་བར་འབྱོར་བྱུང་།
ደብዳቤው ሰኞ ደረሰ፣ ማንም አልከፈተውም።
手紙は月曜日に届きましたが、誰も開けませんでした。カタカナ、ひらがな。
信在星期一到了,但没有人打开它。合同金额为一千元整。
信在星期一到了,但沒有人打開它。
편지는 월요일에 도착했지만 아무도 열지 않았습니다.
ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᠮᠣᠩᠭᠣᠯ ᐃᓄᒃᑎᑐᑦ
Total: 1,240.00 EUR (20% tax) -- see /usr/share/doc; user@example.org #42 {"key": [1, 2.5e-3]}
def f(x):\n    return {'a': x ** 2, "b": [i for i in range(10)]}  # done
WE'RE SURE THEY'VE SAID: DON'T! I'LL, HE'D, ſ'ſ — “quoted” … ½ ² №7 ™ → ≠ ∑ €5 ▁ ▁▂▃
😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ 1️⃣ naïve naı̈ve é x\u0301\u0301 \u200b\ufeff""".replace("\\n", "\n").replace("\\u0301", "\u0301").replace(
    "\\u200b", "\u200b").replace("\\ufeff", "\ufeff").split("\n")

SCRIPTS = """LATIN GREEK CYRILLIC ARMENIAN HEBREW ARABIC DEVANAGARI BENGALI TAMIL TELUGU MALAYALAM
GUJARATI GURMUKHI SINHALA THAI LAO MYANMAR KHMER TIBETAN GEORGIAN ETHIOPIC HANGUL HIRAGANA KATAKANA
CJK CHEROKEE MONGOLIAN CANADIAN""".split()
SPACE_RUNS = [" "] * 30 + ["  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "\u00a0", "\u3000", "\u2028"]
MARKS = list(".,;:!?()[]{}<>/\\|-_=+*&^%$#@~`\"'") + ["'s", "'LL", "'re", "//", "/\n", "...", "\u0301", "▁"]
STRANGE = ["", " ", "  ", "\n", "\r\n", "\t", "\0", "a\0b", "\x7f", "\u0085a", " a", "  a", "a ", "a  ", "▁", "▁▁a",
           " ▁a", "a▁b", "▁ a", "<s>", "</s>", "<unk>", "a<s>b", "<0x0A>", "<0x41>b", "[INST] x [/INST]",
           "<|begin_of_text|>", "<|eot|>x", "<|eot_id|>", "<|endoftext|>", "\ufffd", "\U0010ffff", "\ue000",
           "x" * 200, " x" * 50, "ab" * 100, "é" * 60, "字" * 60, "\n" * 30, " " * 40 + "x", "1" * 40]


def letters():
    """Letters and marks of each script, by the names of their characters."""
    found = {script: [] for script in SCRIPTS}
    for code in range(0x21, 0x30000):
        c = chr(code)
        name = unicodedata.name(c, "")
        script = name.split(" ", 1)[0]
        if script in found and unicodedata.category(c)[0] in "LM" and len(found[script]) < 400:
            found[script].append(c)
    return found


def texts(rng):
    """Fixed ones, whole sentences, then words of scripts, names, numbers and marks, mixed."""
    out = STRANGE + SENTENCES
    script_letters = letters()
    assert all(len(v) > 20 for v in script_letters.values()), script_letters
    names = [unicodedata.name(chr(c)) for c in range(0x21, 0x1f700) if unicodedata.name(chr(c), "")]
    words = [w for s in SENTENCES for w in s.split(" ")]

    def word(kind):
        if kind == 0:
            return rng.choice(words)
        if kind == 1:
            return "".join(rng.choice(script_letters[rng.choice(SCRIPTS)])
                           for _ in range(rng.randint(1, 3)))
        if kind == 2:
            chars = script_letters[rng.choice(SCRIPTS)]
            return "".join(rng.choice(chars) for _ in range(rng.randint(1, 9)))
        if kind == 3:
            name = rng.choice(rng.choice(names).split(" "))
            return rng.choice([name, name.lower(), name.title()])
        if kind == 4:
            return str(rng.randrange(10 ** rng.randint(1, 9)))
        if kind == 5:
            return "".join(rng.choice(MARKS) for _ in range(rng.randint(1, 4)))
        return chr(rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x250, 0xd800),
                               rng.randrange(0xe000, 0x30000)]))

    while len(out) < N_TEXTS:
        parts = []
        for _ in range(rng.randint(1, 6)):
            parts.append(word(rng.choices(range(7), [8, 1, 4, 3, 2, 3, 1])[0]))
            if rng.random() < 0.8:
                parts.append(rng.choice(SPACE_RUNS))
        out.append("".join(parts))
    return out


def corpus(rng):
    """What the vocabularies are learnt from: the sentences, often, and words in other orders."""
    lines = []
    for _ in range(60):
        lines += SENTENCES
    words = [w for s in SENTENCES[:20] for w in s.split(" ")]
    lines += [" ".join(rng.choice(words) for _ in range(12)) for _ in range(400)]
    return lines


# ---- byte level ----

def alphabet():
    plain = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    rest = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain}, **{chr(0x100 + i): b for i, b in enumerate(rest)}}


def byte_level(kind, lines):
    """All ways to join two tokens into one are merges, as in Meta's files; GPT-2's has only its own."""
    if kind == "gpt2":
        split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        split = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(SPLITS[kind]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = split
    learner.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=N_VOCAB, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    state = json.loads(learner.to_str())["model"]
    merges = [tuple(m) for m in state["merges"]]
    if kind != "gpt2":
        merges = generate_merges(state["vocab"], None)
    tok = Tokenizer(models.BPE(vocab=state["vocab"], merges=merges, ignore_merges=kind != "gpt2"))
    tok.pre_tokenizer = split
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens([AddedToken(s, normalized=False, special=True)
                            for s in SPECIALS[kind].split()])
    return tok


def token_bytes(token):
    signs = alphabet()
    return bytes(signs[c] for c in token)


def write_tiktoken(path, tok):
    ranks = {token_bytes(t): i for t, i in tok.get_vocab(with_added_tokens=False).items()}
    with open(path, "w") as f:
        for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
            f.write(f"{base64.b64encode(token).decode()} {rank}\n")
    return ranks


# ---- pieces ----

def learn_pieces(lines, n_vocab=N_VOCAB):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=out, model_type="bpe", vocab_size=n_vocab,
        byte_fallback=True, character_coverage=0.98, normalization_rule_name="identity",
        remove_extra_whitespaces=False, num_threads=1, minloglevel=2, split_digits=True,
        allow_whitespace_only_pieces=True)
    return out.getvalue()


def piece_level(model, form):
    sp = sentencepiece.SentencePieceProcessor(model_proto=model)
    n = sp.get_piece_size()
    vocab = {sp.id_to_piece(i): i for i in range(n)}
    skip = [sp.id_to_piece(i) for i in range(n)
            if sp.is_control(i) or sp.is_unknown(i) or sp.is_byte(i)]
    scores = {sp.id_to_piece(i): sp.get_score(i) for i in range(n)}
    merges = generate_merges(vocab, scores, skip)
    tok = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True,
                               byte_fallback=True))
    if form == "prepend":
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tok.pre_tokenizer = pre_tokenizers.Metaspace(
            "▁", prepend_scheme="always" if form == "split" else "first", split=form == "split")
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                     decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True)
                            for t in ("<unk>", "<s>", "</s>")])
    return tok, sp


# ---- GGUF ----

def write_gguf(path, tok, pre, sp=None):
    writer = gguf.GGUFWriter(path, "llama")
    by_id = {i: t for t, i in tok.get_vocab(with_added_tokens=True).items()}
    special = {i for i in tok.get_added_tokens_decoder()}
    tokens = [by_id[i] for i in range(len(by_id))]
    writer.add_tokenizer_model("llama" if sp else "gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    if sp:
        writer.add_token_scores([sp.get_score(i) for i in range(len(tokens))])
        writer.add_token_types([2 if sp.is_unknown(i) else 3 if sp.is_control(i) else
                                6 if sp.is_byte(i) else 1 for i in range(len(tokens))])
    else:
        writer.add_token_types([3 if i in special else 1 for i in range(len(tokens))])
        writer.add_token_merges([" ".join(m) for m in json.loads(tok.to_str())["model"]["merges"]])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


# ---- expected ----

def encode(tok, text, special=False):
    tok.encode_special_tokens = not special
    return tok.encode(text, add_special_tokens=False).ids


def fnv(ids):
    value = 0x811C9DC5
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def expect(folder, kind, tok, all_texts):
    ids = [encode(tok, t) for t in all_texts]
    with open(os.path.join(folder, kind + ".hashes"), "wb") as f:
        f.write(struct.pack(f"<{len(ids)}I", *map(fnv, ids)))
    for text, i in zip(all_texts, ids):
        back = tok.decode(i, skip_special_tokens=False)
        wanted = text
        if kind.startswith("pieces"):
            wanted = text.replace("▁", " ")
            if kind != "pieces" and wanted.startswith(" "):
                wanted = wanted[1:]
        assert back == wanted, (kind, text, back)
    return ids


# ---- prompts ----

LLAMA4_CHAT = """{{- bos_token }}
{%- for m in messages %}
    {{- '<|header_start|>' + m['role'] + '<|header_end|>\\n\\n' }}
    {{- m['content'] | trim if m['role'] == 'system' else m['content'] }}
    {{- '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header_start|>assistant<|header_end|>\\n\\n' }}
{%- endif %}"""
LLAMA3_CHAT = LLAMA4_CHAT.replace("header_start", "start_header_id").replace(
    "header_end", "end_header_id").replace("<|eot|>", "<|eot_id|>")
LLAMA31_CHAT = """{{- bos_token }}
{%- if not date_string is defined %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for m in messages %}
    {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}"""
INST_CHAT = """{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- bos_token }}
{%- for m in messages %}
    {%- if m['role'] == 'user' and loop.first and system_message is defined %}
        {{- '@[INST] ' + system_message + '\\n\\n' + m['content'] + '#[/INST]' }}
    {%- elif m['role'] == 'user' %}
        {{- '@[INST] ' + m['content'] + '#[/INST]' }}
    {%- else %}
        {{- ' ' + m['content'] + eos_token }}
    {%- endif %}
{%- endfor %}"""
SYSTEM = "You read documents and answer in JSON.\nNothing else."
USERS = ["<document>\n[p. 1]\nTotal: 1,240.00 €\n</document>\n\nWhat is the total?", "Hi", "合計はいくらですか"]


def prompts(toks):
    def inst(before, behind):
        return INST_CHAT.replace("@", before).replace("#", behind)

    cases = []
    for name, kind, chat in [("llama4", "llama4", LLAMA4_CHAT), ("llama3", "llama3", LLAMA3_CHAT),
                             ("llama3", "llama3", LLAMA31_CHAT),
                             ("mixtral", "pieces", inst("", " ")), ("mixtral", "pieces", inst(" ", " ")),
                             ("mixtral", "pieces", inst("", "")),
                             ("mixtral", "pieces-first", inst(" ", " ")),
                             ("mixtral", "pieces-first", inst("", ""))]:
        bos, eos = ("<s>", "</s>") if kind.startswith("pieces") else ("<|begin_of_text|>", "<|end_of_text|>")
        fast = PreTrainedTokenizerFast(tokenizer_object=toks[kind], bos_token=bos, eos_token=eos)
        toks[kind].encode_special_tokens = False
        fast.chat_template = chat
        for system in (SYSTEM, None):
            for user in USERS:
                messages = [{"role": "user", "content": user}]
                if system:
                    messages.insert(0, {"role": "system", "content": system})
                ids = fast.apply_chat_template(messages, add_generation_prompt=True, tokenize=True,
                                               return_dict=False)
                cases.append({"family": name, "tokenizer": kind + ".json", "chat": chat,
                              "system": system, "user": user, "ids": ids})
    return cases


def main():
    folder = sys.argv[1]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    rng = random.Random(4)
    lines, all_texts = corpus(rng), texts(rng)
    with open(os.path.join(folder, "texts.json"), "w", encoding="utf-8") as f:
        json.dump(all_texts, f, ensure_ascii=False, separators=(",", ":"))
    toks, full, notes = {}, {}, []
    for kind in ("llama4", "llama3", "gpt2"):
        tok = toks[kind] = byte_level(kind, lines)
        tok.save(os.path.join(folder, kind + ".json"), pretty=False)
        full[kind] = expect(folder, kind, tok, all_texts)
        write_gguf(os.path.join(folder, kind + ".gguf"), tok,
                   {"llama3": "llama-bpe", "gpt2": "gpt-2"}.get(kind, kind))
        if kind in SPLITS:
            ranks = write_tiktoken(os.path.join(folder, kind + ".tiktoken"), tok)
            other = tiktoken.Encoding(kind, pat_str=SPLITS[kind], mergeable_ranks=ranks, special_tokens={})
            differ = sum(other.encode_ordinary(t) != i for t, i in zip(all_texts, full[kind]))
            notes.append(f"{kind}: {differ} of {len(all_texts)} texts differ from tiktoken")
    model = learn_pieces([line for text in lines for line in text.split("\n") if line.strip()])
    with open(os.path.join(folder, "pieces.model"), "wb") as f:
        f.write(model)
    # For a model whose vocabulary has 480 ids: bytes and a few words.
    with open(os.path.join(folder, "small-pieces.model"), "wb") as f:
        f.write(learn_pieces(SENTENCES[:8] * 20, 440))
    for kind, form in (("pieces", "prepend"), ("pieces-first", "first"), ("pieces-split", "split")):
        tok, sp = piece_level(model, form)
        toks[kind] = tok
        tok.save(os.path.join(folder, kind + ".json"), pretty=False)
        full[kind] = expect(folder, kind, tok, all_texts)
    write_gguf(os.path.join(folder, "pieces.gguf"), toks["pieces"], "default", sp)
    differ = [t for t, i in zip(all_texts, full["pieces"]) if sp.encode(t) != i]
    notes.append(f"pieces: {len(differ)} of {len(all_texts)} texts differ from sentencepiece "
                 f"{differ[:5]!r}")
    with open(os.path.join(folder, "ids.json"), "w") as f:
        json.dump({k: v[:N_FULL] for k, v in full.items()}, f, separators=(",", ":"))
    with open(os.path.join(folder, "prompts.json"), "w", encoding="utf-8") as f:
        json.dump(prompts(toks), f, ensure_ascii=False, separators=(",", ":"))
    versions = [f"{p} {importlib.metadata.version(p)}" for p in
                ("tokenizers", "transformers", "sentencepiece", "tiktoken", "gguf")]
    with open(os.path.join(folder, "ORIGIN"), "w", encoding="utf-8") as f:
        f.write("script: tools/make_golden_tokenizers.py\nversions: " + ", ".join(versions) + "\n")
        f.write("seed: 4; Unicode of the names: " + unicodedata.unidata_version + "\n")
        f.write("texts.json: the texts; KIND.hashes: for each the FNV-1a (32 bits) of its ids as "
                "32-bit little-endian numbers, by `tokenizers`, special tokens as plain text; "
                f"ids.json: the ids of the first {N_FULL}\n")
        f.write("KIND.json, .gguf, .tiktoken, .model: one vocabulary in the spellings that exist\n")
        f.write("prompts.json: system, user and an open assistant turn by apply_chat_template, with "
                "templates written after the published ones\n")
        f.write("ids must be equal\n" + "\n".join(notes) + "\n")
    print("\n".join(notes))


main()
