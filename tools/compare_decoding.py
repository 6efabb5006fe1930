#!/usr/bin/env python3
"""How fast recordings become 16 kHz mono: weft's decoder and the ffmpeg tool on the same files.

    tools/compare_decoding.py [--minutes N] BUILD

Prints seconds of sound per second of processor time (all processes of each together), the better of two
turns. BUILD holds tests/ingest/print_parts and ingest/weft-decode-av.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

FORMATS = {"wav": "-c:a pcm_s16le -ar 44100 -ac 2", "flac": "-ar 44100 -ac 2", "mp3": "-b:a 128k -ar 44100 -ac 2",
           "m4a": "-c:a aac -b:a 96k -ar 44100 -ac 2", "opus": "-c:a libopus -b:a 48k"}
SOUND = ("aevalsrc='(0.3*sin(2*PI*(200+80*sin(3*t))*t)+0.1*sin(2*PI*1900*t)+0.02*random(0))"
         "*gt(sin(1.3*t)\\,-0.6)':s=44100:d={}")


def cost(command):
    """Processor seconds of it and its children."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]}: status {status}")
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("build", type=Path)
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    print("| format | ffmpeg | weft |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", SOUND.format(60), source],
                       check=True)
        for name, output in FORMATS.items():
            path = Path(folder) / f"sound.{name}"
            subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-stream_loop", str(arguments.minutes - 1),
                            "-i", source, *output.split(), path], check=True)
            peer = ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-i", path, "-f", "f32le", "-ar",
                    "16000", "-ac", "1", "-"]
            ours = [arguments.build / "tests/ingest/print_parts", arguments.build / "ingest", path, "--timeout", "600"]
            turns = [(cost(peer), cost(ours)) for _ in range(2)]
            best = [min(turn[k] for turn in turns) for k in range(2)]
            print(f"| {name} | {seconds / best[0]:.0f} | {seconds / best[1]:.0f} |", flush=True)
            path.unlink()


main()
