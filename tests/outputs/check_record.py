#!/usr/bin/env python3
"""Checks JSON files against a JSON Schema, with Python's own library only.

    check_record.py SCHEMA FILE...

Knows the keywords that outputs/record.schema.json uses; one that it does not know is an error.
Prints "FILE: POINTER: reason" and exits 1.
"""
import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
NOTES = {"$schema", "$defs", "title", "description", "contentEncoding"}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check_one(word, want, value, schema, root, at):
    if word == "type":
        names = want if isinstance(want, list) else [want]
        if not any(is_type(value, n) for n in names):
            yield at, f"{value!r} is not {want}"
    elif word == "const":
        if value != want:
            yield at, f"{value!r} is not {want!r}"
    elif word == "enum":
        if value not in want:
            yield at, f"{value!r} is none of {want}"
    elif word == "pattern":
        if isinstance(value, str) and not re.search(want, value):
            yield at, f"{value!r} does not match {want}"
    elif word in ("minimum", "maximum"):
        if is_type(value, "number") and (value < want if word == "minimum" else value > want):
            yield at, f"{value} {word} {want}"
    elif word in ("minItems", "maxItems"):
        if isinstance(value, list) and \
                (len(value) < want if word == "minItems" else len(value) > want):
            yield at, f"{len(value)} items, {word} {want}"
    elif word == "required":
        for key in want if isinstance(value, dict) else []:
            if key not in value:
                yield at, f"no {key}"
    elif word == "properties":
        for key in want.keys() & value.keys() if isinstance(value, dict) else []:
            yield from check(want[key], value[key], root, f"{at}/{key}")
    elif word == "additionalProperties":
        for key in value.keys() - schema["properties"].keys() if isinstance(value, dict) and \
                "properties" in schema else value if isinstance(value, dict) else []:
            yield from check(want, value[key], root, f"{at}/{key}")
    elif word == "items":
        for i, item in enumerate(value if isinstance(value, list) else []):
            yield from check(want, item, root, f"{at}/{i}")
    elif word == "anyOf":
        if all(list(check(one, value, root, at)) for one in want):
            yield at, "none of anyOf"
    elif word == "$ref":
        yield from check(root["$defs"][want.removeprefix("#/$defs/")], value, root, at)
    elif word not in NOTES:
        sys.exit(f"schema: keyword {word} is not known here")


def check(schema, value, root, at=""):
    for word, want in schema.items():
        yield from check_one(word, want, value, schema, root, at)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    n_wrong = 0
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            for at, reason in check(schema, json.load(file), schema):
                print(f"{name}: {at}: {reason}")
                n_wrong += 1
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
