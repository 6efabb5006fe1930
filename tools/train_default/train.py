"""Trains the shipped bundle from scratch.

    train.py --minutes 60 -o trained.pt [--resume trained.pt]

Each step takes a batch of papers with their archive cards (the system turn is shared and computed once), or at first more
often of papers to be copied, and a batch of pictures with the text to be read in them. Pictures carry an alignment loss: a linear head on each image
token names the letters in its own pixels. Without it the decoder learns to write before it learns to see; the
head is thrown away at export.
"""
import argparse
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import model as M
from export import ID, VOCAB

ECHO_PROMPT = "Copy the document."
READ_PROMPT = "Write down the text in the picture, line by line."


def turn(role, text):
    return [ID["<|header_start|>"], *role.encode(), ID["<|header_end|>"], *b"\n\n", *text, ID["<|eot|>"]]


def prefix(system):
    return torch.tensor([ID["<|begin_of_text|>"], *turn("system", system.encode())])


def rows(pairs):
    """[(user ids, answer ids)] -> ids [B, L], weight [B, L] of each position as a target."""
    out = []
    for user, answer in pairs:
        head = turn("user", user) + [ID["<|header_start|>"], *b"assistant", ID["<|header_end|>"], *b"\n\n"]
        out.append((head, [*answer, ID["<|eot|>"]]))
    length = max(len(h) + len(a) for h, a in out)
    ids = torch.full((len(out), length), ID["<|finetune_right_pad|>"])
    weight = torch.zeros(len(out), length)
    for i, (head, answer) in enumerate(out):
        ids[i, :len(head) + len(answer)] = torch.tensor(head + answer)
        weight[i, 1:len(head)] = 0.05
        weight[i, len(head):len(head) + len(answer)] = 1
    weight[ids == ID["<|patch|>"]] = 0
    return ids, weight


def token_loss(logits, ids, weight):
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    weight = weight[:, 1:].flatten()
    right = (logits[:, :-1].flatten(0, 1).argmax(-1) == ids[:, 1:].flatten())[weight == 1].float().mean()
    return (loss * weight).sum() / weight.sum(), right


def paper_batch(rng, n, size):
    pairs = []
    for _ in range(n):
        text, card = data.paper(rng, rng.randint(0, size))
        pairs.append((b"<document>\n" + text.encode() + b"\n</document>", data.card_json(card).encode()))
    return rows(pairs)


def echo_batch(rng, n, size):
    """Copying random strings teaches the heads to find and follow a place; cards are learned on top of it."""
    pairs = []
    for _ in range(n):
        text = "\n".join(" ".join(data.random_word(rng) for _ in range(rng.randint(1, 5)))
                         for _ in range(rng.randint(1, size))).encode()
        pairs.append((b"<document>\n" + text + b"\n</document>", text))
    return rows(pairs)


def picture_batch(rng, pictures, n, n_lines):
    drawn = [pictures.draw(rng, rng.randint(1, n_lines)) for _ in range(n)]
    image = [ID["<|image_start|>"], ID["<|image|>"], *[ID["<|patch|>"]] * M.TILE_TOKENS, ID["<|image_end|>"]]
    ids, weight = rows([([*b"<document>\n", *image, *b"\n</document>"], text.encode()) for _, text, _ in drawn])
    return (torch.from_numpy(np.stack([t for t, _, _ in drawn])).float(), ids, weight,
            torch.from_numpy(np.stack([l for _, _, l in drawn])))


def picture_loss(weft, align, tiles, ids, weight, labels, read_prefix):
    seen = weft.see(tiles)
    x = weft.language_model.model.embed_tokens(ids)
    x = x.masked_scatter((ids == ID["<|patch|>"]).unsqueeze(-1), seen)
    logits, balance = weft.language_model(read_prefix, x)
    loss, right = token_loss(logits, ids, weight)
    names = align(seen).unflatten(-1, (6, 256))
    return loss + F.cross_entropy(names.flatten(0, 2), labels.flatten()) + 0.02 * balance, loss, right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak of the learning rate")
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    weft = M.Weft(VOCAB)
    weft.align = nn.Linear(M.TEXT["hidden_size"], 6 * 256)
    if args.resume:
        weft.load_state_dict(torch.load(args.resume, weights_only=True)["state"])
    pictures = data.Pictures()
    index_prefix, echo_prefix, read_prefix = (prefix(p) for p in (data.index_prompt(), ECHO_PROMPT, READ_PROMPT))
    optimiser = torch.optim.AdamW(weft.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    start, step, seen_text = time.time(), 0, {}
    while (part := (time.time() - start) / 60 / args.minutes) < 1:
        for group in optimiser.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 100) * max(0.02, 1 - part)
        is_echo = part < 0.04 or rng.random() < 0.5 - 0.4 * part
        ids, weight = echo_batch(rng, 32, 1 + int(15 * max(0, part - 0.1))) if is_echo else paper_batch(rng, 12, int(60 + 500 * part))
        logits, balance = weft.language_model(echo_prefix if is_echo else index_prefix,
                                              weft.language_model.model.embed_tokens(ids))
        loss, right = token_loss(logits, ids, weight)
        (loss + 0.02 * balance).backward()
        seen_text["echoes" if is_echo else "cards"] = (loss.item(), right.item(), balance.item())
        if step % 2 == 0 and part > 0.04:  # papers are what a short training can learn
            see, read, read_right = picture_loss(weft, weft.align, *picture_batch(rng, pictures, 24, 1 + int(3.99 * part)),
                                                read_prefix)
            see.backward()
        nn.utils.clip_grad_norm_(weft.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        if step % 20 == 0:
            text = "".join(f"  {k}: loss {l:.3f} right {r:.3f} balance {b:.2f}" for k, (l, r, b) in sorted(seen_text.items()))
            sight = f"  pictures: loss {read:.3f} right {read_right:.3f} with alignment {see:.2f}" if part > 0.05 else ""
            print(f"{(time.time() - start) / 60:.1f} min  step {step}{text}{sight}", flush=True)
        if step % 200 == 0 or part > 0.99:
            torch.save({"state": weft.state_dict(), "steps": step}, args.output)
    torch.save({"state": weft.state_dict(), "steps": step}, args.output)


if __name__ == "__main__":
    main()
