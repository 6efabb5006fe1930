"""Writes what train_ears.py trained as an Ultravox checkpoint beside the bundle that it was made for, and compares it
with transformers' own Whisper encoder.

    export_ears.py EARS.pt BUNDLE          writes BUNDLE/audio/
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import ears as E
import sounds


def read(folder):
    """The ears of an exported bundle."""
    ears = E.Ears()
    ears.load_state_dict({k: v.float() for k, v in load_file(pathlib.Path(folder) / "audio/model.safetensors").items()})
    return ears


def write(bundle, state):
    folder = bundle / "audio"
    folder.mkdir(exist_ok=True)
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in state.items() if not k.startswith("head.")}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    name = json.loads((bundle / "config.json").read_text())["weft"]["name"]
    config = dict(model_type="ultravox", text_model_id=name, audio_model_id=f"{name}-ears", dtype="bfloat16",
                  audio_config=dict(E.AUDIO, model_type="whisper"), **E.PROJECTOR, projector_act="swiglu",
                  projector_ln_mid=True, audio_latency_block_size=None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return weights


@torch.no_grad()
def compare(ears):
    """Largest difference of the rows from those behind transformers' mel and encoder, relative to the largest."""
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder
    theirs = WhisperEncoder(WhisperConfig(**E.AUDIO)).eval()
    theirs.load_state_dict(ears.audio_tower.state_dict())
    clips = [sounds.damage(sounds.random.Random(i), np.sin(np.arange(n) ** 1.2 / 9)) for i, n in enumerate((1600, 40000, 50001))]
    frames, _, lengths = ears.encode(clips)
    worst = 0.0
    for clip, got in zip(clips, ears.project(frames, lengths)):
        mel = torch.from_numpy(WhisperFeatureExtractor(feature_size=E.AUDIO["num_mel_bins"])(
            clip, sampling_rate=16000, padding="longest", pad_to_multiple_of=E.HOP, truncation=False,
            return_tensors="np")["input_features"])
        x = F.gelu(theirs.conv2(F.gelu(theirs.conv1(mel)))).transpose(1, 2)
        x = x + theirs.embed_positions.weight[:x.shape[1]]
        for layer in theirs.layers:
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
        x = F.pad(theirs.layer_norm(x), (0, 0, 0, -x.shape[1] % 8)).unflatten(1, (-1, 8)).flatten(2)
        want = ears.multi_modal_projector(x)[0, :len(got)]
        worst = max(worst, float((want - got).abs().max() / want.abs().max()))
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained")
    parser.add_argument("bundle", type=pathlib.Path)
    args = parser.parse_args()
    write(args.bundle, torch.load(args.trained, weights_only=True))
    difference = compare(read(args.bundle))
    print(f"largest difference from transformers: {difference:.2e} of the largest number of a row")
    sys.exit(difference > 1e-4)
