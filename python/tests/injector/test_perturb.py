# SPDX-License-Identifier: Apache-2.0
"""Weights that are changed for good."""

from __future__ import annotations

import pytest
import torch
from support.tiny_networks import Sum

import faultwave as fw


def test_a_weight_is_written() -> None:
    model = Sum()
    (receipt,) = fw.perturb(model, "weight:same[2,2] constant(4)")
    assert model(torch.ones(1, 3)).item() == 6.0
    assert (receipt.victims[0].before, receipt.victims[0].after) == (1.0, 4.0)


def test_an_illegal_fault_writes_nothing() -> None:
    model = Sum()
    with pytest.raises(fw.IllegalFaultError, match="out of range"):
        fw.perturb(model, "weight:same[2,2] constant(4); weight:same[3,0] zero")
    assert model(torch.ones(1, 3)).item() == 3.0


def test_a_neuron_is_no_weight() -> None:
    with pytest.raises(fw.IllegalFaultError):
        fw.perturb(Sum(), "output:same[0] zero")
