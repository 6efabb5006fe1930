#!/usr/bin/env python3
"""Goes on with the fuzzing: every target for some minutes, where it was left, with the time written down.

    tools/fuzz.py [--minutes 10] [--build build-fuzz] [--work fuzz-work] [TARGET ...]

Builds the targets with clang, libFuzzer, ASan and UBSan, runs each for so many CPU minutes over its
corpus in tests/fuzz/corpus and what earlier calls found (fuzz-work/TARGET, not in git), and adds the
time and the runs to docs/fuzzing.tsv; docs/reliability.md explains the columns. An input that breaks
something is kept in fuzz-work/TARGET.found: mend it, then move it into tests/fuzz/corpus/TARGET, which
every `sh tests/run.sh` replays. Exit 1 when something was found.
"""
import argparse
import datetime
import os
import pathlib
import re
import resource
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
TABLE = SOURCE / "docs/fuzzing.tsv"
COLUMNS = ("target", "cpu_minutes", "runs", "edges", "inputs", "last")
INPUT_BYTES_MAX = {"pdf": 1 << 15, "av": 1 << 16, "picture": 1 << 15}


def build(folder, wanted):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "-Dtests=enabled", "-Dfuzzers=true",
                        "-Dbuildtype=debugoptimized", "-Db_sanitize=address,undefined",
                        "-Db_lundef=false"],
                       cwd=SOURCE, check=True, env={**os.environ, "CC": "clang"})
    listed = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], check=True,
                            capture_output=True, text=True).stdout
    names = sorted(set(re.findall(r"^tests/fuzz/fuzz_(\w+): ", listed, re.MULTILINE)))
    programs = {name: f"tests/fuzz/fuzz_{name}" for name in wanted or names}
    subprocess.run(["ninja", "-C", folder, *programs.values()], check=True,
                   stdout=subprocess.DEVNULL)
    return {name: folder / program for name, program in programs.items()}


def read_table():
    rows = {}
    for line in TABLE.read_text().splitlines()[1:] if TABLE.exists() else []:
        row = dict(zip(COLUMNS, line.split("\t")))
        rows[row["target"]] = row
    return rows


def write_table(rows):
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(str(rows[name][column]) for column in COLUMNS) for name in sorted(rows)]
    TABLE.write_text("\n".join(lines) + "\n")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def fuzz(name, program, work, seconds):
    """Runs until the CPU time is used up; libFuzzer counts by the clock, so it may take some calls."""
    corpus, found = work / name, work / f"{name}.found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    begin, runs, edges, is_broken = cpu_seconds(), 0, 0, False
    while not is_broken and (left := seconds - (cpu_seconds() - begin)) > 1:
        done = subprocess.run(
            [program, f"-max_total_time={max(2, int(left))}", "-timeout=60", "-rss_limit_mb=3000",
             f"-max_len={INPUT_BYTES_MAX.get(name, 1 << 14)}", f"-artifact_prefix={found}/",
             "-print_final_stats=1", corpus, SOURCE / "tests/fuzz/corpus" / name],
            cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        log = done.stderr.decode("utf-8", "replace")
        (work / f"{name}.log").write_text(log)
        runs += int((re.findall(r"stat::number_of_executed_units: (\d+)", log) or [0])[-1])
        edges = int((re.findall(r"cov: (\d+)", log) or [0])[-1])
        is_broken = done.returncode != 0
    return cpu_seconds() - begin, runs, edges, len(list(corpus.iterdir())), is_broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build-fuzz")
    parser.add_argument("--work", type=pathlib.Path, default=SOURCE / "fuzz-work")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    wanted = parser.parse_args()
    programs = build(wanted.build.resolve(), wanted.targets)
    work = wanted.work.resolve()
    broken = []
    for name in programs:
        seconds, runs, edges, inputs, is_broken = fuzz(name, programs[name], work,
                                                       wanted.minutes * 60)
        rows = read_table()
        row = rows.get(name, {"cpu_minutes": 0, "runs": 0})
        rows[name] = {"target": name, "runs": int(row["runs"]) + runs, "edges": edges,
                      "cpu_minutes": round(float(row["cpu_minutes"]) + seconds / 60, 1),
                      "inputs": inputs, "last": datetime.date.today().isoformat()}
        write_table(rows)
        print(f"{name}: {seconds / 60:.1f} CPU minutes, {runs} runs"
              f"{', BROKEN: ' + str(work / (name + '.found')) if is_broken else ''}", flush=True)
        if is_broken:
            broken.append(name)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
