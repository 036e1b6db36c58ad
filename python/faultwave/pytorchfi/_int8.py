# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI's flip of one bit of a quantised value.

It differs from Faultwave's `flip(int8:b)`, which rounds to the nearest step of the largest value / 127. Here
a step is the largest value / 2^(bits - 1), and values are cut towards zero.
"""

from __future__ import annotations

import math

import torch


def quantised(value: torch.Tensor, largest: float | torch.Tensor, bits: int) -> int:
    """The integer that stands for `value`, a tensor of one element.

    It is value / largest * 2^(bits - 1), computed in the value's own type and cut towards zero. It saturates
    at -2^(bits - 1) and 2^(bits - 1) - 1, infinities too; NaN counts as 0.
    """
    steps = 2 ** (bits - 1)
    scaled = ((value / largest) * float(steps)).item()
    if math.isnan(scaled):
        return 0
    return int(max(-steps, min(steps - 1, scaled)))


def with_flipped_bit(word: int, bit: int, bits: int) -> int:
    """A word of `bits` bits in two's complement with one bit inverted, 0 the lowest."""
    flipped = (word ^ (1 << bit)) & ((1 << bits) - 1)
    return flipped - (1 << bits) if flipped >> (bits - 1) else flipped


def flipped(value: torch.Tensor, largest: float | torch.Tensor, bit: int, bits: int) -> torch.Tensor:
    """A tensor of one element with one bit of its quantised form inverted; 0-dimensional, same type."""
    word = with_flipped_bit(quantised(value, largest, bits), bit, bits)
    step = (2.0 ** -(bits - 1)) * largest
    if isinstance(step, torch.Tensor):
        return (word * step).detach().to(value.dtype).reshape(())
    return torch.tensor(word * step, dtype=value.dtype)
