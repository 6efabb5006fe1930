#!/usr/bin/env python3
"""Where scenes begin: weft's frames and PySceneDetect's detectors on the same videos.

    tools/compare_scenes.py [--keep DIR] [--only NAME] BUILD

Needs numpy, scenedetect and opencv-python-headless, and the ffmpeg program. BUILD holds
tests/ingest/print_parts and ingest/weft-decode-av. Videos of known cuts, dissolves, fades and slides
are drawn from a fixed seed, encoded, and given to both. A boundary is found when one is told within
0.75 s of it; its error is the distance to the frame of a cut, to the middle of a dissolve, to the
stretch of black of a fade. What is told and matches nothing is extra.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, RATE = 640, 360, 25
NEAR_S = 0.75
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WORDS = ("budget revenue timing owner decision risk plan quarter team review open question next "
         "step deliver market figure total cost staff").split()


def texture(rng, width, height):
    """Something like a photograph: noise of all sizes, and a few hard edges."""
    picture = np.zeros((height, width, 3))
    for octave in range(2, 8):
        n = 2 ** octave
        small = rng.normal(size=(n + 1, n + 1, 3)) / n ** 0.8
        y = np.linspace(0, n, height, endpoint=False)
        x = np.linspace(0, n, width, endpoint=False)
        fy, fx = (y % 1)[:, None, None], (x % 1)[None, :, None]
        y, x = y.astype(int), x.astype(int)
        picture += ((small[y][:, x] * (1 - fx) + small[y][:, x + 1] * fx) * (1 - fy)
                    + (small[y + 1][:, x] * (1 - fx) + small[y + 1][:, x + 1] * fx) * fy)
    for _ in range(6):
        top, left = rng.integers(0, height - 80), rng.integers(0, width - 120)
        picture[top:top + rng.integers(20, 80), left:left + rng.integers(20, 120)] += rng.normal(size=3)
    low, high = np.percentile(picture, [1, 99])
    dark, bright = rng.uniform(10, 60), rng.uniform(160, 245)
    return np.clip((picture - low) / (high - low), 0, 1) * (bright - dark) + dark


def film(rng, seconds, speed=1.0):
    """A scene with a moving camera and a moving thing."""
    big = texture(rng, WIDTH + 400, HEIGHT + 240).astype(np.uint8)
    x, y = rng.uniform(100, 300), rng.uniform(60, 180)
    dx, dy = rng.normal(size=2) * 20 * speed / RATE
    bx, by = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
    vx, vy = rng.normal(size=2) * 90 * speed / RATE
    colour = rng.uniform(0, 255, 3)
    for _ in range(round(seconds * RATE)):
        left, top = int(np.clip(x, 0, 400)), int(np.clip(y, 0, 240))
        frame = big[top:top + HEIGHT, left:left + WIDTH].copy()
        bt, bl = int(by) % (HEIGHT - 60), int(bx) % (WIDTH - 60)
        frame[bt:bt + 60, bl:bl + 60] = colour
        yield frame
        x, y, bx, by = x + dx, y + dy, bx + vx, by + vy


def join(scenes, how, length_s):
    """One after the other; frames and the stretch of each boundary."""
    frames, truth = [], []
    n = round(length_s * RATE)
    for scene in scenes:
        scene = list(scene)
        if not frames:
            frames = scene
            continue
        at = len(frames)
        if how == "cut":
            truth.append((at / RATE, at / RATE))
        elif how == "dissolve":
            for i in range(n):
                share = (i + 1) / (n + 1)
                scene[i] = (frames[at - n + i] * (1 - share) + scene[i] * share).astype(np.uint8)
            del frames[at - n:]
            truth.append(((at - n / 2) / RATE,) * 2)
        else:
            for i in range(n):
                frames[at - n + i] = (frames[at - n + i] * (1 - (i + 1) / n)).astype(np.uint8)
                scene[i] = (scene[i] * (i / n)).astype(np.uint8)
            black = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 10
            scene = black + scene
            truth.append(((at - 1) / RATE, (at + len(black) + 1) / RATE))
        frames += scene
    return frames, truth


def write(path, frames, arguments=""):
    process = subprocess.Popen(
        f"ffmpeg -loglevel error -y -f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -r {RATE} -i - "
        f"{arguments} -c:v libx264 -preset veryfast -crf 24 -pix_fmt yuv420p {path}".split(),
        stdin=subprocess.PIPE)
    for frame in frames:
        process.stdin.write(frame.tobytes())
    process.stdin.close()
    if process.wait() != 0:
        sys.exit(f"{path}: ffmpeg")


def lengths(rng, n):
    return [round(rng.uniform(2.5, 5) * RATE) / RATE for _ in range(n)]


def make_cuts(rng, path):
    frames, truth = join([film(rng, s) for s in lengths(rng, 12)], "cut", 0)
    write(path, frames)
    return truth


def make_fast(rng, path):
    frames, truth = join([film(rng, s, 4) for s in lengths(rng, 12)], "cut", 0)
    write(path, frames)
    return truth


def make_dissolves(rng, path):
    frames, truth = join([film(rng, s, 0.5) for s in lengths(rng, 10)], "dissolve", 1)
    write(path, frames)
    return truth


def make_fades(rng, path):
    frames, truth = join([film(rng, s) for s in lengths(rng, 10)], "fade", 0.6)
    write(path, frames)
    return truth


def make_dropped(rng, path):
    """Half of the frames are missing, times stay: a variable frame rate."""
    frames, truth = join([film(rng, s) for s in lengths(rng, 12)], "cut", 0)
    rule = "lt(mod(n*n*7+n*3\\,11)\\,4)"
    write(path, frames, f"-vf select={rule} -vsync vfr")
    times = np.array([n for n in range(len(frames)) if (n * n * 7 + n * 3) % 11 < 4]) / RATE
    return [(float(times[np.searchsorted(times, t - 1e-6)]),) * 2 for t, _ in truth]


def slide_filter(rng, n, seconds):
    """Slides of one layout; each second one only adds a line to the one before it."""
    draws, truth = [], []
    lines = []
    for i in range(n):
        fresh = [" ".join(rng.choice(WORDS, 5)) for _ in range(1 if i % 2 else 5)]
        lines = lines + fresh if i % 2 else fresh
        for row, line in enumerate(lines):
            draws.append(f"drawtext=fontfile={FONT}:text='{line}':x=40:y={40 + 44 * row}:fontsize=22:"
                         f"enable='gte(t,{i * seconds})*lt(t,{(i + 1) * seconds})'")
        if i:
            truth.append((i * seconds, i * seconds))
    return ",".join(draws), truth


def make_slides(rng, path, more=""):
    draws, truth = slide_filter(rng, 10, 4)
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
                    f"color=white:s={WIDTH}x{HEIGHT}:r={RATE}:d=40,{draws}{more}", "-c:v", "libx264", "-preset",
                    "veryfast", "-crf", "28", str(path)], check=True)
    return truth


def make_inset(rng, path):
    """The same with somebody in the corner."""
    face = path.with_suffix(".face.mkv")
    write(face, film(rng, 40, 2))
    draws, truth = slide_filter(rng, 10, 4)
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
                    f"color=white:s={WIDTH}x{HEIGHT}:r={RATE}:d=40,{draws}", "-i", str(face), "-filter_complex",
                    "[1]scale=160:90[f];[0][f]overlay=470:260", "-c:v", "libx264", "-preset", "veryfast",
                    "-crf", "28", str(path)], check=True)
    face.unlink()
    return truth


def make_none(rng, path):
    """One scene, camera and thing moving: nothing is to be found."""
    write(path, film(rng, 40, 0.7))
    return []


VIDEOS = {"cuts": make_cuts, "fast motion": make_fast, "dropped frames": make_dropped,
          "dissolves": make_dissolves, "fades": make_fades, "slides": make_slides,
          "slides and speaker": make_inset, "one scene": make_none}


def weft(build, path):
    out = subprocess.run([build / "tests/ingest/print_parts", build / "ingest", path, "--interval", "0"],
                         capture_output=True, text=True, check=True).stdout
    begins = [float(m[1]) for m in re.finditer(
        r"^(?:frame|content (?:frame|blank)).*\((\d+\.\d+) ", out, re.M)]
    return [t for t in begins if t > 0]


def peer(detector):
    def detect(_, path):
        import scenedetect
        found = scenedetect.detect(str(path), getattr(scenedetect, detector)())
        return [scene[0].seconds for scene in found[1:]]
    return detect


TOOLS = {"weft": weft, "ContentDetector": peer("ContentDetector"),
         "AdaptiveDetector": peer("AdaptiveDetector"), "ThresholdDetector": peer("ThresholdDetector")}


def distance(stretch, t):
    return max(stretch[0] - t, t - stretch[1], 0)


def judge(truth, told):
    found, errors = 0, []
    for stretch in truth:
        nearest = min((distance(stretch, t) for t in told), default=np.inf)
        if nearest <= NEAR_S:
            found += 1
            errors.append(nearest)
    extra = sum(all(distance(stretch, t) > NEAR_S for stretch in truth) for t in told)
    return found, extra, float(np.mean(errors)) if errors else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only")
    parser.add_argument("build", type=Path)
    arguments = parser.parse_args()
    print(f"| video | boundaries | {' | '.join(TOOLS)} |\n| --- | --- |{' --- |' * len(TOOLS)}")
    with tempfile.TemporaryDirectory() as folder:
        folder = arguments.keep or Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for seed, (name, make) in enumerate(VIDEOS.items()):
            if arguments.only and arguments.only != name:
                continue
            path = (folder / name.replace(" ", "-")).with_suffix(".mkv")
            truth = make(np.random.default_rng(seed + 1), path)
            cells = []
            for detect in TOOLS.values():
                begin = time.process_time()
                told = detect(arguments.build, path)
                found, extra, error = judge(truth, told)
                cells.append(f"{found}, {extra} extra" + (f", {error * 1e3:.0f} ms" if error is not None else ""))
                if arguments.only:
                    print(told, time.process_time() - begin, file=sys.stderr)
            if arguments.only:
                print(truth, file=sys.stderr)
            print(f"| {name} | {len(truth)} | {' | '.join(cells)} |", flush=True)


main()
