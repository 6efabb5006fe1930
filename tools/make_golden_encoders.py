#!/usr/bin/env python3
"""Golden values for tests/encoders, made by transformers (and torch, torchvision).

Usage: make_golden_encoders.py [pixels|mel|see|request|whisper|ultravox] ...    without arguments: everything
Writes into tests/encoders/golden/; ORIGIN there says with which versions.
"""
import hashlib
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "tests", "encoders", "golden")
SCOUT = os.path.join(HERE, "..", "tests", "golden", "scout")


def picture(width, height):
    """The picture that test_pixels.c draws by the same formula."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = [((x * 7 + y * 13 + c * 71 + ((x * y) >> 2)) ^ ((x * x) >> 3)) & 255 for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


# height, width: the published sizes first, then small tiles
PICTURES = [
    (336, 16, [(100, 100), (336, 336), (337, 336), (300, 800), (480, 640), (768, 1024), (1024, 1024),
               (1344, 1344), (1080, 1920), (1700, 2200), (2200, 1700), (1754, 1240), (2339, 1654),
               (1654, 2339), (1131, 800), (3000, 100), (50, 4000)]),
    (28, 4, [(1, 1), (1, 200), (200, 1), (28, 28), (29, 28), (27, 55), (56, 56), (57, 57), (10, 300),
             (83, 61), (400, 399), (56, 28), (57, 29)]),
    (56, 9, [(56, 57), (113, 170), (333, 71), (31, 29), (640, 480)]),
]


def pixels():
    import torch
    from transformers.models.llama4.image_processing_llama4 import Llama4ImageProcessor, find_supported_resolutions

    lines = ["# side tiles_max height width single -> rows columns tiles sha256 of the 8-bit tiles [t][3][side][side]"]
    for side, tiles_max, sizes in PICTURES:
        for single in (False, True):
            for height, width in sizes:
                if single and side == 336 and height * width > 400000:
                    continue
                find_supported_resolutions.cache_clear()
                # Without rescaling the processor leaves the levels as they are: no rounding to bfloat16.
                processor = Llama4ImageProcessor(size={"height": side, "width": side},
                                                 max_patches=1 if single else tiles_max,
                                                 do_rescale=False, do_normalize=False)
                image = torch.from_numpy(picture(width, height)).permute(2, 0, 1)
                out = processor(image, return_tensors="pt")
                tiles = out["pixel_values"]
                tiles = tiles.reshape(-1, 3, side, side).to(torch.uint8).numpy()
                rows, cols = out["aspect_ratios"].reshape(-1).tolist()
                digest = hashlib.sha256(np.ascontiguousarray(tiles).tobytes()).hexdigest()
                lines.append(f"{side} {tiles_max} {height} {width} {int(single)} {rows} {cols} {len(tiles)} {digest}")
    with open(os.path.join(GOLDEN, "pixels.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


def sound(n):
    """The sound that tests draw by the same formula: two tones, one rising, and noise."""
    i = np.arange(n, dtype=np.int64)
    t = i / 16000.0
    noise = ((i * 1103515245 + 12345) >> 8 & 1023) / 1024.0 - 0.5
    wave = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * (200 + 30 * t) * t) + 0.02 * noise
    return wave.astype(np.float32)


MEL_STEP = 61  # of 6000 frames every 61st is kept


def mel():
    from transformers import WhisperFeatureExtractor

    samples = sound(31 * 16000)
    for bins in (80, 128):
        extract = WhisperFeatureExtractor(feature_size=bins)
        windows = [extract(samples[i:i + 480000], sampling_rate=16000, return_tensors="np")["input_features"][0]
                   for i in range(0, len(samples), 480000)]
        np.save(os.path.join(GOLDEN, f"mel{bins}.npy"),
                np.ascontiguousarray(np.concatenate(windows, axis=1)[:, ::MEL_STEP]).astype(np.float32))


def see():
    """The rows that the checkpoint of tests/golden/scout makes of its picture."""
    import torch
    from transformers import Llama4ForConditionalGeneration

    model = Llama4ForConditionalGeneration.from_pretrained(SCOUT, attn_implementation="eager",
                                                           dtype=torch.float32).eval()
    tiles = torch.from_numpy(np.load(os.path.join(SCOUT, "image.pixels.npy")))
    with torch.no_grad():
        seen = model.model.vision_model(tiles) if hasattr(model, "model") and hasattr(model.model, "vision_model") \
            else model.vision_model(tiles)
        projector = getattr(model, "multi_modal_projector", None) or model.model.multi_modal_projector
        rows = projector(seen.last_hidden_state.reshape(-1, seen.last_hidden_state.shape[-1]))
    np.save(os.path.join(GOLDEN, "see.npy"), rows.numpy().astype(np.float32))


QUESTION = "What is the total?"
SYSTEM = "Answer with JSON.\n{\"type\":\"object\"}"


def request():
    """The ids of one request, rendered by the chat template and encoded in one go by the processor."""
    from PIL import Image
    from transformers import AutoTokenizer, Llama4ImageProcessor, Llama4Processor

    processor = Llama4Processor(image_processor=Llama4ImageProcessor.from_pretrained(SCOUT),
                                tokenizer=AutoTokenizer.from_pretrained(SCOUT), patch_size=7, pixel_shuffle_ratio=0.5)
    messages = [
        {"role": "system", "content": [{"type": "text", "text": SYSTEM}]},
        {"role": "user", "content": [
            {"type": "text", "text": "<document>\n[p. 3]\nThe total is 1,240.00 \u20ac.\nSecond block, same page\n[p. 4]\n"},
            {"type": "image"},
            {"type": "text", "text": "\n[00:01:24]\nAnd  spoken words\n  indented.\n</document>\n\n" + QUESTION}]},
    ]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = processor(text=text, images=[Image.fromarray(picture(70, 40))], add_special_tokens=False)["input_ids"][0]
    np.save(os.path.join(GOLDEN, "request.npy"), np.array(ids, dtype=np.int32))


WHISPER = dict(d_model=16, num_mel_bins=20, max_source_positions=100, encoder_layers=2, encoder_attention_heads=2,
               encoder_ffn_dim=24, activation_function="gelu", scale_embedding=False)


def randomise(module, seed):
    """Weights large enough that every step matters."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in module.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() > 1:
                p.copy_(noise / p[0].numel() ** 0.5)
            else:
                p.copy_((1 if "norm.weight" in name or name.startswith("ln_") else 0) + 0.2 * noise)


def whisper_model():
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(**WHISPER, vocab_size=32, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=24,
                           max_target_positions=16, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                           decoder_start_token_id=3, suppress_tokens=None, begin_suppress_tokens=None)
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, 1)
    return model


def whisper():
    import torch

    model = whisper_model()
    model.save_pretrained(os.path.join(GOLDEN, "whisper"))
    mel = torch.randn(20, 200, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        frames = model.model.encoder(mel[None]).last_hidden_state[0]
    np.save(os.path.join(GOLDEN, "whisper.mel.npy"), mel.numpy())
    np.save(os.path.join(GOLDEN, "whisper.frames.npy"), frames.numpy())


def hear(encoder, projector, samples, n_heard_max):
    """Ultravox: encoder without 30 s padding, rows of padding hidden, frames stacked by 8, SwiGLU projector."""
    import torch
    from transformers import WhisperFeatureExtractor

    mel = torch.from_numpy(WhisperFeatureExtractor(feature_size=20)(
        samples, sampling_rate=16000, padding="longest", pad_to_multiple_of=160, truncation=False,
        return_tensors="np")["input_features"][0])
    rows = []
    for first in range(0, mel.shape[1], n_heard_max):
        chunk = mel[:, first:first + n_heard_max]
        n_heard = chunk.shape[1]
        if mel.shape[1] > n_heard_max:
            chunk = torch.nn.functional.pad(chunk, (0, n_heard_max - n_heard))
        x = torch.nn.functional.gelu(encoder.conv1(chunk[None]))
        x = torch.nn.functional.gelu(encoder.conv2(x)).permute(0, 2, 1)
        x = x + encoder.embed_positions.weight[:x.shape[1]]
        mask = torch.zeros(1, 1, x.shape[1], x.shape[1])
        mask[..., (n_heard - 1) // 2 + 1:] = torch.finfo(torch.float32).min
        for layer in encoder.layers:
            x = layer(x, mask)
        x = encoder.layer_norm(x)
        x = torch.nn.functional.pad(x, (0, 0, 0, -x.shape[1] % 8)).reshape(-1, 8 * x.shape[2])
        rows.append(projector(x)[:-(-n_heard // 16)])
    return torch.cat(rows)


def ultravox():
    import json

    import torch
    from safetensors.torch import save_file
    from torch import nn

    class Projector(nn.Module):
        def __init__(self, mid):
            super().__init__()
            self.ln_pre = nn.RMSNorm(128, eps=1e-6)
            self.linear_1 = nn.Linear(128, 24, bias=False)
            self.linear_2 = nn.Linear(12, 32, bias=False)
            self.mid = mid
            if mid:
                self.ln_mid = nn.RMSNorm(12, eps=1e-6)
            else:
                self.ln_post = nn.RMSNorm(32, eps=1e-6)

        def forward(self, x):
            a, b = self.linear_1(self.ln_pre(x)).chunk(2, dim=-1)
            x = a * nn.functional.silu(b)
            return self.linear_2(self.ln_mid(x)) if self.mid else self.ln_post(self.linear_2(x))

    def save(folder, projector, tower):
        os.makedirs(folder, exist_ok=True)
        config = dict(model_type="ultravox", text_model_id="weft/scout", audio_model_id="weft/whisper",
                      audio_config=dict(WHISPER, model_type="whisper"), hidden_size=24, stack_factor=8,
                      projector_act="swiglu", projector_ln_mid=projector.mid, audio_latency_block_size=None)
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump(config, f, indent=1)
        tensors = {"multi_modal_projector." + k: v.contiguous() for k, v in projector.state_dict().items()}
        tensors.update({"audio_tower." + k: v.contiguous() for k, v in tower.items()})
        save_file(tensors, os.path.join(folder, "model.safetensors"))

    encoder = whisper_model().model.encoder
    old = Projector(mid=False)
    randomise(old, 3)
    save(os.path.join(GOLDEN, "whisper", "projector"), old, {})
    tuned = whisper_model().model.encoder
    randomise(tuned, 4)
    new = Projector(mid=True)
    randomise(new, 5)
    save(os.path.join(GOLDEN, "ultravox"), new, tuned.state_dict())
    with torch.no_grad():
        for n in (9000, 50000):  # 57 frames, in one chunk; 313 frames, in two
            np.save(os.path.join(GOLDEN, f"rows-post-{n}.npy"), hear(encoder, old, sound(n), 200).numpy())
            np.save(os.path.join(GOLDEN, f"rows-mid-{n}.npy"), hear(tuned, new, sound(n), 200).numpy())


PARTS = {"pixels": pixels, "mel": mel, "see": see, "request": request, "whisper": whisper, "ultravox": ultravox}

if __name__ == "__main__":
    os.makedirs(GOLDEN, exist_ok=True)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
