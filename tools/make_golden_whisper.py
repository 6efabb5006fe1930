#!/usr/bin/env python3
"""Writes tests/golden/whisper_shapes and tests/golden/whisper_decoder: what transformers computes.

    python tools/make_golden_whisper.py tests/golden

whisper_shapes: of the Whispers that tests/cli/whisper_model.py makes from a formula, some rows of the
encoder and some logits. whisper_decoder: a small checkpoint, the logits of three texts that begin
alike, and the scores of the alignment heads. f32, eager attention. Needs torch and transformers.
"""
import os
import pathlib
import shutil
import sys

import numpy as np
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/cli"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import whisper_model
from make_golden import origin, randomise

TOLERANCE = "tolerance: max |difference| <= 1e-5 * max |value|: float32 sums in another order"


def model_of(shape, weights):
    config = WhisperConfig(**{k: v for k, v in whisper_model.config(shape).items() if k != "architectures"})
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config).eval()
    state = {"model." + k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in weights.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"proj_out.weight"}, (missing, unexpected)
    model.tie_weights()
    return model


def shapes(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    m = whisper_model
    for name, shape in m.SHAPES.items():
        weights = m.tensors(shape)
        for is_ggml, kinds in ((False, m.SAFETENSORS), (True, ["f16", "q8_0", "q5_0"])):
            for kind in kinds:
                model = model_of(shape, m.as_stored(weights, kind, is_ggml))
                with torch.no_grad():
                    rows = model.model.encoder(torch.from_numpy(m.mel(shape))[None]).last_hidden_state
                    logits = model(encoder_outputs=(rows,),
                                   decoder_input_ids=torch.tensor([m.ids(shape)])).logits
                base = os.path.join(folder, f"{name}-{'ggml-' if is_ggml else ''}{kind}")
                np.save(base + ".rows.npy", np.ascontiguousarray(rows[0].numpy()[::m.ROW_STEP]))
                np.save(base + ".logits.npy", np.ascontiguousarray(logits[0].numpy()[:, ::m.ID_STEP]))
                print(base, logits.abs().max().item(), logits.std().item())
    origin(folder, ["weights, mel, ids and how they are stored: tests/cli/whisper_model.py",
                    f"rows.npy: every {m.ROW_STEP}th row of the encoder; logits.npy: every {m.ID_STEP}th id",
                    TOLERANCE], "tools/make_golden_whisper.py")


# Three texts that part where a page of 64 positions is not full, and behind its end.
N, PARTS = 80, (61, 70)
HEADS = [[1, 0], [2, 1]]
N_SCORED, N_FRAMES = 50, 17


def decoder(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    config = WhisperConfig(
        d_model=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=24, decoder_layers=3,
        decoder_attention_heads=2, decoder_ffn_dim=40, num_mel_bins=8, max_source_positions=20,
        max_target_positions=90, vocab_size=40, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=3, suppress_tokens=None, begin_suppress_tokens=None)
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, 1, torch.float32)
    model.generation_config.alignment_heads = HEADS
    state = model.state_dict()
    state.pop("proj_out.weight")  # tied
    model.save_pretrained(folder, state_dict=state)
    mel = whisper_model.numbers(5, [8, 40])
    ids = np.random.default_rng(1).integers(0, 40, (3, N))
    ids[1:, :PARTS[0]] = ids[0, :PARTS[0]]
    ids[2, :PARTS[1]] = ids[1, :PARTS[1]]
    seen = {}
    for layer, _ in HEADS:
        for part in ("q_proj", "k_proj"):
            module = getattr(model.model.decoder.layers[layer].encoder_attn, part)
            module.register_forward_hook(lambda _, __, out, key=(layer, part): seen.__setitem__(key, out))
    with torch.no_grad():
        rows = model.model.encoder(torch.from_numpy(mel)[None]).last_hidden_state
        logits = torch.cat([model(encoder_outputs=(rows,), decoder_input_ids=torch.tensor(one)[None]).logits
                            for one in ids])
        model(encoder_outputs=(rows,), decoder_input_ids=torch.tensor(ids[0, :N_SCORED])[None])
    scores = [(seen[layer, "q_proj"][0, :, 8 * head:8 * head + 8] @ seen[layer, "k_proj"][0, :, 8 * head:8 * head + 8].T
               / 8 ** 0.5)[:, :N_FRAMES] for layer, head in HEADS]
    np.save(os.path.join(folder, "mel.npy"), mel)
    np.save(os.path.join(folder, "logits.npy"), logits.numpy())
    np.save(os.path.join(folder, "scores.npy"), torch.stack(scores).numpy())
    np.save(os.path.join(folder, "ids.npy"), ids.astype(np.float32))
    origin(folder, ["seed: 1; ids.npy: three texts that begin alike, as float32", "logits.npy: behind each id of each",
                    f"scores.npy: cross-attention before softmax of the heads {HEADS}, the first {N_SCORED} ids, "
                    f"{N_FRAMES} frames", TOLERANCE], "tools/make_golden_whisper.py")
    print(folder, logits.abs().max().item(), [s.abs().max().item() for s in scores])


if __name__ == "__main__":
    shapes(os.path.join(sys.argv[1], "whisper_shapes"))
    decoder(os.path.join(sys.argv[1], "whisper_decoder"))
