#!/usr/bin/env python3
"""Schemas that are small and cost much: what tests/schema/test_bombs.c holds weft_schema_new against.

    tools/make_schema_bombs.py FOLDER [STAMP]     writes one file for each, NAME.json; then STAMP

They come from reports about other engines: products of alternatives, references that double,
counts in the millions, automata that explode, thousands of everything.
"""
import json
import pathlib
import sys


def nested(keyword, depth, width):
    schema = {"type": "string", "maxLength": 3}
    for level in range(depth):
        schema = {keyword: [{**schema, "title": f"{level}.{i}"} for i in range(width)]}
    return schema


def nested_shared(keyword, depth, width):
    """The same through $ref: small text, depth ** width combinations."""
    defs = {"s0": {"type": "object", "properties": {"a": {"type": "string"}}}}
    for level in range(1, depth + 1):
        defs[f"s{level}"] = {keyword: [{"$ref": f"#/$defs/s{level - 1}", "required": [f"k{level}{i}"]}
                                       for i in range(width)]}
    return {"$defs": defs, "$ref": f"#/$defs/s{depth}"}


def doubling(n):
    defs = {"s0": {"type": "null"}}
    for i in range(1, n + 1):
        side = {"$ref": f"#/$defs/s{i - 1}"}
        defs[f"s{i}"] = {"type": "object", "properties": {"l": side, "r": side}, "required": ["l", "r"]}
    return {"$defs": defs, "$ref": f"#/$defs/s{n}"}


def arrays(depth):
    return '{"type":"array","items":' * depth + "true" + "}" * depth


BOMBS = {
    "oneof_nested": nested("oneOf", 12, 2),
    "oneof_nested_shared": nested_shared("oneOf", 12, 2),
    "anyof_nested_shared": nested_shared("anyOf", 20, 3),
    "ref_doubling": doubling(30),
    "ref_self": {"$ref": "#"},
    "ref_mutual": {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "required_self": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "enum_20000": {"enum": [f"value number {i}" for i in range(20000)]},
    "maxlength_1e9": {"type": "string", "maxLength": 1000000000},
    "minlength_1e6": {"type": "string", "minLength": 1000000},
    "pattern_counts": {"type": "string", "pattern": "^((a{1,1000}){1,1000}){1,1000}$"},
    "prefixitems_20000": {"type": "array", "prefixItems": [{"type": "integer", "minimum": i} for i in range(20000)]},
    "optional_20000": {"type": "object", "properties": {f"k{i}": {"type": "integer"} for i in range(20000)}},
    "pattern_late_choice": {"type": "string", "pattern": "^(a|b)*a(a|b){30}$"},
    "allof_39_patterns": {"type": "string", "allOf": [{"pattern": f".*a.{{{i}}}$"} for i in range(39)]},
    "anyof_3000_objects": {"anyOf": [{"type": "object", "properties": {"k": {"const": i}, "v": {"type": "string"}},
                                      "required": ["k", "v"]} for i in range(3000)]},
    "oneof_3000_objects": {"oneOf": [{"type": "object", "properties": {"k": {"const": i}, "v": {"type": "string"}},
                                      "required": ["k", "v"]} for i in range(3000)]},
    "arrays_3000": arrays(3000),
    "arrays_60": arrays(60),
    "anyof_64_maxlengths": {"anyOf": [{"type": "string", "maxLength": 10 * i + 10} for i in range(64)]},
    "dependent_40": {"type": "object", "properties": {f"k{i}": {"type": "integer"} for i in range(40)},
                     "dependentRequired": {f"k{i}": [f"k{(i * 7 + 1) % 40}"] for i in range(40)}},
    "not_60": {"type": "object", "properties": {f"k{i}": {"type": "integer"} for i in range(60)},
               "allOf": [{"not": {"required": [f"k{i}", f"k{(i + 1) % 60}"]}} for i in range(60)]},
    "patternproperties_1000": {"type": "object", "properties": {f"k{i}": True for i in range(1000)},
                               "patternProperties": {f"k.*{i}$": {"minimum": i} for i in range(1000)}},
    "ref_chain_2000": {"$defs": {f"s{i}": {"$ref": f"#/$defs/s{i + 1}"} for i in range(2000)} |
                       {"s2000": {"type": "null"}}, "$ref": "#/$defs/s0"},
    "minproperties_4000": {"type": "object", "properties": {f"k{i}": {"type": "integer"} for i in range(5000)},
                           "minProperties": 4000},
    "intersections": {"$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/b"}, "y": {"$ref": "#/$defs/a"}}},
                                "b": {"properties": {"x": {"$ref": "#/$defs/c"}, "y": {"$ref": "#/$defs/a"}}},
                                "c": {"properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/b"}}}},
                      "type": "object", "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]},
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in BOMBS.items():
        text = schema if isinstance(schema, str) else json.dumps(schema, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text)
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text("")


if __name__ == "__main__":
    main()
