#!/usr/bin/env python3
"""Word error rates of weft and of openai/whisper with the same weights on the same recordings.

Usage: compare_whisper.py [--build DIR] [--weft] [--beam N] [--language CODE] FOLDER RECORDING...

FOLDER is a Whisper checkpoint as transformers writes it, with model.safetensors and a tokenizer.json
of its own: tests/golden/hear, or one that was trained. RECORDING.wav is 16 kHz, 16 bit, one channel;
RECORDING.txt beside it is what is said, else openai/whisper's own text stands for it. Prints for each
recording and for all together: words said, word errors of openai/whisper, of weft by the same rules
(DIR/tests/encoders/hear_file), and with --weft of `weft run -t transcript`, which besides leaves out
what nobody said. Needs openai-whisper, torch, safetensors and tiktoken; draws are weft's in both.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import wave

import numpy as np

from make_golden_hear import Reference


def read(path):
    with wave.open(path) as w:
        if (w.getframerate(), w.getnchannels(), w.getsampwidth()) != (16000, 1, 2):
            sys.exit(f"{path}: not 16 kHz, 16 bit, one channel")
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768


def words(text):
    return re.findall(r"\S+", text.casefold())


def errors(said, heard):
    """Least number of words put in, left out or changed."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def run_weft(args, path):
    with tempfile.TemporaryDirectory() as out:
        options = ["--language", args.language] if args.language else []
        subprocess.run([os.path.join(args.build, "cli", "weft"), "run", "-q", "-t", "transcript",
                        "--audio", args.folder, "-o", out, *options, path], check=True)
        record, = glob.glob(os.path.join(out, "records", "*", "*.json"))
        with open(record) as f:
            return "\n".join(c["text"] for c in json.load(f)["content"]
                             if c["kind"] == "speech" and c["text"])


def run_rules(args, samples):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "samples.npy")
        np.save(path, samples)
        command = [os.path.join(args.build, "tests", "encoders", "hear_file"), args.folder, path,
                   str(args.beam), *([args.language] if args.language else [])]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--weft", action="store_true")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--language")
    parser.add_argument("folder")
    parser.add_argument("recordings", nargs="+")
    args = parser.parse_args()
    reference = Reference(args.folder)
    names = ["openai-whisper", "weft, same rules"] + (["weft run"] if args.weft else [])
    sums = {name: 0 for name in names}
    n_said = 0
    for path in args.recordings:
        samples = read(path)
        beam = {"beam_size": args.beam, "best_of": 1} if args.beam > 1 else {}
        result = reference.transcribe(samples, language=args.language, **beam)
        heard = {"openai-whisper": "\n".join(s["text"] for s in result["segments"]),
                 "weft, same rules": run_rules(args, samples)}
        if args.weft:
            heard["weft run"] = run_weft(args, path)
        text = os.path.splitext(path)[0] + ".txt"
        said = words(open(text).read() if os.path.exists(text) else heard["openai-whisper"])
        n_said += len(said)
        line = []
        for name in names:
            n = errors(said, words(heard[name]))
            sums[name] += n
            line.append(f"{name} {n}")
        print(f"{path}: {len(said)} words; errors: {', '.join(line)}", flush=True)
    for name in names:
        print(f"{name}: {100 * sums[name] / max(n_said, 1):.2f} % of {n_said} words")


if __name__ == "__main__":
    main()
