#!/usr/bin/env python3
"""A file as a C function that gives its text.

    tools/embed.py INPUT FUNCTION HEADER OUTPUT.c

HEADER declares `const char *FUNCTION(void)`.
"""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes() + b"\0"
rows = ("\t" + ", ".join(f"{b:#04x}" for b in data[i:i + 16]) for i in range(0, len(data), 16))
pathlib.Path(sys.argv[4]).write_text(
    f'/* Made by tools/embed.py from {pathlib.Path(sys.argv[1]).name}. */\n'
    f'#include "{sys.argv[3]}"\n\n'
    "static const unsigned char TEXT[] = {\n" + ",\n".join(rows) + "\n};\n\n"
    f"const char *{sys.argv[2]}(void)\n{{\n\treturn (const char *)TEXT;\n}}\n")
