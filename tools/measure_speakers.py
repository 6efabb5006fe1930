#!/usr/bin/env python3
"""Speech activity and speaker turns of weft against recordings with known truth.

    tools/measure_speakers.py PRINT_SOUNDING CORPUS [--check] [--quiet]

PRINT_SOUNDING is build/tests/encoders/print_sounding, CORPUS a folder that tools/make_speech_corpus.py
wrote. For activity: the part of the speech that is found, sentences of which less than 90 % is, and the
part of everything else (half a second and more away from speech) that is taken for speech. For turns:
the diarization error rate (missed, falsely found and confused time over all spoken time, under the best
assignment of speakers; NIST's md-eval), with a collar of 0.25 s around each change that is not scored,
and without; overlapping speech is scored. --check: exit 1 when a promise of the suite is broken.
Needs numpy.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

import numpy as np

RATE = 100  # frames a second in which all is scored
SURE = 1.0  # WEFT_TURN_MARGIN_SURE


def assign(gain):
    """Rows to columns so that the sum of gains is largest: (row, column) pairs; the Hungarian method."""
    n = max(gain.shape)
    cost = np.zeros((n, n))
    cost[: gain.shape[0], : gain.shape[1]] = -gain
    u, v = np.zeros(n + 1), np.zeros(n + 1)
    row_of, way = np.zeros(n + 1, int), np.zeros(n + 1, int)
    for i in range(1, n + 1):
        row_of[0], j0 = i, 0
        least, used = np.full(n + 1, np.inf), np.zeros(n + 1, bool)
        while row_of[j0]:
            used[j0] = True
            i0, delta, j1 = row_of[j0], np.inf, 0
            for j in range(1, n + 1):
                if used[j]:
                    continue
                c = cost[i0 - 1, j - 1] - u[i0] - v[j]
                if c < least[j]:
                    least[j], way[j] = c, j0
                if least[j] < delta:
                    delta, j1 = least[j], j
            u[row_of[used]] += delta
            v[used] -= delta
            least[~used] -= delta
            j0 = j1
        while j0:
            row_of[j0] = row_of[way[j0]]
            j0 = way[j0]
    return [(row_of[j] - 1, j - 1) for j in range(1, n + 1)
            if row_of[j] <= gain.shape[0] and j <= gain.shape[1]]


def rows(turns, n):
    names = sorted({t[2] for t in turns})
    out = np.zeros((max(1, len(names)), n), bool)
    for a, b, name, *_ in turns:
        out[names.index(name), round(a * RATE): round(b * RATE)] = True
    return out


def score(truth, found, seconds, collar_s):
    """Frames missed, falsely found, confused, and spoken; which of the found frames are right."""
    n = int(seconds * RATE) + 2
    scored = np.ones(n, bool)
    for a, b, _ in truth:
        for t in (a, b):
            scored[max(0, round((t - collar_s) * RATE)): round((t + collar_s) * RATE)] = not collar_s
    ref, hyp = rows(truth, n), rows(found, n)
    right = np.zeros((len(hyp), n), bool)
    for r, h in assign((ref[:, scored].astype(int)) @ hyp[:, scored].T.astype(int)):
        right[h] = ref[r] & hyp[h]
    n_ref, n_hyp = ref[:, scored].sum(0), hyp[:, scored].sum(0)
    confused = (np.minimum(n_ref, n_hyp) - right[:, scored].sum(0)).sum()
    numbers = np.array([np.maximum(n_ref - n_hyp, 0).sum(), np.maximum(n_hyp - n_ref, 0).sum(), confused,
                        n_ref.sum()])
    return numbers, right.any(0), scored


def overlap_score(truth, found, seconds):
    """Frames in which two speak and two were found; in which two speak; in which two were found."""
    n = int(seconds * RATE) + 2
    ref = rows(truth, n).sum(0) > 1
    hyp = np.zeros(n, bool)
    for a, b, _, _, is_overlap in found:
        if is_overlap:
            hyp[round(a * RATE): round(b * RATE)] = True
    return np.array([(ref & hyp).sum(), ref.sum(), hyp.sum()])


def measure_activity(truth, found):
    n = int(np.ceil(truth["seconds"] * RATE))
    is_found, is_speech, near = (np.zeros(n, bool) for _ in range(3))
    for a, b, kind in found["intervals"]:
        is_found[round(a * RATE): round(b * RATE)] = kind == "speech"
    n_lost = 0
    for a, b in truth["speech"]:
        is_speech[int(a * RATE): int(b * RATE)] = True
        near[max(0, int(a * RATE) - 50): int(b * RATE) + 50] = True
        n_lost += is_found[int(a * RATE): int(b * RATE)].mean() < 0.9
    return np.array([(is_found & is_speech).sum(), is_speech.sum(), (is_found & ~near).sum(), (~near).sum(),
                     n_lost, len(truth["speech"])])


def percent(a, b):
    return f"{100 * a / b:6.1f}" if b else "     -"


def report_activity(results, quiet):
    kinds = collections.defaultdict(lambda: np.zeros(6))
    for name, truth, found in results:
        numbers = measure_activity(truth, found)
        kinds[truth["kind"] if truth["speech"] else name.split("-")[1]] += numbers
        if not quiet:
            print(f"{name:24} found {percent(*numbers[:2])} %  false {percent(*numbers[2:4])} %  "
                  f"lost {numbers[4]:.0f} of {numbers[5]:.0f}")
    print(f"{'kind':16}{'found %':>9}{'lost':>12}{'false %':>9}{'speech s':>10}{'other s':>9}")
    for kind, x in kinds.items():
        print(f"{kind:16}{percent(*x[:2]):>9}{f'{x[4]:.0f} of {x[5]:.0f}':>12}{percent(*x[2:4]):>9}"
              f"{x[1] / RATE:10.0f}{x[3] / RATE:9.0f}")
    return kinds


def report_speakers(results, quiet):
    groups = collections.defaultdict(lambda: np.zeros(13))
    classes = collections.defaultdict(lambda: np.zeros(2))
    for name, truth, found in results:
        turns, seconds = found["turns"], truth["seconds"]
        n_true, n_found = len({t[2] for t in truth["turns"]}), len({t[2] for t in turns})
        with_collar, right, scored = score(truth["turns"], turns, seconds, 0.25)
        without, _, _ = score(truth["turns"], turns, seconds, 0)
        overlap = overlap_score(truth["turns"], turns, seconds)
        has_overlap = bool(overlap[1])
        manner = ", lively" if name.startswith("lively") else ", some overlap" if has_overlap else ""
        key = f"{n_true} voices{manner}" if n_true > 1 else "1 voice"
        groups[key] += np.r_[with_collar, without, overlap, n_true == n_found, 1]
        for a, b, _, margin, _ in turns:
            span = slice(round(a * RATE), round(b * RATE))
            kind = "sure" if margin >= SURE else "doubtful" if margin >= 0.1 else "off"
            classes[kind] += [(~right[span] & scored[span]).sum(), scored[span].sum()]
        if not quiet:
            print(f"{name:16} {n_true} voices, {n_found} found  error {percent(with_collar[:3].sum(), with_collar[3])} %"
                  f"  no collar {percent(without[:3].sum(), without[3])} %")
    print(f"{'recordings':24}{'n':>4}{'number right':>14}{'error %':>9}{'missed':>8}{'false':>7}{'confused':>10}{'no collar %':>13}"
          f"{'overlap found':>15}{'of marked':>11}")
    for key, x in sorted(groups.items()):
        print(f"{key:24}{x[12]:4.0f}{x[11]:14.0f}{percent(x[:3].sum(), x[3]):>9}{percent(x[0], x[3]):>8}"
              f"{percent(x[1], x[3]):>7}{percent(x[2], x[3]):>10}{percent(x[4:7].sum(), x[7]):>13}"
              f"{percent(x[8], x[9]):>15}{percent(x[8], x[10]):>11}")
    for kind, x in sorted(classes.items()):
        print(f"labels {kind:10} wrong {percent(*x)} % of {x[1] / RATE:.0f} s")
    return groups, classes


def check(activity, groups, classes):
    """What the suite promises; a list of what is broken."""
    broken = []
    for kind, x in activity.items():
        if x[1] and x[0] < 0.98 * x[1]:
            broken.append(f"{kind}: only {percent(*x[:2])} % of the speech is found")
        limit = 0.25 if kind == "music" else 0.01
        if not x[1] and x[2] > limit * x[3]:
            broken.append(f"{kind}: {percent(*x[2:4])} % is taken for speech")
    for key, x in groups.items():
        if x[:3].sum() > 0.2 * x[3]:
            broken.append(f"{key}: error {percent(x[:3].sum(), x[3])} %")
        if key == "1 voice" and x[11] < x[12]:
            broken.append("one voice is not one speaker")
    if "sure" in classes and classes["sure"][0] > 0.1 * classes["sure"][1]:
        broken.append("labels that are sure are wrong too often")
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    broken = []
    activity, groups, classes = {}, {}, {}
    for folder in sorted(p for p in options.corpus.iterdir() if p.is_dir()):
        files = sorted(folder.glob("*.wav"))
        out = subprocess.run([options.program.resolve(), *files], check=True, capture_output=True, text=True).stdout
        results = [(f.stem, json.loads(f.with_suffix(".json").read_text()), json.loads(line))
                   for f, line in zip(files, out.splitlines())]
        cpu = sum(r[2]["cpu_s"] for r in results)
        print(f"\n{folder.name}: {len(files)} recordings, {sum(r[1]['seconds'] for r in results):.0f} s, "
              f"{sum(r[1]['seconds'] for r in results) / cpu:.0f} times real time")
        if folder.name.startswith("activity"):
            activity = report_activity(results, options.quiet)
        else:
            groups, classes = report_speakers(results, options.quiet)
        broken += check(activity, groups, classes) if options.check else []
    for line in broken:
        print("broken:", line)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
