"""Trains the ears of the shipped bundle: the backbone stays as it is.

    train_ears.py --minutes 45 -o ears.pt [--bundle default] [--voices train.npz] [--resume ears.pt]

First the encoder alone, with a head that names the language of the whole clip (thrown away at export); then, with that
head beside it, what the backbone writes on the card of a recording: its language, null for any other and for no speech.
Beside some of the sound stands text, as captions and slides do; what is true of it stays true.
"""
import argparse
import pathlib
import random
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

import data
import ears as E
import evaluate
import model as M
import sounds
import train
from export import ID, VOCAB

ROW = VOCAB - 1  # stands for a row of sound; no text has it
SURE = 0.88  # of the head, about a language that the card is to name
NAMES = (*sounds.LANGUAGES, "another language", "no speech")


def backbone(folder):
    weft = M.Weft(VOCAB)
    weft.load_state_dict({k: v.float() for k, v in load_file(pathlib.Path(folder) / "model.safetensors").items()})
    for p in weft.parameters():
        p.requires_grad_(False)
    return weft


def blank_card(language):
    """No kind: the backbone never wrote "recording", and learns no word while it is frozen."""
    card = dict.fromkeys(("title", "kind", "date", "language", "people", "organisations", "summary"))
    return {**card, "language": language}


def recording(rng, voices, seconds, n_clips):
    """Clips of one language with the seconds at which they begin, that language, and its number among NAMES."""
    language, is_speech, first = sounds.clip(rng, voices, seconds)
    clips, same = [(0.0 if rng.random() < 0.6 else rng.uniform(0, 4), first)], [v for v in voices if v[0] == language]
    while len(clips) < n_clips:
        start = clips[-1][0] + len(clips[-1][1]) / sounds.RATE + rng.uniform(0.5, 3)
        n = int(seconds * sounds.RATE)
        x = rng.choice(same)[1][:n] / 32768 if is_speech else sounds.no_speech(rng, n)
        clips.append((start, sounds.damage(rng, x)))
    return clips, language, NAMES.index(language) if language else 4 if is_speech else 5


def beside(rng, language, end_s):
    """Lines of a paper that stand beside the sound, with the card that says what is true of them."""
    while True:
        text, card = data.paper(rng, rng.randint(0, 160))
        if card["language"] == language and "[p." not in text:
            break
    lines = text.encode().split(b"\n")
    return list(zip(sorted(rng.uniform(0, end_s) for _ in lines), lines)), card


def stated(rng, language, card):
    """What the file says about itself, as weft tells it before all else."""
    lines = []
    if rng.random() < 0.6:
        card["title"] = data.title(rng, rng.choice((language or "en", "en")))
        lines.append(f"title: {card['title']}\n")
    if rng.random() < 0.6:
        lines.append(f"author: {data.name(rng)} {data.name(rng)}\n")
    return "".join(lines).encode()


def request(clips, lines, before=b""):
    """The user's turn, with ROW where a row of sound stands. Rows are in the order of the clips."""
    n_frames = [max(-(-len(x) // E.HOP), 2) for _, x in clips]
    rows = [(start, -(-n // (2 * E.PROJECTOR["stack_factor"]))) for (start, _), n in zip(clips, n_frames)]
    return [*b"<document>\n", *before, *E.document(rows + lines, ROW), *b"</document>"]


def cards(rng, drawn, is_sure):
    """Requests about these recordings, each with its card as far as the language -> ids [B, L], weight.

    The card names a language that the head beside the encoder is sure of, and rightly; else it is null."""
    pairs = []
    for (clips, language, _), sure in zip(drawn, is_sure):
        lines, card = [], blank_card(language if sure else None)
        if rng.random() < 0.45:  # what is written counts, whatever is said
            lines, card = beside(rng, language or rng.choice(sounds.LANGUAGES), clips[-1][0] + 2)
        before = stated(rng, language, card) if rng.random() < 0.25 else b""
        answer = data.card_json(card).encode()
        pairs.append((request(clips, lines, before), answer[:evaluate.value_ranges(answer)["language"][1]]))
    ids, weight = train.rows(pairs)
    weight[weight < 1] = 0
    for i, (_, answer) in enumerate(pairs):  # what this is about stands at the end
        start = int((weight[i] == 1).nonzero()[0])
        first = answer.rindex(b":") + 1
        weight[i, start:] *= 0.3
        weight[i, start + first:start + len(answer)] = 4
        weight[i, start + len(answer):] = 0
    return ids, weight


def hide(rng):
    """Some bands and moments are not heard, so that nothing hangs on one of them."""
    def change(mel):
        mel = mel.clone()
        for m in mel:
            for axis, most in ((0, 12), (1, 30)):
                for _ in range(2):
                    size = rng.randint(0, most)
                    at = rng.randint(0, max(0, m.shape[axis] - size))
                    m.narrow(axis, at, min(size, m.shape[axis] - at)).zero_()
        return mel
    return change


def head_loss(head, frames, heard, classes):
    logits = head((frames * heard.unsqueeze(-1)).sum(1) / heard.sum(1, keepdim=True))
    sure = logits.detach().softmax(-1).gather(1, classes[:, None])[:, 0]
    return F.cross_entropy(logits, classes), (logits.argmax(-1) == classes).float().mean(), sure


def card_loss(frozen, weft, ids, weight, rows):
    x = weft.language_model.model.embed_tokens(ids.where(ids != ROW, torch.zeros_like(ids)))
    x = x.masked_scatter((ids == ROW).unsqueeze(-1), torch.cat(rows))
    logits = frozen(x)[:, :-1]
    loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    weight = weight[:, 1:].flatten()
    right = (logits.argmax(-1) == ids[:, 1:]).flatten()[weight == 4].float().mean()
    return (loss * weight).sum() / weight.sum(), right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--alone", type=float, default=0.35, help="share of the time in which the encoder learns alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak of the learning rate")
    parser.add_argument("--bundle", default=data.ROOT / "default")
    parser.add_argument("--voices", default="voices.npz", help="where the spoken clips are kept")
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--resume")
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    weft, ears = backbone(args.bundle), E.Ears()
    ears.head = nn.Linear(E.AUDIO["d_model"], len(NAMES))
    if args.resume:
        ears.load_state_dict(torch.load(args.resume, weights_only=True))
    voices = sounds.voices_file(args.voices, args.clips, False, args.seed)
    frozen = E.Frozen(weft, train.prefix(data.index_prompt()))
    known = [p for k, p in ears.named_parameters() if p.requires_grad and not k.startswith("multi")]
    optimiser = torch.optim.AdamW([{"params": known}, {"params": ears.multi_modal_projector.parameters()}], lr=1e-3,
                                  betas=(0.9, 0.98), weight_decay=0.01)
    start, step, told = time.time(), 0, {}
    while (part := (time.time() - start) / 60 / args.minutes) < 1:
        is_alone, draw = part < args.alone, rng.random()
        for group, share in zip(optimiser.param_groups, (1 if is_alone else 0.2, 1)):
            group["lr"] = args.rate * share * min(1, (step + 1) / 100) * max(0.02, 1 - part)
        n, seconds, n_clips = (16, 5, 1) if draw < 0.6 else (8, 10, 1) if draw < 0.85 else (3, 9, rng.randint(2, 5))
        n = n if is_alone else (n + 1) // 2
        drawn = [recording(rng, voices, seconds * rng.uniform(0.6, 1), n_clips) for _ in range(n)]
        frames, heard, lengths = ears.encode([x for clips, _, _ in drawn for _, x in clips], hide(rng))
        classes = torch.tensor([number for _, _, number in drawn]).repeat_interleave(n_clips)
        loss, right, sure = head_loss(ears.head, frames, heard, classes)
        told.setdefault("alone", []).append((loss.item(), right.item()))
        if not is_alone:
            ids, weight = cards(rng, drawn, (sure.view(n, n_clips).mean(1) > SURE).tolist())
            card, right = card_loss(frozen, weft, ids, weight, ears.project(frames, lengths))
            told.setdefault("cards", []).append((card.item(), right.item()))
            loss = 0.5 * loss + card
        loss.backward()
        nn.utils.clip_grad_norm_(ears.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        if step % 25 == 0:
            text = "".join(f"  {k}: loss {sum(l for l, _ in v) / len(v):.3f} right {sum(r for _, r in v) / len(v):.3f}"
                           for k, v in sorted(told.items()))
            print(f"{(time.time() - start) / 60:.1f} min  step {step}{text}", flush=True)
            told = {}
            torch.save(ears.state_dict(), args.output)
    torch.save(ears.state_dict(), args.output)


if __name__ == "__main__":
    main()
