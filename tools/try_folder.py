#!/usr/bin/env python3
"""Runs weft over a folder that you have, and tables what became of every file.

    tools/try_folder.py [--weft build/cli/weft] [--out try-out] [--task inventory] FOLDER [-- OPTION...]

For collections that others publish to test their readers (those of pdf.js, qpdf, Pillow, FFmpeg ...), and
for your own. Prints, for each media type, how many files were read, partly read, not read and skipped; the
reasons with their numbers; documents that ended their decoder or ran out of time, by name; the slowest; the
peak of memory; and files that have no record. OPTIONs go to `weft run`. Exit 1 when weft itself ended by a
signal, when a file has no record, or when the run did not end by itself: that is what must never happen.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import sys

import measure_memory

BAD_CODES = ("crashed", "timeout", "gone", "internal")


def records(out):
    for path in sorted(out.glob("records/??/*.json")):
        yield json.loads(path.read_text())


def paths_of(record):
    source = record["source"]
    return ([os.fsencode(path) for path in source["paths"]] +
            [base64.b64decode(path) for path in source.get("paths_b64", [])])


def regular_files(folder):
    for place, _, names in os.walk(os.fsencode(folder)):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def table(found):
    counts = collections.defaultdict(collections.Counter)
    for record in found:
        counts[record["source"].get("media_type") or "unknown"][record["status"]] += 1
    print(f"{'media type':34} {'ok':>6} {'partial':>8} {'failed':>7} {'skipped':>8}")
    for media_type, row in sorted(counts.items()):
        print(f"{media_type[:34]:34} {row['ok']:6} {row['partial']:8} {row['failed']:7} {row['skipped']:8}")


def reasons(found, n_most):
    counts = collections.Counter((record["status"], error["stage"], error["code"],
                                  error["message"].split(":")[0][:60])
                                 for record in found if record["status"] in ("partial", "failed")
                                 for error in record["errors"][:1])
    print("\nmost frequent first errors")
    for (status, stage, code, message), n in counts.most_common(n_most):
        print(f"{n:6} {status:8} {stage}/{code}: {message}")


def shown(record):
    return os.fsdecode(paths_of(record)[0]).encode("utf-8", "backslashreplace").decode()


def bad_ends(found):
    print("\ndecoders that ended or ran out of time")
    for record in found:
        for error in record["errors"]:
            if error["code"] in BAD_CODES:
                print(f"  {shown(record)}: {error['code']}: {error['message']}")


def slowest(found, n_most):
    print("\nslowest")
    for record in sorted(found, key=lambda record: -record["run"].get("seconds", 0))[:n_most]:
        print(f"{record['run'].get('seconds', 0):8.1f} s  {shown(record)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--weft", default="build/cli/weft")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("try-out"))
    parser.add_argument("--task", default="inventory")
    parser.add_argument("--most", type=int, default=20, help="lines of each list")
    parser.add_argument("folder")
    parser.add_argument("options", nargs="*")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    with open(wanted.out / "messages.txt", "wb") as messages:
        code, peak, seconds = measure_memory.measure(
            [wanted.weft, "run", "-q", "-t", wanted.task, "-o", wanted.out, *wanted.options,
             wanted.folder], stderr=messages)
    found = list(records(wanted.out))
    if not found:
        print(f"no records in {wanted.out}; weft's exit status was {code}", file=sys.stderr)
        return 1
    table(found)
    reasons(found, wanted.most)
    bad_ends(found)
    slowest(found, wanted.most)
    summary = json.loads((wanted.out / "summary.json").read_text())
    known = {os.path.normpath(path) for record in found for path in paths_of(record)}
    missing = [path for path in regular_files(wanted.folder) if os.path.normpath(path) not in known]
    print(f"\n{len(found)} records in {seconds:.0f} s, exit {code}, peak {peak.total >> 20} MiB, "
          f"left out by rule: {summary.get('left_out')}")
    for path in missing[:wanted.most]:
        print(f"no record: {path!r}")
    has_lost = len(missing) > summary.get("left_out", 0)
    return 1 if code not in (0, 1) or has_lost else 0


if __name__ == "__main__":
    sys.exit(main())
