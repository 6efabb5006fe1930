#!/usr/bin/env python3
"""Do decoders read with their walls up what they read without? Which system calls do they miss?

    tools/try_jail.py [--read] BUILD FILE|FOLDER...

Each file is decoded three times by BUILD/tests/ingest/print_parts: as weft does it, without a
sandbox, and with a filter that names the call which it would kill for. Prints each file whose parts
differ or that makes a missing call, and the calls; exit 1 when there is one.
--read: Tesseract reads the pictures, too (slow). Run it after an update of the system's libraries,
over as many kinds of files as there are.
"""
import pathlib
import stat
import subprocess
import sys
import tempfile

PROGRAMS = ("pdf", "image", "av", "ocr")
BATCH = 200  # files of one start of the programs
TRAPPED = b"decoder ended with status 159"  # 128 + SIGSYS


def trap_folder(build, folder):
    """Helper programs that name missing calls in FOLDER/log."""
    for name in PROGRAMS:
        program = build / "ingest" / f"weft-decode-{name}"
        if not program.exists():
            continue
        script = folder / program.name
        script.write_text(f'#!/bin/sh\nexec "{program}" "$@" --trap 2>>"{folder}/log"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)


def parts(build, helpers, paths, options):
    """Path -> lines, of one run of the programs for all of them."""
    done = subprocess.run([build / "tests/ingest/print_parts", helpers, *paths, "--words", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found, lines = {}, []
    names = {b"file " + bytes(path): path for path in paths}
    for line in done.stdout.split(b"\n"):
        if line in names:
            lines = found.setdefault(names[line], [])
        elif line:
            lines.append(line)
    return found


def files_of(names):
    for name in map(pathlib.Path, names):
        yield from sorted(p for p in name.rglob("*") if p.is_file()) if name.is_dir() else [name]


def compare(path, locked, free):
    if locked == free:
        return 0
    print(f"differs: {path}")
    for ours, theirs in zip(locked + [b""], free + [b""]):
        if ours != theirs:
            print(f"  locked  {ours[:150]!r}\n  without {theirs[:150]!r}", flush=True)
            break
    return 1


def main():
    args = sys.argv[1:]
    options = [a for a in args if a == "--read"]
    args = [a for a in args if a != "--read"]
    if len(args) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(args[0]).resolve()
    files = list(files_of(args[1:]))
    n_differ, missing = 0, set()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trap_folder(build, folder)
        log = folder / "log"
        for first in range(0, len(files), BATCH):
            batch = files[first:first + BATCH]
            # one that is there twice, so that there are always several
            batch = batch + batch[:1] if len(batch) == 1 else batch
            log.write_text("")
            locked = parts(build, build / "ingest", batch, options)
            free = parts(build, build / "ingest", batch, options + ["--no-sandbox"])
            trapped = parts(build, folder, batch, options)
            for path in dict.fromkeys(batch):
                n_differ += compare(path, locked.get(path, []), free.get(path, []))
                if any(line.endswith(TRAPPED) for line in trapped.get(path, [])):
                    print(f"makes a missing call: {path}", flush=True)
            missing |= {line for line in log.read_text(errors="replace").splitlines()
                        if line.startswith("missing system call")}
    for line in sorted(missing):
        print(line)
    print(f"{len(files)} files, {n_differ} differ, {len(missing)} missing calls")
    sys.exit(1 if n_differ or missing else 0)


if __name__ == "__main__":
    main()
