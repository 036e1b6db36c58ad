# SPDX-License-Identifier: Apache-2.0
"""Flips of a quantised value at and beyond the ends of the range, where PyTorchFI fails; worked out by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch
from torch import nn

from faultwave.pytorchfi import DeclarationError
from faultwave.pytorchfi._int8 import flipped, quantised
from faultwave.pytorchfi.neuron_error_models import (
    random_neuron_single_bit_inj,
    random_neuron_single_bit_inj_batched,
    single_bit_flip_func,
)

# With a range of 4 and 8 bits a step is 4 / 128 = 1/32.
WORDS = [
    (0.0, 0),
    (1.0, 32),
    (-1.0, -32),
    (0.999 / 32, 0),  # cut towards zero
    (-0.999 / 32, 0),
    (3.99, 127),
    (4.0, 127),  # 128 would not fit
    (-4.0, -128),
    (100.0, 127),
    (-100.0, -128),
    (math.inf, 127),
    (-math.inf, -128),
    (math.nan, 0),
]
FLIPS = [
    (1.0, 0, 33 / 32),
    (1.0, 5, 0.0),
    (1.0, 7, -96 / 32),  # 0010 0000 -> 1010 0000
    (-1.0, 7, 96 / 32),
    (4.0, 7, -1 / 32),  # 0111 1111 -> 1111 1111
    (100.0, 0, 126 / 32),
    (-100.0, 7, 0.0),  # 1000 0000 -> 0000 0000
    (math.nan, 6, 64 / 32),
]


@pytest.mark.parametrize(("value", "word"), WORDS)
def test_words(value: float, word: int) -> None:
    assert quantised(torch.tensor(value), 4.0, 8) == word


@pytest.mark.parametrize(("value", "bit", "expected"), FLIPS)
def test_flips(value: float, bit: int, expected: float) -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        result = flipped(torch.tensor(value, dtype=dtype), 4.0, bit, 8)
        assert result.dtype == dtype and result.shape == ()
        assert result.item() == expected
    assert flipped(torch.tensor(value), torch.tensor(4.0), bit, 8).item() == expected


def test_values_beyond_the_range_in_a_network() -> None:
    """An identity with outputs 100, -100, 1 and a range of 4: the three words are 127, -128 and 32."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    pfi = single_bit_flip_func(nn.Sequential(layer), 3, [1], layer_types=[nn.Linear])
    random.seed(4)
    faulty = random_neuron_single_bit_inj_batched(pfi, [4.0])
    drawn = random.getstate()
    output = faulty(torch.tensor([[100.0], [-100.0], [1.0]]))
    random.setstate(drawn)
    bits = [random.randint(0, 7) for _ in range(3)]
    words = [(word ^ (1 << bit)) & 255 for word, bit in zip((127, 128, 32), bits)]
    expected = [(word - 256 if word > 127 else word) / 32 for word in words]
    assert output.flatten().tolist() == expected
    assert [receipt.victims[0].after for receipt in faulty.receipts] == expected


def test_each_forward_draws_its_own_bit() -> None:
    layer = nn.Linear(1, 1, bias=False)
    pfi = single_bit_flip_func(nn.Sequential(layer), 1, [1], layer_types=[nn.Linear], bits=8)
    random.seed(1)
    faulty = random_neuron_single_bit_inj(pfi, [4.0])
    outputs = {faulty(torch.ones(1, 1)).item() for _ in range(40)}
    assert len(outputs) == 8


def test_a_layer_without_a_range() -> None:
    pfi = single_bit_flip_func(
        nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), 1, [2], layer_types=[nn.Linear]
    )
    pfi.set_conv_max([1.0])
    faulty: Any = pfi.declare_neuron_fault_injection(
        layer_num=[1], batch=[0], dim1=[0], function=pfi.single_bit_flip_signed_across_batch
    )
    with pytest.raises(DeclarationError, match="layer 1 has no range: there are 1 ranges for 2 layers"):
        faulty(torch.zeros(1, 2))
    pfi.reset_conv_max()
    assert list(pfi.layer_ranges) == []
