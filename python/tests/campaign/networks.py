# SPDX-License-Identifier: Apache-2.0
"""Networks and functions that other processes can import."""

from __future__ import annotations

import os
import signal

import torch
from torch.utils.data import Dataset


class Small(torch.nn.Module):
    """A convolution, a batch norm, a dropout and a linear layer, always with the same weights."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
            self.norm = torch.nn.BatchNorm2d(8)
            self.drop = torch.nn.Dropout()
            self.head = torch.nn.Linear(8 * 8 * 8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv(x)))
        return self.head(self.drop(x).flatten(1))


class TwoInputs(torch.nn.Module):
    """Adds a mask, which has its own batch axis, before a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.head = torch.nn.Linear(6, 4)

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.head(values * mask)


class Pairs(Dataset):
    """Items (input, label)."""

    def __init__(self, inputs: torch.Tensor, labels: torch.Tensor) -> None:
        self.inputs = inputs
        self.labels = labels

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return self.inputs[number], int(self.labels[number])


class DiesOfLargeValues(Small):
    """Its process is killed as by a bad address, where a fault has made a value large."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv(x)))
        if bool(x.abs().max() > 1e30):
            os.kill(os.getpid(), signal.SIGSEGV)
        return self.head(x.flatten(1))


def make_small() -> torch.nn.Module:
    return Small()


def make_dying() -> torch.nn.Module:
    return DiesOfLargeValues()


def far(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
    """Fires where an output moved by more than one."""
    return bool((golden - faulty).abs().max() > 1)


def mean_square(golden: torch.Tensor, faulty: torch.Tensor) -> torch.Tensor:
    return (golden - faulty).square().mean()


def thrice(values: torch.Tensor, _: object) -> torch.Tensor:
    return values * 3
