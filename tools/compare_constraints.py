#!/usr/bin/env python3
"""weft's constraint engine beside xgrammar and llguidance: are documents right, and what do masks cost?

    python3 tools/compare_constraints.py speed build/tests/schema/schema_typist
    python3 tools/compare_constraints.py documents build/tests/model/model_composer
    python3 tools/compare_constraints.py monkey build/tests/schema/schema_typist [--schemas FOLDER]

The program is the one of the build that does weft's part. Needs numpy; for the other engines xgrammar and
llguidance (PyPI), one that is not installed is left out; for monkey jsonschema with its formats. The large vocabulary
is made of this repository's own text, or taken from a tokenizer.json of byte-level BPE with --tokenizer FILE, which
needs tokenizers (PyPI). All times are of the thread's processor.

speed: four schemas as documents have them (constraint_cases.json), one instance each, in tokens; for each token the mask
is made, then the token is taken. Every round each engine meets the schemas for the first time; of the rounds the least
time counts, token by token. xgrammar compiles the four for a minute.

documents: whole documents of the four schemas, and as much free text, by the shipped bundle and by its layers
with the large vocabulary, whose tables are random numbers (300 MB of temporary files).

monkey: random allowed tokens, three vocabularies (bytes; a small BPE of tests/golden; the large one), schemas that are
made up and those of FOLDER (*.json, also below it; a file may hold the schema under "schema" or "json_schema", as
JSONSchemaBench has them), for weft budgets from the least on. jsonschema, a strict parser and a check for equal keys
judge. The other engines know no budgets: theirs are cut at --limit tokens, which is counted; so is a schema that
takes them more than --seconds, or kills them.
"""
import argparse
import base64
import collections
import importlib
import json
import multiprocessing
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOMS = ["base", "bundle", "cli", "docs", "encoders", "ingest", "kernels", "model", "outputs", "pipeline", "schema", "tests", "tools"]
PIECE = re.compile(r"[^\r\n\w]?[^\W\d_]+|\d{1,3}| ?[^\s\w]+[\r\n]*|_|\s+")
ROOT = pathlib.Path(__file__).resolve().parent.parent


# ---- vocabularies: a list of the bytes of each token ----

def byte_characters():
    """Byte-level BPE: characters stand for bytes, as GPT-2 has them."""
    plain = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


CHARACTERS = byte_characters()


def bytes_of_tokenizer(path):
    of_char = {c: b for b, c in CHARACTERS.items()}
    vocab = json.loads(pathlib.Path(path).read_text("utf-8"))["model"]["vocab"]
    words = [b""] * (max(vocab.values()) + 1)
    for text, i in vocab.items():
        words[i] = bytes(of_char[c] for c in text)
    return words


def words_of_here(n):
    """As a trained vocabulary looks: bytes, numbers of up to three digits, the pieces of this repository's own
    text as Llama 4 splits it, and what is frequent in them; a quarter are words of syllables, in many scripts."""
    pieces, parts = collections.Counter(), collections.Counter()
    for path in sorted(p for room in ROOMS for p in (ROOT / room).rglob("*") if p.suffix in (".c", ".h", ".md", ".py")):
        pieces.update(PIECE.findall(path.read_text("utf-8")))
    for piece, count in pieces.items():
        raw = piece.encode()[:20]
        for first in range(len(raw)):
            for end in range(first + 2, len(raw) + 1):
                parts[raw[first:end]] += count
    words = dict.fromkeys(bytes([b]) for b in range(256))
    words.update(dict.fromkeys(b"%0*d" % (d, i) for d in (1, 2, 3) for i in range(10 ** d)))
    words.update(dict.fromkeys(piece.encode() for piece in sorted(pieces) if len(piece.encode()) < 64))
    words.update(dict.fromkeys(part for part in sorted(parts, key=lambda part: (-parts[part], part))[:n - n // 4 - len(words)]))
    dice = random.Random(4)
    syllables = [a + b for a in ["", *"bcdfghklmnprstvwz", "sch", "th"] for b in ["a", "e", "i", "o", "u", "ü", "é", "日", "я"]]
    while len(words) < n:
        raw = (dice.choice(["", " "]) + "".join(dice.choice(syllables) for _ in range(dice.randint(1, 5)))).encode()
        words[raw if dice.random() < 0.99 else raw[:-1]] = None
    return list(words)


def longest_words(words, raw):
    """Ids of the text's tokens, each as long as it can be."""
    of_word, longest, ids = {word: i for i, word in enumerate(words)}, max(map(len, words)), []
    while raw:
        size = next(k for k in range(min(longest, len(raw)), 0, -1) if raw[:k] in of_word)
        ids.append(of_word[raw[:size]])
        raw = raw[size:]
    return ids


def write_words(path, words):
    path.write_text("".join(f"{base64.b64encode(w).decode()} {i}\n" for i, w in enumerate(words)))


# ---- schemas ----

def made_up_schema(dice, depth=0):
    kinds = ["string", "string", "integer", "number", "enum", "null", "boolean", "format", "pattern"]
    if depth < 3:
        kinds += ["object"] * (6 if depth == 0 else 2) + ["array", "array", "anyOf", "map", "prefix", "unique"]
    kind = dice.choice(kinds)
    if kind == "object":
        names = dice.sample(["id", "name", "n", "name2", "na\"me", "日付", "x", "total", "rows", "note"], dice.randint(0, 6))
        schema = {"type": "object", "properties": {n: made_up_schema(dice, depth + 1) for n in names},
                  "required": [n for n in names if dice.random() < 0.5]}
        if dice.random() < 0.2:
            schema["minProperties"] = dice.randint(0, len(names))
        if dice.random() < 0.5:
            schema["additionalProperties"] = False
        return schema
    if kind == "array":
        low = dice.randint(0, 3)
        return {"type": "array", "items": made_up_schema(dice, depth + 1), "minItems": low,
                "maxItems": low + dice.choice([0, 1, 3, 50])}
    if kind == "prefix":
        return {"type": "array", "prefixItems": [made_up_schema(dice, depth + 1) for _ in range(dice.randint(1, 3))],
                "items": made_up_schema(dice, depth + 1), "minItems": dice.randint(0, 4)}
    if kind == "unique":
        values = dice.sample([1, 2, 12, "a", "ab", "", None, True, "ü"], dice.randint(2, 7))
        return {"type": "array", "items": {"enum": values}, "uniqueItems": True, "minItems": dice.randint(0, len(values))}
    if kind == "anyOf":
        return {"anyOf": [made_up_schema(dice, depth + 1) for _ in range(dice.randint(2, 4))]}
    if kind == "map":
        return {"type": "object", "additionalProperties": made_up_schema(dice, depth + 1),
                "minProperties": dice.randint(0, 3)}
    if kind == "string":
        low = dice.choice([0, 0, 1, 5])
        return {"type": "string", "minLength": low, "maxLength": low + dice.choice([0, 2, 20, 300])}
    if kind == "integer":
        low = dice.randint(-200, 200)
        schema = {"type": "integer", "minimum": low, "maximum": low + dice.choice([0, 3, 90, 10000])}
        if dice.random() < 0.3:
            schema = {"type": "integer", "multipleOf": dice.choice([2, 5, 7, 100])}
        return schema
    if kind == "number":
        return dice.choice([{"type": "number"}, {"type": "number", "minimum": -0.5, "exclusiveMaximum": 2.25},
                            {"type": "number", "exclusiveMinimum": 0}])
    if kind == "enum":
        return {"enum": dice.sample(["a", "ab", "b\"c", 1, 12, 1.5, None, True, {"k": [1]}, [], "日本"], dice.randint(1, 6))}
    if kind == "format":
        return {"type": "string", "format": dice.choice(["date", "time", "date-time", "uuid", "ipv4", "email"])}
    if kind == "pattern":
        return {"type": "string", "pattern": dice.choice(["^[A-Z]{3}$", "^S[0-9]{1,2}$", "^([a-z]+ )*end$", "x", "^a|b$", "^[^,]{2,5}$"])}
    return {"type": kind}


def schemas_of(folder, n, seed):
    dice = random.Random(seed)
    schemas = []
    if folder:
        paths = sorted(pathlib.Path(folder).rglob("*.json"))
        for path in dice.sample(paths, min(len(paths), n // 2)):
            try:
                value = json.loads(path.read_text("utf-8"))
            except ValueError:
                continue
            for key in ("schema", "json_schema"):
                if isinstance(value, dict) and isinstance(value.get(key), (dict, str)) and "properties" not in value:
                    value = value[key]
            value = json.loads(value) if isinstance(value, str) else value
            schemas.append(value)
    while len(schemas) < n:
        schemas.append(made_up_schema(dice))
    return schemas


# ---- the judge ----

def judge_new(schema):
    import jsonschema
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def differing(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"equal keys in {keys}")
    return dict(pairs)


def wrong(judge, raw):
    """What is wrong with the document, or None."""
    def refuse(word):
        raise ValueError(word)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=differing, parse_constant=refuse)
        raw.decode("utf-8").encode("utf-16", "strict")
        for found in judge.iter_errors(value):
            return f"{found.json_path}: {found.message[:150]}"
    except (ValueError, RecursionError) as found:
        return f"no JSON: {str(found)[:150]}"
    return None


# ---- the engines; `ids` of the tokens that may come ----

class LLGuidance:
    name = "llguidance"

    def __init__(self, words):
        import llguidance
        import llguidance.numpy
        self.package, n = llguidance, len(words)
        of_byte = {word[0]: i for i, word in reversed(list(enumerate(words))) if len(word) == 1}

        class Tokens:
            eos_token_id, bos_token_id, special_token_ids = n, None, [n]
            tokens = [w or b"\xff[%d]" % i for i, w in enumerate(words)] + [b"\xff[EOS]"]

            def __call__(self, text):
                return [of_byte[byte] for byte in (text if isinstance(text, bytes) else text.encode())]
        self.tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Tokens()))
        self.mask = llguidance.numpy.allocate_token_bitmask(1, self.tokenizer.vocab_size)

    def begin(self, schema):
        grammar = self.package.LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults={"whitespace_flexible": False})
        self.matcher = self.package.LLMatcher(self.tokenizer, grammar)
        if self.matcher.is_error():
            raise ValueError(self.matcher.get_error())

    def fill(self):
        self.package.numpy.fill_next_token_bitmask(self.matcher, self.mask, 0)

    def take(self, token):
        return self.matcher.consume_token(token)

    def may_end(self):
        return self.matcher.is_accepting()

    def bits(self):
        return self.mask[0]


class XGrammar:
    name = "xgrammar"

    def __init__(self, words):
        import xgrammar
        self.package = xgrammar
        vocab = [w or b"\xff[%d]" % i for i, w in enumerate(words)] + [b"</s>"]
        self.info = xgrammar.TokenizerInfo(vocab, vocab_size=len(vocab), stop_token_ids=[len(vocab) - 1])
        self.compiler = xgrammar.GrammarCompiler(self.info, max_threads=1, cache_enabled=False)
        self.mask = xgrammar.allocate_token_bitmask(1, len(vocab))

    def begin(self, schema):
        grammar = self.compiler.compile_json_schema(json.dumps(schema), any_whitespace=False, separators=(",", ":"))
        self.matcher = self.package.GrammarMatcher(grammar)

    def fill(self):
        self.matcher.fill_next_token_bitmask(self.mask)

    def take(self, token):
        return self.matcher.accept_token(token)

    def may_end(self):
        return bool(self.matcher.is_completed()) if hasattr(self.matcher, "is_completed") else self.matcher.is_terminated()

    def bits(self):
        return self.mask[0].numpy()


def installed():
    for kind in (LLGuidance, XGrammar):
        try:
            importlib.import_module(kind.name)
            yield kind
        except ImportError as missing:
            print(f"{kind.name}: left out, {missing}", file=sys.stderr)


def type_with(engine, schema, words, dice, limit):
    """A document of random tokens; None when it is cut."""
    import numpy
    engine.begin(schema)
    text, end = b"", len(words)
    for _ in range(limit):
        engine.fill()
        bits = numpy.unpackbits(numpy.ascontiguousarray(engine.bits()).view(numpy.uint8), bitorder="little")
        ids = numpy.flatnonzero(bits[:end])
        may_end = bits[end] != 0
        if len(ids) == 0 or (may_end and dice.random() < 0.2):
            return text if may_end or len(ids) else None
        token = int(dice.choice(ids))
        closers = [i for i in ids[:2000] if words[i][:1] in b'"]}'] if dice.random() < 0.3 else []
        token = int(dice.choice(closers)) if closers else token
        if not engine.take(token):
            return text
        text += words[token]
    return None


def answer_schemas(kind, words, schemas, options, pipe):
    """The child's part of Apart: a document or what is in its way, for each number of a schema."""
    engine = kind(words)
    while True:
        i = pipe.recv()
        signal.setitimer(signal.ITIMER_PROF, options.seconds)
        try:
            answer = "text", type_with(engine, schemas[i], words, random.Random(i), options.limit)
        except Exception as why:  # engines have classes of their own for it
            answer = "refused", str(why)
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(answer)


class Apart:
    """An engine in a process of its own, so that a schema that is too much for it costs that schema: the
    timer of the processor's time ends the process."""

    def __init__(self, *arguments):
        self.arguments, self.process = arguments, None

    def type(self, i):
        if not self.process:
            self.pipe, theirs = multiprocessing.Pipe()
            self.process = multiprocessing.get_context("fork").Process(
                target=answer_schemas, args=(*self.arguments, theirs), daemon=True)
            self.process.start()
            theirs.close()
        try:
            self.pipe.send(i)
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            how = "too slow" if self.process.exitcode == -signal.SIGPROF else "crashed"
            self.process = None
            return how, None

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.join()


# ---- what is asked ----

def run_typist(typist, *arguments):
    done = subprocess.run([typist, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def monkey(options):
    golden = ROOT / "tests/golden/tokenizers/llama4.json"
    vocabularies = {"bytes": [bytes([b]) for b in range(256)], "small BPE": bytes_of_tokenizer(golden),
                    "large": bytes_of_tokenizer(options.tokenizer) if options.tokenizer else words_of_here(200_000)}
    schemas = schemas_of(options.schemas, options.n, 1)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "schemas"
        lines.write_text("".join(json.dumps(s, ensure_ascii=False) + "\n" for s in schemas), "utf-8")
        for seed, (name, words) in enumerate(vocabularies.items()):
            path = pathlib.Path(folder) / "words"
            write_words(path, words)
            count = {"documents": 0, "invalid": 0, "truncated": 0, "refused": 0}
            for row in run_typist(options.program, "type", path, lines,
                                  options.documents if name != "large" else options.documents * 2 // 5, seed):
                if "refused" in row:
                    count["refused"] += 1
                    continue
                found = wrong(judge_new(schemas[row["schema"]]), base64.b64decode(row["text"]))
                count["documents"] += 1
                count["truncated"] += row["tokens"] > row["budget"] or bool(found and found.startswith("no JSON"))
                count["invalid"] += found is not None
                if found:
                    print(f"weft: {found}: {base64.b64decode(row['text'])[:200]} of {json.dumps(schemas[row['schema']])[:300]}")
            failed |= count["invalid"] + count["truncated"] > 0
            print(f"{name}, {len(words)} tokens, {len(schemas)} schemas: weft {count}", flush=True)
            if name == "large" and not options.all:
                continue
            for kind in installed():
                others(kind, schemas, words, options)
    return 1 if failed else 0


def others(kind, schemas, words, options):
    count = {"documents": 0, "invalid": 0, "cut": 0, "refused": 0, "too slow": 0, "crashed": 0, "not judged": 0}
    engine = Apart(kind, words, schemas, options)
    for i, schema in enumerate(schemas):
        how, raw = engine.type(i)
        if how != "text":
            count[how] += 1
            continue
        count["documents"] += 1
        count["cut"] += raw is None
        try:
            count["invalid"] += raw is not None and wrong(judge_new(schema), raw) is not None
        except Exception:  # what they take may be no schema: a pattern that is none, a reference to nowhere
            count["not judged"] += 1
    engine.end()
    print(f"    {kind.name}, at most {options.limit} tokens: {count}", flush=True)


def percentiles(times):
    times = sorted(times)
    at = [times[min(len(times) - 1, int(len(times) * q))] for q in (0.5, 0.9, 0.99)]
    return f"mean {sum(times) / len(times):7.1f}  p50 {at[0]:7.1f}  p90 {at[1]:7.1f}  p99 {at[2]:8.1f}  max {times[-1]:8.1f}"


def cases_of(options):
    """Words, the four cases, and the ids of the tokens of each one's instance."""
    cases = json.loads((ROOT / "tools/constraint_cases.json").read_text("utf-8"))
    texts = [json.dumps(case["instance"], ensure_ascii=False, separators=(",", ":")) for case in cases.values()]
    if not options.tokenizer:
        words = words_of_here(200_000)
        return words, cases, [longest_words(words, text.encode()) for text in texts]
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(options.tokenizer)
    return bytes_of_tokenizer(options.tokenizer), cases, [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]


def follow(engine, schema, ids):
    """Milliseconds to compile; microseconds of each mask; the number of the token that was not taken."""
    begin = time.thread_time_ns()
    engine.begin(schema)
    compiled, times = (time.thread_time_ns() - begin) / 1e6, []
    for token in ids:
        begin = time.thread_time_ns()
        engine.fill()
        times.append((time.thread_time_ns() - begin) / 1e3)
        if not engine.take(token):
            return compiled, times, len(times)
    return compiled, times, None


def speed(options):
    words, cases, ids = cases_of(options)
    print(f"{len(words)} tokens in the vocabulary, {sum(map(len, ids))} in the documents; least of {options.rounds} rounds")
    rounds, others = collections.defaultdict(list), [kind(words) for kind in installed()]
    with tempfile.TemporaryDirectory() as folder:
        path, lines = pathlib.Path(folder) / "words", pathlib.Path(folder) / "cases"
        write_words(path, words)
        lines.write_text("".join(f"{json.dumps(case['schema'], ensure_ascii=False)}\t{' '.join(map(str, of_case))}\n"
                                 for case, of_case in zip(cases.values(), ids)), "utf-8")
        for _ in range(options.rounds):
            for name, kept in (("weft", 64 << 20), ("weft, none kept", 0)):
                rows = run_typist(options.program, "follow", path, lines, kept)
                rounds[name].append([(row["compile_us"] / 1e3, row["mask_us"], None if row["rejected"] < 0 else row["rejected"])
                                     for row in rows])
            for engine in others:
                rounds[engine.name].append([follow(engine, case["schema"], of_case)
                                            for case, of_case in zip(cases.values(), ids)])
    for name, of_engine in rounds.items():
        every = []
        for case, rows in zip(cases, zip(*of_engine)):
            times = [min(each) for each in zip(*(row[1] for row in rows))]
            every += times
            print(f"{name:15} {case:9} compile {min(row[0] for row in rows):9.2f} ms  {percentiles(times)}"
                  + (f"  rejected token {rows[0][2]}" if rows[0][2] is not None else ""))
        print(f"{name:15} masks of all:                  {percentiles(every)}", flush=True)
    return 0


def write_bundle(folder, words):
    """The shipped bundle with another vocabulary: its layers, and tables of random numbers for the tokens."""
    import numpy
    shipped, dice = ROOT / "default", numpy.random.default_rng(5)
    config, tokenizer = (json.loads((shipped / name).read_text("utf-8")) for name in ("config.json", "tokenizer.json"))
    raw = (shipped / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors, shift, chunks, at = json.loads(raw[8:8 + size]), len(words) - 256, [], 0
    n_vocab = (len(words) + len(tokenizer["added_tokens"]) + 31) // 32 * 32
    tensors.pop("__metadata__", None)
    for name, tensor in tensors.items():
        first, end = tensor["data_offsets"]
        chunk = raw[8 + size + first:8 + size + end]
        if tensor["shape"][0] == config["text_config"]["vocab_size"]:
            known = (numpy.frombuffer(chunk, "<u2").astype("<u4") << 16).view("<f4")
            tensor["shape"][0] = n_vocab
            made = dice.standard_normal(tensor["shape"], "<f4") * known.std()
            chunk = (made.view("<u4") >> 16).astype("<u2").tobytes()  # bf16
        tensor["data_offsets"] = [at, at + len(chunk)]
        at += len(chunk)
        chunks.append(chunk)
    head = json.dumps(tensors).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.writelines([len(head).to_bytes(8, "little"), head, *chunks])
    tokenizer["model"]["vocab"] = {"".join(CHARACTERS[b] for b in word): i for i, word in enumerate(words)}
    for token in tokenizer["added_tokens"]:
        token["id"] += shift
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    for of_it in (config, config["text_config"]):
        of_it.update({key: [i + shift for i in value] if isinstance(value, list) else value + shift
                      for key, value in of_it.items() if key.endswith(("token_id", "token_index"))})
    config["text_config"]["vocab_size"] = n_vocab
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        (folder / name).write_bytes((shipped / name).read_bytes())


def documents(options):
    cases = json.loads((ROOT / "tools/constraint_cases.json").read_text("utf-8"))
    words = bytes_of_tokenizer(options.tokenizer) if options.tokenizer else words_of_here(200_000)
    with tempfile.TemporaryDirectory() as folder:
        schemas, large = pathlib.Path(folder) / "schemas", pathlib.Path(folder) / "large"
        schemas.write_text("".join(json.dumps(case["schema"], ensure_ascii=False) + "\n" for case in cases.values()), "utf-8")
        large.mkdir()
        write_bundle(large, words)
        for bundle, n_vocab, n_tokens in ((ROOT / "default", 256, 700), (large, len(words), 300)):
            pairs = collections.defaultdict(list)
            for row in run_typist(options.program, bundle, schemas, n_tokens, options.temperature, 2, options.rounds):
                pairs[row["schema"], row["seed"], row["tokens"]].append((row["schema_us"] / 1e3, row["free_us"] / 1e3))
            print(f"{bundle.name}, {n_vocab} tokens in the vocabulary, temperature {options.temperature}")
            every = []
            for i, name in enumerate(cases):
                rows = [(n, *map(min, zip(*each))) for (schema, _, n), each in sorted(pairs.items()) if schema == i]
                shares = [own / free for _, own, free in rows if free > 0]
                every.append(statistics.median(shares))
                print(f"    {name:9}" + "".join(f"  {n} tokens {own:7.1f} ms, free {free:7.1f} ms" for n, own, free in rows)
                      + f"  {every[-1]:.2f}")
            print(f"    median of the schemas: {statistics.median(every):.2f}", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["monkey", "speed", "documents"])
    parser.add_argument("program")
    parser.add_argument("--tokenizer")
    parser.add_argument("--schemas")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--documents", type=int, default=10)
    parser.add_argument("--limit", type=int, default=400, help="tokens of the other engines' documents")
    parser.add_argument("--seconds", type=float, default=20, help="of the processor, for a schema and an engine")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--all", action="store_true", help="the other engines with the large vocabulary, too")
    options = parser.parse_args()
    return {"monkey": monkey, "speed": speed, "documents": documents}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
