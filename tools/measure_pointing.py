#!/usr/bin/env python3
"""How often a bundle that looks points at the place, and what reading that place alone says of the value.

    tools/measure_pointing.py [--weft build/cli/weft] [--bundle tests/golden/look] [-n 8] [--keep FOLDER] [-v]

Draws pages with coloured plates (tests/e2e/plates.py), each with a number, and asks what stands on the red, the
green and the blue one: of n documents each in every layout of plates.LAYOUTS. Tesseract finds nothing on the whole
page, so that every value is pointed, and reads the place alone. It is asked twice: with the four numbers to choose
from, and with the first two alone, so that half of the values are wrong whatever the bundle would say. Prints for
each layout

    right      values that are what the plate says, where all could be chosen: what the bundle can read
    on any     pointed boxes with their middle on a plate: no plate has that by chance, a tenth of a page is plates
    on it      pointed boxes with their middle on the plate that was asked for
    IoU        pointed boxes that share more than half of what they and that plate cover together
    confirmed  of the values that stand on the plate that was looked at
    denied     of the values that do not

Needs pdftoppm and Tesseract.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
os.environ |= {"SOURCE": str(ROOT), "WEFT": ""}
import plates  # noqa: E402

COLUMNS = ("right", "on any", "on it", "IoU", "confirmed", "denied")


def ask(options, folder, numbers, out):
    """Records of all documents, by the name of the file."""
    task = plates.write_task(folder, numbers)
    done = subprocess.run([options.weft, "run", "-q", "-m", options.bundle, "-t", task, "-o", out, folder / "in"], capture_output=True, text=True)
    records = [json.loads(file.read_text()) for file in out.glob("records/*/*.json")]
    if not records:
        sys.exit(done.stderr)
    return {pathlib.Path(record["source"]["paths"][0]).name: record for record in records}


def judge(record, sheets, scale, counts, may_choose_all, options):
    for name in plates.COLOURS:
        found = plates.Found(record, name, sheets, scale)
        if may_choose_all:
            counts["right"].append(found.is_true)
        counts["kinds"].append(found.evidence["kind"])
        if options.verbose:
            print(record["source"]["paths"][0][-24:], name, record["answer"][name], found.is_true,
                  f"IoU {found.overlap:.2f}", json.dumps(found.evidence))
        if not found.is_pointed:
            continue
        counts["on any"].append(found.is_on_any)
        counts["on it"].append(found.is_on_it)
        counts["IoU"].append(found.overlap > .5)
        is_confirmed = found.evidence.get("confirmed")
        counts["confirmed" if found.stands_there else "denied"].append(is_confirmed is found.stands_there)


def cell(found):
    return f"{100 * sum(found) / len(found):.1f} % of {len(found)}" if found else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", default="build/cli/weft")
    parser.add_argument("--bundle", default=str(ROOT / "tests/golden/look"))
    parser.add_argument("-n", type=int, default=8)
    parser.add_argument("--keep", help="folder for the documents and records")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every value")
    options = parser.parse_args()
    counts = {name: collections.defaultdict(list) for name in plates.LAYOUTS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        (folder / "in").mkdir(parents=True, exist_ok=True)
        dice, drawn = random.Random(7), {}
        for name, draw in plates.LAYOUTS.items():
            for i in range(options.n):
                path, sheets, scale = draw(folder / "in" / f"{name.replace(' ', '-')}-{i:03}", dice)
                drawn[path.name] = name, sheets, scale
        for numbers in (plates.NUMBERS, plates.NUMBERS[:2]):
            for file, record in ask(options, folder, numbers, folder / f"out-{len(numbers)}").items():
                name, sheets, scale = drawn[file]
                judge(record, sheets, scale, counts[name], len(numbers) > 2, options)
    counts["all"] = collections.defaultdict(list)
    for name in plates.LAYOUTS:
        for column in (*COLUMNS, "kinds"):
            counts["all"][column] += counts[name][column]
    print(dict(collections.Counter(counts["all"]["kinds"])))
    print("| |", " | ".join(COLUMNS), "|\n|" + " --- |" * (len(COLUMNS) + 1))
    for name, count in counts.items():
        print("|", name, "|", " | ".join(cell(count[column]) for column in COLUMNS), "|")


if __name__ == "__main__":
    main()
