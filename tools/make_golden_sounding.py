#!/usr/bin/env python3
"""Writes tests/encoders/golden/largest.npy: openai-whisper's largest log-mel value of whole files.

    tools/make_golden_sounding.py

Rows: 31.7 s, 2.003 s and 150 samples of the sound of tests/encoders/sound.h; columns: 80 and 128
bins. Needs openai-whisper, torch and numpy (made with openai-whisper 20250625).
"""
import pathlib

import numpy as np
import torch
from whisper.audio import N_FFT, HOP_LENGTH, N_SAMPLES, mel_filters

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/encoders/golden/largest.npy"


def sound(n):
    """tests/encoders/sound.h"""
    i = np.arange(n, dtype=np.uint64)
    t = i.astype(np.float64) / 16000.0
    noise = (((i * np.uint64(1103515245) + np.uint64(12345)) >> np.uint64(8)) & np.uint64(1023)).astype(float) / 1024.0 - 0.5
    return (0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * (200 + 30 * t) * t)
            + 0.02 * noise).astype(np.float32)


def largest(samples, n_mels):
    """log_mel_spectrogram(samples, n_mels, padding=N_SAMPLES) up to its maximum."""
    audio = torch.nn.functional.pad(torch.from_numpy(samples), (0, N_SAMPLES))
    stft = torch.stft(audio, N_FFT, HOP_LENGTH, window=torch.hann_window(N_FFT), return_complex=True)
    mel = mel_filters("cpu", n_mels) @ (stft[..., :-1].abs() ** 2)
    return torch.clamp(mel, min=1e-10).log10().max().item()


rows = [[largest(sound(n), bins) for bins in (80, 128)] for n in (507200, 32048, 150)]
np.save(OUT, np.array(rows, np.float32))
print(rows)
