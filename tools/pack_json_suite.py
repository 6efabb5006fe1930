#!/usr/bin/env python3
"""Packs a checkout of JSONTestSuite's test_parsing folder into one text file.

    tools/pack_json_suite.py FOLDER > tests/base/json/suite.txt

One line for each file: name without .json, tab, base64 of the bytes. Files above 4 KiB
are left out (tests/base/test_json.c makes them itself).
"""
import base64
import lzma
import pathlib
import sys

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    if len(data) <= 4096:
        name = path.name.removesuffix(".xz").removesuffix(".json")
        print(f"{name}\t{base64.b64encode(data).decode()}")
