#!/usr/bin/env python3
"""weft's constraint engine beside xgrammar and llguidance: are documents right, and what do masks cost?

    python3 tools/compare_constraints.py monkey TYPIST [--schemas FOLDER] [--n 1000] [--tokenizer FILE]
    python3 tools/compare_constraints.py speed TYPIST --tokenizer tokenizer.json

TYPIST is build/tests/schema/schema_typist. Needs jsonschema with its formats, tokenizers, xgrammar and
llguidance (PyPI); an engine that is not installed is left out.

monkey: random allowed tokens, three vocabularies (bytes; a small BPE of tests/golden; FILE, or one of 200,000 words that
is made up), schemas that are made up and those of FOLDER (*.json, also below it; a file may hold the
schema under "schema" or "json_schema", as JSONSchemaBench has them), budgets from the least on. jsonschema, a strict parser and a check
for equal keys judge. The other engines know no budgets: theirs are cut at --limit tokens, which is counted.

speed: four schemas as documents have them, one instance each, tokens as the tokenizer makes them; for each token the
mask is made, then the token is taken. Time of the thread's processor, in microseconds.
"""
import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


# ---- vocabularies: a list of the bytes of each token ----

def bytes_of_tokenizer(path):
    """Byte-level BPE: characters stand for bytes, as GPT-2 has them."""
    plain = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    others = [b for b in range(256) if b not in plain]
    of_char = {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}
    vocab = json.loads(pathlib.Path(path).read_text("utf-8"))["model"]["vocab"]
    words = [b""] * (max(vocab.values()) + 1)
    for text, i in vocab.items():
        words[i] = bytes(of_char[c] for c in text)
    return words


def made_up_words(n):
    """Bytes, JSON's own pieces, and words of syllables in many lengths."""
    dice = random.Random(4)
    syllables = [a + b for a in ["", *"bcdfghklmnprstvwz", "sch", "th"] for b in ["a", "e", "i", "o", "u", "ü", "é", "日", "я"]]
    words = dict.fromkeys(bytes([b]) for b in range(256))
    for piece in ['{"', '":', '":"', '","', '",', '"}', '"]', '},{', '}]', '[]', '[{"', '""', '"a', 'null', 'true', 'false', '":"",',
                  '\\"', '\\n', '\\u00', '"},"', '"],"', ':', '0.', '1,', '12', '123', '},"', '."', ' "', '": ']:
        words[piece.encode()] = None
    while len(words) < n:
        word = "".join(dice.choice(syllables) for _ in range(dice.randint(1, 5)))
        if dice.random() < 0.5:
            word = dice.choice([" ", " ", "-", "_", "(", "."]) + word
        if dice.random() < 0.01:
            word += dice.choice(['"', '",', '":', '"}', "\\n", '"]'])
        raw = word.encode()
        words[raw if dice.random() < 0.99 else raw[:-1]] = None
    return [word for word in words if word]


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


def engines(words):
    for kind in (LLGuidance, XGrammar):
        try:
            yield kind(words)
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


# ---- what is asked ----

def run_typist(typist, *arguments):
    done = subprocess.run([typist, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def monkey(options):
    golden = ROOT / "tests/golden/tokenizers/llama4.json"
    vocabularies = {"bytes": [bytes([b]) for b in range(256)], "small BPE": bytes_of_tokenizer(golden),
                    "large": bytes_of_tokenizer(options.tokenizer) if options.tokenizer else made_up_words(200_000)}
    schemas = schemas_of(options.schemas, options.n, 1)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "schemas"
        lines.write_text("".join(json.dumps(s, ensure_ascii=False) + "\n" for s in schemas), "utf-8")
        for seed, (name, words) in enumerate(vocabularies.items()):
            path = pathlib.Path(folder) / "words"
            write_words(path, words)
            count = {"documents": 0, "invalid": 0, "truncated": 0, "refused": 0}
            for row in run_typist(options.typist, "type", path, lines, options.documents, seed):
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
            for engine in engines(words):
                others(engine, schemas, words, options)
    return 1 if failed else 0


def others(engine, schemas, words, options):
    dice = random.Random(2)
    count = {"documents": 0, "invalid": 0, "truncated": 0, "refused": 0}
    for schema in schemas[:: max(1, len(schemas) // options.sample)]:
        try:
            raw = type_with(engine, schema, words, dice, options.limit)
        except Exception:  # engines have classes of their own for it
            count["refused"] += 1
            continue
        count["documents"] += 1
        count["truncated"] += raw is None
        count["invalid"] += raw is not None and wrong(judge_new(schema), raw) is not None
    print(f"    {engine.name}, {options.sample} of them, at most {options.limit} tokens: {count}", flush=True)


def percentiles(times):
    times = sorted(times)
    at = [times[min(len(times) - 1, int(len(times) * q))] for q in (0.5, 0.9, 0.99)]
    return f"mean {sum(times) / len(times):7.1f}  p50 {at[0]:7.1f}  p90 {at[1]:7.1f}  p99 {at[2]:8.1f}  max {times[-1]:8.1f}"


def speed(options):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(options.tokenizer)
    words = bytes_of_tokenizer(options.tokenizer)
    cases = json.loads((ROOT / "tools/constraint_cases.json").read_text("utf-8"))
    ids = {name: tokenizer.encode(json.dumps(case["instance"], ensure_ascii=False, separators=(",", ":")),
                                  add_special_tokens=False).ids for name, case in cases.items()}
    with tempfile.TemporaryDirectory() as folder:
        path, lines = pathlib.Path(folder) / "words", pathlib.Path(folder) / "cases"
        write_words(path, words)
        lines.write_text("".join(f"{json.dumps(case['schema'], ensure_ascii=False)}\t{' '.join(map(str, ids[name]))}\n"
                                 for name, case in cases.items()), "utf-8")
        rows = run_typist(options.typist, "follow", path, lines)
    for name, row in zip(cases, rows):
        print(f"weft        {name:9} compile {row['compile_us'] / 1e3:9.2f} ms  {percentiles(row['mask_us'])}  "
              f"{row['forced']} of {len(ids[name])} tokens forced" + ("" if row["rejected"] < 0 else "  REJECTED"))
    print(f"weft        masks of all:                     {percentiles([t for row in rows for t in row['mask_us']])}")
    for engine in engines(words):
        every = []
        for name, case in cases.items():
            begin = time.thread_time_ns()
            engine.begin(case["schema"])
            compiled = (time.thread_time_ns() - begin) / 1e6
            times, note = [], ""
            for token in ids[name]:
                begin = time.thread_time_ns()
                engine.fill()
                times.append((time.thread_time_ns() - begin) / 1e3)
                if not engine.take(token):
                    note = f"  rejected token {len(times)}"
                    break
            every += times
            print(f"{engine.name:11} {name:9} compile {compiled:9.2f} ms  {percentiles(times)}{note}")
        print(f"{engine.name:11} masks of all:                     {percentiles(every)}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["monkey", "speed"])
    parser.add_argument("typist")
    parser.add_argument("--tokenizer")
    parser.add_argument("--schemas")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--documents", type=int, default=10)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--all", action="store_true", help="the other engines with the large vocabulary, too")
    options = parser.parse_args()
    return monkey(options) if options.what == "monkey" else speed(options)


if __name__ == "__main__":
    sys.exit(main())
