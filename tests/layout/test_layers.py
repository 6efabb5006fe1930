#!/usr/bin/env python3
"""check_layers.py finds what it should: each wrong include in a tree of its own."""
import pathlib
import subprocess
import sys
import tempfile

CASES = [  # file, line, is refused
    ("base/a.c", '#include "ingest/part.h"', True),
    ("ingest/a.c", '#include "encoders/span.h"', True),
    ("encoders/a.c", '#include "ingest/part.h"', False),
    ("encoders/a.c", '#include "ingest/ingest.h"', True),
    ("model/a.c", '#include "encoders/sequence.h"', False),
    ("model/a.c", '#include "encoders/encoders.h"', True),
    ("model/a.c", '#include "ingest/part.h"', True),
    ("outputs/a.c", '#  include "pipeline/pipeline.h"', True),
    ("outputs/a.c", "#include <sqlite3.h>", False),
    ("pipeline/a.c", "#include <sqlite3.h>", True),
    ("pipeline/channel.c", '#include "ingest/part.h"', True),
    ("pipeline/node_decode.c", '#include "ingest/ingest.h"', False),
    ("pipeline/node_decode.c", '#include "ingest/wire.h"', True),
    ("pipeline/channel.c", "#include <pthread.h>", False),
    ("ingest/a.c", "#include <pthread.h>", True),
    ("ingest/pdf.c", "#include <poppler.h>", False),
    ("cli/a.c", "#include <poppler.h>", True),
    ("model/a.c", "#include <immintrin.h>", True),
    ("kernels/gemm_avx2.c", "#include <immintrin.h>", False),
    ("kernels/gemm_avx2.c", "#include <glib.h>", True),
    ("kernels/gemm_avx2.c", '#include "base/bytes.h"', True),
    ("kernels/cpu.c", '#include "base/bytes.h"', False),
    ("bundle/a.c", '#include "kernels/kernels.h"', True),
    ("bundle/a.c", '#include "config.h"', True),
    ("base/a.c", "#include <jansson.h>", True),
    ("tests/base/a.c", "#include <jansson.h>", False),
    ("tests/model/a.c", '#include "model/private.h"', False),
    ("tests/model/a.c", '#include "ingest/ingest.h"', True),
]


def main():
    checker = sys.argv[1]
    n_wrong = 0
    for name, line, is_refused in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(f"\n{line}\n")
            said = subprocess.run([sys.executable, checker, folder], capture_output=True, text=True)
            if (said.returncode, said.stdout.startswith(f"{name}:2: ")) != (is_refused, is_refused):
                n_wrong += 1
                print(f"{name}: {line}: exit {said.returncode}, {said.stdout!r} {said.stderr!r}")
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
