#!/usr/bin/env python3
"""Seeds for tests/fuzz/fuzz_matcher.c: the schemas of tests/schema/samples.h with choices behind them.

    python3 tools/make_matcher_corpus.py tests/fuzz/corpus/matcher
"""
import json
import pathlib
import random
import re
import sys

LETTERS = b'"{[ab,]}19-. \xc3\xa9\\u0n:'


def schemas():
    source = (pathlib.Path(__file__).parent.parent / "tests/schema/samples.h").read_text("utf-8")
    body = re.sub(r"/\*.*?\*/", "", source[source.index("samples[] = {"):source.index("};")], flags=re.S)
    for literals in re.split(r'",\s*\n\s*(?=")', body[body.index('"'):].strip()):
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"?', literals)
        yield "".join(re.sub(r"\\(.)", r"\1", part) for part in parts).rstrip(",\n ")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(1)
    for i, schema in enumerate(schemas()):
        json.loads(schema)
        choices = bytes(dice.choice(LETTERS) for _ in range(60))
        (folder / str(i)).write_bytes(schema.encode() + b"\0" + choices)


main()
