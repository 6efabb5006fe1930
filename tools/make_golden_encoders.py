#!/usr/bin/env python3
"""Golden values for tests/encoders, made by transformers (and torch, torchvision).

Usage: make_golden_encoders.py [pixels|mel|see|whisper|audio] ...    without arguments: everything
Writes into tests/encoders/golden/; ORIGIN there says with which versions.
"""
import hashlib
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "tests", "encoders", "golden")


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


PARTS = {"pixels": pixels, "mel": mel}

if __name__ == "__main__":
    os.makedirs(GOLDEN, exist_ok=True)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
