#!/usr/bin/env python3
"""Every header compiles alone.

    tools/check_headers.py ROOT COMPILER...

Gives each header of the rooms to the compiler as the only line of a file; prints what the compiler
says and exits 1 when it refuses one.
"""
import pathlib
import subprocess
import sys

ROOMS = ["base", "kernels", "bundle", "schema", "ingest", "encoders", "model", "outputs", "pipeline", "cli"]
PACKAGES = ["glib-2.0", "poppler-glib", "sqlite3"]
# Templates: their includer defines what they are made of.
TEMPLATES = {"kernels/gemm_fma.h"}
# Headers that only one tier's files include.
TIER_FLAGS = {"avx2": ["-mavx2", "-mfma", "-mf16c"], "avx512": ["-march=icelake-server"],
              "amx": ["-march=sapphirerapids"]}


def main():
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-function",
             "-Wno-unused-parameter", "-Werror", "-fsyntax-only", f"-I{root}", "-x", "c", "-"]
    for package in PACKAGES:
        said = subprocess.run(["pkg-config", "--cflags", package], capture_output=True, text=True)
        if said.returncode == 0:
            flags = said.stdout.split() + flags
    n_wrong = 0
    for header in sorted(h for room in ROOMS for h in (root / room).glob("*.h")):
        name = header.relative_to(root).as_posix()
        if name in TEMPLATES:
            continue
        tier = TIER_FLAGS.get(header.stem.rsplit("_", 1)[-1], [])
        said = subprocess.run(compiler + tier + flags, input=f'#include "{name}"\n',
                              capture_output=True, text=True)
        if said.returncode != 0:
            n_wrong += 1
            print(f"{name}:1: does not compile alone\n{said.stderr}")
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
