# SPDX-License-Identifier: Apache-2.0
"""Tiny networks whose faulty outputs can be worked out by hand."""

from __future__ import annotations

import torch
from torch import nn


class Sum(nn.Module):
    """[batch, 3] to [batch, 1]: the sum of a linear layer that passes its input on."""

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.same.weight.copy_(torch.eye(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.same(x).sum(dim=1, keepdim=True)


def convolutional() -> nn.Sequential:
    """[batch, 3, 8, 8] to [batch, 10]."""
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 10)).eval()
