#!/usr/bin/env python3
"""Who may include whom: the arrows of the include graph are the data flow, read backwards.

    tools/check_layers.py [ROOT]

Reads every C, header and CUDA file under ROOT and prints "file:line: reason" for each #include
that its place may not have; exit 1 when there is one. ARCHITECTURE.md has the table in words.
"""
import pathlib
import re
import sys

DOORS = {f"{room}/{door}.h" for room, door in [
    ("kernels", "kernels"), ("bundle", "bundle"), ("schema", "schema"), ("ingest", "ingest"),
    ("encoders", "encoders"), ("model", "model"), ("outputs", "outputs"), ("pipeline", "pipeline")]}
PRODUCTS = {"ingest/part.h", "encoders/span.h", "encoders/sequence.h", "model/answer.h", "model/routing.h",
            "outputs/record.h"}

# Room -> what of ours it may include besides its own folder; "x/" is a whole folder.
MAY = {
    "base": set(),
    "kernels": {"base/"},
    "bundle": {"base/", "kernels/dtype.h", "kernels/blocks.h"},
    "schema": {"base/"},
    "ingest": {"base/"},
    "encoders": {"base/", "kernels/kernels.h", "bundle/bundle.h", "ingest/part.h"},
    "model": {"base/", "schema/", "kernels/kernels.h", "bundle/bundle.h", "encoders/span.h",
              "encoders/sequence.h"},
    "outputs": {"base/", "schema/schema.h", "model/answer.h"},
    "pipeline": {"base/"} | DOORS | PRODUCTS,
    "cli": {"base/"} | DOORS | PRODUCTS,
    "examples": {"pipeline/pipeline.h", "outputs/record.h"},
    "e2e": {"base/"} | DOORS | PRODUCTS,
    # One target for each parser, whichever room it is in.
    "hostile": {"base/", "ingest/"},
    "fuzz": {"base/", "bundle/", "encoders/", "ingest/", "model/", "outputs/", "pipeline/",
             "schema/"},
}
# The corridor's machinery knows nothing of what runs in it.
PIPELINE_RUNTIME = re.compile(r"(channel|graph|node)\.[ch]$")
# One operation on one tier: no GLib, nothing of other folders.
KERNEL_OP = re.compile(r"_(ref|avx2|avx512|amx|cuda)\.(c|cu|h)$")

# Third-party headers and the only rooms, or files, where they may stand.
HOMES = [
    (re.compile(r"(imm|x86|[a-z]mm)intrin\.h|cuda|cublas"), {"kernels"}),
    (re.compile(r"pthread\.h|threads\.h|semaphore\.h"),
     # ingest/host.c, memory_share.c: the helpers serve all threads, so what they share has a mutex.
     {"kernels", "pipeline", "ingest/host.c", "ingest/memory_share.c",
      "tests/base/test_error.c", "tests/ingest/test_memory.c", "hostile", "fuzz"}),
    (re.compile(r"poppler|cairo|gio/|png\.h|jpeglib\.h|libav|libsw|tesseract/|leptonica/"),
     {"ingest"}),
    (re.compile(r"seccomp\.h|linux/(seccomp|landlock|filter|audit)\.h"), {"ingest"}),
    (re.compile(r"zlib\.h"), {"encoders", "cli/media_file.c"}),
    (re.compile(r"sqlite3\.h"), {"outputs", "e2e"}),
    (re.compile(r"jansson\.h"), set()),  # the judge, in tests only
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def reason_of_ours(path, room, is_test, target, root):
    """Why the file may not include our header `target`, or None."""
    if "/" not in target:
        if is_test and (root / path).with_name(target).exists():
            return None
        return f'"{target}" must be written "room/file.h"'
    folder = target.split("/")[0]
    if folder == room or (is_test and folder == "tests"):
        return None
    allowed = MAY[room]
    if room == "pipeline" and not is_test and PIPELINE_RUNTIME.search(path.name):
        allowed = {"base/"}
    if room == "kernels" and not is_test and KERNEL_OP.search(path.name):
        allowed = set()
    if target in allowed or folder + "/" in allowed:
        return None
    return f"{room}/ may not include {target}"


def reason_of_theirs(path, room, is_test, target):
    """Why the file may not include the system's header `target`, or None."""
    if room == "kernels" and not is_test and KERNEL_OP.search(path.name) and \
            target.startswith("glib"):
        return "an operation of one tier is plain C, without GLib"
    for pattern, homes in HOMES:
        if pattern.match(target) and not {room, path.as_posix()} & homes and \
                not (is_test and not homes):
            return f"<{target}> lives in {', '.join(sorted(homes)) or 'tests'} only"
    return None


def check(root):
    wrong = []
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        parts = path.parts
        if file.suffix not in (".c", ".h", ".cu") or parts[0] not in MAY and parts[0] != "tests":
            continue
        is_test = parts[0] == "tests"
        room = parts[1] if is_test else parts[0]
        if room not in MAY:
            room = "e2e" if is_test else room
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, target = match.groups()
            reason = reason_of_ours(path, room, is_test, target, root) if kind == '"' else \
                reason_of_theirs(path, room, is_test, target)
            if reason:
                wrong.append(f"{path}:{number}: {reason}")
    return wrong


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    wrong = check(root)
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
