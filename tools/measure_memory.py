#!/usr/bin/env python3
"""Runs a command and prints how much memory it and all that it starts took at most.

    tools/measure_memory.py [--json] [--limit SIZE] -- build/cli/weft run -t inventory big.pdf

What is counted is private and shared memory: the sum of Pss_Anon and Pss_Shmem of all processes of
the command's group of descendants, from /proc/*/smaps_rollup, every 50 ms. Mapped files (programs,
libraries, weights) are not counted: the kernel drops them when it needs the room. A peak shorter than
a period may be missed; each process's own peak of resident memory (VmHWM, with mapped files) is
printed beside it. With --limit the exit status is 1 when the peak is above it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

PERIOD_S = 0.05
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text):
    match = re.fullmatch(r"(\d+)([KMG]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size like 512M")
    return int(match[1]) * UNITS[match[2]]


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""  # it has ended meanwhile


def descendants(root):
    """All processes below root, and root: by their parents, as helpers have groups of their own."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = read(f"/proc/{name}/stat")
            if stat:
                parents[int(name)] = int(stat.rpartition(b")")[2].split()[1])
    found, new = {root}, {root}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found
        found |= new
    return found


def bytes_of(pid):
    """Private and shared memory of one process; shared pages in equal parts to those who share."""
    total = 0
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith((b"Pss_Anon:", b"Pss_Shmem:")):
            total += int(line.split()[1]) * 1024
    return total


def name_of(pid):
    return read(f"/proc/{pid}/comm").decode(errors="replace").strip()


def resident_peak(pid):
    match = re.search(rb"VmHWM:\s+(\d+)", read(f"/proc/{pid}/status"))
    return int(match[1]) * 1024 if match else 0


class Peak:
    def __init__(self):
        self.total, self.at_s, self.parts = 0, 0.0, {}
        self.resident = {}  # pid -> (name, bytes)

    def sample(self, root, begin):
        parts = {}
        for pid in descendants(root):
            n = bytes_of(pid)
            name = name_of(pid)
            if n:
                parts.setdefault(name, []).append(n)
            peak = resident_peak(pid)
            if peak > self.resident.get(pid, ("", 0))[1]:
                self.resident[pid] = (name, peak)
        total = sum(sum(ns) for ns in parts.values())
        if total > self.total:
            self.total, self.at_s, self.parts = total, time.monotonic() - begin, parts


def measure(command, **options):
    peak, begin = Peak(), time.monotonic()
    child = subprocess.Popen(command, **options)
    while child.poll() is None:
        peak.sample(child.pid, begin)
        time.sleep(PERIOD_S)
    return child.returncode, peak, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object in place of lines")
    parser.add_argument("--limit", type=size, help="exit 1 when the peak is above, as in 1G")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    code, peak, seconds = measure(arguments.command, stdin=subprocess.DEVNULL)
    mib = 1 << 20
    if arguments.json:
        print(json.dumps({"exit": code, "seconds": round(seconds, 2), "peak_bytes": peak.total,
                          "parts": {name: sorted(ns) for name, ns in peak.parts.items()}}))
    else:
        print(f"peak {peak.total / mib:.0f} MiB private and shared, after {peak.at_s:.1f} of "
              f"{seconds:.1f} s; exit {code}")
        for name, ns in sorted(peak.parts.items()):
            print(f"  {name:16} {' + '.join(f'{n / mib:.0f}' for n in sorted(ns))} MiB")
        names = {}
        for name, n in peak.resident.values():
            names[name] = max(n, names.get(name, 0))
        for name, n in sorted(names.items()):
            print(f"  resident at most, with mapped files: {name:16} {n / mib:.0f} MiB")
    if arguments.limit is not None and peak.total > arguments.limit:
        print(f"above the limit of {arguments.limit / mib:.0f} MiB", file=sys.stderr)
        return 1
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
