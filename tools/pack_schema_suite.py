#!/usr/bin/env python3
"""Packs JSON-Schema-Test-Suite's main groups of draft 2020-12 into one text file.

    pip download --no-binary jsonschema --no-deps jsonschema==4.26.0; tar xzf jsonschema-*.tar.gz
    tools/pack_schema_suite.py jsonschema-4.26.0/json/tests/draft2020-12 > tests/schema/suite.jsonl

One line for each group: {"name": "FILE #N", "schema": ..., "valid": [...], "invalid": [...]}. The suite is
copyright (c) 2012 Julian Berman, MIT licence.
"""
import json
import pathlib
import sys


def main():
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        for n, group in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            line = {"name": f"{path.stem} #{n}", "schema": group["schema"]}
            for key, wanted in (("valid", True), ("invalid", False)):
                line[key] = [test["data"] for test in group["tests"] if test["valid"] is wanted]
            print(json.dumps(line, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
