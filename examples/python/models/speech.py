# SPDX-License-Identifier: Apache-2.0
"""Recordings, and the spectrogram of them that Whisper takes."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy
import torch
from torch.nn import functional

SAMPLES_PER_SECOND = 16_000
SECONDS = 30  # what Whisper hears at once; shorter recordings are followed by silence


def read_wave(file: Path) -> torch.Tensor:
    """Samples of a recording of one channel and 16 kHz, from -1 to 1, [samples]."""
    with wave.open(str(file)) as recording:
        form = (recording.getframerate(), recording.getnchannels(), recording.getsampwidth())
        if form != (SAMPLES_PER_SECOND, 1, 2):
            raise ValueError(
                f"{file} has {form[0]} Hz, {form[1]} channels and {form[2]} bytes a sample; "
                "expected 16000 Hz, 1 channel and 2 bytes"
            )
        samples = numpy.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    return torch.from_numpy(samples.astype("float32") / 32768)


def log_mel(samples: torch.Tensor) -> torch.Tensor:
    """Samples [samples] of 16 kHz to the spectrogram that the encoder takes, [1, 80, 3000].

    80 bands of Slaney's mel scale up to 8 kHz, every 10 ms, log10 of their power, at most 80 dB below the largest.
    """
    length = SECONDS * SAMPLES_PER_SECOND
    samples = functional.pad(samples[:length], (0, max(0, length - len(samples))))
    spectrum = torch.stft(samples, 400, 160, window=torch.hann_window(400), return_complex=True)
    power = spectrum[:, :-1].abs().square()
    levels = (_mel_bands() @ power).clamp(min=1e-10).log10()
    return ((torch.maximum(levels, levels.max() - 8) + 4) / 4)[None]


def _mel_bands(count: int = 80) -> torch.Tensor:
    """Triangles over the 201 frequencies of the spectrum, [count, 201], each of area 1 in Hz."""
    # Slaney's scale: 200/3 Hz a mel up to 1 kHz, then 27 mel a factor of 6.4.
    top = 15 + 27 * math.log(8) / math.log(6.4)
    mel = torch.linspace(0, top, count + 2, dtype=torch.float64)
    edges = torch.where(mel < 15, mel * 200 / 3, 1000 * torch.exp(math.log(6.4) / 27 * (mel - 15)))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequency = torch.linspace(0, SAMPLES_PER_SECOND / 2, 201, dtype=torch.float64)
    rising, falling = (frequency - low) / (middle - low), (high - frequency) / (high - middle)
    return (torch.minimum(rising, falling).clamp(min=0) * 2 / (high - low)).float()
