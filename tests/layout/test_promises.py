#!/usr/bin/env python3
"""Each row of docs/reliability.md names tests that exist, and says so when there is none."""
import json
import pathlib
import re
import sys


def rows(page):
    """(line number, cells) of all tables, without heads and rulers."""
    lines = page.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("|") and not line.startswith("| ---") and not lines[number].startswith("| ---"):
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def main():
    page, tests = map(pathlib.Path, sys.argv[1:3])
    known = {test["name"] for test in json.loads(tests.read_text())}
    n_rows = n_wrong = 0
    for number, cells in rows(page):
        if len(cells) != 3:
            continue  # a table of numbers
        n_rows += 1
        names = re.findall(r"`(\w+)`", cells[2])
        wrong = [name for name in names if name not in known]
        if wrong or not (names or "no test" in cells[2] or "by hand" in cells[2]):
            n_wrong += 1
            print(f"{page.name}:{number}: {', '.join(wrong) + ': no such test' if wrong else 'no test is named'}")
    if n_rows < 8:
        sys.exit(f"{page.name}: {n_rows} rows found, the table is not read as it is written")
    sys.exit(1 if n_wrong else 0)


main()
