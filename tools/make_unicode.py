#!/usr/bin/env python3
"""Writes bundle/unicode_table.inc: the character classes by which pre-tokenisers cut text.

    python tools/make_unicode.py > bundle/unicode_table.inc

The classes are asked of the regular expressions of the `tokenizers` library itself, so that a
character which a newer Unicode made a letter is a letter here exactly when it is one there.
"""
import importlib.metadata

from tokenizers import Regex, pre_tokenizers

# In this order: the first that matches is the class. Anything else is OTHER.
CLASSES = [
    ("UPPER", r"[\p{Lu}\p{Lt}]"),
    ("LOWER", r"\p{Ll}"),
    ("LETTER", r"[\p{Lm}\p{Lo}]"),
    ("MARK", r"\p{M}"),
    ("NUMBER", r"\p{N}"),
    ("SPACE", r"\s"),
]

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def members(pattern):
    """The code points that match: those that are not in the pieces left after removal."""
    text = "".join(map(chr, ALL))
    pieces = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(text)
    left = set()
    for _, (begin, end) in pieces:
        left.update(range(begin, end))
    return {c for i, c in enumerate(ALL) if i not in left}


def main():
    kind = {}
    for name, pattern in CLASSES:
        for c in members(pattern):
            kind.setdefault(c, name)
    assert members(r"\p{L}") == {c for c, k in kind.items() if k in ("UPPER", "LOWER", "LETTER")}
    runs, before = [], None
    for c in ALL:
        now = kind.get(c, "OTHER")
        if now != before:
            runs.append((c, now))
            before = now
    print("/* Made by tools/make_unicode.py with tokenizers "
          f"{importlib.metadata.version('tokenizers')}: first code point of each run, its class."
          " */")
    line = "\t"
    for c, name in runs:
        item = f"{{0x{c:x}, {name}}}, "
        if len(line) + len(item) > 96:
            print(line.rstrip())
            line = "\t"
        line += item
    print(line.rstrip())


main()
