"""What a trained checkpoint can do, on papers and pictures that it has not seen.

    evaluate.py default [--papers 240] [--pictures 240] [--size 500] [--recordings 300 --weft build/cli/weft]

The argument is an exported folder or what train.py wrote.

A value counts as right when every byte of it would be chosen (greedy decoding gives it then); its confidence is the
geometric mean of the probabilities of its bytes, as in weft's records. The table says, for each threshold, how many
of the values that stand in the paper are still given, and how many of the given ones are right.

Recordings go through weft itself, as files, so with its cutting of sound and its schema: voices, accents and sentences
that the ears were not trained on.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import tempfile
import wave

import numpy as np
import torch
from safetensors.torch import load_file

import data
import sounds
import train
from export import ID, VOCAB
import model as M

FIELDS = ("title", "kind", "date", "language")


def value_ranges(answer):
    """Field -> (first, end, is_null) byte range of its value in the compact JSON."""
    out = {}
    for field in FIELDS:
        first = answer.index(f'"{field}":'.encode()) + len(field) + 3
        if answer[first:first + 4] == b"null":
            out[field] = (first, first + 4, True)
        else:
            end = first + 1
            while answer[end] != 0x22 or answer[end - 1] == 0x5C:
                end += 1
            out[field] = (first, end + 1, False)
    return out


@torch.no_grad()
def papers(weft, n, size, rng):
    prefix, results = train.prefix(data.index_prompt()), {f: [] for f in FIELDS}
    for _ in range(n // 12):
        drawn = [data.paper(rng, rng.randint(0, size)) for _ in range(12)]
        answers = [data.card_json(card).encode() for _, card in drawn]
        ids, weight = train.rows([(b"<document>\n" + t.encode() + b"\n</document>", a) for (t, _), a in zip(drawn, answers)])
        logits, _ = weft.language_model(prefix, weft.language_model.model.embed_tokens(ids))
        p = torch.log_softmax(logits[:, :-1, :256], -1)
        for i, answer in enumerate(answers):
            start = int((weight[i] == 1).nonzero()[0])
            for field, (first, end, is_null) in value_ranges(answer).items():
                at = torch.arange(start + first, start + end) - 1
                best = p[i, at].argmax(-1)
                right = bool((best == ids[i, at + 1]).all())
                results[field].append((is_null, bool(best[0] == ord("n")), right, float(p[i, at].max(-1).values.mean().exp())))
    return results


@torch.no_grad()
def picture_error(weft, n, rng):
    """Share of characters that would be chosen wrongly, each after the right ones before it."""
    pictures, wrong, total = data.Pictures(), 0, 0
    prefix = train.prefix(train.READ_PROMPT)
    for _ in range(n // 24):
        tiles, ids, weight, _ = train.picture_batch(rng, pictures, 24, 4)
        x = weft.language_model.model.embed_tokens(ids)
        x = x.masked_scatter((ids == ID["<|patch|>"]).unsqueeze(-1), weft.see(tiles))
        best = weft.language_model(prefix, x)[0][:, :-1].argmax(-1)
        mask = weight[:, 1:] == 1
        wrong += int(((best != ids[:, 1:]) & mask).sum())
        total += int(mask.sum())
    return wrong / total


def write_recordings(folder, n, rng):
    """File name -> (language, or None; what it is). Every fifth speaks another language, and as many hold no speech."""
    truth = {}
    clips = [(k, "speech" if k else "another language", s / 32768) for k, s in sounds.voices_file(None, n, True, 987654321)]
    clips += [(None, "no speech", sounds.no_speech(rng, rng.randint(4, 14) * sounds.RATE)) for _ in range(n // 5)]
    for i, (language, what, x) in enumerate(clips):
        x = sounds.damage(rng, x) if i % 2 else x / np.abs(x).max() / 2
        with wave.open(str(folder / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, sounds.RATE, 0, "NONE", "not compressed"))
            file.writeframes((x * 32767).astype("<i2").tobytes())
        truth[f"{i}.wav"] = (language, what if i % 2 == 0 or what == "no speech" else what + ", damaged")
    return truth


def recordings(bundle, weft, n, rng):
    """Prints what the cards of made-up recordings say of them, at the bundle's own threshold and without."""
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        (temp / "in").mkdir()
        truth = write_recordings(temp / "in", n, rng)
        copy = shutil.copytree(bundle, temp / "copy")
        config = json.loads((copy / "config.json").read_text())
        for threshold in (0, config["weft"]["answer_confidence_min"]):
            config["weft"]["answer_confidence_min"] = threshold
            (copy / "config.json").write_text(json.dumps(config))
            subprocess.run([weft, "run", "-q", "-m", copy, "-t", "index", "-o", temp / f"out{threshold}", temp / "in"],
                           stderr=subprocess.DEVNULL)
            rows = {}
            for path in (temp / f"out{threshold}/records").rglob("*.json"):
                record = json.loads(path.read_text())
                language, what = truth[pathlib.Path(record["source"]["paths"][0]).name]
                answer = record["answer"]
                rows.setdefault(what, []).append((answer["kind"], answer["language"], language,
                                                  any(v for k, v in answer.items() if k not in ("kind", "language"))))
            for what, found in sorted(rows.items()):
                given = [f for f in found if f[1]]
                kinds = [f for f in found if f[0]]
                print(f"{threshold:9.2f}   {what}: {len(found)}; kind given {len(kinds) / len(found):.2f}, right "
                      f"{sum(f[0] == 'recording' for f in kinds) / max(len(kinds), 1):.2f}; language given "
                      f"{len(given) / len(found):.2f}, right {sum(f[1] == f[2] for f in given) / max(len(given), 1):.2f}; "
                      f"any other value {sum(f[3] for f in found) / len(found):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--papers", type=int, default=240)
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--recordings", type=int, default=300)
    parser.add_argument("--weft", type=pathlib.Path, help="the program, for the recordings")
    args = parser.parse_args()
    if args.weft:
        recordings(args.checkpoint, args.weft, args.recordings, random.Random(987654321))
    if not args.papers:
        return
    weft = M.Weft(VOCAB)
    if args.checkpoint.is_dir():
        state = load_file(args.checkpoint / "model.safetensors")
    else:
        state = torch.load(args.checkpoint, weights_only=True)["state"]
    weft.load_state_dict({k: v.float() for k, v in state.items() if not k.startswith("align")})
    rng = random.Random(987654321)
    results = papers(weft, args.papers, args.size, rng)
    print("threshold   " + "   ".join(f"{f:>9}: given right" for f in FIELDS))
    for threshold in (0, 0.5, 0.8, 0.9, 0.95, 0.99):
        cells = []
        for field in FIELDS:
            stated = sum(not null for null, *_ in results[field])
            given = [r for r in results[field] if not r[1] and r[3] >= threshold]
            right = sum(r[2] and not r[0] for r in given)
            cells.append(f"{len(given) / max(stated, 1):17.2f} {right / max(len(given), 1):5.2f}")
        print(f"{threshold:9.2f}   " + "   ".join(cells))
    print(f"pictures: {picture_error(weft, args.pictures, rng):.3f} of the characters wrong")


if __name__ == "__main__":
    main()
