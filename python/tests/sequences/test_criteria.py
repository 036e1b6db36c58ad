# SPDX-License-Identifier: Apache-2.0
"""Criteria of language models: what fires, by hand, and that borders hold."""

from __future__ import annotations

import torch

import faultwave as fw
from faultwave import _core

TARGETS = [1, 0, 2]


def fires(
    criterion: fw.Criterion, golden: torch.Tensor, faulty: torch.Tensor, label: int | None = None
) -> bool:
    return _core.fires(criterion, [golden], [faulty], label)


def near(criterion: fw.Criterion, golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
    return _core.is_near_border(criterion, [golden], [faulty], rounding)


class Predictor(torch.nn.Module):
    """Identifiers [batch, tokens] to logits [batch, tokens, 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 8)
        self.recurrent = torch.nn.Linear(8, 8)
        self.head = torch.nn.Linear(8, 7)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.recurrent(self.embedding(ids).cumsum(1))))
